// SPDX-License-Identifier: Apache-2.0
/* db.h: the port to the database engine. What it promises holds for every engine behind it:
 * prepared statements with parameters $1 … $n, transactions that are durable when db_commit answers
 * 0, readers that see one snapshot between db_begin and db_commit and are never in the way of the
 * one writer. The engine is chosen by the path: a file is SQLite's; "postgres://…" or "host=…
 * dbname=…" is a PostgreSQL server.
 *
 * One connection belongs to one thread at a time. Errors: ERR_LOCKED (another program holds the
 * database, or has taken it over), ERR_DISK_FULL, ERR_NEWER (file of a newer engine), ERR_CORRUPT,
 * ERR_CONFLICT (a unique key), ERR_TOO_LARGE, ERR_RANGE, ERR_NOMEM, ERR_DENIED, ERR_NOT_FOUND (no
 * such database, create not asked), ERR_SYNTAX (the statement is wrong: our bug), ERR_AGAIN (the
 * engine gave the transaction up in favour of another: nothing of it happened, roll back and run it
 * once more), ERR_CLOSED (the server is gone; of a commit nobody knows whether it happened),
 * ERR_UNSUPPORTED, ERR_IO. After an error inside a transaction only db_rollback may follow. */
#ifndef EVEN_IO_DB_DB_H
#define EVEN_IO_DB_DB_H

#include "base/str.h"

struct db;
struct db_stmt;

enum db_mode {
    DB_WRITER, /* the only connection that changes rows */
    DB_READER, /* may not change anything */
    DB_KEEPER  /* housekeeping beside the writer: db_tidy, db_copy */
};

/** How an engine wants its SQL: the generated texts are indexed by it. */
enum db_dialect { DB_SQLITE, DB_POSTGRES, DB_DIALECTS };

struct db_config {
    const char *path; /* what the engine opens */
    enum db_mode mode;
    bool create;        /* writer: make it when it is not there */
    size_t cache_bytes; /* 0 = engine's default */
    int32_t busy_ms;    /* how long to wait for another connection of ours; 0 = engine's default */
    int64_t claim;      /* keeper: db_claim of the writer, whose claim db_tidy then keeps alive */
};

/** True for a path that names a server rather than a file. */
bool db_is_server(const char *path);

EV_MUST_USE int db_open(const struct db_config *config, struct db **out);
/** Ends an open transaction by rollback; every statement must be finished. NULL is fine. */
void db_close(struct db *db);
enum db_dialect db_dialect(const struct db *db);
/** What a writer holds against other writers on a server, where no file can be locked: every commit
 * of its transactions fails with ERR_LOCKED once another has taken over. 0: the engine needs none.
 */
int64_t db_claim(const struct db *db);
/** What the engine said about the last error, for the log. Valid until the next call. */
const char *db_detail(const struct db *db);

/** Runs statements that have no parameters and whose rows nobody wants. */
EV_MUST_USE int db_exec(struct db *db, const char *sql);

/** Prepares one statement for the life of the connection; give it back with db_finish. */
EV_MUST_USE int db_prepare(struct db *db, const char *sql, struct db_stmt **out);
void db_finish(struct db_stmt *st);
/** After db_prepare: this select may give more rows than memory should hold, so get them in pieces.
 * At most one such run of the statement at a time, as ever. */
void db_expect_many(struct db_stmt *st);
/** Parameters count from 1. Bytes are borrowed until db_reset. A wrong place is our bug (must). */
void db_bind_i64(struct db_stmt *st, int place, int64_t v);
void db_bind_text(struct db_stmt *st, int place, struct str v);
void db_bind_blob(struct db_stmt *st, int place, struct str v);
/** 1 = a row is there, 0 = done, or an error. */
EV_MUST_USE int db_step(struct db_stmt *st);
/** Ends the run of the statement and unbinds its parameters; it may be run again. */
void db_reset(struct db_stmt *st);
/** Runs a statement without rows to its end, then resets it. In a transaction of the writer the
 * engine may gather such statements and send them later, at the latest with db_commit: their errors
 * then come from whatever sends them. */
EV_MUST_USE int db_run(struct db_stmt *st);

/** Rows that a statement reads from C: `SELECT c0, c1 … FROM feed($1)`. next gives 1 when cells hold
 * the next row (until it is called again), 0 when there is none, or an error. */
#define DB_CELLS_MAX 60
struct db_cell {
    enum { DB_CELL_I64, DB_CELL_TEXT, DB_CELL_BLOB } kind;
    int64_t i;
    struct str s;
};
struct db_rows {
    int (*next)(struct db_rows *rows);
    const struct db_cell *cells;
    int n;   /* cells of a row */
    int err; /* of next; set by the run */
};
/** Runs a statement without results that reads these rows, then resets it. ERR_UNSUPPORTED where
 * the engine gathers single statements itself: it has no `feed`. */
EV_MUST_USE int db_run_rows(struct db_stmt *st, struct db_rows *rows);

/** Rows that the last insert, update or delete of the connection changed; -1 when the engine has
 * not sent it yet. */
int64_t db_changed(const struct db *db);

/** Result columns count from 0; bytes are valid until the next step or reset, texts end with NUL.
 * NULL reads as 0 and as no bytes. */
int db_columns(const struct db_stmt *st);
int64_t db_column_i64(struct db_stmt *st, int i);
struct str db_column_bytes(struct db_stmt *st, int i);
bool db_column_null(struct db_stmt *st, int i);
int db_params(const struct db_stmt *st);
/** True when the statement cannot change anything. */
bool db_read_only(const struct db_stmt *st);

/** Writer: starts a transaction that may write. Others: fixes the snapshot that reads see. */
EV_MUST_USE int db_begin(struct db *db);
/** Two readers: fixes one and the same snapshot for both. ERR_AGAIN: the writer left no room between
 * two commits; ERR_UNSUPPORTED. After an error neither is inside a transaction. */
EV_MUST_USE int db_begin_same(struct db *a, struct db *b);
/** Durable on 0. On an error the transaction is still open: db_rollback. */
EV_MUST_USE int db_commit(struct db *db);
void db_rollback(struct db *db);
/** Gives back what the connection keeps in memory only to be faster; not inside a transaction. */
void db_shrink(struct db *db);

/** Writer, but from any thread: bytes that its engine's journal holds, moved into place or not; -1
 * when the engine has none and db_tidy wants to be called every time. */
int64_t db_journal_bytes(const struct db *db);
/** Keeper: moves committed changes from the engine's journal to their place. *left gets the bytes
 * of journal that could not be moved because a reader still needs them. all: wait for readers, then
 * cut the journal short. An engine without such a journal has nothing left; with `claim` it renews
 * that (ERR_LOCKED: another has taken over). Call it every second or so. */
EV_MUST_USE int db_tidy(struct db *db, bool all, int64_t *left);
/** Keeper: a consistent copy of the whole database into a new file, in steps, while the writer goes
 * on. ERR_CONFLICT when the file is there already, ERR_UNSUPPORTED where the engine has tools of
 * its own for that. */
EV_MUST_USE int db_copy(struct db *db, const char *target);
/** Lets the engine check its own storage; fn gets each complaint. 0, or ERR_CORRUPT after
 * complaints. */
EV_MUST_USE int db_verify(struct db *db, void (*fn)(void *ctx, const char *text), void *ctx);

#endif
