// SPDX-License-Identifier: Apache-2.0
/* occupancy.c: the order of a bay that stays taken after the charging: its state machine, its clock,
 * its notices, its settlement and its waiver; see occupancy.h for the rule and the bill.
 *
 *  state      means                       leaves by
 *  (none)     charging ended here         a status that shows the plug → CREATED
 *             (connector.after_order)     free, a boot, a new session, another driver → nothing
 *  CREATED    the free time               its end, once something sure is known → CHARGING
 *  CHARGING   the fee runs                unplugged, bay empty, the same vehicle charges again,
 *                                         another driver's order, the order's cap, OCC_DAYS_MAX,
 *                                         a waiver → ENDED
 *  ENDED      (inside one command only)   → SETTLED
 *
 * The clock. What is uncertain is the driver's gain: only time of which it is sure that the plug was
 * in is billed. A sign is a status that shows the plug (also one that we asked for, every ASK_MS,
 * where the charger obeys). The span in hand ends at the last sign; when the plug is pulled on a
 * connection that never broke since, it was in until then, and the span ends there. A lost
 * connection, a boot, a fault, a flapping plug stop the clock at the last sign; the next sign starts
 * it again, unless it might be another vehicle's (PREPARING after a boot or a gap of SAME_MS): that
 * ends the order at what was sure, as does LOST_MS without a sign. So a charger that never says
 * Available after Finishing costs its driver nothing beyond what it confirms, and one that never says
 * Finishing nothing at all.
 *
 * The charging order is fetched for a status or a word of the bay (need.c); after a failed start, and
 * when a flapping plug settles, it may have left memory: then nothing begins.
 *
 * What may not be begun: after a fault, an emergency stop, a loss of power, a reboot, silence or an
 * estimated end; when nobody pays; when the rule exempts the payer.
 *
 * Spans are rows of bill_piece without energy. Invariants: 1. at most one open order a connector,
 * and connector.occupancy names it; 2. spans ascend and begin at or after free_ms; 3. an open order
 * has a timer (TO_SILENCE: OCC_DAYS_MAX after it began, LOST_MS after the clock stopped); 4. it is
 * settled once: a waiver later is a refund. The core's thread. */
#include "core/occupancy.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/company.h"
#include "core/notice.h"
#include "core/purse.h"

enum {
    TICK_MS = 60 * 1000,       /* a live figure so often while the fee runs */
    ASK_MS = 10 * 60 * 1000,   /* the charger is asked for a sign so often */
    SAME_MS = 3 * 60 * 1000,   /* nobody changes places in so short a gap */
    AFTER_MS = 30 * 60 * 1000, /* Finishing so long after an end is still that end's */
    LOST_MS = 2 * 3600 * 1000  /* nothing sure for so long: it is over */
};
#define DAY_MS INT64_C(86400000)

/* ---- finding ---- */

static struct order *open_at(const struct core *c, const struct connector *k)
{
    struct order *o = k->row.occupancy ? order_find(c, k->row.occupancy) : NULL;
    return o && order_open(o) ? o : NULL;
}

static const struct occ_rule *rule_of(const struct core *c, const struct order *o)
{
    const struct occ_rule *r = occ_rule_find(c, o->row.rule);
    must(r); /* versions never leave memory */
    return r;
}

/* The rule for what follows this charging order at this connector, or NULL. */
static const struct occ_rule *rule_for(const struct core *c, const struct order *o,
                                       const struct connector *k)
{
    const struct station *s = station_find(c, o->row.station);
    const struct occ_rule *r =
        s && s->row.occupancy ? occ_rule_in_force(c, s->row.occupancy, o->row.end_ms) : NULL;
    if (!r || (r->row.kinds && !(r->row.kinds & 1 << k->row.kind)))
        return NULL;
    bool exempt = o->row.payer_kind == PAYER_COMPANY && (r->row.exempt & OCC_EXEMPT_COMPANY) != 0;
    return exempt ? NULL : r;
}

static bool plug_shown(int32_t status)
{
    return status == CS_FINISHING || status == CS_SUSPENDED_EV || status == CS_PREPARING;
}

