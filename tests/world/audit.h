// SPDX-License-Identifier: Apache-2.0
/* audit.h: the second set of books. The auditor sees only what leaves the core (rows, in the order
 * they are sealed) and what really happened at the chargers (truths); it knows nothing of the
 * core's memory. It keeps sorted arrays, adds up transfers leg by leg, and says of every finished
 * order what it must have cost whom.
 *
 * It fails by must() with the rule that was broken; audit_finish checks what can be said only at
 * the end. */
#ifndef EVEN_WORLD_AUDIT_H
#define EVEN_WORLD_AUDIT_H

#include "core/rows.h"
#include "core/types.h"

/** A sorted array of records that begin with an int64_t id. */
struct audit_table {
    char *v;
    size_t n, size, record;
};

struct audit_account {
    int64_t id, tenant, owner;
    int32_t kind;
    int64_t journal;        /* balance by the transfers */
    int64_t row_balance;    /* by the account's row */
    int64_t row_held, held; /* by the row; by open holds */
    int64_t last;           /* transfer */
    int64_t parts;          /* shares booked to it */
};
struct audit_hold {
    int64_t id, account, order, amount, captured, released, created_ms, resolved_ms;
    int32_t state;
};
struct audit_order {
    int64_t id, driver, charger, contract, tariff, cap, hold, energy_mwh, total, paid, loss,
        doubt_mwh;
    int64_t created_ms, end_ms, settled_ms;
    int32_t state, payer_kind, doubt, estimated, fail, stop_reason;
    int64_t lines[8], line_energy[8], parts[8]; /* by fee kind */
    int64_t property;                           /* of the parts, those of the property owner */
    int32_t parts_n, transfers;
};
struct audit_session {
    int64_t id, order, charger, tx;
    int32_t evidence;
    char tx_no[33];
};

/** What really happened in one transaction at a charger. */
struct audit_truth {
    int64_t charger, tx;
    char tx_no[33];
    int64_t start_mwh, stop_mwh; /* registers as they were sent */
    int32_t habit;
    bool ykc;
};

struct audit {
    struct audit_table accounts, holds, orders, sessions;
    struct audit_truth *truths;
    size_t truths_n, truths_size;
    struct audit_table topups; /* by driver */
    struct arena scratch;
    uint64_t transfers, batches;
    /* Counted at the end. */
    uint64_t settled, failed, doubtful, known, exact, overruns;
};

void audit_init(struct audit *a);
void audit_free(struct audit *a);
/** Takes a sealed batch. */
void audit_batch(struct audit *a, struct str rows);
void audit_truth_add(struct audit *a, const struct audit_truth *t);
void audit_topup_add(struct audit *a, int64_t driver, int64_t amount);

/** What the auditor was told of the terms: one flat tariff, and contracts with the property owner's
 * ratio. */
struct audit_terms {
    int64_t flat, elec_e5, service_e5;
    int64_t contract[2], property_ratio[2], ratio_sum[2], unit[2];
};
/** Everything is over: no open hold, no open order; every order against its truth; every wallet
 * against its top-ups; shares within the rounding of the contract; sums to zero. */
void audit_finish(struct audit *a, const struct audit_terms *terms);
const struct audit_order *audit_order(const struct audit *a, int64_t id);
const struct audit_hold *audit_hold(const struct audit *a, int64_t id);
int64_t audit_holds_open(const struct audit *a);

#endif
