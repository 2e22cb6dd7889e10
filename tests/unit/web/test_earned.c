// SPDX-License-Identifier: Apache-2.0
/* test_earned.c: what a discharge earned and where it went, by seed. A driver's wallet is played here as the core
 * moves it (discharge.c, payment.c, wallet.c, single.c, payout.c): discharges, more of them and corrections, top-ups,
 * debts, charges and what they give back, single payments whose orders and rests leave beside the queue, principal that
 * goes back by its payment and sometimes returns. The play keeps each lot by itself. Then the story of each discharge
 * must say what became of its lots, add up, and name the orders; and the story of each charge must name the same lots:
 * but for plays where a single payment, or principal that comes back, has charges between its beginning and its end,
 * which the charge's own story does not see. */
#include "rig.h"

#include <stdio.h>
#include "base/hash.h"
#include "web/api_gen.h"
#include "web/story.h"

enum { SEEDS = 80, MOVES = 60, LOTS = 100, ORDERS = 70, PAYOUTS = 60 };
enum { WALLET_OF, DEBT_OF, GRID_OF, PURSES };
#define BEGIN INT64_C(1780000000000)

struct lot {
    int64_t payment, transfer, amount, left, refunded;
    int order; /* the discharge that it paid, the order that gave it back, or −1 */
    bool single;
    int64_t spent[ORDERS], out, back; /* of it */
};
struct order {
    struct row_orders row;
    int64_t rest; /* of a charge: paid and not given back */
    int lines, single;
    int64_t owed, others; /* of a discharge: corrections */
};
struct play {
    struct buf rows, legs;
    struct rng rng;
    int64_t id, now, account, driver, balance[PURSES], last[PURSES], in[PURSES], out[PURSES];
    struct lot lot[LOTS];
    struct order order[ORDERS];
    struct row_payment payment[LOTS];
    struct row_payout payout[PAYOUTS];
    int lots, orders, payments, payouts;
    int64_t reverses;
    bool
        apart; /* single payments and payouts that come back have nothing between their beginning and their end */
};

static struct rig rig;
static struct play one; /* of the driver who is logged in */

/* ---- the books ---- */

