// SPDX-License-Identifier: Apache-2.0
/* test_limits.c: who asks too often, too long or too slowly: counts of a day, connections that drip,
 * and honest people behind the same router. */
#include "rig.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/hash.h"
#include "io/os/clock.h"
#include "web/address.h"
#include "web/daily.h"
#include "web/events.h"
#include "web/hourly.h"
#include "web/lines.h"

static struct rig rig;

/* ---- counts of a day ---- */

static void counts_of_a_day(void **state)
{
    const int64_t day = 86400000, t = 1764028800000;
    struct str phone = STR_LIT("13800000000"), other = STR_LIT("13800000001");
    struct daily d;
    char path[] = "/tmp/even-daily-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(daily_open(&d, path, 9), 0);
    for (int i = 0; i < daily_most(DAILY_CODE_PHONE); i++) {
        assert_int_equal(daily_wait(&d, DAILY_CODE_PHONE, phone, t + i), 0);
        daily_count(&d, DAILY_CODE_PHONE, phone, t + i);
    }
    assert_int_equal(daily_wait(&d, DAILY_CODE_PHONE, phone, t + 1000), 86399);
    assert_int_equal(daily_wait(&d, DAILY_CODE_PHONE, other, t + 1000), 0);
    assert_int_equal(daily_wait(&d, DAILY_GUESS_PHONE, phone, t + 1000), 0);
    /* A restart does not forget, and a day is over when it is over. */
    daily_close(&d);
    assert_int_equal(daily_open(&d, path, 9), 0);
    assert_int_equal(daily_wait(&d, DAILY_CODE_PHONE, phone, t + day - 1), 1);
    assert_int_equal(daily_wait(&d, DAILY_CODE_PHONE, phone, t + day), 0);
    daily_count(&d, DAILY_CODE_PHONE, phone, t + day);
    assert_int_equal(daily_wait(&d, DAILY_CODE_PHONE, phone, t + day + 1), 0);
    /* However many others come, who is at the limit stays there. */
    for (int i = 0; i < daily_most(DAILY_GUESS_PHONE); i++)
        daily_count(&d, DAILY_GUESS_PHONE, phone, t);
    for (int i = 0; i < 2 * DAILY_N; i++)
        daily_count(&d, DAILY_GUESS_PHONE, str_from((const char *)&i, sizeof(i)), t);
    assert_true(daily_wait(&d, DAILY_GUESS_PHONE, phone, t) > 0);
    daily_close(&d);
    assert_int_equal(daily_open(&d, NULL, 9), 0);
    assert_int_equal(daily_wait(&d, DAILY_GUESS_PHONE, phone, t), 0);
    daily_close(&d);
    unlink(path);
    assert_int_equal(daily_open(&d, "/nowhere/daily", 9), ERR_IO);
}

/* At most so many in any sixty minutes, and how long the next waits. */
static void counts_of_an_hour(void **state)
{
    const int64_t min = INT64_C(60000000000), t = 1000 * min + 5;
    struct hourly h = {0};

    (void)state;
    assert_int_equal(hourly_wait(&h, 0, t), 3600); /* none are allowed at all */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hourly_wait(&h, 5, t), 0);
        hourly_count(&h, t);
    }
    for (int i = 0; i < 2; i++)
        hourly_count(&h, t + 10 * min);
    assert_int_equal(hourly_sum(&h, t + 10 * min), 5);
    assert_int_equal(hourly_wait(&h, 5, t + 10 * min), 50 * 60);
    assert_int_equal(hourly_wait(&h, 2, t + 10 * min), 60 * 60);
    assert_int_equal(hourly_wait(&h, 6, t + 10 * min), 0);
    assert_int_equal(hourly_sum(&h, t + 59 * min), 5);
    assert_int_equal(hourly_wait(&h, 5, t + 59 * min), 60);
    assert_int_equal(hourly_sum(&h, t + 60 * min), 2); /* the first three are an hour old */
    assert_int_equal(hourly_wait(&h, 5, t + 60 * min), 0);
    assert_int_equal(hourly_sum(&h, t + 70 * min), 0);
    hourly_count(&h, t + 1000 * min);
    assert_int_equal(hourly_sum(&h, t + 1000 * min), 1);
}

