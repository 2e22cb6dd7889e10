// SPDX-License-Identifier: Apache-2.0
/* The parts of the cap against seeded pairs of guns on one virtual clock: piles whose messages are late, are
 * lost, are refused or not answered, links that break, restarts of the platform, top-ups. What the
 * guns spend is the truth; the platform sees readings of it, late. The bars: whatever happens both
 * together never spend more than the cap; where nothing goes wrong, guns of any two powers spend it
 * all, and together. */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "core/allot.h"
#include "core/cap.h"
#include "unit/core/money.h"

#define PRICE_E5 INT64_C(120000)
#define STEP     100 /* ms */
#define ANSWER   5000
#define QUEUE    64
#define SEEDS    1500
#define DAY      (INT64_C(24) * 3600 * 1000)

enum word { BALANCE, ACK, READING, RECORD };

struct message {
    enum word word;
    int64_t due_ms, amount, power_w;
    int gun;
    bool ok;
};

struct line {
    struct message m[QUEUE];
    int n;
};

struct call {
    int64_t part; /* of a lower part, else 0 */
    int gun;
};

/** How this pile and its network are. Of 1,000. */
struct habit {
    int lost_pm, refused_pm, ignored_pm, break_pm, restart_pm, raise_pm, power_pm;
    int64_t delay_ms, reading_ms;
};

struct rig {
    struct rng rng;
    struct habit habit;
    int64_t now_ms, cap, again_ms, call_ms; /* when the outstanding call went out */
    struct allot a;
    struct line down, up;
    struct call calls[QUEUE]; /* the first one is outstanding */
    int calls_n, told, moved;
    struct gun {
        int64_t power_w, balance, spent, reading_ms; /* the pile's */
        bool ended;
    } gun[2];
    struct allot_gun seen[2];
    bool over[2];
    int64_t rest[2]; /* what a gun is told when the other is over */
};

static bool chance(struct rig *r, int pm)
{
    return (int)rng_below(&r->rng, 1000) < pm;
}

/* ---- the line ---- */

static void put(struct rig *r, struct line *l, struct message m)
{
    m.due_ms = r->now_ms + rng_range(&r->rng, 0, r->habit.delay_ms);
    if (l->n && l->m[l->n - 1].due_ms > m.due_ms)
        m.due_ms = l->m[l->n - 1].due_ms; /* nothing overtakes */
    assert_true(l->n < QUEUE);
    l->m[l->n++] = m;
}

static bool take(struct rig *r, struct line *l, struct message *m)
{
    if (!l->n || l->m[0].due_ms > r->now_ms)
        return false;
    *m = l->m[0];
    memmove(&l->m[0], &l->m[1], sizeof l->m[0] * (size_t)--l->n);
    return true;
}

/* ---- the pile ---- */

static void pile_hears(struct rig *r, const struct message *m)
{
    struct gun *g = &r->gun[m->gun];
    bool refuses = chance(r, r->habit.refused_pm);
    if (chance(r, r->habit.ignored_pm))
        return;
    if (!refuses)
        g->balance = m->amount;
    if (!chance(r, r->habit.lost_pm))
        put(r, &r->up, (struct message){.word = ACK, .ok = !refuses});
}

static void pile_flows(struct rig *r, int i)
{
    struct gun *g = &r->gun[i];
    if (g->ended)
        return;
    if (chance(r, r->habit.power_pm) && chance(r, 20))
        g->power_w = chance(r, 100) ? 0 : rng_range(&r->rng, 1000, 250000);
    int64_t spent = g->spent + cap_cost(g->power_w, STEP, PRICE_E5).v;
    if (spent < g->balance) {
        g->spent = spent;
    } else { /* it was above its balance already, or comes to it now */
        g->spent = g->spent > g->balance ? g->spent : g->balance;
        g->ended = true;
        put(r, &r->up, (struct message){.word = RECORD, .gun = i, .amount = g->spent});
    }
    if (!g->ended && r->now_ms >= g->reading_ms) {
        g->reading_ms = r->now_ms + r->habit.reading_ms;
        put(r, &r->up,
            (struct message){.word = READING, .gun = i, .amount = g->spent, .power_w = g->power_w});
    }
}

