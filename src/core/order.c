// SPDX-License-Identifier: Apache-2.0
/* order.c: the state machine of an order and its session, its timers, and how both come back after
 * a restart.
 *
 *  state         leaves by                                             the hold
 *  CREATED       (inside one command only)
 *  HELD          call sent → STARTING                                  stays
 *                call dropped, TO_START, restart → START_FAILED        released
 *  STARTING      StartTransaction, first pile reading → CHARGING       stays
 *                refused → START_FAILED                                released at once
 *                TO_START (tenant.start_timeout_s <= 90 s)             released
 *  CHARGING      suspended by vehicle or charger → SUSPENDED           stays
 *                stop asked (driver, staff, cap, full, silence)        stays
 *                  → STOPPING
 *                StopTransaction, record → ENDED                       captured
 *                TO_SILENCE away, TO_GRACE → ENDED, estimated          captured
 *  SUSPENDED     as CHARGING; charging again → CHARGING; TO_SUSPEND → STOPPING
 *  STOPPING      StopTransaction, record → ENDED; TO_STOP repeats      captured
 *                the stop for ever; TO_SILENCE → ENDED, estimated
 *  ENDED         (inside one command only) → SETTLED, DOUBTFUL         captured, rest released
 *                one gun of two waits here for the other (parallel.h)  stays
 *  DOUBTFUL      TO_DECIDE (tenant.doubt_h), staff → SETTLED           none
 *  START_FAILED, SETTLED: TO_EVICT forgets them; a look-up brings them back
 *
 * Restart: rows of orders, sessions and bill pieces are one checkpoint; the samples after it are
 * folded again (meter_fold) with the same times, so the bill is the same to the milliwatt-hour.
 *
 * Invariants: 1. an open order is the order_id of its connector, and the only one, but for one that
 * waits for the pile to turn the running session round; 2. a session has
 * at most one OCPP transaction id and keeps it; 3. every open order has a timer. */
#include "core/company.h"
#include "core/notice.h"
#include "core/occupancy.h"
#include "core/parallel.h"

/* ---- finding ---- */

static struct order *order_any(const struct core *c, int64_t id)
{
    return map_get_ptr(&c->order_ids, (uint64_t)id);
}

struct order *order_find(const struct core *c, int64_t id)
{
    struct order *o = order_any(c, id);
    return o && o->loaded_order && o->loaded_session ? o : NULL;
}

enum { TX_KEY_SIZE = 16 };

/* Both numbers as they are: each reading looks its order up by them. */
static struct str tx_key(int64_t charger, int64_t tx, char out[TX_KEY_SIZE])
{
    memcpy(out, &charger, sizeof charger);
    memcpy(out + sizeof charger, &tx, sizeof tx);
    return str_from(out, TX_KEY_SIZE);
}

static struct order *complete(uint64_t at)
{
    struct order *o = (struct order *)(uintptr_t)at;
    return o->loaded_order && o->loaded_session ? o : NULL;
}

struct order *order_by_tx(const struct core *c, int64_t charger, int64_t tx)
{
    char key[TX_KEY_SIZE];
    uint64_t at;
    if (tx <= 0 || !strmap_get(&c->tx_keys, tx_key(charger, tx, key), &at))
        return NULL;
    return complete(at);
}

struct order *order_of_tx(const struct core *c, struct charger *ch, int64_t tx)
{
    struct order *o = ch->reading;
    if (!o || tx <= 0 || o->srow.tx != tx) {
        o = order_by_tx(c, ch->row.id, tx);
        ch->reading = o;
    }
    return o && o->loaded_order && o->loaded_session ? o : NULL;
}

/* Which order a number means is about to change. */
static void reading_forget(const struct core *c, const struct order *o)
{
    struct charger *ch = charger_find(c, o->srow.charger);
    if (ch)
        ch->reading = NULL;
}

struct order *order_by_tx_no(const struct core *c, const char *tx_no)
{
    uint64_t at;
    if (!tx_no[0] || !strmap_get(&c->tx_nos, str_from_c(tx_no), &at))
        return NULL;
    return complete(at);
}

void order_index(struct core *c, struct order *o)
{
    char key[TX_KEY_SIZE];
    reading_forget(c, o);
    if (o->srow.id)
        must(map_put_ptr(&c->session_ids, (uint64_t)o->srow.id, o) == 0);
    if (o->srow.tx > 0)
        must(strmap_put(&c->tx_keys, tx_key(o->srow.charger, o->srow.tx, key),
                        (uint64_t)(uintptr_t)o) == 0);
    if (o->srow.tx_no && o->srow.tx_no[0])
        must(strmap_put(&c->tx_nos, str_from_c(o->srow.tx_no), (uint64_t)(uintptr_t)o) == 0);
}

