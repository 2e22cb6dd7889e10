// SPDX-License-Identifier: Apache-2.0
/* rowio.c: see rowio.h. Pure walking of column rows; the packed bytes come from our own core, but
 * may have been damaged on their way, so they are checked and never trusted. */
#include "store/rowio.h"

#include "base/err.h"
#include "base/must.h"
#include "base/varint.h"

static bool is_bytes(const struct row_column *k)
{
    return k->kind == COLUMN_TEXT || k->kind == COLUMN_BLOB;
}

static void column_read(struct db_stmt *st, int i, const struct row_column *k, char *at)
{
    if (is_bytes(k)) {
        struct str s = db_column_bytes(st, i);
        if (k->kind == COLUMN_TEXT)
            memcpy(at, &s.p, sizeof s.p);
        else
            memcpy(at, &s, sizeof s);
        return;
    }
    int64_t v = db_column_i64(st, i);
    int32_t small = (int32_t)v;
    if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL)
        memcpy(at, &small, sizeof small);
    else
        memcpy(at, &v, sizeof v);
}

void rowio_read(struct db_stmt *st, enum row_table t, union rowio_room *row)
{
    const struct row_meta *m = &row_metas[t];
    must(m->size <= sizeof row->bytes);
    for (uint32_t i = 0; i < m->n; i++)
        column_read(st, (int)i, &m->columns[i], row->bytes + m->columns[i].offset);
}

static int bytes_take(struct cursor *c, struct str *s)
{
    uint64_t n;
    int rc = cursor_varint(c, &n);
    if (rc)
        return rc;
    return n <= (uint64_t)(c->end - c->p) ? cursor_bytes(c, (size_t)n, s) : ERR_SYNTAX;
}

int rowio_cells(enum row_table t, struct cursor columns, struct db_cell *cells)
{
    const struct row_meta *m = &row_metas[t];
    const struct row_column *k = m->columns;
    for (struct db_cell *cell = cells, *end = cells + m->n; cell < end; cell++, k++) {
        uint64_t u;
        if (is_bytes(k)) {
            cell->kind = k->kind == COLUMN_TEXT ? DB_CELL_TEXT : DB_CELL_BLOB;
            int rc = bytes_take(&columns, &cell->s);
            if (rc)
                return rc;
            continue;
        }
        columns.p = varint_read(columns.p, columns.end, &u);
        if (!columns.p)
            return ERR_SYNTAX;
        cell->kind = DB_CELL_I64;
        cell->i = zigzag_to(u);
    }
    return columns.p == columns.end ? 0 : ERR_SYNTAX;
}

static bool in_part(const struct row_column *k, enum rowio_part part)
{
    if (part == ROWIO_ALL)
        return true;
    return k->pk || (part != ROWIO_KEYS && k->hot == (part == ROWIO_HOT));
}

int rowio_bind(struct db_stmt *st, enum row_table t, struct cursor columns, enum rowio_part part)
{
    const struct row_meta *m = &row_metas[t];
    struct db_cell cells[DB_CELLS_MAX];
    int rc = rowio_cells(t, columns, cells), next = 1;
    for (uint32_t i = 0; i < m->n && rc == 0; i++) {
        if (!in_part(&m->columns[i], part))
            continue;
        int at = part == ROWIO_KEYS ? (int)i + 1 : next++;
        if (cells[i].kind == DB_CELL_TEXT)
            db_bind_text(st, at, cells[i].s);
        else if (cells[i].kind == DB_CELL_BLOB)
            db_bind_blob(st, at, cells[i].s);
        else
            db_bind_i64(st, at, cells[i].i);
    }
    return rc;
}

int rowio_number(enum row_table t, struct cursor columns, uint32_t index, int64_t *v)
{
    const struct row_meta *m = &row_metas[t];
    must(index < m->n && !is_bytes(&m->columns[index]));
    for (uint32_t i = 0; i <= index; i++) {
        struct str s;
        int rc = is_bytes(&m->columns[i]) ? bytes_take(&columns, &s) : cursor_zigzag(&columns, v);
        if (rc)
            return rc;
    }
    return 0;
}

uint32_t rowio_column(enum row_table t, const char *name)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++)
        if (strcmp(m->columns[i].name, name) == 0)
            return i;
    must_fail(__FILE__, __LINE__, name);
}
