// SPDX-License-Identifier: Apache-2.0
/* till.c: see till.h: the cashier's books, its bills, and the notices with their faults. */
#include "till.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/err.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"

enum {
    RETRIES = 6,
    LATE_MS = 6000,
    REORDER_MS = 3000,
    SOON_MS = 20,
    TELL_MS = 5000,
    CHECK_MS = 300
};

bool till_strikes(struct till *t, enum till_fault f)
{
    return t->fault[f] > 0 && (int)rng_below(&t->rng, 100) < t->fault[f];
}

/* ---- looking up ---- */

struct trade *till_trade(struct till *t, int kind, struct str no)
{
    for (size_t i = 0; i < t->trades_n; i++)
        if (t->trades[i].kind == kind && str_eq_c(no, t->trades[i].no))
            return &t->trades[i];
    return NULL;
}

struct trade *till_trade_by_code(struct till *t, struct str code)
{
    for (size_t i = 0; i < t->trades_n; i++)
        if (str_eq_c(code, t->trades[i].code))
            return &t->trades[i];
    return NULL;
}

struct move *till_move(struct till *t, int kind, struct str no)
{
    for (size_t i = 0; i < t->moves_n; i++)
        if (t->moves[i].kind == kind && str_eq_c(no, t->moves[i].no))
            return &t->moves[i];
    return NULL;
}

struct move *till_move_by_code(struct till *t, struct str code)
{
    for (size_t i = 0; i < t->moves_n; i++)
        if (str_eq_c(code, t->moves[i].code))
            return &t->moves[i];
    return NULL;
}

struct account *till_account(struct till *t, struct str no)
{
    for (size_t i = 0; i < t->accounts_n; i++)
        if (str_eq_c(no, t->accounts[i].no) || str_eq_c(no, t->accounts[i].number))
            return &t->accounts[i];
    return NULL;
}

/* ---- the books ---- */

static void provider_no(struct till *t, char out[33])
{
    snprintf(out, 33, "42%010u%06u", (unsigned)(os_wall_ms() / 1000),
             (unsigned)(++t->made % 1000000));
}

struct trade *till_trade_new(struct till *t, int kind, struct str no, int64_t fen,
                             struct str notify)
{
    if (t->trades_n == TILL_TRADES)
        return NULL;
    struct trade *n = &t->trades[t->trades_n++];
    *n = (struct trade){.kind = kind, .fen = fen, .made_ms = os_wall_ms()};
    (void)str_copy(n->no, sizeof n->no, no);
    (void)str_copy(n->notify_url, sizeof n->notify_url, notify);
    os_random_text(n->code, TILL_CODE_SIZE - 1);
    provider_no(t, n->provider_no);
    return n;
}

struct move *till_move_new(struct till *t, int kind, enum move_what what, struct str no,
                           int64_t fen)
{
    if (t->moves_n == TILL_MOVES)
        return NULL;
    struct move *n = &t->moves[t->moves_n++];
    *n = (struct move){.kind = kind, .what = what, .fen = fen, .made_ms = os_wall_ms()};
    (void)str_copy(n->no, sizeof n->no, no);
    os_random_text(n->code, TILL_CODE_SIZE - 1);
    provider_no(t, n->provider_no);
    return n;
}

struct account *till_account_new(struct till *t, struct str no)
{
    if (t->accounts_n == TILL_ACCOUNTS)
        return NULL;
    struct account *n = &t->accounts[t->accounts_n++];
    *n = (struct account){.due_ns = os_mono_ns() + (int64_t)CHECK_MS * 1000000};
    (void)str_copy(n->no, sizeof n->no, no);
    provider_no(t, n->number);
    return n;
}

static const char *const names[TILL_KINDS] = {"wechat", "alipay", "alloc"};

int till_bill(const struct till *t, int kind, struct str day, struct buf *out)
{
    char path[400], chunk[4096];
    size_t lines = 0;
    if (day.n != 10 || str_find(day, '/') >= 0)
        return ERR_NOT_FOUND;
    snprintf(path, sizeof path, "%s/bills/%s-%.10s.csv", t->dir, names[kind], day.p);
    FILE *f = fopen(path, "r");
    if (!f)
        return ERR_NOT_FOUND;
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_put(out, chunk, n);
    (void)fclose(f);
    for (size_t i = 0; i < out->n; i++)
        lines += out->p[i] == '\n';
    buf_printf(out, "rows\n%zu\n", lines - 1); /* the header is none */
    return out->err;
}

