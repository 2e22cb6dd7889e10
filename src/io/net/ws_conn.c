// SPDX-License-Identifier: Apache-2.0
/* ws_conn.c: the WebSocket protocol on a connection, see reactor.h.
 *
 * Data: nothing of its own; the view of input and the record of the connection.
 *
 * Invariants:
 *  1. on_message sees whole messages only, and text only when it is valid UTF-8.
 *  2. After a rule was broken nothing more of the input is looked at.
 *  3. Frames are handled in order; a pause takes effect between two frames.
 *  4. Extensions are never agreed to, so reserved bits are errors.
 *
 * Thread: the reactor's. Failure: the connection ends with the close code that names the rule, or
 * with an HTTP status before the upgrade. */
#include "io/net/reactor.h"

#include <stdlib.h>
#include "base/must.h"

int ws_conn_send(struct net *n, struct conn *c, enum ws_opcode op, struct str payload)
{
    bool masked = conn_end_of(n, c)->kind == NET_WS_CLIENT;
    uint64_t random = masked ? rng_next(&n->rng) : 0;
    uint8_t mask[4], head[WS_HEAD_MAX];
    size_t size;
    int err;

    memcpy(mask, &random, sizeof(mask));
    size = ws_head_write(head, op, payload.n, masked ? mask : NULL);
    err = conn_put(n, c, head, size);
    if (err == 0)
        err = conn_put(n, c, payload.p, payload.n);
    if (err == 0 && masked && payload.n != 0)
        ws_mask(c->out->p + c->out->n - payload.n, payload.n, mask, 0);
    return err;
}

void ws_conn_refuse(struct net *n, struct conn *c, enum net_why why, int http_status)
{
    struct buf answer;
    int err;

    n->stats.refused++;
    buf_init(&answer, 1024);
    http_put_refusal(&answer, http_status);
    must(answer.err == 0);
    err = conn_put(n, c, answer.p, answer.n);
    buf_free(&answer);
    if (err == 0)
        conn_finish(n, c, why, (uint16_t)http_status);
}

void ws_conn_close(struct net *n, struct conn *c, enum net_why why, uint16_t code)
{
    char payload[2] = {(char)(code >> 8), (char)(code & 0xff)};
    size_t size = ws_code_valid(code) ? sizeof(payload) : 0;

    if (c->state == CONN_OPEN) {
        if (ws_conn_send(n, c, WS_CLOSE, str_from(payload, size)) == 0)
            conn_finish(n, c, why, code);
    } else if (conn_end_of(n, c)->kind == NET_WS_SERVER && c->state < CONN_CLOSING) {
        ws_conn_refuse(n, c, why, 503);
    } else {
        conn_kill(n, c, why, code);
    }
}

/* ---- the handshake ---- */

static void ws_ask_owner(struct net *n, struct conn *c, struct net_conn name,
                         const struct http_upgrade *http)
{
    const struct endpoint *e = conn_end_of(n, c);
    struct net_upgrade u = {.http = http};
    uint8_t addr[16];
    bool proxied;

    if (!conn_peer(n, c, addr)) {
        conn_kill(n, c, NET_END_PEER, WS_ABNORMAL);
        return;
    }
    proxied = addr_client(n, addr, http->forwarded_for, u.peer);
    u.secure = c->tls != NULL || (proxied && (str_eq_c(http->forwarded_proto, "https") ||
                                              str_eq_c(http->forwarded_proto, "wss")));
    c->state = CONN_ASKED;
    c->heard_tick = n->tick;
    c->flags |= CONN_KNOWN;
    e->handler->on_upgrade(e->ctx, name, &u);
}

