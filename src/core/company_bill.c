// SPDX-License-Identifier: Apache-2.0
/* company_bill.c: bills of companies and what they pay. The rules are in company.h.
 *
 *  state     leaves by
 *  OPEN      its month is over and staff issue it → ISSUED; nothing is lacking, or the company is
 *            prepaid → SETTLED
 *  ISSUED    part of it is collected → PART, all of it → SETTLED
 *  PART      the rest is collected → SETTLED
 *  SETTLED   final
 *
 * Captured and refunded of a bill grow only while its month runs, so an issued bill never changes
 * its amount. Months are issued in their order. Fails by result codes; the core's thread. */
#include "core/collect.h"
#include "core/company.h"
#include "core/purse.h"

#define PAY_MAX (INT64_C(100000000) * MONEY_UNIT)
#define DAY_MS  INT64_C(86400000)

/* A month is over for bills so long after its end: a clock that is set back by less does no harm. */
enum { SETTLE_MS = 5 * 60 * 1000 };

/* ---- months ---- */

static struct company_bill *bill_of(const struct core *c, int64_t company, int32_t month)
{
    char key[DIR_KEY_SIZE];
    const struct row_company_bill r = {.company = company, .month = month};
    dir_key(ROW_COMPANY_BILL, &r, key);
    return dir_find_key(c, ROW_COMPANY_BILL, key);
}

/* The next bill of the company in the slab, from place *i on. */
static struct company_bill *bill_next(const struct core *c, int64_t company, uint32_t *i)
{
    const struct slab *s = &c->dir[ROW_COMPANY_BILL].slab;
    while (*i < s->len) {
        struct company_bill *b = slab_at(s, (*i)++);
        if (b && b->row.company == company)
            return b;
    }
    return NULL;
}

static struct company_bill *bill_add(struct core *c, const struct company *co, int32_t month)
{
    const struct tenant *t = tenant_find(c, co->row.tenant);
    struct row_company_bill r = {.id = core_id(c),
                                 .tenant = t->row.id,
                                 .company = co->row.id,
                                 .month = month,
                                 .from_ms = zone_month_begin(t->zone, month),
                                 .to_ms = zone_month_begin(t->zone, civil_month_next(month)),
                                 .currency = t->row.currency,
                                 .state = COMPANY_BILL_OPEN,
                                 .note = "",
                                 .version = 1,
                                 .created_ms = c->now};
    const struct company_bill *last = NULL, *b;
    for (uint32_t i = 0; (b = bill_next(c, co->row.id, &i)) != NULL;)
        if (!last || b->row.to_ms > last->row.to_ms)
            last = b;
    if (last && r.from_ms < last->row.to_ms)
        r.from_ms = last->row.to_ms; /* the operator's zone changed: months do not overlap */
    if (r.to_ms <= c->now)
        r.to_ms = c->now + 1;
    struct company_bill *made = dir_add(c, ROW_COMPANY_BILL, &r);
    must(made); /* one a company and month: the table is larger */
    obj_dirty(c, &made->o);
    return made;
}

struct company_bill *company_bill_now(struct core *c, const struct company *co)
{
    const struct tenant *t = tenant_find(c, co->row.tenant);
    int32_t month = zone_month(t->zone, c->now);
    struct company_bill *b;
    while ((b = bill_of(c, co->row.id, month)) != NULL && b->row.state != COMPANY_BILL_OPEN)
        month = (int32_t)civil_month_next(month); /* only after a change of the zone */
    if (!b)
        return bill_add(c, co, month);
    if (b->row.to_ms <= c->now) {
        b->row.to_ms = c->now + 1;
        obj_dirty(c, &b->o);
    }
    return b;
}

int64_t company_bill_matures(const struct core *c, const struct company_bill *b)
{
    const struct tenant *t = tenant_find(c, b->row.tenant);
    return zone_next_midnight(t->zone, b->row.to_ms - 1 + t->row.refund_days * DAY_MS);
}

/* ---- collecting ---- */

