// SPDX-License-Identifier: Apache-2.0
/* run.h: one life of a house on the recorded disk, and what was acknowledged when. A run starts in
 * an empty folder, or in one that a power cut left, with the people as they were then. */
#ifndef EVEN_CRASH_RUN_H
#define EVEN_CRASH_RUN_H

#include "crash/book.h"
#include "crash/disk.h"
#include "crash/house.h"

enum { RUN_BATCHES = 400 };

/** One commit. Marks are positions on the tape. */
struct run_batch {
    char *rows, *samples;
    size_t rows_n, samples_n;
    struct book_sum after; /* what is true once it is done */
    struct people people;  /* what people know once they were answered */
    size_t begun, told;    /* told SIZE_MAX: never answered */
};

struct run {
    struct run_batch batch[RUN_BATCHES];
    int n;                        /* batches begun */
    struct book_sum before;       /* … the first */
    struct people people;         /* … likewise */
    int rows_from, samples_from;  /* batches of the parent that the folder held already */
    const struct run *parent;     /* NULL: started empty */
    int err;                      /* what ended it early, 0 = its plan was done */
    bool err_at_open, unanswered; /* … while opening; a fault struck a commit that answered 0 */
};

struct run_plan {
    const char *folder;
    uint64_t seed;
    int steps;
    int restart_every, keep_every; /* steps between clean restarts, between runs of the keeper */
    enum disk_fault fault;
    int countdown;
    bool stop_open; /* leave the program as it stands, as if it were killed */
};

/** Starts where a parent was cut: its first `rows` and `samples` batches are there, people know
 * what was told up to `told`. */
void run_inherit(struct run *r, const struct run *parent, int rows, int samples, int told);
/** Lives. The tape of disk.h holds what happened below the folder. */
void run_live(struct run *r, const struct run_plan *plan);
void run_free(struct run *r);

/** Batches that had been answered, or begun, after the first n operations of the tape. */
int run_told(const struct run *r, size_t n);
int run_begun(const struct run *r, size_t n);
/** What is true after so many batches of this run. */
struct book_sum run_sum(const struct run *r, int batches);

/** Commits samples of a session nobody else knows until the sample log is about to roll to its next
 * file; counts as one batch of the run, before its tape. */
void run_fill_log(struct run *r, const char *folder);

#endif
