// SPDX-License-Identifier: Apache-2.0
/* test_time.c: calendar and zones. The constants of the zones were computed with date(1). */
#include "test_base.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/zone.h"

#include <stdio.h>
#include <unistd.h>

static int64_t at(const char *text)
{
    int64_t ms;
    assert_int_equal(time_parse(str_from_c(text), &ms), 0);
    return ms;
}

static void every_day_of_eight_centuries(void **state)
{
    (void)state;
    static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = civil_days(1600, 1, 1);
    assert_int_equal(civil_days(1970, 1, 1), 0);
    for (int y = 1600; y < 2400; y++) {
        bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        for (int m = 1; m <= 12; m++) {
            for (int d = 1; d <= lengths[m - 1] + (leap && m == 2); d++, days++) {
                struct civil c;
                civil_from_ms(days * 86400000 + 86399999, &c);
                assert_true(c.year == y && c.month == m && c.day == d && c.hour == 23);
                assert_true(c.minute == 59 && c.second == 59 && c.ms == 999);
                assert_true(civil_days(y, m, d) == days);
                assert_int_equal(c.weekday, ((days + 4) % 7 + 7) % 7);
                assert_true(civil_to_ms(&c) == days * 86400000 + 86399999);
            }
        }
    }
}

static void times_as_chargers_write_them(void **state)
{
    (void)state;
    const int64_t want = INT64_C(1795383270000); /* date -u -d '2026-11-22 21:34:30' +%s */
    assert_true(at("2026-11-22T21:34:30Z") == want);
    assert_true(at("2026-11-22T21:34:30.1Z") == want + 100);
    assert_true(at("2026-11-22T21:34:30.123456789Z") == want + 123);
    assert_true(at("2026-11-22 21:34:30") == want);
    assert_true(at("2026-11-22t21:34:30z") == want);
    assert_true(at("2026-11-23T05:34:30+08:00") == want);
    assert_true(at("2026-11-23T05:34:30.0+0800") == want);
    assert_true(at("2026-11-23T05:34:30+08") == want);
    assert_true(at("2026-11-22T16:04:30-05:30") == want);
    assert_true(at("2026-11-22T21:34:60Z") == want + 30000);
    assert_true(at("1969-12-31T23:59:59.999Z") == -1);
    char text[TIME_TEXT_SIZE];
    time_format(want + 123, text);
    assert_string_equal(text, "2026-11-22T21:34:30.123Z");
    time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

static void times_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"", ERR_SYNTAX},
        {"2026-11-22", ERR_SYNTAX},
        {"2026-11-22T21:34", ERR_SYNTAX},
        {"2026-11-22T21:34:30.Z", ERR_SYNTAX},
        {"2026-11-22T21:34:30Zx", ERR_SYNTAX},
        {"2026-11-22T21:34:30+8", ERR_SYNTAX},
        {"2026-11-22T21:34:30+08:", ERR_SYNTAX},
        {"26-11-22T21:34:30Z", ERR_SYNTAX},
        {"2026-13-22T21:34:30Z", ERR_RANGE},
        {"2026-00-22T21:34:30Z", ERR_RANGE},
        {"2026-02-29T21:34:30Z", ERR_RANGE},
        {"1900-02-29T21:34:30Z", ERR_RANGE},
        {"2026-11-00T21:34:30Z", ERR_RANGE},
        {"2026-11-22T24:00:00Z", ERR_RANGE},
        {"2026-11-22T21:60:30Z", ERR_RANGE},
        {"2026-11-22T21:34:61Z", ERR_RANGE},
        {"2026-11-22T21:34:30+24:00", ERR_RANGE},
    };
    int64_t ms = 5;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(time_parse(str_from_c(rows[i].text), &ms), rows[i].err);
    assert_int_equal(ms, 5);
    assert_true(at("2000-02-29T00:00:00Z") > 0);
}

static struct zone *load(const char *name)
{
    char path[128], bytes[8192];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        skip(); /* a machine without tzdata; zone_of() below still covers the rules */
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct zone *z = NULL;
    assert_int_equal(zone_parse(str_from(bytes, n), &z), 0);
    return z;
}

/* The local time, written as if it were UTC, to its instant in seconds. */
static int64_t instant_s(const struct zone *z, const char *local)
{
    struct civil c;
    civil_from_ms(at(local), &c);
    return zone_instant(z, &c) / 1000;
}

static void local_text(const struct zone *z, int64_t s, const char *want)
{
    struct civil c;
    char text[TIME_TEXT_SIZE];
    zone_civil(z, s * 1000, &c);
    time_format(civil_to_ms(&c), text);
    text[19] = 0;
    assert_string_equal(text, want);
}

