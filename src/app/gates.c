// SPDX-License-Identifier: Apache-2.0
/* gates.c: see gates.h. Each reactor's data belongs to its thread once it runs; only its mailbox is
 * shared, and the sums of figures, to which it adds at the end of a turn what is new.
 *
 * A reactor whose mailbox is full has stopped turning for long. What finds no room is dropped and
 * counted, and the connection it was for is closed at the end of the next turn: the charger comes
 * back and repeats its call, and no call stays open for ever. An answer to "may it speak here?" has
 * its own lane with room for one of each that can be open, because the gate must know whom the core
 * let in. */
#include "app/gates.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "gate/gate.h"
#include "gate/models.h"
#include "gate/ocpp/ocpp_gate.h"
#include "gate/ykc/ykc_gate.h"
#include "io/net/net.h"
#include "io/net/tls.h"
#include "io/os/clock.h"
#include "io/os/framelog.h"
#include "io/os/thread.h"

enum { MAIL_DRAIN = 1, DRAIN_MS = 3000 };
enum { OPENS_A_CONN = 8, OPEN_BYTES = 128 }; /* log-ins of one connection, and an answer's cost */

/* What /metrics tells of the gates: first both protocols', then the network's. */
static const struct figure {
    const char *name, *label, *help;
    enum metric_kind kind;
} figures[] = {
#define OF_BOTH(name, help, kind)                                                                  \
    {name, "protocol=\"ocpp\"", help, kind},                                                       \
    {                                                                                              \
        name, "protocol=\"ykc\"", help, kind                                                       \
    }
    OF_BOTH("even_frames_in_total", "Frames of chargers", METRIC_COUNTER),
    OF_BOTH("even_frames_out_total", "Frames to chargers", METRIC_COUNTER),
    OF_BOTH("even_frames_bad_total", "Frames refused or skipped", METRIC_COUNTER),
    OF_BOTH("even_frames_lenient_total", "Frames taken in spite of oddities", METRIC_COUNTER),
    OF_BOTH("even_gate_calls_total", "Calls: of chargers by OCPP, to piles by 云快充",
            METRIC_COUNTER),
    OF_BOTH("even_call_timeouts_total", "Calls to chargers that were not answered in time",
            METRIC_COUNTER),
    OF_BOTH("even_gate_connections", "Connections of chargers", METRIC_GAUGE),
#undef OF_BOTH
    {"even_net_accepted_total", "", "Connections accepted", METRIC_COUNTER},
    {"even_net_refused_total", "", "Upgrades refused", METRIC_COUNTER},
    {"even_net_closed_total", "", "Connections ended", METRIC_COUNTER},
    {"even_net_in_bytes_total", "", "Bytes from chargers", METRIC_COUNTER},
    {"even_net_out_bytes_total", "", "Bytes to chargers", METRIC_COUNTER},
    {"even_net_listen_pauses_total", "", "Times a full reactor stopped listening", METRIC_COUNTER},
    {"even_net_ends_total", "why=\"peer\"", "Connections ended, by reason", METRIC_COUNTER},
    {"even_net_ends_total", "why=\"local\"", "Connections ended, by reason", METRIC_COUNTER},
    {"even_net_ends_total", "why=\"silent\"", "Connections ended, by reason", METRIC_COUNTER},
    {"even_net_ends_total", "why=\"protocol\"", "Connections ended, by reason", METRIC_COUNTER},
    {"even_net_ends_total", "why=\"slow\"", "Connections ended, by reason", METRIC_COUNTER},
};
enum { FIGURES = ARRAY_LEN(figures) };
_Static_assert((int)FIGURES < (int)GATES_METRICS, "one more is the answers dropped");

struct reactor {
    struct gates *gates;
    struct net *net;
    struct mailbox *mail;
    struct ocpp_gate *ocpp;
    struct ykc_gate *ykc;
    struct os_thread *thread;
    uint64_t told[FIGURES]; /* what the sums hold of this reactor */
    /* Connections that lost an answer, by slot: their generation + 1. Any thread writes. */
    _Atomic uint64_t *lost;
    _Atomic bool any_lost;
};

