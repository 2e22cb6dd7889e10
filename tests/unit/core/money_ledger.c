// SPDX-License-Identifier: Apache-2.0
/* The ledger: each rule by name, each known defect of other ledgers as a named case, and random
 * histories against an auditor that keeps its books in plain arrays and predicts every answer. */
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "core/ledger.h"
#include "core/rows.h"
#include "unit/core/money.h"

#define TENANT 7

struct books {
    struct arena arena;
    struct ledger *l;
    struct buf rows;
    int64_t next_id, now_ms;
};

static struct ledger_ctx ctx(struct books *b)
{
    return (struct ledger_ctx){.now_ms = b->now_ms,
                               .id = ++b->next_id,
                               .cause = 5,
                               .actor_kind = ACTOR_SYSTEM,
                               .rows = &b->rows};
}

static void books_open(struct books *b)
{
    *b = (struct books){.next_id = 1000, .now_ms = 1000000};
    arena_init(&b->arena, 1 << 20);
    buf_init(&b->rows, 1 << 26);
    struct ledger_limits limits = {.accounts = 4000, .holds = 4000, .seed = 3};
    assert_int_equal(ledger_new(&b->arena, &limits, &b->l), 0);
}

static void books_close(struct books *b)
{
    ledger_free(b->l);
    buf_free(&b->rows);
    arena_free(&b->arena);
}

static int setup(void **state)
{
    static struct books b;
    books_open(&b);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    books_close(*state);
    return 0;
}

static int64_t account(struct books *b, int32_t kind, int64_t owner)
{
    struct ledger_account key = {.tenant = TENANT, .kind = kind, .owner = owner, .currency = "CNY"};
    struct ledger_ctx c = ctx(b);
    int64_t id;
    assert_int_equal(ledger_account_open(b->l, &c, &key, &id, NULL), 0);
    return id;
}

static struct ledger_request request(int32_t code)
{
    return (struct ledger_request){.tenant = TENANT, .code = code, .currency = "CNY"};
}

static void leg(struct ledger_request *r, int64_t account_id, int64_t amount)
{
    r->leg[r->n++] = (struct ledger_leg){.account = account_id, .amount = MONEY(amount)};
}

static int move(struct books *b, int64_t from, int64_t to, int64_t amount)
{
    struct ledger_request r = request(TRANSFER_TOPUP);
    struct ledger_ctx c = ctx(b);
    leg(&r, from, -amount);
    leg(&r, to, amount);
    return ledger_post(b->l, &c, &r);
}

static int hold_open(struct books *b, int64_t account_id, int64_t amount, int64_t *id)
{
    struct ledger_ctx c = ctx(b);
    *id = c.id;
    return ledger_hold_open(b->l, &c, account_id, MONEY(amount), 1, 0);
}

static int64_t balance(struct books *b, int64_t id)
{
    return ledger_balance(ledger_account(b->l, id)).v;
}

static int64_t available(struct books *b, int64_t id)
{
    return ledger_available(ledger_account(b->l, id)).v;
}

static void test_account_open_once(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1);
    assert_int_equal(account(b, ACCOUNT_WALLET, 1), wallet);
    assert_int_not_equal(account(b, ACCOUNT_WALLET, 2), wallet);
    assert_int_not_equal(account(b, ACCOUNT_DEBT, 1), wallet);
    assert_int_equal(ledger_accounts(b->l), 3);
    struct ledger_account key = {.tenant = TENANT, .kind = ACCOUNT_WALLET, .currency = "cny"};
    struct ledger_ctx c = ctx(b);
    int64_t id;
    assert_int_equal(ledger_account_open(b->l, &c, &key, &id, NULL), ERR_CURRENCY);
    key = (struct ledger_account){.tenant = TENANT, .kind = 99, .currency = "CNY"};
    assert_int_equal(ledger_account_open(b->l, &c, &key, &id, NULL), ERR_RANGE);
}

static void test_wallet_never_negative(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1);
    assert_int_equal(move(b, cash, wallet, 40000), 0);
    assert_int_equal(balance(b, cash), -40000);
    assert_int_equal(move(b, wallet, cash, 40001), ERR_NO_FUNDS);
    assert_int_equal(balance(b, wallet), 40000);
    assert_int_equal(move(b, wallet, cash, 40000), 0);
    assert_int_equal(ledger_verify(b->l), 0);
}

static void test_post_refuses(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1);
    struct ledger_ctx c = ctx(b);
    struct ledger_request r = request(TRANSFER_TOPUP);
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_RANGE); /* no legs */
    leg(&r, cash, -100);
    leg(&r, wallet, 99);
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_RANGE); /* sum */
    r.leg[1].amount = MONEY(100);
    r.tenant = 8;
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_CONFLICT);
    r.tenant = TENANT;
    memcpy(r.currency, "EUR", 4);
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_CURRENCY);
    memcpy(r.currency, "CNY", 4);
    r.leg[1].account = 424242;
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_NOT_FOUND);
    r.leg[1].account = wallet;
    r.leg[0].amount = MONEY(INT64_MIN);
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_RANGE);
    r.n = LEDGER_LEGS_MAX + 1;
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_RANGE);
    assert_int_equal(b->rows.n, 0);
    assert_int_equal(balance(b, wallet), 0);
}

