// SPDX-License-Identifier: Apache-2.0
/* test_pg.h: the groups of test_pg and what they share: the two stores side by side. */
#ifndef EVEN_TEST_PG_H
#define EVEN_TEST_PG_H

// clang-format off: cmocka.h needs these before it
#include <setjmp.h> /* cmocka.h asks for it; nothing here jumps */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "pg_server.h"
#include "store/store.h"

/** A store on each engine, each with its own folder. */
struct pair {
    char dir[2][100];
    const char *path[2]; /* what the database port opens */
    char file[120];
    struct store *store[2];
};

/** cmocka setup and teardown: both stores open and empty. */
int pair_make(void **state);
int pair_drop(void **state);
/** Gives the same batch to both, which must answer the same; returns that. */
int pair_commit(struct pair *p, struct str rows, struct str samples);
/** Asserts that every table holds the same rows, and that a load gives the same ones in the same
 * order. Returns the number of rows. */
int64_t pair_same(struct pair *p);

int port_tests(void);
int claim_tests(void);
int same_tests(void);
int world_tests(void);

#endif
