// SPDX-License-Identifier: Apache-2.0
/* rail.c: see rail.h: the rails as one, and what their kinds share. Data: struct rail, constant once
 * it is made. */
#include "rail/rail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/must.h"
#include "rail/port.h"

enum { ZONE_CHINA_MS = 8 * 3600 * 1000 };

/* ---- rails ---- */

static const struct rail_port *port_of(int32_t kind)
{
    switch (kind) {
    case CHANNEL_WECHAT:
        return &rail_wechat;
    case CHANNEL_ALIPAY:
        return &rail_alipay;
    case CHANNEL_RAIL:
        return &rail_alloc;
    default:
        return NULL;
    }
}

static int wants(const struct rail *r, char why[160])
{
    const char *missing = NULL;
    if (r->port->wants_secret && !r->keys.has_secret)
        missing = "secret";
    else if (r->port->wants_serial && !r->keys.own_serial[0])
        missing = "merchant.serial";
    if (missing)
        snprintf(why, 160, "%s: %s", missing, err_text(ERR_NOT_FOUND, LANG_EN));
    return missing ? ERR_NOT_FOUND : 0;
}

int rail_new(const struct rail_config *c, struct rail **out, char why[160])
{
    const struct rail_port *port = port_of(c->kind);
    why[0] = 0;
    if (!port)
        return ERR_UNSUPPORTED;
    struct rail *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->port = port;
    r->channel = c->channel;
    (void)str_copy(r->url, sizeof r->url, str_from_c(c->url[0] ? c->url : port->public_url));
    (void)str_copy(r->app, sizeof r->app, str_from_c(c->app));
    (void)str_copy(r->merchant, sizeof r->merchant, str_from_c(c->merchant));
    (void)str_copy(r->notify_url, sizeof r->notify_url, str_from_c(c->notify_url));
    int err = rail_keys_load(c->keys, &r->keys, why);
    if (!err)
        err = wants(r, why);
    if (err) {
        rail_free(r);
        return err;
    }
    *out = r;
    return 0;
}

void rail_free(struct rail *r)
{
    if (!r)
        return;
    rail_keys_free(&r->keys);
    free(r);
}

bool rail_knows(const struct rail *r, struct str serial)
{
    return rail_keys_find(&r->keys, serial) != NULL;
}

/* ---- requests ---- */

void rail_request_free(struct rail_request *q)
{
    buf_free(&q->url);
    buf_free(&q->body);
    buf_free(&q->text);
}

static void request_reset(struct rail_request *q, const char *nonce)
{
    struct buf *all[] = {&q->url, &q->body, &q->text};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->cap == 0)
            buf_init(all[i], RAIL_TEXT_MAX);
        else
            buf_reset(all[i]);
    (void)str_copy(q->nonce, sizeof q->nonce, str_from_c(nonce));
    memset(q->headers, 0, sizeof q->headers);
}

void rail_request_begin(const struct rail *r, struct rail_request *q, const char *method,
                        const char *path)
{
    q->method = method;
    buf_put_c(&q->url, r->url);
    buf_put_c(&q->url, path);
}

void rail_request_header(struct rail_request *q, const char *name, struct str value)
{
    buf_printf(&q->text, "%s: ", name);
    buf_put_str(&q->text, value);
    buf_put_char(&q->text, 0);
}

int rail_request_end(const struct rail_request *q)
{
    return q->url.err ? q->url.err : q->body.err ? q->body.err : q->text.err;
}

struct str rail_request_path(const struct rail *r, const struct rail_request *q)
{
    struct str url = buf_str(&q->url);
    size_t skip = strlen(r->url);
    const char *slash = strstr(r->url, "://");
    slash = slash ? strchr(slash + 3, '/') : NULL; /* the address itself may have a path */
    if (slash)
        skip = (size_t)(slash - r->url);
    return str_from(url.p + skip, url.n - skip);
}

/* The lines stand one behind the other; now that they move no more, they are pointed at. */
static int request_finish(struct rail_request *q)
{
    size_t n = 0;
    int err;
    buf_put_char(&q->url, 0);
    err = rail_request_end(q);
    if (err)
        return err;
    q->url.n--;
    for (size_t at = 0; at < q->text.n; at += strlen(q->text.p + at) + 1) {
        must(n + 1 < RAIL_HEADERS_MAX);
        q->headers[n++] = q->text.p + at;
    }
    return 0;
}

static void result_begin(const struct out_pay *ask, struct cmd_pay_result *out)
{
    *out = (struct cmd_pay_result){.row = ask->row,
                                   .channel = ask->channel,
                                   .op = ask->op,
                                   .state = PAY_UNKNOWN,
                                   .amount = -1};
}

