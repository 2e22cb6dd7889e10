// SPDX-License-Identifier: Apache-2.0
/* check_invoice.c: `even check`, invoices.
 *
 *   invoice       its lines and its orders come to its amount, the lines' taxes to its tax; what is off
 *                 it again is the same in all three; an issued one has a number (the engine keeps it from two)
 *   invoice line  net + tax = amount; net is amount / (1 + rate) rounded half up to the fen; what is off
 *                 an issued one stands on its red ones, with the tax that the line lost
 *   invoiced      an order is on one invoice, or on a further one too, over what its true end added; it names
 *                 both, with no more on them than was paid and not given back;
 *                 tenant, driver and seller are the order's
 *
 * Shares no code with the core; works on the sums that the queries make. */
#include "store/check.h"

#include "base/err.h"
#include "core/types.h"

enum { FEN = 100, WHOLE = 10000 };

/* Net of a gross amount, in whole fen: the nearest, up when two are as near. */
static int64_t net_of(int64_t gross, int64_t bp)
{
    if (bp <= 0 || gross < 0)
        return gross;
    ev_i128 den = (ev_i128)(WHOLE + bp) * FEN, twice = (ev_i128)gross * WHOLE * 2;
    return (int64_t)((twice + den) / (2 * den)) * FEN;
}

static int invoice_see(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    int64_t id = v[0].i, red_of = v[1].i, state = v[2].i, amount = v[3].i, rest = v[7].i;
    (void)n;
    check_equal(c, "invoice", id, "amount of its lines", v[6].i, amount);
    check_equal(c, "invoice", id, "tax of its lines", v[8].i, v[4].i);
    check_equal(c, "invoice", id, "amount of its orders", v[9].i, amount);
    check_equal(c, "invoice", id, "rest of its orders", v[10].i, rest);
    check_equal(c, "invoice", id, "off it again", v[5].i, red_of ? 0 : check_sub(amount, rest));
    if (state < INVOICE_REQUESTED || state > INVOICE_CANCELLED)
        check_bad(c, "invoice", id, "state %lld", (long long)state);
    if (state == INVOICE_ISSUED && v[11].s.n == 0)
        check_bad(c, "invoice", id, "issued without a number");
    if (state == INVOICE_REQUESTED && v[5].i)
        check_bad(c, "invoice", id, "a request that something is off of");
    if (red_of && (amount >= 0 || state > INVOICE_ISSUED))
        check_bad(c, "invoice", id, "red, but %lld in state %lld", (long long)amount,
                  (long long)state);
    return 0;
}

static int line_see(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    int64_t id = v[0].i, bp = v[4].i, amount = v[5].i, rest = v[8].i;
    (void)n;
    check_equal(c, "invoice line", id, "net + tax", check_add(v[6].i, v[7].i), amount);
    if (v[1].i) {
        if (amount >= 0 || rest)
            check_bad(c, "invoice line", id, "a red line of %lld", (long long)amount);
        return 0;
    }
    check_equal(c, "invoice line", id, "net", v[6].i, net_of(amount, bp));
    if (rest < 0 || rest > amount)
        check_bad(c, "invoice line", id, "%lld of %lld is left", (long long)rest,
                  (long long)amount);
    check_equal(c, "invoice line", id, "on red ones", check_sub(0, v[9].i),
                v[2].i == INVOICE_ISSUED ? check_sub(amount, rest) : 0);
    check_equal(c, "invoice line", id, "net on red ones", check_sub(0, v[10].i),
                v[2].i == INVOICE_ISSUED ? check_sub(v[6].i, net_of(rest, bp)) : 0);
    return 0;
}

static int order_see(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    int64_t id = v[0].i, left = check_sub(v[1].i, v[2].i), paper = v[4].i;
    (void)n;
    if (paper < 0 || paper > left)
        check_bad(c, "invoiced", id, "%lld on paper, %lld paid and not given back",
                  (long long)paper, (long long)left);
    if (v[5].i > 2)
        check_bad(c, "invoiced", id, "on %lld invoices", (long long)v[5].i);
    if (v[6].i)
        check_bad(c, "invoiced", id, "names invoice %lld, and is on others", (long long)v[3].i);
    if (v[7].i)
        check_bad(c, "invoiced", id, "on an invoice of another tenant, driver or seller");
    return 0;
}

/* Orders that name an invoice which has nothing of them any more, or is none. */
static int named_see(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    if (v[2].i < INVOICE_REQUESTED || v[2].i > INVOICE_ISSUED || v[3].i || v[4].i)
        check_bad(c, "invoiced", v[0].i, "names invoice %lld in state %lld", (long long)v[1].i,
                  (long long)v[2].i);
    return 0;
}

int check_invoices(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_INVOICES, NULL, 0, invoice_see, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_INVOICE_LINES, NULL, 0, line_see, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_INVOICE_ORDERS, NULL, 0, order_see, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_INVOICE_NAMED, NULL, 0, named_see, c);
    return rc;
}
