// SPDX-License-Identifier: Apache-2.0
/* check_tax.c: `even check`, tax withheld of payouts to persons.
 *
 *   tax      a payout's tax = what its rule says of the month's sum with it, less what was withheld of the
 *            sum before it, and no more than leaves a fen to be paid; sums are counted again from the
 *            other payouts; it was posted
 *   office   withheld of a month = Σ tax of its payouts that did not come to nothing; paid = Σ receipts,
 *            each posted; the tax account = withheld − paid
 *   person   what a party's running month says = its payouts in it
 *
 * Shares no code with the core: the brackets are walked upwards, slice by slice, here. Memory: the rules. */
#include "store/check.h"

#include "base/compiler.h"
#include "base/err.h"
#include "core/types.h"

struct rate {
    int64_t rule, tenant, deduct, deduct_bp, above, rate_bp;
};
struct taxes {
    struct check *c;
    struct buf rates; /* struct rate, by rule, then ascending */
};

static int rate_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct taxes *t = ctx;
    const struct rate r = {v[0].i, v[1].i, v[3].i, v[4].i, v[6].i, v[7].i};
    (void)n;
    buf_put(&t->rates, &r, sizeof r);
    return t->rates.err;
}

/* 100 · 10,000 · 10,000: what a hundredth of a fen by two rates in basis points is counted in. */
#define FEN_E8 ((ev_i128)10000000000)

/* The tax of a month's sum by the rates [r, end) of one rule. */
static int64_t tax_of(const struct rate *r, const struct rate *end, int64_t sum)
{
    ev_i128 free_e4 = (ev_i128)r->deduct * 10000, due = 0;
    if ((ev_i128)sum * r->deduct_bp > free_e4)
        free_e4 = (ev_i128)sum * r->deduct_bp;
    ev_i128 taxed = (ev_i128)sum * 10000 - free_e4;
    for (; r < end; r++) {
        ev_i128 from = (ev_i128)r->above * 10000, to = taxed;
        if (r + 1 < end && (ev_i128)r[1].above * 10000 < to)
            to = (ev_i128)r[1].above * 10000;
        if (to > from)
            due += (to - from) * r->rate_bp;
    }
    return (int64_t)((2 * due + FEN_E8) / (2 * FEN_E8)) * 100;
}

static int64_t tax_due(const struct taxes *t, int64_t rule, int64_t tenant, int64_t sum,
                       bool *found)
{
    const struct rate *r = (const struct rate *)(void *)t->rates.p;
    const struct rate *all = r + t->rates.n / sizeof *r, *end;
    while (r < all && r->rule != rule)
        r++;
    for (end = r; end < all && end->rule == rule;)
        end++;
    *found = r < end && r->tenant == tenant;
    return *found ? tax_of(r, end, sum) : 0;
}

static int payout_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct taxes *t = ctx;
    bool found;
    int64_t due = check_sub(tax_due(t, v[2].i, v[1].i, v[6].i, &found), v[7].i);
    int64_t most = check_sub(check_sub(v[3].i, v[4].i), 100);
    (void)n;
    if (!found || v[12].i != PAYOUT_SHARE)
        check_bad(t->c, "tax", v[0].i, "no rule %lld for it", (long long)v[2].i);
    due = due < most ? due : most;
    check_equal(t->c, "tax", v[0].i, "withheld", v[5].i, due > 0 ? due : 0);
    check_equal(t->c, "tax", v[0].i, "the month's sum", v[6].i, v[8].i);
    check_equal(t->c, "tax", v[0].i, "withheld before", v[7].i, v[9].i);
    check_equal(t->c, "tax", v[0].i, "posted", v[5].i, v[11].i);
    return 0;
}

static int month_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct taxes *t = ctx;
    (void)n;
    check_equal(t->c, "office", v[0].i, "withheld in the month", v[2].i, v[4].i);
    check_equal(t->c, "office", v[0].i, "paid for the month", v[3].i, v[5].i);
    return 0;
}

static int account_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct taxes *t = ctx;
    (void)n;
    check_equal(t->c, "office", v[0].i, "tax account", v[1].i, check_sub(v[2].i, v[3].i));
    check_equal(t->c, "office", v[0].i, "months", v[4].i, check_sub(v[2].i, v[3].i));
    return 0;
}

static int receipt_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct taxes *t = ctx;
    (void)n;
    check_equal(t->c, "office", v[0].i, "receipt", v[1].i, v[2].i);
    return 0;
}

static int party_take(void *ctx, const struct sql_value *v, size_t n)
{
    const struct taxes *t = ctx;
    (void)n;
    check_equal(t->c, "person", v[0].i, "sum of the month", v[1].i, v[3].i);
    check_equal(t->c, "person", v[0].i, "withheld in the month", v[2].i, v[4].i);
    return 0;
}

int check_tax(struct check *c)
{
    static const struct {
        enum query q;
        int (*take)(void *ctx, const struct sql_value *v, size_t n);
    } walks[] = {
        {QUERY_CHECK_TAX_RATES, rate_take},       {QUERY_CHECK_TAX_PAYOUTS, payout_take},
        {QUERY_CHECK_TAX_MONTHS, month_take},     {QUERY_CHECK_TAX_ACCOUNTS, account_take},
        {QUERY_CHECK_TAX_RECEIPTS, receipt_take}, {QUERY_CHECK_TAX_PARTIES, party_take},
    };
    struct taxes t = {.c = c};
    int rc = 0;
    buf_init(&t.rates, SIZE_MAX);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(walks); i++)
        rc = store_query(c->r, walks[i].q, NULL, 0, walks[i].take, &t);
    buf_free(&t.rates);
    return rc;
}
