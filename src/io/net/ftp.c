// SPDX-License-Identifier: Apache-2.0
/* ftp.c: see ftp.h: the sockets of the FTP server.
 *
 * Data: struct ftp; a fixed table of clients, each with at most one control connection, one port or
 * connection for data, one open file.
 *
 * Invariants:
 *  1. One thread, epoll, level-triggered; nothing waits but epoll_wait. A file is read by sendfile,
 *     at most FLOW_BYTES of it in a turn.
 *  2. Input is read only while there is room for it and no replies wait: a client that does not
 *     read, or asks while it is being sent to, waits in its own socket.
 *  3. "All sent" is said, and told, when the client's side has acknowledged the last byte.
 *  4. An event of a client that is gone finds nobody: its number is of another generation.
 *
 * Failure: whatever a system call refuses ends one client, or refuses one data connection. */
#include "io/net/ftp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "io/os/thread.h"

enum {
    IN_SIZE = 2 * FTP_LINE,
    OUT_MAX = 16384, /* of one run of lines; see OUT_FULL */
    OUT_FULL = 2048, /* so many bytes of replies wait: no more lines are read */
    CHUNK = 65536,
    FLOW_BYTES = 4 * CHUNK,
    SLOW_BYTES = 4096, /* less than that in idle_s is a standstill */
    LOGIN_MS = 20000,
    DATA_MS = 15000, /* for the data connection to come */
    BYE_MS = 3000,   /* for the last reply to leave */
    GUESS_MS = 1000, /* what a wrong password costs */
    TOLD_MS = 3000,
    TICK_MS = 20,
    PAUSE_MS = 1000,
    TURN_MS = 60000,
    ACCEPTS = 32,
    EVENTS = 64,
    PORTS_TRIED = 256,
    CLIENTS_MAX = 1 << 16
};

enum which { CONTROL, LISTENER, DATA };
enum sending { QUIET, WAITS, FLOWS, DRAINS };

struct client {
    int fd, listener, data, file; /* -1 = none */
    uint32_t gen, mask, seen;     /* control's epoll events; commands when last looked at */
    struct in_addr peer, local;
    struct ftp_talk talk;
    struct ftp_grant grant;
    struct buf out, list;
    char in[IN_SIZE];
    size_t in_n;
    bool leaving;         /* closes when the replies are gone */
    enum sending sending; /* of the file, or of the list */
    int64_t from, at, end, mark;
    int64_t came_ms, due_ms, held_ms, wake_ms, begun_ms, told_ms; /* 0 = not set */
};

struct ftp {
    struct ftp_config cfg;
    uint8_t address[4];
    int epoll, listener, stop;
    uint16_t port;
    uint32_t gen, live;
    int64_t now_ms, paused_ms; /* paused: nobody is let in until then; 0 = not */
    struct os_thread *thread;
    struct client *clients;
};

static uint64_t event_id(const struct ftp *f, const struct client *c, enum which w)
{
    return (uint64_t)c->gen << 32 | (uint64_t)(c - f->clients) << 2 | (uint64_t)w;
}

static int watch(struct ftp *f, int op, int fd, uint32_t events, uint64_t id)
{
    struct epoll_event ev = {.events = events, .data.u64 = id};

    return epoll_ctl(f->epoll, op, fd, &ev) == 0 ? 0 : ERR_IO;
}

static void fd_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void peer_text(const struct client *c, char out[INET_ADDRSTRLEN])
{
    if (inet_ntop(AF_INET, &c->peer, out, INET_ADDRSTRLEN) == NULL)
        out[0] = '\0';
}

static void client_free(struct ftp *f, struct client *c)
{
    fd_drop(&c->fd);
    fd_drop(&c->listener);
    fd_drop(&c->data);
    fd_drop(&c->file);
    buf_free(&c->out);
    buf_free(&c->list);
    c->gen = 0;
    f->live--;
}

/* What is to be said is said, and no more heard. */
static void client_leave(struct ftp *f, struct client *c)
{
    c->leaving = true;
    c->in_n = 0;
    c->due_ms = f->now_ms + BYE_MS;
}

static void idle_restart(const struct ftp *f, struct client *c)
{
    c->due_ms = f->now_ms + (int64_t)f->cfg.idle_s * 1000;
}

