// SPDX-License-Identifier: Apache-2.0
/* core_invoice.c: invoices: asked for, handed out, issued, taken back by refunds. After every step all invoices of the store are added up again (verify): orders, lines and
 * taxes make the amount, red lines make what is gone, and no order has more on paper than was paid and
 * not given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/invoice.h"
#include "base/tax.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)

static struct world world, *w = &world;

/* ---- the world ---- */

static int topup(int64_t amount)
{
    return world_topup(w, amount);
}

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

static void rates_set(int32_t elec, int32_t service)
{
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.tax_bp = elec;
    s.tax_service_bp = service;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    rates_set(1300, 600);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* An order of `kwh` at 0.8 + 0.4 yuan, from a wallet filled to 4.00 before. */
static int64_t order_of(int64_t mwh)
{
    int64_t tx, order;
    if (wallet() < 40000)
        assert_int_equal(topup(40000 - wallet()), 0);
    order = world_charging(w, 40000, &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + mwh, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    return order;
}

static int refund(int64_t order, int64_t amount)
{
    return world_refund(w, order, amount);
}

static struct cmd *asking(const int64_t *orders, int32_t n)
{
    struct cmd *c = world_web(w, CMD_INVOICE_NEW, w->driver, ACTOR_DRIVER);
    struct cmd_invoice_new *in = &c->u.invoice_new;
    in->driver = w->driver;
    in->buyer = BUYER_COMPANY;
    in->n = n;
    (void)str_copy(in->title, sizeof in->title, STR_LIT("上海某某科技有限公司"));
    (void)str_copy(in->tax_no, sizeof in->tax_no, STR_LIT("91310000MA1FL0000X"));
    (void)str_copy(in->email, sizeof in->email, STR_LIT("fp@example.com"));
    for (int32_t i = 0; i < n; i++)
        in->order[i] = orders[i];
    return c;
}

static int64_t invoice_over(const int64_t *orders, int32_t n)
{
    assert_int_equal(world_send(w, asking(orders, n)), 0);
    return w->reply.u.made.id;
}

static int decide(int64_t id, enum invoice_act act, const char *text)
{
    struct cmd *c = world_web(w, CMD_INVOICE_DECIDE, w->person, ACTOR_PERSON);
    struct cmd_invoice_decide *in = &c->u.invoice_decide;
    in->invoice = id;
    in->act = act;
    if (act == INVOICE_ISSUE) {
        in->issued_on = 20260101;
        (void)str_copy(in->number, sizeof in->number, str_from_c(text));
    } else {
        (void)str_copy(in->note, sizeof in->note, str_from_c(text));
    }
    return world_send(w, c);
}

static const struct row_invoice *invoice_row(int64_t id)
{
    return world_row(w, ROW_INVOICE, id);
}

/* The red invoice of this one that was made last, or 0. */
static int64_t red_of(int64_t id)
{
    int64_t red = 0;
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_INVOICE)
            continue;
        const struct row_invoice *r = world_unpacked(w, &w->rows[i]);
        if (r->red_of == id && r->id > red)
            red = r->id;
    }
    return red;
}

/* ---- adding up ---- */

struct sums {
    int64_t amount, net, tax, rest, elec, service, occupancy, rests;
    int64_t red; /* amounts of its red invoices */
};

static void line_add(struct sums *s, const struct row_invoice *v, const struct row_invoice_line *l)
{
    assert_int_equal(l->net + l->tax, l->amount);
    if (!v->red_of)
        assert_int_equal(l->net, tax_inclusive(MONEY(l->amount), l->tax_bp).net.v);
    assert_true(v->red_of ? l->amount < 0 && l->rest == 0 : l->rest >= 0 && l->rest <= l->amount);
    s->amount += l->amount;
    s->net += l->net;
    s->tax += l->tax;
    s->rest += l->rest;
}

