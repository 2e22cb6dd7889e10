// SPDX-License-Identifier: Apache-2.0
/* csv.c: see csv.h. Owns nothing. Invariant: p never passes end, and everything before p is done
 * with. Fails on bad quotes only: any other text is some cell. */
#include "sim/csv.h"

#include "base/err.h"

void csv_init(struct csv *c, char *p, size_t n, char separator)
{
    *c = (struct csv){.p = p, .end = p + n, .separator = separator, .line = 1};
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        c->p += 3;
}

static bool at_break(const struct csv *c)
{
    return c->p == c->end || *c->p == '\n' ||
           (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

static void break_take(struct csv *c)
{
    if (c->p < c->end && *c->p == '\r')
        c->p++;
    if (c->p < c->end)
        c->p++;
    c->line++;
}

/* Behind the opening quote; the text moves down over doubled quotes. */
static int quoted_take(struct csv *c, struct str *out)
{
    char *to = c->p;
    out->p = to;
    while (c->p < c->end) {
        if (*c->p == '"' && !(c->p + 1 < c->end && c->p[1] == '"'))
            break;
        c->p += *c->p == '"';
        c->line += *c->p == '\n';
        *to++ = *c->p++;
    }
    if (c->p == c->end)
        return ERR_SYNTAX;
    c->p++;
    out->n = (size_t)(to - out->p);
    return at_break(c) || *c->p == c->separator ? 0 : ERR_SYNTAX;
}

static int cell_take(struct csv *c, struct str *out)
{
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        return quoted_take(c, out);
    }
    out->p = c->p;
    while (!at_break(c) && *c->p != c->separator)
        c->p++;
    out->n = (size_t)(c->p - out->p);
    return 0;
}

int csv_next(struct csv *c, struct str *cells, size_t cap, size_t *n)
{
    *n = 0;
    while (c->p < c->end && at_break(c))
        break_take(c);
    if (c->p == c->end)
        return 0;
    for (;;) {
        if (*n == cap)
            return ERR_TOO_LARGE;
        int err = cell_take(c, &cells[*n]);
        if (err)
            return err;
        ++*n;
        if (at_break(c))
            break;
        c->p++; /* the separator */
    }
    break_take(c);
    return 1;
}
