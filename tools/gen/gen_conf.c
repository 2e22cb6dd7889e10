// SPDX-License-Identifier: Apache-2.0
/* gen_conf.c: settings.tbl → config_gen.h (struct config) and config_gen.c (rows). One line a
 * setting: NAME TYPE DEFAULT [lo..hi] [form=…] zh="…" en="…"      TYPE: int | bool | text=N;
 * form: a name of enum setting_form in small letters. Usage: gen_conf in.tbl out.h out.c */
#include "lex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "net.port" → "net_port" */
static void member(FILE *f, const char *name)
{
    for (; *name; name++)
        fputc(*name == '.' ? '_' : *name, f);
}

static void header_row(const struct lex *l, const struct lex_line *r, FILE *h)
{
    const char *type = r->word[1];
    fprintf(h, "    /** %s */\n    ", lex_opt(r, "en", ""));
    if (strncmp(type, "text=", 5) == 0) {
        fprintf(h, "char ");
        member(h, r->word[0]);
        fprintf(h, "[%s];\n", type + 5);
    } else if (strcmp(type, "int") == 0 || strcmp(type, "bool") == 0) {
        fprintf(h, "int64_t ");
        member(h, r->word[0]);
        fprintf(h, ";\n");
    } else {
        lex_die(l, r, "unknown type %s", type);
    }
}

/* The constant of enum setting_form. */
static void form(FILE *f, const char *name)
{
    fprintf(f, "FORM_");
    for (; *name; name++)
        fputc(toupper((unsigned char)*name), f);
}

static void source_row(const struct lex *l, const struct lex_line *r, FILE *c)
{
    const char *type = r->word[1];
    long long lo = 0, hi = 1;
    int text = strncmp(type, "text=", 5) == 0;
    if (strcmp(type, "int") == 0 && (r->n < 4 || sscanf(r->word[3], "%lld..%lld", &lo, &hi) != 2))
        lex_die(l, r, "an int needs bounds lo..hi");
    fprintf(c, "    {\"%s\", %s, offsetof(struct config, ", r->word[0],
            text                        ? "SETTING_TEXT"
            : strcmp(type, "bool") == 0 ? "SETTING_BOOL"
                                        : "SETTING_INT");
    member(c, r->word[0]);
    fprintf(c, "), %s, \"%s\", %lldLL, %lldLL, \"%s\", \"%s\", ", text ? type + 5 : "8", r->word[2],
            lo, hi, lex_opt(r, "en", ""), lex_opt(r, "zh", ""));
    form(c, lex_opt(r, "form", "any"));
    fprintf(c, "},\n");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: gen_conf in.tbl out.h out.c\n");
        return 1;
    }
    struct lex l;
    lex_read(&l, argv[1]);
    FILE *h = gen_open(argv[2], argv[1]), *c = gen_open(argv[3], argv[1]);
    fprintf(h, "#ifndef EVEN_CONFIG_GEN_H\n#define EVEN_CONFIG_GEN_H\n#include <stdint.h>\nstruct "
               "config {\n");
    fprintf(c, "#include \"app/config.h\"\nconst struct setting settings[] = {\n");
    for (size_t i = 0; i < l.n; i++) {
        if (l.lines[i].n < 3)
            lex_die(&l, &l.lines[i], "a row needs name, type and default");
        header_row(&l, &l.lines[i], h);
        source_row(&l, &l.lines[i], c);
    }
    fprintf(h, "};\n#endif\n");
    fprintf(c, "};\nconst size_t settings_n = %zu;\n", l.n);
    gen_close(h, argv[2]);
    gen_close(c, argv[3]);
    return 0;
}
