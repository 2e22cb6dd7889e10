// SPDX-License-Identifier: Apache-2.0
/* withhold.h: income tax that is withheld of payouts to persons (个人代扣), and what a channel lets
 * through to one of them (withhold.c); the rules by which it is counted (withhold_rule.c).
 *
 * A rule is data of the tenant, dated, and none is there to begin with: no rate stands in the code.
 * What a person's payouts of a month come to is taxed as one sum T(sum): less a deduction, the fixed one
 * or a part of the sum, whichever is more, by brackets, rounded once. A payout is withheld T(sum with it)
 * less what the month's earlier ones were withheld; so a sum costs the same in one payout or in many.
 *
 *  when                 the money
 *  payout approved      transit → tax account, its tax                          TRANSFER_WITHHELD
 *  it settles           transit → outside, the rest                             TRANSFER_PAYOUT_DONE
 *  it comes to nothing  transit and tax account → whose it is, all of it        TRANSFER_PAYOUT_BACK
 *  tax office paid      tax account → bank                                      TRANSFER_TAX_PAID
 *
 * Invariants:
 *  1. T never falls and never grows faster than the sum: tax of a payout >= 0, and something of it is
 *     left to be paid;
 *  2. tax account of a tenant = Σ withheld − Σ paid of its months (negative: the office was paid for a
 *     payout that came back);
 *  3. withheld of a month = Σ tax of its payouts that did not come to nothing;
 *  4. to the office goes no more for a month than was withheld in it;
 *  5. while a rule is in force nobody is paid of whom it is not known whether he is a person.
 * Months are those of the tenant's zone. The functions in the first part are pure. */
#ifndef EVEN_CORE_WITHHOLD_H
#define EVEN_CORE_WITHHOLD_H

#include "base/err.h"
#include "core/cmd.h"
#include "core/rows.h"

struct core;
struct payout;

struct withhold_rule {
    struct withhold_rule *next; /* of any tenant; of one the newest from_ms first */
    struct row_withhold_rule row;
    int32_t n;
    struct row_withhold_rate rate[WITHHOLD_RATES_MAX]; /* ascending by above */
};

/* ---- withhold_rule.c ---- */

/** 0, ERR_REQUIRED without a name, ERR_RANGE. */
EV_MUST_USE int withhold_rule_check(const struct withhold_rule *r);
/** T: the tax of a month's sum. */
int64_t withhold_tax(const struct withhold_rule *r, int64_t sum);
/** What a payout of `amount`, of which `fee` is kept, is withheld after `sum` was approved in the month
 * and `held` withheld. Of what is paid at least a fen is left; what is due beyond waits for the next. */
int64_t withhold_of(const struct withhold_rule *r, int64_t sum, int64_t held, int64_t amount,
                    int64_t fee);

/** Loads a rule, then its rates; ERR_CORRUPT, ERR_NOMEM. */
EV_MUST_USE int withhold_load(struct core *c, enum row_table t, const void *row);
/** In force at that time, or NULL. One without rates withholds nothing. */
const struct withhold_rule *withhold_in_force(const struct core *c, int64_t tenant, int64_t ms);
int withhold_put(struct core *c, const struct cmd *cmd);

/* ---- withhold.c ---- */

/** Of a party that is being put: what only the core writes stays as it was. */
void withhold_keep(struct row_party *row, const struct row_party *old);
/** May this share be asked for, by this channel? ERR_PAYEE_KIND, ERR_TRANSFER_LIMIT, ERR_REQUIRED
 * without a payee's name, ERR_FULL. */
EV_MUST_USE int withhold_ask_check(struct core *c, const struct cmd *cmd);
/** It was asked for; it came to nothing. */
void withhold_asked(struct core *c, const struct payout *p);
void withhold_undo(struct core *c, struct payout *p);
/** May it be approved? ERR_PAYEE_KIND, ERR_FULL. */
EV_MUST_USE int withhold_check(struct core *c, const struct payout *p);
/** It is approved: withholds its tax. After withhold_check, at the same time. */
void withhold_take(struct core *c, struct payout *p);
int withhold_paid(struct core *c, const struct cmd *cmd);

#endif
