// SPDX-License-Identifier: Apache-2.0
/* mark.h: what the single writer was doing when the process died. One small mapped file: a store to
 * memory marks the start of a command, another its end; both outlive a crash of the process (not of
 * the machine, which is enough: a machine that dies tells nothing about the command). A fingerprint
 * found at two starts in a row is poison: it is refused instead of crashing the house for ever. */
#ifndef EVEN_IO_OS_MARK_H
#define EVEN_IO_OS_MARK_H

#include "base/compiler.h"

struct mark;

/** Opens or creates the file and takes stock of what it says. ERR_IO, ERR_DENIED, ERR_DISK_FULL. */
EV_MUST_USE int mark_open(const char *path, struct mark **out);
/** A clean end: forgets everything but quarantined fingerprints. NULL is fine. */
void mark_close(struct mark *m);
/** Notes that work with this fingerprint begins; false when it is quarantined: leave it alone. */
bool mark_begin(struct mark *m, uint64_t finger);
/** The work is over and the process lives. */
void mark_end(struct mark *m);

#endif
