// SPDX-License-Identifier: Apache-2.0
/* core_parallel.c: two guns of a pile in one vehicle: one order, one hold, one bill. Both start or none,
 * the cap is that of both, their records come in any order, and money moves once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "pair_rig.h"

#define CARD "00000000D14B0A54"

static struct world *const w = &pair_world;

/* ---- start ---- */

static void test_start(void **state)
{
    (void)state;
    struct out one = pair_started(40000);
    assert_int_equal(pair_order(0)->state, ORDER_STARTING);
    assert_int_equal(pair_order(1)->state, ORDER_HELD);
    assert_int_equal(pair_order(1)->kind, ORDER_PART);
    assert_int_equal(pair_order(1)->part_of, pair.order[0]);
    assert_int_equal(pair_order(1)->driver, 0);
    assert_int_equal(pair_order(1)->hold, 0);
    assert_int_equal(pair_order(1)->cap, 0);
    assert_int_equal(pair_held(), 40000);
    assert_memory_equal(one.u.call.parallel, pair.tx_no[0] + 16, 12);
    world_answer(w, &one, 0, "Accepted");
    const struct out *two = pair_call(1, CALL_REMOTE_START);
    assert_non_null(two);
    assert_string_equal(two->u.call.parallel, one.u.call.parallel);
    assert_string_not_equal(two->u.call.tx_no, one.u.call.tx_no);
    assert_int_equal(one.u.call.balance + two->u.call.balance, 40000);
    assert_int_equal(connector_find(w->core, pair.gun[1])->row.order_id, pair.order[1]);
}

static void test_odd_cap(void **state)
{
    (void)state;
    struct out one = pair_started(33300 + 100);
    world_answer(w, &one, 0, "Accepted");
    const struct out *two = pair_call(1, CALL_REMOTE_START);
    assert_int_equal(one.u.call.balance, 16700);
    assert_int_equal(two->u.call.balance, 16700);
    world_free(w);
    pair_begin();
    one = pair_started(100 + 200);
    world_answer(w, &one, 0, "Accepted");
    two = pair_call(1, CALL_REMOTE_START);
    assert_int_equal(one.u.call.balance, 200);
    assert_int_equal(two->u.call.balance, 100);
}

static void test_bad_starts(void **state)
{
    (void)state;
    assert_int_equal(pair_start(pair.gun[0], pair.gun[0], 40000), ERR_NOT_FOUND);
    assert_int_equal(pair_start(pair.gun[0], w->gun, 40000), ERR_NOT_FOUND);
    assert_int_equal(pair_start(pair.gun[0], 12345, 40000), ERR_NOT_FOUND);
    assert_int_equal(pair_start(w->gun, w->gun2, 40000), ERR_UNSUPPORTED); /* OCPP */
    assert_int_equal(pair_start(pair.gun[0], pair.gun[1], 100), ERR_RANGE);
    assert_int_equal(pair_start(pair.gun[0], pair.gun[1], 50000), ERR_NO_FUNDS);
    assert_int_equal(world_count(w, ROW_ORDERS), 0);
    assert_int_equal(pair_held(), 0);
    assert_int_equal(pair_start(pair.gun[1], 0, 10000), 0);
    assert_int_equal(pair_start(pair.gun[0], pair.gun[1], 20000), ERR_BUSY);
    assert_int_equal(world_count(w, ROW_ORDERS), 1);
    assert_int_equal(pair_held(), 10000);
}

static void test_two_pairs_in_a_second(void **state)
{
    (void)state;
    int64_t third = pair_gun_add(w->pile, 3), fourth = pair_gun_add(w->pile, 4);
    int64_t fifth = pair_gun_add(w->pile, 5), sixth = pair_gun_add(w->pile, 6);
    struct out one = pair_started(10000);
    const struct order *o[3] = {order_find(w->core, pair.order[0])};
    assert_int_equal(pair_start(third, fourth, 10000), 0);
    o[1] = order_find(w->core, w->reply.u.made.id);
    assert_int_equal(pair_start(fifth, sixth, 10000), 0);
    o[2] = order_find(w->core, w->reply.u.made.id);
    char number[3][13];
    for (int i = 0; i < 3; i++) {
        parallel_number(w->core, o[i], number[i]);
        assert_int_equal(strlen(number[i]), 12);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(number[i], number[j]);
    }
    assert_string_equal(one.u.call.parallel, number[0]);
    world_answer_pile(w); /* all six guns, two of each number */
    for (int i = 0; i < 3; i++)
        assert_int_equal(o[i]->row.state, ORDER_STARTING);
}

