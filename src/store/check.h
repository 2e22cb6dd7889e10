// SPDX-License-Identifier: Apache-2.0
/* check.h: what the files of `even check` share, nobody else. The auditor reads the tables through
 * named SQL and works everything out again; it shares no code with the ledger, the fees or the
 * splits of the core. */
#ifndef EVEN_STORE_CHECK_H
#define EVEN_STORE_CHECK_H

#include <stdio.h>
#include "base/map.h"
#include "base/zone.h"
#include "io/os/crypto.h"
#include "store/certificate.h"
#include "store/query.h"
#include "store/store.h"

/** One account: what its row says and what the journal comes to. */
struct check_account {
    int64_t id, tenant, owner;
    int32_t kind;
    char currency[4];
    int64_t row_in, row_out, row_held, row_last, floor;
    int64_t in, out, held, last;
    int64_t waits; /* pending: what matures; transit: on its way; company: what it paid in */
    uint32_t sum;  /* check_chain.c: its tenant and currency */
};

/* check_chain.c: what the transfers so far come to for a tenant and currency, and what they came to at
 * its last certificate. The key stands first. */
struct check_sum {
    int64_t tenant;
    char currency[8];
    int64_t n, debits, credits, wallets, parties, transit, rest;
    int64_t day_n, day_debits, day_credits;
};
struct check_given {
    struct certificate certificate;
    bool seen;
};
struct check_chain {
    struct query_walk links, certificates;
    bool link, certificate; /* one is at hand */
    bool head_seen;
    int64_t seq, last, n; /* link before it, its last transfer; transfers of the one at hand */
    uint8_t hash[CRYPTO_HASH_SIZE];
    struct crypto_digest digest;
    struct buf row;
};

/* check_lot.c: what is left of each wallet's lots, and what each order took. */
struct check_lots {
    struct buf wallets, orders;
    struct map rates, singles, wallet_ids, order_ids;
};

/* check_statement.c: statements and the positions of their parties, along the journal; the transfer at
 * hand, its statement (index + 1) and a fee of it that waits for one. */
struct check_statements {
    struct buf sheets, runs;
    struct map runs_by;
    int64_t transfer, fee;
    size_t sheet;
};

/* check_shares.c: the parts of the order at hand, and the sum of the hashes of all. */
struct check_found {
    int64_t order;
    struct buf seen;
    uint64_t parts;
};

/* What the two halves of a run have in common (check_run.c). The accounts are there before either begins,
 * and only the half that walks the journal changes them; sums of parts are the other half's, until it
 * is over. */
struct check_shared {
    struct buf accounts;
    struct map by_id;            /* account id → index + 1 */
    struct map pending, transit; /* owner → index + 1 of its account of that kind */
    struct map got;              /* party → sum of its parts */
    struct map months; /* party → … of those that belong to no order: guarantees, rents */
};

struct check {
    struct check_shared *shared;
    struct store_reader *r;
    FILE *out;
    uint64_t bad;      /* violations found */
    struct map gifts;  /* check_wallet.c: driver → gift money given, less what came back */
    struct buf splits; /* check_split.c: what each party of a contract is behind */
    struct strmap split_ids;
    int64_t posted_ms;
    uint64_t transfers, holds, orders, certificates;
    int64_t named; /* transfers that made shares available and name a company's bill */
    struct check_chain chain;
    struct buf sums, given;
    struct strmap sum_ids;
    const char *head;
    struct check_lots lots;
    struct check_statements statements;
    struct check_found found;
};

/** Counts a violation and prints it (the first CHECK_PRINT_MAX): rule, what it is about, detail. */
#define CHECK_PRINT_MAX 1000
void check_bad(struct check *c, const char *rule, int64_t id, const char *fmt, ...) EV_PRINTF(4, 5);
/** bad unless a = b. */
void check_equal(struct check *c, const char *rule, int64_t id, const char *what, int64_t a,
                 int64_t b);
/** The accounts, before all else; and then, along the journal, they and the transfers and holds. */
EV_MUST_USE int check_accounts(struct check *c);
EV_MUST_USE int check_ledger(struct check *c);
/** NULL when there is none. */
struct check_account *check_account(const struct check *c, int64_t id);
/** Sums in two's complement: damaged numbers must not be able to trap. */
static inline int64_t check_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static inline int64_t check_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/** Adds to the sum of a key. An error of memory. */
EV_MUST_USE int check_map_add(struct map *sums, int64_t key, int64_t amount);

