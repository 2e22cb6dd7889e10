// SPDX-License-Identifier: Apache-2.0
/* lotfee.c: see lotfee.h. A queue is a text of the driver's row, "amount:rate;" oldest first, read and
 * written whole: they are short. Without a driver in memory nothing is noted; whoever moves a wallet's money
 * has declared him (need.c). Fails: never. */
#include "core/lotfee.h"
#include "base/compiler.h"
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- queues ---- */

static bool number_take(const char **s, char end, int64_t most, int64_t *out)
{
    int64_t v = 0;
    const char *p = *s;
    for (; *p >= '0' && *p <= '9' && v <= most; p++)
        v = v * 10 + (*p - '0');
    if (p == *s || *p != end || v > most)
        return false;
    *s = p + 1;
    *out = v;
    return true;
}

void lots_read(const char *text, struct lots *q)
{
    int64_t amount, bp;
    q->n = 0;
    while (text && *text) {
        if (q->n == LOT_PARTS_MAX || !number_take(&text, ':', SPLIT_AMOUNT_MAX * 1000, &amount) ||
            !number_take(&text, ';', SPLIT_BP, &bp)) {
            q->n = 0;
            return;
        }
        q->part[q->n++] = (struct lot_part){amount, (int32_t)bp};
    }
}

void lots_write(const struct lots *q, char out[LOT_TEXT_SIZE])
{
    int at = 0;
    out[0] = 0;
    for (int32_t i = 0; i < q->n; i++)
        at += snprintf(out + at, (size_t)(LOT_TEXT_SIZE - at), "%" PRId64 ":%d;", q->part[i].amount,
                       (int)q->part[i].bp);
    must(at < LOT_TEXT_SIZE); /* 16 parts of 24 characters */
}

/* No part of nothing, no neighbours of one rate. */
static void tidy(struct lots *q)
{
    int32_t n = 0;
    for (int32_t i = 0; i < q->n; i++) {
        if (!q->part[i].amount)
            continue;
        if (n && q->part[n - 1].bp == q->part[i].bp)
            q->part[n - 1].amount += q->part[i].amount;
        else
            q->part[n++] = q->part[i];
    }
    q->n = n;
}

static void merge(struct lot_part *p, int64_t amount, int32_t bp)
{
    p->amount += amount;
    p->bp = p->bp < bp ? p->bp : bp;
}

void lots_add(struct lots *q, int64_t amount, int32_t bp)
{
    if (amount <= 0)
        return;
    if (q->n == LOT_PARTS_MAX)
        merge(&q->part[q->n - 1], amount, bp);
    else
        q->part[q->n++] = (struct lot_part){amount, bp};
    tidy(q);
}

void lots_first(struct lots *q, int64_t amount, int32_t bp)
{
    if (amount <= 0)
        return;
    if (q->n == LOT_PARTS_MAX) {
        merge(&q->part[0], amount, bp);
    } else {
        memmove(q->part + 1, q->part, (size_t)q->n++ * sizeof q->part[0]);
        q->part[0] = (struct lot_part){amount, bp};
    }
    tidy(q);
}

static int64_t part_take(struct lot_part *p, int64_t amount, struct lots *drawn)
{
    int64_t take = p->amount < amount ? p->amount : amount;
    p->amount -= take;
    if (drawn)
        lots_add(drawn, take, p->bp);
    return take;
}

void lots_take(struct lots *q, int64_t amount, struct lots *drawn)
{
    for (int32_t i = 0; i < q->n && amount > 0; i++)
        amount -= part_take(&q->part[i], amount, drawn);
    tidy(q);
}

void lots_newest(struct lots *q, int64_t amount, int32_t bp, struct lots *drawn)
{
    for (int32_t i = q->n; i-- > 0 && amount > 0;)
        if (q->part[i].bp == bp)
            amount -= part_take(&q->part[i], amount, drawn);
    for (int32_t i = q->n; i-- > 0 && amount > 0;)
        amount -= part_take(&q->part[i], amount, drawn);
    tidy(q);
}

