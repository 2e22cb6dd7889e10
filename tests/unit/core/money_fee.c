// SPDX-License-Identifier: Apache-2.0
/* Bills: no milliwatt-hour lost over slice edges, each line rounded once, totals are sums of lines,
 * restart by rows. */
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "core/fee.h"
#include "core/types.h"
#include "unit/core/money.h"

#define HOUR INT64_C(3600000)
#define KWH  INT64_C(1000000)

static struct arena arena;
static struct tariff *flat, *steps, *many;

static struct tariff *build(const struct row_tariff_slice *s, size_t n)
{
    const struct row_tariff row = {.id = 1};
    const struct row_tariff_day day = {
        .first_mmdd = 101, .last_mmdd = 1231, .weekdays = 127, .plan = 0};
    struct tariff *t;
    assert_int_equal(tariff_build(&arena, &row, &day, 1, s, n, &t), 0);
    return t;
}

static int setup(void **state)
{
    (void)state;
    static struct row_tariff_slice s[96];
    arena_init(&arena, 1 << 24);
    s[0] = (struct row_tariff_slice){.label = "平", .elec_e5 = 80000, .service_e5 = 40000};
    flat = build(s, 1);
    s[1] = (struct row_tariff_slice){
        .from_min = 480, .label = "峰", .elec_e5 = 110000, .service_e5 = 50000};
    s[2] = (struct row_tariff_slice){
        .from_min = 720, .label = "谷", .elec_e5 = 33333, .service_e5 = 0};
    steps = build(s, 3);
    for (int i = 0; i < 96; i++)
        s[i] = (struct row_tariff_slice){
            .from_min = i * 15, .label = i % 2 ? "a" : "b", .elec_e5 = 1000 + i, .service_e5 = 7};
    many = build(s, 96);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void test_four_yuan(void **state)
{
    (void)state;
    struct fee_bill b = {0};
    struct fee_sum sum;
    (void)fee_add(&b, flat, NULL, 0, HOUR / 60, 3333333);
    fee_sum(&b, &sum);
    assert_int_equal(sum.energy_mwh, 3333333);
    assert_int_equal(sum.elec.v, 26700); /* 2.66667 yuan, half up once */
    assert_int_equal(sum.service.v, 13300);
    assert_int_equal(sum.total.v, 40000);
}

static void test_energy_is_spread_over_slices(void **state)
{
    (void)state;
    struct fee_bill b = {0};
    struct fee_line line[FEE_LINES_MAX];
    /* 07:59:59 to 12:00:01: 1 s, 4 h, 1 s */
    int32_t first = fee_add(&b, steps, NULL, 8 * HOUR - 1000, 12 * HOUR + 1000, 14402000);
    assert_int_equal(first, 0);
    assert_int_equal(b.n, 3);
    assert_int_equal(b.piece[0].energy_mwh, 1000);
    assert_int_equal(b.piece[1].energy_mwh, 14400000);
    assert_int_equal(b.piece[2].energy_mwh, 1000);
    int32_t n = fee_lines(&b, steps, line);
    assert_int_equal(n, 6);
    assert_int_equal(line[2].kind, FEE_ELECTRICITY);
    assert_string_equal(line[2].label, "峰");
    assert_int_equal(line[2].from_ms, 8 * HOUR);
    assert_int_equal(line[2].to_ms, 12 * HOUR);
    assert_int_equal(line[2].amount.v, 158400);
    assert_int_equal(line[3].kind, FEE_SERVICE);
    assert_int_equal(line[3].amount.v, 72000);
    assert_int_equal(line[5].amount.v, 0);
}

static void test_same_slice_stays_one_piece(void **state)
{
    (void)state;
    struct fee_bill b = {0};
    for (int i = 0; i < 1000; i++)
        (void)fee_add(&b, flat, NULL, i * 10000, (i + 1) * 10000, 1667);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.piece[0].energy_mwh, 1667000);
    assert_int_equal(b.piece[0].to_ms, 10000000);
    assert_int_equal(fee_add(&b, flat, NULL, 10000000, 10010000, 0), 1); /* nothing changed */
    assert_int_equal(fee_add(&b, flat, NULL, 10000000, 10000000, 5), 0); /* no time: still billed */
    assert_int_equal(b.piece[0].energy_mwh, 1667005);
}

