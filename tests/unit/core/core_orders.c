// SPDX-License-Identifier: Apache-2.0
/* core_orders.c: whole stories of orders: the four-yuan order on both protocols, refusals, silence,
 * late and repeated messages, doubt. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/parallel.h"
#include "world.h"

#define KWH           INT64_C(1000000)
#define HOLDS_NONE(w) assert_int_equal(held((w)), 0)

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

static int64_t held(struct world *at)
{
    const struct ledger_account *a =
        ledger_account_find(at->core->ledger, at->tenant, ACCOUNT_WALLET, at->driver, "CNY");
    return a->held;
}

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

/* 3.3333 kWh at 1.2 yuan is 4.00: the title of the house. */
static void test_four_yuan(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 4 * MONEY_UNIT, &tx);
    assert_int_equal(held(w), 4 * MONEY_UNIT);
    for (int i = 1; i <= 10; i++) {
        world_run(w, 9000);
        assert_int_equal(world_meter(w, tx, KWH + i * 300000, 120000), 0);
    }
    world_run(w, 10000);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_STOPPING);
    assert_int_equal(o->stop_reason, STOP_CAP);
    assert_int_equal(world_tx_stop(w, tx, KWH + 3333333, w->now), 0);
    o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->total, 4 * MONEY_UNIT);
    assert_int_equal(o->paid, 4 * MONEY_UNIT);
    assert_int_equal(o->loss, 0);
    assert_int_equal(wallet(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 2 * MONEY_UNIT);
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), 2 * MONEY_UNIT);
    HOLDS_NONE(w);
    assert_int_equal(world_count(w, ROW_FEE_LINE), 2);
    assert_int_equal(world_count(w, ROW_SPLIT_PART), 4);
    assert_int_equal(world_count(w, ROW_BILL_PIECE), 0);
    bool share = false;
    for (size_t i = 0; i < w->outs_n; i++)
        share = share || (w->outs[i].type == OUT_EVENT && w->outs[i].u.event.kind == EVENT_SHARE &&
                          w->outs[i].u.event.party == w->owner &&
                          w->outs[i].u.event.amount == 2 * MONEY_UNIT);
    assert_true(share);
}

static void test_overrun_is_loss(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 4 * MONEY_UNIT, &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 4 * KWH, w->now), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->total, 48000);
    assert_int_equal(o->paid, 40000);
    assert_int_equal(o->loss, 8000);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 2 * MONEY_UNIT);
    assert_int_equal(wallet(), 0);
}

static void test_less_than_held(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 4 * MONEY_UNIT, &tx);
    world_run(w, 60000);
    assert_int_equal(world_tx_stop(w, tx, KWH + KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(wallet(), 28000);
    HOLDS_NONE(w);
    /* The stop again, and a reading after it: acknowledged, nothing moves. */
    assert_int_equal(world_tx_stop(w, tx, KWH + KWH, w->now), 0);
    assert_int_equal(w->rows_last, 0);
    assert_int_equal(world_meter(w, tx, 2 * KWH + 500000, 0), 0);
    assert_int_equal(wallet(), 28000);
    assert_true(world_session(w, order)->evidence & EV_AFTER_STOP);
    world_run(w, EVICT_MS + 1000);
    assert_null(order_find(w->core, order));
    assert_int_equal(world_tx_stop(w, tx, KWH + KWH, w->now), 0);
    assert_int_equal(wallet(), 28000);
}

static void test_rejected(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    assert_int_equal(held(w), 40000);
    world_answer(w, world_call(w, CALL_REMOTE_START), 0, "Rejected");
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    assert_int_equal(world_order(w, order)->fail, ERR_REJECTED);
    HOLDS_NONE(w);
    assert_int_equal(((const struct row_connector *)world_row(w, ROW_CONNECTOR, w->gun))->order_id,
                     0);
    assert_int_equal(world_start(w, w->gun, 40000), 0); /* and again */
}

static void test_silent_then_late(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(world_call(w, CALL_REMOTE_START)->u.call.tag));
    world_run(w, 30000);
    assert_int_equal(held(w), 40000);
    world_run(w, 60000);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    HOLDS_NONE(w);
    /* It starts after all: refused, stopped, recorded, nobody's money. */
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_INVALID);
    int64_t tx = w->reply.u.tag.tx;
    assert_true(tx > 0);
    const struct out *stop = world_call(w, CALL_REMOTE_STOP);
    assert_non_null(stop);
    assert_int_equal(stop->u.call.tx, tx);
    assert_true(world_event(w, order, OE_LATE_START));
    world_answer(w, stop, 0, "Accepted");
    world_run(w, 2000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 60000, w->now), 0);
    const struct row_orders *loss = NULL;
    for (uint32_t i = 0; i < w->core->orders.len; i++) {
        const struct order *o = slab_at(&w->core->orders, i);
        if (o && o->row.payer_kind == PAYER_NONE)
            loss = world_order(w, o->row.id);
    }
    assert_non_null(loss);
    assert_int_equal(loss->state, ORDER_SETTLED);
    assert_int_equal(loss->paid, 0);
    assert_int_equal(loss->loss, loss->total);
    assert_true(loss->total > 0);
    assert_int_equal(wallet(), 40000);
}

