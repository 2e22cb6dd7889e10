// SPDX-License-Identifier: Apache-2.0
/* vnet.c: see vnet.h. Data: one table of descriptors. Each stream end holds what is on its way to it:
 * the bytes, and a list of packets that says how many of them have arrived when.
 *
 * Invariants: 1. bytes arrive in the order sent, or not at all from some byte on; 2. a packet takes
 * at least one millisecond, so nothing happens in the moment that causes it; 3. what is on its way
 * and what is unread never exceed the window. */
#include "town/vnet_calls.h"

#include <errno.h>
#include <stdlib.h>
#include "base/must.h"

enum { FDS = 4096, PACKETS = 64 };

enum kind { KIND_NONE, KIND_NEW, KIND_EPOLL, KIND_EVENT, KIND_LISTENER, KIND_STREAM };

struct packet {
    int64_t at_ms;
    size_t n;
};

struct end {
    enum kind kind;
    bool server; /* which side made it */
    uint16_t port;
    /* watched by */
    int epoll; /* index, -1 = by nobody */
    uint32_t events;
    uint64_t data;
    /* an epoll's own */
    int64_t wake_ms;
    uint64_t count; /* an eventfd's own */
    /* a stream's */
    int peer; /* index, -1 = it is gone */
    int listener;
    int64_t up_ms; /* connected, or to be accepted, from then on */
    bool accepted; /* a server's end that its listener has handed out */
    bool silent;   /* nothing it sends arrives anywhere */
    bool shut, hard;
    int64_t fin_ms, reset_ms, stall_ms;
    struct buf in;
    struct packet packet[PACKETS];
    int packets;
    /* edges: a change is told once (EPOLLET) */
    bool asked_anew, was_writable, was_shut, was_reset;
    size_t taken, seen; /* bytes read, bytes told of, since the beginning */
};

static struct {
    bool on;
    struct vnet_weather weather;
    struct rng rng, random;
    int64_t now_ms, skew_ms;
    struct end end[FDS];
    int n;
    int live[FDS], lives; /* those that may be in use, so that the dead cost nothing */
    int unaccepted;
    struct vnet_stats stats;
} net;

/* ---- the clock ---- */

int64_t vnet_now_ms(void)
{
    return net.now_ms;
}

int64_t vnet_wall_ms(void)
{
    return net.now_ms + net.skew_ms;
}

void vnet_advance(int64_t now_ms)
{
    must(now_ms >= net.now_ms);
    net.now_ms = now_ms;
    int kept = 0;
    for (int i = 0; i < net.lives; i++)
        if (net.end[net.live[i]].kind != KIND_NONE)
            net.live[kept++] = net.live[i];
    net.lives = kept;
}

void vnet_skew_set(int64_t ms)
{
    net.skew_ms = ms;
}

bool vnet_on(void)
{
    return net.on;
}

uint64_t vnet_random(void)
{
    return rng_next(&net.random);
}

/* ---- the table ---- */

void vnet_begin(uint64_t seed, const struct vnet_weather *w, int64_t now_ms)
{
    must(!net.on);
    net.on = true;
    net.weather = *w;
    net.rng = (struct rng){seed};
    net.random = (struct rng){~seed};
    net.now_ms = now_ms;
    net.skew_ms = 0;
    net.n = net.lives = net.unaccepted = 0;
    net.stats = (struct vnet_stats){0};
}

static void end_free(struct end *e)
{
    net.unaccepted -= e->kind == KIND_STREAM && e->server && !e->accepted;
    buf_free(&e->in);
    *e = (struct end){.peer = -1, .epoll = -1};
}

void vnet_end(void)
{
    for (int i = 0; i < net.n; i++) {
        must(net.end[i].kind == KIND_NONE);
        end_free(&net.end[i]);
    }
    net.on = false;
}

void vnet_stats_get(struct vnet_stats *out)
{
    *out = net.stats;
}

static struct end *end_at(int fd)
{
    int i = fd - VNET_FIRST_FD;
    if (i < 0 || i >= net.n || net.end[i].kind == KIND_NONE) {
        errno = EBADF;
        return NULL;
    }
    return &net.end[i];
}

static int end_new(enum kind kind)
{
    must(net.n < FDS);
    struct end *e = &net.end[net.n];
    *e = (struct end){.kind = kind,
                      .epoll = -1,
                      .peer = -1,
                      .listener = -1,
                      .wake_ms = VNET_NEVER,
                      .up_ms = VNET_NEVER,
                      .fin_ms = VNET_NEVER,
                      .reset_ms = VNET_NEVER};
    buf_init(&e->in, (size_t)1 << 24);
    net.live[net.lives++] = net.n;
    return net.n++;
}

