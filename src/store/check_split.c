// SPDX-License-Identifier: Apache-2.0
/* check_split.c: `even check`, the fairness of the splits. What rounding has kept from a party of a
 * contract so far stands in the contract (residue); here it is worked out again from the parts that
 * orders paid. What a part was before some of it was passed on, to agents or over a cap, is its amount
 * and what was passed. Over all parts of a party and a fee line of one contract version,
 *
 *   by ratio and of agents    residue = Σ (base × ratio − part × sum of ratios)
 *   of first clauses          residue = Σ (due − part × 10,000,000)
 *
 * Where the contract rounds without memory every residue is 0. Refunds and corrections (negative
 * parts) take from stored parts and leave it alone. Without memory each part by itself is near what was
 * due (rounded), and in each order what was passed on is what agents and caps got (passed).
 *
 * Data: one sum for each contract version, party or clause, and fee line that paid anything. */
#include "store/check.h"

#include <inttypes.h>
#include "base/err.h"

enum { DUE_DEN = 10000000, PARTIES = 24 /* and clauses, of one line */ };

/* A party by its id, a clause by its number, negative. */
struct key {
    int64_t contract, who, line;
};
struct sum {
    struct key key;
    bool seen; /* by its row of the contract */
    ev_i128 ratio, due;
};

static struct sum *sum_at(struct check *c, const struct key *key)
{
    uint64_t i;
    if (!strmap_get(&c->split_ids, str_from((const char *)key, sizeof *key), &i))
        return NULL;
    return (struct sum *)(void *)c->splits.p + i;
}

static int line_of(int64_t fee_kind)
{
    return fee_kind == FEE_ELECTRICITY ? 0 : fee_kind == FEE_SERVICE ? 1 : 2;
}

static struct sum *sum_get(struct check *c, const struct key *key)
{
    struct sum *s = sum_at(c, key);
    if (s)
        return s;
    const struct sum fresh = {.key = *key};
    uint64_t at = c->splits.n / sizeof fresh;
    buf_put(&c->splits, &fresh, sizeof fresh);
    if (c->splits.err || strmap_put(&c->split_ids, str_from((const char *)key, sizeof *key), at))
        return NULL;
    return sum_at(c, key);
}

int check_split_part(struct check *c, int64_t contract, const struct check_part *p)
{
    const struct key key = {contract, p->clause ? -p->clause : p->party, line_of(p->fee_kind)};
    int64_t whole = check_add(p->amount, p->passed);
    if (!contract || p->amount < 0)
        return 0;
    struct sum *s = sum_get(c, &key);
    if (!s)
        return ERR_TOO_LARGE;
    s->ratio += (ev_i128)p->base * p->ratio - (ev_i128)whole * p->ratio_sum;
    s->due += (ev_i128)p->due - (ev_i128)whole * DUE_DEN;
    return 0;
}

static const char *const line_names[] = {"electricity", "service", "occupancy"};

static int party_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    for (int line = 0; line < 3; line++) {
        const struct key key = {v[0].i, v[1].i, line};
        struct sum *s = sum_at(c, &key);
        bool mine = (v[2].i & (1 << line)) != 0; /* a party may have an entry for each line */
        int64_t said = v[3 + line].i;
        ev_i128 parts = mine && s && v[6].i == ROUND_DEFICIT ? s->ratio : 0;
        if (s && mine)
            s->seen = true;
        if (said != parts)
            check_bad(c, "residue", key.contract,
                      "party %" PRId64 " is behind by %" PRId64 " in %s; its parts say %" PRId64,
                      key.who, said, line_names[line], (int64_t)parts);
    }
    return 0;
}

static bool first_clause(int64_t kind)
{
    return (kind >= CLAUSE_ENERGY && kind <= CLAUSE_PERCENT) || kind == CLAUSE_CHANNEL;
}

static int clause_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    bool first = first_clause(v[2].i);
    (void)n;
    for (int line = 0; line < 3; line++) {
        const struct key key = {v[0].i, -v[1].i, line};
        struct sum *s = sum_at(c, &key);
        int64_t said = v[3 + line].i;
        ev_i128 parts = 0;
        if (s)
            s->seen = true;
        if (s && v[6].i == ROUND_DEFICIT && (first || v[2].i == CLAUSE_AGENT))
            parts = first ? s->due : s->ratio;
        if (said != parts)
            check_bad(c, "residue", key.contract,
                      "clause %" PRId64 " is behind by %" PRId64 " in %s; its parts say %" PRId64,
                      v[1].i, said, line_names[line], (int64_t)parts);
    }
    return 0;
}

static int passed_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "passed", v[0].i, "%" PRId64 " was passed on, agents and caps got %" PRId64,
              v[1].i, v[2].i);
    return 0;
}

/* Rounding moves a part by less than a unit; where it goes half up, the last of many may be short of
 * what the others were rounded up by. */
static int rounded_take(void *ctx, const struct sql_value *v, size_t n)
{
    bool first = first_clause(v[8].i);
    ev_i128 den = first ? DUE_DEN : v[4].i;
    ev_i128 due = first ? (ev_i128)v[7].i : (ev_i128)v[2].i * v[3].i;
    ev_i128 off = due - (ev_i128)check_add(v[5].i, v[6].i) * den;
    (void)n;
    if (off > PARTIES * den * v[9].i || -off > PARTIES * den * v[9].i)
        check_bad(ctx, "rounded", v[0].i, "part %" PRId64 " is not what its contract gives",
                  v[1].i);
    return 0;
}

int check_splits(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_CONTRACT_PARTIES, NULL, 0, party_take, c);
    if (!rc)
        rc = store_query(c->r, QUERY_CHECK_PASSED, NULL, 0, passed_take, c);
    if (!rc)
        rc = store_query(c->r, QUERY_CHECK_ROUNDED, NULL, 0, rounded_take, c);
    if (!rc)
        rc = store_query(c->r, QUERY_CHECK_CONTRACT_CLAUSES, NULL, 0, clause_take, c);
    const struct sum *s = (const struct sum *)(void *)c->splits.p;
    for (size_t i = 0; !rc && i < c->splits.n / sizeof *s; i++)
        if (!s[i].seen && (s[i].ratio != 0 || s[i].key.who < 0))
            check_bad(c, "residue", s[i].key.contract,
                      "party or clause %" PRId64 " has parts, but is not in the contract",
                      s[i].key.who);
    return rc;
}
