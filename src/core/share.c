// SPDX-License-Identifier: Apache-2.0
/* share.c: the shares of parties. A share is pending while an order may still be refunded: until the
 * midnight of the tenant's zone that ends the refund window of its day. All shares of a party that
 * end with the same midnight are one bucket; when it is due, one transfer makes them available.
 *
 * The platform's own share is income at once: it is owed to nobody.
 *
 * What a party must give back comes from where it is: out of the bucket if it is still pending, then
 * out of what is available, and what is missing then is the party's debt, which everything that comes
 * to it later settles first. The driver gets the refund at once in any case.
 *
 * Shares of orders that a company pays on credit wait for its bill instead (company.h): their bucket's
 * due_ms is −(id of the bill), it has no timer, and gives what is collected.
 *
 * Invariants: 1. and 2. of purse.h; 3. between commands a bucket has something in it. */
#include "core/company.h"
#include "core/purse.h"

#define DAY_MS INT64_C(86400000)

bool party_is_platform(const struct core *c, int64_t party)
{
    const struct party *p = dir_find(c, ROW_PARTY, party);
    return p && p->row.kind == PARTY_PLATFORM;
}

/* Where what nothing waits for lies. */
static int32_t kind_free(const struct core *c, int64_t party)
{
    return party_is_platform(c, party) ? ACCOUNT_INCOME : ACCOUNT_AVAILABLE;
}

/* What the party still owes, with the legs of this request. */
static int64_t debt_left(const struct core *c, int64_t tenant, int64_t party,
                         const struct ledger_request *q, int64_t *account)
{
    const struct ledger_account *a =
        ledger_account_find(c->ledger, tenant, ACCOUNT_PARTY_DEBT, party, q->currency);
    if (!a)
        return 0;
    int64_t owed = -ledger_balance(a).v;
    for (uint32_t i = 0; i < q->n; i++)
        if (q->leg[i].account == a->id)
            owed -= q->leg[i].amount.v;
    *account = a->id;
    return owed > 0 ? owed : 0;
}

static int64_t due_of(const struct core *c, int64_t tenant)
{
    const struct tenant *t = tenant_find(c, tenant);
    return zone_next_midnight(t->zone, c->now + t->row.refund_days * DAY_MS);
}

struct share_part share_give(struct core *c, int64_t tenant, int64_t party, int64_t amount,
                             struct ledger_request *q)
{
    bool platform = party_is_platform(c, party);
    struct share_part s = {.party = party};
    int64_t debt_account = 0, debt = debt_left(c, tenant, party, q, &debt_account);
    int64_t repay = debt < amount ? debt : amount;
    s.account =
        purse_account(c, tenant, platform ? ACCOUNT_INCOME : ACCOUNT_PENDING, party, q->currency);
    if (repay)
        purse_leg(q, debt_account, repay, party);
    purse_leg(q, s.account, amount - repay, party);
    if (!platform && amount > repay) {
        s.pending = amount - repay;
        s.due_ms = due_of(c, tenant);
    }
    return s;
}

void share_given(struct core *c, int64_t tenant, const char *currency, const struct share_part *p)
{
    if (!p->pending)
        return;
    struct bucket *b = bucket_find(c, p->party, p->due_ms);
    if (!b)
        b = bucket_add(
            c, &(struct row_maturing){
                   .party = p->party, .due_ms = p->due_ms, .tenant = tenant, .currency = currency});
    must(b); /* one a party and day: the table is larger than parties × the longest window in use */
    b->row.amount += p->pending;
    obj_dirty(c, &b->o);
}

struct share_part share_restore(struct core *c, int64_t tenant, int64_t party, int64_t amount,
                                int64_t due_ms, struct ledger_request *q)
{
    struct share_part s = {.party = party};
    bool pending = due_ms > c->now;
    int64_t debt_account = 0, debt = debt_left(c, tenant, party, q, &debt_account);
    int64_t repay = debt < amount ? debt : amount;
    s.account = purse_account(c, tenant, pending ? ACCOUNT_PENDING : kind_free(c, party), party,
                              q->currency);
    if (repay)
        purse_leg(q, debt_account, repay, party);
    purse_leg(q, s.account, amount - repay, party);
    if (pending) {
        s.pending = amount - repay;
        s.due_ms = due_ms;
    }
    return s;
}

void share_event(struct core *c, const struct order *o, int64_t party, int64_t amount)
{
    struct out_event *e = event_new(c, EVENT_SHARE);
    e->tenant = o->row.tenant;
    e->station = o->row.station;
    e->order = o->row.id;
    e->party = party;
    e->amount = amount;
}

/* Lowers one bucket, if it is there; returns by how much. An empty one goes: it would not be loaded at a
 * start, and its row would outlive what it waits for. */
static int64_t take_bucket(struct core *c, int64_t party, int64_t due_ms, int64_t most)
{
    struct bucket *b = bucket_find(c, party, due_ms);
    if (!b || most <= 0)
        return 0;
    if (most > b->row.amount)
        most = b->row.amount;
    b->row.amount -= most;
    obj_dirty(c, &b->o);
    if (!b->row.amount)
        bucket_drop(c, b);
    return most;
}