/* Its answer was lost, and the power too: what was refused is refused again. */
static void test_late_start_told_again(void **state)
{
    char tag[37];
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    (void)str_copy(tag, sizeof tag, str_from_c(world_call(w, CALL_REMOTE_START)->u.call.tag));
    world_run(w, 90000);
    int64_t at = w->now;
    assert_int_equal(world_tx_start(w, 1, tag, KWH, at), TAG_INVALID);
    int64_t tx = w->reply.u.tag.tx;
    for (int i = 0; i < 2; i++) {
        world_restart(w);
        assert_int_equal(world_open(w), 0);
        assert_int_equal(world_tx_start(w, 1, tag, KWH, at), TAG_INVALID);
        assert_int_equal(w->reply.u.tag.tx, tx);
    }
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
}

static void test_retried_start(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx), time = w->now;
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(world_session(w, order)->tag));
    world_run(w, 5000);
    assert_int_equal(world_tx_start(w, 1, tag, 1000000, time), TAG_ACCEPTED);
    assert_int_equal(w->reply.u.tag.tx, tx);
    assert_int_equal(w->rows_last, 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, tag, 1000000, time), TAG_ACCEPTED);
    assert_int_equal(w->reply.u.tag.tx, tx);
    /* The same tag on the other gun is not the same start. */
    assert_int_equal(world_tx_start(w, 2, tag, 1000000, time), TAG_CONCURRENT);
    assert_true(w->reply.u.tag.tx > tx);
}

static void test_unknown_stop(void **state)
{
    (void)state;
    size_t audits = world_count(w, ROW_AUDIT);
    assert_int_equal(world_tx_stop(w, -1, KWH, w->now), 0);
    assert_int_equal(world_tx_stop(w, 77, KWH, w->now), 0);
    assert_int_equal(w->reply.u.tag.status, TAG_ACCEPTED);
    assert_int_equal(world_count(w, ROW_AUDIT), audits + 2);
    assert_int_equal(world_count(w, ROW_ORDERS), 0);
}

/* The gate makes an unreadable register this one: the session ends, its samples are billed, the
 * difference waits for a person or the rule. */
static void test_stop_register_absurd(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 30000);
    world_meter(w, tx, KWH + 500000, 60000);
    assert_int_equal(world_tx_stop(w, tx, INT64_C(1000000000) * 1000000, w->now), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_DOUBTFUL);
    assert_int_equal(o->energy_mwh, 500000);
    assert_int_equal(o->paid, 6000);
    HOLDS_NONE(w);
    world_run(w, INT64_C(25) * 3600 * 1000);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(world_order(w, order)->paid, 6000);
}

static void test_stop_by_driver(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 30000);
    world_meter(w, tx, KWH + 500000, 60000);
    struct cmd *c = world_web(w, CMD_ORDER_STOP, w->driver, ACTOR_DRIVER);
    c->u.order_stop.order = order;
    c->u.order_stop.driver = w->driver;
    assert_int_equal(world_send(w, c), 0);
    int64_t command = w->reply.u.made.id;
    assert_true(command > 0);
    assert_non_null(world_row(w, ROW_COMMAND, command));
    assert_int_equal(world_send(w, c), 0); /* again: stopping already */
    assert_int_equal(w->reply.u.made.id, 0);
    world_run(w, 4000);
    const struct out *call = world_call(w, CALL_REMOTE_STOP);
    assert_null(call);
    /* The charger refuses; it is asked again after 5, then 15 seconds. */
    struct cmd *r = world_gate(w, CMD_CALL_RESULT);
    r->u.call_result.command = command;
    (void)str_copy(r->u.call_result.status, 33, STR_LIT("Rejected"));
    world_send(w, r);
    assert_int_equal(((const struct row_command *)world_row(w, ROW_COMMAND, command))->state,
                     COMMAND_DONE);
    world_tick(w, w->now + 1500);
    assert_non_null(world_call(w, CALL_REMOTE_STOP));
    world_tx_stop(w, tx, KWH + 510000, w->now);
    assert_int_equal(world_order(w, order)->stop_reason, STOP_DRIVER);
    /* Somebody else's order does not exist. */
    c = world_web(w, CMD_ORDER_STOP, w->driver + 1, ACTOR_DRIVER);
    c->u.order_stop.order = order;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
}

