// SPDX-License-Identifier: Apache-2.0
/* texts.c: the cashier as whoever sends texts: an operator's gateway (doc/protocol/texts.md), Alibaba
 * Cloud SMS and Tencent Cloud SMS. It checks signatures from what came over the wire, with code of its
 * own, keeps what it "sent" for /state, and takes its faults from the number:
 *
 *   +86 139 0000 0001   refused               +86 139 0000 0004   sent, and no answer
 *   +86 139 0000 0002   answered after 12 s   +86 139 0000 0005   too many at a time, once
 *   +86 139 0000 0003   500, nothing is sent
 *
 * Invariants: 1. what is not signed for us, or stale, or a nonce seen before, sends nothing; 2. an id
 * that the gateway has seen sends nothing twice (the clouds know no such thing). */
#include "till.h"

#include <inttypes.h>

#include "base/calendar.h"
#include "base/err.h"
#include "cashier.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "rail/form.h"
#include "wire/texts.h"

enum { CLOCK_MS = 300000, SLOW_MS = 12000 };
enum fault_of { NO_FAULT, REFUSED, SLOW, BROKEN, LOST, TOO_MANY };

/* ---- the books ---- */

static enum fault_of fault_of(const struct till *t, struct str phone)
{
    struct str odd = STR_LIT("+86139000000");
    if (phone.n != odd.n + 2 || !str_starts(phone, odd) || phone.p[odd.n] != '0')
        return NO_FAULT;
    int n = phone.p[odd.n + 1] - '0';
    for (size_t i = 0; n == TOO_MANY && i < t->texts_n; i++)
        if (str_eq_c(phone, t->texts[i].phone))
            n = NO_FAULT;
    return n <= TOO_MANY ? (enum fault_of)n : NO_FAULT;
}

static bool nonce_used(struct till *t, struct str nonce)
{
    char *at;
    for (size_t i = 0; i < TILL_TEXTS; i++)
        if (str_eq_c(nonce, t->nonces[i]))
            return true;
    at = t->nonces[t->nonces_n++ % TILL_TEXTS];
    (void)str_copy(at, TILL_NONCE_SIZE, nonce);
    return false;
}

static struct till_text *text_find(struct till *t, struct str id)
{
    for (size_t i = 0; i < t->texts_n; i++)
        if (str_eq_c(id, t->texts[i].id))
            return &t->texts[i];
    return NULL;
}

static void text_add(struct till *t, const struct till_text *x)
{
    if (t->texts_n < TILL_TEXTS)
        t->texts[t->texts_n++] = *x;
}

/* What the number's fault does to the answer; true when the text is sent. */
static bool play(struct till *t, const struct till_text *x, enum fault_of f, struct till_reply *a)
{
    if (f == SLOW)
        a->slow_ms = SLOW_MS;
    if (f == BROKEN || till_strikes(t, FAULT_ERROR)) {
        a->status = 500;
        return false;
    }
    a->cut = f == LOST || till_strikes(t, FAULT_TIMEOUT);
    if (f == REFUSED)
        return false;
    text_add(t, x);
    return f != TOO_MANY; /* it is kept, so that it happens once */
}

/* ---- the gateway ---- */

static bool hook_signed(struct till *t, const struct till_request *q)
{
    struct str at = q->header(q->ctx, "Text-Time"), nonce = q->header(q->ctx, "Text-Nonce");
    struct str said = q->header(q->ctx, "Text-Signature");
    int64_t ms = 0, now = os_wall_ms();
    uint8_t sum[32];
    char hex[65];
    struct buf text;
    if (str_to_i64(at, &ms) != 0 || ms < now - CLOCK_MS || ms > now + CLOCK_MS || nonce.n < 16)
        return false;
    buf_init(&text, 2 * TILL_TEXT_MAX);
    buf_printf(&text, "%.*s\n%.*s\n", STR_FMT(at), STR_FMT(nonce));
    buf_put_str(&text, q->body);
    buf_put_char(&text, '\n');
    crypto_hmac_sha256(str_from_c(t->texts_secret), buf_str(&text), sum);
    str_to_hex(sum, sizeof sum, hex);
    buf_free(&text);
    return said.n == 64 && str_eq_const_time(said.p, hex, 64) && !nonce_used(t, nonce);
}