static struct sums sums_of(const struct row_invoice *v)
{
    struct sums s = {0};
    for (size_t i = 0; i < w->rows_n; i++) {
        const void *row = world_unpacked(w, &w->rows[i]);
        const struct row_invoice_order *o = row;
        const struct row_invoice *red = row;
        if (w->rows[i].table == ROW_INVOICE_LINE &&
            ((const struct row_invoice_line *)row)->invoice == v->id)
            line_add(&s, v, row);
        if (w->rows[i].table == ROW_INVOICE && red->red_of == v->id)
            s.red += red->amount;
        if (w->rows[i].table != ROW_INVOICE_ORDER || o->invoice != v->id)
            continue;
        s.elec += o->elec;
        s.service += o->service;
        s.occupancy += o->occupancy;
        s.rests += o->rest_elec + o->rest_service + o->rest_occupancy;
    }
    return s;
}

/* What of an order is on invoices that count. */
static int64_t on_paper(int64_t order)
{
    int64_t sum = 0;
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_INVOICE_ORDER)
            continue;
        const struct row_invoice_order o =
            *(struct row_invoice_order *)world_unpacked(w, &w->rows[i]);
        const struct row_invoice *v = invoice_row(o.invoice);
        if (o.order_id == order && v->state <= INVOICE_ISSUED && !v->red_of)
            sum += o.rest_elec + o.rest_service + o.rest_occupancy;
    }
    return sum;
}

static void verify(void)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        const void *row = world_unpacked(w, &w->rows[i]);
        if (w->rows[i].table == ROW_ORDERS) {
            const struct row_orders o = *(const struct row_orders *)row;
            int64_t paper = on_paper(o.id);
            assert_true(paper <= o.paid - o.refunded);
            const struct row_invoice *v = o.invoice ? invoice_row(o.invoice) : NULL;
            assert_true(!v || v->state <= INVOICE_ISSUED);
            assert_true(v || !paper);
        } else if (w->rows[i].table == ROW_INVOICE) {
            const struct row_invoice *v = invoice_row(((const struct row_invoice *)row)->id);
            struct sums s = sums_of(v);
            assert_int_equal(s.amount, v->amount);
            assert_int_equal(s.net + s.tax, v->amount);
            assert_int_equal(s.tax, v->tax);
            assert_int_equal(s.elec + s.service + s.occupancy, v->amount);
            assert_int_equal(s.rests, s.rest);
            assert_int_equal(v->red_of ? 0 : v->amount - s.rest, v->back);
            assert_int_equal(v->state == INVOICE_ISSUED ? v->back + s.red : 0, 0);
        }
    }
}

/* ---- the way of one ---- */

static void test_asked_and_issued(void **state)
{
    (void)state;
    int64_t orders[2] = {order_of(2 * KWH), order_of(KWH)};
    int64_t id = invoice_over(orders, 2);
    const struct row_invoice *v = invoice_row(id);
    assert_int_equal(v->amount, 36000);
    /* 2.40 at 13 % and 1.20 at 6 % */
    assert_int_equal(v->tax, 24000 - 21200 + (12000 - 11300));
    assert_string_equal(v->tax_no, "91310000MA1FL0000X");
    assert_int_equal(world_order(w, orders[0])->invoice, id);
    verify();
    assert_int_equal(world_send(w, asking(orders, 2)), ERR_CONFLICT);
    assert_int_equal(world_send(w, asking(orders + 1, 1)), ERR_CONFLICT);
    assert_int_equal(decide(id, INVOICE_EXPORT, ""), 0);
    assert_int_equal(decide(id, INVOICE_EXPORT, ""), ERR_CONFLICT);
    assert_int_equal(decide(id, INVOICE_CANCEL, ""), ERR_CONFLICT); /* it may exist already */
    world_restart(w);
    assert_int_equal(decide(id, INVOICE_ISSUE, "24312000000012345678"), 0);
    assert_int_equal(invoice_row(id)->state, INVOICE_ISSUED);
    assert_int_equal(decide(id, INVOICE_ISSUE, "24312000000012345679"), ERR_CONFLICT);
    assert_int_equal(decide(id, INVOICE_REJECT, "no"), ERR_CONFLICT);
    world_run(w, DAY_MS);
    assert_int_equal(world_send(w, asking(orders, 2)), ERR_CONFLICT);
    verify();
}

