// SPDX-License-Identifier: Apache-2.0
/* audit_company.c: companies, their members' quotas, their bills, and what of the parties' shares waits for
 * them; see audit_company.h. Shares no code with the core; the rules are those of core/company.h.
 *
 * Facts of companies: FACT_COMPANY_IN is money of a company (of: the bill it is for), FACT_CHARGE what an order
 * cost it more, or less after its true end (id: the order), FACT_REFUND what staff gave back, FACT_BILL a bill
 * that was issued (of: its month). Everything is their sum, in their order. */
#include "town/audit.h"

#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/types.h"

#define DAY_MS     INT64_C(86400000)
#define CHINA_MS   INT64_C(28800000)
#define BILL_MS    INT64_C(300000) /* a month is over so long after its end */
#define COMPANY_IN (INT64_C(100000000) * MONEY_UNIT)

/* ---- months ---- */

static int year_days(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && year_days(year) == 366);
}

int32_t audit_month(int64_t ms)
{
    int64_t day = (ms + CHINA_MS) / DAY_MS;
    int year = 1970, month = 1;
    for (; day >= year_days(year); year++)
        day -= year_days(year);
    for (; day >= month_days(year, month); month++)
        day -= month_days(year, month);
    return year * 100 + month;
}

int64_t audit_month_end(int32_t month)
{
    int64_t day = 0;
    for (int year = 1970; year < month / 100; year++)
        day += year_days(year);
    for (int m = 1; m <= month % 100; m++)
        day += month_days(month / 100, m);
    return day * DAY_MS - CHINA_MS;
}

/* ---- finding ---- */

static const struct seen_company *company_of(const struct audit *a, int64_t id)
{
    for (int i = 0; i < a->co.companies; i++)
        if (id && a->co.company[i].id == id)
            return &a->co.company[i];
    return NULL;
}

static const struct seen_member *member_by(const struct audit *a, int64_t driver, int64_t token)
{
    for (int i = 0; i < a->co.members; i++)
        if (driver && a->co.member[i].driver == driver && a->co.member[i].token == token)
            return &a->co.member[i];
    return NULL;
}

/* Who pays for the driver's card: the vehicle that it is, else the driver's company if it pays for cards. */
static const struct seen_member *member_of_card(const struct audit *a, int64_t driver)
{
    const struct seen_member *m = NULL;
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        if (a->driver[i] == driver && a->co.token[i])
            m = member_by(a, driver, a->co.token[i]);
    if (m)
        return m;
    m = member_by(a, driver, 0);
    return m && m->cards ? m : NULL;
}

static const struct seen_order *order_of(const struct audit *a, int64_t id)
{
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].id == id)
            return &a->order[i];
    return NULL;
}

static bool is_open(const struct seen_order *o)
{
    return o->state >= ORDER_CREATED && o->state <= ORDER_ENDED;
}

/* ---- money ---- */

static int64_t company_free(const struct audit *a, const struct seen_company *co)
{
    int64_t sum = co->credit;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].who == co->id &&
            (a->fact[i].kind == FACT_COMPANY_IN || a->fact[i].kind == FACT_REFUND))
            sum += a->fact[i].amount;
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].company == co->id)
            sum -= a->order[i].paid + (is_open(&a->order[i]) ? a->order[i].cap : 0);
    return sum > 0 ? sum : 0;
}

bool audit_company_overruns(const struct audit *a, const struct seen_order *o)
{
    const struct seen_company *co = company_of(a, o->company);
    return co && co->overrun;
}

bool audit_company_credits(const struct audit *a, const struct seen_order *o)
{
    const struct seen_company *co = o ? company_of(a, o->company) : NULL;
    return co && co->owes;
}

/* ---- quotas ---- */

struct audit_usage audit_usage_of(const struct audit *a, int64_t member, int64_t now_ms)
{
    struct audit_usage u = {0};
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f->member != member || (f->kind != FACT_CHARGE && f->kind != FACT_REFUND))
            continue;
        if (audit_month(f->at_ms) > u.month)
            u = (struct audit_usage){.month = audit_month(f->at_ms)};
        u.used += f->kind == FACT_CHARGE ? f->amount : -f->amount;
        u.mwh += f->mwh;
    }
    if (audit_month(now_ms) > u.month)
        u = (struct audit_usage){.month = audit_month(now_ms)};
    for (size_t i = 0; i < a->orders; i++) {
        const struct seen_order *o = &a->order[i];
        if (o->member != member)
            continue;
        u.held += is_open(o) ? o->cap : 0;
        u.orders += o->connector && o->state != ORDER_START_FAILED &&
                    (!o->began_ms || audit_month(o->began_ms) == u.month);
    }
    return u;
}

