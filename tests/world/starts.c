// SPDX-License-Identifier: Apache-2.0
/* starts.c: starts that fail, of every kind, and when the driver's money was free again: counted
 * from the charger's refusal or from the broken connection, else from the start itself. */
#include "world/runs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#define PILES 40
#define CAP   INT64_C(40000)

enum way {
    WAY_REJECTED,
    WAY_NOT_PLUGGED,
    WAY_FAULTED,
    WAY_MUTE,
    WAY_SILENT,
    WAY_CUT,
    WAY_KILLED,
    WAY_OFFLINE,
    WAY_COUNT
};
static const char *const way_names[WAY_COUNT] = {
    "rejected",         "not plugged in", "faulted",         "no answer",
    "accepted, silent", "connection cut", "platform killed", "charger offline"};
/** Whether the platform is told at once. */
static const bool told[WAY_COUNT] = {
    [WAY_REJECTED] = true, [WAY_NOT_PLUGGED] = true, [WAY_FAULTED] = true, [WAY_OFFLINE] = true};

struct figures {
    int64_t *ms[WAY_COUNT];
    int n[WAY_COUNT], refused[WAY_COUNT], charged[WAY_COUNT];
};

static void prepare(struct world *w, struct pile *p, enum way way)
{
    struct model *m = &p->m;
    model_unplug(m, 0, w->now_ms);
    m->guns[0].due_ms = INT64_MAX;
    if (way != WAY_NOT_PLUGGED)
        must(model_plug(m, 0, w->now_ms) == 0);
    if (way == WAY_REJECTED)
        model_set_habit(m, 0, HABIT_REJECT_START, w->now_ms);
    if (way == WAY_FAULTED)
        m->guns[0].state = GUN_FAULTED; /* the platform does not know yet */
    if (way == WAY_MUTE)
        model_set_habit(m, 0, HABIT_MUTE_START, w->now_ms);
    if (way == WAY_SILENT || way == WAY_KILLED)
        model_set_habit(m, 0, HABIT_SILENT_START, w->now_ms);
    p->cut_after_start = way == WAY_CUT;
    if (way == WAY_OFFLINE) {
        m->link_wanted = false;
        m->link_ms = w->now_ms + 200000;
    }
    pile_tick(p);
}

static void one_start(struct world *w, struct pile *p, int64_t driver, enum way way,
                      struct figures *f)
{
    prepare(w, p, way);
    world_run(w, w->now_ms + 2000);
    int rc = world_start(w, driver, p->connector[0], CAP);
    int64_t order = w->reply.id, from = w->now_ms, until = w->now_ms + 150000;
    if (rc) {
        f->refused[way]++; /* nothing was held */
        f->ms[way][f->n[way]++] = 0;
        world_run(w, until + 60000);
        p->m.guns[0].state = GUN_FREE;
        return;
    }
    if (way == WAY_KILLED) {
        world_run(w, w->now_ms + rng_range(&w->rng, 0, 600));
        world_kill(w);
    }
    const struct audit_order *o = audit_order(&w->audit, order);
    must(o && o->hold);
    while (audit_order(&w->audit, order)->state != ORDER_START_FAILED && w->now_ms < until)
        world_run(w, w->now_ms + 100);
    const struct audit_hold *h = audit_hold(&w->audit, audit_order(&w->audit, order)->hold);
    must(h->state == HOLD_RESOLVED && h->captured == 0 && h->released == CAP);
    f->ms[way][f->n[way]++] = h->resolved_ms - from;
    world_run(w, until + 60000);
    p->m.guns[0].state = GUN_FREE;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int report(struct figures *f)
{
    int rc = 0, all = 0;
    for (int i = 0; i < WAY_COUNT; i++) {
        int n = f->n[i];
        int64_t bar = told[i] ? 5000 : 120000;
        all += n;
        if (!n)
            continue;
        qsort(f->ms[i], (size_t)n, sizeof(int64_t), by_value);
        printf("starts: %-17s n %5d  no hold at all %5d  hold free after p50 %.1f s p99 %.1f s max "
               "%.1f s "
               "(bar %.0f s)\n",
               way_names[i], n, f->refused[i], (double)f->ms[i][n / 2] / 1e3,
               (double)f->ms[i][(int64_t)(n - 1) * 99 / 100] / 1e3, (double)f->ms[i][n - 1] / 1e3,
               (double)bar / 1e3);
        rc |= f->ms[i][n - 1] > bar;
        free(f->ms[i]);
    }
    printf("starts: %d failed starts, none left held\n", all);
    return rc;
}

int run_starts(int n)
{
    struct figures f = {0};
    int done = 0;
    for (int i = 0; i < WAY_COUNT; i++) {
        f.ms[i] = calloc((size_t)n, sizeof(int64_t));
        must(f.ms[i]);
    }
    for (uint64_t seed = 1; done < n; seed++) {
        struct world w;
        world_open(&w, seed, PILES, PILES);
        for (int i = 0; i < PILES; i++) {
            bool ykc = i % 3 == 0;
            struct model_traits t = {.power_w = 60000,
                                     .reading_ms = 15000,
                                     .stop_min_ms = 1000,
                                     .stop_max_ms = 5000,
                                     .guns = 1,
                                     .dc = true,
                                     .obeys_trigger = true,
                                     .stops_at_balance = ykc};
            (void)world_pile(&w, ykc ? PROTOCOL_YKC : PROTOCOL_OCPP16, &t, NULL, 0);
        }
        for (int i = 0; i < PILES; i++)
            must(world_topup(&w, w.driver[i], CAP) == 0);
        world_run(&w, w.now_ms + 10000);
        for (int i = 0; i < 10 * PILES && done < n; i++, done++)
            one_start(&w, &w.piles[i % PILES], w.driver[i % PILES],
                      (enum way)rng_below(&w.rng, WAY_COUNT), &f);
        must(audit_holds_open(&w.audit) == 0);
        world_verdict(&w);
        world_close(&w);
    }
    return report(&f);
}
