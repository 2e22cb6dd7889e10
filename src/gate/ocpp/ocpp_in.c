// SPDX-License-Identifier: Apache-2.0
/* ocpp_in.c: the charger's calls: request → command, reply → response. Texts longer than the core's
 * fields are cut, a missing or broken time becomes 0 ("none"), missing reasons become the
 * protocol's default. Meaning is left to the core. */
#include "gate/ocpp/ocpp_conn.h"

#include "gate/ocpp/ocpp_sample.h"

#define COPY(field, s) str_copy((field), sizeof(field), (s))

static int narrow(int64_t v, int32_t *out)
{
    if (v < 0 || v > INT32_MAX)
        return ERR_RANGE;
    *out = (int32_t)v;
    return 0;
}

/* Registers are whole Wh on the wire. */
static int wh_to_mwh(int64_t wh, int64_t *mwh)
{
    if (wh > INT64_MAX / 1000 || wh < INT64_MIN / 1000)
        return ERR_RANGE;
    *mwh = wh * 1000;
    return 0;
}

/* A stop is taken whatever it says, for the session ends with it: a register that fits nowhere becomes
 * one that no meter shows, and the evidence rules leave it in doubt. */
static int64_t stop_register(int64_t wh)
{
    static const int64_t most = INT64_C(1000000000) * 1000000; /* 10^9 kWh */
    int64_t mwh;
    if (wh_to_mwh(wh, &mwh) != 0 || mwh > most)
        return wh < 0 ? -1 : most;
    return mwh;
}

static struct str given(bool has, struct str s)
{
    return has ? s : STR_NONE;
}

/* Answered here, with nothing in it or with the time. */
static void ready(const struct ocpp_gate *g, struct ocpp_slot *s)
{
    s->u.time_ms = g->cfg.now_ms();
    s->ready = true;
}

/* ---- BootNotification, Heartbeat ---- */

static int boot_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s, const void *req)
{
    const struct ocpp16_BootNotification_req *r = req;
    struct cmd_boot *b = &ocpp_cmd(g, c, CMD_BOOT, CMD_SIZE(boot), s->ref)->u.boot;
    bool point = r->has.chargePointSerialNumber && r->chargePointSerialNumber.n > 0;
    b->charger = c->charger;
    COPY(b->vendor, r->chargePointVendor);
    COPY(b->model, r->chargePointModel);
    c->model = gate_models_find(&g->models, r->chargePointVendor, r->chargePointModel);
    COPY(b->serial, point ? r->chargePointSerialNumber
                          : given(r->has.chargeBoxSerialNumber, r->chargeBoxSerialNumber));
    COPY(b->firmware, given(r->has.firmwareVersion, r->firmwareVersion));
    return ocpp_submit(g, c);
}

static void boot_answer(const struct ocpp_slot *s, void *res)
{
    static const enum ocpp16_RegistrationStatus status[] = {ocpp16_RegistrationStatus_Accepted,
                                                            ocpp16_RegistrationStatus_Pending,
                                                            ocpp16_RegistrationStatus_Rejected};
    struct ocpp16_BootNotification_res *r = res;
    r->status =
        s->status >= 0 && s->status <= 2 ? status[s->status] : ocpp16_RegistrationStatus_Rejected;
    r->currentTime = s->u.time_ms;
    r->interval = s->interval_s;
}

/* Answers itself only when nothing is in flight, so that a charger never sees time run ahead of its
 * answers. */
static int heartbeat_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                          const void *req)
{
    (void)req;
    if (c->waiting == 1) {
        ready(g, s);
        return 0;
    }
    ocpp_cmd(g, c, CMD_HEARTBEAT, CMD_SIZE(charger), s->ref)->u.charger.charger = c->charger;
    return ocpp_submit(g, c);
}

static void heartbeat_answer(const struct ocpp_slot *s, void *res)
{
    struct ocpp16_Heartbeat_res *r = res;
    r->currentTime = s->u.time_ms;
}

/* ---- StatusNotification, notes ---- */

