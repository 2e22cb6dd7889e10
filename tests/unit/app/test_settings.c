// SPDX-License-Identifier: Apache-2.0
/* test_settings.c: settings from defaults, a file and the command line, and what is said about
 * wrong ones. */
#include "test_app.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/app.h"
#include "base/err.h"

static int try(const char *name, const char *value)
{
    struct config c;
    config_defaults(&c);
    return config_set(&c, str_from_c(name), str_from_c(value));
}

static void defaults(void **state)
{
    struct config c;
    (void)state;
    memset(&c, 0xaa, sizeof c);
    config_defaults(&c);
    assert_string_equal(c.data_dir, "data");
    assert_string_equal(c.web_bind, "127.0.0.1"); /* loopback unless told otherwise */
    assert_string_equal(c.charge_bind, "127.0.0.1");
    assert_int_equal(c.web_port, 8080);
    assert_string_equal(c.web_url, "");
    assert_int_equal(c.web_secure, 0);
}

static void wrong_values(void **state)
{
    char text[300];
    (void)state;
    memset(text, 'x', sizeof text);
    text[299] = 0;
    assert_int_equal(try("no.such", "1"), ERR_NOT_FOUND);
    assert_int_equal(try("web.port", "http"), ERR_SYNTAX);
    assert_int_equal(try("web.port", ""), ERR_SYNTAX);
    assert_int_equal(try("web.port", "65535"), 0);
    assert_int_equal(try("web.port", "65536"), ERR_RANGE);
    assert_int_equal(try("web.port", "-1"), ERR_RANGE);
    assert_int_equal(try("web.secure", "maybe"), ERR_SYNTAX);
    assert_int_equal(try("web.secure", "yes"), 0);
    assert_int_equal(try("texts.sign", text), ERR_TOO_LARGE);
    text[59] = 0;
    assert_int_equal(try("texts.sign", text), 0);
}

