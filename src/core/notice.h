// SPDX-License-Identifier: Apache-2.0
/* notice.h: texts to drivers about their charges: what the core asks the sender for (OUT_NOTICE), and
 * what became of it, as events of the order.
 *
 *   a moment ──► OUT_NOTICE, in the batch that makes it durable ──► sender ──► CMD_NOTICE_RESULT ──► event
 *
 * A moment is told while it is new. A notice that got lost (a crash between the commit and the
 * provider) is not asked for again: a text too few is a look at the page, a text too many costs money
 * and trust (doc/decisions/notices-are-asked-for-once.md).
 *
 * Who gets one: the driver of the order, who has a phone and did not switch texts off, of an operator
 * who chose that kind.
 *
 * Invariants: 1. orders.notices has every text that was asked for, in the batch that asked, so no crash
 * asks twice; all kinds but RUNS are asked for once an order, NOTICES_MAX in all; 2. what is not new is
 * not asked for: NOTICE_WORTH_MS; 3. each result has one effect, whoever repeats it; 4. money does not
 * know of any of this. The core's thread. */
#ifndef EVEN_CORE_NOTICE_H
#define EVEN_CORE_NOTICE_H

#include "core/core_state.h"

#define NOTICES_MAX     15 /* an order */
#define NOTICE_WORTH_MS (15 * 60 * 1000)

/** A set of enum notice_kind. */
static inline bool notice_set_ok(int32_t set)
{
    const int32_t all = 1 << NOTICE_ENDED | 1 << NOTICE_NEAR | 1 << NOTICE_FEE | 1 << NOTICE_RUNS |
                        1 << NOTICE_DOUBT;
    return (set & ~all) == 0;
}
/** A charging order is over and settled. */
void notice_ended(struct core *c, struct order *o);
/** Of an occupancy order; `at`: its moment. */
void notice_stay(struct core *c, struct order *o, enum notice_kind kind, int64_t at);
/** After a start of the program: what became of texts that were under way is not known. */
void notice_restart(struct core *c, struct order *o);
int notice_result(struct core *c, const struct cmd *cmd);

#endif
