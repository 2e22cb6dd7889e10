// SPDX-License-Identifier: Apache-2.0
/* mutants.c: the checks of a C file, each of which can be taken away: `mutants FILE` lists them,
 * `mutants FILE write` prints the file so that check K is away while the environment says MUTANT=K.
 * With MUTANT=-1 all are there, and FIRES=1 says "FIRES K" whenever K is what would be missed: where that is
 * never said, nothing can tell mutant K from the original. TEST=NAME runs that test of a program of cmocka.
 *
 * A check is a term of what must() asserts, of an if whose body answers ERR_…, the error of what was called, or
 * why a notice is refused (RAIL_…), or of a `return` that answers one of two things. Terms are what stands between top-level && (of what must hold) or || (of what
 * must not). A term that is away is still evaluated, because some do the work as well, and then counts as kept. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 1 << 20, MUTANTS = 2000, TEXT = 400 };

struct mutant {
    size_t from, to; /* of the term */
    int line;
    bool must;        /* kept when true */
    const char *kind; /* "must", "check" (an if), "answer" (a return) */
};

static char text[FILE_BYTES + 1]; /* the file */
static char code[FILE_BYTES + 1]; /* the same with blanks for comments, strings and directives */
static size_t size;
static struct mutant mutants[MUTANTS];
static int n_mutants;

static void die(const char *what, const char *which)
{
    fprintf(stderr, "mutants: %s %s\n", what, which);
    exit(2);
}

static void file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("cannot open", path);
    size = fread(text, 1, FILE_BYTES, f);
    fclose(f);
    memcpy(code, text, size + 1);
}

/* End of what begins at i and is no code, or i. */
static size_t skip_end(size_t i)
{
    const char *end;
    if (strncmp(text + i, "/*", 2) == 0) {
        end = strstr(text + i + 2, "*/");
        return end ? (size_t)(end - text) + 2 : size;
    }
    if (strncmp(text + i, "//", 2) == 0 || (text[i] == '#' && (i == 0 || text[i - 1] == '\n'))) {
        end = strchr(text + i, '\n');
        return end ? (size_t)(end - text) : size;
    }
    if (text[i] != '"' && text[i] != '\'')
        return i;
    size_t k = i + 1;
    while (k < size && text[k] != text[i])
        k += text[k] == '\\' ? 2 : 1;
    return k + 1;
}

static void blank_out(void)
{
    for (size_t i = 0; i < size; i++) {
        size_t end = skip_end(i);
        for (; i < end; i++)
            if (code[i] != '\n')
                code[i] = '_';
    }
}

