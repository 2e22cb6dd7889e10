// SPDX-License-Identifier: Apache-2.0
/* payout.c: money that leaves: a party withdraws what is available of its shares, or unused
 * principal of a driver goes back to where it came from.
 *
 *  state       leaves by                                                       the money
 *  REQUESTED   a second person approves → APPROVED, refuses → REFUSED           in transit; back
 *              whoever asked takes it back → CANCELLED                          back
 *  APPROVED    sent to the rail → SENT; what a bank pays stays here (and in    in transit
 *              a file, pay_file.c) until a person says settled or failed; of
 *              what stands in a file "failed" is said by a second person
 *  SENT        DONE of what was asked → SETTLED, of another amount →            in transit
 *              UNKNOWN, FAILED → FAILED, the payee must confirm →
 *              WAIT_PAYEE, our balance there is short → APPROVED (tried again)
 *  UNKNOWN     asked again until the rail knows; never undone by itself; once   in transit
 *              it said another amount, or nothing, a person says what was
 *              paid → SETTLED, and the rest is a difference on suspense
 *              (recon.h); if it said besides that nothing was paid, or that it
 *              failed, a person may say so → FAILED
 *  WAIT_PAYEE  as SENT
 *
 * The amount leaves its account for transit with the request, so it cannot be spent twice; a fee is
 * kept when it settles, and tax of a person is withheld when it is approved (withhold.h). What comes back
 * to a party settles what it owes by now (purse.h); of principal goes back what its driver does not owe. A
 * request up to the tenant's limit needs no second person (payout_look.c). Nobody approves what he asked
 * for himself.
 *
 * Invariants: 4. of purse.h; a lot's refunded contains what is on its way; one transfer into transit
 * and at most one out of it. */
#include "core/lotfee.h"
#include "core/pay_file.h"
#include "core/purse.h"
#include "core/recon.h"
#include "core/withhold.h"

#include <inttypes.h>
#include <stdio.h>

enum { ASK_MS = 5 * 1000, ASK_MOST_MS = 10 * 60 * 1000, FUNDS_MS = 10 * 60 * 1000 };
#define PAID_MAX      (INT64_C(100000000) * MONEY_UNIT)
#define SOURCE_MAX_MS (INT64_C(365) * 86400000) /* channels take money back for a year */

static bool by_people(const struct core *c, const struct payout *p)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    return !ch || ch->row.kind == CHANNEL_BANK;
}

static void event_payout(struct core *c, const struct payout *p)
{
    struct out_event *e = event_new(c, EVENT_PAYOUT);
    e->tenant = p->row.tenant;
    e->party = p->row.party;
    e->driver = p->row.driver;
    e->order = p->row.id;
    e->state = p->row.state;
    e->amount = p->row.amount;
}

void payout_state_set(struct core *c, struct payout *p, enum payout_state s)
{
    p->row.state = (int32_t)s;
    p->row.version++;
    obj_dirty(c, &p->o);
    event_payout(c, p);
    if (s >= PAYOUT_SETTLED && s <= PAYOUT_CANCELLED) {
        p->row.done_ms = c->now;
        purse_timer(c, &p->timer, c->now + EVICT_MS);
    }
}

/* Whose money it is, and in which account it lies before it leaves. */
static int64_t owner_of(const struct payout *p)
{
    return p->row.kind == PAYOUT_PRINCIPAL ? p->row.driver : p->row.party;
}

static int32_t source_kind(const struct core *c, const struct payout *p)
{
    if (p->row.kind == PAYOUT_PRINCIPAL)
        return ACCOUNT_WALLET;
    return party_is_platform(c, p->row.party) ? ACCOUNT_INCOME : ACCOUNT_AVAILABLE;
}

/* ---- the ledger ---- */

/* Of the lot that goes back; it is in memory when its money moves (need.c). */
static int32_t lot_rate(const struct core *c, const struct payout *p)
{
    const struct payment *lot = payment_find(c, p->row.payment);
    return lot ? lot->row.fee_bp : 0;
}

