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
    int64_t opening, withdrawn, fees, tax;                                     /* of payouts */
    int64_t shares, refunds, corrections, guarantees, rents, suspense, orders; /* of parts */
    int64_t capped;
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
    s->opening = v[0].i;
    s->withdrawn = v[1].i;
    s->fees = v[2].i;
    s->tax = v[3].i;
    return 0;
}

static int parts_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sums *s = ctx;
    (void)n;
    s->shares = v[0].i;
    s->refunds = v[1].i;
    s->corrections = v[2].i;
    s->guarantees = v[3].i;
    s->rents = v[4].i;
    s->suspense = v[5].i;
    s->orders = v[6].i;
    return 0;
}

static int capped_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sums *s = ctx;
    (void)n;
    s->capped = v[0].i;
    return 0;
}

/* ERR_NOT_FOUND: there is no such party. */
static int sums_get(struct request *r, int64_t party, const struct bounds *b, struct sums *s)
{
    const struct bind of[] = {BIND_I64("of_party", party), BIND_I64("from_ms", b->from_ms),
                              BIND_I64("to_ms", b->to_ms)};
    int err = req_query(r, QUERY_WEB_STATEMENT_SUMS, of, ARRAY_LEN(of), sums_take, s);
    if (err == 0)
        err = req_query(r, QUERY_WEB_STATEMENT_PARTS, of, ARRAY_LEN(of), parts_take, s);
    return err ? err : req_query(r, QUERY_WEB_STATEMENT_CAPPED, of, ARRAY_LEN(of), capped_take, s);
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
    err = sums_get(r, in->party, &b, &s);
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
                                                      .tax = s.tax,
                                                      .corrections = s.corrections,
                                                      .guarantees = s.guarantees,
                                                      .rents = s.rents,
                                                      .suspense = s.suspense,
                                                      .capped = s.capped};
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

enum { TABLE_COLUMNS = 7 }; /* of orders; the others have fewer */

/* What is neither an order nor a withdrawal, by the code of its transfer. */
enum { OTHERS_CODE = 2 };

/* Rows of one table as they come. */
struct gather {
    struct request *r;
    struct buf cells;
    int columns;
    uint32_t rows;
    const enum doc_kind *kind;
    const struct words *words; /* of table others: the name of its code stands there; else NULL */
};

static struct str kind_name(const struct words *w, int64_t code);

static int gather_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct gather *g = ctx;
    (void)n;
    for (int k = 0; k < g->columns; k++) {
        struct doc_cell c = {.v = v[k].i};
        if (g->words && k == OTHERS_CODE)
            c.text = kind_name(g->words, v[k].i);
        else if (g->kind[k] == DOC_TEXT)
            c.text = v[k].kind != COLUMN_TEXT
                         ? arena_printf(&g->r->arena, "%lld", (long long)v[k].i)
                         : req_copy(g->r, v[k].s);
        buf_put(&g->cells, &c, sizeof c);
    }
    g->rows++;
    return g->cells.err;
}

struct words {
    const char *title, *party, *month, *opening, *shares, *refunds, *corrections, *guarantees,
        *rents, *suspense, *withdrawn, *fees, *tax, *closing, *capped, *orders, *state, *states[4],
        *foot, *t_orders, *t_others, *t_payouts;
    const char *order[TABLE_COLUMNS], *other[TABLE_COLUMNS], *payout[TABLE_COLUMNS];
    struct {
        int64_t code;
        const char *name;
    } kinds[5];
};
static const struct words languages[] = {
    {"对账单",
     "分成方",
     "月份",
     "期初结余",
     "分成",
     "退款扣回",
     "更正",
     "月末保底",
     "月末租金",
     "挂账转入",
     "提现到账",
     "提现手续费",
     "代扣个税",
     "期末结余",
     "封顶未计（不在结余内）",
     "订单数",
     "状态",
     {"", "待确认", "已确认", "有异议"},
     "结余 = 待结算 + 可提现 + 提现中 - 欠款；期末 = 期初 + 以上各行之和",
     "订单明细",
     "月末、挂账与个税明细",
     "提现明细",
     {"订单", "时间", "场站", "电量 kWh", "分成", "退款扣回", "更正"},
     {"凭证", "时间", "类别", "说明", "金额"},
     {"提现", "到账时间", "方式", "流水号", "到账金额", "手续费"},
     {{TRANSFER_CLAUSE, "月末保底"},
      {TRANSFER_RENT, "月末租金"},
      {TRANSFER_SUSPENSE_OUT, "挂账转入"},
      {TRANSFER_WITHHELD, "代扣个税"},
      {TRANSFER_PAYOUT_BACK, "个税退回"}}},
    {"Statement",
     "Party",
     "Month",
     "Opening",
     "Shares",
     "Refunds taken back",
     "Corrections",
     "Guarantee at month's end",
     "Rent at month's end",
     "Out of suspense",
     "Withdrawn, paid",
     "Withdrawal fees",
     "Tax withheld",
     "Closing",
     "Over caps (not in the balance)",
     "Orders",
     "State",
     {"", "to be confirmed", "confirmed", "disputed"},
     "Position = pending + available + on its way - owed; closing = opening + the lines above",
     "Orders",
     "Month's end, suspense, tax",
     "Withdrawals",
     {"Order", "Time", "Station", "Energy kWh", "Share", "Refund", "Correction"},
     {"Voucher", "Time", "Kind", "Note", "Amount"},
     {"Withdrawal", "Settled", "By", "Number", "Paid", "Fee"},
     {{TRANSFER_CLAUSE, "guarantee"},
      {TRANSFER_RENT, "rent"},
      {TRANSFER_SUSPENSE_OUT, "out of suspense"},
      {TRANSFER_WITHHELD, "tax withheld"},
      {TRANSFER_PAYOUT_BACK, "tax given back"}}},
};