static bool bay_holds(const struct occ_rule *r, const struct connector *k)
{
    return r->row.bay && k->row.bay == BAY_TAKEN;
}

/* ---- the clock ---- */

static struct fee_piece *span_last(struct order *o)
{
    return o->bill.n ? &o->bill.piece[o->bill.n - 1] : NULL;
}

static void span_dirty(struct core *c, struct order *o)
{
    if (o->piece_dirty > o->bill.n - 1)
        o->piece_dirty = o->bill.n > 0 ? o->bill.n - 1 : 0;
    order_dirty(c, o);
}

/* The first instant that no span has: not in the free time, and not one that was before, however far
 * the server's clock went back while nobody was running. */
static int64_t span_next(const struct core *c, struct order *o)
{
    const struct fee_piece *s = span_last(o);
    int64_t at = c->now > o->row.free_ms ? c->now : o->row.free_ms;
    return s && s->to_ms > at ? s->to_ms : at;
}

static void span_begin(struct core *c, struct order *o, int64_t at)
{
    if (o->bill.n == FEE_PIECES_MAX)
        return; /* it stopped too often to be believed: what follows is free */
    o->bill.piece[o->bill.n++] = (struct fee_piece){.from_ms = at, .to_ms = at};
    span_dirty(c, o);
}

static void clock_stop(struct core *c, struct order *o)
{
    const struct fee_piece *s = span_last(o);
    if (!o->occ_runs)
        return;
    o->occ_runs = false;
    o->occ_paused_ms = c->now;
    if (s && s->from_ms == s->to_ms && o->row.state == ORDER_CHARGING)
        o->bill.n--;
    order_timer(c, o, TO_SILENCE, c->now + LOST_MS);
    order_dirty(c, o);
}

/* The span in hand is sure up to here. */
static void span_sure(struct core *c, struct order *o, int64_t at)
{
    struct fee_piece *s = span_last(o);
    if (!o->occ_runs || o->row.state != ORDER_CHARGING || !s || at <= s->to_ms)
        return;
    s->to_ms = at;
    span_dirty(c, o);
}

static void bill_of(const struct core *c, const struct order *o, bool live, struct occ_bill *out)
{
    struct occ_span span[FEE_PIECES_MAX];
    for (int32_t i = 0; i < o->bill.n; i++)
        span[i] = (struct occ_span){o->bill.piece[i].from_ms, o->bill.piece[i].to_ms};
    if (live && o->occ_runs && o->bill.n && span[o->bill.n - 1].to_ms < c->now)
        span[o->bill.n - 1].to_ms = c->now;
    occ_bill_make(rule_of(c, o), zone_of(c, o->row.station), span, o->bill.n, out);
}

int64_t occupancy_spent(const struct core *c, const struct order *o)
{
    struct occ_bill b;
    if (!order_open(o))
        return o->row.total;
    bill_of(c, o, true, &b);
    return b.total;
}

/* ---- notices ---- */

static void notice(struct core *c, struct order *o, enum order_event_kind e, int64_t value)
{
    char detail[24];
    snprintf(detail, sizeof detail, "%" PRId64, value);
    o->row.occupancy = o->row.total = occupancy_spent(c, o);
    order_event(c, o, e, detail);
    event_order(c, o);
}

/* ---- settlement ---- */

static void line_put(struct core *c, struct order *o, const struct occ_line *l, const char *label)
{
    const struct row_fee_line row = {.order_id = o->row.id,
                                     .seq = ++o->row.lines,
                                     .kind = FEE_OCCUPANCY,
                                     .label = label,
                                     .from_ms = l->from_ms,
                                     .to_ms = l->to_ms,
                                     .price_e5 = l->price * 10,
                                     .amount = l->amount};
    row_put(c, ROW_FEE_LINE, ROW_INSERT, &row);
}

/* Takes off what the caps do not allow, or everything. */
static void less_put(struct core *c, struct order *o, int64_t amount, const char *label)
{
    const struct occ_line l = {
        .from_ms = o->row.start_ms, .to_ms = o->row.end_ms, .amount = -amount};
    if (amount)
        line_put(c, o, &l, label);
}

