// SPDX-License-Identifier: Apache-2.0
/* world_load.c: the store of world.h as a core sees it: what is loaded at a start, and what a need
 * brings, in the order of the real one. */
#include "world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

/* ---- loading as the real store does ---- */

static void load(struct world *w, const struct stored *s)
{
    assert_int_equal(core_load(w->core, s->table, world_unpacked(w, s)), 0);
}

static void load_order(struct world *w, int64_t order)
{
    static const enum row_table tables[] = {ROW_ORDERS, ROW_HOLD, ROW_SESSION, ROW_BILL_PIECE,
                                            ROW_SPLIT_PART};
    const struct row_session *se = world_session(w, order);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < w->rows_n; i++) {
            if (w->rows[i].table != tables[t])
                continue;
            const void *row = world_unpacked(w, &w->rows[i]);
            const int64_t *by = row_field(tables[t], row, "order_id");
            bool mine = tables[t] == ROW_ORDERS       ? *(const int64_t *)row == order
                        : tables[t] == ROW_BILL_PIECE ? se && *(const int64_t *)row == se->id
                                                      : *by == order;
            if (mine)
                load(w, &w->rows[i]);
        }
    }
}

static int64_t need_find(struct world *w, const struct core_need *need)
{
    if (need->kind == NEED_ORDER)
        return world_order(w, need->a) ? need->a : 0;
    int64_t found = 0;
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_SESSION)
            continue;
        const struct row_session *s = world_unpacked(w, &w->rows[i]);
        if ((need->kind == NEED_TX && s->charger == need->a && s->tx == need->b) ||
            (need->kind == NEED_TX_NO && strcmp(s->tx_no, need->text) == 0))
            found = s->order_id;
    }
    return found;
}

/* ---- chargers with their connectors, drivers with their accounts ---- */

static bool by_need(enum row_table t)
{
    return t == ROW_CHARGER || t == ROW_CONNECTOR || t == ROW_DRIVER || t == ROW_TOKEN ||
           t == ROW_ACCOUNT;
}

static bool of_driver(const struct row_account *a, int64_t driver)
{
    bool kind = a->kind >= ACCOUNT_WALLET && a->kind <= ACCOUNT_DEBT;
    return kind && (driver < 0 || a->owner == driver);
}

/* Loads the rows of a table whose number column `name` is `id`. */
static void load_where(struct world *w, enum row_table t, const char *name, int64_t id)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != t)
            continue;
        const void *row = world_unpacked(w, &w->rows[i]);
        if (*(const int64_t *)row_field(t, row, name) != id)
            continue;
        if (t != ROW_ACCOUNT || of_driver(row, id))
            load(w, &w->rows[i]);
    }
}

static void load_charger(struct world *w, int64_t id)
{
    load_where(w, ROW_CHARGER, "id", id);
    load_where(w, ROW_CONNECTOR, "charger", id);
}

static void load_driver(struct world *w, int64_t id)
{
    load_where(w, ROW_DRIVER, "id", id);
    load_where(w, ROW_ACCOUNT, "owner", id);
}

/* The id of the charger, driver or token that the need names by this row, or 0. */
static int64_t need_match(const struct core_need *need, enum row_table t, const void *row)
{
    const struct row_charger *ch = row;
    const struct row_connector *k = row;
    const struct row_driver *d = row;
    const struct row_token *tag = row;
    switch (need->kind) {
    case NEED_CHARGER:
        return t == ROW_CHARGER && ch->id == need->a ? ch->id : 0;
    case NEED_CHARGER_PATH:
        return t == ROW_CHARGER && strcmp(ch->path, need->text) == 0 ? ch->id : 0;
    case NEED_CONNECTOR:
        return t == ROW_CONNECTOR && k->id == need->a ? k->charger : 0;
    case NEED_CONNECTOR_CODE:
        return t == ROW_CONNECTOR && strcmp(k->code, need->text) == 0 ? k->charger : 0;
    case NEED_DRIVER:
        return t == ROW_DRIVER && d->id == need->a ? d->id : 0;
    case NEED_DRIVER_PHONE:
        return t == ROW_DRIVER && d->tenant == need->a && !strcmp(d->phone, need->text) ? d->id : 0;
    case NEED_TOKEN:
        return t == ROW_TOKEN && tag->id == need->a ? tag->id : 0;
    default:
        return t == ROW_TOKEN && tag->tenant == need->a && !strcmp(tag->folded, need->text)
                   ? tag->id
                   : 0;
    }
}