static bool counts_left(const struct seen_member *m, const struct audit_usage *u)
{
    return (!m->month_mwh || u->mwh < m->month_mwh) &&
           (!m->month_orders || u->orders < m->month_orders);
}

static int64_t money_left(const struct seen_member *m, const struct audit_usage *u)
{
    return m->month_most ? m->month_most - (u->used > 0 ? u->used : 0) - u->held : INT64_MAX;
}

static bool goes_here(const struct audit *a, const struct seen_member *m, int64_t charger)
{
    for (int i = 0; i < a->chargers; i++)
        if (a->charger[i].id == charger)
            return !m->station || a->charger[i].station == m->station;
    return !m->station;
}

int audit_company_start(const struct audit *a, const struct cmd *cmd, int64_t charger,
                        int64_t now_ms)
{
    int64_t cap = cmd->u.order_start.cap;
    const struct seen_member *m = member_by(a, cmd->u.order_start.driver, 0);
    if (!m)
        return ERR_NOT_MEMBER;
    if (m->state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (!goes_here(a, m, charger))
        return ERR_NOT_MEMBER;
    struct audit_usage u = audit_usage_of(a, m->id, now_ms);
    if (!counts_left(m, &u) || cap > money_left(m, &u) || (m->order_most && cap > m->order_most))
        return ERR_QUOTA;
    return cap > company_free(a, company_of(a, m->company)) ? ERR_NO_FUNDS : 0;
}

bool audit_company_card(const struct audit *a, int64_t driver, int64_t charger, int64_t now_ms,
                        bool *may)
{
    const struct seen_member *m = member_of_card(a, driver);
    if (!m)
        return false;
    struct audit_usage u = audit_usage_of(a, m->id, now_ms);
    int64_t most = m->order_most ? m->order_most : a->card_hold;
    int64_t has = company_free(a, company_of(a, m->company)), left = money_left(m, &u);
    most = has < most ? has : most;
    most = left < most ? left : most;
    *may = m->state == ROW_ACTIVE && goes_here(a, m, charger) && counts_left(m, &u) &&
           most >= MONEY_FEN;
    return true;
}

/* ---- orders ---- */

void audit_company_started(const struct audit *a, const struct cmd *cmd, struct seen_order *o)
{
    const struct seen_member *m = member_by(a, cmd->u.order_start.driver, 0);
    o->asked = true;
    if (cmd->u.order_start.payer_kind != PAYER_COMPANY || !m)
        return;
    o->company = m->company;
    o->member = m->id;
}

/* Nobody asked for it: a card began it, or it is the stay after one that somebody pays. */
static void payer_find(struct audit *a, struct seen_order *o, const struct out_event *e)
{
    const struct seen_member *m = e->connector ? member_of_card(a, e->driver) : NULL;
    o->asked = true;
    if (!a->co.companies || !e->driver)
        return;
    if (!e->connector)
        audit_company_stay(a, o);
    else if (m) {
        o->company = m->company;
        o->member = m->id;
    }
}

/* It was billed: of its cap, or without one of what the company has, and more of that if it pays overruns. */
static void bill_judge(struct audit *a, const struct seen_order *o, const struct out_event *e)
{
    const struct seen_company *co = company_of(a, o->company);
    int64_t has = company_free(a, co), most = e->cap ? e->cap : has;
    int64_t take = e->cost < most ? e->cost : most, rest = e->cost - take;
    if (e->cap && co->overrun)
        take += rest < has ? rest : has;
    if (e->amount != take)
        audit_differ(a, "order %lld: its company paid %lld of %lld (cap %lld), expected %lld",
                     (long long)o->id, (long long)e->amount, (long long)e->cost, (long long)e->cap,
                     (long long)take);
}

void audit_company_order(struct audit *a, struct seen_order *o, const struct out_event *e)
{
    bool over = e->state > ORDER_ENDED;
    if (!o->asked)
        payer_find(a, o, e);
    if (!o->began_ms)
        o->began_ms = e->at_ms;
    if (!o->company)
        return;
    if ((e->state == ORDER_SETTLED || e->state == ORDER_DOUBTFUL) && (is_open(o) || !o->state) &&
        !a->reloading)
        bill_judge(a, o, e);
    int64_t mwh = over ? e->energy_mwh - o->mwh : 0;
    if (e->amount == o->paid && !mwh)
        return;
    o->mwh += mwh;
    audit_fact_add(a, &(struct fact){.kind = FACT_CHARGE,
                                     .id = o->id,
                                     .who = o->company,
                                     .member = o->member,
                                     .amount = e->amount - o->paid,
                                     .mwh = mwh,
                                     .at_ms = e->at_ms});
}

/* ---- bills ---- */

static struct audit_bill *bill_at(struct audit_books *b, int32_t month)
{
    for (int i = 0; i < b->n; i++)
        if (b->bill[i].month == month)
            return &b->bill[i];
    must(b->n < AUDIT_BILLS);
    b->bill[b->n] = (struct audit_bill){.month = month, .state = COMPANY_BILL_OPEN};
    return &b->bill[b->n++];
}

static int64_t bill_lacks(const struct audit_bill *k)
{
    bool asks = k->state == COMPANY_BILL_ISSUED || k->state == COMPANY_BILL_PART;
    return asks ? k->captured - k->refunded - k->collected : 0;
}

/* When what was collected for it is free: after the refund window of its month's last day. */
static int64_t window_end(const struct audit *a, int32_t month)
{
    int64_t last = audit_month_end(month) - 1 + a->refund_days * DAY_MS;
    return ((last + CHINA_MS) / DAY_MS + 1) * DAY_MS - CHINA_MS;
}

static void bill_collect(const struct audit *a, struct audit_bill *k, int64_t amount, int64_t at_ms)
{
    int64_t lacks = bill_lacks(k);
    /* more than it lacks only where the program differs; that is said, not divided by nothing */
    int64_t gives = amount >= lacks ? k->waits : (int64_t)((ev_i128)k->waits * amount / lacks);
    k->waits -= gives;
    if (window_end(a, k->month) > at_ms)
        k->late += gives;
    k->collected += amount;
    k->state = amount == lacks ? COMPANY_BILL_SETTLED : COMPANY_BILL_PART;
}

static void advance_use(const struct audit *a, struct audit_books *b, int64_t at_ms)
{
    for (;;) {
        struct audit_bill *oldest = NULL;
        for (int i = 0; i < b->n; i++)
            if (bill_lacks(&b->bill[i]) > 0 && (!oldest || b->bill[i].month < oldest->month))
                oldest = &b->bill[i];
        if (!oldest || !b->advance)
            return;
        int64_t lacks = bill_lacks(oldest), v = b->advance < lacks ? b->advance : lacks;
        bill_collect(a, oldest, v, at_ms);
        b->advance -= v;
    }
}

static void bill_issue(const struct audit *a, const struct seen_company *co, const struct fact *f,
                       struct audit_books *b)
{
    struct audit_bill *k = bill_at(b, (int32_t)f->of);
    int64_t amount = k->captured - k->refunded;
    k->id = f->id;
    k->state = COMPANY_BILL_ISSUED;
    if (!co->owes || amount <= 0) {
        if (window_end(a, k->month) > f->at_ms)
            k->late += k->waits;
        k->waits = 0;
        k->collected = amount;
        k->state = COMPANY_BILL_SETTLED;
    }
    if (co->owes && amount < 0)
        b->advance -= amount;
    if (co->owes)
        advance_use(a, b, f->at_ms);
}

static void company_pays(const struct audit *a, const struct seen_company *co, const struct fact *f,
                         struct audit_books *b)
{
    for (int i = 0; i < b->n && f->of; i++)
        if (b->bill[i].id == f->of)
            bill_collect(a, &b->bill[i], f->amount, f->at_ms);
    if (f->of || !co->owes)
        return;
    b->advance += f->amount;
    advance_use(a, b, f->at_ms);
}

/* Fact i takes back of what the party got of an order: of what waits for the bill that each of its charges is
 * on, then of what was collected for that and waits still. */
static void share_back(const struct audit *a, size_t i, struct audit_books *b)
{
    const struct fact *back = &a->fact[i];
    int64_t left = -back->amount;
    for (size_t k = 0; k < i && left > 0; k++) {
        const struct fact *f = &a->fact[k];
        if (f->kind != FACT_SHARE || f->who != back->who || f->id != back->id || f->amount <= 0)
            continue;
        struct audit_bill *of = bill_at(b, audit_month(f->at_ms));
        int64_t most = left < f->amount ? left : f->amount;
        int64_t got = most < of->waits ? most : of->waits;
        of->waits -= got;
        left -= got;
        most -= got;
        got = most < of->late ? most : of->late;
        if (window_end(a, of->month) <= back->at_ms)
            got = 0;
        of->late -= got;
        left -= got;
    }
}

static void charge_add(const struct audit *a, size_t i, struct audit_books *b)
{
    const struct fact *f = &a->fact[i];
    bool first = f->amount > 0;
    if (!f->amount)
        return; /* energy that nobody paid */
    for (size_t k = 0; k < i && first; k++)
        first = a->fact[k].kind != FACT_CHARGE || a->fact[k].id != f->id || a->fact[k].amount <= 0;
    struct audit_bill *of = bill_at(b, audit_month(f->at_ms));
    of->orders += first;
    of->captured += f->amount > 0 ? f->amount : 0;
    of->refunded -= f->amount < 0 ? f->amount : 0;
}

/* The company's bills, and what of the party's shares waits for them; party 0: nobody's. */
void audit_books_make(const struct audit *a, const struct seen_company *co, int64_t party,
                      struct audit_books *b)
{
    *b = (struct audit_books){0};
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        if (f->kind == FACT_SHARE && co->owes && party && f->who == party) {
            const struct seen_order *o = order_of(a, f->id);
            if (!o || o->company != co->id)
                continue;
            if (f->amount > 0)
                bill_at(b, audit_month(f->at_ms))->waits += f->amount;
            else
                share_back(a, i, b);
        }
        if (f->who != co->id)
            continue;
        if (f->kind == FACT_CHARGE)
            charge_add(a, i, b);
        else if (f->kind == FACT_REFUND)
            bill_at(b, audit_month(f->at_ms))->refunded += f->amount;
        else if (f->kind == FACT_BILL)
            bill_issue(a, co, f, b);
        else if (f->kind == FACT_COMPANY_IN)
            company_pays(a, co, f, b);
    }
}

