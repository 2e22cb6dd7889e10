// SPDX-License-Identifier: Apache-2.0
/* test_ftp.c: the FTP server over real sockets on loopback: files whole and from the middle, both
 * ways of data, and what thieves and idlers try. */
#include "io_tests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/err.h"
#include "io/net/ftp.h"
#include "io/os/clock.h"

enum { SMALL = 300000, LARGE = 64 << 20 };

static struct {
    struct ftp *ftp;
    char path[40], text[4096]; /* replies so far */
    int64_t size;
    _Atomic int flows, broken, whole;
    _Atomic int64_t at;
    bool gone;
} t;

/* ---- the owner ---- */

static int judge(void *ctx, struct str user, struct str password, struct ftp_grant *out)
{
    (void)ctx;
    if (!str_eq_c(user, "1") || !str_eq_c(password, "2"))
        return ERR_LOGIN_FAILED;
    *out = (struct ftp_grant){.file = {.name = "f.bin", .size = t.size, .modified_ms = 1000}};
    return 0;
}

static int open_file(void *ctx, const struct ftp_grant *g, int *fd)
{
    (void)ctx;
    (void)g;
    *fd = t.gone ? -1 : open(t.path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? ERR_NOT_FOUND : 0;
}

static void told(void *ctx, const struct ftp_grant *g, const struct ftp_progress *p)
{
    (void)ctx;
    (void)g;
    assert_string_equal(p->peer, "127.0.0.1");
    t.at = p->at;
    (*(p->stage == FTP_FLOWS ? &t.flows : p->stage == FTP_WHOLE ? &t.whole : &t.broken))++;
}

static uint8_t byte_at(int64_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static void start(int64_t size, const struct ftp_config *with)
{
    struct ftp_config cfg = *with;
    char *bytes = malloc(SMALL);
    int fd;

    snprintf(t.path, sizeof(t.path), "/tmp/even-ftp-XXXXXX");
    fd = mkstemp(t.path);
    assert_true(fd >= 0);
    for (int i = 0; i < SMALL; i++)
        bytes[i] = (char)byte_at(i);
    assert_int_equal(write(fd, bytes, SMALL), SMALL);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
    free(bytes);
    t.size = size;
    t.flows = t.broken = t.whole = 0;
    t.gone = false;
    cfg.bind = cfg.address = "127.0.0.1";
    cfg.judge = judge;
    cfg.open = open_file;
    cfg.told = told;
    assert_int_equal(ftp_start(&cfg, &t.ftp), 0);
}

static void stop(void)
{
    ftp_stop(t.ftp);
    t.ftp = NULL;
    unlink(t.path);
}

/* ---- a client ---- */

static int dial(const char *from, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET}, b = {.sin_family = AF_INET};
    struct timeval ten = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, from, &a.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &b.sin_addr);
    b.sin_port = htons(port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof(ten));
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&b, sizeof(b)), 0);
    return fd;
}

/* Reads lines until one begins with the reply. */
static void hears(int fd, const char *reply)
{
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, t.text + n, 1, 0);

        if (got != 1)
            fail_msg("wanted %s, heard %.*s and then %zd", reply, (int)n, t.text, got);
        if (t.text[n++] != '\n') {
            assert_true(n < sizeof(t.text) - 1);
            continue;
        }
        t.text[n] = '\0';
        if (strncmp(t.text, reply, strlen(reply)) == 0)
            return;
        if (t.text[3] == ' ' && t.text[0] != ' ')
            fail_msg("wanted %s, heard %s", reply, t.text);
        n = 0;
    }
}

static void says(int fd, const char *line, const char *reply)
{
    assert_int_equal(send(fd, line, strlen(line), 0), strlen(line));
    assert_int_equal(send(fd, "\r\n", 2, 0), 2);
    hears(fd, reply);
}