/* So much of what waits in the bucket matures, and a row says so. */
static void bucket_collect(struct core *c, struct bucket *k, int64_t paid, int64_t lacked,
                           int64_t due)
{
    int64_t waited = k->row.amount, amount = collect_part(waited, paid, lacked);
    int64_t transfer = share_collected(c, k, amount, due);
    const struct row_bill_share row = {.id = transfer ? transfer : core_id(c),
                                       .tenant = k->row.tenant,
                                       .bill = -k->row.due_ms,
                                       .party = k->row.party,
                                       .paid = paid,
                                       .lacked = lacked,
                                       .waited = waited,
                                       .amount = amount,
                                       .due_ms = transfer ? 0 : due,
                                       .at_ms = c->now};
    if (amount)
        row_put(c, ROW_BILL_SHARE, ROW_INSERT, &row);
}

/* `paid` of what the bill `lacked` came in: so much of each party's shares matures. */
static void shares_mature(struct core *c, const struct company_bill *b, int64_t paid,
                          int64_t lacked)
{
    const struct slab *s = &c->dir[ROW_PARTY].slab;
    int64_t due = company_bill_matures(c, b);
    for (uint32_t i = 0; i < s->len; i++) {
        const struct party *p = slab_at(s, i);
        struct bucket *k =
            p && p->row.tenant == b->row.tenant ? bucket_find(c, p->row.id, -b->row.id) : NULL;
        if (k)
            bucket_collect(c, k, paid, lacked, due);
        if (k && paid == lacked)
            bucket_drop(c, k);
    }
}

static void bill_collect(struct core *c, struct company_bill *b, int64_t amount)
{
    int64_t rest = company_bill_amount(b) - b->row.collected;
    must(amount > 0 && amount <= rest);
    shares_mature(c, b, amount, rest);
    company_find(c, b->row.company)->due_known = false;
    b->row.collected += amount;
    b->row.state = amount == rest ? COMPANY_BILL_SETTLED : COMPANY_BILL_PART;
    if (amount == rest)
        b->row.settled_ms = c->now;
    b->row.version++;
    obj_dirty(c, &b->o);
}

static bool bill_lacks(const struct company_bill *b)
{
    return b->row.state == COMPANY_BILL_ISSUED || b->row.state == COMPANY_BILL_PART;
}

static struct company_bill *bill_oldest(const struct core *c, int64_t company)
{
    struct company_bill *oldest = NULL, *b;
    for (uint32_t i = 0; (b = bill_next(c, company, &i)) != NULL;)
        if (bill_lacks(b) && (!oldest || b->row.month < oldest->row.month))
            oldest = b;
    return oldest;
}

/* Starts ask this: all bills are walked only when one has changed. */
bool company_overdue(const struct core *c, struct company *co)
{
    const struct company_bill *b;
    if (!co->row.overdue_days)
        return false;
    if (!co->due_known) {
        co->due_first_ms = 0;
        for (uint32_t i = 0; (b = bill_next(c, co->row.id, &i)) != NULL;)
            if (bill_lacks(b) && (!co->due_first_ms || b->row.due_ms < co->due_first_ms))
                co->due_first_ms = b->row.due_ms;
        co->due_known = true;
    }
    return co->due_first_ms && c->now >= co->due_first_ms + co->row.overdue_days * DAY_MS;
}

/* What the company has paid, or is owed, settles its bills, oldest first. */
static void advance_use(struct core *c, struct company *co)
{
    struct company_bill *b;
    while (co->row.advance > 0 && (b = bill_oldest(c, co->row.id)) != NULL) {
        int64_t rest = company_bill_amount(b) - b->row.collected;
        int64_t v = co->row.advance < rest ? co->row.advance : rest;
        bill_collect(c, b, v);
        co->row.advance -= v;
    }
    obj_dirty(c, &co->o);
}

static int pay_check(const struct core *c, const struct cmd *cmd, struct company **company,
                     struct company_bill **bill)
{
    const struct cmd_company_pay *in = &cmd->u.company_pay;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    *company = company_find(c, in->company);
    *bill = in->bill ? dir_find(c, ROW_COMPANY_BILL, in->bill) : NULL;
    if (!t || !*company || (*company)->row.tenant != t->row.id || cmd->head.station)
        return ERR_NOT_FOUND;
    if (in->bill && (!*bill || (*bill)->row.company != in->company))
        return ERR_NOT_FOUND;
    if (strcmp(in->currency, t->row.currency) != 0)
        return ERR_CURRENCY;
    if (in->amount < MONEY_FEN || in->amount > PAY_MAX || in->amount % MONEY_FEN)
        return ERR_RANGE;
    if ((*company)->row.state == ROW_DELETED)
        return ERR_DISABLED; /* a disabled one may still pay what it owes */
    if (*bill && !bill_lacks(*bill))
        return ERR_CONFLICT;
    bool over = *bill && in->amount > company_bill_amount(*bill) - (*bill)->row.collected;
    return over ? ERR_RANGE : 0;
}

