// SPDX-License-Identifier: Apache-2.0
/* test_edges.c: what is never asked, where a bill is not, forms that no one writes, folders whose keys do not
 * do, and a notice that fills the memory it is read in. */
#include "rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/money.h"
#include "rail/form.h"
#include "rail/keys.h"

/* ---- asking ---- */

static void cannot_be_asked(const struct rail *rail, const struct out_pay *ask, int line)
{
    struct rail_request q = {0};
    struct cmd_pay_result r;
    int err = rail_ask(rail, ask, NOW, NONCE, &q, &r);
    if (err != ERR_REQUIRED)
        fail_msg("line %d: %d", line, err);
    rail_request_free(&q);
}

static void something_is_missing(void **state)
{
    struct rail *both[] = {rig.wechat, rig.alipay};
    struct out_pay a;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        a = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_WECHAT);
        a.u.open.account[0] = 0;
        cannot_be_asked(both[i], &a, __LINE__);
        a = rig_ask(PAY_ACCOUNT_QUERY, CHANNEL_WECHAT);
        a.u.open.name[0] = 0;
        cannot_be_asked(both[i], &a, __LINE__);
        a = rig_ask(PAY_SHARE, CHANNEL_WECHAT);
        a.provider_no[0] = 0;
        cannot_be_asked(both[i], &a, __LINE__);
        a = rig_ask(PAY_SHARE, CHANNEL_WECHAT);
        a.u.share.n = 0;
        cannot_be_asked(both[i], &a, __LINE__);
        a.u.share.n = PAY_SHARES_MAX + 1;
        cannot_be_asked(both[i], &a, __LINE__);
    }
    a = rig_ask(PAY_RETURN, CHANNEL_WECHAT);
    a.payee[0] = 0;
    cannot_be_asked(rig.wechat, &a, __LINE__);
    a = rig_ask(PAY_RETURN, CHANNEL_WECHAT);
    a.of_no[0] = 0;
    cannot_be_asked(rig.wechat, &a, __LINE__);
    a = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_RAIL);
    a.u.open.name[0] = 0;
    cannot_be_asked(rig.alloc, &a, __LINE__);
    a = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_RAIL);
    a.u.open.id_no[0] = 0;
    cannot_be_asked(rig.alloc, &a, __LINE__);
}

static bool asks_with(const struct rail *rail, const struct out_pay *ask, const char *what)
{
    struct rail_request q = {0};
    struct cmd_pay_result r;
    assert_int_equal(rail_ask(rail, ask, NOW, NONCE, &q, &r), 0);
    buf_put_char(&q.body, 0);
    bool has = strstr(q.body.p, what) != NULL;
    rail_request_free(&q);
    return has;
}

/* What goes out besides: a payee's name from 2,000 yuan on, a person and a company told apart. */
static void what_goes_out(void **state)
{
    struct out_pay a = rig_ask(PAY_TRANSFER, CHANNEL_WECHAT);
    (void)state;
    a.amount = INT64_C(2000) * MONEY_UNIT - MONEY_FEN;
    assert_false(asks_with(rig.wechat, &a, "user_name"));
    a.amount += MONEY_FEN;
    assert_true(asks_with(rig.wechat, &a, "user_name"));
    a = rig_ask(PAY_CREATE, CHANNEL_WECHAT);
    a.payee[0] = 0;
    assert_false(asks_with(rig.wechat, &a, "profit_sharing\":true"));
    assert_true(asks_with(rig.wechat, &a, "https://even.test/notify/7"));
    a = rig_ask(PAY_ACCOUNT_OPEN, CHANNEL_RAIL);
    assert_true(asks_with(rig.alloc, &a, "\"kind\":\"person\""));
    a.u.open.payee_kind = PAYEE_COMPANY;
    assert_true(asks_with(rig.alloc, &a, "\"kind\":\"company\""));
    a = rig_ask(PAY_REFUND, CHANNEL_RAIL);
    snprintf(a.of_no, sizeof a.of_no, "W7654321");
    assert_true(
        asks_with(rig.alloc, &a, "{\"no\":\"W1234567\",\"of_no\":\"W7654321\",\"amount\":1234}"));
    a = rig_ask(PAY_TRANSFER, CHANNEL_ALIPAY);
    assert_true(asks_with(rig.alipay, &a, "ALIPAY_LOGON_ID"));
    snprintf(a.payee, sizeof a.payee, "2088000000000001");
    assert_true(asks_with(rig.alipay, &a, "ALIPAY_USER_ID"));
    snprintf(a.payee, sizeof a.payee, "208800000000001");
    assert_true(asks_with(rig.alipay, &a, "ALIPAY_LOGON_ID"));
    snprintf(a.payee, sizeof a.payee, "3088000000000001");
    assert_true(asks_with(rig.alipay, &a, "ALIPAY_LOGON_ID"));
}

