// SPDX-License-Identifier: Apache-2.0
/* settle.c: the end of an order: fee lines, the bill charged (charge.h), statistics; later the
 * decision about a doubtful rest, and the correction of an estimated end.
 *
 * Invariants:
 *  1. paid + loss = total, neither is negative;
 *  2. a correction takes no more than is left of the prepaid amount, and no more than the payer has
 *     free (doc/decisions/the-true-end-is-charged.md).
 * Fails: money that cannot be moved here is our bug (must): holds and accounts were made before. */
#include "core/company.h"
#include "core/discharge.h"
#include "core/notice.h"
#include "core/parallel.h"
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- rows ---- */

void settle_line(struct core *c, struct order *o, const struct fee_line *l)
{
    const struct row_fee_line row = {.order_id = o->row.id,
                                     .seq = ++o->row.lines,
                                     .kind = l->kind,
                                     .label = l->label,
                                     .from_ms = l->from_ms,
                                     .to_ms = l->to_ms,
                                     .energy_mwh = l->energy_mwh,
                                     .price_e5 = l->price_e5,
                                     .amount = l->amount.v};
    row_put(c, ROW_FEE_LINE, ROW_INSERT, &row);
}

static int32_t local_day(const struct core *c, int64_t station, int64_t ms)
{
    struct civil d;
    zone_civil(zone_of(c, station), ms, &d);
    return d.year * 10000 + d.month * 100 + d.day;
}

/* What the order adds to its station's day. The columns are sums: the row carries a difference. */
void settle_stat(struct core *c, const struct order *o, const struct row_stat_day *delta)
{
    struct row_stat_day row = *delta;
    row.station = o->row.station;
    row.tenant = o->row.tenant;
    row.day = local_day(c, o->row.station, o->row.end_ms);
    row_put(c, ROW_STAT_DAY, ROW_UPSERT, &row);
}

/* ---- the end of an order ---- */

static struct bill bill_lines(struct core *c, struct order *o, const struct fee_bill *bill)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    struct fee_line lines[FEE_LINES_MAX];
    struct bill b = {0};
    int32_t n = t ? fee_lines(bill, t, lines) : 0;
    for (int32_t i = 0; i < n; i++) {
        settle_line(c, o, &lines[i]);
        if (lines[i].kind == FEE_ELECTRICITY) {
            b.elec += lines[i].amount.v;
            b.energy_mwh += lines[i].energy_mwh;
        } else
            b.service += lines[i].amount.v;
    }
    return b;
}

/* Is there money left that a decision could still move? */
static bool rest_matters(const struct order *o)
{
    if (!o->row.doubt || o->row.doubt_mwh <= 0 || (!payer_pays(o) && !discharge_pays(o)))
        return false;
    return o->row.cap <= 0 || o->row.paid < o->row.cap;
}

/* Energy was sold: the bill is charged, and counts in its station's day. */
static void settle_sale(struct core *c, struct order *o, const struct order_sum *sum)
{
    struct bill b = bill_lines(c, o, sum->bill);
    struct taken t = charge_bill(c, o, &b, o->row.hold);
    o->row.energy_mwh = sum->energy_mwh;
    company_energy(c, o, o->row.energy_mwh);
    o->row.elec = b.elec;
    o->row.service = b.service;
    o->row.total = b.elec + b.service;
    o->row.paid = t.captured + t.debt;
    o->row.loss = t.loss;
    settle_stat(c, o,
                &(struct row_stat_day){.orders = 1,
                                       .energy_mwh = o->row.energy_mwh,
                                       .elec = b.elec,
                                       .service = b.service,
                                       .paid = o->row.paid,
                                       .loss = o->row.loss,
                                       .minutes = (o->row.end_ms - o->row.start_ms) / 60000});
}

void settle_order(struct core *c, struct order *o)
{
    const struct tenant *tenant = tenant_find(c, o->row.tenant);
    struct order_sum sum;
    parallel_sum(c, o, &sum);
    if (o->srow.direction < 0)
        discharge_settle(c, o);
    else
        settle_sale(c, o, &sum);
    o->row.settled_ms = c->now;
    o->row.doubt = sum.doubt;
    o->row.doubt_mwh = sum.doubt_mwh;
    bool doubtful = rest_matters(o);
    if (doubtful)
        o->row.decide_ms = c->now + tenant->row.doubt_h * INT64_C(3600000);
    order_state(c, o, doubtful ? ORDER_DOUBTFUL : ORDER_SETTLED);
    order_event(c, o, OE_SETTLED, "");
    payer_over(c, o);
    if (doubtful) {
        order_event(c, o, OE_DOUBT, "");
        order_timer(c, o, TO_DECIDE, o->row.decide_ms);
    } else {
        order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
    }
    notice_ended(c, o);
}

