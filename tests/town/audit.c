// SPDX-License-Identifier: Apache-2.0
/* audit.c: see audit.h. Data: lists that only grow; every sum runs over all of them. */
#include "town/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/rows.h"
#include "core/types.h"
#include "town/vnet.h"

enum { PRINTED = 12 };
#define DAY_MS       INT64_C(86400000)
#define CHINA_MS     INT64_C(28800000)
#define CAP_MOST     (INT64_C(10000) * MONEY_UNIT)
#define TOPUP_MOST   (INT64_C(100000) * MONEY_UNIT)
#define PAYMENT_MOST (INT64_C(10000) * MONEY_UNIT)

void audit_init(struct audit *a)
{
    *a = (struct audit){0};
}

void audit_free(struct audit *a)
{
    free(a->fact);
    free(a->key);
    free(a->order);
    free(a->start);
    free(a->notice);
    free(a->bank.pay);
    free(a->bank.file);
}

void audit_differ(struct audit *a, const char *format, ...)
{
    va_list ap;
    if (a->differences++ >= PRINTED || a->quiet)
        return;
    fputs("  difference: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void *grown(void *list, size_t n, size_t *size, size_t record)
{
    if (n < *size)
        return list;
    *size = *size ? 2 * *size : 64;
    list = realloc(list, *size * record);
    must(list);
    return list;
}

void audit_fact_add(struct audit *a, const struct fact *f)
{
    a->fact = grown(a->fact, a->facts, &a->facts_size, sizeof *a->fact);
    a->fact[a->facts++] = *f;
}

/* ---- sums ---- */

static int64_t facts_sum(const struct audit *a, enum fact_kind kind, int64_t who)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == kind && a->fact[i].who == who)
            sum += a->fact[i].amount;
    return sum;
}

static bool payout_is_back(int32_t state)
{
    return state == PAYOUT_FAILED || state == PAYOUT_REFUSED || state == PAYOUT_CANCELLED;
}

/* What of a payment has gone back to its source, or is on its way. */
static int64_t gone_back(const struct audit *a, int64_t payment)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PRINCIPAL && a->fact[i].of == payment &&
            !payout_is_back(a->fact[i].state))
            sum += a->fact[i].amount;
    return sum;
}

int64_t audit_gift(const struct audit *a, int64_t driver)
{
    int64_t sum = facts_sum(a, FACT_GIFT, driver);
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAID && a->fact[i].who == driver &&
            a->fact[i].state == PAYMENT_PAID)
            sum += gone_back(a, a->fact[i].id) ? 0 : a->fact[i].gift;
    return sum;
}

int64_t audit_balance(const struct audit *a, int64_t driver)
{
    int64_t sum = facts_sum(a, FACT_TOPUP, driver) + facts_sum(a, FACT_REFUND, driver) +
                  facts_sum(a, FACT_GIFT, driver);
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f->who != driver)
            continue;
        if (f->kind == FACT_PAID && f->state == PAYMENT_PAID)
            sum += f->amount + (gone_back(a, f->id) ? 0 : f->gift);
        if (f->kind == FACT_PRINCIPAL && !payout_is_back(f->state))
            sum -= f->amount;
    }
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].driver == driver && !a->order[i].company)
            sum += a->order[i].gives ? a->order[i].paid : -a->order[i].paid;
    return sum;
}

static bool order_is_open(int32_t state)
{
    return state >= ORDER_CREATED && state <= ORDER_ENDED;
}

int64_t audit_held(const struct audit *a, int64_t driver)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].driver == driver && !a->order[i].company &&
            order_is_open(a->order[i].state))
            sum += a->order[i].cap + a->order[i].stay_held;
    return sum;
}

int64_t audit_share(const struct audit *a, int64_t party)
{
    return facts_sum(a, FACT_SHARE, party);
}

