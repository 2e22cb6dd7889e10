// SPDX-License-Identifier: Apache-2.0
/* contract.c: contract versions, which one is in force, what the web front puts, and their months.
 *
 * Versions are immutable (but for the residues, which split.h keeps) and never leave memory: orders
 * name them. A family's id is that of its first version. A version is in force from from_ms until the
 * next one begins, or until its own to_ms; versions of a family never overlap. Between them, and where
 * there is none, everything is the operator's.
 *
 * A family whose clauses count or post by month has a running month: its sums, and what the parties
 * with caps, guarantees or rents got. It is the calendar month of the tenant's zone in which shares
 * are posted. When it is over, the operator gives rents and what is missing to guarantees, each for as
 * long as its version was in force; a timer does that, or the first order of the next month if it
 * comes before. What the operator's income does not cover comes out of its loss account, so a
 * guarantee is kept and no income is ever negative.
 *
 * Invariants: 1. a month is closed once: its rows go to open = 0 in the batch that posts it; 2. every
 * family with clauses of a month has one open month. The core's thread. Fails: ERR_CORRUPT when
 * stored rows do not build. */
#include "core/charge.h"
#include "core/purse.h"

#include <stdio.h>

const struct party *party_platform(const struct core *c, int64_t tenant)
{
    for (uint32_t i = 0; i < c->dir[ROW_PARTY].slab.len; i++) {
        const struct party *p = slab_at(&c->dir[ROW_PARTY].slab, i);
        if (p && p->row.tenant == tenant && p->row.kind == PARTY_PLATFORM)
            return p;
    }
    return NULL;
}

struct split_contract *contract_find(const struct core *c, int64_t version)
{
    struct contract_node *n = map_get_ptr(&c->contracts, (uint64_t)version);
    return n ? &n->c : NULL;
}

struct split_contract *contract_in_force(const struct core *c, int64_t family, int64_t ms)
{
    struct contract_node *n = map_get_ptr(&c->contract_families, (uint64_t)family);
    while (n && n->c.from_ms > ms)
        n = n->next;
    return n && (!n->c.to_ms || ms < n->c.to_ms) ? &n->c : NULL;
}

/* ---- the running month ---- */

static const struct zone *zone_of_tenant(const struct core *c, int64_t tenant)
{
    const struct tenant *t = tenant_find(c, tenant);
    must(t && t->zone); /* contracts are of a tenant */
    return t->zone;
}

static struct contract_month *month_of(const struct core *c, int64_t family)
{
    return map_get_ptr(&c->contract_months, (uint64_t)family);
}

static int32_t month_party(const struct contract_month *m, int64_t party)
{
    for (int32_t i = 0; i < m->n; i++)
        if (m->got[i].party == party)
            return i;
    return -1;
}

/* Row i of the month: 0 the sums, else party i - 1. */
static void month_row(struct core *c, const struct contract_month *m, int32_t i, int32_t open)
{
    struct row_contract_month row = {.family = m->family,
                                     .month = m->month,
                                     .tenant = m->tenant,
                                     .open = open,
                                     .posted = open || !i ? 0 : m->got[i - 1].posted};
    if (i) {
        row.party = m->got[i - 1].party;
        row.amount = m->got[i - 1].amount;
        row.rent = open ? 0 : m->got[i - 1].rent;
    } else {
        row.base = m->base;
        row.energy_mwh = m->energy_mwh;
        row.from_id = m->from_id;
        row.from_ms = open ? 0 : m->from_ms;
        row.to_ms = open ? 0 : m->to_ms;
    }
    row_put(c, ROW_CONTRACT_MONTH, ROW_UPSERT, &row);
}

static bool month_counts(const struct split_clause *k)
{
    return k->kind == CLAUSE_CAP || k->kind == CLAUSE_GUARANTEE || k->kind == CLAUSE_RENT;
}

/** Has the version anything to do with months? */
static bool month_needed(const struct split_contract *k)
{
    for (int32_t i = 0; k->terms && i < k->terms->n; i++)
        if (split_month_kind(k->terms->clause[i].kind))
            return true;
    return false;
}

