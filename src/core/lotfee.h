// SPDX-License-Identifier: Apache-2.0
/* lotfee.h: what channels charge for the money that pays an order. A driver's principal comes in lots, each with
 * the fee rate of its channel as it was paid (cash, gift of staff, what came back by hand: 0), and is spent
 * oldest first. Which lots are left is kept as a queue of amounts by rate in the driver's row, so that no
 * lot has to be in memory and no order writes a row for what it used:
 *
 *  what happens                     the queue
 *  top-up                           at its end, what a debt took left out
 *  an order takes principal         from its front; the order notes what, by rate
 *  a single payment's order         the newest money of its payment's rate
 *  an order gives back              what it took last goes back to the front first
 *  a lot goes back to its source    the newest money of its rate; at the end again if that fails
 *  a discharge pays                 at its end, of rate 0
 *  … and takes back                 the newest money of rate 0
 *  principal goes with a gift       the newest money; back at rate 0
 *
 * A queue without any rate is empty (nothing is written for whoever pays cash); it begins with the first
 * lot that has one, behind what the wallet has then. With LOT_PARTS_MAX parts the newest two, or at the
 * front the oldest two, become one at the lower of their rates: the operator bears it.
 *
 * The fee of what an order took is Σ part × rate, rounded once (lot_fee_round), and is what the clause
 * CLAUSE_CHANNEL takes off its split base. What was a debt had no lot, and costs nothing.
 *
 * Invariants: 1. a queue that is not empty sums to the wallet's principal; 2. neighbours have different
 * rates, and no part is zero. doc/decisions/channel-fee-follows-lots.md. */
#ifndef EVEN_CORE_LOTFEE_H
#define EVEN_CORE_LOTFEE_H

#include "core/core_state.h"

#define LOT_PARTS_MAX 16
#define LOT_TEXT_SIZE 401

struct lots {
    int32_t n;
    struct lot_part {
        int64_t amount;
        int32_t bp;
    } part[LOT_PARTS_MAX]; /* oldest first */
};

/* ---- pure ---- */

/** Of a text that lots_write made; NULL and what is no queue are the empty one. */
void lots_read(const char *text, struct lots *q);
void lots_write(const struct lots *q, char out[LOT_TEXT_SIZE]);
void lots_add(struct lots *q, int64_t amount, int32_t bp);   /* at the end */
void lots_first(struct lots *q, int64_t amount, int32_t bp); /* at the front */
/** Takes from the front, or the newest of a rate and then (bp < 0: at once) the newest; adds what was taken to
 * `drawn` (NULL = nobody asks). Takes no more than is there. */
void lots_take(struct lots *q, int64_t amount, struct lots *drawn);
void lots_newest(struct lots *q, int64_t amount, int32_t bp, struct lots *drawn);
/** The fee of these parts, half up to the money unit. */
int64_t lot_fee_round(const struct lots *drawn);

/* ---- of drivers and orders: before the posting that they are part of ---- */

void lots_in(struct core *c, int64_t driver, int64_t amount, int32_t bp);
/** Principal that goes by no order: bp −1 = of any rate. */
void lots_out(struct core *c, int64_t driver, int64_t amount, int32_t bp);
/** The order takes principal: its lots, its fee, and o->lot_now of what it takes now. */
void lots_pay(struct core *c, struct order *o, int64_t amount);
void lots_back(struct core *c, struct order *o, int64_t amount);

#endif