/* ---- the data connection ---- */

/* What the client's side has acknowledged: on a slow line the kernel holds much more. */
static int64_t taken(const struct client *c)
{
    int left = 0;

    return c->data >= 0 && ioctl(c->data, SIOCOUTQ, &left) == 0 && left < c->at ? c->at - left
                                                                                : c->at;
}

static void told(struct ftp *f, struct client *c, enum ftp_stage stage)
{
    char peer[INET_ADDRSTRLEN];
    struct ftp_progress p = {stage, c->from, taken(c), peer};

    peer_text(c, peer);
    c->told_ms = f->now_ms;
    f->cfg.told(f->cfg.ctx, &c->grant, &p);
}

static void data_end(struct ftp *f, struct client *c, enum ftp_end how)
{
    if (c->file >= 0 && c->sending >= FLOWS)
        told(f, c, how == FTP_SENT && c->at == c->grant.file.size ? FTP_WHOLE : FTP_BROKE_OFF);
    fd_drop(&c->listener);
    fd_drop(&c->data);
    fd_drop(&c->file);
    buf_reset(&c->list);
    c->sending = QUIET;
    c->wake_ms = 0;
    idle_restart(f, c);
    ftp_talk_ended(&c->talk, how, &c->out);
}

/* The connection is there and something waits to be sent. */
static void data_begin(struct ftp *f, struct client *c)
{
    int op = c->talk.port != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD; /* PORT: it is watched already */

    fd_drop(&c->listener);
    if (watch(f, op, c->data, EPOLLOUT, event_id(f, c, DATA)) != 0) {
        data_end(f, c, FTP_NO_DATA);
        return;
    }
    c->sending = FLOWS;
    c->begun_ms = f->now_ms;
    c->mark = c->at;
    idle_restart(f, c);
    ftp_talk_begun(&c->talk, &c->out);
    if (c->file >= 0)
        told(f, c, FTP_FLOWS);
}

static int data_dial(struct ftp *f, struct client *c)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(c->talk.port), .sin_addr = c->peer};

    c->data = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->data < 0)
        return ERR_IO;
    if (connect(c->data, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
        return ERR_IO;
    return watch(f, EPOLL_CTL_ADD, c->data, EPOLLOUT, event_id(f, c, DATA));
}

static void data_wanted(struct ftp *f, struct client *c, bool file)
{
    c->from = c->at = file ? c->talk.from : 0;
    if (file && f->cfg.open(f->cfg.ctx, &c->grant, &c->file) != 0) {
        c->file = -1;
        data_end(f, c, FTP_GONE);
        return;
    }
    if (!file)
        ftp_talk_listing(&c->talk, &c->list);
    c->end = file ? c->grant.file.size : (int64_t)c->list.n;
    c->sending = WAITS;
    c->due_ms = f->now_ms + DATA_MS;
    if (c->data >= 0)
        data_begin(f, c);
    else if (c->listener < 0 && data_dial(f, c) != 0)
        data_end(f, c, FTP_NO_DATA);
}

static int port_bind(const struct client *c, uint16_t port, int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = c->local};
    socklen_t n = sizeof(at);
    int on = 1;

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return ERR_IO;
    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(*fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(*fd, 4) == 0 &&
        getsockname(*fd, (struct sockaddr *)&at, &n) == 0)
        return ntohs(at.sin_port);
    fd_drop(fd);
    return ERR_BUSY;
}

/* A port of the range, not the first: who comes next shall not know it. */
static void data_listen(struct ftp *f, struct client *c)
{
    uint32_t first = f->cfg.passive_from, n = first ? f->cfg.passive_to - first + 1u : 1;
    uint32_t at = (uint32_t)(os_random_u64() % n);
    int port = ERR_BUSY;

    fd_drop(&c->listener);
    fd_drop(&c->data);
    c->talk.port = 0;
    for (uint32_t i = 0; i < n && i < PORTS_TRIED && port < 0; i++)
        port = port_bind(c, (uint16_t)(first ? first + (at + i) % n : 0), &c->listener);
    if (port > 0 && watch(f, EPOLL_CTL_ADD, c->listener, EPOLLIN, event_id(f, c, LISTENER)) != 0) {
        fd_drop(&c->listener);
        port = ERR_IO;
    }
    ftp_talk_listening(&c->talk, f->address, port > 0 ? (uint16_t)port : 0, &c->out);
}

