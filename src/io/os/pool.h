// SPDX-License-Identifier: Apache-2.0
/* pool.h: a checkout counter for a fixed number of opaque things that only one thread may use at a
 * time, such as the reader connections of the database. */
#ifndef EVEN_IO_OS_POOL_H
#define EVEN_IO_OS_POOL_H

#include "base/compiler.h"

struct os_pool;

/** Gives a pool of n items (1 to 1,024); the array is copied, the items are borrowed. ERR_NOMEM,
 * ERR_RANGE. */
EV_MUST_USE int os_pool_new(void *const *items, uint32_t n, struct os_pool **out);
/** All items must have come back. Does not free them. */
void os_pool_free(struct os_pool *p);
/** Takes an item, waiting up to timeout_ms real time; NULL at the timeout. Any thread. */
void *os_pool_take(struct os_pool *p, int32_t timeout_ms);
/** Brings an item back. Any thread. */
void os_pool_give(struct os_pool *p, void *item);

#endif
