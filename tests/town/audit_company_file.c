// SPDX-License-Identifier: Apache-2.0
/* audit_company_file.c: companies in the file: what the auditor made of the facts stands there, by SQL of its
 * own; see audit_company.h. */
#include "town/audit.h"

#include "core/types.h"
#include "town/audit_sql.h"

static void companies_check(struct audit *a, sqlite3 *db)
{
    static const char has[] = "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account "
                              "WHERE kind = 17 AND owner = ?";
    static const char holds[] =
        "SELECT coalesce(sum(held), 0) FROM account WHERE kind = 17 AND owner = ?";
    for (int i = 0; i < a->co.companies; i++) {
        const struct seen_company *co = &a->co.company[i];
        int64_t balance = 0, held = 0;
        for (size_t k = 0; k < a->facts; k++)
            if (a->fact[k].who == co->id &&
                (a->fact[k].kind == FACT_COMPANY_IN || a->fact[k].kind == FACT_REFUND))
                balance += a->fact[k].amount;
        for (size_t k = 0; k < a->orders; k++) {
            const struct seen_order *o = &a->order[k];
            bool open = o->state >= ORDER_CREATED && o->state <= ORDER_ENDED;
            balance -= o->company == co->id ? o->paid : 0;
            held += o->company == co->id && open ? o->cap : 0;
        }
        if (number(db, has, co->id, 0) != balance || number(db, holds, co->id, 0) != held)
            audit_differ(a, "company %d: the file has %lld, %lld held; expected %lld, %lld", i,
                         (long long)number(db, has, co->id, 0),
                         (long long)number(db, holds, co->id, 0), (long long)balance,
                         (long long)held);
    }
}

/* What a member used, of the month that its row counts. */
static void members_check(struct audit *a, sqlite3 *db)
{
    int64_t v[COLUMNS];
    for (int i = 0; i < a->co.members; i++) {
        const struct seen_member *m = &a->co.member[i];
        sqlite3_stmt *st =
            ask(db, "SELECT from_ms, used, used_mwh, used_orders, held, state, "
                    "month_most, order_most, version FROM company_member WHERE id = ?");
        sqlite3_bind_int64(st, 1, m->id);
        if (!row(st, v)) {
            audit_differ(a, "member %d is lost", i);
            continue;
        }
        struct audit_usage u = audit_usage_of(a, m->id, v[0]);
        if (!v[0])
            u.month = 0;
        if (v[1] != u.used || v[2] != u.mwh || v[3] != u.orders || v[4] != u.held)
            audit_differ(a,
                         "member %d: used %lld, %lld mWh, %lld orders, %lld held; expected %lld, "
                         "%lld, %lld, %lld",
                         i, (long long)v[1], (long long)v[2], (long long)v[3], (long long)v[4],
                         (long long)u.used, (long long)u.mwh, (long long)u.orders,
                         (long long)u.held);
        if (v[5] != m->state || v[6] != m->month_most || v[7] != m->order_most ||
            v[8] != m->version)
            audit_differ(a, "member %d is not what staff made of it", i);
        sqlite3_reset(st);
        sqlite3_finalize(st);
    }
}

static void bills_check(struct audit *a, sqlite3 *db)
{
    int64_t v[COLUMNS], n = 0;
    struct audit_books b;
    for (int i = 0; i < a->co.companies; i++) {
        const struct seen_company *co = &a->co.company[i];
        audit_books_make(a, co, 0, &b);
        n += b.n;
        for (int k = 0; k < b.n; k++) {
            const struct audit_bill *w = &b.bill[k];
            bool there = false;
            sqlite3_stmt *st = ask(db, "SELECT captured, refunded, orders, collected, state "
                                       "FROM company_bill WHERE company = ? AND month = ?");
            sqlite3_bind_int64(st, 1, co->id);
            sqlite3_bind_int64(st, 2, w->month);
            while (row(st, v))
                there = v[0] == w->captured && v[1] == w->refunded && v[2] == w->orders &&
                        v[3] == w->collected && v[4] == w->state;
            if (!there)
                audit_differ(a,
                             "bill of company %d, %d: expected %lld - %lld of %lld orders, %lld "
                             "collected, state %d",
                             i, w->month, (long long)w->captured, (long long)w->refunded,
                             (long long)w->orders, (long long)w->collected, w->state);
        }
        if (number(db, "SELECT advance FROM company WHERE id = ?", co->id, 0) != b.advance)
            audit_differ(a, "company %d: its advance is not %lld", i, (long long)b.advance);
    }
    if (number(db, "SELECT count(*) FROM company_bill", 0, 0) != n)
        audit_differ(a, "there are bills of months in which a company paid nothing");
    a->bills = (uint64_t)n;
}