/* The text behind `name` in the headers of a request; it ends at `end`. */
static struct str header_text(const struct rail_request *q, const char *name, char end)
{
    for (size_t i = 0; q->headers[i]; i++) {
        const char *at = strstr(q->headers[i], name);
        if (at) {
            struct str rest = str_from_c(at + strlen(name));
            return str_cut(&rest, end);
        }
    }
    return STR_NONE;
}

static void signed_as(const struct rail_request *q, struct str sig, const char *first)
{
    struct buf text;
    buf_init(&text, 65536);
    buf_put_c(&text, first);
    buf_put_str(&text, buf_str(&q->body));
    buf_put_char(&text, '\n');
    assert_int_equal(sign_check(rig.own_public, buf_str(&text), sig), 0);
    buf_free(&text);
}

/* What goes out is signed: method, path, time, nonce and body. */
static void requests_are_signed(void **state)
{
    struct out_pay a = rig_ask(PAY_CLOSE, CHANNEL_WECHAT);
    struct rail_request q = {0};
    struct cmd_pay_result r;
    (void)state;
    assert_int_equal(rail_ask(rig.wechat, &a, NOW, NONCE, &q, &r), 0);
    assert_true(str_eq_c(header_text(&q, "mchid=\"", '"'), "1900"));
    assert_true(str_eq_c(header_text(&q, "serial_no=\"", '"'), "AB12"));
    assert_true(str_eq_c(header_text(&q, "Wechatpay-Serial: ", 0), SERIAL));
    assert_true(str_eq_c(header_text(&q, "Content-Type: ", 0), "application/json"));
    signed_as(&q, header_text(&q, "signature=\"", '"'),
              "POST\n/v3/pay/transactions/out-trade-no/P1234567/close\n1795500000\n" NONCE "\n");
    a = rig_ask(PAY_TRANSFER_QUERY, CHANNEL_WECHAT);
    assert_int_equal(rail_ask(rig.wechat, &a, NOW, NONCE, &q, &r), 0);
    assert_int_equal(header_text(&q, "Content-Type: ", 0).n, 0); /* it has no content */
    a = rig_ask(PAY_TRANSFER, CHANNEL_RAIL);
    assert_int_equal(rail_ask(rig.alloc, &a, NOW, NONCE, &q, &r), 0);
    assert_true(str_eq_c(header_text(&q, "Rail-Merchant: ", 0), "1900"));
    signed_as(&q, header_text(&q, "Rail-Signature: ", 0),
              "POST\n/v1/moves\n1795500000000\n" NONCE "\n");
    rail_request_free(&q);
}