static void test_bad_requests(void **state)
{
    (void)state;
    int64_t orders[3] = {order_of(KWH), order_of(KWH), 77};
    struct cmd *c = asking(orders, 0);
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = asking(orders, 2);
    c->u.invoice_new.n = INVOICE_ORDERS_MAX + 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    assert_int_equal(world_send(w, asking(orders, 3)), ERR_NOT_FOUND);
    orders[1] = orders[0];
    assert_int_equal(world_send(w, asking(orders, 2)), ERR_RANGE); /* one twice */
    c = asking(orders, 1);
    c->u.invoice_new.title[0] = 0;
    assert_int_equal(world_send(w, c), ERR_REQUIRED);
    c = asking(orders, 1);
    c->u.invoice_new.tax_no[0] = 0;
    assert_int_equal(world_send(w, c), ERR_REQUIRED); /* a company has one */
    c = asking(orders, 1);
    (void)str_copy(c->u.invoice_new.tax_no, 21, STR_LIT("91310000ma1fl0000x"));
    assert_int_equal(world_send(w, c), ERR_SYNTAX);
    c = asking(orders, 1);
    c->u.invoice_new.buyer = BUYER_PERSON;
    assert_int_equal(world_send(w, c), ERR_RANGE); /* a person has none */
    c = asking(orders, 1);
    c->u.invoice_new.buyer = 3;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    static const char *const emails[] = {"a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d"};
    for (size_t i = 0; i < ARRAY_LEN(emails); i++) {
        c = asking(orders, 1);
        (void)str_copy(c->u.invoice_new.email, 101, str_from_c(emails[i]));
        assert_int_equal(world_send(w, c), ERR_SYNTAX);
    }
    c = asking(orders, 1);
    c->head.tenant = w->tenant + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = asking(orders, 1);
    c->u.invoice_new.driver = w->driver + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(world_count(w, ROW_INVOICE), 0);
}

static void test_what_is_not_invoiceable(void **state)
{
    (void)state;
    int64_t tx, open, back = order_of(KWH), free_of = order_of(0);
    assert_int_equal(refund(back, 12000), 0);
    assert_int_equal(world_send(w, asking(&back, 1)), ERR_CONFLICT);    /* nothing is left */
    assert_int_equal(world_send(w, asking(&free_of, 1)), ERR_CONFLICT); /* nothing was paid */
    int64_t good = order_of(KWH);
    open = world_charging(w, 10000, &tx);
    assert_int_equal(world_send(w, asking(&open, 1)), ERR_CONFLICT); /* not settled */
    assert_int_equal(world_tx_stop(w, tx, KWH, w->now), 0);
    /* Another seller of record cannot be on the same paper. */
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.seller = "Another seller";
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
    int64_t two[2] = {good, order_of(KWH)};
    assert_int_equal(world_send(w, asking(two, 2)), ERR_CONFLICT);
    (void)invoice_over(two, 1);
    (void)invoice_over(two + 1, 1);
    verify();
}

