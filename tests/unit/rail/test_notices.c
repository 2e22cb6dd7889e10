// SPDX-License-Identifier: Apache-2.0
/* test_notices.c: why a notice is refused, to the word. Each notice here is right but in one thing, and signed with
 * the provider's own key wherever the thing allows: so each check of a notice refuses by itself what the next one
 * would let through, or name otherwise. */
#include "rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "rail/form.h"

#define CLOCK_MS INT64_C(300000) /* how far a provider's clock may be off */

/* ---- signed headers: WeChat Pay, the allocation rail ---- */

struct sealed {
    const char *time, *nonce, *serial, *body;
    bool forged, bare;
    enum rail_refusal why;
};

static const char *const wechat_names[] = {"Wechatpay-Timestamp", "Wechatpay-Nonce",
                                           "Wechatpay-Serial", "Wechatpay-Signature"};
static const char *const alloc_names[] = {"Rail-Time", "Rail-Nonce", "Rail-Serial",
                                          "Rail-Signature"};

static struct str header(const void *ctx, const char *name)
{
    const struct said *s = ctx;
    for (int i = 0; i < 4; i++)
        if (strcmp(s->names[i], name) == 0)
            return str_from_c(s->value[i]);
    return STR_LIT("");
}

static struct rail_told told; /* of the last one that was taken */

static enum rail_refusal judge(const struct rail *rail, const char *const *names, const char *first,
                               const struct sealed *n)
{
    static struct said s;
    struct buf text, sig;
    memset(&s, 0, sizeof s);
    buf_init(&text, 65536);
    buf_init(&sig, SIGN_TEXT_MAX);
    s.names = names;
    (void)str_copy(s.value[0], 64, str_from_c(n->time));
    (void)str_copy(s.value[1], 64, str_from_c(n->nonce));
    (void)str_copy(s.value[2], 64, str_from_c(n->serial));
    buf_printf(&text, "%s%s\n%s\n%s\n", first, n->time, n->nonce, n->body);
    assert_int_equal(sign_make(n->forged ? rig.own : rig.theirs, buf_str(&text), &sig), 0);
    if (!n->bare)
        (void)str_copy(s.value[3], sizeof s.value[3], buf_str(&sig));
    s.reply = (struct rail_reply){
        .body = str_from_c(n->body), .header = header, .ctx = &s, .now_ms = NOW};
    enum rail_refusal why = rail_notice(rail, &s.reply, &told);
    buf_free(&text);
    buf_free(&sig);
    return why;
}

/* What both refuse alike; `right` is a body that is taken. `unit`: of their time-stamps, in ms. */
static void headers_judged(const struct rail *rail, const char *const *names, const char *first,
                           const char *right, int64_t unit)
{
    char now[24], old[24], late[24], edge[24];
    snprintf(now, sizeof now, "%" PRId64, NOW / unit);
    snprintf(edge, sizeof edge, "%" PRId64, (NOW - CLOCK_MS) / unit);
    snprintf(old, sizeof old, "%" PRId64, (NOW - CLOCK_MS) / unit - 1);
    snprintf(late, sizeof late, "%" PRId64, (NOW + CLOCK_MS) / unit + 1);
    const struct sealed cases[] = {
        {now, "n0nce", SERIAL, right, .why = RAIL_TAKEN},
        {edge, "n0nce", SERIAL, right, .why = RAIL_TAKEN},
        {now, "", SERIAL, right, .why = RAIL_BAD_FORM},
        {now, "n0nce", "", right, .why = RAIL_BAD_FORM},
        {now, "n0nce", SERIAL, right, .bare = true, .why = RAIL_BAD_FORM},
        {"", "n0nce", SERIAL, right, .why = RAIL_BAD_FORM},
        {"today", "n0nce", SERIAL, right, .why = RAIL_BAD_FORM},
        {old, "n0nce", SERIAL, right, .why = RAIL_STALE},
        {late, "n0nce", SERIAL, right, .why = RAIL_STALE},
        {now, "n0nce", "PUB_KEY_ID_2", right, .why = RAIL_UNKNOWN_KEY},
        {now, "n0nce", SERIAL, right, .forged = true, .why = RAIL_BAD_SIGNATURE},
        {now, "n0nce", SERIAL, "[]", .why = RAIL_BAD_FORM},
        {now, "n0nce", SERIAL, "{", .why = RAIL_BAD_FORM},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum rail_refusal why = judge(rail, names, first, &cases[i]);
        if (why != cases[i].why)
            print_error("case %zu: %s, not %s\n", i, rail_refusal_name(why),
                        rail_refusal_name(cases[i].why));
        assert_int_equal(why, cases[i].why);
    }
}

