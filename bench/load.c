// SPDX-License-Identifier: Apache-2.0
/* load.c: the load generator and the floor of the charger path. One thread, epoll, loopback only;
 * it ends by itself. It does as little as it can, so that two cores are enough for both ends, and
 * reads the CPU of the server (all threads, ns) before and after what it drives.
 *
 *   bench_load echo PORT OUT                         raw TCP epoll server: one recv, one send of OUT
 *   bench_load raw PORT PID CONNS MS IN OUT          drives it, one message outstanding each
 *   bench_load heartbeat PORT PID CONNS MS FILE RATE OCPP 1.6J; FILE: id TAB password TAB card;
 *                                                    RATE 0 = closed loop, else messages a second
 *                                                    on a fixed schedule
 *   bench_load meter PORT PID CONNS MS FILE RATE     the same, in open transactions
 *   bench_load orders PORT PID CONNS MS FILE         whole orders by card, eight calls each
 *   bench_load boot PORT PID FIRST N FILE            log-in, boot, two status notifications;
 *                                                    stays connected until its input ends
 *   bench_load startup EVEN DIR PORT N FILE          starts the server, prints ms from exec to the
 *                                                    N-th boot answered, ends the server
 *
 * Prints: done seconds cpu_ns p50_us p99_us (drive.h). Latency is counted from when a message was due. It
 * fails with one line and exit code 1: a lost connection or a refused card is no figure. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"
#include "drive.h"

enum { PEERS = 20000, FRAME = 1024, INPUT = 2048, TURN = 256, READINGS = 5 };

struct peer {
    int fd;
    uint32_t got;       /* bytes in `in` */
    int step;           /* of the order: 0 authorize, 1 start, 2…6 readings, 7 stop */
    long long tx;       /* transaction id */
    int64_t energy_wh;  /* register at the start of the transaction */
    int64_t started_ns; /* of the transaction */
    int64_t due_ns;     /* when the outstanding message was due */
    bool out;           /* one is outstanding */
    char id[40], password[40], card[24];
    char in[INPUT];
};

static struct peer peers[PEERS];
static uint64_t done;
static const char *kind;

/* ---- the floor ---- */

static void echo_accept(int ep, int ls)
{
    int one = 1, fd = accept(ls, NULL, NULL);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static _Noreturn void echo_serve(uint16_t port, size_t out)
{
    static char in[65536], reply[FRAME];
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int ls = socket(AF_INET, SOCK_STREAM, 0), one = 1, ep = epoll_create1(0);
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (out > sizeof reply || bind(ls, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(ls, 4096) != 0)
        die("listen");
    struct epoll_event e = {.events = EPOLLIN, .data.fd = ls}, ready[TURN];
    if (epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e) != 0)
        die("epoll_ctl");
    for (;;) {
        int n = epoll_wait(ep, ready, TURN, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == ls)
                echo_accept(ep, ls);
            else if (recv(fd, in, sizeof in, 0) <= 0 || send(fd, reply, out, MSG_NOSIGNAL) < 0)
                close(fd);
        }
    }
}

/* ---- WebSocket ---- */

static void text_send(struct peer *p, const char *text)
{
    char f[FRAME];
    size_t n = strlen(text), at = 0;
    if (n + 8 > sizeof f)
        die("a text that is too long");
    f[at++] = (char)0x81;
    if (n < 126) {
        f[at++] = (char)(0x80 | n);
    } else {
        f[at++] = (char)(0x80 | 126);
        f[at++] = (char)(n >> 8);
        f[at++] = (char)n;
    }
    memcpy(f + at, "\x11\x22\x33\x44", 4);
    at += 4;
    for (size_t i = 0; i < n; i++)
        f[at + i] = (char)(text[i] ^ (0x11 * (int)((i & 3) + 1)));
    send_all(p->fd, f, at + n);
}

