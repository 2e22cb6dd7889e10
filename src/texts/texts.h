// SPDX-License-Identifier: Apache-2.0
/* texts.h: the port to senders of text messages: log-in codes, and notices about charges. "Send this text to that phone" becomes a signed HTTP
 * request; what the provider answers becomes sent, refused, or unknown. No socket, no clock, no
 * randomness: time and nonces come in as arguments, so every kind is tested by published vectors and
 * judged by independent implementations.
 *
 *   web ── code, phone ──► worker ── texts_ask ──► HTTP ── texts_answer ──► the driver's page
 *
 * Kinds: `hook`, the operator's own gateway (doc/protocol/texts.md), for every provider that we do not
 * know; Alibaba Cloud SMS; Tencent Cloud SMS.
 *
 * Invariants:
 *  1. TEXT_SENT only when the provider said so, about the number that was asked; TEXT_REFUSED only when
 *     it said that it will not send it. All else is TEXT_UNKNOWN, and is not asked for again: none of the
 *     clouds knows idempotency keys, and a text costs money.
 *  2. Secrets are files of the installation's owner only. They, what texts say and phone numbers stand in no text
 *     that leaves this floor but the request: a reason holds neither digits nor anything else than
 *     letters and "._-".
 *
 * Thread: any; a sender is constant between texts_new and texts_free. */
#ifndef EVEN_TEXTS_TEXTS_H
#define EVEN_TEXTS_TEXTS_H

#include "base/buf.h"

/** What a text is about; but for codes the numbers of the core's notices (enum notice_kind). */
enum text_kind {
    TEXT_CODE,
    TEXT_ENDED, /* a charge is over and paid */
    TEXT_NEAR,  /* the free time in a bay ends soon */
    TEXT_FEE,   /* the fee for the bay begins to run … */
    TEXT_RUNS,  /* … and still runs */
    TEXT_DOUBT, /* a charge is over, a part of it waits for a decision */
    TEXT_KINDS
};
/** What a text may say. Which kind has which: texts_kind_has. */
enum text_param {
    PARAM_CODE,
    PARAM_MINUTES, /* a code is good for; the free time lasts */
    PARAM_STATION,
    PARAM_ENERGY, /* kWh, "12.34" */
    PARAM_AMOUNT, /* "18.50" */
    PARAM_CURRENCY,
    PARAM_REASON, /* why the charge ended */
    PARAM_TIME,   /* when it ended; since when the fee runs; "12:15" at the station */
    PARAM_UNTIL,  /* end of the free time; when a doubt is decided */
    PARAM_ORDER,
    PARAMS
};
const char *texts_kind_name(enum text_kind kind);
bool texts_kind_has(enum text_kind kind, enum text_param p);

enum texts_kind { TEXTS_NONE, TEXTS_HOOK, TEXTS_ALIYUN, TEXTS_TENCENT, TEXTS_KINDS };

#define TEXTS_NONCE_SIZE  33 /* 32 characters and a NUL */
#define TEXTS_PHONE_SIZE  17 /* '+', 15 digits, NUL (E.164) */
#define TEXTS_REASON_SIZE 64
#define TEXTS_HEADERS_MAX 10
#define TEXTS_MAX         (16 * 1024) /* of a request or an answer */

struct texts;

/** A sender. Everything is copied. */
struct texts_config {
    int32_t kind;
    const char *url; /* of the provider without a slash at its end; "" = the cloud's public one */
    const char *app, *region;
    const char *sign;
    const char *template[TEXT_KINDS]; /* "": a cloud sends none of that kind */
    const char *params[TEXT_KINDS];   /* what it takes, in its order: "code", "code,minutes" */
    const char *keys;                 /* folder with `secret`, and `id` for the clouds */
};
/** Number of a kind by its name in the settings; "" is TEXTS_NONE. ERR_RANGE. */
EV_MUST_USE int texts_kind_find(struct str name, int32_t *out);
/** Judges everything but the keys. ERR_REQUIRED, ERR_SYNTAX, ERR_RANGE; `why` names the setting. */
EV_MUST_USE int texts_config_check(const struct texts_config *c, char why[160]);
/** texts_config_check, and loads the keys. ERR_NOT_FOUND (a file is missing), ERR_DENIED (others may
 * read it), ERR_RANGE (too short or too long), ERR_NOMEM; `why` names the file, never what is in it. */
EV_MUST_USE int texts_new(const struct texts_config *c, struct texts **out, char why[160]);
void texts_free(struct texts *t);

/** The number as E.164 from how people type it: digits are a mainland number of eleven, all others
 * begin with '+' and their country's code. `countries`: codes that are served, separated by commas, or
 * "*". ERR_RANGE. */
EV_MUST_USE int texts_phone(struct str typed, const char *countries, char out[TEXTS_PHONE_SIZE]);

/** A text to be sent. */
#define TEXTS_VALUE_SIZE 104
struct text {
    char id[41]; /* idempotency key, 8 characters at least */
    char phone[TEXTS_PHONE_SIZE];
    int32_t kind;                         /* enum text_kind */
    char value[PARAMS][TEXTS_VALUE_SIZE]; /* "": nothing is said of it */
};
/** Can a text of that kind be sent at all? */
bool texts_sends(const struct texts *t, enum text_kind kind);

/** A request, ready to be sent. Zero it once, texts_request_free at the end; both forget its content
 * (texts_request_wipe does only that). */
struct texts_request {
    const char *method;
    struct buf url, body;
    struct buf text;                        /* the headers' lines, each with its NUL */
    const char *headers[TEXTS_HEADERS_MAX]; /* "Name: value"; ends at NULL */
};
void texts_request_wipe(struct texts_request *q);
void texts_request_free(struct texts_request *q);

/** ERR_RANGE (a text that can never be sent so), ERR_TOO_LARGE. */
EV_MUST_USE int texts_ask(const struct texts *t, const struct text *x, int64_t now_ms,
                          const char nonce[TEXTS_NONCE_SIZE], struct texts_request *q);

enum text_state { TEXT_SENT = 1, TEXT_REFUSED, TEXT_UNKNOWN };
struct text_result {
    int32_t state;
    bool again; /* refused for now only: too many at a time. Nothing was sent */
    char reason[TEXTS_REASON_SIZE];
};
struct texts_reply {
    int status;
    struct str body;
};
/** Always fills `out`. */
void texts_answer(const struct texts *t, const struct text *x, const struct texts_reply *a,
                  struct text_result *out);

#endif