static void an_allocation_notice(void **state)
{
    static const char right[] =
        "{\"id\":\"1\",\"no\":\"W1234567\",\"state\":\"done\",\"amount\":5}";
    (void)state;
    headers_judged(rig.alloc, alloc_names, "NOTICE\n1900\n", right, 1);
    struct sealed other = {"1795500000000", "n0nce", SERIAL, right, .why = RAIL_BAD_SIGNATURE};
    assert_int_equal(judge(rig.alloc, alloc_names, "NOTICE\n1901\n", &other), other.why);
}

/* ---- what WeChat Pay seals ---- */

struct resource {
    const char *type, *plain, *algorithm, *secret;
    const char *original; /* of the resource, or NULL */
    bool garbled;         /* no Base64 */
};

static void wechat_body(const struct resource *r, char *body, size_t size)
{
    struct buf cipher;
    char base64[2048];
    buf_init(&cipher, 1024);
    assert_int_equal(sign_seal((const uint8_t *)r->secret, STR_LIT("fdasflkja484"),
                               STR_LIT("thing"), str_from_c(r->plain), &cipher),
                     0);
    base64_encode(cipher.p, cipher.n, base64);
    snprintf(
        body, size,
        "{\"id\":\"1\",\"event_type\":\"%s\",\"resource\":{\"algorithm\":\"%s\","
        "\"ciphertext\":\"%s%s\",\"nonce\":\"fdasflkja484\",\"associated_data\":\"thing\"%s%s%s}}",
        r->type, r->algorithm, r->garbled ? "*" : "", base64,
        r->original ? ",\"original_type\":\"" : "", r->original ? r->original : "",
        r->original ? "\"" : "");
    buf_free(&cipher);
}

#define GCM        "AEAD_AES_256_GCM"
#define TRADE      "{\"mchid\":\"1900\",\"appid\":\"wx1\",\"out_trade_no\":\"P1234567\"}"
#define NOT_SECRET "ffffffffffffffffffffffffffffffff"

/* The same told again has the same mark, anything else another: by it a replay is known. */
static void a_wechat_notice_again(void **state)
{
    static const struct resource right = {"TRANSACTION.SUCCESS", TRADE, GCM, SECRET, NULL, false};
    static char body[4096];
    (void)state;
    uint8_t mark[RAIL_MARK_SIZE];
    struct sealed again = {"1795500000", "n0nce", SERIAL, body, .why = RAIL_TAKEN};
    wechat_body(&right, body, sizeof body);
    assert_int_equal(judge(rig.wechat, wechat_names, "", &again), again.why);
    memcpy(mark, told.mark, sizeof mark);
    assert_int_equal(judge(rig.wechat, wechat_names, "", &again), again.why);
    assert_memory_equal(mark, told.mark, sizeof mark);
    again.nonce = "other";
    assert_int_equal(judge(rig.wechat, wechat_names, "", &again), again.why);
    assert_memory_not_equal(mark, told.mark, sizeof mark);
}

