// SPDX-License-Identifier: Apache-2.0
/* street.c: see street.h. The truth is taken where the charger's face meets its model: the calls of
 * model.h by which a face tells what was answered are interposed at link time. One street at a
 * time. */
#include "town/street.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"
#include "town/vnet.h"

#define HOUR_MS INT64_C(3600000)

enum { RECORD_TRIES = 5 }; /* of sim/ykc_peer.c */

static struct street *street;

static const uint16_t usual_mix[HABIT_COUNT] = {
    [HABIT_NORMAL] = 30,     [HABIT_FULL] = 5,         [HABIT_UNPLUG] = 5,
    [HABIT_FAULT] = 4,       [HABIT_OFFLINE] = 8,      [HABIT_SLOW_STOP] = 4,
    [HABIT_IGNORE_STOP] = 2, [HABIT_CLOCK_SKEW] = 4,   [HABIT_PLACEHOLDER] = 4,
    [HABIT_DUPLICATE] = 8,   [HABIT_REJECT_START] = 3, [HABIT_SILENT_START] = 3,
    [HABIT_MUTE_START] = 3};

/* ---- the truth ---- */

void __real_model_pop(struct model *m);
void __real_model_started(struct model *m, unsigned gun, int32_t tx, bool ok, int64_t now_ms);
void __wrap_model_pop(struct model *m);
void __wrap_model_started(struct model *m, unsigned gun, int32_t tx, bool ok, int64_t now_ms);

static int charger_of(const struct model *m)
{
    for (uint32_t i = 0; i < street->sim.n; i++)
        if (&street->sim.peers[i].model == m)
            return (int)i;
    must(false && "a charger of another street");
    return 0;
}

static struct truth *truth_open(int charger, unsigned gun)
{
    int at = street->open[charger][gun];
    return at ? &street->truth[at - 1] : NULL;
}

/* A transaction that began: known with the first answer to its start. */
static struct truth *truth_new(const struct model *m, unsigned gun)
{
    const struct model_gun *g = &m->guns[gun];
    if (street->truths == street->truths_size) {
        street->truths_size = street->truths_size ? 2 * street->truths_size : 64;
        street->truth = realloc(street->truth, (size_t)street->truths_size * sizeof *street->truth);
        must(street->truth);
    }
    struct truth *t = &street->truth[street->truths++];
    int charger = charger_of(m);
    *t = (struct truth){.charger = charger,
                        .gun = (int)gun,
                        .start_mwh = g->start_mwh,
                        .start_ms = g->start_ms,
                        .habit = g->habit};
    (void)str_copy(t->id, sizeof t->id, str_from_c(g->id));
    street->open[charger][gun] = street->truths;
    return t;
}

static struct truth *truth_of(const struct model *m, unsigned gun)
{
    const struct model_gun *g = &m->guns[gun];
    struct truth *t = truth_open(charger_of(m), gun);
    return t && t->start_ms == g->start_ms && t->start_mwh == g->start_mwh ? t : truth_new(m, gun);
}

void __wrap_model_started(struct model *m, unsigned gun, int32_t tx, bool ok, int64_t now_ms)
{
    struct truth *t = truth_of(m, gun);
    t->tx = tx;
    t->refused = !ok;
    __real_model_started(m, gun, tx, ok, now_ms);
}

/* Registers travel in Wh; a pile's record in 1/10,000 kWh, a sum of its classes. */
static int64_t energy_sent(const struct model *m, unsigned gun, const struct truth *t)
{
    int64_t sum = 0;
    if (t->tx)
        return (t->stop_mwh / 1000 - t->start_mwh / 1000) * 1000;
    for (int i = 0; i < 4; i++)
        sum += m->guns[gun].class_mwh[i] / 100;
    return sum * 100;
}

/* A pile keeps a record to itself after its last try. */
static bool given_up(const struct peer *p)
{
    return p->protocol == PEER_YKC && p->tries >= RECORD_TRIES && vnet_now_ms() >= p->retry_ms;
}

void __wrap_model_pop(struct model *m)
{
    const struct model_event *e = model_head(m);
    must(e);
    if (e->type == MODEL_EVENT_START && e->meter_mwh == 0)
        truth_of(m, e->gun)->placeholder = true;
    if (e->type == MODEL_EVENT_STOP) {
        struct truth *t = truth_of(m, e->gun);
        t->stopped = true;
        t->told = t->told || !given_up(&street->sim.peers[t->charger]);
        t->stop_mwh = e->meter_mwh;
        t->stop_ms = m->guns[e->gun].end_ms;
        t->reason = e->reason;
        if (!t->tx) /* a pile's record says 0 by the habit of its last hour */
            t->placeholder = m->guns[e->gun].habit == HABIT_PLACEHOLDER;
        t->sent_mwh = energy_sent(m, e->gun, t);
    }
    __real_model_pop(m);
}

/* ---- making ---- */

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

static void peer_make(struct street *s, int i, bool ykc, struct rng *rng)
{
    struct peer *p = &s->sim.peers[i];
    struct model_traits t = traits_draw(rng, ykc);
    p->protocol = ykc ? PEER_YKC : PEER_OCPP;
    p->beat_every_ms = 300000;
    p->dial_ms = s->sim.now_ms + rng_range(rng, 0, 3000);
    (void)str_copy(p->price_no, sizeof p->price_no, STR_LIT("0000"));
    snprintf(p->id, sizeof p->id, ykc ? "3201000000%04d" : "TOWN%d", i + 1);
    if (!ykc && rng_below(rng, 2)) {
        snprintf(s->password[i], sizeof s->password[i], "secret-%08x", (unsigned)rng_next(rng));
        p->password = str_from_c(s->password[i]);
    }
    model_init(&p->model, &t, s->mix, rng_next(rng), s->sim.now_ms);
}

