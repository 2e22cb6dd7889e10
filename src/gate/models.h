// SPDX-License-Identifier: Apache-2.0
/* models.h: how often chargers of each model said something odd: over-long text, unknown members,
 * states or units that no document names. Makers are told with numbers.
 *
 * Invariants:
 *  1. Names never change once `n` counts them, so any thread may read what it counts.
 *  2. A table is bounded: models beyond it are counted as one.
 *
 * Written by the gate's thread, read by any. */
#ifndef EVEN_GATE_MODELS_H
#define EVEN_GATE_MODELS_H

#include <stdatomic.h>

#include "base/str.h"

#define GATE_MODELS 48

struct gate_model {
    char label[96]; /* reactor="…",vendor="…",model="…", without quotes or backslashes inside */
    _Atomic uint64_t odd;
};
/** Zero it, then gate_models_init. */
struct gate_models {
    _Atomic uint32_t n;
    uint16_t reactor;
    struct gate_model at[GATE_MODELS];
};

/** Two models: 0, which has not said what it is, and 1, all that found no room. */
void gate_models_init(struct gate_models *m, uint16_t reactor);
/** The place of a model, made when missing. */
uint8_t gate_models_find(struct gate_models *m, struct str vendor, struct str model);
static inline void gate_models_odd(struct gate_models *m, uint8_t model)
{
    atomic_fetch_add_explicit(&m->at[model].odd, 1, memory_order_relaxed);
}

#endif
