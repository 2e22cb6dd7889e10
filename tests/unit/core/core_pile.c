// SPDX-License-Identifier: Apache-2.0
/* core_pile.c: orders of 云快充 piles: cards and VINs at the pile, cards where it was offline,
 * records lost, repeated, out of order, days late and with other amounts, sessions of nobody, list
 * prices, more prepaid while it charges, batteries and parking locks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "world.h"

#define KWH     INT64_C(1000000)
#define CARD    "00000000D14B0A54"
#define VIN     "LGXC1234567890123"
#define NOBODYS "32010600019236012601010800009999"
#define DAY_MS  INT64_C(86400000)

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

/* ---- the pile's words ---- */

static int64_t token(const char *tag, int32_t kind, int64_t limit, int32_t state)
{
    assert_int_equal(world_put(w, ROW_TOKEN, true,
                               &(struct row_token){.driver = w->driver,
                                                   .tag = tag,
                                                   .kind = kind,
                                                   .offline_limit = limit,
                                                   .state = state}),
                     0);
    return w->reply.u.made.id;
}

static void holds(int32_t policy, int64_t amount)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.hold_policy = policy;
    t.hold_default = amount;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

/* 0x31; returns the reason, the answer is in w->reply. */
static int32_t ask(int32_t gun, enum start_kind kind, const char *tag)
{
    struct cmd *c = world_pile(w, CMD_PILE_START);
    c->u.pile_start.connector = gun;
    c->u.pile_start.kind = (int32_t)kind;
    (void)str_copy(c->u.pile_start.tag, 37, str_from_c(tag));
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.pile_start.reason;
}

static void reading(const char *tx_no, int64_t energy, int64_t power)
{
    world_reading(w, 1, tx_no, energy, power, SAMPLE_NONE32);
}

static void status(enum connector_status s)
{
    struct cmd *c = world_pile(w, CMD_STATUS);
    c->u.status.connector = 1;
    c->u.status.status = (int32_t)s;
    assert_int_equal(world_send(w, c), 0);
}

static int32_t record_stop = STOP_LOCAL;

/* 0x3B, sent now; `amount` as the pile computed it, 0 = none told. Whatever it says, it is
 * acknowledged. */
static void record(const char *tx_no, int64_t start_ms, int64_t energy, int64_t amount,
                   uint8_t mark)
{
    struct cmd *c = world_pile(w, CMD_TX_RECORD);
    struct cmd_tx_record *r = &c->u.tx_record;
    r->connector = 1;
    r->stop = record_stop;
    (void)str_copy(r->tx_no, 33, str_from_c(tx_no));
    r->start_ms = start_ms;
    r->end_ms = start_ms + 300000;
    r->class_energy_mwh[2] = r->energy_mwh = energy;
    r->class_amount[2] = r->amount = amount;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 5 * KWH + energy;
    r->start_mark = mark;
    (void)str_copy(r->card, 17, STR_LIT(CARD));
    assert_int_equal(world_send(w, c), 0);
}

static void price_held(int64_t tariff)
{
    struct cmd *c = world_pile(w, CMD_PRICE_HELD);
    c->u.price_held = (struct cmd_price_held){w->pile, tariff};
    world_send(w, c);
}

/* An order of the app that charges; its number is in tx_no. */
static int64_t charging(int64_t cap, char tx_no[33])
{
    assert_int_equal(world_start(w, w->pile_gun, cap), 0);
    int64_t order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    (void)str_copy(tx_no, 33, str_from_c(call->u.call.tx_no));
    world_answer(w, call, 0, "Accepted");
    reading(tx_no, 0, 30000);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    return order;
}

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

static size_t strays(void)
{
    return world_count(w, ROW_STRAY);
}

static const struct row_stray *stray(void)
{
    return world_row(w, ROW_STRAY, w->pile);
}

/* ---- a card, a VIN ---- */

