// SPDX-License-Identifier: Apache-2.0
/* metrics.h: plain counters and histograms that any thread may bump and /metrics prints. A
 * histogram has buckets of powers of two from 1 µs on, so observing one value is a shift and two
 * relaxed additions; nothing here locks. The owner of a figure keeps the memory; the web front
 * borrows the list it is handed at start.
 *
 * Invariants:
 *  1. A counter only grows, a gauge may do both.
 *  2. Names follow the exposition format of Prometheus and are literal texts.
 *
 * Any thread. Cannot fail. */
#ifndef EVEN_WEB_METRICS_H
#define EVEN_WEB_METRICS_H

#include <stdatomic.h>
#include "base/compiler.h"

#define METRIC_BUCKETS 26 /* 1 µs, 2 µs, … 33 s, more */

struct metric_hist {
    _Atomic uint64_t bucket[METRIC_BUCKETS];
    _Atomic uint64_t sum_us;
};

/** Adds one duration in microseconds. */
static inline void metric_observe(struct metric_hist *h, int64_t us)
{
    unsigned i = us <= 1 ? 0 : 64u - (unsigned)__builtin_clzll((uint64_t)us - 1);
    if (i >= METRIC_BUCKETS)
        i = METRIC_BUCKETS - 1;
    atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us > 0 ? (uint64_t)us : 0, memory_order_relaxed);
}

static inline void metric_add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static inline void metric_set(_Atomic uint64_t *g, uint64_t v)
{
    atomic_store_explicit(g, v, memory_order_relaxed);
}

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/** One figure of somebody else: exactly one of value and hist is set. label: `stage="apply"` or "".
 * Rows of one name stand together. */
struct metric_row {
    const char *name, *label, *help;
    enum metric_kind kind;
    const _Atomic uint64_t *value;
    const struct metric_hist *hist;
};

#endif