/* ---- the platform, as parallel.c and command.c do it ---- */

static void call_send(struct rig *r)
{
    if (!r->calls_n)
        return;
    const struct call *k = &r->calls[0];
    int64_t amount = k->part ? k->part : r->over[!k->gun] ? r->rest[k->gun] : r->a.part[k->gun];
    r->call_ms = r->now_ms;
    put(r, &r->down, (struct message){.word = BALANCE, .gun = k->gun, .amount = amount});
}

static void call_make(struct rig *r, int gun, int64_t part)
{
    assert_true(r->calls_n < QUEUE);
    r->calls[r->calls_n++] = (struct call){part, gun};
    r->told++;
    if (r->calls_n == 1)
        call_send(r);
}

static void call_over(struct rig *r, bool accepted)
{
    struct call k = r->calls[0];
    memmove(&r->calls[0], &r->calls[1], sizeof r->calls[0] * (size_t)--r->calls_n);
    if (k.part && r->a.move.part == k.part && r->a.move.gun == k.gun)
        allot_answer(&r->a.move, r->now_ms, accepted, r->seen[k.gun].readings);
    else if (!accepted)
        allot_quiet(&r->a.move, r->now_ms);
    call_send(r);
}

static void decide(struct rig *r)
{
    struct allot_view v = {r->now_ms, r->cap, PRICE_E5, {r->seen[0], r->seen[1]}};
    struct allot_step step;
    if (r->over[0] || r->over[1] || r->calls_n)
        return;
    allot_decide(&r->a, &v, &step);
    r->again_ms = step.again_ms;
    assert_true(step.again_ms > r->now_ms);
    if (step.action == ALLOT_NONE)
        return;
    r->moved += step.action == ALLOT_RAISE;
    call_make(r, step.gun, step.action == ALLOT_LOWER ? step.part : 0);
}

static void record_take(struct rig *r, const struct message *m)
{
    int other = !m->gun;
    if (r->over[m->gun])
        return;
    r->over[m->gun] = true;
    r->rest[other] = r->cap - m->amount;
    if (!r->over[other])
        call_make(r, other, 0);
}

static void platform_hears(struct rig *r, const struct message *m)
{
    struct allot_gun *s = &r->seen[m->gun];
    switch (m->word) {
    case ACK: /* it says neither which gun nor which question it answers */
        if (r->calls_n)
            call_over(r, m->ok);
        break;
    case READING:
        *s = (struct allot_gun){m->amount, m->power_w, r->now_ms, s->readings + 1};
        break;
    case RECORD:
        record_take(r, m);
        break;
    case BALANCE:
        break;
    }
    decide(r);
}

/* The link breaks: what was on its way is gone, records are sent again. */
static void link_break(struct rig *r)
{
    r->down.n = r->up.n = 0;
    while (r->calls_n) {
        r->calls_n = 1; /* those that waited go too */
        struct call k = r->calls[0];
        r->calls_n = 0;
        if (k.part)
            allot_answer(&r->a.move, r->now_ms, false, 0);
    }
    for (int i = 0; i < 2; i++)
        if (r->gun[i].ended && !r->over[i])
            put(r, &r->up, (struct message){.word = RECORD, .gun = i, .amount = r->gun[i].spent});
}

static void restart(struct rig *r)
{
    link_break(r);
    r->a.move = (struct allot_move){0};
    for (int i = 0; i < 2; i++)
        r->seen[i].power_w = -1;
}

static void raise_cap(struct rig *r)
{
    int64_t amount = rng_range(&r->rng, 1, 500) * MONEY_FEN;
    r->cap += amount;
    if (!r->over[0] && !r->over[1])
        allot_more(&r->a, amount);
    for (int i = 0; i < 2; i++) {
        r->rest[i] += amount;
        if (!r->over[i])
            call_make(r, i, 0);
    }
}

