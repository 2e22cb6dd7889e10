// SPDX-License-Identifier: Apache-2.0
/* h_report_sheet.c: the reports of h_report.c as workbooks, in Chinese or English: a sheet of the sums,
 * one of the stations (months), one of every party's share at each station. Amounts are numbers, so an
 * accountant can add them up.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "web/doc.h"
#include "web/report.h"
#include "web/routes_gen.h"

enum { NAME_WIDTH = 22, SUM_WIDTH = 13, COLUMNS = 17, SHARE_COLUMNS = 5 };

struct words {
    const char *title, *revenue, *month, *foot, *revenue_foot, *sums, *stations, *shares, *months;
    const char *column[COLUMNS]; /* of stations: the name, then sums in this order */
    const char *share[SHARE_COLUMNS];
    const char *of_month[13];
};
static const struct words languages[] = {
    {"场站分润",
     "收入报表",
     "月份",
     "电费+服务费+占位费-坏账=实收；实收+跨月入账-退款=平台分成+其他方分成；结果=平台分成-渠道费-"
     "放电支出-"
     "成本",
     "总额法=实收+跨月入账-退款；净额法=平台自己的分成；税额按各费用项税率从含税金额中分离",
     "合计",
     "场站",
     "分成明细",
     "月度",
     {"场站", "电费", "服务费", "占位费", "坏账", "实收", "跨月入账", "退款", "平台分成",
      "其他方分成", "渠道费(估)", "放电支出", "购电成本", "场地租金", "运维成本", "其他成本",
      "结果"},
     {"场站", "分成方", "分成", "退款扣回", "净额"},
     {"月份", "订单数", "应收", "坏账", "实收", "跨月入账", "退款", "总额法收入", "总额法税额",
      "总额法不含税", "净额法收入", "净额法税额", "净额法不含税"}},
    {"Station profit and loss",
     "Revenue",
     "Month",
     "Electricity + service + occupancy - loss = paid; paid + other months - given back = own + "
     "partners; result = own - channel fee - discharges - costs",
     "Gross: paid + other months - given back; net: the operator's own share; tax is in the price, "
     "at the rate of each fee line",
     "Sums",
     "Stations",
     "Shares",
     "Months",
     {"Station", "Electricity", "Service", "Occupancy", "Loss", "Paid", "Other months",
      "Given back", "Own share", "Partners", "Channel fee (est.)", "Discharges", "Power bought",
      "Rent", "Maintenance", "Other costs", "Result"},
     {"Station", "Party", "Share", "Taken back", "Net"},
     {"Month", "Orders", "Billed", "Loss", "Paid", "Other months", "Given back", "Gross",
      "Gross: tax", "Gross: net of tax", "Net", "Net: tax", "Net: net of tax"}},
};

static const struct words *words_of(const struct request *r)
{
    return &languages[req_english(r) ? 1 : 0];
}

static struct doc *doc_new(struct request *r, const char *title, const char *foot)
{
    struct doc *d = ARENA_NEW(&r->arena, struct doc);

    if (d == NULL)
        return NULL;
    d->title = arena_printf(&r->arena, "%s · %s", r->actor.tenant_name, title).p;
    d->zone = web_zone_get(r->web, r->actor.zone);
    d->foot = foot;
    return d->title != NULL ? d : NULL;
}

static struct doc_cell *table_new(struct request *r, struct doc *d, const char *name, int columns,
                                  uint32_t rows)
{
    struct doc_table *t = &d->table[d->tables_n++];
    struct doc_cell *cells =
        arena_array(&r->arena, (size_t)columns * rows + 1, sizeof(struct doc_cell));

    *t = (struct doc_table){.name = name, .columns_n = columns, .rows_n = rows, .cell = cells};
    return cells;
}

static void column(struct doc *d, int k, const char *name, enum doc_kind kind)
{
    d->table[d->tables_n - 1].column[k] =
        (struct doc_column){name, kind, kind == DOC_TEXT ? NAME_WIDTH : SUM_WIDTH};
}

static struct doc_cell money_cell(struct money m)
{
    return (struct doc_cell){.v = m.v};
}

static struct doc_cell month_cell(struct request *r, int64_t month)
{
    return (struct doc_cell){.text =
                                 arena_printf(&r->arena, "%lld-%02lld", (long long)(month / 100),
                                              (long long)(month % 100))};
}

static void fact(struct doc *d, const char *name, enum doc_kind kind, struct doc_cell v,
                 bool strong)
{
    d->fact[d->facts_n++] = (struct doc_fact){name, kind, v, strong};
}

static int doc_send(struct request *r, const struct doc *d, const char *file, int64_t month)
{
    req_header_add(
        r, "Content-Disposition",
        arena_printf(&r->arena, "attachment; filename=\"%s-%lld.xlsx\"", file, (long long)month));
    return doc_xlsx(d, &r->out);
}

/* ---- stations ---- */

