// SPDX-License-Identifier: Apache-2.0
/* test_query.c: named SQL: every statement is run, snapshots hold, callbacks decide. */
#include "test_store.h"

#include "base/err.h"
#include "io/db/db.h"
#include "store/query.h"

static int count(void *ctx, const struct sql_value *v, size_t n)
{
    (void)v;
    assert_true(n > 0);
    ++*(int *)ctx;
    return 0;
}

static int stop_now(void *ctx, const struct sql_value *v, size_t n)
{
    (void)ctx;
    (void)v;
    (void)n;
    return 55;
}

/* Runs each statement with numbers and texts that some rows have. */
static void every_statement_runs(void **state)
{
    struct box *b = *state;
    struct store_reader *r;
    struct rng rng = {41};
    struct arena a;
    char row[1024];
    arena_init(&a, 1 << 20);
    box_open(b);
    for (int t = 1; t < ROW_TABLE_N; t++) {
        row_random(&rng, (enum row_table)t, &a, row, true);
        if (t != ROW_METER_BLOCK && t != ROW_CHAIN) /* their bytes would have to mean something */
            row_pack(&b->rows, (enum row_table)t, ROW_INSERT, row);
    }
    box_commit(b);
    assert_int_equal(store_reader_open(b->store, &r), 0);
    for (int q = 0; q < QUERY_N; q++) {
        const struct query_meta *m = &query_metas[q];
        struct sql_value v[QUERY_COLUMNS_MAX];
        int rows = 0;
        for (uint32_t i = 0; i < m->params_n; i++)
            v[i] = m->params[i].kind == COLUMN_TEXT   ? SQL_TEXT(STR_LIT("text"))
                   : m->params[i].kind == COLUMN_BLOB ? SQL_BLOB(STR_LIT("blob"))
                                                      : SQL_I64(1);
        if (m->shape == QUERY_EXEC)
            continue; /* the store's own: run by migrate */
        int rc = store_query(r, (enum query)q, v, m->params_n, count, &rows);
        assert_true(rc == 0 || (rc == ERR_NOT_FOUND && m->shape == QUERY_ONE && rows == 0));
    }
    store_reader_close(r);
    arena_free(&a);
}

static void fact_put(struct box *b, const char *name, const char *value)
{
    const struct row_fact row = {.name = name, .value = value};
    row_pack(&b->rows, ROW_FACT, ROW_UPSERT, &row);
    box_commit(b);
}

static void a_reader_keeps_its_snapshot(void **state)
{
    struct box *b = *state;
    struct store_reader *r;
    const struct sql_value name = SQL_TEXT(STR_LIT("a"));
    int n = 0;
    box_open(b);
    assert_int_equal(store_reader_open(b->store, &r), 0);
    assert_int_equal(store_reader_begin(r), 0);
    fact_put(b, "a", "1");
    assert_int_equal(store_query(r, QUERY_FACT_GET, &name, 1, count, &n), ERR_NOT_FOUND);
    store_reader_end(r);
    assert_int_equal(store_query(r, QUERY_FACT_GET, &name, 1, count, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(store_query(r, QUERY_FACT_GET, &name, 1, stop_now, &n), 55);
    /* Again after it was ended in the middle. */
    assert_int_equal(store_query(r, QUERY_FACT_GET, &name, 1, count, &n), 0);
    store_reader_close(r);
}

static void the_declared_names_are_ours(void **state)
{
    (void)state;
    for (int q = 0; q < QUERY_N; q++) {
        const struct query_meta *m = &query_metas[q];
        assert_non_null(m->sql[DB_SQLITE]);
        assert_non_null(m->sql[DB_POSTGRES]);
        assert_true((m->shape == QUERY_EXEC) == (m->columns_n == 0));
        assert_null(strchr(m->sql[DB_SQLITE], ';'));
    }
}

int query_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_statement_runs, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_reader_keeps_its_snapshot, box_make, box_drop),
        cmocka_unit_test(the_declared_names_are_ours),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
