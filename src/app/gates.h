// SPDX-License-Identifier: Apache-2.0
/* gates.h: the network threads for chargers. One reactor a thread with its own listeners
 * (SO_REUSEPORT), an OCPP gate and a 云快充 gate. Answers of the core arrive in the reactor's
 * mailbox. */
#ifndef EVEN_APP_GATES_H
#define EVEN_APP_GATES_H

#include "app/config.h"
#include "core/cmd.h"
#include "web/metrics.h"

struct gates;
enum { GATES_METRICS = 32 };

struct gates_config {
    const struct config *settings;
    int (*submit)(void *ctx, const struct cmd *cmd);
    void (*submitted)(void *ctx); /* after the last command of a reactor's turn */
    void *ctx;
    const uint8_t *key;
};

/** Opens all reactors, listening nowhere yet. ERR_NOMEM, ERR_IO. */
EV_MUST_USE int gates_new(const struct gates_config *cfg, struct gates **out);
/** Listens; *ocpp and *ykc tell the ports. */
EV_MUST_USE int gates_listen(struct gates *g, uint16_t *ocpp, uint16_t *ykc);
/** Starts the threads; `wake_fd` is the one descriptor that `submitted` uses (kept where each thread
 * has a table of its own: charge.own_files) … */
EV_MUST_USE int gates_start(struct gates *g, int wake_fd);
/** … or, where one thread does everything: one turn of every reactor, each waiting that long. */
void gates_turn(struct gates *g, int32_t wait_ms);
/** Fills rows of /metrics (at most GATES_METRICS) and returns how many; the figures live as long as
 * the gates. */
uint32_t gates_metrics(const struct gates *g, struct metric_row rows[GATES_METRICS]);
/** Rows for each model of charger that said something odd, at most `max`; any thread. */
uint32_t gates_models(const struct gates *g, struct metric_row *rows, uint32_t max);
/** The frame logs, one a reactor, and who is watched; live as long as the gates. */
struct framelog;
struct framewatch;
uint32_t gates_frames(const struct gates *g, struct framelog *const **logs,
                      struct framewatch **watch);
/** Hands an answer or a call to the reactor it names; any thread, never waits. */
void gates_deliver(struct gates *g, const struct out *out);
/** After the last answer of a batch: wakes the reactors that were handed something. */
void gates_delivered(struct gates *g);
/** Drains every connection (1001) and joins the threads. */
void gates_stop(struct gates *g);
void gates_free(struct gates *g);

#endif
