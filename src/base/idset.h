// SPDX-License-Identifier: Apache-2.0
/* idset.h: a set of ids (not 0): a hash table of nothing but the ids, half the size of a map, for sets
 * that hold one for each charger. Linear probing, seeded at init; grows at 3/4 and shrinks below 1/8,
 * so that it does not keep the size of a storm. One thread. */
#ifndef EVEN_BASE_IDSET_H
#define EVEN_BASE_IDSET_H

#include "base/compiler.h"

struct idset {
    int64_t *slots; /* 0: free */
    size_t n, mask, cap;
    uint64_t seed;
};

/** An empty set that never holds more than `cap` ids. Allocates nothing yet. */
void idset_init(struct idset *s, size_t cap, uint64_t seed);
void idset_free(struct idset *s);
/** ERR_FULL at the cap, ERR_NOMEM; 0 also when it was there. */
EV_MUST_USE int idset_add(struct idset *s, int64_t id);
bool idset_has(const struct idset *s, int64_t id);
/** True when it was there. */
bool idset_del(struct idset *s, int64_t id);

#endif
