// SPDX-License-Identifier: Apache-2.0
/* floor.h: the floor of what is durable: a plain log. Records of 128 bytes, each a movement between
 * two of 600,000 balances in memory with CRC-32C, one write and one fdatasync a batch, into a file
 * that was written once before, so that no sync waits for an allocation. Fails by one line and exit
 * code 1. */
#ifndef EVEN_BENCH_FLOOR_H
#define EVEN_BENCH_FLOOR_H

#include <stdint.h>

enum { FLOOR_ACCOUNTS = 600000 };

struct bench_floor {
    int fd;
    int64_t at;
    uint64_t dice;
    int64_t balance[FLOOR_ACCOUNTS];
};

void floor_open(struct bench_floor *l, const char *dir);
/** One batch. */
void floor_batch(struct bench_floor *l, int records);
/** `count` records, in batches. */
void floor_write(struct bench_floor *l, int batch, int count);

#endif