/** How many parties the family would count with this version. */
static int32_t month_parties(const struct contract_month *m, const struct split_contract *k)
{
    int32_t n = m ? m->n : 0;
    for (int32_t i = 0; k->terms && i < k->terms->n; i++) {
        const struct split_clause *x = &k->terms->clause[i];
        bool known = !month_counts(x) || (m && month_party(m, x->party) >= 0);
        for (int32_t j = 0; j < i; j++)
            known = known ||
                    (month_counts(&k->terms->clause[j]) && k->terms->clause[j].party == x->party);
        n += !known;
    }
    return n;
}

/** The family's month, made when missing; ERR_NOMEM, ERR_FULL. */
static int month_join(struct core *c, const struct split_contract *k)
{
    struct contract_month *m = month_of(c, k->family);
    if (!month_needed(k))
        return 0;
    if (month_parties(m, k) > CONTRACT_MONTH_PARTIES)
        return ERR_FULL;
    if (!m) {
        m = ARENA_NEW(&c->arena, struct contract_month);
        if (!m || map_put_ptr(&c->contract_months, (uint64_t)k->family, m))
            return ERR_NOMEM;
        m->family = k->family;
        m->tenant = k->tenant;
        m->next = c->months;
        c->months = m;
    }
    for (int32_t i = 0; i < k->terms->n; i++)
        if (month_counts(&k->terms->clause[i]) && month_party(m, k->terms->clause[i].party) < 0)
            m->got[m->n++].party = k->terms->clause[i].party;
    return 0;
}

int contract_month_load(struct core *c, const struct row_contract_month *row)
{
    struct contract_month *m = month_of(c, row->family);
    if (!m || (m->month && m->month != row->month))
        return ERR_CORRUPT;
    m->month = row->month;
    int32_t i = row->party ? month_party(m, row->party) : 0;
    if (i < 0)
        return ERR_CORRUPT;
    if (row->party) {
        m->got[i].amount = row->amount;
    } else {
        m->base = row->base;
        m->energy_mwh = row->energy_mwh;
        m->from_id = row->from_id;
    }
    return 0;
}

/* ---- the end of a month ---- */

/* What a party is due of it, by which kind of clause: rent and guarantee are posted each by itself, so
 * that each is a line of the party's statement. */
struct month_due {
    int32_t clause; /* enum clause_kind */
    int64_t amount;
};

/* The posting has a part of its own, so that what a party got is always the sum of its parts. */
static void month_part(struct core *c, const struct contract_month *m, int64_t transfer,
                       const struct share_part *s, struct month_due due)
{
    share_part_write(c,
                     &(struct row_split_part){.order_id = transfer,
                                              .seq = 1,
                                              .tenant = m->tenant,
                                              .transfer = transfer,
                                              .party = s->party,
                                              .account = s->account,
                                              .base = due.amount,
                                              .ratio = 1,
                                              .ratio_sum = 1,
                                              .amount = due.amount,
                                              .clause = due.clause,
                                              .at_ms = c->now,
                                              .due_ms = s->due_ms},
                     true);
}

static void month_give(struct core *c, const struct contract_month *m, int64_t party,
                       struct month_due due)
{
    const int64_t amount = due.amount;
    if (!amount)
        return;
    const struct tenant *t = tenant_find(c, m->tenant);
    const struct party *operator= party_platform(c, m->tenant);
    struct ledger_request q;
    char note[16];
    must(operator);
    int64_t had = purse_available(c, m->tenant, ACCOUNT_INCOME, operator->row.id, t->row.currency);
    int64_t income = amount < had ? amount : had;
    purse_request(c, &q, m->tenant, due.clause == CLAUSE_RENT ? TRANSFER_RENT : TRANSFER_CLAUSE,
                  t->row.currency);
    snprintf(note, sizeof note, "%04d-%02d", m->month / 100 % 10000, m->month % 100);
    q.note = note;
    if (income)
        purse_leg(&q,
                  purse_account(c, m->tenant, ACCOUNT_INCOME, operator->row.id, t->row.currency),
                  -income, operator->row.id);
    if (amount > income)
        purse_leg(&q, purse_account(c, m->tenant, ACCOUNT_OVERRUN, 0, t->row.currency),
                  income - amount, 0);
    struct share_part s = share_give(c, m->tenant, party, amount, &q);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* income has it, and a loss may be negative */
    share_given(c, m->tenant, t->row.currency, &s);
    month_part(c, m, ctx.id, &s, due);
}

