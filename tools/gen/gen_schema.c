// SPDX-License-Identifier: Apache-2.0
/* gen_schema.c: schema.tbl → C. `gen_schema rows in.tbl out.h out.c` writes the row structs and
 * their column rows (no SQL, for core and everybody); `gen_schema sql in.tbl out.h out.c
 * NNNN_name.sql …` writes
 * the statements of the store: CREATE TABLE and CREATE INDEX for SQLite and for PostgreSQL, and per
 * table the upsert, insert, delete and select. The language is described at the head of schema.tbl.
 * Any mistake in the table ends the build with file and line. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lex.h"

enum { MAX_TABLES = 100, MAX_COLUMNS = 60, MAX_INDEXES = 8 };

struct column {
    const char *name, *type, *class;
    long max;
    int pk, sum, fixed, hot;
};
struct keys {
    int unique, set, n, column[LEX_WORDS];
};
struct find {
    const char *name, *where;
};
struct table {
    const char *name, *kind, *load;
    int n, keys_n, pk_n, finds_n, sorted, hot;
    struct column columns[MAX_COLUMNS];
    int pk[MAX_COLUMNS];
    struct keys keys[MAX_INDEXES];
    struct find finds[MAX_INDEXES];
};

static struct table tables[MAX_TABLES];
static int tables_n;

struct type {
    const char *name, *kind, *c, *sqlite, *postgres;
};
static const struct type types[] = {
    {"id", "ID", "int64_t ", "INTEGER", "bigint"},
    {"i64", "I64", "int64_t ", "INTEGER", "bigint"},
    {"money", "MONEY", "int64_t ", "INTEGER", "bigint"},
    {"energy", "ENERGY", "int64_t ", "INTEGER", "bigint"},
    {"time", "TIME", "int64_t ", "INTEGER", "bigint"},
    {"int", "INT", "int32_t ", "INTEGER", "integer"},
    {"bool", "BOOL", "int32_t ", "INTEGER", "integer"},
    {"text", "TEXT", "const char *", "TEXT", "text COLLATE \\\"C\\\""},
    {"blob", "BLOB", "struct str ", "BLOB", "bytea"},
};

static const struct type *type_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

static int column_find(const struct table *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return i;
    return -1;
}

static void table_add(const struct lex *l, const struct lex_line *line)
{
    static const char *const kinds[] = {"directory", "state", "journal", "aux"};
    if (line->n < 3 || tables_n == MAX_TABLES)
        lex_die(l, line, "want: table NAME KIND (at most %d tables)", MAX_TABLES);
    struct table *t = &tables[tables_n++];
    t->name = line->word[1];
    t->kind = line->word[2];
    t->sorted = lex_has(line, 3, "sorted");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i], t->kind) == 0)
            return;
    lex_die(l, line, "unknown kind of table %s", t->kind);
}

static void keys_add(const struct lex *l, const struct lex_line *line, struct table *t)
{
    int pk = strcmp(line->word[0], "pk") == 0;
    if (line->n < 2 || (pk && t->pk_n) || t->keys_n == MAX_INDEXES)
        lex_die(l, line, "bad or surplus key");
    struct keys *k = pk ? NULL : &t->keys[t->keys_n++];
    if (k)
        k->unique = strcmp(line->word[0], "unique") == 0;
    for (int i = 1; i < line->n; i++) {
        int c = column_find(t, line->word[i]);
        if (c < 0 && k && i == line->n - 1 && strcmp(line->word[i], "set") == 0) {
            k->set = 1;
            continue;
        }
        if (c < 0)
            lex_die(l, line, "no column %s", line->word[i]);
        if (k) {
            k->column[k->n++] = c;
        } else {
            t->columns[c].pk = 1;
            t->pk[t->pk_n++] = c;
        }
    }
}

/* load "condition" and find NAME "condition": selects of this table, for the loader and the
 * look-ups. */
static void find_add(const struct lex *l, const struct lex_line *line, struct table *t)
{
    int load = strcmp(line->word[0], "load") == 0;
    if (line->n != (load ? 2 : 3) || (load && t->load) || t->finds_n == MAX_INDEXES || !t->pk_n)
        lex_die(l, line,
                "want, after the keys: load \"condition\" once, or find NAME \"condition\"");
    if (load)
        t->load = line->word[1];
    t->finds[t->finds_n++] = (struct find){load ? "load" : line->word[1], line->word[line->n - 1]};
}

