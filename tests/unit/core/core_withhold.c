// SPDX-License-Identifier: Apache-2.0
/* core_withhold.c: tax withheld of payouts to persons: what a rule comes to, and that a month's payouts are
 * withheld the same in one piece or in many; its way through transit, the tax account and the office; what
 * channels let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/purse.h"
#include "core/withhold.h"
#include "world.h"

#define KWH     INT64_C(1000000)
#define DAY_MS  INT64_C(86400000)
#define YUAN(v) (INT64_C(v) * MONEY_UNIT)
#define FEN(v)  (INT64_C(v) * MONEY_FEN)

/* ---- what a rule comes to ---- */

/* Labour remuneration as it is withheld at the time of writing: 800 or a fifth off, 20, 30, 40 %. */
static const struct withhold_rule labour = {
    .row = {.name = "labour", .deduct = YUAN(800), .deduct_bp = 2000},
    .n = 3,
    .rate = {{.above = 0, .rate_bp = 2000},
             {.above = YUAN(20000), .rate_bp = 3000},
             {.above = YUAN(50000), .rate_bp = 4000}}};

static void test_tax_known(void **state)
{
    (void)state;
    static const int64_t known[][2] = {
        {0, 0},
        {YUAN(800), 0},
        {YUAN(800) + FEN(2), 0},   /* 0.004 */
        {YUAN(800) + FEN(3), 100}, /* 0.006 */
        {YUAN(1000), YUAN(40)},
        {YUAN(4000), YUAN(640)},
        {YUAN(5000), YUAN(800)},
        {YUAN(25000), YUAN(4000)},
        {YUAN(50000), YUAN(10000)},
        {YUAN(62500), YUAN(13000)},
        {YUAN(100000), YUAN(25000)},
    };
    assert_int_equal(withhold_rule_check(&labour), 0);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        assert_int_equal(withhold_tax(&labour, known[i][0]), known[i][1]);
}

