// SPDX-License-Identifier: Apache-2.0
/* test_rail.c: keys and their changes, ciphers by vector, what is asked, notices. The notices that
 * are forged in every way stand in tests/js/pay_signs.mjs, where others sign them. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/money.h"
#include "io/net/fetch.h"
#include "io/os/crypto.h"
#include "rail/form.h"
#include "rail/keys.h"

/* ---- ciphers ---- */

static void the_vector_of_the_notice(void **state)
{
    static const char sealed[] =
        "DUcclrHBE5NffFMk6pzEyhUOzEv805vSXVdOTWcxr669KE1ZsfUaWu+xWJCAnuhWBfPp/lo8jxG/rdWTKY/"
        "BGsEiUIV6lCBwJXw6EzhfWt0d6FGMuFTK7HuvqQxkYbvRNDHk9bA6";
    static const char plain[] = "{\"out_trade_no\":\"T1\",\"trade_state\":\"SUCCESS\",\"amount\":{"
                                "\"total\":400,\"payer_total\":400}}";
    uint8_t cipher[256];
    size_t n = 0;
    struct buf out;
    (void)state;
    buf_init(&out, 1024);
    assert_int_equal(base64_decode(str_from_c(sealed), cipher, sizeof cipher, &n), 0);
    struct str c = str_from((const char *)cipher, n), nonce = STR_LIT("fdasflkja484");
    const uint8_t *key = (const uint8_t *)SECRET;
    assert_int_equal(sign_open(key, nonce, STR_LIT("transaction"), c, &out), 0);
    assert_true(str_eq_c(buf_str(&out), plain));
    for (size_t i = 0; i < n; i++) { /* every byte counts, those of the tag too */
        cipher[i] ^= 1;
        assert_int_equal(sign_open(key, nonce, STR_LIT("transaction"), c, &out), ERR_DENIED);
        cipher[i] ^= 1;
    }
    assert_int_equal(sign_open(key, nonce, STR_LIT("refund"), c, &out), ERR_DENIED);
    assert_int_equal(sign_open(key, STR_LIT("short"), STR_LIT("transaction"), c, &out), ERR_DENIED);
    assert_int_equal(out.n, sizeof plain - 1); /* nothing was appended by what failed */
    buf_reset(&out);
    assert_int_equal(sign_seal(key, nonce, STR_LIT("transaction"), str_from_c(plain), &out), 0);
    assert_true(str_eq(buf_str(&out), c));
    buf_free(&out);
}

static void names_are_hidden(void **state)
{
    struct buf hidden, shown;
    struct sign_key *pub;
    (void)state;
    buf_init(&hidden, SIGN_TEXT_MAX);
    buf_init(&shown, 256);
    assert_int_equal(sign_key_public(buf_str(&rig.provider[1]), &pub), 0);
    assert_int_equal(sign_hide(pub, STR_LIT("王小明"), &hidden), 0);
    assert_int_equal(sign_show(rig.theirs, buf_str(&hidden), &shown), 0);
    assert_true(str_eq_c(buf_str(&shown), "王小明"));
    assert_int_equal(sign_show(rig.own, buf_str(&hidden), &shown), ERR_DENIED);
    sign_key_free(pub);
    buf_free(&hidden);
    buf_free(&shown);
}

/* ---- keys ---- */

