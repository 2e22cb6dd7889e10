// SPDX-License-Identifier: Apache-2.0
/* test_town.c: the house test, see town.h: `test_town [--seeds FIRST N | --controls]`.
 * Without arguments the short form of every test run, with its controls: a platform that answers
 * before it commits, and one that gives back a fen too little. The auditor must find both, or its
 * silence means nothing. */
#include "town/town.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "town/vnet.h"

enum { SEEDS = 200, CONTROL_SEEDS = 8, FLOWN_EVERY = 10 };

static char base[300], folder[TOWN_FOLDERS][400];

struct sums {
    uint64_t seeds, bad, replies, refusals, replays, settled, known, exact, failed, doubtful, cuts,
        inside, torn, reloads, facts, flights, flown, gate, faults, deals, moved, stays, fees,
        by_companies, bills, given, given_exact, turned, taxed, divided, waived, debts, told, files,
        listed, taken_out, paid;
};

/* ---- folders ---- */

static void folder_clear(const char *path)
{
    disk_stop();
    struct play *nothing = play_new(); /* of an empty tape */
    play_cut(nothing, CUT_NONE, NULL, path);
    play_free(nothing);
}

static void folders_make(void)
{
    const char *tmp = getenv("TMPDIR");
    char path[300];
    /* The disk is played, not used: memory serves best. */
    if (!tmp)
        tmp = file_on_tmpfs("/dev/shm") ? "/dev/shm" : "/tmp";
    snprintf(path, sizeof path, "%s/even-town-XXXXXX", tmp);
    must(mkdtemp(path) && chdir(path) == 0 && getcwd(base, sizeof base));
    for (int i = 0; i < TOWN_FOLDERS; i++) {
        snprintf(folder[i], sizeof folder[i], "%s/%c", base, 'a' + i);
        must(mkdir(folder[i], 0700) == 0);
    }
}

static void folders_remove(void)
{
    for (int i = 0; i < TOWN_FOLDERS; i++) {
        folder_clear(folder[i]);
        (void)rmdir(folder[i]);
    }
    must(chdir("/") == 0);
    (void)rmdir(base);
}

/* ---- seeds ---- */

static void play(uint64_t seed, enum town_control control, struct sums *s)
{
    static struct town t; /* large */
    folder_clear(folder[0]);
    folder_clear(folder[1]);
    town_play(&t, seed, control, folder, seed % FLOWN_EVERY == 0);
    const struct audit *a = &t.audit;
    s->seeds++;
    s->bad += a->differences != 0;
    s->replies += a->replies;
    s->refusals += a->refusals;
    s->replays += a->replays;
    s->gate += a->gate_replies;
    s->deals += (uint64_t)t.provider.deals;
    for (int i = 0; i < t.provider.deals; i++)
        s->moved += t.provider.deal[i].state == PAY_DONE;
    s->settled += a->settled;
    s->known += a->known;
    s->exact += a->exact;
    s->failed += a->failed;
    s->doubtful += a->doubtful;
    s->stays += a->stays;
    s->fees += a->fees;
    s->by_companies += a->by_companies;
    s->bills += a->bills;
    s->given += a->given;
    s->given_exact += a->given_exact;
    s->turned += a->turned;
    s->taxed += a->taxed;
    s->divided += a->divided;
    s->waived += a->waived;
    s->debts += a->debts;
    s->told += a->told;
    s->files += a->bank.files;
    s->listed += a->bank.pays;
    for (size_t i = 0; i < a->bank.pays; i++) {
        s->taken_out += a->bank.pay[i].out_by != 0;
        s->paid += a->bank.pay[i].bank == BANK_PAID;
    }
    s->reloads += a->reloads;
    s->facts += a->facts;
    s->cuts += t.server.stats.cuts;
    s->faults += t.server.stats.faults;
    s->inside += t.server.stats.cuts_inside;
    s->torn += t.server.stats.torn;
    s->flights += t.server.stats.flights;
    s->flown += t.server.stats.flown_batches;
    if (a->differences && control == CONTROL_NONE)
        fprintf(stderr, "seed %llu: %llu differences; again: test_town --seeds %llu 1\n",
                (unsigned long long)seed, (unsigned long long)a->differences,
                (unsigned long long)seed);
    audit_free(&t.audit);
}

static struct sums play_all(uint64_t first, uint64_t n, enum town_control control)
{
    struct sums s = {0};
    for (uint64_t i = 0; i < n; i++)
        play(first + i, control, &s);
    return s;
}

