// SPDX-License-Identifier: Apache-2.0
/* h_company.c: companies that pay for their drivers and vehicles: rows, members with their quotas,
 * money that came in, bills, and a bill as a document with every order of its month.
 *
 * Invariants: 1. a member's company and whose membership it is are those of its row, never of a later
 * body; 2. what a bill's document lists adds up to the bill, because both are the parts of the same
 * orders in the same bounds; 3. money needs an Idempotency-Key.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/zone.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/doc.h"
#include "web/routes_gen.h"
#include "web/state.h"

/* ---- companies ---- */

static int company_put(struct request *r)
{
    const struct api_Company *in = r->in;
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_version(r, &version);
    if (err != 0)
        return err;
    if (in->kind == COMPANY_PREPAID && in->credit.v != 0)
        return req_fail(r, ERR_RANGE, "/credit", "a prepaid company has none");
    int64_t overdue_days = in->has.overdue_days ? in->overdue_days : 0;
    const struct bind of = BIND_I64("id", r->id);
    if (!in->has.overdue_days && version != 0)
        err = req_number(r, QUERY_COMPANY_OVERDUE_DAYS, &of, 1, &overdue_days);
    if (err != 0)
        return err;
    struct row_company row = {.id = r->id,
                              .tenant = r->actor.tenant,
                              .name = req_copy_c(r, in->name),
                              .tax_no = req_copy_c(r, in->tax_no),
                              .kind = (int32_t)in->kind,
                              .credit = in->credit.v,
                              .overrun = (int32_t)in->overrun,
                              .bill_day = (int32_t)in->bill_day,
                              .contact = req_copy_c(r, in->contact),
                              .phone = req_copy_c(r, in->phone),
                              .state = (int32_t)in->state,
                              .version = (int32_t)version,
                              .overdue_days = (int32_t)overdue_days};
    return req_row_put(r, ROW_COMPANY, &row, version == 0, 1);
}

int companies_post(struct request *r)
{
    return company_put(r);
}

int companies_put(struct request *r)
{
    return company_put(r);
}

/* ---- members ---- */

static int member_send(struct request *r, struct row_company_member *row, bool create)
{
    const struct api_CompanyMemberIn *in = r->in;

    row->name = req_copy_c(r, in->name);
    row->plate = req_copy_c(r, in->plate);
    row->cards = in->cards;
    row->month_most = in->month_most.v;
    row->order_most = in->order_most.v;
    row->month_mwh = in->month_mwh;
    row->month_orders = (int32_t)in->month_orders;
    row->stations = req_copy_c(r, in->stations);
    row->state = (int32_t)in->state;
    if (row->month_most < 0 || row->order_most < 0)
        return req_fail(r, ERR_RANGE, row->month_most < 0 ? "/month_most" : "/order_most",
                        "0 or more");
    return req_row_put(r, ROW_COMPANY_MEMBER, row, create, 1);
}

int company_members_post(struct request *r)
{
    const struct api_CompanyMemberIn *in = r->in;
    struct row_token token = {0};
    int err = 0;

    if (r->resumed)
        return req_made(r);
    if ((in->driver != 0) == (in->token != 0))
        return req_fail(r, ERR_REQUIRED, "/driver", "a driver, or one card or VIN");
    if (in->token != 0)
        err = req_table_row(r, QUERY_WEB_TOKEN_ROW, ROW_TOKEN, in->token, &token);
    if (err == ERR_NOT_FOUND)
        return req_fail(r, err, "/token", "no such card or VIN");
    if (err != 0)
        return err;
    struct row_company_member row = {.tenant = r->actor.tenant,
                                     .company = r->id,
                                     .driver = in->token != 0 ? token.driver : in->driver,
                                     .token = in->token};
    return member_send(r, &row, true);
}

