// SPDX-License-Identifier: Apache-2.0
/* test_net_batch.c: connections that are read and written many at once: what one handler does to
 * others whose bytes were read in the same round, and rounds that are larger than a batch. Runs with
 * and without io_uring. */
#include "io_tests.h"
#include "net_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"

enum { CROWD = 100, LONG = 5000 };
enum { FEW = 10, MOST = CROWD + 2 };
enum act { ACT_NONE, ACT_PAUSE, ACT_CLOSE, ACT_ABORT, ACT_SEND };

static struct crowd {
    struct net *net;
    uint16_t port;
    int fd[CROWD];
    struct net_conn conn[MOST];
    int opened, closed, heard[MOST];
    enum act act, then; /* the first that is heard acts on the others, the next on FEW of them */
    int actor;          /* the first; -1 = nobody yet */
} * crowd;

static void act_on(struct crowd *w, enum act act, int first, int last)
{
    for (int i = first; i < last; i++) {
        if (i == w->actor)
            continue;
        if (act == ACT_PAUSE)
            net_pause(w->net, w->conn[i]);
        if (act == ACT_CLOSE)
            net_close(w->net, w->conn[i], WS_NORMAL);
        if (act == ACT_SEND)
            assert_int_equal(net_send(w->net, w->conn[i], STR_LIT("told\n")), 0);
        if (act == ACT_ABORT)
            net_abort(w->net, w->conn[i]);
    }
}

static void on_open(void *ctx, struct net_conn c)
{
    struct crowd *w = ctx;

    net_user_set(w->net, c, (uint64_t)w->opened);
    w->conn[w->opened++] = c;
}

/* Counts lines. */
static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    struct crowd *w = ctx;
    int me = (int)net_user(w->net, c);
    struct str rest = bytes;
    ptrdiff_t used = 0;

    while (str_find(rest, '\n') >= 0) {
        used += (ptrdiff_t)str_cut(&rest, '\n').n + 1;
        w->heard[me]++;
    }
    if (w->actor < 0 && used > 0) {
        w->actor = me;
        act_on(w, w->act, 0, w->then == ACT_NONE ? CROWD : FEW);
    } else if (used > 0) {
        act_on(w, w->then, 0, FEW);
        w->then = ACT_NONE;
    }
    return used;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct crowd *w = ctx;

    (void)c, (void)why, (void)code;
    w->closed++;
}

static const struct net_handler handler = {
    .on_open = on_open, .on_raw = on_raw, .on_close = on_close};

static void turn(int times)
{
    for (int i = 0; i < times; i++)
        net_turn(crowd->net, 1);
}

static int up(void **state)
{
    struct net_config cfg = rig_config();
    struct net_listen l = {.kind = NET_RAW_SERVER, .handler = &handler};

    (void)state;
    crowd = calloc(1, sizeof(*crowd));
    assert_non_null(crowd);
    crowd->actor = -1;
    cfg.max_conns = CROWD + 1;
    l.ctx = crowd;
    assert_int_equal(net_new(&cfg, &crowd->net), 0);
    assert_int_equal(net_listen(crowd->net, &l, &crowd->port), 0);
    for (int i = 0; i < CROWD; i++) {
        crowd->fd[i] = peer_open(crowd->port);
        while (crowd->opened <= i)
            turn(1);
    }
    turn(2); /* the listener is quiet now: events come in the order in which the tests make them */
    return 0;
}

static int down(void **state)
{
    (void)state;
    for (int i = 0; i < CROWD; i++)
        close(crowd->fd[i]);
    net_free(crowd->net);
    free(crowd);
    return 0;
}

/* Everybody says a line before the reactor turns. */
static void all_say(const char *line)
{
    for (int i = 0; i < CROWD; i++)
        peer_send_c(crowd->fd[i], line);
}

static int heard(void)
{
    int n = 0;

    for (int i = 0; i < MOST; i++)
        n += crowd->heard[i];
    return n;
}

static void test_all_are_heard(void **state)
{
    (void)state;
    all_say("a\nb\n");
    turn(10);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(crowd->heard[i], 2);
}

/* Bytes that were read before the pause are heard after it, in order and once. */
static void test_paused_keep_their_bytes(void **state)
{
    (void)state;
    crowd->act = ACT_PAUSE;
    all_say("a\n");
    turn(5);
    assert_int_equal(heard(), 1);
    all_say("b\nc\n");
    turn(5);
    assert_int_equal(heard(), 3);
    for (int i = 0; i < CROWD; i++)
        net_resume(crowd->net, crowd->conn[i]);
    turn(10);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(crowd->heard[i], 3);
}

static void others_end(enum act act)
{
    crowd->act = act;
    all_say("a\n");
    turn(5);
    assert_int_equal(heard(), 1);
    assert_int_equal(crowd->closed, CROWD - 1);
    assert_true(net_alive(crowd->net, crowd->conn[crowd->actor]));
}

static void test_closed_lose_theirs(void **state)
{
    (void)state;
    others_end(ACT_CLOSE);
}

static void test_aborted_lose_theirs(void **state)
{
    (void)state;
    others_end(ACT_ABORT);
}

