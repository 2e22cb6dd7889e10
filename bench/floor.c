// SPDX-License-Identifier: Apache-2.0
/* floor.c: see floor.h. Data: one file DIR/floor.log, written round and round. */
#define _GNU_SOURCE
#include "floor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { RECORD = 128 };
#define LOG_BYTES (INT64_C(512) << 20)

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "the floor's log: %s\n", what);
    exit(1);
}

void floor_open(struct bench_floor *l, const char *dir)
{
    static char zero[1 << 20];
    char path[300];
    snprintf(path, sizeof path, "%s/floor.log", dir);
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    check(l->fd >= 0, path);
    if (lseek(l->fd, 0, SEEK_END) >= LOG_BYTES)
        return;
    for (int64_t at = 0; at < LOG_BYTES; at += (int64_t)sizeof zero)
        check(pwrite(l->fd, zero, sizeof zero, at) == sizeof zero, path);
    check(fdatasync(l->fd) == 0, path);
}

static void record(struct bench_floor *l, uint8_t out[RECORD])
{
    struct rng rng = {.s = l->dice++};
    uint32_t from = (uint32_t)rng_below(&rng, FLOOR_ACCOUNTS),
             to = (uint32_t)rng_below(&rng, FLOOR_ACCOUNTS);
    int64_t legs[8] = {from, -10, to, 10};
    l->balance[from] -= 10;
    l->balance[to] += 10;
    legs[4] = l->balance[from];
    legs[5] = l->balance[to];
    memset(out, 0, RECORD);
    memcpy(out, legs, sizeof legs);
    uint32_t crc = crc32c(0, out, RECORD - 4);
    memcpy(out + RECORD - 4, &crc, 4);
}

void floor_batch(struct bench_floor *l, int records)
{
    size_t size = (size_t)records * RECORD;
    uint8_t *out = malloc(size);
    must(out);
    for (int i = 0; i < records; i++)
        record(l, out + (size_t)i * RECORD);
    if (l->at + (int64_t)size > LOG_BYTES)
        l->at = 0;
    check(pwrite(l->fd, out, size, l->at) == (ssize_t)size, "write");
    check(fdatasync(l->fd) == 0, "sync");
    l->at += (int64_t)size;
    free(out);
}

void floor_write(struct bench_floor *l, int batch, int count)
{
    for (; count > 0; count -= batch)
        floor_batch(l, count < batch ? count : batch);
}
