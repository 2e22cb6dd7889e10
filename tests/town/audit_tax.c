// SPDX-License-Identifier: Apache-2.0
/* audit_tax.c: tax that is withheld of payouts to persons, by rules of the operator; see audit_tax.h. Shares no
 * code with the core; the rules are those of core/withhold.h.
 *
 * A fact of a payout keeps what it was withheld (tax) and the month that it counts in (tax_month, 0: under no
 * rule). What a person had before is the sum of his other facts of the month that did not come back. */
#include "town/audit.h"

#include "base/err.h"
#include "base/money.h"
#include "core/types.h"
#include "town/audit_sql.h"

enum { BP = 10000 };

static bool is_back(const struct fact *f)
{
    return f->state == PAYOUT_FAILED || f->state == PAYOUT_REFUSED || f->state == PAYOUT_CANCELLED;
}

static int32_t payee_of(const struct audit *a, int64_t party)
{
    for (int i = 0; i < AUDIT_PARTNERS; i++)
        if (a->partner[i].id == party)
            return a->tax.payee[i];
    return PAYEE_COMPANY; /* the operator, of whom nothing is withheld */
}

static const struct seen_rule *rule_at(const struct audit *a, int64_t ms)
{
    const struct seen_rule *r = NULL;
    for (int i = 0; i < a->tax.rules; i++)
        if (a->tax.rule[i].from_ms <= ms)
            r = &a->tax.rule[i];
    return r && r->n ? r : NULL;
}

int audit_tax_may(const struct audit *a, int64_t party, int64_t now_ms)
{
    bool unknown = payee_of(a, party) == PAYEE_UNKNOWN;
    return unknown && rule_at(a, now_ms) ? ERR_PAYEE_KIND : 0;
}

/* Bracket by bracket, in 1e-8 yuan × 1e-4; a fen is 1e10 of them. Half a fen up. */
static int64_t tax_of(const struct seen_rule *r, int64_t sum)
{
    ev_i128 off = (ev_i128)sum * r->deduct_bp, tax = 0;
    if (off < (ev_i128)r->deduct * BP)
        off = (ev_i128)r->deduct * BP;
    ev_i128 taxed = (ev_i128)sum * BP - off;
    for (int i = 0; i < r->n; i++) {
        ev_i128 from = (ev_i128)r->rate[i].above * BP, to = taxed;
        if (i + 1 < r->n && to > (ev_i128)r->rate[i + 1].above * BP)
            to = (ev_i128)r->rate[i + 1].above * BP;
        if (to > from)
            tax += (to - from) * r->rate[i].bp;
    }
    ev_i128 fen = (ev_i128)MONEY_FEN * BP * BP;
    return (int64_t)((2 * tax + fen) / (2 * fen)) * MONEY_FEN;
}

void audit_tax_take(const struct audit *a, struct fact *payout, int64_t now_ms)
{
    const struct seen_rule *r = rule_at(a, now_ms);
    if (payout->kind != FACT_PAYOUT || !r || payee_of(a, payout->who) != PAYEE_PERSON)
        return;
    int32_t month = audit_month(now_ms);
    int64_t sum = payout->amount, had = 0;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f == payout || f->kind != FACT_PAYOUT || f->who != payout->who ||
            f->tax_month != month || is_back(f))
            continue;
        sum += f->amount;
        had += f->tax;
    }
    int64_t due = tax_of(r, sum) - had, most = payout->amount - MONEY_FEN;
    due = due < most ? due : most;
    payout->tax = due > 0 ? due : 0;
    payout->tax_month = month;
}

bool audit_tax_paper_lacks(const struct audit *a, const struct fact *payout)
{
    return payout->kind == FACT_PAYOUT && payee_of(a, payout->who) == PAYEE_COMPANY &&
           !payout->paper;
}

int64_t audit_tax_held(const struct audit *a, int64_t party)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAYOUT && a->fact[i].who == party && !is_back(&a->fact[i]) &&
            a->fact[i].state != PAYOUT_SETTLED)
            sum += a->fact[i].tax;
    return sum;
}

int64_t audit_tax_left(const struct audit *a, int32_t month)
{
    int64_t sum = 0;
    bool any = false;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f->kind == FACT_PAYOUT && f->tax_month == month && f->tax) {
            any = true;
            sum += is_back(f) ? 0 : f->tax;
        }
        if (f->kind == FACT_TAX_PAID && f->of == month)
            sum -= f->amount;
    }
    return any ? sum : -1;
}