/* ---- a whole charge ---- */

static void rig_make(struct rig *r, uint64_t seed)
{
    *r = (struct rig){.rng = {seed * 7919 + 3}};
    r->cap = rng_range(&r->rng, 2, 10000) * MONEY_FEN;
    allot_halves(r->cap, r->a.part);
    for (int i = 0; i < 2; i++) {
        r->gun[i].power_w = rng_range(&r->rng, 7000, 250000);
        r->gun[i].balance = r->a.part[i];
        r->seen[i] = (struct allot_gun){.power_w = -1};
    }
    r->habit = (struct habit){.delay_ms = 200, .reading_ms = 15000};
}

/* No gun is promised more than its part; both have spent no more than the cap. */
static void holds(const struct rig *r)
{
    int64_t spent = r->gun[0].spent + r->gun[1].spent;
    if (spent > r->cap || r->a.part[0] + r->a.part[1] > r->cap)
        print_error("spent %lld + %lld, parts %lld + %lld, cap %lld\n", (long long)r->gun[0].spent,
                    (long long)r->gun[1].spent, (long long)r->a.part[0], (long long)r->a.part[1],
                    (long long)r->cap);
    assert_true(spent <= r->cap);
    assert_true(r->a.part[0] + r->a.part[1] <= r->cap);
    for (int i = 0; i < 2 && !r->over[0] && !r->over[1]; i++)
        assert_true(r->gun[i].balance <= r->a.part[i]);
}

static void step(struct rig *r)
{
    struct message m;
    r->now_ms += STEP;
    for (int i = 0; i < 2; i++)
        pile_flows(r, i);
    while (take(r, &r->down, &m))
        pile_hears(r, &m);
    while (take(r, &r->up, &m))
        platform_hears(r, &m);
    if (r->calls_n && r->now_ms - r->call_ms >= ANSWER)
        call_over(r, false);
    if (r->again_ms && r->now_ms >= r->again_ms)
        decide(r);
    if (chance(r, r->habit.break_pm) && chance(r, 10))
        link_break(r);
    if (chance(r, r->habit.restart_pm) && chance(r, 10))
        restart(r);
    if (chance(r, r->habit.raise_pm) && chance(r, 10) && r->cap < 20000 * MONEY_FEN)
        raise_cap(r);
    holds(r);
}

static void run(struct rig *r)
{
    while (r->now_ms < DAY && !(r->over[0] && r->over[1]))
        step(r);
}

static void test_never_above(void **state)
{
    (void)state;
    int moved = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rig r;
        rig_make(&r, seed);
        struct rng *g = &r.rng;
        r.habit = (struct habit){.lost_pm = (int)rng_below(g, 3) * 200,
                                 .refused_pm = (int)rng_below(g, 3) * 150,
                                 .ignored_pm = (int)rng_below(g, 3) * 150,
                                 .break_pm = (int)rng_below(g, 3) * 50,
                                 .restart_pm = (int)rng_below(g, 3) * 30,
                                 .raise_pm = (int)rng_below(g, 3) * 50,
                                 .power_pm = (int)rng_below(g, 3) * 100,
                                 .delay_ms = rng_range(g, 1, 20000),
                                 .reading_ms = rng_range(g, 1000, 60000)};
        run(&r);
        moved += r.moved;
    }
    print_message("%d parts moved in %d charges\n", moved, SEEDS);
    assert_true(moved > SEEDS / 10);
}

/* Nothing goes wrong: the cap is spent, and the guns end together. */
static void test_together(void **state)
{
    (void)state;
    int late = 0, most = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rig r;
        rig_make(&r, seed);
        int64_t both = r.gun[0].power_w + r.gun[1].power_w;
        int64_t best_ms = r.cap * 60000 / cap_cost(both, 60000, PRICE_E5).v;
        run(&r);
        assert_true(r.over[0] && r.over[1]);
        int64_t left = r.cap - r.gun[0].spent - r.gun[1].spent;
        assert_in_range(left, 0, 10 * MONEY_FEN);
        late += r.now_ms > best_ms + best_ms / 8 + 75000;
        most = r.told > most ? r.told : most;
    }
    print_message("%d of %d took longer than both need together; most told %d\n", late, SEEDS,
                  most);
    assert_true(late <= SEEDS / 100);
    assert_true(most <= 24);
}