int64_t share_pending_take(struct core *c, int64_t party, int64_t due_ms, int64_t most)
{
    return take_bucket(c, party, due_ms, most);
}

/* Lowers the buckets of these rows by what can be taken of `amount`; returns that. What waited for a
 * bill may wait for the end of the window now. */
static int64_t take_pending(struct core *c, int64_t party, int64_t amount,
                            const struct row_split_part *rows, size_t n)
{
    int64_t taken = 0;
    for (size_t i = 0; i < n && taken < amount; i++) {
        int64_t due = rows[i].due_ms;
        if (rows[i].party != party || rows[i].amount <= 0 || (due >= 0 && due <= c->now))
            continue;
        int64_t most = amount - taken;
        if (most > rows[i].amount)
            most = rows[i].amount;
        int64_t got = take_bucket(c, party, due, most);
        const struct company_bill *bill = due < 0 ? dir_find(c, ROW_COMPANY_BILL, -due) : NULL;
        if (bill && got < most)
            got += take_bucket(c, party, company_bill_matures(c, bill), most - got);
        taken += got;
    }
    return taken;
}

int64_t share_take(struct core *c, int64_t party, int64_t amount, const struct row_split_part *rows,
                   size_t n, struct ledger_request *q)
{
    bool platform = party_is_platform(c, party);
    int32_t free_kind = platform ? ACCOUNT_INCOME : ACCOUNT_AVAILABLE;
    int64_t pending = platform ? 0 : take_pending(c, party, amount, rows, n);
    int64_t had = purse_available(c, q->tenant, free_kind, party, q->currency);
    int64_t freed = amount - pending < had ? amount - pending : had;
    int64_t owed = amount - pending - freed;
    if (pending)
        purse_leg(q, purse_account(c, q->tenant, ACCOUNT_PENDING, party, q->currency), -pending,
                  party);
    if (freed)
        purse_leg(q, purse_account(c, q->tenant, free_kind, party, q->currency), -freed, party);
    if (owed)
        purse_leg(q, purse_account(c, q->tenant, ACCOUNT_PARTY_DEBT, party, q->currency), -owed,
                  party);
    return owed;
}

/* `amount` of the party's pending account becomes available: what it owes is settled first. Answers the
 * transfer. */
static int64_t mature(struct core *c, const struct row_maturing *r, int64_t amount)
{
    struct ledger_request q;
    struct ledger_ctx ctx;
    int64_t debt_account = 0;
    purse_request(c, &q, r->tenant, TRANSFER_MATURE, r->currency);
    if (r->due_ms > 0)
        q.effective_ms = r->due_ms; /* names the bucket: the money story finds it by this */
    else
        q.contract = -r->due_ms; /* names the bill */
    int64_t debt = debt_left(c, r->tenant, r->party, &q, &debt_account);
    int64_t repay = debt < amount ? debt : amount;
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_PENDING, r->party, r->currency), -amount,
              r->party);
    purse_leg(&q, debt_account, repay, r->party);
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_AVAILABLE, r->party, r->currency),
              amount - repay, r->party);
    ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* invariant 1 of purse.h */
    return ctx.id;
}

void share_mature(struct core *c, struct bucket *b)
{
    if (b->row.amount > 0)
        (void)mature(c, &b->row, b->row.amount);
    bucket_drop(c, b);
}

int64_t share_collected(struct core *c, struct bucket *b, int64_t amount, int64_t due_ms)
{
    must(amount >= 0 && amount <= b->row.amount);
    if (!amount)
        return 0;
    b->row.amount -= amount;
    obj_dirty(c, &b->o);
    if (due_ms <= c->now)
        return mature(c, &b->row, amount);
    share_given(c, b->row.tenant, b->row.currency,
                &(struct share_part){.party = b->row.party, .pending = amount, .due_ms = due_ms});
    return 0;
}

/* ---- parts ---- */

void share_part_write(struct core *c, const struct row_split_part *row, bool first)
{
    row_put(c, ROW_SPLIT_PART, ROW_INSERT, row);
    if (first)
        row_put(c, ROW_PARTY_SHARE_NEW, ROW_INSERT,
                &(struct row_party_share_new){.transfer = row->transfer,
                                              .party = row->party,
                                              .at_ms = row->at_ms,
                                              .order_id = row->order_id});
}

void share_order_part(struct core *c, struct order *o, const struct row_split_part *row)
{
    const struct row_split_part *had = (const struct row_split_part *)(void *)o->parts_buf.p;
    bool first = true;
    for (size_t i = o->parts_buf.n / sizeof *had; i-- > 0 && had[i].transfer == row->transfer;)
        first &= had[i].party != row->party;
    share_part_write(c, row, first);
    buf_put(&o->parts_buf, row, sizeof *row);
}
