// SPDX-License-Identifier: Apache-2.0
/* http.c: see http.h.
 *
 * Data: none; a parsed upgrade borrows the head it was read from.
 *
 * Invariants:
 *  1. No byte behind the head is looked at.
 *  2. Lenient where chargers are odd (order and case of headers, blanks, bare LF line ends, Host
 *     without port, any Origin), strict where a lie could be told twice (a repeated key or
 *     authorization, header folding, NUL bytes, bodies).
 *
 * Thread: any. Failure: minus the HTTP status that answers it. */
#include "io/net/http.h"

#include <stdio.h>
#include "base/err.h"
#include "base/hash.h"

size_t http_head_end(struct str bytes)
{
    const char *p = bytes.p, *end = bytes.n > 0 ? bytes.p + bytes.n : p;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        if (p < end && *p == '\n')
            return (size_t)(p + 1 - bytes.p);
        if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
            return (size_t)(p + 2 - bytes.p);
    }
    return 0;
}

/* The next line without its end; false when nothing is left. */
static bool http_line(struct str *rest, struct str *line)
{
    if (rest->n == 0)
        return false;
    *line = str_cut(rest, '\n');
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into dst[cap]; the length, or -1. NUL bytes are refused: names end up in logs and
 * files. */
static int percent_decode(struct str s, char *dst, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        int c = (uint8_t)s.p[i];

        if (c == '%') {
            int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
            int lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return -1;
            c = hi << 4 | lo;
            i += 2;
        }
        if (c == 0 || n == cap)
            return -1;
        dst[n++] = (char)c;
    }
    return (int)n;
}

static int http_path_parse(struct str target, struct http_upgrade *u)
{
    struct str rest = target, last;
    ptrdiff_t slash = -1;
    int n;

    u->path = str_cut(&rest, '?');
    if (u->path.n == 0 || u->path.p[0] != '/')
        return -400;
    if (u->path.n > 1024)
        return -414;
    if (u->path.n > 1 && u->path.p[u->path.n - 1] == '/')
        u->path.n--; /* some chargers append one */
    for (size_t i = 0; i < u->path.n; i++)
        if (u->path.p[i] == '/')
            slash = (ptrdiff_t)i;
    u->prefix = str_from(u->path.p, (size_t)slash);
    last = str_from(u->path.p + slash + 1, u->path.n - (size_t)slash - 1);
    n = percent_decode(last, u->identity_bytes, sizeof(u->identity_bytes));
    if (n < 0)
        return -400;
    u->identity = str_from(u->identity_bytes, (size_t)n);
    return str_utf8_valid(u->identity) ? 0 : -400;
}

static int http_request_line(struct str line, struct http_upgrade *u)
{
    struct str rest = line;
    struct str method = str_cut(&rest, ' ');
    struct str target = str_cut(&rest, ' ');
    struct str version = str_trim(rest);

    if (method.n == 0 || target.n == 0 || !str_starts(version, STR_LIT("HTTP/")))
        return -400;
    if (!str_eq_c(version, "HTTP/1.1"))
        return -505;
    if (!str_eq_c(method, "GET"))
        return -405;
    return http_path_parse(target, u);
}

static bool list_has_nocase(struct str list, struct str name)
{
    while (list.n > 0)
        if (str_eq_nocase(str_trim(str_cut(&list, ',')), name))
            return true;
    return false;
}

bool http_offers(struct str protocols, struct str name)
{
    while (protocols.n > 0)
        if (str_eq(str_trim(str_cut(&protocols, ',')), name))
            return true;
    return false;
}

static int http_auth_parse(struct str value, struct http_upgrade *u)
{
    struct str scheme = str_cut(&value, ' ');
    size_t n;
    ptrdiff_t colon;

    if (!str_eq_nocase(scheme, STR_LIT("basic")))
        return 0; /* another scheme is as good as none: the owner will ask for Basic */
    if (u->has_auth)
        return -400;
    if (base64_decode(str_trim(value), u->auth_bytes, sizeof(u->auth_bytes), &n) != 0)
        return -400;
    u->user = str_from((const char *)u->auth_bytes, n);
    colon = str_find(u->user, ':');
    if (colon < 0)
        return -400;
    u->password = str_from(u->user.p + colon + 1, n - (size_t)colon - 1);
    u->user.n = (size_t)colon;
    u->has_auth = true;
    return 0;
}

static int http_protocols_add(struct str value, struct http_upgrade *u)
{
    size_t have = u->protocols.n;
    size_t comma = have != 0 ? 1 : 0;

    if (have + comma + value.n > sizeof(u->protocol_bytes))
        return -431;
    if (comma)
        u->protocol_bytes[have] = ',';
    if (value.n != 0)
        memcpy(u->protocol_bytes + have + comma, value.p, value.n);
    u->protocols = str_from(u->protocol_bytes, have + comma + value.n);
    return 0;
}

/* What the checks at the end need to have seen. */
struct http_seen {
    bool upgrade, connection, version;
    bool other_version;
    int headers;
};

