// SPDX-License-Identifier: Apache-2.0
/* tape_csv.c: exports of past sessions. A tape is a mapping file, a line "%%", and a file of cells.
 * Cells written back with quotes read as the same cells; what the mapping makes of them is a real
 * local time and a number, or an error. */
#include "tape.h"

#include <stdlib.h>
#include "base/err.h"
#include "sim/csv.h"
#include "sim/replay_map.h"
#include "tape_file.h"

enum { CELLS = 32, TEXT_MAX = 1 << 20 };

static void quoted(struct buf *b, const struct str *cells, size_t n, char separator)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_put_char(b, separator);
        buf_put_char(b, '"');
        for (size_t k = 0; k < cells[i].n; k++) {
            if (cells[i].p[k] == '"')
                buf_put_char(b, '"');
            buf_put_char(b, cells[i].p[k]);
        }
        buf_put_char(b, '"');
    }
    buf_put_char(b, '\n');
}

/* One record, written with quotes, is one record with the same cells. */
static void written_again(const struct str *cells, size_t n, char separator)
{
    struct str again[CELLS];
    struct buf b;
    struct csv c;
    size_t m;
    buf_init(&b, TEXT_MAX);
    quoted(&b, cells, n, separator);
    must(!b.err);
    csv_init(&c, b.p, b.n, separator);
    must(csv_next(&c, again, CELLS, &m) == 1 && m == n);
    for (size_t i = 0; i < n; i++)
        must(str_eq(again[i], cells[i]));
    must(csv_next(&c, again, CELLS, &m) == 0);
    buf_free(&b);
}

static void cells_read(const struct replay_map *m, const struct str *cells, size_t n)
{
    struct civil c, again;
    int64_t mwh;
    for (size_t i = 0; i < n; i++) {
        struct str next = cells[(i + 1) % n];
        if (replay_map_time(m, cells[i], next, &c) == 0) {
            civil_from_ms(civil_to_ms(&c), &again);
            must(again.year == c.year && again.month == c.month && again.day == c.day);
            must(again.hour == c.hour && again.minute == c.minute && again.second == c.second);
            (void)zone_instant(m->zone, &c);
        }
        if (replay_map_energy(m, cells[i], &mwh) == 0)
            must(str_trim(cells[i]).n <= 60);
        must(replay_map_power(m, cells[i]) >= 0);
    }
}

static void records(struct replay_map *m, char *p, size_t n)
{
    struct str cells[CELLS];
    struct csv c;
    size_t count = 0, line = 0;
    bool first = true;
    int got;
    csv_init(&c, p, n, m->separator);
    while ((got = csv_next(&c, cells, CELLS, &count)) == 1) {
        must(count >= 1 && count <= CELLS && c.line > line && c.p <= c.end);
        line = c.line;
        written_again(cells, count, m->separator);
        if (first && replay_map_header(m, cells, count))
            break;
        first = false;
        cells_read(m, cells, count);
    }
    must(got >= 0 || got == ERR_SYNTAX || got == ERR_TOO_LARGE);
}

/* Where the line "%%" begins, or n. */
static size_t cut_find(const char *p, size_t n)
{
    for (size_t i = 0; i + 3 <= n; i++)
        if (memcmp(p + i, "%%\n", 3) == 0)
            return i;
    return n;
}

int tape_csv(const uint8_t *p, size_t n)
{
    struct replay_map m;
    const char *text = (const char *)p;
    size_t cut = cut_find(text, n), from = cut + 3 < n ? cut + 3 : n;
    if (n > TEXT_MAX / 8)
        return 0;
    if (replay_map_read(tape_file(str_from(text, cut)), &m) == 0) {
        char *copy = malloc(n - from + 1);
        must(copy && m.zone);
        memcpy(copy, text + from, n - from);
        records(&m, copy, n - from);
        free(copy);
    }
    replay_map_free(&m);
    return 0;
}
