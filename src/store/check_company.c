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
 *   share     what waits for a bill: not of a settled one, and no more than the parts that wait for it;
 *             what its collection set free: by the rule, out of what waited, and the transfer that made
 *             it available is the party's and names the bill; with what waits no more than the parts, and
 *             less by no more than refunds took and debts
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

enum {
    F_ID,
    F_TENANT,
    F_BILL,
    F_PARTY,
    F_PAID,
    F_LACKED,
    F_WAITED,
    F_AMOUNT,
    F_DUE_MS,
    F_AT_MS,
    F_CODE,
    F_CONTRACT,
    F_TRANSFER_TENANT,
    F_POSTED_MS,
    F_LEGS,
    F_BILL_TENANT,
    F_BILL_AMOUNT,
    F_COLLECTED,
    F_ISSUED_MS
};

/* The row before it of the same bill and party: what was left of the shares and of the bill. */
struct freed {
    struct check *c;
    int64_t bill, party, waits, lacks, named;
};

/* It moves just this, out of what the party had pending, and names the bill. */
static bool freed_by(const struct check *c, const struct sql_value *v)
{
    struct cursor legs = {(const uint8_t *)v[F_LEGS].s.p,
                          (const uint8_t *)v[F_LEGS].s.p + v[F_LEGS].s.n};
    struct check_leg leg;
    bool took = false;
    while (check_leg_next(&legs, &leg) == 1) {
        const struct check_account *a = check_account(c, leg.account);
        took = took || (a && a->kind == ACCOUNT_PENDING && a->owner == v[F_PARTY].i &&
                        leg.amount == check_sub(0, v[F_AMOUNT].i));
    }
    return took && v[F_CODE].i == TRANSFER_MATURE && v[F_CONTRACT].i == v[F_BILL].i &&
           v[F_TRANSFER_TENANT].i == v[F_TENANT].i && v[F_POSTED_MS].i >= v[F_AT_MS].i;
}

/* Rounded down; of a bill that lacks nothing any more all that waited. */
static bool freed_right(const struct sql_value *v)
{
    int64_t paid = v[F_PAID].i, lacked = v[F_LACKED].i, waited = v[F_WAITED].i, n = v[F_AMOUNT].i;
    if (paid == lacked)
        return paid >= 0 && n == waited;
    ev_i128 over = (ev_i128)waited * paid;
    return paid > 0 && paid < lacked && waited > 0 && n > 0 && (ev_i128)n * lacked <= over &&
           (ev_i128)n * lacked > over - lacked;
}

static int freed_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct freed *f = ctx;
    struct check *c = f->c;
    int64_t id = v[F_ID].i, rest = check_sub(v[F_BILL_AMOUNT].i, v[F_COLLECTED].i);
    bool next = f->bill == v[F_BILL].i && f->party == v[F_PARTY].i;
    (void)n;
    if (v[F_TENANT].i != v[F_BILL_TENANT].i || !v[F_ISSUED_MS].i || v[F_AT_MS].i < v[F_ISSUED_MS].i)
        check_bad(c, "share", id, "set free by bill %lld, which was not issued then",
                  (long long)v[F_BILL].i);
    if (!freed_right(v))
        check_bad(c, "share", id, "%lld of %lld set free by %lld of %lld", (long long)v[F_AMOUNT].i,
                  (long long)v[F_WAITED].i, (long long)v[F_PAID].i, (long long)v[F_LACKED].i);
    if (next && (v[F_WAITED].i > f->waits || v[F_LACKED].i > f->lacks))
        check_bad(c, "share", id, "of bill %lld more waited or lacked than before",
                  (long long)v[F_BILL].i);
    *f = (struct freed){c,
                        v[F_BILL].i,
                        v[F_PARTY].i,
                        check_sub(v[F_WAITED].i, v[F_AMOUNT].i),
                        check_sub(v[F_LACKED].i, v[F_PAID].i),
                        f->named + (v[F_DUE_MS].i == 0)};
    if (v[F_LACKED].i && (v[F_LACKED].i > v[F_BILL_AMOUNT].i || f->lacks < rest))
        check_bad(c, "share", id, "bill %lld lacked %lld, of which %lld came in",
                  (long long)v[F_BILL].i, (long long)v[F_LACKED].i, (long long)v[F_PAID].i);
    if (v[F_DUE_MS].i ? v[F_DUE_MS].i <= v[F_AT_MS].i : !freed_by(c, v))
        check_bad(c, "share", id, "no transfer of party %lld made it available for bill %lld",
                  (long long)v[F_PARTY].i, (long long)v[F_BILL].i);
    return 0;
}

static int freed_sum(void *ctx, const struct sql_value *v, size_t n)
{
    int64_t there = check_add(v[3].i, v[4].i);
    (void)n;
    if (there > v[2].i || there < check_sub(v[2].i, v[5].i))
        check_bad(ctx, "share", v[0].i, "of party %lld: %lld waits, %lld was set free, parts %lld",
                  (long long)v[1].i, (long long)v[3].i, (long long)v[4].i, (long long)v[2].i);
    return 0;
}

static int freed_check(struct check *c)
{
    struct freed f = {.c = c};
    int rc = store_query(c->r, QUERY_CHECK_BILL_SHARES, NULL, 0, freed_take, &f);
    if (rc == 0)
        check_equal(c, "share", 0, "transfers that name a bill", c->named, f.named);
    return rc ? rc : store_query(c->r, QUERY_CHECK_BILL_PARTIES, NULL, 0, freed_sum, c);
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
    if (rc == 0)
        rc = freed_check(c);
    return rc;
}