static void folders_have_plain_names(void **state)
{
    static const char *const good[] = {"wechat-1", "a.b_c", "K9"};
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "ü"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(rail_keys_name_ok(str_from_c(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(rail_keys_name_ok(str_from_c(bad[i])));
}

static void refused_as(int32_t kind, int err)
{
    struct rail *r = NULL;
    assert_int_equal(rig_rail(kind, &r), err);
    assert_null(r);
}

static void keys_that_others_may_read_are_refused(void **state)
{
    (void)state;
    rig_file("merchant.pem", rig.merchant[0].p, rig.merchant[0].n, 0640);
    refused_as(CHANNEL_WECHAT, ERR_DENIED);
    rig_file("merchant.pem", rig.merchant[0].p, rig.merchant[0].n, 0600);
    rig_file("secret", SECRET, 32, 0604);
    refused_as(CHANNEL_WECHAT, ERR_DENIED);
    rig_file("secret", SECRET, 31, 0600);
    refused_as(CHANNEL_WECHAT, ERR_SYNTAX);
    rig_file("secret", SECRET, 32, 0600);
    rig_file("merchant.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 57,
             0600);
    refused_as(CHANNEL_WECHAT, ERR_SYNTAX);
    rig_file("merchant.pem", rig.merchant[1].p, rig.merchant[1].n, 0600); /* the public half */
    refused_as(CHANNEL_WECHAT, ERR_SYNTAX);
    rig_file("merchant.pem", rig.merchant[0].p, rig.merchant[0].n, 0600);
    refused_as(CHANNEL_BANK, ERR_UNSUPPORTED);
}

/* The provider's new key lies beside the old one before it is used; both are good then. */
static void keys_are_changed(void **state)
{
    static struct said s;
    struct rail *both;
    struct buf priv, pub;
    struct rail_request q = {0};
    struct out_pay ask = rig_ask(PAY_CLOSE, CHANNEL_WECHAT);
    struct cmd_pay_result r;
    struct sign_key *old = rig.theirs, *fresh;
    (void)state;
    buf_init(&priv, 8192);
    buf_init(&pub, 8192);
    assert_int_equal(sign_pair_new(&priv, &pub), 0);
    assert_int_equal(sign_key_private(buf_str(&priv), &fresh), 0);
    rig_file("provider/PUB_KEY_ID_2.pem", pub.p, pub.n, 0600);
    assert_int_equal(rig_rail(CHANNEL_WECHAT, &both), 0);
    assert_true(rail_knows(both, STR_LIT("PUB_KEY_ID_1")));
    assert_true(rail_knows(both, STR_LIT("PUB_KEY_ID_2")));
    assert_int_equal(rail_ask(both, &ask, NOW, NONCE, &q, &r), 0);
    said_wechat(&s, 204, "", NOW);
    assert_int_equal(rail_answer(both, &ask, &q, &s.reply, &r), 0);
    assert_int_equal(r.state, PAY_CLOSED);
    rig.theirs = fresh;
    said_wechat(&s, 204, "", NOW);
    rig.theirs = old;
    assert_int_equal(rail_answer(both, &ask, &q, &s.reply, &r), 0); /* signed by 2, named 1 */
    assert_int_equal(r.state, PAY_UNKNOWN);
    (void)str_copy(s.value[2], 64, STR_LIT("PUB_KEY_ID_2"));
    assert_int_equal(rail_answer(both, &ask, &q, &s.reply, &r), 0);
    assert_int_equal(r.state, PAY_CLOSED);
    assert_int_equal(rail_answer(rig.wechat, &ask, &q, &s.reply, &r), 1); /* it has the old only */
    assert_int_equal(r.state, PAY_UNKNOWN);
    rail_request_free(&q);
    rail_free(both);
    sign_key_free(fresh);
    buf_free(&priv);
    buf_free(&pub);
}

/* ---- asking ---- */

static void asked(struct rail *rail, struct out_pay ask, const char *method, const char *url,
                  const char *in_body)
{
    struct rail_request q = {0};
    struct cmd_pay_result r;
    assert_int_equal(rail_ask(rail, &ask, NOW, NONCE, &q, &r), 0);
    assert_string_equal(q.method, method);
    assert_true(str_eq_c(buf_str(&q.url), url));
    if (in_body) {
        buf_put_char(&q.body, 0);
        if (!strstr(q.body.p, in_body))
            fail_msg("%s is not in %s", in_body, q.body.p);
    } else {
        assert_int_equal(q.body.n, 0);
    }
    rail_request_free(&q);
}

static void wechat_asks(void **state)
{
    struct out_pay a = rig_ask(PAY_CREATE, CHANNEL_WECHAT);
    (void)state;
    asked(rig.wechat, a, "POST", "https://pay.test/v3/pay/transactions/native",
          "\"amount\":{\"total\":1234,\"currency\":\"CNY\"}");
    asked(rig.wechat, a, "POST", "https://pay.test/v3/pay/transactions/native",
          "\"time_expire\":\"2026-11-24T14:15:00+08:00\"");
    a.method = PAY_METHOD_APP;
    asked(rig.wechat, a, "POST", "https://pay.test/v3/pay/transactions/jsapi",
          "\"payer\":{\"openid\":\"payee\"}");
    a.method = PAY_METHOD_H5;
    asked(rig.wechat, a, "POST", "https://pay.test/v3/pay/transactions/h5",
          "\"scene_info\":{\"payer_client_ip\":\"payee\",\"h5_info\":{\"type\":\"Wap\"}}");
    a.payee[0] = 0;
    assert_int_equal(rail_ask(rig.wechat, &a, NOW, NONCE, &(struct rail_request){0},
                              &(struct cmd_pay_result){0}),
                     ERR_REQUIRED);
    asked(rig.wechat, rig_ask(PAY_QUERY, CHANNEL_WECHAT), "GET",
          "https://pay.test/v3/pay/transactions/out-trade-no/P1234567?mchid=1900", NULL);
    asked(rig.wechat, rig_ask(PAY_CLOSE, CHANNEL_WECHAT), "POST",
          "https://pay.test/v3/pay/transactions/out-trade-no/P1234567/close",
          "{\"mchid\":\"1900\"}");
    asked(rig.wechat, rig_ask(PAY_REFUND, CHANNEL_WECHAT), "POST",
          "https://pay.test/v3/refund/domestic/refunds",
          "\"amount\":{\"refund\":1234,\"total\":5000,\"currency\":\"CNY\"}");
    a = rig_ask(PAY_TRANSFER, CHANNEL_WECHAT);
    asked(rig.wechat, a, "POST", "https://pay.test/v3/fund-app/mch-transfer/transfer-bills",
          "\"openid\":\"payee\",\"transfer_amount\":1234");
    a.amount = INT64_C(2000) * MONEY_UNIT;
    asked(rig.wechat, a, "POST", "https://pay.test/v3/fund-app/mch-transfer/transfer-bills",
          "\"user_name\":\"");
    asked(rig.wechat, rig_ask(PAY_TRANSFER_QUERY, CHANNEL_WECHAT), "GET",
          "https://pay.test/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/W1234567", NULL);
}

/* Numbers of people go out for the provider's eyes only. */
static void accounts_ask(void **state)
{
    struct out_pay a = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_RAIL);
    struct rail_request q = {0};
    struct cmd_pay_result r;
    (void)state;
    asked(rig.alloc, a, "POST", "https://pay.test/v1/accounts",
          "{\"account\":\"A1234567\",\"kind\":\"person\",\"name\":\"王小明\",\"id_no\":\"");
    assert_int_equal(rail_ask(rig.alloc, &a, NOW, NONCE, &q, &r), 0);
    buf_put_char(&q.body, 0);
    assert_null(strstr(q.body.p, "11010119900307123X"));
    assert_null(strstr(q.body.p, "6222020000000001"));
    a.u.open.bank[0] = 0;
    assert_int_equal(rail_ask(rig.alloc, &a, NOW, NONCE, &q, &r), ERR_REQUIRED);
    asked(rig.alloc, rig_ask(PAY_ACCOUNT_QUERY, CHANNEL_RAIL), "GET",
          "https://pay.test/v1/accounts/A1234567", NULL);
    rail_request_free(&q);
}

static void shares_ask(void **state)
{
    struct out_pay a = rig_ask(PAY_CREATE, CHANNEL_WECHAT);
    (void)state;
    a.sharing = 1;
    asked(rig.wechat, a, "POST", "https://pay.test/v3/pay/transactions/native",
          "\"settle_info\":{\"profit_sharing\":true}");
    asked(rig.wechat, rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_WECHAT), "POST",
          "https://pay.test/v3/profitsharing/receivers/add",
          "\"type\":\"PERSONAL_OPENID\",\"account\":\"oAbc\",\"name\":\"");
    asked(
        rig.wechat, rig_ask(PAY_SHARE, CHANNEL_WECHAT), "POST",
        "https://pay.test/v3/profitsharing/orders",
        "\"receivers\":[{\"type\":\"MERCHANT_ID\",\"account\":\"1900\",\"amount\":100,"
        "\"description\":\"W11\"},{\"type\":\"PERSONAL_OPENID\",\"account\":\"oAbc\",\"amount\":5,"
        "\"description\":\"W12\"}],\"unfreeze_unsplit\":false");
    asked(rig.wechat, rig_ask(PAY_SHARE_QUERY, CHANNEL_WECHAT), "GET",
          "https://pay.test/v3/profitsharing/orders/S1234567?transaction_id=42001", NULL);
    asked(rig.wechat, rig_ask(PAY_UNFREEZE, CHANNEL_WECHAT), "POST",
          "https://pay.test/v3/profitsharing/orders/unfreeze",
          "\"transaction_id\":\"42001\",\"out_order_no\":\"U1234567\"");
    asked(rig.wechat, rig_ask(PAY_RETURN, CHANNEL_WECHAT), "POST",
          "https://pay.test/v3/profitsharing/return-orders",
          "\"out_order_no\":\"S7654321\",\"out_return_no\":\"W1234567\",\"return_mchid\":\"payee\","
          "\"amount\":1234,");
    asked(rig.wechat, rig_ask(PAY_RETURN_QUERY, CHANNEL_WECHAT), "GET",
          "https://pay.test/v3/profitsharing/return-orders/W1234567?out_order_no=S7654321", NULL);
}

/* Alipay's, in what is signed as biz_content. */
static void royalties_ask(void **state)
{
    static const char *const want[][2] = {
        {"alipay.trade.royalty.relation.bind",
         "{\"receiver_list\":[{\"type\":\"userId\",\"account\":\"oAbc\",\"name\":\"王小明\","
         "\"memo\":\"充电分成\"}],\"out_request_no\":\"A1234567\"}"},
        {"alipay.trade.order.settle",
         "{\"out_request_no\":\"S1234567\",\"trade_no\":\"42001\",\"royalty_parameters\":[{"
         "\"royalty_type\":\"transfer\",\"trans_in_type\":\"userId\",\"trans_in\":\"1900\","
         "\"amount\":"
         "\"1.00\",\"desc\":\"W11\"},{\"royalty_type\":\"transfer\",\"trans_in_type\":\"userId\","
         "\"trans_in\":\"oAbc\",\"amount\":\"0.05\",\"desc\":\"W12\"}],\"royalty_mode\":"
         "\"async\"}"},
        {"alipay.trade.order.settle.query",
         "{\"out_request_no\":\"S1234567\",\"trade_no\":\"42001\"}"},
        {"alipay.trade.order.settle",
         "{\"out_request_no\":\"U1234567\",\"trade_no\":\"42001\",\"extend_params\":{"
         "\"royalty_finish\":\"true\"},\"royalty_mode\":\"async\"}"},
    };
    static const enum pay_op ops[] = {PAY_ACCOUNT_OPEN, PAY_SHARE, PAY_SHARE_QUERY, PAY_UNFREEZE};
    struct out_pay a;
    struct cmd_pay_result r;
    struct rail_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct buf part;
        char text[2048];
        buf_init(&part, 4096);
        fetch_escape(&part, str_from_c(want[i][1]));
        snprintf(text, sizeof text, "biz_content=%.*s&", STR_FMT(buf_str(&part)));
        asked(rig.alipay, rig_ask(ops[i], CHANNEL_ALIPAY), "POST", "https://pay.test", text);
        snprintf(text, sizeof text, "&method=%s&", want[i][0]);
        asked(rig.alipay, rig_ask(ops[i], CHANNEL_ALIPAY), "POST", "https://pay.test", text);
        buf_free(&part);
    }
    a = rig_ask(PAY_CREATE, CHANNEL_ALIPAY);
    a.sharing = 1;
    asked(rig.alipay, a, "POST", "https://pay.test",
          "extend_params%22%3A%7B%22royalty_freeze%22%3A%22true%22%7D");
    a = rig_ask(PAY_UNFREEZE, CHANNEL_ALIPAY);
    a.provider_no[0] = 0;
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), ERR_REQUIRED);
    a = rig_ask(PAY_RETURN, CHANNEL_ALIPAY);
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), ERR_UNSUPPORTED);
    rail_request_free(&q);
}

