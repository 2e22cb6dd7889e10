// SPDX-License-Identifier: Apache-2.0
/* check_discharge.c: `even check`, energy bought from drivers (rule `discharge`).
 *
 *   its account moves by payments for discharges and their corrections alone, and its balance is what
 *   the discharges say was paid, negative; each payment to a driver is a lot of his wallet, of the same
 *   amount and order, and such a lot is one
 *
 * (Of one order: check_orders.c.) Shares no code with the core. Memory: none of its own. */
#include "store/check.h"

#include "base/err.h"
#include "core/types.h"

void check_discharge_leg(struct check *c, int64_t transfer, int64_t code)
{
    if (code != TRANSFER_DISCHARGE && code != TRANSFER_CORRECTION)
        check_bad(c, "discharge", transfer, "bought energy moved by a transfer of code %lld",
                  (long long)code);
}

static int lot_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "discharge", v[1].i, "this payment and lot %lld do not fit", (long long)v[0].i);
    return 0;
}

static int paid_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_equal(ctx, "discharge", v[0].i, "paid for energy", v[1].i, check_sub(0, v[2].i));
    return 0;
}

int check_discharge(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_DISCHARGE_LOTS, NULL, 0, lot_take, c);
    return rc ? rc : store_query(c->r, QUERY_CHECK_DISCHARGE_PAID, NULL, 0, paid_take, c);
}
