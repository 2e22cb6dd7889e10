// SPDX-License-Identifier: Apache-2.0
/* core_discharge.c: drivers are paid for what their vehicles give back: slices, doubt, estimates
 * corrected both ways, records in all orders around a turn-round with a restart between, debts,
 * frozen and closed accounts, starts that were given up, and who may not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "world.h"

#define KWH    INT64_C(1000000)
#define MINUTE INT64_C(60000)
#define DAY_MS INT64_C(86400000)

static struct world world, *w = &world;
static int64_t buys; /* family of the tariff that pays */

/* ---- a station that buys ---- */

/* 0.60 until 08:10, 1.15501 from then; the world begins at 08:00. */
static struct cmd *tariff(int64_t family, int64_t service)
{
    struct cmd *c = world_web(w, CMD_TARIFF_PUT, w->person, ACTOR_PERSON);
    struct cmd_tariff_put *in = &c->u.tariff_put;
    (void)str_copy(in->name, 101, STR_LIT("we buy"));
    in->family = family;
    in->from_ms = family ? w->now + DAY_MS : 0;
    in->days = 1;
    in->day[0] = (struct tariff_day_in){101, 1231, 127, 0};
    in->slices = 2;
    in->slice[0] = (struct tariff_slice_in){0, 0, "平", 60000, 0};
    in->slice[1] = (struct tariff_slice_in){0, 490, "尖", 115501, (int32_t)service};
    return c;
}

static int station_buys(int64_t family)
{
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.discharge_tariff = family;
    return world_put(w, ROW_STATION, false, &s);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_send(w, tariff(0, 0)), 0);
    buys = w->reply.u.made.id;
    assert_int_equal(station_buys(buys), 0);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* ---- the driver, the pile ---- */

static struct cmd *ask(int64_t actor, enum actor_kind kind, int64_t driver)
{
    struct cmd *c = world_web(w, CMD_ORDER_START, actor, kind);
    c->u.order_start.connector = w->pile_gun;
    c->u.order_start.driver = driver;
    c->u.order_start.payer_kind = PAYER_NONE;
    c->u.order_start.direction = -1;
    c->u.order_start.to_soc = 40;
    return c;
}

static int discharge(void)
{
    return world_send(w, ask(w->driver, ACTOR_DRIVER, w->driver));
}

static void reading(const char *tx_no, int64_t energy, int64_t power, int32_t soc_pm)
{
    world_reading(w, 1, tx_no, energy, power, soc_pm);
}

static int64_t lasts = 9 * MINUTE;

static void record(const char *tx_no, int64_t start_ms, int64_t energy, int64_t amount)
{
    struct cmd *c = world_pile(w, CMD_TX_RECORD);
    struct cmd_tx_record *r = &c->u.tx_record;
    r->connector = 1;
    r->stop = STOP_LIMIT;
    (void)str_copy(r->tx_no, 33, str_from_c(tx_no));
    r->start_ms = start_ms;
    r->end_ms = start_ms + lasts;
    r->class_energy_mwh[2] = r->energy_mwh = energy;
    r->amount = amount;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 5 * KWH + energy;
    assert_int_equal(world_send(w, c), 0);
}

/* A discharge that runs; its number is in tx_no. */
static int64_t running(char tx_no[33])
{
    assert_int_equal(discharge(), 0);
    int64_t order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    assert_int_equal(call->u.call.direction, -1);
    assert_int_equal(call->u.call.to_soc, 40);
    (void)str_copy(tx_no, 33, str_from_c(call->u.call.tx_no));
    world_answer(w, call, 0, "Accepted");
    reading(tx_no, 0, -60000, 900);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    return order;
}

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

static int64_t grid(void)
{
    return world_balance(w, ACCOUNT_GRID, 0);
}

static int64_t debt(void)
{
    return -world_balance(w, ACCOUNT_DEBT, w->driver);
}

