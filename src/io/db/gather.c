// SPDX-License-Identifier: Apache-2.0
/* gather.c: SQLite writes each page of a commit to the journal (WAL) with two calls, 24 bytes of
 * head and the page. This layer keeps them in one buffer and hands them on in one call, at the
 * latest with the frame that makes the commit valid. Everything else, and every file but a journal,
 * goes to the layer below untouched.
 *
 * Data: per journal file one run of bytes that the file lacks yet. Invariants: 1. the run is one
 * piece: a write elsewhere sends it first; 2. a frame that ends a transaction is sent when it is
 * whole, so whoever learns of the commit (through the shared index, which the engine changes
 * afterwards) finds its frames in the file, in every mode of `synchronous`; 3. a sync, a read of what
 * is gathered, a look at the size and a cut send the run first, so the order of writes and syncs is
 * the engine's; 4. an error of a gathered write is reported by whatever sends it, at the latest by
 * the commit frame or the sync: before the engine calls anything durable. What a transaction that is
 * given up left here was never valid, and is dropped with the file.
 * Thread: a file is used by the thread of its connection; the layer is made under SQLite's lock. */
#include "io/db/gather.h"

#include <string.h>
#include "io/db/layer.h"

/* SQLite's own layer takes less than 128 KiB at once. */
enum { RUN_SIZE = 124 << 10, FRAME_HEAD = 24 };

struct file {
    struct layer_file layer; /* first */
    unsigned char *run;
    sqlite3_int64 at; /* where the run belongs in the file */
    int n;            /* bytes of it */
    int ends;         /* the frame under way ends a transaction */
};

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static int run_send(sqlite3_file *f)
{
    int n = file_of(f)->n;
    file_of(f)->n = 0;
    return n ? layer_write(f, file_of(f)->run, n, file_of(f)->at) : SQLITE_OK;
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
    return res == SQLITE_OK ? layer_truncate(f, n) : res;
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
    return res;
}

const char *gather_vfs(void)
{
    return layer_name(&gather);
}
