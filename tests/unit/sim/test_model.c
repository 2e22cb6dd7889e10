// SPDX-License-Identifier: Apache-2.0
/* test_model.c: the simulated charger in virtual time: energy is exact, each habit does what it is
 * named for, nothing is lost offline, the same seed gives the same day. */
// clang-format off: cmocka.h needs these before it
#include <setjmp.h> /* cmocka.h asks for it; nothing here jumps */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

#include "base/err.h"
#include "sim/model.h"

#define T0 INT64_C(1795383270000)

static const struct model_traits dc = {.power_w = 120000,
                                       .reading_ms = 15000,
                                       .stop_min_ms = 1000,
                                       .stop_max_ms = 5000,
                                       .guns = 2,
                                       .dc = true,
                                       .obeys_trigger = true,
                                       .obeys_interval = true,
                                       .obeys_profiles = true};

/* A model with its platform: delivers everything at once while the link is up. */
struct bench {
    struct model m;
    int64_t now;
    int starts, stops, readings, states, asks;
    int64_t start_mwh, stop_mwh, last_mwh[MODEL_GUNS], stop_time_ms, start_time_ms;
    enum model_reason reason;
    enum model_gun_state state;
    bool refuse;
};

static void deliver(struct bench *b, const struct model_event *e)
{
    switch ((enum model_event_type)e->type) {
    case MODEL_EVENT_STATUS:
        b->states++;
        b->state = (enum model_gun_state)e->state;
        break;
    case MODEL_EVENT_AUTHORIZE:
        b->asks++;
        model_authorized(&b->m, e->gun, !b->refuse, b->now);
        break;
    case MODEL_EVENT_START:
        b->starts++;
        b->start_mwh = b->last_mwh[e->gun] = e->meter_mwh;
        b->start_time_ms = e->time_ms;
        model_started(&b->m, e->gun, 7, !b->refuse, b->now);
        break;
    case MODEL_EVENT_METER:
        b->readings++;
        assert_true(e->meter_mwh >= b->last_mwh[e->gun]);
        b->last_mwh[e->gun] = e->meter_mwh;
        break;
    case MODEL_EVENT_STOP:
        b->stops++;
        b->stop_mwh = e->meter_mwh;
        b->stop_time_ms = e->time_ms;
        b->reason = (enum model_reason)e->reason;
        break;
    }
}

static void settle(struct bench *b)
{
    if (b->m.link_wanted != b->m.linked)
        model_link(&b->m, b->m.link_wanted, b->now);
    if (b->m.linked)
        b->m.boot_due = false;
    for (const struct model_event *e; b->m.linked && (e = model_head(&b->m));) {
        struct model_event copy = *e;
        deliver(b, &copy);
        model_pop(&b->m);
    }
}

static void run(struct bench *b, int64_t ms)
{
    settle(b);
    for (int64_t end = b->now + ms; b->now < end; settle(b)) {
        int64_t next = model_next_ms(&b->m);
        b->now = next < end ? next : end;
        model_advance(&b->m, b->now);
    }
}

static void open_bench(struct bench *b, const struct model_traits *t, uint64_t seed)
{
    *b = (struct bench){.now = T0};
    model_init(&b->m, t, NULL, seed, T0);
    run(b, 1000);
}

static void plugged_with(struct bench *b, const struct model_traits *t, uint64_t seed,
                         enum model_habit h)
{
    open_bench(b, t, seed);
    assert_int_equal(model_plug(&b->m, 0, b->now), 0);
    model_set_habit(&b->m, 0, h, b->now);
}

static int start(struct bench *b)
{
    return model_remote_start(&b->m, 0, STR_LIT("TAG"), INT64_MAX, b->now);
}

