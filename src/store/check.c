// SPDX-License-Identifier: Apache-2.0
/* check.c: `even check`: accounts, transfers, holds, the trial balance; check_run.c sets it all going and
 * check_*.c have the rest.
 *
 * Works on one snapshot of the file, so a running program does not disturb it. Memory: about 130 bytes
 * an account and the page caches; transfers, holds and orders are streamed. Threads: check_run.c.
 *
 * Not read, for they carry no money:
 * people, keys, cards, chargers, tariffs, channels and packages of the directory; sessions of the web,
 * commands, events, audit, keys of idempotency, samples, pieces of open bills, facts, strays,
 * batteries, firmware, and what stations cost as staff say.
 *
 * Rules (their names are printed with each violation):
 *   storage     the engine finds its own structures whole
 *   transfer    legs readable, sum 0, amount = sum of the positive legs, ledger time never falls
 *   chain       each leg's balance and back pointer follow from the leg before it on that account
 *   account     in, out and last transfer of the row are those of the journal; balance >= floor;
 *               0 <= held <= balance
 *   hold        open: nothing captured or released; resolved: captured + released = amount; held = sum
 *               of the open ones
 *   reversal    the transfer named exists, is older, and is reversed once
 *   zero        all accounts of a tenant and currency sum to 0
 * and, told of in the heads of the other files:
 *   check_chain.c      link, certificate
 *   check_orders.c     order, lines, parts, paid, gift, discharge, session, orphan
 *   check_discharge.c  discharge
 *   check_split.c      residue, passed, rounded
 *   check_purse.c      maturing, payout, payment, position, month
 *   check_statement.c  statement
 *   check_month.c      month
 *   check_wallet.c     gift, hold, single
 *   check_company.c    company, member, bill, share
 *   check_invoice.c    invoice, invoice line, invoiced
 *   check_days.c       day
 *   check_occupancy.c  occupancy
 *   check_parallel.c   parallel
 *   check_recon.c      suspense, given, bill, settled, close
 *   check_tax.c        tax, office, person
 *   check_lot.c        lots, channel
 *   check_second.c     asked, doubt, hands, closed
 *   check_shares.c     found
 *   check_pay_file.c   payfile */
#include "store/check.h"

#include <stdarg.h>
#include "base/err.h"
#include "base/money.h"

enum { CODE_REVERSAL = 3, HOLD_IS_OPEN = 1, HOLD_IS_RESOLVED = 2 };

void check_bad(struct check *c, const char *rule, int64_t id, const char *fmt, ...)
{
    va_list ap;
    if (c->bad++ >= CHECK_PRINT_MAX)
        return;
    fprintf(c->out, "violation %s %lld: ", rule, (long long)id);
    va_start(ap, fmt);
    vfprintf(c->out, fmt, ap);
    va_end(ap);
    fputc('\n', c->out);
}

void check_equal(struct check *c, const char *rule, int64_t id, const char *what, int64_t a,
                 int64_t b)
{
    if (a != b)
        check_bad(c, rule, id, "%s: %lld, should be %lld", what, (long long)a, (long long)b);
}

struct check_account *check_account(const struct check *c, int64_t id)
{
    uint64_t place;
    if (!map_get(&c->shared->by_id, (uint64_t)id, &place))
        return NULL;
    return (struct check_account *)(void *)(c->shared->accounts.p +
                                            (place - 1) * sizeof(struct check_account));
}

int check_map_add(struct map *sums, int64_t key, int64_t amount)
{
    uint64_t sum = 0;
    (void)map_get(sums, (uint64_t)key, &sum);
    return map_put(sums, (uint64_t)key, sum + (uint64_t)amount);
}

