// SPDX-License-Identifier: Apache-2.0
/* quota.h: token buckets per key, tenant, address and phone. A full row of places evicts the bucket
 * that has rested longest, which can only be generous.
 *
 * Invariants:
 *  1. A bucket never holds more than its burst.
 *  2. Memory is fixed.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_QUOTA_H
#define EVEN_WEB_QUOTA_H

#include "base/str.h"

#define QUOTAS_N 16384

enum quota_kind {
    QUOTA_ADDRESS = 1,
    QUOTA_ACTOR,
    QUOTA_TENANT,
    QUOTA_LOGIN,
    QUOTA_LOGIN_ADDRESS,
    QUOTA_PHONE
};

struct bucket {
    uint64_t key;
    int64_t last_ns, tokens_m; /* thousandths of a token */
};
struct quotas {
    struct bucket *at;
    uint64_t seed;
};

EV_MUST_USE int quotas_init(struct quotas *q, uint64_t seed);
void quotas_free(struct quotas *q);
/** Takes one token of the bucket (kind, who), which refills at rate_m thousandths a second up to
 * `burst`. 0, or the seconds (at least 1) to wait. */
int32_t quota_take(struct quotas *q, enum quota_kind kind, struct str who, int64_t rate_m,
                   int64_t burst, int64_t now_ns);

#endif
