// SPDX-License-Identifier: Apache-2.0
/* turn.h: the house's daily turn: what falls due of rows that nobody has in memory. Every hour it
 * looks for gift money that expired, and hands the core a command for each driver (CMD_GIFT_TURN), which
 * judges by itself: so nothing depends on what is read here but when. Thread: the housekeeping thread,
 * on a reader of its own. */
#ifndef EVEN_APP_TURN_H
#define EVEN_APP_TURN_H

#include "core/cmd.h"
#include "store/store.h"

struct turn;
struct turn_config {
    struct store *store;
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *ctx;
    int64_t first_ms; /* nothing before: a start has other work */
};

EV_MUST_USE int turn_open(const struct turn_config *cfg, struct turn **out);
/** NULL is fine. */
void turn_close(struct turn *t);
/** Call every second or so: a hundred drivers at most, and what is left with the next call. Store errors
 * (logged by the store), ERR_FULL when the core takes no more just now: the next call goes on from there. */
EV_MUST_USE int turn_run(struct turn *t, int64_t now_ms);

#endif