/* Whatever asks when, no hour has more than its most. */
static void no_hour_has_more(void **state)
{
    const int64_t min = INT64_C(60000000000);
    struct hourly h = {0};
    struct rng r = {7};
    static int32_t of[3000];
    int64_t now = 77;

    (void)state;
    for (int i = 0; i < 20000 && now < 3000 * min; i++) {
        int32_t wait = hourly_wait(&h, 9, now);

        assert_true(wait >= 0 && wait <= 3600);
        if (wait == 0) {
            hourly_count(&h, now);
            of[now / min]++;
        } else if (rng_below(&r, 4) == 0) {
            now += wait * INT64_C(1000000000); /* who waits as told is let in */
            assert_int_equal(hourly_wait(&h, 9, now), 0);
        }
        now += (int64_t)rng_below(&r, 400) * 1000000000;
    }
    for (int m = 0; m + HOURLY_N <= 3000; m++) {
        int32_t sum = 0;

        for (int k = 0; k < HOURLY_N; k++)
            sum += of[m + k];
        assert_true(sum <= 9);
    }
}

static void networks(void **state)
{
    uint8_t a[ADDRESS_NET], b[ADDRESS_NET];

    (void)state;
    assert_int_equal(address_net("192.0.2.7", a), 4);
    assert_int_equal(address_net("::ffff:192.0.2.7", b), 4);
    assert_memory_equal(a, b, 4);
    assert_int_equal(address_net("2001:db8:1:2::1", a), 8);
    assert_int_equal(address_net("2001:db8:1:2:ffff::9", b), 8);
    assert_memory_equal(a, b, 8);
    assert_int_equal(address_net("2001:db8:1:3::1", b), 8);
    assert_memory_not_equal(a, b, 8);
    assert_int_equal(address_net("?", a), 0);
    assert_true(address_trusted("10.0.0.0/8, ::1", STR_LIT("10.9.8.7")));
    assert_true(address_trusted("10.0.0.0/8, ::1", STR_LIT("::1")));
    assert_false(address_trusted("10.0.0.0/8, ::1", STR_LIT("11.0.0.1")));
    assert_false(address_trusted(NULL, STR_LIT("10.0.0.1")));
}

/* The front's own counts, as they would be after a long day. */
static void day_is_full(const char *path)
{
    uint8_t key[CRYPTO_KEY_SIZE], own[CRYPTO_HASH_SIZE];
    struct daily d;
    uint64_t seed;

    memset(key, 7, sizeof(key)); /* the rig's */
    crypto_keyed_hash(key, STR_LIT("daily"), own);
    memcpy(&seed, own, sizeof(seed));
    assert_int_equal(daily_open(&d, path, seed), 0);
    for (int i = 0; i < daily_most(DAILY_CODE_PHONE); i++)
        daily_count(&d, DAILY_CODE_PHONE, STR_LIT("13800000001"), os_now_ms());
    for (int i = 0; i < daily_most(DAILY_GUESS_PHONE); i++)
        daily_count(&d, DAILY_GUESS_PHONE, STR_LIT("13800000002"), os_now_ms());
    daily_close(&d);
}

static void too_often_today(void **state)
{
    char path[] = "/tmp/even-daily-XXXXXX";
    int fd = mkstemp(path);
    const struct reply *r;

    (void)state;
    close(fd);
    day_is_full(path);
    rig_daily = path;
    rig_start(&rig, false);
    r = rig_call(&rig, "POST", "/api/v1/driver/code", NULL, "{\"phone\":\"13800000001\"}");
    assert_int_equal(r->status, 429);
    assert_has(r->body, "too often today for this phone");
    assert_true(strtol(rig_header(r, "Retry-After"), NULL, 10) > 86000);
    r = rig_call(&rig, "POST", "/api/v1/driver/code", NULL, "{\"phone\":\"13800000002\"}");
    assert_int_equal(r->status, 200);
    r = rig_call(&rig, "POST", "/api/v1/driver/login", NULL,
                 "{\"phone\":\"13800000002\",\"code\":\"000000\",\"tenant\":\"1\"}");
    assert_int_equal(r->status, 429);
    assert_true(strtol(rig_header(r, "Retry-After"), NULL, 10) > 86000);
    rig_stop(&rig);
    rig_daily = NULL;
    unlink(path);
}

