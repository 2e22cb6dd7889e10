// SPDX-License-Identifier: Apache-2.0
/* rails_work.c: the worker of rails.h: a fixed table of jobs around one HTTP client.
 *
 *   asked ─► sent ─► answered ─► told to the core
 *              │        ├─ refused payout ─► its query ─► told: failed for certain only if unknown there
 *              │        └─ signed by an unknown key ─► keys read again, judged once more
 *              └─ no usable answer ─► waits (0.5 s, 2 s) ─► sent again ─► … ─► told: unknown
 *
 * While the breaker of a channel is open (breaker.h) its asks are answered "unknown, try again" at
 * once.
 *
 * Invariants: 1. one job for each row and op: what is under way is not asked twice at a time; 2. an
 * ask taken into a job is told to the core once; 3. no lock is held across a request.
 *
 * Thread: its own. Fails by ask. */
#include "app/rails_state.h"

#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/personal.h"

enum { ASK_MS = 10000, ATTEMPTS = 3, AT_ONCE = 64, TURN_MS = 500, RETRY_MS = 500 };

/* ---- telling the core ---- */

static void job_free(struct rail_job *j)
{
    struct rail_request q = j->q; /* its memory serves the next */
    *j = (struct rail_job){.r = j->r, .q = q};
}

static void job_tell(struct rail_job *j, const struct cmd_pay_result *result)
{
    struct rails *r = j->r;
    struct cmd cmd = {.head = {.size = CMD_SIZE(pay_result),
                               .version = CMD_VERSION,
                               .type = CMD_PAY_RESULT,
                               .tenant = j->ask.tenant,
                               .actor_kind = ACTOR_SYSTEM}};
    cmd.u.pay_result = *result;
    int err = r->cfg.submit(r->cfg.ctx, &cmd);
    if (err) {
        metric_add(&r->dropped, 1); /* the core asks again */
        log_line(LOG_WARN, "pay", 0, "answer about %s was not taken: %s", j->ask.no,
                 err_text(err, LANG_EN));
    }
    job_free(j);
}

static void job_unknown(struct rail_job *j, int err)
{
    struct cmd_pay_result result;
    rail_no_answer(&j->ask, err, &result);
    job_tell(j, &result);
}

/* ---- the breaker ---- */

static void channel_works(struct rails *r, struct rail_channel *c)
{
    if (!breaker_close(&c->breaker))
        return;
    atomic_fetch_sub(&r->open[rails_kind(c->kind)], 1);
    log_line(LOG_NOTE, "pay", 0, "channel %lld answers again", (long long)c->id);
}

static void channel_fails(struct rails *r, struct rail_channel *c)
{
    if (!breaker_fail(&c->breaker, os_mono_ns()))
        return;
    atomic_fetch_add(&r->open[rails_kind(c->kind)], 1);
    log_line(LOG_WARN, "pay", 0, "channel %lld does not answer: it is left alone for a while",
             (long long)c->id);
}

/* ---- asking ---- */

static enum pay_op query_of(int32_t op)
{
    return op == PAY_REFUND         ? PAY_REFUND_QUERY
           : op == PAY_ACCOUNT_OPEN ? PAY_ACCOUNT_QUERY
           : op == PAY_SHARE        ? PAY_SHARE_QUERY
           : op == PAY_RETURN       ? PAY_RETURN_QUERY
                                    : PAY_TRANSFER_QUERY;
}

/* A payout that cannot be asked for, or was refused: does the provider know its number? The next
 * turn asks. */
static void job_check(struct rail_job *j, const struct cmd_pay_result *refused)
{
    j->refused = *refused;
    j->checking = true;
    j->attempt = 0;
    j->due_ns = 0;
    j->ask.op = (int32_t)query_of(j->ask.op);
}

static void job_send(struct rail_job *j)
{
    struct fetch_request f = {.method = j->q.method,
                              .url = j->q.url.p,
                              .body = buf_str(&j->q.body),
                              .timeout_ms = ASK_MS,
                              .max = RAIL_TEXT_MAX};
    for (size_t i = 0; i < RAIL_HEADERS_MAX && j->q.headers[i]; i++)
        f.headers[i] = j->q.headers[i];
    int err = fetch_send(j->r->fetch, &f, j);
    j->sent = err == 0;
    if (err == ERR_FULL)
        j->due_ns = os_mono_ns() + RETRY_MS * INT64_C(1000000);
    else if (err)
        job_unknown(j, err);
    else
        metric_add(&j->r->asks[rails_kind(j->ask.kind)], 1);
}

