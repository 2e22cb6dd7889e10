// SPDX-License-Identifier: Apache-2.0
/* company.h: companies that pay for their drivers and vehicles.
 *
 * A company has one account (ACCOUNT_COMPANY). A prepaid company pays money in first and its account
 * never falls below zero; a company with credit may owe up to its limit, which is the floor of the
 * account. An order that it pays holds its cap there, as an order of a driver does on the wallet.
 *
 * A member is a driver, or one card or VIN (a vehicle). Which orders the company pays:
 *
 *  started by       the company pays
 *  app, staff       when they say so (PAYER_COMPANY), for the driver's own membership
 *  card, VIN        when this token is a member; else when its driver is one and `cards` is set
 *
 * A token whose company or membership is disabled is refused, it never falls back on its driver's
 * wallet; a membership that was deleted is none. What runs already is paid as it was begun. So it is with
 * a company that has not paid a bill for overdue_days after its day: nothing new begins until it did; what
 * runs goes on, and may be raised.
 *
 * Quotas of a member: money, energy and orders of a month (in the tenant's zone), money of an order.
 * What open orders hold counts as used. They bound what is begun: what a card charged where its
 * charger had no network has happened, is paid, and counts.
 *
 * Bills. Everything charged to a company or given back to it in a month is one bill, which fills
 * until the month is over and staff issue it. With credit the parties' shares of its orders do not
 * mature by days but as the bill is collected: a bucket of a party with due_ms = −(id of the bill).
 * Of a partial collection each bucket gives the part that the payment is of what the bill still
 * lacked, rounded down; what settles the bill gives all that is left. When the refund window of the
 * month's last day is over by then the shares are available at once, else with its end. A bill that
 * is zero or negative as it is issued lacks nothing: its shares mature so at once, and what the
 * company is owed (`advance`) settles its other bills, oldest first.
 *
 * Invariants:
 *  1. balance − held ≥ −credit, or as far below as it was when the limit was lowered; prepaid: ≥ 0;
 *  2. used = Σ captured − refunded of the member's orders since from_ms; held = Σ of its open holds;
 *  3. captured and refunded of a bill are those of the company's orders between from_ms and to_ms;
 *  4. with credit: Σ collected of its bills + advance = Σ of what it paid in; advance > 0 only when
 *     no issued bill lacks anything; 0 ≤ collected ≤ amount of a bill that is not negative;
 *  5. a bucket of a bill that is settled does not exist;
 *  6. whatever left a bucket of a bill as it was collected stands in bill_share; the transfer that made it
 *     available names the bill.
 * The core's thread. Nothing here is ever fetched: companies, members and bills are always in memory. */
#ifndef EVEN_CORE_COMPANY_H
#define EVEN_CORE_COMPANY_H

#include "core/charge.h"

struct company {
    struct obj o;
    struct row_company row;
    bool due_known;       /* due_first was looked up since a bill of it changed */
    int64_t due_first_ms; /* when the oldest bill that is not settled was to be paid, 0 = none */
};
struct member {
    struct obj o;
    struct row_company_member row;
};
struct company_bill {
    struct obj o;
    struct row_company_bill row;
};

static inline struct company *company_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_COMPANY, id);
}
static inline int64_t company_bill_amount(const struct company_bill *b)
{
    return b->row.captured - b->row.refunded;
}

/* ---- company.c: rows, members, what a start may cost ---- */

/** Checks of rows that are put; `old` NULL = create. They fill in what the sender does not own. */
int company_check(const struct core *c, struct row_company *r, const struct row_company *old);
int company_member_check(const struct core *c, struct row_company_member *r,
                         const struct row_company_member *old);
/** Makes the floor of the account what the company's row says, as far as what it owes allows. */
void company_floor(struct core *c, const struct company *co);

/** The membership of a driver, NULL = none. */
struct member *company_member(const struct core *c, int64_t driver);
/** The member that pays what this card or VIN starts; NULL: its driver's wallet does. */
struct member *company_of_token(const struct core *c, const struct row_token *t);
/** ERR_NOT_MEMBER (NULL), ERR_DISABLED: it, or its company. */
int company_alive(const struct core *c, const struct member *m);
/** May this member begin an order of `cap` at this station? ERR_NOT_MEMBER, ERR_DISABLED, ERR_OVERDUE,
 * ERR_QUOTA, ERR_NO_FUNDS. */
int company_start(const struct core *c, const struct member *m, int64_t station, int64_t cap);
/** What a start that names no cap may cost: > 0, or -1 when it is refused. forced: it has happened,
 * 0 or more. */
int64_t company_local(const struct core *c, const struct member *m, int64_t station, bool forced);
/** The company's account; there is one. */
int64_t company_account(const struct core *c, const struct member *m);
/** What the company's account has free within its credit, ≥ 0. */
int64_t company_free(const struct core *c, int64_t company);

/* ---- the life of its orders; each does nothing for orders of other payers ---- */

/** It is there, with its hold. */
void company_began(struct core *c, const struct order *o);
/** It came to nothing; its hold was released just now. */
void company_failed(struct core *c, const struct order *o);
/** payer_hold, _raise, _take, _legs, _back of PAYER_COMPANY. */
EV_MUST_USE int company_hold(struct core *c, struct order *o, int64_t amount);
EV_MUST_USE int company_raise(struct core *c, struct order *o, int64_t more);
struct taken company_take(const struct core *c, const struct order *o, int64_t total,
                          const struct ledger_hold *hold);
void company_legs(struct core *c, struct order *o, const struct taken *t, struct ledger_request *q);
void company_back(struct core *c, struct order *o, int64_t back, struct ledger_request *q);
/** What its shares wait for: −(id of a bill), or 0 for the usual window. */
int64_t company_due(struct core *c, const struct order *o);
/** A bill of it was charged: `paid` was taken, a hold of `held` resolved. Before the order says so. */
void company_charged(struct core *c, const struct order *o, int64_t paid, int64_t held);
void company_refunded(struct core *c, const struct order *o, int64_t back);
/** It turned out to be so much energy, or so much more. */
void company_energy(struct core *c, const struct order *o, int64_t mwh);

/* ---- company_bill.c ---- */

/** The bill that fills now, made when missing; never NULL. */
struct company_bill *company_bill_now(struct core *c, const struct company *co);
/** When the shares of a collected bill are available; in the past: at once. */
int64_t company_bill_matures(const struct core *c, const struct company_bill *b);
/** Has it a bill that is overdue for as long as stops new orders? */
bool company_overdue(const struct core *c, struct company *co);
int company_pay(struct core *c, const struct cmd *cmd);
int company_bill_issue(struct core *c, const struct cmd *cmd);

#endif
