// SPDX-License-Identifier: Apache-2.0
/* reactor.c: the loop, listeners and the calls on the whole reactor; see net.h and reactor.h.
 *
 * Data: struct net.
 *
 * Invariants:
 *  1. One thread.
 *  2. Callbacks run only from net_turn.
 *  3. After each event of a turn no connection is dirty, every buffer was offered to its socket,
 *     and the dead are freed: what an event touched is still in the cache then. Plain
 *     output is offered a little later, with that of others of the same round (batch.c).
 *  4. A reactor without a free slot does not listen: SO_REUSEPORT would go on giving it its share
 *     of new connections, to die in its queue. What waits in the queue as it closes is reset, or
 *     goes to the other listeners where net.ipv4.tcp_migrate_req is set (packaging/60-even.conf).
 *
 * Failure: descriptors or memory running out pauses listening; everything else ends one connection.
 * */
#include "io/net/reactor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"
#include "io/net/tls.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/thread.h"

#define EVENT_MAILBOX   0xffffffffu /* epoll data of what is no connection has generation 0 */
#define EVENTS_PER_TURN 256
#define ACCEPTS_A_TURN  128
#define REOPEN_TICKS    10
#define MAIL_RUN        16 /* messages of the mailbox between two rounds of flushing */
#define EVENTS_AHEAD    2  /* events before its turn a record begins to be fetched */

static uint32_t or_default(uint32_t v, uint32_t def)
{
    return v != 0 ? v : def;
}

static void config_defaults(struct net_config *cfg)
{
    uint64_t fds = net_fd_limit_raise();

    cfg->max_conns = or_default(cfg->max_conns, 1000);
    if (fds > 128 && cfg->max_conns > fds - 64)
        cfg->max_conns = (uint32_t)(fds - 64);
    cfg->max_message = or_default(cfg->max_message, 65536);
    cfg->max_out = or_default(cfg->max_out, 262144);
    cfg->handshake_ms = or_default(cfg->handshake_ms, 10000);
    cfg->ping_ms = or_default(cfg->ping_ms, 30000);
    cfg->silence_ms = or_default(cfg->silence_ms, 75000);
}

static uint32_t ticks_of(uint32_t ms)
{
    return (ms + NET_TICK_MS - 1) / NET_TICK_MS;
}

static int watch_special(struct net *n, int fd, uint32_t id)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = id};

    return epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &ev) != 0 ? ERR_IO : 0;
}

static int net_setup(struct net *n)
{
    uint64_t seed;

    for (uint32_t i = 0; i < n->cfg.proxies_n; i++)
        n->proxies[i] = n->cfg.proxies[i];
    os_random(&seed, sizeof(seed));
    n->rng.s = seed;
    n->start_ns = os_mono_ns();
    n->handshake_ticks = ticks_of(n->cfg.handshake_ms);
    n->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (n->epoll < 0)
        return ERR_IO;
    if (n->cfg.mailbox == NULL)
        return 0;
    return watch_special(n, mailbox_fd(n->cfg.mailbox), EVENT_MAILBOX);
}

int net_new(const struct net_config *cfg, struct net **out)
{
    struct net *n;
    int err;

    *out = NULL;
    if (cfg->proxies_n > NET_PROXY_MAX || cfg->max_message > 16u << 20)
        return ERR_RANGE;
    n = calloc(1, sizeof(*n));
    if (n == NULL)
        return ERR_NOMEM;
    n->cfg = *cfg;
    config_defaults(&n->cfg);
    n->batch_wanted = cfg->batch;
    slab_init(&n->conns, sizeof(struct conn), n->cfg.max_conns);
    err = net_setup(n);
    if (err != 0) {
        net_free(n);
        return err;
    }
    *out = n;
    return 0;
}

static void listener_close(struct endpoint *e)
{
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
}

void net_close_all(struct net *n)
{
    conn_free_all(n);
    batch_end(n);
    for (uint32_t i = 0; i < n->ends_n; i++)
        if (n->ends[i].listens)
            listener_close(&n->ends[i]);
    if (n->epoll > 0)
        close(n->epoll);
    n->epoll = -1;
}

void net_free(struct net *n)
{
    if (n == NULL)
        return;
    net_close_all(n);
    mailbox_batch_free(&n->mail);
    slab_free(&n->conns);
    free(n);
}

/* ---- listeners ---- */

