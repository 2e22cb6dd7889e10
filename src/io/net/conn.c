// SPDX-License-Identifier: Apache-2.0
/* conn.c: one connection of the reactor, see reactor.h.
 *
 * Data: the record in the slab, its socket, and while bytes are pending its input and output
 * buffers.
 *
 * Invariants:
 *  1. A record is freed only in conn_settle, between two events, so pointers hold during one.
 *  2. The owner hears on_close exactly once if it ever heard of the connection (CONN_KNOWN), and
 *     nothing afterwards.
 *  3. Input buffers hold less than one message more than a single read; output buffers never more
 *     than max_out.
 *  4. epoll watches exactly what conn_watch computes from the state.
 *  5. epoll tells of a change once (EPOLLET): a level would be polled a second time after each
 *     message, on a socket that is cold by then. So whatever may be left after a read, a full
 *     buffer or the peer's end behind its last bytes, is CONN_MORE, and conn_watch asks anew. A
 *     change of what is watched asks anew by itself. (A read that stops short at urgent data,
 *     which no charger sends, waits for the peer's next bytes.)
 *
 * Thread: the reactor's. Failure: a socket error, a full output buffer or no memory for it ends
 * this connection and no other. */
#include "io/net/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/must.h"
#include "io/net/tls.h"

/* ---- records and names ---- */

struct conn *conn_at(const struct net *n, uint32_t slot)
{
    return slab_at(&n->conns, slot);
}

struct net_conn conn_name(const struct net *n, const struct conn *c)
{
    return (struct net_conn){n->cfg.node, n->cfg.reactor, c->slot, c->gen};
}

struct conn *conn_find(const struct net *n, struct net_conn c)
{
    struct conn *found;

    if (c.node != n->cfg.node || c.reactor != n->cfg.reactor || c.gen == 0)
        return NULL;
    found = slab_find(&n->conns, (struct slab_ref){c.slot, c.gen});
    return found != NULL && (found->flags & CONN_REPORTED) == 0 ? found : NULL;
}

const struct endpoint *conn_end_of(const struct net *n, const struct conn *c)
{
    return &n->ends[c->endpoint];
}

static bool conn_is_ws(const struct net *n, const struct conn *c)
{
    enum net_kind kind = conn_end_of(n, c)->kind;

    return kind == NET_WS_SERVER || kind == NET_WS_CLIENT;
}

/* A socket that is not connected yet counts as hung up: it is watched only after its connect. */
struct conn *conn_new(struct net *n, int fd, uint8_t endpoint, bool connected,
                      struct net_conn *name)
{
    struct slab_ref ref;
    struct conn *c = slab_get(&n->conns, &ref);
    struct epoll_event ev = {.events = connected ? EPOLLIN | EPOLLRDHUP | EPOLLET : 0};

    if (c == NULL)
        return NULL;
    c->fd = fd;
    c->gen = ref.gen;
    c->slot = ref.index;
    c->endpoint = endpoint;
    c->heard_tick = n->tick;
    c->flags = connected ? CONN_EV_IN : 0;
    ev.data.u64 = (uint64_t)ref.gen << 32 | ref.index;
    if (epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
        slab_put(&n->conns, ref);
        return NULL;
    }
    n->stats.live++;
    if (n->stats.live > n->stats.live_max)
        n->stats.live_max = n->stats.live;
    *name = conn_name(n, c);
    return c;
}

void conn_peer_note(struct net *n, const struct conn *c, const struct sockaddr_storage *peer)
{
    struct lately *l = &n->lately[c->slot % NET_LATELY];

    l->slot = c->slot;
    l->gen = c->gen;
    addr_bytes(peer, l->addr);
}

bool conn_peer(const struct net *n, const struct conn *c, uint8_t out[16])
{
    const struct lately *l = &n->lately[c->slot % NET_LATELY];
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);

    if (l->slot == c->slot && l->gen == c->gen) {
        memcpy(out, l->addr, 16);
        return true;
    }
    if (getpeername(c->fd, (struct sockaddr *)&addr, &len) != 0)
        return false;
    addr_bytes(&addr, out);
    return true;
}

