// SPDX-License-Identifier: Apache-2.0
/* core_sharing.c: shares that a channel pays out of a single payment: how much, when, and what becomes
 * of them when the channel refuses, pays another amount, forgets, or says it twice. The price is 1.2
 * yuan per kWh, 5:5 between the platform and the owner; a payment of 10.00 ends as an order of 6.00. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define Y      MONEY_UNIT
#define DAY_MS INT64_C(86400000)

static struct world world, *w = &world;
static int64_t wechat;

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_put(w, ROW_CHANNEL, true,
                               &(struct row_channel){.kind = CHANNEL_WECHAT,
                                                     .name = "wechat",
                                                     .url = "",
                                                     .app = "",
                                                     .merchant = "",
                                                     .keys = "",
                                                     .share_bp = 3000}),
                     0);
    wechat = w->reply.u.made.id;
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static const struct out_pay *asked(enum pay_op op)
{
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == OUT_PAY && w->outs[i].u.pay.op == (int32_t)op)
            return &w->outs[i].u.pay;
    return NULL;
}

static int told(int64_t row, enum pay_op op, enum pay_state s, int64_t amount)
{
    return world_told(w, row, wechat, op, s, amount);
}

/* The provider knows the owner as a receiver. */
static void receiver(void)
{
    struct cmd *c = world_web(w, CMD_PARTY_ACCOUNT, w->person, ACTOR_PERSON);
    struct cmd_party_account *in = &c->u.party_account;
    in->party = w->owner;
    in->channel = wechat;
    in->payee_kind = PAYEE_COMPANY;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("Owner"));
    assert_int_equal(world_send(w, c), ERR_REQUIRED); /* who gets it there? */
    c = world_web(w, CMD_PARTY_ACCOUNT, w->person, ACTOR_PERSON);
    in = &c->u.party_account;
    in->party = w->owner;
    in->channel = wechat;
    in->payee_kind = PAYEE_COMPANY;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("Owner"));
    (void)str_copy(in->account, sizeof in->account, STR_LIT("1900000109"));
    assert_int_equal(world_send(w, c), 0);
    assert_string_equal(asked(PAY_ACCOUNT_OPEN)->u.open.account, "1900000109");
    int64_t id = w->reply.u.made.id;
    c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result = (struct cmd_pay_result){
        .row = id, .channel = wechat, .op = PAY_ACCOUNT_OPEN, .state = PAY_DONE, .amount = -1};
    (void)str_copy(c->u.pay_result.provider_no, 65, STR_LIT("1900000109"));
    assert_int_equal(world_send(w, c), 0);
}

/* A payment of 10.00 at the gun; its id. */
static int64_t pay(void)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
    struct cmd_payment_new *in = &c->u.payment_new;
    in->driver = w->driver;
    in->channel = wechat;
    in->amount = 10 * Y;
    in->method = PAY_METHOD_QR;
    in->connector = w->gun;
    (void)str_copy(in->currency, sizeof in->currency, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(asked(PAY_CREATE)->sharing, 1);
    assert_int_equal(told(id, PAY_CREATE, PAY_PENDING, -1), 0);
    return id;
}

/* … and its order, running; the transaction. */
static int64_t charging(int64_t *payment, int64_t *order)
{
    char tag[37];
    int64_t id = pay();
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    *payment = id;
    *order = ((const struct row_payment *)world_row(w, ROW_PAYMENT, id))->order_id;
    return w->reply.u.tag.tx;
}

/* … that ends at 6.00, settled; 4.00 are on their way back. */
static int64_t ordered(int64_t *order)
{
    int64_t id, tx = charging(&id, order);
    world_run(w, 1000000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 5 * KWH, w->now), 0);
    assert_int_equal(world_order(w, *order)->state, ORDER_SETTLED);
    return id;
}

static const struct row_payment *lot(int64_t id)
{
    return world_row(w, ROW_PAYMENT, id);
}

static const struct row_payout *share(void)
{
    const struct row_payout *p = NULL;
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == ROW_PAYOUT) {
            const struct row_payout *r = world_unpacked_to(&w->kept, &w->rows[i]);
            p = r->kind == PAYOUT_SHARED ? r : p;
        }
    return p;
}

