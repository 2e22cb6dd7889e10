// SPDX-License-Identifier: Apache-2.0
/* gate.h: what every gate has in common. A gate lives on one reactor thread (io/net), turns its
 * protocol's frames into core commands and the core's answers into frames. Siblings never see each
 * other; both see this and backlog.h.
 *
 * Each gate X offers, with its own prefix (ocpp_gate_, ykc_gate_):
 *  - int X_new(const struct gate_config *, struct X **); void X_free(struct X *);
 *  - int X_listen(struct X *, const struct net_listen *where, uint16_t *port); kind, handler and
 *    ctx are filled in by the gate.
 *  - bool X_deliver(struct X *, const struct out *); true = it was for a connection of this gate,
 *    taken or dropped as stale.
 *  - void X_turn(struct X *); at the end of every turn of the reactor.
 *  - void X_stats(const struct X *, struct gate_stats *);
 *
 * The origin of a command is kind FROM_GATE and the node, reactor, slot and gen of its connection;
 * ref is the gate's own mark of the call. */
#ifndef EVEN_GATE_GATE_H
#define EVEN_GATE_GATE_H

#include "core/cmd.h"
#include "io/net/net.h"
#include "io/os/crypto.h"
#include "io/os/framelog.h"

struct gate_config {
    struct net *net; /* borrowed */
    /** Puts a command into the core's mailbox (head.size bytes are copied). 0, ERR_FULL (stop
     * reading, try again later), ERR_CLOSED. */
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *ctx;
    const uint8_t *key;      /* CRYPTO_KEY_SIZE bytes: keyed hash of charger passwords; borrowed */
    int64_t (*now_ms)(void); /* server time told to chargers */
    int32_t heartbeat_s;
    uint32_t max_conns;
    uint16_t reactor; /* whose gate this is, for figures */
    /** Next cause id: joins frame, row, log line and event. */
    uint64_t (*cause)(void *ctx);
    struct framelog *frames; /* of this thread; NULL = frames are not kept */
};

/** Counters since the start; `connections` are those of now. */
struct gate_stats {
    uint64_t frames_in, frames_out, bad_frames, lenient, calls, timeouts;
    uint32_t connections;
};

/** What is logged of a frame: who, where, its cause, and its id, taken before it is handled, so that
 * what it causes is sorted behind it. */
static inline struct framelog_row gate_frame(const struct gate_config *cfg, struct net_conn net,
                                             int64_t charger, enum protocol protocol,
                                             enum framelog_dir dir, uint64_t cause)
{
    return (struct framelog_row){.id = framelog_id(cfg->frames, cfg->now_ms()),
                                 .charger = charger,
                                 .cause = cause,
                                 .slot = net.slot,
                                 .gen = net.gen,
                                 .protocol = (uint8_t)protocol,
                                 .dir = (uint8_t)dir};
}

/** Begins a command of a connection: zeroed up to size, head filled; no reply is wanted. */
static inline void gate_cmd_begin(struct cmd *cmd, struct net_conn net, enum cmd_type type,
                                  size_t size, uint64_t cause)
{
    memset(cmd, 0, size);
    cmd->head.size = (uint32_t)size;
    cmd->head.version = CMD_VERSION;
    cmd->head.type = (uint16_t)type;
    cmd->head.cause = cause;
    cmd->head.actor_kind = ACTOR_CHARGER;
    cmd->head.from = (struct origin){.kind = FROM_GATE,
                                     .reactor = (uint8_t)net.reactor,
                                     .node = net.node,
                                     .slot = net.slot,
                                     .gen = net.gen};
}

#endif
