// SPDX-License-Identifier: Apache-2.0
/* texts.c: see texts.h: senders as one, their keys, and what their kinds share. Data: struct texts,
 * constant once it is made. Fails as a whole: a sender without its keys is none. */
#include "texts/texts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/must.h"
#include "io/net/fetch.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "texts/port.h"

enum { PATH_SIZE = 400, FILE_MAX = 4096, ARENA_MAX = 64 * 1024, PHONE_LEAST = 7, MAINLAND = 11 };

static const struct texts_port *const ports[TEXTS_KINDS] = {
    [TEXTS_HOOK] = &texts_hook, [TEXTS_ALIYUN] = &texts_aliyun, [TEXTS_TENCENT] = &texts_tencent};

/* ---- settings ---- */

int texts_kind_find(struct str name, int32_t *out)
{
    *out = TEXTS_NONE;
    for (int32_t i = TEXTS_HOOK; i < TEXTS_KINDS; i++)
        if (str_eq_c(name, ports[i]->name))
            *out = i;
    return name.n == 0 || *out != TEXTS_NONE ? 0 : ERR_RANGE;
}

static int told(char why[160], int err, const char *name)
{
    if (err)
        snprintf(why, 160, "%s: %s", name, err_text(err, LANG_EN));
    return err;
}

const char *texts_param_name(enum text_param p)
{
    static const char *const names[PARAMS] = {"code",     "minutes", "station", "energy", "amount",
                                              "currency", "reason",  "time",    "until",  "order"};
    return names[p];
}

enum { OF_STAY = 1 << PARAM_STATION | 1 << PARAM_ORDER };
enum { OF_FEE = OF_STAY | 1 << PARAM_TIME | 1 << PARAM_AMOUNT | 1 << PARAM_CURRENCY };
enum { OF_CHARGE = OF_FEE | 1 << PARAM_ENERGY | 1 << PARAM_REASON };

static const struct {
    const char *name, *template, *params; /* its settings */
    int has;
} kinds[TEXT_KINDS] = {
#define KIND(name, has)                                                                            \
    {                                                                                              \
        name, "texts.template." name, "texts.template." name ".params", has                        \
    }
    [TEXT_CODE] = KIND("code", 1 << PARAM_CODE | 1 << PARAM_MINUTES),
    [TEXT_ENDED] = KIND("ended", OF_CHARGE),
    [TEXT_NEAR] = KIND("near", OF_STAY | 1 << PARAM_MINUTES | 1 << PARAM_UNTIL),
    [TEXT_FEE] = KIND("fee", OF_FEE),
    [TEXT_RUNS] = KIND("runs", OF_FEE),
    [TEXT_DOUBT] = KIND("doubt", OF_CHARGE | 1 << PARAM_UNTIL),
#undef KIND
};

const char *texts_kind_name(enum text_kind kind)
{
    return kinds[kind].name;
}

bool texts_kind_has(enum text_kind kind, enum text_param p)
{
    return (kinds[kind].has & 1 << p) != 0;
}

static int params_read(const char *text, enum text_kind kind, struct texts_template *out)
{
    struct str rest = str_from_c(text);
    for (out->params_n = 0; rest.n; out->params_n++) {
        struct str one = str_trim(str_cut(&rest, ','));
        uint8_t p = 0;
        while (p < PARAMS && !str_eq_c(one, texts_param_name(p)))
            p++;
        if (p == PARAMS || !texts_kind_has(kind, p) || out->params_n == TEXTS_PARAMS_MAX)
            return ERR_SYNTAX;
        out->param[out->params_n] = p;
    }
    /* A text without the code would cost money and open nothing. */
    bool useless =
        kind == TEXT_CODE && (!out->params_n || !memchr(out->param, PARAM_CODE, out->params_n));
    return useless ? ERR_SYNTAX : 0;
}

static int template_check(const struct texts_config *c, enum text_kind kind, char why[160])
{
    struct texts_template m;
    if (strlen(c->template[kind]) >= sizeof m.name)
        return told(why, ERR_TOO_LARGE, kinds[kind].template);
    return told(why, params_read(c->params[kind], kind, &m), kinds[kind].params);
}

