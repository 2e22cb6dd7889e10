// SPDX-License-Identifier: Apache-2.0
/* model.c: see model.h. Data: the struct, and the bytes of its queue.
 * Invariants: 1. meter_mwh never falls; 2. every transaction queues one start before its stop, also
 * while offline; 3. a gun takes no new transaction before its last stop was delivered (so that what
 * the stop's frame needs is still in the gun); 4. time in the model never goes back.
 * Fails: a full queue loses readings and states, counted, never starts and stops. One thread. */
#include "sim/model.h"

#include "base/err.h"
#include "base/must.h"

#include <stdio.h>

enum {
    GIVE_READING_MS = 30000, /* while energy flows back */
    TURN_MS = 1000,
    STEP_MS = 500, /* of the integration */
    QUEUE_MAX = 256,
    QUEUE_RESERVE = 32, /* places only for starts and stops */
    HOUR_MS = 3600000,
    CHINA_MS = 8 * HOUR_MS, /* 云快充 prices go by Chinese time */
};
#define NEVER INT64_MAX

static const char *const habit_names[HABIT_COUNT] = {
    "normal",       "full",         "unplug",     "fault",       "offline",
    "slow-stop",    "ignore-stop",  "clock-skew", "placeholder", "duplicate",
    "reject-start", "silent-start", "mute-start", "lost-record", "lost-ack"};

