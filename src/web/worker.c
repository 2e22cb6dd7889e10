// SPDX-License-Identifier: Apache-2.0
/* worker.c: see worker.h. Data: a mailbox of slot handles; the job itself stands in the suspended request.
 *
 * Invariants: 1. a request belongs to one thread: who hands it over lets go of it before the guard is
 * released, and gets it back when it is resumed; 2. its slot has no deadline and nobody else ends it while
 * this thread lives, so the request outlives the job; 3. what was not begun when the front stops is
 * ended by the pump. Thread: its own. Fails: a full queue is ERR_FULL. */
#include "web/worker.h"

#include "base/err.h"
#include "base/must.h"
#include "web/request.h"
#include "web/state.h"

enum { JOBS_BYTES = 64 * 1024, JOBS_ENDING = 64, JOBS_WAIT_MS = 500 };

int worker_send(struct worker *x, struct slab_ref ref)
{
    return mailbox_send(x->jobs, MAIL_NORMAL, str_from((const char *)&ref, sizeof(ref)));
}

static void job_run(struct worker *x, struct slab_ref ref)
{
    struct web *w = x->w;
    struct slot *s;
    struct request *r;
    int err;

    web_lock(w);
    s = slab_find(&w->slots, ref);
    must(s != NULL);
    r = s->r;
    web_unlock(w);
    err = x->job(r);
    web_lock(w);
    x->done(w, r);
    slot_end(w, ref, err);
    web_unlock(w);
}

static void worker_run(void *arg)
{
    struct worker *x = arg;
    struct mailbox_batch batch = {0};
    struct str msg;

    while (!x->w->stopping) {
        (void)mailbox_wait(x->jobs, JOBS_WAIT_MS);
        if (mailbox_take(x->jobs, &batch) == 0)
            continue;
        while (!x->w->stopping && mailbox_next(&batch, &msg)) {
            struct slab_ref ref;

            memcpy(&ref, msg.p, sizeof(ref));
            job_run(x, ref);
        }
    }
    mailbox_batch_free(&batch);
}

int worker_start(struct worker *x, const char *name)
{
    int err = mailbox_new(JOBS_BYTES, JOBS_ENDING, &x->jobs);

    return err != 0 ? err : os_thread_start(name, worker_run, x, &x->thread);
}

void worker_stop(struct worker *x)
{
    if (x->thread == NULL)
        return;
    x->w->stopping = true;
    mailbox_wake(x->jobs);
    os_thread_join(x->thread);
    x->thread = NULL;
}

void worker_free(struct worker *x)
{
    mailbox_free(x->jobs);
}
