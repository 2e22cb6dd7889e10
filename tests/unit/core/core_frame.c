// SPDX-License-Identifier: Apache-2.0
/* core_frame.c: the frame: restart in every state gives the same bill, the same commands give the
 * same bytes, directory rows and their errors, connections, audit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

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

/* ---- restart ---- */

static void crash(int at, int step)
{
    if (at != step)
        return;
    world_restart(w);
    assert_int_equal(world_open(w), 0);
}

/* One session in ten steps; the program dies after step `at` (-1 = never). The bill must be the
 * same to the last unit. Readings hold a placeholder, a jitter and a spike for the evidence rules.
 */
static int64_t story(int at, int64_t *energy)
{
    static const int64_t meters[] = {200000, 400000, 390000, 650000, 90000000, 900000, 1200000};
    int64_t tx, order = world_charging(w, 30000, &tx);
    crash(at, 0);
    for (int i = 0; i < 7; i++) {
        world_run(w, 14000);
        assert_int_equal(world_meter(w, tx, KWH + meters[i], 60000), 0);
        crash(at, i + 1);
        if (i == 3)
            world_status(w, 1, CS_SUSPENDED_EV);
        if (i == 4)
            world_status(w, 1, CS_CHARGING);
    }
    crash(at, 8);
    assert_int_equal(world_tx_stop(w, tx, KWH + 1300000, w->now), 0);
    crash(at, 9);
    const struct row_orders *o = world_order(w, order);
    assert_true(o->state == ORDER_SETTLED || o->state == ORDER_DOUBTFUL);
    *energy = o->energy_mwh;
    return o->total;
}

static void test_restart_same_bill(void **state)
{
    (void)state;
    int64_t energy, total = story(-1, &energy);
    assert_true(total > 0);
    for (int at = 0; at <= 9; at++) {
        int64_t again;
        world_free(w);
        world_init(w);
        assert_int_equal(story(at, &again), total);
        assert_int_equal(again, energy);
    }
}

static void test_restart_slices(void **state)
{
    (void)state;
    /* A tariff that changes price every half hour, a crash after each reading. */
    int64_t totals[2];
    for (int crashing = 0; crashing < 2; crashing++) {
        world_free(w);
        world_init(w);
        struct cmd *c = world_web(w, CMD_TARIFF_PUT, w->person, ACTOR_PERSON);
        c->u.tariff_put.family = w->tariff;
        c->u.tariff_put.from_ms = T0;
        (void)str_copy(c->u.tariff_put.name, 101, STR_LIT("steps"));
        c->u.tariff_put.days = 1;
        c->u.tariff_put.slices = 48;
        c->u.tariff_put.day[0] = (struct tariff_day_in){101, 1231, 127, 0};
        for (int i = 0; i < 48; i++) {
            struct tariff_slice_in *s = &c->u.tariff_put.slice[i];
            *s = (struct tariff_slice_in){.from_min = i * 30, .service_e5 = 40000};
            s->elec_e5 = 50000 + (i % 2) * 33333;
            (void)str_copy(s->label, sizeof s->label, str_from_c(i % 2 ? "峰" : "谷"));
        }
        assert_int_equal(world_send(w, c), 0);
        int64_t tx, order = world_charging(w, 40000, &tx);
        for (int i = 1; i <= 12; i++) {
            world_run(w, 600 * 1000);
            world_meter(w, tx, KWH + i * 123457, 700);
            if (crashing) {
                world_restart(w);
                world_open(w);
            }
        }
        world_tx_stop(w, tx, KWH + 12 * 123457 + 77, w->now);
        assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
        totals[crashing] = world_order(w, order)->total;
        assert_true(world_count(w, ROW_FEE_LINE) >= 8);
        assert_int_equal(world_count(w, ROW_BILL_PIECE), 0);
    }
    assert_int_equal(totals[0], totals[1]);
}

static void test_restart_starting(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id, command = world_call(w, CALL_REMOTE_START)->u.call.command;
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(world_call(w, CALL_REMOTE_START)->u.call.tag));
    world_run(w, 5000);
    world_restart(w);
    assert_null(world_call(w, CALL_REMOTE_START));
    assert_int_equal(((const struct row_command *)world_row(w, ROW_COMMAND, command))->state,
                     COMMAND_TIMEOUT);
    world_open(w);
    assert_null(world_call(w, CALL_REMOTE_START)); /* a start is never sent again */
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    world_run(w, 5000);
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
}

