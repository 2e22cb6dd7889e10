// SPDX-License-Identifier: Apache-2.0
/* ring.h: many reads or writes of sockets with one system call, by io_uring. Used like the calls it
 * stands for: what was asked is done when ring_go returns, nothing is ever under way behind the
 * caller's back. */
#ifndef EVEN_IO_NET_RING_H
#define EVEN_IO_NET_RING_H

#include "base/compiler.h"

/** Most requests of one ring_go. */
#define RING_MOST 32
/** The result of a request that was not made. */
#define RING_UNDONE PTRDIFF_MIN

struct ring;

/** Gives a ring; for one thread. ERR_UNSUPPORTED = this system has none or does not let us. */
EV_MUST_USE int ring_new(struct ring **out);
/** NULL is allowed. */
void ring_free(struct ring *r);

/** Asks for a read or a write, to be made by ring_go; memory is borrowed until then. `tag` (below
 * RING_MOST) names its result. The socket must be non-blocking. */
void ring_recv(struct ring *r, int fd, void *p, size_t n, uint32_t tag);
void ring_send(struct ring *r, int fd, const void *p, size_t n, uint32_t tag);
/** Makes them all. result[tag] = bytes, 0 (a read at the end), ERR_AGAIN, ERR_IO, or RING_UNDONE where
 * the plain call has to be made. ERR_IO: the system refuses the ring from now on; what was asked of
 * it has its result all the same, and the ring is good for ring_free only. */
EV_MUST_USE int ring_go(struct ring *r, ptrdiff_t result[RING_MOST]);

#endif
