// SPDX-License-Identifier: Apache-2.0
/* test_texts.c: senders of texts: published vectors of both clouds' signatures, the whole request of each
 * kind, tables of answers, phone numbers, settings and keys. Whether independent implementations agree is
 * asked in tests/js/texts.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "texts/port.h"
#include "texts/texts.h"

#define NOW    INT64_C(1795500000000)
#define NONCE  "abcdefghabcdefghabcdefghabcdefgh"
#define SECRET "0123456789abcdef0123456789abcdef"

static char dir[] = "/tmp/even-texts-XXXXXX";
static const struct text code = {.id = "T12345678",
                                 .phone = "+8613800138000",
                                 .kind = TEXT_CODE,
                                 .value = {[PARAM_CODE] = "123456", [PARAM_MINUTES] = "5"}};

static void key_put(const char *name, const char *text, unsigned mode)
{
    char path[120];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    key_put("secret", SECRET "\n", 0600);
    key_put("id", "AKID-example\n", 0600);
    return 0;
}

static int teardown(void **state)
{
    char path[120];
    (void)state;
    static const char *const names[] = {"secret", "id"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static struct texts_config config(int32_t kind)
{
    return (struct texts_config){.kind = kind,
                                 .url = kind == TEXTS_HOOK ? "https://gateway.example/texts" : "",
                                 .app = kind == TEXTS_TENCENT ? "1400006666" : "",
                                 .region = "",
                                 .sign = "EVen",
                                 .template = {"SMS_1", "SMS_2", "SMS_3", "", "SMS_5", "SMS_6"},
                                 .params = {"code", "station,energy,amount", "station,until",
                                            "station,time", "station,amount", "energy,amount"},
                                 .keys = dir};
}

static struct texts *sender(const struct texts_config *c)
{
    struct texts *t = NULL;
    char why[160];
    assert_int_equal(texts_new(c, &t, why), 0);
    assert_string_equal(why, "");
    return t;
}

static bool has_header(const struct texts_request *q, const char *line)
{
    for (size_t i = 0; i < TEXTS_HEADERS_MAX && q->headers[i]; i++)
        if (strcmp(q->headers[i], line) == 0)
            return true;
    return false;
}

static const char *header_of(const struct texts_request *q, const char *name)
{
    for (size_t i = 0; i < TEXTS_HEADERS_MAX && q->headers[i]; i++)
        if (strncmp(q->headers[i], name, strlen(name)) == 0)
            return q->headers[i];
    return "";
}

/* ---- published vectors ---- */

static void vector_of_acs3(void **state)
{
    struct buf out;
    struct acs3 a = {
        .method = STR_LIT("POST"),
        .host = STR_LIT("ecs.cn-shanghai.aliyuncs.com"),
        .action = STR_LIT("RunInstances"),
        .version = STR_LIT("2014-05-26"),
        .query = STR_LIT("ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
                         "&RegionId=cn-shanghai"),
        .body = STR_LIT(""),
        .date = STR_LIT("2023-10-26T10:22:32Z"),
        .nonce = STR_LIT("3156853299f313e23d1673dc12e1703d"),
    };
    (void)state;
    buf_init(&out, 1024);
    aliyun_authorize(&a, STR_LIT("YourAccessKeyId"), STR_LIT("YourAccessKeySecret"), &out);
    assert_int_equal(out.err, 0);
    assert_true(str_eq_c(buf_str(&out),
                         "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;"
                         "x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;"
                         "x-acs-version,Signature="
                         "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"));
    buf_free(&out);
}

static void vector_of_tc3(void **state)
{
    struct buf out;
    struct tc3 a = {
        .host = STR_LIT("cvm.tencentcloudapi.com"),
        .service = STR_LIT("cvm"),
        .body = STR_LIT("{\"Limit\": 1, \"Filters\": [{\"Values\": [\"\\u672a\\u547d\\u540d\"], "
                        "\"Name\": \"instance-name\"}]}"),
        .now_s = 1551113065,
    };
    (void)state;
    buf_init(&out, 1024);
    tencent_authorize(&a, STR_LIT("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"),
                      STR_LIT("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"), &out);
    assert_int_equal(out.err, 0);
    assert_true(str_eq_c(buf_str(&out),
                         "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/"
                         "2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature="
                         "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"));
    buf_free(&out);
}

