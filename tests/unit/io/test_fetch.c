// SPDX-License-Identifier: Apache-2.0
/* test_fetch.c: the HTTP client against a server of one exchange: what it asks, what it takes, and
 * what it will not ask. */
#include "io_tests.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "io/net/fetch.h"
#include "io/os/thread.h"

struct once {
    int fd;
    uint16_t port;
    const char *answer;
    char asked[4096];
    struct os_thread *thread;
};
struct heard {
    int calls, err, status;
    bool untouched;
    char body[256], mark[64];
};

static void once_run(void *arg)
{
    struct once *o = arg;
    int fd = accept(o->fd, NULL, NULL);
    size_t n = 0;
    while (fd >= 0 && n + 1 < sizeof o->asked && !strstr(o->asked, "END")) {
        ssize_t got = read(fd, o->asked + n, sizeof o->asked - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (fd >= 0) {
        assert_true(write(fd, o->answer, strlen(o->answer)) >= 0);
        close(fd);
    }
}

static void once_start(struct once *o, const char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    *o = (struct once){.fd = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
    assert_int_equal(bind(o->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(o->fd, 1), 0);
    assert_int_equal(getsockname(o->fd, (struct sockaddr *)&a, &len), 0);
    o->port = ntohs(a.sin_port);
    assert_int_equal(os_thread_start("once", once_run, o, &o->thread), 0);
}

static void on_done(void *ctx, void *tag, const struct fetch_answer *a)
{
    struct heard *h = ctx;
    assert_ptr_equal(tag, &h->calls);
    h->calls++;
    h->err = a->err;
    h->status = a->status;
    h->untouched = a->untouched;
    (void)str_copy(h->body, sizeof h->body, a->body);
    (void)str_copy(h->mark, sizeof h->mark, fetch_header(a->headers, "x-MARK"));
}

/* One request to the port; what was heard. */
static struct heard ask(uint16_t port, const char *method, const char *body, size_t max)
{
    struct heard h = {0};
    struct fetch *f;
    char url[64];
    struct fetch_request r = {.method = method,
                              .url = url,
                              .headers = {"X-Sent: END"},
                              .body = str_from_c(body),
                              .timeout_ms = 5000,
                              .max = max};
    snprintf(url, sizeof url, "http://127.0.0.1:%u/path?q=1", (unsigned)port);
    assert_int_equal(fetch_new(1, on_done, &h, &f), 0);
    assert_int_equal(fetch_send(f, &r, &h.calls), 0);
    assert_int_equal(fetch_send(f, &r, &h.calls), ERR_FULL);
    while (fetch_busy(f))
        fetch_run(f, -1, 100);
    fetch_free(f);
    assert_int_equal(h.calls, 1);
    return h;
}

static struct heard exchange(struct once *o, const char *method, const char *body, size_t max,
                             const char *answer)
{
    once_start(o, answer);
    struct heard h = ask(o->port, method, body, max);
    os_thread_join(o->thread);
    close(o->fd);
    return h;
}

static void an_answer_is_heard(void **state)
{
    struct once o;
    (void)state;
    struct heard h = exchange(&o, "POST", "body", 100,
                              "HTTP/1.1 201 Made\r\nX-Mark:  m1 \r\nContent-Length: 2\r\n\r\nok");
    assert_int_equal(h.err, 0);
    assert_int_equal(h.status, 201);
    assert_string_equal(h.body, "ok");
    assert_string_equal(h.mark, "m1");
    assert_non_null(strstr(o.asked, "POST /path?q=1 HTTP/1.1\r\n"));
    h = exchange(&o, "GET", "", 100, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(h.err, 0);
    assert_int_equal(h.status, 500);
    assert_non_null(strstr(o.asked, "GET /path?q=1"));
}

static void redirects_are_not_followed(void **state)
{
    struct once o;
    (void)state;
    struct heard h = exchange(
        &o, "GET", "", 100,
        "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(h.err, 0);
    assert_int_equal(h.status, 302);
}

static void answers_have_a_bound(void **state)
{
    struct once o;
    (void)state;
    struct heard h =
        exchange(&o, "GET", "", 4, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
    assert_int_equal(h.err, ERR_TOO_LARGE);
    h = exchange(&o, "GET", "", 100, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut off");
    assert_int_equal(h.err, ERR_CLOSED);
    assert_false(h.untouched);
}

static void nobody_is_there(void **state)
{
    struct once o;
    (void)state;
    once_start(&o, "");
    assert_int_equal(shutdown(o.fd, SHUT_RDWR), 0);
    os_thread_join(o.thread);
    close(o.fd);
    struct heard h = ask(o.port, "GET", "", 100);
    assert_int_equal(h.err, ERR_CLOSED);
    assert_true(h.untouched);
}

static void some_addresses_are_not_asked(void **state)
{
    static const char *const good[] = {"https://a.example/x", "http://127.0.0.1:8/x",
                                       "http://localhost", "http://[::1]:9/"};
    static const char *const bad[] = {"http://a.example/x",     "http://127.0.0.1.evil/",
                                      "http://localhost@evil/", "https:///x",
                                      "ftp://127.0.0.1/",       "file:///etc/passwd",
                                      "https://a.example/ x",   "https://u@a.example/",
                                      "http://127.0.0.11/",     ""};
    struct fetch *f;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(fetch_url_ok(good[i]));
    assert_int_equal(fetch_new(1, on_done, NULL, &f), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fetch_request r = {.method = "GET", .url = bad[i], .timeout_ms = 1000, .max = 10};
        assert_int_equal(fetch_send(f, &r, NULL), ERR_RANGE);
    }
    fetch_free(f);
}

static void text_is_escaped(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    fetch_escape(&b, STR_LIT("a b+c/=é~"));
    assert_true(str_eq_c(buf_str(&b), "a%20b%2Bc%2F%3D%C3%A9~"));
    buf_free(&b);
}

/* A server that answers the first request of its life and hears the others without a word. */
struct moody {
    int fd, heard;
    uint16_t port;
    struct os_thread *thread;
};

static void moody_line(struct moody *m, int fd)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char asked[4096];
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, asked + n, sizeof asked - 1 - n);
        if (got <= 0)
            return;
        n += (size_t)got;
        asked[n] = 0;
        if (!strstr(asked, "END"))
            continue;
        n = 0;
        if (m->heard++ > 0)
            return;
        assert_true(write(fd, ok, sizeof ok - 1) > 0);
    }
}

static void moody_run(void *arg)
{
    struct moody *m = arg;
    for (int fd = accept(m->fd, NULL, NULL); fd >= 0; fd = accept(m->fd, NULL, NULL)) {
        moody_line(m, fd);
        close(fd);
    }
}

/* Two requests, one after the other; how often anything was heard. */
static int moody_asked(bool once)
{
    struct moody m = {0};
    struct once o;
    struct heard h = {0};
    struct fetch *f;
    char url[64];
    once_start(&o, ""); /* its listener serves the moody one, too */
    assert_int_equal(fetch_new(1, on_done, &h, &f), 0);
    (void)ask(o.port, "GET", "", 10);
    os_thread_join(o.thread);
    m.fd = o.fd;
    assert_int_equal(os_thread_start("moody", moody_run, &m, &m.thread), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)o.port);
    struct fetch_request r = {.method = "POST",
                              .url = url,
                              .headers = {"X-Sent: END"},
                              .timeout_ms = 5000,
                              .max = 10,
                              .once = once};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch_send(f, &r, &h.calls), 0);
        while (fetch_busy(f))
            fetch_run(f, -1, 100);
        assert_int_equal(h.err, i == 0 ? 0 : ERR_CLOSED);
        assert_false(h.untouched);
    }
    fetch_free(f);
    (void)shutdown(m.fd, SHUT_RDWR);
    os_thread_join(m.thread);
    close(m.fd);
    return m.heard;
}

/* On a connection that is used again, the library repeats what got no answer. */
static void a_request_is_heard_once(void **state)
{
    (void)state;
    assert_int_equal(moody_asked(false), 3);
    assert_int_equal(moody_asked(true), 2);
}

int run_fetch_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_heard),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(answers_have_a_bound),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(some_addresses_are_not_asked),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(a_request_is_heard_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
