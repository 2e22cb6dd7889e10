// SPDX-License-Identifier: Apache-2.0
/* test_str.c: str, err and arena. */
#include "test_base.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

static void compares(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NONE, STR_LIT("")));
    assert_true(str_eq_c(STR_LIT("abc"), "abc"));
    assert_false(str_eq(STR_LIT("abc"), STR_LIT("abd")));
    assert_true(str_eq_nocase(STR_LIT("Sec-WebSocket-Key"), STR_LIT("sec-websocket-kEY")));
    assert_false(str_eq_nocase(STR_LIT("[a"), STR_LIT("{A")));
    assert_true(str_starts(STR_LIT("/ocpp/x"), STR_LIT("/ocpp/")));
    assert_false(str_starts(STR_LIT("/o"), STR_LIT("/ocpp/")));
    assert_true(str_cmp(STR_LIT("a"), STR_LIT("ab")) < 0);
    assert_true(str_cmp(STR_LIT("b"), STR_LIT("ab")) > 0);
    assert_int_equal(str_cmp(STR_LIT("\xff"), STR_LIT("\xff")), 0);
    assert_true(str_cmp(STR_LIT("\xff"), STR_LIT("a")) > 0);
    assert_true(str_eq_const_time("abcd", "abcd", 4));
    assert_false(str_eq_const_time("abcd", "abce", 4));
}

static void cuts_and_trims(void **state)
{
    (void)state;
    struct str rest = STR_LIT("user:pass:word");
    assert_true(str_eq_c(str_cut(&rest, ':'), "user"));
    assert_true(str_eq_c(rest, "pass:word"));
    assert_true(str_eq_c(str_cut(&rest, ';'), "pass:word"));
    assert_int_equal(rest.n, 0);
    assert_int_equal(str_cut(&rest, ':').n, 0);
    assert_true(str_eq_c(str_trim(STR_LIT(" \t a b \r\n")), "a b"));
    assert_int_equal(str_trim(STR_LIT("  ")).n, 0);
    assert_int_equal(str_find(STR_LIT("abc"), 'c'), 2);
    assert_int_equal(str_find(STR_NONE, 'c'), -1);
}

static void copies_at_character_borders(void **state)
{
    (void)state;
    char out[8];
    assert_int_equal(str_copy(out, sizeof out, STR_LIT("abc")), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(str_copy(out, sizeof out, STR_LIT("abcdefgh")), 7);
    assert_string_equal(out, "abcdefg");
    assert_int_equal(str_copy(out, sizeof out, STR_LIT("充电桩")), 6); /* 3 × 3 bytes into 7 */
    assert_string_equal(out, "充电");
    assert_int_equal(str_copy(out, 4, STR_LIT("\xF0\x9F\x94\x8C")), 0);
    assert_int_equal(str_copy(out, 1, STR_LIT("x")), 0);
    assert_int_equal(out[0], 0);
    assert_int_equal(str_copy(out, 4, STR_LIT("\x80\x80\x80\x80\x80")), 3); /* not UTF-8: any cut */
}

static void utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ascii, long enough for the fast path",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "12345678é12345678充"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2 ",
                                      "\xE0\x9F\xBF",
                                      "\xE0\xA0",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xFE",
                                      "12345678\xE5\x85",
                                      "1234567\x80"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(str_utf8_valid(str_from_c(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_utf8_valid(str_from_c(bad[i])));
    assert_int_equal(str_utf8_step(STR_LIT("充x")), 3);
    assert_int_equal(str_utf8_step(STR_NONE), 0);
}

static void numbers(void **state)
{
    (void)state;
    int64_t v = 7;
    assert_int_equal(str_to_i64(STR_LIT("-9223372036854775808"), &v), 0);
    assert_true(v == INT64_MIN);
    assert_int_equal(str_to_i64(STR_LIT("9223372036854775807"), &v), 0);
    assert_true(v == INT64_MAX);
    assert_int_equal(str_to_i64(STR_LIT("000000000000000000000012"), &v), 0);
    assert_int_equal(v, 12);
    assert_int_equal(str_to_i64(STR_LIT("9223372036854775808"), &v), ERR_RANGE);
    assert_int_equal(str_to_i64(STR_LIT("-9223372036854775809"), &v), ERR_RANGE);
    assert_int_equal(str_to_i64(STR_LIT("99999999999999999999999x"), &v), ERR_SYNTAX);
    assert_int_equal(str_to_i64(STR_LIT(""), &v), ERR_SYNTAX);
    assert_int_equal(str_to_i64(STR_LIT("-"), &v), ERR_SYNTAX);
    assert_int_equal(str_to_i64(STR_LIT("+1"), &v), ERR_SYNTAX);
    assert_int_equal(str_to_i64(STR_LIT(" 1"), &v), ERR_SYNTAX);
    assert_int_equal(v, 12);
}

static void hex(void **state)
{
    (void)state;
    uint8_t out[3];
    char text[7];
    assert_int_equal(str_from_hex(STR_LIT("00aBFf"), out, 3), 0);
    assert_memory_equal(out, "\x00\xab\xff", 3);
    str_to_hex(out, 3, text);
    assert_string_equal(text, "00abff");
    assert_int_equal(str_from_hex(STR_LIT("00aBF"), out, 3), ERR_SYNTAX);
    assert_int_equal(str_from_hex(STR_LIT("00aBFf0"), out, 3), ERR_SYNTAX);
    assert_int_equal(str_from_hex(STR_LIT("00aBFg"), out, 3), ERR_SYNTAX);
}

static void errors(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_NO_FUNDS), "no-funds");
    assert_string_equal(err_name(0), "ok");
    assert_string_equal(err_name(12345), "internal");
    assert_string_equal(err_name(ERR_LAST - 1), "internal");
    assert_string_equal(err_text(ERR_NO_FUNDS, LANG_ZH), "余额不足");
    assert_int_equal(err_http_status(ERR_NOT_FOUND), 404);
    assert_string_equal(err_ocpp_code(ERR_RANGE), "PropertyConstraintViolation");
}

static void arena_grows_to_its_cap(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64 * 1024);
    size_t got = 0;
    for (char *p; (p = arena_alloc(&a, 1000)); got += 1008) {
        assert_int_equal((uintptr_t)p % 16, 0);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, 1000);
    }
    assert_true(got > 56 * 1024 && got <= 64 * 1024);
    assert_true(a.total <= a.cap);
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 1000));
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, 65 * 1024));
    assert_string_equal(arena_copy(&a, STR_LIT("order")), "order");
    assert_true(str_eq_c(arena_printf(&a, "%d/%s", 7, "x"), "7/x"));
    arena_free(&a);
    assert_non_null(arena_alloc(&a, 64 * 1024)); /* the whole cap in one piece */
    arena_free(&a);
}

int str_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares), cmocka_unit_test(cuts_and_trims),
        cmocka_unit_test(utf8),     cmocka_unit_test(copies_at_character_borders),
        cmocka_unit_test(numbers),  cmocka_unit_test(hex),
        cmocka_unit_test(errors),   cmocka_unit_test(arena_grows_to_its_cap),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
