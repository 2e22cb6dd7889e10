// SPDX-License-Identifier: Apache-2.0
/* audit_stay.c: bays that stay taken after the charge, as the auditor sees them: what is held when the fee begins,
 * who bears what is not there, what staff waive. An order of a stay has no connector and no cap. */
#include "town/audit.h"

#include "base/err.h"
#include "core/types.h"
#include "town/audit_sql.h"

static bool is_open(int32_t state)
{
    return state >= ORDER_CREATED && state <= ORDER_ENDED;
}

/* ---- what drivers owe ---- */

static int driver_at(const struct audit *a, int64_t driver)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        if (driver && a->driver[i] == driver)
            return i;
    return -1;
}

int64_t audit_debt(const struct audit *a, int64_t driver)
{
    int d = driver_at(a, driver);
    return d < 0 ? 0 : a->debt[d];
}

int64_t audit_spendable(const struct audit *a, int64_t driver)
{
    return audit_balance(a, driver) + audit_debt(a, driver) - audit_held(a, driver);
}

void audit_debt_settle(struct audit *a, int64_t driver, int64_t amount, bool vague)
{
    int d = driver_at(a, driver);
    if (d < 0 || !a->debt[d] || a->reloading)
        return;
    if (vague)
        a->debt_vague[d] = true;
    else
        a->debt[d] -= a->debt[d] < amount ? a->debt[d] : amount;
}

void audit_debt_learn(struct audit *a)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++) {
        int64_t owed = a->wallet_said[i] - audit_balance(a, a->driver[i]);
        if (!a->debt_vague[i] || !a->wallet_dirty[i])
            continue;
        a->debt_vague[i] = false;
        if (owed < 0 || owed > a->debt[i])
            audit_differ(a, "driver %d owed %lld, and after a refund %lld", i,
                         (long long)a->debt[i], (long long)owed);
        a->debt[i] = owed;
    }
}

static int64_t owed_in(sqlite3 *db, int64_t driver)
{
    return number(db,
                  "SELECT coalesce(sum(posted_out - posted_in), 0) FROM account "
                  "WHERE kind = 4 AND owner = ?",
                  driver, 0);
}

void audit_stay_file(struct audit *a, sqlite3 *db)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        if (owed_in(db, a->driver[i]) != a->debt[i])
            audit_differ(a, "driver %d owes %lld, expected %lld", i,
                         (long long)owed_in(db, a->driver[i]), (long long)a->debt[i]);
}

/* ---- orders ---- */

static int64_t wallet_has(const struct audit *a, int64_t driver)
{
    int64_t has = audit_spendable(a, driver);
    return has > 0 ? has : 0;
}

/* The wallet pays of what was held, or without a hold of what it has; the rest the driver owes, or it is the
 * operator's loss. */
static void settled_judge(struct audit *a, const struct seen_order *o, const struct out_event *e)
{
    int64_t has = o->stay_held ? o->stay_held : wallet_has(a, e->driver);
    int64_t pays = e->cost < has || a->occ_debt ? e->cost : has;
    if (pays > has) {
        a->debt[driver_at(a, e->driver)] += pays - has;
        a->debts++;
    }
    if (e->amount != pays)
        audit_differ(a, "order %lld: a stay of %lld was paid %lld, expected %lld", (long long)o->id,
                     (long long)e->cost, (long long)e->amount, (long long)pays);
    if (o->waived && e->cost)
        audit_differ(a, "order %lld: a stay was waived, and costs %lld", (long long)o->id,
                     (long long)e->cost);
}

void audit_stay_order(struct audit *a, struct seen_order *o, const struct out_event *e)
{
    if (a->reloading || !e->driver || o->company)
        return;
    if (o->gives ? e->amount > o->paid : e->amount < o->paid)
        audit_debt_settle(a, e->driver, e->amount > o->paid ? e->amount - o->paid : 0, !o->gives);
    if (e->connector)
        return;
    if (e->state == ORDER_SETTLED && (is_open(o->state) || !o->state))
        settled_judge(a, o, e);
    if (e->state != ORDER_CHARGING || o->state == ORDER_CHARGING || !a->occ_hold)
        return;
    int64_t has = wallet_has(a, e->driver);
    o->stay_held = has < a->occ_cap ? has : a->occ_cap;
}

int audit_stay_expect(struct audit *a, const struct cmd *cmd)
{
    const struct seen_order *o = audit_order(a, cmd->u.order_waive.order);
    if (!o)
        return ERR_NOT_FOUND;
    if (cmd->head.actor_kind == ACTOR_DRIVER)
        return ERR_DENIED;
    if (!cmd->u.order_waive.note[0])
        return ERR_REQUIRED;
    if (o->connector)
        return ERR_CONFLICT;
    bool paid = o->state == ORDER_SETTLED && o->paid > audit_refunded(a, o->id);
    return is_open(o->state) || paid ? 0 : ERR_CONFLICT;
}

static void give_back(struct audit *a, const struct seen_order *o, int64_t amount, int64_t at_ms)
{
    if (amount)
        audit_fact_add(a, &(struct fact){.kind = FACT_REFUND,
                                         .id = o->id,
                                         .who = o->company ? o->company : o->driver,
                                         .member = o->member,
                                         .amount = amount,
                                         .at_ms = at_ms});
    if (!o->company)
        audit_debt_settle(a, o->driver, amount, true);
}

void audit_stay_effect(struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    struct seen_order *o = audit_order(a, cmd->u.order_waive.order);
    if (!o)
        return;
    a->waived++;
    o->waived = true;
    o->waived_ms = now_ms;
    if (!is_open(o->state) && !a->reloading)
        give_back(a, o, o->paid - audit_refunded(a, o->id), now_ms);
}

/* Whether it ran when it was waived, the file knows: by what was given back. */
void audit_stay_reload(struct audit *a, sqlite3 *db)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++) {
        a->debt[i] = owed_in(db, a->driver[i]);
        a->debt_vague[i] = false;
    }
    for (size_t i = 0; i < a->orders; i++) {
        struct seen_order *o = &a->order[i];
        if (o->connector)
            continue;
        int64_t held =
            number(db, "SELECT coalesce(sum(amount), 0) FROM hold WHERE order_id = ? AND state = 1",
                   o->id, 0);
        o->stay_held = held;
        if (o->waived)
            give_back(a, o,
                      number(db, "SELECT refunded FROM orders WHERE id = ?", o->id, 0) -
                          audit_refunded(a, o->id),
                      o->waived_ms);
    }
}
