// SPDX-License-Identifier: Apache-2.0
/* tape_rows.c: packed rows of every table. Any bytes: what unpacks packs again into a row that
 * unpacks the same; what does not leaves the cursor where it was. And rows of any values: they come
 * back as they were, and packed twice they are the same bytes. */
#include "tape.h"

#include "core/rows.h"

enum { MEMORY = 8 << 20 };

static void same(const struct row_meta *m, const char *a, const char *b)
{
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *k = &m->columns[i];
        const char *text, *other;
        struct str blob, twin;
        size_t size = k->kind == COLUMN_INT || k->kind == COLUMN_BOOL ? 4 : 8;
        if (k->kind == COLUMN_TEXT) {
            memcpy(&text, a + k->offset, sizeof text);
            memcpy(&other, b + k->offset, sizeof other);
            must(str_eq(str_from_c(text), str_from_c(other)));
        } else if (k->kind == COLUMN_BLOB) {
            memcpy(&blob, a + k->offset, sizeof blob);
            memcpy(&twin, b + k->offset, sizeof twin);
            must(str_eq(blob, twin));
        } else {
            must(memcmp(a + k->offset, b + k->offset, size) == 0);
        }
    }
}

/* Packs a row, unpacks it, compares. */
static void there_and_back(enum row_table t, enum row_op op, const void *row, struct arena *a)
{
    struct buf one, two;
    enum row_table table;
    enum row_op what;
    void *copy;
    buf_init(&one, MEMORY);
    buf_init(&two, MEMORY);
    row_pack(&one, t, op, row);
    must(!one.err);
    struct cursor c = {(const uint8_t *)one.p, (const uint8_t *)one.p + one.n};
    must(row_unpack(&c, a, &table, &what, &copy) == 0 && c.p == c.end);
    must(table == t && what == op);
    same(&row_metas[t], row, copy);
    row_pack(&two, t, op, copy);
    must(str_eq(buf_str(&one), buf_str(&two)));
    buf_free(&one);
    buf_free(&two);
}

static void any_bytes(struct str s)
{
    struct cursor c = {(const uint8_t *)s.p, (const uint8_t *)s.p + s.n};
    struct arena a;
    arena_init(&a, MEMORY);
    for (;;) {
        struct cursor before = c, head = c, columns;
        enum row_table t, again;
        enum row_op op, what;
        void *row;
        int err = row_unpack(&c, &a, &t, &op, &row);
        if (err) {
            must(c.p == before.p && c.end == before.end);
            break;
        }
        must(row_head(&head, &again, &what, &columns) == 0 && head.p == c.p);
        must(again == t && what == op && columns.end == c.p);
        there_and_back(t, op, row, &a);
        arena_reset(&a);
    }
    arena_free(&a);
}

static void column_fill(struct tape *t, const struct row_column *k, struct arena *a, char *at)
{
    int64_t big = (int64_t)tape_uint(t, tape_byte(t) % 9);
    int32_t small = (int32_t)big;
    struct str s = STR_NONE;
    if (k->kind == COLUMN_TEXT || k->kind == COLUMN_BLOB)
        s = tape_take(t, (size_t)(uint8_t)big);
    const char *text = arena_copy(a, s);
    must(text);
    if (k->kind == COLUMN_TEXT)
        memcpy(at, &text, sizeof text); /* ends at the first NUL */
    else if (k->kind == COLUMN_BLOB)
        memcpy(at, &s, sizeof s);
    else if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL)
        memcpy(at, &small, sizeof small);
    else
        memcpy(at, &big, sizeof big);
}

static void any_values(struct tape *t)
{
    enum row_table table = (enum row_table)(1 + tape_byte(t) % (ROW_TABLE_N - 1));
    enum row_op op = (enum row_op)(1 + tape_byte(t) % 3);
    const struct row_meta *m = &row_metas[table];
    struct arena a;
    arena_init(&a, MEMORY);
    char *row = arena_alloc(&a, m->size);
    must(row);
    for (uint32_t i = 0; i < m->n; i++)
        column_fill(t, &m->columns[i], &a, row + m->columns[i].offset);
    there_and_back(table, op, row, &a);
    arena_free(&a);
}

int tape_rows(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    if (tape_byte(&t) % 2)
        any_values(&t);
    else
        any_bytes(tape_rest(&t));
    return 0;
}
