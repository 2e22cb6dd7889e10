// SPDX-License-Identifier: Apache-2.0
/* h_taken.c: the way back of the money story: which orders a withdrawal consists of, and which orders stand in
 * a party's statement of a month.
 *
 * What a withdrawal took is found by the same rule as what became of a share (story.h): it took the oldest
 * of what was available, and what matured together lies in the order of its orders; of what the bill of a
 * company set free each of its orders gave its part. A share that the
 * channel paid, one that came back to it and principal of a driver are bound to their order or payment by
 * their rows.
 *
 * Invariants: 1. the amounts of all pages are the payout's amount, to the last ten-thousandth: what is no
 * order and what is not looked at have rows of their own; 2. those of a statement are its lines; 3. whose
 * it is stands in the query, so a foreign id is ERR_NOT_FOUND; 4. there is nothing of a driver in the
 * answer. Thread: the request's. */
#include "base/err.h"
#include "core/split.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/state.h"
#include "web/story.h"

/* One answer as it grows, newest first. The cursor: the transfer of the last row, and which of its rows. */
struct page {
    struct request *r;
    struct rows rows, bucket;
    struct story_purse purse;
    struct story_bill bill;
    const struct story_place *took; /* the withdrawal in the queue */
};

struct payout {
    int64_t kind, state, party, amount, transfer, settled, order, payment, party_kind;
    struct str currency;
};

/* 1 = the page is full. */
static int page_put(struct page *p, const struct api_OrderShare *s, int64_t transfer, int64_t at)
{
    struct api_OrderShare *row;

    if (p->rows.n == (uint32_t)p->r->limit) {
        p->rows.more = true;
        return 1;
    }
    row = rows_add(p->r, &p->rows);
    if (row == NULL)
        return ERR_TOO_LARGE;
    *row = *s;
    p->rows.next[0] = transfer;
    p->rows.next[1] = at;
    return 0;
}

/* A transfer alone, as its party sees it. */
static int entry_put(struct page *p, int64_t transfer, int64_t order, int64_t amount,
                     enum story_rule rule)
{
    const struct bind keys[] = {BIND_I64("of_party", p->purse.party), BIND_I64("order", order),
                                BIND_I64("transfer", transfer)};
    struct api_OrderShare s = {0};
    int err = req_one(p->r, QUERY_STORY_ENTRY, keys, ARRAY_LEN(keys), &api_OrderShare_type, &s);

    s.amount = MONEY(amount);
    s.rule = rule;
    return err != 0 ? err : page_put(p, &s, transfer, 0);
}

/* ---- a withdrawal ---- */

/* What of a bucket is in the payout. Its debts come first, and never came in. */
static int bucket_put(struct page *p, const struct story_place *in)
{
    const struct api_OrderShare *s = (const struct api_OrderShare *)(const void *)p->bucket.p;
    int64_t at = in->at + in->n, transfer = in->move.transfer;
    bool again = p->r->after[0] == transfer;
    int err = 0;

    for (uint32_t i = p->bucket.n; err == 0 && i > 0; i--) {
        struct api_OrderShare x = s[i - 1];
        int64_t from, n;

        at -= x.amount.v;
        from = at > in->at ? at : in->at;
        n = story_overlap(from, at + x.amount.v - from, p->took->at, p->took->n);
        if (n <= 0 || (again && i - 1 >= p->r->after[1]))
            continue;
        x.amount = MONEY(n);
        x.rule = x.rule != 0 ? x.rule : STORY_FIFO;
        err = page_put(p, &x, transfer, i - 1);
    }
    return err;
}

static int place_put(struct page *p, const struct story_place *in)
{
    const struct story_move *m = &in->move;
    int64_t n = story_overlap(in->at, in->n, p->took->at, p->took->n);
    int64_t after = p->r->after[0] != 0 ? p->r->after[0] : INT64_MAX;
    int64_t order = m->order != 0 ? m->order : m->payout_order;
    bool mature = m->code == TRANSFER_MATURE;
    int err;

    if (n <= 0 || m->transfer > after || (m->transfer == after && !mature))
        return 0;
    if (!mature)
        return entry_put(p, m->transfer, order, n, STORY_FIFO);
    err = story_bucket(p->r, &p->purse, m, &p->bill, &p->bucket);
    if (err == ERR_FULL)
        return m->transfer == after ? 0 : entry_put(p, m->transfer, 0, n, STORY_TOO_FAR);
    return err != 0 ? err : bucket_put(p, in);
}

