// SPDX-License-Identifier: Apache-2.0
/* sender.c: see sender.h: a fixed table of jobs around one HTTP client.
 *
 *   handed over ─► sent ─► answered ─► told: taken, or refused
 *        │           ├─ nothing ever left, or "too many at a time" ─► waits (0.2 s, 0.8 s, 2 s) ─► sent again
 *        │           └─ broken off, time over, 5xx ─► told: not known. Never sent again: it costs twice
 *        └─ too many wait, or the breaker is open ─► told at once: not sent
 *
 * A notice has no one who waits for it at a page: while its provider is left alone it waits, too, for
 * texts.notices_wait_s at most and never longer than it is worth something. It stands behind the codes:
 * NOTICES wait beside their CODES, and NOTICES_AT_ONCE are on their way, so that codes find room.
 *
 * Invariants: 1. a text that may have reached its provider is not sent a second time, not by the HTTP
 * client either (fetch.h, `once`); 2. each that was
 * taken is told once, by its deadline; 3. codes, phone numbers and what notices say are in no log line, and our copies
 * of them are wiped when their text is over.
 *
 * Data: the jobs are the worker's; figures are atomic; the word of the last problem stands under a guard
 * that is never held across a request. Fails by text. */
#include "app/sender.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/breaker.h"
#include "app/notices.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/net/fetch.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/mailbox.h"
#include "io/os/pool.h"
#include "io/os/thread.h"
#include "texts/texts.h"

enum { CODES = 128, NOTICES = 256, JOBS = CODES + NOTICES, AT_ONCE = 32, NOTICES_AT_ONCE = 16 };
enum { MAIL_BYTES = 256 * 1024, TURN_MS = 500, RELOAD_MS = 10000 };
enum { FULL_MS = 50, GUARD_MS = 60000, ATTEMPTS = 4, ALONE_MS = 1000 };

/** A code, or a notice, handed over. */
struct sender_mail {
    struct origin from;
    uint64_t cause;
    int64_t deadline_ns;
    bool notice;
    union {
        struct {
            char phone[TEXTS_PHONE_SIZE], digits[9];
            int32_t minutes;
        } code;
        struct out_notice notice;
    } u;
};
struct sender_job {
    bool used, sent, counted;
    struct sender *s;
    struct sender_mail mail;
    struct text text;
    int attempt;
    enum notice_outcome
        outcome; /* of a notice that is over and that the core has not heard of, or 0 */
    char word[TEXTS_REASON_SIZE];
    int64_t due_ns;
    struct texts_request q;
};
struct sender {
    struct sender_config cfg;
    struct web_texts door;
    int32_t kind;
    char dir[400];
    struct texts *texts; /* NULL: its keys could not be read */
    int64_t loaded_ns;
    struct os_pool *guard;
    char problem[TEXTS_REASON_SIZE]; /* under the guard */
    struct breaker breaker;
    struct mailbox *mail;
    struct mailbox_batch batch;
    struct fetch *fetch;
    struct os_thread *thread;
    struct sender_job jobs[JOBS];
    struct notices notices;
    int32_t notices_sent; /* on their way */
    _Atomic bool stopping, stale, ready;
    _Atomic int32_t waiting, notices_waiting; /* handed over and not told yet: codes, notices */
    _Atomic uint64_t sent, refused, unknown, full, open;
};

/* ---- settings and keys ---- */

static struct texts_config config_of(const struct sender *s)
{
    const struct config *c = s->cfg.settings;
    return (struct texts_config){.kind = s->kind,
                                 .url = c->texts_url,
                                 .app = c->texts_app,
                                 .region = c->texts_region,
                                 .sign = c->texts_sign,
#define KIND(kind, name)                                                                           \
    .template[kind] = c->texts_template_##name, .params[kind] = c->texts_template_##name##_params
                                 KIND(TEXT_CODE, code),
                                 KIND(TEXT_ENDED, ended),
                                 KIND(TEXT_NEAR, near),
                                 KIND(TEXT_FEE, fee),
                                 KIND(TEXT_RUNS, runs),
                                 KIND(TEXT_DOUBT, doubt),
#undef KIND
                                 .keys = s->dir};
}

