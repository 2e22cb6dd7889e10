// SPDX-License-Identifier: Apache-2.0
/* charge.c: see charge.h. What was taken from the payer (captured + debt) is split, each fee line by
 * itself; a loss is borne by the operator: it is written on the order and in the statistics and
 * moves no money (doc/decisions/overrun-moves-no-money.md).
 *
 * Fails: money that cannot be moved here is our bug (must): holds and accounts were made before. */
#include "core/charge.h"
#include "core/purse.h"

/* ---- the split ---- */

static const struct party *platform_of(const struct core *c, int64_t tenant)
{
    for (uint32_t i = 0; i < c->dir[ROW_PARTY].slab.len; i++) {
        const struct party *p = slab_at(&c->dir[ROW_PARTY].slab, i);
        if (p && p->row.tenant == tenant && p->row.kind == PARTY_PLATFORM)
            return p;
    }
    return NULL;
}

/* What no contract divides is the platform's: without one everything, else the line that nobody
 * shares in. */
static void split_platform(const struct core *c, const struct order *o,
                           const struct money base[SPLIT_LINES], struct split_result *out)
{
    static const int32_t kinds[] = {FEE_ELECTRICITY, FEE_SERVICE, FEE_OCCUPANCY};
    const struct party *p = platform_of(c, o->row.tenant);
    must(p); /* made with the tenant */
    for (int i = 0; i < SPLIT_LINES; i++)
        if (base[i].v)
            out->part[out->n++] = (struct split_part){.kind = kinds[i],
                                                      .party = p->row.id,
                                                      .base = base[i],
                                                      .amount = base[i],
                                                      .ratio = 1,
                                                      .ratio_sum = 1};
}

static void split_make(struct core *c, struct order *o, const struct bill *b,
                       struct split_result *out)
{
    struct money base[SPLIT_LINES] = {MONEY(b->elec), MONEY(b->service), MONEY(b->occupancy)};
    struct money rest[SPLIT_LINES] = {MONEY_ZERO, MONEY_ZERO, MONEY_ZERO};
    struct split_contract *k = contract_find(c, o->row.contract);
    if (!k) {
        split_platform(c, o, base, out);
        return;
    }
    if (!split_covers(k, FEE_OCCUPANCY)) {
        rest[2] = base[2];
        base[2] = MONEY_ZERO;
    }
    must(split_compute(k, base, out) == 0); /* it covers the other lines; bills are bounded */
    bool moved[SPLIT_PARTIES_MAX] = {0};    /* most shares come out even */
    for (int32_t i = 0; i < k->n; i++)
        moved[i] = memcmp(k->party[i].residue, out->residue[i], sizeof out->residue[i]) != 0;
    split_commit(k, out);
    for (int32_t i = 0; i < k->n; i++) {
        struct row_contract_party row;
        if (!moved[i])
            continue;
        split_party_row(k, i, &row);
        row_put(c, ROW_CONTRACT_PARTY, ROW_UPSERT, &row);
    }
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
                                       .station = o->row.station};
    row_put(c, ROW_SPLIT_PART, ROW_INSERT, &row);
    buf_put(&o->parts_buf, &row, sizeof row);
}

static void share_event(struct core *c, const struct order *o, int64_t party, int64_t amount)
{
    struct out_event *e = event_new(c, EVENT_SHARE);
    e->tenant = o->row.tenant;
    e->station = o->row.station;
    e->order = o->row.id;
    e->party = party;
    e->amount = amount;
}

/* One event a party, however many lines it shares in. */
static void share_events(struct core *c, const struct order *o, const struct split_result *s)
{
    for (int32_t i = 0; i < s->n; i++) {
        int64_t sum = 0;
        bool first = true;
        for (int32_t j = 0; j < s->n; j++) {
            if (s->part[j].party != s->part[i].party)
                continue;
            first = first && j >= i;
            sum += s->part[j].amount.v;
        }
        if (first && sum)
            share_event(c, o, s->part[i].party, sum);
    }
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
    return (struct bill){.elec = elec, .service = rest - parking, .occupancy = parking};
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

struct taken charge_bill(struct core *c, struct order *o, const struct bill *b, int64_t hold_id)
{
    const struct ledger_hold *hold = hold_id ? ledger_hold(c->ledger, hold_id) : NULL;
    struct taken t = payer_take(c, o, bill_total(b), hold);
    int64_t paid = t.captured + t.debt;
    struct bill base = bill_taken(b, paid);
    struct split_result split = {0};
    struct ledger_request q;
    request_init(o, &q, TRANSFER_CAPTURE);
    payer_legs(c, o, &t, &q);
    if (paid)
        split_make(c, o, &base, &split);
    struct share_part share[SPLIT_PARTS_MAX];
    for (int32_t i = 0; i < split.n; i++)
        share[i] = share_give(c, o->row.tenant, split.part[i].party, split.part[i].amount.v, &q);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    if (hold)
        must(ledger_hold_capture(c->ledger, &ctx, hold_id, &q) == 0);
    else if (q.n)
        must(ledger_post(c->ledger, &ctx, &q) == 0);
    if (paid && !o->row.transfer)
        o->row.transfer = ctx.id;
    for (int32_t i = 0; i < split.n; i++) {
        if (split.part[i].base.v)
            part_put(c, o, &split.part[i], &share[i], ctx.id);
        share_given(c, o->row.tenant, o->row.currency, &share[i]);
    }
    share_events(c, o, &split);
    if (o->row.driver)
        event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
    return t;
}
