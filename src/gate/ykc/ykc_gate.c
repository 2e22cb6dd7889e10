// SPDX-License-Identifier: Apache-2.0
/* ykc_gate.c: connections and piles of the 云快充 gate, and its way to the core; see ykc_gate.h.
 *
 * Data: slabs of connections, piles, calls and open questions; the connection's number in the reactor
 * names its record; the backlog.
 *
 * Invariants:
 *  1. While the backlog is not empty every command goes to its end, and every connection that is
 *     read stops after the frame at hand.
 *  2. A question belongs to one connection and is freed with its answer or with the connection.
 *  3. A connection that closes takes its piles along, each with one CMD_CONN_CLOSED.
 *
 * Thread: the reactor's. Failure: limits refuse the new pile or connection, never an old one. */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/crypto.h"

#define RETRY_MS       100
#define WATCH_MS       500
#define BACKLOG_A_CONN 4096 /* commands of one frame and the end of the connection */
#define BACKLOG_LEAST  (1u << 20)

static uint64_t name_key(struct net_conn c)
{
    return (uint64_t)c.gen << 32 | c.slot;
}

/* The record of a connection, or NULL when it is none of this gate: the reactor also carries those
 * of other gates, whose number means something else. */
static struct ykc_conn *conn_of(const struct ykc_gate *g, struct net_conn name)
{
    uint64_t user = net_user(g->cfg.net, name);
    struct slab_ref ref = {.index = (uint32_t)user - 1, .gen = (uint32_t)(user >> 32)};
    struct ykc_conn *c = (uint32_t)user != 0 ? slab_find(&g->conns, ref) : NULL;

    return c != NULL && c->net.slot == name.slot && c->net.gen == name.gen ? c : NULL;
}

static struct net_conn origin_name(const struct origin *o)
{
    return (struct net_conn){o->node, o->reactor, o->slot, o->gen};
}

/* ---- to the core ---- */

static void backlog_retry(struct ykc_gate *g)
{
    backlog_send(&g->backlog, &g->cfg, "ykc");
}

/* What happens next has a cause of its own: a frame, a timer, the end of a connection. */
static void cause_next(struct ykc_gate *g)
{
    g->cause = g->cfg.cause != NULL ? g->cfg.cause(g->cfg.ctx) : 0;
}

struct cmd *ykc_cmd(struct ykc_gate *g, const struct ykc_conn *c, enum cmd_type type, size_t size)
{
    gate_cmd_begin(&g->cmd, c->net, type, size, g->cause);
    return &g->cmd;
}

void ykc_submit(struct ykc_gate *g)
{
    backlog_submit(&g->backlog, &g->cfg, &g->cmd, "ykc");
}

struct ykc_wait *ykc_ask(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, uint8_t type,
                         const uint8_t seq[2])
{
    struct slab_ref ref;
    struct ykc_wait *w = slab_get(&g->waits, &ref);

    if (w == NULL)
        return NULL;
    w->self = ref;
    w->pile = p;
    w->type = type;
    memcpy(w->seq, seq, 2);
    w->ref = ++c->next_ref != 0 ? c->next_ref : ++c->next_ref;
    w->next = c->waits;
    c->waits = w;
    c->waits_n++;
    g->cmd.head.from.ref = w->ref;
    ykc_submit(g);
    return w;
}

/* Takes the question out of the connection's list; the caller frees it. */
static struct ykc_wait *wait_take(struct ykc_conn *c, uint32_t ref)
{
    struct ykc_wait **at = &c->waits;
    struct ykc_wait *w;

    while (*at != NULL && (*at)->ref != ref)
        at = &(*at)->next;
    w = *at;
    if (w != NULL) {
        *at = w->next;
        c->waits_n--;
    }
    return w;
}

/* ---- the frame log ---- */

/* The charger of a connection that speaks for one pile; a concentrator's frames say whom they are
 * about. */
static int64_t only_charger(const struct ykc_conn *c)
{
    return c->piles_n == 1 ? c->piles->charger : 0;
}

