// SPDX-License-Identifier: Apache-2.0
/* test_world.c: the world test. Without arguments the short form that belongs to every test run;
 * --full everything, with the figures for bench/RESULTS.md; --days FIRST N, --cap N, --starts N,
 * --lost N one part of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/runs.h"

static int64_t number(const char *text)
{
    int64_t v;
    if (str_to_i64(str_from_c(text), &v) || v < 1 || v > 100000000) {
        (void)fprintf(stderr, "want a number: %s\n", text);
        exit(2);
    }
    return v;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return run_days(1, 200) | run_cap(200) | run_starts(400) | run_lost(200);
    if (strcmp(argv[1], "--full") == 0)
        return run_days(1, 5000) | run_cap(10000) | run_starts(10000) | run_lost(10000);
    if (strcmp(argv[1], "--days") == 0 && argc == 4)
        return run_days((uint64_t)number(argv[2]), (int)number(argv[3]));
    if (strcmp(argv[1], "--cap") == 0 && argc == 3)
        return run_cap((int)number(argv[2]));
    if (strcmp(argv[1], "--starts") == 0 && argc == 3)
        return run_starts((int)number(argv[2]));
    if (strcmp(argv[1], "--lost") == 0 && argc == 3)
        return run_lost((int)number(argv[2]));
    (void)fprintf(
        stderr, "usage: test_world [--full | --days FIRST N | --cap N | --starts N | --lost N]\n");
    return 2;
}
