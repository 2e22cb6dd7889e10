// SPDX-License-Identifier: Apache-2.0
/* meter.c: samples. Each sample of an open session goes to the sample log, through the evidence
 * rules into the bill, to the live pages, and then the cap is asked what to do.
 *
 * Folding a sample (meter_fold) depends on nothing but the record and the session, so that the log
 * folded again after a restart gives the same bill. Rows are not written for samples, but at the
 * edge of a price slice, every CHECKPOINT_MS, and whenever something else about the order changes.
 *
 * Invariants: 1. at_ms of a session's records ascends strictly; 2. a sample never goes to a session
 * that its message does not name; without a transaction id it belongs to the connector's session;
 * 3. after the stop a sample is kept and flagged and moves no money. */
#include "core/discharge.h"
#include "core/parallel.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    ANSWER_MS = 3000,       /* a reading that was asked for comes within that */
    POWER_USUAL_W = 250000, /* of a connector nobody described */
    INTERVAL_USUAL_MS = 60000,
    PRICE_AHEAD_MS = 3600 * 1000,
    ZERO_EVERY_MS = 30000 /* the dead-man limit is told no more often */
};

/* ---- one sample into the bill ---- */

void meter_step(struct core *c, struct order *o, const struct evidence_step *step)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    int32_t first = o->bill.n;
    if (!t || step->delta_mwh == 0 || (o->srow.direction < 0 && !discharge_pays(o)))
        return; /* what goes back to the grid unpaid is no bill */
    if (step->delta_mwh > 0) {
        int64_t from = step->from_ms;
        if (step->to_ms - from > FEE_SPAN_MAX_MS)
            from = step->to_ms - FEE_SPAN_MAX_MS;
        first =
            fee_add(&o->bill, t, zone_of(c, o->row.station), from, step->to_ms, step->delta_mwh);
    } else {
        fee_cut(&o->bill, o->ev.energy_mwh);
        first = 0;
    }
    if (first < o->piece_dirty)
        o->piece_dirty = first;
}

static void figures(struct order *o, const struct sample_record *r, const struct evidence_step *st)
{
    const struct core_sample *s = &r->sample;
    int64_t power = s->power_w;
    if (power == SAMPLE_NONE && st && st->accepted && st->to_ms > st->from_ms)
        power = st->delta_mwh * 3600 / (st->to_ms - st->from_ms);
    if (power != SAMPLE_NONE)
        o->srow.power_w = power;
    if (s->soc_pm != SAMPLE_NONE32)
        o->srow.soc_pm = s->soc_pm;
    if (s->cost != SAMPLE_NONE)
        o->srow.record_amount = s->cost;
    if (s->flags & SAMPLE_LATE)
        return;
    if (power != SAMPLE_NONE) {
        o->prev_power_w = o->power_w;
        o->prev_ms = o->reading_ms;
        o->power_w = power < 0 ? 0 : power;
    }
    if (st && st->accepted)
        o->reading_ms = r->at_ms;
}

void meter_fold(struct core *c, struct order *o, const struct sample_record *r)
{
    const struct core_sample *s = &r->sample;
    struct evidence_step step = {0};
    uint32_t flags = 0;
    int64_t at = evidence_time(&o->ev, r->at_ms, s->time_ms, (s->flags & SAMPLE_LATE) != 0, &flags);
    o->srow.check_ms = r->at_ms;
    o->ev.flags |= flags;
    if (s->energy_mwh != SAMPLE_NONE) {
        int32_t pieces = o->bill.n;
        uint32_t before = o->ev.flags;
        evidence_reading(&o->ev, &o->lim, at, s->energy_mwh, &step);
        meter_step(c, o, &step);
        if (step.learn_session) { /* from now on, and for its next sessions */
            o->lim.session_register = true;
            trait_learn(c, order_charger(c, o), TRAIT_REGISTER_SESSION, 0);
        }
        bool edge = pieces && pieces != o->bill.n;
        if (!c->replaying && (edge || before != o->ev.flags || step.learn_session))
            order_dirty(c, o);
    }
    figures(o, r, s->energy_mwh != SAMPLE_NONE ? &step : NULL);
}

/* ---- a message ---- */