/* ---- what staff ask ---- */

static int64_t slip_of(const char *number)
{
    int64_t n;
    return str_to_i64(str_from_c(number), &n) ? 0 : n;
}

static int expect_paid(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_tax_paid *in = &cmd->u.tax_paid;
    if (in->bank && in->bank != a->channel)
        return ERR_NOT_FOUND;
    if (!in->number[0])
        return ERR_REQUIRED;
    if (in->month % 100 < 1 || in->month % 100 > 12)
        return ERR_RANGE;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_TAX_PAID && a->fact[i].who == slip_of(in->number))
            return ERR_CONFLICT;
    int64_t left = audit_tax_left(a, in->month);
    bool any = false;
    for (size_t i = 0; i < a->facts; i++)
        any |=
            a->fact[i].kind == FACT_PAYOUT && a->fact[i].tax_month == in->month && a->fact[i].tax;
    if (!any)
        return ERR_NOT_FOUND;
    return in->amount < MONEY_FEN || in->amount % MONEY_FEN || in->amount > left ? ERR_RANGE : 0;
}

static int expect_paper(const struct audit *a, const struct cmd *cmd)
{
    const struct fact *p = audit_payout(a, cmd->u.payout_paper.payout);
    if (!p)
        return ERR_NOT_FOUND;
    if (!cmd->u.payout_paper.number[0])
        return ERR_REQUIRED;
    if (p->state != PAYOUT_REQUESTED || p->kind != FACT_PAYOUT)
        return ERR_CONFLICT;
    return cmd->u.payout_paper.amount < p->amount ? ERR_RANGE : 0;
}

int audit_tax_expect(struct audit *a, const struct cmd *cmd)
{
    return cmd->head.type == CMD_TAX_PAID ? expect_paid(a, cmd) : expect_paper(a, cmd);
}

void audit_tax_effect(struct audit *a, const struct cmd *cmd, int64_t id)
{
    struct fact *p = audit_payout(a, cmd->u.payout_paper.payout);
    if (cmd->head.type == CMD_TAX_PAID)
        audit_fact_add(a, &(struct fact){.kind = FACT_TAX_PAID,
                                         .id = id,
                                         .who = slip_of(cmd->u.tax_paid.number),
                                         .amount = cmd->u.tax_paid.amount,
                                         .channel = cmd->u.tax_paid.bank,
                                         .of = cmd->u.tax_paid.month});
    else if (p)
        p->paper = true;
}

/* ---- the file ---- */

void audit_tax_reload(struct audit *a, sqlite3 *db)
{
    for (size_t i = 0; i < a->facts; i++) {
        struct fact *f = &a->fact[i];
        if (f->kind != FACT_PAYOUT || !a->tax.rules)
            continue;
        f->tax = number(db, "SELECT tax FROM payout WHERE id = ?", f->id, 0);
        f->tax_month = (int32_t)number(db, "SELECT tax_month FROM payout WHERE id = ?", f->id, 0);
    }
}

void audit_tax_file(struct audit *a, sqlite3 *db)
{
    int64_t sum = 0, paid = 0;
    a->taxed = 0;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        paid += f->kind == FACT_TAX_PAID;
        sum -= f->kind == FACT_TAX_PAID ? f->amount : 0;
        if (f->kind != FACT_PAYOUT)
            continue;
        sum += is_back(f) ? 0 : f->tax;
        a->taxed += f->tax > 0;
        int64_t tax = number(db, "SELECT tax FROM payout WHERE id = ?", f->id, 0);
        if (tax != f->tax)
            audit_differ(a, "payout %lld of %lld: tax %lld, expected %lld", (long long)f->id,
                         (long long)f->amount, (long long)tax, (long long)f->tax);
        int64_t held =
            number(db, "SELECT withheld - paid FROM tax_month WHERE month = ?", f->tax_month, 0);
        if (f->tax && held != audit_tax_left(a, f->tax_month))
            audit_differ(a, "month %d: %lld of tax is not paid, expected %lld", f->tax_month,
                         (long long)held, (long long)audit_tax_left(a, f->tax_month));
    }
    if (number(db, "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account WHERE kind = 14",
               0, 0) != sum)
        audit_differ(a, "of withheld tax there is not %lld", (long long)sum);
    if (number(db, "SELECT count(*) FROM tax_paid", 0, 0) != paid)
        audit_differ(a, "there are payments to the tax office that nobody made");
}
