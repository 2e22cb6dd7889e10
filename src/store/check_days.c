// SPDX-License-Identifier: Apache-2.0
/* check_days.c: `even check`, statistics: each station's days are worked out again from its orders
 * (rule `day`). A day is the station's local day of an order's end, by the zone the station has
 * now, else its tenant's, else UTC. Memory: the days of one station at a time. */
#include "store/check.h"

#include "base/calendar.h"
#include "base/err.h"
#include "io/os/zonefile.h"

enum { SUMS = 11, DAYS_CAP = 32 << 20 };

struct day {
    int64_t day;
    int64_t v[SUMS]; /* orders, energy, electricity, service, occupancy, paid, loss, minutes,
                        discharges, what they gave, what was paid for it */
};

struct day_check {
    struct check *c;
    int64_t station;
    struct check_zone zone;
    struct buf days;
    struct map by_day; /* → index + 1 */
};

static struct day *day_find(struct day_check *d, int64_t day)
{
    uint64_t place;
    if (!map_get(&d->by_day, (uint64_t)day, &place)) {
        const struct day fresh = {.day = day};
        buf_put(&d->days, &fresh, sizeof fresh);
        place = d->days.n / sizeof fresh;
        if (d->days.err || map_put(&d->by_day, (uint64_t)day, place))
            return NULL;
    }
    return (struct day *)(void *)(d->days.p + (place - 1) * sizeof(struct day));
}

static int order_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct day_check *d = ctx;
    struct civil local;
    (void)n;
    zone_civil(d->zone.zone, v[1].i, &local);
    struct day *day = day_find(d, local.year * 10000 + local.month * 100 + local.day);
    if (!day)
        return ERR_TOO_LARGE;
    if (v[10].i == ORDER_DISCHARGE) {
        day->v[8] = check_add(day->v[8], 1);
        day->v[9] = check_add(day->v[9], v[3].i);
        day->v[10] = check_add(day->v[10], v[7].i);
        return 0;
    }
    /* A bay that stays taken is no other charge, only its fee. */
    bool charge = v[10].i != ORDER_OCCUPANCY;
    int64_t minutes = check_sub(v[1].i, v[2].i) / 60000;
    const int64_t add[SUMS] = {
        charge, v[3].i, v[4].i, v[5].i, v[6].i, v[7].i, v[8].i, charge ? minutes : 0, 0, 0, 0};
    for (int i = 0; i < SUMS; i++)
        day->v[i] = check_add(day->v[i], add[i]);
    return 0;
}

static int row_take(void *ctx, const struct sql_value *v, size_t n)
{
    static const char *const names[SUMS] = {
        "orders", "energy",  "electricity", "service",          "occupancy", "paid",
        "loss",   "minutes", "discharges",  "discharge energy", "discharged"};
    struct day_check *d = ctx;
    struct day *day = day_find(d, v[0].i);
    (void)n;
    if (!day)
        return ERR_TOO_LARGE;
    for (int i = 0; i < SUMS; i++) {
        if (v[1 + i].i != day->v[i])
            check_bad(d->c, "day", d->station, "%lld, %s: %lld, should be %lld",
                      (long long)day->day, names[i], (long long)v[1 + i].i, (long long)day->v[i]);
        day->v[i] = 0; /* compared */
    }
    return 0;
}

static void days_missing(struct day_check *d)
{
    const struct day *day = (const struct day *)(void *)d->days.p;
    for (size_t i = 0; i < d->days.n / sizeof *day; i++)
        if (day[i].v[0] || day[i].v[4] || day[i].v[8])
            check_bad(d->c, "day", d->station, "%lld is missing", (long long)day[i].day);
}

int check_zone_use(struct check_zone *z, struct str name)
{
    if (str_eq_c(name, z->name))
        return 0;
    zone_free(z->zone);
    z->zone = NULL;
    (void)str_copy(z->name, sizeof z->name, name);
    return z->name[0] ? os_zone_load(z->name, &z->zone) : 0;
}

static int station_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct day_check *d = ctx;
    (void)n;
    d->station = v[0].i;
    buf_reset(&d->days);
    map_init(&d->by_day, DAYS_CAP / sizeof(struct day), 0xda);
    if (check_zone_use(&d->zone, v[2].s.n ? v[2].s : v[3].s))
        check_bad(d->c, "day", d->station, "its zone %s is not known here", d->zone.name);
    const struct sql_value id = SQL_I64(d->station);
    int rc = store_query(d->c->r, QUERY_CHECK_STATION_ORDERS, &id, 1, order_take, d);
    if (rc == 0)
        rc = store_query(d->c->r, QUERY_CHECK_STATION_DAYS, &id, 1, row_take, d);
    if (rc == 0)
        days_missing(d);
    map_free(&d->by_day);
    return rc;
}

int check_days(struct check *c)
{
    struct day_check d = {.c = c};
    buf_init(&d.days, DAYS_CAP);
    int rc = store_query(c->r, QUERY_CHECK_STATIONS, NULL, 0, station_take, &d);
    zone_free(d.zone.zone);
    buf_free(&d.days);
    return rc;
}
