// SPDX-License-Identifier: Apache-2.0
/* client.c: see client.h. Owns one libcurl handle. Errors come back as ERR_* with the problem's
 * body beside. */
#include "app/client.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/os/crypto.h"

struct client {
    CURL *curl;
    char base[200];
    char csrf[64];
    char key[128];
    struct buf reply;
};

static size_t on_bytes(char *p, size_t size, size_t n, void *ctx)
{
    struct buf *b = ctx;
    buf_put(b, p, size * n);
    return b->err ? 0 : size * n;
}

int client_new(const char *base, struct client **out)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->curl = curl_easy_init();
    if (!c->curl) {
        free(c);
        return ERR_NOMEM;
    }
    (void)str_copy(c->base, sizeof c->base, str_from_c(base));
    buf_init(&c->reply, 4 << 20);
    /* Once: each naming of a cookie file is kept, and a reset of the handle forgets to free it. */
    curl_easy_setopt(c->curl, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &c->reply);
    *out = c;
    return 0;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    buf_free(&c->reply);
    free(c);
}

void client_key(struct client *c, const char *key)
{
    (void)str_copy(c->key, sizeof c->key, str_from_c(key));
}

static int err_of_status(long status)
{
    if (status >= 200 && status < 300)
        return 0;
    for (int e = -1; e >= ERR_LAST; e--)
        if (err_http_status(e) == (int)status && e != ERR_INTERNAL)
            return e;
    return ERR_INTERNAL;
}

static struct curl_slist *headers(struct client *c, bool write)
{
    char line[256], mark[33];
    struct curl_slist *h = curl_slist_append(NULL, "Content-Type: application/json");
    if (c->key[0]) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", c->key);
        h = curl_slist_append(h, line);
    } else if (c->csrf[0]) {
        snprintf(line, sizeof line, "X-CSRF-Token: %s", c->csrf);
        h = curl_slist_append(h, line);
    }
    if (write) {
        os_random_text(mark, sizeof mark - 1);
        snprintf(line, sizeof line, "Idempotency-Key: %s", mark);
        h = curl_slist_append(h, line);
    }
    return h;
}

int client_call(struct client *c, const char *method, const char *path, const char *body,
                struct str *reply)
{
    char url[512];
    long status = 0;
    snprintf(url, sizeof url, "%s%s", c->base, path);
    bool write = strcmp(method, "GET") != 0;
    struct curl_slist *h = headers(c, write);
    buf_reset(&c->reply);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, h);
    if (write)
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body ? body : "");
    else
        curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    CURLcode res = curl_easy_perform(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(h);
    *reply = buf_str(&c->reply);
    if (res != CURLE_OK)
        return res == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_CLOSED;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    return err_of_status(status);
}

struct str client_member(struct str json, const char *name)
{
    char key[80];
    int n = snprintf(key, sizeof key, "\"%s\":", name);
    for (size_t i = 0; n > 0 && i + (size_t)n < json.n; i++) {
        if (memcmp(json.p + i, key, (size_t)n) != 0)
            continue;
        struct str rest = str_from(json.p + i + n, json.n - i - (size_t)n);
        bool text = rest.n > 0 && rest.p[0] == '"';
        if (text)
            rest = str_from(rest.p + 1, rest.n - 1);
        size_t end = 0;
        while (end < rest.n && (text ? rest.p[end] != '"' : !strchr(",}] ", rest.p[end])))
            end++;
        return str_from(rest.p, end);
    }
    return STR_LIT("");
}

int client_make(struct client *c, const char *path, const char *body, int64_t *id)
{
    struct str reply;
    int err = client_call(c, "POST", path, body, &reply);
    if (err) {
        fprintf(stderr, "even: POST %s: %s: %.*s\n", path, err_text(err, LANG_EN), STR_FMT(reply));
        return err;
    }
    return str_to_i64(client_member(reply, "id"), id);
}

int client_open(struct client *c, const char *path, const char *body)
{
    struct str reply;
    int err = client_call(c, "POST", path, body, &reply);
    if (err) {
        fprintf(stderr, "even: POST %s: %s: %.*s\n", path, err_text(err, LANG_EN), STR_FMT(reply));
        return err;
    }
    (void)str_copy(c->csrf, sizeof c->csrf, client_member(reply, "csrf"));
    return 0;
}

int client_login(struct client *c, const char *login, const char *password)
{
    struct buf body;
    buf_init(&body, 1024);
    buf_put_c(&body, "{\"login\":");
    buf_put_json(&body, str_from_c(login));
    buf_put_c(&body, ",\"password\":");
    buf_put_json(&body, str_from_c(password));
    buf_put(&body, "}", 2);
    int err = body.err ? body.err : client_open(c, "/api/v1/login", body.p);
    buf_free(&body);
    return err;
}
