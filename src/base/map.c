// SPDX-License-Identifier: Apache-2.0
/* map.c: see map.h. Data: a table of 2^k slots (mask = 2^k − 1), none until the first put; key 0
 * beside it, since a slot with that key is free.
 *
 * Invariants:
 *  1. An entry stands at its home slot or after it with no free slot between (so a search may end
 *     at the first free slot; deletion shifts back what would break this).
 *  2. n ≤ cap and n ≤ 3/4 of the slots.
 *
 * Fails with ERR_FULL or ERR_NOMEM, the table unchanged. */
#include "base/map.h"

#include "base/err.h"
#include "base/hash.h"

#include <stdlib.h>

enum { SLOTS_MIN = 16 };

/* True when one more entry needs a larger table. */
static bool crowded(size_t n, size_t slots)
{
    return (n + 1) * 4 > slots * 3;
}

/* Whether an entry with this home, standing at `at`, may move back to the hole. */
static bool may_move(size_t home, size_t at, size_t hole, size_t mask)
{
    return ((at - home) & mask) >= ((at - hole) & mask);
}

void map_init(struct map *m, size_t cap, uint64_t seed)
{
    *m = (struct map){.cap = cap, .seed = seed};
}

void map_free(struct map *m)
{
    free(m->slots);
    map_init(m, m->cap, m->seed);
}