static void put(struct play *p, enum row_table t, const void *row)
{
    row_pack(&p->rows, t, row_metas[t].kind == ROW_KIND_JOURNAL ? ROW_INSERT : ROW_UPSERT, row);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Moves so much in each purse; the other side of it is of no account here. */
static int64_t post(struct play *p, int code, int64_t order, const int64_t move[PURSES])
{
    int64_t id = ++p->id, sum = 0;

    buf_reset(&p->legs);
    for (int i = 0; i < PURSES; i++) {
        if (move[i] == 0)
            continue;
        p->balance[i] += move[i];
        *(move[i] > 0 ? &p->in[i] : &p->out[i]) += move[i] > 0 ? move[i] : -move[i];
        sum += move[i] > 0 ? move[i] : 0;
        buf_put_varint(&p->legs, (uint64_t)(p->account + i));
        buf_put_zigzag(&p->legs, move[i]);
        buf_put_zigzag(&p->legs, p->balance[i]);
        buf_put_varint(&p->legs, (uint64_t)p->last[i]);
        buf_put_varint(&p->legs, 0);
        p->last[i] = id;
    }
    put(p, ROW_TRANSFER,
        &(struct row_transfer){.id = id,
                               .tenant = T1,
                               .code = code,
                               .order_id = order,
                               .reverses = p->reverses,
                               .currency = "CNY",
                               .amount = sum,
                               .effective_ms = ++p->now,
                               .posted_ms = p->now,
                               .legs = buf_str(&p->legs),
                               .note = ""});
    return id;
}

static struct row_payment *payment(struct play *p, int method, int64_t amount, int64_t transfer)
{
    struct row_payment *row = &p->payment[p->payments++];

    *row = (struct row_payment){.id = ++p->id,
                                .tenant = T1,
                                .driver = p->driver,
                                .method = method,
                                .currency = "CNY",
                                .amount = amount,
                                .state = PAYMENT_PAID,
                                .provider_no = "",
                                .url = "",
                                .payer = "",
                                .transfer = transfer,
                                .paid_ms = p->now,
                                .version = 1};
    return row;
}

static struct lot *lot_new(struct play *p, int64_t pay, int64_t transfer, int64_t amount, int order)
{
    struct lot *l = &p->lot[p->lots++];

    *l = (struct lot){
        .payment = pay, .transfer = transfer, .amount = amount, .left = amount, .order = order};
    return l;
}

static bool room(const struct play *p)
{
    return p->lots < LOTS - 2 && p->orders < ORDERS && p->payments < LOTS - 2;
}

/* ---- lots ---- */

/* Free principal: single payments pay their own orders alone. */
static int64_t wallet_free(const struct play *p)
{
    int64_t sum = p->balance[WALLET_OF];

    for (int i = 0; i < p->lots; i++)
        sum -= p->lot[i].single ? p->lot[i].left : 0;
    return sum;
}

/* Oldest first, for this order. Gives back what of it the order had earned itself. */
static int64_t spend(struct play *p, int64_t amount, int order)
{
    bool earned = p->order[order].row.kind == ORDER_DISCHARGE;
    int64_t own = 0;

    for (int i = 0; i < p->lots && amount > 0; i++) {
        struct lot *l = &p->lot[i];
        int64_t took = l->single ? 0 : least(l->left, amount);

        l->left -= took;
        amount -= took;
        if (earned && l->order == order) {
            l->back += took;
            own += took;
        } else {
            l->spent[order] += took;
        }
    }
    assert_int_equal(amount, 0);
    return own;
}

/* ---- what happens ---- */

static int order_new(struct play *p, int kind)
{
    struct order *o = &p->order[p->orders];

    *o = (struct order){.single = -1};
    o->row = (struct row_orders){.id = ++p->id,
                                 .tenant = T1,
                                 .kind = kind,
                                 .driver = p->driver,
                                 .station = STATION,
                                 .currency = "CNY",
                                 .seller = "",
                                 .state = ORDER_SETTLED};
    return p->orders++;
}

static void line(struct play *p, int order, int64_t amount)
{
    struct order *o = &p->order[order];

    o->row.total += amount;
    o->row.paid += amount;
    put(p, ROW_FEE_LINE,
        &(struct row_fee_line){.order_id = o->row.id,
                               .seq = ++o->lines,
                               .kind =
                                   o->row.kind == ORDER_DISCHARGE ? FEE_DISCHARGE : FEE_ELECTRICITY,
                               .label = "",
                               .amount = amount});
}

static int64_t debt_least(const struct play *p, int64_t amount)
{
    return least(-p->balance[DEBT_OF], amount);
}

static void topup(struct play *p, int64_t amount)
{
    int64_t debt = debt_least(p, amount),
            id = post(p, TRANSFER_TOPUP, 0, (const int64_t[PURSES]){amount - debt, debt, 0});

    lot_new(p, payment(p, PAY_METHOD_STAFF, amount, id)->id, id, amount - debt, -1);
}

static void earn(struct play *p, int order, int64_t amount)
{
    struct order *o = &p->order[order];
    struct row_payment *pay;
    int64_t debt = debt_least(p, amount), id;

    id = post(p, TRANSFER_DISCHARGE, o->row.id,
              (const int64_t[PURSES]){amount - debt, debt, -amount});
    o->row.transfer = o->row.transfer ? o->row.transfer : id;
    line(p, order, amount);
    pay = payment(p, PAY_METHOD_DISCHARGE, amount, id);
    pay->order_id = o->row.id;
    lot_new(p, pay->id, id, amount - debt, order);
}

/* The first of its lots is what a correction takes back, as far as it is there. */
static void correct(struct play *p, int order, int64_t amount)
{
    struct order *o = &p->order[order];
    int64_t has = least(wallet_free(p), amount), rest = has, own = 0;

    for (int i = 0; i < p->lots; i++)
        if (p->lot[i].transfer == o->row.transfer) {
            own = least(p->lot[i].left, has);
            p->lot[i].left -= own;
            p->lot[i].back += own;
            rest -= own;
        }
    own += spend(p, rest, order);
    p->reverses = o->row.transfer;
    post(p, TRANSFER_CORRECTION, o->row.id, (const int64_t[PURSES]){-has, has - amount, amount});
    p->reverses = 0;
    line(p, order, -amount);
    o->owed += amount - has;
    o->others += has - own;
}

static int capture(struct play *p, int64_t amount)
{
    int order = order_new(p, ORDER_CHARGE);
    struct order *o = &p->order[order];

    spend(p, amount, order);
    o->row.transfer = post(p, TRANSFER_CAPTURE, o->row.id, (const int64_t[PURSES]){-amount, 0, 0});
    o->rest = amount;
    line(p, order, amount);
    return order;
}

static void overrun(struct play *p, int64_t amount)
{
    int order = order_new(p, ORDER_CHARGE);

    line(p, order, amount);
    p->order[order].row.transfer =
        post(p, TRANSFER_CAPTURE, p->order[order].row.id, (const int64_t[PURSES]){0, -amount, 0});
}

static void give_back(struct play *p, int order, int64_t amount)
{
    struct order *o = &p->order[order];
    int64_t debt = debt_least(p, amount), id;

    id = post(p, TRANSFER_REFUND, o->row.id, (const int64_t[PURSES]){amount - debt, debt, 0});
    o->rest -= amount;
    o->row.refunded += amount;
    lot_new(p, 0, id, amount - debt, order);
}

static struct row_payout *pay_out(struct play *p, struct lot *l, int64_t amount)
{
    struct row_payout *w = &p->payout[p->payouts++];

    *w = (struct row_payout){.id = ++p->id,
                             .tenant = T1,
                             .kind = PAYOUT_PRINCIPAL,
                             .driver = p->driver,
                             .payment = l->payment,
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
    w->transfer = post(p, TRANSFER_WITHDRAWAL, 0, (const int64_t[PURSES]){-amount, 0, 0});
    l->left -= amount;
    l->out += amount;
    l->refunded += amount;
    return w;
}

static void pay_over(struct play *p, struct row_payout *w, bool done)
{
    w->state = done ? PAYOUT_SETTLED : PAYOUT_FAILED;
    w->done_ms = p->now;
    if (done)
        return;
    w->settled = post(p, TRANSFER_PAYOUT_BACK, 0, (const int64_t[PURSES]){w->amount, 0, 0});
    for (int i = 0; i < p->lots; i++)
        if (p->lot[i].payment == w->payment) {
            p->lot[i].left += w->amount;
            p->lot[i].out -= w->amount;
        }
}

static void single_begin(struct play *p, int64_t amount)
{
    int64_t id = post(p, TRANSFER_TOPUP, 0, (const int64_t[PURSES]){amount, 0, 0});
    struct row_payment *row = payment(p, PAY_METHOD_QR, amount, id);

    row->connector = CONNECTOR;
    row->bound = 1;
    lot_new(p, row->id, id, amount, -1)->single = true;
}

/* Its order pays of it, and the rest goes back. */
static void single_end(struct play *p, struct lot *l)
{
    int order = order_new(p, ORDER_CHARGE);
    struct order *o = &p->order[order];
    int64_t paid = rng_range(&p->rng, 1, l->left);

    o->row.payment = l->payment;
    o->row.payer_kind = PAYER_SINGLE;
    o->single = (int)(l - p->lot);
    o->row.transfer = post(p, TRANSFER_CAPTURE, o->row.id, (const int64_t[PURSES]){-paid, 0, 0});
    line(p, order, paid);
    l->left -= paid;
    l->spent[order] += paid;
    for (int i = 0; i < p->payments; i++)
        if (p->payment[i].id == l->payment)
            p->payment[i].bound = 0;
    if (l->left > 0)
        pay_over(p, pay_out(p, l, l->left), true);
}

/* ---- by seed ---- */

static int any(struct play *p, int kind)
{
    int at = p->orders > 0 ? (int)rng_below(&p->rng, (uint64_t)p->orders) : 0;

    return p->orders > 0 && p->order[at].row.kind == kind ? at : -1;
}

/* Of the newest lots only what is left by the front's rule can be asked for (lots.h): so never what is spent. */
static void pay_out_some(struct play *p)
{
    struct lot *l = p->lots > 0 ? &p->lot[rng_below(&p->rng, (uint64_t)p->lots)] : NULL;
    struct row_payout *w;

    if (l == NULL || l->payment == 0 || l->single || l->left == 0 || p->payouts == PAYOUTS)
        return;
    w = pay_out(p, l, rng_range(&p->rng, 1, l->left));
    if (rng_below(&p->rng, 3) == 0)
        pay_over(p, w, rng_below(&p->rng, 2));
}

static void pay_over_some(struct play *p)
{
    struct row_payout *w =
        p->payouts > 0 ? &p->payout[rng_below(&p->rng, (uint64_t)p->payouts)] : NULL;

    if (w != NULL && w->state == PAYOUT_SENT)
        pay_over(p, w, p->apart || rng_below(&p->rng, 2));
}

static void single_some(struct play *p)
{
    for (int i = 0; i < p->lots; i++)
        if (p->lot[i].single && p->lot[i].left > 0) {
            if (p->payouts < PAYOUTS)
                single_end(p, &p->lot[i]);
            return;
        }
    single_begin(p, rng_range(&p->rng, 1, 30));
    if (p->apart && p->payouts < PAYOUTS)
        single_end(p, &p->lot[p->lots - 1]);
}

static void discharge_some(struct play *p)
{
    int of = any(p, ORDER_DISCHARGE);

    if (of >= 0 && rng_below(&p->rng, 2) && p->order[of].row.paid > 0)
        correct(p, of, rng_range(&p->rng, 1, p->order[of].row.paid));
    else if (of >= 0)
        earn(p, of, rng_range(&p->rng, 1, 20));
}

static void act(struct play *p)
{
    int of = any(p, ORDER_CHARGE);

    switch (rng_below(&p->rng, 13)) {
    case 0:
    case 1:
        topup(p, rng_range(&p->rng, 1, 40));
        break;
    case 2:
        pay_out_some(p);
        break;
    case 3:
        single_some(p);
        break;
    case 4:
    case 5:
        discharge_some(p);
        break;
    case 6:
        if (of >= 0 && p->order[of].rest > 0)
            give_back(p, of, rng_range(&p->rng, 1, p->order[of].rest));
        break;
    case 7:
        if (rng_below(&p->rng, 4) == 0)
            overrun(p, rng_range(&p->rng, 1, 20));
        break;
    case 8:
        pay_over_some(p);
        break;
    case 9:
        earn(p, order_new(p, ORDER_DISCHARGE), rng_range(&p->rng, 1, 40));
        break;
    default:
        if (wallet_free(p) > 0)
            capture(p, rng_range(&p->rng, 1, least(wallet_free(p), 30)));
    }
}

static void play_begin(struct play *p, uint64_t seed)
{
    *p = (struct play){.id = 2000000000 + 1000000 * (int64_t)seed, .now = BEGIN};
    p->driver = seed == 0 ? DRIVER : ++p->id;
    p->account = p->id + 1;
    p->id += PURSES;
    p->rng.s = seed;
    p->apart = seed % 2;
    buf_init(&p->rows, 1 << 24);
    buf_init(&p->legs, 4000);
}

static void play_end(struct play *p)
{
    static const int kinds[PURSES] = {ACCOUNT_WALLET, ACCOUNT_DEBT, ACCOUNT_GRID};

    for (int i = 0; i < PURSES; i++)
        put(p, ROW_ACCOUNT,
            &(struct row_account){.id = p->account + i,
                                  .tenant = T1,
                                  .kind = kinds[i],
                                  .owner = p->driver,
                                  .currency = "TST", /* the rig's own have the other one */
                                  .posted_in = p->in[i],
                                  .posted_out = p->out[i],
                                  .last_transfer = p->last[i],
                                  .version = 1});
    for (int i = 0; i < p->orders; i++)
        put(p, ROW_ORDERS, &p->order[i].row);
    for (int i = 0; i < p->payments; i++)
        put(p, ROW_PAYMENT, &p->payment[i]);
    for (int i = 0; i < p->payouts; i++)
        put(p, ROW_PAYOUT, &p->payout[i]);
    assert_int_equal(store_commit(rig.store, buf_str(&p->rows), STR_LIT("")), 0);
    buf_free(&p->rows);
    buf_free(&p->legs);
}

static void play(struct play *p, uint64_t seed)
{
    play_begin(p, seed);
    for (int i = 0; i < MOVES && room(p); i++)
        act(p);
    play_end(p);
}

/* ---- what is told of it ---- */

static struct api_MoneyStory told;

static const char *path_of(const struct play *p, int order, const char *who)
{
    static char path[100];

    snprintf(path, sizeof(path), "/api/v1/%sorders/%lld/story", who,
             (long long)p->order[order].row.id);
    return path;
}

static const struct api_MoneyStory *ask(const struct play *p, int order, struct arena *a)
{
    const char *path = path_of(p, order, "");
    const struct reply *r = rig_as(&rig, 0, "GET", path, NULL, NULL);

    if (r->status != 200)
        fail_msg("%s: %d %s", path, r->status, r->body);
    arena_reset(a);
    assert_int_equal(
        wire_json_decode(&api_MoneyStory_type, str_from_c(r->body), a, &told, WIRE_STRICT, NULL),
        0);
    return &told;
}

static int64_t spent_of(const struct lot *l)
{
    int64_t sum = 0;

    for (int i = 0; i < ORDERS; i++)
        sum += l->spent[i];
    return sum;
}

static int64_t used_by(const struct api_StoryEarned *e, int64_t order)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < e->uses_n; i++)
        sum += e->uses[i].order_id == order ? e->uses[i].amount.v : 0;
    return sum;
}

