// SPDX-License-Identifier: Apache-2.0
/* rail.h: the port to payment providers. A rail turns what the core asks (struct out_pay) into a
 * signed HTTP request, reads the provider's signed answer, and judges what a provider tells by
 * itself. It opens no socket and keeps no state but its keys: time and nonces come in as arguments,
 * so every kind is tested by vectors and judged by independent implementations.
 *
 *   core ── out_pay ──► worker ── rail_ask ──► HTTP ── rail_answer ──► cmd_pay_result ──► core
 *   provider ── POST /notify/{channel} ──► rail_notice ──► cmd_pay_result (PAY_NOTICE) ──► core
 *
 * Invariants:
 *  1. Nothing is believed that the provider did not sign: what is unsigned, stale, or about another
 *     merchant or order is PAY_UNKNOWN.
 *  2. PAY_DONE says the provider's amount and currency; PAY_FAILED of a payout is final only when
 *     the provider's own query says so (rail_is_refusal).
 *  3. Keys are files of the installation's owner only; they are in no text that leaves this floor.
 *
 * Thread: any; a rail is constant between rail_new and rail_free. */
#ifndef EVEN_RAIL_RAIL_H
#define EVEN_RAIL_RAIL_H

#include "base/buf.h"
#include "core/cmd.h"

#define RAIL_NONCE_SIZE  33 /* 32 characters and a NUL */
#define RAIL_HEADERS_MAX 10
#define RAIL_MARK_SIZE   32
#define RAIL_TEXT_MAX    (64 * 1024) /* of a request; answers and notices may be this long, too */

struct rail;

/** A channel. Everything is copied. */
struct rail_config {
    int64_t channel;
    int32_t kind;    /* enum channel_kind; no CHANNEL_BANK, which has no rail */
    const char *url; /* of the provider without a slash at its end; "" = its public one */
    const char *app, *merchant;
    const char *notify_url; /* where it tells what happened */
    const char *keys;       /* folder with the PEM files */
};
/** Loads the keys. ERR_NOT_FOUND (a file is missing), ERR_DENIED (others may read the keys),
 * ERR_SYNTAX, ERR_RANGE (a key is too short), ERR_UNSUPPORTED (kind), ERR_NOMEM; `why` names the
 * file, never what is in it. */
EV_MUST_USE int rail_new(const struct rail_config *c, struct rail **out, char why[160]);
void rail_free(struct rail *r);
/** True for a name that may stand in a channel's `keys`: one folder, letters, digits, "._-". */
bool rail_keys_name_ok(struct str name);
/** True when a key of the provider with this serial number is loaded. */
bool rail_knows(const struct rail *r, struct str serial);

/** A request, ready to be sent. Zero it once, rail_request_free at the end. */
struct rail_request {
    const char *method;
    struct buf url, body;
    struct buf text;                       /* the headers' lines, each with its NUL */
    const char *headers[RAIL_HEADERS_MAX]; /* "Name: value"; ends at NULL; set by rail_ask */
    char nonce[RAIL_NONCE_SIZE];
};
void rail_request_free(struct rail_request *q);

struct rail_reply {
    int status;
    struct str body;
    struct str (*header)(const void *ctx, const char *name); /* "" = not there */
    const void *ctx;
    int64_t now_ms;
};

/** Builds the request of `ask`. 0; 1 when the rail knows the answer by itself: then `out` holds it
 * and nothing is sent. ERR_UNSUPPORTED (this kind cannot do that), ERR_RANGE, ERR_REQUIRED (it can
 * never be asked so), ERR_NOMEM. */
EV_MUST_USE int rail_ask(const struct rail *r, const struct out_pay *ask, int64_t now_ms,
                         const char nonce[RAIL_NONCE_SIZE], struct rail_request *q,
                         struct cmd_pay_result *out);
/** Reads the answer. Always fills `out`, whose err says why nothing is certain. 0; 1 when the
 * signature names a key that is not loaded (the keys may have been changed). */
EV_MUST_USE int rail_answer(const struct rail *r, const struct out_pay *ask,
                            const struct rail_request *q, const struct rail_reply *a,
                            struct cmd_pay_result *out);
/** The result of an ask that was not answered, or never sent. */
void rail_no_answer(const struct out_pay *ask, int err, struct cmd_pay_result *out);
/** A payout, or a sub-account, that was refused when it was asked for. It has failed for certain only if a query finds
 * nothing: an earlier ask under the same number may have gone through. */
bool rail_is_refusal(const struct out_pay *ask, const struct cmd_pay_result *out);

/** Why a notice was refused. */
enum rail_refusal {
    RAIL_TAKEN = 0,
    RAIL_BAD_FORM,    /* headers or body are not what the provider sends */
    RAIL_STALE,       /* older or newer than the provider's clock may be off */
    RAIL_UNKNOWN_KEY, /* signed with a key that we do not have */
    RAIL_BAD_SIGNATURE,
    RAIL_BAD_CIPHER, /* the signature is right, the cipher text is not for our secret */
    RAIL_NOT_OURS,   /* about another merchant or application, or a number that is not ours */
    RAIL_REPLAYED,   /* said by the caller, who remembers marks */
    RAIL_REFUSALS
};
/** "bad-form" …: for counters and the audit. */
const char *rail_refusal_name(enum rail_refusal why);

struct rail_told {
    struct cmd_pay_result result; /* op PAY_NOTICE: a reason to ask, no proof */
    uint8_t mark[RAIL_MARK_SIZE]; /* of what was signed: the same again is a replay */
};
/** Judges a notice; `told` is filled for RAIL_TAKEN only. */
EV_MUST_USE enum rail_refusal rail_notice(const struct rail *r, const struct rail_reply *in,
                                          struct rail_told *told);
/** What the provider wants to hear when its notice was taken. */
struct str rail_notice_thanks(const struct rail *r);

/** Bills. First rail_bill asks where the bill of a day ("2026-11-25") is; rail_bill_answer reads that
 * and builds the second request into `next`; the SHA-256 or SHA-1 of the file, unpacked where it comes
 * as gzip, is the provider's `hash` ("" = it tells none). ERR_NOT_FOUND: there is no bill of that day
 * (yet); ERR_AGAIN: it is being made, or the provider is busy; ERR_PROVIDER: refused; ERR_UNSUPPORTED:
 * this kind has no such bill. */
EV_MUST_USE int rail_bill(const struct rail *r, enum bill_kind kind, struct str day, int64_t now_ms,
                          const char nonce[RAIL_NONCE_SIZE], struct rail_request *q);
EV_MUST_USE int rail_bill_answer(const struct rail *r, const struct rail_request *q,
                                 const struct rail_reply *a, const char nonce[RAIL_NONCE_SIZE],
                                 struct rail_request *next, char hash[80]);

#endif