/* The request head: waits, refuses, or asks the owner. */
static void ws_request(struct net *n, struct conn *c, struct net_conn name, struct view *v)
{
    struct str bytes = str_from((const char *)v->p + v->at, v->n - v->at);
    size_t head = http_head_end(bytes);
    struct http_upgrade u;
    int err;

    if (bytes.n > 0 && (bytes.p[0] < 'A' || bytes.p[0] > 'Z')) {
        ws_conn_refuse(n, c, NET_END_PROTOCOL, 400); /* no HTTP at all, e.g. TLS on a plain port */
        return;
    }
    if (head > HTTP_HEAD_MAX || (head == 0 && bytes.n >= HTTP_HEAD_MAX)) {
        ws_conn_refuse(n, c, NET_END_PROTOCOL, 431);
        return;
    }
    if (head == 0)
        return;
    err = http_upgrade_parse(str_from(bytes.p, head), &u);
    if (err != 0) {
        ws_conn_refuse(n, c, NET_END_PROTOCOL, -err);
        return;
    }
    if (c->in == NULL && conn_in_reserve(c, 0) != 0) {
        conn_kill(n, c, NET_END_LOCAL, WS_INTERNAL);
        return;
    }
    ws_accept_key(u.key, c->in->accept);
    v->at += (uint32_t)head;
    ws_ask_owner(n, c, name, &u);
}

/* The server's answer to our own request. */
static void ws_answer(struct net *n, struct conn *c, struct net_conn name, struct view *v)
{
    const struct endpoint *e = conn_end_of(n, c);
    struct str bytes = str_from((const char *)v->p + v->at, v->n - v->at);
    size_t head = http_head_end(bytes);
    struct str protocol;
    int status = 0;

    if (head == 0 && bytes.n < HTTP_HEAD_MAX)
        return;
    if (head == 0 ||
        http_answer_parse(str_from(bytes.p, head), c->in->accept, &status, &protocol) != 0) {
        conn_kill(n, c, NET_END_CONNECT, (uint16_t)status);
        return;
    }
    v->at += (uint32_t)head;
    c->state = CONN_OPEN;
    c->heard_tick = n->tick;
    if (e->handler->on_open != NULL)
        e->handler->on_open(e->ctx, name);
}

