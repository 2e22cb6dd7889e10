// SPDX-License-Identifier: Apache-2.0
/* world.h: a tiny world around the core for its tests: one tenant, two parties 5:5, a station
 * at 1.2 yuan per kWh, one OCPP charger and one 云快充 pile with two guns each, a driver with 4.00
 * in the wallet. Time stands still unless a test moves it. Every batch is applied to a store of
 * packed rows in memory, from which a fresh core can be loaded (world_restart); after every batch
 * the books must balance. Unless it is eager, the core keeps no more than one idle charger, and
 * finds the rest of the directory by need: so every test is one of what need.c declares. */
#ifndef EVEN_TEST_CORE_WORLD_H
#define EVEN_TEST_CORE_WORLD_H

#include "core/core_state.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct stored {
    enum row_table table;
    struct buf key, row;
};

struct world {
    struct core *core;
    bool eager;  /* every row of the directory is loaded at a start and stays */
    int fetched; /* look-ups in the directory */
    struct core_batch batch;
    struct zone *zone;
    struct arena arena; /* of one step */
    struct arena kept;  /* rows that world_row gave out */
    int64_t now;
    /* the store */
    struct stored *rows;
    size_t rows_n, rows_cap;
    struct sample_record *samples;
    size_t samples_n, samples_cap;
    /* what the last step put out */
    struct out outs[200];
    size_t outs_n;
    struct out_notice notices[32]; /* texts asked for, ever; notices_n may be more */
    size_t notices_n;
    uint64_t rows_last; /* bytes of rows in the last batch */
    uint32_t changed;   /* rows in it other than those of the audit */
    struct buf tape;    /* every batch ever sealed, for comparisons */
    bool taping;
    uint32_t ref;
    /* ids */
    int64_t tenant, platform, owner, person, driver, tariff, contract, station;
    int64_t charger, gun, gun2, pile, pile_gun;
    struct origin conn, pile_conn;
    struct out reply; /* of the last command */
};

void world_init(struct world *w);
void world_init_eager(struct world *w, bool eager);
void world_free(struct world *w);
/** Sends a command, seals; the reply is in w->reply. Returns its err. */
int world_send(struct world *w, struct cmd *cmd);
void world_tick(struct world *w, int64_t to_ms);
/** Moves time step by step through every timer. */
void world_run(struct world *w, int64_t ms);
void world_seal(struct world *w);
void world_restart(struct world *w);
/** Answers one need from the store. */
void world_fetch(struct world *w, const struct core_need *need);
/** The OCPP charger as the core has it, brought back when it has left. */
struct charger *world_charger(struct world *w);
void world_core_new(struct world *w);
void *world_unpacked(struct world *w, const struct stored *s);
void *world_unpacked_to(struct arena *a, const struct stored *s);
struct cmd *world_web(struct world *w, enum cmd_type type, int64_t actor, enum actor_kind kind);
struct cmd *world_gate(struct world *w, enum cmd_type type);

/** The row of a table with this id (first column), or NULL. Lives as long as the world. */
const void *world_row(struct world *w, enum row_table t, int64_t id);
/** The row of a table that was inserted last, or NULL. */
const void *world_last(struct world *w, enum row_table t);
size_t world_count(const struct world *w, enum row_table t);
int64_t world_balance(struct world *w, int32_t kind, int64_t owner);
const struct row_orders *world_order(struct world *w, int64_t id);
const struct row_session *world_session(struct world *w, int64_t order);
bool world_event(struct world *w, int64_t order, enum order_event_kind e);
/** The last OUT_CALL of this kind in the last step, or NULL. */
const struct out *world_call(const struct world *w, enum call_kind kind);
const struct out *world_out(const struct world *w, enum out_type type);
int world_answer(struct world *w, const struct out *call, int err, const char *status);
/** A command of the 云快充 pile. */
struct cmd *world_pile(struct world *w, enum cmd_type type);
/** The pile tells what flowed so far; soc_pm may be SAMPLE_NONE32. */
void world_reading(struct world *w, int32_t gun, const char *tx_no, int64_t energy, int64_t power,
                   int32_t soc_pm);
/** The pile says yes to whatever it was asked: nothing else goes out before. */
void world_answer_pile(struct world *w);
/** Plays every subset of the steps 0 … steps - 1 (what is missing was lost) of at most so many, in every
 * order; returns how many plays that were. */
int world_sequences(int steps, int most, void (*play)(const int *step, int n));

/* Shorthands of the charger and the app. */
int world_put(struct world *w, enum row_table t, bool create, const void *row);
int world_open(struct world *w);
int world_open_pile(struct world *w);
/** Staff take money of the driver, or give some of an order back; a provider says of a payment or payout
 * (amount -1: nothing) how it stands. */
int world_topup(struct world *w, int64_t amount);
int world_refund(struct world *w, int64_t order, int64_t amount);
int world_told(struct world *w, int64_t row, int64_t channel, enum pay_op op, enum pay_state s,
               int64_t amount);
int world_start(struct world *w, int64_t gun, int64_t cap);
/** StartTransaction; returns the tag status; w->reply.u.tag.tx. */
int world_tx_start(struct world *w, int32_t connector, const char *tag, int64_t meter,
                   int64_t time);
int world_meter(struct world *w, int64_t tx, int64_t meter, int64_t power);
int world_tx_stop(struct world *w, int64_t tx, int64_t meter, int64_t time);
int world_status(struct world *w, int32_t connector, enum connector_status s);
int world_close(struct world *w);
/** Starts an order of the app up to CHARGING on the OCPP charger; returns its id. *tx gets the id.
 */
int64_t world_charging(struct world *w, int64_t cap, int64_t *tx);
/** The driver's wallet pays for an order of so much, over all that it has; the order, settled. */
int64_t world_order_of(struct world *w, int64_t energy_mwh);
/** A new channel of that kind. */
int64_t world_channel(struct world *w, int32_t kind);
/** The owner's payee, as staff enter it; `verified` 0 or 1. */
void world_owner_payee(struct world *w, int32_t verified, const char *payee);

#endif
