// SPDX-License-Identifier: Apache-2.0
/* pulse.c: see pulse.h. Data: struct pulse, used by one thread at a time; pulse_commit and
 * pulse_deliver have none. Fails: answers the store's errors; whoever drives it ends the program. */
#include "app/pulse.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/crypto.h"
#include "io/os/mark.h"
#include "io/os/zonefile.h"

enum { FETCH_ROUNDS = 8, ZONES_MAX = 1024 };

struct pulse {
    struct pulse_config cfg;
    struct core *core;
    struct store_fetcher *fetcher;
    struct mark *mark;
    struct buf zones; /* of struct zone *, lent to the core */
    int64_t last_ms;
    uint64_t state;
    struct arena arena;
};

/* ---- what the settings say ---- */

struct core_limits pulse_limits(const struct config *c, const uint8_t *key)
{
    uint8_t own[CRYPTO_HASH_SIZE];
    uint64_t secrets[2];
    crypto_keyed_hash(key, STR_LIT("core"), own);
    memcpy(secrets, own, sizeof secrets);
    return (struct core_limits){
        .chargers = (uint32_t)c->limits_chargers,
        .connectors = (uint32_t)c->limits_chargers * 4,
        .drivers = (uint32_t)c->limits_drivers,
        .accounts = (uint32_t)c->limits_drivers + 100000,
        .orders = (uint32_t)c->limits_orders,
        .commands = (uint32_t)c->limits_orders,
        .bill_diffs = (uint32_t)c->limits_bill_diffs,
        .heartbeat_s = (int32_t)c->charge_heartbeat_s,
        .command_timeout_s = (int32_t)c->core_command_s,
        .seed = secrets[0],
        .secret = secrets[1],
    };
}

enum mail_lane pulse_lane(uint16_t cmd_type)
{
    switch (cmd_type) {
    case CMD_CONN_CLOSED:
    case CMD_TX_STOP:
    case CMD_TX_RECORD:
    case CMD_CALL_RESULT:
    case CMD_ORDER_STOP:
        return MAIL_ENDING;
    default:
        return MAIL_NORMAL;
    }
}

/* ---- loading ---- */

static int zone_need(struct pulse *p, const char *name, uint64_t cause)
{
    struct zone *zone;
    if (!name[0] || core_zone_known(p->core, name))
        return 0;
    int err = os_zone_load(name, &zone);
    if (err) {
        log_line(LOG_ERROR, "engine", cause, "time zone %s: %s", name, err_text(err, LANG_EN));
        return err;
    }
    buf_put(&p->zones, &zone, sizeof zone);
    if (p->zones.err) {
        zone_free(zone);
        return p->zones.err;
    }
    return core_zone_add(p->core, name, zone);
}

static void zones_free(struct pulse *p)
{
    for (size_t at = 0; at < p->zones.n; at += sizeof(struct zone *)) {
        struct zone *zone;
        memcpy(&zone, p->zones.p + at, sizeof zone);
        zone_free(zone);
    }
    buf_free(&p->zones);
}

static int load_row(void *ctx, enum row_table table, const void *row)
{
    struct pulse *p = ctx;
    int err = 0;
    if (table == ROW_TENANT)
        err = zone_need(p, ((const struct row_tenant *)row)->zone, 0);
    else if (table == ROW_STATION)
        err = zone_need(p, ((const struct row_station *)row)->zone, 0);
    return err ? err : core_load(p->core, table, row);
}

/* A row that finds no room counts as missing: its command is refused, and nothing is made twice, for
 * there is no room to make one either. */
static int load_fetched(void *ctx, enum row_table table, const void *row)
{
    int err = load_row(ctx, table, row);
    if (err == ERR_FULL)
        log_line(LOG_WARN, "engine", 0, "no room for a row of %s: raise limits.*",
                 row_metas[table].name);
    return err;
}

/* Every row that is loaded begins with its id, or that of what it belongs to. */
static void state_add(struct pulse *p, enum row_table table, const void *row)
{
    int64_t id;
    memcpy(&id, row, sizeof id);
    p->state = hash_u64((uint64_t)id, p->state + (uint64_t)table);
    if (table == ROW_ACCOUNT) {
        const struct row_account *a = row;
        p->state = hash_u64((uint64_t)a->posted_in, p->state);
        p->state = hash_u64((uint64_t)(a->posted_out ^ a->held << 20), p->state);
    }
}

