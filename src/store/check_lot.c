// SPDX-License-Identifier: Apache-2.0
/* check_lot.c: `even check`, the fee of the lots that paid an order. The journal is walked in its order: what
 * came into a wallet and at which rate, what went out; first in, first out, with the exceptions that
 * core/lotfee.h names. So it is known again what each order took, what a channel charges for it, and
 * what is left of each driver's lots; the rows must say the same (lots), and the clauses of the contracts
 * must not have taken more (channel).
 *
 * Shares no code with the core: a queue is a chain of slices here. Memory: the slices of wallets and orders
 * that any rate is in, and a number for each transfer that brought a rate. */
#include "store/check.h"

#include <inttypes.h>
#include "base/compiler.h"
#include "base/err.h"
#include "core/types.h"

enum { SLICES = 16, BP = 10000, DUE_DEN = 10000000 };

/* Slices [0, n), oldest first. */
struct pile {
    int64_t owner; /* driver or order */
    int64_t fee;   /* of an order: what its captures came to, each rounded */
    int32_t n;
    bool seen; /* its row says something of it */
    int64_t amount[SLICES], bp[SLICES];
};

static struct pile *pile_of(const struct buf *b, const struct map *by, int64_t key)
{
    uint64_t at;
    return map_get(by, (uint64_t)key, &at) ? (struct pile *)(void *)b->p + at : NULL;
}

static struct pile *pile_make(struct buf *b, struct map *by, int64_t key)
{
    const struct pile fresh = {.owner = key};
    struct pile *had = pile_of(b, by, key);
    uint64_t at = b->n / sizeof fresh;
    if (had)
        return had;
    buf_put(b, &fresh, sizeof fresh);
    return b->err || map_put(by, (uint64_t)key, at) ? NULL : pile_of(b, by, key);
}

/* Drops what is empty and joins what is alike. */
static void settle(struct pile *p)
{
    int32_t to = 0;
    for (int32_t i = 0; i < p->n; i++) {
        bool join = to > 0 && p->bp[to - 1] == p->bp[i];
        if (p->amount[i] == 0)
            continue;
        if (join) {
            p->amount[to - 1] = check_add(p->amount[to - 1], p->amount[i]);
            continue;
        }
        p->amount[to] = p->amount[i];
        p->bp[to++] = p->bp[i];
    }
    p->n = to;
}

static void put_at(struct pile *p, bool front, int64_t amount, int64_t bp)
{
    int32_t at = front ? 0 : p->n - 1;
    if (amount <= 0)
        return;
    if (p->n == SLICES) { /* no room: the neighbour takes it in, at the lower rate */
        p->amount[at] = check_add(p->amount[at], amount);
        p->bp[at] = bp < p->bp[at] ? bp : p->bp[at];
    } else {
        for (int32_t i = p->n; front && i > 0; i--) {
            p->amount[i] = p->amount[i - 1];
            p->bp[i] = p->bp[i - 1];
        }
        at = front ? 0 : p->n;
        p->n++;
        p->amount[at] = amount;
        p->bp[at] = bp;
    }
    settle(p);
}

static int64_t slice_cut(struct pile *p, int32_t i, int64_t want, struct pile *to)
{
    int64_t cut = p->amount[i] < want ? p->amount[i] : want;
    p->amount[i] -= cut;
    if (to)
        put_at(to, false, cut, p->bp[i]);
    return cut;
}

/* bp < 0: oldest first; else the newest of that rate, then the newest; BP + 1: just the newest. */
static void draw(struct pile *p, int64_t want, int64_t bp, struct pile *to)
{
    for (int32_t i = 0; bp < 0 && i < p->n && want > 0; i++)
        want -= slice_cut(p, i, want, to);
    for (int32_t i = p->n - 1; bp >= 0 && i >= 0 && want > 0; i--)
        if (p->bp[i] == bp)
            want -= slice_cut(p, i, want, to);
    for (int32_t i = p->n - 1; bp >= 0 && i >= 0 && want > 0; i--)
        want -= slice_cut(p, i, want, to);
    settle(p);
}

static int64_t fee_of(const struct pile *p)
{
    ev_i128 sum = 0;
    for (int32_t i = 0; i < p->n; i++)
        sum += (ev_i128)p->amount[i] * p->bp[i];
    return (int64_t)((2 * sum + BP) / (2 * BP));
}

/* ---- before the journal ---- */

static int rate_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    return map_put(&c->lots.rates, (uint64_t)v[0].i, (uint64_t)v[1].i);
}

static int single_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    return map_put(&c->lots.singles, (uint64_t)v[0].i, (uint64_t)v[1].i);
}

int check_lot_begin(struct check *c)
{
    struct check_lots *l = &c->lots;
    buf_init(&l->wallets, SIZE_MAX);
    buf_init(&l->orders, SIZE_MAX);
    struct map *maps[] = {&l->rates, &l->singles, &l->wallet_ids, &l->order_ids};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_init(maps[i], 100000000, 0xc4ed0 + i);
    int rc = store_query(c->r, QUERY_CHECK_LOT_RATES, NULL, 0, rate_take, c);
    return rc ? rc : store_query(c->r, QUERY_CHECK_LOT_SINGLES, NULL, 0, single_take, c);
}

void check_lot_free(struct check *c)
{
    struct check_lots *l = &c->lots;
    struct map *maps[] = {&l->rates, &l->singles, &l->wallet_ids, &l->order_ids};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_free(maps[i]);
    buf_free(&l->wallets);
    buf_free(&l->orders);
}

