// SPDX-License-Identifier: Apache-2.0
/* pile.c: what only piles of 云快充 tell or need: sessions and records that belong to no order, the
 * battery of the vehicle, the parking lock, what the pile may spend, and whether the amount that it
 * computed is the one that its own list prices make.
 *
 * A record without an order moves no money unless it is that of a card which may charge offline
 * (start.c); it waits in the table `stray`, one row for a number however often it comes, until a
 * person looks at it.
 *
 * Invariants: 1. the pile is told an amount in its own list prices, never a wallet's balance; 2.
 * what a vehicle says of its battery moves no money. */
#include "core/company.h"
#include "core/occupancy.h"
#include "core/parallel.h"

#include <inttypes.h>
#include <stdio.h>

#define BALANCE_MAX   (INT64_C(10000) * MONEY_UNIT) /* for who charges without a limit */
#define SEGMENT_OFF   (MONEY_FEN)                   /* piles round each class by themselves */
#define LIST_UNIT_MWH INT64_C(10000000)             /* mWh × price_e5 in 1/10,000 yuan */

/* ---- what the pile may spend ---- */

int64_t pile_list_amount(const struct core *c, const struct charger *ch, const struct order *o,
                         int64_t amount)
{
    /* The pile spends at the prices it holds: when they are not the order's, its limit is the same
     * energy at its own price. */
    const struct tariff *own = tariff_find(c, o->row.tariff);
    const struct tariff *pile = tariff_find(c, ch->row.price_tariff);
    if (!own || !pile || own == pile)
        return amount;
    const struct zone *z = zone_of(c, ch->row.station);
    struct tariff_price a, b;
    tariff_price_at(own, z, c->now, &a);
    tariff_price_at(pile, z, c->now, &b);
    int64_t ours = a.elec_e5 + a.service_e5, theirs = b.elec_e5 + b.service_e5;
    return ours > 0 && theirs > 0 ? muldiv_floor(amount, theirs, ours) : amount;
}

int64_t pile_balance(const struct core *c, const struct charger *ch, const struct order *o)
{
    int64_t share = parallel_share(c, o);
    return share > 0 ? pile_list_amount(c, ch, o, share) : BALANCE_MAX;
}

bool pile_balance_tell(struct core *c, const struct order *o, int64_t part)
{
    struct charger *ch = order_charger(c, o);
    const struct connector *k = connector_find(c, o->row.connector);
    if (!k || !ch || !ch->online || ch->row.protocol != PROTOCOL_YKC)
        return false;
    return call_add(c, ch,
                    &(struct call_ask){.kind = CALL_BALANCE,
                                       .connector = k->row.number,
                                       .timeout_s = QUICK_CALL_S,
                                       .order = o->row.id,
                                       .part = part,
                                       .action = "Balance",
                                       .payload = "{}"});
}

/* It draws, or is about to: more money is of use to it. */
static bool goes_on(const struct order *o)
{
    return o->row.state == ORDER_STARTING || o->row.state == ORDER_CHARGING ||
           o->row.state == ORDER_SUSPENDED;
}

static int raise_check(struct core *c, const struct cmd *cmd, struct order **order)
{
    const struct cmd_order_raise *in = &cmd->u.order_raise;
    struct order *o = order_find(c, in->order);
    bool self = cmd->head.actor_kind == ACTOR_DRIVER;
    if (!o || o->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, o->row.station))
        return ERR_NOT_FOUND;
    if ((in->driver && in->driver != o->row.driver) || (self && cmd->head.actor != o->row.driver))
        return ERR_NOT_FOUND;
    if (in->amount < MONEY_FEN || in->amount % MONEY_FEN || in->amount > BALANCE_MAX - o->row.cap)
        return ERR_RANGE;
    *order = o;
    return o->row.hold && o->row.cap > 0 && goes_on(parallel_live(c, o)) ? 0 : ERR_CONFLICT;
}

int pile_raise(struct core *c, const struct cmd *cmd)
{
    struct order *o = NULL;
    int rc = raise_check(c, cmd, &o);
    if (rc)
        return rc;
    int64_t amount = cmd->u.order_raise.amount;
    rc = payer_raise(c, o, amount);
    if (rc)
        return rc;
    char detail[32];
    const struct order *other = parallel_other(c, o);
    o->row.cap += amount;
    parallel_raised(c, o, amount);
    o->near_told = false;
    snprintf(detail, sizeof detail, "%" PRId64, amount);
    order_event(c, o, OE_CAP_RAISED, detail);
    event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
    event_order(c, o);
    if (goes_on(o))
        (void)pile_balance_tell(c, o, 0);
    if (other && goes_on(other)) /* at a gun that ended somebody else may charge */
        (void)pile_balance_tell(c, other, 0);
    meter_cap(c, o);
    c->made_id = o->row.id;
    c->made_version = o->row.version;
    return 0;
}

/* ---- what belongs to no order ---- */

void pile_stray_record(struct core *c, const struct cmd_tx_record *in, const struct charger *ch,
                       int err)
{
    const struct row_stray row = {.charger = ch->row.id,
                                  .tx_no = in->tx_no,
                                  .tenant = ch->row.tenant,
                                  .connector = in->connector,
                                  .reason = err,
                                  .ended = true,
                                  .energy_mwh = in->energy_mwh,
                                  .amount = in->amount,
                                  .start_ms = in->start_ms,
                                  .end_ms = in->end_ms,
                                  .card = in->card,
                                  .mark = in->start_mark,
                                  .at_ms = c->now};
    row_put(c, ROW_STRAY, ROW_UPSERT, &row);
}