static void test_legs_are_merged(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1);
    int64_t share = account(b, ACCOUNT_PENDING, 9);
    struct ledger_request r = request(TRANSFER_CAPTURE);
    struct ledger_ctx c = ctx(b);
    leg(&r, cash, -70);
    leg(&r, wallet, 30);
    leg(&r, share, 5);
    leg(&r, cash, -10);
    leg(&r, wallet, 50);
    leg(&r, share, -5);
    assert_int_equal(ledger_post(b->l, &c, &r), 0);
    struct cursor cur = {(const uint8_t *)b->rows.p, (const uint8_t *)b->rows.p + b->rows.n};
    enum row_table t;
    enum row_op op;
    void *row;
    assert_int_equal(row_unpack(&cur, &b->arena, &t, &op, &row), 0);
    assert_int_equal(t, ROW_TRANSFER);
    assert_int_equal(op, ROW_INSERT);
    const struct row_transfer *tr = row;
    assert_int_equal(tr->amount, 80);
    struct cursor legs = {(const uint8_t *)tr->legs.p, (const uint8_t *)tr->legs.p + tr->legs.n};
    struct ledger_leg_row out;
    assert_int_equal(ledger_leg_next(&legs, &out), 0);
    assert_int_equal(out.account, cash);
    assert_int_equal(out.amount, -80);
    assert_int_equal(out.balance, -80);
    assert_int_equal(ledger_leg_next(&legs, &out), 0);
    assert_int_equal(out.account, wallet);
    assert_int_equal(ledger_leg_next(&legs, &out), ERR_NOT_FOUND); /* the zero leg is gone */
}

/* blnk 73/72: 2.50 split 50/45/rest must sum, and what does not sum is refused. */
static void test_defect_parts_that_do_not_sum(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), one = account(b, ACCOUNT_PENDING, 1);
    int64_t two = account(b, ACCOUNT_PENDING, 2), three = account(b, ACCOUNT_PENDING, 3);
    struct ledger_request r = request(TRANSFER_CAPTURE);
    struct ledger_ctx c = ctx(b);
    leg(&r, cash, -25000);
    leg(&r, one, 12500);
    leg(&r, two, 11200);
    leg(&r, three, 1250);
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_RANGE);
    r.leg[2].amount = MONEY(11250);
    assert_int_equal(ledger_post(b->l, &c, &r), 0);
}

/* blnk 181: six holds of 1000 were accepted on 5000. */
static void test_defect_six_holds_on_5000(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1), id;
    assert_int_equal(move(b, account(b, ACCOUNT_CASH, 0), wallet, 5000), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(hold_open(b, wallet, 1000, &id), 0);
    assert_int_equal(hold_open(b, wallet, 1000, &id), ERR_NO_FUNDS);
    assert_int_equal(available(b, wallet), 0);
    assert_int_equal(move(b, wallet, account(b, ACCOUNT_CASH, 0), 1), ERR_NO_FUNDS);
}

/* blnk 41: a hold could be voided twice. blnk 182: a resolved hold could still be committed. */
static void test_defect_hold_resolved_twice(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1), income = account(b, ACCOUNT_INCOME, 0), id;
    assert_int_equal(move(b, account(b, ACCOUNT_CASH, 0), wallet, 5000), 0);
    assert_int_equal(hold_open(b, wallet, 1000, &id), 0);
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_release(b->l, &c, id), 0);
    assert_int_equal(ledger_hold_release(b->l, &c, id), ERR_CONFLICT);
    struct ledger_request r = request(TRANSFER_CAPTURE);
    leg(&r, wallet, -10);
    leg(&r, income, 10);
    assert_int_equal(ledger_hold_capture(b->l, &c, id, &r), ERR_CONFLICT);
    assert_int_equal(available(b, wallet), 5000);
    assert_int_equal(ledger_hold(b->l, id)->released.v, 1000);
    ledger_flush(b->l, &b->rows);
    assert_int_equal(ledger_hold_release(b->l, &c, id), ERR_NOT_FOUND);
    assert_int_equal(ledger_hold_increase(b->l, &c, id, MONEY(1)), ERR_NOT_FOUND);
}

/* blnk 62: capture above the hold is refused; the hold is increased first. */
static void test_defect_capture_above_hold(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1), income = account(b, ACCOUNT_INCOME, 0), id;
    assert_int_equal(move(b, account(b, ACCOUNT_CASH, 0), wallet, 5000), 0);
    assert_int_equal(hold_open(b, wallet, 1000, &id), 0);
    struct ledger_request r = request(TRANSFER_CAPTURE);
    leg(&r, wallet, -1500);
    leg(&r, income, 1500);
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_capture(b->l, &c, id, &r), ERR_RANGE);
    assert_int_equal(ledger_hold_increase(b->l, &c, id, MONEY(4001)), ERR_NO_FUNDS);
    assert_int_equal(ledger_hold_increase(b->l, &c, id, MONEY(600)), 0);
    assert_int_equal(ledger_hold_capture(b->l, &c, id, &r), 0);
    assert_int_equal(ledger_hold(b->l, id)->captured.v, 1500);
    assert_int_equal(ledger_hold(b->l, id)->released.v, 100);
    assert_int_equal(balance(b, wallet), 3500);
    assert_int_equal(available(b, wallet), 3500);
}

