// SPDX-License-Identifier: Apache-2.0
/* audit_tax.h: what the auditor knows of tax that is withheld of persons (audit_tax.c). */
#ifndef EVEN_TOWN_AUDIT_TAX_H
#define EVEN_TOWN_AUDIT_TAX_H

#include <sqlite3.h>
#include "core/cmd.h"

struct audit;
struct fact;

enum { AUDIT_RULES = 2 };

/** From a time on: of a month's sum less a deduction, by brackets that ascend. */
struct seen_rule {
    int64_t from_ms, deduct;
    int32_t deduct_bp, n;
    struct {
        int64_t above, bp;
    } rate[WITHHOLD_RATES_MAX];
};
struct seen_taxes {
    struct seen_rule rule[AUDIT_RULES];
    int rules;
    int32_t payee[3]; /* enum payee_kind, of each partner */
};

/** May this party's share be asked for, or approved? */
int audit_tax_may(const struct audit *a, int64_t party, int64_t now_ms);
/** It was approved: what is withheld of it. */
void audit_tax_take(const struct audit *a, struct fact *payout, int64_t now_ms);
/** A company's share whose invoice is not there. */
bool audit_tax_paper_lacks(const struct audit *a, const struct fact *payout);
/** CMD_TAX_PAID, CMD_PAYOUT_PAPER. */
int audit_tax_expect(struct audit *a, const struct cmd *cmd);
void audit_tax_effect(struct audit *a, const struct cmd *cmd, int64_t id);
/** What of a party's payouts lies with the tax: those that did not come back. */
int64_t audit_tax_held(const struct audit *a, int64_t party);
/** What is left to be paid to the office for a month, or -1: nothing was withheld in it. */
int64_t audit_tax_left(const struct audit *a, int32_t month);
/** After a crash what became of several at once is not in order: the file's word is taken. */
void audit_tax_reload(struct audit *a, sqlite3 *db);
void audit_tax_file(struct audit *a, sqlite3 *db);

#endif
