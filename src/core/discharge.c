// SPDX-License-Identifier: Apache-2.0
/* discharge.c: a vehicle gives energy back (放电, V2G) and its driver is paid for it
 * (doc/decisions/discharge-pays-the-driver.md).
 *
 * A station that buys names a tariff for it; its electricity price is what the driver gets, and it
 * has no service price. The bill is made like that of a charge: evidence rules, slices, one line for
 * each slice (FEE_DISCHARGE), rounded once. Then one transfer brings it from the operator's account
 * of bought energy (ACCOUNT_GRID, whose negative balance is what was paid) to the driver: his debt
 * first, the rest is principal of his wallet, and a lot of it (payment_note), as money that staff
 * took: without a channel to go back to.
 *
 *  what happens                                   the money
 *  ends with a record                             paid at once
 *  … in doubt                                     the undisputed lower amount; the rest if staff
 *                                                 accept it in time, else dropped by the rule
 *  ends by estimate                               the last good reading is paid; the true record
 *                                                 pays what is missing, by a second lot, or takes
 *                                                 back: of the free principal, then as debt
 *  the pile's amount is lower than our bill       in doubt; a higher one is noted only
 *  the wallet is frozen                           paid; it goes nowhere before it is unfrozen
 *  the account is closed                          nobody can be paid: the order says so (loss,
 *                                                 OE_UNPAID), and nothing moves either way
 *  a start that was given up, and a record        paid, by an order of its own: the driver gave it
 *
 * The order's total and paid are what the driver got, positive; elec, service and occupancy are 0,
 * and no party shares in it. Its day counts it in columns of its own.
 *
 * Invariants: 1. paid + loss = total, and loss is 0 but for a closed account; 2. the balance of
 * ACCOUNT_GRID = −Σ paid of discharges; 3. each transfer to a driver is one lot. The core's thread.
 * Fails: money that cannot be moved here is our bug (must): discharge_start made the accounts. */
#include "core/discharge.h"
#include "core/lotfee.h"

#include "core/charge.h"
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

#define AMOUNT_OFF (TARIFF_CLASSES * MONEY_FEN) /* piles round each class by themselves */

/* ---- tariffs ---- */

bool discharge_service(const struct tariff *t)
{
    for (int32_t i = 0; i < t->slices_n; i++)
        if (t->slices[i].service_e5)
            return true;
    return false;
}

int discharge_family_check(const struct core *c, int64_t tenant, int64_t family)
{
    const struct tariff_node *n = map_get_ptr(&c->tariff_families, (uint64_t)family);
    if (!family)
        return 0;
    if (!n || n->t->tenant != tenant)
        return ERR_NOT_FOUND;
    for (; n; n = n->next)
        if (discharge_service(n->t))
            return ERR_RANGE;
    return 0;
}

bool discharge_family_used(const struct core *c, int64_t family)
{
    const struct slab *all = &c->dir[ROW_STATION].slab;
    for (uint32_t i = 0; family && i < all->len; i++) {
        const struct station *s = slab_at(all, i);
        if (s && s->row.discharge_tariff == family)
            return true;
    }
    return false;
}

/* ---- the start ---- */

static int driver_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    const struct driver *d = driver_find(c, in->driver);
    if (!d || d->row.tenant != cmd->head.tenant)
        return ERR_NOT_FOUND;
    return d->row.state != ROW_ACTIVE || d->row.frozen ? ERR_DISABLED : 0;
}

int discharge_start(struct core *c, const struct cmd *cmd, const struct station *s,
                    const struct tariff **tariff)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    bool self = cmd->head.actor_kind == ACTOR_DRIVER;
    const struct tariff *t = tariff_in_force(c, s->row.discharge_tariff, c->now);
    int64_t account;
    if (in->payer_kind != PAYER_NONE || (self && in->driver != cmd->head.actor))
        return ERR_DENIED;
    if (in->cap)
        return ERR_RANGE;
    if (!in->driver)
        return 0; /* of staff: no money */
    int rc = driver_check(c, cmd);
    if (!rc && (!t || discharge_service(t)))
        rc = ERR_NO_DISCHARGE;
    if (!rc)
        rc = wallet_open(c, s->row.tenant, in->driver, tenant_find(c, s->row.tenant)->row.currency,
                         &account);
    if (!rc)
        rc = account_open(c, s->row.tenant, ACCOUNT_GRID, 0,
                          tenant_find(c, s->row.tenant)->row.currency, &account);
    *tariff = rc ? *tariff : t;
    return rc;
}