/* Two meters over the same time: the pieces of one that measured both. A price that comes again another
 * day stays another piece. */
static void test_joined_as_one_meter(void **state)
{
    (void)state;
    struct fee_bill a = {0}, b = {0}, both = {0};
    struct fee_sum one, two;
    for (int day = 0; day < 2; day++) {
        int64_t from = day * 24 * HOUR + 7 * HOUR, to = from + 6 * HOUR;
        (void)fee_add(&a, steps, NULL, from, to, 6 * 6250);
        (void)fee_add(&b, steps, NULL, from, to, 6 * 6250);
        (void)fee_add(&both, steps, NULL, from, to, 2 * 6 * 6250);
    }
    fee_join(&a, &b);
    assert_int_equal(a.n, both.n);
    assert_int_equal(a.n, 6);
    for (int32_t i = 0; i < a.n; i++) {
        assert_int_equal(a.piece[i].energy_mwh, both.piece[i].energy_mwh);
        assert_int_equal(a.piece[i].from_ms, both.piece[i].from_ms);
        assert_int_equal(a.piece[i].to_ms, both.piece[i].to_ms);
    }
    fee_sum(&a, &one);
    fee_sum(&both, &two);
    assert_int_equal(one.total.v, two.total.v);
}

/* One meter goes on in the slice where the other ended; another one begins before. */
static void test_joined_beside(void **state)
{
    (void)state;
    struct fee_bill a = {0}, b = {0};
    (void)fee_add(&a, steps, NULL, 9 * HOUR, 10 * HOUR, 1000);
    (void)fee_add(&b, steps, NULL, 11 * HOUR, 12 * HOUR, 500);
    fee_join(&a, &b);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.piece[0].energy_mwh, 1500);
    b = (struct fee_bill){0};
    (void)fee_add(&b, steps, NULL, 7 * HOUR, 8 * HOUR, 300);
    fee_join(&a, &b);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.piece[0].energy_mwh, 300); /* in the order they began */
}

/* Full bills lose no energy. */
static void test_joined_full(void **state)
{
    (void)state;
    struct fee_bill a = {0}, b = {0};
    struct fee_sum sum;
    (void)fee_add(&a, many, NULL, 0, 24 * HOUR, 96 * KWH);
    (void)fee_add(&b, flat, NULL, 0, HOUR, KWH);
    b.piece[0].label = 0;
    fee_join(&a, &b);
    assert_true(a.n <= FEE_PIECES_MAX);
    fee_sum(&a, &sum);
    assert_int_equal(sum.energy_mwh, 97 * KWH);
}

static void test_cut_from_the_end(void **state)
{
    (void)state;
    struct fee_bill b = {0};
    struct fee_sum sum;
    (void)fee_add(&b, steps, NULL, 7 * HOUR, 9 * HOUR, 2000);
    fee_cut(&b, 1500);
    assert_int_equal(b.piece[0].energy_mwh, 1000);
    assert_int_equal(b.piece[1].energy_mwh, 500);
    fee_cut(&b, 400);
    fee_sum(&b, &sum);
    assert_int_equal(sum.energy_mwh, 400);
    fee_cut(&b, 4000);
    fee_sum(&b, &sum);
    assert_int_equal(sum.energy_mwh, 400);
    fee_cut(&b, 0);
    struct fee_line line[FEE_LINES_MAX];
    assert_int_equal(fee_lines(&b, steps, line), 0);
}

static void test_bill_never_full(void **state)
{
    (void)state;
    struct fee_bill b = {0};
    struct fee_sum sum;
    int64_t added = 0;
    for (int i = 0; i < 3000; i++) { /* 31 days of 96 prices each */
        (void)fee_add(&b, many, NULL, i * HOUR / 4, (i + 1) * HOUR / 4, 1000 + i);
        added += 1000 + i;
    }
    fee_sum(&b, &sum);
    assert_int_equal(b.n, FEE_PIECES_MAX);
    assert_int_equal(sum.energy_mwh, added);
    for (int i = 0; i < b.n; i++)
        assert_int_equal(b.piece[i].elec_e5, 1000 + i);
    (void)fee_add(&b, steps, NULL, 0, 1, 50); /* a price the full bill does not know */
    fee_sum(&b, &sum);
    assert_int_equal(sum.energy_mwh, added + 50);
}

