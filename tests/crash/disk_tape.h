// SPDX-License-Identifier: Apache-2.0
/* disk_tape.h: the tape itself, shared by disk.c, which writes it, and disk_play.c, which reads it.
 */
#ifndef EVEN_CRASH_DISK_TAPE_H
#define EVEN_CRASH_DISK_TAPE_H

#include "crash/disk.h"

enum { TAPE_NAMES = 64, TAPE_NODES = 512 };

struct tape_name {
    char text[100]; /* below the root; "" is the root, "samples" a folder */
    int first, now; /* file it meant at the start, and means now; -1 = none */
};

struct tape {
    char root[400];
    bool on, frozen, struck, half_told;
    enum disk_fault fault;
    int countdown;
    enum disk_phase phase, struck_in;
    struct tape_name name[TAPE_NAMES];
    int names;
    struct buf node[TAPE_NODES]; /* bytes at the start; folders and new files have none */
    int nodes;
    struct buf ops, bytes;
};

const struct tape *disk_tape(void);

#endif
