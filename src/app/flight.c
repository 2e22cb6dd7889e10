// SPDX-License-Identifier: Apache-2.0
/* flight.c: see flight.h. Data: the open part and what is gathered for it since the last write. */
#include "app/flight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "io/os/file.h"

/* Some hundred commands share a write; what is gathered is the recorder's for good. */
enum { PARTS = 8, GATHER = 64 << 10, PATH_CAP = 400, NAME_CAP = 60 };

struct flight {
    char dir[PATH_CAP - NAME_CAP];
    int64_t bytes;
    struct flight_head head;
    struct file_log *log; /* NULL = not recording */
    struct buf gathered;
    uint64_t batches;
};

uint32_t flight_head_crc(const struct flight_head *h)
{
    return crc32c(0, h, offsetof(struct flight_head, crc));
}

uint32_t flight_record_crc(const struct flight_record *r)
{
    return crc32c(0, r, offsetof(struct flight_record, crc));
}

/* ---- the folder ---- */

int flight_new(const char *dir, int64_t bytes, struct flight **out)
{
    struct flight *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    if (str_copy(f->dir, sizeof f->dir, str_from_c(dir)) < strlen(dir)) {
        free(f);
        return ERR_TOO_LARGE;
    }
    f->bytes = bytes;
    buf_init(&f->gathered, SIZE_MAX);
    *out = f;
    return 0;
}

static void give_up(struct flight *f, int err)
{
    log_line(LOG_WARN, "flight", 0, "%s: %s; nothing is recorded from here on", f->dir,
             err_text(err, LANG_EN));
    file_log_close(f->log);
    f->log = NULL;
    buf_free(&f->gathered);
}

static void path_of(const struct flight *f, const char *name, char out[PATH_CAP])
{
    snprintf(out, PATH_CAP, "%s/%s", f->dir, name);
}

/* All files together, and the oldest: names sort by run and part. */
struct folder {
    const struct flight *f;
    int64_t bytes;
    char first[NAME_CAP];
};

static int folder_add(void *ctx, const char *name)
{
    struct folder *d = ctx;
    char path[PATH_CAP];
    int64_t n;
    if (strlen(name) >= NAME_CAP || !strstr(name, ".flight"))
        return 0;
    path_of(d->f, name, path);
    if (file_size(path, &n) != 0)
        return 0;
    if (!d->first[0])
        (void)str_copy(d->first, sizeof d->first, str_from_c(name));
    d->bytes += n;
    return 0;
}

/* Makes room for one more part. */
static int ring_turn(const struct flight *f)
{
    for (;;) {
        struct folder d = {.f = f};
        char path[PATH_CAP];
        int err = dir_list(f->dir, folder_add, &d);
        if (err || !d.first[0] || d.bytes <= f->bytes - f->bytes / PARTS)
            return err;
        path_of(f, d.first, path);
        err = file_remove(path);
        if (err)
            return err;
    }
}

static int part_open(struct flight *f)
{
    char name[NAME_CAP], path[PATH_CAP];
    int err = dir_make(f->dir, 0700);
    if (!err)
        err = ring_turn(f);
    snprintf(name, sizeof name, "%013" PRId64 "-%06" PRIu32 ".flight", f->head.run, f->head.part);
    path_of(f, name, path);
    if (!err)
        err = file_log_open(path, 0, &f->log);
    f->head.crc = flight_head_crc(&f->head);
    if (!err)
        err = file_log_append(f->log, str_from((const char *)&f->head, sizeof f->head));
    return err;
}

void flight_begin(struct flight *f, const struct core_limits *limits, uint64_t state,
                  int64_t now_ms)
{
    memset(&f->head, 0, sizeof f->head);
    f->head.magic = FLIGHT_MAGIC;
    f->head.version = FLIGHT_VERSION;
    f->head.cmd_version = CMD_VERSION;
    f->head.run = f->head.now_ms = now_ms;
    f->head.state = state;
    f->head.limits = *limits;
    f->batches = 0;
    int err = part_open(f);
    if (err)
        give_up(f, err);
}

/* ---- recording ---- */

static void gather(struct flight *f, enum flight_kind kind, const void *body, size_t n)
{
    static const char zero[8];
    size_t padding = flight_padded((uint32_t)n) - n;
    struct flight_record r = {.n = (uint32_t)n, .kind = (uint32_t)kind};
    r.body_crc = crc32c(crc32c(0, body, n), zero, padding);
    r.crc = flight_record_crc(&r);
    buf_put(&f->gathered, &r, sizeof r);
    buf_put(&f->gathered, body, n);
    buf_put(&f->gathered, zero, padding);
}

static void write_out(struct flight *f)
{
    int err = f->gathered.err;
    if (!err)
        err = file_log_append(f->log, buf_str(&f->gathered));
    if (err)
        give_up(f, err);
    else
        buf_reset(&f->gathered);
}

void flight_cmd(struct flight *f, const struct cmd *cmd)
{
    if (!f->log)
        return;
    gather(f, FLIGHT_CMD, cmd, cmd->head.size);
    if (f->gathered.n >= GATHER)
        write_out(f);
}

void flight_tick(struct flight *f, int64_t now_ms)
{
    if (f->log)
        gather(f, FLIGHT_TICK, &now_ms, sizeof now_ms);
}

void flight_rest(struct flight *f, uint64_t settled)
{
    if (f->log)
        gather(f, FLIGHT_REST, &settled, sizeof settled);
}

void flight_stop(struct flight *f)
{
    if (f->log)
        give_up(f, ERR_CLOSED);
}

/* Its length and its CRC: the same core is asked twice, nobody means to deceive it. */
static uint64_t sum_of(const struct buf *b)
{
    return (uint64_t)b->n << 32 | crc32c(0, b->p, b->n);
}

struct flight_seal flight_hash(const struct core_batch *b)
{
    return (struct flight_seal){.commands = b->commands,
                                .rows = sum_of(&b->rows),
                                .samples = sum_of(&b->samples),
                                .outs = sum_of(&b->outs)};
}

void flight_seal(struct flight *f, const struct core_batch *b, int64_t now_ms)
{
    if (!f->log)
        return;
    struct flight_seal s = flight_hash(b);
    s.number = f->batches++;
    s.now_ms = now_ms;
    gather(f, FLIGHT_SEAL, &s, sizeof s);
    write_out(f);
    if (!f->log || file_log_position(f->log) < f->bytes / PARTS)
        return;
    file_log_close(f->log);
    f->log = NULL;
    f->head.part++;
    int err = part_open(f);
    if (err)
        give_up(f, err);
}

void flight_free(struct flight *f)
{
    if (!f)
        return;
    if (f->log && f->gathered.n > 0)
        write_out(f);
    file_log_close(f->log);
    buf_free(&f->gathered);
    free(f);
}
