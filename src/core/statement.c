// SPDX-License-Identifier: Apache-2.0
/* statement.c: statements of parties: what a party had, got and took out in a month. Staff make one for
 * a month that is over; the party confirms it or says what is wrong; staff answer, and the party looks
 * again. Past shares are not in memory, so the web front adds them up on a snapshot; here it is judged
 * whether the sums can be true, and `even check` adds them up again.
 *
 *  state      leaves by
 *  ISSUED     the party confirms → CONFIRMED, disputes → DISPUTED
 *  DISPUTED   staff answer → ISSUED; the party confirms after all → CONFIRMED
 *  CONFIRMED  final
 *
 * Invariants: 1. one statement a party and month; 2. closing = opening + its lines
 * (shares − refunds + corrections + guarantees + rents + suspense − withdrawn − fees − tax), and every
 * movement of the party's accounts is in one of them;
 * 3. it begins and opens where the month before ended and closed, if that has one, whatever the
 * tenant's zone is by now; 4. figures never change: what is
 * refunded later belongs to the month in which it is.
 *
 * The core's thread. Fails by result codes; a statement moves no money. */
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

/* A snapshot of the web front may lag behind what is being committed: by less than this. */
enum { SETTLE_MS = 5 * 60 * 1000, MONTH_FIRST = 200001, MONTH_LAST = 299912 };

#define SUM_MAX (INT64_C(1) << 58) /* all of a statement's together fit */

static int32_t month_before(int32_t month)
{
    return month % 100 == 1 ? month - 89 : month - 1;
}

static const struct statement *statement_of(const struct core *c, int64_t party, int32_t month)
{
    char key[DIR_KEY_SIZE];
    dir_key(ROW_STATEMENT, &(struct row_statement){.party = party, .month = month}, key);
    return dir_find_key(c, ROW_STATEMENT, key);
}

/* Its bounds: those of its neighbours where they have statements, else of the calendar in the zone
 * of today. */
static void bounds_set(const struct core *c, const struct tenant *t, struct row_statement *r)
{
    const struct statement *before = statement_of(c, r->party, month_before(r->month));
    const struct statement *after = statement_of(c, r->party, (int32_t)civil_month_next(r->month));
    r->from_ms = before ? before->row.to_ms : zone_month_begin(t->zone, r->month);
    r->to_ms = after ? after->row.from_ms : zone_month_begin(t->zone, civil_month_next(r->month));
}

/* Its neighbours in time, where they have statements, must meet it. */
static bool neighbours_meet(const struct core *c, const struct row_statement *r)
{
    const struct statement *before = statement_of(c, r->party, month_before(r->month));
    const struct statement *after = statement_of(c, r->party, (int32_t)civil_month_next(r->month));
    return (!before || before->row.closing == r->opening) &&
           (!after || after->row.opening == r->closing);
}

static bool within(int64_t v, int64_t least)
{
    return v >= least && v <= SUM_MAX;
}

/* Corrections, what suspense gave or took, and tax that came back from another month, may be of either
 * sign. */
static int sums_check(const struct row_statement *r)
{
    bool lines = within(r->shares, 0) && within(r->refunds, 0) && within(r->withdrawn, -SUM_MAX) &&
                 within(r->fees, 0) && within(r->guarantees, 0) && within(r->rents, 0) &&
                 within(r->capped, 0);
    bool either = within(r->opening, -SUM_MAX) && within(r->corrections, -SUM_MAX) &&
                  within(r->suspense, -SUM_MAX) && within(r->tax, -SUM_MAX);
    return lines && either && r->orders >= 0 ? 0 : ERR_RANGE;
}

static int64_t closing_of(const struct row_statement *r)
{
    return r->opening + r->shares - r->refunds + r->corrections + r->guarantees + r->rents +
           r->suspense - r->withdrawn - r->fees - r->tax;
}

