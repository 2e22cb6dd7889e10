// SPDX-License-Identifier: Apache-2.0
/* gunzip.c: see gunzip.h. zlib does the work and checks length and CRC; it is given all input at once,
 * and its output is taken a piece at a time, so that the limit holds before memory is used. */
#include "io/os/gunzip.h"

#include <limits.h>
#define ZLIB_CONST /* input is const to us, and to zlib */
#include <zlib.h>

#include "base/err.h"

enum { GZIP_ONLY = 16 + MAX_WBITS, PIECE = 16384 };

bool gunzip_is(struct str packed)
{
    return packed.n > 2 && (uint8_t)packed.p[0] == 0x1f && (uint8_t)packed.p[1] == 0x8b;
}

static int unpack(z_stream *z, size_t max, struct buf *out)
{
    uint8_t piece[PIECE];
    size_t sum = 0;
    int rc;
    do {
        z->next_out = piece;
        z->avail_out = PIECE;
        rc = inflate(z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return rc == Z_MEM_ERROR ? ERR_NOMEM : ERR_SYNTAX;
        sum += PIECE - z->avail_out;
        if (sum > max)
            return ERR_TOO_LARGE;
        buf_put(out, piece, PIECE - z->avail_out);
    } while (rc != Z_STREAM_END && !out->err);
    if (out->err)
        return out->err;
    return z->avail_in ? ERR_SYNTAX : 0;
}

int gunzip(struct str packed, size_t max, struct buf *out)
{
    z_stream z = {0};
    if (packed.n > UINT_MAX)
        return ERR_TOO_LARGE;
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return ERR_NOMEM;
    z.next_in = (const Bytef *)packed.p;
    z.avail_in = (uInt)packed.n;
    int err = unpack(&z, max, out);
    (void)inflateEnd(&z);
    return err;
}
