// SPDX-License-Identifier: Apache-2.0
/* Splits: exact sums, never negative, drift within one posting unit for a million orders; refunds
 * by divisor apportionment never credit anybody and end at zero. Exhaustive for small amounts and
 * small tables. */
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "core/split.h"
#include "unit/core/money.h"

struct table {
    const char *name;
    int n;
    int32_t ratio[8];
};

static const struct table tables[] = {
    {"5:5", 2, {5, 5}},
    {"70/20/10", 3, {70, 20, 10}},
    {"333/333/334", 3, {333, 333, 334}},
    {"50/45/5", 3, {50, 45, 5}},
    {"1/1/1/1/1/1/1", 7, {1, 1, 1, 1, 1, 1, 1}},
    {"997/1/1/1", 4, {997, 1, 1, 1}},
    {"one", 1, {3}},
};

static struct split_contract contract_of(int n, const int32_t *ratio, int64_t unit)
{
    struct row_contract row = {.id = 1, .tenant = 1, .family = 1, .unit = unit};
    struct row_contract_party p[SPLIT_PARTIES_MAX] = {0};
    struct split_contract c;
    for (int i = 0; i < n; i++)
        p[i] = (struct row_contract_party){
            .contract = 1, .seq = i, .party = 100 + i, .lines = 7, .ratio = ratio[i]};
    assert_int_equal(split_build(&c, &row, p, (size_t)n), 0);
    return c;
}

static int64_t part_sum(const struct split_result *r, int32_t kind)
{
    int64_t sum = 0;
    for (int i = 0; i < r->n; i++)
        if (r->part[i].kind == kind) {
            assert_true(r->part[i].amount.v >= 0);
            sum += r->part[i].amount.v;
        }
    return sum;
}

static int64_t total_ratio(const struct split_contract *c)
{
    int64_t sum = 0;
    for (int i = 0; i < c->n; i++)
        sum += c->party[i].ratio;
    return sum;
}

/** |got - ideal| of every party, by the residue, is below one posting unit. */
static void check_drift(const struct split_contract *c, int line)
{
    int64_t sum = 0, one = total_ratio(c) * c->unit;
    for (int i = 0; i < c->n; i++) {
        assert_true(c->party[i].residue[line] < one);
        assert_true(c->party[i].residue[line] > -one);
        sum += c->party[i].residue[line];
    }
    assert_int_equal(sum, 0);
}

static void split_once(struct split_contract *c, int64_t elec, int64_t service)
{
    struct split_input base = {.base = {MONEY(elec), MONEY(service), MONEY_ZERO}};
    struct split_result r;
    assert_int_equal(split_compute(c, &base, &r), 0);
    assert_int_equal(part_sum(&r, FEE_ELECTRICITY), elec);
    assert_int_equal(part_sum(&r, FEE_SERVICE), service);
    split_commit(c, &r);
}

/* blnk 73/72: 2.50 split 50/45/5. */
static void test_defect_two_fifty(void **state)
{
    (void)state;
    struct split_contract c = contract_of(3, tables[3].ratio, 1);
    struct split_input base = {.base = {MONEY(25000), MONEY_ZERO, MONEY_ZERO}};
    struct split_result r;
    assert_int_equal(split_compute(&c, &base, &r), 0);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.part[0].amount.v, 12500);
    assert_int_equal(r.part[1].amount.v, 11250);
    assert_int_equal(r.part[2].amount.v, 1250);
    c = contract_of(3, tables[3].ratio, 100); /* in fen: 12.5 fen and 112.5 fen cannot be */
    assert_int_equal(split_compute(&c, &base, &r), 0);
    assert_int_equal(part_sum(&r, FEE_ELECTRICITY), 25000);
    for (int i = 0; i < r.n; i++)
        assert_int_equal(r.part[i].amount.v % 100, 0);
}

