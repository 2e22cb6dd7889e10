// SPDX-License-Identifier: Apache-2.0
/* ocpp_peer.c: see ocpp_peer.h. One call at a time; calls of the platform are answered at once, all
 * 19 of them. Owns nothing: state is in the peer, memory in the arena and buffers of the simulator.
 * What it cannot read it counts and answers with a CALLERROR, as a charger would. */
#include "sim/ocpp_peer.h"

#include "base/err.h"
#include "wire/json.h"
#include "wire/ocpp16.h"

#include <stdio.h>

enum { CALL_MS = 30000, BEAT_MS = 300000, VOLT_AC = 230 };

/* ---- calls of ours ---- */

static void begin_call(struct sim *s, struct peer *p, const char *action, enum peer_call call)
{
    p->call = (uint8_t)call;
    p->call_id++;
    p->retry_ms = s->now_ms + peer_real_ms(s, CALL_MS);
    buf_reset(&s->out);
    buf_printf(&s->out, "[2,\"%u\",\"%s\",", p->call_id, action);
}

static void end_call(struct sim *s, struct peer *p, const struct wire_type *type, const void *req)
{
    if (wire_json_encode(type, req, &s->out)) {
        s->stats.errors++; /* cannot be told, so it is forgotten */
        if (p->call == CALL_EVENT)
            model_pop(&p->model);
        p->call = CALL_NONE;
        return;
    }
    buf_put_char(&s->out, ']');
    peer_send(s, p);
}

static void send_boot(struct sim *s, struct peer *p)
{
    const struct model_traits *t = &p->model.traits;
    struct ocpp16_BootNotification_req req = {
        .chargePointVendor = STR_LIT("EVen"),
        .chargePointModel = t->dc ? STR_LIT("Sim DC") : STR_LIT("Sim AC"),
        .chargePointSerialNumber = str_from_c(p->id),
        .firmwareVersion = STR_LIT("1.0"),
        .has = {.chargePointSerialNumber = true, .firmwareVersion = true},
    };
    begin_call(s, p, "BootNotification", CALL_BOOT);
    end_call(s, p, &ocpp16_BootNotification_req_type, &req);
}

static void send_heartbeat(struct sim *s, struct peer *p)
{
    struct ocpp16_Heartbeat_req req = {0};
    p->beat_ms = s->now_ms + p->beat_every_ms;
    begin_call(s, p, "Heartbeat", CALL_HEARTBEAT);
    end_call(s, p, &ocpp16_Heartbeat_req_type, &req);
}

static enum ocpp16_ChargePointStatus status_of(uint8_t state)
{
    switch ((enum model_gun_state)state) {
    case GUN_FREE:
        return ocpp16_ChargePointStatus_Available;
    case GUN_PLUGGED:
    case GUN_ASKING:
    case GUN_STARTING:
        return ocpp16_ChargePointStatus_Preparing;
    case GUN_CHARGING:
        return ocpp16_ChargePointStatus_Charging;
    case GUN_SUSPENDED:
        return ocpp16_ChargePointStatus_SuspendedEV;
    case GUN_FINISHED:
        return ocpp16_ChargePointStatus_Finishing;
    case GUN_FAULTED:
        return ocpp16_ChargePointStatus_Faulted;
    case GUN_DISABLED:
        break;
    }
    return ocpp16_ChargePointStatus_Unavailable;
}

static void send_status(struct sim *s, struct peer *p, const struct model_event *e)
{
    struct ocpp16_StatusNotification_req req = {
        .connectorId = e->gun + 1,
        .errorCode = e->state == GUN_FAULTED ? ocpp16_ChargePointErrorCode_PowerSwitchFailure
                                             : ocpp16_ChargePointErrorCode_NoError,
        .status = status_of(e->state),
        .timestamp = e->time_ms,
        .has = {.timestamp = true},
    };
    begin_call(s, p, "StatusNotification", CALL_EVENT);
    end_call(s, p, &ocpp16_StatusNotification_req_type, &req);
}

