// SPDX-License-Identifier: Apache-2.0
/* ykc_peer.h: the 云快充 1.6 face of a simulated pile. */
#ifndef EVEN_SIM_YKC_PEER_H
#define EVEN_SIM_YKC_PEER_H

#include "sim/peer.h"

/** The connection is there: logs in. */
void ykc_peer_open(struct sim *s, struct peer *p);
/** Bytes came; returns how many are used. */
size_t ykc_peer_bytes(struct sim *s, struct peer *p, struct str bytes);
/** Says the next thing, if there is one and nothing is under way. */
void ykc_peer_pump(struct sim *s, struct peer *p);
/** When to pump again, even if nothing comes. */
int64_t ykc_peer_next_ms(const struct peer *p);
/** An update is over: 0x93, if the pile is connected. */
void ykc_peer_updated(struct sim *s, struct peer *p, int64_t result);

#endif
