// SPDX-License-Identifier: Apache-2.0
/* check_split.c: `even check`, the fairness of the splits. What rounding has kept from a party of a
 * contract so far stands in the contract (residue); here it is worked out again from the parts that
 * orders paid: over all parts of a party and a fee line of one contract version,
 *
 *   residue = Σ (base × ratio − amount × sum of ratios)
 *
 * Refunds and corrections (negative parts) take from stored parts and leave it alone. Data: one sum
 * for each contract version, party and fee line that paid anything. */
#include "store/check.h"

#include <inttypes.h>
#include "base/err.h"

struct key {
    int64_t contract, party, line;
};
struct sum {
    struct key key;
    bool seen; /* by its row of the contract */
    ev_i128 behind;
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

int check_split_part(struct check *c, int64_t contract, const struct check_part *p)
{
    const struct key key = {contract, p->party, line_of(p->fee_kind)};
    struct sum *s = sum_at(c, &key);
    if (!contract || p->amount < 0)
        return 0;
    if (!s) {
        const struct sum fresh = {.key = key};
        uint64_t at = c->splits.n / sizeof fresh;
        buf_put(&c->splits, &fresh, sizeof fresh);
        if (c->splits.err)
            return c->splits.err;
        int rc = strmap_put(&c->split_ids, str_from((const char *)&key, sizeof key), at);
        if (rc)
            return rc;
        s = sum_at(c, &key);
    }
    s->behind += (ev_i128)p->base * p->ratio - (ev_i128)p->amount * p->ratio_sum;
    return 0;
}

static int party_take(void *ctx, const struct sql_value *v, size_t n)
{
    static const char *const names[] = {"electricity", "service", "occupancy"};
    struct check *c = ctx;
    (void)n;
    for (int line = 0; line < 3; line++) {
        const struct key key = {v[0].i, v[1].i, line};
        struct sum *s = sum_at(c, &key);
        bool mine = (v[2].i & (1 << line)) != 0; /* a party may have an entry for each line */
        int64_t said = v[3 + line].i;
        if (s && mine)
            s->seen = true;
        if (said != (mine && s ? s->behind : 0))
            check_bad(c, "residue", key.contract,
                      "party %" PRId64 " is behind by %" PRId64 " in %s; its parts say %" PRId64,
                      key.party, said, names[line], mine && s ? (int64_t)s->behind : 0);
    }
    return 0;
}

int check_splits(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_CONTRACT_PARTIES, NULL, 0, party_take, c);
    const struct sum *s = (const struct sum *)(void *)c->splits.p;
    for (size_t i = 0; !rc && i < c->splits.n / sizeof *s; i++)
        if (!s[i].seen && s[i].behind != 0)
            check_bad(c, "residue", s[i].key.contract,
                      "party %" PRId64 " has parts, but no share in the contract", s[i].key.party);
    return rc;
}
