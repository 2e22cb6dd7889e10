// SPDX-License-Identifier: Apache-2.0
/* core_wallet.c: wallets whole: gift money beside principal, top-up packages, freezing, closing, and
 * single payments. After each step the books balance (world_seal), and most tests come back from the
 * store in the middle. What a thief would try stands beside what a driver does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)
#define Y      MONEY_UNIT

static struct world world, *w = &world;
static int64_t wechat;

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

static int64_t gift(void)
{
    return world_balance(w, ACCOUNT_WALLET_BONUS, w->driver);
}

static int64_t held(int32_t kind)
{
    const struct ledger_account *a =
        ledger_account_find(w->core->ledger, w->tenant, kind, w->driver, "CNY");
    return a ? a->held : 0;
}

static void tenant_set(int32_t gift_order, int64_t payout_check)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.gift_order = gift_order;
    t.payout_check = payout_check;
    t.payee_hold_h = 0;
    t.payout_min = 100;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    wechat = world_channel(w, CHANNEL_WECHAT);
    tenant_set(GIFT_LAST, 1000 * Y);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* ---- what people do ---- */

static int gift_give_days(int64_t amount, int32_t days)
{
    struct cmd *c = world_web(w, CMD_GIFT, w->person, ACTOR_PERSON);
    c->u.gift.driver = w->driver;
    c->u.gift.amount = amount;
    c->u.gift.days = days;
    (void)str_copy(c->u.gift.note, 201, STR_LIT("welcome"));
    return world_send(w, c);
}

static int freeze(int32_t on)
{
    struct cmd *c = world_web(w, CMD_WALLET_FREEZE, w->person, ACTOR_PERSON);
    c->u.wallet_freeze.driver = w->driver;
    c->u.wallet_freeze.freeze = on;
    (void)str_copy(c->u.wallet_freeze.reason, 201, STR_LIT("lost phone"));
    return world_send(w, c);
}

static int close_account(void)
{
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE, w->driver, ACTOR_DRIVER);
    c->u.driver_close.driver = w->driver;
    return world_send(w, c);
}

static int topup(int64_t amount)
{
    return world_topup(w, amount);
}

static int refund(int64_t order, int64_t amount)
{
    return world_refund(w, order, amount);
}

static int pay_new(int64_t amount, int64_t package, int64_t connector)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
    struct cmd_payment_new *p = &c->u.payment_new;
    p->driver = w->driver;
    p->channel = wechat;
    p->amount = amount;
    p->method = PAY_METHOD_QR;
    p->package = package;
    p->connector = connector;
    (void)str_copy(p->currency, 4, STR_LIT("CNY"));
    return world_send(w, c);
}

static int told(int64_t row, enum pay_op op, enum pay_state s, int64_t amount)
{
    return world_told(w, row, wechat, op, s, amount);
}

static int64_t pay_open(int64_t amount, int64_t package, int64_t connector)
{
    assert_int_equal(pay_new(amount, package, connector), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(told(id, PAY_CREATE, PAY_PENDING, -1), 0);
    return id;
}

static int64_t paid(int64_t amount, int64_t package)
{
    int64_t id = pay_open(amount, package, 0);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, amount), 0);
    return id;
}

static int payout(int64_t payment, int64_t amount, int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.payment = payment;
    c->u.payout_new.amount = amount;
    c->u.payout_new.channel = channel;
    return world_send(w, c);
}

static const struct out_pay *asked(enum pay_op op)
{
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == OUT_PAY && w->outs[i].u.pay.op == (int32_t)op)
            return &w->outs[i].u.pay;
    return NULL;
}

static const struct row_payment *lot(int64_t id)
{
    return world_row(w, ROW_PAYMENT, id);
}

static int64_t package(int64_t pay, int64_t gives)
{
    const struct row_package p = {.name = "big", .pay = pay, .gift = gives};
    assert_int_equal(world_put(w, ROW_PACKAGE, true, &p), 0);
    return w->reply.u.made.id;
}