static void record_put(struct core *c, struct order *o, const struct charger *ch,
                       struct sample_record *r, const struct core_sample *s)
{
    *r = (struct sample_record){.tenant = o->row.tenant, .session = o->srow.id, .sample = *s};
    r->at_ms = c->now > o->srow.check_ms ? c->now : o->srow.check_ms + 1;
    r->sample.flags &= ~(uint32_t)SAMPLE_LATE;
    if (ch && link_late(c, ch, s->time_ms) && s->time_ms >= o->ev.last_ms)
        r->sample.flags |= SAMPLE_LATE;
    buf_put(&c->samples, r, sizeof *r);
}

/* `o` is told of with figures of its own gun or, the main order of two, of both. */
static void event_meter(struct core *c, const struct order *o, const struct core_sample *s)
{
    const struct order *part = o->row.part ? order_find(c, o->row.part) : NULL;
    struct out_event *e = event_new(c, EVENT_METER);
    e->tenant = o->row.tenant;
    e->station = o->row.station;
    e->charger = o->row.charger;
    e->connector = o->row.connector;
    e->order = o->row.id;
    e->driver = o->row.driver;
    e->state = o->row.state;
    e->energy_mwh = parallel_energy(c, o);
    e->power_w = o->srow.power_w;
    if (part && order_running(part))
        e->power_w = (order_running(o) ? e->power_w : 0) + part->srow.power_w;
    e->soc_pm = o->srow.soc_pm;
    e->cost = parallel_spent(c, o);
    e->cap = o->row.cap;
    e->voltage_mv = s->voltage_mv == SAMPLE_NONE32 ? 0 : s->voltage_mv;
    e->current_ma = s->current_ma == SAMPLE_NONE32 ? 0 : s->current_ma;
}

/* A session that draws next to nothing for long is full, whatever its status says. */
static void low_power(struct core *c, struct order *o, const struct tenant *t)
{
    bool low = o->power_w >= 0 && o->power_w < t->row.low_power_w && o->ev.energy_mwh > 0;
    if (o->row.state != ORDER_CHARGING || !t->row.suspended_s || o->srow.direction < 0)
        return;
    if (low && !o->timer[TO_SUSPEND].pos) {
        o->low_power = true;
        order_timer(c, o, TO_SUSPEND, c->now + t->row.suspended_s * 1000);
    } else if (!low && o->low_power) {
        o->low_power = false;
        order_timer_off(c, o, TO_SUSPEND);
    }
}

static void answered(struct core *c, struct order *o, struct charger *ch)
{
    if (!o->asked_ms)
        return;
    if (c->now - o->asked_ms <= ANSWER_MS && !(ch->row.traits & TRAIT_TRIGGER))
        trait_learn(c, ch, TRAIT_TRIGGER, TRAIT_NO_TRIGGER);
    o->asked_ms = 0;
    o->unanswered = 0;
}

void meter_samples(struct core *c, struct order *o, const struct core_sample *s, int32_t n)
{
    struct charger *ch = order_charger(c, o);
    bool live = false;
    for (int32_t i = 0; i < n; i++) {
        struct sample_record r;
        int64_t before = o->reading_ms;
        record_put(c, o, ch, &r, &s[i]);
        meter_fold(c, o, &r);
        if (r.sample.flags & SAMPLE_LATE)
            continue;
        if (s[i].energy_mwh == SAMPLE_NONE && ch->row.protocol == PROTOCOL_YKC)
            continue; /* the vehicle's figures between two readings of the meter */
        live = true;
        link_lag(c, ch, s[i].time_ms);
        if (o->reading_ms > before && !o->asked_ms && !ch->row.short_s)
            o->sample_gap_ms = o->reading_ms - before;
    }
    if (!n || o->ev.ended)
        return;
    if (live)
        answered(c, o, ch);
    const struct tenant *t = tenant_find(c, o->row.tenant);
    if (t->row.silence_s && !(o->row.state == ORDER_STOPPING && o->row.stop_reason == STOP_SILENCE))
        order_timer(c, o, TO_SILENCE, c->now + t->row.silence_s * 1000);
    if (live)
        order_timer_off(c, o, TO_GRACE);
    if (c->now - o->checked_ms >= CHECKPOINT_MS)
        order_dirty(c, o);
    low_power(c, o, t);
    event_meter(c, o, &s[n - 1]);
    if (o->row.part_of)
        event_meter(c, parallel_main(c, o), &s[n - 1]);
    meter_cap(c, o);
    discharge_floor(c, o);
}

