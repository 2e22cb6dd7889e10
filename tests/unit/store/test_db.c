// SPDX-License-Identifier: Apache-2.0
/* test_db.c: the database port and migrations: snapshots, errors, steps that are whole or not
 * there. */
#include "test_store.h"

#include <stdatomic.h>
#include "base/err.h"
#include "io/db/db.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "store/migrate.h"

static const char ddl[] = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL) STRICT;"
                          "CREATE UNIQUE INDEX t_v ON t (v);";
static const struct schema_migration none[] = {{0}};

static struct db *db_at(const struct box *b, enum db_mode mode)
{
    struct db *db;
    const struct db_config config = {
        .path = box_path(b, "t.db"), .mode = mode, .create = true, .busy_ms = 50};
    assert_int_equal(db_open(&config, &db), 0);
    return db;
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

static void parameters_go_by_place(void **state)
{
    struct db *db = db_at(*state, DB_WRITER);
    struct db_stmt *st;
    assert_int_equal(db_exec(db, ddl), 0);
    assert_int_equal(db_prepare(db, "INSERT INTO t (v, id) VALUES ($2, $1)", &st), 0);
    assert_int_equal(db_params(st), 2);
    assert_false(db_read_only(st));
    db_bind_i64(st, 1, 7);
    db_bind_text(st, 2, STR_LIT("$1 it's"));
    assert_int_equal(db_run(st), 0);
    db_finish(st);
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE id = 7 AND v = '$1 it''s'"), 1);
    assert_int_equal(db_prepare(db, "SELEC", &st), ERR_SYNTAX);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (8, '$1 it''s')"), ERR_CONFLICT);
    db_close(db);
}

static void readers_see_snapshots(void **state)
{
    struct db *w = db_at(*state, DB_WRITER);
    assert_int_equal(db_exec(w, ddl), 0);
    struct db *r = db_at(*state, DB_READER);
    assert_int_equal(db_begin(r), 0);
    assert_int_equal(db_exec(w, "INSERT INTO t VALUES (1, 'a')"), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_commit(r), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_begin(w), 0);
    assert_int_equal(db_exec(w, "INSERT INTO t VALUES (2, 'b')"), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 1);
    db_rollback(w);
    assert_int_equal(number(w, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_exec(r, "DELETE FROM t"), ERR_DENIED);
    db_close(r);
    db_close(w);
}

/* Rows of 2 KB and a cache of some pages: the journal gets pages before the commit, gets them again,
 * and they are read back from it. */
struct busy {
    struct db *w;
    atomic_bool end;
};

static void commit_on(void *arg)
{
    struct busy *busy = arg;
    while (!atomic_load(&busy->end))
        assert_int_equal(db_exec(busy->w, "UPDATE t SET v = CAST(v AS INTEGER) + 1"), 0);
}

/* … while a writer commits all the time. */
static void two_readers_see_one_snapshot(void **state)
{
    struct busy busy = {.w = db_at(*state, DB_WRITER)};
    struct os_thread *writer;
    int64_t first, v = 0;
    assert_int_equal(db_exec(busy.w, ddl), 0);
    assert_int_equal(db_exec(busy.w, "INSERT INTO t VALUES (1, '0')"), 0);
    struct db *a = db_at(*state, DB_READER), *b = db_at(*state, DB_READER);
    first = number(a, "SELECT CAST(v AS INTEGER) FROM t");
    assert_int_equal(os_thread_start("writer", commit_on, &busy, &writer), 0);
    while (v < first + 100) { /* some of so many fall between */
        int rc = db_begin_same(a, b);
        if (rc == ERR_AGAIN)
            continue;
        assert_int_equal(rc, 0);
        v = number(a, "SELECT CAST(v AS INTEGER) FROM t");
        assert_int_equal(number(b, "SELECT CAST(v AS INTEGER) FROM t"), v);
        assert_int_equal(db_commit(a), 0);
        assert_int_equal(db_commit(b), 0);
    }
    atomic_store(&busy.end, true);
    os_thread_join(writer);
    db_close(b);
    db_close(a);
    db_close(busy.w);
}

static void a_large_transaction_passes_the_cache(void **state)
{
    const struct box *b = *state;
    struct db *w;
    const struct db_config config = {
        .path = box_path(b, "t.db"), .mode = DB_WRITER, .create = true, .cache_bytes = 64 << 10};
    static const char many[] =
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO t SELECT i, printf('%02000d', i * 7919 % 1000) FROM n";
    assert_int_equal(db_open(&config, &w), 0);
    assert_int_equal(db_exec(w, ddl), 0);
    struct db *r = db_at(b, DB_READER);
    for (int commit = 0; commit < 2; commit++) {
        assert_int_equal(db_begin(w), 0);
        assert_int_equal(db_exec(w, many), 0);
        assert_int_equal(db_exec(w, "UPDATE t SET v = v || 'x' WHERE id % 3 = 0"), 0);
        assert_int_equal(number(w, "SELECT count(*) FROM t WHERE length(v) > 2000"), 333);
        assert_int_equal(number(r, "SELECT count(*) FROM t"), 0);
        if (commit)
            assert_int_equal(db_commit(w), 0);
        else
            db_rollback(w);
    }
    assert_int_equal(number(r, "SELECT sum(length(v)) FROM t"), 2000 * 1000 + 333);
    struct db *k = db_at(b, DB_KEEPER);
    int64_t left;
    assert_int_equal(db_tidy(k, true, &left), 0);
    assert_int_equal(number(r, "SELECT sum(length(v)) FROM t"), 2000 * 1000 + 333);
    assert_int_equal(db_exec(w, "DELETE FROM t WHERE id > 1"), 0);
    assert_int_equal(number(r, "SELECT count(*) FROM t"), 1);
    db_close(k);
    db_close(r);
    db_close(w);
}

static void a_second_writer_is_locked_out(void **state)
{
    struct db *one = db_at(*state, DB_WRITER), *two = db_at(*state, DB_WRITER);
    assert_int_equal(db_begin(one), 0);
    assert_int_equal(db_begin(two), ERR_LOCKED);
    db_rollback(one);
    assert_int_equal(db_begin(two), 0);
    db_rollback(two);
    db_close(one);
    db_close(two);
}

static void what_is_no_database_is_refused(void **state)
{
    const struct box *b = *state;
    struct db *db;
    char text[4096];
    memset(text, 'x', sizeof text);
    const struct db_config absent = {.path = box_path(b, "absent.db"), .mode = DB_READER};
    assert_int_equal(db_open(&absent, &db), ERR_NOT_FOUND);
    assert_int_equal(file_write_atomic(box_path(b, "t.db"), str_from(text, sizeof text), 0600), 0);
    const struct db_config config = {.path = box_path(b, "t.db"), .mode = DB_WRITER};
    assert_int_equal(db_open(&config, &db), ERR_CORRUPT);
}

static void the_journal_is_moved_and_cut(void **state)
{
    struct db *w = db_at(*state, DB_WRITER);
    int64_t left = -1, size;
    assert_int_equal(db_exec(w, ddl), 0);
    struct db *k = db_at(*state, DB_KEEPER), *r = db_at(*state, DB_READER);
    assert_int_equal(db_begin(r), 0);
    for (int i = 0; i < 20; i++) {
        char sql[80];
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, '%d')", i, i);
        assert_int_equal(db_exec(w, sql), 0);
    }
    assert_int_equal(db_tidy(k, false, &left), 0);
    assert_true(left > 0); /* the reader still needs its snapshot */
    db_rollback(r);
    assert_int_equal(db_tidy(k, false, &left), 0);
    assert_int_equal(left, 0);
    assert_int_equal(db_tidy(k, true, &left), 0);
    assert_int_equal(file_size(box_path(*state, "t.db-wal"), &size), 0);
    assert_int_equal(size, 0);
    db_close(r);
    db_close(k);
    db_close(w);
}

static void file_double(const struct box *b, const char *from, const char *to)
{
    struct buf all;
    buf_init(&all, (4 << 20) + 1);
    assert_int_equal(file_read(box_path(b, from), 4 << 20, &all), 0);
    assert_int_equal(file_write_atomic(box_path(b, to), buf_str(&all), 0600), 0);
    buf_free(&all);
}

/* Zeros stand behind the frames. They are no frames: whoever opens the files as a power cut would leave
 * them finds what was committed and goes on, and the file grows in steps. */
static void a_journal_has_room_ahead(void **state)
{
    const struct box *b = *state;
    struct db *w = db_at(b, DB_WRITER), *u;
    int64_t size, later;
    assert_int_equal(db_exec(w, ddl), 0);
    assert_int_equal(db_exec(w, "INSERT INTO t VALUES (0, 'a')"), 0);
    assert_int_equal(file_size(box_path(b, "t.db-wal"), &size), 0);
    assert_true(size > 512 << 10);
    for (int i = 1; i < 20; i++) {
        char sql[80];
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, '%d')", i, i);
        assert_int_equal(db_exec(w, sql), 0);
    }
    assert_int_equal(file_size(box_path(b, "t.db-wal"), &later), 0);
    assert_int_equal(later, size);
    file_double(b, "t.db", "u.db");
    file_double(b, "t.db-wal", "u.db-wal");
    const struct db_config other = {.path = box_path(b, "u.db"), .mode = DB_WRITER};
    assert_int_equal(db_open(&other, &u), 0);
    assert_int_equal(number(u, "SELECT count(*) FROM t"), 20);
    assert_int_equal(db_exec(u, "INSERT INTO t VALUES (20, 'b')"), 0);
    assert_int_equal(number(u, "SELECT count(*) FROM t"), 21);
    db_close(u);
    db_close(w);
}

