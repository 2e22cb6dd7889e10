// SPDX-License-Identifier: Apache-2.0
/* audit_file.c: the auditor reads the file, with SQL of its own and none of the store's code; see
 * audit.h. */
#include "town/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/types.h"
#include "store/store.h"
#include "town/audit_sql.h"

enum { STAY_SLACK_MS = 60000 };
#define JITTER_MWH 100000 /* a dispute about less is decided for the driver */

/* ---- what was under way when the power went ---- */

static bool key_find(sqlite3 *db, const struct cmd *cmd, int64_t *id, int64_t *at_ms)
{
    sqlite3_stmt *st = ask(db, "SELECT ref, finger, at_ms FROM idem WHERE key = ?");
    sqlite3_bind_text(st, 1, cmd->head.idem_key, -1, SQLITE_STATIC);
    bool found = sqlite3_step(st) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(st, 1), cmd->head.idem_finger) == 0;
    if (found) {
        *id = sqlite3_column_int64(st, 0);
        *at_ms = sqlite3_column_int64(st, 2);
    }
    sqlite3_finalize(st);
    return found;
}

static int rank_of(int32_t state)
{
    switch (state) {
    case ORDER_CREATED:
    case ORDER_HELD:
        return 1;
    case ORDER_STARTING:
        return 2;
    case ORDER_CHARGING:
    case ORDER_SUSPENDED:
        return 3;
    case ORDER_STOPPING:
        return 4;
    case ORDER_DOUBTFUL:
        return 5;
    default:
        return state ? 6 : 0;
    }
}

/* The page is loaded anew: orders as they stand. None has gone back. */
static void orders_reload(struct audit *a, sqlite3 *db)
{
    int64_t v[COLUMNS];
    sqlite3_stmt *st =
        ask(db, "SELECT id, driver, charger, connector, cap, state, doubt, paid, "
                "total, kind, energy_mwh, created_ms, (SELECT max(at_ms) FROM order_event "
                "WHERE order_id = orders.id AND event IN (14, 16, 17)) "
                "FROM orders ORDER BY id");
    while (row(st, v)) {
        const struct seen_order *o = audit_order(a, v[0]);
        int32_t told = o ? o->state : 0;
        if (rank_of((int32_t)v[5]) < rank_of(told))
            audit_differ(a, "order %lld was told to be in state %d and is in %d after the crash",
                         (long long)v[0], told, (int)v[5]);
        audit_event(a,
                    &(struct out_event){.kind = EVENT_ORDER,
                                        .order = v[0],
                                        .driver = v[1],
                                        .charger = v[2],
                                        .connector = v[9] == ORDER_OCCUPANCY ? 0 : v[3],
                                        .cap = v[4],
                                        .state = (int32_t)v[5],
                                        .doubt = (int32_t)v[6],
                                        .amount = v[7],
                                        .cost = v[8],
                                        .energy_mwh = v[10],
                                        .at_ms = v[12]},
                    0);
        audit_order_take(a, v[0])->began_ms = v[11];
    }
    for (size_t i = 0; i < a->orders; i++)
        if (number(db, "SELECT count(*) FROM orders WHERE id = ?", a->order[i].id, 0) != 1)
            audit_differ(a, "order %lld is lost", (long long)a->order[i].id);
}

static void payments_reload(struct audit *a, sqlite3 *db)
{
    static const struct {
        const char *sql;
        enum event_kind kind;
    } lists[] = {
        {"SELECT id, state FROM payment WHERE method NOT IN (0, 5) ORDER BY id", EVENT_PAYMENT},
        {"SELECT id, state FROM payout ORDER BY id", EVENT_PAYOUT}};
    int64_t v[COLUMNS];
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        sqlite3_stmt *st = ask(db, lists[i].sql);
        while (row(st, v))
            audit_event(
                a,
                &(struct out_event){.kind = lists[i].kind, .order = v[0], .state = (int32_t)v[1]},
                0);
    }
}

/* Shares whose event nobody heard: of the batches that were under way. True: some were taken back. */
static bool shares_reload(struct audit *a, sqlite3 *db)
{
    bool back = false;
    int64_t v[COLUMNS];
    sqlite3_stmt *st = ask(db, "SELECT order_id, party, sum(amount), max(at_ms) FROM split_part "
                               "GROUP BY order_id, party ORDER BY 1, 2");
    while (row(st, v)) {
        int64_t known = 0;
        for (size_t i = 0; i < a->facts; i++)
            if (a->fact[i].kind == FACT_SHARE && a->fact[i].id == v[0] && a->fact[i].who == v[1])
                known += a->fact[i].amount;
        back |= known > v[2];
        if (known != v[2])
            audit_event(a,
                        &(struct out_event){.kind = EVENT_SHARE,
                                            .order = v[0],
                                            .party = v[1],
                                            .amount = v[2] - known,
                                            .at_ms = v[3]},
                        0);
    }
    return back;
}

