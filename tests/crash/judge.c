// SPDX-License-Identifier: Apache-2.0
/* judge.c: see judge.h. After n operations `told` batches were acknowledged and `begun` begun,
 * which is one more at most. Right is: the rows of told or of begun batches; the samples likewise,
 * and never fewer than the rows, because samples are made durable first. */
#include "crash/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"

const char *judge_word(enum verdict v)
{
    static const char *const words[VERDICT_N] = {[VERDICT_RIGHT] = "right",
                                                 [VERDICT_LOST] = "lost acknowledged facts",
                                                 [VERDICT_MIXED] = "half batches",
                                                 [VERDICT_CLOSED] = "not opened",
                                                 [VERDICT_BOOKS] = "wrong books"};
    return words[v];
}

static void compare(const struct run *r, int begun, const struct book_sum *is, struct finding *f)
{
    int rows_least = -1; /* batches of samples alone leave the sum of the rows as it was */
    f->rows = f->samples = -1;
    for (int i = 0; i <= begun; i++) {
        struct book_sum sum = run_sum(r, i);
        if (sum.rows == is->rows)
            f->rows = i;
        if (sum.rows == is->rows && rows_least < 0)
            rows_least = i;
        if (sum.samples == is->samples)
            f->samples = i;
    }
    if (f->rows < 0 || f->samples < 0)
        f->verdict = VERDICT_MIXED;
    else if (f->rows < f->told || f->samples < f->told)
        f->verdict = VERDICT_LOST;
    else if (f->samples < rows_least)
        f->verdict = VERDICT_MIXED;
}

/* The report of the check is shown only when it finds something. */
static void check_books(const char *folder, struct finding *f)
{
    char path[600], *report = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&report, &size);
    must(out);
    snprintf(path, sizeof path, "%s/even.db", folder);
    int res = store_check(path, out);
    fclose(out);
    if (res != 0) {
        f->verdict = VERDICT_BOOKS;
        fwrite(report, 1, size, stderr);
    }
    free(report);
}

void judge(const struct run *r, size_t n, const char *folder, struct finding *f)
{
    struct house h;
    struct book_sum sum;
    *f = (struct finding){.told = run_told(r, n)};
    int begun = run_begun(r, n);
    must(begun - f->told <= 1);
    int err = house_open(&h, folder, &r->people);
    if (err) {
        f->verdict = VERDICT_CLOSED;
        f->text = err_name(err);
        return;
    }
    f->text = book_read(folder, &sum);
    if (f->text)
        f->verdict = VERDICT_CLOSED;
    else
        compare(r, begun, &sum, f);
    if (f->verdict == VERDICT_RIGHT)
        check_books(folder, f);
    house_close(&h);
}
