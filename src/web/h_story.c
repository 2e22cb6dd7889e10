// SPDX-License-Identifier: Apache-2.0
/* h_story.c: the money story of an order in one call: what paid it (story_lots.c), hold, bill, split
 * by the contract's version, what became of each share (story_shares.c), bills, invoices and refunds,
 * and the sums that prove it. Of a discharge, which nobody shares in: what its driver was paid, and where
 * that went (story_earned.c). Partners and drivers have a part of it of their own type, so that there
 * is no member in which anybody else's money could stand.
 *
 * Invariants: 1. whose order it is stands in the query, so a foreign id is ERR_NOT_FOUND; 2. sums are
 * made of the rows of the answer, never of what they should be. Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/begin.h"
#include "web/legs.h"
#include "web/routes_gen.h"
#include "web/state.h"
#include "web/story.h"

enum { TRANSFERS_MAX = 50, PARTS_MAX = 400 };

/* ---- the rows ---- */

static int part_read(struct request *r, enum query q, const struct wire_type *t, void **items,
                     uint32_t *n, uint32_t max)
{
    struct rows rows = {.type = t, .max = max};
    int err = req_rows(r, q, NULL, 0, &rows);

    *items = rows.p;
    *n = rows.n;
    return err;
}

#define PART(s, q, type, member, max)                                                              \
    part_read(r, q, &api_##type##_type, (void **)&(s)->member, &(s)->member##_n, max)

/* Oldest first, whole or not at all: sums over a part of them would prove nothing. */
static int transfers_read(struct request *r, struct api_MoneyStory *s)
{
    struct bind keys[] = {BIND_I64("order", r->id), BIND_I64("code", -1),
                          BIND_I64("lim", TRANSFERS_MAX + 1), BIND_I64("after", INT64_MAX)};
    struct rows rows = {.type = &api_TransferRow_type, .max = TRANSFERS_MAX};
    int err = legs_transfers(r, QUERY_WEB_TRANSFERS_ORDER, keys, ARRAY_LEN(keys), &rows);

    if (err == 0 && rows.more)
        err = ERR_TOO_LARGE;
    s->transfers = (struct api_TransferRow *)(void *)rows.p;
    s->transfers_n = rows.n;
    for (uint32_t i = 0; i < rows.n / 2; i++) {
        struct api_TransferRow t = s->transfers[i];

        s->transfers[i] = s->transfers[rows.n - 1 - i];
        s->transfers[rows.n - 1 - i] = t;
    }
    return err;
}

static int lots_read(struct request *r, struct api_MoneyStory *s)
{
    struct rows rows = {.type = &api_StoryLot_type};
    int err = story_lots(r, s, &rows);

    s->lots = (struct api_StoryLot *)(void *)rows.p;
    s->lots_n = rows.n;
    return err;
}

static int shares_read(struct request *r, struct api_MoneyStory *s, int64_t party)
{
    struct rows rows = {.type = &api_StoryShare_type};
    int err = story_shares(r, s, party, &rows);

    s->shares = (struct api_StoryShare *)(void *)rows.p;
    s->shares_n = rows.n;
    return err;
}

static int earned_read(struct request *r, struct api_MoneyStory *s)
{
    struct rows rows = {.type = &api_StoryEarned_type};
    int err = story_earned(r, s, &rows);

    s->earned = (struct api_StoryEarned *)(void *)rows.p;
    s->earned_n = rows.n;
    return err;
}

/* What a transfer gave back to whoever paid. */
static int backs_read(struct request *r, struct api_MoneyStory *s)
{
    struct rows rows = {.type = &api_StoryBack_type};

    for (uint32_t i = 0; i < s->transfers_n; i++) {
        const struct api_TransferRow *t = &s->transfers[i];
        struct api_StoryBack b = {.transfer = t->id, .code = t->code, .at_ms = t->posted_ms}, *put;
        bool any = false;

        b.note = t->note;
        for (uint32_t k = 0; k < t->legs_n; k++) {
            const struct api_Leg *leg = &t->legs[k];
            struct money *to = leg->kind == ACCOUNT_WALLET         ? &b.wallet
                               : leg->kind == ACCOUNT_WALLET_BONUS ? &b.gift
                               : leg->kind == ACCOUNT_DEBT         ? &b.debt
                               : leg->kind == ACCOUNT_COMPANY      ? &b.company
                                                                   : NULL;
            if (to == NULL || leg->amount.v <= 0)
                continue;
            to->v += leg->amount.v;
            any = true;
        }
        put = any ? rows_add(r, &rows) : NULL;
        if (any && put == NULL)
            return ERR_TOO_LARGE;
        if (any)
            *put = b;
    }
    s->backs = (struct api_StoryBack *)(void *)rows.p;
    s->backs_n = rows.n;
    return 0;
}

struct ids {
    int64_t id[50];
    uint32_t n;
};

static int id_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct ids *ids = ctx;

    (void)n;
    if (ids->n < ARRAY_LEN(ids->id))
        ids->id[ids->n++] = v[0].i;
    return 0;
}

