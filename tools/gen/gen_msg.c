// SPDX-License-Identifier: Apache-2.0
/* gen_msg.c: message table → C structs, rows, enum tables and a fuzzing dictionary (see
 * src/wire/wire.h for what comes out and src/wire/README.md for the language). Usage: gen_msg
 * in.msg out.h out.c [out.dict]. Everything that a row can get wrong ends the build with file:line.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lex.h"

enum {
    FIELDS_MAX = 64,
    TYPES_MAX = 1024,
    ENUMS_MAX = 256,
    VALUES_MAX = 128,
    MSGS_MAX = 256,
    NAMES_MAX = 512
};
enum shape { ONE, LIST, FIXED, COUNTED, REST };

struct kind {
    const char *word, *tag, *c_type;
    int width;  /* binary bytes of one, or of one per argument */
    int binary; /* may stand in a binary table */
};

static const struct kind kinds[] = {
    {"int", "INT", "int64_t ", 0, 0},
    {"id", "ID", "int64_t ", 0, 0},
    {"dec", "DEC", "int64_t ", 0, 0},
    {"money", "MONEY", "struct money ", 0, 0},
    {"time", "TIME", "int64_t ", 0, 0},
    {"datetime", "DATETIME", "int64_t ", 0, 0},
    {"bool", "BOOL", "bool ", 0, 0},
    {"text", "TEXT", "struct str ", 0, 0},
    {"json", "JSON", "struct str ", 0, 0},
    {"enum", "ENUM", "enum ", 0, 0},
    {"type", "TYPE", "struct ", 0, 1},
    {"u8", "U8", "int64_t ", 1, 1},
    {"u16le", "U16LE", "int64_t ", 2, 1},
    {"u32le", "U32LE", "int64_t ", 4, 1},
    {"u40le", "U40LE", "int64_t ", 5, 1},
    {"u64le", "U64LE", "int64_t ", 8, 1},
    {"bcd", "BCD", "char ", 1, 1},
    {"hex", "HEX", "char ", 1, 1},
    {"ascii", "ASCII", "char ", 1, 1},
    {"cp56", "CP56", "int64_t ", 7, 1},
    {"pad", "PAD", "", 1, 1},
};
enum { K_ENUM = 9, K_TYPE = 10, KINDS = sizeof kinds / sizeof kinds[0] };

struct enumeration {
    const char *name;
    const char *value[VALUES_MAX];
    int n;
};
struct type;
struct field {
    const char *name;
    const struct kind *kind;
    struct type *type;
    struct enumeration *en;
    enum shape shape;
    int optional, scale, arg; /* arg: n of bcd, hex, ascii, pad */
    int64_t lo, hi, bias;
    unsigned long min_n, max_n;
    const char *unit, *zh, *label, *class;
};
struct name {
    const char *name, *zh, *label, *class;
};
struct type {
    char name[96];
    struct field field[FIELDS_MAX];
    int n, written, open;
};
struct msg {
    const char *name, *zh, *label;
    int code, dir;
    struct type *req, *res;
};

static struct lex lex;
static const char *proto;
static int binary;
static struct type *types[TYPES_MAX];
static struct enumeration *enums[ENUMS_MAX];
static struct msg msgs[MSGS_MAX];
static struct name names[NAMES_MAX];
static int n_types, n_enums, n_msgs, n_names;

/* ---- reading ---- */

static void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "gen_msg: out of memory\n");
        exit(1);
    }
    return p;
}

