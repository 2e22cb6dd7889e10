// SPDX-License-Identifier: Apache-2.0
/* core_needs.c: the directory by need: a core that finds chargers, drivers, cards and wallets one by
 * one does exactly what one does that has everything in memory; what was looked for in vain can be
 * made; what leaves memory is durable. */
#include "world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define KWH INT64_C(1000000)

static struct world the_world, *w = &the_world;

static int begin(void **state)
{
    (void)state;
    world_init(w);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int pile_close(void)
{
    struct cmd *c = world_gate(w, CMD_CONN_CLOSED);
    c->head.from = w->pile_conn;
    c->u.conn_closed.charger = w->pile;
    return world_send(w, c);
}

static int refund(int64_t order, int64_t amount)
{
    return world_refund(w, order, amount);
}

static int topup(int64_t amount)
{
    return world_topup(w, amount);
}

static int register_phone(const char *phone)
{
    struct cmd *c = world_web(w, CMD_REGISTER_DRIVER, 0, ACTOR_NONE);
    (void)str_copy(c->u.register_driver.phone, 21, str_from_c(phone));
    return world_send(w, c);
}

static int authorize(const char *tag)
{
    struct cmd *c = world_gate(w, CMD_AUTHORIZE);
    (void)str_copy(c->u.authorize.tag, 37, str_from_c(tag));
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.tag.status;
}

static int call(void)
{
    struct cmd *c = world_web(w, CMD_CALL, w->person, ACTOR_PERSON);
    c->u.call.charger = w->charger;
    (void)str_copy(c->u.call.action, 41, STR_LIT("ClearCache"));
    (void)str_copy(c->u.call.payload, 4000, STR_LIT("{}"));
    c->u.call.n = 2;
    return world_send(w, c);
}

static int64_t card_session(const char *tag, int64_t from, int64_t to)
{
    assert_int_equal(world_tx_start(w, 2, tag, from, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, 20 * 60 * 1000);
    assert_int_equal(world_tx_stop(w, tx, to, w->now), 0);
    return tx;
}

static void restart_cleanly(void)
{
    assert_int_equal(world_close(w), 0);
    assert_int_equal(pile_close(), 0);
    world_run(w, 11 * 60 * 1000); /* what is over leaves memory */
    world_restart(w);
}

/* Everything that looks something up: by the app, by card, by staff, before and after a restart. */
static void story(bool eager)
{
    int64_t tx;
    world_free(w);
    world_init_eager(w, eager);
    w->taping = true;
    const struct row_token card = {.driver = w->driver, .tag = "Card-7", .kind = TOKEN_CARD};
    assert_int_equal(topup(60 * MONEY_UNIT), 0);
    assert_int_equal(world_put(w, ROW_TOKEN, true, &card), 0);
    int64_t token = w->reply.u.made.id;
    int64_t order = world_charging(w, 4 * MONEY_UNIT, &tx);
    world_run(w, 10 * 60 * 1000);
    world_meter(w, tx, 2 * KWH, 6000);
    world_run(w, 10 * 60 * 1000);
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now), 0);
    restart_cleanly();
    assert_int_equal(refund(order, 10000), 0);
    assert_int_equal(topup(MONEY_UNIT), 0);
    assert_int_equal(register_phone("13800000000"), 0);
    assert_int_equal(w->reply.u.made.id, w->driver);
    assert_int_equal(world_put(w, ROW_TOKEN, true, &card), ERR_CONFLICT);
    assert_int_equal(call(), ERR_OFFLINE);
    assert_int_equal(world_start(w, w->gun, 40000), ERR_OFFLINE);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(authorize("CARD-7"), TAG_ACCEPTED);
    assert_int_equal(authorize("nobody"), TAG_INVALID);
    (void)card_session("card-7", 10 * KWH, 12 * KWH);
    assert_int_equal(call(), 0);
    world_answer(w, world_call(w, CALL_RAW), 0, "Accepted");
    restart_cleanly();
    struct row_token off = *(const struct row_token *)world_row(w, ROW_TOKEN, token);
    off.state = ROW_DISABLED;
    assert_int_equal(world_put(w, ROW_TOKEN, false, &off), 0);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_open_pile(w), 0);
    assert_int_equal(authorize("Card-7"), TAG_BLOCKED);
    /* Known only to the file: a stop of long ago, repeated. */
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now), 0);
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    restart_cleanly();
    assert_int_equal(world_start(w, w->pile_gun, 40000), ERR_OFFLINE);
    assert_int_equal(refund(order, 5000), 0);
}