static void others_ask(void **state)
{
    struct out_pay a = rig_ask(PAY_CREATE, CHANNEL_ALIPAY);
    struct cmd_pay_result r;
    struct rail_request q = {0};
    (void)state;
    asked(rig.alipay, a, "POST", "https://pay.test", "%22total_amount%22%3A%2212.34%22");
    asked(rig.alipay, a, "POST", "https://pay.test", "timestamp=2026-11-24%2014%3A00%3A00");
    a.method = PAY_METHOD_H5;
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), 1);
    assert_int_equal(r.state, PAY_PENDING);
    assert_true(str_starts(str_from_c(r.url), STR_LIT("https://pay.test?")));
    assert_true(strlen(r.url) + 600 <
                sizeof r.url); /* room for longer addresses and certificates */
    rail_request_free(&q);
    asked(rig.alloc, rig_ask(PAY_TRANSFER, CHANNEL_RAIL), "POST", "https://pay.test/v1/moves",
          "{\"no\":\"W1234567\",\"account\":\"payee\",\"amount\":1234}");
    asked(rig.alloc, rig_ask(PAY_TRANSFER_QUERY, CHANNEL_RAIL), "GET",
          "https://pay.test/v1/moves/W1234567", NULL);
    a = rig_ask(PAY_CREATE, CHANNEL_RAIL);
    assert_int_equal(rail_ask(rig.alloc, &a, NOW, NONCE, &q, &r), ERR_UNSUPPORTED);
    rail_request_free(&q);
}

