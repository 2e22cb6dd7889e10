// SPDX-License-Identifier: Apache-2.0
/* test_wall.c: the wall of who has very many connectors: counts by station and in all, found by
 * name, charger, code and state; live power; that all connectors at once are refused when they are
 * too many; and sums of days over all stations. */
#include "rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "core/rows.h"

enum { MANY = 10001, FIRST = 5000 };

static struct rig rig;

static void put(struct buf *b, enum row_table t, const void *row)
{
    row_pack(b, t, ROW_UPSERT, row);
}

/* Harbour has one that is free; Hill (43) has one that charges and one that is broken. */
static void rows_make(struct buf *b)
{
    for (int i = 0; i < 2; i++)
        put(b, ROW_CONNECTOR,
            &(struct row_connector){.id = 66 + i,
                                    .tenant = T1,
                                    .charger = CHARGER_B,
                                    .number = 1 + i,
                                    .code = i == 0 ? "Xy%1" : "Xy_2",
                                    .status = i == 0 ? CS_CHARGING : CS_FAULTED});
    for (int i = 0; i < 4; i++)
        put(b, ROW_STAT_DAY,
            &(struct row_stat_day){.station = i == 3  ? STATION2
                                              : i % 2 ? STATION
                                                      : STATION_B,
                                   .day = i < 2 || i == 3 ? 20260102 : 20260103,
                                   .tenant = i == 3 ? T2 : T1,
                                   .orders = 3,
                                   .paid = 10000});
}

static int setup(void **state)
{
    struct buf b;

    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    buf_init(&b, 1 << 20);
    rows_make(&b);
    assert_int_equal(store_commit(rig.store, buf_str(&b), STR_LIT("")), 0);
    buf_free(&b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static const char *staff(const char *path)
{
    const struct reply *r = rig_as(&rig, 0, "GET", path, NULL, NULL);

    assert_int_equal(r->status, 200);
    return r->body;
}

#define HILL                                                                                       \
    "{\"id\":\"43\",\"name\":\"Hill\",\"connectors\":2,\"offline\":0,\"available\":0,"             \
    "\"preparing\":0,\"charging\":1,\"suspended_ev\":0,\"suspended_evse\":0,\"finishing\":0,"      \
    "\"reserved\":0,\"unavailable\":0,\"faulted\":1,"

static void stations_are_counted(void **state)
{
    const char *body = staff("/api/v1/wall/stations");

    (void)state;
    assert_has(body, HILL);
    assert_has(body, "\"name\":\"Harbour\",\"connectors\":1,\"offline\":0,\"available\":1,");
    assert_has_not(body, "\"id\":\"42\""); /* the other operator's */
    body = staff("/api/v1/wall/stations?limit=1");
    assert_has(body, HILL);
    assert_has(body, "\"next\":\"43\"");
    body = staff("/api/v1/wall/stations?limit=1&after=43");
    assert_has(body, "\"id\":\"41\"");
    assert_has(body, "\"next\":\"\"");
    assert_has(staff("/api/v1/wall"), "{\"connectors\":3,\"offline\":0,\"available\":1,");
}

/* Which of both stations a search finds. */
static void finds(const char *query, bool harbour, bool hill)
{
    char path[128];
    const char *body;

    (void)snprintf(path, sizeof(path), "/api/v1/wall/stations?%s", query);
    body = staff(path);
    if ((strstr(body, "\"id\":\"41\"") != NULL) != harbour ||
        (strstr(body, "\"id\":\"43\"") != NULL) != hill)
        fail_msg("%s: %s", query, body);
}

static void stations_are_found(void **state)
{
    (void)state;
    finds("word=hARb", true, false);
    finds("word=Pile", true, true);  /* every charger's name */
    finds("word=p3", false, true);   /* a charger's path */
    finds("word=aaa", true, false);  /* a code */
    finds("word=bbb", false, false); /* the other operator's */
    finds("word=y%25", false, true);
    finds("word=%25", false, true); /* no wildcard */
    finds("word=a_a", false, false);
    finds("status=9", false, true);
    finds("status=1", true, false);
    finds("status=0", false, false);
    finds("status=9&word=harbour", false, false);
    assert_has(staff("/api/v1/stations?word=arb"), "\"id\":\"41\"");
    assert_has_not(staff("/api/v1/stations?word=arb"), "\"id\":\"43\"");
    assert_has(staff("/api/v1/stations?word=a_b"), "\"items\":[]");
}

static void meter(int64_t tenant, int64_t station, int64_t connector, int64_t power_w)
{
    struct out o = {.size = (uint32_t)OUT_SIZE(event), .version = CMD_VERSION, .type = OUT_EVENT};

    o.u.event = (struct out_event){.kind = EVENT_METER,
                                   .tenant = tenant,
                                   .station = station,
                                   .connector = connector,
                                   .order = 9000 + connector,
                                   .power_w = power_w,
                                   .at_ms = 5};
    web_deliver(rig.web, &o);
    web_delivered(rig.web);
}

static void power_is_live(void **state)
{
    int fd = rig_stream(&rig, 0, "/api/v1/events");
    static char text[64 * 1024];

    (void)state;
    meter(T2, STATION2, CONNECTOR2, 1000000);
    meter(T1, STATION, CONNECTOR, 7000);
    meter(T1, STATION_B, 66, 60000);
    meter(T1, STATION_B, 67, 500);
    assert_true(rig_stream_wait(fd, "\"power_w\":500", 5000, text, sizeof(text)));
    assert_has(staff("/api/v1/wall/stations"), HILL "\"power_w\":60500}");
    assert_has(staff("/api/v1/wall/stations"), "\"power_w\":7000}");
    assert_has(staff("/api/v1/wall"), "\"power_w\":67500}");
    close(fd);
}

static void days_are_summed(void **state)
{
    const char *body = staff("/api/v1/stats/sums?from=20260101&to=20260131");

    (void)state;
    assert_has(body, "{\"day\":20260102,\"station\":\"0\",\"station_name\":\"\",\"orders\":6,");
    assert_has(body, "{\"day\":20260103,\"station\":\"0\",\"station_name\":\"\",\"orders\":3,");
    assert_has(body, "\"paid\":\"2.00\"");
    assert_has_not(staff("/api/v1/stats/sums?from=20260103"), "20260102");
}

/* Last, for it makes the house large. */
static void too_many_are_refused(void **state)
{
    const struct reply *r;
    struct buf b;

    (void)state;
    buf_init(&b, 8 << 20);
    for (int i = 0; i < MANY - 3; i++)
        put(&b, ROW_CONNECTOR,
            &(struct row_connector){
                .id = FIRST + i, .tenant = T1, .charger = CHARGER_B, .number = 10 + i});
    assert_int_equal(store_commit(rig.store, buf_str(&b), STR_LIT("")), 0);
    buf_free(&b);
    r = rig_as(&rig, 0, "GET", "/api/v1/connectors", NULL, NULL);
    assert_int_equal(r->status, 413);
    assert_has(r->body, "?station");
    assert_has(staff("/api/v1/connectors?station=41"), "\"code\":\"AAAA\"");
    assert_has(staff("/api/v1/wall"), "{\"connectors\":10001,\"offline\":9998,");
}

int wall_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stations_are_counted), cmocka_unit_test(stations_are_found),
        cmocka_unit_test(power_is_live),        cmocka_unit_test(days_are_summed),
        cmocka_unit_test(too_many_are_refused),
    };

    return cmocka_run_group_tests_name("wall", tests, setup, teardown);
}