static int http_ws_header(struct str name, struct str value, struct http_upgrade *u,
                          struct http_seen *seen)
{
    if (str_eq_nocase(name, STR_LIT("upgrade")))
        seen->upgrade = seen->upgrade || list_has_nocase(value, STR_LIT("websocket"));
    else if (str_eq_nocase(name, STR_LIT("connection")))
        seen->connection = seen->connection || list_has_nocase(value, STR_LIT("upgrade"));
    else if (str_eq_nocase(name, STR_LIT("sec-websocket-version"))) {
        seen->version = str_eq_c(value, "13");
        seen->other_version = !seen->version;
    } else if (str_eq_nocase(name, STR_LIT("sec-websocket-protocol")))
        return http_protocols_add(value, u);
    else if (str_eq_nocase(name, STR_LIT("sec-websocket-key"))) {
        if (u->key.n != 0)
            return -400;
        u->key = value;
    }
    return 0;
}

static int http_header(struct str name, struct str value, struct http_upgrade *u,
                       struct http_seen *seen)
{
    if (str_eq_nocase(name, STR_LIT("authorization")))
        return http_auth_parse(value, u);
    if (str_eq_nocase(name, STR_LIT("content-length")))
        return str_eq_c(value, "0") ? 0 : -400;
    if (str_eq_nocase(name, STR_LIT("transfer-encoding")))
        return -400;
    if (str_eq_nocase(name, STR_LIT("host")))
        u->host = value;
    else if (str_eq_nocase(name, STR_LIT("origin")))
        u->origin = value;
    else if (str_eq_nocase(name, STR_LIT("user-agent")))
        u->user_agent = value;
    else if (str_eq_nocase(name, STR_LIT("x-forwarded-for")))
        u->forwarded_for = value;
    else if (str_eq_nocase(name, STR_LIT("x-forwarded-proto")))
        u->forwarded_proto = value;
    return http_ws_header(name, value, u, seen);
}

static int http_headers(struct str rest, struct http_upgrade *u, struct http_seen *seen)
{
    struct str line;

    while (http_line(&rest, &line) && line.n > 0) {
        ptrdiff_t colon = str_find(line, ':');
        int err;

        if (colon <= 0 || line.p[0] == ' ' || line.p[0] == '\t' || line.p[colon - 1] == ' ')
            return -400;
        if (++seen->headers > HTTP_HEADERS_MAX)
            return -431;
        err = http_header(str_from(line.p, (size_t)colon),
                          str_trim(str_from(line.p + colon + 1, line.n - (size_t)colon - 1)), u,
                          seen);
        if (err != 0)
            return err;
    }
    return 0;
}

/* The key is 16 bytes in base64: 24 characters. Their value does not matter. */
static bool http_key_valid(struct str key)
{
    uint8_t bytes[18];
    size_t n;

    return key.n == 24 && base64_decode(key, bytes, sizeof(bytes), &n) == 0 && n == 16;
}

int http_upgrade_parse(struct str head, struct http_upgrade *u)
{
    struct http_seen seen = {0};
    struct str rest = head, line;
    int err;

    memset(u, 0, offsetof(struct http_upgrade, identity_bytes));
    if (memchr(head.p, '\0', head.n) != NULL || !http_line(&rest, &line))
        return -400;
    err = http_request_line(line, u);
    if (err == 0)
        err = http_headers(rest, u, &seen);
    if (err != 0)
        return err;
    if (!seen.upgrade || !seen.connection || seen.other_version)
        return -426;
    return seen.version && http_key_valid(u->key) ? 0 : -400;
}

static int http_status_of(struct str line)
{
    struct str rest = line;
    struct str version = str_cut(&rest, ' ');
    int64_t v;

    if (!str_starts(version, STR_LIT("HTTP/1.")) || str_to_i64(str_cut(&rest, ' '), &v) != 0)
        return 0;
    return v >= 100 && v <= 599 ? (int)v : 0;
}

int http_answer_parse(struct str head, const char *accept, int *status, struct str *protocol)
{
    struct str rest = head, line = STR_NONE;
    bool matches = false;

    *protocol = STR_NONE;
    *status = http_line(&rest, &line) ? http_status_of(line) : 0;
    while (http_line(&rest, &line) && line.n > 0) {
        struct str value = line;
        struct str name = str_cut(&value, ':');

        value = str_trim(value);
        if (str_eq_nocase(name, STR_LIT("sec-websocket-accept")))
            matches = str_eq_c(value, accept);
        else if (str_eq_nocase(name, STR_LIT("sec-websocket-protocol")))
            *protocol = value;
        else if (str_eq_nocase(name, STR_LIT("sec-websocket-extensions")))
            return ERR_REJECTED; /* we offered none */
    }
    return *status == 101 && matches ? 0 : ERR_REJECTED;
}

static const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {414, "URI Too Long"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].text;
    return "Refused";
}

void http_put_refusal(struct buf *out, int status)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: 0\r\n", status,
               http_reason(status));
    if (status == 401)
        buf_put_c(out, "WWW-Authenticate: Basic realm=\"charger\", charset=\"UTF-8\"\r\n");
    if (status == 405)
        buf_put_c(out, "Allow: GET\r\n");
    if (status == 426)
        buf_put_c(out, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    if (status == 503 || status == 429)
        buf_put_c(out, "Retry-After: 30\r\n");
    buf_put_c(out, "\r\n");
}
