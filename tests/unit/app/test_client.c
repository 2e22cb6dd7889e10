// SPDX-License-Identifier: Apache-2.0
/* test_client.c: the client of our own API against a listener that answers with prepared bytes: what
 * it sends, and what it makes of statuses, sessions and silence. */
#include "test_app.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/client.h"
#include "base/err.h"
#include "io/os/thread.h"

static struct {
    int listen_fd;
    struct os_thread *thread;
    const char *const *answers; /* one connection each, NULL ends */
    char heard[8][2048];
    char base[64];
} rig; /* one test at a time */

/* Reads one request: its head, and as much body as it announces. */
static void request_read(int fd, char *heard, size_t size)
{
    size_t have = 0;
    while (have + 1 < size) {
        ssize_t n = recv(fd, heard + have, size - 1 - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
        heard[have] = 0;
        const char *end = strstr(heard, "\r\n\r\n"), *length = strstr(heard, "Content-Length: ");
        size_t body = length ? (size_t)strtoul(length + 16, NULL, 10) : 0;
        if (end && have >= (size_t)(end + 4 - heard) + body)
            break;
    }
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; rig.answers[i]; i++) {
        int fd = accept(rig.listen_fd, NULL, NULL);
        if (fd < 0)
            return;
        request_read(fd, rig.heard[i], sizeof rig.heard[i]);
        size_t n = strlen(rig.answers[i]);
        ssize_t sent = send(fd, rig.answers[i], n, MSG_NOSIGNAL);
        close(fd);
        if (sent != (ssize_t)n)
            return;
    }
}

static void listens(const char *const *answers)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    memset(&rig, 0, sizeof rig);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rig.answers = answers;
    rig.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(rig.listen_fd, (struct sockaddr *)(void *)&a, sizeof a), 0);
    assert_int_equal(listen(rig.listen_fd, 8), 0);
    assert_int_equal(getsockname(rig.listen_fd, (struct sockaddr *)(void *)&a, &n), 0);
    snprintf(rig.base, sizeof rig.base, "http://127.0.0.1:%u", ntohs(a.sin_port));
    assert_int_equal(os_thread_start("answers", serve, NULL, &rig.thread), 0);
}

static void ends(void)
{
    os_thread_join(rig.thread);
    close(rig.listen_fd);
}

#define HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n"

static void statuses(void **state)
{
    static const char *const answers[] = {
        HEAD("200 OK") "Content-Length: 12\r\n\r\n{\"id\":\"4711\"",
        HEAD("404 Not Found") "Content-Length: 2\r\n\r\n{}",
        HEAD("429 Too Many Requests") "Content-Length: 2\r\n\r\n{}",
        HEAD("599 Odd") "Content-Length: 2\r\n\r\n{}",
        HEAD("200 OK") "Content-Length: 100\r\n\r\ncut off",
        NULL};
    struct client *c;
    struct str reply;
    (void)state;
    listens(answers);
    assert_int_equal(client_new(rig.base, &c), 0);
    assert_int_equal(client_call(c, "GET", "/api/v1/x", NULL, &reply), 0);
    assert_true(str_eq_c(client_member(reply, "id"), "4711"));
    assert_int_equal(client_call(c, "GET", "/api/v1/x", NULL, &reply), ERR_NOT_FOUND);
    assert_int_equal(client_call(c, "GET", "/api/v1/x", NULL, &reply), ERR_RATE_LIMIT);
    assert_int_equal(client_call(c, "GET", "/api/v1/x", NULL, &reply), ERR_INTERNAL);
    assert_int_equal(client_call(c, "GET", "/api/v1/x", NULL, &reply), ERR_CLOSED);
    ends();
    assert_int_equal(client_call(c, "GET", "/api/v1/x", NULL, &reply), ERR_CLOSED);
    client_free(c);
    assert_non_null(strstr(rig.heard[0], "GET /api/v1/x HTTP/1.1"));
    assert_null(strstr(rig.heard[0], "Idempotency-Key"));
}

/* The mark of the first write, which must not be that of the second. */
static void mark_of(const char *heard, char out[64])
{
    const char *at = strstr(heard, "Idempotency-Key: ");
    assert_non_null(at);
    (void)str_copy(out, 64, str_from(at + 17, strcspn(at + 17, "\r")));
}

static void session(void **state)
{
    static const char *const answers[] = {
        HEAD("200 OK") "Set-Cookie: even_staff=abc; Path=/\r\nContent-Length: 16\r\n\r\n"
                       "{\"csrf\":\"tok123\"}",
        HEAD("201 Created") "Content-Length: 11\r\n\r\n{\"id\":\"12\"}",
        HEAD("201 Created") "Content-Length: 11\r\n\r\n{\"id\":\"13\"}", NULL};
    struct client *c;
    int64_t id;
    char first[64], second[64];
    (void)state;
    listens(answers);
    assert_int_equal(client_new(rig.base, &c), 0);
    assert_int_equal(client_login(c, "li \"x\"", "p\\w"), 0);
    assert_int_equal(client_make(c, "/api/v1/stations", "{}", &id), 0);
    assert_int_equal(id, 12);
    assert_int_equal(client_make(c, "/api/v1/stations", "{}", &id), 0);
    assert_int_equal(id, 13);
    client_free(c);
    ends();
    assert_non_null(strstr(rig.heard[0], "{\"login\":\"li \\\"x\\\"\",\"password\":\"p\\\\w\"}"));
    assert_non_null(strstr(rig.heard[1], "X-CSRF-Token: tok123"));
    assert_non_null(strstr(rig.heard[1], "Cookie: even_staff=abc"));
    mark_of(rig.heard[1], first);
    mark_of(rig.heard[2], second);
    assert_int_equal(strlen(first), 32);
    assert_string_not_equal(first, second);
}

static void key(void **state)
{
    static const char *const answers[] = {HEAD("204 No Content") "\r\n", NULL};
    struct client *c;
    struct str reply;
    (void)state;
    listens(answers);
    assert_int_equal(client_new(rig.base, &c), 0);
    client_key(c, "even_1_secret");
    assert_int_equal(client_call(c, "DELETE", "/api/v1/keys/1", NULL, &reply), 0);
    client_free(c);
    ends();
    assert_non_null(strstr(rig.heard[0], "DELETE /api/v1/keys/1"));
    assert_non_null(strstr(rig.heard[0], "Authorization: Bearer even_1_secret"));
    assert_null(strstr(rig.heard[0], "X-CSRF-Token"));
}

static void members(void **state)
{
    struct str json = STR_LIT("{\"a\":\"x y\",\"n\":12,\"t\":true}");
    (void)state;
    assert_true(str_eq_c(client_member(json, "a"), "x y"));
    assert_true(str_eq_c(client_member(json, "n"), "12"));
    assert_true(str_eq_c(client_member(json, "t"), "true"));
    assert_true(str_eq_c(client_member(json, "b"), ""));
    assert_true(str_eq_c(client_member(STR_LIT(""), "a"), ""));
}

int client_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(statuses), cmocka_unit_test(session),
                                       cmocka_unit_test(key), cmocka_unit_test(members)};
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
