// SPDX-License-Identifier: Apache-2.0
/* lines.c: see lines.h. Data: one array, walked as a whole: it has some thousand places, and a walk
 * is rare beside a request. Fails only in lines_init. Under the web's guard. */
#include "web/lines.h"

#include <stdlib.h>
#include "base/err.h"

int lines_init(struct lines *l, uint32_t cap, uint32_t per_net, uint32_t new_per_net)
{
    *l = (struct lines){.cap = cap, .per_net = per_net, .new_per_net = new_per_net};
    l->at = calloc(cap, sizeof(l->at[0]));
    if (l->at == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < cap; i++)
        l->at[i].fd = -1;
    return 0;
}

void lines_free(struct lines *l)
{
    free(l->at);
    l->at = NULL;
}

bool lines_admit(struct lines *l, uint64_t net, int64_t now_ns, int *victim)
{
    struct line *oldest = NULL;
    uint32_t all = 0, fresh = 0;

    *victim = -1;
    if (net == 0)
        return true;
    for (uint32_t i = 0; i < l->cap; i++) {
        struct line *k = &l->at[i];

        if (k->fd < 0 || k->net != net || k->shut)
            continue;
        all++;
        if (k->proven)
            continue;
        fresh++;
        if (oldest == NULL || k->since_ns < oldest->since_ns)
            oldest = k;
    }
    if (all < l->per_net && fresh < l->new_per_net)
        return true;
    if (oldest == NULL || now_ns - oldest->since_ns < LINES_NEW_NS)
        return false;
    oldest->shut = true;
    *victim = oldest->fd;
    return true;
}

struct line *lines_open(struct lines *l, uint64_t net, int fd, int64_t now_ns, int64_t until_ns)
{
    for (uint32_t i = 0; i < l->cap; i++) {
        struct line *k = &l->at[i];

        if (k->fd >= 0)
            continue;
        *k = (struct line){.net = net, .since_ns = now_ns, .until_ns = until_ns, .fd = fd};
        return k;
    }
    return NULL;
}

void lines_close(struct line *line)
{
    line->fd = -1;
}

int lines_late(struct lines *l, uint32_t *i, int64_t now_ns)
{
    for (; *i < l->cap; (*i)++) {
        struct line *k = &l->at[*i];

        if (k->fd < 0 || k->shut || k->until_ns > now_ns)
            continue;
        k->shut = true;
        return k->fd;
    }
    return -1;
}
