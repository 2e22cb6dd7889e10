// SPDX-License-Identifier: Apache-2.0
/* lots.h: what is left in a wallet of what came with one payment, for whoever asks for it back. The
 * core cannot know it: payments leave its memory. */
#ifndef EVEN_WEB_LOTS_H
#define EVEN_WEB_LOTS_H

#include "web/request.h"

struct lot_rest {
    int64_t version, rest;
};
/** ERR_NOT_FOUND also for another tenant's. */
EV_MUST_USE int lot_rest(struct request *r, int64_t payment, struct lot_rest *out);

#endif
