// SPDX-License-Identifier: Apache-2.0
/* h_wall.c: the wall of connectors: each with what it does now, and, for operators with more of
 * them than a page can show, their counts by station and in all.
 *
 * A connector's figures are its row's, with what the live replica knows over them. Counts are of
 * the rows, which were durable before any event told of them; power is the replica's alone: after a
 * start it is 0 until the meters speak.
 *
 * Invariant: an answer is bounded: who may see more than WALL_MOST connectors is refused all of
 * them at once, before they were turned into text, and told to ask by station.
 *
 * Thread: the request's; the replica under the web's guard. */
#include "base/err.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { WALL_MOST = 10000 };

static void connector_live(const struct web *w, struct api_ConnectorRow *c)
{
    const struct live *l = replica_connector(&w->replica, c->id);

    if (l == NULL)
        return;
    if (l->status_known)
        c->status = l->status;
    if (l->order == 0)
        return;
    c->order_id = l->order;
    c->power_w = l->power_w;
    c->energy_mwh = l->energy_mwh > 0 ? l->energy_mwh : c->energy_mwh;
    c->soc_pm = l->soc_pm > 0 ? l->soc_pm : c->soc_pm;
    c->cost = MONEY(l->cost);
    c->cap = l->cap > 0 ? MONEY(l->cap) : c->cap;
}

int connectors_list(struct request *r)
{
    const struct bind most = {"lim", SQL_I64(WALL_MOST + 1)};
    struct rows rows = {.type = &api_ConnectorRow_type, .max = WALL_MOST};
    int err = req_rows(r, QUERY_WEB_WALL, &most, 1, &rows);

    if (err == ERR_TOO_LARGE || (err == 0 && rows.more))
        return req_fail(r, ERR_TOO_LARGE, "?station", "too many connectors: ask for one station");
    if (err != 0)
        return err;
    web_lock(r->web);
    for (uint32_t i = 0; i < rows.n; i++)
        connector_live(r->web, (struct api_ConnectorRow *)(void *)rows.p + i);
    web_unlock(r->web);
    return req_page(r, &rows);
}

/* The row of a station in a page whose ids fall. */
static struct api_WallStation *station_find(const struct rows *rows, int64_t id)
{
    struct api_WallStation *at = (struct api_WallStation *)(void *)rows->p;
    uint32_t lo = 0, hi = rows->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (at[mid].id == id)
            return &at[mid];
        if (at[mid].id > id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* Adds the live power of what one may see: to the stations of a page, or to a total. */
static void power_add(struct request *r, const struct rows *rows, struct api_WallTotal *total)
{
    const struct replica *p = &r->web->replica;

    web_lock(r->web);
    for (uint32_t i = 0; i < p->lives.len; i++) {
        const struct live *l = slab_at(&p->lives, i);
        struct api_WallStation *s;

        if (l == NULL || l->order == 0 || l->power_w == 0 || l->tenant != r->actor.tenant ||
            (r->actor.station != 0 && l->station != r->actor.station))
            continue;
        if (total != NULL)
            total->power_w += l->power_w;
        s = rows != NULL ? station_find(rows, l->station) : NULL;
        if (s != NULL)
            s->power_w += l->power_w;
    }
    web_unlock(r->web);
}

int wall_stations(struct request *r)
{
    struct rows rows = {.type = &api_WallStation_type, .max = r->limit};
    int err = req_rows(r, QUERY_WALL_STATIONS, NULL, 0, &rows);

    if (err != 0)
        return err;
    power_add(r, &rows, NULL);
    return req_page(r, &rows);
}

int wall_total(struct request *r)
{
    struct api_WallTotal t;
    int err = req_one(r, QUERY_WALL_TOTAL, NULL, 0, &api_WallTotal_type, &t);

    if (err != 0)
        return err;
    power_add(r, NULL, &t);
    return req_json(r, &api_WallTotal_type, &t);
}
