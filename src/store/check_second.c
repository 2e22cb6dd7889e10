// SPDX-License-Identifier: Apache-2.0
/* check_second.c: `even check`, what a second person is asked for by.
 *
 *   asked    a party's sum of the day = its withdrawals of that day that did not come to nothing
 *   doubt    only a payout that nobody is certain of is in doubt, and says why
 *   hands    whoever asked for a payout or a sub-account, himself or by his key, did not approve it
 *   closed   nobody asks to close an account that was closed
 *
 * Shares no code with the core. */
#include "store/check.h"

#include "base/compiler.h"
#include "base/err.h"

static int asked_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    check_equal(c, "asked", v[0].i, "asked for in the day", v[2].i, v[3].i);
    return 0;
}

static int doubt_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "doubt", v[0].i, "state %lld, doubt %lld, %lld said", (long long)v[1].i,
              (long long)v[2].i, (long long)v[3].i);
    return 0;
}

static int hands_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "hands", v[0].i, "asked for and approved by %lld", (long long)v[1].i);
    return 0;
}

static int closed_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "closed", v[0].i, "%lld asks to close it", (long long)v[1].i);
    return 0;
}

int check_second(struct check *c)
{
    static const struct {
        enum query q;
        int (*take)(void *ctx, const struct sql_value *v, size_t n);
    } walks[] = {{QUERY_CHECK_ASKED_DAYS, asked_take},
                 {QUERY_CHECK_DOUBTS, doubt_take},
                 {QUERY_CHECK_HANDS, hands_take},
                 {QUERY_CHECK_CLOSED, closed_take}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(walks); i++)
        rc = store_query(c->r, walks[i].q, NULL, 0, walks[i].take, c);
    return rc;
}