int texts_config_check(const struct texts_config *c, char why[160])
{
    int err = 0;
    why[0] = 0;
    if (c->kind <= TEXTS_NONE || c->kind >= TEXTS_KINDS)
        return told(why, ERR_RANGE, "texts.kind");
    const struct texts_port *p = ports[c->kind];
    const struct {
        bool wanted;
        const char *value, *name;
        size_t most;
    } rows[] = {
        {p->wants_url, c->url, "texts.url", sizeof((struct texts *)0)->url},
        {p->wants_app, c->app, "texts.app", sizeof((struct texts *)0)->app},
        {false, c->region, "texts.region", sizeof((struct texts *)0)->region},
        {p->wants_sign, c->sign, "texts.sign", sizeof((struct texts *)0)->sign},
        {p->wants_template, c->template[TEXT_CODE], kinds[TEXT_CODE].template, SIZE_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].wanted && !rows[i].value[0])
            return told(why, ERR_REQUIRED, rows[i].name);
        if (strlen(rows[i].value) >= rows[i].most)
            return told(why, ERR_TOO_LARGE, rows[i].name);
    }
    if (c->url[0] && (!fetch_url_ok(c->url) || strchr(c->url, '?') || strchr(c->url, '#')))
        return told(why, ERR_RANGE, "texts.url");
    for (int kind = 0; kind < TEXT_KINDS && !err; kind++)
        err = template_check(c, (enum text_kind)kind, why);
    return err;
}

/* ---- keys ---- */

/* Reads a file that only its owner may read. */
static int key_read(const char *dir, const char *name, size_t least, char *out, size_t size)
{
    char path[PATH_SIZE];
    struct buf b;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || n >= (int)sizeof path)
        return ERR_TOO_LARGE;
    if (!file_exists(path))
        return ERR_NOT_FOUND;
    if (!file_private(path))
        return ERR_DENIED;
    buf_init(&b, FILE_MAX);
    int err = file_read(path, FILE_MAX, &b);
    struct str text = str_trim(buf_str(&b));
    if (!err && (text.n < least || text.n >= size))
        err = ERR_RANGE;
    for (size_t i = 0; !err && i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f)
            err = ERR_SYNTAX; /* it goes into a header line */
    if (!err)
        (void)str_copy(out, size, text);
    crypto_wipe(b.p, b.n);
    buf_free(&b);
    return err;
}

int texts_new(const struct texts_config *c, struct texts **out, char why[160])
{
    int err = texts_config_check(c, why);
    if (err)
        return err;
    struct texts *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->port = ports[c->kind];
    struct str url = str_from_c(c->url[0] ? c->url : t->port->public_url);
    if (!t->port->wants_url && url.p[url.n - 1] == '/')
        url.n--; /* the clouds' path is always "/" */
    (void)str_copy(t->url, sizeof t->url, url);
    (void)str_copy(t->app, sizeof t->app, str_from_c(c->app));
    (void)str_copy(t->region, sizeof t->region, str_from_c(c->region));
    (void)str_copy(t->sign, sizeof t->sign, str_from_c(c->sign));
    for (int kind = 0; kind < TEXT_KINDS && !err; kind++) {
        struct texts_template *m = &t->template[kind];
        (void)str_copy(m->name, sizeof m->name, str_from_c(c->template[kind]));
        err = params_read(c->params[kind], (enum text_kind)kind, m);
    }
    if (!err)
        err =
            told(why, key_read(c->keys, "secret", TEXTS_SECRET_LEAST, t->secret, sizeof t->secret),
                 "secret");
    if (!err && t->port->wants_id)
        err = told(why, key_read(c->keys, "id", 1, t->id, sizeof t->id), "id");
    if (err) {
        texts_free(t);
        return err;
    }
    *out = t;
    return 0;
}

void texts_free(struct texts *t)
{
    if (!t)
        return;
    crypto_wipe(t, sizeof *t);
    free(t);
}

/* ---- phones ---- */

static bool country_served(struct str digits, const char *countries)
{
    struct str rest = str_from_c(countries);
    while (rest.n) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (str_eq_c(one, "*") || (one.n && str_starts(digits, one)))
            return true;
    }
    return false;
}

int texts_phone(struct str typed, const char *countries, char out[TEXTS_PHONE_SIZE])
{
    bool plus = typed.n && typed.p[0] == '+';
    struct str digits = plus ? str_from(typed.p + 1, typed.n - 1) : typed;
    char all[TEXTS_PHONE_SIZE];
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return ERR_RANGE;
    bool mainland = !plus && digits.n == MAINLAND && digits.p[0] == '1';
    if ((!plus && !mainland) || digits.n < PHONE_LEAST || digits.n > 15 || digits.p[0] == '0')
        return ERR_RANGE;
    snprintf(all, sizeof all, "+%s%.*s", mainland ? "86" : "", STR_FMT(digits));
    struct str number = str_from_c(all + 1);
    if (str_starts(number, STR_LIT("86")) && (number.n != 2 + MAINLAND || number.p[2] != '1'))
        return ERR_RANGE;
    if (!country_served(number, countries))
        return ERR_RANGE;
    memcpy(out, all, sizeof all);
    return 0;
}