/* ---- a doubtful rest ---- */

/* Disputed energy has the price of the end of the session. False: it has none. */
static bool rest_price(const struct core *c, const struct order *o, struct tariff_price *p)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    if (t)
        tariff_price_at(t, zone_of(c, o->row.station), o->row.end_ms, p);
    return t;
}

static struct bill rest_lines(struct core *c, struct order *o)
{
    struct tariff_price p;
    if (!rest_price(c, o, &p))
        return (struct bill){0};
    struct fee_line l = {.kind = FEE_ELECTRICITY,
                         .label = p.label,
                         .from_ms = o->row.end_ms,
                         .to_ms = o->row.end_ms,
                         .energy_mwh = o->row.doubt_mwh,
                         .price_e5 = p.elec_e5,
                         .amount = money_fee_line(o->row.doubt_mwh, p.elec_e5)};
    struct bill b = {.elec = l.amount.v, .energy_mwh = l.energy_mwh};
    settle_line(c, o, &l);
    l.kind = FEE_SERVICE;
    l.price_e5 = p.service_e5;
    l.amount = money_fee_line(o->row.doubt_mwh, p.service_e5);
    settle_line(c, o, &l);
    b.service = l.amount.v;
    return b;
}

/* Bills the rest as far as the prepaid cap and the payer's money allow; what exceeds them is loss. */
static void rest_bill(struct core *c, struct order *o)
{
    struct bill b = rest_lines(c, o);
    struct bill part = b;
    int64_t room = o->row.cap > 0 ? o->row.cap - o->row.paid : INT64_MAX;
    int64_t total = b.elec + b.service;
    if (room < 0)
        room = 0;
    if (total > room)
        part = bill_taken(&b, room);
    struct taken t = charge_bill(c, o, &part, 0);
    int64_t paid = t.captured + t.debt;
    o->row.energy_mwh += o->row.doubt_mwh;
    company_energy(c, o, o->row.doubt_mwh);
    o->row.elec += b.elec;
    o->row.service += b.service;
    o->row.total += total;
    o->row.paid += paid;
    o->row.loss += total - paid;
    settle_stat(c, o,
                &(struct row_stat_day){.energy_mwh = o->row.doubt_mwh,
                                       .elec = b.elec,
                                       .service = b.service,
                                       .paid = paid,
                                       .loss = total - paid});
}

static void rest_close(struct core *c, struct order *o, const char *detail)
{
    order_timer_off(c, o, TO_DECIDE);
    order_state(c, o, ORDER_SETTLED);
    order_event(c, o, OE_DECIDED, detail);
    order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
}

void settle_rule(struct core *c, struct order *o)
{
    if (o->row.state != ORDER_DOUBTFUL)
        return;
    rest_close(c, o, "dropped by rule");
    single_decided(c, o);
}

int settle_decide(struct core *c, const struct cmd *cmd)
{
    const struct cmd_decide *in = &cmd->u.decide;
    struct order *o = order_find(c, in->order);
    if (!o || o->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, o->row.station) ||
        !order_ready(c, o))
        return ERR_NOT_FOUND;
    if (o->row.state != ORDER_DOUBTFUL)
        return ERR_CONFLICT;
    if (in->accept && o->srow.direction < 0)
        discharge_rest(c, o);
    else if (in->accept)
        rest_bill(c, o);
    rest_close(c, o, in->note[0] ? in->note : in->accept ? "billed" : "dropped");
    single_decided(c, o);
    c->made_id = o->row.id;
    c->made_version = o->row.version;
    return 0;
}

/* ---- the true end of an estimated order ---- */

/* One line a kind for the difference, priced at nothing: its amount is what the bill of the true
 * energy differs by. */
static void correct_lines(struct core *c, struct order *o, int64_t energy_mwh, const struct bill *d)
{
    struct fee_line l = {.kind = FEE_ELECTRICITY,
                         .label = "",
                         .from_ms = o->row.end_ms,
                         .to_ms = o->row.end_ms,
                         .energy_mwh = energy_mwh,
                         .amount = MONEY(d->elec)};
    settle_line(c, o, &l);
    l.kind = FEE_SERVICE;
    l.amount = MONEY(d->service);
    settle_line(c, o, &l);
}

