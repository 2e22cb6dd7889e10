// SPDX-License-Identifier: Apache-2.0
/* link.c: a charger's presence: connection, boot, heartbeat, status, notes, quota.
 *
 * A newer connection replaces the old one, because half-open sockets are the commonest trouble of
 * the field; a 云快充 pile has no secret, so there the old one must have been silent first. While a
 * charger is away its connectors stand as OFFLINE; `reported` keeps what it said last, for the many
 * that say nothing after a mere reconnect. After a boot, or when a connector is reported free while
 * its session is open, the session's own stop may still come: it gets a time of grace.
 *
 * A connector with a loose plug flaps: after STATUS_BURST changes within STATUS_WINDOW_MS what it
 * says waits for the end of the window, where its last state counts. So it cannot fill the database
 * with order events; a crash of the platform in that window may lose that one state.
 *
 * Invariants: 1. a connector's row is written only when something in it changes; 2. messages of a
 * replaced connection still count (they are true), its closing does not; 3. a charger in the
 * waiting list moves no money. */
#include "core/core_state.h"
#include "core/occupancy.h"

#include <stdio.h>

/* ---- connection ---- */

static const struct tenant *first_tenant(const struct core *c)
{
    for (uint32_t i = 0; i < c->dir[ROW_TENANT].slab.len; i++) {
        const struct tenant *t = slab_at(&c->dir[ROW_TENANT].slab, i);
        if (t)
            return t;
    }
    return NULL;
}

static uint32_t waiting_count(const struct core *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->dir[ROW_CHARGER].slab.len; i++) {
        const struct charger *ch = slab_at(&c->dir[ROW_CHARGER].slab, i);
        n += ch && ch->row.state == CHARGER_WAITING;
    }
    return n;
}

/* A charger that nobody registered, or NULL when the policy is to refuse it. */
static struct charger *waiting_add(struct core *c, const struct cmd_conn_open *in)
{
    const struct tenant *t = first_tenant(c);
    if (!t || t->row.unknown_policy != UNKNOWN_WAIT || !in->path[0] ||
        waiting_count(c) >= WAITING_MAX || dir_full(c, ROW_CHARGER))
        return NULL;
    const struct row_charger row = {.id = core_id(c),
                                    .tenant = t->row.id,
                                    .path = in->path,
                                    .protocol = in->protocol,
                                    .state = CHARGER_WAITING,
                                    .version = 1,
                                    .created_ms = c->now};
    if (directory_load(c, ROW_CHARGER, &row))
        return NULL;
    struct charger *ch = charger_find(c, row.id);
    obj_dirty(c, &ch->o);
    return ch;
}

static bool same_conn(struct origin a, struct origin b)
{
    return a.kind == b.kind && a.reactor == b.reactor && a.node == b.node && a.slot == b.slot &&
           a.gen == b.gen;
}

static bool secret_ok(const struct charger *ch, const struct cmd_conn_open *in)
{
    size_t n = strlen(ch->row.secret_hash);
    if (n == 0)
        return true;
    return in->has_secret && strlen(in->secret_hash) == n &&
           str_eq_const_time(in->secret_hash, ch->row.secret_hash, n);
}