/* An order of `kwh` at 1.2 yuan with this cap. */
static int64_t order_of(int64_t cap, int64_t kwh)
{
    int64_t tx, order = world_charging(w, cap, &tx);
    world_run(w, 200000 + kwh / KWH * 30000);
    assert_int_equal(world_tx_stop(w, tx, KWH + kwh, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    return order;
}

static const struct out *start_call_out(void)
{
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    return call;
}

/* ---- gift money ---- */

/* 4.00 of principal and 2.00 of gift: an order may have 6.00, and takes the gift last. */
static void test_gift_last(void **state)
{
    (void)state;
    assert_int_equal(gift_give_days(2 * Y, 0), 0);
    assert_int_equal(gift(), 2 * Y);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), -2 * Y);
    assert_int_equal(world_start(w, w->gun, 6 * Y + 100), ERR_NO_FUNDS);
    int64_t tx, order = world_charging(w, 6 * Y, &tx);
    assert_int_equal(held(ACCOUNT_WALLET), 4 * Y);
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), 2 * Y);
    assert_int_equal(world_start(w, w->gun2, 100), ERR_NO_FUNDS); /* nothing is left to race for */
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), 2 * Y);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 4 * KWH, w->now), 0); /* 4.80 */
    assert_int_equal(world_order(w, order)->paid, 48000);
    assert_int_equal(world_order(w, order)->gift, 8000);
    assert_int_equal(wallet(), 0);
    assert_int_equal(gift(), 12000);
    assert_int_equal(held(ACCOUNT_WALLET) + held(ACCOUNT_WALLET_BONUS), 0);
    /* 1.20 back: a sixth of what was paid was gift. */
    assert_int_equal(refund(order, 12000), 0);
    assert_int_equal(wallet(), 10000);
    assert_int_equal(gift(), 14000);
    assert_int_equal(refund(order, 36000), 0);
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(gift(), 2 * Y);
    assert_int_equal(world_order(w, order)->gift, 0);
}

static void test_gift_first_and_evenly(void **state)
{
    (void)state;
    tenant_set(GIFT_FIRST, 0);
    assert_int_equal(gift_give_days(2 * Y, 0), 0);
    int64_t order = order_of(3 * Y, KWH); /* 1.20 */
    assert_int_equal(world_order(w, order)->gift, 12000);
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(gift(), 8000);
    tenant_set(GIFT_EVENLY, 0);
    order = order_of(48000, 2 * KWH); /* 2.40 of 4.80, of which 0.80 is gift */
    assert_int_equal(world_order(w, order)->gift, 4000);
    assert_int_equal(gift(), 4000);
    assert_int_equal(wallet(), 2 * Y);
}

/* A refund in many steps, each of a fen or more: it never gives more of either than was taken. */
static void test_refunds_in_steps(void **state)
{
    (void)state;
    struct rng r = {5};
    assert_int_equal(gift_give_days(2 * Y, 0), 0);
    for (int round = 0; round < 20; round++) {
        tenant_set((int32_t)rng_below(&r, 3), 0);
        int64_t order = order_of(6 * Y, KWH / 100 * (1 + (int64_t)rng_below(&r, 500)));
        int64_t left = world_order(w, order)->paid;
        while (left > 0) {
            int64_t v = 100 * (1 + (int64_t)rng_below(&r, (uint64_t)left / 100));
            assert_int_equal(refund(order, v), 0);
            left -= v;
            assert_true(wallet() <= 4 * Y && gift() <= 2 * Y);
        }
        assert_int_equal(wallet(), 4 * Y);
        assert_int_equal(gift(), 2 * Y);
    }
}

static void test_gift_release_and_raise(void **state)
{
    (void)state;
    assert_int_equal(gift_give_days(2 * Y, 0), 0);
    assert_int_equal(world_start(w, w->gun, 5 * Y), 0);
    int64_t order = w->reply.u.made.id;
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), Y);
    world_answer(w, world_call(w, CALL_REMOTE_START), 0, "Accepted");
    c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.driver = w->driver;
    c->u.order_raise.amount = Y + 100;
    assert_int_equal(world_send(w, c), ERR_NO_FUNDS);
    c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.driver = w->driver;
    c->u.order_raise.amount = Y;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), 2 * Y);
    world_run(w, 120000); /* nothing comes of it */
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    assert_int_equal(held(ACCOUNT_WALLET) + held(ACCOUNT_WALLET_BONUS), 0);
    /* Held of principal only, then raised: the gift gets a leg of its own. */
    int64_t tx;
    order = world_charging(w, 3 * Y, &tx);
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), 0);
    c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.driver = w->driver;
    c->u.order_raise.amount = 3 * Y;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(held(ACCOUNT_WALLET), 4 * Y);
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), 2 * Y);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 5 * KWH, w->now), 0);
    assert_int_equal(wallet() + gift(), 0);
    assert_int_equal(world_order(w, order)->gift, 2 * Y);
}

static void test_gift_bad_input(void **state)
{
    (void)state;
    assert_int_equal(gift_give_days(0, 0), ERR_RANGE);
    assert_int_equal(gift_give_days(-100, 0), ERR_RANGE);
    assert_int_equal(gift_give_days(150, 0), ERR_RANGE);
    assert_int_equal(gift_give_days(100, -1), ERR_RANGE);
    struct cmd *c = world_web(w, CMD_GIFT, w->person, ACTOR_PERSON);
    c->u.gift.driver = w->driver;
    c->u.gift.amount = 100;
    assert_int_equal(world_send(w, c), ERR_REQUIRED); /* no reason */
    c = world_web(w, CMD_GIFT, w->person, ACTOR_PERSON);
    c->head.tenant = w->tenant + 1;
    c->u.gift.driver = w->driver;
    c->u.gift.amount = 100;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(gift(), 0);
}

