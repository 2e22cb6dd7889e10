// SPDX-License-Identifier: Apache-2.0
/* sheet.h: tables as text (RFC 4180, UTF-8): records are read one by one, cells are written so that a
 * spreadsheet takes none of them for a formula. Pure; cells live in the caller's arena or borrow
 * the text. */
#ifndef EVEN_WEB_SHEET_H
#define EVEN_WEB_SHEET_H

#include "base/arena.h"
#include "base/buf.h"

#define SHEET_CELLS 64

struct sheet {
    struct str rest;
    int64_t line; /* of the record, from 1 */
    struct str cell[SHEET_CELLS];
    int n;
};

/** Skips a byte-order mark. */
void sheet_open(struct sheet *c, struct str text);
/** The next record that is not blank: 1, 0 at the end, ERR_SYNTAX (a quote that does not close, not
 * UTF-8), ERR_FULL (too many cells), ERR_NOMEM. */
EV_MUST_USE int sheet_next(struct sheet *c, struct arena *a);
/** The column of that name in the record read last, or -1. */
int sheet_column(const struct sheet *c, const char *name);
/** Appends a cell; `first` leaves the comma out. */
void sheet_put(struct buf *out, bool first, struct str cell);

#endif
