// SPDX-License-Identifier: Apache-2.0
/* recon_diff.c: differences and what people do about them; see recon.h.
 *
 *  state     leaves by
 *  OPEN      the other side is found in another bill → RESOLVED (or POSTED, where the amounts differ)
 *            a person posts what only we have → POSTED
 *  POSTED    a person says what it is → RESOLVED; above the tenant's limit he asks, and another
 *            person approves or refuses
 *  RESOLVED  final
 *
 *  way          the money on suspense goes to
 *  TO_DRIVER    a driver's wallet, debts first; a lot of its own
 *  TO_PAYMENT   the driver of a payment that counted as closed: it becomes PAID
 *  TO_LOSS      the operator's loss account, either way
 *  TO_FEE       the channel's cost
 *  BY_BANK      the operator's bank account, by the number in the note
 *  REVERSED     nowhere: another difference over the same amount takes it back
 *  TO_PARTY     a party's share, which matures as any other; a negative one is taken from it as a refund
 *               is: what is available, then as its debt. Always asked for by one person and approved by
 *               another, for it may be withdrawn
 *
 * The core's thread. Fails by result codes before anything changed. */
#include "core/recon.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/purse.h"

struct diff *diff_add(struct core *c, struct row_bill_diff *row)
{
    row->id = core_id(c);
    row->made_ms = c->now;
    row->version = 1;
    struct diff *d = dir_add(c, ROW_BILL_DIFF, row);
    if (d)
        obj_dirty(c, &d->o);
    return d;
}

static void diff_changed(struct core *c, struct diff *d)
{
    d->row.version++;
    obj_dirty(c, &d->o);
}

/* ---- postings ---- */

/* A transfer of `amount` to suspense from another account (negative: the other way), which names the
 * difference. */
static int64_t suspense_move(struct core *c, const struct diff *d, int32_t code, int64_t other,
                             int64_t amount, int64_t effective_ms)
{
    struct ledger_request q;
    const struct row_bill_diff *r = &d->row;
    char note[100];
    snprintf(note, sizeof note, "D%" PRId64 " %s", r->id, r->no);
    purse_request(c, &q, r->tenant, code, r->currency);
    q.effective_ms = effective_ms;
    q.note = note;
    purse_leg(&q, other, -amount, 0);
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_SUSPENSE, 0, r->currency), amount, 0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* signed accounts, bounded amounts */
    return ctx.id;
}

static int64_t channel_account(struct core *c, const struct diff *d)
{
    return purse_account(c, d->row.tenant, ACCOUNT_CHANNEL, d->row.channel, d->row.currency);
}

void diff_post(struct core *c, struct diff *d, int64_t amount, int64_t effective_ms)
{
    d->row.suspense = amount;
    d->row.posted_ms = effective_ms;
    d->row.state = DIFF_POSTED;
    d->row.transfer =
        suspense_move(c, d, TRANSFER_SUSPENSE, channel_account(c, d), amount, effective_ms);
    diff_changed(c, d);
}

static void diff_done(struct core *c, struct diff *d, int32_t way, int64_t transfer, int64_t at_ms)
{
    d->row.state = DIFF_RESOLVED;
    d->row.way = way;
    d->row.resolved = transfer;
    d->row.done_ms = at_ms;
    diff_changed(c, d);
}

void diff_pair(struct core *c, struct diff *d, const struct bill_diff_in *in, int32_t day)
{
    int64_t at = recon_day_begin(day) + INT64_C(86400000) - 1, back = 0;
    if (d->row.class == BILL_THEIRS_ONLY) {
        d->row.ours = in->ours;
        d->row.ours_ms = in->ours_ms;
    } else {
        d->row.theirs = in->theirs;
        d->row.theirs_day = day;
        (void)obj_text(c, &d->o, &d->row.provider_no, in->provider_no);
    }
    if (d->row.ours != d->row.theirs) {
        d->row.class = BILL_AMOUNT;
        diff_post(c, d, d->row.theirs - d->row.ours, at);
        return;
    }
    d->row.class = BILL_DAY_CUT;
    if (d->row.state == DIFF_POSTED)
        back =
            suspense_move(c, d, TRANSFER_SUSPENSE_OUT, channel_account(c, d), -d->row.suspense, at);
    diff_done(c, d, DIFF_PAIRED, back, at);
}

/* ---- what is found without a bill ---- */

