// SPDX-License-Identifier: Apache-2.0
/* story_bucket.c: what the shares are that matured in one transfer, and in which order they lie there.
 *
 * All shares of a party that are due at the same midnight mature together (core/share.c). They lie in the
 * order of their orders. Of each is there what the order's own refunds did not take back while it was
 * pending, and what its channel did not pay. Where refunds of orders took more than these had pending, the
 * bucket is less than its shares: the oldest of them are less. Where it is more, a second refund of an order
 * with shares of several days took of the first day again: the other one has what it seems to lack. What
 * companies' bills set free before the refund window of their month was over matures with a day, too, and lies
 * behind the others, as it was collected; what they set free later matures in a transfer of its own
 * (story_bill.c).
 *
 * Invariants: 1. the amounts of the answer are all that matured, to the last ten-thousandth; 2. how many
 * parts are looked at is bounded. Owns nothing. The request's thread. */
#include "web/story.h"

#include "base/err.h"
#include "core/types.h"
#include "web/legs.h"

enum { BUCKET_MAX = 8192, PENDS_MAX = 60, FREED_MAX = 400 };
#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

/* ---- one order ---- */

/* What a transfer gave to the pending account, or took from it. */
struct pend {
    int64_t transfer, at_ms, due, sent_due, amount, left;
};
struct pends {
    int64_t account;
    struct pend v[PENDS_MAX];
    uint32_t n;
};

static int pend_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct pends *p = ctx;
    struct cursor c = {(const uint8_t *)v[5].s.p, (const uint8_t *)v[5].s.p + v[5].s.n};
    struct pend x = {v[0].i, v[2].i, v[3].i, v[4].i, 0, 0};
    bool sent = v[1].i == TRANSFER_SHARED;
    struct leg leg;
    int err;

    (void)n;
    while ((err = leg_next(&c, &leg)) == 0)
        x.amount += leg.account == p->account ? leg.amount : 0;
    if (err != ERR_NOT_FOUND)
        return ERR_CORRUPT;
    if (x.amount == 0 || (sent && x.sent_due == 0))
        return 0;
    if (p->n == PENDS_MAX)
        return ERR_FULL;
    x.left = x.amount;
    p->v[p->n++] = x;
    return 0;
}

/* Off the shares that were given before: of that bucket, or of all that had not matured. */
static void pend_off(struct pends *p, uint32_t i, int64_t due)
{
    int64_t back = -p->v[i].amount;

    for (uint32_t k = 0; k < i && back > 0; k++) {
        struct pend *x = &p->v[k];
        bool here = due != 0 ? x->due == due : x->due < 0 || x->due > p->v[i].at_ms;
        int64_t cut = x->left < back ? x->left : back;

        if (!here || x->amount <= 0 || cut <= 0)
            continue;
        x->left -= cut;
        back -= cut;
    }
}

/* Of an order, or of the one transfer that is for none. */
static int order_pends(struct request *r, int64_t party, const struct api_OrderShare *s,
                       int64_t before, struct pends *p)
{
    const struct bind keys[] = {BIND_I64("of_party", party), BIND_I64("order", s->order_id),
                                BIND_I64("own", s->order_id == 0 ? s->transfer : 0),
                                BIND_I64("before", before)};
    int err;

    p->n = 0;
    err = req_query(r, QUERY_STORY_PENDING, keys, ARRAY_LEN(keys), pend_take, p);
    for (uint32_t i = 0; err == 0 && i < p->n; i++)
        if (p->v[i].amount < 0 && p->v[i].sent_due != 0)
            pend_off(p, i, p->v[i].sent_due);
    for (uint32_t i = 0; err == 0 && i < p->n; i++)
        if (p->v[i].amount < 0 && p->v[i].sent_due == 0)
            pend_off(p, i, 0);
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* What one share has left, and gives: how many of its order's there are. */
static int64_t share_left(const struct pends *p, int64_t transfer, int64_t *amount, int *gives)
{
    int64_t left = 0;

    *gives = 0;
    *amount = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        *gives += p->v[k].amount > 0;
        if (p->v[k].transfer != transfer || p->v[k].amount <= 0)
            continue;
        left = p->v[k].left;
        *amount = p->v[k].amount;
    }
    return left;
}

/* What is left of each share; those of one order stand beside each other, mostly. */
static int shares_left(struct request *r, const struct story_purse *p, int64_t before,
                       struct rows *rows)
{
    struct api_OrderShare *s = (struct api_OrderShare *)(void *)rows->p;
    struct pends *pends = ARENA_NEW(&r->arena, struct pends);
    int64_t order = 0, had;
    int gives, err = pends == NULL ? ERR_TOO_LARGE : 0;