/* Of a frame to one of several piles: its number stands first, or behind the order's. */
static int64_t pile_charger(const struct ykc_conn *c, struct str body)
{
    for (const struct ykc_pile *p = c->piles; p != NULL; p = p->next) {
        uint8_t number[7];

        if (str_from_hex(str_from_c(p->number), number, sizeof(number)) != 0)
            continue;
        if (body.n >= 7 && memcmp(body.p, number, 7) == 0)
            return p->charger;
        if (body.n >= 23 && memcmp(body.p + 16, number, 7) == 0)
            return p->charger;
    }
    return 0;
}

static struct framelog_row frame_begin(const struct ykc_gate *g, const struct ykc_conn *c,
                                       enum framelog_dir dir, uint8_t kind)
{
    struct framelog_row row =
        gate_frame(&g->cfg, c->net, only_charger(c), PROTOCOL_YKC, dir, g->cause);

    row.kind = kind;
    return row;
}

static void garbage_put(struct ykc_gate *g, const struct ykc_conn *c, struct str bytes)
{
    struct framelog_row row;

    if (g->cfg.frames == NULL || bytes.n == 0)
        return;
    row = frame_begin(g, c, FRAME_IN, 0);
    row.result = FRAME_REFUSED;
    framelog_put(g->cfg.frames, &row, bytes);
}

static void frame_put(struct ykc_gate *g, const struct ykc_conn *c, const struct frame *f)
{
    struct framelog_row row;

    if (g->cfg.frames == NULL)
        return;
    row = frame_begin(g, c, FRAME_OUT, f->type);
    if (row.charger == 0)
        row.charger = pile_charger(c, f->body);
    framelog_put(g->cfg.frames, &row, buf_str(&g->out));
}

/* Hands a frame on and logs it with what became of it, as the counters tell. `raw`: its bytes. */
static void frame_take(struct ykc_gate *g, struct ykc_conn *c, const struct frame *f,
                       struct str raw)
{
    const struct gate_stats before = g->stats;
    struct framelog_row row;

    if (g->cfg.frames == NULL) {
        ykc_frame_take(g, c, f);
        return;
    }
    row = frame_begin(g, c, FRAME_IN, f->type);
    g->about = 0;
    ykc_frame_take(g, c, f);
    if (g->about != 0)
        row.charger = g->about;
    row.result = g->stats.bad_frames != before.bad_frames ? FRAME_REFUSED
                 : g->stats.lenient != before.lenient     ? FRAME_ODD
                                                          : FRAME_OK;
    framelog_put(g->cfg.frames, &row, raw);
}

/* ---- to the pile ---- */

void ykc_send_as(struct ykc_gate *g, struct ykc_conn *c, uint8_t code, const struct wire_type *type,
                 const void *body, const uint8_t *seq)
{
    struct frame f = {.type = code, .crc_high_first = c->crc_high_first};

    buf_reset(&g->body);
    buf_reset(&g->out);
    if (seq != NULL) {
        memcpy(f.seq, seq, 2);
    } else {
        f.seq[0] = (uint8_t)c->seq;
        f.seq[1] = (uint8_t)(c->seq >> 8);
        c->seq++;
    }
    if (wire_bin_encode(type, body, &g->body) != 0) {
        log_line(LOG_ERROR, "ykc", g->cause, "frame %02x not sent: a value does not fit", code);
        return;
    }
    f.body = buf_str(&g->body);
    must(frame_build(&f, &g->out) == 0);
    if (net_send(g->cfg.net, c->net, buf_str(&g->out)) != 0)
        return;
    g->stats.frames_out++;
    frame_put(g, c, &f);
}

void ykc_send(struct ykc_gate *g, struct ykc_conn *c, const struct wire_msg *msg, const void *body,
              const uint8_t *seq)
{
    ykc_send_as(g, c, msg->code, msg->req, body, seq);
}

/* ---- piles ---- */

void ykc_told_set(struct ykc_pile *p, int64_t gun, enum connector_status status)
{
    uint8_t *at = &p->status[(gun - 1) / 2];
    int shift = gun % 2 == 0 ? 4 : 0;

    *at = (uint8_t)((*at & ~(15 << shift)) | (int)status << shift);
}

struct ykc_pile *ykc_pile_find(struct ykc_conn *c, const char *number)
{
    struct ykc_pile *p = c->piles;

    while (p != NULL && strcmp(p->number, number) != 0)
        p = p->next;
    return p;
}

