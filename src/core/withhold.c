// SPDX-License-Identifier: Apache-2.0
/* withhold.c: tax of payouts to persons, and what a channel lets through; see withhold.h.
 *
 * What a person was approved in the running month stands in his party's row (tax_month, tax_sum,
 * tax_held), so a payout is judged without its earlier ones being in memory; what a month comes to for the
 * office stands in tax_month. A payout keeps what it was counted with (tax_rule, tax_base, tax_had), and
 * `even check` counts it again from the other payouts. One that comes back after its month leaves the
 * running month alone.
 *
 * A channel's limits (scene limits of a merchant transfer: for one transfer, for a payee and day, the
 * name that must be told from some amount on) are numbers that the operator copies from his
 * provider's approval; days are China's.
 *
 * The core's thread. Fails by result codes before anything changed; after withhold_check nothing
 * fails. */
#include "core/withhold.h"
#include "core/purse.h"
#include "core/recon.h"

enum { MONTH_FIRST = 200001, MONTH_LAST = 299912 };

void withhold_keep(struct row_party *row, const struct row_party *old)
{
    row->tax_month = old ? old->tax_month : 0;
    row->tax_sum = old ? old->tax_sum : 0;
    row->tax_held = old ? old->tax_held : 0;
    row->sent_day = old ? old->sent_day : 0;
    row->sent_sum = old ? old->sent_sum : 0;
}

/* The rule for a payout to this party now: NULL when none is withheld. */
static const struct withhold_rule *rule_for(const struct core *c, const struct party *party)
{
    const struct withhold_rule *r = withhold_in_force(c, party->row.tenant, c->now);
    return r && r->n && party->row.kind != PARTY_PLATFORM ? r : NULL;
}

/* The month that counts now; never an earlier one, for a zone may be changed for one further west. */
static int32_t month_of(const struct core *c, const struct party *party)
{
    int32_t month = zone_month(tenant_find(c, party->row.tenant)->zone, c->now);
    return month > party->row.tax_month ? month : party->row.tax_month;
}

static struct tax_month *month_find(const struct core *c, int64_t tenant, int32_t month)
{
    char key[DIR_KEY_SIZE];
    dir_key(ROW_TAX_MONTH, &(struct row_tax_month){.tenant = tenant, .month = month}, key);
    return dir_find_key(c, ROW_TAX_MONTH, key);
}

/* A month of the party that is over counts no more. */
static int64_t of_month(const struct party *party, int32_t month, int64_t v)
{
    return party->row.tax_month == month ? v : 0;
}

static int64_t tax_next(const struct core *c, const struct withhold_rule *r,
                        const struct party *party, int64_t amount, int64_t fee)
{
    int32_t month = month_of(c, party);
    return withhold_of(r, of_month(party, month, party->row.tax_sum),
                       of_month(party, month, party->row.tax_held), amount, fee);
}

/* Room for what tax of a payout to this party needs. */
static int tax_room(struct core *c, const struct party *party, const char *currency)
{
    int64_t room;
    if (dir_full(c, ROW_TAX_MONTH) && !month_find(c, party->row.tenant, month_of(c, party)))
        return ERR_FULL;
    return account_open(c, party->row.tenant, ACCOUNT_TAX, 0, currency, &room);
}

/* Is it known whether he is a person? A sub-account that is somebody else's kind says that it is not: a
 * person could be paid as the company that the party was entered as. */
static bool kind_known(const struct core *c, const struct party *party, int64_t channel)
{
    const struct channel *ch = channel_find(c, channel);
    const struct party_account *a =
        ch && ch->row.kind == CHANNEL_RAIL ? party_account_of(c, party->row.id, channel) : NULL;
    bool same = !a || a->row.payee_kind == party->row.payee_kind;
    return party->row.payee_kind != PAYEE_UNKNOWN && same;
}

/* ---- asked for ---- */

static int limits_check(const struct core *c, const struct party *party, const struct channel *ch,
                        int64_t amount)
{
    int64_t today = party->row.sent_day == recon_day_of(c->now) ? party->row.sent_sum : 0;
    if ((ch->row.most && amount > ch->row.most) ||
        (ch->row.day_most && amount > ch->row.day_most - today))
        return ERR_TRANSFER_LIMIT;
    bool named = ch->row.named_from && amount >= ch->row.named_from;
    return named && !party->row.payee_name[0] ? ERR_REQUIRED : 0;
}