static void send_authorize(struct sim *s, struct peer *p, const struct model_event *e)
{
    struct ocpp16_Authorize_req req = {.idTag = str_from_c(p->model.guns[e->gun].id)};
    begin_call(s, p, "Authorize", CALL_EVENT);
    end_call(s, p, &ocpp16_Authorize_req_type, &req);
}

static void send_start(struct sim *s, struct peer *p, const struct model_event *e)
{
    struct ocpp16_StartTransaction_req req = {
        .connectorId = e->gun + 1,
        .idTag = str_from_c(p->model.guns[e->gun].id),
        .meterStart = e->meter_mwh / 1000,
        .timestamp = e->time_ms,
    };
    begin_call(s, p, "StartTransaction", CALL_EVENT);
    end_call(s, p, &ocpp16_StartTransaction_req_type, &req);
}

static struct str number(struct sim *s, int64_t v, int scale)
{
    char text[48];
    struct buf b;
    buf_init(&b, sizeof text);
    buf_put_decimal(&b, v, scale, 0);
    char *copy = arena_copy(&s->arena, buf_str(&b));
    size_t n = b.n;
    buf_free(&b);
    return copy ? str_from(copy, n) : STR_LIT("0");
}

static struct ocpp16_SampledValue value(struct str text, enum ocpp16_ReadingContext context,
                                        enum ocpp16_Measurand measurand,
                                        enum ocpp16_UnitOfMeasure unit)
{
    return (struct ocpp16_SampledValue){
        .value = text,
        .context = context,
        .measurand = measurand,
        .unit = unit,
        .has = {.context = true, .measurand = true, .unit = true},
    };
}

static void send_meter(struct sim *s, struct peer *p, const struct model_event *e)
{
    const struct model_gun *g = &p->model.guns[e->gun];
    const bool dc = p->model.traits.dc;
    enum ocpp16_ReadingContext context =
        e->triggered ? ocpp16_ReadingContext_Trigger : ocpp16_ReadingContext_Sample_Periodic;
    int64_t volt = dc ? 360 + e->soc_pm * 60 / 1000 : VOLT_AC;
    struct ocpp16_SampledValue v[5] = {
        value(number(s, e->meter_mwh / 1000, 0), context,
              ocpp16_Measurand_Energy_Active_Import_Register, ocpp16_UnitOfMeasure_Wh),
        value(number(s, e->power_w, 0), context, ocpp16_Measurand_Power_Active_Import,
              ocpp16_UnitOfMeasure_W),
        value(number(s, volt, 0), context, ocpp16_Measurand_Voltage, ocpp16_UnitOfMeasure_V),
        value(number(s, e->power_w * INT64_C(10) / volt, 1), context,
              ocpp16_Measurand_Current_Import, ocpp16_UnitOfMeasure_A),
        value(number(s, e->soc_pm / 10, 0), context, ocpp16_Measurand_SoC,
              ocpp16_UnitOfMeasure_Percent),
    };
    struct ocpp16_MeterValue m = {
        .timestamp = e->time_ms, .sampledValue = v, .sampledValue_n = dc ? 5 : 4};
    bool of_tx = e->state == GUN_CHARGING || e->state == GUN_SUSPENDED;
    struct ocpp16_MeterValues_req req = {
        .connectorId = e->gun + 1,
        .transactionId = g->tx,
        .meterValue = &m,
        .meterValue_n = 1,
        .has = {.transactionId = of_tx},
    };
    begin_call(s, p, "MeterValues", CALL_EVENT);
    end_call(s, p, &ocpp16_MeterValues_req_type, &req);
}

