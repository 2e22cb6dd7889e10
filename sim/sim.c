// SPDX-License-Identifier: Apache-2.0
/* sim.c: see sim.h. Owns the peers, their timers and connections. One thread, one reactor.
 * A turn: wait for the network or the next timer, take the clock, advance the models that are due,
 * let them speak. Each peer has one timer, set after everything that happens to it.
 * Fails: at start with one line on stderr; later it only counts: a platform that goes away is
 * dialled again for ever. */
#include "sim/sim.h"

#include "base/err.h"
#include "base/map.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "sim/ocpp_peer.h"
#include "sim/options.h"
#include "sim/ykc_peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REDIAL_MIN_MS = 1000, /* real */
    REDIAL_MAX_MS = 5000,
    DIALS_PER_S = 2000, /* at the start */
    PER_SOURCE = 20000, /* connections from one loopback address: it has 28,000 ports */
    PASSWORD_FILE_MAX = 1 << 26,
    TURN_MAX_MS = 100,
    MESSAGE_MAX = 1 << 16,
};

struct world {
    struct sim sim;
    struct sim_options opt;
    struct buf passwords;  /* the file */
    struct strmap secrets; /* id → where its password is in the file: offset × 65,536 + length */
    uint32_t up;           /* connections that are open */
};

/* ---- what the faces use ---- */

int64_t peer_real_ms(const struct sim *s, int64_t ms)
{
    return ms * s->speed;
}

void peer_send(struct sim *s, struct peer *p)
{
    s->stats.sent++;
    if (!s->out.err && net_send(s->net, p->conn, buf_str(&s->out)))
        s->stats.errors++; /* the end of the connection will be told, the event stays */
    buf_reset(&s->out);
}

void peer_count_stop(struct sim *s, const struct peer *p, unsigned gun)
{
    s->stats.stops++;
    s->stats.energy_mwh += model_energy_mwh(&p->model, gun);
}

/* ---- one peer ---- */

static const struct net_handler ws_handler, raw_handler;

static void dial(struct world *w, struct peer *p)
{
    const struct sim_options *o = &w->opt;
    struct sim *s = &w->sim;
    const bool ocpp = p->protocol == PEER_OCPP;
    char path[sizeof o->ocpp_path + sizeof p->id], source[32];
    uint64_t i = (uint64_t)(p - s->peers);
    const char *host = ocpp ? o->ocpp_host : o->ykc_host;
    snprintf(path, sizeof path, "%s%s", o->ocpp_path, p->id);
    snprintf(source, sizeof source, "127.0.1.%u", 1 + (unsigned)(i / PER_SOURCE) % 250);
    bool spread = s->n > PER_SOURCE && strncmp(host, "127.", 4) == 0;
    struct net_dial d = {
        .host = host,
        .port = ocpp ? o->ocpp_port : o->ykc_port,
        .source = spread ? source : NULL,
        .kind = ocpp ? NET_WS_CLIENT : NET_RAW_CLIENT,
        .handler = ocpp ? &ws_handler : &raw_handler,
        .ctx = w,
        .user = i,
        .path = ocpp ? path : NULL,
        .protocols = ocpp ? "ocpp1.6" : NULL,
        .auth_user = p->password.n ? p->id : NULL,
        .auth_password = p->password,
    };
    s->stats.dialled++;
    int err = net_dial(s->net, &d, &p->conn);
    p->dial_ms = err ? s->now_ms + peer_real_ms(s, REDIAL_MAX_MS) : PEER_NEVER;
}

