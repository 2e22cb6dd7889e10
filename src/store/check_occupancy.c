// SPDX-License-Identifier: Apache-2.0
/* check_occupancy.c: `even check`, fees for bays that stayed taken (rule `occupancy`):
 *
 *  - the order is linked to a charging order of the same driver, connector and tenant that was over
 *    and settled before it began, and to a rule of its tenant;
 *  - a line of time is its whole minutes times its price, rounded half up to the fen once; it lies
 *    behind the free time and inside the order, after the line before it, in a window of the rule
 *    with that price from its first minute to its last, and in one local day;
 *  - the total is what the caps of the day and of the order leave of the lines, or nothing when it
 *    was waived; the lines without a price say the difference;
 *  - an open order is the one that its connector names, and a connector names no other.
 *
 * Shares no code with the core. Memory: the windows of one rule. */
#include "store/check.h"

#include "base/calendar.h"
#include "base/err.h"

enum { WINDOWS = 16, DAY_MIN = 1440, MINUTE = 60000 };

enum {
    V_ID,
    V_TENANT,
    V_STATE,
    V_DRIVER,
    V_CONNECTOR,
    V_START,
    V_FREE,
    V_END,
    V_TOTAL,
    V_OTHER,
    V_OF_KIND,
    V_OF_TENANT,
    V_OF_DRIVER,
    V_OF_CONNECTOR,
    V_OF_STATE,
    V_OF_END,
    V_OF_SETTLED,
    V_RULE,
    V_RULE_TENANT,
    V_CAP_ORDER,
    V_CAP_DAY,
    V_NAMED,
    V_ZONE
};

struct occ_check {
    struct check *c;
    struct check_zone zone;
    int64_t rule;
    int n;
    struct {
        int64_t from, to, price;
    } window[WINDOWS];
    /* of the order in hand */
    const struct sql_value *v;
    int64_t id, until, day, of_day, capped, sum, less;
    bool waived;
};

static int64_t local_ms(const struct occ_check *o, int64_t ms)
{
    return ms + zone_offset_s(o->zone.zone, ms) * INT64_C(1000);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- lines ---- */

/* The price of the window that holds this minute of the day, 0 = none. */
static int64_t window_price(const struct occ_check *o, int64_t minute)
{
    for (int i = 0; i < o->n; i++) {
        int64_t from = o->window[i].from, to = o->window[i].to;
        bool in = from < to ? minute >= from && minute < to : minute >= from || minute < to;
        if (in)
            return o->window[i].price;
    }
    return 0;
}

static void day_close(struct occ_check *o)
{
    int64_t cap = o->v[V_CAP_DAY].i;
    o->capped = check_add(o->capped, cap && o->of_day > cap ? cap : o->of_day);
    o->of_day = 0;
}

static void time_line(struct occ_check *o, const struct sql_value *l)
{
    int64_t from = l[3].i, to = l[4].i, price = l[5].i / 10, minutes = (to - from) / MINUTE;
    int64_t first = floor_div(local_ms(o, from), MINUTE);
    int64_t last = floor_div(local_ms(o, to - 1), MINUTE);
    int64_t day = floor_div(first, DAY_MIN);
    int64_t amount = (minutes * price + 50) / 100 * 100;
    if (from < o->v[V_FREE].i || from < o->until || to > o->v[V_END].i || minutes < 1)
        check_bad(o->c, "occupancy", o->id, "line %lld lies where no fee may run",
                  (long long)l[0].i);
    if (l[5].i % 10 || window_price(o, first - day * DAY_MIN) != price ||
        window_price(o, last - floor_div(last, DAY_MIN) * DAY_MIN) != price ||
        floor_div(last, DAY_MIN) != day)
        check_bad(o->c, "occupancy", o->id, "line %lld is not in a window of its price",
                  (long long)l[0].i);
    check_equal(o->c, "occupancy", o->id, "amount of a line", l[6].i, amount);
    if (day != o->day)
        day_close(o);
    o->day = day;
    o->of_day = check_add(o->of_day, l[6].i);
    o->sum = check_add(o->sum, l[6].i);
    o->until = to;
}

static int line_take(void *ctx, const struct sql_value *l, size_t n)
{
    struct occ_check *o = ctx;
    (void)n;
    if (l[1].i != FEE_OCCUPANCY)
        check_bad(o->c, "occupancy", o->id, "line %lld is of another kind", (long long)l[0].i);
    if (l[5].i > 0) {
        time_line(o, l);
        return 0;
    }
    o->waived = o->waived || str_eq_c(l[2].s, "waived");
    o->less = check_sub(o->less, l[6].i);
    if (l[5].i < 0 || l[6].i >= 0)
        check_bad(o->c, "occupancy", o->id, "line %lld adds %lld without a price",
                  (long long)l[0].i, (long long)l[6].i);
    return 0;
}

static int window_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct occ_check *o = ctx;
    (void)n;
    if (o->n == WINDOWS)
        return ERR_TOO_LARGE;
    o->window[o->n].from = v[0].i;
    o->window[o->n].to = v[1].i;
    o->window[o->n++].price = v[2].i;
    return 0;
}

