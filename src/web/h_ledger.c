// SPDX-License-Identifier: Apache-2.0
/* h_ledger.c: transfers, statements, the trial balance, and the money side of drivers and partners.
 *
 * Invariants:
 *  1. A statement is read from the journal alone and its balances are those of the legs, so it
 *     proves the account.
 *  2. A walk that finds a transfer without a leg of its account is ERR_CORRUPT, not a short page.
 *  3. Owners come from the log-in for drivers and partners.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/api_gen.h"
#include "web/begin.h"
#include "web/legs.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { LEGS_MAX = 64 };

int leg_next(struct cursor *c, struct leg *out)
{
    uint64_t account, prev, party;

    if (c->p == c->end)
        return ERR_NOT_FOUND;
    if (cursor_varint(c, &account) != 0 || cursor_zigzag(c, &out->amount) != 0 ||
        cursor_zigzag(c, &out->balance) != 0 || cursor_varint(c, &prev) != 0 ||
        cursor_varint(c, &party) != 0)
        return ERR_CORRUPT;
    out->account = (int64_t)account;
    out->prev = (int64_t)prev;
    out->party = (int64_t)party;
    return 0;
}

/* ---- transfers with legs ---- */

struct transfer_walk {
    struct request *r;
    struct rows *rows;
    struct str *legs; /* raw legs, one per row */
    uint32_t legs_size;
};

static int legs_keep(struct transfer_walk *w, struct str legs)
{
    if (w->rows->n > w->legs_size) {
        uint32_t more = w->legs_size == 0 ? 16 : w->legs_size * 2;
        struct str *p = ARENA_ARRAY(&w->r->arena, more, struct str);

        if (p == NULL)
            return ERR_TOO_LARGE;
        if (w->legs_size > 0)
            memcpy(p, w->legs, w->legs_size * sizeof(*p));
        w->legs = p;
        w->legs_size = more;
    }
    w->legs[w->rows->n - 1] = req_copy(w->r, legs);
    return 0;
}

static int transfer_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct transfer_walk *w = ctx;
    struct api_TransferRow *t;

    (void)n;
    if (w->rows->n == w->rows->max) {
        w->rows->more = true;
        return 1;
    }
    t = rows_add(w->r, w->rows);
    if (t == NULL)
        return ERR_TOO_LARGE;
    t->id = w->rows->next[0] = v[0].i;
    t->code = v[1].i;
    t->order_id = v[2].i;
    t->reverses = v[3].i;
    t->currency = req_copy(w->r, v[4].s);
    t->amount = MONEY(v[5].i);
    t->effective_ms = v[6].i;
    t->posted_ms = v[7].i;
    t->note = req_copy(w->r, v[8].s);
    t->actor_kind = v[9].i;
    t->actor = v[10].i;
    t->cause = begin_cause_of(&w->r->arena, (uint64_t)v[12].i);
    return legs_keep(w, v[11].s);
}

/* Who owns the account of a leg; asked once per account of the reply. */
static int owner_find(struct request *r, struct rows *known, int64_t account,
                      const struct api_AccountRow **out)
{
    const struct api_AccountRow *a = (const struct api_AccountRow *)(void *)known->p;
    struct bind id = BIND_I64("id", account);
    struct api_AccountRow row, *put;
    int err;

    for (uint32_t i = 0; i < known->n; i++)
        if (a[i].id == account) {
            *out = &a[i];
            return 0;
        }
    err = req_one(r, QUERY_ACCOUNT_GET, &id, 1, &api_AccountRow_type, &row);
    if (err != 0)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    put = rows_add(r, known);
    if (put == NULL)
        return ERR_TOO_LARGE;
    *put = row;
    *out = put;
    return 0;
}

static int legs_decode(struct request *r, struct rows *known, struct str raw,
                       struct api_TransferRow *t)
{
    struct cursor c = {(const uint8_t *)raw.p, (const uint8_t *)raw.p + raw.n};
    struct leg leg;
    int err;

    t->legs = ARENA_ARRAY(&r->arena, LEGS_MAX, struct api_Leg);
    if (t->legs == NULL)
        return ERR_TOO_LARGE;
    t->has.legs = true;
    while ((err = leg_next(&c, &leg)) == 0) {
        const struct api_AccountRow *a;

        if (t->legs_n == LEGS_MAX)
            return ERR_CORRUPT;
        err = owner_find(r, known, leg.account, &a);
        if (err != 0)
            return err;
        t->legs[t->legs_n++] = (struct api_Leg){
            leg.account, a->kind, a->owner_name, MONEY(leg.amount), MONEY(leg.balance), leg.party};
    }
    return err == ERR_NOT_FOUND ? 0 : ERR_CORRUPT;
}

