// SPDX-License-Identifier: Apache-2.0
/* slab.c: see slab.h. Data: pages of 256 objects, made when needed; a generation and a free-list link
 * for each place, in arrays that grow as places are used: a house has dozens of slabs of a million
 * places, and most stay nearly empty.
 *
 * Invariants:
 *  1. Places ≥ len were never used; what stands in gens and next_free there has no meaning.
 *  2. gens[i] is odd while place i is in use and grows at every get and put.
 *  3. live = number of odd generations;
 *  4. a place in use has its page;
 *  5. len ≤ room ≤ cap. */
#include "base/slab.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_OBJECTS = 256 };

void slab_init(struct slab *s, size_t obj_size, uint32_t cap)
{
    *s = (struct slab){.obj_size = (obj_size + 15) / 16 * 16, .cap = cap, .free_head = UINT32_MAX};
    s->pages = calloc(cap / PAGE_OBJECTS + 1, sizeof *s->pages);
    must(s->pages); /* at start only: there is nothing to serve without */
}

/* Makes room for the place `len`. */
static bool grow(struct slab *s)
{
    if (s->len < s->room)
        return true;
    if (s->room == s->cap)
        return false;
    uint32_t room = s->room ? s->room : PAGE_OBJECTS / 2;
    room = room < s->cap / 2 ? 2 * room : s->cap;
    uint32_t *gens = realloc(s->gens, room * sizeof *gens);
    if (!gens)
        return false;
    s->gens = gens;
    uint32_t *next_free = realloc(s->next_free, room * sizeof *next_free);
    if (!next_free)
        return false;
    s->next_free = next_free;
    s->room = room;
    return true;
}

static void *place(const struct slab *s, uint32_t i)
{
    return (char *)s->pages[i / PAGE_OBJECTS] + (i % PAGE_OBJECTS) * s->obj_size;
}

static bool page_ready(struct slab *s, uint32_t i)
{
    void **page = &s->pages[i / PAGE_OBJECTS];
    if (!*page)
        *page = malloc(PAGE_OBJECTS * s->obj_size);
    return *page != NULL;
}

void *slab_get(struct slab *s, struct slab_ref *ref)
{
    uint32_t i = s->free_head;
    if (i != UINT32_MAX) {
        if (!page_ready(s, i))
            return NULL;
        s->free_head = s->next_free[i];
    } else {
        i = s->len;
        if (!grow(s) || !page_ready(s, i))
            return NULL;
        s->gens[i] = 0;
        s->len++;
    }
    s->live++;
    *ref = (struct slab_ref){i, ++s->gens[i]};
    return memset(place(s, i), 0, s->obj_size);
}

void *slab_find(const struct slab *s, struct slab_ref ref)
{
    bool ok = ref.index < s->len && (ref.gen & 1) && s->gens[ref.index] == ref.gen;
    return ok ? place(s, ref.index) : NULL;
}

void *slab_at(const struct slab *s, uint32_t index)
{
    return index < s->len && (s->gens[index] & 1) ? place(s, index) : NULL;
}

struct slab_ref slab_ref_of(const struct slab *s, uint32_t index)
{
    must(slab_at(s, index));
    return (struct slab_ref){index, s->gens[index]};
}

void slab_ahead(const struct slab *s, uint32_t index)
{
    if (!slab_at(s, index))
        return;
    const char *p = place(s, index);
    EV_PREFETCH(&s->gens[index]);
    for (size_t at = 0; at < s->obj_size; at += 64)
        EV_PREFETCH(p + at);
}

void slab_put(struct slab *s, struct slab_ref ref)
{
    must(slab_find(s, ref));
    s->gens[ref.index]++;
    s->next_free[ref.index] = s->free_head;
    s->free_head = ref.index;
    s->live--;
}

static bool page_used(const struct slab *s, uint32_t page)
{
    for (uint32_t i = page * PAGE_OBJECTS; i < (page + 1) * PAGE_OBJECTS && i < s->len; i++)
        if (s->gens[i] & 1)
            return true;
    return false;
}

void slab_trim(struct slab *s)
{
    for (uint32_t page = 0; page * PAGE_OBJECTS < s->len; page++)
        if (s->pages[page] && !page_used(s, page)) {
            free(s->pages[page]);
            s->pages[page] = NULL;
        }
}

void slab_free(struct slab *s)
{
    for (uint32_t i = 0; s->pages && i <= s->cap / PAGE_OBJECTS; i++)
        free(s->pages[i]);
    free(s->pages);
    free(s->gens);
    free(s->next_free);
    *s = (struct slab){.free_head = UINT32_MAX};
}
