// SPDX-License-Identifier: Apache-2.0
/* load.c: the load generator and the floor of the charger path.
 *   bench_load echo PORT IN OUT          a raw TCP epoll server: one recv of IN bytes, one send of
 * OUT bytes, for ever (the floor) bench_load raw PORT CONNS SECONDS IN OUT                  drives
 * it: one message outstanding a connection bench_load ws PORT CONNS SECONDS KIND FILE drives a
 * server by OCPP: KIND heartbeat | metervalues, FILE id TAB password Prints: messages seconds
 * p50_us p99_us. One thread, epoll, loopback only; it ends by itself. The client does as little as
 * it can: frames are made once, answers are only counted. CPU of the server is read by whoever
 * started it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"

enum { CONNS_MAX = 20000, FRAME_MAX = 2048, LATENCIES = 1 << 20, TURN = 256 };

struct peer {
    int fd;
    size_t got; /* bytes of the answer so far */
    int64_t sent_ns;
    char id[49], password[80];
};

static struct peer peers[CONNS_MAX];
static uint32_t latency_us[LATENCIES];
static size_t latencies;

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int dial(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w < 0)
            die("send");
        p += w;
        n -= (size_t)w;
    }
}

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
    static char in[65536], reply[FRAME_MAX];
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int ls = socket(AF_INET, SOCK_STREAM, 0), one = 1, ep = epoll_create1(0);
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(ls, (struct sockaddr *)&a, sizeof a) != 0 || listen(ls, 4096) != 0)
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
            else if (recv(fd, in, sizeof in, 0) <= 0)
                close(fd);
            else if (send(fd, reply, out, MSG_NOSIGNAL) < 0)
                close(fd);
        }
    }
}

/* ---- the client ---- */

static size_t frame_make(char *out, const char *text)
{
    size_t n = strlen(text), at = 0;
    out[at++] = (char)0x81;
    if (n < 126) {
        out[at++] = (char)(0x80 | n);
    } else {
        out[at++] = (char)(0x80 | 126);
        out[at++] = (char)(n >> 8);
        out[at++] = (char)n;
    }
    memset(out + at, 0, 4); /* a mask of zeros is a mask */
    at += 4;
    memcpy(out + at, text, n);
    return at + n;
}

static void upgrade(struct peer *p, uint16_t port)
{
    char auth[256], plain[160], request[1024], answer[1024];
    int n = snprintf(plain, sizeof plain, "%s:%s", p->id, p->password);
    base64_encode(plain, (size_t)n, auth);
    n = snprintf(request, sizeof request,
                 "GET /ocpp/%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: "
                 "Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic %s\r\n\r\n",
                 p->id, port, auth);
    p->fd = dial(port);
    send_all(p->fd, request, (size_t)n);
    ssize_t got = recv(p->fd, answer, sizeof answer - 1, 0);
    if (got < 12 || memcmp(answer, "HTTP/1.1 101", 12) != 0)
        die("upgrade refused");
}

/* Reads one unfragmented text frame, blocking: only while setting up. */
static void answer_wait(struct peer *p)
{
    char b[4096];
    if (recv(p->fd, b, sizeof b, 0) <= 0)
        die("no answer");
}

static void call(struct peer *p, const char *text)
{
    char f[FRAME_MAX];
    send_all(p->fd, f, frame_make(f, text));
    answer_wait(p);
}

static int peers_read(const char *path, int conns)
{
    FILE *f = fopen(path, "r");
    int n = 0;
    if (!f)
        die(path);
    while (n < conns && fscanf(f, "%48s %79s", peers[n].id, peers[n].password) == 2)
        n++;
    fclose(f);
    return n;
}

