// SPDX-License-Identifier: Apache-2.0
/* engine.h: the threads around the pure core. The core thread takes commands from one bounded
 * mailbox, fetches what a command needs, applies it, and seals whatever has gathered whenever the
 * committer is free; the committer thread makes the batch durable in one transaction and only then
 * delivers the answers. So the size of a batch is what arrived during the last sync: there is no
 * timer.
 *
 * Owns: struct core (core thread only), two sealed batches that go back and forth, both threads,
 * the inbox. Fails: an error of the store ends the process with its reason: what was not committed
 * was not answered, and the restart goes on from what is durable. */
#ifndef EVEN_APP_ENGINE_H
#define EVEN_APP_ENGINE_H

#include "app/config.h"
#include "core/core.h"
#include "store/store.h"
#include "app/metrics.h"

struct engine;

struct engine_config {
    const struct config *settings;
    struct store *store;
    const uint8_t
        *key; /* the installation's, CRYPTO_KEY_SIZE bytes; borrowed during engine_start */
    struct app_metrics *metrics;
    /** Called by the committer thread once the batch of this answer is durable, and by the core
     * thread for a quarantined command, which has no effect. Must not wait. */
    void (*deliver)(void *ctx, const struct out *out);
    /** Called after the last answer of a batch: who was handed something is woken once. */
    void (*delivered)(void *ctx);
    void *ctx;
};

/** Loads the core from the store and starts both threads. */
EV_MUST_USE int engine_start(const struct engine_config *cfg, struct engine **out);
/** Puts a command into the inbox; any thread. ERR_FULL when its lane has no room, ERR_DISK_FULL for
 * a start on a low disk. */
EV_MUST_USE int engine_submit(struct engine *e, const struct cmd *cmd);
/** The same without waking the core: for a run of commands that ends with engine_wake. */
EV_MUST_USE int engine_put(struct engine *e, const struct cmd *cmd);
void engine_wake(struct engine *e);
/** The descriptor that engine_wake writes to. */
int engine_wake_fd(const struct engine *e);
/** Gives memory back to the system when much was freed since the last call. Takes milliseconds: for a
 * thread that nobody waits for, now and then. */
void engine_trim(struct engine *e);
/** Applies what waits, commits, delivers, and ends both threads; engine_submit answers ERR_CLOSED
 * from then on. */
void engine_stop(struct engine *e);
/** After engine_stop, when nobody submits any more. NULL is allowed. */
void engine_free(struct engine *e);

#endif