int check_leg_next(struct cursor *c, struct check_leg *leg)
{
    uint64_t account, previous, party;
    if (c->p == c->end)
        return 0;
    int rc = cursor_varint(c, &account);
    if (rc == 0)
        rc = cursor_zigzag(c, &leg->amount);
    if (rc == 0)
        rc = cursor_zigzag(c, &leg->balance);
    if (rc == 0)
        rc = cursor_varint(c, &previous);
    if (rc == 0)
        rc = cursor_varint(c, &party);
    if (rc)
        return ERR_SYNTAX;
    leg->account = (int64_t)account;
    leg->previous = (int64_t)previous;
    leg->party = (int64_t)party;
    return 1;
}

/* ---- accounts and transfers ---- */

static int account_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    struct check_account a = {.id = v[0].i,
                              .tenant = v[1].i,
                              .kind = (int32_t)v[2].i,
                              .row_in = v[4].i,
                              .row_out = v[5].i,
                              .row_held = v[6].i,
                              .floor = v[7].i,
                              .row_last = v[8].i,
                              .owner = v[9].i};
    (void)n;
    (void)str_copy(a.currency, sizeof a.currency, v[3].s);
    int rc = check_chain_account(c, &a);
    if (rc)
        return rc;
    buf_put(&c->shared->accounts, &a, sizeof a);
    rc = c->shared->accounts.err;
    uint64_t at = c->shared->accounts.n / sizeof a;
    if (rc == 0 && a.kind == ACCOUNT_PENDING)
        rc = map_put(&c->shared->pending, (uint64_t)a.owner, at);
    if (rc == 0 && a.kind == ACCOUNT_TRANSIT)
        rc = map_put(&c->shared->transit, (uint64_t)a.owner, at);
    return rc ? rc : map_put(&c->shared->by_id, (uint64_t)a.id, at);
}

static int leg_check(struct check *c, const struct sql_value *v, const struct check_leg *leg)
{
    int64_t id = v[0].i;
    struct check_account *a = check_account(c, leg->account);
    if (!a) {
        check_bad(c, "transfer", id, "no account %lld", (long long)leg->account);
        return 0;
    }
    if (a->tenant != v[1].i || !str_eq_c(v[4].s, a->currency))
        check_bad(c, "transfer", id, "account %lld is of another tenant or currency",
                  (long long)a->id);
    if (leg->amount == 0)
        check_bad(c, "transfer", id, "a leg of nothing on account %lld", (long long)a->id);
    if (leg->amount > 0)
        a->in = check_add(a->in, leg->amount);
    else
        a->out = check_sub(a->out, leg->amount);
    check_chain_leg(c, a, leg->amount);
    int64_t balance = check_sub(a->in, a->out);
    check_equal(c, "chain", id, "balance after the leg", leg->balance, balance);
    check_equal(c, "chain", id, "transfer before it", leg->previous, a->last);
    if (a->kind == ACCOUNT_COMPANY) { /* its floor changes: judged as it stands, check_company.c */
        if (v[2].i == TRANSFER_COMPANY_IN)
            a->waits = check_add(a->waits, leg->amount);
    } else if (balance < a->floor)
        check_bad(c, "account", a->id, "balance %lld is below the floor %lld at transfer %lld",
                  (long long)balance, (long long)a->floor, (long long)id);
    a->last = id;
    if (a->kind == ACCOUNT_GRID)
        check_discharge_leg(c, id, v[2].i);
    check_statement_leg(c, a, v, leg->amount);
    int rc = a->kind == ACCOUNT_WALLET ? check_lot_leg(c, a, v, leg->amount) : 0;
    return rc ? rc : check_wallet_leg(c, a, id, v[2].i, leg->amount);
}

