// SPDX-License-Identifier: Apache-2.0
/* feed.h: the table `feed($1)` of SQLite connections, whose rows come from a struct db_rows; see
 * feed.c. Inside io/db only, for sqlite.c. */
#ifndef EVEN_IO_DB_FEED_H
#define EVEN_IO_DB_FEED_H

#include "io/db/db.h"

struct sqlite3;
struct sqlite3_stmt;

/** Makes the table known to a connection; an SQLite code. */
int feed_declare(struct sqlite3 *lite);
/** Binds parameter 1 of the statement to these rows; an SQLite code. */
int feed_bind(struct sqlite3_stmt *st, struct db_rows *rows);

#endif