static int64_t balance(int32_t kind)
{
    return world_balance(w, kind, w->owner);
}

/* Up to the request for the shares. */
static int64_t sent(int64_t *order)
{
    int64_t id = ordered(order);
    assert_int_equal(told(lot(id)->rest, PAY_REFUND, PAY_DONE, 4 * Y), 0);
    world_tick(w, w->now + 10000);
    return id;
}

static int said(int64_t id, enum pay_op op, enum pay_state s, enum pay_state part, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result = (struct cmd_pay_result){
        .row = id, .channel = wechat, .op = op, .state = s, .amount = -1, .shared_n = 1};
    c->u.pay_result.shared[0] = (struct pay_shared){
        .payout = share()->id, .amount = amount, .state = part, .provider_no = "36011"};
    return world_send(w, c);
}

static void test_shared(void **state)
{
    (void)state;
    int64_t order, id;
    receiver();
    id = ordered(&order);
    /* 3.00 are the owner's; 30 % of 6.00 may be paid by the channel. */
    assert_int_equal(balance(ACCOUNT_PENDING), 12000);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 18000);
    assert_int_equal(lot(id)->sharing, SHARING_WAIT);
    world_tick(w, w->now + 10000);
    assert_null(asked(PAY_SHARE)); /* the rest first */
    assert_int_equal(told(lot(id)->rest, PAY_REFUND, PAY_DONE, 4 * Y), 0);
    world_tick(w, w->now + 10000);
    const struct out_pay *ask = asked(PAY_SHARE);
    assert_non_null(ask);
    assert_string_equal(ask->provider_no, "42000001");
    assert_int_equal(ask->u.share.n, 1);
    assert_int_equal(ask->u.share.to[0].amount, 18000);
    assert_string_equal(ask->u.share.to[0].account, "1900000109");
    assert_int_equal(said(id, PAY_SHARE, PAY_PENDING, PAY_PENDING, 18000), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 18000);
    assert_int_equal(said(id, PAY_SHARE_QUERY, PAY_DONE, PAY_DONE, 18000), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 0);
    assert_int_equal(share()->state, PAYOUT_SETTLED);
    assert_int_equal(lot(id)->sharing, SHARING_REST);
    assert_int_equal(said(id, PAY_SHARE_QUERY, PAY_DONE, PAY_DONE, 18000), 0); /* twice */
    world_tick(w, w->now + 5000);
    assert_non_null(asked(PAY_UNFREEZE));
    assert_int_equal(told(id, PAY_UNFREEZE, PAY_DONE, -1), 0);
    assert_int_equal(lot(id)->sharing, SHARING_OVER);
    assert_int_equal(world_balance(w, ACCOUNT_CHANNEL, wechat), -10 * Y + 4 * Y + 18000);
    world_run(w, 8 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 12000);
}

/* A rule withholds tax of persons: the channel pays only who is known to be none. */
static void test_taxed(void **state)
{
    (void)state;
    int64_t order;
    receiver();
    struct cmd *c = world_web(w, CMD_WITHHOLD_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.withhold_put.name, 101, STR_LIT("代扣"));
    c->u.withhold_put.from_ms = w->now;
    c->u.withhold_put.n = 1;
    c->u.withhold_put.rate[0] = (struct withhold_rate_in){0, 2000, 0};
    assert_int_equal(world_send(w, c), 0);
    (void)sent(&order);
    assert_null(asked(PAY_SHARE));
    assert_int_equal(balance(ACCOUNT_PENDING), 30000);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 0);
    struct row_party owner = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    owner.payee_kind = PAYEE_COMPANY;
    assert_int_equal(world_put(w, ROW_PARTY, false, &owner), 0);
    (void)sent(&order);
    assert_non_null(asked(PAY_SHARE));
    assert_int_equal(balance(ACCOUNT_TRANSIT), 18000);
}

