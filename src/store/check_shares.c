// SPDX-License-Identifier: Apache-2.0
/* check_shares.c: `even check`, what parties are shown.
 *
 *   found    each part is found by its party and time, once, and nothing else is
 *
 * The hashes of both sides are summed as they lie in the file, which is quick, those of the parts on
 * the walk of check_orders.c; only where the sums differ are those looked for that lack their other
 * side. Memory: the parties of one order at a time. Shares no code with the core. */
#include "store/check.h"

#include "base/err.h"
#include "base/hash.h"

struct seen {
    int64_t party, at_ms;
};

/* Sums of these do not depend on the order in which the keys come. */
static uint64_t key_hash(int64_t party, int64_t at_ms, int64_t order)
{
    return hash_u64((uint64_t)party, hash_u64((uint64_t)at_ms, hash_u64((uint64_t)order, 1)));
}

static bool is_new(struct buf *seen, struct seen e)
{
    const struct seen *had = (const struct seen *)(void *)seen->p;
    for (size_t i = 0; i < seen->n / sizeof e; i++)
        if (had[i].party == e.party && had[i].at_ms == e.at_ms)
            return false;
    buf_put(seen, &e, sizeof e);
    return true;
}

int check_shares_part(struct check *c, int64_t order, int64_t party, int64_t at_ms)
{
    struct check_found *f = &c->found;
    if (order != f->order)
        buf_reset(&f->seen);
    f->order = order;
    if (is_new(&f->seen, (struct seen){party, at_ms}))
        f->parts += key_hash(party, at_ms, order);
    return f->seen.err;
}

static int entry_take(void *ctx, const struct sql_value *v, size_t n)
{
    uint64_t *entries = ctx;
    (void)n;
    *entries += key_hash(v[0].i, v[1].i, v[2].i);
    return 0;
}

static int lost_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "found", v[0].i, "party %lld %s", (long long)v[1].i,
              v[2].i ? "finds what it got no part of" : "does not find its part");
    return 0;
}

int check_shares(struct check *c)
{
    uint64_t entries = 0;
    int rc = store_query(c->r, QUERY_CHECK_SHARE_ENTRIES, NULL, 0, entry_take, &entries);
    if (rc == 0 && c->found.parts != entries)
        rc = store_query(c->r, QUERY_CHECK_SHARES_LOST, NULL, 0, lost_take, c);
    return rc;
}

void check_shares_free(struct check *c)
{
    buf_free(&c->found.seen);
}
