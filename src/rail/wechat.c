// SPDX-License-Identifier: Apache-2.0
/* wechat.c: WeChat Pay, API v3. Requests are signed over method, path, time, nonce and body with the
 * merchant's key; answers and notices over time, nonce and body with the key that Wechatpay-Serial
 * names; what a notice is about is sealed with AES-256-GCM and the merchant's APIv3 key besides.
 *
 *  PAY_CREATE          POST /v3/pay/transactions/{native|h5|jsapi}
 *  PAY_QUERY, _CLOSE   GET …/out-trade-no/{no}, POST …/{no}/close
 *  PAY_REFUND, _QUERY  POST /v3/refund/domestic/refunds, GET …/{no}
 *  PAY_ACCOUNT_OPEN    POST /v3/profitsharing/receivers/add; the same again asks how it stands
 *  PAY_SHARE, _QUERY   POST /v3/profitsharing/orders, GET …/{no}
 *  PAY_UNFREEZE        POST /v3/profitsharing/orders/unfreeze
 *  PAY_RETURN, _QUERY  POST /v3/profitsharing/return-orders, GET …/{no}?out_order_no=
 *  bills               GET /v3/bill/tradebill, and of shares /v3/profitsharing/bills: where the file is
 *  PAY_TRANSFER, _QUERY  POST /v3/fund-app/mch-transfer/transfer-bills, GET …/out-bill-no/{no}
 *
 * The payee of a transfer confirms it in his client with `package_info`, which comes back as the
 * result's url; a payment inside WeChat (JSAPI) is opened with the signed parameters in its url.
 *
 * Bills of shares: pay.weixin.qq.com/doc/v3/merchant/4012529628 (address, dates, hash of the unpacked
 * file).
 *
 * Thread: any, constant data. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "core/types.h"
#include "io/os/crypto.h"
#include "rail/port.h"
#include "wire/wechat.h"

enum { NAME_FROM = 2000 * MONEY_UNIT, SCENE_REPORTS = 2 };

/* ---- signing ---- */

static int request_sign(const struct rail *r, struct rail_request *q, int64_t now_ms)
{
    struct buf text, sig;
    struct str path = rail_request_path(r, q);
    int64_t s = now_ms / 1000;
    buf_init(&text, RAIL_TEXT_MAX * 2);
    buf_init(&sig, SIGN_TEXT_MAX);
    buf_printf(&text, "%s\n%.*s\n%" PRId64 "\n%s\n", q->method, STR_FMT(path), s, q->nonce);
    buf_put_str(&text, buf_str(&q->body));
    buf_put_char(&text, '\n');
    int err = text.err ? text.err : sign_make(r->keys.own, buf_str(&text), &sig);
    if (!err) {
        buf_printf(&q->text,
                   "Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"%s\",nonce_str=\"%s\","
                   "timestamp=\"%" PRId64 "\",serial_no=\"%s\",signature=\"%.*s\"",
                   r->merchant, q->nonce, s, r->keys.own_serial, STR_FMT(buf_str(&sig)));
        buf_put_char(&q->text, 0);
        rail_request_header(q, "Accept", STR_LIT("application/json"));
        rail_request_header(q, "User-Agent", STR_LIT("EVen"));
        if (q->body.n)
            rail_request_header(q, "Content-Type", STR_LIT("application/json"));
        rail_request_header(q, "Wechatpay-Serial", str_from_c(r->keys.theirs[0].serial));
    }
    buf_free(&text);
    buf_free(&sig);
    return err;
}

static int request_json(const struct rail *r, struct rail_request *q, const char *path,
                        const struct wire_type *t, const void *in)
{
    rail_request_begin(r, q, "POST", path);
    return wire_json_encode(t, in, &q->body);
}

/* ---- asking ---- */

