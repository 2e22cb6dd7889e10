// SPDX-License-Identifier: Apache-2.0
/* core_company.c: companies that pay for their members: who is paid for, quotas, limits, the life of
 * an order at a company's expense; core_company_bill.c has the bills. After each
 * step the books balance and what matures is what is pending (world_seal); here too: what a member
 * used and holds, and what a company was billed and paid, are added up again from the orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "company_rig.h"
#include "core/purse.h"

#define CARD "00000000D14B0A54"
#define VIN  "LSVAU2A37N2183295"
#define PAST "32010600019236010101010101010077"

static struct world *const w = &co_world;

/* ---- rows ---- */

static void test_rows(void **state)
{
    (void)state;
    assert_int_equal(co_put(0, 3, 0, ROW_ACTIVE), ERR_RANGE);
    assert_int_equal(co_put(0, COMPANY_PREPAID, 100, ROW_ACTIVE), ERR_RANGE);
    assert_int_equal(co_put(0, COMPANY_CREDIT, -1, ROW_ACTIVE), ERR_RANGE);
    assert_int_equal(co_put(co_company, COMPANY_PREPAID, 0, ROW_ACTIVE), 0); /* not used yet */
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 100 * YUAN, ROW_ACTIVE), 0);
    struct row_company_member r = co_member_of(w->driver, 0);
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &r), ERR_CONFLICT); /* he is one */
    r = co_member_of(w->driver + 1000, 0);
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &r), ERR_NOT_FOUND);
    r = co_member_of(w->driver, w->driver);
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &r), ERR_NOT_FOUND); /* no token */
    int64_t card = co_token_add(CARD, TOKEN_CARD, 0);
    r = co_member_of(w->driver, card);
    r.stations = "x";
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &r), ERR_SYNTAX);
    r.stations = "12";
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &r), ERR_NOT_FOUND);
    r.stations = "";
    r.cards = 1; /* a token has no cards */
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &r), ERR_RANGE);
    r = co_member_now();
    r.token = card;
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, false, &r), ERR_CONFLICT);
    r = co_member_now();
    r.used = -100; /* what is counted is not the sender's */
    r.month_most = 5 * YUAN;
    co_member_change(&r);
    assert_int_equal(co_member_row(co_member)->used, 0);
    r = co_member_now();
    r.state = ROW_DELETED;
    co_member_change(&r);
    r = co_member_of(w->driver, 0);
    co_member = co_member_add(&r); /* and again */
}

static void test_other_tenant(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_COMPANY_PAY, w->person, ACTOR_PERSON);
    c->head.tenant = w->tenant + 1;
    c->u.company_pay.company = co_company;
    c->u.company_pay.amount = YUAN;
    (void)str_copy(c->u.company_pay.currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    (void)co_order_of(KWH);
    co_to_february();
    c = world_web(w, CMD_COMPANY_BILL, w->person, ACTOR_PERSON);
    c->head.tenant = w->tenant + 1;
    c->u.company_bill.company = co_company;
    c->u.company_bill.month = 202601;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(co_issue(202601), 0);
}

/* ---- orders ---- */

static void test_credit_order(void **state)
{
    (void)state;
    int64_t tx, order = co_charging(50 * YUAN, &tx);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->payer_kind, PAYER_COMPANY);
    assert_int_equal(o->company, co_company);
    assert_int_equal(o->member, co_member);
    assert_int_equal(co_member_row(co_member)->held, 50 * YUAN);
    assert_int_equal(company_free(w->core, co_company), 50 * YUAN);
    world_restart(w);
    assert_int_equal(company_free(w->core, co_company), 50 * YUAN);
    assert_int_equal(world_open(w), 0);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->paid, 12 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN); /* untouched */
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 6 * YUAN);
    assert_int_equal(company_free(w->core, co_company), 88 * YUAN);
    assert_int_equal(co_member_row(co_member)->used, 12 * YUAN);
    assert_int_equal(co_member_row(co_member)->used_mwh, 10 * KWH);
    assert_int_equal(co_member_row(co_member)->used_orders, 1);
    co_sums();
}

static void test_not_a_member(void **state)
{
    (void)state;
    struct row_company_member r = co_member_now();
    r.state = ROW_DISABLED;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, YUAN), ERR_DISABLED);
    r = co_member_now();
    r.state = ROW_DELETED;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, YUAN), ERR_NOT_MEMBER);
    assert_int_equal(world_start(w, w->gun, YUAN), 0); /* the own wallet pays all the same */
}

