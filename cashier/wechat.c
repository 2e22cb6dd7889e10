// SPDX-License-Identifier: Apache-2.0
/* wechat.c: the cashier as WeChat Pay, API v3: verifies the merchant's signatures, signs answers and
 * notices, seals what notices hold. */
#include "till.h"

#include <inttypes.h>

#include "base/err.h"
#include "cashier.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "wire/wechat.h"

enum { CLOCK_MS = 300000 };

/* ---- signatures ---- */

/* name="value" of the Authorization header. */
static struct str auth_part(struct str auth, const char *name)
{
    char key[32];
    int n = snprintf(key, sizeof key, "%s=\"", name);
    for (size_t i = 0; n > 0 && i + (size_t)n < auth.n; i++) {
        if (memcmp(auth.p + i, key, (size_t)n) != 0)
            continue;
        struct str rest = str_from(auth.p + i + n, auth.n - i - (size_t)n);
        return str_cut(&rest, '"');
    }
    return STR_LIT("");
}

static int request_verify(struct till *t, const struct till_request *q)
{
    const struct till_keys *k = &t->keys[TILL_WECHAT];
    struct str auth = q->header(q->ctx, "Authorization"), at = auth_part(auth, "timestamp");
    struct buf text;
    int64_t s = 0, now = os_wall_ms();
    if (!str_starts(auth, STR_LIT("WECHATPAY2-SHA256-RSA2048 ")) ||
        !str_eq_c(auth_part(auth, "mchid"), CASHIER_WECHAT_MERCHANT) ||
        !str_eq_c(auth_part(auth, "serial_no"), k->merchant_serial) || str_to_i64(at, &s) != 0 ||
        s * 1000 < now - CLOCK_MS || s * 1000 > now + CLOCK_MS)
        return ERR_DENIED;
    buf_init(&text, 2 * TILL_TEXT_MAX);
    buf_printf(&text, "%.*s\n%.*s\n%.*s\n%.*s\n", STR_FMT(q->method), STR_FMT(q->target),
               STR_FMT(at), STR_FMT(auth_part(auth, "nonce_str")));
    buf_put_str(&text, q->body);
    buf_put_char(&text, '\n');
    int err =
        text.err ? text.err : sign_check(k->merchant, buf_str(&text), auth_part(auth, "signature"));
    buf_free(&text);
    return err;
}

/* Signature headers over a body, as lines. */
static void sign_lines(struct till *t, struct str body, struct buf *lines)
{
    struct till_keys *k = &t->keys[TILL_WECHAT];
    char nonce[33];
    struct buf text, sig;
    int64_t s = os_wall_ms() / 1000;
    os_random_text(nonce, sizeof nonce - 1);
    buf_init(&text, 16 << 20);
    buf_init(&sig, SIGN_TEXT_MAX);
    buf_printf(&text, "%" PRId64 "\n%s\n", s, nonce);
    buf_put_str(&text, body);
    buf_put_char(&text, '\n');
    if (!text.err && sign_make(k->own, buf_str(&text), &sig) == 0)
        buf_printf(lines,
                   "Wechatpay-Timestamp: %" PRId64 "%cWechatpay-Nonce: %s%cWechatpay-Serial: %s%c"
                   "Wechatpay-Signature: %.*s%c",
                   s, 0, nonce, 0, k->serial, 0, STR_FMT(buf_str(&sig)), 0);
    buf_free(&text);
    buf_free(&sig);
}

static void problem(struct till_reply *a, int status, const char *code)
{
    a->status = status;
    buf_reset(&a->body);
    buf_printf(&a->body, "{\"code\":\"%s\",\"message\":\"%s\"}", code, code);
}

static void put(struct till_reply *a, const struct wire_type *type, const void *in)
{
    if (wire_json_encode(type, in, &a->body) != 0)
        problem(a, 500, "SYSTEM_ERROR");
}

/* ---- trades ---- */

static const char *state_of(const struct trade *n)
{
    return n->state == TRADE_PAID   ? n->refunded ? "REFUND" : "SUCCESS"
           : n->state == TRADE_OPEN ? "NOTPAY"
                                    : "CLOSED";
}