static void profit_cells(const struct api_StationProfit *s, struct money out[COLUMNS - 1])
{
    const struct money all[COLUMNS - 1] = {s->elec,       s->service,
                                           s->occupancy,  s->loss,
                                           s->paid,       s->moved,
                                           s->back,       s->own,
                                           s->partners,   s->channel_fee,
                                           s->discharged, s->cost_electricity,
                                           s->cost_rent,  s->cost_maintenance,
                                           s->cost_other, s->result};
    memcpy(out, all, sizeof all);
}

static int stations_table(struct request *r, struct doc *d, const struct words *w,
                          const struct api_StationMonth *m)
{
    struct doc_cell *at = table_new(r, d, w->stations, COLUMNS, m->rows_n);
    struct money sums[COLUMNS - 1];

    if (at == NULL)
        return ERR_TOO_LARGE;
    for (int k = 0; k < COLUMNS; k++)
        column(d, k, w->column[k], k == 0 ? DOC_TEXT : DOC_MONEY);
    for (uint32_t i = 0; i < m->rows_n; i++) {
        *at++ = (struct doc_cell){.text = m->rows[i].station_name};
        profit_cells(&m->rows[i], sums);
        for (int k = 0; k < COLUMNS - 1; k++)
            *at++ = money_cell(sums[k]);
    }
    return 0;
}

static int shares_table(struct request *r, struct doc *d, const struct words *w,
                        const struct api_StationMonth *m)
{
    uint32_t n = 0;
    struct doc_cell *at;

    for (uint32_t i = 0; i < m->rows_n; i++)
        n += m->rows[i].shares_n;
    at = table_new(r, d, w->shares, SHARE_COLUMNS, n);
    if (at == NULL)
        return ERR_TOO_LARGE;
    for (int k = 0; k < SHARE_COLUMNS; k++)
        column(d, k, w->share[k], k < 2 ? DOC_TEXT : DOC_MONEY);
    for (uint32_t i = 0; i < m->rows_n; i++)
        for (uint32_t k = 0; k < m->rows[i].shares_n; k++) {
            const struct api_StationShare *x = &m->rows[i].shares[k];

            *at++ = (struct doc_cell){.text = m->rows[i].station_name};
            *at++ = (struct doc_cell){.text = x->party_name};
            *at++ = money_cell(x->shares);
            *at++ = money_cell(x->back);
            *at++ = money_cell(money_sub(x->shares, x->back));
        }
    return 0;
}

int report_stations_xlsx(struct request *r)
{
    const struct words *w = words_of(r);
    struct doc *d = doc_new(r, w->title, w->foot);
    struct api_StationMonth m;
    struct money sums[COLUMNS - 1];
    int err = d == NULL ? ERR_TOO_LARGE : report_stations_read(r, 0, &m);

    if (err != 0)
        return err;
    profit_cells(&m.total, sums);
    fact(d, w->month, DOC_TEXT, month_cell(r, m.month), true);
    for (int k = 0; k < COLUMNS - 1; k++)
        fact(d, w->column[k + 1], DOC_MONEY, money_cell(sums[k]), k == COLUMNS - 2);
    err = stations_table(r, d, w, &m);
    if (err == 0)
        err = shares_table(r, d, w, &m);
    return err != 0 ? err : doc_send(r, d, "stations", m.month);
}

/* ---- revenue ---- */

static void revenue_row(struct request *r, const struct api_RevenueMonth *m, struct doc_cell *at)
{
    const struct money sums[] = {m->billed, m->loss,    m->paid,      m->moved,
                                 m->back,   m->gross,   m->gross_tax, m->gross_net,
                                 m->own,    m->own_tax, m->own_net};

    *at++ = month_cell(r, m->month);
    *at++ = (struct doc_cell){.v = m->orders};
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        *at++ = money_cell(sums[i]);
}

int report_revenue_xlsx(struct request *r)
{
    const struct words *w = words_of(r);
    const int columns = (int)ARRAY_LEN(w->of_month);
    struct doc *d = doc_new(r, w->revenue, w->revenue_foot);
    struct rows rows;
    int err = d == NULL ? ERR_TOO_LARGE : report_revenue_read(r, &rows);

    if (err != 0)
        return err;
    const struct api_RevenueMonth *m = (const struct api_RevenueMonth *)(void *)rows.p;
    struct doc_cell *cells = table_new(r, d, w->months, columns, rows.n);
    if (cells == NULL)
        return ERR_TOO_LARGE;
    for (int k = 0; k < columns; k++)
        column(d, k, w->of_month[k], k == 0 ? DOC_TEXT : k == 1 ? DOC_COUNT : DOC_MONEY);
    for (uint32_t i = 0; i < rows.n; i++)
        revenue_row(r, &m[i], cells + (size_t)i * (size_t)columns);
    fact(d, w->month, DOC_TEXT, month_cell(r, m[0].month), true);
    fact(d, w->month, DOC_TEXT, month_cell(r, m[rows.n - 1].month), true);
    return doc_send(r, d, "revenue", m[0].month);
}
