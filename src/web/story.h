// SPDX-License-Identifier: Apache-2.0
/* story.h: where the money of an order came from and where it went, read backwards through the
 * accounts (layout E: each leg names the transfer before it).
 *
 * Money in an account has no marks, so what an amount was made of is a rule, and every row of the
 * answer says which: a wallet, a company's account and a party's available money are used first in
 * first out. Of what a company's bill set free each share gave the same part. But what is bound by its row is never shared out by that rule: a single payment pays its
 * own order, principal that goes back to its source leaves the payment that it came with, and a
 * withdrawal that came back never happened. What matures together lies in the order of its orders. The
 * way back, from a withdrawal to its orders (h_taken.c), reads the same queue: so both ways agree. What a
 * discharge paid is followed forwards (story_earned.c), by the rule by which an order names its lots
 * backwards (story_lots.c).
 *
 * Invariants: 1. all of an answer is of one snapshot (request.h); 2. a walk is bounded (WALK_MAX
 * transfers): what lies before is told as "not looked at", never guessed; 3. an account whose links
 * do not hold is ERR_CORRUPT. The request's thread. */
#ifndef EVEN_WEB_STORY_H
#define EVEN_WEB_STORY_H

#include "web/api_gen.h"
#include "web/request.h"

enum story_rule {
    STORY_EXACT = 1,
    STORY_FIFO,
    STORY_OWED,
    STORY_BILL,
    STORY_TOO_FAR,
    STORY_CAME_BACK
};
enum story_recon { RECON_NONE, RECON_NO_BILL, RECON_MATCHED, RECON_DIFFERS, RECON_RESOLVED };

/** An account and whose payments or payouts its transfers may be. */
struct story_account {
    int64_t id, driver, party;
};
/** A transfer as one account sees it. */
struct story_move {
    int64_t transfer, code, order, effective_ms, posted_ms;
    int64_t payment, payout, payout_state, bound; /* see web_story.sql */
    int64_t payout_kind, payout_amount, payout_order, payout_due;
    int64_t whole;   /* all that the transfer moved */
    int64_t bill;    /* whose collection made shares available, 0 = the day's end */
    int64_t brought; /* the transfer that brought what it is bound to, */
    int64_t single;  /* … and whether that is for one order */
    int64_t amount, balance, prev;
};
/** A party's accounts in one currency, with the newest transfers of those that are walked. */
struct story_purse {
    int64_t party, pending, available, available_last, debt, debt_last, income, income_last;
    int64_t refund_days; /* as the operator has it now */
};
/** 0 = go on, 1 = enough, or an error. */
typedef int story_move_fn(void *ctx, const struct story_move *m);

/** The transfers of the account from this one on, newest first. *all tells whether it came to the
 * first or was stopped; it is false when there was too much. */
EV_MUST_USE int story_walk(struct request *r, const struct story_account *a, int64_t from,
                           story_move_fn *fn, void *ctx, bool *all);
/** The newest transfer of an account. */
EV_MUST_USE int story_last(struct request *r, int64_t account, int64_t *last);
/** How much of the debt that this transfer left last was settled since, oldest first. */
EV_MUST_USE int story_settled(struct request *r, const struct story_account *a, int64_t last,
                              int64_t transfer, int64_t *out);
/** A payment or payout of that instant in the bill of its day. */
EV_MUST_USE int story_channel(struct request *r, int64_t channel, int64_t at_ms, int64_t row,
                              struct api_StoryChannel *out);
EV_MUST_USE int story_payout(struct request *r, int64_t id, struct api_StoryPayout *out);

/* ---- an account as a queue (story_queue.c) ---- */

/** A transfer in the queue: what came in stands at [at, at + n), the newest of it ends at 0; what left
 * took the same places, oldest first. */
struct story_place {
    struct story_move move;
    int64_t at, n;
};
struct story_queue {              /* may be used again */
    int64_t due, payout;          /* in: go back until this bucket, or all that this payout took, */
    int64_t transfer;             /* … or this transfer; one of the three */
    struct story_place *in, *out; /* newest first */
    uint32_t in_n, out_n;
    bool all;                        /* false: there was too much */
    const struct story_place *found; /* what was asked for, or NULL */
};

EV_MUST_USE int story_purse(struct request *r, int64_t party, struct str currency,
                            struct story_purse *out);
EV_MUST_USE int story_queue(struct request *r, const struct story_account *a, int64_t last,
                            struct story_queue *q);
/** How much of [a, a + an) lies in [b, b + bn). */
int64_t story_overlap(int64_t a, int64_t an, int64_t b, int64_t bn);
bool story_came_back(int64_t payout_state);

/* ---- shares that wait for a company's bill (story_bill.c) ---- */

/** What a collection of a bill set free of a party's shares (bill_share). */
struct story_collect {
    int64_t id, paid, lacked, waited, amount, due_ms, at_ms;
};
struct story_billed {
    struct api_OrderShare share;  /* without amount */
    int64_t pending, left, freed; /* it waited for the bill; still does; was set free */
    /* The collection at hand set so much free; so much of that was taken back while it waited for its day; and
     * so much that others of its day had set free of it is still there. */
    int64_t took, off, before;
};
struct story_bill { /* of one party; may be used again */
    int64_t bill, waits, month;
    struct story_billed *share;
    struct story_take *take;
    struct story_collect *collect; /* oldest first */
    uint32_t n, take_n, collect_n;
};

/** Reads a bill's shares of the party. ERR_FULL: too many. */
EV_MUST_USE int story_bill(struct request *r, const struct story_purse *p, int64_t bill,
                           struct story_bill *b);
/** Works out what became of each share, and what this collection (or NULL) set free of it. */
EV_MUST_USE int story_bill_play(struct story_bill *b, const struct story_collect *at);
/** NULL: there is none. */
const struct story_collect *story_bill_collect(const struct story_bill *b, int64_t id);

/** What matured in this transfer, as api_OrderShare in the order in which it lies there; the amounts are
 * all that matured. `out` and `b` may be used again. ERR_FULL: too many. */
EV_MUST_USE int story_bucket(struct request *r, const struct story_purse *p,
                             const struct story_move *mature, struct story_bill *b,
                             struct rows *out);

/** What the capturing legs of these transfers (oldest first) were made of, as api_StoryLot. */
EV_MUST_USE int story_lots(struct request *r, const struct api_MoneyStory *s, struct rows *lots);
/** What they gave to parties and took back, as api_StoryShare; of one party, or of all with 0. Parts
 * are those of the order. */
EV_MUST_USE int story_shares(struct request *r, const struct api_MoneyStory *s, int64_t party,
                             struct rows *shares);

/* ---- what a discharge earned (story_earned.c) ---- */

/** What these transfers (oldest first) of a discharge paid its driver or took back, and where that went since, as
 * api_StoryEarned. */
EV_MUST_USE int story_earned(struct request *r, const struct api_MoneyStory *s,
                             struct rows *earned);

#endif
