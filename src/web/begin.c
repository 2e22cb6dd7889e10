// SPDX-License-Identifier: Apache-2.0
/* begin.c: see begin.h. Data: the request alone.
 *
 * Invariants:
 *  1. A request with anything wrong in its head or body never reaches a handler.
 *  2. The order of judgement is path, method, quota, who, may they, arguments, headers, body, so a
 *     stranger learns nothing about objects.
 *
 * Thread: the HTTP thread of the request. */
#include "web/begin.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "web/assets.h"
#include "web/state.h"

enum { SEGMENTS_MAX = 12, IDEM_KEY_MAX = 128 };
#define WEB_XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

void begin_cause_text(const struct request *r, char out[17])
{
    snprintf(out, 17, "%016" PRIx64, r->cause);
}

struct str begin_cause_of(struct arena *a, uint64_t cause)
{
    return cause == 0 ? STR_LIT("") : arena_printf(a, "%016" PRIx64, cause);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into the arena. Refuses bad escapes, control characters and bad UTF-8. */
static int percent_decode(struct request *r, struct str in, bool plus, struct str *out)
{
    char *p = arena_alloc(&r->arena, in.n + 1);
    size_t n = 0;

    if (p == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];

        if (c == '%') {
            int hi = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
            int lo = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return ERR_SYNTAX;
            c = (char)(hi * 16 + lo);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return ERR_SYNTAX;
        p[n++] = c;
    }
    *out = str_from(p, n);
    return str_utf8_valid(*out) ? 0 : ERR_SYNTAX;
}

/* "/api/v1/x" → segments. A trailing slash is fine for pages, an empty or dotted segment is not. */
static int path_read(struct request *r, struct str raw, struct str seg[SEGMENTS_MAX], size_t *n)
{
    struct str rest = raw;
    int err = percent_decode(r, raw, false, &r->path);

    if (err != 0 || raw.n == 0 || raw.p[0] != '/')
        return err != 0 ? err : ERR_SYNTAX;
    (void)str_cut(&rest, '/');
    for (*n = 0; rest.n > 0; (*n)++) {
        struct str part = str_cut(&rest, '/');

        if (*n == SEGMENTS_MAX || part.n == 0)
            return ERR_SYNTAX;
        err = percent_decode(r, part, false, &seg[*n]);
        if (err != 0)
            return err;
        if (str_find(seg[*n], '/') >= 0 || str_find(seg[*n], '\\') >= 0 ||
            str_eq_c(seg[*n], "..") || str_eq_c(seg[*n], "."))
            return ERR_SYNTAX;
    }
    return 0;
}

static int args_read(struct request *r, struct str query)
{
    while (query.n > 0) {
        struct str value = str_cut(&query, '&'), name;
        struct request_arg *a = &r->args[r->args_n];
        int err;

        if (value.n == 0)
            continue;
        if (r->args_n == WEB_ARGS_MAX)
            return req_fail(r, ERR_SYNTAX, NULL, "too many query arguments");
        name = str_cut(&value, '=');
        err = percent_decode(r, name, true, &a->name);
        if (err == 0)
            err = percent_decode(r, value, true, &a->value);
        if (err != 0)
            return req_fail(r, ERR_SYNTAX, NULL, "bad escape in the query string");
        r->args_n++;
    }
    return 0;
}

struct str req_arg(const struct request *r, const char *name)
{
    for (uint32_t i = 0; i < r->args_n; i++)
        if (str_eq_c(r->args[i].name, name))
            return r->args[i].value;
    return STR_LIT("");
}

int64_t req_arg_i64(const struct request *r, const char *name)
{
    int64_t v = 0;

    return str_to_i64(req_arg(r, name), &v) == 0 ? v : 0;
}

static int arg_bad(struct request *r, struct str name, const char *why)
{
    struct str p = arena_printf(&r->arena, "?%.*s", STR_FMT(name));

    return req_fail(r, ERR_SYNTAX, p.p, why);
}

/* "17" or "17.2.1": where the page before ended. */
static int after_read(struct request *r, struct str v)
{
    for (size_t i = 0; i < ARRAY_LEN(r->after); i++) {
        if (str_to_i64(str_cut(&v, '.'), &r->after[i]) != 0 || r->after[i] < 0)
            return ERR_SYNTAX;
        if (v.n == 0)
            return 0;
    }
    return ERR_SYNTAX;
}

static int arg_check(struct request *r, const struct request_arg *a)
{
    const struct route *route = r->route;
    bool page = (route->flags & ROUTE_PAGE) != 0;
    int64_t v;

    if (page && str_eq_c(a->name, "after"))
        return after_read(r, a->value) == 0 ? 0 : arg_bad(r, a->name, "not a cursor that we gave");
    if (page && str_eq_c(a->name, "limit")) {
        if (str_to_i64(a->value, &v) != 0 || v < 1 || v > WEB_LIMIT_MAX)
            return arg_bad(r, a->name, "1 to 200");
        r->limit = (int32_t)v;
        return 0;
    }
    for (int i = 0; i < route->args_n; i++) {
        if (!str_eq_c(a->name, route->args[i].name))
            continue;
        if (route->args[i].kind != ARG_TEXT && (str_to_i64(a->value, &v) != 0 || v < 0))
            return arg_bad(r, a->name, "not a number");
        return a->value.n <= 100 ? 0 : arg_bad(r, a->name, "too long");
    }
    return arg_bad(r, a->name, "unknown query argument");
}

static int args_check(struct request *r)
{
    r->limit = 50;
    for (uint32_t i = 0; i < r->args_n; i++) {
        int err = arg_check(r, &r->args[i]);

        for (uint32_t k = 0; err == 0 && k < i; k++)
            if (str_eq(r->args[i].name, r->args[k].name))
                err = arg_bad(r, r->args[i].name, "given twice");
        if (err != 0)
            return err;
    }
    return 0;
}

static int param_check(struct request *r)
{
    if (r->param.n == 0 || strstr(r->route->path, "{id}") == NULL)
        return 0;
    if (str_to_i64(r->param, &r->id) != 0 || r->id <= 0)
        return ERR_NOT_FOUND;
    return 0;
}

/* Behind a proxy that we trust: the last address in its list that is not a trusted one is the
 * client's. A proxy may add a line behind those that the client sent: the list is all of them. */
static void address_forwarded(struct request *r)
{
    const char *proto = req_header(r, "X-Forwarded-Proto");
    struct str rest = req_header_joined(r, "X-Forwarded-For"), last = STR_LIT("");

    r->https = r->web->cfg.behind_tls;
    if (address_trusted(r->web->cfg.proxies, str_from_c(r->address))) {
        while (rest.n > 0) {
            struct str one = str_trim(str_cut(&rest, ','));

            if (one.n > 0 && !address_trusted(r->web->cfg.proxies, one))
                last = one;
        }
        if (last.n > 0)
            str_copy(r->address, sizeof(r->address), last);
        r->https = r->https || (proto != NULL && strcmp(proto, "https") == 0);
    } else if (req_header(r, "X-Forwarded-For") != NULL) {
        r->loopback = false;
        return;
    }
    r->loopback = strncmp(r->address, "127.", 4) == 0 || strcmp(r->address, "::1") == 0 ||
                  strncmp(r->address, "::ffff:127.", 11) == 0;
}

static int quota_check(struct request *r)
{
    struct web *w = r->web;
    const struct actor *a = &r->actor;
    int64_t now = os_mono_ns(), rate = a->quota_s > 0 ? a->quota_s : (int64_t)w->cfg.rate_s;
    int64_t who[2] = {a->kind, a->id};

    web_lock(w);
    if (a->kind == ACTOR_NONE) {
        r->retry_s = quota_take(&w->quotas, QUOTA_ADDRESS, req_net(r), rate * 1000, rate * 2, now);
    } else {
        r->retry_s = quota_take(&w->quotas, QUOTA_ACTOR, str_from((const char *)who, sizeof(who)),
                                rate * 1000, rate * 2, now);
        if (r->retry_s == 0 && a->tenant_quota_s > 0)
            r->retry_s = quota_take(
                &w->quotas, QUOTA_TENANT, str_from((const char *)&a->tenant, sizeof(a->tenant)),
                (int64_t)a->tenant_quota_s * 1000, (int64_t)a->tenant_quota_s * 2, now);
    }
    web_unlock(w);
    return r->retry_s > 0 ? ERR_RATE_LIMIT : 0;
}

/* Does the Accept header take this type? Quality values of 0 are not looked for. */
static bool accepts(const struct request *r, const char *mime)
{
    const char *accept = req_header(r, "Accept");
    struct str rest = str_from_c(accept), m = str_from_c(mime);
    struct str kind = str_from(mime, strcspn(mime, "/"));

    if (rest.n == 0)
        return true;
    while (rest.n > 0) {
        struct str one = str_cut(&rest, ','), type = str_trim(str_cut(&one, ';'));
        struct str sub = type, major = str_cut(&sub, '/');

        if (str_eq_c(type, "*/*") || str_eq_nocase(type, m) ||
            (str_eq_nocase(major, kind) && str_eq_c(sub, "*")))
            return true;
    }
    return false;
}

static const char *mime_of(enum reply_kind kind)
{
    static const char *const mimes[] = {"application/json",  "text/plain; charset=utf-8",
                                        "application/json",  "image/svg+xml",
                                        "text/event-stream", WEB_XLSX,
                                        "application/pdf",   "application/octet-stream"};

    return mimes[kind];
}

static int headers_check(struct request *r)
{
    const char *type = req_header(r, "Content-Type"), *key = req_header(r, "Idempotency-Key");
    struct str kind = str_from_c(type);

    bool any = r->route->reply == REPLY_TEXT || r->route->reply == REPLY_FILE;

    if (!any && !accepts(r, mime_of(r->route->reply)))
        return ERR_NOT_ACCEPTABLE;
    kind = str_trim(str_cut(&kind, ';'));
    if (r->route->in != NULL && !str_eq_nocase(kind, STR_LIT("application/json")))
        return ERR_MEDIA_TYPE;
    if (!(r->route->flags & ROUTE_IDEM))
        return 0;
    if (key == NULL || key[0] == 0)
        return ERR_IDEM_REQUIRED;
    return strlen(key) <= IDEM_KEY_MAX
               ? 0
               : req_fail(r, ERR_SYNTAX, NULL, "Idempotency-Key is too long");
}

static int method_read(struct request *r, struct str method)
{
    static const char *const names[ROUTE_METHODS] = {"GET", "POST", "PUT", "DELETE"};

    r->head = str_eq_c(method, "HEAD");
    r->options = str_eq_c(method, "OPTIONS");
    if (r->head || r->options)
        return 0;
    for (int m = 0; m < ROUTE_METHODS; m++) {
        r->method = (enum route_method)m;
        if (str_eq_c(method, names[m]))
            return 0;
    }
    return ERR_METHOD;
}

static int route_read(struct request *r, const struct str *seg, size_t n, int method_err)
{
    const struct route_node *node = route_find(seg, n, &r->param);
    char allow[64];

    if (node == NULL) {
        r->page = n == 0 || !str_eq_c(seg[0], "api");
        if (method_err != 0 || (r->page && r->method != ROUTE_GET)) {
            req_header_add(r, "Allow", STR_LIT("GET, HEAD, OPTIONS"));
            return r->page ? ERR_METHOD : ERR_NOT_FOUND;
        }
        return r->page ? 0 : ERR_NOT_FOUND;
    }
    route_allow(node, allow);
    if (r->options || method_err != 0 || node->route[r->method] < 0)
        req_header_add(r, "Allow", req_copy(r, str_from_c(allow)));
    if (r->options)
        return 0;
    if (method_err != 0 || node->route[r->method] < 0)
        return ERR_METHOD;
    r->route = &routes[node->route[r->method]];
    return 0;
}

static int head_check(struct request *r, struct str method)
{
    struct str seg[SEGMENTS_MAX], query = r->target, raw = str_cut(&query, '?');
    size_t n = 0;
    int method_err = method_read(r, method), err = path_read(r, raw, seg, &n);

    if (err != 0)
        return req_fail(r, err, NULL, "bad path");
    address_forwarded(r);
    r->net_n = address_net(r->address, r->net);
    err = route_read(r, seg, n, method_err);
    if (err != 0 || r->page || r->options)
        return err;
    err = auth_actor(r);
    if (quota_check(r) != 0)
        return ERR_RATE_LIMIT;
    if (err == 0)
        err = auth_check(r);
    if (err == 0)
        err = param_check(r);
    if (err == 0)
        err = args_read(r, query);
    if (err == 0)
        err = args_check(r);
    if (err == 0)
        err = headers_check(r);
    return err;
}

static void reader_give(struct request *r)
{
    if (r->reader == NULL)
        return;
    req_snapshot_end(r);
    os_pool_give(r->web->readers, r->reader);
    r->reader = NULL;
}

void begin_head(struct request *r, struct str method)
{
    r->cause = atomic_fetch_add(&r->web->seq, 1);
    r->begin_err = head_check(r, method);
    if (r->begin_err != 0)
        r->body.cap = 0; /* nobody will read it */
    else if (r->actor.kind == ACTOR_NONE)
        r->body.cap = WEB_OPEN_MAX; /* many strangers may hold so much at once */
    else if (r->route != NULL && (r->route->flags & ROUTE_RAW))
        r->body.cap = WEB_FILE_MAX;
    reader_give(r);
}

/* {"a":[{"b":1}]} names its members "a[0].b"; a pointer says "/a/0/b". */
static const char *pointer_of(struct request *r, const char *path)
{
    char *p = arena_alloc(&r->arena, strlen(path) + 2), *out = p;

    if (p == NULL || path[0] == 0)
        return NULL;
    *out++ = '/';
    for (; *path; path++)
        if (*path == '.' || *path == '[')
            *out++ = '/';
        else if (*path != ']')
            *out++ = *path;
    *out = 0;
    return p;
}

static int body_error(struct request *r, const struct wire_error *e)
{
    int err = e->err;

    if (err == ERR_NOT_FOUND)
        err = ERR_RANGE; /* an unknown member, not an unknown address */
    if (err == ERR_CONFLICT)
        err = ERR_SYNTAX; /* a member twice */
    return req_fail(r, err, pointer_of(r, e->path), req_copy_c(r, str_from_c(e->reason)));
}

static int body_read(struct request *r)
{
    struct str body = buf_str(&r->body);
    struct wire_error e;

    if (r->body.err != 0)
        return ERR_TOO_LARGE;
    if (r->route->flags & ROUTE_RAW)
        return 0; /* the handler judges the bytes */
    if (r->route->in == NULL) {
        body = str_trim(body);
        return body.n == 0 || str_eq_c(body, "{}") || str_eq_c(body, "null")
                   ? 0
                   : req_fail(r, ERR_SYNTAX, NULL, "this address takes no body");
    }
    r->in = arena_alloc(&r->arena, r->route->in->size);
    if (r->in == NULL)
        return ERR_TOO_LARGE;
    if (wire_json_decode(r->route->in, body, &r->arena, r->in, WIRE_STRICT, &e) != 0)
        return body_error(r, &e);
    return 0;
}

static int route_run(struct request *r)
{
    return r->route->fn != NULL ? r->route->fn(r) : req_query_route(r);
}

int begin_work(struct request *r)
{
    int err = route_run(r);

    must(!r->wait);
    reader_give(r);
    return err;
}

/* *away: it sleeps, and is not ours while it does. */
static int handler_run(struct request *r, bool *away)
{
    int err;

    if (r->begin_err != 0)
        return r->begin_err;
    if (r->options) {
        r->status = 204;
        return 0;
    }
    if (r->page)
        return assets_serve(r);
    if (!r->resumed) {
        err = body_read(r);
        if (err != 0)
            return err;
    }
    if (r->route->flags & ROUTE_SLOW) {
        if (r->resumed)
            return r->reply_err;
        err = desk_send(r);
        *away = err == 0;
        return err;
    }
    r->wait = false;
    return route_run(r);
}

static void etag_of_body(struct request *r)
{
    struct str body = buf_str(&r->out);

    if (r->etag[0] || r->sub != NULL || r->file.p != NULL || r->route == NULL ||
        r->route->reply == REPLY_TEXT || r->has_fd)
        return;
    snprintf(r->etag, sizeof(r->etag), "\"h%016" PRIx64 "\"",
             hash_bytes(body.p, body.n, 0x4556454e));
}

static void finish(struct request *r)
{
    const char *match = req_header(r, "If-None-Match");

    if (r->status == 0)
        r->status = 200;
    if (r->mime == NULL && r->route != NULL)
        r->mime = mime_of(r->route->reply);
    if (r->status != 200 || r->method != ROUTE_GET)
        return;
    etag_of_body(r);
    if (match != NULL && r->etag[0] && r->sub == NULL &&
        (strstr(match, r->etag) != NULL || strcmp(match, "*") == 0))
        r->status = 304;
}

bool begin_run(struct request *r)
{
    bool away = false;
    int err = handler_run(r, &away);

    if (away)
        return true;
    reader_give(r);
    if (err == 0 && r->wait)
        return true;
    r->wait = false;
    if (err == 0 && r->out.err != 0)
        err = ERR_TOO_LARGE;
    if (err != 0)
        req_problem(r, err);
    finish(r);
    return false;
}
