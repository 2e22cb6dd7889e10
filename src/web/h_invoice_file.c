// SPDX-License-Identifier: Apache-2.0
/* h_invoice_file.c: invoices for a tax system: the file that goes there, a row a tax line, and what came
 * of each invoice back again.
 *
 * Going out, every request is marked exported first and read after it, so what the file says is what the
 * invoice stays. Coming back, a file is judged as a whole before anything of it is done: unknown or
 * missing columns refuse it; a row counts only for an invoice that waits, with its amount; each row is a
 * command of its own, and the same file again finds nothing waiting.
 *
 *  out   invoice,kind,red_of,red_of_number,seller,buyer,title,tax_no,email,line,item,tax_rate,amount,net,
 *        tax,currency,note                                   red ones first, their amounts below zero
 *  back  invoice,amount,result,number,issued_on,note         result: issued, rejected or nothing
 *
 * Invariants: 1. it shows titles, tax numbers and addresses: reading it is audited; 2. nobody marks twice.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/money.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/sheet.h"
#include "web/state.h"

enum { FILE_INVOICES = 1000 };

/* ---- out ---- */

struct file {
    struct request *r;
    bool english;
    int64_t *id; /* which invoices; NULL = all */
    bool *marked;
    uint32_t n, at;
    int64_t since_ms;
};

static const char *item_of(const struct file *f, int64_t kind)
{
    static const char *const zh[] = {"电费", "充电服务费", "占位费"};
    static const char *const en[] = {"Electricity", "Charging service", "Occupancy"};
    int at = kind == FEE_ELECTRICITY ? 0 : kind == FEE_SERVICE ? 1 : 2;

    return f->english ? en[at] : zh[at];
}

static bool wanted(const struct file *f, int64_t id)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->id[i] == id)
            return f->marked[i];
    return f->id == NULL;
}

static void money_put(struct buf *out, int64_t v)
{
    char text[MONEY_TEXT_SIZE];

    money_format(MONEY(v), text);
    buf_printf(out, ",%s", text);
}

static int line_write(void *ctx, const struct sql_value *v, size_t n)
{
    struct file *f = ctx;
    struct buf *out = &f->r->out;

    (void)n;
    if (!wanted(f, v[0].i))
        return 0;
    buf_put_i64(out, v[0].i);
    buf_printf(out, ",%s,", v[1].i != 0 ? "red" : "blue");
    if (v[1].i != 0)
        buf_put_i64(out, v[1].i);
    sheet_put(out, false, v[2].s);
    sheet_put(out, false, v[3].s);
    buf_printf(out, ",%s", v[4].i == BUYER_COMPANY ? "company" : "person");
    for (size_t i = 5; i < 8; i++)
        sheet_put(out, false, v[i].s);
    buf_printf(out, ",%d,%s,", (int)v[10].i, item_of(f, v[11].i));
    buf_put_decimal(out, v[12].i, 4, 2);
    for (size_t i = 13; i < 16; i++)
        money_put(out, v[i].i);
    sheet_put(out, false, v[8].s);
    sheet_put(out, false, v[9].s);
    buf_put_c(out, "\r\n");
    return out->err;
}

static int file_write(struct request *r, struct file *f, int64_t state)
{
    const struct bind of[] = {BIND_I64("of_state", state), BIND_I64("since_ms", f->since_ms)};

    buf_put_c(&r->out, "\xef\xbb\xbf"); /* spreadsheets take it for UTF-8 then */
    buf_put_c(&r->out, "invoice,kind,red_of,red_of_number,seller,buyer,title,tax_no,email,line,"
                       "item,tax_rate,amount,net,tax,currency,note\r\n");
    r->mime = "text/csv; charset=utf-8";
    req_header_add(r, "Content-Disposition", STR_LIT("attachment; filename=\"invoices.csv\""));
    return req_query(r, QUERY_INVOICE_FILE, of, ARRAY_LEN(of), line_write, f);
}

static bool english(const struct request *r)
{
    return str_eq_c(req_arg(r, "lang"), "en");
}

int invoice_file_get(struct request *r)
{
    struct file f = {.r = r, .english = english(r)};
    int64_t state = req_arg_i64(r, "state");
    struct cmd *cmd;
    int err;

    if (r->resumed)
        return r->reply_err;
    err = file_write(r, &f, state != 0 ? state : INVOICE_REQUESTED);
    cmd = err == 0 ? req_cmd(r, CMD_AUDIT, CMD_SIZE(audit)) : NULL;
    if (cmd == NULL)
        return err != 0 ? err : ERR_TOO_LARGE;
    (void)str_copy(cmd->u.audit.action, sizeof(cmd->u.audit.action), STR_LIT("invoice.file"));
    return req_submit(r, cmd, 1);
}