int64_t audit_refunded(const struct audit *a, int64_t order)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_REFUND && a->fact[i].id == order)
            sum += a->fact[i].amount;
    return sum;
}

static int64_t paid_out(const struct audit *a, int64_t party)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAYOUT && a->fact[i].who == party &&
            !payout_is_back(a->fact[i].state))
            sum += a->fact[i].amount;
    return sum;
}

/* The local midnight that ends the refund window of a share. */
static int64_t due_of(const struct audit *a, int64_t at_ms)
{
    int64_t day = (at_ms + a->refund_days * DAY_MS + CHINA_MS) / DAY_MS;
    return (day + 1) * DAY_MS - CHINA_MS;
}

static struct seen_partner *partner_of(struct audit *a, int64_t party)
{
    for (int i = 0; i < AUDIT_PARTNERS; i++)
        if (a->partner[i].id == party)
            return &a->partner[i];
    return NULL;
}

static const struct seen_order *order_of(const struct audit *a, int64_t id)
{
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].id == id)
            return &a->order[i];
    return NULL;
}

/* What the order's shares still hold back from the party at that time. */
static int64_t order_waits(const struct audit *a, int64_t party, int64_t order, int64_t now_ms)
{
    int64_t waits = 0;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f->kind != FACT_SHARE || f->who != party || f->id != order)
            continue;
        if (f->amount < 0)
            waits = waits + f->amount > 0 ? waits + f->amount : 0;
        else if (due_of(a, f->at_ms) > now_ms)
            waits += f->amount;
    }
    return waits;
}

/* Below zero: the party owes it. */
static int64_t party_free(const struct audit *a, int64_t party, int64_t now_ms)
{
    int64_t sum = audit_share(a, party) - paid_out(a, party);
    if (party == a->platform)
        return sum;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        bool first = f->kind == FACT_SHARE && f->who == party && f->amount > 0;
        for (size_t k = 0; first && k < i; k++)
            first =
                a->fact[k].kind != FACT_SHARE || a->fact[k].who != party || a->fact[k].id != f->id;
        if (first && !audit_company_credits(a, order_of(a, f->id)))
            sum -= order_waits(a, party, f->id, now_ms);
    }
    return sum - audit_company_waits(a, party, now_ms);
}

int64_t audit_available(const struct audit *a, int64_t party, int64_t now_ms)
{
    int64_t sum = party_free(a, party, now_ms);
    return sum > 0 ? sum : 0;
}

/* ---- finding ---- */

struct seen_order *audit_order(struct audit *a, int64_t id)
{
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].id == id)
            return &a->order[i];
    return NULL;
}

struct seen_order *audit_order_take(struct audit *a, int64_t id)
{
    struct seen_order *o = audit_order(a, id);
    if (o)
        return o;
    a->order = grown(a->order, a->orders, &a->orders_size, sizeof *a->order);
    a->order[a->orders] = (struct seen_order){.id = id};
    return &a->order[a->orders++];
}

static struct seen_connector *connector_of(struct audit *a, int64_t id)
{
    for (int i = 0; i < a->connectors; i++)
        if (a->connector[i].id == id)
            return &a->connector[i];
    return NULL;
}

static struct seen_charger *charger_of(struct audit *a, int64_t id)
{
    for (int i = 0; i < a->chargers; i++)
        if (a->charger[i].id == id)
            return &a->charger[i];
    return NULL;
}

static int driver_index(const struct audit *a, int64_t id)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        if (id && a->driver[i] == id)
            return i;
    return -1;
}

struct fact *audit_payout(const struct audit *a, int64_t id)
{
    for (size_t i = 0; i < a->facts; i++)
        if ((a->fact[i].kind == FACT_PAYOUT || a->fact[i].kind == FACT_PRINCIPAL) &&
            a->fact[i].id == id)
            return &a->fact[i];
    return NULL;
}

static struct fact *payment_of(const struct audit *a, int64_t id)
{
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAID && a->fact[i].id == id)
            return &a->fact[i];
    return NULL;
}