static int transfer_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    struct check_leg leg;
    struct cursor legs = {(const uint8_t *)v[7].s.p, (const uint8_t *)v[7].s.p + v[7].s.n};
    int64_t id = v[0].i, sum = 0, positive = 0;
    int more = 0, rc = check_chain_transfer(c, v);
    (void)n;
    if (rc)
        return rc;
    c->transfers++;
    while (rc == 0 && (more = check_leg_next(&legs, &leg)) == 1) {
        rc = leg_check(c, v, &leg);
        sum = check_add(sum, leg.amount);
        positive = leg.amount > 0 ? check_add(positive, leg.amount) : positive;
    }
    if (more < 0)
        check_bad(c, "transfer", id, "the legs cannot be read");
    check_equal(c, "transfer", id, "sum of the legs", sum, 0);
    check_equal(c, "transfer", id, "amount", v[5].i, positive);
    if (positive == 0)
        check_bad(c, "transfer", id, "moves nothing");
    if (v[6].i < c->posted_ms)
        check_bad(c, "transfer", id, "ledger time goes back");
    c->posted_ms = v[6].i;
    c->named += v[2].i == TRANSFER_MATURE && v[9].i;
    if (v[3].i >= id || (v[2].i == CODE_REVERSAL && v[3].i == 0))
        check_bad(c, "reversal", id, "names transfer %lld", (long long)v[3].i);
    return rc;
}

static int reversal_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "reversal", v[0].i, "reversed %lld times", (long long)v[1].i);
    return 0;
}

/* ---- holds ---- */

static bool order_is_over(int64_t state)
{
    return state >= ORDER_SETTLED && state <= ORDER_DOUBTFUL;
}

static void hold_open(struct check *c, const struct sql_value *v, struct check_account *a)
{
    int64_t id = v[0].i;
    if (v[5].i || v[6].i || v[8].i)
        check_bad(c, "hold", id, "open, but captured %lld and released %lld", (long long)v[5].i,
                  (long long)v[6].i);
    if (v[3].i && order_is_over(v[9].i))
        check_bad(c, "hold", id, "open, but its order %lld is over", (long long)v[3].i);
    if (a)
        a->held = check_add(a->held, v[4].i);
}

static int hold_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    int64_t id = v[0].i;
    struct check_account *a = check_account(c, v[2].i);
    (void)n;
    c->holds++;
    if (!a || a->tenant != v[1].i)
        check_bad(c, "hold", id, "account %lld is not there or of another tenant",
                  (long long)v[2].i);
    if (v[3].i && v[9].i == 0)
        check_bad(c, "hold", id, "no order %lld", (long long)v[3].i);
    if (v[4].i <= 0 || v[5].i < 0 || v[6].i < 0)
        check_bad(c, "hold", id, "amount %lld, captured %lld, released %lld", (long long)v[4].i,
                  (long long)v[5].i, (long long)v[6].i);
    if (v[7].i == HOLD_IS_OPEN)
        hold_open(c, v, a);
    else if (v[7].i == HOLD_IS_RESOLVED)
        check_equal(c, "hold", id, "captured and released", check_add(v[5].i, v[6].i), v[4].i);
    else
        check_bad(c, "hold", id, "unknown state %lld", (long long)v[7].i);
    return 0;
}

/* ---- balances ---- */

static void account_check(struct check *c, const struct check_account *a)
{
    int64_t balance = check_sub(a->row_in, a->row_out);
    check_equal(c, "account", a->id, "posted in", a->row_in, a->in);
    check_equal(c, "account", a->id, "posted out", a->row_out, a->out);
    check_equal(c, "account", a->id, "last transfer", a->row_last, a->last);
    check_equal(c, "hold", a->id, "held of the account", a->row_held, a->held);
    if (balance < a->floor)
        check_bad(c, "account", a->id, "balance %lld is below the floor", (long long)balance);
    if (a->row_held < 0 || (a->floor == 0 && a->row_held > balance))
        check_bad(c, "account", a->id, "held %lld of balance %lld", (long long)a->row_held,
                  (long long)balance);
}

static const char *kind_name(int32_t kind)
{
    static const char *const names[] = {
        "",       "cash",       "wallet",    "bonus",   "debt",        "pending", "available",
        "income", "overrun",    "suspense",  "channel", "channel fee", "bank",    "transit",
        "tax",    "party debt", "marketing", "company", "grid"};
    return kind > 0 && kind < (int32_t)ARRAY_LEN(names) ? names[kind] : "unknown";
}

