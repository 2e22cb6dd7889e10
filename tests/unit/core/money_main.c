// SPDX-License-Identifier: Apache-2.0
/* Runs every group of the money modules: ledger, splits, tariffs, fees, evidence, the prepaid cap and
 * its parts. */
#include "unit/core/money.h"

int main(void)
{
    int failed = 0;
    failed += money_ledger_tests();
    failed += money_must_tests();
    failed += money_split_tests();
    failed += money_terms_tests();
    failed += money_tariff_tests();
    failed += money_fee_tests();
    failed += money_evidence_tests();
    failed += money_cap_tests();
    failed += money_allot_tests();
    return failed != 0;
}
