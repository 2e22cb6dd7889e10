// SPDX-License-Identifier: Apache-2.0
/* test_api.c: what the API answers when everything is right: log-ins, reads of every list, writes
 * as commands, roles, tenants, the story of an order, statements, pages, tags. */
#include "rig.h"

#include <stdio.h>
#include <string.h>
#include "web/route.h"

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

static const struct reply *staff(const char *path)
{
    return rig_as(&rig, 0, "GET", path, NULL, NULL);
}

static void ops_answer(void **state)
{
    const struct reply *r = rig_call(&rig, "GET", "/healthz", NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "ok\n");
    assert_int_equal(rig_call(&rig, "GET", "/readyz", NULL, NULL)->status, 200);
    r = rig_call(&rig, "GET", "/api/v1/openapi.json", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"openapi\":\"3.1.0\"");
    assert_has(r->body, "\"/api/v1/orders/{id}/stop\"");
    r = staff("/metrics");
    assert_int_equal(r->status, 200);
    assert_has(r->body, "# TYPE even_stage_seconds histogram");
    assert_has(r->body, "even_stage_seconds_bucket{stage=\"http\",le=\"+Inf\"}");
    assert_int_equal(rig_call(&rig, "GET", "/metrics", NULL, NULL)->status, 401);
}

static void session_tells_who(void **state)
{
    const struct reply *r = staff("/api/v1/session");

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"role\":1");
    assert_has(r->body, "\"tenant_name\":\"Even Ltd\"");
    assert_has_not(r->body, "setup");
    r = rig_call(&rig, "GET", "/api/v1/session", NULL, NULL);
    assert_has(r->body, "\"kind\":0");
    r = rig_call(&rig, "GET", "/api/v1/session", "Cookie: even_staff=nonsense\r\n", NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"kind\":0");
    assert_string_equal(rig_header(r, "X-Frame-Options"), "DENY");
    assert_has(rig_header(r, "Content-Security-Policy"), "default-src 'self'");
}

/* One browser, three cookies: the page decides which one speaks. */
static void faces_have_their_own_session(void **state)
{
    char head[1024];
    const struct reply *r;

    (void)state;
    snprintf(head, sizeof(head), "Cookie: %s; %s; %s\r\nReferer: http://even.test/d/x\r\n",
             rig.cookie[0], rig.cookie[1], rig.cookie[2]);
    r = rig_call(&rig, "GET", "/api/v1/session", head, NULL);
    assert_has(r->body, "\"role\":4");
    assert_has(r->body, "\"name\":\"Li\"");
    snprintf(head, sizeof(head), "Cookie: %s; %s; %s\r\nReferer: http://even.test/p\r\n",
             rig.cookie[0], rig.cookie[1], rig.cookie[2]);
    assert_has(rig_call(&rig, "GET", "/api/v1/session", head, NULL)->body, "\"party\":\"12\"");
    snprintf(head, sizeof(head), "Cookie: %s; %s; %s\r\nReferer: http://even.test/console/\r\n",
             rig.cookie[0], rig.cookie[1], rig.cookie[2]);
    assert_has(rig_call(&rig, "GET", "/api/v1/session", head, NULL)->body, "\"role\":1");
}

