// SPDX-License-Identifier: Apache-2.0
/* alipay.c: Alipay's open gateway with RSA2. A request is a form: its members, sorted by name and
 * joined as name=value, are signed with the merchant's key. An answer is JSON whose one node is
 * signed as the text that stands there; a notice is a signed form.
 *
 *  PAY_CREATE         trade.precreate (a code to scan); trade.wap.pay and trade.app.pay need no
 *                     request: the signed text itself is the address, or what the client is handed
 *  PAY_QUERY, _CLOSE  trade.query, trade.close
 *  PAY_REFUND, _QUERY trade.refund, trade.fastpay.refund.query
 *  PAY_TRANSFER, _QUERY  fund.trans.uni.transfer (wants certificates), fund.trans.common.query
 *  shares of a payment   alipay_share.c
 *
 * Answers name no key, so each key of the provider is tried. A notice comes again for a day until it
 * was taken, with the time of its first telling: its clock is judged by that day.
 *
 * Thread: any, constant data. */
#include <inttypes.h>
#include <stdio.h>

#include "base/calendar.h"
#include "base/hash.h"
#include "core/types.h"
#include "io/net/fetch.h"
#include "rail/form.h"
#include "rail/port.h"
#include "wire/alipay.h"
#include "wire/json.h"

enum { ZONE_MS = 8 * 3600 * 1000, NOTICE_MS = 25 * 3600 * 1000 };

/* ---- requests ---- */

static void put_param(struct buf *text, struct buf *form, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    struct buf *both[] = {text, form};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (both[i]->n)
            buf_put_char(both[i], '&');
        buf_printf(both[i], "%s=", name);
    }
    buf_put_str(text, value);
    fetch_escape(form, value);
}

/* Appends the signed form of a call. */
static int form_make(const struct rail *r, const char *method, struct str content, int64_t now_ms,
                     struct arena *m, struct buf *form)
{
    struct buf text, sig;
    buf_init(&text, RAIL_TEXT_MAX);
    buf_init(&sig, SIGN_TEXT_MAX);
    put_param(&text, form, "alipay_root_cert_sn", str_from_c(r->keys.root_name));
    put_param(&text, form, "app_cert_sn", str_from_c(r->keys.cert_name));
    put_param(&text, form, "app_id", str_from_c(r->app));
    put_param(&text, form, "biz_content", content);
    put_param(&text, form, "charset", STR_LIT("utf-8"));
    put_param(&text, form, "format", STR_LIT("JSON"));
    put_param(&text, form, "method", str_from_c(method));
    put_param(&text, form, "notify_url", str_from_c(r->notify_url));
    put_param(&text, form, "sign_type", STR_LIT("RSA2"));
    put_param(&text, form, "timestamp", rail_time_text(m, now_ms, false));
    put_param(&text, form, "version", STR_LIT("1.0"));
    int err = text.err ? text.err : sign_make(r->keys.own, buf_str(&text), &sig);
    if (!err) {
        buf_put_c(form, "&sign=");
        fetch_escape(form, buf_str(&sig));
        err = form->err;
    }
    buf_free(&text);
    buf_free(&sig);
    return err;
}

static const char *method_of(const struct out_pay *ask)
{
    switch ((enum pay_op)ask->op) {
    case PAY_CREATE:
        return ask->method == PAY_METHOD_H5    ? "alipay.trade.wap.pay"
               : ask->method == PAY_METHOD_APP ? "alipay.trade.app.pay"
                                               : "alipay.trade.precreate";
    case PAY_QUERY:
        return "alipay.trade.query";
    case PAY_CLOSE:
        return "alipay.trade.close";
    case PAY_REFUND:
        return "alipay.trade.refund";
    case PAY_REFUND_QUERY:
        return "alipay.trade.fastpay.refund.query";
    case PAY_TRANSFER:
        return "alipay.fund.trans.uni.transfer";
    case PAY_TRANSFER_QUERY:
        return "alipay.fund.trans.common.query";
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
    case PAY_SHARE:
    case PAY_SHARE_QUERY:
    case PAY_UNFREEZE:
        return alipay_share_method(ask);
    case PAY_RETURN:
    case PAY_RETURN_QUERY:
    case PAY_NOTICE:
        break;
    }
    return NULL;
}

