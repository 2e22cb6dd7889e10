// SPDX-License-Identifier: Apache-2.0
/* test_taken.c: the two ways of the money story agree, by seed. A party's money is played here as the core
 * moves it (share.c, payout.c, sharing.c): shares of several orders and days, debts that they settle, refunds
 * of pending and of available money, of an order's own and beyond, withdrawals of a part, some of which come
 * back and settle debts then, shares that the channel pays, or gives back before or after their day, shares that
 * wait for bills of a company, which are collected in parts, before and after the day when all of them may be
 * had (company_bill.c). Then each
 * payout's rows, a few to a page, must add up to its amount; what they say of an order must be what the
 * order's story says of the payout; and the places of all shares must add up. */
#include "rig.h"

#include <stdio.h>
#include "base/hash.h"
#include "web/api_gen.h"
#include "web/story.h"

enum { SEEDS = 100, DAYS = 12, ORDERS = 60, GIVES = 90, PAYOUTS = 60, BUCKETS = 30 };
enum { BILLS = 4, BILL_DAYS = 3 };
enum { PEND, FREE, OWED, AWAY, PURSES };
#define DAY   INT64_C(86400000)
#define BEGIN (INT64_C(20600) * DAY)

struct give {
    int order;
    int64_t amount, left, due;
};
struct order {
    int64_t id, rest, transfer;
    int parts;
    bool shared, billed;
};
struct bill {
    int64_t id, to, lacks, freed; /* freed: for a day to come */
};
struct play {
    struct buf rows, legs;
    struct rng rng;
    int64_t id, now, party, balance[PURSES], last[PURSES], in[PURSES], out[PURSES], window;
    int64_t contract; /* what the next transfer names */
    struct bill bill[BILLS];
    int64_t at_once[GIVES]; /* transfers of collections */
    int at_once_n;
    struct order order[ORDERS];
    struct give give[GIVES];
    struct row_payout payout[PAYOUTS];
    int orders, gives, payouts, buckets;
    struct {
        int64_t due, amount;
    } bucket[BUCKETS];
};

static struct rig rig;

/* ---- the books ---- */

static int64_t account_id(const struct play *p, int which)
{
    return p->party + 1 + which;
}

