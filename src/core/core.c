// SPDX-License-Identifier: Apache-2.0
/* core.c: the frame of the single writer: memory, the table of commands, timers, the batch.
 *
 * A command of a gate finds its charger here, a command of the web front its idempotency key; what
 * it does is in the file of its topic. Handlers of the web front return 0 (then made_id and
 * made_version are the answer, and an audit row and the key are written beside the effect) or an
 * error that changed nothing. Handlers of gates answer by themselves.
 *
 * Invariants: 1. one command, one reply; 2. an idempotency key is written in the batch of its
 * effect, errors are not kept; 3. the order of a sealed batch is: what was packed as it happened,
 * then changed objects in the order they changed first, then accounts and holds. */
#include "core/charge.h"
#include "core/company.h"
#include "core/invoice.h"
#include "core/notice.h"
#include "core/occupancy.h"
#include "core/pay_file.h"
#include "core/purse.h"
#include "core/recon.h"
#include "core/withhold.h"

#include <stdio.h>

typedef void gate_fn(struct core *c, const struct cmd *cmd, struct charger *ch);
typedef int web_fn(struct core *c, const struct cmd *cmd);
struct handler {
    gate_fn *gate;
    web_fn *web;
    const char *audit; /* action; NULL = no audit row by the frame */
    bool txn;          /* counts as a durable message of the charger */
};

static const struct handler handlers[] = {
    [CMD_CONN_CLOSED] = {.gate = link_closed},
    [CMD_BOOT] = {.gate = link_boot, .txn = true},
    [CMD_HEARTBEAT] = {.gate = link_heartbeat},
    [CMD_STATUS] = {.gate = link_status},
    [CMD_AUTHORIZE] = {.gate = start_authorize},
    [CMD_TX_START] = {.gate = start_tx, .txn = true},
    [CMD_METER] = {.gate = meter_apply},
    [CMD_TX_STOP] = {.gate = stop_tx, .txn = true},
    [CMD_TX_RECORD] = {.gate = stop_record, .txn = true},
    [CMD_DATA_TRANSFER] = {.gate = link_data_transfer},
    [CMD_NOTE] = {.gate = link_note, .txn = true},
    [CMD_CALL_RESULT] = {.gate = command_result},
    [CMD_PRICE_MODEL] = {.gate = catalog_price_model},
    [CMD_PRICE_HELD] = {.gate = catalog_price_held},
    [CMD_PILE_START] = {.gate = start_pile, .txn = true},
    [CMD_BATTERY] = {.gate = pile_battery},
    [CMD_PARKING] = {.gate = pile_parking},
    [CMD_ROW_PUT] = {.web = directory_put, .audit = "row.put"},
    [CMD_TARIFF_PUT] = {.web = catalog_put_tariff, .audit = "tariff.put"},
    [CMD_CONTRACT_PUT] = {.web = catalog_put_contract, .audit = "contract.put"},
    [CMD_TOPUP] = {.web = account_topup, .audit = "topup"},
    [CMD_ORDER_START] = {.web = start_order, .audit = "order.start"},
    [CMD_ORDER_STOP] = {.web = stop_order, .audit = "order.stop"},
    [CMD_CALL] = {.web = command_call, .audit = "charger.call"},
    [CMD_SESSION_PUT] = {.web = account_session_put},
    [CMD_SESSION_END] = {.web = account_session_end},
    [CMD_AUDIT] = {.web = account_audit},
    [CMD_SETUP] = {.web = directory_setup, .audit = "setup"},
    [CMD_DECIDE] = {.web = settle_decide, .audit = "order.decide"},
    [CMD_REGISTER_DRIVER] = {.web = directory_register, .audit = "driver.register"},
    [CMD_PAYMENT_NEW] = {.web = payment_new, .audit = "payment.new"},
    [CMD_PAY_RESULT] = {.web = pay_result},
    [CMD_ORDER_REFUND] = {.web = refund_order, .audit = "order.refund"},
    [CMD_PAYOUT_NEW] = {.web = payout_new, .audit = "payout.new"},
    [CMD_PAYOUT_DECIDE] = {.web = payout_decide, .audit = "payout.decide"},
    [CMD_STATEMENT_NEW] = {.web = statement_new, .audit = "statement.new"},
    [CMD_STATEMENT_DECIDE] = {.web = statement_decide, .audit = "statement.decide"},
    [CMD_ORDER_RAISE] = {.web = pile_raise, .audit = "order.raise"},
    [CMD_COMPANY_PAY] = {.web = company_pay, .audit = "company.pay"},
    [CMD_COMPANY_BILL] = {.web = company_bill_issue, .audit = "company.bill"},
    [CMD_INVOICE_NEW] = {.web = invoice_new, .audit = "invoice.new"},
    [CMD_INVOICE_DECIDE] = {.web = invoice_decide, .audit = "invoice.decide"},
    [CMD_STATION_COST] = {.web = cost_put},
    [CMD_BILL_PART] = {.web = recon_part},
    [CMD_BILL_PUT] = {.web = recon_bill, .audit = "bill.import"},
    [CMD_DIFF_DECIDE] = {.web = recon_decide, .audit = "diff.decide"},
    [CMD_DAY_CLOSE] = {.web = recon_close, .audit = "day.close"},
    [CMD_CHANNEL_SETTLE] = {.web = recon_settle, .audit = "channel.settle"},
    [CMD_PAYOUT_PAPER] = {.web = paper_put, .audit = "payout.paper"},
    [CMD_OCCUPANCY_PUT] = {.web = occupancy_put, .audit = "occupancy.put"},
    [CMD_ORDER_WAIVE] = {.web = occupancy_waive, .audit = "order.waive"},
    [CMD_GIFT] = {.web = gift_new, .audit = "wallet.gift"},
    [CMD_WALLET_FREEZE] = {.web = wallet_freeze}, /* audits with its reason */
    [CMD_DRIVER_CLOSE] = {.web = wallet_close},   /* audits with its amount */
    [CMD_PARTY_ACCOUNT] = {.web = party_account_new, .audit = "account.ask"},
    [CMD_WITHHOLD_PUT] = {.web = withhold_put, .audit = "withhold.put"},
    [CMD_TAX_PAID] = {.web = withhold_paid, .audit = "tax.paid"},
    [CMD_FETCHED] = {.web = link_fetched}, /* audits by itself */
    [CMD_NOTICE_RESULT] = {.web = notice_result},
    [CMD_DRIVER_CLOSE_END] = {.web = wallet_close_end}, /* likewise */
    [CMD_PARTY_ACCOUNT_DECIDE] = {.web = party_account_decide, .audit = "account.decide"},
    [CMD_GIFT_TURN] = {.web = gift_turn},
    [CMD_PAY_FILE_NEW] = {.web = pay_file_new, .audit = "payfile.new"},
    [CMD_PAY_FILE_OUT] = {.web = pay_file_out, .audit = "payfile.out"},
};

