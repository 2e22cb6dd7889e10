// SPDX-License-Identifier: Apache-2.0
/* company.c: companies and their members: rows, who is paid for, what a start may cost, and what the
 * life of an order does to the account and to the quotas. The rules are in company.h; bills are in
 * company_bill.c.
 *
 * Fails by result codes before an order begins; afterwards its money is held, and what does not fit
 * is our bug (must). The core's thread. */
#include "core/company.h"
#include "core/purse.h"

#include <stdlib.h>

#define CREDIT_MAX (INT64_C(100000000) * MONEY_UNIT)
#define ENERGY_MAX INT64_C(1000000000000000)

/* ---- rows that are put ---- */

static bool between(int64_t v, int64_t lo, int64_t hi)
{
    return v >= lo && v <= hi;
}

static const struct ledger_account *account_of(const struct core *c, int64_t company)
{
    const struct company *co = company_find(c, company);
    const struct tenant *t = co ? tenant_find(c, co->row.tenant) : NULL;
    return t ? ledger_account_find(c->ledger, t->row.id, ACCOUNT_COMPANY, company, t->row.currency)
             : NULL;
}

int company_check(const struct core *c, struct row_company *r, const struct row_company *old)
{
    const struct ledger_account *a = old ? account_of(c, old->id) : NULL;
    bool credit = r->kind == COMPANY_CREDIT;
    r->advance = old ? old->advance : 0;
    if (!r->name[0])
        return ERR_REQUIRED;
    if (!between(r->kind, COMPANY_PREPAID, COMPANY_CREDIT) ||
        !between(r->state, ROW_ACTIVE, ROW_DELETED) || !between(r->bill_day, 1, 28) ||
        !between(r->overrun, OVERRUN_LOSS, OVERRUN_DEBT) || !between(r->overdue_days, 0, 3650) ||
        !money_limit_ok(r->credit, credit ? CREDIT_MAX : 0))
        return ERR_RANGE;
    if (!a)
        return 0;
    if (old->kind != r->kind && (a->posted_in || a->posted_out || a->held))
        return ERR_CONFLICT; /* its shares wait for other things */
    bool empty = !a->held && a->posted_in == a->posted_out;
    return r->state == ROW_DELETED && !empty ? ERR_CONFLICT : 0;
}

/* "12 34": ids of this tenant's stations. */
static int stations_check(const struct core *c, const char *text, int64_t tenant)
{
    for (const char *p = text; *p;) {
        size_t n = strspn(p, "0123456789");
        if (!n || n > 19 || (p[n] && (p[n] != ' ' || !p[n + 1])))
            return ERR_SYNTAX;
        const struct station *s = station_find(c, strtoll(p, NULL, 10));
        if (!s || s->row.tenant != tenant)
            return ERR_NOT_FOUND;
        p += n + (p[n] == ' ');
    }
    return 0;
}

/* What is counted is not the sender's. */
static void member_keep(struct row_company_member *r, const struct row_company_member *old)
{
    static const struct row_company_member none = {.state = 0};
    const struct row_company_member *k = old ? old : &none;
    r->from_ms = k->from_ms;
    r->to_ms = k->to_ms;
    r->used = k->used;
    r->used_mwh = k->used_mwh;
    r->used_orders = k->used_orders;
    r->held = k->held;
}

static int member_refers(const struct core *c, const struct row_company_member *r)
{
    const struct company *co = company_find(c, r->company);
    const struct driver *d = driver_find(c, r->driver);
    const struct token *t = r->token ? dir_find(c, ROW_TOKEN, r->token) : NULL;
    if (!co || co->row.tenant != r->tenant || co->row.state == ROW_DELETED || !d ||
        d->row.tenant != r->tenant)
        return ERR_NOT_FOUND;
    if (r->token && (!t || t->row.tenant != r->tenant))
        return ERR_NOT_FOUND;
    return stations_check(c, r->stations, r->tenant);
}

