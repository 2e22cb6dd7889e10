// SPDX-License-Identifier: Apache-2.0
/* people_tax.c: partners who are persons, of whom tax is withheld, and companies that hand in an invoice first:
 * rules, invoices, withdrawals, and what goes to the tax office; see people.h. These towns live over a midnight,
 * when shares become available. */
#include "town/people.h"

#include <stdio.h>
#include "base/money.h"
#include "town/vnet.h"

static int64_t below(struct town *t, int64_t n)
{
    return (int64_t)rng_below(&t->chance[TOPIC_TAX], (uint64_t)n);
}

/* Brackets that begin within what a partner earns in an hour. */
static void rule_draw(struct town *t, struct seen_rule *r)
{
    int64_t above = 0;
    r->deduct = below(t, 2) ? below(t, 800) * MONEY_FEN : 0;
    r->deduct_bp = (int32_t)(below(t, 2) ? below(t, 4000) : 0);
    r->n = (int32_t)(below(t, 8) ? 1 + below(t, 4) : 0);
    for (int32_t i = 0; i < r->n; i++) {
        r->rate[i].above = above;
        r->rate[i].bp = below(t, 6000);
        above += (1 + below(t, 1000)) * MONEY_FEN;
    }
}

static void rule_make(struct town *t, int64_t from_ms)
{
    struct seen_rule *r = &t->audit.tax.rule[t->audit.tax.rules++];
    struct cmd *c = people_cmd(t, CMD_WITHHOLD_PUT, CMD_SIZE(withhold_put));
    struct cmd_withhold_put *in = &c->u.withhold_put;
    rule_draw(t, r);
    r->from_ms = in->from_ms = from_ms;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("labour"));
    in->deduct = r->deduct;
    in->deduct_bp = r->deduct_bp;
    in->n = r->n;
    for (int32_t i = 0; i < r->n; i++)
        in->rate[i] = (struct withhold_rate_in){.above = r->rate[i].above,
                                                .rate_bp = (int32_t)r->rate[i].bp +
                                                           100 * (t->control == CONTROL_TAX)};
    (void)people_made(t);
}

int32_t people_payee_kind(struct town *t, int partner)
{
    int64_t what = below(t, 8);
    int32_t kind = what < 5 ? PAYEE_PERSON : what < 7 ? PAYEE_COMPANY : PAYEE_UNKNOWN;
    t->audit.tax.payee[partner] = kind;
    return kind;
}

void people_taxes_make(struct town *t)
{
    if (below(t, 4))
        rule_make(t, 1);
    if (below(t, 2))
        rule_make(t, vnet_wall_ms() + below(t, 90) * 60000);
}

/* Of a partner who has something, if there is one: in parts, for each is withheld of by itself. */
static void act_withdraw(struct town *t)
{
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));
    int who = (int)below(t, AUDIT_PARTNERS);
    for (int i = 0;
         i < 2 * AUDIT_PARTNERS && !audit_available(a, a->partner[who].id, vnet_wall_ms()); i++)
        who = (int)below(t, AUDIT_PARTNERS);
    int64_t has = audit_available(a, a->partner[who].id, vnet_wall_ms()) / MONEY_FEN;
    c->head.actor += CLERK;
    c->u.payout_new.party = a->partner[who].id;
    c->u.payout_new.channel = below(t, 2) ? a->channel : a->rail;
    c->u.payout_new.amount = (1 + below(t, has / (1 + below(t, 3)) + 1)) * MONEY_FEN;
    people_ask(t);
}

/* The next step of a payout that is not over: mostly it is approved, and then settled. */
static void act_decide(struct town *t)
{
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));
    const struct fact *p = NULL;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAYOUT &&
            (a->fact[i].state == PAYOUT_REQUESTED || a->fact[i].state == PAYOUT_APPROVED) &&
            (!audit_tax_paper_lacks(a, &a->fact[i]) || below(t, 8) == 0) && (!p || below(t, 2)))
            p = &a->fact[i];
    bool asked = p && p->state == PAYOUT_REQUESTED;
    c->head.actor += CASHIER;
    c->u.payout_decide.payout = p ? p->id : 77;
    c->u.payout_decide.act = asked         ? PAYOUT_ACT_APPROVE
                             : below(t, 3) ? PAYOUT_ACT_SETTLED
                                           : PAYOUT_ACT_FAILED;
    (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("B-2"));
    people_ask(t);
}

static void act_paper(struct town *t)
{
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_PAPER, CMD_SIZE(payout_paper));
    const struct fact *p = NULL;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAYOUT && (!p || below(t, 2)))
            p = &a->fact[i];
    c->u.payout_paper.payout = p ? p->id : 77;
    c->u.payout_paper.amount = p ? p->amount + (below(t, 8) ? 0 : -1) : MONEY_FEN;
    if (below(t, 12))
        snprintf(c->u.payout_paper.number, sizeof c->u.payout_paper.number, "%u", t->ref + 1);
    people_ask(t);
}

static void act_office(struct town *t)
{
    struct cmd *c = people_cmd(t, CMD_TAX_PAID, CMD_SIZE(tax_paid));
    struct cmd_tax_paid *in = &c->u.tax_paid;
    in->month = audit_month(vnet_wall_ms());
    int64_t left = audit_tax_left(&t->audit, in->month) / MONEY_FEN;
    in->amount = (left > 0 && below(t, 4) ? 1 + below(t, left) : below(t, 300)) * MONEY_FEN;
    in->month += below(t, 10) ? 0 : 50;
    in->bank = below(t, 2) ? t->audit.channel : 0;
    if (below(t, 10)) /* sometimes one that was used */
        snprintf(in->number, sizeof in->number, "%lld", (long long)below(t, 40) + 1);
    people_ask(t);
}

void people_tax_act(struct town *t)
{
    if (!t->server.up)
        return;
    switch (below(t, 8)) {
    case 0:
    case 1:
        act_withdraw(t);
        break;
    case 2:
    case 3:
        act_decide(t);
        break;
    case 4:
        people_payout_decide(t);
        break;
    case 5:
    case 6:
        act_paper(t);
        break;
    default:
        act_office(t);
        break;
    }
}