    if (err == 0)
        *pends = (struct pends){.account = p->pending};
    for (uint32_t i = 0; err == 0 && i < rows->n; i++) {
        if (s[i].order_id == 0 || s[i].order_id != order)
            err = order_pends(r, p->party, &s[i], before, pends);
        order = s[i].order_id;
        if (err == 0)
            s[i].amount = MONEY(share_left(pends, s[i].transfer, &had, &gives));
    }
    return err;
}

/* ---- the bucket ---- */

struct window {
    int64_t from_ms, to_ms;
};

/* What bills set free that matures with this day; it lies behind the shares of orders, from `at` on. */
struct bills {
    struct story_bill *bill;
    int64_t id[FREED_MAX], of[FREED_MAX];
    uint32_t n, at;
};

static int freed_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct bills *b = ctx;

    (void)n;
    if (b->n == FREED_MAX)
        return ERR_FULL;
    b->id[b->n] = v[0].i;
    b->of[b->n++] = v[1].i;
    return 0;
}

/* What one collection set free of each order, and `more` of what these seem to have given back since. */
static int collect_put(struct request *r, const struct story_purse *p, int64_t bill, int64_t id,
                       struct story_bill *b, struct rows *rows, int64_t *more)
{
    const struct story_collect *at;
    int err = story_bill(r, p, bill, b);

    at = err == 0 ? story_bill_collect(b, id) : NULL;
    if (err == 0)
        err = at != NULL ? story_bill_play(b, at) : ERR_CORRUPT;
    for (uint32_t i = 0; err == 0 && i < b->n; i++) {
        const struct story_billed *x = &b->share[i];
        int64_t again = x->off < *more ? x->off : *more, n = x->took - x->off + again;
        struct api_OrderShare *s = n > 0 && rows->n < BUCKET_MAX ? rows_add(r, rows) : NULL;

        *more -= again;
        if (n > 0 && s == NULL)
            err = rows->n == BUCKET_MAX ? ERR_FULL : ERR_TOO_LARGE;
        if (s == NULL)
            continue;
        *s = x->share;
        s->amount = MONEY(n);
        s->collected = id;
    }
    return err;
}

static int bills_read(struct request *r, const struct story_purse *p, int64_t due,
                      struct story_bill *bill, struct bills *b)
{
    const struct bind keys[] = {BIND_I64("of_party", p->party), BIND_I64("due", due)};
    int err;

    *b = (struct bills){.bill = bill};
    err = req_query(r, QUERY_STORY_BILL_DUE, keys, ARRAY_LEN(keys), freed_take, b);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int bills_put(struct request *r, const struct story_purse *p, const struct bills *b,
                     int64_t more, struct rows *rows)
{
    int err = 0;

    for (uint32_t i = 0; err == 0 && i < b->n; i++)
        err = collect_put(r, p, b->of[i], b->id[i], b->bill, rows, &more);
    return err;
}

static void rows_begin(struct rows *rows)
{
    if (rows->size > 0)
        memset(rows->p, 0, rows->size * sizeof(struct api_OrderShare));
    rows->type = &api_OrderShare_type;
    rows->max = BUCKET_MAX;
    rows->n = 0;
    rows->more = false;
}

static int bucket_read(struct request *r, const struct story_purse *p, const struct story_move *m,
                       const struct window *w, struct rows *rows)
{
    const struct bind keys[] = {BIND_I64("of_party", p->party), BIND_I64("due", m->effective_ms),
                                BIND_I64("from_ms", w->from_ms), BIND_I64("to_ms", w->to_ms),
                                BIND_I64("lim", BUCKET_MAX + 1)};
    int err;

    rows_begin(rows);
    err = req_rows(r, QUERY_STORY_BUCKET, keys, ARRAY_LEN(keys), rows);
    if (err == 0 && rows->more)
        err = ERR_FULL;
    return err == 0 ? shares_left(r, p, m->transfer, rows) : err;
}

static int64_t bucket_sum(const struct rows *rows)
{
    const struct api_OrderShare *s = (const struct api_OrderShare *)(const void *)rows->p;
    int64_t sum = 0;

    for (uint32_t i = 0; i < rows->n; i++)
        sum += s[i].amount.v;
    return sum;
}

static void bucket_cut(struct rows *rows, int64_t over)
{
    struct api_OrderShare *s = (struct api_OrderShare *)(void *)rows->p;

    for (uint32_t i = 0; i < rows->n && over > 0; i++) {
        int64_t cut = s[i].amount.v < over ? s[i].amount.v : over;

        s[i].amount.v -= cut;
        over -= cut;
    }
}

/* `more` goes to shares of orders that have several, of which a refund took less than it seems. */
static int bucket_more(struct request *r, const struct story_purse *p, const struct story_move *m,
                       int64_t more, struct rows *rows, uint32_t n)
{
    struct api_OrderShare *s = (struct api_OrderShare *)(void *)rows->p;
    struct pends *pends = more > 0 ? ARENA_NEW(&r->arena, struct pends) : NULL;
    int err = more > 0 && pends == NULL ? ERR_TOO_LARGE : 0;

    for (uint32_t i = 0; err == 0 && i < n && more > 0; i++) {
        int64_t had = 0, left;
        int gives = 0;

        if (s[i].order_id == 0 || s[i].amount.v >= s[i].share.v)
            continue;
        pends->account = p->pending;
        err = order_pends(r, p->party, &s[i], m->transfer, pends);
        left = err == 0 ? share_left(pends, s[i].transfer, &had, &gives) : 0;
        if (err != 0 || gives < 2)
            continue;
        had = had - left < more ? had - left : more;
        s[i].amount.v += had;
        more -= had;
    }
    return err;
}

/* What was given under another window than of now may lie further back than is looked. */
static int bucket_rest(struct request *r, const struct story_move *m, int64_t rest,
                       struct rows *rows)
{
    struct api_OrderShare *s = rest > 0 ? rows_add(r, rows) : NULL;

