// SPDX-License-Identifier: Apache-2.0
/* tapes.c: the tapes of fuzz/ under `make test`: `test_tapes NAME CORPUS [TIMES]`. Every tape of
 * the corpus, then a fixed number from a seed (TIMES as many for the soak): changed seeds, joined
 * seeds, and noise. The same each time, so what fails here fails again; what failed is printed as a
 * line for the corpus. */
#include "tape.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/log.h"
#include "io/os/file.h"
#include "seeds.h"

enum { CORPUS_MAX = 4 << 20, TAPE_MAX = 8192, SEEDS_MAX = 1000, CHANGES = 8 };

struct target {
    const char *name;
    int (*fn)(const uint8_t *p, size_t n);
    int rounds; /* about a second of CPU */
    bool noisy; /* says on stderr what is wrong with its input */
};

static const struct target targets[] = {
    {"number", tape_number, 60000, false},     {"zone", tape_zone, 10000, false},
    {"json", tape_json, 40000, false},         {"binary", tape_binary, 40000, false},
    {"ykc", tape_ykc, 10000, false},           {"ocpp", tape_ocpp, 40000, false},
    {"http", tape_http, 20000, false},         {"rows", tape_rows, 40000, false},
    {"sample", tape_sample, 2000, false},      {"csv", tape_csv, 10000, true},
    {"config", tape_config, 4000, false},      {"web", tape_web, 10000, false},
    {"ftp", tape_ftp, 20000, false},           {"ws", tape_ws, 1000, false},
    {"ocpp_gate", tape_ocpp_gate, 500, false}, {"ykc_gate", tape_ykc_gate, 500, false},
};

static struct {
    struct buf seed[SEEDS_MAX];
    int seeds;
    struct buf tape; /* the one that runs */
    int err_fd;      /* stderr, also when fd 2 is shut up */
} run;

/* must() ended the program: which tape was it? */
static void on_abort(int sig)
{
    struct buf line;
    (void)sig;
    buf_init(&line, 8 * TAPE_MAX);
    buf_put_c(&line, "the tape that failed:\n");
    seeds_put(&line, buf_str(&run.tape));
    (void)!write(run.err_fd, line.p, line.n);
}

static void seeds_read(const char *path)
{
    struct buf text;
    buf_init(&text, CORPUS_MAX);
    must(file_read(path, CORPUS_MAX, &text) == 0);
    struct str rest = buf_str(&text);
    for (run.seeds = 0; run.seeds < SEEDS_MAX; run.seeds++) {
        buf_init(&run.seed[run.seeds], CORPUS_MAX);
        if (!seeds_next(&rest, &run.seed[run.seeds]))
            break;
    }
    must(run.seeds > 0 && rest.n == 0);
    buf_free(&text);
}

static struct str seed_any(struct rng *rng)
{
    return buf_str(&run.seed[rng_below(rng, (uint64_t)run.seeds)]);
}

static void noise(struct rng *rng, struct buf *out)
{
    for (uint64_t n = rng_below(rng, 64); n > 0; n--)
        buf_put_char(out, (char)rng_next(rng));
}

/* A byte flips, becomes another, goes, comes, or a run is said again. */
static void change(struct rng *rng, struct buf *b)
{
    if (b->n == 0)
        return;
    size_t at = rng_below(rng, b->n), left = b->n - at;
    size_t len = 1 + rng_below(rng, left < 16 ? left : 16);
    char run_of[16];
    switch (rng_below(rng, 5)) {
    case 0:
        b->p[at] = (char)(b->p[at] ^ 1 << rng_below(rng, 8));
        break;
    case 1:
        b->p[at] = (char)rng_next(rng);
        break;
    case 2:
        memmove(b->p + at, b->p + at + len, left - len);
        b->n -= len;
        break;
    default:
        memcpy(run_of, b->p + at, len);
        if (!buf_grow(b, len))
            break;
        memmove(b->p + at + len, b->p + at, left);
        memcpy(b->p + at, run_of, len);
    }
}

static void tape_make(struct rng *rng, struct buf *out)
{
    buf_reset(out);
    if (rng_below(rng, 20) == 0) {
        noise(rng, out);
        return;
    }
    struct str a = seed_any(rng), b = seed_any(rng);
    bool joined = rng_below(rng, 4) == 0;
    buf_put_str(out, joined && a.n ? str_from(a.p, rng_below(rng, a.n)) : a);
    if (joined && b.n) {
        size_t from = rng_below(rng, b.n);
        buf_put_str(out, str_from(b.p + from, b.n - from));
    }
    for (uint64_t n = rng_below(rng, CHANGES); n > 0; n--)
        change(rng, out);
}

static void play(const struct target *t)
{
    must(!run.tape.err || run.tape.n > 0);
    t->fn((const uint8_t *)run.tape.p, run.tape.n);
}

static const struct target *target_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        if (strcmp(targets[i].name, name) == 0)
            return &targets[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct target *t = argc == 3 || argc == 4 ? target_find(argv[1]) : NULL;
    struct rng rng = {20260101};
    int64_t times = 1;
    if (!t || (argc == 4 && (str_to_i64(str_from_c(argv[3]), &times) || times < 1))) {
        fprintf(stderr, "usage: test_tapes NAME CORPUS [TIMES]\n");
        return 2;
    }
    log_set_level((enum log_level)(LOG_ERROR + 1)); /* bad input is what this is about */
    run.err_fd = dup(2);
    must(run.err_fd >= 0 && (!t->noisy || freopen("/dev/null", "w", stderr)));
    signal(SIGABRT, on_abort);
    seeds_read(argv[2]);
    buf_init(&run.tape, CORPUS_MAX);
    for (int i = 0; i < run.seeds; i++) {
        buf_reset(&run.tape);
        buf_put_str(&run.tape, buf_str(&run.seed[i]));
        play(t);
    }
    buf_free(&run.tape);
    buf_init(&run.tape, TAPE_MAX);
    for (int64_t i = 0; i < times * t->rounds; i++) {
        tape_make(&rng, &run.tape);
        play(t);
    }
    printf("%s: %d tapes of the corpus and %lld from a seed\n", t->name, run.seeds,
           (long long)(times * t->rounds));
    return 0;
}
