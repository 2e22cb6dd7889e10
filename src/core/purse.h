// SPDX-License-Identifier: Apache-2.0
/* purse.h: money that moves outside the life of an order, as the files of the core share it: shares
 * of parties from pending to available (share.c), what an order gives back (refund.c), payments of
 * drivers through channels (payment.c), and money that leaves (payout.c). purse.c keeps their
 * objects and timers.
 *
 * Everything that a provider must do is a row first: it is asked after the commit of that row
 * (OUT_PAY), with a number made of the row's id that providers take as an idempotency key; the
 * answer is a command (CMD_PAY_RESULT). What is not certain is asked about again until it is.
 *
 * Invariants:
 *  1. a party's pending account = Σ of its buckets that mature;
 *  2. a party that owes has nothing available: what comes to it settles its debt first;
 *  3. a payment is credited once, however often and in whatever order its provider speaks of it;
 *  4. a payout's amount is in transit from the request until the rail said what became of it.
 * The core's thread. */
#ifndef EVEN_CORE_PURSE_H
#define EVEN_CORE_PURSE_H

#include "core/core_state.h"

/** Timers of these objects; the smaller numbers are those of orders and chargers. */
enum { PARTY_ACCOUNTS_MAX = 200000, PURSE_TIMERS_MAX = 2700000 + PARTY_ACCOUNTS_MAX };
enum purse_timer { PURSE_BUCKET = 300, PURSE_PAYMENT, PURSE_PAYOUT, PURSE_ACCOUNT };

struct channel {
    struct obj o;
    struct row_channel row;
    int32_t closed_day;    /* the last one closed (recon.h), 0 = none */
    int64_t closed_theirs; /* what the provider held then */
};
/** Shares of one party that mature at one instant. */
struct bucket {
    struct obj o;
    struct row_maturing row;
    struct timer timer;
};
struct payment {
    struct obj o;
    struct row_payment row;
    struct timer timer;
    struct payout *shared; /* those of kind SHARED that are not over */
};
struct payout {
    struct obj o;
    struct row_payout row;
    struct timer timer;
    struct payout *next; /* of the same payment */
};
/** A party's sub-account at a rail, or one that it was refused. */
struct party_account {
    struct obj o;
    struct row_party_account row;
    struct timer timer;
};
/** What leaves us for the payee. */
static inline int64_t payout_net(const struct payout *p)
{
    return p->row.amount - p->row.fee - p->row.tax;
}

/** Of withhold.h. */
struct tax_month {
    struct obj o;
    struct row_tax_month row;
};
struct tax_paid {
    struct obj o;
    struct row_tax_paid row;
};

struct purse {
    struct slab buckets, payments, payouts;
    struct strmap bucket_keys;
    struct strmap account_keys; /* party and channel → the last party_account */
    struct map payment_ids, payout_ids;
};

/** What a party had, got and took out in a month. */
struct statement {
    struct obj o;
    struct row_statement row;
};

/* ---- purse.c ---- */

/** Gives the tables, in the core's arena; ERR_NOMEM. */
EV_MUST_USE int purse_new(struct core *c);
void purse_free(struct core *c);
/** Of ROW_PAYMENT, ROW_PAYOUT and ROW_MATURING. */
EV_MUST_USE int purse_load(struct core *c, enum row_table t, const void *row);
/** Arms the timers of everything that was loaded. */
void purse_started(struct core *c);
void purse_fire(struct core *c, struct timer *t);
/** The tenant of what the timer belongs to; *object is its id. */
int64_t purse_owner(struct timer *t, int64_t *object);

