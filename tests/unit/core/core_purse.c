// SPDX-License-Identifier: Apache-2.0
/* core_purse.c: money outside the life of an order: shares mature, orders give back, drivers pay
 * through channels, parties withdraw. After each step the books balance, what matures is what is
 * pending, and what is on its way is what lies in transit (world_seal). */
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

static struct world world, *w = &world;
static int64_t wechat, bank, checker;

static int64_t balance(int32_t kind, int64_t owner)
{
    return world_balance(w, kind, owner);
}

static int64_t wallet(void)
{
    return balance(ACCOUNT_WALLET, w->driver);
}

static int64_t add(enum row_table t, const void *row)
{
    assert_int_equal(world_put(w, t, true, row), 0);
    return w->reply.u.made.id;
}

static void tenant_set(int32_t refund_days, int64_t payout_check, int64_t payout_fee)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.refund_days = refund_days;
    t.payout_check = payout_check;
    t.payee_hold_h = 0;
    t.payout_fee = payout_fee;
    t.payout_min = 100;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = add(ROW_CHANNEL, &(struct row_channel){.kind = CHANNEL_WECHAT,
                                                    .name = "wechat",
                                                    .url = "",
                                                    .app = "",
                                                    .merchant = "",
                                                    .keys = ""});
    bank = add(ROW_CHANNEL, &(struct row_channel){.kind = CHANNEL_BANK,
                                                  .name = "bank",
                                                  .url = "",
                                                  .app = "",
                                                  .merchant = "",
                                                  .keys = ""});
    checker = w->person + 1; /* another person: the core compares who asked and who approves */
    tenant_set(7, 0, 0);
    world_owner_payee(w, 1, "sub-account 7");
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* An order of `kwh` at 1.2 yuan, from a wallet that has 4.00. */
static int64_t order_of(int64_t kwh)
{
    return world_order_of(w, kwh);
}

static int refund(int64_t order, int64_t amount)
{
    return world_refund(w, order, amount);
}

/* ---- shares ---- */

static void test_share_matures(void **state)
{
    (void)state;
    (void)order_of(2 * KWH);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 12000);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 12000);
    assert_int_equal(world_count(w, ROW_MATURING), 1);
    world_run(w, 6 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 0);
    world_restart(w);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 12000);
    assert_int_equal(world_count(w, ROW_MATURING), 0);
}

static void test_share_days_apart(void **state)
{
    (void)state;
    (void)order_of(KWH);
    world_run(w, DAY_MS);
    (void)order_of(KWH);
    assert_int_equal(world_count(w, ROW_MATURING), 2);
    world_run(w, 7 * DAY_MS - 3600000);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 6000);
    world_run(w, DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 12000);
}

/* ---- refunds ---- */

static void test_refund_pending(void **state)
{
    (void)state;
    int64_t order = order_of(2 * KWH);
    assert_int_equal(refund(order, 10000), 0);
    assert_int_equal(wallet(), 40000 - 24000 + 10000);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 7000);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 7000);
    assert_int_equal(world_order(w, order)->refunded, 10000);
    assert_true(world_event(w, order, OE_REFUNDED));
    world_run(w, 8 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 7000);
}

static void test_refund_limits(void **state)
{
    (void)state;
    int64_t order = order_of(2 * KWH);
    assert_int_equal(refund(order, 0), ERR_RANGE);
    assert_int_equal(refund(order, -100), ERR_RANGE);
    assert_int_equal(refund(order, 150), ERR_RANGE); /* not whole fen */
    assert_int_equal(refund(order, 24100), ERR_RANGE);
    assert_int_equal(refund(order, 24000), 0);
    assert_int_equal(refund(order, 100), ERR_RANGE);
    assert_int_equal(wallet(), 40000);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 0);
    assert_int_equal(refund(order + 1, 100), ERR_NOT_FOUND);
    struct cmd *c = world_web(w, CMD_ORDER_REFUND, w->person, ACTOR_PERSON);
    c->head.tenant = w->tenant + 1; /* another operator's staff */
    c->u.order_refund.order = order;
    c->u.order_refund.amount = 100;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
}

