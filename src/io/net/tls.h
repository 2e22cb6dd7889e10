// SPDX-License-Identifier: Apache-2.0
/* tls.h: the server side of TLS behind the reactor's connections. The only file that knows the TLS
 * library is tls.c. */
#ifndef EVEN_IO_NET_TLS_H
#define EVEN_IO_NET_TLS_H

#include "base/str.h"

struct tls_server; /* certificate and key, shared by all reactors */
struct tls_conn;   /* one connection */

/** Loads a certificate chain and its key (PEM files); TLS 1.2 or newer. Gives a server
 * (tls_server_free). On ERR_NOT_FOUND or ERR_SYNTAX why[] says what is wrong with which file. */
EV_MUST_USE int tls_server_new(const char *cert_file, const char *key_file, struct tls_server **out,
                               char why[160]);
/** When no connection uses it any more. */
void tls_server_free(struct tls_server *s);

/** What net.c asks; everything else uses net.h. */
EV_MUST_USE int tls_conn_new(struct tls_server *s, int fd, struct tls_conn **out);
void tls_conn_free(struct tls_conn *c);
/** As recv and send on a non-blocking socket: > 0 bytes done, 0 = the peer closed (read only),
 * ERR_AGAIN = wait for the socket (then *want_write tells for which direction), ERR_IO. */
EV_MUST_USE ptrdiff_t tls_read(struct tls_conn *c, void *p, size_t n, bool *want_write);
EV_MUST_USE ptrdiff_t tls_write(struct tls_conn *c, const void *p, size_t n, bool *want_write);
/** True when decrypted bytes wait inside, which epoll cannot see. */
bool tls_pending(const struct tls_conn *c);
/** Sends the closing alert if there is room; never waits. */
void tls_goodbye(struct tls_conn *c);

#endif
