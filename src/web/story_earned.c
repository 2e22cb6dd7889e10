// SPDX-License-Identifier: Apache-2.0
/* story_earned.c: what a discharge paid its driver, and where that went since.
 *
 * Each payment is a lot of the wallet (core/discharge.h). The wallet is walked back to the first of them and played
 * from there, lot by lot: what it held before is one, all that came in since is one each. What leaves takes the
 * oldest (story.h), but what is bound to a payment leaves its own lot, and only what that has not takes the
 * oldest. Bound is what stands in a row: principal that goes back by its payment, the order of a single payment, and
 * the correction of a discharge, which takes back what the discharge had paid. What is of a single payment is kept
 * for its order: one that is paid out of the wallet meanwhile takes other money. So this is the rule
 * by which an order names its lots (story_lots.c), the other way round.
 *
 * What a correction finds spent it takes of other money, and where there is none the driver owes it.
 *
 * Invariants: 1. the places of a lot are the lot; 2. a lot that the walk did not come to is not known as a whole,
 * and its row says so. Owns nothing. The request's thread. */
#include "web/story.h"

#include "base/err.h"
#include "core/types.h"

enum { MOVES_MAX = 5000, USES_MAX = 100, PAYOUTS_MAX = 50 };

/* ---- the wallet ---- */

struct lot {
    int64_t transfer;          /* that brought it; 0: what the wallet held before the walk */
    int64_t left, kept;        /* … of that: of single payments, for their orders */
    struct api_StoryEarned *e; /* of the discharge, or NULL */
};
struct wallet {
    struct request *r;
    const struct api_MoneyStory *s;
    struct rows *earned;
    int64_t first;           /* the oldest payment of the discharge */
    struct story_move *move; /* newest first */
    struct lot *lot;         /* oldest first */
    uint32_t n, lots;
};

static int wallet_take(void *ctx, const struct story_move *m)
{
    struct wallet *w = ctx;

    if (w->n == MOVES_MAX)
        return 1;
    w->move[w->n++] = *m;
    return m->transfer <= w->first ? 1 : 0;
}

static int wallet_read(struct wallet *w, int64_t account)
{
    const struct story_account a = {account, w->s->order.driver, 0};
    int64_t last = 0;
    bool all;
    int err;

    w->move = ARENA_ARRAY(&w->r->arena, MOVES_MAX, struct story_move);
    if (w->move == NULL)
        return ERR_TOO_LARGE;
    err = story_last(w->r, account, &last);
    return err != 0 ? err : story_walk(w->r, &a, last, wallet_take, w, &all);
}

/* It came back to the lot that it had left. */
static bool returns(const struct story_move *m)
{
    return m->amount > 0 && m->payment == 0 && m->brought != 0;
}

static struct api_StoryEarned *earned_of(const struct wallet *w, int64_t transfer)
{
    struct api_StoryEarned *e = (struct api_StoryEarned *)(void *)w->earned->p;

    for (uint32_t i = 0; i < w->earned->n; i++)
        if (e[i].transfer == transfer)
            return &e[i];
    return NULL;
}

/* NULL: nothing of that came into the wallet. */
static struct lot *lot_of(const struct wallet *w, int64_t transfer)
{
    uint32_t from = 0, to = w->lots;

    if (transfer == 0)
        return NULL;
    if (transfer < w->move[w->n - 1].transfer)
        return w->lot;
    while (to - from > 1) {
        uint32_t at = from + (to - from) / 2;

        if (w->lot[at].transfer <= transfer)
            from = at;
        else
            to = at;
    }
    return w->lot[from].transfer == transfer ? &w->lot[from] : NULL;
}

/* What of a single payment is its order's, or goes back with it. */
static int64_t single_gone(const struct story_move *m)
{
    return m->amount < 0 && m->single != 0 && !story_came_back(m->payout_state) ? -m->amount : 0;
}

static void keep(struct wallet *w, int64_t brought, int64_t n)
{
    struct lot *l = lot_of(w, brought);

    if (l != NULL)
        l->kept += n;
}

static int open_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    keep(ctx, v[0].i, v[1].i);
    return 0;
}

