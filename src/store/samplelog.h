// SPDX-License-Identifier: Apache-2.0
/* samplelog.h: the shared, append-only log of meter samples. What one commit brings is one group,
 * or several when it is much: sequence number, time, records, CRC-32C. Files of a few MiB follow
 * each other in DIR/samples; a file goes when no session needs it any more. Per session with
 * samples that are not sealed yet there is a tail: the stream of the next block, kept ready in
 * memory. When a tail is due (BLOCK_SAMPLES, an hour, or the session ended) the store writes it as
 * a meter_block row.
 *
 * Invariants:
 *  1. What samplelog_append answered 0 for is on disk.
 *  2. A group is taken whole or not at all.
 *  3. meter_block.upto is the last group in the block, a full tail ends its group, and the tails of
 *     a session are sealed in order: so after a restart a sample is in a block or in a tail, never
 *     in both, and no two blocks share a group.
 *
 * Thread: the committer's, except samplelog_scan, which any thread may call. */
#ifndef EVEN_STORE_SAMPLELOG_H
#define EVEN_STORE_SAMPLELOG_H

#include "base/buf.h"
#include "base/slab.h"
#include "core/core.h"
#include "store/sample.h"

struct samplelog;

struct sample_tail {
    int64_t session, t0_ms, t1_ms;
    uint64_t first, upto; /* groups: first not sealed, last in the stream */
    uint32_t n;
    bool due;
    struct sample_state state;
    struct buf stream;
    struct slab_ref ref;
    struct sample_tail *next; /* in the list of those due, then of those sealed */
};

/** Answers how far a session is sealed: *upto = last group in its blocks, 0 = none. */
typedef int samplelog_upto_fn(void *ctx, int64_t session, uint64_t *upto);

/** Reads what is there, cuts a torn tail off the last file, builds the tails. */
EV_MUST_USE int samplelog_open(const char *dir, uint32_t sessions, samplelog_upto_fn *fn, void *ctx,
                               struct samplelog **out);
void samplelog_close(struct samplelog *l);

/** Appends a run of struct sample_record as one group or more and syncs them. ERR_SYNTAX when the
 * run is cut, ERR_FULL when there are too many tails, ERR_DISK_FULL, ERR_IO. */
EV_MUST_USE int samplelog_append(struct samplelog *l, struct str records);
/** The session ended: its tail, if any, is due. */
void samplelog_end(struct samplelog *l, int64_t session);
/** A tail that is due, or NULL. The same one until samplelog_sealed. */
struct sample_tail *samplelog_due(struct samplelog *l);
/** How many tails one commit should seal: a thousand sessions that began together are full together,
 * and compressing a thousand blocks in one commit would keep everybody waiting. It grows with what
 * waits, so that the list cannot. */
uint32_t samplelog_share(const struct samplelog *l);
/** Takes the due tail out of the list for this commit; samplelog_settle forgets all such, once
 * their rows are durable; samplelog_unsealed makes them due again, after a transaction that was
 * taken back. */
void samplelog_sealed(struct samplelog *l, struct sample_tail *t);
void samplelog_unsealed(struct samplelog *l);
void samplelog_settle(struct samplelog *l);

/** The samples of a session that are neither sealed nor in a full tail that waits for its seal, or
 * NULL. */
const struct sample_tail *samplelog_tail(const struct samplelog *l, int64_t session);
uint32_t samplelog_tails(const struct samplelog *l);
int64_t samplelog_bytes(const struct samplelog *l);

/** Calls fn for every record of a session in groups after `after`, in order. Reads the files, not
 * the memory: any thread. */
typedef int samplelog_fn(void *ctx, uint64_t group, int64_t at_ms, const struct core_sample *s);
EV_MUST_USE int samplelog_scan(const char *dir, int64_t session, uint64_t after, samplelog_fn *fn,
                               void *ctx);

#endif
