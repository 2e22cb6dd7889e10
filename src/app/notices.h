// SPDX-License-Identifier: Apache-2.0
/* notices.h: notices on their way from the core to the sender of texts: what they say in words of the
 * place, how many may be sent, and their outcome as a command. Plain data of the worker's thread;
 * nothing here waits or sends. */
#ifndef EVEN_APP_NOTICES_H
#define EVEN_APP_NOTICES_H

#include "app/config.h"
#include "base/map.h"
#include "core/cmd.h"
#include "texts/texts.h"
#include "web/hourly.h"
#include "web/metrics.h"

enum { NOTICE_KINDS = NOTICE_DOUBT + 1, NOTICES_METRICS = 16 };

/** How many were sent, so that neither a phone nor the purse is flooded. In memory: a restart begins
 * anew. Zero it, notices_begin first, notices_free at the end. */
struct notices {
    struct hourly hour;
    struct map phones; /* keyed hash of a number: texts of the day */
    int64_t day;
    uint64_t seed;
    _Atomic uint64_t outcome[NOTICE_KINDS][NOTICE_UNKNOWN + 1], limited;
};
void notices_begin(struct notices *s, uint64_t seed);
void notices_free(struct notices *s);
/** NULL: one more may go to that number, and counts; else which limit is spent, a word. */
const char *notices_spent(struct notices *s, const struct config *c, const char *e164,
                          int64_t mono_ns, int64_t now_ms);
/** Rows of /metrics: NOTICES_METRICS. */
uint32_t notices_metrics(struct notices *s, struct metric_row rows[NOTICES_METRICS]);
/** Counts an outcome. */
void notices_count(struct notices *s, int32_t kind, enum notice_outcome outcome);

/** The text of a notice: kind, id and values, not the phone. `words`: reasons are words of ours, for a
 * gateway; else of Chinese. Values have `most` characters at most. */
void notice_text(const struct out_notice *n, int64_t now_ms, bool words, int32_t most,
                 struct text *out);
/** What became of it, for the core; `word`: why not, "" = nothing to say. */
void notice_result_make(const struct out_notice *n, uint64_t cause, enum notice_outcome outcome,
                        const char *word, struct cmd *out);

#endif