static void london(void **state)
{
    (void)state;
    struct zone *z = load("Europe/London");
    local_text(z, 1774745999, "2026-03-29T00:59:59");
    local_text(z, 1774746000, "2026-03-29T02:00:00");
    assert_int_equal(instant_s(z, "2026-03-29T01:30:00Z"), 1774746000); /* in the gap */
    assert_int_equal(instant_s(z, "2026-10-25T00:30:00Z"), 1792884600);
    assert_int_equal(instant_s(z, "2026-10-25T01:30:00Z"), 1792888200); /* the first of two */
    local_text(z, 1792888200 + 3600, "2026-10-25T01:30:00");
    assert_int_equal(instant_s(z, "2060-07-01T12:00:00Z"), 2855905200); /* by the footer */
    int64_t spring = instant_s(z, "2026-03-29T00:00:00Z") * 1000;
    int64_t autumn = instant_s(z, "2026-10-25T00:00:00Z") * 1000;
    assert_int_equal(zone_next_midnight(z, spring) - spring, 23 * 3600000);
    assert_int_equal(zone_next_midnight(z, autumn) - autumn, 25 * 3600000);
    assert_int_equal(zone_next_midnight(z, spring - 1), spring);
    zone_free(z);
}

static void shanghai(void **state)
{
    (void)state;
    struct zone *z = load("Asia/Shanghai");
    assert_int_equal(instant_s(z, "2026-07-01T12:00:00Z"), 1782878400);
    assert_int_equal(instant_s(z, "1990-07-01T12:00:00Z"), 646801200); /* summer time then */
    assert_int_equal(zone_offset_s(z, at("2090-07-01T00:00:00Z")), 8 * 3600);
    assert_int_equal(zone_offset_s(z, at("1880-01-01T00:00:00Z")), 8 * 3600 + 343);
    zone_free(z);
}

static void new_york(void **state)
{
    (void)state;
    struct zone *z = load("America/New_York");
    assert_int_equal(instant_s(z, "2026-03-08T01:59:59Z"), 1772953199);
    assert_int_equal(instant_s(z, "2026-03-08T02:00:00Z"), 1772953200);
    assert_int_equal(instant_s(z, "2026-03-08T02:59:59Z"), 1772953200);
    assert_int_equal(instant_s(z, "2026-03-08T03:00:00Z"), 1772953200);
    assert_int_equal(instant_s(z, "2026-11-01T01:30:00Z"), 1793511000);
    local_text(z, 1793514600, "2026-11-01T01:30:00");
    assert_int_equal(instant_s(z, "2026-11-01T02:00:00Z"), 1793516400);
    assert_int_equal(instant_s(z, "1969-07-20T16:17:40Z"), -14182940);
    zone_free(z);
}

static void odd_places(void **state)
{
    (void)state;
    struct zone *apia = load("Pacific/Apia"); /* had no 30 December 2011 */
    assert_int_equal(instant_s(apia, "2011-12-29T23:00:00Z"), 1325235600);
    assert_int_equal(instant_s(apia, "2011-12-30T12:00:00Z"), 1325239200);
    assert_int_equal(instant_s(apia, "2011-12-31T00:00:00Z"), 1325239200);
    assert_int_equal(zone_next_midnight(apia, INT64_C(1325235600000)), INT64_C(1325239200000));
    zone_free(apia);
    struct zone *havana = load("America/Havana"); /* goes back at 01:00: two midnights */
    assert_int_equal(instant_s(havana, "2026-11-01T00:00:00Z"), 1793505600);
    assert_int_equal(zone_next_midnight(havana, INT64_C(1793509200000)),
                     INT64_C(1793505600000) + 25 * 3600000);
    zone_free(havana);
    struct zone *paulo = load("America/Sao_Paulo"); /* went forward at 00:00: no midnight */
    assert_int_equal(instant_s(paulo, "2018-11-04T00:00:00Z"), 1541300400);
    assert_int_equal(instant_s(paulo, "2018-11-04T01:00:00Z"), 1541300400);
    zone_free(paulo);
    struct zone *howe = load("Australia/Lord_Howe"); /* half an hour of summer time, in the south */
    assert_int_equal(instant_s(howe, "2050-01-01T00:00:00Z"), 2524568400);
    zone_free(howe);
    struct zone *dublin = load("Europe/Dublin"); /* negative "summer" time in winter */
    assert_int_equal(instant_s(dublin, "2050-07-01T00:00:00Z"), 2540242800);
    zone_free(dublin);
}

/* A TZif version 2 file that is nothing but its footer. */
static int zone_of(const char *footer, struct zone **z)
{
    char bytes[256] = {0};
    size_t n = 0;
    for (int block = 0; block < 2; block++) {
        memcpy(bytes + n, "TZif2", 5);
        bytes[n + 39] = 1; /* one type … */
        bytes[n + 43] = 1; /* … and one byte of names */
        n += 44 + 6 + 1;
    }
    n += (size_t)snprintf(bytes + n, sizeof bytes - n, "\n%s\n", footer);
    return zone_parse(str_from(bytes, n), z);
}