void pile_stray_end(struct core *c, const char *tx_no, const struct charger *ch)
{
    row_put(c, ROW_STRAY, ROW_DELETE,
            &(struct row_stray){.charger = ch->row.id, .tx_no = tx_no, .card = ""});
}

void pile_stray_meter(struct core *c, const struct cmd_meter *in, const struct charger *ch)
{
    struct connector *k = connector_of(ch, in->connector);
    uint64_t mark = hash_bytes(in->tx_no, strlen(in->tx_no), 1);
    if (!k || k->stray == mark || in->n < 1)
        return; /* told once is enough: it comes every 15 seconds */
    k->stray = mark;
    const struct core_sample *s = &in->samples[in->n - 1];
    const struct row_stray row = {.charger = ch->row.id,
                                  .tx_no = in->tx_no,
                                  .tenant = ch->row.tenant,
                                  .connector = in->connector,
                                  .reason = ERR_NOT_FOUND,
                                  .energy_mwh = s->energy_mwh == SAMPLE_NONE ? 0 : s->energy_mwh,
                                  .amount = s->cost == SAMPLE_NONE ? 0 : s->cost,
                                  .card = "",
                                  .at_ms = c->now};
    row_put(c, ROW_STRAY, ROW_UPSERT, &row);
}

/* ---- the amount of a record ---- */

static bool off(int64_t a, int64_t b, int64_t by)
{
    return a > b + by || b > a + by;
}

bool pile_list_amounts(const struct core *c, const struct order *o, const struct cmd_tx_record *in,
                       int64_t out[TARIFF_CLASSES])
{
    const struct tariff *t = tariff_find(c, o->srow.list_tariff);
    struct tariff_classes list;
    if (!t || tariff_classes_of_day(t, zone_of(c, o->row.station), o->row.start_ms, &list))
        return false;
    for (int i = 0; i < TARIFF_CLASSES; i++) {
        int64_t price = list.elec_e5[i] + list.service_e5[i], energy = in->class_energy_mwh[i];
        out[i] = energy > 0 ? muldiv_half_up(energy, price, LIST_UNIT_MWH) : 0;
    }
    return true;
}

/* Does a class, or the sum, differ from the list prices by more than its rounding? False too when the
 * list is not known or the record tells no amounts. */
static bool list_differs(const struct core *c, const struct order *o,
                         const struct cmd_tx_record *in, int64_t *sum)
{
    int64_t list[TARIFF_CLASSES], told = 0;
    bool differs = false;
    if (in->amount <= 0 || o->srow.direction < 0 || !pile_list_amounts(c, o, in, list))
        return false;
    for (int i = 0; i < TARIFF_CLASSES; i++)
        told += in->class_amount[i];
    *sum = 0;
    for (int i = 0; i < TARIFF_CLASSES; i++) {
        *sum += list[i];
        differs = differs || (told && off(in->class_amount[i], list[i], SEGMENT_OFF));
    }
    return differs || off(in->amount, *sum, TARIFF_CLASSES * SEGMENT_OFF);
}

void pile_amount_judge(struct core *c, struct order *o, const struct cmd_tx_record *in)
{
    int64_t sum;
    char detail[96];
    if (!list_differs(c, o, in, &sum))
        return;
    o->ev.flags |= EV_RECORD_MISMATCH;
    if (in->amount < sum - TARIFF_CLASSES * SEGMENT_OFF)
        evidence_dispute(&o->ev, muldiv_floor(o->ev.energy_mwh, in->amount, sum));
    snprintf(detail, sizeof detail, "pile %" PRId64 ", its list prices %" PRId64, in->amount, sum);
    order_event(c, o, OE_RECORD_DIFFERS, detail);
}

/* ---- the vehicle's battery, the parking lock ---- */

void pile_battery(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_battery *in = &cmd->u.battery;
    const struct order *o = order_by_tx_no(c, in->tx_no);
    if (!o || o->row.charger != ch->row.id)
        return; /* nothing to file it under */
    const struct row_battery row = {.session = o->srow.id,
                                    .phase = in->phase,
                                    .tenant = o->row.tenant,
                                    .order_id = o->row.id,
                                    .at_ms = c->now,
                                    .vin = in->vin,
                                    .chemistry = in->chemistry,
                                    .made = in->made,
                                    .cycles = in->cycles,
                                    .capacity_mah = in->capacity_mah,
                                    .energy_mwh = in->energy_mwh,
                                    .voltage_mv = in->voltage_mv,
                                    .soc_pm = in->soc_pm,
                                    .cell_min_mv = in->cell_min_mv,
                                    .cell_max_mv = in->cell_max_mv,
                                    .temp_min_dc = in->temp_min_dc,
                                    .temp_max_dc = in->temp_max_dc,
                                    .minutes = in->minutes,
                                    .detail = in->detail};
    row_put(c, ROW_BATTERY, ROW_UPSERT, &row);
}

void pile_parking(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_parking *in = &cmd->u.parking;
    struct connector *k = connector_of(ch, in->connector);
    if (!k || (k->row.parking == in->lock && k->row.bay == in->bay))
        return;
    k->row.parking = in->lock;
    k->row.bay = in->bay;
    obj_dirty(c, &k->o);
    event_connector(c, k);
    occupancy_parking(c, k);
}
