// SPDX-License-Identifier: Apache-2.0
/* h_auth.c: logging in and out, the first-run set-up, codes for drivers.
 *
 * A log-in is a chain of waits: password worker, audit command, session command; r->ctx carries
 * what it has learnt. The same steps run for an unknown name, and for one that is locked, as for a known
 * one with a wrong password, and the answer is the same: neither tells whether there is such a name.
 * (What the quotas of a name say, they say of any name.)
 *
 * Invariants:
 *  1. A session exists only after the core has made it durable.
 *  2. Failures count against the person (the core locks) and against name and network (quotas, and
 *     for codes the counts of a day).
 *  3. A code is shown only by a demonstration, and made only where it is shown or can be sent.
 *  4. A code costs a text: what a network may ask for in a day, and all together in an hour, is bounded.
 *
 * Thread: the request's. */
#include <stdio.h>
#include "web/api_gen.h"
#include "base/err.h"
#include "base/log.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/routes_gen.h"
#include "web/auth.h"
#include "web/phone.h"
#include "web/state.h"

enum { STAFF_LIFE_S = 12 * 3600, DRIVER_LIFE_S = 30 * 86400, TEXT_RETRY_S = 30 };
enum {
    STEP_BEGIN,
    STEP_PASSWORD,
    STEP_FAILED,
    STEP_AUDITED,
    STEP_SETUP,
    STEP_DRIVER,
    STEP_SESSION,
    STEP_TEXTED
};

struct person {
    int64_t id, locked_ms;
    bool found;
    char hash[CRYPTO_PASSWORD_SIZE]; /* of the password; a driver's phone */
    struct actor actor;
};
struct login {
    struct person person;
    bool locked; /* after many failures; nobody is told */
    char token[AUTH_TOKEN_SIZE];
    int64_t life_s, expires_ms;
    enum face face;
    struct cmd *setup;
};

static int session_reply(struct request *r, const struct actor *a, bool setup)
{
    struct api_Session s = {.kind = a->kind,
                            .actor = a->id,
                            .name = str_from_c(a->name),
                            .role = a->role,
                            .tenant = a->tenant,
                            .tenant_name = str_from_c(a->tenant_name),
                            .currency = str_from_c(a->currency),
                            .zone = str_from_c(a->zone),
                            .csrf = str_from_c(a->csrf)};

    s.party = a->party;
    s.has.party = a->party != 0;
    s.setup = setup;
    s.has.setup = setup;
    return req_json(r, &api_Session_type, &s);
}

/* The installation's oldest operator; 0 while there is none. Once there is one there always is. */
static int first_tenant(struct request *r, int64_t *tenant)
{
    int err = req_number(r, QUERY_WEB_TENANT_FIRST, NULL, 0, tenant);

    if (err == ERR_NOT_FOUND) {
        *tenant = 0;
        return 0;
    }
    return err;
}

int auth_session(struct request *r)
{
    int64_t tenant = 0;
    int err = r->actor.kind == ACTOR_NONE ? first_tenant(r, &tenant) : 0;

    return err != 0 ? err : session_reply(r, &r->actor, r->actor.kind == ACTOR_NONE && tenant == 0);
}

static int person_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct person *p = ctx;
    struct actor *a = &p->actor;

    (void)n;
    p->found = v[8].i == ROW_ACTIVE && v[9].i == ROW_ACTIVE;
    p->id = a->id = v[0].i;
    a->kind = ACTOR_PERSON;
    a->tenant = v[1].i;
    str_copy(a->name, sizeof(a->name), v[2].s);
    str_copy(p->hash, sizeof(p->hash), v[3].s);
    a->role = (uint8_t)v[4].i;
    a->party = v[5].i;
    a->station = v[6].i;
    p->locked_ms = v[7].i;
    str_copy(a->tenant_name, sizeof(a->tenant_name), v[10].s);
    str_copy(a->currency, sizeof(a->currency), v[11].s);
    str_copy(a->zone, sizeof(a->zone), v[12].s);
    a->tenant_quota_s = (int32_t)v[13].i;
    return 0;
}

