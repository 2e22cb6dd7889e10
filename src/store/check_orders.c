// SPDX-License-Identifier: Apache-2.0
/* check_orders.c: `even check`, orders: each is held against its fee lines, split parts, transfers,
 * holds and sessions.
 *
 *   order     electricity + service + occupancy = total = paid + loss; nothing negative; states that
 *             fit together
 *   lines     fee lines sum to the order, kind by kind; each is its energy times its price, rounded
 *             once to the fen; those of a discharge are of their own kind and sum to its total
 *   parts     split parts sum to what was paid; each transfer's legs to parties are its parts, party
 *             by party
 *   paid      what the transfers took from wallet, company and debt accounts is what the order says
 *             was paid and not refunded
 *   gift      what of that is gift money
 *   discharge its driver got what the order says was paid, out of the account of bought energy, which
 *             no other order touches; no party shares in it (check_discharge.c has the rest)
 *   session   sessions of an order that is over are ended
 *   orphan    lines, parts and sessions have their order, accounts both of their rows
 *
 * Memory: the parts and legs of one order at a time, two sums a party. */
#include "store/check.h"

#include "base/err.h"

enum { TALLY_CAP = 1 << 20, SIDES = 5 };

/* A walk beside that over the orders, in their order. */
struct side {
    struct query_walk w;
    bool more; /* a row is at hand */
};

/* What one order's transfers and parts come to per transfer and party: legs of the party minus its
 * parts. (A refund takes a part from where the party has it: pending, available, or as its debt.) */
struct tally {
    int64_t transfer, party, amount;
};

struct order_check {
    struct check *c;
    const struct sql_value *v; /* the order's row */
    int64_t id, lines, parts;  /* rows counted */
    int64_t by_kind[4], part_sum, taken, captured, first_transfer;
    int64_t gift, of_hold; /* gift money left in it; captured of its hold's legs */
    int64_t unshared;      /* gift money that went back to marketing */
    int64_t grid;          /* put into the account of bought energy, negative */
    struct buf tally;
    struct side *side; /* SIDES of them */
};

enum {
    O_ID,
    O_TENANT,
    O_STATE,
    O_HOLD,
    O_ENERGY,
    O_ELEC,
    O_SERVICE,
    O_OCCUPANCY,
    O_TOTAL,
    O_PAID,
    O_LOSS,
    O_TRANSFER,
    O_SETTLED_MS,
    O_LINES,
    O_PARTS,
    O_KIND,
    O_REFUNDED,
    O_CONTRACT,
    O_GIFT,
    O_COMPANY
};

static void tally_add(struct order_check *o, int64_t transfer, int64_t party, int64_t amount)
{
    struct tally *t = (struct tally *)(void *)o->tally.p;
    for (size_t i = 0; i < o->tally.n / sizeof *t; i++)
        if (t[i].transfer == transfer && t[i].party == party) {
            t[i].amount = check_add(t[i].amount, amount);
            return;
        }
    const struct tally fresh = {transfer, party, amount};
    buf_put(&o->tally, &fresh, sizeof fresh);
}

/* ---- fee lines ---- */

/* mWh × 1/100,000 yuan per kWh, in 1/10,000 yuan, half up to whole fen. */
static int64_t line_amount(int64_t energy_mwh, int64_t price_e5)
{
    ev_i128 product = (ev_i128)energy_mwh * price_e5, fen = 1000000000;
    ev_i128 rounded = (product + fen / 2) / fen;
    return (int64_t)(rounded * 100);
}

static int line_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct order_check *o = ctx;
    int kind = v[1].i == FEE_ELECTRICITY ? 0
               : v[1].i == FEE_SERVICE   ? 1
               : v[1].i == FEE_DISCHARGE ? 3
                                         : 2;
    (void)n;
    o->lines++;
    if (kind == 2 && v[1].i != FEE_OCCUPANCY)
        check_bad(o->c, "lines", o->id, "line %lld is of no kind", (long long)v[0].i);
    o->by_kind[kind] = check_add(o->by_kind[kind], v[4].i);
    /* Occupancy is priced by time; a correction is priced at nothing and carries a difference. */
    if (kind != 2 && v[3].i > 0 && v[2].i >= 0)
        check_equal(o->c, "lines", o->id, "amount of a line", v[4].i, line_amount(v[2].i, v[3].i));
    return 0;
}

