// SPDX-License-Identifier: Apache-2.0
/* check_company.c: `even check`, companies that pay for their members.
 *
 *   company   its account is there; what went out of it is what its bills captured, what came in is what
 *             they gave back and what it paid; prepaid: never below zero; with credit: its floor is the
 *             limit, or what it owed when that was lowered, and what it paid is what its bills
 *             collected and what was paid in advance
 *   member    what the parts of his orders say was used in the month that is counted, his orders in
 *             it, and what his open holds come to
 *   bill      captured, refunded and orders are those of the company's orders in its month; state and
 *             collected fit together
 *   share     what waits for a bill: not of a settled one, and no more than the parts that wait for it
 *
 * Works everything out of orders, parts, holds and the journal; shares no code with the core. Memory:
 * the accounts of check.c. */
#include "store/check.h"

#include "base/err.h"
#include "core/types.h"

enum {
    K_ID,
    K_TENANT,
    K_KIND,
    K_CREDIT,
    K_ADVANCE,
    K_ACCOUNT,
    K_CAPTURED,
    K_REFUNDED,
    K_COLLECTED
};

static void floor_check(struct check *c, const struct sql_value *v, const struct check_account *a)
{
    int64_t owes = check_sub(a->row_held, check_sub(a->row_in, a->row_out));
    int64_t below = v[K_KIND].i == COMPANY_CREDIT ? v[K_CREDIT].i : 0;
    if (v[K_KIND].i == COMPANY_CREDIT && owes > below)
        below = owes;
    check_equal(c, "company", v[K_ID].i, "floor of its account", a->floor, check_sub(0, below));
    if (owes > below)
        check_bad(c, "company", v[K_ID].i, "owes and holds %lld, may %lld", (long long)owes,
                  (long long)below);
}

static int company_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    const struct check_account *a = check_account(c, v[K_ACCOUNT].i);
    bool credit = v[K_KIND].i == COMPANY_CREDIT;
    (void)n;
    if (!a || a->tenant != v[K_TENANT].i) {
        check_bad(c, "company", v[K_ID].i, "has no account");
        return 0;
    }
    check_equal(c, "company", v[K_ID].i, "captured by its bills", v[K_CAPTURED].i, a->row_out);
    check_equal(c, "company", v[K_ID].i, "given back by its bills",
                check_add(v[K_REFUNDED].i, a->waits), a->row_in);
    floor_check(c, v, a);
    if (credit)
        check_equal(c, "company", v[K_ID].i, "collected and paid in advance",
                    check_add(v[K_COLLECTED].i, v[K_ADVANCE].i), a->waits);
    if (v[K_ADVANCE].i < 0 || (!credit && v[K_ADVANCE].i))
        check_bad(c, "company", v[K_ID].i, "advance %lld", (long long)v[K_ADVANCE].i);
    return 0;
}

static int member_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    if (v[1].i != v[2].i)
        check_bad(c, "member", v[0].i, "its company is not there or of another tenant");
    check_equal(c, "member", v[0].i, "used", v[3].i, v[6].i);
    check_equal(c, "member", v[0].i, "held", v[4].i, v[7].i);
    check_equal(c, "member", v[0].i, "orders", v[5].i, v[8].i);
    return 0;
}

enum {
    B_ID,
    B_TENANT,
    B_COMPANY_TENANT,
    B_KIND,
    B_CAPTURED,
    B_REFUNDED,
    B_ORDERS,
    B_COLLECTED,
    B_STATE,
    B_ISSUED_MS,
    B_SETTLED_MS,
    B_IS_CAPTURED,
    B_IS_REFUNDED,
    B_IS_ORDERS
};

static bool bill_fits(const struct sql_value *v)
{
    int64_t amount = check_sub(v[B_CAPTURED].i, v[B_REFUNDED].i), got = v[B_COLLECTED].i;
    switch (v[B_STATE].i) {
    case COMPANY_BILL_OPEN:
        return got == 0 && !v[B_ISSUED_MS].i;
    case COMPANY_BILL_ISSUED:
        return got == 0 && amount > 0 && v[B_ISSUED_MS].i && v[B_KIND].i == COMPANY_CREDIT;
    case COMPANY_BILL_PART:
        return got > 0 && got < amount && v[B_ISSUED_MS].i && v[B_KIND].i == COMPANY_CREDIT;
    case COMPANY_BILL_SETTLED:
        return got == amount && v[B_ISSUED_MS].i && v[B_SETTLED_MS].i;
    default:
        return false;
    }
}

static int bill_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    if (v[B_TENANT].i != v[B_COMPANY_TENANT].i)
        check_bad(c, "bill", v[B_ID].i, "its company is not there or of another tenant");
    check_equal(c, "bill", v[B_ID].i, "captured", v[B_CAPTURED].i, v[B_IS_CAPTURED].i);
    check_equal(c, "bill", v[B_ID].i, "refunded", v[B_REFUNDED].i, v[B_IS_REFUNDED].i);
    check_equal(c, "bill", v[B_ID].i, "orders", v[B_ORDERS].i, v[B_IS_ORDERS].i);
    if (!bill_fits(v))
        check_bad(c, "bill", v[B_ID].i, "state %lld, collected %lld of %lld",
                  (long long)v[B_STATE].i, (long long)v[B_COLLECTED].i,
                  (long long)check_sub(v[B_CAPTURED].i, v[B_REFUNDED].i));
    return 0;
}

static int share_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    if (v[2].i != v[4].i)
        check_bad(c, "share", v[0].i, "waits for a bill %lld that is not there", (long long)v[1].i);
    if (v[5].i == COMPANY_BILL_SETTLED)
        check_bad(c, "share", v[0].i, "waits for bill %lld, which is settled", (long long)v[1].i);
    if (v[3].i < 0 || v[3].i > v[6].i)
        check_bad(c, "share", v[0].i, "%lld waits for bill %lld, its parts are %lld",
                  (long long)v[3].i, (long long)v[1].i, (long long)v[6].i);
    return 0;
}

int check_companies(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_COMPANIES, NULL, 0, company_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_COMPANY_MEMBERS, NULL, 0, member_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_COMPANY_BILLS, NULL, 0, bill_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_COMPANY_SHARES, NULL, 0, share_take, c);
    return rc;
}
