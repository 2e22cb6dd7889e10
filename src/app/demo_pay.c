// SPDX-License-Identifier: Apache-2.0
/* demo_pay.c: see demo_pay.h. Owns nothing; the keys are 0600 on both sides. */
#include "app/demo_pay.h"

#include <stdio.h>

#include "base/err.h"
#include "cashier/cashier.h"
#include "core/types.h"
#include "io/os/crypto.h"
#include "io/os/file.h"

enum { KEY_MAX = 65536, PATH_SIZE = 500 };

static const struct channel_plan {
    int32_t kind;
    const char *keys, *name, *path, *app, *merchant;
} plans[] = {
    {CHANNEL_WECHAT, "wechat", "微信支付", "/wechat", CASHIER_WECHAT_APP, CASHIER_WECHAT_MERCHANT},
    {CHANNEL_ALIPAY, "alipay", "支付宝", "/alipay/gateway.do", CASHIER_ALIPAY_APP,
     CASHIER_ALIPAY_MERCHANT},
    {CHANNEL_RAIL, "alloc", "划拨付款", "/alloc", "", CASHIER_ALLOC_MERCHANT},
};

struct copy {
    const char *from, *to;
};

static int copy_one(void *ctx, const char *name)
{
    const struct copy *c = ctx;
    char from[PATH_SIZE], to[PATH_SIZE];
    struct buf b;
    if (strcmp(name, "provider") == 0)
        return 0; /* a folder, walked by itself */
    snprintf(from, sizeof from, "%s/%s", c->from, name);
    snprintf(to, sizeof to, "%s/%s", c->to, name);
    buf_init(&b, KEY_MAX);
    int err = file_read(from, KEY_MAX, &b);
    if (!err)
        err = file_write_atomic(to, buf_str(&b), 0600);
    if (b.n)
        crypto_wipe(b.p, b.n);
    buf_free(&b);
    return err;
}

static int copy_folder(const char *dir, const char *kind, const char *below)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    struct copy c = {from, to};
    snprintf(from, sizeof from, "%s/cashier/merchant/%s%s", dir, kind, below);
    snprintf(to, sizeof to, "%s/keys/%s%s", dir, kind, below);
    int err = dir_make(to, 0700);
    return err ? err : dir_list(from, copy_one, &c);
}

int demo_pay_keys(const char *dir)
{
    int err = 0;
    for (size_t i = 0; !err && i < ARRAY_LEN(plans); i++) {
        err = copy_folder(dir, plans[i].keys, "");
        if (!err)
            err = copy_folder(dir, plans[i].keys, "/provider");
    }
    return err;
}

int demo_pay_channels(struct client *c, const char *cashier_url)
{
    int err = 0;
    for (size_t i = 0; !err && i < ARRAY_LEN(plans); i++) {
        const struct channel_plan *p = &plans[i];
        char body[800];
        int64_t id;
        snprintf(body, sizeof body,
                 "{\"kind\":%d,\"name\":\"%s\",\"url\":\"%s%s\",\"app\":\"%s\",\"merchant\":\"%s\","
                 "\"keys\":\"%s\",\"fee_bp\":60,\"state\":0}",
                 (int)p->kind, p->name, cashier_url, p->path, p->app, p->merchant, p->keys);
        err = client_make(c, "/api/v1/channels", body, &id);
    }
    return err;
}
