// SPDX-License-Identifier: Apache-2.0
/* sharebill.c: the cashier's bill of shares as WeChat Pay writes it (what is known of that: the head of
 * src/web/bill_shares.c): a CSV in yuan with a backtick before each value, what was shared, came back
 * and was set free, then how many rows these are. Its faults: not there yet, being made, another file
 * than its hash says, cut off.
 *
 * Data: FOLDER/bills/wechat-shares-DAY.csv, without its closing part. One thread. */
#include <inttypes.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/calendar.h"
#include "base/err.h"
#include "base/hash.h"
#include "cashier.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "till.h"

enum { FILE_MAX = 16 << 20, GZIP = 16 + MAX_WBITS };
#define ZONE_MS INT64_C(28800000)
#define OPEN_MS INT64_C(122400000) /* 10:00 of the next day, from the begin of the day */

static const char header[] = "分账时间,分账发起方,分账方,微信订单号,微信分账/回退单号,分账明细单号,"
                             "商户分账/回退单号,订单金额,分账接收方,金额,业务类型,处理状态,"
                             "分账描述,备注\n";

struct line {
    const char *transaction, *no, *detail, *receiver, *type, *note;
    struct str ours; /* the merchant's number */
    int64_t whole, fen;
};

static void path_of(const struct till *t, struct str day, char out[400])
{
    snprintf(out, 400, "%s/bills/wechat-shares-%.10s.csv", t->dir, day.p);
}

static void line_add(const struct till *t, const struct line *l)
{
    char path[400], now[TIME_TEXT_SIZE];
    time_format(os_wall_ms() + ZONE_MS, now);
    path_of(t, str_from(now, 10), path);
    FILE *f = fopen(path, "a");
    if (!f)
        return;
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) == 0)
        fputs(header, f);
    fprintf(f,
            "`%.10s %.8s,`" CASHIER_WECHAT_MERCHANT ",`" CASHIER_WECHAT_MERCHANT
            ",`%s,`%s,`%s,`%.*s,`%" PRId64 ".%02d,`%s,`%" PRId64 ".%02d,`%s,`处理成功,`%s,`\n",
            now, now + 11, l->transaction, l->no, l->detail, STR_FMT(l->ours), l->whole / 100,
            (int)(l->whole % 100), l->receiver, l->fen / 100, (int)(l->fen % 100), l->type,
            l->note);
    (void)fclose(f);
}

void till_share_line(struct till *t, const struct move *m)
{
    const struct trade *d = till_trade(t, TILL_WECHAT, str_from_c(m->of_no));
    bool back = m->what == MOVE_RETURN;
    const struct line l = {.transaction = d ? d->provider_no : "",
                           .no = m->provider_no,
                           .detail = m->provider_no,
                           .receiver = m->payee,
                           .type = back ? "分账回退" : "分账",
                           .note = back ? "退款" : m->no,
                           .ours = str_from_c(back ? m->no : m->group),
                           .whole = d ? d->fen : 0,
                           .fen = m->fen};
    line_add(t, &l);
}

void till_rest_line(struct till *t, const struct trade *d, struct str no)
{
    int64_t rest = d->fen - d->refunded;
    for (size_t i = 0; i < t->moves_n; i++)
        if (t->moves[i].what == MOVE_SHARE && t->moves[i].state == MOVE_DONE &&
            str_eq_c(str_from_c(d->no), t->moves[i].of_no))
            rest -= t->moves[i].fen;
    const struct line l = {.transaction = d->provider_no,
                           .no = d->code,
                           .detail = d->code,
                           .receiver = CASHIER_WECHAT_MERCHANT,
                           .type = "解冻",
                           .note = "",
                           .ours = no,
                           .whole = d->fen,
                           .fen = rest};
    line_add(t, &l);
}

/* The file of a day with its closing part. */
static int whole(const struct till *t, struct str day, struct buf *out)
{
    char path[400];
    size_t lines = 0;
    if (day.n != 10 || str_find(day, '/') >= 0)
        return ERR_NOT_FOUND;
    path_of(t, day, path);
    int err = file_read(path, FILE_MAX, out);
    if (err)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < out->n; i++)
        lines += out->p[i] == '\n';
    buf_printf(out, "总条数\n`%zu\n", lines - 1); /* the header is none */
    return out->err;
}

