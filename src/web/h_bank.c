// SPDX-License-Identifier: Apache-2.0
/* h_bank.c: payouts by bank: the file that goes to the bank, and the same file coming back with what
 * became of each. A channel of kind bank has no rail; its payouts stay approved until a person says
 * settled or failed, here for many at once.
 *
 * Invariants: 1. what comes back counts by the rules of results.h, for payouts that still wait in this
 * channel, with the amount that we asked for; nobody settles what he asked for himself; 2. the file
 * shows whole account numbers: it is audited.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/money.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/audit.h"
#include "web/results.h"
#include "web/routes_gen.h"
#include "web/sheet.h"
#include "web/state.h"

static const char *const columns[] = {"payout",   "payee",  "payee_name", "amount",
                                      "currency", "result", "bank_no",    "note"};

static int payouts_read(struct request *r, struct rows *out)
{
    *out = (struct rows){.type = &api_BankPayout_type, .max = RESULTS_MAX};
    return req_rows(r, QUERY_BANK_PAYOUTS, NULL, 0, out);
}

static void amount_text(const struct api_BankPayout *p, char text[MONEY_TEXT_SIZE])
{
    money_format(money_sub(money_sub(p->amount, p->fee), p->tax), text);
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
    const struct web_audit a = {
        .action = "payout.file", .object = r->id, .detail = arena_printf(&r->arena, "%u rows", n)};

    return req_audit(r, &a, 1);
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

static int payout_asked(struct request *r, void *ctx, int64_t id, int64_t *amount)
{
    const struct rows *rows = ctx;
    const struct api_BankPayout *p = (const struct api_BankPayout *)(void *)rows->p;

    (void)r;
    for (uint32_t i = 0; i < rows->n; i++)
        if (p[i].id == id) {
            *amount = p[i].amount.v - p[i].fee.v - p[i].tax.v;
            return 0;
        }
    return ERR_NOT_FOUND; /* it waits no more, or never did here */
}

static int payout_fill(struct request *r, const struct result_row *x, struct cmd *cmd)
{
    struct cmd_payout_decide *c = &cmd->u.payout_decide;
    int err = req_text(r, c->bank_no, sizeof(c->bank_no), x->cell[RESULT_MORE], NULL);

    c->payout = x->id;
    c->act = x->act;
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
        .acts = {{"settled", PAYOUT_ACT_SETTLED}, {"failed", PAYOUT_ACT_FAILED}},
        .type = CMD_PAYOUT_DECIDE,
        .size = CMD_SIZE(payout_decide),
        .asked = payout_asked,
        .fill = payout_fill};
    struct rows rows = {0};
    int err = r->resumed ? 0 : payouts_read(r, &rows);

    return err != 0 ? err : results_import(r, &kind, &rows);
}
