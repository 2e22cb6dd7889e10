// SPDX-License-Identifier: Apache-2.0
/* evidence.c: see evidence.h. The rules in the order in which a reading meets them: after the stop?
 * first reading (baseline)? placeholder zero at the start? rise that fits greatest power × time?
 * fall: rollover, jitter, restart at zero, or a contradiction? A rise that does not fit waits as a
 * suspect: if the next reading agrees with the old line, it was a spike and is forgotten; if it
 * agrees with the suspect, the register really jumped, the jump is disputed and counting goes on
 * there.
 *
 * Owns nothing; pure; the core's thread. Input never aborts. */
#include "core/evidence.h"

#include "base/money.h"
#include "base/must.h"

#define POWER_UNKNOWN_W INT64_C(1000000)
#define SLACK_MWH       INT64_C(50000)  /* 50 Wh on top of power × time */
#define JITTER_MWH      INT64_C(100000) /* a register may fall that much without meaning */
#define SESSION_MOST_MWH                                                                           \
    INT64_C(150000000) /* 150 kWh: above it a "first" reading is a lifetime register */
#define GAP_MS          INT64_C(900000)
#define LATE_MS         INT64_C(180000) /* readings may be held back that long and come at once */
#define CLOCK_MS        INT64_C(120000)
#define DURATION_MAX_MS INT64_C(3456000000) /* 40 days */

int64_t evidence_energy_max(const struct evidence_limits *lim, int64_t duration_ms)
{
    int64_t power = lim->max_power_w > 0 ? lim->max_power_w : POWER_UNKNOWN_W;
    int64_t ms = duration_ms < 0 ? 0 : duration_ms;
    if (ms > DURATION_MAX_MS)
        ms = DURATION_MAX_MS;
    return muldiv_floor(power * 11, ms, 36000) + SLACK_MWH;
}

/** Most that the register may rise until at_ms. */
static int64_t rise_max(const struct evidence *e, const struct evidence_limits *lim, int64_t at_ms)
{
    return evidence_energy_max(lim, at_ms - e->last_ms) + e->credit_mwh;
}

/** What the reading did not use of what could have flowed is left for those that come with it. */
static void credit_keep(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                        int64_t delta)
{
    int64_t left = rise_max(e, lim, at_ms) - SLACK_MWH - delta;
    int64_t cap = evidence_energy_max(lim, LATE_MS);
    e->credit_mwh = left < 0 ? 0 : left < cap ? left : cap;
}

static void doubt_add(struct evidence *e, int32_t reason, int64_t mwh)
{
    if (e->doubt == DOUBT_NONE)
        e->doubt = reason;
    e->doubt_mwh += mwh;
}

static void flag(struct evidence *e, struct evidence_step *out, uint32_t f)
{
    e->flags |= f;
    out->flags |= f;
}

/** Takes `delta` and moves the line to the register at at_ms. */
static void step_accept(struct evidence *e, const struct evidence_limits *lim,
                        struct evidence_step *out, int64_t at_ms, int64_t register_mwh,
                        int64_t delta)
{
    must(delta >= 0);
    credit_keep(e, lim, at_ms, delta);
    out->accepted = true;
    out->delta_mwh = delta;
    out->from_ms = e->last_ms;
    out->to_ms = at_ms;
    e->energy_mwh += delta;
    e->last_mwh = register_mwh;
    e->last_ms = at_ms;
    e->suspect_mwh = -1;
    e->samples++;
}

/** The register is good from here on but moves no energy. */
static void step_baseline(struct evidence *e, struct evidence_step *out, int64_t at_ms,
                          int64_t register_mwh)
{
    e->start_mwh = e->last_mwh = register_mwh;
    e->last_ms = at_ms;
    out->accepted = true;
    out->from_ms = out->to_ms = at_ms;
}

void evidence_start(struct evidence *e, const struct evidence_limits *lim, int64_t start_ms,
                    int64_t meter_mwh)
{
    *e = (struct evidence){.start_mwh = meter_mwh < 0 ? -1 : meter_mwh,
                           .start_ms = start_ms,
                           .last_ms = start_ms,
                           .suspect_mwh = -1};
    e->last_mwh = lim->session_register ? 0 : e->start_mwh;
}

