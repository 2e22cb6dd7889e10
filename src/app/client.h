// SPDX-License-Identifier: Apache-2.0
/* client.h: a small client of our own REST API over libcurl, for the demonstration: it uses the
 * product the way any other program does. One thread a client. Keeps the session cookie and the
 * CSRF token. */
#ifndef EVEN_APP_CLIENT_H
#define EVEN_APP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"

struct client;

/** base: "http://127.0.0.1:8080". Gives a client; ERR_NOMEM. */
EV_MUST_USE int client_new(const char *base, struct client **out);
void client_free(struct client *c);
/** Uses an API key instead of a log-in. */
void client_key(struct client *c, const char *key);
/** One request; body NULL = none. The reply's body is in *reply until the next call. 0 for 2xx;
 * else ERR_* by the status (ERR_CLOSED when nobody listens) and the body holds the problem. A write
 * carries a fresh Idempotency-Key. */
EV_MUST_USE int client_call(struct client *c, const char *method, const char *path,
                            const char *body, struct str *reply);
/** client_call for writes that answer Made: gives the new id. */
EV_MUST_USE int client_make(struct client *c, const char *path, const char *body, int64_t *id);
/** Logs a person in by POST /api/v1/login and keeps the CSRF token. */
EV_MUST_USE int client_login(struct client *c, const char *login, const char *password);
/** The same for the first-run set-up: any route that answers Session. */
EV_MUST_USE int client_open(struct client *c, const char *path, const char *body);
/** The string or number member `name` of the flat object in `json`, "" when absent. For answers of
 * our own API only. */
struct str client_member(struct str json, const char *name);

#endif
