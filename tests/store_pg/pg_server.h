// SPDX-License-Identifier: Apache-2.0
/* pg_server.h: a PostgreSQL server of the test's own: made in a temporary folder by a user without
 * rights, reachable by a socket in that folder only, stopped and removed at the end. It dies with
 * the test program. Durability is not asked of it (fsync off): nobody cuts the power here. */
#ifndef EVEN_TEST_PG_SERVER_H
#define EVEN_TEST_PG_SERVER_H

#include <stdint.h>
#include "base/compiler.h"

/** False when no server is installed here. Anything else that goes wrong ends the test. */
bool server_start(void);
void server_stop(void);
/** Makes an empty database and answers how to open it; valid until the next call but seven. */
const char *server_database(void);

/** Runs SQL beside the connections under test; a mistake in it ends the test. */
void server_exec(const char *path, const char *sql);
/** First column of its first row as a number. */
int64_t server_number(const char *path, const char *sql);

#endif