static int person_find(struct request *r, struct str login, struct person *p)
{
    struct bind b = BIND_TEXT("login", login);
    int err = req_query(r, QUERY_WEB_PERSON_LOGIN, &b, 1, person_take, p);

    return err == ERR_NOT_FOUND ? 0 : err;
}

/* Makes the session of r->ctx's actor; the handler runs again at STEP_SESSION. */
static int session_make(struct request *r, struct login *l)
{
    struct actor *a = &l->person.actor;
    struct cmd *cmd;

    l->face = a->kind == ACTOR_DRIVER   ? FACE_DRIVER
              : a->role == ROLE_PARTNER ? FACE_PARTNER
                                        : FACE_STAFF;
    l->life_s = l->face == FACE_DRIVER ? DRIVER_LIFE_S : STAFF_LIFE_S;
    l->expires_ms = os_now_ms() + l->life_s * 1000 * os_clock_speed();
    auth_token_make(l->token);
    auth_token_hash(str_from_c(l->token), a->session);
    auth_csrf_make(r->web, a->session, l->person.hash, a->csrf);
    a->by_cookie = true;
    r->actor = *a;
    cmd = req_cmd(r, CMD_SESSION_PUT, CMD_SIZE(session_put));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    str_copy(cmd->u.session_put.id, sizeof(cmd->u.session_put.id), str_from_c(a->session));
    cmd->u.session_put.kind = a->kind;
    cmd->u.session_put.actor = a->id;
    cmd->u.session_put.expires_ms = l->expires_ms;
    str_copy(cmd->u.session_put.csrf, sizeof(cmd->u.session_put.csrf), str_from_c(a->csrf));
    return req_submit(r, cmd, STEP_SESSION);
}

static int session_made(struct request *r, struct login *l)
{
    struct web *w = r->web;
    struct actor *a = &l->person.actor;
    char key[66] = "s";

    if (r->reply_err != 0)
        return r->reply_err;
    memcpy(key + 1, a->session, sizeof(a->session));
    web_lock(w);
    sessions_put(&w->sessions, str_from_c(key), a, l->expires_ms, os_mono_ns());
    web_unlock(w);
    auth_cookie_set(r, l->face, l->token, l->life_s);
    crypto_wipe(l->token, sizeof(l->token));
    return session_reply(r, a, false);
}

/* ---- staff and partners ---- */

static int login_audit(struct request *r, const struct person *p, int outcome, int step)
{
    struct cmd *cmd = req_cmd(r, CMD_AUDIT, CMD_SIZE(audit));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->head.tenant = p->actor.tenant;
    cmd->head.actor = p->id;
    cmd->head.actor_kind = p->id != 0 ? ACTOR_PERSON : ACTOR_NONE;
    cmd->head.role = p->actor.role;
    str_copy(cmd->u.audit.action, sizeof(cmd->u.audit.action), STR_LIT("login"));
    snprintf(cmd->u.audit.detail, sizeof(cmd->u.audit.detail), "from %s", r->address);
    cmd->u.audit.object = p->id;
    cmd->u.audit.outcome = outcome;
    cmd->u.audit.failed_login = outcome == 0 ? 2 : outcome == ERR_RATE_LIMIT ? 0 : 1;
    return req_submit(r, cmd, step);
}

static int login_quota(struct request *r, struct str login)
{
    struct web *w = r->web;
    int64_t now = os_mono_ns();

    web_lock(w);
    r->retry_s = quota_take(&w->quotas, QUOTA_LOGIN, login, 200, 10, now);
    if (r->retry_s == 0)
        r->retry_s = quota_take(&w->quotas, QUOTA_LOGIN_ADDRESS, req_net(r), 1000, 60, now);
    web_unlock(w);
    return r->retry_s > 0 ? ERR_RATE_LIMIT : 0;
}

