// SPDX-License-Identifier: Apache-2.0
/* gift.c: gift money: what an operator adds to a wallet, with a top-up package (充值套餐: pay 100, get
 * 20) or as it pleases. It lies in an account of its own (ACCOUNT_WALLET_BONUS), whose contra is the
 * tenant's marketing account; it pays bills (wallet.c) and never becomes cash.
 *
 * A package is promised as its payment is made (the payment's gift) and credited as it is paid, in
 * the same batch. A refund of any part of that payment to its source voids the package: all of its
 * gift that did not expire goes back first, the unspent part out of the gift money, what was spent
 * out of principal. So who tops up and asks for it back has had nothing for nothing, whatever he
 * spent in between. When all refunds of the payment have come to nothing, the gift comes back with
 * the last of them.
 *
 * All gift money of a driver is good until one day (driver.gift_until): each gift moves it on, never
 * back, but for a package that is void: then the day is the latest of the others'. From then on it cannot be spent; it is posted back by the house's daily turn (CMD_GIFT_TURN, one
 * driver each: app/turn.h), or earlier when the wallet is next given something, and noted on the lots
 * that it came with (gift_lost), so that a refund of one of them does not take it again. What an order
 * still holds of it stays until that order is over, and goes with the turn after.
 *
 * Invariants: 1. the marketing account has what was given, less what came back, negative; 2. 0 <=
 * gift_back + gift_lost <= gift of a lot. The core's thread. */
#include "core/charge.h"
#include "core/lotfee.h"
#include "core/purse.h"

#define GIFT_MAX  (INT64_C(100000) * MONEY_UNIT)
#define DAYS_MOST 3650
#define DAY_MS    INT64_C(86400000)

static const char *currency_of(const struct core *c, int64_t tenant)
{
    return tenant_find(c, tenant)->row.currency;
}

static bool whole_fen(int64_t v)
{
    return v >= MONEY_FEN && v % MONEY_FEN == 0;
}

/* gift > 0: to the driver; < 0: back. `cost` of it is principal. */
static int64_t gift_post(struct core *c, int64_t tenant, int64_t driver, int64_t gift, int64_t cost,
                         const char *note)
{
    struct ledger_request q;
    const char *currency = currency_of(c, tenant);
    int32_t code = gift + cost > 0 ? TRANSFER_GIFT : TRANSFER_GIFT_BACK;
    if (cost < 0)
        lots_out(c, driver, -cost, -1);
    else if (cost > 0)
        lots_in(c, driver, cost, 0);
    purse_request(c, &q, tenant, code, currency);
    q.note = note;
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_MARKETING, 0, currency), -(gift + cost), 0);
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_WALLET_BONUS, driver, currency), gift, 0);
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_WALLET, driver, currency), cost, 0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* it is there: the caller has looked */
    event_wallet(c, tenant, driver, currency);
    return ctx.id;
}

static int64_t gift_free(const struct core *c, int64_t tenant, int64_t driver)
{
    return purse_available(c, tenant, ACCOUNT_WALLET_BONUS, driver, currency_of(c, tenant));
}

/* What is left of a lot's gift: it has to go when the lot does. */
static int64_t lot_gift(const struct payment *lot)
{
    return lot->row.gift - lot->row.gift_back - lot->row.gift_lost;
}

/* But for what is being paid just now. */
static struct payment *newest_lot(const struct core *c, int64_t driver)
{
    struct payment *newest = NULL;
    for (uint32_t i = 0; i < c->purse->payments.len; i++) {
        struct payment *p = slab_at(&c->purse->payments, i);
        if (p && p->row.driver == driver && p->row.state == PAYMENT_PAID &&
            p->row.paid_ms < c->now && lot_gift(p) > 0 && (!newest || p->row.id > newest->row.id))
            newest = p;
    }
    return newest;
}

/* So much expired: it is gone of the newest lots, for the oldest are spent first. */
static void lots_lost(struct core *c, int64_t driver, int64_t lost)
{
    struct payment *lot;
    while (lost > 0 && (lot = newest_lot(c, driver)) != NULL) {
        int64_t part = lot_gift(lot) < lost ? lot_gift(lot) : lost;
        lot->row.gift_lost += part;
        lot->row.version++;
        obj_dirty(c, &lot->o);
        lost -= part;
    }
}

void gift_forfeit(struct core *c, int64_t tenant, int64_t driver, int64_t principal)
{
    int64_t gift = gift_free(c, tenant, driver);
    if (!(gift + principal))
        return;
    struct driver *d = driver_find(c, driver);
    d->row.gift_lost += gift + principal;
    obj_dirty(c, &d->o);
    gift_post(c, tenant, driver, -gift, -principal, "");
}

static void until_move(struct core *c, struct driver *d, int64_t had, int32_t days)
{
    int64_t until = days ? c->now + days * DAY_MS : 0;
    bool longer = !until || until > d->row.gift_until;
    if (had && (!d->row.gift_until || !longer))
        return;
    d->row.gift_until = until;
    obj_dirty(c, &d->o);
}

/* Until when the gift of this lot alone would be good; 0: for ever. */
static int64_t lot_until(const struct payment *lot)
{
    return lot->row.gift_days ? lot->row.paid_ms + lot->row.gift_days * DAY_MS : 0;
}

static bool later(int64_t a, int64_t b)
{
    return b && (!a || a > b);
}