static struct type *type_find(const char *name)
{
    for (int i = 0; i < n_types; i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}

static struct enumeration *enum_find(const char *name)
{
    for (int i = 0; i < n_enums; i++)
        if (strcmp(enums[i]->name, name) == 0)
            return enums[i];
    return NULL;
}

static void name_check(const struct lex_line *l, const char *name)
{
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (name[good] || good == 0 || good > 80)
        lex_die(&lex, l, "bad name \"%s\"", name);
}

static struct type *type_new(const struct lex_line *l, const char *name, const char *suffix)
{
    struct type *t = need(calloc(1, sizeof *t));
    name_check(l, name);
    snprintf(t->name, sizeof t->name, "%s%s", name, suffix);
    if (type_find(t->name) || enum_find(t->name))
        lex_die(&lex, l, "%s is defined twice", t->name);
    if (n_types == TYPES_MAX)
        lex_die(&lex, l, "too many types");
    return types[n_types++] = t;
}

/* A decimal number as an integer × 10^scale, exactly. */
static int64_t number(const struct lex_line *l, const char *s, size_t n, int scale)
{
    int64_t v = 0;
    size_t i = n > 0 && s[0] == '-';
    int point = -1, any = 0;
    for (; i < n; i++) {
        if (s[i] == '.' && point < 0) {
            point = 0;
        } else if (s[i] >= '0' && s[i] <= '9' && v < INT64_MAX / 100) {
            v = v * 10 + (s[i] - '0');
            any = 1;
            point += point >= 0;
        } else {
            lex_die(&lex, l, "bad number in \"%s\"", s);
        }
    }
    if (!any || point > scale)
        lex_die(&lex, l, "bad number in \"%s\"", s);
    for (int d = point < 0 ? 0 : point; d < scale; d++)
        v *= 10;
    return s[0] == '-' ? -v : v;
}

/* "lo..hi", "lo..", "n" (which means ..n). */
static void range(const struct lex_line *l, const char *s, int scale, int64_t *lo, int64_t *hi)
{
    const char *dots = strstr(s, "..");
    if (!dots) {
        *hi = number(l, s, strlen(s), scale);
        return;
    }
    if (dots > s)
        *lo = number(l, s, (size_t)(dots - s), scale);
    if (dots[2] && strcmp(dots + 2, "*") != 0)
        *hi = number(l, dots + 2, strlen(dots + 2), scale);
    if (*lo > *hi)
        lex_die(&lex, l, "empty range \"%s\"", s);
}

/* Cuts "[…]" from the kind word and notes what it says. */
static void array(const struct lex_line *l, char *word, struct field *f)
{
    char *open = strchr(word, '['), *close = open ? strchr(open, ']') : NULL;
    if (!open)
        return;
    if (!close || close[1])
        lex_die(&lex, l, "bad array \"%s\"", word);
    *open = *close = 0;
    int64_t lo = 0, hi = UINT32_MAX;
    int exact = open[1] && !strstr(open + 1, "..");
    if (open[1])
        range(l, open + 1, 0, &lo, &hi);
    f->shape = !binary ? LIST : exact ? FIXED : COUNTED;
    f->min_n = (unsigned long)(exact ? hi : lo);
    f->max_n = (unsigned long)hi;
    if (binary && (hi == UINT32_MAX || hi > 255 || hi < 1))
        lex_die(&lex, l, "a binary array needs a bound of at most 255");
}

static void kind_set(const struct lex_line *l, const char *word, struct field *f)
{
    for (int i = 0; i < KINDS; i++)
        if (i != K_ENUM && i != K_TYPE && strcmp(kinds[i].word, word) == 0)
            f->kind = &kinds[i];
    if (!f->kind && (f->en = enum_find(word)))
        f->kind = &kinds[K_ENUM];
    if (!f->kind && (f->type = type_find(word)))
        f->kind = &kinds[K_TYPE];
    if (!f->kind)
        lex_die(&lex, l, "unknown kind, type or enum \"%s\"", word);
    if (!binary != !f->kind->binary && f->kind != &kinds[K_TYPE])
        lex_die(&lex, l, "\"%s\" does not belong into this kind of table", word);
}

static int is_kind(const struct field *f, const char *word)
{
    return strcmp(f->kind->word, word) == 0;
}

static int takes_length(const struct field *f)
{
    return is_kind(f, "bcd") || is_kind(f, "hex") || is_kind(f, "ascii") || is_kind(f, "pad");
}

static int scale_of(const struct lex_line *l, const char *s)
{
    int scale = 0;
    long v = strtol(s, NULL, 10);
    for (; v > 1 && v % 10 == 0; v /= 10)
        scale++;
    if (v != 1 || scale > 12)
        lex_die(&lex, l, "bad scale \"/%s\": a power of ten is needed", s);
    return scale;
}

/* Who may see it. */
static const char *class_of(const char *word)
{
    return strcmp(word, "personal") == 0 ? " | WIRE_PERSONAL"
           : strcmp(word, "secret") == 0 ? " | WIRE_SECRET"
                                         : NULL;
}

/* Words after the kind: "?", "/10", a range or length, "rest", key=value, a unit. */
static void field_words(const struct lex_line *l, struct field *f)
{
    const char *bounds = NULL;
    for (int i = 2; i < l->n; i++) {
        const char *w = l->word[i];
        if (strcmp(w, "?") == 0)
            f->optional = 1;
        else if (w[0] == '/')
            f->scale = scale_of(l, w + 1);
        else if (strcmp(w, "rest") == 0 && f->shape == COUNTED)
            f->shape = REST;
        else if (class_of(w))
            f->class = class_of(w);
        else if (strchr("-.0123456789", w[0]))
            bounds = w;
        else if (!strchr(w, '='))
            f->unit = w;
    }
    f->bias = strtoll(lex_opt(l, "bias", "0"), NULL, 10);
    f->zh = lex_opt(l, "zh", NULL);
    f->label = lex_opt(l, "en", NULL);
    if (takes_length(f)) {
        int64_t lo = 1, hi = 0;
        if (bounds)
            range(l, bounds, 0, &lo, &hi);
        if (hi < 1 || hi > 255)
            lex_die(&lex, l, "%s needs a length of 1 to 255 bytes", f->kind->word);
        f->arg = (int)hi;
    } else if (bounds) {
        f->lo = is_kind(f, "text") ? 0 : f->lo;
        range(l, bounds, f->scale, &f->lo, &f->hi);
    }
}

static void field_read(const struct lex_line *l, struct type *t)
{
    if (l->n < 2)
        lex_die(&lex, l, "a field is: name kind …");
    if (t->n == FIELDS_MAX)
        lex_die(&lex, l, "more than %d fields", FIELDS_MAX);
    struct field *f = &t->field[t->n++];
    f->name = l->word[0];
    if (strcmp(f->name, "-") != 0)
        name_check(l, f->name);
    for (int i = 0; i + 1 < t->n; i++)
        if (strcmp(t->field[i].name, f->name) == 0 && strcmp(f->name, "-") != 0)
            lex_die(&lex, l, "field %s twice", f->name);
    array(l, l->word[1], f);
    kind_set(l, l->word[1], f);
    if ((strcmp(f->name, "-") == 0) != is_kind(f, "pad"))
        lex_die(&lex, l, "pad has the name \"-\", and nothing else has");
    f->lo = INT64_MIN;
    f->hi = INT64_MAX;
    f->scale = is_kind(f, "dec") ? 3 : is_kind(f, "money") ? 4 : 0;
    if (is_kind(f, "text"))
        f->lo = 0;
    field_words(l, f);
}

static void enum_words(const struct lex_line *l, struct enumeration *e, int from)
{
    for (int i = from; i < l->n; i++) {
        if (e->n == VALUES_MAX)
            lex_die(&lex, l, "too many values");
        e->value[e->n++] = l->word[i];
    }
}

static struct enumeration *enum_new(const struct lex_line *l)
{
    struct enumeration *e = need(calloc(1, sizeof *e));
    if (l->n < 2)
        lex_die(&lex, l, "an enum needs a name");
    name_check(l, l->word[1]);
    e->name = l->word[1];
    if (type_find(e->name) || enum_find(e->name) || n_enums == ENUMS_MAX)
        lex_die(&lex, l, "%s is defined twice, or too many enums", e->name);
    enum_words(l, e, 2);
    return enums[n_enums++] = e;
}

static int direction(const struct lex_line *l)
{
    static const char *const up[] = {"cs>csms", "pile>platform"};
    static const char *const down[] = {"csms>cs", "platform>pile"};
    int dir = 0;
    for (int i = 0; i < 2; i++) {
        dir |= lex_has(l, 2, up[i]) ? 1 : 0;
        dir |= lex_has(l, 2, down[i]) ? 2 : 0;
    }
    if (lex_has(l, 2, "cs<>csms") || lex_has(l, 2, "pile<>platform"))
        dir = 3;
    if (!dir)
        lex_die(&lex, l, "a message needs its direction, e.g. cs>csms");
    return dir;
}

/* Types and enums may be used above their definition: their names are taken first. */
static void names_read(void)
{
    for (size_t i = 0; i < lex.n; i++) {
        struct lex_line *l = &lex.lines[i];
        if (l->indent > 0)
            continue;
        if (strcmp(l->word[0], "enum") == 0)
            enum_new(l);
        else if (strcmp(l->word[0], "type") == 0 && l->n == 2)
            type_new(l, l->word[1], "");
    }
}

/* Gives the type that the fields below belong to: the body of a binary message. */
static struct type *msg_new(const struct lex_line *l)
{
    if (l->n < 3 || n_msgs == MSGS_MAX)
        lex_die(&lex, l, "a message is: msg [code] name direction");
    struct msg *m = &msgs[n_msgs++];
    m->name = l->word[binary ? 2 : 1];
    m->code = binary ? (int)strtol(l->word[1], NULL, 16) : 0;
    if (binary && (m->code < 1 || m->code > 255))
        lex_die(&lex, l, "bad frame type");
    m->dir = direction(l);
    m->zh = lex_opt(l, "zh", NULL);
    m->label = lex_opt(l, "en", NULL);
    if (binary)
        return m->req = type_new(l, m->name, "");
    m->req = type_new(l, m->name, "_req");
    m->res = type_new(l, m->name, "_res");
    return NULL;
}

/* A row of the section "names": what every field of that name is called, unless its row says it. */
static void name_read(const struct lex_line *l)
{
    if (n_names == NAMES_MAX)
        lex_die(&lex, l, "too many names");
    for (int i = 0; i < n_names; i++)
        if (strcmp(names[i].name, l->word[0]) == 0)
            lex_die(&lex, l, "%s is named twice", l->word[0]);
    names[n_names] = (struct name){.name = l->word[0],
                                   .zh = lex_opt(l, "zh", NULL),
                                   .label = lex_opt(l, "en", NULL),
                                   .class = l->n > 1 ? class_of(l->word[1]) : NULL};
    if (!names[n_names].zh || !names[n_names].label)
        lex_die(&lex, l, "a name needs zh and en");
    n_names++;
}

static int names_give_one(struct field *f, const struct name *n)
{
    if (strcmp(f->name, n->name) != 0)
        return 0;
    f->zh = f->zh ? f->zh : n->zh;
    f->label = f->label ? f->label : n->label;
    f->class = f->class ? f->class : n->class;
    return 1;
}

static void names_give(void)
{
    for (int k = 0; k < n_names; k++) {
        int used = 0;
        for (int i = 0; i < n_types; i++)
            for (int m = 0; m < types[i]->n; m++)
                used += names_give_one(&types[i]->field[m], &names[k]);
        if (!used)
            lex_die(&lex, NULL, "no field is called %s", names[k].name);
    }
}

static void proto_set(const struct lex_line *l)
{
    if (proto || l->n < 3)
        lex_die(&lex, l, "one line \"proto name json|binary\" is needed");
    name_check(l, proto = l->word[1]);
    binary = strcmp(l->word[2], "binary") == 0;
    if (!binary && strcmp(l->word[2], "json") != 0)
        lex_die(&lex, l, "json or binary?");
}

static void table_read(void)
{
    struct type *t = NULL;
    struct enumeration *e = NULL;
    int naming = 0;
    for (size_t i = 0; i < lex.n; i++) {
        struct lex_line *l = &lex.lines[i];
        const char *w = l->word[0];
        int top = l->indent == 0;
        naming = top ? proto && strcmp(w, "names") == 0 : naming;
        if (!top && e) {
            enum_words(l, e, 0);
        } else if (naming && !top) {
            name_read(l);
        } else if (!top && l->n == 1 && n_msgs && !binary && !strcmp(w, "req")) {
            t = msgs[n_msgs - 1].req;
        } else if (!top && l->n == 1 && n_msgs && !binary && !strcmp(w, "res")) {
            t = msgs[n_msgs - 1].res;
        } else if (!top && t) {
            field_read(l, t);
        } else if (top) {
            t = NULL;
            e = NULL;
            if (naming)
                continue;
            if (strcmp(w, "proto") == 0)
                proto_set(l);
            else if (proto && strcmp(w, "enum") == 0)
                e = enum_find(l->word[1]);
            else if (proto && strcmp(w, "type") == 0 && l->n == 2)
                t = type_find(l->word[1]);
            else if (proto && strcmp(w, "msg") == 0)
                t = msg_new(l);
            else
                lex_die(&lex, l, "proto, enum, type or msg is expected");
        } else {
            lex_die(&lex, l, "a row without a type");
        }
    }
    if (!proto)
        lex_die(&lex, NULL, "no proto line");
}

/* ---- writing ---- */

static FILE *h, *c;

/* A wire name as part of a C name. */
static const char *ident(const char *s)
{
    static char out[128];
    size_t n = 0;
    for (; *s && n + 1 < sizeof out; s++)
        out[n++] = strchr("-. /:", *s) ? '_' : *s;
    out[n] = 0;
    return out;
}

static const char *member(const char *name)
{
    static const char *const words[] = {"default", "register", "switch", "case",   "int",
                                        "long",    "short",    "auto",   "const",  "static",
                                        "void",    "union",    "struct", "return", "enum"};
    static char out[128];
    snprintf(out, sizeof out, "%s", name);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], name) == 0)
            snprintf(out, sizeof out, "%s_", name);
    return out;
}

