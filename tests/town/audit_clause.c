// SPDX-License-Identifier: Apache-2.0
/* audit_clause.c: what partners are due by a contract with clauses per kWh and per order, percentages, agents,
 * tiers and caps of a month; see audit_clause.h. Shares no code with the core; the rules are those of
 * core/split.h.
 *
 * Every charge of the file is divided again without rounding (in millionths of 1/10,000 yuan): first clauses off
 * the lines in their order, the rest by the ratios on both sides of a tier, agents out of the owner's part, what
 * exceeds a cap back to the operator. Refunds and corrections count as they were: what each takes of whom is
 * judged where there are no clauses. By the deficit rule a partner is never more than a few units off, however
 * many orders there were; by the others each charge may round each line of each step. */
#include "town/audit.h"

#include "core/types.h"
#include "town/audit_sql.h"

enum { BP = 10000, LINES = 3, LASTING = 16, ROUNDINGS = 5 };
#define FINE    INT64_C(1000000)  /* of a unit of money */
#define PER_KWH INT64_C(10000000) /* mWh × 1/100,000 yuan a kWh, of a unit of money */

static const int32_t line_kind[LINES] = {FEE_ELECTRICITY, FEE_SERVICE, FEE_OCCUPANCY};

struct walk {
    const struct seen_terms *t;
    int32_t month;
    int64_t month_base;
    ev_i128 month_got[AUDIT_PARTNERS], due[AUDIT_PARTNERS];
    int64_t slack; /* in units of money: of what nobody outside can know */
};

static int partner_at(const struct audit *a, int64_t party)
{
    for (int i = 0; i < AUDIT_PARTNERS; i++)
        if (a->partner[i].id == party)
            return i;
    return -1;
}

struct charge {
    int64_t base[LINES], mwh;
    bool again;
    ev_i128 left[LINES], gets[AUDIT_PARTNERS];
};

static void first_take(const struct audit *a, const struct contract_clause_in *k, struct charge *c)
{
    ev_i128 want = 0;
    if (k->kind == CLAUSE_ENERGY)
        want = (ev_i128)c->mwh * k->rate * FINE / PER_KWH;
    if (k->kind == CLAUSE_ORDER && !c->again)
        want = (ev_i128)k->rate * FINE;
    for (int l = 0; l < LINES; l++) {
        if (!(k->lines & line_kind[l]))
            continue;
        if (k->kind == CLAUSE_PERCENT)
            want = (ev_i128)c->base[l] * k->rate * FINE / BP;
        ev_i128 take = want < c->left[l] ? want : c->left[l];
        c->left[l] -= take;
        want -= take;
        c->gets[partner_at(a, k->party)] += take;
    }
}

/* The owner's ratio on what is below the tier and above it, over AUDIT_RATIOS × step. */
static ev_i128 owner_part(const struct audit *a, const struct walk *w, const struct charge *c,
                          ev_i128 rest)
{
    int64_t step = c->base[0] + c->base[1] + c->base[2], below = step, high = w->t->owner_ratio;
    for (int i = 0; i < w->t->clauses; i++) {
        const struct contract_clause_in *k = &w->t->clause[i];
        if (k->kind != CLAUSE_TIER || k->party != a->partner[AUDIT_OWNER].id)
            continue;
        high = k->rate;
        below = k->above - w->month_base;
        below = below < 0 ? 0 : below < step ? below : step;
    }
    return rest * (below * w->t->owner_ratio + (step - below) * high) / (step * AUDIT_RATIOS);
}

static void ratios_take(const struct audit *a, const struct walk *w, struct charge *c)
{
    for (int l = 0; l < LINES; l++) {
        ev_i128 owner = owner_part(a, w, c, c->left[l]), agents = 0;
        for (int i = 0; i < w->t->clauses; i++) {
            const struct contract_clause_in *k = &w->t->clause[i];
            if (k->kind != CLAUSE_AGENT || !(k->lines & line_kind[l]))
                continue;
            c->gets[partner_at(a, k->party)] += owner * k->rate / BP;
            agents += owner * k->rate / BP;
        }
        c->gets[AUDIT_OWNER] += owner - agents;
    }
}

static void caps_apply(const struct audit *a, const struct walk *w, struct charge *c)
{
    for (int i = 0; i < w->t->clauses; i++) {
        const struct contract_clause_in *k = &w->t->clause[i];
        if (k->kind != CLAUSE_CAP)
            continue;
        int p = partner_at(a, k->party);
        ev_i128 room = (ev_i128)k->rate * FINE - w->month_got[p];
        room = room > 0 ? room : 0;
        c->gets[p] = c->gets[p] < room ? c->gets[p] : room;
    }
}

