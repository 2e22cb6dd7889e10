// SPDX-License-Identifier: Apache-2.0
/* varint.h: unsigned LEB128 on raw bytes, seven bits a byte, low ones first; zigzag turns signed
 * numbers into small unsigned ones. The one place that knows the encoding; buf.h is the safe way to
 * it, and loops over many numbers (rows, core/rows.h) use it directly.
 *
 * Most numbers take one byte; ids take nine, and these are spread and gathered eight bytes at a time,
 * where the machine keeps low bytes first. */
#ifndef EVEN_BASE_VARINT_H
#define EVEN_BASE_VARINT_H

#include <string.h>

#include "base/compiler.h"

enum { VARINT_MAX = 10 };

static inline uint64_t zigzag_of(int64_t v)
{
    return ((uint64_t)v << 1) ^ (0 - ((uint64_t)v >> 63));
}

static inline int64_t zigzag_to(uint64_t u)
{
    return (int64_t)((u >> 1) ^ (0 - (u & 1)));
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* 56 bits to the low seven of each of eight bytes, and back. */
static inline uint64_t varint_spread(uint64_t v)
{
    v = (v & 0x000000000FFFFFFF) | (v & 0x00FFFFFFF0000000) << 4;
    v = (v & 0x00003FFF00003FFF) | (v & 0x0FFFC0000FFFC000) << 2;
    return (v & 0x007F007F007F007F) | (v & 0x3F803F803F803F80) << 1;
}

static inline uint64_t varint_gather(uint64_t v)
{
    v = (v & 0x007F007F007F007F) | (v & 0x7F007F007F007F00) >> 1;
    v = (v & 0x00003FFF00003FFF) | (v & 0x3FFF00003FFF0000) >> 2;
    return (v & 0x000000000FFFFFFF) | (v & 0x0FFFFFFF00000000) >> 4;
}
#endif

/** Writes v to p, where VARINT_MAX bytes must be free; returns what is behind it. */
static inline uint8_t *varint_write(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (v >> 56) { /* eight bytes that go on, and one or two more */
        uint64_t w = varint_spread(v & 0x00FFFFFFFFFFFFFF) | 0x8080808080808080;
        memcpy(p, &w, sizeof w);
        p += sizeof w;
        v >>= 56;
    }
#endif
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

/** Reads from p, short of end, into *v; returns what is behind it, or NULL when the bytes end before
 * the number does or it needs more than 64 bits. */
static inline const uint8_t *varint_read(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t u = 0;
    int shift = 0;
    if (EV_LIKELY(p != end && *p < 0x80)) {
        *v = *p;
        return p + 1;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t w;
    if (end - p > (ptrdiff_t)sizeof w) {
        memcpy(&w, p, sizeof w);
        if ((w & 0x8080808080808080) == 0x8080808080808080) {
            u = varint_gather(w & 0x7F7F7F7F7F7F7F7F);
            p += sizeof w;
            shift = 56;
        }
    }
#endif
    for (; shift < 70; shift += 7) {
        if (p == end || (shift == 63 && *p > 1))
            return NULL;
        u |= (uint64_t)(*p & 0x7F) << shift;
        if (!(*p++ & 0x80)) {
            *v = u;
            return p;
        }
    }
    return NULL;
}

#endif