static void put(struct play *p, enum row_table t, const void *row)
{
    row_pack(&p->rows, t, row_metas[t].kind == ROW_KIND_JOURNAL ? ROW_INSERT : ROW_UPSERT, row);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t debt_of(const struct play *p, int64_t most)
{
    return least(-p->balance[OWED], most);
}

/* Moves so much in each purse; the other side of it is of no account here. */
static int64_t post(struct play *p, int code, int64_t order, int64_t effective,
                    const int64_t move[PURSES])
{
    int64_t id = ++p->id, sum = 0;

    buf_reset(&p->legs);
    for (int i = 0; i < PURSES; i++) {
        if (move[i] == 0)
            continue;
        p->balance[i] += move[i];
        *(move[i] > 0 ? &p->in[i] : &p->out[i]) += move[i] > 0 ? move[i] : -move[i];
        sum += move[i] > 0 ? move[i] : 0;
        buf_put_varint(&p->legs, (uint64_t)account_id(p, i));
        buf_put_zigzag(&p->legs, move[i]);
        buf_put_zigzag(&p->legs, p->balance[i]);
        buf_put_varint(&p->legs, (uint64_t)p->last[i]);
        buf_put_varint(&p->legs, (uint64_t)p->party);
        p->last[i] = id;
    }
    put(p, ROW_TRANSFER,
        &(struct row_transfer){.id = id,
                               .tenant = T1,
                               .code = code,
                               .order_id = order,
                               .currency = "CNY",
                               .amount = sum,
                               .contract = p->contract,
                               .effective_ms = effective,
                               .posted_ms = p->now,
                               .legs = buf_str(&p->legs),
                               .note = ""});
    return id;
}

static int64_t *bucket(struct play *p, int64_t due)
{
    for (int i = 0; i < p->buckets; i++)
        if (p->bucket[i].due == due)
            return &p->bucket[i].amount;
    assert_true(p->buckets < BUCKETS);
    p->bucket[p->buckets].due = due;
    p->bucket[p->buckets].amount = 0;
    return &p->bucket[p->buckets++].amount;
}

static void part(struct play *p, struct order *o, int64_t transfer, int64_t amount, int64_t due)
{
    put(p, ROW_SPLIT_PART,
        &(struct row_split_part){.order_id = o->id,
                                 .seq = ++o->parts,
                                 .tenant = T1,
                                 .transfer = transfer,
                                 .party = p->party,
                                 .account = account_id(p, PEND),
                                 .fee_kind = 1 + o->parts % 2,
                                 .amount = amount,
                                 .at_ms = p->now,
                                 .due_ms = due,
                                 .station = STATION});
    put(p, ROW_PARTY_SHARE_NEW,
        &(struct row_party_share_new){
            .transfer = transfer, .party = p->party, .at_ms = p->now, .order_id = o->id});
}

/* ---- what happens ---- */

static void share(struct play *p, int order, int64_t amount)
{
    struct order *o = &p->order[order];
    int64_t repay = debt_of(p, amount), due, id;
    const int64_t move[PURSES] = {[PEND] = amount - repay, [OWED] = repay};

    p->now++; /* it lies behind the share before it */
    due = amount > repay ? (p->now / DAY + 1 + p->window) * DAY : 0;
    if (due != 0 && o->billed)
        due = -p->bill[(p->now - BEGIN) / DAY / BILL_DAYS].id;
    id = post(p, o->transfer ? TRANSFER_LATE : TRANSFER_CAPTURE, o->id, p->now, move);
    part(p, o, id, amount, due);
    o->transfer = o->transfer ? o->transfer : id;
    o->rest += amount;
    if (p->gives == GIVES)
        return;
    p->give[p->gives++] = (struct give){order, amount, amount - repay, due};
    if (due != 0)
        *bucket(p, due) += amount - repay;
}

static void order_new(struct play *p)
{
    if (p->orders == ORDERS || p->gives == GIVES)
        return;
    p->order[p->orders].id = ++p->id;
    p->order[p->orders].billed = rng_below(&p->rng, 2);
    share(p, p->orders++, rng_range(&p->rng, 1, 40));
}

static int64_t bucket_take(struct play *p, int64_t due, int64_t most)
{
    int64_t *in = bucket(p, due), n = least(most, *in);

    *in -= n;
    return n;
}

static struct bill *bill_of(struct play *p, int64_t id)
{
    struct bill *b = p->bill;

    while (b->id != id)
        b++;
    return b;
}

/* When its month may be given back no more. */
static int64_t bill_day(const struct play *p, const struct bill *b)
{
    return b->to + p->window * DAY;
}

/* As take_pending does: of the rows of this order, but out of whatever is in their buckets. */
static int64_t pending_take(struct play *p, int order, int64_t amount)
{
    int64_t taken = 0;

    for (int i = 0; i < p->gives && taken < amount; i++) {
        struct give *g = &p->give[i];
        int64_t got, most = least(amount - taken, g->amount);

        if (g->order != order || (g->due >= 0 && g->due <= p->now))
            continue;
        got = bucket_take(p, g->due, most);
        if (g->due < 0)
            got += bucket_take(p, bill_day(p, bill_of(p, -g->due)), most - got);
        taken += got;
        g->left -= least(g->left, got);
    }
    return taken;
}

static void refund(struct play *p, int order, int64_t amount)
{
    struct order *o = &p->order[order];
    int64_t move[PURSES] = {0}, id, pending, had;

    if (amount == 0)
        return;
    pending = pending_take(p, order, amount);
    had = least(p->balance[FREE], amount - pending);
    move[PEND] = -pending;
    move[FREE] = -had;
    move[OWED] = pending + had - amount;
    id =
        post(p, rng_below(&p->rng, 2) ? TRANSFER_REFUND : TRANSFER_CORRECTION, o->id, p->now, move);
    part(p, o, id, -amount, 0);
    o->rest -= amount;
}

static void midnight(struct play *p)
{
    for (int i = 0; i < p->buckets; i++) {
        int64_t amount = p->bucket[i].amount, repay;

        if (p->bucket[i].due < 0 || p->bucket[i].due > p->now || amount == 0)
            continue;
        repay = debt_of(p, amount);
        post(p, TRANSFER_MATURE, 0, p->bucket[i].due,
             (const int64_t[PURSES]){-amount, amount - repay, repay, 0});
        p->bucket[i].amount = 0;
    }
}

/* As shares_mature does, of one bill. */
static void collect(struct play *p, struct bill *b, int64_t paid)
{
    int64_t day = bill_day(p, b), waited = *bucket(p, -b->id), repay;
    struct row_bill_share row = {
        .tenant = T1, .bill = b->id, .party = p->party, .paid = paid, .lacked = b->lacks};

    row.amount = bucket_take(p, -b->id, paid == b->lacks ? waited : waited * paid / b->lacks);
    row.waited = waited;
    row.at_ms = p->now;
    b->lacks -= paid;
    if (row.amount == 0)
        return;
    p->contract = b->id;
    repay = debt_of(p, row.amount);
    if (day > p->now) {
        row.due_ms = day;
        row.id = ++p->id;
        *bucket(p, day) += row.amount;
        b->freed += row.amount;
    } else {
        assert_true(p->at_once_n < GIVES);
        row.id = post(p, TRANSFER_MATURE, 0, p->now,
                      (const int64_t[PURSES]){-row.amount, row.amount - repay, repay, 0});
        p->at_once[p->at_once_n++] = row.id;
    }
    p->contract = 0;
    put(p, ROW_BILL_SHARE, &row);
}

static void collect_some(struct play *p)
{
    struct bill *b = &p->bill[rng_below(&p->rng, BILLS)];

    if (b->lacks > 0 && b->to <= p->now)
        collect(p, b, rng_below(&p->rng, 4) ? rng_range(&p->rng, 1, b->lacks) : b->lacks);
}

static struct row_payout *payout(struct play *p, int kind, int64_t amount)
{
    struct row_payout *w = &p->payout[p->payouts++];

    *w = (struct row_payout){.id = ++p->id,
                             .tenant = T1,
                             .kind = kind,
                             .party = p->party,
                             .currency = "CNY",
                             .amount = amount,
                             .state = PAYOUT_SENT,
                             .provider_no = "",
                             .payee = "",
                             .payee_name = "",
                             .note = "",
                             .confirm = "",
                             .paper = "",
                             .created_ms = p->now,
                             .version = 1};
    return w;
}

static void withdraw(struct play *p, int64_t amount)
{
    if (amount == 0 || p->payouts == PAYOUTS)
        return;
    payout(p, PAYOUT_SHARE, amount)->transfer =
        post(p, TRANSFER_WITHDRAWAL, 0, p->now, (const int64_t[PURSES]){0, -amount, 0, amount});
}

/* The channel pays so much of what an order has pending in one bucket. */
static void channel_pays(struct play *p, struct give *g, int64_t amount)
{
    struct order *o = &p->order[g->order];
    struct row_payout *w = payout(p, PAYOUT_SHARED, amount);

    o->shared = true;
    g->left -= amount;
    *bucket(p, g->due) -= amount;
    w->order_id = o->id;
    w->due_ms = g->due;
    w->transfer =
        post(p, TRANSFER_SHARED, o->id, p->now, (const int64_t[PURSES]){-amount, 0, 0, amount});
}

static void channel_pays_some(struct play *p)
{
    struct give *g = p->gives > 0 ? &p->give[rng_below(&p->rng, (uint64_t)p->gives)] : NULL;
    int64_t most;

    if (g == NULL || p->order[g->order].shared || g->due <= p->now || p->payouts == PAYOUTS)
        return;
    most = least(g->left, *bucket(p, g->due));
    if (most > 0)
        channel_pays(p, g, rng_range(&p->rng, 1, most));
}

static void payout_over(struct play *p)
{
    struct row_payout *w =
        p->payouts > 0 ? &p->payout[rng_below(&p->rng, (uint64_t)p->payouts)] : NULL;
    bool back = rng_below(&p->rng, 2), pending;
    int64_t repay, rest;

    if (w == NULL || w->state != PAYOUT_SENT)
        return;
    w->state = back ? PAYOUT_FAILED : PAYOUT_SETTLED;
    w->done_ms = p->now;
    if (!back) {
        w->settled =
            post(p, TRANSFER_PAYOUT_DONE, 0, p->now, (const int64_t[PURSES]){[AWAY] = -w->amount});
        return;
    }
    repay = debt_of(p, w->amount);
    rest = w->amount - repay;
    pending = w->kind == PAYOUT_SHARED && w->due_ms > p->now;
    if (pending)
        *bucket(p, w->due_ms) += rest;
    w->settled =
        post(p, TRANSFER_PAYOUT_BACK, 0, p->now,
             (const int64_t[PURSES]){pending ? rest : 0, pending ? 0 : rest, repay, -w->amount});
}

static void act(struct play *p)
{
    int any = p->orders > 0 ? (int)rng_below(&p->rng, (uint64_t)p->orders) : -1;

    p->now += rng_range(&p->rng, 1, 60000);
    switch (rng_below(&p->rng, 12)) {
    case 0:
    case 1:
        if (any >= 0)
            refund(p, any, p->order[any].rest > 0 ? rng_range(&p->rng, 1, p->order[any].rest) : 0);
        break;
    case 2:
    case 3:
        withdraw(p, p->balance[FREE] > 0 ? rng_range(&p->rng, 1, p->balance[FREE]) : 0);
        break;
    case 4:
        channel_pays_some(p);
        break;
    case 5:
        payout_over(p);
        break;
    case 6:
        if (any >= 0 && p->order[any].rest > 0 && p->gives < GIVES)
            share(p, any, rng_range(&p->rng, 1, 40)); /* its true end */
        break;
    case 7:
    case 8:
        collect_some(p);
        break;
    default:
        order_new(p);
    }
}

static void ends_put(struct play *p)
{
    static const int kinds[PURSES] = {ACCOUNT_PENDING, ACCOUNT_AVAILABLE, ACCOUNT_PARTY_DEBT,
                                      ACCOUNT_TRANSIT};

    for (int i = 0; i < PURSES; i++)
        put(p, ROW_ACCOUNT,
            &(struct row_account){.id = account_id(p, i),
                                  .tenant = T1,
                                  .kind = kinds[i],
                                  .owner = p->party,
                                  .currency = "CNY",
                                  .posted_in = p->in[i],
                                  .posted_out = p->out[i],
                                  .last_transfer = p->last[i],
                                  .version = 1});
    for (int i = 0; i < p->orders; i++)
        put(p, ROW_ORDERS,
            &(struct row_orders){.id = p->order[i].id,
                                 .tenant = T1,
                                 .kind = ORDER_CHARGE,
                                 .station = STATION,
                                 .currency = "CNY",
                                 .seller = "",
                                 .state = ORDER_SETTLED,
                                 .transfer = p->order[i].transfer});
    for (int i = 0; i < p->payouts; i++)
        put(p, ROW_PAYOUT, &p->payout[i]);
    for (int i = 0; i < BILLS; i++) {
        const struct bill *b = &p->bill[i];

        put(p, ROW_COMPANY_BILL,
            &(struct row_company_bill){.id = b->id,
                                       .tenant = T1,
                                       .company = p->party,
                                       .month = 202601 + i,
                                       .from_ms = b->to - BILL_DAYS * DAY,
                                       .to_ms = b->to,
                                       .currency = "CNY",
                                       .state = COMPANY_BILL_ISSUED,
                                       .note = "",
                                       .version = 1});
    }
    for (int i = 0; i < p->buckets; i++)
        if (p->bucket[i].amount > 0)
            put(p, ROW_MATURING,
                &(struct row_maturing){.party = p->party,
                                       .due_ms = p->bucket[i].due,
                                       .tenant = T1,
                                       .currency = "CNY",
                                       .amount = p->bucket[i].amount});
    put(p, ROW_PARTY,
        &(struct row_party){
            .id = p->party, .tenant = T1, .kind = PARTY_PROPERTY, .name = "", .version = 1});
}

static void play_begin(struct play *p, uint64_t seed)
{
    *p = (struct play){.id = 1000000 * (int64_t)seed, .now = BEGIN, .window = (int64_t)seed % 3};
    p->party = ++p->id;
    p->id += PURSES;
    for (int i = 0; i < BILLS; i++)
        p->bill[i] =
            (struct bill){.id = ++p->id, .to = BEGIN + (i + 1) * BILL_DAYS * DAY, .lacks = 1000};
    p->rng.s = seed;
    buf_init(&p->rows, 1 << 24);
    buf_init(&p->legs, 4000);
}

static void play_end(struct play *p)
{
    ends_put(p);
    assert_int_equal(store_commit(rig.store, buf_str(&p->rows), STR_LIT("")), 0);
    buf_free(&p->rows);
    buf_free(&p->legs);
}

static void play(struct play *p, uint64_t seed)
{
    play_begin(p, seed);
    for (int day = 0; day < DAYS; day++) {
        p->now = BEGIN + day * DAY;
        midnight(p);
        for (int64_t n = rng_range(&p->rng, 0, 12); n > 0; n--)
            act(p);
    }
    play_end(p);
}

/* ---- what is told of it ---- */

static int64_t back[PAYOUTS][ORDERS], there[PAYOUTS][ORDERS];
static int64_t waits;    /* for bills, as the stories have it */
static int billed, days; /* rows of payouts whose shares a bill set free; with a day's */

static int order_of(const struct play *p, int64_t id)
{
    for (int i = 0; i < p->orders; i++)
        if (p->order[i].id == id)
            return i;
    return -1;
}

/* It matured with the shares of a day, in a transfer that names no bill. */
static bool day_of_bill(const struct play *p, int64_t bill, int64_t transfer)
{
    for (int i = 0; i < p->at_once_n; i++)
        if (p->at_once[i] == transfer)
            return false;
    for (int i = 0; i < BILLS; i++)
        if (p->bill[i].id == bill)
            return p->bill[i].freed > 0;
    return false;
}

/* Objects without objects in them, one after the other. */
static int64_t page_read(const struct play *p, int w, const char *body, struct arena *a)
{
    int64_t sum = 0;

    for (const char *at = strchr(body + 1, '{'); at != NULL; at = strchr(at + 1, '{')) {
        struct api_OrderShare s;
        struct str one = str_from(at, (size_t)(strchr(at, '}') + 1 - at));
        int order;

        assert_int_equal(wire_json_decode(&api_OrderShare_type, one, a, &s, WIRE_STRICT, NULL), 0);
        order = order_of(p, s.order_id);
        billed += s.bill != 0;
        days += s.bill != 0 && s.matured != 0 && day_of_bill(p, s.bill, s.matured);
        sum += s.amount.v;
        assert_true(s.amount.v > 0);
        assert_int_equal(s.rule == STORY_BILL, s.bill != 0);
        if (s.rule == STORY_TOO_FAR)
            fail_msg("payout %lld: %.*s", (long long)p->payout[w].id, (int)one.n, one.p);
        if (s.rule != STORY_CAME_BACK) {
            assert_true(order >= 0);
            back[w][order] += s.amount.v;
        }
    }
    return sum;
}

static void ask_payout(const struct play *p, int w, struct arena *a)
{
    char path[200], after[80] = "";
    int64_t sum = 0;

    do {
        const struct reply *r;
        const char *next;

        snprintf(path, sizeof(path), "/api/v1/payouts/%lld/orders?limit=3%s",
                 (long long)p->payout[w].id, after);
        r = rig_as(&rig, 0, "GET", path, NULL, NULL);
        if (r->status != 200)
            fail_msg("%s: %s", path, r->body);
        arena_reset(a);
        sum += page_read(p, w, r->body, a);
        next = strstr(r->body, "\"next\":\"") + 8;
        snprintf(after, sizeof(after), "%s%.*s", *next != '"' ? "&after=" : "",
                 (int)strcspn(next, "\""), next);
    } while (after[0] != 0);
    assert_int_equal(sum, p->payout[w].amount);
}

static void ask_order(const struct play *p, int o, struct arena *a)
{
    static struct api_MoneyStory s;
    char path[100];
    const struct reply *r;

    snprintf(path, sizeof(path), "/api/v1/orders/%lld/story", (long long)p->order[o].id);
    r = rig_as(&rig, 0, "GET", path, NULL, NULL);
    if (r->status != 200)
        fail_msg("%s: %s", path, r->body);
    arena_reset(a);
    assert_int_equal(
        wire_json_decode(&api_MoneyStory_type, str_from_c(r->body), a, &s, WIRE_STRICT, NULL), 0);
    assert_int_equal(s.sum.shares_off.v, 0);
    for (uint32_t i = 0; i < s.shares_n; i++)
        waits += s.shares[i].due_ms < 0 ? s.shares[i].waits.v : 0;
    for (uint32_t i = 0; i < s.shares_n; i++)
        for (uint32_t k = 0; k < s.shares[i].payouts_n; k++)
            for (int w = 0; w < p->payouts; w++)
                if (p->payout[w].id == s.shares[i].payouts[k].payout)
                    there[w][o] += s.shares[i].payouts[k].taken.v;
}

/* What waits for bills is what their buckets have, and what was set free for a day that is to come: of that a
 * day that has other shares as well says only that there is no more. */
static void waits_are_there(const struct play *p)
{
    int64_t bills = 0, open = 0;

    for (int i = 0; i < p->buckets; i++)
        bills += p->bucket[i].due < 0 ? p->bucket[i].amount : 0;
    for (int i = 0; i < BILLS; i++)
        open += bill_day(p, &p->bill[i]) > p->now ? p->bill[i].freed : 0;
    if (waits < bills || waits > bills + open)
        fail_msg("party %lld: %lld wait by the stories, %lld and at most %lld in the books",
                 (long long)p->party, (long long)waits, (long long)bills, (long long)open);
}

static void both_ways_agree(void **state)
{
    static struct play p;
    struct arena a;
    int64_t taken = 0, returned = 0;

    (void)state;
    arena_init(&a, 1 << 24);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(back, 0, sizeof(back));
        memset(there, 0, sizeof(there));
        play(&p, seed);
        waits = 0;
        for (int o = 0; o < p.orders; o++)
            ask_order(&p, o, &a);
        waits_are_there(&p);
        for (int w = 0; w < p.payouts; w++) {
            ask_payout(&p, w, &a);
            returned += p.payout[w].state == PAYOUT_FAILED;
            for (int o = 0; o < p.orders; o++) {
                taken += back[w][o] > 0;
                if (back[w][o] != there[w][o])
                    fail_msg("seed %d, payout %lld, order %lld: there %lld, back %lld", (int)seed,
                             (long long)p.payout[w].id, (long long)p.order[o].id,
                             (long long)there[w][o], (long long)back[w][o]);
            }
        }
    }
    assert_true(billed > SEEDS && days > SEEDS / 4);
    assert_true(taken > SEEDS && returned > SEEDS / 2); /* they were lives with something in them */
    arena_free(&a);
}