static void test_stop_before_start(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    char tag[37];
    const struct out *call = world_call(w, CALL_REMOTE_START);
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    struct cmd *c = world_web(w, CMD_ORDER_STOP, w->person, ACTOR_PERSON);
    c->u.order_stop.order = order;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    assert_non_null(world_call(w, CALL_REMOTE_STOP));
    assert_int_equal(world_order(w, order)->state, ORDER_STOPPING);
}

static void test_busy_charger_holds(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_CALL, w->person, ACTOR_PERSON);
    c->u.call.charger = w->charger;
    (void)str_copy(c->u.call.action, 41, STR_LIT("GetConfiguration"));
    (void)str_copy(c->u.call.payload, 100, STR_LIT("{}"));
    c->u.call.n = 2;
    assert_int_equal(world_send(w, c), 0);
    struct out raw = *world_call(w, CALL_RAW);
    assert_string_equal(raw.u.call.payload, "{}");
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    assert_int_equal(world_order(w, order)->state, ORDER_HELD);
    assert_null(world_call(w, CALL_REMOTE_START));
    world_answer(w, &raw, 0, "");
    assert_non_null(world_call(w, CALL_REMOTE_START));
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    /* An order that waits in line ends when the connection goes. */
    assert_int_equal(world_start(w, w->gun2, 100), ERR_NO_FUNDS);
    world_close(w);
    assert_int_equal(world_start(w, w->gun2, 100), ERR_OFFLINE);
    c = world_web(w, CMD_CALL, w->person, ACTOR_PERSON);
    c->u.call.charger = w->charger;
    assert_int_equal(world_send(w, c), ERR_OFFLINE);
    world_run(w, 90000);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    HOLDS_NONE(w);
}

static void test_start_refusals(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, 12345, 40000), ERR_NOT_FOUND);
    assert_int_equal(world_start(w, w->gun, 40100), ERR_NO_FUNDS);
    assert_int_equal(world_start(w, w->gun, 0), ERR_RANGE);
    assert_int_equal(world_start(w, w->gun, 150), ERR_RANGE);
    assert_int_equal(world_start(w, w->gun, -100), ERR_RANGE);
    world_status(w, 1, CS_FAULTED);
    assert_int_equal(world_start(w, w->gun, 40000), ERR_FAULTED);
    world_status(w, 1, CS_CHARGING);
    assert_int_equal(world_start(w, w->gun, 40000), ERR_BUSY);
    world_status(w, 1, CS_PREPARING);
    int64_t tenant = w->tenant;
    w->tenant = tenant + 999;
    assert_int_equal(world_start(w, w->gun, 40000), ERR_NOT_FOUND);
    w->tenant = tenant;
    struct cmd *c = world_web(w, CMD_ORDER_START, w->driver, ACTOR_DRIVER);
    c->u.order_start = (struct cmd_order_start){
        .driver = w->driver + 1, .connector = w->gun, .cap = 100, .payer_kind = PAYER_WALLET};
    assert_int_equal(world_send(w, c), ERR_DENIED);
    c = world_web(w, CMD_ORDER_START, w->person, ACTOR_PERSON);
    c->head.station = w->station + 1;
    c->u.order_start.connector = w->gun;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(world_start(w, w->gun, 20000), 0);
    assert_int_equal(world_start(w, w->gun, 20000), ERR_BUSY);
}

static void test_idempotency(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_TOPUP, w->person, ACTOR_PERSON);
    c->u.topup.driver = w->driver;
    c->u.topup.amount = 10000;
    (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
    c->head.idem_set = 1;
    (void)str_copy(c->head.idem_key, 65, STR_LIT("key"));
    (void)str_copy(c->head.idem_finger, 65, STR_LIT("finger"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(wallet(), 50000);
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            world_run(w, IDEM_KEEP_MS + 1000);
        if (i == 2)
            world_restart(w);
        assert_int_equal(world_send(w, c), 0);
        assert_int_equal(w->reply.u.made.id, id);
        assert_int_equal(w->reply.u.made.replay, 1);
        assert_int_equal(wallet(), 50000);
    }
    (void)str_copy(c->head.idem_finger, 65, STR_LIT("other"));
    assert_int_equal(world_send(w, c), ERR_IDEM_MISMATCH);
    /* An error is not kept: the same key may succeed later. */
    (void)str_copy(c->head.idem_key, 65, STR_LIT("key2"));
    c->u.topup.amount = 0;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c->u.topup.amount = 100;
    assert_int_equal(world_send(w, c), 0);
}

static void card(int32_t policy, int64_t amount)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.hold_policy = policy;
    t.hold_default = amount;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    assert_int_equal(
        world_put(w, ROW_TOKEN, true,
                  &(struct row_token){.driver = w->driver, .tag = "CARD-7", .kind = TOKEN_CARD}),
        0);
}

