// SPDX-License-Identifier: Apache-2.0
/* charge.c: see charge.h. What was taken from the payer (captured + debt) is split, each fee line by
 * itself; a loss is borne by the operator: it is written on the order and in the statistics and
 * moves no money (doc/decisions/overrun-moves-no-money.md).
 *
 * Fails: money that cannot be moved here is our bug (must): holds and accounts were made before. */
#include "core/company.h"
#include "core/purse.h"

/* ---- the split ---- */

/* What no contract divides is the platform's: without one everything, else the line that nobody
 * shares in. */
static void split_platform(const struct core *c, const struct order *o,
                           const struct money base[SPLIT_LINES], struct split_result *out)
{
    if (!base[0].v && !base[1].v && !base[2].v)
        return;
    const struct party *p = party_platform(c, o->row.tenant);
    must(p); /* made with the tenant */
    for (int i = 0; i < SPLIT_LINES; i++)
        if (base[i].v)
            out->part[out->n++] = (struct split_part){.kind = split_line_kind(i),
                                                      .party = p->row.id,
                                                      .base = base[i],
                                                      .amount = base[i],
                                                      .ratio = 1,
                                                      .ratio_sum = 1};
}

/* Residues that this split moved: most shares come out even. */
static void residues_put(struct core *c, struct split_contract *k, const struct split_result *r)
{
    const int32_t clauses = k->terms ? k->terms->n : 0;
    bool moved[SPLIT_PARTIES_MAX] = {0}, turned[SPLIT_CLAUSES_MAX] = {0};
    for (int32_t i = 0; i < k->n; i++)
        moved[i] = memcmp(k->party[i].residue, r->residue[i], sizeof r->residue[i]) != 0;
    for (int32_t i = 0; i < clauses; i++)
        turned[i] = memcmp(k->terms->clause[i].residue, r->clause_residue[i],
                           sizeof r->clause_residue[i]) != 0;
    split_commit(k, r);
    for (int32_t i = 0; i < k->n; i++) {
        struct row_contract_party row;
        if (!moved[i])
            continue;
        split_party_row(k, i, &row);
        row_put(c, ROW_CONTRACT_PARTY, ROW_UPSERT, &row);
    }
    for (int32_t i = 0; i < clauses; i++) {
        struct row_contract_clause row;
        if (!turned[i])
            continue;
        split_clause_row(k, i, &row);
        row_put(c, ROW_CONTRACT_CLAUSE, ROW_UPSERT, &row);
    }
}

/* Divides what was taken of the bill; `gift` of it was gift money, which is nobody's share unless the
 * contract says that marketing funds it. */
static void split_make(struct core *c, struct order *o, const struct bill *b, int64_t gift,
                       struct split_result *out)
{
    struct split_contract *k = contract_find(c, o->row.contract);
    struct bill share =
        !gift || charge_shares_gift(c, o) ? *b : bill_taken(b, bill_total(b) - gift);
    struct money rest[SPLIT_LINES] = {MONEY_ZERO, MONEY_ZERO, MONEY_ZERO};
    struct split_input in = {
        .base = {MONEY(share.elec), MONEY(share.service), MONEY(share.occupancy)},
        .energy_mwh = share.energy_mwh < SPLIT_ENERGY_MAX ? share.energy_mwh : SPLIT_ENERGY_MAX,
        .again = o->row.parts > 0,
        .lot_fee = o->lot_now};
    if (!k) {
        split_platform(c, o, in.base, out);
        return;
    }
    if (!split_covers(k, FEE_OCCUPANCY)) {
        rest[2] = in.base[2];
        in.base[2] = MONEY_ZERO;
    }
    contract_month_before(c, k, &in);
    must(split_compute(k, &in, out) == 0); /* it covers the other lines; bills are bounded */
    residues_put(c, k, out);
    contract_month_after(c, k, &in, out);
    split_platform(c, o, rest, out);
}

static void part_put(struct core *c, struct order *o, const struct split_part *p,
                     const struct share_part *share, int64_t transfer)
{
    const struct row_split_part row = {.order_id = o->row.id,
                                       .seq = ++o->row.parts,
                                       .tenant = o->row.tenant,
                                       .transfer = transfer,
                                       .party = p->party,
                                       .account = share->account,
                                       .fee_kind = p->kind,
                                       .base = p->base.v,
                                       .ratio = p->ratio,
                                       .ratio_sum = p->ratio_sum,
                                       .amount = p->amount.v,
                                       .at_ms = c->now,
                                       .due_ms = share->due_ms,
                                       .station = o->row.station,
                                       .clause = p->clause,
                                       .passed = p->passed.v,
                                       .due = p->due};
    share_order_part(c, o, &row);
}

/* What one party gets of an order: one leg and one event, however many lines it shares in. */
struct party_share {
    int64_t party, amount;
    struct share_part share;
};
#define SHARES_MAX (SPLIT_PARTIES_MAX + 1) /* those of a contract, and the platform */

