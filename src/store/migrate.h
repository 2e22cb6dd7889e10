// SPDX-License-Identifier: Apache-2.0
/* migrate.h: brings a database to this program's schema. A new file gets the generated schema at
 * once and the names of all migrations; an older file gets the migrations it lacks, each in its own
 * transaction. Every applied migration stands in the file with the SHA-256 of its text, and row 0
 * holds that of the generated schema. */
#ifndef EVEN_STORE_MIGRATE_H
#define EVEN_STORE_MIGRATE_H

#include "io/db/db.h"
#include "schema_gen.h"

/** `ddl`: the whole present schema; `list`: forward migrations, ends with number 0. ERR_NEWER: the
 * file knows a migration that we do not. ERR_CORRUPT: a migration was altered after it was applied,
 * or the schema was changed without a migration. ERR_CONFLICT: it is another program's. Else store errors. Logs what it does. */
EV_MUST_USE int migrate(struct db *db, const char *ddl, const struct schema_migration *list);
/** Is the database of just this schema? Changes nothing. ERR_NEWER, ERR_CORRUPT as above; ERR_CONFLICT:
 * it is older. */
EV_MUST_USE int migrate_fits(struct db *db, const char *ddl, const struct schema_migration *list);

#endif
