// SPDX-License-Identifier: Apache-2.0
/* desk.c: see desk.h. A route that is marked `slow` reads as many rows as an operator has, not as a
 * page shows: months of orders, all accounts. There are few HTTP threads, and each serves many
 * connections, so such a handler is run here, one after the other in the order in which they came.
 *
 * Data: a mailbox of slot handles and a seat for each; the job itself stands in the suspended request.
 *
 * Invariants:
 *  1. A request belongs to one thread: the HTTP thread lets go of it before the guard is released,
 *     and gets it back when it is resumed.
 *  2. Its slot has no deadline, so the request outlives the job.
 *  3. A slow handler only reads: it has no steps and asks neither the core nor another worker.
 *  4. Nobody has more than DESK_OWN seats.
 *
 * Threads: the desk's own. Fails: without a seat the request is answered at once. */
#include "web/desk.h"

#include "base/err.h"
#include "base/must.h"
#include "web/begin.h"
#include "web/state.h"

enum { JOBS_BYTES = 16 * 1024, JOBS_WAIT_MS = 500, AGAIN_S = 5 };

static bool seat_is(const struct desk_seat *s, struct desk_seat who)
{
    return s->kind == who.kind && s->id == who.id;
}

static int seat_take(struct desk *d, struct desk_seat who)
{
    uint32_t own = 0;

    for (uint32_t i = 0; i < d->n; i++)
        own += seat_is(&d->seats[i], who);
    if (own >= DESK_OWN)
        return ERR_RATE_LIMIT;
    if (d->n == DESK_SEATS)
        return ERR_FULL;
    d->seats[d->n++] = who;
    return 0;
}

static void seat_give(struct desk *d, struct desk_seat who)
{
    uint32_t i = 0;

    while (i < d->n && !seat_is(&d->seats[i], who))
        i++;
    must(i < d->n);
    d->seats[i] = d->seats[--d->n];
}

static struct desk_seat seat_of(const struct request *r)
{
    return (struct desk_seat){.kind = r->actor.kind, .id = r->actor.id};
}

/* Under the guard, with a seat. */
static int job_put(struct web *w, struct request *r)
{
    struct origin from;
    struct slab_ref ref;
    int err = slot_take(w, r, 0, &from);

    if (err != 0)
        return err;
    ref = (struct slab_ref){from.slot, from.gen};
    err = mailbox_send(w->desk.jobs, MAIL_NORMAL, str_from((const char *)&ref, sizeof(ref)));
    if (err != 0)
        slab_put(&w->slots, ref);
    return err;
}

int desk_send(struct request *r)
{
    struct web *w = r->web;
    struct desk_seat who = seat_of(r);
    int err;

    web_lock(w);
    err = seat_take(&w->desk, who);
    if (err == 0) {
        err = job_put(w, r);
        if (err != 0)
            seat_give(&w->desk, who);
    }
    if (err == 0)
        front_suspend(r->conn);
    else if (err == ERR_RATE_LIMIT)
        r->retry_s = AGAIN_S;
    web_unlock(w);
    return err;
}

static void job_run(struct web *w, struct slab_ref ref)
{
    struct slot *s;
    struct request *r;
    int err;

    web_lock(w);
    s = slab_find(&w->slots, ref);
    r = s != NULL ? s->r : NULL;
    web_unlock(w);
    must(r != NULL); /* its slot ends here, or when this thread is no more */
    err = begin_work(r);
    web_lock(w);
    seat_give(&w->desk, seat_of(r));
    slot_end(w, ref, err);
    web_unlock(w);
}

static void desk_run(void *arg)
{
    struct web *w = arg;
    struct mailbox_batch batch = {0};
    struct str msg;

    while (!w->stopping) {
        (void)mailbox_wait(w->desk.jobs, JOBS_WAIT_MS);
        if (mailbox_take(w->desk.jobs, &batch) == 0)
            continue;
        while (!w->stopping && mailbox_next(&batch, &msg)) {
            struct slab_ref ref;

            memcpy(&ref, msg.p, sizeof(ref));
            job_run(w, ref);
        }
    }
    mailbox_batch_free(&batch);
}

int desk_start(struct web *w)
{
    int err = mailbox_new(JOBS_BYTES, 64, &w->desk.jobs);

    return err != 0 ? err : os_thread_start("web-desk", desk_run, w, &w->desk.worker);
}

void desk_stop(struct web *w)
{
    w->stopping = true;
    mailbox_wake(w->desk.jobs);
    os_thread_join(w->desk.worker);
    w->desk.worker = NULL;
}
