// SPDX-License-Identifier: Apache-2.0
/* test_live.c: live events: who sees what, the picture at the start, coalescing, live figures in
 * lists, and a stop of the front while streams are open and a write waits. */
#include "rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io/os/clock.h"
#include "io/os/thread.h"

static struct rig rig;
static char text[256 * 1024];

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

static void tell(struct out_event e)
{
    struct out o = {.size = (uint32_t)OUT_SIZE(event), .version = CMD_VERSION, .type = OUT_EVENT};

    o.u.event = e;
    o.u.event.at_ms = 5;
    web_deliver(rig.web, &o);
    web_delivered(rig.web);
}

static int open_stream(int face, const char *path)
{
    int fd = rig_stream(&rig, face, path);

    text[0] = 0;
    assert_true(rig_stream_wait(fd, "retry: 2000", 5000, text, sizeof(text)));
    assert_has(text, "200 OK");
    assert_has(text, "text/event-stream");
    return fd;
}

static void staff_follows_connectors(void **state)
{
    int fd = open_stream(0, "/api/v1/events");
    int meters = 0;

    (void)state;
    tell((struct out_event){.kind = EVENT_CONNECTOR,
                            .status = 3,
                            .tenant = T2,
                            .station = STATION2,
                            .connector = CONNECTOR2});
    for (int i = 1; i <= 50; i++)
        tell((struct out_event){.kind = EVENT_METER,
                                .tenant = T1,
                                .station = STATION,
                                .charger = CHARGER,
                                .connector = CONNECTOR,
                                .order = 900,
                                .driver = DRIVER,
                                .power_w = 1000 + i,
                                .energy_mwh = i,
                                .cost = 100,
                                .cap = 40000});
    tell((struct out_event){.kind = EVENT_CONNECTOR,
                            .status = 3,
                            .tenant = T1,
                            .station = STATION,
                            .charger = CHARGER,
                            .connector = CONNECTOR,
                            .order = 900});
    assert_true(rig_stream_wait(fd, "event: connector", 5000, text, sizeof(text)));
    assert_true(rig_stream_wait(fd, "\"power_w\":1050", 5000, text, sizeof(text)));
    for (const char *p = text; (p = strstr(p, "event: meter")) != NULL; p++)
        meters++;
    assert_true(meters < 10);
    assert_has(text, "\"driver\":\"31\"");
    assert_has_not(text, "\"connector\":\"62\"");
    close(fd);
    assert_has(rig_as(&rig, 0, "GET", "/api/v1/connectors?charger=51", NULL, NULL)->body,
               "\"status\":3,\"error\":\"\",\"status_ms\":0,\"parking\":0,\"bay\":0,\"order_id\":"
               "\"900\",\"power_w\":1050,"
               "\"energy_mwh\":50");
}

/* Of who has very many connectors: the one station that is looked at, and what orders do anywhere. */
static void quiet_streams_follow_one_station(void **state)
{
    int fd = open_stream(0, "/api/v1/events?quiet=1&station=41");

    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t station = i == 0 ? STATION_B : STATION;

        tell((struct out_event){.kind = EVENT_CONNECTOR,
                                .status = 8,
                                .tenant = T1,
                                .station = station,
                                .connector = 7001 + i});
        tell((struct out_event){.kind = EVENT_METER,
                                .tenant = T1,
                                .station = station,
                                .connector = 7011 + i,
                                .order = 7021 + i,
                                .power_w = 77});
    }
    tell((struct out_event){
        .kind = EVENT_ORDER, .state = 4, .tenant = T1, .station = STATION_B, .order = 7031});
    assert_true(rig_stream_wait(fd, "\"order\":\"7031\"", 5000, text, sizeof(text)));
    assert_has(text, "\"connector\":\"7002\"");
    assert_has(text, "\"connector\":\"7012\"");
    assert_has_not(text, "\"connector\":\"7001\"");
    assert_has_not(text, "\"connector\":\"7011\"");
    close(fd);
}

static void newcomers_get_a_picture(void **state)
{
    int fd = open_stream(0, "/api/v1/events");

    (void)state;
    assert_true(rig_stream_wait(fd, "\"power_w\":1050", 5000, text, sizeof(text)));
    close(fd);
    fd = open_stream(2, "/api/v1/me/events");
    assert_true(rig_stream_wait(fd, "\"power_w\":1050", 5000, text, sizeof(text)));
    close(fd);
}