/* What is no longer good cannot be spent, and goes when the next gift comes. */
static void test_gift_expires(void **state)
{
    (void)state;
    assert_int_equal(gift_give_days(2 * Y, 10), 0);
    assert_int_equal(gift_give_days(Y, 5), 0); /* never earlier */
    world_run(w, 9 * DAY_MS);
    assert_int_equal(world_open(w), 0);
    (void)order_of(5 * Y, KWH);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(gift(), 3 * Y);
    assert_int_equal(world_start(w, w->gun, 28000 + 100), ERR_NO_FUNDS);
    assert_int_equal(gift_give_days(Y, 30), 0);
    assert_int_equal(gift(), Y);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), -Y);
}

/* ---- packages ---- */

static void test_package(void **state)
{
    (void)state;
    int64_t p = package(100 * Y, 20 * Y);
    assert_int_equal(pay_new(90 * Y, p, 0), ERR_CONFLICT);
    assert_int_equal(pay_new(100 * Y, p + 1, 0), ERR_NOT_FOUND);
    assert_int_equal(pay_new(100 * Y, p, w->gun), ERR_CONFLICT);
    int64_t id = pay_open(100 * Y, p, 0);
    assert_int_equal(gift(), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 100 * Y), 0);
        world_restart(w);
    }
    assert_int_equal(wallet(), 104 * Y);
    assert_int_equal(gift(), 20 * Y); /* once */
    struct row_package row = *(const struct row_package *)world_row(w, ROW_PACKAGE, p);
    row.state = ROW_DISABLED;
    assert_int_equal(world_put(w, ROW_PACKAGE, false, &row), 0);
    assert_int_equal(pay_new(100 * Y, p, 0), ERR_CLOSED);
    row.gift = 0;
    row.version++;
    assert_int_equal(world_put(w, ROW_PACKAGE, false, &row), ERR_RANGE);
    /* Of another sum than asked for: nothing is given. */
    row.gift = 20 * Y;
    row.state = ROW_ACTIVE;
    assert_int_equal(world_put(w, ROW_PACKAGE, false, &row), 0);
    id = pay_open(100 * Y, p, 0);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 100), 0);
    assert_int_equal(gift(), 20 * Y);
}

/* Whatever was spent in between, topping up and asking for it back gains nothing. */
static void test_package_refund(void **state)
{
    (void)state;
    int64_t p = package(100 * Y, 20 * Y), id = paid(100 * Y, p);
    assert_int_equal(payout(id, 50 * Y, wechat), 0);
    assert_int_equal(gift(), 0); /* unspent gift first */
    assert_int_equal(wallet(), 54 * Y);
    assert_int_equal(lot(id)->gift_back, 20 * Y);
    assert_int_equal(payout(id, 50 * Y, wechat), 0);
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), 0);
    /* The gift is spent first, then all principal is asked for. */
    tenant_set(GIFT_FIRST, 1000 * Y);
    id = paid(100 * Y, p);
    (void)order_of(20 * Y, 20 * KWH / 6 * 5); /* 20.00 */
    assert_int_equal(gift(), 0);
    assert_int_equal(wallet(), 104 * Y);
    assert_int_equal(payout(id, 84 * Y + 100, wechat), ERR_NO_FUNDS);
    assert_int_equal(payout(id, 80 * Y, wechat), 0);
    assert_int_equal(wallet(), 4 * Y); /* 20.00 of charging for 20.00 */
    assert_int_equal(payout(id, 100, wechat), 0);
    /* Nobody shares in gift money: what it paid for is the operator's, now that principal paid it. */
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), 20 * Y);
}

/* Paid 100.00, with 20.00 of gift that is good for ten days; so much is charged at once. */
static int64_t expiring(int64_t kwh)
{
    const struct row_package p = {.name = "short", .pay = 100 * Y, .gift = 20 * Y, .gift_days = 10};
    assert_int_equal(world_put(w, ROW_PACKAGE, true, &p), 0);
    int64_t id = paid(100 * Y, w->reply.u.made.id);
    if (kwh)
        (void)order_of(20 * Y, kwh);
    return id;
}

static void gift_over(void)
{
    world_run(w, 11 * DAY_MS);
    world_restart(w); /* the lots have left memory */
    assert_int_equal(world_open(w), 0);
}

/* What expired is not taken again by a refund: not out of another package, nor out of principal. */
static void test_package_refund_expired(void **state)
{
    (void)state;
    int64_t old = expiring(0);
    gift_over();
    int64_t id = paid(100 * Y, package(100 * Y, 20 * Y));
    assert_int_equal(gift(), 20 * Y);
    assert_int_equal(lot(old)->gift_lost, 20 * Y);
    assert_int_equal(payout(old, 100 * Y, wechat), 0);
    assert_int_equal(gift(), 20 * Y);
    int64_t out = w->reply.u.made.id;
    assert_int_equal(told(out, PAY_REFUND, PAY_FAILED, 100 * Y), 0);
    assert_int_equal(gift(), 20 * Y); /* nor does it come back with a refund that fails */
    assert_int_equal(payout(old, 100 * Y, wechat), 0);
    assert_int_equal(payout(id, 100 * Y, wechat), 0);
    assert_int_equal(gift(), 0);
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), 0);
}

