// SPDX-License-Identifier: Apache-2.0
/* audit.c: see audit.h. */
#include "world/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define SMALL_MWH INT64_C(100000)

struct audit_topup {
    int64_t id, amount; /* id: the driver */
};

/* ---- sorted arrays ---- */

static void *table_find(const struct audit_table *t, int64_t id)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int64_t at = *(const int64_t *)(const void *)(t->v + mid * t->record);
        if (at == id)
            return t->v + mid * t->record;
        if (at < id)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static void *table_take(struct audit_table *t, int64_t id)
{
    void *old = table_find(t, id);
    if (old)
        return old;
    if (t->n == t->size) {
        t->size = t->size ? 2 * t->size : 256;
        t->v = realloc(t->v, t->size * t->record);
        must(t->v);
    }
    size_t at = t->n;
    while (at > 0 && *(int64_t *)(void *)(t->v + (at - 1) * t->record) > id)
        at--;
    char *place = t->v + at * t->record;
    memmove(place + t->record, place, (t->n - at) * t->record);
    memset(place, 0, t->record);
    *(int64_t *)(void *)place = id;
    t->n++;
    return place;
}

void audit_init(struct audit *a)
{
    *a = (struct audit){.accounts.record = sizeof(struct audit_account),
                        .holds.record = sizeof(struct audit_hold),
                        .orders.record = sizeof(struct audit_order),
                        .sessions.record = sizeof(struct audit_session),
                        .topups.record = sizeof(struct audit_topup)};
    arena_init(&a->scratch, 1 << 26);
}

void audit_free(struct audit *a)
{
    free(a->accounts.v);
    free(a->holds.v);
    free(a->orders.v);
    free(a->sessions.v);
    free(a->topups.v);
    free(a->truths);
    arena_free(&a->scratch);
}

/* ---- rows ---- */

static void see_account(struct audit *a, const struct row_account *r)
{
    struct audit_account *x = table_take(&a->accounts, r->id);
    x->tenant = r->tenant;
    x->owner = r->owner;
    x->kind = r->kind;
    x->row_balance = r->posted_in - r->posted_out;
    x->row_held = r->held;
    bool wallet = r->kind == ACCOUNT_WALLET || r->kind == ACCOUNT_WALLET_BONUS;
    must(!wallet || (x->row_balance >= 0 && x->row_held <= x->row_balance));
    must(x->row_held >= 0);
    must(strcmp(r->currency, "CNY") == 0);
}

/** Reads a blob of layout E with a reader of its own. */
static uint64_t leb(const uint8_t **p, const uint8_t *end)
{
    uint64_t v = 0;
    for (int shift = 0; *p < end; shift += 7) {
        uint8_t b = *(*p)++;
        v |= (uint64_t)(b & 127) << shift;
        if (!(b & 128))
            return v;
    }
    must_fail(__FILE__, __LINE__, "legs end in the middle");
}

