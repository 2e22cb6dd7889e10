// SPDX-License-Identifier: Apache-2.0
/* dial.c: outgoing connections, see reactor.h: the simulator, the load generator, tests.
 *
 * Data: none; outgoing connections of one handler share an endpoint. Invariants: 1. what goes wrong
 * in this process (arguments, descriptors) is an error of net_dial; what goes wrong out there comes
 * as on_close with NET_END_CONNECT. Thread: the reactor's. */
#include "io/net/reactor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"
#include "io/os/crypto.h"

/* The endpoint for this handler; ERR_FULL when too many different ones are in use. */
static int dial_endpoint(struct net *n, const struct net_dial *d)
{
    struct endpoint *e;

    for (uint32_t i = 0; i < n->ends_n; i++) {
        e = &n->ends[i];
        if (!e->listens && e->handler == d->handler && e->ctx == d->ctx && e->kind == d->kind)
            return (int)i;
    }
    if (n->ends_n == NET_ENDPOINT_MAX)
        return ERR_FULL;
    e = &n->ends[n->ends_n];
    *e = (struct endpoint){.handler = d->handler, .ctx = d->ctx, .kind = d->kind, .fd = -1};
    e->max_message = n->cfg.max_message;
    e->silence_ticks = n->cfg.silence_ms / NET_TICK_MS;
    e->ping_ticks = e->silence_ticks; /* the server pings */
    if (d->kind == NET_RAW_CLIENT)
        e->silence_ticks = e->ping_ticks =
            UINT32_MAX / 4; /* raw protocols have no ping; the owner has a timer */
    return (int)n->ends_n++;
}

static int dial_socket(const struct net_dial *d, struct sockaddr_storage *to, socklen_t *to_n)
{
    struct sockaddr_storage from;
    socklen_t from_n;
    int err = addr_parse(d->host, d->port, to, to_n);
    int fd, on = 1;

    if (err != 0)
        return err;
    fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? ERR_FULL : ERR_IO;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (d->source != NULL) {
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        err = addr_parse(d->source, 0, &from, &from_n);
        if (err == 0 && bind(fd, (struct sockaddr *)&from, from_n) != 0)
            err = ERR_IO;
    }
    if (err != 0) {
        close(fd);
        return err;
    }
    return fd;
}

static void put_basic_auth(struct buf *b, const struct net_dial *d)
{
    char joined[HTTP_AUTH_MAX], text[4 * ((HTTP_AUTH_MAX + 2) / 3) + 1];
    size_t user_n = strlen(d->auth_user);
    size_t n = user_n + 1 + d->auth_password.n;

    if (n > sizeof(joined)) {
        b->err = ERR_TOO_LARGE;
        return;
    }
    memcpy(joined, d->auth_user, user_n);
    joined[user_n] = ':';
    if (d->auth_password.n != 0)
        memcpy(joined + user_n + 1, d->auth_password.p, d->auth_password.n);
    buf_printf(b, "Authorization: Basic %.*s\r\n", (int)base64_encode(joined, n, text), text);
    crypto_wipe(joined, sizeof(joined));
}

/* Queues the upgrade request and remembers which accept value must come back. */
static int dial_request(struct net *n, struct conn *c, const struct net_dial *d)
{
    uint8_t nonce[16];
    char key[28];
    struct buf b;
    int err = conn_in_reserve(c, 0);

    if (err != 0)
        return err;
    os_random(nonce, sizeof(nonce));
    key[base64_encode(nonce, sizeof(nonce), key)] = '\0';
    ws_accept_key(str_from_c(key), c->in->accept);
    buf_init(&b, HTTP_HEAD_MAX);
    buf_printf(&b,
               "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
               d->path, d->host, d->port, key);
    if (d->protocols != NULL)
        buf_printf(&b, "Sec-WebSocket-Protocol: %s\r\n", d->protocols);
    if (d->auth_user != NULL)
        put_basic_auth(&b, d);
    buf_put_c(&b, "\r\n");
    err = b.err != 0 ? b.err : conn_put(n, c, b.p, b.n);
    buf_free(&b);
    return err;
}

int net_dial(struct net *n, const struct net_dial *d, struct net_conn *out)
{
    struct sockaddr_storage to;
    socklen_t to_n;
    struct conn *c;
    int end = dial_endpoint(n, d);
    int fd = end < 0 ? end : dial_socket(d, &to, &to_n);
    int err = 0;

    *out = NET_CONN_NONE;
    if (fd < 0)
        return fd;
    c = n->draining ? NULL : conn_new(n, fd, (uint8_t)end, false, out);
    if (c == NULL) {
        close(fd);
        return ERR_FULL;
    }
    c->user = d->user;
    n->stats.dialled++;
    if (d->kind == NET_WS_CLIENT)
        err = dial_request(n, c, d);
    if (err != 0) { /* the owner never hears of it */
        conn_kill(n, c, NET_END_LOCAL, 0);
        *out = NET_CONN_NONE;
        return err;
    }
    c->flags |= CONN_KNOWN;
    if (connect(fd, (struct sockaddr *)&to, to_n) != 0 && errno != EINPROGRESS)
        conn_kill(n, c, NET_END_CONNECT, 0);
    conn_mark(n, c);
    return 0;
}

void dial_connected(struct net *n, struct conn *c, struct net_conn name)
{
    const struct endpoint *e = conn_end_of(n, c);
    int fault = 0;
    socklen_t len = sizeof(fault);

    must(getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &fault, &len) == 0);
    if (fault != 0) {
        conn_kill(n, c, NET_END_CONNECT, 0);
        return;
    }
    if (e->kind == NET_WS_CLIENT) {
        c->state = CONN_HANDSHAKE;
        return;
    }
    c->state = CONN_OPEN;
    c->heard_tick = n->tick;
    if (e->handler->on_open != NULL)
        e->handler->on_open(e->ctx, name);
}
