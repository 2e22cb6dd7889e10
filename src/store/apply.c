// SPDX-License-Identifier: Apache-2.0
/* apply.c: see apply.h. A batch is sorted by table first (rows of a table stay in their order, tables
 * know nothing of each other). Runs of one operation on one table then go to an engine with `feed` as
 * one statement; to others, and for deletions, row by row.
 *
 * Data: per table its prepared statements; the list of the batch at hand. Invariants: 1. the order of
 * the rows of a table is that of the batch; 2. a lean upsert that left a row alone (a fixed column
 * differs) is followed by the full one: of the whole run, since an upsert done twice is done once —
 * the generator gives no lean one to tables that add. Failure: see apply.h; what was tried is
 * logged. */
#include "store/apply.h"

#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "core/types.h"
#include "schema_gen.h"
#include "store/rowio.h"

enum { FEW = 2 }; /* so few rows are not worth a statement over all */

/* The statements of one table, each made when it is first wanted. */
struct statements {
    struct db_stmt *upsert, *lean, *insert, *remove, *hot, *remove_hot;
    struct db_stmt *many_upsert, *many_lean, *many_insert, *many_hot;
};

struct entry {
    struct cursor columns;
    int64_t key; /* of sorted tables */
    uint8_t table, op;
};

struct apply {
    struct db *db;
    const struct schema_sql *sql;
    struct statements tables[ROW_TABLE_N];
    uint32_t session_id, session_state; /* columns */
    struct buf list, sorted; /* of struct entry: as they came (later room to sort in), by table */
    size_t count[ROW_TABLE_N];
};

/* ---- life ---- */

int apply_open(struct db *db, struct apply **out)
{
    struct apply *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->db = db;
    a->sql = schema_sql[db_dialect(db)];
    a->session_id = rowio_column(ROW_SESSION, "id");
    a->session_state = rowio_column(ROW_SESSION, "state");
    buf_init(&a->list, SIZE_MAX);
    buf_init(&a->sorted, SIZE_MAX);
    *out = a;
    return 0;
}

void apply_close(struct apply *a)
{
    if (!a)
        return;
    for (int t = 1; t < ROW_TABLE_N; t++) {
        struct db_stmt **st = &a->tables[t].upsert;
        for (size_t i = 0; i < sizeof a->tables[t] / sizeof *st; i++)
            db_finish(st[i]);
    }
    buf_free(&a->list);
    buf_free(&a->sorted);
    free(a);
}

/* ---- row by row ---- */

static int row_run(struct apply *a, struct db_stmt **st, const char *sql, const struct entry *e,
                   enum rowio_part part)
{
    int rc = *st ? 0 : db_prepare(a->db, sql, st);
    if (rc)
        return rc;
    rc = rowio_bind(*st, (enum row_table)e->table, e->columns, part);
    if (rc) {
        db_reset(*st);
        return rc;
    }
    return db_run(*st);
}

static int row_upsert(struct apply *a, const struct entry *e, enum rowio_part part)
{
    struct statements *st = &a->tables[e->table];
    const struct schema_sql *sql = &a->sql[e->table];
    if (sql->lean) {
        int rc = row_run(a, &st->lean, sql->lean, e, part);
        if (rc || db_changed(a->db))
            return rc;
    }
    return row_run(a, &st->upsert, sql->upsert, e, part);
}

static int row_remove(struct apply *a, const struct entry *e)
{
    struct statements *st = &a->tables[e->table];
    const struct schema_sql *sql = &a->sql[e->table];
    int rc = row_run(a, &st->remove, sql->remove, e, ROWIO_KEYS);
    return rc || !sql->hot ? rc : row_run(a, &st->remove_hot, sql->remove_hot, e, ROWIO_KEYS);
}

static int row_apply(struct apply *a, const struct entry *e)
{
    struct statements *st = &a->tables[e->table];
    const struct schema_sql *sql = &a->sql[e->table];
    enum rowio_part part = sql->hot ? ROWIO_COLD : ROWIO_ALL;
    int rc = 0;
    if (e->op == ROW_DELETE)
        return row_remove(a, e);
    if (e->op == ROW_INSERT)
        rc = row_run(a, &st->insert, sql->insert, e, part);
    else if (e->op == ROW_UPSERT || !sql->hot)
        rc = row_upsert(a, e, part);
    return rc || !sql->hot ? rc : row_run(a, &st->hot, sql->hot, e, ROWIO_HOT);
}

/* ---- many rows ---- */

static struct entry *entries(struct buf *b)
{
    return (struct entry *)(void *)b->p;
}

static void run_merge(const struct entry *a, const struct entry *mid, const struct entry *end,
                      struct entry *to)
{
    const struct entry *b = mid;
    while (a < mid && b < end)
        *to++ = b->key < a->key ? *b++ : *a++;
    memcpy(to, a, (size_t)(mid - a) * sizeof *a);
    memcpy(to + (mid - a), b, (size_t)(end - b) * sizeof *b);
}

/* By key; what came first stays first among equals. Merges runs, each time twice as long, from one
 * place to the other and back. */
static void key_sort(struct entry *e, struct entry *room, size_t n)
{
    struct entry *from = e, *to = room;
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t mid = i + run < n ? i + run : n, end = mid + run < n ? mid + run : n;
            run_merge(from + i, from + mid, from + end, to + i);
        }
        struct entry *was = from;
        from = to;
        to = was;
    }
    if (from != e)
        memcpy(e, from, n * sizeof *e);
}

