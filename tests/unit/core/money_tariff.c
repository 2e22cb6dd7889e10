// SPDX-License-Identifier: Apache-2.0
/* Tariffs: prices by local wall time through days of 23 and 25 hours, validation, and the export to
 * four classes. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "core/tariff.h"
#include "unit/core/money.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

static struct arena arena;

static struct row_tariff_slice slice(int32_t plan, int32_t from_min, const char *label,
                                     int64_t elec, int64_t service)
{
    return (struct row_tariff_slice){.tariff = 1,
                                     .plan = plan,
                                     .from_min = from_min,
                                     .label = label,
                                     .elec_e5 = elec,
                                     .service_e5 = service};
}

static const struct row_tariff tariff_row = {.id = 1, .tenant = 1, .family = 1, .name = "t"};
static const struct row_tariff_day all_days = {
    .tariff = 1, .first_mmdd = 101, .last_mmdd = 1231, .weekdays = 127, .plan = 1};

static int build(const struct row_tariff_slice *s, size_t n, struct tariff **out)
{
    return tariff_build(&arena, &tariff_row, &all_days, 1, s, n, out);
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct civil c = {.year = year,
                      .month = (int8_t)month,
                      .day = (int8_t)day,
                      .hour = (int8_t)hour,
                      .minute = (int8_t)minute};
    return civil_to_ms(&c);
}

static void put_be32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (24 - 8 * i));
}

/** Central European Time by its rule alone: a TZif file without transitions. */
static struct zone *zone_cet(void)
{
    static const char footer[] = "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
    char file[256] = {0};
    size_t n = 0;
    for (int half = 0; half < 2; half++) {
        memcpy(file + n, "TZif2", 5);
        put_be32(file + n + 36, 1); /* one type */
        put_be32(file + n + 40, 4); /* four characters */
        n += 44;
        put_be32(file + n, 3600);
        memcpy(file + n + 6, "CET", 4);
        n += 10;
    }
    memcpy(file + n, footer, sizeof footer - 1);
    n += sizeof footer - 1;
    struct zone *z;
    assert_int_equal(zone_parse(str_from(file, n), &z), 0);
    return z;
}

static void test_price_by_local_time(void **state)
{
    (void)state;
    const struct row_tariff_slice s[] = {slice(1, 480, "峰", 90000, 40000),
                                         slice(1, 0, "谷", 30000, 40000),
                                         slice(1, 1320, "谷", 30000, 40000)};
    struct tariff *t;
    struct zone *z;
    struct tariff_price p;
    assert_int_equal(build(s, 3, &t), 0);
    assert_int_equal(zone_fixed(8 * 3600, &z), 0);
    int64_t midnight = at(2026, 11, 22, 16, 0); /* 00:00 of the 23rd in UTC+8 */
    tariff_price_at(t, z, midnight, &p);
    assert_string_equal(p.label, "谷");
    assert_int_equal(p.elec_e5, 30000);
    assert_int_equal(p.service_e5, 40000);
    assert_int_equal(p.end_ms, midnight + 8 * HOUR);
    tariff_price_at(t, z, midnight + 8 * HOUR - 1, &p);
    assert_string_equal(p.label, "谷");
    assert_int_equal(p.end_ms, midnight + 8 * HOUR);
    tariff_price_at(t, z, midnight + 8 * HOUR, &p);
    assert_string_equal(p.label, "峰");
    assert_int_equal(p.end_ms, midnight + 22 * HOUR);
    assert_int_equal(tariff_price_max(t, z, midnight, midnight + 8 * HOUR - 1), 70000);
    assert_int_equal(tariff_price_max(t, z, midnight, midnight + 8 * HOUR), 130000);
    assert_int_equal(tariff_price_max(t, z, midnight + 22 * HOUR, midnight + 22 * HOUR), 70000);
    zone_free(z);
}

