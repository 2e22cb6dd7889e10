// SPDX-License-Identifier: Apache-2.0
/* people_company.c: companies that pay for drivers and for the cards of vehicles: what their drivers ask, what
 * staff take of them, bill, and change of their members' quotas; see people.h. */
#include "town/people.h"

#include "base/money.h"
#include "base/must.h"
#include "town/vnet.h"

enum { MEMBERS_FROM = 1, MEMBERS_TO = 5 }; /* drivers whose cards the street has */

static int64_t below(struct town *t, int64_t n)
{
    return (int64_t)rng_below(&t->chance[TOPIC_COMPANY], (uint64_t)n);
}

static bool once_in(struct town *t, int64_t n)
{
    return below(t, n) == 0;
}

/* ---- the set-up ---- */

static void company_make(struct town *t, int i, bool credit)
{
    struct seen_company *co = &t->audit.co.company[i];
    *co = (struct seen_company){.owes = credit, .overrun = once_in(t, 2)};
    if (credit)
        co->credit = (10 + below(t, 400)) * MONEY_UNIT;
    const struct row_company row = {.tenant = t->audit.tenant,
                                    .name = credit ? "Credit" : "Prepaid",
                                    .kind = credit ? COMPANY_CREDIT : COMPANY_PREPAID,
                                    .credit = co->credit,
                                    .overrun = co->overrun ? OVERRUN_DEBT : OVERRUN_LOSS,
                                    .bill_day = 15};
    co->id = people_row(t, ROW_COMPANY, &row, true);
    t->audit.co.companies++;
}

/* Half of the quotas are none, the others soon used up. */
static void quotas_draw(struct town *t, struct seen_member *m)
{
    m->month_most = once_in(t, 2) ? 0 : (1 + below(t, 120)) * MONEY_UNIT;
    m->order_most = once_in(t, 2) ? 0 : (1 + below(t, 60)) * MONEY_UNIT;
    m->month_mwh = once_in(t, 2) ? 0 : (1 + below(t, 60)) * 1000000;
    m->month_orders = once_in(t, 2) ? 0 : 1 + below(t, 8);
    m->station = once_in(t, 5) ? t->station[below(t, TOWN_STATIONS)] : 0;
}

static void member_row(const struct town *t, const struct seen_member *m, char stations[24],
                       struct row_company_member *row)
{
    bool none = t->control == CONTROL_QUOTA;
    snprintf(stations, 24, "%lld", (long long)m->station);
    *row = (struct row_company_member){.id = m->id,
                                       .tenant = t->audit.tenant,
                                       .company = m->company,
                                       .driver = m->driver,
                                       .token = m->token,
                                       .name = "member",
                                       .cards = m->cards,
                                       .month_most = none ? 0 : m->month_most,
                                       .order_most = none ? 0 : m->order_most,
                                       .month_mwh = none ? 0 : m->month_mwh,
                                       .month_orders = none ? 0 : (int32_t)m->month_orders,
                                       .stations = m->station ? stations : "",
                                       .state = m->state,
                                       .version = m->version};
}

static void member_make(struct town *t, int driver, bool vehicle)
{
    struct audit *a = &t->audit;
    struct seen_member m = {.company = a->co.company[below(t, a->co.companies)].id,
                            .driver = a->driver[driver],
                            .token = vehicle ? a->co.token[driver] : 0,
                            .cards = !vehicle && once_in(t, 2),
                            .version = 1};
    char stations[24];
    struct row_company_member row;
    quotas_draw(t, &m);
    member_row(t, &m, stations, &row);
    audit_member_comes(a, &m);
    (void)people_row(t, ROW_COMPANY_MEMBER, &row, true);
}

static void pay(struct town *t, int company, int64_t bill, int64_t amount)
{
    struct cmd *c = people_cmd(t, CMD_COMPANY_PAY, CMD_SIZE(company_pay));
    c->u.company_pay.company = once_in(t, 40) ? 77 : t->audit.co.company[company].id;
    c->u.company_pay.bill = bill;
    c->u.company_pay.amount = amount;
    (void)str_copy(c->u.company_pay.currency, 4, once_in(t, 40) ? STR_LIT("EUR") : STR_LIT("CNY"));
    people_ask(t);
}