static int ask_create(const struct rail *r, const struct out_pay *ask, struct arena *m,
                      struct rail_request *q)
{
    struct wechat_CreateIn in = {
        .appid = str_from_c(r->app),
        .mchid = str_from_c(r->merchant),
        .description = STR_LIT(RAIL_SUBJECT_ZH),
        .out_trade_no = str_from_c(ask->no),
        .time_expire = rail_time_text(m, ask->expires_ms, true),
        .notify_url = str_from_c(r->notify_url),
        .amount = {.total = ask->amount / MONEY_FEN, .currency = str_from_c(ask->currency)}};
    const char *path = "/v3/pay/transactions/native";
    in.has.time_expire = true;
    in.has.settle_info = in.settle_info.profit_sharing = ask->sharing != 0;
    if (ask->method == PAY_METHOD_APP) {
        path = "/v3/pay/transactions/jsapi";
        in.has.payer = true;
        in.payer.openid = str_from_c(ask->payee);
    } else if (ask->method == PAY_METHOD_H5) {
        path = "/v3/pay/transactions/h5";
        in.has.scene_info = in.scene_info.has.h5_info = true;
        in.scene_info.payer_client_ip = str_from_c(ask->payee);
        in.scene_info.h5_info.type = STR_LIT("Wap");
    }
    if (ask->method != PAY_METHOD_QR && !ask->payee[0])
        return ERR_REQUIRED;
    return request_json(r, q, path, &wechat_CreateIn_type, &in);
}

static int ask_refund(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    struct wechat_RefundIn in = {.out_trade_no = str_from_c(ask->of_no),
                                 .out_refund_no = str_from_c(ask->no),
                                 .notify_url = str_from_c(r->notify_url),
                                 .amount = {.refund = ask->amount / MONEY_FEN,
                                            .total = ask->total / MONEY_FEN,
                                            .currency = str_from_c(ask->currency)}};
    in.has.notify_url = r->notify_url[0] != 0;
    return request_json(r, q, "/v3/refund/domestic/refunds", &wechat_RefundIn_type, &in);
}

static int ask_transfer(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    const struct wechat_SceneReport reports[SCENE_REPORTS] = {
        {.info_type = STR_LIT("岗位类型"), .info_content = STR_LIT("场站合作方")},
        {.info_type = STR_LIT("报酬说明"), .info_content = STR_LIT(RAIL_REMARK_ZH)}};
    struct wechat_TransferIn in = {.appid = str_from_c(r->app),
                                   .out_bill_no = str_from_c(ask->no),
                                   .transfer_scene_id = STR_LIT("1005"), /* commissions */
                                   .openid = str_from_c(ask->payee),
                                   .transfer_amount = ask->amount / MONEY_FEN,
                                   .transfer_remark = STR_LIT(RAIL_REMARK_ZH),
                                   .notify_url = str_from_c(r->notify_url)};
    struct buf name;
    int err = 0;
    in.has.notify_url = r->notify_url[0] != 0;
    in.transfer_scene_report_infos = (struct wechat_SceneReport *)(uintptr_t)reports;
    in.transfer_scene_report_infos_n = SCENE_REPORTS;
    buf_init(&name, SIGN_TEXT_MAX);
    if (ask->amount >= NAME_FROM) { /* from there on the provider compares the name */
        err = sign_hide(r->keys.theirs[0].key, str_from_c(ask->payee_name), &name);
        in.user_name = buf_str(&name);
        in.has.user_name = true;
    }
    if (!err)
        err = request_json(r, q, "/v3/fund-app/mch-transfer/transfer-bills",
                           &wechat_TransferIn_type, &in);
    buf_free(&name);
    return err;
}

static struct str receiver_type(int32_t payee_kind)
{
    return payee_kind == PAYEE_COMPANY ? STR_LIT("MERCHANT_ID") : STR_LIT("PERSONAL_OPENID");
}

static int ask_receiver(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    const struct pay_open *o = &ask->u.open;
    struct wechat_ReceiverIn in = {.appid = str_from_c(r->app),
                                   .type = receiver_type(o->payee_kind),
                                   .account = str_from_c(o->account),
                                   .relation_type = STR_LIT("PARTNER")};
    struct buf name;
    if (!o->account[0] || !o->name[0])
        return ERR_REQUIRED;
    buf_init(&name, SIGN_TEXT_MAX);
    int err = sign_hide(r->keys.theirs[0].key, str_from_c(o->name), &name);
    in.name = buf_str(&name);
    in.has.name = true;
    if (!err)
        err = request_json(r, q, "/v3/profitsharing/receivers/add", &wechat_ReceiverIn_type, &in);
    buf_free(&name);
    return err;
}

/* All shares of a payment in one request. The rest stays frozen until it is unfrozen by itself: so a
 * share that is lost on the way is asked for again. */
