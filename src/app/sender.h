// SPDX-License-Identifier: Apache-2.0
/* sender.h: the worker that sends texts, by the operator's gateway or a cloud (src/texts), as `texts.*`
 * say: log-in codes of drivers, and notices about their charges. The web front hands a code over and lets
 * its request sleep; the outcome wakes it. The core's notices (OUT_NOTICE) come with their batch; the
 * outcome of each is a command (CMD_NOTICE_RESULT).
 *
 * What it holds dies with it: a code that was not sent is asked for again by its driver. So its queue is
 * bounded, and each text has a time by which it is answered for, whatever the provider does.
 *
 * Threads: one worker; sender_door's functions, sender_notice and sender_reload from any. */
#ifndef EVEN_APP_SENDER_H
#define EVEN_APP_SENDER_H

#include "app/config.h"
#include "core/cmd.h"
#include "web/metrics.h"
#include "web/web.h"

struct sender;
enum { SENDER_METRICS = 21 };

struct sender_config {
    const struct config *settings;
    /* Takes the outcome of a text: an OUT_REPLY. The worker's thread. */
    void (*deliver)(void *ctx, const struct out *out);
    /* Puts the outcome of a notice into the core's mailbox. Any thread. */
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *ctx;
};

/** Gives; nothing runs yet. Wrong settings are told on stderr: ERR_REQUIRED, ERR_SYNTAX, ERR_RANGE;
 * keys that cannot be read only in the log, as they are tried again. ERR_NOMEM, ERR_IO. */
EV_MUST_USE int sender_new(const struct sender_config *cfg, struct sender **out);
EV_MUST_USE int sender_start(struct sender *s);
/** Takes a copy of an OUT_NOTICE. Never waits; before sender_start, and after sender_stop, too. */
void sender_notice(struct sender *s, const struct out *out);
/** What the web front uses; lives as long as the sender. */
const struct web_texts *sender_door(const struct sender *s);
/** Reads the keys again before the next text. NULL is allowed. */
void sender_reload(struct sender *s);
/** Rows of /metrics, SENDER_METRICS at most; returns how many. NULL has none. */
uint32_t sender_metrics(struct sender *s, struct metric_row rows[SENDER_METRICS]);
/** Ends the worker; who waits for a text is told that nothing is known. NULL is allowed. */
void sender_stop(struct sender *s);
/** NULL is allowed. */
void sender_free(struct sender *s);

#endif
