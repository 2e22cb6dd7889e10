// SPDX-License-Identifier: Apache-2.0
/* h_bill.c: a provider's bill of one day, compared with our books and imported. The columns are found
 * by the words of the header, so a provider may add some or change their order; a column that we need
 * and do not find refuses the bill, and so does one whose closing line counts other rows than came, or
 * a row that belongs to another channel of ours.
 *
 *  class       what it means
 *  matched     both sides have it, with one amount, on that day
 *  amount      both have it, with different amounts
 *  fee         the amounts agree, the provider kept another fee than the channel says
 *  day_cut     we booked it on another day, or ours is so near to midnight that theirs will be
 *  theirs_only the provider has it, we do not, or it has it twice
 *  ours_only   we have it, the provider does not
 *
 * What differs goes to the core in parts, then the bill itself (core/recon.h): there it is a row for
 * ever, and each difference another. With try=1 it is only compared. The file is kept as it came:
 * DIR/bills/<channel>/<day>-<hash>.csv, before the core has it (<day>-shares-… of a bill of shares). What is refused leaves an audit entry,
 * and its file when only the core refused it.
 *
 * A provider may give a refund's fee back or keep it: either is as agreed. The fee of a row that
 * differs anyway is taken as the provider says.
 *
 * Where shares that the channel paid have a bill of their own (bill_shares.c, kind=1), the other one has
 * nothing of them: a row that names one is theirs only.
 *
 * Providers count days in China's time. Thread: the request's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/money.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "web/audit.h"
#include "web/bill.h"
#include "web/chinaday.h"
#include "web/routes_gen.h"

enum { OURS_MAX = 100000, ITEMS_MAX = 500, FEE_BASE = 10000, FAR_MAX = 30000, FAR_CHAINS = 4096 };
enum { STEP_TRIED = 1, STEP_PART, STEP_PUT, STEP_REFUSED };
#define ROW_MAX                                                                                    \
    INT64_C(1000000000000)      /* of one row, 100 million yuan: all rows of a file fit a sum */
#define CUT_MS INT64_C(1800000) /* so near to midnight the other day may have it */

enum { COL_NO, COL_REFUND_NO, COL_PROVIDER_NO, COL_AMOUNT, COL_REFUND, COL_FEE, COL_TYPE, COLS };

/* What providers call the columns; our cashier's words last. */
static const struct bill_column columns[COLS] = {
    [COL_NO] = {{"商户订单号", "number"}, true},
    [COL_REFUND_NO] = {{"商户退款单号", "退款批次号/请求号"}, false},
    [COL_PROVIDER_NO] = {{"微信订单号", "支付宝交易号", "provider_number"}, true},
    [COL_AMOUNT] = {{"订单金额", "订单金额（元）", "amount"}, true},
    [COL_REFUND] = {{"申请退款金额", "退款金额"}, false},
    [COL_FEE] = {{"手续费", "服务费（元）", "fee"}, false},
    [COL_TYPE] = {{"业务类型", "type"}, false},
};

/* What a type of row calls money that leaves. */
static const char *const leaving[] = {"退款",     "转账",    "提现", "refund",
                                      "transfer", "cashout", "分账", "share"};
/* … and what of ours comes in again under the number of a payout. */
static const char *const returning[] = {"分账回退", "share-return"};

/* ---- our side ---- */

static int ours_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct bill *b = ctx;
    struct ours *o = &b->ours[b->n];

    (void)n;
    if (b->n == OURS_MAX)
        return ERR_TOO_LARGE;
    *o = (struct ours){.kind = v[0].i == 1 ? 'P' : 'W',
                       .in = v[0].i != 2,
                       .booked = true,
                       .id = v[1].i,
                       .channel = b->r->id,
                       .amount = v[2].i,
                       .at_ms = v[3].i,
                       .in_day = v[3].i >= b->from_ms && v[3].i < b->to_ms,
                       .half = v[4].i,
                       .half_post = v[5].i == DIFF_POSTED,
                       .late = v[6].i,
                       .other = v[7].i != 0,
                       .share = (int32_t)v[8].i,
                       .payment = v[9].i};
    b->n++;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct ours *)a)->id, y = ((const struct ours *)b)->id;

    return (x > y) - (x < y);
}