/* Both guns are free, the money is too, and nothing is left of it. */
static void pair_is_nothing(void)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_order(i)->state, ORDER_START_FAILED);
        assert_int_equal(connector_find(w->core, pair.gun[i])->row.order_id, 0);
    }
    assert_int_equal(pair_held(), 0);
    assert_int_equal(pair_wallet(), 40000);
}

static void test_main_refuses(void **state)
{
    (void)state;
    struct out call = pair_started(40000);
    world_answer(w, &call, ERR_NOT_PLUGGED, "Rejected");
    pair_is_nothing();
    assert_null(pair_call(1, CALL_REMOTE_START)); /* never asked */
    assert_int_equal(pair_order(0)->fail, ERR_NOT_PLUGGED);
}

static void test_second_refuses(void **state)
{
    (void)state;
    struct out call = pair_accepted(40000);
    world_answer(w, &call, ERR_FAULTED, "Rejected");
    pair_is_nothing();
    assert_non_null(pair_call(0, CALL_REMOTE_STOP)); /* the main gun had said yes */
    assert_int_equal(pair_order(0)->fail, ERR_FAULTED);
}

static void test_silence(void **state)
{
    (void)state;
    struct out call = pair_accepted(40000);
    world_answer(w, &call, ERR_TIMEOUT, "");
    pair_is_nothing();
    assert_non_null(pair_call(0, CALL_REMOTE_STOP));
    world_free(w);
    pair_begin();
    call = pair_started(40000);
    world_answer(w, &call, ERR_TIMEOUT, "");
    pair_is_nothing();
}

static void test_refusal_while_the_other_charges(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct out call = pair_accepted(40000);
        pair_reading(0, KWH / 10, 30000);
        world_answer(w, &call, ERR_FAULTED, "Rejected");
        assert_int_equal(pair_order(0)->state, ORDER_STOPPING);
        assert_int_equal(pair_order(1)->state, ORDER_ENDED);
        assert_true(world_event(w, pair.order[1], OE_START_REJECTED));
        pair_record(0, KWH / 10);
        assert_int_equal(pair_order(0)->state, ORDER_SETTLED);
        assert_int_equal(pair_order(0)->paid, 1200);
        assert_int_equal(pair_wallet(), 38800);
        if (late) { /* it charged all the same, for a minute */
            pair_record(1, KWH / 10);
            assert_int_equal(pair_order(0)->paid, 2400);
            assert_int_equal(pair_wallet(), 37600);
        }
        world_free(w);
        pair_begin();
    }
}

static void test_one_never_begins(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct out call = pair_accepted(40000);
        world_answer(w, &call, 0, "Accepted");
        pair_reading(!silent, KWH / 10, 30000);
        world_run(w, 91000);
        assert_int_equal(pair_order(silent)->state, ORDER_ENDED);
        assert_int_equal(pair_order(!silent)->state, ORDER_STOPPING);
        assert_int_equal(pair_held(), 40000);
        pair_record(!silent, KWH);
        assert_int_equal(pair_order(0)->state, ORDER_SETTLED);
        assert_int_equal(pair_order(1)->state, ORDER_SETTLED);
        assert_int_equal(pair_order(0)->total, 12000);
        assert_int_equal(pair_order(0)->energy_mwh, KWH);
        assert_int_equal(pair_wallet(), 28000);
        world_free(w);
        pair_begin();
    }
}

static void test_neither_begins(void **state)
{
    (void)state;
    struct out call = pair_accepted(40000);
    world_answer(w, &call, 0, "Accepted");
    world_run(w, 91000);
    pair_is_nothing();
}

/* ---- money ---- */