/* What cannot be built can never be asked for; a payment fails by that, a payout is looked up. */
static void job_cannot(struct rail_job *j, int err, struct cmd_pay_result *result)
{
    bool never = err == ERR_RANGE || err == ERR_REQUIRED || err == ERR_UNSUPPORTED;
    result->state = never && !j->checking ? PAY_FAILED : PAY_UNKNOWN;
    result->err = err;
    if (rail_is_refusal(&j->ask, result))
        job_check(j, result);
    else if (result->state == PAY_FAILED && j->ask.op != PAY_CREATE)
        job_unknown(j, err);
    else
        job_tell(j, result);
}

/* What of a person is sealed is plain only here, for as long as it takes to build the request. */
static int ask_unseal(const struct rails *r, struct out_pay *ask)
{
    char id[PERSONAL_PLAIN_SIZE], bank[PERSONAL_PLAIN_SIZE];
    struct pay_open *o = &ask->u.open;
    if ((ask->op != PAY_ACCOUNT_OPEN && ask->op != PAY_ACCOUNT_QUERY) || !o->id_no[0])
        return 0;
    int err = personal_open(r->cfg.key, str_from_c(o->id_no), id);
    if (!err)
        err = personal_open(r->cfg.key, str_from_c(o->bank), bank);
    if (!err) {
        (void)str_copy(o->id_no, sizeof o->id_no, str_from_c(id));
        (void)str_copy(o->bank, sizeof o->bank, str_from_c(bank));
        crypto_wipe(bank, sizeof bank);
    }
    crypto_wipe(id, sizeof id);
    return err;
}

/* Every attempt is signed afresh: time and nonce are its own. */
static void job_ask(struct rail_job *j)
{
    struct rails *r = j->r;
    struct rail_channel *c = NULL;
    struct cmd_pay_result result;
    struct out_pay ask = j->ask;
    char nonce[RAIL_NONCE_SIZE];
    bool lets = false;
    os_random_text(nonce, sizeof nonce - 1);
    ask.expires_ms +=
        os_wall_ms() - os_now_ms(); /* others do not live by our demonstration's clock */
    rails_lock(r);
    int err = rails_channel_get(r, j->ask.channel, &c);
    if (!err) {
        lets = breaker_lets(&c->breaker, os_mono_ns());
        err = lets ? ask_unseal(r, &ask) : ERR_AGAIN;
        if (!err)
            err = rail_ask(c->rail, &ask, os_wall_ms(), nonce, &j->q, &result);
        crypto_wipe(&ask.u, sizeof ask.u);
    }
    if (lets && err)
        c->breaker.probing = false; /* nothing goes out */
    rails_unlock(r);
    if (err > 0)
        job_tell(j, &result);
    else if (err && lets)
        job_cannot(j, err, &result);
    else if (err)
        job_unknown(j, err);
    else
        job_send(j);
}

static void job_begin(struct rails *r, const struct out_pay *ask)
{
    struct rail_job *free_job = NULL;
    for (size_t i = 0; i < RAILS_JOBS; i++) {
        struct rail_job *j = &r->jobs[i];
        if (!j->used)
            free_job = free_job ? free_job : j;
        else if (j->ask.row == ask->row && (j->ask.op == ask->op || j->checking))
            return; /* under way */
    }
    if (!free_job || ask->kind < CHANNEL_WECHAT || ask->kind > CHANNEL_RAIL) {
        metric_add(&r->dropped, 1);
        return;
    }
    free_job->used = true;
    free_job->ask = *ask;
    job_ask(free_job);
}

/* ---- answers ---- */

static struct str answer_header(const void *ctx, const char *name)
{
    const struct fetch_answer *a = ctx;
    return fetch_header(a->headers, name);
}