static void month_close(struct core *c, struct contract_month *m)
{
    const struct zone *z = zone_of_tenant(c, m->tenant);
    int64_t begin = m->from_ms = zone_month_begin(z, m->month);
    int64_t end = m->to_ms = zone_month_begin(z, civil_month_next(m->month));
    int64_t until = INT64_MAX;
    struct split_dues dues = {0};
    const struct contract_node *n = map_get_ptr(&c->contract_families, (uint64_t)m->family);
    for (; n; n = n->next) {
        split_month_dues(&n->c, begin, end, until, &dues);
        until = n->c.from_ms;
    }
    for (int32_t i = 0; i < dues.n; i++) {
        int32_t at = month_party(m, dues.v[i].party);
        must(at >= 0); /* whoever has a guarantee or rent is counted */
        m->got[at].posted = split_due_amount(&dues.v[i], m->got[at].amount);
        m->got[at].rent = money_round_fen(MONEY(dues.v[i].rent)).v;
        month_give(c, m, dues.v[i].party, (struct month_due){CLAUSE_RENT, m->got[at].rent});
        month_give(c, m, dues.v[i].party,
                   (struct month_due){CLAUSE_GUARANTEE, m->got[at].posted - m->got[at].rent});
    }
    for (int32_t i = 0; i <= m->n; i++)
        month_row(c, m, i, 0);
    m->base = m->energy_mwh = 0;
    for (int32_t i = 0; i < m->n; i++)
        m->got[i].amount = m->got[i].posted = m->got[i].rent = 0;
}

/* What is posted from now on counts in this month: ids grow with time. */
static void month_begin(struct core *c, struct contract_month *m, int32_t month)
{
    m->month = month;
    m->from_id = core_id(c);
}

/* Brings the month up to now, closing those that are over. */
static void month_roll(struct core *c, struct contract_month *m)
{
    int32_t now = zone_month(zone_of_tenant(c, m->tenant), c->now);
    if (m->month >= now)
        return; /* a zone may have been changed for one further west */
    while (m->month && m->month < now) {
        month_close(c, m);
        month_begin(c, m, (int32_t)civil_month_next(m->month));
    }
    if (!m->month)
        month_begin(c, m, now);
    month_row(c, m, 0, 1);
}

void contract_months_arm(struct core *c)
{
    int64_t due = INT64_MAX;
    for (const struct contract_month *m = c->months; m; m = m->next) {
        const struct zone *z = zone_of_tenant(c, m->tenant);
        int64_t end = m->month ? zone_month_begin(z, civil_month_next(m->month)) : c->now;
        due = end < due ? end : due;
    }
    heap_cancel(&c->timers, &c->month_timer);
    if (due < INT64_MAX)
        must(heap_set(&c->timers, &c->month_timer, due) == 0); /* room for this one */
}

void contract_months_fire(struct core *c)
{
    for (struct contract_month *m = c->months; m; m = m->next)
        month_roll(c, m);
    contract_months_arm(c);
}

/* ---- orders and the month ---- */

void contract_month_before(struct core *c, const struct split_contract *k, struct split_input *in)
{
    struct contract_month *m = month_of(c, k->family);
    if (!m)
        return;
    month_roll(c, m);
    in->month_base = m->base;
    in->month_energy = m->energy_mwh;
    for (int32_t i = 0; k->terms && i < k->terms->n; i++) {
        int32_t at = month_party(m, k->terms->clause[i].party);
        if (at >= 0)
            in->month_got[i] = m->got[at].amount;
    }
}

