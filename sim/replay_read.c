// SPDX-License-Identifier: Apache-2.0
/* replay_read.c: the reading half of replay.h: two files into rows, chargers and an order of
 * telling.
 *
 * Local times of the hour that comes twice are taken as the first, unless a session would end
 * before it starts: then its end is in the second. Registers: each connector counts on from
 * REGISTER_WH, session after session, as a meter does; a session of negative energy shows at its
 * stop only, as a faulty meter would. Where a file knows minutes only and two
 * sessions of a connector begin in the same one, the second is told a second later: chargers know
 * seconds, and the very same start told twice is a repetition. */
#include "sim/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/map.h"
#include "io/os/file.h"
#include "sim/csv.h"
#include "sim/replay_map.h"

#define FILE_CAP    ((size_t)1 << 30)
#define REGISTER_WH INT64_C(10000000)
#define HOUR_MS     INT64_C(3600000)
enum { ROWS_MAX = 10000000, CHARGERS_MAX = 100000, CELLS_MAX = MAP_COLUMNS_MAX, GUNS_MAX = 8 };

struct reader {
    struct replay *r;
    struct replay_map map;
    struct strmap chargers; /* identity → index */
    struct str cells[CELLS_MAX];
    size_t cells_n;
};

const char *replay_reason_word(enum replay_reason reason)
{
    static const char *const words[REPLAY_REASONS] = {
        [REPLAY_SENT] = "sent",           [REPLAY_NO_CHARGER] = "no-charger",
        [REPLAY_NO_START] = "no-start",   [REPLAY_NO_END] = "no-end",
        [REPLAY_NO_ENERGY] = "no-energy", [REPLAY_END_FIRST] = "end-before-start",
        [REPLAY_OVERLAP] = "overlap",     [REPLAY_REGISTER] = "register",
        [REPLAY_REFUSED] = "refused"};
    return words[reason];
}

/* ---- one row ---- */

static struct str cell(const struct reader *rd, enum replay_column c)
{
    int i = rd->map.place[c];
    return i < 0 || (size_t)i >= rd->cells_n ? STR_LIT("") : str_trim(rd->cells[i]);
}

static int grow(void **p, size_t n, size_t *size, size_t each, size_t most)
{
    if (n < *size)
        return 0;
    size_t want = *size ? 2 * *size : 256;
    void *more = n < most ? realloc(*p, want * each) : NULL;
    if (!more)
        return n < most ? ERR_NOMEM : ERR_TOO_LARGE;
    *p = more;
    *size = want;
    return 0;
}

static int charger_find(struct reader *rd, uint32_t *out)
{
    struct replay *r = rd->r;
    struct replay_charger c = {0};
    uint64_t at;
    struct str name = cell(rd, COL_CHARGER), model = cell(rd, COL_MODEL);
    int n = snprintf(c.id, sizeof c.id, "%.*s%.*s", STR_FMT(rd->map.prefix), STR_FMT(name));
    if (!name.n || n < 0 || (size_t)n >= sizeof c.id)
        return ERR_NOT_FOUND;
    if (strmap_get(&rd->chargers, str_from_c(c.id), &at)) {
        *out = (uint32_t)at;
        return 0;
    }
    (void)str_copy(c.site, sizeof c.site, cell(rd, COL_SITE));
    (void)str_copy(c.model, sizeof c.model, model);
    c.power_w = replay_map_power(&rd->map, model);
    int err = grow((void **)&r->chargers, r->chargers_n, &r->chargers_size, sizeof c, CHARGERS_MAX);
    if (!err)
        err = strmap_put(&rd->chargers, str_from_c(c.id), r->chargers_n);
    if (err)
        return err;
    *out = (uint32_t)r->chargers_n;
    r->chargers[r->chargers_n++] = c;
    return 0;
}

static int moment(const struct reader *rd, enum replay_column date, enum replay_column time,
                  struct civil *local, int64_t *ms)
{
    if (rd->map.place[time] >= 0 && !cell(rd, time).n)
        return ERR_SYNTAX;
    int err = replay_map_time(&rd->map, cell(rd, date), cell(rd, time), local);
    if (!err)
        *ms = zone_instant(rd->map.zone, local);
    return err;
}

static bool same_hour_twice(const struct zone *z, int64_t ms, const struct civil *local)
{
    struct civil later;
    zone_civil(z, ms + HOUR_MS, &later);
    return later.hour == local->hour && later.minute == local->minute && later.day == local->day;
}

static enum replay_reason times_read(const struct reader *rd, struct replay_row *row)
{
    struct civil start, end;
    if (moment(rd, COL_START_DATE, COL_START_TIME, &start, &row->start_ms))
        return REPLAY_NO_START;
    if (moment(rd, COL_END_DATE, COL_END_TIME, &end, &row->end_ms))
        return REPLAY_NO_END;
    if (row->end_ms < row->start_ms && same_hour_twice(rd->map.zone, row->end_ms, &end))
        row->end_ms += HOUR_MS;
    return row->end_ms < row->start_ms ? REPLAY_END_FIRST : REPLAY_SENT;
}

/* The first thing that is wrong with the row is its reason. An energy counts for the sum of the
 * file whatever else is wrong. */
