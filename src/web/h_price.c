// SPDX-License-Identifier: Apache-2.0
/* h_price.c: tariffs, and what a driver sees who scans a code: the place, the price
 * now, when it changes.
 *
 * Prices come from the same pure functions (core/tariff.h) as the bill, so page and bill agree.
 * Versions are only ever added. Invariant: an unknown, disabled or foreign code is ERR_NOT_FOUND
 * alike. Thread: the request's. */
#include <qrencode.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/zone.h"
#include "core/tariff.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/api_gen.h"
#include "web/occupancy.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { QR_QUIET = 4 }; /* white modules around, as readers expect */

/* ---- tariffs ---- */

struct tariff_rows {
    struct request *r;
    struct row_tariff row;
    struct row_tariff_day day[TARIFF_DAYS_MAX];
    struct row_tariff_slice slice[TARIFF_SLICES_MAX];
    size_t days, slices;
};

static int tariff_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct tariff_rows *t = ctx;

    (void)n;
    t->row = (struct row_tariff){.id = v[0].i,
                                 .tenant = v[1].i,
                                 .family = v[2].i,
                                 .name = req_copy_c(t->r, v[3].s),
                                 .from_ms = v[4].i,
                                 .created_ms = v[5].i};
    return 0;
}

static int day_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct tariff_rows *t = ctx;

    (void)n;
    if (t->days == TARIFF_DAYS_MAX)
        return ERR_TOO_LARGE;
    t->day[t->days++] = (struct row_tariff_day){.tariff = v[0].i,
                                                .seq = (int32_t)v[1].i,
                                                .first_mmdd = (int32_t)v[2].i,
                                                .last_mmdd = (int32_t)v[3].i,
                                                .weekdays = (int32_t)v[4].i,
                                                .plan = (int32_t)v[5].i};
    return 0;
}

static int slice_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct tariff_rows *t = ctx;

    (void)n;
    if (t->slices == TARIFF_SLICES_MAX)
        return ERR_TOO_LARGE;
    t->slice[t->slices++] = (struct row_tariff_slice){.tariff = v[0].i,
                                                      .plan = (int32_t)v[1].i,
                                                      .from_min = (int32_t)v[2].i,
                                                      .label = req_copy_c(t->r, v[3].s),
                                                      .elec_e5 = v[4].i,
                                                      .service_e5 = v[5].i};
    return 0;
}

/* The rows of one version: by its id, or the one in force of a family. */
static int tariff_load(struct request *r, int64_t id, int64_t family, struct tariff_rows **out)
{
    struct tariff_rows *t = ARENA_NEW(&r->arena, struct tariff_rows);
    struct bind key = family != 0 ? BIND_I64("family", family) : BIND_I64("id", id);
    int err;

    *out = t;
    if (t == NULL)
        return ERR_TOO_LARGE;
    t->r = r;
    err = req_query(r, family != 0 ? QUERY_WEB_TARIFF_NOW : QUERY_WEB_TARIFF, &key, 1, tariff_take,
                    t);
    key = BIND_I64("id", t->row.id);
    if (err == 0)
        err = req_query(r, QUERY_WEB_TARIFF_DAYS, &key, 1, day_take, t);
    if (err == 0)
        err = req_query(r, QUERY_WEB_TARIFF_SLICES, &key, 1, slice_take, t);
    return err;
}

int tariffs_get(struct request *r)
{
    struct tariff_rows *t;
    struct api_Tariff *out = ARENA_NEW(&r->arena, struct api_Tariff);
    int err = tariff_load(r, r->id, 0, &t);

    if (err != 0)
        return err;
    if (out == NULL || (out->days = arena_array(&r->arena, t->days, sizeof(*out->days))) == NULL ||
        (out->slices = arena_array(&r->arena, t->slices, sizeof(*out->slices))) == NULL)
        return ERR_TOO_LARGE;
    out->id = t->row.id;
    out->family = t->row.family;
    out->has.id = out->has.family = true;
    out->name = str_from_c(t->row.name);
    out->from_ms = t->row.from_ms;
    for (; out->days_n < t->days; out->days_n++) {
        const struct row_tariff_day *d = &t->day[out->days_n];

        out->days[out->days_n] = (struct api_TariffDay){.first_mmdd = d->first_mmdd,
                                                        .last_mmdd = d->last_mmdd,
                                                        .weekdays = d->weekdays,
                                                        .plan = d->plan};
    }
    for (; out->slices_n < t->slices; out->slices_n++) {
        const struct row_tariff_slice *s = &t->slice[out->slices_n];

        out->slices[out->slices_n] = (struct api_TariffSlice){.plan = s->plan,
                                                              .from_min = s->from_min,
                                                              .label = str_from_c(s->label),
                                                              .elec_e5 = s->elec_e5,
                                                              .service_e5 = s->service_e5};
    }
    return req_json(r, &api_Tariff_type, out);
}

