// SPDX-License-Identifier: Apache-2.0
/* gen_routes.c: routes.tbl + permissions.tbl + api.msg → the table of routes with a trie to find
 * them (routes_gen.h, routes_gen.c), the OpenAPI 3.1 description (openapi.json) and TypeScript
 * (api.gen.ts). The C structs of the types are made by gen_wire from the same api.msg.
 *
 * Usage: gen_routes routes.tbl permissions.tbl api.msg types-header out.h out.c openapi.json
 * api.gen.ts
 *
 * Checked here, so that a mistake ends the build: unknown permissions, types and kinds, two routes
 * of one method and path, a route with both or neither of fn= and query=, page without a list. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lex.h"

enum { ROUTES_MAX = 256, PERMS_MAX = 64, TYPES_MAX = 256, NODES_MAX = 1024 };

static const char *const roles[] = {"none", "admin", "operator", "partner", "driver", "viewer"};
static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
enum { ROLES = 6, METHODS = 4 };

struct perm {
    const char *name;
    unsigned mask;
};
struct type {
    const char *name;
    size_t first, last; /* lines of its fields, last excluded */
};
struct route {
    const struct lex_line *line;
    const char *path, *name, *perm, *in, *out, *fn, *query, *args;
    char out_type[64];
    int method, list;
    unsigned mask;
};
struct node {
    char seg[64];
    int child, sibling, route[METHODS];
};

static struct lex lr, lp, lt;
static struct perm perms[PERMS_MAX];
static struct type types[TYPES_MAX];
static struct route routes[ROUTES_MAX];
static struct node nodes[NODES_MAX];
static int perms_n, types_n, routes_n, nodes_n;

static int index_of(const char *const *list, int n, const char *word)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return i;
    return -1;
}

