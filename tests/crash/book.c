// SPDX-License-Identifier: Apache-2.0
/* book.c: the told side of book.h: sealed batches into sums. A sum changes by the difference of the
 * row's old and new hash, so each batch costs what it brings. */
#include "crash/book.h"

#include <stdlib.h>
#include "base/must.h"
#include "crash/book_hash.h"

enum { ROWS_MAX = 1 << 24, KEY_CAP = 4096 };

void book_init(struct book *b)
{
    *b = (struct book){0};
    strmap_init(&b->keys, ROWS_MAX, 3);
    map_init(&b->chains, ROWS_MAX, 5);
    arena_init(&b->scratch, 1 << 26);
}

void book_free(struct book *b)
{
    for (size_t i = 0; i < b->rows_n; i++)
        free(b->rows[i].packed);
    free(b->rows);
    strmap_free(&b->keys);
    map_free(&b->chains);
    arena_free(&b->scratch);
}

static uint64_t row_hash(enum row_table t, struct cursor c)
{
    const struct row_meta *m = &row_metas[t];
    uint64_t h = hash_u64(t, 1);
    for (uint32_t i = 0; i < m->n; i++) {
        uint64_t n;
        int64_t v;
        struct str s;
        if (column_is_number(&m->columns[i])) {
            must(cursor_zigzag(&c, &v) == 0);
            h = hash_number(h, v);
        } else {
            must(cursor_varint(&c, &n) == 0 && cursor_bytes(&c, (size_t)n, &s) == 0);
            h = hash_text(h, s);
        }
    }
    return h ? h : 1;
}

static void row_key(enum row_table t, struct cursor c, struct buf *key)
{
    const struct row_meta *m = &row_metas[t];
    buf_put_varint(key, t);
    for (uint32_t i = 0; i < m->n; i++) {
        uint64_t n;
        int64_t v;
        struct str s;
        if (column_is_number(&m->columns[i])) {
            must(cursor_zigzag(&c, &v) == 0);
            if (m->columns[i].pk)
                buf_put_zigzag(key, v);
        } else {
            must(cursor_varint(&c, &n) == 0 && cursor_bytes(&c, (size_t)n, &s) == 0);
            if (m->columns[i].pk)
                buf_put_str(key, s);
        }
    }
    must(!key->err);
}

static bool adds(enum row_table t)
{
    for (uint32_t i = 0; i < row_metas[t].n; i++)
        if (row_metas[t].columns[i].sum)
            return true;
    return false;
}

static void *unpacked(struct book *b, const char *p, size_t n)
{
    struct cursor c = {(const uint8_t *)p, (const uint8_t *)p + n};
    enum row_table t;
    enum row_op op;
    void *row;
    must(row_unpack(&c, &b->scratch, &t, &op, &row) == 0);
    return row;
}

/* The row of a table whose upserts add: old and new together, kept for the next time. */
static uint64_t row_add(struct book *b, struct book_row *r, enum row_table t, struct str packed)
{
    struct buf sum;
    struct cursor c, columns;
    enum row_op op;
    void *row = unpacked(b, packed.p, packed.n);
    const void *old = r->packed ? unpacked(b, r->packed, r->n) : NULL;
    for (uint32_t i = 0; i < row_metas[t].n && old; i++) {
        const struct row_column *k = &row_metas[t].columns[i];
        if (k->sum)
            *(int64_t *)(void *)((char *)row + k->offset) +=
                *(const int64_t *)(const void *)((const char *)old + k->offset);
    }
    buf_init(&sum, KEY_CAP);
    row_pack(&sum, t, ROW_UPSERT, row);
    must(!sum.err);
    free(r->packed);
    r->packed = sum.p;
    r->n = sum.n;
    c = (struct cursor){(const uint8_t *)sum.p, (const uint8_t *)sum.p + sum.n};
    must(row_head(&c, &t, &op, &columns) == 0);
    return row_hash(t, columns);
}

static struct book_row *row_at(struct book *b, enum row_table t, struct cursor columns)
{
    struct buf key;
    uint64_t at;
    buf_init(&key, KEY_CAP);
    row_key(t, columns, &key);
    if (!strmap_get(&b->keys, buf_str(&key), &at)) {
        if (b->rows_n == b->rows_size) {
            b->rows_size = b->rows_size ? 2 * b->rows_size : 256;
            b->rows = realloc(b->rows, b->rows_size * sizeof *b->rows);
            must(b->rows);
        }
        at = b->rows_n++;
        b->rows[at] = (struct book_row){0};
        must(strmap_put(&b->keys, buf_str(&key), at) == 0);
    }
    buf_free(&key);
    return &b->rows[at];
}

bool book_moves(enum row_table t)
{
    return t == ROW_PARTY_SHARE || t == ROW_PARTY_SHARE_NEW;
}

void book_rows(struct book *b, struct str rows)
{
    struct cursor c = {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n};
    while (c.p < c.end) {
        const char *from = (const char *)c.p;
        enum row_table t;
        enum row_op op;
        struct cursor columns;
        must(row_head(&c, &t, &op, &columns) == 0);
        must(t != ROW_METER_BLOCK); /* the store's own */
        if (book_moves(t))
            continue;
        struct book_row *r = row_at(b, t, columns);
        must(op != ROW_INSERT || !r->hash);
        b->sum.rows -= r->hash;
        if (op == ROW_DELETE)
            r->hash = 0;
        else if (adds(t))
            r->hash = row_add(b, r, t, str_from(from, (size_t)((const char *)c.p - from)));
        else
            r->hash = row_hash(t, columns);
        b->sum.rows += r->hash;
        arena_reset(&b->scratch);
    }
}

void book_samples(struct book *b, struct str samples)
{
    for (size_t at = 0; at < samples.n; at += sizeof(struct sample_record)) {
        struct sample_record r;
        uint64_t chain = 0;
        memcpy(&r, samples.p + at, sizeof r);
        if (map_get(&b->chains, (uint64_t)r.session, &chain))
            b->sum.samples -= hash_session(r.session, chain);
        chain = hash_sample(chain, r.at_ms, &r.sample);
        b->sum.samples += hash_session(r.session, chain);
        must(map_put(&b->chains, (uint64_t)r.session, chain) == 0);
    }
}