/* ---- memory ---- */

static void limits_fill(struct core_limits *l)
{
    static const struct core_limits usual = {
        .chargers = 20000,
        .connectors = 50000,
        .drivers = 500000,
        .accounts = 1000000,
        .orders = 50000,
        .commands = 50000,
        .hot_busy = 4096,
        .hot = 256,
        .bill_diffs = 50000,
        .heartbeat_s = 300,
        .command_timeout_s = 30,
    };
    l->chargers = l->chargers ? l->chargers : usual.chargers;
    l->connectors = l->connectors ? l->connectors : usual.connectors;
    l->drivers = l->drivers ? l->drivers : usual.drivers;
    l->accounts = l->accounts ? l->accounts : usual.accounts;
    l->orders = l->orders ? l->orders : usual.orders;
    l->commands = l->commands ? l->commands : usual.commands;
    l->hot_busy = l->hot_busy ? l->hot_busy : l->hot ? l->hot : usual.hot_busy;
    l->hot = l->hot ? l->hot : usual.hot;
    l->bill_diffs = l->bill_diffs ? l->bill_diffs : usual.bill_diffs;
    l->heartbeat_s = l->heartbeat_s ? l->heartbeat_s : usual.heartbeat_s;
    l->command_timeout_s = l->command_timeout_s ? l->command_timeout_s : usual.command_timeout_s;
}

