// SPDX-License-Identifier: Apache-2.0
/* h_statement.c: statements of parties: added up for a month on one snapshot and sent to the core, which
 * judges the sums; confirmed or disputed by the party, answered by staff; and taken away as a workbook
 * or to print, with every order and every withdrawal of the month.
 *
 * Invariants: 1. a partner's party comes from the log-in; 2. what a document lists adds up to what its
 * statement says, because both are read of the same rows by the same bounds.
 *
 * Thread: the request's. */
#include <stdio.h>

#include "base/err.h"
#include "base/zone.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/doc.h"
#include "web/routes_gen.h"
#include "web/state.h"

struct sums {
    int64_t opening, shares, refunds, withdrawn, fees, orders, tax;
};

/* ---- making one ---- */

/* A month as it is added up: it begins where the month before ended and ends where the next one
 * begins, if they have statements, else by the calendar of the operator's zone. */
struct bounds {
    int64_t month, from_ms, to_ms;
};

static int near_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct bounds *b = ctx;
    (void)n;
    if (v[0].i < b->month)
        b->from_ms = v[2].i;
    else
        b->to_ms = v[1].i;
    return 0;
}

static int bounds_get(struct request *r, int64_t party, struct bounds *b)
{
    int64_t before = b->month % 100 == 1 ? b->month - 89 : b->month - 1;
    const struct bind of[] = {BIND_I64("of_party", party), BIND_I64("before", before),
                              BIND_I64("after", civil_month_next(b->month))};

    req_month(r, b->month, &b->from_ms, &b->to_ms);
    return req_query(r, QUERY_WEB_STATEMENT_NEAR, of, ARRAY_LEN(of), near_take, b);
}

static int sums_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sums *s = ctx;
    (void)n;
    *s = (struct sums){v[0].i, v[1].i, v[2].i, v[3].i, v[4].i, v[5].i, v[6].i};
    return 0;
}

