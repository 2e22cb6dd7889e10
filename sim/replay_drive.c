// SPDX-License-Identifier: Apache-2.0
/* replay_drive.c: the telling half of replay.h: one connection a charger, one call at a time,
 * events of its connectors in the order of their times.
 *
 * Data: the links. Invariants: 1. an event is told again until it was answered, over as many
 * connections as it takes: the platform must take a repetition for one; 2. no charger sends durable
 * messages faster than the platform's quota allows. Calls of the platform are answered with
 * NotSupported: these chargers are only a past.
 * Fails when nothing was answered anywhere for SILENCE_MS. One thread. */
#include "sim/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/err.h"
#include "io/net/net.h"
#include "io/os/clock.h"
#include "wire/json.h"
#include "wire/ocpp16.h"

enum {
    GUNS = 8,
    DURABLE_MS = 22, /* the platform allows 500 durable messages in ten seconds */
    CALL_MS = 30000,
    REDIAL_MS = 1000,
    SILENCE_MS = 60000,
    TURN_MS = 5,
    PROGRESS_MS = 200,
    MESSAGE_MAX = 1 << 16
};

enum phase { PHASE_START, PHASE_METER, PHASE_STOP };
enum call { CALL_NONE, CALL_BOOT, CALL_EVENT };

struct line {       /* one connector's sessions */
    size_t at, end; /* in the order of telling */
    enum phase phase;
};

struct link {
    struct net_conn conn;
    bool open, booted;
    enum call call;
    uint32_t id; /* of the last call */
    int32_t gun; /* whose event is under way, index */
    int64_t retry_ms, dial_ms, durable_ms;
    struct line line[GUNS];
};

struct drive {
    struct replay *r;
    const struct replay_link *cfg;
    struct net *net;
    struct link *links;
    struct arena arena;
    struct buf out;
    int64_t now_ms, heard_ms;
    size_t done;
    int err;
};

/* ---- what to tell ---- */

static struct replay_row *row_at(struct drive *d, size_t i)
{
    return &d->r->rows[d->r->order[i]];
}

/* The connector with the earliest event, or -1 when all is told. */
static int32_t gun_next(struct drive *d, const struct link *l)
{
    int32_t best = -1;
    int64_t best_ms = 0;
    for (int32_t g = 0; g < GUNS; g++) {
        const struct line *line = &l->line[g];
        if (line->at == line->end)
            continue;
        const struct replay_row *row = row_at(d, line->at);
        int64_t ms = line->phase == PHASE_START ? row->start_ms : row->end_ms;
        if (best < 0 || ms < best_ms) {
            best = g;
            best_ms = ms;
        }
    }
    return best;
}

static void call_begin(struct drive *d, struct link *l, const char *action, enum call call)
{
    l->call = call;
    l->retry_ms = d->now_ms + CALL_MS;
    buf_reset(&d->out);
    buf_printf(&d->out, "[2,\"%u\",\"%s\",", ++l->id, action);
}

static void send(struct drive *d, struct link *l)
{
    buf_put_char(&d->out, ']');
    if (d->out.err)
        d->err = d->out.err;
    else if (net_send(d->net, l->conn, buf_str(&d->out)))
        l->retry_ms = d->now_ms; /* the end of the connection will be told */
}

static void call_end(struct drive *d, struct link *l, const struct wire_type *type, const void *req)
{
    int err = wire_json_encode(type, req, &d->out);
    if (err)
        d->err = err;
    else
        send(d, l);
}

static void tell_boot(struct drive *d, struct link *l, const struct replay_charger *c)
{
    struct str model = str_from_c(c->model[0] ? c->model : "Replay");
    struct ocpp16_BootNotification_req req = {.chargePointVendor = STR_LIT("Replay"),
                                              .chargePointModel =
                                                  model.n > 20 ? str_from(model.p, 20) : model};
    call_begin(d, l, "BootNotification", CALL_BOOT);
    call_end(d, l, &ocpp16_BootNotification_req_type, &req);
}

static void tell_start(struct drive *d, struct link *l, const struct replay_row *row)
{
    struct ocpp16_StartTransaction_req req = {.connectorId = row->connector,
                                              .idTag = str_from_c(d->cfg->tag),
                                              .meterStart = row->start_wh,
                                              .timestamp = row->start_ms};
    call_begin(d, l, "StartTransaction", CALL_EVENT);
    call_end(d, l, &ocpp16_StartTransaction_req_type, &req);
}

