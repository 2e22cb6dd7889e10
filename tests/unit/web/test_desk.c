// SPDX-License-Identifier: Apache-2.0
/* test_desk.c: reports are made beside the HTTP thread, of which the rig has one. What they read here
 * takes them long: hundreds of thousands of entries of a party, whose parts are not there. */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "core/rows.h"
#include "web/desk.h"
#include "web/request.h"

#define REPORT  "/api/v1/reports/stations?month=202001"
#define AT_MS   INT64_C(1578000000000) /* 2020-01-02 */
#define WAIT_MS 60000

enum { ENTRIES = 400000, BATCH = 50000 };

static struct rig rig;

static void entries_make(void)
{
    struct buf rows;

    buf_init(&rows, 64 << 20);
    for (int64_t i = 1; i <= ENTRIES; i++) {
        const struct row_party_share r = {.party = PLATFORM, .at_ms = AT_MS + i, .order_id = i};

        row_pack(&rows, ROW_PARTY_SHARE, ROW_INSERT, &r);
        if (i % BATCH == 0) {
            assert_int_equal(store_commit(rig.store, buf_str(&rows), STR_NONE), 0);
            buf_reset(&rows);
        }
    }
    buf_free(&rows);
}

static int start(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, FACE_STAFF, "admin");
    entries_make();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static int report_ask(void)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: even.test\r\nCookie: %s\r\n\r\n",
                     REPORT, rig.cookie[FACE_STAFF]);
    int fd = rig_dial(&rig);

    assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
    return fd;
}

static bool is_quiet(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void answered(int fd)
{
    static char text[16384];

    text[0] = 0;
    assert_true(rig_stream_wait(fd, "\"total\"", WAIT_MS, text, sizeof(text)));
    assert_has(text, "200 OK");
    close(fd);
}

static void a_report_holds_up_nobody(void **state)
{
    int fd = report_ask();

    (void)state;
    assert_int_equal(rig_as(&rig, FACE_STAFF, "GET", "/api/v1/stations", NULL, NULL)->status, 200);
    assert_has(rig_as(&rig, FACE_STAFF, "GET", "/metrics", NULL, NULL)->body,
               "even_web_reports 1\n");
    assert_true(is_quiet(fd));
    answered(fd);
    assert_has(rig_as(&rig, FACE_STAFF, "GET", "/metrics", NULL, NULL)->body,
               "even_web_reports 0\n");
}

static void nobody_has_all_seats(void **state)
{
    const struct reply *r;
    int fd[DESK_OWN];

    (void)state;
    for (int i = 0; i < DESK_OWN; i++)
        fd[i] = report_ask();
    r = rig_as(&rig, FACE_STAFF, "GET", REPORT, NULL, NULL);
    assert_int_equal(r->status, 429);
    assert_string_equal(rig_header(r, "Retry-After"), "5");
    for (int i = 0; i < DESK_OWN; i++)
        answered(fd[i]);
    assert_int_equal(rig_as(&rig, FACE_STAFF, "GET", REPORT, NULL, NULL)->status, 200);
}

/* What is wrong is said at once, without a seat. */
static void a_wrong_request_does_not_wait(void **state)
{
    int fd = report_ask();

    (void)state;
    assert_int_equal(rig_call(&rig, "GET", REPORT, NULL, NULL)->status, 401);
    assert_int_equal(
        rig_as(&rig, FACE_STAFF, "POST", "/api/v1/contracts/simulate", NULL, "{]")->status, 400);
    assert_true(is_quiet(fd));
    answered(fd);
    assert_int_equal(
        rig_as(&rig, FACE_STAFF, "GET", "/api/v1/reports/stations?month=1", NULL, NULL)->status,
        422);
}

/* One may be made, the others wait: each gets an answer. */
static void the_front_stops_while_reports_wait(void **state)
{
    static char text[16384];
    int fd[3], told = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        fd[i] = report_ask();
    assert_int_equal(rig_as(&rig, FACE_STAFF, "GET", "/api/v1/stations", NULL, NULL)->status, 200);
    web_stop(rig.web);
    rig.web = NULL;
    for (int i = 0; i < 3; i++) {
        text[0] = 0;
        assert_true(rig_stream_wait(fd[i], "\r\n\r\n", WAIT_MS, text, sizeof(text)));
        told += strstr(text, "HTTP/1.1 503") != NULL;
        assert_true(strstr(text, "HTTP/1.1 503") != NULL || strstr(text, "200 OK") != NULL);
        close(fd[i]);
    }
    assert_true(told >= 1);
}

int desk_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_holds_up_nobody),
        cmocka_unit_test(nobody_has_all_seats),
        cmocka_unit_test(a_wrong_request_does_not_wait),
        cmocka_unit_test(the_front_stops_while_reports_wait),
    };

    return cmocka_run_group_tests_name("desk", tests, start, stop);
}
