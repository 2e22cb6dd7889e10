// SPDX-License-Identifier: Apache-2.0
/* test_bad.c: bad input. Each row gets its status and a problem body, and nothing reaches the core.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    rig_login(&rig, 1, "partner");
    rig_login_driver(&rig, "13812345678");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

#define KEY      "Idempotency-Key: k1\r\n"
#define TOPUP    "/api/v1/drivers/31/topups"
#define STATIONS "/api/v1/stations"

static const struct bad {
    int face; /* -1 nobody, 9 staff without the security token */
    const char *method, *path, *head, *body;
    int status;
    const char *name; /* of the problem */
    const char *hint; /* in the body, or NULL */
} bads[] = {
    /* bodies */
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"", 400, "syntax", NULL},
    {0, "POST", TOPUP, KEY, "", 400, "syntax", NULL},
    {0, "POST", TOPUP, KEY, "[]", 422, "type", NULL},
    {0, "POST", TOPUP, KEY, "{}", 422, "required", "\"pointer\":\"/amount\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":4}", 422, "type", "\"pointer\":\"/amount\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1e3\"}", 422, NULL, "\"pointer\":\"/amount\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"0.00\"}", 422, "range", "/amount"},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"-1.00\"}", 422, "range", "/amount"},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00001\"}", 422, NULL, "/amount"},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\",\"x\":1}", 422, "range", "\"pointer\":\"/x\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\",\"amount\":\"2.00\"}", 400, "syntax", NULL},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\",\"note\":\"\xff\"}", 400, "syntax", NULL},
    {0, "POST", "/api/v1/tariffs", NULL,
     "{\"name\":\"T\",\"from_ms\":1,\"days\":[{\"first_mmdd\":0,\"last_mmdd\":1231,\"weekdays\":"
     "127,\"plan\":0}],\"slices\":[]}",
     422, "range", "\"pointer\":\"/days/0/first_mmdd\""},
    {0, "POST", "/api/v1/logout", NULL, "{\"x\":1}", 400, "syntax", NULL},
    /* reconciliation: what one member of the body can be told at once */
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":6}", 422, "range", "/amount"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":6,\"amount\":\"-1.00\"}", 422, "range",
     "/amount"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":6,\"amount\":\"1.00\"}", 422, "required",
     "/note"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":7}", 422, "range", "/act"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":1}", 422, "required", "/owner"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":3}", 422, "required", "/way"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":3,\"way\":7}", 422, "range", "/way"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":3,\"way\":5}", 422, "required", "/note"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":0}", 422, "range", "/act"},
    {0, "POST", "/api/v1/diffs/9/decide", NULL, "{\"act\":2}", 400, "idem-required", NULL},
    {1, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":2}", 403, "denied", NULL},
    {1, "GET", "/api/v1/ledger/safeguarding", NULL, NULL, 403, "denied", NULL},
    {0, "POST", "/api/v1/channels/101/close", KEY, "{\"day\":20260230}", 422, "range", "/day"},
    {0, "POST", "/api/v1/channels/101/close", KEY, "{\"day\":20}", 422, "range", "/day"},
    {0, "POST", "/api/v1/channels/102/close", KEY, "{\"day\":20260101}", 404, "not-found", NULL},
    {0, "GET", "/api/v1/channels/101/close?day=20260230", NULL, NULL, 422, "range", "?day"},
    {0, "POST", "/api/v1/channels/101/settlements", KEY,
     "{\"amount\":\"0.00\",\"day\":20260101,\"bank_no\":\"B\"}", 422, "range", "/amount"},
    {0, "POST", "/api/v1/channels/101/settlements", KEY,
     "{\"amount\":\"1.00\",\"fee\":\"-0.01\",\"day\":20260101,\"bank_no\":\"B\"}", 422, "range",
     "/fee"},
    {0, "POST", "/api/v1/channels/101/settlements", KEY, "{\"amount\":\"1.00\",\"day\":20260101}",
     422, "required", "/bank_no"},
    {0, "POST", "/api/v1/people", NULL,
     "{\"login\":\"abc\",\"name\":\"Z\",\"password\":\"long enough\",\"role\":3,\"state\":0}", 422,
     "range", "/party"},
    {0, "POST", "/api/v1/people", NULL, "{\"login\":\"abc\",\"name\":\"Z\",\"role\":2,\"state\":0}",
     422, "required", "/password"},
    {0, "POST", "/api/v1/keys", NULL, "{\"name\":\"k\",\"role\":3,\"quota_s\":0}", 422, "range",
     "/role"},
    {0, "POST", STATIONS, NULL,
     "{\"name\":\"Q\",\"address\":\"\",\"zone\":\"Moon/"
     "Base\",\"lat_e7\":1,\"lng_e7\":2,\"tariff\":\"0\",\"contract\":\"0\",\"seller\":\"\",\"tax_"
     "bp\":0,\"state\":0}",
     422, "range", "/zone"},
    {0, "POST", "/api/v1/chargers/51/calls", KEY,
     "{\"action\":\"Reset\",\"payload\":{\"type\":\"Medium\"}}", 422, NULL, "/payload"},
    {0, "POST", "/api/v1/chargers/51/calls", KEY, "{\"action\":\"Explode\",\"payload\":{}}", 422,
     "range", "/action"},
    {0, "POST", "/api/v1/chargers/51/calls", KEY, "{\"action\":\"Reset\",\"payload\":7}", 422,
     "type", "/payload"},
    /* headers */
    {0, "POST", TOPUP, NULL, "{\"amount\":\"1.00\"}", 400, "idem-required", NULL},
    {0, "POST", TOPUP, KEY "Content-Type: text/plain\r\n", "{\"amount\":\"1.00\"}", 415,
     "media-type", NULL},
    {0, "GET", STATIONS, "Accept: text/html\r\n", NULL, 406, "not-acceptable", NULL},
    {9, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}", 403, "csrf", NULL},
    {9, "POST", TOPUP, KEY "X-CSRF-Token: wrong\r\n", "{\"amount\":\"1.00\"}", 403, "csrf", NULL},
    {0, "POST", TOPUP, KEY "Sec-Fetch-Site: cross-site\r\n", "{\"amount\":\"1.00\"}", 403, "csrf",
     NULL},
    {0, "PUT", "/api/v1/drivers/31", "If-Match: \"x\"\r\n",
     "{\"phone\":\"13812345678\",\"name\":\"L\",\"state\":0}", 412, "stale", NULL},
    {0, "PUT", "/api/v1/drivers/31", NULL, "{\"phone\":\"13812345678\",\"name\":\"L\",\"state\":0}",
     428, "precondition", NULL},
    {-1, "GET", STATIONS, "Authorization: Bearer ev_wrong\r\n", NULL, 401, "unauthenticated", NULL},
    {-1, "GET", STATIONS, "Authorization: Basic QTpC\r\n", NULL, 401, "unauthenticated", NULL},
    {-1, "GET", STATIONS, "Cookie: even_staff=0123456789\r\n", NULL, 401, "unauthenticated", NULL},
    /* who */
    {-1, "GET", STATIONS, NULL, NULL, 401, "unauthenticated", NULL},
    {-1, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}", 401, "unauthenticated", NULL},
    {2, "GET", "/api/v1/partner", NULL, NULL, 403, "denied", NULL},
    {1, "GET", "/api/v1/orders", NULL, NULL, 403, "denied", NULL},
    {0, "GET", "/api/v1/me", NULL, NULL, 403, "denied", NULL},
    /* other tenants' ids */
    {0, "GET", "/api/v1/stations/42", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/chargers/52", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/drivers/32", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/orders/999", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/chargers/52/secret", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/chargers/52/calls", KEY,
     "{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}", 404, "not-found", NULL},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"code\":\"BBBB\",\"cap\":\"1.00\"}", 404, "not-found",
     "/code"},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"code\":\"AAAA\"}", 422, "required", "/cap"},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"cap\":\"1.00\"}", 422, "required", "/code"},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"code\":\"AAAA\",\"cap\":\"1.00\",\"driver\":\"32\"}",
     422, "range", "/driver"},
    /* paths and arguments */
    {0, "GET", "/api/v1/nothing", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/stations/abc", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/stations/-5", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/stations/99999999999999999999", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1//stations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/../v1/stations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/%2e%2e/stations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/x%2fstations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations%00", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations%zz", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations%f", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/..%2f..%2fetc/passwd", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations?colour=red", NULL, NULL, 400, "syntax", "?colour"},
    {0, "GET", "/api/v1/stations?limit=0", NULL, NULL, 400, "syntax", "?limit"},
    {0, "GET", "/api/v1/stations?limit=201", NULL, NULL, 400, "syntax", "?limit"},
    {0, "GET", "/api/v1/stations?limit=5&limit=6", NULL, NULL, 400, "syntax", "?limit"},
    {0, "GET", "/api/v1/stations?after=x", NULL, NULL, 400, "syntax", "?after"},
    {0, "GET", "/api/v1/stations?after=1.2.3.4", NULL, NULL, 400, "syntax", "?after"},
    {0, "GET", "/api/v1/stations/41?after=1", NULL, NULL, 400, "syntax", "?after"},
    {0, "GET", "/api/v1/orders?state=many", NULL, NULL, 400, "syntax", "?state"},
    {0, "GET", "/api/v1/orders?state=-1", NULL, NULL, 400, "syntax", "?state"},
    /* methods */
    {0, "PUT", STATIONS, NULL, "{}", 405, "method", NULL},
    {0, "PATCH", STATIONS, NULL, "{}", 405, "method", NULL},
    {-1, "POST", "/", NULL, "{}", 405, "method", NULL},
    /* log-in */
    {-1, "POST", "/api/v1/driver/code", NULL, "{\"phone\":\"not a phone\"}", 422, "range",
     "/phone"},
    {-1, "POST", "/api/v1/driver/login", NULL,
     "{\"phone\":\"13812345678\",\"code\":\"0000\",\"tenant\":\"1\"}", 401, "login-failed", NULL},
    {-1, "POST", "/api/v1/login", NULL, "{\"login\":\"nobody\",\"password\":\"x\"}", 401,
     "login-failed", NULL},
};