static void problem_set(struct sender *s, const char *word)
{
    void *self = os_pool_take(s->guard, GUARD_MS);
    (void)str_copy(s->problem, sizeof s->problem, str_from_c(word));
    if (self)
        os_pool_give(s->guard, self);
}

static void keys_load(struct sender *s)
{
    struct texts_config c = config_of(s);
    struct texts *fresh = NULL;
    char why[160];
    s->loaded_ns = os_mono_ns();
    atomic_store(&s->stale, false);
    if (texts_new(&c, &fresh, why) != 0) {
        log_line(LOG_ERROR, "text", 0, "texts cannot be sent: %s in %s", why, s->dir);
        problem_set(s, "keys");
    } else if (!s->texts) {
        problem_set(s, "");
    }
    texts_free(s->texts);
    s->texts = fresh;
    atomic_store(&s->ready, fresh != NULL);
}

static bool keys_there(struct sender *s)
{
    bool retry = !s->texts && os_mono_ns() - s->loaded_ns > (int64_t)RELOAD_MS * INT64_C(1000000);
    if (atomic_load(&s->stale) || retry)
        keys_load(s);
    return s->texts != NULL;
}

void sender_reload(struct sender *s)
{
    if (s)
        atomic_store(&s->stale, true);
}

static int settings_check(struct sender *s)
{
    const struct config *c = s->cfg.settings;
    char why[160] = "texts.kind: hook, aliyun or tencent";
    int err = texts_kind_find(str_from_c(c->texts_kind), &s->kind);
    if (!err) {
        struct texts_config tc = config_of(s);
        err = texts_config_check(&tc, why);
    }
    if (!err && (!c->texts_keys[0] || c->texts_keys[0] == '.' || strchr(c->texts_keys, '/'))) {
        (void)str_copy(why, sizeof why, STR_LIT("texts.keys: a name below data.dir/keys"));
        err = ERR_RANGE;
    }
    if (err)
        fprintf(stderr, "even: no texts can be sent so: %s\n", why);
    return err;
}

/* ---- telling ---- */

static void job_end(struct sender_job *j)
{
    struct sender *s = j->s;
    _Atomic int32_t *waiting = j->mail.notice ? &s->notices_waiting : &s->waiting;
    struct texts_request q = j->q; /* its memory serves the next */
    texts_request_wipe(&q);
    crypto_wipe(j, sizeof *j);
    *j = (struct sender_job){.s = s, .q = q};
    atomic_fetch_sub(waiting, 1);
}

/* The core's mailbox may be full for a moment; what ends is not waited for. */
static int outcome_tell(struct sender *s, const struct sender_mail *m, enum notice_outcome outcome,
                        const char *word)
{
    struct cmd cmd;
    notice_result_make(&m->u.notice, m->cause, outcome, word, &cmd);
    int err = s->cfg.submit(s->cfg.ctx, &cmd);
    if (err == ERR_FULL && !atomic_load(&s->stopping))
        return err;
    if (err)
        log_line(LOG_WARN, "text", m->cause, "the core did not hear what became of a notice: %s",
                 err_text(err, LANG_EN));
    notices_count(&s->notices, m->u.notice.kind, outcome);
    return 0;
}

static void notice_tell(struct sender_job *j)
{
    if (outcome_tell(j->s, &j->mail, j->outcome, j->word) == 0)
        job_end(j);
    else
        j->due_ns = os_mono_ns() + TURN_MS * INT64_C(1000000);
}

static void job_tell(struct sender_job *j, int err, const char *word)
{
    struct sender *s = j->s;
    if (j->mail.notice) {
        j->outcome = err == 0 ? NOTICE_SENT : err == ERR_TIMEOUT ? NOTICE_UNKNOWN : NOTICE_NOT_SENT;
        (void)str_copy(j->word, sizeof j->word, str_from_c(word));
        notice_tell(j);
        return;
    }
    struct out o = {.size = (uint32_t)OUT_SIZE(made),
                    .version = CMD_VERSION,
                    .type = OUT_REPLY,
                    .to = j->mail.from,
                    .cause = j->mail.cause,
                    .err = err};
    metric_add(err == 0 ? &s->sent : err == ERR_TIMEOUT ? &s->unknown : &s->refused, 1);
    s->cfg.deliver(s->cfg.ctx, &o);
    job_end(j);
}

