// SPDX-License-Identifier: Apache-2.0
/* test_replay.c: the reading half of `even replay`: cells, mappings, times, registers, reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>
#include "base/err.h"
#include "base/hash.h"
#include "sim/csv.h"
#include "sim/replay.h"
#include "sim/replay_map.h"

static void cells_are_cut(void **state)
{
    (void)state;
    char text[] = "\xef\xbb\xbf"
                  "a,\"b, \"\"c\"\"\",\r\n\n\"two\nlines\",x\"y,";
    struct csv c;
    struct str cell[4];
    size_t n;
    csv_init(&c, text, sizeof text - 1, ',');
    assert_int_equal(csv_next(&c, cell, 4, &n), 1);
    assert_int_equal(n, 3);
    assert_true(str_eq_c(cell[0], "a") && str_eq_c(cell[1], "b, \"c\"") && cell[2].n == 0);
    assert_int_equal(csv_next(&c, cell, 4, &n), 1);
    assert_int_equal(n, 3);
    assert_true(str_eq_c(cell[0], "two\nlines") && str_eq_c(cell[1], "x\"y") && cell[2].n == 0);
    assert_int_equal(c.line, 5);
    assert_int_equal(csv_next(&c, cell, 4, &n), 0);
}

static void bad_quotes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"a", "\"a\"b,c", "a,\"", "\"a\"\""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[16];
        struct csv c;
        struct str cell[4];
        size_t n;
        (void)str_copy(text, sizeof text, str_from_c(bad[i]));
        csv_init(&c, text, strlen(text), ',');
        assert_int_equal(csv_next(&c, cell, 4, &n), ERR_SYNTAX);
    }
    char many[] = "1,2,3";
    struct csv c;
    struct str cell[2];
    size_t n;
    csv_init(&c, many, 5, ',');
    assert_int_equal(csv_next(&c, cell, 2, &n), ERR_TOO_LARGE);
}

/* Whatever the bytes, it ends and stays inside. */
static void any_bytes_end(void **state)
{
    (void)state;
    struct rng r = {5};
    for (int round = 0; round < 20000; round++) {
        char *text = malloc(24);
        struct str cell[8];
        size_t n, len = (size_t)rng_below(&r, 24);
        struct csv c;
        for (size_t i = 0; i < len; i++)
            text[i] = "\",\r\na \xef;"[rng_below(&r, 9)];
        csv_init(&c, text, len, ',');
        while (csv_next(&c, cell, 8, &n) == 1)
            for (size_t i = 0; i < n; i++)
                assert_true(cell[i].p >= text && cell[i].p + cell[i].n <= text + len);
        free(text);
    }
}

/* ---- whole files ---- */

static void file_make(char path[40], const char *text)
{
    (void)str_copy(path, 40, STR_LIT("/tmp/even-replay-XXXXXX"));
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
}

static int both_read(const char *csv, const char *map, struct replay *r)
{
    char csv_path[40], map_path[40];
    file_make(csv_path, csv);
    file_make(map_path, map);
    int err = replay_read(csv_path, map_path, r);
    unlink(csv_path);
    unlink(map_path);
    return err;
}

#define MAP                                                                                        \
    "id = id\ncharger = cp\nconnector = c\nstart_date = sd\nstart_time = st\nend_date = ed\n"      \
    "end_time = et\nenergy = kwh\nmodel = m\ndate = YYYY-MM-DD*\ntime = hh:mm\n"                   \
    "zone = Europe/London\npower.Fast = 50 kW\n"
#define HEAD "id,cp,c,sd,st,ed,et,kwh,m\n"

static void rows_have_times_and_registers(void **state)
{
    (void)state;
    struct replay r;
    assert_int_equal(both_read(HEAD "1,A,2,2018-07-01,10:00,2018-07-01,11:00,1.25,Fast\n"
                                    "2,A,2,2018-07-01,08:00,2018-07-01,09:00,10,Fast\n"
                                    "3,B,,2018-01-15,08:00,2018-01-15,09:00,0.5,Slow\n",
                               MAP, &r),
                     0);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.order_n, 3);
    assert_int_equal(r.energy_mwh, 11750000);
    assert_int_equal(r.chargers_n, 2);
    assert_string_equal(r.chargers[0].id, "REPLAY-A");
    assert_int_equal(r.chargers[0].guns, 2);
    assert_int_equal(r.chargers[0].power_w, 50000);
    assert_int_equal(r.chargers[1].power_w, 0);
    /* 2018-07-01 08:00 in London is 07:00 UTC; the earlier session comes first. */
    assert_int_equal(r.order[0], 1);
    assert_int_equal(r.rows[1].start_ms, INT64_C(1530428400000));
    assert_int_equal(r.rows[1].stop_wh - r.rows[1].start_wh, 10000);
    assert_int_equal(r.rows[0].start_wh, r.rows[1].stop_wh);
    assert_int_equal(r.rows[2].connector, 1);
    replay_free(&r);
}