/* Which of our movements this kind of bill lists. */
enum { PART_ALL, PART_TRADE, PART_SHARES };

static int part_of(const struct bill *b)
{
    if (b->kind == BILL_SHARES)
        return PART_SHARES;
    return b->apart ? PART_TRADE : PART_ALL;
}

static int channel_read(struct bill *b)
{
    int64_t kind = 0;
    int err = req_number(b->r, QUERY_BILL_CHANNEL, NULL, 0, &b->fee_bp);

    if (err == 0)
        err = req_number(b->r, QUERY_BILL_CHANNEL_KIND, NULL, 0, &kind);
    b->apart = kind == CHANNEL_WECHAT;
    if (err == 0 && b->kind == BILL_SHARES && !b->apart)
        return req_fail(b->r, ERR_UNSUPPORTED, "?kind", "this channel has no bill of shares");
    return err;
}

static int ours_read(struct bill *b)
{
    int err = channel_read(b);
    const struct bind window[] = {BIND_I64("from_ms", b->from_ms - CHINADAY_MS),
                                  BIND_I64("to_ms", b->to_ms + CHINADAY_MS),
                                  BIND_I64("part", part_of(b))};

    b->ours = ARENA_ARRAY(&b->r->arena, OURS_MAX, struct ours);
    if (err == 0 && b->ours == NULL)
        err = ERR_NOMEM;
    if (err == 0)
        err = req_query(b->r, QUERY_BILL_OURS, window, ARRAY_LEN(window), ours_take, b);
    if (err == 0)
        qsort(b->ours, b->n, sizeof(*b->ours), by_id);
    return err;
}

struct far_find {
    struct ours *to;
    char kind;
};

static int far_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct far_find *f = ctx;
    struct ours *o = f->to;

    (void)n;
    if ((v[0].i == 1 ? 'P' : 'W') != f->kind)
        return 0;
    *o = (struct ours){.kind = f->kind,
                       .in = v[0].i != 2,
                       .id = o->id,
                       .channel = v[1].i,
                       .booked = v[2].i != 0,
                       .amount = v[3].i,
                       .at_ms = v[4].i,
                       .half = v[5].i,
                       .half_post = v[6].i == DIFF_POSTED,
                       .other = v[7].i != 0,
                       .share = (int32_t)v[8].i,
                       .payment = v[9].i};
    return 0;
}

/* A number of ours that is not of those days. NULL in *out: nothing that we know. */
static int far_find(struct bill *b, char kind, int64_t id, struct ours **out)
{
    struct bind of = BIND_I64("row_id", id);
    struct ours **chain = &b->far[(uint64_t)id % FAR_CHAINS], *o = *chain;
    int err;

    for (; o != NULL; o = o->next)
        if (o->id == id && o->kind == kind) {
            *out = o;
            return 0;
        }
    o = ARENA_NEW(&b->r->arena, struct ours);
    if (o == NULL || b->far_n == FAR_MAX)
        return req_fail(b->r, ERR_TOO_LARGE, NULL, "too many rows are of other days");
    o->id = id;
    struct far_find f = {o, kind};
    err = req_query(b->r, QUERY_BILL_ROW, &of, 1, far_take, &f);
    *out = err == 0 && o->kind != 0 ? o : NULL;
    if (*out != NULL) {
        o->next = *chain;
        *chain = o;
        b->far_n++;
    }
    return err;
}

