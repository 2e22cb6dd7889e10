// SPDX-License-Identifier: Apache-2.0
/* ykc_give.h: what a pile says while energy flows back (放电, E1 … E9), filled from its model. Pure. */
#ifndef EVEN_SIM_YKC_GIVE_H
#define EVEN_SIM_YKC_GIVE_H

#include "sim/model.h"
#include "wire/ykc.h"

/** The data of a gun that gives (E7), but for pile and gun. */
void ykc_give_data(const struct model *m, unsigned gun, struct ykc_DischargeData *out);
/** Its record (E9), but for pile, gun and times. */
void ykc_give_record(const struct model *m, const struct model_event *e,
                     struct ykc_DischargeRecord *out);
/** What E1 says to a start that came to this error, or 0. */
int64_t ykc_give_result(const struct model *m, unsigned gun, int err);

#endif
