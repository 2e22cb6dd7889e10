// SPDX-License-Identifier: Apache-2.0
/* collect.h: what a partial payment of a company's bill sets free of the shares that wait for it. The core
 * applies it to all that a party has waiting (company_bill.c); the money story applies it to what that was
 * made of, order by order (web/story_bill.c).
 *
 * Invariant: the function does not fall as `waited` grows, by no more than that grows by, and gives all when
 * nothing lacks any more. So its differences over growing sums of shares are shares of their own: none is
 * negative or more than it is a part of, and together they are what the core set free. */
#ifndef EVEN_CORE_COLLECT_H
#define EVEN_CORE_COLLECT_H

#include "base/money.h"

/** Of the `waited`, when `paid` of the `lacked` came in. */
static inline int64_t collect_part(int64_t waited, int64_t paid, int64_t lacked)
{
    return paid == lacked ? waited : muldiv_floor(waited, paid, lacked);
}

#endif