static int64_t delay(void)
{
    return rng_range(&net.rng, net.weather.delay_lo_ms, net.weather.delay_hi_ms);
}

static bool chance(int32_t pm)
{
    return (int32_t)rng_below(&net.rng, 1000) < pm;
}

/* ---- what has arrived ---- */

static size_t arrived(const struct end *e)
{
    size_t n = 0;
    for (int i = 0; i < e->packets && e->packet[i].at_ms <= net.now_ms; i++)
        n += e->packet[i].n;
    return n;
}

static size_t room(const struct end *peer)
{
    return peer->in.n < net.weather.window ? net.weather.window - peer->in.n : 0;
}

static bool writable(const struct end *e)
{
    if (e->up_ms > net.now_ms)
        return false;
    return e->silent || e->peer < 0 ||
           (room(&net.end[e->peer]) > 0 && net.end[e->peer].packets < PACKETS);
}

static uint32_t stream_ready(const struct end *e)
{
    uint32_t r = 0;
    if (e->reset_ms <= net.now_ms)
        return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
    if (arrived(e) > 0)
        r |= EPOLLIN;
    if (e->fin_ms <= net.now_ms)
        r |= EPOLLIN | EPOLLRDHUP;
    if (writable(e))
        r |= EPOLLOUT;
    return r;
}

static int pending(int listener)
{
    for (int k = 0; net.unaccepted && k < net.lives; k++) {
        const struct end *e = &net.end[net.live[k]];
        if (e->kind == KIND_STREAM && e->listener == listener && !e->accepted &&
            e->up_ms <= net.now_ms)
            return net.live[k];
    }
    return -1;
}

static uint32_t ready(int i)
{
    const struct end *e = &net.end[i];
    uint32_t r = 0;
    if (e->kind == KIND_STREAM)
        r = stream_ready(e);
    else if (e->kind == KIND_EVENT ? e->count > 0 : e->kind == KIND_LISTENER && pending(i) >= 0)
        r = EPOLLIN;
    return r & (e->events | (uint32_t)EPOLLERR | (uint32_t)EPOLLHUP);
}

/* Something has changed since it was told, or it is asked anew. */
static bool edge(const struct end *e)
{
    if (e->kind != KIND_STREAM || !(e->events & (uint32_t)EPOLLET) || e->asked_anew)
        return true;
    return e->taken + arrived(e) > e->seen || (writable(e) && !e->was_writable) ||
           (e->fin_ms <= net.now_ms && !e->was_shut) ||
           (e->reset_ms <= net.now_ms && !e->was_reset);
}

static void edge_told(struct end *e)
{
    e->asked_anew = false;
    e->seen = e->taken + arrived(e);
    e->was_shut = e->fin_ms <= net.now_ms;
    e->was_reset = e->reset_ms <= net.now_ms;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return b > net.now_ms && b < a ? b : a;
}

static int64_t end_due(const struct end *e)
{
    int64_t due = sooner(sooner(VNET_NEVER, e->reset_ms), e->fin_ms);
    due = sooner(due, e->up_ms);
    for (int i = 0; i < e->packets; i++)
        due = sooner(due, e->packet[i].at_ms);
    return e->kind == KIND_EPOLL ? sooner(due, e->wake_ms) : due;
}

int64_t vnet_due_ms(void)
{
    int64_t due = VNET_NEVER;
    for (int k = 0; k < net.lives; k++) {
        int i = net.live[k];
        if (net.end[i].kind == KIND_NONE)
            continue;
        if (net.end[i].epoll >= 0 && ready(i) &&
            edge(&net.end[i])) /* there is more than one turn took */
            return net.now_ms + 1;
        due = sooner(due, end_due(&net.end[i]));
    }
    return due;
}

/* ---- epoll ---- */

int vnet_epoll_new(void)
{
    return VNET_FIRST_FD + end_new(KIND_EPOLL);
}

int vnet_epoll_ctl(int epfd, int op, int fd, const struct epoll_event *ev)
{
    struct end *ep = end_at(epfd);
    if (!ep)
        return -1;
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    e->epoll = op == EPOLL_CTL_DEL ? -1 : epfd - VNET_FIRST_FD;
    e->events = ev ? ev->events : 0;
    e->data = ev ? ev->data.u64 : 0;
    e->asked_anew = true;
    return 0;
}

int vnet_epoll_wait(int epfd, struct epoll_event *out, int most, int timeout_ms)
{
    struct end *ep = end_at(epfd);
    int self = epfd - VNET_FIRST_FD, n = 0;
    if (!ep)
        return -1;
    ep->wake_ms = timeout_ms < 0 ? VNET_NEVER : net.now_ms + (timeout_ms ? timeout_ms : 1);
    for (int k = 0; k < net.lives && n < most; k++) {
        int i = net.live[k];
        struct end *e = &net.end[i];
        uint32_t events = e->epoll == self ? ready(i) : 0;
        if (events && edge(e)) {
            out[n++] = (struct epoll_event){.events = events, .data.u64 = e->data};
            edge_told(e);
        }
        e->was_writable = e->kind == KIND_STREAM && writable(e);
    }
    return n;
}