static void a_refusal_is_not_yet_a_failure(void **state)
{
    struct out_pay a = rig_ask(PAY_TRANSFER, CHANNEL_WECHAT);
    struct cmd_pay_result r;
    (void)state;
    rail_no_answer(&a, ERR_TIMEOUT, &r);
    assert_int_equal(r.state, PAY_UNKNOWN);
    assert_false(rail_is_refusal(&a, &r));
    r.state = PAY_FAILED;
    assert_true(rail_is_refusal(&a, &r));
    a.op = PAY_TRANSFER_QUERY;
    assert_false(rail_is_refusal(&a, &r));
}

/* ---- notices ---- */

static void forms_are_read_strictly(void **state)
{
    struct arena m;
    struct form f;
    struct buf text;
    (void)state;
    arena_init(&m, 65536);
    buf_init(&text, 1024);
    assert_int_equal(form_read(STR_LIT("b=2+x&a=%E5%85%85&sign=s&sign_type=RSA2&c="), &m, &f), 0);
    form_sign_text(&f, false, &text);
    assert_true(str_eq_c(buf_str(&text), "a=充&b=2 x&c="));
    buf_reset(&text);
    form_sign_text(&f, true, &text);
    assert_true(str_eq_c(buf_str(&text), "a=充&b=2 x&c=&sign_type=RSA2"));
    assert_int_equal(form_read(STR_LIT("a=1&a=2"), &m, &f), ERR_SYNTAX);
    assert_int_equal(form_read(STR_LIT("a=%4"), &m, &f), ERR_SYNTAX);
    assert_int_equal(form_read(STR_LIT("a=%FF"), &m, &f), ERR_SYNTAX);
    assert_int_equal(form_read(STR_LIT(""), &m, &f), ERR_SYNTAX);
    arena_free(&m);
    buf_free(&text);
}

