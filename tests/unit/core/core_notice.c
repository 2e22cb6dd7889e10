// SPDX-License-Identifier: Apache-2.0
/* core_notice.c: texts to drivers: which moments ask for one, for whom, how often, and what their
 * outcome leaves behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "core/notice.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define MIN    INT64_C(60000)
#define FEN(n) ((n) * (int64_t)MONEY_FEN)
#define ALL    (62)
#define OF(k)  (1 << (k))

static struct world world, *w = &world;

static int32_t tenant_wants(int32_t set)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.notices = set;
    return world_put(w, ROW_TENANT, false, &t);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    w->notices_n = 0;
    assert_int_equal(tenant_wants(ALL), 0);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static size_t count(enum notice_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < w->notices_n; i++)
        n += w->notices[i].kind == (int32_t)kind;
    return n;
}

static size_t events(int64_t order, enum order_event_kind e)
{
    size_t n = 0;
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_ORDER_EVENT)
            continue;
        const struct row_order_event *row = world_unpacked(w, &w->rows[i]);
        n += row->order_id == order && row->event == (int32_t)e;
    }
    return n;
}

static const struct out_notice *only(enum notice_kind kind)
{
    assert_int_equal(w->notices_n, 1);
    assert_int_equal(w->notices[0].kind, kind);
    return &w->notices[0];
}

/* A session of 1 kWh, which costs 1.20; the plug stays in. */
static int64_t charged(void)
{
    int64_t tx, order = world_charging(w, FEN(200), &tx);
    world_status(w, 1, CS_CHARGING);
    world_run(w, MIN);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0); /* repeated */
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    return order;
}

static int64_t charged_again(void)
{
    assert_int_equal(world_topup(w, FEN(1000)), 0);
    world_status(w, 1, CS_AVAILABLE);
    return charged();
}

static void rule_use(int32_t free_min, int32_t near_min, int32_t every_min)
{
    struct cmd *c = world_web(w, CMD_OCCUPANCY_PUT, w->person, ACTOR_PERSON);
    struct cmd_occupancy_put *in = &c->u.occupancy_put;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("rule"));
    in->free_min = free_min;
    in->near_min = near_min;
    in->every_min = every_min;
    in->cap_order = FEN(10000);
    in->n = 1;
    in->window[0] = (struct occupancy_window_in){0, 1440, 1000}; /* 0.10 a minute, all day */
    assert_int_equal(world_send(w, c), 0);
    int64_t family = w->reply.u.made.id;
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.occupancy = family;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
}

/* The bay stays taken: the occupancy order. */
static int64_t occupied(void)
{
    (void)charged();
    world_run(w, 2000);
    world_status(w, 1, CS_FINISHING);
    const struct row_connector *k = world_row(w, ROW_CONNECTOR, w->gun);
    assert_true(k->occupancy);
    return k->occupancy;
}

static struct cmd *result(const struct out_notice *n, enum notice_outcome outcome, const char *word)
{
    struct cmd *c = world_web(w, CMD_NOTICE_RESULT, 0, ACTOR_SYSTEM);
    struct cmd_notice_result *in = &c->u.notice_result;
    *in = (struct cmd_notice_result){
        .order = n->order, .kind = n->kind, .n = n->n, .until_ms = n->until_ms, .outcome = outcome};
    (void)str_copy(in->word, sizeof in->word, str_from_c(word));
    return c;
}

/* ---- the end of a charge ---- */