static void test_quotas(void **state)
{
    (void)state;
    struct row_company_member r = co_member_now();
    r.month_most = 20 * YUAN;
    r.order_most = 15 * YUAN;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, 15 * YUAN + 100), ERR_QUOTA);
    int64_t tx, order = co_charging(15 * YUAN, &tx);
    /* What is held counts: two starts at once do not share the same quota. */
    assert_int_equal(co_start(w->gun2, 5 * YUAN + 100), ERR_QUOTA);
    assert_int_equal(co_start(w->gun2, 5 * YUAN), 0);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    world_answer(w, call, 0, "Rejected"); /* its hold and its place are free again */
    assert_int_equal(co_member_row(co_member)->held, 15 * YUAN);
    assert_int_equal(co_member_row(co_member)->used_orders, 1);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 12 * YUAN);
    assert_int_equal(co_start(w->gun, 8 * YUAN + 100), ERR_QUOTA);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(co_start(w->gun, 8 * YUAN + 100), ERR_QUOTA);
    co_sums();
    co_to_february(); /* another month */
    assert_int_equal(world_open(w), 0);
    assert_int_equal(co_start(w->gun, 15 * YUAN), 0);
    assert_int_equal(co_member_row(co_member)->used, 0);
    co_sums();
}

static void test_counts(void **state)
{
    (void)state;
    struct row_company_member r = co_member_now();
    r.month_mwh = 5 * KWH;
    co_member_change(&r);
    (void)co_order_of(5 * KWH);
    assert_int_equal(co_start(w->gun, YUAN), ERR_QUOTA);
    r = co_member_now();
    r.month_mwh = 0;
    r.month_orders = 1;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, YUAN), ERR_QUOTA);
    r = co_member_now();
    r.month_orders = 2;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, YUAN), 0);
}

static void test_station(void **state)
{
    (void)state;
    char here[32];
    assert_int_equal(world_put(w, ROW_STATION, true,
                               &(struct row_station){.name = "Other",
                                                     .zone = "Asia/Shanghai",
                                                     .tariff = w->tariff,
                                                     .contract = w->contract}),
                     0);
    snprintf(here, sizeof here, "%lld", (long long)w->reply.u.made.id);
    struct row_company_member r = co_member_now();
    r.stations = here;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, YUAN), ERR_NOT_MEMBER);
    char both[64];
    snprintf(both, sizeof both, "%s %lld", here, (long long)w->station);
    r = co_member_now();
    r.stations = both;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, YUAN), 0);
}

static void test_limit(void **state)
{
    (void)state;
    assert_int_equal(co_start(w->gun, 100 * YUAN + 100), ERR_NO_FUNDS);
    (void)co_order_of(25 * KWH);
    (void)co_order_of(25 * KWH); /* 60.00 in all */
    assert_int_equal(co_start(w->gun, 40 * YUAN + 100), ERR_NO_FUNDS);
    /* A limit below what is owed stops new orders and asks nothing back. */
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 10 * YUAN, ROW_ACTIVE), 0);
    assert_int_equal(company_free(w->core, co_company), 0);
    assert_int_equal(co_start(w->gun, 100), ERR_NO_FUNDS);
    assert_int_equal(co_pay(55 * YUAN, 0), 0);
    assert_int_equal(company_free(w->core, co_company), 5 * YUAN);
    assert_int_equal(co_start(w->gun, 5 * YUAN + 100), ERR_NO_FUNDS);
    assert_int_equal(co_start(w->gun, 5 * YUAN), 0);
    /* It owes: it is not deleted, and its way of paying stays. */
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 10 * YUAN, ROW_DELETED), ERR_CONFLICT);
    assert_int_equal(co_put(co_company, COMPANY_PREPAID, 0, ROW_ACTIVE), ERR_CONFLICT);
}

static void test_overrun(void **state)
{
    (void)state;
    int64_t tx, order = co_charging(10 * YUAN, &tx);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0); /* 12.00 */
    assert_int_equal(world_order(w, order)->paid, 12 * YUAN);    /* its way: the company's too */
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12 * YUAN);
    co_sums();
    struct row_company r = *co_row();
    r.overrun = OVERRUN_LOSS;
    assert_int_equal(world_put(w, ROW_COMPANY, false, &r), 0);
    order = co_charging(10 * YUAN, &tx);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 10 * YUAN);
    assert_int_equal(world_order(w, order)->loss, 2 * YUAN);
    co_sums();
}

