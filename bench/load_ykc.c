// SPDX-License-Identifier: Apache-2.0
/* load_ykc.c: piles of 云快充 as a load. As load.c: one thread, epoll, loopback, as little work as
 * possible, and the CPU of the server before and after.
 *
 *   bench_load_ykc realtime PORT PID CONNS MS FILE   each charges on its card; a reading (0x13) and
 *                                                    a heartbeat (03) in one write, the next pair
 *                                                    when 04 has come; `done` counts pairs
 *   bench_load_ykc idle PORT PID FIRST N FILE        log-in, prices; then a heartbeat of each of two
 *                                                    guns every ten seconds until its input ends;
 *                                                    each 18,000 dial another address of loopback
 *
 * FILE: pile number TAB any word TAB card. Prints the line of drive.h. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "drive.h"
#include "wire/frame.h"
#include "wire/ykc.h"

enum { PEERS = 18000, INPUT = 1024, TURN = 256, ABREAST = 64, BEAT_MS = 10000 };

struct peer {
    int fd;
    uint32_t got;
    uint16_t seq;
    int64_t started_ns, due_ns;
    char number[15], card[17], order[33];
    char in[INPUT];
};

static struct peer peers[PEERS];
static struct buf body, out;
static uint64_t done;

static void put(struct peer *p, uint8_t type, const void *msg)
{
    struct frame f = {.seq = {(uint8_t)p->seq, (uint8_t)(p->seq >> 8)}, .type = type};
    p->seq++;
    buf_reset(&body);
    if (wire_bin_encode(wire_msg_by_code(&ykc_proto, type)->req, msg, &body) != 0)
        die("a value does not fit");
    f.body = buf_str(&body);
    if (frame_build(&f, &out) != 0)
        die("a frame that is too long");
}

static void flush(const struct peer *p)
{
    send_all(p->fd, out.p, out.n);
    buf_reset(&out);
}

static void fill(struct peer *p)
{
    ssize_t r = recv(p->fd, p->in + p->got, sizeof p->in - p->got, 0);
    if (r <= 0)
        die("connection lost");
    p->got += (uint32_t)r;
}

/* The next whole frame; its body is in the input until `used` bytes are dropped. */
static bool take(struct peer *p, struct frame *f, size_t *used)
{
    return frame_next(str_from(p->in, p->got), f, used, NULL) == 1;
}

static void drop(struct peer *p, size_t used)
{
    memmove(p->in, p->in + used, p->got - used);
    p->got -= (uint32_t)used;
}

/* Blocking, only while setting up: the frame of this type, decoded; others are passed over. */
static void await(struct peer *p, uint8_t type, void *msg)
{
    struct frame f;
    for (bool found = false; !found;) {
        size_t used;
        while (!take(p, &f, &used))
            fill(p);
        found = f.type == type;
        if (found && wire_bin_decode(wire_msg_by_code(&ykc_proto, type)->req, f.body, msg, NULL))
            die("an answer that cannot be read");
        drop(p, used);
    }
}

/* ---- setting up: sent by all, then awaited by all, 64 abreast ---- */

enum setup { SETUP_LOGIN, SETUP_PRICES, SETUP_START, SETUP_END };

/* The session's record: else the next drive would find its card charging. */
static void record_put(struct peer *p)
{
    struct ykc_Record r = {.gun = "01", .mark = 2, .reason = 0x45, .card = "0"};
    int64_t energy = (now_ns() - p->started_ns) / 6000000;
    memcpy(r.order, p->order, sizeof r.order);
    memcpy(r.pile, p->number, sizeof r.pile);
    r.classes[0].energy = r.classes[0].loss = r.energy = r.loss_energy = energy;
    put(p, 0x3b, &r);
}

static void setup_send(struct peer *p, enum setup step, uint16_t port)
{
    if (step == SETUP_LOGIN) {
        struct ykc_Login m = {
            .guns = 2, .version = 16, .program = "BENCH", .network = 1, .sim = "0"};
        p->fd = dial(port);
        memcpy(m.pile, p->number, sizeof m.pile);
        put(p, 0x01, &m);
    } else if (step == SETUP_PRICES) {
        struct ykc_FetchModel m;
        memcpy(m.pile, p->number, sizeof m.pile);
        put(p, 0x09, &m);
    } else if (step == SETUP_END) {
        record_put(p);
    } else {
        struct ykc_StartRequest m = {.gun = "01", .kind = 1};
        memcpy(m.pile, p->number, sizeof m.pile);
        memcpy(m.card, p->card, sizeof m.card);
        put(p, 0x31, &m);
    }
    flush(p);
}

static void setup_await(struct peer *p, enum setup step)
{
    struct ykc_LoginReply login;
    struct ykc_FetchModelReply prices;
    struct ykc_StartDecision start;
    struct ykc_RecordReply end;
    if (step == SETUP_LOGIN) {
        await(p, 0x02, &login);
        if (login.result != 0)
            die("a log-in refused");
    } else if (step == SETUP_PRICES) {
        await(p, 0x0a, &prices);
    } else if (step == SETUP_END) {
        await(p, 0x40, &end);
    } else {
        await(p, 0x32, &start);
        if (start.result != 1)
            die("a card refused");
        memcpy(p->order, start.order, sizeof p->order);
        p->started_ns = now_ns();
    }
}

