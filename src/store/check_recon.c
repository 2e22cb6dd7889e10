// SPDX-License-Identifier: Apache-2.0
/* check_recon.c: `even check`, reconciliation.
 *
 *   suspense   the suspense account of a tenant and currency = Σ suspense of its posted differences;
 *              a posted one names its transfer, a resolved one left by one or was taken back
 *   given      what went to a party was approved by a second person and is a part of that party, over the
 *              same amount; and each such part has its difference
 *   bill       the fees posted are those agreed; what was kept beyond is a difference; one of shares is
 *              WeChat Pay's, nothing was kept of it, and its differences are of shares, and of no other
 *   settled    what arrived and the fee for it are one transfer
 *   close      a closed day ties: its figures are those of its bills and settlements, theirs follows,
 *              held = theirs + lines, it opens where the one before closed; and the journal of the
 *              channel's account comes to the same held, by when things happened
 *
 * Shares no code with the core. Memory: the closed days, a pointer a suspense account. The journal of
 * a channel is walked backwards through its legs, as far as its first closed day, or to where they do
 * not lead back any more. */
#include "store/check.h"

#include "base/calendar.h"
#include "base/err.h"
#include "core/types.h"

#define DAY_MS  INT64_C(86400000)
#define ZONE_MS INT64_C(28800000) /* providers count days in China's time */

enum { CODE_SUSPENSE = 10 };

struct close {
    int64_t id, tenant, channel, opening, theirs, held, lines, to_ms;
    int32_t day, first_day;
};
struct recon {
    struct check *c;
    struct buf closes, suspense;    /* of suspense: its accounts, pointers */
    int64_t balance, last, account; /* of the walk */
    int64_t effective_ms, posted_ms, amount;
};

static int64_t day_end(int64_t day)
{
    return (civil_days((int32_t)(day / 10000), (int32_t)(day / 100 % 100), (int32_t)(day % 100)) +
            1) *
               DAY_MS -
           ZONE_MS;
}

/* ---- differences ---- */

static struct check_account *suspense_of(const struct recon *r, int64_t tenant, struct str currency)
{
    struct check_account *const *a = (struct check_account *const *)(void *)r->suspense.p;
    for (size_t i = 0; i < r->suspense.n / sizeof *a; i++)
        if (a[i]->tenant == tenant && a[i]->owner == 0 && str_eq_c(currency, a[i]->currency))
            return a[i];
    return NULL;
}

static int diff_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct recon *r = ctx;
    struct check *c = r->c;
    int64_t state = v[4].i;
    struct check_account *a = suspense_of(r, v[1].i, v[2].s);
    (void)n;
    if (state == DIFF_POSTED && (v[3].i == 0 || v[5].i == 0 || !a))
        check_bad(c, "suspense", v[0].i, "posted %lld by transfer %lld", (long long)v[3].i,
                  (long long)v[5].i);
    if (v[5].i && v[8].i != CODE_SUSPENSE && v[8].i != TRANSFER_PAYOUT_DONE)
        check_bad(c, "suspense", v[0].i, "its transfer has the code %lld", (long long)v[8].i);
    if (state == DIFF_OPEN && (v[3].i || v[6].i))
        check_bad(c, "suspense", v[0].i, "open, but %lld on suspense", (long long)v[3].i);
    if (state == DIFF_RESOLVED && v[3].i && v[7].i != DIFF_REVERSED && v[9].i == 0)
        check_bad(c, "suspense", v[0].i, "resolved by no transfer");
    if (state == DIFF_POSTED && a)
        a->waits = check_add(a->waits, v[3].i);
    return 0;
}

static int given_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct recon *r = ctx;
    (void)n;
    check_bad(r->c, "given", v[0].i, "transfer %lld to a party", (long long)v[1].i);
    return 0;
}

