// SPDX-License-Identifier: Apache-2.0
/* engine.c: see engine.h.
 *
 * Threads and data: the core thread owns the pulse (pulse.h) and what it took from the inbox; the
 * committer owns the store and the batch it was handed; batch slots change hands through `state`
 * (FREE → SEALED by the core, SEALED → FREE by the committer) and a mailbox message that names
 * them.
 *
 * Invariants:
 *  1. Batches are committed in the order sealed: there are two slots and one mailbox.
 *  2. Nothing is delivered before store_commit answered 0. (A quarantined command has no effect to
 *     wait for.)
 *  3. After `stopping` the core takes no new command, but everything taken is committed and
 *     delivered.
 *  4. While the committer is behind, the core takes no more than one inbox's worth of commands: the
 *     inbox fills, the senders wait, and memory has a bound.
 *  5. The mark speaks of crashes only: an end that we chose is none of its command's doing.
 *  6. A batch is sealed while the committer is idle, so that the next is whatever came during its sync;
 *     only when much is gathered is one sealed ahead, so that the disk does not wait for the core. The
 *     committer wakes the core when that hangs on a slot (`hangs`), and not otherwise.
 *  7. Neither thread gives memory back to the system, which takes milliseconds: both say that there is
 *     some, and whoever keeps the house calls engine_trim. */
#include "app/engine.h"
#include "app/pulse.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "io/os/mailbox.h"
#include "io/os/memory.h"
#include "io/os/thread.h"

enum { BATCHES = 2, BATCH_FREE = 0, BATCH_SEALED = 1, DISK_CHECK_MS = 5000 };
enum { NOTICES_BYTES = 4096 };
enum { AHEAD = 8, AHEAD_APART = 2, WALL_NS = 500000 };
/* So many bytes of commands are sealed although the committer is busy, and end a turn. */
enum { SEAL_AHEAD = 64 << 10 };
/* What the core does not do until a slot is free: it goes on when it is woken; it waits in a look-up. */
enum { HANGS_NOT, HANGS_LOOP, HANGS_LOOKUP };
/* A storm: so many bytes since buffers were given back; with so few in half a second it is over. */
enum { EBB_MS = 500, EBB_MUCH = 128 << 10, EBB_FEW = 16 << 10 };

struct slot {
    struct core_batch batch;
    _Atomic int state;
};

/** Tells when a storm is over; of one thread. */
struct ebb {
    int64_t from_ms;  /* begin of the time that is counted in */
    size_t now, much; /* bytes of batches in it, and since buffers were given back */
};

struct engine {
    struct engine_config cfg;
    struct pulse *pulse;
    struct flight *flight;                  /* NULL when the setting says so */
    struct mailbox *inbox, *sealed, *freed; /* freed: the committer is done with a slot */
    struct mailbox_batch freed_mail;
    struct os_thread *core_thread, *commit_thread;
    struct slot slots[BATCHES];
    int next;     /* slot to seal into */
    size_t taken; /* bytes of commands applied since the last seal */
    size_t inbox_bytes;
    uint64_t settled;              /* number of the last batch that is durable */
    int64_t mono_ns;               /* when the last command was done */
    int64_t wall_ms, wall_read_ns; /* the wall clock, and when it was read */
    int64_t disk_checked_ms;
    _Atomic int hangs; /* HANGS_…: set by the core before it looks at the slots and sleeps */
    _Atomic bool stopping, disk_low;
    _Atomic bool spare; /* much was freed: see engine_trim */
};

static EV_NORETURN void fatal(struct engine *e, const char *what, int err)
{
    pulse_blameless(e->pulse);
    log_line(LOG_ERROR, "engine", 0, "%s: %s; stopping, nothing unanswered is lost", what,
             err_text(err, LANG_EN));
    _Exit(70);
}

/* Counts `bytes` more; true once the time after a storm was quiet. Heartbeats, of which a quiet house
 * has thousands a second, are in no batch. */