static void test_restart_start_times_out(void **state)
{
    (void)state;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    world_restart(w);
    world_run(w, 90000);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    const struct ledger_account *a =
        ledger_account_find(w->core->ledger, w->tenant, ACCOUNT_WALLET, w->driver, "CNY");
    assert_int_equal(a->held, 0);
}

static void test_restart_stopping(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    struct cmd *c = world_web(w, CMD_ORDER_STOP, w->person, ACTOR_PERSON);
    c->u.order_stop.order = order;
    assert_int_equal(world_send(w, c), 0);
    world_restart(w);
    world_open(w);
    world_tick(w, w->now + RECONNECT_MS);
    const struct out *call = world_call(w, CALL_REMOTE_STOP);
    assert_non_null(call); /* a stop is sent again */
    assert_int_equal(call->u.call.tx, tx);
    assert_int_equal(world_order(w, order)->stop_reason, STOP_STAFF);
}

static void test_stop_waits_for_reconnect(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    world_close(w);
    struct cmd *c = world_web(w, CMD_ORDER_STOP, w->person, ACTOR_PERSON);
    c->u.order_stop.order = order;
    assert_int_equal(world_send(w, c), 0);
    assert_null(world_call(w, CALL_REMOTE_STOP));
    world_run(w, 100000);
    world_open(w);
    assert_non_null(world_call(w, CALL_REMOTE_STOP));
    assert_int_equal(world_call(w, CALL_REMOTE_STOP)->u.call.tx, tx);
}

static void test_determinism(void **state)
{
    (void)state;
    int64_t energy;
    struct buf first;
    world_free(w);
    world_init(w);
    w->taping = true;
    story(-1, &energy);
    first = w->tape;
    buf_init(&w->tape, SIZE_MAX);
    world_free(w);
    world_init(w);
    w->taping = true;
    story(-1, &energy);
    assert_int_equal(first.n, w->tape.n);
    assert_memory_equal(first.p, w->tape.p, first.n);
    buf_free(&first);
}

/* ---- directory ---- */

static void test_rows(void **state)
{
    (void)state;
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.name = "新名";
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
    assert_int_equal(w->reply.u.made.version, 2);
    assert_int_equal(world_put(w, ROW_STATION, false, &s), ERR_STALE);
    s.version = 2;
    s.zone = "Mars/Base";
    assert_int_equal(world_put(w, ROW_STATION, false, &s), ERR_NOT_FOUND);
    s.zone = "Asia/Shanghai";
    s.tariff = 99;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), ERR_NOT_FOUND);
    s.tariff = w->tariff;
    s.tax_bp = 10001;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), ERR_RANGE);
    s.tax_bp = 0;
    int64_t tenant = w->tenant;
    w->tenant = tenant + 5000;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), ERR_NOT_FOUND);
    w->tenant = tenant;
    assert_int_equal(world_put(w, ROW_ORDERS, true, &(struct row_orders){0}), ERR_UNSUPPORTED);
    struct cmd *c = world_web(w, CMD_ROW_PUT, w->person, ACTOR_PERSON);
    c->u.row_put.table = ROW_STATION;
    c->u.row_put.n = 20;
    assert_int_equal(world_send(w, c), ERR_SYNTAX);
}

