// SPDX-License-Identifier: Apache-2.0
/* ledger.c: see ledger.h for the model and its invariants.
 *
 * How it is kept: accounts and holds are slab objects that never move while they live; `by_id` and
 * `by_key` find accounts, `holds_by_id` finds holds. What changed hangs on two lists (dirty
 * accounts, dirty holds) until ledger_flush packs each once. Every operation first builds a plan
 * from the request (struct plan: each account once), checks it whole, packs the transfer row, and
 * only then touches balances: after plan_check and a successful pack nothing can fail any more.
 *
 * Fails by result codes for input; must() where our own sums no longer agree. Thread: the core's.
 */
#include "core/ledger.h"

#include "base/err.h"
#include "base/map.h"
#include "base/must.h"
#include "base/slab.h"
#include "core/rows.h"

#define AMOUNT_MAX   INT64_C(1000000000000000) /* 100 billion yuan in one leg */
#define POSTED_MAX   INT64_C(4000000000000000000)
#define FLOOR_SIGNED (-INT64_C(4000000000000000000))
#define KEY_SIZE     (2 * sizeof(int64_t) + sizeof(int32_t) + 3)
#define LEGS_BYTES   4000 /* column transfer.legs */

struct account {
    struct ledger_account a; /* first: the public pointer is this one */
    struct account *next;    /* in the list of dirty ones */
    bool dirty;
    bool whole; /* not only what postings and holds change is to be written */
};

struct hold {
    struct ledger_hold h; /* first */
    struct slab_ref ref;
    struct hold *next;
    struct hold *more; /* its next leg; the first leg begins the list */
    bool dirty;
};

struct ledger {
    struct slab accounts, holds;
    struct map by_id, holds_by_id;
    struct strmap by_key;
    struct account *dirty_accounts;
    struct hold *dirty_holds, *dirty_last;
    int64_t posted_ms; /* ledger time: of the last posting */
    struct buf legs;   /* scratch for one blob */
};

/** A request after merging: each account once, no zero amounts. */
struct plan {
    uint32_t n;
    struct {
        struct account *account;
        int64_t amount, party;
    } leg[LEDGER_LEGS_MAX];
    int64_t positive; /* sum of the positive legs */
};

/* ---- keys and lists ---- */

static bool currency_valid(const char *c)
{
    for (int i = 0; i < 3; i++)
        if (c[i] < 'A' || c[i] > 'Z')
            return false;
    return c[3] == 0;
}

static struct str account_key(char out[KEY_SIZE], int64_t tenant, int32_t kind, int64_t owner,
                              const char *currency)
{
    char *p = out;
    memcpy(p, &tenant, sizeof tenant);
    p += sizeof tenant;
    memcpy(p, &owner, sizeof owner);
    p += sizeof owner;
    memcpy(p, &kind, sizeof kind);
    p += sizeof kind;
    memcpy(p, currency, 3);
    return str_from(out, KEY_SIZE);
}

static void account_touch(struct ledger *l, struct account *a)
{
    a->a.version++;
    if (a->dirty)
        return;
    a->dirty = true;
    a->next = l->dirty_accounts;
    l->dirty_accounts = a;
}

static void hold_touch(struct ledger *l, struct hold *h)
{
    if (h->dirty)
        return;
    h->dirty = true;
    h->next = NULL;
    if (l->dirty_holds)
        l->dirty_last->next = h; /* first legs before further ones */
    else
        l->dirty_holds = h;
    l->dirty_last = h;
}

static struct account *account_get(const struct ledger *l, int64_t id)
{
    return map_get_ptr(&l->by_id, (uint64_t)id);
}

static struct hold *hold_get(const struct ledger *l, int64_t id)
{
    return map_get_ptr(&l->holds_by_id, (uint64_t)id);
}

/** Ledger time never falls, whatever the clock does. */
static int64_t ledger_now(struct ledger *l, int64_t now_ms)
{
    if (now_ms > l->posted_ms)
        l->posted_ms = now_ms;
    return l->posted_ms;
}

/* ---- life ---- */

