// SPDX-License-Identifier: Apache-2.0
/* gen_errors.c: errors.tsv (tab-separated: name number http ocpp level en zh) → errors_gen.h with the enum, errors_gen.c with
 * the rows. Usage: gen_errors in.tsv out.h out.c. Numbers must be -1, -2, … in order, so that a row is found by index;
 * those left out read as the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 7, LAST = 999 };

static void die(int line, const char *what)
{
    fprintf(stderr, "errors.tsv:%d: %s\n", line, what);
    exit(1);
}

static void cut(char *row, char *col[COLUMNS], int line)
{
    row[strcspn(row, "\n")] = 0;
    for (int i = 0; i < COLUMNS; i++) {
        col[i] = row;
        row += strcspn(row, "\t");
        if (!*row && i != COLUMNS - 1)
            die(line, "too few columns");
        if (*row)
            *row++ = 0;
    }
}

static void kebab(FILE *out, const char *name)
{
    for (; *name; name++)
        fputc(*name == '_' ? '-' : *name | 0x20, out);
}

static void row_write(FILE *h, FILE *c, char *col[COLUMNS])
{
    fprintf(h, "    ERR_%s = %s, /* %s */\n", col[0], col[1], col[5]);
    fprintf(c, "    {\"");
    kebab(c, col[0]);
    fprintf(c, "\", %s, \"%s\", \"%s\", \"%s\", \"%s\"},\n", col[2], col[3], col[4], col[5],
            col[6]);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die(0, "usage: gen_errors in.tsv out.h out.c");
    FILE *in = fopen(argv[1], "r"), *h = fopen(argv[2], "w"), *c = fopen(argv[3], "w");
    if (!in || !h || !c)
        die(0, "cannot open a file");
    fprintf(h, "/* Generated from errors.tsv. Do not edit. */\n#ifndef EVEN_ERRORS_GEN_H\n"
               "#define EVEN_ERRORS_GEN_H\nenum err {\n    ERR_OK = 0,\n");
    fprintf(c, "/* Generated from errors.tsv. Do not edit. */\n#include \"base/err_rows.h\"\n"
               "const struct err_row err_rows[] = {\n");
    char row[1024], *col[COLUMNS];
    int n = 0;
    for (int line = 1; fgets(row, sizeof row, in); line++) {
        if (row[0] == '#' || row[0] == '\n')
            continue;
        cut(row, col, line);
        long number = -atol(col[1]);
        if (number <= n || number > LAST)
            die(line, "numbers must run -1, -2, …");
        while (++n < number)
            fprintf(c,
                    "    {\"internal\", 500, \"InternalError\", \"error\", \"Error %d\", \"错误 "
                    "%d\"},\n",
                    n, n);
        row_write(h, c, col);
    }
    fprintf(h, "    ERR_LAST = -%d\n};\n#endif\n", n);
    fprintf(c, "};\nconst int err_rows_n = %d;\n", n);
    if (ferror(in) || fclose(h) || fclose(c))
        die(0, "write failed");
    fclose(in);
    return 0;
}