static void column_add(const struct lex *l, const struct lex_line *line, struct table *t)
{
    if (line->n < 2 || t->n == MAX_COLUMNS || t->pk_n)
        lex_die(l, line, "want: column TYPE, before the keys");
    if (column_find(t, line->word[0]) >= 0)
        lex_die(l, line, "column %s stands here twice", line->word[0]);
    struct column *c = &t->columns[t->n++];
    *c = (struct column){.name = line->word[0], .type = line->word[1], .class = "PLAIN"};
    if (!type_find(c->type))
        lex_die(l, line, "unknown type %s", c->type);
    int next = 2;
    if (strcmp(c->type, "text") == 0 || strcmp(c->type, "blob") == 0) {
        c->max = line->n > 2 ? strtol(line->word[2], NULL, 10) : 0;
        if (c->max <= 0)
            lex_die(l, line, "text and blob need their greatest length");
        next = 3;
    }
    for (; next < line->n; next++) {
        if (strcmp(line->word[next], "personal") == 0)
            c->class = "PERSONAL";
        else if (strcmp(line->word[next], "secret") == 0)
            c->class = "SECRET";
        else if (strcmp(line->word[next], "sum") == 0 && !c->max)
            c->sum = 1;
        else if (strcmp(line->word[next], "fixed") == 0)
            c->fixed = 1;
        else if (strcmp(line->word[next], "hot") == 0 && !c->max)
            c->hot = t->hot = 1;
        else
            lex_die(l, line, "unknown word %s", line->word[next]);
    }
}

/* A hot table is found by one number, and nothing else finds it. */
static int hot_wrong(const struct table *t)
{
    int wrong = t->hot && (t->pk_n != 1 || t->pk[0] != 0);
    for (int i = 0; i < t->n; i++)
        wrong |=
            t->columns[i].hot && (t->columns[i].pk || t->columns[i].sum || t->columns[i].fixed);
    for (int i = 0; i < t->keys_n; i++)
        for (int j = 0; j < t->keys[i].n; j++)
            wrong |= t->columns[t->keys[i].column[j]].hot;
    return wrong;
}

static void schema_read(struct lex *l, const char *path)
{
    lex_read(l, path);
    for (size_t i = 0; i < l->n; i++) {
        const struct lex_line *line = &l->lines[i];
        const char *first = line->word[0];
        if (line->indent == 0) {
            if (strcmp(first, "table") != 0)
                lex_die(l, line, "want a table");
            table_add(l, line);
            continue;
        }
        if (!tables_n)
            lex_die(l, line, "a column before any table");
        struct table *t = &tables[tables_n - 1];
        if (!strcmp(first, "pk") || !strcmp(first, "unique") || !strcmp(first, "index"))
            keys_add(l, line, t);
        else if (!strcmp(first, "load") || !strcmp(first, "find"))
            find_add(l, line, t);
        else
            column_add(l, line, t);
    }
    for (int i = 0; i < tables_n; i++)
        if (!tables[i].pk_n)
            lex_die(l, NULL, "table %s has no pk", tables[i].name);
        else if (tables[i].sorted && (tables[i].pk_n != 1 || tables[i].pk[0] != 0))
            lex_die(l, NULL, "table %s is sorted, but not by its first column", tables[i].name);
        else if (hot_wrong(&tables[i]))
            lex_die(l, NULL, "a hot column of %s is in a key, adds or is fixed", tables[i].name);
}

static void upper(FILE *f, const char *s)
{
    for (; *s; s++)
        fputc(toupper((unsigned char)*s), f);
}

/* ---- rows: structs and metadata ---- */

static void rows_header(FILE *h)
{
    fprintf(h, "#ifndef EVEN_CORE_ROWS_GEN_H\n#define EVEN_CORE_ROWS_GEN_H\n\n"
               "#include \"base/str.h\"\n\nenum row_table {\n");
    for (int i = 0; i < tables_n; i++) {
        fprintf(h, "    ROW_");
        upper(h, tables[i].name);
        fprintf(h, " = %d,\n", i + 1);
    }
    fprintf(h, "    ROW_TABLE_N = %d\n};\n", tables_n + 1);
    for (int i = 0; i < tables_n; i++) {
        const struct table *t = &tables[i];
        fprintf(h, "\n/** %s */\nstruct row_%s {\n", t->kind, t->name);
        for (int j = 0; j < t->n; j++)
            fprintf(h, "    %s%s;\n", type_find(t->columns[j].type)->c, t->columns[j].name);
        fprintf(h, "};\n");
    }
    fprintf(h, "\n#endif\n");
}

