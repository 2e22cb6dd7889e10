// SPDX-License-Identifier: Apache-2.0
/* ocpp_sample.h: sampled values as chargers send them → struct core_sample. Values come as decimal
 * strings with noise, in Wh or kWh or without a unit, once as a total or once a phase, at the
 * beginning and the end in one message, or as signed meter data that only the meter's maker can
 * read. Pure: no state, no clock. */
#ifndef EVEN_GATE_OCPP_OCPP_SAMPLE_H
#define EVEN_GATE_OCPP_OCPP_SAMPLE_H

#include "core/cmd.h"
#include "wire/ocpp16.h"

/** A meter value gives at most this many samples: beginning, in between, end. */
#define OCPP_SAMPLES_PER_VALUE 3

/** Writes the samples of one meter value in time order and returns how many; 0 when nothing in it
 * is of use. Values that are no numbers or too large are skipped and counted in *odd. */
int ocpp_samples(const struct ocpp16_MeterValue *v, struct core_sample out[OCPP_SAMPLES_PER_VALUE],
                 uint64_t *odd);

#endif
