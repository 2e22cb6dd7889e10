// SPDX-License-Identifier: Apache-2.0
/* till.h: the inside of the cashier: what was paid, refunded and transferred, the keys, the faults,
 * and the notices that wait. One thread; everything is in memory and forgotten at the end, but the
 * keys and the bills.
 *
 * Invariants: 1. a trade is paid once and refunded up to what was paid; 2. a number asked for again
 * with the same content changes nothing, with other content it is refused; 3. a merchant's balance
 * is never negative. */
#ifndef EVEN_CASHIER_TILL_H
#define EVEN_CASHIER_TILL_H

#include <stdio.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "io/net/fetch.h"
#include "io/net/sign.h"

enum { TILL_WECHAT, TILL_ALIPAY, TILL_ALLOC, TILL_KINDS };
enum { TILL_TRADES = 20000, TILL_MOVES = 20000, TILL_ACCOUNTS = 1000, TILL_NOTICES = 2000 };
enum { TILL_CODE_SIZE = 25, TILL_TEXT_MAX = 64 * 1024 };
enum { TILL_TEXTS = 2000, TILL_NONCE_SIZE = 41, TILL_SECRET_SIZE = 33 };

/** Per cent of the occasions, by the seed. */
enum till_fault {
    FAULT_LOST,       /* a notice never comes */
    FAULT_LATE,       /* … comes seconds later */
    FAULT_DUPLICATE,  /* … comes twice */
    FAULT_REORDER,    /* … waits for a later one to overtake it */
    FAULT_CONTRADICT, /* … is preceded by one that says the opposite */
    FAULT_TIMEOUT,    /* what was asked is done, the answer is not given */
    FAULT_ERROR,      /* 500, nothing was done */
    FAULT_NO_FUNDS,   /* our balance is short */
    FAULT_BILL_EARLY, /* a bill of shares is there from 10:00 of the next day on only */
    FAULT_BILL_MADE,  /* … is just being made */
    FAULT_BILL_HASH,  /* … is another file than its hash says */
    FAULT_BILL_CUT,   /* … lacks its end, and the hash is of that */
    TILL_FAULTS
};

struct till_keys {
    struct sign_key *own, *merchant; /* the provider's private key, the merchant's public one */
    char serial[41], merchant_serial[41];
    uint8_t secret[SIGN_SECRET_SIZE + 1];
};

enum trade_state { TRADE_OPEN, TRADE_PAID, TRADE_CLOSED };
struct trade {
    int kind;
    enum trade_state state;
    char no[65], provider_no[33], code[TILL_CODE_SIZE], notify_url[256];
    int64_t fen, refunded, made_ms, paid_ms;
    bool frozen; /* shares may be paid out of it, and nothing else may use it */
};
enum move_what {
    MOVE_REFUND,
    MOVE_TRANSFER,
    MOVE_REVERSAL,
    MOVE_CASHOUT,
    MOVE_SHARE,
    MOVE_RETURN /* a share that came back; group: of which request */
};
enum move_state { MOVE_WAIT, MOVE_DONE, MOVE_FAILED };
struct move {
    int kind;
    enum move_what what;
    enum move_state state;
    char no[65], of_no[65], provider_no[33], code[TILL_CODE_SIZE], payee[129], notify_url[256];
    char group[65]; /* SHARE: the request that it came with */
    int64_t fen, made_ms;
    int64_t asked; /* RETURN: what was asked for */
};
enum account_state { ACCOUNT_WAIT, ACCOUNT_IS_OPEN, ACCOUNT_REFUSED, ACCOUNT_IS_CLOSED };
/** A sub-account; no is the merchant's number of it, number is ours. */
struct account {
    char no[33], number[33], name[101], kind[17], notify_url[256];
    char id_no[65], bank[65];
    enum account_state state;
    int64_t fen, due_ns; /* due_ns: when the check of the identity is over */
};

/** A notice: about the trade, move or account with this index. */
enum notice_of { OF_TRADE, OF_MOVE, OF_ACCOUNT };
struct notice {
    bool used, sent, lie;
    enum notice_of of;
    int kind, attempt;
    size_t index;
    int64_t due_ns, told_ms;
    char id[TILL_CODE_SIZE];
    struct till *till;
};

/** A text to a phone, as far as we are concerned sent. */
struct till_text {
    char via[9], id[41], phone[24], code[9];
};

