// SPDX-License-Identifier: Apache-2.0
/* share_return.c: shares that come back (分账回退). A channel paid a party its share of an order
 * (sharing.c), and the order gave back to its driver later: what the party owes by that is asked back
 * from whoever got it there, as a payout of kind RETURNED whose amount is negative.
 *
 *  state      leaves by                                                   the party's debt
 *  APPROVED   its share is paid → SENT; the share came to nothing →       stays
 *             CANCELLED, for then it settled the debt by itself
 *  SENT       the provider says that it came back → SETTLED               settled by it; what is owed no more
 *                                                                         by then is available
 *             refused, or the receiver was short → FAILED                 stays
 *             lost on the way → asked again under the same number         stays
 *             neither is certain → UNKNOWN, asked about until it is       stays
 *  UNKNOWN    the provider says another amount than was asked for: people settled by what came back
 *             say what came back → SETTLED, with that amount; where it
 *             says that nothing did, a person may say so, too → FAILED    stays
 *
 * What people say: one names the amount, and above the tenant's limit nothing happens until another one
 * names the same; he may refuse it, the first may take it back. All of what came back is the party's:
 * less than was asked leaves a debt, more is available to it. The amount that was asked for stays in
 * the audit.
 *
 * Only WeChat Pay returns shares one by one, and only from merchants who agreed to it; half a year
 * after the share it does so no more, nor more than twenty times. Where it cannot be asked, or failed,
 * the debt is what it always was: netted from what comes to the party next. Meanwhile, too: later shares
 * settle it, and what comes back then is the party's to withdraw.
 *
 * Invariants: 1. Σ of a share's returns that did not fail <= what the channel paid of it, in whole fen;
 * 2. one transfer, when it came back: the channel's account grows by what the party is credited;
 * 3. a return has one number for ever. 4. what the provider contradicts is settled by what he said
 * at last, or by people. The core's thread. */
#include <inttypes.h>
#include <stdio.h>

#include "core/purse.h"

enum { WAIT_MS = 10 * 1000, ASK_MS = 5 * 1000, ASK_MOST_MS = 10 * 60 * 1000, RETURNS_MOST = 20 };
#define RETURN_MAX_MS (INT64_C(180) * 86400000)

static bool over(const struct payout *p)
{
    return p->row.state >= PAYOUT_SETTLED && p->row.state <= PAYOUT_CANCELLED;
}

static bool came_to_nothing(const struct payout *p)
{
    return over(p) && p->row.state != PAYOUT_SETTLED;
}

/* ---- what can be asked back ---- */

/* The share of this party that the order's channel paid, or is to pay. Few orders have any; all payouts
 * in memory are looked at, which costs a thousandth of a second at most. */
static struct payout *share_of(const struct core *c, const struct order *o, int64_t party)
{
    struct payout *found = NULL;
    for (uint32_t i = 0; i < c->purse->payouts.len; i++) {
        struct payout *p = slab_at(&c->purse->payouts, i);
        if (p && p->row.kind == PAYOUT_SHARED && p->row.order_id == o->row.id &&
            p->row.party == party && !came_to_nothing(p))
            found = p;
    }
    return found;
}

/* What of a share was not asked back yet; 0 when it was asked too often. */
static int64_t share_left(const struct core *c, const struct payout *share)
{
    int64_t left = share->row.said ? share->row.said : share->row.amount;
    int n = 0;
    for (uint32_t i = 0; i < c->purse->payouts.len; i++) {
        const struct payout *p = slab_at(&c->purse->payouts, i);
        if (!p || p->row.kind != PAYOUT_RETURNED || p->row.of_payout != share->row.id)
            continue;
        n++;
        left += came_to_nothing(p) ? 0 : p->row.amount;
    }
    return n < RETURNS_MOST ? left : 0;
}

/* Merchants only, and under the number that the share went to. */
static bool returns(const struct core *c, const struct payout *share)
{
    const struct channel *ch = channel_find(c, share->row.channel);
    const struct party_account *a = party_account_of(c, share->row.party, share->row.channel);
    bool late = over(share) && c->now - share->row.done_ms > RETURN_MAX_MS;
    return ch && ch->row.kind == CHANNEL_WECHAT && !late && a &&
           a->row.payee_kind == PAYEE_COMPANY && strcmp(a->row.number, share->row.payee) == 0;
}

static void send(struct core *c, struct payout *p);

void share_return_begin(struct core *c, const struct order *o, int64_t party, int64_t owed)
{
    struct payout *share = o->row.payment ? share_of(c, o, party) : NULL;
    if (!share || !returns(c, share))
        return;
    int64_t left = share_left(c, share), back = owed < left ? owed : left;
    back -= back % MONEY_FEN;
    if (back < MONEY_FEN)
        return;
    const struct row_payout row = {.id = core_id(c),
                                   .tenant = share->row.tenant,
                                   .kind = PAYOUT_RETURNED,
                                   .party = party,
                                   .payment = share->row.payment,
                                   .order_id = o->row.id,
                                   .of_payout = share->row.id,
                                   .lot_amount = share->row.lot_amount,
                                   .channel = share->row.channel,
                                   .currency = share->row.currency,
                                   .amount = -back,
                                   .state = PAYOUT_APPROVED,
                                   .provider_no = "",
                                   .payee = share->row.payee,
                                   .payee_name = share->row.payee_name,
                                   .note = "",
                                   .confirm = "",
                                   .paper = "",
                                   .asked_kind = ACTOR_SYSTEM,
                                   .created_ms = c->now,
                                   .version = 1};
    struct payout *p = payout_add(c, &row);
    if (!p) {
        audit_put(c, row.tenant, "return.full", share->row.id, "", ERR_FULL);
        return;
    }
    obj_dirty(c, &p->o);
    if (over(share))
        send(c, p);
    else
        purse_timer(c, &p->timer, c->now + WAIT_MS);
}

