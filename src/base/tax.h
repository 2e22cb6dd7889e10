// SPDX-License-Identifier: Apache-2.0
/* tax.h: tax in prices that contain it, and how an amount falls on the lines of an invoice.
 *
 * An invoice says whole fen. A refund takes from fee lines in finer steps (split.h), so what it took
 * is brought to whole fen line by line here, with the sum untouched. Pure functions; any thread. */
#ifndef EVEN_BASE_TAX_H
#define EVEN_BASE_TAX_H

#include "base/money.h"

#define TAX_BP_MAX 10000

struct tax_parts {
    struct money net, tax;
};

/** Net = gross / (1 + rate), rounded half up to the fen (away from zero below it); tax is the rest,
 * so net + tax = gross always. Both grow with the gross, so what is left of an amount never has more
 * tax than the amount. 0 <= bp <= TAX_BP_MAX. */
struct tax_parts tax_inclusive(struct money gross, int32_t bp);

/** Whole-fen shares of a sum: out[i] near took[i] (by less than two fen where the rooms allow it),
 * 0 <= out[i] <= room[i], Σ out = Σ took exactly (then the last share carries what is no whole fen).
 * took[i] >= 0, Σ took <= Σ room. */
void tax_lines(const int64_t *took, const int64_t *room, int n, int64_t *out);

#endif
