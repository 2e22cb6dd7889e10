// SPDX-License-Identifier: Apache-2.0
/* alipay.c: the cashier as Alipay's gateway with RSA2 in key mode. */
#include "till.h"

#include <inttypes.h>

#include "base/calendar.h"
#include "base/err.h"
#include "base/money.h"
#include "cashier.h"
#include "io/os/clock.h"
#include "rail/form.h"
#include "wire/alipay.h"

enum { ZONE_MS = 8 * 3600 * 1000 };

struct call {
    struct till *t;
    struct arena *m;
    struct form *form;
    struct str method, content, notify;
    struct alipay_Out out;
};

static struct str yuan(struct arena *m, int64_t fen)
{
    return arena_printf(m, "%" PRId64 ".%02d", fen / 100, (int)(fen % 100));
}

static int64_t fen_of(struct str text)
{
    struct money v;
    return money_parse(text, &v) == 0 && v.v > 0 && v.v % MONEY_FEN == 0 ? v.v / MONEY_FEN : 0;
}

#define SET(c, member, value) ((c)->out.member = (value), (c)->out.has.member = true)

static void say(struct call *c, const char *code, const char *sub)
{
    SET(c, code, str_from_c(code));
    SET(c, msg, str_from_c(code[0] == '1' ? "Success" : "Business Failed"));
    if (sub)
        SET(c, sub_code, str_from_c(sub));
}

/* ---- the calls ---- */

static struct trade *trade_of(struct call *c, struct alipay_CreateIn *in)
{
    if (wire_json_decode(&alipay_CreateIn_type, c->content, c->m, in, WIRE_STRICT, NULL) != 0 ||
        fen_of(in->total_amount) == 0) {
        say(c, "40004", "ACQ.INVALID_PARAMETER");
        return NULL;
    }
    struct trade *n = till_trade(c->t, TILL_ALIPAY, in->out_trade_no);
    if (n && (n->state != TRADE_OPEN || n->fen != fen_of(in->total_amount))) {
        say(c, "40004",
            n->state == TRADE_PAID ? "ACQ.TRADE_HAS_SUCCESS" : "ACQ.CONTEXT_INCONSISTENT");
        return NULL;
    }
    if (!n)
        n = till_trade_new(c->t, TILL_ALIPAY, in->out_trade_no, fen_of(in->total_amount),
                           c->notify);
    if (n)
        n->frozen = in->has.extend_params && str_eq_c(in->extend_params.royalty_freeze, "true");
    else
        say(c, "20000", "isp.unknow-error");
    return n;
}

static void create(struct call *c)
{
    struct alipay_CreateIn in;
    struct trade *n = trade_of(c, &in);
    if (!n)
        return;
    say(c, "10000", NULL);
    SET(c, out_trade_no, str_from_c(n->no));
    SET(c, qr_code, arena_printf(c->m, "%s/pay/%s", c->t->base, n->code));
}