void people_companies_make(struct town *t)
{
    bool credit = once_in(t, 2);
    company_make(t, 0, credit);
    if (once_in(t, 2))
        company_make(t, 1, !credit);
    for (int i = MEMBERS_FROM; i <= MEMBERS_TO; i++) {
        int64_t what = below(t, 4);
        if (what == 1 || (what == 2 && t->audit.co.members < AUDIT_MEMBERS - 2))
            member_make(t, i, true);
        if (what >= 2 && t->audit.co.members < AUDIT_MEMBERS)
            member_make(t, i, false);
    }
    for (int i = 0; i < t->audit.co.companies; i++)
        if (!t->audit.co.company[i].owes || once_in(t, 3))
            pay(t, i, 0, (5 + below(t, 300)) * MONEY_UNIT);
}

/* ---- what they do ---- */

static void act_start(struct town *t)
{
    static const int64_t caps[] = {5000, 20000, 40000, 100000, 300000, 1234};
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_ORDER_START, CMD_SIZE(order_start));
    struct cmd_order_start *in = &c->u.order_start;
    in->driver = a->co.members && !once_in(t, 8) ? a->co.member[below(t, a->co.members)].driver
                                                 : a->driver[below(t, AUDIT_DRIVERS)];
    in->connector = a->connector[below(t, a->connectors)].id;
    in->cap = caps[below(t, once_in(t, 10) ? 6 : 5)];
    in->payer_kind = PAYER_COMPANY;
    if (!once_in(t, 4))
        people_as_driver(t, once_in(t, 30) ? a->driver[below(t, AUDIT_DRIVERS)] : in->driver);
    people_ask(t);
}

/* Of a bill of the company that was issued, or without one. */
static void act_pay(struct town *t)
{
    const struct audit *a = &t->audit;
    int company = (int)below(t, a->co.companies);
    int64_t bill = once_in(t, 20) ? 77 : 0,
            amount = below(t, once_in(t, 2) ? 6000 : 200) * MONEY_FEN;
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_BILL && a->fact[i].who == a->co.company[company].id &&
            !once_in(t, 3))
            bill = a->fact[i].id;
    int64_t lacks = bill ? audit_company_lacks(a, bill) : 0;
    if (lacks > 0 && !once_in(t, 4))
        amount = once_in(t, 4) ? lacks : (1 + below(t, lacks / MONEY_FEN + 1)) * MONEY_FEN;
    pay(t, company, bill, amount);
}

static void act_bill(struct town *t, int company)
{
    struct cmd *c = people_cmd(t, CMD_COMPANY_BILL, CMD_SIZE(company_bill));
    int32_t month = audit_month(vnet_wall_ms());
    if (!once_in(t, 4)) /* the one before */
        month = audit_month(audit_month_end(month) - INT64_C(40) * 86400000);
    c->u.company_bill.company = once_in(t, 20) ? 77 : t->audit.co.company[company].id;
    c->u.company_bill.month = month;
    people_ask(t);
}

static void act_member(struct town *t)
{
    const struct audit *a = &t->audit;
    struct row_company_member row;
    struct buf b;
    char stations[24];
    if (!a->co.members)
        return;
    struct seen_member m = a->co.member[below(t, a->co.members)];
    quotas_draw(t, &m);
    m.state = once_in(t, 3) ? ROW_DISABLED : ROW_ACTIVE;
    m.version -= once_in(t, 10);
    member_row(t, &m, stations, &row);
    struct cmd *c = people_cmd(t, CMD_ROW_PUT, CMD_SIZE(row_put));
    buf_init(&b, sizeof c->u.row_put.row);
    row_pack(&b, ROW_COMPANY_MEMBER, ROW_UPSERT, &row);
    must(!b.err);
    c->u.row_put.table = ROW_COMPANY_MEMBER;
    c->u.row_put.n = (uint32_t)b.n;
    memcpy(c->u.row_put.row, b.p, b.n);
    buf_free(&b);
    people_ask(t);
    audit_member_wish(&t->audit, &t->cmd, &m);
}

void people_company_act(struct town *t)
{
    int64_t what = below(t, 20);
    if (what < 12)
        act_start(t);
    else if (what < 15)
        act_pay(t);
    else if (what < 18)
        act_bill(t, (int)below(t, t->audit.co.companies));
    else
        act_member(t);
}

void people_month_end(struct town *t)
{
    if (!t->server.up)
        return;
    switch (below(t, 6)) {
    case 0:
    case 1:
        for (int i = 0; i < t->audit.co.companies; i++)
            act_bill(t, i);
        break;
    case 2:
    case 3:
        act_pay(t);
        break;
    case 4:
        people_refund(t);
        break;
    default:
        people_payout(t);
        people_payout_decide(t);
    }
}
