// SPDX-License-Identifier: Apache-2.0
/* closing.c: a driver's account ends. Nothing of it is open, its principal is back at its sources or
 * given up to the fen; then its gift money is forfeited, its personal data is erased, and its phone may
 * register anew.
 *
 * Principal that is given up is somebody's money that the operator keeps. The driver may say so of his
 * own; staff do so by two people, as with a payout above the limit: one asks, and the account is closed
 * when another one asks the same, of the same amount. Whoever asked may take that back, any other may
 * refuse it. An amount that differs by then is a new wish; what was spent meanwhile makes both void.
 *
 * While the plug of a charge that is over may still show, its occupancy fee is still to come, and needs
 * somebody who pays it: the account stays open until the plug is pulled, or nothing can follow any more
 * (occupancy_may_follow).
 *
 * Invariants: 1. an account that is closed has close_by 0; 2. what is asked for changes nothing else.
 * The core's thread. */
#include "core/charge.h"
#include "core/occupancy.h"
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

static struct driver *driver_of(const struct core *c, const struct cmd *cmd, int64_t id)
{
    struct driver *d = driver_find(c, id);
    return d && d->row.tenant == cmd->head.tenant && !cmd->head.station ? d : NULL;
}

/* ---- what keeps it open ---- */

/* Orders that may still move his money. */
static bool order_left(const struct core *c, int64_t driver)
{
    for (uint32_t i = 0; i < c->orders.len; i++) {
        const struct order *o = slab_at(&c->orders, i);
        if (o && o->loaded_order && o->row.driver == driver &&
            (order_open(o) || o->row.state == ORDER_DOUBTFUL))
            return true;
    }
    return false;
}

/* Orders of his at whose connectors a stay may still begin (need.c brings them). */
static bool plug_left(const struct core *c, int64_t driver)
{
    for (uint32_t i = 0; i < c->orders.len; i++) {
        const struct order *o = slab_at(&c->orders, i);
        if (o && o->loaded_order && o->row.driver == driver && occupancy_may_follow(c, o))
            return true;
    }
    return false;
}

/* Payments that may still come in, and refunds that may still come back. */
static bool money_under_way(const struct core *c, const struct driver *d)
{
    for (uint32_t i = 0; i < c->purse->payments.len; i++) {
        const struct payment *p = slab_at(&c->purse->payments, i);
        if (p && p->row.driver == d->row.id &&
            (p->row.state == PAYMENT_CREATED || p->row.state == PAYMENT_WAITING))
            return true;
    }
    const struct tenant *t = tenant_find(c, d->row.tenant);
    return purse_available(c, d->row.tenant, ACCOUNT_TRANSIT, d->row.id, t->row.currency) > 0;
}

static int close_check(const struct core *c, const struct cmd *cmd, const struct driver *d)
{
    if (!d || (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != d->row.id))
        return ERR_NOT_FOUND;
    const struct tenant *t = tenant_find(c, d->row.tenant);
    int64_t left = purse_available(c, d->row.tenant, ACCOUNT_WALLET, d->row.id, t->row.currency);
    if (d->row.state == ROW_DELETED)
        return ERR_CONFLICT;
    if (d->row.frozen)
        return ERR_DISABLED;
    if (order_left(c, d->row.id))
        return ERR_BUSY;
    if (plug_left(c, d->row.id))
        return ERR_PLUGGED_IN;
    if (debt_of(c, d->row.tenant, d->row.id, t->row.currency))
        return ERR_DEBT;
    /* Principal goes back to its sources first, and has arrived there. */
    return left != cmd->u.driver_close.give_up || money_under_way(c, d) ? ERR_CONFLICT : 0;
}

/* ---- one person asks, another one agrees ---- */

static void driver_changed(struct core *c, struct driver *d)
{
    d->row.version++;
    obj_dirty(c, &d->o);
    c->made_id = d->row.id;
    c->made_version = d->row.version;
}

static void close_audit(struct core *c, const struct driver *d, const char *action, int64_t amount)
{
    char detail[64] = "";
    if (amount)
        snprintf(detail, sizeof detail, "gives up %" PRId64, amount);
    audit_put(c, d->row.tenant, action, d->row.id, detail, 0);
}

static void close_ask(struct core *c, struct driver *d, const struct cmd *cmd)
{
    d->row.close_ask = cmd->u.driver_close.give_up;
    d->row.close_by = cmd->head.actor;
    d->row.close_ms = c->now;
    close_audit(c, d, "driver.close.ask", d->row.close_ask);
    driver_changed(c, d);
}

static int close_now(struct core *c, struct driver *d, int64_t give_up)
{
    int64_t room;
    int rc = account_open(c, d->row.tenant, ACCOUNT_MARKETING, 0,
                          tenant_find(c, d->row.tenant)->row.currency, &room);
    if (rc)
        return rc;
    gift_forfeit(c, d->row.tenant, d->row.id, give_up);
    struct row_driver row = d->row;
    row.phone = row.name = "";
    row.state = ROW_DELETED;
    row.close_ask = row.close_by = row.close_ms = 0;
    dir_change(c, &d->o, &row);
    close_audit(c, d, "driver.close", give_up);
    driver_changed(c, d);
    return 0;
}

int wallet_close(struct core *c, const struct cmd *cmd)
{
    struct driver *d = driver_of(c, cmd, cmd->u.driver_close.driver);
    int64_t give_up = cmd->u.driver_close.give_up;
    int rc = close_check(c, cmd, d);
    if (rc)
        return rc;
    bool own = cmd->head.actor_kind == ACTOR_DRIVER;
    bool asked = d->row.close_by && d->row.close_ask == give_up;
    if (give_up && !own && cmd->head.actor_kind != ACTOR_PERSON)
        return ERR_DENIED; /* a key is no person: whoever made it might agree with it */
    if (give_up && !own && asked && !second_may(c, cmd, ACTOR_PERSON, d->row.close_by))
        return ERR_SECOND;
    if (give_up && !own && !asked) {
        close_ask(c, d, cmd);
        return 0;
    }
    return close_now(c, d, give_up);
}

int wallet_close_end(struct core *c, const struct cmd *cmd)
{
    struct driver *d = driver_of(c, cmd, cmd->u.driver_one.driver);
    if (!d || cmd->head.actor_kind == ACTOR_DRIVER)
        return ERR_NOT_FOUND;
    if (!d->row.close_by)
        return ERR_CONFLICT;
    bool mine = d->row.close_by == cmd->head.actor;
    close_audit(c, d, mine ? "driver.close.cancel" : "driver.close.refuse", d->row.close_ask);
    d->row.close_ask = d->row.close_by = d->row.close_ms = 0;
    driver_changed(c, d);
    return 0;
}