/* ---- what must be there ---- */

static void wallets_check(struct audit *a, sqlite3 *db)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++) {
        int64_t d = a->driver[i];
        int64_t balance = number(db,
                                 "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account "
                                 "WHERE kind IN (2, 3, 4) AND owner = ?",
                                 d, 0);
        int64_t held = number(
            db, "SELECT coalesce(sum(held), 0) FROM account WHERE kind IN (2, 3) AND owner = ?", d,
            0);
        /* Gift money: what was given and is not in an order; a refund whose gift was spent already
         * was paid for out of principal. */
        int64_t gift = number(db,
                              "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account "
                              "WHERE kind = 3 AND owner = ?",
                              d, 0);
        int64_t spent =
            number(db, "SELECT coalesce(sum(gift), 0) FROM orders WHERE driver = ?", d, 0) -
            number(db, "SELECT coalesce(sum(gift_cost), 0) FROM payment WHERE driver = ?", d, 0);
        if (gift != audit_gift(a, d) - spent)
            audit_differ(a, "driver %d: the file has %lld of gift money, expected %lld", i,
                         (long long)gift, (long long)(audit_gift(a, d) - spent));
        a->gift_said[i] = gift;
        a->gift_held_said[i] = number(
            db, "SELECT coalesce(sum(held), 0) FROM account WHERE kind = 3 AND owner = ?", d, 0);
        if (balance != audit_balance(a, d) || held != audit_held(a, d))
            audit_differ(a, "driver %d: the file has %lld, %lld held; expected %lld, %lld", i,
                         (long long)balance, (long long)held, (long long)audit_balance(a, d),
                         (long long)audit_held(a, d));
    }
}

static void parties_check(struct audit *a, sqlite3 *db)
{
    int64_t party[AUDIT_PARTNERS + 1] = {a->platform};
    for (int i = 0; i < AUDIT_PARTNERS; i++)
        party[i + 1] = a->partner[i].id;
    for (size_t i = 0; i < ARRAY_LEN(party); i++) {
        int64_t has = number(db,
                             "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account "
                             "WHERE kind IN (5, 6, 7, 13, 15) AND owner = ?",
                             party[i], 0);
        int64_t gone = audit_tax_held(a, party[i]);
        for (size_t k = 0; k < a->facts; k++)
            if (a->fact[k].kind == FACT_PAYOUT && a->fact[k].who == party[i] &&
                a->fact[k].state == PAYOUT_SETTLED)
                gone += a->fact[k].amount;
        if (has != audit_share(a, party[i]) - gone)
            audit_differ(a, "party %zu: the file has %lld, expected %lld", i, (long long)has,
                         (long long)(audit_share(a, party[i]) - gone));
    }
}

static void facts_check(struct audit *a, sqlite3 *db)
{
    int64_t topups = 0, payouts = 0, paid = 0, payments = 0, gifts = 0;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *f = &a->fact[i];
        int64_t n = 1;
        topups += f->kind == FACT_TOPUP;
        gifts += f->kind == FACT_GIFT;
        payouts += f->kind == FACT_PAYOUT || f->kind == FACT_PRINCIPAL;
        payments += f->kind == FACT_PAID;
        paid += f->kind == FACT_PAID && f->state == PAYMENT_PAID;
        if (f->kind == FACT_TOPUP)
            n = number(db, "SELECT count(*) FROM transfer WHERE id = ? AND code = 1 AND amount = ?",
                       f->id, f->amount);
        else if (f->kind == FACT_GIFT)
            n = number(db, "SELECT count(*) FROM payment WHERE id = ? AND gift = ? AND method = 4",
                       f->id, f->amount);
        else if (f->kind == FACT_PAID)
            n = number(db, "SELECT count(*) FROM payment WHERE id = ? AND state = ?", f->id,
                       f->state);
        else if (f->kind == FACT_PAYOUT || f->kind == FACT_PRINCIPAL)
            n = number(db, "SELECT count(*) FROM payout WHERE id = ? AND state = ?", f->id,
                       f->state);
        if (n != 1)
            audit_differ(a, "fact %d, id %lld, amount %lld: there %lld times", (int)f->kind,
                         (long long)f->id, (long long)f->amount, (long long)n);
    }
    if (number(db, "SELECT count(*) FROM transfer WHERE code = 1", 0, 0) != topups + paid)
        audit_differ(a, "there are top-ups that nobody asked for");
    if (number(db, "SELECT count(*) FROM payment WHERE method <> 5", 0, 0) !=
        topups + payments + gifts)
        audit_differ(a, "there are payments that nobody asked for");
    if (number(db, "SELECT count(*) FROM payout", 0, 0) != payouts)
        audit_differ(a, "there are payouts that nobody asked for");
    if (number(db, "SELECT count(*) FROM idem", 0, 0) != (int64_t)a->keys)
        audit_differ(a, "%lld keys are kept, %zu were used",
                     (long long)number(db, "SELECT count(*) FROM idem", 0, 0), a->keys);
    for (size_t i = 0; i < a->orders; i++)
        if (number(db, "SELECT refunded FROM orders WHERE id = ?", a->order[i].id, 0) !=
            audit_refunded(a, a->order[i].id))
            audit_differ(a, "order %lld: another sum was given back", (long long)a->order[i].id);
}

