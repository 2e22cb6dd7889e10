// SPDX-License-Identifier: Apache-2.0
/* sqlite.c: the port of db.h on SQLite 3; with its layers (layer.h) and feed.c all that sees sqlite3.h. One of the
 * engines of engine.h.
 *
 * Data: a connection and its three transaction statements. Invariants: 1. the writer runs in WAL
 * mode with synchronous=FULL, so COMMIT returns after the sync of the journal; 2. the writer itself
 * checkpoints only when the journal has grown past AUTO_PAGES, the keeper being away or never finding a
 * pause: otherwise the keeper does it on its own connection and no commit waits for it; 3. a
 * reader holds its snapshot only between db_begin and db_commit or inside one statement. Thread:
 * one at a time per connection (SQLite's own mutexes are off). Failure: engine codes become our
 * errors in one place, error_map; the engine's words stay readable through db_detail. */
#include "io/db/engine.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "io/db/feed.h"
#include "io/db/gather.h"
#include "io/db/pace.h"

/* PAGE_SIZE: doc/decisions/small-pages.md */
enum {
    PAGE_SIZE = 2048,
    AUTO_PAGES = 100000,
    COPY_PAGES = 2000,
    BUSY_MS = 5000,
    SAME_TRIES = 100,
    SQL_MAX = 1 << 20
};

struct lite {
    struct db port;
    sqlite3 *lite;
    enum db_mode mode;
    int page_size;
    _Atomic int64_t journal_pages; /* as of the last commit; the keeper's thread reads it */
    struct db_stmt *begin, *commit, *rollback, *look;
};

struct lite_stmt {
    struct db_stmt port;
    sqlite3_stmt *lite;
    sqlite3 *owner;
};

static struct lite *lite_of(const struct db *db)
{
    return CONTAINER_OF(db, struct lite, port);
}

static struct lite_stmt *stmt_of(const struct db_stmt *st)
{
    return CONTAINER_OF(st, struct lite_stmt, port);
}

static int lite_prepare(struct db *db, const char *sql, struct db_stmt **out);
static void lite_finish(struct db_stmt *st);
static int lite_step(struct db_stmt *st);
static int64_t lite_column_i64(struct db_stmt *st, int i);
static void lite_close(struct db *db);
static void lite_rollback(struct db *db);

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

static int lite_exec(struct db *db, const char *sql)
{
    errno = 0;
    return error_map(lite_of(db)->lite, sqlite3_exec(lite_of(db)->lite, sql, NULL, NULL, NULL));
}

static int pragma_set(struct db *db, const char *name, int64_t value)
{
    char sql[80];
    int n = snprintf(sql, sizeof sql, "PRAGMA %s=%lld", name, (long long)value);
    must(n > 0 && (size_t)n < sizeof sql);
    return lite_exec(db, sql);
}

static int statements(struct lite *l)
{
    struct db *db = &l->port;
    int rc = lite_prepare(db, l->mode == DB_WRITER ? "BEGIN IMMEDIATE" : "BEGIN", &l->begin);
    if (rc == 0)
        rc = lite_prepare(db, "COMMIT", &l->commit);
    if (rc == 0)
        rc = lite_prepare(db, "ROLLBACK", &l->rollback);
    if (rc == 0)
        rc = lite_prepare(db, "PRAGMA page_size", &l->look);
    if (rc)
        return rc;
    rc = lite_step(l->look);
    l->page_size = rc == 1 ? (int)lite_column_i64(l->look, 0) : 0;
    lite_finish(l->look);
    l->look = NULL;
    return rc < 0 ? rc : lite_prepare(db, "SELECT count(*) FROM sqlite_schema", &l->look);
}

/* After a commit: frames in the journal. That all of them have been moved, and the journal can begin
 * anew, only comes about between two commits: where those never pause, here. */