static void test_four_yuan_half_half(void **state)
{
    (void)state;
    struct split_contract c = contract_of(2, tables[0].ratio, 100);
    struct split_input base = {.base = {MONEY(40000), MONEY_ZERO, MONEY_ZERO}};
    struct split_result r;
    assert_int_equal(split_compute(&c, &base, &r), 0);
    assert_int_equal(r.part[0].amount.v, 20000);
    assert_int_equal(r.part[1].amount.v, 20000);
    assert_int_equal(r.part[1].ratio_sum, 10);
    assert_int_equal(r.part[1].base.v, 40000);
}

static void test_odd_fen_alternate(void **state)
{
    (void)state;
    struct split_contract c = contract_of(2, tables[0].ratio, 100);
    struct split_input base = {.base = {MONEY(100), MONEY_ZERO, MONEY_ZERO}};
    int64_t first = 0;
    for (int i = 0; i < 10; i++) {
        struct split_result r;
        assert_int_equal(split_compute(&c, &base, &r), 0);
        first += r.part[0].amount.v;
        split_commit(&c, &r);
    }
    assert_int_equal(first, 500);
}

static void test_exhaustive_small_amounts(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (int64_t unit = 1; unit <= 100; unit *= 100) {
            struct split_contract c = contract_of(tables[t].n, tables[t].ratio, unit);
            for (int64_t amount = 0; amount <= 2000; amount++) {
                split_once(&c, amount, 2000 - amount);
                check_drift(&c, 0);
                check_drift(&c, 1);
            }
        }
}

/** Every table of three with denominator <= 12, amounts 1 … 12 in every order of a walk. */
static void test_exhaustive_small_tables(void **state)
{
    (void)state;
    for (int32_t sum = 3; sum <= 12; sum++)
        for (int32_t a = 1; a < sum - 1; a++)
            for (int32_t b = 1; a + b < sum; b++) {
                const int32_t ratio[3] = {a, b, sum - a - b};
                struct split_contract c = contract_of(3, ratio, 1);
                for (int64_t i = 0; i < 200; i++) {
                    split_once(&c, 1 + i * 7 % 12, 1 + i * 5 % 12);
                    check_drift(&c, 0);
                    check_drift(&c, 1);
                }
            }
}

static void test_drift_of_a_million_orders(void **state)
{
    (void)state;
    struct rng rng = {42};
    for (size_t t = 0; t < 5; t++) {
        struct split_contract c = contract_of(tables[t].n, tables[t].ratio, 100);
        int64_t got[8] = {0}, paid = 0, all = total_ratio(&c);
        for (int i = 0; i < 1000000; i++) {
            int64_t amount = rng_range(&rng, 1, 9000) * 100;
            struct split_input base = {.base = {MONEY(amount), MONEY_ZERO, MONEY_ZERO}};
            struct split_result r;
            if (split_compute(&c, &base, &r))
                fail();
            for (int k = 0; k < r.n; k++)
                got[k] += r.part[k].amount.v;
            paid += amount;
            split_commit(&c, &r);
        }
        check_drift(&c, 0);
        for (int k = 0; k < c.n; k++) {
            int64_t drift = got[k] * all - paid * c.party[k].ratio;
            assert_int_equal(drift, -c.party[k].residue[0]);
            assert_true(drift < all * 100 && drift > -all * 100);
        }
    }
}

/** Sixteen parties of random ratios and amounts of any size: sums and signs always; drift once each
 * part can lend a unit. */
static void test_random_contracts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rng rng = {seed};
        int32_t ratio[SPLIT_PARTIES_MAX];
        int n = (int)rng_range(&rng, 1, SPLIT_PARTIES_MAX);
        int64_t unit = rng_below(&rng, 2) ? 1 : 100, least = INT64_MAX;
        for (int i = 0; i < n; i++)
            ratio[i] = (int32_t)rng_range(&rng, 1, seed % 3 ? 1000 : SPLIT_RATIO_MAX);
        struct split_contract c = contract_of(n, ratio, unit);
        for (int i = 0; i < n; i++)
            if (ratio[i] < least)
                least = ratio[i];
        for (int i = 0; i < 300; i++) {
            split_once(&c, rng_range(&rng, 0, 50), rng_range(&rng, 0, SPLIT_AMOUNT_MAX));
            split_once(&c, total_ratio(&c) / least * unit * 3 + rng_range(&rng, 0, 50), 0);
            check_drift(&c, 0);
        }
    }
}

