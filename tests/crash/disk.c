// SPDX-License-Identifier: Apache-2.0
/* disk.c: the tape of disk.h. Owns the one disk: names, files as they were at the start,
 * operations. Invariants: 1. operations stand in the order in which the program asked for them;
 * 2. nothing is recorded that was not done to the real file; 3. a frozen disk records nothing. */
#include "crash/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"
#include "crash/disk_tape.h"
#include "io/os/file.h"

enum { FILE_CAP = 64 << 20 };

static struct tape tape;
static enum disk_lie lie;

const struct tape *disk_tape(void)
{
    return &tape;
}

/* ---- names and files ---- */

static int name_index(const char *name)
{
    for (int i = 0; i < tape.names; i++)
        if (strcmp(tape.name[i].text, name) == 0)
            return i;
    must(tape.names < TAPE_NAMES && strlen(name) < sizeof tape.name[0].text);
    struct tape_name *n = &tape.name[tape.names];
    *n = (struct tape_name){.first = -1, .now = -1};
    (void)str_copy(n->text, sizeof n->text, str_from_c(name));
    return tape.names++;
}

static int node_new(void)
{
    must(tape.nodes < TAPE_NODES);
    buf_init(&tape.node[tape.nodes], FILE_CAP);
    return tape.nodes++;
}

/* A file that was there when the tape began. */
static void file_take(const char *name)
{
    char path[600];
    int node = node_new();
    snprintf(path, sizeof path, "%s/%s", tape.root, name);
    must(file_read(path, FILE_CAP, &tape.node[node]) == 0);
    struct tape_name *n = &tape.name[name_index(name)];
    n->first = n->now = node;
}

static bool ours(const char *name)
{
    const char *dot = strrchr(name, '.');
    return !(dot && strcmp(dot, ".lock") == 0) && !strstr(name, "-shm");
}

static int sample_take_file(void *ctx, const char *name)
{
    char path[300];
    (void)ctx;
    snprintf(path, sizeof path, "samples/%s", name);
    file_take(path);
    return 0;
}

static int root_take_file(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "samples") == 0) {
        char path[600];
        int dir = name_index("samples");
        tape.name[dir].first = tape.name[dir].now = node_new();
        snprintf(path, sizeof path, "%s/samples", tape.root);
        return dir_list(path, sample_take_file, NULL);
    }
    if (ours(name))
        file_take(name);
    return 0;
}

void disk_start(const char *root)
{
    disk_stop();
    must(str_copy(tape.root, sizeof tape.root, str_from_c(root)) == strlen(root));
    buf_init(&tape.ops, (size_t)1 << 30);
    buf_init(&tape.bytes, (size_t)1 << 30);
    tape.on = true;
    (void)name_index(""); /* the root itself: index 0 */
    int err = dir_list(root, root_take_file, NULL);
    must(err == 0 || err == ERR_NOT_FOUND);
}

void disk_stop(void)
{
    for (int i = 0; i < tape.nodes; i++)
        buf_free(&tape.node[i]);
    buf_free(&tape.ops);
    buf_free(&tape.bytes);
    tape = (struct tape){0};
}

void disk_lie_set(enum disk_lie to)
{
    lie = to;
}

const char *disk_below(const char *path)
{
    size_t n = strlen(tape.root);
    if (!tape.on || strncmp(path, tape.root, n) != 0)
        return NULL;
    if (path[n] == 0)
        return "";
    return path[n] == '/' && ours(path + n + 1) ? path + n + 1 : NULL;
}

/* ---- faults ---- */

void disk_fault_set(enum disk_fault fault, int countdown)
{
    tape.fault = fault;
    tape.countdown = countdown;
    tape.struck = false;
}

bool disk_fault_struck(enum disk_phase *phase)
{
    *phase = tape.struck_in;
    return tape.struck;
}

bool disk_fault_harmless(void)
{
    return tape.half_told;
}

void disk_tell_half(void)
{
    tape.half_told = true;
}

void disk_phase_set(enum disk_phase phase)
{
    tape.phase = phase;
}

