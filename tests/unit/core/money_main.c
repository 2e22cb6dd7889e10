// SPDX-License-Identifier: Apache-2.0
/* Runs every group of the money modules: ledger, splits, tariffs, fees, evidence, the prepaid cap and
 * its parts. */
#include "unit/core/money.h"
#include "unit/core/groups.h"

int main(void)
{
    static const struct test_group groups[] = {
        {"money_ledger", money_ledger_tests}, {"money_must", money_must_tests},
        {"money_legs", money_legs_tests},     {"money_split", money_split_tests},
        {"money_terms", money_terms_tests},   {"money_tariff", money_tariff_tests},
        {"money_fee", money_fee_tests},       {"money_evidence", money_evidence_tests},
        {"money_cap", money_cap_tests},       {"money_allot", money_allot_tests},
    };
    return groups_run(groups, sizeof groups / sizeof groups[0]);
}