static void test_bad_decisions(void **state)
{
    (void)state;
    int64_t order = order_of(KWH), other = order_of(KWH), id = invoice_over(&order, 1);
    int64_t second = invoice_over(&other, 1);
    assert_int_equal(decide(id + 1, INVOICE_EXPORT, ""), ERR_NOT_FOUND);
    assert_int_equal(decide(id, (enum invoice_act)0, ""), ERR_RANGE);
    assert_int_equal(decide(id, INVOICE_REJECT, ""), ERR_REQUIRED);
    assert_int_equal(decide(id, INVOICE_ISSUE, ""), ERR_REQUIRED);
    assert_int_equal(decide(id, INVOICE_ISSUE, "12 34"), ERR_RANGE);
    assert_int_equal(decide(id, INVOICE_REVERSE, "why"), ERR_CONFLICT);
    assert_int_equal(decide(id, INVOICE_RETRY, ""), ERR_CONFLICT);
    static const int32_t days[] = {20260230, 20261301, 20270101, 1, -5};
    for (size_t i = 0; i < ARRAY_LEN(days); i++) {
        struct cmd *c = world_web(w, CMD_INVOICE_DECIDE, w->person, ACTOR_PERSON);
        c->u.invoice_decide = (struct cmd_invoice_decide){
            .invoice = id, .act = INVOICE_ISSUE, .issued_on = days[i], .number = "1"};
        assert_int_equal(world_send(w, c), ERR_RANGE);
    }
    struct cmd *c = world_web(w, CMD_INVOICE_DECIDE, w->person, ACTOR_PERSON);
    c->u.invoice_decide.invoice = id;
    c->u.invoice_decide.act = INVOICE_EXPORT;
    c->head.tenant = w->tenant + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = world_web(w, CMD_INVOICE_DECIDE, w->driver, ACTOR_DRIVER);
    c->u.invoice_decide.invoice = id;
    c->u.invoice_decide.act = INVOICE_ISSUE;
    c->u.invoice_decide.driver = w->driver;
    assert_int_equal(world_send(w, c), ERR_DENIED); /* drivers only cancel */
    c = world_web(w, CMD_INVOICE_DECIDE, w->driver + 1, ACTOR_DRIVER);
    c->u.invoice_decide.invoice = id;
    c->u.invoice_decide.act = INVOICE_CANCEL;
    c->u.invoice_decide.driver = w->driver + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    /* One number, one invoice; also when the other has left memory. */
    assert_int_equal(decide(id, INVOICE_ISSUE, "N-1"), 0);
    assert_int_equal(decide(second, INVOICE_ISSUE, "N-1"), ERR_CONFLICT);
    world_restart(w);
    assert_int_equal(decide(second, INVOICE_ISSUE, "N-1"), ERR_CONFLICT);
    assert_int_equal(decide(second, INVOICE_ISSUE, "N-2"), 0);
}

/* What came to nothing sets its orders free. */
static void test_rejected_and_cancelled(void **state)
{
    (void)state;
    int64_t orders[2] = {order_of(KWH), order_of(2 * KWH)};
    int64_t id = invoice_over(orders, 2);
    assert_int_equal(decide(id, INVOICE_EXPORT, ""), 0);
    world_restart(w);
    assert_int_equal(decide(id, INVOICE_REJECT, "the tax number is wrong"), 0);
    assert_int_equal(world_order(w, orders[0])->invoice, 0);
    assert_string_equal(invoice_row(id)->note, "the tax number is wrong");
    verify();
    id = invoice_over(orders, 2);
    struct cmd *c = world_web(w, CMD_INVOICE_DECIDE, w->driver, ACTOR_DRIVER);
    c->u.invoice_decide.invoice = id;
    c->u.invoice_decide.act = INVOICE_CANCEL;
    c->u.invoice_decide.driver = w->driver;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(invoice_row(id)->state, INVOICE_CANCELLED);
    verify();
    (void)invoice_over(orders, 2);
    verify();
}

/* ---- refunds ---- */

