// SPDX-License-Identifier: Apache-2.0
/* test_ws.c: frame heads, masking, close codes, the accept key. */
#include "io_tests.h"

#include "base/str.h"
#include "io/net/ws.h"

static void test_heads_round_trip(void **state)
{
    static const uint64_t lens[] = {0, 1, 125, 126, 127, 65535, 65536, 1u << 24};
    uint8_t head[WS_HEAD_MAX], mask[4] = {1, 2, 3, 4};
    struct ws_head h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        for (int masked = 0; masked < 2; masked++) {
            size_t n = ws_head_write(head, WS_TEXT, lens[i], masked ? mask : NULL);

            for (size_t part = 0; part < n; part++)
                assert_int_equal(ws_head_read(head, part, masked, &h), 0);
            assert_int_equal(ws_head_read(head, n, masked, &h), 1);
            assert_int_equal(h.size, n);
            assert_true(h.len == lens[i] && h.fin && h.opcode == WS_TEXT && h.masked == masked);
            if (masked)
                assert_memory_equal(h.mask, mask, 4);
            assert_int_equal(ws_head_read(head, n, !masked, &h), -WS_PROTOCOL);
        }
    }
}

static void test_bad_heads(void **state)
{
    static const uint8_t bad[][10] = {
        {0xc1, 0x00},        /* RSV1: compression nobody agreed to */
        {0x91, 0x00},        /* RSV3 */
        {0x83, 0x00},        /* reserved data opcode */
        {0x8b, 0x00},        /* reserved control opcode */
        {0x09, 0x00},        /* fragmented ping */
        {0x89, 126, 0, 126}, /* long ping */
        {0x81, 126, 0, 125}, /* length not in its shortest form */
        {0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
        {0x81, 127, 0x80, 0, 0, 0, 0, 1, 0, 0}, /* top bit of the length */
    };
    struct ws_head h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ws_head_read(bad[i], sizeof(bad[i]), false, &h), -WS_PROTOCOL);
}

static void test_mask_in_parts(void **state)
{
    const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t whole[64], parts[64];

    (void)state;
    for (size_t i = 0; i < sizeof(whole); i++)
        whole[i] = parts[i] = (uint8_t)i;
    ws_mask(whole, sizeof(whole), mask, 0);
    for (size_t cut = 0; cut <= sizeof(parts); cut++) {
        for (size_t i = 0; i < sizeof(parts); i++)
            parts[i] = (uint8_t)i;
        ws_mask(parts, cut, mask, 0);
        ws_mask(parts + cut, sizeof(parts) - cut, mask, cut);
        assert_memory_equal(parts, whole, sizeof(whole));
    }
    assert_int_equal(whole[5], 5 ^ 0xfa);
}

static void test_close_codes(void **state)
{
    (void)state;
    assert_true(ws_code_valid(1000) && ws_code_valid(1001) && ws_code_valid(1011));
    assert_true(ws_code_valid(3000) && ws_code_valid(4999));
    assert_false(ws_code_valid(0) || ws_code_valid(999) || ws_code_valid(1004));
    assert_false(ws_code_valid(1005) || ws_code_valid(1006) || ws_code_valid(1015));
    assert_false(ws_code_valid(2999) || ws_code_valid(5000));
}

static void test_accept_key(void **state)
{
    char out[29];

    (void)state;
    ws_accept_key(STR_LIT("dGhlIHNhbXBsZSBub25jZQ=="), out);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int run_ws_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_round_trip), cmocka_unit_test(test_bad_heads),
        cmocka_unit_test(test_mask_in_parts),    cmocka_unit_test(test_close_codes),
        cmocka_unit_test(test_accept_key),
    };

    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
