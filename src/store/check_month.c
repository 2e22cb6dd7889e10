// SPDX-License-Identifier: Apache-2.0
/* check_month.c: `even check`, the months of contracts. A family whose clauses count by month keeps sums
 * of it: what was divided and its energy, by which tiers go, and what each party with a cap, a guarantee
 * or a rent got, refunds taken off. Here they are worked out again:
 *
 *   base     Σ of the parts of each transfer that charged an order, of the lines that somebody shares in
 *   energy   of the fee lines that it charged
 *   amount   Σ of the party's parts, also negative ones, from the version on that first named the party
 *   rent     each version's, for as long as it was in force in the month
 *   posted   that and what is missing to the guarantees, counted the same way; in whole fen
 *
 * A transfer counts in the month with the largest from_id below its own id, so a month that ended late
 * (the program was down) counts as it did then. Versions that came after a month's end change nothing of
 * it.
 *
 *   month    each of these figures; months follow each other without a gap, the last alone is open; their
 *            bounds, and the times of what counts in them, are those of the calendar (give or take a
 *            zone); a family with such clauses has a month
 *
 * Shares no code with the core. Data: the versions, clauses and months of such families. */
#include "store/check.h"

#include "base/calendar.h"
#include "base/err.h"
#include "core/types.h"

#define DAY_MS  INT64_C(86400000)
#define ZONE_MS (14 * INT64_C(3600000)) /* no zone is further from Greenwich */
#define FEN     100

/* A version, or a clause of it that counts by month. */
struct version {
    int64_t family, tenant, id, from_ms, to_ms, kind, party, rate;
};
struct month {
    int64_t family, tenant, number, base, energy, open, from_id, from_ms, to_ms;
    int64_t is_base, is_energy;
    size_t got; /* its parties: got … got + parties of the family - 1 */
};
struct got {
    int64_t party, amount, posted, rent, is_amount;
};
/* A party that is counted, from this version on. */
struct counted {
    int64_t party, since;
};
struct family {
    int64_t id;
    size_t version, versions, month, months, party, parties;
};
struct months {
    struct check *c;
    struct buf versions, months, gots, parties, families;
    struct map by_id; /* family → index + 1 */
};

#define AT(buf, type, i) ((struct type *)(void *)(buf).p + (i))
#define N(buf, type)     ((buf).n / sizeof(struct type))

static struct family *family_of(const struct months *m, int64_t id)
{
    uint64_t at;
    if (!map_get(&m->by_id, (uint64_t)id, &at))
        return NULL;
    return AT(m->families, family, at - 1);
}

static bool counts(int64_t kind)
{
    return kind == CLAUSE_CAP || kind == CLAUSE_GUARANTEE || kind == CLAUSE_RENT;
}

/* ---- versions ---- */

static int version_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct months *m = ctx;
    const struct version row = {v[0].i, v[1].i, v[2].i, v[3].i, v[4].i, v[5].i, v[6].i, v[7].i};
    (void)n;
    buf_put(&m->versions, &row, sizeof row);
    return m->versions.err;
}

static int party_add(struct months *m, struct family *f, const struct version *v)
{
    struct counted *p = AT(m->parties, counted, f->party);
    for (size_t i = 0; i < f->parties; i++)
        if (p[i].party == v->party) {
            p[i].since = v->id < p[i].since ? v->id : p[i].since;
            return 0;
        }
    const struct counted fresh = {v->party, v->id};
    f->parties++;
    buf_put(&m->parties, &fresh, sizeof fresh);
    return m->parties.err;
}

/* Families of the versions that count anything. */
static int families_make(struct months *m)
{
    const size_t all = N(m->versions, version);
    int rc = 0;
    for (size_t i = 0, end; i < all && !rc; i = end) {
        const struct version *v = AT(m->versions, version, 0);
        struct family f = {.id = v[i].family, .version = i, .party = N(m->parties, counted)};
        bool any = false;
        for (end = i; end < all && v[end].family == f.id && !rc; end++) {
            any = any || v[end].kind;
            rc = counts(v[end].kind) ? party_add(m, &f, &v[end]) : 0;
        }
        f.versions = end - i;
        if (!any || rc)
            continue;
        buf_put(&m->families, &f, sizeof f);
        rc = m->families.err ? m->families.err
                             : map_put(&m->by_id, (uint64_t)f.id, N(m->families, family));
    }
    return rc;
}

/* ---- months as they are stored ---- */