const char *model_habit_name(enum model_habit h)
{
    return (unsigned)h < HABIT_COUNT ? habit_names[h] : NULL;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- the queue ---- */

static size_t queued(const struct model *m)
{
    return (m->queue.n - m->queue_at) / sizeof(struct model_event);
}

static void queue_put(struct model *m, const struct model_event *e)
{
    bool must_keep = e->type == MODEL_EVENT_START || e->type == MODEL_EVENT_STOP;
    if (queued(m) >= QUEUE_MAX - QUEUE_RESERVE && !must_keep) {
        m->lost++;
        return;
    }
    if (m->queue_at >= 64 * sizeof *e) {
        buf_drop(&m->queue, m->queue_at);
        m->queue_at = 0;
    }
    buf_put(&m->queue, e, sizeof *e);
    must(!m->queue.err); /* two guns cannot fill the reserve: invariant 3 */
}

const struct model_event *model_head(const struct model *m)
{
    return queued(m) ? (const void *)(m->queue.p + m->queue_at) : NULL;
}

void model_pop(struct model *m)
{
    const struct model_event *e = model_head(m);
    must(e);
    if (e->type == MODEL_EVENT_STOP)
        m->guns[e->gun].stops_queued--;
    m->queue_at += sizeof *e;
    if (m->queue_at == m->queue.n) {
        buf_free(&m->queue); /* an idle charger keeps nothing */
        m->queue_at = 0;
    }
}

/* ---- what is said ---- */

int64_t model_clock_ms(const struct model *m, int64_t now_ms)
{
    return now_ms + m->clock_ms + m->skew_ms;
}

static int64_t soc_of(const struct model_gun *g)
{
    int64_t soc = g->soc0_pm;
    int64_t moved = g->gives ? g->start_mwh - g->meter_mwh : g->meter_mwh - g->start_mwh;
    if (g->capacity_mwh)
        soc += moved * 1000 / g->capacity_mwh;
    return soc > 1000 ? 1000 : soc < 0 ? 0 : soc;
}

void model_sample(const struct model *m, unsigned gun, struct model_event *out)
{
    const struct model_gun *g = &m->guns[gun];
    *out = (struct model_event){
        .type = MODEL_EVENT_METER,
        .gun = (uint8_t)gun,
        .state = g->state,
        .power_w = g->power_w,
        .soc_pm = (int16_t)(model_busy(m, gun) ? soc_of(g) : g->soc0_pm),
        .time_ms = model_clock_ms(m, g->at_ms),
        .meter_mwh = g->meter_mwh,
    };
}

static void say(struct model *m, unsigned gun, enum model_event_type type)
{
    struct model_gun *g = &m->guns[gun];
    struct model_event e;
    model_sample(m, gun, &e);
    e.type = (uint8_t)type;
    e.reason = g->reason;
    if (type == MODEL_EVENT_START && g->habit == HABIT_PLACEHOLDER)
        e.meter_mwh = 0;
    queue_put(m, &e);
    if (g->habit == HABIT_DUPLICATE && type != MODEL_EVENT_STATUS && type != MODEL_EVENT_AUTHORIZE)
        queue_put(m, &e);
}

static void become(struct model *m, unsigned gun, enum model_gun_state state, int64_t due_ms)
{
    struct model_gun *g = &m->guns[gun];
    g->state = (uint8_t)state;
    g->due_ms = due_ms;
    say(m, gun, MODEL_EVENT_STATUS);
}

/* ---- vehicles ---- */

static enum model_habit draw_habit(struct model *m)
{
    uint64_t sum = 0;
    for (int h = 0; m->mix && h < HABIT_COUNT; h++)
        sum += m->mix[h];
    if (!sum)
        return HABIT_NORMAL;
    uint64_t at = rng_below(&m->rng, sum);
    int h = 0;
    for (; at >= m->mix[h]; h++)
        at -= m->mix[h];
    return (enum model_habit)h;
}

static int64_t in_range(struct model *m, int64_t now_ms, int64_t lo_s, int64_t hi_s)
{
    return now_ms + rng_range(&m->rng, lo_s * 1000, hi_s * 1000);
}

static int32_t draw_percent(struct model *m, int64_t of, int64_t lo, int64_t hi)
{
    return (int32_t)(of * rng_range(&m->rng, lo, hi) / 100);
}

/* Battery and appetite of the vehicle that came. */
static void draw_vehicle(struct model *m, struct model_gun *g)
{
    const struct model_traits *t = &m->traits;
    g->capacity_mwh = rng_range(&m->rng, 35, 110) * 1000000;
    g->soc0_pm = (int16_t)rng_range(&m->rng, 80, 650);
    g->knee_pm = (int16_t)(t->dc ? rng_range(&m->rng, 600, 850) : 960);
    g->vehicle_w = draw_percent(m, t->power_w, t->dc ? 70 : 90, 115);
    g->ramp_ms = (int32_t)rng_range(&m->rng, t->dc ? 8000 : 2000, t->dc ? 30000 : 6000);
    g->take_mwh = g->capacity_mwh * (1000 - g->soc0_pm) / 1000;
}

void model_set_habit(struct model *m, unsigned gun, enum model_habit h, int64_t now_ms)
{
    must(gun < m->traits.guns && (unsigned)h < HABIT_COUNT);
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    g->habit = (uint8_t)h;
    bool skewed = false; /* one clock for all guns */
    for (unsigned i = 0; i < m->traits.guns; i++)
        skewed = skewed || m->guns[i].habit == HABIT_CLOCK_SKEW;
    if (h == HABIT_CLOCK_SKEW)
        m->skew_ms = rng_range(&m->rng, -2 * HOUR_MS, 2 * HOUR_MS);
    else if (!skewed)
        m->skew_ms = 0;
    if (h == HABIT_FULL)
        g->take_mwh = rng_range(&m->rng, 200000, 4000000);
}

int model_plug(struct model *m, unsigned gun, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    if (g->state != GUN_FREE)
        return ERR_CONFLICT;
    draw_vehicle(m, g);
    model_set_habit(m, gun, draw_habit(m), now_ms);
    g->walkup = rng_below(&m->rng, 1000) < m->traits.walkup_pm;
    int64_t leaves_ms = m->traits.autoplug ? in_range(m, g->at_ms, 1800, 3600) : NEVER;
    become(m, gun, GUN_PLUGGED, g->walkup ? in_range(m, g->at_ms, 3, 20) : leaves_ms);
    return 0;
}

/* ---- transactions ---- */

bool model_busy(const struct model *m, unsigned gun)
{
    uint8_t s = m->guns[gun].state;
    return s == GUN_CHARGING || s == GUN_SUSPENDED;
}

int64_t model_energy_mwh(const struct model *m, unsigned gun)
{
    return m->guns[gun].meter_mwh - m->guns[gun].start_mwh;
}

int64_t model_class_amount(const struct model *m, unsigned gun, unsigned class)
{
    return muldiv_half_up(m->guns[gun].class_mwh[class] / 100, m->prices.price_e5[class], 100000);
}

int64_t model_amount(const struct model *m, unsigned gun)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum += model_class_amount(m, gun, i);
    return sum;
}

