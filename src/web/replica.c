// SPDX-License-Identifier: Apache-2.0
/* replica.c: see replica.h. Data: live entries in a slab, two maps onto them, a list of those that
 * are idle, last changed first; the set of chargers online of whom no connector is. Under the web's guard. Fails by not
 * remembering. */
#include "web/replica.h"

#include <inttypes.h>
#include "base/money.h"
#include "core/types.h"

void replica_init(struct replica *p, uint64_t seed)
{
    slab_init(&p->lives, sizeof(struct live), REPLICA_MAX);
    map_init(&p->connectors, REPLICA_MAX, seed);
    map_init(&p->orders, REPLICA_MAX, seed + 1);
    idset_init(&p->online, REPLICA_MAX, seed + 2);
    p->idle_first = p->idle_last = NULL;
    p->idle_n = 0;
}

void replica_free(struct replica *p)
{
    slab_free(&p->lives);
    map_free(&p->connectors);
    map_free(&p->orders);
    idset_free(&p->online);
}

static struct live *live_get(const struct replica *p, const struct map *m, int64_t id)
{
    uint64_t at;

    return id != 0 && map_get(m, (uint64_t)id, &at) ? slab_at(&p->lives, (uint32_t)at) : NULL;
}

static struct live *live_new(struct replica *p, const struct out_event *e)
{
    struct slab_ref ref;
    struct live *l;

    if (e->connector == 0)
        return NULL;
    l = slab_get(&p->lives, &ref);
    if (l == NULL)
        return NULL;
    if (map_put(&p->connectors, (uint64_t)e->connector, ref.index) != 0) {
        slab_put(&p->lives, ref);
        return NULL;
    }
    l->connector = e->connector;
    l->ref = ref;
    return l;
}

/* ---- connectors without an order ---- */

static void idle_out(struct replica *p, struct live *l)
{
    if (!l->idle)
        return;
    *(l->newer ? &l->newer->older : &p->idle_first) = l->older;
    *(l->older ? &l->older->newer : &p->idle_last) = l->newer;
    l->newer = l->older = NULL;
    l->idle = false;
    p->idle_n--;
}

static void live_forget(struct replica *p, struct live *l)
{
    idle_out(p, l);
    (void)map_del(&p->connectors, (uint64_t)l->connector);
    slab_put(&p->lives, l->ref);
}

/* It has just changed: to the front of the idle ones, or out of them. */
static void idle_note(struct replica *p, struct live *l)
{
    idle_out(p, l);
    if (l->order)
        return;
    l->older = p->idle_first;
    *(p->idle_first ? &p->idle_first->newer : &p->idle_last) = l;
    p->idle_first = l;
    l->idle = true;
    if (++p->idle_n > REPLICA_IDLE)
        live_forget(p, p->idle_last);
}

/* ---- events ---- */

static void live_end(struct replica *p, struct live *l)
{
    if (l->order != 0)
        (void)map_del(&p->orders, (uint64_t)l->order);
    l->order = l->driver = l->energy_mwh = l->power_w = l->cost = l->cap = 0;
    l->soc_pm = l->state = l->voltage_mv = l->current_ma = 0;
}

static bool order_over(int32_t state)
{
    return state == ORDER_SETTLED || state == ORDER_START_FAILED || state == ORDER_DOUBTFUL;
}

static void live_order(struct replica *p, struct live *l, const struct out_event *e)
{
    uint64_t at;

    if (e->order == 0 || l->order == e->order)
        return;
    live_end(p, l);
    if (map_get(&p->connectors, (uint64_t)l->connector, &at) &&
        map_put(&p->orders, (uint64_t)e->order, at) == 0)
        l->order = e->order;
}

static void live_put(struct live *l, const struct out_event *e)
{
#define PUT(field)                                                                                 \
    if (e->field != 0)                                                                             \
    l->field = e->field
    PUT(tenant);
    PUT(station);
    PUT(charger);
    PUT(at_ms);
    PUT(driver);
    PUT(energy_mwh);
    PUT(cost);
    PUT(cap);
    PUT(soc_pm);
    PUT(state);
    PUT(voltage_mv);
    PUT(current_ma);
#undef PUT
}

/* A charger is online as long as a connector's row says more than OFFLINE, as the lists know. */
static void online_put(struct replica *p, const struct out_event *e)
{
    if (e->kind == EVENT_CHARGER && e->status != 0)
        (void)!idset_add(&p->online, e->charger);
    else
        (void)idset_del(&p->online, e->charger);
}

static void live_apply(struct replica *p, struct live *l, const struct out_event *e)
{
    if (e->kind == EVENT_ORDER && order_over(e->state)) {
        if (l->order == e->order)
            live_end(p, l);
        return;
    }
    live_order(p, l, e);
    live_put(l, e);
    if (e->kind == EVENT_METER)
        l->power_w = e->power_w;
    if (e->kind == EVENT_CONNECTOR) {
        if (e->order == 0)
            live_end(p, l);
        l->status = e->status;
        l->status_known = true;
        if (e->status == CS_AVAILABLE)
            l->power_w = 0;
    }
}

