// SPDX-License-Identifier: Apache-2.0
/* core_company_bill.c: bills of companies, what they pay before and after, and shares that wait until a
 * bill is collected. After each step the books balance and what matures is what is pending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "company_rig.h"

static struct world *const w = &co_world;

static void test_prepaid(void **state)
{
    (void)state;
    assert_int_equal(co_put(co_company, COMPANY_PREPAID, 0, ROW_ACTIVE), 0);
    assert_int_equal(co_start(w->gun, YUAN), ERR_NO_FUNDS);
    assert_int_equal(co_pay(50 * YUAN, 0), 0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 50 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_CASH, 0), -54 * YUAN);
    int64_t order = co_order_of(10 * KWH);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 38 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 6 * YUAN);
    world_run(w, DAY_MS); /* as of a wallet */
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 6 * YUAN);
    assert_int_equal(co_refund(order, 2 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 40 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 5 * YUAN);
    assert_int_equal(co_member_row(co_member)->used, 10 * YUAN);
    co_sums();
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_bill(202601)->state, COMPANY_BILL_SETTLED); /* paid before */
    assert_int_equal(co_bill(202601)->captured, 12 * YUAN);
    assert_int_equal(co_bill(202601)->refunded, 2 * YUAN);
    assert_int_equal(co_row()->advance, 0);
}

/* ---- bills ---- */

static void test_bill(void **state)
{
    (void)state;
    int64_t order = co_order_of(10 * KWH);
    (void)co_order_of(20 * KWH);
    assert_int_equal(co_refund(order, 4 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -32 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 16 * YUAN);
    assert_int_equal(world_count(w, ROW_MATURING), 1);
    assert_int_equal(co_issue(202601), ERR_CONFLICT); /* the month runs */
    assert_int_equal(co_issue(202512), ERR_NOT_FOUND);
    co_to_february();
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 0); /* days do not mature it */
    assert_int_equal(co_pay(YUAN, co_bill(202601)->id), ERR_CONFLICT);
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_issue(202601), ERR_CONFLICT);
    const struct row_company_bill *b = co_bill(202601);
    int64_t id = b->id;
    assert_int_equal(b->state, COMPANY_BILL_ISSUED);
    assert_int_equal(b->orders, 2);
    /* by the end of 10 February in Shanghai */
    assert_int_equal(b->due_ms, INT64_C(1770739200000));
    assert_int_equal(co_pay(0, id), ERR_RANGE);
    assert_int_equal(co_pay(150, id), ERR_RANGE);
    assert_int_equal(co_pay(32 * YUAN + 100, id), ERR_RANGE);
    assert_int_equal(co_pay(8 * YUAN, id), 0);
    assert_int_equal(co_bill(202601)->state, COMPANY_BILL_PART);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 4 * YUAN); /* a quarter */
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 12 * YUAN);
    world_restart(w);
    /* A refund of what is not collected takes from what waits; the bill stays as it is. */
    assert_int_equal(co_refund(order, 2 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 11 * YUAN);
    assert_int_equal(co_bill(202602)->refunded, 2 * YUAN);
    assert_int_equal(co_pay(24 * YUAN, id), 0);
    assert_int_equal(co_bill(202601)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 15 * YUAN);
    assert_int_equal(world_count(w, ROW_MATURING), 0);
    assert_int_equal(co_pay(100, id), ERR_CONFLICT);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 2 * YUAN);
    /* And after all is collected: out of what is available. */
    assert_int_equal(co_refund(order, 4 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 13 * YUAN);
    co_sums();
}

static void test_bill_inside_the_window(void **state)
{
    (void)state;
    co_tenant_days(7);
    world_run(w, 30 * DAY_MS);
    int64_t order = co_order_of(10 * KWH);
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_pay(12 * YUAN, 0), 0);
    assert_int_equal(co_bill(202601)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 6 * YUAN); /* may be given back yet */
    assert_int_equal(co_refund(order, 2 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 5 * YUAN);
    world_restart(w);
    world_run(w, 6 * DAY_MS);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 0);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 5 * YUAN);
    co_sums();
    assert_int_equal(world_count(w, ROW_BILL_SHARE), 1);
}

