// SPDX-License-Identifier: Apache-2.0
/* tencent.c: Tencent Cloud SMS, action SendSms of 2021-01-11, signed with TC3-HMAC-SHA256. The facts are
 * from cloud.tencent.com: "发送短信 SendSms" (document/api/382/55981), "签名方法 v3" (the same page for every
 * product, e.g. tencentcloud.com/document/product/1154/48911: what is signed, and the example whose
 * signature the unit test tries) and "短信 API 3.0 发送错误码" (document/api/382/59177). Path "/", no query;
 * the headers Content-Type and Host are signed.
 *
 * Owns nothing. Fails with TEXT_UNKNOWN. */
#include <inttypes.h>
#include <stdio.h>

#include "base/calendar.h"
#include "io/os/crypto.h"
#include "texts/port.h"
#include "wire/texts.h"

#define TYPE    "application/json; charset=utf-8"
#define SERVICE "sms"
#define REGION  "ap-guangzhou"

/* The key of a day and a service, so that the secret itself signs one thing only. */
static void day_key(struct str secret, struct str day, struct str service, uint8_t out[32])
{
    char first[300];
    uint8_t key[32];
    int n = snprintf(first, sizeof first, "TC3%.*s", STR_FMT(secret));
    crypto_hmac_sha256(str_from(first, (size_t)n), day, key);
    crypto_hmac_sha256(str_from((const char *)key, sizeof key), service, out);
    memcpy(key, out, sizeof key);
    crypto_hmac_sha256(str_from((const char *)key, sizeof key), STR_LIT("tc3_request"), out);
    crypto_wipe(first, sizeof first);
    crypto_wipe(key, sizeof key);
}

void tencent_authorize(const struct tc3 *a, struct str id, struct str secret, struct buf *out)
{
    struct buf b;
    char hex[65], day[TIME_TEXT_SIZE];
    uint8_t key[32];
    time_format(a->now_s * 1000, day);
    day[10] = 0; /* the date in UTC */
    texts_sha256_hex(a->body, hex);
    buf_init(&b, TEXTS_MAX);
    buf_printf(&b, "POST\n/\n\ncontent-type:" TYPE "\nhost:%.*s\n\ncontent-type;host\n%s",
               STR_FMT(a->host), hex);
    texts_sha256_hex(buf_str(&b), hex);
    buf_reset(&b);
    buf_printf(&b, "TC3-HMAC-SHA256\n%" PRId64 "\n%s/%.*s/tc3_request\n%s", a->now_s, day,
               STR_FMT(a->service), hex);
    day_key(secret, str_from_c(day), a->service, key);
    texts_hmac_hex(str_from((const char *)key, sizeof key), buf_str(&b), hex);
    crypto_wipe(key, sizeof key);
    buf_printf(out,
               "TC3-HMAC-SHA256 Credential=%.*s/%s/%.*s/tc3_request, "
               "SignedHeaders=content-type;host, Signature=%s",
               STR_FMT(id), day, STR_FMT(a->service), hex);
    buf_free(&b);
}

/* The template's values as a JSON array of texts, in its order. */
static void params_put(const struct texts *t, const struct text *x, struct buf *out)
{
    const struct texts_template *m = texts_template_of(t, x);
    buf_put_char(out, '[');
    for (size_t i = 0; i < m->params_n; i++) {
        if (i)
            buf_put_char(out, ',');
        buf_put_json(out, str_from_c(x->value[m->param[i]]));
    }
    buf_put_char(out, ']');
}

static int body_put(const struct texts *t, const struct text *x, struct buf *out)
{
    struct buf params;
    char phones[TEXTS_PHONE_SIZE + 8];
    buf_init(&params, TEXTS_MAX);
    params_put(t, x, &params);
    snprintf(phones, sizeof phones, "[\"%s\"]", x->phone);
    struct texts_TencentIn in = {.PhoneNumberSet = str_from_c(phones),
                                 .SmsSdkAppId = str_from_c(t->app),
                                 .TemplateId = str_from_c(texts_template_of(t, x)->name),
                                 .SignName = str_from_c(t->sign),
                                 .TemplateParamSet = buf_str(&params),
                                 .SessionContext = str_from_c(x->id)};
    in.has.SignName = in.SignName.n > 0;
    in.has.SessionContext = true;
    int err = params.err ? params.err : wire_json_encode(&texts_TencentIn_type, &in, out);
    crypto_wipe(params.p, params.n);
    buf_free(&params);
    return err;
}

static int tencent_ask(const struct texts *t, const struct text *x, int64_t now_ms,
                       const char *nonce, struct texts_request *q)
{
    struct buf auth;
    char at[24];
    (void)nonce;
    int err = body_put(t, x, &q->body);
    if (err)
        return err;
    buf_init(&auth, TEXTS_MAX);
    struct tc3 a = {.host = texts_host(t),
                    .service = STR_LIT(SERVICE),
                    .body = buf_str(&q->body),
                    .now_s = now_ms / 1000};
    tencent_authorize(&a, str_from_c(t->id), str_from_c(t->secret), &auth);
    snprintf(at, sizeof at, "%" PRId64, a.now_s);
    buf_put_char(&q->url, '/');
    texts_header(q, "Authorization", buf_str(&auth));
    texts_header(q, "Content-Type", STR_LIT(TYPE));
    texts_header(q, "X-TC-Action", STR_LIT("SendSms"));
    texts_header(q, "X-TC-Version", STR_LIT("2021-01-11"));
    texts_header(q, "X-TC-Timestamp", str_from_c(at));
    texts_header(q, "X-TC-Region", t->region[0] ? str_from_c(t->region) : STR_LIT(REGION));
    err = auth.err;
    buf_free(&auth);
    return err;
}

/* The status is 200 even for refusals; a code of each number stands beside the number. */
static void tencent_answer(const struct texts *t, const struct text *x, const struct texts_reply *a,
                           struct arena *m, struct text_result *out)
{
    static const char *const unsure[] = {"InternalError", NULL};
    static const char *const later[] = {"RequestLimitExceeded", NULL};
    struct texts_TencentOut said;
    (void)t;
    bool read = a->status == 200 && wire_json_decode(&texts_TencentOut_type, a->body, m, &said,
                                                     WIRE_LENIENT, NULL) == 0;
    const struct texts_TencentSaid *r = &said.Response;
    if (read && r->has.Error) {
        texts_set_refused(out, r->Error.Code, unsure, later);
        return;
    }
    const struct texts_TencentStatus *s =
        read && r->has.SendStatusSet && r->SendStatusSet_n == 1 ? &r->SendStatusSet[0] : NULL;
    if (!s || !s->has.Code || !s->has.PhoneNumber || !str_eq_c(s->PhoneNumber, x->phone))
        texts_set(out, TEXT_UNKNOWN, STR_LIT("no-usable-answer"));
    else if (str_eq_c(s->Code, "Ok"))
        texts_set(out, TEXT_SENT, STR_LIT(""));
    else
        texts_set_refused(out, s->Code, unsure, later);
}

const struct texts_port texts_tencent = {.name = "tencent",
                                         .public_url = "https://sms.tencentcloudapi.com",
                                         .wants_id = true,
                                         .wants_app = true,
                                         .wants_template = true,
                                         .ask = tencent_ask,
                                         .answer = tencent_answer};
