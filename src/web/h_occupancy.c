// SPDX-License-Identifier: Apache-2.0
/* h_occupancy.c: rules of occupancy fees: versions made and read, and the waiver of a fee.
 *
 * Versions are only ever added; what one may say is the core's to judge. Invariant: of another
 * tenant's rule nothing is told but where its code is scanned. Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/occupancy.h"
#include "web/routes_gen.h"

static int rule_fill(struct request *r, int64_t id, int64_t tenant, struct api_OccupancyRule *o)
{
    struct bind keys[] = {BIND_I64("id", id), BIND_I64("tenant", tenant)};
    struct rows windows = {.type = &api_OccupancyWindow_type, .max = OCCUPANCY_WINDOWS_MAX};
    int err =
        req_one(r, QUERY_WEB_OCCUPANCY_RULE, keys, ARRAY_LEN(keys), &api_OccupancyRule_type, o);

    if (err == 0)
        err = req_rows(r, QUERY_WEB_OCCUPANCY_WINDOWS, keys, 1, &windows);
    o->windows = (struct api_OccupancyWindow *)(void *)windows.p;
    o->windows_n = windows.n;
    return err;
}

static int rule_read(struct request *r, int64_t id, int64_t tenant, struct api_OccupancyRule **out,
                     uint32_t *n)
{
    int err;

    *n = 0;
    *out = ARENA_NEW(&r->arena, struct api_OccupancyRule);
    if (*out == NULL)
        return ERR_TOO_LARGE;
    err = rule_fill(r, id, tenant, *out);
    *n = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

int occupancy_rule_read(struct request *r, int64_t id, struct api_OccupancyRule **out, uint32_t *n)
{
    return rule_read(r, id, r->actor.tenant, out, n);
}

int occupancy_rule_now(struct request *r, int64_t family, int64_t tenant,
                       struct api_OccupancyRule **out, uint32_t *n)
{
    struct bind keys[] = {BIND_I64("family", family), BIND_I64("now_ms", os_now_ms())};
    int64_t id = 0;
    int err = req_number(r, QUERY_WEB_OCCUPANCY_NOW, keys, ARRAY_LEN(keys), &id);

    *n = 0;
    if (err == ERR_NOT_FOUND || (err == 0 && id == 0))
        return 0; /* a rule that begins later */
    return err != 0 ? err : rule_read(r, id, tenant, out, n);
}

int occupancy_get(struct request *r)
{
    struct api_OccupancyRule *o = ARENA_NEW(&r->arena, struct api_OccupancyRule);
    int err = o != NULL ? rule_fill(r, r->id, r->actor.tenant, o) : ERR_TOO_LARGE;

    if (err != 0)
        return err;
    o->has.id = o->has.family = true;
    return req_json(r, &api_OccupancyRule_type, o);
}

int occupancy_post(struct request *r)
{
    const struct api_OccupancyRule *in = r->in;
    struct cmd_occupancy_put *o;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_OCCUPANCY_PUT, CMD_SIZE(occupancy_put));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    o = &cmd->u.occupancy_put;
    o->family = in->family;
    o->from_ms = in->from_ms;
    if (REQ_TEXT(r, o->name, in->name, "/name") != 0)
        return ERR_RANGE;
    o->free_min = (int32_t)in->free_min;
    o->cap_order = in->cap_order.v;
    o->cap_day = in->cap_day.v;
    o->kinds = (int32_t)in->kinds;
    o->exempt = (int32_t)in->exempt;
    o->pay = (int32_t)in->pay;
    o->hold = in->hold;
    o->bay = in->bay;
    o->near_min = (int32_t)in->near_min;
    o->every_min = (int32_t)in->every_min;
    o->n = (int32_t)in->windows_n;
    for (uint32_t i = 0; i < in->windows_n; i++)
        o->window[i] =
            (struct occupancy_window_in){(int32_t)in->windows[i].from_min,
                                         (int32_t)in->windows[i].to_min, in->windows[i].price.v};
    return req_submit(r, cmd, 1);
}

int orders_waive(struct request *r)
{
    const struct api_WaiveIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_ORDER_WAIVE, CMD_SIZE(order_waive));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.order_waive.order = r->id;
    if (REQ_TEXT(r, cmd->u.order_waive.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}
