// SPDX-License-Identifier: Apache-2.0
/* test_tax.c: tax in prices that contain it, and amounts brought to whole fen line by line. */
#include "test_base.h"

#include "base/hash.h"
#include "base/tax.h"

static void test_tax_known(void **state)
{
    static const struct {
        int64_t gross;
        int32_t bp;
        int64_t net;
    } known[] = {
        {10000, 1300, 8800},   /* 1.00 / 1.13 = 0.88495… */
        {11300, 1300, 10000},  /* exact */
        {100, 600, 100},       /* a fen has no tax at 6 % */
        {900, 1300, 800},      /* 0.0796… */
        {21200, 600, 20000},   /* exact */
        {500, 10000, 300},     /* 0.025 rounds up */
        {-10000, 1300, -8800}, /* the same below zero */
        {-500, 10000, -300},   /* away from zero */
        {12345, 0, 12345},     /* no tax, nothing rounded */
        {0, 1300, 0},          /* nothing */
        {123456700, 300, 119860900},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct tax_parts t = tax_inclusive(MONEY(known[i].gross), known[i].bp);
        assert_int_equal(t.net.v, known[i].net);
        assert_int_equal(t.net.v + t.tax.v, known[i].gross);
    }
}

/* Of every amount up to 200 yuan and the rates in use: within half a fen of the quotient, and neither
 * net nor tax ever falls as the amount grows. */
static void test_tax_near_and_monotone(void **state)
{
    static const int32_t rates[] = {1, 100, 300, 500, 600, 900, 1300, 10000};
    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
        struct tax_parts before = {0};
        for (int64_t fen = 0; fen <= 20000; fen++) {
            struct tax_parts t = tax_inclusive(MONEY(fen * MONEY_FEN), rates[r]);
            int64_t d = 10000 + rates[r], off = t.net.v / MONEY_FEN * d - fen * 10000;
            assert_true(2 * off <= d && 2 * off > -d); /* net × (1 + rate) against gross */
            assert_int_equal(t.net.v % MONEY_FEN, 0);
            assert_true(t.net.v >= before.net.v && t.tax.v >= before.tax.v);
            before = t;
        }
    }
}

static void test_tax_lines(void **state)
{
    struct rng r = {5};
    (void)state;
    for (int round = 0; round < 200000; round++) {
        int64_t took[3], room[3], out[3], sum = 0, rooms = 0, got = 0;
        bool roomy = rng_below(&r, 2);
        for (int k = 0; k < 3; k++) {
            took[k] = rng_below(&r, 4) ? (int64_t)rng_below(&r, 3000) : 0;
            sum += took[k];
        }
        took[2] += (100 - sum % 100) % 100; /* refunds are whole fen */
        sum += (100 - sum % 100) % 100;
        for (int k = 0; k < 3; k++) {
            room[k] = roomy ? INT64_MAX / 4 : 100 * (int64_t)rng_below(&r, 40);
            rooms += room[k];
        }
        if (rooms < sum)
            continue;
        tax_lines(took, room, 3, out);
        for (int k = 0; k < 3; k++) {
            assert_true(out[k] >= 0 && out[k] <= room[k] && out[k] % 100 == 0);
            assert_true(!roomy || (out[k] - took[k] < 200 && took[k] - out[k] < 200));
            got += out[k];
        }
        assert_int_equal(got, sum);
    }
    /* What is no whole fen stays in the sum. */
    const int64_t took[2] = {149, 102}, room[2] = {INT64_MAX, INT64_MAX};
    int64_t out[2];
    tax_lines(took, room, 2, out);
    assert_int_equal(out[0], 100);
    assert_int_equal(out[1], 151);
}

int tax_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tax_known),
        cmocka_unit_test(test_tax_near_and_monotone),
        cmocka_unit_test(test_tax_lines),
    };
    return cmocka_run_group_tests_name("tax", tests, NULL, NULL);
}
