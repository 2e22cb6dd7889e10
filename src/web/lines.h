// SPDX-License-Identifier: Apache-2.0
/* lines.h: the open connections of browsers, and how long each may take. The HTTP library ends a
 * connection that is silent; one that sends a byte now and then would live for ever. So every
 * connection has a time by which its request is complete (or, between two requests, by which the
 * next one is), and one by which its answer has been taken.
 *
 * A network (address.h) may hold at most a share of all connections; a great part of them may be
 * honest drivers behind one router. Those that never completed a request are "new": when there are
 * too many new ones of a network, the oldest that had its time for a first request gives way to the
 * newcomer, so that a dripping neighbour keeps nobody out.
 *
 * Invariants:
 *  1. A descriptor in the table is open: it is taken out before it is closed.
 *  2. Memory is fixed.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_LINES_H
#define EVEN_WEB_LINES_H

#include "base/compiler.h"

#define LINES_NEW_NS                                                                               \
    INT64_C(2000000000) /* time for a first request before a newcomer may push out */

struct line {
    uint64_t net; /* hash of the network; 0 = a trusted proxy, which has no limits */
    int64_t since_ns, until_ns;
    int fd; /* -1 = free */
    bool proven, shut;
};
struct lines {
    struct line *at;
    uint32_t cap, per_net, new_per_net;
};

EV_MUST_USE int lines_init(struct lines *l, uint32_t cap, uint32_t per_net, uint32_t new_per_net);
void lines_free(struct lines *l);
/** May one more connection of this network come? *victim is the descriptor to shut down for it, or
 * -1. */
bool lines_admit(struct lines *l, uint64_t net, int64_t now_ns, int *victim);
/** A new connection; NULL when the table is full. */
struct line *lines_open(struct lines *l, uint64_t net, int fd, int64_t now_ns, int64_t until_ns);
void lines_close(struct line *line);
/** The next connection from *i on whose time is over: its descriptor, to be shut down, or -1. Each
 * is given once. */
int lines_late(struct lines *l, uint32_t *i, int64_t now_ns);

#endif