static struct wechat_Trade trade_view(const struct trade *n, const char *state, int64_t fen)
{
    struct wechat_Trade v = {.appid = STR_LIT(CASHIER_WECHAT_APP),
                             .mchid = STR_LIT(CASHIER_WECHAT_MERCHANT),
                             .out_trade_no = str_from_c(n->no),
                             .transaction_id = str_from_c(n->provider_no),
                             .trade_state = str_from_c(state),
                             .amount = {.total = fen, .payer_total = fen, .currency = {"CNY", 3}}};
    v.has.appid = v.has.mchid = v.has.out_trade_no = v.has.trade_state = v.has.amount = true;
    v.has.transaction_id = n->state == TRADE_PAID;
    v.amount.has.total = v.amount.has.payer_total = v.amount.has.currency = true;
    return v;
}

static void trade_create(struct till *t, const struct till_request *q, struct arena *m,
                         struct till_reply *a)
{
    struct wechat_CreateIn in;
    struct wechat_CreateOut out = {0};
    bool jsapi = str_eq_c(q->path, "/wechat/v3/pay/transactions/jsapi");
    bool h5 = str_eq_c(q->path, "/wechat/v3/pay/transactions/h5");
    if (wire_json_decode(&wechat_CreateIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0 ||
        !str_eq_c(in.appid, CASHIER_WECHAT_APP) || !str_eq_c(in.mchid, CASHIER_WECHAT_MERCHANT) ||
        (jsapi && !in.has.payer) || (h5 && !in.has.scene_info)) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    struct trade *n = till_trade(t, TILL_WECHAT, in.out_trade_no);
    if (n && (n->fen != in.amount.total || n->state != TRADE_OPEN)) {
        problem(a, n->state == TRADE_PAID ? 400 : 403,
                n->state == TRADE_PAID ? "ORDERPAID" : "OUT_TRADE_NO_USED");
        return;
    }
    if (!n)
        n = till_trade_new(t, TILL_WECHAT, in.out_trade_no, in.amount.total, in.notify_url);
    if (n)
        n->frozen = in.has.settle_info && in.settle_info.profit_sharing;
    if (!n) {
        problem(a, 429, "FREQUENCY_LIMITED");
        return;
    }
    struct str url = arena_printf(m, "%s/pay/%s", t->base, n->code);
    out.has.prepay_id = jsapi;
    out.has.h5_url = h5;
    out.has.code_url = !jsapi && !h5;
    out.prepay_id = str_from_c(n->code);
    out.h5_url = out.code_url = url;
    put(a, &wechat_CreateOut_type, &out);
}

static void trade_close(struct till *t, struct str no, struct till_reply *a)
{
    struct trade *n = till_trade(t, TILL_WECHAT, no);
    if (!n) {
        problem(a, 404, "ORDER_NOT_EXIST");
    } else if (n->state == TRADE_PAID) {
        problem(a, 400, "ORDERPAID");
    } else {
        n->state = TRADE_CLOSED;
        a->status = 204;
    }
}

static void trade_get(struct till *t, struct str no, struct till_reply *a)
{
    struct trade *n = till_trade(t, TILL_WECHAT, no);
    if (!n) {
        problem(a, 404, "ORDER_NOT_EXIST");
        return;
    }
    struct wechat_Trade v = trade_view(n, state_of(n), n->fen);
    put(a, &wechat_Trade_type, &v);
}

/* ---- refunds ---- */

static struct wechat_Refund refund_view(const struct move *m, const char *status, bool notice)
{
    struct wechat_Refund v = {.refund_id = str_from_c(m->provider_no),
                              .out_refund_no = str_from_c(m->no),
                              .out_trade_no = str_from_c(m->of_no),
                              .mchid = STR_LIT(CASHIER_WECHAT_MERCHANT),
                              .status = str_from_c(status),
                              .refund_status = str_from_c(status),
                              .amount = {.refund = m->fen}};
    v.has.refund_id = v.has.out_refund_no = v.has.out_trade_no = v.has.amount = true;
    v.has.status = !notice;
    v.has.mchid = v.has.refund_status = notice;
    v.amount.has.refund = true;
    return v;
}

static void refund_make(struct till *t, const struct till_request *q, struct arena *m,
                        struct till_reply *a)
{
    struct wechat_RefundIn in;
    if (wire_json_decode(&wechat_RefundIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    struct trade *n = till_trade(t, TILL_WECHAT, in.out_trade_no);
    struct move *r = till_move(t, TILL_WECHAT, in.out_refund_no);
    if (!r && (!n || n->state != TRADE_PAID)) {
        problem(a, 404, "RESOURCE_NOT_EXISTS");
        return;
    }
    if (r ? r->fen != in.amount.refund
          : in.amount.total != n->fen || in.amount.refund > n->fen - n->refunded) {
        problem(a, 400, "INVALID_REQUEST");
        return;
    }
    if (!r) {
        if (!till_take(t, TILL_WECHAT, in.amount.refund)) {
            problem(a, 403, "NOT_ENOUGH");
            return;
        }
        n->refunded += in.amount.refund;
        r = till_move_new(t, TILL_WECHAT, MOVE_REFUND, in.out_refund_no, in.amount.refund);
        if (!r) {
            problem(a, 429, "FREQUENCY_LIMITED");
            return;
        }
        (void)str_copy(r->of_no, sizeof r->of_no, in.out_trade_no);
        (void)str_copy(r->notify_url, sizeof r->notify_url, in.notify_url);
        r->state = MOVE_DONE;
        till_tell_move(t, r);
    }
    struct wechat_Refund v = refund_view(r, "PROCESSING", false);
    put(a, &wechat_Refund_type, &v);
}

/* ---- transfers ---- */

static const char *transfer_state(const struct move *m)
{
    return m->state == MOVE_WAIT ? "WAIT_USER_CONFIRM" : m->state == MOVE_DONE ? "SUCCESS" : "FAIL";
}

static struct wechat_Transfer transfer_view(const struct move *m, const char *state)
{
    struct wechat_Transfer v = {.mch_id = STR_LIT(CASHIER_WECHAT_MERCHANT),
                                .out_bill_no = str_from_c(m->no),
                                .transfer_bill_no = str_from_c(m->provider_no),
                                .state = str_from_c(state),
                                .package_info = str_from_c(m->code),
                                .transfer_amount = m->fen};
    v.has.mch_id = v.has.out_bill_no = v.has.transfer_bill_no = v.has.state = true;
    v.has.transfer_amount = true;
    v.has.package_info = m->state == MOVE_WAIT;
    return v;
}

/* From 2,000 yuan on the payee's name must be there, and readable by us alone. */
static bool name_ok(struct till *t, const struct wechat_TransferIn *in)
{
    struct buf name;
    if (in->transfer_amount < 200000)
        return true;
    if (!in->has.user_name)
        return false;
    buf_init(&name, 1024);
    bool ok = sign_show(t->keys[TILL_WECHAT].own, in->user_name, &name) == 0 && name.n > 0;
    buf_free(&name);
    return ok;
}

static void transfer_make(struct till *t, const struct till_request *q, struct arena *m,
                          struct till_reply *a)
{
    struct wechat_TransferIn in;
    if (wire_json_decode(&wechat_TransferIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0 ||
        !str_eq_c(in.appid, CASHIER_WECHAT_APP) || !name_ok(t, &in) ||
        str_starts(in.openid, STR_LIT("bad"))) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    struct move *n = till_move(t, TILL_WECHAT, in.out_bill_no);
    if (n && n->fen != in.transfer_amount) {
        problem(a, 400, "ALREADY_EXISTS");
        return;
    }
    if (!n && !till_take(t, TILL_WECHAT, in.transfer_amount)) {
        problem(a, 403, "NOT_ENOUGH");
        return;
    }
    if (!n) {
        n = till_move_new(t, TILL_WECHAT, MOVE_TRANSFER, in.out_bill_no, in.transfer_amount);
        if (!n) {
            problem(a, 429, "FREQUENCY_LIMITED");
            return;
        }
        (void)str_copy(n->payee, sizeof n->payee, in.openid);
        (void)str_copy(n->notify_url, sizeof n->notify_url, in.notify_url);
    }
    struct wechat_Transfer v = transfer_view(n, transfer_state(n));
    put(a, &wechat_Transfer_type, &v);
}

/* ---- shares ---- */

enum { SHARE_MOST_BP = 3000 };

static struct account *receiver(struct till *t, struct str account)
{
    char key[80];
    snprintf(key, sizeof key, "wx-%.*s", STR_FMT(account));
    return till_account(t, str_from_c(key));
}

/* Whoever is called bad-… is nobody that we know. */
static void receiver_add(struct till *t, const struct till_request *q, struct arena *m,
                         struct till_reply *a)
{
    struct wechat_ReceiverIn in;
    char name[65], key[80];
    if (wire_json_decode(&wechat_ReceiverIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0 ||
        !str_eq_c(in.appid, CASHIER_WECHAT_APP) || in.account.n > 28) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    struct buf plain;
    buf_init(&plain, 64);
    bool named = sign_show(t->keys[TILL_WECHAT].own, in.name, &plain) == 0;
    (void)str_copy(name, sizeof name, buf_str(&plain));
    buf_free(&plain);
    if (!named || str_starts(in.account, STR_LIT("bad"))) {
        problem(a, 400, "INVALID_REQUEST");
        return;
    }
    snprintf(key, sizeof key, "wx-%.*s", STR_FMT(in.account));
    struct account *n = receiver(t, in.account);
    if (!n && (n = till_account_new(t, str_from_c(key))) != NULL) {
        (void)str_copy(n->name, sizeof n->name, str_from_c(name));
        n->state = ACCOUNT_IS_OPEN;
    }
    struct wechat_ReceiverOut v = {.type = in.type, .account = in.account};
    v.has.type = v.has.account = true;
    if (n)
        put(a, &wechat_ReceiverOut_type, &v);
    else
        problem(a, 429, "FREQUENCY_LIMITED");
}

static struct trade *trade_of(struct till *t, struct str transaction_id)
{
    for (size_t i = 0; i < t->trades_n; i++)
        if (t->trades[i].kind == TILL_WECHAT && t->trades[i].state == TRADE_PAID &&
            str_eq_c(transaction_id, t->trades[i].provider_no))
            return &t->trades[i];
    return NULL;
}

/* Writes what became of a request; false when there is none of that number. */
static bool share_put(struct till *t, struct str group, bool first, struct till_reply *a)
{
    struct wechat_ShareResult r[50] = {0};
    struct wechat_Share v = {.out_order_no = group, .receivers = r};
    for (size_t i = 0; i < t->moves_n && v.receivers_n < ARRAY_LEN(r); i++) {
        const struct move *n = &t->moves[i];
        if (n->what != MOVE_SHARE || !str_eq_c(group, n->group))
            continue;
        struct wechat_ShareResult *to = &r[v.receivers_n++];
        *to = (struct wechat_ShareResult){.amount = n->fen,
                                          .description = str_from_c(n->no),
                                          .account = str_from_c(n->payee),
                                          .detail_id = str_from_c(n->provider_no),
                                          .result = first                   ? STR_LIT("PENDING")
                                                    : n->state == MOVE_DONE ? STR_LIT("SUCCESS")
                                                                            : STR_LIT("CLOSED")};
        to->has.amount = to->has.description = to->has.account = to->has.result = true;
        to->has.detail_id = true;
        v.transaction_id =
            str_from_c(till_trade(t, TILL_WECHAT, str_from_c(n->of_no))->provider_no);
    }
    v.state = first ? STR_LIT("PROCESSING") : STR_LIT("FINISHED");
    v.has.out_order_no = v.has.transaction_id = v.has.state = v.has.receivers = true;
    if (v.receivers_n)
        put(a, &wechat_Share_type, &v);
    return v.receivers_n > 0;
}

/* Why a request is refused; NULL. */
static const char *share_wrong(struct till *t, const struct wechat_ShareIn *in,
                               const struct trade *d)
{
    int64_t sum = 0;
    if (!d)
        return "ORDER_NOT_EXIST";
    if (!d->frozen)
        return "NO_AUTH";
    for (size_t i = 0; i < in->receivers_n; i++) {
        if (!receiver(t, in->receivers[i].account))
            return "INVALID_REQUEST";
        sum += in->receivers[i].amount;
    }
    return sum * 10000 > (d->fen - d->refunded) * SHARE_MOST_BP ? "RULE_LIMIT" : NULL;
}

/* Who is called closed-… takes nothing in the end. */
static void share_one(struct till *t, const struct wechat_ShareIn *in, size_t i,
                      const struct trade *d)
{
    const struct wechat_ShareReceiver *r = &in->receivers[i];
    bool closed = str_starts(r->account, STR_LIT("closed"));
    bool paid = !closed && till_take(t, TILL_WECHAT, r->amount);
    struct move *n = till_move_new(t, TILL_WECHAT, MOVE_SHARE, r->description, r->amount);
    if (!n)
        return;
    n->state = paid ? MOVE_DONE : MOVE_FAILED;
    (void)str_copy(n->group, sizeof n->group, in->out_order_no);
    (void)str_copy(n->of_no, sizeof n->of_no, str_from_c(d->no));
    (void)str_copy(n->payee, sizeof n->payee, r->account);
    (void)str_copy(n->notify_url, sizeof n->notify_url, str_from_c(d->notify_url));
    if (paid)
        receiver(t, r->account)->fen += r->amount;
    till_tell_move(t, n);
}

static void share_make(struct till *t, const struct till_request *q, struct arena *m,
                       struct till_reply *a)
{
    struct wechat_ShareIn in;
    if (wire_json_decode(&wechat_ShareIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    struct trade *d = trade_of(t, in.transaction_id);
    if (share_put(t, in.out_order_no, true, a))
        return;
    const char *wrong = share_wrong(t, &in, d);
    if (wrong) {
        problem(a, 403, wrong);
        return;
    }
    for (size_t i = 0; i < in.receivers_n; i++)
        share_one(t, &in, i, d);
    if (!share_put(t, in.out_order_no, true, a))
        problem(a, 429, "FREQUENCY_LIMITED");
}

static void unfreeze(struct till *t, const struct till_request *q, struct arena *m,
                     struct till_reply *a)
{
    struct wechat_UnfreezeIn in;
    int err = wire_json_decode(&wechat_UnfreezeIn_type, q->body, m, &in, WIRE_STRICT, NULL);
    struct trade *d = err ? NULL : trade_of(t, in.transaction_id);
    if (!d) {
        problem(a, 400, "ORDER_NOT_EXIST");
        return;
    }
    if (d->frozen)
        till_rest_line(t, d, in.out_order_no);
    d->frozen = false;
    struct wechat_Share v = {.out_order_no = in.out_order_no,
                             .transaction_id = in.transaction_id,
                             .state = STR_LIT("FINISHED")};
    v.has.out_order_no = v.has.transaction_id = v.has.state = true;
    put(a, &wechat_Share_type, &v);
}

/* ---- shares that come back ---- */

static struct move *share_of(struct till *t, struct str group, struct str payee)
{
    for (size_t i = 0; i < t->moves_n; i++) {
        struct move *n = &t->moves[i];
        if (n->what == MOVE_SHARE && n->state == MOVE_DONE && str_eq_c(group, n->group) &&
            str_eq_c(payee, n->payee))
            return n;
    }
    return NULL;
}

static void return_put(const struct move *n, bool first, struct till_reply *a)
{
    struct wechat_Return v = {.out_order_no = str_from_c(n->group),
                              .out_return_no = str_from_c(n->no),
                              .return_id = str_from_c(n->provider_no),
                              .return_mchid = str_from_c(n->payee),
                              .amount = n->fen,
                              .result = first                   ? STR_LIT("PROCESSING")
                                        : n->state == MOVE_DONE ? STR_LIT("SUCCESS")
                                                                : STR_LIT("FAILED"),
                              .fail_reason = STR_LIT("PAYER_ACCOUNT_ABNORMAL")};
    v.has.out_order_no = v.has.out_return_no = v.has.return_id = v.has.return_mchid = true;
    v.has.amount = v.has.result = true;
    v.has.fail_reason = !first && n->state != MOVE_DONE;
    put(a, &wechat_Return_type, &v);
}

/* Why a return is refused; NULL. Whoever is called keep-… never agreed to give anything back. */
static const char *return_wrong(struct till *t, const struct wechat_ReturnIn *in,
                                const struct move *share)
{
    int64_t left = share ? share->fen : 0;
    if (!share)
        return "RESOURCE_NOT_EXISTS";
    for (size_t i = 0; i < t->moves_n; i++)
        if (t->moves[i].what == MOVE_RETURN && t->moves[i].state == MOVE_DONE &&
            str_eq_c(in->out_order_no, t->moves[i].group) &&
            str_eq_c(in->return_mchid, t->moves[i].payee))
            left -= t->moves[i].fen;
    if (in->amount > left)
        return "RULE_LIMIT";
    if (str_starts(in->return_mchid, STR_LIT("keep")))
        return "INVALID_REQUEST";
    return receiver(t, in->return_mchid)->fen < in->amount ? "NOT_ENOUGH" : NULL;
}

/* Whoever is called late-… agreed, but it fails in the end; of whoever is called part-… a fen less comes
 * back than was asked for. */
static struct move *return_new(struct till *t, const struct wechat_ReturnIn *in,
                               const struct move *share)
{
    bool fails = str_starts(in->return_mchid, STR_LIT("late"));
    int64_t fen = in->amount - (str_starts(in->return_mchid, STR_LIT("part")) ? 1 : 0);
    struct move *n = till_move_new(t, TILL_WECHAT, MOVE_RETURN, in->out_return_no, fen);
    if (!n)
        return NULL;
    n->asked = in->amount;
    n->state = fails ? MOVE_FAILED : MOVE_DONE;
    (void)str_copy(n->group, sizeof n->group, in->out_order_no);
    (void)str_copy(n->of_no, sizeof n->of_no, str_from_c(share->of_no));
    (void)str_copy(n->payee, sizeof n->payee, in->return_mchid);
    if (fails)
        return n;
    receiver(t, in->return_mchid)->fen -= fen;
    t->balance[TILL_WECHAT] += fen;
    till_tell_move(t, n);
    return n;
}

static void return_make(struct till *t, const struct till_request *q, struct arena *m,
                        struct till_reply *a)
{
    struct wechat_ReturnIn in;
    if (wire_json_decode(&wechat_ReturnIn_type, q->body, m, &in, WIRE_STRICT, NULL) != 0) {
        problem(a, 400, "PARAM_ERROR");
        return;
    }
    struct move *n = till_move(t, TILL_WECHAT, in.out_return_no);
    const struct move *share = share_of(t, in.out_order_no, in.return_mchid);
    const char *wrong = n ? NULL : return_wrong(t, &in, share);
    if (n &&
        (n->what != MOVE_RETURN || n->asked != in.amount || !str_eq_c(in.return_mchid, n->payee)))
        wrong = "INVALID_REQUEST";
    if (wrong) {
        problem(a, 403, wrong);
        return;
    }
    n = n ? n : return_new(t, &in, share);
    if (n)
        return_put(n, true, a);
    else
        problem(a, 429, "FREQUENCY_LIMITED");
}

static void return_get(struct till *t, struct str no, struct till_reply *a)
{
    const struct move *n = till_move(t, TILL_WECHAT, no);
    if (n && n->what == MOVE_RETURN)
        return_put(n, false, a);
    else
        problem(a, 404, "RESOURCE_NOT_EXISTS");
}

/* False when the path is none of these. */
static bool shares_dispatch(struct till *t, const struct till_request *q, struct arena *m,
                            struct till_reply *a)
{
    static const char orders[] = "/wechat/v3/profitsharing/orders";
    static const char returns[] = "/wechat/v3/profitsharing/return-orders";
    bool post = str_eq_c(q->method, "POST");
    struct str p = q->path;
    if (!post && str_eq_c(p, "/wechat/v3/profitsharing/bills"))
        till_shares_ask(t, q->query, m, a);
    else if (post && str_eq_c(p, returns))
        return_make(t, q, m, a);
    else if (!post && p.n > sizeof returns && str_starts(p, str_from_c(returns)))
        return_get(t, str_from(p.p + sizeof returns, p.n - sizeof returns), a);
    else if (post && str_eq_c(p, "/wechat/v3/profitsharing/receivers/add"))
        receiver_add(t, q, m, a);
    else if (post && str_eq_c(p, "/wechat/v3/profitsharing/orders/unfreeze"))
        unfreeze(t, q, m, a);
    else if (post && str_eq_c(p, orders))
        share_make(t, q, m, a);
    else if (!post && p.n > sizeof orders && str_starts(p, str_from_c(orders))) {
        if (!share_put(t, str_from(p.p + sizeof orders, p.n - sizeof orders), false, a))
            problem(a, 404, "RESOURCE_NOT_EXISTS");
    } else
        return false;
    return true;
}

/* ---- bills ---- */

static void bill_ask(struct till *t, const struct till_request *q, struct arena *m,
                     struct till_reply *a)
{
    struct str date = str_from(q->query.p, q->query.n), file_date;
    uint8_t hash[32];
    char hex[65];
    struct buf file;
    (void)str_cut(&date, '='); /* bill_date=2026-11-25&… */
    file_date = str_cut(&date, '&');
    buf_init(&file, 16 << 20);
    int err = till_bill(t, TILL_WECHAT, file_date, &file);
    sha256(file.p, file.n, hash);
    str_to_hex(hash, sizeof hash, hex);
    buf_free(&file);
    if (err) {
        problem(a, 400, "NO_STATEMENT_EXIST");
        return;
    }
    struct wechat_BillOut v = {.hash_type = STR_LIT("SHA256"),
                               .hash_value = str_from_c(hex),
                               .download_url =
                                   arena_printf(m, "%s/wechat/v3/billdownload/file?date=%.*s",
                                                t->base, STR_FMT(file_date))};
    put(a, &wechat_BillOut_type, &v);
}

static void bill_get(struct till *t, const struct till_request *q, struct till_reply *a)
{
    struct str date = q->query;
    if (str_starts(date, STR_LIT("shares="))) {
        till_shares_get(t, date, a);
        return;
    }
    (void)str_cut(&date, '=');
    a->mime = "text/csv; charset=utf-8";
    if (till_bill(t, TILL_WECHAT, date, &a->body) != 0)
        problem(a, 404, "NO_STATEMENT_EXIST");
}

/* ---- the door ---- */

/* The last part of the path behind `before`, without `after`. */
static bool path_part(struct str path, const char *before, const char *after, struct str *no)
{
    struct str b = str_from_c(before), e = str_from_c(after);
    if (!str_starts(path, b) || path.n <= b.n + e.n || memcmp(path.p + path.n - e.n, e.p, e.n) != 0)
        return false;
    *no = str_from(path.p + b.n, path.n - b.n - e.n);
    return str_find(*no, '/') < 0;
}

static void dispatch(struct till *t, const struct till_request *q, struct arena *m,
                     struct till_reply *a)
{
    struct str p = q->path, no;
    bool post = str_eq_c(q->method, "POST");
    if (shares_dispatch(t, q, m, a))
        return;
    if (post && path_part(p, "/wechat/v3/pay/transactions/out-trade-no/", "/close", &no))
        trade_close(t, no, a);
    else if (post && path_part(p, "/wechat/v3/pay/transactions/", "", &no))
        trade_create(t, q, m, a);
    else if (!post && path_part(p, "/wechat/v3/pay/transactions/out-trade-no/", "", &no))
        trade_get(t, no, a);
    else if (post && str_eq_c(p, "/wechat/v3/refund/domestic/refunds"))
        refund_make(t, q, m, a);
    else if (!post && path_part(p, "/wechat/v3/refund/domestic/refunds/", "", &no)) {
        struct move *r = till_move(t, TILL_WECHAT, no);
        struct wechat_Refund v = r ? refund_view(r, "SUCCESS", false) : (struct wechat_Refund){0};
        if (r)
            put(a, &wechat_Refund_type, &v);
        else
            problem(a, 404, "RESOURCE_NOT_EXISTS");
    } else if (post && str_eq_c(p, "/wechat/v3/fund-app/mch-transfer/transfer-bills"))
        transfer_make(t, q, m, a);
    else if (!post && path_part(p, "/wechat/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/",
                                "", &no)) {
        struct move *r = till_move(t, TILL_WECHAT, no);
        struct wechat_Transfer v =
            r ? transfer_view(r, transfer_state(r)) : (struct wechat_Transfer){0};
        if (r)
            put(a, &wechat_Transfer_type, &v);
        else
            problem(a, 404, "NOT_FOUND");
    } else if (!post && str_eq_c(p, "/wechat/v3/bill/tradebill"))
        bill_ask(t, q, m, a);
    else if (!post && str_eq_c(p, "/wechat/v3/billdownload/file"))
        bill_get(t, q, a);
    else
        problem(a, 404, "NOT_FOUND");
}

void till_wechat(struct till *t, const struct till_request *q, struct till_reply *a)
{
    struct arena m;
    arena_init(&m, 4 * TILL_TEXT_MAX);
    if (till_strikes(t, FAULT_ERROR))
        problem(a, 500, "SYSTEM_ERROR");
    else if (request_verify(t, q) != 0)
        problem(a, 401, "SIGN_ERROR");
    else
        dispatch(t, q, &m, a);
    if (a->status != 401)
        sign_lines(t, buf_str(&a->body), &a->headers);
    a->cut = till_strikes(t, FAULT_TIMEOUT);
    arena_free(&m);
}

/* ---- notices ---- */

static const char *plain_make(struct till *t, const struct notice *n, struct buf *plain)
{
    int err;
    const char *type;
    if (n->of == OF_TRADE) {
        const struct trade *d = &t->trades[n->index];
        struct wechat_Trade v = trade_view(d, n->lie ? "CLOSED" : "SUCCESS", n->lie ? 1 : d->fen);
        err = wire_json_encode(&wechat_Trade_type, &v, plain);
        type = "TRANSACTION.SUCCESS";
    } else if (t->moves[n->index].what == MOVE_REFUND) {
        struct wechat_Refund v =
            refund_view(&t->moves[n->index], n->lie ? "CLOSED" : "SUCCESS", true);
        err = wire_json_encode(&wechat_Refund_type, &v, plain);
        type = n->lie ? "REFUND.CLOSED" : "REFUND.SUCCESS";
    } else if (t->moves[n->index].what == MOVE_SHARE) {
        struct wechat_ShareNotice v = {.mchid = STR_LIT(CASHIER_WECHAT_MERCHANT),
                                       .out_order_no = str_from_c(t->moves[n->index].group)};
        v.has.mchid = v.has.out_order_no = true;
        err = wire_json_encode(&wechat_ShareNotice_type, &v, plain);
        type = "TRANSACTION.SUCCESS";
    } else {
        const struct move *d = &t->moves[n->index];
        struct wechat_Transfer v = transfer_view(d, n->lie ? "FAIL" : transfer_state(d));
        err = wire_json_encode(&wechat_Transfer_type, &v, plain);
        type = "MCHTRANSFER.BILL.FINISHED";
    }
    return err ? NULL : type;
}

void wechat_tell(struct till *t, const struct notice *n, struct buf *body, struct buf *headers)
{
    char nonce[SIGN_NONCE_SIZE + 1], text[TILL_TEXT_MAX];
    struct str aad = STR_LIT("transaction");
    struct buf plain, cipher;
    buf_init(&plain, 8192);
    buf_init(&cipher, 8192 + SIGN_TAG_SIZE);
    os_random_text(nonce, SIGN_NONCE_SIZE);
    const char *type = plain_make(t, n, &plain);
    if (type && sign_seal(t->keys[TILL_WECHAT].secret, str_from(nonce, SIGN_NONCE_SIZE), aad,
                          buf_str(&plain), &cipher) == 0) {
        struct wechat_Notice v = {
            .id = str_from_c(n->id),
            .event_type = str_from_c(type),
            .resource = {.algorithm = STR_LIT("AEAD_AES_256_GCM"),
                         .ciphertext = str_from(text, base64_encode(cipher.p, cipher.n, text)),
                         .associated_data = aad,
                         .nonce = str_from(nonce, SIGN_NONCE_SIZE)}};
        v.resource.has.associated_data = true;
        v.resource.has.original_type = n->of == OF_MOVE && t->moves[n->index].what == MOVE_SHARE;
        v.resource.original_type = STR_LIT("profitsharing");
        (void)!wire_json_encode(&wechat_Notice_type, &v, body);
    }
    buf_put_c(headers, "Content-Type: application/json");
    buf_put_char(headers, 0);
    sign_lines(t, buf_str(body), headers);
    buf_free(&plain);
    buf_free(&cipher);
}
