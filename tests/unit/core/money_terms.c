// SPDX-License-Identifier: Apache-2.0
/* Clauses of contracts: what each does to an order by hand-worked figures, that a year of orders drifts
 * nobody by a posting unit, that refunds of what they divided credit nobody, and each thing that no
 * contract may say. */
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "core/split.h"
#include "unit/core/money.h"

enum {
    OPERATOR = 100,
    OWNER = 101,
    THIRD = 102,
    GRID = 200,
    AGENT = 300,
    BELOW = 301,
    LOWER = 302
};

struct made {
    struct split_contract c;
    struct split_terms t;
    struct split_fault fault;
};

static struct row_contract head = {.id = 1, .tenant = 1, .unit = 1, .operator= OPERATOR };

static int build(struct made *m, const int32_t *ratio, int n, const struct row_contract_clause *k,
                 int clauses)
{
    struct row_contract_party p[3] = {0};
    struct row_contract_clause rows[SPLIT_CLAUSES_MAX + 1];
    for (int i = 0; i < n; i++)
        p[i] = (struct row_contract_party){
            .contract = 1, .seq = i, .party = OPERATOR + i, .lines = 7, .ratio = ratio[i]};
    assert_int_equal(split_build(&m->c, &head, p, (size_t)n), 0);
    for (int i = 0; i < clauses; i++) {
        rows[i] = k[i];
        rows[i].contract = 1;
        rows[i].seq = i + 1;
    }
    return split_terms_build(&m->c, &m->t, rows, (size_t)clauses, &m->fault);
}

#define BUILD(m, ratios, ...)                                                                      \
    build((m), (const int32_t[]){ratios}, sizeof((const int32_t[]){ratios}) / sizeof(int32_t),     \
          (const struct row_contract_clause[]){__VA_ARGS__},                                       \
          sizeof((const struct row_contract_clause[]){__VA_ARGS__}) /                              \
              sizeof(struct row_contract_clause))
#define R(...) __VA_ARGS__

static int64_t got(const struct split_result *r, int64_t party, int32_t kinds)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < r->n; i++)
        if (r->part[i].party == party && (r->part[i].kind & kinds))
            sum += r->part[i].amount.v;
    return sum;
}

static void divide(struct made *m, const struct split_input *in, struct split_result *r)
{
    assert_int_equal(split_compute(&m->c, in, r), 0);
    split_commit(&m->c, r);
}

/* 10 kWh sold for 8.00 electricity and 4.00 service; the owner pays the grid 0.6 a kWh: 6.00. */
static void test_purchased_electricity_first(void **state)
{
    struct made m;
    struct split_result r;
    const struct split_input in = {.base = {{80000}, {40000}, {0}}, .energy_mwh = 10000000};
    (void)state;
    assert_int_equal(
        BUILD(&m, R(5, 5), {.kind = CLAUSE_ENERGY, .party = GRID, .lines = 1, .rate = 60000}), 0);
    divide(&m, &in, &r);
    assert_int_equal(got(&r, GRID, 7), 60000);
    assert_int_equal(got(&r, OPERATOR, 1), 10000);
    assert_int_equal(got(&r, OWNER, 1), 10000);
    assert_int_equal(got(&r, OWNER, 2), 20000);
    assert_int_equal(r.part[0].clause, 1);
    assert_int_equal(r.part[1].base.v, 20000); /* base after purchased electricity */
}

/* Bought dearer than sold: the rest of 9.00 comes from the service fee, and no more than there is. */
static void test_cost_runs_over_lines(void **state)
{
    struct made m;
    struct split_result r;
    struct split_input in = {.base = {{80000}, {40000}, {0}}, .energy_mwh = 10000000};
    const struct row_contract_clause cost = {
        .kind = CLAUSE_ENERGY, .party = GRID, .lines = 3, .rate = 90000};
    (void)state;
    assert_int_equal(BUILD(&m, R(5, 5), cost), 0);
    divide(&m, &in, &r);
    assert_int_equal(got(&r, GRID, 1), 80000);
    assert_int_equal(got(&r, GRID, 2), 10000);
    assert_int_equal(got(&r, OWNER, 7), 15000);
    in.base[1].v = 5000;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, GRID, 7), 85000);
    assert_int_equal(got(&r, OWNER, 7), 0);
}

