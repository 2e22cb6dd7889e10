// SPDX-License-Identifier: Apache-2.0
/* h_order.c: orders: start, stop, decide, and the whole story of one, gathered from its rows on one
 * snapshot, with the live figures on top. A driver sees the own orders without split, loss,
 * transfers, commands and causes.
 *
 * Invariant: whose order it is stands in the query, so a foreign id is ERR_NOT_FOUND. Thread: the
 * request's. */
#include "base/err.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/api_gen.h"
#include "web/legs.h"
#include "web/occupancy.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { SAMPLES_KEEP = 4000, ID_TIME_BITS = 20 };
#define DAY_MS INT64_C(86400000)

/* ---- lists ---- */

/* By the index that leaves the fewest to look at; what else is asked for is judged row by row. */
static enum query list_query(const struct request *r, int64_t station)
{
    int64_t state = req_arg_i64(r, "state");
    bool over = state == ORDER_SETTLED || state == ORDER_START_FAILED;

    if (req_arg_i64(r, "driver") != 0)
        return QUERY_ORDERS_OF_DRIVER;
    if (req_arg(r, "state").n > 0 && state >= 0 && !over)
        return QUERY_ORDERS_NOT_OVER;
    return station != 0 ? QUERY_ORDERS_OF_STATION : QUERY_ORDERS;
}

/* The first id of that time. Ids begin with the time at which they were made. */
static int64_t id_at(int64_t ms)
{
    int64_t most = INT64_MAX >> ID_TIME_BITS;

    return (ms < 0 ? 0 : ms < most ? ms : most) * (INT64_C(1) << ID_TIME_BITS);
}

/* A day more on both sides, for clocks that were set. */
int orders_list(struct request *r)
{
    int64_t from = req_arg_i64(r, "from"), to = req_arg_i64(r, "to");
    int64_t station = req_arg_i64(r, "station") != 0 ? req_arg_i64(r, "station") : r->actor.station;
    int64_t after = r->after[0] != 0 ? r->after[0] : INT64_MAX;
    int64_t last = to > 0 && to < INT64_MAX - DAY_MS ? id_at(to + DAY_MS) : INT64_MAX;
    const struct bind of[] = {BIND_I64("station", station),
                              BIND_I64("least", from > 0 ? id_at(from - DAY_MS) : 0),
                              BIND_I64("after", last < after ? last : after)};

    return req_query_answer(r, list_query(r, station), of, ARRAY_LEN(of));
}

/* ---- writes ---- */

static int start_send(struct request *r, int64_t connector, int64_t second, int64_t driver)
{
    const struct api_OrderIn *in = r->in;
    int64_t discharge_to = in->has.discharge_to ? in->discharge_to : 0;
    struct cmd *cmd = req_cmd(r, CMD_ORDER_START, CMD_SIZE(order_start));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.order_start.connector = connector;
    cmd->u.order_start.second = second;
    cmd->u.order_start.driver = driver;
    cmd->u.order_start.cap = in->has.cap ? in->cap.v : 0;
    cmd->u.order_start.payer_kind = driver != 0 ? PAYER_WALLET : PAYER_NONE;
    if (driver != 0 && in->has.payer)
        cmd->u.order_start.payer_kind = (int32_t)in->payer;
    if (discharge_to != 0)
        cmd->u.order_start.payer_kind = PAYER_NONE;
    cmd->u.order_start.direction = discharge_to != 0 ? -1 : 1;
    cmd->u.order_start.to_soc = (int32_t)discharge_to;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

struct code_place {
    int64_t connector, tenant;
};

static int code_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct code_place *p = ctx;

    (void)n;
    p->connector = v[0].i;
    p->tenant = v[10].i;
    return 0;
}

