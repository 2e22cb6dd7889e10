// SPDX-License-Identifier: Apache-2.0
/* sample.h: the codec of meter samples, used by the shared log and by sealed blocks. A sample is
 * written as what differs from what was expected: times and energy are expected to go on by the
 * same step, everything else to stay. Lossless for every value of every field. Pure. */
#ifndef EVEN_STORE_SAMPLE_H
#define EVEN_STORE_SAMPLE_H

#include "base/buf.h"
#include "core/core.h"

enum { SAMPLE_FIELDS = 10, SAMPLE_BYTES_MAX = 110, BLOCK_SAMPLES = 512 };

/** What the next sample is expected to be. All zero is the start of a stream. */
struct sample_state {
    int64_t last[SAMPLE_FIELDS], step[SAMPLE_FIELDS];
    uint32_t none; /* bit i: field i was not measured */
};

/** Appends one sample; at most SAMPLE_BYTES_MAX bytes. */
void sample_put(struct buf *out, struct sample_state *st, int64_t at_ms,
                const struct core_sample *s);
/** Takes one sample. ERR_SYNTAX. */
EV_MUST_USE int sample_take(struct cursor *c, struct sample_state *st, int64_t *at_ms,
                            struct core_sample *s);
/** Appends a sealed block of a stream of samples: one byte that names the form, the length of the
 * stream, and the stream, compressed where that helps. ERR_TOO_LARGE, ERR_NOMEM. */
EV_MUST_USE int block_seal(struct str stream, struct buf *out);
/** Appends the stream of a sealed block. ERR_CORRUPT, ERR_TOO_LARGE, ERR_NOMEM. */
EV_MUST_USE int block_open(struct str block, struct buf *out);

#endif
