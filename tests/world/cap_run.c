// SPDX-License-Identifier: Apache-2.0
/* cap_run.c: how near the prepaid cap charging ends, through the whole core: 4.00 in the wallet,
 * cap 4.00, price 1.20, chargers of 7 to 250 kW, readings every 10, 15 or 60 s, a stop obeyed after
 * 1 to 5 s. */
#include "world/runs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#define PILES   100
#define CAP     INT64_C(40000)
#define LOOK_MS 1000

struct group {
    const char *name;
    bool trigger, interval, profile, ykc;
    bool bar; /* must meet it */
};

static const struct group groups[] = {
    {.name = "answers TriggerMessage", .trigger = true, .bar = true},
    {.name = "obeys sample interval", .interval = true, .bar = true},
    {.name = "trigger and profiles", .trigger = true, .profile = true, .bar = true},
    {.name = "ykc pile", .trigger = true, .ykc = true, .bar = true},
    {.name = "profiles only", .profile = true},
    {.name = "does neither", .bar = false},
};

struct lane {
    struct pile *p;
    int64_t driver, order, next_ms;
};

struct figures {
    int64_t *bill, *paid; /* total of the bill; what the driver paid */
    int n;
};

static struct model_traits traits_of(struct rng *rng, const struct group *g)
{
    static const int32_t readings[] = {10000, 15000, 60000};
    int32_t power = (int32_t)rng_range(rng, 7000, 250000);
    return (struct model_traits){.power_w = power,
                                 .reading_ms = g->ykc ? 15000 : readings[rng_below(rng, 3)],
                                 .stop_min_ms = 1000,
                                 .stop_max_ms = 5000,
                                 .guns = 1,
                                 .dc = power > 22000,
                                 .obeys_trigger = g->trigger,
                                 .obeys_interval = g->interval,
                                 .obeys_profiles = g->profile,
                                 .stops_at_balance = g->ykc};
}

static void lane_begin(struct world *w, struct lane *l)
{
    int64_t now = w->now_ms;
    const struct audit_account *x = NULL;
    model_unplug(&l->p->m, 0, now);
    if (model_plug(&l->p->m, 0, now) || l->p->m.guns[0].stops_queued)
        return;
    pile_tick(l->p); /* its timer knows of the vehicle */
    for (size_t i = 0; i < w->audit.accounts.n && !x; i++) {
        const struct audit_account *a = (const void *)(w->audit.accounts.v + i * sizeof *a);
        if (a->kind == ACCOUNT_WALLET && a->owner == l->driver)
            x = a;
    }
    must(x && x->journal <= CAP && x->journal >= 0);
    if (x->journal < CAP)
        must(world_topup(w, l->driver, CAP - x->journal) == 0);
    if (world_start(w, l->driver, l->p->connector[0], CAP) == 0)
        l->order = w->reply.id;
}

static void lane_look(struct world *w, struct lane *l, struct figures *f, int want)
{
    if (!l->order) {
        if (f->n >= want || w->now_ms < l->next_ms)
            return;
        lane_begin(w, l);
        l->next_ms = w->now_ms + 5 * LOOK_MS;
        return;
    }
    const struct audit_order *o = audit_order(&w->audit, l->order);
    if (!o || (o->state != ORDER_SETTLED && o->state != ORDER_START_FAILED))
        return;
    if (o->state == ORDER_SETTLED && f->n < want) {
        f->bill[f->n] = o->total;
        f->paid[f->n++] = o->paid;
    }
    l->order = 0;
    l->next_ms = w->now_ms + rng_range(&w->rng, 2000, 15000);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double yuan(const int64_t *v, int n, int per_mille)
{
    return (double)v[(int64_t)(n - 1) * per_mille / 1000] / 1e4;
}

static int report(const struct group *g, struct figures *f)
{
    qsort(f->bill, (size_t)f->n, sizeof *f->bill, by_value);
    qsort(f->paid, (size_t)f->n, sizeof *f->paid, by_value);
    double over = yuan(f->bill, f->n, 990) - 4.0;
    printf("cap: %-22s n %5d  paid p1 %.2f p5 %.2f p50 %.2f max %.2f  bill p50 %.2f p95 %.2f p99 "
           "%.2f max "
           "%.2f  overrun p99 %.2f\n",
           g->name, f->n, yuan(f->paid, f->n, 10), yuan(f->paid, f->n, 50),
           yuan(f->paid, f->n, 500), yuan(f->paid, f->n, 1000), yuan(f->bill, f->n, 500),
           yuan(f->bill, f->n, 950), yuan(f->bill, f->n, 990), yuan(f->bill, f->n, 1000),
           over > 0 ? over : 0.0);
    bool met = yuan(f->paid, f->n, 500) >= 3.90 && yuan(f->paid, f->n, 50) >= 3.70 &&
               over <= 0.10 + 1e-9 && yuan(f->paid, f->n, 1000) <= 4.0;
    return g->bar && !met;
}

static int run_group(const struct group *g, int n)
{
    struct world w;
    static struct lane lanes[PILES];
    struct figures f = {.bill = calloc((size_t)n, sizeof(int64_t)),
                        .paid = calloc((size_t)n, sizeof(int64_t))};
    must(f.bill && f.paid);
    world_open(&w, 4, PILES, PILES);
    for (int i = 0; i < PILES; i++) {
        struct model_traits t = traits_of(&w.rng, g);
        lanes[i] =
            (struct lane){.p = world_pile(&w, g->ykc ? PROTOCOL_YKC : PROTOCOL_OCPP16, &t, NULL, 0),
                          .driver = w.driver[i],
                          .next_ms = w.now_ms + 5000};
    }
    bool busy = true;
    while (busy) {
        world_run(&w, w.now_ms + LOOK_MS);
        busy = f.n < n;
        for (int i = 0; i < PILES; i++) {
            lane_look(&w, &lanes[i], &f, n);
            busy = busy || lanes[i].order;
        }
    }
    world_run(&w, w.now_ms + 26 * INT64_C(3600000));
    world_verdict(&w);
    int rc = report(g, &f);
    world_close(&w);
    free(f.bill);
    free(f.paid);
    return rc;
}

int run_cap(int n)
{
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        rc |= run_group(&groups[i], n);
    return rc;
}
