// SPDX-License-Identifier: Apache-2.0
/* keep.h: what the world has instead of a database: every row of every sealed batch, in memory, by
 * primary key. It checks what a database would (an INSERT is new, a DELETE hits), loads a new core
 * after a kill, and answers core_needs.
 *
 * One thread. A broken rule fails the test at once (must). */
#ifndef EVEN_WORLD_KEEP_H
#define EVEN_WORLD_KEEP_H

#include "base/map.h"
#include "core/core.h"
#include "core/rows.h"

struct keep_row {
    char *packed; /* NULL = deleted */
    size_t n;
    uint8_t table;
};
struct keep {
    struct strmap keys; /* table and primary key → index */
    struct keep_row *rows;
    size_t n, size;
    struct sample_record *samples;
    size_t samples_n, samples_size;
    struct arena scratch;
};

void keep_init(struct keep *k);
void keep_free(struct keep *k);
/** Takes the rows and samples of a sealed batch. */
void keep_commit(struct keep *k, struct str rows, struct str samples);
/** Loads a core as the store does at start. */
void keep_load(struct keep *k, struct core *core);
/** Answers one need: loads what is there, or says that it is absent. */
void keep_fetch(struct keep *k, struct core *core, const struct core_need *need);

#endif