static enum ocpp16_Reason reason_of(uint8_t reason)
{
    switch ((enum model_reason)reason) {
    case STOPPED_REMOTE:
        return ocpp16_Reason_Remote;
    case STOPPED_UNPLUGGED:
        return ocpp16_Reason_EVDisconnected;
    case STOPPED_REFUSED:
        return ocpp16_Reason_DeAuthorized;
    case STOPPED_RESET:
        return ocpp16_Reason_SoftReset;
    case STOPPED_UNLOCKED:
        return ocpp16_Reason_UnlockCommand;
    case STOPPED_FAULT:
        return ocpp16_Reason_Other;
    case STOPPED_LOCAL:
    case STOPPED_BALANCE:
    case STOPPED_FULL:
    case STOPPED_TURNED: /* these two are 云快充's */
    case STOPPED_FLOOR:
        break;
    }
    return ocpp16_Reason_Local;
}

static void send_stop(struct sim *s, struct peer *p, const struct model_event *e)
{
    const struct model_gun *g = &p->model.guns[e->gun];
    struct ocpp16_StopTransaction_req req = {
        .idTag = str_from_c(g->id),
        .meterStop = e->meter_mwh / 1000,
        .timestamp = e->time_ms,
        .transactionId = g->tx,
        .reason = reason_of(e->reason),
        .has = {.idTag = true, .reason = true},
    };
    begin_call(s, p, "StopTransaction", CALL_EVENT);
    end_call(s, p, &ocpp16_StopTransaction_req_type, &req);
}

static void send_event(struct sim *s, struct peer *p, const struct model_event *e)
{
    switch ((enum model_event_type)e->type) {
    case MODEL_EVENT_STATUS:
        send_status(s, p, e);
        break;
    case MODEL_EVENT_AUTHORIZE:
        send_authorize(s, p, e);
        break;
    case MODEL_EVENT_START:
        send_start(s, p, e);
        break;
    case MODEL_EVENT_METER:
        send_meter(s, p, e);
        break;
    case MODEL_EVENT_STOP:
        send_stop(s, p, e);
        break;
    }
}

void ocpp_peer_open(struct sim *s, struct peer *p)
{
    p->call = CALL_NONE;
    p->beat_ms = s->now_ms + p->beat_every_ms;
}

void ocpp_peer_pump(struct sim *s, struct peer *p)
{
    if (p->call && s->now_ms >= p->retry_ms)
        p->call = CALL_NONE; /* no answer came: say it again */
    if (!p->open || p->call || s->now_ms < p->idle_ms)
        return;
    const struct model_event *e = model_head(&p->model);
    if (p->model.boot_due || !p->booted)
        send_boot(s, p);
    else if (e)
        send_event(s, p, e);
    else if (s->now_ms >= p->beat_ms)
        send_heartbeat(s, p);
}

int64_t ocpp_peer_next_ms(const struct peer *p)
{
    if (!p->open)
        return PEER_NEVER;
    int64_t next = p->call ? p->retry_ms : p->beat_ms;
    return next > p->idle_ms ? next : p->idle_ms;
}

/* ---- answers to ours ---- */

static void boot_answered(struct sim *s, struct peer *p, struct str payload)
{
    struct ocpp16_BootNotification_res res;
    if (wire_json_decode(&ocpp16_BootNotification_res_type, payload, &s->arena, &res, WIRE_LENIENT,
                         NULL)) {
        s->stats.errors++;
        p->idle_ms = s->now_ms + 10000;
        return;
    }
    int64_t every_ms = res.interval > 0 && res.interval < 86400 ? res.interval * 1000 : BEAT_MS;
    if (res.status != ocpp16_RegistrationStatus_Accepted) {
        p->idle_ms = s->now_ms + every_ms;
        return;
    }
    p->booted = true;
    p->model.boot_due = false;
    p->beat_every_ms = (int32_t)every_ms;
    p->beat_ms = s->now_ms + every_ms;
    model_set_clock(&p->model, res.currentTime, s->now_ms);
}