static void test_card_start(void **state)
{
    (void)state;
    card(HOLD_DEFAULT_OR_REFUSE, 30000);
    struct cmd *c = world_gate(w, CMD_AUTHORIZE);
    (void)str_copy(c->u.authorize.tag, 37, STR_LIT("card-7"));
    world_send(w, c);
    assert_int_equal(w->reply.u.tag.status, TAG_ACCEPTED);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    assert_int_equal(held(w), 30000);
    /* Not enough left for a second one. */
    assert_int_equal(world_tx_start(w, 2, "CARD-7", KWH, w->now), TAG_BLOCKED);
    assert_int_equal(world_tx_start(w, 2, "NOBODY", KWH, w->now), TAG_INVALID);
    world_run(w, 120000);
    world_tx_stop(w, tx, 3 * KWH, w->now);
    assert_int_equal(wallet(), 40000 - 24000);
    HOLDS_NONE(w);
}

/* Refused, its answer lost, told again long after a restart: still that start, nobody's order. */
static void test_refused_card_told_again(void **state)
{
    (void)state;
    card(HOLD_DEFAULT_OR_REFUSE, 50000);
    int64_t at = w->now;
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, at), TAG_BLOCKED);
    int64_t tx = w->reply.u.tag.tx;
    world_restart(w);
    world_run(w, 600000);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, at), TAG_BLOCKED);
    assert_int_equal(w->reply.u.tag.tx, tx);
    assert_int_equal(world_count(w, ROW_ORDERS), 0);
}

static void test_card_debt(void **state)
{
    (void)state;
    card(HOLD_NONE_DEBT, 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 300000);
    world_tx_stop(w, tx, 6 * KWH, w->now);
    assert_int_equal(wallet(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), -20000);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 30000);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, w->now), TAG_BLOCKED);
    assert_int_equal(world_start(w, w->gun, 100), ERR_DEBT);
    /* A top-up pays the debt first. */
    struct cmd *c = world_web(w, CMD_TOPUP, w->person, ACTOR_PERSON);
    c->u.topup.driver = w->driver;
    c->u.topup.amount = 50000;
    (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_balance(w, ACCOUNT_DEBT, w->driver), 0);
    assert_int_equal(wallet(), 30000);
}

static void test_offline_session(void **state)
{
    (void)state;
    card(HOLD_DEFAULT_OR_REFUSE, 30000);
    int64_t then = w->now;
    world_close(w);
    world_run(w, 3600 * 1000);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", KWH, then + 60000), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_tx_stop(w, tx, 2 * KWH, then + 660000);
    const struct order *o = order_by_tx(w->core, w->charger, tx);
    const struct row_orders *row = world_order(w, o->row.id);
    assert_int_equal(row->started_by, START_OFFLINE);
    assert_int_equal(row->start_ms, then + 60000);
    assert_int_equal(row->end_ms, then + 660000);
    assert_int_equal(row->paid, 12000);
}

static void test_offline_unknown(void **state)
{
    (void)state;
    int64_t then = w->now;
    world_close(w);
    world_run(w, 3600 * 1000);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, "STRANGER", KWH, then + 60000), TAG_INVALID);
    int64_t tx = w->reply.u.tag.tx;
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, "STRANGER", KWH, then + 60000), TAG_INVALID);
    assert_int_equal(w->reply.u.tag.tx, tx);
    world_tx_stop(w, tx, 2 * KWH, then + 660000);
    const struct order *o = order_by_tx(w->core, w->charger, tx);
    assert_non_null(o);
    const struct row_orders *row = world_order(w, o->row.id);
    assert_int_equal(row->payer_kind, PAYER_NONE);
    assert_int_equal(row->loss, 12000);
    assert_int_equal(row->paid, 0);
}

/* ---- 云快充 ---- */

static struct cmd *record(const char *tx_no, int64_t energy)
{
    struct cmd *c = world_gate(w, CMD_TX_RECORD);
    c->head.from = w->pile_conn;
    struct cmd_tx_record *r = &c->u.tx_record;
    r->charger = w->pile;
    r->connector = 1;
    r->stop = STOP_CAP;
    (void)str_copy(r->tx_no, 33, str_from_c(tx_no));
    r->start_ms = w->now - 100000;
    r->end_ms = w->now;
    r->class_energy_mwh[2] = r->energy_mwh = energy;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 5 * KWH + energy;
    r->amount = energy * 12 / 1000;
    return c;
}

