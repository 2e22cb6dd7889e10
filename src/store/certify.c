// SPDX-License-Identifier: Apache-2.0
/* certify.c: see certify.h. A certificate covers whole links of the hash chain: those after the day
 * before's last one, up to the last whose ledger time lies before the end of the tenant's day. So what
 * it speaks of can be found again for ever, whatever clocks said. Its balances are the day before's plus
 * what the transfers of those links moved: a day costs what happened in it, however old the file is.
 *
 * A run makes one day of all tenants that stand at the same links (in one zone all do) in one pass over
 * the transfers; days that were missed follow run by run. A tenant's first day is that of its making,
 * but not before the first link.
 *
 * Data: zones by name, the tenants and sums of the run at hand. Invariants: 1. a day is certified
 * SETTLE_MS after its end: what was posted in it is durable by then; a transfer that came later would
 * belong to the next one; 2. the rows are handed to the store whole, and nothing new is made before they
 * are durable (store_offer). */
#include "store/certify.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/map.h"
#include "core/types.h"
#include "io/os/zonefile.h"
#include "store/certificate.h"
#include "store/check.h"
#include "store/store_internal.h"

enum { SETTLE_MS = 5 * 60 * 1000, PAUSE_MS = 60 * 1000, ZONES = 64, TENANTS_MAX = 1 << 20 };
enum { ROWS_CAP = 4 << 20, KINDS_MAX = 1 << 20, FIGURES_BYTES = 64 << 20 };

struct link {
    int64_t seq, first, last, at_ms;
    char hex[2 * CRYPTO_HASH_SIZE + 1];
};

/* A tenant's day that lacks its certificate. */
struct task {
    int64_t tenant, before, day, to_ms; /* before: the day before, or 0 */
    char currency[4];
};

/* What the links of the run moved, and the day before's balances. */
struct figure {
    int64_t tenant;
    char currency[8];
    struct certificate c;
};

struct certifier {
    struct store *store;
    struct store_reader *r;
    int64_t next_ms, now_ms, head;
    struct link first, from, to; /* of the file; of the run */
    struct zone *zones[ZONES];
    char zone_names[ZONES][41];
    int zones_n;
    struct buf tasks, figures, rows;
    struct strmap figure_ids;
    struct map kinds; /* of accounts */
};

int certifier_open(struct store *s, int64_t first_ms, struct certifier **out)
{
    struct certifier *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return ERR_NOMEM;
    c->store = s;
    c->next_ms = first_ms;
    buf_init(&c->tasks, (size_t)TENANTS_MAX * sizeof(struct task));
    buf_init(&c->figures, FIGURES_BYTES);
    buf_init(&c->rows, ROWS_CAP);
    int rc = store_reader_open(s, &c->r);
    if (rc)
        certifier_close(c);
    else
        *out = c;
    return rc;
}

void certifier_close(struct certifier *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->zones_n; i++)
        zone_free(c->zones[i]);
    store_reader_close(c->r);
    buf_free(&c->tasks);
    buf_free(&c->figures);
    buf_free(&c->rows);
    free(c);
}

/* ---- days ---- */

/* NULL, which is UTC, for one that is not known here. */
static const struct zone *zone_of(struct certifier *c, struct str name)
{
    for (int i = 0; i < c->zones_n; i++)
        if (str_eq_c(name, c->zone_names[i]))
            return c->zones[i];
    if (c->zones_n == ZONES || name.n >= sizeof c->zone_names[0])
        return NULL;
    int i = c->zones_n++;
    (void)str_copy(c->zone_names[i], sizeof c->zone_names[i], name);
    if (name.n == 0 || os_zone_load(c->zone_names[i], &c->zones[i]))
        c->zones[i] = NULL;
    return c->zones[i];
}

static int64_t day_of(const struct zone *z, int64_t ms)
{
    struct civil d;
    zone_civil(z, ms, &d);
    return d.year * 10000 + d.month * 100 + d.day;
}

static int64_t day_begin(const struct zone *z, int64_t day)
{
    const struct civil d = {.year = (int32_t)(day / 10000),
                            .month = (int8_t)(day / 100 % 100),
                            .day = (int8_t)(day % 100)};
    return zone_instant(z, &d);
}

/* ---- links ---- */

static int link_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct link *l = ctx;
    (void)n;
    *l = (struct link){.seq = v[0].i, .first = v[1].i, .last = v[2].i, .at_ms = v[3].i};
    if (v[4].s.n != CRYPTO_HASH_SIZE)
        return ERR_CORRUPT;
    str_to_hex((const uint8_t *)v[4].s.p, v[4].s.n, l->hex);
    return 0;
}

