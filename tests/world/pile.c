// SPDX-License-Identifier: Apache-2.0
/* pile.c: one simulated charger and the part of a gate that serves it: see world.h.
 *
 * OCPP: one call of the charger is unanswered at a time; a message that was under way when the
 * connection broke is sent again after the next one. 云快充: readings want no answer, the record
 * does. */
#include "world/world.h"

#include <stdio.h>

#include "base/err.h"
#include "base/must.h"

static bool ykc(const struct pile *p)
{
    return p->protocol == PROTOCOL_YKC;
}

static int64_t wh(int64_t mwh)
{
    return mwh / 1000 * 1000; /* registers go over the wire in whole Wh */
}

/* ---- on the way to the core ---- */

static void send_core(struct pile *p, const struct to_core *m)
{
    must(p->outs < WORLD_TO_CORE);
    int64_t at = p->w->now_ms + rng_range(&p->rng, 20, 250);
    if (at < p->last_out_ms)
        at = p->last_out_ms; /* one TCP connection keeps the order */
    p->last_out_ms = at;
    p->out[p->outs] = *m;
    p->out[p->outs++].at_ms = at;
}

static void say_result(struct pile *p, int64_t command, int err, const char *status)
{
    struct to_core m = {.word = WORD_RESULT, .command = command, .err = err, .status = status};
    send_core(p, &m);
}

static void truth_tell(const struct pile *p, const struct to_core *m)
{
    const struct model_gun *g = &p->m.guns[m->event.gun];
    struct audit_truth t = {.charger = p->charger,
                            .tx = m->tx,
                            .start_mwh = wh(m->start_mwh),
                            .stop_mwh = wh(m->event.meter_mwh),
                            .habit = p->placeholder[m->event.gun] ? -1 : g->habit,
                            .ykc = ykc(p)};
    if (ykc(p)) { /* the record counts the session */
        t.stop_mwh = wh(m->energy_mwh);
        t.start_mwh = 0;
        (void)str_copy(t.tx_no, sizeof t.tx_no, str_from_c(m->id));
    }
    audit_truth_add(&p->w->audit, &t);
}

static void event_send(struct pile *p, const struct model_event *e)
{
    const struct model_gun *g = &p->m.guns[e->gun];
    struct to_core m = {.word = WORD_EVENT,
                        .event = *e,
                        .tx = g->tx,
                        .start_mwh = g->start_mwh,
                        .start_ms = g->start_ms,
                        .end_ms = g->end_ms};
    (void)str_copy(m.id, sizeof m.id, str_from_c(g->id));
    m.energy_mwh = e->meter_mwh - g->start_mwh;
    memcpy(m.class_mwh, g->class_mwh, sizeof m.class_mwh);
    bool record = e->type == MODEL_EVENT_STOP;
    if (e->type == MODEL_EVENT_START)
        p->placeholder[e->gun] = e->meter_mwh == 0;
    m.wants_answer = !ykc(p) || record || e->type == MODEL_EVENT_AUTHORIZE;
    if (record)
        truth_tell(p, &m);
    send_core(p, &m);
    p->waiting = m.wants_answer;
    if (!m.wants_answer)
        model_pop(&p->m);
}

/** Sends what may be sent now. */
static void pump(struct pile *p)
{
    while (p->up && p->known && !p->waiting && p->outs < WORLD_TO_CORE - 4) {
        const struct model_event *e = model_head(&p->m);
        if (p->m.boot_due && !p->boots) {
            p->m.boot_due = false;
            p->boots = p->waiting = true;
            send_core(p, &(struct to_core){.word = WORD_BOOT, .wants_answer = true});
        } else if (e) {
            event_send(p, e);
        } else {
            return;
        }
    }
}

static void link_open(struct pile *p)
{
    p->gen++;
    p->up = true;
    p->known = p->waiting = p->boots = false;
    p->last_out_ms = p->last_in_ms = p->w->now_ms;
    model_link(&p->m, true, p->w->now_ms);
    send_core(p, &(struct to_core){.word = WORD_OPEN, .wants_answer = true});
}

static struct origin origin_of(const struct pile *p)
{
    return (struct origin){.kind = FROM_GATE, .slot = (uint32_t)p->index, .gen = p->gen};
}