struct gates {
    struct gates_config cfg;
    struct tls_server *tls;
    struct framewatch *watch;
    struct framelog **frames; /* n of them */
    _Atomic uint64_t causes, dropped;
    _Atomic uint64_t sums[FIGURES]; /* of all reactors, for /metrics */
    struct mailbox *ready; /* each reactor's thread tells how it came to its own table; else NULL */
    int wake_fd;           /* what `submitted` writes to */
    int n;
    struct reactor reactors[];
};

static uint64_t next_cause(void *ctx)
{
    struct gates *g = ctx;
    return atomic_fetch_add_explicit(&g->causes, 1, memory_order_relaxed);
}

static int submit(void *ctx, const struct cmd *cmd)
{
    struct gates *g = ctx;
    return g->cfg.submit(g->cfg.ctx, cmd);
}

static void on_mail(void *ctx, struct str msg)
{
    struct reactor *r = ctx;
    if (msg.n == MAIL_DRAIN) {
        net_drain(r->net, DRAIN_MS);
        return;
    }
    const struct out *out = (const struct out *)(const void *)msg.p;
    if (!ocpp_gate_deliver(r->ocpp, out))
        (void)ykc_gate_deliver(r->ykc, out); /* neither knows it: the connection is gone */
}

static void figures_read(const struct reactor *r, uint64_t v[FIGURES])
{
    struct gate_stats o, y;
    struct net_stats n;
    ocpp_gate_stats(r->ocpp, &o);
    ykc_gate_stats(r->ykc, &y);
    net_stats_get(r->net, &n);
    const uint64_t now[FIGURES] = {
        o.frames_in,
        y.frames_in,
        o.frames_out,
        y.frames_out,
        o.bad_frames,
        y.bad_frames,
        o.lenient,
        y.lenient,
        o.calls,
        y.calls,
        o.timeouts,
        y.timeouts,
        o.connections,
        y.connections,
        n.accepted,
        n.refused,
        n.closed,
        n.in_bytes,
        n.out_bytes,
        n.listen_pauses,
        n.ends[NET_END_PEER],
        n.ends[NET_END_LOCAL],
        n.ends[NET_END_SILENT],
        n.ends[NET_END_PROTOCOL],
        n.ends[NET_END_SLOW],
    };
    memcpy(v, now, sizeof now);
}

static void lost_close(struct reactor *r)
{
    uint32_t n = (uint32_t)r->gates->cfg.settings->charge_max_conns;
    if (!atomic_exchange(&r->any_lost, false))
        return;
    for (uint32_t slot = 0; slot < n; slot++) {
        uint64_t gen = atomic_exchange(&r->lost[slot], 0);
        struct net_conn c = {.reactor = (uint16_t)(r - r->gates->reactors),
                             .slot = slot,
                             .gen = (uint32_t)(gen - 1)};
        if (gen != 0)
            net_close(r->net, c, WS_INTERNAL);
    }
}

/* A gauge that fell adds a negative difference: unsigned sums wrap back. */
static void on_turn(void *ctx)
{
    struct reactor *r = ctx;
    uint64_t now[FIGURES];
    lost_close(r);
    ocpp_gate_turn(r->ocpp);
    ykc_gate_turn(r->ykc);
    figures_read(r, now);
    r->gates->cfg.submitted(r->gates->cfg.ctx);
    for (int i = 0; i < FIGURES; i++) {
        if (now[i] != r->told[i])
            metric_add(&r->gates->sums[i], now[i] - r->told[i]);
        r->told[i] = now[i];
    }
}

uint32_t gates_metrics(const struct gates *g, struct metric_row rows[GATES_METRICS])
{
    for (int i = 0; i < FIGURES; i++)
        rows[i] = (struct metric_row){.name = figures[i].name,
                                      .label = figures[i].label,
                                      .help = figures[i].help,
                                      .kind = figures[i].kind,
                                      .value = &g->sums[i]};
    rows[FIGURES] = (struct metric_row){.name = "even_answers_dropped_total",
                                        .label = "",
                                        .help = "Answers that found a reactor's mailbox full",
                                        .kind = METRIC_COUNTER,
                                        .value = &g->dropped};
    return FIGURES + 1;
}