static void same(const struct play *p, const struct lot *l, const char *what, int64_t is,
                 int64_t should)
{
    if (is != should)
        fail_msg("driver %lld, lot %lld: %s is %lld, not %lld", (long long)p->driver,
                 (long long)l->transfer, what, (long long)is, (long long)should);
}

static void lot_told(const struct play *p, const struct lot *l, const struct api_StoryEarned *e)
{
    int64_t out = 0;

    same(p, l, "rule", e->rule, STORY_FIFO);
    same(p, l, "lot", e->payment, l->payment);
    same(p, l, "what came in", e->wallet.v, l->amount);
    same(p, l, "what is there", e->there.v, l->left);
    same(p, l, "what was spent", e->spent.v, spent_of(l));
    same(p, l, "what was taken back", e->back.v, l->back);
    same(p, l, "what was paid out", e->withdrawn.v, l->out);
    for (uint32_t i = 0; i < e->payouts_n; i++) {
        assert_true(e->payouts[i].taken.v > 0 && e->payouts[i].state != PAYOUT_FAILED);
        out += e->payouts[i].taken.v;
    }
    same(p, l, "its payouts", out, l->out);
    for (int i = 0; i < p->orders; i++)
        if (i != l->order)
            same(p, l, "an order", used_by(e, p->order[i].row.id), l->spent[i]);
}

