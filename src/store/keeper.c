// SPDX-License-Identifier: Apache-2.0
/* keeper.c: housekeeping; see store.h. Thread: the keeper's own connection is used by one thread.
 * Failure: logged. */
#include "store/store_internal.h"

#include <stdlib.h>
#include "base/err.h"

enum { JOURNAL_MAX = 256 << 20 };

/* Moving often moves the same pages often: so much journal is waited for, but not for ever. */
enum { MOVE_BYTES = 16 << 20, MOVE_CALLS = 5 };

struct store_keeper {
    struct db *db;
    const struct store *store;
    int64_t moved; /* bytes of journal at the last move */
    int calls;     /* since */
};

int store_keeper_open(struct store *s, struct store_keeper **out)
{
    *out = NULL;
    struct store_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->store = s;
    k->calls = MOVE_CALLS;
    int rc = db_open(
        &(struct db_config){.path = store_db_path(s), .mode = DB_KEEPER, .claim = store_claim(s)},
        &k->db);
    if (rc) {
        free(k);
        return store_fail(NULL, rc, "open keeper");
    }
    *out = k;
    return 0;
}

void store_keeper_close(struct store_keeper *k)
{
    if (!k)
        return;
    db_close(k->db);
    free(k);
}

static bool move_due(struct store_keeper *k)
{
    int64_t bytes = store_journal_bytes(k->store);
    if (bytes < k->moved) /* it began anew */
        k->moved = 0;
    bool due = bytes < 0 || ++k->calls > MOVE_CALLS || bytes - k->moved >= MOVE_BYTES;
    if (due) {
        k->moved = bytes;
        k->calls = 0;
    }
    return due;
}

int store_keeper_run(struct store_keeper *k)
{
    int64_t left;
    if (!move_due(k))
        return 0;
    int rc = db_tidy(k->db, false, &left);
    /* Only when readers kept it growing: cutting makes the writer wait. */
    if (rc == 0 && left > JOURNAL_MAX)
        rc = db_tidy(k->db, true, &left);
    return rc ? store_fail(k->db, rc, "housekeeping") : 0;
}
