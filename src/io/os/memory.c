// SPDX-License-Identifier: Apache-2.0
/* memory.c: see memory.h. No data. */
#include "io/os/memory.h"

#include <malloc.h>

#include "base/must.h"

enum { LARGE_BYTES = 128 << 10 };

/* The allocator raises its own threshold with the first large block that is freed. Later tables,
 * sized for the most there may be, are then cut from used memory and cleared as a whole. A
 * sanitizer's allocator knows no threshold and says no. */
void os_memory_begin(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

void os_memory_trim(void)
{
    (void)malloc_trim(0); /* whether there was anything is of no interest */
}