static void test_lines_have_their_own_parties(void **state)
{
    (void)state;
    struct row_contract row = {.id = 1, .unit = 1};
    struct row_contract_party p[3] = {
        {.contract = 1, .seq = 0, .party = 10, .lines = 1, .ratio = 1},
        {.contract = 1, .seq = 1, .party = 10, .lines = 2, .ratio = 3},
        {.contract = 1, .seq = 2, .party = 20, .lines = 2, .ratio = 1},
    };
    struct split_contract c;
    struct split_result r;
    assert_int_equal(split_build(&c, &row, p, 3), 0);
    struct split_input base = {.base = {MONEY(1000), MONEY(400), MONEY_ZERO}};
    assert_int_equal(split_compute(&c, &base, &r), 0);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.part[0].amount.v, 1000);
    assert_int_equal(r.part[1].amount.v, 300);
    assert_int_equal(r.part[2].amount.v, 100);
    base.base[2] = MONEY(1);
    assert_int_equal(split_compute(&c, &base, &r), ERR_NOT_FOUND);
    base.base[2] = MONEY_ZERO;
    base.base[0] = MONEY(-1);
    assert_int_equal(split_compute(&c, &base, &r), ERR_RANGE);
}

static void test_build_refuses(void **state)
{
    (void)state;
    struct row_contract row = {.id = 1, .unit = 1};
    struct row_contract_party p[2] = {
        {.contract = 1, .seq = 0, .party = 10, .lines = 7, .ratio = 1},
        {.contract = 1, .seq = 1, .party = 20, .lines = 7, .ratio = 1},
    };
    struct split_contract c;
    assert_int_equal(split_build(&c, &row, p, 0), ERR_RANGE);
    p[1].ratio = 0;
    assert_int_equal(split_build(&c, &row, p, 2), ERR_RANGE);
    p[1].ratio = 1;
    p[1].party = 10;
    assert_int_equal(split_build(&c, &row, p, 2), ERR_CONFLICT);
    p[1].party = 20;
    p[1].seq = 0;
    assert_int_equal(split_build(&c, &row, p, 2), ERR_CONFLICT);
    p[1].seq = 1;
    p[1].residue_e = 1;
    assert_int_equal(split_build(&c, &row, p, 2), ERR_RANGE);
    p[0].residue_e = -1;
    assert_int_equal(split_build(&c, &row, p, 2), 0);
    row.unit = 0;
    assert_int_equal(split_build(&c, &row, p, 2), ERR_RANGE);
    row.unit = 1;
    p[0].lines = p[1].lines = 1; /* nobody for service */
    p[0].residue_e = p[1].residue_e = 0;
    assert_int_equal(split_build(&c, &row, p, 2), ERR_RANGE);
}

