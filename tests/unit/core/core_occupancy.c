// SPDX-License-Identifier: Apache-2.0
/* core_occupancy.c: the bay that stays taken, in all the cases of the field (what rules make of
 * spans is in core_occupancy_bill.c): unplugged in the free time and
 * later, the same and another vehicle, offline, fault, boot, flapping, chargers that never say
 * Finishing or never say Available, bays with sensors, restarts, who pays, waivers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/occupancy.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define MIN    INT64_C(60000)
#define HOUR   (60 * MIN)
#define DAY_MS (24 * HOUR)
#define FEN(n) ((n) * (int64_t)MONEY_FEN)

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

/* ---- the world ---- */

static struct cmd *rule_cmd(void)
{
    struct cmd *c = world_web(w, CMD_OCCUPANCY_PUT, w->person, ACTOR_PERSON);
    struct cmd_occupancy_put *in = &c->u.occupancy_put;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("after 15 minutes"));
    in->free_min = 15;
    in->near_min = 5;
    in->every_min = 10;
    in->cap_order = FEN(3000);
    in->n = 1;
    in->window[0] = (struct occupancy_window_in){0, 1440, 1000}; /* 0.10 a minute, all day */
    return c;
}

static int64_t rule_use(struct cmd *c)
{
    assert_int_equal(world_send(w, c), 0);
    int64_t family = w->reply.u.made.id;
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.occupancy = family;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
    return family;
}

static const struct row_connector *gun(void)
{
    return world_row(w, ROW_CONNECTOR, w->gun);
}

/* A session of 1 kWh that its driver ended; the plug stays in. Returns the order. */
static int64_t charged(void)
{
    int64_t tx, order = world_charging(w, FEN(200), &tx);
    world_status(w, 1, CS_CHARGING);
    world_run(w, MIN);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    return order;
}

/* … and says Finishing: the occupancy order. */
static int64_t occupied(void)
{
    int64_t of = charged();
    world_run(w, 2000);
    world_status(w, 1, CS_FINISHING);
    int64_t id = gun()->occupancy;
    assert_true(id);
    const struct row_orders *o = world_order(w, id);
    assert_int_equal(o->kind, ORDER_OCCUPANCY);
    assert_int_equal(o->linked, of);
    assert_int_equal(o->state, ORDER_CREATED);
    assert_int_equal(o->start_ms, w->now);
    assert_int_equal(o->free_ms, w->now + 15 * MIN);
    assert_true(world_event(w, id, OE_OCC_BEGAN));
    return id;
}

static const struct row_orders *settled(int64_t id, int64_t total)
{
    const struct row_orders *o = world_order(w, id);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->occupancy, total);
    assert_int_equal(o->total, total);
    assert_int_equal(o->paid + o->loss, total);
    assert_int_equal(gun()->occupancy, 0);
    assert_int_equal(world_session(w, id)->state, SESSION_ENDED);
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == ROW_BILL_PIECE)
            assert_true(((const struct row_bill_piece *)world_unpacked(w, &w->rows[i]))->session !=
                        world_session(w, id)->id);
    return o;
}

static void test_unplugged_in_time(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t wallet = 0, id = occupied();
    wallet = world_balance(w, ACCOUNT_WALLET, w->driver);
    world_run(w, 14 * MIN);
    assert_true(world_event(w, id, OE_OCC_NEAR));
    assert_false(world_event(w, id, OE_OCC_FEE));
    world_status(w, 1, CS_AVAILABLE);
    settled(id, 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET, w->driver), wallet);
    assert_int_equal(gun()->after_order, 0);
    world_status(w, 1, CS_PREPARING); /* somebody else's */
    assert_int_equal(gun()->occupancy, 0);
}

