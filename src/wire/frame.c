// SPDX-License-Identifier: Apache-2.0
/* frame.c: see frame.h. */
#include "wire/frame.h"

#include "base/err.h"
#include "base/hash.h"

enum { START = 0x68, HEAD = 4, AROUND = 4 }; /* start, LEN and CRC lie outside LEN */

/* 1: a frame of *size bytes, 0: incomplete, -1: none begins here. */
static int frame_at(const uint8_t *p, size_t n, struct frame *f, size_t *size)
{
    if (n < 2)
        return 0;
    size_t len = p[1];
    if (len < HEAD)
        return -1;
    if (n < len + AROUND)
        return 0;
    uint16_t crc = crc16_modbus(p + 2, len);
    unsigned first = p[2 + len], second = p[3 + len];
    bool low = (second << 8 | first) == crc, high = (first << 8 | second) == crc;
    if (!low && !high)
        return -1;
    *f = (struct frame){.seq = {p[2], p[3]},
                        .enc = p[4],
                        .type = p[5],
                        .crc_high_first = !low,
                        .crc_both = low && high,
                        .body = str_from((const char *)p + 6, len - HEAD)};
    *size = len + AROUND;
    return 1;
}

int frame_next(struct str bytes, struct frame *f, size_t *used, uint64_t *garbage)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    size_t i = 0, size = 0;
    int got = 0;
    for (; i < bytes.n; i++) {
        if (p[i] != START)
            continue;
        got = frame_at(p + i, bytes.n - i, f, &size);
        if (got >= 0)
            break;
    }
    if (garbage)
        *garbage += i;
    *used = i + (got == 1 ? size : 0);
    return got == 1;
}

int frame_build(const struct frame *f, struct buf *out)
{
    uint8_t bytes[FRAME_MAX];
    size_t n = f->body.n;
    if (n > FRAME_BODY_MAX)
        return ERR_RANGE;
    bytes[0] = START;
    bytes[1] = (uint8_t)(n + HEAD);
    bytes[2] = f->seq[0];
    bytes[3] = f->seq[1];
    bytes[4] = f->enc;
    bytes[5] = f->type;
    if (n)
        memcpy(bytes + 6, f->body.p, n);
    uint16_t crc = crc16_modbus(bytes + 2, n + HEAD);
    uint8_t low = (uint8_t)crc, high = (uint8_t)(crc >> 8);
    bytes[6 + n] = f->crc_high_first ? high : low;
    bytes[7 + n] = f->crc_high_first ? low : high;
    buf_put(out, bytes, n + 8);
    return out->err;
}