/* ---- which shares it is, where there is a choice ---- */

enum { A, B, C }; /* orders */

static void at_day(struct play *p, int day)
{
    p->now = BEGIN + day * DAY;
    midnight(p);
}

static void choose_begin(struct play *p, int n, int64_t window)
{
    play_begin(p, (uint64_t)(1000 + n));
    p->window = window;
    p->orders = 3;
    for (int i = 0; i < p->orders; i++)
        p->order[i].id = ++p->id;
}

/* Of each of the withdrawals: what is of A, B and C; by both ways. */
static void choose_is(struct play *p, int n, const int64_t of[][3])
{
    struct arena a;

    arena_init(&a, 1 << 24);
    play_end(p);
    memset(back, 0, sizeof(back));
    memset(there, 0, sizeof(there));
    for (int o = A; o <= C; o++)
        ask_order(p, o, &a);
    for (int w = p->payouts - n, i = 0; i < n; w++, i++) {
        ask_payout(p, w, &a);
        for (int o = A; o <= C; o++)
            if (back[w][o] != of[i][o] || there[w][o] != of[i][o])
                fail_msg("withdrawal %d of %lld, order %c: there %lld, back %lld, not %lld", i,
                         (long long)p->party, 'A' + o, (long long)there[w][o],
                         (long long)back[w][o], (long long)of[i][o]);
    }
    arena_free(&a);
}