static int line_of(size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static void term_add(size_t from, size_t to, bool must, const char *kind)
{
    while (from < to && isspace((unsigned char)code[from]))
        from++;
    while (to > from && isspace((unsigned char)code[to - 1]))
        to--;
    if (n_mutants == MUTANTS)
        die("too many checks", "");
    mutants[n_mutants++] = (struct mutant){from, to, line_of(from), must, kind};
}

/* Every term of an expression. */
static void terms_add(size_t from, size_t to, bool must, const char *kind)
{
    int depth = 0;
    size_t start = from;
    char op = must ? '&' : '|';
    for (size_t i = from; i + 1 < to; i++) {
        depth += (code[i] == '(' || code[i] == '[') - (code[i] == ')' || code[i] == ']');
        if (depth == 0 && code[i] == op && code[i + 1] == op) {
            term_add(start, i, must, kind);
            start = i + 2;
            i++;
        }
    }
    term_add(start, to, must, kind);
}

/* Behind the bracket that closes the one at `at`. */
static size_t closing(size_t at)
{
    int depth = 0;
    for (size_t i = at; i < size; i++) {
        depth += (code[i] == '(') - (code[i] == ')');
        if (depth == 0)
            return i + 1;
    }
    die("a bracket does not close", "");
    return size;
}

static bool word_at(size_t i, const char *word)
{
    return strncmp(code + i, word, strlen(word)) == 0 &&
           (i == 0 || (!isalnum((unsigned char)code[i - 1]) && code[i - 1] != '_'));
}

static void if_take(size_t i)
{
    size_t open = i + 3, end = closing(open), body = end;
    while (isspace((unsigned char)code[body]))
        body++;
    if (word_at(body, "return ERR_") || word_at(body, "rc = ERR_") ||
        word_at(body, "return err;") || word_at(body, "return RAIL_") ||
        word_at(body, "return why;") || word_at(body, "why = RAIL_"))
        terms_add(open + 1, end - 1, false, "check");
}

/* `return bad ? ERR_X : …` or `return good ? 0 : ERR_X`. */
static void answer_take(size_t i, const char *if_bad, const char *if_good)
{
    const char *end = strchr(code + i, ';'), *bad = strstr(code + i, if_bad);
    const char *good = strstr(code + i, if_good);
    if (good && end && good < end && (!bad || good <= bad))
        terms_add(i + 7, (size_t)(good - code), true, "answer");
    else if (bad && end && bad < end)
        terms_add(i + 7, (size_t)(bad - code), false, "answer");
}

static void return_take(size_t i)
{
    answer_take(i, "? ERR_", "? 0 : ERR_");
    answer_take(i, "? RAIL_", "? RAIL_TAKEN");
}

static void checks_find(void)
{
    for (size_t i = 0; i < size; i++) {
        if (word_at(i, "must("))
            terms_add(i + 5, closing(i + 4) - 1, true, "must");
        else if (word_at(i, "if ("))
            if_take(i);
        else if (word_at(i, "return "))
            return_take(i);
    }
}

/* One line for people and lists: kind and text, runs of blanks as one. */
static void mutant_say(const struct mutant *m)
{
    bool blank = false;
    printf("%d\t%s\t", m->line, m->kind);
    for (size_t i = m->from; i < m->to; i++) {
        if (!isspace((unsigned char)text[i]))
            putchar(text[i]);
        else if (!blank)
            putchar(' ');
        blank = isspace((unsigned char)text[i]);
    }
    putchar('\n');
}

/* Stands before the file. A term asks it only when it is the term that fails. */
static const char the_switch[] =
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "void cmocka_set_test_filter(const char *) __attribute__((weak));\n"
    "static int mutant_now = -1, mutant_fires;\n"
    "__attribute__((constructor)) static void mutant_begin(void)\n"
    "{\n"
    "    mutant_now = getenv(\"MUTANT\") ? (int)strtol(getenv(\"MUTANT\"), NULL, 10) : -1;\n"
    "    mutant_fires = getenv(\"FIRES\") != NULL;\n"
    "    if (mutant_fires)\n"
    "        setvbuf(stdout, NULL, _IOLBF, BUFSIZ);\n"
    "    if (getenv(\"TEST\") && cmocka_set_test_filter)\n"
    "        cmocka_set_test_filter(getenv(\"TEST\"));\n"
    "}\n"
    "static int mutant_on(int k)\n"
    "{\n"
    "    if (mutant_fires)\n"
    "        printf(\"FIRES %d\\n\", k);\n"
    "    return mutant_now == k;\n"
    "}\n";

static void file_write(void)
{
    size_t at = 0;
    printf("%s", the_switch);
    for (int k = 0; k < n_mutants; k++) {
        const struct mutant *m = &mutants[k];
        fwrite(text + at, 1, m->from - at, stdout);
        printf("((");
        fwrite(text + m->from, 1, m->to - m->from, stdout);
        printf(m->must ? ") || mutant_on(%d))" : ") && !mutant_on(%d))", k);
        at = m->to;
    }
    fwrite(text + at, 1, size - at, stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "write") != 0))
        die("usage: mutants FILE [write]", "");
    file_read(argv[1]);
    blank_out();
    checks_find();
    if (argc == 3)
        file_write();
    for (int k = 0; argc == 2 && k < n_mutants; k++)
        mutant_say(&mutants[k]);
    return 0;
}