static int load_first(void *ctx, enum row_table table, const void *row)
{
    state_add(ctx, table, row);
    return load_row(ctx, table, row);
}

static int load_sample(void *ctx, const struct sample_record *r)
{
    struct pulse *p = ctx;
    return core_load_sample(p->core, r);
}

/* The core's time never falls. */
static int64_t time_take(struct pulse *p, int64_t now_ms)
{
    if (now_ms > p->last_ms)
        p->last_ms = now_ms;
    return p->last_ms;
}

static int load(struct pulse *p)
{
    int64_t last_id = 0;
    int err = store_ledger_time(p->cfg.store, &p->last_ms);
    int64_t ledger_ms = p->last_ms, now = time_take(p, p->cfg.now_ms);
    if (!err)
        err = store_last_id(p->cfg.store, &last_id);
    if (!err)
        err = store_arrive(p->cfg.store, now);
    if (!err)
        err = store_load(p->cfg.store, load_first, p);
    if (!err)
        err = store_load_samples(p->cfg.store, load_sample, p);
    if (err)
        return err;
    core_id_floor(p->core, last_id);
    core_started(p->core, now);
    p->state = hash_u64((uint64_t)last_id, hash_u64((uint64_t)ledger_ms, p->state));
    if (p->cfg.flight)
        flight_begin(p->cfg.flight, &p->cfg.limits, p->state, now);
    return 0;
}

static int prepare(struct pulse *p)
{
    buf_init(&p->zones, ZONES_MAX * sizeof(struct zone *));
    arena_init(&p->arena, 1 << 20);
    int err = p->cfg.mark ? mark_open(p->cfg.mark, &p->mark) : 0;
    if (!err)
        err = core_new(&p->cfg.limits, &p->core);
    if (!err)
        err = store_fetcher_open(p->cfg.store, &p->fetcher);
    return err ? err : load(p);
}

int pulse_new(const struct pulse_config *cfg, struct pulse **out)
{
    struct pulse *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->cfg = *cfg;
    int err = prepare(p);
    if (err) {
        pulse_free(p);
        return err;
    }
    pulse_tick(p, cfg->now_ms);
    *out = p;
    return 0;
}

void pulse_free(struct pulse *p)
{
    if (!p)
        return;
    store_fetcher_close(p->fetcher);
    mark_close(p->mark);
    core_free(p->core);
    zones_free(p);
    arena_free(&p->arena);
    free(p);
}

/* ---- applying ---- */

/* The look-ups of a turn share a snapshot: whatever leaves memory leaves between turns, and what must
 * see every sealed batch has one of its own. */
static int prefetch(struct pulse *p, const struct cmd *cmd)
{
    struct core_need needs[CORE_NEEDS_MAX];
    for (int round = 0; round < FETCH_ROUNDS; round++) {
        int n = core_needs(p->core, cmd, needs);
        if (n == 0)
            return 0;
        for (int i = 0; i < n; i++) {
            bool waits = core_need_waits(&needs[i]);
            store_fetcher_share(p->fetcher, !waits);
            if (p->cfg.await && waits)
                p->cfg.await(p->cfg.ctx);
            int err = store_fetch_need(p->fetcher, &needs[i], load_fetched, p);
            if (err == ERR_NOT_FOUND || err == ERR_FULL)
                core_absent(p->core, &needs[i]);
            else if (err)
                return err;
        }
    }
    must_fail(__FILE__, __LINE__, "core_needs asks for the same rows for ever");
}

/* A zone that cannot be loaded is refused by the core, which does not know it. */
static void zone_for(struct pulse *p, const struct cmd *cmd)
{
    struct cursor c = {(const uint8_t *)cmd->u.row_put.row,
                       (const uint8_t *)cmd->u.row_put.row + cmd->u.row_put.n};
    enum row_table table;
    enum row_op op;
    void *row;
    arena_reset(&p->arena);
    if (row_unpack(&c, &p->arena, &table, &op, &row) != 0)
        return;
    if (table == ROW_STATION)
        (void)zone_need(p, ((const struct row_station *)row)->zone, cmd->head.cause);
    else if (table == ROW_TENANT)
        (void)zone_need(p, ((const struct row_tenant *)row)->zone, cmd->head.cause);
}

/* Tells a command from the others that ever killed the house: that is all it is for. */
static uint64_t finger_of(const struct cmd *cmd)
{
    size_t head = offsetof(struct cmd, u);
    uint32_t crc = crc32c(0, (const char *)cmd + head, cmd->head.size - head);
    return (uint64_t)crc << 32 | (uint64_t)cmd->head.type << 16 | (cmd->head.size & 0xffff);
}