struct payment *payment_find(const struct core *c, int64_t id);
struct payout *payout_find(const struct core *c, int64_t id);
/** Objects of a row that is new here; NULL when the table is full. */
struct payment *payment_add(struct core *c, const struct row_payment *row);
struct payout *payout_add(struct core *c, const struct row_payout *row);
struct bucket *bucket_find(const struct core *c, int64_t party, int64_t due_ms);
struct bucket *bucket_add(struct core *c, const struct row_maturing *row);
void bucket_drop(struct core *c, struct bucket *b);
void purse_timer(struct core *c, struct timer *t, int64_t due_ms);
static inline struct channel *channel_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_CHANNEL, id);
}
/** Adds a leg unless it is zero. */
void purse_leg(struct ledger_request *q, int64_t account, int64_t amount, int64_t party);
void purse_request(struct core *c, struct ledger_request *q, int64_t tenant, int32_t code,
                   const char *currency);
/** Id of the account, made when missing: the caller has checked that there is room. */
int64_t purse_account(struct core *c, int64_t tenant, int32_t kind, int64_t owner,
                      const char *currency);
/** What an account has free; 0 when there is none. */
int64_t purse_available(const struct core *c, int64_t tenant, int32_t kind, int64_t owner,
                        const char *currency);
/** A new request to a provider about this row; never NULL. */
struct out_pay *purse_ask(struct core *c, const struct channel *ch, enum pay_op op, int64_t row);

/* ---- share.c ---- */

/** What share_give decided for one part. */
struct share_part {
    int64_t party, account, pending, due_ms;
};
/** Legs that give `amount` to a party of this tenant: to its debt first, then pending until due (the
 * platform: income at once). share_given follows once the legs are posted. */
struct share_part share_give(struct core *c, int64_t tenant, int64_t party, int64_t amount,
                             struct ledger_request *q);
void share_given(struct core *c, int64_t tenant, const char *currency, const struct share_part *p);
/** Legs that take `amount` from a party: what is pending of these rows of parts, then what is
 * available, then as its debt, which is the result. Lowers the buckets at once: the posting may not
 * fail. */
int64_t share_take(struct core *c, int64_t party, int64_t amount, const struct row_split_part *rows,
                   size_t n, struct ledger_request *q);
/** Legs that give a party back what was taken out of its money: its debt first, then pending if due_ms
 * is to come, else available (the platform: income). share_given follows. */
struct share_part share_restore(struct core *c, int64_t tenant, int64_t party, int64_t amount,
                                int64_t due_ms, struct ledger_request *q);
/** Writes a part of a transfer, and where its party finds it: once a transfer and party, which `first` says. */
void share_part_write(struct core *c, const struct row_split_part *row, bool first);
/** The same for a part of an order, which keeps it; parts of one transfer come together. */
void share_order_part(struct core *c, struct order *o, const struct row_split_part *row);
/** Lowers the bucket by up to `most`; returns by how much. */
int64_t share_pending_take(struct core *c, int64_t party, int64_t due_ms, int64_t most);
/** Tells the party that an order gave it so much, or took it. */
void share_event(struct core *c, const struct order *o, int64_t party, int64_t amount);
/** A bucket is due. */
void share_mature(struct core *c, struct bucket *b);
/** `amount` of a bucket that waits for a bill was collected: available at once when due_ms is past, by the
 * transfer that is the answer; else moved to the bucket of that time (0). The bucket stays. */
int64_t share_collected(struct core *c, struct bucket *b, int64_t amount, int64_t due_ms);
bool party_is_platform(const struct core *c, int64_t party);

/* ---- refund.c ---- */

/** Takes `back` (0 < back <= paid − refunded) from the parties of an order and gives it to the
 * payer: debt first, then the wallet. Posts, and appends parts; the order's sums are the caller's. */
void refund_move(struct core *c, struct order *o, int64_t back, int32_t code, const char *note);
int refund_order(struct core *c, const struct cmd *cmd);

/* ---- payment.c ---- */

int payment_new(struct core *c, const struct cmd *cmd);
/** Posts money that came in for a driver: debt first, then the wallet; `contra` gave it. Returns the
 * transfer. The accounts exist. */
int64_t payment_credit(struct core *c, int64_t tenant, int64_t driver, int64_t contra,
                       const char *currency, int64_t amount, const char *note);
/** Writes the lot of money that is in a wallet already by no payment of ours: tenant, driver, method,
 * currency, amounts and transfer are given; returns its id. */