static int discharge_told(const struct play *p, int order, const struct api_MoneyStory *s)
{
    const struct order *o = &p->order[order];
    int lots = 0;

    if (!s->sum.even)
        fail_msg("order %lld: %s", (long long)o->row.id, "not even");
    assert_int_equal(s->lots_n + s->backs_n + s->shares_n, 0);
    assert_int_equal(s->earned_sum.owed.v, o->owed);
    assert_int_equal(s->earned_sum.others.v, o->others);
    assert_int_equal(s->earned_sum.unknown.v + s->earned_sum.other.v, 0);
    for (uint32_t i = 0; i < s->earned_n; i++)
        for (int k = 0; k < p->lots; k++)
            if (p->lot[k].transfer == s->earned[i].transfer && p->lot[k].amount > 0) {
                lot_told(p, &p->lot[k], &s->earned[i]);
                lots++;
            }
    return lots;
}

/* The other way: which lots of discharges paid it. */
static void charge_told(const struct play *p, int order, const struct api_MoneyStory *s)
{
    for (int k = 0; k < p->lots; k++) {
        const struct lot *l = &p->lot[k];
        int64_t used = 0;

        for (uint32_t i = 0; i < s->lots_n; i++)
            used += s->lots[i].transfer == l->transfer ||
                            (s->lots[i].rule == STORY_EXACT && s->lots[i].payment == l->payment)
                        ? s->lots[i].used.v
                        : 0;
        if (used != l->spent[order])
            fail_msg("driver %lld, order %lld, lot %lld: %lld, not %lld", (long long)p->driver,
                     (long long)p->order[order].row.id, (long long)l->transfer, (long long)used,
                     (long long)l->spent[order]);
    }
    assert_int_equal(s->earned_n, 0);
}

