// SPDX-License-Identifier: Apache-2.0
/* test_hash.c: published vectors and consistency. */
#include "test_base.h"

#include "base/err.h"
#include "base/hash.h"

#include <stdlib.h>

static void crc16(void **state)
{
    (void)state;
    uint8_t body[12];
    assert_int_equal(str_from_hex(STR_LIT("000000025503141278230500"), body, 12), 0);
    assert_int_equal(crc16_modbus(body, 12), 0x4CDA); /* on the wire: DA 4C */
    assert_int_equal(crc16_modbus("123456789", 9), 0x4B37);
    assert_int_equal(crc16_modbus("", 0), 0xFFFF);
}

/* One bit at a time, as the polynomial is written. */
static uint32_t crc32c_slow(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0U;
    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    }
    return ~crc;
}

static void crc32(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    uint8_t data[300];
    struct rng r = {3};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rng_next(&r);
    for (size_t n = 0; n < sizeof data; n++) {
        size_t cut = rng_below(&r, n + 1);
        uint32_t first = crc32c(0, data, cut);
        assert_int_equal(crc32c(first, data + cut, n - cut), crc32c_slow(data, n));
    }
}

static void check_sha(struct str in, const char *want1, const char *want256)
{
    uint8_t out[32];
    char hex[65];
    sha1(in.p, in.n, out);
    str_to_hex(out, 20, hex);
    assert_string_equal(hex, want1);
    sha256(in.p, in.n, out);
    str_to_hex(out, 32, hex);
    assert_string_equal(hex, want256);
}

static void sha(void **state)
{
    (void)state;
    check_sha(STR_LIT("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d",
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha(STR_NONE, "da39a3ee5e6b4b0d3255bfef95601890afd80709",
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha(STR_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    size_t n = 1000000;
    char *a = malloc(n);
    assert_non_null(a);
    memset(a, 'a', n);
    check_sha(str_from(a, n), "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(a);
}

static void base64(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char text[16];
    uint8_t out[16];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i][0]), n = 99;
        assert_int_equal(base64_encode(rows[i][0], len, text), strlen(rows[i][1]));
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(base64_decode(str_from_c(text), out, len, &n), 0);
        assert_int_equal(n, len);
        assert_memory_equal(out, rows[i][0], len);
        struct str bare = str_cut(&(struct str){text, strlen(text)}, '=');
        assert_int_equal(base64_decode(bare, out, len, &n), 0);
        assert_int_equal(n, len);
    }
    size_t n;
    assert_int_equal(base64_decode(STR_LIT("Zm9v"), out, 2, &n), ERR_TOO_LARGE);
    assert_int_equal(base64_decode(STR_LIT("Z"), out, 16, &n), ERR_SYNTAX);
    assert_int_equal(base64_decode(STR_LIT("===="), out, 16, &n), ERR_SYNTAX);
    assert_int_equal(base64_decode(STR_LIT("Zm=v"), out, 16, &n), ERR_SYNTAX);
    assert_int_equal(base64_decode(STR_LIT("Zm9-"), out, 16, &n), ERR_SYNTAX);
    assert_int_equal(base64_decode(str_from("Zm\0v", 4), out, 16, &n), ERR_SYNTAX);
}

static void keyed_hashes(void **state)
{
    (void)state;
    uint64_t seen = 0;
    char text[32] = "abcdefghijklmnopqrstuvwxyz01234";
    for (size_t n = 0; n < sizeof text; n++) {
        uint64_t h = hash_bytes(text, n, 1);
        assert_true(h == hash_bytes(text, n, 1) && h != hash_bytes(text, n, 2) && h != seen);
        seen = h;
    }
    assert_true(hash_bytes("\0", 1, 1) != hash_bytes("\0\0", 2, 1));
    assert_true(hash_u64(1, 1) != hash_u64(1, 2) && hash_u64(1, 1) != hash_u64(2, 1));
}

static void random_ranges(void **state)
{
    (void)state;
    struct rng r = {5};
    int hits[10] = {0};
    for (int i = 0; i < 10000; i++)
        hits[rng_below(&r, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(hits[i], 850, 1150);
    for (int i = 0; i < 1000; i++) {
        int64_t v = rng_range(&r, -3, 3);
        assert_true(v >= -3 && v <= 3);
    }
    assert_true(rng_range(&r, 9, 9) == 9);
    (void)rng_range(&r, INT64_MIN, INT64_MAX);
}

int hash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc16),  cmocka_unit_test(crc32),        cmocka_unit_test(sha),
        cmocka_unit_test(base64), cmocka_unit_test(keyed_hashes), cmocka_unit_test(random_ranges),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