static int id_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct file *f = ctx;

    (void)n;
    if (f->n < FILE_INVOICES && (f->n == 0 || f->id[f->n - 1] != v[0].i))
        f->id[f->n++] = v[0].i;
    return 0;
}

static int ids_read(struct request *r, struct file *f)
{
    const struct bind of[] = {BIND_I64("of_state", INVOICE_REQUESTED), BIND_I64("since_ms", 0)};

    f->r = r;
    f->english = english(r);
    f->since_ms = os_now_ms();
    f->id = ARENA_ARRAY(&r->arena, FILE_INVOICES, int64_t);
    f->marked = ARENA_ARRAY(&r->arena, FILE_INVOICES, bool);
    if (f->id == NULL || f->marked == NULL)
        return ERR_NOMEM;
    return req_query(r, QUERY_INVOICE_FILE, of, ARRAY_LEN(of), id_take, f);
}

static struct cmd *decision(struct request *r, int64_t invoice, int32_t act)
{
    struct cmd *cmd = req_cmd(r, CMD_INVOICE_DECIDE, CMD_SIZE(invoice_decide));

    if (cmd == NULL)
        return NULL;
    cmd->u.invoice_decide.invoice = invoice;
    cmd->u.invoice_decide.act = act;
    return cmd;
}

int invoice_file_export(struct request *r)
{
    struct file *f = r->ctx;
    struct cmd *cmd;
    int err;

    if (!r->resumed) {
        f = r->ctx = ARENA_NEW(&r->arena, struct file);
        err = f == NULL ? ERR_NOMEM : ids_read(r, f);
        if (err != 0)
            return err;
    } else {
        f->marked[f->at++] =
            r->reply_err == 0; /* else somebody was faster: it is not in this file */
    }
    if (f->at == f->n)
        return file_write(r, f, INVOICE_EXPORTED);
    cmd = decision(r, f->id[f->at], INVOICE_EXPORT);
    return cmd == NULL ? ERR_TOO_LARGE : req_submit(r, cmd, 1);
}

/* ---- back ---- */

enum { COL_INVOICE, COL_AMOUNT, COL_RESULT, COL_NUMBER, COL_DAY, COL_NOTE, COLS };
static const char *const columns[COLS] = {"invoice", "amount",    "result",
                                          "number",  "issued_on", "note"};

struct result {
    int64_t line, invoice;
    int32_t act, issued_on; /* act 0 = nothing is said */
    struct str number, note;
    int err; /* why it was refused */
};
struct import {
    struct result *row;
    uint32_t n, at;
};

static int header_read(struct request *r, struct sheet *c, int col[COLS])
{
    int got = sheet_next(c, &r->arena);

    if (got <= 0)
        return req_fail(r, got == 0 ? ERR_REQUIRED : got, NULL, "no header line");
    if (c->n != COLS)
        return req_fail(r, ERR_RANGE, NULL, "six columns, and no others");
    for (int i = 0; i < COLS; i++) {
        col[i] = sheet_column(c, columns[i]);
        if (col[i] < 0)
            return req_fail(r, ERR_REQUIRED, NULL, "a column is missing");
    }
    return 0;
}

struct waiting {
    int64_t state, amount;
};

static int waiting_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(struct waiting *)ctx = (struct waiting){v[0].i, v[1].i};
    return 0;
}

/* "2026-11-26", "2026/11/26" or "20261126". */
static int64_t day_read(struct str s)
{
    int64_t day = 0;
    int digits = 0;

    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] == '-' || s.p[i] == '/') && (digits == 4 || digits == 6))
            continue;
        if (s.p[i] < '0' || s.p[i] > '9' || ++digits > 8)
            return 0;
        day = day * 10 + s.p[i] - '0';
    }
    return digits == 8 ? day : 0;
}

static int row_judge(struct request *r, struct result *x, struct str amount)
{
    struct waiting w = {0};
    struct money said;
    struct bind id = BIND_I64("id", x->invoice);
    int err = req_query(r, QUERY_INVOICE_WAITING, &id, 1, waiting_take, &w);

    if (err != 0)
        return err;
    if (w.state != INVOICE_REQUESTED && w.state != INVOICE_EXPORTED)
        return ERR_NOT_FOUND; /* it waits no more, or never did */
    if (money_parse(amount, &said) != 0 || said.v != w.amount)
        return ERR_CONFLICT;
    return x->act == INVOICE_ISSUE && (x->number.n == 0 || x->issued_on == 0) ? ERR_REQUIRED : 0;
}

