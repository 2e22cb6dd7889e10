// SPDX-License-Identifier: Apache-2.0
/* front.c: the only file that sees libmicrohttpd. It turns the library's callbacks into requests
 * (request.h) and their answers into responses; everything between is in request.c and the
 * handlers.
 *
 * A request is made when its first line is read (front_target), gathers its body, runs, may sleep
 * (front_suspend … front_resume) and runs again, and is freed when the library says that the
 * exchange is over.
 *
 * Invariants:
 *  1. A request is suspended before anybody is told where to wake it.
 *  2. A response is queued once.
 *  3. No callback waits.
 *  4. Every connection has a time by which what it does is done (lines.h), but live streams.
 *
 * Threads: the library's pool. Fails: a client over a limit gets its status or is closed. */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "web/begin.h"
#include "web/state.h"

enum {
    ANSWER_S = 300, /* a slow phone may take so long over an answer */
    FILE_S = 7200,  /* … and a charger with a bad line over a file */
    HEADERS_MAX = 32 * 1024,
    STREAM_BLOCK = 16 * 1024,
    BODY_DRAIN = 4 * WEB_BODY_MAX
};

void front_suspend(void *conn)
{
    MHD_suspend_connection(conn);
}

void front_resume(void *conn)
{
    MHD_resume_connection(conn);
}

const char *req_header(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, name);
}

struct joined {
    const char *name;
    struct buf text;
};

static enum MHD_Result join_one(void *cls, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct joined *j = cls;

    (void)kind;
    if (value == NULL || !str_eq_nocase(str_from_c(name), str_from_c(j->name)))
        return MHD_YES;
    if (j->text.n > 0)
        buf_put_char(&j->text, ',');
    buf_put_c(&j->text, value);
    return MHD_YES;
}

struct str req_header_joined(struct request *r, const char *name)
{
    struct joined j = {.name = name};
    struct str all = STR_NONE;

    buf_init(&j.text, HEADERS_MAX);
    (void)MHD_get_connection_values(r->conn, MHD_HEADER_KIND, join_one, &j);
    if (j.text.err == 0 && j.text.n > 0)
        all = req_copy(r, buf_str(&j.text));
    buf_free(&j.text);
    return all;
}

struct str req_cookie(const struct request *r, const char *name)
{
    return str_from_c(MHD_lookup_connection_value(r->conn, MHD_COOKIE_KIND, name));
}

static void address_write(const struct sockaddr *a, char out[46])
{
    str_copy(out, 46, STR_LIT("?"));
    if (a != NULL && a->sa_family == AF_INET) {
        const struct sockaddr_in *in4 = (const void *)a;

        (void)!inet_ntop(AF_INET, &in4->sin_addr, out, 46);
    } else if (a != NULL && a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)a;

        (void)!inet_ntop(AF_INET6, &in6->sin6_addr, out, 46);
    }
}

static const struct sockaddr *address_of(struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info != NULL ? info->client_addr : NULL;
}

/* ---- how long a connection may take ---- */

/* What stands for its network in the table of lines; 0 for a proxy that speaks for many. */
static uint64_t net_of(const struct web *w, const struct sockaddr *a)
{
    uint8_t net[ADDRESS_NET];
    char text[46];
    size_t n;

    address_write(a, text);
    n = address_net(text, net);
    if (address_trusted(w->cfg.proxies, str_from_c(text)))
        return 0;
    return hash_bytes((const char *)net, n, w->seed) | 1;
}

static enum MHD_Result front_admit(void *cls, const struct sockaddr *a, socklen_t n)
{
    struct web *w = cls;
    int victim;
    bool yes;

    (void)n;
    web_lock(w);
    yes = lines_admit(&w->lines, net_of(w, a), os_mono_ns(), &victim);
    if (victim >= 0)
        (void)shutdown(victim, SHUT_RDWR);
    web_unlock(w);
    return yes ? MHD_YES : MHD_NO;
}

static int64_t line_until(const struct web *w, int64_t now_ns)
{
    return now_ns + w->cfg.request_s * INT64_C(1000000000);
}

/* The library tells of every connection before its first byte and before its descriptor is closed.
 */
static void front_line(void *cls, struct MHD_Connection *conn, void **ctx,
                       enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
    int64_t now = os_mono_ns();

    web_lock(w);
    if (code == MHD_CONNECTION_NOTIFY_STARTED && info != NULL)
        *ctx = lines_open(&w->lines, net_of(w, address_of(conn)), info->connect_fd, now,
                          line_until(w, now));
    else if (*ctx != NULL)
        lines_close(*ctx);
    web_unlock(w);
}