void recon_payment(struct core *c, const struct payment *p, int64_t paid, int64_t transfer)
{
    char no[24];
    snprintf(no, sizeof no, "P%" PRId64, p->row.id);
    struct row_bill_diff row = {.tenant = p->row.tenant,
                                .channel = p->row.channel,
                                .day = recon_day_of(c->now),
                                .class = BILL_PAYMENT,
                                .kind = 1,
                                .of_row = p->row.id,
                                .no = no,
                                .provider_no = p->row.provider_no,
                                .currency = p->row.currency,
                                .ours = p->row.amount,
                                .theirs = paid,
                                .ours_ms = c->now,
                                .suspense = paid,
                                .state = DIFF_POSTED,
                                .transfer = transfer,
                                .note = "",
                                .posted_ms = c->now};
    if (!diff_add(c, &row))
        audit_put(c, p->row.tenant, "diff.full", p->row.id, no, ERR_FULL);
}

void recon_payout(struct core *c, const struct payout *p, int64_t paid, int64_t transfer)
{
    char no[24];
    int64_t asked = payout_net(p);
    snprintf(no, sizeof no, "W%" PRId64, p->row.id);
    struct row_bill_diff row = {.tenant = p->row.tenant,
                                .channel = p->row.channel,
                                .day = recon_day_of(c->now),
                                .class = BILL_PAYOUT,
                                .kind = 2,
                                .of_row = p->row.id,
                                .no = no,
                                .provider_no = p->row.provider_no,
                                .currency = p->row.currency,
                                .ours = -asked,
                                .theirs = -paid,
                                .ours_ms = c->now,
                                .suspense = asked - paid,
                                .state = DIFF_POSTED,
                                .owner = p->row.checked_by,
                                .transfer = transfer,
                                .note = p->row.note,
                                .posted_ms = c->now};
    must(diff_add(c, &row)); /* payout_decide has seen that there is room */
}

/* ---- ways ---- */

static struct diff *against(const struct core *c, const struct diff *d, int64_t target)
{
    struct diff *o = dir_find(c, ROW_BILL_DIFF, target);
    bool fits = o && o != d && o->row.tenant == d->row.tenant && o->row.state == DIFF_POSTED &&
                !o->row.asked_by && o->row.suspense == -d->row.suspense;
    return fits ? o : NULL;
}

static int payment_check(const struct core *c, const struct diff *d, int64_t target)
{
    const struct payment *p = payment_find(c, target);
    if (!p || p->row.tenant != d->row.tenant)
        return ERR_NOT_FOUND;
    if (p->row.channel != d->row.channel || !d->row.bill || d->row.kind > 2 ||
        (p->row.state != PAYMENT_CLOSED && p->row.state != PAYMENT_FAILED))
        return ERR_CONFLICT;
    return p->row.amount == d->row.suspense ? 0 : ERR_RANGE;
}

/* What only they had is a payment of ours. Paid since: the driver has it, and the next bill pairs the
 * two. Not yet: as that payment alone (TO_PAYMENT) it is credited once, whatever the provider still
 * says of it. */
static bool payment_of_ours(const struct core *c, const struct diff *d)
{
    const struct payment *p =
        d->row.class == BILL_THEIRS_ONLY ? payment_find(c, d->row.of_row) : NULL;
    bool may_be = p && p->row.amount == d->row.suspense && p->row.state != PAYMENT_SUSPENSE;
    return p && p->row.tenant == d->row.tenant && (p->row.state == PAYMENT_PAID || may_be);
}

static int party_check(const struct core *c, const struct diff *d, int64_t target)
{
    const struct party *p = dir_find(c, ROW_PARTY, target);
    if (!p || p->row.tenant != d->row.tenant)
        return ERR_NOT_FOUND;
    if (p->row.kind == PARTY_PLATFORM)
        return ERR_RANGE; /* the operator's own is TO_LOSS */
    if (payment_of_ours(c, d))
        return ERR_CONFLICT; /* the next bill pairs the two */
    return p->row.state == ROW_ACTIVE ? 0 : ERR_DISABLED;
}

static int way_check(const struct core *c, const struct diff *d, int32_t way, int64_t target)
{
    const struct driver *who = way == DIFF_TO_DRIVER ? driver_find(c, target) : NULL;
    const struct channel *bank = way == DIFF_BY_BANK ? channel_find(c, target) : NULL;
    switch ((enum diff_way)way) {
    case DIFF_TO_DRIVER:
        if (!who || who->row.tenant != d->row.tenant)
            return ERR_NOT_FOUND;
        if (who->row.state == ROW_DELETED)
            return ERR_DISABLED; /* nobody opens that wallet again */
        if (payment_of_ours(c, d))
            return ERR_CONFLICT;
        return d->row.suspense > 0 ? 0 : ERR_RANGE;
    case DIFF_TO_PAYMENT:
        return payment_check(c, d, target);
    case DIFF_TO_LOSS:
    case DIFF_TO_FEE:
        return target ? ERR_RANGE : 0;
    case DIFF_BY_BANK:
        return target && (!bank || bank->row.tenant != d->row.tenant ||
                          bank->row.kind != CHANNEL_BANK)
                   ? ERR_NOT_FOUND
                   : 0;
    case DIFF_REVERSED:
        return against(c, d, target) ? 0 : ERR_NOT_FOUND;
    case DIFF_TO_PARTY:
        return party_check(c, d, target);
    case DIFF_PAIRED:
        break;
    }
    return ERR_RANGE;
}

