// SPDX-License-Identifier: Apache-2.0
/* stop.c: how sessions end: the platform asks for it and goes on asking; the charger says so
 * (StopTransaction, 云快充 record); or it never says so and the session is closed with its last
 * good reading, until the truth arrives.
 *
 * A stop is asked for at 5, 15, 30, 60 … seconds, after a reconnect and after a restart, until the
 * session ends: a stop may be repeated safely. What the stop message says goes through the evidence
 * rules; then the order is settled in the same batch.
 *
 * Invariants: 1. a stop message ends the session it names and no other; of an unknown one only the
 * audit tells; 2. a repeated stop or record is acknowledged and changes nothing; 3. every stop
 * message is acknowledged, for a charger repeats it for ever else. */
#include "core/discharge.h"
#include "core/occupancy.h"
#include "core/parallel.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- asking ---- */

static int64_t stop_wait_ms(uint32_t tries)
{
    static const int32_t waits_s[] = {5, 15, 30, 60};
    if (tries > 30)
        return 300 * 1000; /* it does not obey; keep asking, quietly */
    return 1000 * (int64_t)waits_s[tries < ARRAY_LEN(waits_s) ? tries : ARRAY_LEN(waits_s) - 1];
}

/* Sends the call itself; 0 when the table of calls is full. */
static int64_t stop_call(struct core *c, const struct order *o, struct charger *ch,
                         const struct connector *k)
{
    char payload[96];
    bool ykc = ch->row.protocol == PROTOCOL_YKC;
    if (ykc)
        snprintf(payload, sizeof payload, "{\"gun\":%d}", (int)k->row.number);
    else
        snprintf(payload, sizeof payload, "{\"transactionId\":%" PRId64 "}", o->srow.tx);
    const struct call *call =
        call_add(c, ch,
                 &(struct call_ask){.kind = CALL_REMOTE_STOP,
                                    .connector = k->row.number,
                                    .durable = true,
                                    .first = true,
                                    .order = o->row.id,
                                    .action = ykc ? "RemoteStop" : "RemoteStopTransaction",
                                    .payload = payload});
    return call ? call->row.id : 0;
}

int64_t stop_again(struct core *c, struct order *o)
{
    struct charger *ch = order_charger(c, o);
    const struct connector *k = connector_find(c, o->row.connector);
    if (o->row.state != ORDER_STOPPING || !ch || !k)
        return 0;
    order_timer(c, o, TO_STOP, c->now + stop_wait_ms(o->stop_tries));
    if (o->stop_open || (!ch->online && o->stop_tries))
        return 0; /* one waits in line already, or there is nobody to hear it */
    o->stop_open = true;
    o->stop_tries++;
    int64_t id = stop_call(c, o, ch, k);
    if (!id)
        o->stop_open = false; /* the table is full: TO_STOP tries again */
    return id;
}

void stop_stray(struct core *c, struct order *o)
{
    struct charger *ch = order_charger(c, o);
    const struct connector *k = connector_find(c, o->row.connector);
    if (!ch || !k || k->row.order_id || c->now - o->stop_sent_ms < 60000)
        return;
    o->stop_sent_ms = c->now;
    (void)stop_call(c, o, ch, k);
}

int64_t stop_begin(struct core *c, struct order *o, enum stop_reason reason)
{
    o->row.stop_reason = (int32_t)reason;
    o->row.stop_asked_ms = c->now;
    order_dirty(c, o);
    int64_t id = 0;
    if (order_running(o)) {
        order_timer_off(c, o, TO_CAP);
        order_timer_off(c, o, TO_SUSPEND);
        o->stop_tries = 0;
        order_state(c, o, ORDER_STOPPING);
        id = stop_again(c, o);
    } /* else a wish: carried out when the session begins */
    parallel_stopped(c, o, reason);
    return id;
}

void stop_result(struct core *c, struct order *o, int err, const char *status)
{
    o->stop_open = false;
    if (o->row.state != ORDER_STOPPING)
        return;
    if (err == 0 && strcmp(status, "Accepted") == 0)
        order_event(c, o, OE_STOP_ACCEPTED, "");
    else
        order_event(c, o, OE_STOP_REJECTED, err ? err_name(err) : status);
}