static int pack(struct str plain, struct buf *out)
{
    uint8_t piece[16384];
    int rc;
    z_stream z = {.next_in = (const Bytef *)plain.p, .avail_in = (uInt)plain.n};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    do {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        rc = deflate(&z, Z_FINISH);
        buf_put(out, piece, sizeof piece - z.avail_out);
    } while (rc == Z_OK || rc == Z_BUF_ERROR);
    (void)deflateEnd(&z);
    return rc == Z_STREAM_END ? out->err : ERR_NOMEM;
}

/* ---- the two requests ---- */

/* The value of a key of the query; "". */
static struct str value_of(struct str query, const char *key)
{
    while (query.n) {
        struct str v = str_cut(&query, '&'), k = str_cut(&v, '=');
        if (str_eq_c(k, key))
            return v;
    }
    return STR_LIT("");
}

static void problem(struct till_reply *a, int status, const char *code)
{
    a->status = status;
    buf_reset(&a->body);
    buf_printf(&a->body, "{\"code\":\"%s\",\"message\":\"%s\"}", code, code);
}

/* It is made in the morning after its day. */
static bool early(struct str day)
{
    int64_t y = 0, m = 0, d = 0;
    if (str_to_i64(str_from(day.p, 4), &y) != 0 || str_to_i64(str_from(day.p + 5, 2), &m) != 0 ||
        str_to_i64(str_from(day.p + 8, 2), &d) != 0)
        return true;
    return os_wall_ms() <
           civil_days((int32_t)y, (int32_t)m, (int32_t)d) * INT64_C(86400000) - ZONE_MS + OPEN_MS;
}

void till_shares_ask(struct till *t, struct str query, struct arena *m, struct till_reply *a)
{
    struct str day = value_of(query, "bill_date"), tar = value_of(query, "tar_type");
    uint8_t hash[20];
    char hex[41];
    struct buf file;
    if (day.n != 10 || (tar.n && !str_eq_c(tar, "GZIP"))) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    if (till_strikes(t, FAULT_BILL_MADE)) {
        problem(a, 400, "STATEMENT_CREATING");
        return;
    }
    buf_init(&file, FILE_MAX);
    int err = whole(t, day, &file);
    bool cut = till_strikes(t, FAULT_BILL_CUT), wrong = till_strikes(t, FAULT_BILL_HASH);
    sha1(file.p, cut ? file.n / 2 : file.n - (wrong ? 1 : 0), hash);
    str_to_hex(hash, sizeof hash, hex);
    buf_free(&file);
    if (err || (till_strikes(t, FAULT_BILL_EARLY) && early(day))) {
        problem(a, 400, "NO_STATEMENT_EXIST");
        return;
    }
    buf_printf(&a->body, "{\"hash_type\":\"SHA1\",\"hash_value\":\"%s\",\"download_url\":\"%s\"}",
               hex,
               arena_printf(m, "%s/wechat/v3/billdownload/file?shares=%.*s&tar=%.*s&cut=%d",
                            t->base, STR_FMT(day), STR_FMT(tar), cut)
                   .p);
}

void till_shares_get(struct till *t, struct str query, struct till_reply *a)
{
    struct buf file;
    bool tar = value_of(query, "tar").n != 0;
    buf_init(&file, FILE_MAX);
    int err = whole(t, value_of(query, "shares"), &file);
    if (!err && str_eq_c(value_of(query, "cut"), "1"))
        file.n /= 2;
    a->mime = tar ? "application/octet-stream" : "text/csv; charset=utf-8";
    if (!err && tar)
        err = pack(buf_str(&file), &a->body);
    else if (!err)
        buf_put(&a->body, file.p, file.n);
    buf_free(&file);
    if (err)
        problem(a, 404, "NO_STATEMENT_EXIST");
}
