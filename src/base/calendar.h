// SPDX-License-Identifier: Apache-2.0
/* calendar.h: civil time without libc (which knows one zone and hides errors). Times are int64 ms
 * UTC since 1970; dates are proleptic Gregorian, algorithms from days-from-civil arithmetic. */
#ifndef EVEN_BASE_CALENDAR_H
#define EVEN_BASE_CALENDAR_H

#include "base/str.h"

struct civil {
    int32_t year;
    int8_t month, day;           /* 1-12, 1-31 */
    int8_t hour, minute, second; /* 0-23, 0-59, 0-60 */
    int16_t ms;
    int8_t weekday; /* 0 = Sunday */
};

int64_t civil_to_ms(const struct civil *c);
void civil_from_ms(int64_t ms, struct civil *out);
/** Days since 1970-01-01 of a date. */
int64_t civil_days(int32_t year, int32_t month, int32_t day);
/** yyyymm of the month after. */
int64_t civil_month_next(int64_t month);
/** RFC 3339 / ISO 8601 date-time as chargers write it: T or blank, any fraction (cut to ms), Z,
 * offset with or without colon, or no zone at all (then UTC). ERR_SYNTAX / ERR_RANGE. */
EV_MUST_USE int time_parse(struct str s, int64_t *ms);
/** "2026-11-22T21:34:30.123Z" into out[25] (NUL included). */
#define TIME_TEXT_SIZE 25
void time_format(int64_t ms, char out[TIME_TEXT_SIZE]);

#endif
