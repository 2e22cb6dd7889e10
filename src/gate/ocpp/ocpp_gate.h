// SPDX-License-Identifier: Apache-2.0
/* ocpp_gate.h: OCPP 1.6J over WebSocket at /ocpp/<charger id>, one gate a reactor thread. It
 * decodes and validates what chargers say, hands it to the core as commands, answers what the core
 * answered, and puts the core's calls on the wire.
 *
 * Invariants:
 *  1. Every CALL with a readable id gets exactly one answer, in the order of the calls, unless the
 *     connection ends first.
 *  2. At most 8 calls of a connection are unanswered: then its reading pauses.
 *  3. Every OUT_CALL gets exactly one CMD_CALL_RESULT: answered, refused (CALLERROR), timed out or
 *     closed.
 *  4. A command that the core has no room for is kept and its connection waits; nothing is dropped
 *     or reordered.
 *  5. A charger that the core let in gets exactly one CMD_CONN_CLOSED, also when it left before it
 *     was let in.
 *
 * Thread: that of its reactor. An idle connection costs one record of less than 200 bytes here. */
#ifndef EVEN_GATE_OCPP_OCPP_GATE_H
#define EVEN_GATE_OCPP_OCPP_GATE_H

#include "gate/gate.h"

struct ocpp_gate;

/** Gives a gate; borrows what cfg points to. ERR_NOMEM. */
EV_MUST_USE int ocpp_gate_new(const struct gate_config *cfg, struct ocpp_gate **out);
/** After the reactor has ended. */
void ocpp_gate_free(struct ocpp_gate *g);
/** net_listen for chargers; kind, handler and ctx are filled in here. */
EV_MUST_USE int ocpp_gate_listen(struct ocpp_gate *g, const struct net_listen *where,
                                 uint16_t *port);
/** Takes an answer or a call of the core. True when it was for a connection of this gate. */
bool ocpp_gate_deliver(struct ocpp_gate *g, const struct out *out);
/** At the end of every turn of the reactor: tries again what connections that are gone left behind.
 */
void ocpp_gate_turn(struct ocpp_gate *g);
/** What is counted by model; lives as long as the gate, any thread may read it. */
struct gate_models;
const struct gate_models *ocpp_gate_models(const struct ocpp_gate *g);
/** Counters since ocpp_gate_new. */
void ocpp_gate_stats(const struct ocpp_gate *g, struct gate_stats *out);

#endif
