// SPDX-License-Identifier: Apache-2.0
/* state.h: the inside of struct web, shared by the files of this floor and by nobody else. What
 * several HTTP threads and the pump touch stands under one guard, a pool with a single item
 * (io/os/pool.h): held for microseconds, never across a query, a hash or a socket.
 *
 * Under the guard: slots, sessions, quotas, codes, daily and hourly counts, lines, the live
 * replica, the subscribers, the looks at frames, the seats at the desk, sums of
 * parties. Constant
 * after the start: the rest. */
#ifndef EVEN_WEB_STATE_H
#define EVEN_WEB_STATE_H

#include "base/slab.h"
#include "io/os/mailbox.h"
#include "io/os/pool.h"
#include "io/os/thread.h"
#include "web/code.h"
#include "web/daily.h"
#include "web/desk.h"
#include "web/events.h"
#include "web/hourly.h"
#include "web/lines.h"
#include "web/look.h"
#include "web/monthsum.h"
#include "web/quota.h"
#include "web/replica.h"
#include "web/session.h"
#include "web/web.h"

#define WEB_READERS_MAX 17
#define WEB_ZONES_MAX   64
#define WEB_WAIT_NS                                                                                \
    INT64_C(15000000000) /* a write that the core does not answer by then is a 504 */
#define WEB_TEXT_NS INT64_C(15000000000) /* the sender of texts answers before */

struct request;
struct zone;

/** A request that waits. */
struct slot {
    struct request *r;
    int64_t deadline_ns;
    uint32_t ref;
};
struct web_zone {
    char name[41];
    struct zone *zone;
};

struct web {
    struct web_config cfg;
    uint16_t port;
    void *daemon;
    struct os_pool *guard, *readers;
    struct store_reader *reader[WEB_READERS_MAX];
    uint32_t readers_n;
    struct mailbox *mail; /* of the pump */
    struct os_thread *pump;
    struct worker hasher; /* of passwords */
    struct desk desk;
    char no_hash[CRYPTO_PASSWORD_SIZE]; /* of a password that nobody knows: password_start */
    _Atomic bool stopping, resync;
    _Atomic bool pump_rests, replied; /* events wake nobody; a reply was delivered */
    _Atomic uint64_t seq;

    struct slab slots;
    uint32_t hashing; /* slots of passwords; at most a part of all, see password.c */
    uint32_t ref;
    struct sessions sessions;
    struct quotas quotas;
    struct codes codes;
    struct daily daily;
    struct hourly hourly; /* texts asked for by all */
    struct lines lines;
    uint64_t seed; /* of the hash that stands for a network */
    struct replica replica;
    struct events events;
    struct web_zone zones[WEB_ZONES_MAX];
    uint32_t zones_n;
    int64_t uploads[WEB_READERS_MAX]; /* firmware files of which a part is being taken; 0 = none */
    bool has_tenant;                  /* the first-run set-up is over */
    struct looks looks;               /* at frames */
    struct monthsums sums;            /* of parties */

    struct metric_hist http;
    _Atomic uint32_t open; /* requests between first line and end */
    _Atomic uint64_t requests, problems, dropped, limited;
};

void web_lock(struct web *w);
void web_unlock(struct web *w);
/** The zone of that name, loaded once; NULL (UTC) when there is none or the table is full. */
const struct zone *web_zone_get(struct web *w, const char *name);

/* front.c */
EV_MUST_USE int front_start(struct web *w);
/** Stops accepting; live and waiting connections go on. */
void front_quiesce(struct web *w);
void front_stop(struct web *w);
/** Wakes a suspended request; under the guard. */
void front_resume(void *conn);
void front_suspend(void *conn);
/** Ends the connections whose time is over; under the guard. */
void front_sweep(struct web *w, int64_t now_ns);

/* pump.c */
EV_MUST_USE int pump_start(struct web *w);
void pump_stop(struct web *w);
/** Reserves a slot for the request, due after wait_ns; ERR_FULL, ERR_CLOSED. Under the guard. */
EV_MUST_USE int slot_take(struct web *w, struct request *r, int64_t wait_ns, struct origin *from);
/** Ends the wait: stores the error and resumes. Under the guard. */
void slot_end(struct web *w, struct slab_ref ref, int err);

/* password.c */
EV_MUST_USE int password_start(struct web *w);
/** Hands the request that waits in the slot to the worker; ERR_FULL, ERR_CLOSED. Under the guard. */
EV_MUST_USE int password_send(struct web *w, struct slab_ref ref);

#endif