static void stat_put(struct core *c, const struct order *o)
{
    struct civil d;
    zone_civil(zone_of(c, o->row.station), o->row.end_ms, &d);
    const struct row_stat_day row = {.station = o->row.station,
                                     .day = d.year * 10000 + d.month * 100 + d.day,
                                     .tenant = o->row.tenant,
                                     .occupancy = o->row.occupancy,
                                     .paid = o->row.paid,
                                     .loss = o->row.loss};
    row_put(c, ROW_STAT_DAY, ROW_UPSERT, &row);
}

static void settle(struct core *c, struct order *o, bool waived)
{
    struct occ_bill b;
    bill_of(c, o, false, &b);
    for (int32_t i = 0; i < b.n; i++)
        line_put(c, o, &b.line[i], "");
    less_put(c, o, b.sum - b.total, OCC_LABEL_CAP);
    if (waived) {
        less_put(c, o, b.total, OCC_LABEL_WAIVE);
        b.total = 0;
    }
    const struct bill bill = {.occupancy = b.total};
    struct taken t = {0};
    if (b.total || o->row.hold)
        t = charge_bill(c, o, &bill, o->row.hold);
    o->row.occupancy = o->row.total = b.total;
    o->row.paid = t.captured + t.debt;
    o->row.loss = t.loss;
    o->row.settled_ms = c->now;
    stat_put(c, o);
    order_state(c, o, ORDER_SETTLED);
    order_event(c, o, OE_SETTLED, "");
    order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
}

static void finish(struct core *c, struct order *o, int64_t at, const char *why, bool waived)
{
    struct connector *k = connector_find(c, o->row.connector);
    struct charger *ch = order_charger(c, o);
    clock_stop(c, o);
    at = at > o->row.start_ms ? at : o->row.start_ms;
    for (int i = 0; i < TO_N; i++)
        order_timer_off(c, o, (enum order_timer)i);
    const struct fee_piece *last = span_last(o);
    o->row.end_ms = last && last->to_ms > at ? last->to_ms : at;
    o->srow.end_ms = o->row.end_ms;
    o->srow.state = SESSION_ENDED;
    if (k && k->row.occupancy == o->row.id) {
        k->row.occupancy = k->row.after_order = k->row.after_driver = 0;
        obj_dirty(c, &k->o);
        event_connector(c, k);
    }
    order_state(c, o, ORDER_ENDED);
    order_event(c, o, waived ? OE_OCC_WAIVED : OE_OCC_ENDED, why);
    settle(c, o, waived);
    if (ch)
        command_drop(c, ch, o->row.id);
}

/* It is over, and was there up to the last sign. */
static void end_unsure(struct core *c, struct order *o, const char *why)
{
    finish(c, o, c->now, why, false);
}

/* It is over, and was there until then. */
static void end_sure(struct core *c, struct order *o, int64_t at, const char *why)
{
    at = at < c->now ? at : c->now;
    span_sure(c, o, at);
    finish(c, o, at, why, false);
}

/* ---- the fee begins, and runs ---- */

static int64_t hold_fee(struct core *c, struct order *o, const struct occ_rule *r)
{
    struct wallet_money has = wallet_money(c, o->row.tenant, o->row.driver, o->row.currency);
    int64_t amount = has.principal + has.gift;
    amount = amount < r->row.cap_order ? amount : r->row.cap_order;
    if (!r->row.hold || o->row.payer_kind != PAYER_WALLET || amount <= 0 ||
        payer_hold(c, o, amount))
        return 0; /* the wallet pays in the end all the same */
    event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
    return amount;
}

/* The free time is over and something sure is known. */
static void fee_begin(struct core *c, struct order *o, int64_t from)
{
    const struct occ_rule *r = rule_of(c, o);
    order_state(c, o, ORDER_CHARGING);
    span_begin(c, o, from);
    o->occ_told_ms = c->now;
    notice(c, o, OE_OCC_FEE, hold_fee(c, o, r));
    notice_stay(c, o, NOTICE_FEE, from);
    order_timer(c, o, TO_CAP, c->now + TICK_MS);
    order_timer(c, o, TO_STOP, c->now + ASK_MS);
}