/* What a charger was told is done, is. */
static void truths_check(struct audit *a, sqlite3 *db, const struct street *s)
{
    for (int i = 0; i < s->truths; i++) {
        const struct truth *t = &s->truth[i];
        if (!t->told || !t->tx)
            continue;
        int64_t n =
            number(db, "SELECT count(*) FROM session WHERE charger = ? AND tx = ? AND state = 2",
                   a->charger[t->charger].id, t->tx);
        if (n != 1 && !t->refused)
            audit_differ(a, "charger %d: transaction %lld was acknowledged, there %lld times",
                         t->charger, (long long)t->tx, (long long)n);
    }
}

void audit_reload(struct audit *a, const char *path, struct cmd *const *pending, size_t n,
                  const struct street *s)
{
    sqlite3 *db = file_open(path);
    int64_t id, at_ms;
    bool collected = false;
    a->reloads++;
    a->reloading = true;
    (void)str_copy(a->db, sizeof a->db, str_from_c(path));
    audit_gate_forget(a);
    for (size_t i = 0; i < n; i++)
        if (pending[i]->head.idem_set && !audit_key(a, pending[i]->head.idem_key) &&
            key_find(db, pending[i], &id, &at_ms)) {
            audit_key_add(a, pending[i], id);
            audit_effect(a, pending[i], id, at_ms);
            collected |= pending[i]->head.type == CMD_COMPANY_PAY ||
                         pending[i]->head.type == CMD_COMPANY_BILL;
        }
    orders_reload(a, db);
    a->co.vague |= shares_reload(a, db) && collected;
    payments_reload(a, db);
    audit_settled(a);
    a->reloading = false;
    audit_tax_reload(a, db);
    audit_stay_reload(a, db);
    for (int i = 0; i < a->chargers; i++)
        a->charger[i].online = false;
    for (int i = 0; i < a->connectors; i++)
        a->connector[i].status = CS_OFFLINE;
    memset(a->wallet_dirty, 0, sizeof a->wallet_dirty);
    wallets_check(a, db);
    parties_check(a, db);
    facts_check(a, db);
    truths_check(a, db, s);
    audit_company_file(a, db);
    audit_discharge_file(a, db);
    audit_tax_file(a, db);
    audit_bank_file(a, db, false);
    must(sqlite3_close(db) == SQLITE_OK);
}

/* ---- the end ---- */

enum { FEE_LINES = 3 }; /* electricity, service, occupancy */

static const struct truth *truth_of(const struct audit *a, const struct street *s, int64_t charger,
                                    int64_t tx, const char *tx_no)
{
    for (int i = 0; i < s->truths; i++) {
        const struct truth *t = &s->truth[i];
        if (a->charger[t->charger].id != charger)
            continue;
        if (t->tx ? t->tx == tx : tx_no[0] && strcmp(t->id, tx_no) == 0)
            return t;
    }
    return NULL;
}

static int64_t line_amount(int64_t mwh, int64_t price_e5)
{
    ev_i128 p = (ev_i128)mwh * price_e5; /* 1e-6 kWh × 1e-5 yuan; a fen is 1e9 of them */
    return 100 * (int64_t)((p + 500000000) / 1000000000);
}

struct ended {
    int64_t id, charger, tx, state, doubt, estimated, energy, total, paid, loss, cap, station,
        driver, evidence;
    const char *tx_no;
};