static bool ebb_over(struct ebb *b, size_t bytes)
{
    int64_t now = os_mono_ns() / 1000000;
    b->now += bytes;
    if (now - b->from_ms < EBB_MS)
        return false;
    b->much += b->now;
    bool over = b->much >= EBB_MUCH && b->now < EBB_FEW;
    b->from_ms = now;
    b->now = 0;
    if (over)
        b->much = 0;
    return over;
}

/* ---- the core thread ---- */

static bool is_free(const struct slot *s)
{
    return atomic_load(&s->state) == BATCH_FREE;
}

static bool all_free(struct engine *e)
{
    for (int i = 0; i < BATCHES; i++)
        if (!is_free(&e->slots[i]))
            return false;
    return true;
}

/* Gives the bytes of the batch, 0 when there was nothing to seal. */
static size_t seal(struct engine *e)
{
    struct slot *s = &e->slots[e->next];
    if (!pulse_pending(e->pulse) || !is_free(s) || (e->taken < SEAL_AHEAD && !all_free(e)))
        return 0;
    pulse_seal(e->pulse, &s->batch);
    size_t bytes = s->batch.rows.n + s->batch.samples.n + s->batch.outs.n;
    atomic_store_explicit(&s->state, BATCH_SEALED, memory_order_release);
    int32_t index = e->next;
    int err = mailbox_send(e->sealed, MAIL_NORMAL, str_from((const char *)&index, sizeof index));
    must(err == 0); /* room for both slots was given at the start */
    e->next = (e->next + 1) % BATCHES;
    e->taken = 0;
    return bytes;
}

/* For a look-up that must see what was sealed before. (Rows that are not sealed yet have not left
 * memory.) */
static void wait_committed(void *ctx)
{
    struct engine *e = ctx;
    atomic_store(&e->hangs, HANGS_LOOKUP);
    while (!all_free(e)) {
        (void)mailbox_await(e->freed, -1);
        (void)mailbox_take(e->freed, &e->freed_mail);
    }
    atomic_store(&e->hangs, HANGS_NOT);
}

/* A command that killed the house twice is answered with an error instead of being tried a third
 * time. */
static void refuse(struct engine *e, const struct cmd *cmd)
{
    if (cmd->head.from.ref == 0)
        return;
    struct out out = {.size = OUT_SIZE(plain),
                      .version = CMD_VERSION,
                      .type = OUT_REPLY,
                      .to = cmd->head.from,
                      .cause = cmd->head.cause,
                      .cmd_type = cmd->head.type,
                      .err = ERR_INTERNAL};
    e->cfg.deliver(e->cfg.ctx, &out);
    e->cfg.delivered(e->cfg.ctx);
}

static void clock_read(struct engine *e)
{
    e->mono_ns = e->wall_read_ns = os_mono_ns();
    e->wall_ms = os_now_ms();
}

/* A command begins when the one before it is done: one look at the clock for each. */
static void apply(struct engine *e, struct cmd *cmd)
{
    int64_t t0 = e->mono_ns;
    metric_observe(&e->cfg.metrics->queue, (uint32_t)(t0 / 1000) - cmd->head.sent_us);
    if (t0 - e->wall_read_ns >= WALL_NS)
        clock_read(e);
    int err = pulse_apply(e->pulse, cmd, e->wall_ms);
    if (err == ERR_DENIED) {
        refuse(e, cmd);
        return;
    }
    if (err)
        fatal(e, "look-up", err);
    e->mono_ns = os_mono_ns();
    metric_observe(&e->cfg.metrics->apply, (e->mono_ns - t0) / 1000);
    metric_add(&e->cfg.metrics->commands, 1);
}

static void check_disk(struct engine *e)
{
    int64_t bytes, now = os_mono_ns() / 1000000;
    if (now - e->disk_checked_ms < DISK_CHECK_MS && e->disk_checked_ms != 0)
        return;
    e->disk_checked_ms = now;
    if (file_free_bytes(e->cfg.settings->data_dir, &bytes) != 0)
        return;
    bool low = bytes < e->cfg.settings->data_reserve_mb * 1048576;
    if (low != atomic_exchange(&e->disk_low, low))
        log_line(LOG_WARN, "engine", 0,
                 low ? "disk is low: no new charge is started" : "disk has room again");
}