/* ---- the money ---- */

static bool closed(const struct core *c, const struct order *o)
{
    const struct driver *d = driver_find(c, o->row.driver);
    return !d || d->row.state == ROW_DELETED;
}

static void request_init(struct core *c, const struct order *o, int32_t code,
                         struct ledger_request *q)
{
    purse_request(c, q, o->row.tenant, code, o->row.currency);
    q->order_id = o->row.id;
    q->reverses = code == TRANSFER_CORRECTION ? o->row.transfer : 0;
    q->effective_ms = o->row.end_ms;
}

static int64_t account_of(struct core *c, const struct order *o, int32_t kind)
{
    return purse_account(c, o->row.tenant, kind, kind == ACCOUNT_GRID ? 0 : o->row.driver,
                         o->row.currency);
}

static void post(struct core *c, struct order *o, const struct ledger_request *q)
{
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, q) == 0); /* both sides are there, see the head */
    if (!o->row.transfer)
        o->row.transfer = ctx.id;
    if (q->code == TRANSFER_DISCHARGE)
        (void)payment_note(c, &(struct row_payment){.tenant = o->row.tenant,
                                                    .driver = o->row.driver,
                                                    .method = PAY_METHOD_DISCHARGE,
                                                    .currency = o->row.currency,
                                                    .amount = -q->leg[0].amount.v,
                                                    .transfer = ctx.id,
                                                    .order_id = o->row.id});
    event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
}

/* Returns what the driver got of `amount`: all of it, or nothing when his account is closed. */
static int64_t pay(struct core *c, struct order *o, int64_t amount)
{
    struct ledger_request q;
    char detail[32];
    if (amount <= 0)
        return 0;
    if (closed(c, o)) {
        snprintf(detail, sizeof detail, "%" PRId64, amount);
        order_event(c, o, OE_UNPAID, detail);
        audit_put(c, o->row.tenant, "discharge.unpaid", o->row.id, detail, ERR_CLOSED);
        return 0;
    }
    int64_t debt = debt_of(c, o->row.tenant, o->row.driver, o->row.currency);
    debt = debt < amount ? debt : amount;
    lots_in(c, o->row.driver, amount - debt, 0);
    request_init(c, o, TRANSFER_DISCHARGE, &q);
    purse_leg(&q, account_of(c, o, ACCOUNT_GRID), -amount, 0);
    purse_leg(&q, account_of(c, o, ACCOUNT_WALLET), amount - debt, 0);
    if (debt)
        purse_leg(&q, account_of(c, o, ACCOUNT_DEBT), debt, 0);
    post(c, o, &q);
    return amount;
}

/* Returns what came back of `amount`: of the free principal, and the rest is owed. */
static int64_t take_back(struct core *c, struct order *o, int64_t amount)
{
    struct ledger_request q;
    if (amount <= 0 || closed(c, o))
        return 0;
    int64_t has = purse_available(c, o->row.tenant, ACCOUNT_WALLET, o->row.driver, o->row.currency);
    has = has < amount ? has : amount;
    lots_out(c, o->row.driver, has, 0);
    request_init(c, o, TRANSFER_CORRECTION, &q);
    purse_leg(&q, account_of(c, o, ACCOUNT_GRID), amount, 0);
    purse_leg(&q, account_of(c, o, ACCOUNT_WALLET), -has, 0);
    if (amount > has)
        purse_leg(&q, account_of(c, o, ACCOUNT_DEBT), has - amount, 0);
    post(c, o, &q);
    return amount;
}

/* ---- the bill ---- */

static void line(struct core *c, struct order *o, const struct fee_line *l)
{
    struct fee_line of = *l;
    of.kind = FEE_DISCHARGE;
    settle_line(c, o, &of);
}

static void sums(struct core *c, struct order *o, int64_t orders, int64_t energy_mwh, int64_t total,
                 int64_t paid)
{
    o->row.energy_mwh += energy_mwh;
    o->row.total += total;
    o->row.paid += paid;
    o->row.loss += total - paid;
    settle_stat(c, o,
                &(struct row_stat_day){
                    .discharges = orders, .discharge_mwh = energy_mwh, .discharged = paid});
}