static void start_answered(struct sim *s, struct peer *p, unsigned gun, struct str payload)
{
    struct ocpp16_StartTransaction_res res;
    int err = wire_json_decode(&ocpp16_StartTransaction_res_type, payload, &s->arena, &res,
                               WIRE_LENIENT, NULL);
    bool ok = !err && res.idTagInfo.status == ocpp16_AuthorizationStatus_Accepted;
    int32_t tx = !err && res.transactionId > 0 && res.transactionId <= INT32_MAX
                     ? (int32_t)res.transactionId
                     : -1;
    s->stats.starts += ok;
    s->stats.failed_starts += !ok;
    model_started(&p->model, gun, tx, ok, s->now_ms);
}

static void event_answered(struct sim *s, struct peer *p, struct str payload)
{
    const struct model_event *head = model_head(&p->model);
    if (!head)
        return;
    struct model_event e = *head;
    if (e.type == MODEL_EVENT_START) {
        start_answered(s, p, e.gun, payload);
    } else if (e.type == MODEL_EVENT_STOP) {
        peer_count_stop(s, p, e.gun);
    } else if (e.type == MODEL_EVENT_AUTHORIZE) {
        struct ocpp16_Authorize_res res;
        int err = wire_json_decode(&ocpp16_Authorize_res_type, payload, &s->arena, &res,
                                   WIRE_LENIENT, NULL);
        bool ok = !err && res.idTagInfo.status == ocpp16_AuthorizationStatus_Accepted;
        model_authorized(&p->model, e.gun, ok, s->now_ms);
    }
    model_pop(&p->model);
}

/* error: a CALLERROR came; the payload is empty then. */
static void answered(struct sim *s, struct peer *p, struct str id, struct str payload, bool error)
{
    char want[16];
    snprintf(want, sizeof want, "%u", p->call_id);
    if (!p->call || !str_eq_c(id, want))
        return; /* late: it was said again already */
    enum peer_call call = (enum peer_call)p->call;
    p->call = CALL_NONE;
    s->stats.errors += error;
    if (call == CALL_BOOT)
        boot_answered(s, p, payload);
    else if (call == CALL_EVENT)
        event_answered(s, p, payload);
}

/* ---- calls of the platform ---- */

/* A call being answered: req and res are zeroed structs of the message's types. A handler answers
 * 0, an error (CALLERROR), or ERR_TIMEOUT: stay silent. */
struct call {
    struct sim *s;
    struct peer *p;
    const void *req;
    void *res;
};

static bool gun_of(const struct peer *p, int64_t connector, unsigned *gun)
{
    *gun = (unsigned)(connector - 1);
    return connector >= 1 && connector <= p->model.traits.guns;
}

static int32_t period_limit_w(const struct call *c, const struct ocpp16_ChargingSchedule *sch,
                              const struct ocpp16_ChargingSchedulePeriod *period)
{
    int64_t limit = period->limit / 10;
    if (sch->chargingRateUnit == ocpp16_ChargingRateUnit_A) {
        int64_t phases = period->has.numberPhases ? period->numberPhases : 3;
        limit = muldiv_floor(period->limit, VOLT_AC * phases, 10);
    }
    int32_t most = c->p->model.traits.power_w;
    return limit < 0 || limit > most ? most : (int32_t)limit;
}

/* Periods count from the start of the schedule, a relative one's is that of the transaction. */
static int profile_apply(struct call *c, unsigned gun, const struct ocpp16_ChargingProfile *profile)
{
    const struct ocpp16_ChargingSchedule *sch = &profile->chargingSchedule;
    const struct ocpp16_ChargingSchedulePeriod *p = sch->chargingSchedulePeriod;
    struct model *m = &c->p->model;
    int64_t now = c->s->now_ms, base = model_busy(m, gun) ? m->guns[gun].start_ms : now;
    if (profile->chargingProfileKind == ocpp16_ChargingProfileKind_Absolute &&
        sch->has.startSchedule)
        base = sch->startSchedule - (model_clock_ms(m, now) - now);
    size_t i = 0;
    while (i + 1 < sch->chargingSchedulePeriod_n && base + p[i + 1].startPeriod * 1000 <= now)
        i++;
    int err = model_limit(m, gun, period_limit_w(c, sch, &p[i]), now);
    if (err || i + 1 == sch->chargingSchedulePeriod_n)
        return err;
    return model_limit_later(m, gun, period_limit_w(c, sch, &p[i + 1]),
                             base + p[i + 1].startPeriod * 1000);
}