static int bind_errno(void)
{
    if (errno == EADDRINUSE)
        return ERR_BUSY;
    return errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_IO;
}

/* Opens (or opens again) the listening socket of an endpoint at its address. */
static int listener_open(struct net *n, uint32_t index)
{
    struct endpoint *e = &n->ends[index];
    int on = 1, err = 0;
    int fd = socket(e->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ERR_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* what it accepts inherits that */
    if (bind(fd, (struct sockaddr *)&e->addr, e->addr_n) != 0 || listen(fd, SOMAXCONN) != 0)
        err = bind_errno();
    if (err == 0)
        err = watch_special(n, fd, index);
    if (err != 0) {
        close(fd);
        return err;
    }
    e->fd = fd;
    return 0;
}

/* Learns which port the system chose, so that the listener can be opened again there. */
static uint16_t listener_port(struct endpoint *e)
{
    socklen_t len = sizeof(e->addr);

    must(getsockname(e->fd, (struct sockaddr *)&e->addr, &len) == 0);
    if (e->addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&e->addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&e->addr)->sin_port);
}

/* SO_REUSEPORT would let another program of ours share the port unnoticed and take half of the
 * chargers. The first reactor therefore asks for the port alone before it shares it with its
 * siblings. */
static int port_free(const struct endpoint *e)
{
    int on = 1, err = 0;
    int fd = socket(e->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ERR_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&e->addr, e->addr_n) != 0)
        err = bind_errno();
    close(fd);
    return err;
}

int net_listen(struct net *n, const struct net_listen *l, uint16_t *port)
{
    struct endpoint *e = &n->ends[n->ends_n];
    uint32_t listeners = 0, silence_ms = or_default(l->silence_ms, n->cfg.silence_ms);
    int err;

    for (uint32_t i = 0; i < n->ends_n; i++)
        listeners += n->ends[i].listens ? 1 : 0;
    if (listeners == NET_LISTEN_MAX || n->ends_n == NET_ENDPOINT_MAX)
        return ERR_FULL;
    *e = (struct endpoint){.handler = l->handler, .ctx = l->ctx, .kind = l->kind, .tls = l->tls};
    e->first_ticks = ticks_of(or_default(l->first_ms, 30000));
    e->silence_ticks = ticks_of(silence_ms);
    e->ping_ticks = l->kind == NET_WS_SERVER ? ticks_of(n->cfg.ping_ms) : e->silence_ticks;
    e->max_message = or_default(l->max_message, n->cfg.max_message);
    e->fd = -1;
    err = addr_parse(l->host != NULL ? l->host : "127.0.0.1", l->port, &e->addr, &e->addr_n);
    if (err == 0 && n->cfg.reactor == 0)
        err = port_free(e);
    if (err == 0)
        err = listener_open(n, n->ends_n);
    if (err != 0)
        return err;
    e->listens = true;
    n->ends_n++;
    if (port != NULL)
        *port = listener_port(e);
    else
        listener_port(e);
    return 0;
}

static void listeners_pause(struct net *n)
{
    n->stats.listen_pauses++;
    n->reopen_tick = n->tick + REOPEN_TICKS;
    for (uint32_t i = 0; i < n->ends_n; i++)
        if (n->ends[i].listens)
            listener_close(&n->ends[i]);
}

static bool listeners_paused(const struct net *n)
{
    for (uint32_t i = 0; i < n->ends_n; i++)
        if (n->ends[i].listens && n->ends[i].fd < 0)
            return true;
    return false;
}

/* Listens again once there is room; a failure is tried again at the next interval. */
static void listeners_reopen(struct net *n)
{
    if (n->draining || n->tick < n->reopen_tick || n->stats.live >= n->cfg.max_conns)
        return;
    for (uint32_t i = 0; i < n->ends_n; i++)
        if (n->ends[i].listens && n->ends[i].fd < 0 && listener_open(n, i) != 0)
            n->reopen_tick = n->tick + REOPEN_TICKS;
}

static void conn_accepted(struct net *n, int fd, uint32_t index,
                          const struct sockaddr_storage *peer)
{
    const struct endpoint *e = &n->ends[index];
    struct net_conn name;
    struct conn *c = conn_new(n, fd, (uint8_t)index, true, &name);

    if (c == NULL) {
        close(fd);
        return;
    }
    n->stats.accepted++;
    conn_peer_note(n, c, peer);
    conn_mark(n, c);
    if (e->tls != NULL && tls_conn_new(e->tls, fd, &c->tls) != 0) {
        conn_kill(n, c, NET_END_LOCAL, WS_INTERNAL);
        return;
    }
    if (e->kind == NET_WS_SERVER) {
        c->state = CONN_HANDSHAKE;
        return;
    }
    c->state = CONN_OPEN;
    c->flags |= CONN_KNOWN;
    if (e->handler->on_open != NULL)
        e->handler->on_open(e->ctx, name);
}