static void to_transit(struct core *c, struct payout *p)
{
    const struct row_payout *r = &p->row;
    struct ledger_request q;
    int64_t owner = owner_of(p);
    if (r->kind == PAYOUT_PRINCIPAL)
        lots_out(c, r->driver, r->amount, lot_rate(c, p));
    purse_request(c, &q, r->tenant, TRANSFER_WITHDRAWAL, r->currency);
    purse_leg(&q, purse_account(c, r->tenant, source_kind(c, p), owner, r->currency), -r->amount,
              r->party);
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_TRANSIT, owner, r->currency), r->amount,
              r->party);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* payout_new has seen that it is available */
    p->row.transfer = ctx.id;
    if (r->driver)
        event_wallet(c, r->tenant, r->driver, r->currency);
}

static int64_t platform_id(const struct core *c, int64_t tenant)
{
    const struct party *platform = party_platform(c, tenant);
    must(platform); /* made with the tenant */
    return platform->row.id;
}

static int64_t contra_of(struct core *c, const struct payout *p)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    int32_t kind = !ch                            ? ACCOUNT_CASH
                   : ch->row.kind == CHANNEL_BANK ? ACCOUNT_BANK
                                                  : ACCOUNT_CHANNEL;
    return purse_account(c, p->row.tenant, kind, p->row.channel, p->row.currency);
}

/* Out of transit: to the outside world, or back to where it came from. */
static void from_transit(struct core *c, struct payout *p, bool done)
{
    const struct row_payout *r = &p->row;
    struct ledger_request q;
    struct share_part again = {0};
    int64_t owner = owner_of(p);
    must(!r->settled);
    purse_request(c, &q, r->tenant, done ? TRANSFER_PAYOUT_DONE : TRANSFER_PAYOUT_BACK,
                  r->currency);
    q.reverses = done ? 0 : r->transfer;
    if (!done && r->kind == PAYOUT_PRINCIPAL)
        lots_in(c, r->driver, r->amount, lot_rate(c, p));
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_TRANSIT, owner, r->currency),
              r->tax - r->amount, r->party);
    if (done) {
        purse_leg(&q, contra_of(c, p), payout_net(p), 0);
        if (r->fee)
            purse_leg(
                &q,
                purse_account(c, r->tenant, ACCOUNT_INCOME, platform_id(c, r->tenant), r->currency),
                r->fee, 0);
    } else if (r->kind == PAYOUT_PRINCIPAL) {
        purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_WALLET, owner, r->currency), r->amount,
                  0);
    } else {
        if (r->tax)
            purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_TAX, 0, r->currency), -r->tax,
                      r->party);
        again = share_restore(c, r->tenant, r->party, r->amount,
                              r->kind == PAYOUT_SHARED ? r->due_ms : 0, &q);
    }
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* invariant 4 of purse.h */
    share_given(c, r->tenant, r->currency, &again);
    p->row.settled = ctx.id;
    if (r->driver)
        event_wallet(c, r->tenant, r->driver, r->currency);
}

/* Out of transit, but what left the channel is not what was asked for. */
static void payout_paid_other(struct core *c, struct payout *p, int64_t paid)
{
    const struct row_payout *r = &p->row;
    struct ledger_request q;
    int64_t asked = payout_net(p);
    must(!r->settled);
    purse_request(c, &q, r->tenant, TRANSFER_PAYOUT_DONE, r->currency);
    q.note = r->note;
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_TRANSIT, owner_of(p), r->currency),
              r->tax - r->amount, r->party);
    purse_leg(&q, contra_of(c, p), paid, 0);
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_SUSPENSE, 0, r->currency), asked - paid, 0);
    purse_leg(&q,
              purse_account(c, r->tenant, ACCOUNT_INCOME, platform_id(c, r->tenant), r->currency),
              r->fee, 0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* invariant 4 of purse.h; suspense is signed */
    p->row.settled = ctx.id;
    p->row.said = paid;
    p->row.doubt = PAYOUT_DOUBT_NONE;
    if (r->driver)
        event_wallet(c, r->tenant, r->driver, r->currency);
    recon_payout(c, p, paid, ctx.id);
    p->row.err = 0;
    payout_state_set(c, p, PAYOUT_SETTLED);
}

static void payout_back(struct core *c, struct payout *p, enum payout_state s)
{
    bool principal = p->row.kind == PAYOUT_PRINCIPAL && p->row.payment;
    struct payment *lot = principal ? payment_find(c, p->row.payment) : NULL;
    from_transit(c, p, false);
    p->row.doubt = PAYOUT_DOUBT_NONE;
    p->row.said = 0;
    withhold_undo(c, p);
    payout_day_back(c, p);
    if (lot) {
        lot->row.refunded -= p->row.amount;
        gift_refund_undo(c, lot);
        lot->row.version++;
        obj_dirty(c, &lot->o);
    }
    payout_state_set(c, p, s);
}