static int login_begin(struct request *r)
{
    const struct api_LoginIn *in = r->in;
    struct login *l = ARENA_NEW(&r->arena, struct login);
    int err;

    if (l == NULL)
        return ERR_TOO_LARGE;
    r->ctx = l;
    err = login_quota(r, in->login);
    if (err == 0)
        err = person_find(r, in->login, &l->person);
    if (err != 0)
        return err;
    l->locked = l->person.found && l->person.locked_ms > os_now_ms();
    return req_password(r, in->password, l->person.found ? l->person.hash : r->web->no_hash,
                        STEP_PASSWORD);
}

/* Of a name that nobody has an entry too, of no tenant: it takes as long as the others. What is tried
 * while a name is locked does not lock it for longer. */
static int login_judge(struct request *r, struct login *l)
{
    bool good = r->reply_err == 0 && l->person.found;

    if (good && !l->locked)
        return login_audit(r, &l->person, 0, STEP_AUDITED);
    return login_audit(r, &l->person, l->locked ? ERR_RATE_LIMIT : ERR_LOGIN_FAILED, STEP_FAILED);
}

int auth_login(struct request *r)
{
    struct login *l = r->ctx;

    switch (r->step) {
    case STEP_BEGIN:
        return login_begin(r);
    case STEP_PASSWORD:
        if (r->reply_err != 0 && r->reply_err != ERR_LOGIN_FAILED)
            return r->reply_err;
        return login_judge(r, l);
    case STEP_AUDITED:
        return r->reply_err != 0 ? r->reply_err : session_make(r, l);
    case STEP_SESSION:
        return session_made(r, l);
    default:
        return ERR_LOGIN_FAILED;
    }
}

static void session_forget(struct request *r)
{
    struct web *w = r->web;
    char key[66] = "s";

    memcpy(key + 1, r->actor.session, sizeof(r->actor.session));
    web_lock(w);
    sessions_drop(&w->sessions, str_from_c(key));
    events_end(w, 0, r->actor.session);
    web_unlock(w);
}

/* Forgotten before and after its row is gone: another request may have read that in between. */
int auth_logout(struct request *r)
{
    struct cmd *cmd;

    if (r->resumed) {
        session_forget(r);
        if (r->reply_err != 0)
            return r->reply_err;
        auth_cookie_set(r, r->face, "", 0);
        return req_made(r);
    }
    if (!r->actor.by_cookie)
        return req_fail(r, ERR_UNSUPPORTED, NULL, "an API key is revoked, not logged out");
    session_forget(r);
    cmd = req_cmd(r, CMD_SESSION_END, CMD_SIZE(session_put));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    str_copy(cmd->u.session_put.id, sizeof(cmd->u.session_put.id), str_from_c(r->actor.session));
    cmd->u.session_put.kind = r->actor.kind;
    cmd->u.session_put.actor = r->actor.id;
    return req_submit(r, cmd, STEP_SESSION);
}

/* ---- first-run set-up ---- */

static bool setup_allowed(const struct request *r)
{
    const char *want = r->web->cfg.setup_token, *given = req_header(r, "X-Setup-Token");

    if (r->loopback)
        return true;
    return want != NULL && given != NULL && strlen(want) == strlen(given) &&
           str_eq_const_time(want, given, strlen(want));
}

static int setup_begin(struct request *r)
{
    const struct api_SetupIn *in = r->in;
    struct login *l = ARENA_NEW(&r->arena, struct login);
    int64_t tenant;
    int err;

    if (l == NULL)
        return ERR_TOO_LARGE;
    r->ctx = l;
    err = first_tenant(r, &tenant);
    if (err == 0 && tenant != 0)
        err = req_fail(r, ERR_CONFLICT, NULL, "the installation is set up already");
    if (err == 0 && !setup_allowed(r))
        err = req_fail(r, ERR_DENIED, NULL, "set up from this machine, or with X-Setup-Token");
    if (err == 0 && web_zone_get(r->web, req_copy_c(r, in->zone)) == NULL)
        err = req_fail(r, ERR_RANGE, "/zone", "unknown time zone");
    return err != 0 ? err : req_password(r, in->password, NULL, STEP_PASSWORD);
}