static void both_ways_agree(void **state)
{
    static struct play p;
    struct arena a;
    int64_t lots = 0, spent = 0, back = 0, out = 0, owed = 0, there = 0;

    (void)state;
    arena_init(&a, 1 << 24);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        play(&p, seed);
        for (int o = 0; o < p.orders; o++) {
            const struct api_MoneyStory *s = ask(&p, o, &a);

            if (p.order[o].row.kind != ORDER_DISCHARGE) {
                if (p.apart)
                    charge_told(&p, o, s);
                continue;
            }
            lots += discharge_told(&p, o, s);
            spent += s->earned_sum.spent.v > 0;
            back += s->earned_sum.back.v > 0;
            out += s->earned_sum.withdrawn.v > 0;
            owed += s->earned_sum.owed.v > 0;
            there += s->earned_sum.there.v > 0;
        }
    }
    /* They were lives with something in them. */
    assert_true(lots > 3 * SEEDS && spent > SEEDS && there > SEEDS / 2);
    assert_true(back > SEEDS / 2 && out > SEEDS / 2 && owed > SEEDS / 10);
    arena_free(&a);
}

/* ---- one, word by word ---- */

/* Owed 5; earns 100; pays charges with 40 and 35 of it, 20 goes out; 8 more; 30 are taken back when 8 are there. */
static void one_life_play(struct play *p)
{
    int of;

    play_begin(p, 0);
    overrun(p, 5);
    topup(p, 15);
    of = order_new(p, ORDER_DISCHARGE);
    earn(p, of, 95);
    capture(p, 50);
    pay_over(p, pay_out(p, &p->lot[1], 20), true);
    capture(p, 35);
    earn(p, of, 8);
    correct(p, of, 30);
    topup(p, 15);
    play_end(p);
}