int stop_order(struct core *c, const struct cmd *cmd)
{
    const struct cmd_order_stop *in = &cmd->u.order_stop;
    struct order *o = order_find(c, in->order);
    bool self = cmd->head.actor_kind == ACTOR_DRIVER;
    if (!o || o->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, o->row.station) ||
        !order_ready(c, o))
        return ERR_NOT_FOUND;
    o = parallel_main(c, o);
    if ((in->driver && in->driver != o->row.driver) || (self && cmd->head.actor != o->row.driver))
        return ERR_NOT_FOUND;
    if (o->row.kind == ORDER_OCCUPANCY)
        return ERR_CONFLICT; /* pulling the plug ends it, or a waiver */
    c->made_version = o->row.version;
    o = parallel_live(c, o);
    if (o->row.state == ORDER_HELD)
        order_fail(c, o, ERR_CLOSED, OE_START_REJECTED, "cancelled");
    else if (order_open(o) && !o->row.stop_asked_ms)
        c->made_id = stop_begin(c, o, self ? STOP_DRIVER : STOP_STAFF);
    return 0; /* what is stopping, or over, needs no more */
}

/* ---- ending ---- */

/* The order that a turn-round began behind this one, or 0. */
static int64_t turned_to(const struct core *c, struct connector *k)
{
    const struct order *next = order_find(c, k->turn);
    k->turn = 0;
    return next && order_open(next) ? next->row.id : 0;
}

void stop_end(struct core *c, struct order *o, enum stop_reason reason, int64_t end_ms)
{
    struct charger *ch = order_charger(c, o);
    struct connector *k = connector_find(c, o->row.connector);
    order_fill(c, o);
    for (int i = 0; i < TO_N; i++)
        order_timer_off(c, o, (enum order_timer)i);
    if (o->row.stop_reason == STOP_NONE)
        o->row.stop_reason = reason == STOP_NONE ? STOP_OTHER : (int32_t)reason;
    o->row.end_ms = o->srow.end_ms = end_ms;
    o->srow.state = SESSION_ENDED;
    if (k && k->row.order_id == o->row.id) {
        k->row.order_id = turned_to(c, k);
        obj_dirty(c, &k->o);
        event_connector(c, k);
    }
    order_state(c, o, ORDER_ENDED);
    order_event(c, o, o->row.estimated ? OE_CLOSED_ESTIMATED : OE_TX_STOPPED, o->srow.stop_text);
    struct order *over = parallel_ended(c, o, reason);
    if (over)
        settle_order(c, over);
    if (ch) {
        command_drop(c, ch, o->row.id);
        interval_note(c, o, ch);
        interval_restore(c, ch);
    }
    if (over)
        occupancy_after(c, over, over == o ? k : connector_find(c, over->row.connector), reason);
}

void stop_estimated(struct core *c, struct order *o, enum stop_reason reason)
{
    struct evidence_step step;
    evidence_close(&o->ev, &step);
    meter_step(c, o, &step);
    o->row.estimated = 1;
    stop_end(c, o, reason, o->ev.last_ms);
}

static void latency_learn(struct core *c, const struct order *o, struct charger *ch)
{
    if (!o->stop_sent_ms || c->now - o->stop_sent_ms > 60000)
        return;
    cap_learn(&ch->row.stop_min_ms, &ch->row.stop_ms, c->now - o->stop_sent_ms);
    obj_dirty(c, &ch->o);
}

/* ---- StopTransaction ---- */

/* The stop's register into the evidence and the bill; returns when it was. */
static int64_t stop_evidence(struct core *c, struct order *o, const struct cmd_tx_stop *in,
                             const struct charger *ch)
{
    struct evidence_step step;
    uint32_t flags = 0;
    bool late = link_late(c, ch, in->time_ms);
    int64_t at = evidence_time(&o->ev, c->now, in->time_ms, late, &flags);
    o->ev.flags |= flags;
    evidence_stop(&o->ev, &o->lim, at, in->meter_mwh, &step);
    meter_step(c, o, &step);
    o->srow.meter_stop = in->meter_mwh;
    o->srow.charger_stop_ms = in->time_ms;
    (void)obj_text(c, &o->so, &o->srow.stop_text, in->reason);
    return at;
}

static void unknown_stop(struct core *c, const struct charger *ch, const struct cmd_tx_stop *in)
{
    char detail[120];
    snprintf(detail, sizeof detail, "transaction %" PRId64 " meter %" PRId64 " mWh", in->tx,
             in->meter_mwh);
    audit_put(c, ch->row.tenant, "stop.unknown", ch->row.id, detail, ERR_NOT_FOUND);
}

/* The true stop of a session that was closed by estimate. */
static void late_stop(struct core *c, struct order *o, const struct cmd_tx_stop *in,
                      const struct charger *ch)
{
    int64_t billed = o->row.energy_mwh;
    o->ev.ended = false;
    (void)stop_evidence(c, o, in, ch);
    settle_correct(c, o, billed, 0);
}

/* A charger that says the stop knows the answer to its start: on this connection the same start
 * again is a new session (of a charger whose clock stands still), not a retry. */
