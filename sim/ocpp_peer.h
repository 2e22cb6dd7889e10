// SPDX-License-Identifier: Apache-2.0
/* ocpp_peer.h: the OCPP 1.6 JSON face of a simulated charger. */
#ifndef EVEN_SIM_OCPP_PEER_H
#define EVEN_SIM_OCPP_PEER_H

#include "sim/peer.h"

/** The connection is there. */
void ocpp_peer_open(struct sim *s, struct peer *p);
/** A text message came. */
void ocpp_peer_message(struct sim *s, struct peer *p, struct str msg);
/** Says the next thing, if there is one and nothing is under way. */
void ocpp_peer_pump(struct sim *s, struct peer *p);
/** When to pump again, even if nothing comes. */
int64_t ocpp_peer_next_ms(const struct peer *p);

#endif
