// SPDX-License-Identifier: Apache-2.0
/* test_ftp_pass.c: passwords of piles for one file: what was made is read again, and nothing else is. */
#include "rig.h"

#include "base/err.h"
#include "web/ftp_pass.h"

static const uint8_t key[CRYPTO_KEY_SIZE] = {1, 2, 3}, other_key[CRYPTO_KEY_SIZE] = {1, 2, 4};

static int reads(const uint8_t *k, const char *path, const char *password, struct ftp_link *l)
{
    return ftp_pass_read(k, str_from_c(path), str_from_c(password), l);
}

static void what_was_made_is_read(void **state)
{
    static const struct ftp_link links[] = {{1, 1, 1},
                                            {INT64_C(1873497444986126336), 77, 1790000000},
                                            {INT64_MAX, INT64_MAX, 32503680000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        struct ftp_pass p;
        struct ftp_link l = {.charger = links[i].charger};

        ftp_pass_make(key, &links[i], "firmware-2.0.HEX", &p);
        assert_int_equal(strlen(p.password), 15);
        assert_int_equal(strlen(p.path), 25);
        assert_string_equal(p.path + 21, ".HEX");
        assert_int_equal(reads(key, p.path, p.password, &l), 0);
        assert_true(l.file == links[i].file && l.until_s == links[i].until_s);
    }
}

static void endings_stay_short(void **state)
{
    static const char *const names[][2] = {{"a.bin", ".bin"},      {"a", ".bin"},
                                           {"a.", ".bin"},         {"a.tar.gz", ".gz"},
                                           {"a.firmware", ".bin"}, {"a.x-y", ".bin"}};
    struct ftp_link l = {1, 2, 3};
    struct ftp_pass p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ftp_pass_make(key, &l, names[i][0], &p);
        assert_string_equal(p.path + 21, names[i][1]);
    }
}

static void nothing_else_is(void **state)
{
    struct ftp_link l = {11, 22, 33}, got = {.charger = 22};
    struct ftp_pass p, bad;

    (void)state;
    ftp_pass_make(key, &l, "a.bin", &p);
    assert_int_equal(reads(other_key, p.path, p.password, &got), ERR_LOGIN_FAILED);
    got.charger = 23; /* another pile */
    assert_int_equal(reads(key, p.path, p.password, &got), ERR_LOGIN_FAILED);
    got.charger = 22;
    for (size_t i = 0; i < 15; i++) {
        bad = p;
        bad.password[i] = bad.password[i] == 'a' ? 'b' : 'a';
        assert_int_equal(reads(key, p.path, bad.password, &got), ERR_LOGIN_FAILED);
    }
    for (size_t i = 0; i < 22; i++) { /* another file, another end */
        bad = p;
        bad.path[i] = bad.path[i] == 'a' ? 'b' : 'a';
        assert_int_equal(reads(key, bad.path, p.password, &got), ERR_LOGIN_FAILED);
        bad.path[i] = '\0';
        assert_int_equal(reads(key, bad.path, p.password, &got), ERR_LOGIN_FAILED);
    }
    bad = p;
    bad.path[1] = '9'; /* more than a number holds */
    memset(bad.path + 1, '9', 13);
    assert_int_equal(reads(key, bad.path, p.password, &got), ERR_LOGIN_FAILED);
    assert_int_equal(reads(key, p.path, "", &got), ERR_LOGIN_FAILED);
    assert_int_equal(reads(key, "", p.password, &got), ERR_LOGIN_FAILED);
    assert_int_equal(reads(key, p.path, p.password, &got), 0);
}

int ftp_pass_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_made_is_read),
        cmocka_unit_test(endings_stay_short),
        cmocka_unit_test(nothing_else_is),
    };

    return cmocka_run_group_tests_name("ftp_pass", tests, NULL, NULL);
}