/* The account that takes it, made when missing. */
static int way_account(struct core *c, const struct diff *d, int32_t way, int64_t target,
                       int64_t *id)
{
    static const int32_t kinds[] = {
        [DIFF_TO_DRIVER] = ACCOUNT_WALLET, [DIFF_TO_PAYMENT] = ACCOUNT_WALLET,
        [DIFF_TO_LOSS] = ACCOUNT_OVERRUN,  [DIFF_TO_FEE] = ACCOUNT_CHANNEL_FEE,
        [DIFF_BY_BANK] = ACCOUNT_BANK,     [DIFF_TO_PARTY] = ACCOUNT_PENDING};
    if (way == DIFF_REVERSED)
        return 0;
    if (way == DIFF_TO_PARTY && d->row.suspense < 0) /* what it does not have, it owes */
        return account_open(c, d->row.tenant, ACCOUNT_PARTY_DEBT, target, d->row.currency, id);
    int64_t owner = way == DIFF_TO_FEE       ? d->row.channel
                    : way == DIFF_TO_PAYMENT ? payment_find(c, target)->row.driver
                                             : target;
    return account_open(c, d->row.tenant, kinds[way], owner, d->row.currency, id);
}

/* Money for a driver: as any that comes in, with a lot of its own. */
static int64_t driver_credit(struct core *c, const struct diff *d, int64_t driver)
{
    const struct row_bill_diff *r = &d->row;
    char note[100];
    snprintf(note, sizeof note, "D%" PRId64 " %s", r->id, r->no);
    int64_t from = purse_account(c, r->tenant, ACCOUNT_SUSPENSE, 0, r->currency);
    return payment_credit(c, r->tenant, driver, from, r->currency, r->suspense, note);
}

static void lot_note(struct core *c, const struct diff *d, int64_t driver, int64_t transfer)
{
    (void)payment_note(c, &(struct row_payment){.tenant = d->row.tenant,
                                                .driver = driver,
                                                .method = PAY_METHOD_STAFF,
                                                .currency = d->row.currency,
                                                .amount = d->row.suspense,
                                                .provider_no = d->row.provider_no,
                                                .transfer = transfer});
}

/* A share of no order: it has a part of its own, like what a month's end posts, so that what a party got
 * is always the sum of its parts. */
static int64_t party_give(struct core *c, const struct diff *d, int64_t party)
{
    const struct row_bill_diff *r = &d->row;
    struct ledger_request q;
    struct share_part s = {.party = party};
    char note[100];
    snprintf(note, sizeof note, "D%" PRId64 " %s", r->id, r->no);
    purse_request(c, &q, r->tenant, TRANSFER_SUSPENSE_OUT, r->currency);
    q.note = note;
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_SUSPENSE, 0, r->currency), -r->suspense, 0);
    if (r->suspense > 0)
        s = share_give(c, r->tenant, party, r->suspense, &q);
    else
        share_take(c, party, -r->suspense, NULL, 0, &q);
    if (!s.account)
        s.account = q.leg[q.n - 1].account;
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* suspense is signed, a debt has no floor */
    share_given(c, r->tenant, r->currency, &s);
    share_part_write(c,
                     &(struct row_split_part){.order_id = ctx.id,
                                              .seq = 1,
                                              .tenant = r->tenant,
                                              .transfer = ctx.id,
                                              .party = party,
                                              .account = s.account,
                                              .base = r->suspense,
                                              .ratio = 1,
                                              .ratio_sum = 1,
                                              .amount = r->suspense,
                                              .at_ms = c->now,
                                              .due_ms = s.due_ms},
                     true);
    return ctx.id;
}

static void way_go(struct core *c, struct diff *d, int32_t way, int64_t target, int64_t account)
{
    int64_t moved = 0;
    struct payment *p = way == DIFF_TO_PAYMENT ? payment_find(c, target) : NULL;
    if (way == DIFF_TO_DRIVER) {
        moved = driver_credit(c, d, target);
        lot_note(c, d, target, moved);
    } else if (p) {
        moved = driver_credit(c, d, p->row.driver);
        payment_done(c, p, moved);
        sharing_begin(c, p, NULL); /* its order never began */
    } else if (way == DIFF_TO_PARTY) {
        moved = party_give(c, d, target);
    } else if (way == DIFF_REVERSED) {
        struct diff *o = against(c, d, target);
        o->row.target = d->row.id;
        diff_done(c, o, DIFF_REVERSED, 0, c->now);
    } else {
        moved = suspense_move(c, d, TRANSFER_SUSPENSE_OUT, account, -d->row.suspense, c->now);
    }
    d->row.target = target;
    diff_done(c, d, way, moved, c->now);
}

