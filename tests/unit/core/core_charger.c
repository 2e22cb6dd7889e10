// SPDX-License-Identifier: Apache-2.0
/* core_charger.c: what the core keeps and learns about a charger: the order of answers and calls,
 * the time it takes to stop, its sample interval, the dead-man limit, the quota of calls, and
 * starts at a connector without a vehicle. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
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

static const struct row_charger *charger_row(void)
{
    return world_row(w, ROW_CHARGER, w->charger);
}

/* ---- the connection ---- */

static int stop_by_staff(int64_t order)
{
    struct cmd *c = world_web(w, CMD_ORDER_STOP, w->person, ACTOR_PERSON);
    c->u.order_stop.order = order;
    return world_send(w, c);
}

static void test_let_in_before_called(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 4 * MONEY_UNIT, &tx);
    assert_int_equal(world_close(w), 0);
    assert_int_equal(stop_by_staff(order), 0);
    assert_null(world_call(w, CALL_REMOTE_STOP)); /* it waits */
    assert_int_equal(world_open(w), 0);
    const struct out *call = world_call(w, CALL_REMOTE_STOP);
    const struct out *reply = world_out(w, OUT_REPLY);
    assert_non_null(call);
    assert_non_null(reply);
    assert_true(reply < call);
}

/* ---- what is learnt ---- */

static void test_stop_latency_kept(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 4 * MONEY_UNIT, &tx);
    world_run(w, 30000);
    world_meter(w, tx, KWH + 300000, 60000);
    assert_int_equal(stop_by_staff(order), 0);
    world_answer(w, world_call(w, CALL_REMOTE_STOP), 0, "Accepted");
    world_run(w, 400);
    assert_int_equal(world_tx_stop(w, tx, KWH + 310000, w->now), 0);
    const struct row_charger *ch = charger_row();
    assert_int_equal(ch->stop_min_ms, 400);
    assert_true(ch->stop_ms > 400);
    /* It is known again after a restart, and no change of the row by people takes it away. */
    world_restart(w);
    assert_int_equal(world_charger(w)->row.stop_min_ms, 400);
    struct row_charger change = *charger_row();
    change.name = "renamed";
    change.stop_min_ms = 0;
    assert_int_equal(world_put(w, ROW_CHARGER, false, &change), 0);
    assert_int_equal(charger_row()->stop_min_ms, 400);
    assert_string_equal(charger_row()->name, "renamed");
}

/* ---- the sample interval ---- */

static struct charger *charger(void)
{
    return world_charger(w);
}

/* Charges with a reading every ten seconds until the core calls the charger so. */
static const struct out *charge_until(int64_t tx, enum call_kind kind)
{
    for (int i = 1; i <= 800; i++) {
        world_tick(w, w->now + 250);
        if (!world_call(w, kind) && i % 40 == 0)
            assert_int_equal(world_meter(w, tx, KWH + i * 4167, 60000), 0);
        if (world_call(w, kind))
            return world_call(w, kind);
    }
    return NULL;
}

static int64_t short_interval(int64_t *tx)
{
    charger()->row.traits = TRAIT_INTERVAL | TRAIT_NO_TRIGGER | TRAIT_NO_PROFILE;
    charger()->row.sample_s = 10; /* of an earlier session */
    int64_t order = world_charging(w, 4 * MONEY_UNIT, tx);
    const struct out *call = charge_until(*tx, CALL_SET_INTERVAL);
    assert_non_null(call);
    assert_int_equal(call->u.call.interval_s, CAP_INTERVAL_S);
    assert_int_equal(charger_row()->short_s, CAP_INTERVAL_S); /* durable before it is sent */
    assert_int_equal(charger_row()->sample_s, 10);
    world_answer(w, call, 0, "Accepted");
    return order;
}