static void test_calendar_first_match_wins(void **state)
{
    (void)state;
    const struct row_tariff_slice s[] = {slice(1, 0, "a", 1, 0), slice(2, 0, "b", 2, 0),
                                         slice(3, 0, "c", 3, 0)};
    const struct row_tariff_day days[] = {
        {.seq = 3, .first_mmdd = 101, .last_mmdd = 1231, .weekdays = 127, .plan = 1},
        {.seq = 1,
         .first_mmdd = 1215,
         .last_mmdd = 115,
         .weekdays = 127,
         .plan = 2}, /* over New Year */
        {.seq = 2, .first_mmdd = 101, .last_mmdd = 1231, .weekdays = 65, .plan = 3}}; /* weekend */
    struct tariff *t;
    struct tariff_price p;
    assert_int_equal(tariff_build(&arena, &tariff_row, days, 3, s, 3, &t), 0);
    tariff_price_at(t, NULL, at(2026, 12, 31, 12, 0), &p);
    assert_string_equal(p.label, "b");
    tariff_price_at(t, NULL, at(2026, 1, 15, 23, 59), &p);
    assert_string_equal(p.label, "b");
    assert_int_equal(p.end_ms, at(2026, 1, 16, 0, 0));
    tariff_price_at(t, NULL, at(2026, 1, 16, 0, 0), &p); /* a Friday */
    assert_string_equal(p.label, "a");
    tariff_price_at(t, NULL, at(2026, 1, 17, 0, 0), &p); /* a Saturday */
    assert_string_equal(p.label, "c");
}

/** Sum of all piece lengths of a day, by label of the hour. */
static void walk_day(const struct tariff *t, const struct zone *z, int64_t from, int64_t to,
                     int64_t by_label[8])
{
    struct tariff_price p;
    memset(by_label, 0, 8 * sizeof by_label[0]);
    for (int64_t ms = from; ms < to; ms = p.end_ms) {
        tariff_price_at(t, z, ms, &p);
        assert_true(p.end_ms > ms);
        int64_t end = p.end_ms < to ? p.end_ms : to;
        by_label[p.label_i] += end - ms;
    }
}

static void test_days_of_23_and_25_hours(void **state)
{
    (void)state;
    const struct row_tariff_slice s[] = {slice(1, 0, "n", 1, 0), slice(1, 120, "x", 2, 0),
                                         slice(1, 180, "d", 3, 0)};
    struct tariff *t;
    struct zone *z = zone_cet();
    int64_t sums[8];
    assert_int_equal(build(s, 3, &t), 0);
    walk_day(t, z, at(2026, 3, 28, 23, 0), at(2026, 3, 29, 22, 0),
             sums); /* 02:00 to 03:00 is skipped */
    assert_int_equal(sums[0], 2 * HOUR);
    assert_int_equal(sums[1], 0);
    assert_int_equal(sums[2], 21 * HOUR);
    walk_day(t, z, at(2026, 10, 24, 22, 0), at(2026, 10, 25, 23, 0),
             sums); /* 02:00 to 03:00 comes twice */
    assert_int_equal(sums[0], 2 * HOUR);
    assert_int_equal(sums[1], 2 * HOUR);
    assert_int_equal(sums[2], 21 * HOUR);
    zone_free(z);
}

/** Slices that begin inside the hour that comes twice: wall time decides, twice. */
static void test_slice_edge_in_the_doubled_hour(void **state)
{
    (void)state;
    const struct row_tariff_slice s[] = {slice(1, 0, "n", 1, 0), slice(1, 150, "d", 3, 0)};
    struct tariff *t;
    struct tariff_price p;
    struct zone *z = zone_cet();
    int64_t sums[8], two = at(2026, 10, 25, 0, 0); /* 02:00 CEST */
    assert_int_equal(build(s, 2, &t), 0);
    tariff_price_at(t, z, two + HOUR / 2, &p);
    assert_string_equal(p.label, "d");
    assert_int_equal(p.end_ms, two + HOUR); /* the clocks go back */
    tariff_price_at(t, z, two + HOUR, &p);
    assert_string_equal(p.label, "n");
    assert_int_equal(p.end_ms, two + HOUR + HOUR / 2);
    walk_day(t, z, at(2026, 10, 24, 22, 0), at(2026, 10, 25, 23, 0), sums);
    assert_int_equal(sums[0], 3 * HOUR);
    assert_int_equal(sums[1], 22 * HOUR);
    zone_free(z);
}

