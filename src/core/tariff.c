// SPDX-License-Identifier: Apache-2.0
/* tariff.c: see tariff.h. Building copies the rows into arrays of the arena (rules by seq, slices
 * by plan and minute, each label once) and refuses whatever would leave an instant without exactly
 * one price; so looking a price up cannot fail.
 *
 * Owns nothing after the build; immutable, any thread. Fails at build by result codes; must()
 * afterwards. */
#include "core/tariff.h"

#include "base/err.h"
#include "base/must.h"

#define DAY_MIN    1440
#define MINUTE_MS  INT64_C(60000)
#define DAY_MS     (DAY_MIN * MINUTE_MS)
#define WINDOW_MAX (40 * DAY_MS)
#define RULES_MAX  1000
#define SLICES_MAX (TARIFF_PLANS_MAX * TARIFF_PLAN_SLICES)
#define ALL_DAYS   127

/* A price holds from the instant asked for until its end, and nearly every question is about now
 * and the hour after it, for each reading of every session: two answers are kept. */
enum { MEMO = 2 };
struct tariff_memo {
    const struct zone *zone[MEMO];
    int64_t from_ms[MEMO];
    struct tariff_price price[MEMO]; /* end_ms 0: none yet */
    int32_t next;
};

/* ---- building ---- */

static int32_t label_take(struct tariff *t, const char *label)
{
    int32_t i = tariff_label(t, label);
    if (i >= 0)
        return i;
    (void)str_copy(t->labels[t->labels_n], TARIFF_LABEL_SIZE, str_from_c(label));
    return t->labels_n++;
}

int32_t tariff_label(const struct tariff *t, const char *label)
{
    for (int32_t i = 0; i < t->labels_n; i++)
        if (strcmp(t->labels[i], label) == 0)
            return i;
    return -1;
}

static int slice_check(const struct row_tariff_slice *s)
{
    if (s->from_min < 0 || s->from_min >= DAY_MIN || s->elec_e5 < 0 || s->service_e5 < 0 ||
        s->elec_e5 > TARIFF_PRICE_MAX || s->service_e5 > TARIFF_PRICE_MAX)
        return ERR_RANGE;
    return strlen(s->label) < TARIFF_LABEL_SIZE ? 0 : ERR_RANGE;
}

static bool slice_after(const struct row_tariff_slice *a, const struct row_tariff_slice *b)
{
    return a->plan != b->plan ? a->plan > b->plan : a->from_min > b->from_min;
}

/** Indexes of the slices in the order of plan and minute (insertion sort: rows mostly come sorted).
 */
static void slices_order(const struct row_tariff_slice *rows, size_t n, uint32_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && slice_after(&rows[order[at - 1]], &rows[i]); at--)
            order[at] = order[at - 1];
        order[at] = (uint32_t)i;
    }
}

static int plan_close(const struct tariff *t)
{
    const struct tariff_plan *p = &t->plans[t->plans_n - 1];
    if (p->n > TARIFF_PLAN_SLICES || t->slices[p->first].from_min != 0)
        return ERR_RANGE;
    return 0;
}

static int slice_take(struct tariff *t, const struct row_tariff_slice *row)
{
    int rc = slice_check(row);
    if (rc)
        return rc;
    struct tariff_plan *last = t->plans_n ? &t->plans[t->plans_n - 1] : NULL;
    if (!last || last->plan != row->plan) {
        rc = last ? plan_close(t) : 0;
        if (rc || t->plans_n == TARIFF_PLANS_MAX)
            return rc ? rc : ERR_RANGE;
        last = &t->plans[t->plans_n++];
        *last = (struct tariff_plan){.plan = row->plan, .first = t->slices_n};
    } else if (t->slices[t->slices_n - 1].from_min == row->from_min) {
        return ERR_CONFLICT;
    }
    t->slices[t->slices_n++] = (struct tariff_slice){.from_min = row->from_min,
                                                     .label = label_take(t, row->label),
                                                     .elec_e5 = row->elec_e5,
                                                     .service_e5 = row->service_e5};
    last->n++;
    return 0;
}

