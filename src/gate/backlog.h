// SPDX-License-Identifier: Apache-2.0
/* backlog.h: messages that wait because the core has no room: what every gate does about ERR_FULL.
 * Messages stand in a struct buf behind each other, each padded to 8 bytes; the cap of the buf is
 * the bound.
 *
 * Invariants:
 *  1. Messages leave in the order in which they were put.
 *  2. A message is in the buf whole or not at all: one that found no room leaves the buf usable.
 *
 * Thread: the reactor's. */
#ifndef EVEN_GATE_BACKLOG_H
#define EVEN_GATE_BACKLOG_H

#include "base/buf.h"
#include "gate/gate.h"

/** Bytes that a message of this size takes. */
static inline size_t backlog_padded(uint32_t size)
{
    return (size + 7u) & ~(size_t)7;
}

/** Puts a message (a struct cmd or struct out of `size` bytes) behind the others. ERR_FULL. */
EV_MUST_USE int backlog_put(struct buf *b, const void *message, uint32_t size);
/** Sends the commands that wait until the core is full again; logs those refused for good in the
 * area of the gate. True when none is left. */
bool backlog_send(struct buf *b, const struct gate_config *cfg, const char *area);
/** Sends the command, or keeps it when others wait or the core is full; a command that finds no
 * room even here is lost, and logged. */
void backlog_submit(struct buf *b, const struct gate_config *cfg, const struct cmd *cmd,
                    const char *area);

#endif
