// SPDX-License-Identifier: Apache-2.0
/* bill_shares.c: WeChat Pay's bill of the shares that it paid out of payments, and of those that came
 * back. pay.weixin.qq.com/doc/v3/merchant/4012529628 says what is known of it: it lists what succeeded, a row a share or return, in yuan, a backtick before each value, then a part
 * that sums up, with a header of its own.
 *
 *  type of row    our side                                                      money
 *  …解冻…          none: the rest of a payment is the merchant's own again       none
 *  …回退…          the return with that number (W17)                             in
 *  …分账…          the share that the description names (W17), of that payment's  out
 *                 request (S9); without one, by the provider's number of it
 *
 * The names of columns and types are not on the public pages, but in what others read from such
 * files (doc/decisions/wechat-bill-of-shares.md): they are looked for by several names, and a file
 * without one of those that must be there, or with a type that we do not know, is refused.
 *
 * A share that was asked for before midnight may be in the bill of the day on which it was paid. So a bill
 * is of another day when a row is later than its day, or none of its rows is of the day, by its own
 * time or ours. Thread: the request's. */
#include <inttypes.h>

#include "base/err.h"
#include "base/money.h"
#include "web/bill.h"
#include "web/chinaday.h"

enum {
    COL_TIME,
    COL_NO,
    COL_PROVIDER_NO,
    COL_DETAIL,
    COL_AMOUNT,
    COL_TYPE,
    COL_STATE,
    COL_NOTE,
    COL_REMARK,
    COLS
};
static const struct bill_column columns[COLS] = {
    [COL_TIME] = {{"分账时间", "分账/回退时间"}, true},
    [COL_NO] = {{"商户分账/回退单号", "商户分账单号/回退单号", "商户分账单号"}, true},
    [COL_PROVIDER_NO] = {{"微信分账/回退单号", "微信分账单号/回退单号", "微信分账单号"}, true},
    [COL_DETAIL] = {{"分账明细单号"}, true},
    [COL_AMOUNT] = {{"分账金额", "金额", "分账金额（元）", "金额（元）", "分账金额(元)"}, true},
    [COL_TYPE] = {{"业务类型"}, true},
    [COL_STATE] = {{"处理状态"}, false},
    [COL_NOTE] = {{"分账描述", "分账/回退描述", "描述"}, false},
    [COL_REMARK] = {{"备注"}, false},
};
_Static_assert((int)COLS <= (int)BILL_COLS, "bill.h has room for them");

static bool has(struct str text, const char *word)
{
    struct str w = str_from_c(word);

    for (size_t i = 0; i + w.n <= text.n; i++)
        if (memcmp(text.p + i, w.p, w.n) == 0)
            return true;
    return false;
}

enum row_type { ROW_STAYS, ROW_OUT, ROW_IN, ROW_STRANGE };

static enum row_type type_of(struct str type)
{
    if (has(type, "解冻"))
        return ROW_STAYS;
    if (has(type, "回退"))
        return ROW_IN;
    return has(type, "分账") ? ROW_OUT : ROW_STRANGE;
}

/* Only what succeeded should be in the bill. */
static bool moved(struct str state)
{
    static const char *const not_yet[] = {"失败", "关闭", "处理中", "FAIL", "CLOSED", "PROCESSING"};

    for (size_t i = 0; i < ARRAY_LEN(not_yet); i++)
        if (has(state, not_yet[i]))
            return false;
    return true;
}

/* ---- whose it is ---- */

static int64_t number_of(struct str no, char letter)
{
    int64_t id = 0;

    if (no.n < 2 || no.p[0] != letter || str_to_i64(str_from(no.p + 1, no.n - 1), &id) != 0)
        return 0;
    return id;
}

/* By the provider's number of it, where the description does not say. */
static int by_detail(struct bill *b, int64_t payment, struct str detail, struct ours **out)
{
    const struct bind of[] = {BIND_I64("payment", payment), BIND_TEXT("detail", detail)};
    int64_t id = 0;
    int err = req_number(b->r, QUERY_BILL_SHARE, of, ARRAY_LEN(of), &id);

    if (err == ERR_NOT_FOUND || (err == 0 && id == 0))
        return 0;
    return err != 0 ? err : bill_find(b, arena_printf(&b->r->arena, "W%" PRId64, id), out);
}

