// SPDX-License-Identifier: Apache-2.0
/* core_main.c: runs the groups of tests of the core. */
int core_orders(void);
int core_frame(void);
int core_charger(void);
int core_purse(void);
int core_contract(void);
int core_pile(void);
int core_defects(void);
int core_needs_tests(void);

int main(void)
{
    return core_orders() + core_frame() + core_charger() + core_purse() + core_contract() +
                   core_pile() + core_defects() + core_needs_tests()
               ? 1
               : 0;
}
