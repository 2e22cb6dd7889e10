// SPDX-License-Identifier: Apache-2.0
/* single.c: a driver pays for one order ("pay and charge"): a payment that names a connector. As its
 * provider says that it is paid, its money comes to the wallet, is held for an order there, and the
 * charging begins by itself with the paid amount as its cap; what the order leaves goes back to the
 * payment's source when the order is over, all of it when nothing began.
 *
 *  what happens                                     the money
 *  paid in time                                     held for the order
 *  … but nothing can begin, or the start fails      back to its source
 *  the order is settled                             the bill is taken, the rest goes back
 *  … in doubt, and then decided                     its channel shares it only now (sharing.c)
 *  the order gives back later                       back to the source, as far as it takes it
 *  the order turns out to be more                   what is left of the payment, else loss
 *  paid after it was closed, or while in debt       top-up: it stays in the wallet
 *  frozen meanwhile, or the source refuses          the rest stays in the wallet
 *
 * The payment stays in memory, and is loaded at the start, while its order runs (`bound`).
 *
 * Invariant: taken by the order + gone back <= paid. The core's thread. */
#include "core/charge.h"
#include "core/purse.h"

int single_check(struct core *c, int64_t tenant, const struct cmd_payment_new *in)
{
    if (!in->connector)
        return 0;
    const struct driver *d = driver_find(c, in->driver);
    if (d->row.frozen)
        return ERR_DISABLED;
    if (debt_of(c, tenant, in->driver, in->currency))
        return ERR_DEBT;
    return start_place_check(c, tenant, in->connector, in->driver);
}

static void bound_set(struct core *c, struct payment *p, bool bound)
{
    p->row.bound = bound;
    p->row.version++;
    obj_dirty(c, &p->o);
}

void single_back(struct core *c, struct payment *p, int64_t amount)
{
    const struct driver *d = driver_find(c, p->row.driver);
    int64_t has =
        wallet_money(c, p->row.tenant, p->row.driver, p->row.currency).principal / MONEY_FEN;
    amount = amount < has * MONEY_FEN ? amount : has * MONEY_FEN;
    int rc = amount <= 0 ? 0 : d->row.frozen ? ERR_DISABLED : payout_source(c, p, amount);
    if (rc)
        audit_put(c, p->row.tenant, "payment.kept", p->row.id, "", rc);
}

void single_paid(struct core *c, struct payment *p)
{
    const struct driver *d = driver_find(c, p->row.driver);
    int64_t has = wallet_money(c, p->row.tenant, p->row.driver, p->row.currency).principal;
    struct order *o = NULL;
    must(d);
    if (debt_of(c, p->row.tenant, p->row.driver, p->row.currency) || has < p->row.amount)
        return; /* a debt was settled first */
    int rc = d->row.state != ROW_ACTIVE || d->row.frozen ? ERR_DISABLED : start_paid(c, p, &o);
    if (rc) {
        audit_put(c, p->row.tenant, "payment.no_start", p->row.id, "", rc);
        single_back(c, p, p->row.amount);
        return;
    }
    p->row.order_id = o->row.id;
    bound_set(c, p, true);
}

static struct payment *payment_of(const struct core *c, const struct order *o)
{
    struct payment *p = payment_find(c, o->row.payment);
    must(p); /* bound, or declared by whoever moves money of an order (need.c) */
    return p;
}

int64_t single_left(const struct core *c, const struct order *o)
{
    const struct payment *p = payment_of(c, o);
    int64_t left = p->row.amount - p->row.refunded - (o->row.paid - o->row.refunded);
    return left > 0 ? left : 0;
}

void single_over(struct core *c, struct order *o)
{
    struct payment *p = payment_of(c, o);
    bound_set(c, p, false);
    single_back(c, p, single_left(c, o));
    if (o->row.state != ORDER_DOUBTFUL) /* then what it gives the parties is not known yet */
        sharing_begin(c, p, o);
}

/* Also by a timer, which declares nothing: a payment that is to be shared is in memory. */
void single_decided(struct core *c, const struct order *o)
{
    struct payment *p = o->row.payment ? payment_find(c, o->row.payment) : NULL;
    if (p && o->row.state == ORDER_SETTLED)
        sharing_begin(c, p, o);
}