static bool discharged(const struct order_check *o)
{
    return o->v[O_KIND].i == ORDER_DISCHARGE;
}

static void lines_check(struct order_check *o)
{
    static const char *const names[] = {"electricity", "service", "occupancy"};
    check_equal(o->c, "lines", o->id, "number of fee lines", o->v[O_LINES].i, o->lines);
    for (int i = 0; i < 3; i++)
        check_equal(o->c, "lines", o->id, names[i], o->v[O_ELEC + i].i, o->by_kind[i]);
    check_equal(o->c, "lines", o->id, "discharge", discharged(o) ? o->v[O_TOTAL].i : 0,
                o->by_kind[3]);
}

/* ---- parts and transfers ---- */

static int part_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct order_check *o = ctx;
    (void)n;
    o->parts++;
    o->part_sum = check_add(o->part_sum, v[8].i);
    if (v[9].i != o->v[O_TENANT].i)
        check_bad(o->c, "parts", o->id, "part %lld is of another tenant", (long long)v[0].i);
    if (v[6].i < 0 || v[7].i < 1 || v[7].i < v[6].i) /* a tier may have a ratio of 0 */
        check_bad(o->c, "parts", o->id, "part %lld has ratio %lld of %lld", (long long)v[0].i,
                  (long long)v[6].i, (long long)v[7].i);
    const struct check_account *a = check_account(o->c, v[2].i);
    if (!a || a->owner != v[3].i)
        check_bad(o->c, "parts", o->id, "part %lld names account %lld, not of its party",
                  (long long)v[0].i, (long long)v[2].i);
    tally_add(o, v[1].i, v[3].i, check_sub(0, v[8].i));
    if (o->tally.err)
        return o->tally.err;
    const struct check_part part = {.party = v[3].i,
                                    .fee_kind = v[4].i,
                                    .base = v[5].i,
                                    .ratio = v[6].i,
                                    .ratio_sum = v[7].i,
                                    .amount = v[8].i,
                                    .clause = v[10].i,
                                    .passed = v[11].i,
                                    .due = v[12].i};
    return check_split_part(o->c, o->v[O_CONTRACT].i, &part);
}

static void leg_sort(struct order_check *o, int64_t transfer, const struct check_leg *leg)
{
    const struct check_account *a = check_account(o->c, leg->account);
    if (leg->party)
        tally_add(o, transfer, leg->party, leg->amount);
    if (!a)
        return; /* named by rule transfer */
    if (leg->party && a->owner != leg->party)
        check_bad(o->c, "parts", o->id, "account %lld is not of party %lld",
                  (long long)leg->account, (long long)leg->party);
    bool wallet =
        a->kind == ACCOUNT_WALLET || a->kind == ACCOUNT_WALLET_BONUS || a->kind == ACCOUNT_COMPANY;
    if (a->kind == ACCOUNT_COMPANY && a->owner != o->v[O_COMPANY].i)
        check_bad(o->c, "paid", o->id, "company %lld paid, not its own", (long long)a->owner);
    if (wallet || a->kind == ACCOUNT_DEBT)
        o->taken = check_sub(o->taken, leg->amount);
    if (a->kind == ACCOUNT_WALLET_BONUS)
        o->gift = check_sub(o->gift, leg->amount);
    if (a->kind == ACCOUNT_MARKETING)
        o->unshared = check_add(o->unshared, leg->amount);
    if (a->kind == ACCOUNT_GRID)
        o->grid = check_add(o->grid, leg->amount);
    if (wallet && transfer == o->v[O_TRANSFER].i)
        o->captured = check_sub(o->captured, leg->amount);
}

static int transfer_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct order_check *o = ctx;
    struct cursor legs = {(const uint8_t *)v[3].s.p, (const uint8_t *)v[3].s.p + v[3].s.n};
    struct check_leg leg;
    (void)n;
    if (!o->first_transfer)
        o->first_transfer = v[0].i;
    if (v[1].i != o->v[O_TENANT].i)
        check_bad(o->c, "paid", o->id, "transfer %lld is of another tenant", (long long)v[0].i);
    while (v[2].i != TRANSFER_SHARE_RETURN && check_leg_next(&legs, &leg) == 1)
        leg_sort(o, v[0].i, &leg); /* that one divides nothing: check_purse.c */
    return o->tally.err;
}