static void test_refund_makes_red(void **state)
{
    (void)state;
    int64_t orders[2] = {order_of(2 * KWH), order_of(KWH)}, id = invoice_over(orders, 2);
    int64_t tax = invoice_row(id)->tax;
    assert_int_equal(decide(id, INVOICE_EXPORT, ""), 0);
    assert_int_equal(decide(id, INVOICE_ISSUE, "B1"), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(refund(orders[0], 10000), 0);
    int64_t red = red_of(id);
    assert_int_equal(invoice_row(red)->amount, -10000);
    assert_int_equal(invoice_row(red)->state, INVOICE_REQUESTED);
    assert_string_equal(invoice_row(red)->note, "charger stopped early");
    verify();
    assert_int_equal(decide(red, INVOICE_REJECT, "no"), ERR_READ_ONLY);
    assert_int_equal(decide(red, INVOICE_CANCEL, ""), ERR_READ_ONLY);
    assert_int_equal(decide(red, INVOICE_REVERSE, "no"), ERR_READ_ONLY);
    assert_int_equal(decide(red, INVOICE_EXPORT, ""), 0);
    assert_int_equal(decide(red, INVOICE_RETRY, ""), 0);
    assert_int_equal(decide(red, INVOICE_EXPORT, ""), 0);
    assert_int_equal(decide(red, INVOICE_ISSUE, "B1"), ERR_CONFLICT);
    assert_int_equal(decide(red, INVOICE_ISSUE, "R1"), 0);
    assert_int_equal(world_order(w, orders[0])->invoice, id); /* the rest of it is on paper */
    /* All of it given back: the reds take all of the tax. */
    assert_int_equal(refund(orders[0], 14000), 0);
    tax += invoice_row(red)->tax + invoice_row(red_of(id))->tax;
    assert_int_equal(refund(orders[1], 12000), 0);
    tax += invoice_row(red_of(id))->tax;
    assert_int_equal(tax, 0);
    assert_int_equal(invoice_row(id)->back, invoice_row(id)->amount);
    verify();
}

/* Estimated at 1 kWh, 1.20, because the charger fell silent; its invoice is issued. */
static int64_t estimated_invoiced(int64_t *tx, int64_t *id)
{
    int64_t order = world_charging(w, 40000, tx);
    world_run(w, 30000);
    world_meter(w, *tx, 2 * KWH, 120000);
    world_close(w);
    world_run(w, 3700 * 1000);
    assert_int_equal(world_order(w, order)->paid, 12000);
    *id = invoice_over(&order, 1);
    assert_int_equal(decide(*id, INVOICE_ISSUE, "L1"), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    return order;
}

/* What the true end adds to an order that is on an invoice goes on a further one, once; refunds are taken
 * off that first; and when one is reversed the other is the order's. */
static void test_late_end_adds(void **state)
{
    (void)state;
    int64_t tx, id, order = estimated_invoiced(&tx, &id);
    assert_int_equal(world_send(w, asking(&order, 1)), ERR_CONFLICT); /* nothing was added yet */
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now - 3000 * 1000), 0);
    assert_int_equal(world_order(w, order)->paid, 24000);
    assert_int_equal(red_of(id), 0);
    int64_t more = invoice_over(&order, 1);
    assert_int_equal(invoice_row(more)->amount, 12000);
    assert_int_equal(invoice_row(id)->amount, 12000);
    assert_int_equal(on_paper(order), 24000);
    assert_int_equal(world_order(w, order)->invoice, id);
    assert_int_equal(world_order(w, order)->invoice_more, more);
    assert_int_equal(world_send(w, asking(&order, 1)), ERR_CONFLICT);
    verify();
    assert_int_equal(decide(more, INVOICE_CANCEL, ""), 0); /* and asked for again */
    assert_int_equal(world_order(w, order)->invoice_more, 0);
    more = invoice_over(&order, 1);
    assert_int_equal(decide(more, INVOICE_ISSUE, "L2"), 0);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(refund(order, 15000), 0);
    assert_int_equal(invoice_row(red_of(more))->amount, -12000);
    assert_int_equal(invoice_row(red_of(id))->amount, -3000);
    assert_int_equal(on_paper(order), 9000);
    verify();
    assert_int_equal(decide(red_of(more), INVOICE_ISSUE, "R2"), 0);
    assert_int_equal(world_order(w, order)->invoice, id);
    assert_int_equal(world_order(w, order)->invoice_more, 0);
    assert_int_equal(world_send(w, asking(&order, 1)), ERR_CONFLICT); /* all of it is on paper */
    verify();
}

