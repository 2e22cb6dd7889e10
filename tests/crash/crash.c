// SPDX-License-Identifier: Apache-2.0
/* crash.c: power cuts and failing disks under the whole store and core: `test_crash [--points N]
 * [--seed S]`.
 *
 * A round of one seed: a house lives from an empty folder through its set-up, some eighty batches
 * of payments, orders, readings and stops, housekeeping and restarts. Then the power is cut after
 * its operations, one after the other, each time with what was not synced kept, lost, or torn. Some
 * of the folders so left get another life, which is cut again; one gets a life in which the sample
 * log rolls to its next file; and others a life on a disk that fails. Every folder must hold every
 * acknowledged fact, whole batches only, and right books.
 *
 * Controls, which must lose something, or this proves nothing: the engine with synchronous=OFF and
 * with NORMAL, a sample log whose syncs do nothing, and answers given before the commit. */
#include "crash/disk.h"
#include "crash/judge.h"
#include "crash/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/file.h"

enum {
    STEPS = 110,      /* of the first life; the set-up takes HOUSE_STAGES of them */
    LIFE_STEPS = 12,  /* of a second life */
    ROLL_STEPS = 30,  /* of the one whose log rolls */
    SEEDLINGS = 40,   /* folders kept for another life, a round */
    LIFE_POINTS = 14, /* cuts of a second life */
    FAULTS = 3,       /* lives on a failing disk from one folder */
    ROUND_POINTS = 2000,
    CONTROL_POINTS = 60
};

/* A folder that a cut left, and what it held. */
struct seedling {
    char folder[420];
    int rows, samples, told;
};

struct crash {
    char base[300], run_folder[400], cut_folder[400];
    uint64_t seed;
    struct rng rng;
    struct run first, life;
    struct seedling seedling[SEEDLINGS];
    int seedlings;
    /* figures */
    uint64_t points[CUT_N], second, rolled, bad[VERDICT_N];
    uint64_t faults, struck, refused, fault_cuts, unanswered;
    uint64_t early, early_lost;
    bool wanted; /* findings are failures: false in controls */
    uint64_t control[VERDICT_N];
};

/* ---- one cut ---- */

static void report(struct crash *c, const struct finding *f, size_t n, enum cut cut)
{
    static const char *const cuts[CUT_N] = {"all kept", "all lost", "torn"};
    if (!c->wanted) {
        c->control[f->verdict]++;
        return;
    }
    c->bad[f->verdict]++;
    if (f->verdict == VERDICT_RIGHT)
        return;
    fprintf(
        stderr,
        "seed %llu, %zu of %zu operations, unsynced %s: %s (told %d, rows %d, samples %d%s%s)\n",
        (unsigned long long)c->seed, n, disk_ops(), cuts[cut], judge_word(f->verdict), f->told,
        f->rows, f->samples, f->text ? ", " : "", f->text ? f->text : "");
}

static void cut_and_judge(struct crash *c, const struct run *r, struct play *p, size_t n,
                          enum cut cut)
{
    struct finding f;
    struct rng before = c->rng;
    play_to(p, n);
    play_cut(p, cut, &c->rng, c->cut_folder);
    judge(r, n, c->cut_folder, &f);
    report(c, &f, n, cut);
    if (c->wanted)
        c->points[cut]++;
    /* Had the answer gone out before the commit, the client would have been told of begun. */
    int begun = run_begun(r, n);
    if (c->wanted && begun > f.told && f.verdict == VERDICT_RIGHT) {
        c->early++;
        c->early_lost += f.rows < begun || f.samples < begun;
    }
    if (!c->wanted || r != &c->first || c->seedlings == SEEDLINGS || f.verdict != VERDICT_RIGHT ||
        rng_below(&c->rng, 20))
        return;
    struct seedling *s = &c->seedling[c->seedlings++];
    s->rows = f.rows;
    s->samples = f.samples;
    s->told = f.told;
    play_cut(p, cut, &before, s->folder); /* the same once more, before anybody opened it */
}

/* Spreads so many cuts over a run, each kind in turn. */
static void cuts(struct crash *c, const struct run *r, uint64_t points)
{
    struct play *p = play_new();
    size_t ops = disk_ops();
    for (uint64_t i = 0; i < points && ops; i++)
        cut_and_judge(c, r, p, (size_t)((i + 1) * ops / points), (enum cut)(i % CUT_N));
    play_free(p);
}

/* ---- lives ---- */

static void folder_clear(const char *folder)
{
    disk_stop();
    struct play *nothing = play_new(); /* of an empty tape */
    play_cut(nothing, CUT_NONE, NULL, folder);
    play_free(nothing);
}

static void first_life(struct crash *c, int steps)
{
    folder_clear(c->run_folder);
    c->first = (struct run){0};
    run_live(&c->first, &(struct run_plan){.folder = c->run_folder,
                                           .seed = c->seed,
                                           .steps = steps,
                                           .restart_every = 47,
                                           .keep_every = 2});
    must(c->first.err == 0);
}