static void data_accept(struct ftp *f, struct client *c)
{
    struct sockaddr_in from = {0};
    socklen_t n = sizeof(from);
    int fd = accept4(c->listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    char peer[INET_ADDRSTRLEN];

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            fd_drop(&c->listener); /* no descriptors: it would tell us again and again */
        if (c->listener < 0 && c->sending == WAITS)
            data_end(f, c, FTP_NO_DATA);
        return;
    }
    if (from.sin_addr.s_addr != c->peer.s_addr) {
        peer_text(c, peer);
        log_line(LOG_NOTE, "ftp", 0, "a stranger came to the data port of %s", peer);
        close(fd);
        return;
    }
    fd_drop(&c->listener);
    c->data = fd;
    if (c->sending == WAITS)
        data_begin(f, c);
}

/* How many bytes may go now; at 0 the tick tries again. */
static int64_t flow_room(const struct ftp *f, const struct client *c)
{
    int64_t left = c->end - c->at, may = left;

    if (f->cfg.rate > 0)
        may = CHUNK / 4 + f->cfg.rate * (f->now_ms - c->begun_ms) / 1000 - (c->at - c->from);
    may = may < left ? may : left;
    return may < 0 ? 0 : may < CHUNK ? may : CHUNK;
}

static ssize_t flow_some(struct client *c, int64_t n)
{
    off_t at = c->at;

    if (c->file >= 0)
        return sendfile(c->data, c->file, &at, (size_t)n);
    return send(c->data, c->list.p + c->at, (size_t)n, MSG_NOSIGNAL);
}