static void enum_write(const struct enumeration *e)
{
    fprintf(h, "enum %s_%s {\n    %s_%s_NONE,\n", proto, e->name, proto, e->name);
    fprintf(c, "static const struct str %s_%s_values[] = {\n", proto, e->name);
    for (int i = 0; i < e->n; i++) {
        fprintf(h, "    %s_%s_%s,\n", proto, e->name, ident(e->value[i]));
        fprintf(c, "    {\"%s\", %zu},\n", e->value[i], strlen(e->value[i]));
    }
    fprintf(h, "};\nextern const struct wire_enum %s_%s_enum;\n\n", proto, e->name);
    fprintf(c, "};\nconst struct wire_enum %s_%s_enum = {\"%s\", %s_%s_values, %d};\n\n", proto,
            e->name, e->name, proto, e->name, e->n);
}

static void c_type_write(FILE *out, const struct field *f)
{
    fprintf(out, "%s", f->kind->c_type);
    if (f->en)
        fprintf(out, "%s_%s ", proto, f->en->name);
    if (f->type)
        fprintf(out, "%s_%s ", proto, f->type->name);
}

static int text_size(const struct field *f)
{
    if (is_kind(f, "ascii"))
        return f->arg + 1;
    return is_kind(f, "bcd") || is_kind(f, "hex") ? 2 * f->arg + 1 : 0;
}

