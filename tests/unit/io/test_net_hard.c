// SPDX-License-Identifier: Apache-2.0
/* test_net_hard.c: rude, slow, dead and too many peers; mail and proxies. */
#include "io_tests.h"
#include "net_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"
#include "io/os/thread.h"

static struct rig *start(struct net_config cfg)
{
    struct rig *r = malloc(sizeof(*r));

    rig_start(r, &cfg);
    return r;
}

static void stop(struct rig *r)
{
    rig_stop(r);
    free(r);
}

/* Frames that break a rule, and the close code that answers them. */
static void test_rule_breakers(void **state)
{
    static const struct {
        bool fin;
        uint8_t op;
        struct str payload;
        uint16_t code;
    } rows[] = {
        {true, WS_CONT, {"x", 1}, 1002},
        {true, 3, {"x", 1}, 1002},
        {false, WS_PING, {"x", 1}, 1002},
        {true, WS_CLOSE, {"\x03", 1}, 1002},
        {true, WS_CLOSE, {"\x03\xed", 2}, 1002},
        {true, WS_CLOSE, {"\x00\x01", 2}, 1002},
        {true, WS_CLOSE, {"\x03\xe8\xff", 3}, 1007},
        {true, WS_TEXT, {"\xc0\xaf", 2}, 1007},
        {true, WS_TEXT, {"\xed\xa0\x80", 3}, 1007},
        {true, WS_TEXT, {"\xe4\xb8", 2}, 1007},
    };
    struct rig *r = start(rig_config());

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = peer_upgraded(r, "CP1");
        char want[32];

        rig_clear(r);
        peer_frame(fd, rows[i].fin, rows[i].op, rows[i].payload);
        peer_frame(fd, true, WS_TEXT, STR_LIT("never seen"));
        assert_int_equal(peer_take_close(r, fd), rows[i].code);
        peer_until_end(r, fd);
        close(fd);
        snprintf(want, sizeof(want), "C0:protocol/%u;", rows[i].code);
        assert_string_equal(rig_log(r), want);
    }
    stop(r);
}

static void test_unmasked_and_new_message_inside(void **state)
{
    struct rig *r = start(rig_config());
    int fd = peer_upgraded(r, "CP1");

    (void)state;
    peer_send(fd, "\x81\x01x", 3);
    assert_int_equal(peer_take_close(r, fd), 1002);
    close(fd);
    fd = peer_upgraded(r, "CP1");
    peer_frame(fd, false, WS_TEXT, STR_LIT("a"));
    peer_frame(fd, true, WS_TEXT, STR_LIT("b"));
    assert_int_equal(peer_take_close(r, fd), 1002);
    close(fd);
    stop(r);
}

static void test_too_large(void **state)
{
    struct net_config cfg = rig_config();
    static char big[1001];
    struct rig *r;
    int fd;

    (void)state;
    cfg.max_message = 1000;
    r = start(cfg);
    memset(big, 'x', sizeof(big));
    fd = peer_upgraded(r, "CP1");
    peer_frame(fd, true, WS_TEXT, str_from(big, 1000));
    rig_until(r, "M:1000 bytes;");
    peer_frame(fd, true, WS_TEXT, str_from(big, 1001));
    assert_int_equal(peer_take_close(r, fd), 1009);
    close(fd);
    fd = peer_upgraded(r, "CP2");
    peer_frame(fd, false, WS_TEXT, str_from(big, 600));
    peer_frame(fd, true, WS_CONT, str_from(big, 401));
    assert_int_equal(peer_take_close(r, fd), 1009);
    close(fd);
    fd = peer_upgraded(r, "CP3"); /* the length alone is enough */
    peer_send(fd, "\x81\xff\x00\x00\x00\x00\x7f\xff\xff\xff\1\2\3\4", 14);
    assert_int_equal(peer_take_close(r, fd), 1009);
    close(fd);
    fd = peer_open(r->raw_port); /* raw bytes nobody can use */
    peer_send(fd, big, sizeof(big));
    rig_until(r, "C0:protocol/1009;");
    close(fd);
    stop(r);
}

static void test_large_message_in_pieces(void **state)
{
    struct rig *r = start(rig_config());
    struct buf b, back;
    char *big = malloc(65536);
    int fd = peer_upgraded(r, "CP1");

    (void)state;
    buf_init(&b, 1 << 20);
    buf_init(&back, 1 << 20);
    memset(big, 'y', 65536);
    r->echo = true;
    put_frame(&b, true, WS_TEXT, str_from(big, 65536));
    for (size_t at = 0; at < b.n; at += 5000) {
        peer_send(fd, b.p + at, b.n - at < 5000 ? b.n - at : 5000);
        rig_for(r, 0);
    }
    assert_int_equal(peer_take_frame(r, fd, &back), WS_TEXT);
    assert_int_equal(back.n, 65536);
    assert_memory_equal(back.p, big, 65536);
    close(fd);
    free(big);
    buf_free(&b);
    buf_free(&back);
    stop(r);
}

