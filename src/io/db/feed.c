// SPDX-License-Identifier: Apache-2.0
/* feed.c: a table that is not there: SELECT c0, c1 … FROM feed($1) reads the rows of a struct db_rows,
 * one after the other, once. With it one INSERT … SELECT takes all rows of a batch for a table: most
 * of what SQLite does for a single row it does once for all of them.
 *
 * Data: nothing of its own; a cursor points at the rows that the parameter named. Invariants: 1. the
 * parameter is a pointer of our own kind, which no text of SQL can make; 2. rows are asked for in
 * turn, and cells stay as they are until the next one is asked for. Thread: the connection's.
 * Failure: an error of db_rows.next ends the statement; who ran it finds it in db_rows.err. */
#include "io/db/feed.h"

#include <sqlite3.h>
#include "base/must.h"

enum { COLUMNS = DB_CELLS_MAX, SOURCE = COLUMNS, PLAN_NONE = 0, PLAN_ROWS = 1 };

#define NAME "feed"

struct cursor {
    sqlite3_vtab_cursor base;
    struct db_rows *rows;
    sqlite3_int64 n;
    bool end;
};

static struct cursor *cursor_of(sqlite3_vtab_cursor *c)
{
    return (struct cursor *)(void *)c;
}

static int feed_connect(sqlite3 *lite, void *aux, int argc, const char *const *argv,
                        sqlite3_vtab **out, char **text)
{
    (void)aux;
    (void)argc;
    (void)argv;
    (void)text;
    sqlite3_str *sql = sqlite3_str_new(lite);
    sqlite3_str_appendall(sql, "CREATE TABLE feed (");
    for (int i = 0; i < COLUMNS; i++)
        sqlite3_str_appendf(sql, "c%d, ", i);
    sqlite3_str_appendall(sql, "source HIDDEN)");
    char *ddl = sqlite3_str_finish(sql);
    int res = ddl ? sqlite3_declare_vtab(lite, ddl) : SQLITE_NOMEM;
    sqlite3_free(ddl);
    *out = res == SQLITE_OK ? sqlite3_malloc(sizeof **out) : NULL;
    if (!*out)
        return res == SQLITE_OK ? SQLITE_NOMEM : res;
    **out = (sqlite3_vtab){0};
    return SQLITE_OK;
}

static int feed_disconnect(sqlite3_vtab *t)
{
    sqlite3_free(t);
    return SQLITE_OK;
}

/* Without its parameter the table is empty. */
static int feed_plan(sqlite3_vtab *t, sqlite3_index_info *info)
{
    (void)t;
    info->estimatedCost = 1;
    info->idxNum = PLAN_NONE;
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *k = &info->aConstraint[i];
        if (k->iColumn != SOURCE || k->op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!k->usable)
            return SQLITE_CONSTRAINT;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->idxNum = PLAN_ROWS;
    }
    return SQLITE_OK;
}

static int feed_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
    (void)t;
    struct cursor *c = sqlite3_malloc(sizeof *c);
    if (!c)
        return SQLITE_NOMEM;
    *c = (struct cursor){.end = true};
    *out = &c->base;
    return SQLITE_OK;
}

static int feed_close(sqlite3_vtab_cursor *c)
{
    sqlite3_free(c);
    return SQLITE_OK;
}

static int feed_next(sqlite3_vtab_cursor *cursor)
{
    struct cursor *c = cursor_of(cursor);
    int rc = c->rows->next(c->rows);
    c->end = rc != 1;
    c->n++;
    if (rc < 0)
        c->rows->err = rc;
    return rc < 0 ? SQLITE_ERROR : SQLITE_OK;
}

static int feed_filter(sqlite3_vtab_cursor *cursor, int plan, const char *text, int argc,
                       sqlite3_value **argv)
{
    struct cursor *c = cursor_of(cursor);
    (void)text;
    c->rows = plan == PLAN_ROWS && argc == 1 ? sqlite3_value_pointer(argv[0], NAME) : NULL;
    c->end = true;
    return c->rows ? feed_next(cursor) : SQLITE_OK;
}

static int feed_eof(sqlite3_vtab_cursor *c)
{
    return cursor_of(c)->end;
}

static int feed_column(sqlite3_vtab_cursor *c, sqlite3_context *to, int i)
{
    const struct db_rows *rows = cursor_of(c)->rows;
    if (i >= rows->n)
        return SQLITE_ERROR; /* no statement of ours asks for more: NULL would be one */
    const struct db_cell *cell = &rows->cells[i];
    if (cell->kind == DB_CELL_TEXT)
        sqlite3_result_text(to, cell->s.n ? cell->s.p : "", (int)cell->s.n, SQLITE_STATIC);
    else if (cell->kind == DB_CELL_BLOB)
        sqlite3_result_blob(to, cell->s.n ? cell->s.p : "", (int)cell->s.n, SQLITE_STATIC);
    else
        sqlite3_result_int64(to, cell->i);
    return SQLITE_OK;
}

static int feed_rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *id)
{
    *id = cursor_of(c)->n;
    return SQLITE_OK;
}

static const sqlite3_module module = {.xConnect = feed_connect,
                                      .xBestIndex = feed_plan,
                                      .xDisconnect = feed_disconnect,
                                      .xOpen = feed_open,
                                      .xClose = feed_close,
                                      .xFilter = feed_filter,
                                      .xNext = feed_next,
                                      .xEof = feed_eof,
                                      .xColumn = feed_column,
                                      .xRowid = feed_rowid};

int feed_declare(struct sqlite3 *lite)
{
    return sqlite3_create_module(lite, NAME, &module, NULL);
}

int feed_bind(struct sqlite3_stmt *st, struct db_rows *rows)
{
    must(rows->n <= COLUMNS);
    rows->err = 0;
    return sqlite3_bind_pointer(st, 1, rows, NAME, NULL);
}
