// SPDX-License-Identifier: Apache-2.0
/* notice.c: see notice.h. Data: orders.notices, four bits a text: its kind, and HEARD once it is known
 * what became of it. Fails by silence: whoever cannot be told is not told. */
#include "core/notice.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/zone.h"

enum { BITS = 4, KIND = 7, HEARD = 8 };

/* ---- what was asked for ---- */

static int32_t asked(const struct order *o, int32_t n)
{
    return (int32_t)((uint64_t)o->row.notices >> n * BITS & (KIND | HEARD));
}

static int32_t asked_n(const struct order *o)
{
    int32_t n = 0;
    while (n < NOTICES_MAX && asked(o, n))
        n++;
    return n;
}

static bool asked_before(const struct order *o, enum notice_kind kind)
{
    for (int32_t n = 0; n < NOTICES_MAX; n++)
        if ((asked(o, n) & KIND) == (int32_t)kind)
            return true;
    return false;
}

static void mark(struct core *c, struct order *o, int32_t n, int32_t bits)
{
    o->row.notices = (int64_t)((uint64_t)o->row.notices | (uint64_t)bits << n * BITS);
    order_dirty(c, o);
}

/* ---- asking ---- */

/* The driver, when this order's wants such a text and its operator does. */
static const struct driver *listener(const struct core *c, const struct order *o,
                                     enum notice_kind kind)
{
    const struct tenant *t = tenant_find(c, o->row.tenant);
    const struct driver *d = o->row.driver ? driver_find(c, o->row.driver) : NULL;
    bool wanted = t && (t->row.notices & 1 << kind) && d && d->row.state == ROW_ACTIVE &&
                  d->row.phone[0] && !d->row.notices_off;
    return wanted ? d : NULL;
}

/* Asks for what `n` says; the rest is filled in here. */
static void ask(struct core *c, struct order *o, const struct out_notice *n)
{
    enum notice_kind kind = (enum notice_kind)n->kind;
    const struct driver *d = listener(c, o, kind);
    const struct station *s = station_find(c, o->row.station);
    int32_t turn = asked_n(o);
    if (!d || turn == NOTICES_MAX || c->now > n->worth_ms ||
        (kind != NOTICE_RUNS && asked_before(o, kind)))
        return;
    mark(c, o, turn, kind);
    struct out_notice *out = &out_new(c, OUT_NOTICE, OUT_SIZE(notice))->u.notice;
    *out = *n;
    out->tenant = o->row.tenant;
    out->driver = o->row.driver;
    out->order = o->row.id;
    out->n = turn;
    out->zone_offset_s =
        zone_offset_s(zone_of(c, o->row.station), n->until_ms ? n->until_ms : n->at_ms);
    (void)str_copy(out->currency, sizeof out->currency, str_from_c(o->row.currency));
    (void)str_copy(out->phone, sizeof out->phone, str_from_c(d->row.phone));
    (void)str_copy(out->station, sizeof out->station, str_from_c(s ? s->row.name : ""));
}

void notice_ended(struct core *c, struct order *o)
{
    bool doubt = o->row.state == ORDER_DOUBTFUL;
    struct out_notice n = {.kind = doubt ? NOTICE_DOUBT : NOTICE_ENDED,
                           .energy_mwh = o->row.energy_mwh,
                           .amount = o->row.paid,
                           .at_ms = o->row.end_ms,
                           .until_ms = doubt ? o->row.decide_ms : 0,
                           .worth_ms = o->row.end_ms + NOTICE_WORTH_MS,
                           .reason = o->row.stop_reason};
    if (o->row.kind != ORDER_CHARGE)
        return;
    if (doubt && !listener(c, o, NOTICE_DOUBT)) { /* then that it is over, at least */
        n.kind = NOTICE_ENDED;
        n.until_ms = 0;
    }
    ask(c, o, &n);
}

void notice_stay(struct core *c, struct order *o, enum notice_kind kind, int64_t at)
{
    bool near = kind == NOTICE_NEAR;
    if (near && c->now >= o->row.free_ms)
        return;
    ask(c, o,
        &(struct out_notice){.kind = kind,
                             .amount = near ? 0 : o->row.total,
                             .at_ms = at,
                             .until_ms = near ? o->row.free_ms : 0,
                             .worth_ms = near ? o->row.free_ms : c->now + NOTICE_WORTH_MS});
}

/* ---- what became of it ---- */

static void note(struct core *c, struct order *o, int32_t n, enum order_event_kind e,
                 const char *detail)
{
    mark(c, o, n, HEARD);
    order_event(c, o, e, detail);
    event_order(c, o);
}

void notice_restart(struct core *c, struct order *o)
{
    char detail[80];
    for (int32_t n = 0, last = asked_n(o); n < last; n++) {
        int32_t kind = asked(o, n) & KIND;
        if (asked(o, n) & HEARD)
            continue;
        snprintf(detail, sizeof detail, "%" PRId32 " %" PRId64 " restart", kind,
                 kind == NOTICE_NEAR ? o->row.free_ms : 0);
        note(c, o, n, OE_NOTICE_UNKNOWN, detail);
    }
}

int notice_result(struct core *c, const struct cmd *cmd)
{
    static const enum order_event_kind events[] = {[NOTICE_SENT] = OE_NOTICE_SENT,
                                                   [NOTICE_NOT_SENT] = OE_NOTICE_NOT_SENT,
                                                   [NOTICE_UNKNOWN] = OE_NOTICE_UNKNOWN};
    const struct cmd_notice_result *in = &cmd->u.notice_result;
    struct order *o = order_find(c, in->order);
    char detail[80];
    if (cmd->head.actor_kind != ACTOR_SYSTEM)
        return ERR_DENIED;
    if (!o || o->row.tenant != cmd->head.tenant || !order_ready(c, o))
        return ERR_NOT_FOUND;
    if (in->n < 0 || in->n >= NOTICES_MAX || in->outcome < NOTICE_SENT ||
        in->outcome > NOTICE_UNKNOWN)
        return ERR_RANGE;
    if ((asked(o, in->n) & KIND) != in->kind || !in->kind)
        return ERR_CONFLICT;
    c->made_id = o->row.id;
    if (asked(o, in->n) & HEARD)
        return 0;
    snprintf(detail, sizeof detail, "%" PRId32 " %" PRId64 "%s%s", in->kind, in->until_ms,
             in->word[0] ? " " : "", in->word);
    note(c, o, in->n, events[in->outcome], detail);
    return 0;
}