static void test_ended(void **state)
{
    (void)state;
    int64_t order = charged();
    const struct row_orders *o = world_order(w, order);
    const struct out_notice *n = only(NOTICE_ENDED);
    const struct row_driver *d = world_row(w, ROW_DRIVER, w->driver);
    assert_int_equal(n->tenant, w->tenant);
    assert_int_equal(n->driver, w->driver);
    assert_int_equal(n->order, order);
    assert_int_equal(n->n, 0);
    assert_int_equal(n->energy_mwh, KWH);
    assert_int_equal(n->amount, FEN(120));
    assert_int_equal(n->amount, o->paid);
    assert_int_equal(n->reason, o->stop_reason);
    assert_int_equal(n->at_ms, o->end_ms);
    assert_int_equal(n->until_ms, 0);
    assert_int_equal(n->worth_ms, o->end_ms + NOTICE_WORTH_MS);
    assert_int_equal(n->zone_offset_s, 8 * 3600);
    assert_string_equal(n->currency, "CNY");
    assert_string_equal(n->phone, d->phone);
    assert_string_equal(n->station,
                        ((const struct row_station *)world_row(w, ROW_STATION, w->station))->name);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_run(w, 30 * MIN);
    assert_int_equal(w->notices_n, 1);
}

static void test_nobody_to_tell(void **state)
{
    (void)state;
    assert_int_equal(tenant_wants(0), 0);
    (void)charged();
    assert_int_equal(tenant_wants(OF(NOTICE_NEAR) | OF(NOTICE_FEE)), 0);
    (void)charged_again();
    assert_int_equal(w->notices_n, 0);
    assert_int_equal(tenant_wants(ALL), 0);
    world_status(w, 1, CS_AVAILABLE);
    struct cmd *c = world_web(w, CMD_ORDER_START, w->person, ACTOR_PERSON);
    c->u.order_start.connector = w->gun;
    c->u.order_start.payer_kind = PAYER_NONE;
    assert_int_equal(world_send(w, c), 0);
    int64_t order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    int64_t tx = w->reply.u.tag.tx;
    world_run(w, MIN);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(w->notices_n, 0);
}

static int choose(int64_t actor, int64_t driver, int32_t off, const char *phone)
{
    struct row_driver d = *(const struct row_driver *)world_row(w, ROW_DRIVER, driver);
    d.notices_off = off;
    d.phone = phone;
    d.name = "X";
    struct cmd *c = world_web(w, CMD_ROW_PUT, actor, ACTOR_DRIVER);
    struct buf b;
    buf_init(&b, sizeof c->u.row_put.row);
    row_pack(&b, ROW_DRIVER, ROW_UPSERT, &d);
    c->u.row_put.table = ROW_DRIVER;
    c->u.row_put.n = (uint32_t)b.n;
    memcpy(c->u.row_put.row, b.p, b.n);
    buf_free(&b);
    return world_send(w, c);
}

static void test_switched_off(void **state)
{
    (void)state;
    char phone[21], name[65];
    const struct row_driver *d = world_row(w, ROW_DRIVER, w->driver);
    (void)str_copy(phone, sizeof phone, str_from_c(d->phone));
    (void)str_copy(name, sizeof name, str_from_c(d->name));
    assert_int_equal(choose(w->driver, w->driver, 2, ""), ERR_RANGE);
    assert_int_equal(choose(w->driver + 1, w->driver, 1, ""), ERR_NOT_FOUND);
    assert_int_equal(choose(w->driver, w->driver, 1, "13900000000"), 0);
    d = world_row(w, ROW_DRIVER, w->driver);
    assert_int_equal(d->notices_off, 1);
    assert_string_equal(d->phone, phone); /* nothing else is the driver's to say */
    assert_string_equal(d->name, name);
    struct row_driver staff = *d;
    staff.name = "Renamed";
    staff.notices_off = 0;
    assert_int_equal(world_put(w, ROW_DRIVER, false, &staff), 0);
    d = world_row(w, ROW_DRIVER, w->driver);
    assert_int_equal(d->notices_off, 1); /* nor staff's to say that the driver wants them */
    assert_string_equal(d->name, "Renamed");
    (void)charged();
    assert_int_equal(w->notices_n, 0);
    assert_int_equal(choose(w->driver, w->driver, 0, ""), 0);
    (void)charged_again();
    (void)only(NOTICE_ENDED);
}