/* Time goes on, and the pile tells something every minute, up to `energy`. */
static void gives(const char *tx_no, int64_t from, int64_t energy, int minutes)
{
    for (int i = 1; i <= minutes; i++) {
        world_run(w, MINUTE);
        reading(tx_no, from + (energy - from) * i / minutes, -60000, 800);
    }
}

static const struct row_stat_day *day(void)
{
    return world_last(w, ROW_STAT_DAY);
}

/* Everything that a paid discharge must be. */
static void paid(int64_t order, int64_t energy, int64_t amount)
{
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->kind, ORDER_DISCHARGE);
    assert_int_equal(o->energy_mwh, energy);
    assert_int_equal(o->total, amount);
    assert_int_equal(o->paid, amount);
    assert_int_equal(o->loss, 0);
    assert_int_equal(o->elec + o->service + o->occupancy, 0);
    assert_int_equal(o->parts, 0);
    assert_int_equal(o->contract, 0);
    assert_int_equal(day()->discharge_mwh, energy);
    assert_int_equal(day()->discharged, amount);
    assert_int_equal(day()->discharges, 1);
    assert_int_equal(day()->energy_mwh + day()->paid + day()->orders, 0);
    assert_int_equal(grid(), -amount);
}

/* ---- the bill ---- */

static void test_slices(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = running(tx_no);
    gives(tx_no, 0, 20 * KWH, 20);
    world_restart(w);
    world_open_pile(w);
    lasts = 20 * MINUTE;
    record(tx_no, start, 20 * KWH, 0);
    lasts = 9 * MINUTE;
    /* Half an hour's worth before 08:10 at 0.60, half at 1.15501; each line rounded once. */
    const struct row_fee_line *l = world_row(w, ROW_FEE_LINE, order);
    assert_int_equal(l->kind, FEE_DISCHARGE);
    assert_int_equal(world_order(w, order)->lines, 2);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    paid(order, 20 * KWH, 60000 + 115500);
    assert_int_equal(wallet(), 40000 + 175500);
    const struct row_payment *lot = world_last(w, ROW_PAYMENT);
    assert_int_equal(lot->method, PAY_METHOD_DISCHARGE);
    assert_int_equal(lot->amount, 175500);
    assert_int_equal(lot->channel, 0);
    assert_int_equal(lot->order_id, order);
    assert_int_equal(lot->driver, w->driver);
    assert_int_equal(world_count(w, ROW_SPLIT_PART), 0);
    size_t lots = world_count(w, ROW_PAYMENT);
    for (int i = 0; i < 3; i++) { /* whatever comes again */
        world_run(w, MINUTE);
        record(tx_no, start, (21 + i) * KWH, 0);
        reading(tx_no, 22 * KWH, -60000, 800);
    }
    paid(order, 20 * KWH, 175500);
    assert_int_equal(world_count(w, ROW_PAYMENT), lots);
    assert_int_equal(wallet(), 40000 + 175500);
}

/* The version of the start counts, whatever the station does meanwhile. */
static void test_frozen_version(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = running(tx_no);
    assert_int_equal(station_buys(0), 0);
    gives(tx_no, 0, 10 * KWH, 10);
    record(tx_no, start, 10 * KWH, 0);
    paid(order, 10 * KWH, 60000);
    assert_int_equal(discharge(), ERR_NO_DISCHARGE);
}

