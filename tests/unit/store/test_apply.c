// SPDX-License-Identifier: Apache-2.0
/* test_apply.c: a batch with many rows of each table, upserts, inserts, updates and deletions of few
 * keys in any order, leaves what a list kept beside it says; and a batch with one bad row leaves nothing. */
#include "test_store.h"

#include "base/err.h"
#include "base/must.h"
#include "io/db/db.h"
#include "store/rowio.h"

enum { KEYS = 12, ROWS = 150 };

/* What the table must hold: one row a key, by the number in its key columns. */
struct expected {
    union rowio_room row[KEYS];
    bool there[KEYS];
};

static const char *const key_texts[KEYS] = {"a", "b", "c", "d", "e", "f",
                                            "g", "h", "i", "j", "k", "l"};

static void column_number(const struct row_column *k, void *row, int64_t v)
{
    int32_t small = (int32_t)v;
    char *at = (char *)row + k->offset;
    if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL)
        memcpy(at, &small, sizeof small);
    else
        memcpy(at, &v, sizeof v);
}

static void key_set(enum row_table t, void *row, int key)
{
    for (uint32_t i = 0; i < row_metas[t].n; i++) {
        const struct row_column *k = &row_metas[t].columns[i];
        if (!k->pk)
            continue;
        if (k->kind == COLUMN_TEXT)
            memcpy((char *)row + k->offset, &key_texts[key], sizeof key_texts[key]);
        else
            column_number(k, row, key + 1);
    }
}

/* Whatever a table wants to be unique is: its ids and texts are numbers that never come twice. */
static void row_unique(struct arena *a, enum row_table t, void *row)
{
    static int64_t last;
    struct str text;
    char digits[24];
    last++;
    snprintf(digits, sizeof digits, "%lld", (long long)last);
    text = str_from_c(digits);
    const char *copy = arena_copy(a, text);
    assert_non_null(copy);
    for (uint32_t i = 0; i < row_metas[t].n; i++) {
        const struct row_column *k = &row_metas[t].columns[i];
        if (k->kind == COLUMN_ID)
            column_number(k, row, last);
        else if (k->kind == COLUMN_TEXT && k->max >= text.n)
            memcpy((char *)row + k->offset, &copy, sizeof copy);
    }
}

static int64_t column_value(const struct row_column *k, const void *row)
{
    int64_t v;
    memcpy(&v, (const char *)row + k->offset, sizeof v);
    return v;
}

/* An upsert over a row that is there: sums add, and the tenant of a day stays (it is `fixed`). */
static void expect_over(enum row_table t, union rowio_room *old, const union rowio_room *row)
{
    union rowio_room next = *row;
    bool adds = false;
    for (uint32_t i = 0; i < row_metas[t].n; i++) {
        const struct row_column *k = &row_metas[t].columns[i];
        adds |= k->sum;
        if (k->sum)
            column_number(k, &next, column_value(k, old) + column_value(k, row));
    }
    if (adds)
        ((struct row_stat_day *)(void *)&next)->tenant =
            ((const struct row_stat_day *)(const void *)old)->tenant;
    *old = next;
}

static bool has_hot(enum row_table t)
{
    bool hot = false;
    for (uint32_t i = 0; i < row_metas[t].n; i++)
        hot |= row_metas[t].columns[i].hot;
    return hot;
}

/* What an update promises: only hot columns differ from what is there. */
static void cold_keep(enum row_table t, union rowio_room *row, const union rowio_room *old)
{
    union rowio_room next = *old;
    for (uint32_t i = 0; i < row_metas[t].n; i++)
        if (row_metas[t].columns[i].hot)
            column_number(&row_metas[t].columns[i], &next,
                          column_value(&row_metas[t].columns[i], row));
    *row = next;
}

static void table_fill(struct box *b, struct rng *rng, struct arena *a, enum row_table t,
                       struct expected *x)
{
    for (int i = 0; i < ROWS; i++) {
        union rowio_room row = {0};
        int key = (int)rng_below(rng, KEYS);
        row_random(rng, t, a, &row, true);
        row_unique(a, t, &row);
        key_set(t, &row, key);
        enum row_op op = !x->there[key] && rng_below(rng, 2) ? ROW_INSERT : ROW_UPSERT;
        if (x->there[key] && rng_below(rng, 6) == 0)
            op = ROW_DELETE;
        else if (x->there[key] && rng_below(rng, 3) == 0)
            op = ROW_UPDATE;
        if (op == ROW_UPDATE && has_hot(t))
            cold_keep(t, &row, &x->row[key]);
        row_pack(&b->rows, t, op, &row);
        if ((op == ROW_UPSERT || op == ROW_UPDATE) && x->there[key])
            expect_over(t, &x->row[key], &row);
        else
            x->row[key] = row;
        x->there[key] = op != ROW_DELETE;
    }
}