/* One line of the trial balance, and its share in the sum of its tenant and currency. */
struct total {
    int64_t tenant, n, in, out, held;
    int32_t kind;
    char currency[4];
};

static bool total_same(const struct total *t, const struct check_account *a, bool by_kind)
{
    return t->tenant == a->tenant && strcmp(t->currency, a->currency) == 0 &&
           (!by_kind || t->kind == a->kind);
}

static struct total *total_find(struct buf *totals, const struct check_account *a, bool by_kind)
{
    struct total *t = (struct total *)(void *)totals->p;
    for (size_t i = 0; i < totals->n / sizeof *t; i++)
        if (total_same(&t[i], a, by_kind))
            return &t[i];
    struct total fresh = {.tenant = a->tenant, .kind = by_kind ? a->kind : 0};
    memcpy(fresh.currency, a->currency, sizeof fresh.currency);
    buf_put(totals, &fresh, sizeof fresh);
    return totals->err ? NULL : (struct total *)(void *)(totals->p + totals->n - sizeof fresh);
}

static int total_add(struct buf *totals, const struct check_account *a, bool by_kind)
{
    struct total *t = total_find(totals, a, by_kind);
    if (!t)
        return ERR_TOO_LARGE;
    t->n++;
    t->in = check_add(t->in, a->row_in);
    t->out = check_add(t->out, a->row_out);
    t->held = check_add(t->held, a->row_held);
    return 0;
}

static void total_print(const struct check *c, const struct total *t)
{
    char in[MONEY_TEXT_SIZE], out[MONEY_TEXT_SIZE], held[MONEY_TEXT_SIZE], sum[MONEY_TEXT_SIZE];
    money_format(MONEY(t->in), in);
    money_format(MONEY(t->out), out);
    money_format(MONEY(t->held), held);
    money_format(MONEY(check_sub(t->in, t->out)), sum);
    fprintf(c->out, "tenant %lld %s %-11s accounts %lld in %s out %s balance %s held %s\n",
            (long long)t->tenant, t->currency, kind_name(t->kind), (long long)t->n, in, out, sum,
            held);
}

static int trial_balance(struct check *c)
{
    struct buf kinds, sums;
    int rc = 0;
    buf_init(&kinds, 64 << 20);
    buf_init(&sums, 64 << 20);
    const struct check_account *a = (const struct check_account *)(void *)c->shared->accounts.p;
    for (size_t i = 0; i < c->shared->accounts.n / sizeof *a && rc == 0; i++) {
        account_check(c, &a[i]);
        rc = total_add(&kinds, &a[i], true);
        if (rc == 0)
            rc = total_add(&sums, &a[i], false);
    }
    const struct total *t = (const struct total *)(void *)kinds.p;
    for (size_t i = 0; i < kinds.n / sizeof *t; i++)
        total_print(c, &t[i]);
    t = (const struct total *)(void *)sums.p;
    for (size_t i = 0; i < sums.n / sizeof *t; i++)
        check_equal(c, "zero", t[i].tenant, "sum of all accounts", t[i].in, t[i].out);
    buf_free(&kinds);
    buf_free(&sums);
    return rc;
}

/* ---- all of it ---- */

int check_accounts(struct check *c)
{
    return store_query(c->r, QUERY_CHECK_ACCOUNTS, NULL, 0, account_take, c);
}

int check_ledger(struct check *c)
{
    int rc = check_chain_begin(c);
    if (rc == 0)
        rc = check_lot_begin(c);
    if (rc == 0)
        rc = check_statement_begin(c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_TRANSFERS, NULL, 0, transfer_take, c);
    if (rc == 0)
        rc = check_chain_end(c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_REVERSALS, NULL, 0, reversal_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_HOLDS, NULL, 0, hold_take, c);
    return rc ? rc : trial_balance(c);
}
