// SPDX-License-Identifier: Apache-2.0
/* people_bank.c: payouts by bank: staff, an API key and drivers ask for them,
 * others approve; files are made of all that waits or of some by name, fetched,
 * taken out of; what the bank did is said. Meanwhile parties are disabled or
 * get another payee, and wallets are frozen; see people.h.
 *
 * Nobody lies: "settled" is said of what the bank paid, "failed" of what it
 * will not pay by the file that it stands in, and only that is taken out. Else
 * the bank's list would say what people did wrong, not what the platform did.
 * So a file is fetched, and something paid by hand, only while no request is
 * under way that could cross it. All else that is wrong is asked for: by the
 * wrong person, of another file, twice, late. */
#include "town/people.h"

#include "base/money.h"
#include "base/must.h"
#include "town/vnet.h"
#include <stdio.h>

enum { TELLER = 3, STAFF = 4, NAMED = 3, SAYINGS = 3 };

static int64_t below(struct town *t, int64_t n)
{
    return (int64_t)rng_below(&t->chance[TOPIC_BANK], (uint64_t)n);
}

static bool once_in(struct town *t, int64_t n)
{
    return below(t, n) == 0;
}

/* ---- honesty ---- */

/* A request of these may cross what the bank is told. */
static bool crossing(const struct town *t)
{
    for (int i = 0; i < TOWN_ASKS; i++) {
        const struct ask *k = &t->ask[i];
        if (!k->cmd || k->answered)
            continue;
        int type = k->cmd->head.type;
        if (type == CMD_PAYOUT_NEW || type == CMD_PAYOUT_DECIDE || type == CMD_PAY_FILE_NEW ||
            type == CMD_PAY_FILE_OUT || type == CMD_ROW_PUT || type == CMD_WALLET_FREEZE)
            return true;
    }
    return false;
}

bool people_bank_honest(const struct town *t)
{
    const struct cmd *c = &t->cmd;
    bool out = c->head.type == CMD_PAY_FILE_OUT;
    bool said =
        c->head.type == CMD_PAYOUT_DECIDE && (c->u.payout_decide.act == PAYOUT_ACT_SETTLED ||
                                              c->u.payout_decide.act == PAYOUT_ACT_FAILED);
    if (!t->has[TOPIC_BANK] || !(out || said) || audit_key(&t->audit, c->head.idem_key))
        return true;
    const struct fact *p =
        audit_payout(&t->audit, out ? c->u.pay_file_out.payout : c->u.payout_decide.payout);
    if (!p || p->channel != t->audit.channel)
        return true;
    const struct seen_pay *r = audit_bank_row(&t->audit, p);
    if (said && c->u.payout_decide.act == PAYOUT_ACT_SETTLED)
        return r ? r->bank == BANK_PAID : !p->file && !crossing(t);
    return !r || r->bank == BANK_NOT_TOLD || r->bank == BANK_REFUSED;
}

/* ---- who ---- */

static void as_anybody(struct town *t)
{
    struct cmd_head *h = &t->cmd.head;
    if (once_in(t, 10)) {
        h->actor_kind = ACTOR_API_KEY;
        h->actor = t->audit.bank.key;
    } else {
        h->actor += below(t, STAFF);
    }
}

void people_bank_make(struct town *t)
{
    struct seen_bank *b = &t->audit.bank;
    const struct row_api_key key = {
        .tenant = t->audit.tenant, .name = "books", .key_hash = "00ff", .role = ROLE_ADMIN};
    b->on = true;
    for (int i = 0; i < AUDIT_PARTNERS; i++)
        b->payee[i] = (struct seen_payee){.verified = 1, .version = 1};
    people_row_cmd(t, ROW_API_KEY, &key, true);
    t->cmd.head.actor += CASHIER;
    b->key_by = t->cmd.head.actor;
    b->key = people_made(t);
}

/* ---- which ---- */

static bool is_payout(const struct fact *f)
{
    return f->kind == FACT_PAYOUT || f->kind == FACT_PRINCIPAL;
}