static void order_unindex(struct core *c, struct order *o)
{
    char key[TX_KEY_SIZE];
    uint64_t at;
    struct str k = tx_key(o->srow.charger, o->srow.tx, key);
    reading_forget(c, o);
    (void)map_del(&c->order_ids, (uint64_t)o->row.id);
    (void)map_del(&c->session_ids, (uint64_t)o->srow.id);
    if (strmap_get(&c->tx_keys, k, &at) && at == (uint64_t)(uintptr_t)o)
        (void)strmap_del(&c->tx_keys, k);
    if (!o->srow.tx_no || !o->srow.tx_no[0])
        return;
    k = str_from_c(o->srow.tx_no);
    if (strmap_get(&c->tx_nos, k, &at) && at == (uint64_t)(uintptr_t)o)
        (void)strmap_del(&c->tx_nos, k);
}

struct charger *order_charger(const struct core *c, const struct order *o)
{
    return charger_find(c, o->row.charger);
}

bool order_open(const struct order *o)
{
    return o->row.state >= ORDER_CREATED && o->row.state <= ORDER_ENDED;
}

bool order_running(const struct order *o)
{
    return o->row.state == ORDER_CHARGING || o->row.state == ORDER_SUSPENDED ||
           o->row.state == ORDER_STOPPING;
}

/* ---- making and forgetting ---- */

static struct order *order_slot(struct core *c, int64_t id)
{
    struct slab_ref ref;
    struct order *o = slab_get(&c->orders, &ref);
    if (!o)
        return NULL;
    obj_init(&o->o, ROW_ORDERS, &o->row);
    obj_init(&o->so, ROW_SESSION, &o->srow);
    o->o.ref = ref;
    buf_init(&o->parts_buf, SIZE_MAX);
    o->row.id = id;
    o->power_w = o->prev_power_w = -1;
    for (int i = 0; i < TO_N; i++)
        o->timer[i].kind = (uint16_t)i;
    must(map_put_ptr(&c->order_ids, (uint64_t)id, o) == 0);
    return o;
}

struct order *order_new(struct core *c)
{
    struct order *o = order_slot(c, core_id(c));
    if (!o)
        return NULL;
    o->loaded_order = o->loaded_session = o->ready = true;
    o->srow.id = core_id(c);
    o->srow.order_id = o->row.id;
    o->srow.meter_start = o->srow.meter_last = o->srow.meter_stop = -1;
    o->srow.soc_pm = -1;
    o->srow.suspect_mwh = -1;
    o->srow.direction = 1;
    o->srow.state = SESSION_OPEN;
    o->row.state = ORDER_CREATED;
    o->row.created_ms = c->now;
    o->row.version = 1;
    o->row.cause = (int64_t)c->cause;
    c->orders_open++;
    return o;
}

void order_evict(struct core *c, struct order *o)
{
    if (o->o.dirty || o->so.dirty) { /* not before it is written */
        order_timer(c, o, TO_EVICT, c->now + 1000);
        return;
    }
    for (int i = 0; i < TO_N; i++)
        heap_cancel(&c->timers, &o->timer[i]);
    order_unindex(c, o);
    obj_free(c, &o->o);
    obj_free(c, &o->so);
    buf_free(&o->parts_buf);
    slab_put(&c->orders, o->o.ref);
}

/* ---- changing ---- */

void order_pin(struct core *c, const struct order *o, int by)
{
    struct charger *ch = order_charger(c, o);
    if (!ch)
        return;
    must(by > 0 || ch->orders > 0);
    c->busy -= ch->orders > 0;
    ch->orders += (uint32_t)by;
    c->busy += ch->orders > 0;
    ch->order_ms = c->now;
}

void order_dirty(struct core *c, struct order *o)
{
    obj_dirty(c, &o->o);
    obj_dirty(c, &o->so);
}

void order_event(struct core *c, struct order *o, enum order_event_kind e, const char *detail)
{
    const struct cmd_head *h = c->cmd ? &c->cmd->head : NULL;
    bool gate = h && h->from.kind == FROM_GATE;
    const struct row_order_event row = {
        .order_id = o->row.id,
        .seq = ++o->row.events,
        .at_ms = c->now,
        .state = o->row.state,
        .event = (int32_t)e,
        .detail = detail,
        .actor_kind = gate ? ACTOR_CHARGER
                      : h  ? h->actor_kind
                           : ACTOR_SYSTEM,
        .actor = h && !gate ? h->actor : 0,
        .cause = (int64_t)c->cause,
    };
    row_put(c, ROW_ORDER_EVENT, ROW_INSERT, &row);
    order_dirty(c, o);
}