static void test_pile(void **state)
{
    (void)state;
    struct cmd *c = world_gate(w, CMD_PRICE_MODEL);
    c->head.from = w->pile_conn;
    c->u.charger.charger = w->pile;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.prices.elec_e5[2], 80000);
    assert_int_equal(w->reply.u.prices.slot[47], 2);
    c = world_gate(w, CMD_PRICE_HELD);
    c->head.from = w->pile_conn;
    c->u.price_held = (struct cmd_price_held){w->pile, w->tariff};
    world_send(w, c);
    assert_int_equal(world_start(w, w->pile_gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    assert_int_equal(strlen(call.u.call.tx_no), 32);
    assert_memory_equal(call.u.call.tx_no, "3201060001923601260101080000", 28);
    assert_int_equal(call.u.call.balance, 40000);
    world_answer(w, &call, 0, "Accepted");
    for (int i = 0; i <= 6; i++) {
        c = world_gate(w, CMD_METER);
        c->head.from = w->pile_conn;
        c->u.meter.charger = w->pile;
        c->u.meter.connector = 1;
        (void)str_copy(c->u.meter.tx_no, 33, str_from_c(call.u.call.tx_no));
        c->u.meter.n = 1;
        c->u.meter.samples[0] = (struct core_sample){.energy_mwh = i * 500000,
                                                     .power_w = 120000,
                                                     .voltage_mv = SAMPLE_NONE32,
                                                     .current_ma = SAMPLE_NONE32,
                                                     .soc_pm = SAMPLE_NONE32,
                                                     .temp_dc = SAMPLE_NONE32,
                                                     .cost = i * 6000};
        assert_int_equal(world_send(w, c), 0);
        if (i == 5)
            assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
        world_run(w, i < 6 ? 15000 : 9900);
    }
    assert_int_equal(world_send(w, record(call.u.call.tx_no, 3330000)), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->total, 39900); /* 2.66 + 1.33: each line to the fen */
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 19950);
    assert_int_equal(wallet(), 100);
    /* The record comes again, and once more after a restart. */
    assert_int_equal(world_send(w, record(call.u.call.tx_no, 3330000)), 0);
    assert_int_equal(w->rows_last, 0);
    world_restart(w);
    assert_int_equal(world_send(w, record(call.u.call.tx_no, 3330000)), 0);
    assert_int_equal(w->rows_last, 0);
    /* One that nobody asked for: kept aside, acknowledged. */
    assert_int_equal(world_send(w, record("32010600019236012601010800009999", KWH)), 0);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
    /* One whose number is none: kept aside, and refused for ever. */
    assert_int_equal(world_send(w, record("3201060001923601260101080000FFAB", KWH)), ERR_SYNTAX);
    const struct row_audit *kept = world_last(w, ROW_AUDIT);
    assert_string_equal(kept->action, "record.illegal");
    assert_string_equal(kept->detail, "3201060001923601260101080000FFAB 1000000 mWh");
}

