// SPDX-License-Identifier: Apache-2.0
/* gate.h: what every gate has in common. A gate lives on one reactor thread (io/net), turns its
 * protocol's frames into core commands and the core's answers into frames. Siblings never see each
 * other; both see this.
 *
 * Each gate offers, with its own prefix (ocpp_gate_, ykc_gate_):
 *   int  X_new(const struct gate_config *, struct X **);    void X_free(struct X *);
 *   int  X_listen(struct X *, const struct net_listen *where, uint16_t *port);   kind, handler and
 * ctx are filled in by the gate bool X_deliver(struct X *, const struct out *);         true = it
 * was for a connection of this gate (taken or dropped as stale) void X_stats(const struct X *,
 * struct gate_stats *);
 *
 * origin of commands: kind FROM_GATE, node, reactor, slot, gen = the net_conn; ref = the gate's
 * mark of the call. */
#ifndef EVEN_GATE_GATE_H
#define EVEN_GATE_GATE_H

#include "core/cmd.h"
#include "io/net/net.h"
#include "io/os/crypto.h"

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
    /** Next cause id: joins frame, row, log line and event. */
    uint64_t (*cause)(void *ctx);
};

struct gate_stats {
    uint64_t frames_in, frames_out, bad_frames, lenient, calls, timeouts;
    uint32_t connections;
};

#endif