int64_t payment_note(struct core *c, const struct row_payment *lot);
void payment_fire(struct core *c, struct payment *p);
void payment_restart(struct core *c, struct payment *p);
int payment_result(struct core *c, struct payment *p, const struct cmd_pay_result *in);
/** CMD_PAY_RESULT of either. */
int pay_result(struct core *c, const struct cmd *cmd);

/* ---- gift.c ---- */

struct package {
    struct obj o;
    struct row_package row;
};
/** What a package adds to a new payment of this amount; package 0: nothing. */
EV_MUST_USE int gift_package(const struct core *c, int64_t tenant, const struct cmd_payment_new *in,
                             struct row_payment *row);
/** Has the driver gift money that is good no more at this time? */
bool gift_expired(const struct core *c, int64_t driver, int64_t now_ms);
/** Gives a driver gift money that is good for `days` (0 = for ever); what was good until now and is
 * no more, goes first. */
int64_t gift_give(struct core *c, int64_t tenant, int64_t driver, int64_t amount, int32_t days,
                  const char *note);
int gift_new(struct core *c, const struct cmd *cmd);
/** What of a driver's gift money expired goes back to marketing. */
int gift_turn(struct core *c, const struct cmd *cmd);
/** All gift money that is free goes back to marketing, and so much principal with it. */
void gift_forfeit(struct core *c, int64_t tenant, int64_t driver, int64_t principal);
/** A refund of a lot to its source voids the lot's gift: what it costs the principal beyond the
 * refund in *cost. ERR_BUSY while an order holds what must come back. */
EV_MUST_USE int gift_refund_cost(const struct core *c, const struct payment *lot, int64_t *cost);
void gift_refund(struct core *c, struct payment *lot);
/** A refund came to nothing; the lot's refunded does not contain it any more. */
void gift_refund_undo(struct core *c, struct payment *lot);

/* ---- single.c ---- */

/** May the driver pay for an order there, now? */
EV_MUST_USE int single_check(struct core *c, int64_t tenant, const struct cmd_payment_new *in);
/** It is paid: charging begins, or all of it goes back. */
void single_paid(struct core *c, struct payment *p);
/** `amount` of the lot to where it came from, as far as the wallet has it and may give it. */
void single_back(struct core *c, struct payment *p, int64_t amount);

/* ---- sharing.c ---- */

/** The payment lies frozen at its provider until this is over: it stays in memory. */
bool sharing_runs(const struct payment *p);
/** The payment's order is over, or it never began one (o NULL). */
void sharing_begin(struct core *c, struct payment *p, const struct order *o);
/** Its timer. */
void sharing_fire(struct core *c, struct payment *p);
void sharing_result(struct core *c, struct payment *p, const struct cmd_pay_result *in);
/** A payout of kind SHARED came to memory. */
void sharing_link(struct core *c, struct payout *p);
/** … and leaves it. */
void sharing_unlink(struct core *c, struct payout *p);

/* ---- share_return.c ---- */

/** A refund of this order left the party with a debt of `owed`: what of it the order's channel paid to
 * it, is asked back, where that is possible. */
void share_return_begin(struct core *c, const struct order *o, int64_t party, int64_t owed);
/** The timer of a payout of kind RETURNED. */
void share_return_fire(struct core *c, struct payout *p);
void share_return_result(struct core *c, struct payout *p, const struct cmd_pay_result *in);
/** People say what came back, where the provider contradicts. */
EV_MUST_USE int share_return_decide(struct core *c, struct payout *p, const struct cmd *cmd);

/* ---- payout.c ---- */

/** Sets a payout's state, tells of it, and lets it leave memory when it is over. */
void payout_state_set(struct core *c, struct payout *p, enum payout_state s);
/** A share that the channel pays out of `lot`: it leaves the party's pending money for transit. NULL
 * when there is no room: nothing happened. The legs of the debit are the caller's. */
struct payout *payout_shared(struct core *c, const struct row_payout *row,
                             struct ledger_request *from);
/** What the provider says of it. */
void payout_shared_said(struct core *c, struct payout *p, const struct pay_shared *said);

