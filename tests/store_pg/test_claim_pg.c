// SPDX-License-Identifier: Apache-2.0
/* test_claim_pg.c: one writer at a time, whatever becomes of it, and batches that an engine gives
 * up. */
#include "test_pg.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/err.h"
#include "io/db/db.h"
#include "store/query.h"

static const char lapse[] = "UPDATE even_writer SET until_ms = 0";
static const char ones[] = "SELECT count(*) FROM fact WHERE value = 'old'";

static int fact_put(struct store *s, const char *name, const char *value)
{
    const struct row_fact row = {.name = name, .value = value};
    struct buf b;
    buf_init(&b, 4096);
    row_pack(&b, ROW_FACT, ROW_UPSERT, &row);
    int rc = store_commit(s, buf_str(&b), STR_NONE);
    buf_free(&b);
    return rc;
}

static int writer_open(const char *path, int32_t busy_ms, struct db **db)
{
    const struct db_config config = {
        .path = path, .mode = DB_WRITER, .create = true, .busy_ms = busy_ms};
    return db_open(&config, db);
}

static void a_second_writer_is_refused(void **state)
{
    struct pair *p = *state;
    struct db *second;
    assert_int_equal(writer_open(p->path[1], 300, &second), ERR_LOCKED);
    assert_int_equal(fact_put(p->store[1], "a", "1"), 0);
}

static void a_lapsed_claim_is_taken_over(void **state)
{
    struct pair *p = *state;
    struct store_keeper *k;
    struct db *second;
    assert_int_equal(store_keeper_open(p->store[1], &k), 0);
    assert_int_equal(store_keeper_run(k), 0);
    server_exec(p->path[1], lapse);
    assert_int_equal(store_keeper_run(k), 0); /* late, but nobody came */
    assert_int_equal(writer_open(p->path[1], 300, &second), ERR_LOCKED);
    server_exec(p->path[1], lapse);
    assert_int_equal(writer_open(p->path[1], 300, &second), 0);
    assert_int_equal(db_claim(second), 2);
    assert_int_equal(fact_put(p->store[1], "a", "old"), ERR_LOCKED);
    assert_int_equal(store_keeper_run(k), ERR_LOCKED);
    assert_int_equal(fact_put(p->store[1], "b", "old"), ERR_LOCKED);
    assert_int_equal(server_number(p->path[1], ones), 0);
    assert_int_equal(db_begin(second), 0);
    assert_int_equal(db_exec(second, "INSERT INTO fact (name, value) VALUES ('a', 'new')"), 0);
    assert_int_equal(db_commit(second), 0);
    db_close(second);
    store_keeper_close(k);
}

static void who_is_gone_holds_nothing(void **state)
{
    const char *path = server_database();
    struct db *one;
    (void)state;
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(writer_open(path, 2000, &one), 0);
        assert_int_equal(db_claim(one), i);
        db_close(one);
    }
}

/* ---- a writer that is stopped, replaced, and wakes up ---- */

struct sleeper {
    pid_t pid;
    int go[2], ready[2];
};

/* The child's life: `inside`: it is stopped in the middle of a transaction. */
static int sleep_write(const struct sleeper *s, const char *path, bool inside)
{
    struct db *db;
    char c;
    int rc = writer_open(path, 300, &db);
    if (rc == 0)
        rc = db_begin(db);
    if (rc == 0 && inside)
        rc = db_exec(db, "UPDATE fact SET value = 'old'");
    if (rc || write(s->ready[1], "r", 1) != 1 || read(s->go[0], &c, 1) != 1)
        return 100;
    rc = db_exec(db, "UPDATE fact SET value = 'old'");
    if (rc == 0)
        rc = db_commit(db);
    return rc == (inside ? ERR_CLOSED : ERR_LOCKED) ? 0 : 101;
}

