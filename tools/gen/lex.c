// SPDX-License-Identifier: Apache-2.0
/* lex.c: see lex.h. Build-time only; memory is given back by the end of the program. */
#include "lex.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t cap = 1 << 16, len = 0;
    char *text = malloc(cap + 1);
    for (;;) {
        if (!text)
            exit(1);
        size_t got = fread(text + len, 1, cap - len, f);
        len += got;
        if (got == 0)
            break;
        if (len < cap)
            continue;
        char *more = realloc(text, (cap *= 2) + 1);
        if (!more)
            free(text);
        text = more;
    }
    fclose(f);
    text[len] = 0;
    *n = len;
    return text;
}

/* Splits one line in place. A word may hold quoted parts: zh="慢 充" is one word. */
static void split(struct lex *l, struct lex_line *line, char *p)
{
    for (line->indent = 0; *p == ' ' || *p == '\t'; p++)
        line->indent++;
    for (;;) {
        while (*p == ' ' || *p == '\t')
            p++;
        if (!*p || *p == '#')
            return;
        if (line->n == LEX_WORDS)
            lex_die(l, line, "more than %d words", LEX_WORDS);
        char *w = p, *out = p;
        int quoted = 0;
        for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
            if (*p == '"')
                quoted = !quoted;
            else
                *out++ = *p;
        }
        if (quoted)
            lex_die(l, line, "missing closing quote");
        int last = !*p;
        *out = 0;
        line->word[line->n++] = w;
        if (last)
            return;
        p++;
    }
}

void lex_read(struct lex *l, const char *path)
{
    size_t n = 0;
    l->path = path;
    l->text = read_all(path, &n);
    size_t rows = 1;
    for (size_t i = 0; i < n; i++)
        rows += l->text[i] == '\n';
    l->lines = calloc(rows, sizeof *l->lines);
    if (!l->lines)
        exit(1);
    l->n = 0;
    int number = 0;
    for (char *p = l->text; *p;) {
        char *end = p + strcspn(p, "\n");
        char *next = *end ? end + 1 : end;
        *end = 0;
        struct lex_line *line = &l->lines[l->n];
        line->number = ++number;
        split(l, line, p);
        if (line->n > 0)
            l->n++;
        else
            line->indent = 0;
        p = next;
    }
}

const char *lex_opt(const struct lex_line *line, const char *key, const char *none)
{
    size_t k = strlen(key);
    for (int i = 0; i < line->n; i++)
        if (strncmp(line->word[i], key, k) == 0 && line->word[i][k] == '=')
            return line->word[i] + k + 1;
    return none;
}

int lex_has(const struct lex_line *line, int from, const char *word)
{
    for (int i = from; i < line->n; i++)
        if (strcmp(line->word[i], word) == 0)
            return 1;
    return 0;
}

void lex_die(const struct lex *l, const struct lex_line *line, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "%s:%d: ", l->path, line ? line->number : 0);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

FILE *gen_open(const char *path, const char *source)
{
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    const char *slash = strrchr(source, '/');
    fprintf(f, "/* Generated from %s. Do not edit. */\n", slash ? slash + 1 : source);
    return f;
}

void gen_close(FILE *f, const char *path)
{
    int bad = ferror(f);
    if (fclose(f) || bad) {
        fprintf(stderr, "%s: write failed\n", path);
        exit(1);
    }
}
