// SPDX-License-Identifier: Apache-2.0
/* lex.h: the one lexer of all generators. A table is lines; '#' starts a comment outside quotes; indentation says
 * which line a row belongs to; words are split at blanks, "quoted text" keeps its blanks. Errors name file:line and end
 * the build. */
#ifndef EVEN_GEN_LEX_H
#define EVEN_GEN_LEX_H

#include <stddef.h>
#include <stdio.h>

#define LEX_WORDS 64

struct lex_line {
    int number;            /* 1-based */
    int indent;            /* leading blanks */
    int n;                 /* words */
    char *word[LEX_WORDS]; /* quotes removed */
};
struct lex {
    const char *path;
    char *text;
    struct lex_line *lines;
    size_t n;
};

/** Reads and splits the whole file; ends the program on error. Never freed: generators are short. */
void lex_read(struct lex *l, const char *path);
/** The value of word "key=value" of the line, or `none`. */
const char *lex_opt(const struct lex_line *line, const char *key, const char *none);
/** True when the bare word stands on the line (from word `from` on). */
int lex_has(const struct lex_line *line, int from, const char *word);
/** Prints "path:line: text" to stderr and exits 1. */
void lex_die(const struct lex *l, const struct lex_line *line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));
/** Opens an output file for writing or ends the program; writes the "generated" head line. */
FILE *gen_open(const char *path, const char *source);
/** Closes and checks (a full disk must fail the build). */
void gen_close(FILE *f, const char *path);

#endif