static void test_unique_keys(void **state)
{
    (void)state;
    struct row_charger ch = {.station = w->station, .path = "CP-1", .protocol = PROTOCOL_OCPP16};
    assert_int_equal(world_put(w, ROW_CHARGER, true, &ch), ERR_CONFLICT);
    ch.path = "123";
    ch.protocol = PROTOCOL_YKC;
    assert_int_equal(world_put(w, ROW_CHARGER, true, &ch), ERR_RANGE);
    struct row_connector k = {.charger = w->charger, .number = 2, .kind = CONNECTOR_AC};
    assert_int_equal(world_put(w, ROW_CONNECTOR, true, &k), ERR_CONFLICT);
    k.number = 3;
    assert_int_equal(world_put(w, ROW_CONNECTOR, true, &k), 0);
    const struct row_connector *made = world_row(w, ROW_CONNECTOR, w->reply.u.made.id);
    assert_int_equal(strlen(made->code), 8);
    assert_string_not_equal(
        made->code, ((const struct row_connector *)world_row(w, ROW_CONNECTOR, w->gun))->code);
    struct row_driver d = {.phone = "13800000000", .name = "x"};
    assert_int_equal(world_put(w, ROW_DRIVER, true, &d), ERR_CONFLICT);
    struct row_person p = {.login = "admin", .name = "x", .pass_hash = "h", .role = ROLE_VIEWER};
    assert_int_equal(world_put(w, ROW_PERSON, true, &p), ERR_CONFLICT);
    /* The phone registered again is the same driver. */
    struct cmd *c = world_web(w, CMD_REGISTER_DRIVER, 0, ACTOR_NONE);
    (void)str_copy(c->u.register_driver.phone, 21, STR_LIT("13800000000"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.made.id, w->driver);
    /* A key that was given up can be taken. */
    struct row_charger old = *(const struct row_charger *)world_row(w, ROW_CHARGER, w->charger);
    old.path = "CP-2";
    assert_int_equal(world_put(w, ROW_CHARGER, false, &old), 0);
    ch.path = "CP-1";
    ch.protocol = PROTOCOL_OCPP16;
    assert_int_equal(world_put(w, ROW_CHARGER, true, &ch), 0);
}

static void test_secret_kept(void **state)
{
    (void)state;
    struct row_charger ch = *(const struct row_charger *)world_row(w, ROW_CHARGER, w->charger);
    assert_string_equal(ch.secret_hash, "abcd");
    ch.secret_hash = "";
    ch.name = "renamed";
    ch.last_tx = 77;
    assert_int_equal(world_put(w, ROW_CHARGER, false, &ch), 0);
    const struct row_charger *now = world_row(w, ROW_CHARGER, w->charger);
    assert_string_equal(now->secret_hash, "abcd");
    assert_string_equal(now->name, "renamed");
    assert_int_equal(now->last_tx, 0); /* not the sender's */
}

static void test_tariff_versions(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_TARIFF_PUT, w->person, ACTOR_PERSON);
    c->u.tariff_put.family = w->tariff;
    (void)str_copy(c->u.tariff_put.name, 101, STR_LIT("x"));
    c->u.tariff_put.days = c->u.tariff_put.slices = 1;
    c->u.tariff_put.day[0] = (struct tariff_day_in){101, 1231, 127, 0};
    c->u.tariff_put.slice[0] = (struct tariff_slice_in){0, 0, "a", 100000, 0};
    assert_int_equal(world_send(w, c), ERR_CONFLICT); /* not after the one before */
    c->u.tariff_put.from_ms = w->now + 3600000;
    c->u.tariff_put.slice[0].from_min = 5;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c->u.tariff_put.slice[0].from_min = 0;
    assert_int_equal(world_send(w, c), 0);
    int64_t version = w->reply.u.made.id;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tariff_in_force(w->core, w->tariff, w->now)->id, w->tariff);
        assert_int_equal(tariff_in_force(w->core, w->tariff, w->now + 3600000)->id, version);
        world_restart(w);
    }
    c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.contract_put.name, 101, STR_LIT("x"));
    c->u.contract_put.unit = 1;
    c->u.contract_put.n = 1;
    c->u.contract_put.party[0] = (struct contract_party_in){12345, 7, 1};
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c->u.contract_put.party[0] = (struct contract_party_in){w->owner, 1, 1};
    assert_int_equal(world_send(w, c), ERR_RANGE); /* nobody shares in the service fee */
}

static void test_setup_once(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_SETUP, 0, ACTOR_NONE);
    (void)str_copy(c->u.setup.tenant_name, 101, STR_LIT("again"));
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
}

