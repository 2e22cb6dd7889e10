// SPDX-License-Identifier: Apache-2.0
/* party_account.c: sub-accounts of parties at an allocation rail (划拨). Staff, or the party itself,
 * ask; the provider checks the identity and opens the account or refuses; payouts of the party over
 * that rail go to its number then. At a channel that pays shares out of payments (sharing.c) it is
 * the receiver that the provider must know first: there the number is the receiver's own, and only
 * staff ask (web/h_account.c).
 *
 *  state     leaves by
 *  WAITS     another person agrees → ASKED, or refuses → REFUSED; whoever asked drops it → CLOSED
 *  ASKED     the provider looks at it → CHECKING; it is done with it → OPEN, REFUSED, CLOSED;
 *            it never heard of it → asked again under the same number
 *  CHECKING  as ASKED
 *  OPEN      the provider says that it is closed, or that it was never good → CLOSED
 *  REFUSED, CLOSED   the provider opened it after all → OPEN, unless it was asked for again since;
 *            whoever wants one asks again: a row, and a number, of its own
 *
 * The account must be the party's own: in the name that it is registered with (its name, or the payee's
 * that staff entered), and for a person under the certificate number that is known of him. Staff may
 * open one in another name, for names are written in many ways; then nothing is asked of the provider
 * until another person agrees. So it is with a name that they changed a moment ago (payout_look.c). A
 * party that asks by itself is refused, and so is an API key, whose maker might agree with it.
 *
 * A notice is a reason to ask and no proof. Certificate number and bank account are sealed texts that
 * only the worker can open; they are gone from the row as soon as the provider has decided.
 *
 * Invariants: 1. at most one of a party and channel is WAITS, ASKED, CHECKING or OPEN by our doing; 2. an
 * account that is OPEN has a number; 3. what is ASKED or CHECKING has its timer set.
 * The core's thread. */
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

enum { ASK_MS = 5 * 1000, ASK_MOST_MS = 10 * 60 * 1000, KEY_SIZE = 48 };

static struct str account_key(int64_t party, int64_t channel, char out[KEY_SIZE])
{
    int n = snprintf(out, KEY_SIZE, "%" PRId64 ":%" PRId64, party, channel);
    return str_from(out, (size_t)n);
}

struct party_account *party_account_of(const struct core *c, int64_t party, int64_t channel)
{
    char key[KEY_SIZE];
    uint64_t at;
    if (!strmap_get(&c->purse->account_keys, account_key(party, channel, key), &at))
        return NULL;
    return (struct party_account *)(uintptr_t)at;
}

int party_account_ready(struct core *c, struct party_account *a)
{
    char key[KEY_SIZE];
    const struct party_account *last = party_account_of(c, a->row.party, a->row.channel);
    a->timer.kind = PURSE_ACCOUNT;
    if (last && last->row.id > a->row.id)
        return 0;
    return strmap_put(&c->purse->account_keys, account_key(a->row.party, a->row.channel, key),
                      (uint64_t)(uintptr_t)a);
}

int party_account_payee(const struct core *c, const struct row_party *party,
                        const struct row_channel *ch, const char **payee, const char **name)
{
    const struct party_account *a =
        ch->kind == CHANNEL_RAIL ? party_account_of(c, party->id, ch->id) : NULL;
    *payee = a ? a->row.number : party->payee;
    *name = a ? a->row.name : party->payee_name;
    if (a)
        return a->row.state == PARTY_ACCOUNT_OPEN ? 0 : ERR_ACCOUNT;
    return party->verified && party->payee[0] ? 0 : ERR_DENIED;
}

/* ---- asking ---- */

static bool decided(const struct party_account *a)
{
    return a->row.state >= PARTY_ACCOUNT_OPEN && a->row.state != PARTY_ACCOUNT_WAITS;
}

static bool waits(const struct party_account *a)
{
    return a->row.state == PARTY_ACCOUNT_WAITS;
}

static void account_ask(struct core *c, const struct party_account *a, bool query)
{
    const struct channel *ch = channel_find(c, a->row.channel);
    if (!ch)
        return; /* nobody to ask */
    struct out_pay *ask = purse_ask(c, ch, query ? PAY_ACCOUNT_QUERY : PAY_ACCOUNT_OPEN, a->row.id);
    struct pay_open *o = &ask->u.open;
    o->payee_kind = a->row.payee_kind;
    (void)str_copy(o->name, sizeof o->name, str_from_c(a->row.name));
    (void)str_copy(o->id_no, sizeof o->id_no, str_from_c(a->row.id_no));
    (void)str_copy(o->bank, sizeof o->bank, str_from_c(a->row.bank));
    if (ch->row.kind != CHANNEL_RAIL)
        (void)str_copy(o->account, sizeof o->account, str_from_c(a->row.number));
}

static void account_begin(struct core *c, struct party_account *a)
{
    account_ask(c, a, false);
    purse_timer(c, &a->timer, c->now + ASK_MS);
}

