// SPDX-License-Identifier: Apache-2.0
/* command.c: calls to chargers. One call is outstanding per charger, the others wait in line; a
 * stop goes before everything that waits. What people asked for, starts and stops, are durable rows
 * with a deadline and an outcome; what the core asks by itself (readings, intervals, limits) is
 * forgotten with its answer, from which it learns what the charger obeys.
 *
 * Invariants: 1. a call ends once: answered, refused, timed out, or gone with the connection; 2. a
 * result whose id is not the outstanding call's is ignored; 3. a start is sent once, whatever
 * happens: after a restart it is TIMEOUT; 4. only stops wait while the charger is away. */
#include "core/core_state.h"
#include "core/occupancy.h"
#include "core/parallel.h"

static struct order *call_order(const struct core *c, const struct call *k)
{
    return k->row.order_id ? order_find(c, k->row.order_id) : NULL;
}

void trait_learn(struct core *c, struct charger *ch, int32_t set, int32_t clear)
{
    int32_t now = (ch->row.traits | set) & ~clear;
    if (now == ch->row.traits)
        return;
    ch->row.traits = now;
    obj_dirty(c, &ch->o);
}

/* ---- the end of a call ---- */

static void event_command(struct core *c, const struct call *k)
{
    struct out_event *e = event_new(c, EVENT_COMMAND);
    e->tenant = k->row.tenant;
    e->station = k->charger->row.station;
    e->charger = k->row.charger;
    e->order = k->row.order_id;
    e->amount = k->row.id;
    e->status = k->row.state;
    e->reason = k->row.err;
}

static void call_free(struct core *c, struct call *k)
{
    (void)map_del(&c->call_ids, (uint64_t)k->row.id);
    obj_free(c, &k->o);
    slab_put(&c->calls, k->o.ref);
}

/* What the answer to a call of our own tells about the charger. A TriggerMessage is believed only
 * when the reading comes (meter.c). */
static void call_learn(struct core *c, const struct call *k, int err, const char *status)
{
    static const struct {
        int32_t kind, yes, no;
    } traits[] = {{CALL_TRIGGER_METER, TRAIT_TRIGGER, TRAIT_NO_TRIGGER},
                  {CALL_SET_INTERVAL, TRAIT_INTERVAL, TRAIT_NO_INTERVAL},
                  {CALL_PROFILE, TRAIT_PROFILE, TRAIT_NO_PROFILE}};
    bool accepted = err == 0 && strcmp(status, "Accepted") == 0;
    bool reboot = strcmp(status, "RebootRequired") == 0;
    if (err == ERR_CLOSED || err == ERR_TIMEOUT)
        return;
    for (size_t i = 0; i < ARRAY_LEN(traits); i++) {
        if (k->kind != traits[i].kind)
            continue;
        if (!accepted || reboot)
            trait_learn(c, k->charger, traits[i].no, traits[i].yes);
        else if (k->kind != CALL_TRIGGER_METER)
            trait_learn(c, k->charger, traits[i].yes, traits[i].no);
    }
}

static void call_effect(struct core *c, const struct call *k, int err, const char *status)
{
    struct order *o = call_order(c, k);
    call_learn(c, k, err, status);
    if (o && o->row.kind == ORDER_OCCUPANCY)
        occupancy_answer(c, o, err, status);
    else if (o && k->kind == CALL_REMOTE_START)
        start_result(c, o, err, status);
    else if (o && k->kind == CALL_REMOTE_STOP)
        stop_result(c, o, err, status);
    else if (o && k->kind == CALL_PROFILE)
        profile_result(o, err, status);
    else if (k->kind == CALL_SET_INTERVAL)
        interval_result(c, k->charger, k->row.order_id, err, status);
    else if (o && k->kind == CALL_BALANCE)
        parallel_told(c, o, k->part, err == 0 && strcmp(status, "Accepted") == 0);
}

static enum command_state state_of(int err)
{
    return err == 0 ? COMMAND_DONE : err == ERR_TIMEOUT ? COMMAND_TIMEOUT : COMMAND_FAILED;
}

/* Writes the outcome of a call that is in no line any more. `result` may be NULL. */
static void call_close(struct core *c, struct call *k, int err, const char *status,
                       const char *result)
{
    k->row.state = state_of(err);
    k->row.err = err;
    k->row.done_ms = c->now;
    k->row.status = status;
    k->row.result = result ? result : "";
    if (k->durable) {
        row_put(c, ROW_COMMAND, ROW_UPSERT, &k->row);
        obj_clean(c, &k->o);
        event_command(c, k);
    }
}

static void call_end(struct core *c, struct call *k, int err, const char *status,
                     const char *result)
{
    call_close(c, k, err, status, result);
    call_effect(c, k, err, status);
    call_free(c, k);
}

static struct call *queue_take(struct charger *ch, struct call *k)
{
    struct call **at = &ch->queue;
    while (*at && *at != k)
        at = &(*at)->next;
    if (*at)
        *at = k->next;
    return k;
}