static void repeat_over(struct core *c, const struct order *o, const struct charger *ch)
{
    struct connector *k = connector_find(c, o->row.connector);
    if (!k || k->row.told_tx != o->srow.tx || o->row.created_ms < ch->opened_ms)
        return;
    k->row.told_tx = 0;
    obj_dirty(c, &k->o);
}

static void stop_known(struct core *c, struct order *o, const struct cmd_tx_stop *in,
                       struct charger *ch)
{
    if (order_running(o)) {
        o->ending = true; /* its samples ask nothing of the charger any more */
        meter_samples(c, o, in->samples, in->n);
        latency_learn(c, o, ch);
        int64_t at = stop_evidence(c, o, in, ch);
        repeat_over(c, o, ch);
        stop_end(c, o, (enum stop_reason)in->stop, at);
    } else if (o->row.estimated) {
        late_stop(c, o, in, ch);
    }
}

void stop_tx(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_tx_stop *in = &cmd->u.tx_stop;
    must(in->n >= 0 && in->n <= CMD_SAMPLES_MAX);
    struct order *o = order_by_tx(c, ch->row.id, in->tx);
    int32_t status = TAG_ACCEPTED;
    if (!o || !order_ready(c, o)) {
        unknown_stop(c, ch, in);
    } else {
        if (in->tag[0] && strcmp(in->tag, o->srow.tag) != 0)
            status = start_tag_status(c, ch, in->tag);
        stop_known(c, o, in, ch);
    }
    reply_tag(c, status, 0);
}

/* ---- 云快充 records ---- */

static int64_t within(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Do the record's classes mean the hours and prices of this tariff all the time? They are those of
 * the model that the pile held: another version, or another day's plan, may have other hours. */
static bool classes_hold(const struct core *c, const struct order *o, const struct tariff *t,
                         int64_t from_ms, int64_t to_ms, struct tariff_classes *out)
{
    const struct zone *z = zone_of(c, o->row.station);
    const struct tariff *list = tariff_find(c, o->srow.list_tariff);
    struct tariff_classes other;
    if (tariff_classes_of_day(t, z, from_ms, out))
        return false;
    if (!list && o->srow.direction < 0)
        return false; /* its hours are those of charging, and nobody knows which */
    if (list && list != t &&
        (tariff_classes_of_day(list, z, from_ms, &other) ||
         memcmp(other.slot, out->slot, sizeof out->slot) != 0))
        return false;
    if (to_ms + PRICE_LEAD_MS < out->until_ms)
        return true;
    return tariff_classes_of_day(t, z, out->until_ms, &other) == 0 &&
           memcmp(other.slot, out->slot, sizeof out->slot) == 0 &&
           memcmp(other.elec_e5, out->elec_e5, sizeof out->elec_e5) == 0 &&
           memcmp(other.service_e5, out->service_e5, sizeof out->service_e5) == 0;
}

/* The bill of a record: its energies by class at our prices, cut to what the evidence allows. */
static void record_bill(struct core *c, struct order *o, const struct cmd_tx_record *in,
                        int64_t from_ms, int64_t to_ms)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    const struct zone *z = zone_of(c, o->row.station);
    struct tariff_classes classes;
    struct fee_sum live;
    if (!t || (o->srow.direction < 0 && !discharge_pays(o)))
        return;
    fee_sum(&o->bill, &live);
    bool fits = classes_hold(c, o, t, from_ms, to_ms, &classes) &&
                fee_from_classes(&o->bill, &classes, in->class_energy_mwh, from_ms, to_ms) == 0;
    if (to_ms - from_ms > FEE_SPAN_MAX_MS)
        from_ms = to_ms - FEE_SPAN_MAX_MS; /* by the pile's clock, which may be anything */
    if (!fits && o->ev.energy_mwh > live.energy_mwh)
        (void)fee_add(&o->bill, t, z, from_ms, to_ms, o->ev.energy_mwh - live.energy_mwh);
    fee_cut(&o->bill, o->ev.energy_mwh);
    o->piece_dirty = 0;
}

static int64_t record_evidence(struct core *c, struct order *o, const struct cmd_tx_record *in)
{
    struct evidence_step step;
    int64_t from = within(in->start_ms, o->row.start_ms, c->now);
    int64_t to = within(in->end_ms, from, c->now);
    struct evidence_record r = {.start_ms = in->start_ms,
                                .end_ms = in->end_ms,
                                .meter_start_mwh = in->meter_start_mwh,
                                .meter_end_mwh = in->meter_end_mwh,
                                .energy_mwh = in->energy_mwh};
    memcpy(r.class_mwh, in->class_energy_mwh, sizeof r.class_mwh);
    evidence_settle_record(&o->ev, &o->lim, &r, &step);
    pile_amount_judge(c, o, in);
    record_bill(c, o, in, from, to);
    discharge_judge(c, o, in);
    char text[24];
    snprintf(text, sizeof text, "0x%02X", (unsigned)in->raw_reason);
    (void)obj_text(c, &o->so, &o->srow.stop_text, text);
    o->srow.meter_stop = in->meter_end_mwh;
    o->srow.charger_start_ms = in->start_ms;
    o->srow.charger_stop_ms = in->end_ms;
    o->srow.record_amount = in->amount;
    return to;
}

