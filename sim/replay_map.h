// SPDX-License-Identifier: Apache-2.0
/* replay_map.h: how an operator's export is to be read. Exports all differ, so a mapping file says
 * which column is what and how dates are written:
 *
 *   # Perth & Kinross Council
 *   id         = _id              charger     = CP ID        connector = Connector
 *   start_date = Start Date       start_time  = Start Time   date      = YYYY-MM-DD*
 *   end_date   = End Date         end_time    = End Time     time      = hh:mm
 *   energy     = Total kWh        energy_unit = kWh          zone      = Europe/London
 *   site       = Site             model       = Model        day_month = swapped when day <= 12
 *   power.APT Triple Rapid Charger = 50 kW
 *
 * (one `name = value` a line). Without start_time and end_time the date columns hold the time too.
 * Pictures of dates: YYYY MM DD hh mm ss are digits, ? is any one character, * is all the rest,
 * everything else stands for itself. Also: separator (one character or "tab"), decimal (. or ,),
 * prefix (of the chargers' identities). */
#ifndef EVEN_SIM_REPLAY_MAP_H
#define EVEN_SIM_REPLAY_MAP_H

#include "base/buf.h"
#include "base/calendar.h"
#include "base/zone.h"

enum replay_column {
    COL_ID,
    COL_CHARGER,
    COL_CONNECTOR,
    COL_START_DATE,
    COL_START_TIME,
    COL_END_DATE,
    COL_END_TIME,
    COL_ENERGY,
    COL_SITE,
    COL_MODEL,
    COL_N
};

enum { MAP_POWERS_MAX = 64, MAP_COLUMNS_MAX = 256 };

struct replay_map {
    struct buf text;          /* the mapping file; what follows borrows it */
    struct str column[COL_N]; /* names in the header of the file; n 0 = not there */
    int place[COL_N];         /* indexes once the header is read, -1 = not there */
    struct str date, time, zone_name, prefix;
    char separator, decimal;
    int energy_scale; /* decimal places between the file's unit and mWh: kWh 6, Wh 3 */
    bool swapped;     /* day and month are swapped where the day is 12 or less */
    bool coarse;      /* its times have no seconds */
    struct {
        struct str model;
        int64_t power_w;
    } power[MAP_POWERS_MAX];
    size_t powers;
    struct zone *zone;
};

/** Reads a mapping file and the zone it names; on an error one line on stderr has said what and
 * where. */
EV_MUST_USE int replay_map_read(const char *path, struct replay_map *m);
void replay_map_free(struct replay_map *m);
/** Finds the columns in the header; ERR_NOT_FOUND, told on stderr, when one is missing. */
EV_MUST_USE int replay_map_header(struct replay_map *m, const struct str *cells, size_t n);

/** Local time of a date cell and a time cell (empty when the date holds it). ERR_SYNTAX, ERR_RANGE.
 */
EV_MUST_USE int replay_map_time(const struct replay_map *m, struct str date, struct str time,
                                struct civil *out);
/** ERR_SYNTAX, ERR_RANGE. */
EV_MUST_USE int replay_map_energy(const struct replay_map *m, struct str cell, int64_t *mwh);
/** 0 when the mapping does not know the model. */
int64_t replay_map_power(const struct replay_map *m, struct str model);

#endif