/* The first of two is reversed: the further one stays, and what is free can be asked for anew. */
static void test_first_of_two_is_reversed(void **state)
{
    (void)state;
    int64_t tx, id, order = estimated_invoiced(&tx, &id);
    assert_int_equal(world_tx_stop(w, tx, 3 * KWH, w->now - 3000 * 1000), 0);
    int64_t more = invoice_over(&order, 1);
    assert_int_equal(decide(more, INVOICE_ISSUE, "L2"), 0);
    assert_int_equal(decide(id, INVOICE_REVERSE, "another title"), 0);
    assert_int_equal(decide(red_of(id), INVOICE_ISSUE, "R1"), 0);
    assert_int_equal(world_order(w, order)->invoice, more);
    assert_int_equal(world_order(w, order)->invoice_more, 0);
    int64_t again = invoice_over(&order, 1);
    assert_int_equal(invoice_row(again)->amount, 12000);
    assert_int_equal(on_paper(order), 24000);
    verify();
}

/* What the true end takes away is taken off by a red one, in part. */
static void test_late_end_takes(void **state)
{
    (void)state;
    int64_t tx, id, order = estimated_invoiced(&tx, &id);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH - 50000, w->now - 3000 * 1000), 0);
    assert_int_equal(world_order(w, order)->paid - world_order(w, order)->refunded, 11400);
    assert_int_equal(invoice_row(red_of(id))->amount, -600);
    assert_int_equal(invoice_row(id)->back, 600);
    assert_int_equal(on_paper(order), 11400);
    verify();
}

static void test_refund_lowers_a_request(void **state)
{
    (void)state;
    int64_t orders[2] = {order_of(2 * KWH), order_of(KWH)}, id = invoice_over(orders, 2);
    assert_int_equal(refund(orders[0], 100), 0);
    assert_int_equal(invoice_row(id)->amount, 35900);
    assert_int_equal(red_of(id), 0);
    verify();
    assert_int_equal(refund(orders[0], 23900), 0);
    assert_int_equal(world_order(w, orders[0])->invoice, 0);
    assert_int_equal(invoice_row(id)->state, INVOICE_REQUESTED);
    verify();
    assert_int_equal(refund(orders[1], 12000), 0);
    assert_int_equal(invoice_row(id)->state, INVOICE_CANCELLED);
    verify();
}

/* Nobody knows yet whether the paper exists. */
static void test_refund_while_exported(void **state)
{
    (void)state;
    int64_t orders[2] = {order_of(2 * KWH), order_of(KWH)}, id = invoice_over(orders, 2);
    assert_int_equal(decide(id, INVOICE_EXPORT, ""), 0);
    assert_int_equal(refund(orders[0], 5000), 0);
    assert_int_equal(refund(orders[1], 100), 0);
    assert_int_equal(invoice_row(id)->amount, 36000);
    assert_int_equal(invoice_row(id)->back, 5100);
    assert_int_equal(red_of(id), 0);
    verify();
    world_restart(w);
    assert_int_equal(decide(id, INVOICE_ISSUE, "B1"), 0);
    assert_int_equal(invoice_row(red_of(id))->amount, -5100);
    assert_int_equal(invoice_row(red_of(id))->orders, 2);
    verify();
    assert_int_equal(world_open(w), 0);
    /* It did not take it: asked for again with what is left. */
    int64_t third = order_of(KWH), again = invoice_over(&third, 1);
    assert_int_equal(decide(again, INVOICE_EXPORT, ""), 0);
    assert_int_equal(refund(third, 2000), 0);
    assert_int_equal(decide(again, INVOICE_RETRY, ""), 0);
    assert_int_equal(invoice_row(again)->amount, 10000);
    assert_int_equal(decide(again, INVOICE_EXPORT, ""), 0);
    assert_int_equal(refund(third, 10000), 0);
    assert_int_equal(decide(again, INVOICE_RETRY, ""), 0);
    assert_int_equal(invoice_row(again)->state, INVOICE_CANCELLED);
    assert_int_equal(world_order(w, third)->invoice, 0);
    verify();
}