void evidence_load(struct evidence *e, const struct row_session *s, const struct row_orders *o)
{
    *e = (struct evidence){.start_mwh = s->meter_start,
                           .last_mwh = s->meter_last,
                           .energy_mwh = s->energy_mwh,
                           .start_ms = s->start_ms,
                           .last_ms = s->last_ms ? s->last_ms : s->start_ms,
                           .flags = (uint32_t)s->evidence,
                           .doubt = o->doubt,
                           .doubt_mwh = o->doubt_mwh,
                           .suspect_mwh = s->suspect_mwh,
                           .suspect_ms = s->suspect_ms,
                           .credit_mwh = s->credit_mwh,
                           .samples = s->check_n,
                           .ended = s->state == SESSION_ENDED};
}

int64_t evidence_time(const struct evidence *e, int64_t server_ms, int64_t charger_ms, bool offline,
                      uint32_t *flags)
{
    int64_t apart = charger_ms > server_ms ? charger_ms - server_ms : server_ms - charger_ms;
    int64_t at = charger_ms ? charger_ms : server_ms;
    if (charger_ms && !offline && apart > CLOCK_MS)
        at = server_ms;
    if (offline && at > server_ms)
        at = server_ms;
    if (at < e->last_ms)
        at = e->last_ms;
    if (charger_ms && at != charger_ms)
        *flags |= EV_CLOCK;
    return at;
}

/* ---- readings ---- */

