// SPDX-License-Identifier: Apache-2.0
/* alloc.c: the allocation rail (划拨): a licensed provider that keeps a sub-account for each payee
 * and moves money between balances. Plain signed JSON, described in doc/protocol/allocation.md.
 *
 *  PAY_TRANSFER         POST /v1/moves: from our balance to the payee's sub-account
 *  PAY_REFUND           POST /v1/reversals: takes back what of_no moved
 *  …_QUERY              GET /v1/moves/{no}
 *  PAY_ACCOUNT_OPEN     POST /v1/accounts: a sub-account, and the check of its owner's identity
 *  PAY_ACCOUNT_QUERY    GET /v1/accounts/{no}
 *
 * An answer is signed together with the nonce of its request, so the answer to one request can never
 * be shown for another.
 *
 * Thread: any, constant data. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "core/types.h"
#include "rail/port.h"
#include "wire/alloc.h"

/* ---- requests ---- */

static int request_sign(const struct rail *r, struct rail_request *q, int64_t now_ms)
{
    struct buf text, sig;
    struct str path = rail_request_path(r, q);
    char time[24];
    snprintf(time, sizeof time, "%" PRId64, now_ms);
    buf_init(&text, RAIL_TEXT_MAX * 2);
    buf_init(&sig, SIGN_TEXT_MAX);
    buf_printf(&text, "%s\n%.*s\n%s\n%s\n", q->method, STR_FMT(path), time, q->nonce);
    buf_put_str(&text, buf_str(&q->body));
    buf_put_char(&text, '\n');
    int err = text.err ? text.err : sign_make(r->keys.own, buf_str(&text), &sig);
    if (!err) {
        rail_request_header(q, "Rail-Merchant", str_from_c(r->merchant));
        rail_request_header(q, "Rail-Serial", str_from_c(r->keys.own_serial));
        rail_request_header(q, "Rail-Time", str_from_c(time));
        rail_request_header(q, "Rail-Nonce", str_from_c(q->nonce));
        rail_request_header(q, "Rail-Signature", buf_str(&sig));
        rail_request_header(q, "Content-Type", STR_LIT("application/json"));
    }
    buf_free(&text);
    buf_free(&sig);
    return err;
}

/* Certificate and bank account are for the provider's eyes only. */
static int ask_open(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    const struct pay_open *o = &ask->u.open;
    const struct sign_key *theirs = r->keys.theirs[0].key;
    struct buf id, bank;
    if (!o->name[0] || !o->id_no[0] || !o->bank[0])
        return ERR_REQUIRED;
    buf_init(&id, SIGN_TEXT_MAX);
    buf_init(&bank, SIGN_TEXT_MAX);
    int err = sign_hide(theirs, str_from_c(o->id_no), &id);
    if (!err)
        err = sign_hide(theirs, str_from_c(o->bank), &bank);
    struct alloc_OpenIn in = {.account = str_from_c(ask->no),
                              .kind = o->payee_kind == PAYEE_COMPANY ? STR_LIT("company")
                                                                     : STR_LIT("person"),
                              .name = str_from_c(o->name),
                              .id_no = buf_str(&id),
                              .bank = buf_str(&bank),
                              .notify_url = str_from_c(r->notify_url)};
    in.has.notify_url = r->notify_url[0] != 0;
    rail_request_begin(r, q, "POST", "/v1/accounts");
    if (!err)
        err = wire_json_encode(&alloc_OpenIn_type, &in, &q->body);
    buf_free(&id);
    buf_free(&bank);
    return err;
}

static int ask_build(const struct rail *r, const struct out_pay *ask, struct rail_request *q)
{
    char path[80];
    if (ask->op == PAY_ACCOUNT_OPEN)
        return ask_open(r, ask, q);
    if (ask->op == PAY_ACCOUNT_QUERY) {
        snprintf(path, sizeof path, "/v1/accounts/%s", ask->no);
        rail_request_begin(r, q, "GET", path);
        return 0;
    }
    if (ask->op == PAY_TRANSFER) {
        struct alloc_MoveIn in = {.no = str_from_c(ask->no),
                                  .account = str_from_c(ask->payee),
                                  .amount = ask->amount / MONEY_FEN};
        rail_request_begin(r, q, "POST", "/v1/moves");
        return wire_json_encode(&alloc_MoveIn_type, &in, &q->body);
    }
    if (ask->op == PAY_REFUND) {
        struct alloc_ReverseIn in = {.no = str_from_c(ask->no),
                                     .of_no = str_from_c(ask->of_no),
                                     .amount = ask->amount / MONEY_FEN};
        rail_request_begin(r, q, "POST", "/v1/reversals");
        return wire_json_encode(&alloc_ReverseIn_type, &in, &q->body);
    }
    if (ask->op != PAY_TRANSFER_QUERY && ask->op != PAY_REFUND_QUERY)
        return ERR_UNSUPPORTED; /* drivers do not pay through it */
    snprintf(path, sizeof path, "/v1/moves/%s", ask->no);
    rail_request_begin(r, q, "GET", path);
    return 0;
}

