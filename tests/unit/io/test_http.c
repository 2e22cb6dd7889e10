// SPDX-License-Identifier: Apache-2.0
/* test_http.c: heads of handshakes, good, odd and bad. */
#include "io_tests.h"

#include <stdio.h>
#include "base/err.h"
#include "io/net/http.h"

#define GOOD_TAIL                                                                                  \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static int parse(const char *head, struct http_upgrade *u)
{
    return http_upgrade_parse(str_from_c(head), u);
}

static void test_plain(void **state)
{
    struct http_upgrade u;

    (void)state;
    assert_int_equal(parse("GET /ocpp/CP%201%2fA?x=1 HTTP/1.1\r\nHost: h\r\nOrigin: http://o\r\n"
                           "Sec-WebSocket-Protocol: ocpp2.0.1\r\n"
                           "Sec-WebSocket-Protocol: ocpp1.6, x\r\n" GOOD_TAIL,
                           &u),
                     0);
    assert_true(str_eq_c(u.path, "/ocpp/CP%201%2fA"));
    assert_true(str_eq_c(u.prefix, "/ocpp"));
    assert_true(str_eq_c(u.identity, "CP 1/A"));
    assert_true(str_eq_c(u.host, "h") && str_eq_c(u.origin, "http://o"));
    assert_true(http_offers(u.protocols, STR_LIT("ocpp1.6")));
    assert_true(http_offers(u.protocols, STR_LIT("ocpp2.0.1")));
    assert_false(http_offers(u.protocols, STR_LIT("ocpp1.")));
    assert_false(u.has_auth);
}

static void test_odd_but_fine(void **state)
{
    struct http_upgrade u;

    (void)state;
    assert_int_equal(parse("GET /a/b/CP1/ HTTP/1.1\n"
                           "sEC-wEBSOCKET-kEY:dGhlIHNhbXBsZSBub25jZQ==\n"
                           "CONNECTION: keep-alive , upgrade\nUPGRADE:WebSocket\n"
                           "Sec-WebSocket-Extensions: permessage-deflate\n"
                           "SEC-WEBSOCKET-VERSION:  13  \n\n",
                           &u),
                     0);
    assert_true(str_eq_c(u.identity, "CP1") && str_eq_c(u.prefix, "/a/b"));
    assert_int_equal(u.protocols.n, 0);
    assert_int_equal(parse("GET / HTTP/1.1\r\n" GOOD_TAIL, &u), 0);
    assert_int_equal(u.identity.n, 0);
}

static void test_basic_auth(void **state)
{
    struct http_upgrade u;

    (void)state;
    /* "CP1:pa:ss\xff\x00!" */
    assert_int_equal(
        parse("GET /CP1 HTTP/1.1\r\nAuthorization: basic Q1AxOnBhOnNz/wAh\r\n" GOOD_TAIL, &u), 0);
    assert_true(u.has_auth && str_eq_c(u.user, "CP1"));
    assert_int_equal(u.password.n, 8);
    assert_memory_equal(u.password.p, "pa:ss\xff\x00!", 8);
    assert_int_equal(parse("GET /CP1 HTTP/1.1\r\nAuthorization: Bearer abc\r\n" GOOD_TAIL, &u), 0);
    assert_false(u.has_auth);
    assert_int_equal(parse("GET /CP1 HTTP/1.1\r\nAuthorization: Basic ???\r\n" GOOD_TAIL, &u),
                     -400);
    assert_int_equal(parse("GET /CP1 HTTP/1.1\r\nAuthorization: Basic Q1Ax\r\n" GOOD_TAIL, &u),
                     -400);
}

