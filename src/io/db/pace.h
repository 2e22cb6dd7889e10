// SPDX-License-Identifier: Apache-2.0
/* pace.h: a layer between SQLite and the database file that writes what is moved out of the journal
 * in small steps, each synced; see pace.c. Inside io/db only, for sqlite.c. */
#ifndef EVEN_IO_DB_PACE_H
#define EVEN_IO_DB_PACE_H

/** The name of the layer over SQLite's default one (made at the first call), for sqlite3_open_v2;
 * NULL when SQLite has no memory for it. Any thread. */
const char *pace_vfs(void);

#endif
