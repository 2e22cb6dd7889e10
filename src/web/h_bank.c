// SPDX-License-Identifier: Apache-2.0
/* h_bank.c: payouts by bank: the file that goes to the bank, and the same file coming back with what
 * became of each. A channel of kind bank has no rail; its payouts stay approved until a person says
 * settled or failed, here for many at once.
 *
 * Invariants: 1. a file is judged as a whole before anything of it is done: unknown or missing
 * columns refuse it; 2. a row counts only for a payout that still waits in this channel, with the
 * amount that we asked for; 3. the core's rules hold for each (nobody settles what he asked for
 * himself); the same file again finds nothing waiting, so it needs no idempotency key; 4. the file
 * shows whole account numbers: it is audited.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/money.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/sheet.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { FILE_ROWS = 1000 };
enum { COL_PAYOUT, COL_AMOUNT, COL_RESULT, COL_BANK_NO, COL_NOTE, COLS_USED };

static const char *const columns[] = {"payout",   "payee",  "payee_name", "amount",
                                      "currency", "result", "bank_no",    "note"};
static const char *const used[COLS_USED] = {"payout", "amount", "result", "bank_no", "note"};

static int payouts_read(struct request *r, struct rows *out)
{
    *out = (struct rows){.type = &api_BankPayout_type, .max = FILE_ROWS};
    return req_rows(r, QUERY_BANK_PAYOUTS, NULL, 0, out);
}

static void amount_text(const struct api_BankPayout *p, char text[MONEY_TEXT_SIZE])
{
    money_format(money_sub(p->amount, p->fee), text);
}

/* ---- out ---- */

static void row_write(struct request *r, const struct api_BankPayout *p)
{
    char amount[MONEY_TEXT_SIZE];

    buf_put_i64(&r->out, p->id);
    sheet_put(&r->out, false, p->payee);
    sheet_put(&r->out, false, p->payee_name);
    amount_text(p, amount);
    buf_printf(&r->out, ",%s,%.*s,,,", amount, STR_FMT(p->currency));
    sheet_put(&r->out, true, p->note);
    buf_put_c(&r->out, "\r\n");
}

static int file_audit(struct request *r, uint32_t n)
{
    struct cmd *cmd = req_cmd(r, CMD_AUDIT, CMD_SIZE(audit));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    (void)str_copy(cmd->u.audit.action, sizeof(cmd->u.audit.action), STR_LIT("payout.file"));
    (void)str_copy(cmd->u.audit.detail, sizeof(cmd->u.audit.detail),
                   arena_printf(&r->arena, "%u rows", n));
    cmd->u.audit.object = r->id;
    return req_submit(r, cmd, 1);
}

int bank_file(struct request *r)
{
    struct rows rows;
    int err;

    if (r->resumed)
        return r->reply_err;
    err = payouts_read(r, &rows);
    if (err != 0)
        return err;
    buf_put_c(&r->out, "\xef\xbb\xbf"); /* spreadsheets take it for UTF-8 then */
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        buf_printf(&r->out, "%s%s", i > 0 ? "," : "", columns[i]);
    buf_put_c(&r->out, "\r\n");
    for (uint32_t i = 0; i < rows.n; i++)
        row_write(r, &((const struct api_BankPayout *)(void *)rows.p)[i]);
    r->mime = "text/csv; charset=utf-8";
    req_header_add(r, "Content-Disposition", STR_LIT("attachment; filename=\"payouts.csv\""));
    return file_audit(r, rows.n);
}

/* ---- back ---- */

struct result {
    int64_t line, payout;
    int32_t act; /* enum payout_act; 0 = nothing is said */
    struct str bank_no, note;
    int err; /* why it was refused */
};
struct import {
    struct result *row;
    uint32_t n, at;
};

static int header_read(struct request *r, struct sheet *c, int col[COLS_USED])
{
    int got = sheet_next(c, &r->arena);

    if (got <= 0)
        return req_fail(r, got == 0 ? ERR_REQUIRED : got, NULL, "no header line");
    for (int i = 0; i < c->n; i++) {
        size_t k = 0;

        while (k < ARRAY_LEN(columns) && !str_eq_c(c->cell[i], columns[k]))
            k++;
        if (k == ARRAY_LEN(columns))
            return req_fail(r, ERR_RANGE, NULL, "unknown column");
        if (sheet_column(c, columns[k]) != i)
            return req_fail(r, ERR_RANGE, NULL, "a column twice");
    }
    for (int i = 0; i < COLS_USED; i++) {
        col[i] = sheet_column(c, used[i]);
        if (col[i] < 0)
            return req_fail(r, ERR_REQUIRED, NULL, "a column is missing");
    }
    return 0;
}