static void a_notice_names_its_row(void **state)
{
    static struct said s;
    static struct rail_told told;
    (void)state;
    said_alloc(&s, 0, "NOTICE\n1900\n",
               "{\"id\":\"1\",\"no\":\"W1234567\",\"state\":\"done\",\"amount\":5}", NOW);
    assert_int_equal(rail_notice(rig.alloc, &s.reply, &told), RAIL_TAKEN);
    assert_int_equal(told.result.row, 1234567);
    assert_int_equal(told.result.channel, 7);
    assert_int_equal(told.result.op, PAY_NOTICE);
    said_alloc(&s, 0, "NOTICE\n1900\n",
               "{\"id\":\"1\",\"no\":\"W1234567\",\"state\":\"done\",\"amount\":5}", NOW - 300001);
    assert_int_equal(rail_notice(rig.alloc, &s.reply, &told), RAIL_STALE);
    said_alloc(&s, 0, "NOTICE\n1900\n",
               "{\"id\":\"1\",\"no\":\"W0234567\",\"state\":\"done\",\"amount\":5}", NOW);
    assert_int_equal(rail_notice(rig.alloc, &s.reply, &told), RAIL_NOT_OURS);
    assert_string_equal(rail_refusal_name(RAIL_NOT_OURS), "not-ours");
}