/* Its time until the next thing has to be done; proven: a request of it was complete. */
static void line_set(struct web *w, struct MHD_Connection *conn, int64_t until_ns, bool proven)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct line *line = info != NULL ? info->socket_context : NULL;

    if (line == NULL)
        return;
    web_lock(w);
    line->until_ns = until_ns;
    line->proven = line->proven || proven;
    web_unlock(w);
}

void front_sweep(struct web *w, int64_t now_ns)
{
    uint32_t i = 0;

    for (int fd = lines_late(&w->lines, &i, now_ns); fd >= 0;
         fd = lines_late(&w->lines, &i, now_ns))
        (void)shutdown(fd, SHUT_RDWR);
}

/* ---- requests ---- */

/* The first line is there: the request begins its life. */
static void *front_target(void *cls, const char *target, struct MHD_Connection *conn)
{
    struct request *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->web = cls;
    atomic_fetch_add(&r->web->open, 1);
    r->conn = conn;
    r->t0_ns = os_mono_ns();
    arena_init(&r->arena, WEB_ARENA_MAX);
    buf_init(&r->body, WEB_BODY_MAX);
    buf_init(&r->out, WEB_OUT_MAX);
    buf_init(&r->kept, WEB_KEPT_MAX);
    r->target = req_copy(r, str_from_c(target));
    return r;
}

static void front_over(void *cls, struct MHD_Connection *conn, void **req_cls,
                       enum MHD_RequestTerminationCode code)
{
    struct web *w = cls;
    struct request *r = *req_cls;

    (void)code;
    if (r == NULL)
        return;
    line_set(w, conn, line_until(w, os_mono_ns()), false);
    metric_observe(&w->http, (os_mono_ns() - r->t0_ns) / 1000);
    if (r->has_fd)
        file_close(r->fd);
    crypto_wipe(r->body.p, r->body.n);
    buf_free(&r->body);
    buf_free(&r->out);
    buf_free(&r->kept);
    arena_free(&r->arena);
    crypto_wipe(r, sizeof(*r));
    free(r);
    *req_cls = NULL;
    atomic_fetch_sub(&w->open, 1);
}

static ssize_t stream_read(void *cls, uint64_t pos, char *p, size_t n)
{
    ptrdiff_t got = events_read(cls, p, n);

    (void)pos;
    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static void stream_free(void *cls)
{
    events_close(cls);
}

static struct MHD_Response *response_new(struct request *r)
{
    struct str body = r->file.p != NULL ? r->file : buf_str(&r->out);

    if (r->sub != NULL)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read,
                                                 r->sub, stream_free);
    if (r->has_fd && (r->status == 200 || r->status == 206)) {
        r->has_fd = false; /* the library closes it */
        return MHD_create_response_from_fd_at_offset64((uint64_t)r->fd_n, r->fd,
                                                       (uint64_t)r->fd_at);
    }
    if (r->status == 304 || r->status == 204)
        body = STR_LIT("");
    return MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p,
                                           r->file.p != NULL ? MHD_RESPMEM_PERSISTENT
                                                             : MHD_RESPMEM_MUST_COPY);
}

