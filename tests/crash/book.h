// SPDX-License-Identifier: Apache-2.0
/* book.h: what clients were told, as two numbers: a sum over all rows of all tables and a sum over
 * all samples of all sessions, in order. The same numbers are worked out from a database folder by
 * plain SQL and a reader of the sample log of its own, so that two states are equal when their sums
 * are. Blocks of samples are not rows here: their samples count, wherever they lie.
 *
 * One thread. A row that cannot be read fails the test at once (must). */
#ifndef EVEN_CRASH_BOOK_H
#define EVEN_CRASH_BOOK_H

#include "base/arena.h"
#include "base/map.h"
#include "core/core.h"
#include "core/rows.h"

struct book_sum {
    uint64_t rows, samples;
};

struct book_row {
    uint64_t hash; /* 0 = deleted */
    char *packed;  /* only of tables whose upserts add */
    size_t n;
};

struct book {
    struct book_sum sum;
    struct strmap keys; /* table and primary key → index */
    struct book_row *rows;
    size_t rows_n, rows_size;
    struct map chains; /* session → hash over its samples so far */
    struct arena scratch;
};

void book_init(struct book *b);
void book_free(struct book *b);
/** Tables whose rows the store moves by itself: they, and the chain's links, are `even check`'s to judge. */
bool book_moves(enum row_table t);
/** Takes the rows, the samples of a sealed batch. */
void book_rows(struct book *b, struct str rows);
void book_samples(struct book *b, struct str samples);

/** The sums of what lies in a folder; a store may have it open. 0 or an error text. */
const char *book_read(const char *folder, struct book_sum *out);

#endif
