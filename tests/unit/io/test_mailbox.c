// SPDX-License-Identifier: Apache-2.0
/* test_mailbox.c: limits, lanes, order, wake-ups, many senders. */
#include "io_tests.h"

#include <poll.h>
#include <stdio.h>
#include "base/err.h"
#include "io/os/mailbox.h"
#include "io/os/thread.h"

static bool readable(const struct mailbox *mb)
{
    struct pollfd p = {.fd = mailbox_fd(mb), .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void test_order_over_lanes(void **state)
{
    struct mailbox_batch batch = {0};
    struct mailbox *mb;
    struct str msg;

    (void)state;
    assert_int_equal(mailbox_new(1024, 1024, &mb), 0);
    assert_false(readable(mb));
    assert_int_equal(mailbox_take(mb, &batch), 0);
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, STR_LIT("start")), 0);
    assert_int_equal(mailbox_send2(mb, MAIL_ENDING, STR_LIT("st"), STR_LIT("op")), 0);
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, STR_NONE), 0);
    assert_true(readable(mb));
    assert_true(mailbox_wait(mb, 0));
    assert_true(mailbox_take(mb, &batch) > 0);
    assert_false(readable(mb));
    assert_true(mailbox_next(&batch, &msg));
    assert_true(str_eq_c(msg, "start"));
    assert_int_equal((uintptr_t)msg.p % 8, 0);
    assert_true(mailbox_next(&batch, &msg));
    assert_true(str_eq_c(msg, "stop"));
    assert_int_equal((uintptr_t)msg.p % 8, 0);
    assert_true(mailbox_next(&batch, &msg));
    assert_int_equal(msg.n, 0);
    assert_false(mailbox_next(&batch, &msg));
    mailbox_batch_free(&batch);
    mailbox_free(mb);
}

static void put_lets_sleep_until_woken(void **state)
{
    struct mailbox_batch batch = {0};
    struct mailbox *mb;

    (void)state;
    assert_int_equal(mailbox_new(1024, 1024, &mb), 0);
    assert_int_equal(mailbox_put(mb, MAIL_NORMAL, STR_LIT("a"), STR_LIT("b")), 0);
    assert_false(mailbox_wait(mb, 0));
    mailbox_wake(mb);
    assert_true(mailbox_wait(mb, 0));
    assert_true(mailbox_take(mb, &batch) > 0);
    mailbox_wake(mb); /* nothing waits */
    assert_false(mailbox_wait(mb, 0));
    /* Another sender's wake-up carries what was put before it. */
    assert_int_equal(mailbox_put(mb, MAIL_NORMAL, STR_LIT("c"), STR_NONE), 0);
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, STR_LIT("d")), 0);
    assert_true(mailbox_wait(mb, 0));
    assert_true(mailbox_take(mb, &batch) > 0);
    mailbox_batch_free(&batch);
    mailbox_free(mb);
}

/* Nobody writes the descriptor for a taker that looks before it sleeps; one that sleeps is woken. */
static void nobody_wakes_a_taker_that_is_up(void **state)
{
    struct mailbox_batch batch = {0};
    struct mailbox *mb;

    (void)state;
    assert_int_equal(mailbox_new(1024, 1024, &mb), 0);
    assert_false(mailbox_await(mb, 0));
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, STR_LIT("a")), 0);
    assert_false(readable(mb));
    assert_true(mailbox_await(mb, -1));
    assert_true(mailbox_take(mb, &batch) > 0);
    assert_int_equal(mailbox_put(mb, MAIL_NORMAL, STR_LIT("b"), STR_NONE), 0);
    assert_false(mailbox_doze(mb)); /* put, and nobody told */
    assert_true(mailbox_take(mb, &batch) > 0);
    assert_true(mailbox_doze(mb));
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, STR_LIT("c")), 0);
    assert_true(readable(mb));
    assert_true(mailbox_rise(mb));
    mailbox_hear(mb);
    assert_false(readable(mb));
    assert_true(mailbox_take(mb, &batch) > 0);
    assert_false(mailbox_rise(mb));
    mailbox_batch_free(&batch);
    mailbox_free(mb);
}

