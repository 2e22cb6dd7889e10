// SPDX-License-Identifier: Apache-2.0
/* audit_clause.h: the clauses of the contract, as the operator set them, and what each partner is due under them
 * (audit_clause.c). */
#ifndef EVEN_TOWN_AUDIT_CLAUSE_H
#define EVEN_TOWN_AUDIT_CLAUSE_H

#include <sqlite3.h>
#include "core/cmd.h"

struct audit;

enum { AUDIT_CLAUSES = 8, AUDIT_RATIOS = 10 };

struct seen_terms {
    int64_t owner_ratio, unit; /* ratio: of AUDIT_RATIOS, the rest is the operator's */
    struct contract_clause_in clause[AUDIT_CLAUSES];
    int clauses; /* 0 = percentages only, which ratio_check judges */
};

/** All charges again, in their order, to the millionth of a unit: what the contract gives each partner. */
void audit_clause_file(struct audit *a, sqlite3 *db);

#endif