static void test_lock(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_AUDIT, 0, ACTOR_NONE);
    (void)str_copy(c->u.audit.action, 65, STR_LIT("login"));
    c->u.audit.object = w->person;
    c->u.audit.failed_login = 1;
    for (int i = 0; i < 10; i++)
        assert_int_equal(world_send(w, c), 0);
    const struct row_person *p = world_row(w, ROW_PERSON, w->person);
    assert_int_equal(p->locked_ms, w->now + 15 * 60000);
    c->u.audit.failed_login = 2;
    world_send(w, c);
    p = world_row(w, ROW_PERSON, w->person);
    assert_int_equal(p->locked_ms, 0);
}

static void test_web_session(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_SESSION_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.session_put.id, 65, STR_LIT("cookie"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_count(w, ROW_WEB_SESSION), 1);
    c = world_web(w, CMD_SESSION_END, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.session_put.id, 65, STR_LIT("cookie"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_count(w, ROW_WEB_SESSION), 0);
    const struct row_audit *last = world_last(w, ROW_AUDIT);
    assert_string_equal(last->action, "logout");
    assert_int_equal(last->object, w->person);
    c = world_web(w, CMD_SESSION_PUT, 0, ACTOR_NONE);
    c->u.session_put.kind = ACTOR_DRIVER;
    c->u.session_put.actor = w->driver;
    (void)str_copy(c->u.session_put.id, 65, STR_LIT("phone"));
    assert_int_equal(world_send(w, c), 0);
    last = world_last(w, ROW_AUDIT);
    assert_string_equal(last->action, "driver.login");
    assert_int_equal(last->object, w->driver);
    assert_int_equal(last->outcome, 0);
}

/* ---- connections ---- */

static int open_path(const char *path, const char *secret)
{
    struct cmd *c = world_gate(w, CMD_CONN_OPEN);
    c->head.from.slot = 9;
    c->u.conn_open =
        (struct cmd_conn_open){.protocol = PROTOCOL_OCPP16, .has_secret = secret[0] != 0};
    (void)str_copy(c->u.conn_open.path, 49, str_from_c(path));
    (void)str_copy(c->u.conn_open.secret_hash, 65, str_from_c(secret));
    return world_send(w, c);
}

static void test_connections(void **state)
{
    (void)state;
    assert_int_equal(open_path("CP-1", ""), ERR_UNAUTHENTICATED);
    assert_int_equal(open_path("CP-1", "abce"), ERR_UNAUTHENTICATED);
    assert_int_equal(open_path("CP-9", "abcd"), ERR_NOT_FOUND);
    assert_int_equal(open_path("32010600019236", ""), ERR_DENIED);
    struct origin old = w->conn;
    assert_int_equal(open_path("CP-1", "abcd"), 0);
    const struct out *close = world_out(w, OUT_CLOSE);
    assert_non_null(close);
    assert_int_equal(close->to.gen, old.gen);
    assert_int_equal(((const struct row_charger *)world_row(w, ROW_CHARGER, w->charger))->flaps, 1);
    world_close(w); /* of the old connection: says nothing about the new one */
    assert_true(world_charger(w)->online);
    struct row_charger ch = *(const struct row_charger *)world_row(w, ROW_CHARGER, w->charger);
    ch.state = CHARGER_DISABLED;
    assert_int_equal(world_put(w, ROW_CHARGER, false, &ch), 0);
    assert_non_null(world_out(w, OUT_CLOSE));
    assert_int_equal(open_path("CP-1", "abcd"), ERR_DISABLED);
}

static void test_waiting_list(void **state)
{
    (void)state;
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.unknown_policy = UNKNOWN_WAIT;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    assert_int_equal(open_path("NEW-1", ""), 0);
    int64_t id = w->reply.u.conn.charger;
    struct cmd *c = world_gate(w, CMD_BOOT);
    c->u.boot.charger = id;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.boot.status, 1);
    c = world_gate(w, CMD_TX_START);
    c->u.tx_start.charger = id;
    c->u.tx_start.connector = 1;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.tag.status, TAG_INVALID);
    /* Registering its path takes it over. */
    assert_int_equal(world_put(w, ROW_CHARGER, true,
                               &(struct row_charger){.station = w->station,
                                                     .path = "NEW-1",
                                                     .protocol = PROTOCOL_OCPP16}),
                     0);
    assert_int_equal(w->reply.u.made.id, id);
    assert_int_equal(((const struct row_charger *)world_row(w, ROW_CHARGER, id))->state,
                     CHARGER_ACTIVE);
}