static void sleeper_start(struct sleeper *s, const char *path, bool inside)
{
    char c;
    assert_int_equal(pipe(s->go), 0);
    assert_int_equal(pipe(s->ready), 0);
    (void)fflush(NULL);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0)
        _exit(sleep_write(s, path, inside));
    assert_int_equal(read(s->ready[0], &c, 1), 1);
    assert_int_equal(kill(s->pid, SIGSTOP), 0);
    int status;
    assert_int_equal(waitpid(s->pid, &status, WUNTRACED), s->pid);
    assert_true(WIFSTOPPED(status));
}

static void sleeper_wake(struct sleeper *s)
{
    int status;
    assert_int_equal(write(s->go[1], "g", 1), 1);
    assert_int_equal(kill(s->pid, SIGCONT), 0);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    for (int i = 0; i < 2; i++) {
        close(s->go[i]);
        close(s->ready[i]);
    }
}

static void stopped_and_replaced(bool inside)
{
    const char *path = server_database();
    struct sleeper s;
    struct db *one, *two;
    assert_int_equal(writer_open(path, 300, &one), 0);
    assert_int_equal(db_exec(one, "CREATE TABLE fact (name text PRIMARY KEY, value text);"
                                  "INSERT INTO fact VALUES ('a', 'first')"),
                     0);
    db_close(one);
    sleeper_start(&s, path, inside);
    server_exec(path, lapse); /* as time would do */
    assert_int_equal(writer_open(path, 2000, &two), 0);
    assert_int_equal(db_begin(two), 0);
    assert_int_equal(db_exec(two, "UPDATE fact SET value = 'new'"), 0);
    assert_int_equal(db_commit(two), 0);
    sleeper_wake(&s);
    assert_int_equal(server_number(path, "SELECT count(*) FROM fact WHERE value = 'new'"), 1);
    db_close(two);
}

static void a_stopped_writer_fails_its_next_commit(void **state)
{
    (void)state;
    stopped_and_replaced(false);
}

static void one_stopped_in_a_transaction_is_in_nobodys_way(void **state)
{
    (void)state;
    stopped_and_replaced(true);
}

/* ---- batches given up ---- */

static void day_put(struct buf *b, int64_t orders)
{
    const struct row_stat_day row = {.station = 7, .day = 20261122, .tenant = 1, .orders = orders};
    row_pack(b, ROW_STAT_DAY, ROW_UPSERT, &row);
}

/* The server gives the first three tries up, as it may at any time; the fourth stands, once. */
static void a_batch_given_up_is_run_again(void **state)
{
    struct pair *p = *state;
    struct buf b;
    server_exec(p->path[1],
                "CREATE SEQUENCE tries; CREATE FUNCTION give_up() RETURNS trigger AS $$ BEGIN "
                "IF nextval('tries') <= 3 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; "
                "RETURN new; END $$ LANGUAGE plpgsql; "
                "CREATE TRIGGER give_up BEFORE INSERT ON fact FOR EACH ROW EXECUTE FUNCTION "
                "give_up()");
    buf_init(&b, 1 << 16);
    day_put(&b, 5);
    const struct row_fact fact = {.name = "a", .value = "1"};
    row_pack(&b, ROW_FACT, ROW_INSERT, &fact);
    day_put(&b, 6);
    assert_int_equal(pair_commit(p, buf_str(&b), STR_NONE), 0);
    assert_int_equal(server_number(p->path[1], "SELECT last_value FROM tries"), 4);
    assert_int_equal(server_number(p->path[1], "SELECT orders FROM stat_day"), 11);
    assert_int_equal(pair_same(p), 2);
    buf_free(&b);
}

int claim_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_second_writer_is_refused, pair_make, pair_drop),
        cmocka_unit_test_setup_teardown(a_lapsed_claim_is_taken_over, pair_make, pair_drop),
        cmocka_unit_test(who_is_gone_holds_nothing),
        cmocka_unit_test(a_stopped_writer_fails_its_next_commit),
        cmocka_unit_test(one_stopped_in_a_transaction_is_in_nobodys_way),
        cmocka_unit_test_setup_teardown(a_batch_given_up_is_run_again, pair_make, pair_drop),
    };
    return cmocka_run_group_tests_name("pg claim", tests, NULL, NULL);
}