const struct known_key *audit_key(const struct audit *a, const char *key)
{
    for (size_t i = 0; i < a->keys; i++)
        if (strcmp(a->key[i].key, key) == 0)
            return &a->key[i];
    return NULL;
}

void audit_key_add(struct audit *a, const struct cmd *cmd, int64_t id)
{
    a->key = grown(a->key, a->keys, &a->keys_size, sizeof *a->key);
    struct known_key *k = &a->key[a->keys++];
    (void)str_copy(k->key, sizeof k->key, str_from_c(cmd->head.idem_key));
    (void)str_copy(k->finger, sizeof k->finger, str_from_c(cmd->head.idem_finger));
    k->id = id;
}

/* ---- what must be answered ---- */

static bool whole_fen(int64_t v, int64_t most)
{
    return v >= MONEY_FEN && v <= most && v % MONEY_FEN == 0;
}

static int expect_topup(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_topup *t = &cmd->u.topup;
    if (driver_index(a, t->driver) < 0)
        return ERR_NOT_FOUND;
    if (strcmp(t->currency, "CNY") != 0)
        return ERR_CURRENCY;
    return whole_fen(t->amount, TOPUP_MOST) ? 0 : ERR_RANGE;
}

static bool connector_is_taken(const struct audit *a, int64_t connector)
{
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].connector == connector && order_is_open(a->order[i].state))
            return true;
    return false;
}

static int expect_place(const struct audit *a, const struct seen_connector *k)
{
    if (connector_is_taken(a, k->id))
        return ERR_BUSY;
    if (k->status == CS_FAULTED)
        return ERR_FAULTED;
    if (k->status == CS_UNAVAILABLE)
        return ERR_DISABLED;
    bool busy = k->status == CS_CHARGING || k->status == CS_SUSPENDED_EV ||
                k->status == CS_SUSPENDED_EVSE || k->status == CS_RESERVED;
    return busy ? ERR_BUSY : 0;
}

static int expect_start(struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    const struct cmd_order_start *s = &cmd->u.order_start;
    const struct seen_connector *k = connector_of(a, s->connector);
    if (!k)
        return ERR_NOT_FOUND;
    if (!charger_of(a, k->charger)->online)
        return ERR_OFFLINE;
    int place = audit_discharge_turns(a, cmd, k) ? 0 : expect_place(a, k);
    if (place)
        return place;
    if (s->direction < 0)
        return audit_discharge_start(a, cmd, k);
    if (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != s->driver)
        return ERR_DENIED;
    if (driver_index(a, s->driver) < 0)
        return ERR_NOT_FOUND;
    if (!whole_fen(s->cap, CAP_MOST))
        return ERR_RANGE;
    if (s->payer_kind == PAYER_COMPANY)
        return audit_company_start(a, cmd, k->charger, now_ms);
    if (audit_debt(a, s->driver))
        return ERR_DEBT;
    return s->cap > audit_spendable(a, s->driver) ? ERR_NO_FUNDS : 0;
}

static int expect_stop(struct audit *a, const struct cmd *cmd)
{
    const struct cmd_order_stop *s = &cmd->u.order_stop;
    const struct seen_order *o = audit_order(a, s->order);
    if (!o || (s->driver && s->driver != o->driver))
        return ERR_NOT_FOUND;
    if (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != o->driver)
        return ERR_NOT_FOUND;
    return o->connector ? 0 : ERR_CONFLICT; /* pulling the plug ends that */
}

static int expect_refund(struct audit *a, const struct cmd *cmd)
{
    const struct cmd_order_refund *r = &cmd->u.order_refund;
    const struct seen_order *o = audit_order(a, r->order);
    if (!o)
        return ERR_NOT_FOUND;
    if (o->gives)
        return ERR_DISCHARGE;
    if (o->state != ORDER_SETTLED || !o->driver)
        return ERR_CONFLICT;
    return whole_fen(r->amount, o->paid - audit_refunded(a, o->id)) ? 0 : ERR_RANGE;
}