void party_account_fire(struct core *c, struct party_account *a)
{
    int64_t wait = ASK_MS << (a->row.tries < 8 ? a->row.tries : 8);
    a->row.tries++;
    obj_dirty(c, &a->o);
    account_ask(c, a, true);
    purse_timer(c, &a->timer, c->now + (wait < ASK_MOST_MS ? wait : ASK_MOST_MS));
}

void party_accounts_restart(struct core *c)
{
    const struct slab *s = &c->dir[ROW_PARTY_ACCOUNT].slab;
    for (uint32_t i = 0; i < s->len; i++) {
        struct party_account *a = slab_at(s, i);
        if (a && !decided(a) && !waits(a))
            purse_timer(c, &a->timer, c->now);
    }
}

/* Alipay's receivers are told by their user id: by a log-in name, what it says of a share could not be
 * told from another's. */
static bool receiver_ok(const struct channel *ch, const char *account)
{
    size_t n = strlen(account);
    return ch->row.kind != CHANNEL_ALIPAY ||
           (n == 16 && strspn(account, "0123456789") == n && strncmp(account, "2088", 4) == 0);
}

/* Its own, as far as the party's row tells. Of numbers the core sees the end only: the web front has
 * compared the rest. */
static bool own_name(const struct row_party *party, const struct cmd_party_account *in)
{
    const char *cert = party->payee_cert;
    size_t n = strlen(cert), tail = strlen(in->id_tail);
    bool named = strcmp(in->name, party->name) == 0 ||
                 (party->payee_name[0] && strcmp(in->name, party->payee_name) == 0);
    bool numbered =
        !n || !tail ||
        (n >= tail && str_eq_nocase(str_from_c(cert + n - tail), str_from_c(in->id_tail)));
    return named && numbered && !in->other;
}

/* In another name, or in one that staff entered a moment ago. */
static bool name_doubtful(const struct core *c, const struct cmd *cmd,
                          const struct row_party *party)
{
    bool staff = cmd->head.role != ROLE_PARTNER;
    return !own_name(party, &cmd->u.party_account) ||
           (staff && payee_new(c, party->tenant, party->named_ms));
}

static int ask_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_party_account *in = &cmd->u.party_account;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    const struct party *party = dir_find(c, ROW_PARTY, in->party);
    const struct channel *ch = channel_find(c, in->channel);
    if (!t || !party || !ch || party->row.tenant != t->row.id || ch->row.tenant != t->row.id ||
        cmd->head.station)
        return ERR_NOT_FOUND;
    if (ch->row.kind == CHANNEL_BANK)
        return ERR_UNSUPPORTED;
    if (party->row.state != ROW_ACTIVE || ch->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    bool rail = ch->row.kind == CHANNEL_RAIL;
    if (!in->name[0] || (rail && (!in->id_no[0] || !in->bank[0])) || (!rail && !in->account[0]))
        return ERR_REQUIRED;
    if ((in->payee_kind != PAYEE_COMPANY && in->payee_kind != PAYEE_PERSON) ||
        !receiver_ok(ch, in->account))
        return ERR_RANGE;
    const struct party_account *last = party_account_of(c, in->party, in->channel);
    if (last && (last->row.state <= PARTY_ACCOUNT_OPEN || waits(last)))
        return ERR_CONFLICT;
    bool alone = cmd->head.role == ROLE_PARTNER || cmd->head.actor_kind != ACTOR_PERSON;
    if (alone && name_doubtful(c, cmd, &party->row))
        return ERR_PAYEE_NAME;
    return dir_full(c, ROW_PARTY_ACCOUNT) ? ERR_FULL : 0;
}

int party_account_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_party_account *in = &cmd->u.party_account;
    int rc = ask_check(c, cmd);
    if (rc)
        return rc;
    const struct party *party = dir_find(c, ROW_PARTY, in->party);
    bool other = name_doubtful(c, cmd, &party->row);
    const struct row_party_account row = {.id = core_id(c),
                                          .tenant = cmd->head.tenant,
                                          .party = in->party,
                                          .channel = in->channel,
                                          .state =
                                              other ? PARTY_ACCOUNT_WAITS : PARTY_ACCOUNT_ASKED,
                                          .other = other,
                                          .payee_kind = in->payee_kind,
                                          .name = in->name,
                                          .id_no = in->id_no,
                                          .bank = in->bank,
                                          .id_tail = in->id_tail,
                                          .bank_tail = in->bank_tail,
                                          .number = in->account,
                                          .reason = "",
                                          .asked_kind = cmd->head.actor_kind,
                                          .asked_by = cmd->head.actor,
                                          .asked_ms = c->now,
                                          .version = 1};
    struct party_account *a = dir_add(c, ROW_PARTY_ACCOUNT, &row);
    must(a);
    must(party_account_ready(c, a) == 0); /* as many keys as accounts */
    obj_dirty(c, &a->o);
    if (!other)
        account_begin(c, a);
    c->made_id = a->row.id;
    c->made_version = 1;
    return 0;
}

/* ---- answers ---- */