static int ask_share(const struct rail *r, const struct out_pay *ask, struct arena *m,
                     struct rail_request *q)
{
    const struct pay_share *s = &ask->u.share;
    struct wechat_ShareReceiver to[PAY_SHARES_MAX] = {0};
    struct wechat_ShareIn in = {.appid = str_from_c(r->app),
                                .transaction_id = str_from_c(ask->provider_no),
                                .out_order_no = str_from_c(ask->no),
                                .receivers = to};
    if (s->n < 1 || s->n > PAY_SHARES_MAX || !ask->provider_no[0])
        return ERR_REQUIRED;
    for (int32_t i = 0; i < s->n; i++) {
        // cppcheck-suppress unreadVariable ; `in` points at them
        to[i] = (struct wechat_ShareReceiver){.type = receiver_type(s->to[i].payee_kind),
                                              .account = str_from_c(s->to[i].account),
                                              .amount = s->to[i].amount / MONEY_FEN,
                                              .description =
                                                  arena_printf(m, "W%" PRId64, s->to[i].payout)};
    }
    in.receivers_n = (size_t)s->n;
    return request_json(r, q, "/v3/profitsharing/orders", &wechat_ShareIn_type, &in);
}

static int ask_unfreeze(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    struct wechat_UnfreezeIn in = {.transaction_id = str_from_c(ask->provider_no),
                                   .out_order_no = str_from_c(ask->no),
                                   .description = STR_LIT(RAIL_REMARK_ZH)};
    return request_json(r, q, "/v3/profitsharing/orders/unfreeze", &wechat_UnfreezeIn_type, &in);
}

static int ask_return(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    struct wechat_ReturnIn in = {.out_order_no = str_from_c(ask->of_no),
                                 .out_return_no = str_from_c(ask->no),
                                 .return_mchid = str_from_c(ask->payee),
                                 .amount = ask->amount / MONEY_FEN,
                                 .description = STR_LIT(RAIL_RETURN_ZH)};
    if (!ask->payee[0] || !ask->of_no[0])
        return ERR_REQUIRED;
    return request_json(r, q, "/v3/profitsharing/return-orders", &wechat_ReturnIn_type, &in);
}

static int ask_close(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    struct wechat_CloseIn in = {.mchid = str_from_c(r->merchant)};
    rail_request_begin(r, q, "POST", "/v3/pay/transactions/out-trade-no/");
    buf_printf(&q->url, "%s/close", ask->no);
    return wire_json_encode(&wechat_CloseIn_type, &in, &q->body);
}

/* How one of our numbers stands, and what else is said of it. */
static int ask_get(const struct rail *r, const struct out_pay *ask, struct rail_request *q,
                   const char *path, const char *key, const char *value)
{
    rail_request_begin(r, q, "GET", path);
    buf_printf(&q->url, "%s%s%s", ask->no, key, value);
    return 0;
}

static int ask_build(const struct rail *r, const struct out_pay *ask, struct arena *m,
                     struct rail_request *q)
{
    switch ((enum pay_op)ask->op) {
    case PAY_CREATE:
        return ask_create(r, ask, m, q);
    case PAY_QUERY:
        return ask_get(r, ask, q, "/v3/pay/transactions/out-trade-no/", "?mchid=", r->merchant);
    case PAY_CLOSE:
        return ask_close(r, ask, q);
    case PAY_REFUND:
        return ask_refund(r, ask, q);
    case PAY_REFUND_QUERY:
        return ask_get(r, ask, q, "/v3/refund/domestic/refunds/", "", "");
    case PAY_TRANSFER:
        return ask_transfer(r, ask, q);
    case PAY_TRANSFER_QUERY:
        return ask_get(r, ask, q, "/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/", "", "");
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
        return ask_receiver(r, ask, q);
    case PAY_SHARE:
        return ask_share(r, ask, m, q);
    case PAY_SHARE_QUERY:
        return ask_get(r, ask, q, "/v3/profitsharing/orders/",
                       "?transaction_id=", ask->provider_no);
    case PAY_UNFREEZE:
        return ask_unfreeze(r, ask, q);
    case PAY_RETURN:
        return ask_return(r, ask, q);
    case PAY_RETURN_QUERY:
        return ask_get(r, ask, q, "/v3/profitsharing/return-orders/", "?out_order_no=", ask->of_no);
    case PAY_NOTICE:
        break;
    }
    return ERR_UNSUPPORTED;
}