static void rows_source(FILE *c)
{
    fprintf(c, "#include \"core/rows.h\"\n\n");
    for (int i = 0; i < tables_n; i++) {
        const struct table *t = &tables[i];
        fprintf(c, "static const struct row_column columns_%s[] = {\n", t->name);
        for (int j = 0; j < t->n; j++) {
            const struct column *k = &t->columns[j];
            fprintf(c,
                    "    {\"%s\", COLUMN_%s, CLASS_%s, %d, %d, offsetof(struct row_%s, %s), %ld, "
                    "%d},\n",
                    k->name, type_find(k->type)->kind, k->class, k->pk, k->sum, t->name, k->name,
                    k->max, k->hot);
        }
        fprintf(c, "};\n");
    }
    fprintf(c, "const struct row_meta row_metas[ROW_TABLE_N] = {\n    {0},\n");
    for (int i = 0; i < tables_n; i++) {
        const struct table *t = &tables[i];
        fprintf(c, "    {\"%s\", ROW_KIND_", t->name);
        upper(c, t->kind);
        fprintf(c, ", sizeof(struct row_%s), %d, columns_%s},\n", t->name, t->n, t->name);
    }
    fprintf(c, "};\n");
}

/* ---- sql: statements ---- */

static int is_text(const struct table *t, int column)
{
    return strcmp(t->columns[column].type, "text") == 0;
}

static int is_id(const struct table *t, int column)
{
    return strcmp(t->columns[column].type, "id") == 0;
}

/* A single integer key is SQLite's rowid; any other key clusters the table (WITHOUT ROWID). */
static int is_rowid(const struct table *t)
{
    return t->pk_n == 1 && !is_text(t, t->pk[0]);
}

static void names(FILE *c, const struct table *t, const int *list, int n, const char *between)
{
    for (int i = 0; i < n; i++)
        fprintf(c, "%s%s", i ? between : "", t->columns[list ? list[i] : i].name);
}

/* A table with hot columns is two, and a view of its name: the statements that write name the part. */
enum part { WHOLE, COLD, HOT };
static const char *const part_suffix[] = {"", "_cold", "_hot"};

static int in_part(const struct table *t, int column, enum part part)
{
    const struct column *k = &t->columns[column];
    return part == WHOLE || k->pk || (part == HOT) == k->hot;
}

static enum part main_part(const struct table *t)
{
    return t->hot ? COLD : WHOLE;
}

/* In a key, an index or what an index is of. */
static int is_keyed(const struct table *t, int column)
{
    int found = t->columns[column].pk;
    for (int i = 0; i < t->keys_n; i++)
        for (int j = 0; j < t->keys[i].n; j++)
            found |= t->keys[i].column[j] == column;
    return found;
}

/* The writer makes no NULL (io/db/feed.c, db_bind_…), and PostgreSQL watches that it does not. SQLite
 * would look at each value twice for it, and copy each page before a statement touches it, for one
 * that could fail halfway: so there only keys say so, on which its plans depend. */
static const char *not_null(const struct table *t, int column, int sqlite)
{
    return !sqlite || is_keyed(t, column) ? " NOT NULL" : "";
}

static void part_create(FILE *c, const struct table *t, int sqlite, enum part part)
{
    fprintf(c, "    \"CREATE TABLE %s%s (", t->name, part_suffix[part]);
    for (int i = 0; i < t->n; i++) {
        const struct type *y = type_find(t->columns[i].type);
        if (in_part(t, i, part))
            fprintf(c, "\"\n    \"%s %s%s, ", t->columns[i].name, sqlite ? y->sqlite : y->postgres,
                    not_null(t, i, sqlite));
    }
    fprintf(c, "\"\n    \"PRIMARY KEY (");
    names(c, t, t->pk, t->pk_n, ", ");
    fprintf(c, "))%s;\"\n", !sqlite ? "" : is_rowid(t) ? " STRICT" : " STRICT, WITHOUT ROWID");
}

/* Look-ups instead of a join: SQLite lets a query see through such a view wherever it stands, also
 * behind LEFT JOIN, and leaves out what it does not ask for. */
