// SPDX-License-Identifier: Apache-2.0
/* core_occupancy_bill.c: rules of occupancy fees and what they make of spans: windows, days of 23
 * and 25 hours, rounding, caps, and the rules that cannot be. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/occupancy.h"
#include "world.h"

#define MIN    INT64_C(60000)
#define HOUR   (60 * MIN)
#define DAY_MS (24 * HOUR)
#define FEN(n) ((n) * (int64_t)MONEY_FEN)

/* ---- rules and bills, without a world ---- */

/* 08:00–20:00 at 0.50, 22:00–02:00 at 0.25, all else free. */
static struct occ_rule two_windows(void)
{
    return (struct occ_rule){.row = {.name = "r", .cap_order = FEN(100000)},
                             .n = 2,
                             .window = {{.from_min = 480, .to_min = 1200, .price = 5000},
                                        {.from_min = 1320, .to_min = 120, .price = 2500}}};
}

static void bill(const struct occ_rule *r, const struct zone *z, int64_t from, int64_t to,
                 struct occ_bill *b)
{
    const struct occ_span s = {from, to};
    occ_bill_make(r, z, &s, 1, b);
}

static void test_windows(void **state)
{
    struct zone *z;
    struct occ_bill b;
    const struct occ_rule r = two_windows();
    (void)state;
    assert_int_equal(zone_fixed(8 * 3600, &z), 0);
    int64_t midnight = T0 - 8 * HOUR; /* local */
    bill(&r, z, midnight + 7 * HOUR, midnight + 8 * HOUR, &b);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.total, 0);
    bill(&r, z, midnight + 7 * HOUR, midnight + 8 * HOUR + 10 * MIN + 59999, &b);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.line[0].minutes, 10); /* the begun minute is free */
    assert_int_equal(b.total, 50000);
    /* The whole day and a half from 19:00: 1 h at 0.50, 4 h at 0.25, 12 h at 0.50 … */
    bill(&r, z, midnight + 19 * HOUR, midnight + 32 * HOUR + 30 * MIN, &b);
    assert_int_equal(b.n, 4); /* the night is two lines: the day changes in it */
    assert_int_equal(b.line[1].to_ms, midnight + DAY_MS);
    assert_int_equal(b.total, 60 * 5000 + 240 * 2500 + 30 * 5000);
    zone_free(z);
}

static void test_rounding(void **state)
{
    struct occ_rule r = two_windows();
    struct occ_bill b;
    (void)state;
    r.window[0].price = 333; /* 3.33 fen a minute */
    bill(&r, NULL, T0 + 9 * HOUR, T0 + 9 * HOUR + 5 * MIN, &b);
    assert_int_equal(b.total, 1700); /* 16.65 fen: half up, once */
    r.window[0].price = 330;
    bill(&r, NULL, T0 + 9 * HOUR, T0 + 9 * HOUR + 5 * MIN, &b);
    assert_int_equal(b.total, 1700); /* 16.5 */
}

static void test_caps(void **state)
{
    struct occ_rule r = two_windows();
    struct occ_bill b;
    (void)state;
    r.row.cap_day = FEN(1000);
    r.row.cap_order = FEN(1500);
    bill(&r, NULL, T0 + 8 * HOUR, T0 + 20 * HOUR, &b);
    assert_int_equal(b.sum, 720 * 5000);
    assert_int_equal(b.total, FEN(1000));
    bill(&r, NULL, T0 + 8 * HOUR, T0 + DAY_MS + 8 * HOUR + 2 * MIN, &b);
    assert_int_equal(b.total, FEN(1500)); /* the second day's night alone is more than the rest */
    r.row.cap_order = 0;
    bill(&r, NULL, T0 + 8 * HOUR, T0 + DAY_MS + 8 * HOUR + 2 * MIN, &b);
    assert_int_equal(b.total, FEN(2000));
}