/* The i-th thing that no contract may say. */
static void spoil(int i, struct row_contract *row, struct row_contract_party p[2])
{
    switch (i) {
    case 0:
        p[0].ratio = -1;
        break;
    case 1:
        p[0].ratio = SPLIT_RATIO_MAX + 1;
        break;
    case 2:
        p[0].lines = 0;
        break;
    case 3:
        p[0].lines = 8 | 7;
        break;
    case 4:
        p[0].party = 0;
        break;
    case 5:
        p[0].contract = 2;
        break;
    case 6:
        p[0].seq = -1;
        break;
    case 7:
        p[1].seq = 2;
        break;
    case 8:
        row->unit = MONEY_UNIT + 1;
        break;
    case 9:
        row->rounding = ROUND_LARGEST + 1;
        break;
    case 10:
        p[0].residue_e = 1000, p[1].residue_e = -1000;
        break;
    case 11:
        p[1].residue_e = 1000, p[0].residue_e = -1000;
        break;
    case 12:
        p[0].lines = 1, p[0].residue_s = 5, p[1].residue_s = -5;
        break;
    case 13:
        row->unit = 0;
        break;
    case 14:
        row->unit = -1;
        break;
    case 15:
        row->from_ms = -1;
        break;
    case 16:
        row->rounding = ROUND_DEFICIT - 1;
        break;
    case 17:
        row->gift_rule = GIFT_EXCLUDED - 1;
        break;
    case 18:
        row->gift_rule = GIFT_FUNDED + 1;
        break;
    default:
        p[0].lines = p[1].lines = 2;
        break; /* nobody for electricity */
    }
}

/* Each bound of a contract, alone. */
static void test_build_refuses_each(void **state)
{
    const struct row_contract row = {.id = 1, .unit = 1};
    const struct row_contract_party good[2] = {
        {.contract = 1, .seq = 0, .party = 10, .lines = 7, .ratio = 1},
        {.contract = 1, .seq = 1, .party = 20, .lines = 7, .ratio = 1},
    };
    struct row_contract_party p[SPLIT_PARTIES_MAX + 1];
    struct split_contract c;
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct row_contract r = row;
        memcpy(p, good, sizeof good);
        spoil(i, &r, p);
        assert_int_equal(split_build(&c, &r, p, 2), ERR_RANGE);
        assert_true(i != 6 || c.n == 2); /* a place below the first is not written to */
    }
    for (int i = 0; i <= SPLIT_PARTIES_MAX; i++)
        p[i] = (struct row_contract_party){
            .contract = 1, .seq = i, .party = 10 + i, .lines = 7, .ratio = 1};
    assert_int_equal(split_build(&c, &row, p, SPLIT_PARTIES_MAX + 1), ERR_RANGE);
    assert_int_equal(split_build(&c, &row, p, SPLIT_PARTIES_MAX), 0);
    /* Of three, one alone may be too far ahead or behind: 16 ratio sums are 48. */
    for (int64_t sign = -1; sign <= 1; sign += 2) {
        p[0].residue_e = 50 * sign;
        p[1].residue_e = p[2].residue_e = -25 * sign;
        assert_int_equal(split_build(&c, &row, p, 3), ERR_RANGE);
    }
    const struct split_input much = {.base = {MONEY(SPLIT_AMOUNT_MAX + 1)}};
    struct split_result out;
    assert_int_equal(split_build(&c, &row, good, 2), 0);
    assert_int_equal(split_compute(&c, &much, &out), ERR_RANGE);
    struct split_input energy = {.base = {MONEY(10)}, .energy_mwh = -1};
    assert_int_equal(split_compute(&c, &energy, &out), ERR_RANGE);
    energy.energy_mwh = SPLIT_ENERGY_MAX + 1;
    assert_int_equal(split_compute(&c, &energy, &out), ERR_RANGE);
    energy.energy_mwh = SPLIT_ENERGY_MAX;
    assert_int_equal(split_compute(&c, &energy, &out), 0);
}

static void test_rows_round_trip(void **state)
{
    (void)state;
    struct split_contract c = contract_of(3, tables[2].ratio, 100), again;
    struct row_contract row = {.id = 1, .tenant = 1, .family = 1, .unit = 100};
    struct row_contract_party p[3];
    split_once(&c, 1700, 2300);
    for (int i = 0; i < 3; i++)
        split_party_row(&c, i, &p[i]);
    assert_int_equal(split_build(&again, &row, p, 3), 0);
    assert_memory_equal(&c, &again, sizeof c);
}

/* ---- refunds ---- */

