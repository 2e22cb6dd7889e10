// SPDX-License-Identifier: Apache-2.0
/* str.h: a borrowed run of bytes. It owns nothing, is not NUL-terminated and may hold any byte.
 * Whoever keeps one past the life of what it points into copies it (arena, fixed array). */
#ifndef EVEN_BASE_STR_H
#define EVEN_BASE_STR_H

#include <string.h>
#include "base/compiler.h"

struct str {
    const char *p;
    size_t n;
};

#define STR_LIT(s) ((struct str){(s), sizeof(s) - 1})
#define STR_FMT(s) (int)(s).n, (s).p /* for "%.*s" */
#define STR_NONE   ((struct str){NULL, 0})

/** Borrows the NUL-terminated `c`; NULL gives the empty str. */
static inline struct str str_from_c(const char *c)
{
    return c ? (struct str){c, strlen(c)} : STR_NONE;
}
static inline struct str str_from(const char *p, size_t n)
{
    return (struct str){p, n};
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_eq_c(struct str a, const char *c)
{
    return str_eq(a, str_from_c(c));
}
/** ASCII case-insensitive equality (HTTP header names, hex). */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
/** <0, 0, >0 by bytes, then by length. */
int str_cmp(struct str a, struct str b);
/** Index of the first `c`, or -1. */
ptrdiff_t str_find(struct str s, char c);
/** Cuts ASCII blanks from both ends. */
struct str str_trim(struct str s);
/** Splits at the first `sep`: returns the part before it, leaves the rest in `*rest` (both borrow
 * `*rest`). Without a separator returns all and empties `*rest`. */
struct str str_cut(struct str *rest, char sep);
/** Copies into dst[cap], always NUL-terminated, cut at a UTF-8 boundary when too long.
 * Returns the bytes copied; less than s.n means it was cut. */
size_t str_copy(char *dst, size_t cap, struct str s);
/** True for well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool str_utf8_valid(struct str s);
/** Bytes of the well-formed UTF-8 character at the start of s, or 0 (bad bytes, cut off, or empty).
 */
size_t str_utf8_step(struct str s);
/** Bytes at the start of s that are ASCII and stand for themselves in a JSON string: no control
 * character, quote or backslash. */
size_t str_plain_run(struct str s);
/** Constant-time equality of two byte runs of the same length (secrets). */
bool str_eq_const_time(const void *a, const void *b, size_t n);
/** Decimal integer, whole string, optional '-': 0, or ERR_SYNTAX, ERR_RANGE. */
EV_MUST_USE int str_to_i64(struct str s, int64_t *out);
/** 2n hex digits (either case) to n bytes; ERR_SYNTAX on anything else. */
EV_MUST_USE int str_from_hex(struct str hex, uint8_t *out, size_t n);
/** Writes 2n lower-case hex digits and a NUL to out[2n+1]. */
void str_to_hex(const uint8_t *p, size_t n, char *out);

#endif