static void charges_and_stops(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 1, HABIT_NORMAL);
    assert_int_equal(start(&b), 0);
    assert_int_equal(start(&b), ERR_BUSY);
    run(&b, 120000);
    assert_int_equal(b.starts, 1);
    assert_int_equal(b.state, GUN_CHARGING);
    assert_in_range(b.readings, 6, 8); /* one in 15 s */
    int64_t asked = b.now;
    assert_int_equal(model_remote_stop(&b.m, 0, b.now), 0);
    run(&b, 6000);
    assert_int_equal(b.stops, 1);
    assert_int_equal(b.reason, STOPPED_REMOTE);
    assert_in_range(b.stop_time_ms - asked, 1000, 5000);
    assert_int_equal(b.state, GUN_FINISHED);
    int64_t used = b.stop_mwh - b.start_mwh;
    /* Between half and all of the gun's power on average, after the ramp. */
    int64_t ms = b.stop_time_ms - b.start_time_ms;
    assert_in_range(used, (int64_t)40000 * ms / 3600, (int64_t)120000 * ms / 3600);
    assert_int_equal(model_remote_stop(&b.m, 0, b.now), ERR_CONFLICT);
    model_free(&b.m);
}

/* A car that takes 7,000 W exactly for an hour has taken 7,000,000 mWh, however time is cut. */
static void energy_is_exact(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct bench b;
        plugged_with(&b, &dc, seed, HABIT_NORMAL);
        struct model_gun *g = &b.m.guns[0];
        g->vehicle_w = 200000;
        g->ramp_ms = 0;
        g->knee_pm = 1000;
        assert_int_equal(model_limit(&b.m, 0, 7000, b.now), 0);
        assert_int_equal(start(&b), 0);
        run(&b, 10000);
        assert_true(model_busy(&b.m, 0));
        struct rng r = {seed};
        int64_t t0 = b.now, e0 = g->meter_mwh * 3600 + g->rest;
        while (b.now < t0 + 3600000) {
            int64_t ms = rng_range(&r, 1, 5000), left = t0 + 3600000 - b.now;
            run(&b, ms < left ? ms : left);
        }
        assert_int_equal(g->meter_mwh * 3600 + g->rest - e0, INT64_C(7000) * 3600000);
        model_free(&b.m);
    }
}

static void taper_and_full(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 3, HABIT_NORMAL);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    struct model_event e;
    model_sample(&b.m, 0, &e);
    int32_t early = e.power_w;
    while (model_busy(&b.m, 0) && e.soc_pm < 980) {
        run(&b, 10000);
        model_sample(&b.m, 0, &e);
    }
    assert_true(e.power_w < early / 2);
    run(&b, 3 * 3600000);
    assert_int_equal(b.state, GUN_SUSPENDED);
    assert_int_equal(b.stops, 0); /* full is no stop */
    model_unplug(&b.m, 0, b.now);
    run(&b, 1000);
    assert_int_equal(b.stops, 1);
    assert_int_equal(b.reason, STOPPED_UNPLUGGED);
    assert_int_equal(b.state, GUN_FREE);
    model_free(&b.m);
}

static void start_habits(void **state)
{
    (void)state;
    static const struct {
        enum model_habit h;
        int answer;
    } rows[] = {{HABIT_REJECT_START, ERR_REJECTED},
                {HABIT_SILENT_START, 0},
                {HABIT_MUTE_START, ERR_TIMEOUT}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        plugged_with(&b, &dc, 4, rows[i].h);
        assert_int_equal(start(&b), rows[i].answer);
        run(&b, 300000);
        assert_int_equal(b.starts + b.stops, 0);
        model_unplug(&b.m, 0, b.now);
        assert_int_equal(start(&b), ERR_NOT_PLUGGED);
        model_free(&b.m);
    }
}

static void trouble_habits(void **state)
{
    (void)state;
    static const struct {
        enum model_habit h;
        enum model_reason reason;
    } rows[] = {{HABIT_UNPLUG, STOPPED_UNPLUGGED}, {HABIT_FAULT, STOPPED_FAULT}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        plugged_with(&b, &dc, 5, rows[i].h);
        assert_int_equal(start(&b), 0);
        run(&b, 200000);
        assert_int_equal(b.starts, 1);
        assert_int_equal(b.stops, 1);
        assert_int_equal(b.reason, rows[i].reason);
        run(&b, 100000);
        assert_int_equal(b.state, GUN_FREE);
        model_free(&b.m);
    }
}

