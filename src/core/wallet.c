// SPDX-License-Identifier: Apache-2.0
/* wallet.c: what a driver pays with: principal and gift money, two accounts of the ledger that are
 * spent together. One order's hold has a leg on each that it needs; its capture, its release and its
 * refunds move both in one transfer.
 *
 * Which is spent first is the tenant's rule (enum gift_order): gift last (the usual one: what a
 * driver paid in is used up before what he was given, so that a gift cannot be turned into a refund
 * of principal), gift first, or evenly by what there is of each.
 *
 * What an order gives back comes back as it was paid: the gift's share of it, by what of the order's
 * money is gift and not yet given back, to gift money; the rest to principal, of which debt is
 * settled first. So no refund ever makes cash of a gift, and a whole refund restores both exactly.
 *
 * A frozen wallet starts nothing, holds no more and gives nothing back to its sources; what runs
 * ends normally, and top-ups come in. How an account is closed: closing.c.
 *
 * Invariants: 1. what wallet_take says is there, wallet_legs posts, and may not fail; 2. gift money
 * leaves only for an order's bill or back to where it came from; 3. 0 <= gift of an order <= paid −
 * refunded. The core's thread. */
#include "core/charge.h"
#include "core/occupancy.h"
#include "core/lotfee.h"
#include "core/purse.h"

struct wallet_money wallet_money(const struct core *c, int64_t tenant, int64_t driver,
                                 const char *currency)
{
    const struct driver *d = driver_find(c, driver);
    bool good = d && (!d->row.gift_until || c->now < d->row.gift_until);
    return (struct wallet_money){
        .principal = purse_available(c, tenant, ACCOUNT_WALLET, driver, currency),
        .gift = good ? purse_available(c, tenant, ACCOUNT_WALLET_BONUS, driver, currency) : 0};
}

/* Of that, what an order may have: a single payment pays with what is left of itself alone. */
static struct wallet_money order_money(const struct core *c, const struct order *o)
{
    struct wallet_money has = wallet_money(c, o->row.tenant, o->row.driver, o->row.currency);
    if (o->row.payer_kind == PAYER_SINGLE) {
        int64_t left = single_left(c, o);
        has.principal = left < has.principal ? left : has.principal;
        has.gift = 0;
    }
    return has;
}

/* How `amount` is spent of what there is. */
static struct wallet_money spend(const struct core *c, int64_t tenant, int64_t amount,
                                 const struct wallet_money *has)
{
    const struct tenant *t = tenant_find(c, tenant);
    int64_t gift = 0, all = has->principal + has->gift;
    must(amount <= all);
    if (t && t->row.gift_order == GIFT_FIRST)
        gift = amount < has->gift ? amount : has->gift;
    else if (t && t->row.gift_order == GIFT_EVENLY && all)
        gift = money_round_fen(MONEY(muldiv_half_up(amount, has->gift, all))).v;
    if (gift > has->gift || gift > amount)
        gift = has->gift < amount ? has->gift : amount;
    if (amount - gift > has->principal)
        gift = amount - has->principal;
    return (struct wallet_money){.principal = amount - gift, .gift = gift};
}

/* ---- holds ---- */

static int leg_open(struct core *c, struct order *o, int32_t kind, int64_t amount)
{
    int64_t account;
    int rc = account_open(c, o->row.tenant, kind, o->row.driver, o->row.currency, &account);
    if (rc || !amount)
        return rc;
    struct ledger_ctx ctx = ledger_ctx_now(c);
    if (o->row.hold)
        return ledger_hold_add(c->ledger, &ctx, o->row.hold, account, MONEY(amount));
    rc = ledger_hold_open(c->ledger, &ctx, account, MONEY(amount), o->row.id, 0);
    if (!rc)
        o->row.hold = ctx.id;
    return rc;
}

int wallet_hold(struct core *c, struct order *o, int64_t amount)
{
    struct wallet_money has = order_money(c, o);
    if (amount <= 0 || amount > has.principal + has.gift)
        return amount <= 0 ? ERR_RANGE : ERR_NO_FUNDS;
    struct wallet_money part = spend(c, o->row.tenant, amount, &has);
    int rc = leg_open(c, o, ACCOUNT_WALLET, part.principal);
    if (!rc && part.gift)
        rc = leg_open(c, o, ACCOUNT_WALLET_BONUS, part.gift);
    must(!rc || !o->row.hold); /* there is a second place in memory wherever there is a first */
    return rc;
}

/* More on the leg of that account, which is made when there is none. */
static int leg_raise(struct core *c, struct order *o, int32_t kind, int64_t more)
{
    const struct ledger_account *a =
        ledger_account_find(c->ledger, o->row.tenant, kind, o->row.driver, o->row.currency);
    const struct ledger_hold *leg = a ? ledger_hold_leg(c->ledger, o->row.hold, a->id) : NULL;
    if (!more || !leg)
        return more ? leg_open(c, o, kind, more) : 0;
    struct ledger_ctx ctx = ledger_ctx_now(c);
    return ledger_hold_increase(c->ledger, &ctx, leg->id, MONEY(more));
}

int wallet_raise(struct core *c, struct order *o, int64_t more)
{
    const struct driver *d = driver_find(c, o->row.driver);
    struct wallet_money has = wallet_money(c, o->row.tenant, o->row.driver, o->row.currency);
    if (d && d->row.frozen)
        return ERR_DISABLED;
    if (more > has.principal + has.gift)
        return ERR_NO_FUNDS;
    struct wallet_money part = spend(c, o->row.tenant, more, &has);
    int rc = leg_raise(c, o, ACCOUNT_WALLET, part.principal);
    if (!rc)
        rc = leg_raise(c, o, ACCOUNT_WALLET_BONUS, part.gift);
    must(!rc || !part.principal); /* only the first can lack room */
    return rc;
}