int withhold_ask_check(struct core *c, const struct cmd *cmd)
{
    const struct cmd_payout_new *in = &cmd->u.payout_new;
    const struct party *party = dir_find(c, ROW_PARTY, in->party);
    const struct tenant *t = tenant_find(c, party->row.tenant);
    const struct withhold_rule *r = rule_for(c, party);
    int64_t tax = 0;
    if (r && !kind_known(c, party, in->channel))
        return ERR_PAYEE_KIND;
    if (r && party->row.payee_kind == PAYEE_PERSON)
        tax = tax_next(c, r, party, in->amount, t->row.payout_fee);
    int rc = limits_check(c, party, channel_find(c, in->channel), in->amount - t->row.payout_fee);
    return rc || !tax ? rc : tax_room(c, party, t->row.currency);
}

void withhold_asked(struct core *c, const struct payout *p)
{
    struct party *party = p->row.kind == PAYOUT_SHARE ? dir_find(c, ROW_PARTY, p->row.party) : NULL;
    int32_t day = recon_day_of(c->now);
    if (!party)
        return;
    party->row.sent_sum = party->row.sent_day == day ? party->row.sent_sum : 0;
    party->row.sent_day = day;
    party->row.sent_sum += p->row.amount - p->row.fee;
    obj_dirty(c, &party->o);
}

/* ---- approved ---- */

int withhold_check(struct core *c, const struct payout *p)
{
    const struct party *party =
        p->row.kind == PAYOUT_SHARE ? dir_find(c, ROW_PARTY, p->row.party) : NULL;
    const struct withhold_rule *r = party ? rule_for(c, party) : NULL;
    if (r && !kind_known(c, party, p->row.channel))
        return ERR_PAYEE_KIND;
    if (!r || party->row.payee_kind == PAYEE_COMPANY)
        return 0;
    return tax_room(c, party, p->row.currency);
}

/* transit → tax account. */
static void tax_post(struct core *c, struct payout *p)
{
    const struct row_payout *r = &p->row;
    struct ledger_request q;
    purse_request(c, &q, r->tenant, TRANSFER_WITHHELD, r->currency);
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_TRANSIT, r->party, r->currency), -r->tax,
              r->party);
    purse_leg(&q, purse_account(c, r->tenant, ACCOUNT_TAX, 0, r->currency), r->tax, r->party);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* less than the amount, which is in transit */
    p->row.withheld = ctx.id;
}

static void month_add(struct core *c, const struct payout *p, int64_t tax)
{
    struct tax_month *m = month_find(c, p->row.tenant, p->row.tax_month);
    if (!m) {
        const struct row_tax_month row = {.id = core_id(c),
                                          .tenant = p->row.tenant,
                                          .month = p->row.tax_month,
                                          .currency = p->row.currency};
        m = dir_add(c, ROW_TAX_MONTH, &row);
        must(m); /* there is room: withhold_check */
    }
    m->row.withheld += tax;
    obj_dirty(c, &m->o);
}

void withhold_take(struct core *c, struct payout *p)
{
    struct party *party = p->row.kind == PAYOUT_SHARE ? dir_find(c, ROW_PARTY, p->row.party) : NULL;
    const struct withhold_rule *r = party ? rule_for(c, party) : NULL;
    if (!r || party->row.payee_kind != PAYEE_PERSON)
        return;
    int32_t month = month_of(c, party);
    p->row.tax_at = core_id(c);
    p->row.tax = tax_next(c, r, party, p->row.amount, p->row.fee);
    p->row.tax_rule = r->row.id;
    p->row.tax_month = month;
    p->row.tax_had = of_month(party, month, party->row.tax_held);
    p->row.tax_base = of_month(party, month, party->row.tax_sum) + p->row.amount;
    party->row.tax_month = month;
    party->row.tax_sum = p->row.tax_base;
    party->row.tax_held = p->row.tax_had + p->row.tax;
    obj_dirty(c, &party->o);
    obj_dirty(c, &p->o);
    if (!p->row.tax)
        return;
    tax_post(c, p);
    month_add(c, p, p->row.tax);
}

