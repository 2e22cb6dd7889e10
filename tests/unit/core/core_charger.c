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
    assert_int_equal(charger_find(w->core, w->charger)->row.stop_min_ms, 400);
    struct row_charger change = *charger_row();
    change.name = "renamed";
    change.stop_min_ms = 0;
    assert_int_equal(world_put(w, ROW_CHARGER, false, &change), 0);
    assert_int_equal(charger_row()->stop_min_ms, 400);
    assert_string_equal(charger_row()->name, "renamed");
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

int core_charger(void);
int core_charger(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_let_in_before_called),
        T(test_stop_latency_kept),
        T(test_quota_of_calls),
    };
    return cmocka_run_group_tests_name("core charger", tests, NULL, NULL);
}
