// SPDX-License-Identifier: Apache-2.0
/* shares.c: see shares.h. A move takes the entries of all transfers up to one, in slices of parties, a
 * slice a commit, so that no commit waits for all of it, and removes them when the last slice is in.
 *
 * Invariants: 1. an entry is in one of the tables or in both; 2. a move that a crash ended begins anew:
 * an entry that is there already is left alone. Thread: the writer's. Failure: the commit fails. */
#include "store/shares.h"

#include "base/err.h"
#include "store/query.h"

/* So many wait before they are moved: with a thousand parties a page takes some ten at once, and who
 * reads looks through these in two milliseconds. */
enum { SHARES_MANY = 10000, SHARES_SLICES = 16 };

static int waiting_read(struct shares *s)
{
    int rc = db_step(s->waiting);
    if (rc == 1) {
        s->n = db_column_i64(s->waiting, 0);
        s->upto = db_column_i64(s->waiting, 1);
        rc = 0;
    }
    db_reset(s->waiting);
    return rc;
}

int shares_open(struct shares *s, struct db *db, uint32_t many)
{
    const enum query q[] = {QUERY_SHARES_WAITING, QUERY_SHARES_MOVE, QUERY_SHARES_MOVED};
    struct db_stmt **st[] = {&s->waiting, &s->move, &s->moved};
    int rc = 0;
    *s = (struct shares){.many = many ? many : SHARES_MANY};
    for (size_t i = 0; i < ARRAY_LEN(q) && rc == 0; i++)
        rc = db_prepare(db, query_metas[q[i]].sql[db_dialect(db)], st[i]);
    return rc ? rc : waiting_read(s);
}

void shares_close(struct shares *s)
{
    db_finish(s->waiting);
    db_finish(s->move);
    db_finish(s->moved);
}

static int slice_move(struct shares *s)
{
    db_bind_i64(s->move, 1, s->upto);
    db_bind_i64(s->move, 2, SHARES_SLICES);
    db_bind_i64(s->move, 3, s->slice++);
    return db_run(s->move);
}

static int move_end(struct shares *s)
{
    db_bind_i64(s->moved, 1, s->upto);
    s->n -= s->moving;
    s->moving = 0;
    return db_run(s->moved);
}

/* Twice as fast as they come, so that a move ends before the next is due. */
static int32_t slices_due(const struct shares *s, uint64_t added)
{
    uint64_t n = 1 + added * 2 * SHARES_SLICES / (uint64_t)s->moving;
    return n < SHARES_SLICES ? (int32_t)n : SHARES_SLICES;
}

int shares_step(struct shares *s, uint64_t added)
{
    int rc = 0;
    s->n += (int64_t)added;
    if (!s->moving) {
        if (s->n < s->many)
            return 0;
        rc = waiting_read(s);
        s->moving = s->n;
        s->slice = 0;
    }
    for (int32_t i = s->moving ? slices_due(s, added) : 0;
         i > 0 && rc == 0 && s->slice < SHARES_SLICES; i--)
        rc = slice_move(s);
    return rc == 0 && s->moving && s->slice == SHARES_SLICES ? move_end(s) : rc;
}