static int link_get(struct certifier *c, int64_t seq, struct link *l)
{
    const struct sql_value of = SQL_I64(seq);
    *l = (struct link){0};
    return seq ? store_query(c->r, QUERY_CHAIN_GET, &of, 1, link_take, l) : 0;
}

/* The last link of `from` and those after it that was before this time: their times never fall. */
static int link_before(struct certifier *c, int64_t from, int64_t ms, struct link *l)
{
    int64_t low = from, high = c->head;
    int rc = 0;
    while (low < high && rc == 0) {
        int64_t mid = low + (high - low + 1) / 2;
        rc = link_get(c, mid, l);
        if (l->at_ms < ms)
            low = mid;
        else
            high = mid - 1;
    }
    return rc ? rc : link_get(c, low, l);
}

static int head_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(int64_t *)ctx = v[0].i;
    return 0;
}

/* ---- which days lack ---- */

static int tenant_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct certifier *c = ctx;
    const struct zone *z = zone_of(c, v[1].s);
    struct task t = {.tenant = v[0].i, .before = v[4].i};
    struct link from = {.seq = v[5].i}, to;
    int64_t made_ms = v[3].i > c->first.at_ms ? v[3].i : c->first.at_ms;
    int rc = 0;
    (void)n;
    (void)str_copy(t.currency, sizeof t.currency, v[2].s);
    t.day =
        t.before ? day_of(z, zone_next_midnight(z, day_begin(z, t.before))) : day_of(z, made_ms);
    t.to_ms = zone_next_midnight(z, day_begin(z, t.day));
    if (t.to_ms + SETTLE_MS > c->now_ms)
        return 0;
    rc = t.before ? link_get(c, v[5].i, &from) : link_before(c, 0, day_begin(z, t.day), &from);
    if (rc == 0)
        rc = link_before(c, from.seq, t.to_ms, &to);
    if (rc || to.seq == 0)
        return rc;
    if (c->tasks.n == 0) {
        c->from = from;
        c->to = to;
    }
    if (c->from.seq == from.seq && c->to.seq == to.seq)
        buf_put(&c->tasks, &t, sizeof t); /* others wait for a run of their own */
    return c->tasks.err;
}

/* ---- figures ---- */

static int figure_find(struct certifier *c, int64_t tenant, struct str currency, bool make,
                       struct figure **out)
{
    struct figure fresh = {.tenant = tenant};
    (void)str_copy(fresh.currency, 4, currency);
    const struct str key = str_from((const char *)&fresh, offsetof(struct figure, c));
    uint64_t i = c->figures.n / sizeof fresh;
    int rc = 0;
    *out = NULL;
    if (!strmap_get(&c->figure_ids, key, &i)) {
        if (!make)
            return 0;
        buf_put(&c->figures, &fresh, sizeof fresh);
        rc = c->figures.err ? c->figures.err : strmap_put(&c->figure_ids, key, i);
    }
    if (rc == 0)
        *out = (struct figure *)(void *)c->figures.p + i;
    return rc;
}

static int before_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct certifier *c = ctx;
    struct certificate before;
    struct figure *f;
    (void)n;
    certificate_read(&before, v);
    int rc = figure_find(c, before.tenant, v[2].s, true, &f);
    if (rc)
        return rc;
    f->c.wallets = before.wallets;
    f->c.parties = before.parties;
    f->c.transit = before.transit;
    f->c.rest = before.rest;
    return 0;
}

static int figures_begin(struct certifier *c)
{
    const struct task *t = (const struct task *)(void *)c->tasks.p;
    int rc = 0;
    for (size_t i = 0; i < c->tasks.n / sizeof *t && rc == 0; i++) {
        const struct sql_value of[] = {SQL_I64(t[i].tenant), SQL_I64(t[i].before)};
        struct figure *f;
        rc = figure_find(c, t[i].tenant, str_from_c(t[i].currency), true, &f);
        if (rc == 0)
            rc = store_query(c->r, QUERY_CERTIFY_BEFORE, of, 2, before_take, c);
    }
    return rc;
}

static int kind_of(struct certifier *c, int64_t account, uint64_t *kind)
{
    const struct sql_value of = SQL_I64(account);
    int64_t found = 0;
    if (map_get(&c->kinds, (uint64_t)account, kind))
        return 0;
    int rc = store_query(c->r, QUERY_CERTIFY_ACCOUNT, &of, 1, head_take, &found);
    *kind = (uint64_t)found;
    if (rc || c->kinds.n >= KINDS_MAX)
        return rc == ERR_NOT_FOUND ? 0 : rc; /* among the rest; `even check` names it */
    return map_put(&c->kinds, (uint64_t)account, *kind);
}