static struct cmd *gate_cmd(struct pile *p, uint16_t type, bool wants_answer)
{
    struct cmd *c = p->w->cmd;
    memset(&c->head, 0, sizeof c->head);
    memset(&c->u, 0, sizeof c->u.tx_stop);
    c->head.type = type;
    c->head.from = origin_of(p);
    c->head.from.ref = wants_answer ? ++p->w->ref : 0;
    return c;
}

static void result_apply(struct pile *p, int64_t command, int err, const char *status)
{
    struct cmd *c = gate_cmd(p, CMD_CALL_RESULT, false);
    struct cmd_call_result *r = &c->u.call_result;
    r->charger = p->charger;
    r->command = command;
    r->err = err;
    r->n = 0;
    r->payload[0] = 0;
    (void)str_copy(r->status, sizeof r->status, str_from_c(status ? status : ""));
    world_apply(p->w, c, CMD_SIZE(call_result));
}

void pile_cut(struct pile *p)
{
    model_link(&p->m, false, p->w->now_ms);
    p->up = p->known = p->waiting = p->boots = false;
    p->outs = p->ins = 0;
    p->call = 0;
    must(heap_set(&p->w->timers, &p->timer, p->w->now_ms + 100) == 0);
}

/** The connection breaks, and the gate notices. */
static void link_broken(struct pile *p)
{
    struct origin from = origin_of(p);
    bool told = p->known;
    int64_t call = p->call;
    if (call && told)
        result_apply(p, call, ERR_CLOSED, "");
    pile_cut(p);
    if (!told)
        return;
    struct cmd *c = gate_cmd(p, CMD_CONN_CLOSED, false);
    c->head.from = from;
    c->u.conn_closed.charger = p->charger;
    c->u.conn_closed.reason = 1006;
    world_apply(p->w, c, CMD_SIZE(conn_closed));
}

/* ---- into the core: what a gate makes of a message ---- */

static int32_t status_of(uint8_t state)
{
    static const int32_t status[] = {
        [GUN_FREE] = CS_AVAILABLE,      [GUN_PLUGGED] = CS_PREPARING,
        [GUN_ASKING] = CS_PREPARING,    [GUN_STARTING] = CS_PREPARING,
        [GUN_CHARGING] = CS_CHARGING,   [GUN_SUSPENDED] = CS_SUSPENDED_EV,
        [GUN_FINISHED] = CS_FINISHING,  [GUN_FAULTED] = CS_FAULTED,
        [GUN_DISABLED] = CS_UNAVAILABLE};
    return status[state];
}

static int32_t stop_of(uint8_t reason)
{
    static const int32_t stop[] = {[STOPPED_REMOTE] = STOP_OTHER,
                                   [STOPPED_LOCAL] = STOP_LOCAL,
                                   [STOPPED_UNPLUGGED] = STOP_UNPLUGGED,
                                   [STOPPED_FAULT] = STOP_FAULT,
                                   [STOPPED_REFUSED] = STOP_DEAUTHORIZED,
                                   [STOPPED_BALANCE] = STOP_CAP,
                                   [STOPPED_FULL] = STOP_FULL,
                                   [STOPPED_RESET] = STOP_REBOOT,
                                   [STOPPED_UNLOCKED] = STOP_LOCAL,
                                   [STOPPED_TURNED] = STOP_OTHER,
                                   [STOPPED_FLOOR] = STOP_LIMIT};
    return stop[reason];
}

static struct core_sample sample_of(const struct pile *p, const struct to_core *m)
{
    const struct model_event *e = &m->event;
    return (struct core_sample){.time_ms = ykc(p) ? 0 : e->time_ms,
                                .energy_mwh = wh(ykc(p) ? m->energy_mwh : e->meter_mwh),
                                .power_w = e->power_w,
                                .voltage_mv = SAMPLE_NONE32,
                                .current_ma = SAMPLE_NONE32,
                                .soc_pm = e->soc_pm,
                                .temp_dc = SAMPLE_NONE32,
                                .flags = e->triggered ? SAMPLE_TRIGGER : 0,
                                .cost = SAMPLE_NONE};
}

static void hear_start(struct pile *p, const struct to_core *m)
{
    struct cmd *c = gate_cmd(p, CMD_TX_START, true);
    struct cmd_tx_start *s = &c->u.tx_start;
    s->charger = p->charger;
    s->connector = m->event.gun + 1;
    s->meter_mwh = wh(m->event.meter_mwh);
    s->time_ms = m->event.time_ms;
    (void)str_copy(s->tag, sizeof s->tag, str_from_c(m->id));
    world_apply(p->w, c, CMD_SIZE(tx_start));
}

