// SPDX-License-Identifier: Apache-2.0
/* story_shares.c: what became of the shares of an order: pending, paid by the channel out of the payment
 * itself, matured, withdrawn, taken back; and of what the channel paid, what came back to it.
 *
 * A bucket of shares matures in one transfer, whose effective time is the time when it was due
 * (core/share.c). Within it shares come in the order of their orders; debts of the party are settled
 * with the first of it. The rest lies in the available account behind what was there before, and
 * what leaves that account from then on takes the oldest first. What a company's bill sets free of it goes the
 * same way, collection by collection (story_bill.c).
 *
 * Owns nothing. The request's thread. */
#include "web/story.h"

#include "base/err.h"
#include "core/types.h"

enum { PAYOUTS_MAX = 50, COLLECTED_MAX = 50 };

/* ---- what each transfer gave and took ---- */

static void leg_put(struct api_StoryShare *s, const struct api_Leg *leg)
{
    struct money *to = leg->kind == ACCOUNT_PENDING     ? &s->pending
                       : leg->kind == ACCOUNT_INCOME    ? &s->income
                       : leg->kind == ACCOUNT_AVAILABLE ? &s->available
                       : leg->kind == ACCOUNT_PARTY_DEBT
                           ? (leg->amount.v > 0 ? &s->repaid : &s->owed)
                           : NULL;
    if (to == NULL)
        return;
    to->v += leg->amount.v;
    s->amount.v += leg->amount.v;
}

static struct api_StoryShare *share_of(struct request *r, struct rows *shares,
                                       const struct api_TransferRow *t, int64_t party)
{
    struct api_StoryShare *s = (struct api_StoryShare *)(void *)shares->p;

    for (uint32_t i = 0; i < shares->n; i++)
        if (s[i].transfer == t->id && s[i].party == party)
            return &s[i];
    s = rows_add(r, shares);
    if (s != NULL)
        *s = (struct api_StoryShare){
            .party = party, .transfer = t->id, .code = t->code, .at_ms = t->posted_ms};
    return s;
}

static int transfer_shares(struct request *r, const struct api_TransferRow *t, int64_t party,
                           struct rows *shares)
{
    if (t->code == TRANSFER_SHARED || t->code == TRANSFER_SHARE_RETURN)
        return 0; /* given before, and nothing is taken back: share_sent, share_came_back */
    for (uint32_t k = 0; k < t->legs_n; k++) {
        struct api_StoryShare *s;

        if (t->legs[k].party == 0 || (party != 0 && t->legs[k].party != party))
            continue;
        s = share_of(r, shares, t, t->legs[k].party);
        if (s == NULL)
            return ERR_TOO_LARGE;
        leg_put(s, &t->legs[k]);
    }
    return 0;
}

struct naming {
    struct request *r;
    struct api_StoryShare *share;
};

static int party_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct naming *w = ctx;

    (void)n;
    w->share->party_name = req_copy(w->r, v[0].s);
    w->share->party_kind = v[1].i;
    return 0;
}

static int statement_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct api_StoryShare *s = ctx;

    (void)n;
    s->statement = v[0].i;
    s->month = v[1].i;
    s->statement_state = v[2].i;
    return 0;
}

