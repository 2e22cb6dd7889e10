// SPDX-License-Identifier: Apache-2.0
/* money.h: what the tests of the money modules share. Each file is one group; money_main.c runs
 * them. */
#ifndef EVEN_TESTS_MONEY_H
#define EVEN_TESTS_MONEY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/ledger.h"

int money_allot_tests(void);
int money_cap_tests(void);
int money_evidence_tests(void);
int money_fee_tests(void);
int money_ledger_tests(void);
int money_legs_tests(void);
int money_must_tests(void);
int money_split_tests(void);
int money_terms_tests(void);
int money_tariff_tests(void);

/** A top-up of two legs, of tenant 1. */
static inline struct ledger_request transfer(int64_t from, int64_t to, int64_t amount)
{
    return (struct ledger_request){.tenant = 1,
                                   .code = TRANSFER_TOPUP,
                                   .currency = "CNY",
                                   .n = 2,
                                   .leg = {{from, MONEY(-amount), 0}, {to, MONEY(amount), 0}}};
}

#endif