void discharge_settle(struct core *c, struct order *o)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    struct fee_line l[FEE_LINES_MAX];
    int64_t total = 0;
    int32_t n = t && discharge_pays(o) ? fee_lines(&o->bill, t, l) : 0;
    int64_t energy = o->ev.energy_mwh;
    for (int32_t i = 0; i < n; i++)
        if (l[i].kind == FEE_ELECTRICITY) {
            line(c, o, &l[i]);
            total += l[i].amount.v;
        }
    if (!discharge_pays(o)) {
        o->row.energy_mwh = energy;
        return;
    }
    o->row.energy_mwh = 0;
    sums(c, o, 1, energy, total, pay(c, o, total));
}

void discharge_rest(struct core *c, struct order *o)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    struct tariff_price p;
    must(t); /* what pays has one, and versions stay */
    tariff_price_at(t, zone_of(c, o->row.station), o->row.end_ms, &p);
    struct fee_line l = {.label = p.label,
                         .from_ms = o->row.end_ms,
                         .to_ms = o->row.end_ms,
                         .energy_mwh = o->row.doubt_mwh,
                         .price_e5 = p.elec_e5,
                         .amount = money_fee_line(o->row.doubt_mwh, p.elec_e5)};
    line(c, o, &l);
    sums(c, o, 0, l.energy_mwh, l.amount.v, pay(c, o, l.amount.v));
}

void discharge_correct(struct core *c, struct order *o, int64_t billed_mwh)
{
    struct fee_sum now;
    char detail[48];
    fee_sum(&o->bill, &now);
    int64_t energy = o->ev.energy_mwh - billed_mwh, total = now.elec.v - o->row.total;
    if (!discharge_pays(o)) {
        o->row.energy_mwh += energy;
    } else if (energy || total) {
        /* What an account that was closed meanwhile has, or has not, stays as it is. */
        int64_t due = now.elec.v - o->row.paid;
        line(c, o,
             &(struct fee_line){.label = "",
                                .from_ms = o->row.end_ms,
                                .to_ms = o->row.end_ms,
                                .energy_mwh = energy,
                                .amount = MONEY(total)});
        sums(c, o, 0, energy, total, due > 0 ? pay(c, o, due) : -take_back(c, o, -due));
    }
    snprintf(detail, sizeof detail, "%+" PRId64 " mWh", energy);
    order_event(c, o, OE_CORRECTED, detail);
    event_order(c, o);
}

/* ---- what the pile says ---- */

static bool near(int64_t a, int64_t b)
{
    return a <= b + AMOUNT_OFF && b <= a + AMOUNT_OFF;
}

/* No document says at which prices a pile counts a discharge: it may be those of charging, for it is
 * told no others. */
static bool near_list(const struct core *c, const struct order *o, const struct cmd_tx_record *in)
{
    int64_t list[TARIFF_CLASSES], sum = 0;
    if (!pile_list_amounts(c, o, in, list))
        return false;
    for (int i = 0; i < TARIFF_CLASSES; i++)
        sum += list[i];
    return near(in->amount, sum);
}

void discharge_judge(struct core *c, struct order *o, const struct cmd_tx_record *in)
{
    struct fee_sum ours;
    char detail[96];
    fee_sum(&o->bill, &ours);
    if (!discharge_pays(o) || in->amount <= 0 || near(in->amount, ours.total.v) ||
        near_list(c, o, in))
        return;
    o->ev.flags |= EV_RECORD_MISMATCH;
    if (in->amount < ours.total.v) {
        evidence_dispute(&o->ev, muldiv_floor(o->ev.energy_mwh, in->amount, ours.total.v));
        fee_cut(&o->bill, o->ev.energy_mwh);
    }
    snprintf(detail, sizeof detail, "pile %" PRId64 ", ours %" PRId64, in->amount, ours.total.v);
    order_event(c, o, OE_RECORD_DIFFERS, detail);
}

void discharge_floor(struct core *c, struct order *o)
{
    bool low = o->srow.to_soc && o->srow.soc_pm >= 0 && o->srow.soc_pm <= 10 * o->srow.to_soc;
    if (low && order_running(o) && o->row.state != ORDER_STOPPING)
        (void)stop_begin(c, o, STOP_LIMIT);
}