static void test_status_rows(void **state)
{
    (void)state;
    const struct row_connector *k = world_row(w, ROW_CONNECTOR, w->gun);
    assert_int_equal(k->status, CS_OFFLINE);
    world_status(w, 1, CS_AVAILABLE);
    assert_true(w->rows_last > 0);
    world_status(w, 1, CS_AVAILABLE);
    assert_int_equal(w->rows_last, 0); /* nothing changed, nothing is written */
    world_close(w);
    k = world_row(w, ROW_CONNECTOR, w->gun);
    assert_int_equal(k->status, CS_OFFLINE);
    assert_int_equal(k->reported, CS_AVAILABLE);
    world_open(w);
    k = world_row(w, ROW_CONNECTOR, w->gun);
    assert_int_equal(k->status, CS_AVAILABLE);
    struct cmd *c = world_gate(w, CMD_HEARTBEAT);
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->rows_last, 0);
    assert_int_equal(w->reply.u.plain, w->now);
}

static void test_learns(void **state)
{
    (void)state;
    struct charger *ch = world_charger(w);
    ch->row.traits = 0;
    int64_t tx, order = world_charging(w, 40000, &tx);
    (void)order;
    world_meter(w, tx, KWH, 50000);
    const struct out *probe = world_call(w, CALL_TRIGGER_METER);
    assert_non_null(probe);
    struct out call = *probe;
    world_answer(w, &call, 0, "Accepted");
    assert_int_equal(ch->row.traits & (TRAIT_TRIGGER | TRAIT_NO_TRIGGER), 0);
    world_run(w, 500);
    world_meter(w, tx, KWH + 5000, 50000);
    assert_true(ch->row.traits & TRAIT_TRIGGER);
    ch->row.traits = 0;
    ch->probed = false;
    world_run(w, 9000);
    world_meter(w, tx, KWH + 125000, 50000);
    call = *world_call(w, CALL_TRIGGER_METER);
    world_answer(w, &call, ERR_REJECTED, "");
    assert_true(ch->row.traits & TRAIT_NO_TRIGGER);
}

static void test_quota(void **state)
{
    (void)state;
    bool closed = false;
    for (int i = 0; i < QUOTA_TXN_10S + 1; i++) {
        struct cmd *c = world_gate(w, CMD_TX_STOP);
        c->u.tx_stop.tx = -1;
        assert_int_equal(world_send(w, c), 0);
        const struct out *o = world_out(w, OUT_CLOSE);
        closed = closed || (o && o->u.close.code == 1008);
    }
    assert_true(closed);
    assert_true(world_charger(w)->quota_over > 0);
}

/* Coming back at once is no way around it, and fills no audit log. */
static void test_quota_again(void **state)
{
    (void)state;
    for (int back = 0; back < 3; back++) {
        int closed = 0;
        for (int i = 0; i < (back ? 5 : QUOTA_TXN_10S); i++) {
            struct cmd *c = world_gate(w, CMD_TX_STOP);
            c->u.tx_stop.tx = -1;
            assert_int_equal(world_send(w, c), 0);
            const struct out *o = world_out(w, OUT_CLOSE);
            closed += o && o->u.close.code == 1008;
            assert_true(!back || i || closed == 1);
        }
        assert_int_equal(closed, 1);
        assert_int_equal(world_open(w), 0);
    }
    w->now += 10000;
    struct cmd *c = world_gate(w, CMD_TX_STOP);
    c->u.tx_stop.tx = -1;
    assert_int_equal(world_send(w, c), 0);
    assert_null(world_out(w, OUT_CLOSE));
}

static struct cmd *reading(int64_t energy)
{
    struct cmd *c = world_gate(w, CMD_METER);
    c->head.from = w->pile_conn;
    c->head.from.ref = 0;
    c->u.meter.charger = w->pile;
    c->u.meter.connector = 1;
    c->u.meter.n = 1;
    c->u.meter.samples[0] = (struct core_sample){.energy_mwh = energy, .power_w = 60000};
    return c;
}

/* Readings of a pile have no answers that would hold it back: those over the quota are dropped, and
 * who sends far too many is closed. */
