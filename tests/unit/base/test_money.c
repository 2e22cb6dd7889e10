// SPDX-License-Identifier: Apache-2.0
/* test_money.c: decimals digit by digit, products in 128 bits, the rounding of fee lines. */
#include "test_base.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/money.h"

#include <stdio.h>

static void decimal_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int scale, err;
        int64_t want;
    } rows[] = {
        {"0.15002000000000001", 6, 0, 150020},
        {"0", 6, 0, 0},
        {"-0", 6, 0, 0},
        {"1", 0, 0, 1},
        {"+1.5", 1, 0, 15},
        {".5", 1, 0, 5},
        {"5.", 1, 0, 50},
        {"0.5", 0, 0, 1},
        {"-0.5", 0, 0, -1},
        {"0.4999999999999999999999999999999", 0, 0, 0},
        {"1.25", 1, 0, 13},
        {"1.2499999", 1, 0, 12},
        {"0.05", 0, 0, 0},
        {"1e3", 3, 0, 1000000},
        {"1.5E-3", 3, 0, 2},
        {"1.4E-3", 3, 0, 1},
        {"12345e-2", 0, 0, 123},
        {"5e-1", 0, 0, 1},
        {"9e-2", 0, 0, 0},
        {"0e999999999999999", 6, 0, 0},
        {"1e-999999999999999", 6, 0, 0},
        {"0000000000000000000000000000000000001", 0, 0, 1},
        {"9223372036854775807", 0, 0, INT64_MAX},
        {"-9223372036854775808", 0, 0, INT64_MIN},
        {"9223372036854775807.4", 0, 0, INT64_MAX},
        {"9223372036854775807.5", 0, ERR_RANGE, 0},
        {"-9223372036854775808.5", 0, ERR_RANGE, 0},
        {"9223372036854775808", 0, ERR_RANGE, 0},
        {"1e19", 0, ERR_RANGE, 0},
        {"1e999999999999", 0, ERR_RANGE, 0},
        {"", 0, ERR_SYNTAX, 0},
        {".", 0, ERR_SYNTAX, 0},
        {"-", 0, ERR_SYNTAX, 0},
        {"+-1", 0, ERR_SYNTAX, 0},
        {"1e", 0, ERR_SYNTAX, 0},
        {"1e+", 0, ERR_SYNTAX, 0},
        {"1.2.3", 0, ERR_SYNTAX, 0},
        {"NaN", 0, ERR_SYNTAX, 0},
        {"1 ", 0, ERR_SYNTAX, 0},
        {"0x10", 0, ERR_SYNTAX, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v = 0;
        assert_int_equal(decimal_parse(str_from_c(rows[i].text), rows[i].scale, &v), rows[i].err);
        assert_true(v == rows[i].want);
    }
}

/* Writes v / 10^scale with `extra` more digits after it; the text is known to round to v. */
static void decimals_come_back(void **state)
{
    (void)state;
    struct rng r = {7};
    for (int i = 0; i < 20000; i++) {
        int64_t v = (int64_t)(rng_next(&r) >> (1 + rng_below(&r, 62)));
        bool neg = rng_below(&r, 2), up = v > 0 && rng_below(&r, 2);
        char digits[24], text[128];
        /* v - 1 followed by 5…, or v followed by 4…: both round to v. */
        int n = snprintf(digits, sizeof digits, "%019lld", (long long)(up ? v - 1 : v));
        int scale = (int)rng_below(&r, 19), exp = (int)rng_range(&r, -40, 40);
        snprintf(text, sizeof text, "%s%.*s.%s%se%d", neg ? "-" : "", n - scale, digits,
                 digits + n - scale,
                 up ? "50000000000000000000000000001" : "4999999999999999999999", exp);
        int64_t got;
        assert_int_equal(decimal_parse(str_from_c(text), scale - exp, &got), 0);
        assert_true(got == (neg ? -v : v));
    }
}

/* True when q is the wanted quotient of x / den by its definition, without dividing. */
static bool is_floor(ev_i128 x, int64_t den, int64_t q)
{
    return (ev_i128)q * den <= x && x < ((ev_i128)q + 1) * den;
}