int64_t audit_company_waits(const struct audit *a, int64_t party, int64_t now_ms)
{
    int64_t sum = 0;
    struct audit_books b;
    for (int i = 0; i < a->co.companies; i++) {
        audit_books_make(a, &a->co.company[i], party, &b);
        for (int k = 0; k < b.n; k++)
            sum += b.bill[k].waits + (window_end(a, b.bill[k].month) > now_ms ? b.bill[k].late : 0);
    }
    return sum;
}

int64_t audit_company_lacks(const struct audit *a, int64_t bill)
{
    struct audit_books b;
    for (int i = 0; i < a->co.companies; i++) {
        audit_books_make(a, &a->co.company[i], 0, &b);
        for (int k = 0; k < b.n; k++)
            if (b.bill[k].id == bill)
                return bill_lacks(&b.bill[k]);
    }
    return 0;
}

/* ---- what staff ask ---- */

void audit_member_comes(struct audit *a, const struct seen_member *m)
{
    must(!a->co.comes && a->co.members < AUDIT_MEMBERS);
    a->co.member[a->co.members] = *m;
    a->co.comes = true;
}

/* It counts from this answer on, not from when the set-up goes on with its next request: chargers are
 * there already, and a card that begins between the two (a commit that takes long may hold both) is its
 * company's to pay, not its driver's. What others did before it is looked at without it. */