static void payout_settled(struct core *c, struct payout *p, const char *provider_no)
{
    from_transit(c, p, true);
    p->row.said = 0;
    p->row.doubt = PAYOUT_DOUBT_NONE;
    (void)obj_text(c, &p->o, &p->row.provider_no, provider_no);
    p->row.err = 0;
    payout_state_set(c, p, PAYOUT_SETTLED);
}

/* ---- the rail ---- */

static void payout_ask(struct core *c, struct payout *p, bool query)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    bool share = p->row.kind == PAYOUT_SHARE;
    if (!ch)
        return;
    enum pay_op op = share ? (query ? PAY_TRANSFER_QUERY : PAY_TRANSFER)
                           : (query ? PAY_REFUND_QUERY : PAY_REFUND);
    struct out_pay *ask = purse_ask(c, ch, op, p->row.id);
    ask->amount = payout_net(p);
    (void)str_copy(ask->currency, sizeof ask->currency, str_from_c(p->row.currency));
    (void)str_copy(ask->payee, sizeof ask->payee, str_from_c(p->row.payee));
    (void)str_copy(ask->payee_name, sizeof ask->payee_name, str_from_c(p->row.payee_name));
    ask->total = p->row.lot_amount;
    if (p->row.payment)
        snprintf(ask->of_no, sizeof ask->of_no, "P%" PRId64, p->row.payment);
}

static void payout_send(struct core *c, struct payout *p)
{
    p->row.tries = 0;
    if (by_people(c, p)) {
        payout_state_set(c, p, PAYOUT_APPROVED);
        heap_cancel(&c->timers, &p->timer);
        return;
    }
    p->row.sent_ms = c->now;
    payout_ask(c, p, false);
    payout_state_set(c, p, PAYOUT_SENT);
    purse_timer(c, &p->timer, c->now + ASK_MS);
}

void payout_fire(struct core *c, struct payout *p)
{
    int64_t wait = ASK_MS << (p->row.tries < 8 ? p->row.tries : 8);
    if (p->row.kind == PAYOUT_SHARED)
        return; /* its payment asks (sharing.c) */
    if (p->row.kind == PAYOUT_RETURNED) {
        share_return_fire(c, p);
        return;
    }
    if (p->row.state == PAYOUT_REQUESTED || (p->row.state == PAYOUT_APPROVED && by_people(c, p)))
        return;                            /* people are awaited */
    if (p->row.state == PAYOUT_APPROVED) { /* our balance was short */
        payout_send(c, p);
        return;
    }
    p->row.tries++;
    obj_dirty(c, &p->o);
    payout_ask(c, p, true);
    purse_timer(c, &p->timer, c->now + (wait < ASK_MOST_MS ? wait : ASK_MOST_MS));
}

void payout_restart(struct core *c, struct payout *p)
{
    bool over = p->row.state >= PAYOUT_SETTLED && p->row.state <= PAYOUT_CANCELLED;
    bool people =
        p->row.state == PAYOUT_REQUESTED || (p->row.state == PAYOUT_APPROVED && by_people(c, p));
    if (!people && (over || p->row.kind != PAYOUT_SHARED))
        purse_timer(c, &p->timer, over ? c->now + EVICT_MS : c->now);
}

/* The rail has not heard of it: what was asked was lost on the way, and is asked again under the
 * same number. */
static void payout_lost(struct core *c, struct payout *p)
{
    payout_ask(c, p, false);
    payout_state_set(c, p, PAYOUT_SENT);
}

/* The payee confirms with what the rail gave; a later query may not repeat it. */
static void payout_confirm(struct core *c, struct payout *p, const char *with)
{
    if (with[0])
        (void)obj_text(c, &p->o, &p->row.confirm, with);
    payout_state_set(c, p, PAYOUT_WAIT_PAYEE);
}

