// SPDX-License-Identifier: Apache-2.0
/* io_tests.h: the groups of tests of floor io; each returns the number of failed tests. */
#ifndef EVEN_TESTS_IO_TESTS_H
#define EVEN_TESTS_IO_TESTS_H

#include <setjmp.h> /* cmocka needs these four before itself */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

int run_os_tests(void);
int run_mailbox_tests(void);
int run_ws_tests(void);
int run_http_tests(void);
int run_net_tests(void);
int run_net_hard_tests(void);
int run_net_batch_tests(void);
int run_tls_tests(void);
int run_fetch_tests(void);
int run_framelog_tests(void);
int run_ftp_talk_tests(void);
int run_ftp_tests(void);

#endif