static void latency_note(int64_t ns)
{
    latency_us[latencies++ % LATENCIES] = (uint32_t)(ns / 1000);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(uint64_t messages, int64_t ns)
{
    size_t n = latencies < LATENCIES ? latencies : LATENCIES;
    qsort(latency_us, n, sizeof *latency_us, by_value);
    printf("%llu %.3f %u %u\n", (unsigned long long)messages, (double)ns / 1e9,
           n ? latency_us[n / 2] : 0, n ? latency_us[n - 1 - n / 100] : 0);
}

/* One whole WebSocket frame (or `want` raw bytes) has come. */
static bool answered(struct peer *p, size_t want)
{
    unsigned char b[8192];
    ssize_t r = recv(p->fd, b, sizeof b, 0);
    if (r <= 0)
        die("connection lost");
    p->got += (size_t)r;
    if (want == 0) /* answers are shorter than one segment: the second byte is the length */
        want = b[1] < 126 ? (size_t)b[1] + 2 : (size_t)(b[2] << 8 | b[3]) + 4;
    if (p->got < want)
        return false;
    p->got = 0;
    return true;
}

static void drive(int conns, int seconds, const char *frame, size_t n, size_t want)
{
    int ep = epoll_create1(0);
    uint64_t messages = 0;
    for (int i = 0; i < conns; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &peers[i]};
        if (epoll_ctl(ep, EPOLL_CTL_ADD, peers[i].fd, &e) != 0)
            die("epoll_ctl");
        peers[i].sent_ns = now_ns();
        send_all(peers[i].fd, frame, n);
    }
    struct epoll_event ready[TURN];
    int64_t start = now_ns(), end = start + seconds * 1000000000LL, now = start;
    while (now < end) {
        int got = epoll_wait(ep, ready, TURN, 100);
        now = now_ns();
        for (int i = 0; i < got; i++) {
            struct peer *p = ready[i].data.ptr;
            if (!answered(p, want))
                continue;
            latency_note(now - p->sent_ns);
            messages++;
            p->sent_ns = now;
            send_all(p->fd, frame, n);
        }
    }
    report(messages, now - start);
}

static int run_ws(uint16_t port, int conns, int seconds, const char *kind, const char *file)
{
    char f[FRAME_MAX];
    const char *text = "[2,\"1\",\"Heartbeat\",{}]";
    if (strcmp(kind, "metervalues") == 0)
        text = "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-"
               "01-01T00:00:00Z\",\"sampledValue\":["
               "{\"value\":\"123456\",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":"
               "\"Wh\"},"
               "{\"value\":\"60000\",\"measurand\":\"Power.Active.Import\",\"unit\":\"W\"},"
               "{\"value\":\"57\",\"measurand\":\"SoC\",\"unit\":\"Percent\"},"
               "{\"value\":\"410.5\",\"measurand\":\"Voltage\",\"unit\":\"V\"}]}]}]";
    if (peers_read(file, conns) < conns)
        die("not enough chargers in the file");
    for (int i = 0; i < conns; i++) {
        upgrade(&peers[i], port);
        call(&peers[i], "[2,\"0\",\"BootNotification\",{\"chargePointVendor\":\"V\","
                        "\"chargePointModel\":\"M\"}]");
    }
    fprintf(stderr, "ready\n");
    size_t n = frame_make(f, text);
    drive(conns, seconds, f, n, 0);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 5 && strcmp(argv[1], "echo") == 0)
        echo_serve((uint16_t)strtol(argv[2], NULL, 10), (size_t)strtol(argv[4], NULL, 10));
    if (argc != 7) {
        fprintf(stderr, "usage: see the head of load.c\n");
        return 2;
    }
    uint16_t port = (uint16_t)strtol(argv[2], NULL, 10);
    int conns = (int)strtol(argv[3], NULL, 10), seconds = (int)strtol(argv[4], NULL, 10);
    if (conns < 1 || conns > CONNS_MAX || seconds < 1 || seconds > 60)
        return 2;
    if (strcmp(argv[1], "ws") == 0)
        return run_ws(port, conns, seconds, argv[5], argv[6]);
    static char frame[FRAME_MAX];
    size_t in = (size_t)strtol(argv[5], NULL, 10);
    if (in > sizeof frame)
        return 2;
    for (int i = 0; i < conns; i++)
        peers[i].fd = dial(port);
    fprintf(stderr, "ready\n");
    drive(conns, seconds, frame, in, (size_t)strtol(argv[6], NULL, 10));
    return 0;
}