static void test_pile_start_fails(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->pile_gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    world_answer(w, &call, 0, "Accepted");
    assert_int_equal(world_send(w, record(call.u.call.tx_no, 0)), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    HOLDS_NONE(w);
    /* It charged all the same: recorded as a loss, once. */
    world_run(w, 200000);
    assert_int_equal(world_send(w, record(call.u.call.tx_no, KWH)), 0);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
    assert_int_equal(world_send(w, record(call.u.call.tx_no, KWH)), 0);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
    assert_int_equal(wallet(), 40000);
    world_run(w, EVICT_MS + 5000);
    assert_int_equal(world_send(w, record(call.u.call.tx_no, KWH)), 0);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
}

/* The first reading comes late and holds what flowed since the start was accepted. */
static void test_pile_first_reading(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->pile_gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    struct out call = *world_call(w, CALL_REMOTE_START);
    world_answer(w, &call, 0, "Accepted");
    world_run(w, 30000);
    struct cmd *c = world_gate(w, CMD_METER);
    c->head.from = w->pile_conn;
    c->u.meter.charger = w->pile;
    (void)str_copy(c->u.meter.tx_no, 33, str_from_c(call.u.call.tx_no));
    c->u.meter.n = 1;
    c->u.meter.samples[0] =
        (struct core_sample){.energy_mwh = 800000, .power_w = 110000, .cost = SAMPLE_NONE};
    assert_int_equal(world_send(w, c), 0);
    const struct order *o = order_find(w->core, order);
    assert_int_equal(o->ev.energy_mwh, 800000);
    assert_int_equal(parallel_spent(w->core, o), 9600);
}

static void test_pile_second_login(void **state)
{
    (void)state;
    world_run(w, 5000);
    assert_int_equal(world_open_pile(w), ERR_BUSY);
    world_run(w, 31000);
    assert_int_equal(world_open_pile(w), 0);
    const struct out *o = world_out(w, OUT_CLOSE);
    assert_non_null(o);
}

/* ---- ends that nobody told ---- */

static void test_silence_away(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 30000);
    world_meter(w, tx, 2 * KWH, 120000);
    world_close(w);
    assert_true(world_event(w, order, OE_OFFLINE));
    world_run(w, 1900 * 1000);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->estimated, 1);
    assert_int_equal(o->stop_reason == STOP_SILENCE || o->stop_reason == STOP_CAP, 1);
    assert_int_equal(o->paid, 12000);
    assert_int_equal(wallet(), 28000);
    /* A week later the truth: more than billed, and within the prepaid amount. */
    world_run(w, 7 * 86400 * INT64_C(1000));
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now), 0);
    o = world_order(w, order);
    assert_int_equal(o->estimated, 0);
    assert_int_equal(o->paid, 24000);
    assert_int_equal(o->loss, 0);
    assert_int_equal(o->total, 24000);
    assert_int_equal(wallet(), 16000);
    assert_true(world_event(w, order, OE_CORRECTED));
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->total, 24000);
}

/* It charges on after it was given up: it is asked to end, and the rest is nobody's money. */
static void test_stray(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 30000);
    world_meter(w, tx, 2 * KWH, 120000);
    world_close(w);
    world_run(w, 3700 * 1000);
    assert_int_equal(world_order(w, order)->estimated, 1);
    world_open(w);
    world_meter(w, tx, 2 * KWH + 500000, 7000);
    const struct out *stop = world_call(w, CALL_REMOTE_STOP);
    assert_non_null(stop);
    assert_int_equal(stop->u.call.tx, tx);
    world_meter(w, tx, 2 * KWH + 510000, 7000);
    assert_null(world_call(w, CALL_REMOTE_STOP));
    assert_int_equal(wallet(), 28000);
}

static void test_estimate_corrected_down(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 30000);
    world_meter(w, tx, 2 * KWH, 120000);
    world_status(w, 1, CS_AVAILABLE);
    world_run(w, 61000);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->estimated, 1);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 6000);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    /* The stop's register is a little lower than the sample was. */
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH - 50000, w->now), 0);
    o = world_order(w, order);
    assert_int_equal(o->total, 11400);
    assert_int_equal(o->paid, 11400);
    assert_int_equal(wallet(), 28600);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 5700);
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), 5700);
    assert_int_equal(world_count(w, ROW_BILL_PIECE), 0);
}

/* Estimated at 1 kWh because the charger fell silent; returns the order, closed and paid. */
static int64_t estimated_order(int64_t *tx)
{
    int64_t order = world_charging(w, 40000, tx);
    world_run(w, 30000);
    world_meter(w, *tx, 2 * KWH, 120000);
    world_close(w);
    world_run(w, 3700 * 1000);
    assert_int_equal(world_order(w, order)->estimated, 1);
    assert_int_equal(world_order(w, order)->paid, 12000);
    assert_int_equal(wallet(), 28000);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    return order;
}

/* Cutting the charger's network is no way to free energy: the true stop is charged. */
static void test_estimate_corrected_up(void **state)
{
    (void)state;
    int64_t tx, order = estimated_order(&tx);
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now - 3000 * 1000), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->total, 24000);
    assert_int_equal(o->paid, 24000);
    assert_int_equal(o->loss, 0);
    assert_int_equal(wallet(), 16000);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 12000);
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), 12000);
    /* The same stop again moves nothing. */
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now - 3000 * 1000), 0);
    assert_int_equal(wallet(), 16000);
    HOLDS_NONE(w);
}

/* … but never beyond the prepaid amount, whatever the register says. */
static void test_estimate_corrected_to_cap(void **state)
{
    (void)state;
    int64_t tx, order = estimated_order(&tx);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now - 3000 * 1000), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->total, 120000);
    assert_int_equal(o->paid, 40000);
    assert_int_equal(o->loss, 80000);
    assert_int_equal(wallet(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner), 20000);
}