static void view_create(FILE *c, const struct table *t)
{
    const char *key = t->columns[t->pk[0]].name;
    fprintf(c, "    \"CREATE VIEW %s AS SELECT ", t->name);
    for (int i = 0; i < t->n; i++) {
        const char *name = t->columns[i].name;
        fprintf(c, "\"\n    \"%s", i ? ", " : "");
        if (t->columns[i].hot)
            fprintf(c, "(SELECT h.%s FROM %s_hot h WHERE h.%s = c.%s) AS %s", name, t->name, key,
                    key, name);
        else
            fprintf(c, "c.%s AS %s", name, name);
    }
    fprintf(c, "\"\n    \" FROM %s_cold c;\"\n", t->name);
}

static void index_create(FILE *c, const struct table *t, const struct keys *k)
{
    fprintf(c, "    \"CREATE %sINDEX %s_", k->unique ? "UNIQUE " : "", t->name);
    names(c, t, k->column, k->n, "_");
    fprintf(c, " ON %s%s (", t->name, part_suffix[main_part(t)]);
    names(c, t, k->column, k->n, ", ");
    fprintf(c, ")");
    /* An empty text says "none", and many rows may have none; so says 0 in an id. */
    for (int j = 0, any = 0; j < k->n; j++)
        if (is_text(t, k->column[j]) || (k->set && is_id(t, k->column[j])))
            fprintf(c, "%s%s <> %s", any++ ? " AND " : " WHERE ", t->columns[k->column[j]].name,
                    is_text(t, k->column[j]) ? "''" : "0");
    fprintf(c, ";\"\n");
}

static void ddl(FILE *c, const struct table *t, int sqlite)
{
    part_create(c, t, sqlite, main_part(t));
    if (t->hot) {
        part_create(c, t, sqlite, HOT);
        view_create(c, t);
    }
    for (int i = 0; i < t->keys_n; i++)
        index_create(c, t, &t->keys[i]);
    if (t->load) {
        fprintf(c, "    \"CREATE INDEX %s_load ON %s%s (", t->name, t->name,
                part_suffix[main_part(t)]);
        names(c, t, t->pk, t->pk_n, ", ");
        fprintf(c, ") WHERE %s;\"\n", t->load);
    }
}

static void select_all(FILE *c, const struct table *t)
{
    fprintf(c, "SELECT ");
    names(c, t, NULL, t->n, ", ");
    fprintf(c, " FROM %s", t->name);
}

/* By key unless said otherwise: engines differ in the order that they choose themselves. */
static void order_by(FILE *c, const struct table *t, const char *where)
{
    if (where && strstr(where, "ORDER BY"))
        return;
    fprintf(c, " ORDER BY ");
    names(c, t, t->pk, t->pk_n, ", ");
}

/* fed: of many rows from the table `feed` (io/db/db.h). An error then gives up the transaction, as
 * the store does anyway: so the engine need not be able to undo the statement alone. */
static void insert(FILE *c, const struct table *t, enum part part, int fed)
{
    int any = 0;
    fprintf(c, "INSERT %sINTO %s%s (", fed ? "OR ROLLBACK " : "", t->name, part_suffix[part]);
    for (int i = 0; i < t->n; i++)
        if (in_part(t, i, part))
            fprintf(c, "%s%s", any++ ? ", " : "", t->columns[i].name);
    any = 0;
    fprintf(c, fed ? ") SELECT " : ") VALUES (");
    for (int i = 0; i < t->n; i++)
        if (in_part(t, i, part)) {
            fprintf(c, "%s%s%d", any ? ", " : "", fed ? "c" : "$", fed ? i : any + 1);
            any++;
        }
    fprintf(c, fed ? " FROM feed($1) WHERE true" : ")");
}

/* Rows that are nothing but their key are there or not. */
static int all_key(const struct table *t)
{
    return t->pk_n == t->n;
}

static int has_sum(const struct table *t)
{
    int sum = 0;
    for (int i = 0; i < t->n; i++)
        sum |= t->columns[i].sum;
    return sum;
}

/* An engine writes an index again whenever a column of it is set, even to what it was. `lean`
 * leaves out the fixed columns, and changes nothing where one of them differs. */
static void upsert(FILE *c, const struct table *t, enum part part, int lean, int fed)
{
    const char *suffix = part_suffix[part];
    int any = 0, adds = has_sum(t);
    insert(c, t, part, fed);
    fprintf(c, "\"\n     \" ON CONFLICT (");
    names(c, t, t->pk, t->pk_n, ", ");
    fprintf(c, all_key(t) ? ") DO NOTHING" : ") DO UPDATE SET ");
    for (int i = 0; i < t->n; i++) {
        const struct column *k = &t->columns[i];
        if (k->pk || !in_part(t, i, part) || ((lean || adds) && k->fixed))
            continue;
        fprintf(c, "%s%s = ", any++ ? ", " : "", k->name);
        if (k->sum)
            fprintf(c, "%s%s.%s + ", t->name, suffix, k->name);
        fprintf(c, "excluded.%s", k->name);
    }
    any = 0;
    for (int i = 0; lean && i < t->n; i++)
        if (t->columns[i].fixed)
            fprintf(c, "%s%s%s.%s = excluded.%s", any++ ? " AND " : " WHERE ", t->name, suffix,
                    t->columns[i].name, t->columns[i].name);
}