/* ---- along it ---- */

/* An order takes principal: from the front, or of its single payment. */
static int pay(struct check *c, struct pile *wallet, int64_t order, int64_t amount)
{
    uint64_t bp;
    struct pile now = {0}, *o = pile_make(&c->lots.orders, &c->lots.order_ids, order);
    if (!o)
        return ERR_TOO_LARGE;
    bool single = map_get(&c->lots.singles, (uint64_t)order, &bp);
    draw(wallet, amount, single ? (int64_t)bp : -1, &now);
    o->fee = check_add(o->fee, fee_of(&now));
    for (int32_t i = 0; i < now.n; i++)
        put_at(o, false, now.amount[i], now.bp[i]);
    if (o->n && !o->bp[0]) {
        o->amount[0] = 0; /* costs nothing, and comes back as what no slice is left of */
        settle(o);
    }
    return 0;
}

/* It gives back: what it took last comes to the front first. */
static void pay_back(struct check *c, struct pile *wallet, int64_t order, int64_t amount)
{
    struct pile *o = pile_of(&c->lots.orders, &c->lots.order_ids, order);
    while (o && o->n && amount > 0) {
        int64_t bp = o->bp[o->n - 1], cut = slice_cut(o, o->n - 1, amount, NULL);
        put_at(wallet, true, cut, bp);
        amount -= cut;
        settle(o);
    }
    put_at(wallet, true, amount, 0);
}

int check_lot_leg(struct check *c, const struct check_account *a, const struct sql_value *v,
                  int64_t amount)
{
    int64_t code = v[2].i, order = v[8].i;
    uint64_t bp = 0;
    bool rated = map_get(&c->lots.rates, (uint64_t)v[0].i, &bp);
    struct pile *p = pile_of(&c->lots.wallets, &c->lots.wallet_ids, a->owner);
    bool back = amount > 0 && order && code != TRANSFER_DISCHARGE &&
                pile_of(&c->lots.orders, &c->lots.order_ids, order);
    if (!p && !rated && !back)
        return 0; /* nothing with a rate was ever here */
    if (!p) {
        p = pile_make(&c->lots.wallets, &c->lots.wallet_ids, a->owner);
        if (!p)
            return ERR_TOO_LARGE;
        put_at(p, false, check_sub(check_sub(a->in, a->out), amount), 0); /* what it had before */
    }
    if (amount > 0 && order && code != TRANSFER_DISCHARGE)
        pay_back(c, p, order, amount);
    else if (amount > 0)
        put_at(p, false, amount, (int64_t)bp);
    else if (order && code != TRANSFER_CORRECTION)
        return pay(c, p, order, check_sub(0, amount));
    else /* of a rate: what goes back to its source, and what a discharge takes back */
        draw(p, check_sub(0, amount), order || code == TRANSFER_WITHDRAWAL ? (int64_t)bp : BP + 1,
             NULL);
    return 0;
}

/* ---- after it ---- */

static bool rated(const struct pile *p)
{
    for (int32_t i = 0; i < p->n; i++)
        if (p->bp[i])
            return true;
    return false;
}

static void text_of(const struct pile *p, struct buf *out)
{
    buf_reset(out);
    for (int32_t i = 0; i < p->n; i++)
        buf_printf(out, "%" PRId64 ":%" PRId64 ";", p->amount[i], p->bp[i]);
}

static int order_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    struct pile *p = pile_of(&c->lots.orders, &c->lots.order_ids, v[0].i);
    struct buf is;
    (void)n;
    buf_init(&is, 4000);
    if (p)
        text_of(p, &is);
    if (!str_eq(v[1].s, buf_str(&is)))
        check_bad(c, "lots", v[0].i, "of its principal by rate the journal says %.*s", (int)is.n,
                  is.p ? is.p : "");
    check_equal(c, "lots", v[0].i, "fee of what paid it", v[2].i, p ? p->fee : 0);
    if (p)
        p->seen = true;
    buf_free(&is);
    return 0;
}

static int driver_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    struct pile *p = pile_of(&c->lots.wallets, &c->lots.wallet_ids, v[0].i);
    struct buf is;
    (void)n;
    buf_init(&is, 4000);
    if (p && rated(p)) {
        text_of(p, &is);
        p->seen = true;
    }
    if (!str_eq(v[1].s, buf_str(&is)))
        check_bad(c, "lots", v[0].i, "the journal leaves %.*s", (int)is.n, is.p ? is.p : "");
    buf_free(&is);
    return 0;
}

static int clause_take(void *ctx, const struct sql_value *v, size_t n)
{
    ev_i128 fee = (ev_i128)v[1].i * DUE_DEN;
    (void)n;
    if (v[2].i > fee || (v[3].i && v[2].i != fee))
        check_bad(ctx, "channel", v[0].i,
                  "its clause was due %" PRId64 "e-7, its lots cost %" PRId64, v[2].i, v[1].i);
    return 0;
}

int check_lot_end(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_LOT_ORDERS, NULL, 0, order_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_LOT_DRIVERS, NULL, 0, driver_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_LOT_CLAUSES, NULL, 0, clause_take, c);
    const struct buf *all[] = {&c->lots.wallets, &c->lots.orders};
    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        const struct pile *p = (const struct pile *)(void *)all[k]->p;
        for (size_t i = 0; rc == 0 && i < all[k]->n / sizeof *p; i++)
            if (!p[i].seen && (rated(&p[i]) || p[i].fee))
                check_bad(c, "lots", p[i].owner, "its row says nothing of them");
    }
    return rc;
}
