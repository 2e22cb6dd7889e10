// SPDX-License-Identifier: Apache-2.0
/* framelog.c: see framelog.h. Data: two rings of words a log, a table of watched chargers.
 *
 * Thread: the reactor writes, web threads read. Failure: none after framelog_new; a frame that is
 * too long is cut. */
#include "io/os/framelog.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

#define HEAD_WORDS 6
#define EPOCH_MS   INT64_C(1577836800000) /* 2020: 41 bits of ms last until 2089 */

struct ring {
    _Atomic uint64_t head, tail; /* in words since the start */
    uint64_t size;               /* words, a power of two; 0 = no ring */
    _Atomic uint64_t *word;
};
struct watch {
    _Atomic int64_t charger, until_ms;
};
struct framewatch {
    _Atomic uint32_t n; /* slots in use */
    struct watch at[FRAMEWATCH_MAX];
};
struct framelog {
    struct ring ring[2]; /* watched, recent */
    const struct framewatch *watch;
    uint64_t seq;
    uint16_t reactor;
};
enum { WATCHED, RECENT, RINGS };

/* ---- who is looked at ---- */

int framewatch_new(struct framewatch **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : ERR_NOMEM;
}

void framewatch_free(struct framewatch *w)
{
    free(w);
}

static int64_t load(const _Atomic int64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

int framewatch_set(struct framewatch *w, int64_t charger, int64_t until_ms, int64_t now_ms)
{
    struct watch *place = NULL;
    for (int i = 0; i < FRAMEWATCH_MAX; i++) {
        struct watch *at = &w->at[i];
        if (load(&at->charger) == charger) {
            place = at;
            break;
        }
        if (!place && load(&at->until_ms) <= now_ms)
            place = at;
    }
    bool ends = until_ms <= now_ms;
    if (!place)
        return ends ? 0 : ERR_FULL;
    uint32_t used = (uint32_t)(place - w->at) + 1;
    if (ends && load(&place->charger) != charger)
        return 0;
    atomic_store_explicit(&place->until_ms, ends ? 0 : until_ms, memory_order_relaxed);
    atomic_store_explicit(&place->charger, ends ? 0 : charger, memory_order_relaxed);
    if (used > atomic_load_explicit(&w->n, memory_order_relaxed))
        atomic_store_explicit(&w->n, used, memory_order_relaxed);
    return 0;
}

int64_t framewatch_until(const struct framewatch *w, int64_t charger, int64_t now_ms)
{
    uint32_t n = w ? atomic_load_explicit(&w->n, memory_order_relaxed) : 0;
    for (uint32_t i = 0; i < n; i++)
        if (load(&w->at[i].charger) == charger) {
            int64_t until = load(&w->at[i].until_ms);
            return until > now_ms ? until : 0;
        }
    return 0;
}

/* ---- writing ---- */

static int ring_new(struct ring *r, size_t bytes)
{
    if (bytes == 0)
        return 0;
    r->size = 32; /* room for a row, always */
    while (r->size * 2 * sizeof(uint64_t) <= bytes)
        r->size *= 2;
    r->word = calloc(r->size, sizeof r->word[0]);
    return r->word ? 0 : ERR_NOMEM;
}

/* Takes a ring's memory from the system now: every frame goes there, so all of it would be taken soon,
 * page by page between frames. */
static void ring_touch(struct ring *r)
{
    for (uint64_t i = 0; i < r->size; i++)
        atomic_store_explicit(&r->word[i], 0, memory_order_relaxed);
}

int framelog_new(const struct framelog_config *cfg, struct framelog **out)
{
    struct framelog *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return ERR_NOMEM;
    must(cfg->reactor < 64);
    l->reactor = cfg->reactor;
    l->watch = cfg->watch;
    int err = ring_new(&l->ring[WATCHED], cfg->watch ? cfg->watched : 0);
    if (!err)
        err = ring_new(&l->ring[RECENT], cfg->recent);
    if (err) {
        framelog_free(l);
        return err;
    }
    ring_touch(&l->ring[RECENT]);
    *out = l;
    return 0;
}

void framelog_free(struct framelog *l)
{
    for (int i = 0; l && i < RINGS; i++)
        free(l->ring[i].word);
    free(l);
}

int64_t framelog_id(struct framelog *l, int64_t now_ms)
{
    uint64_t ms = now_ms > EPOCH_MS ? (uint64_t)(now_ms - EPOCH_MS) : 0;
    return (int64_t)((ms & ((UINT64_C(1) << 41) - 1)) << 22 | (uint64_t)l->reactor << 16 |
                     (l->seq++ & 0xffff));
}

int64_t framelog_time(int64_t id)
{
    return (id >> 22) + EPOCH_MS;
}

uint16_t framelog_reactor(int64_t id)
{
    return (uint16_t)(id >> 16 & 63);
}

static void word_set(struct ring *r, uint64_t at, uint64_t v)
{
    atomic_store_explicit(&r->word[at & (r->size - 1)], v, memory_order_release);
}

static uint64_t word_get(const struct ring *r, uint64_t at)
{
    return atomic_load_explicit(&r->word[at & (r->size - 1)], memory_order_acquire);
}

/* Forgets the oldest rows until `words` fit before head + words. */
static void room_make(struct ring *r, uint64_t head, uint64_t words)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed), was = tail;
    while (head + words - tail > r->size)
        tail += word_get(r, tail) >> 32;
    if (tail != was)
        atomic_store_explicit(&r->tail, tail, memory_order_release);
}