static void begin(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    int64_t now = g->at_ms;
    g->start_mwh = g->meter_mwh;
    g->start_ms = now;
    g->stop_ms = NEVER;
    g->take_mwh = least(g->take_mwh, g->capacity_mwh * (1000 - g->soc0_pm) / 1000);
    g->tx = 0;
    memset(g->class_mwh, 0, sizeof g->class_mwh);
    g->sample_ms = now + (g->gives ? GIVE_READING_MS : m->interval_ms);
    g->trouble_ms = NEVER;
    if (g->habit == HABIT_UNPLUG || g->habit == HABIT_FAULT || g->habit == HABIT_OFFLINE)
        g->trouble_ms = in_range(m, now, 20, 180);
    bool state_first = rng_below(&m->rng, 2); /* both orders are seen in the field */
    if (state_first)
        become(m, gun, GUN_CHARGING, NEVER);
    g->state = GUN_CHARGING;
    say(m, gun, MODEL_EVENT_START);
    if (!state_first)
        become(m, gun, GUN_CHARGING, NEVER);
}

static void end(struct model *m, unsigned gun, enum model_reason reason, enum model_gun_state after)
{
    struct model_gun *g = &m->guns[gun];
    g->reason = (uint8_t)reason;
    g->power_w = 0;
    g->end_ms = g->at_ms;
    g->stops_queued = g->habit == HABIT_DUPLICATE ? 2 : 1;
    g->stop_ms = NEVER;
    g->soc0_pm = (int16_t)soc_of(g);
    g->limit_w = -1;
    g->later_ms = NEVER;
    say(m, gun, MODEL_EVENT_STOP);
    bool leaves = after == GUN_FAULTED || m->traits.autoplug;
    become(m, gun, after, leaves ? in_range(m, g->at_ms, 15, 90) : NEVER);
}

static void leave(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    if (model_busy(m, gun))
        end(m, gun, STOPPED_UNPLUGGED, GUN_FINISHED);
    int64_t next_ms = m->traits.autoplug ? in_range(m, g->at_ms, 10, 60) : NEVER;
    g->turning = false;
    become(m, gun, GUN_FREE, next_ms);
}

void model_unplug(struct model *m, unsigned gun, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    uint8_t s = m->guns[gun].state;
    if (s != GUN_FREE && s != GUN_DISABLED)
        leave(m, gun);
}

static void set_id(struct model_gun *g, struct str id)
{
    (void)str_copy(g->id, sizeof g->id, id);
}

static int startable(const struct model_gun *g)
{
    switch ((enum model_gun_state)g->state) {
    case GUN_FREE:
        return ERR_NOT_PLUGGED;
    case GUN_PLUGGED:
    case GUN_FINISHED:
        return g->stops_queued ? ERR_BUSY : 0;
    case GUN_FAULTED:
    case GUN_DISABLED:
        return ERR_FAULTED;
    default:
        return ERR_BUSY;
    }
}

/* The vehicle may be at the other gun too: then both are asked for, with one card. */
static void ask_both(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun], *other = &m->guns[gun ^ 1U];
    g->pair = PAIR_NONE;
    if (!m->traits.pairs_pm || m->traits.guns < 2 || other->state != GUN_PLUGGED ||
        other->stops_queued || rng_below(&m->rng, 1000) >= m->traits.pairs_pm)
        return;
    g->pair = PAIR_MAIN;
    other->pair = PAIR_AUX;
    other->walkup = false;
    other->balance = NEVER;
    other->state = GUN_ASKING;
    other->due_ms = g->due_ms;
    set_id(other, str_from_c(g->id));
    say(m, gun ^ 1U, MODEL_EVENT_AUTHORIZE);
}