static void member_write(const struct field *f)
{
    if (is_kind(f, "pad"))
        return;
    fprintf(h, "    ");
    c_type_write(h, f);
    fprintf(h, "%s%s", f->shape == LIST ? "*" : "", member(f->name));
    if (f->shape != ONE && f->shape != LIST)
        fprintf(h, "[%lu]", f->max_n);
    if (text_size(f))
        fprintf(h, "[%d]", text_size(f));
    fprintf(h, ";");
    if (f->unit || f->scale)
        fprintf(h, " /* ×10^%d %s */", f->scale, f->unit ? f->unit : "");
    fprintf(h, "\n");
    if (f->shape == LIST || f->shape == COUNTED || f->shape == REST)
        fprintf(h, "    uint32_t %s_n;\n", f->name);
}

static int members(const struct type *t)
{
    int n = 0;
    for (int i = 0; i < t->n; i++)
        n += !is_kind(&t->field[i], "pad");
    return n;
}

static void struct_write(struct type *t)
{
    int optional = 0;
    fprintf(h, "struct %s_%s {\n", proto, t->name);
    for (int i = 0; i < t->n; i++) {
        member_write(&t->field[i]);
        optional += t->field[i].optional;
    }
    if (!members(t))
        fprintf(h, "    char nothing;\n");
    if (optional) {
        fprintf(h, "    struct {\n        bool ");
        for (int i = 0; i < t->n; i++)
            if (t->field[i].optional)
                fprintf(h, "%s%s", member(t->field[i].name), --optional ? ", " : ";\n");
        fprintf(h, "    } has;\n");
    }
    fprintf(h, "};\nextern const struct wire_type %s_%s_type;\n\n", proto, t->name);
}