struct till {
    char dir[256], base[128];
    struct till_keys keys[TILL_KINDS];
    struct trade *trades;
    struct move *moves;
    struct account *accounts;
    size_t trades_n, moves_n, accounts_n;
    int64_t balance[TILL_KINDS]; /* fen */
    struct notice *notices;
    struct fetch *fetch;
    int fault[TILL_FAULTS];
    struct rng rng;
    int64_t made; /* provider's numbers */
    struct till_text *texts;
    char (*nonces)[TILL_NONCE_SIZE]; /* of the last texts asked for, the oldest gives way */
    size_t texts_n, nonces_n;
    char texts_secret[TILL_SECRET_SIZE];
};

struct till_request {
    struct str method, target, path, query, body; /* target: path?query as sent */
    struct str (*header)(const void *ctx, const char *name);
    const void *ctx;
};
struct till_reply {
    int status;
    bool cut;        /* give no answer at all */
    int32_t slow_ms; /* … or only after a while */
    const char *mime;
    struct buf body;
    struct buf headers; /* "Name: value" lines, each with its NUL */
};

/* ---- till.c ---- */

bool till_strikes(struct till *t, enum till_fault f);
struct trade *till_trade(struct till *t, int kind, struct str no);
struct trade *till_trade_by_code(struct till *t, struct str code);
struct move *till_move(struct till *t, int kind, struct str no);
struct move *till_move_by_code(struct till *t, struct str code);
/** By the merchant's number or ours. */
struct account *till_account(struct till *t, struct str no);
struct account *till_account_new(struct till *t, struct str no);
/** The provider decides about it, and tells. */
void till_account_set(struct till *t, struct account *n, enum account_state s);
/** New ones; NULL when the till is full. */
struct trade *till_trade_new(struct till *t, int kind, struct str no, int64_t fen,
                             struct str notify);
struct move *till_move_new(struct till *t, int kind, enum move_what what, struct str no,
                           int64_t fen);
/** The payer pays; tells the merchant. False when it is not open. */
bool till_pay(struct till *t, struct trade *trade);
/** Takes money out of the merchant's balance; false when it is short. */
bool till_take(struct till *t, int kind, int64_t fen);
/** The payee of a transfer confirms it, or will not. */
bool till_confirm(struct till *t, struct move *m, bool yes);
/** Tells the merchant about it, as the faults will have it. */
void till_tell_trade(struct till *t, const struct trade *trade);
void till_tell_move(struct till *t, const struct move *m);
/** Sends what is due; ms until the next. */
int32_t till_turn(struct till *t);
void till_answered(void *ctx, void *tag, const struct fetch_answer *a);
void till_header(struct till_reply *a, const char *name, struct str value);
/** Appends the bill of a day ("2026-11-25") with its closing line; ERR_NOT_FOUND. */
EV_MUST_USE int till_bill(const struct till *t, int kind, struct str day, struct buf *out);
/** Everything as JSON, for tests that compare both sides. */
void till_print(const struct till *t, struct buf *out);

/* ---- sharebill.c ---- */

/** A line of the day's bill of shares: of a share, a return, or the rest of a payment that is free. */
void till_share_line(struct till *t, const struct move *m);
void till_rest_line(struct till *t, const struct trade *d, struct str no);
/** GET /v3/profitsharing/bills: where it is; then the file, packed if that was asked for. */
void till_shares_ask(struct till *t, struct str query, struct arena *m, struct till_reply *a);
void till_shares_get(struct till *t, struct str query, struct till_reply *a);
/* ---- one file each ---- */

void till_wechat(struct till *t, const struct till_request *q, struct till_reply *a);
void till_alipay(struct till *t, const struct till_request *q, struct till_reply *a);
void till_alloc(struct till *t, const struct till_request *q, struct till_reply *a);
/** /texts/hook, /texts/aliyun/, /texts/tencent/ */
void till_texts(struct till *t, const struct till_request *q, struct till_reply *a);
/** Appends the texts as members of a JSON array. */
void till_texts_print(const struct till *t, struct buf *out);
/** Builds body and headers of a notice. */
void wechat_tell(struct till *t, const struct notice *n, struct buf *body, struct buf *headers);
void alipay_tell(struct till *t, const struct notice *n, struct buf *body, struct buf *headers);
void alloc_tell(struct till *t, const struct notice *n, struct buf *body, struct buf *headers);
/** /pay/{code}, /confirm/{code}, /account/{number} */
void till_page(struct till *t, const struct till_request *q, struct till_reply *a);

/* ---- http.c ---- */

struct http;
EV_MUST_USE int http_new(struct till *t, const char *bind, uint16_t port, struct http **out);
uint16_t http_port(const struct http *h);
/** Works for up to timeout_ms on requests and on the till's own. */
void http_run(struct http *h, int32_t timeout_ms);
void http_free(struct http *h);

#endif