static void test_debt_first(void **state)
{
    char tx_no[33];
    (void)state;
    /* A debt of 0.70 by a correction that takes what is spent. */
    int64_t start = w->now, order = running(tx_no);
    gives(tx_no, 0, 5 * KWH, 5);
    world_run(w, DAY_MS); /* silence */
    assert_int_equal(world_order(w, order)->estimated, 1);
    paid(order, 5 * KWH, 30000);
    assert_int_equal(wallet(), 70000);
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_start(w, w->gun, 68000), 0); /* held: not free */
    record(tx_no, start, 4500000, 0);
    assert_int_equal(world_order(w, order)->estimated, 0);
    paid(order, 4500000, 27000);
    assert_int_equal(wallet(), 68000);
    assert_int_equal(debt(), 1000);
    /* The next discharge pays it first, and it may begin for all that. */
    world_open_pile(w);
    start = w->now;
    int64_t before = grid();
    assert_int_equal(discharge(), 0);
    order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    (void)str_copy(tx_no, 33, str_from_c(call->u.call.tx_no));
    world_answer(w, call, 0, "Accepted");
    reading(tx_no, 0, -60000, 900);
    world_run(w, 2 * MINUTE);
    record(tx_no, start, KWH, 0);
    const struct row_orders *o = world_order(w, order);
    assert_true(o->paid == 6000 || o->paid == 11550);
    assert_int_equal(debt(), 0);
    assert_int_equal(grid(), before - o->paid);
    const struct row_payment *lot = world_last(w, ROW_PAYMENT);
    assert_int_equal(lot->amount, o->paid);
}

/* ---- doubt ---- */

static int64_t doubtful(char tx_no[33])
{
    int64_t start = w->now, order = running(tx_no);
    gives(tx_no, 0, 10 * KWH, 10);
    lasts = 10 * MINUTE;
    record(tx_no, start, 10 * KWH, 30000); /* half of what it is at our prices */
    lasts = 9 * MINUTE;
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_DOUBTFUL);
    assert_int_equal(o->doubt, DOUBT_RECORD_MISMATCH);
    assert_int_equal(o->doubt_mwh, 5 * KWH);
    assert_true(world_event(w, order, OE_RECORD_DIFFERS));
    paid(order, 5 * KWH, 30000);
    return order;
}

static void test_doubt_dropped(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t order = doubtful(tx_no);
    world_run(w, 3 * DAY_MS);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    paid(order, 5 * KWH, 30000);
    assert_int_equal(wallet(), 70000);
}

static void test_doubt_accepted(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t order = doubtful(tx_no);
    world_restart(w);
    struct cmd *c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
    c->u.decide.order = order;
    c->u.decide.accept = 1;
    assert_int_equal(world_send(w, c), 0);
    /* At the price of the end: 08:10, 1.15501. */
    paid(order, 10 * KWH, 30000 + 57800);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(wallet(), 40000 + 87800);
    c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
    c->u.decide.order = order;
    c->u.decide.accept = 1;
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
}

/* A pile that says more is not believed; one that says what its list prices make is right. */
static void test_amounts(void **state)
{
    char tx_no[33];
    (void)state;
    struct cmd *c = world_pile(w, CMD_PRICE_HELD);
    c->u.price_held = (struct cmd_price_held){w->pile, w->tariff};
    world_send(w, c);
    int64_t start = w->now, order = running(tx_no);
    gives(tx_no, 0, 5 * KWH, 5);
    record(tx_no, start, 5 * KWH, 60000); /* 1.20, the list of charging */
    paid(order, 5 * KWH, 30000);
    assert_false(world_event(w, order, OE_RECORD_DIFFERS));
    assert_int_equal(world_session(w, order)->record_amount, 60000);
    world_run(w, MINUTE);
    start = w->now;
    order = running(tx_no);
    gives(tx_no, 0, 2 * KWH, 2);
    record(tx_no, start, 2 * KWH, 99999);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_true(world_event(w, order, OE_RECORD_DIFFERS));
}

/* ---- estimates ---- */

static int64_t estimated(char tx_no[33])
{
    int64_t order = running(tx_no);
    gives(tx_no, 0, 5 * KWH, 5);
    world_run(w, DAY_MS); /* silence */
    assert_int_equal(world_order(w, order)->estimated, 1);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    paid(order, 5 * KWH, 30000);
    assert_int_equal(wallet(), 70000);
    return order;
}

