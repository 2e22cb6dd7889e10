// SPDX-License-Identifier: Apache-2.0
/* allot.c: see allot.h. Aim: both guns come to the end of their parts at the same moment, with the cap spent.
 * So what is left of the cap is divided as their powers are. Readings are some seconds old: what a
 * gun drew since counts as spent, and the slower one keeps enough for a minute. Whether that guess
 * was right decides how often parts move, never whether they are safe. */
#include "core/allot.h"

#include "base/money.h"
#include "core/cap.h"

#define FAR_MS   INT64_C(86400000)
#define HEARD_MS 60000 /* within that a reading comes that shows what an acknowledgement did */
#define LEAST    (5 * MONEY_FEN) /* less is not moved */
#define ALONE_MS 10000           /* nor what the other gun takes no longer for */
#define KEEP_MS  60000           /* the gun that is lowered keeps what it takes so long for … */
#define KEEP_W   1000            /* … at this power, when it draws less */

void allot_halves(int64_t cap, int64_t part[2])
{
    part[1] = cap / 2 / MONEY_FEN * MONEY_FEN;
    part[0] = cap - part[1];
}

void allot_more(struct allot *a, int64_t amount)
{
    int64_t half = amount / 2 / MONEY_FEN * MONEY_FEN;
    a->part[0] += amount - half;
    a->part[1] += half;
    a->move.part = 0;
}

/* ---- a move under way ---- */

void allot_quiet(struct allot_move *m, int64_t now_ms)
{
    m->quiet_ms = now_ms + ALLOT_QUIET_MS;
}

static void move_fail(struct allot_move *m, int64_t now_ms)
{
    m->part = 0;
    allot_quiet(m, now_ms);
}

void allot_answer(struct allot_move *m, int64_t now_ms, bool accepted, int32_t readings)
{
    if (!m->part)
        return;
    if (!accepted) {
        move_fail(m, now_ms);
        return;
    }
    m->heard = true;
    m->heard_ms = now_ms;
    m->readings = readings;
}

/* Step 3: does a reading after the acknowledgement show the gun below its lower part? */
static void move_confirm(struct allot *a, const struct allot_view *v)
{
    struct allot_move *m = &a->move;
    const struct allot_gun *g = &v->gun[m->gun];
    if (!m->part || !m->heard)
        return;
    if (g->readings > m->readings && g->spent <= m->part) {
        if (m->part < a->part[m->gun])
            a->part[m->gun] = m->part;
        m->part = 0;
    } else if (v->now_ms - m->heard_ms >= HEARD_MS) {
        move_fail(m, v->now_ms);
    }
}

/* ---- what each should have ---- */

static int64_t fen_down(int64_t v)
{
    return v - v % MONEY_FEN;
}

static int64_t spent_by_now(const struct allot_view *v, int gun)
{
    const struct allot_gun *g = &v->gun[gun];
    return g->spent + cap_cost(g->power_w, v->now_ms - g->reading_ms, v->price_e5).v;
}

/* Until the gun has spent its part. */
static int64_t lasts_ms(const struct allot *a, const struct allot_view *v, int gun)
{
    int64_t left = a->part[gun] - spent_by_now(v, gun);
    int64_t minute = cap_cost(v->gun[gun].power_w, 60000, v->price_e5).v;
    if (minute <= 0 || left / minute >= FAR_MS / 60000)
        return FAR_MS;
    return left > 0 ? muldiv_floor(left, 60000, minute) : 0;
}

/* What is left of the cap, divided as the powers are; the gun that is to be lowered keeps more. */
struct want {
    int64_t near, other; /* parts of whole fen */
};

static void want_of(const struct allot_view *v, int near, struct want *out)
{
    int other = !near;
    int64_t spent[2] = {spent_by_now(v, 0), spent_by_now(v, 1)};
    int64_t power = v->gun[other].power_w, both = v->gun[near].power_w + power;
    int64_t left = v->cap - spent[0] - spent[1];
    int64_t kept = cap_cost(power > KEEP_W ? power : KEEP_W, KEEP_MS, v->price_e5).v;
    int64_t needs = left > 0 ? muldiv_floor(left, power, both) : 0;
    if (needs < kept)
        needs = kept;
    out->other = fen_down(spent[other] + needs + MONEY_FEN - 1);
    out->near = out->other < v->cap ? v->cap - out->other : 0;
}

/* Is it worth its messages? The other gun would charge such an amount alone, later. */
static bool worth(const struct allot_view *v, int other, int64_t amount)
{
    return amount >= LEAST && amount >= cap_cost(v->gun[other].power_w, ALONE_MS, v->price_e5).v;
}

/* The gun `near` needs more than its part: of what is free, or else by lowering the other. */
static void help(struct allot *a, const struct allot_view *v, int near, struct allot_step *out)
{
    struct want want;
    want_of(v, near, &want);
    int other = !near;
    int64_t free = fen_down(v->cap - a->part[0] - a->part[1]), gain = want.near - a->part[near];
    int64_t less = a->part[other] - want.other;
    gain = fen_down(gain < free ? gain : free);
    if (worth(v, other, gain)) {
        a->part[near] += gain;
        *out = (struct allot_step){ALLOT_RAISE, near, a->part[near], v->now_ms + FAR_MS};
    } else if (!worth(v, other, less)) {
        return;
    } else if (v->now_ms < a->move.quiet_ms) {
        out->again_ms = a->move.quiet_ms;
    } else {
        a->move.part = want.other;
        a->move.gun = other;
        a->move.heard = false;
        *out = (struct allot_step){ALLOT_LOWER, other, want.other, v->now_ms + FAR_MS};
    }
}

void allot_decide(struct allot *a, const struct allot_view *v, struct allot_step *out)
{
    *out = (struct allot_step){.again_ms = v->now_ms + FAR_MS};
    move_confirm(a, v);
    if (a->move.part) {
        if (a->move.heard)
            out->again_ms = a->move.heard_ms + HEARD_MS;
        return;
    }
    if (v->cap <= 0 || v->price_e5 <= 0 || v->gun[0].power_w < 0 || v->gun[1].power_w < 0)
        return;
    int64_t lasts[2] = {lasts_ms(a, v, 0), lasts_ms(a, v, 1)};
    int near = lasts[1] < lasts[0];
    if (v->gun[near].power_w == 0)
        return; /* neither draws, or the one that does has enough */
    if (lasts[near] <= ALLOT_NEAR_MS)
        help(a, v, near, out);
    else
        out->again_ms = v->now_ms + lasts[near] - ALLOT_NEAR_MS;
}