struct told {
    int64_t returned, withdrawn;
};
/* What is told of the shares of A: taken back before it matured, and paid out. */
static void told_is(const struct play *p, struct told first, struct told second)
{
    static struct api_MoneyStory s;
    struct arena a;
    char path[100];
    const struct reply *r;

    arena_init(&a, 1 << 22);
    snprintf(path, sizeof(path), "/api/v1/orders/%lld/story", (long long)p->order[A].id);
    r = rig_as(&rig, 0, "GET", path, NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_int_equal(
        wire_json_decode(&api_MoneyStory_type, str_from_c(r->body), &a, &s, WIRE_STRICT, NULL), 0);
    assert_int_equal(s.shares[0].returned.v, first.returned);
    assert_int_equal(s.shares[0].withdrawn.v, first.withdrawn);
    assert_int_equal(s.shares[1].returned.v, second.returned);
    assert_int_equal(s.shares[1].withdrawn.v, second.withdrawn);
    arena_free(&a);
}

/* An order with shares of two days, each beside an older one of another. What the channel pays is of the day
 * that it says; a refund takes of the first that has not matured. Off another day it would be the older
 * order's money that seems to be gone. */
static void two_days(struct play *p, int n, int64_t window)
{
    choose_begin(p, n, window);
    share(p, B, 10);
    share(p, A, 10);
    at_day(p, 1);
    share(p, C, 10);
    share(p, A, 10);
}

static void right_day_is_taken(void **state)
{
    static struct play p;

    (void)state;
    two_days(&p, 1, 1); /* the channel pays of the second day, both pending */
    channel_pays(&p, &p.give[3], 6);
    at_day(&p, 2);
    at_day(&p, 3);
    withdraw(&p, 20);
    withdraw(&p, 14);
    choose_is(&p, 2, (const int64_t[][3]){{10, 10, 0}, {4, 0, 10}});
    told_is(&p, (struct told){0, 10}, (struct told){0, 10});
    two_days(&p, 2, 1); /* … of the first, after a refund of it */
    refund(&p, A, 3);
    channel_pays(&p, &p.give[1], 4);
    at_day(&p, 2);
    at_day(&p, 3);
    withdraw(&p, 13);
    withdraw(&p, 20);
    choose_is(&p, 2, (const int64_t[][3]){{3, 10, 0}, {10, 0, 10}});
    told_is(&p, (struct told){3, 7}, (struct told){0, 10});
    two_days(&p, 3, 0); /* a refund when the first has matured: of the second */
    refund(&p, A, 6);
    at_day(&p, 2);
    withdraw(&p, 20);
    withdraw(&p, 14);
    choose_is(&p, 2, (const int64_t[][3]){{10, 10, 0}, {4, 0, 10}});
    told_is(&p, (struct told){0, 10}, (struct told){6, 4});
    two_days(&p, 4, 1); /* and while both are pending: of the first, then of the second */
    refund(&p, A, 13);
    at_day(&p, 2);
    at_day(&p, 3);
    withdraw(&p, 10);
    withdraw(&p, 17);
    choose_is(&p, 2, (const int64_t[][3]){{0, 10, 0}, {7, 0, 10}});
    told_is(&p, (struct told){10, 0}, (struct told){3, 7});
}

/* ---- bills ---- */

static void billed_begin(struct play *p, int n, int64_t window)
{
    choose_begin(p, n, window);
    for (int o = A; o <= B; o++)
        p->order[o].billed = true;
    share(p, B, 10);
    share(p, A, 30);
    p->bill[0].lacks = 400;
}

static void bill_gives_parts(void **state)
{
    static struct play p;

    (void)state;
    billed_begin(&p, 11, 0); /* refunds before and after a part is collected */
    refund(&p, A, 10);
    at_day(&p, 3);
    collect(&p, &p.bill[0], 100); /* 7 of 30: 2 of 10, the rest of 20 */
    withdraw(&p, 7);
    refund(&p, B, 4);
    collect(&p, &p.bill[0], 300);
    withdraw(&p, 19);
    choose_is(&p, 2, (const int64_t[][3]){{5, 2, 0}, {15, 4, 0}});
    told_is(&p, (struct told){10, 20}, (struct told){0, 0});
    billed_begin(&p, 12, 0); /* more than its own: the oldest has less */
    at_day(&p, 3);
    collect(&p, &p.bill[0], 200);
    refund(&p, A, 18);
    collect(&p, &p.bill[0], 200);
    withdraw(&p, 20);
    withdraw(&p, 2);
    choose_is(&p, 2, (const int64_t[][3]){{15, 5, 0}, {0, 2, 0}});
    billed_begin(&p, 13, 0); /* nothing lacks: all of it, beside a debt */
    refund(&p, C, 8);        /* it has nothing: owed */
    at_day(&p, 3);
    p.bill[0].lacks = 0;
    collect(&p, &p.bill[0], 0);
    withdraw(&p, 10);
    choose_is(&p, 1, (const int64_t[][3]){{8, 2, 0}});
    billed_begin(&p, 14,
                 0); /* a refund comes out of the older bill, so the newer one has all of it */
    at_day(&p, 3);
    share(&p, B, 10);
    share(&p, A, 10);
    p.bill[1].lacks = 200;
    at_day(&p, 6);
    collect(&p, &p.bill[1], 100);
    refund(&p, A, 8);
    collect(&p, &p.bill[1], 100);
    withdraw(&p, 10);
    withdraw(&p, 10);
    choose_is(&p, 2, (const int64_t[][3]){{5, 5, 0}, {5, 5, 0}});
}

/* Collected before all of the month may be had: it waits for that day behind what else is due then. */
static void bill_waits_for_its_day(void **state)
{
    static struct play p;

    (void)state;
    billed_begin(&p, 21, 2);
    at_day(&p, 2);
    share(&p, C, 5); /* due with it, on day 5 */
    at_day(&p, 3);
    collect(&p, &p.bill[0], 200);
    collect(&p, &p.bill[0], 200);
    refund(&p, A, 20); /* 15 of the first, 5 of the second collection */
    at_day(&p, 5);
    withdraw(&p, 5);
    withdraw(&p, 5);
    withdraw(&p, 5);
    withdraw(&p, 10);
    choose_is(&p, 4, (const int64_t[][3]){{0, 0, 5}, {0, 5, 0}, {0, 5, 0}, {10, 0, 0}});
    billed_begin(&p, 22, 2); /* its second part with another day, which refunds take of */
    at_day(&p, 3);
    collect(&p, &p.bill[0], 200);
    p.window = 3;
    collect(&p, &p.bill[0], 200);
    refund(&p, A, 9);
    at_day(&p, 5);
    at_day(&p, 6);
    withdraw(&p, 20);
    withdraw(&p, 11);
    choose_is(&p, 2, (const int64_t[][3]){{15, 5, 0}, {6, 5, 0}});
}

/* One row of all that the first payout took. */
static void ask_far(const struct play *p)
{
    const struct reply *r;
    char path[100];

    snprintf(path, sizeof(path), "/api/v1/payouts/%lld/orders", (long long)p->payout[0].id);
    r = rig_as(&rig, 0, "GET", path, NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "{\"items\":[{\"order_id\":\"0\"");
    assert_has(r->body, "\"amount\":\"0.50\"");
    assert_has(r->body, "\"rule\":5}],\"next\":\"\"");
    assert_null(strstr(strstr(r->body, "order_id") + 1, "order_id"));
}

/* A withdrawal of more shares a day, or before more moves, than are looked at. */
static void too_far_is_told(void **state)
{
    enum { MOVES = 5010, SHARES = 8200, AN_ORDER = 50 };
    static struct play p;

    (void)state;
    for (int many = 0; many < 2; many++) {
        play_begin(&p, SEEDS + 1 + many);
        p.window = 0;
        p.orders = 1;
        for (int i = 0; i < (many ? SHARES : 2000); i++) {
            if (i % AN_ORDER ==
                0) /* the engine looks through all parts of an order for each share */
                p.order[0] = (struct order){.id = ++p.id};
            p.gives = 0;
            share(&p, 0, rng_range(&p.rng, 1, 40));
        }
        p.now = BEGIN + DAY;
        midnight(&p);
        assert_true(p.balance[FREE] > 5000);
        payout(&p, PAYOUT_SHARE, 5000)->transfer =
            post(&p, TRANSFER_WITHDRAWAL, 0, p.now, (const int64_t[PURSES]){0, -5000, 0, 5000});
        for (int i = 0; !many && i < MOVES; i++)
            post(&p, TRANSFER_SUSPENSE_OUT, 0, p.now, (const int64_t[PURSES]){[FREE] = 1});
        play_end(&p);
        ask_far(&p);
    }
}

static int start(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

int taken_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_agree), cmocka_unit_test(right_day_is_taken),
        cmocka_unit_test(bill_gives_parts), cmocka_unit_test(bill_waits_for_its_day),
        cmocka_unit_test(too_far_is_told)};

    return cmocka_run_group_tests_name("taken", tests, start, stop);
}