int tariffs_post(struct request *r)
{
    const struct api_Tariff *in = r->in;
    struct bind family = BIND_I64("family", in->family);
    struct cmd_tariff_put *t;
    struct cmd *cmd;
    int64_t piles = 0;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_number(r, QUERY_WEB_FAMILY_PILES, &family, 1, &piles);
    if (err != 0)
        return err;
    cmd = req_cmd(r, CMD_TARIFF_PUT, CMD_SIZE(tariff_put));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    t = &cmd->u.tariff_put;
    t->family = in->family;
    t->on_piles = piles > 0;
    t->from_ms = in->from_ms;
    if (REQ_TEXT(r, t->name, in->name, "/name") != 0)
        return ERR_RANGE;
    t->days = (int32_t)in->days_n;
    for (uint32_t i = 0; i < in->days_n; i++)
        t->day[i] =
            (struct tariff_day_in){(int32_t)in->days[i].first_mmdd, (int32_t)in->days[i].last_mmdd,
                                   (int32_t)in->days[i].weekdays, (int32_t)in->days[i].plan};
    t->slices = (int32_t)in->slices_n;
    for (uint32_t i = 0; i < in->slices_n; i++) {
        const struct api_TariffSlice *s = &in->slices[i];

        t->slice[i].plan = (int32_t)s->plan;
        t->slice[i].from_min = (int32_t)s->from_min;
        t->slice[i].elec_e5 = s->elec_e5;
        t->slice[i].service_e5 = s->service_e5;
        if (str_copy(t->slice[i].label, sizeof(t->slice[i].label), s->label) < s->label.n)
            return req_fail(r, ERR_RANGE, arena_printf(&r->arena, "/slices/%u/label", i).p,
                            "at most 16 bytes");
    }
    return req_submit(r, cmd, 1);
}

/* ---- what a code stands for ---- */

struct place {
    struct request *r;
    struct api_ConnectorPublic *out;
    int64_t tenant, family, occupancy, buys;
    char zone[41];
};

static int place_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct place *p = ctx;
    struct api_ConnectorPublic *o = p->out;

    (void)n;
    o->id = v[0].i;
    o->code = req_copy(p->r, v[1].s);
    o->station_name = req_copy(p->r, v[2].s);
    o->address = req_copy(p->r, v[3].s);
    o->charger_name = req_copy(p->r, v[4].s);
    o->number = v[5].i;
    o->kind = v[6].i;
    o->max_power_w = v[7].i;
    o->status = v[8].i;
    o->currency = req_copy(p->r, v[9].s);
    o->tenant = p->tenant = v[10].i;
    str_copy(p->zone, sizeof(p->zone), v[11].s);
    o->zone = req_copy(p->r, v[11].s);
    p->family = v[12].i;
    p->occupancy = v[15].i;
    o->pairs = v[16].i;
    p->buys = v[17].i;
    return v[13].i == CHARGER_ACTIVE && v[14].i == ROW_ACTIVE ? 0 : ERR_NOT_FOUND;
}

/* Today's slices: the price at each start, walking the local day. */
static int day_slices(struct request *r, struct rows *rows, const struct tariff *t,
                      const struct zone *zone, int64_t now)
{
    struct civil c;
    int64_t at, end;

    zone_civil(zone, now, &c);
    c.hour = c.minute = c.second = 0;
    c.ms = 0;
    at = zone_instant(zone, &c);
    end = zone_next_midnight(zone, at);
    while (at < end && rows->n < TARIFF_PLAN_SLICES) {
        struct api_PriceSlice *s = rows_add(r, rows);
        struct tariff_price price;

        if (s == NULL)
            return ERR_TOO_LARGE;
        zone_civil(zone, at, &c);
        tariff_price_at(t, zone, at, &price);
        *s = (struct api_PriceSlice){c.hour * 60 + c.minute, str_from_c(price.label), price.elec_e5,
                                     price.service_e5};
        at = price.end_ms > at ? price.end_ms : end;
    }
    return 0;
}

