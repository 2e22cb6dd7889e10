// SPDX-License-Identifier: Apache-2.0
/* core_contract.c: contracts with clauses in the core: orders and refunds under each kind, versions and
 * their ends, and months that count, restart and end. After each step the books balance and what
 * matures is what is pending (world_seal). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)
/* The operator's months: February begins at 16:00 UTC of the 31st of January. */
#define FEBRUARY (T0 + 31 * DAY_MS - 8 * 3600000)
#define MARCH    (FEBRUARY + 28 * DAY_MS)

static struct world world, *w = &world;
static int64_t grid, agent;

static int64_t party_add(const char *name)
{
    assert_int_equal(
        world_put(w, ROW_PARTY, true, &(struct row_party){.kind = PARTY_AGENT, .name = name}), 0);
    return w->reply.u.made.id;
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    grid = party_add("Grid");
    agent = party_add("Agent");
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* A next version of the world's contract, 5:5, from `from_ms` on; sent by contract_send. */
static struct cmd *version(int64_t from_ms)
{
    struct cmd *c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.contract_put.name, 101, STR_LIT("clauses"));
    c->u.contract_put.family = w->contract;
    c->u.contract_put.from_ms = from_ms;
    c->u.contract_put.unit = 1;
    c->u.contract_put.n = 2;
    c->u.contract_put.party[0] = (struct contract_party_in){w->platform, 7, 5};
    c->u.contract_put.party[1] = (struct contract_party_in){w->owner, 7, 5};
    return c;
}

static void clause(struct cmd *c, struct contract_clause_in k)
{
    c->u.contract_put.clause[c->u.contract_put.clauses++] = k;
}

static int64_t balance(int32_t kind, int64_t owner)
{
    return world_balance(w, kind, owner);
}

/* What a party has been given and not had taken back. */
static int64_t given(int64_t party)
{
    return balance(ACCOUNT_PENDING, party) + balance(ACCOUNT_AVAILABLE, party) +
           balance(ACCOUNT_PARTY_DEBT, party);
}

/* An order of `mwh` at 0.8 + 0.4 yuan a kWh, from a wallet that has 4.00. */
static int64_t order_of(int64_t mwh)
{
    return world_order_of(w, mwh);
}

/* The program restarts, the charger comes back. */
static void again(void)
{
    world_restart(w);
    assert_int_equal(world_open(w), 0);
}

static int refund(int64_t order, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_ORDER_REFUND, w->person, ACTOR_PERSON);
    c->u.order_refund.order = order;
    c->u.order_refund.amount = amount;
    return world_send(w, c);
}

/* ---- orders ---- */

/* 2 kWh: 1.60 + 0.80. Grid 0.30 a kWh, operator 1 % of all, owner half of the rest, agent a fifth of
 * the owner's. */
static struct cmd *all_first(void)
{
    struct cmd *c = version(1);
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_ENERGY, .lines = 1, .party = grid, .rate = 30000});
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_PERCENT, .lines = 7, .party = w->platform, .rate = 100});
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_ORDER, .lines = 2, .party = grid, .rate = 200});
    clause(c,
           (struct contract_clause_in){
               .kind = CLAUSE_AGENT, .lines = 7, .party = agent, .parent = w->owner, .rate = 2000});
    return c;
}

static void test_order_by_clauses(void **state)
{
    (void)state;
    assert_int_equal(world_send(w, all_first()), 0);
    (void)order_of(2 * KWH);
    /* Electricity 16000: 6000 grid, 160 operator, 9840 by halves. Service 8000: 80, 200, 7720. */
    assert_int_equal(given(grid), 6000 + 200);
    assert_int_equal(given(w->owner) + given(agent), 4920 + 3860);
    assert_int_equal(given(agent), 984 + 772);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 160 + 80 + 4920 + 3860);
    again();
    (void)order_of(KWH);
    assert_int_equal(given(grid), 6200 + 3000 + 200);
}

static void test_refund_after_clauses(void **state)
{
    (void)state;
    assert_int_equal(world_send(w, all_first()), 0);
    int64_t order = order_of(2 * KWH);
    int64_t had = given(grid);
    assert_int_equal(refund(order, 12000), 0);
    assert_int_equal(given(grid), had / 2);
    assert_int_equal(refund(order, 12000), 0);
    assert_int_equal(given(grid), 0);
    assert_int_equal(given(w->owner), 0);
    assert_int_equal(given(agent), 0);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 0);
    assert_int_equal(balance(ACCOUNT_WALLET, w->driver), 40000);
}

/* ---- versions ---- */