static void job_not_sent(struct sender_job *j, const char *word)
{
    log_line(LOG_WARN, "text", j->mail.cause, "a text was not sent: %s", word);
    problem_set(j->s, word);
    job_tell(j, ERR_TEXT, word);
}

static void job_unknown(struct sender_job *j, const char *word)
{
    log_line(LOG_WARN, "text", j->mail.cause, "whether a text was sent is not known: %s", word);
    problem_set(j->s, word);
    job_tell(j, ERR_TIMEOUT, word);
}

/* By our own rules: no problem of the provider's. */
static void notice_dropped(struct sender_job *j, const char *word)
{
    log_line(LOG_NOTE, "text", j->mail.cause, "a notice was not sent: %s", word);
    job_tell(j, ERR_TEXT, word);
}

/* ---- the breaker ---- */

static void provider_works(struct sender *s)
{
    if (!breaker_close(&s->breaker))
        return;
    atomic_store(&s->open, 0);
    log_line(LOG_NOTE, "text", 0, "the sender of texts answers again");
}

static void provider_fails(struct sender *s)
{
    if (!breaker_fail(&s->breaker, os_mono_ns()))
        return;
    atomic_store(&s->open, 1);
    log_line(LOG_WARN, "text", 0, "the sender of texts does not answer: it is left alone");
}

/* ---- asking ---- */

/* False when its time would be over before. */
static bool later(struct sender_job *j, int32_t ms)
{
    int64_t due = os_mono_ns() + ms * INT64_C(1000000);
    if (due >= j->mail.deadline_ns)
        return false;
    j->due_ns = due;
    return true;
}

static bool retried(struct sender_job *j)
{
    static const int32_t wait_ms[ATTEMPTS] = {200, 800, 2000, 2000};
    if (j->attempt < ATTEMPTS)
        return later(j, wait_ms[j->attempt++]);
    return j->mail.notice && later(j, wait_ms[ATTEMPTS - 1]);
}

static int job_send(struct sender_job *j)
{
    int64_t left_ms = (j->mail.deadline_ns - os_mono_ns()) / 1000000;
    int64_t most_ms = j->s->cfg.settings->texts_timeout_s * 1000;
    left_ms = left_ms < most_ms ? left_ms : most_ms;
    struct fetch_request f = {.method = j->q.method,
                              .url = j->q.url.p,
                              .body = buf_str(&j->q.body),
                              .timeout_ms = (int32_t)(left_ms > 1 ? left_ms : 1),
                              .max = TEXTS_MAX,
                              .once = true};
    for (size_t i = 0; i < TEXTS_HEADERS_MAX && j->q.headers[i]; i++)
        f.headers[i] = j->q.headers[i];
    int err = fetch_send(j->s->fetch, &f, j);
    j->sent = err == 0;
    j->s->notices_sent += j->sent && j->mail.notice;
    if (err == ERR_FULL) {
        j->due_ns = os_mono_ns() + FULL_MS * INT64_C(1000000);
        return 0;
    }
    return err;
}

/* What ends a notice before anything goes out, a word; NULL: nothing does. */
static const char *notice_ends(struct sender_job *j)
{
    struct sender *s = j->s;
    const struct config *c = s->cfg.settings;
    if (!texts_sends(s->texts, (enum text_kind)j->text.kind))
        return "no-template";
    if (texts_phone(str_from_c(j->mail.u.notice.phone), c->texts_countries, j->text.phone) != 0)
        return "country";
    if (j->counted)
        return NULL;
    j->counted = true;
    return notices_spent(&s->notices, c, j->text.phone, os_mono_ns(), os_wall_ms());
}

