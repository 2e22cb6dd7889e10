// SPDX-License-Identifier: Apache-2.0
/* migrate.c: see migrate.h.
 *
 * Invariants:
 *  1. A migration and its row are one transaction, so a crash leaves the file at a whole step.
 *  2. Nothing is ever taken back.
 *  3. A file is compared before anything in it is changed.
 *
 * Thread: the one that opens the store. Failure: the error is logged here with the engine's words.
 * */
#include "store/migrate.h"

#include <stdio.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "store/query.h"

struct state {
    struct db *db;
    const char *ddl;
    const struct schema_migration *list;
    struct db_stmt *add;
    int applied; /* how many of the list stand in the file */
    bool fresh;
    char schema[65]; /* checksum in row 0 */
};

static void checksum(const char *text, char out[65])
{
    uint8_t sum[32];
    sha256(text, strlen(text), sum);
    str_to_hex(sum, sizeof sum, out);
}

/* One row of the file's list against ours; rows come in the order of their numbers. */
static int row_check(struct state *m, struct db_stmt *st)
{
    int number = (int)db_column_i64(st, 0);
    struct str sum = db_column_bytes(st, 2);
    char ours[65];
    m->fresh = false;
    if (number == 0) {
        str_copy(m->schema, sizeof m->schema, sum);
        return 0;
    }
    const struct schema_migration *next = &m->list[m->applied];
    if (next->number == 0 || number != next->number) {
        log_line(LOG_ERROR, "store", 0, "the file has migration %d, which this program lacks",
                 number);
        return ERR_NEWER;
    }
    must(next->sql);
    checksum(next->sql, ours);
    if (!str_eq_c(sum, ours)) {
        log_line(LOG_ERROR, "store", 0, "migration %d was altered after it was applied", number);
        return ERR_CORRUPT;
    }
    m->applied++;
    return 0;
}

static const char *sql_of(const struct state *m, enum query q)
{
    return query_metas[q].sql[db_dialect(m->db)];
}

/* A database of another program's is not written to. */
static int foreign_check(const struct state *m)
{
    struct db_stmt *st;
    int rc = db_prepare(m->db, sql_of(m, QUERY_FOREIGN_TABLES), &st);
    if (rc)
        return rc;
    rc = db_step(st);
    int64_t n = rc == 1 ? db_column_i64(st, 0) : 0;
    db_finish(st);
    if (n)
        log_line(LOG_ERROR, "store", 0,
                 "the database has %lld tables and none of ours: it is another program's",
                 (long long)n);
    return rc < 0 ? rc : n ? ERR_CONFLICT : 0;
}

static int rows_check(struct state *m)
{
    struct db_stmt *st;
    int rc = db_prepare(m->db, sql_of(m, QUERY_MIGRATION_LIST), &st);
    if (rc)
        return rc;
    int more = 0;
    while ((more = db_step(st)) == 1 && rc == 0)
        rc = row_check(m, st);
    db_finish(st);
    return rc ? rc : more < 0 ? more : 0;
}

static int file_check(struct state *m)
{
    int rc = foreign_check(m);
    if (rc == 0)
        rc = db_exec(m->db, sql_of(m, QUERY_MIGRATION_TABLE));
    return rc ? rc : rows_check(m);
}

static int row_add(struct state *m, int number, const char *name, const char *text)
{
    char sum[65];
    checksum(text, sum);
    db_bind_i64(m->add, 1, number);
    db_bind_text(m->add, 2, str_from_c(name));
    db_bind_text(m->add, 3, str_from_c(sum));
    return db_run(m->add);
}

static int step(struct state *m, const char *sql, int number, const char *name)
{
    int rc = db_begin(m->db);
    if (rc)
        return rc;
    if (sql)
        rc = db_exec(m->db, sql);
    if (rc == 0 && number)
        rc = row_add(m, number, name, sql);
    /* The generated schema is in force with the last step, and only then. */
    if (rc == 0 && m->list[m->applied].number == 0)
        rc = row_add(m, 0, "schema", m->ddl);
    if (rc == 0)
        rc = db_commit(m->db);
    if (rc) {
        log_line(LOG_ERROR, "store", 0, "migration %d: %s", number, db_detail(m->db));
        db_rollback(m->db);
    }
    return rc;
}

/* A new file: the whole schema and the names of what it includes, as one transaction. */
static int create(struct state *m)
{
    int rc = db_begin(m->db);
    if (rc)
        return rc;
    rc = db_exec(m->db, m->ddl);
    for (; rc == 0 && m->list[m->applied].number; m->applied++)
        rc = row_add(m, m->list[m->applied].number, m->list[m->applied].name,
                     m->list[m->applied].sql);
    if (rc == 0)
        rc = row_add(m, 0, "schema", m->ddl);
    if (rc == 0)
        rc = db_commit(m->db);
    if (rc) {
        log_line(LOG_ERROR, "store", 0, "new database: %s", db_detail(m->db));
        db_rollback(m->db);
    }
    return rc;
}

/* Of a file that has all migrations of ours. */
static int schema_check(const struct state *m)
{
    char ours[65];
    checksum(m->ddl, ours);
    if (strcmp(ours, m->schema) == 0)
        return 0;
    log_line(LOG_ERROR, "store", 0, "the schema of the file differs without a migration");
    return ERR_CORRUPT;
}

static int advance(struct state *m)
{
    if (m->list[m->applied].number == 0 && schema_check(m) != 0)
        return ERR_CORRUPT;
    while (m->list[m->applied].number) {
        const struct schema_migration *next = &m->list[m->applied++];
        log_line(LOG_NOTE, "store", 0, "migration %d %s", next->number, next->name);
        int rc = step(m, next->sql, next->number, next->name);
        if (rc)
            return rc;
    }
    return 0;
}

int migrate(struct db *db, const char *ddl, const struct schema_migration *list)
{
    struct state m = {.db = db, .ddl = ddl, .list = list, .fresh = true};
    int rc = file_check(&m);
    if (rc)
        return rc;
    rc = db_prepare(db, sql_of(&m, QUERY_MIGRATION_ADD), &m.add);
    if (rc)
        return rc;
    rc = m.fresh ? create(&m) : advance(&m);
    db_finish(m.add);
    return rc;
}

int migrate_fits(struct db *db, const char *ddl, const struct schema_migration *list)
{
    struct state m = {.db = db, .ddl = ddl, .list = list, .fresh = true};
    int rc = rows_check(&m);
    const struct schema_migration *next = &list[m.applied];
    if (rc)
        return rc;
    if (!m.fresh && next->number) {
        log_line(LOG_ERROR, "store", 0, "the file lacks migration %d: start this program on it",
                 next->number);
        return ERR_CONFLICT;
    }
    return schema_check(&m);
}
