// SPDX-License-Identifier: Apache-2.0
/* ocpp_out.c: the core's calls → CALL frames, and what is kept of their answers. Payloads made
 * elsewhere are decoded and encoded again by the table, so that nothing leaves the house that
 * breaks the protocol, and members stand in its order. */
#include "gate/ocpp/ocpp_conn.h"

#include <stdio.h>

#include "wire/json.h"

static int put(struct buf *out, const char *action, const struct wire_type *t, const void *req,
               int64_t command)
{
    char id[24];
    size_t before = out->n;
    snprintf(id, sizeof id, "%lld", (long long)command);
    ocpp_frame_put_call(out, str_from_c(id), str_from_c(action));
    int err = wire_json_encode(t, req, out);
    buf_put_char(out, ']');
    if (!err)
        err = out->err;
    if (err)
        out->n = before;
    return err;
}

static int raw(const struct out_call *call, struct arena *a, struct buf *out)
{
    const struct wire_msg *m = wire_msg_find(&ocpp16_proto, str_from_c(call->action));
    if (!m || !(m->dir & WIRE_DOWN))
        return ERR_UNKNOWN_ACTION;
    if (call->n > sizeof call->payload)
        return ERR_TOO_LARGE;
    void *req = arena_alloc(a, m->req->size);
    if (!req)
        return ERR_TOO_LARGE;
    struct str payload = call->n ? str_from(call->payload, call->n) : STR_LIT("{}");
    int err = wire_json_decode(m->req, payload, a, req, WIRE_STRICT, NULL);
    return err ? err : put(out, m->name, m->req, req, call->command);
}

static int remote_start(const struct out_call *call, struct buf *out)
{
    struct ocpp16_RemoteStartTransaction_req r = {.idTag = str_from_c(call->tag)};
    r.has.connectorId = call->connector > 0;
    r.connectorId = call->connector;
    return put(out, "RemoteStartTransaction", &ocpp16_RemoteStartTransaction_req_type, &r,
               call->command);
}

static int remote_stop(const struct out_call *call, struct buf *out)
{
    struct ocpp16_RemoteStopTransaction_req r = {.transactionId = call->tx};
    return put(out, "RemoteStopTransaction", &ocpp16_RemoteStopTransaction_req_type, &r,
               call->command);
}

static int trigger_meter(const struct out_call *call, struct buf *out)
{
    struct ocpp16_TriggerMessage_req r = {.requestedMessage = ocpp16_MessageTrigger_MeterValues};
    r.has.connectorId = call->connector > 0;
    r.connectorId = call->connector;
    return put(out, "TriggerMessage", &ocpp16_TriggerMessage_req_type, &r, call->command);
}

static int set_interval(const struct out_call *call, struct buf *out)
{
    char value[12];
    snprintf(value, sizeof value, "%d", (int)call->interval_s);
    struct ocpp16_ChangeConfiguration_req r = {.key = STR_LIT("MeterValueSampleInterval"),
                                               .value = str_from_c(value)};
    return put(out, "ChangeConfiguration", &ocpp16_ChangeConfiguration_req_type, &r, call->command);
}

/* A limit for this transaction, or for all of the connector when none is named. Relative to the
 * start of the transaction, so that the charger's clock does not matter. */
static int profile(const struct out_call *call, struct buf *out)
{
    struct ocpp16_ChargingSchedulePeriod period[2] = {{.limit = call->limit_w * 10},
                                                      {.startPeriod = call->zero_after_s}};
    struct ocpp16_SetChargingProfile_req r = {.connectorId = call->connector};
    struct ocpp16_ChargingProfile *p = &r.csChargingProfiles;
    if (call->limit_w < 0 || call->limit_w > INT32_MAX || call->zero_after_s < 0)
        return ERR_RANGE;
    p->chargingProfileId = 1;
    p->has.transactionId = call->tx > 0;
    p->transactionId = call->tx;
    p->chargingProfilePurpose = call->tx > 0 ? ocpp16_ChargingProfilePurpose_TxProfile
                                             : ocpp16_ChargingProfilePurpose_TxDefaultProfile;
    p->chargingProfileKind = ocpp16_ChargingProfileKind_Relative;
    p->chargingSchedule.chargingRateUnit = ocpp16_ChargingRateUnit_W;
    p->chargingSchedule.chargingSchedulePeriod = period;
    p->chargingSchedule.chargingSchedulePeriod_n = call->zero_after_s ? 2 : 1;
    return put(out, "SetChargingProfile", &ocpp16_SetChargingProfile_req_type, &r, call->command);
}

int ocpp_call_build(const struct out_call *call, struct arena *a, struct buf *out)
{
    switch ((enum call_kind)call->kind) {
    case CALL_RAW:
        return raw(call, a, out);
    case CALL_REMOTE_START:
        return remote_start(call, out);
    case CALL_REMOTE_STOP:
        return remote_stop(call, out);
    case CALL_TRIGGER_METER:
        return trigger_meter(call, out);
    case CALL_PROFILE:
        return profile(call, out);
    case CALL_SET_INTERVAL:
        return set_interval(call, out);
    case CALL_BALANCE:
    case CALL_TIME:
        break; /* 云快充 only */
    }
    return ERR_UNSUPPORTED;
}

/* The text of the member "status" of an object that is known to be JSON. */
static struct str status_of(struct str payload, struct arena *a)
{
    struct json_reader r;
    struct str name, value;
    json_reader_init(&r, payload);
    if (!json_take(&r, '{'))
        return STR_NONE;
    while (json_string(&r, a, &name) == 0 && json_take(&r, ':')) {
        bool wanted = str_eq_c(name, "status") && json_peek(&r) == '"';
        int err = wanted ? json_string(&r, a, &value) : json_skip(&r, WIRE_DEPTH, &value);
        if (wanted && !err)
            return value;
        if (err || !json_take(&r, ','))
            break;
    }
    return STR_NONE;
}

/* A list of settings that is too long loses its last keys, anything else is only named; both say how
 * long the answer was. */
static void shorten(struct str payload, struct arena *a, struct cmd_call_result *r)
{
    enum { NOTE = 40 }; /* what says it */
    struct ocpp16_GetConfiguration_res list;
    struct buf text;
    buf_init(&text, sizeof r->payload - NOTE);
    int err =
        wire_json_decode(&ocpp16_GetConfiguration_res_type, payload, a, &list, WIRE_LENIENT, NULL);
    list.has.unknownKey = false;
    for (; !err && list.configurationKey_n > 0; list.configurationKey_n--) {
        buf_reset(&text);
        if (wire_json_encode(&ocpp16_GetConfiguration_res_type, &list, &text) == 0)
            break;
    }
    bool some = !err && list.configurationKey_n > 0;
    r->n = some ? (uint32_t)text.n - 1 : 0; /* without its last brace */
    memcpy(r->payload, text.p, r->n);
    r->n += (uint32_t)snprintf(r->payload + r->n, NOTE, "%c\"truncated\":%zu}", some ? ',' : '{',
                               payload.n);
    buf_free(&text);
}

void ocpp_call_result(struct str payload, struct arena *a, struct cmd_call_result *r)
{
    str_copy(r->status, sizeof r->status, status_of(payload, a));
    if (payload.n > sizeof r->payload) {
        shorten(payload, a, r);
        return;
    }
    r->n = (uint32_t)payload.n;
    if (payload.n)
        memcpy(r->payload, payload.p, payload.n);
}
