// SPDX-License-Identifier: Apache-2.0
/* h_recon.c: what people do after a bill was imported (h_bill.c): differences are given to somebody and
 * resolved, the provider's payments to our bank are noted, days are closed; and the report of what
 * customers are owed against what is held for them.
 *
 * A day explains itself when what the books have with the provider, as the day ends, is what its bills
 * say, but for the differences, line by line:
 *
 *   theirs = opening + took − gave − fees − settled      by the bills since the last close
 *   held   = theirs + lines                              by the journal of the channel's account
 *
 * The first close of a channel opens with what the books say. What happened when is read from the
 * journal, walked backwards, because what a bill brings is posted to its day and not to today.
 *
 * Invariants: 1. figures that are closed are read on one snapshot, and the core judges them again;
 * 2. every write that moves money needs an Idempotency-Key. Days are China's. Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/api_gen.h"
#include "web/audit.h"
#include "web/chinaday.h"
#include "web/doc.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { DAYS_MAX = 400, WALK_MAX = 2000000, SETTLE_MS = 5 * 60 * 1000 };

/* ---- days ---- */

static int day_check(struct request *r, int64_t day, const char *pointer)
{
    if (!chinaday_ok(day))
        return req_fail(r, ERR_RANGE, pointer, "a date like 20261125");
    return 0;
}

/* ---- the figures of a day ---- */

struct figures {
    struct request *r;
    struct api_DayFigures out;
    int64_t last_closed, last_theirs;
    int64_t account, balance, head; /* of the walk */
    int64_t effective_ms, posted_ms, amount;
    int64_t held_end, held_begin; /* what happened after the day ended, and after it began */
    uint8_t bill[DAYS_MAX];       /* of each day the kinds that it has, a bit each */
};

static int last_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct figures *f = ctx;

    (void)n;
    f->last_closed = v[0].i;
    f->last_theirs = v[1].i;
    return 0;
}

static int bill_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct figures *f = ctx;

    (void)n;
    f->bill[chinaday_number(v[0].i) - chinaday_number(f->out.first_day)] |= (uint8_t)(1 << v[4].i);
    f->out.took.v += v[1].i;
    f->out.gave.v += v[2].i;
    f->out.fees.v += v[3].i;
    return 0;
}

static int move_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct figures *f = ctx;

    (void)n;
    int has = f->bill[v[0].i - chinaday_number(f->out.first_day)];
    if (f->out.missing != 0 || (has & 1 << v[1].i) != 0)
        return 0;
    f->out.missing = chinaday_of_number(v[0].i);
    f->out.missing_kind = v[1].i;
    return 0;
}

static int open_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct figures *f = ctx;

    (void)n;
    f->out.open = v[0].i;
    f->out.ownerless = v[1].i;
    return 0;
}

static int account_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct figures *f = ctx;

    (void)n;
    f->account = v[0].i;
    f->balance = v[1].i;
    f->head = v[2].i;
    return 0;
}

/* A leg of the account: how much, and which transfer came before. */
static int leg_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct figures *f = ctx;
    struct cursor c = {(const uint8_t *)v[11].s.p, (const uint8_t *)v[11].s.p + v[11].s.n};
    uint64_t account = 0, prev = 0, party;
    int64_t amount = 0, balance;

    (void)n;
    f->effective_ms = v[6].i;
    f->posted_ms = v[7].i;
    while ((int64_t)account != f->account)
        if (cursor_varint(&c, &account) != 0 || cursor_zigzag(&c, &amount) != 0 ||
            cursor_zigzag(&c, &balance) != 0 || cursor_varint(&c, &prev) != 0 ||
            cursor_varint(&c, &party) != 0)
            return ERR_CORRUPT;
    f->amount = amount;
    f->head = (int64_t)prev;
    return 0;
}

/* What is with the provider by the books as the day ended, and as it began. */
static int held_read(struct figures *f, int64_t from_ms, int64_t to_ms)
{
    int err = req_query(f->r, QUERY_DAY_ACCOUNT, NULL, 0, account_take, f);

    f->held_end = f->held_begin = f->balance;
    for (int i = 0; err == 0 && f->head != 0; i++) {
        const struct bind id = BIND_I64("id", f->head);

        if (i == WALK_MAX)
            return ERR_TOO_LARGE;
        err = req_query(f->r, QUERY_WEB_TRANSFER, &id, 1, leg_take, f);
        if (err != 0 || f->posted_ms < from_ms)
            break;
        f->held_end -= f->effective_ms >= to_ms ? f->amount : 0;
        f->held_begin -= f->effective_ms >= from_ms ? f->amount : 0;
    }
    f->held_end = -f->held_end;
    f->held_begin = -f->held_begin;
    return err;
}

