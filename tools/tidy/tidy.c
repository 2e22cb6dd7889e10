// SPDX-License-Identifier: Apache-2.0
/* tidy.c: the house rules that a program can decide, as a test. It reads the tracked sources and
 * reports, one line each: floors     an include that goes up, or to a sibling (CONVENTIONS 2) sizes
 * files over 1,000 lines, functions over 70, the median function (CONVENTIONS 3, 4) head       SPDX
 * line first, then an essay (CONVENTIONS 3) banned     calls that nobody may use (CONVENTIONS 16)
 *   purity     what the core must not call, floating point where it is not allowed (CONVENTIONS 2,
 * 6) words      marks of unfinished work in the code Usage: tidy ROOT. Exit 1 when anything is
 * found. Lines come from `git ls-files` in ROOT/… given on standard input, or, without input, from
 * a walk of the folders it knows. Not a parser: a function is what starts with '{' in column 0 and
 * ends with '}' there. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LINE = 4096,
    PATH = 1024,
    FUNCTIONS = 65536,
    FILE_LINES = 1000,
    FUNCTION_LINES = 70,
    MEDIAN = 15
};

static int found;
static int sizes[FUNCTIONS], sizes_n;

static void report(const char *path, int line, const char *rule, const char *what)
{
    printf("%s:%d: %s: %s\n", path, line, rule, what);
    found++;
}

/* Which floor a path belongs to; siblings share a number but not a name. */
struct floor {
    const char *prefix;
    const char *may; /* prefixes of includes it may use, beside its own and base/ */
};
static const struct floor floors[] = {
    {"src/base/", ""},
    {"src/wire/", ""},
    {"src/io/os/", "io/os/"},
    {"src/io/net/", "io/net/ io/os/"},
    {"src/io/db/", "io/db/ io/os/"},
    {"src/core/", "core/"},
    {"src/store/", "store/ io/db/ io/os/ wire/ core/types.h core/cmd.h core/core.h core/rows.h"},
    {"src/gate/backlog", "gate/gate.h gate/backlog.h core/cmd.h"},
    {"src/gate/models", "gate/models.h"},
    {"src/gate/ocpp/",
     "gate/ocpp/ gate/gate.h gate/backlog.h gate/models.h wire/ io/ core/types.h core/cmd.h"},
    {"src/gate/ykc/",
     "gate/ykc/ gate/gate.h gate/backlog.h gate/models.h wire/ io/ core/types.h core/cmd.h"},
    {"src/rail/", "rail/ wire/ io/net/ io/os/ core/types.h core/cmd.h"},
    {"src/texts/", "texts/ wire/ io/net/ io/os/"},
    {"src/web/", "web/ store/ wire/ io/os/ core/types.h core/cmd.h core/core.h core/rows.h "
                 "core/tariff.h core/split.h core/withhold.h core/collect.h"},
    {"src/app/", "app/ web/ gate/ rail/ texts/ store/ core/ wire/ io/ sim/ cashier/"},
};

static bool starts(const char *s, const char *p)
{
    return strncmp(s, p, strlen(p)) == 0;
}

static bool may_include(const struct floor *f, const char *inc)
{
    if (starts(inc, "base/") || starts(inc, f->prefix + 4) || !strchr(inc, '/'))
        return true; /* names without a folder are generated */
    char list[256], *save = NULL;
    snprintf(list, sizeof list, "%s", f->may);
    for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save))
        if (starts(inc, w))
            return true;
    return false;
}

static void check_include(const char *path, int line, const char *text)
{
    char inc[256];
    if (sscanf(text, "#include \"%255[^\"]\"", inc) != 1)
        return;
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++)
        if (starts(path, floors[i].prefix) && !may_include(&floors[i], inc))
            report(path, line, "floors", inc);
}

/* The word stands alone and is called. */
static bool calls(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = strstr(text, name); p; p = strstr(p + 1, name)) {
        bool left = p == text || (!isalnum((unsigned char)p[-1]) && p[-1] != '_');
        const char *q = p + n;
        while (*q == ' ')
            q++;
        if (left && *q == '(')
            return true;
    }
    return false;
}

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strstr(text, word); p; p = strstr(p + 1, word)) {
        bool left = p == text || (!isalnum((unsigned char)p[-1]) && p[-1] != '_');
        bool right = !isalnum((unsigned char)p[n]) && p[n] != '_';
        if (left && right)
            return true;
    }
    return false;
}