static void test_interval_after_restart(void **state)
{
    (void)state;
    int64_t tx;
    (void)short_interval(&tx);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_null(world_call(w, CALL_SET_INTERVAL)); /* its session is near the cap yet */
    for (int i = 0; i < 3; i++) {
        world_run(w, 2000);
        world_meter(w, tx, KWH + 2800000 + i * 33333, 60000);
        assert_null(world_call(w, CALL_SET_INTERVAL));
    }
    assert_int_equal(world_tx_stop(w, tx, KWH + 3 * KWH, w->now), 0);
    const struct out *call = world_call(w, CALL_SET_INTERVAL);
    assert_non_null(call);
    assert_int_equal(call->u.call.interval_s, 10); /* not the two seconds seen since the restart */
    assert_int_equal(charger_row()->short_s, CAP_INTERVAL_S); /* until it says so */
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(charger_row()->short_s, 0);
    assert_int_equal(charger_row()->sample_s, 10);
}

static void test_interval_when_it_was_away(void **state)
{
    (void)state;
    int64_t tx, order = short_interval(&tx);
    assert_int_equal(world_close(w), 0);
    world_run(w, 3600 * 1000); /* closed by estimate: nobody to tell */
    assert_int_equal(world_order(w, order)->estimated, 1);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    const struct out *call = world_call(w, CALL_SET_INTERVAL);
    assert_non_null(call);
    assert_int_equal(call->u.call.interval_s, 10);
    assert_int_equal(world_close(w), 0); /* no answer came */
    assert_int_equal(world_open(w), 0);
    call = world_call(w, CALL_SET_INTERVAL);
    assert_non_null(call);
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(world_close(w), 0);
    assert_int_equal(world_open(w), 0);
    assert_null(world_call(w, CALL_SET_INTERVAL));
}

static void test_interval_refused(void **state)
{
    (void)state;
    charger()->row.traits = TRAIT_NO_TRIGGER | TRAIT_NO_PROFILE;
    int64_t tx;
    (void)world_charging(w, 4 * MONEY_UNIT, &tx);
    const struct out *call = charge_until(tx, CALL_SET_INTERVAL);
    assert_non_null(call);
    world_answer(w, call, 0, "NotSupported");
    assert_int_equal(charger_row()->short_s, 0);
    assert_true(charger_row()->traits & TRAIT_NO_INTERVAL);
    assert_int_equal(world_tx_stop(w, tx, KWH + 3 * KWH, w->now), 0);
    assert_null(world_call(w, CALL_SET_INTERVAL)); /* there is nothing to restore */
}

/* ---- the dead-man limit ---- */

/* Lets time pass by steps until the core calls the charger so, at most so long. */
static const struct out *wait_call(enum call_kind kind, int64_t ms)
{
    for (int64_t end = w->now + ms; w->now < end && !world_call(w, kind);)
        world_tick(w, w->now + 250);
    return world_call(w, kind);
}

static void test_dead_man_limit(void **state)
{
    (void)state;
    charger()->row.traits = TRAIT_PROFILE | TRAIT_NO_TRIGGER | TRAIT_NO_INTERVAL;
    int64_t tx, order = world_charging(w, 4 * MONEY_UNIT, &tx), start = w->now;
    /* No reading yet: 3.33 kWh at 120 kW are 100 s; then the margin. */
    const struct out *call = wait_call(CALL_PROFILE, 1000);
    assert_non_null(call);
    assert_int_equal(call->u.call.tx, tx);
    assert_int_equal(call->u.call.connector, 1);
    assert_true(call->u.call.limit_w >= 240000); /* no limit until then */
    assert_in_range(call->u.call.zero_after_s, 110, 130);
    world_answer(w, call, 0, "Accepted");
    /* 30 kW: it will take 400 s. The moment moves when two readings agree, not before 30 s. */
    world_tick(w, start + 10000);
    world_meter(w, tx, KWH + 83000, 30000);
    world_tick(w, start + 20000);
    world_meter(w, tx, KWH + 166000, 30000);
    assert_null(world_call(w, CALL_PROFILE));
    call = wait_call(CALL_PROFILE, 60000);
    assert_non_null(call);
    assert_true(w->now - start >= 30000);
    assert_in_range(call->u.call.zero_after_s, 400, 440);
    world_answer(w, call, 0, "Accepted");
    /* All goes as foreseen: hardly anything to tell; the margin shrinks with what is left. */
    int told = 0;
    for (int i = 7; i <= 30; i++) {
        world_tick(w, start + i * 10000);
        world_meter(w, tx, KWH + i * 83333, 30000);
        call = world_call(w, CALL_PROFILE);
        if (call) {
            told++;
            assert_in_range(call->u.call.zero_after_s, 400, 430);
            world_answer(w, call, 0, "Accepted");
        }
    }
    assert_true(told <= 2);
    /* After a restart nobody knows what it holds. */
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    call = wait_call(CALL_PROFILE, 5000);
    assert_non_null(call);
    world_answer(w, call, 0, "Rejected");
    assert_true(charger_row()->traits & TRAIT_NO_PROFILE);
    assert_null(wait_call(CALL_PROFILE, 45000));
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
}