/* ---- sending ---- */

static void out_fill(const struct core *c, const struct call *k, struct out_call *out)
{
    const struct order *o = call_order(c, k);
    out->charger = k->row.charger;
    out->command = k->row.id;
    out->kind = k->kind;
    out->connector = k->row.connector;
    out->timeout_s = k->timeout_s;
    out->interval_s = k->interval_s;
    out->limit_w = k->limit_w;
    out->zero_after_s = k->zero_after_s;
    (void)str_copy(out->path, sizeof out->path, str_from_c(k->charger->row.path));
    (void)str_copy(out->action, sizeof out->action, str_from_c(k->row.action));
    if (o) {
        (void)str_copy(out->tag, sizeof out->tag, str_from_c(o->srow.tag));
        (void)str_copy(out->tx_no, sizeof out->tx_no, str_from_c(o->srow.tx_no));
        out->tx = o->srow.tx;
        out->direction = o->srow.direction;
        out->to_soc = k->interval_s;
        out->balance =
            k->part ? pile_list_amount(c, k->charger, o, k->part) : pile_balance(c, k->charger, o);
        if (k->kind == CALL_REMOTE_START)
            parallel_number(c, o, out->parallel);
    }
}

static void call_send(struct core *c, struct charger *ch, struct call *k)
{
    size_t n = strlen(k->row.payload);
    size_t size = offsetof(struct out, u.call.payload) + n + 1;
    must(n < sizeof((struct out_call *)0)->payload);
    struct out *out = out_new(c, OUT_CALL, size);
    out->to = ch->conn;
    out_fill(c, k, &out->u.call);
    out->u.call.n = (uint32_t)n;
    memcpy(out->u.call.payload, k->row.payload, n + 1);
    ch->calling = k;
    k->row.state = COMMAND_SENT;
    k->row.sent_ms = c->now;
    /* The gate tells of a timeout; this is for the case that it cannot. */
    must(heap_set(&c->timers, &ch->timer[TC_CALL], c->now + k->timeout_s * 1000 + 2000) == 0);
    if (k->durable)
        obj_dirty(c, &k->o);
    struct order *o = call_order(c, k);
    if (o && k->kind == CALL_REMOTE_START && o->row.state == ORDER_HELD) {
        order_state(c, o, ORDER_STARTING);
        order_event(c, o, OE_START_SENT, "");
    } else if (o && k->kind == CALL_REMOTE_STOP) {
        o->stop_sent_ms = c->now;
        order_event(c, o, OE_STOP_SENT, "");
    }
}

void command_pump(struct core *c, struct charger *ch)
{
    while (ch->online && !ch->calling && ch->queue) {
        struct call *k = queue_take(ch, ch->queue);
        if (k->kind != CALL_REMOTE_STOP && k->row.deadline_ms <= c->now)
            call_end(c, k, ERR_TIMEOUT, "", NULL);
        else
            call_send(c, ch, k);
    }
}

static void queue_add(struct charger *ch, struct call *k, bool first)
{
    struct call **at = &ch->queue;
    while (*at && (!first || (*at)->kind == CALL_REMOTE_STOP))
        at = &(*at)->next;
    k->next = *at;
    *at = k;
}

struct call *call_add(struct core *c, struct charger *ch, const struct call_ask *ask)
{
    struct slab_ref ref;
    struct call *k = slab_get(&c->calls, &ref);
    if (!k)
        return NULL;
    const struct cmd_head *h = c->cmd && c->cmd->head.from.kind == FROM_WEB ? &c->cmd->head : NULL;
    k->kind = ask->kind;
    k->timeout_s = ask->timeout_s ? ask->timeout_s : c->lim.command_timeout_s;
    k->interval_s = ask->interval_s;
    k->limit_w = ask->limit_w;
    k->zero_after_s = ask->zero_after_s;
    k->part = ask->part;
    k->durable = ask->durable;
    k->charger = ch;
    k->row = (struct row_command){.id = core_id(c),
                                  .tenant = ch->row.tenant,
                                  .charger = ch->row.id,
                                  .connector = ask->connector,
                                  .order_id = ask->order,
                                  .action = ask->action,
                                  .payload = ask->payload,
                                  .state = COMMAND_QUEUED,
                                  .actor_kind = h ? h->actor_kind : ACTOR_SYSTEM,
                                  .actor = h ? h->actor : 0,
                                  .cause = (int64_t)c->cause,
                                  .created_ms = c->now};
    k->row.deadline_ms = c->now + k->timeout_s * 1000;
    obj_init(&k->o, ROW_COMMAND, &k->row);
    k->o.ref = ref;
    obj_own(c, &k->o);
    must(map_put_ptr(&c->call_ids, (uint64_t)k->row.id, k) == 0);
    if (k->durable)
        obj_dirty(c, &k->o);
    queue_add(ch, k, ask->first);
    command_pump(c, ch);
    return k;
}