static void number_write(int64_t v)
{
    if (v == INT64_MIN)
        fprintf(c, "INT64_MIN");
    else if (v == INT64_MAX)
        fprintf(c, "INT64_MAX");
    else
        fprintf(c, "INT64_C(%lld)", (long long)v);
}

static void quoted_write(const char *name, const char *s)
{
    if (s)
        fprintf(c, ", .%s = \"%s\"", name, s);
}

static void flags_write(const struct field *f)
{
    static const char *const flags[] = {"", " | WIRE_ARRAY", " | WIRE_ARRAY",
                                        " | WIRE_ARRAY | WIRE_COUNTED",
                                        " | WIRE_ARRAY | WIRE_REST"};
    fprintf(c, ", .flags = %s%s%s", f->optional ? "WIRE_OPTIONAL" : "0", flags[f->shape],
            f->class ? f->class : "");
}

static void places_write(const struct type *t, const struct field *f)
{
    if (is_kind(f, "pad"))
        return;
    fprintf(c, ",\n     .offset = offsetof(struct %s_%s, %s)", proto, t->name, member(f->name));
    if (f->optional)
        fprintf(c, ", .has = offsetof(struct %s_%s, has.%s)", proto, t->name, member(f->name));
    if (f->shape == LIST || f->shape == COUNTED || f->shape == REST)
        fprintf(c, ", .count = offsetof(struct %s_%s, %s_n)", proto, t->name, f->name);
    fprintf(c, ", .size = ");
    if (text_size(f)) {
        fprintf(c, "%d", text_size(f));
        return;
    }
    fprintf(c, "sizeof(");
    c_type_write(c, f);
    fprintf(c, ")");
}

