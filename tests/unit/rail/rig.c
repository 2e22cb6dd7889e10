// SPDX-License-Identifier: Apache-2.0
/* rig.c: see rig.h. */
#include "rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/os/crypto.h"
#include "io/os/file.h"

struct rig rig;

void rig_file(const char *name, const char *text, size_t n, unsigned mode)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", rig.dir, name);
    assert_int_equal(file_write_atomic(path, str_from(text, n), mode), 0);
}

int rig_rail(int32_t kind, struct rail **out)
{
    char why[160];
    struct rail_config c = {.channel = 7,
                            .kind = kind,
                            .url = "https://pay.test",
                            .app = kind == CHANNEL_ALIPAY ? "2021" : "wx1",
                            .merchant = "1900",
                            .notify_url = "https://even.test/notify/7",
                            .keys = rig.dir};
    return rail_new(&c, out, why);
}

int rig_setup(void **state)
{
    char folder[260];
    struct buf *all[] = {rig.merchant, rig.merchant + 1, rig.provider, rig.provider + 1};
    (void)state;
    snprintf(rig.dir, sizeof rig.dir, "/tmp/even-rail-%d", (int)getpid());
    snprintf(folder, sizeof folder, "%s/provider", rig.dir);
    assert_int_equal(dir_make(folder, 0700), 0);
    for (size_t i = 0; i < 4; i++)
        buf_init(all[i], 8192);
    assert_int_equal(sign_pair_new(&rig.merchant[0], &rig.merchant[1]), 0);
    assert_int_equal(sign_pair_new(&rig.provider[0], &rig.provider[1]), 0);
    assert_int_equal(sign_key_private(buf_str(&rig.merchant[0]), &rig.own), 0);
    assert_int_equal(sign_key_public(buf_str(&rig.merchant[1]), &rig.own_public), 0);
    assert_int_equal(sign_key_private(buf_str(&rig.provider[0]), &rig.theirs), 0);
    rig_file("merchant.pem", rig.merchant[0].p, rig.merchant[0].n, 0600);
    rig_file("merchant.serial", "AB12\n", 5, 0600);
    rig_file("secret", SECRET, 32, 0600);
    rig_file("provider/" SERIAL ".pem", rig.provider[1].p, rig.provider[1].n, 0600);
    assert_int_equal(rig_rail(CHANNEL_WECHAT, &rig.wechat), 0);
    assert_int_equal(rig_rail(CHANNEL_ALIPAY, &rig.alipay), 0);
    assert_int_equal(rig_rail(CHANNEL_RAIL, &rig.alloc), 0);
    return 0;
}

static int drop(void *ctx, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    return unlink(path) == 0 || rmdir(path) == 0 ? 0 : ERR_IO;
}

int rig_teardown(void **state)
{
    char folder[260];
    (void)state;
    rail_free(rig.wechat);
    rail_free(rig.alipay);
    rail_free(rig.alloc);
    sign_key_free(rig.own);
    sign_key_free(rig.own_public);
    sign_key_free(rig.theirs);
    for (size_t i = 0; i < 2; i++) {
        buf_free(&rig.merchant[i]);
        buf_free(&rig.provider[i]);
    }
    snprintf(folder, sizeof folder, "%s/provider", rig.dir);
    return dir_list(folder, drop, folder) || dir_list(rig.dir, drop, rig.dir) || rmdir(rig.dir);
}

static struct str header(const void *ctx, const char *name)
{
    const struct said *s = ctx;
    for (int i = 0; i < 4; i++)
        if (strcmp(s->names[i], name) == 0)
            return str_from_c(s->value[i]);
    return STR_LIT("");
}

static void say(struct said *s, int status, const char *first, const char *body, int64_t now)
{
    struct buf text, sig;
    buf_init(&text, 131072);
    buf_init(&sig, SIGN_TEXT_MAX);
    (void)str_copy(s->value[1], 64, STR_LIT("n0nce"));
    (void)str_copy(s->value[2], 64, STR_LIT(SERIAL));
    buf_printf(&text, "%s%s\nn0nce\n%s\n", first, s->value[0], body);
    assert_int_equal(sign_make(rig.theirs, buf_str(&text), &sig), 0);
    (void)str_copy(s->value[3], sizeof s->value[3], buf_str(&sig));
    s->reply = (struct rail_reply){
        .status = status, .body = str_from_c(body), .header = header, .ctx = s, .now_ms = now};
    buf_free(&text);
    buf_free(&sig);
}