static void test_fixed_once_an_order(void **state)
{
    struct made m;
    struct split_result r;
    struct split_input in = {.base = {{0}, {30000}, {0}}};
    (void)state;
    assert_int_equal(
        BUILD(&m, R(1, 1), {.kind = CLAUSE_ORDER, .party = GRID, .lines = 3, .rate = 2000}), 0);
    divide(&m, &in, &r);
    assert_int_equal(got(&r, GRID, 7), 2000);
    assert_int_equal(got(&r, OWNER, 7), 14000);
    in.again = true;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, GRID, 7), 0);
    assert_int_equal(got(&r, OWNER, 7), 15000);
}

/* Channel fee 0.6 % of all, maintenance 5 % of the service fee: of the lines, not of what is left. */
static void test_percent_of_the_line(void **state)
{
    struct made m;
    struct split_result r;
    const struct split_input in = {.base = {{20000}, {20000}, {0}}};
    (void)state;
    assert_int_equal(BUILD(&m, R(5, 5),
                           {.kind = CLAUSE_PERCENT, .party = OPERATOR, .lines = 7, .rate = 60},
                           {.kind = CLAUSE_PERCENT, .party = THIRD, .lines = 2, .rate = 500}),
                     0);
    divide(&m, &in, &r);
    assert_int_equal(got(&r, THIRD, 7), 1000);
    assert_int_equal(got(&r, OWNER, 1), 9940);
    assert_int_equal(got(&r, OWNER, 2), 9440);
    assert_int_equal(got(&r, OPERATOR, 7), 240 + 9940 + 9440);
}

/* 3 fen by 1:1:1 of whole fen and 1 fen: who gets the odd one. */
static void test_rounding_rules(void **state)
{
    const int32_t rules[] = {ROUND_DEFICIT, ROUND_HALF_UP, ROUND_LARGEST};
    /* Of 0.10 at 25/75 in whole fen: 2.5 and 7.5. The second party comes first half up: 8. */
    const int64_t first[] = {300, 200, 300};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct made m;
        struct split_result r;
        struct row_contract_party p[2] = {
            {.contract = 1, .seq = 0, .party = OPERATOR, .lines = 7, .ratio = 25},
            {.contract = 1, .seq = 1, .party = OWNER, .lines = 7, .ratio = 75}};
        struct row_contract row = head;
        const struct split_input in = {.base = {{1000}, {0}, {0}}};
        row.unit = 100;
        row.rounding = rules[i];
        assert_int_equal(split_build(&m.c, &row, p, 2), 0);
        for (int turn = 0; turn < 2; turn++) {
            divide(&m, &in, &r);
            int64_t mine = got(&r, OPERATOR, 7);
            if (turn == 0 || rules[i] != ROUND_DEFICIT)
                assert_int_equal(mine, first[i]);
            else
                assert_int_equal(mine, 200); /* the deficit rule remembers */
            assert_int_equal(got(&r, OWNER, 7), 1000 - mine);
        }
        row.operator= THIRD;
        assert_int_equal(split_build(&m.c, &row, p, 2), rules[i] == ROUND_HALF_UP ? ERR_RANGE : 0);
    }
}

/* Half up may ask for more than there is: nobody goes below nothing. */
static void test_half_up_is_never_negative(void **state)
{
    struct made m;
    struct split_result r;
    const struct split_input in = {.base = {{1}, {1}, {0}}};
    (void)state;
    head.rounding = ROUND_HALF_UP;
    assert_int_equal(
        BUILD(&m, R(1, 5, 5),
              {.kind = CLAUSE_AGENT, .party = AGENT, .parent = OWNER, .lines = 3, .rate = 5000}),
        0);
    head.rounding = ROUND_DEFICIT;
    divide(&m, &in, &r);
    assert_int_equal(
        got(&r, AGENT, 1) + got(&r, OWNER, 1) + got(&r, THIRD, 1) + got(&r, OPERATOR, 1), 1);
    for (int32_t i = 0; i < r.n; i++)
        assert_true(r.part[i].amount.v >= 0);
}