/* ---- asking ---- */

static void ask(struct core *c, struct payout *p, enum pay_op op)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    if (!ch)
        return;
    struct out_pay *q = purse_ask(c, ch, op, p->row.id);
    q->amount = -p->row.amount;
    q->total = p->row.lot_amount;
    (void)str_copy(q->currency, sizeof q->currency, str_from_c(p->row.currency));
    (void)str_copy(q->payee, sizeof q->payee, str_from_c(p->row.payee));
    snprintf(q->of_no, sizeof q->of_no, "S%" PRId64, p->row.payment);
}

static void send(struct core *c, struct payout *p)
{
    p->row.sent_ms = c->now;
    p->row.tries = 0;
    ask(c, p, PAY_RETURN);
    payout_state_set(c, p, PAYOUT_SENT);
    purse_timer(c, &p->timer, c->now + ASK_MS);
}

/* A share that is not in memory is over. */
void share_return_fire(struct core *c, struct payout *p)
{
    int64_t wait = ASK_MS << (p->row.tries < 8 ? p->row.tries : 8);
    const struct payout *share = payout_find(c, p->row.of_payout);
    if (p->row.state == PAYOUT_APPROVED) {
        if (share && came_to_nothing(share))
            payout_state_set(c, p, PAYOUT_CANCELLED);
        else if (share && !over(share))
            purse_timer(c, &p->timer, c->now + WAIT_MS);
        else
            send(c, p);
        return;
    }
    p->row.tries++;
    obj_dirty(c, &p->o);
    ask(c, p, PAY_RETURN_QUERY);
    purse_timer(c, &p->timer, c->now + (wait < ASK_MOST_MS ? wait : ASK_MOST_MS));
}

/* ---- answers ---- */

static void came_back(struct core *c, struct payout *p, const char *provider_no)
{
    const struct row_payout *r = &p->row;
    struct ledger_request q;
    must(!r->settled);
    purse_request(c, &q, r->tenant, TRANSFER_SHARE_RETURN, r->currency);
    q.order_id = r->order_id;
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_CHANNEL, r->channel, r->currency), r->amount,
              0);
    struct share_part part = share_restore(c, r->tenant, r->party, -r->amount, 0, &q);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* signed accounts, and one that grows */
    share_given(c, r->tenant, r->currency, &part);
    p->row.settled = ctx.id;
    p->row.err = 0;
    p->row.said = p->row.claim = p->row.claim_by = 0;
    p->row.doubt = PAYOUT_DOUBT_NONE;
    (void)obj_text(c, &p->o, &p->row.provider_no, provider_no);
    payout_state_set(c, p, PAYOUT_SETTLED);
}

static void failed(struct core *c, struct payout *p, int err)
{
    audit_put(c, p->row.tenant, "return.failed", p->row.id, "", err);
    p->row.said = p->row.claim = p->row.claim_by = 0;
    p->row.doubt = PAYOUT_DOUBT_NONE;
    payout_state_set(c, p, PAYOUT_FAILED);
}

/* It came back, but another amount than was asked for: people must see it, and it is asked about on. */
static void contradicts(struct core *c, struct payout *p, int64_t amount)
{
    char detail[80];
    bool again = p->row.doubt && p->row.said == amount;
    p->row.err = ERR_CONFLICT;
    p->row.said = amount;
    p->row.doubt = amount ? PAYOUT_DOUBT_AMOUNT : PAYOUT_DOUBT_NOTHING;
    if (p->row.state == PAYOUT_UNKNOWN && again)
        return;
    snprintf(detail, sizeof detail, "%" PRId64 " instead of %" PRId64, amount, -p->row.amount);
    audit_put(c, p->row.tenant, "return.amount", p->row.id, detail, ERR_CONFLICT);
    payout_state_set(c, p, PAYOUT_UNKNOWN);
}

