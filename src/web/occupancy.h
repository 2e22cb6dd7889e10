// SPDX-License-Identifier: Apache-2.0
/* occupancy.h: the rule of an occupancy fee as the pages see it: in the order that it was frozen to,
 * and where a code is scanned, for who parks must know it before. Thread: the request's. */
#ifndef EVEN_WEB_OCCUPANCY_H
#define EVEN_WEB_OCCUPANCY_H

#include "web/api_gen.h"
#include "web/state.h"

/** The version with this id of the actor's tenant, in the request's arena; *n 0 when there is none. */
EV_MUST_USE int occupancy_rule_read(struct request *r, int64_t id, struct api_OccupancyRule **out,
                                    uint32_t *n);
/** The version of a family that is in force now; of that tenant, whoever asks. */
EV_MUST_USE int occupancy_rule_now(struct request *r, int64_t family, int64_t tenant,
                                   struct api_OccupancyRule **out, uint32_t *n);

#endif