static void test_quota_pile(void **state)
{
    (void)state;
    int closed = 0, dropped = 0;
    for (int i = 0; i < QUOTA_MSGS_S; i++)
        assert_int_equal(world_send(w, reading(1000 * i)), 0);
    assert_int_equal(world_send(w, reading(1)), ERR_RATE_LIMIT);
    w->now += 1000; /* a new second */
    assert_int_equal(world_send(w, reading(1)), 0);
    for (int i = 0; i < QUOTA_MSGS_S + QUOTA_TXN_10S; i++) {
        dropped += world_send(w, reading(1000 * i)) == ERR_RATE_LIMIT;
        const struct out *o = world_out(w, OUT_CLOSE);
        closed += o && o->u.close.code == 1008 && o->u.close.charger == w->pile;
    }
    assert_int_equal(dropped, QUOTA_TXN_10S + 1);
    assert_int_equal(closed, 1);
}

/* ---- a connector that flaps ---- */

static const struct row_connector *gun_row(void)
{
    return world_row(w, ROW_CONNECTOR, w->gun);
}

/* Whether the row was written since `before_ms` was its time; updates it. */
static bool gun_written(int64_t *before_ms)
{
    bool yes = gun_row()->status_ms != *before_ms;
    *before_ms = gun_row()->status_ms;
    return yes;
}

/* While it flaps its row lags; whether a charge may start is asked of what it said last. */
static void test_flapping_starts(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_BURST; i++) {
        w->now += 5;
        assert_int_equal(world_status(w, 1, i % 2 ? CS_FAULTED : CS_PREPARING), 0);
    }
    assert_int_equal(world_start(w, w->gun, 4 * MONEY_UNIT), ERR_FAULTED);
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    assert_int_equal(gun_row()->status, CS_FAULTED);
    assert_int_equal(world_start(w, w->gun, 4 * MONEY_UNIT), 0);
}

static void test_flapping(void **state)
{
    (void)state;
    int written = 0;
    int64_t at = gun_row()->status_ms;
    for (int i = 0; i < 1000; i++) {
        w->now += 5;
        assert_int_equal(world_status(w, 1, i % 2 ? CS_AVAILABLE : CS_FAULTED), 0);
        written += gun_written(&at);
    }
    assert_int_equal(written, STATUS_BURST);
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    assert_int_not_equal(gun_row()->reported, CS_PREPARING);
    world_run(w, STATUS_WINDOW_MS);
    assert_int_equal(gun_row()->reported, CS_PREPARING); /* the last state wins */
    /* It goes on: one change in a window. */
    (void)gun_written(&at);
    for (int i = written = 0; i < 1000; i++) {
        world_tick(w, w->now + 50);
        assert_int_equal(world_status(w, 1, i % 2 ? CS_AVAILABLE : CS_FAULTED), 0);
        written += gun_written(&at);
    }
    assert_in_range(written, 4, 7);
    /* Calm again: everything counts at once. */
    world_run(w, 2 * STATUS_WINDOW_MS);
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    assert_int_equal(gun_row()->reported, CS_PREPARING);
}

/* A session whose charger flaps between charging and suspended writes few events. */
static void test_flapping_session(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    size_t before = world_count(w, ROW_ORDER_EVENT);
    for (int i = 0; i < 500; i++) {
        w->now += 2;
        assert_int_equal(world_status(w, 1, i % 2 ? CS_CHARGING : CS_SUSPENDED_EV), 0);
    }
    assert_in_range(world_count(w, ROW_ORDER_EVENT) - before, 4, STATUS_BURST);
    assert_int_equal(world_status(w, 1, CS_SUSPENDED_EV), 0);
    world_run(w, STATUS_WINDOW_MS);
    assert_int_equal(world_order(w, order)->state, ORDER_SUSPENDED);
}

/* What waits counts when the charger leaves. */
static void test_flapping_leaves(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(world_status(w, 1, i % 2 ? CS_AVAILABLE : CS_FAULTED), 0);
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    world_close(w);
    assert_int_equal(gun_row()->reported, CS_PREPARING);
    assert_int_equal(gun_row()->status, CS_OFFLINE);
}

/* ---- timers that are left undone ---- */

