// SPDX-License-Identifier: Apache-2.0
/* bill.h: the inside of the import of a provider's bill: h_bill.c compares it with the books and hands
 * it to the core, bill_shares.c reads the bills of shares. All of it lives in the request's arena; its
 * thread. */
#ifndef EVEN_WEB_BILL_H
#define EVEN_WEB_BILL_H

#include "core/types.h"
#include "web/api_gen.h"
#include "web/sheet.h"
#include "web/state.h"

enum { BILL_COLS = 10 };

/** One movement in our books. kind 'P' payment, 'W' payout or refund, or a share that came back: in. */
struct ours {
    char kind;
    bool in, in_day, seen, booked;
    bool other;     /* another day's bill has it */
    bool half_post; /* the open difference is on suspense */
    int32_t share;  /* PAYOUT_SHARED, PAYOUT_RETURNED; else 0 */
    int64_t id, channel, amount, at_ms, payment;
    int64_t half, late; /* open differences that lack the provider's side, or ours */
    struct ours *next;  /* of far */
};
/** A row of the bill. */
struct bill_line {
    struct api_BillItem item;
    bool in, refund, has_fee;
};

/** What providers call a column. */
struct bill_column {
    const char *names[5];
    bool must;
};
struct bill;
/** How the bills of a kind are written. */
struct bill_form {
    const struct bill_column *columns;
    int n;
    /** Which column of the line that begins the closing one counts the rows; -1: it is no such line. */
    int (*closing)(const struct sheet *s);
    int (*row)(struct bill *b, const struct sheet *s);
    /** Judges the whole of the rows; NULL. */
    int (*end)(struct bill *b);
};

struct bill {
    struct request *r;
    const struct bill_form *form;
    struct ours *ours;
    struct ours **far; /* of other days, looked up one by one: chains by id */
    uint32_t n, far_n;
    enum bill_kind kind;
    bool apart; /* shares have a bill of their own at this channel */
    int64_t from_ms, to_ms, fee_bp, fee_due;
    int64_t of_day; /* BILL_SHARES: rows that surely are of that day */
    int col[BILL_COLS];
    bool dry, had;       /* only compared; imported before */
    int32_t diffs, sent; /* of r->kept, struct bill_diff_in */
    int err;
    const char *pointer, *detail;
    char sha256[65];
    struct api_BillReport out;
};

/* ---- h_bill.c ---- */

/** The cell in that column of the form, without what keeps spreadsheets from it; "". */
struct str bill_value(const struct bill *b, const struct sheet *s, int col);
/** An amount in yuan, without its sign. */
EV_MUST_USE int bill_money(struct bill *b, struct str text, int64_t *out);
/** The movement with that number of ours; NULL in *out: nothing that we know. */
EV_MUST_USE int bill_find(struct bill *b, struct str no, struct ours **out);
/** Compares a row with that movement (NULL: none). */
EV_MUST_USE int bill_judge(struct bill *b, struct ours *o, struct bill_line *l);

/* ---- bill_shares.c ---- */

extern const struct bill_form bill_form_shares;

#endif