static void test_corrected_up(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = estimated(tx_no);
    world_restart(w);
    record(tx_no, start, 8 * KWH, 0);
    assert_int_equal(world_order(w, order)->estimated, 0);
    paid(order, 8 * KWH, 48000);
    assert_int_equal(wallet(), 88000);
    const struct row_payment *lot = world_last(w, ROW_PAYMENT);
    assert_int_equal(lot->amount, 18000);
    record(tx_no, start, 9 * KWH, 0); /* again: nothing */
    paid(order, 8 * KWH, 48000);
    assert_int_equal(wallet(), 88000);
}

static void test_corrected_down(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = estimated(tx_no);
    size_t lots = world_count(w, ROW_PAYMENT);
    record(tx_no, start, 4 * KWH, 0);
    paid(order, 4 * KWH, 24000);
    assert_int_equal(wallet(), 64000);
    assert_int_equal(debt(), 0);
    assert_int_equal(world_count(w, ROW_PAYMENT), lots);
    assert_true(world_event(w, order, OE_CORRECTED));
}

/* It takes back what it brought, which no channel charges for, and not what a channel does. */
static void test_corrected_lots(void **state)
{
    char tx_no[33];
    (void)state;
    struct driver *d = driver_find(w->core, w->driver);
    assert_true(obj_text(w->core, &d->o, &d->row.lots, "40000:60;"));
    obj_dirty(w->core, &d->o);
    int64_t start = w->now, order = estimated(tx_no);
    assert_string_equal(d->row.lots, "40000:60;30000:0;");
    record(tx_no, start, 4 * KWH, 0);
    paid(order, 4 * KWH, 24000);
    assert_string_equal(d->row.lots, "40000:60;24000:0;");
    assert_string_equal(world_order(w, order)->lots, "");
    assert_int_equal(world_order(w, order)->lot_fee, 0);
}

/* ---- frozen, closed ---- */

static int freeze(int32_t on)
{
    struct cmd *c = world_web(w, CMD_WALLET_FREEZE, w->person, ACTOR_PERSON);
    c->u.wallet_freeze.driver = w->driver;
    c->u.wallet_freeze.freeze = on;
    (void)str_copy(c->u.wallet_freeze.reason, 201, STR_LIT("lost phone"));
    return world_send(w, c);
}

static void test_frozen(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = running(tx_no);
    assert_int_equal(freeze(1), 0);
    gives(tx_no, 0, 5 * KWH, 5);
    record(tx_no, start, 5 * KWH, 0);
    paid(order, 5 * KWH, 30000);
    assert_int_equal(discharge(), ERR_DISABLED);
    const struct row_payment *lot = world_last(w, ROW_PAYMENT);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new = (struct cmd_payout_new){.payment = lot->id, .amount = 100};
    assert_int_equal(world_send(w, c), ERR_DISABLED);
    assert_int_equal(freeze(0), 0);
    c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new = (struct cmd_payout_new){.payment = lot->id, .amount = 100};
    assert_int_equal(world_send(w, c), 0); /* as money that staff took */
}

/* Nobody can be paid; the order and the audit say so, and nothing moves. */
static void closed_then(int64_t energy)
{
    char tx_no[33];
    int64_t start = w->now, order = estimated(tx_no);
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE, w->driver, ACTOR_DRIVER);
    c->u.driver_close.driver = w->driver;
    c->u.driver_close.give_up = 70000;
    assert_int_equal(world_send(w, c), 0);
    record(tx_no, start, energy, 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->energy_mwh, energy);
    assert_int_equal(o->paid, 30000);
    assert_int_equal(o->loss, o->total - 30000);
    assert_int_equal(wallet(), 0);
    assert_int_equal(debt(), 0);
    assert_int_equal(grid(), -30000);
    assert_int_equal(world_event(w, order, OE_UNPAID), energy > 5 * KWH);
    assert_int_equal(day()->discharged, 30000);
    assert_int_equal(day()->discharge_mwh, energy);
}

static void test_closed_up(void **state)
{
    (void)state;
    closed_then(8 * KWH);
}

