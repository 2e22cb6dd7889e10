// SPDX-License-Identifier: Apache-2.0
/* test_web.c: the web floor's own parts without a socket: the table of routes against the named
 * SQL, the router, quotas, log-in codes, the replica and the form of events. */
#include "rig.h"

#include <string.h>
#include "web/code.h"
#include "web/detail.h"
#include "web/events.h"
#include "web/quota.h"
#include "web/replica.h"
#include "web/route.h"
#include "web/session.h"

/* Every column of a route's query is a field of its type (or a part of the cursor), and every field
 * that is not optional is a column, of a kind that fits. */
static void queries_match_types(void **state)
{
    (void)state;
    for (int i = 0; i < routes_n; i++) {
        const struct route *r = &routes[i];
        const struct query_meta *q = r->query >= 0 ? &query_metas[r->query] : NULL;

        for (uint32_t c = 0; q != NULL && c < q->columns_n; c++) {
            bool found = strncmp(q->columns[c].name, "cursor", 6) == 0;

            for (int f = 0; f < r->out->n && !found; f++)
                found = strcmp(r->out->field[f].name, q->columns[c].name) == 0;
            if (!found)
                fail_msg("%s: column %s is no field of %s", r->name, q->columns[c].name,
                         r->out->name);
        }
        for (int f = 0; q != NULL && f < r->out->n; f++) {
            const struct wire_field *field = &r->out->field[f];
            bool found = (field->flags & WIRE_OPTIONAL) != 0;

            for (uint32_t c = 0; c < q->columns_n && !found; c++)
                if (strcmp(q->columns[c].name, field->name) == 0) {
                    bool text = q->columns[c].kind == COLUMN_TEXT ||
                                strcmp(field->name, "cause") == 0; /* a number, told in hex */

                    found = true;
                    assert_int_equal(text, field->kind == WIRE_TEXT);
                }
            if (!found)
                fail_msg("%s: field %s of %s has no column", r->name, field->name, r->out->name);
        }
        assert_true((r->fn != NULL) != (r->query >= 0));
        assert_true(r->roles != 0);
    }
}

/* Who may move money must be able to ask again without moving it twice. */
static void money_has_keys(void **state)
{
    int n = 0;

    (void)state;
    for (int i = 0; i < routes_n; i++) {
        const struct route *r = &routes[i];
        bool money = strcmp(r->perm, "money.write") == 0 || strcmp(r->perm, "me") == 0 ||
                     strcmp(r->perm, "partner") == 0 || strcmp(r->perm, "order.write") == 0;

        if (!money || r->method == ROUTE_GET || strcmp(r->name, "me_notices") == 0)
            continue;
        if ((r->flags & (ROUTE_IDEM | ROUTE_RAW)) == 0)
            fail_msg("%s asks for no key", r->name);
        n++;
    }
    assert_true(n > 30);
}

/* What a detail has of its own stands in the Chinese one, too. */
static void details_are_told_in_chinese(void **state)
{
    static const struct {
        const char *en, *zh;
    } rows[] = {
        {"more than 0", "必须大于 0"},
        {"text too long", "文本过长"},
        {"at most 16 bytes", "最多 16 字节"}, /* a text of its own goes before the pattern */
        {"at most 45 bytes", "最多 45 字节"},
        {"line 7: result is done, failed or nothing", "第 7 行：结果只能是 done、failed 或留空"},
        {"no column 商户订单号", "缺少列 商户订单号"},
        {"no bill of the shares of 20261125", "缺少 20261125 的分账账单"},
        {"no bill of 20261125", "缺少 20261125 的账单"},
        {"cards[0].tag: text too long", "cards[0].tag：文本过长"},
        {"cards[0].tag: what nobody knows", ""},
        {"at most  bytes", ""}, /* nothing stands for the star */
        {"at most 45 bytes more", ""},
        {"a text that nobody knows", ""},
        {"", ""},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!str_eq_c(detail_zh(&a, rows[i].en), rows[i].zh))
            fail_msg("%s", rows[i].en);
    assert_int_equal(detail_zh(&a, NULL).n, 0);
    arena_free(&a);
}

static void router_finds(void **state)
{
    struct str param, seg[5] = {STR_LIT("api"), STR_LIT("v1"), STR_LIT("orders"), STR_LIT("held"),
                                STR_LIT("stop")};
    const struct route_node *n = route_find(seg, 4, &param);
    char allow[64];

    (void)state;
    assert_non_null(n);
    assert_string_equal(routes[n->route[ROUTE_GET]].name, "orders_held");
    seg[3] = STR_LIT("17");
    n = route_find(seg, 4, &param);
    assert_string_equal(routes[n->route[ROUTE_GET]].name, "orders_get");
    assert_true(str_eq_c(param, "17"));
    n = route_find(seg, 5, &param);
    assert_string_equal(routes[n->route[ROUTE_POST]].name, "orders_stop");
    route_allow(n, allow);
    assert_string_equal(allow, "POST, OPTIONS");
    assert_null(route_find(seg, 1, &param));
    seg[2] = STR_LIT("nothing");
    assert_null(route_find(seg, 3, &param));
}

