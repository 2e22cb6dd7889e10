// SPDX-License-Identifier: Apache-2.0
/* run.c: see run.h. Invariants: 1. a batch is `told` only after store_commit answered 0; 2. after
 * the first error of the store nothing more is asked of it, as the engine does. */
#include "crash/run.h"

#include <stdlib.h>
#include "base/must.h"
#include "store/sample.h"

enum { FILL_BYTES = (4 << 20) - 600, FILL_RECORD = 110, FILL_SESSION = 7777 };
#define NEVER SIZE_MAX

static void batch_free(struct run_batch *b)
{
    free(b->rows);
    free(b->samples);
}

void run_free(struct run *r)
{
    for (int i = 0; i < r->n; i++)
        batch_free(&r->batch[i]);
    *r = (struct run){0};
}

static char *copied(struct str s)
{
    char *p = malloc(s.n + 1);
    must(p);
    memcpy(p, s.p ? s.p : "", s.n);
    return p;
}

/* What the folder holds before the run, as a book. */
static void book_before(struct book *b, const struct run *r)
{
    book_init(b);
    for (int i = 0; i < r->rows_from; i++)
        book_rows(b, str_from(r->parent->batch[i].rows, r->parent->batch[i].rows_n));
    for (int i = 0; i < r->samples_from; i++)
        book_samples(b, str_from(r->parent->batch[i].samples, r->parent->batch[i].samples_n));
}

void run_inherit(struct run *r, const struct run *parent, int rows, int samples, int told)
{
    *r = (struct run){.parent = parent, .rows_from = rows, .samples_from = samples};
    r->people = told ? parent->batch[told - 1].people : parent->people;
}

static struct run_batch *batch_begin(struct run *r, struct book *book, struct str rows,
                                     struct str samples)
{
    must(r->n < RUN_BATCHES);
    struct run_batch *b = &r->batch[r->n++];
    *b = (struct run_batch){.rows = copied(rows),
                            .samples = copied(samples),
                            .rows_n = rows.n,
                            .samples_n = samples.n,
                            .begun = disk_ops(),
                            .told = NEVER};
    book_rows(book, rows);
    book_samples(book, samples);
    b->after = book->sum;
    return b;
}

/* One step and its commit; people hear only what was committed. */
static int step(struct run *r, struct house *h, struct book *book)
{
    enum disk_phase phase;
    house_step(h);
    if (h->err)
        return h->err;
    if (!house_has_rows(h)) {
        house_deliver(h);
        return 0;
    }
    struct str rows = buf_str(&h->batch.rows), samples = buf_str(&h->batch.samples);
    struct run_batch *b = batch_begin(r, book, rows, samples);
    disk_phase_set(PHASE_COMMIT);
    bool struck = disk_fault_struck(&phase);
    int err = store_commit(h->store, rows, samples);
    if (err)
        return err;
    r->unanswered |= !struck && disk_fault_struck(&phase) && !disk_fault_harmless();
    house_deliver(h);
    b->people = h->people;
    b->told = disk_ops();
    return 0;
}

/* A failed housekeeping is told to the log and tried again later. */
static void keep(struct house *h)
{
    disk_phase_set(PHASE_KEEP);
    int err = store_keeper_run(h->keeper);
    (void)err;
}

static int start(struct house *h, const char *folder, const struct people *people)
{
    disk_phase_set(PHASE_OPEN);
    int err = house_open(h, folder, people);
    return err ? err : house_begin(h);
}

static int restart(struct house *h, const char *folder)
{
    struct people people = h->people;
    disk_phase_set(PHASE_CLOSE);
    house_close(h);
    return start(h, folder, &people);
}