static int share_names(struct request *r, struct api_StoryShare *s)
{
    const struct bind keys[] = {BIND_I64("of_party", s->party), BIND_I64("at", s->at_ms)};
    struct naming w = {r, s};
    int err = req_query(r, QUERY_STORY_PARTY_NAME, keys, ARRAY_LEN(keys), party_take, &w);

    if (err == 0)
        err = req_query(r, QUERY_STORY_STATEMENT, keys, ARRAY_LEN(keys), statement_take, s);
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* When it matures stands with the parts. */
static void share_due(const struct api_MoneyStory *s, struct rows *shares)
{
    struct api_StoryShare *row = (struct api_StoryShare *)(void *)shares->p;

    for (uint32_t i = 0; i < shares->n; i++)
        for (uint32_t k = 0; k < s->parts_n; k++)
            if (s->parts[k].transfer == row[i].transfer && s->parts[k].party == row[i].party &&
                s->parts[k].due_ms != 0)
                row[i].due_ms = s->parts[k].due_ms;
}

/* Of what was pending: what refunds did not take back and the channel did not pay. */
static int64_t share_waits(const struct api_StoryShare *x)
{
    return x->pending.v - x->returned.v - x->withdrawn.v;
}

/* What refunds took of what was pending goes off the first that had not matured. What is more than these still had came out
 * of other orders' pending shares, as it does of what is available. */
static void share_returned(struct rows *shares)
{
    struct api_StoryShare *row = (struct api_StoryShare *)(void *)shares->p;

    for (uint32_t i = 0; i < shares->n; i++) {
        int64_t back = row[i].pending.v < 0 ? -row[i].pending.v : 0;

        for (uint32_t k = 0; k < i && back > 0; k++) {
            int64_t has = share_waits(&row[k]);
            int64_t cut = has < back ? has : back;

            bool over = row[k].due_ms >= 0 && row[k].due_ms <= row[i].at_ms;

            if (row[k].party != row[i].party || over || cut <= 0)
                continue;
            row[k].returned.v += cut;
            back -= cut;
        }
        row[i].other.v -= back;
    }
}

static int payout_put(struct request *r, struct api_StoryShare *s, int64_t id, int64_t took)
{
    struct api_StoryPayout *p;
    int err;

    if (s->payouts == NULL)
        s->payouts = ARENA_ARRAY(&r->arena, PAYOUTS_MAX, struct api_StoryPayout);
    if (s->payouts == NULL)
        return ERR_TOO_LARGE;
    if (s->payouts_n == PAYOUTS_MAX)
        return 0; /* the sums stay whole */
    p = &s->payouts[s->payouts_n++];
    err = story_payout(r, id, p);
    p->taken = MONEY(took);
    return err;
}

static int payout_add(struct request *r, struct api_StoryShare *s, int64_t id, int64_t took)
{
    s->withdrawn.v += took;
    return payout_put(r, s, id, took);
}

struct sent {
    int64_t payout, state, due, amount;
};

static int sent_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(struct sent *)ctx = (struct sent){v[0].i, v[1].i, v[2].i, v[3].i};
    return 0;
}

/* What the channel paid a party out of the payment itself, before it matured: off the shares that
 * mature then. What the channel did not pay never left. */
static int share_sent(struct request *r, const struct api_TransferRow *t, int64_t party,
                      struct rows *shares, bool *back)
{
    const struct bind keys[] = {BIND_I64("of_party", party), BIND_I64("transfer", t->id)};
    struct api_StoryShare *row = (struct api_StoryShare *)(void *)shares->p;
    struct sent w = {0};
    int err = req_query(r, QUERY_STORY_SHARED, keys, ARRAY_LEN(keys), sent_take, &w);

    *back = *back || story_came_back(w.state);
    if (err != 0 || story_came_back(w.state))
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    for (uint32_t i = 0; err == 0 && i < shares->n && w.amount > 0; i++) {
        int64_t has = share_waits(&row[i]), took = has < w.amount ? has : w.amount;

        if (row[i].party != party || row[i].due_ms != w.due || took <= 0)
            continue;
        w.amount -= took;
        err = payout_add(r, &row[i], w.payout, took);
    }
    return err;
}

static int shares_sent(struct request *r, const struct api_MoneyStory *s, int64_t party,
                       struct rows *shares, bool *back)
{
    int err = 0;

    for (uint32_t i = 0; err == 0 && i < s->transfers_n; i++) {
        const struct api_TransferRow *t = &s->transfers[i];

        for (uint32_t k = 0; err == 0 && t->code == TRANSFER_SHARED && k < t->legs_n; k++)
            if (t->legs[k].kind == ACCOUNT_TRANSIT && (party == 0 || t->legs[k].party == party))
                err = share_sent(r, t, t->legs[k].party, shares, back);
    }
    return err;
}

/* ---- what came back to the channel ---- */