static void dirs_init(struct core *c)
{
    const struct core_limits *l = &c->lim;
    const struct {
        enum row_table t;
        size_t size;
        uint32_t cap;
    } tables[] = {
        {ROW_TENANT, sizeof(struct tenant), 1000},
        {ROW_PARTY, sizeof(struct party), 100000},
        {ROW_PERSON, sizeof(struct person), 100000},
        {ROW_API_KEY, sizeof(struct api_key), 100000},
        {ROW_DRIVER, sizeof(struct driver), l->drivers},
        {ROW_TOKEN, sizeof(struct token), l->drivers},
        {ROW_STATION, sizeof(struct station), l->chargers},
        {ROW_CHARGER, sizeof(struct charger), l->chargers},
        {ROW_CONNECTOR, sizeof(struct connector), l->connectors},
        {ROW_CHANNEL, sizeof(struct channel), 10000},
        {ROW_STATEMENT, sizeof(struct statement), 1000000},
        {ROW_COMPANY, sizeof(struct company), 100000},
        {ROW_COMPANY_MEMBER, sizeof(struct member), l->drivers},
        {ROW_COMPANY_BILL, sizeof(struct company_bill), 1000000},
        {ROW_FIRMWARE, sizeof(struct firmware), 10000},
        {ROW_INVOICE, sizeof(struct invoice), 1000000},
        {ROW_BILL, sizeof(struct channel_bill), 1000000},
        {ROW_BILL_DIFF, sizeof(struct diff), 1000000},
        {ROW_DAY_CLOSE, sizeof(struct day_close), 1000000},
        {ROW_SETTLEMENT, sizeof(struct settlement), 1000000},
        {ROW_PACKAGE, sizeof(struct package), 10000},
        {ROW_PARTY_ACCOUNT, sizeof(struct party_account), PARTY_ACCOUNTS_MAX},
        {ROW_TAX_MONTH, sizeof(struct tax_month), 1000000},
        {ROW_TAX_PAID, sizeof(struct tax_paid), 1000000},
        {ROW_PAY_FILE, sizeof(struct pay_file), 1000000},
    };
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct dir *d = &c->dir[tables[i].t];
        d->cap = tables[i].cap;
        slab_init(&d->slab, tables[i].size, d->cap);
        map_init(&d->ids, d->cap, l->seed);
        strmap_init(&d->keys, d->cap, l->seed);
    }
}

static void tables_init(struct core *c)
{
    const struct core_limits *l = &c->lim;
    struct map *maps[] = {&c->tariffs,           &c->tariff_families, &c->contracts,
                          &c->contract_families, &c->contract_months, &c->occ_rules,
                          &c->occ_families};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_init(maps[i], 1000000, l->seed);
    slab_init(&c->orders, sizeof(struct order), l->orders);
    slab_init(&c->calls, sizeof(struct call), l->commands);
    slab_init(&c->idems, sizeof(struct idem), 1000000);
    map_init(&c->order_ids, l->orders, l->seed);
    map_init(&c->session_ids, l->orders, l->seed);
    map_init(&c->call_ids, l->commands, l->seed);
    strmap_init(&c->tx_keys, l->orders, l->seed);
    strmap_init(&c->tx_nos, l->orders, l->seed);
    strmap_init(&c->idem_keys, 1000000, l->seed);
    strmap_init(&c->zones, 1000, l->seed);
    heap_init(&c->timers, l->orders * TO_N + l->chargers * TC_N + PURSE_TIMERS_MAX + 2);
    c->idem_timer.kind = 200;
    c->month_timer.kind = 201;
}

static void bufs_init(struct core *c)
{
    struct buf *bufs[] = {&c->text_scratch,   &c->load_days,    &c->load_slices,  &c->load_tariffs,
                          &c->load_contracts, &c->load_parties, &c->load_clauses, &c->load_months,
                          &c->rows,           &c->samples,      &c->outs};
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_init(bufs[i], SIZE_MAX);
}