/* blnk 379: an operation was refused and moved money all the same. */
static void test_defect_refused_but_moved(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1), other = account(b, ACCOUNT_WALLET, 2), id;
    int64_t income = account(b, ACCOUNT_INCOME, 0);
    assert_int_equal(move(b, account(b, ACCOUNT_CASH, 0), wallet, 5000), 0);
    assert_int_equal(hold_open(b, wallet, 1000, &id), 0);
    size_t rows = b->rows.n;
    struct ledger_request r = request(TRANSFER_CAPTURE);
    leg(&r, wallet, -900);
    leg(&r, other, -100); /* has nothing */
    leg(&r, income, 1000);
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_capture(b->l, &c, id, &r), ERR_NO_FUNDS);
    assert_int_equal(ledger_hold(b->l, id)->state, HOLD_OPEN);
    assert_int_equal(available(b, wallet), 4000);
    assert_int_equal(balance(b, income), 0);
    assert_int_equal(b->rows.n, rows);
}

/* tigerbeetle 2955, 2963: a credit limit has to count what is held, and may be another one for each
 * account. */
static void test_defect_limit_counts_holds(void **state)
{
    struct books *b = *state;
    struct row_account row = {.id = 500,
                              .tenant = TENANT,
                              .kind = ACCOUNT_CHANNEL,
                              .owner = 9,
                              .currency = "CNY",
                              .min_balance = -1000};
    int64_t other = account(b, ACCOUNT_WALLET, 1), id;
    assert_int_equal(ledger_load_account(b->l, &row), 0);
    assert_int_equal(move(b, 500, other, 300), 0);
    assert_int_equal(hold_open(b, 500, 701, &id), ERR_NO_FUNDS);
    assert_int_equal(hold_open(b, 500, 700, &id), 0);
    assert_int_equal(move(b, 500, other, 1), ERR_NO_FUNDS);
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_increase(b->l, &c, id, MONEY(1)), ERR_NO_FUNDS);
    assert_int_equal(ledger_hold_release(b->l, &c, id), 0);
    assert_int_equal(move(b, 500, other, 700), 0);
    assert_int_equal(move(b, 500, other, 1), ERR_NO_FUNDS);
}

/* cala 744: a reversal says when it was posted and for when it counts, and names what it reverses. */
static void test_defect_reversal_has_two_dates(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1);
    assert_int_equal(move(b, cash, wallet, 5000), 0);
    struct ledger_request r = request(TRANSFER_REVERSAL);
    struct ledger_ctx c = ctx(b);
    r.reverses = c.id - 1;
    r.effective_ms = 77;
    c.now_ms = b->now_ms += 5000;
    leg(&r, wallet, -5000);
    leg(&r, cash, 5000);
    buf_reset(&b->rows);
    assert_int_equal(ledger_post(b->l, &c, &r), 0);
    struct cursor rows = {(const uint8_t *)b->rows.p, (const uint8_t *)b->rows.p + b->rows.n};
    enum row_table t;
    enum row_op op;
    void *row;
    assert_int_equal(row_unpack(&rows, &b->arena, &t, &op, &row), 0);
    const struct row_transfer *posted = row;
    assert_int_equal(t, ROW_TRANSFER);
    assert_int_equal(op, ROW_INSERT);
    assert_int_equal(posted->posted_ms, b->now_ms);
    assert_int_equal(posted->effective_ms, 77);
    assert_int_equal(posted->reverses, r.reverses);
}

/* A wallet with all its money held can be captured from the hold, and only from it. */
static void test_capture_takes_held_money(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1), loss = account(b, ACCOUNT_OVERRUN, 0), id;
    int64_t share = account(b, ACCOUNT_PENDING, 3);
    assert_int_equal(move(b, account(b, ACCOUNT_CASH, 0), wallet, 40000), 0);
    assert_int_equal(hold_open(b, wallet, 40000, &id), 0);
    assert_int_equal(move(b, wallet, share, 1), ERR_NO_FUNDS);
    struct ledger_request r = request(TRANSFER_CAPTURE);
    leg(&r, wallet, -40000);
    leg(&r, loss, -600); /* overrun of 0.06 borne by the operator */
    leg(&r, share, 40600);
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_capture(b->l, &c, id, &r), 0);
    assert_int_equal(balance(b, wallet), 0);
    assert_int_equal(balance(b, loss), -600);
    assert_int_equal(ledger_account(b->l, wallet)->held, 0);
    assert_int_equal(ledger_verify(b->l), 0);
}

static void test_capture_of_nothing_releases(void **state)
{
    struct books *b = *state;
    int64_t wallet = account(b, ACCOUNT_WALLET, 1), id;
    assert_int_equal(move(b, account(b, ACCOUNT_CASH, 0), wallet, 100), 0);
    assert_int_equal(hold_open(b, wallet, 100, &id), 0);
    size_t rows = b->rows.n;
    struct ledger_request r = request(TRANSFER_CAPTURE);
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_capture(b->l, &c, id, &r), 0);
    assert_int_equal(available(b, wallet), 100);
    assert_int_equal(b->rows.n, rows);
}

