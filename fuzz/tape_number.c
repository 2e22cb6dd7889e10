// SPDX-License-Identifier: Apache-2.0
/* tape_number.c: texts of integers, decimals, money and times, and the products of base/money. What
 * is written must read back as the same; more places may not change what fewer places say; rounding
 * down, half up and up stand in their order. */
#include "tape.h"

#include "base/calendar.h"
#include "base/money.h"

static void integer(struct str s)
{
    struct buf b;
    int64_t v, again;
    if (str_to_i64(s, &v))
        return;
    buf_init(&b, 64);
    buf_put_i64(&b, v);
    must(!b.err && str_to_i64(buf_str(&b), &again) == 0 && again == v);
    must(b.n <= s.n); /* what is written is the shortest text */
    buf_free(&b);
}

static void decimal(struct str s, int scale)
{
    struct buf b;
    int64_t v, again, finer;
    if (decimal_parse(s, scale, &v))
        return;
    buf_init(&b, 64);
    buf_put_decimal(&b, v, scale, 0);
    must(!b.err && decimal_parse(buf_str(&b), scale, &again) == 0 && again == v);
    buf_free(&b);
    if (decimal_parse(s, scale + 3, &finer) == 0) {
        ev_i128 off = (ev_i128)v * 1000 - finer;
        must(off >= -500 && off <= 500);
    }
}

/* A sign in front turns the value, whatever the rounding. */
static void decimal_sign(struct str s, int scale)
{
    struct buf b;
    int64_t v, minus;
    if (s.n == 0 || s.p[0] == '-' || s.p[0] == '+' || decimal_parse(s, scale, &v))
        return;
    buf_init(&b, s.n + 1);
    buf_put_char(&b, '-');
    buf_put_str(&b, s);
    must(decimal_parse(buf_str(&b), scale, &minus) == 0 && minus == -v);
    buf_free(&b);
}

static void money(struct str s)
{
    char text[MONEY_TEXT_SIZE];
    struct money v, again;
    int64_t same;
    if (money_parse(s, &v))
        return;
    money_format(v, text);
    must(money_parse(str_from_c(text), &again) == 0 && again.v == v.v);
    must(decimal_parse(s, 4, &same) == 0 && same == v.v);
}

static void date(struct str s)
{
    char text[TIME_TEXT_SIZE];
    struct civil c;
    int64_t ms, again;
    if (time_parse(s, &ms))
        return;
    civil_from_ms(ms, &c);
    must(civil_to_ms(&c) == ms);
    must(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31 && c.hour <= 23 &&
         c.minute <= 59 && c.second <= 59 && c.ms >= 0 && c.ms <= 999);
    time_format(ms, text);
    must(time_parse(str_from_c(text), &again) == 0);
    if (c.year >= 0 && c.year <= 9999)
        must(again == ms);
}

static void product(struct tape *t)
{
    int64_t a = (int32_t)tape_uint(t, 4), num = (int32_t)tape_uint(t, 4);
    int64_t den = 1 + (int64_t)tape_uint(t, 4);
    int64_t low = muldiv_floor(a, num, den), high = muldiv_ceil(a, num, den);
    int64_t half = muldiv_half_up(a, num, den);
    ev_i128 x = (ev_i128)a * num;
    must((ev_i128)low * den <= x && x < ((ev_i128)low + 1) * den);
    must(high == low + ((ev_i128)low * den != x));
    must(half == low || half == high);
    ev_i128 off = (ev_i128)half * den - x;
    must(2 * off <= den && 2 * off >= -(ev_i128)den);
    must(muldiv_half_up(-a, num, den) == -half);
}

int tape_number(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    int scale = tape_byte(&t) % 10;
    struct tape numbers = t;
    struct str s = tape_rest(&t);
    product(&numbers);
    integer(s);
    decimal(s, scale);
    decimal_sign(s, scale);
    money(s);
    date(s);
    return 0;
}