static int row_read(struct reader *rd, struct replay_row *row)
{
    int64_t gun = 1;
    struct str connector = cell(rd, COL_CONNECTOR);
    bool no_energy = replay_map_energy(&rd->map, cell(rd, COL_ENERGY), &row->energy_mwh) != 0;
    row->reason = times_read(rd, row);
    if (row->reason == REPLAY_SENT && no_energy)
        row->reason = REPLAY_NO_ENERGY;
    int err = charger_find(rd, &row->charger);
    if (err == ERR_NOT_FOUND ||
        (connector.n && (str_to_i64(connector, &gun) || gun < 1 || gun > GUNS_MAX))) {
        row->reason = REPLAY_NO_CHARGER;
        return 0;
    }
    if (err)
        return err;
    row->connector = (int32_t)gun;
    if (rd->r->chargers[row->charger].guns < row->connector)
        rd->r->chargers[row->charger].guns = row->connector;
    return 0;
}

static int row_add(struct reader *rd, size_t line)
{
    struct replay *r = rd->r;
    struct replay_row row = {.id = cell(rd, COL_ID), .line = line};
    int err = grow((void **)&r->rows, r->n, &r->size, sizeof row, ROWS_MAX);
    if (!err)
        err = row_read(rd, &row);
    if (err)
        return err;
    r->energy_mwh += row.energy_mwh;
    r->rows[r->n++] = row;
    return 0;
}

/* ---- the order of telling ---- */

static int by_place(const void *a, const void *b)
{
    const struct replay_row *x = *(const struct replay_row *const *)a,
                            *y = *(const struct replay_row *const *)b;
    if (x->charger != y->charger)
        return x->charger < y->charger ? -1 : 1;
    if (x->connector != y->connector)
        return x->connector < y->connector ? -1 : 1;
    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    if (x->end_ms != y->end_ms)
        return x->end_ms < y->end_ms ? -1 : 1;
    return x < y ? 1 : x > y ? -1 : 0; /* exports usually stand newest first */
}

/* Registers and overlaps, along one connector after the other. */
static void lines_lay(struct replay *r, struct replay_row **sorted, size_t n, bool coarse)
{
    int64_t register_wh = REGISTER_WH, until_ms = 0, from_ms = -1;
    for (size_t i = 0; i < n; i++) {
        struct replay_row *row = sorted[i];
        if (!i || row->charger != sorted[i - 1]->charger ||
            row->connector != sorted[i - 1]->connector) {
            register_wh = REGISTER_WH;
            until_ms = 0;
            from_ms = -1;
        }
        if (coarse && row->start_ms <= from_ms)
            row->start_ms = from_ms + 1000;
        if (coarse && row->end_ms < row->start_ms)
            row->end_ms = row->start_ms;
        row->start_wh = register_wh;
        row->stop_wh = register_wh + row->energy_mwh / 1000;
        if (row->start_ms < until_ms)
            row->reason = REPLAY_OVERLAP;
        else if (row->stop_wh < 0 || row->stop_wh > INT32_MAX)
            row->reason = REPLAY_REGISTER;
        if (row->reason != REPLAY_SENT)
            continue;
        until_ms = row->end_ms;
        from_ms = row->start_ms;
        if (row->stop_wh > register_wh)
            register_wh = row->stop_wh;
        r->order[r->order_n++] = (uint32_t)(row - r->rows);
    }
}

static int order_make(struct replay *r, bool coarse)
{
    struct replay_row **sorted = calloc(r->n + 1, sizeof *sorted);
    size_t n = 0;
    r->order = calloc(r->n + 1, sizeof *r->order);
    if (!sorted || !r->order) {
        free(sorted);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].reason == REPLAY_SENT)
            sorted[n++] = &r->rows[i];
    qsort(sorted, n, sizeof *sorted, by_place);
    lines_lay(r, sorted, n, coarse);
    free(sorted);
    return 0;
}

/* ---- the files ---- */

static int rows_read(struct reader *rd, const char *path)
{
    struct csv csv;
    int more, err = 0;
    csv_init(&csv, rd->r->text.p, rd->r->text.n, rd->map.separator);
    more = csv_next(&csv, rd->cells, CELLS_MAX, &rd->cells_n);
    if (more == 1)
        err = replay_map_header(&rd->map, rd->cells, rd->cells_n);
    else if (more == 0)
        err = ERR_SYNTAX;
    size_t line = csv.line;
    while (!err && (more = csv_next(&csv, rd->cells, CELLS_MAX, &rd->cells_n)) == 1) {
        err = row_add(rd, line);
        line = csv.line;
    }
    if (!err && more < 0)
        err = more;
    if (err)
        fprintf(stderr, "even replay: %s:%zu: %s\n", path, line, err_text(err, LANG_EN));
    return err;
}

int replay_read(const char *csv_path, const char *map_path, struct replay *r)
{
    struct reader *rd = calloc(1, sizeof *rd);
    *r = (struct replay){0};
    buf_init(&r->text, FILE_CAP);
    if (!rd)
        return ERR_NOMEM;
    rd->r = r;
    strmap_init(&rd->chargers, CHARGERS_MAX, 17);
    int err = replay_map_read(map_path, &rd->map);
    if (!err) {
        (void)str_copy(r->zone, sizeof r->zone, rd->map.zone_name);
        err = file_read(csv_path, FILE_CAP, &r->text);
        if (err)
            fprintf(stderr, "even replay: %s: %s\n", csv_path, err_text(err, LANG_EN));
    }
    if (!err)
        err = rows_read(rd, csv_path);
    if (!err)
        err = order_make(r, rd->map.coarse);
    replay_map_free(&rd->map);
    strmap_free(&rd->chargers);
    free(rd);
    return err;
}

void replay_free(struct replay *r)
{
    free(r->rows);
    free(r->chargers);
    free(r->order);
    buf_free(&r->text);
    *r = (struct replay){0};
}
