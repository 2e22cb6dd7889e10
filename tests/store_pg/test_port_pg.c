// SPDX-License-Identifier: Apache-2.0
/* test_port_pg.c: the database port on PostgreSQL: what it promises, and where the engines differ
 * by nature. */
#include "test_pg.h"

#include <stdio.h>
#include "base/err.h"
#include "io/db/db.h"
#include "store/query.h"

static const char ddl[] =
    "CREATE TABLE t (id bigint PRIMARY KEY, v text COLLATE \"C\" NOT NULL, n integer, b bytea);"
    "CREATE UNIQUE INDEX t_v ON t (v) WHERE v <> ''";
static const char insert[] = "INSERT INTO t (id, v, n, b) VALUES ($1, $2, $3, $4)";

struct rig {
    const char *path;
    struct db *w;
    struct db_stmt *insert;
};

static struct db *db_at(const char *path, enum db_mode mode)
{
    struct db *db;
    const struct db_config config = {.path = path, .mode = mode, .create = true};
    assert_int_equal(db_open(&config, &db), 0);
    return db;
}

static int rig_make(void **state)
{
    static struct rig rig;
    rig.path = server_database();
    rig.w = db_at(rig.path, DB_WRITER);
    assert_int_equal(db_exec(rig.w, ddl), 0);
    assert_int_equal(db_prepare(rig.w, insert, &rig.insert), 0);
    *state = &rig;
    return 0;
}

static int rig_drop(void **state)
{
    struct rig *rig = *state;
    db_finish(rig->insert);
    db_close(rig->w);
    return 0;
}

static int add(struct rig *rig, int64_t id, struct str v)
{
    db_bind_i64(rig->insert, 1, id);
    db_bind_text(rig->insert, 2, v);
    db_bind_i64(rig->insert, 3, id % 1000);
    db_bind_blob(rig->insert, 4, STR_LIT("\0\xff"));
    return db_run(rig->insert);
}

static int64_t number(struct db *db, const char *sql)
{
    struct db_stmt *st;
    assert_int_equal(db_prepare(db, sql, &st), 0);
    assert_int_equal(db_step(st), 1);
    int64_t v = db_column_i64(st, 0);
    db_finish(st);
    return v;
}

static void values_come_back(void **state)
{
    struct rig *rig = *state;
    struct db_stmt *st;
    assert_int_equal(db_params(rig->insert), 4);
    assert_false(db_read_only(rig->insert));
    assert_int_equal(add(rig, INT64_MIN, STR_LIT("it's $1")), 0);
    assert_int_equal(db_changed(rig->w), 1);
    assert_int_equal(add(rig, INT64_MAX, STR_LIT("")), 0);
    assert_int_equal(db_exec(rig->w, "INSERT INTO t (id, v) VALUES (3, '')"), 0);
    assert_int_equal(db_prepare(rig->w, "SELECT id, v, n, b FROM t WHERE id < $1 ORDER BY id", &st),
                     0);
    assert_true(db_read_only(st));
    assert_int_equal(db_columns(st), 4);
    db_bind_i64(st, 1, 100);
    assert_int_equal(db_step(st), 1);
    assert_int_equal(db_column_i64(st, 0), INT64_MIN);
    assert_string_equal(db_column_bytes(st, 1).p, "it's $1");
    assert_int_equal(db_column_i64(st, 2), INT64_MIN % 1000);
    assert_true(str_eq(db_column_bytes(st, 3), STR_LIT("\0\xff")));
    assert_int_equal(db_step(st), 1);
    assert_true(db_column_null(st, 2));
    assert_int_equal(db_column_i64(st, 2), 0);
    assert_int_equal(db_column_bytes(st, 3).n, 0);
    assert_int_equal(db_step(st), 0);
    db_finish(st);
}

static void errors_are_ours(void **state)
{
    struct rig *rig = *state;
    struct db_stmt *st;
    assert_int_equal(db_prepare(rig->w, "SELEC", &st), ERR_SYNTAX);
    assert_true(db_detail(rig->w)[0]);
    /* A sum of bigints is a numeric there: found when prepared, whatever the numbers are. */
    assert_int_equal(db_prepare(rig->w, "SELECT sum(id) FROM t", &st), ERR_SYNTAX);
    assert_int_equal(number(rig->w, "SELECT CAST(coalesce(sum(id), 0) AS BIGINT) FROM t"), 0);
    assert_int_equal(add(rig, 1, STR_LIT("a")), 0);
    assert_int_equal(add(rig, 1, STR_LIT("b")), ERR_CONFLICT);
    assert_int_equal(add(rig, 2, STR_LIT("a")), ERR_CONFLICT);
    assert_int_equal(add(rig, 2, STR_LIT("A")), 0);
    /* Empty is none, and none is not unique. */
    assert_int_equal(add(rig, 3, STR_LIT("")), 0);
    assert_int_equal(add(rig, 4, STR_LIT("")), 0);
    db_bind_i64(rig->insert, 3, INT64_C(1) << 40);
    assert_int_equal(db_run(rig->insert), ERR_RANGE);
    assert_int_equal(db_exec(rig->w, "SELECT 1/0 FROM nowhere"), ERR_SYNTAX);
    const struct db_config nowhere = {.path = "host=/nonexistent dbname=x", .mode = DB_READER};
    struct db *db;
    assert_int_equal(db_open(&nowhere, &db), ERR_CLOSED);
    const struct db_config empty = {.path = server_database(), .mode = DB_READER};
    assert_int_equal(db_open(&empty, &db), ERR_NOT_FOUND);
}