/* ---- requests ---- */

static void request_of_a_gateway(void **state)
{
    struct texts_config c = config(TEXTS_HOOK);
    struct texts *t = sender(&c);
    struct texts_request q = {0};
    (void)state;
    assert_int_equal(texts_ask(t, &code, NOW, NONCE, &q), 0);
    assert_string_equal(q.url.p, "https://gateway.example/texts");
    assert_true(str_eq_c(buf_str(&q.body),
                         "{\"id\":\"T12345678\",\"kind\":\"code\",\"phone\":\"+8613800138000\","
                         "\"sign\":\"EVen\",\"template\":\"SMS_1\",\"params\":{\"code\":\"123456\","
                         "\"minutes\":\"5\"}}"));
    assert_true(has_header(&q, "Content-Type: application/json"));
    assert_true(has_header(&q, "Text-Time: 1795500000000"));
    assert_true(has_header(&q, "Text-Nonce: " NONCE));
    assert_true(has_header(&q, "Text-Signature: "
                               "9e5b156a7181560e7394575b2859a6e932c2d4c2915847b3b5ae0c70293addde"));
    /* Nothing of it stays behind. */
    texts_request_wipe(&q);
    for (size_t i = 0; i < q.body.size; i++)
        assert_int_equal(q.body.p[i], 0);
    texts_request_free(&q);
    texts_free(t);
}

static void request_of_aliyun(void **state)
{
    struct texts_config c = config(TEXTS_ALIYUN);
    struct texts_request q = {0};
    (void)state;
    c.sign = "易充 &+";
    c.params[TEXT_CODE] = "code, minutes";
    struct texts *t = sender(&c);
    assert_int_equal(texts_ask(t, &code, NOW, NONCE, &q), 0);
    assert_string_equal(q.url.p,
                        "https://dysmsapi.aliyuncs.com/?OutId=T12345678&PhoneNumbers=8613800138000"
                        "&SignName=%E6%98%93%E5%85%85%20%26%2B&TemplateCode=SMS_1&TemplateParam="
                        "%7B%22code%22%3A%22123456%22%2C%22minutes%22%3A%225%22%7D");
    assert_int_equal(q.body.n, 0);
    assert_true(has_header(&q, "x-acs-date: 2026-11-24T06:00:00Z"));
    assert_true(has_header(&q, "x-acs-action: SendSms"));
    assert_true(has_header(&q, "x-acs-version: 2017-05-25"));
    assert_non_null(strstr(header_of(&q, "Authorization"), "Credential=AKID-example,"));
    for (size_t i = 0; q.headers[i]; i++)
        assert_null(strstr(q.headers[i], SECRET));
    texts_request_free(&q);
    texts_free(t);
}

static void request_of_tencent(void **state)
{
    struct texts_config c = config(TEXTS_TENCENT);
    struct texts_request q = {0};
    (void)state;
    c.params[TEXT_CODE] = "minutes,code";
    c.url = "http://127.0.0.1:9100/"; /* a slash at the end is none of the path's */
    struct texts *t = sender(&c);
    assert_int_equal(texts_ask(t, &code, NOW, NONCE, &q), 0);
    assert_string_equal(q.url.p, "http://127.0.0.1:9100/");
    assert_true(str_eq_c(buf_str(&q.body),
                         "{\"PhoneNumberSet\":[\"+8613800138000\"],\"SmsSdkAppId\":\"1400006666\","
                         "\"TemplateId\":\"SMS_1\",\"SignName\":\"EVen\",\"TemplateParamSet\":"
                         "[\"5\",\"123456\"],\"SessionContext\":\"T12345678\"}"));
    assert_true(has_header(&q, "X-TC-Action: SendSms"));
    assert_true(has_header(&q, "X-TC-Version: 2021-01-11"));
    assert_true(has_header(&q, "X-TC-Timestamp: 1795500000"));
    assert_true(has_header(&q, "X-TC-Region: ap-guangzhou"));
    for (size_t i = 0; q.headers[i]; i++)
        assert_null(strstr(q.headers[i], SECRET));
    texts_request_free(&q);
    texts_free(t);
}