int ledger_new(struct arena *a, const struct ledger_limits *limits, struct ledger **out)
{
    struct ledger *l = ARENA_NEW(a, struct ledger);
    if (!l)
        return ERR_NOMEM;
    slab_init(&l->accounts, sizeof(struct account), limits->accounts);
    slab_init(&l->holds, sizeof(struct hold), limits->holds);
    map_init(&l->by_id, limits->accounts, limits->seed);
    map_init(&l->holds_by_id, limits->holds, limits->seed);
    strmap_init(&l->by_key, limits->accounts, limits->seed);
    buf_init(&l->legs, LEGS_BYTES);
    *out = l;
    return 0;
}

void ledger_free(struct ledger *l)
{
    buf_free(&l->legs);
    strmap_free(&l->by_key);
    map_free(&l->holds_by_id);
    map_free(&l->by_id);
    slab_free(&l->holds);
    slab_free(&l->accounts);
}

void ledger_time_floor(struct ledger *l, int64_t posted_ms)
{
    (void)ledger_now(l, posted_ms);
}

static struct account *account_add(struct ledger *l, const struct ledger_account *from)
{
    char key[KEY_SIZE];
    struct slab_ref ref;
    struct account *a = slab_get(&l->accounts, &ref);
    if (!a)
        return NULL;
    a->a = *from;
    must(map_put_ptr(&l->by_id, (uint64_t)from->id, a) == 0);
    must(strmap_put(&l->by_key,
                    account_key(key, from->tenant, from->kind, from->owner, from->currency),
                    (uint64_t)(uintptr_t)a) == 0);
    return a;
}

static struct hold *hold_add(struct ledger *l, const struct ledger_hold *from)
{
    struct slab_ref ref;
    struct hold *h = slab_get(&l->holds, &ref);
    if (!h)
        return NULL;
    h->h = *from;
    h->ref = ref;
    struct hold *last = from->leg_of ? hold_get(l, from->leg_of) : NULL;
    while (last && last->more)
        last = last->more;
    if (last)
        last->more = h;
    must(map_put_ptr(&l->holds_by_id, (uint64_t)from->id, h) == 0);
    return h;
}

static bool account_sound(const struct ledger_account *a)
{
    if (a->posted_in < 0 || a->posted_out < 0 || a->held < 0)
        return false;
    if (a->posted_in > POSTED_MAX || a->posted_out > POSTED_MAX || a->held > POSTED_MAX)
        return false;
    return a->posted_in - a->posted_out - a->held >= a->min_balance;
}

int ledger_load_account(struct ledger *l, const struct row_account *row)
{
    struct ledger_account a = {.id = row->id,
                               .tenant = row->tenant,
                               .owner = row->owner,
                               .kind = row->kind,
                               .posted_in = row->posted_in,
                               .posted_out = row->posted_out,
                               .held = row->held,
                               .min_balance = row->min_balance,
                               .last_transfer = row->last_transfer,
                               .version = row->version,
                               .created_ms = row->created_ms,
                               .flags = row->flags};
    struct str currency = str_from_c(row->currency);
    if (str_copy(a.currency, sizeof a.currency, currency) != currency.n ||
        !currency_valid(a.currency) || a.id <= 0 || !account_sound(&a))
        return ERR_CORRUPT;
    if (account_get(l, a.id) || ledger_account_find(l, a.tenant, a.kind, a.owner, a.currency))
        return ERR_CORRUPT;
    return account_add(l, &a) ? 0 : ERR_FULL;
}

int ledger_load_hold(struct ledger *l, const struct row_hold *row)
{
    if (row->state == HOLD_RESOLVED)
        return 0;
    struct ledger_hold h = {.id = row->id,
                            .tenant = row->tenant,
                            .account = row->account,
                            .order_id = row->order_id,
                            .amount = MONEY(row->amount),
                            .captured = MONEY(row->captured),
                            .released = MONEY(row->released),
                            .state = row->state,
                            .expires_ms = row->expires_ms,
                            .created_ms = row->created_ms,
                            .resolved_ms = row->resolved_ms,
                            .leg_of = row->leg_of};
    const struct account *a = account_get(l, h.account);
    const struct hold *first = h.leg_of ? hold_get(l, h.leg_of) : NULL;
    if (h.leg_of && (!first || first->h.leg_of || first->h.order_id != h.order_id))
        return ERR_CORRUPT; /* legs come after their first: ids ascend */
    if (h.state != HOLD_OPEN || h.id <= 0 || hold_get(l, h.id) || !a || a->a.tenant != h.tenant ||
        h.amount.v <= 0 || h.amount.v > a->a.held || h.captured.v || h.released.v)
        return ERR_CORRUPT;
    return hold_add(l, &h) ? 0 : ERR_FULL;
}

