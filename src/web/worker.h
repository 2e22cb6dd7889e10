// SPDX-License-Identifier: Apache-2.0
/* worker.h: a thread that does jobs of suspended requests, one after the other: passwords, reports. See
 * worker.c. */
#ifndef EVEN_WEB_WORKER_H
#define EVEN_WEB_WORKER_H

#include "base/compiler.h"
#include "base/slab.h"

struct request;
struct web;

struct worker {
    struct web *w;
    struct mailbox *jobs;
    struct os_thread *thread;
    int (*job)(struct request *r); /* its result is the request's reply_err */
    void (*done)(struct web *w,
                 const struct request *r); /* under the guard, before it is resumed */
};

/** Stopping tells the whole front that it stops; stop and free also what did not start. */
EV_MUST_USE int worker_start(struct worker *x, const char *name);
void worker_stop(struct worker *x);
void worker_free(struct worker *x);
/** Hands over the request that waits in the slot, without a deadline; ERR_FULL. Under the guard. */
EV_MUST_USE int worker_send(struct worker *x, struct slab_ref ref);

#endif