/* All lots of the walk, with what is kept of them; nothing came in yet but what was there before. */
static int lots_make(struct wallet *w)
{
    const struct story_move *move = w->move;
    const struct bind key = BIND_I64("driver", w->s->order.driver);

    w->lot = ARENA_ARRAY(&w->r->arena, w->n + 1, struct lot);
    if (w->lot == NULL)
        return ERR_TOO_LARGE;
    w->lot[w->lots++].left = move[w->n - 1].balance - move[w->n - 1].amount;
    for (uint32_t i = w->n; i > 0; i--)
        if (move[i - 1].amount > 0 && !returns(&move[i - 1]))
            w->lot[w->lots++] = (struct lot){.transfer = move[i - 1].transfer,
                                             .e = earned_of(w, move[i - 1].transfer)};
    for (uint32_t i = 0; i < w->n; i++)
        keep(w, move[i].brought, single_gone(&move[i]));
    return req_query(w->r, QUERY_STORY_SINGLE_OPEN, &key, 1, open_take, w);
}

/* ---- what takes of a lot ---- */

static int use_put(struct wallet *w, struct api_StoryEarned *e, const struct story_move *m,
                   int64_t took)
{
    if (e->uses == NULL)
        e->uses = ARENA_ARRAY(&w->r->arena, USES_MAX, struct api_StoryUse);
    if (e->uses == NULL)
        return ERR_TOO_LARGE;
    if (e->uses_n < USES_MAX) /* the sums stay whole */
        e->uses[e->uses_n++] = (struct api_StoryUse){.transfer = m->transfer,
                                                     .code = m->code,
                                                     .order_id = m->order,
                                                     .at_ms = m->posted_ms,
                                                     .amount = MONEY(took)};
    return 0;
}

/* Negative: it came back. */
static int payout_put(struct wallet *w, struct api_StoryEarned *e, int64_t payout, int64_t took)
{
    uint32_t i = 0;

    e->withdrawn.v += took;
    if (e->payouts == NULL)
        e->payouts = ARENA_ARRAY(&w->r->arena, PAYOUTS_MAX, struct api_StoryPayout);
    if (e->payouts == NULL)
        return ERR_TOO_LARGE;
    while (i < e->payouts_n && e->payouts[i].payout != payout)
        i++;
    if (i == PAYOUTS_MAX)
        return 0; /* the sums stay whole */
    if (i == e->payouts_n)
        e->payouts[e->payouts_n++] = (struct api_StoryPayout){.payout = payout};
    e->payouts[i].taken.v += took;
    return 0;
}

static int took_put(struct wallet *w, struct api_StoryEarned *e, const struct story_move *m,
                    int64_t took)
{
    struct api_StoryEarned *correction = earned_of(w, m->transfer);

    if (m->payout != 0)
        return payout_put(w, e, m->payout, took);
    if (correction != NULL) {
        e->back.v += took;
        correction->own.v += took;
    } else if (m->order != 0) {
        e->spent.v += took;
    } else {
        e->other.v += took;
    }
    return use_put(w, e, m, took);
}

/* As much of it as is there, but `but`. */
static int lot_draw(struct wallet *w, struct lot *l, int64_t but, const struct story_move *m,
                    int64_t *want)
{
    int64_t has = l->left - but, took = has < *want ? has : *want;

    if (took <= 0)
        return 0;
    l->left -= took;
    *want -= took;
    return l->e != NULL ? took_put(w, l->e, m, took) : 0;
}

static int move_left(struct wallet *w, const struct story_move *m)
{
    struct lot *own = lot_of(w, m->brought);
    int64_t want = -m->amount;
    int err = 0;

    keep(w, m->brought, -single_gone(m));
    if (own != NULL)
        err = lot_draw(w, own, m->code == TRANSFER_CORRECTION ? own->kept : 0, m, &want);
    for (uint32_t i = 0; err == 0 && want > 0 && i < w->lots; i++)
        err = lot_draw(w, &w->lot[i], w->lot[i].kept, m, &want);
    for (uint32_t i = 0; err == 0 && want > 0 && i < w->lots; i++)
        err = lot_draw(w, &w->lot[i], 0, m, &want);
    return err;
}

