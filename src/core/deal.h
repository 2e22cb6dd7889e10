// SPDX-License-Identifier: Apache-2.0
/* deal.h: divides one amount among a few who are due fractions of it, in whole posting units. What
 * each is due is a numerator over `den`; together they are due exactly the amount.
 *
 *  ROUND_DEFICIT  everybody gets the whole units due; what is left over goes unit by unit to whoever
 *                 is furthest behind over all deals so far (`behind` carries that from one deal to
 *                 the next). Should somebody still be a whole unit behind (only with many), a unit
 *                 is moved to them from whoever is furthest ahead and has one in this amount.
 *  ROUND_LARGEST  the same, but without memory: the largest remainder of this amount.
 *  ROUND_HALF_UP  each is rounded half up, in order, as far as the amount goes; one of them, the
 *                 taker, gets what is left. Without memory.
 *
 * Ties go to the lower index. Invariants: parts sum to the amount; none is negative; by deficit
 * behind' = behind + due − part × den, so they sum to what they summed before. Pure. */
#ifndef EVEN_CORE_DEAL_H
#define EVEN_CORE_DEAL_H

#include "base/money.h"
#include "core/types.h"

#define DEAL_MAX 32

struct deal {
    int64_t unit, den;
    int32_t rounding; /* enum rounding_rule */
    int32_t n, taker; /* index of the taker, for ROUND_HALF_UP */
    ev_i128 due[DEAL_MAX];
    int64_t behind[DEAL_MAX]; /* in: before this deal; out: after it */
    int64_t part[DEAL_MAX];   /* out */
};

/** Adds one who is due `due`; gives the index. */
int32_t deal_add(struct deal *d, ev_i128 due, int64_t behind);
/** Σ due = amount × den, Σ behind = 0. Without memory all behind are 0 afterwards. */
void deal_divide(struct deal *d, int64_t amount);

#endif
