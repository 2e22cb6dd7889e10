// SPDX-License-Identifier: Apache-2.0
/* sqlite.c: the port of db.h on SQLite 3, the only file that sees sqlite3.h.
 *
 * Data: a connection and its three transaction statements. Invariants: 1. the writer runs in WAL
 * mode with synchronous=FULL, so COMMIT returns after the sync of the journal; 2. the writer itself
 * checkpoints only when the journal has grown past AUTO_PAGES, which says that the keeper is not
 * running: otherwise the keeper does it on its own connection and no commit waits for it; 3. a
 * reader holds its snapshot only between db_begin and db_commit or inside one statement. Thread:
 * one at a time per connection (SQLite's own mutexes are off). Failure: engine codes become our
 * errors in one place, error_map; the engine's words stay readable through db_detail. */
#include "io/db/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"

enum { AUTO_PAGES = 25000, COPY_PAGES = 2000, BUSY_MS = 5000, SQL_MAX = 1 << 20 };

struct db {
    sqlite3 *lite;
    enum db_mode mode;
    int page_size;
    struct db_stmt *begin, *commit, *rollback, *look;
};

struct db_stmt {
    sqlite3_stmt *lite;
    sqlite3 *owner;
};

/* A write that the file system refuses for want of room shows as "disk full" or, with a limit or a
 * quota, as an I/O error: then only errno tells, which db_step empties before each step. */
static int error_io(sqlite3 *lite)
{
    int reason = lite ? sqlite3_system_errno(lite) : 0;
    if (!reason)
        reason = errno;
    return reason == ENOSPC || reason == EDQUOT || reason == EFBIG ? ERR_DISK_FULL : ERR_IO;
}

static int error_map(sqlite3 *lite, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_LOCKED;
    case SQLITE_FULL:
        return ERR_DISK_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return ERR_DENIED;
    case SQLITE_CANTOPEN:
        return lite && sqlite3_system_errno(lite) == ENOENT ? ERR_NOT_FOUND : error_io(lite);
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        return ERR_SYNTAX;
    default:
        return error_io(lite);
    }
}

int db_exec(struct db *db, const char *sql)
{
    errno = 0;
    return error_map(db->lite, sqlite3_exec(db->lite, sql, NULL, NULL, NULL));
}

static int pragma_set(struct db *db, const char *name, int64_t value)
{
    char sql[80];
    int n = snprintf(sql, sizeof sql, "PRAGMA %s=%lld", name, (long long)value);
    must(n > 0 && (size_t)n < sizeof sql);
    return db_exec(db, sql);
}

static int setup(struct db *db, const struct db_config *config)
{
    sqlite3_extended_result_codes(db->lite, 1);
    sqlite3_busy_timeout(db->lite, config->busy_ms ? config->busy_ms : BUSY_MS);
    int rc = 0;
    if (config->mode == DB_WRITER)
        rc = db_exec(db, "PRAGMA journal_mode=WAL");
    if (rc == 0)
        rc = db_exec(db,
                     "PRAGMA synchronous=FULL; PRAGMA trusted_schema=0; PRAGMA temp_store=MEMORY;"
                     "PRAGMA cell_size_check=1");
    if (rc == 0)
        rc = pragma_set(db, "wal_autocheckpoint", config->mode == DB_WRITER ? AUTO_PAGES : 0);
    if (rc == 0 && config->cache_bytes)
        rc = pragma_set(db, "cache_size", -(int64_t)(config->cache_bytes / 1024));
    if (rc == 0 && config->mode != DB_WRITER)
        rc = db_exec(db, "PRAGMA query_only=1");
    if (rc == 0)
        rc = db_prepare(db, db->mode == DB_WRITER ? "BEGIN IMMEDIATE" : "BEGIN", &db->begin);
    if (rc == 0)
        rc = db_prepare(db, "COMMIT", &db->commit);
    if (rc == 0)
        rc = db_prepare(db, "ROLLBACK", &db->rollback);
    if (rc == 0)
        rc = db_prepare(db, "PRAGMA page_size", &db->look);
    if (rc)
        return rc;
    rc = db_step(db->look);
    db->page_size = rc == 1 ? (int)db_column_i64(db->look, 0) : 0;
    db_finish(db->look);
    db->look = NULL;
    return rc < 0 ? rc : db_prepare(db, "SELECT count(*) FROM sqlite_schema", &db->look);
}