static void parts_check(struct order_check *o)
{
    const struct tally *t = (const struct tally *)(void *)o->tally.p;
    check_equal(o->c, "parts", o->id, "number of parts", o->v[O_PARTS].i, o->parts);
    int64_t left = check_sub(o->v[O_PAID].i, o->v[O_REFUNDED].i);
    check_equal(o->c, "parts", o->id, "sum of the parts", check_add(o->part_sum, o->unshared),
                discharged(o) ? 0 : left);
    if (o->unshared)
        check_equal(o->c, "gift", o->id, "gift money nobody shares in", o->unshared, o->gift);
    for (size_t i = 0; i < o->tally.n / sizeof *t; i++)
        if (t[i].amount)
            check_bad(o->c, "parts", o->id,
                      "transfer %lld moved %lld more to party %lld than its parts say",
                      (long long)t[i].transfer, (long long)t[i].amount, (long long)t[i].party);
    check_equal(o->c, "paid", o->id, "taken from the payer", o->taken,
                discharged(o) ? check_sub(0, left) : left);
    check_equal(o->c, "discharge", o->id, "of the account of bought energy", o->grid,
                discharged(o) ? check_sub(0, left) : 0);
    check_equal(o->c, "gift", o->id, "gift money in it", o->v[O_GIFT].i, o->gift);
    /* Nothing captured at first, but a doubtful rest billed later: then the transfer is the rest's.
     */
    if (o->of_hold)
        check_equal(o->c, "paid", o->id, "captured of the hold", o->of_hold, o->captured);
    check_equal(o->c, "paid", o->id, "transfer of the order", o->v[O_TRANSFER].i,
                o->first_transfer);
}

/* ---- holds, sessions, state ---- */

static int hold_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct order_check *o = ctx;
    (void)n;
    if (v[0].i != o->v[O_HOLD].i && v[3].i != o->v[O_HOLD].i)
        check_bad(o->c, "order", o->id, "hold %lld is not the order's", (long long)v[0].i);
    if (v[1].i == HOLD_RESOLVED)
        o->of_hold = check_add(o->of_hold, v[2].i);
    int64_t state = o->v[O_STATE].i;
    if (v[1].i == HOLD_RESOLVED && state < ORDER_ENDED)
        check_bad(o->c, "order", o->id, "hold %lld is resolved, but the order runs",
                  (long long)v[0].i);
    return 0;
}

static int session_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct order_check *o = ctx;
    int64_t state = o->v[O_STATE].i;
    (void)n;
    if (v[1].i != o->v[O_TENANT].i)
        check_bad(o->c, "session", o->id, "session %lld is of another tenant", (long long)v[0].i);
    if (state > ORDER_ENDED && v[2].i != SESSION_ENDED)
        check_bad(o->c, "session", o->id, "session %lld is open, but the order is over",
                  (long long)v[0].i);
    return 0;
}

static void state_check(struct order_check *o)
{
    const struct sql_value *v = o->v;
    int64_t state = v[O_STATE].i;
    int64_t sum = check_add(check_add(v[O_ELEC].i, v[O_SERVICE].i), v[O_OCCUPANCY].i);
    bool billed = state == ORDER_SETTLED || state == ORDER_DOUBTFUL;
    check_equal(o->c, "order", o->id, "total", discharged(o) ? 0 : v[O_TOTAL].i, sum);
    if (discharged(o) && v[O_REFUNDED].i)
        check_bad(o->c, "discharge", o->id, "refunded %lld", (long long)v[O_REFUNDED].i);
    if (state < ORDER_CREATED || state > ORDER_DOUBTFUL)
        check_bad(o->c, "order", o->id, "unknown state %lld", (long long)state);
    if (v[O_REFUNDED].i < 0 || v[O_REFUNDED].i > v[O_PAID].i)
        check_bad(o->c, "order", o->id, "refunded %lld of %lld", (long long)v[O_REFUNDED].i,
                  (long long)v[O_PAID].i);
    /* What a closed account was paid for a discharge stays paid, though it turned out to be less. */
    if (v[O_ENERGY].i < 0 || v[O_TOTAL].i < 0 || v[O_PAID].i < 0 ||
        (v[O_LOSS].i < 0 && !discharged(o)))
        check_bad(o->c, "order", o->id, "energy %lld, total %lld, paid %lld, loss %lld",
                  (long long)v[O_ENERGY].i, (long long)v[O_TOTAL].i, (long long)v[O_PAID].i,
                  (long long)v[O_LOSS].i);
    if (billed) {
        check_equal(o->c, "order", o->id, "paid and loss", check_add(v[O_PAID].i, v[O_LOSS].i),
                    v[O_TOTAL].i);
        if (!v[O_SETTLED_MS].i)
            check_bad(o->c, "order", o->id, "settled at no time");
    } else if (o->first_transfer || o->lines || o->parts || v[O_PAID].i) {
        check_bad(o->c, "order", o->id, "money moved in state %lld", (long long)state);
    }
}

