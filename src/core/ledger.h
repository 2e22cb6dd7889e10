// SPDX-License-Identifier: Apache-2.0
/* ledger.h: the books. Every account of every tenant and every open hold live here, in memory; the
 * rows of the database follow. A transfer is native N-leg, immutable and sums to zero; a correction
 * is a new transfer that names the old one.
 *
 * Sign: a positive leg puts money into an account, a negative leg takes it out; balance = posted_in
 * − posted_out, available = balance − held. What people own (wallets, shares) is positive. What
 * comes from outside or is owed to us (cash, debt, loss) is negative: the kinds that
 * ledger_kind_signed names. All balances of one tenant and currency sum to zero.
 *
 * Invariants (must, and ledger_verify):
 *  1. legs of a transfer sum to 0, in one currency, of one tenant, each account once, none of them
 * 0;
 *  2. balance >= min_balance; 0 <= held, and held <= balance wherever min_balance is 0;
 *  3. held of an account = sum of its open holds;
 *  4. a hold is resolved once, all legs at once, captured + released = amount of each;
 *  5. posted_in, posted_out, version and ledger time never fall;
 *  6. an operation that fails has changed nothing.
 *
 * Pure: ids and time come in through struct ledger_ctx. One thread, the core's. Memory is taken in
 * ledger_new and by slabs as accounts come; ERR_FULL at the limits. */
#ifndef EVEN_CORE_LEDGER_H
#define EVEN_CORE_LEDGER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/money.h"
#include "core/rows_gen.h"
#include "core/types.h"

struct ledger;

struct ledger_limits {
    uint32_t accounts, holds; /* most of each in memory */
    uint64_t seed;            /* of the hash tables */
};

/** Who, when and under which id. Each operation that makes a row takes its id from here. */
struct ledger_ctx {
    int64_t now_ms;
    int64_t id; /* of the account, hold or transfer made; > 0, never used before */
    int64_t cause, actor;
    int32_t actor_kind; /* enum actor_kind */
    struct buf *rows;   /* transfers are packed here at once (ROW_INSERT); borrowed */
};

/** An account as it stands. Pointers stay valid for the ledger's life; only the ledger writes. */
struct ledger_account {
    int64_t id, tenant, owner;
    int32_t kind; /* enum account_kind */
    char currency[4];
    int64_t posted_in, posted_out, held, min_balance, last_transfer, version, created_ms;
    int32_t flags;
};

struct ledger_hold {
    int64_t id, tenant, account, order_id;
    struct money amount, captured, released;
    int32_t state; /* enum hold_state */
    int64_t expires_ms, created_ms, resolved_ms;
    int64_t leg_of; /* the hold whose further leg this is; 0 = the first */
};

struct ledger_leg {
    int64_t account;
    struct money amount; /* signed */
    int64_t party;       /* party of a split, or 0 */
};
#define LEDGER_LEGS_MAX 64

/** A transfer to post. Legs that name one account twice are merged; legs that come to zero are left
 * out. */
struct ledger_request {
    int64_t tenant;
    int32_t code; /* enum transfer_code */
    char currency[4];
    int64_t order_id, reverses, contract, effective_ms;
    const char *note; /* NULL = none; no personal data */
    uint32_t n;
    struct ledger_leg leg[LEDGER_LEGS_MAX];
};

/** Gives a ledger whose frame lives in the arena `a` (which must outlive it); ERR_NOMEM. */
EV_MUST_USE int ledger_new(struct arena *a, const struct ledger_limits *limits,
                           struct ledger **out);
/** Gives slabs and tables back; the arena is the caller's. */
void ledger_free(struct ledger *l);

/** Loads a row at start: accounts before holds. ERR_FULL; ERR_CORRUPT when it breaks an invariant
 * or is there already. */
EV_MUST_USE int ledger_load_account(struct ledger *l, const struct row_account *row);
/** Resolved holds are ignored. Held of the account must already include it (it is a column of the
 * account). */
EV_MUST_USE int ledger_load_hold(struct ledger *l, const struct row_hold *row);
/** Ledger time goes on from here (posted_ms of the last transfer known). */
void ledger_time_floor(struct ledger *l, int64_t posted_ms);
/** Re-derives invariants 2 and 3 and the zero sum of each tenant and currency; ERR_CORRUPT. For the
 * start and for tests. */
EV_MUST_USE int ledger_verify(const struct ledger *l);

/** True for kinds whose balance may be negative: cash, debts, losses, channels, suspense. Never a
 * wallet. */
bool ledger_kind_signed(int32_t kind);