/* Any sequence of refunds ends at zero for everybody, and none gives a party anything. */
static void test_refunds_end_at_zero(void **state)
{
    (void)state;
    struct rng r = {11};
    for (int round = 0; round < 30; round++) {
        struct cmd *c = world_web(w, CMD_TOPUP, w->person, ACTOR_PERSON);
        c->u.topup.driver = w->driver;
        c->u.topup.amount = 40000 - wallet();
        (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
        if (c->u.topup.amount)
            assert_int_equal(world_send(w, c), 0);
        int64_t order = order_of(KWH / 100 * (1 + (int64_t)rng_below(&r, 330)));
        int64_t left = world_order(w, order)->paid, own = balance(ACCOUNT_PENDING, w->owner);
        int64_t start = own;
        while (left > 0) {
            int64_t most = left / 100;
            int64_t v = 100 * (1 + (int64_t)rng_below(&r, (uint64_t)most));
            assert_int_equal(refund(order, v), 0);
            left -= v;
            assert_true(balance(ACCOUNT_PENDING, w->owner) <= own);
            own = balance(ACCOUNT_PENDING, w->owner);
            if (rng_below(&r, 3) == 0)
                world_restart(w);
        }
        assert_int_equal(wallet(), 40000);
        assert_true(own <= start);
        assert_int_equal(own, 0);
        assert_int_equal(world_open(w), 0);
    }
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 0);
}

/* ---- payouts ---- */

static int payout(int64_t party, int64_t payment, int64_t amount, int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = party;
    c->u.payout_new.payment = payment;
    c->u.payout_new.amount = amount;
    c->u.payout_new.channel = channel;
    return world_send(w, c);
}

static int decide(int64_t id, enum payout_act act, int64_t who)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, who, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = act;
    (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("B-1"));
    return world_send(w, c);
}

static const struct out_pay *asked(enum pay_op op)
{
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == OUT_PAY && w->outs[i].u.pay.op == (int32_t)op)
            return &w->outs[i].u.pay;
    return NULL;
}

static int told(int64_t row, int64_t channel, enum pay_op op, enum pay_state s, int64_t amount)
{
    return world_told(w, row, channel, op, s, amount);
}

static const struct row_payout *payout_row(int64_t id)
{
    return world_row(w, ROW_PAYOUT, id);
}

/* The owner has 2.00 available. */
static void available_make(void)
{
    (void)order_of(10 * KWH / 3 + 1); /* 4.00 */
    world_run(w, 8 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 20000);
}

static void test_payout_two_people(void **state)
{
    (void)state;
    available_make();
    assert_int_equal(payout(w->owner, 0, 15000, wechat), 0);
    int64_t id = w->reply.u.made.id;
    assert_null(asked(PAY_TRANSFER)); /* nothing leaves before a second person */
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 5000);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 15000);
    assert_int_equal(payout(w->owner, 0, 15000, wechat), ERR_NO_FUNDS); /* not twice */
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE, w->person), ERR_DENIED);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE, checker), 0);
    assert_non_null(asked(PAY_TRANSFER));
    assert_int_equal(asked(PAY_TRANSFER)->amount, 15000);
    assert_int_equal(decide(id, PAYOUT_ACT_CANCEL, w->person), ERR_CONFLICT); /* too late */
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_WAIT_PAYEE, 15000), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_WAIT_PAYEE);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 15000), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_SETTLED);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 15000);
    /* What is said after the end changes nothing. */
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_FAILED, 15000), 0);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 15000), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 5000);
}

/* Done, but not what was asked for: nothing settles, and somebody is told once. */
static void test_payout_other_amount(void **state)
{
    (void)state;
    tenant_set(7, 10000, 100);
    available_make();
    assert_int_equal(payout(w->owner, 0, 10000, wechat), 0);
    int64_t id = w->reply.u.made.id, transit = balance(ACCOUNT_TRANSIT, w->owner);
    size_t audits = world_count(w, ROW_AUDIT);
    /* An earlier trouble of the same name does not hide it. */
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result.row = id;
    c->u.pay_result.channel = wechat;
    c->u.pay_result.op = PAY_TRANSFER;
    c->u.pay_result.state = PAY_PENDING;
    c->u.pay_result.err = ERR_CONFLICT;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 990000), 0);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 10000), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_UNKNOWN);
    assert_int_equal(payout_row(id)->err, ERR_CONFLICT);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), transit);
    assert_int_equal(world_count(w, ROW_AUDIT), audits + 1);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 9900), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_SETTLED);
}

static void test_payout_small_and_fee(void **state)
{
    (void)state;
    tenant_set(7, 10000, 100);
    available_make();
    assert_int_equal(payout(w->owner, 0, 10000, wechat), 0);
    int64_t id = w->reply.u.made.id;
    assert_non_null(asked(PAY_TRANSFER)); /* up to the limit it goes out at once */
    assert_int_equal(asked(PAY_TRANSFER)->amount, 9900);
    int64_t income = balance(ACCOUNT_INCOME, w->platform);
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_DONE, 9900), 0);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), income + 100);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 9900);
}

