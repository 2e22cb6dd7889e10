// SPDX-License-Identifier: Apache-2.0
/* aliyun.c: Alibaba Cloud SMS, action SendSms of 2017-05-25, signed with ACS3-HMAC-SHA256. The facts
 * are from help.aliyun.com: "SendSms - 发送短信" (document_detail/55284: parameters, the forms of a phone
 * number, no idempotency), "V3版本请求体&签名机制" (document_detail/2593177: what is signed, and the example
 * with fixed values that the unit test tries) and "API错误码" (document_detail/101346). An action of RPC
 * style has its parameters in the query, sorted, and an empty body; its path is "/".
 *
 * Owns nothing. Fails with TEXT_UNKNOWN. */
#include <stdio.h>

#include "base/calendar.h"
#include "io/net/fetch.h"
#include "io/os/crypto.h"
#include "texts/port.h"
#include "wire/texts.h"

#define ACS3_HEADERS                                                                               \
    "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
#define ACTION  "SendSms"
#define VERSION "2017-05-25"

void aliyun_authorize(const struct acs3 *a, struct str id, struct str secret, struct buf *out)
{
    struct buf b;
    char body[65], hex[65];
    texts_sha256_hex(a->body, body);
    buf_init(&b, TEXTS_MAX);
    buf_printf(&b, "%.*s\n/\n", STR_FMT(a->method));
    buf_put_str(&b, a->query);
    buf_printf(&b,
               "\nhost:%.*s\nx-acs-action:%.*s\nx-acs-content-sha256:%s\nx-acs-date:%.*s\n"
               "x-acs-signature-nonce:%.*s\nx-acs-version:%.*s\n\n" ACS3_HEADERS "\n%s",
               STR_FMT(a->host), STR_FMT(a->action), body, STR_FMT(a->date), STR_FMT(a->nonce),
               STR_FMT(a->version), body);
    texts_sha256_hex(buf_str(&b), hex);
    int err = b.err;
    crypto_wipe(b.p, b.n);
    buf_reset(&b);
    buf_printf(&b, "ACS3-HMAC-SHA256\n%s", hex);
    texts_hmac_hex(secret, buf_str(&b), hex);
    buf_printf(out, "ACS3-HMAC-SHA256 Credential=%.*s,SignedHeaders=" ACS3_HEADERS ",Signature=%s",
               STR_FMT(id), hex);
    out->err = err ? err : out->err;
    buf_free(&b);
}

static void query_add(struct buf *q, const char *name, struct str value)
{
    if (q->n)
        buf_put_char(q, '&');
    buf_printf(q, "%s=", name);
    fetch_escape(q, value);
}

/* The template's values as a JSON object of texts. */
static void params_put(const struct texts *t, const struct text *x, struct buf *out)
{
    const struct texts_template *m = texts_template_of(t, x);
    buf_put_char(out, '{');
    for (size_t i = 0; i < m->params_n; i++) {
        if (i)
            buf_put_char(out, ',');
        buf_put_json(out, str_from_c(texts_param_name(m->param[i])));
        buf_put_char(out, ':');
        buf_put_json(out, str_from_c(x->value[m->param[i]]));
    }
    buf_put_char(out, '}');
}

static void query_put(const struct texts *t, const struct text *x, struct buf *query)
{
    struct buf params;
    buf_init(&params, TEXTS_MAX);
    params_put(t, x, &params);
    query_add(query, "OutId", str_from_c(x->id));
    query_add(query, "PhoneNumbers", str_from_c(x->phone + 1)); /* country and number, no '+' */
    query_add(query, "SignName", str_from_c(t->sign));
    query_add(query, "TemplateCode", str_from_c(texts_template_of(t, x)->name));
    query_add(query, "TemplateParam", buf_str(&params));
    query->err = params.err ? params.err : query->err;
    crypto_wipe(params.p, params.n);
    buf_free(&params);
}

static int aliyun_ask(const struct texts *t, const struct text *x, int64_t now_ms,
                      const char *nonce, struct texts_request *q)
{
    struct buf query, auth;
    char date[TIME_TEXT_SIZE], hex[65];
    time_format(now_ms, date);
    (void)str_copy(date + 19, sizeof date - 19, STR_LIT("Z")); /* whole seconds */
    buf_init(&query, TEXTS_MAX);
    buf_init(&auth, TEXTS_MAX);
    query_put(t, x, &query);
    struct acs3 a = {.method = STR_LIT("POST"),
                     .host = texts_host(t),
                     .action = STR_LIT(ACTION),
                     .version = STR_LIT(VERSION),
                     .query = buf_str(&query),
                     .body = STR_LIT(""),
                     .date = str_from_c(date),
                     .nonce = str_from_c(nonce)};
    aliyun_authorize(&a, str_from_c(t->id), str_from_c(t->secret), &auth);
    buf_put_c(&q->url, "/?");
    buf_put_str(&q->url, buf_str(&query));
    texts_sha256_hex(a.body, hex);
    texts_header(q, "Authorization", buf_str(&auth));
    texts_header(q, "x-acs-action", a.action);
    texts_header(q, "x-acs-version", a.version);
    texts_header(q, "x-acs-date", a.date);
    texts_header(q, "x-acs-signature-nonce", a.nonce);
    texts_header(q, "x-acs-content-sha256", str_from_c(hex));
    texts_header(q, "Content-Type", STR_LIT("")); /* none is sent: what is sent has to be signed */
    int err = query.err ? query.err : auth.err;
    crypto_wipe(query.p, query.n);
    buf_free(&query);
    buf_free(&auth);
    return err;
}

/* Business refusals come with status 200 and a code, those of the gateway with their status. */
static void aliyun_answer(const struct texts *t, const struct text *x, const struct texts_reply *a,
                          struct arena *m, struct text_result *out)
{
    static const char *const unsure[] = {"isp.SYSTEM_ERROR", "SystemError", "InternalError",
                                         "ServiceUnavailable", NULL};
    static const char *const later[] = {"Throttling", NULL};
    struct texts_AliyunOut said;
    (void)t;
    (void)x;
    bool read = wire_json_decode(&texts_AliyunOut_type, a->body, m, &said, WIRE_LENIENT, NULL) == 0;
    if (!read || !said.has.Code || said.Code.n == 0 || a->status < 200)
        texts_set(out, TEXT_UNKNOWN, STR_LIT("no-usable-answer"));
    else if (str_eq_c(said.Code, "OK"))
        texts_set(out, a->status == 200 ? TEXT_SENT : TEXT_UNKNOWN, STR_LIT(""));
    else if (a->status >= 500 && !str_starts(said.Code, str_from_c(later[0])))
        texts_set(out, TEXT_UNKNOWN, said.Code);
    else
        texts_set_refused(out, said.Code, unsure, later);
}

const struct texts_port texts_aliyun = {.name = "aliyun",
                                        .public_url = "https://dysmsapi.aliyuncs.com",
                                        .wants_id = true,
                                        .wants_sign = true,
                                        .wants_template = true,
                                        .ask = aliyun_ask,
                                        .answer = aliyun_answer};