/* A tape that has only just begun is a copier of folders. */
static void folder_copy(const char *from, const char *to)
{
    disk_start(from);
    struct play *p = play_new();
    play_cut(p, CUT_ALL, NULL, to);
    play_free(p);
    disk_stop();
}

/* Another life of what a cut left. While nobody was running, the clock may have gone back. */
static void life_begin(struct crash *c, const struct seedling *s)
{
    folder_copy(s->folder, c->run_folder);
    run_inherit(&c->life, &c->first, s->rows, s->samples, s->told);
    if (rng_below(&c->rng, 2))
        c->life.people.now_ms -= rng_range(&c->rng, 0, 60000);
}

static void second_life(struct crash *c, const struct seedling *s, bool rolls)
{
    life_begin(c, s);
    if (rolls)
        run_fill_log(&c->life, c->run_folder);
    run_live(&c->life, &(struct run_plan){.folder = c->run_folder,
                                          .seed = rng_next(&c->rng),
                                          .steps = rolls ? ROLL_STEPS : LIFE_STEPS,
                                          .restart_every = 9,
                                          .keep_every = 1});
    must(c->life.err == 0);
    uint64_t points = rolls ? 4 * LIFE_POINTS : LIFE_POINTS;
    cuts(c, &c->life, points);
    c->second += points;
    c->rolled += rolls;
    run_free(&c->life);
}

/* The disk fails somewhere; the program says so and ends; the power may go with it. */
static void failing_life(struct crash *c, const struct seedling *s)
{
    static const enum disk_fault faults[] = {FAULT_EIO, FAULT_ENOSPC, FAULT_SHORT, FAULT_SYNC,
                                             FAULT_READ};
    enum disk_fault fault = faults[rng_below(&c->rng, ARRAY_LEN(faults))];
    int most = fault == FAULT_SYNC ? 30 : fault == FAULT_READ ? 60 : 250;
    enum disk_phase phase;
    life_begin(c, s);
    run_live(&c->life, &(struct run_plan){.folder = c->run_folder,
                                          .seed = rng_next(&c->rng),
                                          .steps = LIFE_STEPS,
                                          .restart_every = 9,
                                          .keep_every = 1,
                                          .fault = fault,
                                          .countdown = (int)rng_below(&c->rng, (uint64_t)most),
                                          .stop_open = true});
    c->faults++;
    c->struck += disk_fault_struck(&phase);
    c->refused += c->life.err != 0;
    if (c->life.unanswered) {
        fprintf(stderr, "seed %llu: a commit answered 0 over a failing disk (fault %d)\n",
                (unsigned long long)c->seed, (int)fault);
        c->unanswered++;
    }
    disk_fault_set(FAULT_NONE, 0);
    struct play *p = play_new();
    for (int cut = 0; cut < CUT_N; cut++)
        cut_and_judge(c, &c->life, p, disk_ops(), (enum cut)cut);
    c->fault_cuts += CUT_N;
    play_free(p);
    run_free(&c->life);
}

static void round_play(struct crash *c, uint64_t points)
{
    c->wanted = true;
    c->seedlings = 0;
    first_life(c, STEPS);
    uint64_t others = (uint64_t)SEEDLINGS / 2 * LIFE_POINTS + 4 * LIFE_POINTS;
    cuts(c, &c->first, points > 2 * others ? points - others : points);
    for (int i = 0; i < c->seedlings; i++) {
        if (i == 0)
            second_life(c, &c->seedling[i], true);
        else if (i % 2)
            second_life(c, &c->seedling[i], false);
        else
            for (int k = 0; k < FAULTS; k++)
                failing_life(c, &c->seedling[i]);
    }
    run_free(&c->first);
}

/* ---- controls ---- */

/* A house that is known to lose. True when it did. */
static bool control(struct crash *c, const char *name, const char *mode, enum disk_lie lie)
{
    c->wanted = false;
    memset(c->control, 0, sizeof c->control);
    disk_vfs_mode(mode);
    disk_lie_set(lie);
    first_life(c, STEPS / 2 + HOUSE_STAGES);
    disk_vfs_mode(NULL);
    disk_lie_set(LIE_NONE);
    cuts(c, &c->first, CONTROL_POINTS);
    run_free(&c->first);
    uint64_t right = c->control[VERDICT_RIGHT];
    printf("control %s: of %d cuts %llu lose", name, CONTROL_POINTS,
           (unsigned long long)(CONTROL_POINTS - right));
    for (int v = VERDICT_LOST; v < VERDICT_N; v++)
        if (c->control[v])
            printf(" (%llu %s)", (unsigned long long)c->control[v], judge_word((enum verdict)v));
    printf("\n");
    return right < CONTROL_POINTS;
}