int legs_transfers(struct request *r, enum query q, const struct bind *extra, size_t n,
                   struct rows *out)
{
    struct transfer_walk w = {.r = r, .rows = out};
    struct rows known = {.type = &api_AccountRow_type};
    int err = req_query(r, q, extra, n, transfer_take, &w);

    if (err == 1)
        err = 0;
    for (uint32_t i = 0; err == 0 && i < out->n; i++)
        err = legs_decode(r, &known, w.legs[i], (struct api_TransferRow *)(void *)out->p + i);
    return err;
}

/* A page may be short, and yet go on: it is as far as it looked. */
int transfers_list(struct request *r)
{
    struct rows rows = {.type = &api_TransferRow_type, .max = (uint32_t)r->limit};
    int64_t floor = 0;
    int err;

    if (req_arg(r, "order").n > 0) {
        err = legs_transfers(r, QUERY_WEB_TRANSFERS_ORDER, NULL, 0, &rows);
        return err != 0 ? err : req_page(r, &rows);
    }
    err = req_number(r, QUERY_WEB_TRANSFERS_FLOOR, NULL, 0, &floor);
    struct bind extra = BIND_I64("floor", floor);
    if (err == 0)
        err = legs_transfers(r, QUERY_WEB_TRANSFERS, &extra, 1, &rows);
    if (err == 0 && !rows.more && floor > 0) {
        rows.more = true;
        rows.next[0] = floor;
    }
    return err != 0 ? err : req_page(r, &rows);
}

int transfers_get(struct request *r)
{
    struct rows rows = {.type = &api_TransferRow_type, .max = 1};
    int err = legs_transfers(r, QUERY_WEB_TRANSFER, NULL, 0, &rows);

    return err != 0 ? err : req_json(r, &api_TransferRow_type, rows.p);
}

/* ---- statements ---- */

struct step {
    struct request *r;
    struct account_head *head;
    struct api_StatementRow *row;
    bool found;
};

static int statement_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct step *s = ctx;
    struct cursor c = {(const uint8_t *)v[11].s.p, (const uint8_t *)v[11].s.p + v[11].s.n};
    struct leg leg;

    (void)n;
    while (!s->found && leg_next(&c, &leg) == 0) {
        if (leg.account != s->head->account)
            continue;
        s->found = true;
        s->head->transfer = leg.prev;
        *s->row = (struct api_StatementRow){.transfer = v[0].i,
                                            .code = v[1].i,
                                            .order_id = v[2].i,
                                            .amount = MONEY(leg.amount),
                                            .balance = MONEY(leg.balance),
                                            .posted_ms = v[7].i,
                                            .note = req_copy(s->r, v[8].s)};
    }
    return s->found ? 0 : ERR_CORRUPT;
}

static struct account_head *newest(struct account_head *heads, size_t n)
{
    struct account_head *best = NULL;

    for (size_t i = 0; i < n; i++)
        if (heads[i].transfer != 0 && (best == NULL || heads[i].transfer > best->transfer))
            best = &heads[i];
    return best;
}

/* A page that goes on: the cursor's parts say where each account stands (0 = as before: at its
 * end). */
static bool statement_resume(const struct request *r, struct account_head *heads, size_t n)
{
    bool resumed = false;

    for (size_t i = 0; i < n && i < ARRAY_LEN(r->after); i++)
        resumed = resumed || r->after[i] != 0;
    for (size_t i = 0; resumed && i < n; i++)
        heads[i].transfer =
            i < ARRAY_LEN(r->after) && r->after[i] <= heads[i].transfer ? r->after[i] : 0;
    return resumed;
}

int legs_statement(struct request *r, struct account_head *heads, size_t n)
{
    struct rows rows = {.type = &api_StatementRow_type};
    struct account_head *head;
    bool resumed;
    int err = 0;

    resumed = statement_resume(r, heads, n);
    while (err == 0 && rows.n < (uint32_t)r->limit && (head = newest(heads, n)) != NULL) {
        struct bind id = BIND_I64("id", head->transfer);
        struct step s = {.r = r, .head = head, .row = rows_add(r, &rows)};

        if (s.row == NULL)
            return ERR_TOO_LARGE;
        err = req_query(r, QUERY_WEB_TRANSFER, &id, 1, statement_take, &s);
    }
    if (resumed && (err == ERR_NOT_FOUND || err == ERR_CORRUPT))
        return req_fail(r, ERR_SYNTAX, "?after", "not a cursor that we gave");
    if (err != 0)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    rows.more = newest(heads, n) != NULL;
    for (size_t i = 0; i < n && i < ARRAY_LEN(rows.next); i++)
        rows.next[i] = heads[i].transfer;
    return req_page(r, &rows);
}

struct heads {
    struct account_head at[STATEMENT_ACCOUNTS_MAX];
    size_t n;
};