void run_live(struct run *r, const struct run_plan *plan)
{
    struct house h;
    struct book book;
    book_before(&book, r);
    for (int i = 0; i < r->n; i++) { /* filled before */
        book_rows(&book, str_from(r->batch[i].rows, r->batch[i].rows_n));
        book_samples(&book, str_from(r->batch[i].samples, r->batch[i].samples_n));
    }
    if (!r->n)
        r->before = book.sum;
    if (!r->parent)
        r->people = (struct people){.rng = {plan->seed}, .now_ms = INT64_C(1767225600000)};
    r->people.rng.s ^= plan->seed;
    disk_start(plan->folder);
    disk_fault_set(plan->fault, plan->countdown);
    r->err = start(&h, plan->folder, &r->people);
    r->err_at_open = r->err != 0;
    bool open = !r->err;
    for (int i = 1; i <= plan->steps && !r->err; i++) {
        r->err = step(r, &h, &book);
        if (!r->err && plan->keep_every && i % plan->keep_every == 0)
            keep(&h);
        if (!r->err && plan->restart_every && i % plan->restart_every == 0) {
            r->err = restart(&h, plan->folder);
            open = !r->err;
            r->err_at_open = r->err != 0;
        }
    }
    if (r->err || plan->stop_open)
        disk_freeze();
    disk_phase_set(PHASE_CLOSE);
    if (open)
        house_close(&h);
    book_free(&book);
}

int run_told(const struct run *r, size_t n)
{
    int told = 0;
    while (told < r->n && r->batch[told].told <= n)
        told++;
    return told;
}

int run_begun(const struct run *r, size_t n)
{
    int begun = 0;
    while (begun < r->n && r->batch[begun].begun <= n)
        begun++;
    return begun;
}

struct book_sum run_sum(const struct run *r, int batches)
{
    return batches ? r->batch[batches - 1].after : r->before;
}

/* ---- filling the sample log ---- */

/* Every field as far from its neighbour as can be: the log, which writes each record so that it can
 * be read alone, grows fast, and the blocks stay small. */
static void samples_make(struct buf *out, int64_t now_ms, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t far = i % 2 ? INT64_C(1) << 60 : -(INT64_C(1) << 60);
        const struct sample_record r = {.tenant = 1,
                                        .session = FILL_SESSION,
                                        .at_ms = now_ms + i,
                                        .sample = {.time_ms = far,
                                                   .energy_mwh = far,
                                                   .power_w = far,
                                                   .voltage_mv = i % 2 ? INT32_MAX : -INT32_MAX,
                                                   .current_ma = i % 2 ? INT32_MAX : -INT32_MAX,
                                                   .soc_pm = i % 2 ? INT32_MAX : -INT32_MAX,
                                                   .temp_dc = i % 2 ? INT32_MAX : -INT32_MAX,
                                                   .flags = UINT32_MAX,
                                                   .cost = far}};
        buf_put(out, &r, sizeof r);
    }
    must(!out->err);
}

void run_fill_log(struct run *r, const char *folder)
{
    struct store *s;
    struct store_stats st;
    struct buf samples;
    struct book book;
    size_t at = 0;
    book_before(&book, r);
    r->before = book.sum;
    buf_init(&samples, (size_t)1 << 30);
    must(store_open(
             &(struct store_config){
                 .dir = folder, .create = true, .cache_bytes = 4 << 20, .sessions = 1000},
             &s) == 0);
    store_stats(s, &st);
    while (st.log_bytes < FILL_BYTES) {
        int64_t n = (FILL_BYTES - st.log_bytes) / FILL_RECORD + 1;
        n = n < BLOCK_SAMPLES ? n : BLOCK_SAMPLES;
        samples_make(&samples, r->people.now_ms, n);
        must(store_commit(s, STR_NONE, str_from(samples.p + at, samples.n - at)) == 0);
        at = samples.n;
        r->people.now_ms += n;
        store_stats(s, &st);
    }
    store_close(s);
    struct run_batch *b = batch_begin(r, &book, STR_NONE, buf_str(&samples));
    b->people = r->people;
    b->begun = b->told = 0;
    buf_free(&samples);
    book_free(&book);
}
