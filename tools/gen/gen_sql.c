// SPDX-License-Identifier: Apache-2.0
/* gen_sql.c: src/store/queries/<file>.sql → C. `gen_sql out.h out.c in.sql …` writes enum query
 * and, per statement, its texts for both engines (:name becomes $n), its parameters and its
 * columns. The language is described in store/query.h. Anything unclear ends the build with file
 * and line: a parameter unknown or never used, a name taken twice, rows without `-- out:`, a part
 * unknown or never used. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lex.h"

enum { MAX_QUERIES = 600, MAX_FIELDS = 48, MAX_TEXT = 8000, LINE_SIZE = 1000, MAX_PARTS = 60 };
enum { TEXT_BOTH, TEXT_SQLITE, TEXT_PG, TEXTS };

struct field {
    char name[48], kind[12];
    int used;
};
struct query {
    char name[64], shape[8];
    int line, params_n, columns_n;
    struct field params[MAX_FIELDS], columns[MAX_FIELDS];
    char text[TEXTS][MAX_TEXT];
};

/* Lines that several statements have, as they stand; of this file and of those that come later. */
struct part {
    const char *path;
    char name[48], text[MAX_TEXT];
    int line, used;
};

static struct query *queries[MAX_QUERIES];
static struct part *parts[MAX_PARTS];
static int queries_n, parts_n;

struct source {
    struct lex lex; /* only for the messages */
    struct lex_line at;
    struct query *open;
    struct part *part; /* the one being read */
    int depth;         /* of parts in parts */
    int variant;
    char quote;
};

static int is_kind(const char *kind)
{
    static const char *const kinds[] = {"id",  "i64",  "money", "energy", "time",
                                        "int", "bool", "text",  "blob"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i], kind) == 0)
            return 1;
    return 0;
}

/* "name kind, name kind" up to the end or a closing bracket; returns where it stopped. */
static const char *fields_read(struct source *s, const char *p, struct field *f, int *n)
{
    for (;;) {
        int used = 0;
        while (isspace((unsigned char)*p) || *p == ',')
            p++;
        if (!*p || *p == ')')
            return p;
        if (*n == MAX_FIELDS)
            lex_die(&s->lex, &s->at, "more than %d fields", MAX_FIELDS);
        struct field *k = &f[(*n)++];
        if (sscanf(p, "%47[a-z0-9_] %11[a-z0-9]%n", k->name, k->kind, &used) != 2 ||
            !is_kind(k->kind))
            lex_die(&s->lex, &s->at, "want: name kind, …");
        for (int i = 0; i < *n - 1; i++)
            if (strcmp(f[i].name, k->name) == 0)
                lex_die(&s->lex, &s->at, "%s stands here twice", k->name);
        p += used;
    }
}

static void query_end(struct source *s)
{
    struct query *q = s->open;
    if (!q)
        return;
    s->at.number = q->line;
    int exec = strcmp(q->shape, "exec") == 0;
    if (!q->text[TEXT_BOTH][0] && !(q->text[TEXT_SQLITE][0] && q->text[TEXT_PG][0]))
        lex_die(&s->lex, &s->at, "%s has no text for one of the engines", q->name);
    if (exec == (q->columns_n > 0))
        lex_die(&s->lex, &s->at, "%s: rows want `-- out:`, exec must have none", q->name);
    for (int i = 0; i < q->params_n; i++)
        if (!q->params[i].used)
            lex_die(&s->lex, &s->at, "%s: parameter %s is never used", q->name, q->params[i].name);
    s->open = NULL;
}

static void query_start(struct source *s, const char *p)
{
    query_end(s);
    struct query *q = calloc(1, sizeof *q);
    int used = 0;
    if (!q || queries_n == MAX_QUERIES)
        lex_die(&s->lex, &s->at, "too many statements");
    q->line = s->at.number;
    if (sscanf(p, " %63[a-z0-9_](%n", q->name, &used) != 1 || !used)
        lex_die(&s->lex, &s->at, "want: -- name: word(parameters) many|all|one|exec");
    p = fields_read(s, p + used, q->params, &q->params_n);
    if (*p != ')' || sscanf(p + 1, " %7s", q->shape) != 1 ||
        (strcmp(q->shape, "many") != 0 && strcmp(q->shape, "all") != 0 &&
         strcmp(q->shape, "one") != 0 && strcmp(q->shape, "exec") != 0))
        lex_die(&s->lex, &s->at, "want: ) many|all|one|exec");
    for (int i = 0; i < queries_n; i++)
        if (strcmp(queries[i]->name, q->name) == 0)
            lex_die(&s->lex, &s->at, "%s stands here twice", q->name);
    queries[queries_n++] = q;
    s->open = q;
    s->variant = TEXT_BOTH;
    s->quote = 0;
}