/* epoll tells of each change once: what one read leaves behind must be asked for. */
static void test_last_words(void **state)
{
    struct rig *r = start(rig_config());
    struct buf b;
    int fd = peer_upgraded(r, "CP1");

    (void)state;
    buf_init(&b, 1 << 20);
    put_frame(&b, true, WS_TEXT, STR_LIT("last"));
    peer_send(fd, b.p, b.n);
    close(fd); /* message and end are both there at the first look */
    rig_until(r, "M:last;C0:peer/1006;");
    rig_clear(r);
    fd = peer_upgraded(r, "CP2");
    buf_reset(&b);
    for (int i = 0; i < 9000; i++)
        put_frame(&b, true, WS_TEXT, STR_LIT("abcdef")); /* more than one read takes */
    put_frame(&b, true, WS_TEXT, STR_LIT("end"));
    peer_send(fd, b.p, b.n);
    rig_until(r, "M:end;");
    close(fd);
    rig_until(r, "C0:peer/1006;");
    buf_free(&b);
    stop(r);
}

static void test_slow_loris(void **state)
{
    struct net_config cfg = rig_config();
    static char big[9000];
    struct rig *r;
    char head[13];
    int fd;

    (void)state;
    cfg.handshake_ms = 300;
    r = start(cfg);
    fd = peer_open(r->ws_port);
    peer_send_c(fd, "GET /ocpp/CP1 HTTP/1.1\r\n");
    peer_take(r, fd, head, 13); /* a byte now and then does not help */
    assert_memory_equal(head, "HTTP/1.1 408 ", 13);
    close(fd);
    fd = peer_open(r->ws_port);
    memset(big, 'G', sizeof(big));
    peer_send(fd, big, sizeof(big));
    peer_take(r, fd, head, 13);
    assert_memory_equal(head, "HTTP/1.1 431 ", 13);
    close(fd);
    r->no_answer = true; /* the owner never answers */
    fd = peer_open(r->ws_port);
    peer_send_c(fd, "GET /ocpp/CP1");
    peer_send_c(fd, rig_upgrade_tail);
    peer_take(r, fd, head, 13);
    assert_memory_equal(head, "HTTP/1.1 503 ", 13);
    rig_until(r, "C0:local/503;");
    close(fd);
    fd = peer_open(r->raw_port); /* raw: nothing useful within first_ms */
    peer_send_c(fd, "abc");
    rig_until(r, "C0:slow/1008;");
    close(fd);
    stop(r);
}

static void test_half_open(void **state)
{
    struct net_config cfg = rig_config();
    struct rig *r;
    struct buf b;
    int fd, raw;

    (void)state;
    buf_init(&b, 4096);
    cfg.ping_ms = 200;
    cfg.silence_ms = 600;
    r = start(cfg);
    fd = peer_upgraded(r, "CP1");
    assert_int_equal(peer_take_frame(r, fd, &b), WS_PING);
    peer_frame(fd, true, WS_PONG, STR_NONE);
    buf_reset(&b);
    assert_int_equal(peer_take_frame(r, fd, &b), WS_PING); /* it lives, it is asked again */
    assert_string_equal(rig_log(r), "U:CP1;");
    rig_until(r, "C0:silent/1006;"); /* now it does not answer */
    close(fd);
    raw = peer_open(r->raw_port);
    peer_send_c(raw, "hello\n");
    rig_until(r, "R:hello;");
    rig_clear(r);
    rig_until(r, "C0:silent/1006;");
    close(raw);
    buf_free(&b);
    stop(r);
}

static void test_peer_that_never_reads(void **state)
{
    struct net_config cfg = rig_config();
    struct rig *r;
    char *big = malloc(60000);
    int fd, healthy, err = 0;

    (void)state;
    cfg.max_out = 200000;
    r = start(cfg);
    memset(big, 'z', 60000);
    healthy = peer_upgraded(r, "CP2");
    fd = peer_upgraded(r, "CP1");
    for (int i = 0; i < 2000 && err == 0; i++) { /* the kernel takes some megabytes first */
        err = net_send(r->net, r->last, str_from(big, 60000));
        if (i % 2 == 1)
            rig_for(r, 0);
    }
    assert_int_equal(err, ERR_FULL);
    assert_int_equal(net_send(r->net, r->last, STR_LIT("x")), ERR_CLOSED);
    rig_until(r, "C0:slow/1008;");
    peer_frame(healthy, true, WS_TEXT, STR_LIT("me too"));
    rig_until(r, "M:me too;");
    close(fd);
    close(healthy);
    free(big);
    stop(r);
}