/* A wrong title: the whole paper is taken back, and then the orders may be asked for again. */
static void test_reversed_and_asked_again(void **state)
{
    (void)state;
    int64_t orders[2] = {order_of(2 * KWH), order_of(KWH)}, id = invoice_over(orders, 2);
    assert_int_equal(decide(id, INVOICE_ISSUE, "B1"), 0);
    assert_int_equal(decide(id, INVOICE_REVERSE, ""), ERR_REQUIRED);
    assert_int_equal(decide(id, INVOICE_REVERSE, "wrong title"), 0);
    assert_int_equal(decide(id, INVOICE_REVERSE, "again"), ERR_CONFLICT);
    int64_t red = red_of(id);
    assert_int_equal(invoice_row(red)->amount, -36000);
    assert_int_equal(world_send(w, asking(orders, 2)), ERR_CONFLICT); /* not before it is issued */
    assert_int_equal(refund(orders[0], 1000), 0);
    assert_int_equal(red_of(id), red); /* it is off the paper already */
    verify();
    world_restart(w);
    assert_int_equal(decide(red, INVOICE_ISSUE, "R1"), 0);
    verify();
    id = invoice_over(orders, 2);
    assert_int_equal(invoice_row(id)->amount, 35000);
    verify();
}

/* Whatever people do in whatever order, with restarts between. */
static void test_any_order_of_things(void **state)
{
    struct rng r = {17};
    int64_t order[12] = {0}, invoice[40] = {0};
    char number[20];
    int n = 0;
    (void)state;
    for (int i = 0; i < 12; i++) {
        rates_set(100 * (int32_t)(1 + rng_below(&r, 3)), i % 2 ? 600 : 0);
        order[i] = order_of(KWH / 1000 * (int64_t)(1 + rng_below(&r, 3300)));
    }
    for (int step = 0; step < 400; step++) {
        int64_t some[3], one = order[rng_below(&r, 12)];
        const struct row_orders *o = world_order(w, one);
        int64_t left = (o->paid - o->refunded) / 100;
        for (int i = 0; i < 3; i++)
            some[i] = order[(size_t)rng_below(&r, 4) * 3 + (size_t)i];
        switch (rng_below(&r, 5)) {
        case 0:
            if (left)
                assert_int_equal(
                    refund(one, 100 * (1 + (int64_t)rng_below(&r, (uint64_t)left) / 8)), 0);
            break;
        case 1:
            if (n < 40 && world_send(w, asking(some, 1 + (int32_t)rng_below(&r, 3))) == 0)
                invoice[n++] = w->reply.u.made.id;
            break;
        case 2:
            if (rng_below(&r, 8) == 0)
                world_restart(w);
            break;
        default:
            if (!n)
                break;
            one = invoice[rng_below(&r, (uint64_t)n)];
            if (rng_below(&r, 2) && red_of(one))
                one = red_of(one);
            snprintf(number, sizeof number, "N%d", step);
            (void)decide(one, 1 + (enum invoice_act)rng_below(&r, 6), number);
        }
        verify();
    }
    assert_true(n > 5);
}

/* ---- invoices of payees ---- */

static int paper(int64_t id, const char *number, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_PAPER, w->person, ACTOR_PERSON);
    c->u.payout_paper.payout = id;
    c->u.payout_paper.amount = amount;
    (void)str_copy(c->u.payout_paper.number, 41, str_from_c(number));
    return world_send(w, c);
}

static int approve(int64_t id)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = PAYOUT_ACT_APPROVE;
    return world_send(w, c);
}

static int64_t bank_channel;

/* The owner asks for half of the 1.20; returns the payout. */
static int64_t owner_asks(void)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = w->owner;
    c->u.payout_new.amount = 6000;
    c->u.payout_new.channel = bank_channel;
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.made.id;
}

/* The owner is a company with 1.20 available, and asks for half of it; returns the payout. */
static int64_t company_asks(void)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.payout_check = 10000; /* so much goes out without a second person */
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    const struct row_channel bank = {.kind = CHANNEL_BANK, .name = "bank"};
    assert_int_equal(world_put(w, ROW_CHANNEL, true, &bank), 0);
    bank_channel = w->reply.u.made.id;
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    p.verified = 1;
    p.payee = "sub-account 7";
    p.payee_name = "property";
    p.payee_kind = 3;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), ERR_RANGE);
    p.payee_kind = PAYEE_COMPANY;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    (void)order_of(2 * KWH);
    world_run(w, 8 * DAY_MS);
    return owner_asks();
}