int rail_ask(const struct rail *r, const struct out_pay *ask, int64_t now_ms,
             const char nonce[RAIL_NONCE_SIZE], struct rail_request *q, struct cmd_pay_result *out)
{
    result_begin(ask, out);
    request_reset(q, nonce);
    int err = r->port->ask(r, ask, now_ms, q, out);
    return err ? err : request_finish(q);
}

int rail_answer(const struct rail *r, const struct out_pay *ask, const struct rail_request *q,
                const struct rail_reply *a, struct cmd_pay_result *out)
{
    struct arena m;
    arena_init(&m, RAIL_ARENA_MAX);
    result_begin(ask, out);
    int err = r->port->answer(r, ask, q, a, &m, out);
    arena_free(&m);
    if (err < 0)
        rail_set(out, PAY_UNKNOWN, err);
    return err > 0;
}

void rail_no_answer(const struct out_pay *ask, int err, struct cmd_pay_result *out)
{
    result_begin(ask, out);
    out->err = err;
}

bool rail_is_refusal(const struct out_pay *ask, const struct cmd_pay_result *out)
{
    return out->state == PAY_FAILED &&
           (ask->op == PAY_TRANSFER || ask->op == PAY_REFUND || ask->op == PAY_ACCOUNT_OPEN ||
            ask->op == PAY_SHARE || ask->op == PAY_RETURN);
}

/* ---- notices ---- */

const char *rail_refusal_name(enum rail_refusal why)
{
    static const char *const names[RAIL_REFUSALS] = {
        "taken",         "bad-form",   "stale",    "unknown-key",
        "bad-signature", "bad-cipher", "not-ours", "replayed",
    };
    return names[why];
}

enum rail_refusal rail_notice(const struct rail *r, const struct rail_reply *in,
                              struct rail_told *told)
{
    struct arena m;
    arena_init(&m, RAIL_ARENA_MAX);
    *told = (struct rail_told){
        .result = {.channel = r->channel, .op = PAY_NOTICE, .state = PAY_PENDING, .amount = -1}};
    enum rail_refusal why = r->port->notice(r, in, &m, told);
    if (why == RAIL_TAKEN && told->result.row == 0)
        why = RAIL_NOT_OURS;
    arena_free(&m);
    return why;
}

struct str rail_notice_thanks(const struct rail *r)
{
    return r->port->thanks;
}

/* ---- bills ---- */

int rail_bill(const struct rail *r, enum bill_kind kind, struct str day, int64_t now_ms,
              const char nonce[RAIL_NONCE_SIZE], struct rail_request *q)
{
    request_reset(q, nonce);
    int err = r->port->bill(r, kind, day, now_ms, q);
    return err ? err : request_finish(q);
}

int rail_bill_answer(const struct rail *r, const struct rail_request *q, const struct rail_reply *a,
                     const char nonce[RAIL_NONCE_SIZE], struct rail_request *next, char hash[80])
{
    struct arena m;
    arena_init(&m, RAIL_ARENA_MAX);
    request_reset(next, nonce);
    hash[0] = 0;
    int err = r->port->bill_answer(r, q, a, &m, next, hash);
    arena_free(&m);
    return err ? err : request_finish(next);
}

/* ---- what the kinds share ---- */

int64_t rail_row_of(struct str no)
{
    int64_t row = 0;
    if (no.n < 2 || no.n > 20 || !memchr("PWASU", no.p[0], 5) || no.p[1] < '1' || no.p[1] > '9')
        return 0;
    return str_to_i64(str_from(no.p + 1, no.n - 1), &row) == 0 ? row : 0;
}

struct str rail_time_text(struct arena *m, int64_t ms, bool rfc)
{
    struct civil c;
    civil_from_ms(ms + ZONE_CHINA_MS, &c);
    return arena_printf(m, "%04d-%02d-%02d%c%02d:%02d:%02d%s", (int)c.year, c.month, c.day,
                        rfc ? 'T' : ' ', c.hour, c.minute, c.second, rfc ? "+08:00" : "");
}

struct str rail_yuan_text(struct arena *m, int64_t amount)
{
    return arena_printf(m, "%" PRId64 ".%02d", amount / MONEY_UNIT,
                        (int)(amount % MONEY_UNIT / MONEY_FEN));
}

int64_t rail_yuan_read(struct str text)
{
    struct money v;
    return money_parse(text, &v) == 0 && v.v >= 0 ? v.v : -1;
}

void rail_set(struct cmd_pay_result *out, enum pay_state state, int err)
{
    out->state = (int32_t)state;
    out->err = err;
}

void rail_set_text(char *dst, size_t size, struct str s)
{
    (void)str_copy(dst, size, s);
}

void rail_set_done(struct cmd_pay_result *out, int64_t amount, struct str currency,
                   struct str provider_no)
{
    rail_set(out, PAY_DONE, 0);
    out->amount = amount;
    rail_set_text(out->currency, sizeof out->currency, currency);
    rail_set_text(out->provider_no, sizeof out->provider_no, provider_no);
}
