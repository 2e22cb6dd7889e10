// SPDX-License-Identifier: Apache-2.0
/* db.c: the port of db.h hands every call to the engine that the path named. Owns nothing; no
 * thread, no failure of its own. */
#include "base/err.h"
#include "base/must.h"
#include "io/db/engine.h"

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

bool db_is_server(const char *path)
{
    return starts(path, "postgres://") || starts(path, "postgresql://") || starts(path, "host=") ||
           starts(path, "dbname=");
}

bool db_sql_reads(const char *sql)
{
    /* A CTE may write, too. */
    return starts(sql, "SELECT ") || (starts(sql, "WITH ") && !strstr(sql, "INSERT ") &&
                                      !strstr(sql, "UPDATE ") && !strstr(sql, "DELETE "));
}

int db_open(const struct db_config *config, struct db **out)
{
    const struct db_engine *e =
        db_is_server(config->path) ? &db_engine_postgres : &db_engine_sqlite;
    *out = NULL;
    int rc = e->open(config, out);
    if (rc == 0)
        (*out)->engine = e;
    return rc;
}

void db_close(struct db *db)
{
    if (db)
        db->engine->close(db);
}

enum db_dialect db_dialect(const struct db *db)
{
    return db->engine->dialect;
}

const char *db_detail(const struct db *db)
{
    return db->engine->detail(db);
}

int64_t db_claim(const struct db *db)
{
    return db->engine->claim(db);
}

int db_exec(struct db *db, const char *sql)
{
    return db->engine->exec(db, sql);
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **out)
{
    *out = NULL;
    int rc = db->engine->prepare(db, sql, out);
    if (rc == 0)
        (*out)->engine = db->engine;
    return rc;
}

void db_finish(struct db_stmt *st)
{
    if (st)
        st->engine->finish(st);
}

void db_expect_many(struct db_stmt *st)
{
    st->engine->expect_many(st);
}

void db_bind_i64(struct db_stmt *st, int place, int64_t v)
{
    st->engine->bind_i64(st, place, v);
}

void db_bind_text(struct db_stmt *st, int place, struct str v)
{
    st->engine->bind_text(st, place, v);
}

void db_bind_blob(struct db_stmt *st, int place, struct str v)
{
    st->engine->bind_blob(st, place, v);
}

int db_step(struct db_stmt *st)
{
    return st->engine->step(st);
}

void db_reset(struct db_stmt *st)
{
    st->engine->reset(st);
}

int db_run(struct db_stmt *st)
{
    return st->engine->run(st);
}

int db_run_rows(struct db_stmt *st, struct db_rows *rows)
{
    return st->engine->run_rows(st, rows);
}

int64_t db_changed(const struct db *db)
{
    return db->engine->changed(db);
}

int db_columns(const struct db_stmt *st)
{
    return st->engine->columns(st);
}

int64_t db_column_i64(struct db_stmt *st, int i)
{
    return st->engine->column_i64(st, i);
}

struct str db_column_bytes(struct db_stmt *st, int i)
{
    return st->engine->column_bytes(st, i);
}

bool db_column_null(struct db_stmt *st, int i)
{
    return st->engine->column_null(st, i);
}

int db_params(const struct db_stmt *st)
{
    return st->engine->params(st);
}

bool db_read_only(const struct db_stmt *st)
{
    return st->engine->read_only(st);
}

int db_begin(struct db *db)
{
    return db->engine->begin(db);
}

int db_begin_same(struct db *a, struct db *b)
{
    must(a->engine == b->engine);
    return a->engine->begin_same ? a->engine->begin_same(a, b) : ERR_UNSUPPORTED;
}

int db_commit(struct db *db)
{
    return db->engine->commit(db);
}

void db_rollback(struct db *db)
{
    db->engine->rollback(db);
}

void db_shrink(struct db *db)
{
    db->engine->shrink(db);
}

int64_t db_journal_bytes(const struct db *db)
{
    return db->engine->journal_bytes(db);
}

int db_tidy(struct db *db, bool all, int64_t *left)
{
    return db->engine->tidy(db, all, left);
}

int db_copy(struct db *db, const char *target)
{
    return db->engine->copy(db, target);
}

int db_verify(struct db *db, void (*fn)(void *ctx, const char *text), void *ctx)
{
    return db->engine->verify(db, fn, ctx);
}
