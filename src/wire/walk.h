// SPDX-License-Identifier: Apache-2.0
/* walk.h: a message field by field, each with the bytes it stands in and its row: for people who
 * look at frames. Nothing is judged here: what the table does not know is told without a row.
 *
 * Invariants: 1. a span lies inside the given bytes; spans rise and do not overlap; 2. only leaves
 * are told (values, not objects and lists).
 *
 * Thread: none of its own. Depth is bounded by WIRE_DEPTH. */
#ifndef EVEN_WIRE_WALK_H
#define EVEN_WIRE_WALK_H

#include "wire/wire.h"

struct wire_leaf {
    const struct wire_field *field; /* NULL = not in the table */
    struct str path;                /* "meterValue[0].sampledValue[1].value" */
    size_t at, n;                   /* where it stands */
    struct str value;               /* as people read it: scaled, decoded, without quotes */
};
/** path and value are good until it returns; a non-zero answer ends the walk. */
typedef int wire_leaf_fn(void *ctx, const struct wire_leaf *leaf);

/** Walks the text of one JSON value; t NULL = nothing is known of it. 0, the answer of fn, or
 * ERR_SYNTAX, ERR_TOO_LARGE (arena, for texts with escapes) where it stopped. */
EV_MUST_USE int wire_json_walk(const struct wire_type *t, struct str json, struct arena *a,
                               wire_leaf_fn *fn, void *ctx);
/** Walks a frame body: the known fields that are there, and what follows them as one leaf without a
 * row. 0 or the answer of fn; ERR_SYNTAX when the body ends inside a field. */
EV_MUST_USE int wire_bin_walk(const struct wire_type *t, struct str body, wire_leaf_fn *fn,
                              void *ctx);

#endif