static void test_time_is_monotone(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1), last = 0;
    const int64_t times[] = {5000, 4000, 9000, 100};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        b->now_ms = times[i];
        assert_int_equal(move(b, cash, wallet, 1), 0);
    }
    struct cursor cur = {(const uint8_t *)b->rows.p, (const uint8_t *)b->rows.p + b->rows.n};
    enum row_table t;
    enum row_op op;
    void *row;
    while (row_unpack(&cur, &b->arena, &t, &op, &row) == 0) {
        assert_true(((struct row_transfer *)row)->posted_ms >= last);
        last = ((struct row_transfer *)row)->posted_ms;
    }
    assert_int_equal(last, 9000);
}

static void test_limits(void **state)
{
    (void)state;
    struct books b;
    books_open(&b);
    ledger_free(b.l);
    struct ledger_limits limits = {.accounts = 2, .holds = 1, .seed = 3};
    assert_int_equal(ledger_new(&b.arena, &limits, &b.l), 0);
    int64_t cash = account(&b, ACCOUNT_CASH, 0), wallet = account(&b, ACCOUNT_WALLET, 1), id;
    struct ledger_account key = {
        .tenant = TENANT, .kind = ACCOUNT_WALLET, .owner = 2, .currency = "CNY"};
    struct ledger_ctx c = ctx(&b);
    assert_int_equal(ledger_account_open(b.l, &c, &key, &id, NULL), ERR_FULL);
    assert_int_equal(move(&b, cash, wallet, 100), 0);
    assert_int_equal(hold_open(&b, wallet, 10, &id), 0);
    int64_t second;
    assert_int_equal(hold_open(&b, wallet, 10, &second), ERR_FULL);
    assert_int_equal(available(&b, wallet), 90);
    c = ctx(&b);
    assert_int_equal(ledger_hold_release(b.l, &c, id), 0);
    ledger_flush(b.l, &b.rows);
    assert_int_equal(hold_open(&b, wallet, 10, &second), 0); /* the place is free again */
    books_close(&b);
}

/* At most 100 billion yuan in one leg, either way. */
static void test_leg_bound(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), bank = account(b, ACCOUNT_BANK, 0);
    for (int64_t n = -500000000000001; n <= 500000000000001; n += 1000000000000002) {
        struct ledger_request r = request(TRANSFER_CHANNEL);
        struct ledger_ctx c = ctx(b);
        leg(&r, cash, 2 * n);
        leg(&r, bank, -n);
        leg(&r, account(b, ACCOUNT_CHANNEL, 7 + (n > 0)), -n);
        assert_int_equal(ledger_post(b->l, &c, &r), ERR_RANGE);
    }
}

static void test_full_row_buffer_changes_nothing(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1);
    struct buf small;
    buf_init(&small, 8);
    struct ledger_request r = request(TRANSFER_TOPUP);
    leg(&r, cash, -5);
    leg(&r, wallet, 5);
    struct ledger_ctx c = ctx(b);
    c.rows = &small;
    assert_int_equal(ledger_post(b->l, &c, &r), ERR_TOO_LARGE);
    assert_int_equal(balance(b, wallet), 0);
    buf_free(&small);
}

/* ---- random histories ---- */

enum { WALLETS = 6, PARTIES = 4, NAMES = 2 + WALLETS + PARTIES, HOLDS = 4000 };

/** The auditor's books: arrays by name, no pointers into the ledger. */
struct auditor {
    int64_t id[NAMES], balance[NAMES], held[NAMES], last[NAMES];
    bool negative[NAMES];
    struct {
        int64_t id, amount;
        int name;
        bool open;
    } hold[HOLDS];
    int holds;
};

static bool affordable(const struct auditor *a, const int64_t delta[NAMES], int freed_name,
                       int64_t freed)
{
    for (int i = 0; i < NAMES; i++) {
        int64_t held = a->held[i] - (i == freed_name ? freed : 0);
        if (delta[i] < 0 && !a->negative[i] && a->balance[i] + delta[i] < held)
            return false;
    }
    return true;
}

static void auditor_open(struct auditor *a, struct books *b)
{
    memset(a, 0, sizeof *a);
    for (int i = 0; i < NAMES; i++) {
        int32_t kind = i == 0 ? ACCOUNT_CASH : i == 1 ? ACCOUNT_OVERRUN : ACCOUNT_WALLET;
        if (i >= 2 + WALLETS)
            kind = ACCOUNT_PENDING;
        a->id[i] = account(b, kind, i);
        a->negative[i] = i < 2;
    }
}

/** Random legs that sum to zero (or, one time in ten, do not). */
static bool random_legs(struct rng *rng, struct auditor *a, struct ledger_request *r,
                        int64_t delta[NAMES])
{
    int64_t sum = 0;
    int n = (int)rng_range(rng, 2, 12);
    memset(delta, 0, NAMES * sizeof delta[0]);
    for (int i = 0; i < n; i++) {
        int name = (int)rng_below(rng, NAMES);
        int64_t amount = i == n - 1 ? -sum : rng_range(rng, -3000, 5000);
        if (i == n - 1 && rng_below(rng, 10) == 0)
            amount++;
        leg(r, a->id[name], amount);
        delta[name] += amount;
        sum += amount;
    }
    return sum == 0;
}