static int remote_start(struct call *c)
{
    const struct ocpp16_RemoteStartTransaction_req *req = c->req;
    struct ocpp16_RemoteStartTransaction_res *res = c->res;
    struct model *m = &c->p->model;
    unsigned gun = 0;
    if (!req->has.connectorId) {
        while (gun + 1 < m->traits.guns && m->guns[gun].state != GUN_PLUGGED)
            gun++;
    } else if (!gun_of(c->p, req->connectorId, &gun)) {
        return ERR_RANGE;
    }
    int err = model_remote_start(m, gun, req->idTag, INT64_MAX, c->s->now_ms);
    if (err == ERR_TIMEOUT)
        return err;
    if (!err && req->has.chargingProfile)
        err = profile_apply(c, gun, &req->chargingProfile);
    if (err == ERR_UNSUPPORTED)
        err = 0; /* charges without it, as many do */
    res->status = err ? ocpp16_AcceptedRejected_Rejected : ocpp16_AcceptedRejected_Accepted;
    return 0;
}

static int remote_stop(struct call *c)
{
    const struct ocpp16_RemoteStopTransaction_req *req = c->req;
    struct ocpp16_RemoteStopTransaction_res *res = c->res;
    struct model *m = &c->p->model;
    res->status = ocpp16_AcceptedRejected_Rejected;
    for (unsigned i = 0; i < m->traits.guns; i++) {
        if (m->guns[i].tx == req->transactionId && model_remote_stop(m, i, c->s->now_ms) == 0)
            res->status = ocpp16_AcceptedRejected_Accepted;
    }
    return 0;
}

static bool trigger_gun(struct call *c, enum ocpp16_MessageTrigger what, unsigned gun)
{
    struct model *m = &c->p->model;
    if (what == ocpp16_MessageTrigger_MeterValues)
        return model_read(m, gun, c->s->now_ms) == 0;
    model_status(m, gun);
    return true;
}

static int trigger(struct call *c)
{
    const struct ocpp16_TriggerMessage_req *req = c->req;
    struct ocpp16_TriggerMessage_res *res = c->res;
    struct model *m = &c->p->model;
    unsigned first = 0, last = m->traits.guns - 1U;
    bool ok = m->traits.obeys_trigger;
    if (req->has.connectorId && req->connectorId != 0) {
        if (!gun_of(c->p, req->connectorId, &first))
            return ERR_RANGE;
        last = first;
    }
    switch (req->requestedMessage) {
    case ocpp16_MessageTrigger_MeterValues:
    case ocpp16_MessageTrigger_StatusNotification:
        for (unsigned i = first; ok && i <= last; i++)
            ok = trigger_gun(c, req->requestedMessage, i);
        break;
    case ocpp16_MessageTrigger_BootNotification:
        m->boot_due = m->boot_due || ok;
        break;
    case ocpp16_MessageTrigger_Heartbeat:
        c->p->beat_ms = ok ? c->s->now_ms : c->p->beat_ms;
        break;
    default:
        ok = false;
    }
    res->status =
        ok ? ocpp16_TriggerMessageStatus_Accepted : ocpp16_TriggerMessageStatus_NotImplemented;
    return 0;
}

