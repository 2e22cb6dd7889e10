// SPDX-License-Identifier: Apache-2.0
/* sheet.c: see sheet.h. Data: the caller's. Thread: any. */
#include "web/sheet.h"

#include "base/err.h"

void sheet_open(struct sheet *c, struct str text)
{
    struct str mark = STR_LIT("\xef\xbb\xbf");

    *c = (struct sheet){.rest = text};
    if (str_starts(text, mark))
        c->rest = str_from(text.p + mark.n, text.n - mark.n);
}

/* "a ""b""", → a "b"; leaves the reader at the separator. */
static int cell_quoted(struct sheet *c, struct arena *a, size_t *at, struct str *out)
{
    const struct str s = c->rest;
    char *p = arena_alloc(a, s.n - *at + 1);
    size_t n = 0, i = *at + 1;

    if (p == NULL)
        return ERR_NOMEM;
    for (; i < s.n; i++) {
        if (s.p[i] == '"') {
            if (i + 1 == s.n || s.p[i + 1] != '"')
                break;
            i++;
        }
        if (s.p[i] == '\n')
            c->line++;
        p[n++] = s.p[i];
    }
    if (i == s.n)
        return ERR_SYNTAX;
    *at = i + 1;
    *out = str_from(p, n);
    return 0;
}

static int cell_read(struct sheet *c, struct arena *a, size_t *at)
{
    const struct str s = c->rest;
    size_t from = *at;
    int err = 0;

    if (c->n == SHEET_CELLS)
        return ERR_FULL;
    if (from < s.n && s.p[from] == '"') {
        err = cell_quoted(c, a, at, &c->cell[c->n]);
    } else {
        while (*at < s.n && s.p[*at] != ',' && s.p[*at] != '\n' && s.p[*at] != '\r')
            ++*at;
        c->cell[c->n] = str_trim(str_from(s.p + from, *at - from));
    }
    if (err == 0 && !str_utf8_valid(c->cell[c->n]))
        err = ERR_SYNTAX;
    c->n += err == 0;
    return err;
}

static int record_read(struct sheet *c, struct arena *a)
{
    size_t at = 0;
    int err;

    c->n = 0;
    c->line++;
    for (;;) {
        err = cell_read(c, a, &at);
        if (err != 0)
            return err;
        if (at < c->rest.n && c->rest.p[at] == ',') {
            at++;
            continue;
        }
        while (at < c->rest.n && c->rest.p[at] == '\r')
            at++;
        if (at < c->rest.n && c->rest.p[at] != '\n')
            return ERR_SYNTAX; /* something behind a closing quote */
        at += at < c->rest.n;
        c->rest = str_from(c->rest.p + at, c->rest.n - at);
        return 0;
    }
}

int sheet_next(struct sheet *c, struct arena *a)
{
    while (c->rest.n > 0) {
        int err = record_read(c, a);

        if (err != 0)
            return err;
        if (c->n > 1 || c->cell[0].n > 0)
            return 1;
    }
    return 0;
}

int sheet_column(const struct sheet *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (str_eq_c(c->cell[i], name))
            return i;
    return -1;
}

void sheet_put(struct buf *out, bool first, struct str cell)
{
    bool formula = cell.n > 0 && strchr("=+-@\t\r", cell.p[0]) != NULL;

    if (!first)
        buf_put_char(out, ',');
    buf_put_char(out, '"');
    if (formula)
        buf_put_char(out, '\'');
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '"')
            buf_put_char(out, '"');
        buf_put_char(out, cell.p[i]);
    }
    buf_put_char(out, '"');
}