int bill_find(struct bill *b, struct str no, struct ours **out)
{
    struct ours key = {0}, *found;
    int err;

    *out = NULL;
    if (no.n < 2 || (no.p[0] != 'P' && no.p[0] != 'W') ||
        str_to_i64(str_from(no.p + 1, no.n - 1), &key.id) != 0)
        return 0;
    found = bsearch(&key, b->ours, b->n, sizeof(*b->ours), by_id);
    if (found != NULL && found->kind == no.p[0]) {
        *out = found;
        return 0;
    }
    err = far_find(b, no.p[0], key.id, out);
    if (err == 0 && *out != NULL && (*out)->channel != b->r->id)
        return req_fail(
            b->r, ERR_CONFLICT, NULL,
            arena_printf(&b->r->arena, "row %.*s belongs to another channel", STR_FMT(no)).p);
    return err;
}

/* Was that day's bill imported? Then what it had of that day it had. */
static int day_known(struct bill *b, int64_t at_ms, bool *known)
{
    struct api_BillRow row;
    const struct bind of[] = {BIND_I64("of_day", chinaday_of_ms(at_ms)),
                              BIND_I64("of_kind", b->kind)};
    int err = req_one(b->r, QUERY_BILL_OF_DAY, of, ARRAY_LEN(of), &api_BillRow_type, &row);
    *known = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* What the core calls what moved. */
static int32_t kind_of(const struct bill *b, bool in)
{
    if (b->kind == BILL_SHARES)
        return in ? PAYOUT_RETURNED : PAYOUT_SHARED;
    return in ? 1 : 2;
}

/* ---- the report ---- */

static void tell(struct bill *b, enum bill_class class, const struct api_BillItem *item)
{
    static const char *const names[] = {[BILL_AMOUNT] = "amount",
                                        [BILL_FEE] = "fee",
                                        [BILL_DAY_CUT] = "day_cut",
                                        [BILL_THEIRS_ONLY] = "theirs_only",
                                        [BILL_OURS_ONLY] = "ours_only"};
    int64_t *const counts[] = {[BILL_AMOUNT] = &b->out.amount,
                               [BILL_FEE] = &b->out.fee,
                               [BILL_DAY_CUT] = &b->out.day_cut,
                               [BILL_THEIRS_ONLY] = &b->out.theirs_only,
                               [BILL_OURS_ONLY] = &b->out.ours_only};

    ++*counts[class];
    if (b->out.items_n == ITEMS_MAX)
        return;
    b->out.items[b->out.items_n] = *item;
    b->out.items[b->out.items_n++].class = str_from_c(names[class]);
}

/* One difference: told, and kept for the core. `half`: an earlier one whose other side this is. */
static int differ(struct bill *b, enum bill_class class, const struct api_BillItem *item,
                  const struct bill_diff_in *sides)
{
    struct bill_diff_in d = *sides;

    tell(b, class, item);
    if (b->dry)
        return 0;
    if (b->diffs == b->r->web->cfg.bill_diffs)
        return req_fail(
            b->r, ERR_TOO_LARGE, NULL,
            arena_printf(&b->r->arena,
                         "more than %" PRId32 " rows differ: is it this channel's bill?", b->diffs)
                .p);
    d.class = (int32_t) class;
    (void)str_copy(d.no, sizeof(d.no), item->no);
    (void)str_copy(d.provider_no, sizeof(d.provider_no), item->provider_no);
    buf_put(&b->r->kept, &d, sizeof(d));
    b->diffs++;
    return b->r->kept.err;
}

static int theirs_only(struct bill *b, const struct ours *o, const struct bill_line *l)
{
    int64_t theirs = l->in ? l->item.theirs.v : -l->item.theirs.v;
    const struct bill_diff_in d = {
        .row = o != NULL ? o->id : 0, .kind = kind_of(b, l->in), .theirs = theirs};

    return differ(b, BILL_THEIRS_ONLY, &l->item, &d);
}

/* What is kept of the row as agreed; what comes back of a refund's fee may be all of it or nothing. */
static int64_t fee_due(const struct bill *b, const struct bill_line *l)
{
    int64_t due =
        muldiv_half_up(l->item.theirs.v, b->fee_bp, (int64_t)FEE_BASE * MONEY_FEN) * MONEY_FEN;

    if (l->in)
        return due;
    return l->refund && l->item.fee.v != 0 ? -due : 0;
}

static int row_fee(struct bill *b, const struct ours *o, const struct bill_line *l)
{
    int64_t kept = l->refund ? -l->item.fee.v : l->item.fee.v, due = fee_due(b, l);
    const struct bill_diff_in d = {.row = o->id,
                                   .kind = kind_of(b, l->in),
                                   .ours = -due,
                                   .theirs = -kept,
                                   .ours_ms = o->at_ms};

    if (!l->has_fee || kept == due) {
        b->out.matched++;
        return 0;
    }
    b->fee_due += due - kept; /* row_read has counted what was kept */
    return differ(b, BILL_FEE, &l->item, &d);
}

/* Both sides have it. */
static int row_both(struct bill *b, struct ours *o, const struct bill_line *l)
{
    int64_t sign = l->in ? 1 : -1;
    bool same = o->amount == l->item.theirs.v, known = false;
    struct bill_diff_in d = {.row = o->id,
                             .kind = kind_of(b, l->in),
                             .ours = sign * o->amount,
                             .theirs = sign * l->item.theirs.v,
                             .ours_ms = o->at_ms};
    int err = o->in_day || o->half != 0 ? 0 : day_known(b, o->at_ms, &known);

    if (err != 0)
        return err;
    if (known || (o->half != 0 && o->half_post && !same && !b->dry))
        return theirs_only(b, o, l);
    o->seen = true;
    if (o->half != 0 && !b->dry) {
        d.diff = o->half;
        d.ours = 0;
        return differ(b, same ? BILL_DAY_CUT : BILL_AMOUNT, &l->item, &d);
    }
    if (!same)
        return differ(b, BILL_AMOUNT, &l->item, &d);
    return o->in_day ? row_fee(b, o, l) : differ(b, BILL_DAY_CUT, &l->item, &d);
}

int bill_judge(struct bill *b, struct ours *o, struct bill_line *l)
{
    if (o != NULL && o->booked) {
        l->item.ours = MONEY(o->amount);
        l->item.at_ms = o->at_ms;
    }
    if (l->item.theirs.v == 0 && (o == NULL || !o->booked)) {
        b->out.matched++; /* an order over nothing: closed, or a free one */
        return 0;
    }
    if (o == NULL || !o->booked || o->seen || o->other)
        return theirs_only(b, o, l);
    return row_both(b, o, l);
}

static int ours_class(struct bill *b, const struct ours *o)
{
    struct api_BillItem item = {.no = arena_printf(&b->r->arena, "%c%" PRId64, o->kind, o->id),
                                .provider_no = STR_LIT(""),
                                .ours = MONEY(o->amount),
                                .at_ms = o->at_ms};
    struct bill_diff_in d = {.row = o->id,
                             .kind = kind_of(b, o->in),
                             .ours = o->in ? o->amount : -o->amount,
                             .ours_ms = o->at_ms};
    bool near = o->at_ms < b->from_ms + CUT_MS || o->at_ms >= b->to_ms - CUT_MS;

    if (o->seen || !o->in_day || o->other || o->amount == 0 || (o->half != 0 && !b->dry))
        return 0;
    if (o->late != 0 && !b->dry) {
        d.diff = o->late;
        return differ(b, BILL_DAY_CUT, &item, &d);
    }
    return differ(b, near ? BILL_DAY_CUT : BILL_OURS_ONLY, &item, &d);
}

/* ---- their side ---- */

/* Some providers put a backtick before each value, so that spreadsheets leave it alone. */
static struct str plain(struct str v)
{
    return v.n > 0 && v.p[0] == '`' ? str_from(v.p + 1, v.n - 1) : v;
}

struct str bill_value(const struct bill *b, const struct sheet *s, int col)
{
    return b->col[col] >= 0 && b->col[col] < s->n ? plain(s->cell[b->col[col]]) : STR_LIT("");
}

static int columns_find(struct bill *b, const struct sheet *s)
{
    for (int i = 0; i < b->form->n; i++) {
        const struct bill_column *c = &b->form->columns[i];

        b->col[i] = -1;
        for (size_t k = 0; k < ARRAY_LEN(c->names) && c->names[k] != NULL; k++)
            if (b->col[i] < 0)
                b->col[i] = sheet_column(s, c->names[k]);
        if (b->col[i] < 0 && c->must)
            return req_fail(b->r, ERR_REQUIRED, NULL,
                            arena_printf(&b->r->arena, "no column %s", c->names[0]).p);
    }
    return 0;
}

int bill_money(struct bill *b, struct str text, int64_t *out)
{
    struct money v;
    int err = money_parse(text, &v);

    if (err == 0 && (v.v % MONEY_FEN != 0 || v.v > ROW_MAX || v.v < -ROW_MAX))
        err = ERR_RANGE;
    if (err != 0)
        return req_fail(b->r, err, NULL, "an amount of the bill is none");
    *out = v.v < 0 ? -v.v : v.v;
    return 0;
}

/* Money that left: a refund, a payout of ours, or what the provider calls so. */
static bool leaves(struct str no, struct str type, bool refund)
{
    bool out = refund || (no.n > 1 && no.p[0] == 'W');

    for (size_t i = 0; i < ARRAY_LEN(returning); i++)
        if (str_eq_c(type, returning[i]))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(leaving); i++)
        out = out || str_eq_c(type, leaving[i]);
    return out;
}