/* Where a provider is: its public address, or one with a path of its own, which is signed with the rest. */
static void addresses(void **state)
{
    static const char *const urls[] = {"", "https://till.test/wechat"};
    static const char *const asked[] = {"https://api.mch.weixin.qq.com/v3/refund/domestic/refunds/",
                                        "https://till.test/wechat/v3/refund/domestic/refunds/"};
    static const char *const paths[] = {
        "GET\n/v3/refund/domestic/refunds/W1234567\n1795500000\n" NONCE "\n",
        "GET\n/wechat/v3/refund/domestic/refunds/W1234567\n"
        "1795500000\n" NONCE "\n"};
    struct out_pay a = rig_ask(PAY_REFUND_QUERY, CHANNEL_WECHAT);
    struct rail_request q = {0};
    struct cmd_pay_result r;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct rail *rail = NULL;
        char why[160];
        struct rail_config c = {.channel = 7,
                                .kind = CHANNEL_WECHAT,
                                .url = urls[i],
                                .app = "wx1",
                                .merchant = "1900",
                                .notify_url = "",
                                .keys = rig.dir};
        assert_int_equal(rail_new(&c, &rail, why), 0);
        assert_string_equal(why, "");
        assert_int_equal(rail_ask(rail, &a, NOW, NONCE, &q, &r), 0);
        assert_true(str_starts(buf_str(&q.url), str_from_c(asked[i])));
        signed_as(&q, header_text(&q, "signature=\"", '"'), paths[i]);
        rail_free(rail);
    }
    rail_free(NULL);
    rail_request_free(&q);
}

/* A form that is signed over all of its members but the signature. */
static void form_signed(struct str text, const char *method, const char *product)
{
    struct arena m;
    struct form f;
    struct buf what;
    arena_init(&m, 65536);
    buf_init(&what, 65536);
    assert_int_equal(form_read(text, &m, &f), 0);
    form_sign_text(&f, true, &what);
    assert_int_equal(sign_check(rig.own_public, buf_str(&what), form_get(&f, "sign")), 0);
    assert_true(str_eq_c(form_get(&f, "method"), method));
    struct str content = form_get(&f, "biz_content");
    char json[4096];
    snprintf(json, sizeof json, "%.*s", STR_FMT(content));
    assert_int_equal(strstr(json, "product_code") != NULL, product != NULL);
    assert_true(!product || strstr(json, product));
    for (size_t i = 0; i < f.n; i++) /* no certificate, no name of one */
        assert_false(str_eq_c(f.pair[i].name, "app_cert_sn"));
    arena_free(&m);
    buf_free(&what);
}

static void alipay_signs(void **state)
{
    struct out_pay a = rig_ask(PAY_CREATE, CHANNEL_ALIPAY);
    struct rail_request q = {0};
    struct cmd_pay_result r;
    struct str url;
    (void)state;
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), 0);
    form_signed(buf_str(&q.body), "alipay.trade.precreate", NULL);
    a.method = PAY_METHOD_H5;
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), 1);
    url = str_from_c(r.url);
    assert_true(str_eq_c(str_cut(&url, '?'), "https://pay.test"));
    form_signed(url, "alipay.trade.wap.pay", "QUICK_WAP_WAY");
    a.method = PAY_METHOD_APP;
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), 1);
    form_signed(str_from_c(r.url), "alipay.trade.app.pay", "QUICK_MSECURITY_PAY");
    a = rig_ask(PAY_QUERY, CHANNEL_ALIPAY); /* the way to pay is of no account here */
    a.method = PAY_METHOD_APP;
    assert_int_equal(rail_ask(rig.alipay, &a, NOW, NONCE, &q, &r), 0);
    form_signed(buf_str(&q.body), "alipay.trade.query", NULL);
    assert_int_equal(rail_bill(rig.alipay, BILL_TRADE, STR_LIT("2026-11-23"), NOW, NONCE, &q), 0);
    form_signed(buf_str(&q.body), "alipay.data.dataservice.bill.downloadurl.query", NULL);
    rail_request_free(&q);
}

/* ---- where a bill is ---- */

struct where {
    int status;
    const char *body, *url; /* where it is; NULL: `err` */
    int err;
};