/* ---- what comes back ---- */

static void calling_end(struct core *c, struct charger *ch, int err, const char *status,
                        const char *result)
{
    struct call *k = ch->calling;
    ch->calling = NULL;
    heap_cancel(&c->timers, &ch->timer[TC_CALL]);
    call_end(c, k, err, status, result);
    command_pump(c, ch);
}

void command_result(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_call_result *in = &cmd->u.call_result;
    if (!ch->calling || ch->calling->row.id != in->command)
        return; /* late, or not ours */
    must(in->n <= sizeof in->payload);
    const char *text = arena_copy(&c->scratch, str_from(in->payload, in->n));
    must(text); /* the scratch holds a whole message */
    calling_end(c, ch, in->err, in->status, text);
}

void command_timeout(struct core *c, struct charger *ch)
{
    if (!ch->calling)
        return;
    c->cause = (uint64_t)ch->calling->row.cause;
    calling_end(c, ch, ERR_TIMEOUT, "", NULL);
}

void command_gone(struct core *c, struct charger *ch)
{
    bool was = ch->online;
    ch->online = false; /* nothing is sent while the line is cleared */
    if (ch->calling)
        calling_end(c, ch, ERR_CLOSED, "", NULL);
    struct call *keep = NULL;
    while (ch->queue) {
        struct call *k = queue_take(ch, ch->queue);
        if (k->kind == CALL_REMOTE_STOP) {
            k->next = keep;
            keep = k;
        } else {
            call_end(c, k, ERR_CLOSED, "", NULL);
        }
    }
    while (keep) {
        struct call *k = keep;
        keep = k->next;
        queue_add(ch, k, true);
    }
    ch->online = was;
}

bool command_waits(const struct charger *ch, int32_t kind, int64_t order)
{
    if (ch->calling && ch->calling->kind == kind && ch->calling->row.order_id == order)
        return true;
    for (const struct call *k = ch->queue; k; k = k->next)
        if (k->kind == kind && k->row.order_id == order)
            return true;
    return false;
}

void command_drop(struct core *c, struct charger *ch, int64_t order)
{
    for (struct call *k = ch->queue, *next; k; k = next) {
        next = k->next;
        if (k->row.order_id == order) {
            (void)queue_take(ch, k);
            call_close(c, k, ERR_CLOSED, "", NULL); /* the order is over: nothing follows */
            call_free(c, k);
        }
    }
}

/* ---- asked by people ---- */

int command_quota(struct core *c, int64_t tenant)
{
    struct tenant *t = tenant_find(c, tenant);
    if (!t || t->row.quota_calls_s == 0)
        return 0;
    if (c->now - t->quota_ms >= 1000) {
        t->quota_ms = c->now;
        t->quota_n = 0;
    }
    if (t->quota_n >= t->row.quota_calls_s)
        return ERR_RATE_LIMIT;
    t->quota_n++;
    return 0;
}

int command_call(struct core *c, const struct cmd *cmd)
{
    const struct cmd_call *in = &cmd->u.call;
    struct charger *ch = charger_find(c, in->charger);
    if (!ch || ch->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, ch->row.station))
        return ERR_NOT_FOUND;
    if (ch->row.state == CHARGER_DISABLED)
        return ERR_DISABLED;
    if (in->n >= sizeof in->payload)
        return ERR_TOO_LARGE;
    if (!ch->online)
        return ERR_OFFLINE;
    int rc = command_quota(c, cmd->head.tenant);
    if (rc)
        return rc;
    const char *payload = arena_copy(&c->scratch, str_from(in->payload, in->n));
    must(payload);
    struct call *k = call_add(c, ch,
                              &(struct call_ask){.kind = CALL_RAW,
                                                 .connector = in->connector,
                                                 .durable = true,
                                                 .action = in->action,
                                                 .payload = payload});
    if (!k)
        return ERR_FULL;
    if (strcmp(in->action, "UpdateFirmware") == 0 || strcmp(in->action, "Update") == 0) {
        /* What it tells from now on is about this one. */
        (void)obj_text(c, &ch->o, &ch->row.update_state, "");
        ch->row.update_id = k->row.id;
        ch->row.update_ms = c->now;
        obj_dirty(c, &ch->o);
    }
    c->made_id = k->row.id;
    c->made_version = 1;
    return 0;
}

/* A call that was under way when the program ended: nobody knows what became of it. */
int command_load(struct core *c, const struct row_command *row)
{
    if (row->state != COMMAND_QUEUED && row->state != COMMAND_SENT)
        return 0;
    struct row_command now = *row;
    now.state = COMMAND_TIMEOUT;
    now.err = ERR_TIMEOUT;
    now.done_ms = row->sent_ms ? row->sent_ms : row->created_ms;
    row_put(c, ROW_COMMAND, ROW_UPSERT, &now);
    return 0;
}