static int setup_submit(struct request *r)
{
    const struct api_SetupIn *in = r->in;
    struct cmd *cmd = req_cmd(r, CMD_SETUP, CMD_SIZE(setup));
    struct cmd_setup *s;

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    s = &cmd->u.setup;
    if (REQ_TEXT(r, s->tenant_name, in->tenant_name, "/tenant_name") != 0)
        return ERR_RANGE;
    if (REQ_TEXT(r, s->name, in->name, "/name") != 0)
        return ERR_RANGE;
    if (REQ_TEXT(r, s->login, in->login, "/login") != 0)
        return ERR_RANGE;
    str_copy(s->currency, sizeof(s->currency), in->currency);
    str_copy(s->zone, sizeof(s->zone), in->zone);
    str_copy(s->pass_hash, sizeof(s->pass_hash), str_from_c(r->hash_out));
    return req_submit(r, cmd, STEP_SETUP);
}

int auth_setup(struct request *r)
{
    const struct api_SetupIn *in = r->in;
    struct login *l = r->ctx;
    int err;

    if (r->step != STEP_BEGIN && r->reply_err != 0)
        return r->reply_err;
    switch (r->step) {
    case STEP_BEGIN:
        return setup_begin(r);
    case STEP_PASSWORD:
        return setup_submit(r);
    case STEP_SETUP:
        err = person_find(r, in->login, &l->person);
        if (err == 0 && !l->person.found)
            err = ERR_INTERNAL;
        return err != 0 ? err : session_make(r, l);
    default:
        return session_made(r, l);
    }
}

/* ---- drivers ---- */