/* The rail contradicts what was asked, or itself: a person must see it, and it stays in transit meanwhile. */
static void payout_doubt(struct core *c, struct payout *p, enum payout_doubt doubt, int64_t said)
{
    char detail[80];
    bool known = p->row.doubt == (int32_t)doubt;
    p->row.err = ERR_CONFLICT;
    p->row.said = said;
    p->row.doubt = (int32_t)doubt;
    if (known)
        return;
    if (doubt == PAYOUT_DOUBT_FAILED)
        snprintf(detail, sizeof detail, "failed after %" PRId64, said);
    else
        snprintf(detail, sizeof detail, "%" PRId64 " instead of %" PRId64, said, payout_net(p));
    audit_put(c, p->row.tenant, "payout.amount", p->row.id, detail, ERR_CONFLICT);
    payout_state_set(c, p, PAYOUT_UNKNOWN);
}

/* The rail says that it is done. Of another amount than was asked for it is not. */
static void payout_done(struct core *c, struct payout *p, const struct cmd_pay_result *in)
{
    if (in->amount < 0 || in->amount == payout_net(p))
        payout_settled(c, p, in->provider_no);
    else
        payout_doubt(c, p, in->amount ? PAYOUT_DOUBT_AMOUNT : PAYOUT_DOUBT_NOTHING, in->amount);
}

/* It says that it came to nothing. After it said that it paid, that alone gives nothing back. */
static void payout_failed(struct core *c, struct payout *p)
{
    if (p->row.doubt)
        payout_doubt(c, p, PAYOUT_DOUBT_FAILED, p->row.said);
    else
        payout_back(c, p, PAYOUT_FAILED);
}

int payout_result(struct core *c, struct payout *p, const struct cmd_pay_result *in)
{
    bool out = p->row.state == PAYOUT_SENT || p->row.state == PAYOUT_UNKNOWN ||
               p->row.state == PAYOUT_WAIT_PAYEE;
    if (p->row.channel != in->channel || p->row.kind == PAYOUT_SHARED)
        return ERR_NOT_FOUND;
    if (!out)
        return 0; /* over, or not begun: nothing that is said now matters */
    if (p->row.kind == PAYOUT_RETURNED) {
        share_return_result(c, p, in);
        return 0;
    }
    bool final = in->state == PAY_DONE || in->state == PAY_FAILED;
    if (p->row.doubt && in->op != PAY_NOTICE && !final)
        return 0; /* it did say that it paid: it is not asked to pay again */
    p->row.err = in->err;
    obj_dirty(c, &p->o);
    if (in->op == PAY_NOTICE)
        payout_ask(c, p, true);
    else if (in->state == PAY_DONE)
        payout_done(c, p, in);
    else if (in->state == PAY_FAILED)
        payout_failed(c, p);
    else if (in->state == PAY_NO_FUNDS) {
        audit_put(c, p->row.tenant, "payout.no_funds", p->row.id, "", ERR_NO_FUNDS);
        payout_state_set(c, p, PAYOUT_APPROVED);
        purse_timer(c, &p->timer, c->now + FUNDS_MS);
    } else if (in->state == PAY_WAIT_PAYEE)
        payout_confirm(c, p, in->url);
    else if (in->err == ERR_NOT_FOUND)
        payout_lost(c, p);
    else if (in->state == PAY_UNKNOWN)
        payout_state_set(c, p, PAYOUT_UNKNOWN);
    return 0;
}

/* ---- shares that the channel pays ---- */

struct payout *payout_shared(struct core *c, const struct row_payout *row,
                             struct ledger_request *from)
{
    int64_t transit;
    if (c->purse->payouts.live >= c->purse->payouts.cap ||
        account_open(c, row->tenant, ACCOUNT_TRANSIT, row->party, row->currency, &transit))
        return NULL;
    struct payout *p = payout_add(c, row);
    must(p);
    obj_dirty(c, &p->o);
    purse_leg(from, transit, row->amount, row->party);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, from) == 0); /* the caller took it out of a bucket */
    p->row.transfer = ctx.id;
    event_payout(c, p);
    return p;
}

void payout_shared_said(struct core *c, struct payout *p, const struct pay_shared *said)
{
    struct cmd_pay_result in = {.state = said->state, .amount = said->amount};
    if (p->row.state >= PAYOUT_SETTLED && p->row.state <= PAYOUT_CANCELLED)
        return;
    (void)str_copy(in.provider_no, sizeof in.provider_no, str_from_c(said->provider_no));
    if (said->state == PAY_DONE) {
        payout_done(c, p, &in);
    } else if (said->state == PAY_FAILED) {
        p->row.err = ERR_PROVIDER;
        payout_failed(c, p);
    }
}

/* ---- people ---- */

