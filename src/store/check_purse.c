// SPDX-License-Identifier: Apache-2.0
/* check_purse.c: `even check`, money outside orders.
 *
 *   maturing   what matures for a party = its pending account
 *   payout     what is on its way, less its tax = the transit account of whose it is; a final one has left transit,
 *              and no other
 *   paper      an invoice of a payee is for one payout that did not come to nothing
 *   shared     a channel paid a party, out of the payment of an order, no more than it got of that order
 *   returned   of such a share no more came back, or is asked back, than was paid; what came back was moved by one
 *              transfer of its own
 *   payment    what was given back of a payment = its payouts; not more than was paid; a paid one
 *              names its transfer
 *   position   what a party got of orders, less what it took out and what was withheld already = pending + available + in transit − debt
 *   month      guarantees and rents posted for the months of contracts = the parts that a party got
 *              outside orders
 *
 * Shares no code with the core. Memory: the accounts of check.c. */
#include "store/check.h"

#include "base/err.h"
#include "core/types.h"

static struct check_account *account_of(const struct check *c, const struct map *by, int64_t owner)
{
    uint64_t at;
    if (!map_get(by, (uint64_t)owner, &at))
        return NULL;
    return (struct check_account *)(void *)c->shared->accounts.p + at - 1;
}

static int maturing_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    struct check_account *a = account_of(c, &c->shared->pending, v[0].i);
    (void)n;
    if (!a || a->tenant != v[1].i || !str_eq_c(v[2].s, a->currency))
        check_bad(c, "maturing", v[0].i, "no pending account of the party");
    else
        a->waits = check_add(a->waits, v[3].i);
    return 0;
}

static int payout_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    bool over = v[9].i >= PAYOUT_SETTLED && v[9].i <= PAYOUT_CANCELLED;
    int64_t owner = v[2].i == PAYOUT_PRINCIPAL ? v[4].i : v[3].i;
    struct check_account *a = account_of(c, &c->shared->transit, owner);
    (void)n;
    if (v[2].i == PAYOUT_RETURNED)
        return 0; /* never in transit: returned_take */
    if (!a || a->tenant != v[1].i || !str_eq_c(v[6].s, a->currency)) {
        check_bad(c, "payout", v[0].i, "no transit account of %lld", (long long)owner);
        return 0;
    }
    if (v[7].i <= 0 || v[8].i < 0 || v[12].i < 0 || v[12].i >= check_sub(v[7].i, v[8].i) ||
        v[10].i <= 0)
        check_bad(c, "payout", v[0].i, "amount %lld, fee %lld, tax %lld, transfer %lld",
                  (long long)v[7].i, (long long)v[8].i, (long long)v[12].i, (long long)v[10].i);
    if (over != (v[11].i != 0))
        check_bad(c, "payout", v[0].i, "state %lld, but %s transit", (long long)v[9].i,
                  over ? "never left" : "left");
    if (!over)
        a->waits = check_add(a->waits, check_sub(v[7].i, v[12].i));
    return 0;
}

static int paper_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "paper", v[0].i, "one invoice of party %lld for %lld payouts", (long long)v[1].i,
              (long long)v[2].i);
    return 0;
}

static int shared_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    if (v[2].i > v[3].i || v[4].i)
        check_bad(ctx, "shared", v[0].i, "party %lld got %lld, its channel paid %lld, %lld strange",
                  (long long)v[1].i, (long long)v[3].i, (long long)v[2].i, (long long)v[4].i);
    return 0;
}

/* Nothing moves before it came back. */
static int returned_take(void *ctx, const struct sql_value *v, size_t n)
{
    bool came = v[2].i == PAYOUT_SETTLED;
    (void)n;
    if (v[1].i >= 0 || v[3].i || v[6].i > v[5].i)
        check_bad(ctx, "returned", v[0].i,
                  "amount %lld, transfer %lld, %lld back of a share of %lld", (long long)v[1].i,
                  (long long)v[3].i, (long long)v[6].i, (long long)v[5].i);
    if (came != (v[4].i != 0) || (came && (v[8].i != 1 || v[7].i != check_sub(0, v[1].i))))
        check_bad(ctx, "returned", v[0].i, "state %lld, transfer %lld of %lld, named %lld times",
                  (long long)v[2].i, (long long)v[4].i, (long long)v[7].i, (long long)v[8].i);
    bool said = v[9].i != 0, two = v[10].i != 0;
    if (said && came ? v[9].i != check_sub(0, v[1].i) || v[11].i == 0 || v[11].i == v[10].i
                     : said != two || (said && v[2].i != PAYOUT_UNKNOWN))
        check_bad(ctx, "returned", v[0].i, "state %lld, %lld said by %lld, checked by %lld",
                  (long long)v[2].i, (long long)v[9].i, (long long)v[10].i, (long long)v[11].i);
    return 0;
}

static int stray_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "returned", v[0].i, "a transfer of a share that came back, of no return");
    return 0;
}

static int payment_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    check_equal(c, "payment", v[0].i, "given back", v[5].i, v[8].i);
    if (v[5].i < 0 || v[5].i > v[4].i)
        check_bad(c, "payment", v[0].i, "%lld of %lld given back", (long long)v[5].i,
                  (long long)v[4].i);
    if (v[6].i == PAYMENT_PAID && v[7].i <= 0)
        check_bad(c, "payment", v[0].i, "paid by no transfer");
    return 0;
}

static int position_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct check *c = ctx;
    uint64_t got = 0;
    (void)n;
    (void)map_get(&c->shared->got, (uint64_t)v[0].i, &got);
    check_equal(ctx, "position", v[0].i, "got less taken", check_sub((int64_t)got, v[1].i), v[2].i);
    return 0;
}

static int month_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    uint64_t got = 0;
    (void)n;
    (void)map_get(&c->shared->months, (uint64_t)v[0].i, &got);
    check_equal(c, "month", v[0].i, "posted", v[1].i, (int64_t)got);
    (void)map_del(&c->shared->months, (uint64_t)v[0].i);
    return 0;
}

static int months_check(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_CONTRACT_MONTHS, NULL, 0, month_take, c);
    size_t at = 0;
    uint64_t party, got;
    while (rc == 0 && map_next(&c->shared->months, &at, &party, &got))
        if (got)
            check_bad(c, "month", (int64_t)party, "%lld got, and nothing was posted",
                      (long long)(int64_t)got);
    return rc;
}

int check_purse(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_MATURING, NULL, 0, maturing_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_PAYOUTS, NULL, 0, payout_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_PAPERS, NULL, 0, paper_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_SHARED, NULL, 0, shared_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_RETURNED, NULL, 0, returned_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_RETURNED_STRAYS, NULL, 0, stray_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_PAYMENTS, NULL, 0, payment_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_POSITIONS, NULL, 0, position_take, c);
    if (rc == 0)
        rc = months_check(c);
    const struct check_account *a = (const struct check_account *)(void *)c->shared->accounts.p;
    for (size_t i = 0; i < c->shared->accounts.n / sizeof *a && rc == 0; i++) {
        int64_t balance = check_sub(a[i].row_in, a[i].row_out);
        if (a[i].kind == ACCOUNT_PENDING)
            check_equal(c, "maturing", a[i].id, "pending of the party", balance, a[i].waits);
        if (a[i].kind == ACCOUNT_TRANSIT)
            check_equal(c, "payout", a[i].id, "in transit", balance, a[i].waits);
    }
    return rc;
}