static void test_lazy_is_eager(void **state)
{
    (void)state;
    story(true);
    int eager = w->fetched;
    struct buf tape = w->tape;
    buf_init(&w->tape, SIZE_MAX);
    story(false);
    assert_true(w->fetched > eager + 10);
    assert_int_equal(tape.n, w->tape.n);
    assert_memory_equal(tape.p, w->tape.p, tape.n);
    buf_free(&tape);
}

static int open_path(const char *path)
{
    struct cmd *c = world_gate(w, CMD_CONN_OPEN);
    c->head.from.slot = 9;
    memset(&c->u.conn_open, 0, sizeof c->u.conn_open);
    c->u.conn_open.protocol = PROTOCOL_OCPP16;
    (void)str_copy(c->u.conn_open.path, 49, str_from_c(path));
    return world_send(w, c);
}

/* Looked for in vain, then made, then looked for again, and not made twice. */
static void test_missed_then_made(void **state)
{
    (void)state;
    const struct row_charger ch = {
        .station = w->station, .path = "CP-9", .protocol = PROTOCOL_OCPP16};
    assert_int_equal(open_path("CP-9"), ERR_NOT_FOUND);
    assert_int_equal(open_path("CP-9"), ERR_NOT_FOUND);
    assert_int_equal(world_put(w, ROW_CHARGER, true, &ch), 0);
    assert_int_equal(open_path("CP-9"), 0);
    int64_t id = w->reply.u.conn.charger;
    world_restart(w);
    assert_null(charger_find(w->core, id));
    assert_int_equal(world_put(w, ROW_CHARGER, true, &ch), ERR_CONFLICT);
    const struct row_connector gun = {
        .charger = id, .number = 1, .kind = CONNECTOR_AC, .code = "ABCD"};
    assert_int_equal(world_put(w, ROW_CONNECTOR, true, &gun), 0);
    world_restart(w);
    struct row_connector again = gun;
    again.number = 2;
    assert_int_equal(world_put(w, ROW_CONNECTOR, true, &again), ERR_CONFLICT); /* the code */
    again.code = "";
    again.number = 1;
    world_restart(w);
    assert_int_equal(world_put(w, ROW_CONNECTOR, true, &again), ERR_CONFLICT); /* the number */
    again.number = 2;
    assert_int_equal(world_put(w, ROW_CONNECTOR, true, &again), 0);
    assert_int_equal(authorize("late"), TAG_INVALID);
    assert_int_equal(
        world_put(w, ROW_TOKEN, true,
                  &(struct row_token){.driver = w->driver, .tag = "LATE", .kind = TOKEN_CARD}),
        0);
    assert_int_equal(register_phone("13900000001"), 0);
    int64_t driver = w->reply.u.made.id;
    world_restart(w);
    assert_int_equal(register_phone("13900000001"), 0);
    assert_int_equal(w->reply.u.made.id, driver);
    assert_int_equal(
        world_put(w, ROW_DRIVER, true, &(struct row_driver){.phone = "13900000001", .name = ""}),
        ERR_CONFLICT);
}