static void record_end(struct core *c, struct order *o, const struct cmd_tx_record *in,
                       struct charger *ch)
{
    latency_learn(c, o, ch);
    int64_t at = record_evidence(c, o, in);
    stop_end(c, o, (enum stop_reason)in->stop, at);
}

static int64_t record_start(const struct core *c, const struct cmd_tx_record *in, int64_t lo)
{
    return within(in->start_ms, lo, c->now);
}

/* A record of an order that was given up: somebody charged, nobody pays (a discharge is paid all the
 * same: its driver wanted it, and gave it). The number moves to the
 * order that records it, so that the record repeated finds it there. */
static void record_late(struct core *c, struct order *o, const struct cmd_tx_record *in,
                        struct charger *ch)
{
    struct connector *k = connector_of(ch, in->connector);
    if (!k || in->energy_mwh <= 0 || (o->srow.direction < 0 && !discharge_pays(o)))
        return; /* energy given for nothing is nobody's loss */
    order_event(c, o, OE_LATE_START, "");
    struct order *loss = start_unpaid(c, o, k, START_APP);
    if (!loss)
        return;
    (void)strmap_del(&c->tx_nos, str_from_c(in->tx_no));
    (void)obj_text(c, &o->so, &o->srow.tx_no, "");
    (void)obj_text(c, &loss->so, &loss->srow.tx_no, in->tx_no);
    order_index(c, loss);
    order_begin(c, loss, record_start(c, in, o->row.created_ms), 0);
    if (in->stop == STOP_NONE) /* by us: because nobody pays */
        loss->row.stop_reason = STOP_DEAUTHORIZED;
    record_end(c, loss, in, ch);
}

static void record_known(struct core *c, struct order *o, const struct cmd_tx_record *in,
                         struct charger *ch)
{
    bool waits = o->row.state == ORDER_STARTING || o->row.state == ORDER_HELD;
    if (waits && in->energy_mwh <= 0) {
        char detail[24];
        snprintf(detail, sizeof detail, "0x%02X", (unsigned)in->raw_reason);
        order_fail(c, o, ERR_REJECTED, OE_START_REJECTED, detail);
    } else if (waits) {
        order_begin(c, o, record_start(c, in, o->row.created_ms), 0);
        record_end(c, o, in, ch);
    } else if (order_running(o)) {
        record_end(c, o, in, ch);
    } else if (o->row.state == ORDER_START_FAILED) {
        record_late(c, o, in, ch);
    } else if (o->row.estimated) {
        int64_t billed = parallel_main(c, o)->row.energy_mwh;
        int64_t kept = parallel_own(c, o, billed);
        (void)record_evidence(c, o, in);
        if (!parallel_true_end(c, o))
            settle_correct(c, o, billed, kept);
    }
}

/* No order has this number: the session of a card while the pile was offline, or nobody's, which
 * is kept for a person. A number that is not made of digits can be nobody's, so the pile is told
 * that the record is illegal; of others it is only told that they were received. */
static int record_unknown(struct core *c, const struct cmd_tx_record *in, struct charger *ch)
{
    bool legal = in->tx_no[strspn(in->tx_no, "0123456789")] == 0;
    int err = ERR_NOT_FOUND;
    struct order *o = legal ? start_offline(c, in, ch, &err) : NULL;
    if (o) {
        order_begin(c, o, within(in->start_ms, 1, c->now), 0);
        record_end(c, o, in, ch);
        pile_stray_end(c, in->tx_no, ch);
    } else if (legal) {
        pile_stray_record(c, in, ch, err);
    } else {
        char detail[120];
        snprintf(detail, sizeof detail, "%s %" PRId64 " mWh", in->tx_no, in->energy_mwh);
        audit_put(c, ch->row.tenant, "record.illegal", ch->row.id, detail, ERR_SYNTAX);
    }
    return legal ? 0 : ERR_SYNTAX;
}

void stop_record(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_tx_record *in = &cmd->u.tx_record;
    struct order *o = order_by_tx_no(c, in->tx_no);
    int err = 0;
    if (!o)
        err = record_unknown(c, in, ch);
    else if (o->row.charger == ch->row.id && order_ready(c, o))
        record_known(c, o, in, ch);
    else
        pile_stray_record(c, in, ch, ERR_CONFLICT);
    if (err)
        reply_err(c, err);
    else
        reply_plain(c);
}