static int share_find(struct bill *b, const struct sheet *s, bool in, struct ours **out)
{
    struct str no = bill_value(b, s, COL_NO), note = bill_value(b, s, COL_NOTE);
    int64_t payment = number_of(no, 'S');
    int err = 0;

    *out = NULL;
    if (number_of(note, 'W') == 0)
        note = bill_value(b, s, COL_REMARK);
    if (in)
        err = bill_find(b, no, out);
    else if (payment != 0 && number_of(note, 'W') != 0)
        err = bill_find(b, note, out);
    else if (payment != 0)
        err = by_detail(b, payment, bill_value(b, s, COL_DETAIL), out);
    if (*out != NULL && ((*out)->share != (in ? PAYOUT_RETURNED : PAYOUT_SHARED) ||
                         (!in && (*out)->payment != payment)))
        *out = NULL; /* a number of ours, but not of this */
    return err;
}

/* ---- rows ---- */

/* yyyymmdd of "2026-11-25 10:11:12"; 0: it is none. */
static int64_t day_of(struct str time)
{
    int64_t y, m, d;

    if (time.n < 10 || time.p[4] != '-' || time.p[7] != '-' ||
        str_to_i64(str_from(time.p, 4), &y) != 0 || str_to_i64(str_from(time.p + 5, 2), &m) != 0 ||
        str_to_i64(str_from(time.p + 8, 2), &d) != 0)
        return 0;
    int64_t day = y * 10000 + m * 100 + d;
    return chinaday_ok(day) ? day : 0;
}

static int refuse(struct bill *b, int err, const char *why, struct str what)
{
    return req_fail(b->r, err, NULL, arena_printf(&b->r->arena, "%s %.*s", why, STR_FMT(what)).p);
}

static int day_check(struct bill *b, const struct sheet *s, const struct ours *o)
{
    struct str time = bill_value(b, s, COL_TIME);
    int64_t day = day_of(time);

    if (day == 0)
        return refuse(b, ERR_SYNTAX, "a row has no time:", time);
    if (day > b->out.day)
        return refuse(b, ERR_CONFLICT, "it is the bill of another day: a row is of", time);
    if (day == b->out.day || (o != NULL && o->in_day))
        b->of_day++;
    return 0;
}

static int row_money(struct bill *b, struct ours *o, const struct sheet *s, bool in)
{
    struct str provider_no = bill_value(b, s, in ? COL_PROVIDER_NO : COL_DETAIL);
    struct str no =
        o != NULL ? arena_printf(&b->r->arena, "W%" PRId64, o->id) : bill_value(b, s, COL_NO);
    struct bill_line l = {
        .in = in, .item = {.no = req_copy(b->r, no), .provider_no = req_copy(b->r, provider_no)}};
    int err = bill_money(b, bill_value(b, s, COL_AMOUNT), &l.item.theirs.v);

    if (err == 0 && (no.n > 64 || provider_no.n > 64))
        err = req_fail(b->r, ERR_RANGE, NULL, "a number of the bill is too long");
    if (err != 0)
        return err;
    *(in ? &b->out.took.v : &b->out.gave.v) += l.item.theirs.v;
    return bill_judge(b, o, &l);
}

static int shares_row(struct bill *b, const struct sheet *s)
{
    struct str type = bill_value(b, s, COL_TYPE);
    enum row_type t = type_of(type);
    struct ours *o = NULL;
    int err = 0;

    if (t == ROW_STRANGE)
        return refuse(b, ERR_RANGE, "a row is of a type that is not known:", type);
    if (t != ROW_STAYS)
        err = share_find(b, s, t == ROW_IN, &o);
    if (err == 0)
        err = day_check(b, s, o);
    if (err != 0)
        return err;
    b->out.rows++;
    if (t != ROW_STAYS && moved(bill_value(b, s, COL_STATE)))
        return row_money(b, o, s, t == ROW_IN);
    if (o == NULL || !o->booked) /* else only we have it */
        b->out.matched++;
    return 0;
}

static int shares_closing(const struct sheet *s)
{
    for (int i = 0; i < s->n; i++)
        if (has(s->cell[i], "总条数"))
            return i;
    return -1;
}

static int shares_end(struct bill *b)
{
    if (b->out.rows > 0 && b->of_day == 0)
        return req_fail(b->r, ERR_CONFLICT, NULL,
                        "it is the bill of another day: none of its rows is of that one");
    return 0;
}

const struct bill_form bill_form_shares = {
    .columns = columns, .n = COLS, .closing = shares_closing, .row = shares_row, .end = shares_end};