static int row_read(struct bill *b, const struct sheet *s)
{
    struct str back = bill_value(b, s, COL_REFUND_NO), type = bill_value(b, s, COL_TYPE);
    bool refund = back.n > 1; /* "0" and nothing: a payment */
    struct bill_line l = {
        .item = {.no = req_copy(b->r, refund ? back : bill_value(b, s, COL_NO)),
                 .provider_no = req_copy(b->r, bill_value(b, s, COL_PROVIDER_NO))},
        .refund = refund || str_eq_c(type, "refund") || str_eq_c(type, "退款"),
        .has_fee = b->col[COL_FEE] >= 0};
    int err =
        bill_money(b, bill_value(b, s, refund && b->col[COL_REFUND] >= 0 ? COL_REFUND : COL_AMOUNT),
                   &l.item.theirs.v);

    l.in = !leaves(l.item.no, type, refund);
    if (err == 0 && l.has_fee)
        err = bill_money(b, bill_value(b, s, COL_FEE), &l.item.fee.v);
    if (err == 0 && (l.item.no.n > 64 || l.item.provider_no.n > 64))
        err = req_fail(b->r, ERR_RANGE, NULL, "a number of the bill is too long");
    if (err != 0)
        return err;
    int64_t kept = l.refund ? -l.item.fee.v : l.item.fee.v;
    b->out.rows++;
    b->out.fees.v += kept;
    b->fee_due += kept;
    if (l.in)
        b->out.took.v += l.item.theirs.v;
    else
        b->out.gave.v += l.item.theirs.v;
    struct ours *o;
    err = bill_find(b, l.item.no, &o);
    return err != 0 ? err : bill_judge(b, o != NULL && o->share && b->apart ? NULL : o, &l);
}

