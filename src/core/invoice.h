// SPDX-License-Identifier: Apache-2.0
/* invoice.h: invoices over paid orders, as the files of the core share them; invoice.c has the rules.
 *
 * An invoice has orders (what of each is on it, by fee line) and lines (fee line and tax rate, over all
 * its orders): these stand on the paper. What a refund takes back lowers `rest` of both. Once the
 * paper may exist, it never changes: what was taken back stands on a red invoice of its own, with
 * negative amounts. */
#ifndef EVEN_CORE_INVOICE_H
#define EVEN_CORE_INVOICE_H

#include "core/core_state.h"

/** Fee lines of an order, in the order of enum fee_kind. */
enum { INVOICE_KINDS = 3 };

struct invoice {
    struct obj o;
    struct row_invoice row;
    struct buf lines, orders; /* rows of invoice_line and invoice_order; both have no texts */
    struct invoice *newer, *older;
};

static inline int invoice_kind(int32_t fee_kind)
{
    return fee_kind == FEE_ELECTRICITY ? 0 : fee_kind == FEE_SERVICE ? 1 : 2;
}
static inline struct invoice *invoice_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_INVOICE, id);
}
static inline size_t invoice_orders_n(const struct invoice *v)
{
    return v->orders.n / sizeof(struct row_invoice_order);
}
static inline struct row_invoice_order *invoice_order_at(const struct invoice *v, size_t i)
{
    return (struct row_invoice_order *)(void *)v->orders.p + i;
}
static inline size_t invoice_lines_n(const struct invoice *v)
{
    return v->lines.n / sizeof(struct row_invoice_line);
}
static inline struct row_invoice_line *invoice_line_at(const struct invoice *v, size_t i)
{
    return (struct row_invoice_line *)(void *)v->lines.p + i;
}

/** Of ROW_INVOICE and, after it, its lines and orders; what is in memory is newer. */
EV_MUST_USE int invoice_load(struct core *c, enum row_table t, const void *row);
/** Lets those leave memory that are durable, beyond a number. */
void invoice_rest(struct core *c);
void invoice_free(struct core *c);

int invoice_new(struct core *c, const struct cmd *cmd);
int invoice_decide(struct core *c, const struct cmd *cmd);
/** An order that is on an invoice gave back took[] of its fee lines. */
void invoice_take(struct core *c, struct order *o, const int64_t took[INVOICE_KINDS],
                  const char *note);

/* ---- cost.c ---- */

int cost_put(struct core *c, const struct cmd *cmd);

#endif