/* ---- eventfd ---- */

int vnet_event_new(void)
{
    return VNET_FIRST_FD + end_new(KIND_EVENT);
}

int vnet_event_read(int fd, uint64_t *count)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    if (e->count == 0) {
        errno = EAGAIN;
        return -1;
    }
    *count = e->count;
    e->count = 0;
    return 0;
}

int vnet_event_write(int fd, uint64_t count)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    e->count += count;
    return 0;
}

/* ---- coming and going ---- */

int vnet_socket(void)
{
    return VNET_FIRST_FD + end_new(KIND_NEW);
}

/* Any of those that share the port. */
static int listener_of(uint16_t port)
{
    int found = -1;
    uint64_t n = 0;
    for (int i = 0; i < net.n; i++)
        if (net.end[i].kind == KIND_LISTENER && net.end[i].port == port &&
            rng_below(&net.rng, ++n) == 0)
            found = i;
    return found;
}

int vnet_bind(int fd, uint16_t port)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    e->port = port ? port : (uint16_t)(20000 + (fd - VNET_FIRST_FD));
    return 0;
}

int vnet_listen(int fd)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    e->kind = KIND_LISTENER;
    e->server = true;
    return 0;
}

int vnet_connect(int fd, uint16_t port)
{
    struct end *c = end_at(fd);
    int self = fd - VNET_FIRST_FD, listener = listener_of(port);
    if (!c)
        return -1;
    c->kind = KIND_STREAM;
    c->port = (uint16_t)(40000 + self);
    net.stats.connects++;
    errno = EINPROGRESS;
    int64_t there = net.now_ms + delay();
    if (listener < 0) {
        c->reset_ms = there + delay();
        return -1;
    }
    int other = end_new(KIND_STREAM);
    struct end *s = &net.end[other];
    c->peer = other;
    c->up_ms = there + delay();
    s->peer = self;
    s->server = true;
    s->listener = listener;
    s->port = c->port;
    s->up_ms = there;
    net.unaccepted++;
    errno = EINPROGRESS;
    return -1;
}

int vnet_accept(int fd)
{
    int i = end_at(fd) ? pending(fd - VNET_FIRST_FD) : -1;
    if (i < 0) {
        errno = EAGAIN;
        return -1;
    }
    net.end[i].accepted = true;
    net.unaccepted--;
    return VNET_FIRST_FD + i;
}

int vnet_error_take(int fd)
{
    const struct end *e = end_at(fd);
    return !e ? EBADF : e->reset_ms <= net.now_ms ? ECONNREFUSED : 0;
}

uint16_t vnet_port(int fd)
{
    const struct end *e = end_at(fd);
    return e ? e->port : 0;
}

void vnet_linger_set(int fd)
{
    struct end *e = end_at(fd);
    if (e)
        e->hard = true;
}

/* The other end hears, after what is on its way, unless the line is silent. */
static void tell_reset(struct end *e)
{
    struct end *peer = e->peer >= 0 ? &net.end[e->peer] : NULL;
    if (!peer)
        return;
    peer->peer = -1;
    if (!e->silent && peer->reset_ms == VNET_NEVER)
        peer->reset_ms = net.now_ms + delay();
    e->peer = -1;
}

static void tell_fin(struct end *e)
{
    struct end *peer = e->peer >= 0 ? &net.end[e->peer] : NULL;
    int64_t at = net.now_ms + delay();
    if (!peer || e->silent || e->shut)
        return;
    if (peer->packets && peer->packet[peer->packets - 1].at_ms > at)
        at = peer->packet[peer->packets - 1].at_ms;
    peer->fin_ms = at;
}

int vnet_shutdown(int fd)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    tell_fin(e);
    e->shut = true;
    return 0;
}

static void listener_drop(int listener)
{
    for (int i = 0; i < net.n; i++) {
        struct end *e = &net.end[i];
        if (e->kind != KIND_STREAM || e->listener != listener || e->accepted)
            continue;
        tell_reset(e);
        end_free(e);
    }
}

bool vnet_close_ours(int fd, int *res)
{
    if (!vnet_ours(fd))
        return false;
    *res = vnet_close(fd);
    return true;
}

