// SPDX-License-Identifier: Apache-2.0
/* test_engine.c: the engine over a real store. A database that is wrong in a way no command can
 * make it (an order whose hold is gone) lets the timer of that order end the program; real processes
 * die here. */
#include "test_app.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/engine.h"
#include "base/err.h"
#include "base/log.h"
#include "io/db/db.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"

enum {
    TENANT = 1,
    STATION = 2,
    FIRST_CHARGER = 3,
    CONNECTOR = 4,
    ORDER = 5,
    SESSION = 6,
    HOLD = 99
};

static void deliver(void *ctx, const struct out *out)
{
    (void)ctx;
    (void)out;
}

static void delivered(void *ctx)
{
    (void)ctx;
}

static void store_make(const char *dir, struct store **s)
{
    const struct store_config sc = {.dir = dir, .create = true};
    assert_int_equal(store_open(&sc, s), 0);
}

/* An order that waits for its charger since long, with a hold that does not exist. */
static void rows_make(const char *dir)
{
    struct store *s;
    struct buf rows;
    buf_init(&rows, 1 << 20);
    store_make(dir, &s);
#define ROW(table, type, ...) row_pack(&rows, table, ROW_UPSERT, &(struct type){__VA_ARGS__})
    ROW(ROW_TENANT, row_tenant, .id = TENANT, .name = "t", .currency = "CNY",
        .zone = "Asia/Shanghai", .start_timeout_s = 60);
    ROW(ROW_STATION, row_station, .id = STATION, .tenant = TENANT, .name = "s",
        .zone = "Asia/Shanghai");
    ROW(ROW_CHARGER, row_charger, .id = FIRST_CHARGER, .tenant = TENANT, .station = STATION,
        .path = "P1", .protocol = PROTOCOL_OCPP16);
    ROW(ROW_CONNECTOR, row_connector, .id = CONNECTOR, .tenant = TENANT, .charger = FIRST_CHARGER,
        .number = 1, .order_id = ORDER);
    ROW(ROW_ORDERS, row_orders, .id = ORDER, .tenant = TENANT, .station = STATION,
        .charger = FIRST_CHARGER, .connector = CONNECTOR, .kind = ORDER_CHARGE,
        .state = ORDER_STARTING, .payer_kind = PAYER_WALLET, .hold = HOLD, .currency = "CNY",
        .created_ms = 1000);
    ROW(ROW_SESSION, row_session, .id = SESSION, .order_id = ORDER, .charger = FIRST_CHARGER,
        .connector = CONNECTOR, .state = SESSION_OPEN);
#undef ROW
    assert_int_equal(rows.err, 0);
    assert_int_equal(store_commit(s, buf_str(&rows), STR_NONE), 0);
    store_close(s);
    buf_free(&rows);
}

/* The program without its network, for as long as the timer needs. */
static void house_runs(const char *dir)
{
    static struct app_metrics metrics;
    static const uint8_t key[CRYPTO_KEY_SIZE] = {1};
    static struct config c;
    struct engine *e;
    struct store *s;
    config_defaults(&c);
    (void)str_copy(c.data_dir, sizeof c.data_dir, str_from_c(dir));
    c.limits_drivers = c.limits_orders = c.limits_chargers = 100;
    const struct store_config sc = {.dir = dir};
    if (store_open(&sc, &s) != 0)
        _exit(3);
    const struct engine_config ec = {.settings = &c,
                                     .store = s,
                                     .key = key,
                                     .metrics = &metrics,
                                     .deliver = deliver,
                                     .delivered = delivered};
    if (engine_start(&ec, &e) != 0)
        _exit(4);
    for (int i = 0; i < 20000 && atomic_load(&metrics.commits) == 0; i++)
        os_sleep_ms(1);
    engine_stop(e);
    engine_free(e);
    store_close(s);
}

/* Answers whether it lived. */
static bool run(const char *dir)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0};
        (void)setrlimit(RLIMIT_CORE, &none);
        log_set_level(LOG_ERROR + 1);
        house_runs(dir);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGABRT);
    return WIFEXITED(status);
}

static int64_t number(const char *dir, const char *sql)
{
    char path[128];
    struct db *db;
    struct db_stmt *st;
    snprintf(path, sizeof path, "%s/even.db", dir);
    const struct db_config config = {.path = path, .mode = DB_READER};
    assert_int_equal(db_open(&config, &db), 0);
    assert_int_equal(db_prepare(db, sql, &st), 0);
    assert_int_equal(db_step(st), 1);
    int64_t v = db_column_i64(st, 0);
    db_finish(st);
    db_close(db);
    return v;
}

static void timer_is_quarantined(void **state)
{
    const char *dir = folder_make();
    (void)state;
    rows_make(dir);
    assert_false(run(dir));
    assert_false(run(dir));
    assert_true(run(dir)); /* the third time the house goes on without that timer */
    assert_int_equal(number(dir, "SELECT state FROM orders"), ORDER_STARTING);
    assert_int_equal(number(dir, "SELECT object FROM audit WHERE action = 'timer.quarantined'"),
                     ORDER);
    assert_true(run(dir)); /* and so it does ever after */
    folder_drop(dir);
}

int engine_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(timer_is_quarantined)};
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