static void test_build_refuses(void **state)
{
    (void)state;
    struct tariff *t;
    struct row_tariff_slice s[100];
    s[0] = slice(1, 30, "a", 1, 1);
    assert_int_equal(build(s, 1, &t), ERR_RANGE); /* does not begin at 0 */
    s[0] = slice(1, 0, "a", -1, 1);
    assert_int_equal(build(s, 1, &t), ERR_RANGE);
    s[0] = slice(1, 0, "a", 1, TARIFF_PRICE_MAX + 1);
    assert_int_equal(build(s, 1, &t), ERR_RANGE);
    s[0] = slice(1, 0, "a", 1, 1);
    s[1] = slice(1, 1440, "a", 1, 1);
    assert_int_equal(build(s, 2, &t), ERR_RANGE);
    s[1] = slice(1, 0, "b", 1, 1);
    assert_int_equal(build(s, 2, &t), ERR_CONFLICT);
    for (int i = 0; i < 97; i++)
        s[i] = slice(1, i * 14, "a", 1, 1);
    assert_int_equal(build(s, 97, &t), ERR_RANGE);
    assert_int_equal(build(s, 96, &t), 0);
    struct row_tariff_day day = all_days;
    day.plan = 2;
    assert_int_equal(tariff_build(&arena, &tariff_row, &day, 1, s, 1, &t), ERR_NOT_FOUND);
    day = all_days;
    day.last_mmdd = 1230;
    assert_int_equal(tariff_build(&arena, &tariff_row, &day, 1, s, 1, &t), ERR_REQUIRED);
    day.last_mmdd = 1232;
    assert_int_equal(tariff_build(&arena, &tariff_row, &day, 1, s, 1, &t), ERR_RANGE);
    day = all_days;
    day.weekdays = 126; /* no Sundays */
    assert_int_equal(tariff_build(&arena, &tariff_row, &day, 1, s, 1, &t), ERR_REQUIRED);
    assert_int_equal(tariff_build(&arena, &tariff_row, &day, 0, s, 1, &t), ERR_REQUIRED);
    assert_int_equal(tariff_build(&arena, &tariff_row, &all_days, 1, s, 0, &t), ERR_RANGE);
    struct arena tiny;
    arena_init(&tiny, 64);
    assert_int_equal(tariff_build(&tiny, &tariff_row, &all_days, 1, s, 1, &t), ERR_NOMEM);
    arena_free(&tiny);
}

static void test_four_classes(void **state)
{
    (void)state;
    const struct row_tariff_slice s[] = {
        slice(1, 0, "谷", 30000, 40000),    slice(1, 420, "平", 60000, 40000),
        slice(1, 600, "峰", 100000, 40000), slice(1, 690, "尖", 120000, 40000),
        slice(1, 720, "平", 60000, 40000),
    };
    struct tariff *t;
    struct zone *z;
    struct tariff_classes c;
    assert_int_equal(build(s, 5, &t), 0);
    assert_int_equal(zone_fixed(8 * 3600, &z), 0);
    assert_int_equal(tariff_classes_of_day(t, z, at(2026, 11, 22, 12, 0), &c), 0);
    assert_int_equal(c.elec_e5[0], 120000);
    assert_int_equal(c.elec_e5[1], 100000);
    assert_int_equal(c.elec_e5[2], 60000);
    assert_int_equal(c.elec_e5[3], 30000);
    assert_int_equal(c.slot[0], 3);
    assert_int_equal(c.slot[13], 3);
    assert_int_equal(c.slot[14], 2);
    assert_int_equal(c.slot[20], 1);
    assert_int_equal(c.slot[23], 0);
    assert_int_equal(c.slot[24], 2);
    assert_int_equal(c.slot[47], 2);
    assert_int_equal(c.from_ms, at(2026, 11, 21, 16, 0));
    assert_int_equal(c.until_ms, at(2026, 11, 22, 16, 0));
    zone_free(z);
}