/* One that goes by the bank and stands so, the last ones mostly; state 0: any.
 * For an invoice others care. */
static const struct fact *payout_any(struct town *t, int32_t state)
{
    const struct audit *a = &t->audit;
    const struct fact *p = NULL;
    for (size_t i = 0; i < a->facts; i++)
        if (is_payout(&a->fact[i]) && a->fact[i].channel == a->channel &&
            (!state || a->fact[i].state == state) &&
            (state != PAYOUT_REQUESTED || !audit_tax_paper_lacks(a, &a->fact[i])) &&
            (!p || below(t, 2)))
            p = &a->fact[i];
    return p;
}

static int64_t file_any(struct town *t)
{
    const struct seen_bank *b = &t->audit.bank;
    return b->files ? b->file[below(t, (int64_t)b->files)].id : 77;
}

/* ---- asking for payouts ---- */

/* The driver's own money, back to an account that is typed in; it must be in
 * the wallet still. */
static void act_principal(struct town *t)
{
    const struct audit *a = &t->audit;
    const struct fact *lot = NULL;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAID && a->fact[i].state == PAYMENT_PAID &&
            (!lot || below(t, 2)))
            lot = &a->fact[i];
    struct cmd *c = people_cmd(t, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));
    as_anybody(t);
    if (lot && once_in(t, 4))
        people_as_driver(t, lot->who);
    c->u.payout_new.payment = lot ? lot->id : 77;
    c->u.payout_new.channel = a->channel;
    c->u.payout_new.amount =
        lot ? (1 + below(t, lot->amount / MONEY_FEN / 4 + 2)) * MONEY_FEN : MONEY_FEN;
    (void)str_copy(c->u.payout_new.payee, 121, STR_LIT("6222020200001234567"));
    (void)str_copy(c->u.payout_new.payee_name, 101, STR_LIT("driver"));
    people_ask(t);
}

static void act_share(struct town *t)
{
    const struct audit *a = &t->audit;
    int who = (int)below(t, AUDIT_PARTNERS);
    for (int i = 0;
         i < 2 * AUDIT_PARTNERS && !audit_available(a, a->partner[who].id, vnet_wall_ms()); i++)
        who = (int)below(t, AUDIT_PARTNERS);
    int64_t has = audit_available(a, a->partner[who].id, vnet_wall_ms()) / MONEY_FEN;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));
    as_anybody(t);
    c->u.payout_new.party = a->partner[who].id;
    c->u.payout_new.channel = a->channel;
    c->u.payout_new.amount = (1 + below(t, has / 4 + 1)) * MONEY_FEN;
    people_ask(t);
}

static void act_approve(struct town *t)
{
    const struct fact *p = payout_any(t, PAYOUT_REQUESTED);
    if (!p && !once_in(t, 8)) {
        if (once_in(t, 2))
            act_share(t);
        else
            act_principal(t);
        return;
    }
    struct cmd *c = people_cmd(t, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));
    as_anybody(t);
    c->u.payout_decide.payout = p ? p->id : 77;
    c->u.payout_decide.act = once_in(t, 12) ? PAYOUT_ACT_REFUSE : PAYOUT_ACT_APPROVE;
    people_ask(t);
}

/* ---- files ---- */

/* Some by name, mostly in order, and mostly those that wait. */
static int32_t some_named(struct town *t, int64_t ids[PAY_FILE_MAX])
{
    int32_t n = 0;
    for (int64_t i = 1 + below(t, NAMED); i > 0; i--) {
        const struct fact *p = payout_any(t, once_in(t, 6) ? 0 : PAYOUT_APPROVED);
        int32_t at = n;
        int64_t id = p && !once_in(t, 40) ? p->id : 77;
        bool twice = false;
        for (; at > 0 && ids[at - 1] >= id && !once_in(t, 60); at--) {
            twice |= ids[at - 1] == id;
            ids[at] = ids[at - 1];
        }
        ids[at] = id;
        n++;
        if (twice && !once_in(t, 10)) { /* once is enough */
            memmove(&ids[at], &ids[at + 1], (size_t)(n - at - 1) * sizeof ids[0]);
            n--;
        }
    }
    return n;
}

