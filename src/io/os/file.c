// SPDX-License-Identifier: Apache-2.0
/* file.c: see file.h. Whole files, folders, locks; the growing file is in file_log.c.
 *
 * Data: none but the lock records.
 *
 * Invariants:
 *  1. A file replaced by file_write_atomic is on disk, and so is its name, before the call answers
 *     0.
 *  2. A descriptor opened here never survives an exec.
 *
 * Thread: any, on paths of its own. Failure: errno becomes one of the errors named in file.h;
 * nothing is logged here. */
#include "io/os/file.h"
#include "io/os/file_errno.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

#define PATH_CAP 4096

int file_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case ENOSPC:
    case EDQUOT:
        return ERR_DISK_FULL;
    case EFBIG:
    case ENAMETOOLONG:
        return ERR_TOO_LARGE;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

static int file_read_fd(int fd, size_t cap, struct buf *out)
{
    char chunk[16384];
    size_t total = 0;
    ssize_t got;

    while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_errno();
        total += (size_t)got;
        if (total > cap)
            return ERR_TOO_LARGE;
        buf_put(out, chunk, (size_t)got);
    }
    return out->err;
}

int file_read(const char *path, size_t cap, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err;

    if (fd < 0)
        return file_errno();
    err = file_read_fd(fd, cap, out);
    close(fd);
    return err;
}

int file_put(int fd, const char *p, size_t n, int64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return file_errno();
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return 0;
}

/* The folder part of a path: "." when it has none. */
static int path_folder(const char *path, char out[PATH_CAP])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) : 0;

    if (n >= PATH_CAP)
        return ERR_TOO_LARGE;
    if (slash == NULL)
        snprintf(out, PATH_CAP, ".");
    else if (n == 0)
        snprintf(out, PATH_CAP, "/");
    else
        snprintf(out, PATH_CAP, "%.*s", (int)n, path);
    return 0;
}

static int folder_sync(const char *path)
{
    char folder[PATH_CAP];
    int err = path_folder(path, folder);
    int fd;

    if (err != 0)
        return err;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_errno();
    if (fsync(fd) != 0)
        err = file_errno();
    close(fd);
    return err;
}

static int file_write_new(const char *path, struct str data, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    int err;

    if (fd < 0)
        return file_errno();
    err = file_put(fd, data.p, data.n, 0);
    if (err == 0 && fsync(fd) != 0)
        err = file_errno();
    if (close(fd) != 0 && err == 0)
        err = file_errno();
    return err;
}

int file_write_atomic(const char *path, struct str data, unsigned mode)
{
    char tmp[PATH_CAP];
    int n = snprintf(tmp, sizeof(tmp), "%s.new-%ld", path, (long)getpid());
    int err;

    if (n < 0 || (size_t)n >= sizeof(tmp))
        return ERR_TOO_LARGE;
    err = file_write_new(tmp, data, mode);
    if (err == 0)
        err = file_rename(tmp, path);
    if (err != 0)
        unlink(tmp);
    return err;
}

int file_open_read(const char *path, int *fd, int64_t *bytes)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        return file_errno();
    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        file_close(*fd);
        return ERR_NOT_FOUND;
    }
    *bytes = st.st_size;
    return 0;
}

void file_close(int fd)
{
    (void)close(fd);
}