/* Europe/Berlin in 2026: 29 March 02:00 → 03:00, 25 October 03:00 → 02:00. */
static struct zone *berlin(void)
{
    static const char footer[] = "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
    char bytes[200] = {0};
    size_t n = 0;
    for (int part = 0; part < 2; part++) {
        char head[44] = "TZif2";
        head[39] = 1; /* one type */
        head[43] = 4; /* characters */
        memcpy(bytes + n, head, sizeof head);
        n += sizeof head;
        memcpy(bytes + n,
               "\0\0\x0e\x10\0\0"
               "CET",
               10);
        n += 10;
    }
    memcpy(bytes + n, footer, sizeof footer - 1);
    struct zone *z;
    assert_int_equal(zone_parse(str_from(bytes, n + sizeof footer - 1), &z), 0);
    return z;
}

static int64_t at(const struct zone *z, int8_t month, int8_t day, int8_t hour)
{
    const struct civil c = {.year = 2026, .month = month, .day = day, .hour = hour};
    return zone_instant(z, &c);
}

static void test_clock_changes(void **state)
{
    struct zone *z = berlin();
    struct occ_bill b;
    struct occ_rule r = two_windows();
    (void)state;
    r.n = 1;
    r.window[0] = (struct row_occupancy_window){.from_min = 0, .to_min = 240, .price = 100};
    bill(&r, z, at(z, 3, 28, 22), at(z, 3, 29, 12), &b);
    assert_int_equal(b.total, FEN(180)); /* three hours, for one is missing */
    bill(&r, z, at(z, 10, 24, 22), at(z, 10, 25, 12), &b);
    assert_int_equal(b.total, FEN(300)); /* five */
    r.window[0] = (struct row_occupancy_window){.from_min = 150, .to_min = 160, .price = 100};
    bill(&r, z, at(z, 3, 28, 22), at(z, 3, 29, 12), &b);
    assert_int_equal(b.total, 0); /* those minutes were not */
    bill(&r, z, at(z, 10, 24, 22), at(z, 10, 25, 12), &b);
    assert_int_equal(b.total, FEN(20)); /* those were twice */
    r.window[0] = (struct row_occupancy_window){.from_min = 1439, .to_min = 1, .price = 100};
    bill(&r, z, at(z, 10, 24, 22), at(z, 10, 25, 12), &b);
    assert_int_equal(b.total, FEN(2));
    zone_free(z);
}

static void test_rule_bounds(void **state)
{
    struct occ_rule r = two_windows();
    (void)state;
    assert_int_equal(occ_rule_check(&r), 0);
    r.window[1].to_min = 481; /* over the night into the morning's */
    assert_int_equal(occ_rule_check(&r), ERR_CONFLICT);
    static const struct row_occupancy_window bad[] = {
        {.from_min = -1, .to_min = 10, .price = 1},
        {.from_min = 5, .to_min = 5, .price = 1},
        {.from_min = 0, .to_min = 1441, .price = 1},
        {.from_min = 1440, .to_min = 5, .price = 1},
        {.from_min = 0, .to_min = 10, .price = 0},
        {.from_min = 0, .to_min = 10, .price = OCC_PRICE_MAX + 1}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        r = two_windows();
        r.window[0] = bad[i];
        assert_int_equal(occ_rule_check(&r), ERR_RANGE);
    }
    r = two_windows();
    r.row.cap_order = 0;
    assert_int_equal(occ_rule_check(&r), ERR_RANGE); /* without any bound */
    r.row.cap_day = 50;
    assert_int_equal(occ_rule_check(&r), ERR_RANGE); /* half a fen */
    r = two_windows();
    r.row.near_min = 1; /* longer than the free time */
    assert_int_equal(occ_rule_check(&r), ERR_RANGE);
    r = two_windows();
    r.n = 0;
    assert_int_equal(occ_rule_check(&r), ERR_REQUIRED);
}

int core_occupancy_bill(void);
int core_occupancy_bill(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),     cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_caps),        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_rule_bounds),
    };
    return cmocka_run_group_tests_name("core: occupancy bills", tests, NULL, NULL);
}