static void hear_meter(struct pile *p, const struct to_core *m)
{
    struct cmd *c = gate_cmd(p, CMD_METER, m->wants_answer);
    struct cmd_meter *r = &c->u.meter;
    r->charger = p->charger;
    r->connector = m->event.gun + 1;
    r->n = 1;
    r->tx = ykc(p) ? 0 : m->tx;
    if (ykc(p))
        (void)str_copy(r->tx_no, sizeof r->tx_no, str_from_c(m->id));
    r->samples[0] = sample_of(p, m);
    world_apply(p->w, c, offsetof(struct cmd, u.meter.samples) + sizeof r->samples[0]);
}

static void hear_stop(struct pile *p, const struct to_core *m)
{
    struct cmd *c = gate_cmd(p, CMD_TX_STOP, true);
    struct cmd_tx_stop *s = &c->u.tx_stop;
    s->charger = p->charger;
    s->tx = m->tx;
    s->stop = stop_of(m->event.reason);
    s->meter_mwh = wh(m->event.meter_mwh);
    s->time_ms = m->event.time_ms;
    (void)str_copy(s->tag, sizeof s->tag, str_from_c(m->id));
    world_apply(p->w, c, offsetof(struct cmd, u.tx_stop.samples));
}

static void hear_record(struct pile *p, const struct to_core *m)
{
    struct cmd *c = gate_cmd(p, CMD_TX_RECORD, true);
    struct cmd_tx_record *r = &c->u.tx_record;
    int64_t left = wh(m->energy_mwh);
    r->charger = p->charger;
    r->connector = m->event.gun + 1;
    r->stop = stop_of(m->event.reason);
    r->start_ms = m->start_ms;
    r->end_ms = m->end_ms;
    r->meter_start_mwh = wh(m->start_mwh);
    r->meter_end_mwh = wh(m->event.meter_mwh);
    r->energy_mwh = left;
    r->start_mark = 1;
    (void)str_copy(r->tx_no, sizeof r->tx_no, str_from_c(m->id));
    for (int k = 3; k >= 0; k--) { /* classes sum to the total, in whole Wh */
        r->class_price_e5[k] = p->m.prices.price_e5[k];
        r->class_energy_mwh[k] = wh(m->class_mwh[k]) < left ? wh(m->class_mwh[k]) : left;
        left -= r->class_energy_mwh[k];
    }
    for (int k = 0; k < 4 && left; k++)
        if (m->class_mwh[k]) {
            r->class_energy_mwh[k] += left;
            left = 0;
        }
    for (int k = 0; k < 4; k++) {
        r->class_amount[k] = muldiv_half_up(r->class_energy_mwh[k], r->class_price_e5[k], 10000000);
        r->amount += r->class_amount[k];
    }
    world_apply(p->w, c, CMD_SIZE(tx_record));
}

static void hear_event(struct pile *p, const struct to_core *m)
{
    struct cmd *c;
    switch (m->event.type) {
    case MODEL_EVENT_STATUS:
        c = gate_cmd(p, CMD_STATUS, m->wants_answer);
        c->u.status.charger = p->charger;
        c->u.status.connector = m->event.gun + 1;
        c->u.status.status = status_of(m->event.state);
        world_apply(p->w, c, CMD_SIZE(status));
        break;
    case MODEL_EVENT_AUTHORIZE:
        c = gate_cmd(p, CMD_AUTHORIZE, true);
        c->u.authorize.charger = p->charger;
        (void)str_copy(c->u.authorize.tag, sizeof c->u.authorize.tag, str_from_c(m->id));
        world_apply(p->w, c, CMD_SIZE(authorize));
        break;
    case MODEL_EVENT_START:
        if (ykc(p))
            hear_meter(p, m);
        else
            hear_start(p, m);
        break;
    case MODEL_EVENT_METER:
        hear_meter(p, m);
        break;
    default:
        if (ykc(p))
            hear_record(p, m);
        else
            hear_stop(p, m);
    }
}

