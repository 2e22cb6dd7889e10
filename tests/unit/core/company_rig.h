// SPDX-License-Identifier: Apache-2.0
/* company_rig.h: a world with a company that pays for one member, the driver, and what the tests of
 * companies do with both. co_sums adds up again, from the orders and their parts, what the member used
 * and holds and what the company was billed. */
#ifndef EVEN_TESTS_COMPANY_RIG_H
#define EVEN_TESTS_COMPANY_RIG_H

#include "core/company.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)
#define YUAN   INT64_C(10000)

extern struct world co_world;
extern int64_t co_company, co_member;

int64_t co_balance(int32_t kind, int64_t owner);
const struct row_company *co_row(void);
const struct row_company_member *co_member_row(int64_t id);
int co_put(int64_t id, int32_t kind, int64_t credit, int32_t state);
struct row_company_member co_member_of(int64_t driver, int64_t token);
int64_t co_member_add(const struct row_company_member *r);
/** The member's row as it is, to be changed and put. */
struct row_company_member co_member_now(void);
void co_member_change(const struct row_company_member *r);
int64_t co_token_add(const char *tag, int32_t kind, int64_t offline_limit);
int co_pay(int64_t amount, int64_t bill);
int co_issue(int32_t month);
/** The bill of a month, as it stands in memory. */
const struct row_company_bill *co_bill(int32_t month);
void co_tenant_days(int32_t refund_days);
int co_up(void **state);
int co_down(void **state);
int co_start(int64_t gun, int64_t cap);
int64_t co_charging(int64_t cap, int64_t *tx);
/** What members and bills say is what the orders and their parts come to. */
void co_sums(void);
/** As long as the charger needs for it, at 100 kW. */
void co_draw(int64_t kwh);
/** An order of `kwh` at 1.2 yuan at the company's expense. */
int64_t co_order_of(int64_t kwh);
int co_refund(int64_t order, int64_t amount);
/** Into the first day of the next month, Shanghai: T0 is 1 January, 8 o'clock. */
void co_to_february(void);

#endif
