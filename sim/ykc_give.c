// SPDX-License-Identifier: Apache-2.0
/* ykc_give.c: see ykc_give.h. The pile counts money at the prices of charging that it holds: it is
 * told no others, and has no service fee for what comes back. Owns nothing. */
#include "sim/ykc_give.h"

#include "base/err.h"

enum { DC = 1, GIVING = 4, KWH_E4 = 100 /* mWh in 1/10,000 kWh */, KWH_E3 = 1000 };

void ykc_give_data(const struct model *m, unsigned gun, struct ykc_DischargeData *out)
{
    const struct model_gun *g = &m->guns[gun];
    struct model_event e;
    model_sample(m, gun, &e);
    int64_t volt = 340 + e.soc_pm * 60 / 1000;
    *out = (struct ykc_DischargeData){.kind = DC,
                                      .state = GIVING,
                                      .plugged = 1,
                                      .soc = e.soc_pm / 10,
                                      .minutes = (g->at_ms - g->start_ms) / 60000,
                                      .energy = model_energy_mwh(m, gun) / KWH_E4,
                                      .meter_start = g->start_mwh / KWH_E3,
                                      .meter = g->meter_mwh / KWH_E3,
                                      .power = e.power_w / 100,
                                      .temp = 35};
    out->outputs[0] = volt * 10;
    out->outputs[1] = e.power_w * INT64_C(10) / volt;
    (void)str_copy(out->order, sizeof out->order, str_from_c(g->id));
    memset(out->faults, '0', sizeof out->faults - 1);
    for (unsigned i = 0; i < 4; i++) {
        out->energies[i] = g->class_mwh[i] / KWH_E4;
        out->elec_fees[i] = model_class_amount(m, gun, i);
        out->amount += out->elec_fees[i];
    }
}

static int64_t reason_of(uint8_t reason)
{
    switch ((enum model_reason)reason) {
    case STOPPED_REMOTE:
    case STOPPED_TURNED:
        return 0x91;
    case STOPPED_FLOOR:
        return 0x93;
    case STOPPED_FAULT:
        return 0x71;
    case STOPPED_RESET:
        return 0x83;
    default:
        return 0x45;
    }
}

void ykc_give_record(const struct model *m, const struct model_event *e,
                     struct ykc_DischargeRecord *out)
{
    const struct model_gun *g = &m->guns[e->gun];
    int64_t soc0 = e->soc_pm;
    if (g->capacity_mwh)
        soc0 += (g->meter_mwh - g->start_mwh) * 1000 / g->capacity_mwh;
    *out = (struct ykc_DischargeRecord){.seconds = (g->end_ms - g->start_ms) / 1000,
                                        .soc_start = soc0 / 10,
                                        .soc_end = e->soc_pm / 10,
                                        .reason = reason_of(e->reason),
                                        .meter_start = g->start_mwh / KWH_E3,
                                        .meter_end = e->meter_mwh / KWH_E3,
                                        .mark = 1};
    (void)str_copy(out->order, sizeof out->order, str_from_c(g->id));
    for (unsigned i = 0; i < 4; i++) {
        out->energies[i] = g->class_mwh[i] / KWH_E4;
        out->elec_fees[i] = model_class_amount(m, e->gun, i);
        out->energy += out->energies[i];
        out->amount += out->elec_fees[i];
    }
}

int64_t ykc_give_result(const struct model *m, unsigned gun, int err)
{
    bool busy = model_busy(m, gun);
    if (!err)
        return 0;
    if (!m->priced)
        return 4;
    return err == ERR_NOT_PLUGGED       ? 2
           : busy && m->guns[gun].gives ? 6
           : busy || err == ERR_BUSY    ? 3
           : err == ERR_FAULTED         ? 1
                                        : 255;
}
