// SPDX-License-Identifier: Apache-2.0
/* story_bill.c: the shares of a party that wait for one bill of a company, and what each collection of it
 * set free of each.
 *
 * All shares of a party in a bill are one bucket; a collection takes a part of it (company_bill.c), and a row
 * (bill_share) says how much waited and how much was set free. Of each share that was the same part, by the
 * same arithmetic over growing sums (core/collect.h): together just what the core set free. What an order's
 * refunds took of what was pending is of its own share first: of what waits for the bill, then of what was set
 * free and has not matured. Where refunds took more than their own orders had there, the bucket was less than
 * its shares: the oldest of them are less, as in a bucket of days (story_bucket.c); where they took less,
 * something of it is there again.
 *
 * Invariants: 1. what a collection set free of all shares is what its row says, and what still waits is what
 * the bucket has, to the last ten-thousandth; 2. how many shares, refunds and collections are looked at is
 * bounded (ERR_FULL). Owns nothing: all of it lies in the arena. The request's thread. */
#include "web/story.h"

#include "base/err.h"
#include "core/collect.h"
#include "core/types.h"
#include "web/legs.h"

enum { SHARES_MAX = 8192, TAKES_MAX = 8192, COLLECTS_MAX = 400 };

/* What refunds of one order took of the pending account. */
struct story_take {
    int64_t transfer, order, at_ms, amount;
    uint32_t first, last; /* of the order's shares in the bill; last < first: none */
};
struct reading {
    struct request *r;
    struct story_bill *b;
    int64_t account;
};

static int pending_of(struct str legs, int64_t account, int64_t *out)
{
    struct cursor c = {(const uint8_t *)legs.p, (const uint8_t *)legs.p + legs.n};
    struct leg leg;
    int err;

    *out = 0;
    while ((err = leg_next(&c, &leg)) == 0)
        *out += leg.account == account ? leg.amount : 0;
    return err == ERR_NOT_FOUND ? 0 : ERR_CORRUPT;
}

static int share_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct reading *w = ctx;
    struct story_bill *b = w->b;
    int64_t pending;
    int err = pending_of(v[10].s, w->account, &pending);

    (void)n;
    if (err != 0 || pending <= 0)
        return err; /* it settled what the party owed */
    if (b->n == SHARES_MAX)
        return ERR_FULL;
    b->share[b->n++] = (struct story_billed){.pending = pending,
                                             .share = {.order_id = v[0].i,
                                                       .transfer = v[1].i,
                                                       .at_ms = v[2].i,
                                                       .code = v[3].i,
                                                       .station = v[4].i,
                                                       .station_name = req_copy(w->r, v[5].s),
                                                       .zone = req_copy(w->r, v[6].s),
                                                       .energy_mwh = v[7].i,
                                                       .share = MONEY(v[8].i),
                                                       .lines = v[9].i,
                                                       .bill = b->bill,
                                                       .rule = STORY_BILL}};
    return 0;
}

static int take_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct reading *w = ctx;
    struct story_bill *b = w->b;
    struct story_take *t = &b->take[b->take_n];
    int64_t pending;
    int err = pending_of(v[3].s, w->account, &pending);

    (void)n;
    if (err != 0 || pending >= 0)
        return err;
    if (b->take_n == TAKES_MAX)
        return ERR_FULL;
    *t = (struct story_take){v[0].i, v[1].i, v[2].i, -pending, b->n, 0};
    for (uint32_t i = 0; i < b->n; i++)
        if (b->share[i].share.order_id == t->order) {
            t->first = t->first < i ? t->first : i;
            t->last = i;
        }
    b->take_n++;
    return 0;
}

static int collect_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct reading *w = ctx;
    struct story_bill *b = w->b;

    (void)n;
    if (b->collect_n == COLLECTS_MAX)
        return ERR_FULL;
    b->collect[b->collect_n++] =
        (struct story_collect){v[0].i, v[1].i, v[2].i, v[3].i, v[4].i, v[5].i, v[6].i};
    return 0;
}

struct window {
    int64_t from_ms, to_ms, waits, month;
};

static int window_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(struct window *)ctx = (struct window){v[0].i, v[1].i, v[2].i, v[3].i};
    return 0;
}

static int bill_room(struct request *r, struct story_bill *b)
{
    if (b->share == NULL)
        b->share = ARENA_ARRAY(&r->arena, SHARES_MAX, struct story_billed);
    if (b->take == NULL)
        b->take = ARENA_ARRAY(&r->arena, TAKES_MAX, struct story_take);
    if (b->collect == NULL)
        b->collect = ARENA_ARRAY(&r->arena, COLLECTS_MAX, struct story_collect);
    return b->share == NULL || b->take == NULL || b->collect == NULL ? ERR_TOO_LARGE : 0;
}