static void tell_meter(struct drive *d, struct link *l, const struct replay_row *row)
{
    char wh[24];
    snprintf(wh, sizeof wh, "%lld", (long long)row->stop_wh);
    struct ocpp16_SampledValue value = {.value = str_from_c(wh),
                                        .context = ocpp16_ReadingContext_Sample_Periodic,
                                        .measurand = ocpp16_Measurand_Energy_Active_Import_Register,
                                        .unit = ocpp16_UnitOfMeasure_Wh,
                                        .has = {.context = true, .measurand = true, .unit = true}};
    struct ocpp16_MeterValue meter = {
        .timestamp = row->end_ms, .sampledValue = &value, .sampledValue_n = 1};
    struct ocpp16_MeterValues_req req = {.connectorId = row->connector,
                                         .transactionId = row->tx,
                                         .meterValue = &meter,
                                         .meterValue_n = 1,
                                         .has = {.transactionId = true}};
    call_begin(d, l, "MeterValues", CALL_EVENT);
    call_end(d, l, &ocpp16_MeterValues_req_type, &req);
}

static void tell_stop(struct drive *d, struct link *l, const struct replay_row *row)
{
    struct ocpp16_StopTransaction_req req = {.idTag = str_from_c(d->cfg->tag),
                                             .meterStop = row->stop_wh,
                                             .timestamp = row->end_ms,
                                             .transactionId = row->tx,
                                             .reason = ocpp16_Reason_Local,
                                             .has = {.idTag = true, .reason = true}};
    call_begin(d, l, "StopTransaction", CALL_EVENT);
    call_end(d, l, &ocpp16_StopTransaction_req_type, &req);
}

static void tell_event(struct drive *d, struct link *l, int32_t gun)
{
    const struct line *line = &l->line[gun];
    const struct replay_row *row = row_at(d, line->at);
    if (line->phase != PHASE_METER) {
        if (d->now_ms < l->durable_ms)
            return;
        l->durable_ms = d->now_ms + DURABLE_MS;
    }
    l->gun = gun;
    if (line->phase == PHASE_START)
        tell_start(d, l, row);
    else if (line->phase == PHASE_METER)
        tell_meter(d, l, row);
    else
        tell_stop(d, l, row);
}

static const struct net_handler handler;

static void dial(struct drive *d, struct link *l, const struct replay_charger *c)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", d->cfg->path, c->id);
    struct net_dial nd = {.host = d->cfg->host,
                          .port = d->cfg->port,
                          .kind = NET_WS_CLIENT,
                          .handler = &handler,
                          .ctx = d,
                          .user = (uint64_t)(l - d->links),
                          .path = path,
                          .protocols = "ocpp1.6",
                          .auth_user = c->secret[0] ? c->id : NULL,
                          .auth_password = str_from_c(c->secret)};
    int err = net_dial(d->net, &nd, &l->conn);
    l->dial_ms = err ? d->now_ms + REDIAL_MS : INT64_MAX;
}

static void pump(struct drive *d, struct link *l)
{
    const struct replay_charger *c = &d->r->chargers[l - d->links];
    int32_t gun = gun_next(d, l);
    if (!l->open) {
        if (gun >= 0 && d->now_ms >= l->dial_ms)
            dial(d, l, c);
        return;
    }
    if (l->call && d->now_ms < l->retry_ms)
        return;
    l->call = CALL_NONE;
    if (!l->booted)
        tell_boot(d, l, c);
    else if (gun >= 0)
        tell_event(d, l, gun);
    else
        net_close(d->net, l->conn, WS_NORMAL);
}

/* ---- what is answered ---- */

static void row_done(struct drive *d, struct line *line)
{
    line->at++;
    line->phase = PHASE_START;
    d->done++;
}

static void start_answered(struct drive *d, struct line *line, struct str payload)
{
    struct replay_row *row = row_at(d, line->at);
    struct ocpp16_StartTransaction_res res;
    int err = wire_json_decode(&ocpp16_StartTransaction_res_type, payload, &d->arena, &res,
                               WIRE_LENIENT, NULL);
    if (err || res.transactionId <= 0) {
        row->reason = REPLAY_REFUSED;
        row_done(d, line);
        return;
    }
    row->tx = res.transactionId;
    line->phase = PHASE_METER;
}

static void event_answered(struct drive *d, struct link *l, struct str payload, bool error)
{
    struct line *line = &l->line[l->gun];
    if (line->phase == PHASE_START)
        start_answered(d, line, error ? STR_LIT("{}") : payload);
    else if (error)
        l->retry_ms = d->now_ms + REDIAL_MS; /* readings and stops are never given up */
    else if (line->phase == PHASE_METER)
        line->phase = PHASE_STOP;
    else
        row_done(d, line);
    if (!error || line->phase == PHASE_START)
        l->call = CALL_NONE;
}