static int change_configuration(struct call *c)
{
    const struct ocpp16_ChangeConfiguration_req *req = c->req;
    struct ocpp16_ChangeConfiguration_res *res = c->res;
    int64_t v = 0;
    bool number = str_to_i64(req->value, &v) == 0 && v >= 0 && v <= 86400;
    res->status = ocpp16_ConfigurationStatus_Accepted;
    if (str_eq_c(req->key, "MeterValueSampleInterval")) {
        if (!number || v == 0)
            res->status = ocpp16_ConfigurationStatus_Rejected;
        else if (model_interval(&c->p->model, (int32_t)v * 1000, c->s->now_ms))
            res->status = ocpp16_ConfigurationStatus_NotSupported;
    } else if (str_eq_c(req->key, "HeartbeatInterval")) {
        if (!number || v == 0) {
            res->status = ocpp16_ConfigurationStatus_Rejected;
            return 0;
        }
        c->p->beat_every_ms = (int32_t)v * 1000;
        c->p->beat_ms = c->s->now_ms + c->p->beat_every_ms;
    } else {
        res->status = ocpp16_ConfigurationStatus_NotSupported;
    }
    return 0;
}

enum { CONFIG_KEYS = 4 };

static void config_rows(struct call *c, struct ocpp16_KeyValue row[CONFIG_KEYS])
{
    const struct model *m = &c->p->model;
    row[0] = (struct ocpp16_KeyValue){
        STR_LIT("HeartbeatInterval"), false, number(c->s, c->p->beat_every_ms / 1000, 0), {true}};
    row[1] = (struct ocpp16_KeyValue){STR_LIT("MeterValueSampleInterval"),
                                      !m->traits.obeys_interval,
                                      number(c->s, m->interval_ms / 1000, 0),
                                      {true}};
    row[2] = (struct ocpp16_KeyValue){
        STR_LIT("NumberOfConnectors"), true, number(c->s, m->traits.guns, 0), {true}};
    row[3] = (struct ocpp16_KeyValue){STR_LIT("SupportedFeatureProfiles"),
                                      true,
                                      STR_LIT("Core,RemoteTrigger,SmartCharging"),
                                      {true}};
}

static size_t config_find(const struct ocpp16_KeyValue row[CONFIG_KEYS], struct str key)
{
    size_t k = 0;
    while (k < CONFIG_KEYS && !str_eq(key, row[k].key))
        k++;
    return k;
}

static int get_configuration(struct call *c)
{
    const struct ocpp16_GetConfiguration_req *req = c->req;
    struct ocpp16_GetConfiguration_res *res = c->res;
    struct ocpp16_KeyValue all[CONFIG_KEYS];
    config_rows(c, all);
    size_t n = req->has.key ? req->key_n : CONFIG_KEYS;
    res->configurationKey = ARENA_ARRAY(&c->s->arena, n + 1, struct ocpp16_KeyValue);
    res->unknownKey = ARENA_ARRAY(&c->s->arena, n + 1, struct str);
    if (!res->configurationKey || !res->unknownKey)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        size_t k = req->has.key ? config_find(all, req->key[i]) : i;
        if (k < CONFIG_KEYS)
            res->configurationKey[res->configurationKey_n++] = all[k];
        else
            res->unknownKey[res->unknownKey_n++] = req->key[i];
    }
    res->has.configurationKey = true;
    res->has.unknownKey = res->unknownKey_n > 0;
    return 0;
}

static int limit_guns(struct call *c, int64_t connector, int32_t limit_w)
{
    struct model *m = &c->p->model;
    int err = 0;
    for (unsigned i = 0; !err && i < m->traits.guns; i++) {
        if (connector == 0 || connector == (int64_t)i + 1)
            err = model_limit(m, i, limit_w, c->s->now_ms);
    }
    return err;
}

static int set_profile(struct call *c)
{
    const struct ocpp16_SetChargingProfile_req *req = c->req;
    struct ocpp16_SetChargingProfile_res *res = c->res;
    int err = 0;
    for (unsigned i = 0; !err && i < c->p->model.traits.guns; i++) {
        if (req->connectorId == 0 || req->connectorId == (int64_t)i + 1)
            err = profile_apply(c, i, &req->csChargingProfiles);
    }
    res->status =
        err ? ocpp16_ChargingProfileStatus_NotSupported : ocpp16_ChargingProfileStatus_Accepted;
    return 0;
}