static int returns_read(struct request *r, struct api_MoneyStory *s)
{
    const struct bind keys[] = {BIND_I64("payment", s->payment),
                                BIND_I64("driver", s->order.driver)};
    struct rows rows = {.type = &api_StoryPayout_type};
    struct ids ids = {.n = 0};
    int err = req_query(r, QUERY_STORY_PAYOUTS_OF, keys, ARRAY_LEN(keys), id_take, &ids);

    for (uint32_t i = 0; err == 0 && i < ids.n; i++) {
        struct api_StoryPayout *p = rows_add(r, &rows);

        err = p == NULL ? ERR_TOO_LARGE : story_payout(r, ids.id[i], p);
        if (err == 0)
            p->taken = p->amount;
    }
    s->returns = (struct api_StoryPayout *)(void *)rows.p;
    s->returns_n = rows.n;
    return err;
}

/* ---- the sums ---- */

static void sum_legs(const struct api_MoneyStory *s, struct api_StorySum *m)
{
    for (uint32_t i = 0; i < s->transfers_n; i++)
        for (uint32_t k = 0; k < s->transfers[i].legs_n; k++) {
            const struct api_Leg *leg = &s->transfers[i].legs[k];

            if (s->transfers[i].code == TRANSFER_SHARE_RETURN)
                break; /* settles what a refund had taken before */
            if (leg->party != 0)
                m->parties.v += leg->amount.v;
            else if (leg->kind == ACCOUNT_MARKETING)
                m->marketing.v += leg->amount.v;
        }
    for (uint32_t i = 0; i < s->parts_n; i++)
        m->parts_off.v -= s->parts[i].amount.v;
    m->parts_off.v += m->parties.v;
    m->went = MONEY(m->parties.v + m->marketing.v);
}

static void sum_source(const struct api_MoneyStory *s, struct api_StorySum *m)
{
    for (uint32_t i = 0; i < s->lots_n; i++)
        m->lots.v += s->lots[i].used.v;
    for (uint32_t i = 0; i < s->backs_n; i++)
        m->back.v +=
            s->backs[i].wallet.v + s->backs[i].gift.v + s->backs[i].debt.v + s->backs[i].company.v;
    m->came = MONEY(m->lots.v - m->back.v);
    m->off = MONEY(m->came.v - m->went.v);
    for (uint32_t i = 0; i < s->lines_n; i++)
        m->billed.v += s->lines[i].amount.v;
    m->paid = s->order.paid;
    m->loss = s->order.loss;
    m->bill_off = MONEY(m->billed.v - m->paid.v - m->loss.v);
    for (uint32_t i = 0; i < s->holds_n; i++)
        if (s->holds[i].state != HOLD_OPEN)
            m->holds_off.v +=
                s->holds[i].amount.v - s->holds[i].captured.v - s->holds[i].released.v;
}

static void sum_shares(const struct api_MoneyStory *s, struct api_StorySum *m)
{
    for (uint32_t i = 0; i < s->shares_n; i++) {
        const struct api_StoryShare *x = &s->shares[i];

        m->income.v += x->income.v;
        m->waits.v += x->waits.v;
        m->free.v += x->free.v;
        m->withdrawn.v += x->withdrawn.v;
        m->debts.v += x->repaid.v + (x->owed.v < 0 ? 0 : x->settled.v);
        m->owed.v += x->owed.v;
        m->other.v += x->other.v + x->available.v;
    }
    m->shares_off = MONEY(m->parties.v - m->income.v - m->waits.v - m->free.v - m->withdrawn.v -
                          m->debts.v - m->owed.v - m->other.v);
}

