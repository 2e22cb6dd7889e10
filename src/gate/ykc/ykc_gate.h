// SPDX-License-Identifier: Apache-2.0
/* ykc_gate.h: 云快充 1.5 and 1.6 over TCP, one gate a reactor thread. It finds frames in the
 * stream, logs piles in (several on one connection when a concentrator speaks for them), hands what
 * they say to the core as commands, and puts the core's answers and calls on the wire.
 *
 * Invariants:
 *  1. A pile is heard only after the core let it in on this very connection; before that nothing
 *     but its log-in counts.
 *  2. A transaction record is acknowledged only after the core answered, i.e. after the commit;
 *     duplicates are acknowledged again.
 *  3. A reply carries the two sequence bytes of its request unchanged, and its checksum in the byte
 *     order the pile uses.
 *  4. At most 8 questions of a connection are unanswered: then its reading pauses. A command that
 *     the core has no room for is kept, in order, and nobody is read until it is gone.
 *  5. Every OUT_CALL gets one CMD_CALL_RESULT (answered, refused, timed out), unless the pile's
 *     CMD_CONN_CLOSED says it all.
 *  6. A pile that the core let in gets exactly one CMD_CONN_CLOSED, also when it left before it was
 *     let in.
 *
 * Thread: that of its reactor. Failure: a broken frame is counted and skipped; a stream of garbage,
 * silence of three heartbeats, no log-in within 30 s, or a refused pile ends the connection. */
#ifndef EVEN_GATE_YKC_YKC_GATE_H
#define EVEN_GATE_YKC_YKC_GATE_H

#include "gate/gate.h"

struct ykc_gate;

/** Gives a gate; borrows what cfg points to. ERR_NOMEM. */
EV_MUST_USE int ykc_gate_new(const struct gate_config *cfg, struct ykc_gate **out);
/** After the reactor has ended. */
void ykc_gate_free(struct ykc_gate *g);
/** net_listen for piles; kind, handler, ctx and the silences are filled in here. */
EV_MUST_USE int ykc_gate_listen(struct ykc_gate *g, const struct net_listen *where, uint16_t *port);
/** Takes an answer or a call of the core. True when it was for a connection of this gate. */
bool ykc_gate_deliver(struct ykc_gate *g, const struct out *out);
/** At the end of every turn of the reactor: tries again what the core had no room for. */
void ykc_gate_turn(struct ykc_gate *g);
/** Counters since ykc_gate_new. */
void ykc_gate_stats(const struct ykc_gate *g, struct gate_stats *out);

#endif
