// SPDX-License-Identifier: Apache-2.0
/* recon.h: reconciliation: a provider's bill of a day, what differs from the books, and the close of
 * days (recon.c); what people do about a difference (recon_diff.c).
 *
 * The web front reads a bill and compares it row by row on a snapshot; what it found comes in parts,
 * which wait here until the bill itself comes: so a bill is taken whole or not at all. What differs is
 * posted at once between the channel's account and suspense:
 *
 *  class        ours  theirs  suspense       then
 *  theirs_only  0     x       x              a person says whose it is
 *  amount       o     x       x − o          "
 *  fee          −due  −kept   due − kept     "
 *  day_cut      o     o       0              nothing: both sides are known, on two days
 *  day_cut      o     0       0              near midnight: the next bill has it, or it is ours_only
 *  ours_only    o     0       0              stays in sight with its age, or a person posts it: −o
 *
 * Amounts are signed: what came in is positive; on suspense positive is what is owed to somebody.
 * Every later step is a new transfer that names the difference; nothing is edited.
 *
 * Invariants:
 *  1. the suspense account of a tenant = Σ suspense of its posted differences;
 *  2. one bill a channel, day and kind, never changed; days are closed in order, and nothing is posted to a
 *     closed day any more;
 *  3. a closed day ties: held = theirs + lines, theirs = opening + took − gave − fees − settled, and it
 *     opens where the one before it closed;
 *  4. what leaves suspense above the tenant's limit, or to a party, was approved by another person than
 *     who asked.
 * WeChat Pay has a bill of its own for shares that it paid out of payments, and for those that came back:
 * both of a day together are what it says of the day. Providers count days in China's time. The core's
 * thread. */
#ifndef EVEN_CORE_RECON_H
#define EVEN_CORE_RECON_H

#include "core/core_state.h"

struct payment;
struct payout;

struct channel_bill {
    struct obj o;
    struct row_bill row;
};
struct diff {
    struct obj o;
    struct row_bill_diff row;
    uint32_t round; /* in which a row of a bill named it last (recon.c) */
};
struct day_close {
    struct obj o;
    struct row_day_close row;
};
struct settlement {
    struct obj o;
    struct row_settlement row;
};

/* ---- recon.c ---- */

EV_MUST_USE int recon_new(struct core *c);
void recon_free(struct core *c);
int recon_part(struct core *c, const struct cmd *cmd);
int recon_bill(struct core *c, const struct cmd *cmd);
int recon_close(struct core *c, const struct cmd *cmd);
int recon_settle(struct core *c, const struct cmd *cmd);
/** Of a day_close that was loaded: its channel learns it. ERR_CORRUPT without a channel. */
EV_MUST_USE int recon_closed(struct core *c, const struct row_day_close *row);
/** Begin of a day in China's time; -1 when there is no such day. */
int64_t recon_day_begin(int32_t day);
int32_t recon_day_of(int64_t ms);

/* ---- recon_diff.c ---- */

/** A new difference; NULL when the table is full. Its id, version and times are made here. */
struct diff *diff_add(struct core *c, struct row_bill_diff *row);
/** Posts `amount` between its channel and suspense, as of that time. The accounts exist. */
void diff_post(struct core *c, struct diff *d, int64_t amount, int64_t effective_ms);
/** The other side of it was found: whole when the amounts agree (what was posted is taken back), else
 * the difference is posted. */
void diff_pair(struct core *c, struct diff *d, const struct bill_diff_in *in, int32_t day);
int recon_decide(struct core *c, const struct cmd *cmd);
/** A driver paid another amount than was asked for; it is on suspense by this transfer. */
void recon_payment(struct core *c, const struct payment *p, int64_t paid, int64_t transfer);
/** The rail paid another amount than was asked for; the rest is on suspense by this transfer. */
void recon_payout(struct core *c, const struct payout *p, int64_t paid, int64_t transfer);

#endif