static void hook_say(struct till_reply *a, int status, const char *state, const char *reason)
{
    a->status = status;
    buf_reset(&a->body);
    buf_printf(&a->body, "{\"state\":\"%s\"%s%s%s}", state, reason[0] ? ",\"reason\":\"" : "",
               reason, reason[0] ? "\"" : "");
}

static void hook(struct till *t, const struct till_request *q, struct arena *m,
                 struct till_reply *a)
{
    struct texts_HookIn in;
    struct till_text x = {.via = "hook"};
    if (!hook_signed(t, q)) {
        hook_say(a, 401, "refused", "bad-signature");
        return;
    }
    if (wire_json_decode(&texts_HookIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0 ||
        (str_eq_c(in.kind, "code") && !in.params.has.code)) {
        hook_say(a, 400, "refused", "bad-request");
        return;
    }
    if (text_find(t, in.id)) {
        hook_say(a, 200, "sent", "");
        return;
    }
    (void)str_copy(x.id, sizeof x.id, in.id);
    (void)str_copy(x.phone, sizeof x.phone, in.phone);
    (void)str_copy(x.code, sizeof x.code, in.params.code);
    enum fault_of f = fault_of(t, in.phone);
    if (play(t, &x, f, a))
        hook_say(a, 200, "sent", "");
    else if (f == REFUSED)
        hook_say(a, 200, "refused", "black-list");
    else if (f == TOO_MANY)
        a->status = 429;
}

/* ---- the clouds ---- */

/* The value of `name=` in an Authorization header. */
static struct str member(struct str auth, const char *name)
{
    struct str key = str_from_c(name);
    (void)str_cut(&auth, ' ');
    while (auth.n) {
        struct str one = str_trim(str_cut(&auth, ','));
        if (str_starts(one, key))
            return str_from(one.p + key.n, one.n - key.n);
    }
    return STR_LIT("");
}

static void hash_hex(struct str s, char out[65])
{
    uint8_t sum[32];
    sha256(s.p, s.n, sum);
    str_to_hex(sum, sizeof sum, out);
}

/* Both clouds sign the same form of a request, whichever headers they choose. */
static void canonical_hash(const struct till_request *q, struct str headers, char out[65])
{
    struct buf text;
    struct str rest = headers;
    char body[65], name[64];
    hash_hex(q->body, body);
    buf_init(&text, 2 * TILL_TEXT_MAX);
    buf_printf(&text, "%.*s\n/\n%.*s\n", STR_FMT(q->method), STR_FMT(q->query));
    while (rest.n) {
        (void)str_copy(name, sizeof name, str_cut(&rest, ';'));
        buf_printf(&text, "%s:%.*s\n", name, STR_FMT(q->header(q->ctx, name)));
    }
    buf_printf(&text, "\n%.*s\n%s", STR_FMT(headers), body);
    hash_hex(buf_str(&text), out);
    buf_free(&text);
}

static bool names_all(struct str headers, const char *const *must_be)
{
    for (; *must_be; must_be++) {
        struct str rest = headers;
        bool found = false;
        while (rest.n)
            found = str_eq_c(str_cut(&rest, ';'), *must_be) || found;
        if (!found)
            return false;
    }
    return true;
}

static bool hmac_is(struct str key, struct str text, struct str said)
{
    uint8_t sum[32];
    char hex[65];
    crypto_hmac_sha256(key, text, sum);
    str_to_hex(sum, sizeof sum, hex);
    return said.n == 64 && str_eq_const_time(said.p, hex, 64);
}

static bool aliyun_signed(struct till *t, const struct till_request *q)
{
    static const char *const all[] = {"host",       "x-acs-action",          "x-acs-content-sha256",
                                      "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
                                      NULL};
    struct str auth = q->header(q->ctx, "Authorization");
    struct str headers = member(auth, "SignedHeaders=");
    char hex[65], text[128];
    int64_t ms = 0, now = os_wall_ms();
    hash_hex(q->body, hex);
    if (!str_starts(auth, STR_LIT("ACS3-HMAC-SHA256 ")) || !names_all(headers, all) ||
        !str_eq_c(member(auth, "Credential="), CASHIER_TEXTS_ID) ||
        !str_eq_c(q->header(q->ctx, "x-acs-content-sha256"), hex) ||
        time_parse(q->header(q->ctx, "x-acs-date"), &ms) != 0 || ms < now - CLOCK_MS ||
        ms > now + CLOCK_MS)
        return false;
    canonical_hash(q, headers, hex);
    snprintf(text, sizeof text, "ACS3-HMAC-SHA256\n%s", hex);
    return hmac_is(str_from_c(t->texts_secret), str_from_c(text), member(auth, "Signature=")) &&
           !nonce_used(t, q->header(q->ctx, "x-acs-signature-nonce"));
}

static void aliyun_say(struct till_reply *a, int status, const char *code)
{
    a->status = status;
    buf_reset(&a->body);
    buf_printf(&a->body, "{\"Code\":\"%s\",\"Message\":\"%s\",\"RequestId\":\"R\"%s}", code, code,
               strcmp(code, "OK") == 0 ? ",\"BizId\":\"1^0\"" : "");
}

static void aliyun(struct till *t, const struct till_request *q, struct arena *m,
                   struct till_reply *a)
{
    struct till_text x = {.via = "aliyun"};
    struct texts_Params params = {0};
    struct form *f = ARENA_NEW(m, struct form);
    if (!aliyun_signed(t, q)) {
        aliyun_say(a, 400, "SignatureDoesNotMatch");
        return;
    }
    if (!f || !str_eq_c(q->header(q->ctx, "x-acs-action"), "SendSms") ||
        !str_eq_c(q->header(q->ctx, "x-acs-version"), "2017-05-25") ||
        form_read(q->query, m, f) != 0 || !str_eq_c(form_get(f, "SignName"), CASHIER_TEXTS_SIGN) ||
        !str_eq_c(form_get(f, "TemplateCode"), CASHIER_TEXTS_TEMPLATE) ||
        wire_json_decode(&texts_Params_type, form_get(f, "TemplateParam"), m, &params, WIRE_STRICT,
                         NULL) != 0 ||
        !params.has.code) {
        aliyun_say(a, 200, "isv.INVALID_PARAMETERS");
        return;
    }
    (void)str_copy(x.id, sizeof x.id, form_get(f, "OutId"));
    (void)str_copy(x.code, sizeof x.code, params.code);
    snprintf(x.phone, sizeof x.phone, "+%.*s", STR_FMT(form_get(f, "PhoneNumbers")));
    enum fault_of fault = fault_of(t, str_from_c(x.phone));
    if (play(t, &x, fault, a))
        aliyun_say(a, 200, "OK");
    else if (fault == REFUSED)
        aliyun_say(a, 200, "isv.MOBILE_NUMBER_ILLEGAL");
    else if (fault == TOO_MANY)
        aliyun_say(a, 400, "Throttling.User");
}

static bool tencent_signed(struct till *t, const struct till_request *q)
{
    static const char *const all[] = {"content-type", "host", NULL};
    static const char *const parts[] = {"sms", "tc3_request"};
    struct str auth = q->header(q->ctx, "Authorization");
    struct str headers = member(auth, "SignedHeaders="), scope = member(auth, "Credential=");
    struct str at = q->header(q->ctx, "X-TC-Timestamp");
    struct str id = str_cut(&scope, '/');
    char hex[65], text[300], day[TIME_TEXT_SIZE], first[80];
    uint8_t key[32], next[32];
    int64_t s = 0, now = os_wall_ms();
    if (!str_starts(auth, STR_LIT("TC3-HMAC-SHA256 ")) || !names_all(headers, all) ||
        !str_eq_c(id, CASHIER_TEXTS_ID) || str_to_i64(at, &s) != 0 || s < (now - CLOCK_MS) / 1000 ||
        s > (now + CLOCK_MS) / 1000)
        return false;
    time_format(s * 1000, day);
    snprintf(text, sizeof text, "%.10s/sms/tc3_request", day);
    if (!str_eq_c(scope, text))
        return false;
    canonical_hash(q, headers, hex);
    snprintf(text, sizeof text, "TC3-HMAC-SHA256\n%.*s\n%.*s\n%s", STR_FMT(at), STR_FMT(scope),
             hex);
    snprintf(first, sizeof first, "TC3%s", t->texts_secret);
    crypto_hmac_sha256(str_from_c(first), str_from(day, 10), key);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        crypto_hmac_sha256(str_from((const char *)key, sizeof key), str_from_c(parts[i]), next);
        memcpy(key, next, sizeof key);
    }
    return hmac_is(str_from((const char *)key, sizeof key), str_from_c(text),
                   member(auth, "Signature="));
}