static void boot_answered(struct drive *d, struct link *l, struct str payload, bool error)
{
    struct ocpp16_BootNotification_res res;
    int err = error ? ERR_REJECTED
                    : wire_json_decode(&ocpp16_BootNotification_res_type, payload, &d->arena, &res,
                                       WIRE_LENIENT, NULL);
    l->booted = !err && res.status == ocpp16_RegistrationStatus_Accepted;
    if (l->booted)
        l->call = CALL_NONE;
    else
        l->retry_ms = d->now_ms + REDIAL_MS;
}

static void platform_calls(struct drive *d, const struct link *l, struct str id)
{
    buf_reset(&d->out);
    buf_put_c(&d->out, "[4,");
    buf_put_json(&d->out, id);
    buf_put_c(&d->out, ",\"NotSupported\",\"a replay answers no calls\",{}]");
    if (!d->out.err && net_send(d->net, l->conn, buf_str(&d->out)))
        return; /* the connection is ending, and the call with it */
}

static void on_message(void *ctx, struct net_conn conn, struct str msg, bool binary)
{
    struct drive *d = ctx;
    struct link *l = &d->links[net_user(d->net, conn)];
    struct json_reader r;
    struct str kind, id, payload = STR_LIT("{}");
    char want[16];
    json_reader_init(&r, msg);
    if (binary || !json_take(&r, '[') || json_number(&r, &kind) || !json_take(&r, ',') ||
        json_string(&r, &d->arena, &id))
        return;
    snprintf(want, sizeof want, "%u", l->id);
    d->heard_ms = d->now_ms;
    if (str_eq_c(kind, "2")) {
        platform_calls(d, l, id);
        return;
    }
    bool error = !str_eq_c(kind, "3");
    if (!l->call || !str_eq_c(id, want) ||
        (!error && (!json_take(&r, ',') || json_skip(&r, WIRE_DEPTH, &payload))))
        return; /* late: it was told again already */
    if (l->call == CALL_BOOT)
        boot_answered(d, l, payload, error);
    else
        event_answered(d, l, payload, error);
    arena_reset(&d->arena);
}

static void on_open(void *ctx, struct net_conn conn)
{
    struct drive *d = ctx;
    struct link *l = &d->links[net_user(d->net, conn)];
    l->open = true;
    l->booted = false;
    l->call = CALL_NONE;
    d->heard_ms = d->now_ms;
}

static void on_close(void *ctx, struct net_conn conn, enum net_why why, uint16_t code)
{
    struct drive *d = ctx;
    struct link *l = &d->links[net_user(d->net, conn)];
    if (l->conn.slot != conn.slot || l->conn.gen != conn.gen)
        return;
    l->open = false;
    l->dial_ms = d->now_ms + REDIAL_MS;
    if (why == NET_END_CONNECT && (code == 401 || code == 403 || code == 404))
        d->err = ERR_DENIED;
}

static const struct net_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

/* ---- all of it ---- */

static void lines_find(struct drive *d)
{
    const struct replay *r = d->r;
    for (size_t i = 0; i < r->order_n; i++) {
        const struct replay_row *row = row_at(d, i);
        struct line *line = &d->links[row->charger].line[row->connector - 1];
        if (line->at == line->end)
            line->at = i;
        line->end = i + 1;
    }
}

static void drive_all(struct drive *d)
{
    int64_t told_ms = 0;
    d->heard_ms = os_mono_ns() / 1000000;
    while (!d->err && d->done < d->r->order_n) {
        d->now_ms = os_mono_ns() / 1000000;
        for (size_t i = 0; i < d->r->chargers_n; i++)
            pump(d, &d->links[i]);
        net_turn(d->net, TURN_MS);
        if (d->now_ms - d->heard_ms > SILENCE_MS)
            d->err = d->done ? ERR_TIMEOUT : ERR_CLOSED;
        if (d->cfg->progress && d->now_ms - told_ms >= PROGRESS_MS) {
            d->cfg->progress(d->cfg->ctx, d->done);
            told_ms = d->now_ms;
        }
    }
    if (d->cfg->progress)
        d->cfg->progress(d->cfg->ctx, d->done);
}

int replay_drive(struct replay *r, const struct replay_link *link)
{
    struct drive d = {.r = r, .cfg = link};
    const struct net_config cfg = {.max_conns = (uint32_t)r->chargers_n + 1};
    d.links = calloc(r->chargers_n + 1, sizeof *d.links);
    if (!d.links)
        return ERR_NOMEM;
    arena_init(&d.arena, 1 << 20);
    buf_init(&d.out, MESSAGE_MAX);
    int err = net_fd_limit_raise() < r->chargers_n + 16 ? ERR_FULL : net_new(&cfg, &d.net);
    if (!err) {
        lines_find(&d);
        drive_all(&d);
        net_free(d.net);
        err = d.err;
    }
    buf_free(&d.out);
    arena_free(&d.arena);
    free(d.links);
    return err;
}