static int seeds(uint64_t first, uint64_t n)
{
    struct sums s = play_all(first, n, CONTROL_NONE);
    printf("town: %" PRIu64 " seeds, %" PRIu64 " with differences; replies predicted: %" PRIu64
           " to people (%" PRIu64 " refusals, %" PRIu64 " repetitions), %" PRIu64
           " to chargers (cards, starts); %" PRIu64 " facts\n",
           s.seeds, s.bad, s.replies, s.refusals, s.replays, s.gate, s.facts);
    printf("town: %" PRIu64 " orders settled (%" PRIu64 " with known truth, %" PRIu64
           " to the fen, %" PRIu64 " doubtful), %" PRIu64 " failed starts; %" PRIu64
           " payments and transfers, %" PRIu64 " of them done; %" PRIu64 " stays, %" PRIu64
           " with a fee\n",
           s.settled, s.known, s.exact, s.doubtful, s.failed, s.deals, s.moved, s.stays, s.fees);
    printf("town: %" PRIu64 " orders that companies pay, %" PRIu64 " bills of months; %" PRIu64
           " discharges (%" PRIu64 " to the fen), %" PRIu64 " sessions turned round; %" PRIu64
           " payouts of which tax was withheld; %" PRIu64 " charges divided by clauses; %" PRIu64
           " stays waived, %" PRIu64 " debts; %" PRIu64 " ends of charges told\n",
           s.by_companies, s.bills, s.given, s.given_exact, s.turned, s.taxed, s.divided, s.waived,
           s.debts, s.told);
    printf("town: %" PRIu64 " files for the bank of %" PRIu64 " payouts, %" PRIu64 " paid, %" PRIu64
           " taken out\n",
           s.files, s.listed, s.paid, s.taken_out);
    printf("town: %" PRIu64 " power cuts (%" PRIu64 " in a commit, %" PRIu64
           " after a disk that failed, %" PRIu64 " torn); %" PRIu64 " flights of %" PRIu64
           " batches lived again\n",
           s.cuts, s.inside, s.faults, s.torn, s.flights, s.flown);
    bool all = s.fees && s.by_companies && s.bills && s.given && s.turned && s.taxed && s.divided &&
               s.waived && s.told && s.paid && s.taken_out;
    return s.bad != 0 || s.settled == 0 || s.exact == 0 || (n >= SEEDS && !all);
}

/* A seed is a life that can be had again: to the packet. */
static int same_twice(uint64_t seed)
{
    struct sums a = {0}, b = {0};
    struct vnet_stats lines_a, lines_b;
    play(seed, CONTROL_NONE, &a);
    vnet_stats_get(&lines_a);
    play(seed, CONTROL_NONE, &b);
    vnet_stats_get(&lines_b);
    bool same = memcmp(&a, &b, sizeof a) == 0 && memcmp(&lines_a, &lines_b, sizeof lines_a) == 0;
    printf("town: seed %llu twice: %s, %llu packets, %llu bytes\n", (unsigned long long)seed,
           same ? "the same life" : "two lives", (unsigned long long)lines_a.packets,
           (unsigned long long)lines_a.bytes);
    return !same;
}

static int control(const char *name, enum town_control which, uint64_t first, uint64_t n)
{
    struct sums s = play_all(first, n, which);
    printf("town: control '%s': found in %llu of %llu seeds\n", name, (unsigned long long)s.bad,
           (unsigned long long)s.seeds);
    return s.bad == 0;
}

static int controls(void)
{
    return same_twice(1) | same_twice(7) |
           control("answers before the commit", CONTROL_EARLY, 1, CONTROL_SEEDS) |
           control("a refund a fen short", CONTROL_REFUND, 1, CONTROL_SEEDS) |
           control("a company's payment a fen short", CONTROL_COMPANY, 1, CONTROL_SEEDS) |
           control("no quotas", CONTROL_QUOTA, 1, CONTROL_SEEDS) |
           control("tax at a percent more", CONTROL_TAX, 1, CONTROL_SEEDS) |
           control("dearer clauses", CONTROL_CLAUSE, 1, CONTROL_SEEDS) |
           control("anybody takes out of files", CONTROL_BANK, 1, CONTROL_SEEDS);
}

static uint64_t number(const char *text)
{
    int64_t v;
    if (str_to_i64(str_from_c(text), &v) || v < 1) {
        fprintf(stderr, "test_town: want a number: %s\n", text);
        exit(2);
    }
    return (uint64_t)v;
}

int main(int argc, char **argv)
{
    int res = 2;
    log_set_level(LOG_ERROR + 1);
    must(crypto_init() == 0);
    folders_make();
    disk_vfs_install();
    disk_close_set(vnet_close_ours);
    if (argc == 1)
        res = seeds(1, SEEDS) | controls();
    else if (argc == 2 && strcmp(argv[1], "--controls") == 0)
        res = controls();
    else if (argc == 4 && strcmp(argv[1], "--seeds") == 0)
        res = seeds(number(argv[2]), number(argv[3]));
    else
        fprintf(stderr, "usage: test_town [--seeds FIRST N | --controls]\n");
    if (res == 1 && argc == 4 && number(argv[3]) == 1)
        fprintf(stderr, "town: the files stay in %s\n", base);
    else
        folders_remove();
    return res;
}
