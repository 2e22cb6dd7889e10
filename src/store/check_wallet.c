// SPDX-License-Identifier: Apache-2.0
/* check_wallet.c: `even check`, what drivers pay with.
 *
 *   gift     gift money moves by orders and by its own two kinds of transfer alone: none of it ever
 *            became cash, or came from any; what a driver was given by the journal = the gifts of
 *            his paid payments, less what went with refunds of them, less what expired; of each
 *            payment 0 <= gone <= given, and what expired of them is no more than what expired
 *   hold     a further leg of a hold has a first one, of the same order, resolved with it
 *   single   an order paid by a single payment names one of its own driver; what it took and what
 *            went back to the source are not more than was paid; the payment is bound to it while,
 *            and only while, it is open
 *
 * (What of an order is gift money: check_orders.c.) Shares no code with the core. Memory: a number
 * for each driver who was given something. */
#include "store/check.h"

#include "base/err.h"
#include "core/types.h"

static bool moves_gift(int64_t code)
{
    return code == TRANSFER_CAPTURE || code == TRANSFER_LATE || code == TRANSFER_REVERSAL ||
           code == TRANSFER_CORRECTION || code == TRANSFER_REFUND || code == TRANSFER_GIFT ||
           code == TRANSFER_GIFT_BACK;
}

int check_wallet_leg(struct check *c, const struct check_account *a, int64_t transfer, int64_t code,
                     int64_t amount)
{
    bool own = code == TRANSFER_GIFT || code == TRANSFER_GIFT_BACK;
    if (a->kind == ACCOUNT_WALLET_BONUS && !moves_gift(code))
        check_bad(c, "gift", transfer, "gift money moved by a transfer of code %lld",
                  (long long)code);
    if (!own || (a->kind != ACCOUNT_WALLET && a->kind != ACCOUNT_WALLET_BONUS))
        return 0;
    return check_map_add(&c->gifts, a->owner, amount);
}

static int gift_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    uint64_t given = 0;
    (void)n;
    (void)map_get(&c->gifts, (uint64_t)v[0].i, &given);
    check_equal(c, "gift", v[0].i, "given to the driver", (int64_t)given,
                check_sub(v[1].i, v[2].i));
    (void)map_del(&c->gifts, (uint64_t)v[0].i);
    if (v[3].i > v[2].i)
        check_bad(c, "gift", v[0].i, "%lld expired of his payments, %lld in all", (long long)v[3].i,
                  (long long)v[2].i);
    return 0;
}

static int lot_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "gift", v[0].i, "%lld of %lld gone", (long long)v[2].i, (long long)v[1].i);
    return 0;
}

static int leg_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "hold", v[0].i, "a leg of hold %lld, which does not fit", (long long)v[1].i);
    return 0;
}

static int single_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    int64_t state = v[1].i;
    bool open = state < ORDER_SETTLED;
    (void)n;
    if (!v[3].i || v[4].i != v[2].i) {
        check_bad(c, "single", v[0].i, "no payment of its driver");
        return 0;
    }
    if (check_add(v[7].i, v[6].i) > v[5].i)
        check_bad(c, "single", v[0].i, "took %lld, and %lld went back, of %lld", (long long)v[7].i,
                  (long long)v[6].i, (long long)v[5].i);
    check_equal(c, "single", v[0].i, "payment bound", v[8].i, open);
    return 0;
}

int check_wallet(struct check *c)
{
    static const struct {
        enum query q;
        query_row_fn *fn;
    } rules[] = {{QUERY_CHECK_GIFTS, gift_take},
                 {QUERY_CHECK_GIFT_LOTS, lot_take},
                 {QUERY_CHECK_HOLD_LEGS, leg_take},
                 {QUERY_CHECK_SINGLES, single_take}};
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(rules) && rc == 0; i++)
        rc = store_query(c->r, rules[i].q, NULL, 0, rules[i].fn, c);
    size_t at = 0;
    uint64_t driver, sum;
    while (map_next(&c->gifts, &at, &driver, &sum))
        if (sum)
            check_bad(c, "gift", (int64_t)driver, "%lld given by no payment", (long long)sum);
    return rc;
}