static int bill_rows(struct request *r, const struct story_purse *p, const struct window *w,
                     struct story_bill *b)
{
    const struct bind keys[] = {BIND_I64("of_party", p->party), BIND_I64("due", -b->bill),
                                BIND_I64("from_ms", w->from_ms), BIND_I64("to_ms", w->to_ms),
                                BIND_I64("lim", SHARES_MAX + 1)};
    const struct bind bill[] = {keys[0], BIND_I64("bill", b->bill)};
    struct reading in = {r, b, p->pending};
    int err = req_query(r, QUERY_STORY_BILL_SHARES, keys, ARRAY_LEN(keys), share_take, &in);

    if (err == 0 || err == ERR_NOT_FOUND)
        err = req_query(r, QUERY_STORY_BILL_TAKES, keys, ARRAY_LEN(keys), take_take, &in);
    if (err == 0 || err == ERR_NOT_FOUND)
        err = req_query(r, QUERY_STORY_BILL_FREED, bill, ARRAY_LEN(bill), collect_take, &in);
    return err == ERR_NOT_FOUND ? 0 : err;
}

int story_bill(struct request *r, const struct story_purse *p, int64_t bill, struct story_bill *b)
{
    const struct bind keys[] = {BIND_I64("of_party", p->party), BIND_I64("bill", bill)};
    struct window w = {0};
    int err = bill_room(r, b);

    if (err != 0 || b->bill == bill)
        return err;
    b->bill = bill;
    b->n = b->take_n = b->collect_n = 0;
    err = req_query(r, QUERY_STORY_BILL, keys, ARRAY_LEN(keys), window_take, &w);
    b->waits = w.waits;
    b->month = w.month;
    if (err == 0)
        err = bill_rows(r, p, &w, b);
    if (err != 0)
        b->bill = 0;
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

/* ---- one collection after the other ---- */

static int64_t cut(int64_t *from, int64_t most)
{
    int64_t n = *from < most ? *from : most;

    *from -= n;
    return n;
}

/* Off what waits for the bill; then off what was set free and matures after that, the collection at hand (or
 * NULL) behind the others of its day. */
static void take_off(struct story_bill *b, const struct story_take *t,
                     const struct story_collect *at)
{
    bool waits = at != NULL && at->due_ms > t->at_ms;
    int64_t rest = t->amount;

    for (uint32_t i = t->first; rest > 0 && i < b->n && i <= t->last; i++)
        if (b->share[i].share.order_id == t->order)
            rest -= cut(&b->share[i].left, rest);
    for (uint32_t i = t->first; waits && rest > 0 && i < b->n && i <= t->last; i++) {
        struct story_billed *x = &b->share[i];
        int64_t there = x->took - x->off;

        if (x->share.order_id != t->order)
            continue;
        rest -= cut(&x->before, rest);
        rest -= cut(&there, rest);
        x->off = x->took - there;
    }
}

/* What waited just then: refunds took of others, or less than it seemed. */
static int bill_fit(struct story_bill *b, int64_t waited)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < b->n; i++)
        sum += b->share[i].left;
    for (uint32_t i = 0; i < b->n && sum > waited; i++)
        sum -= cut(&b->share[i].left, sum - waited);
    for (uint32_t i = 0; i < b->n && sum < waited; i++) {
        struct story_billed *x = &b->share[i];
        int64_t more = x->pending - x->freed - x->left;

        more = more < waited - sum ? more : waited - sum;
        x->left += more;
        sum += more;
    }
    return sum == waited ? 0 : ERR_CORRUPT;
}

static int bill_collect(struct story_bill *b, const struct story_collect *c,
                        const struct story_collect *at)
{
    int64_t sum = 0, gave = 0;
    int err = bill_fit(b, c->waited);

    for (uint32_t i = 0; err == 0 && i < b->n; i++) {
        struct story_billed *x = &b->share[i];
        int64_t n;

        sum += x->left;
        n = collect_part(sum, c->paid, c->lacked) - gave;
        gave += n;
        x->left -= n;
        x->freed += n;
        if (c == at)
            x->took = n;
        else if (at != NULL && c->id < at->id && c->due_ms == at->due_ms)
            x->before += n;
    }
    return err == 0 && gave != c->amount ? ERR_CORRUPT : err;
}

int story_bill_play(struct story_bill *b, const struct story_collect *at)
{
    uint32_t k = 0;
    int err = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        struct story_billed *x = &b->share[i];

        x->left = x->pending;
        x->freed = x->took = x->off = x->before = 0;
    }
    for (uint32_t i = 0; err == 0 && i < b->collect_n; i++) {
        for (; k < b->take_n && b->take[k].transfer < b->collect[i].id; k++)
            take_off(b, &b->take[k], at);
        err = bill_collect(b, &b->collect[i], at);
    }
    for (; k < b->take_n; k++)
        take_off(b, &b->take[k], at);
    return err == 0 ? bill_fit(b, b->waits) : err;
}

const struct story_collect *story_bill_collect(const struct story_bill *b, int64_t id)
{
    for (uint32_t i = 0; i < b->collect_n; i++)
        if (b->collect[i].id == id)
            return &b->collect[i];
    return NULL;
}