static void account_state(struct core *c, struct party_account *a, enum party_account_state s,
                          int err)
{
    static const char *const action[] = {
        [PARTY_ACCOUNT_ASKED] = "account.asked",   [PARTY_ACCOUNT_CHECKING] = "account.checking",
        [PARTY_ACCOUNT_OPEN] = "account.open",     [PARTY_ACCOUNT_REFUSED] = "account.refused",
        [PARTY_ACCOUNT_CLOSED] = "account.closed", [PARTY_ACCOUNT_WAITS] = "account.waits",
    };
    a->row.state = (int32_t)s;
    a->row.version++;
    obj_dirty(c, &a->o);
    audit_put(c, a->row.tenant, action[s], a->row.id, "", err);
    if (!decided(a))
        return;
    a->row.done_ms = c->now;
    a->row.err = err;
    (void)obj_text(c, &a->o, &a->row.id_no, "");
    (void)obj_text(c, &a->o, &a->row.bank, "");
    heap_cancel(&c->timers, &a->timer);
}

/* Under which number it is paid, the provider says once. */
static void account_opened(struct core *c, struct party_account *a, const char *number)
{
    bool open = a->row.state == PARTY_ACCOUNT_OPEN;
    bool last = party_account_of(c, a->row.party, a->row.channel) == a;
    if (open && strcmp(number, a->row.number) == 0)
        return;
    if (open || !last) {
        audit_put(c, a->row.tenant, "account.contradicts", a->row.id, "", ERR_CONFLICT);
        return;
    }
    (void)obj_text(c, &a->o, &a->row.number, number);
    (void)obj_text(c, &a->o, &a->row.reason, "");
    account_state(c, a, PARTY_ACCOUNT_OPEN, 0);
}

/* An account that was open and is called refused now takes no money either: it counts as closed. */
static void account_ended(struct core *c, struct party_account *a, bool refused, const char *reason)
{
    bool open = a->row.state == PARTY_ACCOUNT_OPEN;
    char text[201];
    if (decided(a) && !open)
        return;
    (void)str_copy(text, sizeof text, str_from_c(reason));
    (void)obj_text(c, &a->o, &a->row.reason, text);
    account_state(c, a, refused && !open ? PARTY_ACCOUNT_REFUSED : PARTY_ACCOUNT_CLOSED,
                  refused ? open ? ERR_CONFLICT : ERR_PROVIDER : ERR_CLOSED);
}

/* The provider has not heard of it. */
static void account_lost(struct core *c, struct party_account *a)
{
    if (decided(a)) {
        audit_put(c, a->row.tenant, "account.contradicts", a->row.id, "", ERR_NOT_FOUND);
        return;
    }
    if (a->row.state == PARTY_ACCOUNT_CHECKING)
        account_state(c, a, PARTY_ACCOUNT_ASKED, ERR_NOT_FOUND);
    account_ask(c, a, false);
}

int party_account_result(struct core *c, struct party_account *a, const struct cmd_pay_result *in)
{
    if (a->row.channel != in->channel)
        return ERR_NOT_FOUND;
    if (waits(a) || (decided(a) && a->row.err == ERR_DENIED))
        return 0; /* nobody was asked for it */
    if (in->op == PAY_NOTICE) {
        account_ask(c, a, true);
        return 0;
    }
    if (!decided(a) && a->row.err != in->err) {
        a->row.err = in->err;
        obj_dirty(c, &a->o);
    }
    if (in->state == PAY_DONE && in->provider_no[0])
        account_opened(c, a, in->provider_no);
    else if (in->state == PAY_FAILED || in->state == PAY_CLOSED)
        account_ended(c, a, in->state == PAY_FAILED, in->url);
    else if (in->state == PAY_PENDING && a->row.state == PARTY_ACCOUNT_ASKED)
        account_state(c, a, PARTY_ACCOUNT_CHECKING, 0);
    else if (in->state == PAY_UNKNOWN && in->err == ERR_NOT_FOUND)
        account_lost(c, a);
    return 0;
}

/* ---- a second person ---- */

int party_account_decide(struct core *c, const struct cmd *cmd)
{
    const struct cmd_party_account_decide *in = &cmd->u.party_account_decide;
    struct party_account *a = dir_find(c, ROW_PARTY_ACCOUNT, in->account);
    if (!a || a->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (in->act < ACCOUNT_ACT_APPROVE || in->act > ACCOUNT_ACT_CANCEL)
        return ERR_RANGE;
    if (!waits(a))
        return ERR_CONFLICT;
    bool mine = a->row.asked_by == cmd->head.actor;
    bool may = second_may(c, cmd, a->row.asked_kind, a->row.asked_by);
    if (mine != (in->act == ACCOUNT_ACT_CANCEL) || (in->act == ACCOUNT_ACT_APPROVE && !may))
        return ERR_SECOND;
    if (!mine)
        a->row.checked_by = cmd->head.actor;
    if (in->act == ACCOUNT_ACT_APPROVE) {
        account_state(c, a, PARTY_ACCOUNT_ASKED, 0);
        account_begin(c, a);
    } else {
        account_state(c, a, mine ? PARTY_ACCOUNT_CLOSED : PARTY_ACCOUNT_REFUSED, ERR_DENIED);
    }
    c->made_id = a->row.id;
    c->made_version = a->row.version;
    return 0;
}