static void drain(struct ftp *f, struct client *c)
{
    int left = 0, err = 0;
    socklen_t n = sizeof(err);

    if (getsockopt(c->data, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0 ||
        ioctl(c->data, SIOCOUTQ, &left) != 0)
        data_end(f, c, FTP_BROKEN);
    else if (left == 0)
        data_end(f, c, FTP_SENT);
    else
        c->wake_ms = f->now_ms + TICK_MS;
}

static void flow(struct ftp *f, struct client *c)
{
    ssize_t got = 1;

    for (int64_t turn = 0; turn < FLOW_BYTES && c->at < c->end && got > 0; turn += got) {
        int64_t may = flow_room(f, c);

        if (may == 0) {
            c->wake_ms = f->now_ms + TICK_MS;
            (void)watch(f, EPOLL_CTL_MOD, c->data, 0, event_id(f, c, DATA));
            return;
        }
        got = flow_some(c, may);
        c->at += got > 0 ? got : 0;
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        data_end(f, c, FTP_BROKEN); /* 0: the file is shorter than it was */
        return;
    }
    if (c->file >= 0 && f->now_ms - c->told_ms >= TOLD_MS)
        told(f, c, FTP_FLOWS);
    if (c->at < c->end)
        return;
    shutdown(c->data, SHUT_WR);
    (void)watch(f, EPOLL_CTL_DEL, c->data, 0, 0);
    c->sending = DRAINS;
    drain(f, c);
}

static void data_event(struct ftp *f, struct client *c, uint32_t events)
{
    int err = 0;
    socklen_t n = sizeof(err);

    if (c->sending == WAITS) {
        if (getsockopt(c->data, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0)
            data_end(f, c, FTP_NO_DATA);
        else
            data_begin(f, c);
    } else if (c->sending == FLOWS) {
        if (events & (EPOLLERR | EPOLLHUP))
            data_end(f, c, FTP_BROKEN);
        else
            flow(f, c);
    }
}

/* ---- the control connection ---- */

static enum ftp_act judge(struct ftp *f, struct client *c)
{
    char peer[INET_ADDRSTRLEN];
    int err =
        f->cfg.judge(f->cfg.ctx, str_from_c(c->talk.user), str_from_c(c->talk.password), &c->grant);

    crypto_wipe(c->talk.password, sizeof(c->talk.password));
    if (err == 0)
        return ftp_talk_judged(&c->talk, &c->grant.file, &c->out);
    peer_text(c, peer);
    log_line(LOG_NOTE, "ftp", 0, "%s is refused: %s", peer, err_text(err, LANG_EN));
    c->held_ms = f->now_ms + GUESS_MS;
    return ftp_talk_judged(&c->talk, NULL, &c->out);
}

static void act_do(struct ftp *f, struct client *c, enum ftp_act act)
{
    if (act == FTP_LOGIN)
        act = judge(f, c);
    if (act == FTP_LISTEN) {
        data_listen(f, c);
    } else if (act == FTP_DIAL) {
        fd_drop(&c->listener);
        fd_drop(&c->data);
    } else if (act == FTP_SEND || act == FTP_LIST) {
        data_wanted(f, c, act == FTP_SEND);
    } else if (act == FTP_ABORT) {
        data_end(f, c, FTP_BROKEN);
    } else if (act == FTP_QUIT) {
        client_leave(f, c);
    }
}

/* Only a command that was understood, of who is logged in, shows that somebody is there. True when
 * lines may be left for want of room for their replies. */
static bool talk(struct ftp *f, struct client *c)
{
    enum ftp_act act;

    while (c->in_n > 0 && c->out.n < OUT_FULL && c->held_ms == 0) {
        size_t used = ftp_talk_take(&c->talk, str_from(c->in, c->in_n), &c->out, &act);

        if (used == 0)
            break;
        c->in_n -= used;
        memmove(c->in, c->in + used, c->in_n);
        act_do(f, c, act);
    }
    if (c->talk.in && c->talk.commands != c->seen && c->sending == QUIET && !c->leaving)
        idle_restart(f, c);
    c->seen = c->talk.commands;
    return c->in_n > 0 && c->out.n >= OUT_FULL;
}

/* False: the client is gone. */
static bool flush(struct client *c)
{
    while (c->out.n > 0) {
        ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        buf_drop(&c->out, (size_t)n);
    }
    return !c->leaving || c->held_ms != 0;
}

/* After whatever touched a client: replies leave, and epoll learns what is waited for. It tells of new
 * bytes only, so no line that could be answered is left behind. */
static void settle(struct ftp *f, struct client *c)
{
    uint32_t mask = 0;
    bool more = true;

    while (more) {
        more = talk(f, c);
        if (c->out.err != 0 || (c->held_ms == 0 && !flush(c))) {
            client_free(f, c);
            return;
        }
        more = more && c->out.n < OUT_FULL;
    }
    if (c->held_ms == 0 && c->out.n > 0)
        mask = EPOLLOUT;
    else if (c->held_ms == 0 && c->in_n < IN_SIZE && !c->leaving)
        mask = EPOLLIN;
    if (mask != c->mask && watch(f, EPOLL_CTL_MOD, c->fd, mask, event_id(f, c, CONTROL)) != 0)
        client_free(f, c);
    c->mask = mask;
}

/* False: the client is gone. */
static bool hear(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_n, IN_SIZE - c->in_n, 0);

    if (n > 0)
        c->in_n += (size_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void client_event(struct ftp *f, struct client *c, enum which w, uint32_t events)
{
    if (w == CONTROL && ((events & (EPOLLERR | EPOLLHUP)) ||
                         ((events & EPOLLIN) && c->in_n < IN_SIZE && !hear(c)))) {
        if (c->sending >= FLOWS)
            data_end(f, c, FTP_BROKEN);
        client_free(f, c);
        return;
    }
    if (w == LISTENER && c->listener >= 0)
        data_accept(f, c);
    else if (w == DATA && c->data >= 0)
        data_event(f, c, events);
    settle(f, c);
}

/* ---- who comes ---- */

static struct client *place_find(struct ftp *f)
{
    struct client *oldest = NULL;

    for (uint32_t i = 0; i < f->cfg.connections; i++) {
        struct client *c = &f->clients[i];

        if (c->gen == 0)
            return c;
        if (!c->talk.in && (oldest == NULL || c->came_ms < oldest->came_ms))
            oldest = c;
    }
    if (oldest != NULL)
        client_free(f, oldest);
    return oldest;
}

static uint32_t from_there(const struct ftp *f, struct in_addr a)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->cfg.connections; i++)
        n += f->clients[i].gen != 0 && f->clients[i].peer.s_addr == a.s_addr;
    return n;
}

static void client_new(struct ftp *f, struct client *c, int fd, struct in_addr peer)
{
    struct sockaddr_in local = {0};
    socklen_t n = sizeof(local);
    int on = 1;

    *c = (struct client){.fd = fd, .listener = -1, .data = -1, .file = -1, .peer = peer};
    c->gen = f->gen = f->gen == UINT32_MAX ? 1 : f->gen + 1;
    c->came_ms = f->now_ms;
    c->due_ms = f->now_ms + LOGIN_MS;
    buf_init(&c->out, OUT_MAX);
    buf_init(&c->list, 256);
    f->live++;
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)); /* the end of an urgent ABOR */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ftp_talk_start(&c->talk, (const uint8_t *)&peer, &c->out);
    if (getsockname(fd, (struct sockaddr *)&local, &n) != 0 ||
        watch(f, EPOLL_CTL_ADD, fd, 0, event_id(f, c, CONTROL)) != 0) {
        client_free(f, c);
        return;
    }
    c->local = local.sin_addr;
    settle(f, c);
}