/* ---- answers ---- */

struct said {
    int32_t kind;
    int status;
    const char *body;
    int32_t state;
    bool again;
    const char *reason;
};

#define TC(x) "{\"Response\":{" x ",\"RequestId\":\"r\"}}"
#define TC_OF(n, c)                                                                                \
    TC("\"SendStatusSet\":[{\"SerialNo\":\"1\",\"PhoneNumber\":\"" n "\",\"Code\":\"" c "\"}]")

static const struct said said_rows[] = {
    {TEXTS_HOOK, 200, "{\"state\":\"sent\",\"no\":\"17\"}", TEXT_SENT, false, ""},
    {TEXTS_HOOK, 202, "{\"state\":\"sent\",\"more\":1}", TEXT_SENT, false, ""},
    {TEXTS_HOOK, 200, "{\"state\":\"refused\",\"reason\":\"black-list 123456\"}", TEXT_REFUSED,
     false, "black-list"}, /* no digits, no blanks */
    {TEXTS_HOOK, 200, "{\"state\":\"refused\"}", TEXT_REFUSED, false, "refused"},
    {TEXTS_HOOK, 200, "{\"state\":\"queued\"}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_HOOK, 200, "{}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_HOOK, 200, "<html>", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_HOOK, 200, "", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_HOOK, 302, "{\"state\":\"sent\"}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_HOOK, 403, "{\"state\":\"sent\"}", TEXT_REFUSED, false, "refused"},
    {TEXTS_HOOK, 401, "{\"state\":\"refused\",\"reason\":\"bad-signature\"}", TEXT_REFUSED, false,
     "bad-signature"},
    {TEXTS_HOOK, 404, "", TEXT_REFUSED, false, "refused"},
    {TEXTS_HOOK, 429, "", TEXT_REFUSED, true, "too-many"},
    {TEXTS_HOOK, 500, "{\"state\":\"sent\"}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_HOOK, 503, "{\"state\":\"refused\"}", TEXT_UNKNOWN, false, "no-usable-answer"},

    {TEXTS_ALIYUN, 200, "{\"Code\":\"OK\",\"Message\":\"OK\",\"BizId\":\"9^0\"}", TEXT_SENT, false,
     ""},
    {TEXTS_ALIYUN, 200, "{\"Code\":\"isv.BUSINESS_LIMIT_CONTROL\",\"Message\":\"x\"}", TEXT_REFUSED,
     false, "isv.BUSINESS_LIMIT_CONTROL"},
    {TEXTS_ALIYUN, 200, "{\"Code\":\"isv.AMOUNT_NOT_ENOUGH\"}", TEXT_REFUSED, false,
     "isv.AMOUNT_NOT_ENOUGH"},
    {TEXTS_ALIYUN, 200, "{\"Code\":\"isp.SYSTEM_ERROR\"}", TEXT_UNKNOWN, false, "isp.SYSTEM_ERROR"},
    {TEXTS_ALIYUN, 400, "{\"Code\":\"SignatureDoesNotMatch\",\"HostId\":\"h\"}", TEXT_REFUSED,
     false, "SignatureDoesNotMatch"},
    {TEXTS_ALIYUN, 400, "{\"Code\":\"Throttling.User\"}", TEXT_REFUSED, true, "Throttling.User"},
    {TEXTS_ALIYUN, 503, "{\"Code\":\"Throttling\"}", TEXT_REFUSED, true, "Throttling"},
    {TEXTS_ALIYUN, 500, "{\"Code\":\"InternalError\"}", TEXT_UNKNOWN, false, "InternalError"},
    {TEXTS_ALIYUN, 500, "{\"Code\":\"Other\"}", TEXT_UNKNOWN, false, "Other"},
    {TEXTS_ALIYUN, 500, "{\"Code\":\"OK\"}", TEXT_UNKNOWN, false, ""},
    {TEXTS_ALIYUN, 200, "{\"Message\":\"OK\"}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_ALIYUN, 200, "{\"Code\":\"\"}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_ALIYUN, 404, "", TEXT_UNKNOWN, false, "no-usable-answer"},

    {TEXTS_TENCENT, 200, TC_OF("+8613800138000", "Ok"), TEXT_SENT, false, ""},
    {TEXTS_TENCENT, 200, TC_OF("+8613800138001", "Ok"), TEXT_UNKNOWN, false,
     "no-usable-answer"}, /* of another number */
    {TEXTS_TENCENT, 200, TC_OF("+8613800138000", "LimitExceeded.PhoneNumberDailyLimit"),
     TEXT_REFUSED, false, "LimitExceeded.PhoneNumberDailyLimit"},
    {TEXTS_TENCENT, 200, TC_OF("+8613800138000", "InternalError.Timeout"), TEXT_UNKNOWN, false,
     "InternalError.Timeout"},
    {TEXTS_TENCENT, 200, TC("\"Error\":{\"Code\":\"AuthFailure.SignatureFailure\"}"), TEXT_REFUSED,
     false, "AuthFailure.SignatureFailure"},
    {TEXTS_TENCENT, 200, TC("\"Error\":{\"Code\":\"RequestLimitExceeded.IPLimitExceeded\"}"),
     TEXT_REFUSED, true, "RequestLimitExceeded.IPLimitExceeded"},
    {TEXTS_TENCENT, 200, TC("\"Error\":{\"Code\":\"InternalError\"}"), TEXT_UNKNOWN, false,
     "InternalError"},
    {TEXTS_TENCENT, 200, TC("\"SendStatusSet\":[]"), TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_TENCENT, 200, "{\"Response\":{}}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_TENCENT, 200, "{}", TEXT_UNKNOWN, false, "no-usable-answer"},
    {TEXTS_TENCENT, 500, TC_OF("+8613800138000", "Ok"), TEXT_UNKNOWN, false, "no-usable-answer"},
};

static void answers(void **state)
{
    struct texts *t[TEXTS_KINDS] = {0};
    (void)state;
    for (int32_t k = TEXTS_HOOK; k < TEXTS_KINDS; k++) {
        struct texts_config c = config(k);
        t[k] = sender(&c);
    }
    for (size_t i = 0; i < ARRAY_LEN(said_rows); i++) {
        const struct said *r = &said_rows[i];
        struct texts_reply a = {.status = r->status, .body = str_from_c(r->body)};
        struct text_result out;
        texts_answer(t[r->kind], &code, &a, &out);
        if (out.state != r->state || out.again != r->again || strcmp(out.reason, r->reason) != 0)
            fail_msg("row %zu: state %d, again %d, reason \"%s\"", i, (int)out.state, out.again,
                     out.reason);
    }
    for (int32_t k = TEXTS_HOOK; k < TEXTS_KINDS; k++)
        texts_free(t[k]);
}

/* ---- phones ---- */

static void phones(void **state)
{
    static const struct {
        const char *typed, *countries, *e164; /* NULL: refused */
    } rows[] = {
        {"13800138000", "86", "+8613800138000"},
        {"+8613800138000", "86", "+8613800138000"},
        {"13800138000", "852,86", "+8613800138000"},
        {"+85291234567", "86, 852", "+85291234567"},
        {"+4915112345678", "*", "+4915112345678"},
        {"+85291234567", "86", NULL},
        {"13800138000", "852", NULL},
        {"13800138000", "", NULL},
        {"8613800138000", "86", NULL}, /* not said how it is meant */
        {"008613800138000", "86", NULL},
        {"23800138000", "86", NULL},
        {"1380013800", "86", NULL},
        {"+861380013800", "86", NULL},
        {"+86138001380000", "86", NULL},
        {"+8623800138000", "86", NULL},
        {"+013800138000", "*", NULL},
        {"+1234567890123456", "*", NULL},
        {"+12345", "*", NULL},
        {"+86138-0138000", "86", NULL},
        {"+", "*", NULL},
        {"", "*", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[TEXTS_PHONE_SIZE] = "";
        int err = texts_phone(str_from_c(rows[i].typed), rows[i].countries, out);
        if (err != (rows[i].e164 ? 0 : ERR_RANGE) || strcmp(out, rows[i].e164 ? rows[i].e164 : ""))
            fail_msg("%s among %s: %d %s", rows[i].typed, rows[i].countries, err, out);
    }
}

/* ---- settings and keys ---- */

static void refused(const struct texts_config *c, int err, const char *named)
{
    struct texts *t = NULL;
    char why[160];
    assert_int_equal(texts_new(c, &t, why), err);
    assert_null(t);
    if (strncmp(why, named, strlen(named)) != 0)
        fail_msg("says \"%s\", not %s", why, named);
    assert_null(strstr(why, "0123456789"));
}

static void settings_are_judged(void **state)
{
    struct texts_config c = config(TEXTS_HOOK);
    (void)state;
    c.url = "";
    refused(&c, ERR_REQUIRED, "texts.url");
    c.url = "http://gateway.example/texts"; /* plain HTTP leaves this machine */
    refused(&c, ERR_RANGE, "texts.url");
    c.url = "https://gateway.example/?a=b";
    refused(&c, ERR_RANGE, "texts.url");
    c = config(TEXTS_ALIYUN);
    c.sign = "";
    refused(&c, ERR_REQUIRED, "texts.sign");
    c = config(TEXTS_ALIYUN);
    c.template[TEXT_CODE] = "";
    refused(&c, ERR_REQUIRED, "texts.template.code");
    c = config(TEXTS_TENCENT);
    c.app = "";
    refused(&c, ERR_REQUIRED, "texts.app");
    c = config(TEXTS_TENCENT);
    c.params[TEXT_CODE] = "code,name";
    refused(&c, ERR_SYNTAX, "texts.template.code.params");
    c.params[TEXT_CODE] = "minutes"; /* without the code it is of no use */
    refused(&c, ERR_SYNTAX, "texts.template.code.params");
    c.params[TEXT_CODE] = "code,code,code,code,code,code,code,code,code";
    refused(&c, ERR_SYNTAX, "texts.template.code.params");
    c = config(TEXTS_NONE);
    refused(&c, ERR_RANGE, "texts.kind");
    int32_t kind = 9;
    assert_int_equal(texts_kind_find(STR_LIT("tencent"), &kind), 0);
    assert_int_equal(kind, TEXTS_TENCENT);
    assert_int_equal(texts_kind_find(STR_LIT(""), &kind), 0);
    assert_int_equal(kind, TEXTS_NONE);
    assert_int_equal(texts_kind_find(STR_LIT("sms"), &kind), ERR_RANGE);
}

static void keys_are_their_owners(void **state)
{
    struct texts_config c = config(TEXTS_ALIYUN);
    (void)state;
    key_put("secret", SECRET, 0644);
    refused(&c, ERR_DENIED, "secret");
    key_put("secret", "too short", 0600);
    refused(&c, ERR_RANGE, "secret");
    key_put("secret", SECRET "\nX-Header: y", 0600);
    refused(&c, ERR_SYNTAX, "secret");
    key_put("secret", SECRET, 0600);
    key_put("id", "", 0600);
    refused(&c, ERR_RANGE, "id");
    key_put("id", "AKID-example", 0640);
    refused(&c, ERR_DENIED, "id");
    c.keys = "/nowhere";
    refused(&c, ERR_NOT_FOUND, "secret");
    key_put("id", "AKID-example", 0600);
}

/* ---- notices ---- */

#define PLACE     "东区\"A\"站"
#define PLACE_URL "%7B%22station%22%3A%22%E4%B8%9C%E5%8C%BA%5C%22A%5C%22%E7%AB%99%22%2C%22"
#define IN_JSON   "\"station\":\"东区\\\"A\\\"站\""
#define HEAD(kind, sign)                                                                           \
    "{\"id\":\"T12345678\",\"kind\":\"" kind                                                       \
    "\",\"phone\":\"+8613800138000\",\"sign\":\"EVen\"," sign
#define BY(template) "\"template\":\"" template "\",\"params\":{"
#define NO_TEMPLATE  "\"params\":{"

/* What each kind says, and the request of each sender: its body, what signs it (by another program),
 * the value of TemplateParam, that of TemplateParamSet. NULL: the clouds have no template of it. */
static const struct {
    struct text x;
    const char *hook, *signature, *aliyun, *tencent;
} notice_rows[] = {
    {{.kind = TEXT_ENDED,
      .value = {[PARAM_STATION] = PLACE,
                [PARAM_ENERGY] = "12.34",
                [PARAM_AMOUNT] = "18.50",
                [PARAM_CURRENCY] = "CNY",
                [PARAM_REASON] = "充满",
                [PARAM_TIME] = "12:15",
                [PARAM_ORDER] = "77"}},
     HEAD("ended", BY("SMS_2")) IN_JSON
     ",\"energy\":\"12.34\",\"amount\":\"18.50\",\"currency\":\"CNY\",\"reason\":\"充满\","
     "\"time\":\"12:15\",\"order\":\"77\"}}",
     "13c48d6d6374a7d0a94ae4ee91ee843994620f5c552fa31a54515e3aa3dbf0eb",
     "SMS_2&TemplateParam=" PLACE_URL "energy%22%3A%2212.34%22%2C%22amount%22%3A%2218.50%22%7D",
     "\"SMS_2\",\"SignName\":\"EVen\",\"TemplateParamSet\":[\"东区\\\"A\\\"站\",\"12.34\",\"18."
     "50\"]"},
    {{.kind = TEXT_NEAR,
      .value = {[PARAM_MINUTES] = "5",
                [PARAM_STATION] = PLACE,
                [PARAM_UNTIL] = "12:30",
                [PARAM_ORDER] = "77"}},
     HEAD("near", BY("SMS_3")) "\"minutes\":\"5\"," IN_JSON
                               ",\"until\":\"12:30\",\"order\":\"77\"}}",
     "55ab0dde5a071698cb9f56dd000f821a4c8012b3d1bfdb149fe2d982904b2ef0",
     "SMS_3&TemplateParam=" PLACE_URL "until%22%3A%2212%3A30%22%7D",
     "\"SMS_3\",\"SignName\":\"EVen\",\"TemplateParamSet\":[\"东区\\\"A\\\"站\",\"12:30\"]"},
    {{.kind = TEXT_FEE,
      .value = {[PARAM_STATION] = PLACE,
                [PARAM_CURRENCY] = "CNY",
                [PARAM_TIME] = "12:30",
                [PARAM_ORDER] = "77"}},
     HEAD("fee", NO_TEMPLATE) IN_JSON ",\"currency\":\"CNY\",\"time\":\"12:30\",\"order\":\"77\"}}",
     "c35c225fa4d7c0c42ae96bd3325586e14c332d88c1dd42c803fa588295117f0f",
     NULL,
     NULL},
    {{.kind = TEXT_RUNS,
      .value = {[PARAM_STATION] = PLACE,
                [PARAM_AMOUNT] = "2.00",
                [PARAM_CURRENCY] = "CNY",
                [PARAM_TIME] = "12:30",
                [PARAM_ORDER] = "77"}},
     HEAD("runs", BY("SMS_5")) IN_JSON
     ",\"amount\":\"2.00\",\"currency\":\"CNY\",\"time\":\"12:30\""
     ",\"order\":\"77\"}}",
     "998556da49cb23b2e0bdecff8d215fa9fc16a78f3ecc4403c23825b5cfb91fa3",
     "SMS_5&TemplateParam=" PLACE_URL "amount%22%3A%222.00%22%7D",
     "\"SMS_5\",\"SignName\":\"EVen\",\"TemplateParamSet\":[\"东区\\\"A\\\"站\",\"2.00\"]"},
    {{.kind = TEXT_DOUBT,
      .value = {[PARAM_STATION] = PLACE,
                [PARAM_ENERGY] = "0.50",
                [PARAM_AMOUNT] = "0.60",
                [PARAM_CURRENCY] = "CNY",
                [PARAM_REASON] = "设备故障",
                [PARAM_TIME] = "12:15",
                [PARAM_UNTIL] = "11-27 12:15",
                [PARAM_ORDER] = "77"}},
     HEAD("doubt", BY("SMS_6")) IN_JSON
     ",\"energy\":\"0.50\",\"amount\":\"0.60\",\"currency\":\"CNY\",\"reason\":\"设备故障\","
     "\"time\":\"12:15\",\"until\":\"11-27 12:15\",\"order\":\"77\"}}",
     "5cf2ebc7530b471aca196e2aaa882677e7a18c96dbd4ec029a5eab08e6a4e35d",
     "SMS_6&TemplateParam=%7B%22energy%22%3A%220.50%22%2C%22amount%22%3A%220.60%22%7D",
     "\"SMS_6\",\"SignName\":\"EVen\",\"TemplateParamSet\":[\"0.50\",\"0.60\"]"},
};

static struct text notice_of(size_t i)
{
    struct text x = notice_rows[i].x;
    (void)str_copy(x.id, sizeof x.id, STR_LIT("T12345678"));
    (void)str_copy(x.phone, sizeof x.phone, STR_LIT("+8613800138000"));
    return x;
}

static void notices_of_a_gateway(void **state)
{
    struct texts_config c = config(TEXTS_HOOK);
    struct texts *t = sender(&c);
    struct texts_request q = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(notice_rows); i++) {
        struct text x = notice_of(i);
        char signature[100];
        snprintf(signature, sizeof signature, "Text-Signature: %s", notice_rows[i].signature);
        assert_true(texts_sends(t, (enum text_kind)x.kind));
        assert_int_equal(texts_ask(t, &x, NOW, NONCE, &q), 0);
        if (!str_eq_c(buf_str(&q.body), notice_rows[i].hook))
            fail_msg("%.*s", (int)q.body.n, q.body.p);
        assert_true(has_header(&q, signature));
    }
    texts_request_free(&q);
    texts_free(t);
}

static void notices_of_a_cloud(void **state)
{
    (void)state;
    for (int32_t kind = TEXTS_ALIYUN; kind <= TEXTS_TENCENT; kind++) {
        struct texts_config c = config(kind);
        struct texts *t = sender(&c);
        struct texts_request q = {0};
        for (size_t i = 0; i < ARRAY_LEN(notice_rows); i++) {
            struct text x = notice_of(i);
            bool aliyun = kind == TEXTS_ALIYUN;
            const char *want = aliyun ? notice_rows[i].aliyun : notice_rows[i].tencent;
            assert_int_equal(texts_sends(t, (enum text_kind)x.kind), want != NULL);
            assert_int_equal(texts_ask(t, &x, NOW, NONCE, &q), want ? 0 : ERR_RANGE);
            buf_put_char(&q.body, 0);
            if (want && !strstr(aliyun ? q.url.p : q.body.p, want))
                fail_msg("%s %s", q.url.p, q.body.p);
        }
        texts_request_free(&q);
        texts_free(t);
    }
}

static void kinds_and_params(void **state)
{
    struct texts_config c = config(TEXTS_ALIYUN);
    struct texts *t = sender(&c);
    struct texts_request q = {0};
    struct text x = code;
    (void)state;
    static const int32_t none[] = {-1, TEXT_KINDS};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        x.kind = none[i];
        assert_int_equal(texts_ask(t, &x, NOW, NONCE, &q), ERR_RANGE);
    }
    texts_request_free(&q);
    texts_free(t);
    /* A template takes only what its kind has to say. */
    for (int k = TEXT_CODE; k < TEXT_KINDS; k++) {
        static const char *const foreign[TEXT_KINDS] = {"code,station", "code",  "amount",
                                                        "energy",       "until", "minutes"};
        char named[60];
        c = config(TEXTS_ALIYUN);
        c.params[k] = foreign[k];
        snprintf(named, sizeof named, "texts.template.%s.params", texts_kind_name(k));
        refused(&c, ERR_SYNTAX, named);
    }
    c = config(TEXTS_ALIYUN);
    c.template[TEXT_NEAR] = "SMS_0123456789012345678901234567890123456789012345678901234567890";
    refused(&c, ERR_TOO_LARGE, "texts.template.near");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector_of_acs3),
        cmocka_unit_test(vector_of_tc3),
        cmocka_unit_test(request_of_a_gateway),
        cmocka_unit_test(request_of_aliyun),
        cmocka_unit_test(request_of_tencent),
        cmocka_unit_test(answers),
        cmocka_unit_test(phones),
        cmocka_unit_test(settings_are_judged),
        cmocka_unit_test(keys_are_their_owners),
        cmocka_unit_test(notices_of_a_gateway),
        cmocka_unit_test(notices_of_a_cloud),
        cmocka_unit_test(kinds_and_params),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