/* ---- requests ---- */

void texts_request_wipe(struct texts_request *q)
{
    struct buf *all[] = {&q->url, &q->body, &q->text};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i]->p)
            crypto_wipe(all[i]->p, all[i]->size);
        if (all[i]->cap == 0)
            buf_init(all[i], TEXTS_MAX);
        else
            buf_reset(all[i]);
    }
    memset(q->headers, 0, sizeof q->headers);
}

void texts_request_free(struct texts_request *q)
{
    struct buf *all[] = {&q->url, &q->body, &q->text};
    texts_request_wipe(q);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_free(all[i]);
}

void texts_header(struct texts_request *q, const char *name, struct str value)
{
    buf_printf(&q->text, "%s: ", name);
    buf_put_str(&q->text, value);
    buf_put_char(&q->text, 0);
}

/* The lines stand one behind the other; now that they move no more, they are pointed at. */
static int request_finish(struct texts_request *q)
{
    size_t n = 0;
    buf_put_char(&q->url, 0);
    int err = q->url.err ? q->url.err : q->body.err ? q->body.err : q->text.err;
    if (err)
        return err;
    q->url.n--;
    for (size_t at = 0; at < q->text.n; at += strlen(q->text.p + at) + 1) {
        must(n + 1 < TEXTS_HEADERS_MAX);
        q->headers[n++] = q->text.p + at;
    }
    return 0;
}

bool texts_sends(const struct texts *t, enum text_kind kind)
{
    return !t->port->wants_template || t->template[kind].name[0];
}

int texts_ask(const struct texts *t, const struct text *x, int64_t now_ms,
              const char nonce[TEXTS_NONCE_SIZE], struct texts_request *q)
{
    texts_request_wipe(q);
    if (x->kind < 0 || x->kind >= TEXT_KINDS || !texts_sends(t, (enum text_kind)x->kind))
        return ERR_RANGE;
    q->method = "POST";
    buf_put_c(&q->url, t->url);
    int err = t->port->ask(t, x, now_ms, nonce, q);
    return err ? err : request_finish(q);
}

void texts_answer(const struct texts *t, const struct text *x, const struct texts_reply *a,
                  struct text_result *out)
{
    struct arena m;
    *out = (struct text_result){.state = TEXT_UNKNOWN};
    arena_init(&m, ARENA_MAX);
    t->port->answer(t, x, a, &m, out);
    arena_free(&m);
}

/* ---- what the kinds share ---- */

struct str texts_host(const struct texts *t)
{
    const char *from = strstr(t->url, "://");
    from = from ? from + 3 : t->url;
    return str_from(from, strcspn(from, "/"));
}

void texts_sha256_hex(struct str s, char out[65])
{
    uint8_t sum[32];
    sha256(s.p, s.n, sum);
    str_to_hex(sum, sizeof sum, out);
    out[64] = 0;
}

void texts_hmac_hex(struct str key, struct str s, char out[65])
{
    uint8_t sum[32];
    crypto_hmac_sha256(key, s, sum);
    str_to_hex(sum, sizeof sum, out);
    out[64] = 0;
}

/* A provider may put anything into a reason; what goes on to a log is a word without digits. */
void texts_set(struct text_result *out, enum text_state state, struct str reason)
{
    size_t n = 0;
    out->state = state;
    for (size_t i = 0; i < reason.n && n + 1 < sizeof out->reason; i++) {
        char c = reason.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("._-", c)))
            out->reason[n++] = c;
    }
    out->reason[n] = 0;
}

static bool begins_with(struct str code, const char *const *any)
{
    for (; *any; any++)
        if (str_starts(code, str_from_c(*any)))
            return true;
    return false;
}

void texts_set_refused(struct text_result *out, struct str code, const char *const *unsure,
                       const char *const *later)
{
    texts_set(out, begins_with(code, unsure) ? TEXT_UNKNOWN : TEXT_REFUSED, code);
    out->again = out->state == TEXT_REFUSED && begins_with(code, later);
}