int model_swipe(struct model *m, unsigned gun, struct str tag, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    int err = startable(g);
    if (err)
        return err;
    set_id(g, tag);
    g->gives = false;
    g->balance = NEVER;
    if (m->linked) {
        g->state = GUN_ASKING;
        g->due_ms = in_range(m, g->at_ms, 60, 90);
        say(m, gun, MODEL_EVENT_AUTHORIZE);
        ask_both(m, gun);
    } else {
        become(m, gun, GUN_STARTING, in_range(m, g->at_ms, 2, 6));
    }
    return 0;
}

void model_authorized(struct model *m, unsigned gun, bool ok, int64_t now_ms)
{
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    if (g->state != GUN_ASKING)
        return;
    g->walkup = false;
    int64_t leaves_ms = m->traits.autoplug ? in_range(m, g->at_ms, 60, 600) : NEVER;
    g->state = (uint8_t)(ok ? GUN_STARTING : GUN_PLUGGED);
    g->due_ms = ok ? in_range(m, g->at_ms, 2, 6) : leaves_ms;
}

void model_granted(struct model *m, unsigned gun, struct str order, int64_t balance, int64_t now_ms)
{
    model_authorized(m, gun, true, now_ms);
    struct model_gun *g = &m->guns[gun];
    if (g->state != GUN_STARTING)
        return; /* the vehicle left meanwhile */
    set_id(g, order);
    g->balance = balance;
}

void model_started(struct model *m, unsigned gun, int32_t tx, bool ok, int64_t now_ms)
{
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    g->tx = tx;
    if (!ok && model_busy(m, gun) && g->stop_ms == NEVER) {
        g->stop_ms = g->at_ms + rng_range(&m->rng, 200, 1500);
        g->reason = STOPPED_REFUSED;
    }
}

/* Ends what runs; the other begins when its record was delivered. */
static void turn_round(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    end(m, gun, STOPPED_TURNED, GUN_FINISHED);
    g->turning = true;
    g->state = GUN_STARTING;
    g->due_ms = g->at_ms + TURN_MS;
}

static void next_take(struct model_gun *g)
{
    set_id(g, str_from_c(g->next.id));
    g->gives = g->next.gives;
    g->floor_pm = g->next.floor_pm;
    g->balance = g->next.balance;
}

/* g->next may begin: 0; else as model_remote_start. */
static int start_next(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    bool turns = model_busy(m, gun) && g->gives != g->next.gives && !m->traits.no_turn &&
                 g->stop_ms == NEVER;
    int err = turns ? 0 : startable(g);
    if (err)
        return err;
    if (g->habit == HABIT_REJECT_START)
        return ERR_REJECTED;
    if (g->habit == HABIT_MUTE_START)
        return ERR_TIMEOUT;
    if (g->habit == HABIT_SILENT_START)
        return 0;
    g->walkup = false;
    g->pair = PAIR_NONE;
    if (turns) {
        turn_round(m, gun);
        return 0;
    }
    next_take(g);
    g->state = GUN_STARTING;
    g->due_ms = in_range(m, g->at_ms, 2, 8);
    return 0;
}

int model_remote_start(struct model *m, unsigned gun, struct str id, int64_t balance,
                       int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    if (g->turning)
        return ERR_BUSY;
    g->next.gives = false;
    g->next.balance = balance;
    (void)str_copy(g->next.id, sizeof g->next.id, id);
    return start_next(m, gun);
}

int model_discharge(struct model *m, unsigned gun, struct str id, int32_t floor_pm, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    if (g->turning)
        return ERR_BUSY;
    g->next.gives = true;
    g->next.floor_pm = (int16_t)floor_pm;
    g->next.balance = NEVER;
    (void)str_copy(g->next.id, sizeof g->next.id, id);
    return start_next(m, gun);
}

int model_remote_stop(struct model *m, unsigned gun, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    struct model_gun *g = &m->guns[gun];
    if (!model_busy(m, gun))
        return ERR_CONFLICT;
    if (g->habit == HABIT_IGNORE_STOP || g->stop_ms != NEVER)
        return 0;
    bool slow = g->habit == HABIT_SLOW_STOP;
    g->stop_ms =
        g->at_ms + (slow ? rng_range(&m->rng, 8000, 20000)
                         : rng_range(&m->rng, m->traits.stop_min_ms, m->traits.stop_max_ms));
    g->reason = STOPPED_REMOTE;
    return 0;
}