static int clear_profile(struct call *c)
{
    const struct ocpp16_ClearChargingProfile_req *req = c->req;
    struct ocpp16_ClearChargingProfile_res *res = c->res;
    int err = limit_guns(c, req->has.connectorId ? req->connectorId : 0, -1);
    res->status = err ? ocpp16_ClearChargingProfileStatus_Unknown
                      : ocpp16_ClearChargingProfileStatus_Accepted;
    return 0;
}

static int change_availability(struct call *c)
{
    const struct ocpp16_ChangeAvailability_req *req = c->req;
    struct ocpp16_ChangeAvailability_res *res = c->res;
    struct model *m = &c->p->model;
    bool on = req->type == ocpp16_AvailabilityType_Operative, now = true;
    for (unsigned i = 0; i < m->traits.guns; i++) {
        if (req->connectorId == 0 || req->connectorId == (int64_t)i + 1)
            now = model_enable(m, i, on, c->s->now_ms) && now;
    }
    res->status = now ? ocpp16_AvailabilityStatus_Accepted : ocpp16_AvailabilityStatus_Scheduled;
    return 0;
}

static int unlock(struct call *c)
{
    const struct ocpp16_UnlockConnector_req *req = c->req;
    struct ocpp16_UnlockConnector_res *res = c->res;
    unsigned gun;
    res->status = ocpp16_UnlockStatus_NotSupported;
    if (gun_of(c->p, req->connectorId, &gun)) {
        model_unlock(&c->p->model, gun, c->s->now_ms);
        res->status = ocpp16_UnlockStatus_Unlocked;
    }
    return 0;
}

static int reset(struct call *c)
{
    struct ocpp16_Reset_res *res = c->res;
    res->status = ocpp16_AcceptedRejected_Accepted;
    model_reset(&c->p->model, c->s->now_ms);
    return 0;
}

static int clear_cache(struct call *c)
{
    struct ocpp16_ClearCache_res *res = c->res;
    res->status = ocpp16_AcceptedRejected_Accepted;
    return 0;
}

static int data_transfer(struct call *c)
{
    struct ocpp16_DataTransfer_res *res = c->res;
    res->status = ocpp16_DataTransferStatus_UnknownVendorId;
    return 0;
}

static int reserve(struct call *c)
{
    struct ocpp16_ReserveNow_res *res = c->res;
    res->status = ocpp16_ReservationStatus_Rejected; /* the profile is not among ours */
    return 0;
}

static int cancel_reservation(struct call *c)
{
    struct ocpp16_CancelReservation_res *res = c->res;
    res->status = ocpp16_CancelReservationStatus_Rejected;
    return 0;
}

static int composite_schedule(struct call *c)
{
    struct ocpp16_GetCompositeSchedule_res *res = c->res;
    res->status = ocpp16_AcceptedRejected_Rejected;
    return 0;
}

static int send_local_list(struct call *c)
{
    struct ocpp16_SendLocalList_res *res = c->res;
    res->status = ocpp16_UpdateStatus_NotSupported;
    return 0;
}

static int local_list_version(struct call *c)
{
    struct ocpp16_GetLocalListVersion_res *res = c->res;
    res->listVersion = -1; /* local lists are not supported */
    return 0;
}

/* GetDiagnostics and UpdateFirmware: nothing to upload, nothing to fetch; an empty answer says it.
 */
static int nothing(struct call *c)
{
    (void)c;
    return 0;
}