/* Owner 50 %; of that the agent 20 %, of that the next 50 %, of that the next 10 %. */
static void test_agents_above_agents(void **state)
{
    struct made m;
    struct split_result r;
    const struct split_input in = {.base = {{100000}, {0}, {0}}};
    const struct row_contract_clause lower = {
        .kind = CLAUSE_AGENT, .party = LOWER, .parent = BELOW, .lines = 7, .rate = 1000};
    const struct row_contract_clause below = {
        .kind = CLAUSE_AGENT, .party = BELOW, .parent = AGENT, .lines = 7, .rate = 5000};
    const struct row_contract_clause agent = {
        .kind = CLAUSE_AGENT, .party = AGENT, .parent = OWNER, .lines = 7, .rate = 2000};
    (void)state;
    assert_int_equal(BUILD(&m, R(5, 5), lower, below, agent), 0); /* in any order */
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OPERATOR, 7), 50000);
    assert_int_equal(got(&r, OWNER, 7), 40000);
    assert_int_equal(got(&r, AGENT, 7), 5000);
    assert_int_equal(got(&r, BELOW, 7), 4500);
    assert_int_equal(got(&r, LOWER, 7), 500);
    assert_int_equal(r.part[1].passed.v, 10000);
}

/* From 1,000 yuan of the month on 4:6 instead of 5:5; an order of 10 yuan crosses it by 4. */
static void test_tier_cuts_the_order(void **state)
{
    struct made m;
    struct split_result r;
    struct split_input in = {.base = {{60000}, {40000}, {0}}, .month_base = 10000000 - 60000};
    (void)state;
    assert_int_equal(
        BUILD(&m, R(5, 5),
              {.kind = CLAUSE_TIER, .party = OPERATOR, .lines = 7, .rate = 4, .above = 10000000},
              {.kind = CLAUSE_TIER, .party = OWNER, .lines = 7, .rate = 6, .above = 10000000}),
        0);
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 7), 30000 + 24000);
    assert_int_equal(got(&r, OPERATOR, 7), 30000 + 16000);
    in.month_base = 10000000;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 7), 60000);
    in.month_base = 0;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 7), 50000);
}

static void test_tier_by_energy(void **state)
{
    struct made m;
    struct split_result r;
    struct split_input in = {
        .base = {{60000}, {40000}, {0}}, .energy_mwh = 10000000, .month_energy = 995000000};
    (void)state;
    assert_int_equal(BUILD(&m, R(5, 5),
                           {.kind = CLAUSE_TIER_ENERGY,
                            .party = OPERATOR,
                            .lines = 2,
                            .rate = 0,
                            .above = 1000000000},
                           {.kind = CLAUSE_TIER_ENERGY,
                            .party = OWNER,
                            .lines = 2,
                            .rate = 10,
                            .above = 1000000000}),
                     0);
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 1), 30000);
    assert_int_equal(got(&r, OWNER, 2), 10000 + 20000);
    in.energy_mwh = 0; /* nothing to measure by: as far as the month is */
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 2), 20000);
}

static void test_cap_goes_to_the_operator(void **state)
{
    struct made m;
    struct split_result r;
    struct split_input in = {.base = {{60000}, {40000}, {0}}};
    (void)state;
    assert_int_equal(BUILD(&m, R(5, 5), {.kind = CLAUSE_CAP, .party = OWNER, .rate = 1000000}), 0);
    in.month_got[0] = 1000000 - 35000;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 7), 35000);
    assert_int_equal(got(&r, OPERATOR, 7), 65000);
    in.month_got[0] = 1000000;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 7), 0);
    in.month_got[0] = 0;
    divide(&m, &in, &r);
    assert_int_equal(got(&r, OWNER, 7), 50000);
}

