// SPDX-License-Identifier: Apache-2.0
/* arena.h: memory for one message or request. Allocation is a pointer bump; everything dies at
 * once in arena_reset. The arena grows by chunks up to its cap and then answers NULL: input may
 * exhaust it, so callers turn NULL into ERR_TOO_LARGE. One thread. */
#ifndef EVEN_BASE_ARENA_H
#define EVEN_BASE_ARENA_H

#include "base/str.h"

struct arena {
    struct arena_chunk *head; /* newest first; the oldest survives a reset */
    size_t used, size;        /* of the newest chunk */
    size_t total, cap;        /* bytes over all chunks, and their limit */
};

/** Prepares an empty arena that never holds more than `cap` bytes. Allocates nothing yet. */
void arena_init(struct arena *a, size_t cap);
/** 16-byte-aligned zeroed memory, or NULL at the cap. */
EV_MUST_USE void *arena_alloc(struct arena *a, size_t n);
/** Zeroed array of n objects of `size` bytes, overflow-checked, or NULL. */
EV_MUST_USE void *arena_array(struct arena *a, size_t n, size_t size);
/** NUL-terminated copy, or NULL at the cap. */
EV_MUST_USE char *arena_copy(struct arena *a, struct str s);
/** Formatted text as a str in the arena; STR_NONE at the cap. */
EV_MUST_USE struct str arena_printf(struct arena *a, const char *fmt, ...) EV_PRINTF(2, 3);
/** Forgets everything; keeps one chunk for the next message. */
void arena_reset(struct arena *a);
/** Gives all memory back. */
void arena_free(struct arena *a);

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

#endif
