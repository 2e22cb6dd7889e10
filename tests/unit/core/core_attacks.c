// SPDX-License-Identifier: Apache-2.0
/* core_attacks.c: what somebody would try who wants money that is not his, across the places where it
 * lies: payouts that come back, refunds after the money has left, amounts that are no whole fen,
 * accounts that are closed in between. After each step the books balance (world_seal). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define Y      MONEY_UNIT
#define DAY_MS INT64_C(86400000)

static struct world world, *w = &world;
static int64_t wechat;

static int64_t balance(int32_t kind, int64_t owner)
{
    return world_balance(w, kind, owner);
}

static int64_t wallet(void)
{
    return balance(ACCOUNT_WALLET, w->driver);
}

static struct row_tenant tenant_now(void)
{
    return *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
}

static int tenant_put(const struct row_tenant *t)
{
    return world_put(w, ROW_TENANT, false, t);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = world_channel(w, CHANNEL_WECHAT);
    struct row_tenant t = tenant_now();
    t.refund_days = 7;
    t.payout_check = 100 * Y;
    t.payee_hold_h = 0;
    t.payout_min = 100;
    assert_int_equal(tenant_put(&t), 0);
    world_owner_payee(w, 1, "sub-account 7");
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* ---- what people do ---- */

/* An order of `kwh` at 1.2 yuan, from a wallet that has 4.00. */
static int64_t order_of(int64_t kwh)
{
    return world_order_of(w, kwh);
}

static int payout(int64_t party, int64_t payment, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = party;
    c->u.payout_new.payment = payment;
    c->u.payout_new.amount = amount;
    c->u.payout_new.channel = wechat;
    return world_send(w, c);
}

static int64_t paid(int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
    struct cmd_payment_new *p = &c->u.payment_new;
    p->driver = w->driver;
    p->channel = wechat;
    p->amount = amount;
    p->method = PAY_METHOD_QR;
    (void)str_copy(p->currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(world_told(w, id, wechat, PAY_QUERY, PAY_DONE, amount), 0);
    return id;
}

/* ---- money that comes back ---- */

/* The share is on its way out as its order is refunded: the party owes. What then comes back settles that
 * first: else it could be withdrawn again, and the debt would stay. */
static void test_payout_comes_back_to_a_debt(void **state)
{
    (void)state;
    int64_t order = order_of(10 * KWH / 3 + 1); /* 4.00: 2.00 each */
    world_run(w, 8 * DAY_MS);
    assert_int_equal(payout(w->owner, 0, 2 * Y), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(world_refund(w, order, 3 * Y), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), -15000);
    assert_int_equal(world_told(w, id, wechat, PAY_TRANSFER, PAY_FAILED, -1), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 5000);
    assert_int_equal(payout(w->owner, 0, 2 * Y), ERR_NO_FUNDS);
}

/* The same with the platform's own, which is income at once. */
static void test_platform_payout_comes_back_to_a_debt(void **state)
{
    (void)state;
    int64_t order = order_of(10 * KWH / 3 + 1);
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->platform);
    p.verified = 1;
    p.payee = "our own account";
    p.payee_name = "operator";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(payout(w->platform, 0, 2 * Y), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(world_refund(w, order, 4 * Y), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->platform), -20000);
    assert_int_equal(world_told(w, id, wechat, PAY_TRANSFER, PAY_FAILED, -1), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->platform), 0);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 0);
}

/* Somebody else looked what the rail paid. */
static int decide_paid(int64_t id, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = PAYOUT_ACT_PAID;
    c->u.payout_decide.amount = amount;
    (void)str_copy(c->u.payout_decide.note, 201, STR_LIT("by the rail's statement"));
    return world_send(w, c);
}

/* The rail said that it paid, if another amount than was asked for. That it is short of funds, or never heard of
 * it, is no reason to ask it to pay again: a person looks. */
static void test_rail_is_not_asked_twice(void **state)
{
    (void)state;
    static const struct {
        enum pay_state said;
        int err;
    } then[] = {{PAY_NO_FUNDS, 0}, {PAY_UNKNOWN, ERR_NOT_FOUND}, {PAY_PENDING, 0}};
    (void)order_of(10 * KWH / 3 + 1);
    world_run(w, 8 * DAY_MS);
    assert_int_equal(payout(w->owner, 0, Y), 0);
    const int64_t id = w->reply.u.made.id;
    assert_int_equal(world_told(w, id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 9900), 0);
    for (size_t i = 0; i < ARRAY_LEN(then); i++) {
        struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
        c->u.pay_result.row = id;
        c->u.pay_result.channel = wechat;
        c->u.pay_result.op = PAY_TRANSFER_QUERY;
        c->u.pay_result.state = (int32_t)then[i].said;
        c->u.pay_result.err = then[i].err;
        c->u.pay_result.amount = -1;
        assert_int_equal(world_send(w, c), 0);
        assert_null(world_out(w, OUT_PAY));
        const struct row_payout *p = world_row(w, ROW_PAYOUT, id);
        assert_int_equal(p->state, PAYOUT_UNKNOWN);
        assert_int_equal(p->err, ERR_CONFLICT);
        assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), Y);
    }
    world_restart(w);
    assert_int_equal(decide_paid(id, 9900), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), Y);
}

