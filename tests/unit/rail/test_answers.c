// SPDX-License-Identifier: Apache-2.0
/* test_answers.c: every answer of a provider and what EVen makes of it, as tables: one row, one
 * answer, signed as the provider signs. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct row {
    enum pay_op op;
    int status;
    const char *body;
    int state, err;
    int64_t amount; /* -1: none is said */
};

static const struct row wechat_rows[] = {
    {PAY_CREATE, 200, "{\"code_url\":\"weixin://x\"}", PAY_PENDING, 0, -1},
    {PAY_CREATE, 200, "{}", PAY_UNKNOWN, ERR_REQUIRED, -1},
    {PAY_CREATE, 400, "{\"code\":\"PARAM_ERROR\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_CREATE, 400, "{\"code\":\"ORDERPAID\"}", PAY_PENDING, 0, -1},
    {PAY_CREATE, 429, "{\"code\":\"RATELIMIT_EXCEEDED\"}", PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_CREATE, 500, "{\"code\":\"SYSTEM_ERROR\"}", PAY_UNKNOWN, ERR_AGAIN, -1},
#define TRADE(state, more)                                                                         \
    "{\"mchid\":\"1900\",\"out_trade_no\":\"P1234567\",\"transaction_id\":\"42\","                 \
    "\"trade_state\":\"" state "\"" more "}"
    {PAY_QUERY, 200, TRADE("SUCCESS", ",\"amount\":{\"total\":1234,\"currency\":\"CNY\"}"),
     PAY_DONE, 0, 123400},
    {PAY_QUERY, 200, TRADE("REFUND", ",\"amount\":{\"total\":1234}"), PAY_DONE, 0, 123400},
    {PAY_QUERY, 200, TRADE("SUCCESS", ""), PAY_DONE, 0, -1},
    {PAY_QUERY, 200, TRADE("NOTPAY", ""), PAY_PENDING, 0, -1},
    {PAY_QUERY, 200, TRADE("PAYERROR", ""), PAY_PENDING, 0, -1},
    {PAY_QUERY, 200, TRADE("CLOSED", ""), PAY_CLOSED, 0, -1},
    {PAY_QUERY, 200, TRADE("SOMETHING_NEW", ""), PAY_UNKNOWN, 0, -1},
    {PAY_QUERY, 200, "{\"mchid\":\"1900\",\"out_trade_no\":\"P9\",\"trade_state\":\"SUCCESS\"}",
     PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_QUERY, 200,
     "{\"mchid\":\"1901\",\"out_trade_no\":\"P1234567\",\"trade_state\":\"SUCCESS\"}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_QUERY, 404, "{\"code\":\"ORDER_NOT_EXIST\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_CLOSE, 204, "", PAY_CLOSED, 0, -1},
    {PAY_CLOSE, 400, "{\"code\":\"ORDERPAID\"}", PAY_PENDING, 0, -1},
    {PAY_CLOSE, 404, "{\"code\":\"ORDER_NOT_EXIST\"}", PAY_CLOSED, 0, -1},
#define REFUND(state)                                                                              \
    "{\"refund_id\":\"5\",\"out_refund_no\":\"W1234567\",\"status\":\"" state                      \
    "\",\"amount\":{\"refund\":1234}}"
    {PAY_REFUND, 200, REFUND("SUCCESS"), PAY_DONE, 0, 123400},
    {PAY_REFUND, 200, REFUND("PROCESSING"), PAY_PENDING, 0, -1},
    {PAY_REFUND, 403, "{\"code\":\"NOT_ENOUGH\"}", PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_REFUND, 404, "{\"code\":\"RESOURCE_NOT_EXISTS\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_REFUND_QUERY, 200, REFUND("CLOSED"), PAY_FAILED, ERR_CLOSED, -1},
    {PAY_REFUND_QUERY, 200, REFUND("ABNORMAL"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_REFUND_QUERY, 404, "{\"code\":\"RESOURCE_NOT_EXISTS\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
#define TRANSFER(state)                                                                            \
    "{\"out_bill_no\":\"W1234567\",\"transfer_bill_no\":\"6\",\"state\":\"" state                  \
    "\",\"transfer_amount\":1234,\"package_info\":\"pack\"}"
    {PAY_TRANSFER, 200, TRANSFER("WAIT_USER_CONFIRM"), PAY_WAIT_PAYEE, 0, -1},
    {PAY_TRANSFER, 200, TRANSFER("ACCEPTED"), PAY_PENDING, 0, -1},
    {PAY_TRANSFER, 403, "{\"code\":\"NOT_ENOUGH\"}", PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_TRANSFER, 400, "{\"code\":\"INVALID_REQUEST\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("SUCCESS"), PAY_DONE, 0, 123400},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("FAIL"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER_QUERY, 200, TRANSFER("CANCELLED"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER_QUERY, 404, "{\"code\":\"NOT_FOUND\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_TRANSFER_QUERY, 200, "{\"out_bill_no\":\"W1\",\"state\":\"SUCCESS\"}", PAY_UNKNOWN,
     ERR_DENIED, -1},
};

/* Shares of a payment, and who may get them. */
static const struct row share_rows[] = {
#define SHARE(no, state)                                                                           \
    "{\"transaction_id\":\"42001\",\"out_order_no\":\"" no "\",\"state\":\"" state "\"}"
    {PAY_ACCOUNT_OPEN, 200, "{\"account\":\"oAbc\"}", PAY_DONE, 0, -1},
    {PAY_ACCOUNT_OPEN, 200, "{\"account\":\"oXyz\"}", PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_ACCOUNT_OPEN, 400, "{\"code\":\"INVALID_REQUEST\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_QUERY, 400, "{\"code\":\"INVALID_REQUEST\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_SHARE, 200, SHARE("S1234567", "PROCESSING"), PAY_PENDING, 0, -1},
    {PAY_SHARE, 200, SHARE("S7654321", "PROCESSING"), PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_SHARE, 403, "{\"code\":\"RULE_LIMIT\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_SHARE, 403, "{\"code\":\"NOT_ENOUGH\"}", PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_SHARE, 429, "{\"code\":\"FREQUENCY_LIMITED\"}", PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_SHARE_QUERY, 200, SHARE("S1234567", "FINISHED"), PAY_DONE, 0, -1},
    {PAY_SHARE_QUERY, 200,
     "{\"transaction_id\":\"42009\",\"out_order_no\":\"S1234567\",\"state\":\"FINISHED\"}",
     PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_SHARE_QUERY, 404, "{\"code\":\"RESOURCE_NOT_EXISTS\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_UNFREEZE, 200, SHARE("U1234567", "PROCESSING"), PAY_DONE, 0, -1},
    {PAY_UNFREEZE, 400, "{\"code\":\"INVALID_REQUEST\"}", PAY_FAILED, ERR_PROVIDER, -1},
#define RETURN(no, of, result)                                                                     \
    "{\"out_return_no\":\"" no "\",\"out_order_no\":\"" of "\",\"return_id\":\"50\",\"amount\":"   \
    "1234,\"result\":\"" result "\"}"
    {PAY_RETURN, 200, RETURN("W1234567", "S7654321", "PROCESSING"), PAY_PENDING, 0, -1},
    {PAY_RETURN, 200, RETURN("W1234567", "S7654321", "SUCCESS"), PAY_DONE, 0, 123400},
    {PAY_RETURN, 200, RETURN("W1234568", "S7654321", "SUCCESS"), PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_RETURN, 200, RETURN("W1234567", "S7654322", "SUCCESS"), PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_RETURN, 403, "{\"code\":\"NOT_ENOUGH\"}", PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_RETURN, 400, "{\"code\":\"INVALID_REQUEST\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_RETURN_QUERY, 200, RETURN("W1234567", "S7654321", "FAILED"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_RETURN_QUERY, 200, RETURN("W1234567", "S7654321", "NEW"), PAY_UNKNOWN, 0, -1},
    {PAY_RETURN_QUERY, 404, "{\"code\":\"RESOURCE_NOT_EXISTS\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
};

static void judged(const struct row *w, size_t i, const struct cmd_pay_result *r)
{
    if (r->state != w->state || r->err != w->err || r->amount != w->amount)
        fail_msg("row %zu (op %d, %s): state %d err %d amount %lld", i, (int)w->op, w->body,
                 r->state, r->err, (long long)r->amount);
    assert_int_equal(r->row, 1234567);
    assert_int_equal(r->channel, 7);
}

static void wechat_answers(void **state)
{
    static struct said s;
    struct rail_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wechat_rows); i++) {
        const struct row *w = &wechat_rows[i];
        struct out_pay ask = rig_ask(w->op, CHANNEL_WECHAT);
        struct cmd_pay_result r;
        assert_int_equal(rail_ask(rig.wechat, &ask, NOW, NONCE, &q, &r), 0);
        said_wechat(&s, w->status, w->body, NOW);
        assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 0);
        judged(w, i, &r);
        /* The same without its signature says nothing of the money. */
        s.value[3][0] = s.value[3][0] == 'A' ? 'B' : 'A';
        assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 0);
        assert_int_equal(r.state, PAY_UNKNOWN);
        assert_true(r.err == ERR_DENIED || r.err == ERR_AGAIN);
    }
    rail_request_free(&q);
}

static void share_answers(void **state)
{
    static struct said s;
    struct rail_request q = {0};
    struct cmd_pay_result r;
    struct out_pay ask;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(share_rows); i++) {
        const struct row *w = &share_rows[i];
        ask = rig_ask(w->op, CHANNEL_WECHAT);
        assert_int_equal(rail_ask(rig.wechat, &ask, NOW, NONCE, &q, &r), 0);
        said_wechat(&s, w->status, w->body, NOW);
        assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 0);
        judged(w, i, &r);
        assert_int_equal(r.shared_n, 0);
    }
    ask = rig_ask(PAY_SHARE_QUERY, CHANNEL_WECHAT);
    said_wechat(
        &s, 200,
        "{\"transaction_id\":\"42001\",\"out_order_no\":\"S1234567\",\"state\":\"FINISHED\","
        "\"receivers\":[{\"amount\":100,\"description\":\"W11\",\"result\":\"SUCCESS\","
        "\"detail_id\":\"36\"},{\"amount\":5,\"description\":\"W12\",\"result\":\"CLOSED\"},"
        "{\"amount\":5,\"description\":\"other\",\"result\":\"SUCCESS\"},"
        "{\"amount\":5,\"description\":\"W13\",\"result\":\"PENDING\"}]}",
        NOW);
    assert_int_equal(rail_ask(rig.wechat, &ask, NOW, NONCE, &q, &r), 0);
    assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 0);
    assert_int_equal(r.shared_n, 3);
    assert_true(r.shared[0].payout == 11 && r.shared[0].state == PAY_DONE &&
                r.shared[0].amount == 10000);
    assert_string_equal(r.shared[0].provider_no, "36");
    assert_true(r.shared[1].payout == 12 && r.shared[1].state == PAY_FAILED);
    assert_true(r.shared[2].payout == 13 && r.shared[2].state == PAY_PENDING);
    rail_request_free(&q);
}

static const struct row alipay_rows[] = {
#define OK     "\"code\":\"10000\",\"msg\":\"Success\","
#define SUB(c) "{\"code\":\"40004\",\"sub_code\":\"" c "\"}"
    {PAY_CREATE, 0, "{" OK "\"out_trade_no\":\"P1234567\",\"qr_code\":\"https://x\"}", PAY_PENDING,
     0, -1},
    {PAY_CREATE, 0, "{" OK "\"out_trade_no\":\"P1\",\"qr_code\":\"https://x\"}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_CREATE, 0, SUB("ACQ.INVALID_PARAMETER"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_CREATE, 0, "{\"code\":\"20000\"}", PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_QUERY, 0,
     "{" OK "\"out_trade_no\":\"P1234567\",\"trade_no\":\"9\",\"trade_status\":\"TRADE_SUCCESS\","
     "\"total_amount\":\"12.34\"}",
     PAY_DONE, 0, 123400},
    {PAY_QUERY, 0,
     "{" OK "\"out_trade_no\":\"P1234567\",\"trade_status\":\"TRADE_FINISHED\","
     "\"total_amount\":\"x\"}",
     PAY_DONE, 0, -1},
    {PAY_QUERY, 0, "{" OK "\"out_trade_no\":\"P1234567\",\"trade_status\":\"WAIT_BUYER_PAY\"}",
     PAY_PENDING, 0, -1},
    {PAY_QUERY, 0, "{" OK "\"out_trade_no\":\"P1234567\",\"trade_status\":\"TRADE_CLOSED\"}",
     PAY_CLOSED, 0, -1},
    {PAY_QUERY, 0, "{" OK "\"out_trade_no\":\"P9\",\"trade_status\":\"TRADE_SUCCESS\"}",
     PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_QUERY, 0, SUB("ACQ.TRADE_NOT_EXIST"), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_CLOSE, 0, SUB("ACQ.TRADE_NOT_EXIST"), PAY_CLOSED, 0, -1},
    {PAY_CLOSE, 0, SUB("ACQ.TRADE_STATUS_ERROR"), PAY_PENDING, 0, -1},
    {PAY_CLOSE, 0, "{" OK "\"out_trade_no\":\"P1234567\"}", PAY_CLOSED, 0, -1},
    {PAY_REFUND, 0, "{" OK "\"out_trade_no\":\"P7654321\",\"fund_change\":\"Y\"}", PAY_DONE, 0, -1},
    {PAY_REFUND, 0, "{" OK "\"out_trade_no\":\"P7654321\",\"fund_change\":\"N\"}", PAY_PENDING, 0,
     -1},
    {PAY_REFUND, 0, SUB("ACQ.SELLER_BALANCE_NOT_ENOUGH"), PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_REFUND, 0, SUB("ACQ.SYSTEM_ERROR"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_REFUND_QUERY, 0, "{" OK "\"out_trade_no\":\"P7654321\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_REFUND_QUERY, 0,
     "{" OK "\"out_trade_no\":\"P7654321\",\"out_request_no\":\"W1234567\","
     "\"refund_status\":\"REFUND_SUCCESS\",\"refund_amount\":\"12.34\"}",
     PAY_DONE, 0, 123400},
    {PAY_TRANSFER, 0, SUB("PAYER_BALANCE_NOT_ENOUGH"), PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_TRANSFER, 0, SUB("PAYEE_NOT_EXIST"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 0, "{" OK "\"out_biz_no\":\"W1234567\",\"status\":\"DEALING\"}", PAY_PENDING, 0,
     -1},
    {PAY_TRANSFER_QUERY, 0,
     "{" OK "\"out_biz_no\":\"W1234567\",\"status\":\"SUCCESS\",\"trans_amount\":\"12.34\"}",
     PAY_DONE, 0, 123400},
    {PAY_TRANSFER_QUERY, 0, "{" OK "\"out_biz_no\":\"W1234567\",\"status\":\"FAIL\"}", PAY_FAILED,
     ERR_PROVIDER, -1},
    {PAY_TRANSFER_QUERY, 0, SUB("ORDER_NOT_EXIST"), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_ACCOUNT_OPEN, 0, "{" OK "\"result_code\":\"SUCCESS\"}", PAY_DONE, 0, -1},
    {PAY_ACCOUNT_QUERY, 0, "{" OK "\"result_code\":\"FAIL\"}", PAY_UNKNOWN, 0, -1},
    {PAY_ACCOUNT_OPEN, 0, SUB("ACQ.USER_NOT_EXIST"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_SHARE, 0, "{" OK "\"trade_no\":\"42001\",\"settle_no\":\"9\"}", PAY_PENDING, 0, -1},
    {PAY_SHARE, 0, "{" OK "\"trade_no\":\"42009\",\"settle_no\":\"9\"}", PAY_UNKNOWN, ERR_DENIED,
     -1},
    {PAY_SHARE, 0, SUB("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_SHARE, 0, SUB("ACQ.TRADE_SETTLE_ERROR"), PAY_UNKNOWN, ERR_AGAIN,
     -1}, /* either is possible */
    {PAY_SHARE, 0, SUB("ACQ.SYSTEM_ERROR"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_SHARE, 0, SUB("ACQ.FREQUENCY_LIMIT"), PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_SHARE_QUERY, 0, "{" OK "\"out_request_no\":\"S1234567\"}", PAY_PENDING, 0, -1},
    {PAY_SHARE_QUERY, 0, "{" OK "\"out_request_no\":\"S1234568\"}", PAY_UNKNOWN, ERR_DENIED, -1},
    {PAY_SHARE_QUERY, 0, SUB("ACQ.SETTLE_NOT_EXIST"), PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_SHARE_QUERY, 0, SUB("ACQ.INVALID_PARAMETER"), PAY_UNKNOWN, ERR_PROVIDER, -1},
    {PAY_UNFREEZE, 0, "{" OK "\"trade_no\":\"42001\"}", PAY_DONE, 0, -1},
    {PAY_UNFREEZE, 0, SUB("ACQ.ILLEGAL_SETTLE_STATE"), PAY_FAILED, ERR_PROVIDER, -1},
};

static void alipay_answers(void **state)
{
    static struct said s;
    static char body[4096], node[100];
    struct rail_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alipay_rows); i++) {
        const struct row *w = &alipay_rows[i];
        struct out_pay ask = rig_ask(w->op, CHANNEL_ALIPAY);
        struct cmd_pay_result r;
        assert_int_equal(rail_ask(rig.alipay, &ask, NOW, NONCE, &q, &r), 0);
        rig_node(&q, node);
        said_alipay(&s, node, w->body, body, sizeof body);
        assert_int_equal(rail_answer(rig.alipay, &ask, &q, &s.reply, &r), 0);
        judged(w, i, &r);
        /* One blank more in what was signed. */
        char *brace = strchr(body + 1, '{');
        memmove(brace + 2, brace + 1, strlen(brace + 1) + 1);
        brace[1] = ' ';
        s.reply.body = str_from_c(body);
        assert_int_equal(rail_answer(rig.alipay, &ask, &q, &s.reply, &r), 0);
        assert_int_equal(r.state, PAY_UNKNOWN);
        assert_int_equal(r.err, ERR_DENIED);
    }
    rail_request_free(&q);
}

static const struct row alloc_rows[] = {
    {PAY_TRANSFER, 200, "{\"no\":\"W1234567\",\"state\":\"done\",\"amount\":1234}", PAY_DONE, 0,
     123400},
    {PAY_TRANSFER, 200, "{\"no\":\"W1234567\",\"state\":\"pending\",\"amount\":1234}", PAY_PENDING,
     0, -1},
    {PAY_TRANSFER, 200, "{\"no\":\"W7654321\",\"state\":\"done\",\"amount\":1234}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_TRANSFER, 402, "{\"code\":\"no_funds\"}", PAY_NO_FUNDS, ERR_NO_FUNDS, -1},
    {PAY_TRANSFER, 422, "{\"code\":\"refused\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_TRANSFER, 503, "{\"code\":\"busy\"}", PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_TRANSFER_QUERY, 404, "{\"code\":\"not_found\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_TRANSFER_QUERY, 200, "{\"no\":\"W1234567\",\"state\":\"failed\",\"amount\":0}", PAY_FAILED,
     ERR_PROVIDER, -1},
    {PAY_REFUND, 200, "{\"no\":\"W1234567\",\"state\":\"done\",\"amount\":1234}", PAY_DONE, 0,
     123400},
};

/* A sub-account: what is said of another, or of none, says nothing. */
static const struct row account_rows[] = {
#define ACCOUNT(state) "{\"account\":\"A1234567\",\"state\":\"" state "\"}"
    {PAY_ACCOUNT_OPEN, 200, ACCOUNT("opening"), PAY_PENDING, 0, -1},
    {PAY_ACCOUNT_OPEN, 200, ACCOUNT("open"), PAY_DONE, 0, -1},
    {PAY_ACCOUNT_OPEN, 200, ACCOUNT("refused"), PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_OPEN, 200, ACCOUNT("what"), PAY_UNKNOWN, 0, -1},
    {PAY_ACCOUNT_OPEN, 409, "{\"code\":\"conflict\"}", PAY_FAILED, ERR_PROVIDER, -1},
    {PAY_ACCOUNT_OPEN, 503, "{\"code\":\"busy\"}", PAY_UNKNOWN, ERR_AGAIN, -1},
    {PAY_ACCOUNT_QUERY, 200, ACCOUNT("open"), PAY_DONE, 0, -1},
    {PAY_ACCOUNT_QUERY, 200, ACCOUNT("closed"), PAY_CLOSED, ERR_CLOSED, -1},
    {PAY_ACCOUNT_QUERY, 200, "{\"account\":\"A7654321\",\"state\":\"open\"}", PAY_UNKNOWN,
     ERR_DENIED, -1},
    {PAY_ACCOUNT_QUERY, 404, "{\"code\":\"not_found\"}", PAY_UNKNOWN, ERR_NOT_FOUND, -1},
    {PAY_ACCOUNT_QUERY, 422, "{\"code\":\"refused\"}", PAY_UNKNOWN, ERR_PROVIDER, -1},
};

/* What Alipay tells of shares bears no number of ours: each is found by receiver and amount, and once. */
static void royalty_answers(void **state)
{
    static struct said s;
    static char body[4096];
    struct rail_request q = {0};
    struct cmd_pay_result r;
    struct out_pay ask = rig_ask(PAY_SHARE_QUERY, CHANNEL_ALIPAY);
    (void)state;
    ask.u.share.n = 3;
    ask.u.share.to[2] = ask.u.share.to[1]; /* two parties with one account and amount */
    ask.u.share.to[2].payout = 13;
    assert_int_equal(rail_ask(rig.alipay, &ask, NOW, NONCE, &q, &r), 0);
#define DETAIL(what, who, amount, state)                                                           \
    "{\"operation_type\":\"" what "\",\"trans_in\":\"" who "\",\"amount\":" amount                 \
    ",\"state\":\"" state "\",\"detail_id\":\"36\"}"
    said_alipay(
        &s, "alipay_trade_order_settle_query_response",
        "{" OK
        "\"out_request_no\":\"S1234567\",\"royalty_detail_list\":[" DETAIL("transfer", "oAbc", "\"0.05\"", "SUCCESS") "," DETAIL(
            "transfer_refund", "1900", "1.00",
            "SUCCESS") "," DETAIL("transfer", "1900", "2.00",
                                  "SUCCESS") "," DETAIL("transfer", "1900", "1.00",
                                                        "FAIL") "," DETAIL("transfer", "oAbc",
                                                                           "0.05",
                                                                           "PROCESSING") "," DETAIL("transfer",
                                                                                                    "oAbc",
                                                                                                    "0.05",
                                                                                                    "SUCCESS") "]}",
        body, sizeof body);
    assert_int_equal(rail_answer(rig.alipay, &ask, &q, &s.reply, &r), 0);
    assert_int_equal(r.state, PAY_PENDING);
    assert_int_equal(r.shared_n, 3);
    assert_int_equal(r.shared[0].payout, 12);
    assert_int_equal(r.shared[0].state, PAY_DONE);
    assert_int_equal(r.shared[0].amount, 500);
    assert_string_equal(r.shared[0].provider_no, "36");
    assert_int_equal(r.shared[1].payout, 11);
    assert_int_equal(r.shared[1].state, PAY_FAILED);
    assert_int_equal(r.shared[2].payout, 13);
    assert_int_equal(r.shared[2].state, PAY_PENDING);
    rail_request_free(&q);
}

static void account_answers(void **state)
{
    static struct said s;
    struct rail_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(account_rows); i++) {
        const struct row *w = &account_rows[i];
        struct out_pay ask = rig_ask(w->op, CHANNEL_RAIL);
        struct cmd_pay_result r;
        char first[80];
        assert_int_equal(rail_ask(rig.alloc, &ask, NOW, NONCE, &q, &r), 0);
        snprintf(first, sizeof first, "%d\n%s\n", w->status, NONCE);
        said_alloc(&s, w->status, first, w->body, NOW);
        assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
        judged(w, i, &r);
        assert_int_equal(rail_is_refusal(&ask, &r),
                         w->op == PAY_ACCOUNT_OPEN && w->state == PAY_FAILED);
        s.reply.body = STR_LIT(ACCOUNT("open")); /* said by somebody else */
        if (!str_eq_c(s.reply.body, w->body)) {
            assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
            assert_int_equal(r.state, PAY_UNKNOWN);
        }
    }
    rail_request_free(&q);
}

/* Its number is the provider's where it has one of its own; a refusal says why. */
static void account_numbers(void **state)
{
    static struct said s;
    struct rail_request q = {0};
    struct out_pay ask = rig_ask(PAY_ACCOUNT_QUERY, CHANNEL_RAIL);
    struct cmd_pay_result r;
    (void)state;
    assert_int_equal(rail_ask(rig.alloc, &ask, NOW, NONCE, &q, &r), 0);
    said_alloc(&s, 200, "200\n" NONCE "\n", ACCOUNT("open"), NOW);
    assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
    assert_string_equal(r.provider_no, "A1234567");
    said_alloc(&s, 200, "200\n" NONCE "\n",
               "{\"account\":\"A1234567\",\"state\":\"open\",\"number\":\"6200001\"}", NOW);
    assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
    assert_string_equal(r.provider_no, "6200001");
    said_alloc(&s, 200, "200\n" NONCE "\n",
               "{\"account\":\"A1234567\",\"state\":\"refused\",\"reason\":\"证件不符\"}", NOW);
    assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
    assert_string_equal(r.url, "证件不符");
    rail_request_free(&q);
}

static void alloc_answers(void **state)
{
    static struct said s;
    struct rail_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alloc_rows); i++) {
        const struct row *w = &alloc_rows[i];
        struct out_pay ask = rig_ask(w->op, CHANNEL_RAIL);
        struct cmd_pay_result r;
        char first[80];
        assert_int_equal(rail_ask(rig.alloc, &ask, NOW, NONCE, &q, &r), 0);
        snprintf(first, sizeof first, "%d\n%s\n", w->status, NONCE);
        said_alloc(&s, w->status, first, w->body, NOW);
        assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
        judged(w, i, &r);
        /* Signed for another request, or with another status. */
        snprintf(first, sizeof first, "%d\n%s\n", w->status, "other");
        said_alloc(&s, w->status, first, w->body, NOW);
        assert_int_equal(rail_answer(rig.alloc, &ask, &q, &s.reply, &r), 0);
        assert_int_equal(r.state, PAY_UNKNOWN);
    }
    rail_request_free(&q);
}

int run_answer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wechat_answers),  cmocka_unit_test(alipay_answers),
        cmocka_unit_test(alloc_answers),   cmocka_unit_test(account_answers),
        cmocka_unit_test(share_answers),   cmocka_unit_test(account_numbers),
        cmocka_unit_test(royalty_answers),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