void replica_apply(struct replica *p, const struct out_event *e)
{
    struct live *l = live_get(p, &p->connectors, e->connector);

    if (e->kind == EVENT_CHARGER || (e->kind == EVENT_CONNECTOR && e->status != CS_OFFLINE))
        online_put(p, e);
    if (e->kind != EVENT_CONNECTOR && e->kind != EVENT_ORDER && e->kind != EVENT_METER)
        return;
    if (l == NULL)
        l = live_get(p, &p->orders, e->order);
    if (l == NULL)
        l = live_new(p, e);
    if (l == NULL)
        return;
    live_apply(p, l, e);
    idle_note(p, l);
}

const struct live *replica_connector(const struct replica *p, int64_t connector)
{
    return live_get(p, &p->connectors, connector);
}

const struct live *replica_order(const struct replica *p, int64_t order)
{
    return live_get(p, &p->orders, order);
}

bool replica_online(const struct replica *p, int64_t charger)
{
    return idset_has(&p->online, charger);
}

void replica_event(const struct live *l, struct out_event *e)
{
    *e = (struct out_event){.kind = l->order ? EVENT_METER : EVENT_CONNECTOR,
                            .status = l->status,
                            .tenant = l->tenant,
                            .station = l->station,
                            .charger = l->charger,
                            .connector = l->connector,
                            .order = l->order,
                            .driver = l->driver,
                            .at_ms = l->at_ms,
                            .energy_mwh = l->energy_mwh,
                            .power_w = l->power_w,
                            .cost = l->cost,
                            .cap = l->cap,
                            .soc_pm = l->soc_pm,
                            .state = l->state,
                            .voltage_mv = l->voltage_mv,
                            .current_ma = l->current_ma};
}

void event_merge(struct out_event *into, const struct out_event *e)
{
    struct out_event last = *into;

    *into = *e;
#define KEEP(field)                                                                                \
    if (into->field == 0)                                                                          \
    into->field = last.field
    KEEP(station);
    KEEP(charger);
    KEEP(connector);
    if (e->kind != EVENT_CONNECTOR)
        KEEP(order);
    KEEP(driver);
    KEEP(party);
    KEEP(energy_mwh);
    KEEP(cost);
    KEEP(cap);
    KEEP(amount);
    KEEP(soc_pm);
    KEEP(state);
    KEEP(reason);
    KEEP(doubt);
    KEEP(voltage_mv);
    KEEP(current_ma);
    KEEP(cause);
#undef KEEP
}

static void put_id(struct buf *out, const char *name, int64_t id)
{
    if (id != 0)
        buf_printf(out, ",\"%s\":\"%" PRId64 "\"", name, id);
}

static void put_int(struct buf *out, const char *name, int64_t v, bool always)
{
    if (v != 0 || always)
        buf_printf(out, ",\"%s\":%" PRId64, name, v);
}

static void put_money(struct buf *out, const char *name, int64_t v, bool always)
{
    char text[MONEY_TEXT_SIZE];

    if (v == 0 && !always)
        return;
    money_format(MONEY(v), text);
    buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

void event_write(struct buf *out, const struct out_event *e, uint64_t seq, bool driver)
{
    static const char *const names[] = {"",      "connector", "charger", "order",   "meter",
                                        "share", "wallet",    "command", "payment", "payout"};
    bool wallet = e->kind == EVENT_WALLET, command = e->kind == EVENT_COMMAND,
         meter = e->kind == EVENT_METER;

    if (e->kind < EVENT_CONNECTOR || e->kind > EVENT_PAYOUT)
        return;
    buf_printf(out, "id: %" PRIu64 "\nevent: %s\ndata: {\"at_ms\":%" PRId64, seq, names[e->kind],
               e->at_ms);
    put_id(out, "station", e->station);
    put_id(out, "charger", e->charger);
    put_id(out, "connector", e->connector);
    if (e->kind == EVENT_CONNECTOR) /* always told: "0" = no order any more */
        buf_printf(out, ",\"order\":\"%" PRId64 "\"", e->order);
    else /* a payment or a payout is named where others name an order */
        put_id(out, e->kind >= EVENT_PAYMENT ? names[e->kind] : "order", e->order);
    put_id(out, "driver", driver ? e->driver : 0);
    put_id(out, "party", e->party);
    put_id(out, "command", command ? e->amount : 0);
    put_int(out, "status", e->status,
            e->kind == EVENT_CONNECTOR || e->kind == EVENT_CHARGER || command);
    put_int(out, "state", e->state, false);
    put_int(out, "reason", e->reason, false);
    put_int(out, "doubt", e->doubt, false);
    put_int(out, "energy_mwh", e->energy_mwh, meter);
    put_int(out, "power_w", e->power_w, meter);
    put_int(out, "soc_pm", e->soc_pm, false);
    put_int(out, "voltage_mv", e->voltage_mv, false);
    put_int(out, "current_ma", e->current_ma, false);
    put_money(out, "cost", e->cost, meter);
    put_money(out, "cap", e->cap, wallet);
    put_money(out, "amount", command ? 0 : e->amount, wallet);
    if (e->cause != 0)
        buf_printf(out, ",\"cause\":\"%016" PRIx64 "\"", e->cause);
    buf_put_c(out, "}\n\n");
}
