// SPDX-License-Identifier: Apache-2.0
/* events.h: live events to browsers as text/event-stream. The pump gathers what the core tells,
 * keeps the latest of each connector and order, and once a second writes it into the buffers of
 * those who may see it; shares and wallets go out at once. A stream with nothing to send is
 * suspended, never polled.
 *
 * Invariants:
 *  1. A reader sees only its tenant, its station scope, its party or its own orders; partners never
 *     see a driver.
 *  2. A reader that cannot follow loses its backlog and gets a fresh snapshot.
 *  3. A stream ends after SUB_LIFE_NS, so that permissions are looked at again when the browser
 *     comes back.
 *  4. What staff with very many connectors need not see is not sent them: a quiet stream tells of
 *     connectors and meters of the one station that is looked at; the rest as ever.
 *  5. Nobody alone takes the streams, or the connections, of all.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_EVENTS_H
#define EVEN_WEB_EVENTS_H

#include "web/replica.h"
#include "web/request.h"

#define SUBS_MAX       2048
#define SUBS_OF_ONE    32 /* of one person, driver or key: the oldest ends for a newer one */
#define SUB_OUT_MAX    (512 * 1024)
#define SUB_LIFE_NS    INT64_C(900000000000)
#define EVENT_FLUSH_NS INT64_C(1000000000)
#define EVENT_BEAT_NS  INT64_C(15000000000)
#define EVENTS_MAX     200000

struct sub {
    struct web *web;
    struct slab_ref ref;
    void *conn;
    struct actor actor;
    enum face face;
    struct buf out;
    size_t sent;
    int64_t until_ns;
    bool suspended, over;
    bool quiet; /* connectors and meters of `station` only: staff with very many of them */
    int64_t station;
};
struct events {
    struct slab subs;
    struct buf pending; /* struct out_event after struct out_event */
    struct map at;      /* (kind, object) → index in pending */
    uint64_t seed;
};

void events_init(struct events *v, uint64_t seed);
void events_free(struct events *v);
/** Opens a stream for the request's actor, with a snapshot in its buffer; r->sub is the answer.
 * ERR_FULL. */
EV_MUST_USE int events_open(struct request *r, enum face face);
/** Gives up to n bytes: > 0, 0 = nothing now (the stream sleeps until woken), -1 = the end. Takes
 * the guard. */
ptrdiff_t events_read(struct sub *s, char *p, size_t n);
void events_close(struct sub *s);

/* by the pump, under the guard */
void events_take(struct web *w, const struct out_event *e);
void events_flush(struct web *w);
void events_beat(struct web *w, int64_t now_ns);
void events_snapshot_all(struct web *w);
/** Ends all streams, or those of one actor (0 = any) or session ("" = any). */
void events_end(struct web *w, int64_t actor, const char *session);

#endif
