// SPDX-License-Identifier: Apache-2.0
/* hourly.c: see hourly.h. Data: a ring of minutes. Cannot fail. Under the web's guard. */
#include "web/hourly.h"

#include <string.h>

static const int64_t minute_ns = INT64_C(60000000000);

/* Empties the minutes that have passed since the newest. */
static void turn(struct hourly *h, int64_t minute)
{
    if (minute - h->minute >= HOURLY_N || minute < h->minute)
        memset(h->n, 0, sizeof(h->n));
    else
        for (int64_t m = h->minute + 1; m <= minute; m++)
            h->n[m % HOURLY_N] = 0;
    h->minute = minute;
}

int32_t hourly_sum(struct hourly *h, int64_t now_ns)
{
    int32_t sum = 0;

    turn(h, now_ns / minute_ns);
    for (int i = 0; i < HOURLY_N; i++)
        sum += h->n[i];
    return sum;
}

int32_t hourly_wait(struct hourly *h, int32_t most, int64_t now_ns)
{
    int32_t over = hourly_sum(h, now_ns) - most;
    int64_t m = h->minute - HOURLY_N;

    if (over < 0)
        return 0;
    /* The oldest minutes leave first: until enough of them have. */
    while (over >= 0 && m < h->minute)
        over -= h->n[(++m + HOURLY_N) % HOURLY_N]; /* the machine may be up for less than an hour */
    return (int32_t)(((m + HOURLY_N) * minute_ns - now_ns + 999999999) / 1000000000);
}

void hourly_count(struct hourly *h, int64_t now_ns)
{
    turn(h, now_ns / minute_ns);
    h->n[h->minute % HOURLY_N]++;
}