static void what_cannot_be_told_says_why(void **state)
{
    (void)state;
    static const enum replay_reason want[] = {
        REPLAY_NO_END,   REPLAY_NO_ENERGY, REPLAY_END_FIRST, REPLAY_NO_START, REPLAY_NO_CHARGER,
        REPLAY_REGISTER, REPLAY_SENT,      REPLAY_OVERLAP,   REPLAY_NO_END,   REPLAY_NO_CHARGER};
    struct replay r;
    assert_int_equal(both_read(HEAD "1,A,1,2018-07-13,10:00,,,,Fast\n"
                                    "2,A,1,2018-07-13,10:00,2018-07-13,11:00,,Fast\n"
                                    "3,A,1,2018-07-13,10:00,2018-07-13,09:00,1,Fast\n"
                                    "4,A,1,2018-02-30,10:00,2018-07-13,09:00,1,Fast\n"
                                    "5,A,9,2018-07-13,10:00,2018-07-13,11:00,1,Fast\n"
                                    "6,A,1,2018-07-14,10:00,2018-07-14,11:00,-99999,Fast\n"
                                    "7,A,1,2018-07-15,10:00,2018-07-15,11:00,1,Fast\n"
                                    "8,A,1,2018-07-15,10:30,2018-07-15,11:30,1,Fast\n"
                                    "9,A,1,2018-07-15,12:30,2018-07-15,25:30,1,Fast\n"
                                    "10,,1,2018-07-15,12:30,2018-07-15,13:30,1,Fast\n",
                               MAP, &r),
                     0);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(r.rows[i].reason, want[i]);
    assert_int_equal(r.order_n, 1);
    assert_int_equal(r.energy_mwh, INT64_C(-99992000000)); /* all of the file, told or not */
    replay_free(&r);
}

/* Clocks go back on 2017-10-29: 01:00 to 02:00 comes twice. */
static void the_hour_that_comes_twice(void **state)
{
    (void)state;
    struct replay r;
    assert_int_equal(both_read(HEAD "1,A,1,2017-10-29,01:50,2017-10-29,01:10,1,Fast\n"
                                    "2,A,1,2017-10-29,01:20,2017-10-29,01:40,1,Fast\n",
                               MAP, &r),
                     0);
    assert_int_equal(r.rows[0].end_ms - r.rows[0].start_ms, 20 * 60000);
    assert_int_equal(r.rows[1].end_ms - r.rows[1].start_ms, 20 * 60000);
    assert_int_equal(r.order_n, 2);
    replay_free(&r);
}

static void days_and_months_are_swapped_back(void **state)
{
    (void)state;
    struct replay r;
    assert_int_equal(both_read(HEAD "1,A,1,2018-01-09,10:00,2018-01-09,11:00,1,Fast\n"
                                    "2,A,1,2018-08-31,10:00,2018-08-31,11:00,1,Fast\n",
                               MAP "day_month = swapped when day <= 12\n", &r),
                     0);
    assert_int_equal(r.rows[0].start_ms - r.rows[1].start_ms, 86400000); /* 1 September */
    replay_free(&r);
}

/* Minutes only: the second of two sessions that begin together is told a second later. */
static void sessions_that_begin_together(void **state)
{
    (void)state;
    struct replay r;
    assert_int_equal(both_read(HEAD "2,A,1,2018-08-31,10:00,2018-08-31,10:30,5,Fast\n"
                                    "1,A,1,2018-08-31,10:00,2018-08-31,10:00,0,Fast\n",
                               MAP, &r),
                     0);
    assert_int_equal(r.order[0], 1);
    assert_int_equal(r.rows[0].start_ms - r.rows[1].start_ms, 1000);
    assert_int_equal(r.rows[1].end_ms, r.rows[1].start_ms);
    replay_free(&r);
}

static void other_exports(void **state)
{
    (void)state;
    struct replay r;
    assert_int_equal(both_read("pole;begin;finish;Wh\nX;31.12.2025 23:59:58;1.1.2026;x\n"
                               "X;31.12.2025 23:59:58;01.01.2026 00:10:00;1.234,5\n"
                               "X;31.12.2025 23:59:58;01.01.2026 00:10:00;1234,5\n",
                               "# other\ncharger = pole\nstart_date = begin\nend_date = finish\n"
                               "energy = Wh\nenergy_unit = Wh\nseparator = ;\ndecimal = ,\n"
                               "date = DD.MM.YYYY hh:mm:ss\nzone = Asia/Shanghai\nprefix = P-\n",
                               &r),
                     0);
    assert_int_equal(r.rows[0].reason, REPLAY_NO_END);
    assert_int_equal(r.rows[1].reason, REPLAY_NO_ENERGY);
    assert_int_equal(r.rows[2].reason, REPLAY_SENT);
    assert_int_equal(r.rows[2].energy_mwh, 1234500);
    assert_int_equal(r.rows[2].start_ms, INT64_C(1767196798000));
    assert_int_equal(r.rows[2].id.n, 0);
    assert_int_equal(r.rows[2].line, 4);
    assert_string_equal(r.chargers[0].id, "P-X");
    replay_free(&r);
}

static void bad_mappings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"charger = cp\n",           MAP "nonsense = 1\n",
                                      MAP "energy_unit = GWh\n",  MAP "separator = ::\n",
                                      MAP "decimal = x\n",        MAP "power.Fast = quick\n",
                                      MAP "power.Fast = -1 kW\n", MAP "zone = Mars/Olympus\n",
                                      MAP "site = nowhere\n",     MAP "zone\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct replay r;
        assert_int_not_equal(both_read(HEAD, bad[i], &r), 0);
        replay_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_cut),
        cmocka_unit_test(bad_quotes_are_refused),
        cmocka_unit_test(any_bytes_end),
        cmocka_unit_test(rows_have_times_and_registers),
        cmocka_unit_test(what_cannot_be_told_says_why),
        cmocka_unit_test(the_hour_that_comes_twice),
        cmocka_unit_test(days_and_months_are_swapped_back),
        cmocka_unit_test(sessions_that_begin_together),
        cmocka_unit_test(other_exports),
        cmocka_unit_test(bad_mappings_are_refused),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
