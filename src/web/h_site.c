// SPDX-License-Identifier: Apache-2.0
/* h_site.c: the operator's settings, stations, chargers, connectors, calls to chargers, overview.
 *
 * A write takes the fields that people may set into a row and leaves the rest to the core, which
 * keeps what it owns (counters, states reported by chargers, secrets not given). Lists show what
 * the live replica knows on top of the rows. Invariant: a charger's password leaves here once, when
 * it is made; only its keyed hash is kept. Thread: the request's. */
#include "web/api_gen.h"
#include "base/err.h"
#include "base/zone.h"
#include "core/types.h"
#include "wire/ocpp16.h"
#include "wire/pilecall.h"
#include "web/routes_gen.h"
#include "web/auth.h"
#include "web/state.h"

enum { SECRET_CHARS = 24, CALL_CAP = 3999, QUOTA_LEAST = 20 };

int overview_get(struct request *r)
{
    struct api_Overview o;
    int err = req_one(r, QUERY_WEB_OVERVIEW, NULL, 0, &api_Overview_type, &o);

    return err != 0 ? err : req_json(r, &api_Overview_type, &o);
}

/* ---- the operator ---- */

int tenant_get(struct request *r)
{
    struct api_Tenant t;
    int err = req_one(r, QUERY_WEB_TENANT, NULL, 0, &api_Tenant_type, &t);

    if (err != 0)
        return err;
    req_etag(r, t.version);
    return req_json(r, &api_Tenant_type, &t);
}

static int zone_check(struct request *r, struct str name)
{
    if (web_zone_get(r->web, req_copy_c(r, name)) == NULL)
        return req_fail(r, ERR_RANGE, "/zone", "unknown time zone");
    return 0;
}

/* With fewer its own pages could not be used any more, this one among them. */
static int quota_check(struct request *r, const struct api_Tenant *in)
{
    bool ok = !in->has.quota_calls_s || in->quota_calls_s == 0 || in->quota_calls_s >= QUOTA_LEAST;

    return ok ? 0 : req_fail(r, ERR_RANGE, "/quota_calls_s", "0 = none, else 20 or more");
}

int tenant_put(struct request *r)
{
    const struct api_Tenant *in = r->in;
    struct row_tenant row = {0};
    int64_t version;
    int err;

    if (r->resumed) {
        auth_forget(r->web, 0);
        return req_made(r);
    }
    err = req_if_match(r, &version);
    if (err == 0)
        err = zone_check(r, in->zone);
    if (err == 0)
        err = quota_check(r, in);
    if (err == 0)
        err = req_table_row(r, QUERY_WEB_TENANT_ROW, ROW_TENANT, r->actor.tenant, &row);
    if (err != 0)
        return err;
    row.name = req_copy_c(r, in->name);
    row.zone = req_copy_c(r, in->zone);
    row.hold_policy = (int32_t)in->hold_policy;
    row.hold_default = in->hold_default.v;
    row.overrun_policy = (int32_t)in->overrun_policy;
    row.unknown_policy = (int32_t)in->unknown_policy;
    row.suspended_s = (int32_t)in->suspended_s;
    row.low_power_w = (int32_t)in->low_power_w;
    row.start_timeout_s = (int32_t)in->start_timeout_s;
    row.silence_s = (int32_t)in->silence_s;
    row.doubt_h = (int32_t)in->doubt_h;
    if (in->has.refund_days)
        row.refund_days = (int32_t)in->refund_days;
    if (in->has.payout_min)
        row.payout_min = in->payout_min.v;
    if (in->has.payout_fee)
        row.payout_fee = in->payout_fee.v;
    if (in->has.payout_check)
        row.payout_check = in->payout_check.v;
    if (in->has.gift_order)
        row.gift_order = (int32_t)in->gift_order;
    if (in->has.notices)
        row.notices = (int32_t)in->notices;
    if (in->has.quota_calls_s)
        row.quota_calls_s = (int32_t)in->quota_calls_s;
    if (in->has.payee_hold_h)
        row.payee_hold_h = (int32_t)in->payee_hold_h;
    row.version = (int32_t)version;
    return req_row_put(r, ROW_TENANT, &row, false, 1);
}

/* ---- stations ---- */

int stations_get(struct request *r)
{
    struct api_Station s;
    int err = req_one(r, QUERY_WEB_STATION, NULL, 0, &api_Station_type, &s);

    if (err != 0)
        return err;
    req_etag(r, s.version);
    return req_json(r, &api_Station_type, &s);
}

