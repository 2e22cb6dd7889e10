// SPDX-License-Identifier: Apache-2.0
/* h_bank.c: payouts by bank: the files that go to the bank, and a file coming back with what became of each
 * row. A channel of kind bank has no rail; its payouts stay approved until a person says settled or failed,
 * here for many at once.
 *
 *  make       what waits and stands in no file, or some of it → CMD_PAY_FILE_NEW; the reply is the file. What may
 *             not go any more to where it was approved to is left out, or the reason why nothing is made
 *  fetch      its rows that still wait, as they were then; CSV, or a sheet for people, whose cells are text: a
 *             spreadsheet that opens the CSV rounds card numbers and our ids beyond their fifteenth digit
 *  take out   CMD_PAY_FILE_OUT, by another person: the next file may list it
 *  back       what the bank made of it: results.h
 *
 * Invariants: 1. what comes back counts by the rules of results.h, for payouts that still wait in this
 * channel, in a file or not (some are paid by hand), with the amount that we asked for; nobody settles what
 * he asked for himself; a row that names a file counts for what stands in that one, and of what was ever taken out of one
 * no row counts that names none, else a late "failed" of the first file gives back what the second one pays; 2. the file shows whole account numbers: fetching it is audited, and denied
 * to staff of one station; 3. a file that is
 * asked for again under its key is that file: the core looks at the key before it looks at what waits.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/money.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/audit.h"
#include "web/doc.h"
#include "web/results.h"
#include "web/routes_gen.h"
#include "web/sheet.h"
#include "web/state.h"

static const char *const columns[] = {"payout", "payee",   "payee_name", "amount", "currency",
                                      "result", "bank_no", "note",       "file"};

/* ---- making a file ---- */

struct waiting {
    struct request *r;
    struct cmd_pay_file_new *c;
    struct str currency; /* of the oldest: a file has one */
};

static int waiting_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct waiting *w = ctx;

    (void)n;
    if (w->c->n == 0)
        w->currency = req_copy(w->r, v[1].s);
    if (w->c->n < PAY_FILE_MAX && str_eq(w->currency, v[1].s))
        w->c->payout[w->c->n++] = v[0].i;
    return 0;
}

/* Into its place: the core wants them ascending. */
static int id_insert(struct request *r, struct cmd_pay_file_new *c, int64_t id)
{
    int32_t at = c->n;

    while (at > 0 && c->payout[at - 1] > id)
        at--;
    if (at > 0 && c->payout[at - 1] == id)
        return req_fail(r, ERR_RANGE, "/payouts", "given twice");
    memmove(&c->payout[at + 1], &c->payout[at], (size_t)(c->n - at) * sizeof(c->payout[0]));
    c->payout[at] = id;
    c->n++;
    return 0;
}

static int payouts_fill(struct request *r, struct cmd_pay_file_new *c)
{
    const struct api_PayFileIn *in = r->in;
    struct waiting w = {.r = r, .c = c};
    int err = 0;

    if (!in->has.payouts)
        return req_query(r, QUERY_BANK_WAITING, NULL, 0, waiting_take, &w);
    for (uint32_t i = 0; err == 0 && i < in->payouts_n && i < PAY_FILE_MAX; i++)
        err = id_insert(r, c, in->payouts[i]);
    return err;
}

struct left_out {
    struct request *r;
    const char *pointer, *why; /* of the one that the request names first */
    uint32_t at;
};

/* The numbers are enum payout_left. */
static const char *left_text(int64_t why)
{
    switch (why) {
    case PAYOUT_LEFT_PARTY:
        return "its party is disabled";
    case PAYOUT_LEFT_PAYEE:
        return "its party's payee is another one by now, or is not verified";
    case PAYOUT_LEFT_FROZEN:
        return "its driver's wallet is frozen";
    default:
        return "its driver's account is closed";
    }
}

static int left_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct left_out *l = ctx;
    const struct api_PayFileIn *in = l->r->in;

    (void)n;
    for (uint32_t i = 0; i < in->payouts_n; i++)
        if (in->payouts[i] == v[0].i && (l->why == NULL || i < l->at)) {
            l->pointer = arena_printf(&l->r->arena, "/payouts/%u", i).p;
            l->why = left_text(v[5].i);
            l->at = i;
        }
    return 0;
}

