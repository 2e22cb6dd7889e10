// SPDX-License-Identifier: Apache-2.0
/* groups.h: runs groups of tests one after the other. */
#ifndef EVEN_TESTS_UNIT_CORE_GROUPS_H
#define EVEN_TESTS_UNIT_CORE_GROUPS_H

#include <stddef.h>

struct test_group {
    const char *name;
    int (*run)(void); /* how many failed */
};

/** What main answers. */
static inline int groups_run(const struct test_group *groups, size_t n)
{
    int failed = 0;

    for (size_t i = 0; i < n; i++)
        failed += groups[i].run();
    return failed ? 1 : 0;
}

#endif