/* Output that waits for the end of the round is not sent for who is gone by then. */
static void test_queued_then_aborted(void **state)
{
    char told[8];

    (void)state;
    crowd->act = ACT_SEND;
    crowd->then = ACT_ABORT;
    peer_send_c(crowd->fd[CROWD - 2], "a\n");
    peer_send_c(crowd->fd[CROWD - 1], "a\n");
    turn(5);
    assert_int_equal(heard(), 2);
    assert_int_equal(crowd->closed, FEW);
    for (int i = 0; i < FEW && net_batches(crowd->net); i++)
        assert_true(recv(crowd->fd[i], told, sizeof(told), 0) < 0);
}

/* … but it leaves before the connection ends for who was closed. */
static void test_queued_then_closed(void **state)
{
    char told[8];

    (void)state;
    crowd->act = ACT_SEND;
    crowd->then = ACT_CLOSE;
    peer_send_c(crowd->fd[CROWD - 2], "a\n");
    peer_send_c(crowd->fd[CROWD - 1], "a\n");
    turn(5);
    assert_int_equal(crowd->closed, FEW);
    for (int i = 0; i < FEW; i++) {
        assert_int_equal(recv(crowd->fd[i], told, sizeof(told), 0), 5);
        assert_int_equal(recv(crowd->fd[i], told, sizeof(told), 0), 0);
    }
}

/* Who comes in the middle of a round gets the place of one that was aborted in it, not its bytes. */
static void test_place_taken_in_a_round(void **state)
{
    (void)state;
    crowd->act = ACT_ABORT;
    peer_send_c(crowd->fd[0], "a\n");
    int late[] = {peer_open(crowd->port), peer_open(crowd->port)}; /* one place was free before */
    for (int i = 1; i < FEW; i++)
        peer_send_c(crowd->fd[i], "not mine\n");
    turn(5);
    assert_int_equal(crowd->opened, MOST);
    assert_true(crowd->conn[MOST - 1].slot < CROWD);
    assert_true(net_alive(crowd->net, crowd->conn[MOST - 1]));
    assert_int_equal(heard(), 1);
    close(late[0]);
    close(late[1]);
}

static void test_all_are_told(void **state)
{
    char told[8];

    (void)state;
    crowd->act = ACT_SEND;
    peer_send_c(crowd->fd[7], "a\n");
    turn(5);
    for (int i = 0; i < CROWD; i++)
        if (i != crowd->actor)
            assert_int_equal(recv(crowd->fd[i], told, sizeof(told), MSG_DONTWAIT), 5);
    assert_int_equal(crowd->actor, 7);
}

/* Lines longer than a piece of a round, beside short ones. */
static void test_long_ones(void **state)
{
    static char line[LONG + 1];

    (void)state;
    memset(line, 'x', LONG);
    line[LONG - 1] = '\n';
    for (int i = 0; i < CROWD; i++)
        peer_send_c(crowd->fd[i], i % 3 == 0 ? line : "s\n");
    turn(20);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(crowd->heard[i], 1);
    all_say(line);
    turn(20);
    assert_int_equal(heard(), 2 * CROWD);
}

static void test_half_leave(void **state)
{
    (void)state;
    for (int i = 0; i < CROWD; i += 2) {
        peer_send_c(crowd->fd[i], "bye\n");
        shutdown(crowd->fd[i], SHUT_WR);
    }
    for (int i = 1; i < CROWD; i += 2)
        peer_send_c(crowd->fd[i], "here\n");
    turn(10);
    assert_int_equal(heard(), CROWD);
    assert_int_equal(crowd->closed, CROWD / 2);
}

/* Turns until so much of what a peer was sent has come, whatever pieces it comes in. */
static size_t take_all(int peer, size_t want)
{
    static char waste[LONG];
    size_t got = 0;

    for (int tries = 0; got < want && tries < 2000; tries++) {
        ssize_t n = recv(crowd->fd[peer], waste, LONG, MSG_DONTWAIT);

        got += n > 0 ? (size_t)n : 0;
        if (n <= 0)
            turn(1);
    }
    return got;
}

/* A peer that does not read fills its socket; the others of its rounds get all of theirs, and it does
 * once it reads. */
static void test_one_is_full(void **state)
{
    static char lines[LONG];

    (void)state;
    memset(lines, 'y', sizeof(lines));
    for (int round = 0; round < 40; round++) {
        for (int k = 0; k < 2; k++)
            assert_int_equal(net_send(crowd->net, crowd->conn[k], str_from(lines, LONG)), 0);
        turn(1);
        assert_int_equal(take_all(1, LONG), LONG);
    }
    assert_int_equal(take_all(0, 40 * LONG), 40 * LONG);
}

int run_net_batch_tests(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {T(test_all_are_heard),
                                       T(test_paused_keep_their_bytes),
                                       T(test_closed_lose_theirs),
                                       T(test_aborted_lose_theirs),
                                       T(test_queued_then_aborted),
                                       T(test_queued_then_closed),
                                       T(test_place_taken_in_a_round),
                                       T(test_all_are_told),
                                       T(test_long_ones),
                                       T(test_half_leave),
                                       T(test_one_is_full)};

    return cmocka_run_group_tests_name(rig_batch ? "net batch, io_uring" : "net batch", tests, NULL,
                                       NULL);
}
