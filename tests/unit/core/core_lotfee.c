// SPDX-License-Identifier: Apache-2.0
/* core_lotfee.c: the channel's fee follows the lots: queues against a model that holds every coin, and the
 * way of rated money through orders, refunds, returns to the source and restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/lotfee.h"
#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define FEN(v) (INT64_C(v) * MONEY_FEN)

/* ---- queues ---- */

static uint64_t draw(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

/* Every coin with its rate, oldest first. */
enum { COINS = 4000 };
struct coins {
    int n;
    int bp[COINS];
};

static void coins_add(struct coins *m, int at, int64_t amount, int bp)
{
    memmove(m->bp + at + amount, m->bp + at, (size_t)(m->n - at) * sizeof m->bp[0]);
    for (int64_t i = 0; i < amount; i++)
        m->bp[at + i] = bp;
    m->n += (int)amount;
}

static int coin_drop(struct coins *m, int at)
{
    int bp = m->bp[at];
    memmove(m->bp + at, m->bp + at + 1, (size_t)(--m->n - at) * sizeof m->bp[0]);
    return bp;
}

/* The newest of this rate, else the newest. */
static int coin_newest(const struct coins *m, int bp)
{
    for (int i = m->n; i-- > 0;)
        if (m->bp[i] == bp)
            return i;
    return m->n - 1;
}

static void same(const struct lots *q, const struct coins *m)
{
    int at = 0;
    for (int32_t i = 0; i < q->n; i++) {
        assert_true(q->part[i].amount > 0);
        assert_true(i == 0 || q->part[i].bp != q->part[i - 1].bp);
        for (int64_t k = 0; k < q->part[i].amount; k++)
            assert_int_equal(m->bp[at++], q->part[i].bp);
    }
    assert_int_equal(at, m->n);
}

static void test_queue_model(void **state)
{
    (void)state;
    static struct coins m;
    static const int rates[] = {0, 38, 60, 100};
    uint64_t s = 0x105;
    for (int turn = 0; turn < 200; turn++) {
        struct lots q = {0}, again;
        m.n = 0;
        for (int i = 0; i < 60; i++) {
            int64_t amount = 1 + (int64_t)(draw(&s) % 40), fee = 0;
            int bp = rates[draw(&s) % 4], what = (int)(draw(&s) % 5);
            if (q.n >= LOT_PARTS_MAX - 1)
                what = 2;
            amount = what >= 2 && amount > m.n ? m.n : amount;
            struct lots took = {0};
            if (what == 0) {
                lots_add(&q, amount, bp);
                coins_add(&m, m.n, amount, bp);
            } else if (what == 1) {
                lots_first(&q, amount, bp);
                coins_add(&m, 0, amount, bp);
            } else if (what < 4) {
                lots_take(&q, amount, &took);
                for (int64_t k = 0; k < amount; k++)
                    fee += coin_drop(&m, 0);
            } else {
                lots_newest(&q, amount, bp, &took);
                for (int64_t k = 0; k < amount; k++)
                    fee += coin_drop(&m, coin_newest(&m, bp));
            }
            assert_int_equal(lot_fee_round(&took), (fee + 5000) / 10000);
            same(&q, &m);
            char text[LOT_TEXT_SIZE];
            lots_write(&q, text);
            lots_read(text, &again);
            assert_int_equal(again.n, q.n);
            same(&again, &m);
        }
    }
}

/* With no room for another part the lower rate is kept, and no money is lost. */
static void test_queue_full(void **state)
{
    (void)state;
    struct lots q = {0};
    char text[LOT_TEXT_SIZE];
    for (int i = 0; i < 40; i++)
        lots_add(&q, SPLIT_AMOUNT_MAX, i % 2 ? 1000 : 60);
    assert_int_equal(q.n, LOT_PARTS_MAX);
    assert_int_equal(q.part[LOT_PARTS_MAX - 2].bp, 60); /* whatever came since */
    assert_true(q.part[LOT_PARTS_MAX - 2].amount > 10 * SPLIT_AMOUNT_MAX);
    lots_first(&q, 7, 0);
    assert_int_equal(q.part[0].bp, 0);
    int64_t sum = 0;
    for (int32_t i = 0; i < q.n; i++)
        sum += q.part[i].amount;
    assert_int_equal(sum, 40 * SPLIT_AMOUNT_MAX + 7);
    lots_write(&q, text);
    static const char *const bad[] = {"1", "1:", "1:2", "x:2;", "1:20000;", "-1:2;", ":;"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        lots_read(bad[i], &q);
        assert_int_equal(q.n, 0);
    }
}

/* ---- orders ---- */

static struct world world, *w = &world;
static int64_t wechat, bank;

static int64_t channel_add(int32_t kind, int32_t fee_bp)
{
    const struct row_channel r = {.kind = kind,
                                  .name = "ch",
                                  .url = "",
                                  .app = "",
                                  .merchant = "",
                                  .keys = "",
                                  .fee_bp = fee_bp};
    assert_int_equal(world_put(w, ROW_CHANNEL, true, &r), 0);
    return w->reply.u.made.id;
}

static void fee_set(int32_t bp)
{
    struct row_channel r = *(const struct row_channel *)world_row(w, ROW_CHANNEL, wechat);
    r.fee_bp = bp;
    assert_int_equal(world_put(w, ROW_CHANNEL, false, &r), 0);
}

/* The owner and we 5:5; what the channel charges is ours first. */
static void contract_set(int32_t kind, int32_t lines)
{
    struct cmd *c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    struct cmd_contract_put *in = &c->u.contract_put;
    const struct row_contract *old = world_row(w, ROW_CONTRACT, w->contract);
    in->family = old->family;
    in->from_ms = w->now + 1;
    (void)str_copy(in->name, 101, STR_LIT("by lots"));
    in->unit = 1;
    in->n = 2;
    in->party[0] = (struct contract_party_in){w->platform, 7, 5};
    in->party[1] = (struct contract_party_in){w->owner, 7, 5};
    in->clauses = 1;
    in->clause[0] = (struct contract_clause_in){.kind = kind, .lines = lines, .party = w->platform};
    assert_int_equal(world_send(w, c), 0);
    world_run(w, 1000);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = channel_add(CHANNEL_WECHAT, 60);
    bank = channel_add(CHANNEL_BANK, 0);
    contract_set(CLAUSE_CHANNEL, 7);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int64_t pay(int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, w->driver, ACTOR_DRIVER);
    c->u.payment_new.driver = w->driver;
    c->u.payment_new.channel = wechat;
    c->u.payment_new.amount = amount;
    c->u.payment_new.method = PAY_METHOD_QR;
    (void)str_copy(c->u.payment_new.currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(world_told(w, id, wechat, PAY_QUERY, PAY_DONE, amount), 0);
    return id;
}

static int64_t order_of(int64_t kwh)
{
    return world_order_of(w, kwh);
}

static const char *left(void)
{
    return ((const struct row_driver *)world_row(w, ROW_DRIVER, w->driver))->lots;
}

/* 4.00 of cash, then 10.00 at 0.6 %: orders spend the cash first. */
static void test_oldest_first(void **state)
{
    (void)state;
    int64_t income = world_balance(w, ACCOUNT_INCOME, w->platform);
    (void)pay(FEN(1000));
    assert_string_equal(left(), "40000:0;100000:60;");
    int64_t a = order_of(2 * KWH); /* 2.40, all of it cash */
    assert_int_equal(world_order(w, a)->lot_fee, 0);
    assert_string_equal(world_order(w, a)->lots, "");
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform), income + 12000);
    world_restart(w);
    assert_int_equal(world_open(w), 0);
    int64_t b = order_of(3 * KWH); /* 3.60: 1.60 of cash, 2.00 at 0.6 %: 0.0120 */
    assert_int_equal(world_order(w, b)->lot_fee, 120);
    assert_string_equal(world_order(w, b)->lots, "20000:60;");
    assert_string_equal(left(), "80000:60;");
    assert_int_equal(world_balance(w, ACCOUNT_INCOME, w->platform),
                     income + 12000 + 120 + (36000 - 120) / 2);
}