/* Staff disabled the party: nothing is paid to it, by no way. */
static void test_disabled(void **state)
{
    (void)state;
    int64_t order;
    receiver();
    struct row_party owner = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    owner.state = ROW_DISABLED;
    assert_int_equal(world_put(w, ROW_PARTY, false, &owner), 0);
    (void)sent(&order);
    assert_null(asked(PAY_SHARE));
    assert_int_equal(balance(ACCOUNT_PENDING), 30000);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 0);
}

/* An order in doubt is shared when the doubt is over, by whomever: else the provider would keep what is left
 * of its payment frozen. */
static void test_doubtful(void **state)
{
    (void)state;
    receiver();
    for (int by_person = 0; by_person < 2; by_person++) {
        int64_t id, order, tx = charging(&id, &order);
        world_run(w, 60000);
        world_meter(w, tx, KWH + 500000, 60000);
        assert_int_equal(world_tx_stop(w, tx, INT64_C(1000000000) * 1000000, w->now), 0);
        assert_int_equal(world_order(w, order)->state, ORDER_DOUBTFUL);
        assert_int_equal(lot(id)->sharing, SHARING_FLAGGED);
        assert_int_equal(told(lot(id)->rest, PAY_REFUND, PAY_DONE, 94000), 0);
        if (by_person) {
            struct cmd *c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
            c->u.decide.order = order;
            assert_int_equal(world_send(w, c), 0);
        } else {
            world_restart(w);
            assert_int_equal(world_open(w), 0);
            world_run(w, INT64_C(24) * 3600 * 1000);
        }
        assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
        assert_int_equal(lot(id)->sharing, SHARING_WAIT);
        assert_int_equal(balance(ACCOUNT_TRANSIT), 1800); /* 30 % of 0.60 */
        world_tick(w, w->now + 10000);
        assert_non_null(asked(PAY_SHARE));
        assert_int_equal(said(id, PAY_SHARE, PAY_DONE, PAY_DONE, 1800), 0);
        world_tick(w, w->now + 5000);
        assert_int_equal(told(id, PAY_UNFREEZE, PAY_DONE, -1), 0);
        assert_int_equal(lot(id)->sharing, SHARING_OVER);
    }
}

static void test_unknown_lost_restart(void **state)
{
    (void)state;
    int64_t order, id;
    receiver();
    id = sent(&order);
    assert_non_null(asked(PAY_SHARE));
    assert_int_equal(told(id, PAY_SHARE, PAY_UNKNOWN, -1), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 18000);
    world_restart(w);
    world_tick(w, w->now);
    assert_non_null(asked(PAY_SHARE_QUERY));
    assert_null(asked(PAY_SHARE)); /* asked about, not sent again */
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result = (struct cmd_pay_result){.row = id,
                                              .channel = wechat,
                                              .op = PAY_SHARE_QUERY,
                                              .state = PAY_UNKNOWN,
                                              .err = ERR_NOT_FOUND};
    assert_int_equal(world_send(w, c), 0);
    assert_non_null(asked(PAY_SHARE)); /* it never arrived */
    assert_int_equal(asked(PAY_SHARE)->u.share.to[0].amount, 18000);
    assert_int_equal(told(id, PAY_NOTICE, PAY_PENDING, -1), 0);
    assert_non_null(asked(PAY_SHARE_QUERY)); /* a notice is a reason to ask */
    assert_int_equal(said(id, PAY_SHARE_QUERY, PAY_DONE, PAY_DONE, 18000), 0);
    assert_int_equal(share()->state, PAYOUT_SETTLED);
    world_restart(w);
    world_tick(w, w->now + 5000);
    assert_non_null(asked(PAY_UNFREEZE));
}

/* Refused: the shares are what they were, pending until their time. */
static void test_refused(void **state)
{
    (void)state;
    int64_t order, id;
    receiver();
    id = sent(&order);
    assert_int_equal(told(id, PAY_SHARE, PAY_FAILED, -1), 0);
    assert_int_equal(share()->state, PAYOUT_FAILED);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 0);
    assert_int_equal(balance(ACCOUNT_PENDING), 3 * Y);
    assert_int_equal(lot(id)->sharing, SHARING_REST);
    assert_int_equal(told(id, PAY_UNFREEZE, PAY_FAILED, -1), 0);
    assert_int_equal(lot(id)->sharing, SHARING_OVER);
    world_run(w, 8 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 3 * Y);
}