static void test_one_bill(void **state)
{
    (void)state;
    pair_charging(40000);
    world_run(w, 120000);
    pair_record(1, KWH / 2);
    assert_int_equal(pair_order(1)->state, ORDER_ENDED);
    assert_int_equal(pair_order(0)->state, ORDER_STOPPING); /* one ended: the other stops */
    assert_non_null(pair_call(0, CALL_REMOTE_STOP));
    assert_int_equal(pair_held(), 40000);
    pair_record(0, KWH);
    const struct row_orders *m = pair_order(0), *p = pair_order(1);
    assert_int_equal(m->state, ORDER_SETTLED);
    assert_int_equal(p->state, ORDER_SETTLED);
    assert_int_equal(m->total, 18000);
    assert_int_equal(m->paid, 18000);
    assert_int_equal(m->energy_mwh, 3 * KWH / 2);
    assert_int_equal(m->lines, 2);
    assert_int_equal(p->total, 0);
    assert_int_equal(p->energy_mwh, KWH / 2);
    assert_int_equal(p->lines + p->parts, 0);
    assert_int_equal(p->transfer, 0);
    assert_int_equal(pair_wallet(), 22000);
    assert_int_equal(pair_held(), 0);
    pair_record(0, KWH); /* both again: acknowledged, nothing more */
    pair_record(1, KWH);
    assert_int_equal(pair_wallet(), 22000);
}

/* Each half of a fen would be a fen by itself. */
static void test_rounded_once(void **state)
{
    (void)state;
    pair_charging(40000);
    world_run(w, 120000);
    pair_record(0, 6250);
    pair_record(1, 6250);
    assert_int_equal(pair_order(0)->elec, 100);
    assert_int_equal(pair_order(0)->service, 100);
    assert_int_equal(pair_order(0)->energy_mwh, 12500);
}

static void stop_as(int64_t id, int64_t actor, enum actor_kind kind, int expect)
{
    struct cmd *c = world_web(w, CMD_ORDER_STOP, actor, kind);
    c->u.order_stop.order = id;
    if (kind == ACTOR_DRIVER)
        c->u.order_stop.driver = actor;
    assert_int_equal(world_send(w, c), expect);
}

static void test_driver_stops(void **state)
{
    (void)state;
    for (int by = 0; by < 2; by++) { /* by the order, or staff by its part */
        pair_charging(40000);
        stop_as(pair.order[0], w->driver + 1000, ACTOR_DRIVER, ERR_NOT_FOUND);
        if (by)
            stop_as(pair.order[1], w->person, ACTOR_PERSON, 0);
        else
            stop_as(pair.order[0], w->driver, ACTOR_DRIVER, 0);
        assert_int_equal(pair_order(0)->state, ORDER_STOPPING);
        assert_int_equal(pair_order(1)->state, ORDER_STOPPING);
        const struct out *first = pair_call(0, CALL_REMOTE_STOP);
        assert_non_null(first);
        world_answer(w, first, 0, "Accepted");
        assert_non_null(pair_call(1, CALL_REMOTE_STOP)); /* one call at a time */
        pair_record_as(0, KWH, STOP_NONE, 0);
        pair_record_as(1, KWH, STOP_NONE, 0);
        assert_int_equal(pair_order(0)->stop_reason, by ? STOP_STAFF : STOP_DRIVER);
        assert_int_equal(pair_wallet(), 16000);
        world_free(w);
        pair_begin();
    }
}

static void test_stopped_before_it_began(void **state)
{
    (void)state;
    struct out call = pair_started(40000);
    stop_as(pair.order[0], w->driver, ACTOR_DRIVER, 0);
    pair_is_nothing();
    world_answer(w, &call, 0, "Accepted");
    pair_is_nothing();
    assert_non_null(pair_call(0, CALL_REMOTE_STOP)); /* its start was under way */
}

/* ---- the cap ---- */

/* Its half is used up; the other goes on to what is left, and both come to the cap exactly. */
static void test_halves(void **state)
{
    (void)state;
    pair_charging(24000);
    world_run(w, 60000);
    pair_reading(0, KWH, 60000);
    pair_reading(1, KWH / 2, 30000);
    pair_record_as(0, KWH, STOP_CAP, 0); /* 1.20 */
    assert_int_equal(pair_order(0)->state, ORDER_ENDED);
    assert_int_equal(pair_order(1)->state, ORDER_CHARGING);
    assert_null(pair_call(1, CALL_REMOTE_STOP));
    const struct out *call = pair_call(1, CALL_BALANCE);
    assert_non_null(call);
    assert_int_equal(call->u.call.balance, 12000); /* as before: that is what is left */
    pair_record_as(1, KWH, STOP_CAP, 0);
    assert_int_equal(pair_order(0)->total, 24000);
    assert_int_equal(pair_order(0)->paid, 24000);
    assert_int_equal(pair_order(0)->loss, 0);
    assert_int_equal(pair_wallet(), 16000);
}

