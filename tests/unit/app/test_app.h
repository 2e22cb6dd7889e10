// SPDX-License-Identifier: Apache-2.0
/* test_app.h: the groups of test_app and what they share. */
#ifndef EVEN_TEST_APP_H
#define EVEN_TEST_APP_H

// clang-format off: cmocka.h needs these before it
#include <setjmp.h> /* cmocka.h asks for it; nothing here jumps */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "app/config.h"

/** A new empty folder; valid until the next call. */
const char *folder_make(void);
void folder_drop(const char *path);
/** Sets one setting, which must be right. */
void set(struct config *c, const char *name, const char *value);

int settings_tests(void);
int gates_tests(void);
int engine_tests(void);
int client_tests(void);
int breaker_tests(void);

#endif
