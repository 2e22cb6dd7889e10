// SPDX-License-Identifier: Apache-2.0
/* money_legs.c: the ledger where it is seldom seen: holds of several legs, the last values of counters,
 * one leg too many, and books that are off in one way only. */
#include <string.h>

#include "base/err.h"
#include "core/ledger.h"
#include "unit/core/money.h"

#define COUNTER INT64_C(4000000000000000000) /* the most that an account counts */

static struct arena arena;
static struct ledger *l;
static struct buf rows;
static struct ledger_ctx ctx;
static int64_t cash, wallet, bonus;

static struct ledger_ctx *next(void)
{
    ctx.id++;
    return &ctx;
}

static int64_t account(int64_t tenant, int32_t kind)
{
    struct ledger_account key = {.tenant = tenant, .kind = kind, .owner = 1, .currency = "CNY"};
    int64_t id;
    assert_int_equal(ledger_account_open(l, next(), &key, &id, NULL), 0);
    return id;
}

static int move(int64_t from, int64_t to, int64_t amount)
{
    const struct ledger_request r = transfer(from, to, amount);
    return ledger_post(l, next(), &r);
}

static int64_t hold_open(int64_t of, int64_t amount)
{
    assert_int_equal(ledger_hold_open(l, next(), of, MONEY(amount), 1, 0), 0);
    return ctx.id;
}

static int hold_add(int64_t hold, int64_t of, int64_t amount)
{
    return ledger_hold_add(l, next(), hold, of, MONEY(amount));
}