/* Unknown stays unknown until the rail knows, over a restart too; failed gives everything back. */
static void test_payout_unknown(void **state)
{
    (void)state;
    tenant_set(7, 1000000, 0);
    available_make();
    assert_int_equal(payout(w->owner, 0, 20000, wechat), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_UNKNOWN, -1), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_UNKNOWN);
    world_run(w, DAY_MS);
    assert_int_equal(payout_row(id)->state, PAYOUT_UNKNOWN);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 20000);
    world_restart(w);
    world_tick(w, w->now);
    assert_non_null(asked(PAY_TRANSFER_QUERY));
    assert_null(asked(PAY_TRANSFER)); /* asked about, not sent again */
    assert_int_equal(told(id, bank, PAY_TRANSFER_QUERY, PAY_DONE, 20000), ERR_NOT_FOUND);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_FAILED, 20000), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_FAILED);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 20000);
}

static void test_payout_short_funds(void **state)
{
    (void)state;
    tenant_set(7, 1000000, 0);
    available_make();
    assert_int_equal(payout(w->owner, 0, 20000, wechat), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_NO_FUNDS, -1), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_APPROVED);
    world_tick(w, w->now + 10 * 60 * 1000);
    assert_non_null(asked(PAY_TRANSFER)); /* again, under the same number */
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_DONE, 20000), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_SETTLED);
}

static void test_payout_refusals(void **state)
{
    (void)state;
    available_make();
    assert_int_equal(payout(w->owner, 0, 20100, wechat), ERR_NO_FUNDS);
    assert_int_equal(payout(w->owner, 0, 50, wechat), ERR_RANGE);
    assert_int_equal(payout(w->owner, 0, 0, wechat), ERR_RANGE);
    assert_int_equal(payout(w->owner, 0, -100, wechat), ERR_RANGE);
    assert_int_equal(payout(w->owner, 0, 150, wechat), ERR_RANGE);
    assert_int_equal(payout(w->owner, 0, 100, w->station), ERR_NOT_FOUND);
    assert_int_equal(payout(w->driver, 0, 100, wechat), ERR_NOT_FOUND);
    world_owner_payee(w, 0, "");
    assert_int_equal(payout(w->owner, 0, 100, wechat), ERR_DENIED);
    world_owner_payee(w, 1, "sub-account 7");
    assert_int_equal(payout(w->owner, 0, 10000, bank), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(decide(id, PAYOUT_ACT_SETTLED, checker), ERR_CONFLICT);
    assert_int_equal(decide(id, PAYOUT_ACT_REFUSE, checker), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 20000);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE, checker), ERR_CONFLICT);
}

/* By a bank's file people say what became of it, and not the one who asked. */
static void test_payout_by_bank(void **state)
{
    (void)state;
    available_make();
    assert_int_equal(payout(w->owner, 0, 20000, bank), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE, checker), 0);
    assert_null(world_out(w, OUT_PAY));
    world_restart(w);
    world_run(w, DAY_MS);
    assert_int_equal(payout_row(id)->state, PAYOUT_APPROVED);
    assert_int_equal(decide(id, PAYOUT_ACT_SETTLED, w->person), ERR_DENIED);
    assert_int_equal(decide(id, PAYOUT_ACT_SETTLED, checker), 0);
    assert_int_equal(balance(ACCOUNT_BANK, bank), 20000);
    assert_int_equal(decide(id, PAYOUT_ACT_FAILED, checker), ERR_CONFLICT);
}

/* A refund after the share was withdrawn: the driver has it at once, the owner owes, and what comes
 * later settles the debt first. */
static void test_refund_after_withdrawal(void **state)
{
    (void)state;
    int64_t order = order_of(10 * KWH / 3 + 1);
    world_run(w, 8 * DAY_MS);
    tenant_set(7, 1000000, 0);
    assert_int_equal(payout(w->owner, 0, 20000, wechat), 0);
    assert_int_equal(told(w->reply.u.made.id, wechat, PAY_TRANSFER, PAY_DONE, 20000), 0);
    assert_int_equal(refund(order, 20000), 0);
    assert_int_equal(wallet(), 20000);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), -10000);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 10000);
    assert_int_equal(world_open(w), 0);
    int64_t tx;
    (void)world_charging(w, 20000, &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 3 * KWH / 2, w->now), 0); /* 1.80: 0.90 each */
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), -1000);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 0);
}

/* ---- payments ---- */