static void table_same(struct db *db, enum row_table t, const struct expected *x)
{
    char sql[80];
    struct db_stmt *st;
    union rowio_room row;
    snprintf(sql, sizeof sql, "SELECT * FROM %s", row_metas[t].name);
    assert_int_equal(db_prepare(db, sql, &st), 0);
    for (int key = 0; key < KEYS; key++) {
        if (!x->there[key])
            continue;
        assert_int_equal(db_step(st), 1);
        rowio_read(st, t, &row);
        row_same(t, &row, &x->row[key]);
    }
    assert_int_equal(db_step(st), 0);
    db_finish(st);
}

static void a_batch_is_applied_as_its_rows_say(void **state)
{
    static struct expected x[ROW_TABLE_N];
    struct box *b = *state;
    struct arena a;
    struct db *db;
    struct rng rng = {2026};
    memset(x, 0, sizeof x);
    arena_init(&a, (size_t)64 << 20);
    box_open(b);
    for (int batch = 0; batch < 3; batch++) {
        for (int t = 1; t < ROW_TABLE_N; t++)
            if (t != ROW_FACT && t != ROW_CHAIN) /* the store's own */
                table_fill(b, &rng, &a, (enum row_table)t, &x[t]);
        box_commit(b);
    }
    const struct db_config config = {.path = box_path(b, "even.db"), .mode = DB_READER};
    assert_int_equal(db_open(&config, &db), 0);
    for (int t = 1; t < ROW_TABLE_N; t++)
        if (t != ROW_FACT && t != ROW_CHAIN)
            table_same(db, (enum row_table)t, &x[t]);
    db_close(db);
    arena_free(&a);
}

/* An account stands in two tables: all operations keep them together. */
static void both_parts_are_written(void **state)
{
    struct box *b = *state;
    struct row_account row = {.id = 5, .tenant = 1, .currency = "CNY", .posted_in = 7};
    box_open(b);
    row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT, &row);
    box_commit(b);
    row.posted_in = 9;
    row.tenant = 2; /* an update leaves it alone */
    row_pack(&b->rows, ROW_ACCOUNT, ROW_UPDATE, &row);
    box_commit(b);
    assert_int_equal(box_number(b, "SELECT posted_in FROM account WHERE id = 5 AND tenant = 1"), 9);
    assert_int_equal(box_number(b, "SELECT count(*) FROM account_cold"), 1);
    row_pack(&b->rows, ROW_ACCOUNT, ROW_DELETE, &row);
    box_commit(b);
    assert_int_equal(box_number(b, "SELECT count(*) FROM account_cold"), 0);
    assert_int_equal(box_number(b, "SELECT count(*) FROM account_hot"), 0);
}

static void hold_pack(struct box *b, int64_t id)
{
    const struct row_hold row = {.id = id, .order_id = id, .amount = 5};
    row_pack(&b->rows, ROW_HOLD, ROW_INSERT, &row);
}

static void a_batch_with_a_bad_row_leaves_nothing(void **state)
{
    struct box *b = *state;
    box_open(b);
    hold_pack(b, 7);
    box_commit(b);
    for (int i = 1; i < 20; i++)
        hold_pack(b, i); /* 7 is there */
    assert_int_equal(store_commit(b->store, buf_str(&b->rows), STR_NONE), ERR_CONFLICT);
    assert_int_equal(box_number(b, "SELECT count(*) FROM hold"), 1);
    buf_reset(&b->rows);
    for (int i = 1; i < 6; i++)
        hold_pack(b, 100 + i);
    b->rows.p[b->rows.n - 1] = (char)0x80; /* a number without its end */
    assert_int_equal(store_commit(b->store, buf_str(&b->rows), STR_NONE), ERR_SYNTAX);
    assert_int_equal(box_number(b, "SELECT count(*) FROM hold"), 1);
    buf_reset(&b->rows);
    hold_pack(b, 8);
    box_commit(b);
    assert_int_equal(box_number(b, "SELECT count(*) FROM hold"), 2);
}

int apply_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_applied_as_its_rows_say, box_make, box_drop),
        cmocka_unit_test_setup_teardown(both_parts_are_written, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_batch_with_a_bad_row_leaves_nothing, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
