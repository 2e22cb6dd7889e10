// SPDX-License-Identifier: Apache-2.0
/* purse.c: the objects of purse.h: payments and payouts that are not over, buckets of shares, their
 * tables and timers.
 *
 * A payment or payout that is over stays in memory for a while (EVICT_MS), so that what is repeated
 * finds it; a look-up brings it back later. A bucket lives until it matures; its row is deleted
 * then: the journal has the transfer.
 *
 * Invariants: 1. every object of purse.h that waits for something has its timer set; 2. an object is
 * in its table by its key. Fails: full tables answer NULL. */
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

enum { DIRTY_MS = 1000 };

enum { BUCKETS_MAX = 2000000, PAYMENTS_MAX = 500000, PAYOUTS_MAX = 200000, KEY_SIZE = 48 };

int purse_new(struct core *c)
{
    struct purse *p = ARENA_NEW(&c->arena, struct purse);
    if (!p)
        return ERR_NOMEM;
    slab_init(&p->buckets, sizeof(struct bucket), BUCKETS_MAX);
    slab_init(&p->payments, sizeof(struct payment), PAYMENTS_MAX);
    slab_init(&p->payouts, sizeof(struct payout), PAYOUTS_MAX);
    strmap_init(&p->bucket_keys, BUCKETS_MAX, c->lim.seed);
    strmap_init(&p->account_keys, PARTY_ACCOUNTS_MAX, c->lim.seed);
    map_init(&p->payment_ids, PAYMENTS_MAX, c->lim.seed);
    map_init(&p->payout_ids, PAYOUTS_MAX, c->lim.seed);
    c->purse = p;
    return 0;
}

static void texts_free(struct slab *s)
{
    for (uint32_t i = 0; i < s->len; i++) {
        struct obj *o = slab_at(s, i);
        if (o)
            buf_free(&o->texts);
    }
    slab_free(s);
}

void purse_free(struct core *c)
{
    struct purse *p = c->purse;
    if (!p)
        return;
    texts_free(&p->buckets);
    texts_free(&p->payments);
    texts_free(&p->payouts);
    strmap_free(&p->bucket_keys);
    strmap_free(&p->account_keys);
    map_free(&p->payment_ids);
    map_free(&p->payout_ids);
}

/* ---- objects ---- */

/* A new object of the slab with a copy of the row behind its head. */
static void *object_new(struct core *c, struct slab *s, enum row_table t, const void *row)
{
    struct slab_ref ref;
    struct obj *o = slab_get(s, &ref);
    if (!o)
        return NULL;
    obj_init(o, t, o + 1);
    o->ref = ref;
    memcpy(o->row, row, row_metas[t].size);
    obj_own(c, o);
    return o;
}

struct payment *payment_find(const struct core *c, int64_t id)
{
    return map_get_ptr(&c->purse->payment_ids, (uint64_t)id);
}

struct payout *payout_find(const struct core *c, int64_t id)
{
    return map_get_ptr(&c->purse->payout_ids, (uint64_t)id);
}

struct payment *payment_add(struct core *c, const struct row_payment *row)
{
    struct payment *p = object_new(c, &c->purse->payments, ROW_PAYMENT, row);
    if (!p)
        return NULL;
    p->timer.kind = PURSE_PAYMENT;
    must(map_put_ptr(&c->purse->payment_ids, (uint64_t)row->id, p) == 0);
    return p;
}

struct payout *payout_add(struct core *c, const struct row_payout *row)
{
    struct payout *p = object_new(c, &c->purse->payouts, ROW_PAYOUT, row);
    if (!p)
        return NULL;
    p->timer.kind = PURSE_PAYOUT;
    must(map_put_ptr(&c->purse->payout_ids, (uint64_t)row->id, p) == 0);
    if (row->kind == PAYOUT_SHARED)
        sharing_link(c, p);
    return p;
}

static struct str bucket_key(int64_t party, int64_t due_ms, char out[KEY_SIZE])
{
    int n = snprintf(out, KEY_SIZE, "%" PRId64 ":%" PRId64, party, due_ms);
    return str_from(out, (size_t)n);
}

