// SPDX-License-Identifier: Apache-2.0
/* sharing.c: shares that a channel pays out of the payment itself (分账): of a driver's single payment,
 * once its order is settled and the rest went back, those parties that the provider knows as
 * receivers get their shares from it, by one request; what nobody gets is unfrozen then.
 *
 *  state     leaves by                                             the shares
 *  FLAGGED   the order is over, its doubt too, or it never began   pending, as anybody's
 *            → WAIT, REST
 *  WAIT      the rest is back at its source → SENT                 in transit, a payout each
 *  SENT      the provider said what became of each → REST          paid → out at the channel;
 *            refused, and its query knows nothing → REST           not → back to where they were
 *            lost on the way, and each fourth time that nothing is
 *            certain → asked again under the same number           in transit
 *  REST      unfrozen, or refused for good → OVER
 *
 * What exceeds the channel's greatest ratio, and what a debt or an earlier refund took of a share,
 * stays in the ledger and is withdrawn as any other. So does all of it when the channel refuses, the share
 * of a party that is disabled, and while tax is withheld (withhold.h) of whoever is not known to be a company.
 * Companies hand in no invoice first (paper.c): what a share will be is known only as it is paid. So only
 * staff make a receiver known, and by that say that this party is paid so.
 *
 * Invariants: 1. Σ of a payment's shared payouts <= its greatest ratio of what the order kept, in whole
 * fen; 2. a payment is shared once; 3. paid, it is in memory until it is OVER; from WAIT on its timer is set.
 * The core's thread. */
#include "core/purse.h"
#include "core/split.h"
#include "core/withhold.h"

enum { WAIT_MS = 10 * 1000, ASK_MS = 5 * 1000, ASK_MOST_MS = 10 * 60 * 1000, REST_TRIES = 200 };

struct claim {
    int64_t party, due_ms, amount;
};

bool sharing_runs(const struct payment *p)
{
    return p->row.state == PAYMENT_PAID && p->row.sharing >= SHARING_FLAGGED &&
           p->row.sharing <= SHARING_REST;
}

void sharing_link(struct core *c, struct payout *p)
{
    struct payment *lot = payment_find(c, p->row.payment);
    bool over = p->row.state >= PAYOUT_SETTLED && p->row.state <= PAYOUT_CANCELLED;
    if (!lot || over)
        return;
    p->next = lot->shared;
    lot->shared = p;
}

static bool over(const struct payout *p)
{
    return p->row.state >= PAYOUT_SETTLED && p->row.state <= PAYOUT_CANCELLED;
}

void sharing_unlink(struct core *c, struct payout *p)
{
    struct payment *lot = payment_find(c, p->row.payment);
    struct payout **at = lot ? &lot->shared : NULL;
    while (at && *at && *at != p)
        at = &(*at)->next;
    if (at && *at)
        *at = p->next;
}

static void state_set(struct core *c, struct payment *p, enum sharing_state s, int64_t after_ms)
{
    p->row.sharing = (int32_t)s;
    p->row.tries = 0;
    p->row.version++;
    obj_dirty(c, &p->o);
    purse_timer(c, &p->timer, c->now + (s == SHARING_OVER ? EVICT_MS : after_ms));
}

/* ---- who gets what ---- */

/* May the channel pay him? Not while staff keep all from being paid to him, nor whom tax is withheld of:
 * the channel would pay all of it. */
static bool payable(const struct core *c, const struct payment *p, int64_t party)
{
    const struct withhold_rule *rule = withhold_in_force(c, p->row.tenant, c->now);
    const struct party *who = dir_find(c, ROW_PARTY, party);
    return who && who->row.state == ROW_ACTIVE &&
           (!rule || !rule->n || who->row.payee_kind == PAYEE_COMPANY);
}

static const struct party_account *receiver_of(const struct core *c, const struct payment *p,
                                               int64_t party)
{
    const struct party_account *a = party_account_of(c, party, p->row.channel);
    return a && a->row.state == PARTY_ACCOUNT_OPEN && payable(c, p, party) ? a : NULL;
}