/* … nor beyond what the wallet has free: the hold of another order is not touched. */
static void test_estimate_corrected_without_funds(void **state)
{
    (void)state;
    int64_t tx, order = estimated_order(&tx);
    assert_int_equal(world_start(w, w->gun2, 25000), 0);
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now - 3000 * 1000), 0);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->total, 24000);
    assert_int_equal(o->paid, 15000);
    assert_int_equal(o->loss, 9000);
    assert_int_equal(wallet(), 25000);
}

static void test_boot_in_session(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 30000);
    world_meter(w, tx, 2 * KWH, 120000);
    world_close(w);
    world_run(w, 20000);
    world_open(w);
    struct cmd *c = world_gate(w, CMD_BOOT);
    (void)str_copy(c->u.boot.vendor, 51, STR_LIT("V"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.boot.status, 0);
    world_run(w, 10000);
    assert_true(order_running(order_find(w->core, order)));
    /* The old stop comes within the time of grace. */
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH + 10000, w->now - 25000), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(world_order(w, order)->estimated, 0);
    /* Or never. */
    order = world_charging(w, 20000, &tx);
    c = world_gate(w, CMD_BOOT);
    world_send(w, c);
    world_run(w, BOOT_GRACE_MS + 1000);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(world_order(w, order)->estimated, 1);
    assert_int_equal(world_order(w, order)->stop_reason, STOP_REBOOT);
    HOLDS_NONE(w);
}

static void test_suspended(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_status(w, 1, CS_SUSPENDED_EV); /* before any energy: a planned session waits */
    for (int i = 0; i < 4; i++) {
        world_run(w, 1000 * 1000);
        world_meter(w, tx, KWH, 0);
    }
    assert_int_equal(world_order(w, order)->state, ORDER_SUSPENDED);
    world_status(w, 1, CS_CHARGING);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    world_run(w, 30000);
    world_meter(w, tx, 2 * KWH, 100000);
    world_status(w, 1, CS_SUSPENDED_EV);
    world_run(w, 901 * 1000);
    assert_int_equal(world_order(w, order)->state, ORDER_STOPPING);
    assert_int_equal(world_order(w, order)->stop_reason, STOP_FULL);
}

/* A register jumps for two readings; the stop contradicts it. Nothing is left that staff could bill. */
static void test_doubt_contradicted(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_run(w, 60000);
    world_meter(w, tx, KWH + 500000, 60000);
    world_run(w, 10000);
    world_meter(w, tx, 501 * KWH, 60000);
    world_run(w, 10000);
    world_meter(w, tx, 501 * KWH, 60000);
    world_run(w, 10000);
    world_tx_stop(w, tx, KWH + 500000, w->now);
    const struct row_orders *o = world_order(w, order);
    assert_int_equal(o->state, ORDER_SETTLED);
    assert_int_equal(o->energy_mwh, 500000);
    assert_int_equal(o->doubt_mwh, 0);
    assert_int_equal(o->paid, 6000);
    struct cmd *c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
    c->u.decide.order = order;
    c->u.decide.accept = 1;
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    assert_int_equal(wallet(), 40000 - 6000);
}

/* A charger whose clock stands still and whose register counts the session: the same start after the
 * stop is a new session. Before the stop, and after a new connection, it is a repeat. */