static void test_overrun_within_credit(void **state)
{
    (void)state;
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 11 * YUAN, ROW_ACTIVE), 0);
    int64_t tx, order = co_charging(10 * YUAN, &tx);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0); /* 12.00 */
    assert_int_equal(world_order(w, order)->paid, 11 * YUAN);
    assert_int_equal(world_order(w, order)->loss, 1 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -11 * YUAN);
    co_sums();
}

static void test_raise(void **state)
{
    (void)state;
    struct row_company_member r = co_member_now();
    r.order_most = 15 * YUAN;
    co_member_change(&r);
    int64_t tx, order = co_charging(10 * YUAN, &tx);
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.driver = w->driver;
    c->u.order_raise.amount = 6 * YUAN;
    assert_int_equal(world_send(w, c), ERR_QUOTA);
    c->u.order_raise.amount = 5 * YUAN;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(co_member_row(co_member)->held, 15 * YUAN);
    co_sums();
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    assert_int_equal(co_member_row(co_member)->held, 0);
    co_sums();
}

/* Who removes a member, or the company, does not stop what runs: it is paid as it was begun. */
static void test_removed_while_charging(void **state)
{
    (void)state;
    int64_t tx, order = co_charging(20 * YUAN, &tx);
    struct row_company_member r = co_member_now();
    r.state = ROW_DELETED;
    co_member_change(&r);
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 100 * YUAN, ROW_DISABLED), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.driver = w->driver;
    c->u.order_raise.amount = YUAN;
    assert_int_equal(world_send(w, c), ERR_DISABLED); /* but nothing more */
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 12 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12 * YUAN);
    assert_int_equal(co_start(w->gun, YUAN), ERR_NOT_MEMBER);
    co_sums();
}

/* Estimated at 1 kWh because the charger fell silent. */
static int64_t estimated(int64_t cap, int64_t *tx)
{
    int64_t had = co_member_row(co_member)->used_mwh, order = co_charging(cap, tx);
    world_run(w, 30000);
    world_meter(w, *tx, 2 * KWH, 120000);
    world_close(w);
    world_run(w, 3700 * 1000);
    assert_int_equal(world_order(w, order)->estimated, 1);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(co_member_row(co_member)->used_mwh, had + KWH);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    return order;
}

/* The company pays the true end too, up to the cap, and it counts in what the member used. */
static void test_true_end(void **state)
{
    (void)state;
    int64_t tx, order = estimated(10 * YUAN, &tx);
    struct row_company_member r = co_member_now();
    r.month_most = 5 * YUAN; /* bounds what is begun, not what has happened */
    r.month_mwh = 4 * KWH;
    co_member_change(&r);
    assert_int_equal(world_tx_stop(w, tx, 6 * KWH, w->now - 3000 * 1000), 0);
    assert_int_equal(world_order(w, order)->paid, 6 * YUAN);
    assert_int_equal(world_order(w, order)->loss, 0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -6 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_PENDING, w->owner), 3 * YUAN);
    assert_int_equal(co_member_row(co_member)->used_mwh, 5 * KWH);
    assert_int_equal(co_member_row(co_member)->used_orders, 1);
    assert_int_equal(co_bill(202601)->captured, 6 * YUAN);
    assert_int_equal(co_bill(202601)->orders, 1);
    co_sums();
    r = co_member_now();
    r.month_most = 0;
    co_member_change(&r);
    assert_int_equal(co_start(w->gun, 100), ERR_QUOTA); /* 5 kWh of 4 */
}

/* … within the prepaid amount and the company's credit: what is beyond them is loss. */
static void test_true_end_within_limits(void **state)
{
    (void)state;
    int64_t tx, order = estimated(3 * YUAN, &tx);
    assert_int_equal(world_tx_stop(w, tx, 6 * KWH, w->now - 3000 * 1000), 0);
    assert_int_equal(world_order(w, order)->paid, 3 * YUAN);
    assert_int_equal(world_order(w, order)->loss, 3 * YUAN);
    co_sums();
    order = estimated(10 * YUAN, &tx);
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 5 * YUAN, ROW_ACTIVE), 0);
    assert_int_equal(world_tx_stop(w, tx, 6 * KWH, w->now - 3000 * 1000), 0);
    assert_int_equal(world_order(w, order)->paid, 2 * YUAN); /* 3.00 of 5.00 were owed */
    assert_int_equal(world_order(w, order)->loss, 4 * YUAN);
    assert_int_equal(company_free(w->core, co_company), 0);
    co_sums();
}