/* ---- parts ---- */

static void part_start(struct source *s, const char *p)
{
    query_end(s);
    struct part *k = calloc(1, sizeof *k);
    if (!k || parts_n == MAX_PARTS || sscanf(p, " %47[a-z0-9_]", k->name) != 1)
        lex_die(&s->lex, &s->at, "want: -- part: word, at most %d of them", MAX_PARTS);
    for (int i = 0; i < parts_n; i++)
        if (strcmp(parts[i]->name, k->name) == 0)
            lex_die(&s->lex, &s->at, "part %s stands here twice", k->name);
    k->path = s->lex.path;
    k->line = s->at.number;
    s->part = parts[parts_n++] = k;
}

static void part_add(struct source *s, const char *row)
{
    char *out = s->part->text;
    size_t n = strlen(out), more = strlen(row);
    if (n + more + 2 > MAX_TEXT)
        lex_die(&s->lex, &s->at, "part longer than %d bytes", MAX_TEXT);
    snprintf(out + n, MAX_TEXT - n, "%s\n", row);
}

static void line_read(struct source *s, char *row);

/* The lines of a part, as if they stood here. */
static void part_use(struct source *s, const char *p)
{
    char name[48], row[LINE_SIZE];
    struct part *k = NULL;
    int named = sscanf(p, " %47[a-z0-9_]", name) == 1;
    for (int i = 0; named && i < parts_n; i++)
        k = strcmp(parts[i]->name, name) == 0 ? parts[i] : k;
    if (!k || !s->open || s->depth == 4)
        lex_die(&s->lex, &s->at, "want, in a statement: -- use: a part from further up");
    k->used = 1;
    s->depth++;
    for (const char *at = k->text; *at; at += strcspn(at, "\n") + 1) {
        snprintf(row, sizeof row, "%.*s", (int)strcspn(at, "\n"), at);
        line_read(s, row);
    }
    s->depth--;
}

/* ---- statements ---- */

static int param_number(struct source *s, const char *name, size_t n)
{
    for (int i = 0; i < s->open->params_n; i++) {
        struct field *f = &s->open->params[i];
        if (strlen(f->name) == n && strncmp(f->name, name, n) == 0) {
            f->used = 1;
            return i + 1;
        }
    }
    lex_die(&s->lex, &s->at, "no parameter %.*s", (int)n, name);
}

/* Appends one line of SQL: blanks become one, parameters become $n, the final semicolon goes. */
static void text_add(struct source *s, const char *p)
{
    char *out = s->open->text[s->variant];
    size_t n = strlen(out);
    if (n && !s->quote)
        out[n++] = ' ';
    while (isspace((unsigned char)*p))
        p++;
    while (*p && *p != '\n') {
        if (n + 16 > MAX_TEXT)
            lex_die(&s->lex, &s->at, "statement longer than %d bytes", MAX_TEXT);
        if (*p == '\'')
            s->quote = s->quote ? 0 : '\'';
        if (!s->quote && p[0] == '-' && p[1] == '-')
            break;
        if (!s->quote && p[0] == ':' && islower((unsigned char)p[1]) && out[n ? n - 1 : 0] != ':') {
            size_t len = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
            n += (size_t)snprintf(out + n, 16, "$%d", param_number(s, p + 1, len));
            p += 1 + len;
            continue;
        }
        out[n++] = *p++;
    }
    while (n && (isspace((unsigned char)out[n - 1]) || (out[n - 1] == ';' && !s->quote)))
        n--;
    out[n] = 0;
}

static void line_read(struct source *s, char *row)
{
    row[strcspn(row, "\n")] = 0;
    if (strncmp(row, "-- name:", 8) == 0) {
        s->part = NULL;
        query_start(s, row + 8);
        return;
    }
    if (strncmp(row, "-- part:", 8) == 0) {
        part_start(s, row + 8);
        return;
    }
    if (s->part) {
        part_add(s, row);
        return;
    }
    if (strncmp(row, "-- use:", 7) == 0) {
        part_use(s, row + 7);
        return;
    }
    int comment = strncmp(row, "--", 2) == 0;
    if (comment && !s->open)
        return;
    if (strncmp(row, "-- out:", 7) == 0)
        fields_read(s, row + 7, s->open->columns, &s->open->columns_n);
    else if (strcmp(row, "-- @sqlite") == 0)
        s->variant = TEXT_SQLITE;
    else if (strcmp(row, "-- @pg") == 0)
        s->variant = TEXT_PG;
    else if (!comment && row[strspn(row, " \t")]) {
        if (!s->open)
            lex_die(&s->lex, &s->at, "SQL before any `-- name:`");
        text_add(s, row);
    }
}

