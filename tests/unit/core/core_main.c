// SPDX-License-Identifier: Apache-2.0
/* core_main.c: runs the groups of tests of the core. */
#include "unit/core/groups.h"

int core_orders(void);
int core_frame(void);
int core_charger(void);
int core_purse(void);
int core_statement(void);
int core_contract(void);
int core_pile(void);
int core_parallel(void);
int core_parallel_after(void);
int core_parallel_allot(void);
int core_defects(void);
int core_needs_tests(void);
int core_company(void);
int core_company_bill(void);
int core_invoice(void);
int core_recon(void);
int core_occupancy(void);
int core_occupancy_bill(void);
int core_wallet(void);
int core_discharge(void);
int core_account(void);
int core_sharing(void);
int core_withhold(void);
int core_lotfee(void);
int core_contract_load(void);
int core_attacks(void);
int core_notice(void);
int core_must(void);
int core_second(void);
int core_pay_file(void);

int main(void)
{
    static const struct test_group groups[] = {
        {"core_orders", core_orders},
        {"core_frame", core_frame},
        {"core_charger", core_charger},
        {"core_purse", core_purse},
        {"core_statement", core_statement},
        {"core_defects", core_defects},
        {"core_needs_tests", core_needs_tests},
        {"core_invoice", core_invoice},
        {"core_recon", core_recon},
        {"core_occupancy", core_occupancy},
        {"core_occupancy_bill", core_occupancy_bill},
        {"core_wallet", core_wallet},
        {"core_contract", core_contract},
        {"core_contract_load", core_contract_load},
        {"core_company", core_company},
        {"core_company_bill", core_company_bill},
        {"core_account", core_account},
        {"core_sharing", core_sharing},
        {"core_withhold", core_withhold},
        {"core_lotfee", core_lotfee},
        {"core_notice", core_notice},
        {"core_must", core_must},
        {"core_parallel_after", core_parallel_after},
        {"core_discharge", core_discharge},
        {"core_pile", core_pile},
        {"core_parallel_allot", core_parallel_allot},
        {"core_parallel", core_parallel},
        {"core_attacks", core_attacks},
        {"core_second", core_second},
        {"core_pay_file", core_pay_file},
    };
    return groups_run(groups, sizeof groups / sizeof groups[0]);
}
