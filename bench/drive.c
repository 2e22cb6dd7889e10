// SPDX-License-Identifier: Apache-2.0
/* drive.c: see drive.h. */
#define _GNU_SOURCE
#include "drive.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LATENCIES = 1 << 20 };

static uint32_t latency_us[LATENCIES];
static size_t latencies;

_Noreturn void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* User and system time of all threads that live; the server's threads live as long as it does. */
int64_t cpu_ns(int pid)
{
    char path[300];
    int64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    if (!d)
        die(path);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        long long ran = 0;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", pid, e->d_name);
        FILE *f = fopen(path, "r");
        if (f && fscanf(f, "%lld", &ran) == 1)
            sum += ran;
        if (f)
            fclose(f);
    }
    closedir(d);
    return sum;
}

/* ---- sockets ---- */

static uint8_t dial_host = 1;

void dial_at(uint8_t host)
{
    dial_host = host;
}

int dial_try(uint16_t port)
{
    uint32_t to = (INADDR_LOOPBACK & ~0xffu) | dial_host;
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(to)};
    struct linger hard = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); /* leaves no TIME_WAIT behind */
    return fd;
}

int dial(uint16_t port)
{
    int fd = dial_try(port);
    if (fd < 0)
        die("connect");
    return fd;
}

void send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w < 0)
            die("send");
        p += w;
        n -= (size_t)w;
    }
}

/* ---- waiting, latencies, the line at the end ---- */

int watch_new(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);
    if (ep < 0)
        die("epoll_create1");
    return ep;
}

void watch_add(int ep, int fd, void *ptr)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = ptr};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

void latency_note(int64_t ns)
{
    latency_us[latencies++ % LATENCIES] = (uint32_t)(ns / 1000);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void report(uint64_t done, int64_t ns, int64_t cpu)
{
    size_t n = latencies < LATENCIES ? latencies : LATENCIES;
    qsort(latency_us, n, sizeof *latency_us, by_value);
    printf("%llu %.4f %lld %u %u\n", (unsigned long long)done, (double)ns / 1e9, (long long)cpu,
           n ? latency_us[n / 2] : 0, n ? latency_us[n - 1 - n / 100] : 0);
    fflush(stdout);
}
