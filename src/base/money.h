// SPDX-License-Identifier: Apache-2.0
/* money.h: money is int64 in 1/10,000 of the currency unit (1 fen = 100), wrapped in a struct so
 * that it cannot be mixed with other numbers; energy is int64 mWh; prices are 1/100,000 yuan per
 * kWh. Sums are checked: an overflow is our bug (must). Products run in 128 bits and round once, in
 * the function that names the rule. */
#ifndef EVEN_BASE_MONEY_H
#define EVEN_BASE_MONEY_H

#include "base/str.h"

struct money {
    int64_t v;
};
#define MONEY(x)   ((struct money){(x)})
#define MONEY_ZERO ((struct money){0})
#define MONEY_FEN  100   /* units of one fen */
#define MONEY_UNIT 10000 /* units of one yuan */

struct money money_add(struct money a, struct money b);
struct money money_sub(struct money a, struct money b);
struct money money_neg(struct money a);
struct money money_min(struct money a, struct money b);
struct money money_max(struct money a, struct money b);
int money_cmp(struct money a, struct money b);
/** a × num ÷ den rounded half away from zero; den > 0; must() fits int64. */
int64_t muldiv_half_up(int64_t a, int64_t num, int64_t den);
/** floor(a × num ÷ den); den > 0. */
int64_t muldiv_floor(int64_t a, int64_t num, int64_t den);
/** ceil(a × num ÷ den); den > 0. */
int64_t muldiv_ceil(int64_t a, int64_t num, int64_t den);
/** energy_mwh × price_e5, rounded half up to whole fen: the one rounding of a fee line (DESIGN 4).
 */
struct money money_fee_line(int64_t energy_mwh, int64_t price_e5);
/** Half up to whole fen. */
struct money money_round_fen(struct money a);
/** "4.00", "-1.2345": at least two decimals, at most four. Writes out[32]. */
#define MONEY_TEXT_SIZE 32
void money_format(struct money a, char out[MONEY_TEXT_SIZE]);
/** Exact decimal with at most four places; ERR_SYNTAX, ERR_RANGE. */
EV_MUST_USE int money_parse(struct str s, struct money *out);

/** Decimal text (sign, digits, fraction, exponent) to an integer scaled by 10^scale, rounded half
 * away from zero. Exact for any length of input: "0.15002000000000001" with scale 6 is 150020.
 * ERR_SYNTAX, ERR_RANGE. */
EV_MUST_USE int decimal_parse(struct str s, int scale, int64_t *out);

#endif
