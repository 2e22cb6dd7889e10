// SPDX-License-Identifier: Apache-2.0
/* paper.c: invoices that companies hand in before they are paid: staff note number and amount on the
 * request of the payout. Until then it is not approved by anybody, however small it is. An invoice
 * is for one payout; when that came to nothing, its number is free for another.
 *
 * Invariants: 1. a share of a party that is a company leaves REQUESTED for APPROVED only with a
 * number, and the invoice is over no less than the payout; 2. no two payouts of a party that did not
 * come to nothing have the same number. Fails by result codes; moves no money. */
#include "core/purse.h"

bool paper_missing(const struct core *c, const struct payout *p)
{
    const struct party *party = dir_find(c, ROW_PARTY, p->row.party);
    return p->row.kind == PAYOUT_SHARE && party && party->row.payee_kind == PAYEE_COMPANY &&
           !p->row.paper[0];
}

/* Was this invoice noted for another payout of the payee? */
static bool paper_taken(const struct core *c, const struct payout *p, const char *number)
{
    for (uint32_t i = 0; i < c->purse->payouts.len; i++) {
        const struct payout *x = slab_at(&c->purse->payouts, i);
        bool void_one = x && x->row.state >= PAYOUT_FAILED && x->row.state <= PAYOUT_CANCELLED;
        if (x && x != p && !void_one && x->row.party == p->row.party &&
            strcmp(x->row.paper, number) == 0)
            return true;
    }
    return false;
}

int paper_put(struct core *c, const struct cmd *cmd)
{
    const struct cmd_payout_paper *in = &cmd->u.payout_paper;
    struct payout *p = payout_find(c, in->payout);
    if (!p || p->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (!in->number[0])
        return ERR_REQUIRED;
    if (p->row.state != PAYOUT_REQUESTED || p->row.kind != PAYOUT_SHARE)
        return ERR_CONFLICT;
    if (in->amount < p->row.amount)
        return ERR_RANGE; /* a payout that its invoice does not cover */
    if (paper_taken(c, p, in->number))
        return ERR_CONFLICT;
    (void)obj_text(c, &p->o, &p->row.paper, in->number);
    p->row.paper_amount = in->amount;
    p->row.version++;
    obj_dirty(c, &p->o);
    c->made_id = p->row.id;
    c->made_version = p->row.version;
    return 0;
}