static void audit_apply(struct auditor *a, const int64_t delta[NAMES], int64_t transfer)
{
    for (int i = 0; i < NAMES; i++) {
        a->balance[i] += delta[i];
        if (delta[i])
            a->last[i] = transfer;
    }
}

static bool moves_nothing(const int64_t delta[NAMES])
{
    for (int i = 0; i < NAMES; i++)
        if (delta[i])
            return false;
    return true;
}

static void play_post(struct rng *rng, struct auditor *a, struct books *b)
{
    int64_t delta[NAMES];
    struct ledger_request r = request(TRANSFER_CORRECTION);
    bool even = random_legs(rng, a, &r, delta);
    struct ledger_ctx c = ctx(b);
    int rc = ledger_post(b->l, &c, &r);
    if (!even || moves_nothing(delta)) {
        assert_int_equal(rc, ERR_RANGE);
    } else if (!affordable(a, delta, -1, 0)) {
        assert_int_equal(rc, ERR_NO_FUNDS);
    } else {
        assert_int_equal(rc, 0);
        audit_apply(a, delta, c.id);
    }
}

static void play_hold_open(struct rng *rng, struct auditor *a, struct books *b)
{
    int name = (int)rng_range(rng, 2, 1 + WALLETS), n = a->holds;
    int64_t amount = rng_range(rng, -10, 3000), id;
    bool ok = amount > 0 && a->balance[name] - a->held[name] >= amount && n < HOLDS;
    int rc = hold_open(b, a->id[name], amount, &id);
    assert_int_equal(rc == 0, ok);
    if (rc)
        return;
    a->hold[n].id = id;
    a->hold[n].amount = amount;
    a->hold[n].name = name;
    a->hold[n].open = true;
    a->held[name] += amount;
    a->holds++;
}

static void play_hold_end(struct rng *rng, struct auditor *a, struct books *b)
{
    if (!a->holds)
        return;
    int n = (int)rng_below(rng, (uint64_t)a->holds), name = a->hold[n].name;
    int64_t delta[NAMES] = {0}, amount = a->hold[n].amount;
    struct ledger_ctx c = ctx(b);
    int rc;
    bool ok = a->hold[n].open;
    if (rng_below(rng, 2)) {
        rc = ledger_hold_release(b->l, &c, a->hold[n].id);
    } else {
        int64_t take = rng_range(rng, 0, amount + amount / 10);
        struct ledger_request r = request(TRANSFER_CAPTURE);
        leg(&r, a->id[name], -take);
        leg(&r, a->id[2 + WALLETS], take);
        delta[name] = -take;
        delta[2 + WALLETS] = take;
        rc = ledger_hold_capture(b->l, &c, a->hold[n].id, &r);
        ok = ok && take <= amount;
    }
    assert_int_equal(rc == 0, ok);
    if (rc)
        return;
    a->hold[n].open = false;
    a->held[name] -= amount;
    audit_apply(a, delta, c.id);
}

static void play_hold_increase(struct rng *rng, struct auditor *a, struct books *b)
{
    if (!a->holds)
        return;
    int n = (int)rng_below(rng, (uint64_t)a->holds), name = a->hold[n].name;
    int64_t more = rng_range(rng, 0, 500);
    bool ok = a->hold[n].open && more > 0 && a->balance[name] - a->held[name] >= more;
    struct ledger_ctx c = ctx(b);
    assert_int_equal(ledger_hold_increase(b->l, &c, a->hold[n].id, MONEY(more)) == 0, ok);
    if (!ok)
        return;
    a->hold[n].amount += more;
    a->held[name] += more;
}

static void audit_compare(const struct auditor *a, const struct books *b)
{
    for (int i = 0; i < NAMES; i++) {
        const struct ledger_account *x = ledger_account(b->l, a->id[i]);
        assert_int_equal(ledger_balance(x).v, a->balance[i]);
        assert_int_equal(x->held, a->held[i]);
        assert_int_equal(x->last_transfer, a->last[i]);
    }
    assert_int_equal(ledger_verify(b->l), 0);
}

/** Replays the packed rows: chains, running balances, and a second ledger from the flushed state.
 */