/* ---- accounts ---- */

bool ledger_kind_signed(int32_t kind)
{
    switch (kind) {
    case ACCOUNT_CASH:
    case ACCOUNT_DEBT:
    case ACCOUNT_OVERRUN:
    case ACCOUNT_SUSPENSE:
    case ACCOUNT_CHANNEL:
    case ACCOUNT_CHANNEL_FEE:
    case ACCOUNT_BANK:
    case ACCOUNT_PARTY_DEBT:
    case ACCOUNT_MARKETING:
    case ACCOUNT_GRID:
    case ACCOUNT_TAX: /* paid to the office, then a payout of that month came back */
        return true;
    default:
        return false;
    }
}

int ledger_account_open(struct ledger *l, const struct ledger_ctx *ctx,
                        const struct ledger_account *key, int64_t *id, bool *made)
{
    if (!currency_valid(key->currency))
        return ERR_CURRENCY;
    if (key->kind < ACCOUNT_CASH || key->kind > ACCOUNT_GRID)
        return ERR_RANGE;
    const struct ledger_account *old =
        ledger_account_find(l, key->tenant, key->kind, key->owner, key->currency);
    if (made)
        *made = !old;
    if (old) {
        *id = old->id;
        return 0;
    }
    must(ctx->id > 0 && !account_get(l, ctx->id));
    struct ledger_account fresh = {.id = ctx->id,
                                   .tenant = key->tenant,
                                   .owner = key->owner,
                                   .kind = key->kind,
                                   .min_balance = ledger_kind_signed(key->kind) ? FLOOR_SIGNED : 0,
                                   .created_ms = ctx->now_ms};
    memcpy(fresh.currency, key->currency, sizeof fresh.currency);
    struct account *a = account_add(l, &fresh);
    if (!a)
        return ERR_FULL;
    a->whole = true;
    account_touch(l, a);
    *id = fresh.id;
    return 0;
}

int ledger_floor_set(struct ledger *l, int64_t account, struct money floor)
{
    struct account *a = account_get(l, account);
    if (!a)
        return ERR_NOT_FOUND;
    if (floor.v > 0 || floor.v < FLOOR_SIGNED)
        return ERR_RANGE;
    if (a->a.posted_in - a->a.posted_out - a->a.held < floor.v)
        return ERR_CONFLICT;
    if (a->a.min_balance != floor.v) {
        a->a.min_balance = floor.v;
        a->whole = true;
        account_touch(l, a);
    }
    return 0;
}

const struct ledger_account *ledger_account(const struct ledger *l, int64_t id)
{
    const struct account *a = account_get(l, id);
    return a ? &a->a : NULL;
}

const struct ledger_account *ledger_account_find(const struct ledger *l, int64_t tenant,
                                                 int32_t kind, int64_t owner, const char *currency)
{
    char key[KEY_SIZE];
    uint64_t at;
    if (!currency_valid(currency) ||
        !strmap_get(&l->by_key, account_key(key, tenant, kind, owner, currency), &at))
        return NULL;
    return &((const struct account *)(uintptr_t)at)->a;
}

uint32_t ledger_accounts(const struct ledger *l)
{
    return l->accounts.live;
}

const struct ledger_account *ledger_account_at(const struct ledger *l, uint32_t i)
{
    const struct account *a = slab_at(&l->accounts, i);
    return a ? &a->a : NULL;
}

struct money ledger_balance(const struct ledger_account *a)
{
    return MONEY(a->posted_in - a->posted_out);
}