/* ---- migrations ---- */

static const char second[] = "ALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT 5;";
static const char bad[] =
    "CREATE TABLE u (id INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1);";

static void migrations_are_applied_once(void **state)
{
    struct db *db = db_at(*state, DB_WRITER);
    const struct schema_migration two[] = {{2, "add_n", second}, {0}};
    assert_int_equal(migrate(db, ddl, none), 0);
    assert_int_equal(migrate(db, ddl, none), 0);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (1, 'a')"), 0);
    assert_int_equal(migrate(db, "new ddl", two), 0);
    assert_int_equal(migrate(db, "new ddl", two), 0);
    assert_int_equal(number(db, "SELECT n FROM t"), 5);
    /* A program without that migration keeps its hands off. */
    assert_int_equal(migrate(db, ddl, none), ERR_NEWER);
    db_close(db);
}

static void altered_migrations_are_refused(void **state)
{
    struct db *db = db_at(*state, DB_WRITER);
    const struct schema_migration two[] = {{2, "add_n", second}, {0}};
    const struct schema_migration other[] = {{2, "add_n", "ALTER TABLE t ADD COLUMN m INTEGER"},
                                             {0}};
    assert_int_equal(migrate(db, ddl, none), 0);
    assert_int_equal(migrate(db, "changed without a migration", none), ERR_CORRUPT);
    assert_int_equal(migrate(db, ddl, two), 0);
    assert_int_equal(migrate(db, ddl, other), ERR_CORRUPT);
    db_close(db);
}

