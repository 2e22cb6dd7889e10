// SPDX-License-Identifier: Apache-2.0
/* story_lots.c: which payments, gifts and debts paid an order: story.h has the rule.
 *
 * An account that held B before it gave A away held, first in first out, the newest B of all that
 * ever came in; A is the oldest of that. So the walk goes back until what came in covers B, and
 * nothing before it matters. What is bound to a payment (its refund to the source, a single order) is
 * taken off that payment on the way and not shared out.
 *
 * Owns nothing. The request's thread. */
#include "web/story.h"

#include "base/err.h"
#include "core/types.h"
#include "web/chinaday.h"
#include "web/legs.h"

enum { WALK_MAX = 5000 };

/* ---- one account backwards ---- */

struct walk {
    const struct story_account *account;
    struct story_move move;
};

static int move_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct walk *w = ctx;
    struct cursor c = {(const uint8_t *)v[8].s.p, (const uint8_t *)v[8].s.p + v[8].s.n};
    struct leg leg;

    (void)n;
    w->move.code = v[0].i;
    w->move.order = v[1].i;
    w->move.effective_ms = v[2].i;
    w->move.posted_ms = v[3].i;
    w->move.payment = v[4].i;
    w->move.payout = v[5].i;
    w->move.payout_state = v[6].i;
    w->move.bound = v[7].i;
    w->move.payout_kind = v[9].i;
    w->move.payout_amount = v[10].i;
    w->move.payout_order = v[11].i;
    w->move.whole = v[12].i;
    w->move.payout_due = v[13].i;
    w->move.bill = v[14].i;
    w->move.brought = v[15].i;
    w->move.single = v[16].i;
    while (leg_next(&c, &leg) == 0)
        if (leg.account == w->account->id) {
            w->move.amount = leg.amount;
            w->move.balance = leg.balance;
            w->move.prev = leg.prev;
            return 0;
        }
    return ERR_CORRUPT;
}

int story_walk(struct request *r, const struct story_account *a, int64_t from, story_move_fn *fn,
               void *ctx, bool *all)
{
    struct walk w = {.account = a};

    for (int i = 0; from != 0; i++) {
        const struct bind keys[] = {BIND_I64("id", from), BIND_I64("driver", a->driver),
                                    BIND_I64("of_party", a->party)};
        int err;

        *all = i < WALK_MAX;
        if (!*all)
            return 0;
        w.move = (struct story_move){.transfer = from};
        err = req_query(r, QUERY_STORY_MOVE, keys, ARRAY_LEN(keys), move_take, &w);
        if (err != 0)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        if (w.move.prev >= from)
            return ERR_CORRUPT;
        err = fn(ctx, &w.move);
        if (err != 0)
            return err == 1 ? 0 : err;
        from = w.move.prev;
    }
    *all = true;
    return 0;
}

struct settled {
    int64_t transfer, since, owed, balance;
    bool met;
};

static int settled_take(void *ctx, const struct story_move *m)
{
    struct settled *s = ctx;

    if (m->transfer == s->transfer) {
        s->owed = -m->amount;
        s->balance = m->balance;
        s->met = true;
        return 1;
    }
    s->since += m->amount > 0 ? m->amount : 0;
    return 0;
}