static int station_put(struct request *r, int64_t version)
{
    const struct api_Station *in = r->in;
    struct row_station row = {.id = r->id,
                              .tenant = r->actor.tenant,
                              .name = req_copy_c(r, in->name),
                              .address = req_copy_c(r, in->address),
                              .zone = req_copy_c(r, in->zone),
                              .lat_e7 = in->lat_e7,
                              .lng_e7 = in->lng_e7,
                              .tariff = in->tariff,
                              .contract = in->contract,
                              .seller = req_copy_c(r, in->seller),
                              .tax_bp = (int32_t)in->tax_bp,
                              .tax_service_bp = (int32_t)in->tax_service_bp,
                              .state = (int32_t)in->state,
                              .version = (int32_t)version};
    struct api_Station old = {0};
    struct bind station = BIND_I64("station", r->id);
    int64_t piles = 0;
    int err = zone_check(r, in->zone);

    if (err == 0 && version != 0 && !(in->has.occupancy && in->has.discharge_tariff))
        err = req_one(r, QUERY_WEB_STATION, NULL, 0, &api_Station_type, &old);
    row.occupancy = in->has.occupancy ? in->occupancy : old.occupancy;
    row.discharge_tariff = in->has.discharge_tariff ? in->discharge_tariff : old.discharge_tariff;
    if (err == 0 && version != 0)
        err = req_number(r, QUERY_WEB_STATION_PILES, &station, 1, &piles);
    return err != 0 ? err : req_row_put_piles(r, ROW_STATION, &row, version == 0, piles > 0, 1);
}

int stations_post(struct request *r)
{
    return r->resumed ? req_made(r) : station_put(r, 0);
}

int stations_put(struct request *r)
{
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_if_match(r, &version);
    return err != 0 ? err : station_put(r, version);
}

/* ---- chargers ---- */

static void charger_live(struct request *r, struct rows *rows)
{
    web_lock(r->web);
    for (uint32_t i = 0; i < rows->n; i++) {
        struct api_Charger *c = (struct api_Charger *)(void *)rows->p + i;

        if (replica_online(&r->web->replica, c->id))
            c->online = true;
    }
    web_unlock(r->web);
}

int chargers_list(struct request *r)
{
    struct rows rows = {.type = &api_Charger_type, .max = (uint32_t)r->limit};
    int err = req_rows(r, QUERY_WEB_CHARGERS, NULL, 0, &rows);

    if (err != 0)
        return err;
    charger_live(r, &rows);
    return req_page(r, &rows);
}

int chargers_get(struct request *r)
{
    struct rows rows = {.type = &api_Charger_type, .max = 1};
    struct bind any[] = {BIND_I64("station", 0), BIND_I64("state", -1)};
    int err = req_rows(r, QUERY_WEB_CHARGERS, any, ARRAY_LEN(any), &rows);

    if (err == 0 && rows.n == 0)
        err = ERR_NOT_FOUND;
    if (err != 0)
        return err;
    charger_live(r, &rows);
    req_etag(r, ((struct api_Charger *)(void *)rows.p)->version);
    return req_json(r, &api_Charger_type, rows.p);
}

static int charger_put(struct request *r, int64_t version)
{
    const struct api_Charger *in = r->in;
    struct row_charger row = {.id = r->id,
                              .tenant = r->actor.tenant,
                              .station = in->station,
                              .path = req_copy_c(r, in->path),
                              .protocol = (int32_t)in->protocol,
                              .name = req_copy_c(r, in->name),
                              .vendor = req_copy_c(r, in->vendor),
                              .model = req_copy_c(r, in->model),
                              .serial = req_copy_c(r, in->serial),
                              .firmware = req_copy_c(r, in->firmware),
                              .max_power_w = (int32_t)in->max_power_w,
                              .profile = in->has.profile ? (int32_t)in->profile : 0,
                              .state = (int32_t)in->state,
                              .version = (int32_t)version};

    return req_row_put(r, ROW_CHARGER, &row, version == 0, 1);
}

int chargers_post(struct request *r)
{
    return r->resumed ? req_made(r) : charger_put(r, 0);
}

int chargers_put(struct request *r)
{
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_if_match(r, &version);
    return err != 0 ? err : charger_put(r, version);
}

int chargers_secret(struct request *r)
{
    struct row_charger row = {0};
    char *secret = r->ctx, hex[65];
    int err;

    if (r->resumed) {
        struct api_Secret out = {.secret = str_from_c(secret)};

        return r->reply_err != 0 ? r->reply_err : req_json(r, &api_Secret_type, &out);
    }
    r->ctx = secret = arena_alloc(&r->arena, SECRET_CHARS + 1);
    if (secret == NULL)
        return ERR_TOO_LARGE;
    err = req_table_row(r, QUERY_WEB_CHARGER_ROW, ROW_CHARGER, r->id, &row);
    if (err != 0)
        return err;
    os_random_text(secret, SECRET_CHARS);
    auth_keyed_hex(r->web, str_from_c(secret), hex);
    row.secret_hash = hex;
    return req_row_put(r, ROW_CHARGER, &row, false, 1);
}