/* 12 minutes of fee at 0.10, split 5:5; the statistics know it. */
static void test_fee(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied(), wallet = world_balance(w, ACCOUNT_WALLET, w->driver);
    int64_t owner = world_balance(w, ACCOUNT_PENDING, w->owner);
    world_run(w, 15 * MIN);
    assert_true(world_event(w, id, OE_OCC_FEE));
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_run(w, 12 * MIN + 30000);
    assert_true(world_event(w, id, OE_OCC_RUNS));
    world_status(w, 1, CS_AVAILABLE);
    const struct row_orders *o = settled(id, FEN(120));
    assert_int_equal(o->paid, FEN(120));
    assert_int_equal(o->end_ms, w->now);
    assert_int_equal(o->energy_mwh, 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET, w->driver), wallet - FEN(120));
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), owner + FEN(60));
    const struct row_stat_day *day = world_last(w, ROW_STAT_DAY);
    assert_int_equal(day->occupancy, FEN(120));
    assert_int_equal(day->orders, 1);
    assert_int_equal(day->paid, FEN(240));
    const struct row_fee_line *l = world_last(w, ROW_FEE_LINE);
    assert_int_equal(l->kind, FEE_OCCUPANCY);
    assert_int_equal(l->price_e5, 10000);
    assert_int_equal(l->amount, FEN(120));
}

/* The charger's time of the unplug counts when it is the earlier. */
static void test_unplug_told_late(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 25 * MIN);
    struct cmd *c = world_gate(w, CMD_STATUS);
    c->u.status.connector = 2;
    c->u.status.status = CS_CHARGING; /* anything with a time: its clock is right */
    c->u.status.time_ms = w->now;
    world_send(w, c);
    c = world_gate(w, CMD_STATUS);
    c->u.status.connector = 1;
    c->u.status.status = CS_AVAILABLE;
    c->u.status.time_ms = w->now - 4 * MIN;
    world_send(w, c);
    settled(id, FEN(60));
}

static void test_restart(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 5 * MIN);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 10 * MIN); /* the free time did not begin anew */
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_run(w, 10 * MIN);
    world_status(w, 1, CS_FINISHING); /* a sign: 10 minutes are sure */
    world_run(w, 7 * MIN);
    world_restart(w); /* the seven are not */
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    assert_int_equal(world_open(w), 0);
    world_run(w, 60 * MIN);           /* nothing is said after a mere reconnect: nothing counts */
    world_status(w, 1, CS_FINISHING); /* … then it does again */
    world_run(w, 5 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(150));
    assert_int_equal(world_count(w, ROW_FEE_LINE), 2 + 2); /* two spans */
}

/* The server's clock went back while nobody was running: no minute is billed twice. */
static void test_clock_back(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 25 * MIN);
    world_status(w, 1, CS_FINISHING);
    w->now -= 20 * MIN;
    world_restart(w);
    assert_true(world_event(w, id, OE_OCC_PAUSED));
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 25 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    const struct row_orders *o = settled(id, FEN(150));
    assert_true(o->end_ms >= o->free_ms);
}

static void test_offline(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 20 * MIN);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 5 * MIN);
    world_close(w); /* five minutes after the last sign */
    assert_true(world_event(w, id, OE_OCC_PAUSED));
    world_run(w, HOUR);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(50));
}

/* It never comes back: over after two hours, at what was sure. */
static void test_lost(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    for (int restart = 0; restart < 2; restart++) {
        int64_t id = occupied();
        world_run(w, 20 * MIN);
        world_status(w, 1, CS_FINISHING);
        world_run(w, 5 * MIN);
        world_close(w);
        if (restart)
            world_restart(w);
        world_run(w, 119 * MIN);
        assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
        world_run(w, MIN);
        settled(id, FEN(50));
        assert_int_equal(world_open(w), 0);
        world_status(w, 1, CS_AVAILABLE);
    }
}

/* After a long gap a plug that shows may be another vehicle's. */
static void test_offline_preparing(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 25 * MIN);
    world_close(w);
    world_run(w, MIN);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_PREPARING); /* a minute: it is the same */
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_run(w, 2 * MIN);
    world_close(w);
    world_run(w, 4 * MIN);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_PREPARING);
    settled(id, 0); /* nothing was confirmed in between: the sign of the minute began a span */
}