/* No table that adds: the lean upsert and the full one may both be run for the same row. */
static int has_fixed(const struct table *t)
{
    int fixed = 0;
    for (int i = 0; i < t->n; i++)
        fixed |= t->columns[i].fixed;
    return fixed && !has_sum(t);
}

/* PostgreSQL compares before it writes an index: there the full upsert is as cheap. */
static void upserts(FILE *c, const struct table *t, int sqlite, int fed)
{
    const char *many = fed ? "many_" : "";
    fprintf(c, "     .%supsert = \"", many);
    upsert(c, t, main_part(t), 0, fed);
    fprintf(c, "\",\n");
    if (sqlite && has_fixed(t)) {
        fprintf(c, "     .%slean = \"", many);
        upsert(c, t, main_part(t), 1, fed);
        fprintf(c, "\",\n");
    }
    fprintf(c, "     .%sinsert = \"", many);
    insert(c, t, main_part(t), fed);
    fprintf(c, "\",\n");
    if (!t->hot)
        return;
    fprintf(c, "     .%shot = \"", many);
    upsert(c, t, HOT, 0, fed);
    fprintf(c, "\",\n");
}

static void removal(FILE *c, const struct table *t, enum part part)
{
    fprintf(c, "     .remove%s = \"DELETE FROM %s%s WHERE ", part == HOT ? "_hot" : "", t->name,
            part_suffix[part]);
    for (int i = 0; i < t->pk_n; i++)
        fprintf(c, "%s%s = $%d", i ? " AND " : "", t->columns[t->pk[i]].name, t->pk[i] + 1);
    fprintf(c, "\",\n");
}

static void statements(FILE *c, const struct table *t, int sqlite)
{
    fprintf(c, "    {.sorted = %d,\n", t->sorted);
    upserts(c, t, sqlite, 0);
    if (sqlite)
        upserts(c, t, sqlite, 1);
    removal(c, t, main_part(t));
    if (t->hot)
        removal(c, t, HOT);
    fprintf(c, "     .select = \"");
    select_all(c, t);
    order_by(c, t, NULL);
    fprintf(c, "\"},\n");
}

/* A migration file becomes a string; its number and name are those of the file: 0002_add_tax.sql.
 */
static void migration_write(FILE *c, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    long number = strtol(name, NULL, 10);
    FILE *in = fopen(path, "rb");
    if (!in || number <= 0 || strlen(name) < 6) {
        fprintf(stderr, "%s: cannot read, or not named NNNN_name.sql\n", path);
        exit(1);
    }
    fprintf(c, "    {%ld, \"%.*s\",\n     \"", number, (int)strlen(name) - 9, name + 5);
    for (int ch; (ch = fgetc(in)) != EOF;) {
        if (ch == '\n')
            fprintf(c, "\\n\"\n     \"");
        else if (ch == '"' || ch == '\\')
            fprintf(c, "\\%c", ch);
        else
            fputc(ch, c);
    }
    fprintf(c, "\"},\n");
    fclose(in);
}

static void migrations_write(FILE *h, FILE *c, int n, char **paths)
{
    fprintf(h, "/** Forward migrations in the order of their numbers; ends with number 0. */\n"
               "struct schema_migration {\n    int number;\n    const char *name, *sql;\n};\n"
               "extern const struct schema_migration schema_migrations[];\n\n");
    fprintf(c, "const struct schema_migration schema_migrations[] = {\n");
    for (int i = 0; i < n; i++)
        migration_write(c, paths[i]);
    fprintf(c, "    {0}};\n");
}

/* Are its rows among those that the store gives out as it opens? */
static int at_start(const struct find *f)
{
    static const char *const names[] = {"load", "open", "waiting"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(f->name, names[i]) == 0)
            return 1;
    return 0;
}