/* Two operators: a driver says whose customer to be, and scans anywhere. */
static void drivers_choose_their_operator(void **state)
{
    static const char phone[] = "{\"phone\":\"13900000077\"}";
    char body[160], code[8];
    const struct reply *r = rig_call(&rig, "GET", "/api/v1/driver/operators", NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "{\"id\":\"1\",\"name\":\"Even Ltd\"}");
    assert_has(r->body, "{\"id\":\"2\",");
    r = rig_call(&rig, "POST", "/api/v1/driver/code", NULL, phone);
    (void)str_copy(code, 7, str_from_c(strstr(r->body, "\"demo_code\":\"") + 13));
    snprintf(body, sizeof(body), "{\"phone\":\"13900000077\",\"code\":\"%s\"}", code);
    r = rig_call(&rig, "POST", "/api/v1/driver/login", NULL, body);
    assert_int_equal(r->status, 422);
    assert_has(r->body, "\"pointer\":\"/tenant\"");
    snprintf(body, sizeof(body), "{\"phone\":\"13900000077\",\"code\":\"%s\",\"tenant\":\"99\"}",
             code);
    assert_int_equal(rig_call(&rig, "POST", "/api/v1/driver/login", NULL, body)->status, 422);
    /* Neither spoilt the code. */
    snprintf(body, sizeof(body), "{\"phone\":\"13900000077\",\"code\":\"%s\",\"tenant\":\"2\"}",
             code);
    rig.answer.id = DRIVER2;
    r = rig_call(&rig, "POST", "/api/v1/driver/login", NULL, body);
    rig.answer.id = 777;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"tenant\":\"2\"");
    assert_has(r->body, "\"zone\":\"");
    r = rig_as(&rig, 2, "GET", "/api/v1/codes/AAAA", NULL, NULL);
    assert_has(r->body, "\"tenant\":\"1\"");
    assert_has(r->body, "\"zone\":\"Asia/Shanghai\"");
}

/* Every GET without a stream or a link answers 200 for somebody who may; so every query runs against the real
 * schema. */
static void every_list_answers(void **state)
{
    (void)state;
    for (int i = 0; i < routes_n; i++) {
        const struct route *r = &routes[i];
        char path[128];
        const char *brace = strchr(r->path, '{');
        int face = strcmp(r->perm, "me") == 0 ? 2 : strcmp(r->perm, "partner") == 0 ? 1 : 0;
        const struct reply *reply;

        if (r->method != ROUTE_GET || r->reply == REPLY_SSE || r->reply == REPLY_FILE)
            continue;
        if (brace != NULL)
            snprintf(path, sizeof(path), "%.*s%s%s", (int)(brace - r->path), r->path,
                     strstr(r->path, "{code}")       ? "AAAA"
                     : strstr(r->path, "stations")   ? "41"
                     : strstr(r->path, "chargers")   ? "51"
                     : strstr(r->path, "connectors") ? "61"
                     : strstr(r->path, "drivers")    ? "31"
                     : strstr(r->path, "tariffs")    ? "71"
                     : strstr(r->path, "occupancy")  ? "72"
                     : strstr(r->path, "contracts")  ? "81"
                     : strstr(r->path, "accounts")   ? "91"
                     : strstr(r->path, "transfers")  ? "202"
                     : strstr(r->path, "parties")    ? "12"
                     : strstr(r->path, "commands")   ? "301"
                                                     : "101",
                     strchr(brace, '/') ? strchr(brace, '/') : "");
        else
            snprintf(path, sizeof(path), "%s", r->path);
        reply = rig_as(&rig, face, "GET", path, NULL, NULL);
        if (reply->status != 200)
            fail_msg("%s: %d %s", path, reply->status, reply->body);
        assert_true(reply->n > 0);
        if (r->flags & ROUTE_LIST)
            assert_has(reply->body, "\"next\":\"\"");
    }
}