static uint64_t draw(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

static struct withhold_rule rule_drawn(uint64_t *s)
{
    struct withhold_rule r = {.row = {.name = "drawn",
                                      .deduct = (int64_t)(draw(s) % 200000) * MONEY_FEN,
                                      .deduct_bp = (int32_t)(draw(s) % 10001)},
                              .n = (int32_t)(draw(s) % (WITHHOLD_RATES_MAX + 1))};
    int64_t above = 0;
    for (int32_t i = 0; i < r.n; i++) {
        r.rate[i] =
            (struct row_withhold_rate){.above = above, .rate_bp = (int32_t)(draw(s) % 10000)};
        above += (int64_t)(1 + draw(s) % 300000) * MONEY_FEN;
    }
    return r;
}

/* In one piece or in many: the same, of every rule that can be; nothing is negative, something is left. */
static void test_tax_pieces(void **state)
{
    (void)state;
    uint64_t s = 0x5eed;
    for (int turn = 0; turn < 3000; turn++) {
        const struct withhold_rule r = rule_drawn(&s);
        int64_t sum = 0, held = 0;
        assert_int_equal(withhold_rule_check(&r), 0);
        for (int i = 0; i < 12; i++) {
            int64_t amount = (int64_t)(2 + draw(&s) % 500000) * MONEY_FEN;
            int64_t tax = withhold_of(&r, sum, held, amount, 0);
            assert_true(tax >= 0 && tax <= amount - MONEY_FEN && tax % MONEY_FEN == 0);
            sum += amount;
            held += tax;
            int64_t whole = withhold_tax(&r, sum);
            assert_true(held <= whole);
            assert_true(held == whole || tax == amount - MONEY_FEN); /* … as far as it goes */
        }
    }
}

/* A fee may leave less than the tax: the rest of it is taken of the next one. */
static void test_tax_waits(void **state)
{
    (void)state;
    const struct withhold_rule r = {
        .row = {.name = "half"}, .n = 1, .rate = {{.above = 0, .rate_bp = 5000}}};
    int64_t tax = withhold_of(&r, 0, 0, FEN(100), FEN(80));
    assert_int_equal(tax, FEN(19));
    assert_int_equal(withhold_of(&r, FEN(100), tax, FEN(100), 0), FEN(81));
    /* A person's month that shrank: nothing is given back out of a payout. */
    assert_int_equal(withhold_of(&r, 0, FEN(90), FEN(100), 0), 0);
}

static void test_rule_bad(void **state)
{
    (void)state;
    struct withhold_rule r;
#define BAD(change, err)                                                                           \
    do {                                                                                           \
        r = labour;                                                                                \
        change;                                                                                    \
        assert_int_equal(withhold_rule_check(&r), err);                                            \
    } while (0)
    BAD(r.row.name = "", ERR_REQUIRED);
    BAD(r.row.from_ms = -1, ERR_RANGE);
    BAD(r.row.deduct = -100, ERR_RANGE);
    BAD(r.row.deduct = 150, ERR_RANGE);
    BAD(r.row.deduct_bp = 10001, ERR_RANGE);
    BAD(r.row.deduct_bp = -1, ERR_RANGE);
    BAD(r.rate[0].rate_bp = 10000, ERR_RANGE); /* all of it */
    BAD(r.rate[1].above = 0, ERR_RANGE);       /* not after the one before */
    BAD(r.rate[0].above = -1, ERR_RANGE);
    BAD(r.rate[2].above = YUAN(50000) + 1, ERR_RANGE);
    BAD(r.n = 0, 0); /* withholds nothing */
#undef BAD
}

/* ---- the money's way ---- */

static struct world world, *w = &world;
static int64_t wechat, bank, checker;

static int64_t balance(int32_t kind, int64_t owner)
{
    return world_balance(w, kind, owner);
}

static void tenant_set(int64_t payout_check, int64_t payout_fee)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.refund_days = 0;
    t.payout_check = payout_check;
    t.payee_hold_h = 0;
    t.payout_fee = payout_fee;
    t.payout_min = 100;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

static struct row_party owner_row(void)
{
    return *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
}

static void owner_kind(int32_t kind)
{
    struct row_party p = owner_row();
    p.verified = 1;
    p.payee = "openid-7";
    p.payee_name = "王小明";
    p.payee_kind = kind;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
}

static int64_t channel_add(int32_t kind)
{
    const struct row_channel r = {
        .kind = kind, .name = "ch", .url = "", .app = "", .merchant = "", .keys = ""};
    assert_int_equal(world_put(w, ROW_CHANNEL, true, &r), 0);
    return w->reply.u.made.id;
}

/* 0.40 free, then a quarter of it; above 1.00 taxed, a half. */
static struct cmd *rule_cmd(int64_t from_ms)
{
    struct cmd *c = world_web(w, CMD_WITHHOLD_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.withhold_put.name, 101, STR_LIT("代扣"));
    c->u.withhold_put.from_ms = from_ms;
    c->u.withhold_put.deduct = FEN(40);
    c->u.withhold_put.n = 2;
    c->u.withhold_put.rate[0] = (struct withhold_rate_in){0, 2500, 0};
    c->u.withhold_put.rate[1] = (struct withhold_rate_in){FEN(100), 5000, 0};
    return c;
}

static void rule_on(void)
{
    assert_int_equal(world_send(w, rule_cmd(w->now)), 0);
}

/* The owner, a person, has 2.00 available. */
static int up(void **state)
{
    int64_t tx;
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = channel_add(CHANNEL_WECHAT);
    bank = channel_add(CHANNEL_BANK);
    checker = w->person + 1;
    tenant_set(0, 0);
    owner_kind(PAYEE_PERSON);
    (void)world_charging(w, balance(ACCOUNT_WALLET, w->driver), &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 10 * KWH / 3 + 1, w->now), 0);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), FEN(200));
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int ask(int64_t amount, int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = w->owner;
    c->u.payout_new.amount = amount;
    c->u.payout_new.channel = channel;
    return world_send(w, c);
}

static int decide(int64_t id, enum payout_act act)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, checker, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = act;
    (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("B-1"));
    return world_send(w, c);
}