static void test_set_is_judged(void **state)
{
    (void)state;
    static const int32_t bad[] = {1, 64, -1, ALL | 1, INT32_MIN};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(tenant_wants(bad[i]), ERR_RANGE);
    assert_int_equal(((const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant))->notices,
                     ALL);
}

/* The stop comes when the charger is connected again, long after it happened. */
static void test_told_late(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, FEN(200), &tx);
    world_run(w, MIN);
    world_meter(w, tx, KWH + KWH / 2, 60000);
    int64_t end = w->now;
    world_close(w);
    world_run(w, 20 * MIN);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, KWH + KWH / 2, end), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(world_order(w, order)->end_ms, end);
    assert_int_equal(w->notices_n, 0);
    assert_int_equal(world_order(w, order)->notices, 0);
}

/* Closed by estimate after its silence, and corrected by its true end a day later. */
static void test_estimate_and_correction(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, FEN(200), &tx);
    world_run(w, MIN);
    world_meter(w, tx, KWH + KWH / 2, 60000);
    world_close(w);
    world_run(w, 24 * 60 * MIN);
    assert_int_equal(world_order(w, order)->estimated, 1);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_int_equal(world_order(w, order)->estimated, 0);
    assert_int_equal(w->notices_n, 0);
}

static int64_t doubtful(void)
{
    int64_t tx, order = world_charging(w, FEN(400), &tx);
    world_run(w, MIN / 2);
    world_meter(w, tx, KWH + KWH / 2, 60000);
    assert_int_equal(world_tx_stop(w, tx, INT64_C(1000000000) * 1000000, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_DOUBTFUL);
    return order;
}

static void test_doubt(void **state)
{
    (void)state;
    int64_t order = doubtful();
    const struct out_notice *n = only(NOTICE_DOUBT);
    assert_int_equal(n->amount, 6000);
    assert_int_equal(n->until_ms, world_order(w, order)->decide_ms);
    world_run(w, 25 * 60 * MIN); /* decided by rule: no further text */
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    assert_int_equal(w->notices_n, 1);
}

static void test_doubt_untold(void **state)
{
    (void)state;
    assert_int_equal(tenant_wants(OF(NOTICE_ENDED)), 0);
    (void)doubtful();
    assert_int_equal(only(NOTICE_ENDED)->until_ms, 0);
}

/* ---- a bay that stays taken ---- */

static void test_stay(void **state)
{
    (void)state;
    rule_use(15, 5, 10);
    int64_t id = occupied(), free_ms = world_order(w, id)->free_ms;
    world_run(w, 9 * MIN);
    assert_int_equal(count(NOTICE_NEAR), 0);
    world_run(w, 2 * MIN);
    assert_int_equal(count(NOTICE_NEAR), 1);
    const struct out_notice *n = &w->notices[w->notices_n - 1];
    assert_int_equal(n->order, id);
    assert_int_equal(n->until_ms, free_ms);
    assert_int_equal(n->worth_ms, free_ms);
    assert_int_equal(n->at_ms, free_ms - 5 * MIN);
    world_run(w, 5 * MIN);
    assert_int_equal(count(NOTICE_FEE), 1);
    n = &w->notices[w->notices_n - 1];
    assert_int_equal(n->at_ms, free_ms);
    assert_int_equal(n->n, 1);
    assert_int_equal(count(NOTICE_RUNS), 0);
    world_run(w, 10 * MIN);
    assert_int_equal(count(NOTICE_RUNS), 1);
    n = &w->notices[w->notices_n - 1];
    assert_int_equal(n->at_ms, free_ms);
    assert_int_equal(n->amount, FEN(100));
    world_run(w, 10 * MIN);
    assert_int_equal(count(NOTICE_RUNS), 2);
    world_status(w, 1, CS_AVAILABLE);
    assert_int_equal(world_order(w, id)->state, ORDER_SETTLED);
    assert_int_equal(count(NOTICE_ENDED), 1); /* of the charge */
    assert_int_equal(w->notices_n, 5);
}

/* Where the rule has no moment before the end of the free time, it is told as that begins. */
static void test_near_at_once(void **state)
{
    (void)state;
    rule_use(10, 0, 0);
    int64_t id = occupied();
    assert_int_equal(count(NOTICE_NEAR), 1);
    assert_int_equal(w->notices[1].until_ms, world_order(w, id)->free_ms);
    world_run(w, 9 * MIN);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 60 * MIN);
    assert_int_equal(count(NOTICE_NEAR), 1);
    assert_int_equal(count(NOTICE_FEE), 1);
    assert_int_equal(count(NOTICE_RUNS), 0);
}

