// SPDX-License-Identifier: Apache-2.0
/* fee.h: from energy to a bill. Between two good readings energy is spread over the tariff's slices
 * in proportion to time, by cumulative rounding, so that not a milliwatt-hour is lost or made. A
 * bill is a flat list of pieces (slice, energy, prices); each piece gives one fee line per fee
 * kind, rounded half up to the fen once; the total is the sum of the lines.
 *
 * Restart: the pieces are the whole state besides what struct evidence keeps (time and register of
 * the last reading). A piece is the row `bill_piece` (session, seq); only the last pieces change
 * with a reading, so fee_add says from which on.
 *
 * Invariants: 1. Σ energy of pieces = energy added; 2. pieces are in the order they began; 3. a
 * bill is never full: pieces that no longer fit join the piece of the same price. Pure; one thread.
 */
#ifndef EVEN_CORE_FEE_H
#define EVEN_CORE_FEE_H

#include "base/money.h"
#include "core/tariff.h"

#define FEE_PIECES_MAX  96
#define FEE_LINES_MAX   (2 * FEE_PIECES_MAX)
#define FEE_SPAN_MAX_MS INT64_C(3456000000) /* energy is spread over 40 days at most */

struct fee_piece {
    int64_t from_ms, to_ms, energy_mwh;
    int32_t elec_e5, service_e5;
    int32_t label; /* index into the tariff's labels */
};
struct fee_bill {
    int32_t n;
    struct fee_piece piece[FEE_PIECES_MAX];
};
struct fee_sum {
    int64_t energy_mwh;
    struct money elec, service, total;
};
struct fee_line {
    int32_t kind; /* enum fee_kind */
    const char *label;
    int64_t from_ms, to_ms, energy_mwh, price_e5;
    struct money amount;
};

/** Adds energy_mwh (>= 0) measured between two instants (from_ms <= to_ms, at most 40 days).
 * Returns the index of the first piece that changed, n when none did. */
int32_t fee_add(struct fee_bill *b, const struct tariff *t, const struct zone *z, int64_t from_ms,
                int64_t to_ms, int64_t energy_mwh);
/** Takes energy off the end until only energy_mwh is left (a disputed rest). */
void fee_cut(struct fee_bill *b, int64_t energy_mwh);
/** A bill of the energies that a pile measured per price class (loss-adjusted as billed). Replaces
 * what is in b. ERR_RANGE: negative energy, or energy in a class that has no price. */
EV_MUST_USE int fee_from_classes(struct fee_bill *b, const struct tariff_classes *classes,
                                 const int64_t energy_mwh[TARIFF_CLASSES], int64_t from_ms,
                                 int64_t to_ms);
/** Adds another meter's bill by the same tariff to this one: energy of one price and one time is one
 * piece, as if one meter had measured both. */
void fee_join(struct fee_bill *b, const struct fee_bill *other);
/** What the bill comes to now: exact, the same that fee_lines would give. */
void fee_sum(const struct fee_bill *b, struct fee_sum *out);
/** Fee lines in order, electricity before service, pieces without energy left out. Returns how
 * many. */
int32_t fee_lines(const struct fee_bill *b, const struct tariff *t,
                  struct fee_line out[FEE_LINES_MAX]);

/** Piece i as the row of table bill_piece, and back (rows may come in any order of seq;
 * ERR_CORRUPT). */
void fee_piece_row(const struct fee_bill *b, const struct tariff *t, int32_t i, int64_t session,
                   struct row_bill_piece *row);
EV_MUST_USE int fee_piece_load(struct fee_bill *b, const struct tariff *t,
                               const struct row_bill_piece *row);

#endif
