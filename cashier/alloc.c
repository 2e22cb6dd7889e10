// SPDX-License-Identifier: Apache-2.0
/* alloc.c: the cashier as an allocation provider (doc/protocol/allocation.md): sub-accounts with an
 * identity check, moves between balances, reversals, cash-outs, bills. */
#include "till.h"

#include <inttypes.h>

#include "base/calendar.h"
#include "base/err.h"
#include "cashier.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "wire/alloc.h"

enum { CLOCK_MS = 300000 };

/* ---- signatures ---- */

static int request_verify(struct till *t, const struct till_request *q)
{
    const struct till_keys *k = &t->keys[TILL_ALLOC];
    struct str at = q->header(q->ctx, "Rail-Time");
    int64_t ms = 0, now = os_wall_ms();
    struct buf text;
    if (!str_eq_c(q->header(q->ctx, "Rail-Merchant"), CASHIER_ALLOC_MERCHANT) ||
        !str_eq_c(q->header(q->ctx, "Rail-Serial"), k->merchant_serial) ||
        str_to_i64(at, &ms) != 0 || ms < now - CLOCK_MS || ms > now + CLOCK_MS)
        return ERR_DENIED;
    buf_init(&text, 2 * TILL_TEXT_MAX);
    buf_printf(&text, "%.*s\n%.*s\n%.*s\n%.*s\n", STR_FMT(q->method), STR_FMT(q->target),
               STR_FMT(at), STR_FMT(q->header(q->ctx, "Rail-Nonce")));
    buf_put_str(&text, q->body);
    buf_put_char(&text, '\n');
    int err = sign_check(k->merchant, buf_str(&text), q->header(q->ctx, "Rail-Signature"));
    buf_free(&text);
    return err;
}

/* first: what the message is bound to. */
static void sign_lines(struct till *t, const char *first, struct str body, struct buf *lines)
{
    struct till_keys *k = &t->keys[TILL_ALLOC];
    char nonce[33];
    struct buf text, sig;
    int64_t now = os_wall_ms();
    os_random_text(nonce, sizeof nonce - 1);
    buf_init(&text, 16 << 20);
    buf_init(&sig, SIGN_TEXT_MAX);
    buf_printf(&text, "%s\n%" PRId64 "\n%s\n", first, now, nonce);
    buf_put_str(&text, body);
    buf_put_char(&text, '\n');
    if (!text.err && sign_make(k->own, buf_str(&text), &sig) == 0)
        buf_printf(lines,
                   "Rail-Time: %" PRId64
                   "%cRail-Nonce: %s%cRail-Serial: %s%cRail-Signature: %.*s%c",
                   now, 0, nonce, 0, k->serial, 0, STR_FMT(buf_str(&sig)), 0);
    buf_free(&text);
    buf_free(&sig);
}

static void problem(struct till_reply *a, int status, const char *code)
{
    struct alloc_Problem p = {.code = str_from_c(code)};
    a->status = status;
    buf_reset(&a->body);
    (void)!wire_json_encode(&alloc_Problem_type, &p, &a->body);
}

static void put(struct till_reply *a, const struct wire_type *type, const void *in)
{
    if (wire_json_encode(type, in, &a->body) != 0)
        problem(a, 500, "busy");
}

/* ---- accounts ---- */

static void account_put(const struct account *n, struct till_reply *a)
{
    static const enum alloc_AccountState states[] = {
        alloc_AccountState_opening, alloc_AccountState_open, alloc_AccountState_refused,
        alloc_AccountState_closed};
    struct alloc_Account v = {.account = str_from_c(n->no),
                              .state = states[n->state],
                              .number = str_from_c(n->number),
                              .reason = STR_LIT("证件信息不符"),
                              .balance = n->fen,
                              .available = n->fen};
    v.has.balance = v.has.available = n->state == ACCOUNT_IS_OPEN;
    v.has.number = n->state == ACCOUNT_IS_OPEN;
    v.has.reason = n->state == ACCOUNT_REFUSED;
    put(a, &alloc_Account_type, &v);
}

/* What is sealed for us; false when it is not. */
static bool shown(struct till *t, struct str hidden, char out[65])
{
    struct buf plain;
    buf_init(&plain, 64);
    bool ok = sign_show(t->keys[TILL_ALLOC].own, hidden, &plain) == 0 && plain.n > 5;
    (void)str_copy(out, 65, buf_str(&plain));
    crypto_wipe(plain.p, plain.n);
    buf_free(&plain);
    return ok;
}

static bool same_owner(const struct account *n, const struct alloc_OpenIn *in, const char *id_no,
                       const char *bank)
{
    return str_eq_c(in->name, n->name) && str_eq_c(in->kind, n->kind) &&
           strcmp(n->id_no, id_no) == 0 && strcmp(n->bank, bank) == 0;
}