static const struct row_payout *payout_row(int64_t id)
{
    return world_row(w, ROW_PAYOUT, id);
}

/* Asked for and approved; its id. */
static int64_t approved(int64_t amount, int64_t channel)
{
    assert_int_equal(ask(amount, channel), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(payout_row(id)->tax, 0); /* not before somebody approves */
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), 0);
    return id;
}

static const struct row_tax_month *month_row(void)
{
    return world_last(w, ROW_TAX_MONTH);
}

static void test_off(void **state)
{
    (void)state;
    int64_t id = approved(FEN(200), bank);
    assert_int_equal(payout_row(id)->tax, 0);
    assert_int_equal(payout_row(id)->tax_rule, 0);
    assert_int_equal(world_count(w, ROW_TAX_MONTH), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), FEN(200));
}

/* 200 less 40 taxed: 100 at a quarter, 60 at a half: 55. */
static void test_whole(void **state)
{
    (void)state;
    rule_on();
    assert_int_equal(ask(FEN(200), wechat), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), 0);
    const struct out *o = world_out(w, OUT_PAY);
    assert_int_equal(o->u.pay.amount, FEN(145)); /* net, to the channel */
    assert_int_equal(payout_row(id)->tax, FEN(55));
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), FEN(145));
    assert_int_equal(balance(ACCOUNT_TAX, 0), FEN(55));
    world_restart(w);
    assert_int_equal(world_told(w, id, wechat, PAY_TRANSFER, PAY_DONE, FEN(145)), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_SETTLED);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), FEN(145));
    assert_int_equal(month_row()->withheld, FEN(55));
    assert_int_equal(owner_row().tax_sum, FEN(200));
    assert_int_equal(owner_row().tax_held, FEN(55));
}

/* Many small ones cost what one big one does, also over a restart and with two rails. */
static void test_pieces(void **state)
{
    (void)state;
    rule_on();
    int64_t sum = 0;
    for (int i = 0; i < 10; i++) {
        int64_t id = approved(FEN(20), i % 2 ? bank : wechat);
        sum += payout_row(id)->tax;
        assert_int_equal(payout_row(id)->tax_base, FEN(20) * (i + 1));
        if (i == 4)
            world_restart(w);
    }
    assert_int_equal(sum, FEN(55));
    assert_int_equal(balance(ACCOUNT_TAX, 0), FEN(55));
}

/* Those that need no second person are approved as they are asked for. */
static void test_at_once(void **state)
{
    (void)state;
    rule_on();
    tenant_set(FEN(1000), FEN(10));
    assert_int_equal(ask(FEN(200), bank), 0);
    const struct row_payout *p = payout_row(w->reply.u.made.id);
    assert_int_equal(p->state, PAYOUT_APPROVED);
    assert_int_equal(p->tax, FEN(55)); /* of the amount; the fee is no deduction */
    int64_t income = balance(ACCOUNT_INCOME, w->platform);
    assert_int_equal(decide(p->id, PAYOUT_ACT_SETTLED), 0);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), income + FEN(10));
    assert_int_equal(balance(ACCOUNT_BANK, bank), FEN(135));
}

/* A new month begins at nothing. */
static void test_month(void **state)
{
    (void)state;
    rule_on();
    int64_t id = approved(FEN(100), bank);
    assert_int_equal(payout_row(id)->tax, FEN(15));
    assert_int_equal(payout_row(id)->tax_month, 202601);
    world_run(w, 40 * DAY_MS);
    id = approved(FEN(100), bank);
    assert_int_equal(payout_row(id)->tax, FEN(15));
    assert_int_equal(payout_row(id)->tax_had, 0);
    assert_int_equal(payout_row(id)->tax_month, 202602);
    assert_int_equal(world_count(w, ROW_TAX_MONTH), 2);
}

