// SPDX-License-Identifier: Apache-2.0
/* audit_sql.h: how the auditor reads the file: SQL of its own, over a connection that only reads, and none of
 * the store's code. A statement that does not fit the schema ends the program. */
#ifndef EVEN_TOWN_AUDIT_SQL_H
#define EVEN_TOWN_AUDIT_SQL_H

#include <sqlite3.h>
#include <stdio.h>
#include "base/must.h"

enum { COLUMNS = 14 };

static inline sqlite3 *file_open(const char *path)
{
    sqlite3 *db;
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, "unix") == SQLITE_OK);
    return db;
}

static inline sqlite3_stmt *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    must(st);
    return st;
}

/* The next row's numbers; false at the end, and then the statement is done with. */
static inline bool row(sqlite3_stmt *st, int64_t v[COLUMNS])
{
    int res = sqlite3_step(st);
    must(res == SQLITE_ROW || res == SQLITE_DONE);
    if (res == SQLITE_DONE) {
        sqlite3_finalize(st);
        return false;
    }
    for (int i = 0; i < sqlite3_column_count(st) && i < COLUMNS; i++)
        v[i] = sqlite3_column_int64(st, i);
    return true;
}

/* One number; -1 when there is no row. */
static inline int64_t number(sqlite3 *db, const char *sql, int64_t a, int64_t b)
{
    sqlite3_stmt *st = ask(db, sql);
    int n = sqlite3_bind_parameter_count(st);
    if (n > 0)
        sqlite3_bind_int64(st, 1, a);
    if (n > 1)
        sqlite3_bind_int64(st, 2, b);
    int res = sqlite3_step(st);
    must(res == SQLITE_ROW || res == SQLITE_DONE);
    int64_t v = res == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    sqlite3_finalize(st);
    return v;
}

#endif