static void one_life_is_told(void **state)
{
    struct arena a;
    const struct api_MoneyStory *s;
    const struct api_StoryEarned *e;

    (void)state;
    arena_init(&a, 1 << 20);
    s = ask(&one, 1, &a);
    e = s->earned;
    assert_true(s->sum.even);
    assert_int_equal(s->earned_n, 3);
    assert_int_equal(e[0].amount.v, 95);
    assert_int_equal(e[0].there.v, 0);
    assert_int_equal(e[0].spent.v, 75);
    assert_int_equal(e[0].withdrawn.v, 20);
    assert_int_equal(e[0].payouts[0].payout, one.payout[0].id);
    assert_int_equal(e[0].uses_n, 2);
    assert_int_equal(e[0].uses[0].order_id, one.order[2].row.id);
    assert_int_equal(e[0].uses[0].amount.v, 40);
    assert_int_equal(e[1].back.v, 8);
    assert_int_equal(e[2].amount.v, -30);
    assert_int_equal(e[2].own.v, 8);
    assert_int_equal(e[2].wallet.v, -8);
    assert_int_equal(e[2].debt.v, -22);
    assert_int_equal(e[2].settled.v, 15);
    assert_int_equal(s->earned_sum.given.v, 103);
    assert_int_equal(s->earned_sum.taken.v, 30);
    arena_free(&a);
}

