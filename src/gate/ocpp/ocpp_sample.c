// SPDX-License-Identifier: Apache-2.0
/* ocpp_sample.c: see ocpp_sample.h. Each quantity is gathered from the values of one context: the
 * total where one is given, else made of the phases (energy and power add up, of currents the
 * greatest counts, of voltages the mean). */
#include "gate/ocpp/ocpp_sample.h"

#include "base/money.h"
#include "base/str.h"

enum part { PART_BEGIN, PART_BETWEEN, PART_END, PARTS };
enum quantity { Q_ENERGY, Q_POWER, Q_POWER_OUT, Q_CURRENT, Q_VOLTAGE, Q_SOC, Q_TEMP, QUANTITIES };
enum { NO_PHASE = 0, MIXED_PHASE = 2 };

struct gathered {
    int64_t total, sum, max; /* scaled as in struct core_sample */
    bool has_total;
    int phases;
};

static enum part part_of(const struct ocpp16_SampledValue *s)
{
    if (s->has.context && s->context == ocpp16_ReadingContext_Transaction_Begin)
        return PART_BEGIN;
    return s->has.context && s->context == ocpp16_ReadingContext_Transaction_End ? PART_END
                                                                                 : PART_BETWEEN;
}

/* Unknown measurands are none of ours; none given means the import register. */
static enum quantity quantity_of(const struct ocpp16_SampledValue *s)
{
    if (!s->has.measurand)
        return Q_ENERGY;
    switch (s->measurand) {
    case ocpp16_Measurand_Energy_Active_Import_Register:
        return Q_ENERGY;
    case ocpp16_Measurand_Power_Active_Import:
        return Q_POWER;
    case ocpp16_Measurand_Power_Active_Export:
        return Q_POWER_OUT;
    case ocpp16_Measurand_Current_Import:
        return Q_CURRENT;
    case ocpp16_Measurand_Voltage:
        return Q_VOLTAGE;
    case ocpp16_Measurand_SoC:
        return Q_SOC;
    case ocpp16_Measurand_Temperature:
        return Q_TEMP;
    default:
        return QUANTITIES;
    }
}

/* Decimal places that turn the value's unit into ours. */
static int scale_of(const struct ocpp16_SampledValue *s, enum quantity q, uint32_t *flags)
{
    enum ocpp16_UnitOfMeasure unit = s->has.unit ? s->unit : ocpp16_UnitOfMeasure_NONE;
    switch (q) {
    case Q_ENERGY:
        if (unit == ocpp16_UnitOfMeasure_kWh)
            return 6;
        if (unit != ocpp16_UnitOfMeasure_Wh)
            *flags |= SAMPLE_UNIT_ASSUMED;
        return 3;
    case Q_POWER:
    case Q_POWER_OUT:
        return unit == ocpp16_UnitOfMeasure_kW ? 3 : 0;
    case Q_CURRENT:
    case Q_VOLTAGE:
        return 3;
    default:
        return 1;
    }
}

/* Tenths of a degree Celsius. */
static int64_t temperature(const struct ocpp16_SampledValue *s, int64_t v)
{
    if (!s->has.unit || v > 1000000 || v < -1000000)
        return v;
    if (s->unit == ocpp16_UnitOfMeasure_K)
        return v - 2732;
    return s->unit == ocpp16_UnitOfMeasure_Fahrenheit ? muldiv_half_up(v - 320, 5, 9) : v;
}

static int phase_of(const struct ocpp16_SampledValue *s)
{
    if (!s->has.phase || s->phase == ocpp16_Phase_NONE)
        return NO_PHASE;
    switch (s->phase) {
    case ocpp16_Phase_L1:
    case ocpp16_Phase_L2:
    case ocpp16_Phase_L3:
    case ocpp16_Phase_L1_N:
    case ocpp16_Phase_L2_N:
    case ocpp16_Phase_L3_N:
        return 1;
    default:
        return MIXED_PHASE; /* neutral, or between two phases: no part of a sum */
    }
}

static void gather(struct gathered *g, int phase, int64_t v)
{
    if (phase == MIXED_PHASE)
        return;
    if (phase == NO_PHASE) {
        g->total = v;
        g->has_total = true;
        return;
    }
    if (__builtin_add_overflow(g->sum, v, &g->sum))
        return;
    g->max = g->phases == 0 || v > g->max ? v : g->max;
    g->phases++;
}