static int slices_take(struct arena *a, struct tariff *t, const struct row_tariff_slice *rows,
                       size_t n)
{
    uint32_t *order = ARENA_ARRAY(a, n, uint32_t);
    t->slices = ARENA_ARRAY(a, n, struct tariff_slice);
    t->labels = arena_array(a, n, TARIFF_LABEL_SIZE);
    t->plans = ARENA_ARRAY(a, TARIFF_PLANS_MAX, struct tariff_plan);
    if (!order || !t->slices || !t->labels || !t->plans)
        return ERR_NOMEM;
    slices_order(rows, n, order);
    for (size_t i = 0; i < n; i++) {
        int rc = slice_take(t, &rows[order[i]]);
        if (rc)
            return rc;
    }
    return plan_close(t);
}

static int32_t plan_index(const struct tariff *t, int32_t plan)
{
    for (int32_t i = 0; i < t->plans_n; i++)
        if (t->plans[i].plan == plan)
            return i;
    return -1;
}

static bool mmdd_valid(int32_t mmdd)
{
    static const int8_t days[13] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t month = mmdd / 100, day = mmdd % 100;
    return mmdd > 0 && month >= 1 && month <= 12 && day >= 1 && day <= days[month];
}

static int rules_take(struct arena *a, struct tariff *t, const struct row_tariff_day *rows,
                      size_t n)
{
    uint32_t *order = ARENA_ARRAY(a, n, uint32_t);
    t->rules = ARENA_ARRAY(a, n, struct tariff_rule);
    if (!order || !t->rules)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && rows[order[at - 1]].seq > rows[i].seq; at--)
            order[at] = order[at - 1];
        order[at] = (uint32_t)i;
    }
    for (size_t i = 0; i < n; i++) {
        const struct row_tariff_day *row = &rows[order[i]];
        int32_t plan = plan_index(t, row->plan);
        if (!mmdd_valid(row->first_mmdd) || !mmdd_valid(row->last_mmdd) || row->weekdays <= 0 ||
            row->weekdays > ALL_DAYS)
            return ERR_RANGE;
        if (plan < 0)
            return ERR_NOT_FOUND;
        t->rules[t->rules_n++] = (struct tariff_rule){.first_mmdd = row->first_mmdd,
                                                      .last_mmdd = row->last_mmdd,
                                                      .weekdays = row->weekdays,
                                                      .plan = plan};
    }
    return 0;
}

static bool rule_matches(const struct tariff_rule *r, int32_t mmdd, int32_t weekday)
{
    bool in = r->first_mmdd <= r->last_mmdd ? mmdd >= r->first_mmdd && mmdd <= r->last_mmdd
                                            : mmdd >= r->first_mmdd || mmdd <= r->last_mmdd;
    return in && (r->weekdays >> weekday & 1);
}

static const struct tariff_plan *plan_of_day(const struct tariff *t, int32_t mmdd, int32_t weekday)
{
    for (int32_t i = 0; i < t->rules_n; i++)
        if (rule_matches(&t->rules[i], mmdd, weekday))
            return &t->plans[t->rules[i].plan];
    return NULL;
}

/** Any date can fall on any weekday, so every pair needs a plan. */
static bool calendar_complete(const struct tariff *t)
{
    for (int32_t mmdd = 101; mmdd <= 1231; mmdd++)
        for (int32_t weekday = 0; mmdd_valid(mmdd) && weekday < 7; weekday++)
            if (!plan_of_day(t, mmdd, weekday))
                return false;
    return true;
}