/* What each receiver has of this order that waits to mature, not more than it got. */
static size_t claims_gather(const struct core *c, const struct payment *p, const struct order *o,
                            struct claim out[PAY_SHARES_MAX])
{
    const struct row_split_part *rows = (const struct row_split_part *)(void *)o->parts_buf.p;
    size_t n = 0;
    for (size_t i = 0; i < o->parts_buf.n / sizeof *rows; i++) {
        size_t k = 0;
        if (party_is_platform(c, rows[i].party) || !receiver_of(c, p, rows[i].party))
            continue;
        while (k < n && out[k].party != rows[i].party)
            k++;
        if (k == PAY_SHARES_MAX)
            continue; /* of so many, the last are paid by withdrawals */
        if (k == n)
            out[n++] = (struct claim){.party = rows[i].party};
        out[k].amount += rows[i].amount;
        if (rows[i].due_ms > c->now)
            out[k].due_ms = rows[i].due_ms;
    }
    for (size_t i = 0; i < n; i++) {
        const struct bucket *b = bucket_find(c, out[i].party, out[i].due_ms);
        int64_t has = b ? b->row.amount : 0;
        out[i].amount = out[i].amount < has ? out[i].amount : has;
        out[i].amount = out[i].amount > 0 ? out[i].amount : 0;
    }
    return n;
}

/* Together no more than the channel may pay: what is above is taken off each in proportion. */
static void claims_cap(struct claim *v, size_t n, int64_t most)
{
    struct money had[PAY_SHARES_MAX], keep[PAY_SHARES_MAX];
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        had[i] = keep[i] = MONEY(v[i].amount);
        sum += v[i].amount;
    }
    if (sum > most)
        must(split_remain(had, n, MONEY(most), keep) == 0);
    for (size_t i = 0; i < n; i++)
        v[i].amount = keep[i].v / MONEY_FEN * MONEY_FEN;
}

static void claim_take(struct core *c, const struct payment *p, const struct order *o,
                       const struct claim *v)
{
    const struct party_account *a = receiver_of(c, p, v->party);
    struct ledger_request q;
    const struct row_payout row = {.id = core_id(c),
                                   .tenant = p->row.tenant,
                                   .kind = PAYOUT_SHARED,
                                   .party = v->party,
                                   .payment = p->row.id,
                                   .order_id = o->row.id,
                                   .lot_amount = p->row.amount,
                                   .channel = p->row.channel,
                                   .currency = p->row.currency,
                                   .amount = v->amount,
                                   .state = PAYOUT_APPROVED,
                                   .provider_no = "",
                                   .payee = a->row.number,
                                   .payee_name = a->row.name,
                                   .note = "",
                                   .confirm = "",
                                   .paper = "",
                                   .due_ms = v->due_ms,
                                   .asked_kind = ACTOR_SYSTEM,
                                   .created_ms = c->now,
                                   .version = 1};
    purse_request(c, &q, row.tenant, TRANSFER_SHARED, row.currency);
    q.order_id = o->row.id;
    purse_leg(&q, purse_account(c, row.tenant, ACCOUNT_PENDING, v->party, row.currency), -v->amount,
              v->party);
    if (!payout_shared(c, &row, &q)) {
        audit_put(c, row.tenant, "sharing.full", p->row.id, "", ERR_FULL);
        return;
    }
    must(share_pending_take(c, v->party, v->due_ms, v->amount) == v->amount);
}

void sharing_begin(struct core *c, struct payment *p, const struct order *o)
{
    struct claim v[PAY_SHARES_MAX];
    const struct channel *ch = channel_find(c, p->row.channel);
    if (p->row.sharing != SHARING_FLAGGED)
        return; /* not shared by its channel, or once already */
    size_t n = o && o->row.state == ORDER_SETTLED ? claims_gather(c, p, o, v) : 0;
    int64_t kept = o ? o->row.paid - o->row.refunded : 0;
    claims_cap(v, n, ch && kept > 0 ? kept * ch->row.share_bp / 10000 : 0);
    for (size_t i = 0; i < n; i++)
        if (v[i].amount >= MONEY_FEN)
            claim_take(c, p, o, &v[i]);
    state_set(c, p, p->shared ? SHARING_WAIT : SHARING_REST, WAIT_MS);
}

/* ---- asking ---- */

static void sharing_ask(struct core *c, struct payment *p, enum pay_op op)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    if (!ch)
        return;
    struct out_pay *ask = purse_ask(c, ch, op, p->row.id);
    (void)str_copy(ask->provider_no, sizeof ask->provider_no, str_from_c(p->row.provider_no));
    (void)str_copy(ask->currency, sizeof ask->currency, str_from_c(p->row.currency));
    ask->total = p->row.amount;
    if (op == PAY_UNFREEZE)
        return;
    struct pay_share *s = &ask->u.share;
    for (const struct payout *o = p->shared; o && s->n < PAY_SHARES_MAX; o = o->next) {
        struct pay_receiver *to = &s->to[s->n++];
        const struct party_account *a = party_account_of(c, o->row.party, o->row.channel);
        to->payout = o->row.id;
        to->amount = o->row.amount;
        to->payee_kind = a ? a->row.payee_kind : PAYEE_COMPANY;
        (void)str_copy(to->account, sizeof to->account, str_from_c(o->row.payee));
        (void)str_copy(to->name, sizeof to->name, str_from_c(o->row.payee_name));
    }
}

