// SPDX-License-Identifier: Apache-2.0
/* replay_map.c: see replay_map.h. Data: the mapping, which keeps its file. A table of names says
 * where each value goes. Input never ends the program: a wrong line is told with its number. */
#include "sim/replay_map.h"

#include <stdio.h>
#include "base/err.h"
#include "base/money.h"
#include "io/os/file.h"
#include "io/os/zonefile.h"

enum { MAP_CAP = 1 << 20 };

/* ---- values ---- */

static int take_separator(struct replay_map *m, struct str v)
{
    bool tab = str_eq_c(v, "tab");
    if (!tab && v.n != 1)
        return ERR_SYNTAX;
    m->separator = tab ? '\t' : v.p[0];
    return 0;
}

static int take_decimal(struct replay_map *m, struct str v)
{
    if (!str_eq_c(v, ".") && !str_eq_c(v, ","))
        return ERR_SYNTAX;
    m->decimal = v.p[0];
    return 0;
}

static int take_unit(struct replay_map *m, struct str v)
{
    m->energy_scale = str_eq_c(v, "kWh") ? 6 : str_eq_c(v, "Wh") ? 3 : 0;
    return m->energy_scale ? 0 : ERR_SYNTAX;
}

static int take_day_month(struct replay_map *m, struct str v)
{
    m->swapped = str_eq_c(v, "swapped when day <= 12");
    return m->swapped || str_eq_c(v, "as written") ? 0 : ERR_SYNTAX;
}

static int take_power(struct replay_map *m, struct str model, struct str v)
{
    int64_t kw_e3;
    if (v.n < 3 || !str_eq_c(str_from(v.p + v.n - 2, 2), "kW") || m->powers == MAP_POWERS_MAX)
        return ERR_SYNTAX;
    int err = decimal_parse(str_trim(str_from(v.p, v.n - 2)), 3, &kw_e3);
    if (err || kw_e3 <= 0 || kw_e3 > 5000000)
        return err ? err : ERR_RANGE;
    m->power[m->powers].model = model;
    m->power[m->powers++].power_w = kw_e3;
    return 0;
}

static const struct {
    const char *name;
    size_t text; /* offset of a struct str, where take is NULL */
    int (*take)(struct replay_map *m, struct str v);
} values[] = {
    {"id", offsetof(struct replay_map, column[COL_ID]), NULL},
    {"charger", offsetof(struct replay_map, column[COL_CHARGER]), NULL},
    {"connector", offsetof(struct replay_map, column[COL_CONNECTOR]), NULL},
    {"start_date", offsetof(struct replay_map, column[COL_START_DATE]), NULL},
    {"start_time", offsetof(struct replay_map, column[COL_START_TIME]), NULL},
    {"end_date", offsetof(struct replay_map, column[COL_END_DATE]), NULL},
    {"end_time", offsetof(struct replay_map, column[COL_END_TIME]), NULL},
    {"energy", offsetof(struct replay_map, column[COL_ENERGY]), NULL},
    {"site", offsetof(struct replay_map, column[COL_SITE]), NULL},
    {"model", offsetof(struct replay_map, column[COL_MODEL]), NULL},
    {"date", offsetof(struct replay_map, date), NULL},
    {"time", offsetof(struct replay_map, time), NULL},
    {"zone", offsetof(struct replay_map, zone_name), NULL},
    {"prefix", offsetof(struct replay_map, prefix), NULL},
    {"separator", 0, take_separator},
    {"decimal", 0, take_decimal},
    {"energy_unit", 0, take_unit},
    {"day_month", 0, take_day_month},
};

static int line_take(struct replay_map *m, struct str line)
{
    const struct str power = STR_LIT("power.");
    struct str v = line, name = str_trim(str_cut(&v, '='));
    v = str_trim(v);
    if (!v.n)
        return ERR_SYNTAX;
    if (str_starts(name, power))
        return take_power(m, str_from(name.p + power.n, name.n - power.n), v);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (!str_eq_c(name, values[i].name))
            continue;
        if (values[i].take)
            return values[i].take(m, v);
        memcpy((char *)m + values[i].text, &v, sizeof v);
        return 0;
    }
    return ERR_NOT_FOUND;
}

/* ---- the file ---- */

static int lines_take(struct replay_map *m, const char *path)
{
    struct str rest = buf_str(&m->text);
    for (int number = 1; rest.n; number++) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (!line.n || line.p[0] == '#')
            continue;
        int err = line_take(m, line);
        if (err) {
            fprintf(stderr, "even replay: %s:%d: %.*s: %s\n", path, number, STR_FMT(line),
                    err_text(err, LANG_EN));
            return err;
        }
    }
    return 0;
}

static int needed(const struct replay_map *m, const char *path)
{
    static const enum replay_column must_have[] = {COL_CHARGER, COL_START_DATE, COL_END_DATE,
                                                   COL_ENERGY};
    const char *missing = !m->date.n ? "date" : !m->zone_name.n ? "zone" : NULL;
    for (size_t i = 0; i < ARRAY_LEN(must_have); i++)
        if (!m->column[must_have[i]].n)
            missing = values[must_have[i]].name;
    if (!missing)
        return 0;
    fprintf(stderr, "even replay: %s: %s is not said\n", path, missing);
    return ERR_REQUIRED;
}