static void test_dead_man_suspended(void **state)
{
    (void)state;
    charger()->row.traits = TRAIT_PROFILE | TRAIT_NO_TRIGGER | TRAIT_NO_INTERVAL;
    int64_t tx;
    (void)world_charging(w, 4 * MONEY_UNIT, &tx);
    int64_t start = w->now, zero = 0;
    int calls = 0;
    assert_int_equal(world_status(w, 1, CS_SUSPENDED_EV), 0);
    /* The lease is renewed before it ends, for as long as we are there. */
    for (int i = 0; i < 2400; i++) {
        const struct out *call = world_call(w, CALL_PROFILE);
        if (call) {
            calls++;
            zero = start + call->u.call.zero_after_s * INT64_C(1000);
            world_answer(w, call, 0, "Accepted");
        }
        world_tick(w, w->now + 250);
        assert_true(!zero || zero > w->now);
    }
    assert_in_range(calls, 5, 20); /* in ten minutes */
    world_run(w, 10000);           /* a call that was under way is given up */
    /* None for a charger that was never seen to obey. */
    assert_int_equal(world_tx_stop(w, tx, KWH, w->now), 0);
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    charger()->row.traits = TRAIT_NO_TRIGGER | TRAIT_NO_INTERVAL;
    (void)world_charging(w, 4 * MONEY_UNIT, &tx);
    assert_null(wait_call(CALL_PROFILE, 20000));
}

/* ---- the quota of calls ---- */

static int call_raw(void)
{
    struct cmd *c = world_web(w, CMD_CALL, w->person, ACTOR_PERSON);
    c->u.call.charger = w->charger;
    c->u.call.connector = 1;
    c->u.call.n = 2;
    (void)str_copy(c->u.call.action, sizeof c->u.call.action, STR_LIT("ClearCache"));
    memcpy(c->u.call.payload, "{}", 2);
    return world_send(w, c);
}

