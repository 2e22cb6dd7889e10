// SPDX-License-Identifier: Apache-2.0
/* phone.h: one phone, one driver, however the number is typed: "+86" in front of a mainland number of
 * eleven digits is left off. Pure. */
#ifndef EVEN_WEB_PHONE_H
#define EVEN_WEB_PHONE_H

#include "base/str.h"

/** The number as it is kept and compared; borrows. */
static inline struct str phone_plain(struct str typed)
{
    bool mainland = typed.n == 14 && str_starts(typed, STR_LIT("+861"));

    return mainland ? str_from(typed.p + 3, typed.n - 3) : typed;
}

#endif