static void fetch_directory(struct world *w, const struct core_need *need)
{
    int64_t id = 0;
    for (size_t i = 0; !id && i < w->rows_n; i++)
        if (by_need(w->rows[i].table))
            id = need_match(need, w->rows[i].table, world_unpacked(w, &w->rows[i]));
    w->fetched++;
    if (!id)
        core_absent(w->core, need);
    else if (need->kind <= NEED_CONNECTOR_CODE)
        load_charger(w, id);
    else if (need->kind <= NEED_DRIVER_PHONE)
        load_driver(w, id);
    else
        load_where(w, ROW_TOKEN, "id", id);
}

static void fetch_invoice(struct world *w, const struct core_need *need)
{
    int64_t id = 0;
    for (size_t i = 0; !id && i < w->rows_n; i++) {
        const struct row_invoice *v = world_unpacked(w, &w->rows[i]);
        if (w->rows[i].table == ROW_INVOICE &&
            (need->kind == NEED_INVOICE
                 ? v->id == need->a
                 : v->tenant == need->a && strcmp(v->number, need->text) == 0))
            id = v->id;
    }
    if (!id) {
        core_absent(w->core, need);
        return;
    }
    load_where(w, ROW_INVOICE, "id", id);
    load_where(w, ROW_INVOICE_LINE, "invoice", id);
    load_where(w, ROW_INVOICE_ORDER, "invoice", id);
}

/* Payouts of one invoice, shares of one order, or lots of one driver with gift left. */
static void fetch_all(struct world *w, const struct core_need *need)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        const void *row = world_unpacked(w, &w->rows[i]);
        const struct row_payout *o = row;
        const struct row_payment *p = row;
        enum row_table t = w->rows[i].table;
        bool shares = t == ROW_PAYOUT && o->order_id == need->a && o->kind >= PAYOUT_SHARED;
        if (need->kind == NEED_SHARES ? shares
            : need->kind == NEED_PAPER
                ? t == ROW_PAYOUT && o->party == need->a && !strcmp(o->paper, need->text)
                : t == ROW_PAYMENT && p->driver == need->a && p->state == PAYMENT_PAID &&
                      p->gift > p->gift_back + p->gift_lost)
            load(w, &w->rows[i]);
    }
}

static void fetch_stays(struct world *w, int64_t driver)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_CONNECTOR)
            continue;
        const struct row_connector *k = world_unpacked(w, &w->rows[i]);
        if (k->after_driver == driver)
            load_charger(w, k->charger);
    }
}

void world_fetch(struct world *w, const struct core_need *need)
{
    if (need->kind == NEED_STAYS) {
        fetch_stays(w, need->a);
        return;
    }
    if (need->kind == NEED_PAPER || need->kind == NEED_GIFTS || need->kind == NEED_UNTIL ||
        need->kind == NEED_SHARES) {
        fetch_all(w, need);
        return;
    }
    if (need->kind == NEED_INVOICE || need->kind == NEED_INVOICE_NUMBER) {
        fetch_invoice(w, need);
        return;
    }
    if (need->kind >= NEED_CHARGER) {
        fetch_directory(w, need);
        return;
    }
    if (need->kind == NEED_IDEM) {
        for (size_t i = 0; i < w->rows_n; i++) {
            if (w->rows[i].table != ROW_IDEM)
                continue;
            const struct row_idem *r = world_unpacked(w, &w->rows[i]);
            if (strcmp(r->key, need->text) == 0) {
                load(w, &w->rows[i]);
                return;
            }
        }
        core_absent(w->core, need);
        return;
    }
    if (need->kind == NEED_PAYMENT || need->kind == NEED_PAYOUT) {
        for (size_t i = 0; i < w->rows_n; i++) {
            bool table =
                w->rows[i].table == (need->kind == NEED_PAYMENT ? ROW_PAYMENT : ROW_PAYOUT);
            if (table && *(const int64_t *)world_unpacked(w, &w->rows[i]) == need->a) {
                load(w, &w->rows[i]);
                return;
            }
        }
        core_absent(w->core, need);
        return;
    }
    int64_t order = need_find(w, need);
    if (order)
        load_order(w, order);
    else
        core_absent(w->core, need);
}