/* May it go out now? Else it was told, or waits. */
static bool job_goes(struct sender_job *j)
{
    struct sender *s = j->s;
    bool notice = j->mail.notice;
    if (!keys_there(s)) {
        job_not_sent(j, "keys");
        return false;
    }
    if (os_mono_ns() >= j->mail.deadline_ns) {
        job_not_sent(j, "too-late");
        return false;
    }
    const char *word = notice ? notice_ends(j) : NULL;
    if (word) {
        notice_dropped(j, word);
        return false;
    }
    if (notice && s->notices_sent >= NOTICES_AT_ONCE) {
        j->due_ns = os_mono_ns() + FULL_MS * INT64_C(1000000);
        return false;
    }
    if (breaker_lets(&s->breaker, os_mono_ns()))
        return true;
    if (!notice || !later(j, ALONE_MS))
        job_not_sent(j, "no-answer");
    return false;
}

/* Every attempt is signed afresh: time and nonce are its own. */
static void job_ask(struct sender_job *j)
{
    struct sender *s = j->s;
    char nonce[TEXTS_NONCE_SIZE];
    if (!job_goes(j))
        return;
    os_random_text(nonce, sizeof nonce - 1);
    int err = texts_ask(s->texts, &j->text, os_wall_ms(), nonce, &j->q);
    if (!err)
        err = job_send(j);
    if (!j->sent)
        s->breaker.probing = false; /* nothing went out */
    if (err)
        job_not_sent(j, "cannot-be-built");
}

static void text_make(struct sender_job *j)
{
    const struct sender_mail *m = &j->mail;
    const struct sender *s = j->s;
    struct text *x = &j->text;
    if (m->notice) {
        notice_text(&m->u.notice, os_now_ms(), s->kind == TEXTS_HOOK,
                    (int32_t)s->cfg.settings->texts_value_max, x);
        return;
    }
    *x = (struct text){.kind = TEXT_CODE, .id[0] = 'T'};
    os_random_text(x->id + 1, 24);
    memcpy(x->phone, m->u.code.phone, sizeof x->phone);
    (void)str_copy(x->value[PARAM_CODE], TEXTS_VALUE_SIZE, str_from_c(m->u.code.digits));
    snprintf(x->value[PARAM_MINUTES], TEXTS_VALUE_SIZE, "%d", (int)m->u.code.minutes);
}

static void job_begin(struct sender *s, const struct sender_mail *mail)
{
    for (size_t i = 0; i < JOBS; i++) {
        struct sender_job *j = &s->jobs[i];
        if (j->used)
            continue;
        j->used = true;
        j->mail = *mail;
        text_make(j);
        if (!atomic_load(&s->stopping))
            job_ask(j);
        return;
    }
    must(false); /* `waiting` lets no more in than there are jobs */
}

/* ---- answers ---- */

static void answer_judge(struct sender_job *j, const struct fetch_answer *a)
{
    struct sender *s = j->s;
    struct texts_reply reply = {.status = a->status, .body = a->body};
    struct text_result result = {.state = TEXT_UNKNOWN, .reason = "keys"};
    if (s->texts)
        texts_answer(s->texts, &j->text, &reply, &result);
    if (result.state == TEXT_UNKNOWN)
        provider_fails(s);
    else
        provider_works(s);
    if (result.state == TEXT_SENT) {
        problem_set(s, "");
        job_tell(j, 0, "");
    } else if (result.state == TEXT_UNKNOWN) {
        job_unknown(j, result.reason);
    } else if (!result.again || !retried(j)) {
        job_not_sent(j, result.reason);
    }
}

static void on_answer(void *ctx, void *tag, const struct fetch_answer *a)
{
    struct sender *s = ctx;
    struct sender_job *j = tag;
    j->sent = false;
    s->notices_sent -= j->mail.notice;
    if (!a->err) {
        answer_judge(j, a);
        return;
    }
    provider_fails(s);
    if (!a->untouched)
        job_unknown(j, a->err == ERR_TIMEOUT ? "time-over" : "broken-off");
    else if (!retried(j))
        job_not_sent(j, a->err == ERR_DENIED ? "certificate" : "no-answer");
}