static void test_all_of_it_near(void **state)
{
    (void)state;
    rule_use(10, 10, 0);
    (void)occupied();
    assert_int_equal(count(NOTICE_NEAR), 1);
    world_run(w, 5 * MIN);
    assert_int_equal(count(NOTICE_NEAR), 1);
}

static void test_nothing_free(void **state)
{
    (void)state;
    rule_use(0, 0, 0);
    (void)occupied();
    world_run(w, MIN);
    assert_int_equal(count(NOTICE_NEAR), 0);
    assert_int_equal(count(NOTICE_FEE), 1);
}

/* Who goes on telling for days stops at NOTICES_MAX; the events go on. */
static void test_bound(void **state)
{
    (void)state;
    rule_use(5, 0, 10);
    int64_t id = occupied();
    for (int i = 0; i < 30; i++) {
        world_run(w, 10 * MIN);
        world_status(w, 1, CS_FINISHING);
    }
    assert_int_equal(count(NOTICE_RUNS), NOTICES_MAX - 2);
    assert_true(events(id, OE_OCC_RUNS) > NOTICES_MAX);
}

/* Neither a restart nor a clock that was put back asks again. */
static void test_restart(void **state)
{
    (void)state;
    rule_use(15, 5, 10);
    int64_t id = occupied();
    world_run(w, 11 * MIN);
    assert_int_equal(count(NOTICE_NEAR), 1);
    int64_t now = w->now;
    w->now -= 8 * MIN;
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_status(w, 1, CS_FINISHING);
    world_run(w, 20 * MIN);
    assert_true(w->now > now);
    assert_int_equal(count(NOTICE_NEAR), 1);
    assert_int_equal(count(NOTICE_FEE), 1);
    /* What became of the first is not known, and that is noted once. */
    assert_int_equal(events(id, OE_NOTICE_UNKNOWN), 1);
    world_restart(w);
    assert_int_equal(events(id, OE_NOTICE_UNKNOWN), 2); /* of the second */
    world_restart(w);
    assert_int_equal(events(id, OE_NOTICE_UNKNOWN), 2);
    assert_int_equal(count(NOTICE_NEAR) + count(NOTICE_FEE), 2);
}

/* A restart hours later: nothing of what is over by then is told. */
static void test_long_away(void **state)
{
    (void)state;
    rule_use(15, 5, 10);
    (void)occupied();
    world_run(w, 2 * MIN);
    size_t before = w->notices_n;
    w->now += 3 * 60 * MIN;
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    world_run(w, 60 * MIN);
    assert_int_equal(w->notices_n, before);
}

/* ---- outcomes ---- */

