// SPDX-License-Identifier: Apache-2.0
/* cap.c: see cap.h. Two clocks are worked out from the last reading: when the stop is due if the
 * power goes on as its trend says (due), and the earliest moment it could be due if the power rose
 * as fast as vehicles do (worst). While worst is far, nothing happens; a reading that we can get is
 * asked for half-way to it, then half-way again, down to CAP_POLL_MS. When due comes, the stop goes
 * out, whether or not a last answer came.
 *
 * The stop leads the moment of the cap by the longest latency of the charger, less what an overrun
 * within OVERRUN_AIM allows where latencies are spread so far that the shortest would leave too
 * much unspent.
 *
 * A charger that obeys profiles is left a dead-man limit besides: its power falls to zero a margin
 * after the moment of the cap, should we be gone by then. While we are there it is moved ahead of
 * every session that goes well.
 *
 * Owns nothing; pure; the core's thread. */
#include "core/cap.h"

#include "base/compiler.h"

#define COST_SCALE     INT64_C(36000000000) /* W × ms × price_e5 per 1/10,000 yuan */
#define OVERRUN_AIM    300                  /* 0.03 yuan */
#define UNDERRUN_FREE  1000  /* 0.10 yuan may stay unspent before an overrun is risked */
#define RAMP_W_PER_MS  20    /* as fast as a vehicle's power rises: 20 kW a second */
#define TREND_MS       10000 /* how far ahead a rising power is taken to go on rising */
#define STEP_MS        250
#define FOREVER_MS     INT64_C(86400000)
#define ANSWER_MS      3000 /* a reading asked for comes within that, or never */
#define QUIET_MS       700 /* before the stop nothing is asked: a charger answers one call at a time */
#define IDLE_POLL_MS   10000 /* power is 0: no need to hurry */
#define UNANSWERED_MAX 3
#define TAPER_LEAD_MS  5000 /* from the profile to the lower power */
#define TAPER_WORTH    600  /* the spread must cost more than 0.06 yuan */
#define TAPER_SPREAD   300  /* after tapering, latency spread costs 0.03 yuan */
#define TAPER_MIN_W    10000
#define ZERO_MARGIN_MS                                                                             \
    10000                    /* the dead-man limit comes so long after the last moment of a stop   \
                              */
#define ZERO_SLACK_MS 5000   /* … and may be wrong by that much, or a sixteenth */
#define ZERO_LEASE_MS 30000  /* the least time left while the power is not known */
#define ZERO_IDLE_MS  120000 /* … and while it is 0: the vehicle may go on at any time */

/** A course of the power from the last reading on: rises by w_per_ms for rise_ms, up to most_w. */
struct course {
    int64_t power_w, most_w, w_per_ms, rise_ms;
};

/** The cap from the point of view of one reading. */
struct plan {
    int64_t due_ms, worst_ms; /* when the stop goes out, at the trend and at the earliest */
    int64_t spread;           /* cost of the latency spread at the power expected then */
};

struct money cap_cost(int64_t power_w, int64_t ms, int64_t price_e5)
{
    if (power_w <= 0 || ms <= 0 || price_e5 <= 0)
        return MONEY_ZERO;
    ev_i128 cost = (ev_i128)power_w * ms * price_e5;
    return MONEY((int64_t)((cost + COST_SCALE - 1) / COST_SCALE));
}

/** Time in which power_w costs `amount`; FOREVER_MS when it takes longer. */
static int64_t time_of_cost(int64_t amount, int64_t power_w, int64_t price_e5)
{
    if (power_w <= 0 || price_e5 <= 0)
        return FOREVER_MS;
    ev_i128 ms = (ev_i128)amount * COST_SCALE / ((ev_i128)power_w * price_e5);
    return ms > FOREVER_MS ? FOREVER_MS : (int64_t)ms;
}

/** Time after the reading at which `amount` more is spent on this course, and the power then. */
static int64_t course_time(const struct course *c, int64_t amount, int64_t price_e5,
                           int64_t *power_w)
{
    int64_t power = c->power_w, ms = 0;
    for (; ms < c->rise_ms && power < c->most_w; ms += STEP_MS) {
        int64_t next = power + c->w_per_ms * STEP_MS;
        if (next > c->most_w)
            next = c->most_w;
        int64_t cost = cap_cost((power + next) / 2, STEP_MS, price_e5).v;
        if (cost >= amount)
            break;
        amount -= cost;
        power = next;
    }
    *power_w = power;
    ms += time_of_cost(amount, power, price_e5);
    return ms < FOREVER_MS ? ms : FOREVER_MS;
}

static int64_t latency_min(const struct cap_view *v)
{
    return v->latency_min_ms > 0 ? v->latency_min_ms : CAP_LATENCY_MIN_MS;
}

