// SPDX-License-Identifier: Apache-2.0
/* pool.c: see pool.h.
 *
 * Data: a stack of the free items under a mutex with a condition.
 *
 * Invariants:
 *  1. free <= n.
 *  2. An item is either on the stack or with exactly one taker.
 *
 * Threads: any. Failure: none after creation; bringing back too much is our bug. */
#include "io/os/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/err.h"
#include "base/must.h"

struct os_pool {
    pthread_mutex_t lock;
    pthread_cond_t back;
    uint32_t n, free;
    void *items[];
};

int os_pool_new(void *const *items, uint32_t n, struct os_pool **out)
{
    struct os_pool *p;
    pthread_condattr_t attr;

    *out = NULL;
    if (n == 0 || n > 1024)
        return ERR_RANGE;
    p = calloc(1, sizeof(*p) + n * sizeof(p->items[0]));
    if (p == NULL)
        return ERR_NOMEM;
    must(pthread_mutex_init(&p->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&p->back, &attr) == 0);
    pthread_condattr_destroy(&attr);
    p->n = p->free = n;
    memcpy(p->items, items, n * sizeof(p->items[0]));
    *out = p;
    return 0;
}

void os_pool_free(struct os_pool *p)
{
    if (p == NULL)
        return;
    must(p->free == p->n);
    pthread_cond_destroy(&p->back);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct timespec pool_due(int32_t timeout_ms)
{
    struct timespec ts;

    must(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    ts.tv_sec += timeout_ms / 1000;
    ts.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

void *os_pool_take(struct os_pool *p, int32_t timeout_ms)
{
    struct timespec due = pool_due(timeout_ms);
    void *item = NULL;

    must(pthread_mutex_lock(&p->lock) == 0);
    while (p->free == 0 && pthread_cond_timedwait(&p->back, &p->lock, &due) == 0)
        ;
    if (p->free > 0)
        item = p->items[--p->free];
    pthread_mutex_unlock(&p->lock);
    return item;
}

void os_pool_give(struct os_pool *p, void *item)
{
    must(pthread_mutex_lock(&p->lock) == 0);
    must(p->free < p->n);
    p->items[p->free++] = item;
    pthread_cond_signal(&p->back);
    pthread_mutex_unlock(&p->lock);
}
