// SPDX-License-Identifier: Apache-2.0
/* test_tls.c: TLS of the reactor against an OpenSSL client with a throw-away certificate. */
#include "io_tests.h"
#include "net_rig.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/err.h"
#include "io/net/tls.h"
#include "io/os/clock.h"

static char cert_path[64], key_path[64];

static int make_certificate(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    FILE *f;

    (void)state;
    snprintf(cert_path, sizeof(cert_path), "/tmp/even-tls-%d.crt", (int)getpid());
    snprintf(key_path, sizeof(key_path), "/tmp/even-tls-%d.key", (int)getpid());
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"t", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_sign(cert, key, EVP_sha256());
    f = fopen(cert_path, "w");
    PEM_write_X509(f, cert);
    fclose(f);
    f = fopen(key_path, "w");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

static int remove_certificate(void **state)
{
    (void)state;
    return unlink(cert_path) | unlink(key_path);
}

/* Repeats an SSL call, turning the reactor meanwhile, until it makes progress. */
static int ssl_step(struct rig *r, SSL *ssl, int result)
{
    int why = SSL_get_error(ssl, result);

    if (result > 0)
        return 1;
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return -1;
    net_turn(r->net, 5);
    return 0;
}

static void ssl_take(struct rig *r, SSL *ssl, char *p, size_t n)
{
    int64_t end = os_mono_ns() + 10000000000;

    for (size_t have = 0; have < n && os_mono_ns() < end;) {
        int got = SSL_read(ssl, p + have, (int)(n - have));

        assert_true(ssl_step(r, ssl, got) >= 0);
        have += got > 0 ? (size_t)got : 0;
    }
}

static void ssl_put(struct rig *r, SSL *ssl, const char *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        int put = SSL_write(ssl, p + done, (int)(n - done));

        assert_true(ssl_step(r, ssl, put) >= 0);
        done += put > 0 ? (size_t)put : 0;
    }
}

static void test_tls_conversation(void **state)
{
    struct net_config cfg = rig_config();
    struct net_listen l = {.kind = NET_WS_SERVER, .handler = &rig_ws};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct tls_server *server;
    char why[160], back[70000];
    struct rig r;
    struct buf b;
    SSL *ssl = SSL_new(ctx);
    int fd, step = 0;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_int_equal(tls_server_new(cert_path, key_path, &server, why), 0);
    rig_start(&r, &cfg);
    l.ctx = &r;
    l.tls = server;
    assert_int_equal(net_listen(r.net, &l, &r.tls_port), 0);
    fd = peer_open(r.tls_port);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_fd(ssl, fd);
    while (step == 0)
        step = ssl_step(&r, ssl, SSL_connect(ssl));
    assert_int_equal(step, 1);
    buf_printf(&b, "GET /ocpp/CP1%s", rig_upgrade_tail);
    ssl_put(&r, ssl, b.p, b.n);
    ssl_take(&r, ssl, back, 13);
    assert_memory_equal(back, "HTTP/1.1 101 ", 13);
    assert_true(r.secure);
    while (back[0] != '\n' || back[1] != '\r') { /* up to the blank line */
        back[0] = back[1];
        ssl_take(&r, ssl, &back[1], 1);
    }
    ssl_take(&r, ssl, back, 1);
    r.echo = true;
    buf_reset(&b);
    memset(back, 'q', 60000);
    put_frame(&b, true, WS_TEXT, str_from(back, 60000));
    put_frame(&b, true, WS_TEXT, STR_LIT("small"));
    ssl_put(&r, ssl, b.p, b.n);
    ssl_take(&r, ssl, back, 4 + 60000 + 2 + 5);
    assert_memory_equal(back + 60000 + 6, "small", 5);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    rig_until(&r, "C0:peer/1006;");
    rig_stop(&r);
    tls_server_free(server);
    SSL_CTX_free(ctx);
    buf_free(&b);
}

static void test_plain_bytes_to_tls_port(void **state)
{
    struct net_config cfg = rig_config();
    struct net_listen l = {.kind = NET_WS_SERVER, .handler = &rig_ws};
    struct tls_server *server;
    char why[160];
    struct rig r;
    int fd;

    (void)state;
    assert_int_equal(tls_server_new(cert_path, key_path, &server, why), 0);
    rig_start(&r, &cfg);
    l.ctx = &r;
    l.tls = server;
    assert_int_equal(net_listen(r.net, &l, &r.tls_port), 0);
    fd = peer_open(r.tls_port);
    peer_send_c(fd, "GET /ocpp/CP1 HTTP/1.1\r\n\r\n");
    peer_until_end(&r, fd);
    assert_string_equal(rig_log(&r), "");
    close(fd);
    rig_stop(&r);
    tls_server_free(server);
}

static void test_bad_files(void **state)
{
    struct tls_server *server;
    char why[160];

    (void)state;
    assert_int_equal(tls_server_new("/nonexistent.crt", key_path, &server, why), ERR_SYNTAX);
    assert_non_null(strstr(why, "/nonexistent.crt"));
    assert_int_equal(tls_server_new(cert_path, cert_path, &server, why), ERR_SYNTAX);
    assert_non_null(strstr(why, "private key"));
}

int run_tls_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_conversation),
        cmocka_unit_test(test_plain_bytes_to_tls_port),
        cmocka_unit_test(test_bad_files),
    };

    return cmocka_run_group_tests_name("tls", tests, make_certificate, remove_certificate);
}