/* All of it was given back, and the program started again, before the bill is issued: nothing waits for it,
 * neither in memory nor in the file. */
static void test_all_given_back(void **state)
{
    (void)state;
    int64_t order = co_order_of(10 * KWH);
    assert_int_equal(world_count(w, ROW_MATURING), 1);
    assert_int_equal(co_refund(order, 12 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 0);
    world_restart(w);
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_bill(202601)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(world_count(w, ROW_MATURING), 0);
    co_sums();
}

/* A bill that what an older one gives back makes nothing lacks nothing: its shares come at once, and what set
 * them free says so. */
static void test_made_nothing(void **state)
{
    (void)state;
    int64_t order = co_order_of(10 * KWH);
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(world_open(w), 0);
    (void)co_order_of(10 * KWH);
    assert_int_equal(co_refund(order, 12 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 6 * YUAN);
    world_run(w, 28 * DAY_MS);
    assert_int_equal(co_issue(202602), 0);
    assert_int_equal(co_bill(202602)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 6 * YUAN);
    assert_int_equal(world_count(w, ROW_BILL_SHARE), 1);
    co_sums();
}

/* What is given back of a month that was billed lowers the next bill; what is over is kept. */
static void test_advance(void **state)
{
    (void)state;
    int64_t order = co_order_of(10 * KWH);
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_pay(15 * YUAN, 0), 0); /* 3.00 too much */
    assert_int_equal(co_row()->advance, 3 * YUAN);
    assert_int_equal(co_refund(order, 12 * YUAN), 0);
    world_run(w, 28 * DAY_MS);
    assert_int_equal(co_issue(202602), 0); /* −12.00 */
    assert_int_equal(co_bill(202602)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(co_row()->advance, 15 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 15 * YUAN);
    assert_int_equal(world_open(w), 0);
    (void)co_order_of(20 * KWH); /* 24.00 in March */
    int64_t had = co_balance(ACCOUNT_AVAILABLE, w->owner);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 12 * YUAN);
    world_run(w, 31 * DAY_MS);
    assert_int_equal(co_issue(202603), 0);
    assert_int_equal(co_bill(202603)->state, COMPANY_BILL_PART);
    assert_int_equal(co_bill(202603)->collected, 15 * YUAN);
    assert_int_equal(co_row()->advance, 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), had + 75000);
    assert_int_equal(co_pay(9 * YUAN, 0), 0);
    assert_int_equal(co_bill(202603)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), had + 12 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 0);
    co_sums();
}

static void test_months_in_order(void **state)
{
    (void)state;
    (void)co_order_of(10 * KWH);
    co_to_february();
    assert_int_equal(world_open(w), 0);
    (void)co_order_of(5 * KWH);
    world_run(w, 28 * DAY_MS);
    assert_int_equal(co_issue(202602), ERR_CONFLICT); /* January first */
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_issue(202602), 0);
    assert_int_equal(co_pay(15 * YUAN, 0), 0); /* the oldest first */
    assert_int_equal(co_bill(202601)->state, COMPANY_BILL_SETTLED);
    assert_int_equal(co_bill(202602)->collected, 3 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 6 * YUAN + 15000);
    assert_int_equal(co_row()->advance, 0);
}

/* However a bill is paid, the parties end with all of their shares, and never with more on the way. */
static void test_parts_end_exactly(void **state)
{
    (void)state;
    struct rng r = {5};
    for (int round = 0; round < 4; round++) {
        int32_t month = 202601 + round;
        int64_t had = co_balance(ACCOUNT_AVAILABLE, w->owner);
        int64_t paid = 0;
        for (int i = 0; i < 2; i++)
            paid +=
                world_order(w, co_order_of(KWH / 100 * (1 + (int64_t)rng_below(&r, 900))))->paid;
        int64_t share = co_balance(ACCOUNT_PENDING, w->owner), left = paid;
        world_run(w, 32 * DAY_MS);
        assert_int_equal(world_open(w), 0);
        assert_int_equal(co_issue(month), 0);
        while (left > 0) {
            int64_t v = 100 * (1 + (int64_t)rng_below(&r, (uint64_t)(left / 100)));
            assert_int_equal(co_pay(v, co_bill(month)->id), 0);
            left -= v;
            int64_t got = co_balance(ACCOUNT_AVAILABLE, w->owner) - had;
            assert_true(got <= muldiv_ceil(share, paid - left, paid));
            if (rng_below(&r, 2) == 0)
                world_restart(w);
        }
        assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner) - had, share);
        assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 0);
        assert_int_equal(world_open(w), 0);
    }
}

