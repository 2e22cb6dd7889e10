// SPDX-License-Identifier: Apache-2.0
/* disk_vfs.c: a layer between SQLite and its usual files that records on the tape of disk.h.
 *
 * Each file is the engine's own ("unix"), with a head in front. Writes, sizes, syncs and deletions
 * of files in the recorded folder go on the tape; the shared-memory index of the WAL does not,
 * because the engine makes it anew after a crash. A newly made journal or WAL syncs its folder with
 * its first sync, as the engine's own layer does.
 *
 * A mode set by disk_vfs_mode is put in force when a connection opens, and the pragma by which the
 * connection then asks for another is swallowed: so a real engine in a weaker mode runs under an
 * unchanged store. */
#include "crash/disk.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include "base/must.h"

struct file {
    sqlite3_file base;
    int node; /* -1 = not recorded */
    bool sync_folder;
    sqlite3_file *real; /* behind this head */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *below;
static const char *mode; /* of `PRAGMA synchronous`, NULL = whatever is asked for */

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static int file_close(sqlite3_file *f)
{
    return file_of(f)->real->pMethods->xClose(file_of(f)->real);
}

static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    struct file *x = file_of(f);
    if (x->node >= 0 && disk_ask_read())
        return SQLITE_IOERR_READ;
    return x->real->pMethods->xRead(x->real, p, n, at);
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct file *x = file_of(f);
    int answer = x->node < 0 ? 0 : disk_ask(DISK_WRITE);
    if (answer > 0)
        return answer == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    if (answer == DISK_HALF)
        n /= 2;
    int res = x->real->pMethods->xWrite(x->real, p, n, at);
    if (res == SQLITE_OK && x->node >= 0)
        disk_put_write(x->node, p, (size_t)n, at);
    return res == SQLITE_OK && answer == DISK_HALF ? SQLITE_FULL : res;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    struct file *x = file_of(f);
    if (x->node >= 0 && disk_ask(DISK_SIZE) != 0)
        return SQLITE_IOERR_TRUNCATE;
    int res = x->real->pMethods->xTruncate(x->real, n);
    if (res == SQLITE_OK && x->node >= 0)
        disk_put_size(x->node, n, false);
    return res;
}

/* The real disk is not waited for, in whatever folder. */
static int file_sync(sqlite3_file *f, int flags)
{
    struct file *x = file_of(f);
    (void)flags;
    if (x->node < 0)
        return SQLITE_OK;
    if (disk_ask(DISK_SYNC) != 0) {
        disk_put_sync_failed(x->node);
        return SQLITE_IOERR_FSYNC;
    }
    disk_put_sync(x->node);
    if (x->sync_folder)
        disk_put_dir_sync("");
    x->sync_folder = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return file_of(f)->real->pMethods->xFileSize(file_of(f)->real, n);
}

static int file_lock(sqlite3_file *f, int level)
{
    return file_of(f)->real->pMethods->xLock(file_of(f)->real, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return file_of(f)->real->pMethods->xUnlock(file_of(f)->real, level);
}

static int file_check_lock(sqlite3_file *f, int *taken)
{
    return file_of(f)->real->pMethods->xCheckReservedLock(file_of(f)->real, taken);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    char **pragma = arg;
    if (op == SQLITE_FCNTL_PRAGMA && mode && sqlite3_stricmp(pragma[1], "synchronous") == 0 &&
        pragma[2] && sqlite3_stricmp(pragma[2], mode) != 0)
        return SQLITE_OK;
    return file_of(f)->real->pMethods->xFileControl(file_of(f)->real, op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return file_of(f)->real->pMethods->xSectorSize(file_of(f)->real);
}

static int file_traits(sqlite3_file *f)
{
    return file_of(f)->real->pMethods->xDeviceCharacteristics(file_of(f)->real);
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
    return file_of(f)->real->pMethods->xShmMap(file_of(f)->real, page, size, extend, p);
}

static int file_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return file_of(f)->real->pMethods->xShmLock(file_of(f)->real, at, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    file_of(f)->real->pMethods->xShmBarrier(file_of(f)->real);
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return file_of(f)->real->pMethods->xShmUnmap(file_of(f)->real, remove);
}

/* Version 2: with shared memory, without memory-mapped reading, which would pass us by. */
static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_unlock,
                                           .xCheckReservedLock = file_check_lock,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector,
                                           .xDeviceCharacteristics = file_traits,
                                           .xShmMap = file_shm_map,
                                           .xShmLock = file_shm_lock,
                                           .xShmBarrier = file_shm_barrier,
                                           .xShmUnmap = file_shm_unmap};

static int vfs_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
    const int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    struct file *x = file_of(f);
    const char *name = path ? disk_below(path) : NULL;
    (void)v;
    *x = (struct file){.node = -1, .real = (sqlite3_file *)(void *)(x + 1)};
    bool new = name && (flags & SQLITE_OPEN_CREATE) && disk_node(name) < 0;
    if (new &&disk_ask(DISK_CREATE) != 0)
        return SQLITE_CANTOPEN;
    int res = below->xOpen(below, path, x->real, flags, out);
    if (res != SQLITE_OK)
        return res;
    if (new) {
        disk_put_create(name);
        x->sync_folder = (flags & journals) != 0;
    }
    if (name)
        x->node = disk_node(name);
    x->base.pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *path, int sync_folder)
{
    const char *name = disk_below(path);
    (void)v;
    if (name && disk_node(name) < 0)
        return SQLITE_IOERR_DELETE_NOENT;
    if (name && disk_ask(DISK_UNLINK) != 0)
        return SQLITE_IOERR_DELETE;
    int res = below->xDelete(below, path, 0);
    if (!name || res != SQLITE_OK)
        return res;
    disk_put_unlink(name);
    if (sync_folder)
        disk_put_dir_sync("");
    return SQLITE_OK;
}

/* Runs for each new connection, before its owner sees it. */
static int mode_force(sqlite3 *db, char **text, const struct sqlite3_api_routines *api)
{
    char sql[60];
    (void)text;
    (void)api;
    if (!mode)
        return SQLITE_OK;
    snprintf(sql, sizeof sql, "PRAGMA synchronous=%s", mode);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

void disk_vfs_mode(const char *synchronous)
{
    mode = synchronous;
}

void disk_vfs_install(void)
{
    below = sqlite3_vfs_find("unix");
    must(below);
    vfs = *below;
    vfs.zName = "recorded";
    vfs.szOsFile = below->szOsFile + (int)sizeof(struct file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    must(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
    must(sqlite3_auto_extension((void (*)(void))mode_force) == SQLITE_OK);
}