static int alloc_ask(const struct rail *r, const struct out_pay *ask, int64_t now_ms,
                     struct rail_request *q, struct cmd_pay_result *out)
{
    (void)out;
    int err = ask_build(r, ask, q);
    return err ? err : request_sign(r, q, now_ms);
}

/* ---- who says so ---- */

/* `first` is what a message is bound to: status and nonce of the request, or the merchant. */
static enum rail_refusal verify(const struct rail *r, const struct rail_reply *a, const char *first,
                                uint8_t mark[RAIL_MARK_SIZE])
{
    struct str at = a->header(a->ctx, "Rail-Time"), nonce = a->header(a->ctx, "Rail-Nonce");
    struct str sig = a->header(a->ctx, "Rail-Signature"), serial = a->header(a->ctx, "Rail-Serial");
    int64_t ms = 0;
    if (!nonce.n || !sig.n || !serial.n || str_to_i64(at, &ms) != 0)
        return RAIL_BAD_FORM;
    if (ms < a->now_ms - RAIL_CLOCK_MS || ms > a->now_ms + RAIL_CLOCK_MS)
        return RAIL_STALE;
    const struct rail_key *key = rail_keys_find(&r->keys, serial);
    if (!key)
        return RAIL_UNKNOWN_KEY;
    struct buf text;
    buf_init(&text, RAIL_TEXT_MAX * 2);
    buf_printf(&text, "%s\n%.*s\n%.*s\n", first, STR_FMT(at), STR_FMT(nonce));
    buf_put_str(&text, a->body);
    buf_put_char(&text, '\n');
    int err = text.err ? text.err : sign_check(key->key, buf_str(&text), sig);
    if (mark)
        sha256(text.p, text.n, mark);
    buf_free(&text);
    return err ? RAIL_BAD_SIGNATURE : RAIL_TAKEN;
}

/* ---- answers ---- */

static void read_problem(const struct out_pay *ask, struct str code, struct cmd_pay_result *out)
{
    bool asks = ask->op == PAY_TRANSFER || ask->op == PAY_REFUND || ask->op == PAY_ACCOUNT_OPEN;
    if (str_eq_c(code, "busy"))
        rail_set(out, PAY_UNKNOWN, ERR_AGAIN);
    else if (str_eq_c(code, "no_funds"))
        rail_set(out, PAY_NO_FUNDS, ERR_NO_FUNDS);
    else if (!asks && str_eq_c(code, "not_found"))
        rail_set(out, PAY_UNKNOWN, ERR_NOT_FOUND);
    else
        rail_set(out, asks ? PAY_FAILED : PAY_UNKNOWN, ERR_PROVIDER);
}

static int read_move(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                     struct cmd_pay_result *out)
{
    struct alloc_Move v;
    int err = wire_json_decode(&alloc_Move_type, a->body, m, &v, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(v.no, ask->no))
        return ERR_DENIED;
    switch (v.state) {
    case alloc_State_done:
        rail_set_done(out, v.amount * MONEY_FEN, STR_LIT("CNY"), v.provider_no);
        break;
    case alloc_State_pending:
        rail_set(out, PAY_PENDING, 0);
        break;
    case alloc_State_failed:
    case alloc_State_reversed:
        rail_set(out, PAY_FAILED, ERR_PROVIDER);
        break;
    case alloc_State_no_funds:
        rail_set(out, PAY_NO_FUNDS, ERR_NO_FUNDS);
        break;
    case alloc_State_NONE:
        break;
    }
    return 0;
}