struct money ledger_available(const struct ledger_account *a)
{
    return MONEY(a->posted_in - a->posted_out - a->held);
}

/* ---- transfers: plan, check, pack, apply ---- */

static void plan_add(struct plan *p, struct account *a, const struct ledger_leg *leg)
{
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->leg[i].account != a)
            continue;
        p->leg[i].amount += leg->amount.v;
        return;
    }
    p->leg[p->n].account = a;
    p->leg[p->n].amount = leg->amount.v;
    p->leg[p->n].party = leg->party;
    p->n++;
}

static void plan_drop_zeros(struct plan *p)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->n; i++)
        if (p->leg[i].amount)
            p->leg[kept++] = p->leg[i];
    p->n = kept;
}

/** Merges the legs and checks what can be checked without balances. */
static int plan_build(const struct ledger *l, const struct ledger_request *req, struct plan *p)
{
    int64_t sum = 0; /* at most 64 × AMOUNT_MAX: fits */
    p->n = 0;
    p->positive = 0;
    if (req->n > LEDGER_LEGS_MAX)
        return ERR_RANGE;
    if (!currency_valid(req->currency))
        return ERR_CURRENCY;
    for (uint32_t i = 0; i < req->n; i++) {
        const struct ledger_leg *leg = &req->leg[i];
        struct account *a = account_get(l, leg->account);
        if (leg->amount.v > AMOUNT_MAX || leg->amount.v < -AMOUNT_MAX)
            return ERR_RANGE;
        if (!a)
            return ERR_NOT_FOUND;
        if (a->a.tenant != req->tenant)
            return ERR_CONFLICT;
        if (memcmp(a->a.currency, req->currency, 3) != 0)
            return ERR_CURRENCY;
        sum += leg->amount.v;
        plan_add(p, a, leg);
    }
    plan_drop_zeros(p);
    for (uint32_t i = 0; i < p->n; i++)
        if (p->leg[i].amount > 0)
            p->positive += p->leg[i].amount;
    return sum == 0 ? 0 : ERR_RANGE;
}

/* What the legs of this hold (NULL = none) have of an account. */
static int64_t hold_in(const struct hold *first, int64_t account)
{
    int64_t sum = 0;
    for (const struct hold *h = first; h; h = h->more)
        sum += h->h.account == account ? h->h.amount.v : 0;
    return sum;
}

/** Floors and counters, as if all that this hold keeps were released first. */
static int plan_check(const struct plan *p, const struct hold *freed)
{
    for (uint32_t i = 0; i < p->n; i++) {
        const struct ledger_account *a = &p->leg[i].account->a;
        int64_t amount = p->leg[i].amount;
        if (amount > 0 && a->posted_in > POSTED_MAX - amount)
            return ERR_RANGE;
        if (amount > 0)
            continue;
        if (a->posted_out > POSTED_MAX + amount)
            return ERR_RANGE;
        int64_t held = a->held - hold_in(freed, a->id);
        if (a->posted_in - a->posted_out - held + amount < a->min_balance)
            return ERR_NO_FUNDS;
    }
    return 0;
}

static void plan_pack_legs(struct ledger *l, const struct plan *p)
{
    buf_reset(&l->legs);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct ledger_account *a = &p->leg[i].account->a;
        buf_put_varint(&l->legs, (uint64_t)a->id);
        buf_put_zigzag(&l->legs, p->leg[i].amount);
        buf_put_zigzag(&l->legs, a->posted_in - a->posted_out + p->leg[i].amount);
        buf_put_varint(&l->legs, (uint64_t)a->last_transfer);
        buf_put_varint(&l->legs, (uint64_t)p->leg[i].party);
    }
    must(l->legs.err == 0); /* 64 legs are at most 3,200 bytes */
}