static void quota_refills(void **state)
{
    struct quotas q;
    int64_t now = 1000000000;

    (void)state;
    assert_int_equal(quotas_init(&q, 5), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(quota_take(&q, QUOTA_LOGIN, STR_LIT("li"), 500, 3, now), 0);
    assert_int_equal(quota_take(&q, QUOTA_LOGIN, STR_LIT("li"), 500, 3, now), 2);
    assert_int_equal(quota_take(&q, QUOTA_LOGIN, STR_LIT("wu"), 500, 3, now), 0);
    assert_int_equal(quota_take(&q, QUOTA_PHONE, STR_LIT("li"), 500, 3, now), 0);
    assert_int_equal(quota_take(&q, QUOTA_LOGIN, STR_LIT("li"), 500, 3, now + 2000000000), 0);
    assert_true(quota_take(&q, QUOTA_LOGIN, STR_LIT("li"), 500, 3, now + 2000000000) > 0);
    quotas_free(&q);
}

static void codes_are_used_once(void **state)
{
    struct codes c;
    char digits[7], other[7];

    (void)state;
    assert_int_equal(codes_init(&c, 9), 0);
    codes_put(&c, "13800000000", 123456, 0, digits);
    assert_string_equal(digits, "123456");
    assert_int_equal(codes_check(&c, "13800000001", str_from_c(digits), 1), ERR_NOT_FOUND);
    assert_int_equal(codes_check(&c, "13800000000", STR_LIT("123457"), 1), ERR_LOGIN_FAILED);
    assert_int_equal(codes_check(&c, "13800000000", str_from_c(digits), 1), 0);
    assert_int_equal(codes_check(&c, "13800000000", str_from_c(digits), 1), ERR_NOT_FOUND);
    codes_put(&c, "13800000000", 7, 0, digits);
    codes_put(&c, "13800000000", 8, 0, other);
    assert_int_equal(codes_check(&c, "13800000000", str_from_c(digits), 1), ERR_LOGIN_FAILED);
    assert_int_equal(codes_check(&c, "13800000000", str_from_c(other), CODE_LIFE_NS + 1),
                     ERR_NOT_FOUND);
    for (int i = 1; i < CODE_TRIES; i++)
        assert_int_equal(codes_check(&c, "13800000000", STR_LIT("111111"), 1), ERR_LOGIN_FAILED);
    /* Ten wrong ones, that of above among them, spoil it. */
    assert_int_equal(codes_check(&c, "13800000000", str_from_c(other), 1), ERR_NOT_FOUND);
    codes_free(&c);
}

static void sessions_expire(void **state)
{
    struct sessions s;
    struct actor a = {.id = 5}, got;

    (void)state;
    assert_int_equal(sessions_init(&s, 3), 0);
    sessions_put(&s, STR_LIT("sx"), &a, 1000, 0);
    assert_true(sessions_get(&s, STR_LIT("sx"), 1, 999, &got));
    assert_int_equal(got.id, 5);
    assert_false(sessions_get(&s, STR_LIT("sx"), 1, 1000, &got));
    assert_false(sessions_get(&s, STR_LIT("sx"), SESSION_FRESH_NS + 1, 1, &got));
    assert_false(sessions_get(&s, STR_LIT("kx"), 1, 1, &got));
    for (int i = 0; i < SESSIONS_MAX + 10; i++) {
        char key[16];

        snprintf(key, sizeof(key), "s%d", i);
        sessions_put(&s, str_from_c(key), &a, 1000, 0);
    }
    assert_true(s.n <= SESSIONS_MAX);
    sessions_drop_all(&s);
    assert_false(sessions_get(&s, STR_LIT("s9"), 1, 1, &got));
    sessions_free(&s);
}

static void replica_follows(void **state)
{
    struct replica p;
    struct out_event e = {.kind = EVENT_CONNECTOR,
                          .status = CS_CHARGING,
                          .tenant = 1,
                          .station = 2,
                          .charger = 3,
                          .connector = 4};

    (void)state;
    replica_init(&p, 1);
    replica_apply(&p, &e);
    e = (struct out_event){.kind = EVENT_METER,
                           .tenant = 1,
                           .connector = 4,
                           .order = 9,
                           .driver = 8,
                           .power_w = 60000,
                           .energy_mwh = 1000,
                           .cost = 1200,
                           .cap = 40000,
                           .soc_pm = 500};
    replica_apply(&p, &e);
    assert_int_equal(replica_order(&p, 9)->power_w, 60000);
    assert_int_equal(replica_connector(&p, 4)->cost, 1200);
    assert_int_equal(replica_connector(&p, 4)->status, CS_CHARGING);
    e = (struct out_event){.kind = EVENT_METER, .connector = 4, .order = 9, .energy_mwh = 2000};
    replica_apply(&p, &e);
    assert_int_equal(replica_order(&p, 9)->power_w, 0);
    assert_int_equal(replica_order(&p, 9)->cost, 1200);
    e = (struct out_event){.kind = EVENT_ORDER, .connector = 4, .order = 9, .state = ORDER_SETTLED};
    replica_apply(&p, &e);
    assert_null(replica_order(&p, 9));
    assert_int_equal(replica_connector(&p, 4)->order, 0);
    assert_int_equal(replica_connector(&p, 4)->energy_mwh, 0);
    assert_false(replica_online(&p, 3));
    e = (struct out_event){.kind = EVENT_CHARGER, .charger = 3, .status = 1};
    replica_apply(&p, &e);
    assert_true(replica_online(&p, 3));
    e.status = 0;
    replica_apply(&p, &e);
    assert_false(replica_online(&p, 3));
    /* Once a connector of it says something the rows tell. */
    e.status = 1;
    replica_apply(&p, &e);
    e = (struct out_event){.kind = EVENT_CONNECTOR, .charger = 3, .connector = 4};
    replica_apply(&p, &e);
    assert_true(replica_online(&p, 3));
    e.status = CS_AVAILABLE;
    replica_apply(&p, &e);
    assert_false(replica_online(&p, 3));
    replica_free(&p);
}

/* Of connectors without an order the last that changed are kept, those with one all. */
static void replica_forgets_the_idle(void **state)
{
    struct replica p;
    struct out_event e = {.kind = EVENT_CONNECTOR, .status = CS_AVAILABLE, .tenant = 1};

    (void)state;
    replica_init(&p, 1);
    for (int64_t id = 1; id <= REPLICA_IDLE; id++) {
        e.connector = id;
        e.order = id == 5 ? 77 : 0;
        replica_apply(&p, &e);
    }
    e.order = 0;
    e.connector = 1; /* changes again: the oldest is 2 now */
    replica_apply(&p, &e);
    e.connector = REPLICA_IDLE + 1; /* one has an order: there is room */
    replica_apply(&p, &e);
    assert_non_null(replica_connector(&p, 2));
    e.connector++;
    replica_apply(&p, &e);
    assert_null(replica_connector(&p, 2));
    assert_non_null(replica_connector(&p, 1));
    assert_non_null(replica_connector(&p, 3));
    assert_int_equal(replica_order(&p, 77)->connector, 5);
    /* With its order over it is the newest of the idle ones, and 3 goes. */
    e = (struct out_event){
        .kind = EVENT_ORDER, .connector = 5, .order = 77, .state = ORDER_SETTLED};
    replica_apply(&p, &e);
    assert_non_null(replica_connector(&p, 5));
    assert_null(replica_connector(&p, 3));
    assert_int_equal(p.lives.live, REPLICA_IDLE);
    replica_free(&p);
}

static void events_have_their_form(void **state)
{
    struct out_event e = {.kind = EVENT_METER,
                          .tenant = 1,
                          .station = 2,
                          .connector = 4,
                          .order = 9,
                          .driver = 8,
                          .at_ms = 77,
                          .energy_mwh = 1500,
                          .power_w = -3,
                          .cost = 12345,
                          .cap = 40000,
                          .soc_pm = 500},
                     more = {.kind = EVENT_METER, .at_ms = 78, .power_w = 5};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    event_write(&b, &e, 6, true);
    buf_put_char(&b, 0);
    assert_string_equal(b.p, "id: 6\nevent: meter\ndata: "
                             "{\"at_ms\":77,\"station\":\"2\",\"connector\":\"4\",\"order\":\"9\","
                             "\"driver\":\"8\",\"energy_mwh\":1500,\"power_w\":-3,\"soc_pm\":500,"
                             "\"cost\":\"1.2345\",\"cap\":\"4.00\"}\n\n");
    buf_reset(&b);
    event_merge(&e, &more);
    assert_int_equal(e.power_w, 5);
    assert_int_equal(e.cost, 12345);
    e.kind = EVENT_WALLET;
    e.amount = e.cap = 0;
    event_write(&b, &e, 7, false);
    buf_put_char(&b, 0);
    assert_has(b.p, "\"cap\":\"0.00\",\"amount\":\"0.00\"");
    assert_has_not(b.p, "driver");
    buf_reset(&b);
    e = (struct out_event){.kind = EVENT_COMMAND, .amount = 17, .status = 3};
    event_write(&b, &e, 8, false);
    buf_put_char(&b, 0);
    assert_has(b.p, "\"command\":\"17\",\"status\":3");
    assert_has_not(b.p, "amount");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_match_types),
        cmocka_unit_test(money_has_keys),
        cmocka_unit_test(details_are_told_in_chinese),
        cmocka_unit_test(router_finds),
        cmocka_unit_test(quota_refills),
        cmocka_unit_test(codes_are_used_once),
        cmocka_unit_test(sessions_expire),
        cmocka_unit_test(replica_follows),
        cmocka_unit_test(replica_forgets_the_idle),
        cmocka_unit_test(events_have_their_form),
    };
    int failed = cmocka_run_group_tests_name("web parts", tests, NULL, NULL);

    return failed + api_tests() + bad_tests() + live_tests() + limit_tests() + sheet_tests() +
           ftp_pass_tests() + frame_tests() + look_tests() + home_tests() + desk_tests() +
           bank_tests() + taken_tests() + earned_tests() + wall_tests();
}