/* Through the front: what is guessed wrong is counted, for the phone only while it has a code. */
static void guesses_count(void **state)
{
    char path[] = "/tmp/even-daily-XXXXXX";
    int fd = mkstemp(path), counts = 0;
    struct daily d;

    (void)state;
    close(fd);
    rig_daily = path;
    rig_start(&rig, false);
    assert_int_equal(rig_call(&rig, "POST", "/api/v1/driver/login", NULL,
                              "{\"phone\":\"13800000003\",\"code\":\"000000\",\"tenant\":\"1\"}")
                         ->status,
                     401);
    assert_int_equal(
        rig_call(&rig, "POST", "/api/v1/driver/code", NULL, "{\"phone\":\"13800000004\"}")->status,
        200);
    assert_int_equal(rig_call(&rig, "POST", "/api/v1/driver/login", NULL,
                              "{\"phone\":\"13800000004\",\"code\":\"00000x\",\"tenant\":\"1\"}")
                         ->status,
                     401);
    rig_stop(&rig);
    assert_int_equal(daily_open(&d, path, 0), 0);
    for (int i = 0; i < DAILY_N; i++)
        counts += d.at[i].n;
    daily_close(&d);
    assert_int_equal(counts, 2 + 1 + 2); /* a code: phone and network; guesses: network, both */
    rig_daily = NULL;
    unlink(path);
}

/* ---- lines ---- */

static void new_lines_give_way(void **state)
{
    struct lines l;
    int victim;
    uint32_t i = 0;

    (void)state;
    assert_int_equal(lines_init(&l, 10, 6, 3), 0);
    for (int fd = 100; fd < 103; fd++) {
        assert_true(lines_admit(&l, 5, fd, &victim));
        assert_int_equal(victim, -1);
        assert_non_null(lines_open(&l, 5, fd, fd, 1000));
    }
    assert_false(lines_admit(&l, 5, LINES_NEW_NS, &victim)); /* they have a moment */
    assert_true(lines_admit(&l, 6, LINES_NEW_NS, &victim));  /* another network */
    assert_int_equal(victim, -1);
    assert_true(lines_admit(&l, 5, LINES_NEW_NS + 100, &victim));
    assert_int_equal(victim, 100);
    l.at[1].proven = l.at[2].proven = true;
    for (int fd = 103; fd < 107; fd++)
        lines_open(&l, 5, fd, 200, INT64_MAX)->proven = true;
    /* The share of one network, all of them honest: only then is a newcomer refused. */
    assert_false(lines_admit(&l, 5, 10 * LINES_NEW_NS, &victim));
    for (int n = 0; n < 20; n++) /* a proxy speaks for many */
        assert_true(lines_admit(&l, 0, 0, &victim));
    assert_int_equal(lines_late(&l, &i, 1000), 101);
    assert_int_equal(lines_late(&l, &i, 1000), 102);
    assert_int_equal(lines_late(&l, &i, 1000), -1);
    i = 0;
    assert_int_equal(lines_late(&l, &i, 1000), -1);
    lines_close(&l.at[0]);
    assert_non_null(lines_open(&l, 7, 1, 0, 0));
    lines_free(&l);
}

/* Has the other side ended this connection? */
static bool ended(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;

    return poll(&p, 1, ms) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

/* A byte now and then, in the first line, in a header or in the body: over all the same. */
static void dripping_ends(void **state)
{
    static const char *const starts[] = {
        "GET /healthz", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ",
        ("POST /api/v1/driver/code HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
         "Content-Length: 4100\r\n\r\n{")};
    int fd[ARRAY_LEN(starts)], over = 0;

    (void)state;
    rig_request_s = 1;
    rig_start(&rig, false);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        fd[i] = rig_dial(&rig);
        assert_true(send(fd[i], starts[i], strlen(starts[i]), MSG_NOSIGNAL) > 0);
    }
    for (int t = 0; t < 300 && over != 7; t++)
        for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
            (void)!send(fd[i], " ", 1, MSG_NOSIGNAL);
            over |= ended(fd[i], 33) ? 1 << i : 0;
        }
    assert_int_equal(over, 7);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        close(fd[i]);
    rig_stop(&rig);
    rig_request_s = 0;
}

/* A live page sends nothing after its request, and stays; so does a request that the core has not
 * answered yet. */
static void streams_stay(void **state)
{
    char text[4096] = "";
    int fd;

    (void)state;
    rig_request_s = 1;
    rig_start(&rig, false);
    rig_login_driver(&rig, "13812345678");
    fd = rig_stream(&rig, 2, "/api/v1/me/events");
    assert_true(rig_stream_wait(fd, "text/event-stream", 5000, text, sizeof(text)));
    for (int i = 0; i < 25; i++) {
        os_sleep_ms(100);
        assert_false(ended(fd, 0));
    }
    close(fd);
    rig_stop(&rig);
    rig_request_s = 0;
}

