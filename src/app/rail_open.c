// SPDX-License-Identifier: Apache-2.0
/* rail_open.c: see rail_open.h. Owns nothing. Invariant: a channel's address is the provider's public
 * one, or its server stands in pay.providers: who may edit a channel must not be able to make this
 * machine ask whatever he likes. */
#include "app/rail_open.h"

#include <inttypes.h>

#include "base/err.h"
#include "base/must.h"

static int on_row(void *ctx, const struct sql_value *v, size_t n)
{
    struct rail_row *row = ctx;
    must(n == 8);
    row->tenant = v[0].i;
    row->kind = (int32_t)v[1].i;
    (void)str_copy(row->url, sizeof row->url, v[2].s);
    (void)str_copy(row->app, sizeof row->app, v[3].s);
    (void)str_copy(row->merchant, sizeof row->merchant, v[4].s);
    (void)str_copy(row->keys, sizeof row->keys, v[5].s);
    row->version = (int32_t)v[7].i;
    return v[6].i == ROW_DELETED ? ERR_DISABLED : 0;
}

int rail_row_read(struct store_reader *r, int64_t id, struct rail_row *out)
{
    struct sql_value v = SQL_I64(id);
    *out = (struct rail_row){.id = id};
    int err = store_query(r, QUERY_RAIL_CHANNEL, &v, 1, on_row, out);
    if (err)
        return err;
    return out->kind < CHANNEL_WECHAT || out->kind > CHANNEL_RAIL ? ERR_UNSUPPORTED : 0;
}

static bool provider_allowed(const struct config *c, const char *url)
{
    struct str rest = str_from_c(c->pay_providers), whole = str_from_c(url);
    while (rest.n) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (one.n && str_starts(whole, one) && (whole.n == one.n || whole.p[one.n] == '/'))
            return true;
    }
    return whole.n == 0; /* the public address */
}

int rail_open(const struct config *c, const struct rail_row *row, const char *base,
              struct rail **out, char why[160])
{
    char keys[400], notify[300];
    snprintf(keys, sizeof keys, "%s/keys/%s", c->data_dir, row->keys);
    snprintf(notify, sizeof notify, "%s/notify/%" PRId64, base, row->id);
    struct rail_config rc = {.channel = row->id,
                             .kind = row->kind,
                             .url = row->url,
                             .app = row->app,
                             .merchant = row->merchant,
                             .notify_url = notify,
                             .keys = keys};
    if (!rail_keys_name_ok(str_from_c(row->keys))) {
        snprintf(why, 160, "its folder of keys has no good name");
        return ERR_RANGE;
    }
    if (!provider_allowed(c, row->url)) {
        snprintf(why, 160, "its address is not in pay.providers");
        return ERR_DENIED;
    }
    return rail_new(&rc, out, why);
}
