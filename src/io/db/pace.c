// SPDX-License-Identifier: Apache-2.0
/* pace.c: while the journal (WAL) is moved into the database, SQLite writes megabytes of pages and
 * then syncs them all at once. The disk is busy with that sync for tens of milliseconds, and each
 * commit that comes meanwhile waits for it. This layer syncs after each STEP bytes and then leaves the
 * disk alone for PAUSE_US: its queue never holds more of ours than one small step, and of the time
 * that a megabyte takes the commits have half to themselves. Everything
 * else, and every file but the database, goes to the layer below untouched.
 *
 * Data: per database file how much was written since it was synced. Invariants: 1. a call does what the
 * layer below does, in the engine's order; syncs are only added; 2. a step that cannot be synced
 * fails the write, as the sync at the end would have failed. Thread: a file is used by the thread of its
 * connection; the layer is made under SQLite's lock. */
#include "io/db/pace.h"

#include "io/db/layer.h"

/* Measured with 5,000 readings a second that each wait for a sync of their own: p99 of their answers 12.5 ms with
 * steps of 512 KiB and pauses of 5 ms, 6.1 ms with these; half of this again was no better. */
enum { STEP = 128 << 10, PAUSE_US = 2500 };

struct file {
    struct layer_file layer; /* first */
    int unsynced;            /* bytes */
};

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static int file_sync(sqlite3_file *f, int flags)
{
    file_of(f)->unsynced = 0;
    return layer_sync(f, flags);
}

static struct layer pace;

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    int res = layer_write(f, p, n, at);
    if (res != SQLITE_OK)
        return res;
    file_of(f)->unsynced += n;
    if (file_of(f)->unsynced < STEP)
        return SQLITE_OK;
    res = file_sync(f, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    pace.below->xSleep(pace.below, PAUSE_US);
    return res;
}

/* Version 2: the index shared with the writer; nothing of the file is mapped (mmap_size stays 0). */
static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = layer_close,
                                           .xRead = layer_read,
                                           .xWrite = file_write,
                                           .xTruncate = layer_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = layer_size,
                                           .xLock = layer_lock,
                                           .xUnlock = layer_unlock,
                                           .xCheckReservedLock = layer_check_lock,
                                           .xFileControl = layer_control,
                                           .xSectorSize = layer_sector,
                                           .xDeviceCharacteristics = layer_traits,
                                           .xShmMap = layer_shm_map,
                                           .xShmLock = layer_shm_lock,
                                           .xShmBarrier = layer_shm_barrier,
                                           .xShmUnmap = layer_shm_unmap};

static int pace_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out);

static struct layer pace = {.name = "pace", .file_size = sizeof(struct file), .open = pace_open};

static int pace_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
    (void)v;
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return pace.below->xOpen(pace.below, path, f, flags, out);
    file_of(f)->unsynced = 0;
    return layer_open(&pace, path, f, flags, out, &methods);
}

const char *pace_vfs(void)
{
    return layer_name(&pace);
}