int core_new(const struct core_limits *limits, struct core **out)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct core *c = ARENA_NEW(&arena, struct core);
    if (!c)
        return ERR_NOMEM;
    c->lim = *limits;
    limits_fill(&c->lim);
    c->arena = arena; /* the core lives in its own arena */
    arena_init(&c->scratch, 1 << 20);
    const struct ledger_limits ll = {
        .accounts = c->lim.accounts, .holds = c->lim.orders * 3, .seed = c->lim.seed};
    int rc = ledger_new(&c->arena, &ll, &c->ledger);
    if (rc) {
        arena = c->arena;
        arena_free(&arena);
        return rc;
    }
    dirs_init(c);
    tables_init(c);
    hot_init(c);
    bufs_init(c);
    rc = purse_new(c);
    if (!rc)
        rc = recon_new(c);
    if (rc) {
        core_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

static void objects_free(struct core *c)
{
    for (int t = 0; t < ROW_TABLE_N; t++) {
        struct dir *d = &c->dir[t];
        if (!d->cap)
            continue;
        for (uint32_t i = 0; i < d->slab.len; i++) {
            struct obj *o = slab_at(&d->slab, i);
            if (o)
                buf_free(&o->texts);
        }
        slab_free(&d->slab);
        map_free(&d->ids);
        strmap_free(&d->keys);
    }
    for (uint32_t i = 0; i < c->orders.len; i++) {
        struct order *o = slab_at(&c->orders, i);
        if (o) {
            buf_free(&o->o.texts);
            buf_free(&o->so.texts);
            buf_free(&o->parts_buf);
        }
    }
    for (uint32_t i = 0; i < c->calls.len; i++) {
        struct call *k = slab_at(&c->calls, i);
        if (k)
            buf_free(&k->o.texts);
    }
}

void core_free(struct core *c)
{
    if (!c)
        return;
    invoice_free(c);
    objects_free(c);
    purse_free(c);
    recon_free(c);
    hot_free(c);
    ledger_free(c->ledger);
    struct slab *slabs[] = {&c->orders, &c->calls, &c->idems};
    for (size_t i = 0; i < ARRAY_LEN(slabs); i++)
        slab_free(slabs[i]);
    struct map *maps[] = {&c->tariffs,           &c->tariff_families, &c->contracts,
                          &c->contract_families, &c->contract_months, &c->order_ids,
                          &c->session_ids,       &c->call_ids,        &c->occ_rules,
                          &c->occ_families};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_free(maps[i]);
    struct strmap *strmaps[] = {&c->tx_keys, &c->tx_nos, &c->idem_keys, &c->zones};
    for (size_t i = 0; i < ARRAY_LEN(strmaps); i++)
        strmap_free(strmaps[i]);
    struct buf *bufs[] = {&c->text_scratch,   &c->load_days,    &c->load_slices,  &c->load_tariffs,
                          &c->load_contracts, &c->load_parties, &c->load_clauses, &c->load_months,
                          &c->rows,           &c->samples,      &c->outs};
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_free(bufs[i]);
    heap_free(&c->timers);
    arena_free(&c->scratch);
    struct arena arena = c->arena;
    arena_free(&arena);
}

int core_zone_add(struct core *c, const char *name, const struct zone *zone)
{
    return strmap_put(&c->zones, str_from_c(name), (uint64_t)(uintptr_t)zone);
}

bool core_zone_known(const struct core *c, const char *name)
{
    return strmap_get(&c->zones, str_from_c(name), &(uint64_t){0});
}

/* ---- loading ---- */

static int idem_load(struct core *c, const struct row_idem *row);

/* Of ROW_ACCOUNT, ROW_HOLD and ROW_TRANSFER. What is in memory is newer. */
static int ledger_row_load(struct core *c, enum row_table t, const void *row)
{
    switch (t) {
    case ROW_ACCOUNT:
        if (ledger_account(c->ledger, ((const struct row_account *)row)->id))
            return 0;
        core_id_seen(c, ((const struct row_account *)row)->last_transfer);
        return ledger_load_account(c->ledger, row);
    case ROW_HOLD: /* that of an order that is in memory already is there too */
        if (ledger_hold(c->ledger, ((const struct row_hold *)row)->id))
            return 0;
        return ledger_load_hold(c->ledger, row);
    default:
        ledger_time_floor(c->ledger, ((const struct row_transfer *)row)->posted_ms);
        return 0;
    }
}

/* Rows that are an object each, found by their id (keep.c). */
static bool row_of_directory(enum row_table t)
{
    switch (t) {
    case ROW_TENANT:
    case ROW_PARTY:
    case ROW_PERSON:
    case ROW_API_KEY:
    case ROW_DRIVER:
    case ROW_TOKEN:
    case ROW_STATION:
    case ROW_CHARGER:
    case ROW_CONNECTOR:
    case ROW_CHANNEL:
    case ROW_STATEMENT:
    case ROW_COMPANY:
    case ROW_COMPANY_MEMBER:
    case ROW_COMPANY_BILL:
    case ROW_FIRMWARE:
    case ROW_BILL:
    case ROW_BILL_DIFF:
    case ROW_DAY_CLOSE:
    case ROW_SETTLEMENT:
    case ROW_PACKAGE:
    case ROW_PARTY_ACCOUNT:
    case ROW_TAX_MONTH:
    case ROW_TAX_PAID:
    case ROW_PAY_FILE:
        return true;
    default:
        return false;
    }
}

int core_load(struct core *c, enum row_table t, const void *row)
{
    const int64_t *id = row_field(t, row, "id");
    if (id && t != ROW_WEB_SESSION)
        core_id_seen(c, *id);
    if (row_of_directory(t))
        return directory_load(c, t, row);
    switch (t) {
    case ROW_WITHHOLD_RULE:
    case ROW_WITHHOLD_RATE:
        return withhold_load(c, t, row);
    case ROW_TARIFF:
    case ROW_TARIFF_DAY:
    case ROW_TARIFF_SLICE:
    case ROW_CONTRACT:
    case ROW_CONTRACT_PARTY:
    case ROW_CONTRACT_CLAUSE:
    case ROW_CONTRACT_MONTH:
        return catalog_load(c, t, row);
    case ROW_OCCUPANCY_RULE:
    case ROW_OCCUPANCY_WINDOW:
        return occupancy_load(c, t, row);
    case ROW_ACCOUNT:
    case ROW_HOLD:
    case ROW_TRANSFER:
        return ledger_row_load(c, t, row);
    case ROW_ORDERS:
        return order_load(c, row);
    case ROW_SESSION:
        return order_load_session(c, row);
    case ROW_BILL_PIECE:
        return order_load_piece(c, row);
    case ROW_SPLIT_PART:
        return order_load_part(c, row);
    case ROW_COMMAND:
        return command_load(c, row);
    case ROW_PAYMENT:
    case ROW_PAYOUT:
    case ROW_MATURING:
        return purse_load(c, t, row);
    case ROW_IDEM:
        return idem_load(c, row);
    case ROW_INVOICE:
    case ROW_INVOICE_LINE:
    case ROW_INVOICE_ORDER:
        return invoice_load(c, t, row);
    default: /* journals and statistics are nothing that the core needs */
        return 0;
    }
}

void core_id_floor(struct core *c, int64_t id)
{
    core_id_seen(c, id);
}

int core_load_sample(struct core *c, const struct sample_record *r)
{
    int rc = catalog_build(c); /* bills need tariffs; does nothing the second time */
    if (rc)
        return rc;
    struct order *o = map_get_ptr(&c->session_ids, (uint64_t)r->session);
    if (!o || !order_ready(c, o) || !order_running(o) || r->at_ms <= o->srow.check_ms)
        return 0;
    c->replaying = true;
    meter_fold(c, o, r);
    c->replaying = false;
    return 0;
}

void core_started(struct core *c, int64_t now_ms)
{
    c->now = now_ms > c->now ? now_ms : c->now;
    ledger_time_floor(c->ledger, c->now);
    must(catalog_build(c) == 0);
    c->started = true;
    for (uint32_t i = 0; i < c->dir[ROW_CHARGER].slab.len; i++) {
        struct charger *ch = slab_at(&c->dir[ROW_CHARGER].slab, i);
        if (ch)
            link_away(c, ch);
    }
    for (uint32_t i = 0; i < c->orders.len; i++) {
        struct order *o = slab_at(&c->orders, i);
        if (o)
            order_restart(c, o);
    }
    purse_started(c);
    contract_months_arm(c);
}

/* ---- idempotency ---- */

static struct idem *idem_add(struct core *c, const char *key, const char *finger)
{
    struct slab_ref ref;
    struct idem *e = slab_get(&c->idems, &ref);
    if (!e)
        return NULL;
    e->ref = ref;
    e->at_ms = c->now;
    (void)str_copy(e->key, sizeof e->key, str_from_c(key));
    (void)str_copy(e->finger, sizeof e->finger, str_from_c(finger));
    if (strmap_put(&c->idem_keys, str_from_c(e->key), (uint64_t)(uintptr_t)e)) {
        slab_put(&c->idems, ref);
        return NULL;
    }
    if (c->idem_tail)
        c->idem_tail->next = e;
    else
        c->idem_head = e;
    c->idem_tail = e;
    if (!c->idem_timer.pos)
        must(heap_set(&c->timers, &c->idem_timer, c->now + IDEM_KEEP_MS) == 0);
    return e;
}

static struct idem *idem_find(const struct core *c, const char *key)
{
    uint64_t at;
    return strmap_get(&c->idem_keys, str_from_c(key), &at) ? (struct idem *)(uintptr_t)at : NULL;
}

bool idem_known(const struct core *c, const char *key)
{
    return idem_find(c, key) != NULL;
}

static int idem_load(struct core *c, const struct row_idem *row)
{
    if (idem_find(c, row->key))
        return 0;
    struct idem *e = idem_add(c, row->key, row->finger);
    if (!e)
        return ERR_FULL;
    e->made = row->ref;
    e->outcome = row->outcome;
    return 0;
}

static void idem_expire(struct core *c)
{
    while (c->idem_head && c->idem_head->at_ms + IDEM_KEEP_MS <= c->now) {
        struct idem *e = c->idem_head;
        c->idem_head = e->next;
        if (!c->idem_head)
            c->idem_tail = NULL;
        strmap_del(&c->idem_keys, str_from_c(e->key));
        slab_put(&c->idems, e->ref);
    }
    if (c->idem_head)
        must(heap_set(&c->timers, &c->idem_timer, c->idem_head->at_ms + IDEM_KEEP_MS) == 0);
}

/* ---- applying ---- */

static void web_done(struct core *c, const struct cmd *cmd, const struct handler *h)
{
    if (h->audit) {
        char action[65];
        (void)str_copy(action, sizeof action, str_from_c(h->audit));
        if (cmd->head.type == CMD_ROW_PUT)
            snprintf(action, sizeof action, "%s.%s", h->audit,
                     row_metas[cmd->u.row_put.table].name);
        int64_t tenant = cmd->head.type == CMD_SETUP ? c->made_id : cmd->head.tenant;
        audit_put(c, tenant, action, c->made_id, "", 0);
    }
    if (cmd->head.idem_set) {
        struct idem *e = idem_add(c, cmd->head.idem_key, cmd->head.idem_finger);
        if (e)
            e->made = c->made_id;
        row_put(c, ROW_IDEM, ROW_INSERT,
                &(struct row_idem){.key = cmd->head.idem_key,
                                   .finger = cmd->head.idem_finger,
                                   .ref = c->made_id,
                                   .at_ms = c->now});
    }
}

static void made_send(struct core *c, int err, int64_t id, int64_t version, bool replay)
{
    struct out *o = reply_new(c, err, OUT_SIZE(made));
    if (o)
        o->u.made = (struct reply_made){.id = id, .version = version, .replay = replay};
}

static void web_apply(struct core *c, const struct cmd *cmd, const struct handler *h)
{
    c->made_id = c->made_version = 0;
    if (cmd->head.idem_set) {
        const struct idem *e = idem_find(c, cmd->head.idem_key);
        if (e && strcmp(e->finger, cmd->head.idem_finger) != 0) {
            reply_err(c, ERR_IDEM_MISMATCH);
            return;
        }
        if (e) {
            made_send(c, e->outcome, e->made, 0, true);
            return;
        }
    }
    int rc = h->web(c, cmd);
    if (rc) {
        reply_err(c, rc);
        return;
    }
    web_done(c, cmd, h);
    made_send(c, 0, c->made_id, c->made_version, false);
}

static void gate_apply(struct core *c, const struct cmd *cmd, const struct handler *h)
{
    struct charger *ch = charger_find(c, cmd->u.charger.charger);
    struct line *line = ch ? NULL : hot_line(c, cmd->u.charger.charger);
    if (line && cmd->head.type == CMD_HEARTBEAT) {
        line->heard_at = (uint32_t)c->now;
        reply_plain(c);
        return;
    }
    if (!ch) {
        reply_err(c, ERR_NOT_FOUND);
        return;
    }
    if (cmd->head.type != CMD_HEARTBEAT)
        hot_touch(c, ch);
    if (cmd->head.type != CMD_CONN_CLOSED) {
        ch->heard_ms = c->now;
        if (link_quota(c, ch, cmd, h->txn)) {
            reply_err(c, ERR_RATE_LIMIT);
            return;
        }
    }
    h->gate(c, cmd, ch);
}

bool command_of_gate(uint16_t type)
{
    return type < ARRAY_LEN(handlers) && handlers[type].gate;
}

/* The parts of an order that a reading touches; the pieces of its bill lie between them. */
static void order_ahead(const struct order *o)
{
    const char *head = (const char *)o, *live = (const char *)&o->accepted_ms;
    for (size_t at = 0; at < offsetof(struct order, bill) + 64; at += 64)
        EV_PREFETCH(head + at);
    for (; live < (const char *)(o + 1); live += 64)
        EV_PREFETCH(live);
}

void core_ahead(const struct core *c, const struct cmd *cmd, enum core_ahead step)
{
    if (cmd->head.type != CMD_METER)
        return;
    if (step == AHEAD_KEY) {
        map_ahead(&c->dir[ROW_CHARGER].ids, (uint64_t)cmd->u.meter.charger);
        return;
    }
    const struct charger *ch = charger_find(c, cmd->u.meter.charger);
    if (ch && step == AHEAD_CHARGER)
        for (size_t at = 0; at < sizeof *ch; at += 64)
            EV_PREFETCH((const char *)ch + at);
    else if (ch && ch->reading)
        order_ahead(ch->reading);
}

static void now_set(struct core *c, int64_t now_ms)
{
    if (now_ms > c->now)
        c->now = now_ms;
}

void core_apply(struct core *c, const struct cmd *cmd)
{
    must(cmd->head.version == CMD_VERSION && cmd->head.size >= offsetof(struct cmd, u));
    must(cmd->head.type == CMD_CONN_OPEN ||
         (cmd->head.type < ARRAY_LEN(handlers) &&
          (handlers[cmd->head.type].gate || handlers[cmd->head.type].web)));
    const struct handler *h = &handlers[cmd->head.type];
    now_set(c, cmd->head.now_ms);
    c->cmd = cmd;
    c->cause = cmd->head.cause;
    c->commands_total++;
    c->commands_batch++;
    arena_reset(&c->scratch);
    if (cmd->head.type == CMD_CONN_OPEN)
        link_open(c, cmd);
    else if (h->gate)
        gate_apply(c, cmd, h);
    else
        web_apply(c, cmd, h);
    c->cmd = NULL;
    c->cause = 0;
    c->absent_n = 0;
}

/* ---- time ---- */

int64_t core_due_ms(struct core *c)
{
    return heap_due(&c->timers);
}

static struct order *timer_order(struct timer *t)
{
    struct timer *first = t - t->kind;
    return CONTAINER_OF(first, struct order, timer);
}

static struct charger *timer_charger(struct timer *t)
{
    struct timer *first = t - (t->kind - TO_N);
    return CONTAINER_OF(first, struct charger, timer);
}

static void fire(struct core *c, struct timer *t)
{
    if (t == &c->idem_timer) {
        idem_expire(c);
    } else if (t == &c->month_timer) {
        contract_months_fire(c);
    } else if (t->kind >= PURSE_BUCKET) {
        purse_fire(c, t);
    } else if (t->kind < TO_N) {
        struct order *o = timer_order(t);
        c->cause = (uint64_t)o->row.cause;
        order_fire(c, o, (enum order_timer)t->kind);
    } else if (t->kind - TO_N == TC_CALL) {
        command_timeout(c, timer_charger(t));
    } else {
        link_status_due(c, timer_charger(t));
    }
    c->cause = 0;
}

/* Whose work it is: returns its tenant, *object its id. */
static int64_t alarm_owner(const struct core *c, struct timer *t, int64_t *object)
{
    *object = 0;
    if (t == &c->idem_timer || t == &c->month_timer)
        return 0;
    if (t->kind >= PURSE_BUCKET)
        return purse_owner(t, object);
    if (t->kind < TO_N) {
        *object = timer_order(t)->row.id;
        return timer_order(t)->row.tenant;
    }
    *object = timer_charger(t)->row.id;
    return timer_charger(t)->row.tenant;
}

bool core_alarm_next(struct core *c, int64_t now_ms, struct core_alarm *out)
{
    now_set(c, now_ms);
    c->alarm = heap_pop(&c->timers, c->now);
    if (!c->alarm)
        return false;
    (void)alarm_owner(c, c->alarm, &out->object);
    out->kind = c->alarm->kind;
    return true;
}

void core_alarm_fire(struct core *c)
{
    c->cmd = NULL;
    arena_reset(&c->scratch);
    fire(c, c->alarm);
}

void core_alarm_skip(struct core *c)
{
    int64_t object, tenant = alarm_owner(c, c->alarm, &object);
    char detail[40];
    snprintf(detail, sizeof detail, "timer %u", (unsigned)c->alarm->kind);
    c->cmd = NULL;
    audit_put(c, tenant, "timer.quarantined", object, detail, ERR_INTERNAL);
}

void core_tick(struct core *c, int64_t now_ms)
{
    struct core_alarm a;
    while (core_alarm_next(c, now_ms, &a))
        core_alarm_fire(c);
}

/* ---- the batch ---- */

void core_batch_init(struct core_batch *b)
{
    *b = (struct core_batch){0};
    buf_init(&b->rows, SIZE_MAX);
    buf_init(&b->samples, SIZE_MAX);
    buf_init(&b->outs, SIZE_MAX);
}

void core_batch_free(struct core_batch *b)
{
    buf_free(&b->rows);
    buf_free(&b->samples);
    buf_free(&b->outs);
}

bool core_pending(const struct core *c)
{
    return c->rows.n || c->samples.n || c->outs.n || c->dirty_head || ledger_dirty(c->ledger);
}

static void swap(struct buf *a, struct buf *b)
{
    struct buf t = *a;
    *a = *b;
    *b = t;
}

static void dirty_pack(struct core *c)
{
    while (c->dirty_head) {
        struct obj *o = c->dirty_head;
        c->dirty_head = o->next_dirty;
        if (!c->dirty_head)
            c->dirty_tail = NULL;
        o->dirty = false;
        o->next_dirty = NULL;
        o->sealed = c->sealed;
        if (o->table == ROW_ORDERS)
            order_fill(c, CONTAINER_OF(o, struct order, o));
        if (o->table == ROW_SESSION)
            order_pack_pieces(c, CONTAINER_OF(o, struct order, so));
        row_put(c, (enum row_table)o->table, ROW_UPSERT, o->row);
    }
}

void core_seal(struct core *c, struct core_batch *b)
{
    c->sealed++;
    dirty_pack(c);
    ledger_flush(c->ledger, &c->rows);
    must(!c->rows.err && !c->samples.err && !c->outs.err);
    buf_reset(&b->rows);
    buf_reset(&b->samples);
    buf_reset(&b->outs);
    swap(&b->rows, &c->rows);
    swap(&b->samples, &c->samples);
    swap(&b->outs, &c->outs);
    b->commands = c->commands_batch;
    b->number = c->sealed;
    c->commands_batch = 0;
}

void core_trim(struct core *c)
{
    must(!core_pending(c));
    buf_free(&c->rows);
    buf_free(&c->samples);
    buf_free(&c->outs);
}

void core_stats(const struct core *c, struct core_stats *out)
{
    *out = (struct core_stats){
        .commands = c->commands_total,
        .orders_open = c->orders_open,
        .chargers_online = c->online,
        .accounts = ledger_accounts(c->ledger),
        .timers = c->timers.n,
    };
}
