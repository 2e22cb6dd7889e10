// SPDX-License-Identifier: Apache-2.0
/* test_backup.c: a backup made while commits go on is consistent, complete, and opens as a store;
 * damage is found. */
#include "test_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/err.h"
#include "io/os/file.h"
#include "store/query.h"

/* Each commit writes the same number to two rows: a copy in which they differ is torn. */
static void pair_put(struct box *b, int i)
{
    char text[32];
    struct core_sample s = sample_plain(i);
    snprintf(text, sizeof text, "%d", i);
    const struct row_fact one = {.name = "one", .value = text},
                          two = {.name = "two", .value = text};
    const struct row_audit fill = {.id = i + 1, .action = "x", .detail = "something to copy"};
    row_pack(&b->rows, ROW_FACT, ROW_UPSERT, &one);
    row_pack(&b->rows, ROW_AUDIT, ROW_INSERT, &fill);
    row_pack(&b->rows, ROW_FACT, ROW_UPSERT, &two);
    sample_add(b, 1, s.time_ms, &s);
    box_commit(b);
}

static int sample_count(void *ctx, int64_t at_ms, const struct core_sample *s)
{
    (void)at_ms;
    assert_int_equal(s->time_ms, sample_plain(*(int *)ctx).time_ms);
    ++*(int *)ctx;
    return 0;
}

/* Puts the backup where a store would look for it, and opens it. */
static void restore_and_look(struct box *b, const char *name)
{
    struct box copy;
    char from[256], to[256];
    struct store_reader *r;
    int samples = 0;
    memset(&copy, 0, sizeof copy);
    snprintf(copy.dir, sizeof copy.dir, "%.80s/r", b->dir);
    assert_int_equal(dir_make(copy.dir, 0700), 0);
    snprintf(from, sizeof from, "%s/%s", b->dir, name);
    snprintf(to, sizeof to, "%s/even.db", copy.dir);
    assert_int_equal(rename(from, to), 0);
    snprintf(from, sizeof from, "%s/%s.samples", b->dir, name);
    snprintf(to, sizeof to, "%s/samples", copy.dir);
    assert_int_equal(rename(from, to), 0);
    box_open(&copy);
    int64_t n = box_number(&copy, "SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'one'");
    assert_int_equal(
        box_number(&copy, "SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'two'"), n);
    assert_int_equal(box_number(&copy, "SELECT count(*) FROM audit"), n + 1);
    assert_int_equal(store_reader_open(copy.store, &r), 0);
    assert_int_equal(store_samples(r, 1, sample_count, &samples), 0);
    assert_true(samples > 0); /* the log is copied a moment before the rows */
    store_reader_close(r);
    box_close(&copy);
}

static void a_backup_beside_the_writer_is_whole(void **state)
{
    struct box *b = *state;
    char target[200];
    snprintf(target, sizeof target, "%s/copy.db", b->dir);
    box_open(b);
    for (int i = 0; i < 300; i++)
        pair_put(b, i);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        /* A second program, as the command line would be. */
        _exit(store_backup(b->dir, target) == 0 ? 0 : 1);
    }
    int status = -1, i = 300;
    while (waitpid(pid, &status, WNOHANG) == 0)
        pair_put(b, i++);
    assert_int_equal(status, 0);
    assert_int_equal(store_backup_check(target, stderr), 0);
    assert_int_equal(store_backup(b->dir, target), ERR_CONFLICT);
    box_close(b);
    restore_and_look(b, "copy.db");
}

/* Text of a file of the backup; "" when it is not there. */
static void text_of(const struct box *b, const char *name, char out[64])
{
    char path[256];
    struct buf bytes;
    snprintf(path, sizeof path, "%.120s/%s", b->dir, name);
    buf_init(&bytes, 64);
    memset(out, 0, 64);
    if (file_read(path, 60, &bytes) == 0)
        memcpy(out, bytes.p, bytes.n);
    buf_free(&bytes);
}

static void file_put_at(const struct box *b, const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%.120s/%s", b->dir, folder);
    assert_int_equal(dir_make(path, 0700), 0);
    snprintf(path, sizeof path, "%.120s/%s/%s", b->dir, folder, name);
    assert_int_equal(file_write_atomic(path, str_from_c(text), 0600), 0);
}