static const struct type *type_find(const char *name)
{
    for (int i = 0; i < types_n; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

static void perms_read(void)
{
    for (size_t i = 0; i < lp.n; i++) {
        struct lex_line *line = &lp.lines[i];
        if (perms_n == PERMS_MAX)
            lex_die(&lp, line, "too many permissions");
        struct perm *p = &perms[perms_n++];
        p->name = line->word[0];
        for (int w = 1; w < line->n; w++) {
            int r = index_of(roles, ROLES, line->word[w]);
            if (r < 0)
                lex_die(&lp, line, "unknown role %s", line->word[w]);
            p->mask |= 1u << r;
        }
    }
}

static void types_read(void)
{
    for (size_t i = 0; i < lt.n; i++) {
        struct lex_line *line = &lt.lines[i];
        if (line->indent > 0 || strcmp(line->word[0], "type") != 0)
            continue;
        if (types_n == TYPES_MAX || line->n < 2)
            lex_die(&lt, line, "bad type");
        struct type *t = &types[types_n++];
        t->name = line->word[1];
        t->first = i + 1;
        for (t->last = t->first; t->last < lt.n && lt.lines[t->last].indent > 0;)
            t->last++;
    }
}

static unsigned perm_mask(const struct lex_line *line, const char *name)
{
    for (int i = 0; i < perms_n; i++)
        if (strcmp(perms[i].name, name) == 0)
            return perms[i].mask;
    lex_die(&lr, line, "unknown permission %s", name);
}

/* "Type[]" → Type and list; text, json, svg, sse, xlsx, pdf, file stay as they are. */
static void route_out(struct route *r)
{
    const char *bracket = strchr(r->out, '[');
    size_t n = bracket ? (size_t)(bracket - r->out) : strlen(r->out);
    static const char *const plain[] = {"text", "json", "svg", "sse", "xlsx", "pdf", "file"};
    if (n >= sizeof r->out_type)
        lex_die(&lr, r->line, "long type name");
    memcpy(r->out_type, r->out, n);
    r->list = bracket != NULL;
    if (!r->list && index_of(plain, (int)(sizeof plain / sizeof plain[0]), r->out_type) >= 0)
        return;
    if (!type_find(r->out_type))
        lex_die(&lr, r->line, "unknown type %s", r->out_type);
}

/* These are bound from the log-in (web/query.c): an argument of that name would be read by nobody. */
static void args_check(const struct lex_line *line, const char *args)
{
    static const char *const taken[] = {"tenant", "scope",  "actor",  "party", "id",
                                        "after",  "after2", "after3", "lim",   "clear"};
    for (const char *p = args; *p;) {
        size_t n = strcspn(p, " "), name = strcspn(p, ":");
        for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
            if (strlen(taken[i]) == name && memcmp(p, taken[i], name) == 0)
                lex_die(&lr, line, "the argument %s is bound from the log-in", taken[i]);
        p += n + (p[n] == ' ');
    }
}

static void route_read(const struct lex_line *line)
{
    if (routes_n == ROUTES_MAX || line->n < 3)
        lex_die(&lr, line, "bad route");
    struct route *r = &routes[routes_n++];
    r->line = line;
    r->method = index_of(methods, METHODS, line->word[0]);
    r->path = line->word[1];
    r->perm = lex_opt(line, "perm", "");
    r->mask = perm_mask(line, r->perm);
    r->in = lex_opt(line, "in", NULL);
    r->out = lex_opt(line, "out", "");
    r->fn = lex_opt(line, "fn", NULL);
    r->query = lex_opt(line, "query", NULL);
    r->args = lex_opt(line, "args", "");
    args_check(line, r->args);
    r->name = r->fn ? r->fn : r->query;
    if (r->method < 0 || r->path[0] != '/')
        lex_die(&lr, line, "METHOD /path expected");
    if (!r->fn == !r->query)
        lex_die(&lr, line, "one of fn= and query= expected");
    if (r->in && !type_find(r->in))
        lex_die(&lr, line, "unknown type %s", r->in);
    route_out(r);
    if (lex_has(line, 2, "page") && !r->list)
        lex_die(&lr, line, "page without a list");
    if (lex_has(line, 2, "raw") && r->in)
        lex_die(&lr, line, "a raw body has no type");
    if (lex_has(line, 2, "slow") && lex_has(line, 2, "idem"))
        lex_die(&lr, line, "a slow route changes nothing");
    for (int i = 0; i < routes_n - 1; i++)
        if (routes[i].method == r->method && strcmp(routes[i].path, r->path) == 0)
            lex_die(&lr, line, "this route is there already");
}

static int node_new(const char *seg, size_t n)
{
    if (nodes_n == NODES_MAX || n >= sizeof nodes[0].seg)
        lex_die(&lr, NULL, "too many or too long segments");
    struct node *d = &nodes[nodes_n];
    memcpy(d->seg, seg, n);
    d->child = d->sibling = -1;
    for (int m = 0; m < METHODS; m++)
        d->route[m] = -1;
    return nodes_n++;
}

/* The child of that name; literals stand before {parameters}, so that they win. */
static int node_child(int parent, const char *seg, size_t n)
{
    int *link = &nodes[parent].child;
    while (*link >= 0) {
        struct node *d = &nodes[*link];
        if (strlen(d->seg) == n && strncmp(d->seg, seg, n) == 0)
            return *link;
        if (d->seg[0] == '{')
            break;
        link = &d->sibling;
    }
    if (*link >= 0 && seg[0] == '{')
        lex_die(&lr, NULL, "two parameters in one place: %s", seg);
    int next = *link, made = node_new(seg, n);
    nodes[made].sibling = next;
    *link = made;
    return made;
}

static void trie_build(void)
{
    node_new("", 0);
    for (int i = 0; i < routes_n; i++) {
        int at = 0;
        for (const char *p = routes[i].path; *p == '/';) {
            size_t n = strcspn(++p, "/");
            at = node_child(at, p, n);
            p += n;
        }
        nodes[at].route[routes[i].method] = i;
    }
}

static void upper_write(FILE *f, const char *word)
{
    for (; *word; word++)
        fputc(*word == '.' ? '_' : toupper((unsigned char)*word), f);
}

static void header_write(const char *path)
{
    FILE *f = gen_open(path, lr.path);
    fprintf(f, "#ifndef EVEN_ROUTES_GEN_H\n#define EVEN_ROUTES_GEN_H\nstruct request;\n");
    for (int i = 0; i < routes_n; i++)
        if (routes[i].fn)
            fprintf(f, "int %s(struct request *r);\n", routes[i].fn);
    for (int i = 0; i < perms_n; i++) {
        fprintf(f, "#define PERM_");
        upper_write(f, perms[i].name);
        fprintf(f, " 0x%xu\n", perms[i].mask);
    }
    fprintf(f, "#endif\n");
    gen_close(f, path);
}

/* args="station:id state:int" → rows; the words are split here because the lexer keeps quoted text
 * whole. */
static void args_write(FILE *f, const struct route *r, int at)
{
    static const char *const kinds[] = {"id", "int", "time", "text"};
    static const char *const names[] = {"ID", "INT", "TIME", "TEXT"};
    if (!r->args[0])
        return;
    fprintf(f, "static const struct route_arg args_%d[] = {", at);
    for (const char *p = r->args; *p;) {
        size_t n = strcspn(p, " "), name = strcspn(p, ":");
        char kind[16] = "";
        if (name >= n || n - name > sizeof kind)
            lex_die(&lr, r->line, "name:kind expected");
        memcpy(kind, p + name + 1, n - name - 1);
        int k = index_of(kinds, 4, kind);
        if (k < 0)
            lex_die(&lr, r->line, "unknown kind %s", kind);
        fprintf(f, "{\"%.*s\", ARG_%s}, ", (int)name, p, names[k]);
        p += n + (p[n] == ' ');
    }
    fprintf(f, "};\n");
}

static void route_write(FILE *f, const struct route *r, int at)
{
    int typed = type_find(r->out_type) != NULL, args = 0;
    for (const char *p = r->args; *p; p++)
        args += *p == ':';
    fprintf(f, "    {\"%s\", \"%s\", ROUTE_%s, %s%s%s%s%s0, REPLY_", r->name, r->path,
            methods[r->method], lex_has(r->line, 2, "idem") ? "ROUTE_IDEM | " : "",
            lex_has(r->line, 2, "page") ? "ROUTE_PAGE | " : "",
            lex_has(r->line, 2, "raw") ? "ROUTE_RAW | " : "", r->list ? "ROUTE_LIST | " : "",
            lex_has(r->line, 2, "slow") ? "ROUTE_SLOW | " : "");
    if (typed)
        fprintf(f, "TYPE");
    else
        upper_write(f, r->out_type);
    fprintf(f, ", 0x%x, \"%s\", ", r->mask, r->perm);
    if (r->in)
        fprintf(f, "&api_%s_type, ", r->in);
    else
        fprintf(f, "NULL, ");
    if (typed)
        fprintf(f, "&api_%s_type, ", r->out_type);
    else
        fprintf(f, "NULL, ");
    fprintf(f, "%s, ", r->fn ? r->fn : "NULL");
    if (r->query) {
        fprintf(f, "QUERY_");
        upper_write(f, r->query);
        fprintf(f, ", ");
    } else {
        fprintf(f, "-1, ");
    }
    if (args)
        fprintf(f, "args_%d, %d},\n", at, args);
    else
        fprintf(f, "NULL, 0},\n");
}

static void code_write(const char *path, const char *types_header)
{
    FILE *f = gen_open(path, lr.path);
    fprintf(f, "#include \"web/route.h\"\n#include \"%s\"\n#include \"web/routes_gen.h\"\n",
            types_header);
    for (int i = 0; i < routes_n; i++)
        args_write(f, &routes[i], i);
    fprintf(f, "const struct route routes[] = {\n");
    for (int i = 0; i < routes_n; i++)
        route_write(f, &routes[i], i);
    fprintf(f, "};\nconst int routes_n = %d;\nconst struct route_node route_nodes[] = {\n",
            routes_n);
    for (int i = 0; i < nodes_n; i++) {
        const struct node *d = &nodes[i];
        fprintf(f, "    {\"%s\", %zu, %d, %d, {%d, %d, %d, %d}},\n", d->seg, strlen(d->seg),
                d->child, d->sibling, d->route[0], d->route[1], d->route[2], d->route[3]);
    }
    fprintf(f, "};\n");
    gen_close(f, path);
}

/* One field of a type as the two descriptions see it. */
struct field {
    const char *name, *kind, *lo, *hi;
    char base[64];
    int optional, array;
};

static struct field field_read(const struct lex_line *line)
{
    struct field d = {.name = line->word[0], .kind = line->word[1], .lo = "", .hi = ""};
    size_t n = strcspn(d.kind, "[");
    if (n >= sizeof d.base)
        lex_die(&lt, line, "long kind");
    memcpy(d.base, d.kind, n);
    d.array = d.kind[n] == '[';
    d.optional = lex_has(line, 2, "?");
    if (line->n > 2 && isdigit((unsigned char)line->word[2][0])) {
        char *dots = strstr(line->word[2], "..");
        static char lo[2][32];
        static int turn;
        turn ^= 1;
        d.hi = dots ? dots + 2 : line->word[2];
        size_t len = dots ? (size_t)(dots - line->word[2]) : 0;
        if (len >= sizeof lo[0])
            lex_die(&lt, line, "long bound");
        memcpy(lo[turn], line->word[2], len);
        lo[turn][len] = 0;
        d.lo = lo[turn];
    }
    return d;
}

static void bounds_write(FILE *f, const char *min, const char *max, const struct field *d)
{
    if (d->lo[0])
        fprintf(f, ",\"%s\":%s", min, d->lo);
    if (d->hi[0])
        fprintf(f, ",\"%s\":%s", max, d->hi);
}

static void schema_write(FILE *f, const struct lex_line *line, const struct field *d)
{
    if (d->array)
        fprintf(f, "{\"type\":\"array\",\"items\":");
    if (strcmp(d->base, "id") == 0) {
        fprintf(f, "{\"type\":\"string\",\"pattern\":\"^[0-9]{1,19}$\"}");
    } else if (strcmp(d->base, "money") == 0) {
        fprintf(f, "{\"type\":\"string\",\"pattern\":\"^-?[0-9]+([.][0-9]{1,4})?$\"}");
    } else if (strcmp(d->base, "time") == 0) {
        fprintf(f, "{\"type\":\"integer\",\"description\":\"ms since 1970 UTC\"}");
    } else if (strcmp(d->base, "int") == 0) {
        fprintf(f, "{\"type\":\"integer\"");
        bounds_write(f, "minimum", "maximum", d);
        fprintf(f, "}");
    } else if (strcmp(d->base, "text") == 0) {
        fprintf(f, "{\"type\":\"string\"");
        bounds_write(f, "minLength", "maxLength", d);
        fprintf(f, "}");
    } else if (strcmp(d->base, "bool") == 0) {
        fprintf(f, "{\"type\":\"boolean\"}");
    } else if (strcmp(d->base, "json") == 0) {
        fprintf(f, "{}");
    } else if (type_find(d->base)) {
        fprintf(f, "{\"$ref\":\"#/components/schemas/%s\"}", d->base);
    } else {
        lex_die(&lt, line, "unknown kind %s", d->base);
    }
    if (d->array)
        fprintf(f, "}");
}

static void openapi_types(FILE *f)
{
    for (int i = 0; i < types_n; i++) {
        fprintf(f, "%s\"%s\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{",
                i ? "," : "", types[i].name);
        for (size_t k = types[i].first; k < types[i].last; k++) {
            struct field d = field_read(&lt.lines[k]);
            fprintf(f, "%s\"%s\":", k > types[i].first ? "," : "", d.name);
            schema_write(f, &lt.lines[k], &d);
        }
        fprintf(f, "},\"required\":[");
        int some = 0;
        for (size_t k = types[i].first; k < types[i].last; k++) {
            struct field d = field_read(&lt.lines[k]);
            if (!d.optional)
                fprintf(f, "%s\"%s\"", some++ ? "," : "", d.name);
        }
        fprintf(f, "]}");
    }
}

static void parameter_write(FILE *f, int *n, const char *name, int len, const char *rest)
{
    fprintf(f, "%s{\"name\":\"%.*s\",%s}", (*n)++ ? "," : "", len, name, rest);
}

static void openapi_parameters(FILE *f, const struct route *r)
{
    int n = 0;
    const char *brace = strchr(r->path, '{');
    fprintf(f, "\"parameters\":[");
    if (brace)
        parameter_write(f, &n, brace + 1, (int)strcspn(brace + 1, "}"),
                        "\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}");
    if (lex_has(r->line, 2, "page")) {
        parameter_write(f, &n, "after", 5, "\"in\":\"query\",\"schema\":{\"type\":\"string\"}");
        parameter_write(f, &n, "limit", 5,
                        "\"in\":\"query\",\"schema\":{\"type\":\"integer\",\"minimum\":1,"
                        "\"maximum\":200,\"default\":50}");
    }
    for (const char *p = r->args; *p;) {
        size_t w = strcspn(p, " "), name = strcspn(p, ":");
        int number = strncmp(p + name + 1, "int", 3) == 0 || strncmp(p + name + 1, "time", 4) == 0;
        parameter_write(f, &n, p, (int)name,
                        number ? "\"in\":\"query\",\"schema\":{\"type\":\"integer\"}"
                               : "\"in\":\"query\",\"schema\":{\"type\":\"string\"}");
        p += w + (p[w] == ' ');
    }
    if (lex_has(r->line, 2, "idem"))
        parameter_write(f, &n, "Idempotency-Key", 15,
                        "\"in\":\"header\",\"required\":true,\"schema\":{\"type\":\"string\","
                        "\"minLength\":1,\"maxLength\":128}");
    if (strcmp(methods[r->method], "PUT") == 0)
        parameter_write(f, &n, "If-Match", 8,
                        "\"in\":\"header\",\"required\":true,\"schema\":{\"type\":\"string\"}");
    fprintf(f, "]");
}

static const char *plain_mime(const char *kind)
{
    static const char *const mimes[][2] = {
        {"svg", "image/svg+xml"},
        {"sse", "text/event-stream"},
        {"pdf", "application/pdf"},
        {"file", "application/octet-stream"},
        {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    };
    for (size_t i = 0; i < sizeof mimes / sizeof mimes[0]; i++)
        if (strcmp(mimes[i][0], kind) == 0)
            return mimes[i][1];
    return "text/plain";
}

static void openapi_reply(FILE *f, const struct route *r)
{
    fprintf(f, "\"responses\":{\"%d\":{\"description\":\"OK\",\"content\":{", 200);
    if (r->list)
        fprintf(f,
                "\"application/json\":{\"schema\":{\"type\":\"object\",\"required\":[\"items\","
                "\"next\"],\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"$ref\":"
                "\"#/components/schemas/%s\"}},\"next\":{\"type\":\"string\"}}}}",
                r->out_type);
    else if (type_find(r->out_type))
        fprintf(f, "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}",
                r->out_type);
    else if (strcmp(r->out_type, "json") == 0)
        fprintf(f, "\"application/json\":{\"schema\":{}}");
    else
        fprintf(f, "\"%s\":{\"schema\":{\"type\":\"string\"}}", plain_mime(r->out_type));
    fprintf(f,
            "}},\"default\":{\"description\":\"Problem\",\"content\":{\"application/problem+json\":"
            "{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}");
}

static void openapi_route(FILE *f, const struct route *r)
{
    static const char *const lower[] = {"get", "post", "put", "delete"};
    fprintf(f, "\"%s\":{\"operationId\":\"%s\",\"summary\":\"%s\",\"description\":\"%s\",",
            lower[r->method], r->name, lex_opt(r->line, "en", ""), lex_opt(r->line, "zh", ""));
    fprintf(f, "\"x-permission\":\"%s\",", r->perm);
    if (strcmp(r->perm, "public") == 0)
        fprintf(f, "\"security\":[],");
    openapi_parameters(f, r);
    if (r->in)
        fprintf(f,
                ",\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":"
                "{\"$ref\":\"#/components/schemas/%s\"}}}}",
                r->in);
    fprintf(f, ",");
    openapi_reply(f, r);
    fprintf(f, "}");
}

static void openapi_write(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        lex_die(&lr, NULL, "cannot write %s", path);
    fprintf(f, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"EVen\",\"version\":\"1\","
               "\"description\":\"Ids and "
               "money are strings, times are milliseconds since 1970, energy mWh, power W.\"},"
               "\"security\":[{\"cookie\":[]},{\"key\":[]}],\"paths\":{");
    int paths = 0;
    for (int i = 0; i < routes_n; i++) {
        int first = 1, ops = 0;
        for (int k = 0; k < i; k++)
            first = first && strcmp(routes[k].path, routes[i].path) != 0;
        if (!first)
            continue;
        fprintf(f, "%s\"%s\":{", paths++ ? "," : "", routes[i].path);
        for (int k = i; k < routes_n; k++) {
            if (strcmp(routes[k].path, routes[i].path) != 0)
                continue;
            fprintf(f, "%s", ops++ ? "," : "");
            openapi_route(f, &routes[k]);
        }
        fprintf(f, "}");
    }
    fprintf(
        f,
        "},\"components\":{\"securitySchemes\":{\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\","
        "\"name\":\"even_session\"},\"key\":{\"type\":\"http\",\"scheme\":\"bearer\"}},\"schemas\":"
        "{");
    openapi_types(f);
    fprintf(f, "}}}\n");
    gen_close(f, path);
}

static void ts_kind(FILE *f, const struct field *d)
{
    if (strcmp(d->base, "id") == 0 || strcmp(d->base, "money") == 0 || strcmp(d->base, "text") == 0)
        fprintf(f, "string");
    else if (strcmp(d->base, "int") == 0 || strcmp(d->base, "time") == 0)
        fprintf(f, "number");
    else if (strcmp(d->base, "bool") == 0)
        fprintf(f, "boolean");
    else if (strcmp(d->base, "json") == 0)
        fprintf(f, "unknown");
    else
        fprintf(f, "%s", d->base);
    fprintf(f, "%s", d->array ? "[]" : "");
}

static void ts_route(FILE *f, const struct route *r)
{
    fprintf(f, "  %s: { method: '%s', path: '%s', idem: %s, page: %s, list: %s },\n", r->name,
            methods[r->method], r->path, lex_has(r->line, 2, "idem") ? "true" : "false",
            lex_has(r->line, 2, "page") ? "true" : "false", r->list ? "true" : "false");
}

static void ts_write(const char *path)
{
    FILE *f = gen_open(path, lr.path);
    fprintf(f, "/* Ids and money are strings, times ms since 1970, energy mWh, power W. */\n");
    for (int i = 0; i < types_n; i++) {
        fprintf(f, "export interface %s {\n", types[i].name);
        for (size_t k = types[i].first; k < types[i].last; k++) {
            struct field d = field_read(&lt.lines[k]);
            fprintf(f, "  %s%s: ", d.name, d.optional ? "?" : "");
            ts_kind(f, &d);
            fprintf(f, "\n");
        }
        fprintf(f, "}\n");
    }
    fprintf(f, "export interface Page<T> {\n  items: T[]\n  next: string\n}\n");
    fprintf(f, "export const routes = {\n");
    for (int i = 0; i < routes_n; i++)
        ts_route(f, &routes[i]);
    fprintf(f, "} as const\nexport type RouteName = keyof typeof routes\n");
    fprintf(f, "export interface RouteTypes {\n");
    for (int i = 0; i < routes_n; i++) {
        const struct route *r = &routes[i];
        int typed = type_find(r->out_type) != NULL;
        fprintf(f, "  %s: { in: %s; out: %s%s%s }\n", r->name, r->in ? r->in : "undefined",
                r->list ? "Page<" : "", typed ? r->out_type : "string", r->list ? ">" : "");
    }
    fprintf(f, "}\nexport const permissions = {\n");
    for (int i = 0; i < perms_n; i++)
        fprintf(f, "  '%s': %u,\n", perms[i].name, perms[i].mask);
    fprintf(f, "} as const\n");
    gen_close(f, path);
}

int main(int argc, char **argv)
{
    if (argc != 9) {
        fprintf(stderr, "usage: gen_routes routes.tbl permissions.tbl api.msg types.h out.h out.c "
                        "openapi.json api.gen.ts\n");
        return 1;
    }
    lex_read(&lr, argv[1]);
    lex_read(&lp, argv[2]);
    lex_read(&lt, argv[3]);
    perms_read();
    types_read();
    for (size_t i = 0; i < lr.n; i++)
        route_read(&lr.lines[i]);
    trie_build();
    header_write(argv[5]);
    code_write(argv[6], argv[4]);
    openapi_write(argv[7]);
    ts_write(argv[8]);
    return 0;
}
