// SPDX-License-Identifier: Apache-2.0
/* h_report.c: what a month brought: profit and loss of each station (场站分润), and the operator's revenue
 * as principal and as agent (总额法, 净额法).
 *
 * All figures of a month come from the books, on one snapshot:
 *
 *   elec + service + occupancy − loss = paid        stat_day, by the day on which an order ended
 *   paid + moved − back = own + partners             split_part, by when it was posted
 *   result = own − channel fee − paid for energy that vehicles gave back − costs
 *
 * `moved` is what was posted in this month for orders that ended in another (and less the other way
 * round): an order that ended at midnight, a doubtful rest, a corrected end. Without it the two sides
 * would be forced to agree. `back` is what refunds and corrections took back in this month.
 *
 * The channel fee is an estimate: what channels keep (fee_bp) of the payments of the month, spread over
 * what was paid for orders. Tax is in the price: it is worked out for each fee line and rate of the
 * orders, from the sum. Months are the tenant's.
 *
 * Thread: the request's. */
#include "web/report.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "base/err.h"
#include "base/money.h"
#include "base/tax.h"
#include "core/types.h"
#include "web/routes_gen.h"

enum {
    STATIONS_MAX = 5000,
    SHARES_MAX = 200,
    MONTHS_MAX = 12,
    BP = 10000,
    ID_TIME_BITS = 20,
    MONTH_LAST = 219912
};
#define PAY_LEAD_MS INT64_C(172800000) /* a payment is made so long before it is paid at most */

/* ---- months ---- */

/* The argument, this month when it is missing; 0 when it is none. */
static int64_t month_arg(struct request *r, const char *name)
{
    int64_t today_ms, month_ms, today, month = req_arg_i64(r, name);

    if (req_arg(r, name).n == 0) {
        req_today(r, &today_ms, &month_ms, &today);
        return today / 100;
    }
    return month >= 200001 && month <= MONTH_LAST && month % 100 >= 1 && month % 100 <= 12 ? month
                                                                                           : 0;
}

/* ---- stations ---- */

struct report {
    struct request *r;
    struct rows stations, shares;
    struct report_parts parts; /* its rates stay, its cells are shares after it was read */
    int64_t payments, fees;    /* fees: times BP */
};

static int by_station(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = ((const struct api_StationProfit *)b)->station;

    return x < y ? -1 : x > y;
}

/* Rows came in the order of their ids. */
static struct api_StationProfit *station_of(struct report *p, int64_t id)
{
    return bsearch(&id, p->stations.p, p->stations.n, sizeof(struct api_StationProfit), by_station);
}

static int day_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct api_StationProfit *s = station_of(ctx, v[0].i);

    (void)n;
    if (s == NULL)
        return 0;
    s->orders = v[1].i;
    s->energy_mwh = v[2].i;
    s->elec = MONEY(v[3].i);
    s->service = MONEY(v[4].i);
    s->occupancy = MONEY(v[5].i);
    s->loss = MONEY(v[6].i);
    s->paid = MONEY(v[7].i);
    s->discharges = v[8].i;
    s->discharge_mwh = v[9].i;
    s->discharged = MONEY(v[10].i);
    return 0;
}

/* Cells of a station follow one another, in the order of its parties. */
static int share_add(struct report *p, const struct report_cell *cell)
{
    struct api_StationProfit *s = station_of(p, cell->station);
    const struct report_party *party = report_party_at(&p->parts, cell->party);
    struct api_StationShare *x = s != NULL ? rows_add(p->r, &p->shares) : NULL;

    if (x == NULL)
        return s != NULL ? ERR_TOO_LARGE : 0;
    *x = (struct api_StationShare){.party = party->id,
                                   .party_name = party->name,
                                   .kind = party->kind,
                                   .shares = cell->shares,
                                   .back = cell->back};
    s->shares_n++;
    return 0;
}

static int shares_read(struct report *p, int64_t from_ms, int64_t to_ms)
{
    const struct report_cell *cell;
    int err = report_parts_read(p->r, from_ms, to_ms, &p->parts);

    cell = (const struct report_cell *)(const void *)p->parts.cells.p;
    for (size_t i = 0; err == 0 && i < p->parts.cells.n / sizeof(*cell); i++)
        err = share_add(p, &cell[i]);
    report_parts_free(&p->parts);
    return err;
}

