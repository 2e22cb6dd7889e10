// SPDX-License-Identifier: Apache-2.0
/* town.c: see town.h. Time goes from event to event; in each moment the server, then the chargers do
 * what is due. */
#include "town/people.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"
#include "town/vnet.h"

#define MINUTE_MS   INT64_C(60000)
#define HOUR_MS     (60 * MINUTE_MS)
#define START_MS    INT64_C(1795305600000) /* 2026-11-22T00:00:00Z */
#define MIDNIGHT_MS INT64_C(1795363200000) /* the first one in China */
#define MONTH_MS    INT64_C(1796054400000) /* 2026-12-01 in China */

enum { DOWN_LO_MS = 300, DOWN_HI_MS = 20000, STEPS_MOST = 4000000 };

/* ---- starting again ---- */

/* In the order in which they were made. */
static size_t pending_of(struct town *t, struct cmd *pending[TOWN_ASKS])
{
    size_t n = 0;
    for (int i = 0; i < TOWN_ASKS; i++) {
        struct cmd *c = t->ask[i].cmd;
        size_t at = n;
        if (!c || t->ask[i].answered)
            continue;
        for (; at > 0 && pending[at - 1]->head.from.ref > c->head.from.ref; at--)
            pending[at] = pending[at - 1];
        pending[at] = c;
        n++;
    }
    return n;
}

static void reopen(struct town *t)
{
    struct cmd *pending[TOWN_ASKS];
    char db[600];
    t->open_ms = 0;
    int err = server_open(&t->server);
    if (err)
        audit_differ(&t->audit, "the server does not start again: %d", err);
    must(!err);
    server_db(&t->server, db);
    audit_reload(&t->audit, db, pending, pending_of(t, pending), &t->street);
    people_ask_again(t);
}

/* ---- time ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_ms(struct town *t)
{
    int64_t next = least(vnet_due_ms(), street_due_ms(&t->street));
    next = least(next, provider_due_ms(&t->provider));
    next = least(next, t->server.up ? server_due_ms(&t->server) : t->open_ms);
    return next > vnet_now_ms() ? next : vnet_now_ms() + 1;
}

static void step(struct town *t)
{
    if (t->open_ms && vnet_now_ms() >= t->open_ms)
        reopen(t);
    if (t->server.up)
        server_step(&t->server);
    if (!t->server.up && !t->open_ms)
        t->open_ms = vnet_now_ms() + rng_range(&t->rng, DOWN_LO_MS, DOWN_HI_MS);
    audit_settled(&t->audit);
    street_step(&t->street);
    provider_step(&t->provider);
}

void town_run(struct town *t, int64_t until_ms)
{
    for (;;) {
        step(t);
        int64_t next = next_ms(t);
        if (next > until_ms)
            break;
        vnet_advance(next);
    }
    vnet_advance(until_ms);
}

/* ---- what goes wrong ---- */

static void trouble(struct town *t)
{
    struct rng *r = &t->rng;
    switch (rng_below(r, 16)) {
    case 0:
    case 1:
    case 2:
        (void)vnet_break((enum vnet_break)rng_below(r, VNET_BREAKS), rng_next(r));
        break;
    case 3:
        street_reboot(&t->street, (int)rng_below(r, t->street.sim.n));
        break;
    case 4:
        vnet_skew_set(rng_range(r, -5000, 5000));
        break;
    case 5:
        if (t->server.up && rng_below(r, 4) == 0)
            t->server.cut_armed = true;
        break;
    case 6:
        if (t->server.up && rng_below(r, 8) == 0)
            server_cut(&t->server, (enum cut)rng_below(r, CUT_N), rng_below(r, 2) != 0);
        break;
    case 7:
        if (t->server.up && rng_below(r, 6) == 0)
            disk_fault_set((enum disk_fault)rng_range(r, FAULT_EIO, FAULT_READ),
                           (int)rng_below(r, 40));
        break;
    default:
        break;
    }
}

/* ---- one seed ---- */

static void weather_draw(struct rng *r, struct vnet_weather *w)
{
    static const int32_t slow[] = {3, 20, 200, 3000};
    static const size_t window[] = {400, 3000, 60000};
    *w = (struct vnet_weather){.delay_lo_ms = 1,
                               .delay_hi_ms = slow[rng_below(r, 4)],
                               .split_pm = (int32_t)rng_below(r, 400),
                               .window = window[rng_below(r, 3)]};
}

/* What this town has besides; and when its life begins: where bills are made, mostly before a month's end. */
static int64_t begin_draw(struct town *t)
{
    static const uint64_t one_in[TOPICS] = {3, 3, 3, 3, 2, 6};
    int64_t usual = START_MS + rng_range(&t->rng, 0, 24) * HOUR_MS;
    struct rng *r = &t->chance[TOPIC_COMPANY];
    for (int i = 0; i < TOPICS; i++) {
        t->chance[i].s = t->seed * 0x9E3779B97F4A7C15U + (uint64_t)i + 1;
        t->has[i] = rng_below(&t->chance[i], one_in[i]) == 0;
    }
    t->has[TOPIC_COMPANY] |= t->control == CONTROL_COMPANY || t->control == CONTROL_QUOTA;
    t->has[TOPIC_TAX] |= t->control == CONTROL_TAX;
    t->has[TOPIC_CLAUSE] |= t->control == CONTROL_CLAUSE;
    t->has[TOPIC_BANK] |= t->control == CONTROL_BANK;
    if (t->has[TOPIC_COMPANY] && rng_below(r, 4))
        return MONTH_MS - rng_range(r, 0, 50) * MINUTE_MS;
    r = &t->chance[TOPIC_TAX];
    if (t->has[TOPIC_TAX])
        return MONTH_MS - rng_range(r, 0, 5) * 24 * HOUR_MS - rng_range(r, 5, 50) * MINUTE_MS;
    r = &t->chance[TOPIC_BANK];
    if (t->has[TOPIC_BANK]) /* shares become available while it lives */
        return MIDNIGHT_MS - rng_range(r, 5, 50) * MINUTE_MS;
    return usual;
}