/* Rent 300 a month, guarantee 1,000: a version in force for 10 of 30 days owes a third of both. */
static void test_month_end_by_time_in_force(void **state)
{
    struct made m;
    struct split_dues d = {0};
    (void)state;
    assert_int_equal(BUILD(&m, R(5, 5), {.kind = CLAUSE_RENT, .party = OWNER, .rate = 3000000},
                           {.kind = CLAUSE_GUARANTEE, .party = OWNER, .rate = 10000000}),
                     0);
    split_month_dues(&m.c, 0, 30, INT64_MAX, &d);
    assert_int_equal(split_due_amount(&d.v[0], 0), 13000000);
    assert_int_equal(split_due_amount(&d.v[0], 9999999), 3000000); /* half a fen short of nothing */
    assert_int_equal(split_due_amount(&d.v[0], 20000000), 3000000);
    d = (struct split_dues){0};
    m.c.from_ms = 10;
    split_month_dues(&m.c, 0, 30, 20, &d);
    assert_int_equal(d.n, 1);
    assert_int_equal(d.v[0].rent, 1000000);
    assert_int_equal(split_due_amount(&d.v[0], 0), 1000000 + 3333300);
    d = (struct split_dues){0};
    split_month_dues(&m.c, 0, 30, 10, &d);
    assert_int_equal(d.n, 0);
}

/* ---- for ever ---- */

/* Everything at once over a year of orders: what each clause and party got is what it was due, to a
 * posting unit; every order is exact; refunds of its parts credit nobody and end at nothing. */
static void year(struct made *m, uint64_t seed)
{
    struct rng rng = {seed};
    struct money part[SPLIT_PARTS_MAX], keep[SPLIT_PARTS_MAX];
    for (int i = 0; i < 100000; i++) {
        struct split_result r;
        struct split_input in = {.energy_mwh = rng_range(&rng, 1, 60000) * 1000};
        in.base[0].v = rng_range(&rng, 0, 6000) * 100;
        in.base[1].v = rng_range(&rng, 0, 3000) * 100;
        divide(m, &in, &r);
        for (int32_t k = 0; k < m->t.n; k++)
            for (int line = 0; line < SPLIT_LINES; line++) {
                int64_t den = m->t.clause[k].kind == CLAUSE_AGENT ? SPLIT_BP : SPLIT_DUE_DEN;
                int64_t residue = m->t.clause[k].residue[line];
                assert_true(residue <= den * m->c.unit && residue >= -den * m->c.unit);
            }
        if (i % 100)
            continue;
        int64_t sum = 0;
        for (int32_t k = 0; k < r.n; k++) {
            part[k] = r.part[k].amount;
            sum += part[k].v;
        }
        assert_int_equal(split_remain(part, (size_t)r.n, MONEY(sum / 3), keep), 0);
        for (int32_t k = 0; k < r.n; k++)
            assert_in_range(keep[k].v, 0, part[k].v);
    }
}

static void test_year_of_orders(void **state)
{
    struct made m;
    (void)state;
    for (head.unit = 1; head.unit <= 100; head.unit *= 100) {
        assert_int_equal(
            BUILD(
                &m, R(333, 333, 334),
                {.kind = CLAUSE_ENERGY, .party = GRID, .lines = 3, .rate = 61234},
                {.kind = CLAUSE_PERCENT, .party = OPERATOR, .lines = 7, .rate = 61},
                {.kind = CLAUSE_ORDER, .party = THIRD, .lines = 2, .rate = 33},
                {.kind = CLAUSE_AGENT, .party = AGENT, .parent = OWNER, .lines = 7, .rate = 1777},
                {.kind = CLAUSE_AGENT, .party = BELOW, .parent = AGENT, .lines = 7, .rate = 3333}),
            0);
        year(&m, (uint64_t)head.unit);
    }
    head.unit = 1;
}

static void test_rows_come_back(void **state)
{
    struct made m, again;
    struct split_result r;
    struct row_contract_clause rows[2];
    const struct split_input in = {.base = {{777}, {333}, {0}}, .energy_mwh = 1234};
    (void)state;
    assert_int_equal(
        BUILD(&m, R(5, 5), {.kind = CLAUSE_ENERGY, .party = GRID, .lines = 1, .rate = 60001},
              {.kind = CLAUSE_AGENT, .party = AGENT, .parent = OWNER, .lines = 3, .rate = 1234}),
        0);
    divide(&m, &in, &r);
    for (int i = 0; i < 2; i++)
        split_clause_row(&m.c, i, &rows[i]);
    assert_true(rows[0].residue_e != 0 && rows[1].residue_s != 0);
    again = m;
    assert_int_equal(split_terms_build(&again.c, &again.t, rows, 2, &again.fault), 0);
    assert_memory_equal(&again.t, &m.t, sizeof m.t);
}

