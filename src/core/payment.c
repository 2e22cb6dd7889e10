// SPDX-License-Identifier: Apache-2.0
/* payment.c: money that drivers put into their wallets through a channel, and the lots that every
 * top-up leaves.
 *
 *  state     leaves by                                                     the driver's money
 *  CREATED   the provider answered with an address → WAITING               with the driver
 *            it refused → FAILED; expired → asked to close
 *  WAITING   the provider says paid → PAID, SUSPENSE                       credited, or in suspense
 *            expired → asked to close → CLOSED, or PAID after all
 *  CLOSED, FAILED   a late payment → PAID: money that came is the driver's; of one whose account
 *            was closed meanwhile it goes back to its source
 *  PAID, SUSPENSE   final; what is repeated changes nothing
 *
 * A provider's notice is a reason to ask and no proof: the payment is credited by the answer to our
 * own query. A payment of another amount or currency than was asked for goes to suspense, where a
 * person sees it.
 *
 * Each payment is a lot of the wallet's principal, those that staff took too (channel 0). Wallets
 * spend the oldest lot first, so what is left of a wallet is in its newest lots: which, follows from
 * the balance and the lots, and needs no bookkeeping at every order.
 *
 * Invariants: 3. of purse.h; refunded <= amount of a lot. */
#include "core/lotfee.h"
#include "core/purse.h"
#include "core/recon.h"

#include <stdio.h>

enum { PAY_WINDOW_MS = 15 * 60 * 1000, PAY_ASK_MS = 5 * 1000, PAY_ASK_MOST_MS = 60 * 1000 };
enum { PAY_CLOSE_TRIES = 200 }; /* asks after the end of the window; then it counts as closed */
#define PAYMENT_MAX (INT64_C(10000) * MONEY_UNIT)

/* ---- crediting ---- */

/* What a channel charges now for money that it brings; nothing for what comes otherwise. */
static int32_t rate_of(const struct core *c, int64_t contra)
{
    const struct ledger_account *a = ledger_account(c->ledger, contra);
    const struct channel *ch = a && a->kind == ACCOUNT_CHANNEL ? channel_find(c, a->owner) : NULL;
    return ch ? ch->row.fee_bp : 0;
}

int64_t payment_credit(struct core *c, int64_t tenant, int64_t driver, int64_t contra,
                       const char *currency, int64_t amount, const char *note)
{
    struct ledger_request q;
    int64_t debt = debt_of(c, tenant, driver, currency);
    int64_t repay = debt < amount ? debt : amount;
    purse_request(c, &q, tenant, TRANSFER_TOPUP, currency);
    q.note = note;
    lots_in(c, driver, amount - repay, rate_of(c, contra));
    purse_leg(&q, contra, -amount, 0);
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_WALLET, driver, currency), amount - repay, 0);
    if (repay)
        purse_leg(&q, purse_account(c, tenant, ACCOUNT_DEBT, driver, currency), repay, 0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* amounts are bounded, nothing is taken */
    event_wallet(c, tenant, driver, currency);
    return ctx.id;
}

int64_t payment_note(struct core *c, const struct row_payment *lot)
{
    struct row_payment row = *lot;
    row.id = core_id(c);
    row.state = PAYMENT_PAID;
    row.provider_no = lot->provider_no ? lot->provider_no : "";
    row.url = row.payer = "";
    row.created_ms = row.paid_ms = c->now;
    row.version = 1;
    row_put(c, ROW_PAYMENT, ROW_UPSERT, &row);
    return row.id;
}

/* ---- asking ---- */

static void event_payment(struct core *c, const struct payment *p)
{
    struct out_event *e = event_new(c, EVENT_PAYMENT);
    e->tenant = p->row.tenant;
    e->driver = p->row.driver;
    e->order = p->row.id;
    e->state = p->row.state;
    e->amount = p->row.amount;
}

static void payment_ask(struct core *c, struct payment *p, enum pay_op op)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    if (!ch)
        return; /* removed: nobody to ask */
    struct out_pay *ask = purse_ask(c, ch, op, p->row.id);
    ask->amount = ask->total = p->row.amount;
    ask->method = p->row.method;
    ask->sharing = p->row.sharing != SHARING_NONE;
    ask->expires_ms = p->row.expires_ms;
    (void)str_copy(ask->currency, sizeof ask->currency, str_from_c(p->row.currency));
    (void)str_copy(ask->provider_no, sizeof ask->provider_no, str_from_c(p->row.provider_no));
    (void)str_copy(ask->payee, sizeof ask->payee, str_from_c(p->row.payer));
}

static void payment_state_set(struct core *c, struct payment *p, enum payment_state s)
{
    bool open = s == PAYMENT_CREATED || s == PAYMENT_WAITING;
    p->row.state = (int32_t)s;
    p->row.version++;
    obj_dirty(c, &p->o);
    if (!open)
        purse_timer(c, &p->timer, c->now + EVICT_MS);
    event_payment(c, p);
}

