// SPDX-License-Identifier: Apache-2.0
/* form.c: see form.h. Data: the caller's. Thread: any. Fails with one error for a body that no
 * browser and no provider writes. */
#include "rail/form.h"

#include <stdlib.h>

#include "base/err.h"

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int text_read(struct str in, struct arena *a, struct str *out)
{
    char *p = arena_alloc(a, in.n + 1);
    size_t n = 0;
    if (!p)
        return ERR_NOMEM;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%') {
            int v = i + 2 < in.n ? hex_of(in.p[i + 1]) * 16 | hex_of(in.p[i + 2]) : -1;
            if (v < 0)
                return ERR_SYNTAX;
            c = (char)v;
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        p[n++] = c;
    }
    *out = str_from(p, n);
    return str_utf8_valid(*out) ? 0 : ERR_SYNTAX;
}

int form_read(struct str body, struct arena *a, struct form *f)
{
    f->n = 0;
    while (body.n) {
        struct str value = str_cut(&body, '&'), name = str_cut(&value, '=');
        if (f->n == FORM_MAX)
            return ERR_FULL;
        struct form_pair *p = &f->pair[f->n];
        int err = text_read(name, a, &p->name);
        if (!err)
            err = text_read(value, a, &p->value);
        for (size_t i = 0; !err && i < f->n; i++)
            if (str_eq(f->pair[i].name, p->name))
                err = ERR_SYNTAX;
        if (err)
            return err;
        f->n++;
    }
    return f->n ? 0 : ERR_SYNTAX;
}

struct str form_get(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq_c(f->pair[i].name, name))
            return f->pair[i].value;
    return STR_LIT("");
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct form_pair *)a)->name, ((const struct form_pair *)b)->name);
}

void form_sign_text(struct form *f, bool typed, struct buf *out)
{
    bool first = true;
    qsort(f->pair, f->n, sizeof f->pair[0], by_name);
    for (size_t i = 0; i < f->n; i++) {
        const struct form_pair *p = &f->pair[i];
        if (str_eq_c(p->name, "sign") || (!typed && str_eq_c(p->name, "sign_type")))
            continue;
        if (!first)
            buf_put_char(out, '&');
        first = false;
        buf_put_str(out, p->name);
        buf_put_char(out, '=');
        buf_put_str(out, p->value);
    }
}
