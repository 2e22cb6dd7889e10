// SPDX-License-Identifier: Apache-2.0
/* Evidence rules: one named case for each thing that chargers are known to do to their registers,
 * and random sessions whose accepted energy never exceeds what can have flowed. */
#include <string.h>

#include "base/hash.h"
#include "core/evidence.h"
#include "unit/core/money.h"

#define MIN      INT64_C(60000)
#define KWH      INT64_C(1000000)
#define LIFETIME (INT64_C(48213) * KWH)

static const struct evidence_limits dc = {.max_power_w = 120000};
static const struct evidence_limits session_counter = {.max_power_w = 120000,
                                                       .session_register = true};

static struct evidence start(const struct evidence_limits *lim, int64_t meter)
{
    struct evidence e;
    evidence_start(&e, lim, 1000000, meter);
    return e;
}

static struct evidence_step read_at(struct evidence *e, int64_t minutes, int64_t meter)
{
    struct evidence_step s;
    evidence_reading(e, &dc, 1000000 + minutes * MIN, meter, &s);
    return s;
}

static struct evidence_step stop_at(struct evidence *e, int64_t minutes, int64_t meter)
{
    struct evidence_step s;
    evidence_stop(e, &dc, 1000000 + minutes * MIN, meter, &s);
    return s;
}