static void bills_are_asked_for(void **state)
{
    static struct said s;
    struct rail_request q = {0}, next = {0};
    char hash[80];
    (void)state;
    assert_int_equal(rail_bill(rig.wechat, BILL_TRADE, STR_LIT("2026-11-23"), NOW, NONCE, &q), 0);
    assert_true(str_eq_c(buf_str(&q.url),
                         "https://pay.test/v3/bill/tradebill?bill_date=2026-11-23&bill_type=ALL"));
    assert_int_equal(rail_bill(rig.wechat, BILL_SHARES, STR_LIT("2026-11-23"), NOW, NONCE, &q), 0);
    assert_true(
        str_eq_c(buf_str(&q.url),
                 "https://pay.test/v3/profitsharing/bills?bill_date=2026-11-23&tar_type=GZIP"));
    said_wechat(&s, 200,
                "{\"hash_type\":\"SHA1\",\"hash_value\":\"ab\","
                "\"download_url\":\"https://pay.test/v3/billdownload/file?token=x\"}",
                NOW);
    assert_int_equal(rail_bill_answer(rig.wechat, &q, &s.reply, NONCE, &next, hash), 0);
    assert_string_equal(hash, "ab");
    assert_true(str_eq_c(buf_str(&next.url), "https://pay.test/v3/billdownload/file?token=x"));
    (void)str_copy(s.value[1], 64, STR_LIT("0ther")); /* not what was signed */
    assert_int_equal(rail_bill_answer(rig.wechat, &q, &s.reply, NONCE, &next, hash), ERR_DENIED);
    said_wechat(&s, 200,
                "{\"hash_type\":\"SHA1\",\"hash_value\":\"ab\","
                "\"download_url\":\"https://pay.test.evil/file\"}",
                NOW);
    assert_int_equal(rail_bill_answer(rig.wechat, &q, &s.reply, NONCE, &next, hash), ERR_DENIED);
    rail_request_free(&q);
    rail_request_free(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_the_notice),
        cmocka_unit_test(names_are_hidden),
        cmocka_unit_test(folders_have_plain_names),
        cmocka_unit_test(keys_that_others_may_read_are_refused),
        cmocka_unit_test(keys_are_changed),
        cmocka_unit_test(wechat_asks),
        cmocka_unit_test(accounts_ask),
        cmocka_unit_test(shares_ask),
        cmocka_unit_test(royalties_ask),
        cmocka_unit_test(others_ask),
        cmocka_unit_test(a_refusal_is_not_yet_a_failure),
        cmocka_unit_test(forms_are_read_strictly),
        cmocka_unit_test(a_notice_names_its_row),
        cmocka_unit_test(bills_are_asked_for),
    };
    if (crypto_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown) + run_answer_tests() +
           run_notice_tests() + run_doubt_tests() + run_edge_tests();
}