static struct order *meter_order(struct core *c, const struct cmd_meter *in, struct charger *ch)
{
    struct order *o = NULL;
    if (in->tx > 0) {
        o = order_of_tx(c, ch, in->tx);
    } else if (in->tx_no[0]) {
        o = order_by_tx_no(c, in->tx_no);
    } else {
        const struct connector *k = connector_of(ch, in->connector);
        o = k && k->row.order_id ? order_find(c, k->row.order_id) : NULL;
    }
    return o && o->row.charger == ch->row.id && order_ready(c, o) ? o : NULL;
}

static void after_stop(struct core *c, struct order *o, const struct charger *ch,
                       const struct cmd_meter *in)
{
    for (int32_t i = 0; i < in->n; i++) {
        struct sample_record r;
        record_put(c, o, ch, &r, &in->samples[i]);
        o->srow.check_ms = r.at_ms;
    }
    if (!(o->srow.evidence & EV_AFTER_STOP)) {
        o->srow.evidence |= EV_AFTER_STOP;
        order_dirty(c, o);
    }
    bool failed = o->row.state == ORDER_START_FAILED;
    if ((o->row.estimated || failed) && in->n && in->samples[in->n - 1].power_w > 0)
        stop_stray(c, o);
}

void meter_apply(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_meter *in = &cmd->u.meter;
    must(in->n >= 0 && in->n <= CMD_SAMPLES_MAX);
    struct order *o = meter_order(c, in, ch);
    if (o && o->row.state == ORDER_STARTING && in->tx_no[0]) {
        start_turned(c, o);
        /* 云快充 has no StartTransaction: the first reading with the order's number says that it
         * began. When, is between the answer to the start and now. */
        bool wish = o->row.stop_asked_ms != 0;
        order_begin(c, o, o->accepted_ms ? o->accepted_ms : o->row.created_ms, 0);
        if (wish)
            (void)stop_begin(c, o, (enum stop_reason)o->row.stop_reason);
    }
    if (o && order_running(o))
        meter_samples(c, o, in->samples, in->n);
    else if (o && (in->tx > 0 || in->tx_no[0]) && o->srow.state == SESSION_ENDED)
        after_stop(c, o, ch, in);
    else if (!o && in->tx_no[0])
        pile_stray_meter(c, in, ch);
    reply_plain(c);
}

/* ---- the cap ---- */

static void cap_view_fill(struct core *c, struct order *o, const struct charger *ch,
                          struct cap_view *v)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    const struct zone *z = zone_of(c, o->row.station);
    int64_t gap = o->sample_gap_ms ? o->sample_gap_ms : ch->row.sample_s * INT64_C(1000);
    int32_t traits = ch->row.traits;
    if (ch->row.protocol == PROTOCOL_YKC) {
        traits = TRAIT_TRIGGER; /* 0x12 is part of the protocol */
    } else {                    /* what was never refused is worth a try */
        traits |= traits & TRAIT_NO_INTERVAL ? 0 : TRAIT_INTERVAL;
        traits |= traits & TRAIT_NO_PROFILE ? 0 : TRAIT_PROFILE;
    }
    *v = (struct cap_view){
        .now_ms = c->now,
        .cap = MONEY(o->row.cap),
        .spent = MONEY(parallel_spent(c, o)),
        .reading_ms = o->reading_ms < c->now ? o->reading_ms : c->now,
        .power_w = o->power_w,
        .prev_power_w = o->prev_power_w,
        .prev_ms = o->prev_ms,
        .power_max_w = o->lim.max_power_w ? o->lim.max_power_w : POWER_USUAL_W,
        .price_e5 = t ? tariff_price_max(t, z, c->now, c->now + PRICE_AHEAD_MS) : 0,
        .interval_ms = gap > 0 && gap < INT32_MAX ? (int32_t)gap : INTERVAL_USUAL_MS,
        .latency_min_ms = ch->row.stop_min_ms,
        .latency_max_ms = ch->row.stop_ms,
        .traits = (uint32_t)traits,
        .asked_ms = o->asked_ms,
        .unanswered = o->unanswered,
        .limit_w = o->limit_w,
        .interval_set = o->interval_set,
    };
    parallel_view(c, o, v);
}

