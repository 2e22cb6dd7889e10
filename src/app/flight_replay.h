// SPDX-License-Identifier: Apache-2.0
/* flight_replay.h: lives a recorded flight again: the commands and ticks of a run go through the same
 * pulse and core over a copy of the state that the run began from, batch by batch into that copy,
 * and each batch must have the hash that was recorded. */
#ifndef EVEN_APP_FLIGHT_REPLAY_H
#define EVEN_APP_FLIGHT_REPLAY_H

#include <stdio.h>
#include "base/compiler.h"

struct flight_score {
    uint64_t commands, ticks, batches;
};

/** Replays the parts of one run, in order, on the folder, which is changed by it. 0 = the same life;
 * ERR_CONFLICT: another one, `out` says where and by what; ERR_CORRUPT: a file is damaged or is none,
 * ERR_NEWER, ERR_STALE: the run began from another state, or its beginning is missing; a store
 * error. */
EV_MUST_USE int flight_replay(const char *dir, const char *const *parts, int n, FILE *out,
                              struct flight_score *score);

#endif