/* Writes that the socket cuts into pieces arrive whole and in order. */
static void test_slow_reader_gets_everything(void **state)
{
    struct net_config cfg = rig_config();
    struct rig *r;
    struct buf b;
    char *big = malloc(60000);
    int fd, n = 0;

    (void)state;
    cfg.max_out = 16 << 20;
    buf_init(&b, 1 << 20);
    r = start(cfg);
    fd = peer_upgraded(r, "CP1");
    for (; n < 150; n++) {
        memset(big, 'a' + n % 26, 60000);
        assert_int_equal(net_send(r->net, r->last, str_from(big, 60000)), 0);
        if (n % 10 == 0)
            rig_for(r, 0);
    }
    for (int i = 0; i < n; i++) {
        buf_reset(&b);
        assert_int_equal(peer_take_frame(r, fd, &b), WS_TEXT);
        assert_int_equal(b.n, 60000);
        assert_true(b.p[0] == 'a' + i % 26 && b.p[59999] == 'a' + i % 26);
    }
    close(fd);
    free(big);
    buf_free(&b);
    stop(r);
}

static void test_full_reactor_stops_listening(void **state)
{
    struct net_config cfg = rig_config();
    struct net_stats st;
    struct rig *r;
    int fds[4], fd;

    (void)state;
    cfg.max_conns = 4;
    r = start(cfg);
    for (int i = 0; i < 4; i++)
        fds[i] = peer_upgraded(r, "CP");
    rig_for(r, 20);
    net_stats_get(r->net, &st);
    assert_int_equal(st.live, 4);
    assert_int_equal(st.listen_pauses, 1);
    close(fds[0]);
    rig_until(r, "C0:peer/1006;");
    rig_for(r, 1300); /* it looks again once a second */
    fd = peer_upgraded(r, "CP5");
    assert_non_null(strstr(rig_log(r), "U:CP5;"));
    close(fd);
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    stop(r);
}

static void test_port_in_use(void **state)
{
    struct net_config cfg = {.max_conns = 4};
    struct net_listen l = {.kind = NET_RAW_SERVER, .handler = &rig_raw};
    struct net *first, *sibling, *other;

    (void)state;
    assert_int_equal(net_new(&cfg, &first), 0);
    assert_int_equal(net_listen(first, &l, &l.port), 0);
    assert_int_equal(net_new(&cfg, &other), 0); /* reactor 0 of another program */
    assert_int_equal(net_listen(other, &l, NULL), ERR_BUSY);
    cfg.reactor = 1;
    assert_int_equal(net_new(&cfg, &sibling), 0);
    assert_int_equal(net_listen(sibling, &l, NULL), 0);
    l.host = "nowhere";
    assert_int_equal(net_listen(sibling, &l, NULL), ERR_SYNTAX);
    net_free(first);
    net_free(sibling);
    net_free(other);
}

static void test_proxies(void **state)
{
    static const struct {
        const char *header, *peer;
        bool secure;
    } rows[] = {
        {"X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n", "198.51.100.7", true},
        {"X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.1.2.3\r\n", "198.51.100.7", false},
        {"X-Forwarded-For: liar, 10.0.0.1\r\n", "10.0.0.1", false},
        {"", "127.0.0.1", false},
    };
    struct net_config cfg = rig_config();
    struct net_block blocks[2];
    struct rig *r;

    (void)state;
    assert_int_equal(net_block_parse(STR_LIT("127.0.0.0/8"), &blocks[0]), 0);
    assert_int_equal(net_block_parse(STR_LIT("10.0.0.0/8"), &blocks[1]), 0);
    cfg.proxies = blocks;
    cfg.proxies_n = 2;
    r = start(cfg);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = peer_open(r->ws_port);

        rig_clear(r);
        peer_send_c(fd, "GET /ocpp/CP1 HTTP/1.1\r\n");
        peer_send_c(fd, rows[i].header);
        peer_send_c(fd, strstr(rig_upgrade_tail, "Host"));
        rig_until(r, "U:CP1;");
        assert_string_equal(r->peer, rows[i].peer);
        assert_int_equal(r->secure, rows[i].secure);
        close(fd);
    }
    stop(r);
    r = start(rig_config()); /* nobody is believed unless configured */
    {
        int fd = peer_open(r->ws_port);

        peer_send_c(fd, "GET /ocpp/CP1 HTTP/1.1\r\nX-Forwarded-For: 198.51.100.7\r\n");
        peer_send_c(fd, strstr(rig_upgrade_tail, "Host"));
        rig_until(r, "U:CP1;");
        assert_string_equal(r->peer, "127.0.0.1");
        close(fd);
    }
    stop(r);
}

