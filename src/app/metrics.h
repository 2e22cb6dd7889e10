// SPDX-License-Identifier: Apache-2.0
/* metrics.h: the engine's own figures, bumped by its threads and printed by the web front's
 * /metrics. */
#ifndef EVEN_APP_METRICS_H
#define EVEN_APP_METRICS_H

#include "web/metrics.h"

struct app_metrics {
    struct metric_hist queue, apply, commit; /* waiting for the core, in it, becoming durable */
    _Atomic uint64_t commands, commits, orders_open, chargers_online, inbox_bytes;
    _Atomic uint64_t store_rows, store_samples, store_blocks, store_tails, store_log_bytes;
};

#endif
