// SPDX-License-Identifier: Apache-2.0
/* file.h: files and folders. Errors are ERR_NOT_FOUND, ERR_DENIED, ERR_DISK_FULL, ERR_TOO_LARGE,
 * ERR_LOCKED or ERR_IO; what and where is logged by the caller, who knows why it wanted the file.
 */
#ifndef EVEN_IO_OS_FILE_H
#define EVEN_IO_OS_FILE_H

#include "base/buf.h"

/** Appends the whole file to `out`; ERR_TOO_LARGE when it is longer than cap. */
EV_MUST_USE int file_read(const char *path, size_t cap, struct buf *out);
/** Replaces the file by these bytes so that a crash leaves the old or the new content, whole and on
 * disk. mode: permission bits, e.g. 0600. */
EV_MUST_USE int file_write_atomic(const char *path, struct str data, unsigned mode);
/** Copies a file of any size to a new one (0600), durably; ERR_CONFLICT when that is there already. */
EV_MUST_USE int file_copy(const char *from, const char *to);
EV_MUST_USE int file_remove(const char *path);
/** Opens for reading; the descriptor is the caller's to close. */
EV_MUST_USE int file_open_read(const char *path, int *fd, int64_t *bytes);
void file_close(int fd);
/** SHA-256 of the whole file. */
EV_MUST_USE int file_sha256(const char *path, uint8_t out[32]);
/** Renames and makes the rename durable (both paths in one folder). */
EV_MUST_USE int file_rename(const char *from, const char *to);
/** Size in bytes, ERR_NOT_FOUND. */
EV_MUST_USE int file_size(const char *path, int64_t *bytes);
bool file_exists(const char *path);
/** True when nobody but the owner (and the system's administrator) may read or write the file. */
bool file_private(const char *path);

/** Bytes an unprivileged writer may still use on the file system of the path. */
EV_MUST_USE int file_free_bytes(const char *path, int64_t *bytes);
/** True when the path lies in memory (tmpfs, ramfs): nothing written there is durable. */
bool file_on_tmpfs(const char *path);

/** Makes the folder and its missing parents, durably. An existing folder is fine. */
EV_MUST_USE int dir_make(const char *path, unsigned mode);
/** Calls fn for every entry but "." and "..", in the byte order of the names; a non-zero answer of
 * fn ends the walk and is returned. */
EV_MUST_USE int dir_list(const char *path, int (*fn)(void *ctx, const char *name), void *ctx);

/** Maps a file of n bytes for reading and writing; zeros where it was missing or shorter. What is
 * stored there outlives the process, not a power cut. ERR_IO, ERR_DENIED, ERR_DISK_FULL. */
EV_MUST_USE int file_map(const char *path, size_t n, void **out);
/** NULL is fine. */
void file_unmap(void *p, size_t n);

/** A file that keeps a second process out for as long as this one lives. */
struct file_lock;
/** Creates and locks the file, writes the process id into it. ERR_LOCKED when another process holds
 * it; then *holder_pid (may be NULL) tells which, 0 if unknown. */
EV_MUST_USE int file_lock_take(const char *path, struct file_lock **out, int64_t *holder_pid);
void file_lock_drop(struct file_lock *l);

/** A file that only grows. Space is reserved in steps ahead of the writing position, so that a sync
 * need not wait for the allocation; bytes behind the position read as zeros, and a reader stops at
 * the first zero length. One thread. */
struct file_log;
/** Opens or creates; reserves `step` bytes at a time (0 = no reservation). The position starts at
 * 0: scan with file_log_read, then file_log_seek to the end of the valid bytes. */
EV_MUST_USE int file_log_open(const char *path, size_t step, struct file_log **out);
void file_log_close(struct file_log *l);
/** Reads up to n bytes at `at`; *got < n only at the end of the file. */
EV_MUST_USE int file_log_read(struct file_log *l, int64_t at, void *p, size_t n, size_t *got);
/** Sets the position and cuts off whatever lies behind it (a torn record). */
EV_MUST_USE int file_log_seek(struct file_log *l, int64_t at);
/** Writes all bytes at the position and moves it. ERR_DISK_FULL leaves the position where it was.
 */
EV_MUST_USE int file_log_append(struct file_log *l, struct str bytes);
/** Makes everything appended durable. After an error nothing appended since the last sync may be
 * believed. */
EV_MUST_USE int file_log_sync(struct file_log *l);
int64_t file_log_position(const struct file_log *l);

#endif