static void test_blocks(void **state)
{
    struct net_block b;

    (void)state;
    assert_int_equal(net_block_parse(STR_LIT("192.0.2.7"), &b), 0);
    assert_int_equal(b.bits, 128);
    assert_int_equal(net_block_parse(STR_LIT("2001:db8::/32"), &b), 0);
    assert_int_equal(b.bits, 32);
    assert_int_equal(net_block_parse(STR_LIT("10.0.0.0/33"), &b), ERR_RANGE);
    assert_int_equal(net_block_parse(STR_LIT("10.0.0.0/x"), &b), ERR_SYNTAX);
    assert_int_equal(net_block_parse(STR_LIT("host.example"), &b), ERR_SYNTAX);
    assert_int_equal(net_block_parse(STR_LIT(""), &b), ERR_SYNTAX);
}

struct mail_rig {
    struct mailbox *mb;
    struct net *net;
    uint32_t got, sum, turns;
};

static void on_mail(void *ctx, struct str msg)
{
    struct mail_rig *m = ctx;
    uint32_t v;

    assert_int_equal(msg.n, 4);
    memcpy(&v, msg.p, 4);
    m->got++;
    m->sum += v;
    if (m->got == 1000)
        net_stop(m->net);
}

static void on_turn(void *ctx)
{
    struct mail_rig *m = ctx;

    m->turns++;
}

static void send_mail(void *arg)
{
    struct mail_rig *m = arg;

    for (uint32_t i = 0; i < 1000; i++)
        while (mailbox_send(m->mb, MAIL_NORMAL, str_from((const char *)&i, 4)) != 0)
            ;
}

static void test_mailbox_of_a_reactor(void **state)
{
    struct mail_rig m = {0};
    struct net_config cfg = rig_config();
    struct os_thread *t;

    (void)state;
    assert_int_equal(mailbox_new(4096, 4096, &m.mb), 0);
    cfg.mailbox = m.mb;
    cfg.on_mail = on_mail;
    cfg.on_turn = on_turn;
    cfg.ctx = &m;
    assert_int_equal(net_new(&cfg, &m.net), 0);
    assert_int_equal(os_thread_start("mail", send_mail, &m, &t), 0);
    net_run(m.net);
    os_thread_join(t);
    assert_int_equal(m.got, 1000);
    assert_int_equal(m.sum, 999 * 1000 / 2);
    assert_true(m.turns > 0);
    net_free(m.net);
    mailbox_free(m.mb);
}

static void test_many_clients(void **state)
{
    struct net_config cfg = rig_config();
    struct net_stats st;
    struct rig *r;
    struct net_conn c[300];

    (void)state;
    cfg.max_conns = 700;
    r = start(cfg);
    r->echo = true;
    for (uint32_t i = 0; i < ARRAY_LEN(c); i++) {
        struct net_dial d = {.host = "127.0.0.1",
                             .source = i % 2 == 0 ? "127.0.0.2" : NULL,
                             .port = r->ws_port,
                             .kind = NET_WS_CLIENT,
                             .handler = &rig_client,
                             .ctx = r,
                             .user = 1000 + i,
                             .path = "/ocpp/x",
                             .protocols = "ocpp1.6"};

        assert_int_equal(net_dial(r->net, &d, &c[i]), 0);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(c); i++) {
        char text[16];

        snprintf(text, sizeof(text), "o%u;", 1000 + i);
        rig_until(r, text);
        assert_int_equal(net_send(r->net, c[i], str_from(text, strlen(text) - 1)), 0);
        snprintf(text, sizeof(text), "m:o%u;", 1000 + i);
        rig_until(r, text);
    }
    net_stats_get(r->net, &st);
    assert_int_equal(st.live, 600);
    for (uint32_t i = 0; i < ARRAY_LEN(c); i += 2)
        net_abort(r->net, c[i]);
    rig_until(r, "C1298:local/1006;");
    rig_for(r, 100);
    net_stats_get(r->net, &st);
    assert_int_equal(st.live, 300);
    stop(r);
}

int run_net_hard_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_breakers),
        cmocka_unit_test(test_unmasked_and_new_message_inside),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_large_message_in_pieces),
        cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_slow_loris),
        cmocka_unit_test(test_half_open),
        cmocka_unit_test(test_peer_that_never_reads),
        cmocka_unit_test(test_slow_reader_gets_everything),
        cmocka_unit_test(test_full_reactor_stops_listening),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_mailbox_of_a_reactor),
        cmocka_unit_test(test_many_clients),
    };

    return cmocka_run_group_tests_name("net hard", tests, NULL, NULL);
}