struct bucket *bucket_find(const struct core *c, int64_t party, int64_t due_ms)
{
    char key[KEY_SIZE];
    uint64_t at;
    if (!strmap_get(&c->purse->bucket_keys, bucket_key(party, due_ms, key), &at))
        return NULL;
    return (struct bucket *)(uintptr_t)at;
}

struct bucket *bucket_add(struct core *c, const struct row_maturing *row)
{
    char key[KEY_SIZE];
    struct bucket *b = object_new(c, &c->purse->buckets, ROW_MATURING, row);
    if (!b)
        return NULL;
    b->timer.kind = PURSE_BUCKET;
    must(strmap_put(&c->purse->bucket_keys, bucket_key(row->party, row->due_ms, key),
                    (uint64_t)(uintptr_t)b) == 0);
    if (row->due_ms > 0) /* else it waits for a bill (company.h) */
        purse_timer(c, &b->timer, row->due_ms);
    return b;
}

void bucket_drop(struct core *c, struct bucket *b)
{
    char key[KEY_SIZE];
    row_put(c, ROW_MATURING, ROW_DELETE, &b->row);
    (void)strmap_del(&c->purse->bucket_keys, bucket_key(b->row.party, b->row.due_ms, key));
    heap_cancel(&c->timers, &b->timer);
    obj_free(c, &b->o);
    slab_put(&c->purse->buckets, b->o.ref);
}

void purse_timer(struct core *c, struct timer *t, int64_t due_ms)
{
    must(heap_set(&c->timers, t, due_ms) == 0); /* room for one timer an object */
}

/* ---- start, time ---- */

int purse_load(struct core *c, enum row_table t, const void *row)
{
    if (t == ROW_MATURING)
        return bucket_add(c, row) ? 0 : ERR_FULL;
    const int64_t *id = row;
    if (t == ROW_PAYMENT && payment_find(c, *id))
        return 0;
    if (t == ROW_PAYOUT && payout_find(c, *id))
        return 0;
    void *at = t == ROW_PAYMENT ? (void *)payment_add(c, row) : (void *)payout_add(c, row);
    if (!at)
        return ERR_FULL;
    if (c->started) { /* a look-up: it goes again when nobody asks */
        struct timer *timer =
            t == ROW_PAYMENT ? &((struct payment *)at)->timer : &((struct payout *)at)->timer;
        purse_timer(c, timer, c->now + EVICT_MS);
    }
    return 0;
}

void purse_started(struct core *c)
{
    for (uint32_t i = 0; i < c->purse->payments.len; i++) {
        struct payment *p = slab_at(&c->purse->payments, i);
        if (p)
            payment_restart(c, p);
    }
    for (uint32_t i = 0; i < c->purse->payouts.len; i++) {
        struct payout *p = slab_at(&c->purse->payouts, i);
        if (p)
            payout_restart(c, p);
    }
    party_accounts_restart(c);
}

/* Not before it is written: a lot of which something was just given back would lose that. */
static void payment_evict(struct core *c, struct payment *p)
{
    if (p->o.dirty || p->row.bound || sharing_runs(p)) {
        purse_timer(c, &p->timer, c->now + (p->o.dirty ? DIRTY_MS : EVICT_MS));
        return;
    }
    (void)map_del(&c->purse->payment_ids, (uint64_t)p->row.id);
    obj_free(c, &p->o);
    slab_put(&c->purse->payments, p->o.ref);
}

static void payout_evict(struct core *c, struct payout *p)
{
    if (p->o.dirty) {
        purse_timer(c, &p->timer, c->now + DIRTY_MS);
        return;
    }
    if (p->row.kind == PAYOUT_SHARED)
        sharing_unlink(c, p);
    (void)map_del(&c->purse->payout_ids, (uint64_t)p->row.id);
    obj_free(c, &p->o);
    slab_put(&c->purse->payouts, p->o.ref);
}

