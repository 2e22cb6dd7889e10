// SPDX-License-Identifier: Apache-2.0
/* h_invoice.c: invoices: a driver asks for one over paid orders, sees what became of it and may take the
 * request back; staff see all of them and note what the tax system said. What may be invoiced is judged
 * by the core; the list of orders here only shows what it would take.
 *
 * Invariant: whose invoice it is stands in the query or in the command, so a foreign id is
 * ERR_NOT_FOUND. Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/state.h"

/* ---- writes ---- */

int me_invoice_new(struct request *r)
{
    const struct api_InvoiceIn *in = r->in;
    struct cmd *cmd;
    int err;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_INVOICE_NEW, CMD_SIZE(invoice_new));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    struct cmd_invoice_new *c = &cmd->u.invoice_new;
    c->driver = r->actor.id;
    c->buyer = (int32_t)in->buyer;
    err = REQ_TEXT(r, c->title, in->title, "/title");
    if (err == 0 && in->has.tax_no)
        err = REQ_TEXT(r, c->tax_no, in->tax_no, "/tax_no");
    if (err == 0)
        err = REQ_TEXT(r, c->email, in->email, "/email");
    if (err != 0)
        return err;
    for (uint32_t i = 0; i < in->orders_n && i < INVOICE_ORDERS_MAX; i++)
        c->order[c->n++] = in->orders[i];
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int me_invoice_cancel(struct request *r)
{
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_INVOICE_DECIDE, CMD_SIZE(invoice_decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.invoice_decide.invoice = r->id;
    cmd->u.invoice_decide.driver = r->actor.id;
    cmd->u.invoice_decide.act = INVOICE_CANCEL;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int invoices_decide(struct request *r)
{
    const struct api_InvoiceDecideIn *in = r->in;
    struct cmd *cmd;
    int err = 0;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_INVOICE_DECIDE, CMD_SIZE(invoice_decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    struct cmd_invoice_decide *c = &cmd->u.invoice_decide;
    c->invoice = r->id;
    c->act = (int32_t)in->act;
    if (in->has.issued_on && (in->issued_on < 0 || in->issued_on > INT32_MAX))
        return req_fail(r, ERR_RANGE, "/issued_on", "yyyymmdd");
    c->issued_on = in->has.issued_on ? (int32_t)in->issued_on : 0;
    if (in->has.number)
        err = REQ_TEXT(r, c->number, in->number, "/number");
    if (err == 0 && in->has.note)
        err = REQ_TEXT(r, c->note, in->note, "/note");
    if (err != 0)
        return err;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- one with its lines ---- */

static int part(struct request *r, enum query q, const struct wire_type *t, struct rows *out,
                uint32_t max)
{
    *out = (struct rows){.type = t, .max = max};
    return req_rows(r, q, NULL, 0, out);
}

static int story(struct request *r, int64_t driver)
{
    struct api_Invoice *v = ARENA_NEW(&r->arena, struct api_Invoice);
    struct bind whose = BIND_I64("of_driver", driver);
    struct rows lines, orders, reds;
    int err;

    if (v == NULL)
        return ERR_TOO_LARGE;
    err = req_one(r, QUERY_WEB_INVOICE, &whose, 1, &api_InvoiceRow_type, &v->invoice);
    if (err == 0)
        err = part(r, QUERY_WEB_INVOICE_LINES, &api_InvoiceLine_type, &lines, 200);
    if (err == 0)
        err = part(r, QUERY_WEB_INVOICE_ORDERS, &api_InvoiceOrder_type, &orders, 50);
    if (err == 0)
        err = part(r, QUERY_WEB_INVOICE_REDS, &api_InvoiceRow_type, &reds, 200);
    if (err != 0)
        return err;
    v->lines = (struct api_InvoiceLine *)(void *)lines.p;
    v->lines_n = lines.n;
    v->orders = (struct api_InvoiceOrder *)(void *)orders.p;
    v->orders_n = orders.n;
    v->reds = (struct api_InvoiceRow *)(void *)reds.p;
    v->reds_n = reds.n;
    return req_json(r, &api_Invoice_type, v);
}

int invoices_get(struct request *r)
{
    return story(r, 0);
}

int me_invoice_get(struct request *r)
{
    return story(r, r->actor.id);
}