/* What it took before all that was looked at: one row behind the others, of the payout's own transfer. */
static int far_put(struct page *p, const struct story_queue *q, const struct payout *w)
{
    int64_t far = w->amount;

    for (uint32_t i = 0; p->took != NULL && i < q->in_n; i++)
        far -= story_overlap(q->in[i].at, q->in[i].n, p->took->at, p->took->n);
    return far != 0 ? entry_put(p, w->transfer, 0, far, STORY_TOO_FAR) : 0;
}

static int withdrawal_put(struct page *p, const struct payout *w)
{
    struct story_queue q = {.payout = p->r->id};
    bool platform = w->party_kind == PARTY_PLATFORM;
    struct story_account a = {0, 0, w->party};
    int64_t last;
    int err = story_purse(p->r, w->party, w->currency, &p->purse);

    a.id = platform ? p->purse.income : p->purse.available;
    last = platform ? p->purse.income_last : p->purse.available_last;
    if (err == 0)
        err = story_queue(p->r, &a, last, &q);
    if (err == 0 && q.all && q.found == NULL)
        err = ERR_CORRUPT; /* its money left that account */
    p->took = q.found;
    for (uint32_t i = 0; err == 0 && p->took != NULL && i < q.in_n; i++)
        err = place_put(p, &q.in[i]);
    return err == 0 ? far_put(p, &q, w) : err;
}

/* ---- payouts ---- */

static int from_take(void *ctx, const struct sql_value *v, size_t n)
{
    int64_t *from = ctx;

    (void)n;
    from[0] = v[0].i;
    from[1] = v[1].i;
    return 0;
}

static int principal_put(struct page *p, const struct payout *w)
{
    const struct bind key = BIND_I64("id", w->payment);
    int64_t from[2] = {0};
    int err = req_query(p->r, QUERY_STORY_PAYMENT_FROM, &key, 1, from_take, from);

    if (err != 0 && err != ERR_NOT_FOUND)
        return err;
    return entry_put(p, from[0], from[1], w->amount, STORY_EXACT);
}

static int payout_put(struct page *p, const struct payout *w)
{
    bool back = w->kind == PAYOUT_RETURNED, one = w->kind != PAYOUT_SHARE;

    p->purse.party = w->party;
    if ((one || story_came_back(w->state)) && p->r->after[0] != 0)
        return 0; /* there is one row of it */
    if (story_came_back(w->state))
        return entry_put(p, w->settled, w->order, w->amount, STORY_CAME_BACK);
    if (w->kind == PAYOUT_SHARE)
        return withdrawal_put(p, w);
    if (w->kind == PAYOUT_PRINCIPAL)
        return principal_put(p, w);
    return entry_put(p, back ? w->settled : w->transfer, w->order, w->amount, STORY_EXACT);
}

struct head {
    struct request *r;
    struct payout *payout;
};

static int head_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct head *h = ctx;

    (void)n;
    *h->payout = (struct payout){.kind = v[0].i,
                                 .state = v[1].i,
                                 .party = v[2].i,
                                 .currency = req_copy(h->r, v[3].s),
                                 .amount = v[4].i,
                                 .transfer = v[5].i,
                                 .settled = v[6].i,
                                 .order = v[7].i,
                                 .payment = v[8].i,
                                 .party_kind = v[9].i};
    return 0;
}

static int payout_answer(struct request *r, int64_t party)
{
    const struct bind key = BIND_I64("of_party", party);
    struct page *p = ARENA_NEW(&r->arena, struct page);
    struct payout w = {0};
    struct head h = {r, &w};
    int err = p == NULL ? ERR_TOO_LARGE : 0;

    if (err == 0)
        err = req_query(r, QUERY_STORY_TAKEN, &key, 1, head_take, &h);
    if (err == 0 && w.kind == 0)
        err = ERR_NOT_FOUND;
    if (err != 0)
        return err;
    *p = (struct page){.r = r, .rows = {.type = &api_OrderShare_type}};
    err = payout_put(p, &w);
    return err < 0 ? err : req_page(r, &p->rows);
}