static void bills_and_firmware_come_along(void **state)
{
    struct box *b = *state;
    char target[200], text[64];
    snprintf(target, sizeof target, "%s/copy.db", b->dir);
    box_open(b);
    pair_put(b, 0);
    file_put_at(b, "bills/7", "20261125-ab.csv", "a bill");
    file_put_at(b, "bills/8", "20261125-cd.csv", "another");
    file_put_at(b, "firmware", "12.bin", "code");
    file_put_at(b, "firmware", "13.part", "half of it");
    file_put_at(b, "keys/till", "secret", "never");
    assert_int_equal(store_backup(b->dir, target), 0);
    text_of(b, "copy.db.bills/7/20261125-ab.csv", text);
    assert_string_equal(text, "a bill");
    text_of(b, "copy.db.bills/8/20261125-cd.csv", text);
    assert_string_equal(text, "another");
    text_of(b, "copy.db.firmware/12.bin", text);
    assert_string_equal(text, "code");
    text_of(b, "copy.db.firmware/13.part", text);
    assert_string_equal(text, "");
    text_of(b, "copy.db.keys/till/secret", text);
    assert_string_equal(text, "");
    FILE *sink = tmpfile();
    assert_non_null(sink);
    assert_int_equal(store_backup_check(target, sink), 0);
    file_put_at(b, "copy.db.bills/8", "20261125-cd.csv", "forged!");
    assert_int_equal(store_backup_check(target, sink), ERR_CORRUPT);
    snprintf(target, sizeof target, "%s/copy.db.bills/8/20261125-cd.csv", b->dir);
    assert_int_equal(file_remove(target), 0);
    snprintf(target, sizeof target, "%s/copy.db", b->dir);
    assert_int_equal(store_backup_check(target, sink), ERR_CORRUPT);
    fclose(sink);
}

/* What lies where the copies would go is left as it is, and no backup passes for whole. */
static void a_folder_in_the_way_is_no_target(void **state)
{
    struct box *b = *state;
    char target[200], text[64];
    snprintf(target, sizeof target, "%s/copy.db", b->dir);
    box_open(b);
    pair_put(b, 0);
    file_put_at(b, "firmware", "12.bin", "code");
    file_put_at(b, "copy.db.firmware", "12.bin", "of another");
    assert_int_equal(store_backup(b->dir, target), ERR_CONFLICT);
    text_of(b, "copy.db.firmware/12.bin", text);
    assert_string_equal(text, "of another");
    assert_int_equal(store_backup_check(target, stderr), ERR_NOT_FOUND);
}

static void damage_to_a_backup_is_found(void **state)
{
    struct box *b = *state;
    char target[200];
    struct buf bytes;
    FILE *sink = tmpfile();
    assert_non_null(sink);
    buf_init(&bytes, 64 << 20);
    snprintf(target, sizeof target, "%s/copy.db", b->dir);
    box_open(b);
    pair_put(b, 0);
    assert_int_equal(store_backup(b->dir, target), 0);
    assert_int_equal(store_backup_check(target, sink), 0);
    assert_int_equal(file_read(target, 64 << 20, &bytes), 0);
    bytes.p[bytes.n / 2] ^= 1;
    assert_int_equal(file_write_atomic(target, buf_str(&bytes), 0600), 0);
    assert_int_equal(store_backup_check(target, sink), ERR_CORRUPT);
    assert_int_equal(file_remove(target), 0);
    assert_int_equal(store_backup_check(target, sink), ERR_CORRUPT);
    assert_int_equal(store_backup_check("store-test-absent", sink), ERR_NOT_FOUND);
    buf_free(&bytes);
    fclose(sink);
}

static void the_keeper_moves_the_journal(void **state)
{
    struct box *b = *state;
    struct store_keeper *k;
    box_open(b);
    assert_int_equal(store_keeper_open(b->store, &k), 0);
    for (int i = 0; i < 50; i++) {
        pair_put(b, i);
        assert_int_equal(store_keeper_run(k), 0);
    }
    store_keeper_close(k);
    assert_int_equal(box_number(b, "SELECT count(*) FROM audit"), 50);
}

int backup_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_beside_the_writer_is_whole, box_make, box_drop),
        cmocka_unit_test_setup_teardown(damage_to_a_backup_is_found, box_make, box_drop),
        cmocka_unit_test_setup_teardown(bills_and_firmware_come_along, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_folder_in_the_way_is_no_target, box_make, box_drop),
        cmocka_unit_test_setup_teardown(the_keeper_moves_the_journal, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