static void stop_habits(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 6, HABIT_SLOW_STOP);
    assert_int_equal(start(&b), 0);
    run(&b, 30000);
    int64_t asked = b.now;
    assert_int_equal(model_remote_stop(&b.m, 0, b.now), 0);
    run(&b, 25000);
    assert_in_range(b.stop_time_ms - asked, 8000, 20000);
    model_free(&b.m);
    plugged_with(&b, &dc, 6, HABIT_IGNORE_STOP);
    assert_int_equal(start(&b), 0);
    run(&b, 30000);
    assert_int_equal(model_remote_stop(&b.m, 0, b.now), 0);
    run(&b, 60000);
    assert_int_equal(b.stops, 0);
    model_free(&b.m);
}

static void odd_messages(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 7, HABIT_PLACEHOLDER);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    assert_int_equal(b.start_mwh, 0);
    assert_true(b.last_mwh[0] > 0);
    model_free(&b.m);
    plugged_with(&b, &dc, 7, HABIT_DUPLICATE);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    assert_int_equal(model_remote_stop(&b.m, 0, b.now), 0);
    run(&b, 6000);
    assert_int_equal(b.starts, 2);
    assert_int_equal(b.stops, 2);
    assert_int_equal(b.readings % 2, 0);
    assert_int_equal(b.m.guns[0].stops_queued, 0);
    model_free(&b.m);
    plugged_with(&b, &dc, 8, HABIT_CLOCK_SKEW);
    assert_int_equal(start(&b), 0);
    run(&b, 20000);
    assert_true(b.start_time_ms < T0 - 60000 || b.start_time_ms > T0 + 60000);
    model_free(&b.m);
}

static void offline_loses_nothing(void **state)
{
    (void)state;
    int replayed = 0;
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct bench b;
        plugged_with(&b, &dc, seed, HABIT_OFFLINE);
        assert_int_equal(start(&b), 0);
        bool was_away = false;
        for (int i = 0; i < 400; i++) {
            run(&b, 1000);
            was_away = was_away || !b.m.linked;
            if (!b.m.linked && model_busy(&b.m, 0) == false)
                replayed++;
        }
        assert_true(was_away && b.m.linked);
        if (model_busy(&b.m, 0))
            assert_int_equal(model_remote_stop(&b.m, 0, b.now), 0);
        run(&b, 6000);
        assert_int_equal(b.starts, 1);
        assert_int_equal(b.stops, 1);
        assert_int_equal(b.m.lost, 0);
        assert_int_equal(b.stop_mwh, b.m.guns[0].meter_mwh);
        model_free(&b.m);
    }
    assert_true(replayed > 0);
}

static void cards(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 9, HABIT_NORMAL);
    assert_int_equal(model_swipe(&b.m, 1, STR_LIT("CARD"), b.now), ERR_NOT_PLUGGED);
    b.refuse = true;
    assert_int_equal(model_swipe(&b.m, 0, STR_LIT("CARD"), b.now), 0);
    run(&b, 20000);
    assert_int_equal(b.asks, 1);
    assert_int_equal(b.starts, 0);
    b.refuse = false;
    assert_int_equal(model_swipe(&b.m, 0, STR_LIT("CARD"), b.now), 0);
    run(&b, 20000);
    assert_int_equal(b.starts, 1);
    assert_string_equal(b.m.guns[0].id, "CARD");
    assert_int_equal(b.m.guns[0].tx, 7);
    model_free(&b.m);
    /* A start that the platform refuses ends by itself. */
    plugged_with(&b, &dc, 9, HABIT_NORMAL);
    assert_int_equal(start(&b), 0);
    b.refuse = true;
    run(&b, 20000);
    assert_int_equal(b.stops, 1);
    assert_int_equal(b.reason, STOPPED_REFUSED);
    model_free(&b.m);
}