/* Of the spent part of a package nothing expired: that goes back, wherever it has to come from. */
static void test_package_refund_partly_expired(void **state)
{
    (void)state;
    tenant_set(GIFT_FIRST, 1000 * Y);
    int64_t first = expiring(0), second = expiring(10 * KWH); /* 12.00 of 40.00 */
    gift_over();
    assert_int_equal(gift_give_days(5 * Y, 0), 0); /* 28.00 expired: all of the second's */
    assert_int_equal(lot(second)->gift_lost, 20 * Y);
    assert_int_equal(lot(first)->gift_lost, 8 * Y);
    assert_int_equal(payout(second, 100 * Y, wechat), 0);
    assert_int_equal(gift(), 5 * Y);
    assert_int_equal(wallet(), 104 * Y);
    assert_int_equal(payout(first, 97 * Y + 100, wechat), ERR_NO_FUNDS);
    assert_int_equal(payout(first, 97 * Y, wechat), 0); /* 12.00: 5.00 of gift, 7.00 of principal */
    assert_int_equal(gift(), 0);
    assert_int_equal(wallet(), 0);
}

static int64_t gift_until(void)
{
    return ((const struct row_driver *)world_row(w, ROW_DRIVER, w->driver))->gift_until;
}

/* A package that is bought and given back at once must not leave older gift money the days that it gave it. */
static void test_package_refund_days(void **state)
{
    (void)state;
    assert_int_equal(gift_give_days(50 * Y, 1), 0);
    int64_t day = gift_until(), id = expiring(0), ten = w->now + 10 * DAY_MS;
    assert_int_equal(gift_until(), ten);
    assert_int_equal(payout(id, 100 * Y, wechat), 0);
    assert_int_equal(gift_until(), day);
    int64_t out = w->reply.u.made.id;
    assert_int_equal(told(out, PAY_REFUND, PAY_FAILED, 100 * Y), 0);
    assert_int_equal(gift_until(), ten); /* it did not go back, so it is good as before */
    world_run(w, 3600000);
    int64_t longer = expiring(0), more = w->now + 10 * DAY_MS;
    world_restart(w); /* the lots have left memory */
    assert_int_equal(payout(id, 100 * Y, wechat), 0);
    assert_int_equal(gift_until(), more); /* that one did not give it this day */
    world_restart(w);
    assert_int_equal(payout(longer, 50 * Y, wechat), 0); /* any part of it */
    assert_int_equal(gift_until(), day);
    assert_int_equal(payout(longer, 50 * Y, wechat), 0);
    assert_int_equal(gift_until(), day);
    id = paid(100 * Y, package(100 * Y, 20 * Y)); /* good for ever */
    assert_int_equal(gift_until(), 0);
    assert_int_equal(payout(id, 100 * Y, wechat), 0);
    assert_int_equal(gift_until(), day);
    assert_int_equal(gift(), 50 * Y);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_start(w, w->gun, 4 * Y + 100), ERR_NO_FUNDS); /* its day is over */
}

/* An account is closed, and then somebody pays what was open before: it goes back where it came from. */
static void test_paid_after_closing(void **state)
{
    (void)state;
    int64_t id = pay_open(100 * Y, package(100 * Y, 20 * Y), 0);
    assert_int_equal(told(id, PAY_CLOSE, PAY_CLOSED, -1), 0);
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE, w->driver, ACTOR_DRIVER);
    c->u.driver_close = (struct cmd_driver_close){.driver = w->driver, .give_up = wallet()};
    assert_int_equal(world_send(w, c), 0);
    world_restart(w);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 100 * Y), 0);
    assert_non_null(asked(PAY_REFUND));
    assert_int_equal(asked(PAY_REFUND)->amount, 100 * Y);
    assert_int_equal(lot(id)->refunded, 100 * Y);
    assert_int_equal(wallet() + gift(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_TRANSIT, w->driver), 100 * Y);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 100 * Y), 0); /* once */
    assert_int_equal(world_balance(w, ACCOUNT_TRANSIT, w->driver), 100 * Y);
}

static int payout_of_lot(int64_t payment, int64_t amount, int64_t rest, int32_t version)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->driver, ACTOR_DRIVER);
    c->u.payout_new = (struct cmd_payout_new){.payment = payment,
                                              .amount = amount,
                                              .channel = wechat,
                                              .lot_rest = rest,
                                              .lot_version = version};
    return world_send(w, c);
}

/* A lot that is long spent does not give back what came with a package, of which the gift would
 * stay. */