static void upgrade_send(struct peer *p, uint16_t port)
{
    char auth[160], plain[100], request[640];
    int n = snprintf(plain, sizeof plain, "%s:%s", p->id, p->password);
    base64_encode(plain, (size_t)n, auth);
    n = snprintf(request, sizeof request,
                 "GET /ocpp/%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
                 "Authorization: Basic %s\r\n\r\n",
                 p->id, port, auth);
    send_all(p->fd, request, (size_t)n);
}

static void upgraded(struct peer *p)
{
    char answer[1024];
    ssize_t got = recv(p->fd, answer, sizeof answer - 1, 0);
    if (got < 12 || memcmp(answer, "HTTP/1.1 101", 12) != 0)
        die("upgrade refused");
}

/* One whole text frame out of the input, NUL-terminated in `text`; false when there is none. Pings
 * are not answered: no drive lasts that long. */
static bool frame_take(struct peer *p, char text[INPUT])
{
    const unsigned char *b = (const unsigned char *)p->in;
    uint32_t head = 2, n;
    if (p->got < 4)
        return false;
    n = b[1];
    if (n == 126) {
        n = (uint32_t)b[2] << 8 | b[3];
        head = 4;
    }
    if (p->got < head + n)
        return false;
    if (b[0] != 0x81)
        n = 0;
    memcpy(text, p->in + head, n);
    text[n] = 0;
    n = head + (b[0] == 0x81 ? n : b[1]);
    memmove(p->in, p->in + n, p->got - n);
    p->got -= n;
    return true;
}

static void fill(struct peer *p)
{
    ssize_t r = recv(p->fd, p->in + p->got, sizeof p->in - 1 - p->got, 0);
    if (r <= 0)
        die("connection lost");
    p->got += (uint32_t)r;
}

/* Blocking, only while setting up: the next answer to a call of ours. */
static void answer_wait(struct peer *p, char answer[INPUT])
{
    do {
        while (!frame_take(p, answer))
            fill(p);
    } while (strncmp(answer, "[3,", 3) != 0 && strncmp(answer, "[4,", 3) != 0);
    if (answer[1] == '4')
        die(answer);
}

/* ---- messages ---- */

static void time_text(char out[32])
{
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%03dZ", (int)(t.tv_nsec / 1000000));
}

static const char boot_text[] =
    "[2,\"0\",\"BootNotification\",{\"chargePointVendor\":\"Vendor\",\"chargePointModel\":\"Model "
    "120\",\"chargePointSerialNumber\":\"SN-000123\",\"firmwareVersion\":\"1.4.2\"}]";

static void status_send(struct peer *p, int connector)
{
    char text[256], at[32];
    time_text(at);
    snprintf(text, sizeof text,
             "[2,\"s%d\",\"StatusNotification\",{\"connectorId\":%d,\"errorCode\":\"NoError\","
             "\"status\":\"Available\",\"timestamp\":\"%s\"}]",
             connector, connector, at);
    text_send(p, text);
}

/* A register that follows 60 kW, so that what is billed is plausible. */
static int64_t energy_now(const struct peer *p, int64_t now)
{
    return p->energy_wh + (now - p->started_ns) / 60000000;
}

static void meter_send(struct peer *p, int64_t now)
{
    char text[640], at[32];
    time_text(at);
    snprintf(text, sizeof text,
             "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":%lld,\"meterValue\":[{"
             "\"timestamp\":\"%s\",\"sampledValue\":[{\"value\":\"%lld\",\"measurand\":"
             "\"Energy.Active.Import.Register\",\"unit\":\"Wh\"},{\"value\":\"60000\","
             "\"measurand\":\"Power.Active.Import\",\"unit\":\"W\"},{\"value\":\"57\","
             "\"measurand\":\"SoC\",\"unit\":\"Percent\"},{\"value\":\"410.5\",\"measurand\":"
             "\"Voltage\",\"unit\":\"V\"}]}]}]",
             p->tx, at, (long long)energy_now(p, now));
    text_send(p, text);
}