static void bill_judged(int32_t kind, const struct where *w, bool forged)
{
    static struct said s;
    static char body[200000], node[200];
    struct rail_request q = {0}, next = {0};
    struct rail *rail = kind == CHANNEL_WECHAT   ? rig.wechat
                        : kind == CHANNEL_ALIPAY ? rig.alipay
                                                 : rig.alloc;
    char first[80], hash[80];
    assert_int_equal(rail_bill(rail, BILL_TRADE, STR_LIT("2026-11-23"), NOW, NONCE, &q), 0);
    snprintf(first, sizeof first, "%d\n%s\n", w->status, NONCE);
    snprintf(node, sizeof node, "alipay_data_dataservice_bill_downloadurl_query_response");
    if (kind == CHANNEL_WECHAT)
        said_wechat(&s, w->status, w->body, NOW);
    else if (kind == CHANNEL_RAIL)
        said_alloc(&s, w->status, first, w->body, NOW);
    else
        said_alipay(&s, node, w->body, body, sizeof body);
    s.reply.status = w->status;
    if (forged && kind == CHANNEL_ALIPAY)
        *strstr(body, "Success") = 's';
    else if (forged)
        s.value[3][10] = s.value[3][10] == 'A' ? 'B' : 'A';
    int err = rail_bill_answer(rail, &q, &s.reply, NONCE, &next, hash);
    if (err != (forged ? ERR_DENIED : w->err))
        fail_msg("%.200s: %d", w->body, err);
    if (err)
        assert_null(next.headers[0]);
    else
        assert_true(str_eq_c(buf_str(&next.url), w->url));
    rail_request_free(&q);
    rail_request_free(&next);
}

static void bills_judged(int32_t kind, const struct where *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bill_judged(kind, &w[i], false);
    bill_judged(kind, w, true);
}

static void wechat_bills(void **state)
{
#define FILE_AT(url) "{\"hash_type\":\"SHA1\",\"hash_value\":\"ab\",\"download_url\":\"" url "\"}"
    static const struct where cases[] = {
        {200, FILE_AT("https://pay.test/f?x=1"), "https://pay.test/f?x=1", 0},
        {200,
         "{\"hash_type\":\"SHA1\",\"hash_value\":\"ab\",\"download_url\":\"https://pay.test/f\"",
         NULL, ERR_SYNTAX},
        {200, "{\"hash_type\":\"SHA1\",\"download_url\":\"https://pay.test/f\"}", NULL,
         ERR_REQUIRED},
        {200, FILE_AT("https://pay.test"), NULL, ERR_DENIED},
        {200, FILE_AT("https://pay.testing/f"), NULL, ERR_DENIED},
        {200, FILE_AT("https://pay.evil/f"), NULL, ERR_DENIED},
        {200, FILE_AT("/f"), NULL, ERR_DENIED},
        {200,
         "{\"hash_type\":\"SHA1\",\"hash_value\":\"\",\"download_url\":\"https://pay.test/f\"}",
         NULL, ERR_REQUIRED},
        {400, "{\"code\":\"NO_STATEMENT_EXIST\"}", NULL, ERR_NOT_FOUND},
        {404, "{\"code\":\"NOT_FOUND\"}", NULL, ERR_NOT_FOUND},
        {404, "{\"code\":\"RESOURCE_NOT_EXISTS\"}", NULL, ERR_NOT_FOUND},
        {500, "{\"code\":\"NO_STATEMENT_EXIST\"}", NULL, ERR_AGAIN},
        {400, "{\"code\":\"STATEMENT_CREATING\"}", NULL, ERR_AGAIN},
        {403, "{\"code\":\"FREQUENCY_LIMITED\"}", NULL, ERR_AGAIN},
        {403, "{\"code\":\"SIGN_ERROR\"}", NULL, ERR_AGAIN},
        {400, "{\"code\":\"SYSTEM_ERROR\"}", NULL, ERR_AGAIN},
        {400, "{\"code\":\"PARAM_ERROR\"}", NULL, ERR_PROVIDER},
        {403, "{\"code\":\"NO_AUTH\"}", NULL, ERR_PROVIDER},
        {404, "{\"code\":\"PARAM_ERROR\"}", NULL, ERR_PROVIDER},
        {400, "{\"code\":", NULL, ERR_AGAIN},
        {400, "{}", NULL, ERR_PROVIDER},
        {400, "", NULL, ERR_AGAIN},
        {401, "{\"code\":\"SIGN_ERROR\"}", NULL, ERR_AGAIN},
        {500, "{\"code\":\"SYSTEM_ERROR\"}", NULL, ERR_AGAIN},
        {204, "", NULL, ERR_AGAIN},
    };
    (void)state;
    bills_judged(CHANNEL_WECHAT, cases, ARRAY_LEN(cases));
}

