// SPDX-License-Identifier: Apache-2.0
/* test_doubts.c: answers that are right but in one thing, each signed by the provider itself: about another
 * merchant, number, receiver, currency, of an amount that is none, with a state that has no meaning here, cut
 * off. None of them moves money; and each state and code that has a meaning has just that one. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct doubt {
    enum pay_op op;
    int status;
    const char *body;
    int state, err;
    int64_t amount; /* -1: none is said */
};

static const struct rail *rail_of(int32_t kind)
{
    return kind == CHANNEL_WECHAT ? rig.wechat : kind == CHANNEL_ALIPAY ? rig.alipay : rig.alloc;
}

static void say(int32_t kind, struct said *s, const struct rail_request *q, int status,
                const char *text)
{
    static char body[16384];
    char first[100];
    if (kind == CHANNEL_WECHAT) {
        said_wechat(s, status, text, NOW);
    } else if (kind == CHANNEL_RAIL) {
        snprintf(first, sizeof first, "%d\n%s\n", status, q->nonce);
        said_alloc(s, status, first, text, NOW);
    } else {
        rig_node(q, first);
        said_alipay(s, first, text, body, sizeof body);
        s->reply.status = status;
    }
}

/* What EVen makes of `text`, an answer to `ask`. */
static struct cmd_pay_result heard(int32_t kind, const struct out_pay *ask, int status,
                                   const char *text)
{
    static struct said s;
    struct rail_request q = {0};
    struct cmd_pay_result r;
    assert_int_equal(rail_ask(rail_of(kind), ask, NOW, NONCE, &q, &r), 0);
    say(kind, &s, &q, status, text);
    assert_int_equal(rail_answer(rail_of(kind), ask, &q, &s.reply, &r), 0);
    rail_request_free(&q);
    assert_int_equal(r.row, 1234567);
    assert_int_equal(r.channel, 7);
    return r;
}

static void judged(int32_t kind, const struct doubt *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct doubt *w = &rows[i];
        struct out_pay ask = rig_ask(w->op, kind);
        struct cmd_pay_result r = heard(kind, &ask, w->status, w->body);
        if (r.state != w->state || r.err != w->err ||
            (r.state == PAY_DONE && r.amount != w->amount))
            fail_msg("row %zu (op %d, %s): state %d err %d amount %lld", i, (int)w->op, w->body,
                     r.state, r.err, (long long)r.amount);
    }
}

/* Whole it is believed; without its end it is not, whatever stands before. */
static void cut_off(int32_t kind, const struct doubt *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct out_pay ask = rig_ask(rows[i].op, kind);
        size_t len = strlen(rows[i].body);
        char part[512];
        for (size_t cut = 1; cut < len; cut = cut * 5 + 1) {
            snprintf(part, sizeof part, "%.*s", (int)(len - cut), rows[i].body);
            struct cmd_pay_result r = heard(kind, &ask, rows[i].status, part);
            if (r.state != PAY_UNKNOWN || r.err >= 0)
                fail_msg("row %zu: %s: state %d err %d", i, part, r.state, r.err);
        }
    }
}

/* ---- WeChat Pay ---- */

#define TRADE(state, amount)                                                                       \
    "{\"mchid\":\"1900\",\"out_trade_no\":\"P1234567\",\"transaction_id\":\"42\","                 \
    "\"trade_state\":\"" state "\",\"amount\":" amount "}"
#define REFUND(of, state, amount)                                                                  \
    "{\"refund_id\":\"5\",\"out_refund_no\":\"W1234567\"," of "\"status\":\"" state                \
    "\",\"amount\":" amount "}"
#define TRANSFER(who, state, amount)                                                               \
    "{" who "\"out_bill_no\":\"W1234567\",\"transfer_bill_no\":\"6\",\"state\":\"" state           \
    "\",\"transfer_amount\":" amount "}"
#define SHARE(no, state)                                                                           \
    "{\"transaction_id\":\"42001\",\"out_order_no\":\"" no "\",\"state\":\"" state "\"}"
#define RETURN(who, result, amount)                                                                \
    "{\"out_return_no\":\"W1234567\",\"out_order_no\":\"S7654321\",\"return_id\":\"50\"," who      \
    "\"amount\":" amount ",\"result\":\"" result "\"}"
#define CODE(c) "{\"code\":\"" c "\"}"