static int lines_read(struct figures *f, int64_t day, int64_t *lines)
{
    const struct bind at[] = {BIND_I64("last_day", day),
                              BIND_I64("to_ms", chinaday_begin(day) + CHINADAY_MS)};

    return req_number(f->r, QUERY_DAY_LINES, at, ARRAY_LEN(at), lines);
}

static int bills_read(struct figures *f, int64_t from_ms, int64_t to_ms)
{
    const struct bind days[] = {BIND_I64("first_day", f->out.first_day),
                                BIND_I64("last_day", f->out.day), BIND_I64("from_ms", from_ms),
                                BIND_I64("to_ms", to_ms)};
    int err = req_query(f->r, QUERY_DAY_BILLS, days, 2, bill_take, f);

    if (err == 0)
        err = req_number(f->r, QUERY_DAY_SETTLED, days, 2, &f->out.settled.v);
    if (err == 0)
        err = req_query(f->r, QUERY_DAY_MOVES, days + 2, 2, move_take, f);
    return err != 0 ? err : req_query(f->r, QUERY_DAY_OPEN, days + 1, 1, open_take, f);
}

/* A first close opens with what the books say, less what its older bills left to explain. */
static int opening_read(struct figures *f)
{
    int64_t lines = 0;
    int err = 0;

    if (f->last_closed != 0) {
        f->out.opening.v = f->last_theirs;
        return 0;
    }
    err = lines_read(f, chinaday_of_number(chinaday_number(f->out.day) - 1), &lines);
    f->out.opening.v = f->held_begin - lines;
    return err;
}

static int figures_read(struct figures *f, int64_t day)
{
    struct api_DayFigures *o = &f->out;
    int64_t to_ms = chinaday_begin(day) + CHINADAY_MS;
    int err = req_query(f->r, QUERY_DAY_LAST, NULL, 0, last_take, f);

    o->channel = f->r->id;
    o->day = o->first_day = day;
    o->closed = day <= f->last_closed;
    o->over = os_now_ms() >= to_ms + SETTLE_MS;
    if (f->last_closed != 0 && !o->closed)
        o->first_day = chinaday_of_number(chinaday_number(f->last_closed) + 1);
    if (err != 0 || o->closed)
        return err;
    if (chinaday_number(day) - chinaday_number(o->first_day) >= DAYS_MAX)
        return ERR_TOO_LARGE;
    err = bills_read(f, chinaday_begin(o->first_day), to_ms);
    if (err == 0)
        err = held_read(f, chinaday_begin(day), to_ms);
    if (err == 0)
        err = opening_read(f);
    if (err == 0)
        err = lines_read(f, day, &o->lines.v);
    o->held.v = f->held_end;
    o->theirs.v = o->opening.v + o->took.v - o->gave.v - o->fees.v - o->settled.v;
    o->off.v = o->held.v - o->theirs.v - o->lines.v;
    o->ready = o->over && o->ownerless == 0 && o->missing == 0 && o->off.v == 0;
    return err;
}

static int channel_check(struct request *r)
{
    int64_t fee_bp;

    return req_number(r, QUERY_BILL_CHANNEL, NULL, 0, &fee_bp);
}

int day_figures(struct request *r)
{
    struct figures *f = ARENA_NEW(&r->arena, struct figures);
    int64_t day = req_arg_i64(r, "day");

    if (req_arg(r, "day").n == 0) /* yesterday */
        day = chinaday_of_ms(os_now_ms() - CHINADAY_MS);
    int err = day_check(r, day, "?day");

    if (err != 0 || f == NULL)
        return err != 0 ? err : ERR_NOMEM;
    f->r = r;
    err = channel_check(r);
    if (err == 0)
        err = figures_read(f, day);
    return err != 0 ? err : req_json(r, &api_DayFigures_type, &f->out);
}

/* Why a day cannot be closed, in words; NULL when it can. */
static const char *reason(struct request *r, const struct api_DayFigures *o)
{
    char off[MONEY_TEXT_SIZE];

    if (o->closed)
        return "it is closed";
    if (!o->over)
        return "that day is not over in China";
    if (o->missing != 0)
        return arena_printf(&r->arena, "no bill of %s%lld",
                            o->missing_kind == BILL_SHARES ? "the shares of " : "",
                            (long long)o->missing)
            .p;
    if (o->ownerless != 0)
        return arena_printf(&r->arena, "%lld differences that nobody looks after",
                            (long long)o->ownerless)
            .p;
    if (o->off.v == 0)
        return NULL;
    money_format(o->off, off);
    return arena_printf(&r->arena, "it does not explain itself: off by %s", off).p;
}