static void test_closed_down(void **state)
{
    (void)state;
    closed_then(4 * KWH);
}

/* ---- starts that were given up; the floor ---- */

static void test_late_record(void **state)
{
    char tx_no[33];
    (void)state;
    assert_int_equal(discharge(), 0);
    int64_t start = w->now, order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    (void)str_copy(tx_no, 33, str_from_c(call->u.call.tx_no));
    world_answer(w, call, ERR_TIMEOUT, "");
    world_run(w, 95000);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    for (int i = 0; i < 2; i++) {
        record(tx_no, start, KWH, 0);
        const struct row_orders *o = world_last(w, ROW_ORDERS);
        assert_int_not_equal(o->id, order);
        assert_int_equal(o->state, ORDER_SETTLED);
        paid(o->id, KWH, 6000);
        assert_int_equal(o->driver, w->driver);
        assert_int_equal(wallet(), 46000);
    }
}

static void test_floor(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t order = running(tx_no);
    world_run(w, MINUTE);
    reading(tx_no, KWH, -60000, 410);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    world_run(w, MINUTE);
    reading(tx_no, 2 * KWH, -60000, 400);
    assert_int_equal(world_order(w, order)->state, ORDER_STOPPING);
    assert_int_equal(world_order(w, order)->stop_reason, STOP_LIMIT);
    assert_int_equal(world_call(w, CALL_REMOTE_STOP)->u.call.direction, -1);
}

/* ---- turned round ---- */

enum step { CHARGE_RECORD, GIVE_DATA, GIVE_RECORD, GIVE_AGAIN, RESTART, STEPS };