/* Who walks up has one of so many cards. */
static void walkups_have_cards(void **state)
{
    static const uint16_t told[] = {0, 200};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct model_traits t = dc;
        long most = 0, last = told[i] ? 1 + told[i] : 6;
        struct bench b;
        t.autoplug = true;
        t.walkup_pm = 1000;
        t.cards = told[i];
        open_bench(&b, &t, 4);
        for (int minute = 0; minute < 5 * 24 * 60; minute++) {
            run(&b, 60000);
            for (unsigned g = 0; g < 2; g++) {
                if (!b.m.guns[g].id[0])
                    continue;
                long card = strtol(b.m.guns[g].id + 4, NULL, 10);
                assert_in_range(card, 2, last);
                most = card > most ? card : most;
            }
        }
        assert_in_range(most, told[i] ? 7 : 6, last);
        model_free(&b.m);
    }
}

static void balance_ends_a_pile(void **state)
{
    (void)state;
    struct model_traits t = dc;
    t.stops_at_balance = true;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct bench b;
        plugged_with(&b, &t, seed, HABIT_NORMAL);
        struct model_prices p = {.price_e5 = {172000, 147000, 113000, 76000}};
        for (unsigned i = 0; i < 48; i++)
            p.slot[i] = (uint8_t)(i / 3 % 4);
        model_set_prices(&b.m, &p);
        assert_int_equal(
            model_remote_start(&b.m, 0, STR_LIT("32010600019236012001061803423060"), 40000, b.now),
            0);
        run(&b, 600000);
        assert_int_equal(b.stops, 1);
        assert_int_equal(b.reason, STOPPED_BALANCE);
        assert_in_range(model_amount(&b.m, 0), 40000, 40400); /* one step of 500 ms at most */
        model_free(&b.m);
    }
}

static void settings(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 10, HABIT_NORMAL);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    int before = b.readings;
    assert_int_equal(model_read(&b.m, 0, b.now), 0);
    assert_int_equal(model_interval(&b.m, 2000, b.now), 0);
    assert_int_equal(model_limit(&b.m, 0, 3000, b.now), 0);
    run(&b, 20000);
    assert_in_range(b.readings - before, 10, 11);
    assert_in_range(b.m.guns[0].power_w, 1, 3000);
    model_unlock(&b.m, 0, b.now);
    run(&b, 100);
    assert_int_equal(b.reason, STOPPED_UNLOCKED);
    assert_true(model_enable(&b.m, 1, false, b.now));
    assert_false(model_enable(&b.m, 0, false, b.now));
    assert_int_equal(model_plug(&b.m, 1, b.now), ERR_CONFLICT);
    assert_true(model_enable(&b.m, 1, true, b.now));
    model_free(&b.m);
    struct model_traits deaf = dc;
    deaf.obeys_trigger = deaf.obeys_interval = deaf.obeys_profiles = false;
    open_bench(&b, &deaf, 1);
    assert_int_equal(model_read(&b.m, 0, b.now), ERR_UNSUPPORTED);
    assert_int_equal(model_interval(&b.m, 2000, b.now), ERR_UNSUPPORTED);
    assert_int_equal(model_limit(&b.m, 0, 1, b.now), ERR_UNSUPPORTED);
    model_free(&b.m);
}

static void limit_that_begins_later(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 12, HABIT_NORMAL);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    assert_int_equal(model_limit(&b.m, 0, 36000, b.now), 0);
    assert_int_equal(model_limit_later(&b.m, 0, 0, b.now + 10000), 0);
    int64_t before = b.m.guns[0].meter_mwh;
    run(&b, 60000);
    /* 36 kW for ten seconds are 100 Wh; then nothing. */
    assert_in_range(b.m.guns[0].meter_mwh - before, 99000, 100100);
    assert_int_equal(b.m.guns[0].power_w, 0);
    /* A new limit forgets what was to come. */
    assert_int_equal(model_limit(&b.m, 0, 36000, b.now), 0);
    assert_int_equal(model_limit_later(&b.m, 0, 0, b.now + 10000), 0);
    assert_int_equal(model_limit(&b.m, 0, 36000, b.now), 0);
    run(&b, 60000);
    assert_in_range(b.m.guns[0].power_w, 30000, 36000);
    model_free(&b.m);
}