static void audit_rows(const struct auditor *a, struct books *b)
{
    struct books again;
    int64_t running[NAMES] = {0}, last[NAMES] = {0};
    struct cursor cur = {(const uint8_t *)b->rows.p, (const uint8_t *)b->rows.p + b->rows.n};
    struct arena scratch;
    enum row_table t;
    enum row_op op;
    void *row;
    static struct row_account newest[NAMES];
    arena_init(&scratch, 1 << 26);
    while (cur.p < cur.end) {
        assert_int_equal(row_unpack(&cur, &scratch, &t, &op, &row), 0);
        for (int i = 0; i < NAMES && t == ROW_ACCOUNT; i++)
            if (((struct row_account *)row)->id == a->id[i])
                newest[i] = *(struct row_account *)row;
        if (t != ROW_TRANSFER)
            continue;
        const struct row_transfer *tr = row;
        struct cursor legs = {(const uint8_t *)tr->legs.p,
                              (const uint8_t *)tr->legs.p + tr->legs.n};
        struct ledger_leg_row x;
        int64_t sum = 0;
        while (ledger_leg_next(&legs, &x) == 0)
            for (int i = 0; i < NAMES; i++)
                if (a->id[i] == x.account) {
                    sum += x.amount;
                    running[i] += x.amount;
                    assert_int_equal(x.balance, running[i]);
                    assert_int_equal(x.prev, last[i]);
                    last[i] = tr->id;
                }
        assert_int_equal(sum, 0);
    }
    books_open(&again);
    for (int i = 0; i < NAMES; i++) {
        assert_int_equal(running[i], a->balance[i]);
        assert_int_equal(ledger_load_account(again.l, &newest[i]), 0);
        assert_int_equal(ledger_balance(ledger_account(again.l, a->id[i])).v, a->balance[i]);
        assert_int_equal(ledger_load_account(again.l, &newest[i]), ERR_CORRUPT);
    }
    for (int i = 0; i < a->holds; i++) {
        struct row_hold h = {.id = a->hold[i].id,
                             .tenant = TENANT,
                             .account = a->id[a->hold[i].name],
                             .amount = a->hold[i].amount,
                             .state = a->hold[i].open ? HOLD_OPEN : HOLD_RESOLVED};
        assert_int_equal(ledger_load_hold(again.l, &h), 0);
    }
    assert_int_equal(ledger_verify(again.l), 0);
    books_close(&again);
    arena_free(&scratch);
}

static void test_random_histories(void **state)
{
    (void)state;
    static struct auditor a;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng = {seed};
        struct books b;
        books_open(&b);
        auditor_open(&a, &b);
        for (int i = 0; i < 400; i++) {
            b.now_ms += rng_range(&rng, -50, 200);
            switch (rng_below(&rng, 6)) {
            case 0:
            case 1:
                play_post(&rng, &a, &b);
                break;
            case 2:
                play_hold_open(&rng, &a, &b);
                break;
            case 3:
                play_hold_end(&rng, &a, &b);
                break;
            case 4:
                play_hold_increase(&rng, &a, &b);
                break;
            default:
                if (rng_below(&rng, 10) == 0)
                    ledger_flush(b.l, &b.rows);
            }
        }
        audit_compare(&a, &b);
        ledger_flush(b.l, &b.rows);
        assert_false(ledger_dirty(b.l));
        audit_rows(&a, &b);
        books_close(&b);
    }
}

/* cala 746, cockroachdb 101: postings to one account waited for its lock in line. Here: so many in a batch
 * are one row of each account. */
static void test_defect_hot_account(void **state)
{
    struct books *b = *state;
    int64_t cash = account(b, ACCOUNT_CASH, 0), wallet = account(b, ACCOUNT_WALLET, 1);
    for (int i = 0; i < 50; i++)
        assert_int_equal(move(b, cash, wallet, 10), 0);
    buf_reset(&b->rows);
    ledger_flush(b->l, &b->rows);
    struct cursor cur = {(const uint8_t *)b->rows.p, (const uint8_t *)b->rows.p + b->rows.n};
    enum row_table t;
    enum row_op op;
    void *row;
    int n = 0;
    while (row_unpack(&cur, &b->arena, &t, &op, &row) == 0) {
        assert_int_equal(t, ROW_ACCOUNT);
        assert_int_equal(op, ROW_UPSERT);
        n++;
    }
    assert_int_equal(n, 2);
    buf_reset(&b->rows);
    ledger_flush(b->l, &b->rows);
    assert_int_equal(b->rows.n, 0);
}

static void test_load_refuses_damage(void **state)
{
    struct books *b = *state;
    struct row_account row = {.id = 5, .tenant = TENANT, .kind = ACCOUNT_WALLET, .currency = "CNY"};
    row.posted_out = 1; /* a negative wallet */
    assert_int_equal(ledger_load_account(b->l, &row), ERR_CORRUPT);
    row.posted_out = 0;
    row.currency = "CNYX";
    assert_int_equal(ledger_load_account(b->l, &row), ERR_CORRUPT);
    row.currency = "CNY";
    row.posted_in = 100;
    row.held = 60;
    assert_int_equal(ledger_load_account(b->l, &row), 0);
    assert_int_equal(ledger_verify(b->l),
                     ERR_CORRUPT); /* no hold explains the 60, nobody paid the 100 */
    struct row_hold h = {.id = 6, .tenant = TENANT, .account = 5, .amount = 61, .state = HOLD_OPEN};
    assert_int_equal(ledger_load_hold(b->l, &h), ERR_CORRUPT);
    h.amount = 60;
    assert_int_equal(ledger_load_hold(b->l, &h), 0);
    struct row_account cash = {.id = 7,
                               .tenant = TENANT,
                               .kind = ACCOUNT_CASH,
                               .currency = "CNY",
                               .posted_out = 100,
                               .min_balance = -1000};
    assert_int_equal(ledger_load_account(b->l, &cash), 0);
    assert_int_equal(ledger_verify(b->l), 0);
}