/* A status shows the plug, or the bay's sensor the vehicle. */
static void sign(struct core *c, struct order *o)
{
    bool fee = o->row.state == ORDER_CHARGING;
    o->srow.last_ms = c->now;
    if (o->occ_runs) {
        span_sure(c, o, c->now);
        return;
    }
    o->occ_runs = true;
    order_timer(c, o, TO_SILENCE, o->row.start_ms + OCC_DAYS_MAX * DAY_MS);
    order_dirty(c, o);
    if (fee && o->bill.n < FEE_PIECES_MAX) {
        span_begin(c, o, span_next(c, o));
        notice(c, o, OE_OCC_RESUMED, c->now);
        order_timer(c, o, TO_CAP, c->now + TICK_MS);
    } else if (fee) {
        o->occ_runs = false;
    } else if (c->now >= o->row.free_ms) {
        fee_begin(c, o, c->now);
    }
}

static void tick(struct core *c, struct order *o)
{
    const struct occ_rule *r = rule_of(c, o);
    struct occ_bill sure;
    int64_t every = r->row.every_min * INT64_C(60000);
    bill_of(c, o, false, &sure);
    if (r->row.cap_order && sure.total >= r->row.cap_order) {
        notice(c, o, OE_OCC_CAPPED, sure.total);
        finish(c, o, c->now, "cap", false);
        return;
    }
    if (!o->occ_runs)
        return; /* the next sign goes on */
    if (every && c->now - o->occ_told_ms >= every) {
        o->occ_told_ms = c->now;
        notice(c, o, OE_OCC_RUNS, occupancy_spent(c, o));
        notice_stay(c, o, NOTICE_RUNS, o->bill.piece[0].from_ms);
    } else {
        event_order(c, o);
    }
    order_timer(c, o, TO_CAP, c->now + TICK_MS);
}

/* Asks the charger what the connector says. */
static void ask(struct core *c, struct order *o)
{
    struct charger *ch = order_charger(c, o);
    const struct connector *k = connector_find(c, o->row.connector);
    char payload[80];
    order_timer(c, o, TO_STOP, c->now + ASK_MS);
    if (!ch || !k || !ch->online || o->unanswered > 1 || (ch->row.traits & TRAIT_NO_TRIGGER))
        return;
    bool ykc = ch->row.protocol == PROTOCOL_YKC;
    snprintf(payload, sizeof payload,
             "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":%d}",
             (int)k->row.number);
    (void)call_add(c, ch,
                   &(struct call_ask){.kind = ykc ? CALL_TRIGGER_METER : CALL_RAW,
                                      .connector = k->row.number,
                                      .timeout_s = QUICK_CALL_S,
                                      .order = o->row.id,
                                      .action = ykc ? "ReadData" : "TriggerMessage",
                                      .payload = ykc ? "{}" : payload});
}

void occupancy_answer(struct core *c, struct order *o, int err, const char *status)
{
    const struct connector *k = connector_find(c, o->row.connector);
    bool accepted = err == 0 && strcmp(status, "Accepted") == 0;
    if (!order_open(o) || err == ERR_CLOSED || err == ERR_TIMEOUT)
        return;
    o->unanswered = accepted ? 0 : o->unanswered + 1;
    /* A pile's answer says what it is; only what differs comes as a status of its own. */
    if (accepted && k && k->charger->row.protocol == PROTOCOL_YKC && o->occ_runs &&
        plug_shown(k->row.status))
        sign(c, o);
}