struct ykc_pile *ykc_pile_of(struct ykc_conn *c, int64_t charger)
{
    struct ykc_pile *p = c->piles;

    while (p != NULL && (p->charger != charger || p->state == YKC_ASKED))
        p = p->next;
    return p;
}

struct ykc_pile *ykc_pile_add(struct ykc_gate *g, struct ykc_conn *c, const char *number)
{
    struct slab_ref ref;
    struct ykc_pile *p = c->piles_n < YKC_PILES_MAX ? slab_get(&g->piles, &ref) : NULL;

    if (p == NULL)
        return NULL;
    p->self = ref.index;
    str_copy(p->number, sizeof(p->number), str_from_c(number));
    p->next = c->piles;
    c->piles = p;
    c->piles_n++;
    return p;
}

static void orphan_add(struct ykc_gate *g, const struct ykc_conn *c)
{
    uint64_t n = 0;

    (void)map_get(&g->orphans, name_key(c->net), &n);
    must(map_put(&g->orphans, name_key(c->net), n + 1) == 0); /* on_open keeps room */
}

static void closed_send(struct ykc_gate *g, const struct ykc_conn *c, int64_t charger,
                        int32_t reason)
{
    struct cmd *cmd = ykc_cmd(g, c, CMD_CONN_CLOSED, CMD_SIZE(conn_closed));

    cmd->u.conn_closed.charger = charger;
    cmd->u.conn_closed.reason = reason;
    ykc_submit(g);
}

static void closed_note(struct ykc_gate *g, const struct ykc_conn *c, int64_t charger,
                        int32_t reason)
{
    struct framelog_row row;
    char text[24];

    if (g->cfg.frames == NULL)
        return;
    row = frame_begin(g, c, FRAME_NOTE, 0);
    row.charger = charger;
    snprintf(text, sizeof(text), "closed %d", reason);
    framelog_put(g->cfg.frames, &row, str_from_c(text));
}

/* Takes the pile out of its connection. Its open log-in, if any, goes on as an orphan. */
static void pile_forget(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, int32_t reason)
{
    struct ykc_pile **at = &c->piles;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    c->piles_n--;
    for (struct ykc_wait *w = c->waits; w != NULL; w = w->next) {
        if (w->pile != p)
            continue;
        w->pile = NULL;
        if (w->type == 0x01)
            orphan_add(g, c);
    }
    if (p->charger != 0) {
        closed_note(g, c, p->charger, reason);
        closed_send(g, c, p->charger, reason);
    }
    ykc_calls_drop(g, p);
    ykc_pairs_drop(g, p);
    slab_put(&g->piles, slab_ref_of(&g->piles, p->self));
}

void ykc_pile_drop(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, int32_t reason)
{
    pile_forget(g, c, p, reason);
    if (c->piles == NULL) {
        c->closing = true;
        net_close(g->cfg.net, c->net, WS_NORMAL);
    }
}

/* ---- reading ---- */

static bool may_read(const struct ykc_gate *g, const struct ykc_conn *c)
{
    return g->backlog.n == 0 && c->waits_n < YKC_UNANSWERED_MAX;
}

static void conn_wait(struct ykc_gate *g, struct ykc_conn *c)
{
    if (!c->paused)
        net_pause(g->cfg.net, c->net);
    c->paused = true;
    c->retrying = g->backlog.n != 0;
    if (c->retrying)
        net_timer_set(g->cfg.net, c->net, RETRY_MS);
}

static void conn_go_on(struct ykc_gate *g, struct ykc_conn *c)
{
    if (!c->paused || !may_read(g, c))
        return;
    c->paused = false;
    net_resume(g->cfg.net, c->net);
}

/* Counts garbage since the last good frame; true when there was too much of it. */
static bool garbage_over(struct ykc_gate *g, struct ykc_conn *c, uint64_t garbage, bool frame)
{
    if (garbage != 0)
        g->stats.bad_frames++;
    if (c->garbage + garbage > YKC_GARBAGE_MAX)
        return true;
    c->garbage = (uint16_t)(c->garbage + garbage);
    if (frame)
        c->garbage = 0;
    return false;
}

