// SPDX-License-Identifier: Apache-2.0
/* gunzip.h: what came packed (gzip), unpacked, up to a limit: a few bytes may claim to be a great many.
 * The caller's thread. */
#ifndef EVEN_IO_OS_GUNZIP_H
#define EVEN_IO_OS_GUNZIP_H

#include "base/buf.h"
#include "base/str.h"

/** True when it begins as a gzip file does. */
bool gunzip_is(struct str packed);
/** Appends the one file that is packed. ERR_SYNTAX (none, cut off, damaged, or something stands behind
 * it), ERR_TOO_LARGE (more than `max` bytes), ERR_NOMEM. */
EV_MUST_USE int gunzip(struct str packed, size_t max, struct buf *out);

#endif