static int64_t payment_start(int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
    c->u.payment_new.driver = w->driver;
    c->u.payment_new.channel = wechat;
    c->u.payment_new.amount = amount;
    c->u.payment_new.method = PAY_METHOD_QR;
    (void)str_copy(c->u.payment_new.currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    const struct out_pay *ask = asked(PAY_CREATE);
    assert_non_null(ask);
    assert_int_equal(ask->amount, amount);
    char no[33];
    snprintf(no, sizeof no, "P%lld", (long long)id);
    assert_string_equal(ask->no, no);
    return id;
}

static int32_t payment_state_of(int64_t id)
{
    return ((const struct row_payment *)world_row(w, ROW_PAYMENT, id))->state;
}

static void test_payment(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    assert_int_equal(told(id, wechat, PAY_CREATE, PAY_PENDING, -1), 0);
    assert_int_equal(payment_state_of(id), PAYMENT_WAITING);
    assert_int_equal(wallet(), 40000);
    /* A notice is a reason to ask, and moves nothing. */
    assert_int_equal(told(id, wechat, PAY_NOTICE, PAY_DONE, 100000), 0);
    assert_non_null(asked(PAY_QUERY));
    assert_int_equal(wallet(), 40000);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    assert_int_equal(wallet(), 140000);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), -100000);
    /* However often. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(told(id, wechat, PAY_NOTICE, PAY_DONE, 100000), 0);
        assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
        assert_int_equal(told(id, wechat, PAY_CLOSE, PAY_CLOSED, -1), 0);
        world_restart(w);
    }
    world_run(w, EVICT_MS + 1000);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    assert_int_equal(wallet(), 140000);
    assert_int_equal(payment_state_of(id), PAYMENT_PAID);
}

static void test_payment_late(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    assert_int_equal(told(id, wechat, PAY_CREATE, PAY_PENDING, -1), 0);
    world_run(w, 16 * 60 * 1000);
    assert_int_equal(told(id, wechat, PAY_CLOSE, PAY_CLOSED, -1), 0);
    assert_int_equal(payment_state_of(id), PAYMENT_CLOSED);
    world_run(w, DAY_MS);
    world_restart(w);
    assert_int_equal(told(id, wechat, PAY_NOTICE, PAY_DONE, 100000), 0);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    assert_int_equal(wallet(), 140000);
}

static void test_payment_wrong(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    assert_int_equal(told(id + 1, wechat, PAY_QUERY, PAY_DONE, 100000), ERR_NOT_FOUND);
    assert_int_equal(told(id, bank, PAY_QUERY, PAY_DONE, 100000), ERR_NOT_FOUND);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 1), 0); /* one unit was paid */
    assert_int_equal(payment_state_of(id), PAYMENT_SUSPENSE);
    assert_int_equal(wallet(), 40000);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 1);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    assert_int_equal(wallet(), 40000);
}

static void test_payment_lost_answers(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    world_tick(w, w->now + 5000);
    assert_non_null(asked(PAY_CREATE)); /* the same number again: idempotent there */
    world_restart(w);
    world_tick(w, w->now);
    assert_non_null(asked(PAY_CREATE));
    world_run(w, 20 * 60 * 1000);
    assert_int_equal(told(id, wechat, PAY_CLOSE, PAY_FAILED, -1), 0); /* it never heard of it */
    assert_int_equal(payment_state_of(id), PAYMENT_FAILED);
}

static void test_payment_refusals(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        int32_t method, err;
        const char *currency;
    } bad[] = {
        {0, PAY_METHOD_QR, ERR_RANGE, "CNY"},      {-100, PAY_METHOD_QR, ERR_RANGE, "CNY"},
        {150, PAY_METHOD_QR, ERR_RANGE, "CNY"},    {200000000, PAY_METHOD_QR, ERR_RANGE, "CNY"},
        {100, PAY_METHOD_STAFF, ERR_RANGE, "CNY"}, {100, 9, ERR_RANGE, "CNY"},
        {100, PAY_METHOD_QR, ERR_CURRENCY, "EUR"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
        c->u.payment_new.driver = w->driver;
        c->u.payment_new.channel = wechat;
        c->u.payment_new.amount = bad[i].amount;
        c->u.payment_new.method = bad[i].method;
        (void)str_copy(c->u.payment_new.currency, 4, str_from_c(bad[i].currency));
        assert_int_equal(world_send(w, c), bad[i].err);
    }
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver + 1, ACTOR_DRIVER);
    c->u.payment_new.driver = w->driver; /* somebody else's wallet */
    c->u.payment_new.channel = wechat;
    c->u.payment_new.amount = 100;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c->head.actor = w->driver;
    c->u.payment_new.channel = bank;
    assert_int_equal(world_send(w, c), ERR_UNSUPPORTED);
}

