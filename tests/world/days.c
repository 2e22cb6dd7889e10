// SPDX-License-Identifier: Apache-2.0
/* days.c: two hours of an operator with six chargers and eight drivers, twenty-eight hours to let
 * everything end, then the auditor's verdict. Every habit of the simulator is drawn; about half of
 * the worlds are killed once or twice. */
#include "world/runs.h"

#include <stdio.h>

#include "base/must.h"

#define HOUR_MS INT64_C(3600000)
#define DRIVERS 8
#define PILES   6
#define ORDERS  512

static const uint16_t mix[HABIT_COUNT] = {
    [HABIT_NORMAL] = 30,     [HABIT_FULL] = 5,         [HABIT_UNPLUG] = 5,
    [HABIT_FAULT] = 4,       [HABIT_OFFLINE] = 8,      [HABIT_SLOW_STOP] = 4,
    [HABIT_IGNORE_STOP] = 2, [HABIT_CLOCK_SKEW] = 4,   [HABIT_PLACEHOLDER] = 4,
    [HABIT_DUPLICATE] = 5,   [HABIT_REJECT_START] = 3, [HABIT_SILENT_START] = 3,
    [HABIT_MUTE_START] = 3};

struct day {
    struct world w;
    int64_t order[ORDERS];
    int orders, starts, refused;
};

static struct model_traits traits_draw(struct rng *rng, bool ykc)
{
    static const int32_t powers[] = {7000, 22000, 60000, 120000, 250000};
    static const int32_t readings[] = {10000, 15000, 60000};
    int32_t power = powers[rng_below(rng, 5)];
    return (struct model_traits){.power_w = power,
                                 .reading_ms = ykc ? 15000 : readings[rng_below(rng, 3)],
                                 .stop_min_ms = 1000,
                                 .stop_max_ms = 5000,
                                 .guns = (uint8_t)rng_range(rng, 1, 2),
                                 .dc = power > 22000,
                                 .obeys_trigger = ykc || rng_below(rng, 2),
                                 .obeys_interval = !ykc && rng_below(rng, 2),
                                 .obeys_profiles = !ykc && rng_below(rng, 2),
                                 .stops_at_balance = ykc,
                                 .autoplug = true,
                                 .walkup_pm = ykc ? 0 : 300};
}

static void drive(struct day *d)
{
    static const int64_t caps[] = {5000, 20000, 40000, 100000, 300000};
    struct world *w = &d->w;
    struct pile *p = &w->piles[rng_below(&w->rng, (uint64_t)w->piles_n)];
    unsigned gun = (unsigned)rng_below(&w->rng, p->m.traits.guns);
    int64_t driver = w->driver[rng_below(&w->rng, DRIVERS)];
    switch (rng_below(&w->rng, 8)) {
    case 0:
        must(world_topup(w, driver, rng_range(&w->rng, 1, 500) * 100) == 0);
        break;
    case 1:
        if (d->orders)
            (void)world_stop(w, d->order[rng_below(&w->rng, (uint64_t)d->orders)]);
        break;
    default:
        d->starts++;
        if (world_start(w, driver, p->connector[gun], caps[rng_below(&w->rng, 5)]))
            d->refused++;
        else if (d->orders < ORDERS)
            d->order[d->orders++] = w->reply.id;
    }
}

/** No more vehicles; those that are there leave. */
static void calm(struct world *w)
{
    for (int i = 0; i < w->piles_n; i++) {
        struct model *m = &w->piles[i].m;
        m->traits.autoplug = false;
        m->traits.walkup_pm = 0;
        for (unsigned g = 0; g < m->traits.guns; g++) {
            m->guns[g].walkup = false;
            model_unplug(m, g, w->now_ms);
        }
    }
}

static void day_play(struct day *d, uint64_t seed)
{
    struct world *w = &d->w;
    world_open(w, seed, DRIVERS, PILES);
    w->instant = seed % 3 == 0;
    for (int i = 0; i < PILES; i++) {
        bool ykc = rng_below(&w->rng, 3) == 0;
        struct model_traits t = traits_draw(&w->rng, ykc);
        (void)world_pile(w, ykc ? PROTOCOL_YKC : PROTOCOL_OCPP16, &t, mix, i % 2);
    }
    for (int i = 0; i < DRIVERS; i++)
        must(world_topup(w, w->driver[i], rng_range(&w->rng, 4, 100) * MONEY_UNIT) == 0);
    int64_t end = w->now_ms + 2 * HOUR_MS;
    while (w->now_ms < end) {
        world_run(w, w->now_ms + rng_range(&w->rng, 1000, 60000));
        drive(d);
        if (rng_below(&w->rng, 200) == 0)
            world_kill(w);
    }
    calm(w);
    world_run(w, w->now_ms + 20 * 60 * 1000);
    calm(w); /* those that plugged in while the first leaving was on its way */
    world_run(w, w->now_ms + 28 * HOUR_MS);
}

int run_days(uint64_t first_seed, int seeds)
{
    static struct day d;
    uint64_t settled = 0, failed = 0, doubtful = 0, known = 0, exact = 0, overruns = 0,
             transfers = 0;
    int kills = 0, starts = 0, refused = 0;
    for (int i = 0; i < seeds; i++) {
        d = (struct day){0};
        (void)fprintf(stderr, "seed %llu\r", (unsigned long long)first_seed + (unsigned)i);
        day_play(&d, first_seed + (uint64_t)i);
        world_verdict(&d.w);
        settled += d.w.audit.settled;
        failed += d.w.audit.failed;
        doubtful += d.w.audit.doubtful;
        known += d.w.audit.known;
        exact += d.w.audit.exact;
        overruns += d.w.audit.overruns;
        transfers += d.w.audit.transfers;
        kills += (int)d.w.kills;
        starts += d.starts;
        refused += d.refused;
        world_close(&d.w);
    }
    printf("days: %d worlds, %d starts (%d refused), %llu settled, %llu with known truth, %llu "
           "predicted to the fen, "
           "%llu doubtful, %llu failed starts, %llu with overrun, %llu transfers, %d kills\n",
           seeds, starts, refused, (unsigned long long)settled, (unsigned long long)known,
           (unsigned long long)exact, (unsigned long long)doubtful, (unsigned long long)failed,
           (unsigned long long)overruns, (unsigned long long)transfers, kills);
    return settled == 0 || exact == 0;
}