uint32_t gates_models(const struct gates *g, struct metric_row *rows, uint32_t max)
{
    uint32_t n = 0;
    for (int i = 0; i < g->n; i++) {
        const struct gate_models *m = ocpp_gate_models(g->reactors[i].ocpp);
        uint32_t models = atomic_load_explicit(&m->n, memory_order_acquire);
        for (uint32_t k = 0; k < models && n < max; k++)
            if (atomic_load_explicit(&m->at[k].odd, memory_order_relaxed) > 0)
                rows[n++] =
                    (struct metric_row){.name = "even_oddities_total",
                                        .label = m->at[k].label,
                                        .help = "Messages taken in spite of oddities, by model",
                                        .kind = METRIC_COUNTER,
                                        .value = &m->at[k].odd};
    }
    return n;
}

static void run(void *arg)
{
    struct reactor *r = arg;
    net_run(r->net);
}

/* The same in a table of descriptors of its own. */
static void run_apart(void *arg)
{
    struct reactor *r = arg;
    struct gates *g = r->gates;
    const int also[] = {mailbox_fd(g->ready), g->wake_fd};
    int err = net_files_own(r->net, also, ARRAY_LEN(also));
    must(mailbox_send(g->ready, MAIL_NORMAL, str_from((const char *)&err, sizeof err)) == 0);
    if (!err)
        net_run(r->net);
    net_close_all(r->net);
}

static uint32_t proxies_read(const char *text, struct net_block blocks[FORM_BLOCKS_MAX])
{
    uint32_t n = 0;
    struct str rest = str_from_c(text);
    while (rest.n > 0 && n < FORM_BLOCKS_MAX) {
        struct str one = str_trim(str_cut(&rest, ','));
        must(net_block_parse(one, &blocks[n]) == 0); /* FORM_BLOCKS */
        n++;
    }
    return n;
}

/* One log a reactor: the last frames of all, and those of chargers that somebody watches. */
static int frames_open(struct gates *g)
{
    const struct config *c = g->cfg.settings;
    g->frames = calloc((size_t)g->n, sizeof g->frames[0]);
    int err = g->frames ? framewatch_new(&g->watch) : ERR_NOMEM;
    for (int i = 0; !err && i < g->n; i++) {
        const struct framelog_config fc = {
            .reactor = (uint16_t)i,
            .recent = ((size_t)c->frames_recent_kb << 10) / (size_t)g->n,
            .watched = ((size_t)c->frames_watched_kb << 10) / (size_t)g->n,
            .watch = g->watch};
        err = framelog_new(&fc, &g->frames[i]);
    }
    if (!err)
        log_line(LOG_NOTE, "net", 0, "frame log: %lld KiB of memory at most",
                 (long long)(c->frames_recent_kb + c->frames_watched_kb));
    return err;
}

uint32_t gates_frames(const struct gates *g, struct framelog *const **logs,
                      struct framewatch **watch)
{
    *logs = g->frames;
    *watch = g->watch;
    return (uint32_t)g->n;
}

static int reactor_open(struct gates *g, int i)
{
    const struct config *c = g->cfg.settings;
    struct reactor *r = &g->reactors[i];
    struct net_block proxies[FORM_BLOCKS_MAX];
    r->gates = g;
    r->lost = calloc((size_t)c->charge_max_conns, sizeof r->lost[0]);
    if (!r->lost)
        return ERR_NOMEM;
    int err = mailbox_new((size_t)c->charge_outbox_mb << 20,
                          4096 + (size_t)c->charge_max_conns * OPENS_A_CONN * OPEN_BYTES, &r->mail);
    if (err)
        return err;
    struct net_config nc = {
        .reactor = (uint16_t)i,
        .max_conns = (uint32_t)c->charge_max_conns,
        .max_message = (uint32_t)c->charge_max_message,
        .ping_ms = (uint32_t)c->charge_ping_s * 1000,
        .silence_ms = (uint32_t)c->charge_silence_s * 1000,
        .batch = c->charge_uring != 0,
        .proxies = proxies,
        .proxies_n = proxies_read(c->charge_proxies, proxies),
        .mailbox = r->mail,
        .on_mail = on_mail,
        .on_turn = on_turn,
        .ctx = r,
    };
    err = net_new(&nc, &r->net);
    if (err)
        return err;
    struct gate_config gc = {
        .net = r->net,
        .submit = submit,
        .ctx = g,
        .key = g->cfg.key,
        .now_ms = os_now_ms,
        .heartbeat_s = (int32_t)c->charge_heartbeat_s,
        .max_conns = nc.max_conns,
        .reactor = (uint16_t)i,
        .cause = next_cause,
        .frames = g->frames[i],
    };
    err = ocpp_gate_new(&gc, &r->ocpp);
    if (!err)
        err = ykc_gate_new(&gc, &r->ykc);
    return err;
}

