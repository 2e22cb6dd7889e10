// SPDX-License-Identifier: Apache-2.0
/* split.h: who gets which part of an order. A contract version has parties, each with an integer
 * ratio and the fee lines it shares in (electricity, service, occupancy), and perhaps clauses
 * (struct split_terms). Each fee line is divided by itself:
 *
 *  1. first clauses, in their order: per kWh, fixed per order, percent of the line, the fee of the
 *     lots that paid (by the lines' amounts); each as far as the line goes. What a clause per kWh or per order does not find in its first line it takes
 *     from its next (electricity, service, occupancy).
 *  2. the rest by ratios. With tiers an order that crosses a threshold of its month is cut there,
 *     and each piece goes by the ratios of its level; they have the same sum at each level.
 *  3. agents: out of a party's part by ratio, or out of another agent's, to any depth of 4.
 *  4. caps: what exceeds a party's month goes to the operator.
 *
 * Each division is a deal (deal.h) under the contract's rounding rule. By the deficit rule what each
 * is behind is kept exactly, as an integer numerator (the residue): over the ratio sum for parties,
 * over SPLIT_DUE_DEN for first clauses, over 10,000 for agents.
 *
 * Invariants: 1. parts of a line sum exactly to its amount; 2. no part is negative; 3. by the
 * deficit rule residues of a line's parties sum to 0, and residue = Σ due − Σ part × denominator, so
 * rounding favours nobody over time; 4. |residue| < one posting unit, for ever, for every amount
 * that gives each party a unit to lend (amounts of a few units among many parties may pass it until
 * the next ordinary order).
 *
 * Refunds do not recompute the split: they apportion what remains of the stored parts by a divisor
 * method, which never gives anybody more as the remainder falls, is exact at the full amount and
 * zero at zero. Pure functions; any thread. */
#ifndef EVEN_CORE_SPLIT_H
#define EVEN_CORE_SPLIT_H

#include "base/money.h"
#include "core/rows_gen.h"
#include "core/types.h"

#define SPLIT_PARTIES_MAX 16 /* of a contract, those of its clauses included */
#define SPLIT_CLAUSES_MAX 24
#define SPLIT_LEVELS_MAX  4 /* thresholds of tiers */
#define SPLIT_DEPTH_MAX   4 /* agents above agents */
#define SPLIT_LINES       3 /* electricity, service, occupancy: index of split_line() */
#define SPLIT_RATIO_MAX   1000000
#define SPLIT_BP          10000
#define SPLIT_DUE_DEN     INT64_C(10000000)      /* mWh × price_e5 over money units */
#define SPLIT_AMOUNT_MAX  INT64_C(1000000000000) /* 100 million yuan */
#define SPLIT_ENERGY_MAX  INT64_C(100000000000)  /* 100 MWh */

struct split_party {
    int64_t party;
    int32_t lines, ratio; /* bits of enum fee_kind; > 0 */
    int64_t residue[SPLIT_LINES];
};

struct split_clause {
    int32_t kind, lines; /* enum clause_kind; bits of enum fee_kind */
    int64_t party, parent, rate, above;
    int64_t residue[SPLIT_LINES];
};

/** The clauses of a contract, and what follows from them. */
struct split_terms {
    int32_t n, levels, agents;
    struct split_clause clause[SPLIT_CLAUSES_MAX]; /* clause i has seq i + 1 */
    int64_t above[SPLIT_LEVELS_MAX];               /* thresholds, ascending */
    int32_t ratio[SPLIT_LEVELS_MAX + 1][SPLIT_PARTIES_MAX][SPLIT_LINES];
    int32_t agent[SPLIT_CLAUSES_MAX]; /* clauses of agents, parents before children */
};

struct split_contract {
    int64_t id, tenant, family, from_ms, to_ms;
    int64_t operator;
    int64_t unit; /* posting unit in 1/10,000 */
    int32_t rounding, gift_rule;
    struct split_terms *terms; /* borrowed; NULL = no clauses */
    int32_t n;
    struct split_party party[SPLIT_PARTIES_MAX];
};

struct split_part {
    int32_t seq;  /* index of the party in the contract */
    int32_t kind; /* enum fee_kind */
    int64_t party;
    struct money base, amount; /* what was divided; this part of it, what was passed on taken off */
    int32_t ratio, ratio_sum;
    int32_t clause;      /* 0 = by ratio; else seq of the clause */
    struct money passed; /* on to agents, or over a cap */
    int64_t due;         /* first clauses: over SPLIT_DUE_DEN */
};
/** Parts of an order by party and line, at most: those of a contract, and the operator. */
#define SPLIT_PARTS_MAX ((SPLIT_PARTIES_MAX + 1) * SPLIT_LINES)
#define SPLIT_RESULT_MAX                                                                           \
    (SPLIT_LINES * (SPLIT_PARTIES_MAX * (SPLIT_LEVELS_MAX + 1) + SPLIT_CLAUSES_MAX))