/* The tariff that a family has now; ERR_NOT_FOUND. */
static int place_tariff(struct request *r, int64_t family, struct tariff **t)
{
    struct tariff_rows *rows;
    int err = family != 0 ? tariff_load(r, 0, family, &rows) : ERR_NOT_FOUND;

    return err != 0 ? err
                    : tariff_build(&r->arena, &rows->row, rows->day, rows->days, rows->slice,
                                   rows->slices, t);
}

static int place_buys(struct request *r, const struct place *p)
{
    struct rows rows = {.type = &api_PriceSlice_type};
    struct tariff *t;
    int err = place_tariff(r, p->buys, &t);

    if (err != 0)
        return err == ERR_NOT_FOUND ? 0 : err;
    err = day_slices(r, &rows, t, web_zone_get(r->web, p->zone), os_now_ms());
    p->out->discharge = (struct api_PriceSlice *)(void *)rows.p;
    p->out->discharge_n = rows.n;
    return err;
}

static int place_price(struct request *r, const struct place *p)
{
    struct api_ConnectorPublic *o = p->out;
    const struct zone *zone = web_zone_get(r->web, p->zone);
    struct rows rows = {.type = &api_PriceSlice_type};
    int64_t now = os_now_ms();
    struct tariff_price price;
    struct tariff *t;
    int err = place_tariff(r, p->family, &t);

    o->label = STR_LIT("");
    if (err != 0)
        return err == ERR_NOT_FOUND ? 0 : err; /* no price yet: the core refuses the start */
    tariff_price_at(t, zone, now, &price);
    o->elec_e5 = price.elec_e5;
    o->service_e5 = price.service_e5;
    o->label = str_from_c(price.label);
    o->until_ms = price.end_ms;
    err = day_slices(r, &rows, t, zone, now);
    o->slices = (struct api_PriceSlice *)(void *)rows.p;
    o->slices_n = rows.n;
    return err;
}

int codes_get(struct request *r)
{
    struct place p = {.r = r, .out = ARENA_NEW(&r->arena, struct api_ConnectorPublic)};
    struct bind code = BIND_TEXT("code", r->param);
    const struct live *l;
    int err;

    if (p.out == NULL)
        return ERR_TOO_LARGE;
    err = req_query(r, QUERY_WEB_CODE, &code, 1, place_take, &p);
    /* Anybody may scan, also a driver of another operator: the page then offers to become one of
     * this one. */
    if (err == 0 && r->actor.kind != ACTOR_NONE && r->actor.kind != ACTOR_DRIVER &&
        r->actor.tenant != p.tenant)
        err = ERR_NOT_FOUND;
    if (err == 0)
        err = place_price(r, &p);
    if (err == 0)
        err = place_buys(r, &p);
    if (err == 0 && p.occupancy != 0)
        err = occupancy_rule_now(r, p.occupancy, p.tenant, &p.out->occupancy, &p.out->occupancy_n);
    if (err != 0)
        return err;
    web_lock(r->web);
    l = replica_connector(&r->web->replica, p.out->id);
    if (l != NULL && l->status_known)
        p.out->status = l->status;
    web_unlock(r->web);
    return req_json(r, &api_ConnectorPublic_type, p.out);
}

/* ---- QR code ---- */

static void qr_write(struct buf *out, const QRcode *qr)
{
    int size = qr->width + 2 * QR_QUIET;

    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
               "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"",
               size, size, size, size);
    for (int y = 0; y < qr->width; y++)
        for (int x = 0; x < qr->width; x++)
            if (qr->data[y * qr->width + x] & 1)
                buf_printf(out, "M%d %dh1v1h-1z", x + QR_QUIET, y + QR_QUIET);
    buf_put_c(out, "\"/></svg>");
}

int connectors_qr(struct request *r)
{
    const char *host = req_header(r, "Host"), *base = r->web->cfg.base_url;
    struct row_connector row = {0};
    struct str link;
    QRcode *qr;
    int err = req_table_row(r, QUERY_WEB_CONNECTOR_ROW, ROW_CONNECTOR, r->id, &row);

    if (err != 0)
        return err;
    if (base != NULL)
        link = arena_printf(&r->arena, "%s/c/%s", base, row.code);
    else
        link = arena_printf(&r->arena, "%s://%s/c/%s", r->https ? "https" : "http",
                            host != NULL ? host : "localhost", row.code);
    if (link.n == 0)
        return ERR_TOO_LARGE;
    qr = QRcode_encodeString(link.p, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (qr == NULL)
        return ERR_NOMEM;
    qr_write(&r->out, qr);
    QRcode_free(qr);
    return 0;
}
