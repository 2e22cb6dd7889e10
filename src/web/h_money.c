// SPDX-License-Identifier: Apache-2.0
/* h_money.c: channels, payments of drivers, refunds of orders, and payouts.
 *
 * Invariants: 1. every write here needs an Idempotency-Key, but for channels, which move nothing;
 * 2. a driver's and a partner's own identity comes from the log-in, never from the body; 3. the core
 * decides: what is checked here is what can be said about one member of the body.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/lots.h"
#include "web/routes_gen.h"
#include "web/state.h"

/* ---- channels ---- */

static int channel_put(struct request *r)
{
    const struct api_Channel *in = r->in;
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_version(r, &version);
    if (err != 0)
        return err;
    struct row_channel row = {.most = in->most.v,
                              .day_most = in->day_most.v,
                              .named_from = in->named_from.v,
                              .id = r->id,
                              .tenant = r->actor.tenant,
                              .kind = (int32_t)in->kind,
                              .name = req_copy_c(r, in->name),
                              .url = req_copy_c(r, in->url),
                              .app = req_copy_c(r, in->app),
                              .merchant = req_copy_c(r, in->merchant),
                              .keys = req_copy_c(r, in->keys),
                              .fee_bp = (int32_t)in->fee_bp,
                              .state = (int32_t)in->state,
                              .version = (int32_t)version,
                              .share_bp = (int32_t)in->share_bp};
    return req_row_put(r, ROW_CHANNEL, &row, version == 0, 1);
}

int channels_post(struct request *r)
{
    return channel_put(r);
}

/* Limits of money: what a change leaves out would be taken for none. */
int channels_put(struct request *r)
{
    const struct api_Channel *in = r->in;
    const char *missing = !in->has.share_bp     ? "/share_bp"
                          : !in->has.most       ? "/most"
                          : !in->has.day_most   ? "/day_most"
                          : !in->has.named_from ? "/named_from"
                                                : NULL;

    if (missing != NULL)
        return req_fail(r, ERR_REQUIRED, missing, "0 = none");
    return channel_put(r);
}

/* ---- payments ---- */

int me_payment_new(struct request *r)
{
    const struct api_PaymentIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    struct str payer = in->method == PAY_METHOD_H5 ? str_from_c(r->address) : in->payer;

    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    cmd = req_cmd(r, CMD_PAYMENT_NEW, CMD_SIZE(payment_new));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.payment_new.driver = r->actor.id;
    cmd->u.payment_new.channel = in->channel;
    cmd->u.payment_new.amount = in->amount.v;
    cmd->u.payment_new.method = (int32_t)in->method;
    cmd->u.payment_new.package = in->package;
    cmd->u.payment_new.connector = in->connector;
    (void)str_copy(cmd->u.payment_new.currency, sizeof cmd->u.payment_new.currency,
                   str_from_c(r->actor.currency));
    if (REQ_TEXT(r, cmd->u.payment_new.payer, payer, "/payer") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- refunds of orders ---- */

int orders_refund(struct request *r)
{
    const struct api_RefundIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    if (in->note.n == 0)
        return req_fail(r, ERR_REQUIRED, "/note", "why");
    cmd = req_cmd(r, CMD_ORDER_REFUND, CMD_SIZE(order_refund));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.order_refund.order = r->id;
    cmd->u.order_refund.amount = in->amount.v;
    if (REQ_TEXT(r, cmd->u.order_refund.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- payouts ---- */

static int payout_send(struct request *r, const struct api_PayoutIn *in, int64_t party)
{
    struct lot_rest rest = {0};
    int err = in->payment ? lot_rest(r, in->payment, &rest) : 0;
    struct cmd *cmd = err != 0 ? NULL : req_cmd(r, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));

    if (err != 0)
        return err;
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.payout_new.party = party;
    cmd->u.payout_new.payment = in->payment;
    cmd->u.payout_new.channel = in->channel;
    cmd->u.payout_new.amount = in->amount.v;
    cmd->u.payout_new.lot_rest = rest.rest;
    cmd->u.payout_new.lot_version = (int32_t)rest.version;
    if (REQ_TEXT(r, cmd->u.payout_new.payee, in->payee, "/payee") != 0 ||
        REQ_TEXT(r, cmd->u.payout_new.payee_name, in->payee_name, "/payee_name") != 0 ||
        REQ_TEXT(r, cmd->u.payout_new.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int payouts_post(struct request *r)
{
    const struct api_PayoutIn *in = r->in;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    if ((in->party != 0) == (in->payment != 0))
        return req_fail(r, ERR_REQUIRED, "/party", "a party's share, or a payment's principal");
    return payout_send(r, in, in->party);
}

int partner_payout_new(struct request *r)
{
    const struct api_PayoutIn *in = r->in;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    if (in->party != 0 || in->payment != 0)
        return req_fail(r, ERR_RANGE, in->party != 0 ? "/party" : "/payment", "for staff only");
    return payout_send(r, in, r->actor.party);
}

static int decide_send(struct request *r, int32_t act, struct str bank_no, struct str note,
                       int64_t amount)
{
    struct cmd *cmd = req_cmd(r, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.payout_decide.payout = r->id;
    cmd->u.payout_decide.party = r->actor.party;
    cmd->u.payout_decide.act = act;
    cmd->u.payout_decide.amount = amount;
    if (REQ_TEXT(r, cmd->u.payout_decide.note, note, "/note") != 0 ||
        REQ_TEXT(r, cmd->u.payout_decide.bank_no, bank_no, "/bank_no") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int payouts_decide(struct request *r)
{
    const struct api_PayoutDecideIn *in = r->in;

    if (r->resumed && r->reply_err == ERR_SECOND && in->act == PAYOUT_ACT_FAILED)
        return req_fail(r, ERR_SECOND, NULL, "not whoever made the file or asked for the payout");
    if (r->resumed)
        return req_made(r);
    if (in->act == PAYOUT_ACT_SETTLED && in->bank_no.n == 0)
        return req_fail(r, ERR_REQUIRED, "/bank_no", "the bank's number of the transfer");
    if (in->act == PAYOUT_ACT_PAID && in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "what the rail paid, more than 0");
    if (in->act == PAYOUT_ACT_PAID && in->note.n == 0)
        return req_fail(r, ERR_REQUIRED, "/note", "what was found");
    return decide_send(r, (int32_t)in->act, in->bank_no, in->note, in->amount.v);
}

int partner_payout_cancel(struct request *r)
{
    return r->resumed ? req_made(r) : decide_send(r, PAYOUT_ACT_CANCEL, STR_NONE, STR_NONE, 0);
}

int payouts_paper(struct request *r)
{
    const struct api_PayoutPaperIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_PAYOUT_PAPER, CMD_SIZE(payout_paper));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.payout_paper.payout = r->id;
    cmd->u.payout_paper.amount = in->amount.v;
    if (REQ_TEXT(r, cmd->u.payout_paper.number, in->number, "/number") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}