/* Unused principal goes back to its source, once, and a failed refund restores the lot. */
static void test_principal_back(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    assert_int_equal(payout(0, id, 100100, wechat), ERR_RANGE);
    assert_int_equal(payout(0, id, 60000, wechat), 0);
    int64_t out = w->reply.u.made.id;
    assert_int_equal(wallet(), 80000);
    assert_int_equal(payout(0, id, 50000, wechat), ERR_RANGE); /* only 40000 of the lot are left */
    assert_int_equal(decide(out, PAYOUT_ACT_APPROVE, checker), 0);
    const struct out_pay *ask = asked(PAY_REFUND);
    assert_non_null(ask);
    assert_int_equal(ask->amount, 60000);
    assert_int_equal(ask->total, 100000);
    char of[33];
    snprintf(of, sizeof of, "P%lld", (long long)id);
    assert_string_equal(ask->of_no, of);
    world_run(w, EVICT_MS + 1000);
    world_restart(w);
    assert_int_equal(told(out, wechat, PAY_REFUND_QUERY, PAY_FAILED, -1), 0);
    assert_int_equal(wallet(), 140000);
    assert_int_equal(((const struct row_payment *)world_row(w, ROW_PAYMENT, id))->refunded, 0);
    assert_int_equal(payout(0, id, 100000, wechat), 0);
    out = w->reply.u.made.id;
    assert_int_equal(decide(out, PAYOUT_ACT_APPROVE, checker), 0);
    assert_int_equal(told(out, wechat, PAY_REFUND, PAY_DONE, 100000), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 0);
    assert_int_equal(payout(0, id, 100, wechat), ERR_RANGE);
}

/* What staff took in cash is a lot too; it goes back by people. */
static void test_principal_of_staff(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_TOPUP, w->person, ACTOR_PERSON);
    c->u.topup.driver = w->driver;
    c->u.topup.amount = 50000;
    (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
    size_t before = world_count(w, ROW_PAYMENT);
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_count(w, ROW_PAYMENT), before + 1);
    int64_t lot = w->reply.u.made.id + 1; /* its row is made right after the transfer */
    assert_non_null(world_row(w, ROW_PAYMENT, lot));
    int64_t cash = balance(ACCOUNT_CASH, 0);
    assert_int_equal(payout(0, lot, 50000, 0), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE, checker), 0);
    assert_int_equal(decide(id, PAYOUT_ACT_SETTLED, checker), 0);
    assert_int_equal(balance(ACCOUNT_CASH, 0), cash + 50000);
}

/* ---- what belongs to others, is switched off, or is not theirs to say ---- */

enum { OTHER = 501, OTHER_PARTY, OTHER_CHANNEL, OTHER_BANK, OTHER_DRIVER };

/* Another operator with a party, channels and a driver of its own. */
static void other_make(void)
{
    const struct row_tenant tenant = {
        .id = OTHER, .name = "Other", .currency = "CNY", .zone = "Asia/Shanghai", .version = 1};
    const struct row_party party = {.id = OTHER_PARTY,
                                    .tenant = OTHER,
                                    .kind = PARTY_PROPERTY,
                                    .name = "other",
                                    .verified = 1,
                                    .payee = "x",
                                    .payee_name = "x",
                                    .version = 1};
    struct row_channel channel = {.id = OTHER_CHANNEL,
                                  .tenant = OTHER,
                                  .kind = CHANNEL_WECHAT,
                                  .name = "other",
                                  .url = "",
                                  .app = "",
                                  .merchant = "",
                                  .keys = "",
                                  .version = 1};
    const struct row_driver driver = {
        .id = OTHER_DRIVER, .tenant = OTHER, .phone = "13900000000", .name = "", .version = 1};
    assert_int_equal(core_load(w->core, ROW_TENANT, &tenant), 0);
    assert_int_equal(core_load(w->core, ROW_PARTY, &party), 0);
    assert_int_equal(core_load(w->core, ROW_CHANNEL, &channel), 0);
    channel.id = OTHER_BANK;
    channel.kind = CHANNEL_BANK;
    assert_int_equal(core_load(w->core, ROW_CHANNEL, &channel), 0);
    assert_int_equal(core_load(w->core, ROW_DRIVER, &driver), 0);
}

/* A withdrawal as somebody of this operator and station scope asks for it. */
static int payout_as(int64_t tenant, int64_t station, int64_t party, int64_t payment,
                     int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->head.tenant = tenant;
    c->head.station = station;
    c->u.payout_new.party = party;
    c->u.payout_new.payment = payment;
    c->u.payout_new.amount = 100;
    c->u.payout_new.channel = channel;
    return world_send(w, c);
}