static ptrdiff_t on_raw(void *ctx, struct net_conn name, struct str bytes)
{
    struct ykc_gate *g = ctx;
    struct ykc_conn *c = conn_of(g, name);
    struct str rest = bytes;
    struct frame f;
    size_t used;
    int got;

    must(c != NULL);
    backlog_retry(g);
    while (!c->closing && may_read(g, c)) {
        uint64_t garbage = 0;
        struct str from = rest;

        got = frame_next(rest, &f, &used, &garbage);
        rest = str_from(rest.p + used, rest.n - used);
        garbage_put(g, c, str_from(from.p, (size_t)garbage));
        if (garbage_over(g, c, garbage, got == 1))
            return -1;
        if (got != 1)
            return rest.p - bytes.p;
        g->stats.frames_in++;
        cause_next(g);
        frame_take(g, c, &f, str_from(from.p + garbage, used - (size_t)garbage));
    }
    if (!c->closing)
        conn_wait(g, c);
    return rest.p - bytes.p;
}

static void on_open(void *ctx, struct net_conn name)
{
    struct ykc_gate *g = ctx;
    struct slab_ref ref;
    /* Log-ins of connections that left are remembered in a map with room for twice the connections.
     */
    struct ykc_conn *c = g->orphans.n < g->cfg.max_conns ? slab_get(&g->conns, &ref) : NULL;

    if (c == NULL) {
        net_abort(g->cfg.net, name);
        return;
    }
    c->self = ref.index;
    c->net = name;
    net_user_set(g->cfg.net, name, (uint64_t)ref.gen << 32 | (ref.index + 1u));
    g->stats.connections++;
    net_timer_set(g->cfg.net, name, YKC_LOGIN_MS);
}

static void on_close(void *ctx, struct net_conn name, enum net_why why, uint16_t code)
{
    struct ykc_gate *g = ctx;
    struct ykc_conn *c = conn_of(g, name);

    (void)why;
    if (c == NULL)
        return; /* it was refused at once */
    cause_next(g);
    backlog_retry(g);
    while (c->piles != NULL)
        pile_forget(g, c, c->piles, code);
    while (c->waits != NULL) {
        struct ykc_wait *w = c->waits;

        c->waits = w->next;
        slab_put(&g->waits, w->self);
    }
    slab_put(&g->conns, slab_ref_of(&g->conns, c->self));
    g->stats.connections--;
}

static bool calls_open(const struct ykc_gate *g, const struct ykc_conn *c)
{
    for (const struct ykc_pile *p = c->piles; p != NULL; p = p->next)
        if (p->calls != NULL || ykc_pairs_open(g, p))
            return true;
    return false;
}

void ykc_calls_watch(struct ykc_gate *g, struct ykc_conn *c)
{
    if (calls_open(g, c))
        net_timer_set(g->cfg.net, c->net, WATCH_MS);
}

static void on_timer(void *ctx, struct net_conn name)
{
    struct ykc_gate *g = ctx;
    struct ykc_conn *c = conn_of(g, name);

    must(c != NULL);
    cause_next(g);
    backlog_retry(g);
    if (c->piles == NULL && !c->retrying) { /* nobody logged in all this time */
        c->closing = true;
        net_close(g->cfg.net, name, WS_POLICY);
        return;
    }
    if (c->piles == NULL)
        net_timer_set(g->cfg.net, name, YKC_LOGIN_MS);
    c->retrying = false;
    ykc_calls_expire(g, c);
    ykc_pairs_expire(g, c);
    ykc_calls_watch(g, c);
    conn_go_on(g, c);
    if (c->paused)
        conn_wait(g, c);
}

static const struct net_handler ykc_handler = {
    .on_open = on_open, .on_raw = on_raw, .on_close = on_close, .on_timer = on_timer};

/* ---- from the core ---- */

/* A log-in that the core granted to a connection that was gone by then. */
static bool orphan_take(struct ykc_gate *g, const struct out *out)
{
    struct net_conn name = origin_name(&out->to);
    struct ykc_conn gone = {.net = name};
    uint64_t n;

    if (out->cmd_type != CMD_CONN_OPEN || !map_get(&g->orphans, name_key(name), &n))
        return false;
    if (n > 1)
        must(map_put(&g->orphans, name_key(name), n - 1) == 0);
    else
        map_del(&g->orphans, name_key(name));
    if (out->err == 0)
        closed_send(g, &gone, out->u.conn.charger, WS_ABNORMAL);
    return true;
}

