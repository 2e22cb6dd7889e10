// SPDX-License-Identifier: Apache-2.0
/* sim.c: see sim.h. Owns the peers, their timers and the reactor. One thread.
 * A turn: wait for the network or the next timer, take the clock, advance the models that are due,
 * let them speak (peer.c). Fails: at start with one line on stderr; later it only counts. */
#include "sim/sim.h"

#include "base/err.h"
#include "base/map.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "sim/options.h"
#include "sim/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DIALS_PER_S = 2000, /* at the start */
    PASSWORD_FILE_MAX = 1 << 26,
    TURN_MAX_MS = 100,
    MESSAGE_MAX = 1 << 16,
    POWER_OFF_MS = 5000, /* to tell how sessions ended */
};

struct world {
    struct sim sim;
    struct sim_options opt;
    struct buf passwords;  /* the file */
    struct strmap secrets; /* id → where its password is in the file: offset × 65,536 + length */
};

/* ---- the beginning ---- */

static int read_passwords(struct world *w)
{
    buf_init(&w->passwords, PASSWORD_FILE_MAX);
    strmap_init(&w->secrets, w->sim.n, (uint64_t)w->opt.seed);
    if (!w->opt.password_file)
        return 0;
    int err = file_read(w->opt.password_file, PASSWORD_FILE_MAX, &w->passwords);
    struct str rest = buf_str(&w->passwords);
    while (!err && rest.n) {
        struct str secret = str_cut(&rest, '\n'), id = str_cut(&secret, '\t');
        if (!secret.n || secret.n > UINT16_MAX)
            continue;
        uint64_t at = (uint64_t)(secret.p - w->passwords.p);
        if (strmap_put(&w->secrets, id, at << 16 | secret.n) == ERR_NOMEM)
            err = ERR_NOMEM; /* more lines than chargers are fine: ERR_FULL */
    }
    if (err)
        fprintf(stderr, "even sim: %s: %s\n", w->opt.password_file, err_text(err, LANG_EN));
    return err;
}

/* Unless told otherwise, chargers are those of the demonstration: two of three DC, one in four of
 * them with 60 kW, the rest with 120; AC ones with 7. i counts within the protocol. */
static struct model_traits traits_of(const struct sim_options *o, bool ocpp, int64_t i,
                                     struct rng *r)
{
    bool dc = !ocpp || i % 3 != 2;
    int64_t power_w = !dc ? 7000 : (ocpp ? i % 4 == 3 : i % 4 == 1) ? 60000 : 120000;
    if (o->power_hi_w) {
        power_w = rng_range(r, o->power_lo_w, o->power_hi_w);
        dc = !ocpp || power_w > 22000;
    }
    return (struct model_traits){.power_w = (int32_t)power_w,
                                 .reading_ms = (int32_t)o->reading_s * 1000,
                                 .stop_min_ms = (int32_t)o->stop_lo_ms,
                                 .stop_max_ms = (int32_t)o->stop_hi_ms,
                                 .guns = dc ? 2 : 1,
                                 .dc = dc,
                                 .obeys_trigger = !o->no_trigger,
                                 .obeys_interval = !o->no_interval,
                                 .obeys_profiles = !o->no_profiles,
                                 .second_w = (int32_t)o->second_w,
                                 .no_turn = o->no_turn,
                                 .no_balance = o->no_balance,
                                 .stops_at_balance = !ocpp,
                                 .autoplug = o->autoplug,
                                 .walkup_pm = (uint16_t)o->walkup_pm,
                                 .cards = (uint16_t)o->cards,
                                 .pairs_pm = (uint16_t)(ocpp ? 0 : o->pairs)};
}

static int make_peer(struct world *w, uint32_t i, struct rng *r)
{
    struct sim *s = &w->sim;
    struct peer *p = &s->peers[i];
    const struct sim_options *o = &w->opt;
    const bool ocpp = i < o->ocpp;
    const int64_t nth = ocpp ? i : i - o->ocpp;
    int err = ocpp ? sim_id(o->first_id, nth, p->id, sizeof p->id)
                   : sim_id(o->first_pile, nth, p->id, sizeof o->first_pile);
    if (err) {
        fprintf(stderr, "even sim: the ids run out at the %" PRId64 "th charger\n", nth + 1);
        return err;
    }
    struct model_traits t = traits_of(o, ocpp, nth, r);
    p->protocol = ocpp ? PEER_OCPP : PEER_YKC;
    p->beat_every_ms = 300000;
    p->dial_ms = s->now_ms + peer_real_ms(s, (int64_t)i * 1000 / DIALS_PER_S);
    (void)str_copy(p->price_no, sizeof p->price_no, STR_LIT("0000"));
    uint64_t at;
    if (strmap_get(&w->secrets, str_from_c(p->id), &at))
        p->password = (struct str){w->passwords.p + (at >> 16), at & UINT16_MAX};
    model_init(&p->model, &t, o->mix, rng_next(r), s->now_ms);
    peer_settle(s, p);
    return 0;
}