int payouts_orders(struct request *r)
{
    return payout_answer(r, 0);
}

/* A log-in without a party has no payouts: 0 would be everybody's. */
int partner_payout_orders(struct request *r)
{
    return r->actor.party != 0 ? payout_answer(r, r->actor.party) : ERR_NOT_FOUND;
}

/* ---- a statement ---- */

enum {
    PARTS_FOR = 12
}; /* parts that are read for a row: an order has one for each fee and clause */

/* Parts of one transfer of one order as one row. */
struct entries {
    struct request *r;
    struct rows rows;
    uint32_t read, most;
    int64_t order;   /* … of the last row, as the parts have it */
    int64_t last[3]; /* the last part of the rows that are whole */
    int64_t part[3]; /* the last part that was read */
};

static int entry_begin(struct entries *e, const struct sql_value *v)
{
    struct api_OrderShare *s;

    memcpy(e->last, e->part, sizeof e->last);
    if (e->rows.n == (uint32_t)e->r->limit) {
        e->rows.more = true;
        return 1;
    }
    s = rows_add(e->r, &e->rows);
    if (s == NULL)
        return ERR_TOO_LARGE;
    *s = (struct api_OrderShare){.order_id = v[0].i,
                                 .transfer = v[1].i,
                                 .at_ms = v[2].i,
                                 .code = v[3].i,
                                 .note = req_copy(e->r, v[4].s),
                                 .station = v[5].i,
                                 .station_name = req_copy(e->r, v[6].s),
                                 .zone = req_copy(e->r, v[7].s),
                                 .energy_mwh = v[8].i,
                                 .rule = STORY_EXACT};
    e->order = v[12].i;
    return 0;
}

static int entry_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct entries *e = ctx;
    struct api_OrderShare *s = (struct api_OrderShare *)(void *)e->rows.p;
    bool same = e->rows.n > 0 && e->order == v[12].i && s[e->rows.n - 1].transfer == v[1].i;
    int err = same ? 0 : entry_begin(e, v);

    (void)n;
    if (err != 0)
        return err;
    s = (struct api_OrderShare *)(void *)e->rows.p + e->rows.n - 1;
    s->amount.v += v[9].i;
    s->share.v += v[9].i;
    s->lines |= v[10].i;
    for (int i = 0; i < 3; i++)
        e->part[i] = v[11 + i].i;
    e->read++;
    return 0;
}

static int statement_answer(struct request *r, int64_t party)
{
    struct api_PartyStatement s = {0};
    struct entries e = {.r = r, .rows = {.type = &api_OrderShare_type}};
    int err = req_one(r, QUERY_WEB_STATEMENT, NULL, 0, &api_PartyStatement_type, &s);

    if (err == 0 && party != 0 && s.party != party)
        err = ERR_NOT_FOUND;
    if (err != 0)
        return err;
    if (r->after[0] != 0 && r->after[0] < s.to_ms)
        s.to_ms = r->after[0] + 1;
    e.most = (uint32_t)(r->limit + 1) * PARTS_FOR + SPLIT_PARTS_MAX;
    const struct bind keys[] = {BIND_I64("of_party", s.party), BIND_I64("from_ms", s.from_ms),
                                BIND_I64("to_ms", s.to_ms), BIND_I64("lim", e.most)};
    err = req_query(r, QUERY_STATEMENT_ENTRIES, keys, ARRAY_LEN(keys), entry_take, &e);
    if (err < 0)
        return err;
    if (!e.rows.more && e.read == e.most && e.rows.n > 1) {
        e.rows.more = true; /* the last one may not be whole */
        e.rows.n--;
    }
    memcpy(e.rows.next, e.last, sizeof e.last);
    return req_page(r, &e.rows);
}

int statements_orders(struct request *r)
{
    return statement_answer(r, 0);
}

int partner_statement_orders(struct request *r)
{
    return r->actor.party != 0 ? statement_answer(r, r->actor.party) : ERR_NOT_FOUND;
}
