// SPDX-License-Identifier: Apache-2.0
/* engine.h: what an engine behind db.h is: one table of functions. Inside io/db only. db.c picks
 * the engine by the path it is given and fills in `engine`; an engine embeds struct db and struct
 * db_stmt in its own. The functions promise what db.h says of those of the same name; close and
 * finish never get NULL. */
#ifndef EVEN_IO_DB_ENGINE_H
#define EVEN_IO_DB_ENGINE_H

#include "io/db/db.h"

struct db_engine {
    enum db_dialect dialect;
    int (*open)(const struct db_config *config, struct db **out);
    void (*close)(struct db *db);
    const char *(*detail)(const struct db *db);
    int64_t (*claim)(const struct db *db);
    int (*exec)(struct db *db, const char *sql);
    int (*prepare)(struct db *db, const char *sql, struct db_stmt **out);
    void (*finish)(struct db_stmt *st);
    void (*expect_many)(struct db_stmt *st);
    void (*bind_i64)(struct db_stmt *st, int place, int64_t v);
    void (*bind_text)(struct db_stmt *st, int place, struct str v);
    void (*bind_blob)(struct db_stmt *st, int place, struct str v);
    int (*step)(struct db_stmt *st);
    void (*reset)(struct db_stmt *st);
    int (*run)(struct db_stmt *st);
    int (*run_rows)(struct db_stmt *st, struct db_rows *rows);
    int64_t (*changed)(const struct db *db);
    int (*columns)(const struct db_stmt *st);
    int64_t (*column_i64)(struct db_stmt *st, int i);
    struct str (*column_bytes)(struct db_stmt *st, int i);
    bool (*column_null)(struct db_stmt *st, int i);
    int (*params)(const struct db_stmt *st);
    bool (*read_only)(const struct db_stmt *st);
    int (*begin)(struct db *db);
    int (*begin_same)(struct db *a, struct db *b); /* NULL: it cannot */
    int (*commit)(struct db *db);
    void (*rollback)(struct db *db);
    void (*shrink)(struct db *db);
    int64_t (*journal_bytes)(const struct db *db);
    int (*tidy)(struct db *db, bool all, int64_t *left);
    int (*copy)(struct db *db, const char *target);
    int (*verify)(struct db *db, void (*fn)(void *ctx, const char *text), void *ctx);
};

struct db {
    const struct db_engine *engine;
};
struct db_stmt {
    const struct db_engine *engine;
};

extern const struct db_engine db_engine_sqlite, db_engine_postgres;

/** For an engine that does not tell: true when a statement can only read, by its words. */
bool db_sql_reads(const char *sql);

#endif