/* ---- the passing of time ---- */

/* What flows now. All limits in W. */
static int32_t power_now(const struct model *m, const struct model_gun *g)
{
    const struct model_traits *t = &m->traits;
    int64_t most = g == &m->guns[1] && t->second_w ? t->second_w : t->power_w;
    int64_t p = most < g->vehicle_w ? most : g->vehicle_w;
    int64_t elapsed = g->at_ms - g->start_ms, soc = soc_of(g);
    if (g->state != GUN_CHARGING)
        return 0;
    if (g->gives)
        p /= 2; /* the inverter's */
    else if (soc > g->knee_pm)
        p = p * (1050 - soc) / (1050 - g->knee_pm);
    p += p * g->wobble_pm / 1000;
    if (p > most)
        p = most;
    if (g->limit_w >= 0 && p > g->limit_w)
        p = g->limit_w;
    if (elapsed < g->ramp_ms)
        p = p * (elapsed + STEP_MS) / (g->ramp_ms + STEP_MS);
    return (int32_t)p;
}

static void flow(struct model *m, struct model_gun *g, int64_t ms)
{
    if (g->at_ms >= g->later_ms) {
        g->limit_w = g->later_w;
        g->later_ms = NEVER;
    }
    g->power_w = power_now(m, g);
    int64_t energy = g->rest + (int64_t)g->power_w * ms; /* W·ms; 3,600 of them are one mWh */
    int64_t mwh = energy / 3600;
    g->rest = energy % 3600;
    g->meter_mwh += mwh;
    unsigned slot = (unsigned)(((model_clock_ms(m, g->at_ms) + CHINA_MS) / 1800000) % 48);
    g->class_mwh[m->prices.slot[slot] & 3] += mwh;
    g->at_ms += ms;
}

static void reading(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    g->wobble_pm = (int16_t)rng_range(&m->rng, -8, 8);
    g->sample_ms = g->at_ms + (g->gives ? GIVE_READING_MS : m->interval_ms);
    say(m, gun, MODEL_EVENT_METER);
}

static void go_offline(struct model *m, int64_t at_ms, int64_t lo_s, int64_t hi_s)
{
    m->link_wanted = false;
    m->link_ms = in_range(m, at_ms, lo_s, hi_s);
}

static void trouble(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    g->trouble_ms = NEVER;
    if (g->habit == HABIT_UNPLUG) {
        leave(m, gun);
    } else if (g->habit == HABIT_FAULT) {
        end(m, gun, STOPPED_FAULT, GUN_FAULTED);
    } else {
        go_offline(m, g->at_ms, 30, 180);
        if (rng_below(&m->rng, 3) == 0) { /* the whole end happens while nobody looks */
            g->stop_ms = in_range(m, g->at_ms, 10, 60);
            g->reason = STOPPED_LOCAL;
        }
    }
}

/* What may happen at this very moment of a transaction. */
static void charging_events(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    int64_t now = g->at_ms;
    if (now >= g->stop_ms) {
        end(m, gun, (enum model_reason)g->reason, GUN_FINISHED);
    } else if (m->traits.stops_at_balance && model_amount(m, gun) >= g->balance) {
        end(m, gun, STOPPED_BALANCE, GUN_FINISHED);
    } else if (g->gives && soc_of(g) <= g->floor_pm) {
        end(m, gun, STOPPED_FLOOR, GUN_FINISHED);
    } else if (now >= g->trouble_ms) {
        trouble(m, gun);
    } else if (g->state == GUN_CHARGING && !g->gives && model_energy_mwh(m, gun) >= g->take_mwh) {
        if (m->traits.stops_at_balance && g->habit != HABIT_FULL)
            end(m, gun, STOPPED_FULL, GUN_FINISHED);
        else
            become(m, gun, GUN_SUSPENDED,
                   m->traits.autoplug ? in_range(m, now, 1200, 3600) : NEVER);
    } else if (now >= g->due_ms) {
        leave(m, gun);
    } else if (now >= g->sample_ms) {
        reading(m, gun);
    }
}

/* The next moment at which something changes in a transaction. */
static int64_t next_change(const struct model_gun *g)
{
    return least(least(g->stop_ms, g->sample_ms), least(g->trouble_ms, g->due_ms));
}