static void row_write(const struct type *t, const struct field *f)
{
    fprintf(c, "    {.name = \"%s\", .name_n = %zu, .kind = WIRE_%s", f->name, strlen(f->name),
            f->kind->tag);
    flags_write(f);
    fprintf(c, ", .scale = %d, .width = %d", f->scale, f->arg ? f->arg : f->kind->width);
    places_write(t, f);
    if (f->shape != ONE)
        fprintf(c, ",\n     .min_n = %luu, .max_n = %luu", f->min_n, f->max_n);
    fprintf(c, ",\n     .lo = ");
    number_write(f->lo);
    fprintf(c, ", .hi = ");
    number_write(f->hi);
    if (f->bias)
        fprintf(c, ", .bias = %lld", (long long)f->bias);
    if (f->type)
        fprintf(c, ", .type = &%s_%s_type", proto, f->type->name);
    if (f->en)
        fprintf(c, ", .en = &%s_%s_enum", proto, f->en->name);
    quoted_write("unit", f->unit);
    quoted_write("zh", f->zh);
    quoted_write("label", f->label);
    fprintf(c, "},\n");
}

/* C needs a struct before another one holds it; the depth is that of the table. */
static void type_write(struct type *t)
{
    if (t->written)
        return;
    if (t->open)
        lex_die(&lex, NULL, "type %s contains itself", t->name);
    t->open = 1;
    for (int i = 0; i < t->n; i++)
        if (t->field[i].type && t->field[i].shape != LIST)
            type_write(t->field[i].type);
    t->written = 1;
    struct_write(t);
    if (t->n) {
        fprintf(c, "static const struct wire_field %s_%s_fields[] = {\n", proto, t->name);
        for (int i = 0; i < t->n; i++)
            row_write(t, &t->field[i]);
        fprintf(c, "};\n");
    }
    fprintf(c, "const struct wire_type %s_%s_type = {\"%s\", ", proto, t->name, t->name);
    if (t->n)
        fprintf(c, "%s_%s_fields", proto, t->name);
    else
        fprintf(c, "NULL");
    fprintf(c, ", %d, sizeof(struct %s_%s)};\n\n", t->n, proto, t->name);
}

static int msg_order(const void *a, const void *b)
{
    return strcmp(((const struct msg *)a)->name, ((const struct msg *)b)->name);
}