static const struct api_BankPayout *waiting(const struct rows *rows, int64_t id)
{
    const struct api_BankPayout *p = (const struct api_BankPayout *)(void *)rows->p;

    for (uint32_t i = 0; i < rows->n; i++)
        if (p[i].id == id)
            return &p[i];
    return NULL;
}

static int row_judge(const struct rows *rows, const struct result *x, struct str amount)
{
    const struct api_BankPayout *p = waiting(rows, x->payout);
    struct money said;

    if (p == NULL)
        return ERR_NOT_FOUND; /* it waits no more, or never did here */
    if (money_parse(amount, &said) != 0 || said.v != p->amount.v - p->fee.v)
        return ERR_CONFLICT;
    return x->act == PAYOUT_ACT_SETTLED && x->bank_no.n == 0 ? ERR_REQUIRED : 0;
}

static int row_read(struct request *r, const struct sheet *c, const int col[COLS_USED],
                    const struct rows *rows, struct result *x)
{
    struct str result = c->cell[col[COL_RESULT]];

    x->line = c->line;
    x->bank_no = c->cell[col[COL_BANK_NO]];
    x->note = c->cell[col[COL_NOTE]];
    if (str_to_i64(c->cell[col[COL_PAYOUT]], &x->payout) != 0 || x->payout <= 0)
        return req_fail(r, ERR_SYNTAX, NULL, "payout is not a number");
    if (str_eq_c(result, "settled"))
        x->act = PAYOUT_ACT_SETTLED;
    else if (str_eq_c(result, "failed"))
        x->act = PAYOUT_ACT_FAILED;
    else if (result.n > 0)
        return req_fail(r, ERR_RANGE, NULL, "result is settled, failed or nothing");
    if (x->act != 0)
        x->err = row_judge(rows, x, c->cell[col[COL_AMOUNT]]);
    return 0;
}

static int file_read_all(struct request *r, struct import *m)
{
    struct rows rows;
    struct sheet *c = ARENA_NEW(&r->arena, struct sheet);
    int col[COLS_USED], got, width, err = payouts_read(r, &rows);

    m->row = ARENA_ARRAY(&r->arena, FILE_ROWS, struct result);
    if (err != 0 || c == NULL || m->row == NULL)
        return err != 0 ? err : ERR_NOMEM;
    sheet_open(c, buf_str(&r->body));
    err = header_read(r, c, col);
    width = c->n;
    while (err == 0 && (got = sheet_next(c, &r->arena)) != 0) {
        if (got < 0 || c->n != width)
            return req_fail(r, ERR_SYNTAX, NULL,
                            arena_printf(&r->arena, "line %lld", (long long)c->line).p);
        if (m->n == FILE_ROWS)
            return req_fail(r, ERR_TOO_LARGE, NULL, "at most 1,000 rows");
        err = row_read(r, c, col, &rows, &m->row[m->n++]);
    }
    return err;
}

static int decide(struct request *r, const struct result *x)
{
    struct cmd *cmd = req_cmd(r, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.payout_decide.payout = x->payout;
    cmd->u.payout_decide.act = x->act;
    (void)str_copy(cmd->u.payout_decide.bank_no, sizeof(cmd->u.payout_decide.bank_no), x->bank_no);
    (void)str_copy(cmd->u.payout_decide.note, sizeof(cmd->u.payout_decide.note), x->note);
    return req_submit(r, cmd, 1);
}

static int import_reply(struct request *r, const struct import *m)
{
    static const char *const acts[] = {
        [0] = "skipped", [PAYOUT_ACT_SETTLED] = "settled", [PAYOUT_ACT_FAILED] = "failed"};
    struct api_BankRow *out = ARENA_ARRAY(&r->arena, m->n + 1, struct api_BankRow);

    if (out == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct result *x = &m->row[i];

        out[i].line = x->line;
        out[i].payout = x->payout;
        out[i].outcome = str_from_c(x->err != 0 ? "refused" : acts[x->act]);
        out[i].error = str_from_c(x->err != 0 ? err_name(x->err) : "");
    }
    return req_list(r, &api_BankRow_type, out, m->n, STR_LIT(""));
}

int bank_result(struct request *r)
{
    struct import *m = r->ctx;
    int err;

    if (!r->resumed) {
        m = r->ctx = ARENA_NEW(&r->arena, struct import);
        err = m == NULL ? ERR_NOMEM : file_read_all(r, m);
        if (err != 0)
            return err;
    } else {
        m->row[m->at++].err = r->reply_err;
    }
    while (m->at < m->n && (m->row[m->at].act == 0 || m->row[m->at].err != 0))
        m->at++;
    return m->at < m->n ? decide(r, &m->row[m->at]) : import_reply(r, m);
}
