// SPDX-License-Identifier: Apache-2.0
/* company_rig.c: see company_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "company_rig.h"

struct world co_world;
int64_t co_company, co_member;

static struct world *const w = &co_world;

int64_t co_balance(int32_t kind, int64_t owner)
{
    return world_balance(w, kind, owner);
}

const struct row_company *co_row(void)
{
    return world_row(w, ROW_COMPANY, co_company);
}

const struct row_company_member *co_member_row(int64_t id)
{
    return world_row(w, ROW_COMPANY_MEMBER, id);
}

int co_put(int64_t id, int32_t kind, int64_t credit, int32_t state)
{
    struct row_company r = {.name = "物流公司", .tax_no = "91310000", .contact = "", .phone = ""};
    if (id)
        r = *(const struct row_company *)world_row(w, ROW_COMPANY, id);
    r.kind = kind;
    r.credit = credit;
    r.bill_day = 10;
    r.overrun = OVERRUN_DEBT;
    r.state = state;
    return world_put(w, ROW_COMPANY, id == 0, &r);
}

struct row_company_member co_member_of(int64_t driver, int64_t token)
{
    return (struct row_company_member){.company = co_company,
                                       .driver = driver,
                                       .token = token,
                                       .name = "",
                                       .plate = "沪A12345",
                                       .stations = ""};
}

int64_t co_member_add(const struct row_company_member *r)
{
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, true, r), 0);
    return w->reply.u.made.id;
}

struct row_company_member co_member_now(void)
{
    return *co_member_row(co_member);
}

void co_member_change(const struct row_company_member *r)
{
    assert_int_equal(world_put(w, ROW_COMPANY_MEMBER, false, r), 0);
}

int64_t co_token_add(const char *tag, int32_t kind, int64_t offline_limit)
{
    const struct row_token r = {
        .driver = w->driver, .tag = tag, .kind = kind, .offline_limit = offline_limit};
    assert_int_equal(world_put(w, ROW_TOKEN, true, &r), 0);
    return w->reply.u.made.id;
}

int co_pay(int64_t amount, int64_t bill)
{
    struct cmd *c = world_web(w, CMD_COMPANY_PAY, w->person, ACTOR_PERSON);
    c->u.company_pay.company = co_company;
    c->u.company_pay.amount = amount;
    c->u.company_pay.bill = bill;
    (void)str_copy(c->u.company_pay.currency, 4, STR_LIT("CNY"));
    return world_send(w, c);
}

int co_issue(int32_t month)
{
    struct cmd *c = world_web(w, CMD_COMPANY_BILL, w->person, ACTOR_PERSON);
    c->u.company_bill.company = co_company;
    c->u.company_bill.month = month;
    return world_send(w, c);
}

const struct row_company_bill *co_bill(int32_t month)
{
    char key[DIR_KEY_SIZE];
    dir_key(ROW_COMPANY_BILL, &(struct row_company_bill){.company = co_company, .month = month},
            key);
    const struct company_bill *b = dir_find_key(w->core, ROW_COMPANY_BILL, key);
    return b ? &b->row : NULL;
}

void co_tenant_days(int32_t refund_days)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.refund_days = refund_days;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

int co_up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(co_put(0, COMPANY_CREDIT, 100 * YUAN, ROW_ACTIVE), 0);
    co_company = w->reply.u.made.id;
    const struct row_company_member r = co_member_of(w->driver, 0);
    co_member = co_member_add(&r);
    co_tenant_days(0);
    return 0;
}

int co_down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

int co_start(int64_t gun, int64_t cap)
{
    struct cmd *c = world_web(w, CMD_ORDER_START, w->driver, ACTOR_DRIVER);
    c->u.order_start.driver = w->driver;
    c->u.order_start.connector = gun;
    c->u.order_start.cap = cap;
    c->u.order_start.payer_kind = PAYER_COMPANY;
    return world_send(w, c);
}

int64_t co_charging(int64_t cap, int64_t *tx)
{
    char tag[37];
    assert_int_equal(co_start(w->gun, cap), 0);
    int64_t order = w->reply.u.made.id;
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(world_tx_start(w, 1, tag, KWH, w->now), TAG_ACCEPTED);
    *tx = w->reply.u.tag.tx;
    return order;
}

/* What bills set free of a party's shares, by the rule, and by transfers that name them. */
static int64_t freed_sum(const struct row_bill_share *s)
{
    int64_t id = s->id, bill = s->bill, amount = s->amount, due = s->due_ms;
    int64_t part = s->lacked ? s->waited * s->paid / s->lacked : s->waited;
    assert_true(s->waited > 0 && s->paid >= 0 && s->paid <= s->lacked);
    assert_true(s->paid % MONEY_FEN == 0 && s->lacked % MONEY_FEN == 0); /* as companies pay */
    assert_int_equal(amount, part);
    const struct row_transfer *t = world_row(w, ROW_TRANSFER, id);
    assert_int_equal(t != NULL, due == 0);
    assert_true(!t || (t->code == TRANSFER_MATURE && t->contract == bill && t->amount == amount));
    return amount;
}