static int64_t charging(char tx_no[33])
{
    assert_int_equal(world_start(w, w->pile_gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    (void)str_copy(tx_no, 33, str_from_c(call->u.call.tx_no));
    world_answer(w, call, 0, "Accepted");
    reading(tx_no, 0, 60000, 300);
    world_run(w, 61000);
    reading(tx_no, KWH, 60000, 310);
    world_answer_pile(w);
    return order;
}

static void permutation(const int *steps, int n)
{
    char tx_no[33], back[33];
    up(NULL);
    int64_t start = w->now, order = charging(tx_no);
    assert_int_equal(discharge(), 0);
    int64_t turn = w->now, other = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    (void)str_copy(back, 33, str_from_c(call.u.call.tx_no));
    world_answer(w, &call, 0, "Accepted");
    bool told = false;
    for (int i = 0; i < n; i++) {
        switch ((enum step)steps[i]) {
        case CHARGE_RECORD:
            record(tx_no, start, KWH, 0);
            break;
        case GIVE_DATA:
            reading(back, 0, -60000, 300);
            told = true;
            break;
        case GIVE_RECORD:
        case GIVE_AGAIN:
            world_run(w, 2000);
            record(back, turn, 30000, 0);
            told = true;
            break;
        default:
            world_restart(w);
            world_open_pile(w);
        }
    }
    world_run(w, 2 * DAY_MS);
    record(tx_no, start, KWH, 0); /* days later, both once more */
    record(back, turn, 30000, 0);
    world_run(w, 4 * DAY_MS);
    const struct row_orders *a = world_order(w, order), *b = world_order(w, other);
    assert_int_equal(a->state, ORDER_SETTLED);
    assert_int_equal(a->paid, 12000);
    assert_false(a->estimated);
    assert_int_equal(b->state, told ? ORDER_SETTLED : ORDER_START_FAILED);
    /* Without a word in time its start was given up: then an order of its own pays it. */
    assert_int_equal(world_count(w, ROW_ORDERS), told ? 2 : 3);
    assert_int_equal(b->paid, told ? 200 : 0);
    assert_int_equal(grid(), -200);
    assert_int_equal(wallet(), 40000 - 12000 + 200);
    assert_int_equal(debt(), 0);
    assert_int_equal(world_count(w, ROW_STRAY), 0);
    down(NULL);
}

/* Every subset of what the pile says (what is missing was lost), in every order. */
static void test_turns(void **state)
{
    (void)state;
    assert_int_equal(world_sequences(STEPS, STEPS, permutation), 326); /* sum of 5!/(5-k)! */
}

static void test_turned_back(void **state)
{
    char tx_no[33], back[33];
    (void)state;
    int64_t start = w->now, order = running(tx_no);
    gives(tx_no, 0, 5 * KWH, 5);
    world_answer_pile(w);
    assert_int_equal(world_start(w, w->pile_gun, 20000), 0);
    int64_t other = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    assert_int_equal(world_start(w, w->pile_gun, 20000), ERR_BUSY); /* one waits */
    assert_int_equal(call.u.call.direction, 1);
    (void)str_copy(back, 33, str_from_c(call.u.call.tx_no));
    world_answer(w, &call, 0, "Accepted");
    record(tx_no, start, 5 * KWH, 0);
    paid(order, 5 * KWH, 30000);
    reading(back, 0, 60000, 300);
    assert_int_equal(connector_find(w->core, w->pile_gun)->row.order_id, other);
    start = w->now;
    world_run(w, 61000);
    record(back, start, KWH, 0);
    assert_int_equal(world_order(w, other)->paid, 12000);
    assert_int_equal(wallet(), 40000 + 30000 - 12000);
}

/* A start behind the running order is the one that waits, after a restart, too. */
static void test_one_waits_through_a_restart(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now;
    (void)running(tx_no);
    gives(tx_no, 0, 5 * KWH, 5);
    world_answer_pile(w);
    assert_int_equal(world_start(w, w->pile_gun, 20000), 0);
    int64_t other = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    world_answer(w, &call, 0, "Accepted");
    world_restart(w);
    world_open_pile(w);
    assert_int_equal(world_start(w, w->pile_gun, 20000), ERR_BUSY);
    record(tx_no, start, 5 * KWH, 0);
    assert_int_equal(connector_find(w->core, w->pile_gun)->row.order_id, other);
}

/* ---- who may not ---- */

static int64_t somebody(void)
{
    struct cmd *c = world_web(w, CMD_REGISTER_DRIVER, 0, ACTOR_NONE);
    (void)str_copy(c->u.register_driver.phone, 21, STR_LIT("13900000001"));
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.made.id;
}

static void test_bad_rows(void **state)
{
    (void)state;
    assert_int_equal(station_buys(buys + 99), ERR_NOT_FOUND);
    assert_int_equal(station_buys(w->tariff), ERR_RANGE); /* it has a service price */
    assert_int_equal(world_send(w, tariff(buys, 1)), ERR_RANGE);
    assert_int_equal(world_send(w, tariff(buys, 0)), 0);
    int64_t other = somebody();
    size_t orders = world_count(w, ROW_ORDERS);
    struct cmd *c = ask(w->driver, ACTOR_DRIVER, other);
    assert_int_equal(world_send(w, c), ERR_DENIED);
    c = ask(w->driver, ACTOR_DRIVER, 0);
    assert_int_equal(world_send(w, c), ERR_DENIED);
    c = ask(w->person, ACTOR_PERSON, w->driver + 12345);
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = ask(w->driver, ACTOR_DRIVER, w->driver);
    c->u.order_start.payer_kind = PAYER_WALLET;
    assert_int_equal(world_send(w, c), ERR_DENIED);
    c = ask(w->driver, ACTOR_DRIVER, w->driver);
    c->u.order_start.cap = 100;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    for (int soc = 0; soc <= 101; soc += 101) {
        c = ask(w->driver, ACTOR_DRIVER, w->driver);
        c->u.order_start.to_soc = soc;
        assert_int_equal(world_send(w, c), ERR_RANGE);
    }
    assert_int_equal(world_open(w), 0);
    c = ask(w->driver, ACTOR_DRIVER, w->driver);
    c->u.order_start.connector = w->gun; /* OCPP */
    assert_int_equal(world_send(w, c), ERR_UNSUPPORTED);
    assert_int_equal(station_buys(0), 0);
    assert_int_equal(discharge(), ERR_NO_DISCHARGE);
    assert_int_equal(world_send(w, ask(w->person, ACTOR_PERSON, w->driver)), ERR_NO_DISCHARGE);
    assert_int_equal(world_count(w, ROW_ORDERS), orders);
    /* Of staff, without a driver: no money, as ever. */
    assert_int_equal(world_send(w, ask(w->person, ACTOR_PERSON, 0)), 0);
}

static void test_somebody_elses(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t other = somebody();
    (void)charging(tx_no);
    assert_int_equal(world_send(w, ask(other, ACTOR_DRIVER, other)), ERR_BUSY);
    assert_int_equal(world_send(w, ask(w->person, ACTOR_PERSON, other)), ERR_BUSY);
    assert_int_equal(world_send(w, ask(w->person, ACTOR_PERSON, w->driver)), 0);
    assert_int_equal(discharge(), ERR_BUSY); /* one waits */
}

static void test_no_paper_no_refund(void **state)
{
    char tx_no[33];
    (void)state;
    int64_t start = w->now, order = running(tx_no);
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise.order = order;
    c->u.order_raise.amount = 100;
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    gives(tx_no, 0, 5 * KWH, 5);
    record(tx_no, start, 5 * KWH, 0);
    assert_int_equal(world_refund(w, order, 100), ERR_DISCHARGE);
    c = world_web(w, CMD_INVOICE_NEW, w->driver, ACTOR_DRIVER);
    c->u.invoice_new.driver = w->driver;
    c->u.invoice_new.buyer = BUYER_PERSON;
    (void)str_copy(c->u.invoice_new.title, sizeof c->u.invoice_new.title, STR_LIT("个人"));
    (void)str_copy(c->u.invoice_new.email, sizeof c->u.invoice_new.email, STR_LIT("a@b.cn"));
    c->u.invoice_new.n = 1;
    c->u.invoice_new.order[0] = order;
    assert_int_equal(world_send(w, c), ERR_DISCHARGE);
    paid(order, 5 * KWH, 30000);
}

int core_discharge(void);
int core_discharge(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slices, up, down),
        cmocka_unit_test_setup_teardown(test_frozen_version, up, down),
        cmocka_unit_test_setup_teardown(test_debt_first, up, down),
        cmocka_unit_test_setup_teardown(test_doubt_dropped, up, down),
        cmocka_unit_test_setup_teardown(test_doubt_accepted, up, down),
        cmocka_unit_test_setup_teardown(test_amounts, up, down),
        cmocka_unit_test_setup_teardown(test_corrected_up, up, down),
        cmocka_unit_test_setup_teardown(test_corrected_down, up, down),
        cmocka_unit_test_setup_teardown(test_corrected_lots, up, down),
        cmocka_unit_test_setup_teardown(test_frozen, up, down),
        cmocka_unit_test_setup_teardown(test_closed_up, up, down),
        cmocka_unit_test_setup_teardown(test_closed_down, up, down),
        cmocka_unit_test_setup_teardown(test_late_record, up, down),
        cmocka_unit_test_setup_teardown(test_floor, up, down),
        cmocka_unit_test(test_turns),
        cmocka_unit_test_setup_teardown(test_turned_back, up, down),
        cmocka_unit_test_setup_teardown(test_one_waits_through_a_restart, up, down),
        cmocka_unit_test_setup_teardown(test_bad_rows, up, down),
        cmocka_unit_test_setup_teardown(test_somebody_elses, up, down),
        cmocka_unit_test_setup_teardown(test_no_paper_no_refund, up, down),
    };
    return cmocka_run_group_tests_name("core: discharge", tests, NULL, NULL);
}
