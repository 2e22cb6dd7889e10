// SPDX-License-Identifier: Apache-2.0
/* daily.c: see daily.h. Data: one array; a key may stand in any of WAYS neighbouring places. Fails
 * only in daily_open. Under the web's guard. */
#include "web/daily.h"

#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/hash.h"
#include "io/os/file.h"

enum { WAYS = 8, DAY_MS = 86400000 };

/* A code has a million values and ten tries: a phone's chance to be guessed in a day is 1 in 25,000.
 * Many honest drivers may stand behind one network of a mobile operator. */
static const int32_t most[DAILY_KINDS] = {
    [DAILY_CODE_PHONE] = 20,
    [DAILY_CODE_NET] = 2000,
    [DAILY_GUESS_PHONE] = 40,
    [DAILY_GUESS_NET] = 500,
};

int daily_open(struct daily *d, const char *path, uint64_t seed)
{
    void *p = NULL;
    int err = 0;

    if (path != NULL)
        err = file_map(path, DAILY_N * sizeof(d->at[0]), &p);
    else
        p = calloc(DAILY_N, sizeof(d->at[0]));
    if (err == 0 && p == NULL)
        err = ERR_NOMEM;
    *d = (struct daily){.at = p, .seed = seed, .mapped = path != NULL};
    memcpy(d->most, most, sizeof(d->most));
    return err;
}

void daily_close(struct daily *d)
{
    if (d->mapped)
        file_unmap(d->at, DAILY_N * sizeof(d->at[0]));
    else
        free(d->at);
    d->at = NULL;
}

int32_t daily_most(enum daily_kind kind)
{
    return most[kind];
}

static uint64_t key_of(const struct daily *d, enum daily_kind kind, struct str who)
{
    return hash_bytes(who.p, who.n, d->seed + (uint64_t)kind) | 1;
}

static struct daily_count *row_of(const struct daily *d, uint64_t key)
{
    return &d->at[(key >> 1) % (DAILY_N / WAYS) * WAYS];
}

/* A clock that was set back must not keep anybody out for longer than a day. */
static bool over(const struct daily_count *c, int64_t now_ms)
{
    return now_ms - c->from_ms >= DAY_MS || c->from_ms > now_ms;
}

int32_t daily_wait(const struct daily *d, enum daily_kind kind, struct str who, int64_t now_ms)
{
    uint64_t key = key_of(d, kind, who);
    const struct daily_count *row = row_of(d, key);

    for (int i = 0; i < WAYS; i++)
        if (row[i].key == key && row[i].n >= d->most[kind] && !over(&row[i], now_ms))
            return (int32_t)((row[i].from_ms + DAY_MS - now_ms + 999) / 1000);
    return 0;
}

/* The place that gives way: the first that is over, else that of the smallest count. */
static struct daily_count *place_for(struct daily_count *row, uint64_t key, int64_t now_ms)
{
    struct daily_count *least = &row[0];

    for (int i = 0; i < WAYS; i++)
        if (row[i].key == key)
            return &row[i];
    for (int i = 0; i < WAYS; i++) {
        if (row[i].key == 0 || over(&row[i], now_ms))
            return &row[i];
        if (row[i].n < least->n)
            least = &row[i];
    }
    return least;
}

void daily_count(struct daily *d, enum daily_kind kind, struct str who, int64_t now_ms)
{
    uint64_t key = key_of(d, kind, who);
    struct daily_count *c = place_for(row_of(d, key), key, now_ms);

    if (c->key != key || over(c, now_ms))
        *c = (struct daily_count){.key = key, .from_ms = now_ms};
    if (c->n < INT32_MAX)
        c->n++;
}
