// SPDX-License-Identifier: Apache-2.0
/* deal.c: see deal.h. Owns nothing; pure. must() guards the sums. */
#include "core/deal.h"

#include "base/must.h"

int32_t deal_add(struct deal *d, ev_i128 due, int64_t behind)
{
    must(d->n < DEAL_MAX && due >= 0);
    d->due[d->n] = due;
    d->behind[d->n] = d->rounding == ROUND_DEFICIT ? behind : 0;
    d->part[d->n] = 0;
    return d->n++;
}

static int32_t furthest_behind(const struct deal *d)
{
    int32_t best = 0;
    for (int32_t i = 1; i < d->n; i++)
        if (d->behind[i] > d->behind[best])
            best = i;
    return best;
}

/** The one furthest ahead that has at least a unit in this amount, or -1. */
static int32_t furthest_ahead(const struct deal *d)
{
    int32_t best = -1;
    for (int32_t i = 0; i < d->n; i++)
        if (d->part[i] >= d->unit && d->behind[i] < 0 &&
            (best < 0 || d->behind[i] < d->behind[best]))
            best = i;
    return best;
}

static void deal_give(struct deal *d, int32_t i, int64_t amount)
{
    d->part[i] += amount;
    d->behind[i] -= amount * d->den;
}

/** Gives the whole posting units due; returns what is left of the amount. */
static int64_t deal_floors(struct deal *d, int64_t amount)
{
    int64_t left = amount;
    for (int32_t i = 0; i < d->n; i++) {
        int64_t part = (int64_t)(d->due[i] / d->den / d->unit) * d->unit;
        d->part[i] = part;
        d->behind[i] += (int64_t)(d->due[i] - (ev_i128)part * d->den);
        left -= part;
    }
    return left;
}

static void deal_deficit(struct deal *d, int64_t amount)
{
    int64_t left = deal_floors(d, amount);
    must(left >= 0 && left < d->unit * (d->n + 1));
    for (; left >= d->unit; left -= d->unit)
        deal_give(d, furthest_behind(d), d->unit);
    if (left)
        deal_give(d, furthest_behind(d), left);
    for (int32_t moves = 0; moves < d->n; moves++) {
        int32_t to = furthest_behind(d);
        int32_t from = furthest_ahead(d);
        if (d->behind[to] < d->unit * d->den || from < 0)
            break;
        deal_give(d, from, -d->unit);
        deal_give(d, to, d->unit);
    }
}

static void deal_half_up(struct deal *d, int64_t amount)
{
    const ev_i128 one = (ev_i128)d->unit * d->den;
    int64_t left = amount;
    for (int32_t i = 0; i < d->n; i++) {
        if (i == d->taker)
            continue;
        int64_t part = (int64_t)((2 * d->due[i] + one) / (2 * one)) * d->unit;
        d->part[i] = part < left ? part : left;
        left -= d->part[i];
    }
    d->part[d->taker] = left;
}

void deal_divide(struct deal *d, int64_t amount)
{
    int64_t sum = 0;
    must(d->n > 0 && d->taker < d->n);
    if (d->rounding == ROUND_HALF_UP)
        deal_half_up(d, amount);
    else
        deal_deficit(d, amount);
    for (int32_t i = 0; i < d->n; i++) {
        must(d->part[i] >= 0);
        sum += d->part[i];
        if (d->rounding != ROUND_DEFICIT)
            d->behind[i] = 0;
    }
    must(sum == amount);
}