/* ---- people ---- */

static int owner_set(struct core *c, struct diff *d, int64_t id)
{
    const struct person *p = dir_find(c, ROW_PERSON, id);
    if (!p || p->row.tenant != d->row.tenant || p->row.state != ROW_ACTIVE ||
        (p->row.role != ROLE_ADMIN && p->row.role != ROLE_OPERATOR))
        return ERR_NOT_FOUND;
    if (d->row.state == DIFF_RESOLVED)
        return ERR_CONFLICT;
    d->row.owner = id;
    diff_changed(c, d);
    return 0;
}

static int post_ours(struct core *c, struct diff *d)
{
    int64_t id;
    if (d->row.class != BILL_OURS_ONLY || d->row.state != DIFF_OPEN)
        return ERR_CONFLICT;
    int rc = account_open(c, d->row.tenant, ACCOUNT_SUSPENSE, 0, d->row.currency, &id);
    if (!rc)
        diff_post(c, d, -d->row.ours, c->now);
    return rc;
}

static int resolve(struct core *c, const struct cmd *cmd, struct diff *d)
{
    const struct cmd_diff_decide *in = &cmd->u.diff_decide;
    int64_t account = 0, size = d->row.suspense < 0 ? -d->row.suspense : d->row.suspense;
    if (d->row.state != DIFF_POSTED || d->row.asked_by)
        return ERR_CONFLICT;
    int rc = way_check(c, d, in->way, in->target);
    if (!rc && !in->note[0] &&
        (in->way == DIFF_TO_LOSS || in->way == DIFF_BY_BANK || in->way == DIFF_TO_PARTY))
        rc = ERR_REQUIRED;
    if (!rc)
        rc = way_account(c, d, in->way, in->target, &account);
    bool alone = size <= second_most(c, d->row.tenant) && in->way != DIFF_TO_PARTY;
    if (!rc && !alone && cmd->head.actor_kind != ACTOR_PERSON)
        rc = ERR_DENIED; /* a key is no person: whoever made it might approve */
    if (rc)
        return rc;
    if (!d->row.owner && cmd->head.actor_kind == ACTOR_PERSON)
        d->row.owner = cmd->head.actor;
    if (alone) {
        way_go(c, d, in->way, in->target, account);
        return 0;
    }
    d->row.way = in->way;
    d->row.target = in->target;
    d->row.asked_by = cmd->head.actor;
    diff_changed(c, d);
    return 0;
}

static int approve(struct core *c, const struct cmd *cmd, struct diff *d)
{
    int64_t account = 0;
    if (d->row.state != DIFF_POSTED || !d->row.asked_by)
        return ERR_CONFLICT;
    if (d->row.asked_by == cmd->head.actor)
        return ERR_DENIED;
    if (!second_may(c, cmd, ACTOR_PERSON, d->row.asked_by))
        return ERR_SECOND;
    int rc = way_check(c, d, d->row.way, d->row.target);
    if (!rc)
        rc = way_account(c, d, d->row.way, d->row.target, &account);
    if (rc)
        return rc;
    d->row.checked_by = cmd->head.actor;
    way_go(c, d, d->row.way, d->row.target, account);
    return 0;
}

static int refuse(struct core *c, struct diff *d)
{
    if (d->row.state != DIFF_POSTED || !d->row.asked_by)
        return ERR_CONFLICT;
    d->row.way = 0;
    d->row.target = d->row.asked_by = 0;
    diff_changed(c, d);
    return 0;
}

static int act(struct core *c, const struct cmd *cmd, struct diff *d)
{
    switch ((enum diff_act)cmd->u.diff_decide.act) {
    case DIFF_ACT_ASSIGN:
        return owner_set(c, d, cmd->u.diff_decide.owner);
    case DIFF_ACT_POST:
        return post_ours(c, d);
    case DIFF_ACT_RESOLVE:
        return resolve(c, cmd, d);
    case DIFF_ACT_APPROVE:
        return approve(c, cmd, d);
    case DIFF_ACT_REFUSE:
        return refuse(c, d);
    }
    return ERR_RANGE;
}

int recon_decide(struct core *c, const struct cmd *cmd)
{
    struct diff *d = dir_find(c, ROW_BILL_DIFF, cmd->u.diff_decide.diff);
    if (!d || d->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    int rc = act(c, cmd, d);
    if (rc)
        return rc;
    if (cmd->u.diff_decide.note[0])
        (void)obj_text(c, &d->o, &d->row.note, cmd->u.diff_decide.note);
    c->made_id = d->row.id;
    c->made_version = d->row.version;
    return 0;
}
