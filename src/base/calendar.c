// SPDX-License-Identifier: Apache-2.0
/* calendar.c: see calendar.h. Pure. Days are counted from 1 March of year 0, so that the leap day
 * is the last of its year; a 400-year era has 146,097 days. Years −9999 … 9999 are exact; text has
 * four digits, so that is all that ever comes in. */
#include "base/calendar.h"

#include "base/err.h"

#define DAY_MS        INT64_C(86400000)
#define ERA_DAYS      INT64_C(146097)
#define DAYS_TO_EPOCH INT64_C(719468) /* 0000-03-01 … 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t civil_days(int32_t year, int32_t month, int32_t day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3; /* March = 0 */
    int64_t in_year = (153 * m + 2) / 5 + day - 1;
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    return era * ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + in_year - DAYS_TO_EPOCH;
}

int64_t civil_month_next(int64_t month)
{
    return month % 100 == 12 ? month + 89 : month + 1;
}

static void date_from_days(int64_t days, struct civil *out)
{
    int64_t z = days + DAYS_TO_EPOCH, era = floor_div(z, ERA_DAYS), doe = z - era * ERA_DAYS;
    /* Take out the leap days that passed: one in 1,461 days, but not one in 36,524, but one an era.
     */
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (yoe * 365 + yoe / 4 - yoe / 100);
    int64_t m = (5 * doy + 2) / 153;
    out->day = (int8_t)(doy - (153 * m + 2) / 5 + 1);
    out->month = (int8_t)(m < 10 ? m + 3 : m - 9);
    out->year = (int32_t)(yoe + era * 400 + (out->month <= 2));
    out->weekday = (int8_t)((((days + 4) % 7) + 7) % 7); /* day 0 was a Thursday */
}

int64_t civil_to_ms(const struct civil *c)
{
    int64_t s = (c->hour * INT64_C(60) + c->minute) * 60 + c->second;
    return civil_days(c->year, c->month, c->day) * DAY_MS + s * 1000 + c->ms;
}

void civil_from_ms(int64_t ms, struct civil *out)
{
    int64_t days = floor_div(ms, DAY_MS), rest = ms - days * DAY_MS;
    date_from_days(days, out);
    out->hour = (int8_t)(rest / 3600000);
    out->minute = (int8_t)(rest / 60000 % 60);
    out->second = (int8_t)(rest / 1000 % 60);
    out->ms = (int16_t)(rest % 1000);
}

/* Takes exactly n digits; -1 when they are not there. */
static int take_digits(struct str *s, size_t n)
{
    int v = 0;
    if (s->n < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return -1;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = (struct str){s->p + n, s->n - n};
    return v;
}

static bool take(struct str *s, const char *any)
{
    if (!s->n || !s->p[0] || !strchr(any, s->p[0]))
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static int take_fraction(struct str *s, int16_t *ms)
{
    int v = 0, n = 0;
    for (int d; (d = take_digits(s, 1)) >= 0; n++)
        v = n < 3 ? v * 10 + d : v;
    if (!n)
        return ERR_SYNTAX;
    for (; n < 3; n++)
        v *= 10;
    *ms = (int16_t)v;
    return 0;
}

static int take_date_time(struct str *s, struct civil *c)
{
    int year = take_digits(s, 4);
    int month = take(s, "-") ? take_digits(s, 2) : -1;
    int day = take(s, "-") ? take_digits(s, 2) : -1;
    int hour = take(s, "Tt ") ? take_digits(s, 2) : -1;
    int minute = take(s, ":") ? take_digits(s, 2) : -1;
    int second = take(s, ":") ? take_digits(s, 2) : -1;
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0)
        return ERR_SYNTAX;
    *c = (struct civil){.year = year,
                        .month = (int8_t)month,
                        .day = (int8_t)day,
                        .hour = (int8_t)hour,
                        .minute = (int8_t)minute,
                        .second = (int8_t)second};
    return take(s, ".,") ? take_fraction(s, &c->ms) : 0;
}

static bool in_range(const struct civil *c)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->month < 1 || c->month > 12 || c->day < 1)
        return false;
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
    int last = days[c->month - 1] + (leap && c->month == 2);
    return c->day <= last && c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

/* Z, ±hh, ±hhmm, ±hh:mm or nothing. */
static int take_offset(struct str *s, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (!s->n || take(s, "Zz"))
        return 0;
    bool west = s->p[0] == '-';
    int hours = take(s, "+-") ? take_digits(s, 2) : -1;
    if (hours < 0)
        return ERR_SYNTAX;
    bool colon = take(s, ":");
    int minutes = colon || s->n ? take_digits(s, 2) : 0;
    if (minutes < 0)
        return ERR_SYNTAX;
    if (hours > 23 || minutes > 59)
        return ERR_RANGE;
    *offset_ms = (hours * 60 + minutes) * INT64_C(60000) * (west ? -1 : 1);
    return 0;
}

int time_parse(struct str s, int64_t *ms)
{
    struct civil c;
    int64_t offset_ms;
    s = str_trim(s);
    int err = take_date_time(&s, &c);
    if (!err)
        err = take_offset(&s, &offset_ms);
    if (err)
        return err;
    if (s.n)
        return ERR_SYNTAX;
    if (!in_range(&c))
        return ERR_RANGE;
    *ms = civil_to_ms(&c) - offset_ms;
    return 0;
}

static char *put_digits(char *p, int v, int n, char end)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    p[n] = end;
    return p + n + 1;
}

void time_format(int64_t ms, char out[TIME_TEXT_SIZE])
{
    struct civil c;
    civil_from_ms(ms, &c);
    if (c.year < 0 || c.year > 9999)
        c.year = 9999; /* cannot be written in four digits, so it is at least plainly wrong */
    char *p = put_digits(out, c.year, 4, '-');
    p = put_digits(p, c.month, 2, '-');
    p = put_digits(p, c.day, 2, 'T');
    p = put_digits(p, c.hour, 2, ':');
    p = put_digits(p, c.minute, 2, ':');
    p = put_digits(p, c.second, 2, '.');
    p = put_digits(p, c.ms, 3, 'Z');
    *p = 0;
}
