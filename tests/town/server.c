// SPDX-License-Identifier: Apache-2.0
/* server.c: see server.h. Invariants: 1. batches are committed in the order sealed, and delivered
 * after that (but by the control); 2. a cut in a commit falls between its first and its last write,
 * and what it had sealed is never delivered. */
#include "town/server.h"

#include <stdio.h>
#include "app/flight_replay.h"
#include "base/err.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "town/vnet.h"

enum { KEEP_MS = 10000, SESSIONS = 1000 };

void server_settings(struct server *s)
{
    struct config *c = &s->settings;
    config_defaults(c);
    c->limits_chargers = 64;
    c->limits_drivers = 64;
    c->limits_orders = 1000;
    c->charge_max_conns = 200;
    c->charge_uring = 0; /* its sockets are the town's */
    c->core_inbox_mb = 1;
    for (size_t i = 0; i < sizeof s->key; i++)
        s->key[i] = (uint8_t)(i * 7 + 1);
}

/* ---- the flight recorder ---- */

/* A tape that has only just begun is a copier of folders. */
static void flight_open(struct server *s)
{
    s->flight = NULL;
    if (!s->flight_dir)
        return;
    struct play *p = play_new();
    play_cut(p, CUT_NONE, NULL, s->state_dir);
    play_free(p);
    must(flight_new(s->flight_dir, INT64_C(1) << 40, &s->flight) == 0);
}

static int part_take(void *ctx, const char *name)
{
    char *path = ctx;
    must(path[0] == 0); /* a life of a town is one part */
    (void)str_copy(path, 300, str_from_c(name));
    return 0;
}

/* After a life: it is lived again. The file stays until the next. */
static void flight_close(struct server *s)
{
    char name[300] = "", path[800];
    const char *part = path;
    struct flight_score score;
    if (!s->flight_dir)
        return;
    must(dir_list(s->flight_dir, part_take, name) == 0);
    snprintf(path, sizeof path, "%s/%s", s->flight_dir, name);
    int err = flight_replay(s->state_dir, &part, 1, stderr, &score);
    s->stats.flights++;
    s->stats.flown_batches += score.batches;
    if (err && !s->stats.flight_err)
        s->stats.flight_err = err;
    must(file_remove(path) == 0);
}

/* ---- opening and ending ---- */

static void await(void *ctx);

static int submit_gate(void *ctx, const struct cmd *cmd)
{
    struct server *s = ctx;
    int err = server_submit(s, cmd);
    s->stats.full += err == ERR_FULL;
    if (!err)
        s->asked(s->ctx, cmd);
    return err;
}

static void submit_end(void *ctx)
{
    (void)ctx; /* the step looks into the inbox anyway */
}

static int store_begin(struct server *s)
{
    const char *dir = s->settings.data_dir;
    disk_start(dir);
    flight_open(s);
    int err = store_open(
        &(struct store_config){
            .dir = dir, .create = true, .cache_bytes = 4 << 20, .sessions = SESSIONS, .shares = 40},
        &s->store);
    return err ? err : store_keeper_open(s->store, &s->keeper);
}

static int gates_begin(struct server *s)
{
    uint16_t ocpp, ykc;
    const struct gates_config gc = {.settings = &s->settings,
                                    .submit = submit_gate,
                                    .submitted = submit_end,
                                    .ctx = s,
                                    .key = s->key};
    int err = gates_new(&gc, &s->gates);
    return err ? err : gates_listen(s->gates, &ocpp, &ykc);
}

int server_open(struct server *s)
{
    size_t inbox = (size_t)s->settings.core_inbox_mb << 20;
    must(str_copy(s->settings.data_dir, sizeof s->settings.data_dir, str_from_c(s->folder[0])) ==
         strlen(s->folder[0]));
    for (int i = 0; i < SERVER_BATCHES; i++)
        core_batch_init(&s->batch[i]);
    s->first = s->sealed = 0;
    s->settled = 0;
    s->cut_armed = s->failed = false;
    must(mailbox_new(inbox, inbox, &s->inbox) == 0);
    int err = store_begin(s);
    if (err)
        return err;
    struct core_limits limits = pulse_limits(&s->settings, s->key);
    limits.hot = s->hot;
    const struct pulse_config pc = {.limits = limits,
                                    .store = s->store,
                                    .flight = s->flight,
                                    .now_ms = os_now_ms(),
                                    .await = await,
                                    .ctx = s};
    err = pulse_new(&pc, &s->pulse);
    if (!err)
        err = gates_begin(s);
    s->up = !err;
    return err;
}

static void close_all(struct server *s)
{
    s->up = false;
    gates_free(s->gates);
    pulse_free(s->pulse);
    flight_free(s->flight);
    store_keeper_close(s->keeper);
    store_close(s->store);
    mailbox_free(s->inbox);
    mailbox_batch_free(&s->mail);
    for (int i = 0; i < SERVER_BATCHES; i++)
        core_batch_free(&s->batch[i]);
    s->gates = NULL;
    s->pulse = NULL;
    s->flight = NULL;
    s->keeper = NULL;
    s->store = NULL;
    s->inbox = NULL;
    s->mail = (struct mailbox_batch){0};
}

/* ---- committing ---- */

static void deliver(void *ctx, const struct out *out)
{
    struct server *s = ctx;
    if (out->type == OUT_EVENT || (out->type == OUT_REPLY && out->to.kind == FROM_WEB))
        s->hear(s->ctx, out);
    else if (out->type == OUT_PAY)
        s->pay(s->ctx, &out->u.pay);
    else if (out->type == OUT_NOTICE)
        s->notice(s->ctx, &out->u.notice);
    else if (out->type == OUT_REPLY)
        s->answered(s->ctx, out);
    if (out->type != OUT_EVENT && out->to.kind == FROM_GATE)
        gates_deliver(s->gates, out);
}

