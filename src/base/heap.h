// SPDX-License-Identifier: Apache-2.0
/* heap.h: timers. A binary min-heap of (due_ms, seq), so that a timer is moved or cancelled in
 * O(log n) and equal times fire in the order they were set (determinism). A timer that is set again
 * for later, as each reading of a session does with two of them, stays where it is until its old
 * time comes: that costs nothing. */
#ifndef EVEN_BASE_HEAP_H
#define EVEN_BASE_HEAP_H

#include "base/compiler.h"

struct timer {
    int64_t due_ms;
    uint64_t seq;
    uint32_t pos; /* 1-based place in the heap; 0 = not set */
    uint16_t kind;
    uint16_t flags;
    uint64_t arg; /* the owner's key */
};
/** Its place in the heap: no later than the timer is due. */
struct heap_node {
    int64_t due_ms;
    uint64_t seq;
    struct timer *t;
};
struct heap {
    struct heap_node *v;
    uint32_t n, size, cap;
    uint64_t seq;
};

void heap_init(struct heap *h, uint32_t cap);
void heap_free(struct heap *h);
/** Sets or moves the timer. The heap borrows `t` until it fires or is cancelled. ERR_FULL at the
 * cap. */
EV_MUST_USE int heap_set(struct heap *h, struct timer *t, int64_t due_ms);
void heap_cancel(struct heap *h, struct timer *t);
/** The earliest due time, or INT64_MAX when there is none. */
int64_t heap_due(struct heap *h);
/** Takes the earliest timer with due_ms <= now, or NULL. */
struct timer *heap_pop(struct heap *h, int64_t now_ms);

#endif