void occupancy_fire(struct core *c, struct order *o, enum order_timer t)
{
    switch (t) {
    case TO_START:
        if (o->row.state == ORDER_CREATED && o->occ_runs)
            fee_begin(c, o, o->row.free_ms);
        break;
    case TO_SUSPEND:
        notice(c, o, OE_OCC_NEAR, o->row.free_ms);
        notice_stay(c, o, NOTICE_NEAR, c->now);
        break;
    case TO_CAP:
        tick(c, o);
        break;
    case TO_STOP:
        ask(c, o);
        break;
    case TO_SILENCE:
        end_unsure(c, o, o->occ_runs ? "days" : "lost");
        break;
    case TO_EVICT:
        order_evict(c, o);
        break;
    default:
        break;
    }
}

/* ---- beginning ---- */

static void timers_arm(struct core *c, struct order *o)
{
    int64_t near = o->row.free_ms - rule_of(c, o)->row.near_min * INT64_C(60000);
    if (o->row.state == ORDER_CREATED) {
        order_timer(c, o, TO_START, o->row.free_ms);
        if (near > c->now && near < o->row.free_ms)
            order_timer(c, o, TO_SUSPEND, near);
    } else {
        order_timer(c, o, TO_CAP, c->now + TICK_MS);
        order_timer(c, o, TO_STOP, c->now + ASK_MS);
    }
    order_timer(c, o, TO_SILENCE, o->row.start_ms + OCC_DAYS_MAX * DAY_MS);
}

static void rows_copy(struct order *o, const struct order *of)
{
    struct row_orders *r = &o->row;
    r->tenant = of->row.tenant;
    r->kind = ORDER_OCCUPANCY;
    r->payer_kind = of->row.payer_kind == PAYER_SINGLE ? PAYER_WALLET : of->row.payer_kind;
    r->driver = of->row.driver;
    r->company = of->row.company;
    r->member = of->row.member;
    r->token = of->row.token;
    r->station = of->row.station;
    r->charger = of->row.charger;
    r->connector = of->row.connector;
    r->tariff = of->row.tariff;
    r->contract = of->row.contract;
    r->currency = of->row.currency;
    r->seller = of->row.seller;
    r->tax_bp = of->row.tax_bp;
    r->tax_service_bp = of->row.tax_service_bp;
    r->started_by = of->row.started_by;
    r->linked = of->row.id;
    o->srow.tenant = r->tenant;
    o->srow.charger = r->charger;
    o->srow.connector = r->connector;
}

static void begin(struct core *c, struct connector *k, const struct order *of,
                  const struct occ_rule *r)
{
    struct order *o = order_new(c);
    if (!o)
        return; /* memory is full: nobody's loss but ours */
    rows_copy(o, of);
    o->row.rule = r->row.id;
    int64_t at = c->now > of->row.settled_ms ? c->now : of->row.settled_ms;
    at = at > of->row.end_ms ? at : of->row.end_ms; /* by a charger's clock that is ahead */
    o->row.start_ms = o->srow.start_ms = o->srow.last_ms = at;
    o->row.free_ms = at + r->row.free_min * INT64_C(60000);
    order_pin(c, o, 1);
    obj_own(c, &o->o);
    obj_own(c, &o->so);
    order_index(c, o);
    company_began(c, o);
    o->occ_runs = true;
    k->row.occupancy = o->row.id;
    k->row.after_order = k->row.after_driver = 0;
    obj_dirty(c, &k->o);
    timers_arm(c, o);
    notice(c, o, OE_OCC_BEGAN, o->row.free_ms);
    if (!r->row.near_min || r->row.near_min == r->row.free_min) /* there is no later moment */
        notice_stay(c, o, NOTICE_NEAR, c->now);
    event_connector(c, k);
}

static void after_forget(struct core *c, struct connector *k)
{
    if (!k->row.after_order)
        return;
    k->row.after_order = k->row.after_driver = 0;
    obj_dirty(c, &k->o);
}

/* The plug shows after a charging order ended here: is it surely that one's? */
static void look(struct core *c, struct connector *k)
{
    const struct order *of = k->row.after_order ? order_find(c, k->row.after_order) : NULL;
    const struct charger *ch = k->charger;
    if (!of || k->row.occupancy || k->row.order_id || !ch->online)
        return;
    bool same = of->row.settled_ms >= ch->opened_ms ||
                (k->row.status == CS_FINISHING && c->now - of->row.settled_ms < AFTER_MS);
    const struct occ_rule *r = same ? rule_for(c, of, k) : NULL;
    if (r && (plug_shown(k->row.status) || bay_holds(r, k)))
        begin(c, k, of, r);
    else if (!r)
        after_forget(c, k);
}