static void sum_places(const struct api_StoryEarned *e, struct api_StoryEarnedSum *m)
{
    m->given.v += e->amount.v;
    m->debts.v += e->debt.v;
    m->there.v += e->there.v;
    m->spent.v += e->spent.v;
    m->withdrawn.v += e->withdrawn.v;
    m->back.v += e->back.v;
    m->other.v += e->other.v;
    m->unknown.v += e->unknown.v;
}

static void sum_earned(struct api_MoneyStory *s)
{
    struct api_StoryEarnedSum *m = &s->earned_sum;

    for (uint32_t i = 0; i < s->earned_n; i++) {
        const struct api_StoryEarned *e = &s->earned[i];

        if (e->amount.v >= 0) {
            sum_places(e, m);
            continue;
        }
        m->taken.v -= e->amount.v;
        m->others.v -= e->wallet.v + e->own.v;
        m->owed.v -= e->debt.v;
    }
    m->off = MONEY(m->given.v - m->debts.v - m->there.v - m->spent.v - m->withdrawn.v - m->back.v -
                   m->other.v - m->unknown.v);
    m->paid_off = MONEY(m->given.v - m->taken.v - s->order.paid.v);
    m->taken_off = MONEY(m->taken.v - m->back.v - m->others.v - m->owed.v);
}

static bool earned_even(const struct api_MoneyStory *s)
{
    const struct api_StoryEarnedSum *m = &s->earned_sum;
    bool paid = s->order.kind != ORDER_DISCHARGE || m->paid_off.v == 0;

    return paid && m->off.v == 0 && m->taken_off.v == 0;
}

static void sums(struct api_MoneyStory *s)
{
    struct api_StorySum *m = &s->sum;

    sum_legs(s, m);
    sum_source(s, m);
    sum_shares(s, m);
    m->even = m->off.v == 0 && m->bill_off.v == 0 && m->parts_off.v == 0 && m->shares_off.v == 0 &&
              m->holds_off.v == 0 && earned_even(s);
}

/* ---- staff ---- */

static int staff_rows(struct request *r, struct api_MoneyStory *s)
{
    struct bind links[] = {BIND_I64("to", s->order.linked), BIND_I64("driver", 0)};
    struct rows rows = {.type = &api_OrderRow_type, .max = 8};
    int err = PART(s, QUERY_WEB_ORDER_HOLDS, HoldRow, holds, 16);

    if (err == 0)
        err = PART(s, QUERY_WEB_ORDER_PARTS, SplitPart, parts, PARTS_MAX);
    if (err == 0)
        err = PART(s, QUERY_STORY_BILLS, StoryBill, bills, 4);
    if (err == 0)
        err = PART(s, QUERY_STORY_INVOICES, StoryInvoice, invoices, 20);
    if (err == 0)
        err = shares_read(r, s, 0);
    if (err == 0)
        err = req_rows(r, QUERY_WEB_ORDER_LINKS, links, ARRAY_LEN(links), &rows);
    s->links = (struct api_OrderRow *)(void *)rows.p;
    s->links_n = rows.n;
    return err;
}

/* What paid it, and came back of that; a discharge pays by itself. */
static int payer_read(struct request *r, struct api_MoneyStory *s)
{
    int err = lots_read(r, s);

    if (err == 0)
        err = backs_read(r, s);
    return err == 0 ? returns_read(r, s) : err;
}

/* The order and what paid it, for whoever may see that much. */
static struct api_MoneyStory *story_begin(struct request *r, int64_t driver, int *err)
{
    struct api_MoneyStory *s = ARENA_NEW(&r->arena, struct api_MoneyStory);
    const struct bind key = BIND_I64("driver", driver);

    *err = s == NULL ? ERR_TOO_LARGE : 0;
    if (*err == 0)
        *err = req_one(r, QUERY_STORY_ORDER, NULL, 0, &api_MoneyStory_type, s);
    if (*err == 0)
        *err = req_one(r, QUERY_WEB_ORDER, &key, 1, &api_OrderRow_type, &s->order);
    if (*err == 0)
        *err = PART(s, QUERY_WEB_ORDER_LINES, FeeLine, lines, 400);
    if (*err == 0)
        *err = transfers_read(r, s);
    if (*err == 0)
        *err = s->order.kind == ORDER_DISCHARGE ? earned_read(r, s) : payer_read(r, s);
    if (*err == 0)
        sum_earned(s);
    return s;
}