static int plan_pack(struct ledger *l, const struct ledger_ctx *ctx,
                     const struct ledger_request *req, const struct plan *p)
{
    plan_pack_legs(l, p);
    struct row_transfer row = {.id = ctx->id,
                               .tenant = req->tenant,
                               .code = req->code,
                               .order_id = req->order_id,
                               .reverses = req->reverses,
                               .currency = req->currency,
                               .amount = p->positive,
                               .contract = req->contract,
                               .cause = ctx->cause,
                               .actor_kind = ctx->actor_kind,
                               .actor = ctx->actor,
                               .effective_ms = req->effective_ms,
                               .posted_ms = ledger_now(l, ctx->now_ms),
                               .legs = buf_str(&l->legs),
                               .note = req->note ? req->note : ""};
    row_pack(ctx->rows, ROW_TRANSFER, ROW_INSERT, &row);
    return ctx->rows->err ? ERR_TOO_LARGE : 0;
}

static void plan_apply(struct ledger *l, const struct plan *p, int64_t transfer)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        struct account *a = p->leg[i].account;
        int64_t amount = p->leg[i].amount;
        must(a->a.last_transfer != transfer);
        if (amount > 0)
            a->a.posted_in += amount;
        else
            a->a.posted_out -= amount;
        a->a.last_transfer = transfer;
        must(account_sound(&a->a));
        account_touch(l, a);
        sum += amount;
    }
    must(sum == 0);
}

int ledger_post(struct ledger *l, const struct ledger_ctx *ctx, const struct ledger_request *req)
{
    struct plan p;
    must(ctx->id > 0 && ctx->rows);
    int rc = plan_build(l, req, &p);
    if (!rc && !p.n)
        rc = ERR_RANGE;
    if (!rc)
        rc = plan_check(&p, NULL);
    if (!rc)
        rc = plan_pack(l, ctx, req, &p);
    if (!rc)
        plan_apply(l, &p, ctx->id);
    return rc;
}

/* ---- holds ---- */

static int hold_reserve(const struct account *a, struct money amount)
{
    if (amount.v <= 0 || amount.v > AMOUNT_MAX)
        return ERR_RANGE;
    if (a->a.posted_in - a->a.posted_out - a->a.held - amount.v < a->a.min_balance)
        return ERR_NO_FUNDS;
    return 0;
}

int ledger_hold_open(struct ledger *l, const struct ledger_ctx *ctx, int64_t account,
                     struct money amount, int64_t order_id, int64_t expires_ms)
{
    must(ctx->id > 0 && !hold_get(l, ctx->id));
    struct account *a = account_get(l, account);
    int rc = a ? hold_reserve(a, amount) : ERR_NOT_FOUND;
    if (rc)
        return rc;
    struct ledger_hold fresh = {.id = ctx->id,
                                .tenant = a->a.tenant,
                                .account = account,
                                .order_id = order_id,
                                .amount = amount,
                                .state = HOLD_OPEN,
                                .expires_ms = expires_ms,
                                .created_ms = ledger_now(l, ctx->now_ms)};
    struct hold *h = hold_add(l, &fresh);
    if (!h)
        return ERR_FULL;
    a->a.held += amount.v;
    account_touch(l, a);
    hold_touch(l, h);
    return 0;
}

int ledger_hold_add(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold, int64_t account,
                    struct money amount)
{
    must(ctx->id > 0 && !hold_get(l, ctx->id));
    const struct hold *first = hold_get(l, hold);
    struct account *a = account_get(l, account);
    if (!first || !a)
        return ERR_NOT_FOUND;
    if (first->h.state != HOLD_OPEN || first->h.leg_of || hold_in(first, account) ||
        a->a.tenant != first->h.tenant)
        return ERR_CONFLICT;
    int rc = hold_reserve(a, amount);
    if (rc)
        return rc;
    struct ledger_hold fresh = first->h;
    fresh.id = ctx->id;
    fresh.leg_of = hold;
    fresh.account = account;
    fresh.amount = amount;
    fresh.created_ms = ledger_now(l, ctx->now_ms);
    struct hold *h = hold_add(l, &fresh);
    if (!h)
        return ERR_FULL;
    a->a.held += amount.v;
    account_touch(l, a);
    hold_touch(l, h);
    return 0;
}