/* A gun that stopped for less leaves the rest of its half to the other. */
static void test_rest_moves(void **state)
{
    (void)state;
    pair_charging(24000);
    world_run(w, 60000);
    pair_record_as(0, KWH - KWH / 100, STOP_CAP, 0); /* 1.19 by its rounding */
    const struct out *call = pair_call(1, CALL_BALANCE);
    assert_non_null(call);
    assert_int_equal(call->u.call.balance, 24000 - 11900);
}

static void test_stop_while_one_goes_on(void **state)
{
    (void)state;
    pair_charging(24000);
    world_run(w, 60000);
    pair_record_as(0, KWH, STOP_CAP, 0);
    stop_as(pair.order[0], w->driver, ACTOR_DRIVER, 0);
    assert_int_equal(pair_order(1)->state, ORDER_STOPPING);
    pair_record_as(1, KWH / 2, STOP_NONE, 0);
    assert_int_equal(pair_order(0)->state, ORDER_SETTLED);
    assert_int_equal(pair_order(0)->total, 18000);
    assert_int_equal(pair_order(0)->stop_reason, STOP_CAP);
}

/* Piles that ignore their balance: two guns of 60 and 30 kW. Plays the pile, a second at a time, until
 * both are told to stop; returns what was spent then. */
static int64_t drawn_until_stop(int64_t cap)
{
    int64_t energy[2] = {0}, power[2] = {60000, 30000};
    pair_charging(cap);
    for (int s = 1; s < 3600; s++) {
        world_run(w, 1000);
        bool stop = false;
        for (int i = 0; i < 2; i++) {
            stop = stop || pair_order(i)->state == ORDER_STOPPING;
            energy[i] += power[i] * 1000 / 3600;
        }
        if (stop)
            break;
        for (int i = 0; i < 2; i++)
            if (s % 5 == i * 2) /* the one reads at other moments than the other */
                pair_reading(i, energy[i], power[i]);
    }
    assert_int_equal(pair_order(0)->state, ORDER_STOPPING);
    assert_int_equal(pair_order(1)->state, ORDER_STOPPING);
    assert_int_equal(pair_order(0)->stop_reason, STOP_CAP);
    pair_record_as(0, energy[0], STOP_NONE, 0);
    pair_record_as(1, energy[1], STOP_NONE, 0);
    return pair_order(0)->total;
}

static void test_stopped_at_the_cap(void **state)
{
    (void)state;
    int64_t spent = drawn_until_stop(40000); /* 3 fen a second; the stop leads by the latency */
    assert_in_range(spent, 40000 - 2000, 40000 + 300);
    assert_int_equal(pair_order(0)->paid, spent < 40000 ? spent : 40000);
}

/* ---- more prepaid ---- */

static void test_raise(void **state)
{
    (void)state;
    pair_charging(20000);
    assert_int_equal(pair_raise(1, 20000), ERR_NOT_FOUND); /* a part is no order of the driver's */
    assert_int_equal(pair_raise(0, 20000), 0);
    const struct out *call = pair_call(0, CALL_BALANCE);
    assert_non_null(call);
    assert_int_equal(call->u.call.balance, 20000);
    world_answer(w, call, 0, "Accepted");
    call = pair_call(1, CALL_BALANCE);
    assert_non_null(call);
    assert_int_equal(call->u.call.balance, 20000);
}

/* One gun has used its half up: the other is told of more, whichever it is, and the gun that ended,
 * where somebody else may charge by now, is not. */
static void test_raise_while_one_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        pair_charging(24000);
        world_run(w, 60000);
        pair_record_as(i, KWH, STOP_CAP, 0);
        assert_int_equal(pair_order(i)->state, ORDER_ENDED);
        const struct out *call = pair_call(!i, CALL_BALANCE);
        assert_non_null(call);
        world_answer(w, call, 0, "Accepted");
        assert_int_equal(pair_raise(0, 16000), 0);
        assert_null(pair_call(i, CALL_BALANCE));
        call = pair_call(!i, CALL_BALANCE);
        assert_non_null(call);
        assert_int_equal(call->u.call.balance, 28000);
        world_answer(w, call, 0, "Accepted");
        assert_null(pair_call(i, CALL_BALANCE)); /* nor when the one before it was answered */
        assert_int_equal(pair_held(), 40000);
        pair_record_as(!i, 2 * KWH, STOP_LOCAL, 0);
        assert_int_equal(pair_order(0)->state, ORDER_SETTLED);
        assert_int_equal(pair_raise(0, 100), ERR_CONFLICT);
        assert_int_equal(pair_order(0)->paid, 36000);
        assert_int_equal(pair_wallet(), 4000);
        assert_int_equal(pair_held(), 0);
        world_free(w);
        pair_begin();
    }
}