/* ---- debts of drivers ---- */

/* A card ran over what was held for it, so its driver owes, though his wallet has more than that. What he
 * owes stays: else he would take all of his principal back and be gone. */
static void test_principal_leaves_no_debt_behind(void **state)
{
    (void)state;
    struct row_tenant t = tenant_now();
    t.hold_policy = HOLD_DEFAULT_OR_REFUSE;
    t.hold_default = Y;
    t.overrun_policy = OVERRUN_DEBT;
    assert_int_equal(tenant_put(&t), 0);
    assert_int_equal(world_put(w, ROW_TOKEN, true,
                               &(struct row_token){.driver = w->driver,
                                                   .kind = TOKEN_CARD,
                                                   .tag = "CARD-7",
                                                   .created_ms = w->now}),
                     0);
    int64_t lot = paid(102 * Y + 5000);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 400000);
    assert_int_equal(world_tx_stop(w, tx, 5 * KWH, w->now), 0); /* 4.80 */
    assert_int_equal(balance(ACCOUNT_DEBT, w->driver), -38000);
    assert_int_equal(wallet(), 105 * Y + 5000);
    assert_int_equal(payout(0, lot, 102 * Y + 5000), ERR_DEBT);
    assert_int_equal(payout(0, lot, 101 * Y + 7100), ERR_DEBT);
    assert_int_equal(payout(0, lot, 101 * Y + 7000), 0);
    assert_int_equal(wallet(), 38000);
    assert_int_equal(payout(0, lot, 100), ERR_DEBT);
    assert_int_equal(world_topup(w, 38000), 0); /* settles it */
    assert_int_equal(payout(0, lot, 8000), 0);
}

/* ---- amounts that are no whole fen ---- */

/* What a setting lets an order hold is what a bill beyond it takes. A half fen of that could never be given
 * back, and a company's bill with one never be paid. */
static void test_limits_of_whole_fen(void **state)
{
    (void)state;
    struct row_tenant t = tenant_now();
    t.hold_default = Y + 50;
    assert_int_equal(tenant_put(&t), ERR_RANGE);
    struct row_token card = {
        .driver = w->driver, .kind = TOKEN_CARD, .tag = "CARD-8", .offline_limit = Y + 50};
    assert_int_equal(world_put(w, ROW_TOKEN, true, &card), ERR_RANGE);
    card.offline_limit = INT64_MAX / 100 * 100;
    assert_int_equal(world_put(w, ROW_TOKEN, true, &card), ERR_RANGE);
    card.offline_limit = Y + 100;
    assert_int_equal(world_put(w, ROW_TOKEN, true, &card), 0);
    struct row_company co = {
        .kind = COMPANY_CREDIT, .name = "Fleet", .credit = Y + 50, .bill_day = 1, .phone = ""};
    assert_int_equal(world_put(w, ROW_COMPANY, true, &co), ERR_RANGE);
    co.credit = Y;
    assert_int_equal(world_put(w, ROW_COMPANY, true, &co), 0);
    struct row_company_member m = {.company = w->reply.u.made.id,
                                   .driver = w->driver,
                                   .name = "",
                                   .plate = "",
                                   .stations = ""};
    m.order_most = 50;
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &m), ERR_RANGE);
    m.order_most = 0;
    m.month_most = 150;
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &m), ERR_RANGE);
    m.month_most = 100;
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &m), 0);
}

/* ---- another currency ---- */

/* The providers that we speak to know yuan only: a hundred of anything else would go out as a hundred yuan,
 * and what comes in would stand nowhere. */
