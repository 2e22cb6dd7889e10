// SPDX-License-Identifier: Apache-2.0
/* results.h: a file of results that comes back from those who work without an interface, a bank or a
 * tax system: which of our rows, with what amount, what became of it.
 *
 * Invariants: 1. a file is judged as a whole before anything of it is done: unknown, missing or
 * doubled columns, a row that cannot be read (a file that was cut off has one), two rows that would
 * both count of one of ours, too many rows refuse it; 2. a row counts only for what
 * waits, with the amount that was asked; 3. each row is a command of its own and the core's rules hold
 * for it; the same file again finds nothing waiting, so it needs no idempotency key.
 *
 * Thread: the request's. */
#ifndef EVEN_WEB_RESULTS_H
#define EVEN_WEB_RESULTS_H

#include "web/request.h"

enum { RESULTS_MAX = 1000, RESULT_CELLS = 6 };
/* Columns that every such file has; what follows is needed by whoever says that it succeeded. */
enum { RESULT_ID, RESULT_AMOUNT, RESULT_SAYS, RESULT_NOTE, RESULT_MORE };

struct result_row {
    int64_t line, id;
    int32_t act;    /* 0 = nothing is said */
    int err;        /* why it was refused */
    int64_t amount; /* that was asked */
    struct str cell[RESULT_CELLS];
    struct str by; /* what the column `by` says */
};

struct result_kind {
    const char *const *columns; /* the file may have these */
    const char *const *used;    /* … and must have these, in the order above */
    int columns_n, used_n;
    const char *by; /* one of `columns` that a file may lack; NULL = none */
    struct {
        const char *word;
        int32_t act;
    } acts[2]; /* what a row may say; the first is success */
    enum cmd_type type;
    size_t size; /* of the command */
    /** What was asked of the row with this id, or why it does not count. */
    int (*asked)(struct request *r, void *ctx, const struct result_row *x, int64_t *amount);
    /** Fills the command; what does not fit refuses the row. */
    int (*fill)(struct request *r, const struct result_row *x, struct cmd *cmd);
};

/** The handler of such a file, from its first run to the reply; ctx is for `asked`. */
EV_MUST_USE int results_import(struct request *r, const struct result_kind *kind, void *ctx);

#endif