static void act_new(struct town *t)
{
    struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_PAY_FILE_NEW, CMD_SIZE(pay_file_new));
    struct cmd_pay_file_new *in = &c->u.pay_file_new;
    as_anybody(t);
    in->channel = !once_in(t, 20) ? a->channel : once_in(t, 2) ? a->wechat : 77;
    if (once_in(t, 2))
        in->n = some_named(t, in->payout);
    else
        in->n = audit_bank_waiting(a, !crossing(t), in->payout);
    if (in->n || once_in(t, 8))
        people_ask(t);
    else
        act_approve(t);
}

static void act_fetch(struct town *t)
{
    if (!crossing(t) && t->audit.bank.files)
        audit_bank_fetch(&t->audit, file_any(t));
}

/* Of what it was told, the bank has done some. */
static void act_bank(struct town *t, bool all)
{
    struct seen_bank *b = &t->audit.bank;
    for (size_t i = 0; i < b->pays; i++)
        if (b->pay[i].bank == BANK_TOLD && (all || below(t, 3)))
            audit_bank_pays(&t->audit, &b->pay[i], below(t, 3) != 0);
}

static void say(struct town *t, const struct fact *p, enum payout_act act)
{
    struct cmd *c = people_cmd(t, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));
    struct cmd_payout_decide *in = &c->u.payout_decide;
    as_anybody(t);
    in->payout = p->id;
    in->act = (int32_t)act;
    in->file = once_in(t, 3) ? 0 : once_in(t, 8) ? file_any(t) : p->file;
    if (!once_in(t, 12))
        (void)str_copy(in->bank_no, 65, STR_LIT("B-3"));
    people_ask(t);
}

static void act_out(struct town *t, const struct fact *p)
{
    struct cmd *c = people_cmd(t, CMD_PAY_FILE_OUT, CMD_SIZE(pay_file_out));
    as_anybody(t);
    c->u.pay_file_out.payout = p ? p->id : 77;
    if (!once_in(t, 12))
        (void)str_copy(c->u.pay_file_out.note, 201, STR_LIT("refused"));
    if (people_bank_honest(t))
        people_ask(t);
}

/* What the bank did, or that somebody takes out what it will not pay. */
static void act_say(struct town *t)
{
    const struct fact *p = payout_any(t, once_in(t, 10) ? 0 : PAYOUT_APPROVED);
    const struct seen_pay *r = p ? audit_bank_row(&t->audit, p) : NULL;
    if (once_in(t, 12))
        act_out(t, p);
    else if (!p || (!r && !once_in(t, 4)))
        act_new(t);
    else if (!r)
        say(t, p, once_in(t, 2) ? PAYOUT_ACT_SETTLED : PAYOUT_ACT_FAILED);
    else if (r->bank == BANK_PAID)
        say(t, p, PAYOUT_ACT_SETTLED);
    else if (once_in(t, 2))
        act_out(t, p);
    else
        say(t, p, PAYOUT_ACT_FAILED);
}

/* ---- what changes meanwhile ---- */