/* ---- the thread ---- */

static int32_t jobs_due(struct sender *s)
{
    int64_t now = os_mono_ns(), next = now + (int64_t)TURN_MS * 1000000;
    for (size_t i = 0; i < JOBS; i++) {
        struct sender_job *j = &s->jobs[i];
        if (!j->used || j->sent)
            continue;
        if (j->due_ns <= now && j->outcome)
            notice_tell(j);
        else if (j->due_ns <= now)
            job_ask(j);
        else if (j->due_ns < next)
            next = j->due_ns;
    }
    return (int32_t)((next - now) / 1000000) + 1;
}

static void mail_take(struct sender *s)
{
    struct str msg;
    if (mailbox_take(s->mail, &s->batch) == 0)
        return;
    while (mailbox_next(&s->batch, &msg)) {
        if (msg.n == sizeof(struct sender_mail))
            job_begin(s, (const struct sender_mail *)(const void *)msg.p);
        crypto_wipe((void *)(uintptr_t)msg.p, msg.n); /* the batch's memory is ours */
    }
}

static void sender_run(void *arg)
{
    struct sender *s = arg;
    for (size_t i = 0; i < JOBS; i++)
        s->jobs[i].s = s;
    while (!atomic_load(&s->stopping)) {
        mail_take(s);
        int32_t wait = jobs_due(s);
        fetch_run(s->fetch, mailbox_fd(s->mail), wait);
    }
    fetch_free(s->fetch);
    s->fetch = NULL;
    mail_take(s);
    for (size_t i = 0; i < JOBS; i++) {
        struct sender_job *j = &s->jobs[i];
        if (j->used && j->outcome)
            notice_tell(j);
        else if (j->used && j->mail.notice && !j->sent)
            notice_dropped(j, "stopping");
        else if (j->used)
            job_unknown(j, "stopping");
        texts_request_free(&j->q);
    }
}

/* ---- the web front's side ---- */

static int door_fit(void *ctx, const char *phone)
{
    const struct sender *s = ctx;
    char e164[TEXTS_PHONE_SIZE];
    return texts_phone(str_from_c(phone), s->cfg.settings->texts_countries, e164);
}

static int door_send(void *ctx, const struct web_text *t)
{
    struct sender *s = ctx;
    const struct config *c = s->cfg.settings;
    struct sender_mail m = {.from = t->from,
                            .cause = t->cause,
                            .deadline_ns = os_mono_ns() + c->texts_timeout_s * INT64_C(1000000000)};
    m.u.code.minutes = t->minutes;
    (void)str_copy(m.u.code.digits, sizeof m.u.code.digits, str_from_c(t->code));
    int err = texts_phone(str_from_c(t->phone), c->texts_countries, m.u.code.phone);
    if (!err && atomic_fetch_add(&s->waiting, 1) >= CODES) {
        atomic_fetch_sub(&s->waiting, 1);
        metric_add(&s->full, 1);
        err = ERR_TEXT;
    } else if (!err && mailbox_send(s->mail, MAIL_NORMAL, str_from((const char *)&m, sizeof m))) {
        atomic_fetch_sub(&s->waiting, 1);
        metric_add(&s->full, 1);
        err = ERR_TEXT;
    }
    crypto_wipe(&m, sizeof m);
    return err;
}

static void door_state(void *ctx, struct web_text_state *out)
{
    struct sender *s = ctx;
    void *self = os_pool_take(s->guard, GUARD_MS);
    (void)str_copy(out->problem, sizeof out->problem, str_from_c(s->problem));
    if (self)
        os_pool_give(s->guard, self);
    out->ready = atomic_load(&s->ready) && atomic_load(&s->open) == 0;
    out->kind = s->cfg.settings->texts_kind;
    out->sent = atomic_load(&s->sent);
    out->refused = atomic_load(&s->refused);
    out->unknown = atomic_load(&s->unknown);
}

/* ---- the core's side ---- */

