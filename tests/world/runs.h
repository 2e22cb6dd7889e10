// SPDX-License-Identifier: Apache-2.0
/* runs.h: what the world test runs. Each returns 0, or 1 when a figure misses its bar; a broken
 * rule aborts at once. */
#ifndef EVEN_WORLD_RUNS_H
#define EVEN_WORLD_RUNS_H

#include "world/world.h"

/** Drivers living their day at chargers with every bad habit, with kills in between, seed by seed.
 */
int run_days(uint64_t first_seed, int seeds);
/** The prepaid cap: n sessions in each group of chargers; prints the distributions. */
int run_cap(int n);
/** n starts that fail, of every kind; prints when the hold was free again. */
int run_starts(int n);
/** n sessions of a platform that dies for good; prints what chargers gave beyond the cap. */
int run_lost(int n);

#endif