static const struct {
    const char *name;
    int (*answer)(struct call *c);
} actions[] = {
    {"CancelReservation", cancel_reservation},
    {"ChangeAvailability", change_availability},
    {"ChangeConfiguration", change_configuration},
    {"ClearCache", clear_cache},
    {"ClearChargingProfile", clear_profile},
    {"DataTransfer", data_transfer},
    {"GetCompositeSchedule", composite_schedule},
    {"GetConfiguration", get_configuration},
    {"GetDiagnostics", nothing},
    {"GetLocalListVersion", local_list_version},
    {"RemoteStartTransaction", remote_start},
    {"RemoteStopTransaction", remote_stop},
    {"ReserveNow", reserve},
    {"Reset", reset},
    {"SendLocalList", send_local_list},
    {"SetChargingProfile", set_profile},
    {"TriggerMessage", trigger},
    {"UnlockConnector", unlock},
    {"UpdateFirmware", nothing},
};

/* Finds, decodes, handles; *type and *res are then the answer. */
static int handle(struct call *c, struct str action, struct str payload,
                  const struct wire_type **type)
{
    const struct wire_msg *msg = wire_msg_find(&ocpp16_proto, action);
    size_t i = 0;
    while (i < ARRAY_LEN(actions) && !str_eq_c(action, actions[i].name))
        i++;
    if (!msg || i == ARRAY_LEN(actions))
        return ERR_UNKNOWN_ACTION;
    void *req = arena_alloc(&c->s->arena, msg->req->size);
    c->req = req;
    c->res = arena_alloc(&c->s->arena, msg->res->size);
    if (!req || !c->res)
        return ERR_TOO_LARGE;
    int err = wire_json_decode(msg->req, payload, &c->s->arena, req, WIRE_LENIENT, NULL);
    *type = msg->res;
    return err ? err : actions[i].answer(c);
}

static void called(struct sim *s, struct peer *p, struct str id, struct str action,
                   struct str payload)
{
    struct call c = {.s = s, .p = p};
    const struct wire_type *type = NULL;
    int err = handle(&c, action, payload, &type);
    if (err == ERR_TIMEOUT)
        return;
    buf_reset(&s->out);
    if (!err) {
        buf_put_c(&s->out, "[3,");
        buf_put_json(&s->out, id);
        buf_put_char(&s->out, ',');
        err = wire_json_encode(type, c.res, &s->out);
    }
    if (err) {
        s->stats.errors++;
        buf_reset(&s->out);
        buf_put_c(&s->out, "[4,");
        buf_put_json(&s->out, id);
        buf_printf(&s->out, ",\"%s\",\"%s\",{}", err_ocpp_code(err), err_text(err, LANG_EN));
    }
    buf_put_char(&s->out, ']');
    peer_send(s, p);
}

/* ---- frames ---- */

/* [kind, id, …] up to the payload. `action`: of a call; error code of a CALLERROR. */
struct frame_in {
    int kind;
    struct str id, action, payload;
};

static int read_frame(struct sim *s, struct str msg, struct frame_in *f)
{
    struct json_reader r;
    struct str kind;
    json_reader_init(&r, msg);
    if (!json_take(&r, '[') || json_number(&r, &kind) || kind.n != 1 || !json_take(&r, ',') ||
        json_string(&r, &s->arena, &f->id) || !json_take(&r, ','))
        return ERR_SYNTAX;
    f->kind = kind.p[0] - '0';
    if (f->kind != 3 && (json_string(&r, &s->arena, &f->action) || !json_take(&r, ',')))
        return ERR_SYNTAX;
    if (f->kind == 4) {
        f->payload = STR_LIT("{}");
        return 0; /* what else it says interests nobody here */
    }
    if (json_skip(&r, WIRE_DEPTH, &f->payload) || !json_take(&r, ']'))
        return ERR_SYNTAX;
    return json_end(&r);
}

void ocpp_peer_message(struct sim *s, struct peer *p, struct str msg)
{
    struct frame_in f = {0};
    s->stats.received++;
    arena_reset(&s->arena);
    if (read_frame(s, msg, &f)) {
        s->stats.errors++;
        return;
    }
    if (f.kind == 2)
        called(s, p, f.id, f.action, f.payload);
    else
        answered(s, p, f.id, f.payload, f.kind == 4);
}
