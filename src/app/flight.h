// SPDX-License-Identifier: Apache-2.0
/* flight.h: the flight recorder: every command as the core applied it, with its time; every tick that
 * fired a timer; of every sealed batch a hash of its rows, samples and answers. With the state that a
 * start of the program began from, `even replay-core` can live the same life again and say where it
 * differs (flight_replay.h).
 *
 * Files: DIR/flight/<ms of the start>-<part>.flight. A start begins a new run of parts; the oldest
 * parts go when all of them together exceed the bound. Each file begins with a head that names the
 * run, the part, the limits of the core and the state (a hash over the rows that were loaded, and
 * the time of the ledger).
 *
 * They hold commands: phone numbers, password hashes, session secrets. So they are readable by
 * their owner alone, and are in no backup.
 *
 * Invariants: 1. what a batch was made of is written before the batch may be committed; 2. a
 * recorder that cannot write says so once, stops, and holds nobody up. Writes are not synced: a
 * crash of the program loses nothing, one of the machine the last seconds. One thread, the core's. */
#ifndef EVEN_APP_FLIGHT_H
#define EVEN_APP_FLIGHT_H

#include "core/core.h"

#define FLIGHT_MAGIC   0x54484749464e5645u /* "EVNFIGHT" in the file */
#define FLIGHT_VERSION 1

struct flight;

/** First bytes of a file, in the byte order of the machine. */
struct flight_head {
    uint64_t magic;
    uint32_t version, cmd_version;
    int64_t run;    /* ms of the start */
    uint64_t state; /* what the run began from */
    int64_t now_ms; /* the core's time then */
    struct core_limits limits;
    uint32_t part;
    uint32_t crc; /* CRC-32C of all before it */
};

enum flight_kind { FLIGHT_CMD = 1, FLIGHT_TICK, FLIGHT_SEAL, FLIGHT_REST };

/** Before each record; the body follows, padded with zeros to 8 bytes. */
struct flight_record {
    uint32_t n, kind;
    uint32_t body_crc; /* CRC-32C of the body with its padding */
    uint32_t crc; /* … of the three before it: a record that was cut off is no damage, one whose
                          length was altered is */
};
struct flight_seal {
    uint64_t number, commands;
    int64_t now_ms;
    uint64_t rows, samples, outs; /* hashes */
};

/** Gives a recorder for the folder, which is made if need be; bytes: bound of all files together.
 * ERR_NOMEM. */
EV_MUST_USE int flight_new(const char *dir, int64_t bytes, struct flight **out);
void flight_free(struct flight *f);

/** Begins a run; the first record follows. */
void flight_begin(struct flight *f, const struct core_limits *limits, uint64_t state,
                  int64_t now_ms);
void flight_cmd(struct flight *f, const struct cmd *cmd);
void flight_tick(struct flight *f, int64_t now_ms);
/** Batches up to this number are durable: what is idle may leave the core's memory. */
void flight_rest(struct flight *f, uint64_t settled);
/** What follows cannot be lived again. */
void flight_stop(struct flight *f);
void flight_seal(struct flight *f, const struct core_batch *batch, int64_t now_ms);

/** What flight_seal notes of a batch. */
struct flight_seal flight_hash(const struct core_batch *batch);
uint32_t flight_head_crc(const struct flight_head *h);
uint32_t flight_record_crc(const struct flight_record *r);
/** Bytes of a body of n bytes with its padding. */
static inline size_t flight_padded(uint32_t n)
{
    return ((size_t)n + 7) / 8 * 8;
}

#endif