static void test_card(void **state)
{
    (void)state;
    int64_t card = token(CARD, TOKEN_CARD, 0, ROW_ACTIVE);
    holds(HOLD_DEFAULT_OR_REFUSE, 30000);
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_NONE);
    struct reply_pile_start first = w->reply.u.pile_start;
    assert_int_equal(strlen(first.tx_no), 32);
    assert_memory_equal(first.tx_no, "3201060001923601260101080000", 28);
    assert_int_equal(first.balance, 30000);                   /* the hold, not the wallet */
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_NONE); /* the answer was lost */
    assert_memory_equal(&w->reply.u.pile_start, &first, sizeof first);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
    reading(first.tx_no, KWH, 60000);
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_CARD_BUSY);
    world_run(w, 60000);
    record(first.tx_no, w->now - 300000, 2 * KWH, 0, 2);
    struct order *o = order_by_tx_no(w->core, first.tx_no);
    assert_non_null(o);
    assert_int_equal(o->row.state, ORDER_SETTLED);
    assert_int_equal(o->row.started_by, START_CARD);
    assert_int_equal(o->row.token, card);
    assert_int_equal(o->row.total, 24000);
    assert_int_equal(wallet(), 16000);
}

static void test_short_card(void **state)
{
    (void)state;
    (void)token("D14B0A54", TOKEN_CARD, 0, ROW_ACTIVE); /* as an OCPP reader says it */
    holds(HOLD_AVAILABLE, 0);
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_NONE);
    assert_int_equal(w->reply.u.pile_start.balance, 40000);
}

static void test_vin(void **state)
{
    (void)state;
    holds(HOLD_AVAILABLE, 0);
    assert_int_equal(ask(1, START_VIN, VIN), REFUSAL_UNKNOWN_VIN);
    (void)token(VIN, TOKEN_VIN, 0, ROW_ACTIVE);
    assert_int_equal(ask(1, START_CARD, VIN), REFUSAL_UNKNOWN); /* a VIN is no card */
    assert_int_equal(ask(1, START_VIN, VIN), REFUSAL_NONE);
    reading(w->reply.u.pile_start.tx_no, KWH, 60000);
    const struct order *o = order_by_tx_no(w->core, w->reply.u.pile_start.tx_no);
    (void)o;
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
}

static void test_refused(void **state)
{
    (void)state;
    holds(HOLD_DEFAULT_OR_REFUSE, 50000); /* more than there is */
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_UNKNOWN);
    assert_int_equal(ask(1, START_CARD, ""), REFUSAL_UNKNOWN);
    (void)token(CARD, TOKEN_CARD, 0, ROW_ACTIVE);
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_NO_FUNDS);
    assert_int_equal(ask(9, START_CARD, CARD), REFUSAL_DISABLED); /* no such gun */
    (void)token("00000000000000AA", TOKEN_CARD, 0, ROW_DISABLED);
    assert_int_equal(ask(1, START_CARD, "00000000000000AA"), REFUSAL_FROZEN);
    char tx_no[33];
    (void)charging(40000, tx_no);
    holds(HOLD_AVAILABLE, 0);
    assert_int_not_equal(ask(1, START_CARD, CARD), REFUSAL_NONE);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
}

static void test_card_never_charges(void **state)
{
    (void)state;
    (void)token(CARD, TOKEN_CARD, 0, ROW_ACTIVE);
    holds(HOLD_AVAILABLE, 0);
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_NONE);
    char tx_no[33];
    (void)str_copy(tx_no, 33, str_from_c(w->reply.u.pile_start.tx_no));
    world_run(w, 91000); /* no reading: the money is free again */
    struct order *o = order_by_tx_no(w->core, tx_no);
    assert_int_equal(o->row.state, ORDER_START_FAILED);
    assert_int_equal(wallet(), 40000);
    world_run(w, 61000);
    reading(tx_no, KWH, 60000); /* it charges all the same */
    assert_non_null(world_call(w, CALL_REMOTE_STOP));
}

/* "Stopped by the platform", says the record of a charge that the platform had given up: what nobody
 * pays for says why it ended all the same. */
static void test_late_record_has_a_reason(void **state)
{
    (void)state;
    (void)token(CARD, TOKEN_CARD, 0, ROW_ACTIVE);
    holds(HOLD_AVAILABLE, 0);
    assert_int_equal(ask(1, START_CARD, CARD), REFUSAL_NONE);
    char tx_no[33];
    (void)str_copy(tx_no, 33, str_from_c(w->reply.u.pile_start.tx_no));
    world_run(w, 91000);
    assert_int_equal(order_by_tx_no(w->core, tx_no)->row.state, ORDER_START_FAILED);
    record_stop = STOP_NONE;
    record(tx_no, w->now - 60000, KWH, 12000, 1);
    record_stop = STOP_LOCAL;
    const struct row_orders *o = &order_by_tx_no(w->core, tx_no)->row;
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->payer_kind, PAYER_NONE);
    assert_int_equal(o->loss, 12000);
    assert_int_equal(o->stop_reason, STOP_DEAUTHORIZED);
}

