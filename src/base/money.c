// SPDX-License-Identifier: Apache-2.0
/* money.c: see money.h. Pure.
 *
 * Invariants:
 *  1. Every sum is checked, every product runs in 128 bits, so that a figure is right or the
 *     process ends.
 *  2. Each rounding is in the function that names it.
 *  3. Text is turned into integers digit by digit, never through floating point. */
#include "base/money.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"

struct money money_add(struct money a, struct money b)
{
    struct money c;
    must(!__builtin_add_overflow(a.v, b.v, &c.v));
    return c;
}

struct money money_sub(struct money a, struct money b)
{
    struct money c;
    must(!__builtin_sub_overflow(a.v, b.v, &c.v));
    return c;
}

struct money money_neg(struct money a)
{
    return money_sub(MONEY_ZERO, a);
}

struct money money_min(struct money a, struct money b)
{
    return a.v < b.v ? a : b;
}

struct money money_max(struct money a, struct money b)
{
    return a.v > b.v ? a : b;
}

int money_cmp(struct money a, struct money b)
{
    return (a.v > b.v) - (a.v < b.v);
}

static int64_t narrow(ev_i128 x)
{
    must(x >= INT64_MIN && x <= INT64_MAX);
    return (int64_t)x;
}

int64_t muldiv_half_up(int64_t a, int64_t num, int64_t den)
{
    must(den > 0);
    ev_i128 x = (ev_i128)a * num, half = den / 2;
    /* For an odd den, den/2 rounded down still sends exactly the remainders above one half up. */
    return narrow(x < 0 ? -((-x + half) / den) : (x + half) / den);
}

int64_t muldiv_floor(int64_t a, int64_t num, int64_t den)
{
    must(den > 0);
    ev_i128 x = (ev_i128)a * num;
    return narrow(x / den - (x % den < 0));
}

int64_t muldiv_ceil(int64_t a, int64_t num, int64_t den)
{
    must(den > 0);
    ev_i128 x = (ev_i128)a * num;
    return narrow(x / den + (x % den > 0));
}

struct money money_fee_line(int64_t energy_mwh, int64_t price_e5)
{
    /* mWh × 1e-5 yuan/kWh = 1e-11 yuan = 1e-9 fen. */
    int64_t fen = muldiv_half_up(energy_mwh, price_e5, INT64_C(1000000000));
    return MONEY(narrow((ev_i128)fen * MONEY_FEN));
}

struct money money_round_fen(struct money a)
{
    return MONEY(narrow((ev_i128)muldiv_half_up(a.v, 1, MONEY_FEN) * MONEY_FEN));
}

void money_format(struct money a, char out[MONEY_TEXT_SIZE])
{
    struct buf b;
    buf_init(&b, MONEY_TEXT_SIZE);
    buf_put_decimal(&b, a.v, 4, 2);
    must(!b.err && b.n < MONEY_TEXT_SIZE);
    str_copy(out, MONEY_TEXT_SIZE, buf_str(&b));
    buf_free(&b);
}

/* The parts of a decimal: digit runs before and after the point, and the exponent. */
struct parts {
    bool neg;
    struct str whole, frac;
    int64_t exp;
};

static struct str take_digits(struct str *s)
{
    struct str run = {s->p, 0};
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        run.n++;
        *s = (struct str){s->p + 1, s->n - 1};
    }
    return run;
}

static bool take(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static int take_exponent(struct str *s, int64_t *exp)
{
    const int64_t far = 1000000000; /* beyond any length of text that fits a message */
    bool neg = take(s, '-');
    if (!neg)
        take(s, '+');
    struct str run = take_digits(s);
    if (!run.n)
        return ERR_SYNTAX;
    int64_t e = 0;
    for (size_t i = 0; i < run.n; i++)
        e = e >= far ? far : e * 10 + (run.p[i] - '0');
    *exp = neg ? -e : e;
    return 0;
}

static int split(struct str s, struct parts *out)
{
    *out = (struct parts){.neg = take(&s, '-')};
    if (!out->neg)
        take(&s, '+');
    out->whole = take_digits(&s);
    if (take(&s, '.'))
        out->frac = take_digits(&s);
    if (!out->whole.n && !out->frac.n)
        return ERR_SYNTAX;
    if (take(&s, 'e') || take(&s, 'E')) {
        int err = take_exponent(&s, &out->exp);
        if (err)
            return err;
    }
    return s.n ? ERR_SYNTAX : 0;
}

static unsigned digit_at(const struct parts *d, int64_t i)
{
    if (i < (int64_t)d->whole.n)
        return (unsigned)(d->whole.p[i] - '0');
    i -= (int64_t)d->whole.n;
    return i < (int64_t)d->frac.n ? (unsigned)(d->frac.p[i] - '0') : 0;
}

int decimal_parse(struct str s, int scale, int64_t *out)
{
    struct parts d;
    int err = split(s, &d);
    if (err)
        return err;
    const uint64_t limit = (uint64_t)INT64_MAX + (d.neg ? 1 : 0);
    const int64_t have = (int64_t)(d.whole.n + d.frac.n);
    /* The first `keep` digits are the integer part of value × 10^scale; the next one rounds. */
    const int64_t keep = (int64_t)d.whole.n + d.exp + scale;
    uint64_t v = 0;
    for (int64_t i = 0; i < keep && (i < have || v); i++) {
        unsigned digit = digit_at(&d, i);
        if (v > (limit - digit) / 10)
            return ERR_RANGE;
        v = v * 10 + digit;
    }
    if (keep >= 0 && digit_at(&d, keep) >= 5 && ++v > limit)
        return ERR_RANGE;
    *out = d.neg ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

int money_parse(struct str s, struct money *out)
{
    struct parts d;
    int err = split(s, &d);
    if (err)
        return err;
    /* People write amounts: no exponent, no plus, digits on both sides of a point, and nothing that
     * would be rounded away. */
    if (str_find(s, 'e') >= 0 || str_find(s, 'E') >= 0 || str_find(s, '+') >= 0)
        return ERR_SYNTAX;
    if (!d.whole.n || (!d.frac.n && str_find(s, '.') >= 0))
        return ERR_SYNTAX;
    if (d.frac.n > 4)
        return ERR_RANGE;
    return decimal_parse(s, 4, &out->v);
}
