// SPDX-License-Identifier: Apache-2.0
/* quota.c: see quota.h. Data: one array; a key may stand in any of WAYS neighbouring places. Under
 * the web's guard. */
#include "web/quota.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/hash.h"

enum { WAYS = 4 };

int quotas_init(struct quotas *q, uint64_t seed)
{
    q->seed = seed;
    q->at = calloc(QUOTAS_N, sizeof(q->at[0]));
    return q->at == NULL ? ERR_NOMEM : 0;
}

void quotas_free(struct quotas *q)
{
    free(q->at);
    q->at = NULL;
}

static struct bucket *bucket_get(struct quotas *q, uint64_t key, int64_t full_m, int64_t now_ns)
{
    struct bucket *row = &q->at[(key >> 1) % (QUOTAS_N / WAYS) * WAYS], *old = &row[0];

    for (int i = 0; i < WAYS; i++) {
        if (row[i].key == key)
            return &row[i];
        if (row[i].last_ns < old->last_ns)
            old = &row[i];
    }
    *old = (struct bucket){.key = key, .last_ns = now_ns, .tokens_m = full_m};
    return old;
}

int32_t quota_take(struct quotas *q, enum quota_kind kind, struct str who, int64_t rate_m,
                   int64_t burst, int64_t now_ns)
{
    uint64_t key = hash_bytes(who.p, who.n, q->seed + (uint64_t)kind) | 1;
    struct bucket *b = bucket_get(q, key, burst * 1000, now_ns);
    int64_t rest_ms = (now_ns - b->last_ns) / 1000000, gain;

    if (rest_ms > 86400000)
        rest_ms = 86400000;
    gain = rest_ms * rate_m / 1000;
    if (gain > 0) {
        b->tokens_m = b->tokens_m + gain > burst * 1000 ? burst * 1000 : b->tokens_m + gain;
        b->last_ns = now_ns;
    }
    if (b->tokens_m >= 1000) {
        b->tokens_m -= 1000;
        return 0;
    }
    return (int32_t)((1000 - b->tokens_m + rate_m - 1) / rate_m);
}