/* What a text stands for is judged when it is read, not when somebody misses what it was to do. */
static void forms(void **state)
{
    static const struct {
        const char *name, *value;
        int err;
    } rows[] = {
        {"web.bind", "0.0.0.0", 0},
        {"web.bind", "::1", 0},
        {"web.bind", "localhost", ERR_SYNTAX},
        {"charge.bind", "10.0.0.0/8", ERR_SYNTAX},
        {"ftp.bind", "192.0.2.7", 0},
        {"ftp.bind", "::1", ERR_SYNTAX},
        {"ftp.address", "192.0.2.300", ERR_SYNTAX},
        {"charge.proxies", "10.0.0.0/8,::1 , 192.0.2.7", 0},
        {"charge.proxies", "10.0.0.0/33", ERR_SYNTAX},
        {"charge.proxies", "10.0.0.0/8,", ERR_SYNTAX},
        {"charge.proxies",
         "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
         "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
         ERR_SYNTAX},
        {"web.proxies", "proxy.example", ERR_SYNTAX},
        {"web.url", "https://even.example/ev", 0},
        {"web.url", "even.example", ERR_SYNTAX},
        {"web.url", "https://", ERR_SYNTAX},
        {"web.url", "https://even example", ERR_SYNTAX},
        {"pay.providers", "https://a.example, http://127.0.0.1:9100", 0},
        {"pay.providers", "https://a.example;https://b.example", 0}, /* a host's name is its own */
        {"pay.providers", "a.example", ERR_SYNTAX},
        {"texts.countries", "*", 0},
        {"texts.countries", "86,852", 0},
        {"texts.countries", "86,xx", ERR_SYNTAX},
        {"texts.countries", "+86", ERR_SYNTAX},
        {"texts.kind", "tencent", 0},
        {"texts.kind", "smoke", ERR_SYNTAX},
        {"texts.kind", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (try(rows[i].name, rows[i].value) != rows[i].err)
            fail_msg("%s = %s", rows[i].name, rows[i].value);
}

/* What one sets aside from the defaults can be handed to another process. */
static void differing(void **state)
{
    struct config c;
    char text[100];
    int n = 0;
    (void)state;
    config_defaults(&c);
    for (size_t i = 0; i < settings_n; i++)
        assert_false(config_differs(&c, i, text, sizeof text));
    set(&c, "web.port", "81");
    set(&c, "web.url", "https://even.example");
    for (size_t i = 0; i < settings_n; i++)
        if (config_differs(&c, i, text, sizeof text))
            assert_string_equal(text, n++ == 0 ? "web.port=81" : "web.url=https://even.example");
    assert_int_equal(n, 2);
}

/* Reads a file with this text; gives what was said on the error stream. */
static int read_text(const char *text, struct config *c, char said[300])
{
    char path[] = "/tmp/even-conf-XXXXXX";
    int fd = mkstemp(path);
    FILE *err = tmpfile();
    assert_true(fd >= 0 && err);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    config_defaults(c);
    int res = config_read(c, path, err);
    rewind(err);
    said[fread(said, 1, 299, err)] = 0;
    fclose(err);
    unlink(path);
    return res;
}

static void files(void **state)
{
    struct config c;
    char said[300];
    (void)state;
    assert_int_equal(read_text("# a comment\n\n  web.port =  81 \nweb.url=https://a.b/?x=1\n"
                               "charge.proxies = 10.0.0.0/8, ::1",
                               &c, said),
                     0);
    assert_string_equal(said, "");
    assert_int_equal(c.web_port, 81);
    assert_string_equal(c.web_url, "https://a.b/?x=1");
    assert_string_equal(c.charge_proxies, "10.0.0.0/8, ::1");
    assert_int_equal(read_text("web.port = 1\n\nweb.prot = 2\n", &c, said), ERR_NOT_FOUND);
    assert_non_null(strstr(said, ":3: no such setting: web.prot"));
    assert_int_equal(read_text("web.port\n", &c, said), ERR_SYNTAX);
    assert_non_null(strstr(said, ":1: "));
    assert_int_equal(read_text("web.port = 1\nweb.port = 70000\n", &c, said), ERR_RANGE);
    assert_non_null(strstr(said, ":2: "));
    assert_non_null(strstr(said, "0 to 65535"));
    assert_int_equal(read_text("web.proxies = me\n", &c, said), ERR_SYNTAX);
    assert_non_null(strstr(said, "10.0.0.0/8"));
    FILE *sink = tmpfile();
    assert_int_equal(config_read(&c, "/nowhere/even.conf", sink), ERR_NOT_FOUND);
    fclose(sink);
}

/* What is printed can be read again. */
static void printed(void **state)
{
    struct config c, again;
    char said[300], *text = NULL;
    size_t n = 0;
    (void)state;
    config_defaults(&c);
    set(&c, "web.port", "81");
    set(&c, "web.url", "https://even.example");
    set(&c, "data.db", "host=db dbname=even");
    FILE *out = open_memstream(&text, &n);
    config_print(&c, out);
    fclose(out);
    assert_int_equal(read_text(text, &again, said), 0);
    assert_memory_equal(&c, &again, sizeof c);
    free(text);
}

static int options(struct config *c, int argc, const char *a0, const char *a1, const char *a2,
                   const char *a3)
{
    char *argv[] = {(char *)(uintptr_t)a0, (char *)(uintptr_t)a1, (char *)(uintptr_t)a2,
                    (char *)(uintptr_t)a3};
    int res = app_options(&argc, argv, c);
    return res ? res : argc;
}

static void command_line(void **state)
{
    struct config c;
    (void)state;
    /* In order, the last wins; what is no option of ours stays: here --demo. */
    assert_int_equal(options(&c, 4, "--set", "web.port=1", "--set", "web.port=2"), 0);
    assert_int_equal(c.web_port, 2);
    assert_int_equal(options(&c, 3, "--demo", "--dir", "/srv/even", NULL), 1);
    assert_string_equal(c.data_dir, "/srv/even");
    assert_int_equal(c.web_port, 8080);
    assert_int_equal(options(&c, 1, "--set", NULL, NULL, NULL), 2);
    assert_int_equal(options(&c, 2, "--set", "web.port", NULL, NULL), 2);
    assert_int_equal(options(&c, 2, "--set", "no.such=1", NULL, NULL), 2);
    assert_int_equal(options(&c, 2, "--config", "/nowhere/even.conf", NULL, NULL), 2);
    /* Each is good alone, together they are not. */
    assert_int_equal(options(&c, 2, "--set", "charge.silence_s=20", NULL, NULL), 2);
    assert_int_equal(options(&c, 4, "--set", "charge.silence_s=20", "--set", "charge.ping_s=10"),
                     0);
    assert_int_equal(options(&c, 2, "--set", "ftp.passive_from=4000", NULL, NULL), 2);
    assert_int_equal(options(&c, 2, "--set", "charge.tls_cert=a.pem", NULL, NULL), 2);
}

int settings_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),     cmocka_unit_test(forms), cmocka_unit_test(differing),
        cmocka_unit_test(wrong_values), cmocka_unit_test(files), cmocka_unit_test(printed),
        cmocka_unit_test(command_line),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
