// SPDX-License-Identifier: Apache-2.0
/* peer.c: a simulated charger on the network: dials when its model wants a link, lets it speak after
 * anything that happened, and keeps its one timer. Owns nothing; see peer.h. Fails: it only counts; a
 * platform that goes away is dialled again for ever. */
#include "sim/peer.h"

#include "base/err.h"
#include "sim/ocpp_peer.h"
#include "sim/options.h"
#include "sim/ykc_peer.h"

#include <stdio.h>

enum {
    REDIAL_MIN_MS = 1000, /* real */
    REDIAL_MAX_MS = 5000,
    PER_SOURCE = 20000, /* connections from one loopback address: it has 28,000 ports */
};

/* ---- what the faces use ---- */

int64_t peer_real_ms(const struct sim *s, int64_t ms)
{
    return ms * s->speed;
}

void peer_send(struct sim *s, struct peer *p)
{
    s->stats.sent++;
    if (!s->out.err && net_send(s->net, p->conn, buf_str(&s->out)))
        s->stats.errors++; /* the end of the connection will be told, the event stays */
    buf_reset(&s->out);
}

void peer_count_stop(struct sim *s, const struct peer *p, unsigned gun)
{
    s->stats.stops++;
    *(p->model.guns[gun].gives ? &s->stats.given_mwh : &s->stats.energy_mwh) +=
        model_energy_mwh(&p->model, gun);
}

/* ---- one peer ---- */

static const struct net_handler ws_handler, raw_handler;

static void dial(struct sim *s, struct peer *p)
{
    const struct sim_options *o = s->opt;
    const bool ocpp = p->protocol == PEER_OCPP;
    char path[sizeof o->ocpp_path + sizeof p->id], source[32];
    uint64_t i = (uint64_t)(p - s->peers);
    const char *host = ocpp ? o->ocpp_host : o->ykc_host;
    snprintf(path, sizeof path, "%s%s", o->ocpp_path, p->id);
    snprintf(source, sizeof source, "127.0.1.%u", 1 + (unsigned)(i / PER_SOURCE) % 250);
    bool spread = s->n > PER_SOURCE && strncmp(host, "127.", 4) == 0;
    struct net_dial d = {
        .host = host,
        .port = ocpp ? o->ocpp_port : o->ykc_port,
        .source = spread ? source : NULL,
        .kind = ocpp ? NET_WS_CLIENT : NET_RAW_CLIENT,
        .handler = ocpp ? &ws_handler : &raw_handler,
        .ctx = s,
        .user = i,
        .path = ocpp ? path : NULL,
        .protocols = ocpp ? "ocpp1.6" : NULL,
        .auth_user = p->password.n ? p->id : NULL,
        .auth_password = p->password,
    };
    s->stats.dialled++;
    int err = net_dial(s->net, &d, &p->conn);
    p->dial_ms = err ? s->now_ms + peer_real_ms(s, REDIAL_MAX_MS) : PEER_NEVER;
}

/* Brings the connection in line with what the model wants. */
static void follow_link(struct sim *s, struct peer *p)
{
    if (p->open && !p->model.link_wanted) {
        p->open = false;
        model_link(&p->model, false, s->now_ms);
        if (p->model.boot_due)
            net_close(s->net, p->conn, WS_NORMAL); /* a reset: what was said still goes out */
        else
            net_abort(s->net, p->conn);
    }
    if (p->model.link_wanted && s->now_ms >= p->dial_ms)
        dial(s, p);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void peer_settle(struct sim *s, struct peer *p)
{
    const bool ocpp = p->protocol == PEER_OCPP;
    arena_reset(&s->arena);
    model_advance(&p->model, s->now_ms);
    follow_link(s, p);
    if (ocpp)
        ocpp_peer_pump(s, p);
    else
        ykc_peer_pump(s, p);
    int64_t next = model_next_ms(&p->model);
    if (p->model.link_wanted)
        next = least(next, p->dial_ms);
    next = least(next, ocpp ? ocpp_peer_next_ms(p) : ykc_peer_next_ms(p));
    /* Never at once again: whatever is due now had its chance in this turn. */
    if (next <= s->now_ms)
        next = s->now_ms + 1;
    if (next == PEER_NEVER)
        heap_cancel(&s->heap, &p->timer);
    else if (heap_set(&s->heap, &p->timer, next))
        s->stats.errors++;
}

static struct peer *peer_of(struct sim *s, struct net_conn c)
{
    struct peer *p = &s->peers[net_user(s->net, c)];
    bool same = p->conn.slot == c.slot && p->conn.gen == c.gen;
    return same ? p : NULL;
}

static void on_open(void *ctx, struct net_conn c)
{
    struct sim *s = ctx;
    struct peer *p = peer_of(s, c);
    if (!p)
        return;
    p->open = true;
    s->up++;
    if (p->protocol == PEER_OCPP)
        ocpp_peer_open(s, p);
    else
        ykc_peer_open(s, p);
    model_link(&p->model, true, s->now_ms);
    peer_settle(s, p);
}

static void on_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    struct sim *s = ctx;
    struct peer *p = peer_of(s, c);
    if (!p || !p->open || binary)
        return;
    ocpp_peer_message(s, p, msg);
    peer_settle(s, p);
}

static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    struct sim *s = ctx;
    struct peer *p = peer_of(s, c);
    if (!p || !p->open)
        return (ptrdiff_t)bytes.n;
    size_t used = ykc_peer_bytes(s, p, bytes);
    peer_settle(s, p);
    return (ptrdiff_t)used;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct sim *s = ctx;
    struct peer *p = peer_of(s, c);
    (void)code;
    if (!p)
        return;
    s->stats.refused += why == NET_END_CONNECT;
    s->stats.lost += why != NET_END_CONNECT && why != NET_END_LOCAL;
    if (why != NET_END_CONNECT)
        s->up--;
    if (p->open)
        model_link(&p->model, false, s->now_ms);
    p->open = false;
    p->conn = NET_CONN_NONE;
    p->dial_ms =
        s->now_ms + peer_real_ms(s, rng_range(&p->model.rng, REDIAL_MIN_MS, REDIAL_MAX_MS));
    peer_settle(s, p);
}

static const struct net_handler ws_handler = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};
static const struct net_handler raw_handler = {
    .on_open = on_open, .on_raw = on_raw, .on_close = on_close};
