// SPDX-License-Identifier: Apache-2.0
/* test_sheet.c: tables as text: what is read, what is refused, and that no cell becomes a formula. */
#include "rig.h"

#include "base/err.h"
#include "web/sheet.h"

static void records_are_read(void **state)
{
    static struct sheet s;
    struct arena a;

    (void)state;
    arena_init(&a, 65536);
    sheet_open(&s, STR_LIT("\xef\xbb\xbfno, name ,x\r\n\r\n1,\"a \"\"b\"\",\nc\",\n2,,\"\"\n"));
    assert_int_equal(sheet_next(&s, &a), 1);
    assert_int_equal(s.n, 3);
    assert_int_equal(sheet_column(&s, "name"), 1);
    assert_int_equal(sheet_column(&s, "other"), -1);
    assert_int_equal(sheet_next(&s, &a), 1); /* blank lines are none */
    assert_int_equal(s.line, 4);             /* it ends there: a cell has a line feed */
    assert_true(str_eq_c(s.cell[1], "a \"b\",\nc"));
    assert_int_equal(s.cell[2].n, 0);
    assert_int_equal(sheet_next(&s, &a), 1);
    assert_true(str_eq_c(s.cell[0], "2"));
    assert_int_equal(sheet_next(&s, &a), 0);
    arena_free(&a);
}

static void bad_text_is_refused(void **state)
{
    static const char *const bad[] = {"a,\"b", "\"a\"b,c", "a,\xff", "\""};
    static struct sheet s;
    struct arena a;
    char wide[2 * SHEET_CELLS + 4];

    (void)state;
    arena_init(&a, 65536);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        sheet_open(&s, str_from_c(bad[i]));
        assert_int_equal(sheet_next(&s, &a), ERR_SYNTAX);
    }
    memset(wide, ',', sizeof wide);
    sheet_open(&s, str_from(wide, SHEET_CELLS));
    assert_int_equal(sheet_next(&s, &a), ERR_FULL);
    sheet_open(&s, str_from(wide, SHEET_CELLS - 1));
    assert_int_equal(sheet_next(&s, &a), 1);
    assert_int_equal(s.n, SHEET_CELLS);
    arena_free(&a);
}

static void no_cell_is_a_formula(void **state)
{
    static struct sheet s;
    struct arena a;
    struct buf b;

    (void)state;
    arena_init(&a, 65536);
    buf_init(&b, 1000);
    sheet_put(&b, true, STR_LIT("=cmd()"));
    sheet_put(&b, false, STR_LIT("say \"hi\", all"));
    sheet_put(&b, false, STR_LIT("@x"));
    sheet_put(&b, false, STR_LIT("6222 0200"));
    assert_true(str_eq_c(buf_str(&b), "\"'=cmd()\",\"say \"\"hi\"\", all\",\"'@x\",\"6222 0200\""));
    sheet_open(&s, buf_str(&b));
    assert_int_equal(sheet_next(&s, &a), 1);
    assert_true(str_eq_c(s.cell[1], "say \"hi\", all"));
    buf_free(&b);
    arena_free(&a);
}

int sheet_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(no_cell_is_a_formula),
    };

    return cmocka_run_group_tests_name("sheets", tests, NULL, NULL);
}