static int new_check(const struct core *c, const struct cmd *cmd, const struct tenant *t)
{
    const struct cmd_statement_new *in = &cmd->u.statement_new;
    const struct party *party = dir_find(c, ROW_PARTY, in->party);
    if (!t || !party || party->row.tenant != t->row.id || cmd->head.station)
        return ERR_NOT_FOUND;
    if (in->month < MONTH_FIRST || in->month > MONTH_LAST || in->month % 100 < 1 ||
        in->month % 100 > 12 || party->row.kind == PARTY_PLATFORM)
        return ERR_RANGE;
    if (zone_month_begin(t->zone, civil_month_next(in->month)) + SETTLE_MS > c->now)
        return ERR_CONFLICT; /* the month is not over */
    if (statement_of(c, in->party, in->month))
        return ERR_CONFLICT;
    return dir_full(c, ROW_STATEMENT) ? ERR_FULL : 0;
}

int statement_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_statement_new *in = &cmd->u.statement_new;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    int rc = new_check(c, cmd, t);
    if (rc)
        return rc;
    struct row_statement r = {.tenant = t->row.id,
                              .party = in->party,
                              .month = in->month,
                              .currency = t->row.currency,
                              .opening = in->opening,
                              .shares = in->shares,
                              .refunds = in->refunds,
                              .withdrawn = in->withdrawn,
                              .fees = in->fees,
                              .tax = in->tax,
                              .corrections = in->corrections,
                              .guarantees = in->guarantees,
                              .rents = in->rents,
                              .suspense = in->suspense,
                              .capped = in->capped,
                              .orders = in->orders,
                              .state = STATEMENT_ISSUED,
                              .note = "",
                              .made_ms = c->now,
                              .version = 1};
    bounds_set(c, t, &r);
    rc = in->from_ms != r.from_ms || in->to_ms != r.to_ms ? ERR_CONFLICT : sums_check(&r);
    if (rc)
        return rc;
    r.closing = closing_of(&r);
    if (!neighbours_meet(c, &r))
        return ERR_CORRUPT;
    r.id = core_id(c);
    struct statement *s = dir_add(c, ROW_STATEMENT, &r);
    must(s);
    obj_dirty(c, &s->o);
    c->made_id = r.id;
    c->made_version = r.version;
    return 0;
}

static int decide_check(const struct statement *s, const struct cmd_statement_decide *in)
{
    switch ((enum statement_act)in->act) {
    case STATEMENT_CONFIRM:
    case STATEMENT_DISPUTE:
        if (!in->party)
            return ERR_DENIED; /* nobody confirms for a party */
        if (s->row.state == STATEMENT_CONFIRMED)
            return ERR_READ_ONLY;
        return in->act == STATEMENT_DISPUTE && !in->note[0] ? ERR_REQUIRED : 0;
    case STATEMENT_ANSWER:
        if (in->party)
            return ERR_DENIED;
        if (s->row.state != STATEMENT_DISPUTED)
            return ERR_CONFLICT;
        return in->note[0] ? 0 : ERR_REQUIRED;
    }
    return ERR_RANGE;
}

int statement_decide(struct core *c, const struct cmd *cmd)
{
    static const int32_t next[] = {[STATEMENT_CONFIRM] = STATEMENT_CONFIRMED,
                                   [STATEMENT_DISPUTE] = STATEMENT_DISPUTED,
                                   [STATEMENT_ANSWER] = STATEMENT_ISSUED};
    const struct cmd_statement_decide *in = &cmd->u.statement_decide;
    struct statement *s = dir_find(c, ROW_STATEMENT, in->statement);
    if (!s || s->row.tenant != cmd->head.tenant || cmd->head.station ||
        (in->party && in->party != s->row.party))
        return ERR_NOT_FOUND;
    int rc = decide_check(s, in);
    if (rc)
        return rc;
    s->row.state = next[in->act];
    if (in->note[0])
        (void)obj_text(c, &s->o, &s->row.note, in->note);
    s->row.decided_ms = c->now;
    s->row.decided_by = cmd->head.actor;
    s->row.version++;
    obj_dirty(c, &s->o);
    c->made_id = s->row.id;
    c->made_version = s->row.version;
    return 0;
}