static int wechat_ask(const struct rail *r, const struct out_pay *ask, int64_t now_ms,
                      struct rail_request *q, struct cmd_pay_result *out)
{
    struct arena m;
    (void)out;
    arena_init(&m, RAIL_ARENA_MAX);
    int err = ask_build(r, ask, &m, q);
    if (!err)
        err = request_sign(r, q, now_ms);
    arena_free(&m);
    return err;
}

/* ---- who says so ---- */

static enum rail_refusal verify(const struct rail *r, const struct rail_reply *a,
                                uint8_t mark[RAIL_MARK_SIZE])
{
    struct str at = a->header(a->ctx, "Wechatpay-Timestamp");
    struct str nonce = a->header(a->ctx, "Wechatpay-Nonce");
    struct str sig = a->header(a->ctx, "Wechatpay-Signature");
    struct str serial = a->header(a->ctx, "Wechatpay-Serial");
    int64_t s = 0;
    if (!nonce.n || !sig.n || !serial.n || str_to_i64(at, &s) != 0 || s < 0 || s > INT64_MAX / 2000)
        return RAIL_BAD_FORM;
    if (s * 1000 < a->now_ms - RAIL_CLOCK_MS || s * 1000 > a->now_ms + RAIL_CLOCK_MS)
        return RAIL_STALE;
    const struct rail_key *key = rail_keys_find(&r->keys, serial);
    if (!key)
        return RAIL_UNKNOWN_KEY;
    struct buf text;
    buf_init(&text, RAIL_TEXT_MAX * 2);
    buf_printf(&text, "%.*s\n%.*s\n", STR_FMT(at), STR_FMT(nonce));
    buf_put_str(&text, a->body);
    buf_put_char(&text, '\n');
    int err = text.err ? text.err : sign_check(key->key, buf_str(&text), sig);
    if (mark)
        sha256(text.p, text.n, mark);
    buf_free(&text);
    return err ? RAIL_BAD_SIGNATURE : RAIL_TAKEN;
}

/* ---- answers ---- */

static bool code_is(struct str code, const char *const *list)
{
    for (; *list; list++)
        if (str_eq_c(code, *list))
            return true;
    return false;
}

static void read_problem(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                         struct cmd_pay_result *out)
{
    static const char *const absent[] = {"ORDER_NOT_EXIST", "ORDERNOTEXIST", "NOT_FOUND",
                                         "RESOURCE_NOT_EXISTS", NULL};
    static const char *const paid[] = {"ORDERPAID", "ORDER_PAID", "OUT_TRADE_NO_USED", NULL};
    static const char *const again[] = {"FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "SYSTEM_ERROR",
                                        "SYSTEMERROR",       "BIZERR_NEED_RETRY",  NULL};
    static const char *const short_of[] = {"NOT_ENOUGH", "NOTENOUGH", NULL};
    struct wechat_Problem p = {0};
    if (wire_json_decode(&wechat_Problem_type, a->body, m, &p, WIRE_LENIENT, NULL) != 0)
        p = (struct wechat_Problem){0};
    bool receiver = ask->op == PAY_ACCOUNT_OPEN || ask->op == PAY_ACCOUNT_QUERY;
    bool asks = ask->op == PAY_CREATE || ask->op == PAY_TRANSFER || ask->op == PAY_REFUND ||
                ask->op == PAY_SHARE || ask->op == PAY_UNFREEZE || ask->op == PAY_RETURN ||
                receiver;
    bool close = ask->op == PAY_CLOSE;
    if (code_is(p.code, again))
        rail_set(out, PAY_UNKNOWN, ERR_AGAIN);
    else if (code_is(p.code, short_of))
        rail_set(out, PAY_NO_FUNDS, ERR_NO_FUNDS);
    else if (code_is(p.code, paid))
        rail_set(out, PAY_PENDING, 0); /* the next query says so with the amount */
    else if (close && (code_is(p.code, absent) || str_eq_c(p.code, "ORDER_CLOSED")))
        rail_set(out, PAY_CLOSED, 0);
    else if (!asks && code_is(p.code, absent))
        rail_set(out, PAY_UNKNOWN, ERR_NOT_FOUND);
    else
        rail_set(out, asks ? PAY_FAILED : PAY_UNKNOWN, ERR_PROVIDER);
    if (receiver)
        rail_set_text(out->url, 201, p.message);
}