/* The posting is payout.c's: from_transit takes the tax back with the rest. */
void withhold_undo(struct core *c, struct payout *p)
{
    struct party *party = p->row.kind == PAYOUT_SHARE ? dir_find(c, ROW_PARTY, p->row.party) : NULL;
    if (!party)
        return;
    if (party->row.sent_day == recon_day_of(p->row.created_ms))
        party->row.sent_sum -= p->row.amount - p->row.fee;
    if (p->row.tax_rule && party->row.tax_month == p->row.tax_month) {
        party->row.tax_sum -= p->row.amount;
        party->row.tax_held -= p->row.tax;
    }
    obj_dirty(c, &party->o);
    if (p->row.tax)
        month_add(c, p, -p->row.tax);
}

/* ---- to the office ---- */

static int paid_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_tax_paid *in = &cmd->u.tax_paid;
    const struct channel *bank = in->bank ? channel_find(c, in->bank) : NULL;
    char key[DIR_KEY_SIZE];
    if (!tenant_find(c, cmd->head.tenant) || cmd->head.station)
        return ERR_NOT_FOUND;
    if (in->bank &&
        (!bank || bank->row.tenant != cmd->head.tenant || bank->row.kind != CHANNEL_BANK))
        return ERR_NOT_FOUND;
    if (!in->number[0])
        return ERR_REQUIRED;
    if (in->month < MONTH_FIRST || in->month > MONTH_LAST || in->month % 100 < 1 ||
        in->month % 100 > 12)
        return ERR_RANGE;
    dir_key(ROW_TAX_PAID, &(struct row_tax_paid){.tenant = cmd->head.tenant, .number = in->number},
            key);
    if (dir_find_key(c, ROW_TAX_PAID, key))
        return ERR_CONFLICT; /* noted already */
    const struct tax_month *m = month_find(c, cmd->head.tenant, in->month);
    if (!m)
        return ERR_NOT_FOUND;
    if (in->amount < MONEY_FEN || in->amount % MONEY_FEN ||
        in->amount > m->row.withheld - m->row.paid)
        return ERR_RANGE;
    return dir_full(c, ROW_TAX_PAID) ? ERR_FULL : 0;
}

static int64_t paid_post(struct core *c, const struct cmd *cmd, const char *currency)
{
    const struct cmd_tax_paid *in = &cmd->u.tax_paid;
    struct ledger_request q;
    int64_t tenant = cmd->head.tenant;
    purse_request(c, &q, tenant, TRANSFER_TAX_PAID, currency);
    q.note = in->number;
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_TAX, 0, currency), -in->amount, 0);
    purse_leg(&q,
              purse_account(c, tenant, in->bank ? ACCOUNT_BANK : ACCOUNT_CASH, in->bank, currency),
              in->amount, 0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* signed accounts */
    return ctx.id;
}

int withhold_paid(struct core *c, const struct cmd *cmd)
{
    const struct cmd_tax_paid *in = &cmd->u.tax_paid;
    int64_t room;
    int rc = paid_check(c, cmd);
    const char *currency = rc ? "" : tenant_find(c, cmd->head.tenant)->row.currency;
    if (!rc)
        rc = account_open(c, cmd->head.tenant, in->bank ? ACCOUNT_BANK : ACCOUNT_CASH, in->bank,
                          currency, &room);
    if (rc)
        return rc;
    struct row_tax_paid r = {.id = core_id(c),
                             .tenant = cmd->head.tenant,
                             .month = in->month,
                             .bank = in->bank,
                             .currency = currency,
                             .amount = in->amount,
                             .number = in->number,
                             .note = in->note,
                             .transfer = paid_post(c, cmd, currency),
                             .made_ms = c->now,
                             .made_by = cmd->head.actor,
                             .version = 1};
    struct tax_month *m = month_find(c, cmd->head.tenant, in->month);
    m->row.paid += in->amount;
    obj_dirty(c, &m->o);
    struct tax_paid *t = dir_add(c, ROW_TAX_PAID, &r);
    must(t);
    obj_dirty(c, &t->o);
    c->made_id = r.id;
    c->made_version = 1;
    return 0;
}
