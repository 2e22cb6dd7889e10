// SPDX-License-Identifier: Apache-2.0
/* events.c: see events.h. Data: the subscribers (slab), the events of this second (buf and map).
 * Under the web's guard, taken by events_read, events_open and events_close themselves. */
#include "web/events.h"

#include "base/err.h"
#include "base/hash.h"
#include "io/os/clock.h"
#include "web/routes_gen.h"
#include "web/state.h"

void events_init(struct events *v, uint64_t seed)
{
    slab_init(&v->subs, sizeof(struct sub), SUBS_MAX);
    buf_init(&v->pending, EVENTS_MAX * sizeof(struct out_event));
    map_init(&v->at, EVENTS_MAX, seed);
    v->seed = seed;
}

void events_free(struct events *v)
{
    slab_free(&v->subs);
    buf_free(&v->pending);
    map_free(&v->at);
}

static bool sub_sees(const struct sub *s, const struct out_event *e)
{
    const struct actor *a = &s->actor;

    if (e->tenant != a->tenant)
        return false;
    if (s->face == FACE_DRIVER)
        return e->driver != 0 && e->driver == a->id && e->kind != EVENT_SHARE &&
               e->kind != EVENT_COMMAND;
    if (s->face == FACE_PARTNER)
        return e->party != 0 && e->party == a->party &&
               (e->kind == EVENT_SHARE || e->kind == EVENT_WALLET || e->kind == EVENT_PAYOUT);
    if (s->quiet && e->station != s->station &&
        (e->kind == EVENT_CONNECTOR || e->kind == EVENT_METER))
        return false;
    return a->station == 0 || e->station == a->station;
}

static void sub_wake(struct sub *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    front_resume(s->conn);
}

static void sub_event(struct web *w, struct sub *s, const struct out_event *e)
{
    if (sub_sees(s, e))
        event_write(&s->out, e, atomic_fetch_add(&w->seq, 1), s->face != FACE_PARTNER);
}

static void sub_snapshot(struct web *w, struct sub *s)
{
    struct out_event e;

    buf_reset(&s->out);
    s->sent = 0;
    buf_put_c(&s->out, "retry: 2000\n\n");
    for (uint32_t i = 0; i < w->replica.lives.len; i++) {
        const struct live *l = slab_at(&w->replica.lives, i);

        if (l == NULL || (l->order == 0 && !l->status_known))
            continue;
        replica_event(l, &e);
        sub_event(w, s, &e);
        if (e.kind == EVENT_CONNECTOR || !l->status_known)
            continue;
        e = (struct out_event){.kind = EVENT_CONNECTOR,
                               .status = l->status,
                               .tenant = l->tenant,
                               .station = l->station,
                               .charger = l->charger,
                               .connector = l->connector,
                               .order = l->order,
                               .driver = l->driver,
                               .at_ms = l->at_ms};
        sub_event(w, s, &e);
    }
    s->out.err = 0; /* a picture too large is cut; the lists have the rest */
}

/* Who has as many as one may have loses the oldest. */
static void subs_bound(struct web *w, const struct actor *a)
{
    struct sub *oldest = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->events.subs.len; i++) {
        struct sub *s = slab_at(&w->events.subs, i);

        if (s == NULL || s->over || s->actor.kind != a->kind || s->actor.id != a->id)
            continue;
        n++;
        if (oldest == NULL || s->until_ns < oldest->until_ns)
            oldest = s;
    }
    if (n < SUBS_OF_ONE)
        return;
    oldest->over = true;
    sub_wake(oldest);
}

int events_open(struct request *r, enum face face)
{
    struct web *w = r->web;
    struct slab_ref ref;
    struct sub *s;

    web_lock(w);
    subs_bound(w, &r->actor);
    s = slab_get(&w->events.subs, &ref);
    if (s != NULL) {
        s->web = w;
        s->ref = ref;
        s->conn = r->conn;
        s->actor = r->actor;
        s->face = face;
        s->quiet = face == FACE_STAFF && req_arg_i64(r, "quiet") != 0;
        s->station = req_arg_i64(r, "station");
        s->until_ns = os_mono_ns() + SUB_LIFE_NS;
        buf_init(&s->out, SUB_OUT_MAX);
        sub_snapshot(w, s);
        r->sub = s;
    }
    web_unlock(w);
    return s == NULL ? ERR_FULL : 0;
}