static void a_wechat_notice(void **state)
{
    static char body[4096];
    static const struct resource right = {"TRANSACTION.SUCCESS", TRADE, GCM, SECRET, NULL, false};
    static const struct {
        struct resource r;
        enum rail_refusal why;
    } cases[] = {
        {{"REFUND.SUCCESS", "{\"mchid\":\"1900\",\"out_refund_no\":\"W1234567\"}", GCM, SECRET,
          NULL, false},
         RAIL_TAKEN},
        {{"MCHTRANSFER.BILL.FINISHED", "{\"mch_id\":\"1900\",\"out_bill_no\":\"W1234567\"}", GCM,
          SECRET, NULL, false},
         RAIL_TAKEN},
        {{"TRANSACTION.SUCCESS", "{\"mchid\":\"1900\",\"out_order_no\":\"S1234567\"}", GCM, SECRET,
          "profitsharing", false},
         RAIL_TAKEN},
        {{"MCHTRANSFER.BILL.FINISHED", "{\"mchid\":\"1900\",\"out_bill_no\":\"W1234567\"}", GCM,
          SECRET, NULL, false},
         RAIL_TAKEN},
        {{"MCHTRANSFER.BILL.FINISHED",
          "{\"mch_id\":\"1901\",\"mchid\":\"1900\",\"out_bill_no\":\"W1234567\"}", GCM, SECRET,
          NULL, false},
         RAIL_NOT_OURS},
        {{"TRANSACTION.SUCCESS", TRADE, "AEAD_AES_128_GCM", SECRET, NULL, false}, RAIL_BAD_FORM},
        {{"TRANSACTION.SUCCESS", TRADE, GCM, SECRET, NULL, true}, RAIL_BAD_FORM},
        {{"TRANSACTION.SUCCESS", TRADE, GCM, NOT_SECRET, NULL, false}, RAIL_BAD_CIPHER},
        {{"TRANSACTION.SUCCESS", "[1]", GCM, SECRET, NULL, false}, RAIL_BAD_FORM},
        {{"COMPLAINT.CREATE", TRADE, GCM, SECRET, NULL, false}, RAIL_BAD_FORM},
        {{"TRANSACTION.SUCCESS",
          "{\"mchid\":\"1901\",\"appid\":\"wx1\",\"out_trade_no\":\"P1234567\"}", GCM, SECRET, NULL,
          false},
         RAIL_NOT_OURS},
        {{"TRANSACTION.SUCCESS",
          "{\"mchid\":\"1900\",\"appid\":\"wx2\",\"out_trade_no\":\"P1234567\"}", GCM, SECRET, NULL,
          false},
         RAIL_NOT_OURS},
        {{"REFUND.SUCCESS", "{\"mchid\":\"1901\",\"out_refund_no\":\"W1234567\"}", GCM, SECRET,
          NULL, false},
         RAIL_NOT_OURS},
        {{"TRANSACTION.SUCCESS",
          "{\"mchid\":\"1900\",\"appid\":\"wx1\",\"out_trade_no\":\"ours-not\"}", GCM, SECRET, NULL,
          false},
         RAIL_NOT_OURS},
    };
    (void)state;
    wechat_body(&right, body, sizeof body);
    headers_judged(rig.wechat, wechat_names, "", body, 1000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct sealed n = {"1795500000", "n0nce", SERIAL, body, .why = cases[i].why};
        wechat_body(&cases[i].r, body, sizeof body);
        enum rail_refusal why = judge(rig.wechat, wechat_names, "", &n);
        if (why != n.why)
            print_error("resource %zu: %s\n", i, rail_refusal_name(why));
        assert_int_equal(why, n.why);
    }
    wechat_body(&right, body, sizeof body);
    const struct sealed nameless = {"1795500000", "n0nce", SERIAL, strstr(body, "\"event_type") - 1,
                                    .why = RAIL_BAD_FORM};
    body[strstr(body, "\"event_type") - 1 - body] = '{'; /* without its id */
    assert_int_equal(judge(rig.wechat, wechat_names, "", &nameless), nameless.why);
    static const char *const times[] = {"-1", "-1795500000", "9223372036854775807"};
    wechat_body(&right, body, sizeof body);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const struct sealed n = {times[i], "n0nce", SERIAL, body, .why = RAIL_BAD_FORM};
        assert_int_equal(judge(rig.wechat, wechat_names, "", &n), n.why);
    }
}

/* ---- Alipay's signed forms ---- */

/* Pairs as they are, without escapes. Neither `sign_type` nor the tail is part of what is signed. */
static enum rail_refusal judge_form(const char *pairs, const char *sign_type, const char *tail,
                                    struct sign_key *key)
{
    static const char *const no_names[] = {"", "", "", ""};
    static char body[8192];
    static struct said s;
    struct arena m;
    struct form f;
    struct buf text, sig;
    arena_init(&m, 65536);
    buf_init(&text, 8192);
    buf_init(&sig, SIGN_TEXT_MAX);
    if (form_read(str_from_c(pairs), &m, &f) == 0)
        form_sign_text(&f, false, &text);
    if (key)
        assert_int_equal(sign_make(key, buf_str(&text), &sig), 0);
    size_t n = (size_t)snprintf(body, sizeof body, "%s%s%s&sign=", pairs,
                                sign_type[0] ? "&sign_type=" : "", sign_type);
    for (size_t i = 0; i < sig.n; i++) /* Base64 in a form */
        n += (size_t)snprintf(body + n, sizeof body - n, sig.p[i] == '+' ? "%%2B" : "%c", sig.p[i]);
    snprintf(body + n, sizeof body - n, "%s", tail);
    s.names = no_names;
    s.reply =
        (struct rail_reply){.body = str_from_c(body), .header = header, .ctx = &s, .now_ms = NOW};
    enum rail_refusal why = rail_notice(rig.alipay, &s.reply, &told);
    arena_free(&m);
    buf_free(&text);
    buf_free(&sig);
    return why;
}

#define OURS "app_id=2021&seller_id=1900&out_trade_no=P1234567&utc_timestamp="