/* Another amount than was asked for: a person must see it, and it stays in transit meanwhile. */
static void test_contradictory(void **state)
{
    (void)state;
    int64_t order, id;
    receiver();
    id = sent(&order);
    assert_int_equal(said(id, PAY_SHARE_QUERY, PAY_DONE, PAY_DONE, 17900), 0);
    assert_int_equal(share()->state, PAYOUT_UNKNOWN);
    assert_int_equal(share()->err, ERR_CONFLICT);
    assert_int_equal(balance(ACCOUNT_TRANSIT), 18000);
    assert_int_equal(lot(id)->sharing, SHARING_REST);
    assert_int_equal(told(share()->id, PAY_TRANSFER_QUERY, PAY_FAILED, -1), ERR_NOT_FOUND);
    world_restart(w);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person, ACTOR_PERSON);
    c->u.payout_decide.payout = share()->id;
    c->u.payout_decide.act = PAYOUT_ACT_PAID;
    c->u.payout_decide.amount = 17900;
    (void)str_copy(c->u.payout_decide.note, 201, STR_LIT("seen at the provider"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(share()->state, PAYOUT_SETTLED);
    world_run(w, DAY_MS);
}

/* A refund while the share is on its way: what is still pending first, then a debt, which the share
 * settles if it comes back. */
static void test_refund_meanwhile(void **state)
{
    (void)state;
    int64_t order, id;
    receiver();
    id = sent(&order);
    assert_int_equal(world_refund(w, order, 6 * Y), 0);
    assert_int_equal(balance(ACCOUNT_PENDING), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -18000);
    assert_int_equal(told(id, PAY_SHARE, PAY_FAILED, -1), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), 0);
    assert_int_equal(balance(ACCOUNT_PENDING), 0);
}

static int lost(int64_t row, enum pay_op op, int err)
{
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result = (struct cmd_pay_result){
        .row = row, .channel = wechat, .op = op, .state = PAY_UNKNOWN, .err = err, .amount = -1};
    return world_send(w, c);
}

/* Each fourth time the shares themselves are asked for again: a query may never say that it knows none. */
static void test_asked_again(void **state)
{
    (void)state;
    int64_t order, id;
    receiver();
    id = sent(&order);
    for (int i = 1; i < 4; i++) {
        world_tick(w, w->now + 600000);
        assert_non_null(asked(PAY_SHARE_QUERY));
        assert_null(asked(PAY_SHARE));
        assert_int_equal(lost(id, PAY_SHARE_QUERY, ERR_PROVIDER), 0);
    }
    world_tick(w, w->now + 600000);
    assert_non_null(asked(PAY_SHARE));
    assert_int_equal(balance(ACCOUNT_TRANSIT), 18000);
}

/* Alipay: receivers by their user id; where a code is scanned, nothing is shared. */
static void test_alipay(void **state)
{
    (void)state;
    struct row_channel r = *(const struct row_channel *)world_row(w, ROW_CHANNEL, wechat);
    r.id = 0;
    r.kind = CHANNEL_ALIPAY;
    assert_int_equal(world_put(w, ROW_CHANNEL, true, &r), 0);
    int64_t alipay = w->reply.u.made.id;
    static const char *const accounts[] = {"owner@a.test", "208800000000010", "1088000000000109",
                                           "208800000000010a", "2088000000000109"};
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
        struct cmd *c = world_web(w, CMD_PARTY_ACCOUNT, w->person, ACTOR_PERSON);
        c->u.party_account.party = w->owner;
        c->u.party_account.channel = alipay;
        c->u.party_account.payee_kind = PAYEE_COMPANY;
        (void)str_copy(c->u.party_account.name, 101, STR_LIT("Owner"));
        (void)str_copy(c->u.party_account.account, 65, str_from_c(accounts[i]));
        assert_int_equal(world_send(w, c), i + 1 < ARRAY_LEN(accounts) ? ERR_RANGE : 0);
    }
    static const int32_t methods[] = {PAY_METHOD_QR, PAY_METHOD_H5};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
        c->u.payment_new.driver = w->driver;
        c->u.payment_new.channel = alipay;
        c->u.payment_new.amount = 10 * Y;
        c->u.payment_new.method = methods[i];
        c->u.payment_new.connector = w->gun;
        (void)str_copy(c->u.payment_new.currency, 4, STR_LIT("CNY"));
        (void)str_copy(c->u.payment_new.payer, sizeof c->u.payment_new.payer, STR_LIT("127.0.0.1"));
        assert_int_equal(world_send(w, c), 0);
        assert_int_equal(asked(PAY_CREATE)->sharing, methods[i] == PAY_METHOD_H5);
    }
}

