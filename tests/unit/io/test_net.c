// SPDX-License-Identifier: Apache-2.0
/* test_net.c: the reactor in ordinary life, over loopback sockets. */
#include "io_tests.h"
#include "net_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"
#include "io/os/thread.h"

static int start(void **state)
{
    struct rig *r = malloc(sizeof(*r));
    struct net_config cfg = rig_config();

    *state = r;
    rig_start(r, &cfg);
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    free(*state);
    return 0;
}

static void assert_log(struct rig *r, const char *want)
{
    assert_string_equal(rig_log(r), want);
}

static void test_message_and_echo(void **state)
{
    struct rig *r = *state;
    struct buf b;
    int fd = peer_upgraded(r, "CP1");

    buf_init(&b, 70000);
    r->echo = true;
    peer_frame(fd, true, WS_TEXT, STR_LIT("[2,\"1\",\"Heartbeat\",{}]"));
    assert_int_equal(peer_take_frame(r, fd, &b), WS_TEXT);
    assert_true(str_eq_c(buf_str(&b), "[2,\"1\",\"Heartbeat\",{}]"));
    buf_reset(&b);
    peer_frame(fd, true, WS_BINARY, STR_LIT("\1\2"));
    assert_int_equal(peer_take_frame(r, fd, &b), WS_BINARY);
    buf_reset(&b);
    peer_frame(fd, true, WS_PING, STR_LIT("are you there"));
    assert_int_equal(peer_take_frame(r, fd, &b), WS_PONG);
    assert_true(str_eq_c(buf_str(&b), "are you there"));
    peer_frame(fd, true, WS_CLOSE, STR_LIT("\x03\xe8"));
    assert_int_equal(peer_take_close(r, fd), 1000);
    peer_until_end(r, fd);
    assert_log(r, "U:CP1;M:[2,\"1\",\"Heartbeat\",{}];B:\1\2;C0:peer/1000;");
    close(fd);
    buf_free(&b);
}

static void test_fragments_with_control_between(void **state)
{
    struct rig *r = *state;
    struct buf b;
    int fd = peer_upgraded(r, "CP1");

    buf_init(&b, 70000);
    peer_frame(fd, false, WS_TEXT, STR_LIT(""));
    peer_frame(fd, false, WS_CONT, STR_LIT("h\xc3"));
    peer_frame(fd, true, WS_PING, STR_LIT("x"));
    assert_int_equal(peer_take_frame(r, fd, &b), WS_PONG);
    peer_frame(fd, false, WS_CONT, STR_LIT("\xa9"));
    peer_frame(fd, true, WS_CONT, STR_LIT(""));
    rig_until(r, "M:");
    assert_log(r, "U:CP1;M:h\xc3\xa9;");
    close(fd);
    rig_until(r, "C0:peer/1006;");
    buf_free(&b);
}

/* A conversation cut at every byte gives the same messages. */
static void test_split_at_every_byte(void **state)
{
    struct rig *r = *state;
    struct buf b;

    buf_init(&b, 4096);
    put_frame(&b, true, WS_TEXT, STR_LIT("one"));
    put_frame(&b, false, WS_TEXT, STR_LIT("tw"));
    put_frame(&b, true, WS_PONG, STR_LIT("late"));
    put_frame(&b, true, WS_CONT, STR_LIT("o"));
    put_frame(&b, true, WS_BINARY, STR_LIT("three"));
    for (size_t cut = 1; cut < b.n; cut++) {
        int fd = peer_upgraded(r, "CP1");

        rig_clear(r);
        peer_send(fd, b.p, cut);
        rig_for(r, 0);
        peer_send(fd, b.p + cut, b.n - cut);
        rig_until(r, "B:three;");
        assert_log(r, "M:one;M:two;B:three;");
        close(fd);
        rig_until(r, "C0:");
    }
    buf_free(&b);
}

static void test_handshake_split_at_every_byte(void **state)
{
    struct rig *r = *state;
    char head[512];
    size_t n = (size_t)snprintf(head, sizeof(head), "GET /ocpp/CP1%s", rig_upgrade_tail);

    for (size_t cut = 1; cut < n; cut += 7) {
        int fd = peer_open(r->ws_port);

        rig_clear(r);
        peer_send(fd, head, cut);
        rig_for(r, 0);
        assert_log(r, "");
        peer_send(fd, head + cut, n - cut);
        rig_until(r, "U:CP1;");
        close(fd);
        rig_until(r, "C0:");
    }
}

