// SPDX-License-Identifier: Apache-2.0
/* test_gunzip.c: what was packed comes out as it was; what is cut off, damaged, longer than it should be
 * or greater than allowed does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#include "base/err.h"
#include "io/os/gunzip.h"

enum { SIZE = 100000, GZIP = 16 + MAX_WBITS };
static uint8_t plain[SIZE], packed[2 * SIZE];

static size_t pack(size_t n)
{
    z_stream z = {
        .next_in = plain, .avail_in = (uInt)n, .next_out = packed, .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return sizeof packed - z.avail_out;
}

static int unpack(size_t n, size_t max, size_t *out)
{
    struct buf b;
    buf_init(&b, 4 * SIZE);
    int err = gunzip(str_from((const char *)packed, n), max, &b);
    if (!err)
        assert_memory_equal(b.p ? b.p : "", plain, b.n);
    *out = b.n;
    buf_free(&b);
    return err;
}

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        plain[i] = (uint8_t)((i * 7 + i / 251) % 97 + 32);
    return 0;
}

static void comes_out_as_it_was(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 16383, 16384, 16385, SIZE};
    size_t got;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = pack(sizes[i]);
        assert_true(gunzip_is(str_from((const char *)packed, n)));
        assert_int_equal(unpack(n, sizes[i], &got), 0);
        assert_int_equal(got, sizes[i]);
    }
    assert_false(gunzip_is(STR_LIT("\x1f\x8b")));
    assert_false(gunzip_is(STR_LIT("a,b,c")));
    assert_false(gunzip_is(STR_LIT("\x1f,\x8b")));
}

static void no_more_than_allowed(void **state)
{
    size_t n = pack(SIZE), got;
    (void)state;
    assert_int_equal(unpack(n, SIZE - 1, &got), ERR_TOO_LARGE);
    assert_true(got < SIZE);
    assert_int_equal(unpack(n, 0, &got), ERR_TOO_LARGE);
    assert_int_equal(got, 0);
}

static void cut_off_and_damaged(void **state)
{
    size_t n = pack(3000), got;
    (void)state;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(unpack(i, SIZE, &got), ERR_SYNTAX);
    for (size_t i = n - 8; i < n; i++) { /* its CRC and its length */
        packed[i] ^= 0x10;
        assert_int_equal(unpack(n, SIZE, &got), ERR_SYNTAX);
        packed[i] ^= 0x10;
    }
    packed[n] = 'x';
    assert_int_equal(unpack(n + 1, SIZE, &got), ERR_SYNTAX);
    packed[0] = 'x';
    assert_int_equal(unpack(n, SIZE, &got), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_as_it_was),
        cmocka_unit_test(no_more_than_allowed),
        cmocka_unit_test(cut_off_and_damaged),
    };
    return cmocka_run_group_tests_name("gunzip", tests, fill, NULL);
}