static void setup_all(int n, enum setup step, uint16_t port)
{
    for (int at = 0; at < n; at += ABREAST) {
        int end = at + ABREAST < n ? at + ABREAST : n;
        for (int i = at; i < end; i++)
            setup_send(&peers[i], step, port);
        for (int i = at; i < end; i++)
            setup_await(&peers[i], step);
    }
}

static void peers_read(const char *path, int first, int n)
{
    FILE *f = fopen(path, "r");
    struct peer skip;
    if (!f || n > PEERS)
        die(path);
    for (int i = 0; i < first + n; i++) {
        struct peer *p = i < first ? &skip : &peers[i - first];
        if (fscanf(f, "%14s %*s %16s", p->number, p->card) != 2)
            die("not enough piles in the file");
    }
    fclose(f);
}

/* ---- driving ---- */

static void beat_put(struct peer *p, const char *gun)
{
    struct ykc_Heartbeat m;
    memset(&m, 0, sizeof m);
    memcpy(m.pile, p->number, sizeof m.pile);
    memcpy(m.gun, gun, 3);
    put(p, 0x03, &m);
}

/* 60 kW, so that what is billed is plausible. */
static void pair_send(struct peer *p, int64_t now)
{
    struct ykc_RealtimeData d = {.gun = "01",
                                 .state = 3,
                                 .plugged = 1,
                                 .voltage = 4000,
                                 .current = 1500,
                                 .cable_code = "0",
                                 .soc = 57,
                                 .battery_temp = 30,
                                 .energy = (now - p->started_ns) / 6000000};
    memcpy(d.order, p->order, sizeof d.order);
    memcpy(d.pile, p->number, sizeof d.pile);
    d.loss_energy = d.energy;
    d.amount = d.energy * 12 / 10;
    p->due_ns = now;
    put(p, 0x13, &d);
    beat_put(p, "01");
    flush(p);
}

static void input(struct peer *p, int64_t now)
{
    struct frame f;
    size_t used;
    fill(p);
    while (take(p, &f, &used)) {
        drop(p, used);
        if (f.type != 0x04)
            continue; /* what the platform asks by itself */
        latency_note(now - p->due_ns);
        done++;
        pair_send(p, now);
    }
}

static int run_realtime(char **v)
{
    struct epoll_event ready[TURN];
    uint16_t port = (uint16_t)strtol(v[0], NULL, 10);
    int pid = (int)strtol(v[1], NULL, 10), conns = (int)strtol(v[2], NULL, 10);
    int64_t ns = strtol(v[3], NULL, 10) * 1000000LL;
    peers_read(v[4], 0, conns);
    for (int step = SETUP_LOGIN; step <= SETUP_START; step++)
        setup_all(conns, (enum setup)step, port);
    int ep = watch_new();
    for (int i = 0; i < conns; i++)
        watch_add(ep, peers[i].fd, &peers[i]);
    int64_t start = now_ns(), cpu = cpu_ns(pid), end = start + ns;
    for (int i = 0; i < conns; i++)
        pair_send(&peers[i], now_ns());
    while (now_ns() < end) {
        int got = epoll_wait(ep, ready, TURN, 100);
        int64_t now = now_ns();
        for (int i = 0; i < got; i++)
            input(ready[i].data.ptr, now);
    }
    report(done, now_ns() - start, cpu_ns(pid) - cpu);
    setup_all(conns, SETUP_END, port);
    return 0;
}

/* Beats spread over the ten seconds; what comes is read and dropped. */
static void beats(int n)
{
    struct pollfd input_end = {.fd = 0, .events = POLLIN};
    char waste[4096];
    int64_t start = now_ns();
    for (uint64_t sent = 0; poll(&input_end, 1, 1) == 0;) {
        uint64_t due = (uint64_t)((now_ns() - start) / 1000000) * (uint64_t)n / BEAT_MS;
        for (; sent < due; sent++) {
            struct peer *p = &peers[sent % (uint64_t)n];
            beat_put(p, "01");
            beat_put(p, "02");
            flush(p);
            while (recv(p->fd, waste, sizeof waste, MSG_DONTWAIT) > 0)
                ;
        }
    }
}

static int run_idle(char **v)
{
    uint16_t port = (uint16_t)strtol(v[0], NULL, 10);
    int pid = (int)strtol(v[1], NULL, 10), n = (int)strtol(v[3], NULL, 10);
    int first = (int)strtol(v[2], NULL, 10);
    dial_at((uint8_t)(1 + first / PEERS));
    peers_read(v[4], first, n);
    int64_t start = now_ns(), cpu = cpu_ns(pid);
    setup_all(n, SETUP_LOGIN, port);
    setup_all(n, SETUP_PRICES, port);
    report((uint64_t)n, now_ns() - start, cpu_ns(pid) - cpu);
    beats(n);
    return 0;
}

int main(int argc, char **argv)
{
    buf_init(&body, FRAME_BODY_MAX);
    buf_init(&out, 2 * FRAME_MAX);
    if (argc == 7 && strcmp(argv[1], "realtime") == 0)
        return run_realtime(argv + 2);
    if (argc == 7 && strcmp(argv[1], "idle") == 0)
        return run_idle(argv + 2);
    fprintf(stderr, "usage: see the head of load_ykc.c\n");
    return 2;
}