/* What cannot be closed is told with the reason, and leaves an audit entry. */
static int close_refuse(struct request *r, const struct api_DayFigures *o, const char *why)
{
    const struct web_audit a = {.action = "day.refused",
                                .object = r->id,
                                .detail =
                                    arena_printf(&r->arena, "day %lld: %s", (long long)o->day, why),
                                .outcome = ERR_CONFLICT};

    r->ctx = (void *)(uintptr_t)why;
    return req_audit(r, &a, 2);
}

int day_close(struct request *r)
{
    const struct api_DayCloseIn *in = r->in;
    struct figures *f = ARENA_NEW(&r->arena, struct figures);

    if (r->resumed && r->step == 2)
        return req_fail(r, ERR_CONFLICT, "/day", r->ctx);
    if (r->resumed)
        return req_made(r);
    int err = day_check(r, in->day, "/day");
    if (err != 0 || f == NULL)
        return err != 0 ? err : ERR_NOMEM;
    f->r = r;
    err = channel_check(r);
    if (err == 0)
        err = figures_read(f, in->day);
    if (err != 0)
        return err;
    const char *why = reason(r, &f->out);
    if (why != NULL)
        return close_refuse(r, &f->out, why);
    struct cmd *cmd = req_cmd(r, CMD_DAY_CLOSE, CMD_SIZE(day_close));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.day_close = (struct cmd_day_close){.channel = r->id,
                                              .day = (int32_t)in->day,
                                              .opening = f->out.opening.v,
                                              .theirs = f->out.theirs.v,
                                              .held = f->out.held.v,
                                              .lines = f->out.lines.v};
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- differences, settlements ---- */

/* What was resolved leaves the core's memory at a restart: it is there all the same. */
static int decide_made(struct request *r)
{
    int64_t state = 0;

    if (r->reply_err != ERR_NOT_FOUND)
        return req_made(r);
    int err = req_number(r, QUERY_WEB_DIFF_STATE, NULL, 0, &state);
    if (err == 0 && state == DIFF_RESOLVED)
        return req_fail(r, ERR_CONFLICT, NULL, "it is resolved already");
    return req_made(r);
}

int diffs_decide(struct request *r)
{
    const struct api_DiffDecideIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return decide_made(r);
    if (in->act == DIFF_ACT_ASSIGN && in->owner == 0)
        return req_fail(r, ERR_REQUIRED, "/owner", "who looks after it");
    if (in->act == DIFF_ACT_RESOLVE && in->way == 0)
        return req_fail(r, ERR_REQUIRED, "/way", "how it is resolved");
    if (in->act == DIFF_ACT_RESOLVE && in->note.n == 0 &&
        (in->way == DIFF_TO_LOSS || in->way == DIFF_BY_BANK || in->way == DIFF_TO_PARTY))
        return req_fail(r, ERR_REQUIRED, "/note", "why, or the bank's number");
    cmd = req_cmd(r, CMD_DIFF_DECIDE, CMD_SIZE(diff_decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.diff_decide.diff = r->id;
    cmd->u.diff_decide.act = (int32_t)in->act;
    cmd->u.diff_decide.owner = in->owner;
    cmd->u.diff_decide.way = (int32_t)in->way;
    cmd->u.diff_decide.target = in->target;
    if (REQ_TEXT(r, cmd->u.diff_decide.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int settlements_post(struct request *r)
{
    const struct api_SettlementIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0 || in->fee.v < 0)
        return req_fail(r, ERR_RANGE, in->fee.v < 0 ? "/fee" : "/amount", "more than 0");
    int err = day_check(r, in->day, "/day");
    if (err != 0)
        return err;
    cmd = req_cmd(r, CMD_CHANNEL_SETTLE, CMD_SIZE(channel_settle));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.channel_settle.channel = r->id;
    cmd->u.channel_settle.bank = in->bank;
    cmd->u.channel_settle.amount = in->amount.v;
    cmd->u.channel_settle.fee = in->fee.v;
    cmd->u.channel_settle.day = (int32_t)in->day;
    if (REQ_TEXT(r, cmd->u.channel_settle.bank_no, in->bank_no, "/bank_no") != 0)
        return ERR_RANGE;
    if (REQ_TEXT(r, cmd->u.channel_settle.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- safeguarding ---- */

static int safeguards_read(struct request *r, struct rows *rows)
{
    int err = req_rows(r, QUERY_SAFEGUARDING, NULL, 0, rows);
    struct api_Safeguard *s = (struct api_Safeguard *)(void *)rows->p;

    for (uint32_t i = 0; err == 0 && i < rows->n; i++) {
        s[i].owed.v = s[i].wallets.v + s[i].bonus.v + s[i].pending.v + s[i].available.v +
                      s[i].transit.v + s[i].suspense.v;
        s[i].held.v = s[i].bank.v + s[i].channels.v + s[i].cash.v;
        s[i].cover.v = s[i].held.v - s[i].owed.v;
        s[i].as_of_ms = os_now_ms();
    }
    return err;
}

int safeguarding_get(struct request *r)
{
    struct rows rows = {.type = &api_Safeguard_type, .max = 64};
    int err = safeguards_read(r, &rows);

    return err != 0 ? err : req_list(r, &api_Safeguard_type, rows.p, rows.n, STR_LIT(""));
}

enum { GUARD_LINES = 14 };
struct guard_words {
    const char *title, *line, *amount, *foot, *lines[GUARD_LINES];
};
static const struct guard_words guard_words[] = {
    {"客户资金保障表",
     "项目",
     "金额",
     "覆盖差额 = 持有合计 - 应付合计；应收欠款不计入覆盖",
     {"钱包本金", "赠送金", "待结算分成", "可提现分成", "出款在途", "挂账待查", "应付合计",
      "银行账户", "支付渠道", "现金", "持有合计", "覆盖差额", "车主欠款（应收）",
      "分成方欠款（应收）"}},
    {"Safeguarding of customers' money",
     "Line",
     "Amount",
     "Cover = held - owed; debts owed to us are not counted",
     {"Wallets, principal", "Gift money", "Shares, pending", "Shares, available", "On its way out",
      "In suspense", "Owed, total", "Bank accounts", "Payment channels", "Cash", "Held, total",
      "Cover", "Debts of drivers (to us)", "Debts of parties (to us)"}},
};

static int guard_table(struct request *r, struct doc *d, const struct api_Safeguard *s,
                       const struct guard_words *w)
{
    const int64_t v[GUARD_LINES] = {s->wallets.v,     s->bonus.v,     s->pending.v, s->available.v,
                                    s->transit.v,     s->suspense.v,  s->owed.v,    s->bank.v,
                                    s->channels.v,    s->cash.v,      s->held.v,    s->cover.v,
                                    s->driver_debt.v, s->party_debt.v};
    struct doc_cell *cells = ARENA_ARRAY(&r->arena, 2 * GUARD_LINES, struct doc_cell);
    struct doc_table *t = &d->table[d->tables_n++];

    if (cells == NULL)
        return ERR_TOO_LARGE;
    for (int i = 0; i < GUARD_LINES; i++) {
        cells[2 * i] = (struct doc_cell){.text = str_from_c(w->lines[i])};
        cells[2 * i + 1] = (struct doc_cell){.v = v[i]};
    }
    *t = (struct doc_table){.name = req_copy_c(r, s->currency),
                            .columns_n = 2,
                            .column = {{w->line, DOC_TEXT, 30}, {w->amount, DOC_MONEY, 18}},
                            .cell = cells,
                            .rows_n = GUARD_LINES};
    return 0;
}

int safeguarding_xlsx(struct request *r)
{
    const struct guard_words *w = &guard_words[req_english(r) ? 1 : 0];
    struct rows rows = {.type = &api_Safeguard_type, .max = DOC_TABLES_MAX};
    struct doc d = {.title = arena_printf(&r->arena, "%s · %s", r->actor.tenant_name, w->title).p,
                    .zone = web_zone_get(r->web, r->actor.zone),
                    .foot = w->foot};
    int err = d.title == NULL ? ERR_TOO_LARGE : safeguards_read(r, &rows);
    const struct api_Safeguard *s = (const struct api_Safeguard *)(void *)rows.p;

    for (uint32_t i = 0; err == 0 && i < rows.n; i++)
        err = guard_table(r, &d, &s[i], w);
    if (err != 0)
        return err;
    req_header_add(r, "Content-Disposition", STR_LIT("attachment; filename=\"safeguarding.xlsx\""));
    return doc_xlsx(&d, &r->out);
}