static int expect_decide(struct audit *a, const struct cmd *cmd)
{
    const struct seen_order *o = audit_order(a, cmd->u.decide.order);
    if (!o)
        return ERR_NOT_FOUND;
    return o->state == ORDER_DOUBTFUL ? 0 : ERR_CONFLICT;
}

static int expect_payment(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_payment_new *p = &cmd->u.payment_new;
    if (driver_index(a, p->driver) < 0 ||
        (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != p->driver))
        return ERR_NOT_FOUND;
    if (p->channel != a->wechat)
        return ERR_UNSUPPORTED;
    if (!whole_fen(p->amount, PAYMENT_MOST))
        return ERR_RANGE;
    return p->package && p->amount != a->package_pay ? ERR_CONFLICT : 0;
}

static int expect_gift(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_gift *g = &cmd->u.gift;
    if (driver_index(a, g->driver) < 0)
        return ERR_NOT_FOUND;
    return whole_fen(g->amount, TOPUP_MOST) ? 0 : ERR_RANGE;
}

static int expect_principal(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_payout_new *p = &cmd->u.payout_new;
    const struct fact *lot = payment_of(a, p->payment);
    if (!lot)
        return ERR_NOT_FOUND;
    if ((p->channel != a->wechat && p->channel != a->channel) || lot->state != PAYMENT_PAID)
        return ERR_CONFLICT;
    if (p->channel == a->channel && !p->payee[0])
        return ERR_REQUIRED;
    if (!whole_fen(p->amount, lot->amount - gone_back(a, lot->id)))
        return ERR_RANGE;
    if (audit_bank_frozen(a, lot->who))
        return ERR_DISABLED;
    int d = driver_index(a, lot->who);
    int64_t gift = a->gift_said[d] - a->gift_held_said[d];
    int64_t due = gone_back(a, lot->id) ? 0 : lot->gift, cost = due > gift ? due - gift : 0;
    int64_t has = audit_spendable(a, lot->who) - gift;
    if (cost && a->gift_held_said[d])
        return ERR_BUSY;
    if (p->amount + cost > has)
        return ERR_NO_FUNDS;
    return p->amount + cost > has - audit_debt(a, lot->who) ? ERR_DEBT : 0;
}

static int expect_payout(struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    const struct cmd_payout_new *p = &cmd->u.payout_new;
    if (p->payment)
        return expect_principal(a, cmd);
    if ((p->party != a->platform && !partner_of(a, p->party)) ||
        (p->channel != a->channel && p->channel != a->rail))
        return ERR_NOT_FOUND;
    if (p->party == a->platform)
        return ERR_DENIED; /* it was never verified */
    int rc = audit_bank_party(a, p->party);
    if (rc)
        return rc;
    if (!whole_fen(p->amount, INT64_MAX))
        return ERR_RANGE;
    if (p->amount > audit_available(a, p->party, now_ms))
        return ERR_NO_FUNDS;
    return audit_tax_may(a, p->party, now_ms);
}

