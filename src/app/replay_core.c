// SPDX-License-Identifier: Apache-2.0
/* replay_core.c: see replay_core.h. The state is never touched: it is copied into a folder of its own
 * below TMPDIR (or /tmp), replayed on there, and the copy removed. A folder that a program has open
 * may be given, too, but what it holds now is then hardly what the flight began from; a folder
 * without a database stands for the empty one that a first start makes. */
#include "app/replay_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/flight_replay.h"
#include "base/err.h"
#include "base/log.h"
#include "io/os/file.h"
#include "store/store.h"

enum { PARTS_MAX = 256, PATH_CAP = 500, PIECE = 1 << 16 };

struct copy {
    const char *from;
    char to[PATH_CAP], db[PATH_CAP], samples[PATH_CAP], manifest[PATH_CAP];
};

/* ---- the copy ---- */

static int join(char out[PATH_CAP], const char *a, const char *b)
{
    int n = snprintf(out, PATH_CAP, "%s%s", a, b);
    return n > 0 && n < PATH_CAP ? 0 : ERR_TOO_LARGE;
}

static int sample_copy(void *ctx, const char *name)
{
    const struct copy *c = ctx;
    char from[2 * PATH_CAP], to[2 * PATH_CAP];
    snprintf(from, sizeof from, "%s.samples/%s", c->from, name);
    snprintf(to, sizeof to, "%s/%s", c->samples, name);
    return file_copy(from, to);
}

/* A backup: its database, and the samples beside it. */
static int backup_take(struct copy *c)
{
    char samples[PATH_CAP];
    int err = join(samples, c->from, ".samples");
    if (!err)
        err = file_copy(c->from, c->db);
    if (!err)
        err = dir_make(c->samples, 0700);
    if (!err)
        err = dir_list(samples, sample_copy, c);
    return err == ERR_NOT_FOUND && file_exists(c->db) ? 0 : err;
}

/* A folder: the way of every backup, so that a copy of an open one is whole, too. */
static int folder_take(struct copy *c)
{
    char db[PATH_CAP], samples[PATH_CAP];
    int err = join(db, c->from, "/even.db");
    if (err || !file_exists(db))
        return err;
    err = store_backup(c->from, c->db);
    if (!err)
        err = join(samples, c->db, ".samples");
    if (!err && file_exists(samples))
        err = file_rename(samples, c->samples);
    return err;
}

static int is_entry(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return 0;
}

static int copy_make(struct copy *c)
{
    const char *tmp = getenv("TMPDIR");
    int err = join(c->to, tmp ? tmp : "/tmp", "/even-replay-XXXXXX");
    if (err)
        return err;
    if (!mkdtemp(c->to)) {
        c->to[0] = 0;
        return ERR_IO;
    }
    err = join(c->db, c->to, "/even.db");
    if (!err)
        err = join(c->samples, c->to, "/samples");
    if (!err)
        err = join(c->manifest, c->db, ".manifest");
    if (err)
        return err;
    return dir_list(c->from, is_entry, NULL) == 0 ? folder_take(c) : backup_take(c);
}

/* The folder of samples is gone before its parent is walked. */
static int entry_remove(void *ctx, const char *name)
{
    char path[2 * PATH_CAP];
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    return file_remove(path);
}

static void copy_remove(struct copy *c)
{
    if (!c->to[0])
        return;
    int err = dir_list(c->samples, entry_remove, c->samples);
    if (!err && rmdir(c->samples) != 0)
        err = ERR_IO;
    if (!err || err == ERR_NOT_FOUND)
        err = dir_list(c->to, entry_remove, c->to);
    if (err || rmdir(c->to) != 0)
        fprintf(stderr, "even: cannot remove %s\n", c->to);
}

/* ---- the command ---- */

static int tell(int err, const struct flight_score *s)
{
    printf("even: %" PRIu64 " commands, %" PRIu64 " ticks, %" PRIu64 " batches", s->commands,
           s->ticks, s->batches);
    if (!err)
        printf(": the same life\n");
    else if (err == ERR_CONFLICT)
        printf(", then another life\n");
    else
        printf(", then no further\n");
    return !err ? 0 : err == ERR_CONFLICT ? 1 : 70;
}

int replay_core_main(int argc, char **argv)
{
    struct copy c = {.from = argc > 0 ? argv[0] : NULL};
    struct flight_score score = {0};
    bool usage = argc < 3 || strcmp(argv[1], "--flight") != 0 || argc - 2 > PARTS_MAX;
    if (usage) {
        fprintf(stderr, "usage: even replay-core DIR|BACKUP --flight FILE …\n");
        return 2;
    }
    log_set_level(LOG_WARN);
    int err = copy_make(&c);
    if (err)
        fprintf(stderr, "even: %s: %s\n", c.from, err_text(err, LANG_EN));
    else
        err = flight_replay(c.to, (const char *const *)&argv[2], argc - 2, stdout, &score);
    copy_remove(&c);
    return tell(err, &score);
}
