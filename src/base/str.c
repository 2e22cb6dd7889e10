// SPDX-License-Identifier: Apache-2.0
/* str.c: see str.h. Nothing here allocates or fails, except the parsers, which answer ERR_*.
 *
 * Invariants:
 *  1. No function reads outside s.p[0 … s.n-1].
 *  2. (NULL, 0) is a legal empty str. */
#include "base/str.h"

#include "base/err.h"

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

ptrdiff_t str_find(struct str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n && blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str all = *rest;
    ptrdiff_t at = str_find(all, sep);
    if (at < 0) {
        *rest = (struct str){all.n ? all.p + all.n : all.p, 0};
        return all;
    }
    *rest = (struct str){all.p + at + 1, all.n - (size_t)at - 1};
    return (struct str){all.p, (size_t)at};
}

size_t str_copy(char *dst, size_t cap, struct str s)
{
    if (!cap)
        return 0;
    size_t n = s.n < cap ? s.n : cap - 1;
    if (n < s.n) {
        /* Step back over continuation bytes, at most the three that one character may have. */
        size_t back = n;
        while (back && n - back < 3 && ((unsigned char)s.p[back] & 0xC0) == 0x80)
            back--;
        if (((unsigned char)s.p[back] & 0xC0) != 0x80)
            n = back;
    }
    if (n)
        memcpy(dst, s.p, n);
    dst[n] = 0;
    return n;
}

static bool tail(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return false;
    }
    return true;
}

size_t str_utf8_step(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (!s.n)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || s.n < n || !tail(p + 1, n - 1))
        return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
        return 0; /* overlong; surrogate */
    if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0; /* overlong; above U+10FFFF */
    return n;
}

/* Length of the run of ASCII at the start, eight bytes at a time. */
static size_t ascii_run(struct str s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t w;
        memcpy(&w, s.p + i, 8);
        if (w & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < s.n && !((unsigned char)s.p[i] & 0x80))
        i++;
    return i;
}

bool str_utf8_valid(struct str s)
{
    for (;;) {
        size_t n = ascii_run(s);
        s = (struct str){s.n ? s.p + n : s.p, s.n - n};
        if (!s.n)
            return true;
        n = str_utf8_step(s);
        if (!n)
            return false;
        s = (struct str){s.p + n, s.n - n};
    }
}

static bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

size_t str_plain_run(struct str s)
{
    /* Eight bytes at a time: the top bit of a byte is set in `odd` when the byte is not plain. No
     * borrow crosses bytes: each is compared with its own top bit set before the subtraction. */
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t w, quote, slash;
        memcpy(&w, s.p + i, 8);
        quote = (w ^ ones * '"') | tops;
        slash = (w ^ ones * '\\') | tops;
        uint64_t odd = ~(((w | tops) - ones * 0x20) & (quote - ones) & (slash - ones)) | w;
        if (odd & tops)
            return i + ev_first_byte(odd & tops);
    }
    while (i < s.n && plain((unsigned char)s.p[i]))
        i++;
    return i;
}

bool str_eq_const_time(const void *a, const void *b, size_t n)
{
    const volatile unsigned char *x = a, *y = b;
    unsigned diff = 0;
    for (size_t i = 0; i < n; i++)
        diff |= (unsigned)(x[i] ^ y[i]);
    return diff == 0;
}

int str_to_i64(struct str s, int64_t *out)
{
    bool neg = s.n && s.p[0] == '-';
    size_t i = neg ? 1 : 0;
    if (i == s.n)
        return ERR_SYNTAX;
    const uint64_t limit = (uint64_t)INT64_MAX + (neg ? 1 : 0);
    uint64_t v = 0;
    bool over = false;
    for (; i < s.n; i++) {
        unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
        if (d > 9)
            return ERR_SYNTAX;
        over = over || v > (limit - d) / 10;
        v = over ? 0 : v * 10 + d;
    }
    if (over)
        return ERR_RANGE;
    *out = neg ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    unsigned char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

int str_from_hex(struct str hex, uint8_t *out, size_t n)
{
    if (hex.n / 2 != n || hex.n % 2)
        return ERR_SYNTAX;
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(hex.p[2 * i]), lo = hex_digit(hex.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return ERR_SYNTAX;
        out[i] = (uint8_t)(hi * 16 + lo);
    }
    return 0;
}

void str_to_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = 0;
}
