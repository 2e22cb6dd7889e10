// SPDX-License-Identifier: Apache-2.0
/* tape_file.h: bytes as a file for readers that want a path. */
#ifndef EVEN_FUZZ_TAPE_FILE_H
#define EVEN_FUZZ_TAPE_FILE_H

#include "base/str.h"

/** Path of a file in memory with these bytes, the same one for every call. */
const char *tape_file(struct str bytes);

#endif