static int open_check(const struct core *c, const struct cmd *cmd, const struct charger *ch)
{
    const struct cmd_conn_open *in = &cmd->u.conn_open;
    const struct tenant *t = tenant_find(c, ch->row.tenant);
    if (ch->row.protocol != in->protocol)
        return ERR_DENIED;
    if (in->protocol == PROTOCOL_OCPP16 && !secret_ok(ch, in))
        return ERR_UNAUTHENTICATED;
    if (ch->row.state == CHARGER_DISABLED || !t || t->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    bool live =
        ch->online && !same_conn(ch->conn, cmd->head.from) && c->now - ch->heard_ms < YKC_SILENT_MS;
    return in->protocol == PROTOCOL_YKC && live ? ERR_BUSY : 0;
}

static void status_set(struct core *c, struct connector *k, int32_t status)
{
    if (k->row.status == status)
        return;
    k->row.status = status;
    k->row.status_ms = c->now;
    obj_dirty(c, &k->o);
    event_connector(c, k);
}

static struct order *order_at(const struct core *c, const struct connector *k)
{
    return k->row.order_id ? order_find(c, k->row.order_id) : NULL;
}

static void link_up(struct core *c, struct charger *ch, struct origin conn)
{
    if (ch->online) {
        if (!same_conn(ch->conn, conn))
            close_send(c, ch, ch->conn, 1001);
        ch->row.flaps++;
        obj_dirty(c, &ch->o);
        command_gone(c, ch);
    } else {
        c->online++;
    }
    ch->online = true;
    ch->conn = conn;
    ch->conn.ref = 0;
    ch->opened_ms = ch->heard_ms = c->now;
    ch->lag_ms = INT64_MAX;
    ch->probed = false;
    ch->quota_again = ch->quota_txn_n >= QUOTA_TXN_10S;
    for (struct connector *k = ch->connectors; k; k = k->next) {
        status_set(c, k, k->row.reported);
        occupancy_online(c, k);
        struct order *o = order_at(c, k);
        if (!o)
            continue;
        if (order_running(o))
            order_event(c, o, OE_ONLINE, "");
        if (o->row.state == ORDER_STOPPING)
            order_timer(c, o, TO_STOP, c->now + RECONNECT_MS);
        else if (order_running(o) && o->row.cap > 0)
            order_timer(c, o, TO_CAP, c->now + RECONNECT_MS); /* it may be asked things again */
    }
    event_charger(c, ch);
}

static void open_reply(struct core *c, const struct charger *ch)
{
    struct out *o = reply_new(c, 0, OUT_SIZE(conn));
    if (!o)
        return;
    o->u.conn =
        (struct reply_conn){.charger = ch->row.id,
                            .heartbeat_s = c->lim.heartbeat_s,
                            .station = ch->row.station,
                            .zone_offset_s = zone_offset_s(zone_of(c, ch->row.station), c->now),
                            .profile = ch->row.profile};
    for (const struct connector *k = ch->connectors; k; k = k->next)
        o->u.conn.guns++;
}

void link_open(struct core *c, const struct cmd *cmd)
{
    const struct cmd_conn_open *in = &cmd->u.conn_open;
    struct charger *ch = dir_find_key(c, ROW_CHARGER, in->path);
    if (!ch)
        ch = waiting_add(c, in);
    int rc = ch ? open_check(c, cmd, ch) : ERR_NOT_FOUND;
    if (rc) {
        reply_err(c, rc);
        return;
    }
    hot_touch(c, ch);
    link_up(c, ch, cmd->head.from);
    open_reply(c, ch);
    command_pump(c, ch); /* a gate knows the charger only once it is let in */
    interval_restore(c, ch);
}

void link_away(struct core *c, struct charger *ch)
{
    for (struct connector *k = ch->connectors; k; k = k->next) {
        status_set(c, k, CS_OFFLINE);
        occupancy_pause(c, k, "offline");
        struct order *o = order_at(c, k);
        if (o && ch->online && order_running(o))
            order_event(c, o, OE_OFFLINE, "");
    }
}

/* ---- clock and quota ---- */

void link_lag(struct core *c, struct charger *ch, int64_t charger_ms)
{
    if (charger_ms > 0 && c->now - charger_ms < ch->lag_ms)
        ch->lag_ms = c->now - charger_ms;
}

bool link_late(const struct core *c, const struct charger *ch, int64_t charger_ms)
{
    /* The least lag seen on this connection is the error of its clock; what is older than that by
     * minutes, and older than the connection, was kept while the charger was away. */
    if (charger_ms <= 0)
        return false;
    int64_t error = ch->lag_ms == INT64_MAX ? 0 : ch->lag_ms;
    int64_t at = charger_ms + error;
    return at < ch->opened_ms && c->now - at > LIVE_CLOCK_MS;
}

/* Counts what costs much in ten seconds; beyond the quota the connection is closed, and each one that
 * follows it in that time as soon as it costs again. */
static void quota_close(struct core *c, struct charger *ch)
{
    if (c->now - ch->quota_txn_ms >= 10000) {
        ch->quota_txn_ms = c->now;
        ch->quota_txn_n = 0;
        ch->quota_again = false;
    }
    bool first = ++ch->quota_txn_n == QUOTA_TXN_10S && ch->online;
    if (first)
        audit_put(c, ch->row.tenant, "charger.quota", ch->row.id, "", ERR_RATE_LIMIT);
    if (first || ch->quota_again)
        close_send(c, ch, ch->conn, 1008);
    ch->quota_again = false;
}

/* An OCPP charger waits for its answers and so cannot send faster than they are durable. Readings
 * of a 云快充 pile have no answers: those beyond the quota are dropped, which loses nothing that the
 * next one, or the record, does not say again. */
bool link_quota(struct core *c, struct charger *ch, const struct cmd *cmd, bool txn)
{
    if (c->now - ch->quota_ms >= 1000) {
        ch->quota_ms = c->now;
        ch->quota_n = 0;
    }
    bool over = ++ch->quota_n > QUOTA_MSGS_S;
    bool drop = over && cmd->head.type == CMD_METER && ch->row.protocol == PROTOCOL_YKC;
    ch->quota_over += over;
    if (txn || drop)
        quota_close(c, ch);
    return drop;
}

/* ---- messages ---- */

static void boot_orders(struct core *c, struct charger *ch)
{
    for (struct connector *k = ch->connectors; k; k = k->next) {
        struct order *o = order_at(c, k);
        if (o && order_running(o))
            order_timer(c, o, TO_GRACE, c->now + BOOT_GRACE_MS);
        if (o)
            o->zero_ms = 0; /* what it held may be forgotten */
        occupancy_boot(c, k);
    }
}

void link_boot(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_boot *in = &cmd->u.boot;
    const struct obj_field said[] = {{&ch->row.vendor, in->vendor},
                                     {&ch->row.model, in->model},
                                     {&ch->row.serial, in->serial},
                                     {&ch->row.firmware, in->firmware}};
    bool changed = obj_texts(c, &ch->o, said, ARRAY_LEN(said));
    /* A boot that changes nothing is not written, but its time is once an hour. */
    if (changed || c->now - ch->row.boot_ms >= 3600 * 1000) {
        ch->row.boot_ms = c->now;
        obj_dirty(c, &ch->o);
        event_charger(c, ch);
    }
    boot_orders(c, ch);
    struct out *o = reply_new(c, 0, OUT_SIZE(boot));
    if (o)
        o->u.boot = (struct reply_boot){.status = ch->row.state == CHARGER_ACTIVE    ? 0
                                                  : ch->row.state == CHARGER_WAITING ? 1
                                                                                     : 2,
                                        .interval_s = c->lim.heartbeat_s,
                                        .now_ms = c->now};
}

void link_heartbeat(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    (void)cmd;
    (void)ch;
    reply_plain(c);
}

static void status_order(struct core *c, struct connector *k)
{
    struct order *o = order_at(c, k);
    if (!o || !order_running(o))
        return;
    switch (k->row.reported) {
    case CS_AVAILABLE:
        if (!o->timer[TO_GRACE].pos)
            order_timer(c, o, TO_GRACE, c->now + FREE_GRACE_MS);
        break;
    case CS_PREPARING:
    case CS_FINISHING:
        /* A pile that is idle charges no more; one frame alone may be a slip, a reading undoes it.
         */
        if (k->charger->row.protocol == PROTOCOL_YKC && !o->timer[TO_GRACE].pos)
            order_timer(c, o, TO_GRACE, c->now + RECORD_MS);
        break;
    case CS_SUSPENDED_EV:
    case CS_SUSPENDED_EVSE:
        order_suspend(c, o, k->row.reported == CS_SUSPENDED_EV);
        break;
    case CS_CHARGING:
        order_resume(c, o);
        break;
    default:
        break;
    }
}

static void status_take(struct core *c, struct connector *k, int32_t status, const char *error,
                        int64_t at_ms)
{
    bool changed = k->row.reported != status || k->row.status != status;
    changed = obj_text(c, &k->o, &k->row.error, error) || changed;
    if (changed) {
        k->flap.changes++;
        k->row.reported = k->row.status = status;
        k->row.status_ms = c->now;
        obj_dirty(c, &k->o);
        event_connector(c, k);
    }
    status_order(c, k);
    occupancy_status(c, k, at_ms);
}

/* Lets what waits count: of every connector, or of those whose window is over. */
static void status_settle(struct core *c, struct charger *ch, bool all)
{
    int64_t next = INT64_MAX;
    for (struct connector *k = ch->connectors; k; k = k->next) {
        int64_t due = k->flap.from_ms + STATUS_WINDOW_MS;
        int32_t status = k->flap.status;
        if (!status)
            continue;
        if (due > c->now && !all) {
            next = due < next ? due : next;
            continue;
        }
        /* As long as it goes on flapping it has one change in a window. */
        k->flap.from_ms = c->now;
        k->flap.changes = STATUS_BURST - 1;
        k->flap.status = 0;
        status_take(c, k, status, k->flap.error, c->now);
    }
    if (next != INT64_MAX)
        must(heap_set(&c->timers, &ch->timer[TC_STATUS], next) == 0);
    else
        heap_cancel(&c->timers, &ch->timer[TC_STATUS]);
}

void link_status_due(struct core *c, struct charger *ch)
{
    status_settle(c, ch, false);
}

/* True when the connector flaps: what it says is kept, the newest in place of the older. */
static bool status_waits(struct core *c, struct connector *k, const struct cmd_status *in)
{
    struct timer *t = &k->charger->timer[TC_STATUS];
    int64_t due = k->flap.from_ms + STATUS_WINDOW_MS;
    if (!k->flap.status && due <= c->now) {
        k->flap.from_ms = c->now;
        k->flap.changes = 0;
    }
    if (k->flap.changes < STATUS_BURST)
        return false;
    k->flap.status = in->status;
    (void)str_copy(k->flap.error, sizeof k->flap.error, str_from_c(in->error));
    occupancy_pause(c, k, "flaps");
    if (!t->pos || t->due_ms > due)
        must(heap_set(&c->timers, t, due) == 0);
    return true;
}

/* When it was so: what the charger says by a clock whose error is known of this connection, if that
 * is a little earlier than now. A clock that differs by more stands still, or was set. */
static int64_t status_time(const struct core *c, const struct charger *ch, int64_t charger_ms)
{
    if (charger_ms <= 0 || ch->lag_ms == INT64_MAX)
        return c->now;
    int64_t at = charger_ms + ch->lag_ms;
    return at < c->now && c->now - at <= STATUS_LATE_MS ? at : c->now;
}

/* The whole charger has a fault: nothing is sure of its plugs. */
static void charger_fault(struct core *c, struct charger *ch)
{
    for (struct connector *k = ch->connectors; k; k = k->next)
        occupancy_pause(c, k, "fault");
}

void link_status(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_status *in = &cmd->u.status;
    struct connector *k = connector_of(ch, in->connector);
    link_lag(c, ch, in->time_ms);
    if (in->connector == 0 && in->status == CS_FAULTED)
        charger_fault(c, ch);
    if (k && in->status > CS_OFFLINE && in->status <= CS_FAULTED && !status_waits(c, k, in))
        status_take(c, k, in->status, in->error, status_time(c, ch, in->time_ms));
    reply_plain(c);
}

void link_closed(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    if (!ch->online || !same_conn(ch->conn, cmd->head.from))
        return;
    status_settle(c, ch, true);
    link_away(c, ch);
    ch->online = false;
    c->online--;
    command_gone(c, ch);
    event_charger(c, ch);
}

void link_data_transfer(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    (void)cmd;
    (void)ch;
    reply_err(c, ERR_UNSUPPORTED); /* no vendor's extension is known */
}

void link_note(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    char detail[96];
    snprintf(detail, sizeof detail, "%s %s", cmd->u.note.kind, cmd->u.note.status);
    if (strcmp(cmd->u.note.kind, "firmware") == 0) {
        (void)obj_text(c, &ch->o, &ch->row.update_state, cmd->u.note.status);
        ch->row.update_ms = c->now;
        obj_dirty(c, &ch->o);
        event_charger(c, ch);
    }
    audit_put(c, ch->row.tenant, "charger.note", ch->row.id, detail, 0);
    reply_plain(c);
}

/* What the pile itself told (Installed, Timeout …) is the last word; all fetched once is fetched. */
static bool fetch_over(const char *state)
{
    return state[0] && strncmp(state, "Downloading", 11) != 0 &&
           strncmp(state, "BrokenOff", 9) != 0;
}

int link_fetched(struct core *c, const struct cmd *cmd)
{
    const struct cmd_fetched *in = &cmd->u.fetched;
    struct charger *ch = charger_find(c, in->charger);
    char state[33] = "Downloaded", detail[96];
    if (!ch || ch->row.tenant != cmd->head.tenant)
        return ERR_NOT_FOUND;
    if (ch->row.update_id != in->command || in->at < 0 || in->size <= 0 || in->at > in->size)
        return ERR_STALE; /* another update was sent meanwhile */
    if (fetch_over(ch->row.update_state))
        return 0;
    if (in->stage != FETCH_WHOLE)
        snprintf(state, sizeof state, "%s %d%%",
                 in->stage == FETCH_FLOWS ? "Downloading" : "BrokenOff",
                 (int)(in->at * 100 / in->size));
    /* Twice for each update: it came for the file, it has it. */
    snprintf(detail, sizeof detail, "firmware %lld to %s", (long long)in->firmware, in->peer);
    if (!ch->row.update_state[0])
        audit_put(c, ch->row.tenant, "firmware.fetch", ch->row.id, detail, 0);
    if (in->stage == FETCH_WHOLE)
        audit_put(c, ch->row.tenant, "firmware.fetched", ch->row.id, detail, 0);
    if (obj_text(c, &ch->o, &ch->row.update_state, state)) {
        ch->row.update_ms = c->now;
        obj_dirty(c, &ch->o);
        event_charger(c, ch);
    }
    return 0;
}
