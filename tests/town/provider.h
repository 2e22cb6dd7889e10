// SPDX-License-Identifier: Apache-2.0
/* provider.h: the payment provider of a town: it knows for certain what was paid, answers late, twice
 * or not at all, and is the truth about money from outside. */
#ifndef EVEN_TOWN_PROVIDER_H
#define EVEN_TOWN_PROVIDER_H

#include "base/hash.h"
#include "core/cmd.h"

enum { PROVIDER_DEALS = 128, PROVIDER_MAIL = 64 };

/** One payment, or one transfer that it was asked for. */
struct deal {
    int64_t row, channel, amount;
    bool out;        /* money that leaves */
    int32_t state;   /* enum pay_state: PENDING, DONE, CLOSED, FAILED */
    int64_t turn_ms; /* a pending one becomes `then` at this time */
    int32_t then;
    int64_t paid; /* what the payer really gave */
};

struct provider_mail {
    int64_t at_ms; /* 0 = free */
    struct cmd_pay_result result;
};

struct provider {
    struct rng rng;
    int64_t tenant;
    struct deal deal[PROVIDER_DEALS];
    int deals;
    struct provider_mail mail[PROVIDER_MAIL];
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *ctx;
};

/** The platform asks something. */
void provider_hear(struct provider *p, const struct out_pay *ask);
/** Does and says what is due. */
void provider_step(struct provider *p);
int64_t provider_due_ms(const struct provider *p);
const struct deal *provider_deal(const struct provider *p, int64_t row);

#endif