/** Sends `amount` of a lot back to its source, without anybody's leave; ERR_FULL, or what forbids
 * it: then nothing happened. */
EV_MUST_USE int payout_source(struct core *c, struct payment *lot, int64_t amount);

int payout_new(struct core *c, const struct cmd *cmd);
int payout_decide(struct core *c, const struct cmd *cmd);
void payout_fire(struct core *c, struct payout *p);
void payout_restart(struct core *c, struct payout *p);
int payout_result(struct core *c, struct payout *p, const struct cmd_pay_result *in);

/** A payment is paid, by this transfer, whoever told; its package is given with it. */
void payment_done(struct core *c, struct payment *p, int64_t transfer);

/* ---- payout_look.c ---- */

/** May it go by one person's word? After payout_day_add. `by_hand`: to an account that somebody typed in. */
bool payout_alone(const struct core *c, const struct payout *p, bool by_hand);
/** Why it may not go now to where it was asked for: ERR_DISABLED (its party, its driver's wallet), ERR_ACCOUNT
 * (its party's payee is another one by now, or none); 0. */
EV_MUST_USE int payout_stopped(const struct core *c, const struct payout *p);
/** A party's payout counts in the sum of its day; it came to nothing and counts no more. */
void payout_day_add(struct core *c, struct payout *p);
void payout_day_back(struct core *c, const struct payout *p);
/** Is what was entered then so new that a second person must look? 0: it always was. */
bool payee_new(const struct core *c, int64_t tenant, int64_t since_ms);
/** Of a party's row that is put: what is counted is not the sender's, and when its payee changed. */
void payee_note(const struct core *c, struct row_party *r, const struct row_party *old);

/* ---- second.c ---- */

/** What counts of payout_check and payee_hold_h now: what was set, or for a while still what it eased. */
int64_t second_most(const struct core *c, int64_t tenant);
int32_t second_hours(const struct core *c, int64_t tenant);
/** Of a tenant's row that is put: since when its limits are looser, and what they were. */
void second_limits(const struct core *c, struct row_tenant *r, const struct row_tenant *old);
/** Of a person's row that is put: who let him in, and when. */
void second_let_in(const struct core *c, const struct cmd *cmd, struct row_person *r,
                   const struct row_person *old);
/** The person who sends this, himself or by a key of his; 0: nobody is known. */
int64_t second_maker(const struct core *c, const struct cmd *cmd);
/** Is who sends this a second person to who asked? */
bool second_may(const struct core *c, const struct cmd *cmd, int32_t asked_kind, int64_t asked_by);

/* ---- paper.c ---- */

/** A company's share that its invoice is not there for yet. */
bool paper_missing(const struct core *c, const struct payout *p);
int paper_put(struct core *c, const struct cmd *cmd);

/* ---- party_account.c ---- */

int party_account_new(struct core *c, const struct cmd *cmd);
/** One in another name than the party's: another person agrees or refuses, or whoever asked drops it. */
int party_account_decide(struct core *c, const struct cmd *cmd);
/** A new object, by a command or at the start. */
int party_account_ready(struct core *c, struct party_account *a);
/** The last that was asked for, or NULL: then nobody asked. */
struct party_account *party_account_of(const struct core *c, int64_t party, int64_t channel);
/** Why this party cannot be paid at this channel: ERR_ACCOUNT (its sub-account there is not open),
 * ERR_DENIED (nobody verified it); 0. `payee` gets the account's number, or what staff entered. */
EV_MUST_USE int party_account_payee(const struct core *c, const struct row_party *party,
                                    const struct row_channel *ch, const char **payee,
                                    const char **name);
void party_account_fire(struct core *c, struct party_account *a);
void party_accounts_restart(struct core *c);
int party_account_result(struct core *c, struct party_account *a, const struct cmd_pay_result *in);

/* ---- statement.c ---- */

int statement_new(struct core *c, const struct cmd *cmd);
int statement_decide(struct core *c, const struct cmd *cmd);

#endif
