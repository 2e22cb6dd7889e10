// SPDX-License-Identifier: Apache-2.0
/* heap.c: see heap.h. Data: v[0 … n-1], a binary heap of borrowed timers.
 *
 * Invariants:
 *  1. v[i] is due no earlier than v[(i-1)/2].
 *  2. v[i]->pos == i + 1.
 *  3. A timer that is not in the heap has pos 0. */
#include "base/heap.h"

#include "base/err.h"
#include "base/must.h"

#include <stdlib.h>

void heap_init(struct heap *h, uint32_t cap)
{
    *h = (struct heap){.cap = cap};
}

void heap_free(struct heap *h)
{
    free(h->v);
    heap_init(h, h->cap);
}

static bool before(const struct timer *a, const struct timer *b)
{
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->seq < b->seq);
}

static void set_at(struct heap *h, uint32_t i, struct timer *t)
{
    h->v[i] = t;
    t->pos = i + 1;
}

static void sift_up(struct heap *h, uint32_t i, struct timer *t)
{
    while (i && before(t, h->v[(i - 1) / 2])) {
        set_at(h, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    set_at(h, i, t);
}

static void sift_down(struct heap *h, uint32_t i, struct timer *t)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && before(h->v[child + 1], h->v[child]))
            child++;
        if (!before(h->v[child], t))
            break;
        set_at(h, i, h->v[child]);
        i = child;
    }
    set_at(h, i, t);
}

static void settle(struct heap *h, uint32_t i, struct timer *t)
{
    if (i && before(t, h->v[(i - 1) / 2]))
        sift_up(h, i, t);
    else
        sift_down(h, i, t);
}

static int grow(struct heap *h)
{
    if (h->n == h->cap)
        return ERR_FULL;
    uint32_t size = h->size < 16 ? 16 : h->size > h->cap / 2 ? h->cap : h->size * 2;
    struct timer **v = realloc(h->v, size * sizeof(struct timer *));
    if (!v)
        return ERR_NOMEM;
    h->v = v;
    h->size = size;
    return 0;
}

int heap_set(struct heap *h, struct timer *t, int64_t due_ms)
{
    if (!t->pos) {
        int err = h->n == h->size || h->n == h->cap ? grow(h) : 0;
        if (err)
            return err;
        t->pos = ++h->n;
    }
    t->due_ms = due_ms;
    t->seq = ++h->seq;
    settle(h, t->pos - 1, t);
    return 0;
}

void heap_cancel(struct heap *h, struct timer *t)
{
    if (!t->pos)
        return;
    uint32_t i = t->pos - 1;
    must(i < h->n && h->v[i] == t);
    struct timer *last = h->v[--h->n];
    t->pos = 0;
    if (last != t)
        settle(h, i, last);
}

int64_t heap_due(const struct heap *h)
{
    return h->n ? h->v[0]->due_ms : INT64_MAX;
}

struct timer *heap_pop(struct heap *h, int64_t now_ms)
{
    if (!h->n || h->v[0]->due_ms > now_ms)
        return NULL;
    struct timer *t = h->v[0];
    heap_cancel(h, t);
    return t;
}