static void sharing_send(struct core *c, struct payment *p)
{
    for (struct payout *o = p->shared; o; o = o->next) {
        o->row.state = PAYOUT_SENT;
        o->row.sent_ms = c->now;
        o->row.version++;
        obj_dirty(c, &o->o);
    }
    sharing_ask(c, p, PAY_SHARE);
    state_set(c, p, SHARING_SENT, ASK_MS);
}

/* The rest goes back first: the provider takes no refund out of what it is sharing. */
static bool rest_waits(const struct core *c, const struct payment *p)
{
    const struct payout *rest = p->row.rest ? payout_find(c, p->row.rest) : NULL;
    return rest && !over(rest);
}

void sharing_fire(struct core *c, struct payment *p)
{
    int64_t wait = ASK_MS << (p->row.tries < 8 ? p->row.tries : 8);
    if (p->row.sharing == SHARING_WAIT && rest_waits(c, p)) {
        purse_timer(c, &p->timer, c->now + WAIT_MS);
        return;
    }
    if (p->row.sharing == SHARING_WAIT) {
        sharing_send(c, p);
        return;
    }
    p->row.tries++;
    obj_dirty(c, &p->o);
    if (p->row.sharing == SHARING_REST && p->row.tries > REST_TRIES) {
        audit_put(c, p->row.tenant, "sharing.frozen", p->row.id, "", ERR_TIMEOUT);
        state_set(c, p, SHARING_OVER, 0); /* the provider frees it by itself in the end */
        return;
    }
    bool again = p->row.tries % 4 == 0; /* a query may know nothing, and not say so */
    sharing_ask(c, p,
                p->row.sharing == SHARING_REST ? PAY_UNFREEZE
                : again                        ? PAY_SHARE
                                               : PAY_SHARE_QUERY);
    purse_timer(c, &p->timer, c->now + (wait < ASK_MOST_MS ? wait : ASK_MOST_MS));
}

/* ---- answers ---- */

static void part_said(struct core *c, struct payment *p, const struct pay_shared *said)
{
    for (struct payout **at = &p->shared; *at; at = &(*at)->next) {
        struct payout *o = *at;
        if (o->row.id != said->payout)
            continue;
        payout_shared_said(c, o, said);
        if (over(o) || o->row.err == ERR_CONFLICT) /* else people say what was paid */
            *at = o->next;
        return;
    }
}

static void all_failed(struct core *c, struct payment *p)
{
    while (p->shared)
        part_said(c, p, &(struct pay_shared){.payout = p->shared->row.id, .state = PAY_FAILED});
}

static void shares_said(struct core *c, struct payment *p, const struct cmd_pay_result *in)
{
    if (in->state == PAY_FAILED || in->state == PAY_NO_FUNDS) {
        audit_put(c, p->row.tenant, "sharing.refused", p->row.id, "", in->err);
        all_failed(c, p);
    } else if (in->state == PAY_UNKNOWN && in->err == ERR_NOT_FOUND) {
        sharing_ask(c, p, PAY_SHARE); /* it was lost: the same again */
    } else if (in->state != PAY_UNKNOWN) {
        for (int32_t i = 0; i < in->shared_n && i < PAY_SHARES_MAX; i++)
            part_said(c, p, &in->shared[i]);
    }
    if (!p->shared)
        state_set(c, p, SHARING_REST, 0);
}

void sharing_result(struct core *c, struct payment *p, const struct cmd_pay_result *in)
{
    bool sent = p->row.sharing == SHARING_SENT, rest = p->row.sharing == SHARING_REST;
    if (sent && in->op == PAY_NOTICE)
        sharing_ask(c, p, PAY_SHARE_QUERY);
    else if (sent && (in->op == PAY_SHARE || in->op == PAY_SHARE_QUERY))
        shares_said(c, p, in);
    else if (rest && in->op == PAY_UNFREEZE && in->state == PAY_FAILED) {
        audit_put(c, p->row.tenant, "sharing.frozen", p->row.id, "", in->err);
        state_set(c, p, SHARING_OVER, 0);
    } else if (rest && in->op == PAY_UNFREEZE && in->state == PAY_DONE)
        state_set(c, p, SHARING_OVER, 0);
}
