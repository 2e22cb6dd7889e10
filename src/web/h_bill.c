// SPDX-License-Identifier: Apache-2.0
/* h_bill.c: a provider's bill of one day, compared with our books. The columns are found by the words
 * of the header, so a provider may add some or change their order; a column that we need and do not
 * find refuses the bill, and so does one whose closing line counts other rows than came.
 *
 *  class       what it means
 *  matched     both sides have it, with one amount, on that day
 *  amount      both have it, with different amounts
 *  fee         the amounts agree, the provider kept another fee than the channel says
 *  day_cut     we booked it on a neighbouring day, or ours is so near to midnight that theirs will be
 *  theirs_only the provider has it, we do not
 *  ours_only   we have it, the provider does not
 *
 * The file is kept as it came, once: DIR/bills/<channel>/<day>.csv. The same file again is compared
 * again; another one for that day is a conflict. What differs is told and not yet posted: people
 * look at it.
 *
 * Providers count days in China's time. Thread: the request's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/calendar.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/money.h"
#include "core/types.h"
#include "io/os/file.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/sheet.h"
#include "web/state.h"

enum { OURS_MAX = 100000, ITEMS_MAX = 500, FEE_BASE = 10000 };
#define DAY_MS  INT64_C(86400000)
#define ZONE_MS INT64_C(28800000)
#define CUT_MS  INT64_C(1800000) /* so near to midnight the other day may have it */

enum { COL_NO, COL_REFUND_NO, COL_PROVIDER_NO, COL_AMOUNT, COL_REFUND, COL_FEE, COLS };

/* What providers call the columns; our cashier's words last. */
static const struct {
    const char *names[5];
    bool must;
} columns[COLS] = {
    [COL_NO] = {{"商户订单号", "number"}, true},
    [COL_REFUND_NO] = {{"商户退款单号", "退款批次号/请求号"}, false},
    [COL_PROVIDER_NO] = {{"微信订单号", "支付宝交易号", "provider_number"}, true},
    [COL_AMOUNT] = {{"订单金额", "订单金额（元）", "amount"}, true},
    [COL_REFUND] = {{"申请退款金额", "退款金额"}, false},
    [COL_FEE] = {{"手续费", "服务费（元）", "fee"}, false},
};

/** One movement in our books. kind 'P' payment, 'W' payout or refund. */
struct ours {
    char kind;
    bool in_day, seen;
    int64_t id, amount, at_ms;
};
struct bill {
    struct request *r;
    struct ours *ours;
    uint32_t n;
    int64_t from_ms, to_ms, fee_bp;
    int col[COLS];
    struct api_BillReport out;
};

/* ---- our side ---- */

static int ours_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct bill *b = ctx;
    struct ours *o = &b->ours[b->n];

    (void)n;
    if (b->n == OURS_MAX)
        return ERR_TOO_LARGE;
    *o = (struct ours){.kind = v[0].i == 1 ? 'P' : 'W',
                       .id = v[1].i,
                       .amount = v[2].i,
                       .at_ms = v[3].i,
                       .in_day = v[3].i >= b->from_ms && v[3].i < b->to_ms};
    b->n++;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct ours *)a)->id, y = ((const struct ours *)b)->id;

    return (x > y) - (x < y);
}

static int fee_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct bill *b = ctx;

    (void)n;
    b->fee_bp = v[0].i;
    return 0;
}

static int ours_read(struct bill *b)
{
    const struct bind window[] = {BIND_I64("from_ms", b->from_ms - DAY_MS),
                                  BIND_I64("to_ms", b->to_ms + DAY_MS)};
    int err = req_query(b->r, QUERY_BILL_CHANNEL, NULL, 0, fee_take, b);

    b->ours = ARENA_ARRAY(&b->r->arena, OURS_MAX, struct ours);
    if (err == 0 && b->ours == NULL)
        err = ERR_NOMEM;
    if (err == 0)
        err = req_query(b->r, QUERY_BILL_OURS, window, ARRAY_LEN(window), ours_take, b);
    if (err == 0)
        qsort(b->ours, b->n, sizeof(*b->ours), by_id);
    return err;
}

static struct ours *ours_find(struct bill *b, struct str no)
{
    struct ours key = {0}, *found;

    if (no.n < 2 || str_to_i64(str_from(no.p + 1, no.n - 1), &key.id) != 0)
        return NULL;
    found = bsearch(&key, b->ours, b->n, sizeof(*b->ours), by_id);
    return found != NULL && found->kind == no.p[0] ? found : NULL;
}

/* ---- the report ---- */

static void tell(struct bill *b, const char *class, int64_t *count, const struct api_BillItem *item)
{
    ++*count;
    if (strcmp(class, "matched") == 0 || b->out.items_n == ITEMS_MAX)
        return;
    b->out.items[b->out.items_n] = *item;
    b->out.items[b->out.items_n++].class = str_from_c(class);
}

