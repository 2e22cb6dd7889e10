// SPDX-License-Identifier: Apache-2.0
/* charge.h: a bill becomes moved money: the payer is asked (payer.c), what he gives is divided among
 * the parties, and all of it is one transfer (charge.c). Used by whatever bills an order: its end,
 * the decision about a doubtful rest, the correction of an estimated end.
 *
 * Who pays a bill of `total`:
 *
 *  - a wallet, or a single payment in it, with a hold: min(total, hold) is captured, of principal and
 *    gift money by the tenant's rule (wallet.c), the rest of the hold released. What
 *    exceeds it is debt if the tenant says so and the cap was not the driver's own prepaid amount;
 *    else loss.
 *  - a wallet without a hold: what is available; the rest is debt or loss by the same policies.
 *  - a company: as a wallet; what exceeds the hold is the company's too, if that is its way and its
 *    balance or credit has room, else loss (company.h).
 *  - nobody: all of it is loss.
 *
 * Invariants: 1. captured + debt + loss = total of the bill; 2. Σ parts = captured + debt, of each
 * fee line too; 3. a hold is resolved here or in order_fail, once. The core's thread. */
#ifndef EVEN_CORE_CHARGE_H
#define EVEN_CORE_CHARGE_H

#include "core/core_state.h"

/** What an order owes, by fee line. */
struct bill {
    int64_t elec, service, occupancy;
    int64_t energy_mwh; /* what contracts divide by the kWh */
};
/** Where a bill went. */
struct taken {
    int64_t captured, debt, loss;
    int64_t gift; /* of captured: gift money */
};

static inline int64_t bill_total(const struct bill *b)
{
    return b->elec + b->service + b->occupancy;
}
/** The fee lines' shares of `paid` when it is less than the bill; the bill itself when it is not. */
struct bill bill_taken(const struct bill *b, int64_t paid);

/* ---- charge.c ---- */

/** Takes the bill from the payer and gives it to the parties, in one transfer; resolves the hold
 * when there is one (0 = none). Appends the parts; the order's sums are the caller's. */
struct taken charge_bill(struct core *c, struct order *o, const struct bill *b, int64_t hold_id);
/** What the true end adds to a bill that was charged: the same, under a transfer code of its own. */
struct taken charge_late(struct core *c, struct order *o, const struct bill *b);

/** Do the parties share in what gift money paid? By the order's contract; never without one. */
bool charge_shares_gift(const struct core *c, const struct order *o);

/* ---- payer.c ---- */

/** Somebody pays it: a driver's wallet, a single payment in it, or a company. */
static inline bool payer_pays(const struct order *o)
{
    return o->row.payer_kind == PAYER_WALLET || o->row.payer_kind == PAYER_SINGLE ||
           o->row.payer_kind == PAYER_COMPANY;
}
/** What the payer of this order gives of `total`; changes nothing. hold: NULL = none. */
struct taken payer_take(const struct core *c, const struct order *o, int64_t total,
                        const struct ledger_hold *hold);
/** Legs that take it from the payer; the order's gift part is noted. */
void payer_legs(struct core *c, struct order *o, const struct taken *t, struct ledger_request *q);
/** Legs that give `back` to the payer, as it was paid: what he owes is settled first. The order's
 * sums do not contain it yet. */
void payer_back(struct core *c, struct order *o, int64_t back, struct ledger_request *q);
/** Holds `amount` for the order, or `more` on top: ERR_NO_FUNDS, ERR_FULL … */
EV_MUST_USE int payer_hold(struct core *c, struct order *o, int64_t amount);
EV_MUST_USE int payer_raise(struct core *c, struct order *o, int64_t more);
/** The order is settled, gave something back, or failed: what is the payer's again goes where it
 * belongs. */
void payer_over(struct core *c, struct order *o);

/* ---- wallet.c ---- */

/** What a driver has free to spend. */
struct wallet_money {
    int64_t principal, gift;
};
struct wallet_money wallet_money(const struct core *c, int64_t tenant, int64_t driver,
                                 const char *currency);
EV_MUST_USE int wallet_hold(struct core *c, struct order *o, int64_t amount);
EV_MUST_USE int wallet_raise(struct core *c, struct order *o, int64_t more);
struct taken wallet_take(const struct core *c, const struct order *o, int64_t total,
                         const struct ledger_hold *hold);
void wallet_legs(struct core *c, struct order *o, const struct taken *t, struct ledger_request *q);
void wallet_back(struct core *c, struct order *o, int64_t back, struct ledger_request *q);
int wallet_freeze(struct core *c, const struct cmd *cmd);

/* ---- closing.c ---- */

int wallet_close(struct core *c, const struct cmd *cmd);
/** What staff asked for is dropped, by whoever asked or by somebody else. */
int wallet_close_end(struct core *c, const struct cmd *cmd);

/* ---- single.c ---- */

/** What of the payment its order has not taken, and has not gone back: >= 0. */
int64_t single_left(const struct core *c, const struct order *o);
/** The rest of a single payment goes back to its source. */
void single_over(struct core *c, struct order *o);
/** What was in doubt of the order is decided: its channel may share the payment. */
void single_decided(struct core *c, const struct order *o);

#endif