static int expect(struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    switch (cmd->head.type) {
    case CMD_TOPUP:
        return expect_topup(a, cmd);
    case CMD_GIFT:
        return expect_gift(a, cmd);
    case CMD_ORDER_START:
        return expect_start(a, cmd, now_ms);
    case CMD_ORDER_STOP:
        return expect_stop(a, cmd);
    case CMD_ORDER_REFUND:
        return expect_refund(a, cmd);
    case CMD_DECIDE:
        return expect_decide(a, cmd);
    case CMD_PAYMENT_NEW:
        return expect_payment(a, cmd);
    case CMD_PAYOUT_NEW:
        return expect_payout(a, cmd, now_ms);
    case CMD_PAYOUT_DECIDE:
        return audit_bank_decide(a, cmd, now_ms);
    case CMD_ROW_PUT:
        return cmd->u.row_put.table == ROW_PARTY ? audit_bank_expect(a, cmd)
                                                 : audit_company_expect(a, cmd, now_ms);
    case CMD_COMPANY_PAY:
    case CMD_COMPANY_BILL:
        return audit_company_expect(a, cmd, now_ms);
    case CMD_PAY_FILE_NEW:
    case CMD_PAY_FILE_OUT:
    case CMD_WALLET_FREEZE:
        return audit_bank_expect(a, cmd);
    case CMD_TAX_PAID:
    case CMD_PAYOUT_PAPER:
        return audit_tax_expect(a, cmd);
    case CMD_ORDER_WAIVE:
        return audit_stay_expect(a, cmd);
    default:
        return 0;
    }
}

/* ---- what it then means ---- */

static void payout_effect(struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    static const int32_t becomes[] = {[PAYOUT_ACT_APPROVE] = PAYOUT_APPROVED,
                                      [PAYOUT_ACT_REFUSE] = PAYOUT_REFUSED,
                                      [PAYOUT_ACT_CANCEL] = PAYOUT_CANCELLED,
                                      [PAYOUT_ACT_SETTLED] = PAYOUT_SETTLED,
                                      [PAYOUT_ACT_FAILED] = PAYOUT_FAILED};
    struct fact *p = audit_payout(a, cmd->u.payout_decide.payout);
    if (p && cmd->u.payout_decide.act == PAYOUT_ACT_APPROVE)
        audit_tax_take(a, p, now_ms);
    if (p)
        p->state = becomes[cmd->u.payout_decide.act];
}

static void payout_new_effect(struct audit *a, const struct cmd *cmd, int64_t id, int64_t now_ms)
{
    const struct cmd_payout_new *p = &cmd->u.payout_new;
    const struct fact *lot = p->payment ? payment_of(a, p->payment) : NULL;
    audit_fact_add(a, &(struct fact){.kind = p->payment ? FACT_PRINCIPAL : FACT_PAYOUT,
                                     .id = id,
                                     .who = lot ? lot->who : p->party,
                                     .amount = p->amount,
                                     .at_ms = now_ms,
                                     .state = PAYOUT_REQUESTED,
                                     .asked_kind = cmd->head.actor_kind,
                                     .asked_by = cmd->head.actor,
                                     .place = audit_bank_place(a, p->party),
                                     .channel = p->channel,
                                     .of = p->payment});
}

static void start_effect(struct audit *a, const struct cmd *cmd, int64_t id)
{
    a->turned += connector_is_taken(a, cmd->u.order_start.connector);
    struct seen_order *o = audit_order_take(a, id);
    audit_company_started(a, cmd, o);
    o->gives = cmd->u.order_start.direction < 0;
    if (o->state) /* the live page was faster */
        return;
    o->driver = cmd->u.order_start.driver;
    o->connector = cmd->u.order_start.connector;
    o->cap = cmd->u.order_start.cap;
    o->state = ORDER_HELD;
}

static void refund_effect(struct audit *a, const struct cmd *cmd, int64_t id, int64_t now_ms)
{
    const struct seen_order *o = audit_order(a, cmd->u.order_refund.order);
    int64_t who = !o ? 0 : o->company ? o->company : o->driver;
    audit_fact_add(a, &(struct fact){.kind = FACT_REFUND,
                                     .id = id,
                                     .who = who,
                                     .member = o ? o->member : 0,
                                     .amount = cmd->u.order_refund.amount,
                                     .at_ms = now_ms});
    if (o && !o->company)
        audit_debt_settle(a, o->driver, cmd->u.order_refund.amount, true);
}