static void test_alarm_skipped(void **state)
{
    (void)state;
    struct core_alarm a;
    int skipped = 0;
    assert_int_equal(world_start(w, w->gun, 40000), 0);
    int64_t order = w->reply.u.made.id;
    w->now += 120000;
    while (core_alarm_next(w->core, w->now, &a)) {
        bool start = a.object == order && a.kind == TO_START;
        skipped += start;
        if (start)
            core_alarm_skip(w->core);
        else
            core_alarm_fire(w->core);
    }
    world_seal(w);
    assert_int_equal(skipped, 1);
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    assert_int_not_equal(world_order(w, order)->hold, 0);
    /* A person finds it, and may end it. */
    const struct row_audit *last = world_last(w, ROW_AUDIT);
    assert_string_equal(last->action, "timer.quarantined");
    assert_int_equal(last->object, order);
}

static void test_foreign_table_full(void **state)
{
    (void)state;
    int rc = 0;
    for (int i = 0; i < 200 && !rc; i++) {
        char phone[20];
        snprintf(phone, sizeof phone, "139%08d", i);
        rc = world_put(w, ROW_DRIVER, true, &(struct row_driver){.phone = phone, .name = ""});
    }
    assert_int_equal(rc, ERR_FULL);
}

/* The cause of an event of the order, told once. */
static int64_t event_cause(int64_t order, enum order_event_kind e)
{
    int64_t cause = -1;
    for (size_t i = 0; i < w->rows_n; i++) {
        const struct row_order_event *r =
            w->rows[i].table == ROW_ORDER_EVENT ? world_unpacked(w, &w->rows[i]) : NULL;
        if (r && r->order_id == order && r->event == (int32_t)e) {
            assert_int_equal(cause, -1);
            cause = r->cause;
        }
    }
    return cause;
}

/* What happens to an order has the cause of the command that did it; of a timer that of the order's
 * beginning, also after a restart. */
static void test_event_causes(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 40000, &tx);
    assert_int_equal(event_cause(order, OE_CREATED), 42);
    struct cmd *c = world_gate(w, CMD_TX_STOP);
    c->head.cause = 7;
    c->u.tx_stop.tx = tx;
    c->u.tx_stop.meter_mwh = 2000000;
    c->u.tx_stop.time_ms = w->now;
    c->u.tx_stop.stop = STOP_LOCAL;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(event_cause(order, OE_TX_STOPPED), 7);
    assert_int_equal(event_cause(order, OE_SETTLED), 7);
    assert_int_equal(world_start(w, w->gun, 20000), 0);
    order = w->reply.u.made.id;
    world_restart(w);
    world_run(w, 90000);
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    assert_int_equal(event_cause(order, OE_START_TIMEOUT), 42);
}

int core_frame(void);
/* The clock went back an hour while nobody was running: an audit row of then is not loaded, and its
 * id must not be made again. */
static void test_ids_go_on(void **state)
{
    int64_t last = (w->now + 3600000) << 20;
    (void)state;
    core_id_floor(w->core, last);
    assert_int_equal(
        world_put(w, ROW_PARTY, true, &(struct row_party){.kind = PARTY_AGENT, .name = "Agent"}),
        0);
    assert_true(w->reply.u.made.id > last);
}

int core_frame(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_restart_same_bill),
        T(test_restart_slices),
        T(test_restart_starting),
        T(test_restart_start_times_out),
        T(test_restart_stopping),
        T(test_stop_waits_for_reconnect),
        T(test_determinism),
        T(test_rows),
        T(test_unique_keys),
        T(test_secret_kept),
        T(test_tariff_versions),
        T(test_setup_once),
        T(test_lock),
        T(test_web_session),
        T(test_connections),
        T(test_waiting_list),
        T(test_status_rows),
        T(test_learns),
        T(test_quota),
        T(test_quota_again),
        T(test_quota_pile),
        T(test_flapping),
        T(test_flapping_starts),
        T(test_flapping_session),
        T(test_flapping_leaves),
        T(test_alarm_skipped),
        T(test_event_causes),
        T(test_foreign_table_full),
        T(test_ids_go_on),
    };
    return cmocka_run_group_tests_name("core frame", tests, NULL, NULL);
}