static int journal_grown(void *ctx, sqlite3 *lite, const char *name, int pages)
{
    struct lite *l = ctx;
    atomic_store_explicit(&l->journal_pages, pages, memory_order_relaxed);
    if (pages >= AUTO_PAGES)
        (void)sqlite3_wal_checkpoint_v2(lite, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK; /* the commit has happened */
}

static int setup(struct db *db, const struct db_config *config)
{
    sqlite3_extended_result_codes(lite_of(db)->lite, 1);
    sqlite3_busy_timeout(lite_of(db)->lite, config->busy_ms ? config->busy_ms : BUSY_MS);
    int rc = 0;
    if (config->mode == DB_WRITER)
        rc = error_map(lite_of(db)->lite, feed_declare(lite_of(db)->lite));
    if (rc == 0 && config->mode == DB_WRITER)
        rc = pragma_set(db, "page_size", PAGE_SIZE); /* of a file that is made now */
    if (rc == 0 && config->mode == DB_WRITER)
        rc = lite_exec(db, "PRAGMA journal_mode=WAL");
    if (rc == 0)
        rc = lite_exec(db,
                       "PRAGMA synchronous=FULL; PRAGMA trusted_schema=0; PRAGMA temp_store=MEMORY;"
                       "PRAGMA cell_size_check=1");
    if (rc == 0)
        rc = pragma_set(db, "wal_autocheckpoint", 0);
    if (rc == 0 && config->mode == DB_WRITER)
        (void)sqlite3_wal_hook(lite_of(db)->lite, journal_grown, lite_of(db));
    if (rc == 0 && config->cache_bytes)
        rc = pragma_set(db, "cache_size", -(int64_t)(config->cache_bytes / 1024));
    if (rc == 0 && config->mode != DB_WRITER)
        rc = lite_exec(db, "PRAGMA query_only=1");
    return rc ? rc : statements(lite_of(db));
}

static int lite_open(const struct db_config *config, struct db **out)
{
    struct lite *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->mode = config->mode;
    /* Nobody asks how much memory the engine has, and counting takes a lock for each piece. The first
     * open says so; later ones are told that they come too late. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (config->create && config->mode == DB_WRITER)
        flags |= SQLITE_OPEN_CREATE;
    const char *layer = config->mode == DB_WRITER   ? gather_vfs()
                        : config->mode == DB_KEEPER ? pace_vfs()
                                                    : NULL;
    int code = sqlite3_open_v2(config->path, &l->lite, flags, layer);
    int rc = error_map(l->lite, code);
    if (rc == 0)
        rc = setup(&l->port, config);
    if (rc) {
        lite_close(&l->port);
        return rc;
    }
    *out = &l->port;
    return 0;
}

static void lite_close(struct db *db)
{
    struct lite *l = lite_of(db);
    if (l->lite && !sqlite3_get_autocommit(l->lite))
        lite_rollback(db);
    lite_finish(l->begin);
    lite_finish(l->commit);
    lite_finish(l->rollback);
    lite_finish(l->look);
    int code = sqlite3_close(l->lite);
    must(code == SQLITE_OK); /* a statement was not finished: our bug */
    free(l);
}

static const char *lite_detail(const struct db *db)
{
    return sqlite3_errmsg(lite_of(db)->lite);
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

static int lite_prepare(struct db *db, const char *sql, struct db_stmt **out)
{
    sqlite3 *lite = lite_of(db)->lite;
    struct lite_stmt *st = NULL;
    struct buf text;
    buf_init(&text, SQL_MAX);
    sql_translate(&text, sql);
    int rc = text.err;
    if (rc)
        goto out;
    st = calloc(1, sizeof *st);
    if (!st) {
        rc = ERR_NOMEM;
        goto out;
    }
    st->owner = lite;
    rc = error_map(lite, sqlite3_prepare_v3(lite, text.p, (int)text.n, SQLITE_PREPARE_PERSISTENT,
                                            &st->lite, NULL));
    if (rc == 0 && !st->lite)
        rc = ERR_SYNTAX;
    if (rc)
        free(st);
    else
        *out = &st->port;
out:
    buf_free(&text);
    return rc;
}

static void lite_finish(struct db_stmt *st)
{
    if (!st)
        return;
    sqlite3_finalize(stmt_of(st)->lite);
    free(stmt_of(st));
}

static void lite_bind_i64(struct db_stmt *st, int place, int64_t v)
{
    int code = sqlite3_bind_int64(stmt_of(st)->lite, place, v);
    must(code == SQLITE_OK);
}

static void lite_bind_text(struct db_stmt *st, int place, struct str v)
{
    int code = sqlite3_bind_text64(stmt_of(st)->lite, place, v.n ? v.p : "", v.n, SQLITE_STATIC,
                                   SQLITE_UTF8);
    must(code == SQLITE_OK);
}

static void lite_bind_blob(struct db_stmt *st, int place, struct str v)
{
    int code = sqlite3_bind_blob64(stmt_of(st)->lite, place, v.n ? v.p : "", v.n, SQLITE_STATIC);
    must(code == SQLITE_OK);
}

static int lite_step(struct db_stmt *st)
{
    errno = 0;
    int code = sqlite3_step(stmt_of(st)->lite);
    return code == SQLITE_ROW ? 1 : error_map(stmt_of(st)->owner, code);
}

static void lite_reset(struct db_stmt *st)
{
    sqlite3_reset(stmt_of(st)->lite);
    sqlite3_clear_bindings(stmt_of(st)->lite);
}

static int lite_run(struct db_stmt *st)
{
    int rc = lite_step(st);
    while (rc == 1)
        rc = lite_step(st);
    lite_reset(st);
    return rc;
}

static int lite_run_rows(struct db_stmt *st, struct db_rows *rows)
{
    int code = feed_bind(stmt_of(st)->lite, rows);
    must(code == SQLITE_OK);
    int rc = lite_run(st);
    return rows->err ? rows->err : rc;
}

static int64_t lite_changed(const struct db *db)
{
    return sqlite3_changes64(lite_of(db)->lite);
}

static int lite_columns(const struct db_stmt *st)
{
    return sqlite3_column_count(stmt_of(st)->lite);
}

static int64_t lite_column_i64(struct db_stmt *st, int i)
{
    return sqlite3_column_int64(stmt_of(st)->lite, i);
}

static struct str lite_column_bytes(struct db_stmt *st, int i)
{
    /* A blob has no NUL behind it, and SQLite converts in place when asked for text. */
    bool blob = sqlite3_column_type(stmt_of(st)->lite, i) == SQLITE_BLOB;
    const void *p = blob ? sqlite3_column_blob(stmt_of(st)->lite, i)
                         : (const void *)sqlite3_column_text(stmt_of(st)->lite, i);
    return p ? str_from(p, (size_t)sqlite3_column_bytes(stmt_of(st)->lite, i)) : str_from("", 0);
}

static bool lite_column_null(struct db_stmt *st, int i)
{
    return sqlite3_column_type(stmt_of(st)->lite, i) == SQLITE_NULL;
}

static int lite_params(const struct db_stmt *st)
{
    return sqlite3_bind_parameter_count(stmt_of(st)->lite);
}

static bool lite_read_only(const struct db_stmt *st)
{
    return sqlite3_stmt_readonly(stmt_of(st)->lite) != 0;
}

static int lite_begin(struct db *db)
{
    int rc = lite_run(lite_of(db)->begin);
    if (rc || lite_of(db)->mode == DB_WRITER)
        return rc;
    /* BEGIN alone fixes nothing; the first read does. */
    rc = lite_run(lite_of(db)->look);
    if (rc)
        lite_rollback(db);
    return rc;
}

/* A number that this connection finds changed once another has committed. */
static int commits_seen(struct db *db, int64_t *seen)
{
    struct db_stmt *st = NULL;
    int rc = lite_prepare(db, "PRAGMA data_version", &st);
    if (rc == 0)
        rc = lite_step(st);
    if (rc == 1)
        *seen = lite_column_i64(st, 0);
    if (st)
        lite_finish(st);
    return rc < 0 ? rc : 0;
}

/* b sees no commit from before a's snapshot was fixed until its own is. *same is told on 0 only. */
static int begin_both(struct db *a, struct db *b, bool *same)
{
    int64_t before = 0, then = 0;
    int rc = commits_seen(b, &before);
    if (rc == 0)
        rc = lite_begin(a);
    if (rc == 0)
        rc = lite_begin(b);
    if (rc == 0)
        rc = commits_seen(b, &then);
    *same = before == then;
    return rc;
}

static int lite_begin_same(struct db *a, struct db *b)
{
    int rc = 0;
    for (int i = 0; i < SAME_TRIES && rc == 0; i++) {
        bool same = false;
        rc = begin_both(a, b, &same);
        if (rc == 0 && same)
            return 0;
        lite_rollback(b);
        lite_rollback(a);
    }
    return rc ? rc : ERR_AGAIN;
}

static int lite_commit(struct db *db)
{
    return lite_run(lite_of(db)->commit);
}

static void lite_rollback(struct db *db)
{
    /* Some errors (full disk, I/O) have rolled back already. */
    if (!sqlite3_get_autocommit(lite_of(db)->lite)) {
        int rc = lite_run(lite_of(db)->rollback);
        (void)rc;
    }
}

static void lite_shrink(struct db *db)
{
    sqlite3_db_release_memory(lite_of(db)->lite);
}

static int64_t lite_journal_bytes(const struct db *db)
{
    struct lite *l = lite_of(db);
    return atomic_load_explicit(&l->journal_pages, memory_order_relaxed) * l->page_size;
}

static int lite_tidy(struct db *db, bool all, int64_t *left)
{
    int log = 0, done = 0;
    int code = sqlite3_wal_checkpoint_v2(
        lite_of(db)->lite, NULL, all ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &log,
        &done);
    *left = log > done ? (int64_t)(log - done) * lite_of(db)->page_size : 0;
    /* Somebody reads or writes: what could be moved was moved. */
    return (code & 0xff) == SQLITE_BUSY ? 0 : error_map(lite_of(db)->lite, code);
}

/* Copies page by page; the caller holds the snapshot, so that no write starts the copy over. */
static int copy_pages(struct db *from, sqlite3 *to)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", lite_of(from)->lite, "main");
    if (!b)
        return error_map(to, sqlite3_errcode(to));
    int code;
    do
        code = sqlite3_backup_step(b, COPY_PAGES);
    while (code == SQLITE_OK);
    int end = sqlite3_backup_finish(b);
    return error_map(to, code == SQLITE_DONE ? end : code);
}

static int lite_copy(struct db *db, const char *target)
{
    FILE *there = fopen(target, "rb");
    if (there) {
        fclose(there);
        return ERR_CONFLICT;
    }
    int rc = lite_begin(db);
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
    lite_rollback(db);
    return rc;
}

static int lite_verify(struct db *db, void (*fn)(void *ctx, const char *text), void *ctx)
{
    struct db_stmt *st;
    int rc = lite_prepare(db, "PRAGMA integrity_check(100)", &st);
    if (rc)
        return rc;
    bool bad = false;
    while ((rc = lite_step(st)) == 1) {
        struct str line = lite_column_bytes(st, 0);
        if (str_eq_c(line, "ok"))
            continue;
        bad = true;
        fn(ctx, line.p);
    }
    lite_finish(st);
    return rc ? rc : bad ? ERR_CORRUPT : 0;
}

/* Nobody else can write: the file is locked. */
static int64_t lite_claim(const struct db *db)
{
    (void)db;
    return 0;
}

/* Rows are never all in memory here. */
static void lite_expect_many(struct db_stmt *st)
{
    (void)st;
}

const struct db_engine db_engine_sqlite = {.dialect = DB_SQLITE,
                                           .open = lite_open,
                                           .close = lite_close,
                                           .detail = lite_detail,
                                           .claim = lite_claim,
                                           .exec = lite_exec,
                                           .prepare = lite_prepare,
                                           .finish = lite_finish,
                                           .expect_many = lite_expect_many,
                                           .bind_i64 = lite_bind_i64,
                                           .bind_text = lite_bind_text,
                                           .bind_blob = lite_bind_blob,
                                           .step = lite_step,
                                           .reset = lite_reset,
                                           .run = lite_run,
                                           .run_rows = lite_run_rows,
                                           .changed = lite_changed,
                                           .columns = lite_columns,
                                           .column_i64 = lite_column_i64,
                                           .column_bytes = lite_column_bytes,
                                           .column_null = lite_column_null,
                                           .params = lite_params,
                                           .read_only = lite_read_only,
                                           .begin = lite_begin,
                                           .begin_same = lite_begin_same,
                                           .commit = lite_commit,
                                           .rollback = lite_rollback,
                                           .shrink = lite_shrink,
                                           .journal_bytes = lite_journal_bytes,
                                           .tidy = lite_tidy,
                                           .copy = lite_copy,
                                           .verify = lite_verify};