/* Why the core did not take what was named: the first that may not go any more, else in general. */
static int named_refused(struct request *r)
{
    struct left_out l = {.r = r};
    struct bind most = BIND_I64("lim", PAY_FILE_MAX);
    int err = req_query(r, QUERY_BANK_LEFT, &most, 1, left_take, &l);

    if (err != 0)
        return err;
    if (l.why != NULL)
        return req_fail(r, ERR_CONFLICT, l.pointer, l.why);
    return req_fail(r, ERR_CONFLICT, NULL, "a payout waits here no more, or stands in a file");
}

/* What the core says; `asked` 0: it was asked for what waits, and nothing did. */
static int file_made(struct request *r, int32_t asked)
{
    struct api_PayFile f = {0};
    struct bind id = BIND_I64("id", r->made.id);
    int err = r->reply_err;

    if (err == ERR_CONFLICT)
        return asked > 0 ? named_refused(r)
                         : req_fail(r, err, NULL, "no payout waits that stands in no file");
    if (err == 0 && r->made.replay != 0)
        req_header_add(r, "Idempotency-Replayed", STR_LIT("true"));
    if (err == 0)
        err = req_one(r, QUERY_PAY_FILE_GET, &id, 1, &api_PayFile_type, &f);
    return err != 0 ? err : req_json(r, &api_PayFile_type, &f);
}

