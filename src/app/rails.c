// SPDX-License-Identifier: Apache-2.0
/* rails.c: see rails.h: channels with their keys, notices, figures, start and end. rails_work.c is
 * the worker.
 *
 * Invariants:
 *  1. A notice is taken once: what it was signed over is remembered, the last 65,536 of them. (After a restart it may be taken a second time; it is only a reason to ask.)
 *  2. Neither keys nor bodies of notices are logged or audited.
 *
 * Fails by channel: keys that cannot be read make its asks wait. */
#include "app/rails_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"

enum { MAIL_BYTES = 4 << 20, RELOAD_MS = 10000, AUDITS_A_MINUTE = 60 };

void rails_lock(struct rails *r)
{
    while (os_pool_take(r->guard, 60000) == NULL)
        log_line(LOG_ERROR, "pay", 0, "the guard of the payment channels was held for a minute");
}

void rails_unlock(struct rails *r)
{
    os_pool_give(r->guard, r);
}

size_t rails_kind(int32_t kind)
{
    must(kind >= CHANNEL_WECHAT && kind <= CHANNEL_RAIL);
    return (size_t)(kind - CHANNEL_WECHAT);
}

/* ---- channels ---- */

static int channel_open(struct rails *r, struct rail_channel *c, const struct rail_row *row)
{
    char why[160] = "";
    rail_free(c->rail);
    c->rail = NULL;
    c->stale = false;
    c->tenant = row->tenant;
    c->kind = row->kind;
    c->version = row->version;
    c->loaded_ns = os_mono_ns();
    c->err = rail_open(r->cfg.settings, row, r->base, &c->rail, why);
    if (c->err)
        log_line(LOG_WARN, "pay", 0, "channel %lld cannot be used: %s", (long long)c->id,
                 why[0] ? why : err_text(c->err, LANG_EN));
    return c->err;
}

static struct rail_channel *channel_find(struct rails *r, int64_t id)
{
    struct rail_channel *c = map_get_ptr(&r->channels, (uint64_t)id);
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c || map_put_ptr(&r->channels, (uint64_t)id, c) != 0) {
        free(c);
        return NULL;
    }
    c->id = id;
    c->version = -1;
    return c;
}

int rails_channel_get(struct rails *r, int64_t id, struct rail_channel **out)
{
    struct rail_row row;
    int err = rail_row_read(r->reader, id, &row);
    if (err)
        return err;
    struct rail_channel *c = channel_find(r, id);
    if (!c)
        return ERR_FULL;
    bool retry = c->err && os_mono_ns() - c->loaded_ns > (int64_t)RELOAD_MS * 1000000;
    if (c->version != row.version || c->stale || retry)
        err = channel_open(r, c, &row);
    else
        err = c->err;
    *out = c;
    return err;
}

bool rails_channel_reload(struct rails *r, struct rail_channel *c)
{
    if (os_mono_ns() - c->loaded_ns < (int64_t)RELOAD_MS * 1000000)
        return false;
    c->stale = true;
    return rails_channel_get(r, c->id, &c) == 0;
}

void rails_reload(struct rails *r)
{
    uint64_t key, val;
    size_t i = 0;
    rails_lock(r);
    while (map_next(&r->channels, &i, &key, &val))
        ((struct rail_channel *)map_get_ptr(&r->channels, key))->stale = true;
    rails_unlock(r);
    log_line(LOG_NOTE, "pay", 0, "the keys of all channels will be read again");
}

/* ---- notices ---- */

/* True when this was taken before. The oldest mark makes room. */
static bool mark_known(struct rails *r, const struct rail_told *told)
{
    uint64_t key;
    memcpy(&key, told->mark, sizeof key);
    if (map_get(&r->marks, key, &(uint64_t){0}))
        return true;
    uint64_t *oldest = &r->ring[r->ring_at % RAILS_MARKS];
    if (r->ring_at >= RAILS_MARKS)
        (void)map_del(&r->marks, *oldest);
    if (map_put(&r->marks, key, 1) != 0)
        return true; /* what cannot be remembered is not taken: it will be told again */
    *oldest = key;
    r->ring_at++;
    return false;
}

/* A flood of forged notices may not fill the audit log: so many a minute, all are counted. */
static bool audit_allowed(struct rails *r)
{
    int64_t now = os_mono_ns();
    if (now - r->audit_from_ns > INT64_C(60000000000)) {
        r->audit_from_ns = now;
        r->audits = 0;
    }
    return r->audits++ < AUDITS_A_MINUTE;
}

static void refusal_audit(struct rails *r, int64_t tenant, int64_t channel, enum rail_refusal why)
{
    struct cmd cmd = {.head = {.size = CMD_SIZE(audit),
                               .version = CMD_VERSION,
                               .type = CMD_AUDIT,
                               .tenant = tenant,
                               .actor_kind = ACTOR_SYSTEM}};
    (void)str_copy(cmd.u.audit.action, sizeof cmd.u.audit.action, STR_LIT("notice.refused"));
    (void)str_copy(cmd.u.audit.detail, sizeof cmd.u.audit.detail,
                   str_from_c(rail_refusal_name(why)));
    cmd.u.audit.object = channel;
    cmd.u.audit.outcome = ERR_DENIED;
    if (r->cfg.submit(r->cfg.ctx, &cmd) != 0)
        log_line(LOG_WARN, "pay", 0, "a refused notice to channel %lld was not audited: %s",
                 (long long)channel, rail_refusal_name(why));
}