/* Digits, with an optional '+' in front. */
static bool phone_good(struct str s)
{
    size_t i = s.n > 0 && s.p[0] == '+' ? 1 : 0;

    if (s.n - i < 5 || s.n > 20)
        return false;
    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* Refuses who is over a day's count, by the phone or by the network asked from. Under the guard. */
static int day_over(struct request *r, enum daily_kind phone, enum daily_kind net,
                    struct str number)
{
    struct daily *d = &r->web->daily;
    int64_t now = os_now_ms();
    int32_t of_phone = daily_wait(d, phone, number, now),
            of_net = daily_wait(d, net, req_net(r), now);

    if (of_phone == 0 && of_net == 0)
        return 0;
    r->retry_s = of_phone > of_net ? of_phone : of_net;
    return req_fail(r, ERR_RATE_LIMIT, of_phone > of_net ? "/phone" : NULL,
                    of_phone > of_net ? "too often today for this phone"
                                      : "too often today from this network");
}

static void day_count(struct request *r, enum daily_kind phone, enum daily_kind net,
                      struct str number)
{
    daily_count(&r->web->daily, phone, number, os_now_ms());
    daily_count(&r->web->daily, net, req_net(r), os_now_ms());
}

/* What all together may ask for. A demonstration sends nothing. Under the guard. */
static int hour_over(struct request *r, int64_t now_ns)
{
    struct web *w = r->web;

    if (w->cfg.demo)
        return 0;
    r->retry_s = hourly_wait(&w->hourly, w->cfg.texts->per_hour, now_ns);
    if (r->retry_s == 0)
        return 0;
    if (w->limited++ == 0)
        log_line(LOG_WARN, "text", r->cause, "texts.per_hour codes were asked for within an hour");
    return req_fail(r, ERR_RATE_LIMIT, NULL, "too many codes were asked for in this hour");
}

/* Makes the code unless it is asked for too fast or too often. Under the guard. */
static int code_make(struct request *r, struct str phone, char digits[7])
{
    struct web *w = r->web;
    int64_t now = os_mono_ns();
    int err = day_over(r, DAILY_CODE_PHONE, DAILY_CODE_NET, phone);

    if (err == 0)
        err = hour_over(r, now);
    if (err != 0)
        return err;
    r->retry_s = quota_take(&w->quotas, QUOTA_PHONE, phone, 34, 5, now);
    if (r->retry_s == 0)
        r->retry_s = quota_take(&w->quotas, QUOTA_PHONE, req_net(r), 500, 30, now);
    if (r->retry_s > 0)
        return ERR_RATE_LIMIT;
    day_count(r, DAILY_CODE_PHONE, DAILY_CODE_NET, phone);
    hourly_count(&w->hourly, now);
    codes_put(&w->codes, req_copy_c(r, phone), os_random_u64(), now, digits);
    return 0;
}

/* Can a code reach this phone at all? */
static int code_fit(struct request *r, struct str phone)
{
    const struct web_config *c = &r->web->cfg;

    if (!phone_good(phone))
        return req_fail(r, ERR_RANGE, "/phone", "digits, with an optional + in front");
    if (c->demo)
        return 0;
    if (c->texts == NULL)
        return req_fail(r, ERR_UNSUPPORTED, NULL, "no sender of text messages is set up");
    if (c->texts->fit(c->texts->ctx, req_copy_c(r, phone)) != 0)
        return req_fail(
            r, ERR_RANGE, "/phone",
            "no texts are sent there: eleven digits, or + with a country that is served");
    return 0;
}

/* The provider has answered, or nobody has: then the code may be under way, and stays good. */
static int code_sent(struct request *r)
{
    struct api_CodeOut out = {.sent = true};

    r->retry_s = TEXT_RETRY_S;
    return r->reply_err != 0 ? r->reply_err : req_json(r, &api_CodeOut_type, &out);
}

int auth_code(struct request *r)
{
    const struct api_CodeIn *in = r->in;
    struct web *w = r->web;
    struct api_CodeOut out = {.sent = true};
    struct str phone = phone_plain(in->phone);
    char digits[7];
    int err;

    if (r->resumed)
        return code_sent(r);
    err = code_fit(r, phone);
    if (err != 0)
        return err;
    web_lock(w);
    err = code_make(r, phone, digits);
    web_unlock(w);
    if (err != 0)
        return err;
    if (w->cfg.demo) {
        out.demo_code = req_copy(r, str_from_c(digits));
        out.has.demo_code = true;
        err = req_json(r, &api_CodeOut_type, &out);
    } else {
        struct web_text t = {.cause = r->cause,
                             .phone = req_copy_c(r, phone),
                             .code = digits,
                             .minutes = (int32_t)(CODE_LIFE_NS / INT64_C(60000000000))};

        err = req_text_send(r, &t, STEP_TEXTED);
    }
    crypto_wipe(digits, sizeof(digits));
    return err;
}

int texts_get(struct request *r)
{
    struct web *w = r->web;
    const struct web_texts *texts = w->cfg.texts;
    struct web_text_state s = {.ready = w->cfg.demo, .kind = ""};
    struct api_Texts out = {.demo = w->cfg.demo};

    if (texts != NULL)
        texts->state(texts->ctx, &s);
    out.per_hour = texts != NULL ? texts->per_hour : 0;
    web_lock(w);
    out.last_hour = hourly_sum(&w->hourly, os_mono_ns());
    web_unlock(w);
    out.ready = s.ready;
    out.kind = str_from_c(s.kind);
    out.problem = str_from_c(s.problem);
    out.sent = (int64_t)s.sent;
    out.refused = (int64_t)s.refused;
    out.unknown = (int64_t)s.unknown;
    return req_json(r, &api_Texts_type, &out);
}

/* A wrong guess at a phone without a code opens nothing: it counts for who guessed only, or anybody
 * could keep a driver out. */
static int code_check(struct request *r)
{
    const struct api_CodeLoginIn *in = r->in;
    struct web *w = r->web;
    struct str phone = phone_plain(in->phone);
    int err;

    web_lock(w);
    err = day_over(r, DAILY_GUESS_PHONE, DAILY_GUESS_NET, phone);
    if (err == 0) {
        err = codes_check(&w->codes, req_copy_c(r, phone), in->code, os_mono_ns());
        if (err == ERR_LOGIN_FAILED)
            day_count(r, DAILY_GUESS_PHONE, DAILY_GUESS_NET, phone);
        else if (err == ERR_NOT_FOUND)
            daily_count(&w->daily, DAILY_GUESS_NET, req_net(r), os_now_ms());
    }
    web_unlock(w);
    return err == ERR_NOT_FOUND ? ERR_LOGIN_FAILED : err;
}

static int tenant_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct actor *a = ctx;

    (void)n;
    str_copy(a->tenant_name, sizeof(a->tenant_name), v[0].s);
    str_copy(a->currency, sizeof(a->currency), v[1].s);
    str_copy(a->zone, sizeof(a->zone), v[2].s);
    a->tenant_quota_s = (int32_t)v[3].i;
    return 0;
}