/* A line of the day's bill. */
static void bill_add(struct till *t, int kind, const char *what, const char *no, const char *of,
                     const char *provider, int64_t fen)
{
    char path[400], day[TIME_TEXT_SIZE];
    time_format(os_wall_ms() + 8 * 3600 * 1000, day);
    snprintf(path, sizeof path, "%s/bills/%s-%.10s.csv", t->dir, names[kind], day);
    FILE *f = fopen(path, "a");
    if (!f)
        return;
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) == 0)
        fprintf(f, "time,type,number,of,provider_number,amount\n");
    fprintf(f, "%.10s %.8s,%s,%s,%s,%s,%" PRId64 ".%02d\n", day, day + 11, what, no, of, provider,
            fen / 100, (int)(fen % 100));
    (void)fclose(f);
}

bool till_pay(struct till *t, struct trade *trade)
{
    if (trade->state != TRADE_OPEN)
        return false;
    trade->state = TRADE_PAID;
    trade->paid_ms = os_wall_ms();
    t->balance[trade->kind] += trade->fen;
    bill_add(t, trade->kind, "payment", trade->no, "", trade->provider_no, trade->fen);
    till_tell_trade(t, trade);
    return true;
}

bool till_take(struct till *t, int kind, int64_t fen)
{
    if (t->balance[kind] < fen || till_strikes(t, FAULT_NO_FUNDS))
        return false;
    t->balance[kind] -= fen;
    return true;
}

bool till_confirm(struct till *t, struct move *m, bool yes)
{
    if (m->state != MOVE_WAIT)
        return false;
    m->state = yes ? MOVE_DONE : MOVE_FAILED;
    if (!yes)
        t->balance[m->kind] += m->fen;
    till_tell_move(t, m);
    return true;
}

/* ---- telling ---- */

static struct notice *notice_new(struct till *t, int kind, enum notice_of of, size_t index,
                                 int32_t ms)
{
    for (size_t i = 0; i < TILL_NOTICES; i++) {
        struct notice *n = &t->notices[i];
        if (n->used)
            continue;
        *n = (struct notice){.used = true,
                             .kind = kind,
                             .of = of,
                             .index = index,
                             .told_ms = os_wall_ms(),
                             .due_ns = os_mono_ns() + ms * INT64_C(1000000),
                             .till = t};
        os_random_text(n->id, TILL_CODE_SIZE - 1);
        return n;
    }
    return NULL; /* the merchant asks by himself */
}

static void tell(struct till *t, int kind, enum notice_of of, size_t index)
{
    static const enum till_fault slow[] = {FAULT_LATE, FAULT_REORDER};
    int32_t ms = SOON_MS;
    if (till_strikes(t, FAULT_LOST))
        return;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        if (till_strikes(t, slow[i]))
            ms = slow[i] == FAULT_LATE ? LATE_MS : REORDER_MS;
    if (till_strikes(t, FAULT_CONTRADICT)) {
        struct notice *lie = notice_new(t, kind, of, index, 0);
        if (lie)
            lie->lie = true;
    }
    struct notice *n = notice_new(t, kind, of, index, ms);
    if (n && till_strikes(t, FAULT_DUPLICATE)) {
        struct notice *again = notice_new(t, kind, of, index, ms + SOON_MS);
        if (again)
            (void)str_copy(again->id, sizeof again->id, str_from_c(n->id));
    }
}

void till_tell_trade(struct till *t, const struct trade *trade)
{
    if (trade->notify_url[0])
        tell(t, trade->kind, OF_TRADE, (size_t)(trade - t->trades));
}

static const char *const move_names[] = {"refund",  "transfer", "reversal",
                                         "cashout", "share",    "share-return"};

void till_tell_move(struct till *t, const struct move *m)
{
    bool apart = m->kind == TILL_WECHAT && (m->what == MOVE_SHARE || m->what == MOVE_RETURN);
    if (m->state == MOVE_DONE && apart)
        till_share_line(t, m);
    else if (m->state == MOVE_DONE)
        bill_add(t, m->kind, move_names[m->what], m->no, m->of_no, m->provider_no, m->fen);
    if (m->notify_url[0])
        tell(t, m->kind, OF_MOVE, (size_t)(m - t->moves));
}

void till_account_set(struct till *t, struct account *n, enum account_state s)
{
    n->state = s;
    if (n->notify_url[0])
        tell(t, TILL_ALLOC, OF_ACCOUNT, (size_t)(n - t->accounts));
}

/* An identity that begins with 0 does not exist. */
static void accounts_check(struct till *t, int64_t now)
{
    for (size_t i = 0; i < t->accounts_n; i++) {
        struct account *n = &t->accounts[i];
        if (n->state == ACCOUNT_WAIT && n->due_ns <= now)
            till_account_set(t, n, n->id_no[0] == '0' ? ACCOUNT_REFUSED : ACCOUNT_IS_OPEN);
    }
}

static const char *notice_url(const struct till *t, const struct notice *n)
{
    return n->of == OF_MOVE      ? t->moves[n->index].notify_url
           : n->of == OF_ACCOUNT ? t->accounts[n->index].notify_url
                                 : t->trades[n->index].notify_url;
}