void sender_notice(struct sender *s, const struct out *out)
{
    struct sender_mail m = {.cause = out->cause, .notice = true, .u.notice = out->u.notice};
    int64_t wait_ms = s->cfg.settings->texts_notices_wait_s * 1000;
    int64_t left_ms = out->u.notice.worth_ms - os_now_ms();
    bool stopping = atomic_load(&s->stopping);
    left_ms = left_ms < wait_ms ? left_ms : wait_ms;
    m.deadline_ns = os_mono_ns() + left_ms * INT64_C(1000000);
    bool full = !stopping && atomic_fetch_add(&s->notices_waiting, 1) >= NOTICES;
    if (full ||
        (!stopping && mailbox_send(s->mail, MAIL_NORMAL, str_from((const char *)&m, sizeof m)))) {
        atomic_fetch_sub(&s->notices_waiting, 1);
        full = true;
    }
    if (full || stopping)
        (void)outcome_tell(s, &m, NOTICE_NOT_SENT, full ? "too-many" : "stopping");
    crypto_wipe(&m, sizeof m);
}

const struct web_texts *sender_door(const struct sender *s)
{
    return &s->door;
}

uint32_t sender_metrics(struct sender *s, struct metric_row rows[SENDER_METRICS])
{
    static const char name[] = "even_texts_total", help[] = "Texts by what became of them";
    if (!s)
        return 0;
    const struct metric_row all[] = {
        {name, "outcome=\"sent\"", help, METRIC_COUNTER, &s->sent, NULL},
        {name, "outcome=\"refused\"", help, METRIC_COUNTER, &s->refused, NULL},
        {name, "outcome=\"unknown\"", help, METRIC_COUNTER, &s->unknown, NULL},
        {"even_texts_full_total", "", "Texts not taken because too many waited", METRIC_COUNTER,
         &s->full, NULL},
        {"even_texts_breaker_open", "", "The sender of texts is left alone for a while",
         METRIC_GAUGE, &s->open, NULL},
    };
    _Static_assert(ARRAY_LEN(all) + NOTICES_METRICS <= SENDER_METRICS, "room for every figure");
    memcpy(rows, all, sizeof all);
    return ARRAY_LEN(all) + notices_metrics(&s->notices, rows + ARRAY_LEN(all));
}

/* ---- start and end ---- */

int sender_new(const struct sender_config *cfg, struct sender **out)
{
    struct sender *s = calloc(1, sizeof *s);
    const struct config *c = cfg->settings;
    if (!s)
        return ERR_NOMEM;
    void *self = s;
    s->cfg = *cfg;
    s->door = (struct web_texts){.fit = door_fit,
                                 .send = door_send,
                                 .state = door_state,
                                 .ctx = s,
                                 .per_net = (int32_t)c->texts_per_address,
                                 .per_hour = (int32_t)c->texts_per_hour};
    uint64_t seed;
    os_random(&seed, sizeof seed);
    notices_begin(&s->notices, seed);
    snprintf(s->dir, sizeof s->dir, "%s/keys/%s", c->data_dir, c->texts_keys);
    int err = settings_check(s);
    if (!err)
        err = os_pool_new(&self, 1, &s->guard);
    if (!err)
        err = mailbox_new(MAIL_BYTES, 256, &s->mail);
    if (!err)
        err = fetch_new(AT_ONCE, on_answer, s, &s->fetch);
    if (err) {
        sender_free(s);
        return err;
    }
    keys_load(s);
    *out = s;
    return 0;
}

int sender_start(struct sender *s)
{
    return os_thread_start("text", sender_run, s, &s->thread);
}

void sender_stop(struct sender *s)
{
    if (!s || !s->thread)
        return;
    atomic_store(&s->stopping, true);
    (void)!mailbox_send(s->mail, MAIL_ENDING, STR_LIT("x"));
    os_thread_join(s->thread);
    s->thread = NULL;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    texts_free(s->texts);
    fetch_free(s->fetch);
    if (s->mail)
        mailbox_free(s->mail);
    mailbox_batch_free(&s->batch);
    notices_free(&s->notices);
    if (s->guard)
        os_pool_free(s->guard);
    crypto_wipe(s->jobs, sizeof s->jobs);
    free(s);
}