static void conn_drop_buffers(struct conn *c)
{
    free(c->in);
    free(c->out);
    c->in = NULL;
    c->out = NULL;
}

static void conn_free(struct net *n, struct conn *c)
{
    wheel_remove(n, c);
    conn_drop_buffers(c);
    tls_conn_free(c->tls);
    close(c->fd);
    n->stats.live--;
    n->stats.closed++;
    slab_put(&n->conns, (struct slab_ref){c->slot, c->gen});
}

void conn_free_all(struct net *n)
{
    for (uint32_t i = 0; i < n->conns.len; i++) {
        struct conn *c = conn_at(n, i);

        if (c != NULL)
            conn_free(n, c);
    }
}

void conn_mark(struct net *n, struct conn *c)
{
    if ((c->flags & CONN_DIRTY) != 0)
        return;
    c->flags |= CONN_DIRTY;
    c->dirty_next = n->dirty;
    n->dirty = c->slot + 1;
}

/* ---- epoll ---- */

static uint16_t conn_wants(const struct conn *c)
{
    uint16_t want = 0;

    if (c->out != NULL || (c->flags & CONN_TLS_OUT) != 0 || c->state == CONN_CONNECTING)
        want |= CONN_EV_OUT;
    if (c->state != CONN_CONNECTING && (c->state != CONN_OPEN || (c->flags & CONN_PAUSED) == 0))
        want |= CONN_EV_IN;
    return want;
}

static void conn_watch(struct net *n, struct conn *c)
{
    const uint16_t all = CONN_EV_IN | CONN_EV_OUT;
    uint16_t want = conn_wants(c);
    struct epoll_event ev = {.events = 0};

    if ((c->flags & CONN_LATER) != 0 && c->state != CONN_ASKED)
        c->flags = (uint16_t)((c->flags & ~CONN_LATER) | CONN_MORE);
    if ((c->flags & (all | CONN_MORE)) == want)
        return;
    c->flags = (uint16_t)((c->flags & ~(all | CONN_MORE)) | want);
    ev.events = EPOLLET | ((want & CONN_EV_IN) != 0 ? EPOLLIN | EPOLLRDHUP : 0u) |
                ((want & CONN_EV_OUT) != 0 ? EPOLLOUT : 0u);
    ev.data.u64 = (uint64_t)c->gen << 32 | c->slot;
    must(epoll_ctl(n->epoll, EPOLL_CTL_MOD, c->fd, &ev) == 0);
}

/* ---- ending ---- */

void conn_kill(struct net *n, struct conn *c, enum net_why why, uint16_t code)
{
    if (c->state == CONN_DEAD)
        return;
    if (c->state < CONN_CLOSING) {
        c->why = (uint8_t)why;
        c->code = code;
    }
    c->state = CONN_DEAD;
    conn_mark(n, c);
}

void conn_finish(struct net *n, struct conn *c, enum net_why why, uint16_t code)
{
    if (c->state >= CONN_CLOSING)
        return;
    c->why = (uint8_t)why;
    c->code = code;
    c->state = CONN_CLOSING;
    c->heard_tick = n->tick;
    conn_mark(n, c);
}

static void conn_report(struct net *n, struct conn *c)
{
    const struct endpoint *e = conn_end_of(n, c);

    if ((c->flags & CONN_REPORTED) != 0)
        return;
    n->stats.ends[c->why]++;
    if ((c->flags & CONN_KNOWN) != 0 && e->handler->on_close != NULL)
        e->handler->on_close(e->ctx, conn_name(n, c), (enum net_why)c->why, c->code);
    c->flags |= CONN_REPORTED;
}

/* ---- output ---- */