static int trade_closing(const struct sheet *s)
{
    return str_eq_c(s->cell[0], "总交易单数") || str_eq_c(s->cell[0], "rows") ? 0 : -1;
}

static const struct bill_form bill_form_trade = {
    .columns = columns, .n = COLS, .closing = trade_closing, .row = row_read};

/* The line that closes a bill counts its rows: a bill that was cut off has none, or another count. */
static int closing_read(struct bill *b, struct sheet *s, int at)
{
    int64_t n = -1;

    if (sheet_next(s, &b->r->arena) != 1 || at >= s->n || str_to_i64(plain(s->cell[at]), &n) != 0 ||
        n != b->out.rows)
        return req_fail(b->r, ERR_SYNTAX, NULL, "the closing line counts other rows");
    if (sheet_next(s, &b->r->arena) != 0)
        return req_fail(b->r, ERR_SYNTAX, NULL, "something stands behind the closing line");
    return b->form->end != NULL ? b->form->end(b) : 0;
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
        int at = b->form->closing(s);
        if (at >= 0)
            return closing_read(b, s, at);
        if (s->n != width)
            return req_fail(b->r, ERR_SYNTAX, NULL, "a row has other columns than the header");
        err = b->form->row(b, s);
    }
    return err != 0 || got < 0 ? (err != 0 ? err : got)
                               : req_fail(b->r, ERR_SYNTAX, NULL, "the bill has no closing line");
}