static void test_version_ends(void **state)
{
    (void)state;
    struct cmd *c = version(1);
    c->u.contract_put.to_ms = w->now + DAY_MS;
    assert_int_equal(world_send(w, c), 0);
    (void)order_of(KWH);
    assert_int_equal(given(w->owner), 6000);
    c = version(w->now + 1000);
    assert_int_equal(world_send(w, c), ERR_CONFLICT); /* it would overlap */
    world_run(w, DAY_MS);
    (void)order_of(KWH);
    assert_int_equal(given(w->owner), 6000); /* no contract: all is the operator's */
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 6000 + 12000);
    assert_int_equal(world_send(w, version(w->now)), 0);
    (void)order_of(KWH);
    assert_int_equal(given(w->owner), 12000);
}

static void test_version_refused(void **state)
{
    (void)state;
    size_t had = world_count(w, ROW_CONTRACT);
    struct cmd *c = version(1);
    c->u.contract_put.to_ms = 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = version(1);
    c->u.contract_put.rounding = 3;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = version(1);
    c->u.contract_put.gift_rule = 2;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = version(1);
    c->u.contract_put.clauses = CONTRACT_CLAUSES_MAX + 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = version(1);
    clause(c, (struct contract_clause_in){.kind = CLAUSE_RENT, .party = 12345, .rate = 1});
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = version(1);
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_AGENT, .lines = 7, .party = agent, .parent = 12345, .rate = 1});
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = version(1);
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_PERCENT, .lines = 7, .party = grid, .rate = 10001});
    assert_int_equal(world_send(w, c), ERR_RANGE);
    assert_int_equal(world_count(w, ROW_CONTRACT), had);
    assert_int_equal(world_count(w, ROW_CONTRACT_CLAUSE), 0);
}

/* Each thing that a version must not be, alone. */
static void test_version_refused_each(void **state)
{
    (void)state;
    size_t had = world_count(w, ROW_CONTRACT);
    struct cmd *c = version(1);
    c->head.tenant = 77;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    const struct row_party stray = {
        .id = 7701, .tenant = 77, .kind = PARTY_PROPERTY, .name = "stray"};
    assert_int_equal(core_load(w->core, ROW_PARTY, &stray), 0);
    c->u.contract_put.family = 0;
    for (int32_t i = 0; i < c->u.contract_put.n; i++)
        c->u.contract_put.party[i].party = stray.id;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND); /* its parties alone are no operator */
    c = version(1);
    c->head.station = w->station; /* a contract is the operator's, not one station's */
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = version(1);
    c->u.contract_put.name[0] = 0;
    assert_int_equal(world_send(w, c), ERR_REQUIRED);
    c = version(1);
    c->u.contract_put.n = CONTRACT_PARTIES_MAX + 1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = version(1);
    c->u.contract_put.clauses = -1;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = version(1);
    c->u.contract_put.family = 77;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = version(1);
    c->u.contract_put.party[1].party = 12345;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = version(0);
    assert_int_equal(world_send(w, c), ERR_CONFLICT); /* the first one begins there */
    c = version(1);
    c->u.contract_put.to_ms = 1000;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_send(w, version(999)), ERR_CONFLICT); /* they would overlap */
    assert_int_equal(world_send(w, version(1000)), 0);
    assert_int_equal(world_count(w, ROW_CONTRACT), had + 2);
}

/* Twelve rents a version, of parties of its own: with the third the month would count 36. */
static void test_more_parties_than_a_month_counts(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        int64_t party[12];
        for (int i = 0; i < 12; i++)
            party[i] = party_add("Landlord");
        struct cmd *c = version(k + 1);
        for (int i = 0; i < 12; i++)
            clause(c, (struct contract_clause_in){
                          .kind = CLAUSE_RENT, .party = party[i], .rate = 10000});
        assert_int_equal(world_send(w, c), k < 2 ? 0 : ERR_FULL);
    }
}

/* ---- months ---- */

/* Rent 10, guarantee 100; one order gives the owner 1.20 and the operator as much. */
static void guaranteed(void)
{
    struct cmd *c = version(1);
    clause(c, (struct contract_clause_in){.kind = CLAUSE_RENT, .party = w->owner, .rate = 100000});
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_GUARANTEE, .party = w->owner, .rate = 1000000});
    assert_int_equal(world_send(w, c), 0);
}

static int code_count(int32_t code)
{
    int n = 0;
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == ROW_TRANSFER)
            n += ((const struct row_transfer *)world_unpacked(w, &w->rows[i]))->code == code;
    return n;
}