static void test_test_charge_has_no_limit(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_ORDER_START, w->person, ACTOR_PERSON);
    c->u.order_start.connector = w->pile_gun;
    c->u.order_start.payer_kind = PAYER_NONE;
    assert_int_equal(world_send(w, c), 0);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    assert_int_equal(call->u.call.balance, 10000 * MONEY_UNIT); /* 0 would end it at once */
}

/* ---- a card where the pile was offline ---- */

static void test_offline_card(void **state)
{
    (void)state;
    int64_t start = w->now - 2 * DAY_MS;
    record(NOBODYS, start, 2 * KWH, 0, 4);
    assert_int_equal(strays(), 1);
    assert_int_equal(stray()->reason, ERR_NOT_FOUND); /* nobody's card */
    int64_t card = token(CARD, TOKEN_CARD, 0, ROW_ACTIVE);
    record(NOBODYS, start, 2 * KWH, 0, 4);
    assert_int_equal(stray()->reason, ERR_DENIED); /* it may not charge offline */
    assert_int_equal(strays(), 1);
    struct row_token t = *(const struct row_token *)world_row(w, ROW_TOKEN, card);
    t.offline_limit = 30000;
    assert_int_equal(world_put(w, ROW_TOKEN, false, &t), 0);
    record(NOBODYS, start, 2 * KWH, 0, 4);
    assert_int_equal(strays(), 0);
    const struct order *o = order_by_tx_no(w->core, NOBODYS);
    assert_non_null(o);
    assert_int_equal(o->row.state, ORDER_SETTLED);
    assert_int_equal(o->row.started_by, START_OFFLINE);
    assert_int_equal(o->row.start_ms, start);
    assert_int_equal(o->row.paid, 24000);
    assert_int_equal(wallet(), 16000);
    for (int i = 0; i < 2; i++) { /* repeated, and after a restart */
        record(NOBODYS, start, 2 * KWH, 0, 4);
        assert_int_equal(world_count(w, ROW_ORDERS), 1);
        assert_int_equal(wallet(), 16000);
        world_restart(w);
    }
}

static void test_offline_limit(void **state)
{
    (void)state;
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.overrun_policy = OVERRUN_DEBT;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    (void)token(CARD, TOKEN_CARD, 60000, ROW_ACTIVE);
    record(NOBODYS, w->now - DAY_MS, 8 * KWH, 0, 4); /* 9.60, 4.00 in the wallet, limit 6.00 */
    const struct order *o = order_by_tx_no(w->core, NOBODYS);
    assert_int_equal(o->row.total, 96000);
    assert_int_equal(o->row.paid, 60000);
    assert_int_equal(o->row.loss, 36000);
    assert_int_equal(wallet(), 0);
}

static void test_offline_beside_a_running_order(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t order = charging(30000, tx_no);
    (void)token(CARD, TOKEN_CARD, 60000, ROW_ACTIVE);
    record(NOBODYS, w->now - DAY_MS, KWH / 2, 0, 4);
    assert_int_equal(connector_find(w->core, w->pile_gun)->row.order_id, order);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
}

static void test_online_record_of_nobody(void **state)
{
    (void)state;
    (void)token(CARD, TOKEN_CARD, 60000, ROW_ACTIVE);
    for (uint8_t mark = 0; mark < 8; mark++) /* any mark but the offline card's */
        if (mark != 4)
            record(NOBODYS, w->now - DAY_MS, KWH, 12000, mark);
    assert_int_equal(world_count(w, ROW_ORDERS), 0);
    assert_int_equal(strays(), 1);
    assert_true(stray()->ended);
    assert_int_equal(stray()->energy_mwh, KWH);
    assert_int_equal(wallet(), 40000);
}

static void test_session_of_nobody(void **state)
{
    (void)state;
    reading(NOBODYS, KWH, 60000);
    assert_int_equal(strays(), 1);
    assert_false(stray()->ended);
    reading(NOBODYS, 2 * KWH, 60000);
    assert_int_equal(w->rows_last, 0); /* told once */
}

