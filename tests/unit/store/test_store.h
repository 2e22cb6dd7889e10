// SPDX-License-Identifier: Apache-2.0
/* test_store.h: the groups of test_store and what they share: a folder that goes away with its
 * test, a store in it, rows made of a seed. */
#ifndef EVEN_TEST_STORE_H
#define EVEN_TEST_STORE_H

// clang-format off: cmocka.h needs these before it
#include <setjmp.h> /* cmocka.h asks for it; nothing here jumps */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "base/hash.h"
#include "store/store.h"

struct box {
    char dir[100];
    struct store *store;
    struct buf rows, samples;
};

/** cmocka setup and teardown: *state is a struct box with an empty folder; the teardown closes what
 * is open. */
int box_make(void **state);
int box_drop(void **state);
void box_open(struct box *b);
void box_close(struct box *b);
/** Commits what was packed into b->rows and b->samples, and empties both. */
void box_commit(struct box *b);
/** "DIR/name" in a static buffer, until the next call. */
const char *box_path(const struct box *b, const char *name);
/** Packs a part and where its party finds it. */
struct row_split_part;
void box_part(struct box *b, const struct row_split_part *row);
/** First column of the first row of a statement on the box's database. */
int64_t box_number(const struct box *b, const char *sql);
/** Changes the database behind the back of the store. */
void box_exec(const struct box *b, const char *sql);
/** Runs `even check` on the closed box; its words are in `said`. */
int box_check(const struct box *b, char *said, size_t size);
/** Commits, closes, and finds the books right. */
void box_right(struct box *b);
/** Asserts that the check finds each wrong: one at a time is done to the closed box's database behind
 * the store's back, and `violation RULE` must be among the words. */
struct box_wrong {
    const char *rule, *sql;
};
void box_wrongs(struct box *b, const struct box_wrong *wrongs, size_t n);
void sample_add(struct box *b, int64_t session, int64_t at_ms, const struct core_sample *s);

/** Fills a row struct of any table with values of a seed; texts live in the arena. `small`: numbers
 * 1 … 1,000. */
void row_random(struct rng *r, enum row_table t, struct arena *a, void *row, bool small);
/** Asserts that two rows are equal, column by column. */
void row_same(enum row_table t, const void *a, const void *b);
/** A sample with values that a charger would send. */
struct core_sample sample_plain(int i);

int apply_tests(void);
int rows_tests(void);
int codec_tests(void);
int db_tests(void);
int life_tests(void);
int query_tests(void);
int backup_tests(void);
int check_tests(void);
int chain_tests(void);
int check_recon_tests(void);
int check_tax_tests(void);
int check_lot_tests(void);
int check_statement_tests(void);
int shares_tests(void);

#endif
