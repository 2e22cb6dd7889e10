// SPDX-License-Identifier: Apache-2.0
/* csv.h: comma-separated files (RFC 4180): quoted cells with doubled quotes and line breaks inside,
 * CRLF or LF, a byte order mark, another separator. Cells borrow the text, which is changed in
 * place where quotes are doubled. One thread. */
#ifndef EVEN_SIM_CSV_H
#define EVEN_SIM_CSV_H

#include "base/str.h"

struct csv {
    char *p, *end;
    char separator;
    size_t line; /* the next record begins on; from 1 */
};

/** Begins with the text [p, p + n). */
void csv_init(struct csv *c, char *p, size_t n, char separator);
/** Takes one record: *n cells (empty lines are passed over). 1, 0 at the end, ERR_SYNTAX for a
 * quote that does not end or has something behind it, ERR_TOO_LARGE for more than `cap` cells. */
EV_MUST_USE int csv_next(struct csv *c, struct str *cells, size_t cap, size_t *n);

#endif
