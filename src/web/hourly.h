// SPDX-License-Identifier: Apache-2.0
/* hourly.h: how often something happened within the last hour, by minutes: what the whole house may
 * spend on texts. In memory; a restart begins anew.
 *
 * Invariant: no more than `most` are let through in any 60 minutes, to the minute.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_HOURLY_H
#define EVEN_WEB_HOURLY_H

#include "base/compiler.h"

#define HOURLY_N 60

struct hourly {
    int64_t minute; /* of the newest count */
    int32_t n[HOURLY_N];
};

/** Seconds until one more may be counted: 0 = now. */
int32_t hourly_wait(struct hourly *h, int32_t most, int64_t now_ns);
/** Counts one. */
void hourly_count(struct hourly *h, int64_t now_ns);
/** How many the last hour had. */
int32_t hourly_sum(struct hourly *h, int64_t now_ns);

#endif
