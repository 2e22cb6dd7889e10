// SPDX-License-Identifier: Apache-2.0
/* layer.h: what layers between SQLite and its files have in common: a file that stands before the
 * real one, calls that only hand on, and a place in SQLite's list. gather.c and pace.c are made of
 * it. Inside io/db only. */
#ifndef EVEN_IO_DB_LAYER_H
#define EVEN_IO_DB_LAYER_H

#include <sqlite3.h>

struct layer_file {
    sqlite3_file base; /* first: what SQLite sees */
    sqlite3_file *real;
};

/* A layer: static, of zeros but for the first three. */
struct layer {
    const char *name;
    int file_size; /* of its own struct, which begins with a layer_file */
    /** Opens the files it cares for with layer_open, the others with below->xOpen. */
    int (*open)(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out);
    sqlite3_vfs *below;
    sqlite3_vfs vfs;
};

/** The layer's name for sqlite3_open_v2; at its first call it takes its place over SQLite's default
 * one. NULL when SQLite has no memory for it. Any thread. */
const char *layer_name(struct layer *l);

/** Opens the real file behind `f` and, when that works, gives `f` its methods. The rest of the
 * layer's own struct must be set before. */
int layer_open(struct layer *l, const char *path, sqlite3_file *f, int flags, int *out,
               const sqlite3_io_methods *methods);

/* Calls that hand on to the real file. */
int layer_close(sqlite3_file *f);
int layer_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at);
int layer_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at);
int layer_truncate(sqlite3_file *f, sqlite3_int64 n);
int layer_sync(sqlite3_file *f, int flags);
int layer_size(sqlite3_file *f, sqlite3_int64 *n);
int layer_lock(sqlite3_file *f, int level);
int layer_unlock(sqlite3_file *f, int level);
int layer_check_lock(sqlite3_file *f, int *taken);
int layer_control(sqlite3_file *f, int op, void *arg);
int layer_sector(sqlite3_file *f);
int layer_traits(sqlite3_file *f);
int layer_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out);
int layer_shm_lock(sqlite3_file *f, int at, int n, int flags);
void layer_shm_barrier(sqlite3_file *f);
int layer_shm_unmap(sqlite3_file *f, int remove);

#endif