static int64_t next_of(const struct model *m, unsigned gun)
{
    const struct model_gun *g = &m->guns[gun];
    if (!model_busy(m, gun))
        return g->due_ms;
    bool watches = g->state == GUN_CHARGING && m->traits.stops_at_balance;
    return least(next_change(g), g->at_ms + (watches ? STEP_MS : 4 * STEP_MS));
}

static void charge_step(struct model *m, unsigned gun, int64_t now_ms)
{
    struct model_gun *g = &m->guns[gun];
    int64_t to = least(least(now_ms, g->at_ms + STEP_MS), next_change(g));
    if (g->later_ms > g->at_ms)
        to = least(to, g->later_ms);
    if (to > g->at_ms)
        flow(m, g, to - g->at_ms);
    charging_events(m, gun);
}

static void walk_up(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    char tag[16];
    unsigned cards = m->traits.cards ? m->traits.cards : 5;
    snprintf(tag, sizeof tag, "CARD%04u", 2 + (unsigned)rng_below(&m->rng, cards));
    g->walkup = false;
    g->due_ms = m->traits.autoplug ? in_range(m, g->at_ms, 1800, 3600) : NEVER;
    if (g->habit == HABIT_OFFLINE && rng_below(&m->rng, 2) && m->linked)
        go_offline(m, g->at_ms, 60, 300);
    must(model_swipe(m, gun, str_from_c(tag), g->at_ms) == 0);
}

/* The due moment of a gun that is not charging. */
static void gun_due(struct model *m, unsigned gun)
{
    struct model_gun *g = &m->guns[gun];
    g->due_ms = NEVER;
    switch ((enum model_gun_state)g->state) {
    case GUN_FREE:
        must(model_plug(m, gun, g->at_ms) == 0);
        break;
    case GUN_PLUGGED:
        if (g->walkup && !g->stops_queued)
            walk_up(m, gun);
        else
            leave(m, gun);
        break;
    case GUN_ASKING: /* no answer: the driver gives up */
        become(m, gun, GUN_PLUGGED, m->traits.autoplug ? in_range(m, g->at_ms, 30, 300) : NEVER);
        break;
    case GUN_STARTING:
        if (g->turning && g->stops_queued) {
            g->due_ms = g->at_ms + STEP_MS;
            break;
        }
        if (g->turning)
            next_take(g);
        g->turning = false;
        begin(m, gun);
        break;
    case GUN_FINISHED:
    case GUN_FAULTED:
        leave(m, gun);
        break;
    default:
        break;
    }
}

static void gun_advance(struct model *m, unsigned gun, int64_t now_ms)
{
    struct model_gun *g = &m->guns[gun];
    while (g->at_ms < now_ms || next_of(m, gun) <= now_ms) {
        if (model_busy(m, gun)) {
            charge_step(m, gun, now_ms);
        } else if (g->due_ms <= now_ms) {
            g->at_ms = g->due_ms > g->at_ms ? g->due_ms : g->at_ms;
            gun_due(m, gun);
        } else {
            g->at_ms = now_ms;
        }
    }
}

void model_advance(struct model *m, int64_t now_ms)
{
    for (unsigned i = 0; i < m->traits.guns; i++)
        gun_advance(m, i, now_ms);
    if (!m->link_wanted && now_ms >= m->link_ms)
        m->link_wanted = true;
}

int64_t model_next_ms(const struct model *m)
{
    int64_t next = m->link_wanted ? NEVER : m->link_ms;
    for (unsigned i = 0; i < m->traits.guns; i++)
        next = least(next, next_of(m, i));
    return next;
}

/* ---- life and settings ---- */