/* Less than was estimated: it is given back, and off what the member used. */
static void test_true_end_is_less(void **state)
{
    (void)state;
    int64_t tx, order = estimated(10 * YUAN, &tx);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH - 50000, w->now - 3000 * 1000), 0);
    assert_int_equal(world_order(w, order)->paid, 11400);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -11400);
    assert_int_equal(co_member_row(co_member)->used_mwh, KWH - 50000);
    co_sums();
}

/* ---- cards and vehicles ---- */

static int64_t card_order(const char *tag)
{
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    const struct row_orders *o = world_last(w, ROW_ORDERS);
    return o->id;
}

static void test_card(void **state)
{
    (void)state;
    (void)co_token_add(CARD, TOKEN_CARD, 0);
    struct row_company_member r = co_member_now();
    r.cards = 1;
    r.order_most = 30 * YUAN;
    co_member_change(&r);
    int64_t order = card_order(CARD);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->payer_kind, PAYER_COMPANY);
    assert_int_equal(o->cap, 30 * YUAN);
    assert_int_equal(o->driver, w->driver);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, w->reply.u.tag.tx ? w->reply.u.tag.tx : 1, 2 * KWH, w->now),
                     0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12000);
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN);
    co_sums();
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 100 * YUAN, ROW_DISABLED), 0);
    assert_int_equal(world_tx_start(w, 1, CARD, 3 * KWH, w->now), TAG_BLOCKED);
    assert_int_equal(world_count(w, ROW_ORDERS), 1); /* nor does it fall back on the wallet */
    r = co_member_now();
    r.cards = 0; /* the driver's own card again */
    co_member_change(&r);
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.hold_policy = HOLD_AVAILABLE;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    world_run(w, 1000);
    order = card_order(CARD);
    assert_int_equal(world_order(w, order)->payer_kind, PAYER_WALLET);
}

static int ask(int32_t kind, const char *tag)
{
    struct cmd *c = world_gate(w, CMD_PILE_START);
    c->head.from = w->pile_conn;
    c->u.pile_start.charger = w->pile;
    c->u.pile_start.connector = 1;
    c->u.pile_start.kind = kind;
    (void)str_copy(c->u.pile_start.tag, 37, str_from_c(tag));
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.pile_start.reason;
}

static void test_vehicle(void **state)
{
    (void)state;
    int64_t vin = co_token_add(VIN, TOKEN_VIN, 0);
    assert_int_equal(ask(START_VIN, VIN), REFUSAL_NO_FUNDS); /* its driver's wallet: 4.00 */
    struct row_company_member r = co_member_of(w->driver, vin);
    r.order_most = 25 * YUAN;
    int64_t vehicle = co_member_add(&r);
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 100 * YUAN, ROW_DISABLED), 0);
    assert_int_equal(ask(START_VIN, VIN), REFUSAL_FROZEN);
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 100 * YUAN, ROW_ACTIVE), 0);
    assert_int_equal(ask(START_VIN, VIN), REFUSAL_NONE);
    const struct row_orders *o = world_last(w, ROW_ORDERS);
    assert_int_equal(o->payer_kind, PAYER_COMPANY);
    assert_int_equal(o->member, vehicle);
    assert_int_equal(o->cap, 25 * YUAN);
    assert_int_equal(co_member_row(vehicle)->held, 25 * YUAN);
    assert_int_equal(co_member_row(co_member)->held,
                     0); /* the driver's own membership is another */
    world_run(w, 91000); /* no reading: free again */
    assert_int_equal(co_member_row(vehicle)->held, 0);
    assert_int_equal(co_member_row(vehicle)->used_orders, 0);
    assert_int_equal(company_free(w->core, co_company), 100 * YUAN);
}