static void file_read(const char *path)
{
    struct source s = {.lex.path = path};
    char row[LINE_SIZE];
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        exit(1);
    }
    while (fgets(row, sizeof row, in)) {
        s.at.number++;
        if (!strchr(row, '\n') && strlen(row) == sizeof row - 1)
            lex_die(&s.lex, &s.at, "line too long");
        line_read(&s, row);
    }
    query_end(&s);
    fclose(in);
}

static void parts_check(void)
{
    for (int i = 0; i < parts_n; i++)
        if (!parts[i]->used)
            lex_die(&(struct lex){.path = parts[i]->path},
                    &(struct lex_line){.number = parts[i]->line}, "part %s is never used",
                    parts[i]->name);
}

static void upper(FILE *f, const char *p)
{
    for (; *p; p++)
        fputc(toupper((unsigned char)*p), f);
}

static const char *pg_type(const char *kind)
{
    return strcmp(kind, "text") == 0 ? "text" : strcmp(kind, "blob") == 0 ? "bytea" : "bigint";
}

/* typed: each parameter gets its type said, for PostgreSQL would take that of its first use: in
 * "$1 = 0 OR id = $1" that of 0, which is too small for an id. */
static void c_string(FILE *f, const char *p, const struct query *typed)
{
    int quoted = 0;
    fputc('"', f);
    while (*p) {
        if (*p == '\'')
            quoted = !quoted;
        if (typed && !quoted && *p == '$') {
            char *end;
            long n = strtol(p + 1, &end, 10);
            fprintf(f, "$%ld::%s", n, pg_type(typed->params[n - 1].kind));
            p = end;
            continue;
        }
        if (*p == '"' || *p == '\\')
            fputc('\\', f);
        fputc(*p++, f);
    }
    fputc('"', f);
}

static void fields_write(FILE *c, const char *what, const struct query *q, const struct field *f,
                         int n)
{
    if (!n)
        return;
    fprintf(c, "static const struct query_field %s_%s[] = {", what, q->name);
    for (int i = 0; i < n; i++) {
        fprintf(c, "%s{\"%s\", COLUMN_", i ? ", " : "", f[i].name);
        upper(c, f[i].kind);
        fprintf(c, "}");
    }
    fprintf(c, "};\n");
}

static void query_write(FILE *c, const struct query *q)
{
    fprintf(c, "    {\"%s\", QUERY_", q->name);
    upper(c, q->shape);
    fprintf(c, ", %d, %d, %s%s, %s%s,\n     ", q->params_n, q->columns_n,
            q->params_n ? "params_" : "NULL", q->params_n ? q->name : "",
            q->columns_n ? "columns_" : "NULL", q->columns_n ? q->name : "");
    fprintf(c, "{");
    c_string(c, q->text[q->text[TEXT_SQLITE][0] ? TEXT_SQLITE : TEXT_BOTH], NULL);
    fprintf(c, ",\n      ");
    c_string(c, q->text[q->text[TEXT_PG][0] ? TEXT_PG : TEXT_BOTH], q);
    fprintf(c, "}},\n");
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: gen_sql out.h out.c in.sql …\n");
        return 1;
    }
    for (int i = 3; i < argc; i++)
        file_read(argv[i]);
    parts_check();
    FILE *h = gen_open(argv[1], "queries/*.sql"), *c = gen_open(argv[2], "queries/*.sql");
    fprintf(h, "#ifndef EVEN_STORE_QUERY_GEN_H\n#define EVEN_STORE_QUERY_GEN_H\n\nenum query {\n");
    fprintf(c, "#include \"store/query.h\"\n\n");
    for (int i = 0; i < queries_n; i++) {
        fprintf(h, "    QUERY_");
        upper(h, queries[i]->name);
        fprintf(h, ",\n");
        fields_write(c, "params", queries[i], queries[i]->params, queries[i]->params_n);
        fields_write(c, "columns", queries[i], queries[i]->columns, queries[i]->columns_n);
    }
    fprintf(h, "    QUERY_N\n};\n\n#endif\n");
    fprintf(c, "const struct query_meta query_metas[] = {\n");
    for (int i = 0; i < queries_n; i++)
        query_write(c, queries[i]);
    fprintf(c, "};\n");
    gen_close(h, argv[1]);
    gen_close(c, argv[2]);
    return 0;
}