void audit_effect(struct audit *a, const struct cmd *cmd, int64_t id, int64_t now_ms)
{
    switch (cmd->head.type) {
    case CMD_TOPUP:
        audit_fact_add(a, &(struct fact){.kind = FACT_TOPUP,
                                         .id = id,
                                         .who = cmd->u.topup.driver,
                                         .amount = cmd->u.topup.amount});
        audit_debt_settle(a, cmd->u.topup.driver, cmd->u.topup.amount, false);
        break;
    case CMD_GIFT:
        audit_fact_add(a, &(struct fact){.kind = FACT_GIFT,
                                         .id = id,
                                         .who = cmd->u.gift.driver,
                                         .amount = cmd->u.gift.amount});
        break;
    case CMD_ORDER_START:
        start_effect(a, cmd, id);
        break;
    case CMD_ORDER_REFUND:
        refund_effect(a, cmd, id, now_ms);
        break;
    case CMD_PAYMENT_NEW:
        audit_fact_add(a, &(struct fact){.kind = FACT_PAID,
                                         .id = id,
                                         .who = cmd->u.payment_new.driver,
                                         .amount = cmd->u.payment_new.amount,
                                         .gift = cmd->u.payment_new.package ? a->package_gift : 0,
                                         .state = PAYMENT_CREATED});
        break;
    case CMD_PAYOUT_NEW:
        payout_new_effect(a, cmd, id, now_ms);
        break;
    case CMD_PAYOUT_DECIDE:
        payout_effect(a, cmd, now_ms);
        break;
    case CMD_ROW_PUT:
        if (cmd->u.row_put.table == ROW_PARTY)
            audit_bank_effect(a, cmd, id);
        else
            audit_company_effect(a, cmd, id, now_ms);
        break;
    case CMD_COMPANY_PAY:
    case CMD_COMPANY_BILL:
        audit_company_effect(a, cmd, id, now_ms);
        break;
    case CMD_PAY_FILE_NEW:
    case CMD_PAY_FILE_OUT:
    case CMD_WALLET_FREEZE:
        audit_bank_effect(a, cmd, id);
        break;
    case CMD_TAX_PAID:
    case CMD_PAYOUT_PAPER:
        audit_tax_effect(a, cmd, id);
        break;
    case CMD_ORDER_WAIVE:
        audit_stay_effect(a, cmd, now_ms);
        break;
    default:
        break;
    }
}

/* A key that worked before: the same again, or a conflict, and nothing happens. */
static void judge_known(struct audit *a, const struct known_key *k, const struct cmd *cmd,
                        const struct out *out)
{
    bool same = strcmp(k->finger, cmd->head.idem_finger) == 0;
    a->replays++;
    if (!same && out->err != ERR_IDEM_MISMATCH)
        audit_differ(a, "command %u: another content under a used key was answered %s",
                     cmd->head.type, err_name(out->err));
    if (same && (out->err || !out->u.made.replay || out->u.made.id != k->id))
        audit_differ(a, "command %u: repeated, answered %s, id %lld, replay %d, was %lld",
                     cmd->head.type, err_name(out->err), (long long)out->u.made.id,
                     out->u.made.replay, (long long)k->id);
}

/* When the core did what the answer is about: what happened with it says so, if anything did. */
static int64_t done_ms(const struct audit *a, int64_t now_ms)
{
    return a->waits ? a->wait[0].at_ms : now_ms;
}

static void reply_judge(struct audit *a, const struct cmd *cmd, const struct out *out)
{
    const struct known_key *k = audit_key(a, cmd->head.idem_key);
    int64_t now = vnet_wall_ms();
    a->replies++;
    if (cmd->head.idem_set && k) {
        judge_known(a, k, cmd, out);
        return;
    }
    int want = expect(a, cmd, cmd->head.now_ms), late = expect(a, cmd, now);
    const struct seen_partner *who =
        cmd->head.type == CMD_PAYOUT_NEW ? partner_of(a, cmd->u.payout_new.party) : NULL;
    bool excused = who && who->owes;
    a->refusals += out->err != 0;
    if (out->err != want && out->err != late && !excused)
        audit_differ(a, "command %u was answered %s, expected %s", cmd->head.type,
                     err_name(out->err), err_name(want));
    if (out->err)
        return;
    if (out->u.made.replay)
        audit_differ(a, "command %u: a new key was answered as a repetition", cmd->head.type);
    if (cmd->head.idem_set)
        audit_key_add(a, cmd, out->u.made.id);
    audit_effect(a, cmd, out->u.made.id, done_ms(a, now));
}