static bool has_seconds(struct str picture)
{
    while (picture.n >= 2 && memcmp(picture.p, "ss", 2) != 0)
        picture = str_from(picture.p + 1, picture.n - 1);
    return picture.n >= 2;
}

static int zone_load(struct replay_map *m)
{
    char name[64];
    if (str_copy(name, sizeof name, m->zone_name) < m->zone_name.n)
        return ERR_TOO_LARGE;
    int err = os_zone_load(name, &m->zone);
    if (err)
        fprintf(stderr, "even replay: time zone %s: %s\n", name, err_text(err, LANG_EN));
    return err;
}

int replay_map_read(const char *path, struct replay_map *m)
{
    *m = (struct replay_map){.separator = ',', .decimal = '.', .energy_scale = 6};
    m->prefix = STR_LIT("REPLAY-");
    buf_init(&m->text, MAP_CAP);
    int err = file_read(path, MAP_CAP, &m->text);
    if (err) {
        fprintf(stderr, "even replay: %s: %s\n", path, err_text(err, LANG_EN));
        return err;
    }
    err = lines_take(m, path);
    if (!err)
        err = needed(m, path);
    m->coarse = !has_seconds(m->date) && !has_seconds(m->time);
    return err ? err : zone_load(m);
}

void replay_map_free(struct replay_map *m)
{
    buf_free(&m->text);
    zone_free(m->zone);
    m->zone = NULL;
}

int replay_map_header(struct replay_map *m, const struct str *cells, size_t n)
{
    for (int c = 0; c < COL_N; c++) {
        m->place[c] = -1;
        for (size_t i = 0; i < n && m->column[c].n; i++)
            if (str_eq(str_trim(cells[i]), m->column[c]))
                m->place[c] = (int)i;
        if (m->column[c].n && m->place[c] < 0) {
            fprintf(stderr, "even replay: the file has no column %.*s\n", STR_FMT(m->column[c]));
            return ERR_NOT_FOUND;
        }
    }
    return 0;
}

/* ---- cells ---- */

static bool digits(struct str s, size_t at, size_t n, int32_t *out)
{
    int64_t v;
    if (at + n > s.n || s.p[at] < '0' || s.p[at] > '9' || str_to_i64(str_from(s.p + at, n), &v))
        return false;
    *out = (int32_t)v;
    return true;
}

/* Reads s by a picture into the numbers of a time; those the picture lacks stay. */
static int picture_read(struct str picture, struct str s, int32_t part[6])
{
    static const char *const words[6] = {"YYYY", "MM", "DD", "hh", "mm", "ss"};
    size_t at = 0;
    for (size_t i = 0; i < picture.n;) {
        int w = 0;
        while (w < 6 && !str_starts(str_from(picture.p + i, picture.n - i), str_from_c(words[w])))
            w++;
        size_t n = w < 6 ? strlen(words[w]) : 1;
        if (w < 6 && !digits(s, at, n, &part[w]))
            return ERR_SYNTAX;
        if (w == 6 && picture.p[i] == '*')
            return 0;
        if (w == 6 && (at == s.n || (picture.p[i] != '?' && picture.p[i] != s.p[at])))
            return ERR_SYNTAX;
        i += n;
        at += n;
    }
    return at == s.n ? 0 : ERR_SYNTAX;
}

static bool time_real(const int32_t part[6])
{
    struct civil c = {.year = part[0], .month = (int8_t)part[1], .day = (int8_t)part[2]}, again;
    if (part[0] < 1970 || part[0] > 9999 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
        part[2] > 31 || part[3] > 23 || part[4] > 59 || part[5] > 59)
        return false;
    civil_from_ms(civil_to_ms(&c), &again);
    return again.month == c.month && again.day == c.day;
}

int replay_map_time(const struct replay_map *m, struct str date, struct str time, struct civil *out)
{
    int32_t part[6] = {0};
    int err = picture_read(m->date, str_trim(date), part);
    if (!err && m->time.n && time.n)
        err = picture_read(m->time, str_trim(time), part);
    if (err)
        return err;
    if (m->swapped && part[2] <= 12) {
        int32_t day = part[1];
        part[1] = part[2];
        part[2] = day;
    }
    if (!time_real(part))
        return ERR_RANGE;
    *out = (struct civil){.year = part[0],
                          .month = (int8_t)part[1],
                          .day = (int8_t)part[2],
                          .hour = (int8_t)part[3],
                          .minute = (int8_t)part[4],
                          .second = (int8_t)part[5]};
    return 0;
}

int replay_map_energy(const struct replay_map *m, struct str cell, int64_t *mwh)
{
    char text[40];
    cell = str_trim(cell);
    if (!cell.n || str_copy(text, sizeof text, cell) < cell.n)
        return ERR_SYNTAX;
    for (size_t i = 0; i < cell.n; i++) {
        if (text[i] == '.' && m->decimal == ',')
            return ERR_SYNTAX;
        if (text[i] == m->decimal)
            text[i] = '.';
    }
    return decimal_parse(str_from(text, cell.n), m->energy_scale, mwh);
}

int64_t replay_map_power(const struct replay_map *m, struct str model)
{
    for (size_t i = 0; i < m->powers; i++)
        if (str_eq(m->power[i].model, model))
            return m->power[i].power_w;
    return 0;
}
