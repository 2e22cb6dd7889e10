// SPDX-License-Identifier: Apache-2.0
/* slab.h: fixed-size objects addressed by index and generation. Pages of 256 objects never move, so
 * pointers stay valid until slab_put; handles (index, gen) may cross threads and go stale safely.
 * Capacity is fixed at init (configuration); one thread. */
#ifndef EVEN_BASE_SLAB_H
#define EVEN_BASE_SLAB_H

#include "base/compiler.h"

struct slab {
    size_t obj_size;
    uint32_t cap, len, free_head; /* free_head = UINT32_MAX when empty */
    uint32_t live, room;
    void **pages;
    uint32_t *gens; /* odd = in use */
    uint32_t *next_free;
};

struct slab_ref {
    uint32_t index, gen;
};

void slab_init(struct slab *s, size_t obj_size, uint32_t cap);
/** A zeroed object and its handle, or NULL at capacity. */
EV_MUST_USE void *slab_get(struct slab *s, struct slab_ref *ref);
/** The live object of the handle, or NULL when it is stale. */
void *slab_find(const struct slab *s, struct slab_ref ref);
/** Begins to fetch the object at an index, for a find soon. */
void slab_ahead(const struct slab *s, uint32_t index);
/** The live object at an index, or NULL. For iteration 0 … s->len-1. */
void *slab_at(const struct slab *s, uint32_t index);
/** The handle of the live object at an index. */
struct slab_ref slab_ref_of(const struct slab *s, uint32_t index);
/** Frees a live object; the handle goes stale. */
void slab_put(struct slab *s, struct slab_ref ref);
/** Gives back the pages that hold no live object; they are made again when needed. */
void slab_trim(struct slab *s);
void slab_free(struct slab *s);

#endif