static void correct_rows(struct core *c, struct order *o, int64_t energy_mwh, const struct bill *d,
                         int64_t paid)
{
    int64_t total = d->elec + d->service;
    o->row.energy_mwh += energy_mwh;
    company_energy(c, o, energy_mwh);
    o->row.elec += d->elec;
    o->row.service += d->service;
    o->row.total += total;
    o->row.paid += paid;
    o->row.loss += total - paid;
    settle_stat(c, o,
                &(struct row_stat_day){.energy_mwh = energy_mwh,
                                       .elec = d->elec,
                                       .service = d->service,
                                       .paid = paid,
                                       .loss = total - paid});
}

/* What the true end adds to an estimated bill is taken from the payer after all, as far as the
 * prepaid amount and his money allow: else whoever cuts a charger's network charges for nothing.
 * Returns what was taken. */
static int64_t correct_take(struct core *c, struct order *o, const struct bill *now)
{
    int64_t total = now->elec + now->service;
    int64_t most = o->row.cap > 0 && o->row.cap < total ? o->row.cap : total;
    int64_t want = most - o->row.paid, more = total - o->row.total;
    want = want < more ? want : more;
    if (want <= 0 || !payer_pays(o))
        return 0;
    struct bill part = bill_taken(now, want);
    struct taken t = charge_late(c, o, &part);
    return t.captured + t.debt;
}

/* What the evidence of the session that has its true end says now. */
static void own_end(struct core *c, struct order *o)
{
    o->row.estimated = 0;
    o->row.energy_mwh = o->row.part_of ? o->ev.energy_mwh : o->row.energy_mwh;
    o->row.doubt = o->ev.doubt;
    o->row.doubt_mwh = o->ev.doubt_mwh;
    o->srow.energy_mwh = o->ev.energy_mwh;
    o->srow.evidence = (int32_t)o->ev.flags;
    order_dirty(c, o);
}

/* What was accepted of the other gun's session is no part of either bill. */
static void kept_add(const struct core *c, const struct order *o, int64_t energy_mwh,
                     struct fee_sum *sum)
{
    struct tariff_price p;
    if (!energy_mwh || !rest_price(c, o, &p))
        return;
    sum->energy_mwh += energy_mwh;
    sum->elec = money_add(sum->elec, money_fee_line(energy_mwh, p.elec_e5));
    sum->service = money_add(sum->service, money_fee_line(energy_mwh, p.service_e5));
    sum->total = money_add(sum->elec, sum->service);
}

/* What was given back before the truth was known is first what was never owed: else paid would exceed the
 * total, and the loss be less than nothing. */
static int64_t never_owed(const struct order *o, int64_t owed)
{
    int64_t over = o->row.paid > owed ? o->row.paid - owed : 0;
    return over < o->row.refunded ? over : o->row.refunded;
}

void settle_correct(struct core *c, struct order *o, int64_t billed_mwh, int64_t kept_mwh)
{
    struct fee_sum now;
    struct order_sum sum;
    own_end(c, o);
    o = parallel_main(c, o);
    parallel_sum(c, o, &sum);
    o->row.doubt = sum.doubt;
    o->row.doubt_mwh = sum.doubt_mwh;
    if (o->row.state == ORDER_DOUBTFUL && !rest_matters(o))
        rest_close(c, o, "the true end leaves nothing in doubt");
    if (o->srow.direction < 0) {
        discharge_correct(c, o, billed_mwh);
        return;
    }
    fee_sum(sum.bill, &now);
    kept_add(c, o, kept_mwh, &now);
    struct bill d = {.elec = now.elec.v - o->row.elec, .service = now.service.v - o->row.service};
    int64_t left = o->row.paid - o->row.refunded; /* the refunded is back already */
    int64_t total = now.total.v, back = left > total ? left - total : 0;
    char detail[120];
    if (back)
        refund_move(c, o, back, TRANSFER_CORRECTION, "");
    int64_t energy = now.energy_mwh > billed_mwh ? now.energy_mwh - billed_mwh : 0;
    int64_t more = correct_take(
        c, o, &(struct bill){.elec = now.elec.v, .service = now.service.v, .energy_mwh = energy});
    if (d.elec || d.service || now.energy_mwh != billed_mwh) {
        int64_t never = never_owed(o, total + back);
        o->row.refunded -= never;
        correct_lines(c, o, now.energy_mwh - billed_mwh, &d);
        correct_rows(c, o, now.energy_mwh - billed_mwh, &d, more - back - never);
    }
    snprintf(detail, sizeof detail, "%+" PRId64 " mWh", now.energy_mwh - billed_mwh);
    order_event(c, o, OE_CORRECTED, detail);
    if (back)
        payer_over(c, o);
    single_decided(c, o);
    event_order(c, o);
}