/* Brings the connection in line with what the model wants. */
static void follow_link(struct world *w, struct peer *p)
{
    struct sim *s = &w->sim;
    if (p->open && !p->model.link_wanted) {
        p->open = false;
        model_link(&p->model, false, s->now_ms);
        if (p->model.boot_due)
            net_close(s->net, p->conn, WS_NORMAL); /* a reset: what was said still goes out */
        else
            net_abort(s->net, p->conn);
    }
    if (p->model.link_wanted && s->now_ms >= p->dial_ms)
        dial(w, p);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* After anything that happened to a peer: lets it speak and sets its timer. */
static void settle(struct world *w, struct peer *p)
{
    struct sim *s = &w->sim;
    const bool ocpp = p->protocol == PEER_OCPP;
    arena_reset(&s->arena);
    model_advance(&p->model, s->now_ms);
    follow_link(w, p);
    if (ocpp)
        ocpp_peer_pump(s, p);
    else
        ykc_peer_pump(s, p);
    int64_t next = least(model_next_ms(&p->model), p->dial_ms);
    next = least(next, ocpp ? ocpp_peer_next_ms(p) : ykc_peer_next_ms(p));
    /* Never at once again: whatever is due now had its chance in this turn. */
    if (next <= s->now_ms)
        next = s->now_ms + 1;
    if (next == PEER_NEVER)
        heap_cancel(&s->heap, &p->timer);
    else if (heap_set(&s->heap, &p->timer, next))
        s->stats.errors++;
}

static struct peer *peer_of(struct world *w, struct net_conn c)
{
    struct peer *p = &w->sim.peers[net_user(w->sim.net, c)];
    bool same = p->conn.slot == c.slot && p->conn.gen == c.gen;
    return same ? p : NULL;
}

static void on_open(void *ctx, struct net_conn c)
{
    struct world *w = ctx;
    struct peer *p = peer_of(w, c);
    if (!p)
        return;
    p->open = true;
    w->up++;
    if (p->protocol == PEER_OCPP)
        ocpp_peer_open(&w->sim, p);
    else
        ykc_peer_open(&w->sim, p);
    model_link(&p->model, true, w->sim.now_ms);
    settle(w, p);
}

static void on_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    struct world *w = ctx;
    struct peer *p = peer_of(w, c);
    if (!p || !p->open || binary)
        return;
    ocpp_peer_message(&w->sim, p, msg);
    settle(w, p);
}

static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    struct world *w = ctx;
    struct peer *p = peer_of(w, c);
    if (!p || !p->open)
        return (ptrdiff_t)bytes.n;
    size_t used = ykc_peer_bytes(&w->sim, p, bytes);
    settle(w, p);
    return (ptrdiff_t)used;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct world *w = ctx;
    struct sim *s = &w->sim;
    struct peer *p = peer_of(w, c);
    (void)code;
    if (!p)
        return;
    s->stats.refused += why == NET_END_CONNECT;
    s->stats.lost += why != NET_END_CONNECT && why != NET_END_LOCAL;
    if (why != NET_END_CONNECT)
        w->up--;
    if (p->open)
        model_link(&p->model, false, s->now_ms);
    p->open = false;
    p->conn = NET_CONN_NONE;
    p->dial_ms =
        s->now_ms + peer_real_ms(s, rng_range(&p->model.rng, REDIAL_MIN_MS, REDIAL_MAX_MS));
    settle(w, p);
}

static const struct net_handler ws_handler = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};
static const struct net_handler raw_handler = {
    .on_open = on_open, .on_raw = on_raw, .on_close = on_close};

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
                                 .stops_at_balance = !ocpp,
                                 .autoplug = o->autoplug,
                                 .walkup_pm = (uint16_t)(ocpp ? o->walkup_pm : 0)};
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
    settle(w, p);
    return 0;
}

static int begin(struct world *w)
{
    struct sim *s = &w->sim;
    struct rng r = {(uint64_t)w->opt.seed};
    os_clock_speed_set((int32_t)w->opt.speed, 0);
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
    if (limit < s->n + 16U) {
        fprintf(stderr,
                "even sim: %u chargers need as many descriptors, the limit is %" PRIu64 "\n", s->n,
                limit);
        return ERR_FULL;
    }
    struct net_config cfg = {.max_conns = s->n + 1, .ping_ms = 60000, .silence_ms = 600000};
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

static void run(struct world *w)
{
    struct sim *s = &w->sim;
    int64_t end = w->opt.run_s ? os_mono_ns() + w->opt.run_s * 1000000000 : INT64_MAX;
    while (os_mono_ns() < end && os_signals_wait(0) == 0) {
        int32_t wait_ms = os_clock_wait_ms(heap_due(&s->heap));
        net_turn(s->net, wait_ms < TURN_MAX_MS ? wait_ms : TURN_MAX_MS);
        s->now_ms = os_now_ms();
        for (struct timer *t; (t = heap_pop(&s->heap, s->now_ms));)
            settle(w, CONTAINER_OF(t, struct peer, timer));
    }
}

static void tell(const struct world *w)
{
    const struct sim_stats *t = &w->sim.stats;
    struct buf kwh;
    buf_init(&kwh, 64);
    buf_put_decimal(&kwh, t->energy_mwh / 1000, 3, 3);
    printf("even sim: %u chargers, %u connected, %" PRIu64 " refused, %" PRIu64
           " lost; starts %" PRIu64 ", failed starts %" PRIu64 ", stops %" PRIu64
           ", %.*s kWh; messages out %" PRIu64 ", in %" PRIu64 ", errors %" PRIu64 "\n",
           w->sim.n, w->up, t->refused, t->lost, t->starts, t->failed_starts, t->stops,
           STR_FMT(buf_str(&kwh)), t->sent, t->received, t->errors);
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
        tell(&w);
    }
    finish(&w);
    return err ? 1 : 0;
}