/* ---- the whole of it ---- */

static int day_read(struct request *r, struct bill *b)
{
    int64_t day = req_arg_i64(r, "day");

    if (!chinaday_ok(day))
        return req_fail(r, ERR_RANGE, "?day", "a date like 20261125");
    b->from_ms = chinaday_begin(day);
    b->to_ms = b->from_ms + CHINADAY_MS;
    b->out.day = day;
    if (!b->dry && os_now_ms() < b->to_ms)
        return req_fail(r, ERR_CONFLICT, "?day", "that day is not over in China");
    return 0;
}

/* The same file again is compared again; another one for a day that has one is refused. */
static int had_check(struct bill *b)
{
    const struct bind of[] = {BIND_I64("of_day", b->out.day), BIND_I64("of_kind", b->kind)};
    struct api_BillRow row;
    int err = b->dry ? ERR_NOT_FOUND
                     : req_one(b->r, QUERY_BILL_OF_DAY, of, ARRAY_LEN(of), &api_BillRow_type, &row);

    if (err != 0)
        return err == ERR_NOT_FOUND ? 0 : err;
    if (!str_eq_c(row.sha256, b->sha256))
        return req_fail(b->r, ERR_CONFLICT, NULL, "another bill of that day was imported");
    b->had = b->dry = true;
    return 0;
}

static int bill_read(struct bill *b)
{
    uint8_t sum[32];
    struct arena *a = &b->r->arena;

    b->dry = req_arg_i64(b->r, "try") == 1;
    if (req_arg_i64(b->r, "kind") != BILL_TRADE && req_arg_i64(b->r, "kind") != BILL_SHARES)
        return req_fail(b->r, ERR_RANGE, "?kind", "0, or 1 for a bill of shares");
    b->kind = req_arg_i64(b->r, "kind") == BILL_SHARES ? BILL_SHARES : BILL_TRADE;
    b->form = b->kind == BILL_SHARES ? &bill_form_shares : &bill_form_trade;
    b->out.items = ARENA_ARRAY(a, ITEMS_MAX, struct api_BillItem);
    b->far = ARENA_ARRAY(a, FAR_CHAINS, struct ours *);
    sha256(b->r->body.p, b->r->body.n, sum);
    str_to_hex(sum, sizeof(sum), b->sha256);
    b->out.sha256 = str_from_c(b->sha256);
    int err = b->out.items == NULL || b->far == NULL ? ERR_NOMEM : day_read(b->r, b);
    if (err == 0)
        err = had_check(b);
    if (err == 0)
        err = ours_read(b);
    if (err == 0)
        err = bill_walk(b);
    for (uint32_t i = 0; err == 0 && i < b->n; i++)
        err = ours_class(b, &b->ours[i]);
    return err;
}

/* ---- to the core ---- */

static int audit(struct bill *b, const char *action, const char *why, int err, int step)
{
    const struct web_audit a = {.action = action,
                                .object = b->r->id,
                                .detail =
                                    arena_printf(&b->r->arena, "%sday %" PRId64 ", sha256 %s%s%s",
                                                 b->kind == BILL_SHARES ? "shares of " : "",
                                                 b->out.day, b->sha256, why[0] ? ": " : "", why),
                                .outcome = err};

    return req_audit(b->r, &a, step);
}

