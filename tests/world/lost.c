// SPDX-License-Identifier: Apache-2.0
/* lost.c: the platform dies for good in the middle of sessions with a prepaid cap. Chargers that
 * obey profiles hold a dead-man limit and stop near the cap by themselves; what they give beyond it
 * is measured, beside the same chargers without. 7 to 250 kW, caps of 4.00 and 20.00, price 1.20.
 */
#include "world/runs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#define PILES    100
#define PRICE_E5 INT64_C(120000)

struct lane {
    struct pile *p;
    int64_t cap, start_ms;
};

struct figures {
    int64_t *over; /* mWh beyond the cap, negative when it fell short */
    int n, without, broken;
    int64_t profiles;
};

static struct model_traits traits_of(struct rng *rng, bool profiles)
{
    static const int32_t readings[] = {10000, 15000, 60000};
    int32_t power = (int32_t)rng_range(rng, 7000, 250000);
    return (struct model_traits){.power_w = power,
                                 .reading_ms = readings[rng_below(rng, 3)],
                                 .stop_min_ms = 1000,
                                 .stop_max_ms = 5000,
                                 .guns = 1,
                                 .dc = power > 22000,
                                 .obeys_trigger = rng_below(rng, 2) == 0,
                                 .obeys_profiles = profiles};
}

/** What a charger may give beyond the cap: at full power its margin and the least time that is left
 * to it while its power is not known; and a tenth of the cap, by which the estimate may be wrong.
 */
static int64_t bound_mwh(const struct lane *l, int64_t cap_mwh)
{
    return l->p->m.traits.power_w * INT64_C(36) * 1000 / 3600 + cap_mwh / 10;
}

static void lane_measure(const struct lane *l, int64_t until_ms, struct figures *f)
{
    struct model *m = &l->p->m;
    int64_t cap_mwh = muldiv_floor(l->cap, 10000000, PRICE_E5);
    if (!model_busy(m, 0) || m->guns[0].stop_ms != INT64_MAX)
        return; /* not begun, or over, or stopping already */
    if (m->traits.obeys_profiles && !l->p->profiles) {
        f->without++; /* the platform died before it could tell */
        return;
    }
    model_advance(m, until_ms);
    f->profiles += l->p->profiles;
    f->over[f->n] = m->guns[0].meter_mwh - m->guns[0].start_mwh - cap_mwh;
    if (m->traits.obeys_profiles && f->over[f->n] > bound_mwh(l, cap_mwh))
        f->broken++;
    f->n++;
}

static void one_world(uint64_t seed, bool profiles, struct figures *f)
{
    struct world w;
    static struct lane lanes[PILES];
    world_open(&w, seed, PILES, PILES);
    for (int i = 0; i < PILES; i++) {
        struct model_traits t = traits_of(&w.rng, profiles);
        int64_t start_ms = w.now_ms + 5000 + rng_range(&w.rng, 0, 300000);
        lanes[i] = (struct lane){.p = world_pile(&w, PROTOCOL_OCPP16, &t, NULL, 0),
                                 .cap = i % 2 ? 40000 : 200000,
                                 .start_ms = start_ms};
        must(world_topup(&w, w.driver[i], lanes[i].cap) == 0);
    }
    int64_t dies_ms = w.now_ms + 310000;
    while (w.now_ms < dies_ms) {
        world_run(&w, w.now_ms + 1000);
        for (int i = 0; i < PILES; i++) {
            struct lane *l = &lanes[i];
            if (!l->start_ms || w.now_ms < l->start_ms)
                continue;
            must(model_plug(&l->p->m, 0, w.now_ms) == 0);
            pile_tick(l->p);
            must(world_start(&w, w.driver[i], l->p->connector[0], l->cap) == 0);
            l->start_ms = 0;
        }
    }
    for (int i = 0; i < PILES; i++)
        lane_measure(&lanes[i], w.now_ms + 6 * INT64_C(3600000), f);
    world_close(&w);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double kwh(const struct figures *f, int per_mille)
{
    return (double)f->over[(int64_t)(f->n - 1) * per_mille / 1000] / 1e6;
}

static int run_group(bool profiles, int n)
{
    struct figures f = {.over = calloc((size_t)n + PILES, sizeof(int64_t))};
    must(f.over);
    for (uint64_t seed = 1; f.n < n; seed++)
        one_world(seed, profiles, &f);
    qsort(f.over, (size_t)f.n, sizeof *f.over, by_value);
    printf("lost: %-16s n %5d  beyond the cap, kWh: p1 %.2f p50 %.2f p95 %.2f p99 %.2f max %.2f "
           "(yuan max %.2f)  profiles a session %.1f  too early %d  beyond the bound %d\n",
           profiles ? "dead-man limit" : "without profiles", f.n, kwh(&f, 10), kwh(&f, 500),
           kwh(&f, 950), kwh(&f, 990), kwh(&f, 1000), kwh(&f, 1000) * 1.2, (double)f.profiles / f.n,
           f.without, f.broken);
    free(f.over);
    return f.broken > 0;
}

int run_lost(int n)
{
    return run_group(true, n) | run_group(false, n);
}
