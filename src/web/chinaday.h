// SPDX-License-Identifier: Apache-2.0
/* chinaday.h: days as payment providers count them, in China's time, written 20261125. Pure. */
#ifndef EVEN_WEB_CHINADAY_H
#define EVEN_WEB_CHINADAY_H

#include "base/calendar.h"

#define CHINADAY_MS      INT64_C(86400000)
#define CHINADAY_ZONE_MS INT64_C(28800000)

/** Days since 1970-01-01 of such a day. */
static inline int64_t chinaday_number(int64_t day)
{
    return civil_days((int32_t)(day / 10000), (int32_t)(day / 100 % 100), (int32_t)(day % 100));
}

static inline int64_t chinaday_of_number(int64_t n)
{
    struct civil c;

    civil_from_ms(n * CHINADAY_MS, &c);
    return c.year * 10000 + c.month * 100 + c.day;
}

/** The day in which an instant lies. */
static inline int64_t chinaday_of_ms(int64_t ms)
{
    return chinaday_of_number((ms + CHINADAY_ZONE_MS) / CHINADAY_MS);
}

static inline int64_t chinaday_begin(int64_t day)
{
    return chinaday_number(day) * CHINADAY_MS - CHINADAY_ZONE_MS;
}

static inline bool chinaday_ok(int64_t day)
{
    return day >= 20200101 && day <= 22001231 && chinaday_of_number(chinaday_number(day)) == day;
}

#endif