/* Of what waited for bills what is not there was set free, or taken back. */
static void co_freed(void)
{
    int64_t parts = 0, back = 0, waits = 0, freed = 0, named = 0, rows = 0;
    for (size_t i = 0; i < w->rows_n; i++) {
        const void *row = world_unpacked(w, &w->rows[i]);
        const struct row_split_part *p = row;
        const struct row_maturing *m = row;
        const struct row_transfer *t = row;
        const struct row_bill_share *s = row;
        if (w->rows[i].table == ROW_SPLIT_PART && world_order(w, p->order_id)->company)
            *(p->amount < 0 ? &back : &parts) +=
                p->party != w->platform && p->due_ms <= 0 ? p->amount : 0;
        else if (w->rows[i].table == ROW_MATURING)
            waits += m->due_ms < 0 ? m->amount : 0;
        else if (w->rows[i].table == ROW_TRANSFER)
            named += t->code == TRANSFER_MATURE && t->contract;
        else if (w->rows[i].table == ROW_BILL_SHARE) {
            rows += s->due_ms == 0;
            freed += freed_sum(s);
        }
    }
    assert_int_equal(named, rows);
    assert_true(waits + freed <= parts && waits + freed >= parts + back);
}

void co_sums(void)
{
    int64_t used = 0, held = 0, captured = 0, refunded = 0;
    const struct row_company_member *m = co_member_row(co_member);
    for (size_t i = 0; i < w->rows_n; i++) {
        const void *row = world_unpacked(w, &w->rows[i]);
        const struct row_split_part *p = row;
        const struct row_hold *h = row;
        const struct row_company_bill *b = row;
        if (w->rows[i].table == ROW_SPLIT_PART) {
            const struct row_orders *o = world_order(w, p->order_id);
            used += o->member == co_member && p->at_ms >= m->from_ms ? p->amount : 0;
            captured += o->company == co_company ? p->amount : 0;
        } else if (w->rows[i].table == ROW_HOLD && h->state == HOLD_OPEN) {
            held += world_order(w, h->order_id)->member == co_member ? h->amount : 0;
        } else if (w->rows[i].table == ROW_COMPANY_BILL && b->company == co_company) {
            refunded += b->captured - b->refunded;
        }
    }
    assert_int_equal(m->used, used);
    assert_int_equal(m->held, held);
    assert_int_equal(captured, refunded);
    co_freed();
}

void co_draw(int64_t kwh)
{
    world_run(w, 200000 + kwh / 1000 * 36);
}

int64_t co_order_of(int64_t kwh)
{
    int64_t tx, order = co_charging(kwh / 100 * 120 / 10000 / 100 * 100 + 10 * YUAN, &tx);
    co_draw(kwh);
    assert_int_equal(world_tx_stop(w, tx, KWH + kwh, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    co_sums();
    return order;
}

int co_refund(int64_t order, int64_t amount)
{
    return world_refund(w, order, amount);
}

void co_to_february(void)
{
    world_run(w, T0 + 31 * DAY_MS - w->now);
}
