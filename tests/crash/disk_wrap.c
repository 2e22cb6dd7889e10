// SPDX-License-Identifier: Apache-2.0
/* disk_wrap.c: the calls by which io/os/file.c and file_log.c change files, interposed at link time
 * (--wrap). What is about a file of the recorded folder is done to the real file, without the wait
 * for the real disk, and put on the tape; everything else goes through untouched, but for
 * syncs, for which nobody waits here.
 *
 * Data: which descriptor is which file. Thread: the test's only one. */
#include "crash/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"

enum { FDS = 1024, NOT_OURS = 0, FOLDER = -2 };

static int fd_node[FDS]; /* 0 not ours, else node + 1, or FOLDER */
static char fd_folder[FDS][100];
static bool (*close_first)(int fd, int *res);

/* The linker gives these names; nobody else calls them. */
int __real_open64(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_pwrite64(int fd, const void *p, size_t n, int64_t at);
int __real_ftruncate64(int fd, int64_t n);
int __real_fallocate64(int fd, int mode, int64_t at, int64_t n);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, int64_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate64(int fd, int64_t n);
int __wrap_fallocate64(int fd, int mode, int64_t at, int64_t n);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_mkdir(const char *path, mode_t mode);

/* True when the call must fail now; errno is set. */
static bool refused(enum disk_kind kind)
{
    int answer = disk_ask(kind);
    if (answer > 0)
        errno = answer;
    return answer > 0;
}

static int node_of(int fd)
{
    return fd >= 0 && fd < FDS && fd_node[fd] > 0 ? fd_node[fd] - 1 : -1;
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    const char *name = disk_below(path);
    bool changes = name && (flags & (O_CREAT | O_TRUNC));
    int node = name ? disk_node(name) : -1;
    if (changes && node < 0 && refused(DISK_CREATE))
        return -1;
    int fd = __real_open64(path, flags, mode);
    if (fd < 0 || !name)
        return fd;
    must(fd < FDS);
    if (flags & O_DIRECTORY) {
        fd_node[fd] = FOLDER;
        (void)str_copy(fd_folder[fd], sizeof fd_folder[fd], str_from_c(name));
        return fd;
    }
    if (changes && node < 0)
        disk_put_create(name);
    else if (flags & O_TRUNC)
        disk_put_size(node, 0, false);
    fd_node[fd] = disk_node(name) + 1;
    return fd;
}

void disk_close_set(bool (*fn)(int fd, int *res))
{
    close_first = fn;
}

int __wrap_close(int fd)
{
    int res;
    if (close_first && close_first(fd, &res))
        return res;
    if (fd >= 0 && fd < FDS)
        fd_node[fd] = NOT_OURS;
    return __real_close(fd);
}

ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, int64_t at)
{
    int node = node_of(fd);
    if (node < 0)
        return __real_pwrite64(fd, p, n, at);
    int answer = disk_ask(DISK_WRITE);
    if (answer > 0) {
        errno = answer;
        return -1;
    }
    if (answer == DISK_HALF) {
        n = (n + 1) / 2;
        disk_tell_half();
    }
    ssize_t done = __real_pwrite64(fd, p, n, at);
    if (done > 0)
        disk_put_write(node, p, (size_t)done, at);
    return done;
}

/* The real disk is not waited for: the tape knows what a sync is worth. */
static int synced(int fd)
{
    bool folder = fd_node[fd] == FOLDER;
    int node = node_of(fd);
    if (refused(folder ? DISK_DIR_SYNC : DISK_SYNC)) {
        if (!folder)
            disk_put_sync_failed(node);
        return -1;
    }
    if (folder)
        disk_put_dir_sync(fd_folder[fd]);
    else
        disk_put_sync(node);
    return 0;
}

int __wrap_fsync(int fd)
{
    return fd >= 0 && fd < FDS && fd_node[fd] ? synced(fd) : 0;
}

int __wrap_fdatasync(int fd)
{
    return fd >= 0 && fd < FDS && fd_node[fd] ? synced(fd) : 0;
}

int __wrap_ftruncate64(int fd, int64_t n)
{
    int node = node_of(fd);
    if (node >= 0 && refused(DISK_SIZE))
        return -1;
    int res = __real_ftruncate64(fd, n);
    if (node >= 0 && res == 0)
        disk_put_size(node, n, false);
    return res;
}

int __wrap_fallocate64(int fd, int mode, int64_t at, int64_t n)
{
    int node = node_of(fd);
    if (node >= 0 && refused(DISK_GROW))
        return -1;
    /* Growing is enough here, and does not fill the machine's memory where that is the disk. */
    int res = node >= 0 ? __real_ftruncate64(fd, at + n) : __real_fallocate64(fd, mode, at, n);
    if (node >= 0 && res == 0)
        disk_put_size(node, at + n, true);
    return res;
}

int __wrap_rename(const char *from, const char *to)
{
    const char *a = disk_below(from), *b = disk_below(to);
    if (a && b && refused(DISK_RENAME))
        return -1;
    int res = __real_rename(from, to);
    if (a && b && res == 0)
        disk_put_rename(a, b);
    return res;
}

int __wrap_unlink(const char *path)
{
    const char *name = disk_below(path);
    if (name && disk_node(name) >= 0 && refused(DISK_UNLINK))
        return -1;
    int res = __real_unlink(path);
    if (name && res == 0)
        disk_put_unlink(name);
    return res;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    const char *name = disk_below(path);
    bool new = name &&name[0] && disk_node(name) < 0;
    if (new &&refused(DISK_CREATE))
        return -1;
    int res = __real_mkdir(path, mode);
    if (new &&res == 0)
        disk_put_create(name);
    return res;
}
