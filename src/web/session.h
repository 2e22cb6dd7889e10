// SPDX-License-Identifier: Apache-2.0
/* session.h: who is logged in, remembered for a few seconds so that a request needs no query. The
 * truth is in web_session, person, driver and api_key; an entry is read again after
 * SESSION_FRESH_NS, and all entries are dropped when an account changes, so a disabled person is
 * out within that time at the latest.
 *
 * Invariants:
 *  1. An entry past its expiry is never given out.
 *  2. A full table is emptied, not grown.
 *  3. What was read from the rows before something was dropped is not remembered after it.
 *
 * Under the guard. */
#ifndef EVEN_WEB_SESSION_H
#define EVEN_WEB_SESSION_H

#include "base/map.h"
#include "web/request.h"

#define SESSIONS_MAX     8192
#define SESSION_FRESH_NS INT64_C(10000000000)

struct session_entry {
    struct actor actor;
    int64_t fresh_ns, expires_ms;
};
struct sessions {
    struct strmap map;
    struct session_entry *at;
    uint32_t n;
    uint64_t seed, drops; /* how often something was dropped */
};

EV_MUST_USE int sessions_init(struct sessions *s, uint64_t seed);
void sessions_free(struct sessions *s);
/** key: hex of the token's hash; 's' or 'k' in front tells cookie and API key apart. */
bool sessions_get(struct sessions *s, struct str key, int64_t now_ns, int64_t now_ms,
                  struct actor *out);
/** Remembers it, unless something was dropped since `drops` was read. */
void sessions_put_read(struct sessions *s, struct str key, const struct actor *actor,
                       int64_t expires_ms, int64_t now_ns, uint64_t drops);
void sessions_put(struct sessions *s, struct str key, const struct actor *actor, int64_t expires_ms,
                  int64_t now_ns);
void sessions_drop(struct sessions *s, struct str key);
void sessions_drop_all(struct sessions *s);

#endif
