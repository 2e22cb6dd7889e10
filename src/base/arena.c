// SPDX-License-Identifier: Apache-2.0
/* arena.c: see arena.h. Data: a list of chunks, newest first.
 *
 * Invariants:
 *  1. total = sum of chunk sizes ≤ cap.
 *  2. Head's bytes [0, used) are handed out, the rest is free.
 *  3. What is handed out is zeroed and 16-byte aligned.
 *
 * Fails with NULL only. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGN = 16, CHUNK_MIN = 4096 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    /* Padding up to the alignment, then the bytes. */
};

#define HEAD_SIZE ((sizeof(struct arena_chunk) + ALIGN - 1) / ALIGN * ALIGN)

static char *chunk_bytes(struct arena_chunk *c)
{
    return (char *)c + HEAD_SIZE;
}

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap};
}

/* A new head with room for n (already aligned). Doubles, so that a message costs few chunks. */
static bool chunk_add(struct arena *a, size_t n)
{
    size_t room = a->cap - a->total;
    if (n > room)
        return false;
    size_t size = a->size * 2 < CHUNK_MIN ? CHUNK_MIN : a->size * 2;
    if (size > room)
        size = room / ALIGN * ALIGN;
    if (size < n)
        size = n;
    struct arena_chunk *c = malloc(HEAD_SIZE + size);
    if (!c)
        return false;
    *c = (struct arena_chunk){.next = a->head, .size = size};
    a->head = c;
    a->used = 0;
    a->size = size;
    a->total += size;
    return true;
}

static void *take(struct arena *a, size_t n)
{
    if (n > SIZE_MAX - ALIGN)
        return NULL;
    n = (n + ALIGN - 1) / ALIGN * ALIGN;
    if (n > a->size - a->used && !chunk_add(a, n))
        return NULL;
    void *p = chunk_bytes(a->head) + a->used;
    a->used += n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p = take(a, n ? n : 1);
    if (p)
        memset(p, 0, n);
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return NULL;
    return arena_alloc(a, n * size);
}

char *arena_copy(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? take(a, s.n + 1) : NULL;
    if (!p)
        return NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : take(a, (size_t)n + 1);
    if (!p)
        return STR_NONE;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct str){p, (size_t)n};
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *c = a->head;
    if (!c)
        return;
    while (c->next) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    a->head = c;
    a->used = 0;
    a->size = a->total = c->size;
}

void arena_free(struct arena *a)
{
    arena_reset(a);
    free(a->head);
    arena_init(a, a->cap);
}
