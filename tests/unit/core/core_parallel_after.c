// SPDX-License-Identifier: Apache-2.0
/* core_parallel_after.c: a pair of guns, once both are over: doubt of either, refunds and the late truth, a
 * company that pays, the bay that stays taken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pair_rig.h"

static struct world *const w = &pair_world;

/* ---- doubt ---- */

static void price_held(void)
{
    struct cmd *c = world_pile(w, CMD_PRICE_HELD);
    c->u.price_held = (struct cmd_price_held){w->pile, w->tariff};
    world_send(w, c);
}

static void test_doubt_of_either(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        price_held();
        pair_charging(40000);
        world_run(w, 300000);
        pair_reading(0, KWH, 30000);
        pair_reading(1, KWH, 30000);
        pair_record_as(!i, KWH, STOP_LOCAL, 12000);
        pair_record_as(i, KWH, STOP_LOCAL, 6000); /* half of what its list prices make */
        assert_int_equal(pair_order(0)->state, ORDER_DOUBTFUL);
        assert_int_equal(pair_order(0)->doubt, DOUBT_RECORD_MISMATCH);
        assert_int_equal(pair_order(0)->doubt_mwh, KWH / 2);
        assert_int_equal(pair_order(0)->paid, 18000);
        assert_int_equal(pair_order(1)->state, ORDER_SETTLED);
        assert_int_equal(pair_wallet(), 22000);
        world_restart(w);
        struct cmd *c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
        c->u.decide.order = pair.order[1];
        c->u.decide.accept = 1;
        assert_int_equal(world_send(w, c), ERR_CONFLICT);
        c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
        c->u.decide.order = pair.order[0];
        c->u.decide.accept = 1;
        assert_int_equal(world_send(w, c), 0);
        assert_int_equal(pair_order(0)->paid, 24000);
        assert_int_equal(pair_order(0)->energy_mwh, 2 * KWH);
        assert_int_equal(pair_wallet(), 16000);
        world_free(w);
        pair_begin();
    }
}

/* One gun's record is in doubt, the other was silent; staff accept the doubt; then the silent one's
 * record comes. It says nothing of the doubt: that stays sold, whichever gun it was. */
static void accepted_then_true(int i, bool accept, int64_t truth, int64_t paid)
{
    price_held();
    pair_charging(40000);
    world_run(w, 300000);
    pair_reading(0, KWH, 30000);
    pair_reading(1, KWH, 30000);
    pair_record_as(i, KWH, STOP_LOCAL, 6000);
    world_run(w, 3600000);
    assert_int_equal(pair_order(!i)->estimated, 1);
    assert_int_equal(pair_order(0)->state, ORDER_DOUBTFUL);
    assert_int_equal(pair_order(0)->doubt_mwh, KWH / 2);
    assert_int_equal(pair_order(0)->paid, 18000);
    struct cmd *c = world_web(w, CMD_DECIDE, w->person, ACTOR_PERSON);
    c->u.decide.order = pair.order[0];
    c->u.decide.accept = accept;
    assert_int_equal(world_send(w, c), 0);
    world_restart(w);
    assert_int_equal(world_open_pile(w), 0);
    pair_record(!i, truth);
    assert_int_equal(pair_order(!i)->estimated, 0);
    assert_int_equal(pair_order(0)->paid, paid);
    assert_int_equal(pair_order(0)->total, paid);
    assert_int_equal(pair_order(0)->energy_mwh, KWH / 2 + truth + (accept ? KWH / 2 : 0));
    assert_int_equal(pair_wallet(), 40000 - paid);
    world_free(w);
    pair_begin();
}

static void test_accepted_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        accepted_then_true(i, true, KWH, 24000);
        accepted_then_true(i, true, KWH * 9 / 10, 22800);
        accepted_then_true(i, true, KWH * 11 / 10, 25200);
        accepted_then_true(i, false, KWH, 18000);
    }
}

/* ---- a refund before the truth ---- */

/* What went back already is not given back twice, and not taken again. */
static void refunded_then_true(int64_t refund, int64_t truth, int64_t left)
{
    pair_charging(40000);
    world_run(w, 300000);
    pair_reading(0, KWH, 30000);
    pair_reading(1, KWH, 30000);
    pair_record(0, KWH);
    world_run(w, 3600000);
    assert_int_equal(pair_order(1)->estimated, 1);
    assert_int_equal(pair_order(0)->paid, 24000);
    assert_int_equal(world_refund(w, pair.order[1], 100), ERR_CONFLICT); /* of its main order */
    assert_int_equal(world_refund(w, pair.order[0], refund), 0);
    world_restart(w);
    assert_int_equal(world_open_pile(w), 0);
    pair_record(1, truth);
    assert_int_equal(pair_order(0)->total, 12000 + truth / KWH * 12000 + truth % KWH * 12 / 1000);
    assert_int_equal(pair_order(0)->paid + pair_order(0)->loss, pair_order(0)->total);
    assert_int_equal(pair_order(0)->paid - pair_order(0)->refunded, left);
    assert_int_equal(pair_wallet(), 40000 - left);
    world_free(w);
    pair_begin();
}

static void test_refund_before_the_truth(void **state)
{
    (void)state;
    refunded_then_true(4000, KWH / 2, 18000);  /* 2.00 paid, 1.80 right */
    refunded_then_true(10000, KWH / 2, 14000); /* 1.40 paid: no more is taken */
    refunded_then_true(10000, 2 * KWH, 14000 + 12000);
    refunded_then_true(24000, KWH / 2, 0);
}