void contract_month_after(struct core *c, const struct split_contract *k,
                          const struct split_input *in, const struct split_result *r)
{
    struct contract_month *m = month_of(c, k->family);
    if (!m)
        return;
    m->base += in->base[0].v + in->base[1].v + in->base[2].v;
    m->energy_mwh += in->energy_mwh;
    month_row(c, m, 0, 1);
    for (int32_t i = 0; i < m->n; i++) {
        int64_t sum = 0;
        for (int32_t j = 0; j < r->n; j++)
            if (r->part[j].party == m->got[i].party)
                sum += r->part[j].amount.v;
        if (!sum)
            continue;
        m->got[i].amount += sum;
        month_row(c, m, i + 1, 1);
    }
}

void contract_month_now(struct core *c, int64_t contract)
{
    const struct split_contract *k = contract_find(c, contract);
    struct contract_month *m = k ? month_of(c, k->family) : NULL;
    if (m)
        month_roll(c, m);
}

void contract_month_back(struct core *c, int64_t contract, int64_t party, int64_t amount)
{
    const struct split_contract *k = contract_find(c, contract);
    struct contract_month *m = k ? month_of(c, k->family) : NULL;
    int32_t at = m ? month_party(m, party) : -1;
    if (at < 0)
        return;
    m->got[at].amount -= amount;
    month_row(c, m, at + 1, 1);
}

/* ---- a new version ---- */

static int contract_add(struct core *c, const struct split_contract *k)
{
    struct contract_node *n = ARENA_NEW(&c->arena, struct contract_node);
    if (!n)
        return ERR_NOMEM;
    n->c = *k;
    if (k->terms) {
        n->c.terms = ARENA_NEW(&c->arena, struct split_terms);
        if (!n->c.terms)
            return ERR_NOMEM;
        *n->c.terms = *k->terms;
    }
    struct contract_node *head = map_get_ptr(&c->contract_families, (uint64_t)k->family);
    struct contract_node **at = &head;
    while (*at && (*at)->c.from_ms > k->from_ms)
        at = &(*at)->next;
    n->next = *at;
    *at = n;
    int rc = map_put_ptr(&c->contract_families, (uint64_t)k->family, head);
    if (!rc)
        rc = map_put_ptr(&c->contracts, (uint64_t)k->id, n);
    return rc ? rc : month_join(c, k);
}

static bool party_usable(const struct core *c, int64_t party, int64_t tenant)
{
    const struct party *p = dir_find(c, ROW_PARTY, party);
    return p && p->row.tenant == tenant && p->row.state == ROW_ACTIVE;
}

static int parties_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_contract_put *in = &cmd->u.contract_put;
    for (int32_t i = 0; i < in->n; i++)
        if (!party_usable(c, in->party[i].party, cmd->head.tenant))
            return ERR_NOT_FOUND;
    for (int32_t i = 0; i < in->clauses; i++) {
        const struct contract_clause_in *k = &in->clause[i];
        if (!party_usable(c, k->party, cmd->head.tenant) ||
            (k->parent && !party_usable(c, k->parent, cmd->head.tenant)))
            return ERR_NOT_FOUND;
    }
    return 0;
}

static int contract_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_contract_put *in = &cmd->u.contract_put;
    if (!tenant_find(c, cmd->head.tenant) || cmd->head.station)
        return ERR_NOT_FOUND;
    if (!in->name[0])
        return ERR_REQUIRED;
    if (in->n < 1 || in->n > CONTRACT_PARTIES_MAX || in->clauses < 0 ||
        in->clauses > CONTRACT_CLAUSES_MAX || in->from_ms < 0)
        return ERR_RANGE;
    int rc = parties_check(c, cmd);
    if (rc)
        return rc;
    const struct contract_node *n = map_get_ptr(&c->contract_families, (uint64_t)in->family);
    if (in->family && (!n || n->c.tenant != cmd->head.tenant))
        return ERR_NOT_FOUND;
    if (n && (in->from_ms <= n->c.from_ms || in->from_ms < n->c.to_ms))
        return ERR_CONFLICT; /* they would overlap */
    return 0;
}