static void test_endings_keep_room(void **state)
{
    struct mailbox_batch batch = {0};
    char hundred[100] = "x";
    struct str msg = str_from(hundred, sizeof(hundred));
    struct mailbox *mb;
    int sent = 0;

    (void)state;
    assert_int_equal(mailbox_new(1024, 256, &mb), 0);
    while (mailbox_send(mb, MAIL_NORMAL, msg) == 0)
        sent++;
    assert_int_equal(sent, 1024 / 112);
    assert_int_equal(mailbox_waiting(mb, MAIL_NORMAL), sent * 112);
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, msg), ERR_FULL);
    assert_int_equal(mailbox_send(mb, MAIL_ENDING, msg), 0);
    assert_int_equal(mailbox_send(mb, MAIL_ENDING, msg), 0);
    assert_int_equal(mailbox_send(mb, MAIL_ENDING, msg), ERR_FULL);
    assert_int_equal(mailbox_take(mb, &batch), (sent + 2) * 112);
    assert_int_equal(mailbox_send(mb, MAIL_NORMAL, msg), 0);
    assert_int_equal(mailbox_send2(mb, MAIL_ENDING, msg, str_from(hundred, 99)), 0);
    assert_int_equal(mailbox_send(mb, MAIL_ENDING, str_from(hundred, 249)), ERR_TOO_LARGE);
    mailbox_batch_free(&batch);
    mailbox_free(mb);
}

#define SENDERS  4
#define MESSAGES 20000

struct sender {
    struct mailbox *mb;
    uint32_t id;
};

static void send_many(void *arg)
{
    struct sender *s = arg;

    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint32_t words[2] = {s->id, i};
        enum mail_lane lane = i % 3 == 0 ? MAIL_ENDING : MAIL_NORMAL;

        while (mailbox_send(s->mb, lane, str_from((const char *)words, sizeof(words))) == ERR_FULL)
            ;
    }
}

static void many_senders(bool (*wait)(struct mailbox *mb, int32_t timeout_ms))
{
    struct mailbox_batch batch = {0};
    struct os_thread *t[SENDERS];
    struct sender s[SENDERS];
    uint32_t next[SENDERS] = {0}, total = 0, words[2];
    struct mailbox *mb;
    struct str msg;

    assert_int_equal(mailbox_new(8192, 4096, &mb), 0);
    for (uint32_t i = 0; i < SENDERS; i++) {
        s[i] = (struct sender){mb, i};
        assert_int_equal(os_thread_start("sender", send_many, &s[i], &t[i]), 0);
    }
    while (total < SENDERS * MESSAGES) {
        if (!wait(mb, 30000))
            continue; /* woken for what was taken already; a lost wake-up shows as half a minute */
        mailbox_take(mb, &batch);
        for (; mailbox_next(&batch, &msg); total++) {
            assert_int_equal(msg.n, sizeof(words));
            memcpy(words, msg.p, sizeof(words));
            assert_int_equal(words[1], next[words[0]]++);
        }
    }
    for (uint32_t i = 0; i < SENDERS; i++)
        os_thread_join(t[i]);
    assert_int_equal(mailbox_take(mb, &batch), 0);
    mailbox_batch_free(&batch);
    mailbox_free(mb);
}

static void test_many_senders(void **state)
{
    (void)state;
    many_senders(mailbox_wait);
    many_senders(mailbox_await);
}

/* Buffers of a storm go back once little comes; those that are used in full stay. */
static void test_gives_back(void **state)
{
    static char much[100000];
    struct mailbox_batch batch = {0};
    struct mailbox *mb;
    const uint8_t *buffer[2];
    (void)state;
    assert_int_equal(mailbox_new(1 << 20, 1 << 20, &mb), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(mailbox_send(mb, MAIL_NORMAL, str_from(much, sizeof much)), 0);
        assert_true(mailbox_take(mb, &batch) > sizeof much);
        if (i >= 2)
            assert_ptr_equal(batch.p, buffer[i % 2]);
        buffer[i % 2] = batch.p;
    }
    for (int i = 0; i < 100; i++) {
        struct str msg;
        assert_int_equal(mailbox_send(mb, MAIL_NORMAL, STR_LIT("a")), 0);
        assert_int_equal(mailbox_take(mb, &batch), 16);
        assert_true(mailbox_next(&batch, &msg));
        assert_true(str_eq_c(msg, "a"));
    }
    assert_true(batch.size <= 16384);
    assert_int_equal(mailbox_take(mb, &batch), 0);
    assert_true(batch.size <= 16384); /* the other one */
    mailbox_batch_free(&batch);
    mailbox_free(mb);
}

int run_mailbox_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_lets_sleep_until_woken),
        cmocka_unit_test(nobody_wakes_a_taker_that_is_up),
        cmocka_unit_test(test_order_over_lanes),
        cmocka_unit_test(test_endings_keep_room),
        cmocka_unit_test(test_many_senders),
        cmocka_unit_test(test_gives_back),
    };

    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