/* Piles that can speak TLS have a port of their own: nothing in a frame tells which it is. */
static int ykc_tls_listen(struct reactor *r)
{
    const struct config *c = r->gates->cfg.settings;
    uint16_t port = (uint16_t)c->charge_ykc_tls_port;
    struct net_listen l = {.host = c->charge_bind, .port = port, .tls = r->gates->tls};
    if (!port)
        return 0;
    int err = l.tls ? ykc_gate_listen(r->ykc, &l, &port) : ERR_REQUIRED;
    if (err)
        log_line(LOG_ERROR, "net", 0, "cannot listen with TLS on %s:%u: %s%s", c->charge_bind,
                 (unsigned)l.port, err_text(err, LANG_EN),
                 l.tls ? "" : " (charge.tls_cert and charge.tls_key)");
    return err;
}

static int reactor_listen(struct reactor *r, uint16_t *ocpp, uint16_t *ykc)
{
    const struct config *c = r->gates->cfg.settings;
    struct net_listen ol = {.host = c->charge_bind, .port = *ocpp, .tls = r->gates->tls};
    struct net_listen yl = {.host = c->charge_bind, .port = *ykc, .tls = NULL};
    int err = ocpp_gate_listen(r->ocpp, &ol, ocpp);
    if (err) {
        log_line(LOG_ERROR, "net", 0, "cannot listen on %s:%u: %s", c->charge_bind,
                 (unsigned)ol.port, err_text(err, LANG_EN));
        return err;
    }
    err = ykc_gate_listen(r->ykc, &yl, ykc);
    if (err)
        log_line(LOG_ERROR, "net", 0, "cannot listen on %s:%u: %s", c->charge_bind,
                 (unsigned)yl.port, err_text(err, LANG_EN));
    return err ? err : ykc_tls_listen(r);
}

static int tls_open(struct gates *g)
{
    char why[160] = "";
    int err = tls_server_new(g->cfg.settings->charge_tls_cert, g->cfg.settings->charge_tls_key,
                             &g->tls, why);
    if (err)
        log_line(LOG_ERROR, "net", 0, "charge.tls_cert: %s", why);
    return err;
}

int gates_new(const struct gates_config *cfg, struct gates **out)
{
    size_t n = (size_t)cfg->settings->charge_reactors;
    struct gates *g = calloc(1, sizeof *g + n * sizeof g->reactors[0]);
    if (!g)
        return ERR_NOMEM;
    g->cfg = *cfg;
    g->n = (int)n;
    atomic_store(&g->causes, ((uint64_t)os_now_ms() << 20) | 1);
    (void)net_fd_limit_raise();
    int err = frames_open(g);
    if (!err && cfg->settings->charge_own_files)
        err = mailbox_new(4096, 0, &g->ready);
    if (!err && cfg->settings->charge_tls_cert[0])
        err = tls_open(g);
    for (int i = 0; !err && i < g->n; i++)
        err = reactor_open(g, i);
    if (err) {
        gates_free(g);
        return err;
    }
    *out = g;
    return 0;
}

int gates_listen(struct gates *g, uint16_t *ocpp, uint16_t *ykc)
{
    int err = 0;
    *ocpp = (uint16_t)g->cfg.settings->charge_ocpp_port;
    *ykc = (uint16_t)g->cfg.settings->charge_ykc_port;
    for (int i = 0; !err && i < g->n; i++)
        err = reactor_listen(&g->reactors[i], ocpp, ykc);
    return err;
}

