// SPDX-License-Identifier: Apache-2.0
/* layer.c: see layer.h. Data: none but the layers its callers own; a layer is registered once and
 * stays for the life of the program. Thread: a file is used by the thread of its connection; layers
 * are made under SQLite's lock. Failure: what the real file answers is handed on. */
#include "io/db/layer.h"

#include <stddef.h>

static struct layer_file *file_of(sqlite3_file *f)
{
    return (struct layer_file *)(void *)f;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return file_of(f)->real;
}

const char *layer_name(struct layer *l)
{
    sqlite3_mutex *lock =
        sqlite3_initialize() == SQLITE_OK ? sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1) : NULL;
    sqlite3_mutex_enter(lock);
    if (!l->below && (l->below = sqlite3_vfs_find(NULL)) != NULL) {
        l->vfs = *l->below;
        l->vfs.zName = l->name;
        l->vfs.szOsFile = l->below->szOsFile + l->file_size;
        l->vfs.xOpen = l->open;
        if (sqlite3_vfs_register(&l->vfs, 0) != SQLITE_OK)
            l->below = NULL;
    }
    const char *name = l->below ? l->name : NULL;
    sqlite3_mutex_leave(lock);
    return name;
}

int layer_open(struct layer *l, const char *path, sqlite3_file *f, int flags, int *out,
               const sqlite3_io_methods *methods)
{
    file_of(f)->base.pMethods = NULL; /* while it is, SQLite closes nothing */
    file_of(f)->real = (sqlite3_file *)(void *)((char *)f + l->file_size);
    int res = l->below->xOpen(l->below, path, real_of(f), flags, out);
    if (res == SQLITE_OK)
        file_of(f)->base.pMethods = methods;
    return res;
}

int layer_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

int layer_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

int layer_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

int layer_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), n);
}

int layer_sync(sqlite3_file *f, int flags)
{
    return real_of(f)->pMethods->xSync(real_of(f), flags);
}

int layer_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), n);
}

int layer_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

int layer_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

int layer_check_lock(sqlite3_file *f, int *taken)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), taken);
}

int layer_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

int layer_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

int layer_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

int layer_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

int layer_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

void layer_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

int layer_shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}
