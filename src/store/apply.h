// SPDX-License-Identifier: Apache-2.0
/* apply.h: packed rows into an open transaction. Inside the store only, on its writer's connection
 * and thread. */
#ifndef EVEN_STORE_APPLY_H
#define EVEN_STORE_APPLY_H

#include "core/rows.h"
#include "io/db/db.h"

struct apply;

/** Prepares the statements of every table; the connection must outlive it. Store errors. */
EV_MUST_USE int apply_open(struct db *db, struct apply **out);
/** NULL is fine. */
void apply_close(struct apply *a);

/** Gets each session whose row says that it is over. */
typedef void apply_ended_fn(void *ctx, int64_t session);
/** Applies a run of packed rows as core/rows.h promises for their operations. Rows of one table keep
 * their order; between tables there is none. *n counts them, `ended` may be NULL. After an error only
 * db_rollback may follow. */
EV_MUST_USE int apply_rows(struct apply *a, struct str rows, apply_ended_fn *ended, void *ctx,
                           uint64_t *n);
/** Rows of this table in the last run that was applied. */
size_t apply_count(const struct apply *a, enum row_table t);

#endif