static void msg_write(const struct msg *m)
{
    fprintf(c, "    {.name = \"%s\", .code = %d, .dir = %d, .req = &%s_%s_type", m->name, m->code,
            m->dir, proto, m->req->name);
    if (m->res)
        fprintf(c, ", .res = &%s_%s_type", proto, m->res->name);
    quoted_write("zh", m->zh);
    quoted_write("label", m->label);
    fprintf(c, "},\n");
}

static void proto_write(void)
{
    fprintf(h, "extern const struct wire_proto %s_proto;\n\n#endif\n", proto);
    if (n_msgs) {
        fprintf(c, "static const struct wire_msg %s_msgs[] = {\n", proto);
        for (int i = 0; i < n_msgs; i++)
            msg_write(&msgs[i]);
        fprintf(c, "};\n");
    }
    if (n_types) {
        fprintf(c, "static const struct wire_type *const %s_types[] = {\n", proto);
        for (int i = 0; i < n_types; i++)
            fprintf(c, "    &%s_%s_type,\n", proto, types[i]->name);
        fprintf(c, "};\n");
    }
    if (n_enums) {
        fprintf(c, "static const struct wire_enum *const %s_enums[] = {\n", proto);
        for (int i = 0; i < n_enums; i++)
            fprintf(c, "    &%s_%s_enum,\n", proto, enums[i]->name);
        fprintf(c, "};\n");
    }
    fprintf(c, "const struct wire_proto %s_proto = {.name = \"%s\"", proto, proto);
    if (n_msgs)
        fprintf(c, ", .msg = %s_msgs, .n = %d", proto, n_msgs);
    if (n_types)
        fprintf(c, ", .type = %s_types, .type_n = %d", proto, n_types);
    if (n_enums)
        fprintf(c, ", .en = %s_enums, .en_n = %d", proto, n_enums);
    fprintf(c, "};\n");
}

static void dict_write(const char *path)
{
    FILE *d = fopen(path, "wb");
    if (!d) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < n_msgs; i++)
        if (binary) /* a frame type, as tapes of frames write it */
            fprintf(d, "\">%02X\"\n", msgs[i].code);
        else
            fprintf(d, "\"\\\"%s\\\"\"\n", msgs[i].name);
    if (binary) { /* its names are not on the wire */
        gen_close(d, path);
        return;
    }
    for (int i = 0; i < n_types; i++)
        for (int k = 0; k < types[i]->n; k++)
            fprintf(d, "\"\\\"%s\\\":\"\n", types[i]->field[k].name);
    for (int i = 0; i < n_enums; i++)
        for (int k = 0; k < enums[i]->n; k++)
            fprintf(d, "\"\\\"%s\\\"\"\n", enums[i]->value[k]);
    gen_close(d, path);
}

static void guard_write(void)
{
    char upper[96];
    size_t n = 0;
    for (; proto[n] && n + 1 < sizeof upper; n++)
        upper[n] = (char)(proto[n] >= 'a' && proto[n] <= 'z' ? proto[n] - 32 : proto[n]);
    upper[n] = 0;
    fprintf(h, "#ifndef EVEN_GEN_%s_MSG_H\n#define EVEN_GEN_%s_MSG_H\n\n", upper, upper);
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: gen_msg in.msg out.h out.c [out.dict]\n");
        return 1;
    }
    lex_read(&lex, argv[1]);
    names_read();
    table_read();
    names_give();
    qsort(msgs, (size_t)n_msgs, sizeof msgs[0], msg_order);
    h = gen_open(argv[2], argv[1]);
    c = gen_open(argv[3], argv[1]);
    const char *slash = strrchr(argv[2], '/');
    guard_write();
    fprintf(h, "#include \"wire/wire.h\"\n\n");
    fprintf(c, "#include \"%s\"\n\n", slash ? slash + 1 : argv[2]);
    for (int i = 0; i < n_enums; i++)
        enum_write(enums[i]);
    for (int i = 0; i < n_types; i++)
        type_write(types[i]);
    proto_write();
    gen_close(h, argv[2]);
    gen_close(c, argv[3]);
    if (argc == 5)
        dict_write(argv[4]);
    return 0;
}