static void told(struct server *s, const struct core_batch *b)
{
    pulse_deliver(b, deliver, s);
    gates_delivered(s->gates);
}

/* What the disk holds after n operations of the tape goes to the other folder, and the program is
 * no more. */
static void cut_at(struct server *s, size_t n, enum cut cut, bool streams_told)
{
    const char *other = s->folder[1];
    struct play *p;
    s->stats.cuts++;
    s->stats.torn += cut == CUT_SOME;
    vnet_server_gone(streams_told);
    disk_freeze();
    close_all(s);
    p = play_new();
    play_to(p, n);
    play_cut(p, cut, &s->rng, other);
    play_free(p);
    disk_stop();
    flight_close(s);
    s->folder[1] = s->folder[0];
    s->folder[0] = other;
}

void server_cut(struct server *s, enum cut cut, bool streams_told)
{
    cut_at(s, disk_ops(), cut, streams_told);
}

static void commit_cut(struct server *s, const struct core_batch *b)
{
    size_t from = disk_ops();
    bool wrote;
    int err = pulse_commit(s->store, b, &wrote);
    (void)err; /* a disk that failed as well changes nothing */
    size_t ops = disk_ops() - from;
    s->stats.cuts_inside++;
    cut_at(s, from + (size_t)rng_below(&s->rng, ops + 1), (enum cut)rng_below(&s->rng, CUT_N),
           rng_below(&s->rng, 2) != 0);
}

static void commit_end(struct server *s)
{
    struct core_batch *b = &s->batch[s->first];
    bool wrote;
    if (s->cut_armed && b->rows.n > 0) {
        commit_cut(s, b);
        return;
    }
    s->failed = pulse_commit(s->store, b, &wrote) != 0;
    if (s->failed)
        return;
    s->stats.commits += wrote;
    s->settled = b->number;
    if (!s->early)
        told(s, b);
    s->first = (s->first + 1) % SERVER_BATCHES;
    s->sealed--;
    s->commit_ms = vnet_now_ms() + rng_range(&s->rng, s->commit_lo_ms, s->commit_hi_ms);
}

/* A look-up waits for what is sealed. A cut does not fall here: it would pull the core away from
 * under itself. */
static void await(void *ctx)
{
    struct server *s = ctx;
    bool armed = s->cut_armed;
    s->cut_armed = false;
    while (s->sealed > 0 && !s->failed)
        commit_end(s);
    s->cut_armed = armed;
}

static void seal(struct server *s)
{
    if (s->sealed == SERVER_BATCHES || !pulse_pending(s->pulse))
        return;
    struct core_batch *b = &s->batch[(s->first + s->sealed) % SERVER_BATCHES];
    pulse_seal(s->pulse, b);
    if (s->sealed++ == 0)
        s->commit_ms = vnet_now_ms() + rng_range(&s->rng, s->commit_lo_ms, s->commit_hi_ms);
    s->stats.batches++;
    if (s->early)
        told(s, b);
}

/* ---- living ---- */

int server_submit(struct server *s, const struct cmd *cmd)
{
    return mailbox_put(s->inbox, pulse_lane(cmd->head.type),
                       str_from((const char *)cmd, cmd->head.size), STR_NONE);
}

static void apply_all(struct server *s)
{
    struct str msg;
    (void)pulse_rest(s->pulse, s->settled, os_now_ms());
    if (mailbox_take(s->inbox, &s->mail) == 0)
        return;
    while (mailbox_next(&s->mail, &msg)) {
        struct cmd *cmd = (struct cmd *)(uintptr_t)msg.p;
        s->failed |= pulse_apply(s->pulse, cmd, os_now_ms()) != 0;
        if (s->failed)
            return;
        s->stats.commands++;
    }
}

static void keep(struct server *s)
{
    if (vnet_now_ms() < s->keep_ms)
        return;
    s->keep_ms = vnet_now_ms() + KEEP_MS;
    int err = store_keeper_run(s->keeper);
    (void)err; /* told to the log, and tried again */
}

/* A store that fails ends the program, as the engine does. What had been asked of the disk may be
 * there or not. */
static bool failed(struct server *s)
{
    if (!s->failed)
        return false;
    s->stats.faults++;
    cut_at(s, disk_ops(), (enum cut)rng_below(&s->rng, CUT_N), true);
    return true;
}

void server_step(struct server *s)
{
    while (s->up && s->sealed > 0 && s->commit_ms <= vnet_now_ms() && !s->failed)
        commit_end(s);
    if (!s->up || failed(s))
        return;
    gates_turn(s->gates, -1);
    if (s->sealed < SERVER_BATCHES) /* invariant 4 of the engine: it takes no more meanwhile */
        apply_all(s);
    if (failed(s))
        return;
    pulse_tick(s->pulse, os_now_ms());
    seal(s);
    keep(s);
}

int64_t server_due_ms(const struct server *s)
{
    int64_t due = s->up ? pulse_due_ms(s->pulse) : INT64_MAX;
    if (due != INT64_MAX) /* it goes by the wall clock */
        due -= vnet_wall_ms() - vnet_now_ms();
    if (s->up && s->sealed > 0 && s->commit_ms < due)
        due = s->commit_ms;
    return due;
}

void server_stop(struct server *s)
{
    s->stats.stops++;
    apply_all(s);
    do {
        await(s);
        seal(s);
    } while (s->sealed > 0);
    vnet_server_gone(true);
    must(store_leave(s->store, os_now_ms()) == 0);
    close_all(s);
    disk_stop();
    flight_close(s);
}

void server_db(const struct server *s, char out[600])
{
    snprintf(out, 600, "%s/even.db", s->settings.data_dir);
}