/* Whole answers of every kind. */
static const struct doubt wechat_whole[] = {
    {PAY_CREATE, 200, "{\"code_url\":\"weixin://x\"}", PAY_PENDING, 0, -1},
    {PAY_QUERY, 200, TRADE("SUCCESS", "{\"total\":1234}"), PAY_DONE, 0, 123400},
    {PAY_REFUND, 200, REFUND("\"out_trade_no\":\"P7654321\",", "SUCCESS", "{\"refund\":1234}"),
     PAY_DONE, 0, 123400},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("\"mch_id\":\"1900\",", "SUCCESS", "1234"), PAY_DONE, 0,
     123400},
    {PAY_ACCOUNT_OPEN, 200, "{\"account\":\"oAbc\"}", PAY_DONE, 0, -1},
    {PAY_SHARE, 200, SHARE("S1234567", "FINISHED"), PAY_DONE, 0, -1},
    {PAY_UNFREEZE, 200, SHARE("U1234567", "FINISHED"), PAY_DONE, 0, -1},
    {PAY_RETURN_QUERY, 200, RETURN("\"return_mchid\":\"payee\",", "SUCCESS", "1234"), PAY_DONE, 0,
     123400},
};

static const struct doubt wechat_doubts[] = {
    /* amounts that are none */
    {PAY_QUERY, 200, TRADE("SUCCESS", "{\"total\":-1234}"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_QUERY, 200, TRADE("SUCCESS", "{\"total\":9223372036854775807}"), PAY_UNKNOWN, ERR_RANGE,
     -1},
    {PAY_QUERY, 200, TRADE("SUCCESS", "{\"total\":\"much\"}"), PAY_UNKNOWN, ERR_TYPE, -1},
    {PAY_REFUND, 200, REFUND("", "SUCCESS", "{\"refund\":-1234}"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_REFUND, 200, REFUND("", "SUCCESS", "{}"), PAY_DONE, 0, -1},
    {PAY_TRANSFER, 200, TRANSFER("", "SUCCESS", "-1"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_TRANSFER, 200, TRANSFER("", "SUCCESS", "1000000000001"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_TRANSFER, 200, "{\"out_bill_no\":\"W1234567\",\"state\":\"SUCCESS\"}", PAY_DONE, 0, -1},
    {PAY_RETURN, 200, RETURN("", "SUCCESS", "-1234"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_RETURN, 200,
     "{\"out_return_no\":\"W1234567\",\"out_order_no\":\"S7654321\",\"result\":\"SUCCESS\"}",
     PAY_DONE, 0, -1},
    /* of somebody else, or something else */
    {PAY_REFUND, 200, "{\"out_refund_no\":\"W7654321\",\"status\":\"SUCCESS\"}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_REFUND_QUERY, 200, REFUND("\"out_trade_no\":\"P7654322\",", "SUCCESS", "{}"), PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_REFUND_QUERY, 200, REFUND("", "SUCCESS", "{\"refund\":1234,\"currency\":\"USD\"}"),
     PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_REFUND_QUERY, 200, REFUND("", "SUCCESS", "{\"refund\":1234,\"currency\":\"CNY\"}"),
     PAY_DONE, 0, 123400},
    {PAY_TRANSFER, 200, TRANSFER("\"mch_id\":\"1901\",", "SUCCESS", "1234"), PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("\"mchid\":\"1901\",", "FAIL", "1234"), PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("\"mchid\":\"1900\",", "FAIL", "1234"), PAY_FAILED,
     ERR_PROVIDER, -1},
    {PAY_RETURN_QUERY, 200, RETURN("\"return_mchid\":\"payer\",", "SUCCESS", "1234"), PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_UNFREEZE, 200, SHARE("S1234567", "FINISHED"), PAY_UNKNOWN, ERR_DENIED, -1},
    /* states */
    {PAY_QUERY, 200, TRADE("USERPAYING", "{}"), PAY_PENDING, 0, -1},
    {PAY_QUERY, 200, TRADE("ACCEPT", "{}"), PAY_PENDING, 0, -1},
    {PAY_QUERY, 200, TRADE("REVOKED", "{}"), PAY_CLOSED, 0, -1},
    {PAY_QUERY, 200, TRADE("success", "{\"total\":1234}"), PAY_UNKNOWN, 0, -1},
    {PAY_QUERY, 200, TRADE("", "{\"total\":1234}"), PAY_UNKNOWN, 0, -1},
    {PAY_REFUND, 200, REFUND("", "CLOSED", "{}"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_REFUND, 200, REFUND("", "REFUNDED", "{}"), PAY_UNKNOWN, 0, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("", "PROCESSING", "1234"), PAY_PENDING, 0, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("", "TRANSFERING", "1234"), PAY_PENDING, 0, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("", "CANCELING", "1234"), PAY_PENDING, 0, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("", "SUCCEEDED", "1234"), PAY_UNKNOWN, 0, -1},
    {PAY_SHARE, 200, SHARE("S1234567", "DONE"), PAY_UNKNOWN, 0, -1},
    {PAY_UNFREEZE, 200, SHARE("U1234567", "DONE"), PAY_UNKNOWN, 0, -1},
    {PAY_RETURN, 200, RETURN("", "FAILED", "1234"), PAY_FAILED, ERR_PROVIDER, -1},
    /* refusals: what there is not */
    {PAY_QUERY, 404, CODE("ORDERNOTEXIST"), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_QUERY, 404, CODE("NOT_FOUND"), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_QUERY, 404, CODE("RESOURCE_NOT_EXISTS"), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_QUERY, 404, CODE("APPID_MCHID_NOT_MATCH"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_QUERY, 400, "{\"code\":\"ORDER_NOT_EXIST\"", PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_CLOSE, 404, CODE("NOT_FOUND"), PAY_CLOSED, 0, -1},
    {PAY_CLOSE, 400, CODE("ORDER_CLOSED"), PAY_CLOSED, 0, -1},
    {PAY_CLOSE, 400, CODE("INVALID_REQUEST"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_QUERY, 400, CODE("ORDER_CLOSED"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_CREATE, 404, CODE("NOT_FOUND"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_SHARE, 404, CODE("RESOURCE_NOT_EXISTS"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_UNFREEZE, 404, CODE("RESOURCE_NOT_EXISTS"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_RETURN, 404, CODE("RESOURCE_NOT_EXISTS"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 404, CODE("NOT_FOUND"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_QUERY, 404, CODE("RESOURCE_NOT_EXISTS"), PAY_FAILED, ERR_PROVIDER, -1},
    /* paid already, once more, short */
    {PAY_CREATE, 400, CODE("ORDER_PAID"), PAY_PENDING, 0, -1},
    {PAY_CREATE, 403, CODE("OUT_TRADE_NO_USED"), PAY_PENDING, 0, -1},
    {PAY_TRANSFER, 403, CODE("FREQUENCY_LIMITED"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 403, CODE("RATELIMIT_EXCEEDED"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 403, CODE("SYSTEM_ERROR"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 403, CODE("SYSTEMERROR"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 403, CODE("BIZERR_NEED_RETRY"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 403, CODE("NOTENOUGH"), PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_TRANSFER, 429, CODE("INVALID_REQUEST"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 500, CODE("INVALID_REQUEST"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 499, CODE("INVALID_REQUEST"), PAY_FAILED, ERR_PROVIDER, -1},
};

static void wechat_says_otherwise(void **state)
{
    (void)state;
    judged(CHANNEL_WECHAT, wechat_whole, ARRAY_LEN(wechat_whole));
    cut_off(CHANNEL_WECHAT, wechat_whole, ARRAY_LEN(wechat_whole));
    judged(CHANNEL_WECHAT, wechat_doubts, ARRAY_LEN(wechat_doubts));
}

/* The core judges the currency of a payment: it is told which. */
static void a_currency_is_told(void **state)
{
    struct out_pay ask = rig_ask(PAY_QUERY, CHANNEL_WECHAT);
    struct cmd_pay_result r =
        heard(CHANNEL_WECHAT, &ask, 200, TRADE("SUCCESS", "{\"total\":1234,\"currency\":\"USD\"}"));
    (void)state;
    assert_int_equal(r.state, PAY_DONE);
    assert_string_equal(r.currency, "USD");
    assert_string_equal(r.provider_no, "42");
    r = heard(CHANNEL_WECHAT, &ask, 200, TRADE("SUCCESS", "{\"total\":1234}"));
    assert_string_equal(r.currency, "CNY");
}

static void where_to_pay(void **state)
{
    struct out_pay ask = rig_ask(PAY_CREATE, CHANNEL_WECHAT);
    struct cmd_pay_result r;
    (void)state;
    ask.method = PAY_METHOD_H5;
    r = heard(CHANNEL_WECHAT, &ask, 200, "{\"h5_url\":\"https://h5\",\"code_url\":\"weixin://x\"}");
    assert_int_equal(r.state, PAY_PENDING);
    assert_string_equal(r.url, "https://h5");
    r = heard(CHANNEL_WECHAT, &ask, 200, "{\"code_url\":\"weixin://x\"}");
    assert_int_equal(r.state, PAY_UNKNOWN);
    assert_int_equal(r.err, ERR_REQUIRED);
    ask.method = PAY_METHOD_APP;
    r = heard(CHANNEL_WECHAT, &ask, 200, "{\"prepay_id\":\"wx20\"}");
    assert_int_equal(r.state, PAY_PENDING);
    assert_non_null(strstr(r.url, "\"package\":\"prepay_id=wx20\",\"signType\":\"RSA\""));
    r = heard(CHANNEL_WECHAT, &ask, 200, "{\"code_url\":\"weixin://x\"}");
    assert_int_equal(r.state, PAY_UNKNOWN);
    assert_int_equal(r.err, ERR_REQUIRED);
}

/* A transfer's confirmation comes back, and why a receiver was refused. */
static void texts_come_back(void **state)
{
    struct out_pay ask = rig_ask(PAY_TRANSFER, CHANNEL_WECHAT);
    struct cmd_pay_result r = heard(CHANNEL_WECHAT, &ask, 200,
                                    "{\"out_bill_no\":\"W1234567\",\"transfer_bill_no\":\"6\","
                                    "\"state\":\"WAIT_USER_CONFIRM\",\"package_info\":\"pack\"}");
    (void)state;
    assert_string_equal(r.url, "pack");
    assert_string_equal(r.provider_no, "6");
    ask = rig_ask(PAY_ACCOUNT_QUERY, CHANNEL_WECHAT);
    r = heard(CHANNEL_WECHAT, &ask, 400, "{\"code\":\"INVALID_REQUEST\",\"message\":\"why\"}");
    assert_string_equal(r.url, "why");
    ask = rig_ask(PAY_TRANSFER, CHANNEL_WECHAT);
    r = heard(CHANNEL_WECHAT, &ask, 400, "{\"code\":\"INVALID_REQUEST\",\"message\":\"why\"}");
    assert_string_equal(r.url, "");
    ask = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_ALIPAY);
    r = heard(CHANNEL_ALIPAY, &ask, 200,
              "{\"code\":\"40004\",\"sub_code\":\"ACQ.X\",\"sub_msg\":\"why\"}");
    assert_string_equal(r.url, "why");
    r = heard(CHANNEL_ALIPAY, &ask, 200, "{\"code\":\"40004\",\"sub_code\":\"ACQ.X\"}");
    assert_string_equal(r.url, "ACQ.X");
    ask = rig_ask(PAY_TRANSFER, CHANNEL_ALIPAY);
    r = heard(CHANNEL_ALIPAY, &ask, 200,
              "{\"code\":\"40004\",\"sub_code\":\"ACQ.X\",\"sub_msg\":\"why\"}");
    assert_string_equal(r.url, "");
}

/* More shares than there can be, and what is none of ours: the rest is read, and nothing else. */
static void shares_that_are_none(void **state)
{
    char body[4096];
    size_t n;
    struct out_pay ask = rig_ask(PAY_SHARE_QUERY, CHANNEL_WECHAT);
    struct cmd_pay_result r =
        heard(CHANNEL_WECHAT, &ask, 200,
              "{\"transaction_id\":\"42001\",\"out_order_no\":\"S1234567\",\"state\":\"FINISHED\","
              "\"receivers\":[{\"amount\":100,\"description\":\"S11\",\"result\":\"SUCCESS\"},"
              "{\"amount\":100,\"description\":\"W0\",\"result\":\"SUCCESS\"},"
              "{\"amount\":100,\"result\":\"SUCCESS\"},"
              "{\"description\":\"W12\",\"result\":\"SUCCESS\"}]}");
    (void)state;
    assert_int_equal(r.shared_n, 1);
    assert_int_equal(r.shared[0].payout, 12);
    assert_int_equal(r.shared[0].state, PAY_DONE);
    assert_int_equal(r.shared[0].amount, -1);
    n = (size_t)snprintf(body, sizeof body,
                         "{\"transaction_id\":\"42001\",\"out_order_no\":\"S1234567\","
                         "\"state\":\"PROCESSING\",\"receivers\":[");
    for (int i = 0; i < PAY_SHARES_MAX + 2; i++)
        n += (size_t)snprintf(body + n, sizeof body - n,
                              "%s{\"amount\":1,\"description\":\"W%d\",\"result\":\"SUCCESS\"}",
                              i ? "," : "", 11 + i);
    snprintf(body + n, sizeof body - n, "]}");
    r = heard(CHANNEL_WECHAT, &ask, 200, body);
    assert_int_equal(r.shared_n, PAY_SHARES_MAX);
    assert_int_equal(r.shared[PAY_SHARES_MAX - 1].payout, 10 + PAY_SHARES_MAX);
    ask = rig_ask(PAY_UNFREEZE, CHANNEL_WECHAT);
    r = heard(CHANNEL_WECHAT, &ask, 200,
              "{\"transaction_id\":\"42001\",\"out_order_no\":\"U1234567\",\"state\":\"FINISHED\","
              "\"receivers\":[{\"amount\":1,\"description\":\"W11\",\"result\":\"CLOSED\"}]}");
    assert_int_equal(r.state, PAY_DONE);
    assert_int_equal(r.shared_n, 0); /* it is no answer about shares */
}

/* ---- Alipay ---- */

#define OK     "\"code\":\"10000\",\"msg\":\"Success\","
#define SUB(c) "{\"code\":\"40004\",\"sub_code\":\"" c "\"}"
#define BACK(no, state, more)                                                                      \
    "{" OK "\"out_trade_no\":\"P7654321\",\"trade_no\":\"9\"" no ",\"refund_status\":\"" state     \
    "\"" more "}"
#define MOVED(no, state, more)                                                                     \
    "{" OK "\"out_biz_no\":\"" no "\",\"order_id\":\"8\",\"status\":\"" state "\"" more "}"
#define OURS ",\"out_request_no\":\"W1234567\""

static const struct doubt alipay_doubts[] = {
    /* members of another kind than they are: nothing of the rest is believed */
    {PAY_QUERY, 200,
     "{" OK "\"out_trade_no\":\"P1234567\",\"trade_status\":\"TRADE_SUCCESS\","
     "\"total_amount\":{}}",
     PAY_UNKNOWN, ERR_TYPE, -1},
    {PAY_CREATE, 200, "{" OK "\"out_trade_no\":\"P1234567\"}", PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_CLOSE, 200, "{" OK "\"out_trade_no\":\"P7654321\"}", PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_QUERY, 200, "{" OK "\"out_trade_no\":\"P1234567\",\"trade_status\":\"SUCCESS\"}",
     PAY_UNKNOWN, 0, -1},
    {PAY_QUERY, 200, "{\"code\":\"10001\",\"trade_status\":\"TRADE_SUCCESS\"}", PAY_UNKNOWN,
     ERR_PROVIDER, -1},
    /* refunds */
    {PAY_REFUND, 200, "{" OK "\"out_trade_no\":\"P1234567\",\"fund_change\":\"Y\"}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_REFUND, 200, "{" OK "\"out_trade_no\":\"P7654321\"}", PAY_PENDING, 0, -1},
    {PAY_REFUND_QUERY, 200, BACK(OURS, "REFUND_SUCCESS", ""), PAY_DONE, 0, -1},
    {PAY_REFUND_QUERY, 200, BACK(OURS, "REFUND_SUCCESS", ",\"refund_amount\":\"12.34\""), PAY_DONE,
     0, 123400},
    {PAY_REFUND_QUERY, 200, BACK(OURS, "REFUND_SUCCESS", ",\"refund_amount\":\"much\""),
     PAY_UNKNOWN, ERR_SYNTAX, -1},
    {PAY_REFUND_QUERY, 200, BACK(OURS, "REFUND_SUCCESS", ",\"refund_amount\":\"-12.34\""),
     PAY_UNKNOWN, ERR_SYNTAX, -1},
    {PAY_REFUND_QUERY, 200, BACK(OURS, "REFUND_PROCESSING", ""), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_REFUND_QUERY, 200, BACK("", "REFUND_SUCCESS", ""), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_REFUND_QUERY, 200, BACK(",\"out_request_no\":\"W7654321\"", "REFUND_SUCCESS", ""),
     PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_REFUND_QUERY, 200, BACK(",\"out_request_no\":\"W7654321\"", "", ""), PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_REFUND_QUERY, 200, "{" OK "\"out_trade_no\":\"P1234567\"}", PAY_UNKNOWN, ERR_DENIED, -1},
    /* transfers */
    {PAY_TRANSFER, 200, MOVED("W7654321", "SUCCESS", ""), PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_TRANSFER_QUERY, 200, MOVED("W7654321", "FAIL", ""), PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "SUCCESS", ""), PAY_DONE, 0, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "SUCCESS", ",\"trans_amount\":\"12,34\""), PAY_UNKNOWN,
     ERR_SYNTAX, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "CLOSED", ""), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "REFUND", ""), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "WAIT_PAY", ""), PAY_PENDING, 0, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "INIT", ""), PAY_PENDING, 0, -1},
    {PAY_TRANSFER, 200, MOVED("W1234567", "SUCCEEDED", ""), PAY_UNKNOWN, 0, -1},
    /* shares */
    {PAY_UNFREEZE, 200, "{" OK "\"trade_no\":\"42009\"}", PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_ACCOUNT_OPEN, 200, "{" OK "\"result_code\":\"success\"}", PAY_UNKNOWN, 0, -1},
    {PAY_UNFREEZE, 200, SUB("ACQ.TRADE_SETTLE_ERROR"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_QUERY, 200, SUB("ACQ.TRADE_SETTLE_ERROR"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_UNFREEZE, 200, SUB("ACQ.TRADE_NOT_EXIST"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_QUERY, 200, SUB("ACQ.ORDER_NOT_EXIST"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_QUERY, 200, SUB("ACQ.SETTLE_NOT_EXIST"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    /* refusals */
    {PAY_CREATE, 200, SUB("ACQ.TRADE_HAS_SUCCESS"), PAY_PENDING, 0, -1},
    {PAY_QUERY, 200, SUB("ACQ.TRADE_STATUS_ERROR"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_CLOSE, 200, SUB("ACQ.INVALID_PARAMETER"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_REFUND, 200, SUB("ACQ.TRADE_STATUS_ERROR"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_REFUND, 200, SUB("ACQ.TRADE_NOT_EXIST"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 200, SUB("PAYER_BALANCE_IS_NOT_ENOUGH"), PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_TRANSFER, 200, SUB("isp.unknow-error"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 200, SUB("isv.invalid-signature"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 200, SUB("R"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 499, SUB("R"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 500, SUB("R"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER, 429, SUB("R"), PAY_UNKNOWN, ERR_AGAIN, -1},
};

static void alipay_says_otherwise(void **state)
{
    (void)state;
    judged(CHANNEL_ALIPAY, alipay_doubts, ARRAY_LEN(alipay_doubts));
}

static struct cmd_pay_result read_body(const char *body)
{
    static struct said s;
    static const char *const names[] = {"", "", "", ""};
    struct rail_request q = {0};
    struct out_pay ask = rig_ask(PAY_QUERY, CHANNEL_ALIPAY);
    struct cmd_pay_result r;
    said_wechat(&s, 200, body, NOW); /* its headers are not looked at */
    s.names = names;
    assert_int_equal(rail_ask(rig.alipay, &ask, NOW, NONCE, &q, &r), 0);
    assert_int_equal(rail_answer(rig.alipay, &ask, &q, &s.reply, &r), 0);
    rail_request_free(&q);
    return r;
}

/* The answer is one object with one node. What else it is like is none, although node and signature are right:
 * @ stands for both. */
static void one_object_one_node(void **state)
{
    static const struct {
        const char *shape;
        int state, err;
    } cases[] = {
        {"{@}", PAY_PENDING, 0},
        {"{\"x\":[1],@}", PAY_PENDING, 0},
        {"@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{@", PAY_UNKNOWN, ERR_SYNTAX},
        {"{@}}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{:1,@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{\"x\" 1,@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{\"x\":,@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{\"sign\":,@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{\"sign\":\"x\",@}", PAY_PENDING, 0},
        {"{\"alipay_trade_query_response\":{},@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{\"error_response\":{},@}", PAY_UNKNOWN, ERR_SYNTAX},
        {"{\"x\":{}}", PAY_UNKNOWN, ERR_DENIED},
        {"", PAY_UNKNOWN, ERR_SYNTAX},
    };
    static const char node[] =
        "{" OK "\"out_trade_no\":\"P1234567\",\"trade_status\":\"WAIT_BUYER_PAY\"}";
    static struct said s;
    static char right[4096], body[8192];
    (void)state;
    said_alipay(&s, "alipay_trade_query_response", node, right, sizeof right);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *at = strchr(cases[i].shape, '@');
        size_t before = at ? (size_t)(at - cases[i].shape) : strlen(cases[i].shape);
        snprintf(body, sizeof body, "%.*s%.*s%s", (int)before, cases[i].shape,
                 at ? (int)strlen(right) - 2 : 0, right + 1, at ? at + 1 : "");
        struct cmd_pay_result r = read_body(body);
        if (r.state != cases[i].state || r.err != cases[i].err)
            fail_msg("%s: state %d err %d", cases[i].shape, r.state, r.err);
    }
    said_alipay(&s, "error_response", SUB("isv.invalid-app-id"), right, sizeof right);
    assert_int_equal(read_body(right).err, ERR_PROVIDER);
    said_alipay(&s, "alipay_trade_close_response", node, right, sizeof right);
    assert_int_equal(read_body(right).err, ERR_DENIED); /* of another method */
    said_alipay(&s, "x", "", right, sizeof right);
    snprintf(body, sizeof body, "{%s", strstr(right, "\"sign\""));
    assert_int_equal(read_body(body).err, ERR_DENIED); /* nothing, rightly signed */
}

/* Fewer shares than are told of, and one told of thrice. */
static void royalties_that_are_none(void **state)
{
#define DETAIL(what, who, amount)                                                                  \
    "{\"operation_type\":\"" what "\",\"trans_in\":\"" who "\",\"amount\":\"" amount               \
    "\",\"state\":\"SUCCESS\"}"
    static const char twice[] = DETAIL("transfer", "oAbc", "0.05");
    static const char others[] = DETAIL("transfer", "1901", "1.00") "," DETAIL(
        "transfer_refund", "1900", "1.00") "," DETAIL("transfer", "", "0.00");
    static char body[8192];
    struct out_pay ask = rig_ask(PAY_SHARE_QUERY, CHANNEL_ALIPAY);
    struct cmd_pay_result r;
    (void)state;
    snprintf(body, sizeof body,
             "{" OK "\"out_request_no\":\"S1234567\",\"royalty_detail_list\":[%s,%s,%s]}", twice,
             twice, others);
    r = heard(CHANNEL_ALIPAY, &ask, 200, body);
    assert_int_equal(r.shared_n, 1);
    assert_int_equal(r.shared[0].payout, 12);
    ask.u.share.n = PAY_SHARES_MAX;
    for (int i = 0; i < PAY_SHARES_MAX; i++)
        ask.u.share.to[i] =
            (struct pay_receiver){.payout = 11 + i, .amount = 10000, .account = "x"};
    size_t n = (size_t)snprintf(body, sizeof body,
                                "{" OK "\"out_request_no\":\"S1234567\",\"royalty_detail_list\":[");
    for (int i = 0; i < PAY_SHARES_MAX + 2; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "%s" DETAIL("transfer", "x", "1.00"),
                              i ? "," : "");
    snprintf(body + n, sizeof body - n, "]}");
    r = heard(CHANNEL_ALIPAY, &ask, 200, body);
    assert_int_equal(r.shared_n, PAY_SHARES_MAX);
}

/* ---- the allocation rail ---- */

static const struct doubt alloc_whole[] = {
    {PAY_TRANSFER, 200, "{\"no\":\"W1234567\",\"state\":\"done\",\"amount\":1234}", PAY_DONE, 0,
     123400},
    {PAY_REFUND_QUERY, 200, "{\"no\":\"W1234567\",\"state\":\"failed\",\"amount\":1234}",
     PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_OPEN, 200, "{\"account\":\"A1234567\",\"state\":\"open\"}", PAY_DONE, 0, -1},
    {PAY_ACCOUNT_QUERY, 200, "{\"account\":\"A1234567\",\"state\":\"refused\"}", PAY_FAILED,
     ERR_PROVIDER, -1},
    {PAY_TRANSFER, 422, CODE("refused"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_OPEN, 422, CODE("refused"), PAY_FAILED, ERR_PROVIDER, -1},
};

static const struct doubt alloc_doubts[] = {
#define MOVE(state, amount) "{\"no\":\"W1234567\",\"state\":\"" state "\",\"amount\":" amount "}"
    {PAY_TRANSFER, 200, MOVE("done", "-1234"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_TRANSFER, 200, MOVE("done", "9223372036854775807"), PAY_UNKNOWN, ERR_RANGE, -1},
    {PAY_TRANSFER, 200, "{\"no\":\"W1234567\",\"state\":\"done\"}", PAY_UNKNOWN, ERR_REQUIRED, -1},
    {PAY_TRANSFER_QUERY, 200, MOVE("no_funds", "0"), PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_TRANSFER_QUERY, 200, MOVE("reversed", "1234"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER_QUERY, 200, MOVE("over", "1234"), PAY_UNKNOWN, 0, -1},
    {PAY_REFUND_QUERY, 200, "{\"no\":\"W7654321\",\"state\":\"failed\",\"amount\":0}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_TRANSFER, 404, CODE("not_found"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_REFUND, 404, CODE("not_found"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_OPEN, 404, CODE("not_found"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_REFUND_QUERY, 422, CODE("refused"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_REFUND, 402, CODE("no_funds"), PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
};

static void alloc_says_otherwise(void **state)
{
    struct out_pay ask = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_RAIL);
    (void)state;
    judged(CHANNEL_RAIL, alloc_whole, ARRAY_LEN(alloc_whole));
    cut_off(CHANNEL_RAIL, alloc_whole, ARRAY_LEN(alloc_whole));
    judged(CHANNEL_RAIL, alloc_doubts, ARRAY_LEN(alloc_doubts));
    assert_string_equal(
        heard(CHANNEL_RAIL, &ask, 422, "{\"code\":\"refused\",\"reason\":\"why\"}").url, "why");
    ask = rig_ask(PAY_TRANSFER, CHANNEL_RAIL);
    assert_string_equal(
        heard(CHANNEL_RAIL, &ask, 422, "{\"code\":\"refused\",\"reason\":\"why\"}").url, "");
}

/* ---- who says so ---- */

/* Without a signature an answer says nothing of the money; a provider in trouble is asked again. */
static void unsigned_answers(void **state)
{
    static const struct {
        int32_t kind;
        int status, err;
    } cases[] = {
        {CHANNEL_WECHAT, 200, ERR_DENIED}, {CHANNEL_WECHAT, 499, ERR_DENIED},
        {CHANNEL_WECHAT, 429, ERR_AGAIN},  {CHANNEL_WECHAT, 500, ERR_AGAIN},
        {CHANNEL_ALIPAY, 200, ERR_DENIED}, {CHANNEL_ALIPAY, 499, ERR_DENIED},
        {CHANNEL_ALIPAY, 429, ERR_AGAIN},  {CHANNEL_ALIPAY, 500, ERR_AGAIN},
        {CHANNEL_RAIL, 200, ERR_DENIED},   {CHANNEL_RAIL, 499, ERR_DENIED},
        {CHANNEL_RAIL, 500, ERR_AGAIN},
    };
    static struct said s;
    struct rail_request q = {0};
    struct cmd_pay_result r;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct out_pay ask = rig_ask(PAY_TRANSFER_QUERY, cases[i].kind);
        const struct rail *rail = rail_of(cases[i].kind);
        assert_int_equal(rail_ask(rail, &ask, NOW, NONCE, &q, &r), 0);
        say(cases[i].kind, &s, &q, cases[i].status, "{\"no\":\"W1234567\"}");
        s.value[3][0] = 0;
        if (cases[i].kind == CHANNEL_ALIPAY) /* another text than was signed */
            ((char *)(uintptr_t)s.reply.body.p)[s.reply.body.n / 20] ^= 1;
        assert_int_equal(rail_answer(rail, &ask, &q, &s.reply, &r), 0);
        if (r.state != PAY_UNKNOWN || r.err != cases[i].err)
            fail_msg("case %zu: state %d err %d", i, r.state, r.err);
    }
    rail_request_free(&q);
}

/* An answer that was true once is none when it is shown again; one of a key that is not there may be of a new one. */
static void old_answers(void **state)
{
    static const int64_t off[] = {-300001, 300001};
    static struct said s;
    struct rail_request q = {0};
    struct cmd_pay_result r;
    struct out_pay ask = rig_ask(PAY_CLOSE, CHANNEL_WECHAT);
    (void)state;
    assert_int_equal(rail_ask(rig.wechat, &ask, NOW, NONCE, &q, &r), 0);
    for (size_t i = 0; i < ARRAY_LEN(off); i++) {
        said_wechat(&s, 204, "", NOW + off[i] * 2);
        assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 0);
        assert_int_equal(r.state, PAY_UNKNOWN);
        assert_int_equal(r.err, ERR_DENIED);
    }
    ask = rig_ask(PAY_TRANSFER, CHANNEL_RAIL);
    assert_int_equal(rail_ask(rig.alloc, &ask, NOW, NONCE, &q, &r), 0);
    for (size_t i = 0; i < ARRAY_LEN(off); i++) {
        said_alloc(&s, 200, "200\n" NONCE "\n", MOVE("done", "1234"), NOW + off[i]);
        assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
        assert_int_equal(r.state, PAY_UNKNOWN);
        assert_int_equal(r.err, ERR_DENIED);
    }
    said_alloc(&s, 200, "200\n" NONCE "\n", MOVE("done", "1234"), NOW);
    (void)str_copy(s.value[2], 64, STR_LIT("PUB_KEY_ID_9"));
    assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 1);
    assert_int_equal(r.state, PAY_UNKNOWN);
    rail_request_free(&q);
}

/* What cannot be asked for has no answer either. */
static void never_asked(void **state)
{
    static struct said s;
    struct rail_request q = {0};
    struct cmd_pay_result r;
    struct out_pay ask = rig_ask(PAY_NOTICE, CHANNEL_ALIPAY);
    static char body[2048];
    (void)state;
    said_alipay(&s, "x", "{}", body, sizeof body);
    assert_int_equal(rail_answer(rig.alipay, &ask, &q, &s.reply, &r), 0);
    assert_int_equal(r.err, ERR_UNSUPPORTED);
    said_wechat(&s, 200, "{}", NOW);
    assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 0);
    assert_int_equal(r.err, ERR_UNSUPPORTED);
    rail_request_free(&q);
}

/* A transfer of a refusal fails only when its query knows nothing: which asks that is so of. */
static void refusals(void **state)
{
    static const enum pay_op paid_out[] = {PAY_TRANSFER, PAY_REFUND, PAY_ACCOUNT_OPEN, PAY_SHARE,
                                           PAY_RETURN};
    static const enum pay_op others[] = {
        PAY_CREATE, PAY_QUERY,         PAY_CLOSE,       PAY_TRANSFER_QUERY, PAY_REFUND_QUERY,
        PAY_NOTICE, PAY_ACCOUNT_QUERY, PAY_SHARE_QUERY, PAY_UNFREEZE,       PAY_RETURN_QUERY};
    struct cmd_pay_result r = {.state = PAY_FAILED};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paid_out); i++) {
        struct out_pay ask = rig_ask(paid_out[i], CHANNEL_WECHAT);
        r.state = PAY_FAILED;
        assert_true(rail_is_refusal(&ask, &r));
        r.state = PAY_NO_FUNDS;
        assert_false(rail_is_refusal(&ask, &r));
    }
    r.state = PAY_FAILED;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct out_pay ask = rig_ask(others[i], CHANNEL_WECHAT);
        assert_false(rail_is_refusal(&ask, &r));
    }
}

int run_doubt_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wechat_says_otherwise),
        cmocka_unit_test(a_currency_is_told),
        cmocka_unit_test(where_to_pay),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(shares_that_are_none),
        cmocka_unit_test(alipay_says_otherwise),
        cmocka_unit_test(one_object_one_node),
        cmocka_unit_test(royalties_that_are_none),
        cmocka_unit_test(alloc_says_otherwise),
        cmocka_unit_test(unsigned_answers),
        cmocka_unit_test(old_answers),
        cmocka_unit_test(never_asked),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("doubts", tests, rig_setup, rig_teardown);
}