/* Each way in which a row of an account can be damaged, alone. */
static void test_load_account_refuses_each(void **state)
{
    struct books *b = *state;
    const int64_t most = INT64_C(4500000000000000000); /* above what a counter may reach */
    const struct row_account good = {.id = 5,
                                     .tenant = TENANT,
                                     .kind = ACCOUNT_WALLET,
                                     .owner = 1,
                                     .currency = "CNY",
                                     .posted_in = 100,
                                     .posted_out = 40,
                                     .held = 60};
    struct row_account bad[12];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        bad[i] = good;
    bad[0].id = 0;
    bad[1].id = -5;
    bad[2].currency = "CN";
    bad[3].currency = "cny";
    bad[4].posted_in = -1, bad[4].held = 0, bad[4].min_balance = -1000;
    bad[5].posted_out = -1;
    bad[6].held = -1;
    bad[7].posted_in = most;
    bad[8].posted_out = most, bad[8].min_balance = -2 * most;
    bad[9].held = most, bad[9].min_balance = -2 * most;
    bad[10].held = 61;
    bad[11].currency = "CNYCNY";
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ledger_load_account(b->l, &bad[i]), ERR_CORRUPT);
    assert_int_equal(ledger_load_account(b->l, &good), 0);
    assert_int_equal(ledger_load_account(b->l, &good), ERR_CORRUPT); /* twice */
    struct row_account twin = good;
    twin.id = 6; /* another account for the same money */
    assert_int_equal(ledger_load_account(b->l, &twin), ERR_CORRUPT);
    twin.owner = 2;
    twin.id = 5; /* another's id */
    assert_int_equal(ledger_load_account(b->l, &twin), ERR_CORRUPT);
}

static void test_load_hold_refuses_each(void **state)
{
    struct books *b = *state;
    const struct row_account account = {.id = 5,
                                        .tenant = TENANT,
                                        .kind = ACCOUNT_WALLET,
                                        .currency = "CNY",
                                        .posted_in = 100,
                                        .held = 60};
    const struct row_hold good = {
        .id = 6, .tenant = TENANT, .account = 5, .amount = 30, .state = HOLD_OPEN};
    struct row_hold bad[10];
    assert_int_equal(ledger_load_account(b->l, &account), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        bad[i] = good;
    bad[0].state = 0;
    bad[1].id = 0;
    bad[2].account = 7;
    bad[3].tenant = TENANT + 1;
    bad[4].amount = 0;
    bad[5].amount = 61;
    bad[6].captured = 1;
    bad[7].released = 1;
    bad[8].amount = -1;
    bad[9].leg_of = 5; /* its first is not there */
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ledger_load_hold(b->l, &bad[i]), ERR_CORRUPT);
    assert_int_equal(ledger_load_hold(b->l, &good), 0);
    assert_int_equal(ledger_load_hold(b->l, &good), ERR_CORRUPT);
    struct row_hold over = good;
    over.id = 8;
    over.state = HOLD_RESOLVED;
    assert_int_equal(ledger_load_hold(b->l, &over), 0); /* not kept */
    assert_null(ledger_hold(b->l, 8));
}

/* tigerbeetle 2955, 2963: a limit of each account, and one for a time, with holds open. Here: a floor below
 * zero is credit; it cannot be set above what the account has. */
static void test_defect_limit_of_an_account(void **state)
{
    struct books *b = *state;
    struct ledger_ctx c = ctx(b);
    struct ledger_account key = {
        .tenant = TENANT, .kind = ACCOUNT_COMPANY, .owner = 77, .currency = "CNY"};
    int64_t id;
    assert_int_equal(ledger_account_open(b->l, &c, &key, &id, NULL), 0);
    c = ctx(b);
    assert_int_equal(ledger_hold_open(b->l, &c, id, MONEY(100), 1, 0), ERR_NO_FUNDS);
    assert_int_equal(ledger_floor_set(b->l, id, MONEY(1)), ERR_RANGE);
    assert_int_equal(ledger_floor_set(b->l, id + 1000, MONEY(-100)), ERR_NOT_FOUND);
    assert_int_equal(ledger_floor_set(b->l, id, MONEY(-100)), 0);
    assert_int_equal(ledger_hold_open(b->l, &c, id, MONEY(101), 1, 0), ERR_NO_FUNDS);
    assert_int_equal(ledger_hold_open(b->l, &c, id, MONEY(100), 1, 0), 0);
    assert_int_equal(ledger_floor_set(b->l, id, MONEY(-99)), ERR_CONFLICT);
    assert_int_equal(ledger_floor_set(b->l, id, MONEY(-200)), 0);
    assert_int_equal(ledger_account(b->l, id)->min_balance, -200);
    assert_int_equal(ledger_hold_release(b->l, &c, c.id), 0);
    assert_int_equal(ledger_floor_set(b->l, id, MONEY_ZERO), 0);
    assert_int_equal(ledger_verify(b->l), 0);
}