static void notice_send(struct till *t, struct notice *n)
{
    struct buf body, headers;
    struct fetch_request f = {.method = "POST", .timeout_ms = TELL_MS, .max = TILL_TEXT_MAX};
    size_t count = 0;
    f.url = notice_url(t, n);
    buf_init(&body, TILL_TEXT_MAX);
    buf_init(&headers, TILL_TEXT_MAX);
    if (n->kind == TILL_WECHAT)
        wechat_tell(t, n, &body, &headers);
    else if (n->kind == TILL_ALIPAY)
        alipay_tell(t, n, &body, &headers);
    else
        alloc_tell(t, n, &body, &headers);
    f.body = buf_str(&body);
    for (size_t at = 0; at < headers.n && count < FETCH_HEADERS_MAX;
         at += strlen(headers.p + at) + 1)
        f.headers[count++] = headers.p + at;
    int err = fetch_send(t->fetch, &f, n);
    n->sent = err == 0;
    if (err && err != ERR_FULL)
        n->used = false; /* an address that may not be told */
    buf_free(&body);
    buf_free(&headers);
}

void till_answered(void *ctx, void *tag, const struct fetch_answer *a)
{
    struct notice *n = tag;
    (void)ctx;
    bool taken = !a->err && a->status / 100 == 2;
    if (n->kind == TILL_ALIPAY)
        taken = taken && str_eq_c(a->body, "success");
    n->sent = false;
    if (taken || ++n->attempt >= RETRIES || n->lie)
        n->used = false;
    else
        n->due_ns = os_mono_ns() + (INT64_C(500000000) << n->attempt);
}

int32_t till_turn(struct till *t)
{
    int64_t now = os_mono_ns(), next = now + INT64_C(500000000);
    accounts_check(t, now);
    for (size_t i = 0; i < TILL_NOTICES; i++) {
        struct notice *n = &t->notices[i];
        if (!n->used || n->sent)
            continue;
        if (n->due_ns <= now)
            notice_send(t, n);
        else if (n->due_ns < next)
            next = n->due_ns;
    }
    return (int32_t)((next - now) / 1000000) + 1;
}

/* ---- the rest ---- */

void till_header(struct till_reply *a, const char *name, struct str value)
{
    buf_printf(&a->headers, "%s: ", name);
    buf_put_str(&a->headers, value);
    buf_put_char(&a->headers, 0);
}

void till_print(const struct till *t, struct buf *out)
{
    static const char *const trade_states[] = {"open", "paid", "closed"};
    static const char *const account_states[] = {"wait", "open", "refused", "closed"};
    static const char *const move_states[] = {"wait", "done", "failed"};
    buf_printf(out, "{\"balance\":[%" PRId64 ",%" PRId64 ",%" PRId64 "],\"trades\":[",
               t->balance[0], t->balance[1], t->balance[2]);
    for (size_t i = 0; i < t->trades_n; i++) {
        const struct trade *n = &t->trades[i];
        buf_printf(out,
                   "%s{\"kind\":%d,\"no\":\"%s\",\"state\":\"%s\",\"fen\":%" PRId64
                   ",\"refunded\":%" PRId64
                   ",\"frozen\":%d,\"provider_no\":\"%s\",\"page\":\"%s/pay/%s\"}",
                   i ? "," : "", n->kind, n->no, trade_states[n->state], n->fen, n->refunded,
                   n->frozen, n->provider_no, t->base, n->code);
    }
    buf_put_c(out, "],\"moves\":[");
    for (size_t i = 0; i < t->moves_n; i++) {
        const struct move *n = &t->moves[i];
        buf_printf(out,
                   "%s{\"kind\":%d,\"what\":\"%s\",\"no\":\"%s\",\"of\":\"%s\",\"state\":\"%s\","
                   "\"fen\":%" PRId64 ",\"page\":\"%s/confirm/%s\"}",
                   i ? "," : "", n->kind, move_names[n->what], n->no, n->of_no,
                   move_states[n->state], n->fen, t->base, n->code);
    }
    buf_put_c(out, "],\"accounts\":[");
    for (size_t i = 0; i < t->accounts_n; i++) {
        const struct account *n = &t->accounts[i];
        buf_printf(out,
                   "%s{\"no\":\"%s\",\"number\":\"%s\",\"state\":\"%s\",\"fen\":%" PRId64
                   ",\"page\":\"%s/account/%s\"}",
                   i ? "," : "", n->no, n->number, account_states[n->state], n->fen, t->base,
                   n->number);
    }
    buf_put_c(out, "],\"texts\":[");
    till_texts_print(t, out);
    buf_put_c(out, "]}");
}
