// SPDX-License-Identifier: Apache-2.0
/* test_base.h: the groups of test_base; each answers its number of failures. */
#ifndef EVEN_TEST_BASE_H
#define EVEN_TEST_BASE_H

// clang-format off: cmocka.h needs these before it
#include <setjmp.h> /* cmocka.h asks for it; nothing here jumps */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

int str_tests(void);
int buf_tests(void);
int container_tests(void);
int money_tests(void);
int hash_tests(void);
int time_tests(void);
int tax_tests(void);

#endif