/* The way back. */
static void its_payout_names_it(void **state)
{
    const struct reply *r;
    char path[100], order[60];

    (void)state;
    snprintf(path, sizeof(path), "/api/v1/payouts/%lld/orders", (long long)one.payout[0].id);
    snprintf(order, sizeof(order), "\"order_id\":\"%lld\"", (long long)one.order[1].row.id);
    r = rig_as(&rig, 0, "GET", path, NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, order);
    assert_has(r->body, "\"code\":18");
}

static void others_are_told_nothing(void **state)
{
    static struct play p;
    const struct reply *r;

    (void)state;
    play_begin(&p, 100000);
    earn(&p, order_new(&p, ORDER_DISCHARGE), 10);
    play_end(&p);
    assert_int_equal(rig_as(&rig, 2, "GET", path_of(&p, 0, "me/"), NULL, NULL)->status, 404);
    assert_int_equal(rig_as(&rig, 1, "GET", path_of(&p, 0, "partner/"), NULL, NULL)->status, 404);
    r = rig_as(&rig, 2, "GET", path_of(&one, 1, "me/"), NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"earned_sum\":{\"given\":\"0.0103\",\"taken\":\"0.003\"");
    assert_has_not(r->body, "\"recon\":2");
}

/* The order says that another amount was paid, and its lines agree with it. */
static void another_amount_is_told(void **state)
{
    static struct play p;
    struct arena a;
    const struct api_MoneyStory *s;

    (void)state;
    arena_init(&a, 1 << 20);
    play_begin(&p, 100002);
    earn(&p, order_new(&p, ORDER_DISCHARGE), 10);
    line(&p, 0, 2);
    play_end(&p);
    s = ask(&p, 0, &a);
    assert_false(s->sum.even);
    assert_int_equal(s->earned_sum.paid_off.v, -2);
    assert_int_equal(s->earned_sum.off.v + s->earned_sum.taken_off.v + s->sum.bill_off.v, 0);
    arena_free(&a);
}

/* More moves since than are looked at. */
static void too_far_is_told(void **state)
{
    static struct play p;
    struct arena a;
    const struct api_MoneyStory *s;

    (void)state;
    arena_init(&a, 1 << 20);
    play_begin(&p, 100001);
    earn(&p, order_new(&p, ORDER_DISCHARGE), 10);
    for (int i = 0; i < 5000; i++)
        post(&p, TRANSFER_GIFT_BACK, 0, (const int64_t[PURSES]){[WALLET_OF] = 1});
    earn(&p, 0, 7);
    correct(&p, 0, 3);
    play_end(&p);
    s = ask(&p, 0, &a);
    assert_true(s->sum.even);
    assert_int_equal(s->earned[0].rule, STORY_TOO_FAR);
    assert_int_equal(s->earned_sum.unknown.v, 10);
    assert_int_equal(s->earned[1].rule, STORY_FIFO);
    assert_int_equal(s->earned[2].rule, STORY_TOO_FAR);
    arena_free(&a);
}

static int start(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    rig_login(&rig, 1, "partner");
    rig_login_driver(&rig, "13812345678");
    one_life_play(&one);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

int earned_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_agree),        cmocka_unit_test(one_life_is_told),
        cmocka_unit_test(its_payout_names_it),    cmocka_unit_test(others_are_told_nothing),
        cmocka_unit_test(another_amount_is_told), cmocka_unit_test(too_far_is_told)};

    return cmocka_run_group_tests_name("earned", tests, start, stop);
}