static void test_fault(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 20 * MIN);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 3 * MIN);
    world_status(w, 1, CS_FAULTED);
    world_run(w, HOUR);
    world_status(w, 1, CS_FINISHING);
    assert_true(world_event(w, id, OE_OCC_RESUMED));
    world_run(w, 2 * MIN);
    world_status(w, 0, CS_FAULTED); /* the whole charger */
    world_run(w, HOUR);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(50));
}

static void test_boot(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    for (int same = 0; same < 2; same++) {
        int64_t id = occupied();
        world_run(w, 20 * MIN);
        world_status(w, 1, CS_FINISHING);
        world_run(w, 3 * MIN);
        assert_int_equal(world_send(w, world_gate(w, CMD_BOOT)), 0);
        world_status(w, 1, same ? CS_FINISHING : CS_PREPARING);
        world_run(w, 2 * MIN);
        world_status(w, 1, CS_AVAILABLE);
        settled(id, same ? FEN(70) : FEN(50));
    }
}

/* It reported a plug and never again anything: its driver pays nothing. */
static void test_never_available(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 6 * DAY_MS);
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_run(w, DAY_MS);
    settled(id, 0);
}

/* One that obeys is asked, and what it confirms is billed up to the cap. */
static void test_asked(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_charger(w)->row.traits = TRAIT_TRIGGER;
    int asked = 0;
    for (int i = 0; i < 400 && world_order(w, id)->state != ORDER_SETTLED; i++) {
        world_tick(w, w->now + MIN);
        const struct out *call = world_call(w, CALL_RAW);
        if (!call)
            continue;
        assert_string_equal(call->u.call.action, "TriggerMessage");
        world_answer(w, call, 0, "Accepted");
        world_status(w, 1, CS_FINISHING);
        asked++;
    }
    assert_true(asked >= 30);
    assert_true(world_event(w, id, OE_OCC_CAPPED));
    settled(id, FEN(3000));
    world_status(w, 1, CS_FINISHING); /* it goes on standing there: no second order */
    assert_int_equal(gun()->occupancy, 0);
}

/* One that refuses is asked twice. */
static void test_asked_in_vain(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    occupied();
    world_charger(w)->row.traits = 0;
    int asked = 0;
    for (int i = 0; i < 200; i++) {
        world_tick(w, w->now + MIN);
        const struct out *call = world_call(w, CALL_RAW);
        if (call)
            world_answer(w, call, 0, "NotImplemented");
        asked += call != NULL;
    }
    assert_int_equal(asked, 2);
}

/* Models that say Available at the stop, or nothing, never bill. */
static void test_never_finishing(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    charged();
    assert_true(gun()->after_order);
    world_status(w, 1, CS_AVAILABLE);
    assert_int_equal(gun()->after_order, 0);
    world_run(w, HOUR);
    assert_int_equal(gun()->occupancy, 0);
    charged();
    world_run(w, DAY_MS);
    assert_int_equal(gun()->occupancy, 0);
}

static void test_suspended_after(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t tx;
    world_charging(w, FEN(200), &tx);
    world_status(w, 1, CS_SUSPENDED_EV);
    world_tx_stop(w, tx, 2 * KWH, w->now);
    assert_int_equal(gun()->occupancy, 0); /* that was before */
    world_status(w, 1, CS_SUSPENDED_EV);
    assert_true(gun()->occupancy);
}

static void test_finishing_before_the_stop(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t tx;
    world_charging(w, FEN(200), &tx);
    world_status(w, 1, CS_FINISHING);
    assert_int_equal(gun()->occupancy, 0);
    world_tx_stop(w, tx, 2 * KWH, w->now);
    assert_true(gun()->occupancy);
}

/* Available before the stop: it left; what shows next is somebody else's. */
static void test_left_before_the_stop(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t tx;
    world_charging(w, FEN(200), &tx);
    world_status(w, 1, CS_AVAILABLE);
    world_tx_stop(w, tx, 2 * KWH, w->now);
    world_status(w, 1, CS_PREPARING);
    assert_int_equal(gun()->occupancy, 0);
}