struct operators {
    int64_t n, last;
};

static int operator_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct operators *all = ctx;

    (void)n;
    all->n++;
    all->last = v[0].i;
    return 0;
}

/* Whose customer the driver is, or becomes: as said, else the only operator that there is. */
static int operator_choose(struct request *r, int64_t *tenant)
{
    const struct api_CodeLoginIn *in = r->in;
    struct operators all = {0};
    int err;

    *tenant = in->tenant;
    if (in->has.tenant)
        return 0;
    err = req_query(r, QUERY_OPERATORS, NULL, 0, operator_take, &all);
    *tenant = all.last;
    if (err == 0 && all.n > 1)
        return req_fail(r, ERR_REQUIRED, "/tenant", "there are several operators: say which");
    return err;
}

static int code_begin(struct request *r)
{
    const struct api_CodeLoginIn *in = r->in;
    struct login *l = ARENA_NEW(&r->arena, struct login);
    struct actor *a;
    struct str phone;
    struct bind id;
    struct cmd *cmd;
    int err;

    if (l == NULL)
        return ERR_TOO_LARGE;
    r->ctx = l;
    a = &l->person.actor;
    phone = phone_plain(in->phone);
    if (!phone_good(phone))
        return req_fail(r, ERR_RANGE, "/phone", "digits, with an optional + in front");
    err = login_quota(r, phone);
    if (err != 0)
        return err;
    err = operator_choose(r, &a->tenant);
    id = BIND_I64("id", a->tenant);
    if (err == 0)
        err = req_query(r, QUERY_WEB_TENANT_FACTS, &id, 1, tenant_take, a);
    if (err == ERR_NOT_FOUND)
        return req_fail(r, ERR_RANGE, "/tenant", "no such operator");
    if (err == 0)
        err = code_check(r);
    if (err != 0)
        return err;
    a->kind = ACTOR_DRIVER;
    a->role = ROLE_DRIVER;
    str_copy(l->person.hash, sizeof(l->person.hash), phone);
    cmd = req_cmd(r, CMD_REGISTER_DRIVER, CMD_SIZE(register_driver));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->head.tenant = a->tenant;
    cmd->head.actor_kind = ACTOR_SYSTEM;
    str_copy(cmd->u.register_driver.phone, sizeof(cmd->u.register_driver.phone), phone);
    return req_submit(r, cmd, STEP_DRIVER);
}

static int driver_name_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct actor *a = ctx;

    (void)n;
    str_copy(a->name, sizeof(a->name), v[0].s);
    return 0;
}

int auth_code_login(struct request *r)
{
    struct login *l = r->ctx;
    struct bind id;
    int err;

    if (r->step != STEP_BEGIN && r->reply_err != 0)
        return r->reply_err;
    switch (r->step) {
    case STEP_BEGIN:
        return code_begin(r);
    case STEP_DRIVER:
        l->person.id = l->person.actor.id = r->made.id;
        id = BIND_I64("id", r->made.id);
        err = req_query(r, QUERY_WEB_DRIVER_NAME, &id, 1, driver_name_take, &l->person.actor);
        return err != 0 ? err : session_make(r, l);
    default:
        return session_made(r, l);
    }
}