static void ring_put(struct ring *r, const struct framelog_row *row, struct str bytes)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t most = (size_t)r->size * sizeof(uint64_t) / 4;
    size_t n = bytes.n < FRAMELOG_BODY_MAX ? bytes.n : FRAMELOG_BODY_MAX;
    if (r->size == 0)
        return;
    n = n < most ? n : most;
    uint64_t words = HEAD_WORDS + (n + 7) / 8;
    room_make(r, head, words);
    word_set(r, head, words << 32 | n);
    word_set(r, head + 1, (uint64_t)row->id);
    word_set(r, head + 2, (uint64_t)row->charger);
    word_set(r, head + 3, (uint64_t)row->slot << 32 | row->gen);
    word_set(r, head + 4,
             (uint64_t)(uint32_t)bytes.n << 32 | (uint64_t)row->protocol << 24 |
                 (uint64_t)row->dir << 16 | (uint64_t)row->kind << 8 | row->result);
    word_set(r, head + 5, row->cause);
    for (size_t i = 0; i < n; i += 8) {
        uint64_t v = 0;
        memcpy(&v, bytes.p + i, n - i < 8 ? n - i : 8);
        word_set(r, head + HEAD_WORDS + i / 8, v);
    }
    atomic_store_explicit(&r->head, head + words, memory_order_release);
}

void framelog_put(struct framelog *l, const struct framelog_row *row, struct str bytes)
{
    ring_put(&l->ring[RECENT], row, bytes);
    if (l->watch && atomic_load_explicit(&l->watch->n, memory_order_relaxed) != 0 &&
        framewatch_until(l->watch, row->charger, framelog_time(row->id)))
        ring_put(&l->ring[WATCHED], row, bytes);
}

/* ---- reading ---- */

void framelog_read(const struct framelog *l, struct framelog_reader *r)
{
    *r = (struct framelog_reader){.log = l};
}

/* Copies the row at pos; false when the writer took its place meanwhile. */
static bool row_copy(const struct ring *r, uint64_t pos, int64_t charger, struct framelog_row *row,
                     char *bytes)
{
    uint64_t w0 = word_get(r, pos), w3 = word_get(r, pos + 3), w4 = word_get(r, pos + 4);
    *row = (struct framelog_row){.n = (uint32_t)w0,
                                 .id = (int64_t)word_get(r, pos + 1),
                                 .charger = (int64_t)word_get(r, pos + 2),
                                 .cause = word_get(r, pos + 5),
                                 .slot = (uint32_t)(w3 >> 32),
                                 .gen = (uint32_t)w3,
                                 .size = (uint32_t)(w4 >> 32),
                                 .protocol = (uint8_t)(w4 >> 24),
                                 .dir = (uint8_t)(w4 >> 16),
                                 .kind = (uint8_t)(w4 >> 8),
                                 .result = (uint8_t)w4};
    bool ours = row->charger == charger || row->charger == 0;
    for (uint32_t i = 0; ours && i < row->n && i < FRAMELOG_BODY_MAX; i += 8) {
        uint64_t v = word_get(r, pos + HEAD_WORDS + i / 8);
        memcpy(bytes + i, &v, row->n - i < 8 ? row->n - i : 8);
    }
    return atomic_load_explicit(&r->tail, memory_order_acquire) <= pos;
}

static bool ring_next(const struct ring *r, uint64_t *pos, int64_t charger,
                      struct framelog_row *row, char *bytes)
{
    uint64_t head = r->size ? atomic_load_explicit(&r->head, memory_order_acquire) : 0;
    for (;;) {
        uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (*pos < tail)
            *pos = tail;
        if (*pos >= head)
            return false;
        uint64_t words = word_get(r, *pos) >> 32;
        if (!row_copy(r, *pos, charger, row, bytes))
            continue; /* it is gone: go on with the oldest */
        *pos += words;
        if (row->charger == charger || row->charger == 0)
            return true;
    }
}

bool framelog_next(struct framelog_reader *r, int64_t charger, struct framelog_row *row,
                   char *bytes)
{
    while (r->ring < RINGS) {
        if (ring_next(&r->log->ring[r->ring], &r->pos, charger, row, bytes))
            return true;
        r->ring++;
        r->pos = 0;
    }
    return false;
}