/* ---- records in every order ---- */

enum step { STEP_READ, STEP_RECORD, STEP_REPEAT, STEP_ALTERED, STEP_DAYS, STEPS };

static void step_do(enum step s, const char *tx_no, int64_t start)
{
    world_run(w, 61000);
    switch (s) {
    case STEP_READ:
        reading(tx_no, KWH, 30000);
        break;
    case STEP_RECORD:
    case STEP_REPEAT:
        record(tx_no, start, 2 * KWH, 24000, 1);
        break;
    case STEP_ALTERED: /* less energy, another amount */
        record(tx_no, start, 3 * KWH / 2, 99999, 1);
        break;
    case STEP_DAYS:
        world_run(w, 3 * DAY_MS);
        break;
    case STEPS:
        break;
    }
}

/* Plays these steps on a new order; whatever comes, there is one order, paid once, within its
 * prepaid amount, and what is not paid is back in the wallet. */
static void permutation(const int *steps, int n)
{
    char tx_no[33];
    world_init(w);
    int64_t start = w->now, order = charging(40000, tx_no);
    for (int i = 0; i < n; i++)
        step_do((enum step)steps[i], tx_no, start);
    world_run(w, 4 * DAY_MS);
    world_restart(w);
    record(tx_no, start, 2 * KWH, 24000, 1); /* days later, once more */
    world_run(w, 4 * DAY_MS);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
    assert_int_equal(strays(), 0);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_false(o->estimated); /* the record came at last */
    assert_int_equal(wallet(), 40000 - o->paid);
    assert_true(o->total == 24000 || o->total == 18000);
    assert_true(o->paid <= o->total && o->paid >= 18000);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner) +
                         world_balance(w, ACCOUNT_AVAILABLE, w->owner) +
                         world_balance(w, ACCOUNT_INCOME, w->platform),
                     o->paid);
    world_free(w);
}

/* Every subset of the steps (what is missing was lost), in every order. */
static void test_all_orders(void **state)
{
    (void)state;
    assert_int_equal(world_sequences(STEPS, STEPS, permutation), 326); /* sum of 5!/(5-k)! */
}

/* ---- amounts ---- */

static void test_amount_lower(void **state)
{
    char tx_no[33];
    (void)state;
    price_held(w->tariff);
    int64_t start = w->now, order = charging(40000, tx_no);
    world_run(w, 200000);
    reading(tx_no, 2 * KWH, 30000);
    record(tx_no, start, 2 * KWH, 12000, 1); /* half of what its list prices make */
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_DOUBTFUL);
    assert_int_equal(o->doubt, DOUBT_RECORD_MISMATCH);
    assert_int_equal(o->paid, 12000);
    assert_int_equal(o->doubt_mwh, KWH);
    assert_true(world_event(w, order, OE_RECORD_DIFFERS));
    assert_int_equal(wallet(), 28000);
}

static void test_amount_higher(void **state)
{
    char tx_no[33];
    (void)state;
    price_held(w->tariff);
    int64_t start = w->now, order = charging(40000, tx_no);
    record(tx_no, start, 2 * KWH, 30000, 1);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->paid, 24000);
    assert_true(world_event(w, order, OE_RECORD_DIFFERS));
}

static void test_amount_right(void **state)
{
    char tx_no[33];
    (void)state;
    price_held(w->tariff);
    int64_t start = w->now, order = charging(40000, tx_no);
    record(tx_no, start, 2 * KWH, 24050, 1); /* its own rounding */
    assert_false(world_event(w, order, OE_RECORD_DIFFERS));
    assert_int_equal(world_session(w, order)->record_amount, 24050);
    assert_int_equal(world_session(w, order)->list_tariff, w->tariff);
}

/* ---- idle without a record ---- */

static void test_idle(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = charging(40000, tx_no);
    status(CS_CHARGING);
    world_run(w, 61000);
    reading(tx_no, KWH, 30000);
    status(CS_FINISHING); /* a slip: it charges on */
    world_run(w, 15000);
    status(CS_CHARGING);
    reading(tx_no, 3 * KWH / 2, 30000);
    world_run(w, 70000);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    status(CS_FINISHING);
    world_run(w, 61000);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_true(o->estimated);
    assert_int_equal(o->total, 18000);
    assert_string_equal(world_session(w, order)->stop_text, "no record in time");
    record(tx_no, start, 2 * KWH, 0, 1); /* the truth */
    o = world_order(w, order);
    assert_false(o->estimated);
    assert_int_equal(o->total, 24000);
    assert_int_equal(wallet(), 16000);
}