static void test_kinds_and_currencies(void **state)
{
    struct books *b = *state;
    const int32_t kinds[] = {ACCOUNT_CASH - 1, ACCOUNT_GRID + 1};
    const char *const currencies[] = {"", "CN", "cNY", "CN1", "CNy"};
    int64_t id;
    struct ledger_ctx c = ctx(b);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct ledger_account key = {.tenant = TENANT, .kind = kinds[i], .currency = "CNY"};
        assert_int_equal(ledger_account_open(b->l, &c, &key, &id, NULL), ERR_RANGE);
    }
    for (size_t i = 0; i < ARRAY_LEN(currencies); i++) {
        struct ledger_account key = {.tenant = TENANT, .kind = ACCOUNT_CASH};
        (void)str_copy(key.currency, sizeof key.currency, str_from_c(currencies[i]));
        assert_int_equal(ledger_account_open(b->l, &c, &key, &id, NULL), ERR_CURRENCY);
        struct ledger_request r = request(TRANSFER_TOPUP);
        memcpy(r.currency, key.currency, sizeof r.currency);
        assert_int_equal(ledger_post(b->l, &c, &r), ERR_CURRENCY);
    }
    assert_int_equal(ledger_accounts(b->l), 0);
}

/* Counters and amounts have a greatest value, on both sides. */
static void test_counters_end(void **state)
{
    struct books *b = *state;
    const int64_t step = INT64_C(1000000000000000); /* the most that a leg may move */
    int64_t cash = account(b, ACCOUNT_CASH, 0), bank = account(b, ACCOUNT_BANK, 0), id;
    assert_int_equal(move(b, cash, bank, step + 1), ERR_RANGE);
    assert_int_equal(move(b, bank, cash, step + 1), ERR_RANGE);
    assert_int_equal(hold_open(b, bank, step + 1, &id), ERR_RANGE);
    assert_int_equal(hold_open(b, bank, 0, &id), ERR_RANGE);
    assert_int_equal(hold_open(b, bank, -1, &id), ERR_RANGE);
    assert_int_equal(hold_open(b, 424242, 1, &id), ERR_NOT_FOUND);
    int rc = 0, turns = 0; /* there and back, until a counter is full */
    while (rc == 0 && turns++ < 20000) {
        rc = move(b, cash, bank, step);
        if (rc == 0)
            rc = move(b, bank, cash, step);
        buf_reset(&b->rows);
    }
    assert_int_equal(rc, ERR_RANGE);
    assert_true(turns > 1);
    assert_int_equal(ledger_verify(b->l), 0);
}

static void test_bytes_of_legs(void **state)
{
    static const uint8_t whole[] = {5, 2, 4, 6, 7};
    struct ledger_leg_row leg_row;
    (void)state;
    for (size_t n = 0; n <= sizeof whole; n++) {
        struct cursor c = {whole, whole + n};
        assert_int_equal(ledger_leg_next(&c, &leg_row), n == 0             ? ERR_NOT_FOUND
                                                        : n < sizeof whole ? ERR_SYNTAX
                                                                           : 0);
    }
    assert_int_equal(leg_row.account, 5);
    assert_int_equal(leg_row.amount, 1);
    assert_int_equal(leg_row.balance, 2);
    assert_int_equal(leg_row.prev, 6);
    assert_int_equal(leg_row.party, 7);
}

static void test_no_memory(void **state)
{
    const struct ledger_limits limits = {.accounts = 1, .holds = 1};
    struct arena small;
    struct ledger *l;
    (void)state;
    arena_init(&small, 8);
    assert_int_equal(ledger_new(&small, &limits, &l), ERR_NOMEM);
    arena_free(&small);
}

static void test_load_is_bounded(void **state)
{
    struct books b;
    struct ledger_limits limits = {.accounts = 1, .holds = 1, .seed = 3};
    struct row_account a = {.id = 5,
                            .tenant = TENANT,
                            .kind = ACCOUNT_WALLET,
                            .currency = "CNY",
                            .posted_in = 100,
                            .held = 60};
    struct row_hold h = {.id = 6, .tenant = TENANT, .account = 5, .amount = 30, .state = HOLD_OPEN};
    (void)state;
    books_open(&b);
    ledger_free(b.l);
    assert_int_equal(ledger_new(&b.arena, &limits, &b.l), 0);
    assert_int_equal(ledger_load_account(b.l, &a), 0);
    assert_int_equal(ledger_load_hold(b.l, &h), 0);
    a.id = 7;
    a.owner = 2;
    assert_int_equal(ledger_load_account(b.l, &a), ERR_FULL);
    h.id = 8;
    assert_int_equal(ledger_load_hold(b.l, &h), ERR_FULL);
    books_close(&b);
}

int money_ledger_tests(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_account_open_once),
        T(test_wallet_never_negative),
        T(test_post_refuses),
        T(test_legs_are_merged),
        T(test_defect_parts_that_do_not_sum),
        T(test_defect_six_holds_on_5000),
        T(test_defect_hold_resolved_twice),
        T(test_defect_capture_above_hold),
        T(test_defect_refused_but_moved),
        T(test_defect_limit_counts_holds),
        T(test_defect_reversal_has_two_dates),
        T(test_capture_takes_held_money),
        T(test_capture_of_nothing_releases),
        T(test_time_is_monotone),
        cmocka_unit_test(test_limits),
        T(test_leg_bound),
        T(test_full_row_buffer_changes_nothing),
        T(test_defect_hot_account),
        T(test_load_refuses_damage),
        T(test_load_account_refuses_each),
        T(test_load_hold_refuses_each),
        T(test_kinds_and_currencies),
        T(test_defect_limit_of_an_account),
        T(test_counters_end),
        cmocka_unit_test(test_bytes_of_legs),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_load_is_bounded),
        cmocka_unit_test(test_random_histories),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