static void order_check(struct audit *a, const struct street *s, const struct ended *o)
{
    const struct truth *t = truth_of(a, s, o->charger, o->tx, o->tx_no);
    if (o->paid + o->loss != o->total)
        audit_differ(a, "order %lld: paid and loss are not its total", (long long)o->id);
    a->settled++;
    a->doubtful += o->doubt != 0;
    if (!t || !t->told || o->doubt || o->estimated)
        return;
    int64_t energy = t->sent_mwh;
    a->known++;
    bool less = t->placeholder || (o->evidence & EV_IMPLAUSIBLE);
    int64_t most_less = t->placeholder ? energy : JITTER_MWH;
    if (less ? o->energy > energy || o->energy < energy - most_less : o->energy != energy) {
        audit_differ(a, "order %lld: billed %lld mWh, %lld flowed (%s, charger %d, tx %lld)",
                     (long long)o->id, (long long)o->energy, (long long)energy,
                     model_habit_name(t->habit), t->charger, (long long)o->tx);
        return;
    }
    const struct seen_order *seen = audit_order(a, o->id);
    if (seen && seen->gives) {
        int64_t earned = line_amount(o->energy, audit_discharge_price(a, o->station));
        a->given_exact++;
        if (o->total != earned || o->paid != earned)
            audit_differ(a, "order %lld: earned %lld, paid %lld, expected %lld", (long long)o->id,
                         (long long)o->total, (long long)o->paid, (long long)earned);
        return;
    }
    if (o->station != a->flat_station)
        return;
    int64_t total = line_amount(o->energy, a->elec_e5) + line_amount(o->energy, a->service_e5);
    a->exact++;
    if (o->total != total)
        audit_differ(a, "order %lld: costs %lld, expected %lld", (long long)o->id,
                     (long long)o->total, (long long)total);
    if (o->driver && o->cap && !audit_company_overruns(a, audit_order(a, o->id)) &&
        o->paid != (total < o->cap ? total : o->cap))
        audit_differ(a, "order %lld: paid %lld of %lld with a cap of %lld", (long long)o->id,
                     (long long)o->paid, (long long)total, (long long)o->cap);
}

static void orders_check(struct audit *a, sqlite3 *db, const struct street *s)
{
    int64_t v[COLUMNS];
    sqlite3_stmt *st =
        ask(db, "SELECT o.id, o.charger, s.tx, o.state, o.doubt, o.estimated, o.energy_mwh, "
                "o.total, o.paid, o.loss, o.cap, o.station, o.driver, s.evidence, s.tx_no "
                "FROM orders o JOIN session s ON s.order_id = o.id ORDER BY o.id");
    while (row(st, v)) {
        struct ended o;
        memcpy(&o, v, sizeof v);
        o.tx_no = (const char *)sqlite3_column_text(st, COLUMNS);
        const struct seen_order *seen = audit_order(a, o.id);
        if (!seen || seen->state != o.state || seen->paid != o.paid)
            audit_differ(a, "order %lld: the page said state %d, paid %lld; the file %lld, %lld",
                         (long long)o.id, seen ? seen->state : 0, seen ? (long long)seen->paid : 0,
                         (long long)o.state, (long long)o.paid);
        if (o.state == ORDER_SETTLED)
            order_check(a, s, &o);
        else if (o.state == ORDER_START_FAILED)
            a->failed++;
        else
            audit_differ(a, "order %lld is not over: state %lld", (long long)o.id,
                         (long long)o.state);
        if (o.state == ORDER_START_FAILED && (o.paid || o.total))
            audit_differ(a, "order %lld failed and cost something", (long long)o.id);
    }
}

/* A bay that stayed taken costs no more than the minutes from the end of the charge until the plug was
 * pulled, less the free ones. How long it takes to tell that is the charger's line's. */
static void stays_check(struct audit *a, sqlite3 *db, const struct street *s)
{
    int64_t v[COLUMNS];
    sqlite3_stmt *st = ask(db, "SELECT o.id, o.total, s.charger, s.tx, o.driver, p.driver, "
                               "o.start_ms < p.settled_ms, s.tx_no FROM orders o "
                               "JOIN orders p ON p.id = o.linked "
                               "JOIN session s ON s.order_id = o.linked WHERE o.kind = 2");
    while (row(st, v)) {
        const struct truth *t =
            truth_of(a, s, v[2], v[3], (const char *)sqlite3_column_text(st, 7));
        a->stays++;
        a->fees += v[1] > 0;
        if (v[4] != v[5] || v[6])
            audit_differ(a, "order %lld does not follow its charge", (long long)v[0]);
        if (!t || !t->stopped || !t->left_ms)
            continue;
        int64_t minutes = (t->left_ms - t->stop_ms + STAY_SLACK_MS) / 60000 - a->occ_free_min;
        int64_t most = minutes > 0 ? minutes * a->occ_price : 0;
        if (v[1] > most + MONEY_FEN * (most > 0)) /* a line is rounded to the fen */
            audit_differ(a, "order %lld: a stay costs %lld, most %lld (charger %d, tx %lld)",
                         (long long)v[0], (long long)v[1], (long long)most, t->charger,
                         (long long)t->tx);
    }
    if (number(db, "SELECT count(*) FROM orders WHERE kind = 2", 0, 0) != (int64_t)a->stays)
        audit_differ(a, "a stay follows no charge");
}