void order_state(struct core *c, struct order *o, enum order_state s)
{
    bool was = order_open(o);
    o->row.state = (int32_t)s;
    if (was && !order_open(o)) {
        c->orders_open--;
        order_pin(c, o, -1);
    }
    order_dirty(c, o);
    event_order(c, o);
}

void order_timer(struct core *c, struct order *o, enum order_timer t, int64_t due_ms)
{
    must(heap_set(&c->timers, &o->timer[t], due_ms) == 0);
}

void order_timer_off(struct core *c, struct order *o, enum order_timer t)
{
    heap_cancel(&c->timers, &o->timer[t]);
}

/* What the evidence rules keep goes into the rows as they are packed. */
void order_fill(struct core *c, struct order *o)
{
    if (!order_running(o) || o->row.kind == ORDER_OCCUPANCY)
        return;
    o->row.energy_mwh = parallel_energy(c, o);
    o->row.doubt = o->ev.doubt;
    o->row.doubt_mwh = o->ev.doubt_mwh;
    struct row_session *s = &o->srow;
    s->meter_start = o->ev.start_mwh;
    s->meter_last = o->ev.last_mwh;
    s->energy_mwh = o->ev.energy_mwh;
    s->evidence = (int32_t)o->ev.flags;
    s->last_ms = o->ev.last_ms;
    s->suspect_mwh = o->ev.suspect_mwh;
    s->credit_mwh = o->ev.credit_mwh;
    s->suspect_ms = o->ev.suspect_ms;
    s->check_n = o->ev.samples;
}

void order_pack_pieces(struct core *c, struct order *o)
{
    o->checked_ms = c->now;
    order_fill(c, o);
    const struct tariff *t = tariff_find(c, o->row.tariff);
    bool keep = order_open(o) || o->row.state == ORDER_DOUBTFUL || o->row.estimated ||
                parallel_is(o); /* a true end of either gun needs both */
    if (keep && t) {
        for (int32_t i = o->piece_dirty; i < o->bill.n; i++) {
            struct row_bill_piece row;
            fee_piece_row(&o->bill, t, i, o->srow.id, &row);
            row_put(c, ROW_BILL_PIECE, ROW_UPSERT, &row);
        }
        o->piece_dirty = o->bill.n;
        if (o->piece_rows < o->bill.n)
            o->piece_rows = o->bill.n;
    }
    /* Rows that the bill has no more, or needs no more. */
    for (int32_t i = keep ? o->bill.n : 0; i < o->piece_rows; i++)
        row_put(c, ROW_BILL_PIECE, ROW_DELETE,
                &(struct row_bill_piece){.session = o->srow.id, .seq = i});
    o->piece_rows = keep ? o->bill.n : 0;
}

void order_limits(struct core *c, struct order *o)
{
    const struct charger *ch = order_charger(c, o);
    const struct connector *k = connector_find(c, o->row.connector);
    int64_t power = k ? k->row.max_power_w : 0;
    o->lim.max_power_w = power ? power : ch ? ch->row.max_power_w : 0;
    o->lim.session_register =
        ch && (ch->row.protocol == PROTOCOL_YKC || (ch->row.traits & TRAIT_REGISTER_SESSION));
}

static const struct tenant *order_tenant(const struct core *c, const struct order *o)
{
    const struct tenant *t = tenant_find(c, o->row.tenant);
    must(t); /* orders are made from rows of their tenant, and tenants never leave */
    return t;
}

void order_begin(struct core *c, struct order *o, int64_t start_ms, int64_t meter_mwh)
{
    order_limits(c, o);
    evidence_start(&o->ev, &o->lim, start_ms, meter_mwh);
    const struct charger *ch = order_charger(c, o);
    o->row.start_ms = o->srow.start_ms = start_ms;
    o->srow.list_tariff = ch ? ch->row.price_tariff : 0;
    o->reading_ms = c->now;
    order_timer_off(c, o, TO_START);
    occupancy_session(c, o);
    order_state(c, o, ORDER_CHARGING);
    order_event(c, o, OE_TX_STARTED, "");
    int64_t silence = order_tenant(c, o)->row.silence_s;
    if (silence)
        order_timer(c, o, TO_SILENCE, c->now + silence * 1000);
    if (o->row.cap > 0) /* the cap may be reached before the first reading comes */
        order_timer(c, o, TO_CAP, c->now + 1);
}

