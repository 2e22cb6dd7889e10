// SPDX-License-Identifier: Apache-2.0
/* tape_file.c: see tape_file.h. Owns one descriptor for the life of the program. */
#include "tape_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/must.h"

const char *tape_file(struct str bytes)
{
    static char path[40];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("tape", 0);
        must(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, bytes.p, bytes.n, 0) == (ssize_t)bytes.n);
    return path;
}
