// SPDX-License-Identifier: Apache-2.0
/* core_parallel_allot.c: a pair of guns of very different power. The pile is played a second at a time: each
 * gun draws, reads every 15 seconds, ends by itself at the balance that it was told last, and sends
 * its record. What both are worth is the cap, never more, whatever the pile makes of its balances
 * and wherever the program dies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pair_rig.h"

#define PRICE 12000 /* a kWh */
#define CAP   INT64_C(600000)

static struct world *const w = &pair_world;

enum habit { OBEYS, DEAF, REFUSES, LIES }; /* LIES: says yes, and goes on as before */

static struct pile {
    enum habit habit;
    int64_t energy[2], power[2], balance[2];
    bool ended[2];
    int64_t told[2], answered;
    int told_n, heard_n, die_at; /* dies behind that message, 0 = never */
} pile;

static int64_t spent(int i)
{
    return pile.energy[i] * PRICE / KWH;
}

/* ---- the pile ---- */

static void balance_heard(const struct out *call, int i)
{
    pile.told[i] = call->u.call.balance;
    pile.told_n++;
    if (pile.habit == OBEYS)
        pile.balance[i] = call->u.call.balance;
    if (pile.habit != DEAF)
        world_answer(w, call, 0, pile.habit == REFUSES ? "Rejected" : "Accepted");
}

static void call_heard(const struct out *call)
{
    int i = call->u.call.connector - 1;
    switch (call->u.call.kind) {
    case CALL_BALANCE:
        balance_heard(call, i);
        break;
    case CALL_TRIGGER_METER:
        if (!pile.ended[i])
            pair_reading(i, pile.energy[i], pile.power[i]);
        world_answer(w, call, 0, "Accepted");
        break;
    case CALL_REMOTE_STOP:
        world_answer(w, call, 0, "Accepted");
        if (!pile.ended[i]) {
            pile.ended[i] = true;
            pair_record_as(i, pile.energy[i], STOP_NONE, 0);
        }
        break;
    default:
        fail_msg("call %d", (int)call->u.call.kind);
    }
}

/* All that it is told, one after the other. */
static void hear(void)
{
    for (size_t n = 0; n < w->outs_n; n++) {
        const struct out out = w->outs[n];
        if (out.type != OUT_CALL || out.u.call.charger != w->pile ||
            out.u.call.command == pile.answered)
            continue;
        pile.answered = out.u.call.command;
        call_heard(&out);
        if (++pile.heard_n == pile.die_at) {
            world_restart(w);
            assert_int_equal(world_open_pile(w), 0);
        }
        n = (size_t)-1; /* what came of it */
    }
}

static void second(int s)
{
    int64_t end = w->now + 1000;
    pair.end_ms = end;
    while (core_due_ms(w->core) <= end) {
        world_tick(w, core_due_ms(w->core) > w->now ? core_due_ms(w->core) : w->now);
        hear();
    }
    world_tick(w, end);
    hear();
    for (int i = 0; i < 2; i++) {
        if (pile.ended[i])
            continue;
        int64_t was = pile.energy[i], most = pile.balance[i] * KWH / PRICE;
        pile.energy[i] += pile.power[i] * 1000 / 3600;
        if (pile.habit != LIES && pile.energy[i] >= most) {
            pile.energy[i] = was > most ? was : most;
            pile.ended[i] = true;
            pair_record_as(i, pile.energy[i], STOP_CAP, 0);
            hear();
        } else if (s % 15 == 4 * i) {
            pair_reading(i, pile.energy[i], pile.power[i]);
            hear();
        }
    }
}

static void holds(void)
{
    int64_t cap = pair_order(0)->cap, one = pair_order(0)->allot, two = pair_order(1)->allot;
    assert_true(one > 0 && two > 0 && one + two <= cap);
    assert_int_equal(pair_order(1)->cap, 0);
    if (pile.habit != LIES)
        assert_true(spent(0) + spent(1) <= cap);
}

static void begin(enum habit habit, int64_t cap, int64_t fast, int64_t slow)
{
    pile = (struct pile){.habit = habit, .power = {fast, slow}};
    assert_int_equal(world_topup(w, 2 * CAP), 0);
    pair_charging(cap);
    pile.balance[0] = pair_order(0)->allot;
    pile.balance[1] = pair_order(1)->allot;
    assert_int_equal(pile.balance[0] + pile.balance[1], cap);
}

static void to_end(int from_s)
{
    for (int s = from_s; pair_order(0)->state != ORDER_SETTLED; s++) {
        assert_true(s < 40000);
        second(s);
        holds();
    }
    assert_int_equal(pair_order(1)->state, ORDER_SETTLED);
    assert_int_equal(pair_held(), 0);
    assert_true(pair_order(0)->paid <= pair_order(0)->cap);
    assert_int_equal(pair_wallet(), 40000 + 2 * CAP - pair_order(0)->paid);
}

static void again(void)
{
    world_free(w);
    pair_begin();
}

/* ---- what must be ---- */

