// SPDX-License-Identifier: Apache-2.0
/* idset.c: see idset.h. Data: a table of 2^k slots (mask = 2^k − 1), none until the first id.
 *
 * Invariants:
 *  1. An id stands at its home slot or after it with no free slot between.
 *  2. n ≤ cap and n ≤ 3/4 of the slots.
 *
 * Fails with ERR_FULL or ERR_NOMEM, the table unchanged; a table that cannot shrink stays. */
#include "base/idset.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

#include <stdlib.h>

enum { SLOTS_MIN = 16, SPARSE = 8 };

void idset_init(struct idset *s, size_t cap, uint64_t seed)
{
    *s = (struct idset){.cap = cap, .seed = seed};
}

void idset_free(struct idset *s)
{
    free(s->slots);
    idset_init(s, s->cap, s->seed);
}

static size_t home(const struct idset *s, int64_t id)
{
    return hash_u64((uint64_t)id, s->seed) & s->mask;
}

/* Where the id stands, or the free slot where it would. There is a table. */
static int64_t *slot_of(const struct idset *s, int64_t id)
{
    size_t i = home(s, id);
    while (s->slots[i] && s->slots[i] != id)
        i = (i + 1) & s->mask;
    return &s->slots[i];
}

static int resize(struct idset *s, size_t size)
{
    struct idset old = *s;
    int64_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    s->slots = slots;
    s->mask = size - 1;
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i])
            *slot_of(s, old.slots[i]) = old.slots[i];
    free(old.slots);
    return 0;
}

int idset_add(struct idset *s, int64_t id)
{
    must(id != 0);
    if (idset_has(s, id))
        return 0;
    if (s->n >= s->cap)
        return ERR_FULL;
    size_t size = s->slots ? s->mask + 1 : 0;
    int err = (s->n + 1) * 4 > size * 3 ? resize(s, size ? size * 2 : SLOTS_MIN) : 0;
    if (err)
        return err;
    *slot_of(s, id) = id;
    s->n++;
    return 0;
}

bool idset_has(const struct idset *s, int64_t id)
{
    return s->n && id && *slot_of(s, id) == id;
}

bool idset_del(struct idset *s, int64_t id)
{
    if (!idset_has(s, id))
        return false;
    size_t hole = (size_t)(slot_of(s, id) - s->slots);
    for (size_t i = (hole + 1) & s->mask; s->slots[i]; i = (i + 1) & s->mask)
        if (((i - home(s, s->slots[i])) & s->mask) >= ((i - hole) & s->mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    s->slots[hole] = 0;
    s->n--;
    if (s->mask >= SLOTS_MIN && s->n * SPARSE < s->mask)
        (void)resize(s, (s->mask + 1) / 2);
    return true;
}