static int64_t between(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

int story_settled(struct request *r, const struct story_account *a, int64_t last, int64_t transfer,
                  int64_t *out)
{
    struct settled s = {.transfer = transfer};
    bool all = true;
    int err = story_walk(r, a, last, settled_take, &s, &all);

    *out = s.met ? between(s.since - (-s.balance - s.owed), 0, s.owed) : 0;
    return err;
}

/* ---- at the channel ---- */

int story_channel(struct request *r, int64_t channel, int64_t at_ms, int64_t row,
                  struct api_StoryChannel *out)
{
    int64_t day = at_ms > 0 ? chinaday_of_ms(at_ms) : 0;
    const struct bind keys[] = {BIND_I64("channel", channel), BIND_I64("day", day),
                                BIND_I64("row", row)};
    int err = 0;

    *out = (struct api_StoryChannel){.day = day};
    if (channel != 0)
        err = req_one(r, QUERY_STORY_CHANNEL, keys, ARRAY_LEN(keys), &api_StoryChannel_type, out);
    if (channel == 0 || err != 0)
        return err == ERR_NOT_FOUND ? 0 : err;
    if (out->kind == CHANNEL_BANK || day == 0)
        out->recon = RECON_NONE;
    else if (out->diff != 0)
        out->recon = out->recon == DIFF_RESOLVED ? RECON_RESOLVED : RECON_DIFFERS;
    else
        out->recon = out->bill != 0 || out->close != 0 ? RECON_MATCHED : RECON_NO_BILL;
    out->day = day;
    return 0;
}

int story_payout(struct request *r, int64_t id, struct api_StoryPayout *out)
{
    const struct bind key = BIND_I64("id", id);
    struct rows rows = {.type = &api_StoryPayout_type};
    int err = req_rows(r, QUERY_STORY_PAYOUT, &key, 1, &rows);

    if (err == 0 && rows.n == 0)
        err = ERR_CORRUPT;
    if (err != 0)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    *out = *(const struct api_StoryPayout *)(void *)rows.p;
    return story_channel(r, rows.next[0], out->done_ms, id, &out->channel);
}

/* ---- what a leg was made of ---- */

/* Principal that is bound to a payment: what left it on its own account since. */
struct bound {
    int64_t payment, gone;
};
struct lots {
    struct request *r;
    struct rows rows; /* what came in, newest first; used = what of it may have been there */
    struct bound gone[256];
    uint32_t gone_n;
    int64_t need, come; /* balance before the leg, and how much of it is found */
    bool own;           /* the first move is the capture itself */
};

static struct bound *bound_find(struct lots *l, int64_t payment)
{
    for (uint32_t i = 0; i < l->gone_n; i++)
        if (l->gone[i].payment == payment)
            return &l->gone[i];
    return NULL;
}

/* Out: gone from its payment; in: back with it. */
static int bound_note(struct lots *l, const struct story_move *m)
{
    struct bound *b = bound_find(l, m->bound);

    if (b == NULL && l->gone_n == ARRAY_LEN(l->gone))
        return ERR_TOO_LARGE;
    if (b == NULL) {
        b = &l->gone[l->gone_n++];
        *b = (struct bound){.payment = m->bound};
    }
    b->gone -= m->amount;
    return 0;
}

static int lot_note(struct lots *l, const struct story_move *m)
{
    const struct bound *b = m->payment != 0 ? bound_find(l, m->payment) : NULL;
    int64_t gone = b != NULL && b->gone > 0 ? b->gone : 0;
    struct api_StoryLot *lot = rows_add(l->r, &l->rows);

    if (lot == NULL)
        return ERR_TOO_LARGE;
    *lot = (struct api_StoryLot){.rule = STORY_FIFO,
                                 .code = m->code,
                                 .transfer = m->transfer,
                                 .order_id = m->order,
                                 .payment = m->payment,
                                 .at_ms = m->posted_ms,
                                 .amount = MONEY(m->amount),
                                 .used = MONEY(gone < m->amount ? m->amount - gone : 0)};
    l->come += lot->used.v;
    return l->come >= l->need ? 1 : 0;
}

static int lot_take(void *ctx, const struct story_move *m)
{
    struct lots *l = ctx;

    if (l->own) {
        l->own = false;
        return l->need <= 0 ? 1 : 0;
    }
    if (m->payment == 0 && m->bound != 0)
        return bound_note(l, m);
    return m->amount > 0 ? lot_note(l, m) : 0;
}

/* Of what was found: what is older than the balance was spent before. */
static void lots_trim(struct lots *l)
{
    struct api_StoryLot *lot = (struct api_StoryLot *)(void *)l->rows.p;
    int64_t over = l->come - l->need;

    for (uint32_t i = l->rows.n; i > 0 && over > 0; i--) {
        int64_t cut = lot[i - 1].used.v < over ? lot[i - 1].used.v : over;

        lot[i - 1].used.v -= cut;
        over -= cut;
    }
}

static int lot_source(struct request *r, struct api_StoryLot *lot, bool *single)
{
    const struct bind key = BIND_I64("id", lot->payment);
    struct rows rows = {.type = &api_StoryLot_type};
    const struct api_StoryLot *p;
    int err = 0;

    *single = false;
    if (lot->payment != 0)
        err = req_rows(r, QUERY_STORY_PAYMENT, &key, 1, &rows);
    if (err != 0 || rows.n == 0)
        return err == ERR_NOT_FOUND ? 0 : err;
    p = (const struct api_StoryLot *)(void *)rows.p;
    lot->method = p->method;
    lot->provider_no = p->provider_no;
    lot->at_ms = p->at_ms;
    *single = rows.next[1] != 0;
    return story_channel(r, rows.next[0], p->at_ms, lot->payment, &lot->channel);
}

static struct api_StoryLot *lot_add(struct request *r, struct rows *out,
                                    const struct api_StoryLot *like)
{
    struct api_StoryLot *lot = rows_add(r, out);

    if (lot != NULL)
        *lot = *like;
    return lot;
}

/* `want` of the lots that were there, oldest first. */
static int lots_spend(struct lots *l, const struct api_StoryLot *like, int64_t want,
                      struct rows *out, int64_t *left)
{
    struct api_StoryLot *lot = (struct api_StoryLot *)(void *)l->rows.p;

    for (uint32_t i = l->rows.n; i > 0 && want > 0; i--) {
        bool single;
        int64_t take = lot[i - 1].used.v < want ? lot[i - 1].used.v : want;
        int err = take > 0 ? lot_source(l->r, &lot[i - 1], &single) : 0;

        if (err != 0)
            return err;
        if (take <= 0 || single)
            continue;
        lot[i - 1].capture = like->capture;
        lot[i - 1].account = like->account;
        lot[i - 1].used = MONEY(take);
        want -= take;
        if (lot_add(l->r, out, &lot[i - 1]) == NULL)
            return ERR_TOO_LARGE;
    }
    *left = want;
    return 0;
}

static int leg_fifo(struct request *r, const struct api_Leg *leg, int64_t driver,
                    const struct api_StoryLot *like, struct rows *out)
{
    const struct story_account a = {leg->account, driver, 0};
    struct lots *l = ARENA_NEW(&r->arena, struct lots);
    int64_t took = -leg->amount.v, before = leg->balance.v + took, want, far, left = 0;
    struct api_StoryLot rest = *like;
    bool all = true;
    int err;

    if (l == NULL)
        return ERR_TOO_LARGE;
    l->r = r;
    l->rows.type = &api_StoryLot_type;
    l->own = true;
    l->need = before;
    err = story_walk(r, &a, like->capture, lot_take, l, &all);
    lots_trim(l);
    want = before < took ? before : took;
    far = between(before - l->come, 0, want > 0 ? want : 0); /* older than what was found: first */
    if (err == 0)
        err = lots_spend(l, like, want - far, out, &left);
    if (err != 0)
        return err;
    rest.used = MONEY(before < took ? took - (before > 0 ? before : 0) : 0);
    rest.rule = STORY_BILL;
    if (rest.used.v > 0 && lot_add(r, out, &rest) == NULL)
        return ERR_TOO_LARGE;
    rest.used = MONEY(left + far);
    rest.rule = STORY_TOO_FAR;
    return rest.used.v > 0 && lot_add(r, out, &rest) == NULL ? ERR_TOO_LARGE : 0;
}

static int last_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(int64_t *)ctx = v[1].i;
    return 0;
}

