// SPDX-License-Identifier: Apache-2.0
/* people_clause.c: a contract with clauses of every kind that an order is divided by: per kWh, per order,
 * percentages, agents, a tier and caps of the month, small enough to be reached; see people.h. */
#include "town/people.h"

#include "base/money.h"
#include "base/must.h"

static int64_t below(struct town *t, int64_t n)
{
    return (int64_t)rng_below(&t->chance[TOPIC_CLAUSE], (uint64_t)n);
}

static void clause_add(struct town *t, struct cmd_contract_put *in, struct contract_clause_in k)
{
    struct seen_terms *s = &t->audit.terms;
    must(s->clauses < AUDIT_CLAUSES);
    s->clause[s->clauses++] = k;
    if (t->control == CONTROL_CLAUSE && (k.kind == CLAUSE_ENERGY || k.kind == CLAUSE_ORDER))
        k.rate += k.rate / 2 + 1;
    in->clause[in->clauses++] = k;
}

static void tier_add(struct town *t, struct cmd_contract_put *in, int64_t owner, int64_t ratio)
{
    int64_t above = (1 + below(t, 300)) * MONEY_UNIT / 2;
    clause_add(t, in, (struct contract_clause_in){CLAUSE_TIER, 7, owner, 0, ratio, above});
    clause_add(t, in,
               (struct contract_clause_in){CLAUSE_TIER, 7, t->audit.platform, 0,
                                           AUDIT_RATIOS - ratio, above});
}

void people_clauses_make(struct town *t, struct cmd_contract_put *in, int64_t ratio)
{
    const struct audit *a = &t->audit;
    int64_t owner = a->partner[AUDIT_OWNER].id, agent = a->partner[AUDIT_AGENT].id;
    int64_t upkeep = a->partner[AUDIT_MAINTAINER].id;
    bool control = t->control == CONTROL_CLAUSE;
    t->audit.terms.owner_ratio = ratio;
    t->audit.terms.unit = in->unit;
    if (below(t, 2) || control)
        clause_add(t, in,
                   (struct contract_clause_in){CLAUSE_ENERGY, 1 + 2 * (int32_t)below(t, 2), upkeep,
                                               0, 1 + below(t, 60000), 0});
    if (below(t, 2))
        clause_add(t, in,
                   (struct contract_clause_in){CLAUSE_PERCENT, 7, agent, 0, 1 + below(t, 3000), 0});
    if (below(t, 2) || control)
        clause_add(t, in,
                   (struct contract_clause_in){CLAUSE_ORDER, 7, upkeep, 0,
                                               1 + below(t, 60) * MONEY_FEN, 0});
    if (below(t, 3) == 0)
        tier_add(t, in, owner, below(t, AUDIT_RATIOS + 1));
    if (below(t, 2) || !in->clauses)
        clause_add(
            t, in,
            (struct contract_clause_in){CLAUSE_AGENT, 7, agent, owner, 1 + below(t, 5000), 0});
    if (below(t, 3) == 0)
        clause_add(t, in,
                   (struct contract_clause_in){CLAUSE_CAP, 0, below(t, 2) ? owner : upkeep, 0,
                                               (1 + below(t, 400)) * MONEY_FEN * 25, 0});
}