static void test_only_the_rest_of_a_lot(void **state)
{
    (void)state;
    int64_t old = paid(10 * Y, 0), had = wallet();
    (void)paid(10 * Y, package(10 * Y, 2 * Y));
    assert_int_equal(payout_of_lot(old, 10 * Y, 0, lot(old)->version), ERR_RANGE);
    assert_int_equal(payout_of_lot(old, 3 * Y + 100, 3 * Y, lot(old)->version), ERR_RANGE);
    assert_int_equal(wallet(), had + 10 * Y);
    int32_t version = lot(old)->version;
    assert_int_equal(payout_of_lot(old, 3 * Y, 3 * Y, version), 0);
    /* Two that looked at the same time: the second looks again. */
    assert_int_equal(payout_of_lot(old, 3 * Y, 3 * Y, version), ERR_STALE);
    assert_int_equal(wallet(), had + 7 * Y);
    assert_int_equal(gift(), 2 * Y);
}

/* Gift money that nobody shares in goes back to marketing at the capture; refunds take it from there
 * and the rest from the parties, to zero. */
static void test_gift_is_nobodys_share(void **state)
{
    (void)state;
    tenant_set(GIFT_FIRST, 1000 * Y);
    assert_int_equal(gift_give_days(6 * Y, 0), 0);
    int64_t order = order_of(8 * Y, 20 * KWH / 3); /* 8.00: 6.00 of gift, 2.00 of principal */
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->paid, 8 * Y);
    assert_int_equal(o->gift, 6 * Y);
    int64_t shares =
        world_balance(w, ACCOUNT_PENDING, w->owner) + world_balance(w, ACCOUNT_INCOME, w->platform);
    assert_int_equal(shares, 2 * Y);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(refund(order, 2 * Y), 0);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 0);
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), 0);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), -6 * Y);
    assert_int_equal(gift(), 6 * Y);
    assert_int_equal(wallet(), 4 * Y);
}

/* While an order holds the gift it cannot be told spent from unspent. */
static void test_package_refund_held(void **state)
{
    (void)state;
    tenant_set(GIFT_FIRST, 1000 * Y);
    int64_t id = paid(100 * Y, package(100 * Y, 20 * Y));
    assert_int_equal(world_start(w, w->gun, 10 * Y), 0);
    struct out call = *start_call_out();
    assert_int_equal(payout(id, 100 * Y, wechat), ERR_BUSY);
    world_answer(w, &call, 0, "Rejected");
    assert_int_equal(payout(id, 100 * Y, wechat), 0);
    assert_int_equal(gift(), 0);
}

static void test_package_refund_fails(void **state)
{
    (void)state;
    int64_t id = paid(100 * Y, package(100 * Y, 20 * Y));
    assert_int_equal(payout(id, 100 * Y, wechat), 0);
    int64_t out = w->reply.u.made.id;
    world_restart(w);
    assert_int_equal(told(out, PAY_REFUND, PAY_FAILED, 100 * Y), 0);
    assert_int_equal(wallet(), 104 * Y);
    assert_int_equal(gift(), 20 * Y);
    assert_int_equal(lot(id)->gift_back, 0);
    /* A small refund that fails must not bring back the gift beside a large one that did not. */
    assert_int_equal(payout(id, 100, wechat), 0);
    out = w->reply.u.made.id;
    assert_int_equal(payout(id, 90 * Y, wechat), 0);
    int64_t large = w->reply.u.made.id;
    assert_int_equal(told(out, PAY_REFUND, PAY_FAILED, 100), 0);
    assert_int_equal(gift(), 0);
    assert_int_equal(lot(id)->gift_back, 20 * Y);
    assert_int_equal(told(large, PAY_REFUND, PAY_FAILED, 90 * Y), 0);
    assert_int_equal(gift(), 20 * Y); /* nothing of it went back after all */
}

/* ---- freeze ---- */

static void test_freeze(void **state)
{
    (void)state;
    tenant_set(GIFT_LAST, 0); /* refunds wait for a second person */
    int64_t id = paid(10 * Y, 0), tx;
    assert_int_equal(payout(id, Y, wechat), 0);
    int64_t waits = w->reply.u.made.id;
    int64_t order = world_charging(w, 2 * Y, &tx);
    struct cmd *c = world_web(w, CMD_WALLET_FREEZE, w->driver, ACTOR_DRIVER);
    c->u.wallet_freeze.driver = w->driver;
    (void)str_copy(c->u.wallet_freeze.reason, 201, STR_LIT("mine"));
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = world_web(w, CMD_WALLET_FREEZE, w->person, ACTOR_PERSON);
    c->u.wallet_freeze.driver = w->driver;
    c->u.wallet_freeze.freeze = 1;
    assert_int_equal(world_send(w, c), ERR_REQUIRED);
    assert_int_equal(freeze(0), ERR_CONFLICT);
    assert_int_equal(freeze(1), 0);
    assert_int_equal(freeze(1), ERR_CONFLICT);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_start(w, w->gun2, Y), ERR_DISABLED);
    assert_int_equal(payout(id, Y, wechat), ERR_DISABLED);
    assert_int_equal(close_account(), ERR_DISABLED);
    assert_int_equal(pay_new(Y, 0, w->gun2), ERR_DISABLED);
    c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.amount = Y;
    assert_int_equal(world_send(w, c), ERR_DISABLED);
    c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = waits;
    c->u.payout_decide.act = PAYOUT_ACT_APPROVE;
    assert_int_equal(world_send(w, c), ERR_DISABLED);
    assert_int_equal(topup(Y), 0); /* money may come in */
    world_run(w, 100000);
    assert_int_equal(world_tx_stop(w, tx, KWH + KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 12000); /* what runs ends as ever */
    /* Editing the driver does not thaw it. */
    struct row_driver d = *(const struct row_driver *)world_row(w, ROW_DRIVER, w->driver);
    d.frozen = 0;
    d.name = "other";
    assert_int_equal(world_put(w, ROW_DRIVER, false, &d), 0);
    assert_int_equal(world_start(w, w->gun, Y), ERR_DISABLED);
    assert_int_equal(freeze(0), 0);
    assert_int_equal(world_start(w, w->gun, Y), 0);
}

