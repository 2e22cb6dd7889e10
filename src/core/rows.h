// SPDX-License-Identifier: Apache-2.0
/* rows.h: the rows of the database as plain structs, and their packed form. src/store/schema.tbl is
 * the one source: tools/gen/gen_schema makes of it core/rows_gen.h (struct row_<table>, enum
 * row_table) and the column rows below, by which every floor may walk a row without knowing its
 * table. There is no SQL here: that is the store's.
 *
 * In a struct: id, i64, money, energy and time are int64_t; int and bool are int32_t; text is a
 * `const char *` that is never NULL (row_pack takes NULL for ""); blob is a struct str. 0 stands
 * for "none" in ids and times.
 *
 * Packed form (flat, pointer-free, may cross threads): u32 little-endian total length (itself
 * included), u8 table, u8 op, u8 number of columns, then the columns in the order of the table:
 * numbers as zigzag varints, texts and blobs as varint length and bytes. Rows simply follow each
 * other.
 *
 * Invariants: 1. unpack(pack(row)) equals row; 2. malformed bytes never read outside the cursor and
 * leave it where it was; 3. a text holds no NUL byte. Pure functions; any thread. */
#ifndef EVEN_CORE_ROWS_H
#define EVEN_CORE_ROWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/rows_gen.h"

/** UPSERT: by primary key, the later row wins; columns marked `sum` in the schema are added to what
 * is there (so a stat_day row carries deltas). INSERT: the key must be new. DELETE: by primary key,
 * other columns ignored. UPDATE: as UPSERT, by who knows that the row is there and that only columns
 * marked `hot` differ: the store need not look at the others. */
enum row_op { ROW_UPSERT = 1, ROW_INSERT = 2, ROW_DELETE = 3, ROW_UPDATE = 4 };

enum row_kind { ROW_KIND_DIRECTORY = 1, ROW_KIND_STATE, ROW_KIND_JOURNAL, ROW_KIND_AUX };

enum column_kind {
    COLUMN_ID = 1,
    COLUMN_I64,
    COLUMN_MONEY,
    COLUMN_ENERGY,
    COLUMN_TIME, /* up to here int64_t */
    COLUMN_INT,
    COLUMN_BOOL, /* int32_t */
    COLUMN_TEXT, /* const char * */
    COLUMN_BLOB  /* struct str */
};

/** Personal data never enters the journal; a secret never leaves the store's file. */
enum column_class { CLASS_PLAIN, CLASS_PERSONAL, CLASS_SECRET };

struct row_column {
    const char *name;
    enum column_kind kind;
    enum column_class class;
    bool pk, sum;
    uint32_t offset; /* in the struct */
    uint32_t max;    /* text: characters, blob: bytes, else 0 */
    bool hot;
};

struct row_meta {
    const char *name; /* NULL for the unused entry 0 */
    enum row_kind kind;
    uint32_t size; /* of the struct */
    uint32_t n;    /* columns */
    const struct row_column *columns;
};

/** Indexed by enum row_table; entry 0 is unused; ROW_TABLE_N entries. */
extern const struct row_meta row_metas[];

/** Appends one packed row. An overflow of the buffer shows in out->err, as with every writer of
 * buf.h. */
void row_pack(struct buf *out, enum row_table t, enum row_op op, const void *row);
/** Takes one packed row; the struct and its texts live in the arena. ERR_SYNTAX on bad bytes or at
 * the end of them, ERR_TOO_LARGE when the arena is full. */
EV_MUST_USE int row_unpack(struct cursor *c, struct arena *a, enum row_table *t, enum row_op *op,
                           void **row);
/** Takes only the head of one packed row: leaves in *columns a cursor over its columns and moves c
 * behind it, for callers that bind columns without building the struct. ERR_SYNTAX. */
EV_MUST_USE int row_head(struct cursor *c, enum row_table *t, enum row_op *op,
                         struct cursor *columns);

#endif
