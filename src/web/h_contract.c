// SPDX-License-Identifier: Apache-2.0
/* h_contract.c: contract versions: read, and put. A draft is built here before it is sent, so that who
 * wrote it is told which clause is wrong and why; the core decides again.
 *
 * Invariant: parties are of the log-in's tenant. Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "web/draft.h"
#include "web/routes_gen.h"
#include "web/state.h"

/* ---- a clause's number in the API and in the core ---- */

static bool by_amount(int64_t kind)
{
    return kind == CLAUSE_ORDER || (kind >= CLAUSE_CAP && kind <= CLAUSE_RENT);
}

static struct row_contract_clause clause_row(const struct api_ContractClause *in, uint32_t i)
{
    return (struct row_contract_clause){.seq = (int32_t)i + 1,
                                        .kind = (int32_t)in->kind,
                                        .party = in->party,
                                        .parent = in->parent,
                                        .lines = (int32_t)in->lines,
                                        .rate = by_amount(in->kind) ? in->amount.v : in->rate,
                                        .above = in->kind == CLAUSE_TIER          ? in->above.v
                                                 : in->kind == CLAUSE_TIER_ENERGY ? in->above_mwh
                                                                                  : 0};
}

struct clauses {
    struct request *r;
    struct api_Contract *out;
};

static int clause_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct clauses *c = ctx;
    struct api_ContractClause *k = &c->out->clauses[c->out->clauses_n++];
    int64_t kind = v[0].i;

    (void)n;
    *k = (struct api_ContractClause){.kind = kind,
                                     .party = v[1].i,
                                     .party_name = req_copy(c->r, v[2].s),
                                     .parent = v[3].i,
                                     .parent_name = req_copy(c->r, v[4].s),
                                     .lines = v[5].i};
    if (by_amount(kind))
        k->amount = MONEY(v[6].i);
    else
        k->rate = v[6].i;
    if (kind == CLAUSE_TIER)
        k->above = MONEY(v[7].i);
    if (kind == CLAUSE_TIER_ENERGY)
        k->above_mwh = v[7].i;
    k->has.party_name = true;
    k->has.parent = k->has.parent_name = k->parent != 0;
    k->has.lines = k->lines != 0;
    k->has.amount = by_amount(kind);
    k->has.rate = !k->has.amount;
    k->has.above = kind == CLAUSE_TIER;
    k->has.above_mwh = kind == CLAUSE_TIER_ENERGY;
    return 0;
}

int contracts_get(struct request *r)
{
    struct api_Contract *out = ARENA_NEW(&r->arena, struct api_Contract);
    struct rows parties = {.type = &api_ContractParty_type};
    struct clauses c = {r, out};
    int err;

    if (out == NULL)
        return ERR_TOO_LARGE;
    err = req_one(r, QUERY_WEB_CONTRACT, NULL, 0, &api_Contract_type, out);
    if (err == 0)
        err = req_rows(r, QUERY_WEB_CONTRACT_PARTIES, NULL, 0, &parties);
    if (err != 0)
        return err;
    out->parties = (struct api_ContractParty *)(void *)parties.p;
    out->parties_n = parties.n;
    out->clauses = ARENA_ARRAY(&r->arena, SPLIT_CLAUSES_MAX, struct api_ContractClause);
    if (out->clauses == NULL)
        return ERR_TOO_LARGE;
    err = req_query(r, QUERY_WEB_CONTRACT_CLAUSES, NULL, 0, clause_take, &c);
    out->has.clauses = true;
    return err != 0 ? err : req_json(r, &api_Contract_type, out);
}

/* ---- drafts ---- */

static int fault(struct request *r, int err, const char *at, const char *place, const char *text)
{
    return req_fail(r, err, arena_printf(&r->arena, "%s/%s", at, place).p, text);
}

struct named {
    struct request *r;
    struct str *name;
    int64_t id, state;
};

static int named_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct named *k = ctx;

    k->id = v[0].i;
    *k->name = req_copy(k->r, v[1].s);
    k->state = n > 2 ? v[2].i : 0;
    return 0;
}

static int party_name(struct request *r, int64_t party, struct str *name)
{
    struct bind of = BIND_I64("of_party", party);
    struct named k = {.r = r, .name = name};
    int err = req_query(r, QUERY_WEB_CONTRACT_PARTY, &of, 1, named_take, &k);

    if (err == 0 && (k.id == 0 || k.state != ROW_ACTIVE))
        err = ERR_NOT_FOUND;
    return err;
}