bool occupancy_may_follow(const struct core *c, const struct order *o)
{
    const struct connector *k = connector_find(c, o->row.connector);
    int64_t gone = c->now - o->row.settled_ms;
    if (!k || k->row.after_order != o->row.id || k->row.occupancy || gone > DAY_MS ||
        !rule_for(c, o, k))
        return false;
    bool heard = k->charger->online && o->row.settled_ms >= k->charger->opened_ms;
    return heard || gone < AFTER_MS;
}

static bool ended_well(enum stop_reason reason)
{
    return reason != STOP_UNPLUGGED && reason != STOP_FAULT && reason != STOP_EMERGENCY &&
           reason != STOP_POWER_LOSS && reason != STOP_REBOOT && reason != STOP_SILENCE;
}

void occupancy_after(struct core *c, struct order *o, struct connector *k, enum stop_reason reason)
{
    if (!k || k->row.order_id || k->row.occupancy || o->row.kind != ORDER_CHARGE ||
        o->row.payer_kind == PAYER_NONE || o->row.estimated || o->row.started_by == START_OFFLINE ||
        !ended_well(reason) || !ended_well((enum stop_reason)o->row.stop_reason))
        return;
    const struct occ_rule *r = rule_for(c, o, k);
    if (!r || (k->row.reported == CS_AVAILABLE && !bay_holds(r, k)))
        return;
    k->row.after_order = o->row.id;
    k->row.after_driver = o->row.driver;
    obj_dirty(c, &k->o);
    /* Of the states before the stop only Finishing says that the plug stays in. */
    if (k->row.status == CS_FINISHING || bay_holds(r, k))
        look(c, k);
}

bool occupancy_waits(const struct connector *k, int32_t status)
{
    return k->row.after_order && !k->row.occupancy &&
           (plug_shown(status) || k->row.bay == BAY_TAKEN);
}

/* ---- what happens at the connector ---- */

void occupancy_pause(struct core *c, const struct connector *k, const char *why)
{
    struct order *o = open_at(c, k);
    if (!o || !o->occ_runs)
        return;
    clock_stop(c, o);
    if (o->row.state == ORDER_CHARGING) {
        o->row.occupancy = o->row.total = occupancy_spent(c, o);
        order_event(c, o, OE_OCC_PAUSED, why);
        event_order(c, o);
    }
}

/* The plug shows again after a gap: the same vehicle's? */
static bool maybe_other(const struct core *c, const struct order *o, const struct connector *k)
{
    if (o->occ_runs || k->row.status != CS_PREPARING)
        return false;
    return o->occ_boot || c->now - o->occ_paused_ms > SAME_MS;
}

static void still_there(struct core *c, struct order *o, const struct connector *k)
{
    if (maybe_other(c, o, k)) {
        end_unsure(c, o, "unsure");
    } else {
        o->occ_boot = false;
        sign(c, o);
    }
}

void occupancy_status(struct core *c, struct connector *k, int64_t at_ms)
{
    struct order *o = open_at(c, k);
    int32_t s = k->row.status;
    if (!o) {
        if (s == CS_AVAILABLE && k->row.bay != BAY_TAKEN)
            after_forget(c, k);
        else
            look(c, k);
    } else if (plug_shown(s)) {
        still_there(c, o, k);
    } else if (s != CS_AVAILABLE) {
        occupancy_pause(c, k, s == CS_FAULTED ? "fault" : "status");
    } else if (bay_holds(rule_of(c, o), k)) {
        still_there(c, o, k);
    } else {
        end_sure(c, o, at_ms, "unplugged");
    }
}

