// SPDX-License-Identifier: Apache-2.0
/* buf.c: see buf.h. Data: one malloc'd run of `size` bytes, `n` of them in use.
 *
 * Invariants:
 *  1. n ≤ size ≤ cap.
 *  2. Once err is set nothing is appended until buf_reset, so that a reader never sees a message
 *     with a hole.
 *  3. The cursor never moves on failure. */
#include "base/buf.h"

#include "base/err.h"
#include "base/must.h"
#include "base/varint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap};
}

void buf_free(struct buf *b)
{
    free(b->p);
    buf_init(b, b->cap);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->err = 0;
}

/* The slow half of room(): grows to hold n more. */
static bool room_more(struct buf *b, size_t n)
{
    if (b->err)
        return false;
    if (n > b->cap - b->n) {
        b->err = ERR_TOO_LARGE;
        return false;
    }
    size_t size = b->size < 64 ? 64 : b->size;
    while (size < b->n + n)
        size = size > b->cap / 2 ? b->cap : size * 2;
    if (size > b->cap)
        size = b->cap;
    /* One byte more than counted: vsnprintf insists on its NUL. */
    char *p = realloc(b->p, size + 1);
    if (!p) {
        b->err = ERR_NOMEM;
        return false;
    }
    b->p = p;
    b->size = size;
    return true;
}

static inline bool room(struct buf *b, size_t n)
{
    return EV_LIKELY(n <= b->size - b->n && !b->err) || room_more(b, n);
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n && room(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_put_c(struct buf *b, const char *c)
{
    buf_put(b, c, strlen(c));
}

void buf_put_char(struct buf *b, char c)
{
    if (room(b, 1))
        b->p[b->n++] = c;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    must(n >= 0);
    if (!room(b, (size_t)n) || n == 0)
        return;
    va_start(ap, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

/* Decimal digits of v, right-aligned before `end`; returns their start. */
static char *digits(uint64_t v, char *end)
{
    do
        *--end = (char)('0' + v % 10);
    while (v /= 10);
    return end;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void buf_put_i64(struct buf *b, int64_t v)
{
    char text[24], *end = text + sizeof text, *p = digits(magnitude(v), end);
    if (v < 0)
        *--p = '-';
    buf_put(b, p, (size_t)(end - p));
}

void buf_put_decimal(struct buf *b, int64_t v, int scale, int min_dec)
{
    must(scale >= 0 && scale <= 18);
    char text[48], *end = text + sizeof text, *p = digits(magnitude(v), end);
    while (end - p <= scale)
        *--p = '0';
    if (v < 0)
        buf_put_char(b, '-');
    const char *frac = end - scale;
    buf_put(b, p, (size_t)(frac - p));
    size_t n = (size_t)scale;
    while (n && n > (size_t)min_dec && frac[n - 1] == '0')
        n--;
    if (n || min_dec > 0)
        buf_put_char(b, '.');
    buf_put(b, frac, n);
    for (; n < (size_t)(min_dec > 0 ? min_dec : 0); n++)
        buf_put_char(b, '0');
}

static void put_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef", raw[] = "\"\\\b\f\n\r\t", code[] = "\"\\bfnrt";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    const char *at = c ? strchr(raw, c) : NULL;
    if (at)
        text[1] = code[at - raw];
    buf_put(b, text, at ? 2 : 6);
}

/* Bytes at the start of s that a JSON string holds as they are. */
static size_t plain_run(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == '"' || c == '\\')
            break;
        size_t step = c < 0x80 ? 1 : str_utf8_step((struct str){s.p + i, s.n - i});
        if (!step)
            break;
        i += step;
    }
    return i;
}

void buf_put_json(struct buf *b, struct str s)
{
    buf_put_char(b, '"');
    for (;;) {
        size_t n = plain_run(s);
        buf_put(b, s.p, n);
        if (n == s.n)
            break;
        unsigned char c = (unsigned char)s.p[n];
        if (c < 0x80)
            put_escape(b, c);
        else
            buf_put(b, "\xEF\xBF\xBD", 3);
        s = (struct str){s.p + n + 1, s.n - n - 1};
    }
    buf_put_char(b, '"');
}

void buf_put_varint(struct buf *b, uint64_t v)
{
    uint8_t text[VARINT_MAX];
    if (EV_LIKELY(b->size - b->n >= VARINT_MAX && !b->err)) {
        uint8_t *at = (uint8_t *)b->p + b->n;
        b->n += (size_t)(varint_write(at, v) - at);
    } else {
        buf_put(b, text, (size_t)(varint_write(text, v) - text));
    }
}

void buf_put_zigzag(struct buf *b, int64_t v)
{
    buf_put_varint(b, zigzag_of(v));
}

uint8_t *buf_space(struct buf *b, size_t n)
{
    if (n > b->cap - b->n || !room(b, n))
        return NULL;
    return (uint8_t *)b->p + b->n;
}

void *buf_grow(struct buf *b, size_t n)
{
    if (!room(b, n))
        return NULL;
    if (n == 0)
        return b->p;
    char *p = b->p + b->n;
    memset(p, 0, n);
    b->n += n;
    return p;
}

void buf_drop(struct buf *b, size_t n)
{
    must(n <= b->n);
    b->n -= n;
    if (b->n)
        memmove(b->p, b->p + n, b->n);
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

int cursor_varint(struct cursor *c, uint64_t *v)
{
    const uint8_t *p = varint_read(c->p, c->end, v);
    if (!p)
        return ERR_SYNTAX;
    c->p = p;
    return 0;
}

int cursor_zigzag(struct cursor *c, int64_t *v)
{
    uint64_t u;
    if (cursor_varint(c, &u))
        return ERR_SYNTAX;
    *v = zigzag_to(u);
    return 0;
}

int cursor_bytes(struct cursor *c, size_t n, struct str *out)
{
    if (n > (size_t)(c->end - c->p))
        return ERR_SYNTAX;
    *out = (struct str){(const char *)c->p, n};
    c->p += n;
    return 0;
}