static void row_state(enum row_table t, int64_t id, int32_t state)
{
    struct row_party p;
    struct row_channel ch;
    struct row_driver d;
    if (t == ROW_PARTY) {
        p = *(const struct row_party *)world_row(w, t, id);
        p.state = state;
        assert_int_equal(world_put(w, t, false, &p), 0);
    } else if (t == ROW_CHANNEL) {
        ch = *(const struct row_channel *)world_row(w, t, id);
        ch.state = state;
        assert_int_equal(world_put(w, t, false, &ch), 0);
    } else {
        d = *(const struct row_driver *)world_row(w, t, id);
        d.state = state;
        assert_int_equal(world_put(w, t, false, &d), 0);
    }
}

static void payee_set(int32_t verified, const char *payee)
{
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    p.verified = verified;
    p.payee = payee;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
}

static void test_payout_of_others(void **state)
{
    (void)state;
    available_make();
    other_make();
    assert_int_equal(payout_as(9999, 0, w->owner, 0, wechat), ERR_NOT_FOUND);
    assert_int_equal(payout_as(w->tenant, 0, OTHER_PARTY, 0, wechat), ERR_NOT_FOUND);
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, OTHER_CHANNEL), ERR_NOT_FOUND);
    assert_int_equal(payout_as(w->tenant, w->station, w->owner, 0, wechat), ERR_NOT_FOUND);
    row_state(ROW_PARTY, w->owner, ROW_DISABLED);
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), ERR_DISABLED);
    row_state(ROW_PARTY, w->owner, ROW_ACTIVE);
    row_state(ROW_CHANNEL, wechat, ROW_DISABLED);
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), ERR_DISABLED);
    row_state(ROW_CHANNEL, wechat, ROW_ACTIVE);
    payee_set(0, "sub-account 7");
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), ERR_DENIED);
    payee_set(1, "");
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), ERR_DENIED);
    payee_set(1, "sub-account 7");
    tenant_set(7, 0, 100); /* the fee would eat it */
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), ERR_RANGE);
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.payout_fee = 0;
    t.payout_min = 200;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), ERR_RANGE);
    tenant_set(7, 0, 0);
    assert_int_equal(payout_as(w->tenant, 0, w->owner, 0, wechat), 0);
}

static void test_principal_of_others(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    other_make();
    assert_int_equal(payout(0, id, 100, wechat), ERR_CONFLICT); /* not paid yet */
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    assert_int_equal(payout_as(OTHER, 0, 0, id, wechat), ERR_NOT_FOUND);
    assert_int_equal(payout_as(w->tenant, w->station, 0, id, wechat), ERR_NOT_FOUND);
    assert_int_equal(payout(0, id + 1, 100, wechat), ERR_NOT_FOUND);
    assert_int_equal(payout(0, id, 100, 0), ERR_CONFLICT);
    assert_int_equal(payout(0, id, 100, OTHER_BANK), ERR_CONFLICT);
    assert_int_equal(payout(0, id, 100, OTHER_CHANNEL), ERR_CONFLICT);
    assert_int_equal(payout(0, id, 150, wechat), ERR_RANGE);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, OTHER_DRIVER, ACTOR_DRIVER);
    c->u.payout_new = (struct cmd_payout_new){.payment = id, .amount = 100, .channel = wechat};
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(world_start(w, w->gun, wallet() - 100), 0); /* all but a fen is held */
    assert_int_equal(payout(0, id, 200, wechat), ERR_NO_FUNDS);
    assert_int_equal(payout(0, id, 100, wechat), 0);
}

static void test_principal_too_old(void **state)
{
    (void)state;
    int64_t id = payment_start(100000);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 100000), 0);
    world_tick(w, w->now + 365 * DAY_MS);
    assert_int_equal(payout(0, id, 100, wechat), 0);
    world_tick(w, w->now + 1000);
    assert_int_equal(payout(0, id, 100, wechat), ERR_CLOSED);
    /* By a bank people can still: to an account that they name, and a second one looks at. */
    assert_int_equal(payout(0, id, 100, bank), ERR_REQUIRED);
    tenant_set(7, 10000, 0);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new = (struct cmd_payout_new){.payment = id, .amount = 100, .channel = bank};
    (void)str_copy(c->u.payout_new.payee, 121, STR_LIT("6222020200001234567"));
    (void)str_copy(c->u.payout_new.payee_name, 101, STR_LIT("Driver"));
    assert_int_equal(world_send(w, c), 0);
    const struct row_payout *p = payout_row(w->reply.u.made.id);
    assert_int_equal(p->state, PAYOUT_REQUESTED);
    assert_string_equal(p->payee, "6222020200001234567");
}