void order_suspend(struct core *c, struct order *o, bool by_vehicle)
{
    order_timer_off(c, o, TO_GRACE);
    if (o->row.state != ORDER_CHARGING)
        return;
    o->power_w = 0; /* until a reading says otherwise */
    o->prev_power_w = -1;
    o->reading_ms = c->now;
    order_state(c, o, ORDER_SUSPENDED);
    order_event(c, o, OE_SUSPENDED, by_vehicle ? "vehicle" : "charger");
    int64_t after = order_tenant(c, o)->row.suspended_s;
    /* A session that waits for its first energy is a planned one: it may wait. */
    if (by_vehicle && after && o->ev.energy_mwh > 0) {
        o->low_power = false;
        order_timer(c, o, TO_SUSPEND, c->now + after * 1000);
    }
    meter_cap(c, o);
}

void order_resume(struct core *c, struct order *o)
{
    order_timer_off(c, o, TO_GRACE);
    if (o->row.state != ORDER_SUSPENDED)
        return;
    order_timer_off(c, o, TO_SUSPEND);
    o->power_w = -1; /* it may rise as fast as it likes */
    o->reading_ms = c->now;
    order_state(c, o, ORDER_CHARGING);
    order_event(c, o, OE_RESUMED, "");
    meter_cap(c, o);
}

void order_fail(struct core *c, struct order *o, int err, enum order_event_kind e,
                const char *detail)
{
    struct charger *ch = order_charger(c, o);
    struct connector *k = connector_find(c, o->row.connector);
    if (parallel_kept(c, o, detail))
        return;
    if (o->row.hold) {
        struct ledger_ctx ctx = ledger_ctx_now(c);
        must(ledger_hold_release(c->ledger, &ctx, o->row.hold) == 0);
        event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
    }
    company_failed(c, o);
    if (k && k->row.order_id == o->row.id) {
        k->row.order_id = 0;
        obj_dirty(c, &k->o);
        event_connector(c, k);
    }
    for (int i = 0; i < TO_N; i++)
        order_timer_off(c, o, (enum order_timer)i);
    o->row.fail = err;
    o->row.end_ms = c->now;
    o->srow.state = SESSION_ENDED;
    o->srow.end_ms = c->now;
    order_state(c, o, ORDER_START_FAILED);
    order_event(c, o, e, detail);
    payer_over(c, o);
    order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
    if (ch)
        command_drop(c, ch, o->row.id);
    if (k && !k->row.order_id)
        occupancy_freed(c, k);
    parallel_failed(c, o, err);
}

/* ---- timers ---- */

static void fire_silence(struct core *c, struct order *o)
{
    const struct charger *ch = order_charger(c, o);
    bool asked = o->row.stop_reason == STOP_SILENCE;
    if (!ch || !ch->online || asked) {
        stop_estimated(c, o, STOP_SILENCE);
        return;
    }
    if (o->row.state != ORDER_STOPPING)
        stop_begin(c, o, STOP_SILENCE);
    else
        o->row.stop_reason = STOP_SILENCE; /* it was asked before, and neither obeys nor speaks */
    order_timer(c, o, TO_SILENCE, c->now + STOP_GRACE_MS);
}

/* Its stop, or its record, should have come by now. */
static void fire_grace(struct core *c, struct order *o)
{
    const struct connector *k = connector_find(c, o->row.connector);
    const struct charger *ch = order_charger(c, o);
    bool away = k && k->row.reported == CS_AVAILABLE;
    bool idle = ch && ch->row.protocol == PROTOCOL_YKC && k &&
                (k->row.reported == CS_PREPARING || k->row.reported == CS_FINISHING);
    if (ch && ch->row.protocol == PROTOCOL_YKC)
        (void)obj_text(c, &o->so, &o->srow.stop_text, "no record in time");
    stop_estimated(c, o, away ? STOP_UNPLUGGED : idle ? STOP_OTHER : STOP_REBOOT);
}

void order_fire(struct core *c, struct order *o, enum order_timer t)
{
    if (o->row.kind == ORDER_OCCUPANCY) {
        occupancy_fire(c, o, t);
        return;
    }
    switch (t) {
    case TO_START:
        order_fail(c, o, start_unplugged(c, o) ? ERR_NOT_PLUGGED : ERR_TIMEOUT, OE_START_TIMEOUT,
                   "");
        break;
    case TO_CAP:
        meter_cap(c, o);
        break;
    case TO_SILENCE:
        fire_silence(c, o);
        break;
    case TO_SUSPEND:
        if (o->row.state != ORDER_STOPPING)
            stop_begin(c, o, STOP_FULL);
        break;
    case TO_STOP:
        stop_again(c, o);
        break;
    case TO_GRACE:
        fire_grace(c, o);
        break;
    case TO_DECIDE:
        settle_rule(c, o);
        break;
    case TO_EVICT:
        order_evict(c, o);
        break;
    case TO_N:
        break;
    }
}

