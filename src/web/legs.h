// SPDX-License-Identifier: Apache-2.0
/* legs.h: transfers with their legs, and statements: the way an account's transfers are linked
 * backwards through the legs (layout E, core/ledger.h), walked from the newest. */
#ifndef EVEN_WEB_LEGS_H
#define EVEN_WEB_LEGS_H

#include "web/request.h"

#define STATEMENT_ACCOUNTS_MAX 4

/** One leg as schema.tbl describes transfer.legs. */
struct leg {
    int64_t account, amount, balance, prev, party;
};
/** Takes the next leg; ERR_NOT_FOUND at the clean end of the bytes, ERR_CORRUPT inside a leg. */
EV_MUST_USE int leg_next(struct cursor *c, struct leg *out);

/** Rows of a query with the columns of web_transfer, legs decoded, as struct api_TransferRow. */
EV_MUST_USE int legs_transfers(struct request *r, enum query q, const struct bind *extra, size_t n,
                               struct rows *out);
/** An account with the newest transfer that touched it. */
struct account_head {
    int64_t account, transfer;
};
/** Replies with a page of the statement over these accounts together, newest first. The cursor
 * names where each account goes on. */
EV_MUST_USE int legs_statement(struct request *r, struct account_head *heads, size_t n);

#endif