static bool at_end(int fd)
{
    char c[4096];
    ssize_t n;

    while ((n = recv(fd, c, sizeof(c), 0)) > 0)
        ;
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static int logged_in(void)
{
    int fd = dial("127.0.0.1", ftp_port(t.ftp));

    hears(fd, "220 ");
    says(fd, "USER 1", "331 ");
    says(fd, "PASS 2", "230 ");
    return fd;
}

static uint16_t passive(int fd)
{
    unsigned v[6];

    says(fd, "PASV", "227 ");
    assert_int_equal(
        sscanf(strchr(t.text, '('), "(%u,%u,%u,%u,%u,%u)", v, v + 1, v + 2, v + 3, v + 4, v + 5),
        6);
    return (uint16_t)(v[4] << 8 | v[5]);
}

static uint16_t extended(int fd)
{
    unsigned port;

    says(fd, "EPSV", "229 ");
    assert_int_equal(sscanf(strchr(t.text, '('), "(|||%u|)", &port), 1);
    return (uint16_t)port;
}

/* The file's bytes from there to its end, and nothing more. */
static void takes(int data, int64_t from)
{
    uint8_t c[8192];
    ssize_t n;

    while ((n = recv(data, c, sizeof(c), 0)) > 0)
        for (ssize_t i = 0; i < n; i++, from++)
            assert_int_equal(c[i], byte_at(from));
    assert_int_equal(n, 0);
    assert_int_equal(from, SMALL);
    close(data);
}

/* ---- tests ---- */

static void test_whole_and_part(void **state)
{
    int fd, data;

    (void)state;
    start(SMALL, &(struct ftp_config){0});
    fd = logged_in();
    says(fd, "TYPE I", "200 ");
    data = dial("127.0.0.1", passive(fd));
    says(fd, "RETR /f.bin", "150 ");
    takes(data, 0);
    hears(fd, "226 ");
    assert_int_equal(t.whole, 1);
    assert_int_equal(t.at, SMALL);
    data = dial("127.0.0.1", extended(fd));
    says(fd, "REST 123456", "350 ");
    says(fd, "RETR f.bin", "150 ");
    takes(data, 123456);
    hears(fd, "226 ");
    assert_int_equal(t.whole, 2);
    data = dial("127.0.0.1", extended(fd));
    says(fd, "REST 300000", "350 ");
    says(fd, "RETR f.bin", "150 ");
    takes(data, SMALL);
    hears(fd, "226 ");
    data = dial("127.0.0.1", passive(fd));
    says(fd, "LIST", "150 ");
    assert_true(at_end(data));
    close(data);
    hears(fd, "226 ");
    t.gone = true;
    data = dial("127.0.0.1", passive(fd));
    says(fd, "RETR f.bin", "550 ");
    assert_true(at_end(data));
    close(data);
    assert_int_equal(t.broken, 0);
    says(fd, "QUIT", "221 ");
    assert_true(at_end(fd));
    close(fd);
    stop();
}

static void test_active(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof(a);
    int fd, data, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char line[64];
    unsigned port;

    (void)state;
    start(SMALL, &(struct ftp_config){0});
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    port = ntohs(a.sin_port);
    fd = logged_in();
    snprintf(line, sizeof(line), "PORT 127,0,0,1,%u,%u", port >> 8, port & 255);
    says(fd, line, "200 ");
    says(fd, "RETR f.bin", "150 ");
    data = accept(listener, NULL, NULL);
    takes(data, 0);
    hears(fd, "226 ");
    says(fd, "PORT 127,0,0,2,19,137", "501 ");
    close(listener);
    says(fd, line, "200 ");
    says(fd, "RETR f.bin", "425 "); /* nobody listens there any more */
    close(fd);
    stop();
}

static void test_stolen_port(void **state)
{
    int fd, thief, data;
    uint16_t port;

    (void)state;
    start(SMALL, &(struct ftp_config){0});
    fd = logged_in();
    port = passive(fd);
    thief = dial("127.0.0.2", port);
    assert_true(at_end(thief));
    close(thief);
    says(fd, "NOOP", "200 ");
    data = dial("127.0.0.1", port);
    says(fd, "RETR f.bin", "150 ");
    takes(data, 0);
    hears(fd, "226 ");
    close(fd);
    stop();
}

static void test_guessing(void **state)
{
    int64_t from = os_mono_ns();
    int fd;

    (void)state;
    start(SMALL, &(struct ftp_config){0});
    fd = dial("127.0.0.1", ftp_port(t.ftp));
    hears(fd, "220 ");
    for (int i = 1; i <= 3; i++) {
        says(fd, "USER 1", "331 ");
        says(fd, "PASS x", i < 3 ? "530 " : "421 ");
    }
    assert_true(os_mono_ns() - from > INT64_C(2500000000)); /* no faster than it is meant to be */
    assert_true(at_end(fd));
    close(fd);
    stop();
}

static void test_places(void **state)
{
    int fd[3], other, late;

    (void)state;
    start(SMALL, &(struct ftp_config){.connections = 3, .per_address = 2});
    fd[0] = logged_in();
    fd[1] = dial("127.0.0.1", ftp_port(t.ftp));
    hears(fd[1], "220 ");
    fd[2] = dial("127.0.0.1", ftp_port(t.ftp));
    hears(fd[2], "421 ");
    assert_true(at_end(fd[2]));
    other = dial("127.0.0.2", ftp_port(t.ftp));
    hears(other, "220 ");
    late = dial("127.0.0.3", ftp_port(t.ftp)); /* whoever came first and did not log in goes */
    hears(late, "220 ");
    assert_true(at_end(fd[1]));
    says(other, "NOOP", "200 ");
    says(fd[0], "NOOP", "200 ");
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    close(other);
    close(late);
    stop();
}

static void test_reads_nothing(void **state)
{
    int fd, data;

    (void)state;
    start(LARGE, &(struct ftp_config){.idle_s = 1});
    fd = logged_in();
    data = dial("127.0.0.1", passive(fd));
    says(fd, "RETR f.bin", "150 ");
    hears(fd, "426 "); /* it took what fits into the kernel, then nothing */
    hears(fd, "421 ");
    assert_true(at_end(fd));
    assert_int_equal(t.broken, 1);
    assert_true(t.at < LARGE);
    close(data);
    close(fd);
    fd = logged_in();
    hears(fd, "421 "); /* silent */
    assert_true(at_end(fd));
    close(fd);
    stop();
}

static void test_broken_and_aborted(void **state)
{
    int fd, data;

    (void)state;
    start(LARGE, &(struct ftp_config){.rate = 1 << 20});
    fd = logged_in();
    data = dial("127.0.0.1", passive(fd));
    says(fd, "RETR f.bin", "150 ");
    close(data);
    hears(fd, "426 ");
    data = dial("127.0.0.1", passive(fd));
    says(fd, "RETR f.bin", "150 ");
    assert_int_equal(send(fd, "ABOR\r\n", 6, MSG_OOB), 6);
    hears(fd, "426 ");
    hears(fd, "226 ");
    assert_true(at_end(data));
    close(data);
    data = dial("127.0.0.1", passive(fd));
    says(fd, "RETR f.bin", "150 ");
    close(fd); /* the client is gone */
    assert_true(at_end(data));
    close(data);
    for (int i = 0; i < 1000 && t.broken < 3; i++)
        os_sleep_ms(10);
    assert_int_equal(t.broken, 3);
    assert_int_equal(t.whole, 0);
    stop();
}

static void test_lines_of_all_kinds(void **state)
{
    static const char run[] = "USER 1\r\nPASS 2\r\nPWD\r\nXYZ\nNOOP\r\n";
    char junk[5000];
    int fd;

    (void)state;
    start(SMALL, &(struct ftp_config){0});
    fd = dial("127.0.0.1", ftp_port(t.ftp));
    hears(fd, "220 ");
    memset(junk, 'x', sizeof(junk));
    for (int i = 0; i < 100; i++)
        assert_int_equal(send(fd, junk, sizeof(junk), 0), sizeof(junk));
    says(fd, "", "500 ");
    assert_int_equal(send(fd, run, sizeof(run) - 1, 0), sizeof(run) - 1);
    hears(fd, "331 ");
    hears(fd, "230 ");
    hears(fd, "257 ");
    hears(fd, "502 ");
    hears(fd, "200 ");
    for (int i = 0; i < 2000; i++) /* it does not read what it is told */
        assert_int_equal(send(fd, "NOOP\r\n", 6, 0), 6);
    for (int i = 0; i < 2000; i++)
        hears(fd, "200 ");
    close(fd);
    stop();
}

/* More answers than the server keeps, to lines that came in one piece and that nothing follows. */
static void test_lines_in_one_piece(void **state)
{
    struct buf run;
    int fd;

    (void)state;
    start(SMALL, &(struct ftp_config){0});
    fd = logged_in();
    buf_init(&run, 512);
    for (int i = 0; i < 50; i++)
        buf_put_c(&run, "FEAT\r\n");
    buf_put_c(&run, "PWD\r\n");
    assert_int_equal(run.err, 0);
    assert_int_equal(send(fd, run.p, run.n, 0), run.n);
    buf_free(&run);
    for (int i = 0; i < 50; i++)
        hears(fd, "211 ");
    hears(fd, "257 ");
    close(fd);
    stop();
}

static void test_settings(void **state)
{
    struct ftp_config cfg = {.bind = "127.0.0.1",
                             .address = "127.0.0.1",
                             .judge = judge,
                             .open = open_file,
                             .told = told};
    struct ftp *a = NULL, *b = NULL;

    (void)state;
    cfg.address = "example.com";
    assert_int_equal(ftp_start(&cfg, &a), ERR_SYNTAX);
    cfg.address = "127.0.0.1";
    cfg.passive_from = 5;
    assert_int_equal(ftp_start(&cfg, &a), ERR_RANGE);
    cfg.passive_from = 0;
    cfg.passive_to = 5;
    assert_int_equal(ftp_start(&cfg, &a), ERR_RANGE);
    cfg.passive_to = 0;
    assert_int_equal(ftp_start(&cfg, &a), 0);
    cfg.port = ftp_port(a);
    assert_int_equal(ftp_start(&cfg, &b), ERR_BUSY);
    assert_null(b);
    ftp_stop(a);
}

int run_ftp_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_and_part),
        cmocka_unit_test(test_active),
        cmocka_unit_test(test_stolen_port),
        cmocka_unit_test(test_guessing),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_reads_nothing),
        cmocka_unit_test(test_broken_and_aborted),
        cmocka_unit_test(test_lines_of_all_kinds),
        cmocka_unit_test(test_lines_in_one_piece),
        cmocka_unit_test(test_settings),
    };

    return cmocka_run_group_tests_name("ftp", tests, NULL, NULL);
}
