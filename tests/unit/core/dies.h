// SPDX-License-Identifier: Apache-2.0
/* dies.h: a case that must end by abort(), in a child process with its mouth shut: for the asserts that
 * stay on in release. It may break whatever it likes; where nothing stops it, it may run for ever: it has
 * five seconds of a processor. */
#ifndef EVEN_TESTS_UNIT_CORE_DIES_H
#define EVEN_TESTS_UNIT_CORE_DIES_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static inline void dies(void (*broken)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        (void)setrlimit(RLIMIT_CPU, &(struct rlimit){5, 5});
        (void)!freopen("/dev/null", "w", stderr);
        broken();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/** The test of such a case. */
#define DIES(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        dies(name);                                                                                \
    }

#endif
