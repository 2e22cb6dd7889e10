// SPDX-License-Identifier: Apache-2.0
/* occupancy_rule.c: rules of occupancy fees and the bill that they make; see occupancy.h.
 *
 * Data: versions in the core's arena, found by id, and by family the newest first; they never leave
 * memory, for orders name them.
 *
 * Invariants: 1. a version never changes; 2. a line's amount is its minutes times its price, and
 * nothing else; 3. 0 <= total <= sum of the lines, and no more than the caps; 4. a window means
 * local wall time, so days of 23 and 25 hours need no special rows. Fails: a rule that cannot be
 * is refused, whole; what exceeds OCC_LINES_MAX pieces is free. */
#include "core/occupancy.h"

enum { DAY_MIN = 1440, MINUTE_MS = 60000, FREE_MIN_MAX = 1440 };
#define DAY_MS INT64_C(86400000)

/* ---- hours ---- */

static bool covers(const struct row_occupancy_window *w, int32_t minute)
{
    if (w->from_min < w->to_min)
        return minute >= w->from_min && minute < w->to_min;
    return minute >= w->from_min || minute < w->to_min;
}

static int windows_check(const struct occ_rule *r)
{
    for (int32_t i = 0; i < r->n; i++) {
        const struct row_occupancy_window *w = &r->window[i];
        if (w->from_min < 0 || w->from_min >= DAY_MIN || w->to_min < 1 || w->to_min > DAY_MIN ||
            w->from_min == w->to_min || w->price < 1 || w->price > OCC_PRICE_MAX)
            return ERR_RANGE;
    }
    for (int32_t m = 0; m < DAY_MIN; m++) {
        int n = 0;
        for (int32_t i = 0; i < r->n; i++)
            n += covers(&r->window[i], m);
        if (n > 1)
            return ERR_CONFLICT;
    }
    return 0;
}

static bool cap_ok(int64_t cap)
{
    return cap >= 0 && cap <= INT64_C(10000) * MONEY_UNIT && cap % MONEY_FEN == 0;
}

int occ_rule_check(const struct occ_rule *r)
{
    const struct row_occupancy_rule *v = &r->row;
    if (!v->name[0] || r->n < 1)
        return ERR_REQUIRED;
    bool ok = r->n <= OCCUPANCY_WINDOWS_MAX && v->from_ms >= 0 && v->free_min >= 0 &&
              v->free_min <= FREE_MIN_MAX && cap_ok(v->cap_order) && cap_ok(v->cap_day) &&
              v->kinds >= 0 && v->kinds < 1 << (CONNECTOR_SLOT + 1) && v->exempt >= 0 &&
              v->exempt <= OCC_EXEMPT_COMPANY && v->pay >= OCC_PAY_LOSS && v->pay <= OCC_PAY_DEBT &&
              v->near_min >= 0 && v->near_min <= v->free_min && v->every_min >= 0 &&
              v->every_min <= DAY_MIN;
    /* What goes on for days without a bound is not what anybody agreed to. */
    if (!ok || (!v->cap_order && !v->cap_day) || (v->hold && !v->cap_order))
        return ERR_RANGE;
    return windows_check(r);
}

/* The next minute of the day at which some window begins or ends. */
static int32_t bound_after(const struct occ_rule *r, int32_t minute)
{
    int32_t next = DAY_MIN;
    for (int32_t i = 0; i < r->n; i++) {
        const int32_t at[] = {r->window[i].from_min, r->window[i].to_min};
        for (size_t k = 0; k < ARRAY_LEN(at); k++)
            if (at[k] > minute && at[k] < next)
                next = at[k];
    }
    return next;
}

/* The first instant after `ms` and before `end` at which the zone has another offset, else `end`. */
static int64_t offset_end(const struct zone *z, int64_t ms, int64_t end)
{
    int32_t offset = zone_offset_s(z, ms);
    int64_t lo = ms, hi = end - 1;
    if (hi <= lo || zone_offset_s(z, hi) == offset)
        return end;
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        *(zone_offset_s(z, mid) == offset ? &lo : &hi) = mid;
    }
    return hi;
}

/* Milliseconds since the local midnight; *day counts local days. */
static int64_t local_of(const struct zone *z, int64_t ms, int64_t *day)
{
    int64_t local = ms + zone_offset_s(z, ms) * INT64_C(1000);
    *day = local / DAY_MS - (local % DAY_MS < 0);
    return local - *day * DAY_MS;
}

int64_t occ_price_at(const struct occ_rule *r, const struct zone *z, int64_t ms, int64_t *end_ms)
{
    int64_t day, at = local_of(z, ms, &day), price = 0;
    int32_t minute = (int32_t)(at / MINUTE_MS);
    *end_ms = offset_end(z, ms, ms + bound_after(r, minute) * INT64_C(60000) - at);
    for (int32_t i = 0; i < r->n; i++)
        if (covers(&r->window[i], minute))
            price = r->window[i].price;
    return price;
}

/* ---- the bill ---- */

/* What lines cost after the caps, day by day: lines ascend, so the days do. */
struct capped {
    int64_t day, of_day, total;
};

static void cap_add(const struct occ_rule *r, struct capped *k, int64_t day, int64_t amount)
{
    int64_t room;
    if (day != k->day)
        *k = (struct capped){.day = day, .total = k->total};
    room = r->row.cap_day ? r->row.cap_day - k->of_day : INT64_MAX;
    amount = amount < room ? amount : room;
    k->of_day += amount;
    room = r->row.cap_order ? r->row.cap_order - k->total : INT64_MAX;
    k->total += amount < room ? amount : room;
}