/* ---- more prepaid ---- */

static int raise_by(int64_t order, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise = (struct cmd_order_raise){order, w->driver, amount};
    return world_send(w, c);
}

static void test_raise(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = charging(10000, tx_no);
    assert_int_equal(raise_by(order, 40000), ERR_NO_FUNDS);
    assert_int_equal(raise_by(order, 50), ERR_RANGE);
    assert_int_equal(raise_by(order, 20000), 0);
    const struct out *call = world_call(w, CALL_BALANCE);
    assert_non_null(call);
    assert_int_equal(call->u.call.balance, 30000); /* what is held, though 1.00 more is there */
    assert_int_equal(world_order(w, order)->cap, 30000);
    record(tx_no, start, 2 * KWH, 0, 1);
    assert_int_equal(world_order(w, order)->paid, 24000);
    assert_int_equal(raise_by(order, 10000), ERR_CONFLICT);
    assert_int_equal(wallet(), 16000);
}

/* ---- prices ---- */

static struct cmd *tariff(int32_t slices)
{
    struct cmd *c = world_web(w, CMD_TARIFF_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.tariff_put.name, 101, STR_LIT("next"));
    c->u.tariff_put.family = w->tariff;
    c->u.tariff_put.from_ms = w->now + 3600000;
    c->u.tariff_put.on_piles = 1;
    c->u.tariff_put.days = 1;
    c->u.tariff_put.day[0] = (struct tariff_day_in){101, 1231, 127, 0};
    c->u.tariff_put.slices = slices;
    for (int32_t i = 0; i < slices; i++) {
        struct tariff_slice_in *s = &c->u.tariff_put.slice[i];
        *s = (struct tariff_slice_in){0, i * 60, "", 50000 + 10000 * i, 40000};
        snprintf(s->label, sizeof s->label, "P%d", (int)i);
    }
    return c;
}

static void test_tariff_that_no_pile_holds(void **state)
{
    (void)state;
    assert_int_equal(world_send(w, tariff(5)), ERR_UNSUPPORTED); /* five prices */
    struct cmd *c = tariff(2);
    c->u.tariff_put.slice[1].from_min = 75; /* no half hour */
    assert_int_equal(world_send(w, c), ERR_UNSUPPORTED);
    assert_int_equal(world_send(w, tariff(4)), 0);
}

static struct reply_prices model_now(void)
{
    struct cmd *c = world_pile(w, CMD_PRICE_MODEL);
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.prices;
}

static void test_prices_before_the_change(void **state)
{
    (void)state;
    struct reply_prices now = model_now(), next;
    price_held(now.tariff);
    assert_int_equal(now.until_ms, T0 + 16 * 3600000 - PRICE_LEAD_MS); /* the local midnight */
    int64_t at = w->now + 3600000;
    assert_int_equal(world_send(w, tariff(2)), 0);
    next = model_now();
    assert_int_equal(next.number, now.number);
    assert_int_equal(next.until_ms, at - PRICE_LEAD_MS);
    world_tick(w, next.until_ms);
    next = model_now();
    assert_int_not_equal(next.number, now.number);
    assert_int_not_equal(next.tariff, now.tariff);
    price_held(next.tariff);
    /* An order that begins before the change is billed at the old prices; its pile stops at the
     * same energy by its own. */
    assert_int_equal(world_start(w, w->pile_gun, 12000), 0);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_true(call->u.call.balance < 12000);
    assert_true(call->u.call.balance >= 9000);
}

static void test_pile_at_a_tariff_that_does_not_fit(void **state)
{
    (void)state;
    struct cmd *c = tariff(5);
    c->u.tariff_put.on_piles = 0;
    assert_int_equal(world_send(w, c), 0);
    world_tick(w, w->now + 3600001);
    const struct row_charger pile = {
        .station = w->station, .path = "32010600019999", .protocol = PROTOCOL_YKC};
    assert_int_equal(world_put(w, ROW_CHARGER, true, &pile), ERR_UNSUPPORTED);
}

