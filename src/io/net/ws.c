// SPDX-License-Identifier: Apache-2.0
/* ws.c: see ws.h.
 *
 * Data: none.
 *
 * Invariants:
 *  1. A head is read whole or not at all.
 *  2. Whatever the rules of RFC 6455 forbid in a head (reserved bits without an extension, unknown
 *     opcodes, long or split control frames, lengths not in their shortest form, wrong masking) is
 *     refused here, so the reactor sees only sane heads.
 *
 * Thread: any. Failure: minus the close code. */
#include "io/net/ws.h"

#include <string.h>
#include "base/hash.h"

static bool ws_opcode_known(uint8_t op)
{
    return op <= WS_BINARY || (op >= WS_CLOSE && op <= WS_PONG);
}

/* Bytes of the extended length field for the 7-bit length. */
static size_t ws_ext_size(uint8_t len7)
{
    return len7 == 127 ? 8 : len7 == 126 ? 2 : 0;
}

static uint64_t ws_be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool ws_length_shortest(uint64_t len, size_t ext)
{
    if (ext == 2)
        return len >= 126;
    return ext == 0 || (len > 0xffff && len <= INT64_MAX);
}

int ws_head_read(const uint8_t *p, size_t n, bool from_client, struct ws_head *h)
{
    size_t ext;

    if (n < 2)
        return 0;
    h->fin = (p[0] & 0x80) != 0;
    h->opcode = p[0] & 0x0f;
    h->masked = (p[1] & 0x80) != 0;
    if ((p[0] & 0x70) != 0 || !ws_opcode_known(h->opcode) || h->masked != from_client)
        return -WS_PROTOCOL;
    if (h->opcode >= WS_CLOSE && (!h->fin || (p[1] & 0x7f) > 125))
        return -WS_PROTOCOL;
    ext = ws_ext_size(p[1] & 0x7f);
    h->size = (uint8_t)(2 + ext + (h->masked ? 4 : 0));
    if (n < h->size)
        return 0;
    h->len = ext == 0 ? (uint64_t)(p[1] & 0x7f) : ws_be(p + 2, ext);
    if (!ws_length_shortest(h->len, ext))
        return -WS_PROTOCOL;
    if (h->masked)
        memcpy(h->mask, p + 2 + ext, 4);
    return 1;
}

size_t ws_head_write(uint8_t out[WS_HEAD_MAX], enum ws_opcode op, uint64_t len, const uint8_t *mask)
{
    size_t ext = len > 0xffff ? 8 : len > 125 ? 2 : 0;
    size_t n = 2 + ext;

    out[0] = (uint8_t)(0x80 | op);
    out[1] = (uint8_t)(ext == 8 ? 127 : ext == 2 ? 126 : len);
    for (size_t i = 0; i < ext; i++)
        out[2 + i] = (uint8_t)(len >> (8 * (ext - 1 - i)));
    if (mask != NULL) {
        out[1] |= 0x80;
        memcpy(out + n, mask, 4);
        n += 4;
    }
    return n;
}

void ws_mask(uint8_t *p, size_t n, const uint8_t mask[4], size_t at)
{
    uint8_t turned[8];
    uint64_t word, chunk;
    size_t i = 0;

    for (size_t k = 0; k < 8; k++)
        turned[k] = mask[(at + k) & 3];
    memcpy(&word, turned, 8);
    for (; i + 8 <= n; i += 8) {
        memcpy(&chunk, p + i, 8);
        chunk ^= word;
        memcpy(p + i, &chunk, 8);
    }
    for (; i < n; i++)
        p[i] ^= turned[i & 7];
}

bool ws_code_valid(uint16_t code)
{
    if (code >= 3000 && code <= 4999)
        return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != WS_NO_CODE &&
           code != WS_ABNORMAL;
}

void ws_accept_key(struct str key, char out[29])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char joined[64 + sizeof(magic)];
    uint8_t digest[20];
    size_t n = key.n <= 64 ? key.n : 64;

    memcpy(joined, key.p, n);
    memcpy(joined + n, magic, sizeof(magic) - 1);
    sha1(joined, n + sizeof(magic) - 1, digest);
    base64_encode(digest, sizeof(digest), out);
    out[28] = '\0';
}
