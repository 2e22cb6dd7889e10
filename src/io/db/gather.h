// SPDX-License-Identifier: Apache-2.0
/* gather.h: a layer between SQLite and its files that gathers the many small writes of a commit to
 * the journal into few large ones; see gather.c. Inside io/db only, for sqlite.c. */
#ifndef EVEN_IO_DB_GATHER_H
#define EVEN_IO_DB_GATHER_H

/** The name of the layer over SQLite's default one (made at the first call), for sqlite3_open_v2;
 * NULL when SQLite has no memory for it. Any thread. */
const char *gather_vfs(void);

#endif