/* ---- shares that come back ---- */

/* The share is paid, all of it is unfrozen; the payment. */
static int64_t paid(int64_t *order)
{
    int64_t id = sent(order);
    assert_int_equal(said(id, PAY_SHARE_QUERY, PAY_DONE, PAY_DONE, 18000), 0);
    world_tick(w, w->now + 5000);
    assert_int_equal(told(id, PAY_UNFREEZE, PAY_DONE, -1), 0);
    return id;
}

static const struct row_payout *returned(void)
{
    const struct row_payout *p = NULL;
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == ROW_PAYOUT) {
            const struct row_payout *r = world_unpacked_to(&w->kept, &w->rows[i]);
            p = r->kind == PAYOUT_RETURNED ? r : p;
        }
    return p;
}

/* 1.80 of the owner's 3.00 were paid by the channel. A refund takes the 1.20 that are pending first;
 * what he owes beyond is asked back, and settles his debt when it comes. */
static void test_comes_back(void **state)
{
    (void)state;
    int64_t order;
    receiver();
    int64_t id = paid(&order), channel = world_balance(w, ACCOUNT_CHANNEL, wechat);
    assert_int_equal(world_refund(w, order, 2 * Y), 0); /* his 1.00 was pending */
    assert_null(returned());
    assert_int_equal(world_refund(w, order, Y), 0); /* 0.20 were pending, he owes 0.30 */
    const struct out_pay *ask = asked(PAY_RETURN);
    assert_non_null(ask);
    assert_int_equal(ask->amount, 3000);
    assert_string_equal(ask->payee, "1900000109");
    char no[33];
    snprintf(no, sizeof no, "S%" PRId64, id);
    assert_string_equal(ask->of_no, no);
    int64_t first = returned()->id;
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -3000);
    assert_int_equal(told(first, PAY_RETURN, PAY_PENDING, -1), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -3000); /* not before it is certain */
    assert_int_equal(told(first, PAY_RETURN_QUERY, PAY_DONE, 3000), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), 0);
    assert_int_equal(told(first, PAY_RETURN_QUERY, PAY_DONE, 3000), 0); /* twice */
    assert_int_equal(world_refund(w, order, 3 * Y), 0);                 /* the rest: 1.50 more */
    assert_int_equal(asked(PAY_RETURN)->amount, 15000);
    assert_true(returned()->id != first);
    assert_int_equal(told(returned()->id, PAY_RETURN, PAY_DONE, 15000), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 0);
    assert_int_equal(world_balance(w, ACCOUNT_TRANSIT, w->owner), 0);
    /* What the channel has again stands against the refunds that it owes the driver. */
    assert_int_equal(world_balance(w, ACCOUNT_CHANNEL, wechat), channel - 18000);
}

/* Refused, short, or to whom it cannot be asked: he owes it as before. */
static void test_keeps(void **state)
{
    (void)state;
    int64_t order;
    receiver();
    (void)paid(&order);
    assert_int_equal(world_refund(w, order, 6 * Y), 0);
    int64_t id = returned()->id;
    assert_int_equal(told(id, PAY_RETURN, PAY_FAILED, -1), 0);
    assert_int_equal(returned()->state, PAYOUT_FAILED);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -18000);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 18000), 0); /* final */
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -18000);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = PAYOUT_ACT_PAID;
    c->u.payout_decide.amount = 18000;
    (void)str_copy(c->u.payout_decide.note, 201, STR_LIT("seen"));
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
}

