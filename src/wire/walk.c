// SPDX-License-Identifier: Apache-2.0
/* walk.c: see walk.h. Data: the walk's own state on the stack. Values of binary fields are shown by
 * show.c through the engine's decoder, one field at a time. */
#include "wire/walk.h"

#include <stdio.h>

#include "wire/json.h"

enum { PATH = 160, VALUE = 600 };

struct path {
    char text[PATH];
    size_t n;
};

/* Appends and gives the length before, for path_cut. What finds no room is left out. */
static size_t path_add(struct path *p, struct str name)
{
    size_t was = p->n;
    if (p->n + name.n + 2 < PATH) {
        if (p->n > 0)
            p->text[p->n++] = '.';
        memcpy(p->text + p->n, name.p, name.n);
        p->n += name.n;
    }
    return was;
}

static size_t path_index(struct path *p, uint32_t i)
{
    size_t was = p->n;
    int n = snprintf(p->text + p->n, PATH - p->n, "[%u]", i);
    if (n > 0 && p->n + (size_t)n < PATH)
        p->n += (size_t)n;
    return was;
}

/* ---- JSON ---- */

struct json_walk {
    struct json_reader r;
    struct arena *a;
    struct path path;
    wire_leaf_fn *fn;
    void *ctx;
};

static int json_value(struct json_walk *w, const struct wire_type *t, const struct wire_field *f,
                      int depth);

static const struct wire_field *member_find(const struct wire_type *t, struct str name)
{
    for (uint16_t i = 0; t && i < t->n; i++)
        if (str_eq(name, str_from(t->field[i].name, t->field[i].name_n)))
            return &t->field[i];
    return NULL;
}

static int json_leaf(struct json_walk *w, const struct wire_field *f)
{
    struct str value;
    char c = json_peek(&w->r);
    size_t at = w->r.pos;
    int err = c == '"' ? json_string(&w->r, w->a, &value) : json_skip(&w->r, 1, &value);
    if (err)
        return err;
    const struct wire_leaf leaf = {.field = f,
                                   .path = str_from(w->path.text, w->path.n),
                                   .at = at,
                                   .n = w->r.pos - at,
                                   .value = value};
    return w->fn(w->ctx, &leaf);
}

static int json_members(struct json_walk *w, const struct wire_type *t, int depth)
{
    struct str name;
    if (json_take(&w->r, '}'))
        return 0;
    do {
        int err = json_string(&w->r, w->a, &name);
        if (err || !json_take(&w->r, ':'))
            return err ? err : ERR_SYNTAX;
        const struct wire_field *f = member_find(t, name);
        size_t was = path_add(&w->path, name);
        err = json_value(w, f && f->kind == WIRE_TYPE ? f->type : NULL, f, depth - 1);
        w->path.n = was;
        if (err)
            return err;
    } while (json_take(&w->r, ','));
    return json_take(&w->r, '}') ? 0 : ERR_SYNTAX;
}

static int json_items(struct json_walk *w, const struct wire_type *t, const struct wire_field *f,
                      int depth)
{
    if (json_take(&w->r, ']'))
        return 0;
    uint32_t i = 0;
    do {
        size_t was = path_index(&w->path, i++);
        int err = json_value(w, t, f, depth - 1);
        w->path.n = was;
        if (err)
            return err;
    } while (json_take(&w->r, ','));
    return json_take(&w->r, ']') ? 0 : ERR_SYNTAX;
}

/* Recursion of the message decoder: bounded by depth. */
static int json_value(struct json_walk *w, const struct wire_type *t, const struct wire_field *f,
                      int depth)
{
    if (depth == 0)
        return ERR_SYNTAX;
    if (json_take(&w->r, '{'))
        return json_members(w, t, depth);
    if (json_take(&w->r, '['))
        return json_items(w, t, f, depth);
    return json_leaf(w, f);
}

int wire_json_walk(const struct wire_type *t, struct str json, struct arena *a, wire_leaf_fn *fn,
                   void *ctx)
{
    struct json_walk w = {.a = a, .fn = fn, .ctx = ctx};
    json_reader_init(&w.r, json);
    return json_value(&w, t, NULL, WIRE_DEPTH);
}

/* ---- frame bodies ---- */

struct bin_walk {
    struct str body;
    size_t at;
    struct path path;
    wire_leaf_fn *fn;
    void *ctx;
};

static int bin_type(struct bin_walk *w, const struct wire_type *t);

/* One value through the decoder and its picture: {"name":value}, of which the value is cut out. */
static struct str value_show(const struct wire_field *f, struct str bytes, struct buf *out)
{
    union {
        int64_t align;
        char room[VALUE];
    } in;
    struct wire_field one = *f;
    one.flags = 0;
    one.has = one.count = one.offset = 0;
    const struct wire_type t = {"one", &one, 1, f->size};
    buf_reset(out);
    if (f->size > sizeof in || wire_bin_decode(&t, bytes, &in, NULL) != 0)
        return STR_NONE;
    wire_bin_show(&t, &in, out);
    struct str text = buf_str(out);
    size_t from = (size_t)f->name_n + 4; /* {"": */
    if (out->err || text.n < from + 1)
        return STR_NONE;
    text = str_from(text.p + from, text.n - from - 1);
    return text.n >= 2 && text.p[0] == '"' ? str_from(text.p + 1, text.n - 2) : text;
}

static int bin_leaf(struct bin_walk *w, const struct wire_field *f, size_t n)
{
    struct buf shown;
    buf_init(&shown, VALUE * 2);
    struct wire_leaf leaf = {
        .field = f, .path = str_from(w->path.text, w->path.n), .at = w->at, .n = n};
    if (f)
        leaf.value = value_show(f, str_from(w->body.p + w->at, n), &shown);
    w->at += n;
    int err = w->fn(w->ctx, &leaf);
    buf_free(&shown);
    return err;
}

static int bin_one(struct bin_walk *w, const struct wire_field *f)
{
    if (f->kind == WIRE_TYPE)
        return bin_type(w, f->type);
    if (w->body.n - w->at < f->width)
        return ERR_SYNTAX;
    if (f->kind == WIRE_PAD) {
        w->at += f->width;
        return 0;
    }
    return bin_leaf(w, f, f->width);
}

static int bin_array(struct bin_walk *w, const struct wire_field *f)
{
    uint32_t n = f->max_n;
    if (f->flags & WIRE_COUNTED) {
        if (w->at == w->body.n)
            return ERR_SYNTAX;
        n = (uint8_t)w->body.p[w->at++];
    }
    for (uint32_t i = 0; i < n && !((f->flags & WIRE_REST) && w->at == w->body.n); i++) {
        size_t was = path_index(&w->path, i);
        int err = bin_one(w, f);
        w->path.n = was;
        if (err)
            return err;
    }
    return 0;
}

static int bin_type(struct bin_walk *w, const struct wire_type *t)
{
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        if ((f->flags & WIRE_OPTIONAL) && w->at == w->body.n)
            continue;
        size_t was = path_add(&w->path, str_from(f->name, f->name_n));
        int err = f->flags & WIRE_ARRAY ? bin_array(w, f) : bin_one(w, f);
        w->path.n = was;
        if (err)
            return err;
    }
    return 0;
}

int wire_bin_walk(const struct wire_type *t, struct str body, wire_leaf_fn *fn, void *ctx)
{
    struct bin_walk w = {.body = body, .fn = fn, .ctx = ctx};
    int err = t ? bin_type(&w, t) : 0;
    if (!err && w.at < body.n)
        err = bin_leaf(&w, NULL, body.n - w.at);
    return err;
}