static void rows_fill(const struct cmd_contract_put *in, int64_t id,
                      struct row_contract_party *parties, struct row_contract_clause *clauses)
{
    for (int32_t i = 0; i < in->n; i++)
        parties[i] = (struct row_contract_party){.contract = id,
                                                 .seq = i,
                                                 .party = in->party[i].party,
                                                 .lines = in->party[i].lines,
                                                 .ratio = in->party[i].ratio};
    for (int32_t i = 0; i < in->clauses; i++)
        clauses[i] = (struct row_contract_clause){.contract = id,
                                                  .seq = i + 1,
                                                  .kind = in->clause[i].kind,
                                                  .party = in->clause[i].party,
                                                  .parent = in->clause[i].parent,
                                                  .lines = in->clause[i].lines,
                                                  .rate = in->clause[i].rate,
                                                  .above = in->clause[i].above};
}

/* A family that begins to count does so from now on. */
static void month_open(struct core *c, const struct split_contract *k)
{
    struct contract_month *m = month_of(c, k->family);
    if (!m)
        return;
    month_roll(c, m);
    contract_months_arm(c);
}

int catalog_put_contract(struct core *c, const struct cmd *cmd)
{
    const struct cmd_contract_put *in = &cmd->u.contract_put;
    int rc = contract_check(c, cmd);
    if (rc)
        return rc;
    const struct party *operator= party_platform(c, cmd->head.tenant);
    struct row_contract row = {.id = core_id(c),
                               .tenant = cmd->head.tenant,
                               .name = in->name,
                               .from_ms = in->from_ms,
                               .to_ms = in->to_ms,
                               .unit = in->unit,
                               .rounding = in->rounding,
                               .gift_rule = in->gift_rule,
                               .operator= operator
                               ?
                               operator->row.id : 0,
                               .created_ms = c->now };
    row.family = in->family ? in->family : row.id;
    struct row_contract_party parties[CONTRACT_PARTIES_MAX] = {0};
    struct row_contract_clause clauses[CONTRACT_CLAUSES_MAX] = {0};
    struct split_contract k;
    struct split_terms terms;
    struct split_fault fault;
    rows_fill(in, row.id, parties, clauses);
    rc = split_build(&k, &row, parties, (size_t)in->n);
    if (!rc && in->clauses)
        rc = split_terms_build(&k, &terms, clauses, (size_t)in->clauses, &fault);
    if (!rc && month_parties(month_of(c, k.family), &k) > CONTRACT_MONTH_PARTIES)
        rc = ERR_FULL;
    if (rc)
        return rc;
    must(contract_add(c, &k) == 0);
    row_put(c, ROW_CONTRACT, ROW_UPSERT, &row);
    for (int32_t i = 0; i < in->n; i++)
        row_put(c, ROW_CONTRACT_PARTY, ROW_UPSERT, &parties[i]);
    for (int32_t i = 0; i < in->clauses; i++)
        row_put(c, ROW_CONTRACT_CLAUSE, ROW_UPSERT, &clauses[i]);
    month_open(c, &k);
    c->made_id = row.id;
    c->made_version = 1;
    return 0;
}

int contract_load(struct core *c, const struct row_contract *row)
{
    size_t n, clauses_n;
    struct split_contract k;
    struct split_terms terms;
    struct split_fault fault;
    struct row_contract_party *parties =
        catalog_rows(c, &c->load_parties, sizeof *parties, row->id, &n);
    struct row_contract_clause *clauses =
        catalog_rows(c, &c->load_clauses, sizeof *clauses, row->id, &clauses_n);
    if (!parties || !clauses)
        return ERR_NOMEM;
    if (split_build(&k, row, parties, n))
        return ERR_CORRUPT;
    if (clauses_n && split_terms_build(&k, &terms, clauses, clauses_n, &fault))
        return ERR_CORRUPT;
    return contract_add(c, &k);
}