struct charger *world_charger(struct world *w)
{
    if (!charger_find(w->core, w->charger))
        load_charger(w, w->charger);
    return charger_find(w->core, w->charger);
}

/* Eager: all of it. Else the tables that are always in memory, accounts that are no driver's, and
 * what open orders, payouts on their way and unregistered chargers pin. */
static void directory_restart(struct world *w)
{
    for (int t = 1; t < ROW_TABLE_N; t++)
        for (size_t i = 0; i < w->rows_n; i++) {
            if ((int)w->rows[i].table != t)
                continue;
            bool account = t == ROW_ACCOUNT && !of_driver(world_unpacked(w, &w->rows[i]), -1);
            if (row_metas[t].kind == ROW_KIND_DIRECTORY || account ||
                (w->eager && by_need((enum row_table)t)))
                load(w, &w->rows[i]);
        }
    for (size_t i = 0; i < w->rows_n; i++) {
        const void *row = world_unpacked(w, &w->rows[i]);
        const struct row_orders *o = row;
        if (w->rows[i].table == ROW_CHARGER &&
            ((const struct row_charger *)row)->state == CHARGER_WAITING)
            load_charger(w, *(const int64_t *)row);
        if (w->rows[i].table == ROW_ORDERS && o->state != ORDER_SETTLED &&
            o->state != ORDER_START_FAILED) {
            load_charger(w, o->charger);
            load_driver(w, o->driver);
        }
        const struct row_payout *p = row;
        if (w->rows[i].table == ROW_PAYOUT && p->driver && !driver_find(w->core, p->driver) &&
            (p->state < PAYOUT_SETTLED || p->state > PAYOUT_CANCELLED))
            load_driver(w, p->driver);
    }
}

static int64_t last_id(struct world *w)
{
    int64_t last = 0;
    for (size_t i = 0; i < w->rows_n; i++) {
        enum row_table t = w->rows[i].table;
        const int64_t *id = row_field(t, world_unpacked(w, &w->rows[i]), "id");
        if (id && t != ROW_WEB_SESSION && *id > last)
            last = *id;
    }
    return last;
}

void world_restart(struct world *w)
{
    core_free(w->core);
    world_core_new(w);
    arena_reset(&w->arena);
    directory_restart(w);
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table == ROW_HOLD) {
            const struct row_hold *h = world_unpacked(w, &w->rows[i]);
            if (h->state == HOLD_OPEN)
                load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_COMMAND) {
            load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_MATURING) {
            const struct row_maturing *m = world_unpacked(w, &w->rows[i]);
            if (m->amount > 0)
                load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_BILL_DIFF) {
            const struct row_bill_diff *d = world_unpacked(w, &w->rows[i]);
            if (d->state != DIFF_RESOLVED)
                load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_CONTRACT_MONTH) {
            const struct row_contract_month *m = world_unpacked(w, &w->rows[i]);
            if (m->open)
                load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_PAYMENT) {
            const struct row_payment *p = world_unpacked(w, &w->rows[i]);
            if (p->state == PAYMENT_CREATED || p->state == PAYMENT_WAITING || p->bound ||
                (p->state == PAYMENT_PAID && p->sharing >= SHARING_FLAGGED &&
                 p->sharing <= SHARING_REST))
                load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_PAYOUT) {
            const struct row_payout *p = world_unpacked(w, &w->rows[i]);
            if (p->state < PAYOUT_SETTLED || p->state > PAYOUT_CANCELLED)
                load(w, &w->rows[i]);
        } else if (w->rows[i].table == ROW_ORDERS) {
            const struct row_orders *o = world_unpacked(w, &w->rows[i]);
            if (o->state != ORDER_SETTLED && o->state != ORDER_START_FAILED)
                load_order(w, o->id);
        }
    }
    for (size_t i = 0; i < w->samples_n; i++)
        assert_int_equal(core_load_sample(w->core, &w->samples[i]), 0);
    core_id_floor(w->core, last_id(w));
    core_started(w->core, w->now);
    world_seal(w);
}
