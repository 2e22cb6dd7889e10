// SPDX-License-Identifier: Apache-2.0
/* test_mark.c: a command that kills the process twice is refused the third time, and only that one.
 * Real processes die here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/os/mark.h"

static char path[] = "/tmp/even-mark-XXXXXX";

/* Begins a command in a child that dies in it (or ends it); answers whether it was allowed. */
static bool run(uint64_t finger, bool dies)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct mark *m;
        if (mark_open(path, &m) != 0)
            _exit(3);
        bool ok = mark_begin(m, finger);
        if (ok && dies)
            _exit(1); /* no mark_end, as in an abort */
        if (ok)
            mark_end(m);
        _exit(ok ? 1 : 0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 1;
}

static void twice_is_poison(void **state)
{
    (void)state;
    assert_true(run(0x1234, true));
    assert_true(run(0x1234, true));
    assert_false(run(0x1234, true));
    assert_true(run(0x5678, false));
    assert_false(run(0x1234, false));
}

static void others_between_are_fine(void **state)
{
    (void)state;
    assert_true(run(0xaaa0, true));
    assert_true(run(0xbbb0, true));
    assert_true(run(0xaaa0, true));
    assert_true(run(0xaaa0, false));
}

/* Killed from outside, twice in a command, with a run between that died in none. */
static void a_death_in_none_is_no_row(void **state)
{
    (void)state;
    assert_true(run(0xccc0, true));
    assert_true(run(0xddd0, false));
    assert_true(run(0xccc0, true));
    assert_true(run(0xccc0, false));
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    const struct CMUnitTest tests[] = {cmocka_unit_test(twice_is_poison),
                                       cmocka_unit_test(others_between_are_fine),
                                       cmocka_unit_test(a_death_in_none_is_no_row)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
