// SPDX-License-Identifier: Apache-2.0
/* turn.c: see turn.h. Data: how far the look at hand has come (`after`), when the next one begins.
 * Invariants: 1. drivers are asked for in the order of their ids, so a look ends; 2. a command that is
 * lost, or refused because the gift is held by an order, is sent again with the next look. */
#include "app/turn.h"

#include <stdlib.h>

#include "base/err.h"
#include "store/query.h"

enum { LOOK_MS = 3600 * 1000, PAGE = 100 };

struct turn {
    struct turn_config cfg;
    struct store_reader *r;
    int64_t next_ms, after;
    int n, err; /* of the page at hand */
    struct cmd cmd;
};

int turn_open(const struct turn_config *cfg, struct turn **out)
{
    struct turn *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->cfg = *cfg;
    t->next_ms = cfg->first_ms;
    int err = store_reader_open(cfg->store, &t->r);
    if (err)
        turn_close(t);
    else
        *out = t;
    return err;
}

void turn_close(struct turn *t)
{
    if (!t)
        return;
    store_reader_close(t->r);
    free(t);
}

static int expired_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct turn *t = ctx;
    (void)n;
    t->n++;
    if (t->err)
        return 0;
    t->cmd.head = (struct cmd_head){.size = CMD_SIZE(driver_one),
                                    .version = CMD_VERSION,
                                    .type = CMD_GIFT_TURN,
                                    .tenant = v[1].i,
                                    .actor_kind = ACTOR_SYSTEM};
    t->cmd.u.driver_one = (struct cmd_driver_one){.driver = v[0].i};
    t->err = t->cfg.submit(t->cfg.ctx, &t->cmd);
    if (!t->err)
        t->after = v[0].i;
    return 0;
}

int turn_run(struct turn *t, int64_t now_ms)
{
    if (now_ms < t->next_ms)
        return 0;
    const struct sql_value in[] = {SQL_I64(now_ms), SQL_I64(t->after), SQL_I64(PAGE)};
    t->n = t->err = 0;
    int err = store_query(t->r, QUERY_GIFTS_EXPIRED, in, 3, expired_take, t);
    if (err == ERR_NOT_FOUND)
        err = 0;
    if (err || t->err)
        return err ? err : t->err;
    if (t->n == PAGE)
        return 0;
    t->after = 0;
    t->next_ms = now_ms + LOOK_MS;
    return 0;
}