static void check_calls(const char *path, int line, const char *code)
{
    static const char *const banned[] = {"strcpy", "strcat", "sprintf", "gets",      "strtok",
                                         "atoi",   "rand",   "time",    "localtime", "gmtime",
                                         "alloca", "setjmp", "longjmp", "system",    "popen"};
    static const char *const impure[] = {"malloc",        "calloc", "realloc", "free",
                                         "clock_gettime", "random", "printf",  "fopen",
                                         "read",          "write",  "open",    "getenv"};
    static const char *const integer[] = {"src/base/", "src/core/", "src/wire/", "src/store/",
                                          "src/gate/", "src/rail/", "src/texts/"};
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        if (calls(code, banned[i]))
            report(path, line, "banned", banned[i]);
    for (size_t i = 0; starts(path, "src/core/") && i < sizeof impure / sizeof *impure; i++)
        if (calls(code, impure[i]))
            report(path, line, "purity", impure[i]);
    for (size_t i = 0; i < sizeof integer / sizeof *integer; i++)
        if (starts(path, integer[i]) && (has_word(code, "float") || has_word(code, "double")))
            report(path, line, "purity", "floating point");
}

/* Cuts comments and strings out of a line so that words in them do not count. State: inside a block
 * comment. */
static void strip(const char *in, char *out, bool *comment)
{
    bool text = false;
    char quote = 0;
    for (; *in; in++) {
        if (*comment) {
            if (in[0] == '*' && in[1] == '/') {
                *comment = false;
                in++;
            }
        } else if (text) {
            if (*in == '\\' && in[1])
                in++;
            else if (*in == quote)
                text = false;
        } else if (in[0] == '/' && in[1] == '*') {
            *comment = true;
            in++;
        } else if (in[0] == '/' && in[1] == '/') {
            break;
        } else if (*in == '"' || *in == '\'') {
            text = true;
            quote = *in;
        } else {
            *out++ = *in;
        }
    }
    *out = 0;
}

static void check_words(const char *path, int line, const char *text)
{
    static const char *const words[] = {"TO"
                                        "DO",
                                        "FIX"
                                        "ME",
                                        "XX"
                                        "X",
                                        "HA"
                                        "CK"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(text, words[i]))
            report(path, line, "words", words[i]);
}

static void check_head(const char *path, int line, const char *text)
{
    if (line == 1 && !starts(text, "// SPDX-License-Identifier: Apache-2.0"))
        report(path, 1, "head", "the first line is not the SPDX line");
    if (line == 2 && !starts(text, "/*"))
        report(path, 2, "head", "no essay after the SPDX line");
}

static void function_end(const char *path, int start, int end)
{
    int n = end - start + 1;
    if (n > FUNCTION_LINES)
        report(path, start, "sizes", "function over 70 lines");
    if (sizes_n < FUNCTIONS && strstr(path, ".c"))
        sizes[sizes_n++] = n;
}

static void check_file(const char *root, const char *path)
{
    char full[PATH * 2], text[LINE], code[LINE];
    snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *f = fopen(full, "r");
    if (!f)
        return;
    bool comment = false;
    int line = 0, start = 0;
    while (fgets(text, sizeof text, f)) {
        line++;
        check_head(path, line, text);
        check_include(path, line, text);
        check_words(path, line, text);
        strip(text, code, &comment);
        check_calls(path, line, code);
        if (text[0] == '{')
            start = line;
        if (text[0] == '}' && start) {
            function_end(path, start, line);
            start = 0;
        }
    }
    if (line > FILE_LINES)
        report(path, line, "sizes", "file over 1,000 lines");
    fclose(f);
}

static bool is_source(const char *name)
{
    size_t n = strlen(name);
    return n > 2 && name[n - 2] == '.' && (name[n - 1] == 'c' || name[n - 1] == 'h');
}

static int by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* A short explicit stack of folders: the house is not deep. */
static void walk(const char *root, const char *top)
{
    static char stack[256][PATH];
    int n = 0;
    snprintf(stack[n++], PATH, "%s", top);
    while (n > 0) {
        char dir[PATH], full[PATH * 2];
        memcpy(dir, stack[--n], PATH);
        snprintf(full, sizeof full, "%s/%s", root, dir);
        DIR *d = opendir(full);
        for (struct dirent *e; d && (e = readdir(d));) {
            if (e->d_name[0] == '.' || strcmp(e->d_name, "node_modules") == 0)
                continue;
            char path[PATH + 300];
            struct stat st;
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
            snprintf(full, sizeof full, "%s/%.*s", root, PATH - 1, path);
            if (stat(full, &st) == 0 && S_ISDIR(st.st_mode) && n < 256)
                snprintf(stack[n++], PATH, "%.*s", PATH - 1, path);
            else if (is_source(e->d_name))
                check_file(root, path);
        }
        if (d)
            closedir(d);
    }
}

int main(int argc, char **argv)
{
    static const char *const tops[] = {"src", "sim", "cashier", "tools", "tests", "fuzz", "bench"};
    const char *root = argc > 1 ? argv[1] : ".";
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        walk(root, tops[i]);
    qsort(sizes, (size_t)sizes_n, sizeof *sizes, by_size);
    int median = sizes_n ? sizes[sizes_n / 2] : 0;
    printf("tidy: %d functions, median %d lines, %d findings\n", sizes_n, median, found);
    if (sizes_n == 0) {
        printf("tidy: no functions seen: wrong folder\n");
        return 1;
    }
    return found || median > MEDIAN ? 1 : 0;
}