int64_t lot_fee_round(const struct lots *drawn)
{
    ev_i128 fee = 0;
    for (int32_t i = 0; i < drawn->n; i++)
        fee += (ev_i128)drawn->part[i].amount * drawn->part[i].bp;
    return (int64_t)((fee + SPLIT_BP / 2) / SPLIT_BP);
}

/* ---- drivers ---- */

/* What the wallet holds, as the part of a queue that has none yet. */
static void queue_of(const struct core *c, const struct driver *d, struct lots *q)
{
    const struct tenant *t = tenant_find(c, d->row.tenant);
    const struct ledger_account *a =
        ledger_account_find(c->ledger, d->row.tenant, ACCOUNT_WALLET, d->row.id, t->row.currency);
    lots_read(d->row.lots, q);
    if (!q->n && a)
        lots_add(q, ledger_balance(a).v, 0);
}

static void queue_put(struct core *c, struct driver *d, const struct lots *q)
{
    char text[LOT_TEXT_SIZE] = "";
    bool rated = false;
    for (int32_t i = 0; i < q->n; i++)
        rated = rated || q->part[i].bp;
    if (rated)
        lots_write(q, text);
    if (obj_text(c, &d->o, &d->row.lots, text))
        obj_dirty(c, &d->o);
}

void lots_in(struct core *c, int64_t driver, int64_t amount, int32_t bp)
{
    struct driver *d = driver_find(c, driver);
    struct lots q;
    if (!d || (!bp && !d->row.lots[0]))
        return;
    queue_of(c, d, &q);
    lots_add(&q, amount, bp);
    queue_put(c, d, &q);
}

void lots_out(struct core *c, int64_t driver, int64_t amount, int32_t bp)
{
    struct driver *d = driver_find(c, driver);
    struct lots q;
    if (!d || !d->row.lots[0])
        return;
    lots_read(d->row.lots, &q);
    lots_newest(&q, amount, bp, NULL);
    queue_put(c, d, &q);
}

/* ---- orders ---- */

/* What stands before the first rate says nothing. */
static void order_put(struct core *c, struct order *o, struct lots *q)
{
    char text[LOT_TEXT_SIZE];
    if (q->n && !q->part[0].bp) {
        q->part[0].amount = 0;
        tidy(q);
    }
    lots_write(q, text);
    (void)obj_text(c, &o->o, &o->row.lots, text);
}

void lots_pay(struct core *c, struct order *o, int64_t amount)
{
    struct driver *d = driver_find(c, o->row.driver);
    struct lots q, drawn = {0}, all;
    o->lot_now = 0;
    if (!d || !d->row.lots[0] || amount <= 0)
        return;
    const struct payment *p =
        o->row.payer_kind == PAYER_SINGLE ? payment_find(c, o->row.payment) : NULL;
    lots_read(d->row.lots, &q);
    if (p)
        lots_newest(&q, amount, p->row.fee_bp, &drawn);
    else
        lots_take(&q, amount, &drawn);
    queue_put(c, d, &q);
    o->lot_now = lot_fee_round(&drawn);
    o->row.lot_fee += o->lot_now;
    lots_read(o->row.lots, &all);
    for (int32_t i = 0; i < drawn.n; i++)
        lots_add(&all, drawn.part[i].amount, drawn.part[i].bp);
    order_put(c, o, &all);
}

void lots_back(struct core *c, struct order *o, int64_t amount)
{
    struct driver *d = driver_find(c, o->row.driver);
    struct lots q, all;
    if (!d || (!d->row.lots[0] && (!o->row.lots || !o->row.lots[0])) || amount <= 0)
        return;
    queue_of(c, d, &q);
    lots_read(o->row.lots, &all);
    while (all.n && amount > 0) {
        struct lot_part *last = &all.part[all.n - 1];
        int64_t part = last->amount < amount ? last->amount : amount;
        lots_first(&q, part, last->bp);
        last->amount -= part;
        amount -= part;
        tidy(&all);
    }
    lots_first(&q, amount, 0);
    queue_put(c, d, &q);
    order_put(c, o, &all);
}