static void record(const char *tx_no, int64_t energy)
{
    struct cmd *c = world_gate(w, CMD_TX_RECORD);
    c->head.from = w->pile_conn;
    struct cmd_tx_record *r = &c->u.tx_record;
    r->charger = w->pile;
    r->connector = 1;
    r->stop = STOP_LOCAL;
    (void)str_copy(r->tx_no, 33, str_from_c(tx_no));
    r->start_ms = w->now - DAY_MS;
    r->end_ms = w->now - DAY_MS + 3600000;
    r->class_energy_mwh[2] = energy;
    r->class_price_e5[2] = 120000;
    r->class_amount[2] = energy / 100;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 5 * KWH + energy;
    r->energy_mwh = energy;
    r->amount = energy / KWH * 12000;
    r->start_mark = 4;
    (void)str_copy(r->card, 17, str_from_c(CARD));
    assert_int_equal(world_send(w, c), 0);
}

static void test_offline(void **state)
{
    (void)state;
    int64_t card = co_token_add(CARD, TOKEN_CARD, 20 * YUAN);
    struct row_company_member r = co_member_of(w->driver, card);
    r.month_most = 5 * YUAN; /* it has happened: it is paid, and counts */
    int64_t m = co_member_add(&r);
    record(PAST, 10 * KWH);
    const struct row_orders *o = world_last(w, ROW_ORDERS);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->payer_kind, PAYER_COMPANY);
    assert_int_equal(o->paid, 12 * YUAN);
    assert_int_equal(co_member_row(m)->used, 12 * YUAN);
    assert_int_equal(ask(START_CARD, CARD), REFUSAL_NO_FUNDS);
    /* After the company was disabled its cards are nobody's: the record waits for a person. */
    assert_int_equal(co_put(co_company, COMPANY_CREDIT, 100 * YUAN, ROW_DISABLED), 0);
    record("32010600019236010101010101010078", 10 * KWH);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
    assert_int_equal(((const struct row_stray *)world_last(w, ROW_STRAY))->reason, ERR_DENIED);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN);
}

/* ---- prepaid ---- */

static int freeze(int32_t on)
{
    struct cmd *c = world_web(w, CMD_WALLET_FREEZE, w->person, ACTOR_PERSON);
    c->u.wallet_freeze.driver = w->driver;
    c->u.wallet_freeze.freeze = on;
    (void)str_copy(c->u.wallet_freeze.reason, 201, STR_LIT("lost phone"));
    return world_send(w, c);
}

/* A frozen wallet is the driver's matter: what the company pays begins, is raised and goes back. */
static void test_frozen_wallet(void **state)
{
    (void)state;
    int64_t vin = co_token_add(VIN, TOKEN_VIN, 0);
    (void)co_token_add(CARD, TOKEN_CARD, 0);
    struct row_company_member r = co_member_of(w->driver, vin);
    r.order_most = 25 * YUAN;
    int64_t vehicle = co_member_add(&r);
    assert_int_equal(freeze(1), 0);
    assert_int_equal(world_start(w, w->gun, YUAN), ERR_DISABLED);
    assert_int_equal(ask(START_CARD, CARD), REFUSAL_FROZEN); /* his own card: `cards` is not set */
    assert_int_equal(ask(START_VIN, VIN), REFUSAL_NONE);
    assert_int_equal(co_member_row(vehicle)->held, 25 * YUAN);
    world_run(w, 91000);
    int64_t order = co_order_of(10 * KWH);
    assert_int_equal(world_order(w, order)->paid, 12 * YUAN);
    assert_int_equal(co_refund(order, 5 * YUAN), 0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -7 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN);
    co_sums();
}

/* Gift money is the driver's: a company's order neither spends it nor gives it back. */
static void test_gift_untouched(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_GIFT, w->person, ACTOR_PERSON);
    c->u.gift.driver = w->driver;
    c->u.gift.amount = 3 * YUAN;
    (void)str_copy(c->u.gift.note, sizeof c->u.gift.note, STR_LIT("sorry"));
    assert_int_equal(world_send(w, c), 0);
    int64_t order = co_order_of(10 * KWH);
    assert_int_equal(world_order(w, order)->gift, 0);
    assert_int_equal(co_refund(order, 12 * YUAN), 0);
    assert_int_equal(world_order(w, order)->gift, 0);
    assert_int_equal(co_balance(ACCOUNT_WALLET_BONUS, w->driver), 3 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), 0);
    co_sums();
}

