// SPDX-License-Identifier: Apache-2.0
/* report_parts.c: what was posted in a month, by station and party, and by kind of fee and rate of tax:
 * see report.h. An operator may have millions of parts in a month, so they are read in the order in
 * which they lie and summed here; the engine would sort them all first.
 *
 * Data: two sums a station and party, two a rate. Invariants: 1. a part counts once, in one cell and
 * one rate; 2. cells are in the order of station and party when all is read. Thread: the request's.
 * Fails: more cells or rates than fit are ERR_TOO_LARGE. */
#include "web/report.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/tax.h"
#include "core/types.h"

enum { CELLS_BYTES = 64 << 20, PLACES_MAX = 1 << 20 };

/* Station and party as places, by which a cell is found. */
struct reading {
    struct request *r;
    struct report_parts *parts;
    struct map stations, parties, cells;
    uint64_t stations_n, parties_n;
};

static int party_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct reading *x = ctx;
    struct report_party p = {.id = v[0].i, .name = req_copy(x->r, v[1].s), .kind = v[2].i};

    (void)n;
    buf_put(&x->parts->parties, &p, sizeof(p));
    return x->parts->parties.err != 0 ? x->parts->parties.err
                                      : map_put(&x->parties, (uint64_t)p.id, ++x->parties_n);
}

const struct report_party *report_party_at(const struct report_parts *p, uint64_t place)
{
    return (const struct report_party *)(const void *)p->parties.p + place - 1;
}

static int rate_add(struct report_parts *p, const struct sql_value *v, bool own)
{
    struct report_rate *x = p->rate;

    if (v[3].i < 0 || v[3].i > TAX_BP_MAX)
        return ERR_CORRUPT;
    while (x < p->rate + p->rates && (x->fee_kind != v[2].i || x->tax_bp != v[3].i))
        x++;
    if (x == p->rate + REPORT_RATES_MAX)
        return ERR_TOO_LARGE;
    if (x == p->rate + p->rates)
        p->rate[p->rates++] = (struct report_rate){.fee_kind = v[2].i, .tax_bp = v[3].i};
    x->gross = money_add(x->gross, MONEY(v[4].i));
    if (own)
        x->own = money_add(x->own, MONEY(v[4].i));
    return 0;
}

static int station_place(struct reading *x, int64_t station, uint64_t *place)
{
    if (map_get(&x->stations, (uint64_t)station, place))
        return 0;
    *place = ++x->stations_n;
    return map_put(&x->stations, (uint64_t)station, *place);
}

static int cell_find(struct reading *x, int64_t station, uint64_t party, struct report_cell **out)
{
    struct buf *cells = &x->parts->cells;
    uint64_t place, at;
    int err = station_place(x, station, &place);

    if (err == 0 && !map_get(&x->cells, place << 32 | party, &at)) {
        const struct report_cell fresh = {.station = station, .party = party};

        at = cells->n / sizeof(fresh);
        buf_put(cells, &fresh, sizeof(fresh));
        err = cells->err != 0 ? cells->err : map_put(&x->cells, place << 32 | party, at);
    }
    *out = err == 0 ? (struct report_cell *)(void *)cells->p + at : NULL;
    return err;
}

static int part_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct reading *x = ctx;
    struct report_cell *cell;
    uint64_t party;
    int err;

    (void)n;
    if (!map_get(&x->parties, (uint64_t)v[1].i, &party))
        return 0; /* of another operator, which shares in no order of this one */
    err = rate_add(x->parts, v, report_party_at(x->parts, party)->kind == PARTY_PLATFORM);
    if (err == 0)
        err = cell_find(x, v[0].i, party, &cell);
    if (err != 0)
        return err;
    if (v[4].i > 0)
        cell->shares = money_add(cell->shares, MONEY(v[4].i));
    else
        cell->back = money_sub(cell->back, MONEY(v[4].i));
    return 0;
}

/* Parties stand in the order of their ids. */
static int by_station(const void *a, const void *b)
{
    const struct report_cell *x = a, *y = b;

    if (x->station != y->station)
        return x->station < y->station ? -1 : 1;
    return (x->party > y->party) - (x->party < y->party);
}

int report_parts_read(struct request *r, int64_t from_ms, int64_t to_ms, struct report_parts *p)
{
    const struct bind of[] = {BIND_I64("from_ms", from_ms), BIND_I64("to_ms", to_ms)};
    struct reading x = {.r = r, .parts = p};
    int err;

    p->rates = 0;
    buf_init(&p->parties, CELLS_BYTES);
    buf_init(&p->cells, CELLS_BYTES);
    map_init(&x.stations, PLACES_MAX, 1);
    map_init(&x.parties, PLACES_MAX, 2);
    map_init(&x.cells, PLACES_MAX, 3);
    err = req_query(r, QUERY_REPORT_PARTIES, NULL, 0, party_take, &x);
    if (err == 0)
        err = req_query(r, QUERY_REPORT_PARTS, of, ARRAY_LEN(of), part_take, &x);
    if (err == 0 && p->cells.n > 0)
        qsort(p->cells.p, p->cells.n / sizeof(struct report_cell), sizeof(struct report_cell),
              by_station);
    map_free(&x.stations);
    map_free(&x.parties);
    map_free(&x.cells);
    return err;
}

void report_parts_tax(const struct report_parts *p, struct money *tax, struct money *own)
{
    *tax = *own = MONEY_ZERO;
    for (const struct report_rate *x = p->rate; x < p->rate + p->rates; x++) {
        *tax = money_add(*tax, tax_inclusive(x->gross, (int32_t)x->tax_bp).tax);
        *own = money_add(*own, tax_inclusive(x->own, (int32_t)x->tax_bp).tax);
    }
}

void report_parts_free(struct report_parts *p)
{
    buf_free(&p->parties);
    buf_free(&p->cells);
}