static void test_plain_session(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    struct evidence_step s = read_at(&e, 1, LIFETIME + KWH);
    assert_true(s.accepted);
    assert_int_equal(s.delta_mwh, KWH);
    assert_int_equal(s.from_ms, 1000000);
    assert_int_equal(s.to_ms, 1000000 + MIN);
    assert_false(s.learn_session);
    s = read_at(&e, 2, LIFETIME + 2 * KWH);
    assert_int_equal(s.delta_mwh, KWH);
    s = stop_at(&e, 3, LIFETIME + 5 * KWH / 2);
    assert_int_equal(s.delta_mwh, KWH / 2);
    assert_int_equal(e.energy_mwh, 5 * KWH / 2);
    assert_int_equal(e.flags, 0);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

/* citrineos-core PR 1060: meterStart 0 after an offline boot billed 910 kWh for 0.083. */
static void test_defect_placeholder_start(void **state)
{
    (void)state;
    struct evidence e = start(&dc, 0);
    struct evidence_step s = read_at(&e, 1, 910 * KWH);
    assert_true(s.accepted);
    assert_int_equal(s.delta_mwh, 0);
    assert_int_equal(s.flags, EV_PLACEHOLDER_START);
    s = read_at(&e, 2, 910 * KWH + 83000);
    assert_int_equal(s.delta_mwh, 83000);
    (void)stop_at(&e, 2, 910 * KWH + 83000);
    assert_int_equal(e.energy_mwh, 83000);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

/* The same with no sample at all, after a night in which 910 kWh would fit the power. */
static void test_defect_placeholder_start_without_samples(void **state)
{
    (void)state;
    struct evidence e = start(&dc, 0);
    (void)stop_at(&e, 12 * 60, 910 * KWH);
    assert_int_equal(e.energy_mwh, 0);
    assert_int_equal(e.doubt, DOUBT_PLACEHOLDER);
    assert_int_equal(e.doubt_mwh, 910 * KWH);
    e = start(&dc, 0); /* a session-relative register that is believable */
    (void)stop_at(&e, 60, 30 * KWH);
    assert_int_equal(e.energy_mwh, 30 * KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

/* OCPP.Core 33: negative energy was accepted. */
static void test_defect_negative_energy(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)stop_at(&e, 60, LIFETIME - 40 * KWH);
    assert_int_equal(e.energy_mwh, 0);
    assert_int_equal(e.doubt, DOUBT_NEGATIVE);
    assert_int_equal(e.doubt_mwh, 0);
    e = start(&dc, LIFETIME);
    struct evidence_step s = read_at(&e, 1, -5);
    assert_false(s.accepted);
}

/* lbbrhzn/ocpp 2093: samples count the session, start and stop the lifetime. */
static void test_defect_mixed_registers(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    struct evidence_step s = read_at(&e, 1, KWH);
    assert_int_equal(s.delta_mwh, KWH);
    assert_int_equal(s.flags, EV_RESET);
    assert_true(s.learn_session);
    (void)read_at(&e, 2, 2 * KWH);
    (void)stop_at(&e, 3, LIFETIME + 3 * KWH);
    assert_int_equal(e.energy_mwh, 3 * KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
    struct evidence f;
    evidence_start(&f, &session_counter, 1000000, LIFETIME); /* learnt: no flag any more */
    evidence_reading(&f, &session_counter, 1000000 + MIN, KWH, &s);
    assert_int_equal(s.delta_mwh, KWH);
    assert_int_equal(s.flags, 0);
    evidence_stop(&f, &session_counter, 1000000 + 2 * MIN, LIFETIME + 2 * KWH, &s);
    assert_int_equal(f.energy_mwh, 2 * KWH);
}

static void test_stop_counts_the_session(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)stop_at(&e, 2, 3 * KWH / 2);
    assert_int_equal(e.energy_mwh, 3 * KWH / 2);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

static void test_spike_is_forgotten(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    struct evidence_step s = read_at(&e, 2, LIFETIME + 900 * KWH);
    assert_false(s.accepted);
    assert_int_equal(s.flags, EV_IMPLAUSIBLE);
    s = read_at(&e, 3, LIFETIME + 3 * KWH);
    assert_int_equal(s.delta_mwh, 2 * KWH);
    (void)stop_at(&e, 4, LIFETIME + 4 * KWH);
    assert_int_equal(e.energy_mwh, 4 * KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

/* A network that hangs for a minute delivers its readings in one second: no jump. Three minutes' worth
 * is the most that counts as late. */
static void test_late_readings_come_at_once(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    for (int i = 2; i <= 4; i++) { /* of the minutes 2, 3 and 4, all at the end of the fourth */
        struct evidence_step s = read_at(&e, 4, LIFETIME + i * KWH);
        assert_true(s.accepted);
        assert_int_equal(s.delta_mwh, KWH);
    }
    assert_int_equal(e.flags, 0);
    (void)read_at(&e, 400, LIFETIME + 5 * KWH); /* hours at nothing buy no more than that */
    int64_t most = 4 * evidence_energy_max(&dc, MIN);
    assert_false(read_at(&e, 400, LIFETIME + 5 * KWH + most).accepted);
    assert_int_equal(e.flags, EV_GAP | EV_IMPLAUSIBLE);
}

/* The stop comes in the same second as they do. */
static void test_late_stop(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)read_at(&e, 4, LIFETIME + 2 * KWH);
    (void)stop_at(&e, 4, LIFETIME + 4 * KWH);
    assert_int_equal(e.flags, 0);
    assert_int_equal(e.energy_mwh, 4 * KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

/* A jump takes with it what could have flowed before it, and a fall is never helped by it: half of a
 * counter is no counter that began again. */
static void test_credit_ends(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 4, LIFETIME + KWH);
    (void)read_at(&e, 5, LIFETIME + 900 * KWH);
    (void)read_at(&e, 5, LIFETIME + 900 * KWH);
    assert_int_equal(e.doubt_mwh, 899 * KWH);
    assert_int_equal(e.credit_mwh, 0);
    assert_false(read_at(&e, 5, LIFETIME + 901 * KWH).accepted);
    e = start(&session_counter, 0);
    (void)read_at(&e, 60, 9 * KWH);
    assert_int_equal(read_at(&e, 61, 5 * KWH).flags, EV_BACKWARDS);
    assert_int_equal(read_at(&e, 62, 10 * KWH).delta_mwh, KWH);
    assert_int_equal(e.energy_mwh, 10 * KWH);
}

/* The same before the record of a pile. */
static void test_late_record(void **state)
{
    (void)state;
    struct evidence e = start(&dc, -1);
    struct evidence_step s;
    (void)read_at(&e, 0, 0);
    (void)read_at(&e, 4, KWH);
    const struct evidence_record r = {.start_ms = 1000000,
                                      .end_ms = 1000000 + 4 * MIN,
                                      .meter_start_mwh = -1,
                                      .meter_end_mwh = -1,
                                      .energy_mwh = 4 * KWH,
                                      .class_mwh = {4 * KWH}};
    evidence_settle_record(&e, &dc, &r, &s);
    assert_int_equal(e.energy_mwh, 4 * KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

static void test_jump_is_disputed(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)read_at(&e, 2, LIFETIME + 900 * KWH);
    struct evidence_step s = read_at(&e, 3, LIFETIME + 901 * KWH);
    assert_int_equal(s.delta_mwh, KWH);
    assert_int_equal(s.from_ms, 1000000 + 2 * MIN);
    (void)stop_at(&e, 4, LIFETIME + 902 * KWH);
    assert_int_equal(e.energy_mwh, 3 * KWH);
    assert_int_equal(e.doubt, DOUBT_IMPLAUSIBLE);
    assert_int_equal(e.doubt_mwh, 899 * KWH);
}

/* Two readings agreed on a jump, but the stop says that nothing of it flowed: no doubt is left. */
static void test_jump_contradicted(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)read_at(&e, 2, LIFETIME + 500 * KWH);
    (void)read_at(&e, 3, LIFETIME + 500 * KWH);
    assert_int_equal(e.doubt_mwh, 499 * KWH);
    (void)stop_at(&e, 4, LIFETIME + KWH);
    assert_int_equal(e.energy_mwh, KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
    assert_int_equal(e.doubt_mwh, 0);
    /* A stop between the two leaves what lies between. */
    e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)read_at(&e, 2, LIFETIME + 500 * KWH);
    (void)read_at(&e, 3, LIFETIME + 500 * KWH);
    (void)stop_at(&e, 4, LIFETIME + 3 * KWH);
    assert_true(e.energy_mwh + e.doubt_mwh <= 3 * KWH);
    assert_true(e.energy_mwh >= KWH);
}

/* The reading that agrees with the suspect bears an earlier time: the step ends where it began. */
static void test_jump_with_a_clock_that_goes_back(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)read_at(&e, 3, LIFETIME + 900 * KWH);
    struct evidence_step s = read_at(&e, 2, LIFETIME + 900 * KWH + 20000);
    assert_int_equal(s.delta_mwh, 20000);
    assert_int_equal(s.from_ms, 1000000 + 3 * MIN);
    assert_int_equal(s.to_ms, s.from_ms);
    assert_int_equal(s.flags, EV_IMPLAUSIBLE | EV_CLOCK);
    assert_int_equal(e.last_ms, s.to_ms);
    assert_int_equal(e.doubt_mwh, 899 * KWH);
}

static void test_register_falls_a_little(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    struct evidence_step s = read_at(&e, 2, LIFETIME + KWH - 10000);
    assert_int_equal(s.flags, EV_BACKWARDS);
    assert_int_equal(s.delta_mwh, 0);
    s = read_at(&e, 3, LIFETIME + KWH + 5000);
    assert_int_equal(s.delta_mwh, 5000);
}

static void test_register_restarts(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 1, LIFETIME + KWH);
    struct evidence_step s = read_at(&e, 2, KWH / 2);
    assert_int_equal(s.flags, EV_RESET);
    assert_int_equal(s.delta_mwh, KWH / 2);
    assert_false(s.learn_session);
    s = stop_at(&e, 3, KWH);
    assert_int_equal(e.energy_mwh, 2 * KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

static void test_register_rolls_over(void **state)
{
    (void)state;
    struct evidence e = start(&dc, 100000 * KWH - KWH);
    struct evidence_step s = read_at(&e, 1, KWH / 2);
    assert_int_equal(s.flags, EV_ROLLOVER);
    assert_int_equal(s.delta_mwh, 3 * KWH / 2);
    (void)stop_at(&e, 2, KWH);
    assert_int_equal(e.energy_mwh, 2 * KWH);
    e = start(&dc, INT64_C(4294967296000) - KWH);
    (void)stop_at(&e, 2, KWH);
    assert_int_equal(e.energy_mwh, 2 * KWH);
    assert_int_equal(e.flags, EV_ROLLOVER);
}

static void test_stop_below_samples(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 10, LIFETIME + 10 * KWH);
    struct evidence_step s = stop_at(&e, 11, LIFETIME + 7 * KWH);
    assert_int_equal(e.energy_mwh, 7 * KWH);
    assert_int_equal(s.delta_mwh, -3 * KWH);
    assert_int_equal(e.doubt, DOUBT_STOP_MISMATCH);
    assert_int_equal(e.doubt_mwh, 3 * KWH);
    e = start(&dc, LIFETIME); /* the stop is only rounded: no doubt, the lower counts */
    (void)read_at(&e, 10, LIFETIME + 10 * KWH);
    (void)stop_at(&e, 11, LIFETIME + 10 * KWH - 40000);
    assert_int_equal(e.energy_mwh, 10 * KWH - 40000);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

static void test_stop_far_above_samples(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 10, LIFETIME + 10 * KWH);
    (void)stop_at(&e, 11, LIFETIME + 60 * KWH);
    assert_int_equal(e.energy_mwh, 10 * KWH);
    assert_int_equal(e.doubt, DOUBT_STOP_MISMATCH);
    assert_int_equal(e.doubt_mwh, 50 * KWH);
}

static void test_stop_of_zero(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)read_at(&e, 10, LIFETIME + 10 * KWH);
    (void)stop_at(&e, 11, 0);
    assert_int_equal(e.energy_mwh, 10 * KWH);
    assert_int_equal(e.flags, EV_STOP_MISMATCH);
    e = start(&dc, LIFETIME);
    (void)stop_at(&e, 11, 0);
    assert_int_equal(e.energy_mwh, 0);
    assert_int_equal(e.doubt, DOUBT_NO_STOP);
}

static void test_no_start_register(void **state)
{
    (void)state;
    struct evidence e = start(&dc, -1);
    struct evidence_step s = read_at(&e, 1, LIFETIME);
    assert_true(s.accepted);
    assert_int_equal(s.flags, EV_NO_START);
    (void)stop_at(&e, 5, LIFETIME + 2 * KWH);
    assert_int_equal(e.energy_mwh, 2 * KWH);
    e = start(&dc, -1);
    (void)stop_at(&e, 5, LIFETIME);
    assert_int_equal(e.energy_mwh, 0);
    assert_int_equal(e.doubt, DOUBT_NO_STOP);
}

static void test_nothing_after_the_stop(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    (void)stop_at(&e, 5, LIFETIME + 2 * KWH);
    struct evidence_step s = read_at(&e, 6, LIFETIME + 3 * KWH);
    assert_false(s.accepted);
    assert_int_equal(s.flags, EV_AFTER_STOP);
    s = stop_at(&e, 7, LIFETIME + 4 * KWH);
    assert_int_equal(s.delta_mwh, 0);
    assert_int_equal(e.energy_mwh, 2 * KWH);
}

/* steve 292, 235: transactions that never stop. */
static void test_defect_never_stops(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    struct evidence_step s;
    (void)read_at(&e, 5, LIFETIME + 2 * KWH);
    evidence_close(&e, &s);
    assert_int_equal(e.energy_mwh, 2 * KWH);
    assert_int_equal(s.delta_mwh, 0);
    assert_true(e.ended);
}

static void test_gap_is_flagged(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    struct evidence_step s = read_at(&e, 60, LIFETIME + 90 * KWH);
    assert_int_equal(s.flags, EV_GAP);
    assert_int_equal(s.delta_mwh, 90 * KWH);
}

static void test_clock(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME);
    uint32_t flags = 0;
    assert_int_equal(evidence_time(&e, 2000000, 1990000, false, &flags), 1990000);
    assert_int_equal(evidence_time(&e, 2000000, 0, false, &flags), 2000000);
    assert_int_equal(flags, 0);
    assert_int_equal(evidence_time(&e, 2000000, 2000000 + 8 * 60 * MIN, false, &flags), 2000000);
    assert_int_equal(flags, EV_CLOCK);
    flags = 0;
    assert_int_equal(evidence_time(&e, 90000000, 1500000, true, &flags), 1500000);
    assert_int_equal(flags, 0);
    assert_int_equal(evidence_time(&e, 90000000, 99000000, true, &flags), 90000000);
    assert_int_equal(evidence_time(&e, 90000000, 5, true, &flags), 1000000);
    assert_int_equal(flags, EV_CLOCK);
}

static void test_restart_goes_on(void **state)
{
    (void)state;
    struct evidence e = start(&dc, LIFETIME), again;
    (void)read_at(&e, 1, LIFETIME + KWH);
    (void)read_at(&e, 2, LIFETIME + 900 * KWH);
    assert_true(e.credit_mwh > 0 && e.suspect_mwh > 0 && e.samples == 1);
    struct row_session s = {.meter_start = e.start_mwh,
                            .meter_last = e.last_mwh,
                            .energy_mwh = e.energy_mwh,
                            .start_ms = e.start_ms,
                            .last_ms = e.last_ms,
                            .evidence = (int32_t)e.flags,
                            .check_n = e.samples,
                            .suspect_mwh = e.suspect_mwh,
                            .suspect_ms = e.suspect_ms,
                            .credit_mwh = e.credit_mwh,
                            .state = SESSION_OPEN};
    struct row_orders o = {.doubt = e.doubt, .doubt_mwh = e.doubt_mwh};
    evidence_load(&again, &s, &o);
    assert_memory_equal(&e, &again, offsetof(struct evidence, ended));
    assert_int_equal(e.ended, again.ended);
}

static struct evidence_record record(int64_t total)
{
    return (struct evidence_record){.start_ms = 1000000,
                                    .end_ms = 1000000 + 30 * MIN,
                                    .meter_start_mwh = LIFETIME,
                                    .meter_end_mwh = LIFETIME + total,
                                    .energy_mwh = total,
                                    .class_mwh = {0, total / 2, total - total / 2, 0}};
}

static void test_record(void **state)
{
    (void)state;
    struct evidence_step s;
    struct evidence e;
    struct evidence_record r = record(20 * KWH);
    evidence_start(&e, &session_counter, 1000000, -1);
    evidence_reading(&e, &session_counter, 1000000 + 29 * MIN, 19 * KWH, &s);
    evidence_settle_record(&e, &session_counter, &r, &s);
    assert_int_equal(e.energy_mwh, 20 * KWH);
    assert_int_equal(s.delta_mwh, KWH);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

static void test_record_contradicts(void **state)
{
    (void)state;
    struct evidence_step s;
    struct evidence e;
    struct evidence_record r = record(20 * KWH);
    r.class_mwh[2] = 5 * KWH; /* classes sum to 15 */
    evidence_start(&e, &session_counter, 1000000, -1);
    evidence_settle_record(&e, &session_counter, &r, &s);
    assert_int_equal(e.energy_mwh, 15 * KWH);
    assert_int_equal(e.doubt, DOUBT_RECORD_MISMATCH);
    assert_int_equal(e.doubt_mwh, 5 * KWH);
    r = record(200 * KWH); /* more than half an hour of 120 kW */
    evidence_start(&e, &session_counter, 1000000, -1);
    evidence_reading(&e, &session_counter, 1000000 + 29 * MIN, 19 * KWH, &s);
    evidence_settle_record(&e, &session_counter, &r, &s);
    assert_int_equal(e.energy_mwh, 19 * KWH);
    assert_int_equal(e.doubt, DOUBT_IMPLAUSIBLE);
    assert_int_equal(e.doubt_mwh, 181 * KWH);
    r = record(10 * KWH); /* less than was seen live */
    evidence_start(&e, &session_counter, 1000000, -1);
    evidence_reading(&e, &session_counter, 1000000 + 29 * MIN, 19 * KWH, &s);
    evidence_settle_record(&e, &session_counter, &r, &s);
    assert_int_equal(e.energy_mwh, 10 * KWH);
    assert_int_equal(e.doubt_mwh, 9 * KWH);
}

/* A record's total is the most that can still be in doubt. */
static void test_jump_contradicted_by_record(void **state)
{
    (void)state;
    struct evidence_step s;
    struct evidence e;
    struct evidence_record r = record(20 * KWH);
    evidence_start(&e, &session_counter, 1000000, -1);
    evidence_reading(&e, &session_counter, 1000000 + 27 * MIN, 18 * KWH, &s);
    evidence_reading(&e, &session_counter, 1000000 + 28 * MIN, 900 * KWH, &s);
    evidence_reading(&e, &session_counter, 1000000 + 29 * MIN, 900 * KWH, &s);
    assert_int_equal(e.doubt, DOUBT_IMPLAUSIBLE);
    evidence_settle_record(&e, &session_counter, &r, &s);
    assert_int_equal(e.energy_mwh, 20 * KWH);
    assert_int_equal(e.doubt_mwh, 0);
    assert_int_equal(e.doubt, DOUBT_NONE);
}

/** Honest chargers of random power: billed to the milliwatt-hour, never a doubt. Liars: energy
 * never above power × time. */
static void test_random_sessions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct rng rng = {seed};
        bool honest = seed % 2;
        int64_t meter = rng_range(&rng, 1, 99) * 1000 * KWH + rng_range(&rng, 0, KWH), at = 1000000;
        int64_t first = meter, duration = 0;
        struct evidence e;
        struct evidence_step s;
        int64_t energy = 0;
        evidence_start(&e, &dc, at, meter);
        for (int i = (int)rng_below(&rng, 60); i > 0; i--) {
            int64_t dt = rng_range(&rng, 1000, 120000);
            at += dt;
            duration += dt;
            meter += dt * rng_range(&rng, 0, 120000) / 3600;
            int64_t told = meter;
            if (!honest && rng_below(&rng, 4) == 0)
                told = rng_range(&rng, 0, rng_below(&rng, 2) ? 2 * meter : 2 * KWH);
            evidence_reading(&e, &dc, at, told, &s);
            assert_true(s.delta_mwh >= 0 && s.from_ms <= s.to_ms);
            energy += s.delta_mwh;
            assert_int_equal(energy, e.energy_mwh);
        }
        evidence_stop(&e, &dc, at, meter, &s);
        energy += s.delta_mwh;
        assert_int_equal(energy, e.energy_mwh);
        assert_true(e.energy_mwh >= 0 && e.doubt_mwh >= 0);
        if (honest) {
            assert_int_equal(e.energy_mwh, meter - first);
            assert_int_equal(e.doubt, DOUBT_NONE);
        } else {
            assert_true(e.energy_mwh <= evidence_energy_max(&dc, duration) + 62 * 50000);
        }
    }
}

int money_evidence_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_session),
        cmocka_unit_test(test_defect_placeholder_start),
        cmocka_unit_test(test_defect_placeholder_start_without_samples),
        cmocka_unit_test(test_defect_negative_energy),
        cmocka_unit_test(test_defect_mixed_registers),
        cmocka_unit_test(test_stop_counts_the_session),
        cmocka_unit_test(test_spike_is_forgotten),
        cmocka_unit_test(test_jump_is_disputed),
        cmocka_unit_test(test_late_readings_come_at_once),
        cmocka_unit_test(test_late_record),
        cmocka_unit_test(test_late_stop),
        cmocka_unit_test(test_credit_ends),
        cmocka_unit_test(test_jump_contradicted),
        cmocka_unit_test(test_jump_contradicted_by_record),
        cmocka_unit_test(test_jump_with_a_clock_that_goes_back),
        cmocka_unit_test(test_register_falls_a_little),
        cmocka_unit_test(test_register_restarts),
        cmocka_unit_test(test_register_rolls_over),
        cmocka_unit_test(test_stop_below_samples),
        cmocka_unit_test(test_stop_far_above_samples),
        cmocka_unit_test(test_stop_of_zero),
        cmocka_unit_test(test_no_start_register),
        cmocka_unit_test(test_nothing_after_the_stop),
        cmocka_unit_test(test_defect_never_stops),
        cmocka_unit_test(test_gap_is_flagged),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_restart_goes_on),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_contradicts),
        cmocka_unit_test(test_random_sessions),
    };
    return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
