// SPDX-License-Identifier: Apache-2.0
/* json.h: reading and checking JSON text (RFC 8259) without building anything: the leaves under the
 * message engine, and what an envelope such as OCPP-J's array needs. Values are skipped as text,
 * strings are decoded on demand.
 *
 * Invariants:
 *  1. pos never passes n.
 *  2. After an error pos stands at the byte that is wrong.
 *  3. Accepted strings are well-formed UTF-8. No thread, no state beyond the reader. */
#ifndef EVEN_WIRE_JSON_H
#define EVEN_WIRE_JSON_H

#include "base/arena.h"
#include "base/str.h"

struct json_reader {
    const char *p;
    size_t n, pos;
    const char *why; /* reason of the last error, static text */
};

void json_reader_init(struct json_reader *r, struct str text);
/** Skips blanks and gives the next byte without taking it, or 0 at the end. In the header, with
 * json_take, because every token begins with it and most are not preceded by a blank. */
char json_peek_blank(struct json_reader *r);
static inline char json_peek(struct json_reader *r)
{
    if (EV_LIKELY(r->pos < r->n && r->p[r->pos] > ' '))
        return r->p[r->pos];
    return json_peek_blank(r);
}
/** Skips blanks, then takes `c` if it is next. */
static inline bool json_take(struct json_reader *r, char c)
{
    if (json_peek(r) != c || r->pos >= r->n)
        return false;
    r->pos++;
    return true;
}
/** ERR_SYNTAX unless only blanks are left. */
EV_MUST_USE int json_end(struct json_reader *r);
/** Reads a string. Without escapes `*out` borrows the input, else it lives in the arena.
 * ERR_SYNTAX, ERR_TOO_LARGE. */
EV_MUST_USE int json_string(struct json_reader *r, struct arena *a, struct str *out);
/** Reads a number as its text (borrowed). */
EV_MUST_USE int json_number(struct json_reader *r, struct str *out);
/** Reads any value and gives its text (borrowed), checked to the given depth. */
EV_MUST_USE int json_skip(struct json_reader *r, int depth, struct str *out);

#endif
