// SPDX-License-Identifier: Apache-2.0
/* parallel.h: two guns of a pile in one vehicle (并充): two sessions, each with its own number, readings
 * and record, and one customer order (doc/decisions/parallel-is-an-order-and-its-part.md).
 *
 * The main order is the commercial matter: payer, hold, cap, bill, split. The second gun's session
 * hangs on an order object of its own, a *part* (ORDER_PART), that names it (part_of) and that it
 * names (part). A part has no payer, no hold, no fee lines, no shares; evidence and bill pieces of
 * its own it has. So whatever is true of one order and its one session stays true of both.
 *
 *  start    both or none: a refusal or silence before either charges releases the hold and stops the
 *           other gun; when the other charges already, the order is real, the gun that did not begin
 *           is closed by estimate with nothing, and the other is stopped
 *  running  the cap watches the sum; each gun may spend a part of it, half at first, and what one will
 *           not need is moved to the other (allot.h); the last one may spend what is left
 *  end      one gun's end stops the other, unless it only used up its part; the first to end waits in
 *           state ENDED, open like before, and both leave it together
 *  after    the bill is the pieces of both; a true end of either corrects the main order
 *
 * Invariants: 1. a part is open exactly as long as its main order, or less when its start failed; 2. it
 * carries no money; 3. the energy of a settled main order is that of both sessions. The core's
 * thread. */
#ifndef EVEN_CORE_PARALLEL_H
#define EVEN_CORE_PARALLEL_H

#include "core/core_state.h"

static inline bool parallel_is(const struct order *o)
{
    return o->row.part || o->row.part_of;
}
/** The other gun's order, ready; NULL when there is none in memory. */
struct order *parallel_other(struct core *c, const struct order *o);
/** The order that the customer has: the main one of a part, else the order itself. */
struct order *parallel_main(const struct core *c, struct order *o);

/* ---- start ---- */

/** Joins a new order to its new part. */
void parallel_join(struct order *o, struct order *part);
/** The number that a pair of starts has in common on the wire, "" for an order of one gun. */
void parallel_number(const struct core *c, const struct order *o, char out[13]);
/** Another pair of this pile has the number that such a transaction number would give this one: both were
 * started in one second. */
bool parallel_number_taken(const struct core *c, const struct charger *ch, const struct order *o,
                           const char *tx_no);
/** A start came to nothing. True: the other gun charges, so this one was closed with nothing instead,
 * and the order goes on to its end; false: the order has failed, order_fail goes on. */
bool parallel_kept(struct core *c, struct order *o, const char *detail);
/** After order_fail: the other gun fails too. */
void parallel_failed(struct core *c, struct order *o, int err);

/* ---- running ---- */

/** What both have spent, of a part what it has. */
int64_t parallel_spent(const struct core *c, const struct order *o);
int64_t parallel_energy(const struct core *c, const struct order *o);
/** What this gun may spend of the cap; 0 = no limit. */
int64_t parallel_share(const struct core *c, const struct order *o);
/** The cap was raised by that. */
void parallel_raised(struct core *c, struct order *o, int64_t amount);
/** Moves parts of the cap between two guns that charge, where one needs it. Returns when to look again,
 * INT64_MAX = with the next reading. */
int64_t parallel_allot(struct core *c, struct order *o, int64_t price_e5);
/** What became of a balance that the pile was told; `part` as in pile_balance_tell. */
void parallel_told(struct core *c, struct order *o, int64_t part, bool accepted);
/** True when the cap of this order is watched: one of its guns may draw. */
bool parallel_charges(struct core *c, const struct order *o);
/** Makes the view of the main gun one of both. */
void parallel_view(struct core *c, const struct order *o, struct cap_view *v);
/** A stop was asked of one: the other stops too. */
void parallel_stopped(struct core *c, struct order *o, enum stop_reason reason);
/** Whose session a stop of this order means: when its own is over, the other gun's. */
struct order *parallel_live(struct core *c, struct order *o);

/* ---- end ---- */

/** One session is over. Returns the order that is to be settled now, NULL while the other goes on. */
struct order *parallel_ended(struct core *c, struct order *o, enum stop_reason reason);

/** An order's bill and evidence, of both sessions where there are two. */
struct order_sum {
    const struct fee_bill *bill;
    struct fee_bill merged;
    int64_t energy_mwh, doubt_mwh;
    int32_t doubt;
};
void parallel_sum(struct core *c, const struct order *o, struct order_sum *out);
/** Before a late record is judged: o's evidence has what is in doubt of this session alone. Returns the
 * other session's energy that was in doubt, was accepted, and stays so; of `billed_mwh`. */
int64_t parallel_own(struct core *c, struct order *o, int64_t billed_mwh);
/** A late record of one whose other gun still goes on: it is no estimate any more. */
bool parallel_true_end(struct core *c, struct order *o);

#endif