/* ---- coming back ---- */

int order_load(struct core *c, const struct row_orders *row)
{
    struct order *o = order_any(c, row->id);
    if (o && o->loaded_order)
        return 0; /* what is in memory is newer */
    if (!o)
        o = order_slot(c, row->id);
    if (!o)
        return ERR_FULL;
    o->row = *row;
    obj_own(c, &o->o);
    o->loaded_order = true;
    if (order_open(o)) {
        c->orders_open++;
        order_pin(c, o, 1);
    } else if (o->row.state != ORDER_DOUBTFUL)
        order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
    return 0;
}

int order_load_session(struct core *c, const struct row_session *row)
{
    struct order *o = order_any(c, row->order_id);
    if (o && o->loaded_session)
        return 0;
    if (!o)
        o = order_slot(c, row->order_id);
    if (!o)
        return ERR_FULL;
    o->srow = *row;
    obj_own(c, &o->so);
    o->loaded_session = true;
    order_index(c, o);
    return 0;
}

int order_load_piece(struct core *c, const struct row_bill_piece *row)
{
    struct order *o = map_get_ptr(&c->session_ids, (uint64_t)row->session);
    int rc = catalog_build(c);
    if (rc || !o || o->ready || !o->loaded_order)
        return rc;
    const struct tariff *t = tariff_find(c, o->row.tariff);
    if (!t || fee_piece_load(&o->bill, t, row))
        return ERR_CORRUPT;
    if (o->piece_rows <= row->seq)
        o->piece_rows = row->seq + 1;
    return 0;
}

int order_load_part(struct core *c, const struct row_split_part *row)
{
    struct order *o = order_any(c, row->order_id);
    if (o && !o->ready)
        buf_put(&o->parts_buf, row, sizeof *row); /* a row without texts */
    return 0;
}

bool order_ready(struct core *c, struct order *o)
{
    if (o->ready)
        return true;
    if (!o->loaded_order || !o->loaded_session)
        return false;
    order_limits(c, o);
    evidence_load(&o->ev, &o->srow, &o->row);
    o->power_w = o->prev_power_w = -1;
    o->reading_ms = o->srow.check_ms ? o->srow.check_ms : o->row.start_ms;
    const struct charger *ch = order_charger(c, o);
    o->interval_set = ch && ch->row.short_s && order_running(o);
    o->piece_dirty = o->bill.n;
    o->ready = true;
    return true;
}

/* Behind the running order of its connector it waits for the pile to turn round (invariant 1). */
static void turn_restore(const struct core *c, const struct order *o)
{
    struct connector *k = connector_find(c, o->row.connector);
    if (k && k->row.order_id && k->row.order_id != o->row.id)
        k->turn = o->row.id;
}

void order_restart(struct core *c, struct order *o)
{
    if (!order_ready(c, o))
        return;
    const struct tenant *t = order_tenant(c, o);
    notice_restart(c, o);
    if (o->row.kind == ORDER_OCCUPANCY) {
        occupancy_restart(c, o);
        return;
    }
    switch (o->row.state) {
    case ORDER_CREATED:
    case ORDER_HELD: /* the call never left */
        order_fail(c, o, ERR_TIMEOUT, OE_START_TIMEOUT, "restart");
        return;
    case ORDER_STARTING: /* it left; what became of it shows within its time */
        turn_restore(c, o);
        order_timer(c, o, TO_START, o->row.created_ms + t->row.start_timeout_s * 1000);
        return;
    case ORDER_SUSPENDED:
        if (t->row.suspended_s && o->ev.energy_mwh > 0)
            order_timer(c, o, TO_SUSPEND, c->now + t->row.suspended_s * 1000);
        break;
    case ORDER_STOPPING:
        order_timer(c, o, TO_STOP, c->now + RECONNECT_MS);
        break;
    case ORDER_DOUBTFUL:
        order_timer(c, o, TO_DECIDE, o->row.decide_ms);
        return;
    default:
        break;
    }
    if (!order_running(o))
        return;
    if (t->row.silence_s)
        order_timer(c, o, TO_SILENCE, c->now + t->row.silence_s * 1000);
    meter_cap(c, o);
}