int company_member_check(const struct core *c, struct row_company_member *r,
                         const struct row_company_member *old)
{
    member_keep(r, old);
    if (old && (old->company != r->company || old->driver != r->driver || old->token != r->token ||
                old->state == ROW_DELETED))
        return ERR_CONFLICT; /* another member is another row */
    if (!between(r->state, ROW_ACTIVE, ROW_DELETED) || !between(r->cards, 0, r->token ? 0 : 1) ||
        !money_limit_ok(r->month_most, CREDIT_MAX) || !money_limit_ok(r->order_most, CREDIT_MAX) ||
        !between(r->month_mwh, 0, ENERGY_MAX) || r->month_orders < 0)
        return ERR_RANGE;
    return r->state == ROW_DELETED ? 0 : member_refers(c, r);
}

void company_floor(struct core *c, const struct company *co)
{
    const struct ledger_account *a = account_of(c, co->row.id);
    must(a); /* made with the company */
    int64_t owes = a->held - ledger_balance(a).v;
    int64_t floor = owes > co->row.credit ? -owes : -co->row.credit;
    must(ledger_floor_set(c->ledger, a->id, MONEY(floor)) == 0);
}

/* ---- who is paid for ---- */

static struct member *member_by(const struct core *c, int64_t driver, int64_t token)
{
    char key[DIR_KEY_SIZE];
    const struct row_company_member r = {.driver = driver, .token = token};
    dir_key(ROW_COMPANY_MEMBER, &r, key);
    return dir_find_key(c, ROW_COMPANY_MEMBER, key);
}

struct member *company_member(const struct core *c, int64_t driver)
{
    return driver ? member_by(c, driver, 0) : NULL;
}

struct member *company_of_token(const struct core *c, const struct row_token *t)
{
    struct member *m = member_by(c, t->driver, t->id);
    if (m)
        return m;
    m = company_member(c, t->driver);
    return m && m->row.cards ? m : NULL;
}

int company_alive(const struct core *c, const struct member *m)
{
    const struct company *co = m ? company_find(c, m->row.company) : NULL;
    if (!co)
        return ERR_NOT_MEMBER;
    return m->row.state == ROW_ACTIVE && co->row.state == ROW_ACTIVE ? 0 : ERR_DISABLED;
}

static bool station_allowed(const struct member *m, int64_t station)
{
    for (const char *p = m->row.stations; *p; p += strspn(p, " ")) {
        char *end;
        if (strtoll(p, &end, 10) == station)
            return true;
        p = end;
    }
    return !m->row.stations[0];
}

/* ---- quotas ---- */

/* The month that is counted is the present one. */
static void member_roll(struct core *c, struct member *m)
{
    const struct tenant *t = tenant_find(c, m->row.tenant);
    if (c->now < m->row.to_ms)
        return;
    int32_t month = zone_month(t->zone, c->now);
    int64_t begin = zone_month_begin(t->zone, month);
    m->row.from_ms = begin > m->row.to_ms ? begin : m->row.to_ms; /* of another zone meanwhile */
    m->row.to_ms = zone_month_begin(t->zone, civil_month_next(month));
    m->row.used = m->row.used_mwh = 0;
    m->row.used_orders = 0;
    obj_dirty(c, &m->o);
}

/* What is left of the month's money; INT64_MAX without a quota. */
static int64_t month_left(const struct core *c, const struct member *m)
{
    bool fresh = c->now >= m->row.to_ms; /* nothing in this month yet */
    if (!m->row.month_most)
        return INT64_MAX;
    int64_t used = !fresh && m->row.used > 0 ? m->row.used : 0;
    return m->row.month_most - used - m->row.held;
}

static bool counts_left(const struct core *c, const struct member *m)
{
    if (c->now >= m->row.to_ms)
        return true;
    return (!m->row.month_mwh || m->row.used_mwh < m->row.month_mwh) &&
           (!m->row.month_orders || m->row.used_orders < m->row.month_orders);
}

