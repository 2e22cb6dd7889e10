// SPDX-License-Identifier: Apache-2.0
/* evidence.h: which readings may move money. Chargers send placeholder zeros, registers that fall,
 * jump, roll over or count from the start of the session, clocks that are wrong, stops that
 * contradict their own samples. Each reading goes through these rules once and comes out as
 * accepted energy or as doubt with a reason; in doubt only the undisputed lower amount counts, the
 * difference is kept apart until a rule or a person decides.
 *
 * State is flat and kept whole in the rows of the session and of the order (doubt, doubt_mwh), so a
 * restart goes on with the next reading as if it had not been.
 *
 * Readings that a network held back arrive together, perhaps with the stop: what could have flowed
 * until a reading and was not told by it is kept as credit, three minutes of it at most, so that a
 * burst is no jump. It is earned by time alone, so all readings together never rise by more than
 * they could without it; what it gives up is to see a jump of less than those minutes in a session
 * that charges below its power. A fall is judged without it, and a disputed jump ends it.
 *
 * Invariants: 1. energy_mwh never falls while the session is open; 2. accepted energy of a step
 * never exceeds greatest power × time × tolerance and the credit; 3. after the stop no reading
 * changes anything. Pure; one thread. */
#ifndef EVEN_CORE_EVIDENCE_H
#define EVEN_CORE_EVIDENCE_H

#include "core/rows_gen.h"
#include "core/types.h"

struct evidence_limits {
    int64_t max_power_w;   /* of the connector, else of the charger; 0 = unknown, then 1 MW */
    bool session_register; /* TRAIT_REGISTER_SESSION: this charger counts from 0 in each session */
};

struct evidence {
    int64_t start_mwh;  /* register at the start, -1 = not known */
    int64_t last_mwh;   /* register of the last good reading, -1 = none */
    int64_t energy_mwh; /* accepted so far */
    int64_t start_ms;
    int64_t last_ms;     /* time of the last good reading */
    uint32_t flags;      /* enum evidence_flag */
    int32_t doubt;       /* enum doubt_reason, the first that came */
    int64_t doubt_mwh;   /* disputed energy, beyond energy_mwh */
    int64_t suspect_mwh; /* an implausible reading that waits for the next one, -1 = none */
    int64_t suspect_ms;
    int64_t credit_mwh; /* could have flowed and was not told: readings may be late together */
    int32_t samples;    /* good ones after the baseline */
    bool ended;
};

/** What one reading did. Energy delta_mwh was used between from_ms and to_ms (feed fee_add with
 * it). */
struct evidence_step {
    int64_t delta_mwh, from_ms, to_ms;
    uint32_t flags;     /* those that fired now */
    bool accepted;      /* the register was good: it may be shown and extrapolated from */
    bool learn_session; /* the register is seen to count from 0: set TRAIT_REGISTER_SESSION */
};

/** Prepares for a session that began at start_ms with the register meter_mwh (-1: the charger told
 * none). */
void evidence_start(struct evidence *e, const struct evidence_limits *lim, int64_t start_ms,
                    int64_t meter_mwh);
/** Rebuilds the state of an open session after a restart. */
void evidence_load(struct evidence *e, const struct row_session *s, const struct row_orders *o);
/** Which time a reading is billed at. Live: the charger's when it is within two minutes of ours,
 * else ours (*flags gets EV_CLOCK). Offline (sent later): the charger's own when it lies between
 * the last good reading and now, else the nearer bound. charger_ms 0 = none. */
int64_t evidence_time(const struct evidence *e, int64_t server_ms, int64_t charger_ms, bool offline,
                      uint32_t *flags);
/** One reading of the import register at at_ms. */
void evidence_reading(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                      int64_t register_mwh, struct evidence_step *out);
/** The stop with its register (-1: none). Reconciles it with the samples; afterwards energy_mwh is
 * the undisputed amount and doubt, doubt_mwh say what waits and why. delta_mwh of the step may be
 * negative: then cut the bill to energy_mwh (fee_cut). */
void evidence_stop(struct evidence *e, const struct evidence_limits *lim, int64_t at_ms,
                   int64_t meter_mwh, struct evidence_step *out);
/** Ends a session without a stop (silence): the last good reading counts. The caller marks the
 * order estimated. */
void evidence_close(struct evidence *e, struct evidence_step *out);

/** A transaction record with energies per class (云快充), judged against itself and the live
 * readings. */
struct evidence_record {
    int64_t start_ms, end_ms;
    int64_t meter_start_mwh, meter_end_mwh; /* -1 = none */
    int64_t energy_mwh;                     /* the total billed */
    int64_t class_mwh[4];
};
/** Afterwards energy_mwh is the undisputed amount, doubt and doubt_mwh what waits. */
void evidence_settle_record(struct evidence *e, const struct evidence_limits *lim,
                            const struct evidence_record *r, struct evidence_step *out);

/** After a record: only energy_mwh of what was accepted is undisputed. */
void evidence_dispute(struct evidence *e, int64_t energy_mwh);

/** Most energy that can flow at max_power_w in that time, with tolerance (10 % and 50 Wh). */
int64_t evidence_energy_max(const struct evidence_limits *lim, int64_t duration_ms);

#endif