static void start_send(struct peer *p, int64_t now)
{
    char text[256], at[32];
    time_text(at);
    p->started_ns = now;
    snprintf(
        text, sizeof text,
        "[2,\"1\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"%s\",\"meterStart\":%lld,"
        "\"timestamp\":\"%s\"}]",
        p->card, (long long)p->energy_wh, at);
    text_send(p, text);
}

static void stop_send(struct peer *p, int64_t now)
{
    char text[256], at[32];
    time_text(at);
    p->energy_wh = energy_now(p, now);
    snprintf(text, sizeof text,
             "[2,\"1\",\"StopTransaction\",{\"transactionId\":%lld,\"idTag\":\"%s\",\"meterStop\":"
             "%lld,\"timestamp\":\"%s\",\"reason\":\"Local\"}]",
             p->tx, p->card, (long long)p->energy_wh, at);
    text_send(p, text);
}

static void tx_take(struct peer *p, const char *text)
{
    const char *at = strstr(text, "\"transactionId\":");
    if (!at || !strstr(text, "\"Accepted\""))
        die(text);
    p->tx = strtoll(at + 16, NULL, 10);
}

/* ---- driving ---- */

static void step_send(struct peer *p, int64_t now)
{
    char text[128];
    p->out = true;
    p->due_ns = now;
    if (strcmp(kind, "heartbeat") == 0) {
        text_send(p, "[2,\"1\",\"Heartbeat\",{}]");
    } else if (strcmp(kind, "meter") == 0 || (p->step >= 2 && p->step < 2 + READINGS)) {
        meter_send(p, now);
    } else if (p->step == 0) {
        snprintf(text, sizeof text, "[2,\"1\",\"Authorize\",{\"idTag\":\"%s\"}]", p->card);
        text_send(p, text);
    } else if (p->step == 1) {
        start_send(p, now);
    } else {
        stop_send(p, now);
    }
}

static void answered(struct peer *p, const char *text, int64_t now)
{
    latency_note(now - p->due_ns);
    p->out = false;
    if (strcmp(kind, "orders") != 0) {
        done++;
        return;
    }
    if (p->step == 1)
        tx_take(p, text);
    else if (p->step == 0 && !strstr(text, "\"Accepted\""))
        die(text);
    p->step = (p->step + 1) % (READINGS + 3);
    done += p->step == 0;
}

/* Everything that has come on one connection; closed loop: the next message at once. */
static void input(struct peer *p, int64_t now, bool closed)
{
    char text[INPUT];
    fill(p);
    while (frame_take(p, text)) {
        if (strncmp(text, "[3,", 3) == 0) {
            answered(p, text, now);
            if (closed)
                step_send(p, now);
        } else if (strncmp(text, "[2,", 3) == 0) { /* a charger that supports nothing */
            char refusal[128];
            snprintf(refusal, sizeof refusal, "[4,%.*s,\"NotSupported\",\"\",{}]",
                     (int)(strcspn(text + 3, ",") % 60), text + 3);
            text_send(p, refusal);
        } else if (text[0]) {
            die(text);
        }
    }
}

static int watch_all(int conns)
{
    int ep = watch_new();
    for (int i = 0; i < conns; i++)
        watch_add(ep, peers[i].fd, &peers[i]);
    return ep;
}

static void drive_closed(int ep, int conns, int64_t end)
{
    struct epoll_event ready[TURN];
    for (int i = 0; i < conns; i++)
        step_send(&peers[i], now_ns());
    while (now_ns() < end) {
        int got = epoll_wait(ep, ready, TURN, 100);
        int64_t now = now_ns();
        for (int i = 0; i < got; i++)
            input(ready[i].data.ptr, now, true);
    }
}

/* Messages are due on a schedule whatever the server does; a connection whose answer is late is
 * sent its message late, and the wait counts. */
