// SPDX-License-Identifier: Apache-2.0
/* disk_play.c: plays a tape of disk.h up to a power cut.
 *
 * Data: per file the durable bytes and the list of operations that wait for a sync; per name the
 * durable meaning; the list of name operations that wait. Invariant: durable bytes change only by a
 * sync (of all that waits in the file, in order, but what a failed sync has doomed). */
#include "crash/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "base/must.h"
#include "crash/disk_tape.h"
#include "io/os/file.h"

enum { SECTOR = 512, IMAGE_CAP = 64 << 20 };

struct waiting {
    size_t op; /* its number */
    bool sure; /* durable, and listed only because it came after a doomed one */
};
struct list {
    struct waiting *w;
    size_t n, size;
};

struct play {
    const struct tape *tape;
    size_t at;
    struct buf bytes[TAPE_NODES]; /* durable */
    struct list waits[TAPE_NODES];
    int means[TAPE_NAMES]; /* durable: node, -1 = none */
    struct list names;
    struct buf image; /* scratch */
};

static void list_put(struct list *l, size_t op)
{
    if (l->n == l->size) {
        l->size = l->size ? 2 * l->size : 64;
        l->w = realloc(l->w, l->size * sizeof *l->w);
        must(l->w);
    }
    l->w[l->n++] = (struct waiting){.op = op};
}

struct play *play_new(void)
{
    struct play *p = calloc(1, sizeof *p);
    must(p);
    p->tape = disk_tape();
    for (int i = 0; i < p->tape->nodes; i++) {
        buf_init(&p->bytes[i], IMAGE_CAP);
        buf_put_str(&p->bytes[i], buf_str(&p->tape->node[i]));
    }
    for (int i = 0; i < p->tape->names; i++)
        p->means[i] = p->tape->name[i].first;
    p->means[0] = 0;
    buf_init(&p->image, IMAGE_CAP);
    return p;
}

void play_free(struct play *p)
{
    for (int i = 0; i < TAPE_NODES; i++) {
        buf_free(&p->bytes[i]);
        free(p->waits[i].w);
    }
    free(p->names.w);
    buf_free(&p->image);
    free(p);
}

/* ---- what one operation does to bytes ---- */

static void size_set(struct buf *b, size_t n)
{
    if (b->n < n)
        must(buf_grow(b, n - b->n));
    b->n = n;
}

static void bytes_set(struct buf *b, size_t at, const char *p, size_t n)
{
    if (b->n < at + n)
        size_set(b, at + n);
    memcpy(b->p + at, p, n);
}

/* The write as the drive may have done it: each sector or not. */
static void bytes_torn(struct buf *b, const struct disk_op *op, const char *p, struct rng *rng)
{
    size_t at = (size_t)op->at, end = at + op->n;
    while (at < end) {
        size_t next = (at / SECTOR + 1) * SECTOR;
        size_t n = (next < end ? next : end) - at;
        if (rng_below(rng, 2))
            bytes_set(b, at, p + (at - (size_t)op->at), n);
        at += n;
    }
}

static void op_do(const struct play *p, struct buf *b, const struct disk_op *op, struct rng *torn)
{
    const char *data = p->tape->bytes.p + op->data;
    if (op->kind == DISK_SIZE || (op->kind == DISK_GROW && (int64_t)b->n < op->at))
        size_set(b, (size_t)op->at);
    else if (op->kind == DISK_WRITE && torn)
        bytes_torn(b, op, data, torn);
    else if (op->kind == DISK_WRITE)
        bytes_set(b, (size_t)op->at, data, op->n);
}

static void name_do(int means[TAPE_NAMES], const struct disk_op *op)
{
    if (op->kind == DISK_CREATE) {
        means[op->name] = op->node;
    } else if (op->kind == DISK_UNLINK) {
        means[op->name] = -1;
    } else if (op->kind == DISK_RENAME) {
        means[op->to] = op->node;
        if (means[op->name] == op->node)
            means[op->name] = -1;
    }
}

/* ---- syncs ---- */

static void file_sync(struct play *p, int node)
{
    struct list *l = &p->waits[node];
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        struct waiting w = l->w[i];
        const struct disk_op *op = disk_op_at(w.op);
        if (!op->doomed && !w.sure)
            op_do(p, &p->bytes[node], op, NULL);
        /* What a doomed write may have done is undone by what came after it. */
        w.sure = !op->doomed;
        if (op->doomed || kept)
            l->w[kept++] = w;
    }
    l->n = kept;
}