static int conn_out_reserve(struct conn *c, size_t n, size_t cap)
{
    size_t have = c->out != NULL ? c->out->n : 0;
    size_t waiting = c->out != NULL ? have - c->out->at : 0;
    size_t size = c->out != NULL ? c->out->size : 256;
    struct conn_out *out;

    if (waiting + n > cap)
        return ERR_FULL;
    if (c->out != NULL && have + n <= size)
        return 0;
    if (c->out != NULL && c->out->at > 0) { /* first win back what was sent */
        memmove(c->out->p, c->out->p + c->out->at, waiting);
        c->out->n = (uint32_t)waiting;
        c->out->at = 0;
    }
    while (size < waiting + n)
        size *= 2;
    out = realloc(c->out, sizeof(*out) + size);
    if (out == NULL)
        return ERR_FULL;
    if (c->out == NULL)
        out->n = out->at = 0;
    out->size = (uint32_t)size;
    c->out = out;
    return 0;
}

int conn_put(struct net *n, struct conn *c, const void *p, size_t len)
{
    if (c->state >= CONN_CLOSING)
        return ERR_CLOSED;
    if (conn_out_reserve(c, len, n->cfg.max_out) != 0) {
        conn_kill(n, c, NET_END_SLOW, WS_POLICY);
        return ERR_FULL;
    }
    if (len != 0)
        memcpy(c->out->p + c->out->n, p, len);
    c->out->n += (uint32_t)len;
    conn_mark(n, c);
    return 0;
}