static void test_comes_back(void **state)
{
    (void)state;
    rule_on();
    int64_t first = approved(FEN(100), bank), second = approved(FEN(100), bank);
    assert_int_equal(payout_row(second)->tax, FEN(40));
    assert_int_equal(decide(second, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), FEN(100));
    assert_int_equal(balance(ACCOUNT_TAX, 0), FEN(15));
    assert_int_equal(month_row()->withheld, FEN(15));
    assert_int_equal(owner_row().tax_sum, FEN(100));
    second = approved(FEN(100), bank); /* as if it had never been */
    assert_int_equal(payout_row(second)->tax, FEN(40));
    assert_int_equal(decide(first, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(decide(second, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(balance(ACCOUNT_TAX, 0), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), FEN(200));
    /* What comes back after its month leaves the running one alone. */
    first = approved(FEN(100), bank);
    world_run(w, 40 * DAY_MS);
    second = approved(FEN(50), bank);
    assert_int_equal(decide(first, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(owner_row().tax_sum, FEN(50));
    assert_int_equal(balance(ACCOUNT_TAX, 0), payout_row(second)->tax);
}

/* Its order was given back meanwhile: what comes back, tax and all, settles that first. */
static void test_comes_back_to_a_debt(void **state)
{
    (void)state;
    rule_on();
    int64_t id = approved(FEN(200), wechat);
    const struct row_orders *o = world_last(w, ROW_ORDERS);
    assert_int_equal(world_refund(w, o->id, FEN(300)), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), -FEN(150));
    assert_int_equal(world_told(w, id, wechat, PAY_TRANSFER, PAY_FAILED, -1), 0);
    assert_int_equal(balance(ACCOUNT_TAX, 0), 0);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), FEN(50));
    assert_int_equal(month_row()->withheld, 0);
    assert_int_equal(owner_row().tax_sum, 0);
}

/* The party was entered as a company, of which nothing is withheld; the sub-account that the money goes to is a
 * person's: nobody knows what is right, so nothing is asked for or approved. */
static void test_account_of_another_kind(void **state)
{
    (void)state;
    int64_t rail = channel_add(CHANNEL_RAIL);
    rule_on();
    struct cmd *c = world_web(w, CMD_PARTY_ACCOUNT, w->person, ACTOR_PERSON);
    struct cmd_party_account *in = &c->u.party_account;
    in->party = w->owner;
    in->channel = rail;
    in->payee_kind = PAYEE_PERSON;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("王小明"));
    (void)str_copy(in->id_no, sizeof in->id_no, STR_LIT("c2VhbGVkIGlk"));
    (void)str_copy(in->bank, sizeof in->bank, STR_LIT("c2VhbGVkIGJhbms"));
    assert_int_equal(world_send(w, c), 0);
    c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result.row = w->reply.u.made.id;
    c->u.pay_result.channel = rail;
    c->u.pay_result.op = PAY_ACCOUNT_QUERY;
    c->u.pay_result.state = PAY_DONE;
    (void)str_copy(c->u.pay_result.provider_no, sizeof c->u.pay_result.provider_no,
                   STR_LIT("6200001"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(ask(FEN(100), rail), 0);
    int64_t id = w->reply.u.made.id;
    owner_kind(PAYEE_COMPANY);
    assert_int_equal(ask(FEN(100), rail), ERR_PAYEE_KIND);
    assert_int_equal(ask(FEN(50), bank), 0);
    owner_kind(PAYEE_PERSON);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), 0);
    assert_int_equal(payout_row(id)->tax, FEN(15));
}

/* The rail paid another amount than was asked for: the tax is withheld all the same. */
static void test_paid_other(void **state)
{
    (void)state;
    rule_on();
    int64_t id = approved(FEN(200), wechat);
    assert_int_equal(world_told(w, id, wechat, PAY_TRANSFER, PAY_DONE, FEN(140)), 0);
    assert_int_equal(payout_row(id)->state, PAYOUT_UNKNOWN);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, checker, ACTOR_PERSON);
    c->u.payout_decide = (struct cmd_payout_decide){
        .payout = id, .act = PAYOUT_ACT_PAID, .amount = FEN(140), .note = "seen"};
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), FEN(5));
    assert_int_equal(balance(ACCOUNT_TAX, 0), FEN(55));
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->owner), 0);
}