static void leg_add(struct certificate *f, uint64_t kind, int64_t amount)
{
    int64_t *of = &f->rest;
    if (kind == ACCOUNT_WALLET || kind == ACCOUNT_WALLET_BONUS || kind == ACCOUNT_COMPANY)
        of = &f->wallets;
    else if (kind == ACCOUNT_PENDING || kind == ACCOUNT_AVAILABLE || kind == ACCOUNT_PARTY_DEBT)
        of = &f->parties;
    else if (kind == ACCOUNT_TRANSIT)
        of = &f->transit;
    *of = check_add(*of, amount);
    if (amount < 0)
        f->debits = check_sub(f->debits, amount);
    else
        f->credits = check_add(f->credits, amount);
}

static int transfer_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct certifier *c = ctx;
    struct cursor legs = {(const uint8_t *)v[2].s.p, (const uint8_t *)v[2].s.p + v[2].s.n};
    const struct task *t = (const struct task *)(void *)c->tasks.p;
    struct figure *f;
    struct check_leg leg;
    uint64_t kind = 0;
    int more, rc = 0;
    (void)n;
    /* A tenant of this run has a figure of its own currency; others come with their first transfer. */
    rc = figure_find(c, v[0].i, v[1].s, false, &f);
    for (size_t i = 0; !f && i < c->tasks.n / sizeof *t && rc == 0; i++)
        if (t[i].tenant == v[0].i)
            rc = figure_find(c, v[0].i, v[1].s, true, &f);
    if (rc || !f)
        return rc;
    f->c.transfers++;
    while ((more = check_leg_next(&legs, &leg)) == 1) {
        rc = kind_of(c, leg.account, &kind);
        if (rc)
            return rc;
        leg_add(&f->c, kind, leg.amount);
    }
    return more < 0 ? ERR_CORRUPT : 0;
}

/* ---- rows ---- */

static const struct task *task_of(const struct certifier *c, int64_t tenant)
{
    const struct task *t = (const struct task *)(void *)c->tasks.p;
    for (size_t i = 0; i < c->tasks.n / sizeof *t; i++)
        if (t[i].tenant == tenant)
            return &t[i];
    return NULL;
}

static int rows_pack(struct certifier *c)
{
    const struct figure *f = (const struct figure *)(void *)c->figures.p;
    for (size_t i = 0; i < c->figures.n / sizeof *f; i++) {
        const struct task *t = task_of(c, f[i].tenant);
        const struct certificate *x = &f[i].c;
        const struct row_certificate row = {.tenant = t->tenant,
                                            .day = (int32_t)t->day,
                                            .currency = f[i].currency,
                                            .to_ms = t->to_ms,
                                            .transfers = x->transfers,
                                            .debits = x->debits,
                                            .credits = x->credits,
                                            .wallets = x->wallets,
                                            .parties = x->parties,
                                            .transit = x->transit,
                                            .rest = x->rest,
                                            .link = c->to.seq,
                                            .hash = c->to.hex,
                                            .made_ms = c->now_ms};
        row_pack(&c->rows, ROW_CERTIFICATE, ROW_UPSERT, &row);
    }
    return c->rows.err;
}

static int days_find(struct certifier *c)
{
    c->head = 0;
    int rc = store_query(c->r, QUERY_CHAIN_LAST, NULL, 0, head_take, &c->head);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = link_get(c, 1, &c->first);
    return rc ? rc : store_query(c->r, QUERY_CERTIFY_TENANTS, NULL, 0, tenant_take, c);
}

static int days_make(struct certifier *c)
{
    const struct sql_value range[] = {SQL_I64(c->from.last + 1), SQL_I64(c->to.last)};
    int rc = figures_begin(c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CERTIFY_TRANSFERS, range, 2, transfer_take, c);
    return rc ? rc : rows_pack(c);
}

bool certifier_made(const struct certifier *c)
{
    return c->rows.n != 0;
}

int certifier_run(struct certifier *c, int64_t now_ms)
{
    if (now_ms < c->next_ms || !store_offer_open(c->store))
        return 0;
    c->now_ms = now_ms;
    buf_reset(&c->tasks);
    buf_reset(&c->figures);
    buf_reset(&c->rows);
    strmap_init(&c->figure_ids, TENANTS_MAX, 0xce41);
    map_init(&c->kinds, KINDS_MAX, 0xce42);
    int rc = store_reader_begin(c->r);
    if (rc == 0) {
        rc = days_find(c);
        if (rc == 0 && c->tasks.n)
            rc = days_make(c);
        store_reader_end(c->r);
    }
    if (rc == 0 && c->rows.n)
        rc = store_offer(c->store, buf_str(&c->rows));
    if (rc || c->rows.n == 0)
        c->next_ms = now_ms + PAUSE_MS;
    strmap_free(&c->figure_ids);
    map_free(&c->kinds);
    return rc;
}