static int station_at(int64_t family, bool piles)
{
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    struct cmd *c = world_web(w, CMD_ROW_PUT, w->person, ACTOR_PERSON);
    struct buf b;
    s.tariff = family;
    buf_init(&b, sizeof c->u.row_put.row);
    row_pack(&b, ROW_STATION, ROW_UPSERT, &s);
    c->u.row_put.table = ROW_STATION;
    c->u.row_put.on_piles = piles;
    c->u.row_put.n = (uint32_t)b.n;
    memcpy(c->u.row_put.row, b.p, b.n);
    buf_free(&b);
    return world_send(w, c);
}

/* A station where piles stand goes to no family that they cannot hold, now or from a day on. */
static void test_station_to_a_tariff_that_does_not_fit(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct cmd *c = tariff(later ? 2 : 5);
        c->u.tariff_put.family = 0;
        c->u.tariff_put.on_piles = 0;
        c->u.tariff_put.from_ms = 0;
        assert_int_equal(world_send(w, c), 0);
        int64_t family = w->reply.u.made.id;
        if (later) {
            c = tariff(5);
            c->u.tariff_put.family = family;
            c->u.tariff_put.on_piles = 0;
            assert_int_equal(world_send(w, c), 0);
        }
        assert_int_equal(station_at(family, true), ERR_PILE_TARIFF);
        assert_int_equal(station_at(w->tariff, true), 0);
        assert_int_equal(station_at(family, false), 0); /* chargers of OCPP do not mind */
        assert_int_equal(station_at(family, true), 0);  /* it is there: its name may change */
        assert_int_equal(station_at(w->tariff, true), 0);
    }
    struct cmd *c = tariff(4);
    c->u.tariff_put.family = 0;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(station_at(w->reply.u.made.id, true), 0);
}

/* ---- back into the grid ---- */

static int discharge(int32_t payer_kind)
{
    struct cmd *c = world_web(w, CMD_ORDER_START, w->person, ACTOR_PERSON);
    c->u.order_start.connector = w->pile_gun;
    c->u.order_start.payer_kind = payer_kind;
    c->u.order_start.direction = -1;
    c->u.order_start.to_soc = 40;
    return world_send(w, c);
}

static void test_discharge(void **state)
{
    char tx_no[33];
    (void)state;
    assert_int_equal(discharge(PAYER_WALLET), ERR_DENIED);
    assert_int_equal(discharge(PAYER_NONE), 0);
    int64_t order = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    assert_int_equal(call.u.call.direction, -1);
    assert_int_equal(call.u.call.to_soc, 40);
    (void)str_copy(tx_no, 33, str_from_c(call.u.call.tx_no));
    world_answer(w, &call, 0, "Accepted");
    reading(tx_no, 0, -60000);
    world_run(w, 61000);
    reading(tx_no, KWH, -60000);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    struct cmd *c = world_web(w, CMD_ORDER_STOP, w->person, ACTOR_PERSON);
    c->u.order_stop.order = order;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_call(w, CALL_REMOTE_STOP)->u.call.direction, -1);
    record(tx_no, w->now - 61000, KWH, 9999, 1);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->kind, ORDER_DISCHARGE);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->energy_mwh, KWH);
    assert_int_equal(o->total, 0);
    assert_int_equal(o->loss, 0);
    assert_int_equal(world_session(w, order)->direction, -1);
    assert_int_equal(world_count(w, ROW_STAT_DAY), 0); /* no sale */
    assert_int_equal(wallet(), 40000);
}

/* The pile turns a charge round: its record and the first reading of the discharge come in either
 * order. */
static void turn_round(bool record_first)
{
    char tx_no[33], back[33];
    int64_t start = w->now, order = charging(40000, tx_no);
    world_run(w, 61000);
    reading(tx_no, KWH, 60000);
    world_answer_pile(w);
    assert_int_equal(discharge(PAYER_NONE), 0);
    int64_t other = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    (void)str_copy(back, 33, str_from_c(call.u.call.tx_no));
    assert_string_not_equal(back, tx_no);
    world_answer(w, &call, 0, "Accepted");
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    if (record_first)
        record(tx_no, start, KWH, 0, 1);
    reading(back, 0, -60000);
    if (!record_first)
        record(tx_no, start, KWH, 0, 1);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_false(world_order(w, order)->estimated);
    assert_int_equal(world_order(w, other)->state, ORDER_CHARGING);
    assert_int_equal(connector_find(w->core, w->pile_gun)->row.order_id, other);
    world_run(w, 61000);
    record(back, w->now - 61000, KWH / 2, 0, 1);
    assert_int_equal(world_order(w, other)->state, ORDER_SETTLED);
    assert_int_equal(connector_find(w->core, w->pile_gun)->row.order_id, 0);
    assert_int_equal(wallet(), 28000);
}

