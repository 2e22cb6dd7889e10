// SPDX-License-Identifier: Apache-2.0
/* tape_http.c: heads of WebSocket handshakes. A head ends where it ends, however much of it or of
 * what follows is there; what is read lies inside it; an identity and a password of any bytes come
 * through as they were. */
#include "tape.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/hash.h"
#include "io/net/http.h"
#include "io/net/ws.h"

static bool inside(struct str s, const char *p, size_t n)
{
    return s.n == 0 || (s.p >= p && s.p + s.n <= p + n);
}

static void upgrade(struct str head)
{
    static struct http_upgrade u; /* large */
    int err = http_upgrade_parse(head, &u);
    must(err == 0 || err == -400 || err == -405 || err == -414 || err == -426 || err == -431 ||
         err == -505);
    if (err)
        return;
    must(inside(u.path, head.p, head.n) && inside(u.prefix, head.p, head.n));
    must(inside(u.key, head.p, head.n) && u.key.n == 24);
    must(inside(u.identity, u.identity_bytes, HTTP_IDENTITY_MAX) && str_utf8_valid(u.identity));
    must(u.identity.n == 0 || !memchr(u.identity.p, 0, u.identity.n));
    must(inside(u.protocols, u.protocol_bytes, HTTP_PROTOCOLS_MAX));
    must(!u.has_auth || (inside(u.user, (const char *)u.auth_bytes, HTTP_AUTH_MAX) &&
                         inside(u.password, (const char *)u.auth_bytes, HTTP_AUTH_MAX)));
    must(!u.has_auth || str_find(u.user, ':') < 0);
    must(u.path.p[0] == '/' && str_find(u.path, '?') < 0);
}

/* Every shorter piece has no end yet; what follows moves nothing. */
static void any_head(struct str bytes)
{
    size_t end = http_head_end(bytes);
    must(end <= bytes.n);
    for (size_t cut = 0; cut < bytes.n; cut += 1 + bytes.n / 32)
        must(http_head_end(str_from(bytes.p, cut)) == (cut < end ? 0 : end));
    if (end && end <= HTTP_HEAD_MAX)
        upgrade(str_from(bytes.p, end));
}

static void answer(struct str bytes)
{
    struct str protocol;
    int status = 0;
    char accept[29];
    ws_accept_key(STR_LIT("dGhlIHNhbXBsZSBub25jZQ=="), accept);
    int err = http_answer_parse(bytes, accept, &status, &protocol);
    must(err == 0 || err == ERR_REJECTED);
    must(status == 0 || (status >= 100 && status <= 599));
    must(err || status == 101);
    must(inside(protocol, bytes.p, bytes.n));
}

/* A charger that says who it is, in percent signs and base64. */
static void told(struct tape *t)
{
    static struct http_upgrade u;
    struct str identity = tape_take(t, tape_byte(t)), user = tape_take(t, tape_byte(t) % 64);
    struct str password = tape_take(t, tape_byte(t) % 128);
    struct buf b, pair;
    char base64[512];
    buf_init(&b, HTTP_HEAD_MAX);
    buf_init(&pair, 512);
    buf_put_c(&b, "GET /ocpp/");
    for (size_t i = 0; i < identity.n; i++)
        buf_printf(&b, "%%%02X", (uint8_t)identity.p[i]);
    buf_put_str(&pair, user);
    buf_put_char(&pair, ':');
    buf_put_str(&pair, password);
    (void)base64_encode(pair.p, pair.n, base64);
    buf_printf(&b,
               " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Authorization: Basic %s\r\n\r\n",
               base64);
    must(!b.err && !pair.err && http_head_end(buf_str(&b)) == b.n);
    bool fine = str_utf8_valid(identity) && (identity.n == 0 || !memchr(identity.p, 0, identity.n));
    if (identity.n > 0)
        must(http_upgrade_parse(buf_str(&b), &u) == (fine ? 0 : -400));
    if (identity.n > 0 && fine) {
        must(str_eq(u.identity, identity) && str_eq_c(u.prefix, "/ocpp") && u.has_auth);
        if (str_find(user, ':') < 0)
            must(str_eq(u.user, user) && str_eq(u.password, password));
    }
    buf_free(&b);
    buf_free(&pair);
}

int tape_http(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    uint8_t way = tape_byte(&t);
    if (way == 'T')
        told(&t);
    else if (way == 'A')
        answer(tape_rest(&t));
    else
        any_head(str_from((const char *)p, n));
    return 0;
}
