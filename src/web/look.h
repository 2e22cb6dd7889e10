// SPDX-License-Identifier: Apache-2.0
/* look.h: who is looking at the frames of which charger, so that the audit has one entry for a look
 * and not one for each poll of the viewer. A look is a run of requests of one person or key for one
 * charger with less than a minute between them; one that goes on is told again every hour.
 *
 * Data: LOOKS_MAX looks, in memory. Invariant: forgetting one (a restart, more lookers than places)
 * makes an entry too many, never one too few. Thread: under the web's guard. */
#ifndef EVEN_WEB_LOOK_H
#define EVEN_WEB_LOOK_H

#include <stdint.h>
#include "base/compiler.h"

enum { LOOKS_MAX = 128, LOOK_GAP_MS = 60000, LOOK_TOLD_MS = 3600000 };

struct look {
    int64_t kind, actor, charger; /* kind: enum actor_kind; 0 = a free place */
    int64_t seen_ms, told_ms;
};
struct looks {
    struct look at[LOOKS_MAX];
};

/** A request at now_ms (monotone). True: it has to be told before it is answered. */
bool look_due(struct looks *l, const struct look *who, int64_t now_ms);
/** It was told. */
void look_told(struct looks *l, const struct look *who, int64_t now_ms);

#endif
