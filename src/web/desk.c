// SPDX-License-Identifier: Apache-2.0
/* desk.c: see desk.h. A route that is marked `slow` reads as many rows as an operator has, not as a
 * page shows: months of orders, all accounts. There are few HTTP threads, and each serves many
 * connections, so such a handler is run here, one after the other in the order in which they came.
 *
 * Data: a worker (worker.h) and a seat for each request that is there.
 *
 * Invariants:
 *  1. A slow handler only reads: it has no steps and asks neither the core nor another worker.
 *  2. Nobody has more than DESK_OWN seats.
 *
 * Threads: the desk's own. Fails: without a seat the request is answered at once. */
#include "web/desk.h"

#include "base/err.h"
#include "base/must.h"
#include "web/begin.h"
#include "web/state.h"

enum { AGAIN_S = 5 };

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
    err = worker_send(&w->desk.worker, ref);
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

static void desk_done(struct web *w, const struct request *r)
{
    seat_give(&w->desk, seat_of(r));
}

int desk_start(struct web *w)
{
    w->desk.worker = (struct worker){.w = w, .job = begin_work, .done = desk_done};
    return worker_start(&w->desk.worker, "web-desk");
}