/* ---- records in every order ---- */

enum step { ONE, TWO, ONE_AGAIN, TWO_ALTERED, DAYS, RESTART, STEPS };

static void step_do(enum step s)
{
    world_run(w, 61000);
    switch (s) {
    case ONE:
    case ONE_AGAIN:
        pair_record(0, KWH);
        break;
    case TWO:
        pair_record(1, KWH / 2);
        break;
    case TWO_ALTERED: /* more energy, and the pile's amount is nonsense */
        pair_record_as(1, KWH, STOP_LOCAL, 99999);
        break;
    case DAYS:
        world_run(w, 3 * DAY_MS);
        break;
    case RESTART:
        world_restart(w);
        assert_int_equal(world_open_pile(w), 0);
        break;
    case STEPS:
        break;
    }
}

/* Whatever comes, there is one order, paid once, for the energy of both; and what is not paid is back
 * in the wallet. */
static void permutation(const int *steps, int n)
{
    pair_begin();
    pair_charging(40000);
    world_run(w, 15000);
    pair_reading(0, KWH / 10, 30000);
    pair_reading(1, KWH / 10, 30000);
    for (int i = 0; i < n; i++)
        step_do((enum step)steps[i]);
    world_run(w, 4 * DAY_MS);
    world_restart(w);
    pair_record(1, KWH / 2); /* days later, once more */
    pair_record(0, KWH);
    world_run(w, 4 * DAY_MS);
    const struct row_orders *m = pair_order(0), *p = pair_order(1);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
    assert_int_equal(m->state, ORDER_SETTLED);
    assert_int_equal(p->state, ORDER_SETTLED);
    assert_false(m->estimated);
    assert_false(p->estimated);
    assert_int_equal(m->energy_mwh, world_session(w, pair.order[0])->energy_mwh +
                                        world_session(w, pair.order[1])->energy_mwh);
    assert_true(m->total == 18000 || m->total == 24000);
    assert_true(m->paid <= m->total && m->paid >= 18000);
    assert_int_equal(p->total + p->paid + p->loss, 0);
    assert_int_equal(pair_wallet(), 40000 - m->paid);
    assert_int_equal(pair_held(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_PENDING, w->owner) +
                         world_balance(w, ACCOUNT_AVAILABLE, w->owner) +
                         world_balance(w, ACCOUNT_INCOME, w->platform),
                     m->paid);
    world_free(w);
}

/* Every subset of the steps (what is missing was lost), in every order: of up to four, in the soak of all. */
static void test_all_orders(void **state)
{
    (void)state;
    int most = getenv("ALL_ORDERS") ? STEPS : 4; /* sum of 6!/(6-k)! */
    assert_int_equal(world_sequences(STEPS, most, permutation), most == STEPS ? 1957 : 517);
}

/* ---- a restart in between ---- */

static void test_restart_while_starting(void **state)
{
    (void)state;
    (void)pair_started(40000); /* the second gun was not told yet */
    world_restart(w);
    pair_is_nothing();
    world_free(w);
    pair_begin();
    struct out call = pair_accepted(40000);
    (void)call;
    world_restart(w);
    assert_int_equal(world_open_pile(w), 0);
    pair_reading(0, 0, 30000);
    pair_reading(1, 0, 30000);
    assert_int_equal(pair_order(1)->state, ORDER_CHARGING);
    pair_record(0, KWH);
    pair_record(1, KWH);
    assert_int_equal(pair_wallet(), 16000);
}

