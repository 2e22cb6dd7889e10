// SPDX-License-Identifier: Apache-2.0
/* rails.h: the integration worker: it delivers what the core asks of payment providers (OUT_PAY)
 * once that is durable, and brings back what became of it (CMD_PAY_RESULT). Judges what providers
 * tell by themselves.
 *
 * What it holds may be lost at any moment: the core asks again by its own timers, and after a
 * restart, under the same numbers. So its queue is bounded and drops what does not fit.
 *
 * Threads: one worker; rails_deliver, rails_notice, rails_reload from any. */
#ifndef EVEN_APP_RAILS_H
#define EVEN_APP_RAILS_H

#include "app/config.h"
#include "core/cmd.h"
#include "rail/rail.h"
#include "store/store.h"
#include "web/metrics.h"

struct rails;
enum { RAILS_METRICS = 32 };

struct rails_config {
    const struct config *settings;
    struct store *store; /* borrowed; outlives the rails */
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *ctx;
    const uint8_t *key; /* the installation's, borrowed: personal data is sealed with it */
};

/** Gives; nothing runs yet. ERR_NOMEM, ERR_IO. */
EV_MUST_USE int rails_new(const struct rails_config *cfg, struct rails **out);
/** Starts the worker. `base`: the address under which providers reach us, "https://host". */
EV_MUST_USE int rails_start(struct rails *r, const char *base);
/** Takes a copy of an OUT_PAY. Never waits. */
void rails_deliver(struct rails *r, const struct out *out);
/** After a run of them: wakes the worker. */
void rails_delivered(struct rails *r);
/** Judges a notice to a channel. RAIL_TAKEN: `result` is to be submitted, `thanks` is the answer. A
 * refusal is counted and audited here. */
EV_MUST_USE enum rail_refusal rails_notice(struct rails *r, int64_t channel,
                                           const struct rail_reply *in,
                                           struct cmd_pay_result *result, struct str *thanks);
/** Reads every channel's keys again before they are next used. */
void rails_reload(struct rails *r);
/** Rows of /metrics, at most RAILS_METRICS; returns how many. */
uint32_t rails_metrics(const struct rails *r, struct metric_row rows[RAILS_METRICS]);
/** Ends the worker; what is under way is broken off. */
void rails_stop(struct rails *r);
/** NULL is allowed. */
void rails_free(struct rails *r);

#endif