/* No descriptors: who waits in the queue would be told again and again. */
static void accept_pause(struct ftp *f)
{
    f->paused_ms = f->now_ms + PAUSE_MS;
    (void)watch(f, EPOLL_CTL_MOD, f->listener, 0, 0);
}

static void accept_some(struct ftp *f)
{
    static const char full[] = "421 Too many connections\r\n";
    struct sockaddr_in from = {0};
    socklen_t n = sizeof(from);

    for (int i = 0; i < ACCEPTS; i++, n = sizeof(from)) {
        int fd = accept4(f->listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct client *c = NULL;

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                accept_pause(f);
            return;
        }
        if (from_there(f, from.sin_addr) < f->cfg.per_address)
            c = place_find(f);
        if (c != NULL) {
            client_new(f, c, fd, from.sin_addr);
            continue;
        }
        (void)!send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL);
        close(fd);
    }
}

/* ---- time ---- */

static void expire(struct ftp *f, struct client *c)
{
    int64_t moved = taken(c) - c->mark;

    if (c->leaving) {
        client_free(f, c);
        return;
    }
    if (c->sending == WAITS) {
        data_end(f, c, FTP_NO_DATA);
        return;
    }
    if (c->sending >= FLOWS && (moved >= SLOW_BYTES || (c->sending == DRAINS && moved > 0))) {
        c->mark += moved;
        idle_restart(f, c);
        return;
    }
    if (c->sending != QUIET)
        data_end(f, c, FTP_BROKEN);
    buf_put_c(&c->out, "421 Too slow\r\n");
    client_leave(f, c);
}

static void tick(struct ftp *f, struct client *c)
{
    bool held = c->held_ms != 0 && c->held_ms <= f->now_ms;
    bool wake = c->wake_ms != 0 && c->wake_ms <= f->now_ms;

    if (c->due_ms > f->now_ms && !held && !wake)
        return;
    if (held)
        c->held_ms = 0;
    if (wake) {
        c->wake_ms = 0;
        if (c->sending == DRAINS)
            drain(f, c);
        else if (c->sending == FLOWS &&
                 watch(f, EPOLL_CTL_MOD, c->data, EPOLLOUT, event_id(f, c, DATA)) == 0)
            flow(f, c);
    }
    if (c->due_ms <= f->now_ms)
        expire(f, c);
    if (c->gen != 0)
        settle(f, c);
}

static int64_t soonest(const struct ftp *f)
{
    int64_t at = f->paused_ms != 0 ? f->paused_ms : f->now_ms + TURN_MS;

    for (uint32_t i = 0; i < f->cfg.connections; i++) {
        const struct client *c = &f->clients[i];

        if (c->gen == 0)
            continue;
        at = c->due_ms < at ? c->due_ms : at;
        at = c->held_ms != 0 && c->held_ms < at ? c->held_ms : at;
        at = c->wake_ms != 0 && c->wake_ms < at ? c->wake_ms : at;
    }
    return at;
}

static int64_t mono_ms(void)
{
    return os_mono_ns() / 1000000;
}

