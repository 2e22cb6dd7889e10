// SPDX-License-Identifier: Apache-2.0
/* zonefile.h: reads a named time zone of the system for base/zone.h. */
#ifndef EVEN_IO_OS_ZONEFILE_H
#define EVEN_IO_OS_ZONEFILE_H

#include "base/zone.h"

/** Loads e.g. "Asia/Shanghai" from the system's zone folder. Gives a zone (zone_free). ERR_RANGE
 * for a name that is no plain zone name (leading slash, "..", odd characters), ERR_NOT_FOUND,
 * ERR_SYNTAX. */
EV_MUST_USE int os_zone_load(const char *name, struct zone **out);

#endif
