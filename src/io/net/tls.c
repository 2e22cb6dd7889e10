// SPDX-License-Identifier: Apache-2.0
/* tls.c: see tls.h. The one file that knows OpenSSL.
 *
 * Data: one context a server, one SSL object a connection (about 13 kB while idle: buffers are
 * released).
 *
 * Invariants:
 *  1. Nothing here blocks: sockets are non-blocking and partial writes allowed.
 *  2. The library's error queue is empty before each call, so an old error is never taken for a new
 *     one.
 *
 * Thread: contexts any (the library counts references), connections their reactor's. Failure: a
 * broken handshake or record ends the connection. */
#include "io/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"

struct tls_server {
    SSL_CTX *ctx;
};

struct tls_conn {
    SSL *ssl;
};

static int tls_load(SSL_CTX *ctx, const char *cert_file, const char *key_file, char why[160])
{
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1) {
        snprintf(why, 160, "no usable certificate chain (PEM) in %s", cert_file);
        return ERR_SYNTAX;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1) {
        snprintf(why, 160, "no usable private key (PEM) in %s", key_file);
        return ERR_SYNTAX;
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        snprintf(why, 160, "the key in %s does not belong to the certificate", key_file);
        return ERR_SYNTAX;
    }
    return 0;
}

int tls_server_new(const char *cert_file, const char *key_file, struct tls_server **out,
                   char why[160])
{
    struct tls_server *s = calloc(1, sizeof(*s));
    int err = ERR_NOMEM;

    *out = NULL;
    why[0] = '\0';
    if (s == NULL)
        return ERR_NOMEM;
    ERR_clear_error();
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (s->ctx == NULL)
        goto fail;
    SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(s->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(s->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(s->ctx, 1);
    err = tls_load(s->ctx, cert_file, key_file, why);
    if (err != 0)
        goto fail;
    *out = s;
    return 0;
fail:
    tls_server_free(s);
    ERR_clear_error();
    return err;
}

void tls_server_free(struct tls_server *s)
{
    if (s == NULL)
        return;
    SSL_CTX_free(s->ctx);
    free(s);
}

int tls_conn_new(struct tls_server *s, int fd, struct tls_conn **out)
{
    struct tls_conn *c = calloc(1, sizeof(*c));

    *out = NULL;
    if (c == NULL)
        return ERR_NOMEM;
    c->ssl = SSL_new(s->ctx);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1) {
        tls_conn_free(c);
        ERR_clear_error();
        return ERR_NOMEM;
    }
    SSL_set_accept_state(c->ssl);
    *out = c;
    return 0;
}

void tls_conn_free(struct tls_conn *c)
{
    if (c == NULL)
        return;
    SSL_free(c->ssl);
    free(c);
}

static ptrdiff_t tls_result(struct tls_conn *c, int result, bool *want_write)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        *want_write = true;
        return ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        ERR_clear_error();
        return ERR_IO;
    }
}

ptrdiff_t tls_read(struct tls_conn *c, void *p, size_t n, bool *want_write)
{
    int got;

    *want_write = false;
    ERR_clear_error();
    got = SSL_read(c->ssl, p, n > 65536 ? 65536 : (int)n);
    return got > 0 ? got : tls_result(c, got, want_write);
}

ptrdiff_t tls_write(struct tls_conn *c, const void *p, size_t n, bool *want_write)
{
    int done;
    ptrdiff_t result;

    *want_write = false;
    ERR_clear_error();
    done = SSL_write(c->ssl, p, n > 65536 ? 65536 : (int)n);
    if (done > 0)
        return done;
    result = tls_result(c, done, want_write);
    return result == 0 ? ERR_IO : result;
}

bool tls_pending(const struct tls_conn *c)
{
    return SSL_pending(c->ssl) > 0;
}

void tls_goodbye(struct tls_conn *c)
{
    ERR_clear_error();
    if (SSL_is_init_finished(c->ssl) && SSL_shutdown(c->ssl) < 0)
        ERR_clear_error(); /* no room for the alert: the FIN says enough */
}