void share_return_result(struct core *c, struct payout *p, const struct cmd_pay_result *in)
{
    int32_t err_before = p->row.err;
    p->row.err = in->err;
    obj_dirty(c, &p->o);
    if (in->op == PAY_NOTICE)
        ask(c, p, PAY_RETURN_QUERY);
    else if (in->op != PAY_RETURN && in->op != PAY_RETURN_QUERY)
        p->row.err = err_before;
    else if (in->state == PAY_DONE && (in->amount < 0 || in->amount == -p->row.amount))
        came_back(c, p, in->provider_no);
    else if (in->state == PAY_DONE)
        contradicts(c, p, in->amount);
    else if (in->state == PAY_FAILED || in->state == PAY_NO_FUNDS)
        failed(c, p, in->err);
    else if (in->state == PAY_UNKNOWN && in->err == ERR_NOT_FOUND)
        ask(c, p, PAY_RETURN); /* it was lost: the same again */
    else if (in->state == PAY_UNKNOWN && p->row.state != PAYOUT_UNKNOWN)
        payout_state_set(c, p, PAYOUT_UNKNOWN);
}

/* ---- people ---- */

/* At most all of the share that did not come back otherwise. */
static int64_t claim_most(const struct core *c, const struct payout *p)
{
    const struct payout *share = payout_find(c, p->row.of_payout);
    int64_t most = 0;
    if (!share)
        return -p->row.amount; /* it cannot be seen how much of it there is */
    most = share->row.said ? share->row.said : share->row.amount;
    for (uint32_t i = 0; i < c->purse->payouts.len; i++) {
        const struct payout *o = slab_at(&c->purse->payouts, i);
        if (o && o != p && o->row.kind == PAYOUT_RETURNED && o->row.of_payout == p->row.of_payout &&
            !came_to_nothing(o))
            most += o->row.amount;
    }
    return most;
}

static int claim_check(const struct core *c, const struct payout *p,
                       const struct cmd_payout_decide *in)
{
    if (in->amount < MONEY_FEN || in->amount % MONEY_FEN || in->amount > claim_most(c, p))
        return ERR_RANGE;
    return in->note[0] ? 0 : ERR_REQUIRED;
}

/* Somebody says that this amount came back. Of a large one it is his word until another person's. */
static int claim(struct core *c, struct payout *p, const struct cmd *cmd)
{
    int64_t amount = cmd->u.payout_decide.amount;
    int64_t size = amount > -p->row.amount ? amount : -p->row.amount;
    int64_t first = p->row.claim_by;
    bool second = p->row.claim == amount && first != cmd->head.actor;
    int rc = claim_check(c, p, &cmd->u.payout_decide);
    if (!rc && p->row.claim == amount && !second)
        rc = ERR_DENIED;
    bool alone = size <= second_most(c, p->row.tenant);
    if (!rc && !alone && cmd->head.actor_kind != ACTOR_PERSON)
        rc = ERR_DENIED; /* a key is no person: whoever made it might say the same */
    if (!rc && second && first && !second_may(c, cmd, ACTOR_PERSON, first))
        rc = ERR_SECOND;
    if (rc)
        return rc;
    (void)obj_text(c, &p->o, &p->row.note, cmd->u.payout_decide.note);
    if (!second && !alone) {
        p->row.claim = amount;
        p->row.claim_by = cmd->head.actor;
        payout_state_set(c, p, PAYOUT_UNKNOWN);
        return 0;
    }
    p->row.checked_by = cmd->head.actor;
    p->row.checked_ms = c->now;
    p->row.amount = -amount;
    came_back(c, p, p->row.provider_no);
    p->row.claim = amount;
    p->row.claim_by = second ? first : 0;
    return 0;
}

/* No effect on the money; the provider is asked on. */
static int claim_end(struct core *c, struct payout *p, const struct cmd *cmd, bool own)
{
    if (!p->row.claim)
        return ERR_CONFLICT;
    if ((p->row.claim_by == cmd->head.actor) != own)
        return ERR_DENIED;
    p->row.claim = p->row.claim_by = 0;
    payout_state_set(c, p, PAYOUT_UNKNOWN);
    return 0;
}

/* It says itself that nothing came back, and a person has looked. */
static int nothing_came(struct core *c, struct payout *p, const struct cmd *cmd)
{
    const char *note = cmd->u.payout_decide.note;
    if (p->row.doubt != PAYOUT_DOUBT_NOTHING || p->row.claim)
        return ERR_CONFLICT;
    if (!note[0])
        return ERR_REQUIRED;
    (void)obj_text(c, &p->o, &p->row.note, note);
    p->row.checked_by = cmd->head.actor;
    p->row.checked_ms = c->now;
    failed(c, p, ERR_CONFLICT);
    return 0;
}

int share_return_decide(struct core *c, struct payout *p, const struct cmd *cmd)
{
    const struct cmd_payout_decide *in = &cmd->u.payout_decide;
    if (in->party)
        return ERR_DENIED;
    if (p->row.state != PAYOUT_UNKNOWN || !p->row.doubt)
        return ERR_CONFLICT; /* the provider alone says what comes back */
    switch ((enum payout_act)in->act) {
    case PAYOUT_ACT_PAID:
        return claim(c, p, cmd);
    case PAYOUT_ACT_REFUSE:
        return claim_end(c, p, cmd, false);
    case PAYOUT_ACT_CANCEL:
        return claim_end(c, p, cmd, true);
    case PAYOUT_ACT_FAILED:
        return nothing_came(c, p, cmd);
    case PAYOUT_ACT_APPROVE:
    case PAYOUT_ACT_SETTLED:
        break;
    }
    return ERR_CONFLICT;
}
