// SPDX-License-Identifier: Apache-2.0
/* h_invoice_file.c: invoices for a tax system: the file that goes there, a row a tax line, and what came
 * of each invoice back again.
 *
 * Going out, every request is marked exported first and read after it, so what the file says is what the
 * invoice stays. What comes back counts by the rules of results.h, for invoices that wait.
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
#include "web/audit.h"
#include "web/results.h"
#include "web/routes_gen.h"
#include "web/sheet.h"
#include "web/state.h"

enum { FILE_INVOICES = 1000, FILE_LINES = 20000 /* as in the query */ };

/* ---- out ---- */

struct file {
    struct request *r;
    bool english;
    int64_t *id; /* which invoices; NULL = all */
    bool *marked;
    uint32_t n, at, lines;
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
    if (++f->lines == FILE_LINES)
        return req_fail(f->r, ERR_TOO_LARGE, NULL, "20,000 lines or more");
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

int invoice_file_get(struct request *r)
{
    struct file f = {.r = r, .english = req_english(r)};
    int64_t state = req_arg_i64(r, "state");
    int err;

    if (r->resumed)
        return r->reply_err;
    err = file_write(r, &f, state != 0 ? state : INVOICE_REQUESTED);
    return err != 0 ? err : req_audit(r, &(struct web_audit){.action = "invoice.file"}, 1);
}

static int id_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct file *f = ctx;

    (void)n;
    f->lines++;
    if (f->n < FILE_INVOICES && (f->n == 0 || f->id[f->n - 1] != v[0].i))
        f->id[f->n++] = v[0].i;
    return 0;
}

static int ids_read(struct request *r, struct file *f)
{
    const struct bind of[] = {BIND_I64("of_state", INVOICE_REQUESTED), BIND_I64("since_ms", 0)};

    f->r = r;
    f->english = req_english(r);
    f->since_ms = os_now_ms();
    f->id = ARENA_ARRAY(&r->arena, FILE_INVOICES, int64_t);
    f->marked = ARENA_ARRAY(&r->arena, FILE_INVOICES, bool);
    if (f->id == NULL || f->marked == NULL)
        return ERR_NOMEM;
    int err = req_query(r, QUERY_INVOICE_FILE, of, ARRAY_LEN(of), id_take, f);

    f->n -= f->lines == FILE_LINES && f->n > 1; /* the last may have lines beyond */
    f->lines = 0;
    return err;
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
    cmd = req_cmd(r, CMD_INVOICE_DECIDE, CMD_SIZE(invoice_decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.invoice_decide.invoice = f->id[f->at];
    cmd->u.invoice_decide.act = INVOICE_EXPORT;
    return req_submit(r, cmd, 1);
}

/* ---- back ---- */

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

static int invoice_asked(struct request *r, void *ctx, const struct result_row *x, int64_t *amount)
{
    struct waiting w = {0};
    struct bind of = BIND_I64("id", x->id);
    int err = req_query(r, QUERY_INVOICE_WAITING, &of, 1, waiting_take, &w);

    (void)ctx;
    *amount = w.amount;
    if (err == 0 && w.state != INVOICE_REQUESTED && w.state != INVOICE_EXPORTED)
        err = ERR_NOT_FOUND; /* it waits no more, or never did */
    return err;
}

static int invoice_fill(struct request *r, const struct result_row *x, struct cmd *cmd)
{
    struct cmd_invoice_decide *c = &cmd->u.invoice_decide;
    int err = req_text(r, c->number, sizeof(c->number), x->cell[RESULT_MORE], NULL);

    c->invoice = x->id;
    c->act = x->act;
    c->issued_on = (int32_t)day_read(x->cell[RESULT_MORE + 1]);
    return err != 0 ? err : req_text(r, c->note, sizeof(c->note), x->cell[RESULT_NOTE], NULL);
}

int invoice_file_issued(struct request *r)
{
    static const char *const columns[] = {"invoice", "amount", "result",
                                          "note",    "number", "issued_on"};
    static const struct result_kind kind = {
        .columns = columns,
        .columns_n = ARRAY_LEN(columns),
        .used = columns,
        .used_n = ARRAY_LEN(columns),
        .acts = {{"issued", INVOICE_ISSUE}, {"rejected", INVOICE_REJECT}},
        .type = CMD_INVOICE_DECIDE,
        .size = CMD_SIZE(invoice_decide),
        .asked = invoice_asked,
        .fill = invoice_fill};

    return results_import(r, &kind, NULL);
}