void audit_member_made(struct audit *a, uint64_t cause, int64_t id)
{
    audit_turn(a, cause);
    if (!a->co.comes)
        return;
    a->co.comes = false;
    a->co.member[a->co.members++].id = id;
}

void audit_member_wish(struct audit *a, const struct cmd *cmd, const struct seen_member *to)
{
    if (a->co.wishes == AUDIT_WISHES)
        return;
    struct member_wish *w = &a->co.wish[a->co.wishes++];
    (void)str_copy(w->key, sizeof w->key, str_from_c(cmd->head.idem_key));
    w->to = *to;
}

static struct member_wish *wish_of(struct audit *a, const struct cmd *cmd)
{
    for (int i = 0; i < a->co.wishes; i++)
        if (strcmp(a->co.wish[i].key, cmd->head.idem_key) == 0)
            return &a->co.wish[i];
    return NULL;
}

static struct seen_member *wished(struct audit *a, const struct member_wish *w)
{
    for (int i = 0; w && i < a->co.members; i++)
        if (a->co.member[i].id == w->to.id)
            return &a->co.member[i];
    return NULL;
}

static int expect_change(struct audit *a, const struct cmd *cmd)
{
    const struct member_wish *w = wish_of(a, cmd);
    const struct seen_member *m = wished(a, w);
    must(m);
    return m->version == w->to.version ? 0 : ERR_STALE;
}