/* 120 and 7 kW for 60 yuan, each with half of it. */
static void rig_unequal(struct rig *r, int fast)
{
    rig_make(r, 1);
    r->cap = 6000 * MONEY_FEN;
    allot_halves(r->cap, r->a.part);
    for (int i = 0; i < 2; i++) {
        r->gun[i].balance = r->a.part[i];
        r->gun[i].power_w = i == fast ? 120000 : 7000;
    }
}

/* The fast one was to end at 30. */
static void test_fast_and_slow(void **state)
{
    (void)state;
    for (int fast = 0; fast < 2; fast++) {
        struct rig r;
        rig_unequal(&r, fast);
        run(&r);
        assert_true(r.over[0] && r.over[1]);
        assert_in_range(r.gun[0].spent + r.gun[1].spent, r.cap - 5 * MONEY_FEN, r.cap);
        assert_true(r.gun[fast].spent > 5500 * MONEY_FEN);
        assert_in_range(r.told, 2, 8);
    }
}

/* A pile that does not know 42, or refuses it: the parts stay, and it is left alone. */
static void test_deaf(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct rig r;
        rig_unequal(&r, 0);
        r.habit.ignored_pm = how ? 0 : 1000;
        r.habit.refused_pm = how ? 1000 : 0;
        while (!r.over[0]) {
            step(&r);
            assert_int_equal(r.a.part[0], 3000 * MONEY_FEN);
            assert_int_equal(r.a.part[1], 3000 * MONEY_FEN);
        }
        assert_int_equal(r.gun[0].spent, 3000 * MONEY_FEN);
        assert_int_equal(r.moved, 0);
        assert_in_range(r.told, 2, 3); /* once or twice, and that the other is over */
    }
}

static void test_unknown(void **state)
{
    (void)state;
    struct allot a = {.part = {20000, 20000}};
    struct allot_view v = {
        100000, 40000, PRICE_E5, {{19000, 120000, 99000, 5}, {100, -1, 99000, 5}}};
    struct allot_step s;
    allot_decide(&a, &v, &s); /* nobody knows what the other draws */
    assert_int_equal(s.action, ALLOT_NONE);
    v.gun[1].power_w = 0; /* it waits: it keeps a little */
    allot_decide(&a, &v, &s);
    assert_int_equal(s.action, ALLOT_LOWER);
    assert_int_equal(s.gun, 1);
    assert_in_range(s.part, 200, 1000);
    assert_int_equal(a.part[1], 20000);
    int64_t lower = s.part;
    allot_decide(&a, &v, &s); /* it is under way */
    assert_int_equal(s.action, ALLOT_NONE);
    allot_answer(&a.move, 100500, true, 5);
    v.now_ms = 101000;
    allot_decide(&a, &v, &s); /* a reading from before says nothing */
    assert_int_equal(s.action, ALLOT_NONE);
    v.gun[1].readings = 6;
    v.gun[1].spent = lower + 1; /* it is above: it will end by itself */
    allot_decide(&a, &v, &s);
    assert_int_equal(s.action, ALLOT_NONE);
    v.gun[1].spent = 100;
    allot_decide(&a, &v, &s);
    assert_int_equal(s.action, ALLOT_RAISE);
    assert_int_equal(s.gun, 0);
    assert_int_equal(a.part[1], lower);
    assert_int_equal(a.part[0], 40000 - lower);
}

int money_allot_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_above),   cmocka_unit_test(test_together),
        cmocka_unit_test(test_fast_and_slow), cmocka_unit_test(test_deaf),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests_name("parts of the cap", tests, NULL, NULL);
}