static void figures(struct engine *e)
{
    struct core_stats st;
    pulse_stats(e->pulse, &st);
    metric_set(&e->cfg.metrics->orders_open, st.orders_open);
    metric_set(&e->cfg.metrics->chargers_online, st.chargers_online);
    metric_set(&e->cfg.metrics->inbox_bytes, mailbox_waiting(e->inbox, MAIL_NORMAL));
}

/* Tells the core what is durable; what stands idle may leave memory then. */
static void rest(struct engine *e)
{
    for (int i = 0; i < BATCHES; i++)
        if (is_free(&e->slots[i]) && e->slots[i].batch.number > e->settled)
            e->settled = e->slots[i].batch.number;
    if (pulse_rest(e->pulse, e->settled, os_now_ms()))
        atomic_store(&e->spare, true);
}

/* The next command; ours now, the batch is not read again. NULL at the end. */
static struct cmd *next_cmd(struct mailbox_batch *mail)
{
    struct str msg;
    while (mailbox_next(mail, &msg)) {
        struct cmd *cmd = (struct cmd *)(uintptr_t)msg.p;
        if (msg.n >= sizeof cmd->head && cmd->head.type != 0)
            return cmd;
    }
    return NULL;
}

/* Applies the batch in its order. A command enters the line some places before its turn, and on the
 * way the core begins to fetch what it will touch: its own share of the CPU under metervalues fell
 * from 12.1 to 8.3 %. */
static void apply_all(struct engine *e, struct mailbox_batch *mail)
{
    struct cmd *line[AHEAD] = {0};
    bool more = true;
    for (uint32_t i = 0, last = 0; more || i <= last; i++) {
        struct cmd *cmd = more ? next_cmd(mail) : NULL;
        more = cmd != NULL;
        last = more ? i + AHEAD - 1 : last;
        line[i % AHEAD] = cmd;
        for (uint32_t step = AHEAD_KEY; step <= AHEAD_ORDER; step++) {
            cmd = line[(i - step * AHEAD_APART) % AHEAD];
            if (cmd)
                pulse_ahead(e->pulse, cmd, (enum core_ahead)step);
        }
        cmd = line[(i + 1) % AHEAD];
        if (cmd)
            apply(e, cmd);
    }
}

/* Applies what waits, and what comes meanwhile. */
static void apply_waiting(struct engine *e, struct mailbox_batch *mail)
{
    do {
        e->taken += mailbox_take(e->inbox, mail);
        clock_read(e);
        apply_all(e, mail);
    } while (mail->n > 0 && e->taken < SEAL_AHEAD);
}

/* Before a small batch is sealed, whoever is ready to run on this processor does, once: on a busy machine
 * that is a reactor with more for the same sync. Where nobody is, the call returns at once. */
static void take(struct engine *e, struct mailbox_batch *mail)
{
    rest(e);
    if (e->taken >= e->inbox_bytes) {
        wait_committed(e);
        (void)seal(e);
    }
    apply_waiting(e, mail);
    if (e->taken == 0 || e->taken >= SEAL_AHEAD || !all_free(e))
        return;
    os_thread_yield();
    apply_waiting(e, mail);
}

static void committer_end(struct engine *e)
{
    int32_t end = -1;
    must(mailbox_send(e->sealed, MAIL_ENDING, str_from((const char *)&end, sizeof end)) == 0);
}

/* Everything taken is committed, and so the slots are ours. */
static void trim(struct engine *e, struct mailbox_batch *mail)
{
    for (int i = 0; i < BATCHES; i++)
        core_batch_free(&e->slots[i].batch);
    mailbox_batch_free(mail);
    pulse_trim(e->pulse);
    atomic_store(&e->spare, true);
}