/* After no energy, so the wallet is as it was. */
static void stop_for(int64_t tx, enum stop_reason reason)
{
    struct cmd *c = world_gate(w, CMD_TX_STOP);
    c->u.tx_stop.tx = tx;
    c->u.tx_stop.meter_mwh = KWH;
    c->u.tx_stop.time_ms = w->now;
    c->u.tx_stop.stop = reason;
    assert_int_equal(world_send(w, c), 0);
}

static void test_bad_ends(void **state)
{
    static const enum stop_reason bad[] = {STOP_UNPLUGGED, STOP_FAULT, STOP_EMERGENCY,
                                           STOP_POWER_LOSS, STOP_REBOOT};
    (void)state;
    rule_use(rule_cmd());
    int64_t tx;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        world_charging(w, FEN(200), &tx);
        stop_for(tx, bad[i]);
        world_status(w, 1, CS_FINISHING);
        assert_int_equal(gun()->occupancy, 0);
    }
    world_charging(w, FEN(200), &tx);
    stop_for(tx, STOP_LOCAL); /* it is not for the energy */
    world_status(w, 1, CS_FINISHING);
    assert_true(gun()->occupancy);
}

/* Two starts of the same vehicle: the bay was his up to the second. */
static void test_charges_again(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied(), tx;
    world_run(w, 20 * MIN);
    world_start(w, w->gun, FEN(150));
    const struct out *call = world_call(w, CALL_REMOTE_START);
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Rejected"); /* it came to nothing: the clock went on */
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_run(w, 2 * MIN);
    int64_t again = world_charging(w, FEN(150), &tx);
    assert_true(again);
    settled(id, FEN(70));
    assert_int_equal(gun()->order_id, again);
}

static void test_another_driver(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 18 * MIN);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 20 * MIN);
    struct cmd *c = world_web(w, CMD_ORDER_START, w->person, ACTOR_PERSON);
    c->u.order_start.connector = w->gun;
    assert_int_equal(world_send(w, c), 0);
    settled(id, FEN(30)); /* when he left is not known: up to the last sign */
}

static void test_flapping(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 30 * MIN);
    for (int i = 0; i < 20; i++)
        world_status(w, 1, i % 2 ? CS_FINISHING : CS_SUSPENDED_EV);
    world_run(w, MIN);
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_status(w, 1, CS_AVAILABLE);
    assert_true(settled(id, world_order(w, id)->total)->total <= FEN(160));
}

static void test_orders_once(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    for (int i = 0; i < 3; i++)
        world_status(w, 1, CS_FINISHING);
    assert_int_equal(gun()->occupancy, id);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
    world_run(w, 20 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(50));
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
}

/* ---- who pays ---- */

static void test_wallet_and_loss(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied(); /* 2.80 are left */
    world_run(w, 15 * MIN + 50 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    const struct row_orders *o = settled(id, FEN(500));
    assert_int_equal(o->paid, FEN(280));
    assert_int_equal(o->loss, FEN(220));
    assert_int_equal(world_balance(w, ACCOUNT_WALLET, w->driver), 0);
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), 0);
}

static void test_wallet_and_debt(void **state)
{
    (void)state;
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.pay = OCC_PAY_DEBT;
    rule_use(c);
    int64_t id = occupied();
    world_run(w, 15 * MIN + 50 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    const struct row_orders *o = settled(id, FEN(500));
    assert_int_equal(o->paid, FEN(500));
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), -FEN(220));
    /* A waiver takes the debt away first, and gives the rest back. */
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    assert_int_equal(world_send(w, c), ERR_REQUIRED);
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("the barrier was down"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_order(w, id)->refunded, FEN(500));
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET, w->driver), FEN(280));
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), FEN(60)); /* of the charge */
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("twice"));
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
}