/** The zone at hand; NULL is UTC. */
struct check_zone {
    struct zone *zone;
    char name[64];
};
/** Takes that of a name, UTC for none and for one that is not known here: os_zone_load's error then,
 * once for the same name on end. */
EV_MUST_USE int check_zone_use(struct check_zone *z, struct str name);

/** One leg as the blob of a transfer holds it. */
struct check_leg {
    int64_t account, amount, balance, previous, party;
};
/** 1 = a leg, 0 = clean end, ERR_SYNTAX. */
EV_MUST_USE int check_leg_next(struct cursor *c, struct check_leg *leg);

/** A part of an order's split. */
struct check_part {
    int64_t party, fee_kind, base, ratio, ratio_sum, amount, clause, passed, due;
};
/** Counts a part of an order that has this contract version; 0 or an error of memory. */
EV_MUST_USE int check_split_part(struct check *c, int64_t contract, const struct check_part *p);
/** After the orders: the residues of every contract against their parts. */
EV_MUST_USE int check_splits(struct check *c);
/** Months of contracts: what they count, by their orders. */
EV_MUST_USE int check_months(struct check *c);
/** The hash chain and the certificates: witness and free around all of it, the others around and beside
 * the walk over the accounts and then the transfers. */
EV_MUST_USE int check_chain_witness(struct check *c, const struct store_witness *w);
EV_MUST_USE int check_chain_begin(struct check *c);
EV_MUST_USE int check_chain_account(struct check *c, struct check_account *a);
EV_MUST_USE int check_chain_transfer(struct check *c, const struct sql_value *v);
void check_chain_leg(struct check *c, const struct check_account *a, int64_t amount);
EV_MUST_USE int check_chain_end(struct check *c);
void check_chain_free(struct check *c);
/** Orders: lines, parts, money taken, holds, states; then the statistics of each station's day. */
EV_MUST_USE int check_orders(struct check *c);
EV_MUST_USE int check_days(struct check *c);
/** Shares that mature, payments, payouts: against the accounts they lie in. */
EV_MUST_USE int check_purse(struct check *c);
/** Companies: accounts, members, bills, shares that wait for them. */
EV_MUST_USE int check_companies(struct check *c);
/** Invoices: against their lines and against what was paid for their orders. */
EV_MUST_USE int check_invoices(struct check *c);
/** Differences on suspense, bills, closed days. */
EV_MUST_USE int check_recon(struct check *c);
EV_MUST_USE int check_occupancy(struct check *c);
/** Energy bought from drivers: a leg of its account, and after the journal its lots and its sum. */
void check_discharge_leg(struct check *c, int64_t transfer, int64_t code);
EV_MUST_USE int check_discharge(struct check *c);
EV_MUST_USE int check_parallel(struct check *c);
/** Lots: around the walk over the transfers, and for each leg on a wallet, its row of CHECK_TRANSFERS. */
EV_MUST_USE int check_lot_begin(struct check *c);
EV_MUST_USE int check_lot_leg(struct check *c, const struct check_account *a,
                              const struct sql_value *v, int64_t amount);
EV_MUST_USE int check_lot_end(struct check *c);
void check_lot_free(struct check *c);
/** Statements of parties: around the walk over the transfers, and for each leg its row of
 * CHECK_TRANSFERS. */
EV_MUST_USE int check_statement_begin(struct check *c);
void check_statement_leg(struct check *c, const struct check_account *a, const struct sql_value *v,
                         int64_t amount);
EV_MUST_USE int check_statements(struct check *c);
void check_statement_free(struct check *c);
/** Tax withheld of persons. */
EV_MUST_USE int check_tax(struct check *c);
EV_MUST_USE int check_second(struct check *c);
/** What parties find: a part, by order, and after the last of them. */
EV_MUST_USE int check_shares_part(struct check *c, int64_t order, int64_t party, int64_t at_ms);
EV_MUST_USE int check_shares(struct check *c);
void check_shares_free(struct check *c);
/** Files of payouts for a bank. */
EV_MUST_USE int check_pay_files(struct check *c);
/** A leg of the journal on an account that is there. */
EV_MUST_USE int check_wallet_leg(struct check *c, const struct check_account *a, int64_t transfer,
                                 int64_t code, int64_t amount);
/** After the journal: gift money, holds of several legs, single payments. */
EV_MUST_USE int check_wallet(struct check *c);

#endif