static void reset_boots_again(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 11, HABIT_NORMAL);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    model_reset(&b.m, b.now);
    assert_true(b.m.boot_due && !b.m.link_wanted);
    run(&b, 21000);
    assert_int_equal(b.stops, 1);
    assert_int_equal(b.reason, STOPPED_RESET);
    assert_true(b.m.linked);
    model_free(&b.m);
}

static void power_off_tells(void **state)
{
    (void)state;
    struct bench b;
    plugged_with(&b, &dc, 11, HABIT_IGNORE_STOP);
    assert_int_equal(start(&b), 0);
    run(&b, 60000);
    model_power_off(&b.m, b.now);
    assert_false(model_busy(&b.m, 0));
    assert_true(b.m.link_wanted); /* it says so before it goes */
    run(&b, 1000);
    assert_int_equal(b.stops, 1);
    assert_int_equal(b.reason, STOPPED_RESET);
    model_power_off(&b.m, b.now);
    run(&b, 1000);
    assert_int_equal(b.stops, 1);
    model_free(&b.m);
}

/* A day of vehicles coming and going, with every habit; the same seed is the same day. */
static uint64_t day(uint64_t seed, bool pile)
{
    static const uint16_t mix[HABIT_COUNT] = {20, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    struct model_traits t = dc;
    t.autoplug = true;
    t.walkup_pm = pile ? 0 : 500;
    t.stops_at_balance = pile;
    struct bench b = {.now = T0};
    uint64_t sum = 0;
    model_init(&b.m, &t, mix, seed, T0);
    for (int i = 0; i < 24 * 60; i++) {
        run(&b, 60000);
        for (unsigned g = 0; g < 2; g++) {
            int err = model_remote_start(&b.m, g, STR_LIT("T"), 100000, b.now);
            sum = hash_u64(sum, (uint64_t)err);
            if (model_energy_mwh(&b.m, g) > 9000000 && model_busy(&b.m, g))
                assert_int_equal(model_remote_stop(&b.m, g, b.now), 0);
        }
        sum = hash_u64(sum, (uint64_t)b.m.guns[0].meter_mwh);
    }
    run(&b, 24 * 3600000); /* whatever ignores stops leaves some time */
    assert_true(b.starts > 20 && b.stops > 20);
    assert_int_equal(b.m.lost, 0);
    model_free(&b.m);
    return hash_u64(sum, (uint64_t)b.stops);
}

static void days_are_deterministic(void **state)
{
    (void)state;
    assert_true(day(1, false) == day(1, false));
    assert_true(day(1, false) != day(2, false));
    assert_true(day(3, true) == day(3, true));
}

static void stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct model) <= 800);
    struct bench b;
    open_bench(&b, &dc, 1);
    assert_null(b.m.queue.p);
    model_free(&b.m);
    assert_string_equal(model_habit_name(HABIT_FULL), "full");
    for (int h = 0; h < HABIT_COUNT; h++)
        assert_non_null(model_habit_name((enum model_habit)h));
    assert_null(model_habit_name(HABIT_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_and_stops),
        cmocka_unit_test(energy_is_exact),
        cmocka_unit_test(taper_and_full),
        cmocka_unit_test(start_habits),
        cmocka_unit_test(trouble_habits),
        cmocka_unit_test(stop_habits),
        cmocka_unit_test(odd_messages),
        cmocka_unit_test(offline_loses_nothing),
        cmocka_unit_test(cards),
        cmocka_unit_test(walkups_have_cards),
        cmocka_unit_test(balance_ends_a_pile),
        cmocka_unit_test(settings),
        cmocka_unit_test(limit_that_begins_later),
        cmocka_unit_test(reset_boots_again),
        cmocka_unit_test(power_off_tells),
        cmocka_unit_test(stays_small),
        cmocka_unit_test(days_are_deterministic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
