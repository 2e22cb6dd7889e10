// SPDX-License-Identifier: Apache-2.0
/* tape_web.c: requests of browsers and programs, without sockets: the head (path, query string,
 * percent signs, route) as a stranger asks it, and any text as the body of any route. A path that
 * was decoded and is written again in percent signs names the same thing; every refusal is a problem
 * that its own type can read; a body that was read encodes to itself. */
#include "tape.h"

#include <stdlib.h>
#include "base/err.h"
#include "web/api_gen.h"
#include "web/begin.h"
#include "web/state.h"

enum { TARGET_MAX = 4096, MEMORY = 4 << 20, RATE = 1000000 };

static struct web *front(void)
{
    static struct web *w;
    void *self;
    if (w)
        return w;
    w = calloc(1, sizeof *w);
    must(w);
    self = w;
    w->cfg.rate_s = RATE;
    must(os_pool_new(&self, 1, &w->guard) == 0);
    must(quotas_init(&w->quotas, 1) == 0);
    return w;
}

static struct request *request_new(struct str target)
{
    struct request *r = calloc(1, sizeof *r);
    must(r);
    r->web = front();
    arena_init(&r->arena, WEB_ARENA_MAX);
    buf_init(&r->body, WEB_BODY_MAX);
    buf_init(&r->out, WEB_OUT_MAX);
    str_copy(r->address, sizeof r->address, STR_LIT("192.0.2.1"));
    r->target = req_copy(r, target);
    return r;
}

static void request_free(struct request *r)
{
    buf_free(&r->body);
    buf_free(&r->out);
    arena_free(&r->arena);
    free(r);
}

static void plain(struct str s)
{
    must(str_utf8_valid(s));
    for (size_t i = 0; i < s.n; i++)
        must((uint8_t)s.p[i] >= 0x20 && s.p[i] != 0x7f);
}

/* The same path, every byte but the slashes between segments in percent signs. */
static void asked_again(const struct request *r, struct str method)
{
    struct str query = r->target, raw = str_cut(&query, '?');
    struct buf b;
    buf_init(&b, 16 * TARGET_MAX);
    for (size_t i = 0; i < r->path.n; i++)
        buf_printf(&b, r->path.p[i] == '/' ? "/" : "%%%02x", (uint8_t)r->path.p[i]);
    if (raw.n < r->target.n)
        buf_put_char(&b, '?');
    buf_put_str(&b, query);
    must(!b.err);
    struct request *again = request_new(buf_str(&b));
    begin_head(again, method);
    must(again->begin_err == r->begin_err && again->route == r->route);
    must(str_eq(again->path, r->path) && str_eq(again->param, r->param));
    must(again->args_n == r->args_n && again->page == r->page);
    for (uint32_t i = 0; i < r->args_n; i++)
        must(str_eq(again->args[i].name, r->args[i].name) &&
             str_eq(again->args[i].value, r->args[i].value));
    request_free(again);
    buf_free(&b);
}

static void problem(struct request *r)
{
    struct arena a;
    struct api_Problem p;
    begin_run(r);
    arena_init(&a, MEMORY);
    must(r->status >= 400 && r->status <= 599);
    must(wire_json_decode(&api_Problem_type, buf_str(&r->out), &a, &p, WIRE_STRICT, NULL) == 0);
    must(p.status == r->status);
    arena_free(&a);
}

static void head(struct str text)
{
    struct str target = text, method = str_cut(&target, ' ');
    if (target.n > TARGET_MAX || (target.n && memchr(target.p, 0, target.n)))
        return;
    struct request *r = request_new(target);
    begin_head(r, method);
    plain(r->param);
    for (uint32_t i = 0; i < r->args_n; i++) {
        plain(r->args[i].name);
        plain(r->args[i].value);
    }
    if (r->begin_err != ERR_SYNTAX || r->route) {
        plain(r->path);
        asked_again(r, method);
    }
    if (r->begin_err)
        problem(r);
    else if (r->page || r->options)
        begin_run(r);
    request_free(r);
}

/* The engine's side of a body; what a handler makes of it is the API's tests' business. */
static void body(uint8_t which, struct str text)
{
    struct arena a;
    struct buf one, two;
    struct wire_error e;
    const struct wire_type *t = api_proto.type[which % api_proto.type_n];
    arena_init(&a, MEMORY);
    buf_init(&one, MEMORY);
    buf_init(&two, MEMORY);
    void *object = arena_alloc(&a, t->size), *copy = arena_alloc(&a, t->size);
    must(object && copy);
    if (wire_json_decode(t, text, &a, object, WIRE_STRICT, &e) == 0) {
        must(str_utf8_valid(text));
        if (wire_json_encode(t, object, &one) == 0) {
            must(wire_json_decode(t, buf_str(&one), &a, copy, WIRE_STRICT, NULL) == 0);
            must(wire_json_encode(t, copy, &two) == 0 && str_eq(buf_str(&one), buf_str(&two)));
        }
    }
    buf_free(&one);
    buf_free(&two);
    arena_free(&a);
}

int tape_web(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    if (n > 0 && *p == '{') {
        (void)tape_byte(&t);
        uint8_t which = tape_byte(&t);
        body(which, tape_rest(&t));
    } else {
        head(tape_rest(&t));
    }
    return 0;
}