static enum connector_status status_of(enum ocpp16_ChargePointStatus s)
{
    switch (s) {
    case ocpp16_ChargePointStatus_Available:
        return CS_AVAILABLE;
    case ocpp16_ChargePointStatus_Preparing:
        return CS_PREPARING;
    case ocpp16_ChargePointStatus_Charging:
        return CS_CHARGING;
    case ocpp16_ChargePointStatus_SuspendedEVSE:
        return CS_SUSPENDED_EVSE;
    case ocpp16_ChargePointStatus_SuspendedEV:
        return CS_SUSPENDED_EV;
    case ocpp16_ChargePointStatus_Finishing:
        return CS_FINISHING;
    case ocpp16_ChargePointStatus_Reserved:
        return CS_RESERVED;
    case ocpp16_ChargePointStatus_Unavailable:
        return CS_UNAVAILABLE;
    case ocpp16_ChargePointStatus_Faulted:
        return CS_FAULTED;
    case ocpp16_ChargePointStatus_NONE:
        break;
    }
    return CS_OFFLINE;
}

/* A state that no document names tells nothing: acknowledged, counted as odd by the decoder, and
 * left. */
static int status_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                       const void *req)
{
    const struct ocpp16_StatusNotification_req *r = req;
    enum connector_status status = status_of(r->status);
    if (status == CS_OFFLINE) {
        ready(g, s);
        return 0;
    }
    struct cmd_status *m = &ocpp_cmd(g, c, CMD_STATUS, CMD_SIZE(status), s->ref)->u.status;
    m->charger = c->charger;
    m->status = (int32_t)status;
    COPY(m->error, wire_enum_text(&ocpp16_ChargePointErrorCode_enum, (int)r->errorCode));
    COPY(m->info, given(r->has.info, r->info));
    COPY(m->vendor_error, given(r->has.vendorErrorCode, r->vendorErrorCode));
    m->time_ms = r->has.timestamp ? r->timestamp : 0;
    int err = narrow(r->connectorId, &m->connector);
    return err ? err : ocpp_submit(g, c);
}

static void empty_answer(const struct ocpp_slot *s, void *res)
{
    (void)s;
    (void)res;
}

static int note(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s, struct str kind,
                struct str status)
{
    struct cmd_note *m = &ocpp_cmd(g, c, CMD_NOTE, CMD_SIZE(note), s->ref)->u.note;
    m->charger = c->charger;
    COPY(m->kind, kind);
    COPY(m->status, status);
    return ocpp_submit(g, c);
}

static int firmware_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                         const void *req)
{
    const struct ocpp16_FirmwareStatusNotification_req *r = req;
    return note(g, c, s, STR_LIT("firmware"),
                wire_enum_text(&ocpp16_FirmwareStatus_enum, (int)r->status));
}

static int diagnostics_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                            const void *req)
{
    const struct ocpp16_DiagnosticsStatusNotification_req *r = req;
    return note(g, c, s, STR_LIT("diagnostics"),
                wire_enum_text(&ocpp16_DiagnosticsStatus_enum, (int)r->status));
}

/* ---- Authorize, StartTransaction ---- */

static enum ocpp16_AuthorizationStatus tag_status_of(int32_t status)
{
    switch (status) {
    case TAG_ACCEPTED:
        return ocpp16_AuthorizationStatus_Accepted;
    case TAG_BLOCKED:
        return ocpp16_AuthorizationStatus_Blocked;
    case TAG_EXPIRED:
        return ocpp16_AuthorizationStatus_Expired;
    case TAG_CONCURRENT:
        return ocpp16_AuthorizationStatus_ConcurrentTx;
    default:
        return ocpp16_AuthorizationStatus_Invalid;
    }
}

static int authorize_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                          const void *req)
{
    const struct ocpp16_Authorize_req *r = req;
    struct cmd_authorize *m =
        &ocpp_cmd(g, c, CMD_AUTHORIZE, CMD_SIZE(authorize), s->ref)->u.authorize;
    m->charger = c->charger;
    COPY(m->tag, r->idTag);
    return ocpp_submit(g, c);
}

static void authorize_answer(const struct ocpp_slot *s, void *res)
{
    struct ocpp16_Authorize_res *r = res;
    r->idTagInfo.status = tag_status_of(s->status);
}

static int start_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                      const void *req)
{
    const struct ocpp16_StartTransaction_req *r = req;
    struct cmd_tx_start *m = &ocpp_cmd(g, c, CMD_TX_START, CMD_SIZE(tx_start), s->ref)->u.tx_start;
    m->charger = c->charger;
    m->time_ms = r->timestamp;
    m->reservation = r->has.reservationId ? r->reservationId : 0;
    COPY(m->tag, r->idTag);
    int err = narrow(r->connectorId, &m->connector);
    if (!err)
        err = wh_to_mwh(r->meterStart, &m->meter_mwh);
    return err ? err : ocpp_submit(g, c);
}