int statements_post(struct request *r)
{
    const struct api_StatementIn *in = r->in;
    struct bounds b = {.month = in->month};
    struct sums s = {0};

    if (r->resumed)
        return req_made(r);
    if (in->month % 100 < 1 || in->month % 100 > 12)
        return req_fail(r, ERR_RANGE, "/month", "yyyymm");
    int err = bounds_get(r, in->party, &b);
    if (err != 0 && err != ERR_NOT_FOUND)
        return err;
    const struct bind of[] = {BIND_I64("of_party", in->party), BIND_I64("from_ms", b.from_ms),
                              BIND_I64("to_ms", b.to_ms)};
    err = req_query(r, QUERY_WEB_STATEMENT_SUMS, of, ARRAY_LEN(of), sums_take, &s);
    if (err == ERR_NOT_FOUND)
        return req_fail(r, err, "/party", "no such party");
    if (err != 0)
        return err;
    struct cmd *cmd = req_cmd(r, CMD_STATEMENT_NEW, CMD_SIZE(statement_new));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.statement_new = (struct cmd_statement_new){.party = in->party,
                                                      .month = (int32_t)in->month,
                                                      .orders = (int32_t)s.orders,
                                                      .from_ms = b.from_ms,
                                                      .to_ms = b.to_ms,
                                                      .opening = s.opening,
                                                      .shares = s.shares,
                                                      .refunds = s.refunds,
                                                      .withdrawn = s.withdrawn,
                                                      .fees = s.fees,
                                                      .tax = s.tax};
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- deciding ---- */

static int decide(struct request *r, int64_t party)
{
    const struct api_StatementDecideIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_STATEMENT_DECIDE, CMD_SIZE(statement_decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.statement_decide.statement = r->id;
    cmd->u.statement_decide.party = party;
    cmd->u.statement_decide.act = (int32_t)in->act;
    if (REQ_TEXT(r, cmd->u.statement_decide.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int statements_decide(struct request *r)
{
    return decide(r, 0);
}

int partner_statement_decide(struct request *r)
{
    return decide(r, r->actor.party);
}

/* ---- documents ---- */

enum { TABLE_COLUMNS = 7 }; /* of withdrawals; of orders one less */

/* Rows of one table as they come. */
struct gather {
    struct request *r;
    struct buf cells;
    int columns;
    uint32_t rows;
    const enum doc_kind *kind;
};

static int gather_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct gather *g = ctx;
    (void)n;
    for (int k = 0; k < g->columns; k++) {
        struct doc_cell c = {.v = v[k].i};
        if (g->kind[k] == DOC_TEXT)
            c.text = v[k].kind != COLUMN_TEXT
                         ? arena_printf(&g->r->arena, "%lld", (long long)v[k].i)
                         : req_copy(g->r, v[k].s);
        buf_put(&g->cells, &c, sizeof c);
    }
    g->rows++;
    return g->cells.err;
}

struct words {
    const char *title, *party, *month, *opening, *shares, *refunds, *withdrawn, *fees, *tax,
        *closing, *orders, *state, *states[4], *foot, *t_orders, *t_payouts;
    const char *order[TABLE_COLUMNS], *payout[TABLE_COLUMNS];
};
static const struct words languages[] = {
    {"对账单",
     "分成方",
     "月份",
     "期初结余",
     "分成",
     "退款扣回",
     "提现",
     "其中手续费",
     "其中代扣个税",
     "期末结余",
     "订单数",
     "状态",
     {"", "待确认", "已确认", "有异议"},
     "结余 = 待结算 + 可提现 + 提现中 - 欠款；期末 = 期初 + 分成 - 退款扣回 - 提现",
     "订单明细",
     "提现明细",
     {"订单", "时间", "场站", "电量 kWh", "分成", "退款扣回"},
     {"提现", "到账时间", "方式", "流水号", "金额", "手续费", "代扣个税"}},
    {"Statement",
     "Party",
     "Month",
     "Opening",
     "Shares",
     "Refunds taken back",
     "Withdrawn",
     "of which fees",
     "of which tax withheld",
     "Closing",
     "Orders",
     "State",
     {"", "to be confirmed", "confirmed", "disputed"},
     "Position = pending + available + on its way - owed; closing = opening + shares - refunds - "
     "withdrawn",
     "Orders",
     "Withdrawals",
     {"Order", "Time", "Station", "Energy kWh", "Share", "Refund"},
     {"Withdrawal", "Settled", "By", "Number", "Amount", "Fee", "Tax"}},
};

static void fact(struct doc *d, const char *name, enum doc_kind kind, struct doc_cell v,
                 bool strong)
{
    d->fact[d->facts_n++] = (struct doc_fact){name, kind, v, strong};
}

static void facts(struct request *r, struct doc *d, const struct api_PartyStatement *s,
                  const struct words *w)
{
    const char *state = s->state >= 1 && s->state <= 3 ? w->states[s->state] : "";
    struct str month = arena_printf(&r->arena, "%lld-%02lld", (long long)(s->month / 100),
                                    (long long)(s->month % 100));
    fact(d, w->party, DOC_TEXT, (struct doc_cell){.text = s->party_name}, true);
    fact(d, w->month, DOC_TEXT, (struct doc_cell){.text = month}, true);
    fact(d, w->opening, DOC_MONEY, (struct doc_cell){.v = s->opening.v}, false);
    fact(d, w->shares, DOC_MONEY, (struct doc_cell){.v = s->shares.v}, false);
    fact(d, w->refunds, DOC_MONEY, (struct doc_cell){.v = -s->refunds.v}, false);
    fact(d, w->withdrawn, DOC_MONEY, (struct doc_cell){.v = -s->withdrawn.v}, false);
    fact(d, w->fees, DOC_MONEY, (struct doc_cell){.v = s->fees.v}, false);
    fact(d, w->tax, DOC_MONEY, (struct doc_cell){.v = s->tax.v}, false);
    fact(d, w->closing, DOC_MONEY, (struct doc_cell){.v = s->closing.v}, true);
    fact(d, w->orders, DOC_COUNT, (struct doc_cell){.v = s->orders}, false);
    fact(d, w->state, DOC_TEXT, (struct doc_cell){.text = str_from_c(state)}, false);
}

static int table(struct request *r, struct doc *d, enum query q, const char *name,
                 const char *const names[TABLE_COLUMNS], const enum doc_kind kinds[TABLE_COLUMNS],
                 const struct api_PartyStatement *s)
{
    static const int widths[TABLE_COLUMNS] = {22, 18, 20, 16, 13, 13, 13};
    int columns = names[TABLE_COLUMNS - 1] ? TABLE_COLUMNS : TABLE_COLUMNS - 1;
    const struct bind of[] = {BIND_I64("of_party", s->party), BIND_I64("from_ms", s->from_ms),
                              BIND_I64("to_ms", s->to_ms)};
    struct gather g = {.r = r, .columns = columns, .kind = kinds};
    struct doc_table *t = &d->table[d->tables_n++];
    buf_init(&g.cells, WEB_OUT_MAX);
    int err = req_query(r, q, of, ARRAY_LEN(of), gather_take, &g);
    *t = (struct doc_table){.name = name, .columns_n = columns, .rows_n = g.rows};
    for (int k = 0; k < columns; k++)
        t->column[k] = (struct doc_column){names[k], kinds[k], widths[k]};
    struct doc_cell *cells = arena_alloc(&r->arena, g.cells.n + 1);
    if (cells)
        memcpy(cells, g.cells.p ? g.cells.p : "", g.cells.n);
    t->cell = cells;
    buf_free(&g.cells);
    return err ? err : cells ? 0 : ERR_TOO_LARGE;
}

static int document(struct request *r, int64_t party,
                    int (*write)(const struct doc *d, struct buf *out))
{
    static const enum doc_kind orders[TABLE_COLUMNS] = {DOC_TEXT,   DOC_TIME,  DOC_TEXT,
                                                        DOC_ENERGY, DOC_MONEY, DOC_MONEY};
    static const enum doc_kind payouts[TABLE_COLUMNS] = {DOC_TEXT,  DOC_TIME,  DOC_TEXT, DOC_TEXT,
                                                         DOC_MONEY, DOC_MONEY, DOC_MONEY};
    struct api_PartyStatement s = {0};
    int err = req_one(r, QUERY_WEB_STATEMENT, NULL, 0, &api_PartyStatement_type, &s);
    if (err == 0 && party && s.party != party)
        err = ERR_NOT_FOUND;
    if (err != 0)
        return err;
    const struct words *w = &languages[req_english(r) ? 1 : 0];
    struct doc d = {.title = arena_printf(&r->arena, "%s · %s", r->actor.tenant_name, w->title).p,
                    .zone = web_zone_get(r->web, r->actor.zone),
                    .foot = w->foot};
    if (d.title == NULL)
        return ERR_TOO_LARGE;
    facts(r, &d, &s, w);
    err = table(r, &d, QUERY_WEB_STATEMENT_ORDERS, w->t_orders, w->order, orders, &s);
    if (err == 0)
        err = table(r, &d, QUERY_WEB_STATEMENT_PAYOUTS, w->t_payouts, w->payout, payouts, &s);
    if (err != 0)
        return err;
    req_header_add(r, "Content-Disposition",
                   arena_printf(&r->arena, "attachment; filename=\"statement-%lld-%lld.%s\"",
                                (long long)s.month, (long long)s.party,
                                write == doc_pdf ? "pdf" : "xlsx"));
    return write(&d, &r->out);
}

int statements_xlsx(struct request *r)
{
    return document(r, 0, doc_xlsx);
}

int statements_pdf(struct request *r)
{
    return document(r, 0, doc_pdf);
}

int partner_statement_xlsx(struct request *r)
{
    return document(r, r->actor.party, doc_xlsx);
}

int partner_statement_pdf(struct request *r)
{
    return document(r, r->actor.party, doc_pdf);
}