static int content_create(const struct out_pay *ask, struct arena *m, struct buf *out)
{
    struct alipay_CreateIn in = {.out_trade_no = str_from_c(ask->no),
                                 .total_amount = rail_yuan_text(m, ask->amount),
                                 .subject = STR_LIT(RAIL_SUBJECT_ZH),
                                 .time_expire = rail_time_text(m, ask->expires_ms, false)};
    in.has.time_expire = true;
    in.has.product_code = ask->method != PAY_METHOD_QR;
    in.product_code =
        ask->method == PAY_METHOD_H5 ? STR_LIT("QUICK_WAP_WAY") : STR_LIT("QUICK_MSECURITY_PAY");
    in.has.extend_params = ask->sharing != 0;
    in.extend_params.royalty_freeze = STR_LIT("true");
    return wire_json_encode(&alipay_CreateIn_type, &in, out);
}

static int content_transfer(const struct out_pay *ask, struct arena *m, struct buf *out)
{
    struct str payee = str_from_c(ask->payee);
    bool user_id = payee.n == 16 && str_starts(payee, STR_LIT("2088"));
    struct alipay_TransferIn in = {.out_biz_no = str_from_c(ask->no),
                                   .trans_amount = rail_yuan_text(m, ask->amount),
                                   .product_code = STR_LIT("TRANS_ACCOUNT_NO_PWD"),
                                   .biz_scene = STR_LIT("DIRECT_TRANSFER"),
                                   .order_title = STR_LIT(RAIL_REMARK_ZH),
                                   .payee_info = {.identity = payee,
                                                  .identity_type = user_id
                                                                       ? STR_LIT("ALIPAY_USER_ID")
                                                                       : STR_LIT("ALIPAY_LOGON_ID"),
                                                  .name = str_from_c(ask->payee_name)}};
    in.payee_info.has.name = ask->payee_name[0] != 0;
    return wire_json_encode(&alipay_TransferIn_type, &in, out);
}

static int content_make(const struct out_pay *ask, struct arena *m, struct buf *out)
{
    struct str no = str_from_c(ask->no), of = str_from_c(ask->of_no);
    switch ((enum pay_op)ask->op) {
    case PAY_CREATE:
        return content_create(ask, m, out);
    case PAY_QUERY:
    case PAY_CLOSE: {
        struct alipay_TradeRef in = {.out_trade_no = no};
        return wire_json_encode(&alipay_TradeRef_type, &in, out);
    }
    case PAY_REFUND: {
        struct alipay_RefundIn in = {.out_trade_no = of,
                                     .refund_amount = rail_yuan_text(m, ask->amount),
                                     .out_request_no = no};
        return wire_json_encode(&alipay_RefundIn_type, &in, out);
    }
    case PAY_REFUND_QUERY: {
        struct alipay_RefundRef in = {.out_trade_no = of, .out_request_no = no};
        return wire_json_encode(&alipay_RefundRef_type, &in, out);
    }
    case PAY_TRANSFER:
        return content_transfer(ask, m, out);
    case PAY_TRANSFER_QUERY: {
        struct alipay_TransferRef in = {.product_code = STR_LIT("TRANS_ACCOUNT_NO_PWD"),
                                        .biz_scene = STR_LIT("DIRECT_TRANSFER"),
                                        .out_biz_no = no};
        return wire_json_encode(&alipay_TransferRef_type, &in, out);
    }
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
    case PAY_SHARE:
    case PAY_SHARE_QUERY:
    case PAY_UNFREEZE:
        return alipay_share_content(ask, m, out);
    case PAY_RETURN:
    case PAY_RETURN_QUERY:
    case PAY_NOTICE:
        break;
    }
    return ERR_UNSUPPORTED;
}