void occupancy_parking(struct core *c, struct connector *k)
{
    struct order *o = open_at(c, k);
    bool plug = plug_shown(k->row.status);
    if (!o)
        look(c, k);
    else if (bay_holds(rule_of(c, o), k))
        still_there(c, o, k);
    else if (k->row.bay == BAY_EMPTY && !plug)
        end_sure(c, o, c->now, "bay empty");
}

void occupancy_boot(struct core *c, struct connector *k)
{
    struct order *o = open_at(c, k);
    after_forget(c, k);
    if (!o)
        return;
    occupancy_pause(c, k, "boot");
    o->occ_boot = true;
}

void occupancy_online(struct core *c, const struct connector *k)
{
    struct order *o = open_at(c, k);
    if (!o)
        return;
    occupancy_pause(c, k, "offline"); /* the old connection was replaced */
    o->unanswered = 0;
    order_timer(c, o, TO_STOP, c->now + RECONNECT_MS);
}

void occupancy_ordered(struct core *c, const struct order *o, struct connector *k)
{
    struct order *q = open_at(c, k);
    const struct order *of = k->row.after_order ? order_find(c, k->row.after_order) : NULL;
    if (o->row.started_by == START_OFFLINE)
        return; /* of the past */
    if (q && (!o->row.driver || o->row.driver != q->row.driver))
        end_unsure(c, q, "another order");
    if (!of || of->row.driver != o->row.driver)
        after_forget(c, k);
}

void occupancy_session(struct core *c, const struct order *o)
{
    struct connector *k = connector_find(c, o->row.connector);
    struct order *q = k ? open_at(c, k) : NULL;
    if (!k)
        return;
    after_forget(c, k);
    if (q && o->row.driver && o->row.driver == q->row.driver && o->row.started_by != START_OFFLINE)
        end_sure(c, q, o->row.created_ms, "charges again");
    else if (q)
        end_unsure(c, q, "another session");
}

void occupancy_freed(struct core *c, struct connector *k)
{
    look(c, k);
}

/* ---- coming back ---- */

void occupancy_restart(struct core *c, struct order *o)
{
    o->occ_runs = false;
    o->occ_paused_ms = o->srow.last_ms;
    o->occ_told_ms = c->now;
    timers_arm(c, o);
    order_timer(c, o, TO_SILENCE, c->now + LOST_MS);
    if (o->row.state == ORDER_CHARGING)
        order_event(c, o, OE_OCC_PAUSED, "restart");
}

/* ---- who pays, and who need not ---- */

bool occupancy_debt(const struct core *c, const struct order *o)
{
    return rule_of(c, o)->row.pay == OCC_PAY_DEBT;
}

static int waive_check(const struct core *c, const struct cmd *cmd, struct order **order)
{
    const struct cmd_order_waive *in = &cmd->u.order_waive;
    struct order *o = order_find(c, in->order);
    *order = o;
    if (!o || o->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, o->row.station))
        return ERR_NOT_FOUND;
    if (cmd->head.actor_kind == ACTOR_DRIVER)
        return ERR_DENIED;
    if (!in->note[0])
        return ERR_REQUIRED;
    if (o->row.kind != ORDER_OCCUPANCY)
        return ERR_CONFLICT;
    if (order_open(o))
        return 0;
    bool paid = o->row.paid > o->row.refunded && payer_pays(o);
    return o->row.state == ORDER_SETTLED && paid ? 0 : ERR_CONFLICT;
}

int occupancy_waive(struct core *c, const struct cmd *cmd)
{
    struct order *o = NULL;
    const char *note = cmd->u.order_waive.note;
    int rc = waive_check(c, cmd, &o);
    if (!rc && !order_ready(c, o))
        rc = ERR_NOT_FOUND;
    if (rc)
        return rc;
    if (order_open(o)) {
        finish(c, o, c->now, note, true);
    } else {
        int64_t back = o->row.paid - o->row.refunded;
        refund_move(c, o, back, TRANSFER_REFUND, note);
        o->row.refunded += back;
        order_dirty(c, o);
        order_event(c, o, OE_OCC_WAIVED, note);
        event_order(c, o);
    }
    c->made_id = o->row.id;
    c->made_version = o->row.version;
    return 0;
}
