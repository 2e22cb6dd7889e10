// SPDX-License-Identifier: Apache-2.0
/* test_os.c: clock, files, crypto, pool, signals, zones. */
#include "io_tests.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/err.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/personal.h"
#include "io/os/file.h"
#include "io/os/pool.h"
#include "io/os/thread.h"
#include "io/os/zonefile.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][160];
    static int next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
    return out;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/even-io-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_entry(void *ctx, const char *name)
{
    (void)ctx;
    return file_remove(in_folder(name));
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_list(folder, remove_entry, NULL) != 0 || rmdir(folder) != 0;
}

static void test_clock_runs_faster(void **state)
{
    int64_t before, after;

    (void)state;
    assert_int_equal(os_clock_speed(), 1);
    os_clock_speed_set(1000, 5000000);
    before = os_now_ms();
    assert_true(before >= 5000000);
    os_sleep_ms(20);
    after = os_now_ms();
    assert_true(after - before >= 20 * 1000);
    assert_int_equal(os_clock_wait_ms(after - 1), 0);
    assert_int_equal(os_clock_wait_ms(os_now_ms() + 1000000000000), 60000);
    os_clock_speed_set(1, 0);
    assert_true(os_now_ms() > 1600000000000);
    assert_true(os_cpu_ns() > 0);
}

static void test_file_write_and_read(void **state)
{
    struct buf b;
    int64_t size;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_int_equal(file_read(in_folder("none"), 100, &b), ERR_NOT_FOUND);
    assert_int_equal(file_write_atomic(in_folder("a"), STR_LIT("first"), 0600), 0);
    assert_int_equal(file_write_atomic(in_folder("a"), STR_LIT("second"), 0600), 0);
    assert_int_equal(file_read(in_folder("a"), 6, &b), 0);
    assert_true(str_eq_c(buf_str(&b), "second"));
    assert_int_equal(file_read(in_folder("a"), 5, &b), ERR_TOO_LARGE);
    assert_int_equal(file_size(in_folder("a"), &size), 0);
    assert_int_equal(size, 6);
    assert_int_equal(file_write_atomic(in_folder("no/such/x"), STR_LIT("x"), 0600), ERR_NOT_FOUND);
    assert_int_equal(file_remove(in_folder("a")), 0);
    assert_false(file_exists(in_folder("a")));
    buf_free(&b);
}

static int count_entry(void *ctx, const char *name)
{
    char *list = ctx;

    strncat(list, name, 20);
    return 0;
}

static void test_folders(void **state)
{
    char list[64] = "";
    int64_t free_bytes;

    (void)state;
    assert_int_equal(dir_make(in_folder("x/y/z"), 0700), 0);
    assert_int_equal(dir_make(in_folder("x/y/z"), 0700), 0);
    assert_int_equal(file_write_atomic(in_folder("x/b"), STR_LIT(""), 0600), 0);
    assert_int_equal(dir_make(in_folder("x/b"), 0700), ERR_CONFLICT);
    assert_int_equal(file_write_atomic(in_folder("x/a"), STR_LIT(""), 0600), 0);
    assert_int_equal(dir_list(in_folder("x"), count_entry, list), 0);
    assert_string_equal(list, "aby");
    assert_int_equal(dir_list(in_folder("q"), count_entry, list), ERR_NOT_FOUND);
    assert_int_equal(file_free_bytes(folder, &free_bytes), 0);
    assert_true(free_bytes > 0);
    assert_false(file_on_tmpfs("/proc"));
    assert_int_equal(file_remove(in_folder("x/a")) | file_remove(in_folder("x/b")), 0);
    assert_int_equal(rmdir(in_folder("x/y/z")) | rmdir(in_folder("x/y")) | rmdir(in_folder("x")),
                     0);
}