static bool controls(struct crash *c)
{
    bool off = control(c, "synchronous=OFF", "OFF", LIE_NONE);
    bool normal = control(c, "synchronous=NORMAL", "NORMAL", LIE_NONE);
    bool log = control(c, "sample log without sync", NULL, LIE_LOG_SYNC);
    printf("control answer before commit: of %llu cuts inside a commit %llu lose\n",
           (unsigned long long)c->early, (unsigned long long)c->early_lost);
    return off && normal && log && c->early_lost > 0;
}

/* ---- the program ---- */

static void folders_make(struct crash *c)
{
    const char *tmp = getenv("TMPDIR");
    char path[300];
    /* The disk is played, not used: memory serves best. */
    if (!tmp)
        tmp = file_on_tmpfs("/dev/shm") ? "/dev/shm" : "/tmp";
    snprintf(path, sizeof path, "%s/even-crash-XXXXXX", tmp);
    /* The engine resolves links in its paths, so ours must have none. */
    must(mkdtemp(path) && chdir(path) == 0 && getcwd(c->base, sizeof c->base));
    snprintf(c->run_folder, sizeof c->run_folder, "%s/run", c->base);
    snprintf(c->cut_folder, sizeof c->cut_folder, "%s/cut", c->base);
    must(mkdir(c->run_folder, 0700) == 0 && mkdir(c->cut_folder, 0700) == 0);
    for (int i = 0; i < SEEDLINGS; i++) {
        snprintf(c->seedling[i].folder, sizeof c->seedling[i].folder, "%s/seed-%02d", c->base, i);
        must(mkdir(c->seedling[i].folder, 0700) == 0);
    }
}

static void folders_remove(struct crash *c)
{
    for (int i = 0; i < SEEDLINGS; i++) {
        folder_clear(c->seedling[i].folder);
        (void)rmdir(c->seedling[i].folder);
    }
    folder_clear(c->run_folder);
    folder_clear(c->cut_folder);
    (void)rmdir(c->run_folder);
    (void)rmdir(c->cut_folder);
    (void)rmdir(c->base);
}

static uint64_t points_of(const struct crash *c)
{
    return c->points[CUT_ALL] + c->points[CUT_NONE] + c->points[CUT_SOME];
}

static bool summary(const struct crash *c)
{
    uint64_t bad = c->unanswered;
    for (int v = VERDICT_LOST; v < VERDICT_N; v++)
        bad += c->bad[v];
    printf("crash: %llu power cuts (%llu unsynced kept, %llu lost, %llu torn; %llu in a second "
           "life, %llu of %llu faults struck, %llu programs ended by one):",
           (unsigned long long)points_of(c), (unsigned long long)c->points[CUT_ALL],
           (unsigned long long)c->points[CUT_NONE], (unsigned long long)c->points[CUT_SOME],
           (unsigned long long)c->second, (unsigned long long)c->struck,
           (unsigned long long)c->faults, (unsigned long long)c->refused);
    for (int v = VERDICT_LOST; v < VERDICT_N; v++)
        printf(" %llu %s,", (unsigned long long)c->bad[v], judge_word((enum verdict)v));
    printf(" %llu commits answered 0 over a failing disk\n", (unsigned long long)c->unanswered);
    return bad == 0;
}

static bool options(int argc, char **argv, int64_t *points, int64_t *seed)
{
    for (int i = 1; i < argc; i += 2) {
        int64_t *to = strcmp(argv[i], "--points") == 0 ? points
                      : strcmp(argv[i], "--seed") == 0 ? seed
                                                       : NULL;
        if (!to || i + 1 == argc || str_to_i64(str_from_c(argv[i + 1]), to) || *to < 1) {
            fprintf(stderr, "usage: test_crash [--points N] [--seed S]\n");
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct crash c; /* large */
    int64_t points = ROUND_POINTS, seed = 1;
    if (!options(argc, argv, &points, &seed))
        return 2;
    log_set_level((enum log_level)(LOG_ERROR + 1)); /* failing opens are what this is about */
    folders_make(&c);
    disk_vfs_install();
    for (c.seed = (uint64_t)seed; points_of(&c) < (uint64_t)points; c.seed++) {
        uint64_t left = (uint64_t)points - points_of(&c);
        c.rng.s = c.seed;
        round_play(&c, left < ROUND_POINTS ? left : ROUND_POINTS);
        printf("seed %llu: %llu power cuts so far, %llu right\n", (unsigned long long)c.seed,
               (unsigned long long)points_of(&c), (unsigned long long)c.bad[VERDICT_RIGHT]);
        fflush(stdout);
    }
    bool proven = controls(&c);
    bool right = summary(&c);
    folders_remove(&c);
    if (!proven)
        fprintf(stderr, "a control lost nothing: this test proves nothing\n");
    return right && proven ? 0 : 1;
}