static int jsapi_params(const struct rail *r, const struct rail_request *q,
                        const struct rail_reply *a, struct str prepay_id, struct arena *m,
                        struct cmd_pay_result *out)
{
    struct buf sig, json;
    struct wechat_JsapiParams p = {.appId = str_from_c(r->app),
                                   .timeStamp = arena_printf(m, "%" PRId64, a->now_ms / 1000),
                                   .nonceStr = str_from_c(q->nonce),
                                   .package = arena_printf(m, "prepay_id=%.*s", STR_FMT(prepay_id)),
                                   .signType = STR_LIT("RSA")};
    struct str text = arena_printf(m, "%s\n%.*s\n%s\n%.*s\n", r->app, STR_FMT(p.timeStamp),
                                   q->nonce, STR_FMT(p.package));
    buf_init(&sig, SIGN_TEXT_MAX);
    buf_init(&json, sizeof out->url - 1);
    int err = text.n ? sign_make(r->keys.own, text, &sig) : ERR_NOMEM;
    p.paySign = buf_str(&sig);
    if (!err)
        err = wire_json_encode(&wechat_JsapiParams_type, &p, &json);
    rail_set_text(out->url, sizeof out->url, buf_str(&json));
    buf_free(&sig);
    buf_free(&json);
    return err;
}

static int read_create(const struct rail *r, const struct out_pay *ask,
                       const struct rail_request *q, const struct rail_reply *a, struct arena *m,
                       struct cmd_pay_result *out)
{
    struct wechat_CreateOut c;
    int err = wire_json_decode(&wechat_CreateOut_type, a->body, m, &c, WIRE_LENIENT, NULL);
    if (err)
        return err;
    rail_set(out, PAY_PENDING, 0);
    if (ask->method == PAY_METHOD_APP)
        return c.has.prepay_id ? jsapi_params(r, q, a, c.prepay_id, m, out) : ERR_REQUIRED;
    struct str url = ask->method == PAY_METHOD_H5 ? c.h5_url : c.code_url;
    rail_set_text(out->url, sizeof out->url, url);
    return url.n ? 0 : ERR_REQUIRED;
}

static int read_trade(const struct rail *r, const struct out_pay *ask, const struct rail_reply *a,
                      struct arena *m, struct cmd_pay_result *out)
{
    struct wechat_Trade t;
    int err = wire_json_decode(&wechat_Trade_type, a->body, m, &t, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(t.out_trade_no, ask->no) || !str_eq_c(t.mchid, r->merchant))
        return ERR_DENIED;
    struct str s = t.trade_state;
    struct str currency = t.amount.has.currency ? t.amount.currency : STR_LIT("CNY");
    if (str_eq_c(s, "SUCCESS") || str_eq_c(s, "REFUND")) /* paid, whatever went back since */
        rail_set_done(out, t.amount.has.total ? t.amount.total * MONEY_FEN : -1, currency,
                      t.transaction_id);
    else if (str_eq_c(s, "CLOSED") || str_eq_c(s, "REVOKED"))
        rail_set(out, PAY_CLOSED, 0);
    else if (str_eq_c(s, "NOTPAY") || str_eq_c(s, "USERPAYING") || str_eq_c(s, "ACCEPT") ||
             str_eq_c(s, "PAYERROR"))
        rail_set(out, PAY_PENDING, 0);
    return 0;
}

/* What an answer need not say, but may not say otherwise. */
static bool said_other(struct str said, const char *ours)
{
    return said.n && !str_eq_c(said, ours);
}

static int read_refund(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                       struct cmd_pay_result *out)
{
    struct wechat_Refund f;
    int err = wire_json_decode(&wechat_Refund_type, a->body, m, &f, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(f.out_refund_no, ask->no) || said_other(f.out_trade_no, ask->of_no) ||
        said_other(f.amount.currency, ask->currency))
        return ERR_DENIED;
    if (str_eq_c(f.status, "SUCCESS"))
        rail_set_done(out, f.amount.has.refund ? f.amount.refund * MONEY_FEN : -1, STR_LIT("CNY"),
                      f.refund_id);
    else if (str_eq_c(f.status, "CLOSED"))
        rail_set(out, PAY_FAILED, ask->op == PAY_REFUND_QUERY ? ERR_CLOSED : ERR_PROVIDER);
    else if (str_eq_c(f.status, "PROCESSING"))
        rail_set(out, PAY_PENDING, 0);
    else if (str_eq_c(f.status, "ABNORMAL")) /* the payer's card is gone: people at the provider */
        rail_set(out, PAY_UNKNOWN, ERR_PROVIDER);
    return 0;
}