static ptrdiff_t conn_send_some(struct conn *c, const uint8_t *p, size_t len)
{
    bool want_write;
    ssize_t done;

    if (c->tls != NULL)
        return tls_write(c->tls, p, len, &want_write);
    do {
        done = send(c->fd, p, len, MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    if (done >= 0)
        return done;
    return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_AGAIN : ERR_IO;
}

/* Frees the buffer when it is empty. */
void conn_sent(struct net *n, struct conn *c, ptrdiff_t done)
{
    if (done == ERR_AGAIN)
        return;
    if (done < 0) {
        conn_kill(n, c, NET_END_PEER, WS_ABNORMAL);
        return;
    }
    n->stats.out_bytes += (uint64_t)done;
    c->out->at += (uint32_t)done;
    if (c->out->at == c->out->n) {
        free(c->out);
        c->out = NULL;
    }
}

/* Sends what the socket takes. */
static void conn_flush(struct net *n, struct conn *c)
{
    ptrdiff_t done = 0;

    while (c->out != NULL && done >= 0) {
        done = conn_send_some(c, c->out->p + c->out->at, c->out->n - c->out->at);
        conn_sent(n, c, done);
    }
}

bool conn_writes_plain(const struct conn *c)
{
    return c->state == CONN_OPEN && c->tls == NULL && c->out != NULL &&
           (c->flags & CONN_EV_OUT) == 0;
}

/* ---- input ---- */

int conn_in_reserve(struct conn *c, size_t n)
{
    size_t have = c->in != NULL ? c->in->n : 0;
    size_t size = c->in != NULL ? c->in->size : 0;
    struct conn_in *in;

    if (c->in != NULL && have + n <= size)
        return 0;
    if (size == 0)
        size = n < 64 ? 64 : n;
    while (size < have + n)
        size *= 2;
    in = realloc(c->in, sizeof(*in) + size);
    if (in == NULL)
        return ERR_NOMEM;
    if (c->in == NULL)
        memset(in, 0, sizeof(*in));
    in->size = (uint32_t)size;
    c->in = in;
    return 0;
}

static bool conn_reading(const struct conn *c)
{
    if (c->state == CONN_HANDSHAKE)
        return true;
    return c->state == CONN_OPEN && (c->flags & CONN_PAUSED) == 0;
}

static void raw_input(struct net *n, struct conn *c, struct net_conn name, struct view *v)
{
    const struct endpoint *e = conn_end_of(n, c);
    ptrdiff_t used;

    if (e->handler->on_raw == NULL) {
        v->at = v->n;
        return;
    }
    used = e->handler->on_raw(e->ctx, name, str_from((const char *)v->p + v->at, v->n - v->at));
    if (used < 0) {
        conn_finish(n, c, NET_END_PROTOCOL, WS_PROTOCOL);
        return;
    }
    must((uint32_t)used <= v->n - v->at);
    v->at += (uint32_t)used;
    n->stats.in_msgs++;
    if (used > 0 && (c->flags & CONN_FIRST) == 0) {
        c->flags |= CONN_FIRST;
        c->heard_tick = n->tick;
    }
    if (v->n - v->at > e->max_message)
        conn_finish(n, c, NET_END_PROTOCOL, WS_TOO_BIG);
}

/* Keeps what the view still holds in conn_in, or frees that when nothing is left. */
static void conn_keep(struct net *n, struct conn *c, struct view *v)
{
    uint32_t rest = v->n - v->at, left = v->msg + rest;

    if (c->state >= CONN_CLOSING)
        return;
    if (rest > 0 && v->at > v->msg)
        memmove(v->p + v->msg, v->p + v->at, rest);
    if (c->in == NULL || v->p != c->in->p) { /* the view is the scratch buffer */
        bool needed = left > 0 || v->fragmented;

        if (needed && conn_in_reserve(c, left) != 0) {
            conn_kill(n, c, NET_END_LOCAL, WS_INTERNAL);
            return;
        }
        if (left > 0)
            memcpy(c->in->p, v->p, left);
    }
    if (c->in == NULL)
        return;
    c->in->n = left;
    c->in->msg = v->msg;
    c->in->op = v->op;
    c->in->fragmented = v->fragmented;
    if (left == 0 && !v->fragmented && c->state == CONN_OPEN) {
        free(c->in);
        c->in = NULL;
    }
}

static void conn_digest(struct net *n, struct conn *c, struct view *v)
{
    struct net_conn name = conn_name(n, c);

    if (conn_is_ws(n, c))
        ws_conn_input(n, c, name, v);
    else
        raw_input(n, c, name, v);
    conn_keep(n, c, v);
}

/* Looks again at buffered input (after a pause, after the answer to an upgrade). */
static void conn_rework(struct net *n, struct conn *c)
{
    struct view v;

    c->flags &= (uint16_t)~CONN_REWORK;
    if (c->in == NULL || !conn_reading(c))
        return;
    v = (struct view){c->in->p, c->in->n, c->in->msg, c->in->msg, c->in->op, c->in->fragmented};
    if (v.n > v.at || c->state == CONN_OPEN)
        conn_digest(n, c, &v);
}

/* One that was paused since they were read keeps them until it is resumed. */
static void conn_take_bytes(struct net *n, struct conn *c, uint8_t *p, size_t got)
{
    struct view v = {p, (uint32_t)got, 0, 0, 0, false};

    n->stats.in_bytes += got;
    c->flags &= (uint16_t)~CONN_PINGED;
    if (c->state == CONN_OPEN &&
        (conn_end_of(n, c)->kind != NET_RAW_SERVER || (c->flags & CONN_FIRST) != 0))
        c->heard_tick = n->tick;
    if (c->in != NULL || !conn_reading(c)) {
        if (conn_in_reserve(c, got) != 0) {
            conn_kill(n, c, NET_END_LOCAL, WS_INTERNAL);
            return;
        }
        memcpy(c->in->p + c->in->n, p, got);
        c->in->n += (uint32_t)got;
        v = (struct view){c->in->p, c->in->n, c->in->msg, c->in->msg, c->in->op, c->in->fragmented};
    }
    if (conn_reading(c))
        conn_digest(n, c, &v);
}

static ptrdiff_t conn_recv_tls(struct net *n, struct conn *c)
{
    size_t have = 0;
    bool want_write = false;
    ptrdiff_t got;

    do {
        got = tls_read(c->tls, n->scratch + have, sizeof(n->scratch) - have, &want_write);
        if (got > 0)
            have += (size_t)got;
    } while (got > 0 && have < sizeof(n->scratch));
    c->flags &= (uint16_t)~CONN_TLS_OUT;
    if (want_write)
        c->flags |= CONN_TLS_OUT;
    return have > 0 ? (ptrdiff_t)have : got;
}

static ptrdiff_t conn_recv(struct net *n, struct conn *c)
{
    ssize_t got;

    if (c->tls != NULL)
        return conn_recv_tls(n, c);
    do {
        got = recv(c->fd, n->scratch, sizeof(n->scratch), 0);
    } while (got < 0 && errno == EINTR);
    if (got >= 0)
        return got;
    return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_AGAIN : ERR_IO;
}

void conn_take(struct net *n, struct conn *c, uint8_t *p, size_t size, ptrdiff_t got)
{
    bool connecting = c->state == CONN_HANDSHAKE && conn_end_of(n, c)->kind == NET_WS_CLIENT;

    if (got == ERR_AGAIN)
        return;
    conn_mark(n, c);
    if (got == (ptrdiff_t)size)
        c->flags |= CONN_MORE;
    if (got <= 0)
        conn_kill(n, c, connecting ? NET_END_CONNECT : NET_END_PEER, connecting ? 0 : WS_ABNORMAL);
    else if (c->state < CONN_CLOSING)
        conn_take_bytes(n, c, p, (size_t)got);
}

bool conn_reads_plain(const struct conn *c, uint32_t events)
{
    const uint32_t only = EPOLLIN | EPOLLOUT;

    return c->tls == NULL && conn_reading(c) && (events & EPOLLIN) != 0 && (events & ~only) == 0 &&
           (c->in == NULL || c->in->size <= NET_RECV_SIZE);
}

static void conn_read(struct net *n, struct conn *c)
{
    ptrdiff_t got = conn_recv(n, c);

    conn_take(n, c, n->scratch, sizeof(n->scratch), got);
    if (got != ERR_AGAIN && c->tls != NULL && c->state < CONN_DEAD && tls_pending(c->tls)) {
        c->flags |= CONN_REWORK;
        conn_mark(n, c);
    }
}

struct conn *conn_of_event(const struct net *n, const struct epoll_event *ev)
{
    uint32_t slot = (uint32_t)ev->data.u64, gen = (uint32_t)(ev->data.u64 >> 32);

    return gen != 0 ? slab_find(&n->conns, (struct slab_ref){slot, gen}) : NULL;
}

void conn_event(struct net *n, struct conn *c, uint32_t events)
{
    const uint32_t ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

    conn_mark(n, c);
    if (c->state == CONN_DEAD)
        return;
    if (c->state == CONN_CONNECTING) {
        dial_connected(n, c, conn_name(n, c));
        return;
    }
    if (c->state == CONN_ASKED || (c->state == CONN_OPEN && (c->flags & CONN_PAUSED) != 0)) {
        if ((events & ended) != 0)
            conn_kill(n, c, NET_END_PEER, WS_ABNORMAL);
        else if (c->state == CONN_ASKED)
            c->flags |= CONN_LATER;
        return;
    }
    if ((events & (EPOLLIN | ended)) == 0 && (c->flags & CONN_TLS_OUT) == 0)
        return;
    if ((events & ended) != 0)
        c->flags |= CONN_MORE;
    conn_read(n, c);
}

/* ---- the end of an event ---- */

void conn_settle(struct net *n, struct conn *c)
{
    if ((c->flags & CONN_REWORK) != 0) {
        if (c->tls != NULL && conn_reading(c) && tls_pending(c->tls))
            conn_read(n, c);
        conn_rework(n, c);
    }
    if (c->state != CONN_DEAD && c->state != CONN_CONNECTING)
        conn_flush(n, c);
    if (c->state >= CONN_CLOSING) {
        free(c->in);
        c->in = NULL;
        conn_report(n, c);
    }
    if ((c->flags & CONN_DIRTY) != 0)
        return; /* something above marked it again: the chain holds it, so it must not be freed yet
                 */
    if (c->state == CONN_CLOSING && c->out == NULL) {
        if (c->tls != NULL)
            tls_goodbye(c->tls);
        shutdown(c->fd, SHUT_WR);
        c->state = CONN_LINGER;
    }
    if (c->state == CONN_DEAD) {
        conn_free(n, c);
        return;
    }
    conn_watch(n, c);
    wheel_set(n, c);
}

/* ---- the owner's calls ---- */

static struct conn *conn_usable(struct net *n, struct net_conn name)
{
    struct conn *c = conn_find(n, name);

    return c != NULL && c->state < CONN_CLOSING ? c : NULL;
}

int net_send(struct net *n, struct net_conn name, struct str msg)
{
    struct conn *c = conn_usable(n, name);
    int err;

    if (c == NULL || c->state != CONN_OPEN)
        return ERR_CLOSED;
    err = conn_is_ws(n, c) ? ws_conn_send(n, c, WS_TEXT, msg) : conn_put(n, c, msg.p, msg.n);
    if (err == 0)
        n->stats.out_msgs++;
    return err;
}

int net_send_binary(struct net *n, struct net_conn name, struct str msg)
{
    struct conn *c = conn_usable(n, name);

    if (c == NULL || c->state != CONN_OPEN)
        return ERR_CLOSED;
    if (!conn_is_ws(n, c))
        return net_send(n, name, msg);
    n->stats.out_msgs++;
    return ws_conn_send(n, c, WS_BINARY, msg);
}

void net_close(struct net *n, struct net_conn name, uint16_t code)
{
    struct conn *c = conn_usable(n, name);

    if (c == NULL)
        return;
    if (c->state == CONN_CONNECTING)
        conn_kill(n, c, NET_END_LOCAL, code);
    else if (conn_is_ws(n, c))
        ws_conn_close(n, c, NET_END_LOCAL, code);
    else
        conn_finish(n, c, NET_END_LOCAL, code);
}

void net_abort(struct net *n, struct net_conn name)
{
    struct conn *c = conn_find(n, name);
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    if (c == NULL || c->state == CONN_DEAD)
        return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    conn_kill(n, c, NET_END_LOCAL, WS_ABNORMAL);
}

void net_pause(struct net *n, struct net_conn name)
{
    struct conn *c = conn_usable(n, name);

    if (c == NULL)
        return;
    c->flags |= CONN_PAUSED;
    conn_mark(n, c);
}

void net_resume(struct net *n, struct net_conn name)
{
    struct conn *c = conn_usable(n, name);

    if (c == NULL || (c->flags & CONN_PAUSED) == 0)
        return;
    c->flags = (uint16_t)((c->flags & ~CONN_PAUSED) | CONN_REWORK);
    c->heard_tick = n->tick;
    conn_mark(n, c);
}

void net_timer_set(struct net *n, struct net_conn name, uint32_t ms)
{
    struct conn *c = conn_usable(n, name);

    if (c == NULL)
        return;
    c->user_tick = ms != 0 ? n->tick + (ms + NET_TICK_MS - 1) / NET_TICK_MS : 0;
    conn_mark(n, c);
}

uint64_t net_user(const struct net *n, struct net_conn name)
{
    const struct conn *c = conn_find(n, name);

    return c != NULL ? c->user : 0;
}

void net_user_set(struct net *n, struct net_conn name, uint64_t user)
{
    struct conn *c = conn_find(n, name);

    if (c != NULL)
        c->user = user;
}

bool net_alive(const struct net *n, struct net_conn name)
{
    const struct conn *c = conn_find(n, name);

    return c != NULL && c->state < CONN_CLOSING;
}

void net_peer(const struct net *n, struct net_conn name, char out[46])
{
    const struct conn *c = conn_find(n, name);
    uint8_t addr[16];

    out[0] = '\0';
    if (c != NULL && conn_peer(n, c, addr))
        addr_text(addr, out);
}
