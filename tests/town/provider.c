// SPDX-License-Identifier: Apache-2.0
/* provider.c: see provider.h. Invariant: what is DONE, CLOSED or FAILED stays so. The same question
 * gets the truth of the moment, however often it is asked. */
#include "town/provider.h"

#include <stdio.h>
#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/types.h"
#include "town/vnet.h"

static struct deal *deal_find(struct provider *p, int64_t row)
{
    for (int i = 0; i < p->deals; i++)
        if (p->deal[i].row == row)
            return &p->deal[i];
    return NULL;
}

const struct deal *provider_deal(const struct provider *p, int64_t row)
{
    for (int i = 0; i < p->deals; i++)
        if (p->deal[i].row == row)
            return &p->deal[i];
    return NULL;
}

/* ---- what becomes of it ---- */

static void deal_make(struct provider *p, const struct out_pay *ask)
{
    if (deal_find(p, ask->row))
        return;
    must(p->deals < PROVIDER_DEALS);
    struct deal *d = &p->deal[p->deals++];
    bool out = ask->op == PAY_TRANSFER || ask->op == PAY_REFUND;
    *d = (struct deal){.row = ask->row,
                       .channel = ask->channel,
                       .amount = ask->amount,
                       .paid = ask->amount,
                       .out = out,
                       .state = PAY_PENDING,
                       .then = PAY_DONE,
                       .turn_ms = vnet_now_ms() + rng_range(&p->rng, 100, out ? 60000 : 600000)};
    if (out && rng_below(&p->rng, 4) == 0)
        d->then = PAY_FAILED;
    if (!out && rng_below(&p->rng, 4) == 0)
        d->turn_ms = VNET_NEVER; /* nobody pays */
    if (!out && rng_below(&p->rng, 20) == 0)
        d->paid += MONEY_FEN;
}

static void notice_send(struct provider *p, const struct deal *d);

static void deal_turn(struct provider *p, struct deal *d)
{
    if (d->state != PAY_PENDING || d->turn_ms > vnet_now_ms())
        return;
    d->state = d->then;
    if (!d->out && rng_below(&p->rng, 3))
        notice_send(p, d);
}

/* ---- what is said ---- */

static void mail_put(struct provider *p, const struct cmd_pay_result *r)
{
    for (int i = 0; i < PROVIDER_MAIL; i++)
        if (!p->mail[i].at_ms) {
            p->mail[i].at_ms = vnet_now_ms() + rng_range(&p->rng, 20, 4000);
            p->mail[i].result = *r;
            return;
        }
    /* It is busy: nothing is said, and it will be asked again. */
}

static void say(struct provider *p, const struct cmd_pay_result *r)
{
    if (rng_below(&p->rng, 8) == 0)
        return;
    mail_put(p, r);
    if (rng_below(&p->rng, 10) == 0)
        mail_put(p, r);
}

static void result_fill(const struct deal *d, int64_t row, int64_t channel, int32_t op,
                        struct cmd_pay_result *r)
{
    *r = (struct cmd_pay_result){.row = row,
                                 .channel = channel,
                                 .op = op,
                                 .state = d ? d->state : PAY_UNKNOWN,
                                 .err = d ? 0 : ERR_NOT_FOUND,
                                 .currency = "CNY",
                                 .amount = d ? d->paid : -1};
    snprintf(r->provider_no, sizeof r->provider_no, "N%lld", (long long)row);
    if (op == PAY_CREATE)
        snprintf(r->url, sizeof r->url, "https://pay.example/%lld", (long long)row);
}

static void notice_send(struct provider *p, const struct deal *d)
{
    struct cmd_pay_result r;
    result_fill(d, d->row, d->channel, PAY_NOTICE, &r);
    say(p, &r);
}

void provider_hear(struct provider *p, const struct out_pay *ask)
{
    struct cmd_pay_result r;
    if (rng_below(&p->rng, 12) == 0)
        return; /* lost on the way */
    if (ask->op == PAY_CREATE || ask->op == PAY_TRANSFER || ask->op == PAY_REFUND)
        deal_make(p, ask);
    struct deal *d = deal_find(p, ask->row);
    if (d && ask->op == PAY_CLOSE && d->state == PAY_PENDING)
        d->state = PAY_CLOSED;
    result_fill(d, ask->row, ask->channel, ask->op, &r);
    if (ask->op == PAY_CREATE)
        r.state = PAY_PENDING;
    say(p, &r);
}

void provider_step(struct provider *p)
{
    static struct cmd c;
    for (int i = 0; i < p->deals; i++)
        deal_turn(p, &p->deal[i]);
    for (int i = 0; i < PROVIDER_MAIL; i++) {
        if (!p->mail[i].at_ms || p->mail[i].at_ms > vnet_now_ms())
            continue;
        p->mail[i].at_ms = 0;
        memset(&c, 0, CMD_SIZE(pay_result));
        c.head = (struct cmd_head){.size = CMD_SIZE(pay_result),
                                   .version = CMD_VERSION,
                                   .type = CMD_PAY_RESULT,
                                   .tenant = p->tenant,
                                   .actor_kind = ACTOR_SYSTEM};
        c.u.pay_result = p->mail[i].result;
        (void)p->submit(p->ctx, &c); /* a platform that is down hears nothing, and asks again */
    }
}

int64_t provider_due_ms(const struct provider *p)
{
    int64_t due = VNET_NEVER;
    for (int i = 0; i < p->deals; i++)
        if (p->deal[i].state == PAY_PENDING && p->deal[i].turn_ms < due)
            due = p->deal[i].turn_ms;
    for (int i = 0; i < PROVIDER_MAIL; i++)
        if (p->mail[i].at_ms && p->mail[i].at_ms < due)
            due = p->mail[i].at_ms;
    return due;
}