static void test_hold(void **state)
{
    (void)state;
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.hold = 1;
    c->u.occupancy_put.cap_order = FEN(200);
    rule_use(c);
    int64_t id = occupied();
    world_run(w, 16 * MIN);
    const struct row_hold *h = world_row(w, ROW_HOLD, world_order(w, id)->hold);
    assert_int_equal(h->amount, FEN(200));
    assert_int_equal(world_start(w, w->gun2, FEN(100)), ERR_NO_FUNDS); /* 0.80 are free */
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 5 * MIN + 1);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(50));
    h = world_row(w, ROW_HOLD, world_order(w, id)->hold);
    assert_int_equal(h->captured, FEN(50));
    assert_int_equal(h->released, FEN(150));
}

/* What is held is what would be spent: of gift money too. */
static void test_hold_of_gift_money(void **state)
{
    (void)state;
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.hold = 1;
    c->u.occupancy_put.cap_order = FEN(350);
    rule_use(c);
    int64_t id = occupied(); /* 2.80 are left */
    c = world_web(w, CMD_GIFT, w->person, ACTOR_PERSON);
    c->u.gift.driver = w->driver;
    c->u.gift.amount = FEN(100);
    (void)str_copy(c->u.gift.note, 201, STR_LIT("welcome"));
    assert_int_equal(world_send(w, c), 0);
    world_run(w, 16 * MIN);
    assert_int_equal(world_start(w, w->gun2, FEN(40)), ERR_NO_FUNDS); /* 0.30 are free */
    world_run(w, 34 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    const struct row_orders *o = settled(id, FEN(350));
    assert_int_equal(o->paid, FEN(350));
    assert_int_equal(o->gift, FEN(70));
    assert_int_equal(world_balance(w, ACCOUNT_WALLET, w->driver), 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET_BONUS, w->driver), FEN(30));
}

static void test_nobody_pays(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    struct cmd *c = world_web(w, CMD_ORDER_START, w->person, ACTOR_PERSON);
    c->u.order_start.connector = w->gun;
    assert_int_equal(world_send(w, c), 0);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    world_tx_start(w, 1, tag, KWH, w->now);
    world_tx_stop(w, w->reply.u.tag.tx, 2 * KWH, w->now);
    world_status(w, 1, CS_FINISHING);
    assert_int_equal(gun()->occupancy, 0);
}

static void test_kinds(void **state)
{
    (void)state;
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.kinds = 1 << CONNECTOR_AC; /* ours is DC */
    rule_use(c);
    charged();
    world_status(w, 1, CS_FINISHING);
    assert_int_equal(gun()->occupancy, 0);
}

/* An order keeps the version that was in force at the end of the charging. */
static void test_versions(void **state)
{
    (void)state;
    int64_t family = rule_use(rule_cmd()), id = occupied();
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.family = family;
    c->u.occupancy_put.from_ms = w->now + MIN;
    c->u.occupancy_put.window[0].price = 50000;
    assert_int_equal(world_send(w, c), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 20 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(50));
}

static void waive_open(bool after_fee)
{
    int64_t id = occupied(), wallet = world_balance(w, ACCOUNT_WALLET, w->driver);
    world_run(w, (after_fee ? 20 : 5) * MIN);
    world_status(w, 1, CS_FINISHING);
    struct cmd *c = world_web(w, CMD_ORDER_WAIVE, w->driver, ACTOR_DRIVER);
    c->u.order_waive.order = id;
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("me"));
    assert_int_equal(world_send(w, c), ERR_DENIED);
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("a jam at the exit"));
    assert_int_equal(world_send(w, c), 0);
    assert_true(world_event(w, id, OE_OCC_WAIVED));
    settled(id, 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET, w->driver), wallet);
    world_status(w, 1, CS_FINISHING);
    assert_int_equal(gun()->occupancy, 0);
    world_status(w, 1, CS_AVAILABLE);
}

static void test_waiver_of_an_open_one(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    waive_open(false);
    waive_open(true);
}

/* ---- what staff may not ---- */

