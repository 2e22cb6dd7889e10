// SPDX-License-Identifier: Apache-2.0
/* refund.c: what an order gives back, by staff or because the truth about an estimated end was less.
 * The split is not computed again: what remains of the stored parts is apportioned by a divisor
 * method (split.h), so no refund ever gives a party more, and any sequence of refunds ends at zero
 * for everybody.
 *
 * Invariants: 1. 0 <= refunded <= paid, of each party and fee line too; 2. the sum of all rows of
 * parts of an order = paid − refunded, less what gift money paid where nobody shares in that; 3. the
 * driver has the money in the same transaction, whoever of the parties is short (share.c). */
#include "core/company.h"
#include "core/discharge.h"
#include "core/invoice.h"
#include "core/purse.h"

/** One party's parts of one fee line, over all captures and refunds so far. */
struct held_part {
    struct row_split_part first;
    int64_t sum, keep, owed; /* owed: of the party's whole share, with its first part */
};

static size_t parts_gather(const struct row_split_part *rows, size_t n,
                           struct held_part out[SPLIT_PARTS_MAX])
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < m &&
               (out[k].first.party != rows[i].party || out[k].first.fee_kind != rows[i].fee_kind))
            k++;
        must(k < SPLIT_PARTS_MAX); /* rows of one order come from one contract */
        if (k == m)
            out[m++] = (struct held_part){.first = rows[i]};
        out[k].sum += rows[i].amount;
    }
    return m;
}

static void parts_remain(struct held_part *p, size_t n, int64_t back)
{
    struct money had[SPLIT_PARTS_MAX], keep[SPLIT_PARTS_MAX];
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        had[i] = MONEY(p[i].sum);
        sum += p[i].sum;
    }
    must(back <= sum && split_remain(had, n, MONEY(sum - back), keep) == 0);
    for (size_t i = 0; i < n; i++)
        p[i].keep = keep[i].v;
}

/* One party's whole share of the refund, once. */
static int64_t party_back(const struct held_part *p, size_t n, size_t i)
{
    int64_t sum = 0;
    for (size_t k = 0; k < n; k++) {
        if (p[k].first.party != p[i].first.party)
            continue;
        if (k < i)
            return 0; /* with its first part */
        sum += p[k].sum - p[k].keep;
    }
    return sum;
}

static void part_row(struct core *c, struct order *o, const struct held_part *p, int64_t transfer)
{
    struct row_split_part row = p->first;
    row.seq = ++o->row.parts;
    row.transfer = transfer;
    row.amount = p->keep - p->sum;
    row.at_ms = c->now;
    row.due_ms = 0;
    share_order_part(c, o, &row);
}

/* What went back of each fee line goes off the order's invoice too. */
static void invoice_tell(struct core *c, struct order *o, const struct held_part *p, size_t n,
                         const char *note)
{
    int64_t took[INVOICE_KINDS] = {0};
    for (size_t i = 0; i < n; i++)
        took[invoice_kind(p[i].first.fee_kind)] += p[i].sum - p[i].keep;
    invoice_take(c, o, took, note);
}

void refund_move(struct core *c, struct order *o, int64_t back, int32_t code, const char *note)
{
    struct held_part part[SPLIT_PARTS_MAX] = {0};
    const struct row_split_part *rows = (const struct row_split_part *)(void *)o->parts_buf.p;
    size_t n = o->parts_buf.n / sizeof *rows, m = parts_gather(rows, n, part);
    struct ledger_request q;
    contract_month_now(c, o->row.contract);
    purse_request(c, &q, o->row.tenant, code, o->row.currency);
    q.order_id = o->row.id;
    q.contract = o->row.contract;
    q.reverses = o->row.transfer;
    q.note = note;
    int64_t gift = o->row.gift;
    payer_back(c, o, back, &q);
    gift -= o->row.gift;
    if (charge_shares_gift(c, o))
        gift = 0;
    if (gift)
        purse_leg(&q, purse_account(c, o->row.tenant, ACCOUNT_MARKETING, 0, o->row.currency), -gift,
                  0);
    parts_remain(part, m, back - gift);
    for (size_t i = 0; i < m; i++) {
        int64_t sum = party_back(part, m, i);
        if (sum) {
            part[i].owed = share_take(c, part[i].first.party, sum, rows, n, &q);
            contract_month_back(c, o->row.contract, part[i].first.party, sum);
            share_event(c, o, part[i].first.party, -sum);
        }
    }
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* every leg was taken from what is there */
    for (size_t i = 0; i < m; i++)
        if (part[i].keep != part[i].sum)
            part_row(c, o, &part[i], ctx.id);
    for (size_t i = 0; i < m; i++)
        if (part[i].owed)
            share_return_begin(c, o, part[i].first.party, part[i].owed);
    company_refunded(c, o, back);
    if (o->row.invoice)
        invoice_tell(c, o, part, m, note);
    event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
}

int refund_order(struct core *c, const struct cmd *cmd)
{
    const struct cmd_order_refund *in = &cmd->u.order_refund;
    struct order *o = order_find(c, in->order);
    if (!o || o->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, o->row.station) ||
        !order_ready(c, o))
        return ERR_NOT_FOUND;
    if (o->row.kind == ORDER_DISCHARGE)
        return ERR_DISCHARGE;
    if (o->row.state != ORDER_SETTLED || !payer_pays(o))
        return ERR_CONFLICT;
    if (in->amount <= 0 || in->amount % MONEY_FEN || in->amount > o->row.paid - o->row.refunded)
        return ERR_RANGE;
    refund_move(c, o, in->amount, TRANSFER_REFUND, in->note);
    o->row.refunded += in->amount;
    order_dirty(c, o);
    order_event(c, o, OE_REFUNDED, in->note);
    payer_over(c, o);
    event_order(c, o);
    c->made_id = o->row.id;
    c->made_version = o->row.version;
    return 0;
}
