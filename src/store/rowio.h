// SPDX-License-Identifier: Apache-2.0
/* rowio.h: rows between the database port and the structs and packed bytes of core/rows.h, by the
 * generated column rows. Inside the store only. */
#ifndef EVEN_STORE_ROWIO_H
#define EVEN_STORE_ROWIO_H

#include "core/rows.h"
#include "io/db/db.h"

/** Room for the struct of any table. */
union rowio_room {
    int64_t align;
    char bytes[1024];
};

/** Fills the struct of the table from the present row of a select of all its columns. Texts and
 * blobs borrow the statement until its next step. */
void rowio_read(struct db_stmt *st, enum row_table t, union rowio_room *row);
/** Packed columns (row_head) as cells, one a column, which must have room for the table's. Bytes are
 * borrowed. ERR_SYNTAX when they are malformed. */
EV_MUST_USE int rowio_cells(enum row_table t, struct cursor columns, struct db_cell *cells);
/** Which columns of a row a statement takes: all; those of the primary key, each at its place; those
 * that are not hot, or the key and those that are, one after the other. */
enum rowio_part { ROWIO_ALL, ROWIO_KEYS, ROWIO_COLD, ROWIO_HOT };
/** Binds packed columns (row_head) to $1 … $n. The bytes are borrowed until db_reset. ERR_SYNTAX when
 * they are malformed. */
EV_MUST_USE int rowio_bind(struct db_stmt *st, enum row_table t, struct cursor columns,
                           enum rowio_part part);
/** The number in packed column `index`, which must be one. ERR_SYNTAX. */
EV_MUST_USE int rowio_number(enum row_table t, struct cursor columns, uint32_t index, int64_t *v);
/** Index of a column by name; must exist. */
uint32_t rowio_column(enum row_table t, const char *name);

#endif
