// SPDX-License-Identifier: Apache-2.0
/* disk.h: a disk that remembers. Everything the store does to the files below one folder is done to
 * real files and written down: what was written where, which sizes and names changed, which syncs
 * were asked for. disk_vfs.c does that for SQLite, disk_wrap.c for the store's own files. From the
 * tape, any power cut can be played: all that was synced, and of the rest all, nothing, or an
 * arbitrary part in sectors of 512 bytes.
 *
 * What counts as durable is the strict reading: a file's bytes and size after its own fsync or
 * fdatasync; a name (made, renamed, removed) after an fsync of its folder. After a sync that failed
 * the bytes written before it may be on disk or not, whatever later syncs say.
 *
 * One disk at a time, one thread: the interposed calls have nobody to ask which disk is meant. */
#ifndef EVEN_CRASH_DISK_H
#define EVEN_CRASH_DISK_H

#include "base/buf.h"
#include "base/hash.h"

enum disk_kind {
    DISK_WRITE = 1, /* n bytes at `at` */
    DISK_SIZE,      /* the file now has `at` bytes, new ones are zeros */
    DISK_GROW,      /* … has at least `at` bytes */
    DISK_SYNC,      /* the file's bytes and size are durable */
    DISK_CREATE,    /* `name` now means `node` */
    DISK_RENAME,    /* `to` now means what `name` meant */
    DISK_UNLINK,    /* `name` means nothing */
    DISK_DIR_SYNC   /* the names in folder `name` are durable */
};

struct disk_op {
    enum disk_kind kind;
    bool doomed;  /* a sync failed after it: no later sync makes it durable */
    int node;     /* file it is about */
    int name, to; /* names, indexes into disk_name */
    int64_t at;
    size_t data, n; /* bytes of a write, in the tape's store of bytes */
};

/** Which fault happens when. Counts down over the operations of its kind. */
enum disk_fault { FAULT_NONE, FAULT_EIO, FAULT_ENOSPC, FAULT_SHORT, FAULT_SYNC, FAULT_READ };
enum disk_phase { PHASE_OPEN, PHASE_COMMIT, PHASE_KEEP, PHASE_CLOSE };

/** What a drive that lies, or an engine setting, leaves out. */
enum disk_lie { LIE_NONE, LIE_LOG_SYNC /* fdatasync of the sample log does nothing */ };

/** Starts a new tape: what lies below the folder now is durable. */
void disk_start(const char *root);
/** Forgets the tape. */
void disk_stop(void);
/** Holds for later tapes too. */
void disk_lie_set(enum disk_lie lie);

void disk_fault_set(enum disk_fault fault, int countdown);
/** The fault has struck; *phase tells during what. */
bool disk_fault_struck(enum disk_phase *phase);
/** It was a short write, which a caller may simply go on with. */
bool disk_fault_harmless(void);
void disk_phase_set(enum disk_phase phase);
/** From here on every change fails and leaves no trace: the program is dead. */
void disk_freeze(void);

size_t disk_ops(void);
const struct disk_op *disk_op_at(size_t i);
const char *disk_name(int name);

/* ---- for those who record ---- */

/** The name below the root, or NULL when the path is none of ours. */
const char *disk_below(const char *path);
/** What to do about a change: 0 = do it, DISK_HALF = do half of it, else the errno to answer. */
#define DISK_HALF (-1)
int disk_ask(enum disk_kind kind);
int disk_ask_read(void);
/** The caller of a half write is told how much was written. */
void disk_tell_half(void);
void disk_put_create(const char *name);
void disk_put_rename(const char *from, const char *to);
void disk_put_unlink(const char *name);
void disk_put_dir_sync(const char *name);
/** The file that a name means now, -1 = none. */
int disk_node(const char *name);
void disk_put_write(int node, const void *p, size_t n, int64_t at);
void disk_put_size(int node, int64_t bytes, bool only_grow);
void disk_put_sync(int node);
/** A sync failed: what waits for it may be lost for good. */
void disk_put_sync_failed(int node);

/** Asks this first about every close(2): true = it was not a file and is done, *res answers. */
void disk_close_set(bool (*fn)(int fd, int *res));

/** Makes the VFS that records the default one of SQLite. synchronous: NULL, or the mode that every
 * connection is to run in whatever it asks for ("OFF", "NORMAL"). */
void disk_vfs_install(void);
void disk_vfs_mode(const char *synchronous);

/* ---- playing the tape ---- */

enum cut { CUT_ALL, CUT_NONE, CUT_SOME, CUT_N };

struct play;
/** Plays the present tape; do not record while it lives. */
struct play *play_new(void);
void play_free(struct play *p);
/** The first n operations have happened. n must not fall. */
void play_to(struct play *p, size_t n);
/** Writes what a power cut now would leave to a folder, which is emptied first. */
void play_cut(struct play *p, enum cut cut, struct rng *rng, const char *folder);
/** True when something waits for a sync, so that cuts differ. */
bool play_waits(const struct play *p);

#endif
