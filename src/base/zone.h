// SPDX-License-Identifier: Apache-2.0
/* zone.h: time zones from TZif bytes (RFC 8536; version 2+ with its POSIX footer rule). The caller
 * reads the file (io/os) and lends the bytes; the zone copies what it needs. Pure and immutable
 * after parsing, so threads may share one. */
#ifndef EVEN_BASE_ZONE_H
#define EVEN_BASE_ZONE_H

#include "base/calendar.h"

struct zone;

/** Parses TZif bytes. Gives a zone (zone_free) or ERR_SYNTAX. */
EV_MUST_USE int zone_parse(struct str bytes, struct zone **out);
/** A zone with one offset for ever (tests, fixed settings). */
EV_MUST_USE int zone_fixed(int32_t offset_s, struct zone **out);
void zone_free(struct zone *z);
/** Seconds east of UTC in force at the instant. NULL zone = UTC. */
int32_t zone_offset_s(const struct zone *z, int64_t ms);
/** Local civil time of an instant. */
void zone_civil(const struct zone *z, int64_t ms, struct civil *out);
/** First instant whose local time is c; in a gap the instant after the gap, in an overlap the
 * first. */
int64_t zone_instant(const struct zone *z, const struct civil *c);
/** Instant of the next local midnight strictly after ms (days may have 23 or 25 hours). */
int64_t zone_next_midnight(const struct zone *z, int64_t ms);
/** The local month (yyyymm) of an instant; the first instant of one. */
int32_t zone_month(const struct zone *z, int64_t ms);
int64_t zone_month_begin(const struct zone *z, int64_t month);

#endif