static void drive_open(int ep, int conns, int64_t end, int64_t gap)
{
    struct epoll_event ready[TURN];
    int64_t due = now_ns();
    for (int at = 0; now_ns() < end;) {
        int64_t now = now_ns();
        for (; due <= now && !peers[at].out; due += gap, at = (at + 1) % conns) {
            step_send(&peers[at], now);
            peers[at].due_ns = due;
        }
        int got = epoll_wait(ep, ready, TURN, due - now > 1000000 ? 1 : 0);
        now = now_ns();
        for (int i = 0; i < got; i++)
            input(ready[i].data.ptr, now, false);
    }
}

/* The answers still out, so that the connection is quiet. */
static void drain(int conns)
{
    char text[INPUT];
    for (int i = 0; i < conns; i++)
        while (peers[i].out) {
            while (!frame_take(&peers[i], text))
                fill(&peers[i]);
            if (strncmp(text, "[3,", 3) == 0)
                peers[i].out = false;
        }
}

/* ---- runs ---- */

static void peers_read(const char *path, int first, int n)
{
    FILE *f = fopen(path, "r");
    struct peer skip;
    int at = 0;
    if (!f || n > PEERS)
        die(path);
    for (int i = 0; i < first + n; i++) {
        struct peer *p = i < first ? &skip : &peers[at++];
        if (fscanf(f, "%39s %39s %23s", p->id, p->password, p->card) != 3)
            die("not enough chargers in the file");
        p->energy_wh = 100000;
    }
    fclose(f);
}

/* A step of setting up: sent by all, then awaited by all, 64 abreast, so that the listen queue is
 * never full and the server commits them together. */
enum setup { SETUP_LOGIN, SETUP_BOOT, SETUP_STATUS_1, SETUP_STATUS_2, SETUP_START, SETUP_STOP };

static void setup_send(struct peer *p, enum setup step, uint16_t port)
{
    if (step == SETUP_LOGIN) {
        p->fd = dial(port);
        upgrade_send(p, port);
    } else if (step == SETUP_BOOT) {
        text_send(p, boot_text);
    } else if (step == SETUP_STATUS_1 || step == SETUP_STATUS_2) {
        status_send(p, step == SETUP_STATUS_1 ? 1 : 2);
    } else if (step == SETUP_START) {
        start_send(p, now_ns());
    } else {
        stop_send(p, now_ns());
    }
}

static void setup_all(int n, enum setup step, uint16_t port)
{
    enum { ABREAST = 64 };
    char answer[INPUT];
    for (int at = 0; at < n; at += ABREAST) {
        int end = at + ABREAST < n ? at + ABREAST : n;
        for (int i = at; i < end; i++)
            setup_send(&peers[i], step, port);
        for (int i = at; i < end; i++) {
            if (step == SETUP_LOGIN)
                upgraded(&peers[i]);
            else
                answer_wait(&peers[i], answer);
            if (step == SETUP_START)
                tx_take(&peers[i], answer);
        }
    }
}

static void boot_all(int n, uint16_t port)
{
    for (int step = SETUP_LOGIN; step <= SETUP_STATUS_2; step++)
        setup_all(n, (enum setup)step, port);
}

static int run_ocpp(char **v, int64_t rate)
{
    uint16_t port = (uint16_t)strtol(v[0], NULL, 10);
    int pid = (int)strtol(v[1], NULL, 10), conns = (int)strtol(v[2], NULL, 10);
    int64_t ns = strtol(v[3], NULL, 10) * 1000000LL;
    peers_read(v[4], 0, conns);
    boot_all(conns, port);
    bool meter = strcmp(kind, "meter") == 0;
    if (meter)
        setup_all(conns, SETUP_START, port);
    int ep = watch_all(conns);
    int64_t start = now_ns(), cpu = cpu_ns(pid);
    if (rate)
        drive_open(ep, conns, start + ns, 1000000000 / rate);
    else
        drive_closed(ep, conns, start + ns);
    report(done, now_ns() - start, cpu_ns(pid) - cpu);
    drain(conns);
    if (meter)
        setup_all(conns, SETUP_STOP, port);
    return 0;
}