/* Until there is something to do. What hangs on a slot is looked for after `hangs` is set: a slot that is
 * free by then has been seen, one that comes free later finds the flag. */
static void core_wait(struct engine *e, bool quiet)
{
    bool hangs = quiet || pulse_pending(e->pulse) || atomic_load(&e->stopping);
    int32_t wait = os_clock_wait_ms(pulse_due_ms(e->pulse));
    atomic_store(&e->hangs, hangs ? HANGS_LOOP : HANGS_NOT);
    if (hangs && all_free(e))
        wait = 0;
    (void)mailbox_await(e->inbox, wait < 1000 ? wait : 1000);
}

static void core_main(void *arg)
{
    struct engine *e = arg;
    struct mailbox_batch mail = {0};
    struct ebb ebb = {0};
    bool quiet = false; /* buffers of a storm are to be given back */
    for (;;) {
        core_wait(e, quiet);
        bool stopping = atomic_load_explicit(&e->stopping, memory_order_acquire);
        take(e, &mail);
        pulse_tick(e->pulse, os_now_ms());
        quiet |= ebb_over(&ebb, seal(e));
        if (quiet && !pulse_pending(e->pulse) && all_free(e)) {
            trim(e, &mail);
            quiet = false;
        }
        check_disk(e);
        figures(e);
        if (stopping && !pulse_pending(e->pulse) && all_free(e))
            break;
    }
    committer_end(e);
    mailbox_batch_free(&mail);
}

/* ---- the committer ---- */

static void store_figures(struct engine *e)
{
    struct app_metrics *m = e->cfg.metrics;
    struct store_stats st;
    store_stats(e->cfg.store, &st);
    metric_set(&m->store_rows, st.rows);
    metric_set(&m->store_samples, st.samples);
    metric_set(&m->store_blocks, st.blocks);
    metric_set(&m->store_tails, st.tails);
    metric_set(&m->store_log_bytes, (uint64_t)st.log_bytes);
}

static void wake(struct engine *e)
{
    struct cmd_head none = {.size = sizeof none, .version = CMD_VERSION, .type = 0};
    /* A full mailbox needs no waking. */
    int err = mailbox_send(e->inbox, MAIL_ENDING, str_from((const char *)&none, sizeof none));
    must(err == 0 || err == ERR_FULL);
}

/* A slot came free. */
static void wake_hanging(struct engine *e)
{
    int hangs = atomic_load(&e->hangs);
    if (hangs == HANGS_LOOP)
        wake(e);
    if (hangs != HANGS_LOOKUP)
        return;
    int err = mailbox_send(e->freed, MAIL_NORMAL, STR_LIT("f"));
    must(err == 0 || err == ERR_FULL);
}

/* Gives the bytes that were written. */
static size_t commit(struct engine *e, struct slot *s)
{
    bool wrote;
    size_t bytes = s->batch.rows.n + s->batch.samples.n;
    int64_t t0 = os_mono_ns();
    int err = pulse_commit(e->cfg.store, &s->batch, &wrote);
    if (err)
        fatal(e, "commit", err);
    if (wrote) {
        metric_observe(&e->cfg.metrics->commit, (os_mono_ns() - t0) / 1000);
        metric_add(&e->cfg.metrics->commits, 1);
        store_figures(e);
    }
    pulse_deliver(&s->batch, e->cfg.deliver, e->cfg.ctx);
    e->cfg.delivered(e->cfg.ctx);
    atomic_store(&s->state, BATCH_FREE);
    wake_hanging(e);
    return bytes;
}

static void commit_main(void *arg)
{
    struct engine *e = arg;
    struct mailbox_batch mail = {0};
    struct ebb ebb = {0};
    struct str msg;
    for (bool end = false; !end;) {
        size_t bytes = 0;
        (void)mailbox_await(e->sealed, EBB_MS);
        (void)mailbox_take(e->sealed, &mail);
        while (mailbox_next(&mail, &msg)) {
            int32_t index;
            must(msg.n == sizeof index);
            memcpy(&index, msg.p, sizeof index);
            if (index < 0)
                end = true;
            else
                bytes += commit(e, &e->slots[index]);
        }
        if (ebb_over(&ebb, bytes)) {
            store_shrink(e->cfg.store);
            atomic_store(&e->spare, true);
        }
    }
    mailbox_batch_free(&mail);
}