static int read_account(const struct out_pay *ask, const struct rail_reply *a, struct arena *m,
                        struct cmd_pay_result *out)
{
    struct alloc_Account v;
    int err = wire_json_decode(&alloc_Account_type, a->body, m, &v, WIRE_LENIENT, NULL);
    if (err)
        return err;
    if (!str_eq_c(v.account, ask->no))
        return ERR_DENIED;
    rail_set_text(out->url, sizeof out->url, v.reason);
    switch (v.state) {
    case alloc_AccountState_open:
        rail_set(out, PAY_DONE, 0);
        rail_set_text(out->provider_no, sizeof out->provider_no,
                      v.has.number ? v.number : v.account);
        break;
    case alloc_AccountState_opening:
        rail_set(out, PAY_PENDING, 0);
        break;
    case alloc_AccountState_refused:
        rail_set(out, PAY_FAILED, ERR_PROVIDER);
        break;
    case alloc_AccountState_closed:
        rail_set(out, PAY_CLOSED, ERR_CLOSED);
        break;
    case alloc_AccountState_NONE:
        break;
    }
    return 0;
}

static int alloc_answer(const struct rail *r, const struct out_pay *ask,
                        const struct rail_request *q, const struct rail_reply *a, struct arena *m,
                        struct cmd_pay_result *out)
{
    char first[64];
    struct alloc_Problem p;
    snprintf(first, sizeof first, "%d\n%s", a->status, q->nonce);
    enum rail_refusal why = verify(r, a, first, NULL);
    if (why != RAIL_TAKEN) {
        rail_set(out, PAY_UNKNOWN, a->status >= 500 ? ERR_AGAIN : ERR_DENIED);
        return why == RAIL_UNKNOWN_KEY ? 1 : out->err;
    }
    bool account = ask->op == PAY_ACCOUNT_OPEN || ask->op == PAY_ACCOUNT_QUERY;
    if (a->status < 300)
        return account ? read_account(ask, a, m, out) : read_move(ask, a, m, out);
    int err = wire_json_decode(&alloc_Problem_type, a->body, m, &p, WIRE_LENIENT, NULL);
    if (!err)
        read_problem(ask, p.code, out);
    if (!err && account)
        rail_set_text(out->url, sizeof out->url, p.reason);
    return err;
}

/* ---- notices ---- */

static enum rail_refusal alloc_notice(const struct rail *r, const struct rail_reply *in,
                                      struct arena *m, struct rail_told *told)
{
    char first[64];
    struct alloc_Notice n;
    snprintf(first, sizeof first, "NOTICE\n%s", r->merchant);
    enum rail_refusal why = verify(r, in, first, told->mark);
    if (why != RAIL_TAKEN)
        return why;
    if (wire_json_decode(&alloc_Notice_type, in->body, m, &n, WIRE_LENIENT, NULL) != 0)
        return RAIL_BAD_FORM;
    told->result.row = rail_row_of(n.no);
    return RAIL_TAKEN;
}

/* ---- bills ---- */

static int alloc_bill(const struct rail *r, enum bill_kind kind, struct str day, int64_t now_ms,
                      struct rail_request *q)
{
    char path[40];
    if (kind != BILL_TRADE)
        return ERR_UNSUPPORTED;
    snprintf(path, sizeof path, "/v1/bills/%.10s", day.n == 10 ? day.p : "-");
    rail_request_begin(r, q, "GET", path);
    return request_sign(r, q, now_ms);
}

/* The address of the bill is a path of the provider's. */
static int alloc_bill_answer(const struct rail *r, const struct rail_request *q,
                             const struct rail_reply *a, struct arena *m, struct rail_request *next,
                             char hash[80])
{
    struct alloc_BillRef b;
    char first[64];
    snprintf(first, sizeof first, "%d\n%s", a->status, q->nonce);
    if (verify(r, a, first, NULL) != RAIL_TAKEN)
        return ERR_DENIED;
    if (a->status != 200)
        return a->status == 404 ? ERR_NOT_FOUND : ERR_AGAIN;
    int err = wire_json_decode(&alloc_BillRef_type, a->body, m, &b, WIRE_LENIENT, NULL);
    if (err)
        return err;
    const char *day = strrchr(q->url.p, '/') + 1; /* what was asked for ends with it */
    if (!str_eq_c(b.date, day) || !str_starts(b.url, STR_LIT("/")))
        return ERR_DENIED;
    rail_set_text(hash, 80, b.hash);
    rail_request_begin(r, next, "GET", "");
    buf_put_str(&next->url, b.url);
    return request_sign(r, next, a->now_ms);
}

const struct rail_port rail_alloc = {.public_url = "https://allocation.invalid",
                                     .ask = alloc_ask,
                                     .answer = alloc_answer,
                                     .notice = alloc_notice,
                                     .bill = alloc_bill,
                                     .bill_answer = alloc_bill_answer,
                                     .thanks = {"{\"taken\":true}", 14},
                                     .wants_serial = true};