static void muldiv_by_definition(void **state)
{
    (void)state;
    struct rng r = {8};
    for (int i = 0; i < 50000; i++) {
        int64_t a = (int64_t)rng_next(&r) >> rng_range(&r, 2, 62);
        int64_t b = (int64_t)rng_next(&r) >> rng_range(&r, 2, 62);
        int64_t den = 1 + (int64_t)(rng_next(&r) >> rng_range(&r, 1, 63));
        ev_i128 x = (ev_i128)a * b;
        ev_i128 whole = x / den;
        if (whole > INT64_MAX - 1 || whole < INT64_MIN + 1)
            continue;
        assert_true(is_floor(x, den, muldiv_floor(a, b, den)));
        assert_true(is_floor(-x, den, -muldiv_ceil(a, b, den)));
        int64_t h = muldiv_half_up(a, b, den);
        /* |x| rounds to the q with 2q·den − den ≤ 2|x| < 2q·den + den. */
        ev_i128 mag = x < 0 ? -x : x, q = x < 0 ? -(ev_i128)h : h;
        assert_true(2 * q * den - den <= 2 * mag && 2 * mag < 2 * q * den + den);
    }
    assert_int_equal(muldiv_half_up(5, 1, 10), 1);
    assert_int_equal(muldiv_half_up(-5, 1, 10), -1);
    assert_int_equal(muldiv_half_up(1, 1, 3), 0);
    assert_int_equal(muldiv_half_up(2, 1, 3), 1);
    assert_true(muldiv_half_up(INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX);
}

static void fee_lines(void **state)
{
    (void)state;
    /* 3.333333 kWh × 1.2 yuan = 3.9999996 → 4.00. */
    assert_int_equal(money_fee_line(3333333, 120000).v, 40000);
    assert_int_equal(money_fee_line(0, 120000).v, 0);
    assert_int_equal(money_fee_line(4166, 120000).v, 0);   /* 0.0049992 */
    assert_int_equal(money_fee_line(4167, 120000).v, 100); /* 0.0050004 */
    assert_int_equal(money_fee_line(-3333333, 120000).v, -40000);
    assert_int_equal(money_fee_line(INT64_C(1000000000000), 99999999).v, INT64_C(9999999900000));
    assert_int_equal(money_round_fen(MONEY(149)).v, 100);
    assert_int_equal(money_round_fen(MONEY(150)).v, 200);
    assert_int_equal(money_round_fen(MONEY(-150)).v, -200);
}

static void sums(void **state)
{
    (void)state;
    struct money a = MONEY(40000), b = MONEY(-1);
    assert_int_equal(money_add(a, b).v, 39999);
    assert_int_equal(money_sub(a, b).v, 40001);
    assert_int_equal(money_neg(a).v, -40000);
    assert_int_equal(money_min(a, b).v, -1);
    assert_int_equal(money_max(a, b).v, 40000);
    assert_int_equal(money_cmp(a, b), 1);
    assert_int_equal(money_cmp(a, a), 0);
}

static void money_text(void **state)
{
    (void)state;
    static const struct {
        int64_t v;
        const char *text;
    } rows[] = {{40000, "4.00"}, {-12345, "-1.2345"}, {0, "0.00"}, {10, "0.001"}, {-100, "-0.01"}};
    char text[MONEY_TEXT_SIZE];
    struct money m = MONEY_ZERO;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        money_format(MONEY(rows[i].v), text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(money_parse(str_from_c(text), &m), 0);
        assert_true(m.v == rows[i].v);
    }
    money_format(MONEY(INT64_MIN), text);
    assert_string_equal(text, "-922337203685477.5808");
    assert_int_equal(money_parse(STR_LIT("4"), &m), 0);
    assert_int_equal(m.v, 40000);
    assert_int_equal(money_parse(STR_LIT("1.00001"), &m), ERR_RANGE);
    assert_int_equal(money_parse(STR_LIT("1e2"), &m), ERR_SYNTAX);
    assert_int_equal(money_parse(STR_LIT("4,00"), &m), ERR_SYNTAX);
    assert_int_equal(money_parse(STR_LIT("+1.00"), &m), ERR_SYNTAX);
    assert_int_equal(money_parse(STR_LIT(".5"), &m), ERR_SYNTAX);
    assert_int_equal(money_parse(STR_LIT("1."), &m), ERR_SYNTAX);
    assert_int_equal(money_parse(STR_LIT("99999999999999999"), &m), ERR_RANGE);
    assert_int_equal(m.v, 40000);
}

int money_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_rows),
        cmocka_unit_test(decimals_come_back),
        cmocka_unit_test(muldiv_by_definition),
        cmocka_unit_test(fee_lines),
        cmocka_unit_test(sums),
        cmocka_unit_test(money_text),
    };
    return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