int bank_file_new(struct request *r)
{
    struct cmd *cmd = r->ctx;
    int err;

    if (r->resumed)
        return file_made(r, cmd->u.pay_file_new.n);
    cmd = r->ctx = req_cmd(r, CMD_PAY_FILE_NEW, CMD_SIZE(pay_file_new));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.pay_file_new.channel = r->id;
    err = payouts_fill(r, &cmd->u.pay_file_new);
    if (err != 0)
        return err;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int payouts_file_out(struct request *r)
{
    const struct api_PayFileOutIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed && r->reply_err == ERR_SECOND)
        return req_fail(r, ERR_SECOND, NULL, "not whoever made the file or asked for the payout");
    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_PAY_FILE_OUT, CMD_SIZE(pay_file_out));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.pay_file_out.payout = r->id;
    if (REQ_TEXT(r, cmd->u.pay_file_out.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- fetching it ---- */

static void row_write(struct request *r, const struct api_BankPayout *p)
{
    char amount[MONEY_TEXT_SIZE];

    buf_put_i64(&r->out, p->id);
    sheet_put(&r->out, false, p->payee);
    sheet_put(&r->out, false, p->payee_name);
    money_format(p->amount, amount);
    buf_printf(&r->out, ",%s,%.*s,,,", amount, STR_FMT(p->currency));
    sheet_put(&r->out, true, p->note);
    buf_printf(&r->out, ",%lld\r\n", (long long)r->id);
}

static void file_write(struct request *r, const struct rows *rows)
{
    buf_put_c(&r->out, "\xef\xbb\xbf"); /* spreadsheets take it for UTF-8 then */
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        buf_printf(&r->out, "%s%s", i > 0 ? "," : "", columns[i]);
    buf_put_c(&r->out, "\r\n");
    for (uint32_t i = 0; i < rows->n; i++)
        row_write(r, &((const struct api_BankPayout *)(void *)rows->p)[i]);
    r->mime = "text/csv; charset=utf-8";
    req_header_add(
        r, "Content-Disposition",
        arena_printf(&r->arena, "attachment; filename=\"payouts-%lld.csv\"", (long long)r->id));
}

static int file_audit(struct request *r, uint32_t n)
{
    const struct web_audit a = {
        .action = "payout.file", .object = r->id, .detail = arena_printf(&r->arena, "%u rows", n)};

    return req_audit(r, &a, 1);
}

static int file_read(struct request *r, struct rows *rows)
{
    struct api_PayFile f;
    int err;

    *rows = (struct rows){.type = &api_BankPayout_type, .max = PAY_FILE_MAX};
    if (r->actor.station != 0)
        return ERR_DENIED;
    err = req_one(r, QUERY_PAY_FILE_GET, NULL, 0, &api_PayFile_type, &f);
    return err != 0 ? err : req_rows(r, QUERY_PAY_FILE_ROWS, NULL, 0, rows);
}

int bank_file(struct request *r)
{
    struct rows rows;
    int err;

    if (r->resumed)
        return r->reply_err;
    err = file_read(r, &rows);
    if (err != 0)
        return err;
    file_write(r, &rows);
    return file_audit(r, rows.n);
}

/* In the order of `columns`; what people fill in is empty. No cell is a formula: they are text. */
static void row_cells(struct request *r, const struct api_BankPayout *p, struct doc_cell *at)
{
    char amount[MONEY_TEXT_SIZE];

    money_format(p->amount, amount);
    at[0].text = arena_printf(&r->arena, "%lld", (long long)p->id);
    at[1].text = p->payee;
    at[2].text = p->payee_name;
    at[3].text = arena_printf(&r->arena, "%s", amount);
    at[4].text = p->currency;
    at[7].text = p->note;
    at[8].text = arena_printf(&r->arena, "%lld", (long long)r->id);
}

/* One sheet and nothing before it: that is what a spreadsheet saves as CSV, for the way back. */
static int sheet_write(struct request *r, const struct rows *rows)
{
    static const int widths[] = {22, 26, 22, 14, 10, 12, 26, 26, 22};
    enum { COLUMNS = ARRAY_LEN(columns) };
    struct doc *d = ARENA_NEW(&r->arena, struct doc);
    struct doc_cell *cells = ARENA_ARRAY(&r->arena, COLUMNS * rows->n + 1, struct doc_cell);

    if (d == NULL || cells == NULL)
        return ERR_TOO_LARGE;
    d->tables_n = 1;
    d->table[0] = (struct doc_table){
        .name = "payouts", .columns_n = COLUMNS, .cell = cells, .rows_n = rows->n};
    for (int k = 0; k < COLUMNS; k++)
        d->table[0].column[k] = (struct doc_column){columns[k], DOC_DIGITS, widths[k]};
    for (uint32_t i = 0; i < rows->n; i++)
        row_cells(r, &((const struct api_BankPayout *)(void *)rows->p)[i],
                  cells + (size_t)i * COLUMNS);
    return doc_xlsx(d, &r->out);
}

int bank_sheet(struct request *r)
{
    struct rows rows;
    int err;

    if (r->resumed)
        return r->reply_err;
    err = file_read(r, &rows);
    if (err == 0)
        err = sheet_write(r, &rows);
    if (err != 0)
        return err;
    req_header_add(
        r, "Content-Disposition",
        arena_printf(&r->arena, "attachment; filename=\"payouts-%lld.xlsx\"", (long long)r->id));
    return file_audit(r, rows.n);
}

/* ---- back ---- */

/* Without a file's number it may be the answer to a file that the payout left; with one the core looks. */
static int file_asked(struct request *r, const struct result_row *x)
{
    struct bind of = BIND_I64("payout", x->id);
    int64_t n, file;
    int err;

    if (x->by.n > 0)
        return str_to_i64(x->by, &file) != 0 || file <= 0 ? ERR_RANGE : 0;
    err = req_number(r, QUERY_BANK_TAKEN_OUT, &of, 1, &n);
    return err != 0 ? err : n > 0 ? ERR_REQUIRED : 0;
}

static int payout_asked(struct request *r, void *ctx, const struct result_row *x, int64_t *amount)
{
    struct bind of = BIND_I64("payout", x->id);
    int err = req_number(r, QUERY_BANK_ASKED, &of, 1, amount);

    (void)ctx;
    return err != 0 ? err : file_asked(r, x); /* not found: it waits no more */
}

static int payout_fill(struct request *r, const struct result_row *x, struct cmd *cmd)
{
    struct cmd_payout_decide *c = &cmd->u.payout_decide;
    int err = req_text(r, c->bank_no, sizeof(c->bank_no), x->cell[RESULT_MORE], NULL);

    c->payout = x->id;
    c->act = x->act;
    if (err == 0 && x->by.n > 0)
        err = str_to_i64(x->by, &c->file);
    return err != 0 ? err : req_text(r, c->note, sizeof(c->note), x->cell[RESULT_NOTE], NULL);
}

int bank_result(struct request *r)
{
    static const char *const used[] = {"payout", "amount", "result", "note", "bank_no"};
    static const struct result_kind kind = {
        .columns = columns,
        .columns_n = ARRAY_LEN(columns),
        .used = used,
        .used_n = ARRAY_LEN(used),
        .by = "file",
        .acts = {{"settled", PAYOUT_ACT_SETTLED}, {"failed", PAYOUT_ACT_FAILED}},
        .type = CMD_PAYOUT_DECIDE,
        .size = CMD_SIZE(payout_decide),
        .asked = payout_asked,
        .fill = payout_fill};

    return results_import(r, &kind, NULL);
}