static void test_classes_of_other_labels(void **state)
{
    (void)state;
    const struct row_tariff_slice s[] = {slice(1, 0, "深谷", 20000, 40000),
                                         slice(1, 300, "谷", 30000, 40000),
                                         slice(1, 600, "day", 70000, 40000)};
    struct tariff *t;
    struct tariff_classes c;
    assert_int_equal(build(s, 3, &t), 0);
    assert_int_equal(tariff_classes_of_day(t, NULL, 0, &c), 0);
    assert_int_equal(c.slot[0], 0);
    assert_int_equal(c.slot[10], 3);
    assert_int_equal(c.slot[20], 1);
    assert_int_equal(c.label[2], -1);
    assert_int_equal(c.elec_e5[2], 70000); /* nobody can be undercharged by a stray half hour */
    const struct row_tariff_slice one[] = {slice(1, 0, "", 50000, 0)};
    assert_int_equal(build(one, 1, &t), 0);
    assert_int_equal(tariff_classes_of_day(t, NULL, 0, &c), 0);
    assert_int_equal(c.elec_e5[3], 50000);
}

static void test_classes_refuse(void **state)
{
    (void)state;
    const struct row_tariff_slice odd[] = {slice(1, 0, "a", 1, 0), slice(1, 45, "b", 2, 0)};
    struct row_tariff_slice five[5];
    struct tariff *t;
    struct tariff_classes c;
    assert_int_equal(build(odd, 2, &t), 0);
    assert_int_equal(tariff_classes_of_day(t, NULL, 0, &c), ERR_UNSUPPORTED);
    for (int i = 0; i < 5; i++)
        five[i] = slice(1, i * 60, "a", i, 0);
    assert_int_equal(build(five, 5, &t), 0);
    assert_int_equal(tariff_classes_of_day(t, NULL, 0, &c), ERR_UNSUPPORTED);
}

/** Pieces of any random tariff tile time without gaps, and each instant has the price of its
 * wall-clock minute. */
static void test_random_tariffs_tile_time(void **state)
{
    (void)state;
    struct zone *z = zone_cet();
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rng rng = {seed};
        struct row_tariff_slice s[96];
        size_t n = 0;
        for (int32_t min = 0; min < 1440 && n < 96; min += (int32_t)rng_range(&rng, 1, 200)) {
            s[n] = slice(1, min, "l", (int64_t)n + 1, 0);
            n++;
        }
        struct tariff *t;
        struct tariff_price p;
        assert_int_equal(build(s, n, &t), 0);
        int64_t ms = at(2026, 3, 27, 0, 0) + rng_range(&rng, 0, DAY), end = at(2026, 3, 31, 0, 0);
        for (; ms < end; ms = p.end_ms) {
            tariff_price_at(t, z, ms, &p);
            int64_t in = rng_range(&rng, ms, p.end_ms - 1);
            struct civil c;
            zone_civil(z, in, &c);
            size_t i = n - 1;
            while (s[i].from_min > c.hour * 60 + c.minute)
                i--;
            assert_int_equal(p.elec_e5, s[i].elec_e5);
        }
        arena_reset(&arena);
    }
    zone_free(z);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 24);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int money_tariff_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_price_by_local_time),
        cmocka_unit_test(test_calendar_first_match_wins),
        cmocka_unit_test(test_days_of_23_and_25_hours),
        cmocka_unit_test(test_slice_edge_in_the_doubled_hour),
        cmocka_unit_test(test_build_refuses),
        cmocka_unit_test(test_four_classes),
        cmocka_unit_test(test_classes_of_other_labels),
        cmocka_unit_test(test_classes_refuse),
        cmocka_unit_test(test_random_tariffs_tile_time),
    };
    return cmocka_run_group_tests_name("tariff", tests, setup, teardown);
}