int ledger_hold_increase(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold,
                         struct money more)
{
    struct hold *h = hold_get(l, hold);
    if (!h)
        return ERR_NOT_FOUND;
    if (h->h.state != HOLD_OPEN)
        return ERR_CONFLICT;
    struct account *a = account_get(l, h->h.account);
    int rc = hold_reserve(a, more);
    if (rc)
        return rc;
    (void)ledger_now(l, ctx->now_ms);
    h->h.amount = money_add(h->h.amount, more);
    a->a.held += more.v;
    account_touch(l, a);
    hold_touch(l, h);
    return 0;
}

/** Marks a leg resolved and frees what it held; the caller has checked everything. */
static void leg_resolve(struct ledger *l, struct hold *h, int64_t now_ms, int64_t captured)
{
    struct account *a = account_get(l, h->h.account);
    must(a);
    h->h.captured = MONEY(captured);
    h->h.released = money_sub(h->h.amount, h->h.captured);
    h->h.state = HOLD_RESOLVED;
    h->h.resolved_ms = ledger_now(l, now_ms);
    must(h->h.released.v >= 0 && a->a.held >= h->h.amount.v);
    a->a.held -= h->h.amount.v;
    account_touch(l, a);
    hold_touch(l, h);
}

static int64_t plan_taken_from(const struct plan *p, int64_t account)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->leg[i].account->a.id == account)
            return -p->leg[i].amount;
    return 0;
}

/* The first leg of an open hold, by which all of it is resolved. */
static int hold_whole(const struct ledger *l, int64_t hold, struct hold **first)
{
    *first = hold_get(l, hold);
    if (!*first)
        return ERR_NOT_FOUND;
    return (*first)->h.state != HOLD_OPEN || (*first)->h.leg_of ? ERR_CONFLICT : 0;
}

int ledger_hold_capture(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold,
                        const struct ledger_request *req)
{
    struct plan p;
    struct hold *first;
    int rc = hold_whole(l, hold, &first);
    if (rc)
        return rc;
    must(ctx->id > 0 && ctx->rows);
    rc = plan_build(l, req, &p);
    for (const struct hold *h = first; h && !rc; h = h->more) {
        int64_t captured = plan_taken_from(&p, h->h.account);
        if (captured < 0 || captured > h->h.amount.v)
            rc = ERR_RANGE;
    }
    if (!rc)
        rc = plan_check(&p, first);
    if (!rc && p.n)
        rc = plan_pack(l, ctx, req, &p);
    if (rc)
        return rc;
    for (struct hold *h = first; h; h = h->more)
        leg_resolve(l, h, ctx->now_ms, plan_taken_from(&p, h->h.account));
    if (p.n)
        plan_apply(l, &p, ctx->id);
    return 0;
}

int ledger_hold_release(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold)
{
    struct hold *first;
    int rc = hold_whole(l, hold, &first);
    if (rc)
        return rc;
    for (struct hold *h = first; h; h = h->more)
        leg_resolve(l, h, ctx->now_ms, 0);
    return 0;
}

const struct ledger_hold *ledger_hold_leg(const struct ledger *l, int64_t hold, int64_t account)
{
    for (const struct hold *h = hold_get(l, hold); h; h = h->more)
        if (h->h.account == account)
            return &h->h;
    return NULL;
}

int64_t ledger_hold_amount(const struct ledger *l, int64_t hold)
{
    int64_t sum = 0;
    for (const struct hold *h = hold_get(l, hold); h; h = h->more)
        sum += h->h.amount.v;
    return sum;
}

const struct ledger_hold *ledger_hold(const struct ledger *l, int64_t hold)
{
    const struct hold *h = hold_get(l, hold);
    return h ? &h->h : NULL;
}

/* ---- flush ---- */

bool ledger_dirty(const struct ledger *l)
{
    return l->dirty_accounts || l->dirty_holds;
}

static void account_pack(const struct ledger_account *a, enum row_op op, struct buf *rows)
{
    struct row_account row = {.id = a->id,
                              .tenant = a->tenant,
                              .kind = a->kind,
                              .owner = a->owner,
                              .currency = a->currency,
                              .posted_in = a->posted_in,
                              .posted_out = a->posted_out,
                              .held = a->held,
                              .min_balance = a->min_balance,
                              .last_transfer = a->last_transfer,
                              .version = a->version,
                              .flags = a->flags,
                              .created_ms = a->created_ms};
    row_pack(rows, ROW_ACCOUNT, op, &row);
}