static void test_bad_requests(void **state)
{
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {"POST /x HTTP/1.1\r\n" GOOD_TAIL, 405},
        {"GET /x HTTP/1.0\r\n" GOOD_TAIL, 505},
        {"GET /x HTTP/2.0\r\n" GOOD_TAIL, 505},
        {"GET x HTTP/1.1\r\n" GOOD_TAIL, 400},
        {"GET /x\r\n" GOOD_TAIL, 400},
        {"GET /%zz HTTP/1.1\r\n" GOOD_TAIL, 400},
        {"GET /a%0 HTTP/1.1\r\n" GOOD_TAIL, 400},
        {"GET /a%00b HTTP/1.1\r\n" GOOD_TAIL, 400},
        {"GET /%ff HTTP/1.1\r\n" GOOD_TAIL, 400},
        {"GET /x HTTP/1.1\r\nHost h\r\n" GOOD_TAIL, 400},
        {"GET /x HTTP/1.1\r\nHost: h\r\n folded\r\n" GOOD_TAIL, 400},
        {"GET /x HTTP/1.1\r\nContent-Length: 5\r\n" GOOD_TAIL, 400},
        {"GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" GOOD_TAIL, 400},
        {"GET /x HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" GOOD_TAIL, 400},
        {"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 426},
        {"GET /x HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426},
        {"GET /x HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
         400},
        {"\r\n\r\n", 400},
    };
    struct http_upgrade u;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(parse(rows[i].head, &u), -rows[i].status);
}

static void test_limits(void **state)
{
    static char head[16384];
    struct http_upgrade u;
    size_t n = (size_t)snprintf(head, sizeof(head), "GET /x HTTP/1.1\r\n");

    (void)state;
    for (int i = 0; i < 70; i++)
        n += (size_t)snprintf(head + n, sizeof(head) - n, "X-%d: y\r\n", i);
    snprintf(head + n, sizeof(head) - n, "%s", GOOD_TAIL);
    assert_int_equal(parse(head, &u), -431);
    n = (size_t)snprintf(head, sizeof(head), "GET /");
    memset(head + n, 'a', 2000);
    snprintf(head + n + 2000, sizeof(head) - n - 2000, " HTTP/1.1\r\n%s", GOOD_TAIL);
    assert_int_equal(parse(head, &u), -414);
    n = (size_t)snprintf(head, sizeof(head), "GET /");
    memset(head + n, 'a', 300);
    snprintf(head + n + 300, sizeof(head) - n - 300, " HTTP/1.1\r\n%s", GOOD_TAIL);
    assert_int_equal(parse(head, &u), -400); /* longer than any identity */
}

static void test_head_end(void **state)
{
    static const char head[] = "GET / HTTP/1.1\r\nA: b\r\n\r\nrest";

    (void)state;
    for (size_t n = 0; n < sizeof(head) - 5; n++)
        assert_int_equal(http_head_end(str_from(head, n)), 0);
    assert_int_equal(http_head_end(STR_LIT(head)), sizeof(head) - 5);
    assert_int_equal(http_head_end(STR_LIT("a\n\nb")), 3);
    assert_int_equal(http_head_end(STR_LIT("\n\n")), 2);
}

static void test_answers(void **state)
{
    struct str protocol;
    int status;

    (void)state;
    assert_int_equal(http_answer_parse(STR_LIT("HTTP/1.1 101 Switching\r\nSEC-WEBSOCKET-ACCEPT: k"
                                               "\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"),
                                       "k", &status, &protocol),
                     0);
    assert_true(str_eq_c(protocol, "ocpp1.6"));
    assert_int_equal(http_answer_parse(STR_LIT("HTTP/1.1 401 No\r\n\r\n"), "k", &status, &protocol),
                     ERR_REJECTED);
    assert_int_equal(status, 401);
    assert_int_equal(http_answer_parse(STR_LIT("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: q\r\n\r\n"),
                                       "k", &status, &protocol),
                     ERR_REJECTED);
    assert_int_equal(http_answer_parse(STR_LIT("SSH-2.0\r\n\r\n"), "k", &status, &protocol),
                     ERR_REJECTED);
    assert_int_equal(status, 0);
}

int run_http_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_odd_but_fine),
        cmocka_unit_test(test_basic_auth), cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_head_end),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