static bool worth(const struct gathered *g, enum quantity q, int64_t *v)
{
    if (g->has_total)
        *v = g->total;
    else if (g->phases == 0)
        return false;
    else if (q == Q_VOLTAGE)
        *v = g->sum / g->phases;
    else
        *v = q == Q_CURRENT ? g->max : g->sum;
    return true;
}

static int32_t narrow(const struct gathered *g, enum quantity q)
{
    int64_t v;
    if (!worth(g, q, &v) || v > INT32_MAX || v <= INT32_MIN)
        return SAMPLE_NONE32;
    return (int32_t)v;
}

static uint32_t context_flags(const struct ocpp16_SampledValue *s)
{
    if (!s->has.context)
        return 0;
    switch (s->context) {
    case ocpp16_ReadingContext_Transaction_Begin:
        return SAMPLE_BEGIN;
    case ocpp16_ReadingContext_Transaction_End:
        return SAMPLE_END;
    case ocpp16_ReadingContext_Sample_Clock:
        return SAMPLE_CLOCK;
    case ocpp16_ReadingContext_Trigger:
        return SAMPLE_TRIGGER;
    default:
        return 0;
    }
}

/* One value into its place. Signed data and what is no number leave a flag or a count, never an
 * error. */
static void value_add(const struct ocpp16_SampledValue *s, struct gathered all[QUANTITIES],
                      uint32_t *flags, uint64_t *odd)
{
    int64_t v;
    if (s->has.format && s->format == ocpp16_ValueFormat_SignedData) {
        *flags |= SAMPLE_SIGNED_DATA;
        return;
    }
    enum quantity q = quantity_of(s);
    if (q == QUANTITIES)
        return;
    uint32_t assumed = 0;
    if (decimal_parse(str_trim(s->value), scale_of(s, q, &assumed), &v)) {
        ++*odd;
        return;
    }
    *flags |= assumed | context_flags(s);
    gather(&all[q], phase_of(s), q == Q_TEMP ? temperature(s, v) : v);
}

static bool sample_make(const struct gathered all[QUANTITIES], struct core_sample *out)
{
    int64_t in = 0, back = 0, energy = SAMPLE_NONE;
    bool has_in = worth(&all[Q_POWER], Q_POWER, &in),
         has_back = worth(&all[Q_POWER_OUT], Q_POWER_OUT, &back);
    worth(&all[Q_ENERGY], Q_ENERGY, &energy);
    out->energy_mwh = energy;
    out->power_w = SAMPLE_NONE;
    if ((has_in || has_back) && __builtin_sub_overflow(in, back, &out->power_w))
        out->power_w = SAMPLE_NONE;
    out->voltage_mv = narrow(&all[Q_VOLTAGE], Q_VOLTAGE);
    out->current_ma = narrow(&all[Q_CURRENT], Q_CURRENT);
    out->soc_pm = narrow(&all[Q_SOC], Q_SOC);
    if (out->soc_pm > 1000 || out->soc_pm < 0)
        out->soc_pm = SAMPLE_NONE32;
    out->temp_dc = narrow(&all[Q_TEMP], Q_TEMP);
    out->cost = SAMPLE_NONE;
    return out->energy_mwh != SAMPLE_NONE || out->power_w != SAMPLE_NONE ||
           out->voltage_mv != SAMPLE_NONE32 || out->current_ma != SAMPLE_NONE32 ||
           out->soc_pm != SAMPLE_NONE32 || out->temp_dc != SAMPLE_NONE32 ||
           (out->flags & SAMPLE_SIGNED_DATA);
}

int ocpp_samples(const struct ocpp16_MeterValue *v, struct core_sample out[OCPP_SAMPLES_PER_VALUE],
                 uint64_t *odd)
{
    int n = 0;
    for (enum part part = PART_BEGIN; part < PARTS; part++) {
        struct gathered all[QUANTITIES] = {0};
        struct core_sample *s = &out[n];
        *s = (struct core_sample){.time_ms = v->timestamp};
        bool any = false;
        for (uint32_t i = 0; i < v->sampledValue_n; i++)
            if (part_of(&v->sampledValue[i]) == part) {
                value_add(&v->sampledValue[i], all, &s->flags, odd);
                any = true;
            }
        n += any && sample_make(all, s);
    }
    return n;
}