static void refund_walk(const struct money *part, size_t n, int64_t step)
{
    struct money now[SPLIT_PARTS_MAX], next[SPLIT_PARTS_MAX];
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += part[i].v;
    assert_int_equal(split_remain(part, n, MONEY(sum), now), 0);
    assert_memory_equal(now, part, n * sizeof part[0]);
    for (int64_t rest = sum - step; rest > -step; rest -= step) {
        int64_t left = rest < 0 ? 0 : rest, got = 0;
        assert_int_equal(split_remain(part, n, MONEY(left), next), 0);
        for (size_t i = 0; i < n; i++) {
            assert_in_range(next[i].v, 0, now[i].v); /* nobody is ever credited by a refund */
            got += next[i].v;
            now[i] = next[i];
        }
        assert_int_equal(got, left);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(now[i].v, 0);
}

static void test_refunds_never_credit(void **state)
{
    (void)state;
    const struct money parts[][4] = {
        {{20000}, {20000}},         {{1}, {1}, {1}},
        {{700}, {200}, {100}},      {{333}, {333}, {334}},
        {{12500}, {11250}, {1250}}, {{0}, {5}, {0}, {7}},
        {{997}, {1}, {1}, {1}},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        refund_walk(parts[i], 4, 1);
        refund_walk(parts[i], 4, 17);
    }
}

static void test_refunds_exhaustive_small(void **state)
{
    (void)state;
    for (int64_t a = 0; a <= 12; a++)
        for (int64_t b = 0; b <= 12; b++)
            for (int64_t c = 0; c <= 12; c++) {
                const struct money part[3] = {{a}, {b}, {c}};
                refund_walk(part, 3, 1);
            }
}

static void test_refunds_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rng rng = {seed};
        struct money part[SPLIT_PARTIES_MAX];
        size_t n = 1 + rng_below(&rng, SPLIT_PARTIES_MAX);
        for (size_t i = 0; i < n; i++)
            part[i] = MONEY(rng_range(&rng, 0, 1 << rng_below(&rng, 20)));
        refund_walk(part, n, 1 + (int64_t)rng_below(&rng, 5000) * (int64_t)n / 4 + 200);
    }
}

static void test_refund_refuses(void **state)
{
    (void)state;
    const struct money part[2] = {{5}, {5}};
    struct money out[2];
    assert_int_equal(split_remain(part, 2, MONEY(11), out), ERR_RANGE);
    assert_int_equal(split_remain(part, 2, MONEY(-1), out), ERR_RANGE);
    const struct money bad[2] = {{-5}, {5}};
    assert_int_equal(split_remain(bad, 2, MONEY(0), out), ERR_RANGE);
    const struct money much[2] = {{SPLIT_AMOUNT_MAX + 1}, {5}};
    assert_int_equal(split_remain(much, 2, MONEY(0), out), ERR_RANGE);
    static const struct money many[SPLIT_PARTS_MAX + 1];
    assert_int_equal(split_remain(many, SPLIT_PARTS_MAX + 1, MONEY(0), out), ERR_RANGE);
}

int money_split_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defect_two_fifty),
        cmocka_unit_test(test_four_yuan_half_half),
        cmocka_unit_test(test_odd_fen_alternate),
        cmocka_unit_test(test_exhaustive_small_amounts),
        cmocka_unit_test(test_exhaustive_small_tables),
        cmocka_unit_test(test_drift_of_a_million_orders),
        cmocka_unit_test(test_random_contracts),
        cmocka_unit_test(test_lines_have_their_own_parties),
        cmocka_unit_test(test_build_refuses),
        cmocka_unit_test(test_build_refuses_each),
        cmocka_unit_test(test_rows_round_trip),
        cmocka_unit_test(test_refunds_never_credit),
        cmocka_unit_test(test_refunds_exhaustive_small),
        cmocka_unit_test(test_refunds_random),
        cmocka_unit_test(test_refund_refuses),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