static void test_outcome(void **state)
{
    (void)state;
    int64_t order = charged();
    const struct out_notice n = *only(NOTICE_ENDED);
    world_run(w, 5 * MIN); /* the order has left memory */
    assert_int_equal(world_send(w, result(&n, NOTICE_SENT, "")), 0);
    assert_int_equal(events(order, OE_NOTICE_SENT), 1);
    const struct row_order_event *e = world_last(w, ROW_ORDER_EVENT);
    assert_string_equal(e->detail, "1 0");
    assert_int_equal(e->actor_kind, ACTOR_SYSTEM);
    int64_t paid = world_order(w, order)->paid;
    /* Repeated, also with another word, also after a restart: once. */
    assert_int_equal(world_send(w, result(&n, NOTICE_SENT, "")), 0);
    assert_int_equal(world_send(w, result(&n, NOTICE_NOT_SENT, "black-list")), 0);
    world_restart(w);
    assert_int_equal(world_send(w, result(&n, NOTICE_UNKNOWN, "")), 0);
    assert_int_equal(events(order, OE_NOTICE_SENT), 1);
    assert_int_equal(events(order, OE_NOTICE_NOT_SENT), 0);
    assert_int_equal(events(order, OE_NOTICE_UNKNOWN), 0);
    assert_int_equal(world_order(w, order)->paid, paid);
}

static void test_outcome_word(void **state)
{
    (void)state;
    int64_t order = doubtful();
    const struct out_notice n = *only(NOTICE_DOUBT);
    assert_int_equal(world_send(w, result(&n, NOTICE_NOT_SENT, "black-list")), 0);
    assert_int_equal(events(order, OE_NOTICE_NOT_SENT), 1);
    char want[80];
    snprintf(want, sizeof want, "5 %lld black-list", (long long)n.until_ms);
    assert_string_equal(((const struct row_order_event *)world_last(w, ROW_ORDER_EVENT))->detail,
                        want);
}

static void test_outcome_refused(void **state)
{
    (void)state;
    (void)charged();
    const struct out_notice n = *only(NOTICE_ENDED);
    size_t rows = world_count(w, ROW_ORDER_EVENT);
    struct cmd *c = result(&n, NOTICE_SENT, "");
    c->u.notice_result.order++;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = result(&n, NOTICE_SENT, "");
    c->head.tenant++;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = result(&n, NOTICE_SENT, "");
    c->head.actor_kind = ACTOR_PERSON;
    assert_int_equal(world_send(w, c), ERR_DENIED);
    static const int32_t outside[] = {-1, NOTICES_MAX, 1000};
    for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
        c = result(&n, NOTICE_SENT, "");
        c->u.notice_result.n = outside[i];
        assert_int_equal(world_send(w, c), ERR_RANGE);
    }
    c = result(&n, NOTICE_SENT, "");
    c->u.notice_result.n = 1; /* there was no second */
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c->u.notice_result.n = 1;
    c->u.notice_result.kind = 0; /* nor one of no kind */
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    c = result(&n, NOTICE_SENT, "");
    c->u.notice_result.kind = NOTICE_NEAR;
    assert_int_equal(world_send(w, c), ERR_CONFLICT);
    static const int32_t outcomes[] = {0, 4, -1};
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        c = result(&n, NOTICE_SENT, "");
        c->u.notice_result.outcome = outcomes[i];
        assert_int_equal(world_send(w, c), ERR_RANGE);
    }
    assert_int_equal(world_count(w, ROW_ORDER_EVENT), rows);
    assert_int_equal(world_send(w, result(&n, NOTICE_SENT, "")), 0);
}

int core_notice(void);

int core_notice(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, up, down)
    const struct CMUnitTest tests[] = {
        T(test_ended),         T(test_nobody_to_tell), T(test_switched_off),
        T(test_set_is_judged), T(test_told_late),      T(test_estimate_and_correction),
        T(test_doubt),         T(test_doubt_untold),   T(test_stay),
        T(test_near_at_once),  T(test_all_of_it_near), T(test_nothing_free),
        T(test_bound),         T(test_restart),        T(test_long_away),
        T(test_outcome),       T(test_outcome_word),   T(test_outcome_refused),
    };
#undef T
    return cmocka_run_group_tests_name("core: notices", tests, NULL, NULL);
}