    if (s != NULL)
        *s = (struct api_OrderShare){.transfer = m->transfer,
                                     .code = TRANSFER_MATURE,
                                     .at_ms = m->posted_ms,
                                     .share = MONEY(rest),
                                     .amount = MONEY(rest),
                                     .rule = STORY_TOO_FAR};
    return rest > 0 && s == NULL ? ERR_TOO_LARGE : 0;
}

/* The shares of orders, and behind them what bills set free. */
static int bucket_fill(struct request *r, const struct story_purse *p, const struct story_move *m,
                       const struct window *w, struct bills *b, struct rows *out)
{
    int err = bucket_read(r, p, m, w, out);

    b->at = out->n;
    return err == 0 ? bills_put(r, p, b, 0, out) : err;
}

/* Refunds took less of these shares than it seems. */
static int bucket_again(struct request *r, const struct story_purse *p, const struct story_move *m,
                        struct bills *b, struct rows *out)
{
    int err = bucket_more(r, p, m, m->whole - bucket_sum(out), out, b->at);
    int64_t more = m->whole - bucket_sum(out);

    if (err != 0 || b->n == 0 || more <= 0)
        return err;
    out->n = b->at;
    return bills_put(r, p, b, more, out);
}

static int bucket_of_day(struct request *r, const struct story_purse *p,
                         const struct story_move *mature, struct story_bill *bill, struct rows *out)
{
    int64_t due = mature->effective_ms, floor = 0;
    const struct bind keys[] = {BIND_I64("of_party", p->party), BIND_I64("due", due)};
    struct window w = {due - (p->refund_days + 1) * DAY_MS - 2 * HOUR_MS,
                       due - p->refund_days * DAY_MS + 2 * HOUR_MS};
    struct bills *b = ARENA_NEW(&r->arena, struct bills);
    int err = b == NULL ? ERR_TOO_LARGE : bills_read(r, p, due, bill, b);

    if (err == 0)
        err = bucket_fill(r, p, mature, &w, b, out);
    if (err == 0 && bucket_sum(out) < mature->whole) {
        err = req_number(r, QUERY_STORY_BUCKET_FLOOR, keys, ARRAY_LEN(keys), &floor);
        w = (struct window){floor, due};
        err = err == 0 || err == ERR_NOT_FOUND ? bucket_fill(r, p, mature, &w, b, out) : err;
    }
    if (err != 0)
        return err;
    bucket_cut(out, bucket_sum(out) - mature->whole);
    err = bucket_again(r, p, mature, b, out);
    return err == 0 ? bucket_rest(r, mature, mature->whole - bucket_sum(out), out) : err;
}

/* What a bill set free at once: the transfer is the collection. */
static int bucket_of_bill(struct request *r, const struct story_purse *p,
                          const struct story_move *mature, struct story_bill *b, struct rows *out)
{
    int64_t none = 0;

    rows_begin(out);
    return collect_put(r, p, mature->bill, mature->transfer, b, out, &none);
}

int story_bucket(struct request *r, const struct story_purse *p, const struct story_move *mature,
                 struct story_bill *b, struct rows *out)
{
    int err = mature->bill != 0 ? bucket_of_bill(r, p, mature, b, out)
                                : bucket_of_day(r, p, mature, b, out);

    for (uint32_t i = 0; err == 0 && i < out->n; i++)
        ((struct api_OrderShare *)(void *)out->p)[i].matured = mature->transfer;
    return err;
}
