// SPDX-License-Identifier: Apache-2.0
/* gather.c: SQLite writes each page of a commit to the journal (WAL) with two calls, 24 bytes of
 * head and the page. This layer keeps them in one buffer and hands them on in one call, at the
 * latest with the frame that makes the commit valid. Everything else, and every file but a journal,
 * goes to the layer below untouched.
 *
 * A journal that grows is given zeros ahead: a sync of bytes behind the file's end writes the file's
 * length and map, too, each with a wait of its own, and a journal grows just when all chargers come
 * back after a start. Zeros are no frame, so whoever reads the journal stops there as at its end.
 *
 * Data: per journal file one run of bytes that the file lacks yet, and how far the file has room.
 * Invariants: 1. the run is one
 * piece: a write elsewhere sends it first; 2. a frame that ends a transaction is sent when it is
 * whole, so whoever learns of the commit (through the shared index, which the engine changes
 * afterwards) finds its frames in the file, in every mode of `synchronous`; 3. a sync, a read of what
 * is gathered, a look at the size and a cut send the run first, so the order of writes and syncs is
 * the engine's; 4. an error of a gathered write is reported by whatever sends it, at the latest by
 * the commit frame or the sync: before the engine calls anything durable. What a transaction that is
 * given up left here was never valid, and is dropped with the file; 5. zeros are written behind
 * all that was ever in the file, and before the run: where the disk has no room for them, the commit fails and
 * nothing of it is there.
 * Thread: a file is used by the thread of its connection; the layer is made under SQLite's lock. */
#include "io/db/gather.h"

#include <stdint.h>
#include <string.h>
#include "io/db/layer.h"

/* SQLite's own layer takes less than 128 KiB at once. */
enum { RUN_SIZE = 124 << 10, FRAME_HEAD = 24, ROOM_SIZE = 512 << 10 };

struct file {
    struct layer_file layer; /* first */
    unsigned char *run;
    sqlite3_int64 at;   /* where the run belongs in the file */
    sqlite3_int64 room; /* the file was never longer, as far as this connection knows */
    int n;              /* bytes of the run */
    int ends;           /* the frame under way ends a transaction */
};

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static int room_make(sqlite3_file *f, sqlite3_int64 from)
{
    static const unsigned char zeros[64 << 10];
    int res = SQLITE_OK;
    for (int n = 0; n < ROOM_SIZE && res == SQLITE_OK; n += (int)sizeof zeros)
        res = layer_write(f, zeros, (int)sizeof zeros, from + n);
    if (res == SQLITE_OK)
        file_of(f)->room = from + ROOM_SIZE;
    return res;
}

static int run_send(sqlite3_file *f)
{
    struct file *x = file_of(f);
    int n = x->n, res = SQLITE_OK;
    x->n = 0;
    if (n && x->at + n > x->room)
        res = room_make(f, x->at + n);
    return n && res == SQLITE_OK ? layer_write(f, x->run, n, x->at) : res;
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct file *x = file_of(f);
    const unsigned char *head = p;
    int res = SQLITE_OK;
    if (x->n && (at != x->at + x->n || n > RUN_SIZE - x->n))
        res = run_send(f);
    if (res != SQLITE_OK)
        return res;
    if (n > RUN_SIZE)
        return layer_write(f, p, n, at);
    if (!x->n)
        x->at = at;
    memcpy(x->run + x->n, p, (size_t)n);
    x->n += n;
    if (n != FRAME_HEAD)
        return x->ends ? run_send(f) : SQLITE_OK;
    x->ends = (head[4] | head[5] | head[6] | head[7]) != 0; /* pages of the database after it */
    return SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    struct file *x = file_of(f);
    int res = x->n && at + n > x->at && at < x->at + x->n ? run_send(f) : SQLITE_OK;
    return res == SQLITE_OK ? layer_read(f, p, n, at) : res;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    int res = run_send(f);
    if (res == SQLITE_OK)
        res = layer_truncate(f, n);
    if (res == SQLITE_OK && n < file_of(f)->room)
        file_of(f)->room = n;
    return res;
}

static int file_sync(sqlite3_file *f, int flags)
{
    int res = run_send(f);
    return res == SQLITE_OK ? layer_sync(f, flags) : res;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *n)
{
    int res = run_send(f);
    return res == SQLITE_OK ? layer_size(f, n) : res;
}

static int file_close(sqlite3_file *f)
{
    sqlite3_free(file_of(f)->run);
    return layer_close(f);
}

/* Version 1: a journal is neither shared memory nor mapped. */
static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = layer_lock,
                                           .xUnlock = layer_unlock,
                                           .xCheckReservedLock = layer_check_lock,
                                           .xFileControl = layer_control,
                                           .xSectorSize = layer_sector,
                                           .xDeviceCharacteristics = layer_traits};

static int gather_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out);

static struct layer gather = {
    .name = "gather", .file_size = sizeof(struct file), .open = gather_open};

static int gather_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
    struct file *x = file_of(f);
    (void)v;
    if (!(flags & SQLITE_OPEN_WAL))
        return gather.below->xOpen(gather.below, path, f, flags, out);
    *x = (struct file){.run = sqlite3_malloc(RUN_SIZE)};
    if (!x->run)
        return SQLITE_NOMEM;
    int res = layer_open(&gather, path, f, flags, out, &methods);
    if (res != SQLITE_OK)
        sqlite3_free(x->run);
    else if (layer_size(f, &x->room) != SQLITE_OK)
        x->room = INT64_MAX; /* never: there may be frames */
    return res;
}

const char *gather_vfs(void)
{
    return layer_name(&gather);
}