/* Shares are paid out of payments for one order. Not where a code is scanned at Alipay: of such a payment
 * it takes a part of each refund from who got shares, by itself, and does not say how much. */
static bool shares_of(const struct core *c, const struct row_payment *r)
{
    const struct channel *ch = channel_find(c, r->channel);
    bool scanned = ch->row.kind == CHANNEL_ALIPAY && r->method == PAY_METHOD_QR;
    return r->connector && ch->row.share_bp && !scanned;
}

static int payment_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_payment_new *in = &cmd->u.payment_new;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    const struct driver *d = driver_find(c, in->driver);
    const struct channel *ch = channel_find(c, in->channel);
    if (!t || !d || !ch || d->row.tenant != t->row.id || ch->row.tenant != t->row.id)
        return ERR_NOT_FOUND;
    if (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != in->driver)
        return ERR_NOT_FOUND;
    if (d->row.state != ROW_ACTIVE || ch->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (ch->row.kind != CHANNEL_WECHAT && ch->row.kind != CHANNEL_ALIPAY)
        return ERR_UNSUPPORTED;
    if (strcmp(in->currency, t->row.currency) != 0)
        return ERR_CURRENCY;
    bool ok = in->amount >= MONEY_FEN && in->amount <= PAYMENT_MAX && in->amount % MONEY_FEN == 0 &&
              in->method >= PAY_METHOD_QR && in->method <= PAY_METHOD_APP;
    return ok ? 0 : ERR_RANGE;
}

/* Room for all that it may come to, so that crediting it cannot fail. */
static int accounts_open(struct core *c, const struct row_payment *r)
{
    const struct {
        int32_t kind;
        int64_t owner;
    } need[] = {{ACCOUNT_WALLET, r->driver},
                {ACCOUNT_WALLET_BONUS, r->driver},
                {ACCOUNT_MARKETING, 0},
                {ACCOUNT_TRANSIT, r->driver}};
    size_t n = r->gift ? 3 : r->connector ? 4 : 1;
    int64_t id;
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i++)
        if (i == 0 || r->gift || i == 3)
            rc = account_open(c, r->tenant, need[i].kind, need[i].owner, r->currency, &id);
    return rc;
}

int payment_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_payment_new *in = &cmd->u.payment_new;
    struct row_payment row = {.tenant = cmd->head.tenant,
                              .driver = in->driver,
                              .channel = in->channel,
                              .method = in->method,
                              .currency = in->currency,
                              .amount = in->amount,
                              .state = PAYMENT_CREATED,
                              .provider_no = "",
                              .url = "",
                              .payer = in->payer,
                              .created_ms = c->now,
                              .expires_ms = c->now + PAY_WINDOW_MS,
                              .connector = in->connector,
                              .version = 1};
    int rc = payment_check(c, cmd);
    if (!rc)
        rc = gift_package(c, cmd->head.tenant, in, &row);
    if (!rc)
        rc = single_check(c, cmd->head.tenant, in);
    if (!rc && c->purse->payments.live >= c->purse->payments.cap)
        rc = ERR_FULL;
    if (!rc)
        rc = accounts_open(c, &row);
    if (rc)
        return rc;
    row.id = core_id(c);
    if (shares_of(c, &row))
        row.sharing = SHARING_FLAGGED;
    struct payment *p = payment_add(c, &row);
    must(p);
    obj_dirty(c, &p->o);
    payment_ask(c, p, PAY_CREATE);
    purse_timer(c, &p->timer, c->now + PAY_ASK_MS);
    c->made_id = p->row.id;
    c->made_version = 1;
    return 0;
}

void payment_fire(struct core *c, struct payment *p)
{
    int64_t wait = PAY_ASK_MS * (1 + (int64_t)p->row.tries);
    bool over = c->now >= p->row.expires_ms;
    p->row.tries++;
    obj_dirty(c, &p->o);
    if (over && p->row.tries > PAY_CLOSE_TRIES) {
        payment_state_set(c, p, PAYMENT_CLOSED);
        return;
    }
    if (over)
        payment_ask(c, p, p->row.tries % 2 ? PAY_QUERY : PAY_CLOSE);
    else
        payment_ask(c, p, p->row.state == PAYMENT_CREATED ? PAY_CREATE : PAY_QUERY);
    purse_timer(c, &p->timer, c->now + (wait < PAY_ASK_MOST_MS ? wait : PAY_ASK_MOST_MS));
}

void payment_restart(struct core *c, struct payment *p)
{
    bool open = p->row.state == PAYMENT_CREATED || p->row.state == PAYMENT_WAITING;
    bool shares = p->row.sharing > SHARING_FLAGGED && sharing_runs(p);
    purse_timer(c, &p->timer, open || shares ? c->now : c->now + EVICT_MS);
}

/* ---- answers ---- */

