// SPDX-License-Identifier: Apache-2.0
/* vnet_wrap.c: the system calls of io/net and the clocks and random numbers of io/os, interposed at
 * link time (--wrap). While a network of vnet.h is on, every socket and epoll is one of its own; all
 * else, and everything while none is, goes through untouched. close is with the disk
 * (crash/disk_wrap.c), which is told of vnet_close_ours. */
#include "town/vnet_calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

/* The linker gives these names; nobody else calls them. */
int __real_epoll_create1(int flags);
int __real_epoll_ctl(int ep, int op, int fd, struct epoll_event *ev);
int __real_epoll_wait(int ep, struct epoll_event *ev, int most, int timeout_ms);
int __real_eventfd(unsigned count, int flags);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);
int __real_socket(int domain, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *addr, socklen_t n);
int __real_listen(int fd, int backlog);
int __real_accept4(int fd, struct sockaddr *addr, socklen_t *n, int flags);
int __real_connect(int fd, const struct sockaddr *addr, socklen_t n);
ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __real_recv(int fd, void *p, size_t n, int flags);
int __real_shutdown(int fd, int how);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
int __real_getsockname(int fd, struct sockaddr *addr, socklen_t *n);
int __real_getpeername(int fd, struct sockaddr *addr, socklen_t *n);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *ev);
int __wrap_epoll_wait(int ep, struct epoll_event *ev, int most, int timeout_ms);
int __wrap_eventfd(unsigned count, int flags);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t n);
int __wrap_listen(int fd, int backlog);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *n, int flags);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t n);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *n);
int __wrap_getpeername(int fd, struct sockaddr *addr, socklen_t *n);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);

int __wrap_epoll_create1(int flags)
{
    return vnet_on() ? vnet_epoll_new() : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
    return vnet_ours(ep) ? vnet_epoll_ctl(ep, op, fd, ev) : __real_epoll_ctl(ep, op, fd, ev);
}

int __wrap_epoll_wait(int ep, struct epoll_event *ev, int most, int timeout_ms)
{
    return vnet_ours(ep) ? vnet_epoll_wait(ep, ev, most, timeout_ms)
                         : __real_epoll_wait(ep, ev, most, timeout_ms);
}

int __wrap_eventfd(unsigned count, int flags)
{
    return vnet_on() ? vnet_event_new() : __real_eventfd(count, flags);
}

ssize_t __wrap_read(int fd, void *p, size_t n)
{
    if (!vnet_ours(fd))
        return __real_read(fd, p, n);
    return vnet_event_read(fd, p) == 0 ? (ssize_t)sizeof(uint64_t) : -1;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    uint64_t count;
    if (!vnet_ours(fd))
        return __real_write(fd, p, n);
    memcpy(&count, p, sizeof count);
    return vnet_event_write(fd, count) == 0 ? (ssize_t)sizeof count : -1;
}

int __wrap_socket(int domain, int type, int protocol)
{
    return vnet_on() ? vnet_socket() : __real_socket(domain, type, protocol);
}

static uint16_t port_of(const struct sockaddr *addr)
{
    struct sockaddr_in in;
    memcpy(&in, addr, sizeof in);
    return ntohs(in.sin_port);
}

static int addr_put(int fd, struct sockaddr *addr, socklen_t *n)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(vnet_port(fd))};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(addr, &in, *n < sizeof in ? *n : sizeof in);
    *n = sizeof in;
    return 0;
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t n)
{
    return vnet_ours(fd) ? vnet_bind(fd, port_of(addr)) : __real_bind(fd, addr, n);
}

int __wrap_listen(int fd, int backlog)
{
    return vnet_ours(fd) ? vnet_listen(fd) : __real_listen(fd, backlog);
}

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *n, int flags)
{
    return vnet_ours(fd) ? vnet_accept(fd) : __real_accept4(fd, addr, n, flags);
}

int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t n)
{
    return vnet_ours(fd) ? vnet_connect(fd, port_of(addr)) : __real_connect(fd, addr, n);
}

ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
    return vnet_ours(fd) ? vnet_send(fd, p, n) : __real_send(fd, p, n, flags);
}

ssize_t __wrap_recv(int fd, void *p, size_t n, int flags)
{
    return vnet_ours(fd) ? vnet_recv(fd, p, n) : __real_recv(fd, p, n, flags);
}

int __wrap_shutdown(int fd, int how)
{
    return vnet_ours(fd) ? vnet_shutdown(fd) : __real_shutdown(fd, how);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    if (!vnet_ours(fd))
        return __real_setsockopt(fd, level, name, value, n);
    if (level == SOL_SOCKET && name == SO_LINGER)
        vnet_linger_set(fd);
    return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
    if (!vnet_ours(fd))
        return __real_getsockopt(fd, level, name, value, n);
    if (level != SOL_SOCKET || name != SO_ERROR) {
        errno = ENOPROTOOPT;
        return -1;
    }
    *(int *)value = vnet_error_take(fd);
    return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *n)
{
    return vnet_ours(fd) ? addr_put(fd, addr, n) : __real_getsockname(fd, addr, n);
}

int __wrap_getpeername(int fd, struct sockaddr *addr, socklen_t *n)
{
    return vnet_ours(fd) ? addr_put(fd, addr, n) : __real_getpeername(fd, addr, n);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    if (!vnet_on() || (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC))
        return __real_clock_gettime(id, ts);
    int64_t ms = id == CLOCK_REALTIME ? vnet_wall_ms() : vnet_now_ms();
    *ts = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    return 0;
}

ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
    if (!vnet_on())
        return __real_getrandom(p, n, flags);
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        uint64_t v = vnet_random();
        memcpy((char *)p + at, &v, n - at < sizeof v ? n - at : sizeof v);
    }
    return (ssize_t)n;
}
