// SPDX-License-Identifier: Apache-2.0
/* house.c: see house.h. The order of things is the engine's: prefetch, apply, tick, seal, commit,
 * deliver. Invariant: at most one batch is sealed and not delivered. People send what people send,
 * also nonsense after a restart; no reply is an error here. */
#include "crash/house.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/rows.h"

#define PAID_IN (INT64_C(200) * MONEY_UNIT)

/* ---- opening ---- */

static int load_row(void *ctx, enum row_table t, const void *row)
{
    return core_load(ctx, t, row);
}

static int load_sample(void *ctx, const struct sample_record *r)
{
    return core_load_sample(ctx, r);
}

static int load(struct house *h)
{
    int64_t ledger_ms = 0, last_id = 0;
    int err = store_load(h->store, load_row, h->core);
    if (!err)
        err = store_load_samples(h->store, load_sample, h->core);
    if (!err)
        err = store_ledger_time(h->store, &ledger_ms);
    if (!err)
        err = store_last_id(h->store, &last_id);
    if (err)
        return err;
    core_id_floor(h->core, last_id);
    if (h->people.now_ms < ledger_ms)
        h->people.now_ms = ledger_ms;
    core_started(h->core, h->people.now_ms);
    return 0;
}

int house_open(struct house *h, const char *folder, const struct people *people)
{
    const struct core_limits limits = {.chargers = 8,
                                       .connectors = 16,
                                       .drivers = 16,
                                       .accounts = 64,
                                       .orders = 64,
                                       .commands = 64,
                                       .seed = 9};
    *h = (struct house){.people = *people};
    h->people.connected = false;
    h->people.gen++;
    core_batch_init(&h->batch);
    must(zone_fixed(8 * 3600, &h->zone) == 0);
    must(core_new(&limits, &h->core) == 0);
    must(core_zone_add(h->core, "Asia/Shanghai", h->zone) == 0);
    int err = store_open(
        &(struct store_config){
            .dir = folder, .create = true, .cache_bytes = 4 << 20, .sessions = 1000, .shares = 4},
        &h->store);
    if (!err)
        err = load(h);
    if (err)
        house_close(h);
    return err;
}

int house_begin(struct house *h)
{
    int err = store_fetcher_open(h->store, &h->fetcher);
    if (!err)
        err = store_keeper_open(h->store, &h->keeper);
    if (err)
        house_close(h);
    return err;
}

void house_close(struct house *h)
{
    store_keeper_close(h->keeper);
    if (h->fetcher)
        store_fetcher_close(h->fetcher);
    store_close(h->store);
    core_free(h->core);
    core_batch_free(&h->batch);
    zone_free(h->zone);
    *h = (struct house){0};
}

/* ---- commands ---- */

static struct cmd *cmd_new(struct house *h, enum cmd_type type, int charger)
{
    struct cmd *c = &h->cmd;
    memset(c, 0, sizeof *c);
    c->head.size = sizeof *c;
    c->head.version = CMD_VERSION;
    c->head.type = (uint16_t)type;
    c->head.cause = h->people.ref + 1;
    c->head.from = (struct origin){.kind = charger < 0 ? FROM_WEB : FROM_GATE,
                                   .slot = (uint32_t)(charger + 1),
                                   .gen = h->people.gen};
    if (charger >= 0) {
        c->u.charger.charger = h->people.charger[charger];
        return c;
    }
    c->head.tenant = h->people.tenant;
    c->head.actor_kind = ACTOR_PERSON;
    c->head.role = ROLE_ADMIN;
    c->head.actor = h->people.tenant + 2;
    return c;
}

static void fetch(struct house *h, const struct core_need *need)
{
    int err = store_fetch_need(h->fetcher, need, load_row, h->core);
    if (err == ERR_NOT_FOUND)
        core_absent(h->core, need);
    else
        h->err = err;
}

static void send(struct house *h, int gun, int64_t *id)
{
    struct cmd *c = &h->cmd;
    struct core_need needs[CORE_NEEDS_MAX];
    int n;
    c->head.now_ms = h->people.now_ms;
    if (c->head.type != CMD_CALL_RESULT) {
        must(h->asked_n < ASKED);
        c->head.from.ref = ++h->people.ref;
        h->asked[h->asked_n++] = (struct asked){c->head.from.ref, c->head.type, gun, id};
    }
    while (!h->err && (n = core_needs(h->core, c, needs)) > 0)
        for (int i = 0; i < n && !h->err; i++)
            fetch(h, &needs[i]);
    if (!h->err) /* else the program ends, as the engine does */
        core_apply(h->core, c);
}

/* ---- the set-up, one command a commit ---- */