static int move_came(struct wallet *w, const struct story_move *m)
{
    struct lot *l = lot_of(w, returns(m) ? m->brought : m->transfer);

    if (l == NULL)
        return ERR_CORRUPT; /* a payout out of nothing */
    l->left += m->amount;
    if (l->e == NULL)
        return 0;
    if (returns(m))
        return payout_put(w, l->e, m->payout, -m->amount);
    l->e->payment = m->payment;
    return 0;
}

/* Payouts that came back took nothing. */
static int payouts_fill(struct request *r, struct api_StoryEarned *e)
{
    uint32_t n = 0;
    int err = 0;

    for (uint32_t i = 0; err == 0 && i < e->payouts_n; i++) {
        struct money took = e->payouts[i].taken;
        int64_t payout = e->payouts[i].payout;

        if (took.v == 0)
            continue;
        err = story_payout(r, payout, &e->payouts[n]);
        e->payouts[n++].taken = took;
    }
    e->payouts_n = n;
    return err;
}

static int wallet_play(struct wallet *w)
{
    int err = lots_make(w);

    for (uint32_t i = w->n; err == 0 && i > 0; i--)
        err = w->move[i - 1].amount > 0 ? move_came(w, &w->move[i - 1])
                                        : move_left(w, &w->move[i - 1]);
    for (uint32_t i = 0; err == 0 && i < w->lots; i++) {
        struct api_StoryEarned *e = w->lot[i].e;

        if (e == NULL)
            continue;
        e->there = MONEY(w->lot[i].left);
        e->rule = STORY_FIFO;
        err = payouts_fill(w->r, e);
    }
    return err;
}

/* ---- its payments and corrections ---- */

static int debt_settled(struct wallet *w, const struct api_Leg *leg, struct api_StoryEarned *e)
{
    const struct story_account a = {leg->account, w->s->order.driver, 0};
    int64_t last = 0, settled = 0;
    int err = story_last(w->r, leg->account, &last);

    if (err == 0)
        err = story_settled(w->r, &a, last, e->transfer, &settled);
    e->settled = MONEY(settled);
    return err;
}

static int transfer_read(struct wallet *w, const struct api_TransferRow *t, int64_t *account)
{
    struct api_StoryEarned *e = rows_add(w->r, w->earned);
    int err = 0;

    if (e == NULL)
        return ERR_TOO_LARGE;
    *e = (struct api_StoryEarned){.transfer = t->id, .code = t->code, .at_ms = t->posted_ms};
    for (uint32_t k = 0; err == 0 && k < t->legs_n; k++) {
        const struct api_Leg *leg = &t->legs[k];

        if (leg->kind == ACCOUNT_WALLET) {
            e->wallet = leg->amount;
            *account = leg->account;
        } else if (leg->kind == ACCOUNT_DEBT) {
            e->debt = leg->amount;
            err = leg->amount.v < 0 ? debt_settled(w, leg, e) : 0;
        } else if (leg->kind == ACCOUNT_GRID) {
            e->amount = MONEY(-leg->amount.v);
        }
    }
    if (w->first == 0 && e->wallet.v > 0)
        w->first = t->id;
    return err;
}

/* What was not followed is not known, nor whether a correction took of it. */
static void unknown_told(struct rows *earned)
{
    struct api_StoryEarned *e = (struct api_StoryEarned *)(void *)earned->p;
    bool far = false;

    for (uint32_t i = 0; i < earned->n; i++) {
        if (e[i].wallet.v > 0 && e[i].rule == 0) {
            e[i].rule = STORY_TOO_FAR;
            e[i].unknown = e[i].wallet;
            far = true;
        }
        if (e[i].wallet.v < 0)
            e[i].rule = far ? STORY_TOO_FAR : STORY_FIFO;
    }
}

int story_earned(struct request *r, const struct api_MoneyStory *s, struct rows *earned)
{
    struct wallet w = {.r = r, .s = s, .earned = earned};
    int64_t account = 0;
    int err = 0;

    for (uint32_t i = 0; err == 0 && i < s->transfers_n; i++)
        err = transfer_read(&w, &s->transfers[i], &account);
    if (err == 0 && w.first != 0)
        err = wallet_read(&w, account);
    if (err == 0 && w.n > 0)
        err = wallet_play(&w);
    unknown_told(earned);
    return err;
}