/* Waits until the thread has its table, and lets go of what moved there. */
static int start_apart(struct gates *g, struct reactor *r, struct mailbox_batch *told)
{
    struct net_files files = net_files(r->net);
    struct str msg;
    int err = os_thread_start("reactor", run_apart, r, &r->thread);
    if (err)
        return err;
    while (mailbox_take(g->ready, told) == 0)
        (void)mailbox_wait(g->ready, -1);
    must(mailbox_next(told, &msg) && msg.n == sizeof err);
    memcpy(&err, msg.p, sizeof err);
    if (err)
        log_line(LOG_ERROR, "net", 0, "charge.own_files: %s", err_text(err, LANG_EN));
    else
        net_files_close(&files);
    return err;
}

static int start_all_apart(struct gates *g)
{
    struct mailbox_batch told = {0};
    int err = 0;
    for (int i = 0; !err && i < g->n; i++)
        err = start_apart(g, &g->reactors[i], &told);
    mailbox_batch_free(&told);
    return err;
}

int gates_start(struct gates *g, int wake_fd)
{
    int err = 0;
    g->wake_fd = wake_fd;
    if (g->ready)
        return start_all_apart(g);
    for (int i = 0; !err && i < g->n; i++)
        err = os_thread_start("reactor", run, &g->reactors[i], &g->reactors[i].thread);
    return err;
}

void gates_turn(struct gates *g, int32_t wait_ms)
{
    for (int i = 0; i < g->n; i++)
        net_turn(g->reactors[i].net, wait_ms);
}

/* Its call would stay open for ever: the connection has to go. */
static void lose(struct gates *g, const struct out *out, int err)
{
    struct reactor *r = &g->reactors[out->to.reactor];
    if (out->to.kind == FROM_GATE && out->to.slot < g->cfg.settings->charge_max_conns) {
        atomic_store(&r->lost[out->to.slot], (uint64_t)out->to.gen + 1);
        atomic_store(&r->any_lost, true);
    }
    if (atomic_fetch_add(&g->dropped, 1) % 1000 == 0)
        log_line(LOG_WARN, "net", out->cause, "answer to a charger dropped: %s",
                 err_text(err, LANG_EN));
}

void gates_deliver(struct gates *g, const struct out *out)
{
    if (out->to.reactor >= g->n)
        return;
    bool open = out->type == OUT_REPLY && out->cmd_type == CMD_CONN_OPEN;
    int err = mailbox_put(g->reactors[out->to.reactor].mail, open ? MAIL_ENDING : MAIL_NORMAL,
                          str_from((const char *)out, out->size), STR_NONE);
    if (err)
        lose(g, out, err);
}

void gates_delivered(struct gates *g)
{
    for (int i = 0; i < g->n; i++)
        mailbox_wake(g->reactors[i].mail);
}

void gates_stop(struct gates *g)
{
    for (int i = 0; i < g->n; i++)
        if (g->reactors[i].thread &&
            mailbox_send(g->reactors[i].mail, MAIL_ENDING, STR_LIT("x")) != 0)
            net_stop(g->reactors[i].net);
    for (int i = 0; i < g->n; i++) {
        os_thread_join(g->reactors[i].thread);
        g->reactors[i].thread = NULL;
    }
}

void gates_free(struct gates *g)
{
    for (int i = 0; g && i < g->n; i++) {
        struct reactor *r = &g->reactors[i];
        if (r->ocpp)
            ocpp_gate_free(r->ocpp);
        if (r->ykc)
            ykc_gate_free(r->ykc);
        if (r->net)
            net_free(r->net);
        if (r->mail)
            mailbox_free(r->mail);
        free(r->lost);
        if (g->frames)
            framelog_free(g->frames[i]);
    }
    if (g) {
        free(g->frames);
        framewatch_free(g->watch);
        if (g->ready)
            mailbox_free(g->ready);
    }
    if (g && g->tls)
        tls_server_free(g->tls);
    free(g);
}
