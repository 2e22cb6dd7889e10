// SPDX-License-Identifier: Apache-2.0
/* h_wallet.c: wallets: top-up packages, gift money, freezing, closing, and principal back to its
 * source.
 *
 * Invariants: 1. every write that moves money needs an Idempotency-Key; 2. a driver's identity comes
 * from the log-in, and the source of a payment from its row; 3. the core decides.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "web/api_gen.h"
#include "web/auth.h"
#include "web/lots.h"
#include "web/routes_gen.h"
#include "web/state.h"

/* ---- packages ---- */

static int package_put(struct request *r)
{
    const struct api_Package *in = r->in;
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_version(r, &version);
    if (err != 0)
        return err;
    struct row_package row = {.id = r->id,
                              .tenant = r->actor.tenant,
                              .name = req_copy_c(r, in->name),
                              .pay = in->pay.v,
                              .gift = in->gift.v,
                              .gift_days = (int32_t)in->gift_days,
                              .from_ms = in->from_ms,
                              .to_ms = in->to_ms,
                              .state = (int32_t)in->state,
                              .version = (int32_t)version};
    return req_row_put(r, ROW_PACKAGE, &row, version == 0, 1);
}

int packages_post(struct request *r)
{
    return package_put(r);
}

int packages_put(struct request *r)
{
    return package_put(r);
}

/* ---- staff ---- */

int drivers_gift(struct request *r)
{
    const struct api_GiftIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    cmd = req_cmd(r, CMD_GIFT, CMD_SIZE(gift));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.gift.driver = r->id;
    cmd->u.gift.amount = in->amount.v;
    cmd->u.gift.days = (int32_t)in->days;
    if (REQ_TEXT(r, cmd->u.gift.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int drivers_freeze(struct request *r)
{
    const struct api_FreezeIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_WALLET_FREEZE, CMD_SIZE(wallet_freeze));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.wallet_freeze.driver = r->id;
    cmd->u.wallet_freeze.freeze = (int32_t)in->frozen;
    if (REQ_TEXT(r, cmd->u.wallet_freeze.reason, in->reason, "/reason") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

static int close_send(struct request *r, int64_t driver)
{
    const struct api_CloseIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed) {
        if (r->reply_err == 0)
            auth_forget(r->web, driver);
        return req_made(r);
    }
    cmd = req_cmd(r, CMD_DRIVER_CLOSE, CMD_SIZE(driver_close));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.driver_close.driver = driver;
    cmd->u.driver_close.give_up = in->give_up.v;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int drivers_close(struct request *r)
{
    return close_send(r, r->id);
}

int drivers_keep(struct request *r)
{
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_DRIVER_CLOSE_END, CMD_SIZE(driver_one));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.driver_one.driver = r->id;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int payouts_waiting(struct request *r)
{
    struct bind err_no = BIND_I64("err", ERR_NO_FUNDS);
    struct api_FundsWait out;
    int err = req_one(r, QUERY_PAYOUTS_WAITING, &err_no, 1, &api_FundsWait_type, &out);

    return err != 0 ? err : req_json(r, &api_FundsWait_type, &out);
}

/* ---- the driver ---- */

int me_close(struct request *r)
{
    return close_send(r, r->actor.id);
}

static int rest_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct lot_rest *out = ctx;
    (void)n;
    *out = (struct lot_rest){.version = v[0].i, .rest = v[1].i};
    return 0;
}

int lot_rest(struct request *r, int64_t payment, struct lot_rest *out)
{
    const struct bind of = BIND_I64("payment", payment);
    *out = (struct lot_rest){0};
    int err = req_query(r, QUERY_LOT_REST, &of, 1, rest_take, out);
    return err != 0 ? err : out->version ? 0 : ERR_NOT_FOUND;
}

int me_payment_refund(struct request *r)
{
    const struct api_LotBackIn *in = r->in;
    struct api_PaymentRow lot;
    struct lot_rest rest;
    struct cmd *cmd;
    int err;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    err = req_one(r, QUERY_ME_PAYMENT_GET, NULL, 0, &api_PaymentRow_type, &lot);
    if (err == 0)
        err = lot_rest(r, r->id, &rest);
    if (err != 0)
        return err;
    cmd = req_cmd(r, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.payout_new.payment = r->id;
    cmd->u.payout_new.channel = lot.channel;
    cmd->u.payout_new.amount = in->amount.v;
    cmd->u.payout_new.lot_rest = rest.rest;
    cmd->u.payout_new.lot_version = (int32_t)rest.version;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}