void model_init(struct model *m, const struct model_traits *t, const uint16_t *mix, uint64_t seed,
                int64_t now_ms)
{
    must(t->guns >= 1 && t->guns <= MODEL_GUNS);
    *m = (struct model){.traits = *t,
                        .mix = mix,
                        .rng = {seed},
                        .boot_due = true,
                        .link_wanted = true,
                        .link_ms = now_ms,
                        .interval_ms = t->reading_ms};
    buf_init(&m->queue, QUEUE_MAX * 2 * sizeof(struct model_event));
    for (unsigned i = 0; i < t->guns; i++) {
        struct model_gun *g = &m->guns[i];
        g->at_ms = now_ms;
        g->meter_mwh = rng_range(&m->rng, 0, 60000) * 1000000 + rng_range(&m->rng, 0, 999999);
        g->start_mwh = g->meter_mwh;
        g->limit_w = -1;
        g->stop_ms = g->sample_ms = g->trouble_ms = g->later_ms = NEVER;
        become(m, i, GUN_FREE, t->autoplug ? in_range(m, now_ms, 2, 30) : NEVER);
    }
}

void model_free(struct model *m)
{
    buf_free(&m->queue);
}

void model_link(struct model *m, bool up, int64_t now_ms)
{
    model_advance(m, now_ms);
    m->linked = up;
    for (unsigned i = 0; up && !m->boot_due && i < m->traits.guns; i++)
        say(m, i, MODEL_EVENT_STATUS);
}

int model_read(struct model *m, unsigned gun, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    if (!m->traits.obeys_trigger)
        return ERR_UNSUPPORTED;
    struct model_event e;
    model_sample(m, gun, &e);
    e.triggered = true;
    queue_put(m, &e);
    return 0;
}

int model_limit(struct model *m, unsigned gun, int32_t limit_w, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    if (!m->traits.obeys_profiles)
        return ERR_UNSUPPORTED;
    m->guns[gun].limit_w = limit_w;
    m->guns[gun].later_ms = NEVER;
    return 0;
}

int model_limit_later(struct model *m, unsigned gun, int32_t limit_w, int64_t at_ms)
{
    must(gun < m->traits.guns);
    if (!m->traits.obeys_profiles)
        return ERR_UNSUPPORTED;
    m->guns[gun].later_w = limit_w;
    m->guns[gun].later_ms = at_ms;
    return 0;
}

int model_interval(struct model *m, int32_t interval_ms, int64_t now_ms)
{
    model_advance(m, now_ms);
    if (!m->traits.obeys_interval)
        return ERR_UNSUPPORTED;
    m->interval_ms = interval_ms < 1000 ? 1000 : interval_ms;
    for (unsigned i = 0; i < m->traits.guns; i++) {
        struct model_gun *g = &m->guns[i];
        g->sample_ms = least(g->sample_ms, g->at_ms + m->interval_ms);
    }
    return 0;
}

void model_set_prices(struct model *m, const struct model_prices *p)
{
    m->prices = *p;
    m->priced = true;
}

void model_set_balance(struct model *m, unsigned gun, int64_t balance)
{
    m->guns[gun].balance = balance;
}

bool model_enable(struct model *m, unsigned gun, bool on, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    uint8_t s = m->guns[gun].state;
    if (on && s == GUN_DISABLED)
        become(m, gun, GUN_FREE, m->traits.autoplug ? in_range(m, now_ms, 5, 30) : NEVER);
    else if (!on && s == GUN_FREE)
        become(m, gun, GUN_DISABLED, NEVER);
    return on || m->guns[gun].state == GUN_DISABLED;
}

void model_set_clock(struct model *m, int64_t told_ms, int64_t now_ms)
{
    m->clock_ms = told_ms - now_ms;
}

void model_status(struct model *m, unsigned gun)
{
    must(gun < m->traits.guns);
    say(m, gun, MODEL_EVENT_STATUS);
}

void model_unlock(struct model *m, unsigned gun, int64_t now_ms)
{
    must(gun < m->traits.guns);
    model_advance(m, now_ms);
    if (model_busy(m, gun))
        end(m, gun, STOPPED_UNLOCKED, GUN_FINISHED);
}

void model_power_off(struct model *m, int64_t now_ms)
{
    model_advance(m, now_ms);
    for (unsigned i = 0; i < m->traits.guns; i++) {
        if (model_busy(m, i))
            end(m, i, STOPPED_RESET, GUN_FINISHED);
    }
}

void model_reset(struct model *m, int64_t now_ms)
{
    model_power_off(m, now_ms);
    m->boot_due = true;
    go_offline(m, now_ms, 5, 20);
}
