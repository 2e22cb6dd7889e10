// SPDX-License-Identifier: Apache-2.0
/* test_breaker.c: when a provider is left alone, for how long, and who tries it again. */
#include "test_app.h"

#include "app/breaker.h"

static const int64_t second = INT64_C(1000000000);

static void opens_after_five(void **state)
{
    struct breaker b = {0};
    int64_t t = 100 * second;
    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(breaker_lets(&b, t));
        assert_false(breaker_fail(&b, t));
    }
    assert_false(breaker_close(&b)); /* one answer, and the count begins anew */
    for (int i = 0; i < 4; i++)
        assert_false(breaker_fail(&b, t));
    assert_true(breaker_lets(&b, t));
    assert_true(breaker_fail(&b, t));
    assert_false(breaker_lets(&b, t + 2 * second - 1));
    assert_true(breaker_lets(&b, t + 2 * second)); /* the probe */
    assert_false(breaker_lets(&b, t + 3 * second));
    assert_true(breaker_close(&b));
    assert_true(breaker_lets(&b, t + 3 * second));
    assert_true(breaker_lets(&b, t + 3 * second));
}

static void waits_longer_each_time(void **state)
{
    static const int64_t seconds[] = {2, 4, 8, 16, 32, 60, 60, 60};
    struct breaker b = {0};
    int64_t t = 100 * second;
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_false(breaker_fail(&b, t));
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        assert_int_equal(breaker_fail(&b, t), i == 0);
        assert_false(breaker_lets(&b, t + seconds[i] * second - 1));
        t += seconds[i] * second;
        assert_true(breaker_lets(&b, t));
    }
}

int breaker_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_five),
        cmocka_unit_test(waits_longer_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