static void alipay_bills(void **state)
{
#define SAID(code, more) "{\"code\":\"" code "\",\"msg\":\"Success\"" more "}"
    static const struct where cases[] = {
        {200, SAID("10000", ",\"bill_download_url\":\"https://dl.test/f\""), "https://dl.test/f",
         0},
        {200, SAID("10000", ""), NULL, ERR_AGAIN},
        {200, SAID("20000", ",\"bill_download_url\":\"https://dl.test/f\""), NULL, ERR_AGAIN},
        {200, SAID("40004", ""), NULL, ERR_NOT_FOUND},
        {200, SAID("10000", ",\"bill_download_url\":{}"), NULL, ERR_TYPE},
        {500, SAID("10000", ",\"bill_download_url\":\"https://dl.test/f\""), NULL, ERR_AGAIN},
        {404, SAID("40004", ""), NULL, ERR_AGAIN},
    };
    (void)state;
    bills_judged(CHANNEL_ALIPAY, cases, ARRAY_LEN(cases));
}

static void alloc_bills(void **state)
{
    static char body[70200];
#define BILL(date, url) "{\"date\":\"" date "\",\"hash\":\"ab\",\"url\":\"" url "\"}"
    static const struct where cases[] = {
        {200, BILL("2026-11-23", "/v1/files/3"), "https://pay.test/v1/files/3", 0},
        {200, BILL("2026-11-22", "/v1/files/3"), NULL, ERR_DENIED},
        {200, BILL("23", "/v1/files/3"), NULL, ERR_DENIED},
        {200, BILL("2026-11-23", "https://evil/f"), NULL, ERR_DENIED},
        {200, BILL("2026-11-23", "evil"), NULL, ERR_DENIED},
        {200, "{\"date\":\"2026-11-23\",\"hash\":\"ab\",\"url\":\"/v1/files/3\"", NULL, ERR_SYNTAX},
        {200, "{\"date\":\"2026-11-23\",\"url\":\"/v1/files/3\"}", NULL, ERR_REQUIRED},
        {404, "{\"code\":\"not_found\"}", NULL, ERR_NOT_FOUND},
        {500, "{\"code\":\"busy\"}", NULL, ERR_AGAIN},
        {400, "{\"code\":\"refused\"}", NULL, ERR_AGAIN},
    };
    struct where longer = {200, body, NULL, ERR_TOO_LARGE};
    size_t n =
        (size_t)snprintf(body, sizeof body, "{\"date\":\"2026-11-23\",\"hash\":\"ab\",\"url\":\"/");
    (void)state;
    bills_judged(CHANNEL_RAIL, cases, ARRAY_LEN(cases));
    memset(body + n, 'x', 65530); /* the answer fits, the address behind the provider's does not */
    snprintf(body + n + 65530, 10, "\"}");
    bill_judged(CHANNEL_RAIL, &longer, false);
}

