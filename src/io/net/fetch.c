// SPDX-License-Identifier: Apache-2.0
/* fetch.c: see fetch.h. Of the floors below the program the only file that knows libcurl.
 *
 * Data: one multi handle; one easy handle, two buffers and a list of headers for each request under
 * way, freed when it is answered.
 *
 * Invariants: 1. `done` is called once for each request that fetch_send took; 2. an answer never
 * holds more than its bound; 3. no request leaves this machine without TLS.
 *
 * Thread: one. Fails by request, never as a whole. */
#include "io/net/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/err.h"

enum { CONNECT_MS = 5000, HEADERS_CAP = 16 * 1024, KEEP_CONNECTIONS = 16 };

struct job {
    struct job *next;
    struct fetch *f;
    CURL *easy;
    struct curl_slist *list;
    struct buf body, headers;
    void *tag;
};
struct fetch {
    CURLM *multi;
    void (*done)(void *ctx, void *tag, const struct fetch_answer *a);
    void *ctx;
    struct job *jobs;
    uint32_t busy, most;
};

int fetch_new(uint32_t at_once, void (*done)(void *ctx, void *tag, const struct fetch_answer *a),
              void *ctx, struct fetch **out)
{
    struct fetch *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->multi = curl_multi_init();
    if (!f->multi) {
        free(f);
        return ERR_NOMEM;
    }
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)KEEP_CONNECTIONS);
    f->done = done;
    f->ctx = ctx;
    f->most = at_once;
    *out = f;
    return 0;
}

static void job_free(struct job *j)
{
    if (j->easy) {
        curl_multi_remove_handle(j->f->multi, j->easy);
        curl_easy_cleanup(j->easy);
    }
    curl_slist_free_all(j->list);
    buf_free(&j->body);
    buf_free(&j->headers);
    free(j);
}

void fetch_free(struct fetch *f)
{
    if (!f)
        return;
    while (f->jobs) {
        struct job *j = f->jobs;
        f->jobs = j->next;
        job_free(j);
    }
    curl_multi_cleanup(f->multi);
    free(f);
}

uint32_t fetch_busy(const struct fetch *f)
{
    return f->busy;
}

/* ---- addresses ---- */

static bool host_is(struct str rest, const char *host)
{
    struct str h = str_from_c(host);
    return str_starts(rest, h) && (rest.n == h.n || strchr(":/?", rest.p[h.n]));
}

bool fetch_url_ok(const char *url)
{
    struct str s = str_from_c(url), plain = STR_LIT("http://"), tls = STR_LIT("https://");
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '@' || s.p[i] == '\\')
            return false;
    if (str_starts(s, tls))
        return s.n > tls.n && s.p[tls.n] != '/';
    if (!str_starts(s, plain))
        return false;
    struct str rest = str_from(s.p + plain.n, s.n - plain.n);
    return host_is(rest, "127.0.0.1") || host_is(rest, "localhost") || host_is(rest, "[::1]");
}

void fetch_escape(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (plain) {
            buf_put_char(out, (char)c);
            continue;
        }
        buf_put_char(out, '%');
        buf_put_char(out, hex[c >> 4]);
        buf_put_char(out, hex[c & 15]);
    }
}

struct str fetch_header(struct str headers, const char *name)
{
    struct str want = str_from_c(name);
    while (headers.n) {
        struct str value = str_cut(&headers, '\n');
        struct str key = str_cut(&value, ':');
        if (str_eq_nocase(str_trim(key), want))
            return str_trim(value);
    }
    return STR_LIT("");
}

/* ---- requests ---- */

static size_t on_bytes(char *p, size_t size, size_t n, void *ctx)
{
    struct buf *b = ctx;
    buf_put(b, p, size * n);
    return b->err ? 0 : size * n;
}

static int options_set(struct job *j, const struct fetch_request *r)
{
    CURL *e = j->easy;
    bool post = strcmp(r->method, "POST") == 0, ok = true;
    for (int i = 0; i < FETCH_HEADERS_MAX && r->headers[i]; i++) {
        struct curl_slist *list = curl_slist_append(j->list, r->headers[i]);
        if (!list)
            return ERR_NOMEM;
        j->list = list;
    }
    ok = ok && curl_easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, j->list) == CURLE_OK;
    if (post) {
        ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n) == 0;
        ok = ok && curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, r->body.n ? r->body.p : "") == 0;
    }
    ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == 0;
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, (long)r->once);
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, (long)r->once);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &j->body);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, &j->headers);
    curl_easy_setopt(e, CURLOPT_PRIVATE, j);
    return ok ? 0 : ERR_NOMEM;
}

int fetch_send(struct fetch *f, const struct fetch_request *r, void *tag)
{
    if (f->busy >= f->most)
        return ERR_FULL;
    if (!fetch_url_ok(r->url))
        return ERR_RANGE;
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return ERR_NOMEM;
    j->f = f;
    j->tag = tag;
    buf_init(&j->body, r->max);
    buf_init(&j->headers, HEADERS_CAP);
    j->easy = curl_easy_init();
    int err = j->easy ? options_set(j, r) : ERR_NOMEM;
    if (!err && curl_multi_add_handle(f->multi, j->easy) != CURLM_OK)
        err = ERR_NOMEM;
    if (err) {
        job_free(j);
        return err;
    }
    j->next = f->jobs;
    f->jobs = j;
    f->busy++;
    return 0;
}

static int err_of(const struct job *j, CURLcode res)
{
    switch (res) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_DENIED;
    case CURLE_WRITE_ERROR:
        return j->body.err || j->headers.err ? ERR_TOO_LARGE : ERR_CLOSED;
    default:
        return ERR_CLOSED;
    }
}

static void job_done(struct fetch *f, struct job *j, CURLcode res)
{
    long status = 0, sent = 0;
    curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(j->easy, CURLINFO_REQUEST_SIZE, &sent);
    struct fetch_answer a = {.err = err_of(j, res),
                             .status = (int)status,
                             .untouched = res != CURLE_OK && sent == 0,
                             .body = buf_str(&j->body),
                             .headers = buf_str(&j->headers)};
    for (struct job **at = &f->jobs; *at; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            break;
        }
    f->busy--;
    f->done(f->ctx, j->tag, &a);
    job_free(j);
}

void fetch_run(struct fetch *f, int fd, int32_t timeout_ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running = 0, left = 0;
    CURLMsg *m;
    (void)curl_multi_perform(f->multi, &running);
    (void)curl_multi_poll(f->multi, fd >= 0 ? &extra : NULL, fd >= 0, timeout_ms, NULL);
    (void)curl_multi_perform(f->multi, &running);
    while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
        CURLcode res = m->data.result;
        char *j = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &j);
        job_done(f, (struct job *)(void *)j, res);
    }
}
