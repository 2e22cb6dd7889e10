// SPDX-License-Identifier: Apache-2.0
/* groups.h: runs groups of tests one after the other. In the environment: STOP_EARLY=1 ends at the first
 * that fails, FIRST=NAME runs one before all others: for who only asks whether any fails, and guesses
 * which (tests/mutate). */
#ifndef EVEN_TESTS_UNIT_CORE_GROUPS_H
#define EVEN_TESTS_UNIT_CORE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct test_group {
    const char *name;
    int (*run)(void); /* how many failed */
};

/** What main answers. */
static inline int groups_run(const struct test_group *groups, size_t n)
{
    const char *first = getenv("FIRST");
    const bool early = getenv("STOP_EARLY") != NULL;
    int failed = 0;

    for (size_t i = 0; i < n && first; i++)
        if (strcmp(groups[i].name, first) == 0)
            failed += groups[i].run();
    for (size_t i = 0; i < n && !(failed && early); i++)
        if (!first || strcmp(groups[i].name, first) != 0)
            failed += groups[i].run();
    return failed ? 1 : 0;
}

#endif
