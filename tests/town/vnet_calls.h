// SPDX-License-Identifier: Apache-2.0
/* vnet_calls.h: between vnet.c, which has the streams, and vnet_wrap.c, which has the names that
 * programs call. Results are those of the system calls: -1 and errno. */
#ifndef EVEN_TOWN_VNET_CALLS_H
#define EVEN_TOWN_VNET_CALLS_H

#include <sys/epoll.h>
#include <sys/types.h>
#include "town/vnet.h"

static inline bool vnet_ours(int fd)
{
    return fd >= VNET_FIRST_FD;
}

int vnet_epoll_new(void);
int vnet_epoll_ctl(int ep, int op, int fd, const struct epoll_event *ev);
int vnet_epoll_wait(int ep, struct epoll_event *out, int most, int timeout_ms);
int vnet_event_new(void);
int vnet_event_read(int fd, uint64_t *count);
int vnet_event_write(int fd, uint64_t count);
int vnet_socket(void);
int vnet_bind(int fd, uint16_t port);
int vnet_listen(int fd);
int vnet_accept(int fd);
int vnet_connect(int fd, uint16_t port);
ssize_t vnet_send(int fd, const void *p, size_t n);
ssize_t vnet_recv(int fd, void *p, size_t n);
int vnet_shutdown(int fd);
int vnet_close(int fd);
void vnet_linger_set(int fd);
int vnet_error_take(int fd);
uint16_t vnet_port(int fd);
uint64_t vnet_random(void);

#endif