static int copy_fd(int in, int out)
{
    char chunk[1 << 16];
    int64_t at = 0;
    ssize_t got;

    while ((got = read(in, chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        int err = got < 0 ? file_errno() : file_put(out, chunk, (size_t)got, at);
        if (err != 0)
            return err;
        at += got;
    }
    return fsync(out) != 0 ? file_errno() : 0;
}

int file_copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out, err;

    if (in < 0)
        return file_errno();
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    err = out >= 0 ? copy_fd(in, out) : errno == EEXIST ? ERR_CONFLICT : file_errno();
    if (out >= 0 && close(out) != 0 && err == 0)
        err = file_errno();
    file_close(in);
    if (err == 0)
        err = folder_sync(to);
    return err;
}

/* Fills the chunk unless the file ends; its bytes, or -1. */
static ssize_t chunk_read(int fd, uint8_t *chunk, size_t cap)
{
    size_t n = 0;

    while (n < cap) {
        ssize_t got = read(fd, chunk + n, cap - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

int file_sha256(const char *path, uint8_t out[32])
{
    uint8_t chunk[16384];
    struct sha256 s;
    int64_t bytes;
    ssize_t n = 0;
    int fd, err = file_open_read(path, &fd, &bytes);

    if (err != 0)
        return err;
    sha256_start(&s);
    for (n = chunk_read(fd, chunk, sizeof(chunk)); n == (ssize_t)sizeof(chunk);
         n = chunk_read(fd, chunk, sizeof(chunk)))
        sha256_blocks(&s, chunk, (size_t)n);
    if (n >= 0)
        sha256_end(&s, chunk, (size_t)n, out);
    file_close(fd);
    return n >= 0 ? 0 : ERR_IO;
}

int file_remove(const char *path)
{
    return unlink(path) != 0 ? file_errno() : 0;
}

int file_rename(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        return file_errno();
    return folder_sync(to);
}

int file_size(const char *path, int64_t *bytes)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return file_errno();
    *bytes = st.st_size;
    return 0;
}

bool file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

bool file_private(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

int file_free_bytes(const char *path, int64_t *bytes)
{
    struct statvfs fs;

    if (statvfs(path, &fs) != 0)
        return file_errno();
    *bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    return 0;
}

bool file_on_tmpfs(const char *path)
{
    struct statfs fs;

    if (statfs(path, &fs) != 0)
        return false;
    return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

/* A new folder's name is made durable at once: what is synced inside it would be lost with it. */
static int dir_make_one(const char *path, unsigned mode)
{
    if (mkdir(path, mode) == 0)
        return folder_sync(path);
    return errno == EEXIST ? 0 : file_errno();
}

int dir_make(const char *path, unsigned mode)
{
    char part[PATH_CAP];
    size_t n = strlen(path);
    struct stat st;

    if (n == 0 || n >= sizeof(part))
        return n == 0 ? ERR_RANGE : ERR_TOO_LARGE;
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        int err = dir_make_one(part, mode);
        if (err != 0)
            return err;
    }
    if (stat(path, &st) != 0)
        return file_errno();
    return S_ISDIR(st.st_mode) ? 0 : ERR_CONFLICT;
}

static int not_dots(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int dir_list(const char *path, int (*fn)(void *ctx, const char *name), void *ctx)
{
    struct dirent **names;
    int n = scandir(path, &names, not_dots, by_bytes);
    int answer = 0;

    if (n < 0)
        return file_errno();
    for (int i = 0; i < n; i++) {
        if (answer == 0)
            answer = fn(ctx, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return answer;
}

struct file_lock {
    int fd;
};

static int64_t lock_holder(int fd)
{
    char text[24] = {0};
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    int64_t pid = 0;

    if (n <= 0 || str_to_i64(str_trim(str_from(text, (size_t)n)), &pid) != 0)
        return 0;
    return pid;
}

static int lock_fill(int fd)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) != 0)
        return file_errno();
    return file_put(fd, text, (size_t)n, 0);
}

int file_lock_take(const char *path, struct file_lock **out, int64_t *holder_pid)
{
    struct file_lock *l = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int err;

    *out = NULL;
    if (holder_pid != NULL)
        *holder_pid = 0;
    if (fd < 0)
        return file_errno();
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err = errno == EWOULDBLOCK ? ERR_LOCKED : file_errno();
        if (holder_pid != NULL)
            *holder_pid = lock_holder(fd);
        goto fail;
    }
    err = lock_fill(fd);
    if (err != 0)
        goto fail;
    l = calloc(1, sizeof(*l));
    if (l == NULL) {
        err = ERR_NOMEM;
        goto fail;
    }
    l->fd = fd;
    *out = l;
    return 0;
fail:
    close(fd);
    return err;
}

void file_lock_drop(struct file_lock *l)
{
    if (l == NULL)
        return;
    /* The file stays: removing it would let two later processes lock two files of one name. */
    close(l->fd);
    free(l);
}

int file_map(const char *path, size_t n, void **out)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int err = 0;

    if (fd < 0)
        return errno == EACCES ? ERR_DENIED : ERR_IO;
    if (posix_fallocate(fd, 0, (off_t)n) != 0) {
        err = ERR_DISK_FULL;
        goto out;
    }
    *out = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*out == MAP_FAILED) {
        *out = NULL;
        err = ERR_IO;
    }
out:
    close(fd);
    return err;
}

void file_unmap(void *p, size_t n)
{
    if (p != NULL)
        munmap(p, n);
}