static int64_t latency_max(const struct cap_view *v)
{
    int64_t most = v->latency_max_ms > 0 ? v->latency_max_ms : CAP_LATENCY_MAX_MS;
    return most < latency_min(v) ? latency_min(v) : most;
}

static int64_t spread_cost(const struct cap_view *v, int64_t power_w)
{
    return cap_cost(power_w, latency_max(v) - latency_min(v), v->price_e5).v;
}

/** How long before the cap the stop goes out. */
static int64_t stop_lead(const struct cap_view *v, int64_t power_w)
{
    int64_t risk = spread_cost(v, power_w) - UNDERRUN_FREE;
    if (risk <= 0)
        return latency_max(v);
    if (risk > OVERRUN_AIM)
        risk = OVERRUN_AIM;
    return latency_max(v) - time_of_cost(risk, power_w, v->price_e5);
}

static int64_t power_most(const struct cap_view *v)
{
    return v->power_w > v->power_max_w ? v->power_w : v->power_max_w;
}

static struct course course_of_trend(const struct cap_view *v)
{
    struct course c = {.power_w = v->power_w > 0 ? v->power_w : 0, .most_w = power_most(v)};
    int64_t ms = v->reading_ms - v->prev_ms;
    if (v->prev_power_w >= 0 && ms > 0 && v->power_w > v->prev_power_w) {
        c.w_per_ms = (v->power_w - v->prev_power_w) / ms;
        c.rise_ms = ms < TREND_MS ? ms : TREND_MS;
    }
    return c;
}

static struct course course_of_worst(const struct cap_view *v)
{
    struct course c = {.power_w = v->power_w > 0 ? v->power_w : 0,
                       .most_w = power_most(v),
                       .w_per_ms = RAMP_W_PER_MS};
    if (v->limit_w > 0 && v->power_w >= 0 && v->power_w <= v->limit_w + v->limit_w / 4)
        c.most_w = v->limit_w + v->limit_w / 4; /* the charger is seen to obey our limit */
    c.rise_ms = c.most_w / RAMP_W_PER_MS + STEP_MS;
    return c;
}

static void plan_make(const struct cap_view *v, int64_t left, struct plan *p)
{
    int64_t power;
    struct course worst = course_of_worst(v), trend = course_of_trend(v);
    p->worst_ms = v->reading_ms + course_time(&worst, left, v->price_e5, &power);
    p->worst_ms -= latency_max(v);
    p->due_ms = v->reading_ms + course_time(&trend, left, v->price_e5, &power);
    p->due_ms -= stop_lead(v, power);
    p->spread = spread_cost(v, power);
    if (p->worst_ms > p->due_ms)
        p->worst_ms = p->due_ms;
}

/** Ask again at again_ms, or earlier where that was said before. */
static void answer_wait(const struct cap_view *v, struct cap_answer *out, int64_t again_ms)
{
    if (again_ms <= v->now_ms)
        again_ms = v->now_ms + 1;
    if (out->again_ms > again_ms)
        out->again_ms = again_ms;
}

static bool can_read(const struct cap_view *v)
{
    return (v->traits & TRAIT_TRIGGER) && v->unanswered < UNANSWERED_MAX;
}

/** Lowers the power ahead of the stop where a spread of latencies would otherwise cost too much. */
static bool taper(const struct cap_view *v, const struct plan *p, struct cap_answer *out)
{
    bool seen = can_read(v) || v->interval_set || v->interval_ms <= TAPER_LEAD_MS;
    if (!(v->traits & TRAIT_PROFILE) || v->limit_w > 0 || p->spread <= TAPER_WORTH)
        return false;
    if (!seen)
        return false; /* the stop would still go out as if nothing were lowered */
    int64_t limit = time_of_cost(TAPER_SPREAD, 1, v->price_e5); /* W × ms */
    limit /= latency_max(v) - latency_min(v);
    if (limit < TAPER_MIN_W)
        limit = TAPER_MIN_W;
    int64_t at_ms = p->due_ms - TAPER_LEAD_MS;
    if (limit * 2 > v->power_w)
        return false;
    if (v->now_ms < at_ms) {
        answer_wait(v, out, at_ms);
        return false;
    }
    out->action = CAP_TAPER;
    out->limit_w = limit;
    answer_wait(v, out, v->now_ms + STEP_MS);
    return true;
}

/** Asks for a reading half-way between the last one and the earliest moment at which the stop could
 * be due. */
static bool read_due(const struct cap_view *v, const struct plan *p, struct cap_answer *out)
{
    int64_t gap = (p->worst_ms - v->reading_ms) / 2;
    int64_t least = v->power_w == 0 ? IDLE_POLL_MS : CAP_POLL_MS;
    int64_t at_ms = v->reading_ms + (gap > least ? gap : least);
    if (v->asked_ms && v->asked_ms + ANSWER_MS > at_ms)
        at_ms = v->asked_ms + ANSWER_MS;
    if (v->now_ms >= at_ms && p->due_ms - v->now_ms > QUIET_MS) {
        out->action = CAP_READ;
        at_ms = v->now_ms + ANSWER_MS;
    }
    answer_wait(v, out, at_ms < p->due_ms ? at_ms : p->due_ms);
    return out->action == CAP_READ;
}

