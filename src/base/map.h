// SPDX-License-Identifier: Apache-2.0
/* map.h: open-addressing hash maps, seeded at init against chosen keys. `map` goes from a 64-bit
 * key to a pointer or integer; `strmap` from bytes to the same (keys are copied). Linear probing,
 * grow at 3/4, backward-shift deletion. Iteration order is that of the table and says nothing. One
 * thread. */
#ifndef EVEN_BASE_MAP_H
#define EVEN_BASE_MAP_H

#include "base/str.h"

struct map_slot {
    uint64_t key, val; /* key 0: free */
};
struct map {
    struct map_slot *slots;
    size_t n, mask, cap; /* cap: most entries ever allowed */
    uint64_t seed;
    uint64_t zero_val; /* of key 0, which has no slot */
    bool zero;
};

void map_init(struct map *m, size_t cap, uint64_t seed);
void map_free(struct map *m);
/** Inserts or replaces; ERR_FULL at the cap. */
EV_MUST_USE int map_put(struct map *m, uint64_t key, uint64_t val);
bool map_get(const struct map *m, uint64_t key, uint64_t *val);
/** Begins to fetch where the key stands, for a map_get soon. */
void map_ahead(const struct map *m, uint64_t key);
/** The pointer stored under key, or NULL. */
void *map_get_ptr(const struct map *m, uint64_t key);
EV_MUST_USE int map_put_ptr(struct map *m, uint64_t key, void *val);
bool map_del(struct map *m, uint64_t key);
/** Gives back what a table has that was much fuller once. */
void map_trim(struct map *m);
/** Next used slot at or after *i; advances *i; false at the end. */
bool map_next(const struct map *m, size_t *i, uint64_t *key, uint64_t *val);

struct strmap_slot {
    char *key;
    uint32_t len, hash;
    uint64_t val;
};
struct strmap {
    struct strmap_slot *slots;
    size_t n, mask, cap;
    uint64_t seed;
};
void strmap_init(struct strmap *m, size_t cap, uint64_t seed);
void strmap_free(struct strmap *m);
EV_MUST_USE int strmap_put(struct strmap *m, struct str key, uint64_t val);
bool strmap_get(const struct strmap *m, struct str key, uint64_t *val);
bool strmap_del(struct strmap *m, struct str key);
void strmap_trim(struct strmap *m);

#endif