static int begin(struct world *w)
{
    struct sim *s = &w->sim;
    struct rng r = {(uint64_t)w->opt.seed};
    os_clock_speed_set((int32_t)w->opt.speed, 0);
    s->opt = &w->opt;
    s->speed = (int32_t)w->opt.speed;
    s->n = (uint32_t)(w->opt.ocpp + w->opt.piles);
    s->now_ms = os_now_ms();
    arena_init(&s->arena, 1 << 20);
    buf_init(&s->out, MESSAGE_MAX);
    buf_init(&s->body, MESSAGE_MAX);
    heap_init(&s->heap, s->n);
    int err = read_passwords(w);
    if (err)
        return err;
    uint64_t limit = net_fd_limit_raise();
    if (limit < s->n + 16U + 2 * YKC_UPDATES) {
        fprintf(stderr,
                "even sim: %u chargers need as many descriptors, the limit is %" PRIu64 "\n", s->n,
                limit);
        return ERR_FULL;
    }
    struct net_config cfg = {
        .max_conns = s->n + 1 + 2 * YKC_UPDATES, .ping_ms = 60000, .silence_ms = 600000};
    err = net_new(&cfg, &s->net);
    s->peers = err ? NULL : calloc(s->n, sizeof *s->peers);
    if (!err && !s->peers)
        err = ERR_NOMEM;
    if (err)
        fprintf(stderr, "even sim: %s\n", err_text(err, LANG_EN));
    for (uint32_t i = 0; !err && i < s->n; i++)
        err = make_peer(w, i, &r);
    return err;
}

/* ---- the middle and the end ---- */

static void turn(struct world *w)
{
    struct sim *s = &w->sim;
    int32_t wait_ms = os_clock_wait_ms(heap_due(&s->heap));
    net_turn(s->net, wait_ms < TURN_MAX_MS ? wait_ms : TURN_MAX_MS);
    s->now_ms = os_now_ms();
    for (struct timer *t; (t = heap_pop(&s->heap, s->now_ms));)
        peer_settle(s, CONTAINER_OF(t, struct peer, timer));
}

static void run(struct world *w)
{
    int64_t end = w->opt.run_s ? os_mono_ns() + w->opt.run_s * 1000000000 : INT64_MAX;
    while (os_mono_ns() < end && os_signals_wait(0) == 0)
        turn(w);
}

/* Stops that the platform has not acknowledged; `open` counts only those of connected chargers. */
static uint32_t stops_queued(const struct world *w, bool open)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->sim.n; i++) {
        const struct peer *p = &w->sim.peers[i];
        for (unsigned g = 0; g < MODEL_GUNS && (p->open || !open); g++)
            n += p->model.guns[g].stops_queued;
    }
    return n;
}

/* The chargers are switched off, not forgotten: sessions end and are told, as far as the platform
 * listens within some seconds. What then is left is reported, for the platform will have to close it
 * by estimate. */
static void power_off(struct world *w)
{
    struct sim *s = &w->sim;
    int64_t end = os_mono_ns() + POWER_OFF_MS * INT64_C(1000000);
    for (uint32_t i = 0; i < s->n; i++) {
        model_power_off(&s->peers[i].model, s->now_ms);
        peer_settle(s, &s->peers[i]);
    }
    while (stops_queued(w, true) > 0 && os_mono_ns() < end)
        turn(w);
}

static void tell(const struct world *w)
{
    const struct sim_stats *t = &w->sim.stats;
    struct buf kwh;
    buf_init(&kwh, 96);
    buf_put_decimal(&kwh, t->energy_mwh / 1000, 3, 3);
    buf_put_c(&kwh, " kWh");
    if (t->given_mwh) {
        buf_put_c(&kwh, ", ");
        buf_put_decimal(&kwh, t->given_mwh / 1000, 3, 3);
        buf_put_c(&kwh, " kWh back");
    }
    printf("even sim: %u chargers, %u connected, %" PRIu64 " refused, %" PRIu64
           " lost; starts %" PRIu64 ", failed starts %" PRIu64 ", stops %" PRIu64
           ", %.*s; messages out %" PRIu64 ", in %" PRIu64 ", errors %" PRIu64
           "; stops left untold %u\n",
           w->sim.n, w->sim.up, t->refused, t->lost, t->starts, t->failed_starts, t->stops,
           STR_FMT(buf_str(&kwh)), t->sent, t->received, t->errors, stops_queued(w, false));
    buf_free(&kwh);
}

static void finish(struct world *w)
{
    struct sim *s = &w->sim;
    if (s->net)
        net_free(s->net);
    for (uint32_t i = 0; s->peers && i < s->n; i++)
        model_free(&s->peers[i].model);
    free(s->peers);
    heap_free(&s->heap);
    arena_free(&s->arena);
    buf_free(&s->out);
    buf_free(&s->body);
    buf_free(&w->passwords);
    strmap_free(&w->secrets);
}

int sim_main(int argc, char **argv)
{
    struct world w = {0};
    if (sim_options_read(argc, argv, &w.opt))
        return 2;
    if (w.opt.help) {
        sim_options_help();
        return 0;
    }
    os_signals_block();
    int err = begin(&w);
    if (!err) {
        run(&w);
        power_off(&w);
        tell(&w);
    }
    finish(&w);
    return err ? 1 : 0;
}