static void security_headers(const struct request *r, struct MHD_Response *resp)
{
    static const char *const rows[][2] = {
        {"Content-Security-Policy",
         "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
         "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Permissions-Policy", "geolocation=(self), camera=(self), microphone=()"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        MHD_add_response_header(resp, rows[i][0], rows[i][1]);
    if (r->https)
        MHD_add_response_header(resp, "Strict-Transport-Security", "max-age=31536000");
    if (str_starts(r->path, STR_LIT("/api/")))
        MHD_add_response_header(resp, "Cache-Control", r->sub ? "no-cache" : "private, no-cache");
}

static enum MHD_Result front_answer(struct request *r)
{
    bool file = r->has_fd;
    struct MHD_Response *resp = response_new(r);
    char cause[17];
    enum MHD_Result res;

    if (resp == NULL)
        return MHD_NO;
    r->answered = true;
    if (r->sub != NULL)
        line_set(r->web, r->conn, INT64_MAX, true); /* it stays for as long as somebody looks */
    if (file)
        line_set(r->web, r->conn, os_mono_ns() + FILE_S * INT64_C(1000000000), true);
    security_headers(r, resp);
    if (r->mime != NULL && r->status != 304)
        MHD_add_response_header(resp, "Content-Type", r->mime);
    if (r->etag[0] && (r->status == 200 || r->status == 206 || r->status == 304))
        MHD_add_response_header(resp, "ETag", r->etag);
    for (uint32_t i = 0; i < r->headers_n; i++)
        MHD_add_response_header(resp, r->headers[i].name, r->headers[i].value.p);
    begin_cause_text(r, cause);
    MHD_add_response_header(resp, "X-Cause", cause);
    res = MHD_queue_response(r->conn, (unsigned)r->status, resp);
    MHD_destroy_response(resp);
    metric_add(&r->web->requests, 1);
    if (r->status >= 400)
        metric_add(&r->web->problems, 1);
    log_line(r->status >= 500 ? LOG_WARN : LOG_DEBUG, "web", r->cause, "%s %.*s %d",
             r->route != NULL ? r->route->name : "-", STR_FMT(r->path), r->status);
    return res;
}

static enum MHD_Result front_body(struct request *r, const char *p, size_t *n)
{
    if (r->body.err !=
        0) { /* too large already: read on for a while, so that the client hears why */
        r->drained += *n;
        *n = 0;
        return r->drained > BODY_DRAIN ? MHD_NO : MHD_YES;
    }
    buf_put(&r->body, p, *n);
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result front_handle(void *cls, struct MHD_Connection *conn, const char *url,
                                    const char *method, const char *version, const char *data,
                                    size_t *data_n, void **req_cls)
{
    struct request *r = *req_cls;

    (void)cls;
    (void)url;
    (void)version;
    if (r == NULL || r->answered)
        return MHD_NO;
    if (!r->begun) {
        r->begun = true;
        address_write(address_of(conn), r->address);
        begin_head(r, str_from_c(method));
        return MHD_YES;
    }
    if (*data_n > 0)
        return front_body(r, data, data_n);
    if (!r->complete) {
        r->complete = true;
        line_set(r->web, conn, os_mono_ns() + ANSWER_S * INT64_C(1000000000), true);
    }
    return begin_run(r) ? MHD_YES : front_answer(r);
}

/* Percent signs stay: the path is decoded once, by us (begin.c). */
static size_t front_unescape(void *cls, struct MHD_Connection *conn, char *s)
{
    (void)cls;
    (void)conn;
    return strlen(s);
}

/* What the library has to say goes to our log, at debug level: clients cause most of it. */
static void front_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    (void)ap;
    log_line(LOG_DEBUG, "web", 0, "http library: %s", fmt);
}

static int address_find(const struct web_config *c, struct addrinfo **out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    char port[8];

    snprintf(port, sizeof(port), "%u", c->port);
    if (getaddrinfo(c->bind, port, &hints, out) == 0)
        return 0;
    log_line(LOG_ERROR, "web", 0, "\"%s\" is no address to listen on", c->bind);
    return ERR_RANGE;
}

/* Without MHD_OPTION_LISTENING_ADDRESS_REUSE, which shares the port with whoever asks for it so too:
 * another program of ours would get half of the requests. */
int front_start(struct web *w)
{
    struct addrinfo *addr;
    const union MHD_DaemonInfo *info;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    int err = address_find(&w->cfg, &addr);

    if (err != 0)
        return err;
    if (addr->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    w->daemon = MHD_start_daemon(
        flags, w->cfg.port, front_admit, w, front_handle, w, MHD_OPTION_NOTIFY_CONNECTION,
        front_line, w, MHD_OPTION_EXTERNAL_LOGGER, front_log, w, MHD_OPTION_SOCK_ADDR,
        addr->ai_addr, MHD_OPTION_THREAD_POOL_SIZE, w->cfg.threads, MHD_OPTION_CONNECTION_LIMIT,
        w->cfg.connections, MHD_OPTION_CONNECTION_TIMEOUT, w->cfg.request_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX, MHD_OPTION_URI_LOG_CALLBACK,
        front_target, w, MHD_OPTION_NOTIFY_COMPLETED, front_over, w, MHD_OPTION_UNESCAPE_CALLBACK,
        front_unescape, w, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    const int why = errno; /* of bind(), mostly: what the library does after it succeeds */
    freeaddrinfo(addr);
    if (w->daemon == NULL) {
        log_line(LOG_ERROR, "web", 0, "cannot listen on %s port %u: %s", w->cfg.bind, w->cfg.port,
                 strerror(why));
        return ERR_IO;
    }
    info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT);
    w->port = info != NULL ? info->port : w->cfg.port;
    return 0;
}

void front_quiesce(struct web *w)
{
    MHD_socket fd = MHD_quiesce_daemon(w->daemon);

    if (fd != MHD_INVALID_SOCKET)
        (void)shutdown(fd, SHUT_RDWR);
}

void front_stop(struct web *w)
{
    MHD_stop_daemon(w->daemon);
    w->daemon = NULL;
}
