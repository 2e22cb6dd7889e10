// SPDX-License-Identifier: Apache-2.0
/* batch.c: the plain case of many connections at once: bytes to read from open sockets, and buffers to
 * write to them, with one system call for up to NET_BATCH of them (ring.h). Whatever is not plain
 * (TLS, handshakes of ours, closing, a socket that was full, long messages under way) goes by
 * conn_event and conn_settle, one by one.
 *
 * Data: the ring, the buffers of a round of reads, and the queue of connections to be written.
 *
 * Invariants:
 *  1. A queued connection is not freed: conn_settle is not called for it until batch_flush did.
 *  2. Between a round's reads and the handling of each of them others are handled, which may close,
 *     pause or free a connection whose bytes are here: it is looked up again, a paused one keeps its
 *     bytes, a closed one loses them as it would have lost them in its socket.
 *  3. The queue is empty whenever the reactor waits.
 *
 * Thread: the reactor's. Failure: no ring, or a ring that breaks: everything goes one by one. */
#include <stdlib.h>
#include <sys/epoll.h>
#include "base/log.h"
#include "base/must.h"
#include "io/net/reactor.h"

_Static_assert(NET_BATCH <= RING_MOST, "a round fits a ring");

/* The first turn opens it, in the thread that will use it. */
void batch_begin(struct net *n)
{
    int err;

    n->batch_wanted = false;
    n->received = malloc((size_t)NET_BATCH * NET_RECV_SIZE);
    err = n->received != NULL ? ring_new(&n->ring) : ERR_NOMEM;
    if (err != 0)
        log_line(LOG_NOTE, "net", 0, "sockets are read one by one, io_uring: %s",
                 err_text(err, LANG_EN));
}

void batch_end(struct net *n)
{
    ring_free(n->ring);
    free(n->received);
    n->ring = NULL;
    n->received = NULL;
    n->queued_n = 0;
}

bool net_batches(const struct net *n)
{
    return n->ring != NULL;
}

static void go(struct net *n, ptrdiff_t result[RING_MOST])
{
    if (ring_go(n->ring, result) == 0)
        return;
    log_line(LOG_WARN, "net", 0, "io_uring failed; sockets are read one by one from now on");
    ring_free(n->ring);
    n->ring = NULL;
}

void batch_read(struct net *n, const struct epoll_event *ev, uint32_t count,
                ptrdiff_t result[RING_MOST])
{
    uint32_t asked = 0;

    for (uint32_t i = 0; i < RING_MOST; i++)
        result[i] = RING_UNDONE;
    for (uint32_t i = 0; i < count && n->ring != NULL; i++) {
        struct conn *c = conn_of_event(n, &ev[i]);

        if (i + 1 < count)
            slab_ahead(&n->conns, (uint32_t)ev[i + 1].data.u64);
        if (c == NULL || !conn_reads_plain(c, ev[i].events))
            continue;
        ring_recv(n->ring, c->fd, n->received + (size_t)i * NET_RECV_SIZE, NET_RECV_SIZE, i);
        asked++;
    }
    if (asked > 0)
        go(n, result);
}

void batch_queue(struct net *n, struct conn *c)
{
    must((c->flags & CONN_QUEUED) == 0);
    c->flags |= CONN_QUEUED;
    n->queued[n->queued_n++] = c;
    if (n->queued_n == NET_BATCH)
        batch_flush(n);
}

static void writes_ask(struct net *n, struct conn *const *run, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct conn_out *out = run[i]->out;

        if (run[i]->state != CONN_DEAD && out != NULL)
            ring_send(n->ring, run[i]->fd, out->p + out->at, out->n - out->at, i);
    }
}

void batch_flush(struct net *n)
{
    struct conn *run[NET_BATCH];
    ptrdiff_t result[RING_MOST];
    uint32_t count = n->queued_n;

    for (uint32_t i = 0; i < count; i++)
        run[i] = n->queued[i];
    for (uint32_t i = 0; i < RING_MOST; i++)
        result[i] = RING_UNDONE;
    n->queued_n = 0;
    if (n->ring != NULL) {
        writes_ask(n, run, count);
        go(n, result);
    }
    for (uint32_t i = 0; i < count; i++) {
        run[i]->flags &= (uint16_t)~CONN_QUEUED;
        if (result[i] != RING_UNDONE)
            conn_sent(n, run[i], result[i]);
        conn_settle(n, run[i]);
    }
}