static void test_freeze_card(void **state)
{
    (void)state;
    const struct row_token t = {.driver = w->driver, .kind = TOKEN_CARD, .tag = "CARD-7"};
    assert_int_equal(world_put(w, ROW_TOKEN, true, &t), 0);
    tenant_set(GIFT_LAST, 0);
    struct row_tenant r = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    r.hold_policy = HOLD_AVAILABLE;
    assert_int_equal(world_put(w, ROW_TENANT, false, &r), 0);
    assert_int_equal(freeze(1), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now), TAG_BLOCKED);
    assert_int_equal(freeze(0), 0);
    assert_int_equal(gift_give_days(Y, 0), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now + 1), TAG_ACCEPTED);
    assert_int_equal(held(ACCOUNT_WALLET) + held(ACCOUNT_WALLET_BONUS), 5 * Y); /* all of both */
}

/* ---- closing ---- */

static void test_close(void **state)
{
    (void)state;
    int64_t cash = ((const struct row_payment *)world_last(w, ROW_PAYMENT))->id;
    int64_t id = paid(10 * Y, 0), tx, old = w->driver;
    assert_int_equal(gift_give_days(3 * Y, 0), 0);
    int64_t order = world_charging(w, 2 * Y, &tx);
    assert_int_equal(close_account(), ERR_BUSY);
    world_run(w, 100000);
    assert_int_equal(world_tx_stop(w, tx, KWH + KWH, w->now), 0);
    assert_int_equal(close_account(), ERR_CONFLICT); /* 12.80 are his */
    assert_int_equal(payout(cash, 28000, 0), 0);
    int64_t first = w->reply.u.made.id;
    assert_int_equal(payout(id, 10 * Y, wechat), 0);
    int64_t second = w->reply.u.made.id;
    assert_int_equal(close_account(), ERR_CONFLICT); /* on its way is not there */
    assert_int_equal(told(second, PAY_REFUND, PAY_DONE, 10 * Y), 0);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = first;
    c->u.payout_decide.act = PAYOUT_ACT_SETTLED;
    (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("C-1"));
    assert_int_equal(world_send(w, c), 0);
    c = world_web(w, CMD_DRIVER_CLOSE, w->driver + 1, ACTOR_DRIVER); /* somebody else */
    c->u.driver_close.driver = w->driver;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(close_account(), 0);
    assert_int_equal(gift() + wallet() + world_balance(w, ACCOUNT_MARKETING, 0), 0);
    const struct row_driver *d = world_row(w, ROW_DRIVER, old);
    assert_string_equal(d->phone, "");
    assert_string_equal(d->name, "");
    assert_int_equal(d->state, ROW_DELETED);
    assert_int_equal(close_account(), ERR_CONFLICT);
    assert_int_equal(topup(Y), ERR_DISABLED);
    assert_int_equal(refund(order, 0), ERR_RANGE);
    world_restart(w);
    c = world_web(w, CMD_REGISTER_DRIVER, 0, ACTOR_NONE);
    (void)str_copy(c->u.register_driver.phone, 21, STR_LIT("13800000000"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_not_equal(w->reply.u.made.id, old);
    struct row_driver back = *(const struct row_driver *)world_row(w, ROW_DRIVER, old);
    back.phone = "13900000000";
    back.state = ROW_ACTIVE;
    assert_int_equal(world_put(w, ROW_DRIVER, false, &back), ERR_READ_ONLY);
}

static void test_close_in_debt(void **state)
{
    (void)state;
    struct row_tenant r = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    r.hold_policy = HOLD_NONE_DEBT;
    assert_int_equal(world_put(w, ROW_TENANT, false, &r), 0);
    const struct row_token t = {.driver = w->driver, .kind = TOKEN_CARD, .tag = "CARD-7"};
    assert_int_equal(world_put(w, ROW_TOKEN, true, &t), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 5 * KWH, w->now), 0); /* 6.00 of 4.00 */
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), -2 * Y);
    assert_int_equal(close_account(), ERR_DEBT);
    assert_int_equal(pay_new(Y, 0, w->gun), ERR_DEBT);
    assert_int_equal(gift_give_days(5 * Y, 0), 0); /* a gift settles no debt */
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), -2 * Y);
    assert_int_equal(world_start(w, w->gun, Y), ERR_DEBT);
    assert_int_equal(topup(3 * Y), 0); /* principal does, first */
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), 0);
    assert_int_equal(wallet(), Y);
}

