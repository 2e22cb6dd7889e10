// SPDX-License-Identifier: Apache-2.0
/* names.h: the simulator's charger and the core's commands in one file. Both have an EVENT_METER;
 * the charger's is called MODEL_EVENT_METER here. */
#ifndef EVEN_WORLD_NAMES_H
#define EVEN_WORLD_NAMES_H

#define EVENT_METER MODEL_EVENT_METER
#include "sim/model.h"
#undef EVENT_METER
#include "core/core.h"

#endif