static void test_quota_of_calls(void **state)
{
    (void)state;
    int64_t tx, order = world_charging(w, 3 * MONEY_UNIT, &tx);
    struct row_tenant tenant = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    tenant.quota_calls_s = 2;
    assert_int_equal(world_put(w, ROW_TENANT, false, &tenant), 0);
    world_run(w, 5000);
    assert_int_equal(call_raw(), 0);
    assert_int_equal(call_raw(), 0);
    assert_int_equal(call_raw(), ERR_RATE_LIMIT);
    assert_int_equal(world_start(w, w->gun2, MONEY_UNIT), ERR_RATE_LIMIT); /* calls a charger too */
    assert_int_equal(stop_by_staff(order), 0); /* an ending is never refused */
    assert_true(w->reply.u.made.id > 0);
    world_run(w, 1000);
    assert_int_equal(world_start(w, w->gun2, MONEY_UNIT), 0);
    assert_int_equal(call_raw(), 0);
    assert_int_equal(call_raw(), ERR_RATE_LIMIT);
    tenant = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    tenant.quota_calls_s = 0; /* none */
    assert_int_equal(world_put(w, ROW_TENANT, false, &tenant), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(call_raw(), 0);
}

/* ---- a start without a vehicle ---- */

static int64_t start_on(int64_t gun)
{
    assert_int_equal(world_start(w, gun, 4 * MONEY_UNIT), 0);
    return w->reply.u.made.id;
}

static void failed_for(int64_t order, int err)
{
    assert_int_equal(world_order(w, order)->state, ORDER_START_FAILED);
    assert_int_equal(world_order(w, order)->fail, err);
    const struct ledger_account *a =
        ledger_account_find(w->core->ledger, w->tenant, ACCOUNT_WALLET, w->driver, "CNY");
    assert_int_equal(a->held, 0);
}

static void test_start_unplugged_refused(void **state)
{
    (void)state;
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    int64_t order = start_on(w->gun);
    world_answer(w, world_call(w, CALL_REMOTE_START), 0, "Rejected");
    failed_for(order, ERR_NOT_PLUGGED);
    /* With a vehicle there, or when the call itself was wrong, it is the charger's refusal. */
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    order = start_on(w->gun);
    world_answer(w, world_call(w, CALL_REMOTE_START), 0, "Rejected");
    failed_for(order, ERR_REJECTED);
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    order = start_on(w->gun);
    world_answer(w, world_call(w, CALL_REMOTE_START), ERR_REJECTED, "InternalError");
    failed_for(order, ERR_REJECTED);
}

static void test_start_unplugged_pile(void **state)
{
    (void)state;
    int64_t order = start_on(w->pile_gun);
    world_answer(w, world_call(w, CALL_REMOTE_START), ERR_NOT_PLUGGED, "Rejected");
    failed_for(order, ERR_NOT_PLUGGED);
}

/* A charger that accepts and waits for the plug: the order waits with it. */
static void test_start_waits_for_plug(void **state)
{
    (void)state;
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    int64_t order = start_on(w->gun);
    const struct out *call = world_call(w, CALL_REMOTE_START);
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    /* The plug goes in, out, and in again: the charger's authorisation lasts, so does the order. */
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    world_run(w, 40000);
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    assert_int_equal(world_tx_stop(w, w->reply.u.tag.tx, KWH, w->now), 0);
    /* Nobody plugs in: the start's time decides, and the reason is the plug. */
    assert_int_equal(world_status(w, 1, CS_AVAILABLE), 0);
    order = start_on(w->gun);
    world_answer(w, world_call(w, CALL_REMOTE_START), 0, "Accepted");
    world_run(w, 91000);
    failed_for(order, ERR_NOT_PLUGGED);
    /* The plug is in and no transaction comes: that is not the driver's. */
    order = start_on(w->gun);
    world_answer(w, world_call(w, CALL_REMOTE_START), 0, "Accepted");
    assert_int_equal(world_status(w, 1, CS_PREPARING), 0);
    world_run(w, 91000);
    failed_for(order, ERR_TIMEOUT);
}

/* ---- a pile fetches its firmware ---- */

static int64_t update_call(void)
{
    struct cmd *c = world_web(w, CMD_CALL, w->person, ACTOR_PERSON);
    c->u.call.charger = w->pile;
    c->u.call.n = 2;
    (void)str_copy(c->u.call.action, sizeof c->u.call.action, STR_LIT("Update"));
    memcpy(c->u.call.payload, "{}", 2);
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.made.id;
}

static int fetched(int64_t call, enum fetch_stage stage, int64_t at)
{
    struct cmd *c = world_web(w, CMD_FETCHED, 0, ACTOR_CHARGER);
    c->u.fetched = (struct cmd_fetched){.charger = w->pile,
                                        .command = call,
                                        .firmware = 77,
                                        .at = at,
                                        .size = 300,
                                        .stage = stage,
                                        .peer = "10.0.0.7"};
    return world_send(w, c);
}

static const char *fetch_state(void)
{
    return ((const struct row_charger *)world_row(w, ROW_CHARGER, w->pile))->update_state;
}

static void test_fetched(void **state)
{
    (void)state;
    int64_t call = update_call();
    size_t audits = world_count(w, ROW_AUDIT);
    assert_string_equal(fetch_state(), "");
    assert_int_equal(fetched(call, FETCH_FLOWS, 0), 0);
    assert_string_equal(fetch_state(), "Downloading 0%");
    assert_int_equal(fetched(call, FETCH_FLOWS, 299), 0);
    assert_string_equal(fetch_state(), "Downloading 99%");
    assert_int_equal(fetched(call, FETCH_BROKE_OFF, 150), 0);
    assert_string_equal(fetch_state(), "BrokenOff 50%");
    assert_int_equal(world_count(w, ROW_AUDIT), audits + 1); /* once that it came */
    assert_int_equal(fetched(call, FETCH_WHOLE, 300), 0);
    assert_string_equal(fetch_state(), "Downloaded");
    assert_int_equal(world_count(w, ROW_AUDIT), audits + 2); /* and once that it has it */
    const struct row_audit *last = world_last(w, ROW_AUDIT);
    assert_string_equal(last->action, "firmware.fetched");
    assert_string_equal(last->detail, "firmware 77 to 10.0.0.7");
    assert_int_equal(last->object, w->pile);
    assert_int_equal(last->actor_kind, ACTOR_CHARGER);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(fetched(call, FETCH_FLOWS, i), 0);
        assert_int_equal(fetched(call, FETCH_WHOLE, 300), 0);
    }
    assert_string_equal(fetch_state(), "Downloaded");
    assert_int_equal(world_count(w, ROW_AUDIT), audits + 2);
}