static int decide_as(int64_t tenant, int64_t station, int64_t party, int64_t id, int32_t act,
                     const char *bank_no)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, checker, ACTOR_PERSON);
    c->head.tenant = tenant;
    c->head.station = station;
    c->u.payout_decide.payout = id;
    c->u.payout_decide.party = party;
    c->u.payout_decide.act = act;
    (void)str_copy(c->u.payout_decide.bank_no, 65, str_from_c(bank_no));
    return world_send(w, c);
}

static void test_decide_is_not_for_all(void **state)
{
    (void)state;
    available_make();
    other_make();
    assert_int_equal(payout(w->owner, 0, 10000, bank), 0);
    int64_t id = w->reply.u.made.id, t = w->tenant, own = w->owner;
    assert_int_equal(decide_as(t, 0, 0, id + 1, PAYOUT_ACT_APPROVE, ""), ERR_NOT_FOUND);
    assert_int_equal(decide_as(OTHER, 0, 0, id, PAYOUT_ACT_APPROVE, ""), ERR_NOT_FOUND);
    assert_int_equal(decide_as(t, w->station, 0, id, PAYOUT_ACT_APPROVE, ""), ERR_NOT_FOUND);
    assert_int_equal(decide_as(t, 0, w->platform, id, PAYOUT_ACT_CANCEL, ""), ERR_NOT_FOUND);
    assert_int_equal(decide_as(t, 0, own, id, PAYOUT_ACT_APPROVE, ""), ERR_DENIED);
    assert_int_equal(decide_as(t, 0, 0, id, 99, ""), ERR_RANGE);
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_SETTLED, "B"), ERR_CONFLICT);
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_APPROVE, ""), 0);
    assert_int_equal(decide_as(t, 0, own, id, PAYOUT_ACT_SETTLED, "B"), ERR_DENIED);
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_SETTLED, ""), ERR_REQUIRED);
    assert_int_equal(decide_as(t, 0, own, id, PAYOUT_ACT_CANCEL, ""), ERR_CONFLICT);
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_SETTLED, "B"), 0);
    assert_int_equal(payout(w->owner, 0, 5000, wechat), 0); /* by a channel: not for people */
    id = w->reply.u.made.id;
    assert_int_equal(decide_as(t, 0, own, id, PAYOUT_ACT_CANCEL, ""), 0);
    assert_int_equal(payout(w->owner, 0, 5000, wechat), 0);
    id = w->reply.u.made.id;
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_APPROVE, ""), 0);
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_FAILED, ""), ERR_CONFLICT);
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_NO_FUNDS, -1), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_APPROVED); /* to be tried again */
    assert_int_equal(decide_as(t, 0, 0, id, PAYOUT_ACT_FAILED, ""), ERR_CONFLICT);
}

static int paid_as(int64_t party, int64_t id, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, checker, ACTOR_PERSON);
    c->u.payout_decide = (struct cmd_payout_decide){
        .payout = id, .party = party, .act = PAYOUT_ACT_PAID, .amount = amount, .note = "seen"};
    return world_send(w, c);
}

/* Neither a party nor who asked refuses a withdrawal: they take it back. What was paid is said by staff
 * alone, and only where the rail said another amount; what it comes to must have room. */
static void test_decide_by_the_wrong_ones(void **state)
{
    (void)state;
    available_make();
    assert_int_equal(payout(w->owner, 0, 10000, wechat), 0);
    int64_t id = w->reply.u.made.id, t = w->tenant, own = w->owner;
    assert_int_equal(decide_as(t, 0, own, id, PAYOUT_ACT_REFUSE, ""), ERR_DENIED);
    assert_int_equal(decide(id, PAYOUT_ACT_REFUSE, w->person), ERR_DENIED);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE, checker), 0);
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_UNKNOWN, -1), 0);
    assert_int_equal(paid_as(0, id, 10000), ERR_CONFLICT); /* the rail said nothing yet */
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 9900), 0);
    assert_int_equal(paid_as(own, id, 9900), ERR_DENIED);
    assert_int_equal(paid_as(0, id, 1000000000100), ERR_RANGE); /* above 100 million yuan */
    uint32_t cap = w->core->dir[ROW_BILL_DIFF].cap;
    w->core->dir[ROW_BILL_DIFF].cap = 0;
    assert_int_equal(paid_as(0, id, 9900), ERR_FULL);
    w->core->dir[ROW_BILL_DIFF].cap = cap;
    assert_int_equal(balance(ACCOUNT_TRANSIT, own), 10000);
    assert_int_equal(paid_as(0, id, 9900), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT, own), 0);
}

static int payment_as(int64_t tenant, int64_t driver, int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->person, ACTOR_PERSON);
    c->head.tenant = tenant;
    c->u.payment_new.driver = driver;
    c->u.payment_new.channel = channel;
    c->u.payment_new.amount = 100;
    c->u.payment_new.method = PAY_METHOD_QR;
    (void)str_copy(c->u.payment_new.currency, 4, STR_LIT("CNY"));
    return world_send(w, c);
}

