// SPDX-License-Identifier: Apache-2.0
/* second.c: who may be the second person, and which limits ask for one.
 *
 * Two people are worth more than one only while no one of them can be both. So a person is none for what
 * somebody asked who let him in a moment ago (made his account, gave it a password, a role or a wider
 * place, or enabled it), nor for what was asked by whom he let in himself, nor if the same third person let
 * in both: each of them could be the other one's hand for as long as nobody has noticed. An API key is its
 * maker's hand, and never a second person.
 *
 * Whoever may change the settings must not lift, for a moment, what stops himself. Tighter limits count at
 * once; looser ones (a higher payout_check, a shorter payee_hold_h) only after SEEN_MS, in which they can
 * be seen; until then those count that did before. A limit that was tightened again meanwhile was never
 * loose.
 *
 * In a house's own first SEEN_MS nothing of this is noted: whoever sets it up is alone, and lets everybody
 * in. What is done then counts as done for ever: it cannot be repeated later.
 *
 * Invariants: 1. what counts is never looser than what is set, nor, for SEEN_MS after a change, than what
 * counted at that change; 2. a hand is followed HANDS_MOST steps at most. Nothing here fails. The core's
 * thread. */
#include "core/purse.h"

enum { HANDS_MOST = 8 };
#define SEEN_MS (INT64_C(72) * 3600000)

static bool first_days(const struct core *c, const struct row_tenant *t)
{
    return c->now - t->created_ms < SEEN_MS;
}

/* ---- limits ---- */

static bool waits(const struct core *c, const struct row_tenant *t)
{
    return t->eased_ms && c->now - t->eased_ms < SEEN_MS;
}

static int64_t most_of(const struct core *c, const struct row_tenant *t)
{
    return waits(c, t) && t->check_was < t->payout_check ? t->check_was : t->payout_check;
}

static int32_t hours_of(const struct core *c, const struct row_tenant *t)
{
    return waits(c, t) && t->hold_was > t->payee_hold_h ? t->hold_was : t->payee_hold_h;
}

int64_t second_most(const struct core *c, int64_t tenant)
{
    return most_of(c, &tenant_find(c, tenant)->row);
}

int32_t second_hours(const struct core *c, int64_t tenant)
{
    return hours_of(c, &tenant_find(c, tenant)->row);
}

void second_limits(const struct core *c, struct row_tenant *r, const struct row_tenant *old)
{
    int64_t most = most_of(c, old);
    int32_t hours = hours_of(c, old);
    r->eased_ms = old->eased_ms;
    r->check_was = old->check_was;
    r->hold_was = old->hold_was;
    if (r->payout_check == old->payout_check && r->payee_hold_h == old->payee_hold_h)
        return;
    bool looser = r->payout_check > most || r->payee_hold_h < hours;
    bool noted = looser && !first_days(c, old);
    r->eased_ms = noted ? c->now : 0;
    r->check_was = noted ? most : 0;
    r->hold_was = noted ? hours : 0;
}

/* ---- people ---- */

/* The person who is behind it; 0: nobody is known. */
static int64_t hand_of(const struct core *c, int32_t kind, int64_t id)
{
    const struct api_key *k = kind == ACTOR_API_KEY ? dir_find(c, ROW_API_KEY, id) : NULL;
    if (kind == ACTOR_PERSON)
        return id;
    return k ? k->row.made_by : 0;
}

/* Who let that person in a moment ago; 0: nobody. */
static int64_t let_in_by(const struct core *c, int64_t person)
{
    const struct person *p = person ? dir_find(c, ROW_PERSON, person) : NULL;
    return p && p->row.let_ms && c->now - p->row.let_ms < SEEN_MS ? p->row.let_by : 0;
}

/* The person and whose hand he may be, and so on; how many they are. */
static int hands(const struct core *c, int64_t person, int64_t out[HANDS_MOST])
{
    int n = 0;
    for (int64_t p = person; p && n < HANDS_MOST; p = let_in_by(c, p))
        out[n++] = p;
    return n;
}

bool second_may(const struct core *c, const struct cmd *cmd, int32_t asked_kind, int64_t asked_by)
{
    int64_t mine[HANDS_MOST], theirs[HANDS_MOST];
    if (cmd->head.actor_kind != ACTOR_PERSON)
        return false;
    int n = hands(c, cmd->head.actor, mine);
    int m = hands(c, hand_of(c, asked_kind, asked_by), theirs);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            if (mine[i] == theirs[k])
                return false;
    return true;
}

int64_t second_maker(const struct core *c, const struct cmd *cmd)
{
    return hand_of(c, cmd->head.actor_kind, cmd->head.actor);
}

/* More than before, or by another password. */
static bool lets_in(const struct row_person *r, const struct row_person *old)
{
    return !old || strcmp(r->pass_hash, old->pass_hash) != 0 || r->role != old->role ||
           r->party != old->party || r->station != old->station ||
           (r->state == ROW_ACTIVE && old->state != ROW_ACTIVE);
}

void second_let_in(const struct core *c, const struct cmd *cmd, struct row_person *r,
                   const struct row_person *old)
{
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    int64_t by = second_maker(c, cmd);
    r->let_by = old ? old->let_by : 0;
    r->let_ms = old ? old->let_ms : 0;
    if (!lets_in(r, old) || first_days(c, &t->row) || (old && by == old->id))
        return; /* what somebody does of his own account is his */
    r->let_by = by;
    r->let_ms = c->now;
}
