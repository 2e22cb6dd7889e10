// SPDX-License-Identifier: Apache-2.0
/* judge.h: what is left after a power cut. The house starts again in the folder; then the folder is
 * read and compared with what was told, and the books are checked. */
#ifndef EVEN_CRASH_JUDGE_H
#define EVEN_CRASH_JUDGE_H

#include "crash/run.h"

enum verdict {
    VERDICT_RIGHT,
    VERDICT_LOST,   /* something acknowledged is gone */
    VERDICT_MIXED,  /* part of a batch, or rows that nobody committed */
    VERDICT_CLOSED, /* the house does not start */
    VERDICT_BOOKS,  /* `even check` finds the books wrong */
    VERDICT_N
};

struct finding {
    enum verdict verdict;
    int rows, samples; /* batches of the run whose rows, samples are there */
    int told;          /* … that were acknowledged */
    const char *text;
};

/** Judges a folder after the first n operations of the run's tape. The folder is changed. */
void judge(const struct run *r, size_t n, const char *folder, struct finding *f);
const char *judge_word(enum verdict v);

#endif