/* The connector of a code, of the driver's tenant. */
static int code_find(struct request *r, struct str text, const char *at, int64_t *connector)
{
    struct code_place place = {0};
    struct bind code = BIND_TEXT("code", text);
    int err = req_query(r, QUERY_WEB_CODE, &code, 1, code_take, &place);

    if (err == 0 && place.tenant != r->actor.tenant)
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return req_fail(r, err, at, "no connector has this code");
    *connector = place.connector;
    return err;
}

/* A discharge is paid for: nobody prepays it. */
static int discharge_check(struct request *r)
{
    const struct api_OrderIn *in = r->in;

    if (!in->has.discharge_to || !(in->cap.v != 0 || in->has.payer))
        return 0;
    return req_fail(r, ERR_RANGE, in->has.payer ? "/payer" : "/cap", "a discharge has none");
}

int me_order_start(struct request *r)
{
    const struct api_OrderIn *in = r->in;
    int64_t connector = 0, second = 0;
    int err;

    if (r->resumed)
        return req_made(r);
    if (!in->has.code)
        return req_fail(r, ERR_REQUIRED, "/code", "the code on the connector");
    if (in->has.driver || in->has.connector || in->has.second)
        return req_fail(r, ERR_RANGE,
                        in->has.driver      ? "/driver"
                        : in->has.connector ? "/connector"
                                            : "/second",
                        "for staff only");
    err = discharge_check(r);
    if (err != 0)
        return err;
    if (!in->has.discharge_to && (!in->has.cap || in->cap.v <= 0))
        return req_fail(r, in->has.cap ? ERR_RANGE : ERR_REQUIRED, "/cap", "more than 0");
    err = code_find(r, in->code, "/code", &connector);
    if (err == 0 && in->has.second_code)
        err = code_find(r, in->second_code, "/second_code", &second);
    return err != 0 ? err : start_send(r, connector, second, r->actor.id);
}

int orders_post(struct request *r)
{
    const struct api_OrderIn *in = r->in;

    if (r->resumed)
        return req_made(r);
    if (in->has.code || in->has.second_code)
        return req_fail(r, ERR_RANGE, in->has.code ? "/code" : "/second_code",
                        "staff name the connector");
    if (in->has.second && in->second <= 0)
        return req_fail(r, ERR_RANGE, "/second", "which one");
    if (in->connector <= 0)
        return req_fail(r, ERR_REQUIRED, "/connector", "which one");
    if (discharge_check(r) != 0)
        return ERR_RANGE;
    if (in->driver != 0 && in->cap.v <= 0 && !in->has.discharge_to)
        return req_fail(r, ERR_RANGE, "/cap", "more than 0 when a wallet pays");
    if (in->cap.v < 0)
        return req_fail(r, ERR_RANGE, "/cap", "not negative");
    return start_send(r, in->connector, in->has.second ? in->second : 0, in->driver);
}

static int stop_send(struct request *r, int64_t driver)
{
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_ORDER_STOP, CMD_SIZE(order_stop));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.order_stop.order = r->id;
    cmd->u.order_stop.driver = driver;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