static void open_all(struct town *t, const char *a, const char *b)
{
    static const int32_t disk[] = {2, 10, 100, 1500};
    struct rng *r = &t->rng;
    struct vnet_weather w;
    struct server *s = &t->server;
    weather_draw(r, &w);
    uint64_t net = rng_next(r);
    vnet_begin(net, &w, begin_draw(t));
    audit_init(&t->audit);
    t->audit.quiet = t->control != CONTROL_NONE;
    s->folder[0] = a;
    s->folder[1] = b;
    s->rng.s = rng_next(r);
    s->commit_lo_ms = 1;
    s->commit_hi_ms = disk[rng_below(r, 4)];
    s->hear = people_hear;
    s->asked = people_overhear_ask;
    s->answered = people_overhear_answer;
    s->pay = people_pay;
    s->notice = people_notice;
    t->provider.rng.s = rng_next(r);
    t->provider.submit = people_pay_result;
    t->provider.ctx = t;
    t->audit.provider = &t->provider;
    s->ctx = t;
    s->hot = (uint32_t)rng_below(r, 3);
    server_settings(s);
    s->settings.charge_reactors = rng_range(r, 1, 2);
    must(server_open(s) == 0);
    server_db(s, t->audit.db);
    street_open(&t->street, rng_next(r), (int)rng_range(r, 1, 4), (int)rng_range(r, 0, 3));
    people_set_up(t);
    s->early = t->control == CONTROL_EARLY;
}

static void live(struct town *t, int64_t until_ms)
{
    while (vnet_now_ms() < until_ms) {
        town_run(t, vnet_now_ms() + rng_range(&t->rng, 200, 40000));
        people_act(t);
        if (rng_below(&t->rng, 3) == 0)
            people_act(t);
        trouble(t);
    }
}

/* Everything comes to its end: vehicles leave, chargers tell what they kept, doubts are decided. */
static void calm_down(struct town *t)
{
    t->server.cut_armed = false;
    disk_fault_set(FAULT_NONE, 0);
    for (int i = 0; i < 60 && (i < 3 || !street_quiet(&t->street)); i++) {
        street_calm(&t->street);
        town_run(t, vnet_now_ms() + 5 * MINUTE_MS);
    }
    if (!street_quiet(&t->street))
        audit_differ(&t->audit, "a charger has things to tell that nobody takes");
    street_dark(&t->street);
    town_run(t, vnet_now_ms() + 3 * HOUR_MS);
}

/* The month is over; and in some towns the next one, in which nothing is charged any more. */
static void months_close(struct town *t)
{
    int64_t wall = vnet_wall_ms(), end = audit_month_end(audit_month(wall));
    struct rng *r = &t->chance[TOPIC_COMPANY];
    if (rng_below(r, 3) == 0)
        town_run(t, vnet_now_ms() + end - wall + rng_range(r, 6, 600) * MINUTE_MS);
    for (int64_t n = rng_range(r, 4, 16); n > 0; n--) {
        people_month_end(t);
        town_run(t, vnet_now_ms() + rng_range(r, 1, 120) * MINUTE_MS);
    }
}

/* Everything that there is is withdrawn, and the office gets its tax. */
static void taxes_close(struct town *t)
{
    struct rng *r = &t->chance[TOPIC_TAX];
    for (int64_t n = rng_range(r, 20, 50); n > 0; n--) {
        people_tax_act(t);
        town_run(t, vnet_now_ms() + rng_range(r, 1, 8) * MINUTE_MS);
    }
}

/* Files for the bank, with power cuts in their commits; then all that the bank did is told. */
static void bank_close(struct town *t)
{
    struct rng *r = &t->chance[TOPIC_BANK];
    for (int64_t n = rng_range(r, 40, 70); n > 0; n--) {
        t->server.cut_armed |= t->server.up && rng_below(r, 40) == 0;
        people_bank_act(t, true);
        town_run(t, vnet_now_ms() + rng_range(r, 1, 30) * 1000);
    }
    t->server.cut_armed = false;
    people_bank_end(t);
}

static void close_all(struct town *t)
{
    char db[600];
    server_db(&t->server, db);
    audit_finish(&t->audit, db, &t->street, vnet_wall_ms());
    street_close(&t->street);
    server_stop(&t->server);
    people_forget(t);
    vnet_end();
}

void town_play(struct town *t, uint64_t seed, enum town_control control,
               char folder[TOWN_FOLDERS][400], bool flown)
{
    *t = (struct town){.seed = seed, .control = control, .rng = {seed}};
    if (flown) {
        t->server.state_dir = folder[2];
        t->server.flight_dir = folder[3];
    }
    open_all(t, folder[0], folder[1]);
    live(t, vnet_now_ms() + rng_range(&t->rng, 20, 60) * MINUTE_MS);
    calm_down(t);
    if (t->has[TOPIC_COMPANY])
        months_close(t);
    if (t->has[TOPIC_TAX])
        taxes_close(t);
    if (t->has[TOPIC_BANK])
        bank_close(t);
    if (t->has[TOPIC_COMPANY] || t->has[TOPIC_TAX] || t->has[TOPIC_BANK])
        town_run(t, vnet_now_ms() + 3 * HOUR_MS);
    close_all(t);
    if (t->server.stats.flight_err)
        audit_differ(&t->audit, "a recorded flight is another life: %s",
                     err_name(t->server.stats.flight_err));
}