static void test_turn_round(void **state)
{
    (void)state;
    turn_round(true);
}

static void test_turn_round_record_late(void **state)
{
    (void)state;
    turn_round(false);
}

/* ---- battery, parking ---- */

static void test_battery(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t order = charging(40000, tx_no);
    for (int i = 0; i < 2; i++) { /* repeated frames are one row */
        struct cmd *c = world_pile(w, CMD_BATTERY);
        c->u.battery.phase = BATTERY_RATED;
        (void)str_copy(c->u.battery.tx_no, 33, str_from_c(tx_no));
        (void)str_copy(c->u.battery.vin, 18, STR_LIT(VIN));
        c->u.battery.capacity_mah = 144000;
        world_send(w, c);
    }
    assert_int_equal(world_count(w, ROW_BATTERY), 1);
    const struct row_session *s = world_session(w, order);
    const struct row_battery *b = world_row(w, ROW_BATTERY, s->id);
    assert_string_equal(b->vin, VIN);
    assert_int_equal(b->order_id, order);
}

static void test_parking(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct cmd *c = world_pile(w, CMD_PARKING);
        c->u.parking = (struct cmd_parking){
            .charger = w->pile, .connector = 1, .lock = LOCK_DOWN, .bay = BAY_TAKEN};
        world_send(w, c);
        assert_int_equal(w->rows_last != 0, i == 0); /* only what is new */
    }
    const struct row_connector *k = world_row(w, ROW_CONNECTOR, w->pile_gun);
    assert_int_equal(k->parking, LOCK_DOWN);
    assert_int_equal(k->bay, BAY_TAKEN);
}

int core_pile(void);
int core_pile(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_card, up, down),
        cmocka_unit_test_setup_teardown(test_short_card, up, down),
        cmocka_unit_test_setup_teardown(test_vin, up, down),
        cmocka_unit_test_setup_teardown(test_refused, up, down),
        cmocka_unit_test_setup_teardown(test_card_never_charges, up, down),
        cmocka_unit_test_setup_teardown(test_late_record_has_a_reason, up, down),
        cmocka_unit_test_setup_teardown(test_test_charge_has_no_limit, up, down),
        cmocka_unit_test_setup_teardown(test_offline_card, up, down),
        cmocka_unit_test_setup_teardown(test_offline_limit, up, down),
        cmocka_unit_test_setup_teardown(test_offline_beside_a_running_order, up, down),
        cmocka_unit_test_setup_teardown(test_online_record_of_nobody, up, down),
        cmocka_unit_test_setup_teardown(test_session_of_nobody, up, down),
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test_setup_teardown(test_amount_lower, up, down),
        cmocka_unit_test_setup_teardown(test_amount_higher, up, down),
        cmocka_unit_test_setup_teardown(test_amount_right, up, down),
        cmocka_unit_test_setup_teardown(test_idle, up, down),
        cmocka_unit_test_setup_teardown(test_raise, up, down),
        cmocka_unit_test_setup_teardown(test_tariff_that_no_pile_holds, up, down),
        cmocka_unit_test_setup_teardown(test_prices_before_the_change, up, down),
        cmocka_unit_test_setup_teardown(test_pile_at_a_tariff_that_does_not_fit, up, down),
        cmocka_unit_test_setup_teardown(test_station_to_a_tariff_that_does_not_fit, up, down),
        cmocka_unit_test_setup_teardown(test_discharge, up, down),
        cmocka_unit_test_setup_teardown(test_turn_round, up, down),
        cmocka_unit_test_setup_teardown(test_turn_round_record_late, up, down),
        cmocka_unit_test_setup_teardown(test_battery, up, down),
        cmocka_unit_test_setup_teardown(test_parking, up, down),
    };
    return cmocka_run_group_tests_name("core: piles", tests, NULL, NULL);
}