/* Whichever gun is the fast one: it takes nearly all, and all is taken. */
static void test_fast_and_slow(void **state)
{
    (void)state;
    for (int fast = 0; fast < 2; fast++) {
        begin(OBEYS, CAP, fast ? 7000 : 120000, fast ? 120000 : 7000);
        to_end(1);
        assert_in_range(pair_order(0)->total, CAP - 2000, CAP);
        assert_true(spent(fast) > CAP * 9 / 10);
        assert_in_range(pile.told_n, 2, 8);
        again();
    }
}

/* Equal guns have nothing to give. */
static void test_equal(void **state)
{
    (void)state;
    begin(OBEYS, CAP, 60000, 60000);
    to_end(1);
    assert_in_range(pair_order(0)->total, CAP - 2000, CAP);
    assert_in_range(pile.told_n, 0, 1); /* at most that the other is over */
}

/* Parts stay as they are: the fast gun ends at its half, the slow one charges the rest. */
static void test_deaf(void **state)
{
    (void)state;
    for (int habit = DEAF; habit <= REFUSES; habit++) {
        begin((enum habit)habit, CAP, 120000, 7000);
        to_end(1);
        assert_int_equal(pair_order(0)->allot, CAP / 2);
        assert_int_equal(pair_order(1)->allot, CAP / 2);
        assert_in_range(pair_order(0)->total, CAP - 2000, CAP);
        assert_int_equal(spent(0), CAP / 2);
        assert_in_range(pile.told_n, 2, 3);
        again();
    }
}

/* A pile that says yes and ignores what it was told is stopped by us, at the sum. */
static void test_liar(void **state)
{
    (void)state;
    begin(LIES, CAP, 120000, 7000);
    to_end(1);
    assert_in_range(pair_order(0)->total, CAP - 2000, CAP + 400);
    assert_int_equal(pair_order(0)->stop_reason, STOP_CAP);
}

/* The program dies behind each message in turn, and every time it goes on. */
static void test_dies(void **state)
{
    (void)state;
    for (int at = 1; at <= 12; at++) {
        begin(OBEYS, 60000, 120000, 7000);
        pile.die_at = at;
        to_end(1);
        assert_in_range(pair_order(0)->total, 60000 - 2000, 60000);
        again();
    }
}

/* More is paid while a part is on its way, or nothing is. */
static void test_raised(void **state)
{
    (void)state;
    for (int at = 1; at < 100; at += 24) {
        begin(OBEYS, 40000, 120000, 7000);
        for (int s = 1; s < at && pair_order(0)->state == ORDER_CHARGING; s++) {
            second(s);
            holds();
        }
        bool more = pair_raise(0, 30000) == 0;
        hear();
        to_end(at);
        int64_t cap = pair_order(0)->cap;
        assert_int_equal(cap, more ? 70000 : 40000);
        assert_in_range(pair_order(0)->total, cap - 2000, cap);
        again();
    }
}

/* The other is lowered first. The fast one hears of more only after the answer and a reading. */
static void test_order_of_a_move(void **state)
{
    (void)state;
    begin(OBEYS, CAP, 120000, 7000);
    world_run(w, 700000);
    world_answer_pile(w);
    pair_reading(1, 1400000, 7000);
    world_answer_pile(w);
    pair_reading(0, 24 * KWH, 120000); /* 28.80 of 30 */
    const struct out *lower = pair_call(1, CALL_BALANCE);
    assert_non_null(lower);
    const struct out call = *lower;
    assert_in_range(call.u.call.balance, 16800, 60000);
    assert_int_equal(pair_order(0)->allot + pair_order(1)->allot, CAP);
    pair_reading(1, 1410000, 7000); /* it says nothing yet */
    assert_int_equal(pair_order(1)->allot, CAP / 2);
    world_answer(w, &call, 0, "Accepted");
    assert_int_equal(pair_order(1)->allot, CAP / 2);
    assert_null(pair_call(0, CALL_BALANCE));
    const struct out *read = pair_call(1, CALL_TRIGGER_METER);
    assert_non_null(read);
    const struct out asked = *read;
    pair_reading(1, 1420000, 7000);
    world_answer(w, &asked, 0, "Accepted");
    assert_int_equal(pair_order(1)->allot, call.u.call.balance);
    const struct out *more = pair_call(0, CALL_BALANCE);
    assert_non_null(more);
    assert_in_range(more->u.call.balance, CAP - call.u.call.balance - 1000,
                    CAP - call.u.call.balance);
    assert_int_equal(pair_order(0)->allot, more->u.call.balance);
}

int core_parallel_allot(void);

int core_parallel_allot(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, pair_up, pair_down)
    const struct CMUnitTest tests[] = {
        CASE(test_fast_and_slow),
        CASE(test_equal),
        CASE(test_deaf),
        CASE(test_liar),
        CASE(test_dies),
        CASE(test_raised),
        CASE(test_order_of_a_move),
    };
    return cmocka_run_group_tests_name("parallel, parts of the cap", tests, NULL, NULL);
}
