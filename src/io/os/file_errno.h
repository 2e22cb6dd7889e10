// SPDX-License-Identifier: Apache-2.0
/* file_errno.h: what file.c and file_log.c share, nobody else. */
#ifndef EVEN_IO_OS_FILE_ERRNO_H
#define EVEN_IO_OS_FILE_ERRNO_H

#include "base/compiler.h"

/** The present errno as one of our errors. */
int file_errno(void);
/** Writes all n bytes at offset `at`. */
EV_MUST_USE int file_put(int fd, const char *p, size_t n, int64_t at);

#endif
