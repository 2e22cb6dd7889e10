// SPDX-License-Identifier: Apache-2.0
/* draft.h: a contract as somebody wrote it, made into what the core divides by. The same pure functions
 * (core/split.h) refuse it here with words and in the core for certain, and run the simulator. */
#ifndef EVEN_WEB_DRAFT_H
#define EVEN_WEB_DRAFT_H

#include "core/split.h"
#include "web/api_gen.h"
#include "web/request.h"

struct draft {
    struct split_contract k;
    struct split_terms terms;
    struct row_contract_party party[SPLIT_PARTIES_MAX];
    struct row_contract_clause clause[SPLIT_CLAUSES_MAX];
    struct str operator_name;
    struct str party_name[SPLIT_PARTIES_MAX], clause_name[SPLIT_CLAUSES_MAX];
};

/** Builds it; what is wrong is told with its JSON pointer behind `at` ("" or "/draft"). ERR_RANGE,
 * ERR_CONFLICT, ERR_NOT_FOUND: a party that is not this tenant's. */
EV_MUST_USE int draft_build(struct request *r, const struct api_Contract *in, const char *at,
                            struct draft *d);

#endif
