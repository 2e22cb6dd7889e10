// SPDX-License-Identifier: Apache-2.0
/* occupancy.h: the fee for a bay that stays taken after the charging (占位费).
 *
 * A rule says how long it is free, in which hours of the local day a minute costs what, what it
 * costs at most, and who bears what the wallet does not have. Rules are versions of families as
 * tariffs are: immutable, one in force at an instant, frozen to an order as it begins.
 *
 * The order (ORDER_OCCUPANCY) is linked to the charging order that it follows. Its clock runs only
 * while something sure is known: see occupancy.c. What is sure is a list of spans; a bill is made of
 * the spans and the rule alone, so it can be made again by whoever has both.
 *
 * A bill: each span is cut at the bounds of windows, at local midnight and where the zone's offset
 * changes; each piece is a line of its whole minutes (the rest of a minute is free) at the price per
 * minute, rounded half up to the fen once. What exceeds the cap of a local day, or of the order,
 * is one more line with a negative amount. Pure but for the state machine. */
#ifndef EVEN_CORE_OCCUPANCY_H
#define EVEN_CORE_OCCUPANCY_H

#include "core/core_state.h"

#define OCC_PRICE_MAX (INT64_C(100) * MONEY_UNIT) /* per minute */
#define OCC_LINES_MAX 512
#define OCC_DAYS_MAX  7 /* an order ends by itself after so many */
/** Labels of lines that are no hours. */
#define OCC_LABEL_CAP   "cap"
#define OCC_LABEL_WAIVE "waived"

struct occ_rule {
    struct occ_rule *next; /* the version before it */
    struct row_occupancy_rule row;
    int32_t n;
    struct row_occupancy_window window[OCCUPANCY_WINDOWS_MAX];
};
/** Time of which it is sure that the bay was taken. */
struct occ_span {
    int64_t from_ms, to_ms;
};
struct occ_line {
    int64_t from_ms, to_ms, minutes, price, amount;
};
struct occ_bill {
    int32_t n;
    int64_t sum, total; /* of the lines; after the caps */
    struct occ_line line[OCC_LINES_MAX];
};

/* ---- occupancy_rule.c ---- */

/** ERR_REQUIRED, ERR_RANGE; ERR_CONFLICT: windows overlap. */
EV_MUST_USE int occ_rule_check(const struct occ_rule *r);
/** Price per minute at an instant (NULL zone = UTC), which holds until *end_ms. */
int64_t occ_price_at(const struct occ_rule *r, const struct zone *z, int64_t ms, int64_t *end_ms);
/** Spans ascend and do not overlap. */
void occ_bill_make(const struct occ_rule *r, const struct zone *z, const struct occ_span *span,
                   int32_t n, struct occ_bill *out);

const struct occ_rule *occ_rule_find(const struct core *c, int64_t version);
const struct occ_rule *occ_rule_in_force(const struct core *c, int64_t family, int64_t ms);
int occupancy_put(struct core *c, const struct cmd *cmd);
EV_MUST_USE int occupancy_load(struct core *c, enum row_table t, const void *row);

/* ---- occupancy.c: what happens to a connector ---- */

/** A charging order has ended and is settled; k may be NULL. */
void occupancy_after(struct core *c, struct order *o, struct connector *k, enum stop_reason reason);
/** The connector said something, true at at_ms. */
void occupancy_status(struct core *c, struct connector *k, int64_t at_ms);
void occupancy_parking(struct core *c, struct connector *k);
/** Nothing sure is known of it any more. */
void occupancy_pause(struct core *c, const struct connector *k, const char *why);
void occupancy_boot(struct core *c, struct connector *k);
/** Its charger is connected. */
void occupancy_online(struct core *c, const struct connector *k);
/** An order was made for it; its session began; it came to nothing. */
void occupancy_ordered(struct core *c, const struct order *o, struct connector *k);
void occupancy_session(struct core *c, const struct order *o);
void occupancy_freed(struct core *c, struct connector *k);
/** The order that would begin with this status must be there: need.c. */
bool occupancy_waits(const struct connector *k, int32_t status);
/** This charging order is over, and a stay of its driver may still begin where it was: its plug was not
 * seen pulled, on a connection that never broke since, or not long ago. A day after it none is waited for. */
bool occupancy_may_follow(const struct core *c, const struct order *o);

/* ---- … and to its order ---- */

void occupancy_fire(struct core *c, struct order *o, enum order_timer t);
void occupancy_restart(struct core *c, struct order *o);
/** The answer to a call that asked what the connector says. */
void occupancy_answer(struct core *c, struct order *o, int err, const char *status);
/** What it comes to now: what is surely known, and what will be if the plug is still there. */
int64_t occupancy_spent(const struct core *c, const struct order *o);
/** The payer owes what he does not have. */
bool occupancy_debt(const struct core *c, const struct order *o);
int occupancy_waive(struct core *c, const struct cmd *cmd);

#endif