static void event(struct ftp *f, const struct epoll_event *ev)
{
    uint32_t gen = (uint32_t)(ev->data.u64 >> 32), low = (uint32_t)ev->data.u64;

    if (gen == 0)
        accept_some(f);
    else if (f->clients[low >> 2].gen == gen)
        client_event(f, &f->clients[low >> 2], (enum which)(low & 3), ev->events);
}

static void run(void *arg)
{
    struct ftp *f = arg;
    struct epoll_event events[EVENTS];
    uint64_t stop = 0;

    while (read(f->stop, &stop, sizeof(stop)) < 0) {
        int64_t wait = soonest(f) - mono_ms();
        int n = epoll_wait(f->epoll, events, EVENTS, wait < 0 ? 0 : (int)wait);

        f->now_ms = mono_ms();
        for (int i = 0; i < n; i++)
            event(f, &events[i]);
        if (f->paused_ms != 0 && f->paused_ms <= f->now_ms &&
            watch(f, EPOLL_CTL_MOD, f->listener, EPOLLIN, 0) == 0)
            f->paused_ms = 0;
        for (uint32_t i = 0; i < f->cfg.connections && f->live > 0; i++)
            if (f->clients[i].gen != 0)
                tick(f, &f->clients[i]);
    }
}

/* ---- start and end ---- */

static int listen_open(struct ftp *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(f->cfg.port)};
    socklen_t n = sizeof(at);
    int on = 1;

    if (inet_pton(AF_INET, f->cfg.bind, &at.sin_addr) != 1 ||
        inet_pton(AF_INET, f->cfg.address, f->address) != 1)
        return ERR_SYNTAX;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->listener < 0)
        return ERR_IO;
    setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(f->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(f->listener, SOMAXCONN) != 0)
        return errno == EADDRINUSE ? ERR_BUSY : errno == EACCES ? ERR_DENIED : ERR_IO;
    if (getsockname(f->listener, (struct sockaddr *)&at, &n) != 0)
        return ERR_IO;
    f->port = ntohs(at.sin_port);
    return 0;
}

static int setup(struct ftp *f)
{
    struct ftp_config *c = &f->cfg;
    int err;

    c->connections = c->connections ? c->connections : 128;
    c->per_address = c->per_address ? c->per_address : 16;
    c->idle_s = c->idle_s ? c->idle_s : 60;
    if (c->passive_from > c->passive_to || c->connections > CLIENTS_MAX ||
        (c->passive_to != 0 && c->passive_from == 0))
        return ERR_RANGE;
    f->clients = calloc(c->connections, sizeof(*f->clients));
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    f->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (f->clients == NULL || f->epoll < 0 || f->stop < 0)
        return f->clients == NULL ? ERR_NOMEM : ERR_IO;
    f->now_ms = mono_ms();
    err = listen_open(f);
    if (err == 0)
        err = watch(f, EPOLL_CTL_ADD, f->listener, EPOLLIN, 0);
    if (err == 0)
        err = watch(f, EPOLL_CTL_ADD, f->stop, EPOLLIN, 0);
    return err != 0 ? err : os_thread_start("ftp", run, f, &f->thread);
}

int ftp_start(const struct ftp_config *cfg, struct ftp **out)
{
    struct ftp *f = calloc(1, sizeof(*f));
    int err;

    *out = NULL;
    if (f == NULL)
        return ERR_NOMEM;
    f->cfg = *cfg;
    f->epoll = f->listener = f->stop = -1;
    err = setup(f);
    if (err != 0) {
        ftp_stop(f);
        return err;
    }
    *out = f;
    return 0;
}

uint16_t ftp_port(const struct ftp *f)
{
    return f->port;
}

void ftp_stop(struct ftp *f)
{
    const uint64_t one = 1;

    if (f == NULL)
        return;
    if (f->thread != NULL)
        (void)!write(f->stop, &one, sizeof(one));
    os_thread_join(f->thread);
    for (uint32_t i = 0; f->clients != NULL && i < f->cfg.connections; i++)
        if (f->clients[i].gen != 0)
            client_free(f, &f->clients[i]);
    fd_drop(&f->listener);
    fd_drop(&f->epoll);
    fd_drop(&f->stop);
    free(f->clients);
    free(f);
}