static bool deliver_reply(struct ykc_gate *g, struct ykc_conn *c, const struct out *out)
{
    struct ykc_wait *w = c != NULL ? wait_take(c, out->to.ref) : NULL;

    if (w == NULL)
        return orphan_take(g, out) || c != NULL;
    if (w->pile == NULL)
        (void)orphan_take(g, out); /* the pile left, its connection did not */
    else
        ykc_reply_take(g, c, w, out);
    slab_put(&g->waits, w->self);
    conn_go_on(g, c);
    return true;
}

bool ykc_gate_deliver(struct ykc_gate *g, const struct out *out)
{
    struct ykc_conn *c = conn_of(g, origin_name(&out->to));
    struct ykc_pile *p;

    g->cause = out->cause;
    backlog_retry(g);
    if (out->to.kind != FROM_GATE)
        return false;
    if (out->type == OUT_REPLY)
        return deliver_reply(g, c, out);
    if (c == NULL)
        return false;
    if (out->type == OUT_CALL) {
        ykc_call_take(g, c, &out->u.call);
    } else if (out->type == OUT_CLOSE) {
        p = ykc_pile_of(c, out->u.close.charger);
        if (p != NULL)
            ykc_pile_drop(g, c, p, out->u.close.code);
    }
    return true;
}

/* ---- the gate ---- */

int ykc_gate_new(const struct gate_config *cfg, struct ykc_gate **out)
{
    struct ykc_gate *g = calloc(1, sizeof(*g));
    uint32_t piles = 2 * cfg->max_conns + YKC_PILES_MAX;
    uint32_t waits = cfg->max_conns * (YKC_UNANSWERED_MAX + 2);
    uint32_t calls = cfg->max_conns * YKC_CALLS_MAX + YKC_PILES_MAX;
    uint64_t seed = os_random_u64();

    *out = NULL;
    if (g == NULL)
        return ERR_NOMEM;
    g->cfg = *cfg;
    g->born_ms = cfg->now_ms();
    slab_init(&g->conns, sizeof(struct ykc_conn), cfg->max_conns);
    slab_init(&g->piles, sizeof(struct ykc_pile), piles);
    slab_init(&g->waits, sizeof(struct ykc_wait), waits);
    slab_init(&g->calls, sizeof(struct ykc_call), calls);
    slab_init(&g->pair_slab, ykc_pair_size(), piles);
    map_init(&g->orphans, 2 * (size_t)cfg->max_conns, seed);
    buf_init(&g->backlog, (size_t)cfg->max_conns * BACKLOG_A_CONN + BACKLOG_LEAST);
    buf_init(&g->body, FRAME_BODY_MAX);
    buf_init(&g->out, FRAME_MAX);
    buf_init(&g->text, sizeof(((struct cmd *)0)->u.call_result.payload));
    arena_init(&g->arena, 64 << 10);
    *out = g;
    return 0;
}

void ykc_gate_free(struct ykc_gate *g)
{
    if (g == NULL)
        return;
    slab_free(&g->conns);
    slab_free(&g->piles);
    slab_free(&g->waits);
    slab_free(&g->calls);
    slab_free(&g->pair_slab);
    map_free(&g->orphans);
    buf_free(&g->backlog);
    buf_free(&g->body);
    buf_free(&g->out);
    buf_free(&g->text);
    arena_free(&g->arena);
    free(g);
}

int ykc_gate_listen(struct ykc_gate *g, const struct net_listen *where, uint16_t *port)
{
    struct net_listen l = *where;

    l.kind = NET_RAW_SERVER;
    l.handler = &ykc_handler;
    l.ctx = g;
    l.first_ms = YKC_LOGIN_MS;
    l.silence_ms = YKC_SILENCE_MS;
    l.max_message = YKC_GARBAGE_MAX + FRAME_MAX;
    return net_listen(g->cfg.net, &l, port);
}

void ykc_gate_turn(struct ykc_gate *g)
{
    backlog_retry(g);
}

void ykc_gate_stats(const struct ykc_gate *g, struct gate_stats *out)
{
    *out = g->stats;
}