/* Who only reads looks first whether it is a file that it understands. */
static void only_this_schema_fits(void **state)
{
    struct db *db = db_at(*state, DB_WRITER);
    const struct schema_migration two[] = {{2, "add_n", second}, {0}};
    assert_int_equal(migrate(db, ddl, none), 0);
    assert_int_equal(migrate_fits(db, ddl, none), 0);
    assert_int_equal(migrate_fits(db, "another", none), ERR_CORRUPT);
    assert_int_equal(migrate_fits(db, ddl, two), ERR_CONFLICT);
    assert_int_equal(number(db, "SELECT count(*) FROM migration"),
                     1); /* nothing was done about it */
    assert_int_equal(migrate(db, "new ddl", two), 0);
    assert_int_equal(migrate_fits(db, "new ddl", two), 0);
    assert_int_equal(migrate_fits(db, "new ddl", none), ERR_NEWER);
    db_close(db);
}

static void another_programs_file_is_left_alone(void **state)
{
    struct db *db = db_at(*state, DB_WRITER);
    assert_int_equal(db_exec(db, "CREATE TABLE users (id INTEGER PRIMARY KEY)"), 0);
    assert_int_equal(migrate(db, ddl, none), ERR_CONFLICT);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_int_equal(db_exec(db, "DROP TABLE users"), 0);
    assert_int_equal(migrate(db, ddl, none), 0);
    db_close(db);
}

static void a_failing_migration_leaves_nothing(void **state)
{
    struct db *db = db_at(*state, DB_WRITER);
    const struct schema_migration list[] = {{2, "add_n", second}, {3, "bad", bad}, {0}};
    const struct schema_migration good[] = {{2, "add_n", second}, {0}};
    assert_int_equal(migrate(db, ddl, none), 0);
    assert_int_equal(migrate(db, ddl, list), ERR_SYNTAX);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'u'"), 0);
    assert_int_equal(number(db, "SELECT count(*) FROM migration WHERE number = 3"), 0);
    /* The step before it stands, with the schema of that step not yet declared. */
    assert_int_equal(number(db, "SELECT count(*) FROM migration WHERE number = 2"), 1);
    const struct schema_migration fixed[] = {
        {2, "add_n", second}, {3, "good", "CREATE TABLE u (id INTEGER PRIMARY KEY) STRICT"}, {0}};
    assert_int_equal(migrate(db, "final", fixed), 0);
    assert_int_equal(migrate(db, "final", fixed), 0);
    assert_int_equal(migrate(db, ddl, good), ERR_NEWER);
    db_close(db);
}

int db_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parameters_go_by_place, box_make, box_drop),
        cmocka_unit_test_setup_teardown(readers_see_snapshots, box_make, box_drop),
        cmocka_unit_test_setup_teardown(two_readers_see_one_snapshot, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_large_transaction_passes_the_cache, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_second_writer_is_locked_out, box_make, box_drop),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, box_make, box_drop),
        cmocka_unit_test_setup_teardown(the_journal_is_moved_and_cut, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_journal_has_room_ahead, box_make, box_drop),
        cmocka_unit_test_setup_teardown(migrations_are_applied_once, box_make, box_drop),
        cmocka_unit_test_setup_teardown(altered_migrations_are_refused, box_make, box_drop),
        cmocka_unit_test_setup_teardown(only_this_schema_fits, box_make, box_drop),
        cmocka_unit_test_setup_teardown(another_programs_file_is_left_alone, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_failing_migration_leaves_nothing, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