static void test_who(void **state)
{
    (void)state;
    rule_on();
    owner_kind(PAYEE_UNKNOWN);
    assert_int_equal(ask(FEN(100), bank), ERR_PAYEE_KIND);
    owner_kind(PAYEE_PERSON);
    assert_int_equal(ask(FEN(100), bank), 0);
    int64_t id = w->reply.u.made.id;
    owner_kind(PAYEE_UNKNOWN);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), ERR_PAYEE_KIND);
    assert_int_equal(payout_row(id)->state, PAYOUT_REQUESTED);
    owner_kind(PAYEE_COMPANY);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), ERR_REQUIRED); /* its invoice */
    owner_kind(PAYEE_PERSON);
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), 0);
    assert_int_equal(payout_row(id)->tax, FEN(15));
}

/* A person's form does not reach what only the core writes; no two parties are one person. */
static void test_party_put(void **state)
{
    (void)state;
    rule_on();
    (void)approved(FEN(100), bank);
    struct row_party p = owner_row();
    p.tax_sum = p.tax_held = p.sent_sum = 0;
    p.payee_cert = "11010519491231002X";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(owner_row().tax_sum, FEN(100));
    assert_int_equal(owner_row().sent_sum, FEN(100));
    struct row_party twin = {
        .kind = PARTY_AGENT, .name = "Twin", .payee_cert = "11010519491231002x"};
    assert_int_equal(world_put(w, ROW_PARTY, true, &twin), ERR_CONFLICT);
    twin.payee_cert = "";
    assert_int_equal(world_put(w, ROW_PARTY, true, &twin), 0);
}

static void test_rules(void **state)
{
    (void)state;
    struct cmd *c = rule_cmd(w->now);
    c->head.station = w->station;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = rule_cmd(w->now);
    c->u.withhold_put.n = WITHHOLD_RATES_MAX + 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = rule_cmd(w->now);
    c->u.withhold_put.rate[1].above = 0;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    assert_int_equal(world_count(w, ROW_WITHHOLD_RULE), 0);
    rule_on();
    assert_int_equal(world_send(w, rule_cmd(w->now)), ERR_CONFLICT); /* not after the newest */
    c = rule_cmd(w->now + DAY_MS);
    c->u.withhold_put.n = 0; /* and off again */
    assert_int_equal(world_send(w, c), 0);
    world_restart(w);
    assert_int_equal(payout_row(approved(FEN(100), bank))->tax, FEN(15));
    world_run(w, DAY_MS);
    int64_t id = approved(FEN(100), bank);
    assert_int_equal(payout_row(id)->tax, 0);
    assert_int_equal(payout_row(id)->tax_rule, 0);
}

/* ---- to the office ---- */

static int paid(int32_t month, int64_t amount, int64_t to, const char *number)
{
    struct cmd *c = world_web(w, CMD_TAX_PAID, w->person, ACTOR_PERSON);
    c->u.tax_paid.month = month;
    c->u.tax_paid.amount = amount;
    c->u.tax_paid.bank = to;
    (void)str_copy(c->u.tax_paid.number, 65, str_from_c(number));
    return world_send(w, c);
}