static void test_payment_of_others(void **state)
{
    (void)state;
    other_make();
    assert_int_equal(payment_as(9999, w->driver, wechat), ERR_NOT_FOUND);
    assert_int_equal(payment_as(w->tenant, w->driver + 7, wechat), ERR_NOT_FOUND);
    assert_int_equal(payment_as(w->tenant, w->driver, w->station), ERR_NOT_FOUND);
    assert_int_equal(payment_as(w->tenant, OTHER_DRIVER, wechat), ERR_NOT_FOUND);
    assert_int_equal(payment_as(w->tenant, w->driver, OTHER_CHANNEL), ERR_NOT_FOUND);
    row_state(ROW_CHANNEL, wechat, ROW_DISABLED);
    assert_int_equal(payment_as(w->tenant, w->driver, wechat), ERR_DISABLED);
    row_state(ROW_CHANNEL, wechat, ROW_ACTIVE);
    row_state(ROW_DRIVER, w->driver, ROW_DISABLED);
    assert_int_equal(payment_as(w->tenant, w->driver, wechat), ERR_DISABLED);
    row_state(ROW_DRIVER, w->driver, ROW_ACTIVE);
    assert_int_equal(payment_as(w->tenant, w->driver, wechat), 0);
}

/* Where no more payments or payouts have room, none begins. */
static void test_tables_are_full(void **state)
{
    (void)state;
    available_make();
    struct slab *payments = &w->core->purse->payments, *payouts = &w->core->purse->payouts;
    uint32_t cap = payouts->cap;
    payouts->cap = payouts->live;
    assert_int_equal(payout(w->owner, 0, 10000, wechat), ERR_FULL);
    payouts->cap = cap;
    assert_int_equal(payout(w->owner, 0, 10000, wechat), 0);
    cap = payments->cap;
    payments->cap = payments->live;
    assert_int_equal(payment_as(w->tenant, w->driver, wechat), ERR_FULL);
    payments->cap = cap;
    assert_int_equal(payment_as(w->tenant, w->driver, wechat), 0);
}

static void test_refund_of_others(void **state)
{
    (void)state;
    int64_t tx, order = order_of(2 * KWH);
    struct cmd *c = world_web(w, CMD_ORDER_REFUND, w->person, ACTOR_PERSON);
    c->head.station = w->station + 1; /* staff of another station */
    c->u.order_refund.order = order;
    c->u.order_refund.amount = 100;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c->head.station = w->station;
    assert_int_equal(world_send(w, c), 0);
    int64_t open = world_charging(w, 10000, &tx);
    assert_int_equal(refund(open, 100), ERR_CONFLICT); /* it runs: nothing was paid */
}

/* What nobody paid for is nobody's to have back. */
static void test_refund_without_payer(void **state)
{
    int64_t then = w->now;
    (void)state;
    (void)world_close(w);
    world_run(w, 3600 * 1000);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, "STRANGER", KWH, then + 60000), TAG_INVALID);
    int64_t tx = w->reply.u.tag.tx;
    (void)world_tx_stop(w, tx, 2 * KWH, then + 660000);
    const struct order *o = order_by_tx(w->core, w->charger, tx);
    assert_non_null(o);
    assert_int_equal(o->row.state, ORDER_SETTLED);
    assert_int_equal(refund(o->row.id, 100), ERR_CONFLICT);
}

int core_purse(void);
int core_purse(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_share_matures),
        T(test_share_days_apart),
        T(test_refund_pending),
        T(test_refund_limits),
        T(test_refunds_end_at_zero),
        T(test_payout_two_people),
        T(test_payout_of_others),
        T(test_principal_of_others),
        T(test_principal_too_old),
        T(test_decide_is_not_for_all),
        T(test_decide_by_the_wrong_ones),
        T(test_tables_are_full),
        T(test_payment_of_others),
        T(test_refund_of_others),
        T(test_refund_without_payer),
        T(test_payout_small_and_fee),
        T(test_payout_other_amount),
        T(test_payout_unknown),
        T(test_payout_short_funds),
        T(test_payout_refusals),
        T(test_payout_by_bank),
        T(test_refund_after_withdrawal),
        T(test_payment),
        T(test_payment_late),
        T(test_payment_wrong),
        T(test_payment_lost_answers),
        T(test_payment_refusals),
        T(test_principal_back),
        T(test_principal_of_staff),
    };
    return cmocka_run_group_tests_name("core purse", tests, NULL, NULL);
}
