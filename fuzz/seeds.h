// SPDX-License-Identifier: Apache-2.0
/* seeds.h: a corpus as one text file: a tape a line; '#' begins a comment line; \n \r \t \\ and \xHH
 * stand for bytes that a line cannot hold. */
#ifndef EVEN_FUZZ_SEEDS_H
#define EVEN_FUZZ_SEEDS_H

#include "base/buf.h"

/** Takes the next tape of the text into `out` (emptied first). False at the end. */
bool seeds_next(struct str *text, struct buf *out);
/** Appends a tape as a line. */
void seeds_put(struct buf *text, struct str tape);

#endif