static int cost_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct api_StationProfit *s = station_of(ctx, v[0].i);
    struct money amount = MONEY(v[2].i);

    (void)n;
    if (s == NULL)
        return 0;
    if (v[1].i == COST_ELECTRICITY)
        s->cost_electricity = amount;
    else if (v[1].i == COST_RENT)
        s->cost_rent = amount;
    else if (v[1].i == COST_MAINTENANCE)
        s->cost_maintenance = amount;
    else
        s->cost_other = amount;
    return 0;
}

static int fees_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct report *p = ctx;

    (void)n;
    p->payments = v[0].i;
    p->fees = v[1].i;
    return 0;
}

static int month_read(struct report *p, int64_t month)
{
    struct request *r = p->r;
    int64_t from, to;

    req_month(r, month, &from, &to);
    const struct bind of[] = {BIND_I64("from_day", month * 100 + 1),
                              BIND_I64("to_day", month * 100 + 31),
                              BIND_I64("from_ms", from),
                              BIND_I64("to_ms", to),
                              BIND_I64("of_month", month),
                              BIND_I64("from_id", (from - PAY_LEAD_MS) << ID_TIME_BITS),
                              BIND_I64("to_id", to << ID_TIME_BITS)};
    static const struct {
        enum query q;
        query_row_fn *fn;
    } parts[] = {{QUERY_REPORT_DAYS, day_take},
                 {QUERY_REPORT_COSTS, cost_take},
                 {QUERY_REPORT_FEES, fees_take}};
    int err;

    p->stations = (struct rows){.type = &api_StationProfit_type, .max = STATIONS_MAX};
    p->shares = (struct rows){.type = &api_StationShare_type};
    err = req_rows(r, QUERY_REPORT_STATIONS, NULL, 0, &p->stations);
    if (err == 0 && p->stations.more)
        err = ERR_TOO_LARGE; /* a total over some of them would be taken for that over all */
    for (size_t i = 0; err == 0 && i < ARRAY_LEN(parts); i++)
        err = req_query(r, parts[i].q, of, ARRAY_LEN(of), parts[i].fn, p);
    return err != 0 ? err : shares_read(p, from, to);
}

/* What stands beside the sums of one station. */
static void station_close(const struct report *p, struct api_StationProfit *s)
{
    for (uint32_t i = 0; i < s->shares_n; i++) {
        const struct api_StationShare *x = &s->shares[i];
        struct money net = money_sub(x->shares, x->back);

        if (x->kind == PARTY_PLATFORM)
            s->own = money_add(s->own, net);
        else
            s->partners = money_add(s->partners, net);
        s->moved = money_add(s->moved, x->shares);
        s->back = money_add(s->back, x->back);
    }
    s->moved = money_sub(s->moved, s->paid);
    if (p->payments > 0 && s->paid.v > 0)
        s->channel_fee = money_round_fen(
            MONEY(muldiv_half_up(s->paid.v, muldiv_half_up(p->fees, 1, BP), p->payments)));
    s->result = money_sub(s->own, money_add(s->channel_fee, s->discharged));
    s->result = money_sub(s->result, money_add(s->cost_electricity, s->cost_rent));
    s->result = money_sub(s->result, money_add(s->cost_maintenance, s->cost_other));
}

static void total_add(struct api_StationProfit *t, const struct api_StationProfit *s)
{
    struct money *to[] = {&t->elec,       &t->service,
                          &t->occupancy,  &t->loss,
                          &t->paid,       &t->moved,
                          &t->back,       &t->own,
                          &t->partners,   &t->channel_fee,
                          &t->result,     &t->cost_electricity,
                          &t->cost_rent,  &t->cost_maintenance,
                          &t->cost_other, &t->discharged};
    const struct money from[] = {s->elec,       s->service,
                                 s->occupancy,  s->loss,
                                 s->paid,       s->moved,
                                 s->back,       s->own,
                                 s->partners,   s->channel_fee,
                                 s->result,     s->cost_electricity,
                                 s->cost_rent,  s->cost_maintenance,
                                 s->cost_other, s->discharged};

    t->orders += s->orders;
    t->energy_mwh += s->energy_mwh;
    t->discharges += s->discharges;
    t->discharge_mwh += s->discharge_mwh;
    for (size_t i = 0; i < ARRAY_LEN(to); i++)
        *to[i] = money_add(*to[i], from[i]);
}

