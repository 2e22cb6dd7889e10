// SPDX-License-Identifier: Apache-2.0
/* store_internal.h: what the files of the store share, nobody else. */
#ifndef EVEN_STORE_STORE_INTERNAL_H
#define EVEN_STORE_STORE_INTERNAL_H

#include "io/db/db.h"
#include "schema_gen.h"
#include "store/store.h"

#define STORE_PATH_CAP 4096

/** "DIR/name" into out; ERR_TOO_LARGE. */
EV_MUST_USE int store_path(const char *dir, const char *name, char out[STORE_PATH_CAP]);
/** The folder given to store_open. */
const char *store_dir(const struct store *s);
/** What its connections open: the file in the folder, or the server. */
const char *store_db_path(const struct store *s);
/** db_claim of the writer. */
int64_t store_claim(const struct store *s);
/** db_journal_bytes of the writer; any thread. */
int64_t store_journal_bytes(const struct store *s);
/** Packed rows for the next commit, of another thread: one offer at a time. Not taken any more once they
 * are durable; what a crash forgets its maker makes again. */
bool store_offer_open(const struct store *s);
EV_MUST_USE int store_offer(struct store *s, struct str rows);
/** Logs what was tried and the engine's words; returns rc unchanged. */
EV_MUST_USE int store_fail(const struct db *db, int rc, const char *what);
/** Runs a prepared select of whole rows and gives each to fn; *found counts them. Resets the
 * statement. */
EV_MUST_USE int store_rows(struct db_stmt *st, enum row_table t, store_row_fn *fn, void *ctx,
                           uint32_t *found);

struct store_reader;
/** store_reader_open_path for walks over everything: with that much page cache. */
EV_MUST_USE int store_reader_open_wide(const char *db_path, size_t cache_bytes,
                                       struct store_reader **out);
/** The connection of a reader, for what is no query. */
struct db *store_reader_db(const struct store_reader *r);

#define STORE_DB_NAME      "even.db"
#define STORE_LOCK_NAME    "even.lock"
#define STORE_SAMPLES_NAME "samples"

#endif