static void an_alipay_notice(void **state)
{
    static const struct {
        const char *pairs, *type;
        enum rail_refusal why;
    } cases[] = {
        {OURS "1795500000000", "RSA2", RAIL_TAKEN},
        {"app_id=2021&out_trade_no=P1234567&utc_timestamp=1795500000000", "RSA2", RAIL_TAKEN},
        {OURS "1795500300000", "RSA2", RAIL_TAKEN},
        {OURS "1795500300001", "RSA2", RAIL_STALE},
        {OURS "1795000000000", "RSA2", RAIL_STALE},
        {OURS "now", "RSA2", RAIL_BAD_FORM},
        {"app_id=2021&seller_id=1900&out_trade_no=P1234567", "RSA2", RAIL_BAD_FORM}, /* no time */
        {OURS "1795500000000&app_id=2021", "RSA2", RAIL_BAD_FORM},                   /* twice */
        {OURS "1795500000000", "RSA", RAIL_BAD_FORM},
        {OURS "1795500000000", "", RAIL_BAD_FORM},
        {"app_id=2022&seller_id=1900&out_trade_no=P1234567&utc_timestamp=1795500000000", "RSA2",
         RAIL_NOT_OURS},
        {"app_id=2021&seller_id=1901&out_trade_no=P1234567&utc_timestamp=1795500000000", "RSA2",
         RAIL_NOT_OURS},
        {"app_id=2021&seller_id=1900&out_trade_no=theirs&utc_timestamp=1795500000000", "RSA2",
         RAIL_NOT_OURS},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum rail_refusal why = judge_form(cases[i].pairs, cases[i].type, "", rig.theirs);
        if (why != cases[i].why)
            print_error("form %zu: %s\n", i, rail_refusal_name(why));
        assert_int_equal(why, cases[i].why);
    }
    assert_int_equal(judge_form(OURS "1795500000000", "RSA2", "&x=%4", rig.theirs), RAIL_BAD_FORM);
    assert_int_equal(judge_form(OURS "1795500000000", "RSA2", "", rig.own), RAIL_BAD_SIGNATURE);
    assert_int_equal(judge_form(OURS "1795500000000", "RSA2", "", NULL), RAIL_BAD_FORM);
}

/* Which row a notice is about, and when it was told first. */
static void an_alipay_notice_of(void **state)
{
#define MESSAGE "app_id=2021&utc_timestamp=1795500000000&biz_content="
    static const struct {
        const char *pairs;
        int64_t row; /* 0: it is refused */
        enum rail_refusal why;
    } cases[] = {
        {MESSAGE "{\"out_biz_no\":\"W11\"}", 11, RAIL_TAKEN},
        {MESSAGE "{\"out_request_no\":\"S12\"}", 12, RAIL_TAKEN},
        {MESSAGE "{\"out_biz_no\":\"W11\",\"out_request_no\":\"S12\"}", 11, RAIL_TAKEN},
        {MESSAGE "{\"out_biz_no\":\"W11\"", 0, RAIL_NOT_OURS},
        {MESSAGE "{\"out_biz_no\":\"W11\"&out_trade_no=P13&out_biz_no=W14", 0, RAIL_NOT_OURS},
        {MESSAGE "{}&out_trade_no=P13&out_biz_no=W14", 0, RAIL_NOT_OURS},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=P13&out_biz_no=W14", 14, RAIL_TAKEN},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=P13&out_biz_no=x", 13, RAIL_TAKEN},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=X13", 0, RAIL_NOT_OURS},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=P", 0, RAIL_NOT_OURS},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=P1x", 0, RAIL_NOT_OURS},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=P-1", 0, RAIL_NOT_OURS},
        {"app_id=2021&utc_timestamp=1795500000000&out_trade_no=P99999999999999999999", 0,
         RAIL_NOT_OURS},
        {"app_id=2021&notify_time=2026-11-24 14:00:00&out_trade_no=P13", 13, RAIL_TAKEN},
        {"app_id=2021&notify_time=2026-11-23 13:00:00&out_trade_no=P13", 13, RAIL_TAKEN},
        {"app_id=2021&notify_time=2026-11-23 12:59:59&out_trade_no=P13", 0, RAIL_STALE},
        {"app_id=2021&notify_time=2026-11-24 14:05:01&out_trade_no=P13", 0, RAIL_STALE},
        {"app_id=2021&notify_time=14:00&out_trade_no=P13", 0, RAIL_BAD_FORM},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum rail_refusal why = judge_form(cases[i].pairs, "RSA2", "", rig.theirs);
        if (why != cases[i].why || (cases[i].row && told.result.row != cases[i].row))
            fail_msg("case %zu: %s", i, rail_refusal_name(why));
    }
}

int run_notice_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_notice),  cmocka_unit_test(a_wechat_notice),
        cmocka_unit_test(a_wechat_notice_again), cmocka_unit_test(an_alipay_notice),
        cmocka_unit_test(an_alipay_notice_of),
    };
    return cmocka_run_group_tests_name("notices", tests, rig_setup, rig_teardown);
}