int64_t company_account(const struct core *c, const struct member *m)
{
    const struct ledger_account *a = account_of(c, m->row.company);
    must(a);
    return a->id;
}

int64_t company_free(const struct core *c, int64_t company)
{
    const struct ledger_account *a = account_of(c, company);
    int64_t v = ledger_available(a).v + company_find(c, company)->row.credit;
    return v > 0 ? v : 0;
}

int company_start(const struct core *c, const struct member *m, int64_t station, int64_t cap)
{
    int rc = company_alive(c, m);
    if (rc)
        return rc;
    if (!station_allowed(m, station))
        return ERR_NOT_MEMBER;
    if (company_overdue(c, company_find(c, m->row.company)))
        return ERR_OVERDUE;
    if (!counts_left(c, m) || cap > month_left(c, m) ||
        (m->row.order_most && cap > m->row.order_most))
        return ERR_QUOTA;
    return cap > company_free(c, m->row.company) ? ERR_NO_FUNDS : 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t company_local(const struct core *c, const struct member *m, int64_t station, bool forced)
{
    int64_t free = company_free(c, m->row.company);
    int64_t usual = tenant_find(c, m->row.tenant)->row.hold_default;
    int64_t most = least(m->row.order_most ? m->row.order_most : usual > 0 ? usual : free, free);
    if (forced)
        return most;
    if (company_alive(c, m) || !station_allowed(m, station) || !counts_left(c, m) ||
        company_overdue(c, company_find(c, m->row.company)))
        return -1;
    most = least(most, month_left(c, m));
    most -= most % MONEY_FEN;
    return most > 0 ? most : -1;
}

static int raise_check(const struct core *c, const struct order *o, int64_t more)
{
    const struct member *m = dir_find(c, ROW_COMPANY_MEMBER, o->row.member);
    int rc = company_alive(c, m);
    if (rc)
        return rc;
    if (more > month_left(c, m) || (m->row.order_most && o->row.cap + more > m->row.order_most))
        return ERR_QUOTA;
    return more > company_free(c, m->row.company) ? ERR_NO_FUNDS : 0;
}

/* ---- the life of its orders ---- */

/* The member of an order that a company pays, its month the present one; else NULL. */
static struct member *member_of(struct core *c, const struct order *o)
{
    if (o->row.payer_kind != PAYER_COMPANY)
        return NULL;
    struct member *m = dir_find(c, ROW_COMPANY_MEMBER, o->row.member);
    must(m); /* rows of members stay, deleted ones too */
    member_roll(c, m);
    return m;
}

static int64_t held_of(const struct core *c, const struct order *o)
{
    const struct ledger_hold *h = o->row.hold ? ledger_hold(c->ledger, o->row.hold) : NULL;
    return h && h->state == HOLD_OPEN ? h->amount.v : 0;
}

void company_began(struct core *c, const struct order *o)
{
    struct member *m = member_of(c, o);
    if (!m)
        return;
    m->row.held += held_of(c, o);
    m->row.used_orders += o->row.kind != ORDER_OCCUPANCY; /* a stay is no order of its own */
    obj_dirty(c, &m->o);
}

int company_hold(struct core *c, struct order *o, int64_t amount)
{
    struct ledger_ctx ctx = ledger_ctx_now(c);
    int rc = ledger_hold_open(c->ledger, &ctx, account_of(c, o->row.company)->id, MONEY(amount),
                              o->row.id, 0);
    if (!rc)
        o->row.hold = ctx.id;
    return rc;
}

/* More on its hold, and on what the member's holds come to. */
static int hold_more(struct core *c, const struct order *o, int64_t more)
{
    struct member *m = member_of(c, o);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    int rc = ledger_hold_increase(c->ledger, &ctx, o->row.hold, MONEY(more));
    if (rc)
        return rc;
    m->row.held += more;
    obj_dirty(c, &m->o);
    return 0;
}

int company_raise(struct core *c, struct order *o, int64_t more)
{
    int rc = raise_check(c, o, more);
    return rc ? rc : hold_more(c, o, more);
}

void company_failed(struct core *c, const struct order *o)
{
    struct member *m = member_of(c, o);
    if (!m)
        return;
    const struct ledger_hold *h = o->row.hold ? ledger_hold(c->ledger, o->row.hold) : NULL;
    m->row.held -= h ? h->amount.v : 0;
    must(m->row.held >= 0);
    if (o->row.created_ms >= m->row.from_ms)
        m->row.used_orders--;
    obj_dirty(c, &m->o);
    company_floor(c, company_find(c, o->row.company));
}

/* Over the cap: the company's too if that is its way and it has room; of a card that charged where
 * there was no network no more than that card may owe (payer.c). */
static int64_t overrun_most(const struct core *c, const struct order *o, int64_t captured,
                            int64_t free)
{
    const struct company *co = company_find(c, o->row.company);
    bool limited = o->row.started_by == START_OFFLINE && o->srow.tx_no[0];
    int64_t room = o->row.cap - captured;
    if (co->row.overrun != OVERRUN_DEBT)
        return 0;
    return !limited ? free : room > 0 ? least(room, free) : 0;
}

struct taken company_take(const struct core *c, const struct order *o, int64_t total,
                          const struct ledger_hold *hold)
{
    int64_t free = company_free(c, o->row.company);
    struct taken t = {.captured = least(total, hold ? hold->amount.v : free)};
    int64_t rest = total - t.captured;
    t.debt = hold ? least(rest, overrun_most(c, o, t.captured, free)) : 0;
    t.loss = rest - t.debt;
    return t;
}

void company_legs(struct core *c, struct order *o, const struct taken *t, struct ledger_request *q)
{
    const struct ledger_account *a = account_of(c, o->row.company);
    if (t->debt && held_of(c, o)) /* a hold gives no more than it holds */
        must(hold_more(c, o, t->debt) == 0);
    purse_leg(q, a->id, -(t->captured + t->debt), 0);
}

void company_back(struct core *c, struct order *o, int64_t back, struct ledger_request *q)
{
    purse_leg(q, account_of(c, o->row.company)->id, back, 0);
}

int64_t company_due(struct core *c, const struct order *o)
{
    const struct company *co =
        o->row.payer_kind == PAYER_COMPANY ? company_find(c, o->row.company) : NULL;
    return co && co->row.kind == COMPANY_CREDIT ? -company_bill_now(c, co)->row.id : 0;
}

void company_charged(struct core *c, const struct order *o, int64_t paid, int64_t held)
{
    struct member *m = member_of(c, o);
    if (!m)
        return;
    const struct company *co = company_find(c, o->row.company);
    m->row.held -= held;
    must(m->row.held >= 0);
    m->row.used += paid;
    obj_dirty(c, &m->o);
    if (paid) {
        struct company_bill *b = company_bill_now(c, co);
        b->row.captured += paid;
        b->row.orders += !o->row.transfer;
        obj_dirty(c, &b->o);
    }
    company_floor(c, co);
}

void company_energy(struct core *c, const struct order *o, int64_t mwh)
{
    struct member *m = member_of(c, o);
    if (!m)
        return;
    m->row.used_mwh += mwh;
    obj_dirty(c, &m->o);
}

void company_refunded(struct core *c, const struct order *o, int64_t back)
{
    struct member *m = member_of(c, o);
    if (!m)
        return;
    const struct company *co = company_find(c, o->row.company);
    struct company_bill *b = company_bill_now(c, co);
    m->row.used -= back;
    obj_dirty(c, &m->o);
    b->row.refunded += back;
    obj_dirty(c, &b->o);
    company_floor(c, co);
}
