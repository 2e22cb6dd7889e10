// SPDX-License-Identifier: Apache-2.0
/* zone.c: see zone.h. Data: the transitions of the TZif file in seconds UTC, and the rule of its
 * footer for all time after the last of them.
 *
 * Invariants:
 *  1. Transition times strictly increase.
 *  2. Every offset is within ±26 h.
 *  3. Nothing is written after parsing. "right/" files (leap seconds) are refused: our time has
 *     none. Fails: only in parsing, with ERR_SYNTAX or ERR_NOMEM. Arithmetic on times of ±100,000
 *     years is exact. */
#include "base/zone.h"

#include "base/err.h"

#include <stdlib.h>

enum { OFFSET_MAX_S = 26 * 3600, COUNT_MAX = 10000, HEADER = 44, DAY_S = 86400 };

/* One change a year: "M3.5.0/1" (month, week, weekday), "J60" or "59" (day of the year). */
struct yearly {
    char form; /* 'M', 'J' (1-365, 29 February never counted), 'D' (0-365) */
    int month, week, day;
    int32_t time_s; /* local seconds after midnight, may be negative or above a day */
};

struct rule {
    bool present, has_dst;
    int32_t std_s, dst_s; /* east of UTC */
    struct yearly start, end;
};

struct zone {
    size_t n;
    int64_t *at_s;
    int32_t *offset_s; /* in force from at_s[i] */
    int32_t first_s;   /* in force before at_s[0] */
    struct rule rule;
};

/* ---- the footer ---- */