/* ---- what no contract may say ---- */

static void test_refuses(void **state)
{
    const struct {
        int rc;
        struct row_contract_clause k[2];
    } bad[] = {
        {ERR_RANGE, {{.kind = 0, .party = 5, .lines = 1, .rate = 1}}},
        {ERR_RANGE, {{.kind = 10, .party = 5, .lines = 1, .rate = 1}}},
        {ERR_RANGE, {{.kind = CLAUSE_ENERGY, .lines = 1, .rate = 1}}},
        {ERR_RANGE, {{.kind = CLAUSE_ENERGY, .party = 5, .lines = 0, .rate = 1}}},
        {ERR_RANGE, {{.kind = CLAUSE_ENERGY, .party = 5, .lines = 8, .rate = 1}}},
        {ERR_RANGE, {{.kind = CLAUSE_ENERGY, .party = 5, .lines = 1, .rate = 0}}},
        {ERR_RANGE, {{.kind = CLAUSE_ENERGY, .party = 5, .lines = 1, .rate = 10000001}}},
        {ERR_RANGE, {{.kind = CLAUSE_ORDER, .party = 5, .lines = 1, .rate = -5}}},
        {ERR_RANGE, {{.kind = CLAUSE_PERCENT, .party = 5, .lines = 1, .rate = 10001}}},
        {ERR_RANGE, {{.kind = CLAUSE_PERCENT, .party = 5, .lines = 1, .rate = 1, .above = 1}}},
        {ERR_RANGE, {{.kind = CLAUSE_PERCENT, .party = 5, .parent = 6, .lines = 1, .rate = 1}}},
        {ERR_RANGE,
         {{.kind = CLAUSE_PERCENT, .party = 5, .lines = 3, .rate = 6000},
          {.kind = CLAUSE_PERCENT, .party = 6, .lines = 2, .rate = 4001}}},
        {ERR_RANGE, {{.kind = CLAUSE_AGENT, .party = AGENT, .lines = 1, .rate = 1}}},
        {ERR_RANGE,
         {{.kind = CLAUSE_AGENT, .party = AGENT, .parent = GRID, .lines = 1, .rate = 1}}},
        {ERR_CONFLICT,
         {{.kind = CLAUSE_AGENT, .party = AGENT, .parent = AGENT, .lines = 1, .rate = 1}}},
        {ERR_CONFLICT,
         {{.kind = CLAUSE_AGENT, .party = OWNER, .parent = OPERATOR, .lines = 1, .rate = 1}}},
        {ERR_CONFLICT,
         {{.kind = CLAUSE_AGENT, .party = AGENT, .parent = BELOW, .lines = 1, .rate = 1},
          {.kind = CLAUSE_AGENT, .party = BELOW, .parent = AGENT, .lines = 1, .rate = 1}}},
        {ERR_CONFLICT,
         {{.kind = CLAUSE_AGENT, .party = AGENT, .parent = OWNER, .lines = 1, .rate = 1},
          {.kind = CLAUSE_AGENT, .party = AGENT, .parent = OPERATOR, .lines = 2, .rate = 1}}},
        {ERR_RANGE,
         {{.kind = CLAUSE_AGENT, .party = AGENT, .parent = OWNER, .lines = 1, .rate = 6000},
          {.kind = CLAUSE_AGENT, .party = BELOW, .parent = OWNER, .lines = 1, .rate = 4001}}},
        {ERR_RANGE, /* 6:5 is another sum */
         {{.kind = CLAUSE_TIER, .party = OWNER, .lines = 1, .rate = 6, .above = 5}}},
        {ERR_RANGE, {{.kind = CLAUSE_TIER, .party = OWNER, .lines = 1, .rate = 5}}},
        {ERR_RANGE, {{.kind = CLAUSE_TIER, .party = GRID, .lines = 1, .rate = 5, .above = 5}}},
        {ERR_RANGE,
         {{.kind = CLAUSE_TIER, .party = OWNER, .lines = 1, .rate = 5, .above = 5},
          {.kind = CLAUSE_TIER_ENERGY, .party = OPERATOR, .lines = 1, .rate = 5, .above = 5}}},
        {ERR_CONFLICT,
         {{.kind = CLAUSE_TIER, .party = OWNER, .lines = 1, .rate = 5, .above = 5},
          {.kind = CLAUSE_TIER, .party = OWNER, .lines = 1, .rate = 4, .above = 5}}},
        {ERR_RANGE, {{.kind = CLAUSE_CAP, .party = OPERATOR, .rate = 5}}},
        {ERR_CONFLICT,
         {{.kind = CLAUSE_CAP, .party = OWNER, .rate = 5},
          {.kind = CLAUSE_CAP, .party = OWNER, .rate = 6}}},
        {ERR_RANGE,
         {{.kind = CLAUSE_GUARANTEE, .party = OWNER, .rate = 7},
          {.kind = CLAUSE_CAP, .party = OWNER, .rate = 6}}},
        {ERR_RANGE, {{.kind = CLAUSE_RENT, .party = OWNER, .rate = 0}}},
        {ERR_RANGE, {{.kind = CLAUSE_RENT, .party = OWNER, .rate = 1, .residue_e = 1}}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct made m;
        int rc = build(&m, (const int32_t[]){5, 5}, 2, bad[i].k, bad[i].k[1].kind ? 2 : 1);
        if (rc != bad[i].rc)
            fail_msg("row %zu: %d instead of %d (%s)", i, rc, bad[i].rc, m.fault.text);
        assert_true(m.fault.text[0] != 0);
        assert_null(m.c.terms);
    }
}

static void test_refuses_many(void **state)
{
    struct row_contract_clause k[SPLIT_CLAUSES_MAX + 1];
    struct made m;
    (void)state;
    for (int i = 0; i <= SPLIT_CLAUSES_MAX; i++)
        k[i] = (struct row_contract_clause){
            .kind = CLAUSE_ORDER, .party = 500 + i % 14, .lines = 1, .rate = 1};
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, SPLIT_CLAUSES_MAX), 0);
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, SPLIT_CLAUSES_MAX + 1), ERR_RANGE);
    k[14].party = 600; /* the seventeenth party */
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, SPLIT_CLAUSES_MAX), ERR_RANGE);
    for (int i = 0; i < 5; i++) {
        k[i] = (struct row_contract_clause){.kind = CLAUSE_AGENT,
                                            .party = 700 + i,
                                            .parent = i ? 699 + i : OWNER,
                                            .lines = 1,
                                            .rate = 100};
    }
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, 4), 0);
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, 5), ERR_RANGE);
    for (int i = 0; i < 5; i++)
        k[i] = (struct row_contract_clause){
            .kind = CLAUSE_TIER, .party = OWNER, .lines = 1, .rate = 5, .above = 5 + i};
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, 4), 0);
    assert_int_equal(build(&m, (const int32_t[]){5, 5}, 2, k, 5), ERR_RANGE);
}

int money_terms_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_purchased_electricity_first),
        cmocka_unit_test(test_cost_runs_over_lines),
        cmocka_unit_test(test_fixed_once_an_order),
        cmocka_unit_test(test_percent_of_the_line),
        cmocka_unit_test(test_rounding_rules),
        cmocka_unit_test(test_half_up_is_never_negative),
        cmocka_unit_test(test_agents_above_agents),
        cmocka_unit_test(test_tier_cuts_the_order),
        cmocka_unit_test(test_tier_by_energy),
        cmocka_unit_test(test_cap_goes_to_the_operator),
        cmocka_unit_test(test_month_end_by_time_in_force),
        cmocka_unit_test(test_year_of_orders),
        cmocka_unit_test(test_rows_come_back),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_refuses_many),
    };
    return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