static int row_read(struct request *r, const struct sheet *c, const int col[COLS], struct result *x)
{
    struct str result = c->cell[col[COL_RESULT]];

    x->line = c->line;
    x->number = c->cell[col[COL_NUMBER]];
    x->note = c->cell[col[COL_NOTE]];
    x->issued_on = (int32_t)day_read(c->cell[col[COL_DAY]]);
    if (str_to_i64(c->cell[col[COL_INVOICE]], &x->invoice) != 0 || x->invoice <= 0)
        return req_fail(r, ERR_SYNTAX, NULL, "invoice is not a number");
    if (str_eq_c(result, "issued"))
        x->act = INVOICE_ISSUE;
    else if (str_eq_c(result, "rejected"))
        x->act = INVOICE_REJECT;
    else if (result.n > 0)
        return req_fail(r, ERR_RANGE, NULL, "result is issued, rejected or nothing");
    if (x->act != 0)
        x->err = row_judge(r, x, c->cell[col[COL_AMOUNT]]);
    return 0;
}

static int file_read_all(struct request *r, struct import *m)
{
    struct sheet *c = ARENA_NEW(&r->arena, struct sheet);
    int col[COLS], got, err;

    m->row = ARENA_ARRAY(&r->arena, FILE_INVOICES, struct result);
    if (c == NULL || m->row == NULL)
        return ERR_NOMEM;
    sheet_open(c, buf_str(&r->body));
    err = header_read(r, c, col);
    while (err == 0 && (got = sheet_next(c, &r->arena)) != 0) {
        if (got < 0 || c->n != COLS)
            return req_fail(r, ERR_SYNTAX, NULL,
                            arena_printf(&r->arena, "line %lld", (long long)c->line).p);
        if (m->n == FILE_INVOICES)
            return req_fail(r, ERR_TOO_LARGE, NULL, "at most 1,000 rows");
        err = row_read(r, c, col, &m->row[m->n++]);
    }
    return err;
}

static int decide(struct request *r, struct result *x)
{
    struct cmd *cmd = decision(r, x->invoice, x->act);

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    struct cmd_invoice_decide *c = &cmd->u.invoice_decide;
    c->issued_on = x->issued_on;
    (void)str_copy(c->number, sizeof(c->number), x->number);
    (void)str_copy(c->note, sizeof(c->note), x->note);
    return req_submit(r, cmd, 1);
}

static int import_reply(struct request *r, const struct import *m)
{
    static const char *const acts[] = {
        [0] = "skipped", [INVOICE_ISSUE] = "issued", [INVOICE_REJECT] = "rejected"};
    struct api_InvoiceFileRow *out = ARENA_ARRAY(&r->arena, m->n + 1, struct api_InvoiceFileRow);

    if (out == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct result *x = &m->row[i];

        out[i].line = x->line;
        out[i].invoice = x->invoice;
        out[i].outcome = str_from_c(x->err != 0 ? "refused" : acts[x->act]);
        out[i].err = x->err;
    }
    return req_list(r, &api_InvoiceFileRow_type, out, m->n, STR_LIT(""));
}

static bool number_fits(const struct result *x)
{
    return x->number.n < sizeof(((struct cmd_invoice_decide *)0)->number) &&
           x->note.n < sizeof(((struct cmd_invoice_decide *)0)->note);
}

int invoice_file_issued(struct request *r)
{
    struct import *m = r->ctx;
    int err;

    if (!r->resumed) {
        m = r->ctx = ARENA_NEW(&r->arena, struct import);
        err = m == NULL ? ERR_NOMEM : file_read_all(r, m);
        if (err != 0)
            return err;
        for (uint32_t i = 0; i < m->n; i++)
            if (m->row[i].act != 0 && m->row[i].err == 0 && !number_fits(&m->row[i]))
                m->row[i].err = ERR_RANGE;
    } else {
        m->row[m->at++].err = r->reply_err;
    }
    while (m->at < m->n && (m->row[m->at].act == 0 || m->row[m->at].err != 0))
        m->at++;
    return m->at < m->n ? decide(r, &m->row[m->at]) : import_reply(r, m);
}
