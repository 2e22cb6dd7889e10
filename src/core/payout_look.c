// SPDX-License-Identifier: Apache-2.0
/* payout_look.c: which payouts a second person must look at before they go, and which may not go any more.
 *
 *   amount    above the tenant's payout_check, as far as it counts (second.c)
 *   day       of a party: what it asked for in the local day comes to more than that, with this one, so
 *             that nobody goes below the limit by asking in parts. What came back counts no more
 *   payee     its sub-account was opened, or the payee that staff entered was changed or verified, since
 *             fewer hours than the tenant's payee_hold_h: whoever turns money to another place needs
 *             somebody else who lets it go, or these hours, in which it is seen
 *   by hand   principal to an account that somebody typed in
 *   paper     a company's share whose invoice is not there
 *
 * Between the asking, the approval and a bank's file days go by. So whoever approves, and whoever makes a
 * file, sees whether the money may still go there: the payee's sub-account may have been closed, the party
 * disabled, its payee found wrong, the driver frozen. What another place would get today goes to none.
 *
 * A day is never an earlier one than the last (a zone may be changed for one further west); a payout
 * keeps the day that it counts in, so it is taken out of no other. Invariant: asked_sum of a party = Σ
 * amount of its payouts with that asked_day that did not come to nothing; `even check` counts again.
 * The core's thread. */
#include "core/purse.h"

#define HOUR_MS INT64_C(3600000)

static struct party *party_of(const struct core *c, const struct payout *p)
{
    return p->row.kind == PAYOUT_SHARE ? dir_find(c, ROW_PARTY, p->row.party) : NULL;
}

static int32_t day_of(const struct core *c, const struct party *party)
{
    struct civil d;
    zone_civil(tenant_find(c, party->row.tenant)->zone, c->now, &d);
    int32_t day = d.year * 10000 + d.month * 100 + d.day;
    return day > party->row.asked_day ? day : party->row.asked_day;
}

void payout_day_add(struct core *c, struct payout *p)
{
    struct party *party = party_of(c, p);
    if (!party)
        return;
    int32_t day = day_of(c, party);
    if (party->row.asked_day != day)
        party->row.asked_sum = 0;
    party->row.asked_day = p->row.asked_day = day;
    party->row.asked_sum += p->row.amount;
    obj_dirty(c, &party->o);
}

void payout_day_back(struct core *c, const struct payout *p)
{
    struct party *party = party_of(c, p);
    if (!party || !p->row.asked_day || party->row.asked_day != p->row.asked_day)
        return;
    party->row.asked_sum -= p->row.amount;
    obj_dirty(c, &party->o);
}

/* When the place that this money goes to was opened or changed last. */
static int64_t payee_since(const struct core *c, const struct payout *p, const struct party *party)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    const struct party_account *a =
        ch && ch->row.kind == CHANNEL_RAIL ? party_account_of(c, p->row.party, ch->row.id) : NULL;
    return a ? a->row.done_ms : party->row.payee_ms;
}

bool payee_new(const struct core *c, int64_t tenant, int64_t since_ms)
{
    return since_ms && c->now - since_ms < second_hours(c, tenant) * HOUR_MS;
}

bool payout_alone(const struct core *c, const struct payout *p, bool by_hand)
{
    const struct party *party = party_of(c, p);
    int64_t most = second_most(c, p->row.tenant);
    if (p->row.amount > most || by_hand || paper_missing(c, p))
        return false;
    return !party ||
           (party->row.asked_sum <= most && !payee_new(c, p->row.tenant, payee_since(c, p, party)));
}

/* A closed account has nothing on its way (closing.c), but whose it was is known no more. */
static bool driver_stopped(const struct core *c, const struct payout *p)
{
    const struct driver *d = p->row.driver ? driver_find(c, p->row.driver) : NULL;
    return d && (d->row.frozen || d->row.state == ROW_DELETED);
}

int payout_stopped(const struct core *c, const struct payout *p)
{
    const struct channel *ch = channel_find(c, p->row.channel);
    const struct party *party = party_of(c, p);
    const char *payee, *name;
    if (driver_stopped(c, p))
        return ERR_DISABLED;
    if (!party || !ch)
        return 0;
    if (party->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    int rc = party_account_payee(c, &party->row, &ch->row, &payee, &name);
    bool same = !rc && strcmp(payee, p->row.payee) == 0 && strcmp(name, p->row.payee_name) == 0;
    return same ? 0 : ERR_ACCOUNT;
}

void payee_note(const struct core *c, struct row_party *r, const struct row_party *old)
{
    bool same = old ? strcmp(r->payee, old->payee) == 0 &&
                          strcmp(r->payee_name, old->payee_name) == 0 &&
                          r->verified <= old->verified && r->payee_kind == old->payee_kind
                    : !r->payee[0] && !r->verified;
    bool named =
        !old || (strcmp(r->name, old->name) == 0 && strcmp(r->payee_name, old->payee_name) == 0 &&
                 strcmp(r->payee_cert, old->payee_cert) == 0);
    r->named_ms = !named ? c->now : old ? old->named_ms : 0;
    r->payee_ms = !same ? c->now : old ? old->payee_ms : 0;
    r->asked_day = old ? old->asked_day : 0;
    r->asked_sum = old ? old->asked_sum : 0;
}