static struct party_share *share_of(struct party_share *s, int32_t *n, int64_t party)
{
    for (int32_t i = 0; i < *n; i++)
        if (s[i].party == party)
            return &s[i];
    must(*n < SHARES_MAX);
    s[*n] = (struct party_share){.party = party};
    return &s[(*n)++];
}

static int32_t shares_gather(const struct split_result *r, struct party_share *out)
{
    int32_t n = 0;
    for (int32_t i = 0; i < r->n; i++)
        share_of(out, &n, r->part[i].party)->amount += r->part[i].amount.v;
    return n;
}

/* ---- the transfer ---- */

struct bill bill_taken(const struct bill *b, int64_t paid)
{
    int64_t total = bill_total(b), parking = b->occupancy;
    if (paid >= total)
        return *b;
    int64_t elec = money_round_fen(MONEY(muldiv_half_up(paid, b->elec, total))).v;
    if (elec > paid)
        elec = paid;
    int64_t rest = paid - elec, other = b->service + parking;
    if (parking)
        parking = muldiv_half_up(rest, parking, other);
    return (struct bill){
        .elec = elec, .service = rest - parking, .occupancy = parking, .energy_mwh = b->energy_mwh};
}

static void request_init(const struct order *o, struct ledger_request *q, int32_t code)
{
    *q = (struct ledger_request){.tenant = o->row.tenant,
                                 .code = code,
                                 .order_id = o->row.id,
                                 .contract = o->row.contract,
                                 .effective_ms = o->row.end_ms};
    (void)str_copy(q->currency, sizeof q->currency, str_from_c(o->row.currency));
}

/* What nobody shares in was given away by marketing, and goes back there. */
static void gift_legs(struct core *c, const struct order *o, const struct split_result *split,
                      const struct taken *t, struct ledger_request *q)
{
    int64_t left = t->captured + t->debt;
    for (int32_t i = 0; i < split->n; i++)
        left -= split->part[i].amount.v;
    must(left == 0 || left == t->gift);
    if (left)
        purse_leg(q, purse_account(c, o->row.tenant, ACCOUNT_MARKETING, 0, o->row.currency), left,
                  0);
}

bool charge_shares_gift(const struct core *c, const struct order *o)
{
    const struct split_contract *k = contract_find(c, o->row.contract);
    return k && k->gift_rule == GIFT_FUNDED;
}

/* … under this transfer code. */
static struct taken charge_as(struct core *c, struct order *o, const struct bill *b,
                              int64_t hold_id, enum transfer_code code)
{
    const struct ledger_hold *hold = hold_id ? ledger_hold(c->ledger, hold_id) : NULL;
    struct taken t = payer_take(c, o, bill_total(b), hold);
    int64_t paid = t.captured + t.debt;
    struct bill base = bill_taken(b, paid);
    struct split_result split; /* 20 KB, of which an order needs little */
    split.n = 0;
    struct ledger_request q;
    request_init(o, &q, code);
    o->lot_now = 0;
    payer_legs(c, o, &t, &q);
    if (paid)
        split_make(c, o, &base, t.gift, &split);
    gift_legs(c, o, &split, &t, &q);
    struct party_share share[SHARES_MAX];
    int32_t n = shares_gather(&split, share);
    for (int32_t i = 0; i < n; i++)
        share[i].share = share_give(c, o->row.tenant, share[i].party, share[i].amount, &q);
    int64_t held = hold ? hold->amount.v : 0, due = paid ? company_due(c, o) : 0;
    for (int32_t i = 0; due && i < n; i++)
        share[i].share.due_ms = share[i].share.pending ? due : 0;
    struct ledger_ctx ctx = ledger_ctx_now(c);
    if (hold)
        must(ledger_hold_capture(c->ledger, &ctx, hold_id, &q) == 0);
    else if (q.n)
        must(ledger_post(c->ledger, &ctx, &q) == 0);
    company_charged(c, o, paid, held);
    if (paid && !o->row.transfer)
        o->row.transfer = ctx.id;
    for (int32_t i = 0; i < split.n; i++)
        if (split.part[i].base.v)
            part_put(c, o, &split.part[i], &share_of(share, &n, split.part[i].party)->share,
                     ctx.id);
    for (int32_t i = 0; i < n; i++) {
        share_given(c, o->row.tenant, o->row.currency, &share[i].share);
        if (share[i].amount)
            share_event(c, o, share[i].party, share[i].amount);
    }
    if (o->row.driver)
        event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
    return t;
}

struct taken charge_bill(struct core *c, struct order *o, const struct bill *b, int64_t hold_id)
{
    return charge_as(c, o, b, hold_id, TRANSFER_CAPTURE);
}

struct taken charge_late(struct core *c, struct order *o, const struct bill *b)
{
    return charge_as(c, o, b, 0, TRANSFER_LATE);
}
