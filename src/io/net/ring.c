// SPDX-License-Identifier: Apache-2.0
/* ring.c: see ring.h. The only file that knows liburing.
 *
 * Why: a system call costs 1 to 3 us more than its work where page tables are switched or the
 * machine is virtual, and a message is one recv and one send of a few bytes. Thirty-two in one
 * entry cost 0.9 and 2.3 us each where plain calls cost 2.5 and 5.3 (doc/decisions/ring.md).
 *
 * Data: the ring, and how many requests wait in it.
 *
 * Invariants:
 *  1. Requests are for non-blocking sockets and say MSG_DONTWAIT, so the system completes each while
 *     it takes it; none waits for its socket or for another thread.
 *  2. ring_go returns when every request that the system took has its completion: no memory is
 *     borrowed any longer.
 *
 * Thread: its owner's. Failure: a system that refuses to take requests ends the ring's use; the
 * caller makes plain calls. */
#include "io/net/ring.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/err.h"
#include "base/must.h"

struct ring {
    struct io_uring uring;
    uint32_t asked;
};

int ring_new(struct ring **out)
{
    struct ring *r = calloc(1, sizeof(*r));

    *out = NULL;
    if (r == NULL)
        return ERR_NOMEM;
    if (io_uring_queue_init(RING_MOST, &r->uring, 0) != 0) {
        free(r);
        return ERR_UNSUPPORTED;
    }
    *out = r;
    return 0;
}

void ring_free(struct ring *r)
{
    if (r == NULL)
        return;
    io_uring_queue_exit(&r->uring);
    free(r);
}

static struct io_uring_sqe *request(struct ring *r, uint32_t tag)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

    must(sqe != NULL && tag < RING_MOST);
    r->asked++;
    return sqe;
}

void ring_recv(struct ring *r, int fd, void *p, size_t n, uint32_t tag)
{
    struct io_uring_sqe *sqe = request(r, tag);

    io_uring_prep_recv(sqe, fd, p, n, MSG_DONTWAIT);
    sqe->user_data = tag;
}

void ring_send(struct ring *r, int fd, const void *p, size_t n, uint32_t tag)
{
    struct io_uring_sqe *sqe = request(r, tag);

    io_uring_prep_send(sqe, fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    sqe->user_data = tag;
}

static ptrdiff_t result_of(int res)
{
    if (res >= 0)
        return res;
    if (res == -EINTR)
        return RING_UNDONE;
    return res == -EAGAIN ? ERR_AGAIN : ERR_IO;
}

/* What is complete so far. */
static uint32_t reap(struct ring *r, ptrdiff_t result[RING_MOST])
{
    struct io_uring_cqe *cqe;
    unsigned head;
    uint32_t n = 0;

    io_uring_for_each_cqe(&r->uring, head, cqe)
    {
        must(cqe->user_data < RING_MOST);
        result[cqe->user_data] = result_of(cqe->res);
        n++;
    }
    io_uring_cq_advance(&r->uring, n);
    return n;
}

/* Until everything the system took is complete. */
static void await(struct ring *r, ptrdiff_t result[RING_MOST], uint32_t left)
{
    struct io_uring_cqe *cqe;

    while (left > 0) {
        int err = io_uring_wait_cqe(&r->uring, &cqe);

        must(err == 0 || err == -EINTR);
        left -= reap(r, result);
    }
}

int ring_go(struct ring *r, ptrdiff_t result[RING_MOST])
{
    uint32_t taken = 0, done = 0, asked = r->asked;
    int got = 0;

    for (uint32_t i = 0; i < RING_MOST; i++)
        result[i] = RING_UNDONE;
    while (taken < asked) {
        got = io_uring_submit(&r->uring);
        if (got < 0 && got != -EINTR)
            break;
        taken += got > 0 ? (uint32_t)got : 0;
        done += reap(r, result);
    }
    await(r, result, taken - done);
    r->asked = 0;
    return taken < asked ? ERR_IO : 0;
}