static void account_open(struct till *t, const struct till_request *q, struct arena *m,
                         struct till_reply *a)
{
    struct alloc_OpenIn in;
    char id_no[65], bank[65];
    if (wire_json_decode(&alloc_OpenIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0 ||
        !shown(t, in.id_no, id_no) || !shown(t, in.bank, bank)) {
        problem(a, 400, "bad_request");
        return;
    }
    struct account *n = till_account(t, in.account);
    if (n && !same_owner(n, &in, id_no, bank)) {
        problem(a, 409, "conflict");
        return;
    }
    if (!n && (n = till_account_new(t, in.account)) != NULL) {
        (void)str_copy(n->name, sizeof n->name, in.name);
        (void)str_copy(n->kind, sizeof n->kind, in.kind);
        (void)str_copy(n->notify_url, sizeof n->notify_url, in.notify_url);
        (void)str_copy(n->id_no, sizeof n->id_no, str_from_c(id_no));
        (void)str_copy(n->bank, sizeof n->bank, str_from_c(bank));
    }
    if (n)
        account_put(n, a);
    else
        problem(a, 503, "busy");
}

/* ---- moves ---- */

static enum alloc_State state_of(const struct move *n)
{
    return n->state == MOVE_DONE   ? alloc_State_done
           : n->state == MOVE_WAIT ? alloc_State_pending
                                   : alloc_State_reversed;
}

static void move_put(const struct move *n, struct till_reply *a)
{
    struct alloc_Move v = {.no = str_from_c(n->no),
                           .provider_no = str_from_c(n->provider_no),
                           .state = state_of(n),
                           .amount = n->fen};
    v.has.provider_no = true;
    put(a, &alloc_Move_type, &v);
}

static void move_done(struct till *t, struct move *n, const char *of, struct till_reply *a)
{
    (void)str_copy(n->of_no, sizeof n->of_no, str_from_c(of));
    (void)str_copy(n->payee, sizeof n->payee, str_from_c(of));
    n->state = MOVE_DONE;
    till_tell_move(t, n);
    move_put(n, a);
}

/* True when the number is known: then the answer is written. */
static bool known(struct till *t, struct str no, int64_t fen, struct till_reply *a)
{
    struct move *n = till_move(t, TILL_ALLOC, no);
    if (!n)
        return false;
    if (n->fen == fen)
        move_put(n, a);
    else
        problem(a, 409, "conflict");
    return true;
}

static void move_make(struct till *t, const struct till_request *q, struct arena *m,
                      struct till_reply *a)
{
    struct alloc_MoveIn in;
    if (wire_json_decode(&alloc_MoveIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0) {
        problem(a, 400, "bad_request");
        return;
    }
    struct account *to = till_account(t, in.account);
    if (known(t, in.no, in.amount, a))
        return;
    if (!to || to->state != ACCOUNT_IS_OPEN) {
        problem(a, 422, "refused");
        return;
    }
    if (!till_take(t, TILL_ALLOC, in.amount)) {
        problem(a, 402, "no_funds");
        return;
    }
    struct move *n = till_move_new(t, TILL_ALLOC, MOVE_TRANSFER, in.no, in.amount);
    if (!n) {
        problem(a, 503, "busy");
        return;
    }
    to->fen += in.amount;
    move_done(t, n, to->no, a);
}

static void move_reverse(struct till *t, const struct till_request *q, struct arena *m,
                         struct till_reply *a)
{
    struct alloc_ReverseIn in;
    if (wire_json_decode(&alloc_ReverseIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0) {
        problem(a, 400, "bad_request");
        return;
    }
    if (known(t, in.no, in.amount, a))
        return;
    struct move *of = till_move(t, TILL_ALLOC, in.of_no);
    struct account *from = of ? till_account(t, str_from_c(of->payee)) : NULL;
    struct move *n = NULL;
    if (from && from->fen >= in.amount && in.amount <= of->fen)
        n = till_move_new(t, TILL_ALLOC, MOVE_REVERSAL, in.no, in.amount);
    if (!n) {
        problem(a, 422, from ? "no_funds" : "refused");
        return;
    }
    from->fen -= in.amount;
    t->balance[TILL_ALLOC] += in.amount;
    move_done(t, n, of->no, a);
}

static void cashout(struct till *t, const struct till_request *q, struct arena *m,
                    struct till_reply *a)
{
    struct alloc_CashoutIn in;
    if (wire_json_decode(&alloc_CashoutIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0) {
        problem(a, 400, "bad_request");
        return;
    }
    struct account *from = till_account(t, in.account);
    struct move *n = NULL;
    if (known(t, in.no, in.amount, a))
        return;
    if (from && from->fen >= in.amount)
        n = till_move_new(t, TILL_ALLOC, MOVE_CASHOUT, in.no, in.amount);
    if (!n) {
        problem(a, 422, from ? "no_funds" : "refused");
        return;
    }
    from->fen -= in.amount;
    move_done(t, n, from->no, a);
}

/* ---- bills ---- */

/* First where the bill is and its hash, then the bill. */
static void bill_get(struct till *t, struct str rest, struct arena *m, struct till_reply *a)
{
    struct str day = str_cut(&rest, '/');
    uint8_t sum[32];
    char hex[65];
    struct buf file;
    buf_init(&file, 16 << 20);
    int err = till_bill(t, TILL_ALLOC, day, &file);
    sha256(file.p, file.n, sum);
    str_to_hex(sum, sizeof sum, hex);
    struct alloc_BillRef v = {.date = day,
                              .hash = str_from_c(hex),
                              .url = arena_printf(m, "/v1/bills/%.*s/file", STR_FMT(day))};
    if (err)
        problem(a, 404, "not_found");
    else if (rest.n)
        buf_put_str(&a->body, buf_str(&file));
    else
        put(a, &alloc_BillRef_type, &v);
    buf_free(&file);
}

/* ---- the door ---- */

static bool tail(struct str path, const char *before, struct str *no)
{
    struct str b = str_from_c(before);
    *no = str_starts(path, b) ? str_from(path.p + b.n, path.n - b.n) : STR_NONE;
    return no->n > 0;
}

static void dispatch(struct till *t, const struct till_request *q, struct arena *m,
                     struct till_reply *a)
{
    static const struct {
        const char *path;
        void (*fn)(struct till *t, const struct till_request *q, struct arena *m,
                   struct till_reply *a);
    } posts[] = {{"/alloc/v1/accounts", account_open},
                 {"/alloc/v1/moves", move_make},
                 {"/alloc/v1/reversals", move_reverse},
                 {"/alloc/v1/cashouts", cashout}};
    struct str no;
    for (size_t i = 0; i < ARRAY_LEN(posts); i++)
        if (str_eq_c(q->method, "POST") && str_eq_c(q->path, posts[i].path)) {
            posts[i].fn(t, q, m, a);
            return;
        }
    if (tail(q->path, "/alloc/v1/bills/", &no)) {
        bill_get(t, no, m, a);
        return;
    }
    struct move *move =
        tail(q->path, "/alloc/v1/moves/", &no) ? till_move(t, TILL_ALLOC, no) : NULL;
    struct account *acc = tail(q->path, "/alloc/v1/accounts/", &no) ? till_account(t, no) : NULL;
    if (move)
        move_put(move, a);
    else if (acc)
        account_put(acc, a);
    else
        problem(a, 404, "not_found");
}

void till_alloc(struct till *t, const struct till_request *q, struct till_reply *a)
{
    struct arena m;
    char first[80];
    arena_init(&m, 4 * TILL_TEXT_MAX);
    if (till_strikes(t, FAULT_ERROR))
        problem(a, 503, "busy");
    else if (request_verify(t, q) != 0)
        problem(a, 401, "bad_signature");
    else
        dispatch(t, q, &m, a);
    snprintf(first, sizeof first, "%d\n%.*s", a->status,
             (int)q->header(q->ctx, "Rail-Nonce").n % 64, q->header(q->ctx, "Rail-Nonce").p);
    sign_lines(t, first, buf_str(&a->body), &a->headers);
    a->cut = till_strikes(t, FAULT_TIMEOUT);
    arena_free(&m);
}

void alloc_tell(struct till *t, const struct notice *n, struct buf *body, struct buf *headers)
{
    const struct move *d = n->of == OF_MOVE ? &t->moves[n->index] : NULL;
    const struct account *b = n->of == OF_ACCOUNT ? &t->accounts[n->index] : NULL;
    bool open = b && (b->state == ACCOUNT_IS_OPEN) != n->lie;
    struct alloc_Notice v = {.id = str_from_c(n->id),
                             .no = str_from_c(d ? d->no : b->no),
                             .state = b        ? open ? alloc_State_done : alloc_State_failed
                                      : n->lie ? alloc_State_failed
                                               : state_of(d),
                             .amount = d ? d->fen : 0};
    (void)!wire_json_encode(&alloc_Notice_type, &v, body);
    buf_put_c(headers, "Content-Type: application/json");
    buf_put_char(headers, 0);
    sign_lines(t, "NOTICE\n" CASHIER_ALLOC_MERCHANT, buf_str(body), headers);
}