static bool take(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static bool take_int(struct str *s, int max, int *out)
{
    int v = 0;
    size_t n = 0;
    for (; n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        v = v * 10 + (s->p[n] - '0');
    if (!n || v > max)
        return false;
    *s = (struct str){s->p + n, s->n - n};
    *out = v;
    return true;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_hms(struct str *s, int max_hours, int32_t *out)
{
    int h, m = 0, sec = 0;
    bool neg = take(s, '-');
    if (!neg)
        (void)take(s, '+');
    if (!take_int(s, max_hours, &h))
        return false;
    if (take(s, ':') && !take_int(s, 59, &m))
        return false;
    if (take(s, ':') && !take_int(s, 59, &sec))
        return false;
    *out = (h * 3600 + m * 60 + sec) * (neg ? -1 : 1);
    return true;
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "CST" or "<+08>"; the name itself is of no use here. */
static bool take_name(struct str *s)
{
    if (take(s, '<')) {
        ptrdiff_t end = str_find(*s, '>');
        if (end < 1)
            return false;
        *s = (struct str){s->p + end + 1, s->n - (size_t)end - 1};
        return true;
    }
    size_t n = 0;
    while (n < s->n && letter(s->p[n]))
        n++;
    *s = (struct str){s->p + n, s->n - n};
    return n >= 3;
}

static bool take_yearly(struct str *s, struct yearly *y)
{
    *y = (struct yearly){.form = 'D', .time_s = 2 * 3600};
    bool ok;
    if (take(s, 'M')) {
        y->form = 'M';
        ok = take_int(s, 12, &y->month) && y->month >= 1 && take(s, '.') &&
             take_int(s, 5, &y->week) && y->week >= 1 && take(s, '.') && take_int(s, 6, &y->day);
    } else if (take(s, 'J')) {
        y->form = 'J';
        ok = take_int(s, 365, &y->day) && y->day >= 1;
    } else {
        ok = take_int(s, 365, &y->day);
    }
    return ok && (!take(s, '/') || take_hms(s, 167, &y->time_s));
}

static int rule_parse(struct str s, struct rule *r)
{
    int32_t west;
    *r = (struct rule){0};
    if (!s.n)
        return 0;
    r->present = true;
    if (!take_name(&s) || !take_hms(&s, 24, &west))
        return ERR_SYNTAX;
    r->std_s = -west;
    if (!s.n)
        return 0;
    r->has_dst = true;
    r->dst_s = r->std_s + 3600;
    if (!take_name(&s))
        return ERR_SYNTAX;
    if (s.n && s.p[0] != ',') {
        if (!take_hms(&s, 24, &west))
            return ERR_SYNTAX;
        r->dst_s = -west;
    }
    bool ok = take(&s, ',') && take_yearly(&s, &r->start) && take(&s, ',') &&
              take_yearly(&s, &r->end) && !s.n;
    return ok ? 0 : ERR_SYNTAX;
}

/* The local second (as if UTC) at which a yearly change falls. */
static int64_t yearly_local_s(const struct yearly *y, int32_t year)
{
    int64_t day;
    if (y->form == 'M') {
        int64_t first = civil_days(year, y->month, 1);
        int64_t next =
            y->month == 12 ? civil_days(year + 1, 1, 1) : civil_days(year, y->month + 1, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7;
        day = first + (y->day - weekday + 7) % 7 + 7 * (y->week - 1);
        if (day >= next)
            day -= 7; /* week 5 means the last */
    } else {
        bool leap = civil_days(year + 1, 1, 1) - civil_days(year, 1, 1) == 366;
        day = civil_days(year, 1, 1) + y->day - (y->form == 'J');
        if (y->form == 'J' && leap && y->day >= 60)
            day++;
    }
    return day * DAY_S + y->time_s;
}

static int32_t rule_offset_s(const struct rule *r, int64_t at_s)
{
    if (!r->has_dst)
        return r->std_s;
    struct civil c;
    civil_from_ms((at_s + r->std_s) * 1000, &c);
    int64_t start = yearly_local_s(&r->start, c.year) - r->std_s;
    int64_t end = yearly_local_s(&r->end, c.year) - r->dst_s;
    bool dst = start < end ? at_s >= start && at_s < end : at_s >= start || at_s < end;
    return dst ? r->dst_s : r->std_s;
}

/* ---- the file ---- */

struct header {
    char version;
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool header_take(struct str *s, struct header *h)
{
    if (s->n < HEADER || memcmp(s->p, "TZif", 4) != 0)
        return false;
    const char *p = s->p + 20;
    *h = (struct header){s->p[4],      be32(p),      be32(p + 4), be32(p + 8),
                         be32(p + 12), be32(p + 16), be32(p + 20)};
    *s = (struct str){s->p + HEADER, s->n - HEADER};
    return h->isut <= COUNT_MAX && h->isstd <= COUNT_MAX && h->leap <= COUNT_MAX &&
           h->time <= COUNT_MAX && h->type <= 256 && h->chars <= COUNT_MAX;
}

static size_t block_size(const struct header *h, size_t time_size)
{
    return h->time * (time_size + 1) + h->type * 6 + h->chars + h->leap * (time_size + 4) +
           h->isstd + h->isut;
}

static bool type_offset(const char *types, const struct header *h, unsigned i, int32_t *out)
{
    if (i >= h->type)
        return false;
    *out = (int32_t)be32(types + 6 * (size_t)i);
    return *out >= -OFFSET_MAX_S && *out <= OFFSET_MAX_S;
}

static int block_parse(struct zone *z, struct str s, const struct header *h, size_t time_size)
{
    const char *index = s.p + h->time * time_size, *types = index + h->time;
    if (h->leap || !type_offset(types, h, 0, &z->first_s))
        return ERR_SYNTAX;
    z->n = h->time;
    z->at_s = calloc(z->n + 1, sizeof *z->at_s);
    z->offset_s = calloc(z->n + 1, sizeof *z->offset_s);
    if (!z->at_s || !z->offset_s)
        return ERR_NOMEM;
    for (size_t i = 0; i < z->n; i++) {
        const char *p = s.p + i * time_size;
        z->at_s[i] = time_size == 8 ? be64(p) : (int32_t)be32(p);
        if (i && z->at_s[i] <= z->at_s[i - 1])
            return ERR_SYNTAX;
        if (!type_offset(types, h, (uint8_t)index[i], &z->offset_s[i]))
            return ERR_SYNTAX;
    }
    return 0;
}

static int footer_parse(struct str s, struct rule *r)
{
    if (!take(&s, '\n'))
        return ERR_SYNTAX;
    ptrdiff_t end = str_find(s, '\n');
    return end < 0 ? ERR_SYNTAX : rule_parse((struct str){s.p, (size_t)end}, r);
}

static int parse_into(struct zone *z, struct str s)
{
    struct header h;
    if (!header_take(&s, &h) || s.n < block_size(&h, 4))
        return ERR_SYNTAX;
    if (h.version == 0)
        return block_parse(z, s, &h, 4);
    size_t skip = block_size(&h, 4);
    s = (struct str){s.p + skip, s.n - skip};
    if (!header_take(&s, &h) || s.n < block_size(&h, 8))
        return ERR_SYNTAX;
    skip = block_size(&h, 8);
    int err = block_parse(z, s, &h, 8);
    return err ? err : footer_parse((struct str){s.p + skip, s.n - skip}, &z->rule);
}

int zone_parse(struct str bytes, struct zone **out)
{
    struct zone *z = calloc(1, sizeof *z);
    if (!z)
        return ERR_NOMEM;
    int err = parse_into(z, bytes);
    if (err) {
        zone_free(z);
        return err;
    }
    *out = z;
    return 0;
}

int zone_fixed(int32_t offset_s, struct zone **out)
{
    if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S)
        return ERR_RANGE;
    struct zone *z = calloc(1, sizeof *z);
    if (!z)
        return ERR_NOMEM;
    z->first_s = offset_s;
    *out = z;
    return 0;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    free(z->at_s);
    free(z->offset_s);
    free(z);
}

/* ---- questions ---- */

static int64_t floor_s(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

static int32_t offset_at(const struct zone *z, int64_t at_s)
{
    size_t lo = 0, hi = z->n; /* the first transition after at_s */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (z->at_s[mid] <= at_s)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == z->n && z->rule.present)
        return rule_offset_s(&z->rule, at_s);
    return lo ? z->offset_s[lo - 1] : z->first_s;
}

int32_t zone_offset_s(const struct zone *z, int64_t ms)
{
    return z ? offset_at(z, floor_s(ms)) : 0;
}

void zone_civil(const struct zone *z, int64_t ms, struct civil *out)
{
    civil_from_ms(ms + zone_offset_s(z, ms) * INT64_C(1000), out);
}

/* First second in (lo, hi] with the offset of hi; the offset changes once between them. */
static int64_t change_between(const struct zone *z, int64_t lo, int64_t hi)
{
    int32_t after = offset_at(z, hi);
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (offset_at(z, mid) == after)
            hi = mid;
        else
            lo = mid;
    }
    return hi;
}

int64_t zone_instant(const struct zone *z, const struct civil *c)
{
    int64_t local_ms = civil_to_ms(c);
    if (!z)
        return local_ms;
    /* No offset exceeds 15 h, so these two instants surround every reading of the local time. */
    int64_t local = floor_s(local_ms), rest_ms = local_ms - local * 1000;
    int32_t before = offset_at(z, local - 15 * 3600), after = offset_at(z, local + 15 * 3600);
    if (offset_at(z, local - before) == before)
        return (local - before) * 1000 + rest_ms;
    if (offset_at(z, local - after) == after)
        return (local - after) * 1000 + rest_ms;
    return change_between(z, local - after, local - before) * 1000;
}

int64_t zone_next_midnight(const struct zone *z, int64_t ms)
{
    struct civil c;
    zone_civil(z, ms, &c);
    int64_t days = civil_days(c.year, c.month, c.day);
    for (;;) {
        civil_from_ms(++days * DAY_S * 1000, &c);
        int64_t at = zone_instant(z, &c);
        if (at > ms)
            return at;
    }
}

int32_t zone_month(const struct zone *z, int64_t ms)
{
    struct civil d;
    zone_civil(z, ms, &d);
    return d.year * 100 + d.month;
}

int64_t zone_month_begin(const struct zone *z, int64_t month)
{
    return zone_instant(
        z,
        &(struct civil){.year = (int32_t)(month / 100), .month = (int8_t)(month % 100), .day = 1});
}
