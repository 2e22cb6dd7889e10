// SPDX-License-Identifier: Apache-2.0
/* test_ftp_talk.c: what a client may say to the FTP server, without sockets: a script of lines and
 * the replies and acts that they bring. */
#include "io_tests.h"

#include <stdio.h>
#include "io/net/ftp_talk.h"

static const struct ftp_file file = {
    .name = "abc.bin", .size = 1000, .modified_ms = INT64_C(1767225600000)};
static const uint8_t peer[4] = {10, 0, 0, 7};

static struct ftp_talk talk;
static struct buf out;
static enum ftp_act act;

/* One line; answers its replies without what ends them. */
static const char *says(const char *line)
{
    struct str s = str_from_c(line);
    size_t used;

    buf_reset(&out);
    used = ftp_talk_take(&talk, s, &out, &act);
    assert_int_equal(used, s.n);
    buf_put_char(&out, '\0');
    assert_int_equal(out.err, 0);
    return out.p;
}

static void expect(const char *line, const char *reply)
{
    const char *got = says(line);

    if (strncmp(got, reply, strlen(reply)) != 0 || (reply[0] == '\0' && got[0] != '\0'))
        fail_msg("%s -> %s, wanted %s", line, got, reply);
}

static int begin(void **state)
{
    (void)state;
    buf_init(&out, 8192);
    ftp_talk_start(&talk, peer, &out);
    assert_memory_equal(out.p, "220 ", 4);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

static void log_in(void)
{
    expect("USER 32010600019236\r\n", "331 ");
    expect("PASS secret\r\n", "");
    assert_int_equal(act, FTP_LOGIN);
    assert_string_equal(talk.user, "32010600019236");
    assert_string_equal(talk.password, "secret");
    assert_int_equal(ftp_talk_judged(&talk, &file, &out), FTP_NOTHING);
}

static void listening(uint16_t port)
{
    static const uint8_t address[4] = {192, 0, 2, 1};

    buf_reset(&out);
    ftp_talk_listening(&talk, address, port, &out);
    buf_put_char(&out, '\0');
}

static void passive(void)
{
    expect("PASV\r\n", "");
    assert_int_equal(act, FTP_LISTEN);
    listening(4660);
    assert_string_equal(out.p, "227 Here (192,0,2,1,18,52)\r\n");
}

static void test_stranger(void **state)
{
    static const char *const closed[] = {
        "LIST",         "RETR abc.bin", "PASV", "EPSV",         "PORT 10,0,0,7,8,8",
        "SIZE abc.bin", "CWD /",        "PWD",  "TYPE I",       "REST 1",
        "STOR x",       "ABOR",         "NLST", "MDTM abc.bin", "HELP"};
    char line[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
        snprintf(line, sizeof(line), "%s\r\n", closed[i]);
        expect(line, "530 ");
        assert_int_equal(act, FTP_NOTHING);
    }
    expect("SYST\r\n", "215 ");
    expect("FEAT\r\n", "211-");
    expect("NOOP\r\n", "200 ");
    expect("OPTS utf8 on\r\n", "200 ");
    expect("OPTS MLST x\r\n", "501 ");
    expect("QUIT\r\n", "221 ");
    assert_int_equal(act, FTP_QUIT);
}

static void test_guesses(void **state)
{
    (void)state;
    expect("PASS x\r\n", "503 ");
    for (int i = 1; i <= FTP_GUESSES; i++) {
        expect("user 1\n", "331 ");
        expect("pass x\n", "");
        assert_int_equal(act, FTP_LOGIN);
        buf_reset(&out);
        assert_int_equal(ftp_talk_judged(&talk, NULL, &out),
                         i < FTP_GUESSES ? FTP_NOTHING : FTP_QUIT);
        assert_memory_equal(out.p, i < FTP_GUESSES ? "530 " : "421 ", 4);
        expect("PASS x\r\n", "503 "); /* a name for each guess */
    }
    expect("LIST\r\n", "530 ");
    expect("USER 123456789012345678901234567890123\r\n", "501 ");
    expect("USER\r\n", "501 ");
    expect("PASS x\r\n", "503 ");
}

static void test_another_user(void **state)
{
    (void)state;
    log_in();
    expect("PWD\r\n", "257 \"/\"");
    expect("USER 2\r\n", "331 ");
    expect("RETR abc.bin\r\n", "530 "); /* the first log-in is over */
}

static void test_folder(void **state)
{
    (void)state;
    log_in();
    expect("CWD /\r\n", "250 ");
    expect("CWD .\r\n", "250 ");
    expect("CDUP\r\n", "250 ");
    expect("CWD ..\r\n", "550 ");
    expect("CWD /etc\r\n", "550 ");
    expect("CWD abc.bin\r\n", "550 ");
    expect("SIZE abc.bin\r\n", "213 1000\r\n");
    expect("SIZE /abc.bin\r\n", "213 1000\r\n");
    expect("SIZE ./abc.bin\r\n", "213 1000\r\n");
    expect("MDTM abc.bin\r\n", "213 20260101000000\r\n");
    for (size_t i = 0; i < 9; i++) {
        static const char *const not [] = {
            "../abc.bin", "/../abc.bin", "//abc.bin", "abc.bi", "abc.binx", "*", "abc.*", "", "/"};
        char line[64];

        snprintf(line, sizeof(line), "SIZE %s\r\n", not [i]);
        expect(line, "550 ");
        snprintf(line, sizeof(line), "RETR %s\r\n", not [i]);
        expect(line, "550 ");
        assert_int_equal(act, FTP_NOTHING);
    }
    expect("STOR abc.bin\r\n", "550 ");
    expect("DELE abc.bin\r\n", "550 ");
    expect("SITE CHMOD\r\n", "502 ");
    expect("MLSD\r\n", "502 ");
    expect("TYPE A N\r\n", "200 ");
    expect("TYPE i\r\n", "200 ");
    expect("TYPE E\r\n", "504 ");
    expect("TYPE\r\n", "504 ");
    expect("MODE S\r\n", "200 ");
    expect("MODE B\r\n", "504 ");
    expect("STRU F\r\n", "200 ");
    expect("STRU R\r\n", "504 ");
}

static void test_retr(void **state)
{
    (void)state;
    log_in();
    expect("RETR abc.bin\r\n", "425 ");
    passive();
    expect("REST 400\r\n", "350 ");
    expect("RETR /abc.bin\r\n", "");
    assert_int_equal(act, FTP_SEND);
    assert_int_equal(talk.from, 400);
    assert_int_equal(ftp_talk_take(&talk, STR_LIT("NOOP\r\n"), &out, &act), 0); /* it waits */
    buf_reset(&out);
    ftp_talk_begun(&talk, &out);
    ftp_talk_ended(&talk, FTP_SENT, &out);
    assert_memory_equal(out.p, "150 ", 4);
    assert_non_null(strstr(out.p, "\r\n226 "));
    expect("NOOP\r\n", "200 ");
    expect("RETR abc.bin\r\n", "425 "); /* one port, one transfer */
    passive();
    expect("RETR abc.bin\r\n", "");
    assert_int_equal(talk.from, 0); /* REST was for one */
    ftp_talk_ended(&talk, FTP_GONE, &out);
    passive();
    expect("REST 1001\r\n", "350 ");
    expect("RETR abc.bin\r\n", "554 ");
    expect("REST 1000\r\n", "350 ");
    expect("RETR abc.bin\r\n", "");
    assert_int_equal(act, FTP_SEND);
    ftp_talk_ended(&talk, FTP_NO_DATA, &out);
    expect("REST -1\r\n", "501 ");
    expect("REST 1x\r\n", "501 ");
    expect("REST\r\n", "501 ");
    expect("REST 9999999999999999\r\n", "501 ");
}

static void test_list(void **state)
{
    (void)state;
    log_in();
    passive();
    expect("LIST -la /\r\n", "");
    assert_int_equal(act, FTP_LIST);
    buf_reset(&out);
    ftp_talk_listing(&talk, &out);
    buf_put_char(&out, '\0');
    assert_string_equal(out.p, "-r--r--r-- 1 even even 1000 Jan  1  2026 abc.bin\r\n");
    ftp_talk_ended(&talk, FTP_SENT, &out);
    passive();
    expect("NLST\r\n", "");
    buf_reset(&out);
    ftp_talk_listing(&talk, &out);
    assert_memory_equal(out.p, "abc.bin\r\n", 9);
    ftp_talk_ended(&talk, FTP_SENT, &out);
    expect("LIST /etc\r\n", "550 ");
    expect("NLST *\r\n", "550 ");
}

static void test_port(void **state)
{
    (void)state;
    log_in();
    expect("PORT 10,0,0,7,4,0\r\n", "200 ");
    assert_int_equal(act, FTP_DIAL);
    assert_int_equal(talk.port, 1024);
    expect("PORT 10,0,0,8,4,0\r\n", "501 "); /* somebody else's address */
    expect("PORT 10,0,0,7,0,22\r\n", "501 ");
    expect("PORT 10,0,0,7,256,0\r\n", "501 ");
    expect("PORT 10,0,0,7,4\r\n", "501 ");
    expect("PORT 10,0,0,7,4,0,1\r\n", "501 ");
    expect("PORT 10,0,0,7,,0\r\n", "501 ");
    expect("PORT \r\n", "501 ");
    expect("EPRT |1|10.0.0.7|2048|\r\n", "502 ");
    expect("EPSV 2\r\n", "522 ");
    expect("EPSV 1\r\n", "");
    assert_int_equal(act, FTP_LISTEN);
    listening(4660);
    assert_string_equal(out.p, "229 Here (|||4660|)\r\n");
    expect("EPSV ALL\r\n", "200 ");
    expect("PASV\r\n", "501 ");
    expect("PORT 10,0,0,7,4,0\r\n", "501 ");
    expect("EPSV\r\n", "");
    listening(0);
    assert_memory_equal(out.p, "425 ", 4);
    expect("RETR abc.bin\r\n", "425 ");
}

static void test_abor(void **state)
{
    (void)state;
    log_in();
    expect("ABOR\r\n", "226 ");
    passive();
    expect("RETR abc.bin\r\n", "");
    expect("\xff\xf4\xff\xf2"
           "ABOR\r\n",
           "");
    assert_int_equal(act, FTP_ABORT);
    buf_reset(&out);
    ftp_talk_ended(&talk, FTP_BROKEN, &out);
    assert_memory_equal(out.p, "426 ", 4);
    assert_non_null(strstr(out.p, "\r\n226 "));
    expect("NOOP\r\n", "200 ");
}

static void test_lines(void **state)
{
    char line[2 * FTP_LINE + 2];

    (void)state;
    log_in();
    assert_int_equal(ftp_talk_take(&talk, STR_LIT("NOO"), &out, &act), 0);
    memset(line, 'x', sizeof(line));
    buf_reset(&out);
    assert_int_equal(ftp_talk_take(&talk, str_from(line, FTP_LINE), &out, &act), 0);
    for (int i = 0; i < 1000; i++) /* never kept, and no reply to each piece of it */
        assert_int_equal(ftp_talk_take(&talk, str_from(line, FTP_LINE + 1), &out, &act),
                         FTP_LINE + 1);
    assert_int_equal(out.n, 0);
    expect("x\r\n", "500 ");
    line[sizeof(line) - 1] = '\n';
    assert_int_equal(ftp_talk_take(&talk, str_from(line, sizeof(line)), &out, &act), sizeof(line));
    expect("NOOP\r\n", "200 ");
    expect("\r\n", "");
    expect("NO\tOP\r\n", "501 ");
    expect("SIZE abc\x01.bin\r\n", "501 ");
    assert_int_equal(ftp_talk_take(&talk, str_from("PWD\0\r\n", 6), &out, &act), 6);
    expect("XYZZY\r\n", "502 ");
    assert_int_equal(ftp_talk_take(&talk, STR_LIT("PWD\r\nNOOP\r\n"), &out, &act),
                     5); /* one by one */
}

int run_ftp_talk_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stranger, begin, end),
        cmocka_unit_test_setup_teardown(test_guesses, begin, end),
        cmocka_unit_test_setup_teardown(test_another_user, begin, end),
        cmocka_unit_test_setup_teardown(test_folder, begin, end),
        cmocka_unit_test_setup_teardown(test_retr, begin, end),
        cmocka_unit_test_setup_teardown(test_list, begin, end),
        cmocka_unit_test_setup_teardown(test_port, begin, end),
        cmocka_unit_test_setup_teardown(test_abor, begin, end),
        cmocka_unit_test_setup_teardown(test_lines, begin, end),
    };

    return cmocka_run_group_tests_name("ftp_talk", tests, NULL, NULL);
}