static void shares_come_to_their_party(void **state)
{
    int fd = open_stream(1, "/api/v1/partner/events");

    (void)state;
    tell((struct out_event){.kind = EVENT_SHARE,
                            .tenant = T1,
                            .station = STATION,
                            .order = 5,
                            .party = PLATFORM,
                            .amount = 11100});
    tell((struct out_event){.kind = EVENT_SHARE,
                            .tenant = T1,
                            .station = STATION,
                            .order = 5,
                            .driver = DRIVER,
                            .party = OWNER,
                            .amount = 20000});
    assert_true(rig_stream_wait(fd, "\"amount\":\"2.00\"", 5000, text, sizeof(text)));
    assert_has_not(text, "1.11");
    assert_has_not(text, "driver");
    close(fd);
}

static void drivers_follow_their_own(void **state)
{
    int fd = open_stream(2, "/api/v1/me/events");

    (void)state;
    tell(
        (struct out_event){.kind = EVENT_WALLET, .tenant = T1, .driver = DRIVER2, .amount = 99900});
    tell((struct out_event){.kind = EVENT_ORDER,
                            .tenant = T1,
                            .driver = DRIVER + 100,
                            .order = 6,
                            .connector = 3,
                            .state = 4});
    tell((struct out_event){.kind = EVENT_SHARE,
                            .tenant = T1,
                            .driver = DRIVER,
                            .order = 5,
                            .party = OWNER,
                            .amount = 20000});
    tell((struct out_event){.kind = EVENT_WALLET, .tenant = T1, .driver = DRIVER, .amount = 0});
    assert_true(rig_stream_wait(fd, "event: wallet", 5000, text, sizeof(text)));
    assert_true(rig_stream_wait(fd, "\"amount\":\"0.00\"", 5000, text, sizeof(text)));
    assert_has_not(text, "9.99");
    assert_has_not(text, "share");
    assert_has_not(text, "\"order\":\"6\"");
    close(fd);
}

static void streams_end_with_the_session(void **state)
{
    int fd = open_stream(2, "/api/v1/me/events");

    (void)state;
    assert_int_equal(rig_as(&rig, 2, "POST", "/api/v1/logout", NULL, NULL)->status, 200);
    assert_false(rig_stream_wait(fd, "never", 8000, text, sizeof(text)));
    assert_has(text, "\r\n0\r\n"); /* the last chunk */
    close(fd);
    rig_login_driver(&rig, "13812345678");
}

static void strangers_get_no_stream(void **state)
{
    (void)state;
    assert_int_equal(rig_call(&rig, "GET", "/api/v1/events", NULL, NULL)->status, 401);
    assert_int_equal(
        rig_as(&rig, 0, "GET", "/api/v1/events", "Accept: application/json\r\n", NULL)->status,
        406);
}

static void stopper(void *arg)
{
    struct rig *r = arg;

    while (r->commands < 3) /* log-in: 2; now the top-up is there and waits */
        os_sleep_ms(5);
    web_stop(r->web);
    r->web = NULL;
}

static void stop_answers_who_waits(void **state)
{
    static struct rig one;
    struct os_thread *t;
    const struct reply *r;
    int fd;

    (void)state;
    rig_start(&one, false);
    rig_login(&one, 0, "admin");
    fd = rig_stream(&one, 0, "/api/v1/events");
    text[0] = 0;
    assert_true(rig_stream_wait(fd, "retry", 5000, text, sizeof(text)));
    one.silent = true;
    assert_int_equal(os_thread_start("stopper", stopper, &one, &t), 0);
    r = rig_as(&one, 0, "POST", "/api/v1/drivers/31/topups", "Idempotency-Key: k\r\n",
               "{\"amount\":\"1.00\"}");
    assert_int_equal(r->status, 503);
    assert_false(rig_stream_wait(fd, "never", 5000, text, sizeof(text)));
    close(fd);
    os_thread_join(t);
    rig_stop(&one);
}

int live_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staff_follows_connectors),
        cmocka_unit_test(newcomers_get_a_picture),
        cmocka_unit_test(quiet_streams_follow_one_station),
        cmocka_unit_test(shares_come_to_their_party),
        cmocka_unit_test(drivers_follow_their_own),
        cmocka_unit_test(streams_end_with_the_session),
        cmocka_unit_test(strangers_get_no_stream),
        cmocka_unit_test(stop_answers_who_waits),
    };

    return cmocka_run_group_tests_name("web live", tests, setup, teardown);
}
