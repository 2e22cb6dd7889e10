// SPDX-License-Identifier: Apache-2.0
/* replica.h: the latest of orders in progress, of their connectors, and of connectors that changed
 * lately, as the core's events tell it, so that lists show live power and cost without a query, and
 * a page that connects gets a picture at once, with what changed since it read its lists; and who is
 * online without having told of a connector. It is a cache: empty after a start, filled by what happens; what it does not know stands
 * in the rows, which were durable before the event.
 *
 * Invariants:
 *  1. A connector has one entry.
 *  2. Live figures are kept only while an order is in progress.
 *  3. Memory is bounded: past REPLICA_MAX connectors new ones are not remembered, and of those
 *     without an order only the last REPLICA_IDLE that changed are.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_REPLICA_H
#define EVEN_WEB_REPLICA_H

#include "base/buf.h"
#include "base/idset.h"
#include "base/map.h"
#include "base/slab.h"
#include "core/cmd.h"

#define REPLICA_MAX  500000
#define REPLICA_IDLE 1024

struct live {
    int64_t tenant, station, charger, connector, order, driver;
    int64_t at_ms, energy_mwh, power_w, cost, cap;
    int32_t soc_pm, status, state, voltage_mv, current_ma;
    bool status_known, idle; /* idle: in the list of those without an order */
    struct slab_ref ref;
    struct live *newer, *older;
};
struct replica {
    struct slab lives;
    struct map connectors, orders; /* id → slab index */
    struct idset online; /* ids of chargers that are, and whose connectors said nothing yet */
    struct live *idle_first, *idle_last;
    uint32_t idle_n;
};

void replica_init(struct replica *p, uint64_t seed);
void replica_free(struct replica *p);
void replica_apply(struct replica *p, const struct out_event *e);
/** The entry of a connector or an order in progress, or NULL. */
const struct live *replica_connector(const struct replica *p, int64_t connector);
const struct live *replica_order(const struct replica *p, int64_t order);
/** True when the charger is connected and no connector of it has a row that tells so. */
bool replica_online(const struct replica *p, int64_t charger);
/** The event that tells what an entry knows. */
void replica_event(const struct live *l, struct out_event *e);

/** Later values of `e` over those of `into`; zero fields say nothing. */
void event_merge(struct out_event *into, const struct out_event *e);
/** Appends one event in the form of text/event-stream. driver: the reader may know who charges. */
void event_write(struct buf *out, const struct out_event *e, uint64_t seq, bool driver);

#endif