static int diffs_check(struct recon *r)
{
    struct check_account *a = (struct check_account *)(void *)r->c->shared->accounts.p;
    for (size_t i = 0; i < r->c->shared->accounts.n / sizeof *a; i++)
        if (a[i].kind == ACCOUNT_SUSPENSE)
            buf_put(&r->suspense, &(struct check_account *){&a[i]}, sizeof(struct check_account *));
    int rc = r->suspense.err;
    if (rc == 0)
        rc = store_query(r->c->r, QUERY_CHECK_DIFFS, NULL, 0, diff_take, r);
    if (rc == 0)
        rc = store_query(r->c->r, QUERY_CHECK_DIFF_PARTS, NULL, 0, given_take, r);
    struct check_account *const *s = (struct check_account *const *)(void *)r->suspense.p;
    for (size_t i = 0; i < r->suspense.n / sizeof *s && rc == 0; i++)
        check_equal(r->c, "suspense", s[i]->id, "posted differences",
                    check_sub(s[i]->row_in, s[i]->row_out), s[i]->waits);
    return rc;
}

/* ---- bills, settlements ---- */

static int bill_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    int64_t due = v[5].i < 0 ? check_sub(0, v[5].i) : v[5].i;
    (void)n;
    check_equal(c, "bill", v[0].i, "fees posted", v[7].i, due);
    check_equal(c, "bill", v[0].i, "fees kept", v[4].i, check_add(v[5].i, v[8].i));
    if (v[3].i < 0 || v[3].i > v[2].i)
        check_bad(c, "bill", v[0].i, "%lld of %lld rows agree", (long long)v[3].i,
                  (long long)v[2].i);
    if (v[10].i)
        check_bad(c, "bill", v[0].i, "%lld differences are not of its kind", (long long)v[10].i);
    if (v[9].i != BILL_TRADE && (v[9].i != BILL_SHARES || !v[11].i || v[4].i || v[5].i))
        check_bad(c, "bill", v[0].i, "kind %lld, fees %lld", (long long)v[9].i, (long long)v[4].i);
    return 0;
}

static int settlement_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_equal(ctx, "settled", v[0].i, "posted", v[3].i, check_add(v[1].i, v[2].i));
    return 0;
}

/* ---- closed days ---- */

static int close_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct recon *r = ctx;
    int64_t id = v[0].i, theirs = v[5].i;
    const struct close k = {.id = id,
                            .tenant = v[1].i,
                            .channel = v[2].i,
                            .day = (int32_t)v[3].i,
                            .first_day = (int32_t)v[4].i,
                            .opening = v[5].i,
                            .theirs = v[10].i,
                            .held = v[11].i,
                            .lines = v[12].i,
                            .to_ms = day_end(v[3].i)};
    (void)n;
    for (int i = 0; i < 4; i++)
        check_equal(r->c, "close", id, "sums of its bills", v[6 + i].i, v[13 + i].i);
    theirs = check_sub(check_add(theirs, v[13].i), check_add(v[14].i, v[15].i));
    check_equal(r->c, "close", id, "with the provider", k.theirs, check_sub(theirs, v[16].i));
    check_equal(r->c, "close", id, "held", k.held, check_add(k.theirs, k.lines));
    if (k.first_day > k.day)
        check_bad(r->c, "close", id, "it begins after it ends");
    buf_put(&r->closes, &k, sizeof k);
    return r->closes.err;
}

static int lines_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(int64_t *)ctx = v[0].i;
    return 0;
}

static int head_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct recon *r = ctx;
    (void)n;
    r->account = v[0].i;
    r->balance = v[1].i;
    r->last = v[2].i;
    return 0;
}

static int step_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct recon *r = ctx;
    struct check_leg leg;
    struct cursor legs = {(const uint8_t *)v[2].s.p, (const uint8_t *)v[2].s.p + v[2].s.n};
    (void)n;
    r->effective_ms = v[0].i;
    r->posted_ms = v[1].i;
    r->last = r->amount = 0;
    while (check_leg_next(&legs, &leg) == 1)
        if (leg.account == r->account) {
            r->amount = leg.amount;
            r->last = leg.previous;
        }
    return 0;
}