static int head_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct heads *h = ctx;

    (void)n;
    if (h->n < 3) /* as many as the cursor has parts */
        h->at[h->n++] = (struct account_head){v[0].i, v[1].i};
    return 0;
}

static int owner_statement(struct request *r, int64_t owner, const int *kinds, size_t n)
{
    struct heads h = {.n = 0};
    int err = 0;

    for (size_t i = 0; err == 0 && i < n; i++) {
        struct bind keys[] = {BIND_I64("kind", kinds[i]), BIND_I64("owner", owner)};

        err = req_query(r, QUERY_WEB_ACCOUNT_HEAD, keys, ARRAY_LEN(keys), head_take, &h);
    }
    return err != 0 ? err : legs_statement(r, h.at, h.n);
}

int me_statement(struct request *r)
{
    static const int kinds[] = {ACCOUNT_WALLET};

    return owner_statement(r, r->actor.id, kinds, ARRAY_LEN(kinds));
}

int drivers_statement(struct request *r)
{
    static const int kinds[] = {ACCOUNT_WALLET};

    return owner_statement(r, r->id, kinds, ARRAY_LEN(kinds));
}

int me_gifts(struct request *r)
{
    static const int kinds[] = {ACCOUNT_WALLET_BONUS};

    return owner_statement(r, r->actor.id, kinds, ARRAY_LEN(kinds));
}

int drivers_gifts(struct request *r)
{
    static const int kinds[] = {ACCOUNT_WALLET_BONUS};

    return owner_statement(r, r->id, kinds, ARRAY_LEN(kinds));
}

int partner_statement(struct request *r)
{
    static const int kinds[] = {ACCOUNT_PENDING, ACCOUNT_AVAILABLE};

    return owner_statement(r, r->actor.party, kinds, ARRAY_LEN(kinds));
}

int accounts_statement(struct request *r)
{
    struct heads h = {.n = 0};
    int err = req_query(r, QUERY_WEB_ACCOUNT_LAST, NULL, 0, head_take, &h);

    return err != 0 ? err : legs_statement(r, h.at, h.n);
}

/* ---- balances ---- */

int ledger_trial(struct request *r)
{
    struct rows rows = {.type = &api_TrialRow_type, .max = 64};
    struct api_Trial out = {.as_of_ms = os_now_ms()};
    int err = req_rows(r, QUERY_WEB_TRIAL, NULL, 0, &rows);

    if (err != 0)
        return err;
    out.rows = (struct api_TrialRow *)(void *)rows.p;
    out.rows_n = rows.n;
    for (uint32_t i = 0; i < rows.n; i++)
        out.sum = money_add(out.sum, out.rows[i].balance);
    return req_json(r, &api_Trial_type, &out);
}

int me_get(struct request *r)
{
    struct api_Me me;
    int err = req_one(r, QUERY_WEB_ME, NULL, 0, &api_Me_type, &me);

    return err != 0 ? err : req_json(r, &api_Me_type, &me);
}

struct home_sums {
    struct api_PartnerHome *home;
    struct monthsum known;
};

static int sums_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct home_sums *s = ctx;

    (void)n;
    s->home->today = MONEY(v[0].i);
    s->home->today_orders = v[1].i;
    s->home->month = money_add(MONEY(s->known.sum), MONEY(v[2].i));
    if (v[4].i > s->known.upto_ms) {
        s->known.sum += v[3].i;
        s->known.upto_ms = v[4].i;
    }
    return 0;
}

/* Of the month only what came since it was looked at last, and what of today was. */
static int home_sums(struct request *r, struct api_PartnerHome *home)
{
    int64_t today_ms, month_ms, day;
    struct home_sums s = {.home = home};
    int err;

    req_today(r, &today_ms, &month_ms, &day);
    web_lock(r->web);
    s.known = monthsum_get(&r->web->sums, r->actor.party, month_ms);
    web_unlock(r->web);
    const struct bind of[] = {
        BIND_I64("from_ms", today_ms < s.known.upto_ms ? today_ms : s.known.upto_ms),
        BIND_I64("since_ms", s.known.upto_ms), BIND_I64("today_ms", today_ms)};
    err = req_query(r, QUERY_WEB_PARTNER_SUMS, of, ARRAY_LEN(of), sums_take, &s);
    if (err != 0)
        return err;
    web_lock(r->web);
    monthsum_put(&r->web->sums, &s.known);
    web_unlock(r->web);
    return 0;
}

int partner_home(struct request *r)
{
    struct api_PartnerHome home;
    int err = req_one(r, QUERY_WEB_PARTNER_HOME, NULL, 0, &api_PartnerHome_type, &home);

    if (err == 0)
        err = home_sums(r, &home);
    return err != 0 ? err : req_json(r, &api_PartnerHome_type, &home);
}
