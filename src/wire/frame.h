// SPDX-License-Identifier: Apache-2.0
/* frame.h: the frame around 云快充 bodies: 0x68 LEN SEQ(2) ENC TYPE BODY CRC(2). LEN counts
 * SEQ..BODY. The CRC is CRC-16/MODBUS over SEQ..BODY; piles send it in either byte order, so the
 * reader accepts both and says which it was, and the writer does as it is told. SEQ is two raw
 * bytes: implementations disagree about their order, so they are echoed, never counted on.
 *
 * Invariants:
 *  1. A frame given out has a right CRC.
 *  2. After a wrong one the search goes on one byte later, because 0x68 occurs inside bodies.
 *  3. Nothing is copied. Pure; no thread. */
#ifndef EVEN_WIRE_FRAME_H
#define EVEN_WIRE_FRAME_H

#include "base/buf.h"
#include "base/str.h"

#define FRAME_BODY_MAX 251 /* LEN is one byte */
#define FRAME_MAX      (FRAME_BODY_MAX + 8)

struct frame {
    uint8_t seq[2];
    uint8_t enc, type;
    bool crc_high_first;
    bool crc_both;   /* its checksum reads the same both ways: it says nothing about the order */
    struct str body; /* borrowed */
};

/** Looks for the next frame. 1: *f is one and *used bytes (garbage and frame) are done with; 0:
 * more bytes are needed, *used bytes of garbage may be dropped. *garbage (may be NULL) grows by the
 * bytes that belonged to no frame. */
int frame_next(struct str bytes, struct frame *f, size_t *used, uint64_t *garbage);
/** Appends the frame. ERR_RANGE for a body over FRAME_BODY_MAX, ERR_TOO_LARGE at the cap. */
EV_MUST_USE int frame_build(const struct frame *f, struct buf *out);

#endif