/* A code that the file has already is not given out again, though nobody has loaded it. */
static void test_code_taken(void **state)
{
    (void)state;
    char code[CODE_SIZE];
    /* Of the row after the next, for the next has an audit row. */
    code_make(w->core, core_id_next(w->core, w->now) + 2, 0, code);
    assert_int_equal(
        world_put(w, ROW_CONNECTOR, true,
                  &(struct row_connector){
                      .charger = w->pile, .number = 7, .kind = CONNECTOR_AC, .code = code}),
        0);
    world_restart(w);
    char wanted[CODE_SIZE];
    code_make(w->core, core_id_next(w->core, w->now), 0, wanted);
    /* The next id is the one whose first code was taken. */
    assert_string_equal(wanted, code);
    assert_int_equal(world_put(w, ROW_CONNECTOR, true,
                               &(struct row_connector){
                                   .charger = w->charger, .number = 7, .kind = CONNECTOR_AC}),
                     0);
    const struct row_connector *made = world_row(w, ROW_CONNECTOR, w->reply.u.made.id);
    assert_string_not_equal(made->code, code);
}

/* A charger stays until its row is durable, and comes back as it left. */
static void test_leaves_when_durable(void **state)
{
    (void)state;
    struct core_batch b;
    core_batch_init(&b);
    assert_null(charger_find(w->core, w->charger)); /* idle, and the pile is in memory too */
    struct cmd *c = world_gate(w, CMD_STATUS);
    c->u.status.connector = 1;
    c->u.status.status = CS_FAULTED;
    world_fetch(w, &(struct core_need){.kind = NEED_CHARGER, .a = w->charger});
    core_apply(w->core, c);
    (void)core_rest(w->core, w->batch.number, 0);
    assert_non_null(charger_find(w->core, w->charger)); /* not sealed */
    core_seal(w->core, &b);
    (void)core_rest(w->core, w->batch.number, 0);
    assert_non_null(charger_find(w->core, w->charger)); /* not durable */
    struct core_need none[CORE_NEEDS_MAX];
    assert_int_equal(core_needs(w->core, c, none), 0);
    world_fetch(
        w, &(struct core_need){.kind = NEED_CHARGER, .a = w->pile}); /* the one that may stay */
    (void)core_rest(w->core, b.number, 0);
    assert_null(charger_find(w->core, w->charger));
    assert_int_equal(core_needs(w->core, c, none), 1);
    assert_int_equal(none[0].kind, NEED_CHARGER);
    assert_false(core_need_waits(&none[0]));
    core_batch_free(&b);
}

/* Where more stand idle than a quiet house needs, all of them leave after a while, heartbeats or not. */
static void test_ebb(void **state)
{
    (void)state;
    const struct core_need both[] = {{.kind = NEED_CHARGER, .a = w->charger},
                                     {.kind = NEED_CHARGER, .a = w->pile}};
    w->core->lim.hot_busy = 2;
    for (int i = 0; i < 2; i++)
        world_fetch(w, &both[i]);
    assert_false(core_rest(w->core, w->batch.number, w->now + 9999));
    assert_non_null(charger_find(w->core, w->charger));
    assert_non_null(charger_find(w->core, w->pile));
    int fetched = w->fetched;
    world_run(w, 9000);
    assert_int_equal(world_send(w, world_gate(w, CMD_HEARTBEAT)), 0);
    assert_int_equal(w->fetched, fetched);
    assert_true(core_rest(w->core, w->batch.number, w->now + 1000));
    assert_null(charger_find(w->core, w->charger));
    assert_null(charger_find(w->core, w->pile));
    world_fetch(w, &both[0]); /* alone it may stay */
    assert_false(core_rest(w->core, w->batch.number, w->now + 20000));
    assert_non_null(charger_find(w->core, w->charger));
    assert_int_equal(world_charger(w)->heard_ms, w->now);
}

/* Once they leave, the last one leaves as well when it was not heard of for long. */
static void test_ebb_ends_with_the_last(void **state)
{
    (void)state;
    const struct core_need both[] = {{.kind = NEED_CHARGER, .a = w->charger},
                                     {.kind = NEED_CHARGER, .a = w->pile}};
    int64_t began = w->now;
    w->core->lim.hot_busy = 2;
    for (int i = 0; i < 2; i++)
        world_fetch(w, &both[i]);
    world_run(w, 9000);
    struct cmd *c = world_gate(w, CMD_STATUS);
    c->u.status.connector = 1;
    c->u.status.status = CS_AVAILABLE;
    assert_int_equal(world_send(w, c), 0);
    assert_true(core_rest(w->core, w->batch.number, began + 10000));
    assert_null(charger_find(w->core, w->pile));
    assert_non_null(charger_find(w->core, w->charger));
    assert_false(core_rest(w->core, w->batch.number, w->now + 9999));
    assert_non_null(charger_find(w->core, w->charger));
    assert_true(core_rest(w->core, w->batch.number, w->now + 10000));
    assert_null(charger_find(w->core, w->charger));
}

