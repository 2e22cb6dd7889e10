// SPDX-License-Identifier: Apache-2.0
/* monthsum.h: what a party was given in a month up to a moment, so that its page, which is looked at
 * again and again, does not add up the whole month each time. Ledger time never falls, and commits follow
 * one another: who sees what was posted at a moment sees all that was posted before it, and that changes no
 * more. So the moment is that of the newest share that was seen.
 *
 * Data: a place for each of some parties; who comes later takes it. Under the web's guard. Invariant: a
 * sum is of all parts of the party with month_ms <= at_ms < upto_ms. Cannot fail: what is not here is
 * summed anew. */
#ifndef EVEN_WEB_MONTHSUM_H
#define EVEN_WEB_MONTHSUM_H

#include <stdbool.h>
#include <stdint.h>
#include "base/hash.h"

enum { MONTHSUMS = 1024 };

struct monthsum {
    int64_t party, month_ms, upto_ms, sum;
};
struct monthsums {
    struct monthsum at[MONTHSUMS];
};

/** What is known of that party and month: at least that up to the month's begin it got nothing. */
static inline struct monthsum monthsum_get(const struct monthsums *m, int64_t party,
                                           int64_t month_ms)
{
    const struct monthsum *s = &m->at[hash_u64((uint64_t)party, 1) % MONTHSUMS];

    if (s->party == party && s->month_ms == month_ms)
        return *s;
    return (struct monthsum){.party = party, .month_ms = month_ms, .upto_ms = month_ms};
}

static inline void monthsum_put(struct monthsums *m, const struct monthsum *s)
{
    m->at[hash_u64((uint64_t)s->party, 1) % MONTHSUMS] = *s;
}

#endif