void street_open(struct street *s, uint64_t seed, int ocpp, int piles)
{
    struct rng rng = {seed};
    *s = (struct street){.opt = {.ocpp_path = "/ocpp/",
                                 .ocpp_host = "127.0.0.1",
                                 .ykc_host = "127.0.0.1",
                                 .ocpp_port = 9000,
                                 .ykc_port = 8768}};
    street = s;
    memcpy(s->mix, usual_mix, sizeof s->mix);
    s->linger.s = seed + 1;
    s->lingers = rng_below(&s->linger, 2) != 0;
    s->sim = (struct sim){
        .opt = &s->opt, .n = (uint32_t)(ocpp + piles), .speed = 1, .now_ms = vnet_now_ms()};
    must(s->sim.n <= STREET_MAX);
    arena_init(&s->sim.arena, 1 << 20);
    buf_init(&s->sim.out, 1 << 16);
    buf_init(&s->sim.body, 1 << 16);
    heap_init(&s->sim.heap, s->sim.n);
    const struct net_config nc = {.max_conns = 64, .ping_ms = 60000, .silence_ms = 600000};
    must(net_new(&nc, &s->sim.net) == 0);
    s->sim.peers = calloc(s->sim.n, sizeof *s->sim.peers);
    must(s->sim.peers);
    for (int i = 0; i < ocpp + piles; i++)
        peer_make(s, i, i >= ocpp, &rng);
    for (uint32_t i = 0; i < s->sim.n; i++)
        peer_settle(&s->sim, &s->sim.peers[i]);
}

void street_close(struct street *s)
{
    net_free(s->sim.net);
    for (uint32_t i = 0; i < s->sim.n; i++)
        model_free(&s->sim.peers[i].model);
    free(s->sim.peers);
    free(s->truth);
    heap_free(&s->sim.heap);
    arena_free(&s->sim.arena);
    buf_free(&s->sim.out);
    buf_free(&s->sim.body);
    street = NULL;
}

/* ---- living ---- */

/* A transaction that is over while its plug stays in: some vehicles leave much later. */
static void linger(struct street *s, uint32_t i, unsigned gun)
{
    struct model_gun *g = &s->sim.peers[i].model.guns[gun];
    int at = s->open[i][gun];
    if (g->state != GUN_FINISHED || !at || s->ended[i][gun] == at || !s->truth[at - 1].stopped)
        return;
    s->ended[i][gun] = at;
    if (!s->lingers || !s->sim.peers[i].model.traits.autoplug || rng_below(&s->linger, 3) == 0)
        return;
    g->due_ms += rng_range(&s->linger, 60, 1500) * 1000;
    peer_settle(&s->sim, &s->sim.peers[i]);
}

static void leaving(struct street *s, uint32_t i, unsigned gun)
{
    int at = s->ended[i][gun];
    if (!at || s->sim.peers[i].model.guns[gun].state == GUN_FINISHED)
        return;
    if (!s->truth[at - 1].left_ms)
        s->truth[at - 1].left_ms = vnet_now_ms();
    s->ended[i][gun] = 0;
}

void street_step(struct street *s)
{
    s->sim.now_ms = vnet_now_ms();
    net_turn(s->sim.net, -1);
    for (struct timer *t; (t = heap_pop(&s->sim.heap, s->sim.now_ms));)
        peer_settle(&s->sim, CONTAINER_OF(t, struct peer, timer));
    for (uint32_t i = 0; i < s->sim.n; i++)
        for (unsigned g = 0; g < s->sim.peers[i].model.traits.guns; g++) {
            linger(s, i, g);
            leaving(s, i, g);
        }
}

int64_t street_due_ms(struct street *s)
{
    return heap_due(&s->sim.heap);
}

void street_calm(struct street *s)
{
    for (uint32_t i = 0; i < s->sim.n; i++) {
        struct model *m = &s->sim.peers[i].model;
        m->traits.autoplug = false;
        m->traits.walkup_pm = 0;
        for (unsigned g = 0; g < m->traits.guns; g++) {
            m->guns[g].walkup = false;
            model_unplug(m, g, s->sim.now_ms);
        }
        peer_settle(&s->sim, &s->sim.peers[i]);
    }
}

bool street_quiet(const struct street *s)
{
    bool quiet = true;
    for (uint32_t i = 0; i < s->sim.n; i++) {
        const struct model *m = &s->sim.peers[i].model;
        quiet = quiet && !model_head(m);
        for (unsigned g = 0; g < m->traits.guns; g++)
            quiet = quiet && !model_busy(m, g) && m->guns[g].state != GUN_STARTING;
    }
    return quiet;
}

void street_dark(struct street *s)
{
    for (uint32_t i = 0; i < s->sim.n; i++) {
        struct model *m = &s->sim.peers[i].model;
        m->link_wanted = false;
        m->link_ms = vnet_now_ms() + 10000 * HOUR_MS;
        peer_settle(&s->sim, &s->sim.peers[i]);
    }
}

void street_reboot(struct street *s, int charger)
{
    struct peer *p = &s->sim.peers[charger];
    model_reset(&p->model, s->sim.now_ms);
    peer_settle(&s->sim, p);
}