/* The company has its bill: its driver asks for no invoice over what he did not pay. */
static void test_no_invoice(void **state)
{
    (void)state;
    int64_t order = co_order_of(10 * KWH);
    struct cmd *c = world_web(w, CMD_INVOICE_NEW, w->driver, ACTOR_DRIVER);
    c->u.invoice_new.driver = w->driver;
    c->u.invoice_new.n = 1;
    c->u.invoice_new.order[0] = order;
    c->u.invoice_new.buyer = BUYER_PERSON;
    (void)str_copy(c->u.invoice_new.title, sizeof c->u.invoice_new.title, STR_LIT("Wang Wu"));
    (void)str_copy(c->u.invoice_new.email, sizeof c->u.invoice_new.email, STR_LIT("a@b.cn"));
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    assert_int_equal(world_count(w, ROW_INVOICE), 0);
}

/* ---- the bay that stays taken ---- */

static void occupancy_rule(int32_t exempt)
{
    struct cmd *c = world_web(w, CMD_OCCUPANCY_PUT, w->person, ACTOR_PERSON);
    struct cmd_occupancy_put *in = &c->u.occupancy_put;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("after 15 minutes"));
    in->free_min = 15;
    in->cap_order = 30 * YUAN;
    in->hold = 1;
    in->exempt = exempt;
    in->n = 1;
    in->window[0] = (struct occupancy_window_in){0, 1440, 1000};
    assert_int_equal(world_send(w, c), 0);
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.occupancy = w->reply.u.made.id;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
}

/* A charge that ends with the plug in; returns the occupancy order, 0 = none. */
static int64_t stays(void)
{
    int64_t tx, order = co_charging(20 * YUAN, &tx);
    world_status(w, 1, CS_CHARGING);
    co_draw(10 * KWH);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    world_run(w, 2000);
    world_status(w, 1, CS_FINISHING);
    return ((const struct row_connector *)world_row(w, ROW_CONNECTOR, w->gun))->occupancy;
}

static void test_occupancy(void **state)
{
    (void)state;
    occupancy_rule(0);
    int64_t id = stays();
    assert_true(id);
    assert_int_equal(world_order(w, id)->payer_kind, PAYER_COMPANY);
    assert_int_equal(world_order(w, id)->company, co_company);
    assert_int_equal(world_order(w, id)->member, co_member);
    assert_int_equal(co_member_row(co_member)->used_orders, 1); /* a stay is none of its own */
    world_run(w, 16 * 60000);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 10 * 60000 + 1);
    world_status(w, 1, CS_AVAILABLE);
    const struct row_orders *o = world_order(w, id);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_true(o->total >= YUAN && o->paid == o->total);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -(12 * YUAN + o->paid));
    assert_int_equal(co_balance(ACCOUNT_WALLET, w->driver), 4 * YUAN);
    assert_int_equal(co_member_row(co_member)->used, 12 * YUAN + o->paid);
    assert_int_equal(co_member_row(co_member)->used_orders, 1);
    assert_int_equal(co_bill(202601)->orders, 2);
    co_sums();
    struct cmd *c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    (void)str_copy(c->u.order_waive.note, sizeof c->u.order_waive.note, STR_LIT("was stuck"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12 * YUAN);
    assert_int_equal(co_member_row(co_member)->used, 12 * YUAN);
    co_sums();
}

static void test_occupancy_exempt(void **state)
{
    (void)state;
    occupancy_rule(OCC_EXEMPT_COMPANY);
    assert_int_equal(stays(), 0);
    world_run(w, 60 * 60000);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
    assert_int_equal(co_balance(ACCOUNT_COMPANY, co_company), -12 * YUAN);
    co_sums();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, co_up, co_down)
int core_company(void);

int core_company(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows),
        TEST(test_other_tenant),
        TEST(test_credit_order),
        TEST(test_not_a_member),
        TEST(test_quotas),
        TEST(test_counts),
        TEST(test_station),
        TEST(test_limit),
        TEST(test_overrun),
        TEST(test_overrun_within_credit),
        TEST(test_raise),
        TEST(test_removed_while_charging),
        TEST(test_true_end),
        TEST(test_true_end_within_limits),
        TEST(test_true_end_is_less),
        TEST(test_card),
        TEST(test_vehicle),
        TEST(test_offline),
        TEST(test_frozen_wallet),
        TEST(test_gift_untouched),
        TEST(test_no_invoice),
        TEST(test_occupancy),
        TEST(test_occupancy_exempt),
    };
    return cmocka_run_group_tests_name("company", tests, NULL, NULL);
}
