// SPDX-License-Identifier: Apache-2.0
/* ws.h: the wire format of RFC 6455, without sockets: frame heads, masking, close codes, the accept
 * key. Pure. */
#ifndef EVEN_IO_NET_WS_H
#define EVEN_IO_NET_WS_H

#include "base/str.h"

enum ws_opcode {
    WS_CONT = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xA
};

enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL = 1002,
    WS_UNSUPPORTED = 1003,
    WS_NO_CODE = 1005,  /* never on the wire: the peer's close frame was empty */
    WS_ABNORMAL = 1006, /* never on the wire: the connection just ended */
    WS_BAD_DATA = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011
};

#define WS_HEAD_MAX 14

struct ws_head {
    uint64_t len; /* of the payload */
    uint8_t opcode;
    bool fin, masked;
    uint8_t mask[4];
    uint8_t size; /* of the head itself, 2 to 14 */
};

/** Reads a frame head. from_client: the sender must mask (else it must not). 1 = done, 0 = more
 * bytes are needed, negative = minus the close code that answers this frame. */
EV_MUST_USE int ws_head_read(const uint8_t *p, size_t n, bool from_client, struct ws_head *h);
/** Writes the head of an unfragmented frame; mask NULL = unmasked. Returns its size. */
size_t ws_head_write(uint8_t out[WS_HEAD_MAX], enum ws_opcode op, uint64_t len,
                     const uint8_t *mask);
/** Applies the mask to payload bytes that begin at payload offset `at`. */
void ws_mask(uint8_t *p, size_t n, const uint8_t mask[4], size_t at);
/** True for codes a peer may send in a close frame. */
bool ws_code_valid(uint16_t code);
/** Sec-WebSocket-Accept of a key: 28 characters and a NUL. */
void ws_accept_key(struct str key, char out[29]);

#endif
