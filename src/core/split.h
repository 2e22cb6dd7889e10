// SPDX-License-Identifier: Apache-2.0
/* split.h: who gets which part of an order. A contract version has parties, each with an integer
 * ratio and the fee lines it shares in (electricity, service, occupancy). The amount of each line
 * is divided among that line's parties by the deficit rule: everybody gets the whole posting units
 * due, and each unit left over goes to whoever is furthest behind over all orders of this contract
 * version. What each is behind is kept exactly, as an integer numerator (the residue).
 *
 * Invariants: 1. parts of a line sum exactly to its amount; 2. no part is negative; 3. residues of
 * a line sum to 0, and residue = Σ amount × ratio − Σ part × ratio sum, so rounding favours nobody
 * over time; 4. |residue| < one posting unit, for ever, for every amount that gives each party a
 * unit to lend (amounts of a few units among many parties may pass it until the next ordinary
 * order).
 *
 * Refunds do not recompute the split: they apportion what remains of the stored parts by a divisor
 * method, which never gives anybody more as the remainder falls, is exact at the full amount and
 * zero at zero. Pure functions; any thread. */
#ifndef EVEN_CORE_SPLIT_H
#define EVEN_CORE_SPLIT_H

#include "base/money.h"
#include "core/rows_gen.h"
#include "core/types.h"

#define SPLIT_PARTIES_MAX 16
#define SPLIT_LINES       3 /* electricity, service, occupancy: index of split_line() */
#define SPLIT_RATIO_MAX   1000000
#define SPLIT_AMOUNT_MAX  INT64_C(1000000000000) /* 100 million yuan */

struct split_party {
    int64_t party;
    int32_t lines, ratio; /* bits of enum fee_kind; > 0 */
    int64_t residue[SPLIT_LINES];
};

struct split_contract {
    int64_t id, tenant, family, from_ms;
    int64_t unit; /* posting unit in 1/10,000 */
    int32_t n;
    struct split_party party[SPLIT_PARTIES_MAX];
};

struct split_part {
    int32_t seq;  /* index of the party in the contract */
    int32_t kind; /* enum fee_kind */
    int64_t party;
    struct money base, amount; /* of the line; of this part */
    int32_t ratio, ratio_sum;
};
#define SPLIT_PARTS_MAX (SPLIT_PARTIES_MAX * SPLIT_LINES)

struct split_result {
    int32_t n;
    struct split_part part[SPLIT_PARTS_MAX];
    int64_t residue[SPLIT_PARTIES_MAX]
                   [SPLIT_LINES]; /* the new ones, of all parties of the contract */
};

/** 0, 1, 2 for electricity, service, occupancy. */
int split_line(int32_t fee_kind);
/** Builds and checks a contract version of its rows. ERR_RANGE: no or too many parties, a ratio or
 * a unit out of bounds, a fee line of electricity or service without parties, residues that do not
 * sum to 0; ERR_CONFLICT: a party twice on one line. */
EV_MUST_USE int split_build(struct split_contract *c, const struct row_contract *row,
                            const struct row_contract_party *parties, size_t n);
/** Does anybody share in this fee line? Always true for electricity and service. */
bool split_covers(const struct split_contract *c, int32_t fee_kind);
/** Divides the amounts of the three lines (each 0 … SPLIT_AMOUNT_MAX). Changes nothing:
 * split_commit takes the residues over once the capture is posted. Parts of zero are listed too.
 * ERR_RANGE; ERR_NOT_FOUND: an amount on a line nobody shares in. */
EV_MUST_USE int split_compute(const struct split_contract *c, const struct money base[SPLIT_LINES],
                              struct split_result *out);
void split_commit(struct split_contract *c, const struct split_result *r);
/** The row to store for party i after a commit. */
void split_party_row(const struct split_contract *c, int32_t i, struct row_contract_party *row);

/** What remains of stored parts when `rest` of their sum is left (0 <= rest <= Σ part). Webster's
 * divisor method, ties to the lower index: monotone in `rest` for every party, out = part at the
 * full sum, 0 at 0. n <= SPLIT_PARTS_MAX; parts >= 0. ERR_RANGE. */
EV_MUST_USE int split_remain(const struct money *part, size_t n, struct money rest,
                             struct money *out);

#endif