/* Lost on the way, unknown, killed: one number, asked until it is certain; what he owes no more by then is
 * his to withdraw. */
static void test_return_lost_restart(void **state)
{
    (void)state;
    int64_t order, other;
    receiver();
    (void)paid(&order);
    assert_int_equal(world_refund(w, order, 6 * Y), 0);
    int64_t id = returned()->id;
    assert_int_equal(lost(id, PAY_RETURN, ERR_TIMEOUT), 0);
    assert_int_equal(returned()->state, PAYOUT_UNKNOWN);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_tick(w, w->now);
    assert_non_null(asked(PAY_RETURN_QUERY));
    assert_null(asked(PAY_RETURN));
    assert_int_equal(lost(id, PAY_RETURN_QUERY, ERR_NOT_FOUND), 0);
    assert_non_null(asked(PAY_RETURN)); /* it never arrived: the same number again */
    assert_int_equal(asked(PAY_RETURN)->row, id);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 17900), 0);
    assert_int_equal(returned()->err, ERR_CONFLICT); /* another amount: nothing is posted */
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -18000);
    (void)ordered(&other); /* 3.00 more: the channel pays none of what a debt took */
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 0);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 18000), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 18000);
    assert_int_equal(told(id, PAY_NOTICE, PAY_PENDING, -1), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 18000);
}

/* A refund while the share is on its way: it is asked back when it was paid, and not when it was not. */
static void test_return_waits(void **state)
{
    (void)state;
    for (int done = 0; done < 2; done++) {
        int64_t order, id;
        if (!done)
            receiver();
        id = sent(&order);
        assert_int_equal(world_refund(w, order, 6 * Y), 0);
        assert_null(asked(PAY_RETURN));
        world_tick(w, w->now + 10000);
        assert_null(asked(PAY_RETURN));
        assert_int_equal(said(id, PAY_SHARE, PAY_DONE, done ? PAY_DONE : PAY_FAILED, 18000), 0);
        world_tick(w, w->now + 10000);
        assert_int_equal(asked(PAY_RETURN) != NULL, done);
        assert_int_equal(returned()->state, done ? PAYOUT_SENT : PAYOUT_CANCELLED);
        assert_int_equal(balance(ACCOUNT_PARTY_DEBT), done ? -18000 : 0);
    }
    assert_int_equal(told(returned()->id, PAY_RETURN, PAY_DONE, 18000), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), 0);
}

static int64_t person_add(const char *login)
{
    assert_int_equal(
        world_put(w, ROW_PERSON, true,
                  &(struct row_person){
                      .login = login, .name = login, .pass_hash = "x", .role = ROLE_OPERATOR}),
        0);
    return w->reply.u.made.id;
}

static int says(int64_t id, enum payout_act act, int64_t amount, int64_t who)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, who, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = (int32_t)act;
    c->u.payout_decide.amount = amount;
    (void)str_copy(c->u.payout_decide.note, 201, STR_LIT("seen at the provider"));
    return world_send(w, c);
}

/* A share of 1.80 is asked back; the provider says 1.79 at last. The return. */
static int64_t contradicted(void)
{
    int64_t order;
    receiver();
    (void)paid(&order);
    assert_int_equal(world_refund(w, order, 6 * Y), 0);
    int64_t id = returned()->id;
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 17900), 0);
    assert_int_equal(returned()->state, PAYOUT_UNKNOWN);
    assert_int_equal(returned()->said, 17900);
    return id;
}