void audit_turn(struct audit *a, uint64_t cause)
{
    if (a->waits && a->waits_cause != cause)
        audit_settle_events(a);
}

void audit_reply(struct audit *a, const struct cmd *cmd, const struct out *out)
{
    audit_turn(a, cmd->head.cause);
    reply_judge(a, cmd, out);
    audit_settle_events(a);
}

/* ---- the live pages ---- */

/* The true end of an order cost less than was paid: what staff gave back before is that first. */
static void given_back_lower(struct audit *a, const struct seen_order *o, int64_t paid)
{
    int64_t left = o->paid - audit_refunded(a, o->id), drop = o->paid - paid;
    drop -= left > paid ? left - paid : 0;
    for (size_t i = a->facts; i-- > 0 && drop > 0;) {
        struct fact *f = &a->fact[i];
        int64_t cut = f->kind == FACT_REFUND && f->id == o->id ? f->amount : 0;
        cut = cut < drop ? cut : drop;
        f->amount -= cut;
        drop -= cut;
    }
}

static void event_order(struct audit *a, const struct out_event *e)
{
    struct seen_order *o = audit_order_take(a, e->order);
    bool over = o->state == ORDER_SETTLED || o->state == ORDER_START_FAILED;
    if (over && o->state != e->state)
        audit_differ(a, "order %lld leaves its final state %d for %d", (long long)o->id, o->state,
                     e->state);
    if (o->driver && o->driver != e->driver)
        audit_differ(a, "order %lld has another driver", (long long)o->id);
    o->gives |= !o->asked && audit_discharge_late(a, e);
    o->asked |= o->gives;
    audit_company_order(a, o, e);
    audit_stay_order(a, o, e);
    o->driver = e->driver;
    o->charger = e->charger;
    o->connector = e->connector;
    o->cap = e->cap;
    o->state = e->state;
    o->doubt = e->doubt;
    if (!o->gives && e->amount < o->paid)
        given_back_lower(a, o, e->amount);
    o->paid = e->amount;
    o->cost = e->cost;
    if (o->driver && o->cap && o->paid > o->cap && !audit_company_overruns(a, o))
        audit_differ(a, "order %lld took %lld, more than its cap of %lld", (long long)o->id,
                     (long long)o->paid, (long long)o->cap);
}

/* A share that must be given back comes out of what waits, then out of what is there. */
static void event_share(struct audit *a, const struct out_event *e)
{
    struct seen_partner *who = partner_of(a, e->party);
    audit_fact_add(a, &(struct fact){.kind = FACT_SHARE,
                                     .id = e->order,
                                     .who = e->party,
                                     .amount = e->amount,
                                     .at_ms = e->at_ms});
    if (e->amount < 0 && who)
        who->owes |= party_free(a, e->party, e->at_ms) < 0;
}

/* The provider is the truth: nothing counts as paid that was not, and no other sum. */
static void event_payment(struct audit *a, const struct out_event *e)
{
    struct fact *f = payment_of(a, e->order);
    const struct deal *d = provider_deal(a->provider, e->order);
    bool done = d && d->state == PAY_DONE;
    if (!f)
        return;
    if (f->state == PAYMENT_PAID && e->state != PAYMENT_PAID)
        audit_differ(a, "payment %lld was paid and is %d", (long long)f->id, e->state);
    if (e->state == PAYMENT_PAID && f->state != PAYMENT_PAID)
        audit_debt_settle(a, f->who, f->amount, false);
    f->state = e->state;
    if ((e->state == PAYMENT_PAID && !(done && d->paid == f->amount)) ||
        (e->state == PAYMENT_SUSPENSE && !(done && d->paid != f->amount)))
        audit_differ(a, "payment %lld is in state %d, and the provider says otherwise",
                     (long long)f->id, e->state);
}

