// SPDX-License-Identifier: Apache-2.0
/* core_contract_load.c: what a damaged file may say of contracts and their months: the program does not
 * start with it. Each case is one row beside those that the world wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "world.h"

static struct world world, *w = &world;

/* A contract whose owner gets no more than 0.80 a month, so that its month is kept. */
static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    struct cmd *c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    struct cmd_contract_put *in = &c->u.contract_put;
    (void)str_copy(in->name, 101, STR_LIT("capped"));
    in->family = w->contract;
    in->from_ms = 1;
    in->unit = 1;
    in->n = 2;
    in->party[0] = (struct contract_party_in){w->platform, 7, 5};
    in->party[1] = (struct contract_party_in){w->owner, 7, 5};
    in->clause[in->clauses++] =
        (struct contract_clause_in){.kind = CLAUSE_CAP, .party = w->owner, .rate = 8000};
    assert_int_equal(world_send(w, c), 0);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

struct extra {
    enum row_table table;
    const void *row;
};

/* A core that reads the world's contracts and these rows; what it says at the end of the catalogue. */
static int read_with(const struct extra *more, size_t n)
{
    static const enum row_table tables[] = {ROW_TENANT,          ROW_PARTY,
                                            ROW_CONTRACT,        ROW_CONTRACT_PARTY,
                                            ROW_CONTRACT_CLAUSE, ROW_CONTRACT_MONTH};
    core_free(w->core);
    world_core_new(w);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < w->rows_n; i++)
            if (w->rows[i].table == tables[t])
                assert_int_equal(core_load(w->core, tables[t], world_unpacked(w, &w->rows[i])), 0);
        for (size_t i = 0; i < n; i++)
            if (more[i].table == tables[t])
                assert_int_equal(core_load(w->core, tables[t], more[i].row), 0);
    }
    return core_load_sample(w->core, &(struct sample_record){.session = 1});
}

static const struct row_contract_month *month_kept(void)
{
    const struct row_contract_month *m = world_last(w, ROW_CONTRACT_MONTH);
    assert_non_null(m);
    return m;
}

static void test_months_that_fit_no_contract(void **state)
{
    (void)state;
    const struct row_contract_month good = *month_kept();
    struct row_contract_month bad = good;
    const struct extra one = {ROW_CONTRACT_MONTH, &bad};
    assert_int_equal(read_with(NULL, 0), 0);
    assert_int_equal(read_with(&one, 1), 0); /* the same again says nothing new */
    bad.family = 77;
    assert_int_equal(read_with(&one, 1), ERR_CORRUPT);
    bad = good;
    bad.month++;
    assert_int_equal(read_with(&one, 1), ERR_CORRUPT);
    bad = good;
    bad.party = 77;
    assert_int_equal(read_with(&one, 1), ERR_CORRUPT);
}

enum { RENTS = 12, VERSIONS = 3 };

/* The k-th version more of the world's contract, with rents of parties of its own: three have more than
 * a month counts. */
static int version_rows(int k, struct extra *at)
{
    static struct row_contract row[VERSIONS];
    static struct row_contract_party party[VERSIONS];
    static struct row_contract_clause rent[VERSIONS][RENTS];
    const int64_t id = w->contract + (k + 1) * INT64_C(1000000);
    row[k] = (struct row_contract){.id = id,
                                   .tenant = w->tenant,
                                   .family = w->contract,
                                   .name = "rents",
                                   .from_ms = k + 2,
                                   .operator= w->platform,
                                   .unit = 1};
    party[k] =
        (struct row_contract_party){.contract = id, .party = w->platform, .lines = 7, .ratio = 1};
    at[0] = (struct extra){ROW_CONTRACT, &row[k]};
    at[1] = (struct extra){ROW_CONTRACT_PARTY, &party[k]};
    for (int i = 0; i < RENTS; i++) {
        rent[k][i] = (struct row_contract_clause){.contract = id,
                                                  .seq = i + 1,
                                                  .kind = CLAUSE_RENT,
                                                  .party = 1000 * (k + 1) + i,
                                                  .rate = 10000};
        at[2 + i] = (struct extra){ROW_CONTRACT_CLAUSE, &rent[k][i]};
    }
    return 2 + RENTS;
}

static void test_more_parties_than_a_month_counts(void **state)
{
    struct extra more[VERSIONS * (2 + RENTS)];
    int n = 0;
    (void)state;
    for (int k = 0; k < VERSIONS; k++) {
        n += version_rows(k, more + n);
        assert_int_equal(read_with(more, (size_t)n), k + 1 < VERSIONS ? 0 : ERR_FULL);
    }
}

static void test_versions_that_cannot_be(void **state)
{
    struct row_contract row = {.id = w->contract + 1000000,
                               .tenant = w->tenant,
                               .family = w->contract,
                               .name = "bad",
                               .from_ms = 2,
                               .operator= w->platform,
                               .unit = 1};
    struct row_contract_party party = {
        .contract = row.id, .party = w->platform, .lines = 7, .ratio = 1};
    struct row_contract_clause clause = {
        .contract = row.id, .seq = 1, .kind = CLAUSE_RENT, .party = w->owner, .rate = 1};
    const struct extra more[] = {
        {ROW_CONTRACT, &row}, {ROW_CONTRACT_PARTY, &party}, {ROW_CONTRACT_CLAUSE, &clause}};
    (void)state;
    assert_int_equal(read_with(more, 3), 0);
    party.ratio = 0;
    assert_int_equal(read_with(more, 3), ERR_CORRUPT);
    party.ratio = 1;
    clause.kind = 99;
    assert_int_equal(read_with(more, 3), ERR_CORRUPT);
    assert_int_equal(read_with(more, 2), 0);
}

int core_contract_load(void);

int core_contract_load(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_months_that_fit_no_contract, up, down),
        cmocka_unit_test_setup_teardown(test_more_parties_than_a_month_counts, up, down),
        cmocka_unit_test_setup_teardown(test_versions_that_cannot_be, up, down),
    };
    return cmocka_run_group_tests_name("contract load", tests, NULL, NULL);
}