static void act_party(struct town *t)
{
    struct row_party row;
    const struct fact *p = payout_any(t, PAYOUT_APPROVED);
    int i = (int)below(t, AUDIT_PARTNERS);
    for (int k = 0; p && k < AUDIT_PARTNERS; k++)
        i = p->who == t->audit.partner[k].id && !once_in(t, 4) ? k : i;
    struct seen_payee to = t->audit.bank.payee[i];
    bool plain = to.state == ROW_ACTIVE && to.verified && !to.place;
    if (plain || once_in(t, 3)) {
        int64_t what = below(t, 4); /* mostly one thing, so that it alone is the reason */
        to.state = what < 2 ? ROW_DISABLED : to.state;
        to.verified = to.verified && what != 2;
        to.place = what == 3 ? (int32_t)below(t, 4) : to.place;
    } else { /* put right */
        to.state = ROW_ACTIVE;
        to.verified = 1;
        to.place = 0;
    }
    to.version -= once_in(t, 12);
    people_partner_row(t, i, &row);
    row.id = t->audit.partner[i].id;
    row.state = to.state;
    row.verified = to.verified;
    row.version = to.version;
    row.payee = to.place & 1 ? "6222020000000001" : row.payee;
    row.payee_name = to.place & 2 ? "Another" : row.payee_name;
    people_row_cmd(t, ROW_PARTY, &row, false);
    char key[65];
    snprintf(key, sizeof key, "%016llx-%u", (unsigned long long)t->seed, t->ref + 1);
    if (audit_bank_wish(&t->audit, key, i, &to))
        people_ask(t);
}

static void act_freeze(struct town *t)
{
    int64_t driver = t->audit.driver[below(t, AUDIT_DRIVERS)];
    const struct fact *p = payout_any(t, PAYOUT_APPROVED);
    if (p && p->kind == FACT_PRINCIPAL && below(t, 3))
        driver = p->who;
    struct cmd *c = people_cmd(t, CMD_WALLET_FREEZE, CMD_SIZE(wallet_freeze));
    c->u.wallet_freeze.driver = driver;
    c->u.wallet_freeze.freeze = audit_bank_frozen(&t->audit, driver) == once_in(t, 8);
    if (!once_in(t, 12))
        (void)str_copy(c->u.wallet_freeze.reason, 201, STR_LIT("asked to"));
    people_ask(t);
}

/* ---- acting ---- */

/* The page says what waits, and no more. */
static void look(struct town *t)
{
    int64_t ids[PAY_FILE_MAX];
    if (once_in(t, 6) && !crossing(t))
        (void)audit_bank_waiting(&t->audit, true, ids);
}

void people_bank_act(struct town *t, bool quiet)
{
    if (!t->server.up)
        return;
    look(t);
    switch (below(t, 17)) {
    case 0:
    case 1:
        act_principal(t);
        break;
    case 2:
    case 3:
        act_share(t);
        break;
    case 4:
    case 5:
    case 6:
        act_approve(t);
        break;
    case 7:
    case 8:
        act_new(t);
        break;
    case 9:
    case 10:
        act_fetch(t);
        break;
    case 11:
        act_bank(t, false);
        break;
    case 12:
        if (quiet)
            act_freeze(t);
        else
            act_party(t);
        break;
    case 13:
        if (once_in(t, 2))
            act_party(t);
        else
            (void)people_repeat(t);
        break;
    default:
        act_say(t);
        break;
    }
}

/* Somebody who did not ask for it says what the bank did, until it is known. */
void people_bank_end(struct town *t)
{
    struct audit *a = &t->audit;
    town_run(t, vnet_now_ms() + 60000);
    act_bank(t, true);
    for (int round = 0; round < SAYINGS; round++) {
        for (size_t i = 0, n = 0; i < a->facts && n < TOWN_ASKS / 2; i++) {
            const struct fact *p = &a->fact[i];
            const struct seen_pay *r = is_payout(p) ? audit_bank_row(a, p) : NULL;
            if (!r || r->bank != BANK_PAID || p->state != PAYOUT_APPROVED)
                continue;
            struct cmd *c = people_cmd(t, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));
            bool by_teller = p->asked_kind == ACTOR_PERSON && p->asked_by == c->head.actor;
            c->head.actor += by_teller ? TELLER : 0;
            c->u.payout_decide.payout = p->id;
            c->u.payout_decide.act = PAYOUT_ACT_SETTLED;
            c->u.payout_decide.file = p->file;
            (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("B-4"));
            people_ask(t);
            n++;
        }
        town_run(t, vnet_now_ms() + 60000);
    }
}