/* ---- single payments ---- */

static void test_single(void **state)
{
    (void)state;
    int64_t before = wallet(), id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    char tag[37];
    const struct out *call = start_call_out();
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    int64_t order = lot(id)->order_id;
    assert_int_equal(world_order(w, order)->cap, 10 * Y);
    assert_int_equal(world_order(w, order)->payer_kind, PAYER_SINGLE);
    assert_int_equal(held(ACCOUNT_WALLET), 10 * Y);
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0); /* again: no second order */
    assert_null(world_call(w, CALL_REMOTE_START));
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    assert_int_equal(payout(id, Y, wechat), ERR_BUSY); /* not while it runs */
    world_run(w, 600000);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_run(w, 400000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 5 * KWH, w->now), 0); /* 6.00 */
    const struct out_pay *ask = asked(PAY_REFUND);
    assert_non_null(ask);
    assert_int_equal(ask->amount, 4 * Y);
    int64_t out = ask->row;
    assert_int_equal(wallet(), before);
    assert_int_equal(world_balance(w, ACCOUNT_TRANSIT, w->driver), 4 * Y);
    assert_int_equal(told(out, PAY_REFUND, PAY_DONE, 4 * Y), 0);
    assert_int_equal(world_balance(w, ACCOUNT_TRANSIT, w->driver), 0);
    assert_int_equal(lot(id)->bound, 0);
    /* What the order gives back later goes the same way, also when all of it left memory. */
    world_run(w, DAY_MS);
    world_restart(w);
    assert_int_equal(refund(order, 2 * Y), 0);
    assert_non_null(asked(PAY_REFUND));
    assert_int_equal(asked(PAY_REFUND)->amount, 2 * Y);
    assert_int_equal(wallet(), before);
    assert_int_equal(lot(id)->refunded, 6 * Y);
}

/* Gift money pays no single order, and the wallet's principal does not either. */
static void test_single_is_its_own(void **state)
{
    (void)state;
    tenant_set(GIFT_FIRST, 0);
    assert_int_equal(gift_give_days(5 * Y, 0), 0);
    int64_t id = pay_open(2 * Y, 0, w->gun);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 2 * Y), 0);
    int64_t order = lot(id)->order_id;
    assert_int_equal(held(ACCOUNT_WALLET_BONUS), 0);
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    char tag[37];
    const struct out *call = start_call_out();
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.amount = Y;
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 3 * KWH, w->now), 0); /* 3.60 of 2.00 */
    assert_int_equal(world_order(w, order)->paid, 2 * Y);
    assert_int_equal(world_order(w, order)->loss, 16000);
    assert_null(asked(PAY_REFUND));
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(gift(), 5 * Y);
    assert_int_equal(lot(id)->bound, 0);
}

/* Estimated at 1 kWh because the charger fell silent; the rest of the 10.00 is asked back. */
static int64_t single_estimated(int64_t *order, int64_t *tx)
{
    char tag[37];
    int64_t id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    *order = lot(id)->order_id;
    const struct out *call = start_call_out();
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    *tx = w->reply.u.tag.tx;
    world_run(w, 30000);
    world_meter(w, *tx, 2 * KWH, 120000);
    world_close(w);
    world_run(w, 3700 * 1000);
    assert_int_equal(world_order(w, *order)->estimated, 1);
    assert_int_equal(world_order(w, *order)->paid, 12000);
    assert_int_equal(lot(id)->refunded, 88000);
    return id;
}

/* The true end is more: it is paid with what is left of the payment, and with nothing else. */
static void test_single_true_end(void **state)
{
    (void)state;
    tenant_set(GIFT_FIRST, 0);
    assert_int_equal(gift_give_days(5 * Y, 0), 0);
    int64_t order, tx, id = single_estimated(&order, &tx);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, 6 * KWH, w->now - 3000 * 1000), 0); /* 6.00 */
    assert_int_equal(world_order(w, order)->total, 6 * Y);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(world_order(w, order)->loss, 48000);
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(gift(), 5 * Y);
    /* The source did not take the rest. */
    id = single_estimated(&order, &tx);
    const struct row_payout *out = world_last(w, ROW_PAYOUT);
    assert_int_equal(out->payment, id);
    assert_int_equal(told(out->id, PAY_REFUND, PAY_FAILED, 88000), 0);
    assert_int_equal(wallet(), 4 * Y + 88000);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, 16 * KWH, w->now - 3000 * 1000), 0); /* 18.00 */
    assert_int_equal(world_order(w, order)->paid, 10 * Y);
    assert_int_equal(world_order(w, order)->loss, 8 * Y);
    assert_int_equal(wallet(), 4 * Y);
    assert_int_equal(gift(), 5 * Y);
}