/* His account was closed, and he paid what was open before that: nobody would spend it. */
static bool closed(const struct core *c, const struct payment *p)
{
    const struct driver *d = driver_find(c, p->row.driver);
    return d && d->row.state == ROW_DELETED;
}

void payment_done(struct core *c, struct payment *p, int64_t transfer)
{
    p->row.transfer = transfer;
    p->row.paid_ms = c->now;
    payment_state_set(c, p, PAYMENT_PAID);
    if (p->row.gift)
        gift_give(c, p->row.tenant, p->row.driver, p->row.gift, p->row.gift_days, "");
    if (closed(c, p))
        single_back(c, p, p->row.amount);
}

static void payment_paid(struct core *c, struct payment *p, const struct cmd_pay_result *in)
{
    int64_t contra =
        purse_account(c, p->row.tenant, ACCOUNT_CHANNEL, p->row.channel, p->row.currency);
    bool late = p->row.state != PAYMENT_CREATED && p->row.state != PAYMENT_WAITING;
    (void)obj_text(c, &p->o, &p->row.provider_no, in->provider_no);
    p->row.paid_ms = c->now;
    if (in->amount == p->row.amount && strcmp(in->currency, p->row.currency) == 0) {
        p->row.fee_bp = rate_of(c, contra);
        payment_done(c, p,
                     payment_credit(c, p->row.tenant, p->row.driver, contra, p->row.currency,
                                    p->row.amount, in->provider_no));
        if (p->row.connector && !late)
            single_paid(c, p);
        if (!p->row.bound)
            sharing_begin(c, p, NULL);
        return;
    }
    if (in->amount > 0 && strcmp(in->currency, p->row.currency) == 0) {
        struct ledger_request q;
        purse_request(c, &q, p->row.tenant, TRANSFER_SUSPENSE, p->row.currency);
        q.note = in->provider_no;
        purse_leg(&q, contra, -in->amount, 0);
        purse_leg(&q, purse_account(c, p->row.tenant, ACCOUNT_SUSPENSE, 0, p->row.currency),
                  in->amount, 0);
        struct ledger_ctx ctx = ledger_ctx_now(c);
        must(ledger_post(c->ledger, &ctx, &q) == 0);
        p->row.transfer = ctx.id;
        recon_payment(c, p, in->amount, ctx.id);
    }
    char detail[80];
    snprintf(detail, sizeof detail, "asked %lld, paid %lld", (long long)p->row.amount,
             (long long)in->amount);
    audit_put(c, p->row.tenant, "payment.suspense", p->row.id, detail, ERR_CONFLICT);
    payment_state_set(c, p, PAYMENT_SUSPENSE);
}

/* An answer to CREATE says where to pay; anything else is what the provider knows of the money. */
static void payment_created(struct core *c, struct payment *p, const struct cmd_pay_result *in)
{
    if (p->row.state != PAYMENT_CREATED)
        return;
    if (in->state == PAY_FAILED) {
        payment_state_set(c, p, PAYMENT_FAILED);
    } else if (in->state == PAY_PENDING && in->url[0]) {
        (void)obj_text(c, &p->o, &p->row.url, in->url);
        p->row.tries = 0;
        payment_state_set(c, p, PAYMENT_WAITING);
        purse_timer(c, &p->timer, c->now + PAY_ASK_MS);
    }
}

int payment_result(struct core *c, struct payment *p, const struct cmd_pay_result *in)
{
    bool final = p->row.state == PAYMENT_PAID || p->row.state == PAYMENT_SUSPENSE;
    bool open = p->row.state == PAYMENT_CREATED || p->row.state == PAYMENT_WAITING;
    if (p->row.channel != in->channel)
        return ERR_NOT_FOUND;
    if (final) {
        sharing_result(c, p, in);
        return 0;
    }
    if (in->op == PAY_NOTICE)
        payment_ask(c, p, PAY_QUERY);
    else if (in->op == PAY_CREATE)
        payment_created(c, p, in);
    else if (in->state == PAY_DONE)
        payment_paid(c, p, in);
    else if (open && in->state == PAY_CLOSED)
        payment_state_set(c, p, PAYMENT_CLOSED);
    else if (open && in->state == PAY_FAILED)
        payment_state_set(c, p, PAYMENT_FAILED);
    return 0;
}

int pay_result(struct core *c, const struct cmd *cmd)
{
    const struct cmd_pay_result *in = &cmd->u.pay_result;
    struct payment *in_p = payment_find(c, in->row);
    struct payout *out_p = payout_find(c, in->row);
    struct party_account *account = dir_find(c, ROW_PARTY_ACCOUNT, in->row);
    c->made_id = in->row;
    if (account)
        return party_account_result(c, account, in);
    if (in_p)
        return payment_result(c, in_p, in);
    return out_p ? payout_result(c, out_p, in) : ERR_NOT_FOUND;
}