void disk_freeze(void)
{
    tape.frozen = true;
}

static bool strikes(void)
{
    if (tape.struck) /* a full disk stays full; the other faults come once */
        return tape.fault == FAULT_ENOSPC;
    if (tape.countdown-- > 0)
        return false;
    tape.struck = true;
    tape.struck_in = tape.phase;
    return true;
}

int disk_ask(enum disk_kind kind)
{
    bool sync = kind == DISK_SYNC || kind == DISK_DIR_SYNC;
    if (tape.frozen)
        return EIO;
    switch (tape.fault) {
    case FAULT_SYNC:
        return sync && strikes() ? EIO : 0;
    case FAULT_EIO:
        return !sync && strikes() ? EIO : 0;
    case FAULT_ENOSPC:
        return !sync && kind != DISK_UNLINK && strikes() ? ENOSPC : 0;
    case FAULT_SHORT:
        return kind == DISK_WRITE && strikes() ? DISK_HALF : 0;
    default:
        return 0;
    }
}

int disk_ask_read(void)
{
    return tape.fault == FAULT_READ && !tape.frozen && strikes() ? EIO : 0;
}

/* ---- recording ---- */

size_t disk_ops(void)
{
    return tape.ops.n / sizeof(struct disk_op);
}

const struct disk_op *disk_op_at(size_t i)
{
    return (const struct disk_op *)(const void *)tape.ops.p + i;
}

const char *disk_name(int name)
{
    return tape.name[name].text;
}

int disk_node(const char *name)
{
    return tape.name[name_index(name)].now;
}

static void op_put(const struct disk_op *op)
{
    if (!tape.on || tape.frozen)
        return;
    buf_put(&tape.ops, op, sizeof *op);
    must(!tape.ops.err && !tape.bytes.err);
}

void disk_put_create(const char *name)
{
    int i = name_index(name);
    tape.name[i].now = node_new();
    op_put(&(struct disk_op){.kind = DISK_CREATE, .name = i, .node = tape.name[i].now});
}

void disk_put_rename(const char *from, const char *to)
{
    int a = name_index(from), b = name_index(to);
    tape.name[b].now = tape.name[a].now;
    tape.name[a].now = -1;
    op_put(&(struct disk_op){.kind = DISK_RENAME, .name = a, .to = b, .node = tape.name[b].now});
}

void disk_put_unlink(const char *name)
{
    int i = name_index(name);
    op_put(&(struct disk_op){.kind = DISK_UNLINK, .name = i, .node = tape.name[i].now});
    tape.name[i].now = -1;
}

void disk_put_dir_sync(const char *name)
{
    op_put(&(struct disk_op){.kind = DISK_DIR_SYNC, .name = name_index(name), .node = -1});
}

void disk_put_write(int node, const void *p, size_t n, int64_t at)
{
    struct disk_op op = {.kind = DISK_WRITE, .node = node, .at = at, .n = n, .data = tape.bytes.n};
    if (tape.frozen)
        return;
    buf_put(&tape.bytes, p, n);
    op_put(&op);
}

void disk_put_size(int node, int64_t bytes, bool only_grow)
{
    op_put(&(struct disk_op){.kind = only_grow ? DISK_GROW : DISK_SIZE, .node = node, .at = bytes});
}

static bool is_log(int node)
{
    for (int i = 0; i < tape.names; i++)
        if (tape.name[i].now == node)
            return strstr(tape.name[i].text, ".log") != NULL;
    return false;
}

void disk_put_sync(int node)
{
    if (lie == LIE_LOG_SYNC && is_log(node))
        return;
    op_put(&(struct disk_op){.kind = DISK_SYNC, .node = node});
}

void disk_put_sync_failed(int node)
{
    struct disk_op *op = (struct disk_op *)(void *)tape.ops.p;
    for (size_t i = disk_ops(); i > 0; i--) {
        if (op[i - 1].node != node)
            continue;
        if (op[i - 1].kind == DISK_SYNC)
            return;
        if (op[i - 1].kind <= DISK_GROW)
            op[i - 1].doomed = true;
    }
}