static bool retried(struct rail_job *j, int err)
{
    if (err != ERR_AGAIN && err != ERR_TIMEOUT && err != ERR_CLOSED)
        return false;
    if (++j->attempt >= ATTEMPTS)
        return false;
    int64_t ms = (int64_t)RETRY_MS << (2 * (j->attempt - 1));
    ms += (int64_t)(os_random_u64() % RETRY_MS); /* not all at once */
    j->due_ns = os_mono_ns() + ms * 1000000;
    return true;
}

/* Under the guard. */
static void answer_read(struct rail_job *j, struct rail_channel *c, const struct fetch_answer *a,
                        struct cmd_pay_result *result)
{
    struct rail_reply reply = {.status = a->status,
                               .body = a->body,
                               .header = answer_header,
                               .ctx = a,
                               .now_ms = os_wall_ms()};
    if (rail_answer(c->rail, &j->ask, &j->q, &reply, result) > 0 && rails_channel_reload(j->r, c))
        (void)!rail_answer(c->rail, &j->ask, &j->q, &reply, result);
}

static void answer_log(const struct rail_job *j, const struct fetch_answer *a,
                       const struct cmd_pay_result *result)
{
    if (result->err && result->err != ERR_NOT_FOUND)
        log_line(LOG_INFO, "pay", 0, "channel %lld, %s, op %d: status %d, %s",
                 (long long)j->ask.channel, j->ask.no, (int)j->ask.op, a->status,
                 err_text(result->err, LANG_EN));
}

static void job_conclude(struct rail_job *j, const struct cmd_pay_result *result)
{
    struct cmd_pay_result refused = j->refused;
    if (rail_is_refusal(&j->ask, result))
        job_check(j, result);
    else if (j->checking && result->err == ERR_NOT_FOUND)
        job_tell(j, &refused);
    else
        job_tell(j, result);
}

static void on_answer(void *ctx, void *tag, const struct fetch_answer *a)
{
    struct rails *r = ctx;
    struct rail_job *j = tag;
    struct rail_channel *c = NULL;
    struct cmd_pay_result result;
    rail_no_answer(&j->ask, a->err, &result);
    j->sent = false;
    rails_lock(r);
    int err = rails_channel_get(r, j->ask.channel, &c);
    if (!err && !a->err)
        answer_read(j, c, a, &result);
    bool failed = result.err == ERR_AGAIN || result.err == ERR_TIMEOUT ||
                  result.err == ERR_CLOSED || result.err == ERR_DENIED;
    if (c && failed)
        channel_fails(r, c);
    else if (c)
        channel_works(r, c);
    rails_unlock(r);
    if (failed)
        metric_add(&r->failures[rails_kind(j->ask.kind)], 1);
    answer_log(j, a, &result);
    if (!retried(j, result.err))
        job_conclude(j, &result);
}

/* ---- the thread ---- */

static int32_t jobs_due(struct rails *r)
{
    int64_t now = os_mono_ns(), next = now + (int64_t)TURN_MS * 1000000;
    for (size_t i = 0; i < RAILS_JOBS; i++) {
        struct rail_job *j = &r->jobs[i];
        if (!j->used || j->sent)
            continue;
        if (j->due_ns <= now)
            job_ask(j);
        else if (j->due_ns < next)
            next = j->due_ns;
    }
    return (int32_t)((next - now) / 1000000) + 1;
}

static void mail_take(struct rails *r)
{
    struct str msg;
    if (mailbox_take(r->mail, &r->batch) == 0)
        return;
    while (mailbox_next(&r->batch, &msg))
        if (msg.n == sizeof(struct out_pay))
            job_begin(r, (const struct out_pay *)(const void *)msg.p);
}

void rails_run(void *arg)
{
    struct rails *r = arg;
    if (fetch_new(AT_ONCE, on_answer, r, &r->fetch) != 0) {
        log_line(LOG_ERROR, "pay", 0, "no HTTP client: payment providers are not asked");
        return;
    }
    for (size_t i = 0; i < RAILS_JOBS; i++)
        r->jobs[i].r = r;
    while (!atomic_load(&r->stopping)) {
        mail_take(r);
        int32_t wait = jobs_due(r);
        fetch_run(r->fetch, mailbox_fd(r->mail), wait);
    }
    fetch_free(r->fetch);
    for (size_t i = 0; i < RAILS_JOBS; i++)
        rail_request_free(&r->jobs[i].q);
}