static void pay_post(struct core *c, const struct cmd_company_pay *in, int64_t tenant)
{
    struct ledger_request q;
    purse_request(c, &q, tenant, TRANSFER_COMPANY_IN, in->currency);
    q.note = in->note;
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_CASH, 0, in->currency), -in->amount, 0);
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_COMPANY, in->company, in->currency), in->amount,
              0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0);
    c->made_id = ctx.id;
}

int company_pay(struct core *c, const struct cmd *cmd)
{
    const struct cmd_company_pay *in = &cmd->u.company_pay;
    struct company *co;
    struct company_bill *b;
    int64_t cash;
    int rc = pay_check(c, cmd, &co, &b);
    if (!rc)
        rc = account_open(c, co->row.tenant, ACCOUNT_CASH, 0, in->currency, &cash);
    if (rc)
        return rc;
    pay_post(c, in, co->row.tenant);
    if (b) {
        bill_collect(c, b, in->amount);
    } else if (co->row.kind == COMPANY_CREDIT) {
        co->row.advance += in->amount;
        advance_use(c, co);
    }
    company_floor(c, co);
    c->made_version = co->row.version;
    return 0;
}

/* ---- issuing ---- */

static int issue_check(const struct core *c, const struct cmd *cmd, struct company **company,
                       struct company_bill **bill)
{
    const struct cmd_company_bill *in = &cmd->u.company_bill;
    const struct company_bill *b;
    *company = company_find(c, in->company);
    if (!*company || (*company)->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    *bill = bill_of(c, in->company, in->month);
    if (!*bill)
        return ERR_NOT_FOUND; /* nothing was charged in that month */
    if ((*bill)->row.state != COMPANY_BILL_OPEN || (*bill)->row.to_ms + SETTLE_MS > c->now)
        return ERR_CONFLICT;
    for (uint32_t i = 0; (b = bill_next(c, in->company, &i)) != NULL;)
        if (b->row.state == COMPANY_BILL_OPEN && b->row.month < in->month)
            return ERR_CONFLICT; /* the earlier month first */
    return 0;
}

/* The end of the day that the company pays by: in this month or, when that is past, the next. */
static int64_t bill_due(const struct core *c, const struct company *co)
{
    const struct zone *z = tenant_find(c, co->row.tenant)->zone;
    struct civil d;
    zone_civil(z, c->now, &d);
    bool late = d.day > co->row.bill_day;
    struct civil due = {.year = d.year + (late && d.month == 12),
                        .month = (int8_t)(late ? d.month % 12 + 1 : d.month),
                        .day = (int8_t)co->row.bill_day};
    return zone_next_midnight(z, zone_instant(z, &due));
}

int company_bill_issue(struct core *c, const struct cmd *cmd)
{
    struct company *co;
    struct company_bill *b;
    int rc = issue_check(c, cmd, &co, &b);
    if (rc)
        return rc;
    int64_t amount = company_bill_amount(b);
    co->due_known = false;
    b->row.state = COMPANY_BILL_ISSUED;
    b->row.issued_ms = c->now;
    b->row.issued_by = cmd->head.actor;
    b->row.due_ms = bill_due(c, co);
    b->row.version++;
    (void)obj_text(c, &b->o, &b->row.note, cmd->u.company_bill.note);
    obj_dirty(c, &b->o);
    if (co->row.kind == COMPANY_PREPAID || amount <= 0) {
        shares_mature(c, b, 0, 0);
        b->row.state = COMPANY_BILL_SETTLED;
        b->row.collected = amount;
        b->row.settled_ms = c->now;
    }
    if (co->row.kind == COMPANY_CREDIT) {
        co->row.advance += amount < 0 ? -amount : 0;
        advance_use(c, co);
    }
    c->made_id = b->row.id;
    c->made_version = b->row.version;
    return 0;
}