/* A lot that gave the gift money its day is void: the day is the latest of the others' again. */
static void until_back(struct core *c, const struct payment *lot)
{
    struct driver *d = driver_find(c, lot->row.driver);
    const struct payment *best = NULL;
    if (!d || lot_until(lot) != d->row.gift_until)
        return;
    for (uint32_t i = 0; i < c->purse->payments.len; i++) {
        const struct payment *p = slab_at(&c->purse->payments, i);
        if (p && p->row.driver == lot->row.driver && p->row.state == PAYMENT_PAID &&
            lot_gift(p) > 0 && (!best || later(lot_until(p), lot_until(best))))
            best = p;
    }
    if (!best || !later(d->row.gift_until, lot_until(best)))
        return;
    d->row.gift_until = lot_until(best);
    obj_dirty(c, &d->o);
}

bool gift_expired(const struct core *c, int64_t driver, int64_t now_ms)
{
    const struct driver *d = driver_find(c, driver);
    return d && d->row.gift_until && now_ms >= d->row.gift_until &&
           gift_free(c, d->row.tenant, driver) > 0;
}

/* What was good until now and is no more, goes. */
static void gift_expire(struct core *c, int64_t tenant, int64_t driver)
{
    lots_lost(c, driver, gift_free(c, tenant, driver));
    gift_forfeit(c, tenant, driver, 0);
}

int64_t gift_give(struct core *c, int64_t tenant, int64_t driver, int64_t amount, int32_t days,
                  const char *note)
{
    struct driver *d = driver_find(c, driver);
    must(d);
    if (gift_expired(c, driver, c->now))
        gift_expire(c, tenant, driver);
    const struct ledger_account *a = ledger_account_find(c->ledger, tenant, ACCOUNT_WALLET_BONUS,
                                                         driver, currency_of(c, tenant));
    until_move(c, d, a ? ledger_balance(a).v : 0, days);
    return gift_post(c, tenant, driver, amount, 0, note);
}

/* ---- packages, staff ---- */

int gift_package(const struct core *c, int64_t tenant, const struct cmd_payment_new *in,
                 struct row_payment *row)
{
    if (!in->package)
        return 0;
    const struct package *p = dir_find(c, ROW_PACKAGE, in->package);
    if (!p || p->row.tenant != tenant)
        return ERR_NOT_FOUND;
    if (p->row.state != ROW_ACTIVE || c->now < p->row.from_ms ||
        (p->row.to_ms && c->now >= p->row.to_ms))
        return ERR_CLOSED;
    if (in->amount != p->row.pay || in->connector)
        return ERR_CONFLICT;
    row->package = p->row.id;
    row->gift = p->row.gift;
    row->gift_days = p->row.gift_days;
    return 0;
}

int gift_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_gift *in = &cmd->u.gift;
    const struct driver *d = driver_find(c, in->driver);
    int64_t account, tenant = cmd->head.tenant;
    if (!d || d->row.tenant != tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (d->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (!in->note[0])
        return ERR_REQUIRED;
    if (!whole_fen(in->amount) || in->amount > GIFT_MAX || in->days < 0 || in->days > DAYS_MOST)
        return ERR_RANGE;
    const char *currency = currency_of(c, tenant);
    int rc = account_open(c, tenant, ACCOUNT_MARKETING, 0, currency, &account);
    if (!rc)
        rc = account_open(c, tenant, ACCOUNT_WALLET_BONUS, in->driver, currency, &account);
    if (rc)
        return rc;
    int64_t transfer = gift_give(c, tenant, in->driver, in->amount, in->days, in->note);
    c->made_id = payment_note(c, &(struct row_payment){.tenant = tenant,
                                                       .driver = in->driver,
                                                       .method = PAY_METHOD_GIFT,
                                                       .currency = currency,
                                                       .transfer = transfer,
                                                       .gift = in->amount,
                                                       .gift_days = in->days});
    return 0;
}

/* Its marketing account is there: the gift came out of it. */
int gift_turn(struct core *c, const struct cmd *cmd)
{
    const struct driver *d = driver_find(c, cmd->u.driver_one.driver);
    if (cmd->head.actor_kind != ACTOR_SYSTEM)
        return ERR_DENIED;
    if (!d || !gift_expired(c, d->row.id, c->now))
        return ERR_NOT_FOUND;
    gift_expire(c, d->row.tenant, d->row.id);
    audit_put(c, d->row.tenant, "wallet.gift_expired", d->row.id, "", 0);
    c->made_id = d->row.id;
    return 0;
}

/* ---- refunds of a lot ---- */

int gift_refund_cost(const struct core *c, const struct payment *lot, int64_t *cost)
{
    int64_t due = lot_gift(lot);
    int64_t has = gift_free(c, lot->row.tenant, lot->row.driver);
    const struct ledger_account *a = ledger_account_find(
        c->ledger, lot->row.tenant, ACCOUNT_WALLET_BONUS, lot->row.driver, lot->row.currency);
    *cost = due > has ? due - has : 0;
    return *cost && a && a->held ? ERR_BUSY : 0;
}

void gift_refund(struct core *c, struct payment *lot)
{
    int64_t due = lot_gift(lot), cost;
    must(gift_refund_cost(c, lot, &cost) == 0);
    if (!due)
        return;
    gift_post(c, lot->row.tenant, lot->row.driver, -(due - cost), -cost, "");
    lot->row.gift_back += due;
    lot->row.gift_cost += cost;
    until_back(c, lot);
}

void gift_refund_undo(struct core *c, struct payment *lot)
{
    int64_t gift = lot->row.gift_back - lot->row.gift_cost, cost = lot->row.gift_cost;
    if (lot->row.refunded || !lot->row.gift_back)
        return; /* more of the lot went back: the package stays void */
    gift_post(c, lot->row.tenant, lot->row.driver, gift, cost, "");
    lot->row.gift_back = lot->row.gift_cost = 0;
    struct driver *d = driver_find(c, lot->row.driver);
    if (d && later(lot_until(lot), d->row.gift_until)) {
        d->row.gift_until = lot_until(lot);
        obj_dirty(c, &d->o);
    }
}
