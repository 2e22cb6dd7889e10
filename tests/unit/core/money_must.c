// SPDX-License-Identifier: Apache-2.0
/* money_must.c: the asserts of the ledger and the split that stay on in release do end the program.
 * What they guard cannot be reached by input, so each case breaks the caller's side of the bargain,
 * or the memory itself, in a child process. */
#include "core/ledger.h"
#include "core/split.h"
#include "unit/core/dies.h"
#include "unit/core/money.h"

static struct arena arena;
static struct ledger *l;
static struct buf rows;
static struct ledger_ctx ctx;
static int64_t cash, wallet;

static int64_t account(int32_t kind, int64_t id)
{
    struct ledger_account key = {.tenant = 1, .kind = kind, .owner = 1, .currency = "CNY"};
    ctx.id = id;
    assert_int_equal(ledger_account_open(l, &ctx, &key, &id, NULL), 0);
    return id;
}

static int post(int64_t id, int64_t from, int64_t to, int64_t amount)
{
    const struct ledger_request r = transfer(from, to, amount);
    ctx.id = id;
    return ledger_post(l, &ctx, &r);
}

static int setup(void **state)
{
    const struct ledger_limits limits = {.accounts = 10, .holds = 10, .seed = 3};
    (void)state;
    arena_init(&arena, 1 << 20);
    buf_init(&rows, 1 << 20);
    ctx = (struct ledger_ctx){.now_ms = 1000, .actor_kind = ACTOR_SYSTEM, .rows = &rows};
    assert_int_equal(ledger_new(&arena, &limits, &l), 0);
    cash = account(ACCOUNT_CASH, 10);
    wallet = account(ACCOUNT_WALLET, 11);
    assert_int_equal(post(12, cash, wallet, 1000), 0);
    ctx.id = 13;
    assert_int_equal(ledger_hold_open(l, &ctx, wallet, MONEY(600), 1, 0), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ledger_free(l);
    buf_free(&rows);
    arena_free(&arena);
    return 0;
}

/* Memory that only the ledger writes. */
static struct ledger_account *scribble(int64_t id)
{
    return (struct ledger_account *)(uintptr_t)ledger_account(l, id);
}

static void open_without_id(void)
{
    struct ledger_account key = {.tenant = 1, .kind = ACCOUNT_DEBT, .currency = "CNY"};
    int64_t id;
    ctx.id = 0;
    (void)!ledger_account_open(l, &ctx, &key, &id, NULL);
}

static void open_with_used_id(void)
{
    struct ledger_account key = {.tenant = 1, .kind = ACCOUNT_DEBT, .currency = "CNY"};
    int64_t id;
    ctx.id = wallet;
    (void)!ledger_account_open(l, &ctx, &key, &id, NULL);
}

static void post_without_id(void)
{
    (void)!post(0, cash, wallet, 1);
}

static void post_without_rows(void)
{
    ctx.rows = NULL;
    (void)!post(20, cash, wallet, 1);
}

static void post_twice_under_one_id(void)
{
    (void)!post(12, cash, wallet, 1);
}

static void post_to_unsound_account(void)
{
    scribble(wallet)->held = 5000; /* more than there is */
    (void)!post(20, cash, wallet, 1);
}

static void hold_without_id(void)
{
    ctx.id = 0;
    (void)!ledger_hold_open(l, &ctx, wallet, MONEY(1), 1, 0);
}

static void hold_with_used_id(void)
{
    ctx.id = 13;
    (void)!ledger_hold_open(l, &ctx, wallet, MONEY(1), 1, 0);
}

static void add_without_id(void)
{
    ctx.id = 0;
    (void)!ledger_hold_add(l, &ctx, 13, cash, MONEY(1));
}

static void add_with_used_id(void)
{
    ctx.id = 13;
    (void)!ledger_hold_add(l, &ctx, 13, cash, MONEY(1));
}

static void hold_of_no_account(void)
{
    ((struct ledger_hold *)(uintptr_t)ledger_hold(l, 13))->account = 424242;
    (void)!ledger_hold_release(l, &ctx, 13);
}

static void release_more_than_held(void)
{
    scribble(wallet)->held = 100;
    (void)!ledger_hold_release(l, &ctx, 13);
}

static void capture_without_id(void)
{
    const struct ledger_request r = transfer(wallet, cash, 100);
    ctx.id = 0;
    (void)!ledger_hold_capture(l, &ctx, 13, &r);
}

static void capture_without_rows(void)
{
    const struct ledger_request r = transfer(wallet, cash, 100);
    ctx.id = 20;
    ctx.rows = NULL;
    (void)!ledger_hold_capture(l, &ctx, 13, &r);
}

static void line_of_no_kind(void)
{
    (void)split_line(3);
}

static struct split_contract halves(void)
{
    return (struct split_contract){
        .unit = 1,
        .n = 2,
        .party = {{.party = 1, .lines = 7, .ratio = 1}, {.party = 2, .lines = 7, .ratio = 1}}};
}

static void row_of_no_party(void)
{
    const struct split_contract c = halves();
    struct row_contract_party row;
    split_party_row(&c, 2, &row);
}

static void row_below_all_parties(void)
{
    const struct split_contract c = halves();
    struct row_contract_party row;
    split_party_row(&c, -1, &row);
}

static void clause_row(struct split_terms *terms, int32_t i)
{
    struct split_contract c = halves();
    struct row_contract_clause row;
    c.terms = terms;
    split_clause_row(&c, i, &row);
}

static void clause_row_without_clauses(void)
{
    clause_row(NULL, 0);
}

static void clause_row_below_all(void)
{
    struct split_terms terms = {.n = 1};
    clause_row(&terms, -1);
}

static void clause_row_beyond_all(void)
{
    struct split_terms terms = {.n = 1};
    clause_row(&terms, 1);
}

DIES(open_without_id)
DIES(open_with_used_id)
DIES(post_without_id)
DIES(post_without_rows)
DIES(post_twice_under_one_id)
DIES(post_to_unsound_account)
DIES(hold_without_id)
DIES(hold_with_used_id)
DIES(add_without_id)
DIES(add_with_used_id)
DIES(hold_of_no_account)
DIES(release_more_than_held)
DIES(capture_without_id)
DIES(capture_without_rows)
DIES(line_of_no_kind)
DIES(row_of_no_party)
DIES(row_below_all_parties)
DIES(clause_row_without_clauses)
DIES(clause_row_below_all)
DIES(clause_row_beyond_all)

int money_must_tests(void)
{
#define T(f) cmocka_unit_test_setup_teardown(test_##f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(open_without_id),      T(open_with_used_id),       T(post_without_id),
        T(post_without_rows),    T(post_twice_under_one_id), T(post_to_unsound_account),
        T(hold_without_id),      T(hold_with_used_id),       T(add_without_id),
        T(add_with_used_id),     T(hold_of_no_account),      T(release_more_than_held),
        T(capture_without_id),   T(capture_without_rows),    T(line_of_no_kind),
        T(row_of_no_party),      T(row_below_all_parties),   T(clause_row_without_clauses),
        T(clause_row_below_all), T(clause_row_beyond_all),
    };
    return cmocka_run_group_tests_name("must", tests, NULL, NULL);
}