struct feed {
    struct db_rows rows; /* first */
    const struct entry *at, *end;
    struct db_cell cells[DB_CELLS_MAX];
};

static int feed_next(struct db_rows *rows)
{
    struct feed *f = (struct feed *)(void *)rows;
    if (f->at == f->end)
        return 0;
    int rc = rowio_cells((enum row_table)f->at->table, f->at->columns, f->cells);
    f->at++;
    return rc ? rc : 1;
}

static int feed_run(struct apply *a, struct db_stmt **st, const char *sql, const struct entry *e,
                    size_t n)
{
    struct feed f = {.at = e, .end = e + n};
    f.rows = (struct db_rows){.next = feed_next, .cells = f.cells, .n = (int)row_metas[e->table].n};
    int rc = *st ? 0 : db_prepare(a->db, sql, st);
    return rc ? rc : db_run_rows(*st, &f.rows);
}

static int run_upsert(struct apply *a, struct statements *st, const struct entry *e, size_t n)
{
    const struct schema_sql *sql = &a->sql[e->table];
    if (sql->many_lean) {
        int rc = feed_run(a, &st->many_lean, sql->many_lean, e, n);
        if (rc || db_changed(a->db) == (int64_t)n)
            return rc;
    }
    return feed_run(a, &st->many_upsert, sql->many_upsert, e, n);
}

static int run_apply(struct apply *a, struct entry *e, size_t n)
{
    struct statements *st = &a->tables[e->table];
    const struct schema_sql *sql = &a->sql[e->table];
    int rc = 0;
    if (n <= FEW || e->op == ROW_DELETE || !sql->many_insert) {
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = row_apply(a, &e[i]);
        return rc;
    }
    if (sql->sorted)
        key_sort(e, entries(&a->list), n); /* as many as there are fit there */
    if (e->op == ROW_INSERT)
        rc = feed_run(a, &st->many_insert, sql->many_insert, e, n);
    else if (e->op == ROW_UPSERT || !sql->hot)
        rc = run_upsert(a, st, e, n);
    return rc || !sql->hot ? rc : feed_run(a, &st->many_hot, sql->many_hot, e, n);
}

/* ---- a batch ---- */

static int session_look(const struct apply *a, const struct entry *e, apply_ended_fn *ended,
                        void *ctx)
{
    int64_t id, state;
    int rc = rowio_number(ROW_SESSION, e->columns, a->session_id, &id);
    if (rc == 0)
        rc = rowio_number(ROW_SESSION, e->columns, a->session_state, &state);
    if (rc == 0 && state == SESSION_ENDED)
        ended(ctx, id);
    return rc;
}

/* The heads of the rows, into the list; count[t] rows of table t. */
static int rows_list(struct apply *a, struct str rows, apply_ended_fn *ended, void *ctx)
{
    struct cursor c = {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n};
    buf_reset(&a->list);
    memset(a->count, 0, sizeof a->count);
    while (c.p < c.end) {
        struct entry e;
        enum row_table t;
        enum row_op op;
        int rc = row_head(&c, &t, &op, &e.columns);
        if (rc)
            return rc;
        e.table = (uint8_t)t;
        e.op = (uint8_t)op;
        e.key = 0;
        rc = a->sql[t].sorted ? rowio_number(t, e.columns, 0, &e.key) : 0;
        if (rc)
            return rc;
        buf_put(&a->list, &e, sizeof e);
        a->count[t]++;
        rc = ended && t == ROW_SESSION && op != ROW_DELETE ? session_look(a, &e, ended, ctx) : 0;
        if (rc)
            return rc;
    }
    return a->list.err;
}

/* Stable: a table's rows in the order of the batch. */
static int list_sort(struct apply *a)
{
    size_t at[ROW_TABLE_N] = {0}, n = a->list.n / sizeof(struct entry);
    const struct entry *from = entries(&a->list);
    for (int t = 1; t < ROW_TABLE_N; t++)
        at[t] = at[t - 1] + a->count[t - 1];
    buf_reset(&a->sorted);
    buf_put(&a->sorted, a->list.p, a->list.n); /* of the size that it needs */
    if (a->sorted.err)
        return a->sorted.err;
    for (size_t i = 0; i < n; i++)
        entries(&a->sorted)[at[from[i].table]++] = from[i];
    return 0;
}

int apply_rows(struct apply *a, struct str rows, apply_ended_fn *ended, void *ctx, uint64_t *n)
{
    int rc = rows_list(a, rows, ended, ctx);
    if (rc == 0)
        rc = list_sort(a);
    if (rc)
        return rc;
    struct entry *e = entries(&a->sorted), *end = e + a->sorted.n / sizeof *e;
    *n += (uint64_t)(end - e);
    while (e < end && rc == 0) {
        size_t same = 1;
        while (e + same < end && e[same].table == e->table && e[same].op == e->op)
            same++;
        rc = run_apply(a, e, same);
        if (rc)
            log_line(LOG_ERROR, "store", 0, "%zu rows of %s, operation %d", same,
                     row_metas[e->table].name, (int)e->op);
        e += same;
    }
    return rc;
}

size_t apply_count(const struct apply *a, enum row_table t)
{
    return a->count[t];
}