int vnet_close(int fd)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    if (e->kind == KIND_LISTENER)
        listener_drop(fd - VNET_FIRST_FD);
    if (e->kind == KIND_STREAM && e->peer >= 0) {
        if (e->hard || e->in.n > 0) {
            tell_reset(e);
        } else {
            tell_fin(e);
            net.end[e->peer].peer = -1;
        }
    }
    end_free(e);
    return 0;
}

/* ---- bytes ---- */

static void packet_put(struct end *to, const char *p, size_t n)
{
    int64_t at = net.now_ms + delay();
    if (to->stall_ms > at)
        at = to->stall_ms;
    if (to->packets && to->packet[to->packets - 1].at_ms > at)
        at = to->packet[to->packets - 1].at_ms;
    must(to->packets < PACKETS);
    buf_put(&to->in, p, n);
    must(!to->in.err);
    to->packet[to->packets++] = (struct packet){at, n};
    net.stats.packets++;
    net.stats.bytes += n;
}

ssize_t vnet_send(int fd, const void *p, size_t n)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    if (e->reset_ms <= net.now_ms || e->shut) {
        errno = ECONNRESET;
        return -1;
    }
    if (!writable(e)) {
        net.stats.full++;
        errno = EAGAIN;
        return -1;
    }
    if (e->silent)
        return (ssize_t)n;
    if (e->peer < 0) { /* nobody is there any more: the answer is a reset */
        if (e->reset_ms == VNET_NEVER)
            e->reset_ms = net.now_ms + delay();
        return (ssize_t)n;
    }
    struct end *to = &net.end[e->peer];
    n = n < room(to) ? n : room(to);
    if (n > 1 && to->packets + 2 <= PACKETS && chance(net.weather.split_pm)) {
        size_t first = 1 + (size_t)rng_below(&net.rng, n - 1);
        packet_put(to, p, first);
        packet_put(to, (const char *)p + first, n - first);
        net.stats.splits++;
    } else {
        packet_put(to, p, n);
    }
    return (ssize_t)n;
}

static void packets_take(struct end *e, size_t n)
{
    int gone = 0;
    buf_drop(&e->in, n);
    while (n > 0 && n >= e->packet[gone].n)
        n -= e->packet[gone++].n;
    if (n > 0)
        e->packet[gone].n -= n;
    e->packets -= gone;
    memmove(e->packet, e->packet + gone, (size_t)e->packets * sizeof e->packet[0]);
}

ssize_t vnet_recv(int fd, void *p, size_t n)
{
    struct end *e = end_at(fd);
    if (!e)
        return -1;
    size_t there = arrived(e);
    if (e->reset_ms <= net.now_ms) {
        errno = ECONNRESET;
        return -1;
    }
    if (there == 0 && e->fin_ms <= net.now_ms)
        return 0;
    if (there == 0) {
        errno = EAGAIN;
        return -1;
    }
    n = n < there ? n : there; /* all that is there, as a kernel does */
    e->taken += n;
    memcpy(p, e->in.p, n);
    packets_take(e, n);
    return (ssize_t)n;
}

/* ---- what goes wrong ---- */

static bool stands(const struct end *e)
{
    return e->kind == KIND_STREAM && !e->server && e->peer >= 0 && e->up_ms <= net.now_ms &&
           e->reset_ms == VNET_NEVER && !e->silent;
}

static struct end *stream_pick(uint64_t pick)
{
    uint64_t n = 0;
    for (int i = 0; i < net.n; i++)
        n += stands(&net.end[i]);
    if (!n)
        return NULL;
    pick %= n;
    for (int i = 0;; i++)
        if (stands(&net.end[i]) && pick-- == 0)
            return &net.end[i];
}

bool vnet_break(enum vnet_break how, uint64_t pick)
{
    struct end *c = stream_pick(pick);
    if (!c)
        return false;
    struct end *s = &net.end[c->peer];
    net.stats.breaks++;
    switch (how) {
    case VNET_RESET:
        c->reset_ms = net.now_ms + delay();
        s->reset_ms = net.now_ms + delay();
        break;
    case VNET_SILENT:
        c->silent = s->silent = true;
        break;
    case VNET_ONE_SIDE:
        c->silent = s->silent = true;
        c->reset_ms = net.now_ms + delay();
        break;
    default:
        c->stall_ms = s->stall_ms = net.now_ms + rng_range(&net.rng, 1000, 40000);
    }
    return true;
}

void vnet_server_gone(bool told)
{
    for (int i = 0; i < net.n; i++) {
        struct end *e = &net.end[i];
        if (e->kind == KIND_NONE || !e->server)
            continue;
        if (e->kind == KIND_STREAM && told)
            tell_reset(e);
        else if (e->kind == KIND_STREAM && e->peer >= 0)
            net.end[e->peer].peer = -1; /* what it sends next is answered by a reset */
        end_free(e);
    }
}
