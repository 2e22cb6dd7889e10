// SPDX-License-Identifier: Apache-2.0
/* payer.c: who pays a bill, how much of it, and out of which account; see charge.h for the rule.
 *
 * Owns nothing. Invariant: what payer_take says can be taken: payer_legs posts it and may not fail.
 * The core's thread. */
#include "core/charge.h"
#include "core/occupancy.h"
#include "core/purse.h"

static int64_t available_of(const struct core *c, const struct order *o)
{
    const struct ledger_account *a = ledger_account_find(c->ledger, o->row.tenant, ACCOUNT_WALLET,
                                                         o->row.driver, o->row.currency);
    int64_t v = a ? ledger_available(a).v : 0;
    return v > 0 ? v : 0;
}

static bool debt_allowed(const struct core *c, const struct order *o, bool held)
{
    const struct tenant *t = tenant_find(c, o->row.tenant);
    if (o->row.kind == ORDER_OCCUPANCY)
        return occupancy_debt(c, o);
    if (o->row.started_by == START_APP || o->row.started_by == START_STAFF)
        return false; /* the cap was the prepaid amount */
    return t->row.overrun_policy == OVERRUN_DEBT || (!held && t->row.hold_policy == HOLD_NONE_DEBT);
}

/* A card that charges where the pile has no network may owe no more than its limit. */
static int64_t debt_most(const struct order *o, const struct taken *t)
{
    bool limited = o->row.started_by == START_OFFLINE && o->srow.tx_no[0];
    int64_t room = o->row.cap - t->captured;
    if (!limited || t->loss <= room)
        return t->loss;
    return room > 0 ? room : 0;
}

struct taken payer_take(const struct core *c, const struct order *o, int64_t total,
                        const struct ledger_hold *hold)
{
    struct taken t = {.loss = total};
    if (o->row.payer_kind != PAYER_WALLET || total <= 0)
        return t;
    int64_t most = hold ? hold->amount.v : available_of(c, o);
    t.captured = total < most ? total : most;
    t.loss = total - t.captured;
    if (debt_allowed(c, o, hold != NULL)) {
        t.debt = debt_most(o, &t);
        t.loss -= t.debt;
    }
    return t;
}

void payer_legs(struct core *c, const struct order *o, const struct taken *t,
                struct ledger_request *q)
{
    int64_t account;
    if (t->captured) {
        must(wallet_open(c, o->row.tenant, o->row.driver, o->row.currency, &account) == 0);
        purse_leg(q, account, -t->captured, 0);
    }
    if (t->debt) {
        must(account_open(c, o->row.tenant, ACCOUNT_DEBT, o->row.driver, o->row.currency,
                          &account) == 0);
        purse_leg(q, account, -t->debt, 0);
    }
}

void payer_back(struct core *c, const struct order *o, int64_t back, struct ledger_request *q)
{
    int64_t debt = debt_of(c, o->row.tenant, o->row.driver, o->row.currency);
    debt = debt < back ? debt : back; /* what is owed is settled first */
    purse_leg(q, purse_account(c, o->row.tenant, ACCOUNT_WALLET, o->row.driver, o->row.currency),
              back - debt, 0);
    if (debt)
        purse_leg(q, purse_account(c, o->row.tenant, ACCOUNT_DEBT, o->row.driver, o->row.currency),
                  debt, 0);
}
