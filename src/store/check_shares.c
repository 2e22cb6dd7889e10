// SPDX-License-Identifier: Apache-2.0
/* check_shares.c: `even check`, what parties are shown.
 *
 *   found    each part is found by its party and time, once, and nothing else is
 *
 * The hashes of both sides are summed as they lie in the file, which is quick; only where the sums differ
 * are those looked for that lack their other side. Memory: the parties of one order at a time. Shares no
 * code with the core. */
#include "store/check.h"

#include "base/err.h"
#include "base/hash.h"

struct seen {
    int64_t party, at_ms;
};

struct sides {
    struct check *c;
    int64_t order; /* whose parts are at hand */
    struct buf seen;
    uint64_t parts, entries; /* sums of hashes: the order in which they come does not count */
};

static uint64_t key_hash(int64_t party, int64_t at_ms, int64_t order)
{
    return hash_u64((uint64_t)party, hash_u64((uint64_t)at_ms, hash_u64((uint64_t)order, 1)));
}

static bool is_new(struct sides *s, struct seen e)
{
    const struct seen *had = (const struct seen *)(void *)s->seen.p;
    for (size_t i = 0; i < s->seen.n / sizeof e; i++)
        if (had[i].party == e.party && had[i].at_ms == e.at_ms)
            return false;
    buf_put(&s->seen, &e, sizeof e);
    return true;
}

static int part_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sides *s = ctx;
    const struct seen e = {.party = v[1].i, .at_ms = v[2].i};
    (void)n;
    if (v[0].i != s->order)
        buf_reset(&s->seen);
    s->order = v[0].i;
    if (is_new(s, e))
        s->parts += key_hash(e.party, e.at_ms, s->order);
    return s->seen.err;
}

static int entry_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sides *s = ctx;
    (void)n;
    s->entries += key_hash(v[0].i, v[1].i, v[2].i);
    return 0;
}

static int lost_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sides *s = ctx;
    (void)n;
    check_bad(s->c, "found", v[0].i, "party %lld %s", (long long)v[1].i,
              v[2].i ? "finds what it got no part of" : "does not find its part");
    return 0;
}

int check_shares(struct check *c)
{
    struct sides s = {.c = c};
    buf_init(&s.seen, SIZE_MAX);
    int rc = store_query(c->r, QUERY_CHECK_SHARE_PARTS, NULL, 0, part_take, &s);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_SHARE_ENTRIES, NULL, 0, entry_take, &s);
    if (rc == 0 && s.parts != s.entries)
        rc = store_query(c->r, QUERY_CHECK_SHARES_LOST, NULL, 0, lost_take, &s);
    buf_free(&s.seen);
    return rc;
}