/* Over all orders each partner has the contractual share of what was paid, to a fen for each refund; by the
 * deficit rule what orders round is made up for by the next ones, by the others it may add up. */
static void ratio_check(struct audit *a, sqlite3 *db)
{
    int64_t all = number(db, "SELECT coalesce(sum(amount), 0) FROM split_part", 0, 0);
    int64_t rows = number(db, "SELECT count(*) FROM split_part WHERE amount < 0", 0, 0);
    int64_t transfers = number(db, "SELECT count(DISTINCT transfer) FROM split_part", 0, 0);
    int64_t units = 2 + 2 * rows + (transfers > (int64_t)a->settled ? transfers : 0);
    if (a->rounding != ROUND_DEFICIT)
        units += transfers * FEE_LINES;
    for (int i = 0; i < AUDIT_PARTNERS; i++) {
        const struct seen_partner *p = &a->partner[i];
        int64_t has = audit_share(a, p->id);
        ev_i128 off = (ev_i128)has * p->den - (ev_i128)all * p->num;
        ev_i128 slack = (ev_i128)units * MONEY_FEN * p->den;
        if (off > slack || -off > slack)
            audit_differ(a, "partner %d has %lld of %lld, his part is %lld of %lld", i,
                         (long long)has, (long long)all, (long long)p->num, (long long)p->den);
    }
}

static void books_check(struct audit *a, const char *path)
{
    char *report = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&report, &size);
    must(out);
    int res = store_check(path, out);
    fclose(out);
    if (res != 0)
        audit_differ(a, "even check: %s", report);
    free(report);
}

/* Whatever the provider was paid is in a wallet, or set aside for a person to decide. */
static void deals_check(struct audit *a, sqlite3 *db)
{
    for (int i = 0; i < a->provider->deals; i++) {
        const struct deal *d = &a->provider->deal[i];
        int64_t state = number(db,
                               d->out ? "SELECT state FROM payout WHERE id = ?"
                                      : "SELECT state FROM payment WHERE id = ?",
                               d->row, 0);
        bool right = d->state != PAY_DONE   ? state != (d->out ? PAYOUT_SETTLED : PAYMENT_PAID)
                     : d->out               ? state == PAYOUT_SETTLED
                     : d->paid == d->amount ? state == PAYMENT_PAID
                                            : state == PAYMENT_SUSPENSE;
        if (!right)
            audit_differ(a, "the provider's deal %lld is in state %d, ours in %lld",
                         (long long)d->row, d->state, (long long)state);
    }
}

/* What a party may withdraw, by the second. One that owed, or whose shares a crash confused, is excused. */
static void available_check(struct audit *a, sqlite3 *db, int64_t now_ms)
{
    for (int i = 0; i < AUDIT_PARTNERS; i++) {
        const struct seen_partner *p = &a->partner[i];
        int64_t has = number(db,
                             "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account "
                             "WHERE kind = 6 AND owner = ?",
                             p->id, 0);
        if (!p->owes && !a->co.vague && has != audit_available(a, p->id, now_ms))
            audit_differ(a, "partner %d may withdraw %lld, expected %lld", i, (long long)has,
                         (long long)audit_available(a, p->id, now_ms));
    }
}

void audit_finish(struct audit *a, const char *path, const struct street *s, int64_t now_ms)
{
    sqlite3 *db = file_open(path);
    wallets_check(a, db);
    parties_check(a, db);
    facts_check(a, db);
    truths_check(a, db, s);
    orders_check(a, db, s);
    stays_check(a, db, s);
    if (!a->terms.clauses)
        ratio_check(a, db);
    audit_clause_file(a, db);
    deals_check(a, db);
    available_check(a, db, now_ms);
    audit_stay_file(a, db);
    audit_company_file(a, db);
    audit_discharge_file(a, db);
    audit_tax_file(a, db);
    audit_bank_file(a, db, true);
    audit_notice_file(a, db);
    if (number(db, "SELECT count(*) FROM hold WHERE state = 1", 0, 0) != 0)
        audit_differ(a, "money is still held");
    must(sqlite3_close(db) == SQLITE_OK);
    books_check(a, path);
}