static void hear(struct pile *p, const struct to_core *m)
{
    struct cmd *c;
    switch ((enum word)m->word) {
    case WORD_OPEN:
        c = gate_cmd(p, CMD_CONN_OPEN, true);
        c->u.conn_open.protocol = p->protocol;
        (void)str_copy(c->u.conn_open.path, sizeof c->u.conn_open.path, str_from_c(p->path));
        world_apply(p->w, c, CMD_SIZE(conn_open));
        break;
    case WORD_BOOT:
        c = gate_cmd(p, CMD_BOOT, true);
        c->u.boot.charger = p->charger;
        (void)snprintf(c->u.boot.vendor, sizeof c->u.boot.vendor, "Sim");
        (void)snprintf(c->u.boot.model, sizeof c->u.boot.model, "World");
        world_apply(p->w, c, CMD_SIZE(boot));
        break;
    case WORD_PRICES:
        c = gate_cmd(p, CMD_PRICE_MODEL, true);
        c->u.charger.charger = p->charger;
        world_apply(p->w, c, CMD_SIZE(charger));
        break;
    case WORD_HELD:
        c = gate_cmd(p, CMD_PRICE_HELD, false);
        c->u.price_held.charger = p->charger;
        c->u.price_held.tariff = p->tariff;
        world_apply(p->w, c, CMD_SIZE(price_held));
        break;
    case WORD_EVENT:
        hear_event(p, m);
        break;
    case WORD_RESULT:
        if (p->call == m->command)
            p->call = 0;
        result_apply(p, m->command, m->err, m->status);
        break;
    }
}

/* ---- from the core to the charger ---- */

void pile_deliver(struct pile *p, const struct out *o)
{
    struct to_pile m = {.type = o->type, .cmd_type = o->cmd_type, .err = o->err};
    if (o->type == OUT_REPLY) {
        switch (o->cmd_type) {
        case CMD_CONN_OPEN:
            m.id = o->u.conn.charger;
            break;
        case CMD_AUTHORIZE:
        case CMD_TX_START:
            m.status = o->u.tag.status;
            m.tx = o->u.tag.tx;
            break;
        case CMD_PRICE_MODEL:
            m.id = o->u.prices.tariff;
            for (int k = 0; k < 4; k++)
                m.prices.price_e5[k] =
                    (int32_t)(o->u.prices.elec_e5[k] + o->u.prices.service_e5[k]);
            memcpy(m.prices.slot, o->u.prices.slot, sizeof m.prices.slot);
            break;
        default:
            break;
        }
    } else if (o->type == OUT_CALL) {
        m.kind = o->u.call.kind;
        m.id = o->u.call.command;
        m.connector = o->u.call.connector;
        m.interval_s = o->u.call.interval_s;
        m.balance = o->u.call.balance;
        m.limit_w = o->u.call.limit_w;
        m.zero_after_s = o->u.call.zero_after_s;
        (void)str_copy(m.text, sizeof m.text, str_from_c(ykc(p) ? o->u.call.tx_no : o->u.call.tag));
        p->call = m.id;
        p->call_until_ms = p->w->now_ms + o->u.call.timeout_s * INT64_C(1000);
    }
    must(p->ins < WORLD_TO_PILE);
    m.at_ms = p->w->now_ms + rng_range(&p->rng, 20, 250);
    if (m.at_ms < p->last_in_ms)
        m.at_ms = p->last_in_ms;
    p->last_in_ms = m.at_ms;
    p->in[p->ins++] = m;
    must(heap_set(&p->w->timers, &p->timer, p->w->now_ms) == 0);
}

static void answer(struct pile *p, const struct to_pile *m, int rc)
{
    if (rc == ERR_TIMEOUT)
        return; /* this charger never answers */
    if (rc == ERR_UNSUPPORTED)
        say_result(p, m->id, ERR_REJECTED, "");
    else
        say_result(p, m->id, 0, rc ? "Rejected" : "Accepted");
}

static int take_profile(struct pile *p, const struct to_pile *m, unsigned gun)
{
    int rc = model_limit(&p->m, gun, m->limit_w > 0 ? (int32_t)m->limit_w : -1, p->w->now_ms);
    if (rc || !m->zero_after_s)
        return rc;
    p->profiles++;
    return model_limit_later(&p->m, gun, 0,
                             p->m.guns[gun].start_ms + m->zero_after_s * INT64_C(1000));
}