static void test_pipelined_with_upgrade(void **state)
{
    struct rig *r = *state;
    struct buf b;
    int fd = peer_open(r->ws_port);

    buf_init(&b, 4096);
    r->no_answer = true;
    buf_put_c(&b, "GET /ocpp/CP1");
    buf_put_c(&b, rig_upgrade_tail);
    for (int i = 0; i < 3; i++)
        put_frame(&b, true, WS_TEXT, STR_LIT("call"));
    peer_send(fd, b.p, b.n);
    rig_until(r, "U:CP1;");
    peer_frame(fd, true, WS_TEXT, STR_LIT("later"));
    rig_for(r, 50);
    assert_log(r, "U:CP1;");
    assert_int_equal(net_accept(r->net, r->last, STR_LIT("ocpp1.6")), 0);
    assert_int_equal(net_accept(r->net, r->last, STR_LIT("ocpp1.6")), ERR_CLOSED);
    rig_until(r, "M:later;");
    assert_log(r, "U:CP1;M:call;M:call;M:call;M:later;");
    close(fd);
    buf_free(&b);
}

static void test_refusals(void **state)
{
    struct rig *r = *state;
    char head[400];
    int fd = peer_open(r->ws_port);

    r->no_answer = true;
    peer_send_c(fd, "GET /ocpp/who");
    peer_send_c(fd, rig_upgrade_tail);
    rig_until(r, "U:who;");
    assert_int_equal(net_refuse(r->net, r->last, 401), 0);
    peer_take(r, fd, head, 13);
    assert_memory_equal(head, "HTTP/1.1 401 ", 13);
    assert_true(peer_until_end(r, fd) > 40);
    assert_log(r, "U:who;C0:local/401;");
    assert_int_equal(net_send(r->net, r->last, STR_LIT("x")), ERR_CLOSED);
    close(fd);
    rig_clear(r);
    fd = peer_open(r->ws_port); /* a broken request is answered without asking anybody */
    peer_send_c(fd, "GET /ocpp/x HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_take(r, fd, head, 13);
    assert_memory_equal(head, "HTTP/1.1 426 ", 13);
    peer_until_end(r, fd);
    close(fd);
    fd = peer_open(r->ws_port); /* TLS to a plain port */
    peer_send(fd, "\x16\x03\x01\x02\x00\x01", 6);
    peer_take(r, fd, head, 13);
    assert_memory_equal(head, "HTTP/1.1 400 ", 13);
    close(fd);
    assert_log(r, "");
}

static void test_gone_before_answer(void **state)
{
    struct rig *r = *state;
    int fd = peer_open(r->ws_port);

    r->no_answer = true;
    peer_send_c(fd, "GET /ocpp/CP1");
    peer_send_c(fd, rig_upgrade_tail);
    rig_until(r, "U:CP1;");
    close(fd);
    rig_until(r, "C0:peer/1006;");
    assert_int_equal(net_accept(r->net, r->last, STR_NONE), ERR_CLOSED);
}

static void test_raw_lines(void **state)
{
    struct rig *r = *state;
    char back[8];
    int fd = peer_open(r->raw_port);

    r->echo = true;
    peer_send_c(fd, "he");
    rig_until(r, "O;");
    rig_for(r, 20);
    peer_send_c(fd, "llo\nyou\nan");
    rig_until(r, "R:you;");
    peer_take(r, fd, back, 6);
    assert_memory_equal(back, "hello\n", 6);
    peer_take(r, fd, back, 4);
    peer_send_c(fd, "d\n");
    rig_until(r, "R:and;");
    peer_take(r, fd, back, 4);
    peer_send_c(fd, "bad\nmore\n");
    peer_until_end(r, fd);
    assert_log(r, "O;R:hello;R:you;R:and;R:bad;C0:protocol/1002;");
    close(fd);
}

static void test_clients(void **state)
{
    struct rig *r = *state;
    struct net_dial d = {.host = "127.0.0.1",
                         .port = r->ws_port,
                         .kind = NET_WS_CLIENT,
                         .handler = &rig_client,
                         .ctx = r,
                         .user = 7,
                         .path = "/ocpp/CP%209",
                         .protocols = "ocpp1.6",
                         .auth_user = "CP 9",
                         .auth_password = STR_LIT("p:w")};
    struct net_conn c;

    r->echo = true;
    assert_int_equal(net_dial(r->net, &d, &c), 0);
    rig_until(r, "o7;");
    assert_int_equal(net_send(r->net, c, STR_LIT("first")), 0);
    assert_int_equal(net_send(r->net, c, STR_LIT("second")), 0);
    rig_until(r, "m:second;");
    assert_log(r, "U:CP 9;o7;M:first;M:second;m:first;m:second;");
    rig_clear(r);
    net_close(r->net, c, 1001);
    rig_until(r, "C7:local/1001;");
    rig_until(r, "C0:peer/1001;");
    assert_false(net_alive(r->net, c));
    assert_int_equal(net_user(r->net, c), 0);

    rig_clear(r);
    d.kind = NET_RAW_CLIENT;
    d.port = r->raw_port;
    d.user = 8;
    assert_int_equal(net_dial(r->net, &d, &c), 0);
    rig_until(r, "o8;");
    assert_int_equal(net_send(r->net, c, STR_LIT("line\n")), 0);
    rig_until(r, "R:line;R:line;"); /* ours, and the echo that came back */
    net_abort(r->net, c);
    rig_until(r, "C8:local/1006;");
    rig_until(r, "C0:peer/1006;");
}

static void test_client_failures(void **state)
{
    struct rig *r = *state;
    struct net_dial d = {.host = "127.0.0.1",
                         .port = 1, /* nobody listens there */
                         .kind = NET_RAW_CLIENT,
                         .handler = &rig_client,
                         .ctx = r,
                         .user = 5,
                         .path = "/x"};
    struct net_conn c;

    assert_int_equal(net_dial(r->net, &d, &c), 0);
    rig_until(r, "C5:connect/0;");
    d.host = "not an address";
    assert_int_equal(net_dial(r->net, &d, &c), ERR_SYNTAX);
    rig_clear(r);
    r->no_answer = true;
    d = (struct net_dial){.host = "127.0.0.1",
                          .port = r->ws_port,
                          .kind = NET_WS_CLIENT,
                          .handler = &rig_client,
                          .ctx = r,
                          .user = 6,
                          .path = "/x"};
    assert_int_equal(net_dial(r->net, &d, &c), 0);
    rig_until(r, "U:x;");
    assert_int_equal(net_refuse(r->net, r->last, 404), 0);
    rig_until(r, "C6:connect/404;");
}

static void test_stale_handles(void **state)
{
    struct rig *r = *state;
    struct net_conn old, other;
    int fd = peer_upgraded(r, "CP1");

    old = r->last;
    net_user_set(r->net, old, 42);
    assert_int_equal(net_user(r->net, old), 42);
    close(fd);
    rig_until(r, "C42:");
    fd = peer_upgraded(r, "CP2");
    assert_int_equal(r->last.slot, old.slot); /* the slot is used again … */
    assert_int_not_equal(r->last.gen, old.gen);
    assert_int_equal(net_send(r->net, old, STR_LIT("to nobody")), ERR_CLOSED);
    net_close(r->net, old, 1000);
    net_user_set(r->net, old, 1);
    assert_true(net_alive(r->net, r->last));
    assert_int_equal(net_user(r->net, r->last), 0);
    other = r->last;
    other.reactor++; /* a name of another reactor is nobody here */
    assert_int_equal(net_send(r->net, other, STR_LIT("x")), ERR_CLOSED);
    assert_false(net_alive(r->net, NET_CONN_NONE));
    close(fd);
}

static void test_replies_leave_together(void **state)
{
    struct rig *r = *state;
    struct buf b;
    char bytes[64];
    int fd = peer_upgraded(r, "CP1");

    buf_init(&b, 4096);
    r->echo_twice = true;
    put_frame(&b, true, WS_TEXT, STR_LIT("a"));
    put_frame(&b, true, WS_TEXT, STR_LIT("b"));
    peer_send(fd, b.p, b.n);
    rig_until(r, "M:b;");
    peer_take(r, fd, bytes, 12);
    assert_memory_equal(bytes, "\x81\1a\x81\1a\x81\1b\x81\1b", 12);
    close(fd);
    buf_free(&b);
}

static void test_pause_and_resume(void **state)
{
    struct rig *r = *state;
    struct buf b;
    int fd = peer_upgraded(r, "CP1");

    buf_init(&b, 4096);
    r->pause_each = true;
    for (char c = 'a'; c <= 'd'; c++)
        put_frame(&b, true, WS_TEXT, str_from(&c, 1));
    peer_send(fd, b.p, b.n);
    rig_until(r, "M:a;");
    rig_for(r, 30);
    assert_log(r, "U:CP1;M:a;");
    net_resume(r->net, r->last);
    rig_until(r, "M:b;");
    assert_log(r, "U:CP1;M:a;M:b;");
    r->pause_each = false;
    net_resume(r->net, r->last);
    rig_until(r, "M:d;");
    peer_frame(fd, true, WS_TEXT, STR_LIT("e"));
    rig_until(r, "M:e;");
    close(fd);
    buf_free(&b);
}

static void test_timer(void **state)
{
    struct rig *r = *state;
    int fd = peer_upgraded(r, "CP1");

    net_timer_set(r->net, r->last, 1000);
    net_timer_set(r->net, r->last, 100);
    rig_until(r, "T;");
    net_timer_set(r->net, r->last, 200);
    net_timer_set(r->net, r->last, 0);
    rig_for(r, 400);
    assert_log(r, "U:CP1;T;");
    close(fd);
}

static void test_close_in_callback(void **state)
{
    struct rig *r = *state;
    struct buf b;
    int fd = peer_upgraded(r, "CP1");

    buf_init(&b, 4096);
    r->close_each = true;
    put_frame(&b, true, WS_TEXT, STR_LIT("a"));
    put_frame(&b, true, WS_TEXT, STR_LIT("never seen"));
    peer_send(fd, b.p, b.n);
    assert_int_equal(peer_take_close(r, fd), 1000);
    peer_until_end(r, fd);
    assert_log(r, "U:CP1;M:a;C0:local/1000;");
    close(fd);
    buf_free(&b);
}

static void test_drain(void **state)
{
    struct rig *r = *state;
    struct net_stats st;
    int fd = peer_upgraded(r, "CP1"), raw = peer_open(r->raw_port);

    peer_send_c(raw, "x\n");
    rig_until(r, "R:x;");
    assert_int_equal(net_send(r->net, r->last, STR_LIT("bye")), 0);
    net_drain(r->net, 3000);
    assert_int_equal(peer_take_close(r, fd), 1001);
    assert_int_equal(peer_until_end(r, raw), 3);
    close(raw);
    close(fd);
    net_run(r->net); /* returns when nobody is left */
    net_stats_get(r->net, &st);
    assert_int_equal(st.live, 0);
    assert_int_equal(st.ends[NET_END_DRAIN], 2);
    assert_non_null(strstr(rig_log(r), "C0:drain/1001;"));
}

static void test_drain_deadline(void **state)
{
    struct rig *r = *state;
    int fd = peer_upgraded(r, "CP1");

    net_drain(r->net, 200); /* the peer neither reads nor closes */
    net_run(r->net);
    assert_log(r, "U:CP1;C0:drain/1001;");
    close(fd);
}

int run_net_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_message_and_echo, start, stop),
        cmocka_unit_test_setup_teardown(test_fragments_with_control_between, start, stop),
        cmocka_unit_test_setup_teardown(test_split_at_every_byte, start, stop),
        cmocka_unit_test_setup_teardown(test_handshake_split_at_every_byte, start, stop),
        cmocka_unit_test_setup_teardown(test_pipelined_with_upgrade, start, stop),
        cmocka_unit_test_setup_teardown(test_refusals, start, stop),
        cmocka_unit_test_setup_teardown(test_gone_before_answer, start, stop),
        cmocka_unit_test_setup_teardown(test_raw_lines, start, stop),
        cmocka_unit_test_setup_teardown(test_clients, start, stop),
        cmocka_unit_test_setup_teardown(test_client_failures, start, stop),
        cmocka_unit_test_setup_teardown(test_stale_handles, start, stop),
        cmocka_unit_test_setup_teardown(test_replies_leave_together, start, stop),
        cmocka_unit_test_setup_teardown(test_pause_and_resume, start, stop),
        cmocka_unit_test_setup_teardown(test_timer, start, stop),
        cmocka_unit_test_setup_teardown(test_close_in_callback, start, stop),
        cmocka_unit_test_setup_teardown(test_drain, start, stop),
        cmocka_unit_test_setup_teardown(test_drain_deadline, start, stop),
    };

    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