static int read_transfer(const struct rail *r, const struct out_pay *ask,
                         const struct rail_reply *a, struct arena *m, struct cmd_pay_result *out)
{
    struct wechat_Transfer t;
    int err = wire_json_decode(&wechat_Transfer_type, a->body, m, &t, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(t.out_bill_no, ask->no) || said_other(t.mch_id, r->merchant) ||
        said_other(t.mchid, r->merchant))
        return ERR_DENIED;
    struct str s = t.state;
    rail_set_text(out->url, sizeof out->url, t.package_info);
    rail_set_text(out->provider_no, sizeof out->provider_no, t.transfer_bill_no);
    if (str_eq_c(s, "SUCCESS"))
        rail_set_done(out, t.has.transfer_amount ? t.transfer_amount * MONEY_FEN : -1,
                      STR_LIT("CNY"), t.transfer_bill_no);
    else if (str_eq_c(s, "FAIL") || str_eq_c(s, "CANCELLED"))
        rail_set(out, PAY_FAILED, ERR_PROVIDER);
    else if (str_eq_c(s, "WAIT_USER_CONFIRM"))
        rail_set(out, PAY_WAIT_PAYEE, 0);
    else if (str_eq_c(s, "ACCEPTED") || str_eq_c(s, "PROCESSING") || str_eq_c(s, "TRANSFERING") ||
             str_eq_c(s, "CANCELING"))
        rail_set(out, PAY_PENDING, 0);
    return 0;
}

static int read_receiver(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                         struct cmd_pay_result *out)
{
    struct wechat_ReceiverOut v;
    int err = wire_json_decode(&wechat_ReceiverOut_type, a->body, m, &v, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(v.account, ask->u.open.account))
        return ERR_DENIED;
    rail_set(out, PAY_DONE, 0);
    rail_set_text(out->provider_no, sizeof out->provider_no, v.account);
    return 0;
}

/* Each receiver by our number of its payout; what is missing, or not final, is asked about again. */
static void read_shared(const struct wechat_Share *s, struct cmd_pay_result *out)
{
    for (size_t i = 0; i < s->receivers_n && out->shared_n < PAY_SHARES_MAX; i++) {
        const struct wechat_ShareResult *v = &s->receivers[i];
        bool done = str_eq_c(v->result, "SUCCESS"), closed = str_eq_c(v->result, "CLOSED");
        int64_t payout = rail_row_of(v->description);
        if (!payout || v->description.p[0] != 'W')
            continue; /* no share of ours */
        struct pay_shared *to = &out->shared[out->shared_n++];
        *to = (struct pay_shared){.payout = payout,
                                  .amount = v->has.amount ? v->amount * MONEY_FEN : -1,
                                  .state = done     ? PAY_DONE
                                           : closed ? PAY_FAILED
                                                    : PAY_PENDING};
        rail_set_text(to->provider_no, sizeof to->provider_no, v->detail_id);
    }
}

static int read_share(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                      struct cmd_pay_result *out)
{
    struct wechat_Share s;
    int err = wire_json_decode(&wechat_Share_type, a->body, m, &s, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(s.out_order_no, ask->no) || !str_eq_c(s.transaction_id, ask->provider_no))
        return ERR_DENIED;
    bool finished = str_eq_c(s.state, "FINISHED");
    if (finished || str_eq_c(s.state, "PROCESSING"))
        rail_set(out, finished || ask->op == PAY_UNFREEZE ? PAY_DONE : PAY_PENDING, 0);
    if (ask->op != PAY_UNFREEZE)
        read_shared(&s, out);
    return 0;
}

static int read_return(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                       struct cmd_pay_result *out)
{
    struct wechat_Return v;
    int err = wire_json_decode(&wechat_Return_type, a->body, m, &v, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(v.out_return_no, ask->no) || !str_eq_c(v.out_order_no, ask->of_no) ||
        said_other(v.return_mchid, ask->payee))
        return ERR_DENIED;
    if (str_eq_c(v.result, "SUCCESS"))
        rail_set_done(out, v.has.amount ? v.amount * MONEY_FEN : -1, STR_LIT("CNY"), v.return_id);
    else if (str_eq_c(v.result, "FAILED"))
        rail_set(out, PAY_FAILED, ERR_PROVIDER);
    else if (str_eq_c(v.result, "PROCESSING"))
        rail_set(out, PAY_PENDING, 0);
    return 0;
}

