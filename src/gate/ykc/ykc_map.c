// SPDX-License-Identifier: Apache-2.0
/* ykc_map.c: numbers of 云快充 ⇄ numbers of the core. Pure.
 *
 * Units: energy comes in 1/10,000 kWh (× 100 = mWh), money in 1/10,000 yuan (as ours), balances in
 * fen, voltage and current in tenths. Where a pile leaves the loss-adjusted energy empty, the plain
 * one counts. Times are the station's local wall clock; 0 stays 0 ("none"). */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>

#define MWH(raw) ((raw)*100)

enum stop_reason ykc_stop_reason(const struct ykc_profile *v, int64_t raw)
{
    for (const struct ykc_reason *r = v->reason; r->raw != 0; r++)
        if (r->raw == raw)
            return (enum stop_reason)r->stop;
    switch (raw) {
    case 0x40:
        return STOP_NONE; /* ordered by us: the core knows why */
    case 0x41:
        return STOP_FULL;
    case 0x42:
    case 0x44:
        return STOP_LIMIT;
    case 0x43:
    case 0x4e:
    case 0x6e:
        return STOP_CAP;
    case 0x45:
        return STOP_LOCAL;
    case 0x50:
    case 0x72:
        return STOP_EMERGENCY;
    case 0x6b:
        return STOP_UNPLUGGED; /* the pilot line opened */
    case 0x83:
        return STOP_POWER_LOSS;
    default:
        return raw >= 0x4a && raw <= 0x8f ? STOP_FAULT : STOP_OTHER;
    }
}

enum connector_status ykc_status(const struct ykc_RealtimeData *d, enum connector_status before)
{
    switch (d->state) {
    case 0:
        return CS_UNAVAILABLE;
    case 2:
        if (d->plugged != 1)
            return CS_AVAILABLE;
        return before == CS_CHARGING || before == CS_FINISHING ? CS_FINISHING : CS_PREPARING;
    case 3:
        return CS_CHARGING;
    default:
        return CS_FAULTED;
    }
}