/* Where the provider contradicts, people say what came back: two of them, the same. */
static void test_return_claimed(void **state)
{
    (void)state;
    int64_t id = contradicted(), other = person_add("other"), third = person_add("third");
    int64_t channel = world_balance(w, ACCOUNT_CHANNEL, wechat);
    assert_int_equal(says(id, PAYOUT_ACT_REFUSE, 0, other), ERR_CONFLICT);
    assert_int_equal(says(id, PAYOUT_ACT_APPROVE, 17900, other), ERR_CONFLICT);
    assert_int_equal(says(id, PAYOUT_ACT_FAILED, 0, other), ERR_CONFLICT);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 0, other), ERR_RANGE);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, -100, other), ERR_RANGE);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17950, other), ERR_RANGE);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 18100, other), ERR_RANGE); /* more than the share */
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, other, ACTOR_PERSON);
    c->u.payout_decide =
        (struct cmd_payout_decide){.payout = id, .act = PAYOUT_ACT_PAID, .amount = 17900};
    assert_int_equal(world_send(w, c), ERR_REQUIRED); /* how he knows */
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, w->person), 0);
    assert_int_equal(returned()->claim, 17900);
    assert_int_equal(returned()->claim_by, w->person);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, w->person), ERR_DENIED); /* his own word */
    assert_int_equal(says(id, PAYOUT_ACT_REFUSE, 0, w->person), ERR_DENIED);
    assert_int_equal(says(id, PAYOUT_ACT_CANCEL, 0, other), ERR_DENIED);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -18000);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17800, other), 0); /* another word: a new one */
    assert_int_equal(returned()->claim_by, other);
    assert_int_equal(says(id, PAYOUT_ACT_REFUSE, 0, third), 0);
    assert_int_equal(returned()->claim, 0);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, other), 0);
    assert_int_equal(says(id, PAYOUT_ACT_CANCEL, 0, other), 0);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, other), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, third), 0);
    const struct row_payout *r = returned();
    assert_int_equal(r->state, PAYOUT_SETTLED);
    assert_int_equal(r->amount, -17900);
    assert_int_equal(r->claim, 17900);
    assert_int_equal(r->claim_by, other);
    assert_int_equal(r->checked_by, third);
    assert_int_equal(r->err, 0);
    assert_string_equal(r->note, "seen at the provider");
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -100); /* of that he owes the rest */
    assert_int_equal(world_balance(w, ACCOUNT_CHANNEL, wechat), channel - 17900);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, third), ERR_CONFLICT);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 18000), 0); /* over */
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -100);
}

/* The provider settles it by himself while somebody's word waits; up to the limit one person is enough. */
static void test_return_limit(void **state)
{
    (void)state;
    int64_t id = contradicted(), order;
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, w->person), 0);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->owner, ACTOR_PERSON);
    c->u.payout_decide = (struct cmd_payout_decide){
        .payout = id, .party = w->owner, .act = PAYOUT_ACT_PAID, .amount = 17900};
    assert_int_equal(world_send(w, c), ERR_DENIED);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 18000), 0);
    assert_int_equal(returned()->state, PAYOUT_SETTLED);
    assert_int_equal(returned()->amount, -18000);
    assert_int_equal(returned()->claim, 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), 0);
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.payout_check = 18000;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    (void)paid(&order);
    assert_int_equal(world_refund(w, order, 5 * Y), 0);
    id = returned()->id;
    int64_t asked_back = -returned()->amount;
    assert_true(asked_back < 18000);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_UNKNOWN, -1), 0);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 18000, w->person),
                     ERR_CONFLICT); /* it said nothing */
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 18000), 0);
    assert_int_equal(lost(id, PAY_RETURN_QUERY, ERR_TIMEOUT), 0);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 18000, w->person), 0);
    assert_int_equal(returned()->state, PAYOUT_SETTLED);
    assert_int_equal(returned()->claim_by, 0);
    assert_int_equal(returned()->checked_by, w->person);
    assert_int_equal(balance(ACCOUNT_AVAILABLE), 18000 - asked_back); /* more than he owed */
}

/* Whom I let in a moment ago says nothing that I did not say. */
static void test_return_by_ones_own_hand(void **state)
{
    (void)state;
    world_run(w, 4 * DAY_MS);
    assert_int_equal(world_open(w), 0);
    int64_t id = contradicted(), hand = person_add("hand");
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, w->person), 0);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, hand), ERR_SECOND);
    assert_int_equal(returned()->state, PAYOUT_UNKNOWN);
    assert_int_equal(returned()->claim_by, w->person);
}

/* Where the provider says that nothing came back, a person may say so, too: how he knows, and not while
 * another's word waits. */