int db_open(const struct db_config *config, struct db **out)
{
    *out = NULL;
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return ERR_NOMEM;
    db->mode = config->mode;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (config->create && config->mode == DB_WRITER)
        flags |= SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(config->path, &db->lite, flags, NULL);
    int rc = error_map(db->lite, code);
    if (rc == 0)
        rc = setup(db, config);
    if (rc) {
        db_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (db->lite && !sqlite3_get_autocommit(db->lite))
        db_rollback(db);
    db_finish(db->begin);
    db_finish(db->commit);
    db_finish(db->rollback);
    db_finish(db->look);
    int code = sqlite3_close(db->lite);
    must(code == SQLITE_OK); /* a statement was not finished: our bug */
    free(db);
}

const char *db_detail(const struct db *db)
{
    return sqlite3_errmsg(db->lite);
}

/* $n means to SQLite a parameter named "$n", numbered by first appearance; ?n is what we want. */
static void sql_translate(struct buf *out, const char *sql)
{
    for (char quote = 0; *sql; sql++) {
        if (quote)
            quote = *sql == quote ? 0 : quote;
        else if (*sql == '\'' || *sql == '"')
            quote = *sql;
        buf_put_char(out, !quote && *sql == '$' ? '?' : *sql);
    }
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **out)
{
    *out = NULL;
    struct buf text;
    buf_init(&text, SQL_MAX);
    sql_translate(&text, sql);
    int rc = text.err;
    struct db_stmt *st = rc ? NULL : calloc(1, sizeof *st);
    if (rc)
        goto out;
    if (!st) {
        rc = ERR_NOMEM;
        goto out;
    }
    st->owner = db->lite;
    rc = error_map(db->lite, sqlite3_prepare_v3(db->lite, text.p, (int)text.n,
                                                SQLITE_PREPARE_PERSISTENT, &st->lite, NULL));
    if (rc == 0 && !st->lite)
        rc = ERR_SYNTAX;
    if (rc)
        free(st);
    else
        *out = st;
out:
    buf_free(&text);
    return rc;
}

void db_finish(struct db_stmt *st)
{
    if (!st)
        return;
    sqlite3_finalize(st->lite);
    free(st);
}

void db_bind_i64(struct db_stmt *st, int place, int64_t v)
{
    int code = sqlite3_bind_int64(st->lite, place, v);
    must(code == SQLITE_OK);
}

void db_bind_text(struct db_stmt *st, int place, struct str v)
{
    int code =
        sqlite3_bind_text64(st->lite, place, v.n ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8);
    must(code == SQLITE_OK);
}

void db_bind_blob(struct db_stmt *st, int place, struct str v)
{
    int code = sqlite3_bind_blob64(st->lite, place, v.n ? v.p : "", v.n, SQLITE_STATIC);
    must(code == SQLITE_OK);
}

int db_step(struct db_stmt *st)
{
    errno = 0;
    int code = sqlite3_step(st->lite);
    return code == SQLITE_ROW ? 1 : error_map(st->owner, code);
}

void db_reset(struct db_stmt *st)
{
    sqlite3_reset(st->lite);
    sqlite3_clear_bindings(st->lite);
}

int db_run(struct db_stmt *st)
{
    int rc = db_step(st);
    while (rc == 1)
        rc = db_step(st);
    db_reset(st);
    return rc;
}

int64_t db_changed(const struct db *db)
{
    return sqlite3_changes64(db->lite);
}

int db_columns(const struct db_stmt *st)
{
    return sqlite3_column_count(st->lite);
}

int64_t db_column_i64(struct db_stmt *st, int i)
{
    return sqlite3_column_int64(st->lite, i);
}

struct str db_column_bytes(struct db_stmt *st, int i)
{
    /* A blob has no NUL behind it, and SQLite converts in place when asked for text. */
    bool blob = sqlite3_column_type(st->lite, i) == SQLITE_BLOB;
    const void *p =
        blob ? sqlite3_column_blob(st->lite, i) : (const void *)sqlite3_column_text(st->lite, i);
    return p ? str_from(p, (size_t)sqlite3_column_bytes(st->lite, i)) : str_from("", 0);
}

bool db_column_null(struct db_stmt *st, int i)
{
    return sqlite3_column_type(st->lite, i) == SQLITE_NULL;
}

int db_params(const struct db_stmt *st)
{
    return sqlite3_bind_parameter_count(st->lite);
}

bool db_read_only(const struct db_stmt *st)
{
    return sqlite3_stmt_readonly(st->lite) != 0;
}

int db_begin(struct db *db)
{
    int rc = db_run(db->begin);
    if (rc || db->mode == DB_WRITER)
        return rc;
    /* BEGIN alone fixes nothing; the first read does. */
    rc = db_run(db->look);
    if (rc)
        db_rollback(db);
    return rc;
}

int db_commit(struct db *db)
{
    return db_run(db->commit);
}

void db_rollback(struct db *db)
{
    /* Some errors (full disk, I/O) have rolled back already. */
    if (!sqlite3_get_autocommit(db->lite)) {
        int rc = db_run(db->rollback);
        (void)rc;
    }
}

int db_tidy(struct db *db, bool all, int64_t *left)
{
    int log = 0, done = 0;
    int code = sqlite3_wal_checkpoint_v2(
        db->lite, NULL, all ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &log, &done);
    *left = log > done ? (int64_t)(log - done) * db->page_size : 0;
    /* Somebody reads or writes: what could be moved was moved. */
    return (code & 0xff) == SQLITE_BUSY ? 0 : error_map(db->lite, code);
}

/* Copies page by page; the caller holds the snapshot, so that no write starts the copy over. */
static int copy_pages(struct db *from, sqlite3 *to)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from->lite, "main");
    if (!b)
        return error_map(to, sqlite3_errcode(to));
    int code;
    do
        code = sqlite3_backup_step(b, COPY_PAGES);
    while (code == SQLITE_OK);
    int end = sqlite3_backup_finish(b);
    return error_map(to, code == SQLITE_DONE ? end : code);
}

int db_copy(struct db *db, const char *target)
{
    FILE *there = fopen(target, "rb");
    if (there) {
        fclose(there);
        return ERR_CONFLICT;
    }
    int rc = db_begin(db);
    if (rc)
        return rc;
    sqlite3 *to = NULL;
    int code = sqlite3_open_v2(
        target, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    rc = error_map(to, code);
    if (rc == 0)
        rc = copy_pages(db, to);
    code = sqlite3_close(to);
    if (rc == 0)
        rc = error_map(NULL, code);
    db_rollback(db);
    return rc;
}

int db_verify(struct db *db, void (*fn)(void *ctx, const char *text), void *ctx)
{
    struct db_stmt *st;
    int rc = db_prepare(db, "PRAGMA integrity_check(100)", &st);
    if (rc)
        return rc;
    bool bad = false;
    while ((rc = db_step(st)) == 1) {
        struct str line = db_column_bytes(st, 0);
        if (str_eq_c(line, "ok"))
            continue;
        bad = true;
        fn(ctx, line.p);
    }
    db_finish(st);
    return rc ? rc : bad ? ERR_CORRUPT : 0;
}