static const struct reply *bad_call(const struct bad *b)
{
    char head[1024];

    if (b->face == 9) {
        snprintf(head, sizeof(head), "Cookie: %s\r\n%s", rig.cookie[0],
                 b->head != NULL ? b->head : "");
        return rig_call(&rig, b->method, b->path, head, b->body);
    }
    if (b->face < 0)
        return rig_call(&rig, b->method, b->path, b->head, b->body);
    return rig_as(&rig, b->face, b->method, b->path, b->head, b->body);
}

static void bad_input_is_refused(void **state)
{
    int before = rig.commands;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
        const struct bad *b = &bads[i];
        const struct reply *r = bad_call(b);
        char want[80];

        if (r->status != b->status)
            fail_msg("row %zu: %s %s %s: %d instead of %d: %s", i, b->method, b->path,
                     b->body ? b->body : "", r->status, b->status, r->body);
        assert_string_equal(rig_header(r, "Content-Type"), "application/problem+json");
        snprintf(want, sizeof(want), "\"type\":\"urn:even:%s\"", b->name ? b->name : "");
        if (b->name != NULL && strstr(r->body, want) == NULL)
            fail_msg("row %zu: %s: not %s", i, r->body, b->name);
        if (b->hint != NULL && strstr(r->body, b->hint) == NULL)
            fail_msg("row %zu: %s: no %s", i, r->body, b->hint);
        assert_has(r->body, "\"title_zh\":");
        assert_has(r->body, "\"cause\":");
        if (b->status == 405)
            assert_true(rig_header(r, "Allow")[0] != 0);
    }
    assert_int_equal(rig.commands, before);
}