static void finds_write(FILE *h, FILE *c)
{
    fprintf(h,
            "/** Selects of whole rows: which table, and the statement. */\nenum schema_find {\n");
    fprintf(c, "const struct schema_find_sql schema_finds[] = {\n");
    for (int i = 0; i < tables_n; i++) {
        const struct table *t = &tables[i];
        for (int j = 0; j < t->finds_n; j++) {
            fprintf(h, "    FIND_");
            upper(h, t->name);
            fputc('_', h);
            upper(h, t->finds[j].name);
            fprintf(h, ",\n");
            fprintf(c, "    {%d, %d, \"", i + 1, at_start(&t->finds[j]));
            select_all(c, t);
            fprintf(c, " WHERE %s", t->finds[j].where);
            order_by(c, t, t->finds[j].where);
            fprintf(c, "\"},\n");
        }
    }
    fprintf(h,
            "    SCHEMA_FIND_N\n};\nstruct schema_find_sql {\n    int table; /* enum row_table */\n"
            "    int start; /* its rows are loaded at start */\n    const char *sql;\n};\nextern "
            "const struct schema_find_sql schema_finds[];\n\n");
    fprintf(c, "};\n");
}

static void sql_write(FILE *h, FILE *c)
{
    fprintf(
        h,
        "#ifndef EVEN_STORE_SCHEMA_GEN_H\n#define EVEN_STORE_SCHEMA_GEN_H\n\n"
        "#include \"io/db/db.h\"\n\n"
        "/** Statements of one table; parameters $1 … $n are its columns in order. lean (or "
        "NULL): an upsert\n"
        " * that leaves the fixed columns alone, and the row too where one of them differs. "
        "many_…: the same\n"
        " * of all rows of `feed($1)`, or NULL where the engine has none. sorted: rows of a batch "
        "may be\n"
        " * taken in the order of their number, the first column. A table with hot columns: hot "
        "upserts them\n"
        " * and remove_hot removes them, the other statements but select leave them out; "
        "parameters "
        "are then\n"
        " * the columns of the part. */\n"
        "struct schema_sql {\n    int sorted;\n    const char *upsert, *lean, *insert, *hot, "
        "*many_upsert, *many_lean,\n"
        "        *many_insert, *many_hot, *remove, *remove_hot, *select;\n};\n\n"
        "/** By engine, then by enum row_table; entry 0 is empty. */\n"
        "extern const struct schema_sql schema_sql[DB_DIALECTS][%d];\n"
        "/** Every CREATE TABLE and CREATE INDEX; the text whose checksum names the schema. */\n"
        "extern const char *const schema_ddl[DB_DIALECTS];\n\n",
        tables_n + 1);
    fprintf(c,
            "#include <stddef.h>\n#include \"schema_gen.h\"\n\nconst struct schema_sql "
            "schema_sql[DB_DIALECTS][%d] = {\n",
            tables_n + 1);
    for (int sqlite = 1; sqlite >= 0; sqlite--) {
        fprintf(c, "    [%s] = {{0},\n", sqlite ? "DB_SQLITE" : "DB_POSTGRES");
        for (int i = 0; i < tables_n; i++)
            statements(c, &tables[i], sqlite);
        fprintf(c, "    },\n");
    }
    fprintf(c, "};\n");
    finds_write(h, c);
    fprintf(c, "\nconst char *const schema_ddl[DB_DIALECTS] = {\n");
    for (int sqlite = 1; sqlite >= 0; sqlite--) {
        fprintf(c, "    [%s] =\n", sqlite ? "DB_SQLITE" : "DB_POSTGRES");
        for (int i = 0; i < tables_n; i++)
            ddl(c, &tables[i], sqlite);
        fprintf(c, "    ,\n");
    }
    fprintf(c, "};\n");
}

int main(int argc, char **argv)
{
    static struct lex l;
    int rows = argc == 5 && strcmp(argv[1], "rows") == 0;
    if (!rows && !(argc >= 5 && strcmp(argv[1], "sql") == 0)) {
        fprintf(stderr, "usage: gen_schema rows|sql in.tbl out.h out.c [migration.sql …]\n");
        return 1;
    }
    schema_read(&l, argv[2]);
    FILE *h = gen_open(argv[3], argv[2]), *c = gen_open(argv[4], argv[2]);
    if (rows) {
        rows_header(h);
        rows_source(c);
    } else {
        sql_write(h, c);
        migrations_write(h, c, argc - 5, argv + 5);
        fprintf(h, "#endif\n");
    }
    gen_close(h, argv[3]);
    gen_close(c, argv[4]);
    return 0;
}