/* A card that charges where the pile has no network spends before anybody can say no: only one whose
 * offline limit is in its driver's wallet now may be sent to piles. */
static int cards_check(struct request *r, const struct pilecall_CardSync_req *in)
{
    for (uint32_t i = 0; i < in->cards_n; i++) {
        struct str card = in->cards[i].physical;
        char tag[17] = "0000000000000000";
        int64_t known = 0;
        size_t zeros;
        int err;

        for (size_t k = 0; k < card.n && card.n <= 16; k++)
            tag[16 - card.n + k] =
                (char)(card.p[k] >= 'A' && card.p[k] <= 'F' ? card.p[k] | 0x20 : card.p[k]);
        zeros = strspn(tag, "0") & ~(size_t)1;
        struct bind b[] = {BIND_TEXT("tag", str_from_c(tag)),
                           BIND_TEXT("short", str_from_c(tag + zeros))};
        err = req_number(r, QUERY_WEB_CARD_CREDIT, b, ARRAY_LEN(b), &known);
        if (err != 0)
            return err;
        if (known == 0)
            return req_fail(r, ERR_NO_FUNDS, "/payload",
                            arena_printf(&r->arena, "cards[%u]: no card with credit offline", i).p);
    }
    return 0;
}

/* Payloads are judged by the protocol's own table before they cost anybody anything. */
static int call_check(struct request *r, const struct api_CallIn *in, int64_t protocol)
{
    const struct wire_msg *msg;
    struct wire_error e;
    void *out;

    if (in->payload.n == 0 || in->payload.p[0] != '{')
        return req_fail(r, ERR_TYPE, "/payload", "an object");
    if (in->payload.n > CALL_CAP)
        return req_fail(r, ERR_RANGE, "/payload", "at most 3,999 bytes");
    msg = wire_msg_find(protocol == PROTOCOL_YKC ? &pilecall_proto : &ocpp16_proto, in->action);
    if (msg == NULL || !(msg->dir & WIRE_DOWN))
        return req_fail(r, ERR_RANGE, "/action", "no action of the platform in this protocol");
    out = arena_alloc(&r->arena, msg->req->size);
    if (out == NULL)
        return ERR_TOO_LARGE;
    if (wire_json_decode(msg->req, in->payload, &r->arena, out, WIRE_STRICT, &e) == 0)
        return msg->req == &pilecall_CardSync_req_type ? cards_check(r, out) : 0;
    return req_fail(r, e.err == ERR_NOT_FOUND ? ERR_RANGE : e.err, "/payload",
                    arena_printf(&r->arena, "%s: %s", e.path, e.reason).p);
}

int chargers_call(struct request *r)
{
    const struct api_CallIn *in = r->in;
    struct row_charger row = {0};
    struct cmd *cmd;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_table_row(r, QUERY_WEB_CHARGER_ROW, ROW_CHARGER, r->id, &row);
    if (err == 0)
        err = call_check(r, in, row.protocol);
    if (err != 0)
        return err;
    cmd = req_cmd(r, CMD_CALL, CMD_SIZE(call));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.call.charger = r->id;
    cmd->u.call.connector = (int32_t)in->connector;
    str_copy(cmd->u.call.action, sizeof(cmd->u.call.action), in->action);
    memcpy(cmd->u.call.payload, in->payload.p, in->payload.n);
    cmd->u.call.n = (uint32_t)in->payload.n;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

/* ---- connectors ---- */

/* Codes stand in addresses and on stickers: letters and digits only. */
static bool code_good(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '-'))
            return false;
    return true;
}

static int connector_put(struct request *r, int64_t version)
{
    const struct api_Connector *in = r->in;
    struct row_connector row = {.id = r->id,
                                .tenant = r->actor.tenant,
                                .charger = in->charger,
                                .number = (int32_t)in->number,
                                .code = req_copy_c(r, in->code),
                                .kind = (int32_t)in->kind,
                                .max_power_w = (int32_t)in->max_power_w,
                                .version = (int32_t)version};

    if (!code_good(in->code))
        return req_fail(r, ERR_RANGE, "/code", "letters, digits and hyphens");
    return req_row_put(r, ROW_CONNECTOR, &row, version == 0, 1);
}

int connectors_post(struct request *r)
{
    return r->resumed ? req_made(r) : connector_put(r, 0);
}

int connectors_put(struct request *r)
{
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_if_match(r, &version);
    return err != 0 ? err : connector_put(r, version);
}