/** Sets the short interval early enough that it is in force when it is needed: a charger may finish
 * the old one first. */
static bool interval_due(const struct cap_view *v, const struct plan *p, struct cap_answer *out)
{
    if (!(v->traits & TRAIT_INTERVAL) || v->interval_set || v->interval_ms <= CAP_INTERVAL_S * 1000)
        return false;
    int64_t at_ms = p->worst_ms - 2 * (int64_t)v->interval_ms;
    if (v->now_ms < at_ms) {
        answer_wait(v, out, at_ms);
        return false;
    }
    out->action = CAP_INTERVAL;
    out->interval_s = CAP_INTERVAL_S;
    answer_wait(v, out, v->now_ms + STEP_MS);
    return true;
}

void cap_decide(const struct cap_view *v, struct cap_answer *out)
{
    struct plan p;
    int64_t left = v->cap.v - v->spent.v;
    *out = (struct cap_answer){.action = CAP_WAIT, .again_ms = v->now_ms + FOREVER_MS};
    if (left <= 0) {
        out->action = CAP_STOP;
        return;
    }
    plan_make(v, left, &p);
    if (v->power_w > 0 && v->now_ms >= p.due_ms) {
        out->action = CAP_STOP;
        return;
    }
    if (v->power_w > 0)
        answer_wait(v, out, p.due_ms);
    if (taper(v, &p, out))
        return;
    if (can_read(v) && read_due(v, &p, out))
        return;
    if (!can_read(v))
        (void)interval_due(v, &p, out);
}

/* ---- the dead-man limit ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool power_steady(const struct cap_view *v)
{
    return v->power_w > 0 && v->prev_power_w > 0 && v->power_w * 100 <= v->prev_power_w * 105;
}

/** Time until the cap at the power that must be reckoned with; from when, goes to *from_ms. */
static int64_t zero_rest(const struct cap_view *v, int64_t *from_ms)
{
    int64_t left = v->cap.v > v->spent.v ? v->cap.v - v->spent.v : 0;
    int64_t most = power_most(v), power = v->power_w;
    if (v->limit_w > 0) { /* the same profile says it */
        most = least(most, v->limit_w + v->limit_w / 4);
        power = least(power, v->limit_w);
    }
    bool steady = power_steady(v);
    int64_t rest = time_of_cost(left, steady ? power : most, v->price_e5);
    *from_ms = v->power_w == 0 ? v->now_ms : v->reading_ms;
    if (!steady && *from_ms + rest < v->now_ms + ZERO_LEASE_MS)
        rest = v->now_ms + ZERO_LEASE_MS - *from_ms; /* we are there, and will tell again in time */
    if (v->power_w == 0 && rest < ZERO_IDLE_MS)
        rest = ZERO_IDLE_MS;
    return rest;
}

int64_t cap_zero_ms(const struct cap_view *v)
{
    int64_t from_ms, rest = zero_rest(v, &from_ms);
    int64_t at_ms = from_ms + rest + rest / 32;
    if (at_ms < v->now_ms)
        at_ms = v->now_ms;
    return at_ms + ZERO_MARGIN_MS + latency_max(v);
}

bool cap_zero_moved(const struct cap_view *v, int64_t zero_ms)
{
    if (!zero_ms)
        return true;
    int64_t at_ms = cap_zero_ms(v), far = at_ms - v->now_ms;
    if (far < ZERO_MARGIN_MS + latency_max(v) + ZERO_SLACK_MS)
        return false; /* the stop is about to go out: nothing may stand in its way */
    int64_t slack = far / 16 > ZERO_SLACK_MS ? far / 16 : ZERO_SLACK_MS;
    if (at_ms < zero_ms - slack)
        return true;
    return at_ms > zero_ms + slack && zero_ms - v->now_ms < 2 * (at_ms - zero_ms);
}

void cap_learn(int32_t *latency_min_ms, int32_t *latency_max_ms, int64_t latency_ms)
{
    const int64_t most = 60000;
    int64_t low = *latency_min_ms > 0 ? *latency_min_ms : CAP_LATENCY_MIN_MS;
    int64_t high = *latency_max_ms > 0 ? *latency_max_ms : CAP_LATENCY_MAX_MS;
    int64_t seen = latency_ms < 1 ? 1 : latency_ms > most ? most : latency_ms;
    low = seen < low ? seen : low + (seen - low) / 16;
    high = seen > high
               ? seen
               : high - (high - seen) / 64; /* a late stop costs money, an early one little */
    *latency_min_ms = (int32_t)low;
    *latency_max_ms = (int32_t)high;
}