static void query(struct call *c)
{
    static const char *const states[] = {"WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED"};
    struct alipay_TradeRef in = {0};
    int err = wire_json_decode(&alipay_TradeRef_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    struct trade *n = err ? NULL : till_trade(c->t, TILL_ALIPAY, in.out_trade_no);
    if (!n) {
        say(c, "40004", "ACQ.TRADE_NOT_EXIST");
        return;
    }
    say(c, "10000", NULL);
    SET(c, out_trade_no, str_from_c(n->no));
    SET(c, trade_no, str_from_c(n->provider_no));
    SET(c, trade_status, str_from_c(states[n->state]));
    SET(c, total_amount, yuan(c->m, n->fen));
}

static void close_trade(struct call *c)
{
    struct alipay_TradeRef in = {0};
    int err = wire_json_decode(&alipay_TradeRef_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    struct trade *n = err ? NULL : till_trade(c->t, TILL_ALIPAY, in.out_trade_no);
    if (!n || n->state == TRADE_PAID) {
        say(c, "40004", n ? "ACQ.TRADE_STATUS_ERROR" : "ACQ.TRADE_NOT_EXIST");
        return;
    }
    n->state = TRADE_CLOSED;
    say(c, "10000", NULL);
    SET(c, out_trade_no, str_from_c(n->no));
}

static void refund(struct call *c)
{
    struct alipay_RefundIn in = {0};
    int err = wire_json_decode(&alipay_RefundIn_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    struct trade *n = err ? NULL : till_trade(c->t, TILL_ALIPAY, in.out_trade_no);
    int64_t fen = fen_of(in.refund_amount);
    if (!n || n->state != TRADE_PAID) {
        say(c, "40004", "ACQ.TRADE_NOT_EXIST");
        return;
    }
    struct move *r = till_move(c->t, TILL_ALIPAY, in.out_request_no);
    bool fresh = r == NULL;
    if (r ? r->fen != fen : fen == 0 || fen > n->fen - n->refunded) {
        say(c, "40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
        return;
    }
    if (fresh && !till_take(c->t, TILL_ALIPAY, fen)) {
        say(c, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH");
        return;
    }
    if (fresh) {
        r = till_move_new(c->t, TILL_ALIPAY, MOVE_REFUND, in.out_request_no, fen);
        if (!r) {
            say(c, "20000", "isp.unknow-error");
            return;
        }
        n->refunded += fen;
        (void)str_copy(r->of_no, sizeof r->of_no, in.out_trade_no);
        (void)str_copy(r->notify_url, sizeof r->notify_url, c->notify);
        r->state = MOVE_DONE;
        till_tell_move(c->t, r);
    }
    say(c, "10000", NULL);
    SET(c, out_trade_no, str_from_c(n->no));
    SET(c, trade_no, str_from_c(n->provider_no));
    SET(c, fund_change, fresh ? STR_LIT("Y") : STR_LIT("N"));
    SET(c, refund_fee, yuan(c->m, n->refunded));
}

static void refund_query(struct call *c)
{
    struct alipay_RefundRef in = {0};
    int err = wire_json_decode(&alipay_RefundRef_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    struct trade *n = err ? NULL : till_trade(c->t, TILL_ALIPAY, in.out_trade_no);
    struct move *r = err ? NULL : till_move(c->t, TILL_ALIPAY, in.out_request_no);
    if (!n) {
        say(c, "40004", "ACQ.TRADE_NOT_EXIST");
        return;
    }
    say(c, "10000", NULL);
    SET(c, out_trade_no, str_from_c(n->no));
    if (!r)
        return;
    SET(c, trade_no, str_from_c(n->provider_no));
    SET(c, out_request_no, str_from_c(r->no));
    SET(c, refund_status, STR_LIT("REFUND_SUCCESS"));
    SET(c, refund_amount, yuan(c->m, r->fen));
}

static void transfer_say(struct call *c, const struct move *r)
{
    say(c, "10000", NULL);
    SET(c, out_biz_no, str_from_c(r->no));
    SET(c, order_id, str_from_c(r->provider_no));
    SET(c, status, STR_LIT("SUCCESS"));
    SET(c, trans_amount, yuan(c->m, r->fen));
}

static void transfer(struct call *c)
{
    struct alipay_TransferIn in = {0};
    int err = wire_json_decode(&alipay_TransferIn_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    int64_t fen = fen_of(in.trans_amount);
    if (err || fen == 0 || str_starts(in.payee_info.identity, STR_LIT("bad"))) {
        say(c, "40004", "PAYEE_NOT_EXIST");
        return;
    }
    struct move *r = till_move(c->t, TILL_ALIPAY, in.out_biz_no);
    if (r && r->fen != fen) {
        say(c, "40004", "PERMIT_CHECK_PERM_LIMITED");
        return;
    }
    if (!r && !till_take(c->t, TILL_ALIPAY, fen)) {
        say(c, "40004", "PAYER_BALANCE_NOT_ENOUGH");
        return;
    }
    if (!r) {
        r = till_move_new(c->t, TILL_ALIPAY, MOVE_TRANSFER, in.out_biz_no, fen);
        if (!r) {
            say(c, "20000", "SYSTEM_ERROR");
            return;
        }
        (void)str_copy(r->payee, sizeof r->payee, in.payee_info.identity);
        (void)str_copy(r->notify_url, sizeof r->notify_url, c->notify);
        r->state = MOVE_DONE;
        till_tell_move(c->t, r);
    }
    transfer_say(c, r);
}

static void transfer_query(struct call *c)
{
    struct alipay_TransferRef in = {0};
    int err = wire_json_decode(&alipay_TransferRef_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    struct move *r = err ? NULL : till_move(c->t, TILL_ALIPAY, in.out_biz_no);
    if (r)
        transfer_say(c, r);
    else
        say(c, "40004", "ORDER_NOT_EXIST");
}

/* ---- shares ---- */

enum { SHARE_MOST_BP = 3000, SHARE_WORK_MS = 300 };

static struct account *receiver(struct till *t, struct str account)
{
    char key[80];
    snprintf(key, sizeof key, "ali-%.*s", STR_FMT(account));
    return till_account(t, str_from_c(key));
}

/* Whose user id begins with 20889 is nobody that we know. */
static void bind(struct call *c)
{
    struct alipay_BindIn in = {0};
    char key[80];
    int err = wire_json_decode(&alipay_BindIn_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    for (size_t i = 0; !err && i < in.receiver_list_n; i++) {
        const struct alipay_RoyaltyEntity *e = &in.receiver_list[i];
        struct account *n;
        if (!str_eq_c(e->type, "userId") || e->account.n != 16) {
            say(c, "40004", "ACQ.INVALID_RECEIVER_TYPE");
            return;
        }
        if (str_starts(e->account, STR_LIT("20889"))) {
            say(c, "40004", "ACQ.USER_NOT_EXIST");
            return;
        }
        snprintf(key, sizeof key, "ali-%.*s", STR_FMT(e->account));
        n = receiver(c->t, e->account);
        n = n ? n : till_account_new(c->t, str_from_c(key));
        if (n)
            n->state = ACCOUNT_IS_OPEN;
        err = n ? 0 : ERR_FULL;
    }
    if (err) {
        say(c, "40004", err == ERR_FULL ? "ACQ.RELATION_QUANTITY_LIMIT" : "ACQ.INVALID_PARAMETER");
        return;
    }
    say(c, "10000", NULL);
    SET(c, result_code, STR_LIT("SUCCESS"));
}

static struct trade *trade_paid(struct till *t, struct str trade_no)
{
    for (size_t i = 0; i < t->trades_n; i++)
        if (t->trades[i].kind == TILL_ALIPAY && t->trades[i].state == TRADE_PAID &&
            str_eq_c(trade_no, t->trades[i].provider_no))
            return &t->trades[i];
    return NULL;
}

/* The shares of a request, in the order in which they were asked for. */
static size_t shares_of(struct till *t, struct str group, struct move *out[50])
{
    size_t n = 0;
    for (size_t i = 0; i < t->moves_n && n < 50; i++)
        if (t->moves[i].kind == TILL_ALIPAY && t->moves[i].what == MOVE_SHARE &&
            str_eq_c(group, t->moves[i].group))
            out[n++] = &t->moves[i];
    return n;
}

static bool same(const struct alipay_SettleIn *in, struct move *const *had, size_t n)
{
    bool eq = n == in->royalty_parameters_n;
    for (size_t i = 0; eq && i < n; i++)
        eq = fen_of(in->royalty_parameters[i].amount) == had[i]->fen &&
             str_eq_c(in->royalty_parameters[i].trans_in, had[i]->payee);
    return eq;
}

/* Why shares are refused, all of them; NULL. */
static const char *settle_wrong(struct till *t, const struct alipay_SettleIn *in,
                                const struct trade *d)
{
    int64_t sum = 0;
    if (!d->frozen)
        return "ACQ.ILLEGAL_SETTLE_STATE";
    for (size_t i = 0; i < in->royalty_parameters_n; i++) {
        const struct alipay_Royalty *r = &in->royalty_parameters[i];
        if (!receiver(t, r->trans_in) || !str_eq_c(r->trans_in_type, "userId"))
            return "ACQ.ROYALTY_RECEIVER_INVALID";
        if (fen_of(r->amount) == 0)
            return "ACQ.INVALID_PARAMETER";
        sum += fen_of(r->amount);
    }
    return sum * 10000 > d->fen * SHARE_MOST_BP || sum > d->fen - d->refunded
               ? "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"
               : NULL;
}

/* Whose user id begins with 20881 takes nothing in the end. */
static void share_one(struct till *t, const struct alipay_SettleIn *in, size_t i,
                      const struct trade *d)
{
    const struct alipay_Royalty *r = &in->royalty_parameters[i];
    int64_t fen = fen_of(r->amount);
    bool paid = !str_starts(r->trans_in, STR_LIT("20881")) && till_take(t, TILL_ALIPAY, fen);
    struct move *n = till_move_new(t, TILL_ALIPAY, MOVE_SHARE, r->desc, fen);
    if (!n)
        return;
    n->state = paid ? MOVE_DONE : MOVE_FAILED;
    (void)str_copy(n->group, sizeof n->group, in->out_request_no);
    (void)str_copy(n->of_no, sizeof n->of_no, str_from_c(d->no));
    (void)str_copy(n->payee, sizeof n->payee, r->trans_in);
    (void)str_copy(n->notify_url, sizeof n->notify_url, str_from_c(d->notify_url));
    if (paid)
        receiver(t, r->trans_in)->fen += fen;
    till_tell_move(t, n);
}

static void settle(struct call *c)
{
    struct alipay_SettleIn in = {0};
    struct move *had[50];
    int err = wire_json_decode(&alipay_SettleIn_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    struct trade *d = err ? NULL : trade_paid(c->t, in.trade_no);
    bool finish = in.has.extend_params && str_eq_c(in.extend_params.royalty_finish, "true");
    size_t n = err ? 0 : shares_of(c->t, in.out_request_no, had);
    if (err || !d || !str_eq_c(in.royalty_mode, "async") || finish == in.has.royalty_parameters) {
        say(c, "40004", err || d ? "ACQ.INVALID_PARAMETER" : "ACQ.TRADE_NOT_EXIST");
        return;
    }
    const char *wrong = n        ? same(&in, had, n) ? NULL : "ACQ.DISCORDANT_REPEAT_REQUEST"
                        : finish ? NULL
                                 : settle_wrong(c->t, &in, d);
    if (wrong) {
        say(c, "40004", wrong);
        return;
    }
    for (size_t i = 0; i < in.royalty_parameters_n && n == 0; i++)
        share_one(c->t, &in, i, d);
    if (finish)
        d->frozen = false;
    say(c, "10000", NULL);
    SET(c, trade_no, str_from_c(d->provider_no));
    SET(c, settle_no, arena_printf(c->m, "2026%s", d->provider_no));
}

static void settle_query(struct call *c)
{
    struct alipay_SettleRef in = {0};
    struct move *had[50];
    int err = wire_json_decode(&alipay_SettleRef_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    size_t n = err ? 0 : shares_of(c->t, in.out_request_no, had);
    struct alipay_RoyaltyDetail *v = ARENA_ARRAY(c->m, 50, struct alipay_RoyaltyDetail);
    if (n == 0 || !v) {
        say(c, "40004", "ACQ.SETTLE_NOT_EXIST");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool works = os_wall_ms() - had[i]->made_ms < SHARE_WORK_MS;
        v[i] =
            (struct alipay_RoyaltyDetail){.operation_type = STR_LIT("transfer"),
                                          .trans_in = str_from_c(had[i]->payee),
                                          .amount = yuan(c->m, had[i]->fen),
                                          .detail_id = str_from_c(had[i]->provider_no),
                                          .state = works ? STR_LIT("PROCESSING")
                                                   : had[i]->state == MOVE_DONE ? STR_LIT("SUCCESS")
                                                                                : STR_LIT("FAIL")};
        v[i].has.operation_type = v[i].has.trans_in = v[i].has.amount = v[i].has.state = true;
        v[i].has.detail_id = true;
    }
    say(c, "10000", NULL);
    SET(c, out_request_no, in.out_request_no);
    SET(c, royalty_detail_list, v);
    c->out.royalty_detail_list_n = (uint32_t)n;
}

static void bill(struct call *c)
{
    struct alipay_BillIn in = {0};
    struct buf file;
    buf_init(&file, 16 << 20);
    int err = wire_json_decode(&alipay_BillIn_type, c->content, c->m, &in, WIRE_STRICT, NULL);
    if (!err)
        err = till_bill(c->t, TILL_ALIPAY, in.bill_date, &file);
    buf_free(&file);
    if (err) {
        say(c, "40004", "isp.bill_not_exist");
        return;
    }
    say(c, "10000", NULL);
    SET(c, bill_download_url,
        arena_printf(c->m, "%s/alipay/bill?%.*s", c->t->base, STR_FMT(in.bill_date)));
}

static const struct {
    const char *method;
    void (*fn)(struct call *c);
} calls[] = {
    {"alipay.trade.precreate", create},
    {"alipay.trade.query", query},
    {"alipay.trade.close", close_trade},
    {"alipay.trade.refund", refund},
    {"alipay.trade.fastpay.refund.query", refund_query},
    {"alipay.fund.trans.uni.transfer", transfer},
    {"alipay.fund.trans.common.query", transfer_query},
    {"alipay.trade.royalty.relation.bind", bind},
    {"alipay.trade.order.settle", settle},
    {"alipay.trade.order.settle.query", settle_query},
    {"alipay.data.dataservice.bill.downloadurl.query", bill},
};

/* ---- the gateway ---- */

static int form_verify(struct till *t, struct form *f)
{
    struct buf text;
    if (!str_eq_c(form_get(f, "app_id"), CASHIER_ALIPAY_APP) ||
        !str_eq_c(form_get(f, "sign_type"), "RSA2"))
        return ERR_DENIED;
    buf_init(&text, TILL_TEXT_MAX);
    form_sign_text(f, true, &text);
    int err = sign_check(t->keys[TILL_ALIPAY].merchant, buf_str(&text), form_get(f, "sign"));
    buf_free(&text);
    return err;
}

/* Clients put some members into the address and some into the body. */
static int call_read(struct till *t, const struct till_request *q, struct arena *m, struct call *c)
{
    struct str all = arena_printf(m, "%.*s%s%.*s", STR_FMT(q->query),
                                  q->query.n && q->body.n ? "&" : "", STR_FMT(q->body));
    c->t = t;
    c->m = m;
    c->form = ARENA_NEW(m, struct form);
    if (!c->form || form_read(all, m, c->form) != 0)
        return ERR_SYNTAX;
    c->method = form_get(c->form, "method");
    c->content = form_get(c->form, "biz_content");
    c->notify = form_get(c->form, "notify_url");
    return form_verify(t, c->form);
}

static void answer_write(struct call *c, const char *name, struct till_reply *a)
{
    struct buf node, sig;
    buf_init(&node, TILL_TEXT_MAX);
    buf_init(&sig, SIGN_TEXT_MAX);
    int err = wire_json_encode(&alipay_Out_type, &c->out, &node);
    if (!err)
        err = sign_make(c->t->keys[TILL_ALIPAY].own, buf_str(&node), &sig);
    if (err)
        a->status = 500;
    else
        buf_printf(&a->body, "{\"%s\":%.*s,\"sign\":\"%.*s\"}", name, STR_FMT(buf_str(&node)),
                   STR_FMT(buf_str(&sig)));
    buf_free(&node);
    buf_free(&sig);
}

/* The signed address of trade.wap.pay, opened in the payer's browser. */
static void wap(struct call *c, struct till_reply *a)
{
    struct alipay_CreateIn in;
    struct trade *n = trade_of(c, &in);
    a->status = n ? 302 : 400;
    if (n)
        till_header(a, "Location", arena_printf(c->m, "%s/pay/%s", c->t->base, n->code));
}

static void dispatch(struct call *c, struct till_reply *a)
{
    char name[128];
    size_t i = 0;
    snprintf(name, sizeof name, "%.*s_response", (int)(c->method.n < 100 ? c->method.n : 100),
             c->method.p);
    for (char *p = name; *p; p++)
        *p = *p == '.' ? '_' : *p;
    while (i < ARRAY_LEN(calls) && !str_eq_c(c->method, calls[i].method))
        i++;
    if (i < ARRAY_LEN(calls))
        calls[i].fn(c);
    else
        say(c, "40002", "isv.invalid-method");
    answer_write(c, name, a);
}

void till_alipay(struct till *t, const struct till_request *q, struct till_reply *a)
{
    struct arena m;
    struct call c = {0};
    arena_init(&m, 4 * TILL_TEXT_MAX);
    if (str_eq_c(q->path, "/alipay/bill")) {
        a->mime = "text/csv; charset=utf-8";
        a->status = till_bill(t, TILL_ALIPAY, q->query, &a->body) == 0 ? 200 : 404;
    } else if (till_strikes(t, FAULT_ERROR)) {
        a->status = 500;
    } else if (call_read(t, q, &m, &c) != 0) {
        c.t = t;
        say(&c, "40002", "isv.invalid-signature");
        answer_write(&c, "error_response", a);
    } else if (str_eq_c(c.method, "alipay.trade.wap.pay")) {
        wap(&c, a);
    } else {
        dispatch(&c, a);
        a->cut = till_strikes(t, FAULT_TIMEOUT);
    }
    arena_free(&m);
}

/* ---- notices ---- */

static void pair(struct form *f, const char *name, struct str value)
{
    f->pair[f->n++] = (struct form_pair){str_from_c(name), value};
}

/* What a notice is about; the matter of a transfer and of shares is JSON of its own. */
static void members(struct till *t, const struct notice *n, struct arena *m, struct form *f)
{
    const struct move *r = n->of == OF_MOVE ? &t->moves[n->index] : NULL;
    const struct trade *d = n->of == OF_TRADE ? &t->trades[n->index]
                            : r->what == MOVE_REFUND
                                ? till_trade(t, TILL_ALIPAY, str_from_c(r->of_no))
                                : NULL;
    if (!d && r->what == MOVE_SHARE) {
        pair(f, "msg_method", STR_LIT("alipay.trade.order.settle.notify"));
        pair(f, "utc_timestamp", arena_printf(m, "%" PRId64, n->told_ms));
        pair(f, "biz_content",
             arena_printf(m, "{\"out_request_no\":\"%s\",\"royalty_detail_list\":[]}", r->group));
        return;
    }
    if (!d) {
        pair(f, "msg_method", STR_LIT("alipay.fund.trans.order.changed"));
        pair(f, "utc_timestamp", arena_printf(m, "%" PRId64, n->told_ms));
        pair(f, "biz_content",
             arena_printf(m, "{\"out_biz_no\":\"%s\",\"status\":\"%s\"}", r->no,
                          n->lie ? "FAIL" : "SUCCESS"));
        return;
    }
    char at[TIME_TEXT_SIZE];
    time_format(n->told_ms + ZONE_MS, at);
    pair(f, "notify_time", arena_printf(m, "%.10s %.8s", at, at + 11));
    pair(f, "notify_type", STR_LIT("trade_status_sync"));
    pair(f, "out_trade_no", str_from_c(d->no));
    pair(f, "seller_id", STR_LIT(CASHIER_ALIPAY_MERCHANT));
    pair(f, "subject", STR_LIT("充电"));
    pair(f, "total_amount", yuan(m, n->lie ? 1 : d->fen));
    pair(f, "trade_no", str_from_c(d->provider_no));
    pair(f, "trade_status", n->lie ? STR_LIT("TRADE_CLOSED") : STR_LIT("TRADE_SUCCESS"));
    if (r)
        pair(f, "out_biz_no", str_from_c(r->no));
}

void alipay_tell(struct till *t, const struct notice *n, struct buf *body, struct buf *headers)
{
    struct arena m;
    struct buf text, sig;
    struct form f = {.n = 0};
    arena_init(&m, TILL_TEXT_MAX);
    buf_init(&text, TILL_TEXT_MAX);
    buf_init(&sig, SIGN_TEXT_MAX);
    pair(&f, "app_id", STR_LIT(CASHIER_ALIPAY_APP));
    pair(&f, "charset", STR_LIT("utf-8"));
    pair(&f, "notify_id", str_from_c(n->id));
    pair(&f, "version", STR_LIT("1.0"));
    members(t, n, &m, &f);
    form_sign_text(&f, false, &text);
    if (sign_make(t->keys[TILL_ALIPAY].own, buf_str(&text), &sig) == 0) {
        pair(&f, "sign_type", STR_LIT("RSA2"));
        pair(&f, "sign", buf_str(&sig));
    }
    for (size_t i = 0; i < f.n; i++) {
        if (i)
            buf_put_char(body, '&');
        buf_put_str(body, f.pair[i].name);
        buf_put_char(body, '=');
        fetch_escape(body, f.pair[i].value);
    }
    buf_put_c(headers, "Content-Type: application/x-www-form-urlencoded; charset=utf-8");
    buf_put_char(headers, 0);
    buf_free(&text);
    buf_free(&sig);
    arena_free(&m);
}
