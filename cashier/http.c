// SPDX-License-Identifier: Apache-2.0
/* http.c: the cashier's server: libmicrohttpd driven by our own loop, so that one thread does
 * everything. Serves the three providers below /wechat, /alipay and /alloc, senders of texts below
 * /texts, the pay page, and /state. An answer that is to be slow waits with its connection suspended. */
#include "till.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/os/clock.h"

struct exchange;
struct http {
    struct till *till;
    struct MHD_Daemon *daemon;
    struct exchange *held; /* those whose answers wait */
    int epoll_fd;
    uint16_t port;
};
struct exchange {
    struct MHD_Connection *conn;
    struct arena arena;
    struct str target;
    struct buf body;
    bool begun;
    struct till_reply reply; /* while it is held */
    int64_t due_ns;          /* 0: it never was */
    struct exchange *next;
};

static struct str header(const void *ctx, const char *name)
{
    const struct exchange *x = ctx;
    return str_from_c(MHD_lookup_connection_value(x->conn, MHD_HEADER_KIND, name));
}

static void route(struct till *t, const struct till_request *q, struct till_reply *a)
{
    if (str_starts(q->path, STR_LIT("/wechat/")))
        till_wechat(t, q, a);
    else if (str_starts(q->path, STR_LIT("/alipay/")))
        till_alipay(t, q, a);
    else if (str_starts(q->path, STR_LIT("/alloc/")))
        till_alloc(t, q, a);
    else if (str_starts(q->path, STR_LIT("/pay/")) || str_starts(q->path, STR_LIT("/confirm/")) ||
             str_starts(q->path, STR_LIT("/account/")))
        till_page(t, q, a);
    else if (str_starts(q->path, STR_LIT("/texts/")))
        till_texts(t, q, a);
    else if (str_eq_c(q->path, "/state"))
        till_print(t, &a->body);
    else
        a->status = 404;
}

static enum MHD_Result answer(struct exchange *x, const struct till_reply *a)
{
    struct MHD_Response *resp =
        MHD_create_response_from_buffer(a->body.n, a->body.p, MHD_RESPMEM_MUST_COPY);
    if (!resp)
        return MHD_NO;
    MHD_add_response_header(resp, "Content-Type", a->mime);
    MHD_add_response_header(resp, "Cache-Control", "no-store");
    for (size_t at = 0; at < a->headers.n; at += strlen(a->headers.p + at) + 1) {
        struct str value = str_from_c(a->headers.p + at), name = str_cut(&value, ':');
        char key[64];
        (void)str_copy(key, sizeof key, name);
        MHD_add_response_header(resp, key, str_trim(value).p);
    }
    enum MHD_Result res = MHD_queue_response(x->conn, (unsigned)a->status, resp);
    MHD_destroy_response(resp);
    return res;
}

static void reply_free(struct till_reply *a)
{
    buf_free(&a->body);
    buf_free(&a->headers);
}

static void hold(struct http *h, struct exchange *x, const struct till_reply *a)
{
    x->reply = *a;
    x->due_ns = os_mono_ns() + a->slow_ms * INT64_C(1000000);
    x->next = h->held;
    h->held = x;
    MHD_suspend_connection(x->conn);
}

/* Wakes those whose time has come. */
static void let_go(struct http *h, int64_t now_ns)
{
    for (struct exchange **at = &h->held; *at;) {
        struct exchange *x = *at;
        if (x->due_ns > now_ns) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        MHD_resume_connection(x->conn);
    }
}

static enum MHD_Result finish(struct http *h, struct exchange *x, const char *method)
{
    struct till_request q = {.method = str_from_c(method),
                             .target = x->target,
                             .body = buf_str(&x->body),
                             .header = header,
                             .ctx = x};
    struct till_reply a = {.status = 200, .mime = "application/json"};
    q.query = q.target;
    q.path = str_cut(&q.query, '?');
    buf_init(&a.body, 16 << 20);
    buf_init(&a.headers, TILL_TEXT_MAX);
    route(h->till, &q, &a);
    if (a.slow_ms) {
        hold(h, x, &a);
        return MHD_YES;
    }
    enum MHD_Result res = a.cut ? MHD_NO : answer(x, &a);
    reply_free(&a);
    return res;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *conn, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_n, void **req)
{
    struct exchange *x = *req;
    (void)url;
    (void)version;
    if (!x)
        return MHD_NO;
    x->conn = conn;
    if (!x->begun) {
        x->begun = true;
        return MHD_YES;
    }
    if (*data_n) {
        buf_put(&x->body, data, *data_n);
        *data_n = 0;
        return x->body.err ? MHD_NO : MHD_YES;
    }
    return x->due_ns ? answer(x, &x->reply) : finish(cls, x, method);
}

static void *begin(void *cls, const char *target, struct MHD_Connection *conn)
{
    struct exchange *x = calloc(1, sizeof *x);
    (void)cls;
    (void)conn;
    if (!x)
        return NULL;
    arena_init(&x->arena, TILL_TEXT_MAX);
    buf_init(&x->body, TILL_TEXT_MAX);
    x->target = str_from_c(arena_copy(&x->arena, str_from_c(target)));
    return x;
}

static void over(void *cls, struct MHD_Connection *conn, void **req,
                 enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *req;
    (void)cls;
    (void)conn;
    (void)code;
    if (!x)
        return;
    arena_free(&x->arena);
    buf_free(&x->body);
    reply_free(&x->reply);
    free(x);
    *req = NULL;
}

int http_new(struct till *t, const char *bind, uint16_t port, struct http **out)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct http *h = calloc(1, sizeof *h);
    if (!h || inet_pton(AF_INET, bind, &addr.sin_addr) != 1) {
        free(h);
        return h ? ERR_RANGE : ERR_NOMEM;
    }
    h->till = t;
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, handle,
                                 h, MHD_OPTION_SOCK_ADDR, &addr, MHD_OPTION_URI_LOG_CALLBACK, begin,
                                 h, MHD_OPTION_NOTIFY_COMPLETED, over, h,
                                 MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        http_free(h);
        return ERR_IO;
    }
    h->epoll_fd = info->epoll_fd;
    info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    h->port = info ? info->port : port;
    *out = h;
    return 0;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

void http_run(struct http *h, int32_t timeout_ms)
{
    MHD_UNSIGNED_LONG_LONG own = 0;
    if (MHD_get_timeout(h->daemon, &own) == MHD_YES && (int64_t)own < timeout_ms)
        timeout_ms = (int32_t)own;
    fetch_run(h->till->fetch, h->epoll_fd, timeout_ms);
    let_go(h, os_mono_ns());
    (void)MHD_run(h->daemon);
}

void http_free(struct http *h)
{
    if (!h)
        return;
    let_go(h, INT64_MAX);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    free(h);
}