void purse_fire(struct core *c, struct timer *t)
{
    if (t->kind == PURSE_BUCKET) {
        share_mature(c, CONTAINER_OF(t, struct bucket, timer));
    } else if (t->kind == PURSE_PAYMENT) {
        struct payment *p = CONTAINER_OF(t, struct payment, timer);
        if (p->row.state == PAYMENT_CREATED || p->row.state == PAYMENT_WAITING)
            payment_fire(c, p);
        else if (p->row.sharing > SHARING_FLAGGED && sharing_runs(p))
            sharing_fire(c, p);
        else
            payment_evict(c, p);
    } else if (t->kind == PURSE_ACCOUNT) {
        party_account_fire(c, CONTAINER_OF(t, struct party_account, timer));
    } else {
        struct payout *p = CONTAINER_OF(t, struct payout, timer);
        if (p->row.state >= PAYOUT_SETTLED && p->row.state <= PAYOUT_CANCELLED)
            payout_evict(c, p);
        else
            payout_fire(c, p);
    }
}

int64_t purse_owner(struct timer *t, int64_t *object)
{
    if (t->kind == PURSE_BUCKET) {
        const struct bucket *b = CONTAINER_OF(t, struct bucket, timer);
        *object = b->row.party;
        return b->row.tenant;
    }
    if (t->kind == PURSE_PAYMENT) {
        const struct payment *p = CONTAINER_OF(t, struct payment, timer);
        *object = p->row.id;
        return p->row.tenant;
    }
    if (t->kind == PURSE_ACCOUNT) {
        const struct party_account *a = CONTAINER_OF(t, struct party_account, timer);
        *object = a->row.id;
        return a->row.tenant;
    }
    const struct payout *p = CONTAINER_OF(t, struct payout, timer);
    *object = p->row.id;
    return p->row.tenant;
}

/* ---- small things they share ---- */

void purse_leg(struct ledger_request *q, int64_t account, int64_t amount, int64_t party)
{
    must(q->n < LEDGER_LEGS_MAX);
    if (amount)
        q->leg[q->n++] = (struct ledger_leg){account, MONEY(amount), party};
}

void purse_request(struct core *c, struct ledger_request *q, int64_t tenant, int32_t code,
                   const char *currency)
{
    *q = (struct ledger_request){.tenant = tenant, .code = code, .effective_ms = c->now};
    (void)str_copy(q->currency, sizeof q->currency, str_from_c(currency));
}

int64_t purse_account(struct core *c, int64_t tenant, int32_t kind, int64_t owner,
                      const char *currency)
{
    int64_t id;
    must(account_open(c, tenant, kind, owner, currency, &id) == 0);
    return id;
}

int64_t purse_available(const struct core *c, int64_t tenant, int32_t kind, int64_t owner,
                        const char *currency)
{
    const struct ledger_account *a = ledger_account_find(c->ledger, tenant, kind, owner, currency);
    int64_t v = a ? ledger_available(a).v : 0;
    return v > 0 ? v : 0;
}

struct out_pay *purse_ask(struct core *c, const struct channel *ch, enum pay_op op, int64_t row)
{
    struct out *o = out_new(c, OUT_PAY, OUT_SIZE(pay));
    struct out_pay *p = &o->u.pay;
    bool payment = op == PAY_CREATE || op == PAY_QUERY || op == PAY_CLOSE;
    bool account = op == PAY_ACCOUNT_OPEN || op == PAY_ACCOUNT_QUERY;
    bool share = op == PAY_SHARE || op == PAY_SHARE_QUERY;
    p->row = row;
    p->tenant = ch->row.tenant;
    p->channel = ch->row.id;
    p->kind = ch->row.kind;
    p->op = (int32_t)op;
    char letter = payment ? 'P' : account ? 'A' : share ? 'S' : op == PAY_UNFREEZE ? 'U' : 'W';
    snprintf(p->no, sizeof p->no, "%c%" PRId64, letter, row);
    return p;
}