/* A day that is none is never asked for as one. */
static void days_that_are_none(void **state)
{
    struct rail *both[] = {rig.wechat, rig.alloc};
    struct rail_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        assert_int_equal(rail_bill(both[i], BILL_TRADE, STR_LIT("2026-11-234"), NOW, NONCE, &q), 0);
        assert_null(strstr(q.url.p, "2026"));
    }
    assert_int_equal(rail_bill(rig.wechat, BILL_SHARES, STR_LIT("2026-11-2"), NOW, NONCE, &q), 0);
    assert_null(strstr(q.url.p, "2026"));
    /* Only one provider has a bill of its own for shares. */
    assert_int_equal(rail_bill(rig.alipay, BILL_SHARES, STR_LIT("2026-11-23"), NOW, NONCE, &q),
                     ERR_UNSUPPORTED);
    assert_int_equal(rail_bill(rig.alloc, BILL_SHARES, STR_LIT("2026-11-23"), NOW, NONCE, &q),
                     ERR_UNSUPPORTED);
    rail_request_free(&q);
}

/* ---- forms ---- */

static void forms_that_nobody_writes(void **state)
{
    static const char *const bad[] = {"a=%G1%80%80%80", "a=%1G", "a=%",       "a=%4",  "a=%4&b=1",
                                      "%G1%80%80%80=a", "a=%C3", "a=1&%61=2", "a=%4@", "a=%4`"};
    struct arena m, small;
    struct form f;
    char many[1000];
    size_t n = 0;
    (void)state;
    arena_init(&m, 65536);
    arena_init(&small, 16);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (form_read(str_from_c(bad[i]), &m, &f) != ERR_SYNTAX)
            fail_msg("%s is taken", bad[i]);
    assert_int_equal(form_read(str_from("a=%41", 4), &m, &f), ERR_SYNTAX); /* it ends there */
    assert_int_equal(form_read(STR_LIT("a=%c3%BC&b=%7e"), &m, &f), 0);
    assert_true(str_eq_c(form_get(&f, "a"), "ü"));
    assert_true(str_eq_c(form_get(&f, "b"), "~"));
    assert_int_equal(form_get(&f, "c").n, 0);
    assert_int_equal(form_read(STR_LIT("a=12345678901234567890"), &small, &f), ERR_NOMEM);
    for (int i = 0; i <= FORM_MAX; i++) {
        arena_reset(&m);
        assert_int_equal(form_read(str_from(many, n), &m, &f), i ? 0 : ERR_SYNTAX);
        n += (size_t)snprintf(many + n, sizeof many - n, "%sn%d=1", i ? "&" : "", i);
    }
    assert_int_equal(form_read(str_from(many, n), &m, &f), ERR_FULL);
    arena_free(&m);
    arena_free(&small);
}

/* ---- keys ---- */

static void gone(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", rig.dir, name);
    assert_int_equal(unlink(path), 0);
}

static void opens_as(int32_t kind, int err)
{
    struct rail *r = NULL;
    assert_int_equal(rig_rail(kind, &r), err);
    assert_int_equal(r != NULL, err == 0);
    rail_free(r);
}