static enum rail_refusal judge(struct rails *r, struct rail_channel *c, const struct rail_reply *in,
                               struct rail_told *told)
{
    enum rail_refusal why = rail_notice(c->rail, in, told);
    if (why == RAIL_UNKNOWN_KEY && rails_channel_reload(r, c))
        why = rail_notice(c->rail, in, told);
    if (why == RAIL_TAKEN && mark_known(r, told))
        why = RAIL_REPLAYED;
    return why;
}

enum rail_refusal rails_notice(struct rails *r, int64_t channel, const struct rail_reply *in,
                               struct cmd_pay_result *result, struct str *thanks)
{
    struct rail_channel *c = NULL;
    struct rail_told told;
    bool audit = false;
    rails_lock(r);
    int err = rails_channel_get(r, channel, &c);
    enum rail_refusal why = err ? RAIL_UNKNOWN_KEY : judge(r, c, in, &told);
    int64_t tenant = c ? c->tenant : 0;
    if (why == RAIL_TAKEN) {
        *result = told.result;
        *thanks = rail_notice_thanks(c->rail);
    } else {
        audit = c && audit_allowed(r);
    }
    rails_unlock(r);
    metric_add(why == RAIL_TAKEN ? &r->notices : &r->refused[why], 1);
    if (audit)
        refusal_audit(r, tenant, channel, why);
    return why;
}

/* ---- figures ---- */

uint32_t rails_metrics(const struct rails *r, struct metric_row rows[RAILS_METRICS])
{
    static const char *const kind[RAILS_KINDS] = {"kind=\"wechat\"", "kind=\"alipay\"",
                                                  "kind=\"allocation\""};
    static const char *const why[RAIL_REFUSALS] = {
        "",
        "why=\"bad-form\"",
        "why=\"stale\"",
        "why=\"unknown-key\"",
        "why=\"bad-signature\"",
        "why=\"bad-cipher\"",
        "why=\"not-ours\"",
        "why=\"replayed\"",
    };
    const struct {
        const char *name, *help;
        enum metric_kind what;
        const _Atomic uint64_t *of;
    } by_kind[] = {
        {"even_pay_asks_total", "Requests to payment providers", METRIC_COUNTER, r->asks},
        {"even_pay_failures_total", "Requests without a usable answer", METRIC_COUNTER,
         r->failures},
        {"even_pay_breakers_open", "Channels that are not asked for a while", METRIC_GAUGE,
         r->open},
    };
    uint32_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(by_kind); i++)
        for (size_t k = 0; k < RAILS_KINDS; k++)
            rows[n++] = (struct metric_row){by_kind[i].name, kind[k],           by_kind[i].help,
                                            by_kind[i].what, &by_kind[i].of[k], NULL};
    rows[n++] =
        (struct metric_row){"even_pay_notices_total", "",          "Notices of providers taken",
                            METRIC_COUNTER,           &r->notices, NULL};
    for (size_t i = RAIL_TAKEN + 1; i < RAIL_REFUSALS; i++)
        rows[n++] = (struct metric_row){"even_pay_notices_refused_total",
                                        why[i],
                                        "Notices refused",
                                        METRIC_COUNTER,
                                        &r->refused[i],
                                        NULL};
    rows[n++] = (struct metric_row){
        "even_pay_dropped_total", "",          "Requests dropped because too many waited",
        METRIC_COUNTER,           &r->dropped, NULL};
    must(n <= RAILS_METRICS);
    return n;
}

/* ---- the core's side ---- */

void rails_deliver(struct rails *r, const struct out *out)
{
    int err = mailbox_put(r->mail, MAIL_NORMAL,
                          str_from((const char *)&out->u.pay, sizeof out->u.pay), STR_NONE);
    if (err)
        metric_add(&r->dropped, 1); /* the core asks again by its own timer */
}

void rails_delivered(struct rails *r)
{
    mailbox_wake(r->mail);
}

/* ---- start and end ---- */

int rails_new(const struct rails_config *cfg, struct rails **out)
{
    struct rails *r = calloc(1, sizeof *r);
    uint64_t seed = os_random_u64();
    if (!r)
        return ERR_NOMEM;
    void *self = r;
    r->cfg = *cfg;
    map_init(&r->channels, RAILS_CHANNELS, seed);
    map_init(&r->marks, RAILS_MARKS + 1, seed);
    r->ring = calloc(RAILS_MARKS, sizeof *r->ring);
    int err = r->ring ? os_pool_new(&self, 1, &r->guard) : ERR_NOMEM;
    if (!err)
        err = mailbox_new(MAIL_BYTES, 4096, &r->mail);
    if (!err)
        err = store_reader_open(cfg->store, &r->reader);
    if (err) {
        rails_free(r);
        return err;
    }
    *out = r;
    return 0;
}

int rails_start(struct rails *r, const char *base)
{
    (void)str_copy(r->base, sizeof r->base, str_from_c(base));
    return os_thread_start("pay", rails_run, r, &r->thread);
}

void rails_stop(struct rails *r)
{
    atomic_store(&r->stopping, true);
    if (r->thread)
        (void)!mailbox_send(r->mail, MAIL_ENDING, STR_LIT("x"));
    os_thread_join(r->thread);
    r->thread = NULL;
}

void rails_free(struct rails *r)
{
    uint64_t key, val;
    size_t i = 0;
    if (!r)
        return;
    while (map_next(&r->channels, &i, &key, &val)) {
        struct rail_channel *c = map_get_ptr(&r->channels, key);
        rail_free(c->rail);
        free(c);
    }
    map_free(&r->channels);
    map_free(&r->marks);
    free(r->ring);
    store_reader_close(r->reader);
    if (r->mail)
        mailbox_free(r->mail);
    mailbox_batch_free(&r->batch);
    if (r->guard)
        os_pool_free(r->guard);
    free(r);
}