static struct str kind_name(const struct words *w, int64_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(w->kinds); i++)
        if (w->kinds[i].code == code)
            return str_from_c(w->kinds[i].name);
    return STR_LIT("");
}

static void fact(struct doc *d, const char *name, enum doc_kind kind, struct doc_cell v,
                 bool strong)
{
    d->fact[d->facts_n++] = (struct doc_fact){name, kind, v, strong};
}

static void money_fact(struct doc *d, const char *name, int64_t v, bool strong)
{
    fact(d, name, DOC_MONEY, (struct doc_cell){.v = v}, strong);
}

static void facts(struct request *r, struct doc *d, const struct api_PartyStatement *s,
                  const struct words *w)
{
    const char *state = s->state >= 1 && s->state <= 3 ? w->states[s->state] : "";
    struct str month = arena_printf(&r->arena, "%lld-%02lld", (long long)(s->month / 100),
                                    (long long)(s->month % 100));
    fact(d, w->party, DOC_TEXT, (struct doc_cell){.text = s->party_name}, true);
    fact(d, w->month, DOC_TEXT, (struct doc_cell){.text = month}, true);
    money_fact(d, w->opening, s->opening.v, false);
    money_fact(d, w->shares, s->shares.v, false);
    money_fact(d, w->refunds, -s->refunds.v, false);
    money_fact(d, w->corrections, s->corrections.v, false);
    money_fact(d, w->guarantees, s->guarantees.v, false);
    money_fact(d, w->rents, s->rents.v, false);
    money_fact(d, w->suspense, s->suspense.v, false);
    money_fact(d, w->withdrawn, -s->withdrawn.v, false);
    money_fact(d, w->fees, -s->fees.v, false);
    money_fact(d, w->tax, -s->tax.v, false);
    money_fact(d, w->closing, s->closing.v, true);
    money_fact(d, w->capped, s->capped.v, false);
    fact(d, w->orders, DOC_COUNT, (struct doc_cell){.v = s->orders}, false);
    fact(d, w->state, DOC_TEXT, (struct doc_cell){.text = str_from_c(state)}, false);
}

/* A table of a statement: its query, what it and its columns are called, and what these hold. */
struct listing {
    enum query q;
    const char *name, *const *names;
    enum doc_kind kinds[TABLE_COLUMNS];
    int columns;
    const struct words *words;
};

static int table(struct request *r, struct doc *d, const struct listing *l,
                 const struct api_PartyStatement *s)
{
    static const int widths[TABLE_COLUMNS] = {22, 18, 20, 16, 13, 13, 13};
    const struct bind of[] = {BIND_I64("of_party", s->party), BIND_I64("from_ms", s->from_ms),
                              BIND_I64("to_ms", s->to_ms)};
    struct gather g = {.r = r, .columns = l->columns, .kind = l->kinds, .words = l->words};
    struct doc_table *t = &d->table[d->tables_n++];
    buf_init(&g.cells, WEB_OUT_MAX);
    int err = req_query(r, l->q, of, ARRAY_LEN(of), gather_take, &g);
    *t = (struct doc_table){.name = l->name, .columns_n = l->columns, .rows_n = g.rows};
    for (int k = 0; k < l->columns; k++)
        t->column[k] = (struct doc_column){l->names[k], l->kinds[k], widths[k]};
    struct doc_cell *cells = arena_alloc(&r->arena, g.cells.n + 1);
    if (cells)
        memcpy(cells, g.cells.p ? g.cells.p : "", g.cells.n);
    t->cell = cells;
    buf_free(&g.cells);
    return err ? err : cells ? 0 : ERR_TOO_LARGE;
}

static int tables(struct request *r, struct doc *d, const struct api_PartyStatement *s,
                  const struct words *w)
{
    const struct listing all[] = {
        {QUERY_WEB_STATEMENT_ORDERS,
         w->t_orders,
         w->order,
         {DOC_TEXT, DOC_TIME, DOC_TEXT, DOC_ENERGY, DOC_MONEY, DOC_MONEY, DOC_MONEY},
         7,
         NULL},
        {QUERY_WEB_STATEMENT_OTHERS,
         w->t_others,
         w->other,
         {DOC_TEXT, DOC_TIME, DOC_TEXT, DOC_TEXT, DOC_MONEY},
         5,
         w},
        {QUERY_WEB_STATEMENT_PAYOUTS,
         w->t_payouts,
         w->payout,
         {DOC_TEXT, DOC_TIME, DOC_TEXT, DOC_TEXT, DOC_MONEY, DOC_MONEY},
         6,
         NULL}};
    int err = 0;
    for (size_t i = 0; err == 0 && i < ARRAY_LEN(all); i++)
        err = table(r, d, &all[i], s);
    return err;
}

static int document(struct request *r, int64_t party,
                    int (*write)(const struct doc *d, struct buf *out))
{
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
    err = tables(r, &d, &s, w);
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