int net_accept(struct net *n, struct net_conn name, struct str protocol)
{
    struct conn *c = conn_find(n, name);
    int err = 0;

    if (c == NULL || c->state != CONN_ASKED)
        return ERR_CLOSED;
    const struct str parts[] = {
        STR_LIT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Accept: "),
        str_from_c(c->in->accept),
        protocol.n != 0 ? STR_LIT("\r\nSec-WebSocket-Protocol: ") : STR_NONE,
        protocol,
        STR_LIT("\r\n\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(parts) && err == 0; i++)
        err = conn_put(n, c, parts[i].p, parts[i].n);
    if (err != 0)
        return err;
    c->state = CONN_OPEN;
    c->heard_tick = n->tick;
    c->flags |= CONN_REWORK;
    return 0;
}

int net_refuse(struct net *n, struct net_conn name, int http_status)
{
    struct conn *c = conn_find(n, name);

    if (c == NULL || c->state != CONN_ASKED)
        return ERR_CLOSED;
    ws_conn_refuse(n, c, NET_END_LOCAL, http_status);
    return 0;
}

/* ---- frames ---- */

static void ws_deliver(struct net *n, struct conn *c, struct net_conn name, struct str msg,
                       uint8_t op)
{
    const struct endpoint *e = conn_end_of(n, c);

    if (op == WS_TEXT && !str_utf8_valid(msg)) {
        ws_conn_close(n, c, NET_END_PROTOCOL, WS_BAD_DATA);
        return;
    }
    n->stats.in_msgs++;
    if (e->handler->on_message != NULL)
        e->handler->on_message(e->ctx, name, msg, op == WS_BINARY);
}

/* A whole data frame. Fragments gather at the front of the view: they only ever move towards it. */
static void ws_data(struct net *n, struct conn *c, struct net_conn name, struct view *v,
                    const struct ws_head *h, const uint8_t *payload)
{
    size_t len = (size_t)h->len;

    if (h->fin && !v->fragmented) {
        ws_deliver(n, c, name, str_from((const char *)payload, len), h->opcode);
        return;
    }
    if (!v->fragmented)
        v->op = h->opcode;
    v->fragmented = !h->fin;
    memmove(v->p + v->msg, payload, len);
    v->msg += (uint32_t)len;
    if (h->fin) {
        len = v->msg;
        v->msg = 0;
        ws_deliver(n, c, name, str_from((const char *)v->p, len), v->op);
    }
}

static void ws_peer_close(struct net *n, struct conn *c, struct str payload)
{
    uint16_t code = WS_NO_CODE;

    if (payload.n == 1) {
        ws_conn_close(n, c, NET_END_PROTOCOL, WS_PROTOCOL);
        return;
    }
    if (payload.n >= 2) {
        code = (uint16_t)((uint8_t)payload.p[0] << 8 | (uint8_t)payload.p[1]);
        if (!ws_code_valid(code)) {
            ws_conn_close(n, c, NET_END_PROTOCOL, WS_PROTOCOL);
            return;
        }
        if (!str_utf8_valid(str_from(payload.p + 2, payload.n - 2))) {
            ws_conn_close(n, c, NET_END_PROTOCOL, WS_BAD_DATA);
            return;
        }
    }
    ws_conn_close(n, c, NET_END_PEER, code);
}

static void ws_control(struct net *n, struct conn *c, uint8_t op, struct str payload)
{
    if (op == WS_CLOSE) {
        ws_peer_close(n, c, payload);
    } else if (op == WS_PING && ws_conn_send(n, c, WS_PONG, payload) != 0) {
        return; /* it pings and does not read: already being dropped */
    }
}

/* The close code a data frame deserves at this point of the message, or 0. */
static uint16_t ws_data_fault(const struct endpoint *e, const struct view *v,
                              const struct ws_head *h)
{
    if (h->opcode >= WS_CLOSE)
        return 0;
    if ((h->opcode == WS_CONT) != v->fragmented)
        return WS_PROTOCOL;
    return h->len > e->max_message || v->msg + h->len > e->max_message ? WS_TOO_BIG : 0;
}

/* One frame; false when the input holds no whole one or the connection is ending. */
static bool ws_frame(struct net *n, struct conn *c, struct net_conn name, struct view *v)
{
    const struct endpoint *e = conn_end_of(n, c);
    struct ws_head h;
    uint8_t *payload;
    int got = ws_head_read(v->p + v->at, v->n - v->at, e->kind == NET_WS_SERVER, &h);
    uint16_t fault;

    if (got == 0)
        return false;
    fault = got < 0 ? (uint16_t)-got : ws_data_fault(e, v, &h);
    if (fault != 0) {
        ws_conn_close(n, c, NET_END_PROTOCOL, fault);
        return false;
    }
    if (v->n - v->at - h.size < h.len)
        return false;
    payload = v->p + v->at + h.size;
    if (h.masked)
        ws_mask(payload, (size_t)h.len, h.mask, 0);
    v->at += (uint32_t)(h.size + h.len);
    if (h.opcode >= WS_CLOSE)
        ws_control(n, c, h.opcode, str_from((const char *)payload, (size_t)h.len));
    else
        ws_data(n, c, name, v, &h, payload);
    return true;
}

void ws_conn_input(struct net *n, struct conn *c, struct net_conn name, struct view *v)
{
    if (c->state == CONN_HANDSHAKE && conn_end_of(n, c)->kind == NET_WS_SERVER)
        ws_request(n, c, name, v);
    else if (c->state == CONN_HANDSHAKE)
        ws_answer(n, c, name, v);
    while (c->state == CONN_OPEN && (c->flags & CONN_PAUSED) == 0 && ws_frame(n, c, name, v))
        ;
}