static void test_restart_while_one_goes_on(void **state)
{
    (void)state;
    pair_charging(24000);
    world_run(w, 60000);
    pair_record_as(0, KWH, STOP_CAP, 0);
    world_restart(w);
    assert_int_equal(world_open_pile(w), 0);
    assert_int_equal(pair_order(0)->state, ORDER_ENDED);
    pair_reading(1, KWH / 2, 30000);
    pair_record_as(1, KWH, STOP_CAP, 0);
    assert_int_equal(pair_order(0)->total, 24000);
    assert_int_equal(pair_wallet(), 16000);
}

/* ---- a card at the pile ---- */

static int32_t ask(int32_t gun, int32_t second)
{
    struct cmd *c = world_pile(w, CMD_PILE_START);
    c->u.pile_start.connector = gun;
    c->u.pile_start.second = second;
    c->u.pile_start.kind = START_CARD;
    (void)str_copy(c->u.pile_start.tag, 37, STR_LIT(CARD));
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.pile_start.reason;
}

static void card(int64_t amount)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.hold_policy = HOLD_DEFAULT_OR_REFUSE;
    t.hold_default = amount;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    assert_int_equal(
        world_put(w, ROW_TOKEN, true,
                  &(struct row_token){
                      .driver = w->driver, .tag = CARD, .kind = TOKEN_CARD, .state = ROW_ACTIVE}),
        0);
}

static void test_card(void **state)
{
    (void)state;
    assert_int_equal(ask(1, 2), REFUSAL_UNKNOWN);
    card(30000);
    assert_int_equal(ask(1, 7), REFUSAL_PILE_BUSY); /* no such gun */
    assert_int_equal(ask(1, 1), REFUSAL_PILE_BUSY);
    assert_int_equal(world_count(w, ROW_ORDERS), 0);
    assert_int_equal(ask(2, 1), REFUSAL_NONE);
    struct reply_pile_start first = w->reply.u.pile_start;
    assert_int_equal(first.balance + first.second_balance, 30000);
    assert_int_equal(strlen(first.second_no), 32);
    assert_int_equal(pair_held(), 30000);
    assert_int_equal(ask(2, 1), REFUSAL_NONE); /* the answer was lost */
    assert_memory_equal(&w->reply.u.pile_start, &first, sizeof first);
    assert_int_equal(ask(2, 0), REFUSAL_CARD_BUSY);
    assert_int_equal(world_count(w, ROW_ORDERS), 2);
    pair.start_ms = w->now;
    (void)str_copy(pair.tx_no[1], 33, str_from_c(first.tx_no)); /* the main gun is number 2 here */
    (void)str_copy(pair.tx_no[0], 33, str_from_c(first.second_no));
    pair_reading(0, KWH / 10, 30000);
    pair_reading(1, KWH / 10, 30000);
    world_run(w, 60000);
    pair_record(0, KWH / 2);
    pair_record(1, KWH);
    const struct row_orders *m = &order_by_tx_no(w->core, first.tx_no)->row;
    assert_int_equal(m->state, ORDER_SETTLED);
    assert_int_equal(m->started_by, START_CARD);
    assert_int_equal(m->total, 18000);
    assert_int_equal(pair_wallet(), 22000);
}

static void test_card_without_money(void **state)
{
    (void)state;
    card(50000);
    assert_int_equal(ask(1, 2), REFUSAL_NO_FUNDS);
    assert_int_equal(world_count(w, ROW_ORDERS), 0);
}

int core_parallel(void);

int core_parallel(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, pair_up, pair_down)
    const struct CMUnitTest tests[] = {
        CASE(test_start),
        CASE(test_odd_cap),
        CASE(test_bad_starts),
        CASE(test_two_pairs_in_a_second),
        CASE(test_main_refuses),
        CASE(test_second_refuses),
        CASE(test_silence),
        CASE(test_refusal_while_the_other_charges),
        CASE(test_one_never_begins),
        CASE(test_neither_begins),
        CASE(test_one_bill),
        CASE(test_rounded_once),
        CASE(test_driver_stops),
        CASE(test_stopped_before_it_began),
        CASE(test_halves),
        CASE(test_rest_moves),
        CASE(test_stop_while_one_goes_on),
        CASE(test_stopped_at_the_cap),
        CASE(test_raise),
        CASE(test_raise_while_one_goes_on),
        cmocka_unit_test(test_all_orders),
        CASE(test_restart_while_starting),
        CASE(test_restart_while_one_goes_on),
        CASE(test_card),
        CASE(test_card_without_money),
    };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