/* The slot that holds the key (not 0), or the free slot where it would go. The table is not empty. */
static struct map_slot *slot_of(const struct map *m, uint64_t key)
{
    size_t i = hash_u64(key, m->seed) & m->mask;
    while (m->slots[i].key && m->slots[i].key != key)
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

/* The smallest table that n entries and one more fit in. */
static size_t size_for(size_t n)
{
    size_t size = SLOTS_MIN;
    while (crowded(n, size))
        size *= 2;
    return size;
}

static int map_resize(struct map *m, size_t size)
{
    struct map old = *m;
    m->slots = calloc(size, sizeof *m->slots);
    if (!m->slots) {
        m->slots = old.slots;
        return ERR_NOMEM;
    }
    m->mask = size - 1;
    for (size_t i = 0; old.slots && i <= old.mask; i++) {
        if (old.slots[i].key)
            *slot_of(m, old.slots[i].key) = old.slots[i];
    }
    free(old.slots);
    return 0;
}

static int zero_put(struct map *m, uint64_t val)
{
    if (!m->zero && m->n >= m->cap)
        return ERR_FULL;
    m->n += !m->zero;
    m->zero = true;
    m->zero_val = val;
    return 0;
}

int map_put(struct map *m, uint64_t key, uint64_t val)
{
    if (!key)
        return zero_put(m, val);
    struct map_slot *s = m->slots ? slot_of(m, key) : NULL;
    if (s && s->key) {
        s->val = val;
        return 0;
    }
    if (m->n >= m->cap)
        return ERR_FULL;
    if (!s || crowded(m->n, m->mask + 1)) {
        int err = map_resize(m, size_for(m->n));
        if (err)
            return err;
        s = slot_of(m, key);
    }
    *s = (struct map_slot){.key = key, .val = val};
    m->n++;
    return 0;
}

bool map_get(const struct map *m, uint64_t key, uint64_t *val)
{
    if (!key) {
        if (m->zero)
            *val = m->zero_val;
        return m->zero;
    }
    if (!m->slots)
        return false;
    const struct map_slot *s = slot_of(m, key);
    if (s->key)
        *val = s->val;
    return s->key != 0;
}

void map_ahead(const struct map *m, uint64_t key)
{
    if (m->n)
        EV_PREFETCH(&m->slots[hash_u64(key, m->seed) & m->mask]);
}

void *map_get_ptr(const struct map *m, uint64_t key)
{
    uint64_t val;
    return map_get(m, key, &val) ? (void *)(uintptr_t)val : NULL;
}

int map_put_ptr(struct map *m, uint64_t key, void *val)
{
    return map_put(m, key, (uint64_t)(uintptr_t)val);
}

static bool zero_del(struct map *m)
{
    bool was = m->zero;
    m->n -= was;
    m->zero = false;
    return was;
}

bool map_del(struct map *m, uint64_t key)
{
    if (!key)
        return zero_del(m);
    struct map_slot *s = m->slots ? slot_of(m, key) : NULL;
    if (!s || !s->key)
        return false;
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & m->mask; m->slots[i].key; i = (i + 1) & m->mask) {
        if (may_move(hash_u64(m->slots[i].key, m->seed) & m->mask, i, hole, m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    m->n--;
    return true;
}

void map_trim(struct map *m)
{
    size_t size = size_for(m->n);
    if (m->slots && size < (m->mask + 1) / 2)
        (void)map_resize(m, size); /* without memory it stays as it is */
}

bool map_next(const struct map *m, size_t *i, uint64_t *key, uint64_t *val)
{
    size_t slots = m->slots ? m->mask + 1 : 0;
    for (; *i < slots; ++*i) {
        const struct map_slot *s = &m->slots[*i];
        if (s->key) {
            *key = s->key;
            *val = s->val;
            ++*i;
            return true;
        }
    }
    if (*i > slots || !m->zero)
        return false;
    *key = 0; /* after the slots */
    *val = m->zero_val;
    ++*i;
    return true;
}

void strmap_init(struct strmap *m, size_t cap, uint64_t seed)
{
    *m = (struct strmap){.cap = cap, .seed = seed};
}

void strmap_free(struct strmap *m)
{
    for (size_t i = 0; m->slots && i <= m->mask; i++)
        free(m->slots[i].key);
    free(m->slots);
    strmap_init(m, m->cap, m->seed);
}

static struct strmap_slot *str_slot(const struct strmap *m, struct str key, uint32_t hash)
{
    size_t i = hash & m->mask;
    for (;; i = (i + 1) & m->mask) {
        struct strmap_slot *s = &m->slots[i];
        if (!s->key || (s->hash == hash && str_eq((struct str){s->key, s->len}, key)))
            return s;
    }
}

static uint32_t str_hash(const struct strmap *m, struct str key)
{
    return (uint32_t)hash_bytes(key.p, key.n, m->seed);
}

/* Moves a slot into a table known not to hold its key. */
static void str_place(struct strmap *m, const struct strmap_slot *from)
{
    size_t i = from->hash & m->mask;
    while (m->slots[i].key)
        i = (i + 1) & m->mask;
    m->slots[i] = *from;
}

static int strmap_resize(struct strmap *m, size_t size)
{
    struct strmap old = *m;
    m->slots = calloc(size, sizeof *m->slots);
    if (!m->slots) {
        m->slots = old.slots;
        return ERR_NOMEM;
    }
    m->mask = size - 1;
    for (size_t i = 0; old.slots && i <= old.mask; i++) {
        if (old.slots[i].key)
            str_place(m, &old.slots[i]);
    }
    free(old.slots);
    return 0;
}

int strmap_put(struct strmap *m, struct str key, uint64_t val)
{
    uint32_t hash = str_hash(m, key);
    struct strmap_slot *s = m->slots ? str_slot(m, key, hash) : NULL;
    if (s && s->key) {
        s->val = val;
        return 0;
    }
    if (m->n >= m->cap)
        return ERR_FULL;
    if (key.n >= UINT32_MAX)
        return ERR_TOO_LARGE;
    int err = !s || crowded(m->n, m->mask + 1) ? strmap_resize(m, size_for(m->n)) : 0;
    if (err)
        return err;
    struct strmap_slot put = {malloc(key.n + 1), (uint32_t)key.n, hash, val};
    if (!put.key)
        return ERR_NOMEM;
    str_copy(put.key, key.n + 1, key);
    str_place(m, &put);
    m->n++;
    return 0;
}

bool strmap_get(const struct strmap *m, struct str key, uint64_t *val)
{
    if (!m->n)
        return false;
    const struct strmap_slot *s = str_slot(m, key, str_hash(m, key));
    if (s->key)
        *val = s->val;
    return s->key != NULL;
}

bool strmap_del(struct strmap *m, struct str key)
{
    struct strmap_slot *s = m->n ? str_slot(m, key, str_hash(m, key)) : NULL;
    if (!s || !s->key)
        return false;
    free(s->key);
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & m->mask; m->slots[i].key; i = (i + 1) & m->mask) {
        if (may_move(m->slots[i].hash & m->mask, i, hole, m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct strmap_slot){0};
    m->n--;
    return true;
}

void strmap_trim(struct strmap *m)
{
    size_t size = size_for(m->n);
    if (m->slots && size < (m->mask + 1) / 2)
        (void)strmap_resize(m, size);
}