static int raise_send(struct request *r, int64_t driver)
{
    const struct api_RaiseIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    cmd = req_cmd(r, CMD_ORDER_RAISE, CMD_SIZE(order_raise));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.order_raise.order = r->id;
    cmd->u.order_raise.driver = driver;
    cmd->u.order_raise.amount = in->amount.v;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int me_order_raise(struct request *r)
{
    return raise_send(r, r->actor.id);
}

int orders_raise(struct request *r)
{
    return raise_send(r, 0);
}

int me_order_stop(struct request *r)
{
    return stop_send(r, r->actor.id);
}

int orders_stop(struct request *r)
{
    return stop_send(r, 0);
}

int orders_decide(struct request *r)
{
    const struct api_DecideIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_DECIDE, CMD_SIZE(decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.decide.order = r->id;
    cmd->u.decide.accept = in->accept;
    if (REQ_TEXT(r, cmd->u.decide.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- the story ---- */

/* One list of the story: rows of a query into (pointer, count) of the struct. */
static int part_read(struct request *r, enum query q, const struct wire_type *t, void **items,
                     uint32_t *n, uint32_t max)
{
    struct rows rows = {.type = t, .max = max};
    struct bind id = BIND_I64("id", r->id);
    int err = req_rows(r, q, &id, 1, &rows);

    *items = rows.p;
    *n = rows.n;
    return err;
}

#define PART(o, q, type, member, max)                                                              \
    part_read(r, q, &api_##type##_type, (void **)&(o)->member, &(o)->member##_n, max)

static int staff_parts(struct request *r, struct api_Order *o)
{
    struct bind keys[] = {BIND_I64("charger", o->order.charger), BIND_I64("order", r->id),
                          BIND_I64("code", -1), BIND_I64("lim", 50), BIND_I64("after", INT64_MAX)};
    struct rows commands = {.type = &api_CommandRow_type, .max = 50};
    struct rows transfers = {.type = &api_TransferRow_type, .max = 50};
    int err = PART(o, QUERY_WEB_ORDER_PARTS, SplitPart, parts, 400);

    if (err == 0)
        err = req_rows(r, QUERY_WEB_ORDER_COMMANDS, keys, ARRAY_LEN(keys), &commands);
    if (err == 0)
        err = legs_transfers(r, QUERY_WEB_TRANSFERS_ORDER, keys, ARRAY_LEN(keys), &transfers);
    o->commands = (struct api_CommandRow *)(void *)commands.p;
    o->commands_n = commands.n;
    o->transfers = (struct api_TransferRow *)(void *)transfers.p;
    o->transfers_n = transfers.n;
    return err;
}

/* The orders that it is linked with, and the rule of an occupancy fee. */
static int link_parts(struct request *r, struct api_Order *o, int64_t driver)
{
    struct bind keys[] = {BIND_I64("to", o->order.linked), BIND_I64("driver", driver)};
    struct rows links = {.type = &api_OrderRow_type, .max = 8};
    int err = req_rows(r, QUERY_WEB_ORDER_LINKS, keys, ARRAY_LEN(keys), &links);

    o->links = (struct api_OrderRow *)(void *)links.p;
    o->links_n = links.n;
    for (uint32_t i = 0; driver != 0 && i < links.n; i++)
        o->links[i].loss = MONEY_ZERO;
    if (err == 0 && o->rule != 0)
        err = occupancy_rule_read(r, o->rule, &o->occupancy_rule, &o->occupancy_rule_n);
    return err;
}

static void order_live(struct request *r, struct api_Order *o)
{
    const struct live *l;

    web_lock(r->web);
    l = replica_order(&r->web->replica, r->id);
    if (l != NULL && o->order.state <= ORDER_ENDED) { /* one gun may still go on */
        o->has.live_power_w = o->has.live_energy_mwh = o->has.live_cost = o->has.live_soc_pm = true;
        o->live_power_w = l->power_w;
        o->live_energy_mwh = l->energy_mwh;
        o->live_cost = MONEY(l->cost);
        o->live_soc_pm = l->soc_pm;
    }
    web_unlock(r->web);
}

/* Staff who ask for the second gun of a parallel charge mean its order. */
static int main_of(struct request *r)
{
    int err = req_number(r, QUERY_WEB_ORDER_MAIN, NULL, 0, &r->id);

    return err == ERR_NOT_FOUND ? 0 : err;
}

/* Losses and causes are the house's own matter. */
static void driver_view(struct api_Order *o)
{
    o->order.loss = MONEY_ZERO;
    o->cause = STR_LIT("");
    for (uint32_t i = 0; i < o->events_n; i++)
        o->events[i].cause = STR_LIT("");
}

static int story(struct request *r, int64_t driver)
{
    struct api_Order *o = ARENA_NEW(&r->arena, struct api_Order);
    struct bind key = BIND_I64("driver", driver);
    int err;

    if (o == NULL)
        return ERR_TOO_LARGE;
    err = driver == 0 ? main_of(r) : 0;
    if (err == 0)
        err = req_one(r, QUERY_WEB_ORDER_MORE, NULL, 0, &api_Order_type, o);
    if (err == 0)
        err = req_one(r, QUERY_WEB_ORDER, &key, 1, &api_OrderRow_type, &o->order);
    if (err == 0)
        err = PART(o, QUERY_WEB_ORDER_LINES, FeeLine, lines, 400);
    if (err == 0)
        err = PART(o, QUERY_WEB_ORDER_SESSIONS, SessionRow, sessions, 8);
    if (err == 0)
        err = PART(o, QUERY_WEB_ORDER_EVENTS, OrderEvent, events, 400);
    if (err == 0)
        err = PART(o, QUERY_WEB_ORDER_HOLDS, HoldRow, holds, 16);
    if (err == 0)
        err = link_parts(r, o, driver);
    if (err == 0 && driver == 0)
        err = staff_parts(r, o);
    if (err != 0)
        return err;
    if (driver != 0)
        driver_view(o);
    o->now_ms = os_now_ms();
    order_live(r, o);
    return req_json(r, &api_Order_type, o);
}

int orders_get(struct request *r)
{
    return story(r, 0);
}

int me_order_get(struct request *r)
{
    return story(r, r->actor.id);
}

/* ---- the curve ---- */

struct curve {
    struct request *r;
    struct rows rows;
    uint32_t stride, seen;
    int64_t gun; /* whose samples come */
};

/* Keeps every stride-th; a full array is thinned to every second, so the curve keeps its shape. */
static int sample_take(void *ctx, int64_t at_ms, const struct core_sample *s)
{
    struct curve *c = ctx;
    struct api_SampleRow *row = (struct api_SampleRow *)(void *)c->rows.p;

    if (c->seen++ % c->stride != 0)
        return 0;
    if (c->rows.n == SAMPLES_KEEP) {
        for (uint32_t i = 0; i < SAMPLES_KEEP / 2; i++)
            row[i] = row[2 * i];
        c->rows.n /= 2;
        c->stride *= 2;
    }
    row = rows_add(c->r, &c->rows);
    if (row == NULL)
        return ERR_TOO_LARGE;
    *row = (struct api_SampleRow){
        .at_ms = at_ms,
        .energy_mwh = s->energy_mwh == SAMPLE_NONE ? 0 : s->energy_mwh,
        .power_w = s->power_w == SAMPLE_NONE ? 0 : s->power_w,
        .soc_pm = s->soc_pm == SAMPLE_NONE32 ? -1 : s->soc_pm,
        .voltage_mv = s->voltage_mv == SAMPLE_NONE32 ? 0 : s->voltage_mv,
        .current_ma = s->current_ma == SAMPLE_NONE32 ? 0 : s->current_ma,
        .gun = c->gun,
    };
    return 0;
}

int orders_samples(struct request *r)
{
    struct curve c = {.r = r, .rows = {.type = &api_SampleRow_type}, .stride = 1};
    struct rows sessions = {.type = &api_SessionRow_type};
    struct bind key = BIND_I64("driver", 0);
    struct api_OrderRow order;
    int err = main_of(r);

    if (err == 0)
        err = req_one(r, QUERY_WEB_ORDER, &key, 1, &api_OrderRow_type, &order);

    if (err == 0)
        err = req_rows(r, QUERY_WEB_ORDER_SESSIONS, NULL, 0, &sessions);
    req_snapshot_end(r);
    for (uint32_t i = 0; err == 0 && i < sessions.n; i++) {
        const struct api_SessionRow *s = (const struct api_SessionRow *)(void *)sessions.p + i;

        c.gun = s->connector_number;
        err = store_samples(r->reader, s->id, sample_take, &c);
    }
    return err != 0 ? err : req_page(r, &c.rows);
}
