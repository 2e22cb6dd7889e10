// SPDX-License-Identifier: Apache-2.0
/* heap.c: see heap.h. Data: v[0 … n-1], a binary heap of borrowed timers. The keys stand in the
 * heap itself, so that sifting does not go through a thousand cold timers.
 *
 * Invariants:
 *  1. v[i] is no earlier than v[(i-1)/2].
 *  2. v[i].t->pos == i + 1.
 *  3. A timer that is not in the heap has pos 0.
 *  4. v[i] is no later than v[i].t is due: the first whose key is its timer's is the earliest. */
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

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->seq < b->seq);
}

static void set_at(struct heap *h, uint32_t i, struct heap_node x)
{
    h->v[i] = x;
    x.t->pos = i + 1;
}

static void sift_up(struct heap *h, uint32_t i, struct heap_node x)
{
    while (i && before(&x, &h->v[(i - 1) / 2])) {
        set_at(h, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    set_at(h, i, x);
}

static void sift_down(struct heap *h, uint32_t i, struct heap_node x)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && before(&h->v[child + 1], &h->v[child]))
            child++;
        if (!before(&h->v[child], &x))
            break;
        set_at(h, i, h->v[child]);
        i = child;
    }
    set_at(h, i, x);
}

static void settle(struct heap *h, uint32_t i, struct heap_node x)
{
    if (i && before(&x, &h->v[(i - 1) / 2]))
        sift_up(h, i, x);
    else
        sift_down(h, i, x);
}

static int grow(struct heap *h)
{
    if (h->n == h->cap)
        return ERR_FULL;
    uint32_t size = h->size < 16 ? 16 : h->size > h->cap / 2 ? h->cap : h->size * 2;
    struct heap_node *v = realloc(h->v, size * sizeof *v);
    if (!v)
        return ERR_NOMEM;
    h->v = v;
    h->size = size;
    return 0;
}

int heap_set(struct heap *h, struct timer *t, int64_t due_ms)
{
    bool later = t->pos && due_ms >= h->v[t->pos - 1].due_ms;
    if (!t->pos) {
        int err = h->n == h->size || h->n == h->cap ? grow(h) : 0;
        if (err)
            return err;
        t->pos = ++h->n;
    }
    t->due_ms = due_ms;
    t->seq = ++h->seq;
    if (!later)
        sift_up(h, t->pos - 1, (struct heap_node){due_ms, t->seq, t});
    return 0;
}

void heap_cancel(struct heap *h, struct timer *t)
{
    if (!t->pos)
        return;
    uint32_t i = t->pos - 1;
    must(i < h->n && h->v[i].t == t);
    struct heap_node last = h->v[--h->n];
    t->pos = 0;
    if (last.t != t)
        settle(h, i, last);
}

/* The earliest timer, or NULL: those set for later meanwhile go to their place first. */
static struct timer *first(struct heap *h)
{
    while (h->n) {
        struct timer *t = h->v[0].t;
        if (h->v[0].seq == t->seq)
            return t;
        sift_down(h, 0, (struct heap_node){t->due_ms, t->seq, t});
    }
    return NULL;
}

int64_t heap_due(struct heap *h)
{
    const struct timer *t = first(h);
    return t ? t->due_ms : INT64_MAX;
}

struct timer *heap_pop(struct heap *h, int64_t now_ms)
{
    struct timer *t = h->n && h->v[0].due_ms <= now_ms ? first(h) : NULL;
    if (!t || t->due_ms > now_ms)
        return NULL;
    heap_cancel(h, t);
    return t;
}