static void test_refused(void **state)
{
    (void)state;
    int64_t family = rule_use(rule_cmd()), of = charged();
    world_status(w, 1, CS_FINISHING);
    int64_t id = gun()->occupancy;
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.family = family; /* not after the first */
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c = rule_cmd();
    c->u.occupancy_put.family = 12345;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = rule_cmd();
    c->head.station = w->station; /* rules are the operator's */
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = rule_cmd();
    c->u.occupancy_put.n = OCCUPANCY_WINDOWS_MAX + 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.occupancy = 999;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), ERR_NOT_FOUND);
    c = world_web(w, CMD_ORDER_STOP, w->person, ACTOR_PERSON);
    c->u.order_stop.order = id;
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c = world_web(w, CMD_ORDER_RAISE, w->person, ACTOR_PERSON);
    c->u.order_raise.order = id;
    c->u.order_raise.amount = FEN(100);
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c = world_web(w, CMD_ORDER_REFUND, w->person, ACTOR_PERSON);
    c->u.order_refund.order = id;
    c->u.order_refund.amount = FEN(100);
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = of; /* a charging order */
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("x"));
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    c->head.station = w->station + 1; /* of another station */
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("x"));
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(world_order(w, id)->state, ORDER_CREATED);
}

/* Part of it goes back as of any order. */
static void test_refund(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    int64_t id = occupied();
    world_run(w, 25 * MIN);
    world_status(w, 1, CS_AVAILABLE);
    settled(id, FEN(100));
    int64_t owner = world_balance(w, ACCOUNT_PENDING, w->owner);
    struct cmd *c = world_web(w, CMD_ORDER_REFUND, w->person, ACTOR_PERSON);
    c->u.order_refund.order = id;
    c->u.order_refund.amount = FEN(40);
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), owner - FEN(20));
    world_restart(w);
    c = world_web(w, CMD_ORDER_WAIVE, w->person, ACTOR_PERSON);
    c->u.order_waive.order = id;
    (void)str_copy(c->u.order_waive.note, 201, STR_LIT("the rest too"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_order(w, id)->refunded, FEN(100));
}

/* ---- 云快充 ---- */

static struct cmd *pile_cmd(enum cmd_type type)
{
    struct cmd *c = world_gate(w, type);
    c->head.from = w->pile_conn;
    c->u.charger.charger = w->pile;
    return c;
}

static void pile_status(enum connector_status s)
{
    struct cmd *c = pile_cmd(CMD_STATUS);
    c->u.status.connector = 1;
    c->u.status.status = (int32_t)s;
    assert_int_equal(world_send(w, c), 0);
}

static const struct row_connector *pile_gun(void)
{
    return world_row(w, ROW_CONNECTOR, w->pile_gun);
}

static void pile_bay(int32_t bay)
{
    struct cmd *c = pile_cmd(CMD_PARKING);
    c->u.parking.connector = 1;
    c->u.parking.lock = LOCK_DOWN;
    c->u.parking.bay = bay;
    world_send(w, c);
}

/* Starts by the app, charges, and leaves a record; the plug stays in. */
static void pile_charged(void)
{
    assert_int_equal(world_start(w, w->pile_gun, FEN(200)), 0);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    char tx_no[33];
    (void)str_copy(tx_no, sizeof tx_no, str_from_c(call->u.call.tx_no));
    world_answer(w, call, 0, "Accepted");
    pile_status(CS_CHARGING);
    struct cmd *c = pile_cmd(CMD_METER);
    c->u.meter.connector = 1;
    c->u.meter.n = 1;
    (void)str_copy(c->u.meter.tx_no, 33, str_from_c(tx_no));
    c->u.meter.samples[0] = (struct core_sample){.power_w = 60000,
                                                 .voltage_mv = SAMPLE_NONE32,
                                                 .current_ma = SAMPLE_NONE32,
                                                 .soc_pm = SAMPLE_NONE32,
                                                 .temp_dc = SAMPLE_NONE32,
                                                 .cost = SAMPLE_NONE};
    world_send(w, c);
    pile_status(CS_FINISHING);
    c = pile_cmd(CMD_TX_RECORD);
    struct cmd_tx_record *r = &c->u.tx_record;
    r->connector = 1;
    r->stop = STOP_DRIVER;
    (void)str_copy(r->tx_no, 33, str_from_c(tx_no));
    r->start_ms = w->now;
    r->end_ms = w->now;
    r->class_energy_mwh[2] = r->energy_mwh = KWH / 100;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 5 * KWH + KWH / 100;
    assert_int_equal(world_send(w, c), 0);
}

