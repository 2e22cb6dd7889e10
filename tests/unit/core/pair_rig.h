// SPDX-License-Identifier: Apache-2.0
/* pair_rig.h: a world with a pile of two guns that charge one vehicle at once, and the words of the app and
 * of the pile that the tests of pairs are told in. */
#ifndef EVEN_TESTS_PAIR_RIG_H
#define EVEN_TESTS_PAIR_RIG_H

#include "core/parallel.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)

extern struct world pair_world;

/** The pair that a test plays with; gun 0 is the main one. */
extern struct pair {
    int64_t gun[2], order[2], start_ms;
    char tx_no[2][33];
    int32_t payer;
    int64_t end_ms; /* of its records, 0 = ten minutes after the start */
} pair;

int64_t pair_gun_add(int64_t charger, int32_t number);
void pair_begin(void);
int pair_up(void **state);
int pair_down(void **state);
int pair_start(int64_t gun, int64_t second, int64_t cap);
void pair_reading(int i, int64_t energy, int64_t power);
void pair_record_as(int i, int64_t energy, enum stop_reason stop, int64_t amount);
void pair_record(int i, int64_t energy);
const struct row_orders *pair_order(int i);
int64_t pair_wallet(void);
int64_t pair_held(void);
/** The last call to this gun in the last step, or NULL. */
const struct out *pair_call(int i, enum call_kind kind);
/** A remote start up to the call for the main gun; up to that for the second one; up to both charging. */
struct out pair_started(int64_t cap);
struct out pair_accepted(int64_t cap);
void pair_charging(int64_t cap);
int pair_raise(int i, int64_t amount);

#endif