static int expect_pay(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_company_pay *p = &cmd->u.company_pay;
    const struct seen_company *co = company_of(a, p->company);
    const struct audit_bill *k = NULL;
    struct audit_books b = {0};
    if (!co)
        return ERR_NOT_FOUND;
    audit_books_make(a, co, 0, &b);
    for (int i = 0; i < b.n && p->bill; i++)
        k = b.bill[i].id == p->bill ? &b.bill[i] : k;
    if (p->bill && !k)
        return ERR_NOT_FOUND;
    if (strcmp(p->currency, "CNY") != 0)
        return ERR_CURRENCY;
    if (p->amount < MONEY_FEN || p->amount > COMPANY_IN || p->amount % MONEY_FEN)
        return ERR_RANGE;
    if (k && k->state != COMPANY_BILL_ISSUED && k->state != COMPANY_BILL_PART)
        return ERR_CONFLICT;
    return k && p->amount > bill_lacks(k) ? ERR_RANGE : 0;
}

static int expect_bill(const struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    const struct seen_company *co = company_of(a, cmd->u.company_bill.company);
    int32_t month = cmd->u.company_bill.month;
    const struct audit_bill *k = NULL;
    bool earlier = false;
    struct audit_books b = {0};
    if (co)
        audit_books_make(a, co, 0, &b);
    for (int i = 0; i < b.n; i++) {
        k = b.bill[i].month == month ? &b.bill[i] : k;
        earlier |= b.bill[i].month < month && b.bill[i].state == COMPANY_BILL_OPEN;
    }
    if (!k)
        return ERR_NOT_FOUND;
    bool over = audit_month_end(month) + BILL_MS <= now_ms;
    return k->state != COMPANY_BILL_OPEN || !over || earlier ? ERR_CONFLICT : 0;
}

int audit_company_expect(struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    switch (cmd->head.type) {
    case CMD_COMPANY_PAY:
        return expect_pay(a, cmd);
    case CMD_COMPANY_BILL:
        return expect_bill(a, cmd, now_ms);
    default:
        return expect_change(a, cmd);
    }
}

void audit_company_effect(struct audit *a, const struct cmd *cmd, int64_t id, int64_t now_ms)
{
    struct member_wish *w;
    struct seen_member *m;
    switch (cmd->head.type) {
    case CMD_COMPANY_PAY:
        audit_fact_add(a, &(struct fact){.kind = FACT_COMPANY_IN,
                                         .id = id,
                                         .who = cmd->u.company_pay.company,
                                         .amount = cmd->u.company_pay.amount,
                                         .at_ms = now_ms,
                                         .of = cmd->u.company_pay.bill});
        break;
    case CMD_COMPANY_BILL:
        audit_fact_add(a, &(struct fact){.kind = FACT_BILL,
                                         .id = id,
                                         .who = cmd->u.company_bill.company,
                                         .at_ms = now_ms,
                                         .of = cmd->u.company_bill.month});
        break;
    default:
        w = wish_of(a, cmd);
        m = wished(a, w);
        must(m);
        *m = w->to;
        m->version++;
        break;
    }
}
