// SPDX-License-Identifier: Apache-2.0
/* http.h: the HTTP head of a WebSocket handshake, both ways, without sockets. It is no web server:
 * browsers have another port. Pure. */
#ifndef EVEN_IO_NET_HTTP_H
#define EVEN_IO_NET_HTTP_H

#include "base/buf.h"

#define HTTP_HEAD_MAX      8192 /* bytes of a whole request or response head */
#define HTTP_HEADERS_MAX   64
#define HTTP_IDENTITY_MAX  256
#define HTTP_AUTH_MAX      512
#define HTTP_PROTOCOLS_MAX 256

/** What an upgrade request says. The strs borrow the head or the arrays in here. */
struct http_upgrade {
    struct str path;     /* as sent, without the query */
    struct str prefix;   /* the path before its last slash: "/ocpp" of "/ocpp/CP1" */
    struct str identity; /* the last segment, percent-decoded */
    struct str key;      /* Sec-WebSocket-Key */
    struct str host, origin, user_agent;
    struct str
        forwarded_for; /* X-Forwarded-For as sent; only the reactor decides whether to believe it */
    struct str forwarded_proto;
    struct str protocols;      /* offered subprotocols, one header or several, joined by commas */
    bool has_auth;             /* an Authorization: Basic header came */
    struct str user, password; /* raw bytes, split at the first colon */
    char identity_bytes[HTTP_IDENTITY_MAX];
    char protocol_bytes[HTTP_PROTOCOLS_MAX];
    uint8_t auth_bytes[HTTP_AUTH_MAX];
};

/** Length of the head at the start of the bytes, its blank line included; 0 while it is incomplete.
 */
size_t http_head_end(struct str bytes);
/** Parses a whole request head. 0, or minus the HTTP status that answers it: 400, 405, 414, 426,
 * 431, 505. The members filled so far stay valid. */
EV_MUST_USE int http_upgrade_parse(struct str head, struct http_upgrade *u);
/** True when the comma-separated list offers the name (exact, case-sensitive as RFC 6455 wants). */
bool http_offers(struct str protocols, struct str name);
/** Reads the server's answer to our own upgrade: 0 when it is 101 with this accept value, and
 * *protocol borrows the head. ERR_REJECTED otherwise, with *status set (0 when the head is no
 * HTTP). */
EV_MUST_USE int http_answer_parse(struct str head, const char *accept, int *status,
                                  struct str *protocol);
/** Appends a complete short answer: status line, headers, empty body, connection closed. */
void http_put_refusal(struct buf *out, int status);

#endif