/** What is divided, and how far the contract's month is before it. */
struct split_input {
    struct money base[SPLIT_LINES]; /* each 0 … SPLIT_AMOUNT_MAX */
    int64_t energy_mwh;             /* of these amounts; 0 … SPLIT_ENERGY_MAX */
    bool again;                     /* the order was divided before: no fixed amount any more */
    int64_t lot_fee; /* what channels charge for these amounts: 0 … SPLIT_AMOUNT_MAX */
    int64_t month_base, month_energy;
    int64_t month_got[SPLIT_CLAUSES_MAX]; /* of the party of a cap, at the cap's place */
};

struct split_result {
    int32_t n;
    struct split_part part[SPLIT_RESULT_MAX];
    /* The new residues, of all parties and clauses of the contract. */
    int64_t residue[SPLIT_PARTIES_MAX][SPLIT_LINES];
    int64_t clause_residue[SPLIT_CLAUSES_MAX][SPLIT_LINES];
};

/** 0, 1, 2 for electricity, service, occupancy. */
int split_line(int32_t fee_kind);
int32_t split_line_kind(int line);
/** Builds and checks a contract version of its rows, without clauses. ERR_RANGE: no or too many
 * parties, a ratio, a unit or a rule out of bounds, an end before its beginning, a fee line of
 * electricity or service without parties, residues that do not sum to 0; ERR_CONFLICT: a party twice
 * on one line. */
EV_MUST_USE int split_build(struct split_contract *c, const struct row_contract *row,
                            const struct row_contract_party *parties, size_t n);
/** Adds the clauses to a contract that was built; *t stays the caller's and must outlive it.
 * ERR_RANGE or ERR_CONFLICT; *fault then says what is wrong with which clause, for people. */
struct split_fault {
    int32_t seq; /* 0 = no single one */
    const char *text;
};
EV_MUST_USE int split_terms_build(struct split_contract *c, struct split_terms *t,
                                  const struct row_contract_clause *rows, size_t n,
                                  struct split_fault *fault);
/** Does anybody share in this fee line? Always true for electricity and service. */
bool split_covers(const struct split_contract *c, int32_t fee_kind);
bool split_first_kind(int32_t kind); /* is it a first clause? */
bool split_month_kind(int32_t kind); /* does it count or post by month? */
int64_t split_ratio_sum(const struct split_contract *c, int line);
/** The party's entry on this line, or -1. */
int32_t split_party_at(const struct split_contract *c, int64_t party, int line);
/** Divides the amounts of the three lines. Changes nothing: split_commit takes the residues over
 * once the capture is posted. Parts of zero are listed too. ERR_RANGE; ERR_NOT_FOUND: an amount on a
 * line nobody shares in. */
EV_MUST_USE int split_compute(const struct split_contract *c, const struct split_input *in,
                              struct split_result *out);
void split_commit(struct split_contract *c, const struct split_result *r);
/** The rows to store for party i, or clause i, after a commit. */
void split_party_row(const struct split_contract *c, int32_t i, struct row_contract_party *row);
void split_clause_row(const struct split_contract *c, int32_t i, struct row_contract_clause *row);
/** What a month's end owes each party: rents, and the least that it shall have got. */
#define SPLIT_DUES_MAX 64
struct split_dues {
    int32_t n;
    struct split_due {
        int64_t party, rent, guarantee;
    } v[SPLIT_DUES_MAX];
};
/** Adds those of one version for as long as it was in force from `begin` to `end`, at most until
 * `until` (when the next version began). The table is larger than what the core admits. */
void split_month_dues(const struct split_contract *c, int64_t begin, int64_t end, int64_t until,
                      struct split_dues *out);
/** What is to be paid to a party that got `got`, in whole fen. */
int64_t split_due_amount(const struct split_due *d, int64_t got);

/** What remains of stored parts when `rest` of their sum is left (0 <= rest <= Σ part). Webster's
 * divisor method, ties to the lower index: monotone in `rest` for every party, out = part at the
 * full sum, 0 at 0. n <= SPLIT_PARTS_MAX; parts >= 0. ERR_RANGE. */
EV_MUST_USE int split_remain(const struct money *part, size_t n, struct money rest,
                             struct money *out);

#endif