/* The closed days of one channel, in order: what happened after each is taken off the balance. */
static int journal_check(struct recon *r, const struct close *k, size_t n)
{
    const struct sql_value of[] = {SQL_I64(k->tenant), SQL_I64(k->channel)};
    struct buf after; /* of each close: what happened after it and not after the next */
    int64_t later = 0, first_ms = k[0].to_ms;
    buf_init(&after, SIZE_MAX);
    for (size_t i = 0; i < n; i++)
        buf_put(&after, &(int64_t){0}, sizeof(int64_t));
    int64_t *sum = (int64_t *)(void *)after.p;
    r->account = r->balance = r->last = 0;
    int rc = after.err ? after.err
                       : store_query(r->c->r, QUERY_CHECK_CLOSE_ACCOUNT, of, 2, head_take, r);
    for (int64_t before = INT64_MAX; rc == 0 && r->last != 0 && r->last < before;) {
        const struct sql_value id = SQL_I64(before = r->last);
        rc = store_query(r->c->r, QUERY_CHECK_CLOSE_TRANSFER, &id, 1, step_take, r);
        size_t at = n;
        while (at > 0 && r->effective_ms < k[at - 1].to_ms)
            at--;
        if (rc == 0 && at > 0)
            sum[at - 1] = check_add(sum[at - 1], r->amount);
        if (r->posted_ms < first_ms)
            break;
    }
    rc = rc == ERR_NOT_FOUND ? 0 : rc; /* the rules account and chain name such a pointer */
    for (size_t i = n; i > 0 && rc == 0; i--) {
        later = check_add(later, sum[i - 1]);
        check_equal(r->c, "close", k[i - 1].id, "held by the journal", k[i - 1].held,
                    check_sub(later, r->balance));
    }
    buf_free(&after);
    return rc;
}

static int close_check(struct recon *r, const struct close *k, const struct close *before)
{
    const struct sql_value of[] = {SQL_I64(k->channel), SQL_I64(k->day), SQL_I64(k->to_ms)};
    int64_t lines = 0;
    int rc = store_query(r->c->r, QUERY_CHECK_CLOSE_LINES, of, 3, lines_take, &lines);
    if (rc == 0)
        check_equal(r->c, "close", k->id, "lines of its differences", k->lines, lines);
    if (before) {
        check_equal(r->c, "close", k->id, "opening", k->opening, before->theirs);
        if (day_end(before->day) != day_end(k->first_day) - DAY_MS)
            check_bad(r->c, "close", k->id, "it does not follow the day before it");
    }
    return rc;
}

static int closes_check(struct recon *r)
{
    int rc = store_query(r->c->r, QUERY_CHECK_CLOSES, NULL, 0, close_take, r);
    const struct close *k = (const struct close *)(void *)r->closes.p;
    size_t n = r->closes.n / sizeof *k;
    for (size_t i = 0, first = 0; i < n && rc == 0; i++) {
        first = i > 0 && k[i].channel == k[i - 1].channel ? first : i;
        rc = close_check(r, &k[i], i > first ? &k[i - 1] : NULL);
        if (rc == 0 && (i + 1 == n || k[i + 1].channel != k[i].channel))
            rc = journal_check(r, &k[first], i + 1 - first);
    }
    return rc;
}

int check_recon(struct check *c)
{
    struct recon r = {.c = c};
    buf_init(&r.closes, SIZE_MAX);
    buf_init(&r.suspense, SIZE_MAX);
    int rc = diffs_check(&r);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_BILLS, NULL, 0, bill_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_SETTLEMENTS, NULL, 0, settlement_take, c);
    if (rc == 0)
        rc = closes_check(&r);
    buf_free(&r.closes);
    buf_free(&r.suspense);
    return rc;
}
