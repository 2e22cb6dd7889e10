// SPDX-License-Identifier: Apache-2.0
/* test_buf.c: writers, caps, JSON strings, decimals, varints. */
#include "test_base.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

static void check(struct buf *b, const char *want)
{
    assert_int_equal(b->err, 0);
    assert_int_equal(b->n, strlen(want));
    assert_memory_equal(b->p ? b->p : "", want, b->n);
    buf_reset(b);
}

static void puts_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_put_c(&b, "a");
    buf_put_char(&b, 'b');
    buf_put_str(&b, STR_LIT("cd"));
    buf_put_str(&b, STR_NONE);
    buf_printf(&b, "%d%s", 12, "x");
    buf_printf(&b, "%s", "");
    check(&b, "abcd12x");
    buf_put_i64(&b, INT64_MIN);
    buf_put_i64(&b, 0);
    check(&b, "-92233720368547758080");
    buf_put_c(&b, "head body");
    buf_drop(&b, 5);
    check(&b, "body");
    buf_free(&b);
}

static void stops_at_the_cap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_printf(&b, "%s", "0123456789"); /* exactly the cap */
    check(&b, "0123456789");
    buf_put_c(&b, "01234567");
    buf_put_c(&b, "xyz");
    assert_int_equal(b.err, ERR_TOO_LARGE);
    buf_put_char(&b, 'x'); /* would fit, but a message with a hole is worse than none */
    assert_null(buf_grow(&b, 1));
    assert_int_equal(b.n, 8);
    buf_reset(&b);
    char *p = buf_grow(&b, 10);
    assert_non_null(p);
    assert_memory_equal(p, "\0\0\0\0\0\0\0\0\0\0", 10);
    buf_free(&b);
}

static void json_strings(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_put_json(&b, STR_LIT("a\"\\/\n\x01\x1f\x7f\b\f\r\t充"));
    check(&b, "\"a\\\"\\\\/\\n\\u0001\\u001f\x7f\\b\\f\\r\\t充\"");
    buf_put_json(&b, str_from("\0", 1));
    check(&b, "\"\\u0000\"");
    buf_put_json(&b, STR_LIT("x\xff\xC0\x80y\xE5\x85"));
    check(&b, "\"x\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBD\"");
    buf_put_json(&b, STR_NONE);
    check(&b, "\"\"");
    buf_free(&b);
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        int64_t v;
        int scale, min_dec;
        const char *want;
    } rows[] = {
        {12345, 3, 0, "12.345"},
        {12300, 3, 0, "12.3"},
        {12000, 3, 0, "12"},
        {12000, 3, 2, "12.00"},
        {5, 3, 0, "0.005"},
        {-5, 3, 0, "-0.005"},
        {0, 4, 2, "0.00"},
        {7, 0, 0, "7"},
        {7, 0, 2, "7.00"},
        {-10000, 4, 2, "-1.00"},
        {INT64_MIN, 18, 0, "-9.223372036854775808"},
    };
    struct buf b;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_put_decimal(&b, rows[i].v, rows[i].scale, rows[i].min_dec);
        check(&b, rows[i].want);
    }
    buf_free(&b);
}

static void varints_come_back(void **state)
{
    (void)state;
    struct rng r = {1};
    struct buf b;
    buf_init(&b, 1 << 20);
    int64_t v[1000];
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        v[i] = (int64_t)(rng_next(&r) >> rng_below(&r, 64)) * (i % 2 ? -1 : 1);
        if (i < 2)
            v[i] = i ? INT64_MIN : INT64_MAX;
        buf_put_zigzag(&b, v[i]);
        buf_put_varint(&b, (uint64_t)v[i]);
    }
    struct cursor c = {(const uint8_t *)b.p, (const uint8_t *)b.p + b.n};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        int64_t z;
        uint64_t u;
        assert_int_equal(cursor_zigzag(&c, &z), 0);
        assert_int_equal(cursor_varint(&c, &u), 0);
        assert_true(z == v[i] && u == (uint64_t)v[i]);
    }
    struct str s;
    assert_int_equal(cursor_bytes(&c, 0, &s), 0);
    assert_int_equal(cursor_bytes(&c, 1, &s), ERR_SYNTAX);
    buf_free(&b);
}

/* Seven bits a byte, one after the other. */
static size_t plain_varint(uint64_t v, uint8_t out[10])
{
    size_t n = 0;
    do
        out[n++] = (uint8_t)((v & 0x7F) | (v >> 7 ? 0x80 : 0));
    while (v >>= 7);
    return n;
}

/* Around each power of two: the same bytes as the plain way makes, also close to the cap; read back
 * with and without bytes behind them, and refused one byte short. */
static void varints_of_each_length(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * 64; i++) {
        uint64_t v = ((uint64_t)1 << i / 3) + (uint64_t)(i % 3) - 1, u = 0;
        uint8_t want[10], room[24];
        size_t n = plain_varint(v, want);
        struct buf b;
        memset(room, 0xFF, sizeof room);
        memcpy(room, want, n);
        for (size_t behind = 0; behind < 12; behind++) {
            struct cursor c = {room, room + n + behind};
            assert_int_equal(cursor_varint(&c, &u), 0);
            assert_true(u == v && c.p == room + n);
        }
        struct cursor c = {room, room + n - 1};
        assert_int_equal(cursor_varint(&c, &u), ERR_SYNTAX);
        for (size_t cap = n - 1; cap < 12; cap++) {
            buf_init(&b, cap);
            buf_put_varint(&b, v);
            assert_int_equal(b.err, cap < n ? ERR_TOO_LARGE : 0);
            assert_true(cap < n || (b.n == n && memcmp(b.p, want, n) == 0));
            buf_free(&b);
        }
    }
}

static void bad_varints(void **state)
{
    (void)state;
    static const uint8_t cut[] = {0x80},
                         longer[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02};
    uint64_t u;
    struct cursor c = {cut, cut + sizeof cut};
    assert_int_equal(cursor_varint(&c, &u), ERR_SYNTAX);
    assert_ptr_equal(c.p, cut);
    c = (struct cursor){longer, longer + sizeof longer};
    assert_int_equal(cursor_varint(&c, &u), ERR_SYNTAX);
}

int buf_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_text),
        cmocka_unit_test(stops_at_the_cap),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(decimals),
        cmocka_unit_test(bad_varints),
        cmocka_unit_test(varints_come_back),
        cmocka_unit_test(varints_of_each_length),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