static void test_lock_keeps_second_process_out(void **state)
{
    struct file_lock *l, *second;
    int64_t pid = 0;
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(file_lock_take(in_folder("lock"), &l, &pid), 0);
    child = fork();
    if (child == 0)
        _exit(file_lock_take(in_folder("lock"), &second, &pid) == ERR_LOCKED && pid == getppid()
                  ? 0
                  : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    file_lock_drop(l);
    assert_int_equal(file_lock_take(in_folder("lock"), &l, NULL), 0);
    file_lock_drop(l);
}

static void test_log_grows_and_recovers(void **state)
{
    struct file_log *l;
    char back[16] = "";
    size_t got;

    (void)state;
    assert_int_equal(file_log_open(in_folder("log"), 4096, &l), 0);
    assert_int_equal(file_log_seek(l, 0), 0);
    assert_int_equal(file_log_append(l, STR_LIT("hello")), 0);
    assert_int_equal(file_log_append(l, STR_LIT("torn")), 0);
    assert_int_equal(file_log_sync(l), 0);
    assert_int_equal(file_log_position(l), 9);
    file_log_close(l);

    assert_int_equal(file_log_open(in_folder("log"), 4096, &l), 0);
    assert_int_equal(file_log_read(l, 0, back, 10, &got), 0);
    assert_int_equal(got, 10);
    assert_memory_equal(back, "hellotorn\0", 10);
    assert_int_equal(file_log_seek(l, 5), 0);
    assert_int_equal(file_log_append(l, STR_LIT("!")), 0);
    assert_int_equal(file_log_read(l, 0, back, 10, &got), 0);
    assert_memory_equal(back, "hello!\0\0\0\0", 10);
    file_log_close(l);
}

static void test_passwords(void **state)
{
    char hash[CRYPTO_PASSWORD_SIZE];

    (void)state;
    assert_int_equal(crypto_password_hash(STR_LIT("correct horse"), hash), 0);
    assert_memory_equal(hash, "$argon2id$", 10);
    assert_int_equal(crypto_password_verify(hash, STR_LIT("correct horse")), 0);
    assert_int_equal(crypto_password_verify(hash, STR_LIT("correct horsf")), ERR_LOGIN_FAILED);
    assert_int_equal(crypto_password_verify("", STR_NONE), ERR_LOGIN_FAILED);
}

/* BLAKE2b-256 of "abc", by any other implementation; pieces make no difference. */
static void test_digest_of_pieces(void **state)
{
    struct crypto_digest d;
    uint8_t out[CRYPTO_HASH_SIZE];
    char hex[2 * CRYPTO_HASH_SIZE + 1];
    (void)state;
    crypto_digest_start(&d);
    crypto_digest_add(&d, "a", 1);
    crypto_digest_add(&d, "", 0);
    crypto_digest_add(&d, "bc", 2);
    crypto_digest_end(&d, out);
    str_to_hex(out, sizeof out, hex);
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void test_keyed_hash_and_hmac(void **state)
{
    uint8_t key[32], out[32], want[32], again[32];

    (void)state;
    memset(key, 7, sizeof(key));
    crypto_keyed_hash(key, STR_LIT("secret"), out);
    crypto_keyed_hash(key, STR_LIT("secret"), again);
    assert_memory_equal(out, again, 32);
    key[0]++;
    crypto_keyed_hash(key, STR_LIT("secret"), again);
    assert_memory_not_equal(out, again, 32);
    /* RFC 4231 test case 2 */
    assert_int_equal(str_from_hex(STR_LIT("5bdcc146bf60754e6a042426089575c7"
                                          "5a003f089d2739839dec58b964ec3843"),
                                  want, 32),
                     0);
    crypto_hmac_sha256(STR_LIT("Jefe"), STR_LIT("what do ya want for nothing?"), out);
    assert_memory_equal(out, want, 32);
}

static void test_personal(void **state)
{
    uint8_t key[32] = {1}, other[32] = {2};
    char text[PERSONAL_TEXT_SIZE], again[PERSONAL_TEXT_SIZE], plain[PERSONAL_PLAIN_SIZE];
    char longest[65], longer[66];

    (void)state;
    assert_int_equal(personal_seal(key, STR_LIT("11010119900307123X"), text), 0);
    assert_null(strstr(text, "19900307"));
    assert_int_equal(personal_open(key, str_from_c(text), plain), 0);
    assert_string_equal(plain, "11010119900307123X");
    assert_int_equal(personal_seal(key, STR_LIT("11010119900307123X"), again), 0);
    assert_string_not_equal(text, again); /* equal numbers do not show */
    assert_int_equal(personal_open(other, str_from_c(text), plain), ERR_CORRUPT);
    assert_string_equal(plain, "");
    text[20] ^= 1;
    assert_int_equal(personal_open(key, str_from_c(text), plain), ERR_CORRUPT);
    assert_int_equal(personal_open(key, STR_LIT("11010119900307123X"), plain), ERR_CORRUPT);
    memset(longest, '7', 64);
    longest[64] = 0;
    memset(longer, '7', 65);
    longer[65] = 0;
    assert_int_equal(personal_seal(key, str_from_c(longest), text), 0);
    assert_int_equal(personal_open(key, str_from_c(text), plain), 0);
    assert_string_equal(plain, longest);
    assert_int_equal(personal_seal(key, str_from_c(longer), text), ERR_TOO_LARGE);
}

static void test_seal(void **state)
{
    uint8_t key[32] = {1}, other[32] = {2};
    struct buf sealed, plain;

    (void)state;
    buf_init(&sealed, 4096);
    buf_init(&plain, 4096);
    assert_int_equal(crypto_seal(key, STR_LIT("13800001111"), &sealed), 0);
    assert_int_equal(sealed.n, 11 + CRYPTO_SEAL_OVERHEAD);
    assert_int_equal(crypto_unseal(key, buf_str(&sealed), &plain), 0);
    assert_true(str_eq_c(buf_str(&plain), "13800001111"));
    assert_int_equal(crypto_unseal(other, buf_str(&sealed), &plain), ERR_CORRUPT);
    sealed.p[30]++;
    assert_int_equal(crypto_unseal(key, buf_str(&sealed), &plain), ERR_CORRUPT);
    assert_int_equal(crypto_unseal(key, STR_LIT("short"), &plain), ERR_CORRUPT);
    assert_int_equal(plain.n, 11);
    buf_reset(&sealed);
    buf_reset(&plain);
    assert_int_equal(crypto_seal(key, STR_NONE, &sealed), 0);
    assert_int_equal(crypto_unseal(key, buf_str(&sealed), &plain), 0);
    assert_int_equal(plain.n, 0);
    buf_free(&sealed);
    buf_free(&plain);
}

static void test_random_text(void **state)
{
    char a[17], b[17];

    (void)state;
    os_random_text(a, 16);
    os_random_text(b, 16);
    assert_int_equal(strlen(a), 16);
    assert_string_not_equal(a, b);
    assert_null(strpbrk(a, "lo01"));
}

static void test_zone_names(void **state)
{
    static const char *const bad[] = {
        "", "/etc/passwd", "../../etc/passwd", "Asia/../UTC", "Asia//x", "Asia/", "a b", "a\nb"};
    struct zone *z;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(os_zone_load(bad[i], &z), ERR_RANGE);
    assert_int_equal(os_zone_load("Nowhere/Town", &z), ERR_NOT_FOUND);
    assert_int_equal(os_zone_load("Asia/Shanghai", &z), 0);
    assert_int_equal(zone_offset_s(z, 1700000000000), 8 * 3600);
    zone_free(z);
}

static void pool_user(void *arg)
{
    struct os_pool *p = arg;

    for (int i = 0; i < 2000; i++) {
        int *item = os_pool_take(p, 10000);

        (*item)++; /* nobody else has it: TSan would tell */
        os_pool_give(p, item);
    }
}

static void test_pool(void **state)
{
    int counts[2] = {0, 0};
    void *items[2] = {&counts[0], &counts[1]};
    struct os_thread *t[4];
    struct os_pool *p;

    (void)state;
    assert_int_equal(os_pool_new(items, 0, &p), ERR_RANGE);
    assert_int_equal(os_pool_new(items, 2, &p), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(os_thread_start("pool", pool_user, p, &t[i]), 0);
    for (int i = 0; i < 4; i++)
        os_thread_join(t[i]);
    assert_int_equal(counts[0] + counts[1], 8000);
    items[0] = os_pool_take(p, 0);
    items[1] = os_pool_take(p, 0);
    assert_null(os_pool_take(p, 1));
    os_pool_give(p, items[0]);
    os_pool_give(p, items[1]);
    os_pool_free(p);
}

static void test_signals(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(os_signals_open(&fd), 0);
    assert_int_equal(os_signals_take(fd), 0);
    kill(getpid(), SIGHUP);
    assert_int_equal(os_signals_take(fd), SIGHUP);
    kill(getpid(), SIGTERM);
    assert_int_equal(os_signals_wait(5000), SIGTERM);
    assert_int_equal(os_signals_wait(1), 0);
    os_signals_close(fd);
}

int run_os_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_runs_faster),
        cmocka_unit_test(test_file_write_and_read),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_lock_keeps_second_process_out),
        cmocka_unit_test(test_log_grows_and_recovers),
        cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_digest_of_pieces),
        cmocka_unit_test(test_keyed_hash_and_hmac),
        cmocka_unit_test(test_seal),
        cmocka_unit_test(test_personal),
        cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_zone_names),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_signals),
    };

    return cmocka_run_group_tests_name("os", tests, make_folder, remove_folder);
}