static void event_payout(struct audit *a, const struct out_event *e)
{
    struct fact *f = audit_payout(a, e->order);
    const struct deal *d = provider_deal(a->provider, e->order);
    if (!f)
        return;
    if (payout_is_back(f->state) && !payout_is_back(e->state))
        audit_differ(a, "payout %lld comes back from its end", (long long)f->id);
    f->state = e->state;
    if (e->state == PAYOUT_SETTLED && f->channel != a->channel && !(d && d->state == PAY_DONE))
        audit_differ(a, "payout %lld is settled, and the provider knows nothing of it",
                     (long long)f->id);
}

/* A charger may connect before those who made it have read their answer. */
static struct seen_charger *charger_take(struct audit *a, int64_t id)
{
    struct seen_charger *c = charger_of(a, id);
    if (!c && a->chargers < STREET_MAX) {
        c = &a->charger[a->chargers++];
        *c = (struct seen_charger){.id = id};
    }
    return c;
}

void audit_charger_add(struct audit *a, int64_t id, int64_t station)
{
    struct seen_charger *c = charger_take(a, id);
    must(c);
    c->station = station;
}

static void event_take(struct audit *a, const struct out_event *e)
{
    struct seen_connector *k = connector_of(a, e->connector);
    struct seen_charger *c = e->kind == EVENT_CHARGER ? charger_take(a, e->charger) : NULL;
    int d = driver_index(a, e->driver);
    switch ((enum event_kind)e->kind) {
    case EVENT_CONNECTOR:
        if (k)
            k->status = e->status;
        break;
    case EVENT_CHARGER:
        if (c)
            c->online = e->status != 0;
        break;
    case EVENT_ORDER:
        event_order(a, e);
        break;
    case EVENT_SHARE:
        event_share(a, e);
        break;
    case EVENT_PAYMENT:
        event_payment(a, e);
        break;
    case EVENT_PAYOUT:
        event_payout(a, e);
        break;
    case EVENT_WALLET:
        if (d >= 0) {
            a->wallet_dirty[d] = true;
            a->wallet_said[d] = e->amount + e->gift;
            a->held_said[d] = e->cap + e->gift_held;
            a->gift_said[d] = e->gift;
            a->gift_held_said[d] = e->gift_held;
        }
        break;
    default:
        break;
    }
}

void audit_settle_events(struct audit *a)
{
    for (int i = 0; i < a->waits; i++)
        event_take(a, &a->wait[i]);
    a->waits = 0;
    audit_debt_learn(a);
}

void audit_event(struct audit *a, const struct out_event *e, uint64_t cause)
{
    if (a->waits == AUDIT_WAITS || (a->waits && a->waits_cause != cause))
        audit_settle_events(a);
    a->waits_cause = cause;
    a->wait[a->waits++] = *e;
}

void audit_settled(struct audit *a)
{
    audit_settle_events(a);
    for (int i = 0; i < AUDIT_DRIVERS; i++) {
        if (!a->wallet_dirty[i])
            continue;
        int64_t balance = audit_balance(a, a->driver[i]), held = audit_held(a, a->driver[i]);
        a->wallet_dirty[i] = false;
        balance += a->debt[i];
        if (a->wallet_said[i] != balance || a->held_said[i] != held)
            audit_differ(a, "wallet of driver %d: said %lld, %lld held; expected %lld, %lld", i,
                         (long long)a->wallet_said[i], (long long)a->held_said[i],
                         (long long)balance, (long long)held);
    }
}