static void row_class(struct bill *b, struct ours *o, struct api_BillItem *item, bool has_fee)
{
    int64_t fee =
        o != NULL && o->kind == 'P'
            ? muldiv_half_up(o->amount, b->fee_bp, (int64_t)FEE_BASE * MONEY_FEN) * MONEY_FEN
            : 0;

    if (o == NULL) {
        tell(b, "theirs_only", &b->out.theirs_only, item);
        return;
    }
    item->ours = MONEY(o->amount);
    item->at_ms = o->at_ms;
    if (o->seen) /* the provider has it twice */
        tell(b, "theirs_only", &b->out.theirs_only, item);
    else if (o->amount != item->theirs.v)
        tell(b, "amount", &b->out.amount, item);
    else if (!o->in_day)
        tell(b, "day_cut", &b->out.day_cut, item);
    else if (has_fee && item->fee.v != fee)
        tell(b, "fee", &b->out.fee, item);
    else
        tell(b, "matched", &b->out.matched, item);
    o->seen = true;
}

static void ours_class(struct bill *b, const struct ours *o)
{
    struct api_BillItem item = {.no = arena_printf(&b->r->arena, "%c%" PRId64, o->kind, o->id),
                                .provider_no = STR_LIT(""),
                                .ours = MONEY(o->amount),
                                .at_ms = o->at_ms};

    if (o->seen || !o->in_day)
        return;
    if (o->at_ms < b->from_ms + CUT_MS || o->at_ms >= b->to_ms - CUT_MS)
        tell(b, "day_cut", &b->out.day_cut, &item);
    else
        tell(b, "ours_only", &b->out.ours_only, &item);
}

/* ---- their side ---- */

/* Some providers put a backtick before each value, so that spreadsheets leave it alone. */
static struct str value(const struct bill *b, const struct sheet *s, int col)
{
    struct str v = b->col[col] >= 0 && b->col[col] < s->n ? s->cell[b->col[col]] : STR_LIT("");

    return v.n > 0 && v.p[0] == '`' ? str_from(v.p + 1, v.n - 1) : v;
}

static int columns_find(struct bill *b, const struct sheet *s)
{
    for (int i = 0; i < COLS; i++) {
        b->col[i] = -1;
        for (size_t k = 0; k < ARRAY_LEN(columns[i].names) && columns[i].names[k] != NULL; k++)
            if (b->col[i] < 0)
                b->col[i] = sheet_column(s, columns[i].names[k]);
        if (b->col[i] < 0 && columns[i].must)
            return req_fail(b->r, ERR_REQUIRED, NULL,
                            arena_printf(&b->r->arena, "no column %s", columns[i].names[0]).p);
    }
    return 0;
}

static int money_of(struct bill *b, struct str text, int64_t *out)
{
    struct money v;
    int err = money_parse(text, &v);

    if (err == 0 && v.v % MONEY_FEN != 0)
        err = ERR_RANGE;
    if (err != 0)
        return req_fail(b->r, err, NULL, "an amount of the bill is none");
    *out = v.v < 0 ? -v.v : v.v;
    return 0;
}

static int row_read(struct bill *b, const struct sheet *s)
{
    struct str back = value(b, s, COL_REFUND_NO);
    bool refund = back.n > 1; /* "0" and nothing: a payment */
    struct api_BillItem item = {.no = req_copy(b->r, refund ? back : value(b, s, COL_NO)),
                                .provider_no = req_copy(b->r, value(b, s, COL_PROVIDER_NO))};
    int err = money_of(b, value(b, s, refund && b->col[COL_REFUND] >= 0 ? COL_REFUND : COL_AMOUNT),
                       &item.theirs.v);

    if (err == 0 && b->col[COL_FEE] >= 0)
        err = money_of(b, value(b, s, COL_FEE), &item.fee.v);
    if (err == 0 && item.no.n > 64)
        err = req_fail(b->r, ERR_RANGE, NULL, "a number of the bill is too long");
    if (err == 0)
        row_class(b, ours_find(b, item.no), &item, b->col[COL_FEE] >= 0);
    b->out.rows++;
    return err;
}

/* The line that closes a bill counts its rows: a bill that was cut off has none, or another count. */
static int closing_read(struct bill *b, struct sheet *s)
{
    int64_t n = -1;

    if (sheet_next(s, &b->r->arena) != 1 ||
        str_to_i64(s->cell[0].n > 0 && s->cell[0].p[0] == '`'
                       ? str_from(s->cell[0].p + 1, s->cell[0].n - 1)
                       : s->cell[0],
                   &n) != 0 ||
        n != b->out.rows)
        return req_fail(b->r, ERR_SYNTAX, NULL, "the closing line counts other rows");
    return sheet_next(s, &b->r->arena) == 0
               ? 0
               : req_fail(b->r, ERR_SYNTAX, NULL, "something stands behind the closing line");
}