/* Index of the folder that a name stands in. */
static int folder_of(const struct play *p, int name)
{
    const char *text = p->tape->name[name].text, *slash = strchr(text, '/');
    if (!slash)
        return 0;
    int i = 0;
    while (i < p->tape->names &&
           !str_eq_c(str_from(text, (size_t)(slash - text)), p->tape->name[i].text))
        i++;
    must(i < p->tape->names); /* a file stands in a folder that somebody made */
    return i;
}

static void folder_sync(struct play *p, int folder)
{
    struct list *l = &p->names;
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct disk_op *op = disk_op_at(l->w[i].op);
        if (folder_of(p, op->name) == folder)
            name_do(p->means, op);
        else
            l->w[kept++] = l->w[i];
    }
    l->n = kept;
}

void play_to(struct play *p, size_t n)
{
    must(n >= p->at && n <= disk_ops());
    for (; p->at < n; p->at++) {
        const struct disk_op *op = disk_op_at(p->at);
        if (op->kind <= DISK_GROW)
            list_put(&p->waits[op->node], p->at);
        else if (op->kind == DISK_SYNC)
            file_sync(p, op->node);
        else if (op->kind == DISK_DIR_SYNC)
            folder_sync(p, op->name);
        else
            list_put(&p->names, p->at);
    }
}

bool play_waits(const struct play *p)
{
    size_t n = p->names.n;
    for (int i = 0; i < p->tape->nodes; i++)
        n += p->waits[i].n;
    return n > 0;
}

/* ---- the cut ---- */

static int file_gone(void *ctx, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    return unlink(path) == 0 || errno == EISDIR || errno == EPERM ? 0 : ERR_IO;
}

static void folder_empty(const char *folder)
{
    char samples[600];
    snprintf(samples, sizeof samples, "%s/samples", folder);
    int err = dir_list(samples, file_gone, samples);
    must(err == 0 || err == ERR_NOT_FOUND);
    (void)rmdir(samples);
    must(dir_list(folder, file_gone, (void *)(uintptr_t)folder) == 0);
}

/* Zeros at the end (reserved space) are left to a hole. */
static void image_write(const char *path, const struct buf *b)
{
    static const char zeros[SECTOR];
    size_t n = b->n;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    while (n >= SECTOR && memcmp(b->p + n - SECTOR, zeros, SECTOR) == 0)
        n -= SECTOR;
    must(write(fd, b->p, n) == (ssize_t)n || n == 0);
    must(ftruncate(fd, (off_t)b->n) == 0);
    must(close(fd) == 0);
}

static bool taken(enum cut cut, struct rng *rng)
{
    return cut == CUT_ALL || (cut == CUT_SOME && rng_below(rng, 2));
}

static void node_cut(struct play *p, int node, enum cut cut, struct rng *rng, const char *path)
{
    const struct list *l = &p->waits[node];
    buf_reset(&p->image);
    buf_put_str(&p->image, buf_str(&p->bytes[node]));
    for (size_t i = 0; i < l->n; i++) {
        const struct disk_op *op = disk_op_at(l->w[i].op);
        bool sure = l->w[i].sure;
        if (cut == CUT_SOME && op->kind == DISK_WRITE && !sure)
            op_do(p, &p->image, op, rng);
        else if (sure || taken(cut, rng))
            op_do(p, &p->image, op, NULL);
    }
    image_write(path, &p->image);
}

void play_cut(struct play *p, enum cut cut, struct rng *rng, const char *folder)
{
    int means[TAPE_NAMES];
    char path[600];
    memcpy(means, p->means, sizeof means);
    for (size_t i = 0; i < p->names.n; i++)
        if (taken(cut, rng))
            name_do(means, disk_op_at(p->names.w[i].op));
    folder_empty(folder);
    /* Folders come before what is in them: they were made first. A file whose folder is lost is
     * lost with it. */
    for (int i = 1; i < p->tape->names; i++) {
        int folder_name = folder_of(p, i);
        if (means[i] < 0 || (folder_name && means[folder_name] < 0))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, p->tape->name[i].text);
        if (strcmp(p->tape->name[i].text, "samples") == 0)
            must(mkdir(path, 0700) == 0);
        else
            node_cut(p, means[i], cut, rng, path);
    }
}