static void take_call(struct pile *p, const struct to_pile *m)
{
    int64_t now = p->w->now_ms;
    unsigned gun = m->connector > 0 ? (unsigned)m->connector - 1 : 0;
    switch (m->kind) {
    case CALL_REMOTE_START:
        if (p->cut_after_start) {
            p->cut_after_start = false;
            link_broken(p);
            return;
        }
        answer(p, m,
               model_remote_start(&p->m, gun, str_from_c(m->text), ykc(p) ? m->balance : INT64_MAX,
                                  now));
        break;
    case CALL_REMOTE_STOP:
        answer(p, m, model_remote_stop(&p->m, gun, now));
        break;
    case CALL_TRIGGER_METER:
        answer(p, m, model_read(&p->m, gun, now));
        break;
    case CALL_PROFILE:
        answer(p, m, take_profile(p, m, gun));
        break;
    case CALL_SET_INTERVAL:
        answer(p, m, model_interval(&p->m, m->interval_s * 1000, now));
        break;
    case CALL_BALANCE:
        model_set_balance(&p->m, gun, m->balance);
        answer(p, m, 0);
        break;
    default:
        answer(p, m, 0);
    }
}

static void take_reply(struct pile *p, const struct to_pile *m)
{
    const struct model_event *e = model_head(&p->m);
    switch (m->cmd_type) {
    case CMD_CONN_OPEN:
        if (m->err) {
            pile_cut(p);
            return;
        }
        must(m->id == p->charger);
        p->known = true;
        if (ykc(p))
            send_core(p, &(struct to_core){.word = WORD_PRICES, .wants_answer = true});
        return;
    case CMD_BOOT:
        p->boots = p->waiting = false;
        return;
    case CMD_PRICE_MODEL:
        if (!m->err) {
            model_set_prices(&p->m, &m->prices);
            p->tariff = m->id;
            send_core(p, &(struct to_core){.word = WORD_HELD});
        }
        return;
    case CMD_AUTHORIZE:
        model_authorized(&p->m, e->gun, !m->err && m->status == TAG_ACCEPTED, p->w->now_ms);
        break;
    case CMD_TX_START:
        model_started(&p->m, e->gun, (int32_t)m->tx, !m->err && m->status == TAG_ACCEPTED,
                      p->w->now_ms);
        break;
    default:
        break;
    }
    must(p->waiting);
    p->waiting = false;
    model_pop(&p->m);
}

static void take(struct pile *p, const struct to_pile *m)
{
    if (m->type == OUT_CALL)
        take_call(p, m);
    else if (m->type == OUT_REPLY)
        take_reply(p, m);
    else
        link_broken(p);
}

/* ---- time ---- */

/** Queues are short; the first of each is the earliest. */
static bool next_out(struct pile *p, struct to_core *m)
{
    if (!p->outs || p->out[0].at_ms > p->w->now_ms)
        return false;
    *m = p->out[0];
    memmove(&p->out[0], &p->out[1], (size_t)--p->outs * sizeof p->out[0]);
    return true;
}

static bool next_in(struct pile *p, struct to_pile *m)
{
    if (!p->ins || p->in[0].at_ms > p->w->now_ms)
        return false;
    *m = p->in[0];
    memmove(&p->in[0], &p->in[1], (size_t)--p->ins * sizeof p->in[0]);
    return true;
}

static void pile_timer(struct pile *p)
{
    int64_t due = model_next_ms(&p->m);
    if (p->outs && p->out[0].at_ms < due)
        due = p->out[0].at_ms;
    if (p->ins && p->in[0].at_ms < due)
        due = p->in[0].at_ms;
    if (p->call && p->call_until_ms < due)
        due = p->call_until_ms;
    if (due <= p->w->now_ms)
        due = p->w->now_ms + 1;
    must(heap_set(&p->w->timers, &p->timer, due) == 0);
}

void pile_init(struct pile *p)
{
    must(heap_set(&p->w->timers, &p->timer, p->w->now_ms + rng_range(&p->rng, 0, 2000)) == 0);
}

void pile_tick(struct pile *p)
{
    struct to_core up;
    struct to_pile down;
    model_advance(&p->m, p->w->now_ms);
    if (p->m.link_wanted && !p->up)
        link_open(p);
    else if (!p->m.link_wanted && p->up)
        link_broken(p);
    while (p->up && next_out(p, &up))
        hear(p, &up);
    while (p->up && next_in(p, &down))
        take(p, &down);
    if (p->up && p->call && p->w->now_ms >= p->call_until_ms) {
        int64_t call = p->call;
        p->call = 0;
        result_apply(p, call, ERR_TIMEOUT, "");
    }
    pump(p);
    pile_timer(p);
}