static int setup(void **state)
{
    const struct ledger_limits limits = {.accounts = 10, .holds = 3, .seed = 3};
    (void)state;
    arena_init(&arena, 1 << 20);
    buf_init(&rows, 1 << 20);
    ctx = (struct ledger_ctx){.now_ms = 1000, .id = 100, .actor_kind = ACTOR_SYSTEM, .rows = &rows};
    assert_int_equal(ledger_new(&arena, &limits, &l), 0);
    cash = account(1, ACCOUNT_CASH);
    wallet = account(1, ACCOUNT_WALLET);
    bonus = account(1, ACCOUNT_WALLET_BONUS);
    assert_int_equal(move(cash, wallet, 1000), 0);
    assert_int_equal(move(cash, bonus, 500), 0);
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

/* ---- legs of holds ---- */

static void test_hold_has_a_leg_of_each(void **state)
{
    (void)state;
    int64_t hold = hold_open(wallet, 600), other = account(2, ACCOUNT_CASH);
    assert_int_equal(hold_add(hold, 424242, 10), ERR_NOT_FOUND);
    assert_int_equal(hold_add(424242, bonus, 10), ERR_NOT_FOUND);
    assert_int_equal(hold_add(hold, other, 10), ERR_CONFLICT); /* another tenant's */
    assert_int_equal(hold_add(hold, wallet, 10), ERR_CONFLICT);
    assert_int_equal(hold_add(hold, bonus, 501), ERR_NO_FUNDS);
    assert_int_equal(hold_add(hold, bonus, 0), ERR_RANGE);
    assert_int_equal(hold_add(hold, bonus, 400), 0);
    int64_t leg = ctx.id;
    assert_int_equal(hold_add(hold, bonus, 10), ERR_CONFLICT); /* it has one by now */
    assert_int_equal(hold_add(leg, cash, 10), ERR_CONFLICT);   /* a leg has no legs */
    assert_int_equal(ledger_hold_amount(l, hold), 1000);
    assert_int_equal(ledger_account(l, bonus)->held, 400);
    assert_int_equal(ledger_hold_release(l, next(), leg), ERR_CONFLICT); /* by its first only */
    const struct ledger_request r = transfer(bonus, cash, 10);
    assert_int_equal(ledger_hold_capture(l, next(), leg, &r), ERR_CONFLICT);
    assert_int_equal(ledger_hold_release(l, next(), hold), 0);
    assert_int_equal(hold_add(hold, cash, 10), ERR_CONFLICT); /* resolved, not yet forgotten */
    assert_int_equal(ledger_account(l, wallet)->held, 0);
    assert_int_equal(ledger_account(l, bonus)->held, 0);
    assert_int_equal(ledger_verify(l), 0);
}

static void test_hold_legs_are_bounded(void **state)
{
    (void)state;
    int64_t hold = hold_open(wallet, 100);
    assert_int_equal(hold_add(hold, bonus, 100), 0);
    assert_int_equal(hold_add(hold, cash, 100), 0);
    assert_int_equal(hold_add(hold, account(1, ACCOUNT_BANK), 100), ERR_FULL);
    assert_int_equal(ledger_hold_amount(l, hold), 300);
}

/* What a capture would give to the account that holds, it does not take. */
static void test_capture_only_takes(void **state)
{
    (void)state;
    int64_t hold = hold_open(wallet, 100);
    const struct ledger_request r = transfer(cash, wallet, 50);
    assert_int_equal(ledger_hold_capture(l, next(), hold, &r), ERR_RANGE);
    assert_int_equal(ledger_account(l, wallet)->held, 100);
    assert_int_equal(ledger_hold(l, hold)->state, HOLD_OPEN);
}

/* ---- bounds ---- */

/* Each counter of an account ends by itself, whatever the other says. */
static void test_counter_is_full(void **state)
{
    (void)state;
    const struct row_account full = {.id = 50,
                                     .tenant = 1,
                                     .kind = ACCOUNT_CHANNEL,
                                     .owner = 9,
                                     .currency = "CNY",
                                     .posted_in = COUNTER - 5,
                                     .posted_out = COUNTER - 5,
                                     .min_balance = -1000};
    assert_int_equal(ledger_load_account(l, &full), 0);
    assert_int_equal(move(cash, 50, 6), ERR_RANGE);
    assert_int_equal(move(50, cash, 6), ERR_RANGE);
    assert_int_equal(move(cash, 50, 5), 0);
    assert_int_equal(move(50, cash, 5), 0);
    assert_int_equal(move(cash, 50, 1), ERR_RANGE);
    assert_int_equal(move(50, cash, 1), ERR_RANGE);
    assert_int_equal(ledger_floor_set(l, cash, MONEY(-COUNTER - 1)), ERR_RANGE);
    assert_int_equal(ledger_floor_set(l, cash, MONEY(-COUNTER)), 0);
}

/* One leg more than there may be, though all of them come to zero. */
static void test_too_many_legs(void **state)
{
    (void)state;
    static struct {
        struct ledger_request r;
        struct ledger_leg beyond;
    } many;
    many.r = transfer(cash, wallet, 1);
    for (uint32_t i = 0; i < LEDGER_LEGS_MAX; i++)
        many.r.leg[i] = (struct ledger_leg){i ? wallet : cash, MONEY(i ? 1 : -64), 0};
    many.beyond = (struct ledger_leg){wallet, MONEY(1), 0};
    many.r.n = LEDGER_LEGS_MAX + 1;
    assert_int_equal(ledger_post(l, next(), &many.r), ERR_RANGE);
    many.r.n = LEDGER_LEGS_MAX;
    many.r.leg[0].amount = MONEY(-63);
    assert_int_equal(ledger_post(l, next(), &many.r), 0);
}

/* ---- books that are off ---- */

static struct ledger_account *scribble(int64_t id)
{
    return (struct ledger_account *)(uintptr_t)ledger_account(l, id);
}

static void test_verify_finds_each(void **state)
{
    (void)state;
    assert_int_equal(ledger_verify(l), 0);
    scribble(wallet)->held = 10; /* and no hold has it */
    assert_int_equal(ledger_verify(l), ERR_CORRUPT);
    scribble(wallet)->held = 0;
    scribble(wallet)->min_balance = 1001; /* below its floor */
    assert_int_equal(ledger_verify(l), ERR_CORRUPT);
    scribble(wallet)->min_balance = 0;
    scribble(wallet)->posted_in++; /* nobody paid it */
    assert_int_equal(ledger_verify(l), ERR_CORRUPT);
    scribble(wallet)->posted_in--;
    assert_int_equal(ledger_verify(l), 0);
}

int money_legs_tests(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_hold_has_a_leg_of_each), T(test_hold_legs_are_bounded), T(test_capture_only_takes),
        T(test_counter_is_full),        T(test_too_many_legs),         T(test_verify_finds_each),
    };
    return cmocka_run_group_tests_name("ledger: legs and ends", tests, NULL, NULL);
}