/** Finds the account of (tenant, kind, owner, currency) or makes it with ctx->id. *made tells (may
 * be NULL); id gets the account. ERR_FULL, ERR_CURRENCY when currency is not three capital letters,
 * ERR_RANGE for an unknown kind. */
EV_MUST_USE int ledger_account_open(struct ledger *l, const struct ledger_ctx *ctx,
                                    const struct ledger_account *key, int64_t *id, bool *made);
/** How far the account may go below zero (0 or negative). ERR_CONFLICT when it is below that already,
 * ERR_NOT_FOUND, ERR_RANGE. */
EV_MUST_USE int ledger_floor_set(struct ledger *l, int64_t account, struct money floor);
/** NULL when there is none. */
const struct ledger_account *ledger_account(const struct ledger *l, int64_t id);
const struct ledger_account *ledger_account_find(const struct ledger *l, int64_t tenant,
                                                 int32_t kind, int64_t owner, const char *currency);
/** Accounts by place, 0 … ledger_accounts()-1, in the order they came. */
uint32_t ledger_accounts(const struct ledger *l);
const struct ledger_account *ledger_account_at(const struct ledger *l, uint32_t i);
struct money ledger_balance(const struct ledger_account *a);
struct money ledger_available(const struct ledger_account *a);

/** Posts the transfer ctx->id. ERR_RANGE (no legs, too many, sum not 0, an amount out of bounds),
 * ERR_NOT_FOUND (account), ERR_CONFLICT (tenant), ERR_CURRENCY, ERR_NO_FUNDS (floor, or held
 * money), ERR_TOO_LARGE (ctx->rows is full). */
EV_MUST_USE int ledger_post(struct ledger *l, const struct ledger_ctx *ctx,
                            const struct ledger_request *req);

/** Reserves `amount` (> 0) of what is available. The hold gets ctx->id. ERR_NO_FUNDS,
 * ERR_NOT_FOUND, ERR_RANGE, ERR_FULL. */
EV_MUST_USE int ledger_hold_open(struct ledger *l, const struct ledger_ctx *ctx, int64_t account,
                                 struct money amount, int64_t order_id, int64_t expires_ms);
/** A further leg of an open hold, of another account of its tenant: from now on the hold is resolved
 * with it. Gets ctx->id. ERR_NO_FUNDS, ERR_NOT_FOUND, ERR_CONFLICT (resolved, itself a further leg,
 * or that account has a leg), ERR_RANGE, ERR_FULL. */
EV_MUST_USE int ledger_hold_add(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold,
                                int64_t account, struct money amount);
/** Reserves `more` (> 0) on top, of the leg with this id. ERR_NO_FUNDS, ERR_NOT_FOUND, ERR_CONFLICT
 * (resolved), ERR_RANGE. */
EV_MUST_USE int ledger_hold_increase(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold,
                                     struct money more);
/** Resolves the hold with all its legs: what the request takes from a leg's account is captured (0 …
 * the leg's amount), the rest is released, and the request is posted, all at once. A request without
 * legs captures nothing and posts nothing. What else ledger_post says, and ERR_CONFLICT (resolved
 * before), ERR_NOT_FOUND (no such hold, or resolved before the last flush), ERR_RANGE (above the
 * hold). */
EV_MUST_USE int ledger_hold_capture(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold,
                                    const struct ledger_request *req);
/** Resolves the hold by releasing all of its legs. ERR_CONFLICT, ERR_NOT_FOUND as above. */
EV_MUST_USE int ledger_hold_release(struct ledger *l, const struct ledger_ctx *ctx, int64_t hold);
/** The hold, open or resolved since the last flush; else NULL. */
const struct ledger_hold *ledger_hold(const struct ledger *l, int64_t hold);

/** The hold's leg on this account, or NULL; what all its legs have. */
const struct ledger_hold *ledger_hold_leg(const struct ledger *l, int64_t hold, int64_t account);
int64_t ledger_hold_amount(const struct ledger *l, int64_t hold);

/** True when ledger_flush would write something. */
bool ledger_dirty(const struct ledger *l);
/** Packs accounts and holds changed since the last flush, each once (ROW_UPSERT), and forgets
 * resolved holds. */
void ledger_flush(struct ledger *l, struct buf *rows);

/** One leg as it stands in row_transfer.legs (layout E: the statement of an account is a linked
 * list through prev). */
struct ledger_leg_row {
    int64_t account, amount, balance, prev, party;
};
/** Takes the next leg; ERR_NOT_FOUND at the clean end of the bytes, ERR_SYNTAX on bad ones. */
EV_MUST_USE int ledger_leg_next(struct cursor *c, struct ledger_leg_row *out);

#endif