static void charge_walk(const struct audit *a, struct walk *w, struct charge *c)
{
    for (int l = 0; l < LINES; l++)
        c->left[l] = (ev_i128)c->base[l] * FINE;
    for (int i = 0; i < w->t->clauses; i++) {
        int32_t kind = w->t->clause[i].kind;
        if (kind == CLAUSE_ENERGY || kind == CLAUSE_ORDER || kind == CLAUSE_PERCENT)
            first_take(a, &w->t->clause[i], c);
    }
    ratios_take(a, w, c);
    caps_apply(a, w, c);
    for (int p = 0; p < AUDIT_PARTNERS; p++) {
        w->month_got[p] += c->gets[p];
        w->due[p] += c->gets[p];
    }
    w->month_base += c->base[0] + c->base[1] + c->base[2];
}

static void month_turn(struct walk *w, int64_t at_ms)
{
    if (audit_month(at_ms) <= w->month)
        return;
    w->month = audit_month(at_ms);
    w->month_base = 0;
    for (int p = 0; p < AUDIT_PARTNERS; p++)
        w->month_got[p] = 0;
}

/* What was taken back of each, as it stands there. */
static void back_walk(const struct audit *a, sqlite3 *db, struct walk *w, int64_t transfer)
{
    for (int p = 0; p < AUDIT_PARTNERS; p++) {
        ev_i128 back = FINE * (ev_i128)number(db,
                                              "SELECT coalesce(sum(amount), 0) FROM split_part "
                                              "WHERE transfer = ? AND party = ?",
                                              transfer, a->partner[p].id);
        w->month_got[p] += back;
        w->due[p] += back;
    }
}

/* Energy that a decision or a true end added is not told by charge: its price is not judged. */
static void slack_add(struct walk *w, int64_t mwh)
{
    for (int i = 0; i < w->t->clauses; i++)
        if (w->t->clause[i].kind == CLAUSE_ENERGY)
            w->slack += (int64_t)((ev_i128)mwh * w->t->clause[i].rate / PER_KWH) + 1;
}

static void partners_check(struct audit *a, const struct walk *w, int64_t charges)
{
    int64_t steps = a->rounding == ROUND_DEFICIT ? LASTING : LASTING + ROUNDINGS * charges;
    ev_i128 most = FINE * (ev_i128)(w->slack + steps * w->t->unit);
    for (int p = 0; p < AUDIT_PARTNERS; p++) {
        ev_i128 off = (ev_i128)audit_share(a, a->partner[p].id) * FINE - w->due[p];
        if (off > most || -off > most)
            audit_differ(a, "partner %d has %lld, by the contract's clauses %lld", p,
                         (long long)audit_share(a, a->partner[p].id),
                         (long long)(w->due[p] / FINE));
    }
}

void audit_clause_file(struct audit *a, sqlite3 *db)
{
    struct walk w = {.t = &a->terms};
    int64_t v[COLUMNS], charges = 0;
    if (!w.t->clauses)
        return;
    sqlite3_stmt *st = ask(
        db, "SELECT p.transfer, min(p.at_ms), sum(p.amount * (p.fee_kind = 1)), "
            "sum(p.amount * (p.fee_kind = 2)), sum(p.amount * (p.fee_kind = 4)), "
            "(SELECT count(*) FROM split_part q WHERE q.order_id = p.order_id AND "
            "q.transfer < p.transfer), o.energy_mwh, (SELECT count(*) FROM order_event e "
            "WHERE e.order_id = p.order_id AND e.event IN (16, 17)) "
            "FROM split_part p JOIN orders o ON o.id = p.order_id GROUP BY p.transfer ORDER BY 1");
    while (row(st, v)) {
        struct charge c = {.base = {v[2], v[3], v[4]}, .again = v[5] != 0};
        month_turn(&w, v[1]);
        if (v[2] + v[3] + v[4] <= 0) {
            back_walk(a, db, &w, v[0]);
            continue;
        }
        c.mwh = c.again || v[4] ? 0 : v[6];
        if (v[5] || v[7])
            slack_add(&w, v[6]);
        charge_walk(a, &w, &c);
        charges++;
    }
    a->divided += (uint64_t)charges;
    partners_check(a, &w, charges);
}
