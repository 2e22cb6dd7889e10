// SPDX-License-Identifier: Apache-2.0
/* pulse.h: the heart without its threads: the pure core, the rows it needs fetched from the store,
 * time zones, the mark of what is being applied, the flight recorder. The engine drives it from two
 * threads, the town test and `even replay-core` from one; all of them run the same code here.
 *
 *   pulse_apply … pulse_tick … pulse_seal ──► pulse_commit ──► pulse_deliver
 *   └──────── one thread: the core's ──────┘   └──── whoever owns the store ──┘
 *
 * Invariants:
 *  1. The core's time never falls, whatever the wall clock does.
 *  2. A look-up sees what was sealed before it: `await` returns when all of it is durable.
 *  3. Rows of a batch are durable when pulse_commit answers 0, and only then pulse_deliver may be
 *     called for it. */
#ifndef EVEN_APP_PULSE_H
#define EVEN_APP_PULSE_H

#include "app/config.h"
#include "app/flight.h"
#include "core/core.h"
#include "io/os/mailbox.h"
#include "store/store.h"

struct pulse;

struct pulse_config {
    struct core_limits limits;
    struct store *store;   /* borrowed */
    struct flight *flight; /* likewise; NULL = nothing is recorded */
    /* File that tells what killed the house, NULL = none; read by pulse_new only. */
    const char *mark;
    int64_t now_ms;
    void (*await)(
        void *ctx); /* invariant 2; NULL: each batch is committed as soon as it is sealed */
    void *ctx;
};

/** The core's limits and secrets, from the settings and the key of the installation. */
struct core_limits pulse_limits(const struct config *c, const uint8_t *key);
/** Endings have their own lane, so that a flood of readings never keeps a stop out. */
enum mail_lane pulse_lane(uint16_t cmd_type);

/** Loads a core from the store and turns its timers once: what fell due while the house was down comes before
 * whoever asks first. An error of the store, ERR_NOMEM. */
EV_MUST_USE int pulse_new(const struct pulse_config *cfg, struct pulse **out);
/** NULL is fine. */
void pulse_free(struct pulse *p);

/** Begins to fetch what a command of the next few will touch: see core_ahead. */
void pulse_ahead(const struct pulse *p, const struct cmd *cmd, enum core_ahead step);
/** Names what was loaded: a hash over ids, balances and the time of the ledger. */
uint64_t pulse_state(const struct pulse *p);

/** Fetches what the command needs and applies it; sets head.now_ms. ERR_DENIED: it is quarantined
 * and has no effect; any other error is the store's and final. */
EV_MUST_USE int pulse_apply(struct pulse *p, struct cmd *cmd, int64_t now_ms);
/** Fires the timers that are due. */
void pulse_tick(struct pulse *p, int64_t now_ms);
/** When the next timer is due, INT64_MAX = never. */
int64_t pulse_due_ms(const struct pulse *p);
/** True when there is something to seal. */
bool pulse_pending(const struct pulse *p);
/** Moves everything gathered into the batch. */
void pulse_seal(struct pulse *p, struct core_batch *batch);
/** Batches up to this number are durable: idle chargers may leave memory; see core_rest. */
bool pulse_rest(struct pulse *p, uint64_t settled, int64_t now_ms);
/** After much was done and while little is, with nothing pending: gives memory back. */
void pulse_trim(struct pulse *p);
void pulse_stats(const struct pulse *p, struct core_stats *out);
/** The end that follows was decided by us: what is being applied did not cause it. */
void pulse_blameless(struct pulse *p);

/** Makes a batch durable. *wrote tells whether there was anything to write. */
EV_MUST_USE int pulse_commit(struct store *s, const struct core_batch *batch, bool *wrote);
/** Hands out the answers of a durable batch, in order. */
void pulse_deliver(const struct core_batch *batch, void (*fn)(void *ctx, const struct out *out),
                   void *ctx);

#endif