static void folders_that_lack_something(void **state)
{
    char name[80], far[500], why[160];
    struct rail_keys k;
    (void)state;
    gone("secret");
    struct rail *none = NULL;
    const struct rail_config wechat = {.kind = CHANNEL_WECHAT,
                                       .url = "",
                                       .app = "",
                                       .merchant = "",
                                       .notify_url = "",
                                       .keys = rig.dir};
    assert_int_equal(rail_new(&wechat, &none, why), ERR_NOT_FOUND);
    assert_true(str_starts(str_from_c(why), STR_LIT("secret: "))); /* the file, not what is in it */
    opens_as(CHANNEL_WECHAT, ERR_NOT_FOUND);
    opens_as(CHANNEL_ALIPAY, 0); /* it wants none */
    opens_as(CHANNEL_RAIL, 0);
    rig_file("secret", SECRET, 32, 0600);
    gone("merchant.serial");
    opens_as(CHANNEL_WECHAT, ERR_NOT_FOUND);
    opens_as(CHANNEL_RAIL, ERR_NOT_FOUND);
    opens_as(CHANNEL_ALIPAY, 0);
    rig_file("merchant.serial", "AB12\n", 5, 0644);
    opens_as(CHANNEL_WECHAT, ERR_DENIED);
    rig_file("merchant.serial", "AB12\n", 5, 0600);
    rig_file("merchant.crt", "no certificate", 14, 0600);
    opens_as(CHANNEL_WECHAT, ERR_SYNTAX);
    gone("merchant.crt");
    gone("merchant.pem");
    opens_as(CHANNEL_WECHAT, ERR_NOT_FOUND);
    rig_file("merchant.pem", rig.merchant[0].p, rig.merchant[0].n, 0600);
    opens_as(CHANNEL_WECHAT, 0);
    memset(far, 'x', sizeof far);
    memcpy(far, "/tmp/", 5);
    far[395] = 0;
    assert_int_equal(rail_keys_load(far, &k, why), ERR_TOO_LARGE);
    for (int i = 2; i <= RAIL_KEYS_MAX + 1; i++) {
        opens_as(CHANNEL_WECHAT, 0);
        snprintf(name, sizeof name, "provider/PUB_KEY_ID_%d.pem", i);
        rig_file(name, rig.provider[1].p, rig.provider[1].n, 0600);
    }
    opens_as(CHANNEL_WECHAT, ERR_FULL);
    for (int i = 2; i <= RAIL_KEYS_MAX + 1; i++) {
        snprintf(name, sizeof name, "provider/PUB_KEY_ID_%d.pem", i);
        gone(name);
    }
    gone("provider/" SERIAL ".pem");
    opens_as(CHANNEL_WECHAT, ERR_NOT_FOUND);
    rig_file("provider/" SERIAL ".pem", "no key", 6, 0600);
    opens_as(CHANNEL_WECHAT, ERR_SYNTAX);
    rig_file("provider/" SERIAL ".pem", rig.provider[1].p, rig.provider[1].n, 0644);
    opens_as(CHANNEL_WECHAT, ERR_DENIED);
    rig_file("provider/" SERIAL ".pem", rig.provider[1].p, rig.provider[1].n, 0600);
    rig_file("provider/README", "no key", 6, 0644); /* not looked at */
    rig_file("provider/.pem", "no key", 6, 0644);
    opens_as(CHANNEL_WECHAT, 0);
    opens_as(CHANNEL_BANK, ERR_UNSUPPORTED);
}

/* ---- the longest notices ---- */

/* A notice of WeChat Pay's with this body, of which `first` was signed. */
static enum rail_refusal notice_of(struct str body, struct str first, struct rail_told *told)
{
    static struct said s;
    struct buf text, sig;
    buf_init(&text, 200000);
    buf_init(&sig, SIGN_TEXT_MAX);
    said_wechat(&s, 0, "", NOW);
    buf_printf(&text, "%s\nn0nce\n", s.value[0]);
    buf_put_str(&text, first);
    assert_int_equal(sign_make(rig.theirs, buf_str(&text), &sig), 0);
    (void)str_copy(s.value[3], sizeof s.value[3], buf_str(&sig));
    s.reply.body = body;
    enum rail_refusal why = rail_notice(rig.wechat, &s.reply, told);
    buf_free(&text);
    buf_free(&sig);
    return why;
}

/* As long as a signed text may be: then what it seals has no room beside it, and it is refused as any that
 * cannot be read. Longer, it is not the part of it that fits which counts. */