static void test_pile(void **state)
{
    (void)state;
    rule_use(rule_cmd());
    pile_charged();
    int64_t id = pile_gun()->occupancy;
    assert_true(id);
    int signs = 0;
    for (int i = 0; i < 40; i++) { /* its answers are signs, though it says nothing new */
        world_tick(w, w->now + MIN);
        const struct out *call = world_call(w, CALL_TRIGGER_METER);
        if (call)
            world_answer(w, call, 0, "Accepted");
        signs += call != NULL;
    }
    assert_true(signs >= 2);
    struct cmd *c = pile_cmd(CMD_CONN_CLOSED);
    world_send(w, c);
    assert_int_equal(world_open_pile(w), 0);
    pile_status(CS_AVAILABLE);
    const struct row_orders *o = world_order(w, id);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->total, FEN(200)); /* confirmed 20 minutes into the fee */
}

/* Unplugged, but the bay's sensor says that the vehicle is still there. */
static void test_bay(void **state)
{
    (void)state;
    struct cmd *c = rule_cmd();
    c->u.occupancy_put.bay = 1;
    rule_use(c);
    pile_bay(BAY_TAKEN);
    pile_charged();
    int64_t id = pile_gun()->occupancy;
    assert_true(id);
    world_run(w, 19 * MIN);
    pile_status(CS_AVAILABLE);
    assert_int_equal(world_order(w, id)->state, ORDER_CHARGING);
    world_run(w, 5 * MIN);
    pile_bay(BAY_EMPTY);
    assert_int_equal(world_order(w, id)->state, ORDER_SETTLED);
    assert_int_equal(world_order(w, id)->total, FEN(90));
    /* The same without the rule's word for sensors: the plug alone counts. */
    c = rule_cmd();
    rule_use(c);
    pile_bay(BAY_TAKEN);
    pile_charged();
    id = pile_gun()->occupancy;
    world_run(w, 16 * MIN);
    pile_status(CS_AVAILABLE);
    assert_int_equal(world_order(w, id)->state, ORDER_SETTLED);
}

int core_occupancy(void);
int core_occupancy(void)
{
#define OF(test) cmocka_unit_test_setup_teardown(test, up, down)
    const struct CMUnitTest tests[] = {
        OF(test_unplugged_in_time),
        OF(test_fee),
        OF(test_unplug_told_late),
        OF(test_restart),
        OF(test_clock_back),
        OF(test_offline),
        OF(test_lost),
        OF(test_offline_preparing),
        OF(test_fault),
        OF(test_boot),
        OF(test_never_available),
        OF(test_asked),
        OF(test_asked_in_vain),
        OF(test_never_finishing),
        OF(test_suspended_after),
        OF(test_finishing_before_the_stop),
        OF(test_left_before_the_stop),
        OF(test_bad_ends),
        OF(test_charges_again),
        OF(test_another_driver),
        OF(test_flapping),
        OF(test_orders_once),
        OF(test_wallet_and_loss),
        OF(test_wallet_and_debt),
        OF(test_hold),
        OF(test_hold_of_gift_money),
        OF(test_nobody_pays),
        OF(test_kinds),
        OF(test_versions),
        OF(test_waiver_of_an_open_one),
        OF(test_refused),
        OF(test_refund),
        OF(test_pile),
        OF(test_bay),
    };
#undef OF
    return cmocka_run_group_tests_name("core: occupancy", tests, NULL, NULL);
}