int company_members_put(struct request *r)
{
    const struct api_CompanyMemberIn *in = r->in;
    struct row_company_member row = {0};
    int64_t version = 0;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_if_match(r, &version);
    if (err == 0)
        err = req_table_row(r, QUERY_WEB_COMPANY_MEMBER_ROW, ROW_COMPANY_MEMBER, r->id, &row);
    if (err != 0)
        return err;
    if ((in->driver != 0 && in->driver != row.driver) || (in->token != 0 && in->token != row.token))
        return req_fail(r, ERR_CONFLICT, in->token != 0 ? "/token" : "/driver",
                        "another member is another row");
    row.version = (int32_t)version;
    return member_send(r, &row, false);
}

/* ---- money and bills ---- */

int company_payments_post(struct request *r)
{
    const struct api_CompanyPayIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    cmd = req_cmd(r, CMD_COMPANY_PAY, CMD_SIZE(company_pay));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.company_pay.company = r->id;
    cmd->u.company_pay.amount = in->amount.v;
    cmd->u.company_pay.bill = in->has.bill ? in->bill : 0;
    (void)str_copy(cmd->u.company_pay.currency, sizeof cmd->u.company_pay.currency,
                   str_from_c(r->actor.currency));
    if (REQ_TEXT(r, cmd->u.company_pay.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int company_bills_post(struct request *r)
{
    const struct api_CompanyBillIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->month % 100 < 1 || in->month % 100 > 12)
        return req_fail(r, ERR_RANGE, "/month", "yyyymm");
    cmd = req_cmd(r, CMD_COMPANY_BILL, CMD_SIZE(company_bill));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.company_bill.company = r->id;
    cmd->u.company_bill.month = (int32_t)in->month;
    if (REQ_TEXT(r, cmd->u.company_bill.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- a bill as a document ---- */

enum { COLUMNS = 7 };

struct words {
    const char *title, *company, *tax_no, *month, *captured, *refunded, *amount, *collected, *lacks,
        *orders, *due, *state, *states[5], *overdue, *foot, *table;
    const char *column[COLUMNS];
};
static const struct words languages[] = {
    {"企业充电账单",
     "企业",
     "税号",
     "月份",
     "充电扣款",
     "退款",
     "应付金额",
     "已收",
     "未收",
     "订单数",
     "付款期限",
     "状态",
     {"", "未出账", "待收款", "部分收款", "已结清"},
     "已逾期",
     "应付金额 = 充电扣款 - 退款；退款记入退款发生的月份",
     "订单明细",
     {"订单", "时间", "场站", "车辆或成员", "电量 kWh", "扣款", "退款"}},
    {"Charging bill",
     "Company",
     "Tax number",
     "Month",
     "Charged",
     "Given back",
     "Amount",
     "Collected",
     "Open",
     "Orders",
     "To be paid by",
     "State",
     {"", "not issued", "to be paid", "partly paid", "settled"},
     "overdue",
     "Amount = charged - given back; what is given back belongs to the month in which it is",
     "Orders",
     {"Order", "Time", "Station", "Vehicle or member", "Energy kWh", "Charged", "Given back"}},
};

/* Rows of the table as they come. */
struct gather {
    struct request *r;
    struct buf cells;
    uint32_t rows;
};
static const enum doc_kind kinds[COLUMNS] = {DOC_TEXT,   DOC_TIME,  DOC_TEXT, DOC_TEXT,
                                             DOC_ENERGY, DOC_MONEY, DOC_MONEY};

static int line_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct gather *g = ctx;

    (void)n;
    for (int k = 0; k < COLUMNS; k++) {
        struct doc_cell c = {.v = v[k].i};

        if (k == 0)
            c.text = arena_printf(&g->r->arena, "%lld", (long long)v[k].i);
        else if (kinds[k] == DOC_TEXT)
            c.text = req_copy(g->r, v[k].s);
        buf_put(&g->cells, &c, sizeof c);
    }
    g->rows++;
    return g->cells.err;
}

static int lines(struct request *r, struct doc *d, const struct api_CompanyBillRow *b,
                 const struct words *w)
{
    static const int widths[COLUMNS] = {22, 18, 18, 16, 13, 12, 12};
    const struct bind of[] = {BIND_I64("company", b->company), BIND_I64("from_ms", b->from_ms),
                              BIND_I64("to_ms", b->to_ms)};
    struct gather g = {.r = r};
    struct doc_table *t = &d->table[d->tables_n++];

    buf_init(&g.cells, WEB_OUT_MAX);
    int err = req_query(r, QUERY_WEB_COMPANY_BILL_ORDERS, of, ARRAY_LEN(of), line_take, &g);
    if (err == ERR_NOT_FOUND)
        err = 0; /* a bill of nothing but its sums */
    *t = (struct doc_table){.name = w->table, .columns_n = COLUMNS, .rows_n = g.rows};
    for (int k = 0; k < COLUMNS; k++)
        t->column[k] = (struct doc_column){w->column[k], kinds[k], widths[k]};
    struct doc_cell *cells = arena_alloc(&r->arena, g.cells.n + 1);
    if (cells)
        memcpy(cells, g.cells.p ? g.cells.p : "", g.cells.n);
    t->cell = cells;
    buf_free(&g.cells);
    return err ? err : cells ? 0 : ERR_TOO_LARGE;
}

static void fact_text(struct doc *d, const char *name, struct str text)
{
    d->fact[d->facts_n++] = (struct doc_fact){name, DOC_TEXT, {.text = text}, true};
}

static void fact(struct doc *d, const char *name, enum doc_kind kind, int64_t v, bool strong)
{
    d->fact[d->facts_n++] = (struct doc_fact){name, kind, {.v = v}, strong};
}

static void facts(struct request *r, struct doc *d, const struct api_CompanyBillRow *b,
                  const struct api_CompanyRow *c, const struct words *w)
{
    const char *state = b->overdue ? w->overdue
                        : b->state >= COMPANY_BILL_OPEN && b->state <= COMPANY_BILL_SETTLED
                            ? w->states[b->state]
                            : "";
    fact_text(d, w->company, c->name);
    fact_text(d, w->tax_no, c->tax_no);
    fact_text(d, w->month,
              arena_printf(&r->arena, "%lld-%02lld", (long long)(b->month / 100),
                           (long long)(b->month % 100)));
    fact(d, w->captured, DOC_MONEY, b->captured.v, false);
    fact(d, w->refunded, DOC_MONEY, -b->refunded.v, false);
    fact(d, w->amount, DOC_MONEY, b->amount.v, true);
    fact(d, w->collected, DOC_MONEY, b->collected.v, false);
    fact(d, w->lacks, DOC_MONEY, b->amount.v - b->collected.v, true);
    fact(d, w->orders, DOC_COUNT, b->orders, false);
    if (b->due_ms)
        fact(d, w->due, DOC_TIME, b->due_ms, false);
    fact_text(d, w->state, str_from_c(state));
}

static int document(struct request *r, int (*write)(const struct doc *d, struct buf *out))
{
    const struct words *w = &languages[req_english(r) ? 1 : 0];
    struct api_CompanyBillRow b = {0};
    struct api_CompanyRow c = {0};
    int err = req_one(r, QUERY_WEB_COMPANY_BILL, NULL, 0, &api_CompanyBillRow_type, &b);
    const struct bind of = BIND_I64("id", b.company);

    if (err == 0)
        err = req_one(r, QUERY_COMPANY_GET, &of, 1, &api_CompanyRow_type, &c);
    if (err != 0)
        return err;
    struct doc d = {.title = arena_printf(&r->arena, "%s · %s", r->actor.tenant_name, w->title).p,
                    .zone = web_zone_get(r->web, r->actor.zone),
                    .foot = w->foot};
    if (d.title == NULL)
        return ERR_TOO_LARGE;
    facts(r, &d, &b, &c, w);
    err = lines(r, &d, &b, w);
    if (err != 0)
        return err;
    req_header_add(r, "Content-Disposition",
                   arena_printf(&r->arena, "attachment; filename=\"bill-%lld-%lld.%s\"",
                                (long long)b.month, (long long)b.company,
                                write == doc_pdf ? "pdf" : "xlsx"));
    return write(&d, &r->out);
}

int company_bill_xlsx(struct request *r)
{
    return document(r, doc_xlsx);
}

int company_bill_pdf(struct request *r)
{
    return document(r, doc_pdf);
}