/* ---- one order ---- */

static void link_check(struct occ_check *o)
{
    const struct sql_value *v = o->v;
    if (v[V_OF_KIND].i != ORDER_CHARGE || v[V_OF_TENANT].i != v[V_TENANT].i ||
        v[V_OF_DRIVER].i != v[V_DRIVER].i || v[V_OF_CONNECTOR].i != v[V_CONNECTOR].i)
        check_bad(o->c, "occupancy", o->id, "it follows no charging order of its driver there");
    bool over = v[V_OF_STATE].i == ORDER_SETTLED || v[V_OF_STATE].i == ORDER_DOUBTFUL;
    if (!over || v[V_OF_END].i > v[V_START].i || v[V_OF_SETTLED].i > v[V_START].i)
        check_bad(o->c, "occupancy", o->id, "the charging order was not over when it began");
    if (!v[V_RULE].i || v[V_RULE_TENANT].i != v[V_TENANT].i)
        check_bad(o->c, "occupancy", o->id, "it has no rule of its tenant");
    if (v[V_FREE].i < v[V_START].i || v[V_OTHER].i)
        check_bad(o->c, "occupancy", o->id, "free until %lld, other fees or energy %lld",
                  (long long)v[V_FREE].i, (long long)v[V_OTHER].i);
    bool open = v[V_STATE].i < ORDER_SETTLED;
    if (open != (v[V_NAMED].i == o->id))
        check_bad(o->c, "occupancy", o->id, "open: %d, its connector names %lld", open,
                  (long long)v[V_NAMED].i);
}

static int rule_use(struct occ_check *o)
{
    const struct sql_value rule = SQL_I64(o->v[V_RULE].i);
    if (o->rule == rule.i)
        return 0;
    o->rule = rule.i;
    o->n = 0;
    return store_query(o->c->r, QUERY_CHECK_OCCUPANCY_WINDOWS, &rule, 1, window_take, o);
}

static void total_check(struct occ_check *o)
{
    int64_t cap = o->v[V_CAP_ORDER].i, total = o->v[V_TOTAL].i;
    day_close(o);
    int64_t due = cap && o->capped > cap ? cap : o->capped;
    check_equal(o->c, "occupancy", o->id, "total", total, o->waived ? 0 : due);
    check_equal(o->c, "occupancy", o->id, "taken off the lines", o->less, check_sub(o->sum, total));
}

static int occupancy_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct occ_check *o = ctx;
    const struct sql_value id = SQL_I64(v[V_ID].i);
    (void)n;
    o->v = v;
    o->id = id.i;
    o->until = o->of_day = o->capped = o->sum = o->less = 0;
    o->day = INT64_MIN;
    o->waived = false;
    link_check(o);
    if (v[V_STATE].i != ORDER_SETTLED)
        return 0;
    if (check_zone_use(&o->zone, v[V_ZONE].s))
        check_bad(o->c, "occupancy", o->id, "its zone %s is not known here", o->zone.name);
    int rc = rule_use(o);
    if (rc == 0)
        rc = store_query(o->c->r, QUERY_CHECK_OCCUPANCY_LINES, &id, 1, line_take, o);
    if (rc == 0)
        total_check(o);
    return rc;
}

static int occupied_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    if (v[2].i != ORDER_OCCUPANCY || v[3].i >= ORDER_SETTLED || v[4].i != v[0].i)
        check_bad(ctx, "occupancy", v[1].i, "connector %lld names it as open there",
                  (long long)v[0].i);
    return 0;
}

int check_occupancy(struct check *c)
{
    struct occ_check o = {.c = c};
    int rc = store_query(c->r, QUERY_CHECK_OCCUPANCIES, NULL, 0, occupancy_take, &o);
    zone_free(o.zone.zone);
    return rc ? rc : store_query(c->r, QUERY_CHECK_OCCUPIED, NULL, 0, occupied_take, c);
}
