// SPDX-License-Identifier: Apache-2.0
/* discharge.h: what a discharge (放电) adds to the life of an order; see discharge.c.
 *
 * A discharge that pays is an order of kind ORDER_DISCHARGE with a driver; one without a driver is a
 * matter of staff, and moves no money. */
#ifndef EVEN_CORE_DISCHARGE_H
#define EVEN_CORE_DISCHARGE_H

#include "core/core_state.h"

/** Its driver is paid for what it gives. */
static inline bool discharge_pays(const struct order *o)
{
    return o->row.kind == ORDER_DISCHARGE && o->row.driver != 0;
}

/** May a station of this tenant buy energy at this family of tariffs? 0 = none is fine.
 * ERR_NOT_FOUND; ERR_RANGE: one of its versions has a service price. */
EV_MUST_USE int discharge_family_check(const struct core *c, int64_t tenant, int64_t family);
/** Does a station buy energy at this family? Then its new versions have no service price. */
bool discharge_family_used(const struct core *c, int64_t family);
/** A tariff has a service price somewhere. */
bool discharge_service(const struct tariff *t);

/** May the discharge of this command begin, and at which tariff? `driver` is who is paid: its
 * accounts are made, so that no payment can fail later. ERR_DENIED, ERR_NOT_FOUND, ERR_DISABLED,
 * ERR_NO_DISCHARGE, ERR_FULL. */
EV_MUST_USE int discharge_start(struct core *c, const struct cmd *cmd, const struct station *s,
                                const struct tariff **tariff);

/** Pays the bill of an order that is over; the sums of the order and of its day. */
void discharge_settle(struct core *c, struct order *o);
/** Pays the doubtful rest that was accepted. */
void discharge_rest(struct core *c, struct order *o);
/** The true end of an estimated one: pays what is missing, or takes back what was too much. */
void discharge_correct(struct core *c, struct order *o, int64_t billed_mwh);
/** Compares the amount of the pile's record with our bill; what it says less stays in doubt. After
 * the bill of the record. */
void discharge_judge(struct core *c, struct order *o, const struct cmd_tx_record *in);
/** A reading came: the vehicle is as empty as its driver allowed, and the pile goes on. */
void discharge_floor(struct core *c, struct order *o);

#endif