static void put_row(struct house *h, enum row_table t, const void *row, int64_t *id)
{
    struct cmd *c = cmd_new(h, CMD_ROW_PUT, -1);
    struct buf b;
    buf_init(&b, sizeof c->u.row_put.row);
    row_pack(&b, t, ROW_UPSERT, row);
    must(!b.err);
    c->u.row_put.table = (int32_t)t;
    c->u.row_put.create = 1;
    c->u.row_put.n = (uint32_t)b.n;
    memcpy(c->u.row_put.row, b.p, b.n);
    buf_free(&b);
    send(h, -1, id);
}

static void setup_tenant(struct house *h)
{
    struct cmd *c = cmd_new(h, CMD_SETUP, -1);
    (void)str_copy(c->u.setup.tenant_name, 101, STR_LIT("Crash"));
    (void)str_copy(c->u.setup.currency, 4, STR_LIT("CNY"));
    (void)str_copy(c->u.setup.zone, 41, STR_LIT("Asia/Shanghai"));
    (void)str_copy(c->u.setup.login, 65, STR_LIT("admin"));
    (void)str_copy(c->u.setup.name, 65, STR_LIT("Admin"));
    (void)str_copy(c->u.setup.pass_hash, 129, STR_LIT("hash"));
    send(h, -1, &h->people.tenant);
}

static void setup_tariff(struct house *h)
{
    struct cmd *c = cmd_new(h, CMD_TARIFF_PUT, -1);
    (void)str_copy(c->u.tariff_put.name, 101, STR_LIT("day and night"));
    c->u.tariff_put.days = 1;
    c->u.tariff_put.slices = 2;
    c->u.tariff_put.day[0] = (struct tariff_day_in){101, 1231, 127, 0};
    c->u.tariff_put.slice[0] = (struct tariff_slice_in){0, 0, "谷", 32150, 40000};
    c->u.tariff_put.slice[1] = (struct tariff_slice_in){0, 480, "平", 63980, 45000};
    send(h, -1, &h->people.tariff);
}

static void setup_contract(struct house *h)
{
    struct cmd *c = cmd_new(h, CMD_CONTRACT_PUT, -1);
    int64_t platform = h->people.tenant + 1; /* made with the tenant */
    (void)str_copy(c->u.contract_put.name, 101, STR_LIT("2:1"));
    c->u.contract_put.unit = 1;
    c->u.contract_put.n = 2;
    c->u.contract_put.party[0] = (struct contract_party_in){platform, 7, 2};
    c->u.contract_put.party[1] = (struct contract_party_in){h->people.owner, 7, 1};
    send(h, -1, &h->people.contract);
}

static void setup_station(struct house *h)
{
    const struct row_station row = {.name = "Station",
                                    .zone = "Asia/Shanghai",
                                    .tariff = h->people.tariff,
                                    .contract = h->people.contract};
    put_row(h, ROW_STATION, &row, &h->people.station);
}

static void setup_charger(struct house *h, int i)
{
    char path[24];
    snprintf(path, sizeof path, "CRASH-%d", i + 1);
    const struct row_charger row = {.station = h->people.station,
                                    .path = path,
                                    .protocol = PROTOCOL_OCPP16,
                                    .max_power_w = 120000};
    put_row(h, ROW_CHARGER, &row, &h->people.charger[i]);
}

static void setup_gun(struct house *h, int i)
{
    const struct row_connector row = {.charger = h->people.charger[i / 2],
                                      .number = i % 2 + 1,
                                      .kind = CONNECTOR_DC,
                                      .max_power_w = 120000};
    put_row(h, ROW_CONNECTOR, &row, &h->people.gun[i].id);
}

static void setup_driver(struct house *h, int i)
{
    struct cmd *c = cmd_new(h, CMD_REGISTER_DRIVER, -1);
    snprintf(c->u.register_driver.phone, sizeof c->u.register_driver.phone, "1380000000%d", i);
    send(h, -1, &h->people.driver[i]);
}

static void setup_card(struct house *h, int i)
{
    char tag[37];
    snprintf(tag, sizeof tag, "CARD%d", i);
    const struct row_token row = {.driver = h->people.driver[i], .tag = tag, .kind = TOKEN_CARD};
    put_row(h, ROW_TOKEN, &row, &h->people.token);
}