static void test_record_of_classes(void **state)
{
    (void)state;
    struct tariff_classes c;
    struct fee_bill b = {0};
    struct fee_sum sum;
    assert_int_equal(tariff_classes_of_day(steps, NULL, 0, &c), 0);
    const int64_t mwh[4] = {0, 2 * KWH, 1 * KWH, 3 * KWH};
    assert_int_equal(fee_from_classes(&b, &c, mwh, 100, 200), 0);
    assert_int_equal(b.n, 3);
    fee_sum(&b, &sum);
    assert_int_equal(sum.energy_mwh, 6 * KWH);
    assert_int_equal(sum.elec.v, 22000 + 8000 + 10000);
    const int64_t sharp[4] = {1, 0, 0, 0};
    assert_int_equal(fee_from_classes(&b, &c, sharp, 100, 200), ERR_RANGE);
    const int64_t negative[4] = {0, -1, 0, 0};
    assert_int_equal(fee_from_classes(&b, &c, negative, 100, 200), ERR_RANGE);
}

static void test_rows_round_trip(void **state)
{
    (void)state;
    struct fee_bill b = {0}, again = {0};
    struct row_bill_piece row;
    (void)fee_add(&b, steps, NULL, 7 * HOUR, 13 * HOUR, 77777);
    for (int32_t i = b.n - 1; i >= 0; i--) {
        fee_piece_row(&b, steps, i, 42, &row);
        assert_int_equal(row.session, 42);
        assert_int_equal(fee_piece_load(&again, steps, &row), 0);
    }
    assert_int_equal(again.n, b.n);
    assert_memory_equal(b.piece, again.piece, (size_t)b.n * sizeof b.piece[0]);
    row.label = "unknown";
    assert_int_equal(fee_piece_load(&again, steps, &row), ERR_CORRUPT);
    row.label = "平";
    row.seq = FEE_PIECES_MAX;
    assert_int_equal(fee_piece_load(&again, steps, &row), ERR_CORRUPT);
}

/** The same energy in one reading or in a thousand: energy is exact, and money differs by no more
 * than a fen a line. */
static void test_random_readings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rng rng = {seed};
        struct fee_bill b = {0};
        struct fee_sum sum, lines = {0};
        struct fee_line line[FEE_LINES_MAX];
        struct tariff *t = seed % 2 ? steps : many;
        int64_t at = rng_range(&rng, 0, 24 * HOUR), added = 0;
        int n = (int)rng_range(&rng, 1, 200);
        for (int i = 0; i < n; i++) {
            int64_t next = at + rng_range(&rng, 0, 2 * HOUR), mwh = rng_range(&rng, 0, 90 * KWH);
            int32_t before = b.n, first = fee_add(&b, t, NULL, at, next, mwh);
            assert_in_range(first, 0, before);
            added += mwh;
            at = next;
        }
        fee_sum(&b, &sum);
        assert_int_equal(sum.energy_mwh, added);
        int32_t m = fee_lines(&b, t, line);
        for (int32_t i = 0; i < m; i++) {
            assert_int_equal(line[i].amount.v % MONEY_FEN, 0);
            lines.total = money_add(lines.total, line[i].amount);
        }
        assert_int_equal(lines.total.v, sum.total.v);
        assert_int_equal(sum.total.v, sum.elec.v + sum.service.v);
    }
}

int money_fee_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_yuan),
        cmocka_unit_test(test_energy_is_spread_over_slices),
        cmocka_unit_test(test_same_slice_stays_one_piece),
        cmocka_unit_test(test_cut_from_the_end),
        cmocka_unit_test(test_bill_never_full),
        cmocka_unit_test(test_record_of_classes),
        cmocka_unit_test(test_joined_as_one_meter),
        cmocka_unit_test(test_joined_beside),
        cmocka_unit_test(test_joined_full),
        cmocka_unit_test(test_rows_round_trip),
        cmocka_unit_test(test_random_readings),
    };
    return cmocka_run_group_tests_name("fee", tests, setup, teardown);
}