static int month_new(struct months *m, struct family *f, const struct sql_value *v)
{
    const struct month row = {.family = v[0].i,
                              .tenant = v[3].i,
                              .number = v[1].i,
                              .base = v[4].i,
                              .energy = v[5].i,
                              .open = v[7].i,
                              .from_id = v[10].i,
                              .from_ms = v[11].i,
                              .to_ms = v[12].i,
                              .got = N(m->gots, got)};
    if (!f->months++)
        f->month = N(m->months, month);
    buf_put(&m->months, &row, sizeof row);
    for (size_t i = 0; i < f->parties; i++) {
        const struct got g = {.party = AT(m->parties, counted, f->party + i)->party};
        buf_put(&m->gots, &g, sizeof g);
    }
    return m->months.err ? m->months.err : m->gots.err;
}

static int row_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct months *m = ctx;
    struct family *f = family_of(m, v[0].i);
    (void)n;
    if (!f) {
        check_bad(m->c, "month", v[0].i, "of %lld, but no clause counts", (long long)v[1].i);
        return 0;
    }
    if (!v[2].i)
        return month_new(m, f, v);
    struct month *last = f->months ? AT(m->months, month, f->month + f->months - 1) : NULL;
    for (size_t i = 0; last && last->number == v[1].i && i < f->parties; i++) {
        struct got *g = AT(m->gots, got, last->got + i);
        if (g->party != v[2].i)
            continue;
        g->amount = v[6].i;
        g->posted = v[8].i;
        g->rent = v[9].i;
        if (v[7].i != last->open)
            check_bad(m->c, "month", v[0].i, "party %lld is not over with its month",
                      (long long)v[2].i);
        return 0;
    }
    check_bad(m->c, "month", v[0].i, "party %lld in %lld, which nothing counts", (long long)v[2].i,
              (long long)v[1].i);
    return 0;
}

/* ---- what was posted ---- */

/* The month in which a transfer counts; NULL before the first. */
static struct month *month_at(const struct months *m, const struct family *f, int64_t transfer)
{
    for (size_t i = f->months; i > 0; i--) {
        struct month *at = AT(m->months, month, f->month + i - 1);
        if (at->from_id < transfer)
            return at;
    }
    return NULL;
}

static int64_t calendar(int64_t number)
{
    return civil_days((int32_t)(number / 100), (int32_t)(number % 100), 1) * DAY_MS;
}

static bool near(int64_t a, int64_t b)
{
    return check_sub(a, b) <= ZONE_MS && check_sub(b, a) <= ZONE_MS;
}

static int charged_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct months *m = ctx;
    struct family *f = family_of(m, v[0].i);
    struct month *at = f ? month_at(m, f, v[1].i) : NULL;
    struct str late = v[9].s;
    int64_t energy = v[8].i ? v[6].i : v[7].i;
    (void)n;
    if (!at)
        return 0;
    if (v[4].i == TRANSFER_LATE) {
        const char *blank = memchr(late.p, ' ', late.n);
        size_t plus = late.n && late.p[0] == '+', end = blank ? (size_t)(blank - late.p) : late.n;
        if (str_to_i64(str_from(late.p + plus, end - plus), &energy) || energy < 0)
            energy = 0;
    }
    at->is_base = check_add(at->is_base, v[5].i);
    at->is_energy = check_add(at->is_energy, energy);
    if (v[3].i < calendar(at->number) - ZONE_MS ||
        v[3].i >= calendar(civil_month_next(at->number)) + ZONE_MS)
        check_bad(m->c, "month", v[0].i, "transfer %lld counts in %lld", (long long)v[1].i,
                  (long long)at->number);
    return 0;
}

static int part_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct months *m = ctx;
    const struct family *f = family_of(m, v[0].i);
    const struct month *at = f ? month_at(m, f, v[1].i) : NULL;
    (void)n;
    for (size_t i = 0; at && i < f->parties; i++) {
        const struct counted *p = AT(m->parties, counted, f->party + i);
        struct got *g = AT(m->gots, got, at->got + i);
        if (p->party == v[2].i && p->since < v[1].i)
            g->is_amount = check_add(g->is_amount, v[3].i);
    }
    return 0;
}

/* ---- what they come to ---- */

static int64_t half_up(ev_i128 a, ev_i128 den)
{
    return (int64_t)((2 * a + den) / (2 * den));
}

/* Σ over the versions that were there by then of what the party is due of this kind, in proportion of
 * the time in which each was in force. */