static int bill_walk(struct bill *b)
{
    struct sheet *s = ARENA_NEW(&b->r->arena, struct sheet);
    int got, width, err;

    if (s == NULL)
        return ERR_NOMEM;
    sheet_open(s, buf_str(&b->r->body));
    got = sheet_next(s, &b->r->arena);
    err = got == 1 ? columns_find(b, s) : req_fail(b->r, ERR_SYNTAX, NULL, "no header line");
    width = s->n;
    while (err == 0 && (got = sheet_next(s, &b->r->arena)) == 1) {
        if (str_eq_c(s->cell[0], "总交易单数") || str_eq_c(s->cell[0], "rows"))
            return closing_read(b, s);
        if (s->n != width)
            return req_fail(b->r, ERR_SYNTAX, NULL, "a row has other columns than the header");
        err = row_read(b, s);
    }
    return err != 0 || got < 0 ? (err != 0 ? err : got)
                               : req_fail(b->r, ERR_SYNTAX, NULL, "the bill has no closing line");
}

/* ---- keeping ---- */

static int bill_keep(struct bill *b, const char *hash)
{
    const struct request *r = b->r;
    char folder[300], path[340], had[65];
    struct buf old;
    uint8_t sum[32];

    snprintf(folder, sizeof(folder), "%s/bills/%" PRId64, r->web->cfg.dir, r->id);
    snprintf(path, sizeof(path), "%s/%" PRId64 ".csv", folder, b->out.day);
    if (!file_exists(path)) {
        int err = dir_make(folder, 0700);

        return err != 0 ? err : file_write_atomic(path, buf_str(&r->body), 0600);
    }
    buf_init(&old, WEB_FILE_MAX);
    int err = file_read(path, WEB_FILE_MAX, &old);
    sha256(old.p, old.n, sum);
    buf_free(&old);
    str_to_hex(sum, sizeof(sum), had);
    return err != 0                 ? err
           : strcmp(had, hash) != 0 ? req_fail(b->r, ERR_CONFLICT, NULL, "another bill of that day")
                                    : 0;
}

static int day_read(struct request *r, struct bill *b)
{
    int64_t day = req_arg_i64(r, "day"), d = day % 100, m = day / 100 % 100, y = day / 10000;
    struct civil c;

    b->from_ms = civil_days((int32_t)y, (int32_t)m, (int32_t)d) * DAY_MS;
    civil_from_ms(b->from_ms, &c);
    if (y < 2020 || y > 2200 || c.year != y || c.month != m || c.day != d)
        return req_fail(r, ERR_RANGE, "?day", "a date like 20261125");
    b->from_ms -= ZONE_MS;
    b->to_ms = b->from_ms + DAY_MS;
    b->out.day = day;
    return 0;
}

static int bill_audit(struct bill *b)
{
    struct cmd *cmd = req_cmd(b->r, CMD_AUDIT, CMD_SIZE(audit));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    (void)str_copy(cmd->u.audit.action, sizeof(cmd->u.audit.action), STR_LIT("bill.compared"));
    (void)str_copy(cmd->u.audit.detail, sizeof(cmd->u.audit.detail),
                   arena_printf(&b->r->arena, "day %" PRId64 ", sha256 %.*s", b->out.day,
                                STR_FMT(b->out.sha256)));
    cmd->u.audit.object = b->r->id;
    return req_submit(b->r, cmd, 1);
}

int bill_compare(struct request *r)
{
    struct bill *b = r->ctx;
    uint8_t sum[32];
    char hex[65];
    int err;

    if (r->web->cfg.dir == NULL)
        return ERR_UNSUPPORTED;
    if (r->resumed)
        return r->reply_err != 0 ? r->reply_err : req_json(r, &api_BillReport_type, &b->out);
    b = r->ctx = ARENA_NEW(&r->arena, struct bill);
    if (b == NULL)
        return ERR_NOMEM;
    b->r = r;
    b->out.items = ARENA_ARRAY(&r->arena, ITEMS_MAX, struct api_BillItem);
    sha256(r->body.p, r->body.n, sum);
    str_to_hex(sum, sizeof(sum), hex);
    b->out.sha256 = req_copy(r, str_from_c(hex));
    err = b->out.items == NULL ? ERR_NOMEM : day_read(r, b);
    if (err == 0)
        err = ours_read(b);
    if (err == 0)
        err = bill_walk(b);
    for (uint32_t i = 0; err == 0 && i < b->n; i++)
        ours_class(b, &b->ours[i]);
    if (err == 0)
        err = bill_keep(b, hex);
    return err != 0 ? err : bill_audit(b);
}