static void notices_without_room(void **state)
{
    static const char head[] = "{\"id\":\"\\u0031\",\"event_type\":\"TRANSACTION.SUCCESS\","
                               "\"resource\":{\"algorithm\":\"AEAD_AES_256_GCM\","
                               "\"ciphertext\":\"\\/AAA";
    static const char tail[] = "\",\"nonce\":\"fdasflkja484\",\"associated_data\":\"thing\"}}\n";
    static struct rail_told told;
    struct buf body;
    struct str all;
    (void)state;
    buf_init(&body, 200000);
    buf_put_c(&body, head);
    while (body.n < 130990 - sizeof tail)
        buf_put_c(&body, "AAAA");
    buf_put_c(&body, tail);
    all = buf_str(&body);
    assert_int_equal(notice_of(str_from(all.p, all.n - 1), all, &told), RAIL_BAD_FORM);
    while (body.n < 140000)
        buf_put_c(&body, "\n");
    assert_int_equal(notice_of(buf_str(&body), STR_NONE, &told), RAIL_BAD_SIGNATURE);
    assert_int_equal(notice_of(buf_str(&body), STR_LIT("\n"), &told), RAIL_BAD_SIGNATURE);
    buf_free(&body);
}

/* The same told again has the same mark, anything else another: by it a replay is known. */
static void notices_are_marked(void **state)
{
    static const char *const rows[] = {"W1234567", "W1234567", "W1234568"};
    static struct rail_told told[ARRAY_LEN(rows)];
    static struct said s;
    char body[200];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(body, sizeof body, "{\"id\":\"1\",\"no\":\"%s\",\"state\":\"done\",\"amount\":5}",
                 rows[i]);
        said_alloc(&s, 0, "NOTICE\n1900\n", body, NOW);
        assert_int_equal(rail_notice(rig.alloc, &s.reply, &told[i]), RAIL_TAKEN);
    }
    assert_memory_equal(told[0].mark, told[1].mark, RAIL_MARK_SIZE);
    assert_memory_not_equal(told[0].mark, told[2].mark, RAIL_MARK_SIZE);
}

/* Of a form that is longer than may be, the part that fits counts no more. */
static void a_form_without_room(void **state)
{
    static const char fits[] = "app_id=2021&out_trade_no=P1234567&seller_id=1900&utc_timestamp="
                               "1795500000000&z=";
    static struct said s;
    static struct rail_told told;
    struct buf body, sig;
    (void)state;
    buf_init(&body, 200000);
    buf_init(&sig, SIGN_TEXT_MAX);
    assert_int_equal(sign_make(rig.theirs, str_from_c(fits), &sig), 0);
    buf_put_c(&body, fits);
    while (body.n < 70000)
        buf_put_c(&body, "zzzz");
    buf_put_c(&body, "&sign_type=RSA2&sign=");
    for (size_t i = 0; i < sig.n; i++)
        buf_printf(&body, sig.p[i] == '+' ? "%%2B" : "%c", sig.p[i]);
    said_wechat(&s, 0, "", NOW); /* its headers are not looked at */
    s.reply.body = buf_str(&body);
    assert_int_equal(rail_notice(rig.alipay, &s.reply, &told), RAIL_BAD_SIGNATURE);
    buf_free(&body);
    buf_free(&sig);
}

int run_edge_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(something_is_missing),
        cmocka_unit_test(what_goes_out),
        cmocka_unit_test(wechat_bills),
        cmocka_unit_test(alipay_bills),
        cmocka_unit_test(alloc_bills),
        cmocka_unit_test(forms_that_nobody_writes),
        cmocka_unit_test(folders_that_lack_something),
        cmocka_unit_test(requests_are_signed),
        cmocka_unit_test(addresses),
        cmocka_unit_test(alipay_signs),
        cmocka_unit_test(days_that_are_none),
        cmocka_unit_test(a_form_without_room),
        cmocka_unit_test(notices_without_room),
        cmocka_unit_test(notices_are_marked),
    };
    return cmocka_run_group_tests_name("edges", tests, rig_setup, rig_teardown);
}
