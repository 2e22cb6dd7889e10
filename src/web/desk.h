// SPDX-License-Identifier: Apache-2.0
/* desk.h: where reports are made: a thread beside those that answer browsers, so that whoever asks
 * for a year's figures holds up nobody who starts a charge. See desk.c. */
#ifndef EVEN_WEB_DESK_H
#define EVEN_WEB_DESK_H

#include <stdint.h>
#include "base/compiler.h"
#include "web/worker.h"

enum { DESK_SEATS = 64, DESK_OWN = 6 };

struct desk_seat {
    uint8_t kind;
    int64_t id;
};
/** Under the guard: one seat for each report that is made or waits. */
struct desk {
    struct worker worker;
    struct desk_seat seats[DESK_SEATS];
    uint32_t n;
};

/** Hands over a request whose head and body were read. From 0 on it belongs to the desk, and the
 * caller touches it no more; it is resumed when its answer stands in it. ERR_FULL, ERR_CLOSED;
 * ERR_RATE_LIMIT: who asks has DESK_OWN there already. */
EV_MUST_USE int desk_send(struct request *r);
EV_MUST_USE int desk_start(struct web *w);

#endif