void pulse_ahead(const struct pulse *p, const struct cmd *cmd, enum core_ahead step)
{
    core_ahead(p->core, cmd, step);
}

int pulse_apply(struct pulse *p, struct cmd *cmd, int64_t now_ms)
{
    if (p->mark && !mark_begin(p->mark, finger_of(cmd))) {
        log_line(LOG_ERROR, "engine", cmd->head.cause, "command of type %u is quarantined",
                 cmd->head.type);
        return ERR_DENIED;
    }
    cmd->head.now_ms = time_take(p, now_ms);
    if (p->cfg.flight)
        flight_cmd(p->cfg.flight, cmd);
    if (cmd->head.type == CMD_ROW_PUT)
        zone_for(p, cmd);
    else if (cmd->head.type == CMD_SETUP)
        (void)zone_need(p, cmd->u.setup.zone, cmd->head.cause);
    int err = prefetch(p, cmd);
    if (err)
        return err;
    core_apply(p->core, cmd);
    if (p->mark)
        mark_end(p->mark);
    return 0;
}

/* Timers leave their mark as commands do. One that killed the house twice is left undone. The core's
 * own time is that of its last command or tick: without a due timer a tick changes nothing else. */
void pulse_tick(struct pulse *p, int64_t now_ms)
{
    int64_t now = time_take(p, now_ms);
    struct core_alarm a;
    store_fetcher_share(p->fetcher, false);
    if (p->cfg.flight && core_due_ms(p->core) <= now)
        flight_tick(p->cfg.flight, now);
    while (core_due_ms(p->core) <= now && core_alarm_next(p->core, now, &a)) {
        uint64_t of = hash_bytes((const char *)&a.object, sizeof a.object, (uint64_t)a.kind);
        if (!p->mark || mark_begin(p->mark, of)) {
            core_alarm_fire(p->core);
            pulse_blameless(p);
        } else {
            core_alarm_skip(p->core);
            if (p->cfg.flight) /* a life with a timer left undone is not lived again */
                flight_stop(p->cfg.flight);
            log_line(LOG_ERROR, "engine", 0, "timer %d of %lld is quarantined: see the audit",
                     (int)a.kind, (long long)a.object);
        }
    }
}

int64_t pulse_due_ms(const struct pulse *p)
{
    return core_due_ms(p->core);
}

bool pulse_pending(const struct pulse *p)
{
    return core_pending(p->core);
}

void pulse_seal(struct pulse *p, struct core_batch *batch)
{
    store_fetcher_share(p->fetcher, false);
    core_seal(p->core, batch);
    if (p->cfg.flight)
        flight_seal(p->cfg.flight, batch, p->last_ms);
}

bool pulse_rest(struct pulse *p, uint64_t settled, int64_t now_ms)
{
    store_fetcher_share(p->fetcher, false);
    if (p->cfg.flight)
        flight_rest(p->cfg.flight, settled);
    return core_rest(p->core, settled, now_ms);
}

uint64_t pulse_state(const struct pulse *p)
{
    return p->state;
}

void pulse_trim(struct pulse *p)
{
    core_trim(p->core);
    store_fetcher_shrink(p->fetcher);
}

void pulse_stats(const struct pulse *p, struct core_stats *out)
{
    core_stats(p->core, out);
}

void pulse_blameless(struct pulse *p)
{
    if (p->mark)
        mark_end(p->mark);
}

/* ---- the other half ---- */

int pulse_commit(struct store *s, const struct core_batch *b, bool *wrote)
{
    *wrote = b->rows.n > 0 || b->samples.n > 0;
    if (b->rows.err || b->samples.err || b->outs.err)
        return ERR_NOMEM;
    return *wrote ? store_commit(s, buf_str(&b->rows), buf_str(&b->samples)) : 0;
}

void pulse_deliver(const struct core_batch *b, void (*fn)(void *ctx, const struct out *out),
                   void *ctx)
{
    for (size_t at = 0; at < b->outs.n;) {
        const struct out *out = (const struct out *)(const void *)(b->outs.p + at);
        must(out->size >= offsetof(struct out, u) && at + out->size <= b->outs.n);
        fn(ctx, out);
        at += (out->size + 7u) & ~7u;
    }
}
