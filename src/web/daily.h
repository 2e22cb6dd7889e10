// SPDX-License-Identifier: Apache-2.0
/* daily.h: how often somebody did something within a day: log-in codes asked for, and codes guessed
 * wrong, by phone and by client network. Buckets (quota.h) slow a guesser down; these counts end the
 * day for one who goes on slowly. They lie in a small mapped file, so that a restart does not forget
 * them, not even a crash of the program (a power cut may).
 *
 * Invariants:
 *  1. A count is about 24 hours from its first event; then it starts again from nothing.
 *  2. Memory is fixed. A full row of places gives up what is over, else the smallest count.
 *  3. The file holds keyed hashes, no phone and no address.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_DAILY_H
#define EVEN_WEB_DAILY_H

#include "base/str.h"

#define DAILY_N 32768

enum daily_kind {
    DAILY_CODE_PHONE,
    DAILY_CODE_NET,
    DAILY_GUESS_PHONE,
    DAILY_GUESS_NET,
    DAILY_KINDS
};

struct daily_count {
    uint64_t key; /* 0 = free */
    int64_t from_ms;
    int32_t n, pad;
};
struct daily {
    int32_t most[DAILY_KINDS]; /* as daily_most has it, until somebody sets it */
    struct daily_count *at;
    uint64_t seed;
    bool mapped;
};

/** Opens the counts kept in the file, or in memory only where path is NULL. ERR_NOMEM, ERR_IO,
 * ERR_DENIED, ERR_DISK_FULL. */
EV_MUST_USE int daily_open(struct daily *d, const char *path, uint64_t seed);
void daily_close(struct daily *d);
/** Seconds until `who` may do it again: 0 = now. */
int32_t daily_wait(const struct daily *d, enum daily_kind kind, struct str who, int64_t now_ms);
/** Counts one. */
void daily_count(struct daily *d, enum daily_kind kind, struct str who, int64_t now_ms);
/** How many a day are allowed, if nobody sets it. */
int32_t daily_most(enum daily_kind kind);

#endif