int tariff_build(struct arena *a, const struct row_tariff *row, const struct row_tariff_day *days,
                 size_t days_n, const struct row_tariff_slice *slices, size_t slices_n,
                 struct tariff **out)
{
    if (!slices_n || slices_n > SLICES_MAX || days_n > RULES_MAX)
        return ERR_RANGE;
    if (!days_n)
        return ERR_REQUIRED;
    struct tariff *t = ARENA_NEW(a, struct tariff);
    if (!t)
        return ERR_NOMEM;
    t->memo = ARENA_NEW(a, struct tariff_memo);
    if (!t->memo)
        return ERR_NOMEM;
    t->id = row->id;
    t->tenant = row->tenant;
    t->family = row->family;
    t->from_ms = row->from_ms;
    int rc = slices_take(a, t, slices, slices_n);
    if (!rc)
        rc = rules_take(a, t, days, days_n);
    if (!rc && !calendar_complete(t))
        rc = ERR_REQUIRED;
    if (!rc)
        *out = t;
    return rc;
}

/* ---- looking up ---- */

static int32_t slice_index(const struct tariff *t, const struct tariff_plan *p, int32_t minute)
{
    int32_t low = p->first, high = p->first + p->n;
    while (high - low > 1) {
        int32_t mid = low + (high - low) / 2;
        if (t->slices[mid].from_min <= minute)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static const struct tariff_plan *plan_at(const struct tariff *t, const struct civil *c)
{
    const struct tariff_plan *p = plan_of_day(t, c->month * 100 + c->day, c->weekday);
    must(p); /* the build refused incomplete calendars */
    return p;
}

/** The instant, not after end_ms, until which the zone's offset at ms holds. */
static int64_t offset_holds_until(const struct zone *z, int64_t ms, int64_t end_ms)
{
    const int32_t offset = zone_offset_s(z, ms);
    int64_t same = ms, other = end_ms;
    if (zone_offset_s(z, end_ms - 1) == offset)
        return end_ms;
    while (other - same > 1) {
        int64_t mid = same + (other - same) / 2;
        if (zone_offset_s(z, mid) == offset)
            same = mid;
        else
            other = mid;
    }
    return other;
}

static void price_find(const struct tariff *t, const struct zone *z, int64_t ms,
                       struct tariff_price *out)
{
    struct civil c;
    zone_civil(z, ms, &c);
    const struct tariff_plan *p = plan_at(t, &c);
    int32_t minute = c.hour * 60 + c.minute;
    int32_t i = slice_index(t, p, minute);
    const struct tariff_slice *s = &t->slices[i];
    int32_t end_min = i + 1 < p->first + p->n ? t->slices[i + 1].from_min : DAY_MIN;
    int64_t into_ms = minute * MINUTE_MS + c.second * INT64_C(1000) + c.ms;
    int64_t end_ms = ms + end_min * MINUTE_MS - into_ms;
    *out = (struct tariff_price){.label = t->labels[s->label],
                                 .label_i = s->label,
                                 .elec_e5 = s->elec_e5,
                                 .service_e5 = s->service_e5,
                                 .end_ms = offset_holds_until(z, ms, end_ms)};
}

void tariff_price_at(const struct tariff *t, const struct zone *z, int64_t ms,
                     struct tariff_price *out)
{
    struct tariff_memo *m = t->memo;
    for (int i = 0; i < MEMO; i++)
        if (ms >= m->from_ms[i] && ms < m->price[i].end_ms && z == m->zone[i]) {
            *out = m->price[i];
            return;
        }
    price_find(t, z, ms, out);
    m->next = (m->next + 1) % MEMO;
    m->zone[m->next] = z;
    m->from_ms[m->next] = ms;
    m->price[m->next] = *out;
}

int64_t tariff_price_max(const struct tariff *t, const struct zone *z, int64_t from_ms,
                         int64_t to_ms)
{
    struct tariff_price p;
    int64_t most = 0, at = from_ms;
    if (to_ms > from_ms + WINDOW_MAX)
        to_ms = from_ms + WINDOW_MAX;
    do {
        tariff_price_at(t, z, at, &p);
        if (p.elec_e5 + p.service_e5 > most)
            most = p.elec_e5 + p.service_e5;
        at = p.end_ms;
    } while (at <= to_ms);
    return most;
}

/* ---- four classes of half hours ---- */

static int class_of_label(const char *label)
{
    static const char *const names[TARIFF_CLASSES] = {"尖", "峰", "平", "谷"};
    for (int k = 0; k < TARIFF_CLASSES; k++)
        if (strcmp(label, names[k]) == 0)
            return k;
    return -1;
}

static int class_find(const struct tariff_classes *out, const struct tariff_slice *s)
{
    for (int k = 0; k < TARIFF_CLASSES; k++)
        if (out->label[k] == s->label && out->elec_e5[k] == s->elec_e5 &&
            out->service_e5[k] == s->service_e5)
            return k;
    return -1;
}

static void class_set(struct tariff_classes *out, int k, const struct tariff_slice *s)
{
    out->label[k] = s->label;
    out->elec_e5[k] = s->elec_e5;
    out->service_e5[k] = s->service_e5;
}

/** Slices with a label of its own class first, then the others into what is free. */
static int classes_assign(const struct tariff *t, const struct tariff_plan *p,
                          struct tariff_classes *out)
{
    for (int pass = 0; pass < 2; pass++)
        for (int32_t i = p->first; i < p->first + p->n; i++) {
            const struct tariff_slice *s = &t->slices[i];
            int k = class_of_label(t->labels[s->label]);
            if (class_find(out, s) >= 0)
                continue;
            if (pass == 1)
                for (k = 0; k < TARIFF_CLASSES && out->label[k] >= 0; k++)
                    ;
            if (pass == 1 && k == TARIFF_CLASSES)
                return ERR_UNSUPPORTED;
            if (k >= 0 && out->label[k] < 0)
                class_set(out, k, s);
        }
    return 0;
}

static void classes_fill_unused(struct tariff_classes *out)
{
    int most = -1;
    for (int k = 0; k < TARIFF_CLASSES; k++)
        if (out->label[k] >= 0 && (most < 0 || out->elec_e5[k] + out->service_e5[k] >
                                                   out->elec_e5[most] + out->service_e5[most]))
            most = k;
    must(most >= 0);
    for (int k = 0; k < TARIFF_CLASSES; k++)
        if (out->label[k] < 0) {
            out->elec_e5[k] = out->elec_e5[most];
            out->service_e5[k] = out->service_e5[most];
        }
}

static int classes_of_plan(const struct tariff *t, const struct tariff_plan *p,
                           struct tariff_classes *out)
{
    *out = (struct tariff_classes){.label = {-1, -1, -1, -1}};
    for (int32_t i = p->first; i < p->first + p->n; i++)
        if (t->slices[i].from_min % (DAY_MIN / TARIFF_HALF_HOURS))
            return ERR_UNSUPPORTED;
    return classes_assign(t, p, out);
}

int tariff_classes_check(const struct tariff *t)
{
    struct tariff_classes any;
    for (int32_t i = 0; i < t->plans_n; i++) {
        int rc = classes_of_plan(t, &t->plans[i], &any);
        if (rc)
            return rc;
    }
    return 0;
}

int tariff_classes_of_day(const struct tariff *t, const struct zone *z, int64_t ms,
                          struct tariff_classes *out)
{
    struct civil c;
    zone_civil(z, ms, &c);
    const struct tariff_plan *p = plan_at(t, &c);
    int rc = classes_of_plan(t, p, out);
    if (rc)
        return rc;
    for (int32_t i = 0; i < TARIFF_HALF_HOURS; i++) {
        int32_t s = slice_index(t, p, i * (DAY_MIN / TARIFF_HALF_HOURS));
        out->slot[i] = (uint8_t)class_find(out, &t->slices[s]);
    }
    classes_fill_unused(out);
    c.hour = c.minute = c.second = 0;
    c.ms = 0;
    out->from_ms = zone_instant(z, &c);
    out->until_ms = zone_next_midnight(z, ms);
    return 0;
}