int events_staff(struct request *r)
{
    return events_open(r, FACE_STAFF);
}

int events_partner(struct request *r)
{
    return events_open(r, FACE_PARTNER);
}

int events_me(struct request *r)
{
    return events_open(r, FACE_DRIVER);
}

ptrdiff_t events_read(struct sub *s, char *p, size_t n)
{
    struct web *w = s->web;
    ptrdiff_t got = 0;

    web_lock(w);
    if (s->sent < s->out.n) {
        size_t rest = s->out.n - s->sent;

        got = (ptrdiff_t)(rest < n ? rest : n);
        memcpy(p, s->out.p + s->sent, (size_t)got);
        s->sent += (size_t)got;
        if (s->sent == s->out.n) {
            buf_reset(&s->out);
            s->sent = 0;
        }
    } else if (s->over || w->stopping) {
        got = -1;
    } else {
        s->suspended = true;
        front_suspend(s->conn);
    }
    web_unlock(w);
    return got;
}

void events_close(struct sub *s)
{
    struct web *w = s->web;

    web_lock(w);
    buf_free(&s->out);
    slab_put(&w->events.subs, s->ref);
    web_unlock(w);
}

static void events_each(struct web *w, const struct out_event *e, size_t n)
{
    for (uint32_t i = 0; i < w->events.subs.len; i++) {
        struct sub *s = slab_at(&w->events.subs, i);

        if (s == NULL)
            continue;
        for (size_t k = 0; k < n; k++)
            sub_event(w, s, &e[k]);
        if (s->out.err != 0)
            sub_snapshot(w, s);
        if (s->sent < s->out.n)
            sub_wake(s);
    }
}

void events_take(struct web *w, const struct out_event *e)
{
    struct events *v = &w->events;
    int64_t object = e->kind == EVENT_CHARGER                          ? e->charger
                     : e->kind == EVENT_CONNECTOR || e->connector != 0 ? e->connector
                                                                       : e->order;
    uint64_t key = hash_u64((uint64_t)object, v->seed + (uint64_t)e->kind), at;

    replica_apply(&w->replica, e);
    if (v->subs.live == 0)
        return;
    if (e->kind == EVENT_ORDER)
        key = hash_u64((uint64_t)e->order, v->seed + (uint64_t)e->kind);
    if (e->kind >= EVENT_SHARE) {
        events_each(w, e, 1);
    } else if (map_get(&v->at, key, &at)) {
        event_merge((struct out_event *)(void *)v->pending.p + at, e);
    } else {
        at = v->pending.n / sizeof(*e);
        buf_put(&v->pending, e, sizeof(*e));
        if (v->pending.err != 0 || map_put(&v->at, key, at) != 0)
            w->resync = true;
    }
}

void events_flush(struct web *w)
{
    struct events *v = &w->events;

    if (v->pending.n == 0)
        return;
    events_each(w, (const struct out_event *)(const void *)v->pending.p,
                v->pending.n / sizeof(struct out_event));
    buf_reset(&v->pending);
    map_free(&v->at);
    map_init(&v->at, EVENTS_MAX, v->seed);
}

void events_beat(struct web *w, int64_t now_ns)
{
    for (uint32_t i = 0; i < w->events.subs.len; i++) {
        struct sub *s = slab_at(&w->events.subs, i);

        if (s == NULL)
            continue;
        s->over = s->over || s->until_ns < now_ns;
        if (s->sent == s->out.n)
            buf_put_c(&s->out, ": beat\n\n");
        sub_wake(s);
    }
}

void events_snapshot_all(struct web *w)
{
    for (uint32_t i = 0; i < w->events.subs.len; i++) {
        struct sub *s = slab_at(&w->events.subs, i);

        if (s == NULL)
            continue;
        sub_snapshot(w, s);
        sub_wake(s);
    }
}

void events_end(struct web *w, int64_t actor, const char *session)
{
    for (uint32_t i = 0; i < w->events.subs.len; i++) {
        struct sub *s = slab_at(&w->events.subs, i);

        if (s == NULL || (actor != 0 && s->actor.id != actor) ||
            (session[0] && strcmp(session, s->actor.session) != 0))
            continue;
        s->over = true;
        sub_wake(s);
    }
}