/* The signed text is what the driver's phone opens. */
static int local_create(const struct rail *r, const struct out_pay *ask, const struct buf *form,
                        struct cmd_pay_result *out)
{
    struct buf url;
    buf_init(&url, sizeof out->url - 1);
    if (ask->method == PAY_METHOD_H5)
        buf_printf(&url, "%s?", r->url);
    buf_put_str(&url, buf_str(form));
    rail_set_text(out->url, sizeof out->url, buf_str(&url));
    rail_set(out, PAY_PENDING, 0);
    int err = url.err;
    buf_free(&url);
    return err ? err : 1;
}

static int call_make(const struct rail *r, const char *method, struct str content, int64_t now_ms,
                     struct arena *m, struct rail_request *q)
{
    rail_request_begin(r, q, "POST", "");
    rail_request_header(q, "Content-Type",
                        STR_LIT("application/x-www-form-urlencoded;charset=utf-8"));
    return form_make(r, method, content, now_ms, m, &q->body);
}

static int alipay_ask(const struct rail *r, const struct out_pay *ask, int64_t now_ms,
                      struct rail_request *q, struct cmd_pay_result *out)
{
    struct arena m;
    struct buf content;
    arena_init(&m, RAIL_ARENA_MAX);
    buf_init(&content, RAIL_TEXT_MAX);
    int err = content_make(ask, &m, &content);
    if (!err)
        err = call_make(r, method_of(ask), buf_str(&content), now_ms, &m, q);
    if (!err && ask->op == PAY_CREATE && ask->method != PAY_METHOD_QR)
        err = local_create(r, ask, &q->body, out);
    buf_free(&content);
    arena_free(&m);
    return err;
}

/* ---- answers ---- */

static int signed_by_any(const struct rail *r, struct str text, struct str sig)
{
    for (size_t i = 0; i < r->keys.n; i++)
        if (sign_check(r->keys.theirs[i].key, text, sig) == 0)
            return 0;
    return ERR_DENIED;
}

/* Finds the node `name` (or error_response) and the signature in the answer's one object. */
static int node_find(struct str body, struct str name, struct arena *m, struct str *node,
                     struct str *sig)
{
    struct json_reader j;
    json_reader_init(&j, body);
    *node = *sig = STR_NONE;
    if (!json_take(&j, '{'))
        return ERR_SYNTAX;
    do {
        struct str key, value;
        if (json_string(&j, m, &key) != 0 || !json_take(&j, ':'))
            return ERR_SYNTAX;
        if (str_eq_c(key, "sign")) {
            if (json_string(&j, m, sig) != 0)
                return ERR_SYNTAX;
            continue;
        }
        if (json_skip(&j, WIRE_DEPTH, &value) != 0)
            return ERR_SYNTAX;
        if (str_eq(key, name) || str_eq_c(key, "error_response")) {
            if (node->n)
                return ERR_SYNTAX; /* two answers in one are none */
            *node = value;
        }
    } while (json_take(&j, ','));
    if (!json_take(&j, '}') || json_end(&j) != 0)
        return ERR_SYNTAX;
    return node->n ? 0 : ERR_DENIED;
}

static int node_read(const struct rail *r, const char *method, struct str body, struct arena *m,
                     struct alipay_Out *out)
{
    struct str node, sig;
    char name[80];
    if (!method)
        return ERR_UNSUPPORTED;
    snprintf(name, sizeof name, "%s_response", method);
    for (char *p = name; *p; p++)
        *p = *p == '.' ? '_' : *p;
    int err = node_find(body, str_from_c(name), m, &node, &sig);
    if (!err)
        err = signed_by_any(r, node, sig);
    if (!err)
        err = wire_json_decode(&alipay_Out_type, node, m, out, WIRE_LENIENT, NULL);
    return err;
}