static int draft_parties(struct request *r, const struct api_Contract *in, const char *at,
                         struct draft *d)
{
    for (uint32_t i = 0; i < in->parties_n; i++) {
        const struct api_ContractParty *p = &in->parties[i];
        int err = party_name(r, p->party, &d->party_name[i]);

        d->party[i] = (struct row_contract_party){.seq = (int32_t)i,
                                                  .party = p->party,
                                                  .lines = (int32_t)p->lines,
                                                  .ratio = (int32_t)p->ratio};
        if (err != 0)
            return fault(r, err, at, arena_printf(&r->arena, "parties/%u", i).p,
                         "no such party of this operator");
    }
    return 0;
}

static int draft_clauses(struct request *r, const struct api_Contract *in, const char *at,
                         struct draft *d)
{
    for (uint32_t i = 0; i < in->clauses_n; i++) {
        const struct api_ContractClause *k = &in->clauses[i];
        struct str parent;
        int err = party_name(r, k->party, &d->clause_name[i]);

        if (err == 0 && k->parent != 0)
            err = party_name(r, k->parent, &parent);
        d->clause[i] = clause_row(k, i);
        if (err != 0)
            return fault(r, err, at, arena_printf(&r->arena, "clauses/%u", i).p,
                         "no such party of this operator");
    }
    return 0;
}

static const char *head_fault(const struct draft *d, const struct api_Contract *in)
{
    if (in->to_ms != 0 && in->to_ms <= in->from_ms)
        return "it ends before it begins";
    if (in->rounding == ROUND_HALF_UP)
        for (int line = 0; line < SPLIT_LINES; line++)
            if (split_ratio_sum(&d->k, line) > 0 && split_party_at(&d->k, d->k.operator, line) < 0)
                return "rounding half up needs the operator in every fee: it takes the rest";
    return "a ratio, fee or unit is out of range, a party stands twice, or nobody shares in a fee";
}

int draft_build(struct request *r, const struct api_Contract *in, const char *at, struct draft *d)
{
    struct row_contract row = {.from_ms = in->from_ms,
                               .to_ms = in->to_ms,
                               .unit = in->unit,
                               .rounding = (int32_t)in->rounding,
                               .gift_rule = (int32_t)in->gift_rule};
    struct named operator= {.r = r, .name = &d->operator_name};
    struct split_fault wrong;
    int err = req_query(r, QUERY_WEB_CONTRACT_OPERATOR, NULL, 0, named_take, &operator);

    row.operator= operator.id;
    if (err == 0)
        err = draft_parties(r, in, at, d);
    if (err == 0)
        err = draft_clauses(r, in, at, d);
    if (err != 0)
        return err;
    err = split_build(&d->k, &row, d->party, in->parties_n);
    if (err != 0)
        return fault(r, err, at, "parties", head_fault(d, in));
    if (in->clauses_n == 0)
        return 0;
    err = split_terms_build(&d->k, &d->terms, d->clause, in->clauses_n, &wrong);
    if (err == 0)
        return 0;
    const char *place = "clauses";
    if (wrong.seq > 0)
        place = arena_printf(&r->arena, "clauses/%d", wrong.seq - 1).p;
    return fault(r, err, at, place, wrong.text);
}

/* ---- a new version ---- */

static void put_fill(struct cmd_contract_put *c, const struct api_Contract *in,
                     const struct draft *d)
{
    c->family = in->family;
    c->from_ms = in->from_ms;
    c->to_ms = in->to_ms;
    c->unit = in->unit;
    c->rounding = (int32_t)in->rounding;
    c->gift_rule = (int32_t)in->gift_rule;
    c->n = (int32_t)in->parties_n;
    for (uint32_t i = 0; i < in->parties_n; i++)
        c->party[i] =
            (struct contract_party_in){d->party[i].party, d->party[i].lines, d->party[i].ratio};
    c->clauses = (int32_t)in->clauses_n;
    for (uint32_t i = 0; i < in->clauses_n; i++) {
        const struct row_contract_clause *k = &d->clause[i];

        c->clause[i] = (struct contract_clause_in){.kind = k->kind,
                                                   .lines = k->lines,
                                                   .party = k->party,
                                                   .parent = k->parent,
                                                   .rate = k->rate,
                                                   .above = k->above};
    }
}

int contracts_post(struct request *r)
{
    const struct api_Contract *in = r->in;
    struct draft *d;
    struct cmd *cmd;
    int err;

    if (r->resumed)
        return req_made(r);
    d = ARENA_NEW(&r->arena, struct draft);
    if (d == NULL)
        return ERR_TOO_LARGE;
    err = draft_build(r, in, "", d);
    if (err != 0)
        return err;
    cmd = req_cmd(r, CMD_CONTRACT_PUT, CMD_SIZE(contract_put));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    if (REQ_TEXT(r, cmd->u.contract_put.name, in->name, "/name") != 0)
        return ERR_RANGE;
    put_fill(&cmd->u.contract_put, in, d);
    return req_submit(r, cmd, 1);
}