static bool whole_fen(int64_t v)
{
    return v >= MONEY_FEN && v % MONEY_FEN == 0;
}

static int share_check(struct core *c, const struct cmd *cmd)
{
    const struct cmd_payout_new *in = &cmd->u.payout_new;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    const struct party *party = dir_find(c, ROW_PARTY, in->party);
    const struct channel *ch = channel_find(c, in->channel);
    if (!t || !party || !ch || party->row.tenant != t->row.id || ch->row.tenant != t->row.id ||
        cmd->head.station)
        return ERR_NOT_FOUND;
    if (party->row.state != ROW_ACTIVE || ch->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    const char *payee, *name;
    int rc = party_account_payee(c, &party->row, &ch->row, &payee, &name);
    if (rc)
        return rc;
    if (!whole_fen(in->amount) || in->amount < t->row.payout_min || in->amount <= t->row.payout_fee)
        return ERR_RANGE;
    int32_t kind = party_is_platform(c, in->party) ? ACCOUNT_INCOME : ACCOUNT_AVAILABLE;
    int64_t had = purse_available(c, t->row.id, kind, in->party, t->row.currency);
    return in->amount > had ? ERR_NO_FUNDS : withhold_ask_check(c, cmd);
}

/* Only what is left of this lot, for the oldest is spent first: else a package's principal would go
 * back by an old lot that is long spent, and the package's gift would stay. Lots leave memory, so the
 * web front says what is left. Whatever is spent, or goes back by another lot, between its look and
 * now might as well have happened after this; what goes back by this lot changes its version. */
static int rest_check(const struct payment *lot, const struct cmd_payout_new *in)
{
    if (in->lot_version && in->lot_version != lot->row.version)
        return ERR_STALE;
    return in->lot_version && in->amount > in->lot_rest ? ERR_RANGE : 0;
}

/* The wallet must have it, the gift that goes with it, and keep what its driver owes. */
static int wallet_check(const struct core *c, const struct payment *lot, int64_t amount)
{
    const struct row_payment *r = &lot->row;
    int64_t had = purse_available(c, r->tenant, ACCOUNT_WALLET, r->driver, r->currency), cost;
    int rc = gift_refund_cost(c, lot, &cost);
    if (rc || amount + cost > had)
        return rc ? rc : ERR_NO_FUNDS;
    return amount + cost > had - debt_of(c, r->tenant, r->driver, r->currency) ? ERR_DEBT : 0;
}

static int principal_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_payout_new *in = &cmd->u.payout_new;
    const struct payment *lot = payment_find(c, in->payment);
    const struct channel *ch = channel_find(c, in->channel);
    if (!lot || lot->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != lot->row.driver)
        return ERR_NOT_FOUND;
    if (in->channel != lot->row.channel &&
        (!ch || ch->row.tenant != lot->row.tenant || ch->row.kind != CHANNEL_BANK))
        return ERR_CONFLICT; /* to its source, or by a bank that people check */
    if (lot->row.state != PAYMENT_PAID)
        return ERR_CONFLICT;
    if (ch && ch->row.kind == CHANNEL_BANK && (!in->payee[0] || !in->payee_name[0]))
        return ERR_REQUIRED;
    if (in->channel == lot->row.channel && in->channel && c->now - lot->row.paid_ms > SOURCE_MAX_MS)
        return ERR_CLOSED;
    if (!whole_fen(in->amount) || in->amount > lot->row.amount - lot->row.refunded)
        return ERR_RANGE;
    const struct driver *d = driver_find(c, lot->row.driver);
    if (d && d->row.frozen)
        return ERR_DISABLED;
    if (lot->row.bound)
        return ERR_BUSY; /* its order is not over: the rest goes back by itself */
    int rc = rest_check(lot, in);
    return rc ? rc : wallet_check(c, lot, in->amount);
}

static void row_of_share(const struct core *c, const struct cmd *cmd, struct row_payout *r)
{
    const struct party *party = dir_find(c, ROW_PARTY, cmd->u.payout_new.party);
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    r->kind = PAYOUT_SHARE;
    r->party = party->row.id;
    r->currency = t->row.currency;
    r->fee = t->row.payout_fee;
    const struct channel *ch = channel_find(c, r->channel);
    must(party_account_payee(c, &party->row, &ch->row, &r->payee, &r->payee_name) == 0);
}