static bool ends_with(struct str s, const char *end)
{
    size_t n = strlen(end);
    return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

static void read_problem(const struct out_pay *ask, const struct alipay_Out *o,
                         struct cmd_pay_result *out)
{
    struct str sub = o->sub_code;
    bool receiver = ask->op == PAY_ACCOUNT_OPEN || ask->op == PAY_ACCOUNT_QUERY;
    bool share = ask->op == PAY_SHARE || ask->op == PAY_UNFREEZE;
    bool asks = ask->op == PAY_CREATE || ask->op == PAY_TRANSFER || ask->op == PAY_REFUND ||
                share || receiver;
    bool absent = ends_with(sub, "TRADE_NOT_EXIST") || ends_with(sub, "ORDER_NOT_EXIST") ||
                  (ask->op == PAY_SHARE_QUERY && ends_with(sub, "NOT_EXIST"));
    if (str_eq_c(o->code, "20000") || ends_with(sub, "SYSTEM_ERROR") ||
        str_starts(sub, STR_LIT("isp.")) || ends_with(sub, "FREQUENCY_LIMIT") ||
        (share && ends_with(sub, "TRADE_SETTLE_ERROR")))
        rail_set(out, PAY_UNKNOWN, ERR_AGAIN);
    else if (ends_with(sub, "BALANCE_NOT_ENOUGH") || ends_with(sub, "BALANCE_IS_NOT_ENOUGH"))
        rail_set(out, PAY_NO_FUNDS, ERR_NO_FUNDS);
    else if (absent && ask->op == PAY_CLOSE)
        rail_set(out, PAY_CLOSED, 0);
    else if (absent && !asks)
        rail_set(out, PAY_UNKNOWN, ERR_NOT_FOUND);
    else if (ends_with(sub, "TRADE_HAS_SUCCESS") ||
             (ask->op == PAY_CLOSE && ends_with(sub, "TRADE_STATUS_ERROR")))
        rail_set(out, PAY_PENDING, 0);
    else
        rail_set(out, asks ? PAY_FAILED : PAY_UNKNOWN, ERR_PROVIDER);
    if (receiver)
        rail_set_text(out->url, 201, o->sub_msg.n ? o->sub_msg : sub);
}

static int read_trade(const struct out_pay *ask, const struct alipay_Out *o,
                      struct cmd_pay_result *out)
{
    struct str s = o->trade_status;
    if (!str_eq_c(o->out_trade_no, ask->no))
        return ERR_DENIED;
    if (str_eq_c(s, "TRADE_SUCCESS") || str_eq_c(s, "TRADE_FINISHED"))
        rail_set_done(out, rail_yuan_read(o->total_amount), STR_LIT("CNY"), o->trade_no);
    else if (str_eq_c(s, "TRADE_CLOSED"))
        rail_set(out, PAY_CLOSED, 0);
    else if (str_eq_c(s, "WAIT_BUYER_PAY"))
        rail_set(out, PAY_PENDING, 0);
    return 0;
}

/* An amount that an answer may say: -1 where it does not. One that cannot be read is no answer. */
static int yuan_said(bool said, struct str text, int64_t *amount)
{
    *amount = rail_yuan_read(text);
    return said && *amount < 0 ? ERR_SYNTAX : 0;
}

static int read_refund(const struct out_pay *ask, const struct alipay_Out *o,
                       struct cmd_pay_result *out)
{
    int64_t amount;
    if (!str_eq_c(o->out_trade_no, ask->of_no))
        return ERR_DENIED;
    if (ask->op == PAY_REFUND) {
        if (str_eq_c(o->fund_change, "Y"))
            rail_set_done(out, -1, STR_LIT("CNY"),
                          o->trade_no); /* its sum is that of all refunds */
        else
            rail_set(out, PAY_PENDING, 0); /* done before, or under way: the query tells */
        return 0;
    }
    if (o->out_request_no.n && !str_eq_c(o->out_request_no, ask->no))
        return ERR_DENIED; /* of another refund: it says nothing of this one */
    int err = yuan_said(o->has.refund_amount, o->refund_amount, &amount);
    if (!o->out_request_no.n || !str_eq_c(o->refund_status, "REFUND_SUCCESS"))
        rail_set(out, PAY_UNKNOWN, ERR_NOT_FOUND);
    else if (!err)
        rail_set_done(out, amount, STR_LIT("CNY"), o->trade_no);
    return err;
}

static int read_transfer(const struct out_pay *ask, const struct alipay_Out *o,
                         struct cmd_pay_result *out)
{
    struct str s = o->status;
    int64_t amount;
    if (!str_eq_c(o->out_biz_no, ask->no))
        return ERR_DENIED;
    int err = yuan_said(o->has.trans_amount, o->trans_amount, &amount);
    if (err)
        return err;
    if (str_eq_c(s, "SUCCESS"))
        rail_set_done(out, amount, STR_LIT("CNY"), o->order_id);
    else if (str_eq_c(s, "FAIL") || str_eq_c(s, "CLOSED") || str_eq_c(s, "REFUND"))
        rail_set(out, PAY_FAILED, ERR_PROVIDER);
    else if (str_eq_c(s, "DEALING") || str_eq_c(s, "WAIT_PAY") || str_eq_c(s, "INIT"))
        rail_set(out, PAY_PENDING, 0);
    return 0;
}

static int alipay_answer(const struct rail *r, const struct out_pay *ask,
                         const struct rail_request *q, const struct rail_reply *a, struct arena *m,
                         struct cmd_pay_result *out)
{
    struct alipay_Out o;
    (void)q;
    if (a->status >= 500 || a->status == 429)
        return ERR_AGAIN;
    int err = node_read(r, method_of(ask), a->body, m, &o);
    if (err)
        return err;
    if (!str_eq_c(o.code, "10000")) {
        read_problem(ask, &o, out);
        return 0;
    }
    switch ((enum pay_op)ask->op) {
    case PAY_CREATE:
        if (!str_eq_c(o.out_trade_no, ask->no) || !o.qr_code.n)
            return ERR_DENIED;
        rail_set(out, PAY_PENDING, 0);
        rail_set_text(out->url, sizeof out->url, o.qr_code);
        return 0;
    case PAY_QUERY:
        return read_trade(ask, &o, out);
    case PAY_CLOSE:
        if (!str_eq_c(o.out_trade_no, ask->no))
            return ERR_DENIED;
        rail_set(out, PAY_CLOSED, 0);
        return 0;
    case PAY_REFUND:
    case PAY_REFUND_QUERY:
        return read_refund(ask, &o, out);
    case PAY_TRANSFER:
    case PAY_TRANSFER_QUERY:
        return read_transfer(ask, &o, out);
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
    case PAY_SHARE:
    case PAY_SHARE_QUERY:
    case PAY_UNFREEZE:
        return alipay_share_read(ask, &o, out);
    case PAY_RETURN:
    case PAY_RETURN_QUERY:
    case PAY_NOTICE:
        break;
    }
    return ERR_UNSUPPORTED;
}

/* ---- notices ---- */

static enum rail_refusal form_verify(const struct rail *r, struct form *f, struct rail_told *told)
{
    struct str sig = form_get(f, "sign");
    struct buf text;
    if (!sig.n || !str_eq_c(form_get(f, "sign_type"), "RSA2"))
        return RAIL_BAD_FORM;
    buf_init(&text, RAIL_TEXT_MAX);
    form_sign_text(f, false, &text);
    int err = text.err ? text.err : signed_by_any(r, buf_str(&text), sig);
    sha256(text.p, text.n, told->mark);
    buf_free(&text);
    return err ? RAIL_BAD_SIGNATURE : RAIL_TAKEN;
}

static int notice_time(const struct form *f, int64_t *ms)
{
    struct str utc = form_get(f, "utc_timestamp");
    if (utc.n)
        return str_to_i64(utc, ms);
    int err = time_parse(form_get(f, "notify_time"), ms);
    *ms -= ZONE_MS;
    return err;
}

/* The message of a transfer, or of shares, has its matter as JSON; a payment's notice names a refund, when it is about
 * one, beside the payment. */
static int64_t notice_row(const struct form *f, struct arena *m)
{
    struct str content = form_get(f, "biz_content"), no = form_get(f, "out_biz_no");
    struct alipay_Out o;
    if (content.n)
        no = wire_json_decode(&alipay_Out_type, content, m, &o, WIRE_LENIENT, NULL) == 0
                 ? o.out_biz_no.n ? o.out_biz_no : o.out_request_no
                 : STR_NONE;
    int64_t row = rail_row_of(no);
    return row || content.n ? row : rail_row_of(form_get(f, "out_trade_no"));
}

static enum rail_refusal alipay_notice(const struct rail *r, const struct rail_reply *in,
                                       struct arena *m, struct rail_told *told)
{
    struct form form, *f = &form;
    int64_t at = 0;
    if (form_read(in->body, m, f) != 0 || notice_time(f, &at) != 0)
        return RAIL_BAD_FORM;
    if (at < in->now_ms - NOTICE_MS || at > in->now_ms + RAIL_CLOCK_MS)
        return RAIL_STALE;
    enum rail_refusal why = form_verify(r, f, told);
    if (why != RAIL_TAKEN)
        return why;
    struct str seller = form_get(f, "seller_id");
    if (!str_eq_c(form_get(f, "app_id"), r->app) || (seller.n && !str_eq_c(seller, r->merchant)))
        return RAIL_NOT_OURS;
    told->result.row = notice_row(f, m);
    return RAIL_TAKEN;
}

/* ---- bills ---- */

static const char bill_method[] = "alipay.data.dataservice.bill.downloadurl.query";

static int alipay_bill(const struct rail *r, enum bill_kind kind, struct str day, int64_t now_ms,
                       struct rail_request *q)
{
    struct alipay_BillIn in = {.bill_type = STR_LIT("trade"), .bill_date = day};
    struct buf content;
    struct arena m;
    if (kind != BILL_TRADE)
        return ERR_UNSUPPORTED;
    buf_init(&content, RAIL_TEXT_MAX);
    arena_init(&m, RAIL_ARENA_MAX);
    int err = wire_json_encode(&alipay_BillIn_type, &in, &content);
    if (!err)
        err = call_make(r, bill_method, buf_str(&content), now_ms, &m, q);
    arena_free(&m);
    buf_free(&content);
    return err;
}

static int alipay_bill_answer(const struct rail *r, const struct rail_request *q,
                              const struct rail_reply *a, struct arena *m,
                              struct rail_request *next, char hash[80])
{
    struct alipay_Out o;
    (void)q;
    (void)hash; /* the address itself is signed, the file is not */
    if (a->status != 200)
        return ERR_AGAIN;
    int err = node_read(r, bill_method, a->body, m, &o);
    if (err)
        return err;
    if (!str_eq_c(o.code, "10000") || !o.bill_download_url.n)
        return str_eq_c(o.code, "40004") ? ERR_NOT_FOUND : ERR_AGAIN;
    next->method = "GET";
    buf_put_str(&next->url, o.bill_download_url);
    return 0;
}

const struct rail_port rail_alipay = {.public_url = "https://openapi.alipay.com/gateway.do",
                                      .ask = alipay_ask,
                                      .answer = alipay_answer,
                                      .notice = alipay_notice,
                                      .bill = alipay_bill,
                                      .bill_answer = alipay_bill_answer,
                                      .thanks = {"success", 7}};
