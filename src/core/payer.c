// SPDX-License-Identifier: Apache-2.0
/* payer.c: who pays a bill, how much of it, and out of which account, by kind of payer; see charge.h
 * for the rule. A single payment lies in the driver's wallet and pays out of it, but for gift money.
 *
 * Owns nothing. Invariant: what payer_take says can be taken: payer_legs posts it and may not fail.
 * The core's thread. */
#include "core/company.h"
#include "core/purse.h"

int payer_hold(struct core *c, struct order *o, int64_t amount)
{
    switch (o->row.payer_kind) {
    case PAYER_WALLET:
    case PAYER_SINGLE:
        return wallet_hold(c, o, amount);
    case PAYER_COMPANY:
        return company_hold(c, o, amount);
    default:
        return ERR_UNSUPPORTED;
    }
}

int payer_raise(struct core *c, struct order *o, int64_t more)
{
    switch (o->row.payer_kind) {
    case PAYER_WALLET:
        return wallet_raise(c, o, more);
    case PAYER_COMPANY:
        return company_raise(c, o, more);
    default:
        return ERR_CONFLICT;
    }
}

struct taken payer_take(const struct core *c, const struct order *o, int64_t total,
                        const struct ledger_hold *hold)
{
    if (total <= 0)
        return (struct taken){.loss = total};
    switch (o->row.payer_kind) {
    case PAYER_WALLET:
    case PAYER_SINGLE:
        return wallet_take(c, o, total, hold);
    case PAYER_COMPANY:
        return company_take(c, o, total, hold);
    default:
        return (struct taken){.loss = total};
    }
}

void payer_legs(struct core *c, struct order *o, const struct taken *t, struct ledger_request *q)
{
    switch (o->row.payer_kind) {
    case PAYER_WALLET:
    case PAYER_SINGLE:
        wallet_legs(c, o, t, q);
        break;
    case PAYER_COMPANY:
        company_legs(c, o, t, q);
        break;
    default:
        must(!t->captured && !t->debt);
    }
}

void payer_back(struct core *c, struct order *o, int64_t back, struct ledger_request *q)
{
    switch (o->row.payer_kind) {
    case PAYER_WALLET:
    case PAYER_SINGLE:
        wallet_back(c, o, back, q);
        break;
    case PAYER_COMPANY:
        company_back(c, o, back, q);
        break;
    default:
        must(!back);
    }
}

void payer_over(struct core *c, struct order *o)
{
    if (o->row.payer_kind == PAYER_SINGLE)
        single_over(c, o);
}