struct came_back {
    int64_t payout, of, amount;
};

static int came_back_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(struct came_back *)ctx = (struct came_back){v[0].i, v[1].i, v[2].i};
    return 0;
}

/* Beside what the channel had paid of that share. The sums stay: it settles what the party owes by a
 * refund, which stands with that. */
static int share_came_back(struct request *r, const struct api_MoneyStory *s,
                           const struct api_TransferRow *t, struct rows *shares)
{
    const struct bind keys[] = {BIND_I64("transfer", t->id), BIND_I64("order", s->order.id)};
    struct api_StoryShare *row = (struct api_StoryShare *)(void *)shares->p;
    struct came_back w = {0};
    int err = req_query(r, QUERY_STORY_RETURNED, keys, ARRAY_LEN(keys), came_back_take, &w);

    for (uint32_t i = 0; err == 0 && i < shares->n; i++)
        for (uint32_t k = 0; k < row[i].payouts_n; k++)
            if (row[i].payouts[k].payout == w.of)
                return payout_put(r, &row[i], w.payout, w.amount);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static int shares_came_back(struct request *r, const struct api_MoneyStory *s, struct rows *shares)
{
    int err = 0;

    for (uint32_t i = 0; err == 0 && i < s->transfers_n; i++)
        if (s->transfers[i].code == TRANSFER_SHARE_RETURN)
            err = share_came_back(r, s, &s->transfers[i], shares);
    return err;
}

/* ---- maturity and what came after ---- */

struct trail {
    struct request *r;
    const struct api_MoneyStory *s;
    struct story_purse purse;
    struct story_queue queue; /* of what is available, back to when the share matured */
    struct rows bucket;
    struct story_bill bill, other; /* the share's; of buckets */
    struct story_move mature;
    bool sent_back;      /* the channel did not pay what it was to pay of this order */
    bool found, to_debt; /* to_debt: all of it settled what the party owed */
};

/* What stands at [from, from + n) of the queue: who took it since? */
static int trail_follow(const struct trail *t, int64_t from, int64_t n, struct api_StoryShare *s)
{
    int64_t free = n;

    for (uint32_t i = t->queue.out_n; i > 0; i--) {
        const struct story_place *p = &t->queue.out[i - 1];
        int64_t took = story_overlap(from, n, p->at, p->n);
        bool payout = p->move.code == TRANSFER_WITHDRAWAL && p->move.payout != 0 &&
                      !story_came_back(p->move.payout_state);
        int err = took > 0 && payout ? payout_add(t->r, s, p->move.payout, took) : 0;

        if (err != 0)
            return err;
        free -= took;
        s->other.v += payout ? 0 : took;
    }
    s->free.v += free;
    return 0;
}

/* Where in what matured the share lies, and how much of it was still there. */
static void mature_place(const struct trail *t, const struct api_StoryShare *share, int64_t *at,
                         int64_t *n)
{
    const struct api_OrderShare *x = (const struct api_OrderShare *)(const void *)t->bucket.p;

    *at = *n = 0;
    for (uint32_t i = 0; i < t->bucket.n; i++) {
        if (x[i].order_id == t->s->order.id && x[i].transfer == share->transfer) {
            *n = x[i].amount.v;
            return;
        }
        *at += x[i].amount.v;
    }
}

/* What the channel did not pay after all, and gave back when the rest had matured. Where refunds took more
 * than all else meanwhile, that was of what other orders had pending. */
static int share_sent_back(const struct trail *t, struct api_StoryShare *share)
{
    int err = 0;

    for (uint32_t i = t->queue.in_n; err == 0 && i > 0; i--) {
        const struct story_place *p = &t->queue.in[i - 1];
        const struct story_move *m = &p->move;
        int64_t waited = p->n < share->waits.v ? p->n : share->waits.v;

        if (m->payout_kind != PAYOUT_SHARED || m->payout_order != t->s->order.id ||
            m->payout_due != share->due_ms)
            continue;
        share->waits.v -= waited;
        share->other.v -= p->n - waited;
        err = trail_follow(t, p->at, p->n, share);
    }
    return err;
}

/* Of this share at [at, at + n) of what the transfer made available; the first of it settled debts. */
static int place_follow(const struct trail *t, int64_t at, int64_t n, int64_t debt,
                        struct api_StoryShare *share)
{
    int64_t settled = story_overlap(at, n, 0, debt);

    share->settled.v += settled;
    if (n <= settled)
        return 0;
    at = at > debt ? at - debt : 0;
    return trail_follow(t, t->queue.found->at + at, n - settled, share);
}

static int share_matured(const struct trail *t, struct api_StoryShare *share)
{
    const struct story_move *m = &t->mature;
    int64_t debt = t->to_debt ? m->amount : m->whole - m->amount, at, n;

    mature_place(t, share, &at, &n);
    if (n == 0 && share->waits.v == 0)
        return 0;
    share->other.v +=
        share->waits.v - n; /* refunds of others took it; negative: this one's of theirs */
    share->waits = MONEY_ZERO;
    share->matured = m->transfer;
    share->matured_ms = m->posted_ms;
    return place_follow(t, at, n, debt, share);
}

static int debt_take(void *ctx, const struct story_move *m)
{
    struct trail *t = ctx;

    t->found = m->code == TRANSFER_MATURE && m->effective_ms == t->queue.due;
    if (t->found)
        t->mature = *m;
    return t->found || m->posted_ms < t->queue.due ? 1 : 0;
}

static int trail_find(struct trail *t, bool *all)
{
    const struct story_purse *p = &t->purse;
    const struct story_account available = {p->available, 0, p->party},
                               debt = {p->debt, 0, p->party};
    int err = story_queue(t->r, &available, p->available_last, &t->queue);

    *all = t->queue.all;
    t->found = t->queue.found != NULL;
    t->to_debt = false;
    if (t->found)
        t->mature = t->queue.found->move;
    if (err != 0 || t->found || !*all)
        return err;
    t->to_debt = true;
    return story_walk(t->r, &debt, p->debt_last, debt_take, t, all);
}

/* Nothing matured that day: it is to come, or refunds of others took all that waited for it. */
static int trail_waits(const struct trail *t, int64_t due, int64_t n, struct api_StoryShare *share)
{
    const struct bind keys[] = {BIND_I64("of_party", t->purse.party), BIND_I64("due", due)};
    int64_t there = 0;
    int err = req_number(t->r, QUERY_STORY_WAITS, keys, ARRAY_LEN(keys), &there);

    there = n < there ? n : there;
    share->waits.v += there;
    share->other.v += n - there;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* The first of its order in its bucket: what came back to that is told with it. */
static bool share_first(const struct rows *shares, const struct api_StoryShare *share)
{
    const struct api_StoryShare *s = (const struct api_StoryShare *)(const void *)shares->p;

    while (s->party != share->party || s->pending.v <= 0 || s->due_ms != share->due_ms)
        s++;
    return s == share;
}

static int share_trail(struct trail *t, const struct rows *shares, struct api_StoryShare *share)
{
    bool all = true;
    int err;

    t->queue.due = share->due_ms;
    share->rule = STORY_FIFO;
    err = trail_find(t, &all);
    if (err == 0 && !all)
        share->rule = STORY_TOO_FAR;
    if (err == 0 && all && share_first(shares, share))
        err = share_sent_back(t, share);
    if (err == 0 && all && !t->found) {
        int64_t n = share->waits.v;

        share->waits = MONEY_ZERO;
        return trail_waits(t, share->due_ms, n, share);
    }
    if (err != 0 || !all)
        return err;
    err = story_bucket(t->r, &t->purse, &t->mature, &t->other, &t->bucket);
    if (err == ERR_FULL)
        share->rule = STORY_TOO_FAR;
    if (err != 0)
        return err == ERR_FULL ? 0 : err;
    return share_matured(t, share);
}

/* ---- what waits for a company's bill ---- */

/* What was looked for is further back than is looked: it is told as waiting. */
static int place_far(int64_t n, struct api_StoryShare *share)
{
    share->rule = STORY_TOO_FAR;
    share->waits.v += n;
    return 0;
}

/* Where it stands in its bill; NULL: all of it settled a debt. */
static const struct story_billed *billed_of(const struct story_bill *b, int64_t transfer,
                                            int64_t *at)
{
    *at = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        if (b->share[i].share.transfer == transfer)
            return &b->share[i];
        *at += b->share[i].took;
    }
    return NULL;
}

/* A collection after its month's refund window: its transfer made it available. */
static int billed_at_once(struct trail *t, const struct story_collect *c, int64_t at, int64_t n,
                          struct api_StoryShare *share)
{
    const struct story_account available = {t->purse.available, 0, t->purse.party};
    int err;

    t->queue.due = 0;
    t->queue.transfer = c->id;
    err = story_queue(t->r, &available, t->purse.available_last, &t->queue);
    t->queue.transfer = 0;
    if (err != 0)
        return err;
    if (t->queue.found == NULL && !t->queue.all)
        return place_far(n, share);
    share->matured = c->id;
    share->matured_ms = c->at_ms;
    return place_follow(t, at, n, c->amount - (t->queue.found != NULL ? t->queue.found->n : 0),
                        share);
}

/* All that bills set free of it for that day; `n` by them, *found there. */
static int billed_with_day(struct trail *t, int64_t due, int64_t n, struct api_StoryShare *share,
                           int64_t *found)
{
    const struct api_OrderShare *x;
    int64_t at = 0, debt;
    bool all;
    int err;

    t->queue.due = due;
    err = trail_find(t, &all);
    *found += n;
    if (err == 0 && !all)
        return place_far(n, share);
    if (err != 0 || !t->found)
        return err == 0 ? trail_waits(t, due, n, share) : err;
    err = story_bucket(t->r, &t->purse, &t->mature, &t->other, &t->bucket);
    if (err != 0)
        return err == ERR_FULL ? place_far(n, share) : err;
    *found -= n;
    share->matured = t->mature.transfer;
    share->matured_ms = t->mature.posted_ms;
    debt = t->to_debt ? t->mature.amount : t->mature.whole - t->mature.amount;
    x = (const struct api_OrderShare *)(const void *)t->bucket.p;
    for (uint32_t i = 0; err == 0 && i < t->bucket.n; at += x[i++].amount.v) {
        if (x[i].bill == 0 || x[i].transfer != share->transfer)
            continue;
        *found += x[i].amount.v;
        err = place_follow(t, at, x[i].amount.v, debt, share);
    }
    return err;
}

static int collected_put(struct request *r, const struct story_collect *c, int64_t n,
                         struct api_StoryShare *share)
{
    if (share->collected == NULL)
        share->collected = ARENA_ARRAY(&r->arena, COLLECTED_MAX, struct api_StoryCollected);
    if (share->collected == NULL)
        return ERR_TOO_LARGE;
    if (share->collected_n < COLLECTED_MAX)
        share->collected[share->collected_n++] =
            (struct api_StoryCollected){.transfer = c->due_ms == 0 ? c->id : 0,
                                        .at_ms = c->at_ms,
                                        .paid = MONEY(c->paid),
                                        .lacked = MONEY(c->lacked),
                                        .amount = MONEY(n),
                                        .due_ms = c->due_ms};
    return 0; /* the sums stay whole */
}

static bool day_again(const struct story_bill *b, uint32_t k)
{
    for (uint32_t i = k + 1; i < b->collect_n; i++)
        if (b->collect[i].due_ms == b->collect[k].due_ms)
            return true;
    return false;
}

/* One collection; those of one day are followed together, with the last of them. */
static int billed_collect(struct trail *t, uint32_t k, struct api_StoryShare *share, int64_t *found)
{
    const struct story_collect *c = &t->bill.collect[k];
    int err = story_bill_play(&t->bill, c);
    const struct story_billed *x;
    int64_t at, n;

    x = err == 0 ? billed_of(&t->bill, share->transfer, &at) : NULL;
    if (x == NULL)
        return err;
    if (x->took != 0)
        err = collected_put(t->r, c, x->took, share);
    n = x->took - x->off + (c->due_ms != 0 ? x->before : 0);
    if (err == 0 && c->due_ms != 0) /* a refund may have taken less of it than it seems */
        return x->freed == 0 || day_again(&t->bill, k)
                   ? 0
                   : billed_with_day(t, c->due_ms, n, share, found);
    if (err != 0 || n == 0)
        return err;
    *found += n;
    return billed_at_once(t, c, at, n, share);
}

/* Each collection set a part of it free; what is left waits. Refunds of others took the rest of it; negative:
 * this one's took of theirs. */
static int share_billed(struct trail *t, struct api_StoryShare *share)
{
    int64_t had = share->waits.v, found = 0, at;
    int err = story_bill(t->r, &t->purse, -share->due_ms, &t->bill);
    const struct story_billed *x;

    share->rule = err == ERR_FULL ? STORY_TOO_FAR : STORY_BILL;
    if (err != 0)
        return err == ERR_FULL ? 0 : err;
    share->bill_month = t->bill.month;
    share->waits = MONEY_ZERO;
    for (uint32_t k = 0; err == 0 && k < t->bill.collect_n; k++)
        err = billed_collect(t, k, share, &found);
    if (err == 0)
        err = story_bill_play(&t->bill, NULL);
    x = err == 0 ? billed_of(&t->bill, share->transfer, &at) : NULL;
    share->waits.v += x != NULL ? x->left : 0;
    share->other.v += had - found - (x != NULL ? x->left : 0);
    return err;
}

/* What a refund seems to have taken may have come out of another day (story_bucket.c), or before the channel
 * gave back what it did not pay. */
static bool share_again(const struct trail *t, const struct rows *shares,
                        const struct api_StoryShare *share)
{
    const struct api_StoryShare *s = (const struct api_StoryShare *)(const void *)shares->p;
    int gives = 0;

    for (uint32_t i = 0; i < shares->n; i++)
        gives += s[i].party == share->party && s[i].pending.v > 0;
    return share->returned.v > 0 && (gives > 1 || t->sent_back);
}

static int share_rest(struct trail *t, const struct rows *shares, struct api_StoryShare *share)
{
    struct story_account debt;
    int64_t settled = 0;
    bool again, bill;
    int err;

    share->waits = MONEY(share->pending.v > 0 ? share_waits(share) : 0);
    bill = share->pending.v > 0 && share->due_ms < 0;
    again = share->pending.v > 0 && share->due_ms > 0 && share_again(t, shares, share);
    if (share->waits.v <= 0 && share->owed.v >= 0 && !again && !bill)
        return 0;
    err = story_purse(t->r, share->party, t->s->currency, &t->purse);
    if (err != 0)
        return err;
    if (bill)
        return share_billed(t, share);
    if (share->waits.v > 0 || again)
        return share_trail(t, shares, share);
    debt = (struct story_account){t->purse.debt, 0, share->party};
    err = story_settled(t->r, &debt, t->purse.debt_last, share->transfer, &settled);
    share->settled = MONEY(settled);
    share->rule = STORY_OWED;
    return err;
}

int story_shares(struct request *r, const struct api_MoneyStory *s, int64_t party,
                 struct rows *shares)
{
    struct trail t = {.r = r, .s = s};
    struct api_StoryShare *row;
    int err = 0;

    for (uint32_t i = 0; err == 0 && i < s->transfers_n; i++)
        err = transfer_shares(r, &s->transfers[i], party, shares);
    if (err != 0)
        return err;
    share_due(s, shares);
    err = shares_sent(r, s, party, shares, &t.sent_back);
    share_returned(shares);
    row = (struct api_StoryShare *)(void *)shares->p;
    for (uint32_t i = 0; err == 0 && i < shares->n; i++) {
        err = share_names(r, &row[i]);
        if (err == 0)
            err = share_rest(&t, shares, &row[i]);
    }
    if (err == 0)
        err = shares_came_back(r, s, shares);
    return err;
}