static void footers(void **state)
{
    (void)state;
    static const char *const bad[] = {"X",
                                      "GM0",
                                      "GMT",
                                      "GMT25",
                                      "GMT0BST",
                                      "GMT0BST,M3.5.0",
                                      "GMT0BST,M13.5.0,M10.5.0",
                                      "GMT0BST,M3.6.0,M10.5.0",
                                      "GMT0BST,J0,J300",
                                      "<+08-8",
                                      "GMT0BST,M3.5.0/1,M10.5.0x",
                                      "GMT0:60",
                                      "GMT0BST,366,J1"};
    struct zone *z = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(zone_of(bad[i], &z), ERR_SYNTAX);
    assert_int_equal(zone_of("<+0545>-5:45", &z), 0);
    assert_int_equal(zone_offset_s(z, 0), 20700);
    zone_free(z);
    assert_int_equal(zone_of("EST5EDT,M3.2.0,M11.1.0", &z), 0);
    assert_int_equal(instant_s(z, "2026-03-08T02:30:00Z"), 1772953200);
    zone_free(z);
    assert_int_equal(zone_of("AAA0BBB,J60/0,300/-1", &z), 0); /* 1 March; an hour before day 300 */
    assert_int_equal(zone_offset_s(z, at("2024-02-29T23:59:59Z")), 0);
    assert_int_equal(zone_offset_s(z, at("2024-03-01T00:00:00Z")), 3600);
    assert_int_equal(zone_offset_s(z, at("2025-10-27T21:59:59Z")), 3600);
    assert_int_equal(zone_offset_s(z, at("2025-10-27T22:00:00Z")), 0);
    zone_free(z);
    assert_int_equal(zone_of("", &z), 0);
    assert_int_equal(zone_offset_s(z, 0), 0);
    zone_free(z);
}

/* Any cut or damaged file is refused or parsed; it never reads outside (the sanitizers judge). */
static void damaged_files(void **state)
{
    (void)state;
    struct zone *z = load("Europe/London");
    zone_free(z);
    char bytes[8192], bad[8192];
    FILE *f = fopen("/usr/share/zoneinfo/Europe/London", "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct rng r = {12};
    for (size_t i = 0; i < 4000; i++) {
        memcpy(bad, bytes, n);
        size_t len = i % 2 ? rng_below(&r, n) : n;
        for (int k = 0; k < 3; k++)
            bad[rng_below(&r, k ? n : 120)] = (char)rng_next(&r);
        if (zone_parse(str_from(bad, len), &z) == 0) {
            struct civil c;
            zone_civil(z, rng_range(&r, -4000000000000, 4000000000000), &c);
            assert_true(zone_instant(z, &c) != INT64_MAX);
            zone_free(z);
        }
    }
    assert_int_equal(zone_parse(str_from(bytes, n - 1), &z), ERR_SYNTAX);
}

static void fixed_and_none(void **state)
{
    (void)state;
    struct zone *z;
    assert_int_equal(zone_fixed(8 * 3600, &z), 0);
    assert_int_equal(instant_s(z, "2026-07-01T12:00:00Z"), 1782878400);
    assert_int_equal(zone_next_midnight(z, 0), 16 * 3600000);
    zone_free(z);
    assert_int_equal(zone_fixed(100 * 3600, &z), ERR_RANGE);
    assert_int_equal(zone_next_midnight(NULL, 0), 86400000);
    assert_int_equal(zone_next_midnight(NULL, -1), 0);
}

static int64_t clock_for_log(void)
{
    return 0;
}

static void log_lines_are_safe(void **state)
{
    (void)state;
    char big[3000], got[4096];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    int fd[2], saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && pipe(fd) == 0 && dup2(fd[1], STDERR_FILENO) >= 0);
    log_set_clock(clock_for_log);
    log_line(LOG_DEBUG, "test", 0, "below the level: %s", big);
    log_line(LOG_NOTE, "test", 0xABC, "one\nline");
    log_set_clock(NULL);
    log_line(LOG_WARN, "test", 0, "%s", big);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    close(fd[1]);
    size_t n = 0;
    for (ssize_t k; (k = read(fd[0], got + n, sizeof got - n)) > 0;)
        n += (size_t)k;
    close(fd[0]);
    struct str rest = str_from(got, n), line = str_cut(&rest, '\n');
    assert_true(str_eq_c(line, "1970-01-01T00:00:00.000Z note test 0000000000000abc one?line"));
    line = str_cut(&rest, '\n');
    assert_int_equal(line.n, 1023);
    assert_true(str_starts(line, STR_LIT("warn test - xxx")));
    assert_int_equal(rest.n, 0);
}

int time_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_eight_centuries),
        cmocka_unit_test(times_as_chargers_write_them),
        cmocka_unit_test(times_that_are_none),
        cmocka_unit_test(london),
        cmocka_unit_test(shanghai),
        cmocka_unit_test(new_york),
        cmocka_unit_test(odd_places),
        cmocka_unit_test(footers),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(fixed_and_none),
        cmocka_unit_test(log_lines_are_safe),
    };
    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