static int run_raw(char **v)
{
    static char frame[FRAME], in[INPUT];
    int pid = (int)strtol(v[1], NULL, 10), conns = (int)strtol(v[2], NULL, 10);
    size_t out = (size_t)strtol(v[4], NULL, 10), want = (size_t)strtol(v[5], NULL, 10);
    if (conns > PEERS || out > sizeof frame)
        return 2;
    for (int i = 0; i < conns; i++)
        peers[i].fd = dial((uint16_t)strtol(v[0], NULL, 10));
    int ep = watch_all(conns);
    struct epoll_event ready[TURN];
    int64_t start = now_ns(), cpu = cpu_ns(pid), end = start + strtol(v[3], NULL, 10) * 1000000LL;
    for (int i = 0; i < conns; i++)
        send_all(peers[i].fd, frame, out);
    while (now_ns() < end) {
        int got = epoll_wait(ep, ready, TURN, 100);
        for (int i = 0; i < got; i++) {
            struct peer *p = ready[i].data.ptr;
            ssize_t r = recv(p->fd, in, sizeof in, 0);
            if (r <= 0)
                die("connection lost");
            p->got += (uint32_t)r;
            if (p->got < want)
                continue;
            p->got = 0;
            done++;
            send_all(p->fd, frame, out);
        }
    }
    report(done, now_ns() - start, cpu_ns(pid) - cpu);
    return 0;
}

static int run_boot(char **v)
{
    int pid = (int)strtol(v[1], NULL, 10), n = (int)strtol(v[3], NULL, 10);
    peers_read(v[4], (int)strtol(v[2], NULL, 10), n);
    int64_t start = now_ns(), cpu = cpu_ns(pid);
    boot_all(n, (uint16_t)strtol(v[0], NULL, 10));
    done = (uint64_t)n;
    report(done, now_ns() - start, cpu_ns(pid) - cpu);
    char c;
    while (read(0, &c, 1) > 0)
        ;
    return 0;
}

static int run_startup(char **v)
{
    int n = (int)strtol(v[3], NULL, 10);
    char ocpp[40];
    uint16_t port = (uint16_t)strtol(v[2], NULL, 10);
    snprintf(ocpp, sizeof ocpp, "charge.ocpp_port=%u", port);
    peers_read(v[4], 0, n);
    int64_t start = now_ns();
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(1);
        execl(v[0], v[0], "serve", "--dir", v[1], "--set", ocpp, "--set", "web.port=0", "--set",
              "charge.ykc_port=0", (char *)NULL);
        _exit(127);
    }
    int fd;
    while ((fd = dial_try(port)) < 0 && waitpid(pid, NULL, WNOHANG) == 0)
        usleep(1000);
    close(fd);
    setup_all(n, SETUP_LOGIN, port);
    setup_all(n, SETUP_BOOT, port);
    done = (uint64_t)n;
    report(done, now_ns() - start, cpu_ns(pid));
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return 0;
}

int main(int argc, char **argv)
{
    kind = argc > 1 ? argv[1] : "";
    if (argc == 4 && strcmp(kind, "echo") == 0)
        echo_serve((uint16_t)strtol(argv[2], NULL, 10), (size_t)strtol(argv[3], NULL, 10));
    if (argc == 8 && strcmp(kind, "raw") == 0)
        return run_raw(argv + 2);
    if (argc == 8 && (strcmp(kind, "heartbeat") == 0 || strcmp(kind, "meter") == 0))
        return run_ocpp(argv + 2, strtol(argv[7], NULL, 10));
    if (argc == 7 && strcmp(kind, "orders") == 0)
        return run_ocpp(argv + 2, 0);
    if (argc == 7 && strcmp(kind, "boot") == 0)
        return run_boot(argv + 2);
    if (argc == 7 && strcmp(kind, "startup") == 0)
        return run_startup(argv + 2);
    fprintf(stderr, "usage: see the head of load.c\n");
    return 2;
}