const char *ykc_fault(int64_t bits)
{
    static const char *const names[] = {
        "EmergencyStop",
        "NoRectifier",
        "OutletOverTemperature",
        "SurgeProtector",
        "ModuleComms",
        "InsulationComms",
        "MeterComms",
        "CardReaderComms",
        "ControllerComms",
        "FanController",
        "Fuse",
        "Contactor",
        "DoorOpen",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if ((bits >> i & 1) != 0)
            return names[i];
    return bits != 0 ? "OtherError" : "";
}

static int64_t adjusted(int64_t loss_energy, int64_t energy)
{
    return MWH(loss_energy != 0 ? loss_energy : energy);
}

void ykc_sample(const struct ykc_RealtimeData *d, struct core_sample *s)
{
    *s = (struct core_sample){
        .energy_mwh = adjusted(d->loss_energy, d->energy),
        .power_w = d->voltage * d->current / 100,
        .voltage_mv = (int32_t)d->voltage * 100,
        .current_ma = (int32_t)d->current * 100,
        .soc_pm = d->soc > 0 && d->soc <= 100 ? (int32_t)d->soc * 10 : SAMPLE_NONE32,
        .temp_dc = d->battery_temp > -50 ? (int32_t)d->battery_temp * 10 : SAMPLE_NONE32,
        .cost = d->amount,
    };
}

static int64_t utc_ms(int64_t local_ms, int32_t zone_offset_s)
{
    return local_ms != 0 ? local_ms - (int64_t)zone_offset_s * 1000 : 0;
}

void ykc_record(const struct ykc_profile *v, const struct ykc_Record *r, int32_t zone_offset_s,
                struct cmd_tx_record *out)
{
    int64_t gun = 0;

    if (str_to_i64(str_from_c(r->gun), &gun) == 0)
        out->connector = (int32_t)gun;
    out->stop = (int32_t)ykc_stop_reason(v, r->reason);
    str_copy(out->tx_no, sizeof(out->tx_no), str_from_c(r->order));
    out->start_ms = utc_ms(r->start, zone_offset_s);
    out->end_ms = utc_ms(r->end, zone_offset_s);
    for (size_t i = 0; i < ARRAY_LEN(r->classes); i++) {
        out->class_price_e5[i] = r->classes[i].price;
        out->class_energy_mwh[i] = adjusted(r->classes[i].loss, r->classes[i].energy);
        out->class_amount[i] = r->classes[i].amount;
    }
    out->meter_start_mwh = MWH(r->meter_start);
    out->meter_end_mwh = MWH(r->meter_end);
    out->energy_mwh = adjusted(r->loss_energy, r->energy);
    out->amount = r->amount;
    str_copy(out->vin, sizeof(out->vin), str_from_c(r->vin));
    out->start_mark = (uint8_t)r->mark;
    out->raw_reason = (uint8_t)r->reason;
    ykc_card(v, r->card, out->card);
}

void ykc_record17(const struct ykc_Record17 *r, struct ykc_Record *out)
{
    *out = (struct ykc_Record){.start = r->start,
                               .end = r->end,
                               .meter_start = r->meter_start,
                               .meter_end = r->meter_end,
                               .energy = r->energy,
                               .loss_energy = r->loss_energy,
                               .amount = r->amount,
                               .mark = r->mark,
                               .time = r->time,
                               .reason = r->reason};
    memcpy(out->order, r->order, sizeof(out->order));
    memcpy(out->pile, r->pile, sizeof(out->pile));
    memcpy(out->gun, r->gun, sizeof(out->gun));
    memcpy(out->classes, r->classes, sizeof(out->classes));
    memcpy(out->vin, r->vin, sizeof(out->vin));
    memcpy(out->card, r->card, sizeof(out->card));
}

void ykc_model_number(int32_t number, char out[5])
{
    snprintf(out, 5, "%04u", (unsigned)number % 10000u);
}

void ykc_prices(const struct reply_prices *p, struct ykc_FetchModelReply *out)
{
    ykc_model_number(p->number, out->model);
    for (size_t i = 0; i < ARRAY_LEN(out->prices); i++) {
        out->prices[i].elec = p->elec_e5[i];
        out->prices[i].service = p->service_e5[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(out->slots); i++)
        out->slots[i] = p->slot[i];
}

int64_t ykc_fen(int64_t amount)
{
    int64_t fen = amount / 100;

    if (fen < 0)
        return 0;
    return fen > UINT32_MAX ? UINT32_MAX : fen;
}

int ykc_start_err(int64_t reason)
{
    static const int errs[] = {0, 0, ERR_BUSY, ERR_FAULTED, ERR_OFFLINE, ERR_NOT_PLUGGED};

    return reason >= 0 && (size_t)reason < ARRAY_LEN(errs) ? errs[reason] : 0;
}

const char *ykc_start_reason(int64_t reason)
{
    static const char *const names[] = {"None",  "WrongDevice", "Charging",
                                        "Fault", "Offline",     "NotPlugged"};

    return reason >= 0 && (size_t)reason < ARRAY_LEN(names) ? names[reason] : "Other";
}

/* ---- cards and VINs ---- */

/* A number of four bytes stands in the last four of the eight. */
void ykc_card(const struct ykc_profile *v, const char *wire, char out[17])
{
    size_t n = str_copy(out, 17, str_from_c(wire)), from;

    if (!(v->ways & YKC_CARD_REVERSED) || n != 16)
        return;
    from = strncmp(wire, "00000000", 8) == 0 ? 8 : 0;
    for (size_t i = from; i < n; i += 2)
        memcpy(out + i, wire + from + n - 2 - i, 2);
}

void ykc_vin(const char *raw, bool reversed, char out[18])
{
    size_t n = strlen(raw);

    memset(out, 0, 18);
    if (n != 17)
        return;
    for (size_t i = 0; i < n; i++) {
        char c = raw[reversed ? n - 1 - i : i];
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');

        if (!good) {
            out[0] = '\0';
            return;
        }
        out[i] = c;
    }
    if (out[strspn(out, "0")] == '\0')
        out[0] = '\0';
}

/* ---- the vehicle ---- */

static int64_t magnitude(int64_t v)
{
    return v < 0 ? -v : v; /* GB/T 27930 counts a charging current as negative */
}

static const struct core_sample no_sample = {.energy_mwh = SAMPLE_NONE,
                                             .power_w = SAMPLE_NONE,
                                             .voltage_mv = SAMPLE_NONE32,
                                             .current_ma = SAMPLE_NONE32,
                                             .soc_pm = SAMPLE_NONE32,
                                             .temp_dc = SAMPLE_NONE32,
                                             .cost = SAMPLE_NONE};

void ykc_demand(const struct ykc_BmsDemand *d, struct core_sample *s)
{
    *s = no_sample;
    s->power_w = d->voltage * magnitude(d->current) / 100;
    s->voltage_mv = (int32_t)d->voltage * 100;
    s->current_ma = (int32_t)magnitude(d->current) * 100;
    s->soc_pm = d->soc > 0 && d->soc <= 100 ? (int32_t)d->soc * 10 : SAMPLE_NONE32;
}

void ykc_info(const struct ykc_BmsInfo *d, struct core_sample *s)
{
    *s = no_sample;
    s->temp_dc = d->temp_max > -50 ? (int32_t)d->temp_max * 10 : SAMPLE_NONE32;
}

static int64_t little_endian(const char *hex)
{
    uint8_t bytes[7];
    size_t n = strlen(hex) / 2;
    int64_t v = 0;

    if (n > sizeof(bytes) || str_from_hex(str_from_c(hex), bytes, n) != 0)
        return -1;
    while (n > 0)
        v = v << 8 | bytes[--n];
    return v;
}

void ykc_rated(const struct ykc_Handshake *d, struct cmd_battery *out)
{
    out->chemistry = (int32_t)d->battery;
    out->capacity_mah = d->capacity * 100;
    out->voltage_mv = (int32_t)d->rated_voltage * 100;
    if (d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= 31)
        out->made = (int32_t)(d->year * 10000 + d->month * 100 + d->day);
    out->cycles = (int32_t)little_endian(d->cycles);
    ykc_vin(d->vin, false, out->vin);
}

void ykc_setup(const struct ykc_Parameters *d, struct cmd_battery *out)
{
    out->energy_mwh = d->energy * 100000;
    out->voltage_mv = (int32_t)d->voltage * 100;
    out->cell_max_mv = (int32_t)d->cell_max * 10;
    out->temp_max_dc = (int32_t)d->temp_max * 10;
    out->soc_pm = d->soc <= 1000 ? (int32_t)d->soc : -1;
}

void ykc_end(const struct ykc_EndPhase *d, struct cmd_battery *out)
{
    out->soc_pm = d->soc <= 100 ? (int32_t)d->soc * 10 : -1;
    out->cell_min_mv = (int32_t)d->cell_min * 10;
    out->cell_max_mv = (int32_t)d->cell_max * 10;
    out->temp_min_dc = (int32_t)d->temp_min * 10;
    out->temp_max_dc = (int32_t)d->temp_max * 10;
    out->minutes = (int32_t)d->minutes;
    out->energy_mwh = d->energy * 100000;
}

/* ---- the parking lock ---- */

void ykc_parking(const struct ykc_LockState *d, struct cmd_parking *out)
{
    out->connector = (int32_t)d->gun;
    out->lock = d->lock == 0x55 ? LOCK_UP : d->lock == 0xff ? LOCK_DOWN : LOCK_MOVING;
    out->bay = d->bay == 0xff ? BAY_TAKEN : BAY_EMPTY;
    out->battery_pm = d->battery <= 100 ? (int32_t)d->battery * 10 : -1;
    out->alarm = d->alarm == 0xff ? 1 : d->alarm == 0x55 ? 2 : 0;
}

/* ---- discharge ---- */

/* From volts and amperes, DC or the three phases: of the power no document tells the unit. */
static int64_t discharge_w(const struct ykc_DischargeData *d)
{
    const int64_t *o = d->outputs;

    return (d->kind == 1 ? o[0] * o[1] : o[2] * o[5] + o[3] * o[6] + o[4] * o[7]) / 100;
}

void ykc_discharge(const struct ykc_DischargeData *d, struct core_sample *s)
{
    *s = no_sample;
    s->energy_mwh = MWH(d->energy);
    s->power_w = -discharge_w(d);
    s->soc_pm = d->soc > 0 && d->soc <= 100 ? (int32_t)d->soc * 10 : SAMPLE_NONE32;
    s->cost = d->amount;
}

static enum stop_reason discharge_reason(int64_t raw)
{
    return raw == 0x91                  ? STOP_NONE /* ordered by us */
           : raw == 0x92 || raw == 0x93 ? STOP_LIMIT
                                        : ykc_stop_reason(ykc_profile(0), raw);
}

/* Counters of 64 bits: what no meter can hold is noise, and neither of the two is told. */
static void counters_take(const struct ykc_DischargeRecord *r, struct cmd_tx_record *out)
{
    const int64_t most_wh = INT64_C(1000000000000000);

    if (r->meter_start < 0 || r->meter_start > most_wh || r->meter_end < 0 ||
        r->meter_end > most_wh)
        return;
    out->meter_start_mwh = r->meter_start * 1000;
    out->meter_end_mwh = r->meter_end * 1000;
}

void ykc_discharge_record(const struct ykc_DischargeRecord *r, int32_t zone_offset_s,
                          struct cmd_tx_record *out)
{
    int64_t gun = 0;

    if (str_to_i64(str_from_c(r->gun), &gun) == 0)
        out->connector = (int32_t)gun;
    out->stop = (int32_t)discharge_reason(r->reason);
    out->raw_reason = (uint8_t)r->reason;
    str_copy(out->tx_no, sizeof(out->tx_no), str_from_c(r->order));
    out->start_ms = utc_ms(r->start, zone_offset_s);
    out->end_ms = utc_ms(r->end, zone_offset_s);
    for (size_t i = 0; i < ARRAY_LEN(r->energies); i++)
        out->class_energy_mwh[i] = MWH(r->energies[i]);
    counters_take(r, out);
    out->energy_mwh = MWH(r->energy);
    out->amount = r->amount;
    ykc_vin(r->vin, false, out->vin);
}