static void listener_event(struct net *n, uint32_t index)
{
    for (int i = 0; i < ACCEPTS_A_TURN && n->ends[index].fd >= 0; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(n->ends[index].fd, (struct sockaddr *)&peer, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            conn_accepted(n, fd, index, &peer);
            if (n->stats.live >= n->cfg.max_conns)
                listeners_pause(n);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            listeners_pause(n);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* ---- the turn ---- */

/* Settles what is dirty; plain output may stay in the queue of what leaves together. */
static void settle_some(struct net *n)
{
    while (n->dirty != 0) {
        struct conn *c = conn_at(n, n->dirty - 1);

        must(c != NULL);
        n->dirty = c->dirty_next;
        c->flags &= (uint16_t)~CONN_DIRTY;
        if ((c->flags & CONN_QUEUED) != 0)
            continue; /* batch_flush settles it */
        if (n->ring != NULL && conn_writes_plain(c))
            batch_queue(n, c);
        else
            conn_settle(n, c);
    }
}

static void settle_all(struct net *n)
{
    settle_some(n);
    while (n->queued_n > 0) {
        batch_flush(n);
        settle_some(n);
    }
}

/* Flushes now and then: after a thousand answers the first connections would be cold again. */
static void take_mail(struct net *n)
{
    struct str msg;
    uint32_t run = 0;

    if (mailbox_take(n->cfg.mailbox, &n->mail) == 0)
        return;
    while (mailbox_next(&n->mail, &msg)) {
        if (n->cfg.on_mail != NULL)
            n->cfg.on_mail(n->cfg.ctx, msg);
        if (++run % MAIL_RUN == 0)
            settle_some(n);
    }
    settle_all(n);
}

static void handle_event(struct net *n, const struct epoll_event *ev)
{
    uint32_t slot = (uint32_t)ev->data.u64, gen = (uint32_t)(ev->data.u64 >> 32);
    struct conn *c = conn_of_event(n, ev);

    if (c != NULL)
        conn_event(n, c, ev->events);
    else if (gen == 0 && slot == EVENT_MAILBOX)
        mailbox_hear(n->cfg.mailbox); /* net_turn took what waited */
    else if (gen == 0)
        listener_event(n, slot);
}

/* The mailbox's senders wake a reactor that sleeps, and no other. */
static int wait_events(struct net *n, struct epoll_event events[EVENTS_PER_TURN], int32_t wait_ms)
{
    struct mailbox *mail = n->cfg.mailbox;
    bool sleeps = mail == NULL || mailbox_doze(mail);
    int got = epoll_wait(n->epoll, events, EVENTS_PER_TURN, sleeps ? wait_ms : 0);

    n->tick = (uint32_t)((os_mono_ns() - n->start_ns) / (NET_TICK_MS * 1000000LL));
    if (mail != NULL && mailbox_rise(mail))
        take_mail(n);
    return got;
}

/* Up to NET_BATCH events: all their plain reads at once, then each in its turn. */
static void handle_round(struct net *n, const struct epoll_event *ev, uint32_t count)
{
    ptrdiff_t got[RING_MOST];

    batch_read(n, ev, count, got);
    for (uint32_t i = 0; i < count; i++) {
        struct conn *c = got[i] != RING_UNDONE ? conn_of_event(n, &ev[i]) : NULL;

        if (i + EVENTS_AHEAD < count)
            slab_ahead(&n->conns, (uint32_t)ev[i + EVENTS_AHEAD].data.u64);
        if (c != NULL)
            conn_take(n, c, n->received + (size_t)i * NET_RECV_SIZE, NET_RECV_SIZE, got[i]);
        else if (got[i] == RING_UNDONE)
            handle_event(n, &ev[i]);
        settle_some(n);
    }
    settle_all(n);
}

static int32_t turn_wait_ms(const struct net *n, int32_t timeout_ms)
{
    int32_t wait = wheel_wait_ms(n);

    if (n->draining || (listeners_paused(n) && wait > NET_TICK_MS))
        wait = NET_TICK_MS;
    return timeout_ms >= 0 && timeout_ms < wait ? timeout_ms : wait;
}

static void drop_all(struct net *n)
{
    for (uint32_t i = 0; i < n->conns.len; i++) {
        struct conn *c = conn_at(n, i);

        if (c != NULL)
            conn_kill(n, c, NET_END_DRAIN, WS_GOING_AWAY);
    }
}

void net_turn(struct net *n, int32_t timeout_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int got;

    if (n->batch_wanted)
        batch_begin(n);
    settle_all(n); /* what was asked for between two turns */
    got = wait_events(n, events, turn_wait_ms(n, timeout_ms));
    for (int i = 0; i < got; i += NET_BATCH)
        handle_round(n, events + i, (uint32_t)(got - i < NET_BATCH ? got - i : NET_BATCH));
    wheel_advance(n);
    if (listeners_paused(n))
        listeners_reopen(n);
    if (n->draining && n->tick >= n->drain_tick)
        drop_all(n);
    settle_all(n);
    if (n->cfg.on_turn != NULL)
        n->cfg.on_turn(n->cfg.ctx);
}

void net_run(struct net *n)
{
    while (!n->stopping && !(n->draining && n->stats.live == 0))
        net_turn(n, -1);
}

void net_stop(struct net *n)
{
    n->stopping = true;
}

static void drain_conn(struct net *n, struct conn *c)
{
    enum net_kind kind = conn_end_of(n, c)->kind;

    if (c->state >= CONN_CLOSING)
        return;
    if (c->state == CONN_CONNECTING)
        conn_kill(n, c, NET_END_DRAIN, 0);
    else if (kind == NET_WS_SERVER || kind == NET_WS_CLIENT)
        ws_conn_close(n, c, NET_END_DRAIN, WS_GOING_AWAY);
    else
        conn_finish(n, c, NET_END_DRAIN, WS_GOING_AWAY);
}

void net_drain(struct net *n, uint32_t deadline_ms)
{
    n->draining = true;
    n->drain_tick = n->tick + ticks_of(deadline_ms) + 1;
    for (uint32_t i = 0; i < n->ends_n; i++)
        if (n->ends[i].listens)
            listener_close(&n->ends[i]);
    for (uint32_t i = 0; i < n->conns.len; i++) {
        struct conn *c = conn_at(n, i);

        if (c != NULL)
            drain_conn(n, c);
    }
}

void net_stats_get(const struct net *n, struct net_stats *out)
{
    *out = n->stats;
}

struct net_files net_files(const struct net *n)
{
    struct net_files f = {.n = 1, .fd = {n->epoll}};

    for (uint32_t i = 0; i < n->ends_n; i++)
        if (n->ends[i].listens && n->ends[i].fd >= 0)
            f.fd[f.n++] = n->ends[i].fd;
    return f;
}

int net_files_own(const struct net *n, const int *also, uint32_t also_n)
{
    struct net_files f = net_files(n);
    int keep[ARRAY_LEN(f.fd) + 8];
    uint32_t kept = f.n;

    if (also_n > 7)
        return ERR_FULL;
    memcpy(keep, f.fd, f.n * sizeof(keep[0]));
    for (uint32_t i = 0; i < also_n; i++)
        keep[kept++] = also[i];
    if (n->cfg.mailbox != NULL)
        keep[kept++] = mailbox_fd(n->cfg.mailbox);
    return os_files_own(keep, kept);
}

void net_files_close(const struct net_files *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        close(f->fd[i]);
}

uint64_t net_fd_limit_raise(void)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
        return 1024;
    if (lim.rlim_cur < lim.rlim_max) {
        lim.rlim_cur = lim.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &lim) != 0 && getrlimit(RLIMIT_NOFILE, &lim) != 0)
            return 1024;
    }
    return lim.rlim_cur;
}

const char *net_why_name(enum net_why why)
{
    static const char *const names[] = {
        [NET_END_PEER] = "peer",         [NET_END_LOCAL] = "local", [NET_END_SILENT] = "silent",
        [NET_END_PROTOCOL] = "protocol", [NET_END_SLOW] = "slow",   [NET_END_DRAIN] = "drain",
        [NET_END_CONNECT] = "connect",
    };

    return (size_t)why < ARRAY_LEN(names) ? names[why] : "unknown";
}