static void test_return_came_to_nothing(void **state)
{
    (void)state;
    int64_t id = contradicted(), other = person_add("other");
    struct cmd *key = world_web(w, CMD_PAYOUT_DECIDE, 77, ACTOR_API_KEY); /* no person */
    key->u.payout_decide =
        (struct cmd_payout_decide){.payout = id, .act = PAYOUT_ACT_PAID, .amount = 17900};
    (void)str_copy(key->u.payout_decide.note, 201, STR_LIT("x"));
    assert_int_equal(world_send(w, key), ERR_DENIED);
    assert_int_equal(says(id, PAYOUT_ACT_PAID, 17900, w->person), 0);
    assert_int_equal(told(id, PAY_RETURN_QUERY, PAY_DONE, 0), 0);
    assert_int_equal(says(id, PAYOUT_ACT_FAILED, 0, other), ERR_CONFLICT);
    assert_int_equal(says(id, PAYOUT_ACT_CANCEL, 0, w->person), 0);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, other, ACTOR_PERSON);
    c->u.payout_decide = (struct cmd_payout_decide){.payout = id, .act = PAYOUT_ACT_FAILED};
    assert_int_equal(world_send(w, c), ERR_REQUIRED);
    assert_int_equal(says(id, PAYOUT_ACT_FAILED, 0, other), 0);
    assert_int_equal(returned()->state, PAYOUT_FAILED);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT), -18000); /* he owes it as before */
}

static void test_nothing_to_share(void **state)
{
    (void)state;
    int64_t order, id = ordered(&order); /* nobody is a receiver */
    assert_null(share());
    assert_int_equal(balance(ACCOUNT_PENDING), 3 * Y);
    assert_int_equal(lot(id)->sharing, SHARING_REST);
    world_tick(w, w->now + 10000);
    assert_non_null(asked(PAY_UNFREEZE)); /* else the provider keeps it for half a year */
    assert_int_equal(told(id, PAY_UNFREEZE, PAY_DONE, -1), 0);
    id = pay(); /* paid, but never begun */
    assert_int_equal(world_close(w), 0);
    assert_int_equal(told(id, PAY_QUERY, PAY_DONE, 10 * Y), 0);
    assert_int_equal(lot(id)->sharing, SHARING_REST);
    struct row_channel r = *(const struct row_channel *)world_row(w, ROW_CHANNEL, wechat);
    r.share_bp = 10001;
    assert_int_equal(world_put(w, ROW_CHANNEL, false, &r), ERR_RANGE);
}

int core_sharing(void);

int core_sharing(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shared, up, down),
        cmocka_unit_test_setup_teardown(test_taxed, up, down),
        cmocka_unit_test_setup_teardown(test_disabled, up, down),
        cmocka_unit_test_setup_teardown(test_doubtful, up, down),
        cmocka_unit_test_setup_teardown(test_unknown_lost_restart, up, down),
        cmocka_unit_test_setup_teardown(test_refused, up, down),
        cmocka_unit_test_setup_teardown(test_contradictory, up, down),
        cmocka_unit_test_setup_teardown(test_refund_meanwhile, up, down),
        cmocka_unit_test_setup_teardown(test_asked_again, up, down),
        cmocka_unit_test_setup_teardown(test_alipay, up, down),
        cmocka_unit_test_setup_teardown(test_comes_back, up, down),
        cmocka_unit_test_setup_teardown(test_keeps, up, down),
        cmocka_unit_test_setup_teardown(test_return_lost_restart, up, down),
        cmocka_unit_test_setup_teardown(test_return_waits, up, down),
        cmocka_unit_test_setup_teardown(test_return_claimed, up, down),
        cmocka_unit_test_setup_teardown(test_return_limit, up, down),
        cmocka_unit_test_setup_teardown(test_return_by_ones_own_hand, up, down),
        cmocka_unit_test_setup_teardown(test_return_came_to_nothing, up, down),
        cmocka_unit_test_setup_teardown(test_nothing_to_share, up, down),
    };
    return cmocka_run_group_tests_name("shares paid by a channel", tests, NULL, NULL);
}
