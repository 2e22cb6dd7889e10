// SPDX-License-Identifier: Apache-2.0
/* session.c: see session.h. Data: entries in one array, found by a map from key to index; a dropped
 * entry leaves a hole until the table is emptied. Under the web's guard. */
#include "web/session.h"

#include <stdlib.h>
#include "base/err.h"

int sessions_init(struct sessions *s, uint64_t seed)
{
    s->seed = seed;
    s->n = 0;
    s->drops = 0;
    strmap_init(&s->map, SESSIONS_MAX, seed);
    s->at = calloc(SESSIONS_MAX, sizeof(s->at[0]));
    return s->at == NULL ? ERR_NOMEM : 0;
}

void sessions_free(struct sessions *s)
{
    strmap_free(&s->map);
    free(s->at);
    s->at = NULL;
}

bool sessions_get(struct sessions *s, struct str key, int64_t now_ns, int64_t now_ms,
                  struct actor *out)
{
    uint64_t at;
    const struct session_entry *e;

    if (!strmap_get(&s->map, key, &at))
        return false;
    e = &s->at[at];
    if (e->fresh_ns < now_ns || e->expires_ms <= now_ms)
        return false;
    *out = e->actor;
    return true;
}

void sessions_put(struct sessions *s, struct str key, const struct actor *actor, int64_t expires_ms,
                  int64_t now_ns)
{
    uint64_t at;

    if (!strmap_get(&s->map, key, &at)) {
        if (s->n == SESSIONS_MAX)
            sessions_drop_all(s);
        at = s->n;
        if (strmap_put(&s->map, key, at) != 0)
            return;
        s->n++;
    }
    s->at[at] = (struct session_entry){*actor, now_ns + SESSION_FRESH_NS, expires_ms};
}

void sessions_put_read(struct sessions *s, struct str key, const struct actor *actor,
                       int64_t expires_ms, int64_t now_ns, uint64_t drops)
{
    if (s->drops == drops)
        sessions_put(s, key, actor, expires_ms, now_ns);
}

void sessions_drop(struct sessions *s, struct str key)
{
    s->drops++;
    (void)strmap_del(&s->map, key);
}

void sessions_drop_all(struct sessions *s)
{
    s->drops++;
    strmap_free(&s->map);
    strmap_init(&s->map, SESSIONS_MAX, s->seed);
    s->n = 0;
}