static void test_month_ends(void **state)
{
    (void)state;
    guaranteed();
    (void)order_of(2 * KWH);
    world_run(w, FEBRUARY - w->now - 1);
    assert_int_equal(given(w->owner), 12000);
    world_restart(w);
    assert_int_equal(given(w->owner), 12000);
    world_run(w, 1);
    assert_int_equal(given(w->owner), 100000 + 1000000);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 0);
    assert_int_equal(balance(ACCOUNT_OVERRUN, 0), -(1100000 - 12000 - 12000));
    const struct row_transfer *t = world_last(w, ROW_TRANSFER);
    assert_int_equal(t->code, TRANSFER_CLAUSE);
    assert_int_equal(t->amount, 1000000 - 12000);
    assert_string_equal(t->note, "2026-01");
    const struct row_split_part *part = world_last(w, ROW_SPLIT_PART);
    assert_int_equal(part->clause, CLAUSE_GUARANTEE);
    assert_int_equal(code_count(TRANSFER_RENT), 1); /* a transfer and a line of its own */
    assert_int_equal(code_count(TRANSFER_CLAUSE), 1);
    world_restart(w);
    world_run(w, 20 * DAY_MS);
    assert_int_equal(given(w->owner), 1100000); /* once */
    world_run(w, MARCH - w->now);
    assert_int_equal(given(w->owner), 2200000);
}

/* The program was down over two ends of months: both are made up for, once. */
static void test_month_ends_while_down(void **state)
{
    (void)state;
    guaranteed();
    w->now = MARCH + DAY_MS;
    world_restart(w);
    world_run(w, 1);
    assert_int_equal(given(w->owner), 2200000);
    world_restart(w);
    world_run(w, DAY_MS);
    assert_int_equal(given(w->owner), 2200000);
}

/* A refund takes from what the month gave: the guarantee makes up for it. */
static void test_refund_counts_in_month(void **state)
{
    (void)state;
    guaranteed();
    int64_t order = order_of(2 * KWH);
    assert_int_equal(refund(order, 24000), 0);
    world_run(w, FEBRUARY - w->now);
    assert_int_equal(given(w->owner), 1100000);
}

/* The first thing after a month's end is a refund, before the timer: the month ends first, and what it
 * takes from the operator's income is not taken twice. */
static void test_refund_ends_the_month(void **state)
{
    (void)state;
    guaranteed();
    int64_t order = order_of(2 * KWH);
    w->now = FEBRUARY + 1;
    assert_int_equal(refund(order, 24000), 0);
    assert_int_equal(given(w->owner), 1100000 - 12000);
    assert_int_equal(balance(ACCOUNT_WALLET, w->driver), 40000);
    world_run(w, 1);
    assert_int_equal(given(w->owner), 1100000 - 12000);
}

static void test_cap_of_the_month(void **state)
{
    (void)state;
    struct cmd *c = version(1);
    clause(c, (struct contract_clause_in){.kind = CLAUSE_CAP, .party = w->owner, .rate = 8000});
    assert_int_equal(world_send(w, c), 0);
    int64_t first = order_of(KWH);
    assert_int_equal(given(w->owner), 6000);
    again();
    int64_t second = order_of(KWH);
    assert_int_equal(given(w->owner), 8000);
    assert_int_equal(balance(ACCOUNT_INCOME, w->platform), 6000 + 10000);
    assert_int_equal(refund(first, 12000), 0);
    assert_int_equal(given(w->owner), 2000);
    assert_int_equal(refund(second, 12000), 0);
    assert_int_equal(given(w->owner), 0);
    world_run(w, FEBRUARY - w->now);
    (void)order_of(KWH);
    assert_int_equal(given(w->owner), 6000); /* a new month has room again */
}

/* From 1.20 of the month on the owner has four of five; 2 kWh are 2.40. */
static void test_tiers_of_the_month(void **state)
{
    (void)state;
    struct cmd *c = version(1);
    clause(c,
           (struct contract_clause_in){
               .kind = CLAUSE_TIER, .lines = 7, .party = w->platform, .rate = 2, .above = 12000});
    clause(c, (struct contract_clause_in){
                  .kind = CLAUSE_TIER, .lines = 7, .party = w->owner, .rate = 8, .above = 12000});
    assert_int_equal(world_send(w, c), 0);
    (void)order_of(2 * KWH);
    assert_int_equal(given(w->owner), 6000 + 9600);
    again();
    (void)order_of(KWH);
    assert_int_equal(given(w->owner), 6000 + 9600 + 9600);
}

int core_contract(void);

int core_contract(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_by_clauses, up, down),
        cmocka_unit_test_setup_teardown(test_refund_after_clauses, up, down),
        cmocka_unit_test_setup_teardown(test_version_ends, up, down),
        cmocka_unit_test_setup_teardown(test_version_refused, up, down),
        cmocka_unit_test_setup_teardown(test_version_refused_each, up, down),
        cmocka_unit_test_setup_teardown(test_more_parties_than_a_month_counts, up, down),
        cmocka_unit_test_setup_teardown(test_month_ends, up, down),
        cmocka_unit_test_setup_teardown(test_month_ends_while_down, up, down),
        cmocka_unit_test_setup_teardown(test_refund_counts_in_month, up, down),
        cmocka_unit_test_setup_teardown(test_refund_ends_the_month, up, down),
        cmocka_unit_test_setup_teardown(test_cap_of_the_month, up, down),
        cmocka_unit_test_setup_teardown(test_tiers_of_the_month, up, down),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