static int wechat_answer(const struct rail *r, const struct out_pay *ask,
                         const struct rail_request *q, const struct rail_reply *a, struct arena *m,
                         struct cmd_pay_result *out)
{
    enum rail_refusal why = verify(r, a, NULL);
    if (a->status >= 500 || a->status == 429)
        return ERR_AGAIN; /* often unsigned: it says nothing of the money */
    if (why != RAIL_TAKEN) {
        rail_set(out, PAY_UNKNOWN, ERR_DENIED);
        return why == RAIL_UNKNOWN_KEY ? 1 : ERR_DENIED;
    }
    if (a->status >= 400) {
        read_problem(ask, a, m, out);
        return 0;
    }
    switch ((enum pay_op)ask->op) {
    case PAY_CREATE:
        return read_create(r, ask, q, a, m, out);
    case PAY_QUERY:
        return read_trade(r, ask, a, m, out);
    case PAY_CLOSE:
        rail_set(out, PAY_CLOSED, 0);
        return 0;
    case PAY_REFUND:
    case PAY_REFUND_QUERY:
        return read_refund(ask, a, m, out);
    case PAY_TRANSFER:
    case PAY_TRANSFER_QUERY:
        return read_transfer(r, ask, a, m, out);
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
        return read_receiver(ask, a, m, out);
    case PAY_SHARE:
    case PAY_SHARE_QUERY:
    case PAY_UNFREEZE:
        return read_share(ask, a, m, out);
    case PAY_RETURN:
    case PAY_RETURN_QUERY:
        return read_return(ask, a, m, out);
    case PAY_NOTICE:
        break;
    }
    return ERR_UNSUPPORTED;
}

/* ---- notices ---- */

static enum rail_refusal open_resource(const struct rail *r, const struct wechat_Resource *s,
                                       struct arena *m, struct buf *plain)
{
    uint8_t *cipher = arena_alloc(m, s->ciphertext.n + 1);
    size_t n = 0;
    if (!str_eq_c(s->algorithm, "AEAD_AES_256_GCM") || !cipher ||
        base64_decode(s->ciphertext, cipher, s->ciphertext.n, &n) != 0)
        return RAIL_BAD_FORM;
    return sign_open(r->keys.secret, s->nonce, s->associated_data,
                     str_from((const char *)cipher, n), plain) == 0
               ? RAIL_TAKEN
               : RAIL_BAD_CIPHER;
}

/* What the plain text is about: all kinds name the merchant and our number. */
static enum rail_refusal read_resource(const struct rail *r, const struct wechat_Notice *n,
                                       struct str plain, struct arena *m, struct rail_told *told)
{
    struct str merchant, no, app = str_from_c(r->app), type = n->event_type;
    int err;
    if (str_eq_c(n->resource.original_type, "profitsharing")) {
        struct wechat_ShareNotice s;
        err = wire_json_decode(&wechat_ShareNotice_type, plain, m, &s, WIRE_LENIENT, NULL);
        merchant = s.mchid;
        no = s.out_order_no;
    } else if (str_starts(type, STR_LIT("TRANSACTION."))) {
        struct wechat_Trade t;
        err = wire_json_decode(&wechat_Trade_type, plain, m, &t, WIRE_LENIENT, NULL);
        merchant = t.mchid;
        no = t.out_trade_no;
        app = t.appid;
    } else if (str_starts(type, STR_LIT("REFUND."))) {
        struct wechat_Refund f;
        err = wire_json_decode(&wechat_Refund_type, plain, m, &f, WIRE_LENIENT, NULL);
        merchant = f.mchid;
        no = f.out_refund_no;
    } else if (str_starts(type, STR_LIT("MCHTRANSFER."))) {
        struct wechat_Transfer t;
        err = wire_json_decode(&wechat_Transfer_type, plain, m, &t, WIRE_LENIENT, NULL);
        merchant = t.has.mch_id ? t.mch_id : t.mchid;
        no = t.out_bill_no;
    } else {
        return RAIL_BAD_FORM;
    }
    if (err)
        return RAIL_BAD_FORM;
    if (!str_eq_c(merchant, r->merchant) || !str_eq_c(app, r->app))
        return RAIL_NOT_OURS;
    told->result.row = rail_row_of(no);
    return RAIL_TAKEN;
}