/* What is taken away is what its kind says, in both languages, and nobody else's. */
static void statements_are_documents(void **state)
{
    (void)state;
    const struct reply *r =
        rig_as(&rig, 1, "GET", "/api/v1/partner/statements/101/sheet.xlsx", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_memory_equal(r->body, "PK\3\4", 4);
    r = rig_as(&rig, 1, "GET", "/api/v1/partner/statements/101/sheet.pdf?lang=en", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_memory_equal(r->body, "%PDF-1.", 7);
    assert_true(r->n > 2000);
    r = rig_as(&rig, 1, "GET", "/api/v1/partner/statements/102/sheet.pdf", NULL, NULL);
    assert_int_equal(r->status, 404);
}

static void lists_show_rows(void **state)
{
    const struct reply *r = staff("/api/v1/stations");

    (void)state;
    assert_has(r->body, "\"id\":\"41\"");
    assert_has(r->body, "\"chargers\":1");
    assert_has_not(r->body, "\"id\":\"42\""); /* the other operator's */
    r = staff("/api/v1/connectors?station=41");
    assert_has(r->body, "\"code\":\"AAAA\"");
    r = staff("/api/v1/chargers?state=0&limit=1");
    assert_has(r->body, "\"next\":\"53\"");
    r = staff("/api/v1/chargers?state=0&limit=1&after=53");
    assert_has(r->body, "\"id\":\"51\"");
    assert_has(r->body, "\"secured\":true");
    assert_has(r->body, "\"online\":true");
    assert_has(r->body, "\"next\":\"\"");
    assert_has(staff("/api/v1/chargers?state=2")->body, "\"items\":[]");
    r = staff("/api/v1/drivers?phone=13812345678");
    assert_has(r->body, "\"balance\":\"6.00\"");
    assert_has(r->body, "\"phone\":\"13812345678\"");
    r = staff("/api/v1/audit");
    assert_has(r->body, "\"actor_name\":\"admin\"");
    r = staff("/api/v1/parties");
    assert_has(r->body, "\"pending\":\"2.00\"");
}

static void viewer_sees_masked_phones(void **state)
{
    char keep[160], token[64];
    const struct reply *r;

    (void)state;
    memcpy(keep, rig.cookie[0], sizeof(keep));
    memcpy(token, rig.csrf[0], sizeof(token));
    rig_login(&rig, 0, "viewer");
    r = staff("/api/v1/drivers/31");
    assert_has(r->body, "\"phone\":\"138****78\"");
    r = rig_as(&rig, 0, "POST", "/api/v1/drivers/31/topups", "Idempotency-Key: k\r\n",
               "{\"amount\":\"1.00\"}");
    assert_int_equal(r->status, 403);
    assert_int_equal(staff("/api/v1/people")->status, 403);
    memcpy(rig.cookie[0], keep, sizeof(keep));
    memcpy(rig.csrf[0], token, sizeof(token));
}

static void code_shows_price(void **state)
{
    const struct reply *r = rig_call(&rig, "GET", "/api/v1/codes/AAAA", NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"station_name\":\"Harbour\"");
    assert_has(
        r->body,
        "\"slices\":[{\"from_min\":0,\"label\":\"谷\",\"elec_e5\":30000,\"service_e5\":40000},"
        "{\"from_min\":480,\"label\":\"峰\"");
    assert_int_equal(rig_call(&rig, "GET", "/api/v1/codes/ZZZZ", NULL, NULL)->status, 404);
    r = staff("/api/v1/connectors/61/qr.svg");
    assert_has(r->body, "<svg");
    assert_string_equal(rig_header(r, "Content-Type"), "image/svg+xml");
    assert_int_equal(staff("/api/v1/connectors/62/qr.svg")->status, 404);
}

static void order_tells_its_story(void **state)
{
    const struct reply *r = staff("/api/v1/orders/101");

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"driver_phone\":\"138****78\"");
    assert_has(r->body, "\"lines\":[{\"seq\":1,\"kind\":1,\"label\":\"峰\"");
    assert_has(r->body, "\"price_e5\":80000,\"amount\":\"2.67\"");
    assert_has(r->body, "\"party_name\":\"Property\"");
    assert_has(r->body, "\"transfers\":[{\"id\":\"202\",\"code\":2");
    assert_has(r->body, "{\"account\":\"91\",\"kind\":2,\"owner_name\":\"Li\",\"amount\":\"-4.00\","
                        "\"balance\":\"6.00\"");
    assert_has(r->body, "\"action\":\"RemoteStartTransaction\"");
    assert_has(r->body, "\"cause\":\"0000000000c0ffee\"");
    r = rig_as(&rig, 2, "GET", "/api/v1/me/orders/101", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has_not(r->body, "c0ffee");
    assert_has(r->body, "\"event\":1,");
    assert_has(r->body, "\"parts\":[]");
    assert_has(r->body, "\"transfers\":[]");
    assert_has(r->body, "\"amount\":\"1.33\"");
}

/* What came in, where it went, and the sums over both; to each as much of it as is theirs. */
static void order_tells_its_money(void **state)
{
    const struct reply *r = staff("/api/v1/orders/101/story");

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"lots\":[{\"capture\":\"202\",\"account\":2,\"rule\":2,\"code\":1,"
                        "\"transfer\":\"201\"");
    assert_has(r->body, "\"amount\":\"10.00\",\"used\":\"4.00\"");
    assert_has(r->body, "\"came\":\"4.00\",\"parties\":\"4.00\"");
    assert_has(r->body, "\"off\":\"0.00\"");
    r = rig_as(&rig, 2, "GET", "/api/v1/me/orders/101/story", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"used\":\"4.00\"");
    assert_null(strstr(r->body, "\"shares\""));
    r = rig_as(&rig, 1, "GET", "/api/v1/partner/orders/101/story", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"party_name\":\"Property\"");
    assert_null(strstr(r->body, "\"lots\""));
    assert_int_equal(staff("/api/v1/orders/999/story")->status, 404);
    assert_int_equal(rig_as(&rig, 1, "GET", "/api/v1/orders/101/story", NULL, NULL)->status, 403);
    assert_int_equal(rig_as(&rig, 2, "GET", "/api/v1/orders/101/story", NULL, NULL)->status, 403);
}

static void statements_follow_the_links(void **state)
{
    const struct reply *r = rig_as(&rig, 2, "GET", "/api/v1/me/statement", NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "{\"transfer\":\"202\",\"code\":2,\"order_id\":\"101\",\"amount\":\"-4."
                        "00\",\"balance\":\"6.00\"");
    assert_has(r->body, "{\"transfer\":\"201\",\"code\":1,\"order_id\":\"0\",\"amount\":\"10.00\","
                        "\"balance\":\"10.00\"");
    assert_true(strstr(r->body, "\"202\"") < strstr(r->body, "\"201\""));
    r = staff("/api/v1/drivers/31/statement?limit=1");
    assert_has(r->body, "\"next\":\"201\"");
    r = staff("/api/v1/drivers/31/statement?limit=1&after=201");
    assert_has(r->body, "\"amount\":\"10.00\"");
    assert_has(r->body, "\"next\":\"\"");
    assert_int_equal(staff("/api/v1/drivers/31/statement?after=150")->status, 400);
    r = rig_as(&rig, 1, "GET", "/api/v1/partner/statement", NULL, NULL);
    assert_has(r->body, "\"amount\":\"2.00\",\"balance\":\"2.00\"");
    r = staff("/api/v1/accounts/91/statement");
    assert_has(r->body, "\"note\":\"cash\"");
    r = staff("/api/v1/ledger/trial");
    assert_has(r->body, "\"sum\":\"0.00\"");
}

static void partner_sees_shares_only(void **state)
{
    const struct reply *r = rig_as(&rig, 1, "GET", "/api/v1/partner/shares?limit=1", NULL, NULL);
    char path[256], *next;

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has_not(r->body, "13812345678");
    assert_has_not(r->body, "driver");
    next = strstr(r->body, "\"next\":\"");
    assert_non_null(next);
    snprintf(path, sizeof(path), "/api/v1/partner/shares?limit=1&after=%.*s",
             (int)strcspn(next + 8, "\""), next + 8);
    r = rig_as(&rig, 1, "GET", path, NULL, NULL);
    assert_has(r->body, "\"fee_kind\":1");
    assert_has(r->body, "\"next\":\"\"");
    r = rig_as(&rig, 1, "GET", "/api/v1/partner", NULL, NULL);
    assert_has(r->body, "\"today\":\"2.00\",\"today_orders\":1,\"month\":\"2.00\"");
    assert_has(rig_as(&rig, 1, "GET", "/api/v1/partner/stations", NULL, NULL)->body,
               "\"today_share\":\"2.00\"");
    assert_has(rig_as(&rig, 1, "GET", "/api/v1/partner/contracts", NULL, NULL)->body,
               "\"ratio\":5,\"ratio_sum\":10");
    snprintf(path, sizeof(path), "Cookie: even_staff=%s\r\n", strchr(rig.cookie[1], '=') + 1);
    assert_int_equal(rig_call(&rig, "GET", "/api/v1/orders", path, NULL)->status, 403);
}

static void me_shows_wallet(void **state)
{
    const struct reply *r = rig_as(&rig, 2, "GET", "/api/v1/me", NULL, NULL);

    (void)state;
    assert_has(r->body,
               "\"balance\":\"6.00\",\"held\":\"0.00\",\"available\":\"6.00\",\"debt\":\"0.00\"");
    assert_has(r->body, "\"order\":\"0\"");
    assert_int_equal(rig_as(&rig, 2, "GET", "/api/v1/orders", NULL, NULL)->status, 403);
}

static void writes_become_commands(void **state)
{
    const struct reply *r;
    int before = rig.commands;

    (void)state;
    r = rig_as(&rig, 0, "POST", "/api/v1/drivers/31/topups", "Idempotency-Key: one\r\n",
               "{\"amount\":\"4.00\",\"note\":\"desk\"}");
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "{\"id\":\"777\",\"version\":5}");
    assert_int_equal(rig.commands, before + 1);
    assert_int_equal(rig.last.head.type, CMD_TOPUP);
    assert_int_equal(rig.last.head.tenant, T1);
    assert_int_equal(rig.last.head.actor, ADMIN);
    assert_int_equal(rig.last.u.topup.amount, 40000);
    assert_string_equal(rig.last.u.topup.currency, "CNY");
    assert_int_equal(rig.last.head.idem_set, 1);
    assert_int_equal(strlen(rig.last.head.idem_key), 64);
    r = rig_as(&rig, 2, "POST", "/api/v1/me/orders", "Idempotency-Key: two\r\n",
               "{\"code\":\"AAAA\",\"cap\":\"4.00\"}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.order_start.connector, CONNECTOR);
    assert_int_equal(rig.last.u.order_start.driver, DRIVER);
    assert_int_equal(rig.last.u.order_start.cap, 40000);
    assert_int_equal(rig.last.u.order_start.payer_kind, PAYER_WALLET);
    r = rig_as(&rig, 2, "POST", "/api/v1/me/orders", "Idempotency-Key: two more\r\n",
               "{\"code\":\"AAAA\",\"cap\":\"4.00\",\"payer\":3}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.order_start.payer_kind, PAYER_COMPANY);
    r = rig_as(&rig, 0, "POST", "/api/v1/companies/101/payments", "Idempotency-Key: pay\r\n",
               "{\"amount\":\"12.50\",\"bill\":\"101\",\"note\":\"bank\"}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.company_pay.company, 101);
    assert_int_equal(rig.last.u.company_pay.bill, 101);
    assert_int_equal(rig.last.u.company_pay.amount, 125000);
    assert_string_equal(rig.last.u.company_pay.currency, "CNY");
    r = rig_as(&rig, 2, "POST", "/api/v1/me/orders/101/stop", "Idempotency-Key: three\r\n", NULL);
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.order_stop.driver, DRIVER);
    r = rig_as(&rig, 0, "POST", "/api/v1/chargers/51/calls", "Idempotency-Key: four\r\n",
               "{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}");
    assert_int_equal(r->status, 200);
    assert_string_equal(rig.last.u.call.payload, "{\"type\":\"Soft\"}");
    r = rig_as(&rig, 0, "POST", "/api/v1/tokens", NULL,
               "{\"driver\":\"31\",\"tag\":\"CARD1\",\"kind\":1,\"state\":0}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.row_put.table, ROW_TOKEN);
    assert_int_equal(rig.last.u.row_put.create, 1);
}

static void replay_is_told(void **state)
{
    const struct reply *r;

    (void)state;
    rig.answer.replay = 1;
    r = rig_as(&rig, 0, "POST", "/api/v1/drivers/31/topups", "Idempotency-Key: one\r\n",
               "{\"amount\":\"4.00\"}");
    rig.answer.replay = 0;
    assert_has(r->body, "\"replay\":true");
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
}

static void put_needs_version(void **state)
{
    static const char body[] =
        "{\"name\":\"Quay\",\"address\":\"\",\"zone\":\"Asia/Shanghai\",\"lat_e7\":1,\"lng_e7\":2,"
        "\"tariff\":\"71\",\"contract\":\"81\",\"seller\":\"E\",\"tax_bp\":600,\"state\":0}";
    const struct reply *r = staff("/api/v1/stations/41");
    struct arena a;
    enum row_table t;
    enum row_op op;
    void *row;

    (void)state;
    assert_string_equal(rig_header(r, "ETag"), "\"3\"");
    r = rig_as(&rig, 0, "PUT", "/api/v1/stations/41", NULL, body);
    assert_int_equal(r->status, 428);
    r = rig_as(&rig, 0, "PUT", "/api/v1/stations/41", "If-Match: \"3\"\r\n", body);
    assert_int_equal(r->status, 200);
    assert_string_equal(rig_header(r, "ETag"), "\"5\"");
    arena_init(&a, 65536);
    struct cursor c = {(const uint8_t *)rig.last.u.row_put.row,
                       (const uint8_t *)rig.last.u.row_put.row + rig.last.u.row_put.n};
    assert_int_equal(row_unpack(&c, &a, &t, &op, &row), 0);
    assert_int_equal(t, ROW_STATION);
    assert_int_equal(((struct row_station *)row)->id, STATION);
    assert_int_equal(((struct row_station *)row)->version, 3);
    assert_string_equal(((struct row_station *)row)->name, "Quay");
    arena_free(&a);
    r = rig_as(&rig, 0, "PUT", "/api/v1/stations/41", "If-Match: W/\"3\"\r\n", body);
    assert_int_equal(r->status, 412);
}

static void tags_save_bytes(void **state)
{
    const struct reply *r = staff("/api/v1/stations/41");
    char head[256];

    (void)state;
    r = rig_as(&rig, 0, "GET", "/api/v1/stations/41", "If-None-Match: \"3\"\r\n", NULL);
    assert_int_equal(r->status, 304);
    assert_int_equal(r->n, 0);
    r = staff("/api/v1/tariffs");
    snprintf(head, sizeof(head), "If-None-Match: %s\r\n", rig_header(r, "ETag"));
    assert_int_equal(rig_as(&rig, 0, "GET", "/api/v1/tariffs", head, NULL)->status, 304);
    r = rig_as(&rig, 0, "HEAD", "/api/v1/tariffs", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_int_equal(r->n, 0);
}

static int card_sent(const char *key, const char *card)
{
    char head[64], body[160];

    snprintf(head, sizeof(head), "Idempotency-Key: %s\r\n", key);
    snprintf(
        body, sizeof(body),
        "{\"connector\":0,\"action\":\"CardSync\",\"payload\":{\"cards\":[{\"physical\":\"%s\"}]}}",
        card);
    return rig_as(&rig, 0, "POST", "/api/v1/chargers/53/calls", head, body)->status;
}

/* Only cards with credit go to piles that may be offline. */
static void offline_cards_have_credit(void **state)
{
    (void)state;
    assert_int_equal(card_sent("card-sync-1", "00000000D14B0A54"), 200);
    assert_int_equal(rig.last.head.type, CMD_CALL);
    assert_string_equal(rig.last.u.call.action, "CardSync");
    assert_int_equal(card_sent("card-sync-2", "D14B0A55"), 402); /* no offline limit */
    assert_int_equal(card_sent("card-sync-3", "0000000000000001"), 402);
}

static void secrets_are_shown_once(void **state)
{
    const struct reply *r = rig_as(&rig, 0, "POST", "/api/v1/chargers/51/secret", NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body, "{\"secret\":\"");
    assert_int_equal(rig.last.u.row_put.table, ROW_CHARGER);
    r = rig_as(&rig, 0, "POST", "/api/v1/keys", NULL,
               "{\"name\":\"erp\",\"role\":5,\"quota_s\":5}");
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"key\":\"ev_");
    r = rig_as(&rig, 0, "POST", "/api/v1/people", NULL,
               "{\"login\":\"zhang\",\"name\":\"Z\",\"password\":\"long "
               "enough!\",\"role\":2,\"state\":0}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.row_put.table, ROW_PERSON);
    assert_has_not(rig.last.u.row_put.row, "long enough");
}

static void pages_are_served(void **state)
{
    const struct reply *r = rig_call(&rig, "GET", "/", NULL, NULL);
    char head[256];

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(rig_header(r, "Content-Type"), "text/html");
    snprintf(head, sizeof(head), "If-None-Match: %s\r\n", rig_header(r, "ETag"));
    assert_int_equal(rig_call(&rig, "GET", "/", head, NULL)->status, 304);
    assert_int_equal(rig_call(&rig, "GET", "/c/AAAA", NULL, NULL)->status, 200);
    assert_int_equal(rig_call(&rig, "GET", "/console/stations", NULL, NULL)->status, 200);
    assert_int_equal(rig_call(&rig, "GET", "/console/missing.js", NULL, NULL)->status, 404);
    assert_int_equal(rig_call(&rig, "GET", "/elsewhere", NULL, NULL)->status, 404);
    r = rig_call(&rig, "GET", "/", "Accept-Encoding: gzip\r\n", NULL);
    if (rig_header(r, "Content-Encoding")[0])
        assert_string_equal(rig_header(r, "Content-Encoding"), "gzip");
}

static void logout_ends_it(void **state)
{
    const struct reply *r;

    (void)state;
    rig_login_driver(&rig, "13812345678");
    r = rig_as(&rig, 2, "POST", "/api/v1/logout", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.head.type, CMD_SESSION_END);
    assert_has(rig_header(r, "Set-Cookie"), "Max-Age=0");
}

static void set_up_once(void **state)
{
    static struct rig fresh;
    static const char body[] = "{\"tenant_name\":\"New\",\"currency\":\"CNY\",\"zone\":\"Asia/"
                               "Shanghai\",\"login\":\"root\","
                               "\"name\":\"R\",\"password\":\"0123456789\"}";
    const struct reply *r;

    (void)state;
    rig_start(&fresh, true);
    assert_has(rig_call(&fresh, "GET", "/api/v1/session", NULL, NULL)->body, "\"setup\":true");
    r = rig_call(&fresh, "POST", "/api/v1/setup", "X-Forwarded-For: 9.9.9.9\r\n", body);
    assert_int_equal(r->status, 403);
    fresh.answer_err = ERR_FULL;
    r = rig_call(&fresh, "POST", "/api/v1/setup", NULL, body);
    assert_int_equal(r->status, 503);
    assert_int_equal(fresh.last.head.type, CMD_SETUP);
    assert_string_equal(fresh.last.u.setup.login, "root");
    assert_has(fresh.last.u.setup.pass_hash, "$argon2id$");
    r = rig_call(&fresh, "POST", "/api/v1/setup",
                 "X-Forwarded-For: 9.9.9.9\r\nX-Setup-Token: only-once\r\n", body);
    assert_int_equal(r->status, 503);
    rig_stop(&fresh);
    assert_int_equal(rig_call(&rig, "POST", "/api/v1/setup", NULL, body)->status, 409);
}

/* Behind a proxy that is trusted the address it names counts, and only that. */
static void proxies_are_believed_if_named(void **state)
{
    static struct rig near, far;
    static const char body[] =
        "{\"tenant_name\":\"New\",\"currency\":\"CNY\",\"zone\":\"Moon/Base\",\"login\":\"root\","
        "\"name\":\"R\",\"password\":\"0123456789\"}";

    (void)state;
    rig_proxies = "10.1.0.0/20, 127.0.0.0/9";
    rig_start(&near, true);
    assert_int_equal(
        rig_call(&near, "POST", "/api/v1/setup", "X-Forwarded-For: 9.9.9.9, 10.1.15.255\r\n", body)
            ->status,
        403);
    assert_int_equal(
        rig_call(&near, "POST", "/api/v1/setup", "X-Forwarded-For: 9.9.9.9, 127.0.0.5\r\n", body)
            ->status,
        403);
    assert_int_equal(
        rig_call(&near, "POST", "/api/v1/setup", "X-Forwarded-For: 127.200.0.1\r\n", body)->status,
        422);
    /* Some proxies add a line of their own behind the one that the client made up. */
    assert_int_equal(rig_call(&near, "POST", "/api/v1/setup",
                              "X-Forwarded-For: 127.200.0.1\r\nx-forwarded-for: 9.9.9.9\r\n", body)
                         ->status,
                     403);
    assert_int_equal(rig_call(&near, "POST", "/api/v1/setup",
                              "X-Forwarded-For: 127.200.0.1\r\nX-Forwarded-For: 9.9.9.9\r\n"
                              "X-Forwarded-For: 10.1.15.255, 127.0.0.5\r\n",
                              body)
                         ->status,
                     403);
    assert_has(rig_header(rig_call(&near, "GET", "/healthz", "X-Forwarded-Proto: https\r\n", NULL),
                          "Strict-Transport-Security"),
               "max-age");
    rig_stop(&near);
    rig_proxies = "10.1.0.0/16,nonsense,::1/129";
    rig_start(&far, true);
    assert_int_equal(
        rig_call(&far, "POST", "/api/v1/setup", "X-Forwarded-For: 127.0.0.1\r\n", body)->status,
        403);
    assert_string_equal(
        rig_header(rig_call(&far, "GET", "/healthz", "X-Forwarded-Proto: https\r\n", NULL),
                   "Strict-Transport-Security"),
        "");
    rig_stop(&far);
    rig_proxies = NULL;
}

/* Each filter takes another index; what is asked for beside it counts all the same. */
static void orders_are_narrowed(void **state)
{
    static const struct {
        const char *query;
        bool there;
    } rows[] = {
        {"limit=200", true},
        {"station=41", true},
        {"station=42", false},
        {"driver=31", true},
        {"driver=32", false},
        {"driver=31&station=42", false},
        {"state=8", true},
        {"state=9", false},
        {"state=4", false},
        {"state=10", false},
        {"state=8&station=41&driver=31&connector=61", true},
        {"connector=62", false},
        {"to=1", false},
        {"from=9223372036854775807", false},
        {"to=9223372036854775807", true},
        {"from=9223372036854775807&to=9223372036854775807", false},
    };
    char path[120];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(path, sizeof(path), "/api/v1/orders?%s", rows[i].query);
        const struct reply *r = rig_as(&rig, 0, "GET", path, NULL, NULL);
        bool there = strstr(r->body, "\"id\":\"101\"") != NULL;

        if (r->status != 200 || there != rows[i].there)
            fail_msg("%s: %d, %s", path, r->status, there ? "there" : "not there");
    }
}

int api_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_answer),
        cmocka_unit_test(session_tells_who),
        cmocka_unit_test(faces_have_their_own_session),
        cmocka_unit_test(every_list_answers),
        cmocka_unit_test(drivers_choose_their_operator),
        cmocka_unit_test(lists_show_rows),
        cmocka_unit_test(statements_are_documents),
        cmocka_unit_test(viewer_sees_masked_phones),
        cmocka_unit_test(code_shows_price),
        cmocka_unit_test(order_tells_its_story),
        cmocka_unit_test(order_tells_its_money),
        cmocka_unit_test(statements_follow_the_links),
        cmocka_unit_test(partner_sees_shares_only),
        cmocka_unit_test(me_shows_wallet),
        cmocka_unit_test(writes_become_commands),
        cmocka_unit_test(replay_is_told),
        cmocka_unit_test(put_needs_version),
        cmocka_unit_test(tags_save_bytes),
        cmocka_unit_test(offline_cards_have_credit),
        cmocka_unit_test(secrets_are_shown_once),
        cmocka_unit_test(pages_are_served),
        cmocka_unit_test(orders_are_narrowed),
        cmocka_unit_test(logout_ends_it),
        cmocka_unit_test(set_up_once),
        cmocka_unit_test(proxies_are_believed_if_named),
    };

    return cmocka_run_group_tests_name("web api", tests, setup, teardown);
}