static int64_t zig(const uint8_t **p, const uint8_t *end)
{
    uint64_t v = leb(p, end);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void see_transfer(struct audit *a, const struct row_transfer *r)
{
    const uint8_t *p = (const uint8_t *)r->legs.p, *end = p + r->legs.n;
    int64_t sum = 0, positive = 0;
    a->transfers++;
    while (p < end) {
        int64_t account = (int64_t)leb(&p, end), amount = zig(&p, end), balance = zig(&p, end);
        int64_t prev = (int64_t)leb(&p, end);
        (void)leb(&p, end); /* party */
        struct audit_account *x = table_take(&a->accounts, account);
        must(amount != 0 && prev == x->last);
        x->journal += amount;
        must(balance == x->journal);
        x->last = r->id;
        sum += amount;
        positive += amount > 0 ? amount : 0;
    }
    must(sum == 0 && positive == r->amount);
    if (r->order_id)
        ((struct audit_order *)table_take(&a->orders, r->order_id))->transfers++;
}

static void see_hold(struct audit *a, const struct row_hold *r)
{
    struct audit_hold *h = table_take(&a->holds, r->id);
    must(h->state != HOLD_RESOLVED); /* resolved once, never written again */
    struct audit_account *x = table_take(&a->accounts, r->account);
    x->held -= h->state == HOLD_OPEN ? h->amount : 0;
    *h = (struct audit_hold){.id = r->id,
                             .account = r->account,
                             .order = r->order_id,
                             .amount = r->amount,
                             .captured = r->captured,
                             .released = r->released,
                             .created_ms = r->created_ms,
                             .resolved_ms = r->resolved_ms,
                             .state = r->state};
    x->held += r->state == HOLD_OPEN ? r->amount : 0;
    must(r->state == HOLD_OPEN || r->captured + r->released == r->amount);
    must(r->captured >= 0 && r->released >= 0);
}

static void see_order(struct audit *a, const struct row_orders *r)
{
    struct audit_order *o = table_take(&a->orders, r->id);
    must(o->state != ORDER_START_FAILED || r->state == ORDER_START_FAILED);
    o->driver = r->driver;
    o->charger = r->charger;
    o->contract = r->contract;
    o->tariff = r->tariff;
    o->cap = r->cap;
    o->hold = r->hold;
    o->energy_mwh = r->energy_mwh;
    o->total = r->total;
    o->paid = r->paid;
    o->loss = r->loss;
    o->doubt = r->doubt;
    o->doubt_mwh = r->doubt_mwh;
    o->created_ms = r->created_ms;
    o->end_ms = r->end_ms;
    o->settled_ms = r->settled_ms;
    o->state = r->state;
    o->payer_kind = r->payer_kind;
    o->estimated = r->estimated;
    o->fail = r->fail;
    o->stop_reason = r->stop_reason;
}

static void see_session(struct audit *a, const struct row_session *r)
{
    struct audit_session *s = table_take(&a->sessions, r->id);
    must(!s->tx || s->tx == r->tx); /* a session keeps its transaction */
    s->order = r->order_id;
    s->charger = r->charger;
    s->tx = r->tx;
    s->evidence = r->evidence;
    (void)str_copy(s->tx_no, sizeof s->tx_no, str_from_c(r->tx_no));
}

static int64_t fen_half_up(int64_t mwh, int64_t price_e5)
{
    ev_i128 p = (ev_i128)mwh * price_e5;
    bool minus = p < 0;
    int64_t fen = (int64_t)(((minus ? -p : p) + 500000000) / 1000000000);
    return 100 * (minus ? -fen : fen);
}

static void see_line(struct audit *a, const struct row_fee_line *r)
{
    struct audit_order *o = table_take(&a->orders, r->order_id);
    must(r->kind == FEE_ELECTRICITY || r->kind == FEE_SERVICE || r->kind == FEE_OCCUPANCY);
    must(r->amount % 100 == 0);
    o->lines[r->kind] += r->amount;
    o->line_energy[r->kind] += r->energy_mwh;
}

static void see_part(struct audit *a, const struct row_split_part *r)
{
    struct audit_order *o = table_take(&a->orders, r->order_id);
    struct audit_account *x = table_take(&a->accounts, r->account);
    o->parts[r->fee_kind & 7] += r->amount;
    o->parts_n++;
    o->property += x->kind == ACCOUNT_PENDING ? r->amount : 0;
    x->parts += r->amount;
}

static void see(struct audit *a, enum row_table t, enum row_op op, const void *row)
{
    must(t != ROW_TRANSFER || op == ROW_INSERT);
    switch (t) {
    case ROW_ACCOUNT:
        see_account(a, row);
        break;
    case ROW_TRANSFER:
        see_transfer(a, row);
        break;
    case ROW_HOLD:
        see_hold(a, row);
        break;
    case ROW_ORDERS:
        see_order(a, row);
        break;
    case ROW_SESSION:
        see_session(a, row);
        break;
    case ROW_FEE_LINE:
        see_line(a, row);
        break;
    case ROW_SPLIT_PART:
        see_part(a, row);
        break;
    default:
        break;
    }
}

void audit_batch(struct audit *a, struct str rows)
{
    struct cursor c = {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n};
    bool money = false;
    a->batches++;
    while (c.p < c.end) {
        enum row_table t;
        enum row_op op;
        void *row;
        must(row_unpack(&c, &a->scratch, &t, &op, &row) == 0);
        see(a, t, op, row);
        money = money || t == ROW_ACCOUNT || t == ROW_TRANSFER || t == ROW_HOLD;
        arena_reset(&a->scratch);
    }
    for (size_t i = 0; money && i < a->accounts.n; i++) {
        const struct audit_account *x = (const void *)(a->accounts.v + i * a->accounts.record);
        must(x->journal == x->row_balance); /* transfers and accounts of one batch agree */
        must(x->held == x->row_held);       /* so do holds */
    }
}

void audit_truth_add(struct audit *a, const struct audit_truth *t)
{
    if (a->truths_n == a->truths_size) {
        a->truths_size = a->truths_size ? 2 * a->truths_size : 256;
        a->truths = realloc(a->truths, a->truths_size * sizeof *a->truths);
        must(a->truths);
    }
    a->truths[a->truths_n++] = *t;
}

const struct audit_order *audit_order(const struct audit *a, int64_t id)
{
    return table_find(&a->orders, id);
}

const struct audit_hold *audit_hold(const struct audit *a, int64_t id)
{
    return table_find(&a->holds, id);
}

int64_t audit_holds_open(const struct audit *a)
{
    int64_t n = 0;
    for (size_t i = 0; i < a->holds.n; i++)
        n += ((const struct audit_hold *)(const void *)(a->holds.v + i * a->holds.record))->state ==
             HOLD_OPEN;
    return n;
}

/* ---- the end ---- */

static const struct audit_session *session_of(const struct audit *a, int64_t order)
{
    for (size_t i = 0; i < a->sessions.n; i++) {
        const struct audit_session *x = (const void *)(a->sessions.v + i * a->sessions.record);
        if (x->order == order)
            return x;
    }
    return NULL;
}

static const struct audit_truth *truth_of(const struct audit *a, int64_t order)
{
    const struct audit_session *s = session_of(a, order);
    for (size_t i = 0; s && i < a->truths_n; i++) {
        const struct audit_truth *t = &a->truths[i];
        bool same = t->ykc ? strcmp(t->tx_no, s->tx_no) == 0 : t->tx == s->tx && t->tx > 0;
        if (t->charger == s->charger && same)
            return t;
    }
    return NULL;
}

static void order_money(struct audit *a, const struct audit_order *o)
{
    const struct audit_hold *h = o->hold ? audit_hold(a, o->hold) : NULL;
    must(o->lines[1] + o->lines[2] + o->lines[4] == o->total);
    must(o->paid >= 0 && o->loss >= 0);
    if (o->payer_kind == PAYER_WALLET)
        must(o->cap == 0 || o->paid <= o->cap);
    must(!o->hold || (h && h->state == HOLD_RESOLVED));
    if (h && o->transfers == 1)
        must(h->captured == o->paid || o->paid > h->captured); /* the rest was free money or debt */
    must(o->paid + o->loss == o->total);
    must(o->parts[1] + o->parts[2] + o->parts[4] ==
         o->paid); /* what was paid is shared, a loss is not */
    if (!o->loss && o->parts_n)
        must(o->parts[1] == o->lines[1] && o->parts[2] == o->lines[2]);
    a->overruns += o->loss > 0;
}

static void order_energy(struct audit *a, const struct audit_order *o,
                         const struct audit_terms *terms)
{
    const struct audit_truth *t = truth_of(a, o->id);
    if (!t || o->doubt || o->estimated)
        return;
    int64_t energy = t->stop_mwh - t->start_mwh;
    a->known++;
    if (t->habit < 0) { /* a placeholder: at most what really flowed */
        must(o->energy_mwh <= energy);
        return;
    }
    /* After a reading that could not be, a dispute about so little is decided for the driver. */
    if ((session_of(a, o->id)->evidence & EV_IMPLAUSIBLE) && o->energy_mwh < energy &&
        o->energy_mwh >= energy - SMALL_MWH)
        energy = o->energy_mwh;
    if (o->energy_mwh != energy)
        (void)fprintf(stderr,
                      "order %lld: billed %lld mWh, truth %lld, habit %d, pile %d, tx %lld\n",
                      (long long)o->id, (long long)o->energy_mwh, (long long)energy, t->habit,
                      t->ykc, (long long)t->tx);
    must(o->energy_mwh == energy);
    if (o->tariff == terms->flat) {
        must(o->lines[FEE_ELECTRICITY] == fen_half_up(energy, terms->elec_e5));
        must(o->lines[FEE_SERVICE] == fen_half_up(energy, terms->service_e5));
        a->exact++;
    }
}

void audit_topup_add(struct audit *a, int64_t driver, int64_t amount)
{
    ((struct audit_topup *)table_take(&a->topups, driver))->amount += amount;
}

#define EACH(x, type, table)                                                                       \
    for (struct type *x = (void *)(table).v;                                                       \
         x && x < (struct type *)(void *)(table).v + (table).n; x++)

/** What was paid in, less what orders took, is in the wallet or owed. */
static void wallets_check(struct audit *a)
{
    EACH(o, audit_order, a->orders)
    if (o->payer_kind == PAYER_WALLET)
        audit_topup_add(a, o->driver, -o->paid);
    EACH(t, audit_topup, a->topups)
    {
        int64_t balance = 0;
        EACH(x, audit_account, a->accounts)
        if (x->owner == t->id && (x->kind == ACCOUNT_WALLET || x->kind == ACCOUNT_DEBT))
            balance += x->journal;
        must(balance == t->amount);
    }
}

/** Over all orders of a contract the owner has the contractual share to the unit, two lines, and
 * one more for each correction. */
static void shares_check(const struct audit *a, const struct audit_terms *terms)
{
    for (int i = 0; i < 2; i++) {
        int64_t paid = 0, property = 0, slack = 2 * terms->unit[i];
        EACH(o, audit_order, a->orders)
        if (o->contract == terms->contract[i]) {
            paid += o->paid;
            property += o->property;
            slack += o->transfers > 1 ? 2 * terms->unit[i] * o->transfers : 0;
        }
        int64_t off = property * terms->ratio_sum[i] - paid * terms->property_ratio[i];
        must(off <= slack * terms->ratio_sum[i] && -off <= slack * terms->ratio_sum[i]);
    }
}

static void sums_check(const struct audit *a)
{
    int64_t sum = 0;
    EACH(x, audit_account, a->accounts)
    {
        sum += x->journal;
        if (x->kind == ACCOUNT_PENDING || x->kind == ACCOUNT_INCOME)
            must(x->journal == x->parts);
    }
    must(sum == 0);
}

void audit_finish(struct audit *a, const struct audit_terms *terms)
{
    sums_check(a);
    must(audit_holds_open(a) == 0);
    EACH(o, audit_order, a->orders)
    {
        must(o->state == ORDER_SETTLED || o->state == ORDER_START_FAILED);
        order_money(a, o);
        if (o->state == ORDER_START_FAILED) {
            must(o->total == 0 && o->paid == 0 && o->transfers == 0);
            a->failed++;
            continue;
        }
        a->settled++;
        a->doubtful += o->doubt != 0;
        order_energy(a, o, terms);
    }
    shares_check(a, terms);
    wallets_check(a);
}