static int report_make(struct report *p, int64_t month, struct api_StationMonth *out)
{
    struct api_StationProfit *s;
    struct api_StationShare *next;
    int err = month_read(p, month);

    if (err != 0)
        return err;
    *out = (struct api_StationMonth){.month = month};
    s = out->rows = (struct api_StationProfit *)(void *)p->stations.p;
    out->rows_n = p->stations.n;
    next = (struct api_StationShare *)(void *)p->shares.p;
    for (uint32_t i = 0; i < p->stations.n; i++) {
        s[i].shares = next;
        next += s[i].shares_n;
        station_close(p, &s[i]);
        if (s[i].shares_n > SHARES_MAX)
            s[i].shares_n = SHARES_MAX; /* shown; the sums have all */
        total_add(&out->total, &s[i]);
    }
    return 0;
}

int report_stations_read(struct request *r, int64_t month, struct api_StationMonth *out)
{
    struct report p = {.r = r};

    if (month == 0)
        month = month_arg(r, "month");
    if (month == 0)
        return req_fail(r, ERR_RANGE, NULL, "month: yyyymm");
    return report_make(&p, month, out);
}

int report_stations(struct request *r)
{
    struct api_StationMonth m;
    int err = report_stations_read(r, 0, &m);

    return err != 0 ? err : req_json(r, &api_StationMonth_type, &m);
}

/* ---- costs ---- */

int report_costs(struct request *r)
{
    struct rows rows = {.type = &api_StationCostRow_type, .max = STATIONS_MAX};
    struct bind month = BIND_I64("of_month", month_arg(r, "month"));
    int err = month.v.i == 0 ? req_fail(r, ERR_RANGE, NULL, "month: yyyymm")
                             : req_rows(r, QUERY_REPORT_COSTS, &month, 1, &rows);

    return err != 0 ? err : req_list(r, rows.type, rows.p, rows.n, STR_LIT(""));
}

int report_cost_post(struct request *r)
{
    const struct api_StationCostIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_STATION_COST, CMD_SIZE(station_cost));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.station_cost.station = in->station;
    cmd->u.station_cost.month = (int32_t)in->month;
    cmd->u.station_cost.kind = (int32_t)in->kind;
    cmd->u.station_cost.amount = in->amount.v;
    if (REQ_TEXT(r, cmd->u.station_cost.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- revenue ---- */

/* On a snapshot of its own: what is over changes no more, and none is kept for minutes. */
static int revenue_month(struct request *r, int64_t month, struct rows *out)
{
    struct report p = {.r = r};
    struct api_StationMonth m;
    int err = report_make(&p, month, &m);
    struct api_RevenueMonth *row = err != 0 ? NULL : rows_add(r, out);
    const struct api_StationProfit *t = &m.total;
    struct money tax, own_tax;

    req_snapshot_end(r);
    report_parts_tax(&p.parts, &tax, &own_tax);

    if (row == NULL)
        return err != 0 ? err : ERR_TOO_LARGE;
    *row =
        (struct api_RevenueMonth){.month = month,
                                  .orders = t->orders,
                                  .billed = money_add(t->elec, money_add(t->service, t->occupancy)),
                                  .loss = t->loss,
                                  .paid = t->paid,
                                  .moved = t->moved,
                                  .back = t->back,
                                  .gross = money_add(t->own, t->partners),
                                  .gross_tax = tax,
                                  .own = t->own,
                                  .own_tax = own_tax,
                                  .partners = t->partners};
    row->gross_net = money_sub(row->gross, row->gross_tax);
    row->own_net = money_sub(row->own, row->own_tax);
    return 0;
}

int report_revenue_read(struct request *r, struct rows *out)
{
    int64_t from = month_arg(r, "from"), to = month_arg(r, "to");
    int err = 0, n = 0;

    *out = (struct rows){.type = &api_RevenueMonth_type};
    if (from == 0 || to == 0 || from > to)
        return req_fail(r, ERR_RANGE, NULL, "from and to: yyyymm");
    for (int64_t m = from; err == 0 && m <= to; m = civil_month_next(m)) {
        if (n++ == MONTHS_MAX)
            return req_fail(r, ERR_RANGE, NULL, "at most twelve months");
        err = r->web->stopping ? ERR_CLOSED : revenue_month(r, m, out); /* a month takes seconds */
    }
    return err;
}

int report_revenue(struct request *r)
{
    struct rows rows;
    int err = report_revenue_read(r, &rows);

    return err != 0 ? err : req_list(r, rows.type, rows.p, rows.n, STR_LIT(""));
}