static enum rail_refusal wechat_notice(const struct rail *r, const struct rail_reply *in,
                                       struct arena *m, struct rail_told *told)
{
    struct wechat_Notice n;
    struct buf plain;
    enum rail_refusal why = verify(r, in, told->mark);
    if (why != RAIL_TAKEN)
        return why;
    if (wire_json_decode(&wechat_Notice_type, in->body, m, &n, WIRE_LENIENT, NULL) != 0)
        return RAIL_BAD_FORM;
    buf_init(&plain, RAIL_TEXT_MAX);
    why = open_resource(r, &n.resource, m, &plain);
    if (why == RAIL_TAKEN)
        why = read_resource(r, &n, buf_str(&plain), m, told);
    crypto_wipe(plain.p, plain.n);
    buf_free(&plain);
    return why;
}

/* ---- bills ---- */

static int wechat_bill(const struct rail *r, enum bill_kind kind, struct str day, int64_t now_ms,
                       struct rail_request *q)
{
    char path[80];
    const char *date = day.n == 10 ? day.p : "-";
    if (kind == BILL_SHARES)
        snprintf(path, sizeof path, "/v3/profitsharing/bills?bill_date=%.10s&tar_type=GZIP", date);
    else
        snprintf(path, sizeof path, "/v3/bill/tradebill?bill_date=%.10s&bill_type=ALL", date);
    rail_request_begin(r, q, "GET", path);
    return request_sign(r, q, now_ms);
}

/* Why there is no bill. Both kinds are made in the morning after their day, and kept for three months. */
static int bill_problem(const struct rail_reply *a, struct arena *m)
{
    static const char *const absent[] = {"NO_STATEMENT_EXIST", "NOT_FOUND", "RESOURCE_NOT_EXISTS",
                                         NULL};
    static const char *const later[] = {"STATEMENT_CREATING", "SYSTEM_ERROR", "FREQUENCY_LIMITED",
                                        "SIGN_ERROR", NULL};
    struct wechat_Problem p;
    if (a->status != 400 && a->status != 403 && a->status != 404)
        return ERR_AGAIN;
    if (wire_json_decode(&wechat_Problem_type, a->body, m, &p, WIRE_LENIENT, NULL) != 0)
        return ERR_AGAIN;
    return code_is(p.code, absent)  ? ERR_NOT_FOUND
           : code_is(p.code, later) ? ERR_AGAIN
                                    : ERR_PROVIDER;
}

static int wechat_bill_answer(const struct rail *r, const struct rail_request *q,
                              const struct rail_reply *a, struct arena *m,
                              struct rail_request *next, char hash[80])
{
    struct wechat_BillOut b;
    (void)q;
    if (verify(r, a, NULL) != RAIL_TAKEN)
        return ERR_DENIED;
    if (a->status != 200)
        return bill_problem(a, m);
    int err = wire_json_decode(&wechat_BillOut_type, a->body, m, &b, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!b.hash_value.n)
        return ERR_REQUIRED; /* the file itself comes unsigned */
    struct str own = str_from_c(r->url), path = STR_NONE;
    if (str_starts(b.download_url, own))
        path = str_from(b.download_url.p + own.n, b.download_url.n - own.n);
    if (!str_starts(path, STR_LIT("/")))
        return ERR_DENIED; /* a signed request goes to the provider's own address only */
    rail_set_text(hash, 80, b.hash_value);
    rail_request_begin(r, next, "GET", "");
    buf_put_str(&next->url, path);
    return request_sign(r, next, a->now_ms);
}

const struct rail_port rail_wechat = {.public_url = "https://api.mch.weixin.qq.com",
                                      .ask = wechat_ask,
                                      .answer = wechat_answer,
                                      .notice = wechat_notice,
                                      .bill = wechat_bill,
                                      .bill_answer = wechat_bill_answer,
                                      .thanks = {"{\"code\":\"SUCCESS\"}", 18},
                                      .wants_secret = true,
                                      .wants_serial = true};