static void test_channels_of_another_currency(void **state)
{
    (void)state;
    static const int32_t yuan_only[] = {CHANNEL_WECHAT, CHANNEL_ALIPAY, CHANNEL_RAIL};
    const struct row_tenant t = {
        .id = 501, .name = "Other", .currency = "EUR", .zone = "Asia/Shanghai", .version = 1};
    const int64_t ours = w->tenant;
    assert_int_equal(core_load(w->core, ROW_TENANT, &t), 0);
    w->tenant = t.id;
    struct row_channel ch = {
        .name = "pay", .url = "", .app = "", .merchant = "", .keys = "", .kind = CHANNEL_BANK};
    assert_int_equal(world_put(w, ROW_CHANNEL, true, &ch), 0);
    for (size_t i = 0; i < ARRAY_LEN(yuan_only); i++) {
        ch.kind = yuan_only[i];
        assert_int_equal(world_put(w, ROW_CHANNEL, true, &ch), ERR_CURRENCY);
    }
    w->tenant = ours;
    for (size_t i = 0; i < ARRAY_LEN(yuan_only); i++) {
        ch.kind = yuan_only[i];
        assert_int_equal(world_put(w, ROW_CHANNEL, true, &ch), 0);
    }
}

/* ---- the truth comes late ---- */

/* An estimated order of 1.20, of which `back` was given back before its true end said 1.14. */
static const struct row_orders *corrected_after(int64_t back)
{
    int64_t tx, order = world_charging(w, 4 * Y, &tx);
    world_run(w, 30000);
    assert_int_equal(world_meter(w, tx, 2 * KWH, 120000), 0);
    assert_int_equal(world_close(w), 0);
    world_run(w, 3700 * 1000);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(world_refund(w, order, back), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH - 50000, w->now - 3000 * 1000), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->total, 11400);
    assert_int_equal(o->paid + o->loss, o->total);
    assert_true(o->loss == 0 && o->refunded >= 0 && o->refunded <= o->paid);
    return o;
}

/* What was given back before is what was never owed first, and goodwill beyond that: nobody gets it twice, and
 * no day's loss is less than nothing. */
static void test_truth_after_refunds(void **state)
{
    (void)state;
    const struct row_orders *o = corrected_after(300);
    int64_t order = o->id;
    assert_int_equal(o->refunded, 0);
    assert_int_equal(wallet(), 40000 - 11400);
    assert_int_equal(world_refund(w, order, 11500), ERR_RANGE);
    assert_int_equal(world_refund(w, order, 11400), 0);
    assert_int_equal(wallet(), 40000);
    o = corrected_after(10000);
    order = o->id;
    assert_int_equal(o->refunded, 9400);
    assert_int_equal(wallet(), 38000);
    assert_int_equal(world_refund(w, order, 2100), ERR_RANGE);
    assert_int_equal(world_refund(w, order, 2000), 0);
    assert_int_equal(wallet(), 40000);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 0);
}

/* ---- what would bring the house down ---- */

#define OFFLINE_NO   "32010600019236012601010800000777"
#define OFFLINE_CARD "00000000D1B2C3D4"

/* A pile whose clock was set meanwhile says that a card charged for 41 days, in hours that its prices do not
 * know: one bill more, and no reason to stop for everybody. */
static void test_record_of_a_month_and_more(void **state)
{
    (void)state;
    const struct row_token card = {
        .driver = w->driver, .kind = TOKEN_CARD, .tag = OFFLINE_CARD, .offline_limit = 6 * Y};
    assert_int_equal(world_put(w, ROW_TOKEN, true, &card), 0);
    world_run(w, 60 * DAY_MS);
    assert_int_equal(world_open_pile(w), 0);
    struct cmd *c = world_pile(w, CMD_TX_RECORD);
    struct cmd_tx_record *r = &c->u.tx_record;
    r->connector = 1;
    r->start_mark = PILE_MARK_OFFLINE;
    r->stop = STOP_LOCAL;
    (void)str_copy(r->tx_no, sizeof r->tx_no, STR_LIT(OFFLINE_NO));
    (void)str_copy(r->card, sizeof r->card, STR_LIT(OFFLINE_CARD));
    r->start_ms = w->now - 41 * DAY_MS;
    r->end_ms = w->now;
    r->class_energy_mwh[0] = r->energy_mwh = 2 * KWH;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 7 * KWH;
    r->amount = 24000;
    assert_int_equal(world_send(w, c), 0);
    const struct order *o = order_by_tx_no(w->core, OFFLINE_NO);
    assert_non_null(o);
    assert_int_equal(o->row.total, 24000);
    assert_int_equal(wallet(), 16000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
int core_attacks(void);

int core_attacks(void)
{
    const struct CMUnitTest tests[] = {
        T(test_payout_comes_back_to_a_debt), T(test_platform_payout_comes_back_to_a_debt),
        T(test_rail_is_not_asked_twice),     T(test_principal_leaves_no_debt_behind),
        T(test_limits_of_whole_fen),         T(test_channels_of_another_currency),
        T(test_truth_after_refunds),         T(test_record_of_a_month_and_more),
    };
    return cmocka_run_group_tests_name("attacks", tests, NULL, NULL);
}