/* ---- a bill ---- */

static bool debt_allowed(const struct core *c, const struct order *o, bool held)
{
    const struct tenant *t = tenant_find(c, o->row.tenant);
    if (o->row.kind == ORDER_OCCUPANCY)
        return occupancy_debt(c, o);
    if (o->row.started_by == START_APP || o->row.started_by == START_STAFF)
        return false; /* the cap was the prepaid amount */
    return t->row.overrun_policy == OVERRUN_DEBT || (!held && t->row.hold_policy == HOLD_NONE_DEBT);
}

/* A card that charges where the pile has no network may owe no more than its limit. */
static int64_t debt_most(const struct order *o, const struct taken *t)
{
    bool limited = o->row.started_by == START_OFFLINE && o->srow.tx_no[0];
    int64_t room = o->row.cap - t->captured;
    if (!limited || t->loss <= room)
        return t->loss;
    return room > 0 ? room : 0;
}

static int64_t leg_amount(const struct core *c, const struct order *o, int64_t hold, int32_t kind)
{
    const struct ledger_account *a =
        ledger_account_find(c->ledger, o->row.tenant, kind, o->row.driver, o->row.currency);
    const struct ledger_hold *leg = a ? ledger_hold_leg(c->ledger, hold, a->id) : NULL;
    return leg ? leg->amount.v : 0;
}

struct taken wallet_take(const struct core *c, const struct order *o, int64_t total,
                         const struct ledger_hold *hold)
{
    struct taken t = {.loss = total};
    struct wallet_money has = order_money(c, o);
    if (hold)
        has = (struct wallet_money){.principal = leg_amount(c, o, hold->id, ACCOUNT_WALLET),
                                    .gift = leg_amount(c, o, hold->id, ACCOUNT_WALLET_BONUS)};
    int64_t most = has.principal + has.gift;
    t.captured = total < most ? total : most;
    t.gift = spend(c, o->row.tenant, t.captured, &has).gift;
    t.loss = total - t.captured;
    if (debt_allowed(c, o, hold != NULL)) {
        t.debt = debt_most(o, &t);
        t.loss -= t.debt;
    }
    return t;
}

void wallet_legs(struct core *c, struct order *o, const struct taken *t, struct ledger_request *q)
{
    const struct {
        int32_t kind;
        int64_t amount;
    } legs[] = {{ACCOUNT_WALLET, t->captured - t->gift},
                {ACCOUNT_WALLET_BONUS, t->gift},
                {ACCOUNT_DEBT, t->debt}};
    for (size_t i = 0; i < ARRAY_LEN(legs); i++)
        if (legs[i].amount)
            purse_leg(q,
                      purse_account(c, o->row.tenant, legs[i].kind, o->row.driver, o->row.currency),
                      -legs[i].amount, 0);
    lots_pay(c, o, t->captured - t->gift);
    o->row.gift += t->gift;
}

/* The gift's share of what goes back. */
static int64_t gift_back_of(const struct order *o, int64_t back)
{
    int64_t left = o->row.paid - o->row.refunded, gift = o->row.gift;
    if (!gift || left <= 0)
        return 0;
    int64_t part = money_round_fen(MONEY(muldiv_half_up(back, gift, left))).v;
    part = part < gift ? part : gift;
    part = part < back ? part : back;
    return back - part > left - gift ? back - (left - gift) : part;
}

void wallet_back(struct core *c, struct order *o, int64_t back, struct ledger_request *q)
{
    int64_t gift = gift_back_of(o, back), principal = back - gift;
    int64_t debt = debt_of(c, o->row.tenant, o->row.driver, o->row.currency);
    debt = debt < principal ? debt : principal; /* what is owed is settled first */
    lots_back(c, o, principal - debt);
    purse_leg(q, purse_account(c, o->row.tenant, ACCOUNT_WALLET, o->row.driver, o->row.currency),
              principal - debt, 0);
    if (debt)
        purse_leg(q, purse_account(c, o->row.tenant, ACCOUNT_DEBT, o->row.driver, o->row.currency),
                  debt, 0);
    if (gift)
        purse_leg(
            q,
            purse_account(c, o->row.tenant, ACCOUNT_WALLET_BONUS, o->row.driver, o->row.currency),
            gift, 0);
    o->row.gift -= gift;
}

/* ---- freeze ---- */

static struct driver *driver_of(const struct core *c, const struct cmd *cmd, int64_t id)
{
    struct driver *d = driver_find(c, id);
    return d && d->row.tenant == cmd->head.tenant && !cmd->head.station ? d : NULL;
}

int wallet_freeze(struct core *c, const struct cmd *cmd)
{
    const struct cmd_wallet_freeze *in = &cmd->u.wallet_freeze;
    struct driver *d = driver_of(c, cmd, in->driver);
    if (!d || cmd->head.actor_kind == ACTOR_DRIVER)
        return ERR_NOT_FOUND;
    if (!in->reason[0])
        return ERR_REQUIRED;
    if (d->row.state == ROW_DELETED || (d->row.frozen != 0) == (in->freeze != 0))
        return ERR_CONFLICT;
    d->row.frozen = in->freeze != 0;
    d->row.version++;
    obj_dirty(c, &d->o);
    audit_put(c, d->row.tenant, in->freeze ? "wallet.freeze" : "wallet.unfreeze", d->row.id,
              in->reason, 0);
    event_wallet(c, d->row.tenant, d->row.id, tenant_find(c, d->row.tenant)->row.currency);
    c->made_id = d->row.id;
    c->made_version = d->row.version;
    return 0;
}