/* ---- a company pays ---- */

static int64_t member(void)
{
    const struct row_company firm = {.name = "物流公司",
                                     .tax_no = "91310000",
                                     .contact = "",
                                     .phone = "",
                                     .kind = COMPANY_CREDIT,
                                     .credit = 1000000,
                                     .bill_day = 10,
                                     .overrun = OVERRUN_DEBT,
                                     .state = ROW_ACTIVE};
    assert_int_equal(world_put(w, ROW_COMPANY, true, &firm), 0);
    const struct row_company_member m = {.company = w->reply.u.made.id,
                                         .driver = w->driver,
                                         .name = "",
                                         .plate = "",
                                         .stations = "",
                                         .month_orders = 2};
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, &m), 0);
    pair.payer = PAYER_COMPANY;
    return w->reply.u.made.id;
}

static void member_is(int64_t id, int32_t orders, int64_t held_by, int64_t used, int64_t energy)
{
    const struct row_company_member *m = world_row(w, ROW_COMPANY_MEMBER, id);
    assert_int_equal(m->used_orders, orders);
    assert_int_equal(m->held, held_by);
    assert_int_equal(m->used, used);
    assert_int_equal(m->used_mwh, energy);
}

static void test_company(void **state)
{
    (void)state;
    int64_t id = member();
    struct out call = pair_accepted(60000);
    member_is(id, 1, 60000, 0, 0);
    world_answer(w, &call, ERR_FAULTED, "Rejected");
    member_is(id, 0, 0, 0, 0); /* it came to nothing, once */
    world_run(w, 61000);
    pair_charging(60000);
    member_is(id, 1, 60000, 0, 0);
    assert_int_equal(pair_raise(0, 20000), 0);
    member_is(id, 1, 80000, 0, 0);
    world_run(w, 300000);
    pair_reading(0, KWH, 30000);
    pair_reading(1, KWH, 30000);
    pair_record(0, KWH);
    world_run(w, 3600000); /* the other one is silent */
    assert_int_equal(pair_order(0)->state, ORDER_SETTLED);
    member_is(id, 1, 0, 24000, 2 * KWH);
    world_restart(w);
    assert_int_equal(world_open_pile(w), 0);
    pair_record(1, KWH / 2);
    member_is(id, 1, 0, 18000, 3 * KWH / 2);
    assert_int_equal(pair_order(0)->paid - pair_order(0)->refunded, 18000);
    assert_int_equal(pair_order(1)->company, 0);
    assert_int_equal(pair_wallet(), 40000);
}

/* ---- the bay afterwards ---- */

static void says(int i, enum connector_status s)
{
    struct cmd *c = world_pile(w, CMD_STATUS);
    c->u.status.connector = i + 1;
    c->u.status.status = (int32_t)s;
    assert_int_equal(world_send(w, c), 0);
}

static const struct row_connector *gun(int i)
{
    return world_row(w, ROW_CONNECTOR, pair.gun[i]);
}

/* One vehicle, one fee: where its main gun is, and only when both are over. */
static void test_occupancy(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_OCCUPANCY_PUT, w->person, ACTOR_PERSON);
    struct cmd_occupancy_put *in = &c->u.occupancy_put;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("after 15 minutes"));
    in->free_min = 15;
    in->cap_order = 300000;
    in->n = 1;
    in->window[0] = (struct occupancy_window_in){0, 1440, 1000};
    assert_int_equal(world_send(w, c), 0);
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.occupancy = w->reply.u.made.id;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
    for (int first = 0; first < 2; first++) {
        pair_charging(24000);
        says(0, CS_CHARGING);
        says(1, CS_CHARGING);
        world_run(w, 60000);
        pair_record_as(first, KWH, STOP_CAP, 0);
        says(first, CS_FINISHING);
        assert_int_equal(gun(first)->occupancy, 0); /* the other goes on */
        world_run(w, 60000);
        pair_record_as(!first, KWH, STOP_CAP, 0);
        says(!first, CS_FINISHING);
        world_run(w, 1000);
        assert_int_equal(gun(1)->occupancy, 0);
        assert_true(gun(0)->occupancy);
        const struct row_orders *q = world_order(w, gun(0)->occupancy);
        assert_int_equal(q->linked, pair.order[0]);
        assert_int_equal(q->driver, w->driver);
        assert_true(q->start_ms >= pair_order(0)->end_ms && q->start_ms >= pair_order(1)->end_ms);
        says(0, CS_AVAILABLE);
        says(1, CS_AVAILABLE);
        world_run(w, 61000);
        assert_int_equal(world_order(w, q->id)->total, 0);
        assert_int_equal(world_count(w, ROW_ORDERS), first ? 6 : 3);
        assert_int_equal(world_topup(w, 24000), 0);
    }
}

int core_parallel_after(void);

int core_parallel_after(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, pair_up, pair_down)
    const struct CMUnitTest tests[] = {
        CASE(test_doubt_of_either), CASE(test_accepted_stays), CASE(test_refund_before_the_truth),
        CASE(test_company),         CASE(test_occupancy),
    };
    return cmocka_run_group_tests_name("parallel, afterwards", tests, NULL, NULL);
}