/* A company is paid nothing, however small, before its invoice is there. */
static void test_company_hands_in_an_invoice(void **state)
{
    (void)state;
    int64_t id = company_asks();
    assert_int_equal(((const struct row_payout *)world_row(w, ROW_PAYOUT, id))->state,
                     PAYOUT_REQUESTED);
    assert_int_equal(approve(id), ERR_REQUIRED);
    assert_int_equal(paper(id, "", 6000), ERR_REQUIRED);
    assert_int_equal(paper(id, "24312000000000000001", 5900), ERR_RANGE);
    assert_int_equal(paper(id + 1, "24312000000000000001", 6000), ERR_NOT_FOUND);
    world_restart(w);
    assert_int_equal(paper(id, "24312000000000000001", 6000), 0);
    const struct row_payout *p = world_row(w, ROW_PAYOUT, id);
    assert_string_equal(p->paper, "24312000000000000001");
    assert_int_equal(approve(id), 0);
    assert_int_equal(paper(id, "24312000000000000002", 6000), ERR_CONFLICT); /* too late */
}

static int settled(int64_t id)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = PAYOUT_ACT_SETTLED;
    (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("B1"));
    return world_send(w, c);
}

static int refuse(int64_t id)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = PAYOUT_ACT_REFUSE;
    return world_send(w, c);
}

/* One invoice is for one payout, also when that is long over; unless it came to nothing. */
static void test_an_invoice_is_for_one_payout(void **state)
{
    (void)state;
    const char *const no = "24312000000000000001", *const other = "24312000000000000009";
    int64_t first = company_asks(), second = owner_asks();
    assert_int_equal(paper(first, no, 6000), 0);
    assert_int_equal(paper(first, no, 7000), 0); /* its amount was wrong */
    assert_int_equal(paper(second, no, 12000), ERR_CONFLICT);
    assert_int_equal(paper(first, other, 6000), 0); /* and its number */
    assert_int_equal(paper(second, no, 6000), 0);
    assert_int_equal(approve(second), 0);
    assert_int_equal(settled(second), 0);
    assert_int_equal(refuse(first), 0);
    world_run(w, DAY_MS);
    world_restart(w); /* neither is in memory */
    first = owner_asks();
    assert_int_equal(paper(first, no, 6000), ERR_CONFLICT);
    assert_string_equal(((const struct row_payout *)world_row(w, ROW_PAYOUT, first))->paper, "");
    assert_int_equal(paper(first, other, 6000), 0);
}

int core_invoice(void);
int core_invoice(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asked_and_issued, up, down),
        cmocka_unit_test_setup_teardown(test_bad_requests, up, down),
        cmocka_unit_test_setup_teardown(test_what_is_not_invoiceable, up, down),
        cmocka_unit_test_setup_teardown(test_bad_decisions, up, down),
        cmocka_unit_test_setup_teardown(test_rejected_and_cancelled, up, down),
        cmocka_unit_test_setup_teardown(test_refund_makes_red, up, down),
        cmocka_unit_test_setup_teardown(test_late_end_adds, up, down),
        cmocka_unit_test_setup_teardown(test_first_of_two_is_reversed, up, down),
        cmocka_unit_test_setup_teardown(test_late_end_takes, up, down),
        cmocka_unit_test_setup_teardown(test_refund_lowers_a_request, up, down),
        cmocka_unit_test_setup_teardown(test_refund_while_exported, up, down),
        cmocka_unit_test_setup_teardown(test_reversed_and_asked_again, up, down),
        cmocka_unit_test_setup_teardown(test_any_order_of_things, up, down),
        cmocka_unit_test_setup_teardown(test_company_hands_in_an_invoice, up, down),
        cmocka_unit_test_setup_teardown(test_an_invoice_is_for_one_payout, up, down),
    };
    return cmocka_run_group_tests_name("core invoices", tests, NULL, NULL);
}