static void long_bodies_are_refused(void **state)
{
    int before = rig.commands;
    size_t n = 300 * 1024;
    char *body = malloc(n + 1);
    const struct reply *r;

    (void)state;
    assert_non_null(body);
    memset(body, ' ', n);
    body[n] = 0;
    r = rig_as(&rig, 0, "POST", TOPUP, KEY, body);
    free(body);
    assert_int_equal(r->status, 413);
    assert_has(r->body, "urn:even:too-large");
    assert_int_equal(rig.commands, before);
}

static void long_heads_are_refused(void **state)
{
    size_t n = 60 * 1024;
    char *head = malloc(n + 64);
    const struct reply *r;

    (void)state;
    assert_non_null(head);
    memcpy(head, "X-Long: ", 8);
    memset(head + 8, 'a', n);
    memcpy(head + 8 + n, "\r\n", 3);
    r = rig_call(&rig, "GET", "/healthz", head, NULL);
    free(head);
    assert_true(r->status == 431 || r->status == 413 || r->status == 0);
    assert_int_equal(rig_call(&rig, "GET", "/healthz", NULL, NULL)->status, 200);
}

static void core_errors_become_problems(void **state)
{
    static const struct {
        int err, status;
        const char *name;
    } rows[] = {{ERR_NO_FUNDS, 402, "no-funds"},
                {ERR_OFFLINE, 409, "offline"},
                {ERR_IDEM_MISMATCH, 422, "idem-mismatch"},
                {ERR_STALE, 412, "stale"},
                {ERR_FULL, 503, "full"},
                {ERR_DISK_FULL, 507, "disk-full"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct reply *r;

        rig.answer_err = rows[i].err;
        r = rig_as(&rig, 0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}");
        assert_int_equal(r->status, rows[i].status);
        assert_has(r->body, rows[i].name);
    }
    rig.answer_err = 0;
    rig.full = true;
    assert_int_equal(rig_as(&rig, 0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}")->status, 503);
    rig.full = false;
    assert_int_equal(rig_as(&rig, 0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}")->status, 200);
}

static void failed_login_is_counted(void **state)
{
    const struct reply *r;
    int limited = 0;

    (void)state;
    r = rig_call(&rig, "POST", "/api/v1/login", NULL,
                 "{\"login\":\"viewer\",\"password\":\"wrong\"}");
    assert_int_equal(r->status, 401);
    assert_int_equal(rig.last.head.type, CMD_AUDIT);
    assert_int_equal(rig.last.u.audit.failed_login, 1);
    assert_int_equal(rig.last.u.audit.object, VIEWER);
    for (int i = 0; i < 300 && limited == 0; i++) /* a slow machine fills the bucket again */
        if (rig_call(&rig, "POST", "/api/v1/login", NULL,
                     "{\"login\":\"viewer\",\"password\":\"wrong\"}")
                ->status == 429)
            limited = 1;
    assert_int_equal(limited, 1);
}

static void options_tell_methods(void **state)
{
    const struct reply *r = rig_call(&rig, "OPTIONS", STATIONS, NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 204);
    assert_string_equal(rig_header(r, "Allow"), "GET, HEAD, POST, OPTIONS");
}

int bad_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input_is_refused),    cmocka_unit_test(long_bodies_are_refused),
        cmocka_unit_test(long_heads_are_refused),  cmocka_unit_test(core_errors_become_problems),
        cmocka_unit_test(failed_login_is_counted), cmocka_unit_test(options_tell_methods),
    };

    return cmocka_run_group_tests_name("web bad input", tests, setup, teardown);
}