/* What of each partner's shares waits for each bill, to the unit; unless it ever owed. */
static void waits_check(struct audit *a, sqlite3 *db, const struct seen_company *co, int partner)
{
    struct audit_books b;
    int64_t party = a->partner[partner].id;
    if (a->partner[partner].owes || a->co.vague)
        return;
    audit_books_make(a, co, party, &b);
    for (int k = 0; k < b.n; k++) {
        int64_t bill = number(db, "SELECT id FROM company_bill WHERE company = ? AND month = ?",
                              co->id, b.bill[k].month);
        int64_t waits = number(
            db, "SELECT coalesce(sum(amount), 0) FROM maturing WHERE party = ? AND due_ms = -?",
            party, bill);
        if (waits != b.bill[k].waits)
            audit_differ(a, "partner %d: of %d's bill %lld waits, expected %lld", partner,
                         b.bill[k].month, (long long)waits, (long long)b.bill[k].waits);
    }
}

static void payments_check(struct audit *a, sqlite3 *db)
{
    int64_t paid = 0;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f->kind != FACT_COMPANY_IN)
            continue;
        paid++;
        if (number(db, "SELECT count(*) FROM transfer WHERE id = ? AND code = 17 AND amount = ?",
                   f->id, f->amount) != 1)
            audit_differ(a, "payment %lld of a company, %lld, is lost", (long long)f->id,
                         (long long)f->amount);
    }
    if (number(db, "SELECT count(*) FROM transfer WHERE code = 17", 0, 0) != paid)
        audit_differ(a, "there are payments that no company made");
}

/* Who pays for each order. */
static void payers_check(struct audit *a, sqlite3 *db)
{
    int64_t v[COLUMNS];
    sqlite3_stmt *st = ask(db, "SELECT id, payer_kind, company, member FROM orders ORDER BY id");
    a->by_companies = 0;
    while (row(st, v)) {
        const struct seen_order *o = audit_order(a, v[0]);
        bool pays = v[1] == PAYER_COMPANY;
        a->by_companies += pays;
        if (!o || pays != (o->company != 0) || v[2] != o->company || v[3] != o->member)
            audit_differ(a,
                         "order %lld: payer %lld, company %lld, member %lld; expected %lld, %lld",
                         (long long)v[0], (long long)v[1], (long long)v[2], (long long)v[3],
                         o ? (long long)o->company : 0, o ? (long long)o->member : 0);
    }
    if (a->co.exempt &&
        number(db, "SELECT count(*) FROM orders WHERE kind = 2 AND payer_kind = 3", 0, 0))
        audit_differ(a, "a company pays for a bay that is free for it");
}

void audit_company_file(struct audit *a, sqlite3 *db)
{
    payers_check(a, db);
    if (!a->co.companies)
        return;
    companies_check(a, db);
    members_check(a, db);
    bills_check(a, db);
    payments_check(a, db);
    for (int i = 0; i < a->co.companies; i++)
        for (int k = 0; k < AUDIT_PARTNERS; k++)
            waits_check(a, db, &a->co.company[i], k);
}

void audit_company_stay(struct audit *a, struct seen_order *o)
{
    sqlite3 *db = file_open(a->db);
    int64_t of = number(db, "SELECT linked FROM orders WHERE id = ?", o->id, 0);
    must(sqlite3_close(db) == SQLITE_OK);
    const struct seen_order *charge = audit_order(a, of);
    if (!charge)
        return; /* stays_check finds that */
    o->company = charge->company;
    o->member = charge->member;
}
