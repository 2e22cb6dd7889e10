// SPDX-License-Identifier: Apache-2.0
/* fetch.h: HTTP requests to others, many at a time on one thread. TLS is always verified; plain
 * HTTP is spoken with this machine only. Redirects are not followed, proxies of the environment are
 * not used, answers have a bound. */
#ifndef EVEN_IO_NET_FETCH_H
#define EVEN_IO_NET_FETCH_H

#include "base/buf.h"

#define FETCH_HEADERS_MAX 12

struct fetch;

struct fetch_request {
    const char *method;                     /* "GET", "POST" */
    const char *url;                        /* https://…, or http:// of a loopback address */
    const char *headers[FETCH_HEADERS_MAX]; /* "Name: value"; ends at the first NULL */
    struct str body;                        /* copied; sent with POST only */
    int32_t timeout_ms;                     /* of the whole exchange */
    size_t max;                             /* longest answer */
    bool
        once; /* a connection of its own: on one that is used again and breaks off before the answer,
                  the request would be repeated, for whoever it is that must not hear it twice */
};
/** What came back. err: 0 whatever the status, ERR_TIMEOUT, ERR_CLOSED (nobody there, broken off),
 * ERR_DENIED (the certificate is not good), ERR_TOO_LARGE. After an error the other side may still
 * have done what was asked, but for `untouched`: nothing was ever sent. */
struct fetch_answer {
    int err, status;
    bool untouched;
    struct str body, headers; /* borrowed until `done` returns */
};

/** `done` is called by fetch_run once for every request sent. Gives; ERR_NOMEM. */
EV_MUST_USE int fetch_new(uint32_t at_once,
                          void (*done)(void *ctx, void *tag, const struct fetch_answer *a),
                          void *ctx, struct fetch **out);
/** Breaks off what is under way without a word. NULL is allowed. */
void fetch_free(struct fetch *f);
/** Begins a request. ERR_FULL (too many at once), ERR_RANGE (an address that may not be asked),
 * ERR_NOMEM; then `done` is not called. */
EV_MUST_USE int fetch_send(struct fetch *f, const struct fetch_request *r, void *tag);
/** Works for up to timeout_ms, less when something was answered or fd (-1 = none) is readable. */
void fetch_run(struct fetch *f, int fd, int32_t timeout_ms);
uint32_t fetch_busy(const struct fetch *f);
/** Value of a header of an answer, the empty str when it is not there. Names in any case. */
struct str fetch_header(struct str headers, const char *name);
/** May this address be asked at all? */
bool fetch_url_ok(const char *url);
/** Appends s with everything but letters, digits and "-._~" escaped. */
void fetch_escape(struct buf *out, struct str s);

#endif