static void ask_reading(struct core *c, struct order *o, struct charger *ch, int32_t connector)
{
    if (!order_running(o) || command_waits(ch, CALL_TRIGGER_METER, o->row.id))
        return;
    o->asked_ms = c->now;
    (void)call_add(c, ch,
                   &(struct call_ask){.kind = CALL_TRIGGER_METER,
                                      .connector = connector,
                                      .timeout_s = QUICK_CALL_S,
                                      .order = o->row.id,
                                      .action = "TriggerMessage",
                                      .payload = "{}"});
}

/* ---- the sample interval: of the whole charger, whichever session asked for it ---- */

static void ask_interval(struct core *c, struct charger *ch, int64_t order, int32_t seconds)
{
    (void)call_add(c, ch,
                   &(struct call_ask){.kind = CALL_SET_INTERVAL,
                                      .timeout_s = QUICK_CALL_S,
                                      .interval_s = seconds,
                                      .order = order,
                                      .action = "ChangeConfiguration",
                                      .payload = "{}"});
}

static void short_set(struct core *c, struct charger *ch, int32_t seconds)
{
    if (ch->row.short_s == seconds)
        return;
    ch->row.short_s = seconds;
    obj_dirty(c, &ch->o);
}

static bool short_needed(const struct core *c, const struct charger *ch)
{
    for (const struct connector *k = ch->connectors; k; k = k->next) {
        const struct order *o = k->row.order_id ? order_find(c, k->row.order_id) : NULL;
        if (o && o->interval_set && order_running(o))
            return true;
    }
    return false;
}

void interval_note(struct core *c, const struct order *o, struct charger *ch)
{
    int64_t usual = (o->sample_gap_ms + 500) / 1000;
    if (usual < 1 || usual > 3600)
        usual = ch->row.sample_s > 0 ? ch->row.sample_s : INTERVAL_USUAL_MS / 1000;
    if (usual == ch->row.sample_s)
        return;
    ch->row.sample_s = (int32_t)usual;
    obj_dirty(c, &ch->o);
}

static void interval_shorten(struct core *c, struct order *o, struct charger *ch, int32_t seconds)
{
    interval_note(c, o, ch);
    o->interval_set = true;
    short_set(c, ch, seconds); /* durable before the charger hears of it */
    ask_interval(c, ch, o->row.id, seconds);
}

void interval_restore(struct core *c, struct charger *ch)
{
    if (ch->row.short_s && ch->online && !short_needed(c, ch))
        ask_interval(c, ch, 0, ch->row.sample_s);
}

void interval_result(struct core *c, struct charger *ch, int64_t order, int err, const char *status)
{
    bool accepted =
        err == 0 && (strcmp(status, "Accepted") == 0 || strcmp(status, "RebootRequired") == 0);
    if (err == ERR_CLOSED || err == ERR_TIMEOUT || (order && accepted))
        return; /* nobody knows, or it is short now */
    struct order *o = order_find(c, order);
    if (o)
        o->interval_set = false;
    if (!short_needed(c, ch))
        short_set(c, ch, 0);
}

/* ---- the profile: our limit, and the dead-man limit behind it ---- */

/* Seconds from the start of the transaction, by the charger's own clock, to a moment of ours. */
static int32_t since_start_s(const struct order *o, const struct charger *ch, int64_t ms)
{
    int64_t start = o->row.start_ms, told = o->srow.charger_start_ms;
    if (told > 0 && ch->lag_ms != INT64_MAX) {
        told += ch->lag_ms;
        if (told - start <= LIVE_CLOCK_MS && start - told <= LIVE_CLOCK_MS)
            start = told;
    }
    int64_t s = (ms - start + 999) / 1000;
    return s < 1 ? 1 : s > INT32_MAX ? INT32_MAX : (int32_t)s;
}