static void tencent_fail(struct till_reply *a, const char *code)
{
    buf_reset(&a->body);
    buf_printf(
        &a->body,
        "{\"Response\":{\"Error\":{\"Code\":\"%s\",\"Message\":\"%s\"},\"RequestId\":\"R\"}}", code,
        code);
}

static void tencent_say(struct till_reply *a, const struct till_text *x, const char *code)
{
    buf_reset(&a->body);
    buf_printf(&a->body,
               "{\"Response\":{\"SendStatusSet\":[{\"SerialNo\":\"1\",\"PhoneNumber\":\"%s\","
               "\"Fee\":1,\"SessionContext\":\"%s\",\"Code\":\"%s\",\"Message\":\"m\","
               "\"IsoCode\":\"CN\"}],\"RequestId\":\"R\"}}",
               x->phone, x->id, code);
}

/* The only text of an array of one. */
static void only(struct str json, char *out, size_t size)
{
    if (json.n > 4 && json.p[0] == '[' && json.p[1] == '"' && json.p[json.n - 2] == '"')
        (void)str_copy(out, size, str_from(json.p + 2, json.n - 4));
}

static void tencent(struct till *t, const struct till_request *q, struct arena *m,
                    struct till_reply *a)
{
    struct till_text x = {.via = "tencent"};
    struct texts_TencentIn in;
    if (!tencent_signed(t, q)) {
        tencent_fail(a, "AuthFailure.SignatureFailure");
        return;
    }
    if (!str_eq_c(q->header(q->ctx, "X-TC-Action"), "SendSms") ||
        !str_eq_c(q->header(q->ctx, "X-TC-Version"), "2021-01-11") ||
        q->header(q->ctx, "X-TC-Region").n == 0 ||
        wire_json_decode(&texts_TencentIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0 ||
        !str_eq_c(in.SmsSdkAppId, CASHIER_TEXTS_APP) ||
        !str_eq_c(in.TemplateId, CASHIER_TEXTS_TEMPLATE)) {
        tencent_fail(a, "InvalidParameterValue");
        return;
    }
    only(in.PhoneNumberSet, x.phone, sizeof x.phone);
    only(in.TemplateParamSet, x.code, sizeof x.code);
    (void)str_copy(x.id, sizeof x.id, in.SessionContext);
    enum fault_of fault = fault_of(t, str_from_c(x.phone));
    if (play(t, &x, fault, a))
        tencent_say(a, &x, "Ok");
    else if (fault == REFUSED)
        tencent_say(a, &x, "FailedOperation.PhoneNumberInBlacklist");
    else if (fault == TOO_MANY)
        tencent_fail(a, "RequestLimitExceeded");
}

/* ---- the door ---- */

void till_texts(struct till *t, const struct till_request *q, struct till_reply *a)
{
    struct arena m;
    arena_init(&m, 4 * TILL_TEXT_MAX);
    if (!str_eq_c(q->method, "POST"))
        a->status = 405;
    else if (str_eq_c(q->path, "/texts/hook"))
        hook(t, q, &m, a);
    else if (str_eq_c(q->path, "/texts/aliyun/"))
        aliyun(t, q, &m, a);
    else if (str_eq_c(q->path, "/texts/tencent/"))
        tencent(t, q, &m, a);
    else
        a->status = 404;
    arena_free(&m);
}

void till_texts_print(const struct till *t, struct buf *out)
{
    for (size_t i = 0; i < t->texts_n; i++) {
        const struct till_text *x = &t->texts[i];
        buf_printf(out, "%s{\"via\":\"%s\",\"id\":\"%s\",\"phone\":\"%s\",\"code\":\"%s\"}",
                   i ? "," : "", x->via, x->id, x->phone, x->code);
    }
}