static void hold_pack(const struct ledger_hold *h, struct buf *rows)
{
    struct row_hold row = {.id = h->id,
                           .tenant = h->tenant,
                           .account = h->account,
                           .order_id = h->order_id,
                           .amount = h->amount.v,
                           .captured = h->captured.v,
                           .released = h->released.v,
                           .state = h->state,
                           .expires_ms = h->expires_ms,
                           .created_ms = h->created_ms,
                           .resolved_ms = h->resolved_ms,
                           .leg_of = h->leg_of};
    row_pack(rows, ROW_HOLD, ROW_UPSERT, &row);
}

void ledger_flush(struct ledger *l, struct buf *rows)
{
    while (l->dirty_accounts) {
        struct account *a = l->dirty_accounts;
        l->dirty_accounts = a->next;
        account_pack(&a->a, a->whole ? ROW_UPSERT : ROW_UPDATE, rows);
        a->dirty = a->whole = false;
    }
    while (l->dirty_holds) {
        struct hold *h = l->dirty_holds;
        l->dirty_holds = h->next;
        h->dirty = false;
        hold_pack(&h->h, rows);
        if (h->h.state != HOLD_RESOLVED)
            continue;
        (void)map_del(&l->holds_by_id, (uint64_t)h->h.id);
        slab_put(&l->holds, h->ref);
    }
}

/* ---- reading and re-deriving ---- */

int ledger_leg_next(struct cursor *c, struct ledger_leg_row *out)
{
    uint64_t account, prev, party;
    if (c->p == c->end)
        return ERR_NOT_FOUND;
    if (cursor_varint(c, &account) || cursor_zigzag(c, &out->amount) ||
        cursor_zigzag(c, &out->balance) || cursor_varint(c, &prev) || cursor_varint(c, &party))
        return ERR_SYNTAX;
    out->account = (int64_t)account;
    out->prev = (int64_t)prev;
    out->party = (int64_t)party;
    return 0;
}

static int verify_held(const struct ledger *l)
{
    struct map held;
    size_t i = 0;
    uint64_t key, at, sum;
    int rc = 0;
    map_init(&held, l->holds.cap, 1);
    while (!rc && map_next(&l->holds_by_id, &i, &key, &at)) {
        const struct ledger_hold *h = &((const struct hold *)(uintptr_t)at)->h;
        if (h->state != HOLD_OPEN)
            continue;
        sum = 0;
        (void)map_get(&held, (uint64_t)h->account, &sum);
        rc = map_put(&held, (uint64_t)h->account, sum + (uint64_t)h->amount.v);
    }
    for (uint32_t n = 0; !rc && n < l->accounts.live; n++) {
        const struct ledger_account *a = ledger_account_at(l, n);
        sum = 0;
        (void)map_get(&held, (uint64_t)a->id, &sum);
        if ((int64_t)sum != a->held || !account_sound(a))
            rc = ERR_CORRUPT;
    }
    map_free(&held);
    return rc;
}

/** Balances of each (tenant, currency) summed in a table of its own. */
static int verify_sums(const struct ledger *l)
{
    struct strmap sums;
    char key[KEY_SIZE];
    uint64_t sum, off = 0; /* off: sums that are not zero now */
    int rc = 0;
    strmap_init(&sums, l->accounts.cap, 1);
    for (uint32_t i = 0; !rc && i < l->accounts.live; i++) {
        const struct ledger_account *a = ledger_account_at(l, i);
        struct str k = account_key(key, a->tenant, 0, 0, a->currency);
        sum = 0;
        (void)strmap_get(&sums, k, &sum);
        off -= sum != 0;
        sum += (uint64_t)ledger_balance(a).v;
        off += sum != 0;
        rc = strmap_put(&sums, k, sum);
    }
    strmap_free(&sums);
    return rc ? rc : off ? ERR_CORRUPT : 0;
}

int ledger_verify(const struct ledger *l)
{
    int rc = verify_held(l);
    return rc ? rc : verify_sums(l);
}
