// SPDX-License-Identifier: Apache-2.0
/* core_defects.c: what users of other ledgers and charging systems were hit by, as orders of ours; a
 * test a thread. Those of the ledger alone stand in money_ledger.c, that of the split in
 * money_split.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/purse.h"
#include "world.h"

#define KWH INT64_C(1000000)

static struct world world, *w = &world;

static int up(void **state)
{
    (void)state;
    world_init(w);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

static int64_t held(void)
{
    return ledger_account_find(w->core->ledger, w->tenant, ACCOUNT_WALLET, w->driver, "CNY")->held;
}

static int refund(int64_t order, int64_t amount)
{
    return world_refund(w, order, amount);
}

/* blnk 42: the payment arrived after its void and brought the hold back to life. Here: the payment
 * was closed, then paid after all; the money is the driver's, and no order begins by it. */
static void test_defect_payment_after_void(void **state)
{
    (void)state;
    int64_t channel = world_channel(w, CHANNEL_WECHAT);
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
    c->u.payment_new.driver = w->driver;
    c->u.payment_new.channel = channel;
    c->u.payment_new.amount = 10000;
    c->u.payment_new.method = PAY_METHOD_QR;
    (void)str_copy(c->u.payment_new.currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id, before = wallet();
    for (int i = 0; i < 3; i++) {
        c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
        c->u.pay_result.row = id;
        c->u.pay_result.channel = channel;
        c->u.pay_result.op = i == 0 ? PAY_CLOSE : PAY_QUERY;
        c->u.pay_result.state = i == 0 ? PAY_CLOSED : PAY_DONE;
        c->u.pay_result.amount = i == 0 ? -1 : 10000;
        (void)str_copy(c->u.pay_result.currency, 4, STR_LIT("CNY"));
        (void)str_copy(c->u.pay_result.provider_no, 65, STR_LIT("420000"));
        assert_int_equal(world_send(w, c), 0);
        assert_int_equal(wallet(), before + (i == 0 ? 0 : 10000));
        assert_int_equal(held(), 0);
    }
}

/* blnk 182: a hold that was refused could still be committed by its queued id. Here: the charger
 * refused the start and charges all the same; the order stays failed, its hold stays resolved. */
static void test_defect_refused_start_is_over(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Rejected");
    assert_int_equal(held(), 0);
    (void)world_tx_start(w, 1, tag, KWH, w->now);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 60000);
    (void)world_tx_stop(w, tx, 2 * KWH, w->now);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    assert_int_equal(world_order(w, order)->paid, 0);
    assert_int_equal(held(), 0);
    assert_true(wallet() >= 0);
}

/* blnk 379: a refund answered 409 and moved money all the same. */
static void test_defect_refund_answer_and_effect(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now), 0);
    int64_t paid = world_order(w, order)->paid;
    assert_int_equal(refund(order, paid - 100), 0);
    int64_t had = wallet(), owner = world_balance(w, ACCOUNT_PENDING, w->owner);
    int64_t income = world_balance(w, ACCOUNT_INCOME, w->platform);
    assert_int_equal(refund(order, 200), ERR_RANGE);
    assert_int_equal(refund(order, paid), ERR_RANGE);
    assert_int_equal(wallet(), had);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), owner);
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), income);
    assert_int_equal(world_order(w, order)->refunded, paid - 100);
    assert_int_equal(refund(order, 100), 0);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 0);
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), 0);
}

/* blnk PR 171: two commits of one hold at once. Here: the stop comes twice, and once more after a
 * restart and after the order left memory; it is captured once. */
static void test_defect_commits_at_once(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 60000);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    int64_t left = wallet();
    size_t transfers = world_count(w, ROW_TRANSFER);
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            world_restart(w);
        if (i == 1)
            assert_int_equal(world_open(w), 0);
        if (i == 2)
            world_run(w, EVICT_MS + 1000);
        assert_int_equal(world_tx_stop(w, tx, 2 * KWH + i * 100000, w->now), 0);
        assert_int_equal(wallet(), left);
        assert_int_equal(world_count(w, ROW_TRANSFER), transfers);
    }
    assert_int_equal(world_order(w, order)->paid, 40000 - left);
}

/* ev-server 3086: the stop of a prepaid session failed because it was not the user's token that
 * asked. Here the platform itself stops at the cap, in its own name. */
static void test_defect_stop_without_token(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 10000, &tx);
    const struct out *stop = NULL;
    for (int i = 1; i <= 12 && !stop; i++) {
        world_run(w, 9000);
        assert_int_equal(world_meter(w, tx, KWH + i * 300000, 120000), 0);
        stop = world_call(w, CALL_REMOTE_STOP);
        if (!stop && world_order(w, order)->state == ORDER_STOPPING)
            break; /* sent by the timer in between */
    }
    assert_int_equal(world_order(w, order)->state, ORDER_STOPPING);
    assert_int_equal(world_order(w, order)->stop_reason, STOP_CAP);
    assert_true(world_event(w, order, OE_STOP_SENT));
    assert_int_equal(world_tx_stop(w, tx, KWH + 833333, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 10000);
    assert_int_equal(wallet(), 30000);
}

/* cala 744: a reversal has the day that it is of and the day that it was made on. Here: a refund days later
 * names the capture, which keeps the day of the charge. */
static void test_defect_dates_of_a_reversal(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now - 30000), 0);
    const struct row_transfer *t = world_last(w, ROW_TRANSFER);
    int64_t capture = t->id, ended = world_order(w, order)->end_ms;
    assert_int_equal(t->code, TRANSFER_CAPTURE);
    assert_int_equal(t->effective_ms, ended);
    assert_true(t->posted_ms > ended);
    world_run(w, 3 * INT64_C(86400000));
    assert_int_equal(refund(order, 100), 0);
    t = world_last(w, ROW_TRANSFER);
    assert_int_equal(t->code, TRANSFER_REFUND);
    assert_int_equal(t->reverses, capture);
    assert_int_equal(t->effective_ms, w->now);
    assert_int_equal(t->posted_ms, w->now);
}

int core_defects(void);

int core_defects(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_defect_payment_after_void),       T(test_defect_refused_start_is_over),
        T(test_defect_refund_answer_and_effect), T(test_defect_commits_at_once),
        T(test_defect_stop_without_token),       T(test_defect_dates_of_a_reversal),
    };
    return cmocka_run_group_tests_name("core defects", tests, NULL, NULL);
}
