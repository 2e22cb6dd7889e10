// SPDX-License-Identifier: Apache-2.0
/* test_base.c: runs every group of the base floor. */
#include "test_base.h"

int main(void)
{
    int failed = str_tests();
    failed += buf_tests();
    failed += container_tests();
    failed += money_tests();
    failed += hash_tests();
    failed += time_tests();
    failed += tax_tests();
    return failed != 0;
}
