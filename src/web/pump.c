// SPDX-License-Identifier: Apache-2.0
/* pump.c: the thread behind the front. It takes what the engine delivers: replies wake the request
 * that waits for them, events go to the live pages; and it looks after deadlines and heartbeats.
 * Also the table of waiting requests.
 *
 * Data: the mailbox's batch; slots under the guard.
 *
 * Invariants:
 *  1. A waiting request is ended exactly once, by its reply, its deadline or the stop: ending frees
 *     the slot, so a late reply finds a stale handle.
 *  2. The guard is let go every PUMP_RUN messages.
 *  3. Replies wake the thread at once, and so does the first event after a pause. After a take it rests
 *     for PUMP_REST_MS, in which events gather: each commit of a storm would wake it otherwise. It
 *     looks after each rest, so none is missed.
 *
 * Fails by dropping events (and showing fresh snapshots), never replies: their lane has room for
 * one reply of every slot. */
#include "web/state.h"

#include "base/err.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "web/request.h"

enum {
    PUMP_RUN = 256,
    PUMP_TICK_MS = 100,
    PUMP_IDLE_MS = 500,
    PUMP_REST_MS = 50,
    PUMP_MUCH = 128 << 10, /* so many bytes of events end a rest */
    MAIL_EVENTS = 32 << 20,
    MAIL_REPLIES = 64 << 20
};

int slot_take(struct web *w, struct request *r, int64_t wait_ns, struct origin *from)
{
    struct slab_ref ref;
    struct slot *s;

    if (w->stopping)
        return ERR_CLOSED;
    s = slab_get(&w->slots, &ref);
    if (s == NULL)
        return ERR_FULL;
    if (++w->ref == 0)
        w->ref = 1;
    s->r = r;
    s->ref = w->ref;
    s->deadline_ns = wait_ns == 0 ? INT64_MAX : os_mono_ns() + wait_ns;
    r->slot = ref;
    *from = (struct origin){.kind = FROM_WEB, .slot = ref.index, .gen = ref.gen, .ref = s->ref};
    return 0;
}

void slot_end(struct web *w, struct slab_ref ref, int err)
{
    struct slot *s = slab_find(&w->slots, ref);
    struct request *r;

    if (s == NULL)
        return;
    r = s->r;
    slab_put(&w->slots, ref);
    r->reply_err = err;
    r->resumed = true;
    front_resume(r->conn);
}

static void pump_reply(struct web *w, const struct out *o)
{
    struct slab_ref ref = {o->to.slot, o->to.gen};
    struct slot *s = slab_find(&w->slots, ref);

    if (s == NULL || s->ref != o->to.ref)
        return;
    s->r->made = o->err == 0 ? o->u.made : (struct reply_made){0};
    slot_end(w, ref, o->err);
}

static void pump_message(struct web *w, const struct out *o)
{
    if (o->type == OUT_REPLY)
        pump_reply(w, o);
    else
        events_take(w, &o->u.event);
}

/* False when there was nothing. */
static bool pump_take(struct web *w, struct mailbox_batch *batch)
{
    struct str msg;
    int run = 0;

    if (mailbox_take(w->mail, batch) == 0)
        return false;
    web_lock(w);
    while (mailbox_next(batch, &msg)) {
        /* As long as its kind: only that part of it is there, and only that part is read. */
        pump_message(w, (const struct out *)(const void *)msg.p);
        if (++run % PUMP_RUN == 0) {
            web_unlock(w);
            web_lock(w);
        }
    }
    web_unlock(w);
    return true;
}

static void pump_deadlines(struct web *w, int64_t now_ns, int err)
{
    for (uint32_t i = 0; i < w->slots.len; i++) {
        struct slot *s = slab_at(&w->slots, i);

        if (s != NULL && s->deadline_ns <= now_ns)
            slot_end(w, s->r->slot, err);
    }
}

static void pump_run(void *arg)
{
    struct web *w = arg;
    struct mailbox_batch batch = {0};
    int64_t flush_ns = 0, beat_ns = os_mono_ns() + EVENT_BEAT_NS;
    bool busy = false, rests = false;

    while (!w->stopping) {
        int64_t now_ns;

        atomic_store(&w->pump_rests, rests);
        (void)mailbox_wait(w->mail, rests ? PUMP_REST_MS : busy ? PUMP_TICK_MS : PUMP_IDLE_MS);
        atomic_store(&w->pump_rests, false);
        rests = pump_take(w, &batch);
        now_ns = os_mono_ns();
        web_lock(w);
        pump_deadlines(w, now_ns, ERR_TIMEOUT);
        front_sweep(w, now_ns);
        if (now_ns >= flush_ns) {
            flush_ns = now_ns + EVENT_FLUSH_NS;
            events_flush(w);
            if (atomic_exchange(&w->resync, false))
                events_snapshot_all(w);
        }
        if (now_ns >= beat_ns) {
            beat_ns = now_ns + EVENT_BEAT_NS;
            events_beat(w, now_ns);
        }
        busy = w->slots.live > 0 || w->events.pending.n > 0;
        web_unlock(w);
    }
    mailbox_batch_free(&batch);
}

int pump_start(struct web *w)
{
    int err = mailbox_new(MAIL_EVENTS, MAIL_REPLIES, &w->mail);

    return err != 0 ? err : os_thread_start("web-pump", pump_run, w, &w->pump);
}

void pump_stop(struct web *w)
{
    w->stopping = true;
    os_thread_join(w->pump);
    w->pump = NULL;
    web_lock(w);
    pump_deadlines(w, INT64_MAX, ERR_CLOSED);
    events_end(w, 0, "");
    web_unlock(w);
}

void web_deliver(struct web *w, const struct out *o)
{
    bool reply = o->type == OUT_REPLY && o->to.kind == FROM_WEB;
    struct str msg = str_from((const char *)o, o->size);

    if (!reply && o->type != OUT_EVENT)
        return;
    if (mailbox_put(w->mail, reply ? MAIL_ENDING : MAIL_NORMAL, msg, STR_NONE) == 0) {
        if (reply)
            atomic_store(&w->replied, true);
        return;
    }
    metric_add(&w->dropped, 1);
    w->resync = true;
    if (reply)
        log_line(LOG_ERROR, "web", o->cause, "no room for a reply; its request will time out");
}

void web_delivered(struct web *w)
{
    if (atomic_exchange(&w->replied, false) || !atomic_load(&w->pump_rests) ||
        mailbox_waiting(w->mail, MAIL_NORMAL) >= PUMP_MUCH)
        mailbox_wake(w->mail);
}
