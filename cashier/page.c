// SPDX-License-Identifier: Apache-2.0
/* page.c: the pages on which people play the payer and the payee: pay or walk away, confirm a
 * transfer or refuse it. Both languages at once; a POST of the button does it. */
#include "till.h"

#include <inttypes.h>

static void head(struct till_reply *a)
{
    a->mime = "text/html; charset=utf-8";
    buf_put_c(
        &a->body,
        "<!doctype html><html lang=zh><meta charset=utf-8>"
        "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
        "<title>收银台 Cashier</title><style>"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:26em;margin:3em auto;padding:0 1em;"
        "text-align:center}b{font-size:2.6em;display:block;margin:.4em}"
        "button{font:inherit;padding:.7em 2em;margin:.4em;border:0;border-radius:.5em;"
        "background:#0a7d34;color:#fff}button.no{background:#666}small{color:#555}"
        "</style><small>演示收银台，不是真实付款 · A demonstration: no real money</small>");
}

static void form(struct till_reply *a, const char *action, const char *label, bool no)
{
    buf_printf(&a->body,
               "<form method=post action=\"?%s\" style=\"display:inline\"><button id=%s%s>%s"
               "</button></form>",
               action, action, no ? " class=no" : "", label);
}

static void pay_page(struct till *t, struct str code, const struct till_request *q,
                     struct till_reply *a)
{
    static const char *const names[TILL_KINDS] = {"微信支付 WeChat Pay", "支付宝 Alipay", ""};
    struct trade *n = till_trade_by_code(t, code);
    if (!n) {
        a->status = 404;
        return;
    }
    if (str_eq_c(q->method, "POST") && str_eq_c(q->query, "pay"))
        (void)till_pay(t, n);
    head(a);
    buf_printf(&a->body, "<h1>%s</h1><p>%s<b>¥%" PRId64 ".%02d</b>", names[n->kind], n->no,
               n->fen / 100, (int)(n->fen % 100));
    if (n->state == TRADE_OPEN)
        form(a, "pay", "付款 Pay", false);
    else
        buf_printf(&a->body, "<p id=state data-state=%s>%s",
                   n->state == TRADE_PAID ? "paid" : "closed",
                   n->state == TRADE_PAID ? "已付款，可以返回 · Paid, you may go back"
                                          : "已关闭 · Closed");
}

static void confirm_page(struct till *t, struct str code, const struct till_request *q,
                         struct till_reply *a)
{
    static const char *const states[] = {"", "已收款 · Received", "已拒绝 · Refused"};
    struct move *n = till_move_by_code(t, code);
    if (!n) {
        a->status = 404;
        return;
    }
    if (str_eq_c(q->method, "POST"))
        (void)till_confirm(t, n, str_eq_c(q->query, "yes"));
    head(a);
    buf_printf(&a->body, "<h1>收款确认 Confirm</h1><p>%s<b>¥%" PRId64 ".%02d</b>", n->no,
               n->fen / 100, (int)(n->fen % 100));
    if (n->state == MOVE_WAIT) {
        form(a, "yes", "确认收款 Receive", false);
        form(a, "no", "拒绝 Refuse", true);
    } else {
        buf_printf(&a->body, "<p id=state>%s", states[n->state]);
    }
}

/* A sub-account: whoever plays the provider opens, refuses or closes it, whatever it was. */
static void account_page(struct till *t, struct str number, const struct till_request *q,
                         struct till_reply *a)
{
    static const char *const states[] = {"审核中 · Checking", "已开通 · Open", "已拒绝 · Refused",
                                         "已关闭 · Closed"};
    struct account *n = till_account(t, number);
    if (!n) {
        a->status = 404;
        return;
    }
    if (str_eq_c(q->method, "POST"))
        till_account_set(t, n,
                         str_eq_c(q->query, "open")     ? ACCOUNT_IS_OPEN
                         : str_eq_c(q->query, "refuse") ? ACCOUNT_REFUSED
                                                        : ACCOUNT_IS_CLOSED);
    head(a);
    buf_printf(&a->body, "<h1>子账户 Sub-account</h1><p>%s<b>%s</b>", n->number, states[n->state]);
    form(a, "open", "开通 Open", false);
    form(a, "refuse", "拒绝 Refuse", true);
    form(a, "close", "关闭 Close", true);
}

void till_page(struct till *t, const struct till_request *q, struct till_reply *a)
{
    struct str rest = q->path;
    (void)str_cut(&rest, '/');
    struct str what = str_cut(&rest, '/');
    if (str_eq_c(what, "pay"))
        pay_page(t, rest, q, a);
    else if (str_eq_c(what, "account"))
        account_page(t, rest, q, a);
    else
        confirm_page(t, rest, q, a);
}
