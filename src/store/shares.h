// SPDX-License-Identifier: Apache-2.0
/* shares.h: where a party finds its parts. An index of split_part by party would be written in as many
 * places as parties take part in a commit: with five parties an order and a hundred orders a commit,
 * five hundred pages, more than all else that a capture costs. So the entries are first kept in the
 * order in which they come (party_share_new) and moved, some ten thousand at once and sorted by party,
 * to where they are found by party and time (party_share): a page then takes many at once.
 *
 * Who reads takes the UNION of both tables: an entry that is being moved stands in both for a while, and
 * is the same row. Inside the store only, on its writer's connection and thread. */
#ifndef EVEN_STORE_SHARES_H
#define EVEN_STORE_SHARES_H

#include "io/db/db.h"

struct shares {
    struct db_stmt *waiting, *move, *moved;
    int64_t many;   /* so many wait before they are moved */
    int64_t n;      /* entries that wait, as far as this was told */
    int64_t moving; /* of them, when the move under way began; 0 = none is */
    int64_t upto;   /* the last transfer of those */
    int32_t slice;  /* the next of SHARES_SLICES, by party */
};

/** Counts what waits; many: 0 = 10,000. Store errors. */
EV_MUST_USE int shares_open(struct shares *s, struct db *db, uint32_t many);
void shares_close(struct shares *s);
/** In the open transaction, after `added` entries were written by it: moves a slice, or several where
 * many were added, once enough wait. After an error, or when the transaction is given up, the caller
 * puts back what *s was before. */
EV_MUST_USE int shares_step(struct shares *s, uint64_t added);

#endif