/* ---- from outside ---- */

int engine_put(struct engine *e, const struct cmd *cmd)
{
    if (atomic_load_explicit(&e->stopping, memory_order_acquire))
        return ERR_CLOSED;
    if (cmd->head.type == CMD_ORDER_START &&
        atomic_load_explicit(&e->disk_low, memory_order_relaxed))
        return ERR_DISK_FULL;
    struct cmd_head head = cmd->head;
    head.sent_us = (uint32_t)(os_mono_ns() / 1000);
    return mailbox_put(e->inbox, pulse_lane(cmd->head.type),
                       str_from((const char *)&head, sizeof head),
                       str_from((const char *)cmd + sizeof head, cmd->head.size - sizeof head));
}

void engine_wake(struct engine *e)
{
    mailbox_wake(e->inbox);
}

int engine_wake_fd(const struct engine *e)
{
    return mailbox_fd(e->inbox);
}

int engine_submit(struct engine *e, const struct cmd *cmd)
{
    int err = engine_put(e, cmd);
    if (!err)
        engine_wake(e);
    return err;
}

void engine_trim(struct engine *e)
{
    if (atomic_exchange(&e->spare, false))
        os_memory_trim();
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (int i = 0; i < BATCHES; i++)
        core_batch_free(&e->slots[i].batch);
    mailbox_free(e->inbox);
    mailbox_free(e->sealed);
    mailbox_free(e->freed);
    mailbox_batch_free(&e->freed_mail);
    pulse_free(e->pulse);
    flight_free(e->flight);
    free(e);
}

static int pulse_begin(struct engine *e)
{
    const struct config *c = e->cfg.settings;
    char mark[300], flight[300];
    snprintf(mark, sizeof mark, "%s/applying", c->data_dir);
    snprintf(flight, sizeof flight, "%s/flight", c->data_dir);
    int err = c->flight_mb ? flight_new(flight, c->flight_mb << 20, &e->flight) : 0;
    const struct pulse_config pc = {.limits = pulse_limits(c, e->cfg.key),
                                    .store = e->cfg.store,
                                    .flight = e->flight,
                                    .mark = mark,
                                    .now_ms = os_now_ms(),
                                    .await = wait_committed,
                                    .ctx = e};
    return err ? err : pulse_new(&pc, &e->pulse);
}

static int prepare(struct engine *e)
{
    e->inbox_bytes = (size_t)e->cfg.settings->core_inbox_mb << 20;
    for (int i = 0; i < BATCHES; i++)
        core_batch_init(&e->slots[i].batch);
    int err = mailbox_new(e->inbox_bytes, e->inbox_bytes, &e->inbox);
    if (!err)
        err = mailbox_new(NOTICES_BYTES, NOTICES_BYTES, &e->sealed);
    if (!err)
        err = mailbox_new(NOTICES_BYTES, 0, &e->freed);
    return err ? err : pulse_begin(e);
}

int engine_start(const struct engine_config *cfg, struct engine **out)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->cfg = *cfg;
    int err = prepare(e);
    if (!err)
        err = os_thread_start("committer", commit_main, e, &e->commit_thread);
    if (!err)
        err = os_thread_start("core", core_main, e, &e->core_thread);
    if (err) {
        if (e->commit_thread)
            committer_end(e);
        os_thread_join(e->commit_thread);
        engine_free(e);
        return err;
    }
    *out = e;
    return 0;
}

void engine_stop(struct engine *e)
{
    atomic_store_explicit(&e->stopping, true, memory_order_release);
    wake(e);
    os_thread_join(e->core_thread);
    os_thread_join(e->commit_thread);
}
