// SPDX-License-Identifier: Apache-2.0
/* mark.c: see mark.h. Owns one page of a file.
 *
 * Invariants:
 *  1. `running` is 0 outside mark_begin … mark_end.
 *  2. A fingerprint stands in `poison` only after it was running at two crashes in a row.
 *
 * Thread: the core's. Fails only in mark_open. */
#include "io/os/mark.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "io/os/file.h"

enum { MARK_MAGIC = 0x4b52414d, POISON_MAX = 32, CRASHES = 2 };

struct page {
    uint64_t magic;
    volatile uint64_t running; /* fingerprint in work, 0 = none */
    uint64_t last;             /* fingerprint at the last crash */
    uint64_t crashes;          /* in a row with `last` */
    uint64_t poison_n;
    uint64_t poison[POISON_MAX];
};

struct mark {
    struct page *page;
};

static void take_stock(struct page *p)
{
    if (p->magic != MARK_MAGIC)
        *p = (struct page){.magic = MARK_MAGIC};
    if (p->running == 0) {
        p->last = p->crashes = 0; /* whatever ended it was no command */
        return;
    }
    p->crashes = p->last == p->running ? p->crashes + 1 : 1;
    p->last = p->running;
    p->running = 0;
    log_line(LOG_WARN, "mark", 0, "the last run died in command %016llx (%llu in a row)",
             (unsigned long long)p->last, (unsigned long long)p->crashes);
    if (p->crashes < CRASHES)
        return;
    p->poison[p->poison_n++ % POISON_MAX] = p->last;
    log_line(LOG_ERROR, "mark", 0, "command %016llx is quarantined", (unsigned long long)p->last);
}

int mark_open(const char *path, struct mark **out)
{
    void *page;
    struct mark *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    int err = file_map(path, sizeof(struct page), &page);
    if (err) {
        free(m);
        return err;
    }
    m->page = page;
    take_stock(m->page);
    *out = m;
    return 0;
}

void mark_close(struct mark *m)
{
    if (!m)
        return;
    m->page->running = 0;
    m->page->last = m->page->crashes = 0;
    file_unmap(m->page, sizeof(struct page));
    free(m);
}

bool mark_begin(struct mark *m, uint64_t finger)
{
    uint64_t n = m->page->poison_n < POISON_MAX ? m->page->poison_n : POISON_MAX;
    for (uint64_t i = 0; i < n; i++)
        if (m->page->poison[i] == (finger | 1))
            return false;
    m->page->running = finger | 1; /* never 0 */
    return true;
}

void mark_end(struct mark *m)
{
    m->page->running = 0;
}