static int refuse(struct bill *b, int err)
{
    b->err = err;
    b->pointer = b->r->pointer;
    b->detail = b->r->detail;
    if (b->detail == NULL && err == ERR_READ_ONLY)
        b->detail = "that day is closed";
    return audit(b, "bill.refused", b->detail != NULL ? b->detail : "", err, STEP_REFUSED);
}

static int file_keep(const struct bill *b)
{
    const struct request *r = b->r;
    char folder[300], path[360];
    int n = snprintf(folder, sizeof(folder), "%s/bills/%" PRId64, r->web->cfg.dir, r->id);

    if (n >= (int)sizeof(folder))
        return ERR_TOO_LARGE;
    snprintf(path, sizeof(path), "%s/%" PRId64 "-%s%.16s.csv", folder, b->out.day,
             b->kind == BILL_SHARES ? "shares-" : "", b->sha256);
    if (file_exists(path))
        return 0;
    int err = dir_make(folder, 0700);
    return err != 0 ? err : file_write_atomic(path, buf_str(&r->body), 0600);
}

static int part_send(struct bill *b)
{
    struct cmd *cmd = req_cmd(b->r, CMD_BILL_PART, CMD_SIZE(bill_part));
    int32_t n = b->diffs - b->sent < BILL_PART_MAX ? b->diffs - b->sent : BILL_PART_MAX;

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    struct cmd_bill_part *p = &cmd->u.bill_part;
    p->channel = b->r->id;
    p->day = (int32_t)b->out.day;
    p->first = b->sent;
    p->n = n;
    memcpy(p->sha256, b->sha256, sizeof(p->sha256));
    memcpy(p->diff, b->r->kept.p + (size_t)b->sent * sizeof(p->diff[0]),
           (size_t)n * sizeof(p->diff[0]));
    b->sent += n;
    return req_submit(b->r, cmd, STEP_PART);
}

static int put_send(struct bill *b)
{
    struct cmd *cmd = req_cmd(b->r, CMD_BILL_PUT, CMD_SIZE(bill_put));
    int err = cmd == NULL ? ERR_TOO_LARGE : file_keep(b);

    if (err != 0)
        return refuse(b, err);
    cmd->u.bill_put = (struct cmd_bill_put){.channel = b->r->id,
                                            .day = (int32_t)b->out.day,
                                            .kind = b->kind,
                                            .rows = (int32_t)b->out.rows,
                                            .matched = (int32_t)b->out.matched,
                                            .differ = b->diffs,
                                            .took = b->out.took.v,
                                            .gave = b->out.gave.v,
                                            .fees = b->out.fees.v,
                                            .fee_due = b->fee_due};
    memcpy(cmd->u.bill_put.sha256, b->sha256, sizeof(b->sha256));
    return req_submit(b->r, cmd, STEP_PUT);
}

static int resumed(struct bill *b)
{
    struct request *r = b->r;

    if (r->step == STEP_REFUSED)
        return req_fail(r, b->err, b->pointer, b->detail);
    if (r->reply_err != 0)
        return refuse(b, r->reply_err);
    if (r->step == STEP_PART)
        return b->sent < b->diffs ? part_send(b) : put_send(b);
    if (r->step == STEP_PUT)
        b->out.bill = r->made.id;
    return req_json(r, &api_BillReport_type, &b->out);
}

int bill_compare(struct request *r)
{
    struct bill *b = r->ctx;
    int err;

    if (r->resumed)
        return resumed(b);
    if (r->web->cfg.dir == NULL)
        return ERR_UNSUPPORTED;
    b = r->ctx = ARENA_NEW(&r->arena, struct bill);
    if (b == NULL)
        return ERR_NOMEM;
    b->r = r;
    err = bill_read(b);
    if (err != 0)
        return refuse(b, err);
    if (b->dry && !b->had)
        return audit(b, "bill.compared", "", 0, STEP_TRIED);
    return b->diffs > 0 ? part_send(b) : put_send(b);
}