/* The rate of a lot is that of its time; what an order gives back goes in front again. */
static void test_refund(void **state)
{
    (void)state;
    (void)pay(FEN(200));
    fee_set(100);
    (void)pay(FEN(500));
    (void)order_of(10 * KWH / 3 + 1); /* the 4.00 of cash */
    assert_string_equal(left(), "20000:60;50000:100;");
    int64_t o = order_of(2 * KWH); /* 2.40: 2.00 at 60, 0.40 at 100 */
    assert_int_equal(world_order(w, o)->lot_fee, 120 + 40);
    assert_string_equal(left(), "46000:100;");
    world_restart(w);
    assert_int_equal(world_refund(w, o, FEN(100)), 0); /* 0.40 at 100, then 0.60 at 60 */
    assert_string_equal(left(), "6000:60;50000:100;");
    assert_string_equal(world_order(w, o)->lots, "14000:60;");
    assert_int_equal(world_refund(w, o, FEN(140)), 0);
    assert_string_equal(left(), "20000:60;50000:100;");
    assert_string_equal(world_order(w, o)->lots, "");
    assert_int_equal(world_order(w, o)->lot_fee, 160); /* it was charged all the same */
}

/* A lot that goes back to its source takes its own money along, and brings it when that fails. */
static void test_source(void **state)
{
    (void)state;
    int64_t lot = pay(FEN(200));
    fee_set(100);
    (void)pay(FEN(500));
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new =
        (struct cmd_payout_new){.payment = lot, .amount = FEN(150), .channel = wechat};
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_string_equal(left(), "40000:0;5000:60;50000:100;");
    c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide = (struct cmd_payout_decide){.payout = id, .act = PAYOUT_ACT_REFUSE};
    assert_int_equal(world_send(w, c), 0);
    assert_string_equal(left(), "40000:0;5000:60;50000:100;15000:60;");
}