static void span_add(const struct occ_rule *r, const struct zone *z, const struct occ_span *s,
                     struct occ_bill *b, struct capped *k)
{
    for (int64_t at = s->from_ms, end; at < s->to_ms && b->n < OCC_LINES_MAX; at = end) {
        int64_t day, price = occ_price_at(r, z, at, &end);
        (void)local_of(z, at, &day);
        end = end < s->to_ms ? end : s->to_ms;
        struct occ_line l = {
            .from_ms = at, .to_ms = end, .minutes = (end - at) / MINUTE_MS, .price = price};
        l.amount = money_round_fen(MONEY(l.minutes * price)).v;
        if (!l.minutes || !price)
            continue;
        b->line[b->n++] = l;
        b->sum += l.amount;
        cap_add(r, k, day, l.amount);
    }
}

void occ_bill_make(const struct occ_rule *r, const struct zone *z, const struct occ_span *span,
                   int32_t n, struct occ_bill *out)
{
    struct capped k = {.day = INT64_MIN};
    out->n = 0;
    out->sum = 0;
    for (int32_t i = 0; i < n; i++)
        span_add(r, z, &span[i], out, &k);
    out->total = k.total;
}

/* ---- versions ---- */

const struct occ_rule *occ_rule_find(const struct core *c, int64_t version)
{
    return map_get_ptr(&c->occ_rules, (uint64_t)version);
}

const struct occ_rule *occ_rule_in_force(const struct core *c, int64_t family, int64_t ms)
{
    const struct occ_rule *r = map_get_ptr(&c->occ_families, (uint64_t)family);
    while (r && r->row.from_ms > ms)
        r = r->next;
    return r;
}

/* A copy for the core's life; NULL: no memory. */
static struct occ_rule *rule_add(struct core *c, const struct occ_rule *from)
{
    struct occ_rule *r = ARENA_NEW(&c->arena, struct occ_rule);
    if (!r)
        return NULL;
    *r = *from;
    r->row.name = arena_copy(&c->arena, str_from_c(from->row.name));
    struct occ_rule *head = map_get_ptr(&c->occ_families, (uint64_t)r->row.family);
    struct occ_rule **at = &head;
    while (*at && (*at)->row.from_ms > r->row.from_ms)
        at = &(*at)->next;
    r->next = *at;
    *at = r;
    bool ok = r->row.name && map_put_ptr(&c->occ_families, (uint64_t)r->row.family, head) == 0 &&
              map_put_ptr(&c->occ_rules, (uint64_t)r->row.id, r) == 0;
    return ok ? r : NULL;
}

static int put_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_occupancy_put *in = &cmd->u.occupancy_put;
    if (!tenant_find(c, cmd->head.tenant) || cmd->head.station)
        return ERR_NOT_FOUND;
    const struct occ_rule *r = map_get_ptr(&c->occ_families, (uint64_t)in->family);
    if (in->family && (!r || r->row.tenant != cmd->head.tenant))
        return ERR_NOT_FOUND;
    if (in->n < 0 || in->n > OCCUPANCY_WINDOWS_MAX)
        return ERR_RANGE;
    return r && in->from_ms <= r->row.from_ms ? ERR_CONFLICT : 0;
}

static void put_rows(const struct core *c, const struct cmd *cmd, struct occ_rule *r)
{
    const struct cmd_occupancy_put *in = &cmd->u.occupancy_put;
    r->row = (struct row_occupancy_rule){.tenant = cmd->head.tenant,
                                         .family = in->family,
                                         .name = in->name,
                                         .from_ms = in->from_ms,
                                         .free_min = in->free_min,
                                         .cap_order = in->cap_order,
                                         .cap_day = in->cap_day,
                                         .kinds = in->kinds,
                                         .exempt = in->exempt,
                                         .pay = in->pay,
                                         .hold = in->hold != 0,
                                         .bay = in->bay != 0,
                                         .near_min = in->near_min,
                                         .every_min = in->every_min,
                                         .created_ms = c->now};
    r->n = in->n;
    for (int32_t i = 0; i < in->n; i++)
        r->window[i] = (struct row_occupancy_window){.seq = i,
                                                     .from_min = in->window[i].from_min,
                                                     .to_min = in->window[i].to_min,
                                                     .price = in->window[i].price};
}

int occupancy_put(struct core *c, const struct cmd *cmd)
{
    struct occ_rule r = {0};
    int rc = put_check(c, cmd);
    if (rc)
        return rc;
    put_rows(c, cmd, &r);
    rc = occ_rule_check(&r);
    if (rc)
        return rc;
    r.row.id = core_id(c);
    r.row.family = r.row.family ? r.row.family : r.row.id;
    row_put(c, ROW_OCCUPANCY_RULE, ROW_UPSERT, &r.row);
    for (int32_t i = 0; i < r.n; i++) {
        r.window[i].rule = r.row.id;
        row_put(c, ROW_OCCUPANCY_WINDOW, ROW_UPSERT, &r.window[i]);
    }
    must(rule_add(c, &r));
    c->made_id = r.row.id;
    c->made_version = 1;
    return 0;
}

/* A rule comes before its windows. */
int occupancy_load(struct core *c, enum row_table t, const void *row)
{
    if (t == ROW_OCCUPANCY_RULE) {
        const struct occ_rule r = {.row = *(const struct row_occupancy_rule *)row};
        return rule_add(c, &r) ? 0 : ERR_NOMEM;
    }
    const struct row_occupancy_window *w = row;
    struct occ_rule *r = map_get_ptr(&c->occ_rules, (uint64_t)w->rule);
    if (!r || w->seq != r->n || r->n == OCCUPANCY_WINDOWS_MAX)
        return ERR_CORRUPT;
    r->window[r->n++] = *w;
    return 0;
}