/* Where only so many are in memory as may stay, nobody leaves and no page is given back. */
static void test_no_ebb(void **state)
{
    (void)state;
    const struct core_need both[] = {{.kind = NEED_CHARGER, .a = w->charger},
                                     {.kind = NEED_CHARGER, .a = w->pile}};
    w->core->lim.hot_busy = w->core->lim.hot = 2;
    w->core->hot_ebb = false; /* set when the world was made, with room for one */
    for (int i = 0; i < 2; i++)
        world_fetch(w, &both[i]);
    assert_false(core_rest(w->core, w->batch.number, w->now + 20000));
    assert_non_null(charger_find(w->core, w->charger));
    assert_non_null(charger_find(w->core, w->pile));
}

/* Its heartbeat needs no row; its connection is known when it comes back. */
static void test_line(void **state)
{
    (void)state;
    int fetched = w->fetched;
    assert_null(charger_find(w->core, w->charger));
    assert_int_equal(world_send(w, world_gate(w, CMD_HEARTBEAT)), 0);
    assert_int_equal(w->fetched, fetched);
    struct core_stats st;
    core_stats(w->core, &st);
    assert_int_equal(st.chargers_online, 2);
    assert_true(world_charger(w)->online);
    assert_int_equal(world_charger(w)->conn.slot, w->conn.slot);
    world_seal(w);
    /* A newer connection replaces the one that only the line knew. */
    struct origin old = w->conn;
    w->conn.slot = 77;
    assert_int_equal(world_open(w), 0);
    const struct out *close = world_out(w, OUT_CLOSE);
    assert_non_null(close);
    assert_int_equal(close->to.slot, old.slot);
    core_stats(w->core, &st);
    assert_int_equal(st.chargers_online, 2);
}

/* An open order keeps its charger; it may leave a while after. */
static void test_order_pins(void **state)
{
    (void)state;
    int64_t tx;
    (void)world_charging(w, 4 * MONEY_UNIT, &tx);
    world_run(w, 10 * 60 * 1000);
    assert_non_null(charger_find(w->core, w->charger));
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_non_null(charger_find(w->core, w->charger));
    world_run(w, NEXT_MS);
    world_fetch(
        w, &(struct core_need){.kind = NEED_CHARGER, .a = w->pile}); /* the one that may stay */
    world_seal(w);
    assert_null(charger_find(w->core, w->charger));
}

/* Rows of before a start may say that somebody is connected: not once they are looked at. */
static void test_stale_status(void **state)
{
    (void)state;
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    world_restart(w); /* no connection was closed */
    const struct row_connector *k = world_row(w, ROW_CONNECTOR, w->gun);
    assert_int_equal(k->status, CS_AVAILABLE);
    assert_int_equal(authorize("nobody"), TAG_INVALID);
    k = world_row(w, ROW_CONNECTOR, w->gun);
    assert_int_equal(k->status, CS_OFFLINE);
    assert_int_equal(k->reported, CS_AVAILABLE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int core_needs_tests(void);
int core_needs_tests(void)
{
    const struct CMUnitTest tests[] = {
        T(test_lazy_is_eager), T(test_missed_then_made),
        T(test_code_taken),    T(test_leaves_when_durable),
        T(test_ebb),           T(test_ebb_ends_with_the_last),
        T(test_no_ebb),        T(test_line),
        T(test_order_pins),    T(test_stale_status),
    };
    return cmocka_run_group_tests_name("core needs", tests, NULL, NULL);
}
