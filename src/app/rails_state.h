// SPDX-License-Identifier: Apache-2.0
/* rails_state.h: the inside of struct rails, shared by rails.c (channels, notices, figures) and
 * rails_work.c (the worker). The guard is a pool with a single item (io/os/pool.h): whoever holds it
 * may use channels, their rails, the reader and the memory of notices; it is held for as long as a
 * signature takes, never across a request. */
#ifndef EVEN_APP_RAILS_STATE_H
#define EVEN_APP_RAILS_STATE_H

#include "app/breaker.h"
#include "app/rail_open.h"
#include "app/rails.h"
#include "base/map.h"
#include "io/net/fetch.h"
#include "io/os/mailbox.h"
#include "io/os/pool.h"
#include "io/os/thread.h"
#include "store/query.h"

enum { RAILS_JOBS = 256, RAILS_CHANNELS = 4096, RAILS_MARKS = 65536, RAILS_KINDS = 3 };

/** A channel as far as it was used since the start. Never freed before the end. */
struct rail_channel {
    int64_t id, tenant;
    int32_t kind, version;
    struct rail *rail; /* NULL: err says why it cannot be used */
    int err;
    int64_t loaded_ns;
    bool stale; /* read the keys again */
    struct breaker breaker;
};

/** One ask under way, or waiting for its next attempt. */
struct rail_job {
    bool used, sent;
    struct rails *r;
    struct out_pay ask;
    struct cmd_pay_result refused; /* what a refusal said, while its query is under way */
    bool checking;                 /* that query is what is asked now */
    int attempt;
    int64_t due_ns;
    struct rail_request q;
};

struct rails {
    struct rails_config cfg;
    char base[256];
    struct os_pool *guard;
    struct store_reader *reader;
    struct map channels; /* id → struct rail_channel */
    struct map marks;    /* of notices taken → 1 */
    uint64_t *ring;      /* their marks in the order of coming */
    size_t ring_at;
    int64_t audit_from_ns;
    int audits;

    struct mailbox *mail;
    struct mailbox_batch batch;
    struct fetch *fetch;
    struct os_thread *thread;
    struct rail_job jobs[RAILS_JOBS];
    _Atomic bool stopping;

    _Atomic uint64_t asks[RAILS_KINDS], failures[RAILS_KINDS], open[RAILS_KINDS];
    _Atomic uint64_t notices, refused[RAIL_REFUSALS], dropped;
};

void rails_lock(struct rails *r);
void rails_unlock(struct rails *r);
/** The channel with its rail, read again when its row was changed. Under the guard. ERR_NOT_FOUND,
 * ERR_DISABLED (its row is deleted), or why its keys cannot be used. */
EV_MUST_USE int rails_channel_get(struct rails *r, int64_t id, struct rail_channel **out);
/** Reads the keys again, at most every few seconds; false when it is too early. Under the guard. */
bool rails_channel_reload(struct rails *r, struct rail_channel *c);
/** Index of a channel kind in the figures. */
size_t rails_kind(int32_t kind);

/** The worker's thread (rails_work.c). */
void rails_run(void *arg);

#endif
