// SPDX-License-Identifier: Apache-2.0
/* rows.c: see rows.h. One pair of loops over the generated column rows serves every table. */
#include "core/rows.h"

#include "base/err.h"
#include "base/must.h"
#include "base/varint.h"

enum { HEAD_SIZE = 7 };

static struct str column_bytes(const struct row_column *k, const char *at)
{
    const char *text;
    struct str blob;
    if (k->kind == COLUMN_TEXT) {
        memcpy(&text, at, sizeof text);
        return str_from_c(text);
    }
    memcpy(&blob, at, sizeof blob);
    return blob;
}

static int64_t column_number(const struct row_column *k, const char *at)
{
    int32_t small;
    int64_t big;
    if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL) {
        memcpy(&small, at, sizeof small);
        return small;
    }
    memcpy(&big, at, sizeof big);
    return big;
}

static bool column_is_bytes(const struct row_column *k)
{
    return k->kind == COLUMN_TEXT || k->kind == COLUMN_BLOB;
}

/* Columns from i on, up to the next one of bytes, all in one piece; returns which that is. */
static uint32_t numbers_pack(struct buf *out, const struct row_meta *m, uint32_t i, const char *row)
{
    uint8_t *p = buf_space(out, (size_t)VARINT_MAX * (m->n - i));
    if (!p) { /* close to the cap: what is needed may be less */
        for (; i < m->n && !column_is_bytes(&m->columns[i]); i++)
            buf_put_zigzag(out, column_number(&m->columns[i], row + m->columns[i].offset));
        return i;
    }
    for (; i < m->n && !column_is_bytes(&m->columns[i]); i++)
        p = varint_write(p, zigzag_of(column_number(&m->columns[i], row + m->columns[i].offset)));
    out->n = (size_t)((char *)p - out->p);
    return i;
}

static void bytes_pack(struct buf *out, struct str s)
{
    uint8_t *p = buf_space(out, VARINT_MAX + s.n);
    if (!p) { /* close to the cap: what is needed may be less */
        buf_put_varint(out, s.n);
        buf_put_str(out, s);
        return;
    }
    p = varint_write(p, s.n);
    if (s.n)
        memcpy(p, s.p, s.n);
    out->n = (size_t)((char *)p + s.n - out->p);
}

void row_pack(struct buf *out, enum row_table t, enum row_op op, const void *row)
{
    must(t > 0 && t < ROW_TABLE_N && op >= ROW_UPSERT && op <= ROW_UPDATE);
    const struct row_meta *m = &row_metas[t];
    size_t start = out->n;
    const uint8_t head[HEAD_SIZE] = {0, 0, 0, 0, (uint8_t)t, (uint8_t)op, (uint8_t)m->n};
    buf_put(out, head, sizeof head);
    for (uint32_t i = 0; i < m->n && !out->err; i++) {
        i = numbers_pack(out, m, i, row);
        if (i == m->n)
            break;
        bytes_pack(out, column_bytes(&m->columns[i], (const char *)row + m->columns[i].offset));
    }
    if (out->err)
        return;
    size_t n = out->n - start;
    must(n <= UINT32_MAX);
    for (size_t i = 0; i < 4; i++)
        out->p[start + i] = (char)(uint8_t)(n >> (8 * i));
}

int row_head(struct cursor *c, enum row_table *t, enum row_op *op, struct cursor *columns)
{
    size_t left = (size_t)(c->end - c->p);
    if (left < HEAD_SIZE)
        return ERR_SYNTAX;
    size_t n = 0;
    for (size_t i = 0; i < 4; i++)
        n |= (size_t)c->p[i] << (8 * i);
    if (n < HEAD_SIZE || n > left)
        return ERR_SYNTAX;
    uint8_t table = c->p[4], what = c->p[5];
    if (table == 0 || table >= ROW_TABLE_N || what < ROW_UPSERT || what > ROW_UPDATE ||
        c->p[6] != row_metas[table].n)
        return ERR_SYNTAX;
    *t = (enum row_table)table;
    *op = (enum row_op)what;
    *columns = (struct cursor){c->p + HEAD_SIZE, c->p + n};
    c->p += n;
    return 0;
}

static int bytes_unpack(struct cursor *c, struct arena *a, bool text, char *at)
{
    uint64_t n;
    struct str s;
    int rc = cursor_varint(c, &n);
    if (rc == 0)
        rc = n <= (uint64_t)(c->end - c->p) ? cursor_bytes(c, (size_t)n, &s) : ERR_SYNTAX;
    if (rc)
        return rc;
    if (text && s.n && memchr(s.p, 0, s.n))
        return ERR_SYNTAX;
    const char *copy = arena_copy(a, s);
    if (!copy)
        return ERR_TOO_LARGE;
    s.p = copy;
    if (text)
        memcpy(at, &copy, sizeof copy);
    else
        memcpy(at, &s, sizeof s);
    return 0;
}

static int column_unpack(struct cursor *c, struct arena *a, const struct row_column *k, char *at)
{
    if (k->kind == COLUMN_TEXT || k->kind == COLUMN_BLOB)
        return bytes_unpack(c, a, k->kind == COLUMN_TEXT, at);
    int64_t v;
    int rc = cursor_zigzag(c, &v);
    if (rc)
        return rc;
    if (k->kind != COLUMN_INT && k->kind != COLUMN_BOOL) {
        memcpy(at, &v, sizeof v);
        return 0;
    }
    if (v < INT32_MIN || v > INT32_MAX)
        return ERR_SYNTAX;
    int32_t small = (int32_t)v;
    memcpy(at, &small, sizeof small);
    return 0;
}

int row_unpack(struct cursor *c, struct arena *a, enum row_table *t, enum row_op *op, void **row)
{
    struct cursor after = *c, columns;
    int rc = row_head(&after, t, op, &columns);
    if (rc)
        return rc;
    const struct row_meta *m = &row_metas[*t];
    char *p = arena_alloc(a, m->size);
    if (!p)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < m->n; i++) {
        rc = column_unpack(&columns, a, &m->columns[i], p + m->columns[i].offset);
        if (rc)
            return rc;
    }
    if (columns.p != columns.end)
        return ERR_SYNTAX;
    *row = p;
    *c = after;
    return 0;
}