/* What a part of the bill brings is rounded down, for each party and each time: a share that rounded up could
 * be out before its money is in. Only the last part brings all that is left. */
static void test_parts_round_down(void **state)
{
    (void)state;
    int64_t order = co_order_of(10 * KWH);
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    assert_int_equal(co_refund(order, 2 * YUAN), 0); /* 5.00 wait for 12.00 */
    int64_t id = co_bill(202601)->id;
    assert_int_equal(co_pay(100, id), 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 41); /* 41.67 */
    assert_int_equal(co_pay(100, id), 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner),
                     82); /* of what is left, 41.67 again */
    assert_int_equal(co_pay(700, id), 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 373); /* 291.67 */
    assert_int_equal(co_pay(12 * YUAN - 900, id), 0);
    assert_int_equal(co_balance(ACCOUNT_AVAILABLE, w->owner), 5 * YUAN);
    assert_int_equal(world_count(w, ROW_MATURING), 0);
    co_sums();
}

/* ---- a bill that nobody pays ---- */

static int overdue_set(int32_t days)
{
    struct row_company r = *co_row();
    r.overdue_days = days;
    return world_put(w, ROW_COMPANY, false, &r);
}

static int raise(int64_t order)
{
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.driver = w->driver;
    c->u.order_raise.amount = YUAN;
    return world_send(w, c);
}

static void test_overdue_stops(void **state)
{
    int64_t tx;
    (void)state;
    (void)co_token_add("CARD-9", TOKEN_CARD, 0);
    struct row_company_member m = co_member_now();
    m.cards = 1;
    co_member_change(&m);
    assert_int_equal(overdue_set(-1), ERR_RANGE);
    assert_int_equal(overdue_set(3651), ERR_RANGE);
    assert_int_equal(overdue_set(5), 0);
    (void)co_order_of(10 * KWH);
    co_to_february();
    assert_int_equal(co_issue(202601), 0);
    int64_t stops = co_bill(202601)->due_ms + 5 * DAY_MS;
    world_run(w, stops - 60000 - w->now);
    int64_t order = co_charging(20 * YUAN, &tx); /* not yet */
    world_run(w, 120000);
    assert_int_equal(co_start(w->gun2, 10 * YUAN), ERR_OVERDUE);
    assert_int_equal(raise(order), 0); /* what runs goes on */
    assert_int_equal(overdue_set(0), 0);
    assert_int_equal(co_start(w->gun2, 90 * YUAN), ERR_NO_FUNDS); /* never: only the limit holds */
    assert_int_equal(overdue_set(5), 0);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(world_tx_start(w, 1, "CARD-9", 3 * KWH, w->now), TAG_BLOCKED);
    assert_int_equal(co_pay(11 * YUAN, 0), 0);
    assert_int_equal(co_start(w->gun, 10 * YUAN), ERR_OVERDUE); /* a part of it is not it */
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(co_start(w->gun, 10 * YUAN), ERR_OVERDUE);
    assert_int_equal(co_pay(YUAN, 0), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-9", 3 * KWH, w->now + 1), TAG_ACCEPTED);
    assert_int_equal(co_start(w->gun2, 10 * YUAN), 0);
    co_sums();
}

/* ---- beside the other payers ---- */

#define TEST(f) cmocka_unit_test_setup_teardown(f, co_up, co_down)
int core_company_bill(void);

int core_company_bill(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_prepaid),
        TEST(test_bill),
        TEST(test_bill_inside_the_window),
        TEST(test_all_given_back),
        TEST(test_made_nothing),
        TEST(test_advance),
        TEST(test_months_in_order),
        TEST(test_parts_end_exactly),
        TEST(test_parts_round_down),
        TEST(test_overdue_stops),
    };
    return cmocka_run_group_tests_name("company bills", tests, NULL, NULL);
}