int orders_story(struct request *r)
{
    struct api_MoneyStory *s;
    int err;

    if (!auth_has(r, PERM_LEDGER_READ, "ledger.read"))
        return ERR_DENIED;
    s = story_begin(r, 0, &err);
    if (err == 0)
        err = staff_rows(r, s);
    if (err != 0)
        return err;
    sums(s);
    s->now_ms = os_now_ms();
    return req_json(r, &api_MoneyStory_type, s);
}

/* ---- the driver ---- */

/* How the house reconciles is for staff. */
static void channel_own(struct api_StoryChannel *c)
{
    c->bill = c->diff = c->close = c->recon = 0;
}

/* Of a company that pays he learns how much it paid: its money, and whose refunds are in it, is not
 * his. */
static void lots_own(struct api_MoneyStory *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->lots_n; i++) {
        struct api_StoryLot lot = s->lots[i], *last = n > 0 ? &s->lots[n - 1] : NULL;

        channel_own(&lot.channel);
        if (lot.account == ACCOUNT_COMPANY)
            lot = (struct api_StoryLot){.capture = lot.capture,
                                        .account = lot.account,
                                        .rule = lot.rule,
                                        .code = TRANSFER_COMPANY_IN,
                                        .used = lot.used};
        if (lot.account == ACCOUNT_COMPANY && last != NULL && last->capture == lot.capture &&
            last->rule == lot.rule)
            last->used.v += lot.used.v;
        else
            s->lots[n++] = lot;
    }
    s->lots_n = n;
}

static void earned_own(struct api_MoneyStory *s)
{
    for (uint32_t i = 0; i < s->earned_n; i++)
        for (uint32_t k = 0; k < s->earned[i].payouts_n; k++)
            channel_own(&s->earned[i].payouts[k].channel);
}

int me_order_story(struct request *r)
{
    int err;
    struct api_MoneyStory *s = story_begin(r, r->actor.id, &err);
    struct api_DriverStory out = {0};

    if (err != 0)
        return err;
    lots_own(s);
    earned_own(s);
    for (uint32_t i = 0; i < s->returns_n; i++)
        channel_own(&s->returns[i].channel);
    out.order_id = s->order.id;
    out.currency = s->currency;
    out.paid = s->order.paid;
    out.refunded = s->order.refunded;
    out.lines = s->lines;
    out.lines_n = s->lines_n;
    out.lots = s->lots;
    out.lots_n = s->lots_n;
    out.backs = s->backs;
    out.backs_n = s->backs_n;
    out.returns = s->returns;
    out.returns_n = s->returns_n;
    out.earned = s->earned;
    out.earned_n = s->earned_n;
    out.earned_sum = s->earned_sum;
    return req_json(r, &api_DriverStory_type, &out);
}

/* ---- the partner ---- */

static void parts_own(struct api_MoneyStory *s, int64_t party)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->parts_n; i++)
        if (s->parts[i].party == party)
            s->parts[n++] = s->parts[i];
    s->parts_n = n;
}

/* Nor what a company paid of its bill: of his shares he learns how much that set free. */
static void share_own(struct api_StoryShare *s)
{
    for (uint32_t k = 0; k < s->payouts_n; k++)
        channel_own(&s->payouts[k].channel);
    for (uint32_t k = 0; k < s->collected_n; k++)
        s->collected[k].paid = s->collected[k].lacked = MONEY_ZERO;
}

int partner_order_story(struct request *r)
{
    struct api_MoneyStory *s = ARENA_NEW(&r->arena, struct api_MoneyStory);
    struct api_PartnerStory out;
    int err = s == NULL ? ERR_TOO_LARGE : 0;

    if (err == 0)
        err = req_one(r, QUERY_STORY_PARTNER_ORDER, NULL, 0, &api_PartnerStory_type, &out);
    if (err == 0)
        err = transfers_read(r, s);
    if (err == 0)
        err = PART(s, QUERY_WEB_ORDER_PARTS, SplitPart, parts, PARTS_MAX);
    if (err != 0)
        return err;
    s->order.id = r->id;
    s->currency = out.currency;
    parts_own(s, r->actor.party);
    err = shares_read(r, s, r->actor.party);
    for (uint32_t i = 0; err == 0 && i < s->shares_n; i++)
        share_own(&s->shares[i]);
    if (err != 0)
        return err;
    out.parts = s->parts;
    out.parts_n = s->parts_n;
    out.shares = s->shares;
    out.shares_n = s->shares_n;
    return req_json(r, &api_PartnerStory_type, &out);
}