static void odd_texts_are_made_to_fit(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(add(rig, 1,
                         STR_LIT("a\xff\xe5\x85"
                                 "b")),
                     0);
    assert_int_equal(add(rig, 2, STR_LIT("n\0l")), 0);
    assert_int_equal(add(rig, 3, STR_LIT("充电")), 0);
    assert_int_equal(number(rig->w, "SELECT count(*) FROM t WHERE id = 1 AND v = 'a???b'"), 1);
    assert_int_equal(number(rig->w, "SELECT count(*) FROM t WHERE id = 2 AND v = 'n?l'"), 1);
    assert_int_equal(number(rig->w, "SELECT length(v) FROM t WHERE id = 3"), 2);
}

static void texts_order_by_bytes(void **state)
{
    struct rig *rig = *state;
    static const char *const words[] = {"b", "a", "B", "é", "充", "A"};
    for (int i = 0; i < 6; i++)
        assert_int_equal(add(rig, i, str_from_c(words[i])), 0);
    struct db_stmt *st;
    char got[40] = "";
    assert_int_equal(db_prepare(rig->w, "SELECT v FROM t ORDER BY v", &st), 0);
    while (db_step(st) == 1)
        strncat(got, db_column_bytes(st, 0).p, sizeof got - strlen(got) - 1);
    db_finish(st);
    assert_string_equal(got, "ABabé充");
}

/* More than the pipeline takes at once; the first error counts, and nothing stays. */
static void batches_are_whole(void **state)
{
    struct rig *rig = *state;
    struct db *r = db_at(rig->path, DB_READER);
    int rc = 0;
    assert_int_equal(db_begin(rig->w), 0);
    for (int i = 1; i <= 3000; i++)
        assert_int_equal(add(rig, i, STR_LIT("")), 0);
    assert_int_equal(number(rig->w, "SELECT count(*) FROM t"), 3000);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_commit(rig->w), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 3000);
    assert_int_equal(db_begin(rig->w), 0);
    for (int i = 3001; i <= 4000 && rc == 0; i++)
        rc = add(rig, i == 3010 ? 1 : i, STR_LIT(""));
    if (rc == 0)
        rc = db_commit(rig->w);
    assert_int_equal(rc, ERR_CONFLICT);
    db_rollback(rig->w);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 3000);
    /* As good as new. */
    assert_int_equal(db_begin(rig->w), 0);
    assert_int_equal(add(rig, 5000, STR_LIT("")), 0);
    assert_int_equal(db_commit(rig->w), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 3001);
    db_close(r);
}

static void readers_see_snapshots(void **state)
{
    struct rig *rig = *state;
    struct db *r = db_at(rig->path, DB_READER);
    assert_int_equal(db_begin(r), 0);
    assert_int_equal(add(rig, 1, STR_LIT("a")), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_commit(r), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_exec(r, "DELETE FROM t"), ERR_DENIED);
    db_close(r);
}

/* A walk over many rows goes on while others run beside it, with the caller's transaction and
 * without. */
static void walks_come_in_pieces(void **state)
{
    struct rig *rig = *state;
    struct db_stmt *walk, *other;
    assert_int_equal(db_begin(rig->w), 0);
    for (int i = 1; i <= 2500; i++)
        assert_int_equal(add(rig, i, STR_LIT("")), 0);
    assert_int_equal(db_commit(rig->w), 0);
    struct db *r = db_at(rig->path, DB_READER);
    assert_int_equal(db_prepare(r, "SELECT id FROM t WHERE id > $1 ORDER BY id", &walk), 0);
    assert_int_equal(db_prepare(r, "SELECT n FROM t WHERE id = $1", &other), 0);
    db_expect_many(walk);
    for (int round = 0; round < 3; round++) {
        if (round == 1)
            assert_int_equal(db_begin(r), 0);
        int64_t sum = 0, n = 0;
        db_bind_i64(walk, 1, 500);
        while (db_step(walk) == 1) {
            db_bind_i64(other, 1, db_column_i64(walk, 0));
            assert_int_equal(db_step(other), 1);
            sum += db_column_i64(other, 0);
            db_reset(other);
            n++;
            if (round == 2 && n == 1200)
                break; /* ended in the middle */
        }
        db_reset(walk);
        assert_int_equal(n, round == 2 ? 1200 : 2000);
        assert_true(sum > 0);
    }
    db_rollback(r);
    db_finish(walk);
    db_finish(other);
    db_close(r);
}

/* A reader whose session was ended goes on with a new one; a writer does not. */
static void lost_connections(void **state)
{
    struct rig *rig = *state;
    struct db *r = db_at(rig->path, DB_READER);
    struct db_stmt *st;
    assert_int_equal(db_prepare(r, "SELECT count(*) FROM t", &st), 0);
    server_exec(rig->path, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE application_name = 'even' AND datname = current_database()");
    assert_int_equal(db_step(st), ERR_CLOSED);
    db_reset(st);
    assert_int_equal(db_step(st), 1);
    assert_int_equal(db_column_i64(st, 0), 0);
    db_finish(st);
    db_close(r);
    assert_int_equal(db_begin(rig->w), 0);
    int rc = add(rig, 1, STR_LIT("a"));
    if (rc == 0)
        rc = db_commit(rig->w);
    assert_int_equal(rc, ERR_CLOSED);
    db_rollback(rig->w);
    assert_int_equal(db_begin(rig->w), 0);
    rc = add(rig, 1, STR_LIT("a"));
    assert_int_equal(rc ? rc : db_commit(rig->w), ERR_CLOSED);
    db_rollback(rig->w);
}

int port_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_come_back, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(errors_are_ours, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(odd_texts_are_made_to_fit, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(texts_order_by_bytes, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(batches_are_whole, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(readers_see_snapshots, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(walks_come_in_pieces, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(lost_connections, rig_make, rig_drop),
    };
    return cmocka_run_group_tests_name("pg port", tests, NULL, NULL);
}
