// SPDX-License-Identifier: Apache-2.0
/* test_rows.c: packed rows, for every table: round trip, cut bytes, changed bytes. */
#include "test_store.h"

#include "base/err.h"

union room {
    int64_t align;
    char bytes[1024];
};

static struct cursor over(const struct buf *b)
{
    return (struct cursor){(const uint8_t *)b->p, (const uint8_t *)b->p + b->n};
}

static void unpack_same(struct cursor *c, struct arena *a, enum row_table t, enum row_op op,
                        const void *row)
{
    enum row_table t2;
    enum row_op op2;
    void *row2;
    assert_int_equal(row_unpack(c, a, &t2, &op2, &row2), 0);
    assert_int_equal(t2, t);
    assert_int_equal(op2, op);
    row_same(t, row, row2);
}

static void every_table_survives_packing(void **state)
{
    (void)state;
    struct rng r = {11};
    struct arena a;
    struct buf b;
    arena_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    for (int round = 0; round < 50; round++) {
        for (int t = 1; t < ROW_TABLE_N; t++) {
            union room one, two;
            assert_true(row_metas[t].size <= sizeof one.bytes);
            row_random(&r, (enum row_table)t, &a, &one, false);
            row_random(&r, (enum row_table)t, &a, &two, true);
            buf_reset(&b);
            row_pack(&b, (enum row_table)t, ROW_UPSERT, &one);
            row_pack(&b, (enum row_table)t, ROW_DELETE, &two);
            assert_int_equal(b.err, 0);
            struct cursor c = over(&b);
            unpack_same(&c, &a, (enum row_table)t, ROW_UPSERT, &one);
            unpack_same(&c, &a, (enum row_table)t, ROW_DELETE, &two);
            assert_ptr_equal(c.p, c.end);
            arena_reset(&a);
        }
    }
    arena_free(&a);
    buf_free(&b);
}

static void missing_texts_are_empty(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    arena_init(&a, 1 << 16);
    buf_init(&b, 1 << 16);
    const struct row_fact row = {0};
    row_pack(&b, ROW_FACT, ROW_INSERT, &row);
    struct cursor c = over(&b);
    enum row_table t;
    enum row_op op;
    void *got;
    assert_int_equal(row_unpack(&c, &a, &t, &op, &got), 0);
    assert_string_equal(((struct row_fact *)got)->name, "");
    arena_free(&a);
    buf_free(&b);
}

static void cut_bytes_are_refused(void **state)
{
    (void)state;
    struct rng r = {12};
    struct arena a;
    struct buf b;
    union room row;
    arena_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    row_random(&r, ROW_ORDERS, &a, &row, false);
    row_pack(&b, ROW_ORDERS, ROW_UPSERT, &row);
    for (size_t n = 0; n < b.n; n++) {
        struct cursor c = {(const uint8_t *)b.p, (const uint8_t *)b.p + n}, before = c;
        enum row_table t;
        enum row_op op;
        void *got;
        assert_int_equal(row_unpack(&c, &a, &t, &op, &got), ERR_SYNTAX);
        assert_ptr_equal(c.p, before.p);
    }
    struct arena tiny;
    struct cursor c = over(&b);
    enum row_table t;
    enum row_op op;
    void *got;
    arena_init(&tiny, 100);
    assert_int_equal(row_unpack(&c, &tiny, &t, &op, &got), ERR_TOO_LARGE);
    arena_free(&tiny);
    arena_free(&a);
    buf_free(&b);
}

/* Whatever the bytes are, nothing outside them is read (the sanitizers watch) and an error is an
 * error. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    struct rng r = {13};
    struct arena a;
    struct buf b;
    union room row;
    arena_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    for (int round = 0; round < 20000; round++) {
        enum row_table t = (enum row_table)rng_range(&r, 1, ROW_TABLE_N - 1);
        enum row_op op;
        void *got;
        buf_reset(&b);
        arena_reset(&a);
        row_random(&r, t, &a, &row, true);
        row_pack(&b, t, ROW_UPSERT, &row);
        for (int i = 0; i < 3; i++)
            b.p[rng_below(&r, b.n)] = (char)rng_below(&r, 256);
        struct cursor c = over(&b);
        int rc = row_unpack(&c, &a, &t, &op, &got);
        assert_true(rc == 0 || rc == ERR_SYNTAX || rc == ERR_TOO_LARGE);
        assert_true(c.p <= c.end);
    }
    arena_free(&a);
    buf_free(&b);
}

int rows_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_survives_packing),
        cmocka_unit_test(missing_texts_are_empty),
        cmocka_unit_test(cut_bytes_are_refused),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