static void pay_in(struct house *h, int driver, int64_t amount)
{
    struct cmd *c = cmd_new(h, CMD_TOPUP, -1);
    c->u.topup.driver = h->people.driver[driver];
    c->u.topup.amount = amount;
    (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
    c->head.idem_set = 1;
    snprintf(c->head.idem_key, sizeof c->head.idem_key, "pay-%u", h->people.ref);
    snprintf(c->head.idem_finger, sizeof c->head.idem_finger, "%d-%lld", driver, (long long)amount);
    send(h, -1, NULL);
}

static void setup(struct house *h)
{
    int s = h->people.stage;
    const struct row_party owner = {.kind = PARTY_PROPERTY, .name = "Owner"};
    if (s == 0)
        setup_tenant(h);
    else if (s == 1)
        put_row(h, ROW_PARTY, &owner, &h->people.owner);
    else if (s == 2)
        setup_tariff(h);
    else if (s == 3)
        setup_contract(h);
    else if (s == 4)
        setup_station(h);
    else if ((s -= 5) < CHARGERS)
        setup_charger(h, s);
    else if ((s -= CHARGERS) < GUNS)
        setup_gun(h, s);
    else if ((s -= GUNS) < DRIVERS)
        setup_driver(h, s);
    else
        setup_card(h, s - DRIVERS);
}

/* ---- what people do ---- */

static void connect_all(struct house *h)
{
    for (int i = 0; i < CHARGERS; i++) {
        struct cmd *c = cmd_new(h, CMD_CONN_OPEN, i);
        c->u.conn_open = (struct cmd_conn_open){.protocol = PROTOCOL_OCPP16};
        snprintf(c->u.conn_open.path, sizeof c->u.conn_open.path, "CRASH-%d", i + 1);
        send(h, -1, NULL);
    }
    h->people.connected = true;
    h->people.calls = 0; /* nobody waits for an answer on a connection that is gone */
}

static void order_start(struct house *h, int gun)
{
    struct people *p = &h->people;
    int64_t driver = p->driver[rng_below(&p->rng, DRIVERS)];
    struct cmd *c = cmd_new(h, CMD_ORDER_START, -1);
    c->head.actor_kind = ACTOR_DRIVER;
    c->head.role = ROLE_DRIVER;
    c->head.actor = driver;
    c->u.order_start = (struct cmd_order_start){.driver = driver,
                                                .connector = p->gun[gun].id,
                                                .cap = rng_range(&p->rng, 2, 30) * MONEY_UNIT,
                                                .payer_kind = PAYER_WALLET};
    p->gun[gun].state = GUN_ORDERED;
    send(h, gun, NULL);
}

static void tx_start(struct house *h, int gun)
{
    struct gun *g = &h->people.gun[gun];
    struct cmd *c = cmd_new(h, CMD_TX_START, gun / 2);
    g->start_ms = h->people.now_ms;
    g->state = GUN_STARTING;
    c->u.tx_start.connector = gun % 2 + 1;
    (void)str_copy(c->u.tx_start.tag, 37, str_from_c(g->tag));
    c->u.tx_start.meter_mwh = g->meter_mwh;
    c->u.tx_start.time_ms = g->start_ms;
    send(h, gun, NULL);
}

static void readings(struct house *h, int gun)
{
    struct people *p = &h->people;
    struct gun *g = &p->gun[gun];
    int32_t n = (int32_t)rng_range(&p->rng, 1, 6);
    struct cmd *c = cmd_new(h, CMD_METER, gun / 2);
    c->u.meter.connector = gun % 2 + 1;
    c->u.meter.tx = g->tx;
    c->u.meter.n = n;
    for (int32_t i = 0; i < n; i++) {
        g->meter_mwh += rng_range(&p->rng, 10000, 160000);
        c->u.meter.samples[i] = (struct core_sample){.time_ms = p->now_ms - 1000 * (n - i),
                                                     .energy_mwh = g->meter_mwh,
                                                     .power_w = rng_range(&p->rng, 0, 60000),
                                                     .voltage_mv = 400000,
                                                     .current_ma = SAMPLE_NONE32,
                                                     .soc_pm = (int32_t)rng_below(&p->rng, 1000),
                                                     .temp_dc = SAMPLE_NONE32,
                                                     .cost = SAMPLE_NONE};
    }
    send(h, gun, NULL);
}

static void tx_stop(struct house *h, int gun)
{
    struct gun *g = &h->people.gun[gun];
    struct cmd *c = cmd_new(h, CMD_TX_STOP, gun / 2);
    g->state = GUN_STOPPING;
    c->u.tx_stop.tx = g->tx;
    c->u.tx_stop.meter_mwh = g->meter_mwh;
    c->u.tx_stop.time_ms = h->people.now_ms;
    c->u.tx_stop.stop = STOP_LOCAL;
    send(h, gun, NULL);
}

static void gun_move(struct house *h, int gun)
{
    struct people *p = &h->people;
    struct gun *g = &p->gun[gun];
    g->turns++;
    switch (g->state) {
    case GUN_FREE:
        g->turns = 0;
        g->stop = false;
        snprintf(g->tag, sizeof g->tag, "CARD%d", (int)rng_below(&p->rng, DRIVERS));
        if (rng_below(&p->rng, 2))
            order_start(h, gun);
        else
            tx_start(h, gun);
        break;
    case GUN_PLUGGED:
        tx_start(h, gun);
        break;
    case GUN_CHARGING:
        if (g->stop || rng_below(&p->rng, 8) == 0)
            tx_stop(h, gun);
        else
            readings(h, gun);
        break;
    default: /* waits for an answer; one that never comes is given up */
        if (g->turns > 6)
            g->state = GUN_FREE;
    }
}

/* Mostly yes; sometimes no, sometimes silence until the deadline. */
static void calls_answer(struct house *h)
{
    struct people *p = &h->people;
    for (int32_t i = 0; i < p->calls; i++) {
        const struct house_call *k = &p->call[i];
        uint64_t dice = rng_below(&p->rng, 10);
        struct cmd *c = cmd_new(h, CMD_CALL_RESULT, 0);
        c->head.from = k->to;
        c->u.call_result = (struct cmd_call_result){
            .charger = k->charger, .command = k->command, .err = dice == 0 ? ERR_TIMEOUT : 0};
        (void)str_copy(c->u.call_result.status, 33,
                       str_from_c(dice == 1 ? "Rejected" : "Accepted"));
        send(h, -1, NULL);
    }
    p->calls = 0;
}

void house_step(struct house *h)
{
    struct people *p = &h->people;
    h->asked_n = 0;
    p->now_ms += rng_below(&p->rng, 40) == 0 ? 2400000 : rng_range(&p->rng, 500, 15000);
    if (p->stage < HOUSE_STAGES) {
        setup(h);
    } else {
        if (!p->connected)
            connect_all(h);
        calls_answer(h);
        for (int64_t n = rng_range(&p->rng, 1, 5); n > 0; n--) {
            if (rng_below(&p->rng, 7) == 0)
                pay_in(h, (int)rng_below(&p->rng, DRIVERS), PAID_IN);
            else
                gun_move(h, (int)rng_below(&p->rng, GUNS));
        }
    }
    core_tick(h->core, p->now_ms);
    core_seal(h->core, &h->batch);
    must(!h->batch.rows.err && !h->batch.samples.err && !h->batch.outs.err);
}

bool house_has_rows(const struct house *h)
{
    return h->batch.rows.n > 0 || h->batch.samples.n > 0;
}

/* ---- answers ---- */

static void gun_hears(struct gun *g, uint16_t type, const struct out *o)
{
    if (type == CMD_TX_START) {
        bool yes = !o->err && o->u.tag.status == TAG_ACCEPTED;
        g->state = yes ? GUN_CHARGING : GUN_FREE;
        g->tx = yes ? o->u.tag.tx : 0;
    } else if (type == CMD_TX_STOP || (type == CMD_ORDER_START && o->err)) {
        g->state = GUN_FREE;
    }
}

static void reply_hear(struct house *h, const struct out *o)
{
    for (int32_t i = 0; i < h->asked_n; i++) {
        const struct asked *a = &h->asked[i];
        if (a->ref != o->to.ref)
            continue;
        if (a->id && !o->err) {
            *a->id = o->u.made.id;
            h->people.stage++;
        }
        if (a->gun >= 0)
            gun_hears(&h->people.gun[a->gun], a->type, o);
    }
}

static void call_hear(struct house *h, const struct out *o)
{
    struct people *p = &h->people;
    for (int i = 0; i < GUNS; i++) {
        struct gun *g = &p->gun[i];
        if (p->charger[i / 2] != o->u.call.charger)
            continue;
        if (o->u.call.kind == CALL_REMOTE_START && o->u.call.connector == i % 2 + 1) {
            (void)str_copy(g->tag, sizeof g->tag, str_from_c(o->u.call.tag));
            g->state = GUN_PLUGGED;
        } else if (o->u.call.kind == CALL_REMOTE_STOP && o->u.call.tx == g->tx) {
            g->stop = true;
        }
    }
    if (p->calls < CALLS)
        p->call[p->calls++] = (struct house_call){o->u.call.charger, o->u.call.command, o->to};
}

void house_deliver(struct house *h)
{
    for (size_t at = 0; at < h->batch.outs.n;) {
        const struct out *o = (const void *)(h->batch.outs.p + at);
        if (o->type == OUT_REPLY)
            reply_hear(h, o);
        else if (o->type == OUT_CALL)
            call_hear(h, o);
        at += ((size_t)o->size + 7) & ~(size_t)7;
    }
    h->asked_n = 0;
}