static void start_answer(const struct ocpp_slot *s, void *res)
{
    struct ocpp16_StartTransaction_res *r = res;
    r->idTagInfo.status = tag_status_of(s->status);
    r->transactionId = s->u.tx;
}

/* ---- MeterValues, StopTransaction ---- */

/* Walks the meter values as samples. */
struct walk {
    const struct ocpp16_MeterValue *value;
    uint32_t n, i;
    struct core_sample ready[OCPP_SAMPLES_PER_VALUE];
    int ready_n, ready_i;
    uint64_t odd;
};

static bool walk_next(struct walk *w, struct core_sample *out)
{
    while (w->ready_i == w->ready_n) {
        if (w->i == w->n)
            return false;
        w->ready_n = ocpp_samples(&w->value[w->i++], w->ready, &w->odd);
        w->ready_i = 0;
    }
    *out = w->ready[w->ready_i++];
    return true;
}

static uint32_t walk_count(const struct ocpp16_MeterValue *value, uint32_t n)
{
    struct walk w = {.value = value, .n = n};
    struct core_sample s;
    uint32_t count = 0;
    while (walk_next(&w, &s))
        count++;
    return count;
}

static size_t meter_size(uint32_t n)
{
    return offsetof(struct cmd, u.meter.samples) + n * sizeof(struct core_sample);
}

/* Sends `count` samples as one command. */
static int meter_submit(struct ocpp_gate *g, struct ocpp_conn *c, struct walk *w, uint32_t count,
                        const struct cmd_meter *head, uint32_t ref)
{
    struct cmd_meter *m = &ocpp_cmd(g, c, CMD_METER, meter_size(count), ref)->u.meter;
    m->charger = c->charger;
    m->connector = head->connector;
    m->tx = head->tx;
    while ((uint32_t)m->n < count && walk_next(w, &m->samples[m->n]))
        m->n++;
    return ocpp_submit(g, c);
}

/* All but the last CMD_SAMPLES_MAX go ahead in commands of their own that nobody waits for. */
static int meter_submit_ahead(struct ocpp_gate *g, struct ocpp_conn *c, struct walk *w,
                              uint32_t *count, const struct cmd_meter *head)
{
    int err = 0;
    for (; !err && *count > CMD_SAMPLES_MAX; *count -= CMD_SAMPLES_MAX)
        err = meter_submit(g, c, w, CMD_SAMPLES_MAX, head, 0);
    return err;
}

/* What fits one command whatever the values turn out to hold, which is nearly every message, is
 * walked once; gives how many samples it made. */
static uint32_t meter_fill(struct walk *w, struct cmd_meter *m)
{
    while (walk_next(w, &m->samples[m->n]))
        m->n++;
    return (uint32_t)m->n;
}

static int meter_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s,
                      const void *req)
{
    const struct ocpp16_MeterValues_req *r = req;
    struct cmd_meter *m = &ocpp_cmd(g, c, CMD_METER, meter_size(0), s->ref)->u.meter;
    struct walk w = {.value = r->meterValue, .n = r->meterValue_n};
    bool once = (size_t)r->meterValue_n * OCPP_SAMPLES_PER_VALUE < CMD_SAMPLES_MAX;
    int err = narrow(r->connectorId, &m->connector);
    if (err)
        return err;
    m->charger = c->charger;
    m->tx = r->has.transactionId ? r->transactionId : 0;
    uint32_t count = once ? meter_fill(&w, m) : walk_count(r->meterValue, r->meterValue_n);
    if (count == 0) {
        ready(g, s);
        return 0;
    }
    if (once) {
        g->cmd.head.size = (uint32_t)meter_size(count);
        err = ocpp_submit(g, c);
    } else {
        const struct cmd_meter head = {.connector = m->connector, .tx = m->tx};
        err = meter_submit_ahead(g, c, &w, &count, &head);
        if (!err)
            err = meter_submit(g, c, &w, count, &head, s->ref);
    }
    if (w.odd > 0)
        ocpp_odd(g, c);
    return err;
}