void said_wechat(struct said *s, int status, const char *body, int64_t at_ms)
{
    static const char *const names[] = {"Wechatpay-Timestamp", "Wechatpay-Nonce",
                                        "Wechatpay-Serial", "Wechatpay-Signature"};
    s->names = names;
    snprintf(s->value[0], 64, "%" PRId64, at_ms / 1000);
    say(s, status, "", body, NOW);
}

void said_alloc(struct said *s, int status, const char *first, const char *body, int64_t at_ms)
{
    static const char *const names[] = {"Rail-Time", "Rail-Nonce", "Rail-Serial", "Rail-Signature"};
    s->names = names;
    snprintf(s->value[0], 64, "%" PRId64, at_ms);
    say(s, status, first, body, NOW);
}

void said_alipay(struct said *s, const char *node, const char *content, char *body, size_t size)
{
    static const char *const names[] = {"", "", "", ""};
    struct buf sig;
    buf_init(&sig, SIGN_TEXT_MAX);
    assert_int_equal(sign_make(rig.theirs, str_from_c(content), &sig), 0);
    snprintf(body, size, "{\"%s\":%s,\"sign\":\"%.*s\"}", node, content, STR_FMT(buf_str(&sig)));
    s->names = names;
    s->reply = (struct rail_reply){
        .status = 200, .body = str_from_c(body), .header = header, .ctx = s, .now_ms = NOW};
    buf_free(&sig);
}

void rig_node(const struct rail_request *q, char out[100])
{
    char form[8192];
    snprintf(form, sizeof form, "%.*s", STR_FMT(buf_str(&q->body)));
    const char *at = strstr(form, "&method=");
    assert_non_null(at);
    snprintf(out, 100, "%.*s_response", (int)strcspn(at + 8, "&"), at + 8);
    for (char *p = out; *p; p++)
        *p = *p == '.' ? '_' : *p;
}

struct out_pay rig_ask(enum pay_op op, int32_t kind)
{
    struct out_pay a = {.row = 1234567,
                        .tenant = 1,
                        .channel = 7,
                        .amount = 123400,
                        .total = 500000,
                        .expires_ms = NOW + 900000,
                        .op = (int32_t)op,
                        .kind = kind,
                        .method = PAY_METHOD_QR,
                        .currency = "CNY",
                        .payee = "payee",
                        .payee_name = "王小明"};
    bool payment = op == PAY_CREATE || op == PAY_QUERY || op == PAY_CLOSE;
    bool account = op == PAY_ACCOUNT_OPEN || op == PAY_ACCOUNT_QUERY;
    bool share = op == PAY_SHARE || op == PAY_SHARE_QUERY;
    if (share)
        a.u.share = (struct pay_share){
            .n = 2,
            .to = {{.payout = 11, .amount = 10000, .payee_kind = PAYEE_COMPANY, .account = "1900"},
                   {.payout = 12, .amount = 500, .payee_kind = PAYEE_PERSON, .account = "oAbc"}}};
    if (share || op == PAY_UNFREEZE)
        snprintf(a.provider_no, sizeof a.provider_no, "42001");
    if (account)
        a.u.open = (struct pay_open){.payee_kind = PAYEE_PERSON,
                                     .name = "王小明",
                                     .id_no = "11010119900307123X",
                                     .bank = "6222020000000001",
                                     .account = "oAbc"};
    snprintf(a.no, sizeof a.no, "%c1234567",
             payment              ? 'P'
             : account            ? 'A'
             : share              ? 'S'
             : op == PAY_UNFREEZE ? 'U'
                                  : 'W');
    if (op == PAY_REFUND || op == PAY_REFUND_QUERY)
        snprintf(a.of_no, sizeof a.of_no, "P7654321");
    if (op == PAY_RETURN || op == PAY_RETURN_QUERY)
        snprintf(a.of_no, sizeof a.of_no, "S7654321");
    return a;
}
