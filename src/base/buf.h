// SPDX-License-Identifier: Apache-2.0
/* buf.h: growable bytes with a cap. Writers never check each call: the first write past the cap
 * sets `err` (ERR_TOO_LARGE) and later writes do nothing, so one check at the end is enough. */
#ifndef EVEN_BASE_BUF_H
#define EVEN_BASE_BUF_H

#include "base/str.h"

struct buf {
    char *p;
    size_t n, size, cap;
    int err;
};

void buf_init(struct buf *b, size_t cap);
void buf_free(struct buf *b);
/** Empties; keeps the memory; clears err. */
void buf_reset(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_put_c(struct buf *b, const char *c);
void buf_put_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) EV_PRINTF(2, 3);
void buf_put_i64(struct buf *b, int64_t v);
/** A JSON string with its quotes; invalid UTF-8 becomes U+FFFD; control characters escaped. */
void buf_put_json(struct buf *b, struct str s);
/** Scaled integer as a decimal number: (12345, 3) -> 12.345, trailing zeros cut to `min_dec`. */
void buf_put_decimal(struct buf *b, int64_t v, int scale, int min_dec);
/** Unsigned LEB128 and zigzag varints (row packing, sample log). */
void buf_put_varint(struct buf *b, uint64_t v);
void buf_put_zigzag(struct buf *b, int64_t v);
/** Appends n zero bytes and returns where they are, or NULL past the cap. */
void *buf_grow(struct buf *b, size_t n);
/** Makes room for n bytes and returns where they will be; whoever fills them adds to b->n. NULL, and no
 * error, where that many do not fit below the cap. */
uint8_t *buf_space(struct buf *b, size_t n);
/** Drops the first n bytes (moves the rest down). */
void buf_drop(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);

/** Reader over packed bytes: each take returns 0 or ERR_SYNTAX at the end of the bytes. */
struct cursor {
    const uint8_t *p, *end;
};
EV_MUST_USE int cursor_varint(struct cursor *c, uint64_t *v);
EV_MUST_USE int cursor_zigzag(struct cursor *c, int64_t *v);
EV_MUST_USE int cursor_bytes(struct cursor *c, size_t n, struct str *out);

#endif