/** Energy when the register passed one of the ends that counters have, or -1. */
static int64_t rollover_delta(int64_t last, int64_t now, int64_t most)
{
    static const int64_t ends[] = {
        INT64_C(10000000000),    /* 10,000 kWh */
        INT64_C(100000000000),   /* 100,000 kWh */
        INT64_C(429496729600),   /* 2^32 × 0.1 Wh */
        INT64_C(1000000000000),  /* 1,000,000 kWh */
        INT64_C(2147483648000),  /* 2^31 Wh */
        INT64_C(4294967296000),  /* 2^32 Wh */
        INT64_C(10000000000000), /* 10,000,000 kWh */
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (last < ends[i] && now < ends[i] && ends[i] - last + now <= most)
            return ends[i] - last + now;
    return -1;
}

static bool suspect_agrees(const struct evidence *e, const struct evidence_limits *lim,
                           int64_t at_ms, int64_t register_mwh)
{
    return e->suspect_mwh >= 0 && register_mwh >= e->suspect_mwh &&
           register_mwh - e->suspect_mwh <= evidence_energy_max(lim, at_ms - e->suspect_ms);
}

/** The reading does not fit. Once: it waits. Twice in agreement: the line goes on there, `disputed`
 * is kept apart. */
static void reading_suspect(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                            int64_t register_mwh, struct evidence_step *out)
{
    if (!suspect_agrees(e, lim, at_ms, register_mwh)) {
        e->suspect_mwh = register_mwh;
        e->suspect_ms = at_ms;
        return;
    }
    if (e->suspect_mwh > e->last_mwh)
        doubt_add(e, DOUBT_IMPLAUSIBLE, e->suspect_mwh - e->last_mwh);
    if (at_ms < e->suspect_ms) { /* measured before the suspect, yet sent after it */
        flag(e, out, EV_CLOCK);
        at_ms = e->suspect_ms;
    }
    e->last_ms = e->suspect_ms;
    e->credit_mwh = 0; /* whatever flowed until the suspect is in what is disputed */
    step_accept(e, lim, out, at_ms, register_mwh, register_mwh - e->suspect_mwh);
}

static void reading_fall(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                         int64_t register_mwh, struct evidence_step *out)
{
    /* Without the credit: a fall that could be taken for a restart would bill it all again. */
    int64_t most = evidence_energy_max(lim, at_ms - e->last_ms);
    int64_t rolled = rollover_delta(e->last_mwh, register_mwh, most);
    if (rolled >= 0) {
        flag(e, out, EV_ROLLOVER);
        step_accept(e, lim, out, at_ms, register_mwh, rolled);
        return;
    }
    if (e->last_mwh - register_mwh <= JITTER_MWH) {
        flag(e, out, EV_BACKWARDS);
        return;
    }
    if (register_mwh <= most) {
        flag(e, out, EV_RESET);
        out->learn_session = e->samples == 0 && !lim->session_register;
        step_accept(e, lim, out, at_ms, register_mwh, register_mwh);
        return;
    }
    flag(e, out, EV_BACKWARDS);
    reading_suspect(e, lim, at_ms, register_mwh, out);
}

/** meterStart 0 of a charger that had not read its meter yet: the first real register is far above
 * any session. */
static bool placeholder_start(const struct evidence *e, const struct evidence_limits *lim,
                              int64_t at_ms, int64_t register_mwh)
{
    return e->start_mwh == 0 && e->last_mwh == 0 && e->samples == 0 &&
           (register_mwh > SESSION_MOST_MWH ||
            register_mwh > evidence_energy_max(lim, at_ms - e->last_ms));
}

void evidence_reading(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                      int64_t register_mwh, struct evidence_step *out)
{
    *out = (struct evidence_step){.from_ms = e->last_ms, .to_ms = e->last_ms};
    if (e->ended) {
        flag(e, out, EV_AFTER_STOP);
        return;
    }
    if (register_mwh < 0)
        return;
    if (at_ms < e->last_ms) {
        flag(e, out, EV_CLOCK);
        at_ms = e->last_ms;
    }
    if (at_ms - e->last_ms > GAP_MS)
        flag(e, out, EV_GAP);
    if (e->last_mwh < 0) {
        flag(e, out, EV_NO_START);
        step_baseline(e, out, at_ms, register_mwh);
        return;
    }
    if (placeholder_start(e, lim, at_ms, register_mwh)) {
        flag(e, out, EV_PLACEHOLDER_START);
        step_baseline(e, out, at_ms, register_mwh);
        return;
    }
    int64_t delta = register_mwh - e->last_mwh;
    if (delta < 0) {
        reading_fall(e, lim, at_ms, register_mwh, out);
        return;
    }
    if (delta > rise_max(e, lim, at_ms)) {
        flag(e, out, EV_IMPLAUSIBLE);
        reading_suspect(e, lim, at_ms, register_mwh, out);
        return;
    }
    out->learn_session =
        e->start_mwh == 0 && e->samples == 0 && delta > 0 && !lim->session_register;
    step_accept(e, lim, out, at_ms, register_mwh, delta);
}

/* ---- the stop ---- */

static int64_t tolerance(int64_t energy_mwh)
{
    int64_t percent = energy_mwh / 100;
    return percent > JITTER_MWH ? percent : JITTER_MWH;
}

/** Settles on `lower`; what was measured above it is disputed. */
static void settle_lower(struct evidence *e, int64_t lower, int32_t reason)
{
    if (lower < 0)
        lower = 0;
    if (lower < e->energy_mwh) {
        doubt_add(e, reason, e->energy_mwh - lower);
        e->energy_mwh = lower;
    }
}

/** The register of the stop against that of the start, where both belong to one line. */
static void stop_total_check(struct evidence *e, int64_t meter_mwh, struct evidence_step *out)
{
    const uint32_t broken = EV_RESET | EV_ROLLOVER | EV_PLACEHOLDER_START | EV_NO_START;
    if (e->start_mwh < 0 || (e->flags & broken))
        return;
    int64_t total = meter_mwh - e->start_mwh;
    if (total >= e->energy_mwh - tolerance(e->energy_mwh))
        return;
    flag(e, out, EV_STOP_MISMATCH);
    settle_lower(e, total, DOUBT_STOP_MISMATCH);
}

/** The stop is below the last sample. */
static void stop_fall(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                      int64_t meter_mwh, struct evidence_step *out)
{
    int64_t most = evidence_energy_max(lim, at_ms - e->last_ms);
    int64_t rolled = rollover_delta(e->last_mwh, meter_mwh, most);
    int64_t near = tolerance(e->energy_mwh);
    if (rolled >= 0) {
        flag(e, out, EV_ROLLOVER);
        e->energy_mwh += rolled;
        return;
    }
    if (meter_mwh == 0) { /* a placeholder: the samples are all there is */
        flag(e, out, EV_STOP_MISMATCH);
        if (!e->samples)
            doubt_add(e, DOUBT_NO_STOP, 0);
        return;
    }
    if (e->last_mwh - meter_mwh <= near && meter_mwh >= e->start_mwh) {
        int64_t lower = e->energy_mwh - (e->last_mwh - meter_mwh);
        e->energy_mwh = lower < 0 ? 0 : lower; /* rounding of the stop, in favour of the driver */
        return;
    }
    if (meter_mwh >= e->energy_mwh - near && meter_mwh <= e->energy_mwh + most) {
        flag(e, out, EV_RESET); /* it counts the session only */
        if (meter_mwh > e->energy_mwh)
            e->energy_mwh = meter_mwh;
        return;
    }
    flag(e, out, EV_STOP_MISMATCH);
    if (meter_mwh < e->start_mwh)
        settle_lower(e, 0, DOUBT_NEGATIVE);
    else
        settle_lower(e, e->start_mwh < 0 ? 0 : meter_mwh - e->start_mwh, DOUBT_STOP_MISMATCH);
    if (e->doubt == DOUBT_NONE)
        doubt_add(e, DOUBT_NEGATIVE, 0);
}

/** The stop is further above the last sample than can have flowed. */
static void stop_jump(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                      int64_t meter_mwh, struct evidence_step *out)
{
    int64_t most = rise_max(e, lim, at_ms);
    int64_t total = meter_mwh - e->start_mwh;
    bool session_line = lim->session_register || (e->flags & EV_RESET);
    if (session_line && e->start_mwh >= 0 && total >= e->energy_mwh - tolerance(e->energy_mwh) &&
        total <= e->energy_mwh + most) {
        if (total > e->energy_mwh) /* samples count the session, start and stop the lifetime */
            e->energy_mwh = total;
        return;
    }
    flag(e, out, EV_STOP_MISMATCH);
    if (e->start_mwh == 0 && e->last_mwh == 0 && !e->samples) {
        flag(e, out, EV_PLACEHOLDER_START);
        doubt_add(e, DOUBT_PLACEHOLDER, meter_mwh);
        return;
    }
    flag(e, out, EV_IMPLAUSIBLE);
    doubt_add(e, e->samples ? DOUBT_STOP_MISMATCH : DOUBT_IMPLAUSIBLE, meter_mwh - e->last_mwh);
}

/** A total from start to stop bounds what was in doubt before the stop: a jump of the readings that
 * the end of the session contradicts was never energy. `before_mwh` is the older doubt. */
static void doubt_bound(struct evidence *e, int64_t before_mwh, int64_t total_mwh)
{
    int64_t room = total_mwh - e->energy_mwh;
    room = room > JITTER_MWH ? room : 0;
    if (before_mwh <= room)
        return;
    e->doubt_mwh -= before_mwh - room;
    if (e->doubt_mwh == 0)
        e->doubt = DOUBT_NONE;
}

/** True when the registers of start and stop belong to one line, so that their difference is a
 * total; `flags` are those from before the stop. */
static bool total_known(const struct evidence *e, const struct evidence_limits *lim, uint32_t flags,
                        int64_t meter_mwh)
{
    const uint32_t broken = EV_RESET | EV_ROLLOVER | EV_PLACEHOLDER_START | EV_NO_START;
    return !lim->session_register && !(flags & broken) && e->start_mwh >= 0 && meter_mwh > 0 &&
           meter_mwh >= e->start_mwh;
}

void evidence_stop(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                   int64_t meter_mwh, struct evidence_step *out)
{
    int64_t before = e->energy_mwh, doubt_mwh = e->doubt_mwh;
    uint32_t flags = e->flags;
    *out = (struct evidence_step){.from_ms = e->last_ms, .to_ms = e->last_ms};
    if (e->ended) {
        flag(e, out, EV_AFTER_STOP);
        return;
    }
    e->ended = true;
    if (at_ms < e->last_ms) {
        flag(e, out, EV_CLOCK);
        at_ms = e->last_ms;
    }
    if (meter_mwh < 0)
        return;
    int64_t delta = meter_mwh - e->last_mwh;
    if (e->last_mwh < 0) { /* neither start nor sample: nothing can be proved */
        flag(e, out, EV_NO_START | EV_STOP_MISMATCH);
        doubt_add(e, DOUBT_NO_STOP, 0);
    } else if (delta < 0) {
        stop_fall(e, lim, at_ms, meter_mwh, out);
    } else if (delta > rise_max(e, lim, at_ms) || (delta > SESSION_MOST_MWH && e->start_mwh == 0 &&
                                                   !e->samples && !lim->session_register)) {
        stop_jump(e, lim, at_ms, meter_mwh, out);
    } else {
        e->energy_mwh += delta;
        stop_total_check(e, meter_mwh, out);
    }
    if (total_known(e, lim, flags, meter_mwh))
        doubt_bound(e, doubt_mwh, meter_mwh - e->start_mwh);
    out->accepted = true;
    out->to_ms = at_ms;
    out->delta_mwh = e->energy_mwh - before;
    e->last_ms = at_ms;
}

void evidence_close(struct evidence *e, struct evidence_step *out)
{
    *out = (struct evidence_step){.from_ms = e->last_ms, .to_ms = e->last_ms};
    e->ended = true;
}

/* ---- transaction records ---- */

static bool apart(int64_t a, int64_t b)
{
    int64_t more = a > b ? a : b;
    return (a > b ? a - b : b - a) > tolerance(more);
}

/** The lowest total that the record itself supports. */
static int64_t record_own_total(struct evidence *e, const struct evidence_record *r,
                                struct evidence_step *out)
{
    int64_t sum = 0, lower = r->energy_mwh < 0 ? 0 : r->energy_mwh;
    for (size_t k = 0; k < ARRAY_LEN(r->class_mwh); k++)
        sum += r->class_mwh[k] < 0 ? 0 : r->class_mwh[k];
    if (apart(sum, lower))
        flag(e, out, EV_RECORD_MISMATCH);
    if (sum < lower)
        lower = sum;
    if (r->meter_start_mwh >= 0 && r->meter_end_mwh > r->meter_start_mwh) {
        int64_t metered = r->meter_end_mwh - r->meter_start_mwh;
        if (apart(metered, lower)) {
            flag(e, out, EV_RECORD_MISMATCH);
            if (metered < lower)
                lower = metered;
        }
    }
    return lower;
}

void evidence_settle_record(struct evidence *e, const struct evidence_limits *lim,
                            const struct evidence_record *r, struct evidence_step *out)
{
    int64_t live = e->energy_mwh, doubt_mwh = e->doubt_mwh;
    *out = (struct evidence_step){.from_ms = e->last_ms, .to_ms = e->last_ms, .accepted = true};
    int64_t highest = r->energy_mwh > live ? r->energy_mwh : live;
    int64_t lower = record_own_total(e, r, out);
    int64_t most = evidence_energy_max(lim, r->end_ms - r->start_ms);
    e->ended = true;
    if (r->end_ms < r->start_ms)
        flag(e, out, EV_CLOCK);
    if (lower > most) {
        flag(e, out, EV_IMPLAUSIBLE);
        lower = most < live ? most : live;
    }
    if (e->samples && lower < live && apart(lower, live))
        flag(e, out, EV_RECORD_MISMATCH);
    if (e->samples && lower - live > rise_max(e, lim, r->end_ms) && apart(lower, live)) {
        flag(e, out, EV_RECORD_MISMATCH);
        lower = live;
    }
    e->energy_mwh = lower;
    doubt_bound(e, doubt_mwh, lower); /* the record knows the total: no older doubt outlives it */
    if (out->flags & EV_IMPLAUSIBLE)
        doubt_add(e, DOUBT_IMPLAUSIBLE, highest - lower);
    else if (out->flags & EV_RECORD_MISMATCH)
        doubt_add(e, DOUBT_RECORD_MISMATCH, highest - lower);
    if (r->end_ms > e->last_ms)
        e->last_ms = out->to_ms = r->end_ms;
    out->delta_mwh = lower - live;
}

void evidence_dispute(struct evidence *e, int64_t energy_mwh)
{
    int64_t more = e->energy_mwh - energy_mwh;
    if (more <= 0)
        return;
    e->flags |= EV_RECORD_MISMATCH;
    e->energy_mwh = energy_mwh;
    doubt_add(e, DOUBT_RECORD_MISMATCH, more);
}