/* Whoever pays cash leaves no trace of rates. */
static void test_cash(void **state)
{
    (void)state;
    assert_int_equal(world_topup(w, FEN(500)), 0);
    int64_t o = order_of(2 * KWH);
    assert_string_equal(left(), "");
    assert_int_equal(world_order(w, o)->lot_fee, 0);
    assert_int_equal(world_refund(w, o, FEN(100)), 0);
    assert_string_equal(left(), "");
}

/* Staff change a driver's name: his lots are not theirs to say. */
static void test_driver_put(void **state)
{
    (void)state;
    (void)pay(FEN(200));
    struct row_driver d = *(const struct row_driver *)world_row(w, ROW_DRIVER, w->driver);
    d.lots = "1:0;";
    d.name = "New";
    assert_int_equal(world_put(w, ROW_DRIVER, false, &d), 0);
    assert_string_equal(left(), "40000:0;20000:60;");
}

static void test_clause_bad(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    struct cmd_contract_put *in = &c->u.contract_put;
    (void)str_copy(in->name, 101, STR_LIT("bad"));
    in->from_ms = w->now + 5000;
    in->unit = 1;
    in->n = 1;
    in->party[0] = (struct contract_party_in){w->platform, 7, 1};
    in->clauses = 1;
    in->clause[0] = (struct contract_clause_in){.kind = CLAUSE_CHANNEL, .party = w->platform};
    assert_int_equal(world_send(w, c), ERR_RANGE); /* no fee line */
    in->clause[0].lines = 7;
    in->clause[0].rate = 60;
    assert_int_equal(world_send(w, c), ERR_RANGE); /* a rate of its own */
    in->clause[0].rate = 0;
    in->clauses = 2;
    in->clause[1] = in->clause[0];
    assert_int_equal(world_send(w, c), ERR_CONFLICT); /* twice */
    in->clause[1].kind = CLAUSE_CHANNEL + 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    in->clauses = 1;
    assert_int_equal(world_send(w, c), 0);
}

int core_lotfee(void);

int core_lotfee(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_model),
        cmocka_unit_test(test_queue_full),
        cmocka_unit_test_setup_teardown(test_oldest_first, up, down),
        cmocka_unit_test_setup_teardown(test_refund, up, down),
        cmocka_unit_test_setup_teardown(test_source, up, down),
        cmocka_unit_test_setup_teardown(test_cash, up, down),
        cmocka_unit_test_setup_teardown(test_driver_put, up, down),
        cmocka_unit_test_setup_teardown(test_clause_bad, up, down),
    };
    return cmocka_run_group_tests_name("lot fee", tests, NULL, NULL);
}