static void test_single_start_fails(void **state)
{
    (void)state;
    int64_t id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    world_answer(w, start_call_out(), 0, "Rejected");
    assert_non_null(asked(PAY_REFUND));
    assert_int_equal(asked(PAY_REFUND)->amount, 10 * Y);
    assert_int_equal(wallet(), 4 * Y);
    /* The connector is taken by somebody else before the money comes. */
    id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(world_start(w, w->gun, Y), 0);
    assert_int_equal(pay_new(10 * Y, 0, w->gun), ERR_BUSY);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    assert_int_equal(asked(PAY_REFUND)->amount, 10 * Y);
    assert_int_equal(lot(id)->order_id, 0);
    assert_int_equal(wallet(), 4 * Y);
    /* Or the charger is away. */
    id = pay_open(10 * Y, 0, w->gun2);
    assert_int_equal(world_close(w), 0);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    assert_int_equal(asked(PAY_REFUND)->amount, 10 * Y);
    assert_int_equal(pay_new(10 * Y, 0, w->gun2), ERR_OFFLINE);
    assert_int_equal(pay_new(10 * Y, 0, w->gun2 + 1000), ERR_NOT_FOUND);
}

/* The call never left before the program ended: the money goes back as it comes up again. */
static void test_single_restart(void **state)
{
    (void)state;
    int64_t id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    int64_t order = lot(id)->order_id;
    world_restart(w);
    world_run(w, 120000);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    assert_int_equal(lot(id)->refunded, 10 * Y);
    assert_int_equal(lot(id)->bound, 0);
    assert_int_equal(wallet(), 4 * Y);
}

static void test_single_late_and_frozen(void **state)
{
    (void)state;
    int64_t id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(told(id, PAY_CLOSE, PAY_CLOSED, -1), 0);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    assert_null(world_call(w, CALL_REMOTE_START));
    assert_null(asked(PAY_REFUND));
    assert_int_equal(wallet(), 14 * Y);
    id = pay_open(10 * Y, 0, w->gun);
    assert_int_equal(freeze(1), 0);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    assert_null(world_call(w, CALL_REMOTE_START));
    assert_int_equal(wallet(), 24 * Y); /* it is his, and waits there */
    assert_int_equal(freeze(0), 0);
    assert_int_equal(payout(id, 10 * Y, wechat), 0);
}

int core_wallet(void);

int core_wallet(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gift_last, up, down),
        cmocka_unit_test_setup_teardown(test_gift_first_and_evenly, up, down),
        cmocka_unit_test_setup_teardown(test_refunds_in_steps, up, down),
        cmocka_unit_test_setup_teardown(test_gift_release_and_raise, up, down),
        cmocka_unit_test_setup_teardown(test_gift_bad_input, up, down),
        cmocka_unit_test_setup_teardown(test_gift_expires, up, down),
        cmocka_unit_test_setup_teardown(test_package, up, down),
        cmocka_unit_test_setup_teardown(test_package_refund, up, down),
        cmocka_unit_test_setup_teardown(test_package_refund_expired, up, down),
        cmocka_unit_test_setup_teardown(test_package_refund_partly_expired, up, down),
        cmocka_unit_test_setup_teardown(test_package_refund_days, up, down),
        cmocka_unit_test_setup_teardown(test_paid_after_closing, up, down),
        cmocka_unit_test_setup_teardown(test_only_the_rest_of_a_lot, up, down),
        cmocka_unit_test_setup_teardown(test_gift_is_nobodys_share, up, down),
        cmocka_unit_test_setup_teardown(test_package_refund_held, up, down),
        cmocka_unit_test_setup_teardown(test_package_refund_fails, up, down),
        cmocka_unit_test_setup_teardown(test_freeze, up, down),
        cmocka_unit_test_setup_teardown(test_freeze_card, up, down),
        cmocka_unit_test_setup_teardown(test_close, up, down),
        cmocka_unit_test_setup_teardown(test_close_in_debt, up, down),
        cmocka_unit_test_setup_teardown(test_single, up, down),
        cmocka_unit_test_setup_teardown(test_single_is_its_own, up, down),
        cmocka_unit_test_setup_teardown(test_single_true_end, up, down),
        cmocka_unit_test_setup_teardown(test_single_start_fails, up, down),
        cmocka_unit_test_setup_teardown(test_single_restart, up, down),
        cmocka_unit_test_setup_teardown(test_single_late_and_frozen, up, down),
    };
    return cmocka_run_group_tests_name("wallet", tests, NULL, NULL);
}