static void test_fetched_not(void **state)
{
    (void)state;
    int64_t first = update_call(), call = update_call();
    size_t audits = world_count(w, ROW_AUDIT);
    assert_int_equal(fetched(first, FETCH_WHOLE, 300), ERR_STALE); /* of the call before */
    assert_int_equal(fetched(call, FETCH_FLOWS, 301), ERR_STALE);
    assert_int_equal(fetched(call, FETCH_FLOWS, -1), ERR_STALE);
    struct cmd *c = world_web(w, CMD_FETCHED, 0, ACTOR_CHARGER);
    c->head.tenant = w->tenant + 1;
    c->u.fetched = (struct cmd_fetched){.charger = w->pile, .command = call, .size = 300};
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_string_equal(fetch_state(), "");
    struct cmd *note = world_pile(w, CMD_NOTE);
    note->u.note.charger = w->pile;
    (void)str_copy(note->u.note.kind, sizeof note->u.note.kind, STR_LIT("firmware"));
    (void)str_copy(note->u.note.status, sizeof note->u.note.status, STR_LIT("WrongModel"));
    assert_int_equal(world_send(w, note), 0);
    assert_int_equal(fetched(call, FETCH_WHOLE, 300), 0);
    assert_string_equal(fetch_state(), "WrongModel"); /* the pile's own word */
    assert_int_equal(world_count(w, ROW_AUDIT), audits + 1);
}

int core_charger(void);
int core_charger(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_let_in_before_called),
        T(test_stop_latency_kept),
        T(test_interval_after_restart),
        T(test_interval_when_it_was_away),
        T(test_interval_refused),
        T(test_dead_man_limit),
        T(test_dead_man_suspended),
        T(test_quota_of_calls),
        T(test_start_unplugged_refused),
        T(test_start_unplugged_pile),
        T(test_start_waits_for_plug),
        T(test_fetched),
        T(test_fetched_not),
    };
    return cmocka_run_group_tests_name("core charger", tests, NULL, NULL);
}