static void test_office(void **state)
{
    (void)state;
    rule_on();
    int64_t id = approved(FEN(200), bank);
    assert_int_equal(paid(202602, FEN(10), bank, "R-1"), ERR_NOT_FOUND);
    assert_int_equal(paid(202613, FEN(10), bank, "R-1"), ERR_RANGE);
    assert_int_equal(paid(202601, FEN(56), bank, "R-1"), ERR_RANGE);
    assert_int_equal(paid(202601, 50, bank, "R-1"), ERR_RANGE);
    assert_int_equal(paid(202601, 0, bank, "R-1"), ERR_RANGE);
    assert_int_equal(paid(202601, FEN(10), bank, ""), ERR_REQUIRED);
    assert_int_equal(paid(202601, FEN(10), wechat, "R-1"), ERR_NOT_FOUND);
    assert_int_equal(balance(ACCOUNT_TAX, 0), FEN(55));
    assert_int_equal(paid(202601, FEN(50), bank, "R-1"), 0);
    assert_int_equal(paid(202601, FEN(5), bank, "R-1"), ERR_CONFLICT);
    world_restart(w);
    assert_int_equal(paid(202601, FEN(5), bank, "R-1"), ERR_CONFLICT);
    assert_int_equal(paid(202601, FEN(6), 0, "R-2"), ERR_RANGE);
    assert_int_equal(paid(202601, FEN(5), 0, "R-2"), 0);
    assert_int_equal(balance(ACCOUNT_TAX, 0), 0);
    assert_int_equal(balance(ACCOUNT_BANK, bank), FEN(50));
    /* The payout comes back: the office was paid too much, and the books say so. */
    assert_int_equal(decide(id, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(balance(ACCOUNT_TAX, 0), -FEN(55));
    assert_int_equal(month_row()->withheld - month_row()->paid, -FEN(55));
}

/* ---- what a channel lets through ---- */

static void limits_set(int64_t most, int64_t day_most, int64_t named_from)
{
    struct row_channel ch = *(const struct row_channel *)world_row(w, ROW_CHANNEL, wechat);
    ch.most = most;
    ch.day_most = day_most;
    ch.named_from = named_from;
    assert_int_equal(world_put(w, ROW_CHANNEL, false, &ch), 0);
}

static void test_limits(void **state)
{
    (void)state;
    limits_set(FEN(60), FEN(100), FEN(50));
    assert_int_equal(ask(FEN(61), wechat), ERR_TRANSFER_LIMIT);
    assert_int_equal(ask(FEN(60), wechat), 0);
    int64_t id = w->reply.u.made.id;
    world_restart(w);
    assert_int_equal(ask(FEN(41), wechat), ERR_TRANSFER_LIMIT);
    assert_int_equal(decide(id, PAYOUT_ACT_REFUSE), 0); /* counts no more */
    assert_int_equal(ask(FEN(60), wechat), 0);
    assert_int_equal(ask(FEN(41), wechat), ERR_TRANSFER_LIMIT);
    assert_int_equal(ask(FEN(40), wechat), 0);
    world_run(w, DAY_MS);
    assert_int_equal(ask(FEN(41), wechat), 0);
    struct row_party p = owner_row();
    p.payee_name = "";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(ask(FEN(50), wechat), ERR_REQUIRED); /* whose account is it? */
    assert_int_equal(ask(FEN(49), wechat), 0);
    struct row_channel ch = *(const struct row_channel *)world_row(w, ROW_CHANNEL, wechat);
    ch.most = 150;
    assert_int_equal(world_put(w, ROW_CHANNEL, false, &ch), ERR_RANGE);
}

int core_withhold(void);
int core_withhold(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tax_known),
        cmocka_unit_test(test_tax_pieces),
        cmocka_unit_test(test_tax_waits),
        cmocka_unit_test(test_rule_bad),
        cmocka_unit_test_setup_teardown(test_off, up, down),
        cmocka_unit_test_setup_teardown(test_whole, up, down),
        cmocka_unit_test_setup_teardown(test_pieces, up, down),
        cmocka_unit_test_setup_teardown(test_at_once, up, down),
        cmocka_unit_test_setup_teardown(test_month, up, down),
        cmocka_unit_test_setup_teardown(test_comes_back, up, down),
        cmocka_unit_test_setup_teardown(test_comes_back_to_a_debt, up, down),
        cmocka_unit_test_setup_teardown(test_account_of_another_kind, up, down),
        cmocka_unit_test_setup_teardown(test_paid_other, up, down),
        cmocka_unit_test_setup_teardown(test_who, up, down),
        cmocka_unit_test_setup_teardown(test_party_put, up, down),
        cmocka_unit_test_setup_teardown(test_rules, up, down),
        cmocka_unit_test_setup_teardown(test_office, up, down),
        cmocka_unit_test_setup_teardown(test_limits, up, down),
    };
    return cmocka_run_group_tests_name("withhold", tests, NULL, NULL);
}