int story_last(struct request *r, int64_t account, int64_t *last)
{
    const struct bind key = BIND_I64("id", account);

    *last = 0;
    return req_query(r, QUERY_WEB_ACCOUNT_LAST, &key, 1, last_take, last);
}

static int leg_owed(struct request *r, const struct api_Leg *leg, int64_t driver,
                    struct api_StoryLot *lot)
{
    const struct story_account a = {leg->account, driver, 0};
    int64_t last, settled = 0;
    int err = story_last(r, leg->account, &last);

    if (err == 0)
        err = story_settled(r, &a, last, lot->capture, &settled);
    lot->rule = STORY_OWED;
    lot->settled = MONEY(settled);
    return err;
}

static int leg_lots(struct request *r, const struct api_MoneyStory *s, const struct api_Leg *leg,
                    int64_t capture, struct rows *out)
{
    struct api_StoryLot like = {.capture = capture, .account = leg->kind};
    int64_t driver = leg->kind == ACCOUNT_COMPANY ? 0 : s->order.driver;
    struct api_StoryLot *lot;
    bool single;
    int err;

    like.used = MONEY(-leg->amount.v);
    if (leg->kind == ACCOUNT_DEBT) {
        err = leg_owed(r, leg, driver, &like);
    } else if (leg->kind == ACCOUNT_WALLET && s->payment != 0) {
        like.rule = STORY_EXACT;
        like.code = TRANSFER_TOPUP;
        like.payment = s->payment;
        err = lot_source(r, &like, &single);
    } else {
        return leg_fifo(r, leg, driver, &like, out);
    }
    lot = err == 0 ? lot_add(r, out, &like) : NULL;
    return err == 0 && lot == NULL ? ERR_TOO_LARGE : err;
}

int story_lots(struct request *r, const struct api_MoneyStory *s, struct rows *lots)
{
    for (uint32_t i = 0; i < s->transfers_n; i++)
        for (uint32_t k = 0; k < s->transfers[i].legs_n; k++) {
            const struct api_Leg *leg = &s->transfers[i].legs[k];
            bool pays = leg->kind == ACCOUNT_WALLET || leg->kind == ACCOUNT_WALLET_BONUS ||
                        leg->kind == ACCOUNT_DEBT || leg->kind == ACCOUNT_COMPANY;
            int err = pays && leg->amount.v < 0 ? leg_lots(r, s, leg, s->transfers[i].id, lots) : 0;

            if (err != 0)
                return err;
        }
    return 0;
}