static int64_t due(const struct months *m, const struct family *f, const struct month *at,
                   int64_t until_id, int64_t party, int64_t kind)
{
    const struct version *v = AT(m->versions, version, f->version);
    int64_t sum = 0, whole = check_sub(at->to_ms, at->from_ms);
    for (size_t i = 0; i < f->versions && whole > 0; i++) {
        int64_t from = v[i].from_ms > at->from_ms ? v[i].from_ms : at->from_ms, to = at->to_ms;
        if (v[i].kind != kind || v[i].party != party || v[i].id >= until_id)
            continue;
        if (v[i].to_ms && v[i].to_ms < to)
            to = v[i].to_ms;
        for (size_t k = i + 1; k < f->versions; k++)
            if (v[k].id != v[i].id && v[k].id < until_id && v[k].from_ms < to)
                to = v[k].from_ms;
        if (to > from)
            sum = check_add(sum, half_up((ev_i128)v[i].rate * (to - from), whole));
    }
    return sum;
}

static void over_check(const struct months *m, const struct family *f, const struct month *at,
                       int64_t until_id)
{
    struct check *c = m->c;
    for (size_t i = 0; i < f->parties; i++) {
        const struct got *g = AT(m->gots, got, at->got + i);
        int64_t rent = due(m, f, at, until_id, g->party, CLAUSE_RENT);
        int64_t least = due(m, f, at, until_id, g->party, CLAUSE_GUARANTEE);
        int64_t missing = least > g->is_amount ? check_sub(least, g->is_amount) : 0;
        check_equal(c, "month", f->id, "rent", g->rent, half_up(rent, FEN) * FEN);
        check_equal(c, "month", f->id, "rent and guarantee", g->posted,
                    half_up((ev_i128)rent + missing, FEN) * FEN);
    }
}

static void month_check(const struct months *m, const struct family *f, size_t i)
{
    struct check *c = m->c;
    const struct month *at = AT(m->months, month, f->month + i);
    const struct month *next = i + 1 < f->months ? at + 1 : NULL;
    check_equal(c, "month", f->id, "divided", at->base, at->is_base);
    check_equal(c, "month", f->id, "energy", at->energy, at->is_energy);
    check_equal(c, "month", f->id, "tenant", at->tenant,
                AT(m->versions, version, f->version)->tenant);
    for (size_t k = 0; k < f->parties; k++) {
        const struct got *g = AT(m->gots, got, at->got + k);
        check_equal(c, "month", f->id, "got", g->amount, g->is_amount);
        if (!next && (g->posted || g->rent))
            check_bad(c, "month", f->id, "posted before its end");
    }
    check_equal(c, "month", f->id, "open", at->open, next ? 0 : 1);
    if (!next)
        return;
    if (next->from_id <= at->from_id || next->number != civil_month_next(at->number))
        check_bad(c, "month", f->id, "%lld does not follow %lld", (long long)next->number,
                  (long long)at->number);
    if (!near(at->from_ms, calendar(at->number)) || !near(at->to_ms, calendar(next->number)))
        check_bad(c, "month", f->id, "%lld has other bounds", (long long)at->number);
    over_check(m, f, at, next->from_id);
}

static int months_walk(struct months *m)
{
    struct store_reader *r = m->c->r;
    int rc = store_query(r, QUERY_CHECK_MONTH_VERSIONS, NULL, 0, version_take, m);
    if (!rc)
        rc = families_make(m);
    if (!rc)
        rc = store_query(r, QUERY_CHECK_MONTH_ROWS, NULL, 0, row_take, m);
    if (!rc && m->families.n)
        rc = store_query(r, QUERY_CHECK_MONTH_CHARGED, NULL, 0, charged_take, m);
    if (!rc && m->families.n)
        rc = store_query(r, QUERY_CHECK_MONTH_PARTS, NULL, 0, part_take, m);
    for (size_t i = 0; !rc && i < N(m->families, family); i++) {
        const struct family *f = AT(m->families, family, i);
        if (!f->months)
            check_bad(m->c, "month", f->id, "clauses count, and there is no month");
        for (size_t k = 0; k < f->months; k++)
            month_check(m, f, k);
    }
    return rc;
}

int check_months(struct check *c)
{
    struct months m = {.c = c};
    struct buf *bufs[] = {&m.versions, &m.months, &m.gots, &m.parties, &m.families};
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_init(bufs[i], SIZE_MAX);
    map_init(&m.by_id, 50000000, 0xc4ecc);
    int rc = months_walk(&m);
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_free(bufs[i]);
    map_free(&m.by_id);
    return rc;
}