/* Every part, for its party: that of no order too, which names its transfer as the order: of a month's
 * end, with the kind of its clause, or out of suspense. */
static int part_count(struct check *c, const struct sql_value *v)
{
    int rc = check_map_add(&c->shared->got, v[4].i, v[9].i);
    if (rc == 0)
        rc = check_shares_part(c, v[0].i, v[4].i, v[14].i);
    return rc || v[0].i != v[2].i || !v[11].i ? rc
                                              : check_map_add(&c->shared->months, v[4].i, v[9].i);
}

static const struct {
    enum query q;
    query_row_fn *fn;                                       /* of the order at hand */
    int (*any)(struct check *c, const struct sql_value *v); /* of each row; or NULL */
} parts_of[SIDES] = {{QUERY_CHECK_FEE_LINES, line_take, NULL},
                     {QUERY_CHECK_SPLIT_PARTS, part_take, part_count},
                     {QUERY_CHECK_ORDER_TRANSFERS, transfer_take, NULL},
                     {QUERY_CHECK_ORDER_HOLDS, hold_take, NULL},
                     {QUERY_CHECK_ORDER_SESSIONS, session_take, NULL}};

/* The rows up to those of the order at hand, if there is one; what belongs to none is told by rule
 * orphan. */
static int side_take(struct order_check *o, int i)
{
    struct side *s = &o->side[i];
    int rc = 0;
    while (s->more && s->w.v[0].i <= o->id && rc >= 0) {
        rc = parts_of[i].any ? parts_of[i].any(o->c, s->w.v) : 0;
        /* The walk's columns but the order. */
        if (rc == 0 && o->v && s->w.v[0].i == o->id)
            rc = parts_of[i].fn(o, s->w.v + 1, 0);
        if (rc == 0)
            rc = query_walk_next(&s->w);
        s->more = rc == 1;
    }
    return rc < 0 ? rc : 0;
}

static int order_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct order_check *o = ctx;
    int64_t state = v[O_STATE].i;
    int rc = 0;
    (void)n;
    o->c->orders++;
    *o = (struct order_check){
        .c = o->c, .v = v, .id = v[O_ID].i, .tally = o->tally, .side = o->side};
    buf_reset(&o->tally);
    for (int i = 0; i < SIDES && rc == 0; i++)
        rc = side_take(o, i);
    if (rc)
        return rc;
    state_check(o);
    if (state == ORDER_SETTLED || state == ORDER_DOUBTFUL) {
        lines_check(o);
        parts_check(o);
    }
    return 0;
}

static int orphan_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "orphan", v[1].i, "%.*s without what it belongs to", STR_FMT(v[0].s));
    return 0;
}

int check_orders(struct check *c)
{
    struct side side[SIDES] = {0};
    struct order_check o = {.c = c, .side = side};
    int rc = 0;
    buf_init(&o.tally, TALLY_CAP);
    for (int i = 0; i < SIDES && rc >= 0; i++) {
        query_walk_begin(&side[i].w, c->r, parts_of[i].q, NULL, 0);
        rc = query_walk_next(&side[i].w);
        side[i].more = rc == 1;
    }
    if (rc >= 0)
        rc = store_query(c->r, QUERY_CHECK_ORDERS, NULL, 0, order_take, &o);
    o.v = NULL;
    o.id = INT64_MAX;
    for (int i = 0; i < SIDES && rc == 0; i++)
        rc = side_take(&o, i);
    for (int i = 0; i < SIDES; i++)
        query_walk_end(&side[i].w);
    buf_free(&o.tally);
    return rc ? rc : store_query(c->r, QUERY_CHECK_ORPHANS, NULL, 0, orphan_take, c);
}