/* Remote says only that the platform asked; the core knows why it did. */
static enum stop_reason stop_of(bool has, enum ocpp16_Reason reason)
{
    if (!has)
        return STOP_LOCAL;
    switch (reason) {
    case ocpp16_Reason_EmergencyStop:
        return STOP_EMERGENCY;
    case ocpp16_Reason_EVDisconnected:
        return STOP_UNPLUGGED;
    case ocpp16_Reason_HardReset:
    case ocpp16_Reason_SoftReset:
    case ocpp16_Reason_Reboot:
        return STOP_REBOOT;
    case ocpp16_Reason_Local:
    case ocpp16_Reason_UnlockCommand:
        return STOP_LOCAL;
    case ocpp16_Reason_PowerLoss:
        return STOP_POWER_LOSS;
    case ocpp16_Reason_Remote:
        return STOP_NONE;
    case ocpp16_Reason_DeAuthorized:
        return STOP_DEAUTHORIZED;
    case ocpp16_Reason_Other:
    case ocpp16_Reason_NONE:
        break;
    }
    return STOP_OTHER;
}

static int stop_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s, const void *req)
{
    const struct ocpp16_StopTransaction_req *r = req;
    struct cmd_meter head = {.tx = r->transactionId};
    struct walk w = {.value = r->transactionData,
                     .n = r->has.transactionData ? r->transactionData_n : 0};
    uint32_t count = walk_count(w.value, w.n);
    int err = meter_submit_ahead(g, c, &w, &count, &head);
    if (err)
        return err;
    size_t size = offsetof(struct cmd, u.tx_stop.samples) + count * sizeof(struct core_sample);
    struct cmd_tx_stop *m = &ocpp_cmd(g, c, CMD_TX_STOP, size, s->ref)->u.tx_stop;
    m->charger = c->charger;
    m->tx = r->transactionId;
    m->meter_mwh = stop_register(r->meterStop);
    m->time_ms = r->timestamp;
    m->stop = (int32_t)stop_of(r->has.reason, r->reason);
    COPY(m->tag, given(r->has.idTag, r->idTag));
    if (r->has.reason)
        COPY(m->reason, wire_enum_text(&ocpp16_Reason_enum, (int)r->reason));
    while ((uint32_t)m->n < count && walk_next(&w, &m->samples[m->n]))
        m->n++;
    s->tag_wanted = r->has.idTag && r->idTag.n > 0;
    if (w.odd > 0)
        ocpp_odd(g, c);
    return ocpp_submit(g, c);
}

static void stop_answer(const struct ocpp_slot *s, void *res)
{
    struct ocpp16_StopTransaction_res *r = res;
    r->has.idTagInfo = s->tag_wanted;
    r->idTagInfo.status = tag_status_of(s->status);
}

/* ---- DataTransfer ---- */

static int data_take(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s, const void *req)
{
    const struct ocpp16_DataTransfer_req *r = req;
    struct cmd_data_transfer *m =
        &ocpp_cmd(g, c, CMD_DATA_TRANSFER, CMD_SIZE(data_transfer), s->ref)->u.data_transfer;
    m->charger = c->charger;
    COPY(m->vendor, r->vendorId);
    COPY(m->message, given(r->has.messageId, r->messageId));
    COPY(m->data, given(r->has.data, r->data));
    return ocpp_submit(g, c);
}

static void data_answer(const struct ocpp_slot *s, void *res)
{
    struct ocpp16_DataTransfer_res *r = res;
    r->status = s->err == 0                 ? ocpp16_DataTransferStatus_Accepted
                : s->err == ERR_UNSUPPORTED ? ocpp16_DataTransferStatus_UnknownVendorId
                                            : ocpp16_DataTransferStatus_Rejected;
}

const struct ocpp_action *ocpp_action_find(struct str name)
{
#define ACTION(name, take, answer)                                                                 \
    {                                                                                              \
#name, &ocpp16_##name##_req_type, &ocpp16_##name##_res_type, take, answer                  \
    }
    static const struct ocpp_action actions[] = {
        ACTION(Heartbeat, heartbeat_take, heartbeat_answer),
        ACTION(MeterValues, meter_take, empty_answer),
        ACTION(StatusNotification, status_take, empty_answer),
        ACTION(BootNotification, boot_take, boot_answer),
        ACTION(Authorize, authorize_take, authorize_answer),
        ACTION(StartTransaction, start_take, start_answer),
        ACTION(StopTransaction, stop_take, stop_answer),
        ACTION(DataTransfer, data_take, data_answer),
        ACTION(FirmwareStatusNotification, firmware_take, empty_answer),
        ACTION(DiagnosticsStatusNotification, diagnostics_take, empty_answer),
    };
#undef ACTION
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (str_eq_c(name, actions[i].name))
            return &actions[i];
    return NULL;
}