static void profile_send(struct core *c, struct order *o, struct charger *ch,
                         const struct cap_view *v)
{
    const struct connector *k = connector_find(c, o->row.connector);
    int64_t most = v->power_w > v->power_max_w ? v->power_w : v->power_max_w;
    o->zero_sent_ms = c->now;
    o->zero_ms = cap_zero_ms(v);
    (void)call_add(c, ch,
                   &(struct call_ask){.kind = CALL_PROFILE,
                                      .connector = k ? k->row.number : 0,
                                      .timeout_s = QUICK_CALL_S,
                                      .order = o->row.id,
                                      /* Without a limit of ours: more than it can have. */
                                      .limit_w = o->limit_w ? o->limit_w : 2 * most,
                                      .zero_after_s = since_start_s(o, ch, o->zero_ms),
                                      .action = "SetChargingProfile",
                                      .payload = "{}"});
}

void profile_result(struct order *o, int err, const char *status)
{
    if (err || strcmp(status, "Accepted") != 0)
        o->zero_ms = 0;
}

/* Leaves the dead-man limit in a charger that is known to obey profiles. */
static void zero_leave(struct core *c, struct order *o, struct charger *ch,
                       const struct cap_view *v)
{
    bool can = ch->online && ch->row.protocol == PROTOCOL_OCPP16 && o->srow.tx > 0 &&
               (ch->row.traits & TRAIT_PROFILE);
    if (!can || (o->zero_sent_ms && c->now - o->zero_sent_ms < ZERO_EVERY_MS))
        return;
    if (cap_zero_moved(v, o->zero_ms))
        profile_send(c, o, ch, v);
}

void meter_read(struct core *c, struct order *o, struct charger *ch)
{
    const struct connector *k = connector_find(c, o->row.connector);
    ask_reading(c, o, ch, k ? k->row.number : 0);
}

static void cap_act(struct core *c, struct order *o, struct charger *ch, struct cap_view *v,
                    const struct cap_answer *a)
{
    if (a->action == CAP_STOP) {
        (void)stop_begin(c, parallel_live(c, o), STOP_CAP);
        return;
    }
    if (!ch->online)
        return; /* it hears nothing now; the stop waits in line for it */
    if (a->action == CAP_READ) {
        struct order *other = parallel_other(c, o);
        meter_read(c, o, ch);
        if (other)
            meter_read(c, other, ch);
    } else if (a->action == CAP_INTERVAL) {
        interval_shorten(c, o, ch, a->interval_s);
    } else if (a->action == CAP_TAPER) {
        o->limit_w = v->limit_w = a->limit_w;
        order_event(c, o, OE_TAPER, "");
        profile_send(c, o, ch, v);
    }
    if (a->action != CAP_WAIT && !o->near_told && v->spent.v * 10 >= v->cap.v * 8) {
        o->near_told = true;
        order_event(c, o, OE_CAP_NEAR, "");
    }
}

/* Does a reading come when asked for? One try on each connection tells. */
static void probe(struct core *c, struct order *o, struct charger *ch)
{
    bool known = ch->row.traits & (TRAIT_TRIGGER | TRAIT_NO_TRIGGER);
    if (known || ch->probed || !ch->online || ch->row.protocol != PROTOCOL_OCPP16)
        return;
    const struct connector *k = connector_find(c, o->row.connector);
    if (!k)
        return;
    ch->probed = true;
    ask_reading(c, o, ch, k->row.number);
}

static void unanswered(const struct core *c, struct order *o)
{
    if (!o || !o->asked_ms || c->now - o->asked_ms < ANSWER_MS)
        return;
    o->asked_ms = 0;
    o->unanswered++;
}

void meter_cap(struct core *c, struct order *o)
{
    struct charger *ch = order_charger(c, o);
    struct cap_view v;
    struct cap_answer a;
    o = parallel_main(c, o);
    if (!ch || o->row.cap <= 0 || o->ending || !parallel_charges(c, o))
        return;
    unanswered(c, o);
    unanswered(c, parallel_other(c, o));
    probe(c, o, ch);
    cap_view_fill(c, o, ch, &v);
    cap_decide(&v, &a);
    cap_act(c, o, ch, &v, &a);
    if (a.action == CAP_STOP)
        return;
    zero_leave(c, o, ch, &v);
    int64_t again = parallel_allot(c, o, v.price_e5);
    if (again > a.again_ms)
        again = a.again_ms;
    bool zero = (ch->row.traits & TRAIT_PROFILE) && again > c->now + ZERO_EVERY_MS;
    order_timer(c, o, TO_CAP, zero ? c->now + ZERO_EVERY_MS : again);
}
