// SPDX-License-Identifier: Apache-2.0
/* out.c: what leaves the core with a batch: replies, calls to chargers, closings, events for live
 * pages; and the audit rows of what people did.
 *
 * Invariants: 1. a command with a reply mark gets one reply (the dispatcher counts on each handler
 * answering once); 2. outs stand in the batch in the order things happened; 3. an audit row never
 * holds personal data: its detail is made of ids and words of ours. */
#include "core/core_state.h"
#include "core/occupancy.h"
#include "core/parallel.h"

struct out *out_new(struct core *c, enum out_type type, size_t size)
{
    struct out *o = buf_grow(&c->outs, (size + 7) & ~(size_t)7);
    must(o);
    o->size = (uint32_t)((size + 7) & ~(size_t)7);
    o->version = CMD_VERSION;
    o->type = (uint16_t)type;
    o->cause = c->cause;
    return o;
}

struct out *reply_new(struct core *c, int err, size_t size)
{
    if (!c->cmd || c->cmd->head.from.ref == 0)
        return NULL;
    struct out *o = out_new(c, OUT_REPLY, size);
    o->to = c->cmd->head.from;
    o->cmd_type = c->cmd->head.type;
    o->err = err;
    return o;
}

void reply_err(struct core *c, int err)
{
    /* The receiver may look at any member: an error carries the largest of them as zeros. */
    (void)reply_new(c, err, OUT_SIZE(prices));
}

void reply_plain(struct core *c)
{
    struct out *o = reply_new(c, 0, OUT_SIZE(plain));
    if (o)
        o->u.plain = c->now;
}

void reply_tag(struct core *c, int32_t status, int64_t tx)
{
    struct out *o = reply_new(c, 0, OUT_SIZE(tag));
    if (o)
        o->u.tag = (struct reply_tag){.status = status, .tx = tx};
}

struct out_event *event_new(struct core *c, enum event_kind kind)
{
    struct out *o = out_new(c, OUT_EVENT, OUT_SIZE(event));
    o->u.event.kind = (int32_t)kind;
    o->u.event.at_ms = c->now;
    o->u.event.cause = c->cause;
    return &o->u.event;
}

void event_connector(struct core *c, const struct connector *k)
{
    struct out_event *e = event_new(c, EVENT_CONNECTOR);
    e->tenant = k->charger->row.tenant;
    e->station = k->charger->row.station;
    e->charger = k->charger->row.id;
    e->connector = k->row.id;
    e->order = k->row.order_id;
    e->status = k->row.status;
}

void event_charger(struct core *c, const struct charger *ch)
{
    struct out_event *e = event_new(c, EVENT_CHARGER);
    e->tenant = ch->row.tenant;
    e->station = ch->row.station;
    e->charger = ch->row.id;
    e->status = ch->online;
    e->state = ch->row.state;
}

void event_order(struct core *c, const struct order *o)
{
    if (o->row.kind == ORDER_PART)
        o = order_find(c, o->row.part_of);
    if (!o)
        return;
    struct out_event *e = event_new(c, EVENT_ORDER);
    e->tenant = o->row.tenant;
    e->station = o->row.station;
    e->charger = o->row.charger;
    /* The live figures of a connector are those of what charges there. */
    e->connector = o->row.kind == ORDER_OCCUPANCY ? 0 : o->row.connector;
    e->order = o->row.id;
    e->driver = o->row.driver;
    e->state = o->row.state;
    e->reason = o->row.stop_reason;
    e->doubt = o->row.doubt;
    e->energy_mwh = order_open(o) ? parallel_energy(c, o) : o->row.energy_mwh;
    e->cost = !order_open(o)                   ? o->row.total
              : o->row.kind == ORDER_OCCUPANCY ? occupancy_spent(c, o)
                                               : parallel_spent(c, o);
    e->cap = o->row.cap;
    e->amount = o->row.paid;
}

void event_wallet(struct core *c, int64_t tenant, int64_t driver, const char *currency)
{
    const struct ledger_account *a =
        ledger_account_find(c->ledger, tenant, ACCOUNT_WALLET, driver, currency);
    if (!a)
        return;
    struct out_event *e = event_new(c, EVENT_WALLET);
    e->tenant = tenant;
    e->driver = driver;
    e->amount = ledger_balance(a).v;
    e->cap = a->held;
    a = ledger_account_find(c->ledger, tenant, ACCOUNT_WALLET_BONUS, driver, currency);
    e->gift = a ? ledger_balance(a).v : 0;
    e->gift_held = a ? a->held : 0;
}

void close_send(struct core *c, const struct charger *ch, struct origin conn, int32_t code)
{
    struct out *o = out_new(c, OUT_CLOSE, OUT_SIZE(close));
    o->to = conn;
    o->u.close = (struct out_close){.charger = ch->row.id, .code = code};
}

void audit_put(struct core *c, int64_t tenant, const char *action, int64_t object,
               const char *detail, int32_t outcome)
{
    const struct cmd_head *h = c->cmd ? &c->cmd->head : NULL;
    bool charger = h && h->from.kind == FROM_GATE;
    const struct row_audit row = {
        .id = core_id(c),
        .tenant = tenant,
        .actor_kind = charger ? ACTOR_CHARGER
                      : h     ? h->actor_kind
                              : ACTOR_SYSTEM,
        .actor = charger ? 0
                 : h     ? h->actor
                         : 0,
        .action = action,
        .object = object,
        .detail = detail ? detail : "",
        .outcome = outcome,
        .cause = (int64_t)c->cause,
        .at_ms = c->now,
    };
    row_put(c, ROW_AUDIT, ROW_INSERT, &row);
}
