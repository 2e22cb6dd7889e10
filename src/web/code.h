// SPDX-License-Identifier: Apache-2.0
/* code.h: log-in codes of drivers, between asking and typing. Six digits, five minutes, ten tries;
 * kept in memory only, as a restart just makes the driver ask again.
 *
 * Invariants:
 *  1. A code opens one log-in at most.
 *  2. A phone has one valid code, the newest.
 *  3. The table never grows: the oldest entry of a full row of places gives way.
 *
 * Under the web's guard. */
#ifndef EVEN_WEB_CODE_H
#define EVEN_WEB_CODE_H

#include "base/str.h"

#define CODES_N      4096
#define CODE_LIFE_NS INT64_C(300000000000)
#define CODE_TRIES   10

struct code {
    char phone[21], digits[7];
    int32_t tries;
    int64_t until_ns;
};
struct codes {
    struct code *at;
    uint64_t seed;
};

EV_MUST_USE int codes_init(struct codes *c, uint64_t seed);
void codes_free(struct codes *c);
/** Keeps six digits made of `random` for the phone; writes them to out[7]. */
void codes_put(struct codes *c, const char *phone, uint64_t random, int64_t now_ns, char out[7]);
/** 0 and the code is used up, ERR_LOGIN_FAILED for a wrong one, ERR_NOT_FOUND when the phone has no
 * code that could be guessed (any more). */
EV_MUST_USE int codes_check(struct codes *c, const char *phone, struct str digits, int64_t now_ns);

#endif