static void test_stuck_clock(void **state)
{
    (void)state;
    int64_t then = w->now;
    card(HOLD_DEFAULT_OR_REFUSE, 10000);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", 0, then), TAG_ACCEPTED);
    int64_t first = w->reply.u.tag.tx;
    assert_int_equal(world_tx_start(w, 1, "CARD-7", 0, then), TAG_ACCEPTED);
    assert_int_equal(w->reply.u.tag.tx, first);
    world_run(w, 60000);
    assert_int_equal(world_tx_stop(w, first, 500000, then), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", 0, then), TAG_ACCEPTED);
    int64_t second = w->reply.u.tag.tx;
    assert_int_not_equal(second, first);
    world_close(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_start(w, 1, "CARD-7", 0, then), TAG_ACCEPTED);
    assert_int_equal(w->reply.u.tag.tx, second);
}

static void test_doubt(void **state)
{
    (void)state;
    for (int accept = 0; accept < 3; accept++) {
        int64_t before = wallet();
        int64_t tx, order = world_charging(w, 10000, &tx);
        world_run(w, 60000);
        world_meter(w, tx, KWH + 100000, 6000);
        /* A register that falls far back: only what is undisputed is billed. */
        world_run(w, 60000);
        world_tx_stop(w, tx, KWH + 100000 + 40 * KWH, w->now);
        const struct row_orders *o = world_order(w, order);
        assert_int_equal(o->state, ORDER_DOUBTFUL);
        assert_int_equal(o->paid, 1200);
        assert_true(o->doubt != DOUBT_NONE);
        assert_int_equal(o->decide_ms, w->now + 24 * 3600000);
        HOLDS_NONE(w); /* the rest is free at once */
        assert_int_equal(wallet(), before - 1200);
        if (accept == 2) {
            world_restart(w);
            world_open(w);
            world_run(w, 24 * 3600000 + 1000);
            assert_int_equal(wallet(), before - 1200);
        } else {
            struct cmd *c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
            c->u.decide.order = order;
            c->u.decide.accept = accept;
            assert_int_equal(world_send(w, c), 0);
            assert_int_equal(wallet(), before - (accept ? 10000 : 1200));
            assert_int_equal(world_send(w, c), ERR_CONFLICT);
        }
        o = world_order(w, order);
        assert_int_equal(o->state, ORDER_SETTLED);
        assert_int_equal(o->paid + o->loss, o->total);
        assert_true(world_event(w, order, OE_DECIDED));
    }
}

static void test_wrong_connector(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    char tag[37];
    struct out call = *world_call(w, CALL_REMOTE_START);
    (void)str_copy(tag, sizeof tag, str_from_c(call.u.call.tag));
    world_answer(w, &call, 0, "Accepted");
    assert_int_equal(world_tx_start(w, 2, tag, KWH, w->now), TAG_ACCEPTED);
    assert_int_equal(world_order(w, order)->connector, w->gun2);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 60000);
    world_tx_stop(w, tx, 2 * KWH, w->now);
    assert_int_equal(((const struct row_connector *)world_row(w, ROW_CONNECTOR, w->gun2))->order_id,
                     0);
    assert_int_equal(((const struct row_connector *)world_row(w, ROW_CONNECTOR, w->gun))->order_id,
                     0);
}

/* Whoever knows the order's id does not know its tag: a forged card charges on nobody's money. */
static void test_forged_tag(void **state)
{
    (void)state;
    world_open(w);
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    char good[37], bad[37];
    (void)str_copy(good, sizeof good, str_from_c(world_call(w, CALL_REMOTE_START)->u.call.tag));
    assert_true(strlen(good) <= 20); /* OCPP 1.6 */
    size_t n = strlen(good);
    for (size_t i = 2; i < n; i++) {
        (void)str_copy(bad, sizeof bad, str_from_c(good));
        bad[i] = bad[i] == '7' ? '8' : '7';
        assert_int_equal(world_tx_start(w, 2, bad, KWH, w->now), TAG_INVALID);
    }
    (void)str_copy(bad, sizeof bad, str_from(good, n - 5)); /* the id alone */
    assert_int_equal(world_tx_start(w, 2, bad, KWH, w->now), TAG_INVALID);
    struct cmd *c = world_gate(w, CMD_AUTHORIZE);
    c->u.authorize.charger = w->charger;
    (void)str_copy(c->u.authorize.tag, 37, str_from_c(bad));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.tag.status, TAG_INVALID);
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    /* Identifiers are case-insensitive; the true one works, also after a restart. */
    world_restart(w);
    world_open(w);
    for (size_t i = 0; i < n; i++)
        bad[i] = (char)(good[i] >= 'A' && good[i] <= 'Z' ? good[i] | 0x20 : good[i]);
    bad[n] = 0;
    assert_int_equal(world_tx_start(w, 1, bad, KWH, w->now), TAG_ACCEPTED);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
}

int core_orders(void);
int core_orders(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_four_yuan),
        T(test_overrun_is_loss),
        T(test_less_than_held),
        T(test_rejected),
        T(test_silent_then_late),
        T(test_late_start_told_again),
        T(test_refused_card_told_again),
        T(test_retried_start),
        T(test_unknown_stop),
        T(test_stop_register_absurd),
        T(test_stop_by_driver),
        T(test_stop_before_start),
        T(test_busy_charger_holds),
        T(test_start_refusals),
        T(test_idempotency),
        T(test_card_start),
        T(test_card_debt),
        T(test_offline_session),
        T(test_offline_unknown),
        T(test_pile),
        T(test_pile_start_fails),
        T(test_pile_second_login),
        T(test_pile_first_reading),
        T(test_silence_away),
        T(test_stray),
        T(test_estimate_corrected_down),
        T(test_boot_in_session),
        T(test_suspended),
        T(test_doubt),
        T(test_doubt_contradicted),
        T(test_stuck_clock),
        T(test_wrong_connector),
        T(test_forged_tag),
        T(test_estimate_corrected_up),
        T(test_estimate_corrected_to_cap),
        T(test_estimate_corrected_without_funds),
    };
    return cmocka_run_group_tests_name("core orders", tests, NULL, NULL);
}