static void row_of_principal(struct core *c, struct payment *lot, struct row_payout *r)
{
    gift_refund(c, lot);
    r->kind = PAYOUT_PRINCIPAL;
    r->driver = lot->row.driver;
    r->payment = lot->row.id;
    r->lot_amount = lot->row.amount;
    r->currency = lot->row.currency;
    r->payee = r->payee_name = "";
    lot->row.refunded += r->amount;
    lot->row.version++;
    obj_dirty(c, &lot->o);
}

int payout_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_payout_new *in = &cmd->u.payout_new;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    int64_t room;
    int rc = in->payment ? principal_check(c, cmd) : share_check(c, cmd);
    int64_t owner = in->payment && !rc ? payment_find(c, in->payment)->row.driver : in->party;
    if (!rc && c->purse->payouts.live >= c->purse->payouts.cap)
        rc = ERR_FULL;
    if (!rc)
        rc = account_open(c, t->row.id, ACCOUNT_TRANSIT, owner, t->row.currency, &room);
    if (rc)
        return rc;
    struct row_payout r = {.id = core_id(c),
                           .tenant = t->row.id,
                           .channel = in->channel,
                           .amount = in->amount,
                           .state = PAYOUT_REQUESTED,
                           .provider_no = "",
                           .confirm = "",
                           .note = in->note,
                           .paper = "",
                           .asked_kind = cmd->head.actor_kind,
                           .asked_by = cmd->head.actor,
                           .created_ms = c->now,
                           .version = 1};
    struct payment *lot = in->payment ? payment_find(c, in->payment) : NULL;
    if (lot)
        row_of_principal(c, lot, &r);
    else
        row_of_share(c, cmd, &r);
    if (lot && lot->row.channel != in->channel) {
        r.payee = in->payee;
        r.payee_name = in->payee_name;
    }
    struct payout *p = payout_add(c, &r);
    must(p);
    obj_dirty(c, &p->o);
    to_transit(c, p);
    withhold_asked(c, p);
    payout_day_add(c, p);
    event_payout(c, p);
    if (payout_alone(c, p, in->payment && p->row.payee[0])) {
        withhold_take(c, p);
        payout_send(c, p);
    }
    c->made_id = p->row.id;
    c->made_version = p->row.version;
    return 0;
}

/* The rail said another amount than was asked for, and a person looked what was paid. */
static int paid_check(const struct core *c, const struct payout *p,
                      const struct cmd_payout_decide *in)
{
    if (p->row.state != PAYOUT_UNKNOWN || !p->row.doubt)
        return ERR_CONFLICT;
    if (!whole_fen(in->amount) || in->amount > PAID_MAX)
        return ERR_RANGE;
    if (!in->note[0])
        return ERR_REQUIRED;
    return dir_full(c, ROW_BILL_DIFF) ? ERR_FULL : 0;
}

int payout_source(struct core *c, struct payment *lot, int64_t amount)
{
    const struct channel *ch = channel_find(c, lot->row.channel);
    int64_t room;
    bool can = ch && c->now - lot->row.paid_ms <= SOURCE_MAX_MS && whole_fen(amount) &&
               amount <= lot->row.amount - lot->row.refunded;
    int rc = !can ? ERR_CLOSED : c->purse->payouts.live >= c->purse->payouts.cap ? ERR_FULL : 0;
    if (!rc)
        rc = account_open(c, lot->row.tenant, ACCOUNT_TRANSIT, lot->row.driver, lot->row.currency,
                          &room);
    if (rc)
        return rc;
    struct row_payout r = {.id = core_id(c),
                           .tenant = lot->row.tenant,
                           .channel = lot->row.channel,
                           .amount = amount,
                           .state = PAYOUT_REQUESTED,
                           .provider_no = "",
                           .confirm = "",
                           .note = "",
                           .asked_kind = ACTOR_SYSTEM,
                           .created_ms = c->now,
                           .version = 1};
    row_of_principal(c, lot, &r);
    struct payout *p = payout_add(c, &r);
    must(p);
    obj_dirty(c, &p->o);
    to_transit(c, p);
    payout_send(c, p);
    if (lot->row.sharing)
        lot->row.rest = p->row.id;
    return 0;
}