/* One driver opens live pages without end: the oldest give way, and other people's stay. */
static void streams_of_one_give_way(void **state)
{
    enum { MANY = SUBS_OF_ONE + 3 };
    static int fd[MANY];
    char text[4096] = "", other[4096] = "";
    int staff;

    (void)state;
    rig_start(&rig, false);
    rig_login_driver(&rig, "13812345678");
    rig_login(&rig, 0, "admin");
    staff = rig_stream(&rig, 0, "/api/v1/events");
    assert_true(rig_stream_wait(staff, "retry: 2000", 5000, other, sizeof(other)));
    for (int i = 0; i < MANY; i++) {
        text[0] = 0;
        fd[i] = rig_stream(&rig, 2, "/api/v1/me/events");
        assert_true(rig_stream_wait(fd[i], "retry: 2000", 5000, text, sizeof(text)));
    }
    for (int i = 0; i < MANY - SUBS_OF_ONE; i++) {
        text[0] = 0;
        assert_false(rig_stream_wait(fd[i], "what never comes", 5000, text, sizeof(text)));
        assert_true(ended(fd[i], 0));
        close(fd[i]);
    }
    for (int i = MANY - SUBS_OF_ONE; i < MANY; i++) {
        assert_false(ended(fd[i], 0));
        close(fd[i]);
    }
    assert_false(ended(staff, 0));
    close(staff);
    rig_stop(&rig);
}

/* Passwords take long: whoever sends many, from as many networks as there are, keeps nobody else
 * from the core. */
static void log_ins_leave_room(void **state)
{
    enum { MANY = 32 };
    int fd[MANY];
    char text[1024];

    (void)state;
    rig_in_flight = 16;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    for (int i = 0; i < MANY; i++) {
        int n = snprintf(text, sizeof(text),
                         "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: "
                         "application/json\r\nContent-Length: 41\r\n\r\n"
                         "{\"login\":\"nobody%04d\",\"password\":\"wrong\"}",
                         i);

        fd[i] = rig_dial(&rig);
        assert_int_equal(send(fd[i], text, (size_t)n, MSG_NOSIGNAL), n);
    }
    assert_int_equal(
        rig_as(&rig, 0, "POST", "/api/v1/orders/101/stop", "Idempotency-Key: k\r\n", NULL)->status,
        200);
    text[0] = 0; /* the first is answered as ever, the last is told to come again */
    assert_true(rig_stream_wait(fd[0], "HTTP/1.1 401", 20000, text, sizeof(text)));
    text[0] = 0;
    assert_true(rig_stream_wait(fd[MANY - 1], "HTTP/1.1 503", 20000, text, sizeof(text)));
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
    rig_stop(&rig);
    rig_in_flight = 0;
}

/* A neighbour behind the same router opens hundreds of connections that say nothing: whoever makes
 * an honest request still gets its answer, within a few tries. */
static void neighbours_are_served(void **state)
{
    enum { MANY = 300 };
    static int fd[MANY];
    int dialled = 0, left = 0;

    (void)state;
    rig_start(&rig, false);
    for (; dialled < MANY; dialled++)
        fd[dialled] = rig_dial(&rig);
    os_sleep_ms(2100); /* the moment that a new one has */
    for (int i = 0; i < 50; i++) {
        int status = 0;

        for (int t = 0; t < 50 && status != 200; t++) { /* a busy machine accepts late */
            status = rig_call(&rig, "GET", "/healthz", NULL, NULL)->status;
            if (status != 200)
                os_sleep_ms(100);
        }
        assert_int_equal(status, 200);
    }
    for (int i = 0; i < MANY; i++) {
        left += !ended(fd[i], 0);
        close(fd[i]);
    }
    assert_true(left <= 64);
    rig_stop(&rig);
}

int limit_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_a_day),    cmocka_unit_test(counts_of_an_hour),
        cmocka_unit_test(no_hour_has_more),   cmocka_unit_test(networks),
        cmocka_unit_test(too_often_today),    cmocka_unit_test(guesses_count),
        cmocka_unit_test(new_lines_give_way), cmocka_unit_test(dripping_ends),
        cmocka_unit_test(streams_stay),       cmocka_unit_test(streams_of_one_give_way),
        cmocka_unit_test(log_ins_leave_room), cmocka_unit_test(neighbours_are_served),
    };

    return cmocka_run_group_tests_name("web limits", tests, NULL, NULL);
}