static int decide_check(const struct core *c, const struct payout *p, const struct cmd *cmd)
{
    const struct cmd_payout_decide *in = &cmd->u.payout_decide;
    bool self = p->row.asked_by == cmd->head.actor && p->row.asked_kind == cmd->head.actor_kind;
    bool asked = p->row.state == PAYOUT_REQUESTED;
    bool from_file = in->act == PAYOUT_ACT_FAILED && p->row.file;
    if (in->act != PAYOUT_ACT_CANCEL && !in->party && (!self || from_file) &&
        !second_may(c, cmd, p->row.asked_kind, p->row.asked_by))
        return ERR_SECOND;
    switch ((enum payout_act)in->act) {
    case PAYOUT_ACT_APPROVE:
    case PAYOUT_ACT_REFUSE:
        return in->party || self ? ERR_DENIED : asked ? 0 : ERR_CONFLICT;
    case PAYOUT_ACT_CANCEL:
        return asked ? 0 : ERR_CONFLICT;
    case PAYOUT_ACT_SETTLED:
    case PAYOUT_ACT_FAILED:
        if (in->party || self)
            return ERR_DENIED;
        if (in->act == PAYOUT_ACT_FAILED && p->row.doubt > PAYOUT_DOUBT_AMOUNT)
            return in->note[0] ? 0 : ERR_REQUIRED; /* the rail itself says that it paid nothing */
        if (p->row.state != PAYOUT_APPROVED || !by_people(c, p))
            return ERR_CONFLICT;
        if (in->file && in->file != p->row.file)
            return ERR_CONFLICT; /* another file pays it now, or none */
        if (from_file && !pay_file_second(c, cmd, p))
            return ERR_SECOND;
        return in->act == PAYOUT_ACT_SETTLED && !in->bank_no[0] ? ERR_REQUIRED : 0;
    case PAYOUT_ACT_PAID:
        return in->party || self ? ERR_DENIED : paid_check(c, p, in);
    }
    return ERR_RANGE;
}

/* What was asked for by people, or the rail paid. */
static int decide(struct core *c, struct payout *p, const struct cmd *cmd)
{
    const struct cmd_payout_decide *in = &cmd->u.payout_decide;
    int64_t suspense;
    int rc = decide_check(c, p, cmd);
    if (!rc && in->act == PAYOUT_ACT_PAID)
        rc = account_open(c, p->row.tenant, ACCOUNT_SUSPENSE, 0, p->row.currency, &suspense);
    if (!rc && in->act == PAYOUT_ACT_APPROVE && paper_missing(c, p))
        rc = ERR_REQUIRED;
    if (!rc && in->act == PAYOUT_ACT_APPROVE)
        rc = payout_stopped(c, p);
    if (!rc && in->act == PAYOUT_ACT_APPROVE)
        rc = withhold_check(c, p);
    if (rc)
        return rc;
    if (in->act == PAYOUT_ACT_APPROVE)
        withhold_take(c, p);
    if (in->act != PAYOUT_ACT_CANCEL) {
        p->row.checked_by = cmd->head.actor;
        p->row.checked_ms = c->now;
    }
    if (in->note[0])
        (void)obj_text(c, &p->o, &p->row.note, in->note);
    if (in->act == PAYOUT_ACT_APPROVE)
        payout_send(c, p);
    else if (in->act == PAYOUT_ACT_SETTLED)
        payout_settled(c, p, in->bank_no);
    else if (in->act == PAYOUT_ACT_PAID && in->amount == payout_net(p))
        payout_settled(c, p, p->row.provider_no);
    else if (in->act == PAYOUT_ACT_PAID)
        payout_paid_other(c, p, in->amount);
    else
        payout_back(c, p,
                    in->act == PAYOUT_ACT_REFUSE   ? PAYOUT_REFUSED
                    : in->act == PAYOUT_ACT_CANCEL ? PAYOUT_CANCELLED
                                                   : PAYOUT_FAILED);
    return 0;
}

int payout_decide(struct core *c, const struct cmd *cmd)
{
    const struct cmd_payout_decide *in = &cmd->u.payout_decide;
    struct payout *p = payout_find(c, in->payout);
    if (!p || p->row.tenant != cmd->head.tenant || cmd->head.station ||
        (in->party && in->party != p->row.party))
        return ERR_NOT_FOUND;
    int rc = p->row.kind == PAYOUT_RETURNED ? share_return_decide(c, p, cmd) : decide(c, p, cmd);
    if (rc)
        return rc;
    c->made_id = p->row.id;
    c->made_version = p->row.version;
    return 0;
}
