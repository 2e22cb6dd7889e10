// SPDX-License-Identifier: Apache-2.0
/* people.c: staff and drivers: what they ask of the platform, as the web front hands it on; see
 * town.h. Each request but those of the set-up has an idempotency key; some are made again as they
 * were, some with another content under the same key, and those that a crash left unanswered are
 * made again when the server is back. */
#include "town/people.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/rows.h"
#include "io/os/crypto.h"
#include "town/vnet.h"

enum { DOUBT_H = 2 };
enum { FLAT_ELEC_E5 = 80000, FLAT_SERVICE_E5 = 40000 };

/* ---- asking ---- */

struct cmd *people_cmd(struct town *t, enum cmd_type type, size_t size)
{
    struct cmd *c = &t->cmd;
    memset(c, 0, size);
    c->head = (struct cmd_head){.size = (uint32_t)size,
                                .version = CMD_VERSION,
                                .type = (uint16_t)type,
                                .tenant = t->audit.tenant,
                                .actor_kind = ACTOR_PERSON,
                                .actor = t->audit.tenant + 2,
                                .role = ROLE_ADMIN};
    return c;
}

static void submit(struct town *t, struct cmd *c)
{
    c->head.from = (struct origin){.kind = FROM_WEB, .slot = 1, .gen = 1, .ref = ++t->ref};
    c->head.cause = t->ref;
    c->head.now_ms = vnet_wall_ms();
    if (!t->server.up)
        return;
    struct cmd sent;
    memcpy(&sent, c, c->head.size);
    if (t->control == CONTROL_REFUND && sent.head.type == CMD_ORDER_REFUND &&
        sent.u.order_refund.amount > MONEY_FEN)
        sent.u.order_refund.amount -= MONEY_FEN;
    if (t->control == CONTROL_BANK && sent.head.type == CMD_PAY_FILE_OUT)
        sent.head.actor = t->audit.tenant; /* a stranger */
    if (t->control == CONTROL_COMPANY && sent.head.type == CMD_COMPANY_PAY &&
        sent.u.company_pay.amount > MONEY_FEN)
        sent.u.company_pay.amount -= MONEY_FEN;
    must(server_submit(&t->server, &sent) == 0);
}

static struct ask *ask_room(struct town *t)
{
    struct ask *old = NULL;
    for (int i = 0; i < TOWN_ASKS; i++) {
        struct ask *a = &t->ask[i];
        if (!a->cmd)
            return a;
        if (a->answered && (!old || a->cmd->head.from.ref < old->cmd->head.from.ref))
            old = a;
    }
    if (old)
        free(old->cmd);
    return old;
}

static void finger_set(struct cmd *c)
{
    uint8_t sum[32];
    const char *body = (const char *)c + sizeof c->head;
    sha256(body, c->head.size - sizeof c->head, sum);
    str_to_hex(sum, sizeof sum, c->head.idem_finger);
}

/* Makes the request in t->cmd. Nobody waits for more answers than there is room for. */
static void ask(struct town *t)
{
    struct ask *a = ask_room(t);
    if (!a)
        return;
    *a = (struct ask){.cmd = malloc(t->cmd.head.size)};
    must(a->cmd);
    memcpy(a->cmd, &t->cmd, t->cmd.head.size);
    t->requests++;
    submit(t, a->cmd);
}

void people_ask(struct town *t)
{
    struct cmd *c = &t->cmd;
    if (!people_bank_honest(t)) /* nobody lies about money: asks for what is refused */
        c->u.payout_decide.act = PAYOUT_ACT_CANCEL;
    c->head.idem_set = 1;
    snprintf(c->head.idem_key, sizeof c->head.idem_key, "%016llx-%u", (unsigned long long)t->seed,
             t->ref + 1);
    finger_set(c);
    ask(t);
}

void people_ask_again(struct town *t)
{
    for (;;) { /* in the order they were asked */
        struct ask *first = NULL;
        for (int i = 0; i < TOWN_ASKS; i++) {
            struct ask *a = &t->ask[i];
            if (a->cmd && !a->answered && a->cmd->head.from.gen == 1 &&
                (!first || a->cmd->head.from.ref < first->cmd->head.from.ref))
                first = a;
        }
        if (!first)
            break;
        submit(t, first->cmd);
        first->cmd->head.from.gen = 2; /* ours only: done in this round */
    }
    for (int i = 0; i < TOWN_ASKS; i++)
        if (t->ask[i].cmd)
            t->ask[i].cmd->head.from.gen = 1;
}

void people_forget(struct town *t)
{
    for (int i = 0; i < TOWN_ASKS; i++) {
        free(t->ask[i].cmd);
        t->ask[i].cmd = NULL;
    }
}

void people_hear(void *ctx, const struct out *out)
{
    struct town *t = ctx;
    if (out->type == OUT_EVENT) {
        audit_event(&t->audit, &out->u.event, out->cause);
        return;
    }
    if (t->setting_up && out->to.ref == t->cmd.head.from.ref) {
        t->answered = true;
        memcpy(&t->last, out, out->size < sizeof t->last ? out->size : sizeof t->last);
        if (!out->err)
            audit_member_made(&t->audit, t->cmd.head.cause, out->u.made.id);
        return;
    }
    for (int i = 0; i < TOWN_ASKS; i++) {
        struct ask *a = &t->ask[i];
        if (!a->cmd || a->answered || a->cmd->head.from.ref != out->to.ref)
            continue;
        a->answered = true;
        audit_reply(&t->audit, a->cmd, out);
    }
}

void people_pay(void *ctx, const struct out_pay *ask)
{
    struct town *t = ctx;
    provider_hear(&t->provider, ask);
}

int people_pay_result(void *ctx, const struct cmd *cmd)
{
    struct town *t = ctx;
    return t->server.up ? server_submit(&t->server, cmd) : ERR_CLOSED;
}

void people_overhear_ask(void *ctx, const struct cmd *cmd)
{
    struct town *t = ctx;
    audit_gate_ask(&t->audit, cmd);
}

void people_overhear_answer(void *ctx, const struct out *out)
{
    struct town *t = ctx;
    audit_gate_reply(&t->audit, out);
}

/* ---- the set-up ---- */

int64_t people_made(struct town *t)
{
    t->setting_up = true;
    t->answered = false;
    submit(t, &t->cmd);
    while (!t->answered)
        town_run(t, vnet_now_ms() + 10);
    t->setting_up = false;
    if (t->last.err)
        fprintf(stderr, "set-up: command %u: %s\n", t->cmd.head.type, err_name(t->last.err));
    must(t->last.err == 0);
    return t->last.u.made.id;
}

void people_row_cmd(struct town *t, enum row_table table, const void *row, bool create)
{
    struct cmd *c = people_cmd(t, CMD_ROW_PUT, CMD_SIZE(row_put));
    struct buf b;
    buf_init(&b, sizeof c->u.row_put.row);
    row_pack(&b, table, ROW_UPSERT, row);
    must(!b.err);
    c->u.row_put.table = (int32_t)table;
    c->u.row_put.create = create;
    c->u.row_put.n = (uint32_t)b.n;
    memcpy(c->u.row_put.row, b.p, b.n);
    buf_free(&b);
}

int64_t people_row(struct town *t, enum row_table table, const void *row, bool create)
{
    people_row_cmd(t, table, row, create);
    return people_made(t);
}

void people_partner_row(const struct town *t, int partner, struct row_party *row)
{
    static const int32_t kinds[AUDIT_PARTNERS] = {PARTY_PROPERTY, PARTY_PARTNER, PARTY_AGENT};
    static const char *const names[AUDIT_PARTNERS] = {"Owner", "Maintainer", "Agent"};
    *row = (struct row_party){.tenant = t->audit.tenant,
                              .kind = kinds[partner],
                              .name = names[partner],
                              .verified = 1,
                              .payee = "6222020000000000",
                              .payee_name = names[partner],
                              .payee_kind = t->audit.tax.payee[partner]};
}

static void partners_make(struct town *t)
{
    for (int i = 0; i < AUDIT_PARTNERS; i++) {
        struct row_party row;
        if (t->has[TOPIC_TAX])
            (void)people_payee_kind(t, i);
        people_partner_row(t, i, &row);
        t->audit.partner[i].id = people_row(t, ROW_PARTY, &row, true);
    }
}

static void tenant_make(struct town *t)
{
    struct cmd *c = people_cmd(t, CMD_SETUP, CMD_SIZE(setup));
    (void)str_copy(c->u.setup.tenant_name, 101, STR_LIT("Town"));
    (void)str_copy(c->u.setup.currency, 4, STR_LIT("CNY"));
    (void)str_copy(c->u.setup.zone, 41, STR_LIT("Asia/Shanghai"));
    (void)str_copy(c->u.setup.login, 65, STR_LIT("admin"));
    (void)str_copy(c->u.setup.name, 65, STR_LIT("Admin"));
    (void)str_copy(c->u.setup.pass_hash, 129, STR_LIT("hash"));
    t->audit.tenant = people_made(t);
    t->audit.platform = t->audit.tenant + 1; /* made with it */
    t->audit.card_hold = 50 * MONEY_UNIT;
    t->audit.refund_days =
        rng_below(&t->rng, 2) && !t->has[TOPIC_TAX] && !t->has[TOPIC_BANK] ? 7 : 0;
    const struct row_tenant row = {.id = t->audit.tenant,
                                   .name = "Town",
                                   .currency = "CNY",
                                   .zone = "Asia/Shanghai",
                                   .hold_default = t->audit.card_hold,
                                   .suspended_s = 900,
                                   .low_power_w = 200,
                                   .start_timeout_s = 60,
                                   .silence_s = 1800,
                                   .doubt_h = DOUBT_H,
                                   .refund_days = (int32_t)t->audit.refund_days,
                                   .gift_order = (int32_t)rng_below(&t->rng, 3),
                                   .notices = 62, /* every kind */
                                   .version = 1};
    (void)people_row(t, ROW_TENANT, &row, false);
    const struct row_channel bank = {
        .tenant = t->audit.tenant, .kind = CHANNEL_BANK, .name = "Bank"};
    t->audit.channel = people_row(t, ROW_CHANNEL, &bank, true);
    const struct row_channel wechat = {.tenant = t->audit.tenant,
                                       .kind = CHANNEL_WECHAT,
                                       .name = "WeChat",
                                       .keys = "wechat",
                                       .fee_bp = 60};
    t->audit.wechat = people_row(t, ROW_CHANNEL, &wechat, true);
    const struct row_channel rail = {
        .tenant = t->audit.tenant, .kind = CHANNEL_RAIL, .name = "Rail", .keys = "rail"};
    t->audit.rail = people_row(t, ROW_CHANNEL, &rail, true);
    t->provider.tenant = t->audit.tenant;
}

static void package_make(struct town *t)
{
    struct audit *a = &t->audit;
    a->package_pay = 50 * MONEY_UNIT;
    a->package_gift = 10 * MONEY_UNIT;
    const struct row_package row = {
        .tenant = a->tenant, .name = "big", .pay = a->package_pay, .gift = a->package_gift};
    a->package = people_row(t, ROW_PACKAGE, &row, true);
}

int64_t people_tariff(struct town *t, const struct tariff_slice_in *slice, int n)
{
    struct cmd *c = people_cmd(t, CMD_TARIFF_PUT, CMD_SIZE(tariff_put));
    (void)str_copy(c->u.tariff_put.name, 101, STR_LIT("prices"));
    c->u.tariff_put.from_ms = 1;
    c->u.tariff_put.days = 1;
    c->u.tariff_put.slices = n;
    c->u.tariff_put.day[0] = (struct tariff_day_in){101, 1231, 127, 0};
    memcpy(c->u.tariff_put.slice, slice, (size_t)n * sizeof *slice);
    return people_made(t);
}

enum { BP = 10000, RATIOS = 10 };

/* Half of the towns pay who maintains before the ratios, half an agent out of the owner's part. Says what
 * of everything that is paid each of them gets. */
static void clauses_make(struct town *t, struct cmd_contract_put *in, int64_t owner_ratio)
{
    struct audit *a = &t->audit;
    int64_t first = rng_below(&t->rng, 2) ? rng_range(&t->rng, 1, 3000) : 0;
    int64_t agent = rng_below(&t->rng, 2) ? rng_range(&t->rng, 1, 5000) : 0;
    if (first)
        in->clause[in->clauses++] =
            (struct contract_clause_in){.kind = CLAUSE_PERCENT,
                                        .lines = 7,
                                        .party = a->partner[AUDIT_MAINTAINER].id,
                                        .rate = first};
    if (agent)
        in->clause[in->clauses++] =
            (struct contract_clause_in){.kind = CLAUSE_AGENT,
                                        .lines = 7,
                                        .party = a->partner[AUDIT_AGENT].id,
                                        .parent = a->partner[AUDIT_OWNER].id,
                                        .rate = agent};
    int64_t rest = (BP - first) * owner_ratio; /* the owner's and the agent's, over BP × RATIOS */
    a->partner[AUDIT_MAINTAINER].num = first;
    a->partner[AUDIT_MAINTAINER].den = BP;
    a->partner[AUDIT_OWNER].num = rest * (BP - agent);
    a->partner[AUDIT_AGENT].num = rest * agent;
    a->partner[AUDIT_OWNER].den = a->partner[AUDIT_AGENT].den = (int64_t)BP * RATIOS * BP;
}

static int64_t contract_make(struct town *t)
{
    struct cmd *c = people_cmd(t, CMD_CONTRACT_PUT, CMD_SIZE(contract_put));
    struct cmd_contract_put *in = &c->u.contract_put;
    int32_t ratio = (int32_t)rng_range(&t->rng, 1, 9);
    (void)str_copy(in->name, 101, STR_LIT("split"));
    in->from_ms = 1;
    in->unit = rng_below(&t->rng, 2) ? 1 : MONEY_FEN;
    in->rounding = t->audit.rounding = (int32_t)rng_below(&t->rng, 3);
    in->gift_rule = GIFT_FUNDED; /* the auditor shares what was paid */
    in->n = 2;
    in->party[0] = (struct contract_party_in){t->audit.platform, 7, RATIOS - ratio};
    in->party[1] = (struct contract_party_in){t->audit.partner[AUDIT_OWNER].id, 7, ratio};
    if (t->has[TOPIC_CLAUSE])
        people_clauses_make(t, in, ratio);
    else
        clauses_make(t, in, ratio);
    return people_made(t);
}

/* The fee for bays that stay taken, in the towns where vehicles do; 0 = none. */
static int64_t occupancy_make(struct town *t)
{
    struct cmd *c = people_cmd(t, CMD_OCCUPANCY_PUT, CMD_SIZE(occupancy_put));
    struct cmd_occupancy_put *in = &c->u.occupancy_put;
    if (!t->street.lingers)
        return 0;
    t->audit.occ_free_min = rng_range(&t->rng, 0, 3);
    t->audit.occ_price = rng_range(&t->rng, 100, 9999);
    (void)str_copy(in->name, sizeof in->name, STR_LIT("stay"));
    in->free_min = (int32_t)t->audit.occ_free_min;
    in->near_min = in->free_min / 2;
    in->every_min = (int32_t)rng_range(&t->rng, 0, 5);
    t->audit.co.exempt = t->has[TOPIC_COMPANY] && rng_below(&t->chance[TOPIC_COMPANY], 2);
    in->exempt = t->audit.co.exempt ? OCC_EXEMPT_COMPANY : 0;
    in->cap_order = rng_range(&t->rng, 1, 2000) * MONEY_FEN;
    t->audit.occ_cap = in->cap_order;
    t->audit.occ_hold = t->has[TOPIC_STAY] && rng_below(&t->chance[TOPIC_STAY], 3);
    in->hold = t->audit.occ_hold;
    t->audit.occ_debt = t->has[TOPIC_STAY] && rng_below(&t->chance[TOPIC_STAY], 2);
    in->pay = t->audit.occ_debt ? OCC_PAY_DEBT : OCC_PAY_LOSS;
    in->cap_day = rng_range(&t->rng, 0, 2000) * MONEY_FEN;
    in->n = 2;
    in->window[0] = (struct occupancy_window_in){600, 240, t->audit.occ_price};
    in->window[1] = (struct occupancy_window_in){240, 590, 1 + t->audit.occ_price / 2};
    return people_made(t);
}

static void stations_make(struct town *t)
{
    static const struct tariff_slice_in flat[] = {{0, 0, "平", FLAT_ELEC_E5, FLAT_SERVICE_E5}};
    static const struct tariff_slice_in steps[] = {{0, 0, "谷", 32150, 40000},
                                                   {0, 420, "平", 63980, 45000},
                                                   {0, 600, "峰", 102310, 45000},
                                                   {0, 900, "平", 63980, 45000}};
    int64_t contract = contract_make(t), occupancy = occupancy_make(t);
    for (int i = 0; i < TOWN_STATIONS; i++) {
        struct row_station row = {.tenant = t->audit.tenant,
                                  .name = i ? "Steps" : "Flat",
                                  .zone = "Asia/Shanghai",
                                  .contract = contract,
                                  .occupancy = occupancy};
        row.tariff = i ? people_tariff(t, steps, ARRAY_LEN(steps)) : people_tariff(t, flat, 1);
        row.discharge_tariff = t->has[TOPIC_DISCHARGE] ? people_discharge_tariff(t, i) : 0;
        t->station[i] = people_row(t, ROW_STATION, &row, true);
    }
    memcpy(t->audit.give_station, t->station, sizeof t->station);
    t->audit.flat_station = t->station[0];
    t->audit.elec_e5 = FLAT_ELEC_E5;
    t->audit.service_e5 = FLAT_SERVICE_E5;
}

static void charger_make(struct town *t, int i)
{
    const struct peer *p = &t->street.sim.peers[i];
    char secret[65] = "";
    uint8_t hash[CRYPTO_HASH_SIZE];
    if (p->password.n) {
        crypto_keyed_hash(t->server.key, p->password, hash);
        str_to_hex(hash, sizeof hash, secret);
    }
    const struct row_charger row = {.tenant = t->audit.tenant,
                                    .station = t->station[i % TOWN_STATIONS],
                                    .path = p->id,
                                    .protocol =
                                        p->protocol == PEER_YKC ? PROTOCOL_YKC : PROTOCOL_OCPP16,
                                    .name = p->id,
                                    .secret_hash = secret,
                                    .max_power_w = p->model.traits.power_w,
                                    .sample_s = p->model.traits.reading_ms / 1000};
    struct audit *a = &t->audit;
    int64_t charger = people_row(t, ROW_CHARGER, &row, true);
    audit_charger_add(a, charger, row.station);
    for (int g = 0; g < p->model.traits.guns; g++) {
        const struct row_connector connector = {.tenant = a->tenant,
                                                .charger = charger,
                                                .number = g + 1,
                                                .kind = p->model.traits.dc ? CONNECTOR_DC
                                                                           : CONNECTOR_AC,
                                                .max_power_w = p->model.traits.power_w};
        struct seen_connector *k = &a->connector[a->connectors];
        k->id = people_row(t, ROW_CONNECTOR, &connector, true);
        k->charger = charger;
        k->pile = p->protocol == PEER_YKC;
        a->connectors++;
    }
}

static void driver_make(struct town *t, int i)
{
    struct cmd *c = people_cmd(t, CMD_REGISTER_DRIVER, CMD_SIZE(register_driver));
    char tag[20];
    snprintf(c->u.register_driver.phone, sizeof c->u.register_driver.phone, "1380000%04d", i);
    snprintf(c->u.register_driver.name, sizeof c->u.register_driver.name, "Driver %d", i);
    t->audit.driver[i] = people_made(t);
    snprintf(tag, sizeof tag, "CARD%04d", i + 1);
    const struct row_token token = {
        .tenant = t->audit.tenant, .driver = t->audit.driver[i], .tag = tag, .kind = TOKEN_CARD};
    t->audit.co.token[i] = people_row(t, ROW_TOKEN, &token, true);
}

/* ---- what they do ---- */

static int64_t driver_any(struct town *t)
{
    return t->audit.driver[rng_below(&t->rng, AUDIT_DRIVERS)];
}

static void topup(struct town *t, int64_t driver, int64_t amount)
{
    struct cmd *c = people_cmd(t, CMD_TOPUP, CMD_SIZE(topup));
    c->u.topup.driver = driver;
    c->u.topup.amount = amount;
    (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
    if (rng_below(&t->rng, 30) == 0)
        (void)str_copy(c->u.topup.currency, 4, STR_LIT("EUR"));
    if (rng_below(&t->rng, 30) == 0)
        c->u.topup.amount += 7;
    people_ask(t);
}

void people_set_up(struct town *t)
{
    tenant_make(t);
    partners_make(t);
    package_make(t);
    stations_make(t);
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        driver_make(t, i);
    for (uint32_t i = 0; i < t->street.sim.n; i++)
        charger_make(t, (int)i);
    if (t->has[TOPIC_COMPANY])
        people_companies_make(t);
    if (t->has[TOPIC_TAX])
        people_taxes_make(t);
    if (t->has[TOPIC_BANK])
        people_bank_make(t);
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        topup(t, t->audit.driver[i], rng_range(&t->rng, 4, 100) * MONEY_UNIT);
}

static void act_topup(struct town *t)
{
    int64_t driver = rng_below(&t->rng, 40) ? driver_any(t) : 12345;
    topup(t, driver, rng_range(&t->rng, 1, 500) * MONEY_FEN * 10);
}

void people_as_driver(struct town *t, int64_t driver)
{
    t->cmd.head.actor_kind = ACTOR_DRIVER;
    t->cmd.head.role = ROLE_DRIVER;
    t->cmd.head.actor = driver;
}

static void act_gift(struct town *t)
{
    struct cmd *c = people_cmd(t, CMD_GIFT, CMD_SIZE(gift));
    c->u.gift.driver = rng_below(&t->rng, 40) ? driver_any(t) : 12345;
    c->u.gift.amount = rng_range(&t->rng, 0, 500) * MONEY_FEN * 10;
    (void)str_copy(c->u.gift.note, 201, STR_LIT("welcome"));
    people_ask(t);
}

static void act_start(struct town *t)
{
    static const int64_t caps[] = {5000, 20000, 40000, 100000, 300000, 1234};
    struct cmd *c = people_cmd(t, CMD_ORDER_START, CMD_SIZE(order_start));
    const struct audit *a = &t->audit;
    c->u.order_start.driver = driver_any(t);
    c->u.order_start.connector = a->connector[rng_below(&t->rng, (uint64_t)a->connectors)].id;
    c->u.order_start.cap = caps[rng_below(&t->rng, rng_below(&t->rng, 10) ? 5 : 6)];
    c->u.order_start.payer_kind = PAYER_WALLET;
    if (rng_below(&t->rng, 4))
        people_as_driver(t, rng_below(&t->rng, 30) ? c->u.order_start.driver : driver_any(t));
    people_ask(t);
}

/* Recent ones are of more interest. */
static const struct seen_order *order_any(struct town *t)
{
    const struct audit *a = &t->audit;
    if (!a->orders)
        return NULL;
    uint64_t back = rng_below(&t->rng, a->orders);
    return &a->order[a->orders - 1 - (rng_below(&t->rng, 2) ? back : back / 3)];
}

static void act_stop(struct town *t)
{
    const struct seen_order *o = order_any(t);
    struct cmd *c = people_cmd(t, CMD_ORDER_STOP, CMD_SIZE(order_stop));
    c->u.order_stop.order = o ? o->id : 77;
    if (o && rng_below(&t->rng, 2)) {
        c->u.order_stop.driver = o->driver;
        people_as_driver(t, rng_below(&t->rng, 10) ? o->driver : driver_any(t));
    }
    people_ask(t);
}

void people_refund(struct town *t)
{
    const struct seen_order *o = order_any(t);
    struct cmd *c = people_cmd(t, CMD_ORDER_REFUND, CMD_SIZE(order_refund));
    int64_t most = o && o->paid > 0 ? o->paid / MONEY_FEN : 3;
    c->u.order_refund.order = o ? o->id : 77;
    c->u.order_refund.amount =
        rng_range(&t->rng, rng_below(&t->rng, 10) ? 1 : 0, most + 1) * MONEY_FEN;
    (void)str_copy(c->u.order_refund.note, 201, STR_LIT("goodwill"));
    people_ask(t);
}

static void act_decide(struct town *t)
{
    const struct audit *a = &t->audit;
    const struct seen_order *o = order_any(t);
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].state == ORDER_DOUBTFUL)
            o = &a->order[i];
    struct cmd *c = people_cmd(t, CMD_DECIDE, CMD_SIZE(decide));
    c->u.decide.order = o ? o->id : 77;
    c->u.decide.accept = (int32_t)rng_below(&t->rng, 2);
    people_ask(t);
}

static void act_payment(struct town *t)
{
    struct cmd *c = people_cmd(t, CMD_PAYMENT_NEW, CMD_SIZE(payment_new));
    c->u.payment_new.driver = driver_any(t);
    c->u.payment_new.channel = rng_below(&t->rng, 12) ? t->audit.wechat : t->audit.rail;
    c->u.payment_new.amount = rng_range(&t->rng, 0, 20000) * MONEY_FEN;
    c->u.payment_new.method = PAY_METHOD_QR;
    (void)str_copy(c->u.payment_new.currency, 4, STR_LIT("CNY"));
    if (rng_below(&t->rng, 3) == 0) {
        c->u.payment_new.package = t->audit.package;
        if (rng_below(&t->rng, 6))
            c->u.payment_new.amount = t->audit.package_pay;
    }
    people_as_driver(t, rng_below(&t->rng, 10) ? c->u.payment_new.driver : driver_any(t));
    people_ask(t);
}

static void act_principal(struct town *t)
{
    const struct audit *a = &t->audit;
    const struct fact *lot = NULL;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));
    for (size_t i = 0; i < a->facts; i++)
        if (a->fact[i].kind == FACT_PAID && (!lot || rng_below(&t->rng, 2)))
            lot = &a->fact[i];
    c->head.actor += CLERK;
    c->u.payout_new.payment = lot ? lot->id : 77;
    c->u.payout_new.channel = rng_below(&t->rng, 3) ? a->wechat : a->channel;
    c->u.payout_new.amount =
        lot ? rng_range(&t->rng, 0, lot->amount / MONEY_FEN + 2) * MONEY_FEN : MONEY_FEN;
    if (rng_below(&t->rng, 8)) {
        (void)str_copy(c->u.payout_new.payee, 121, STR_LIT("6222020200001234567"));
        (void)str_copy(c->u.payout_new.payee_name, 101, STR_LIT("driver"));
    }
    people_ask(t);
}

void people_payout(struct town *t)
{
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_NEW, CMD_SIZE(payout_new));
    int64_t who = a->partner[rng_below(&t->rng, AUDIT_PARTNERS)].id;
    int64_t has = audit_available(a, who, vnet_wall_ms()) / MONEY_FEN;
    c->head.actor += CLERK;
    c->u.payout_new.party = rng_below(&t->rng, 8) ? who : a->platform;
    c->u.payout_new.channel = rng_below(&t->rng, 2) ? a->channel : a->rail;
    c->u.payout_new.amount = rng_range(&t->rng, 0, has + has / 8 + 1) * MONEY_FEN;
    people_ask(t);
}

void people_payout_decide(struct town *t)
{
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_PAYOUT_DECIDE, CMD_SIZE(payout_decide));
    c->u.payout_decide.payout = 77;
    for (size_t i = 0; i < a->facts; i++)
        if ((a->fact[i].kind == FACT_PAYOUT || a->fact[i].kind == FACT_PRINCIPAL) &&
            rng_below(&t->rng, 2))
            c->u.payout_decide.payout = a->fact[i].id;
    c->head.actor += rng_below(&t->rng, 5) ? CASHIER : CLERK;
    c->u.payout_decide.act = (int32_t)rng_range(&t->rng, 1, 5);
    if (rng_below(&t->rng, 8))
        (void)str_copy(c->u.payout_decide.bank_no, 65, STR_LIT("B-1"));
    people_ask(t);
}

/* The same once more; or something else under the same key. */
bool people_repeat(struct town *t)
{
    const struct ask *a = &t->ask[rng_below(&t->rng, TOWN_ASKS)];
    if (!a->cmd)
        return false;
    memcpy(&t->cmd, a->cmd, a->cmd->head.size);
    if (!people_bank_honest(t))
        return false;
    t->repeats++;
    if (rng_below(&t->rng, 3) == 0) {
        if (t->cmd.head.type == CMD_TOPUP)
            t->cmd.u.topup.amount += MONEY_FEN;
        else if (t->cmd.head.type == CMD_ORDER_REFUND)
            t->cmd.u.order_refund.amount += MONEY_FEN;
        else if (t->cmd.head.type == CMD_COMPANY_PAY)
            t->cmd.u.company_pay.amount += MONEY_FEN;
        else if (t->cmd.head.type == CMD_ORDER_START)
            t->cmd.u.order_start.cap += MONEY_FEN;
        else if (t->cmd.head.type == CMD_PAY_FILE_NEW && t->cmd.u.pay_file_new.n > 1)
            t->cmd.u.pay_file_new.n--;
        else if (t->cmd.head.type == CMD_PAY_FILE_OUT)
            (void)str_copy(t->cmd.u.pay_file_out.note, 201, STR_LIT("another reason"));
        finger_set(&t->cmd);
    }
    ask(t);
    return true;
}

static void bank_act(struct town *t)
{
    people_bank_act(t, false);
}

void people_act(struct town *t)
{
    static void (*const acts[TOPICS])(struct town *) = {[TOPIC_COMPANY] = people_company_act,
                                                        [TOPIC_DISCHARGE] = people_discharge_act,
                                                        [TOPIC_TAX] = people_tax_act,
                                                        [TOPIC_STAY] = people_stay_act,
                                                        [TOPIC_BANK] = bank_act};
    static const uint64_t one_in[TOPICS] = {5, 6, 8, 1, 12, 4};
    for (int i = 0; i < TOPICS && t->server.up; i++)
        if (t->has[i] && acts[i] && rng_below(&t->chance[i], one_in[i]) == 0) {
            acts[i](t);
            return;
        }
    uint64_t what = rng_below(&t->rng, 100);
    if (!t->server.up || (what < 12 && people_repeat(t)))
        return;
    if (what < 14)
        act_gift(t);
    else if (what < 20)
        act_topup(t);
    else if (what < 25)
        act_payment(t);
    else if (what < 27)
        act_principal(t);
    else if (what < 68)
        act_start(t);
    else if (what < 78)
        act_stop(t);
    else if (what < 88)
        people_refund(t);
    else if (what < 91)
        act_decide(t);
    else if (what < 95)
        people_payout(t);
    else
        people_payout_decide(t);
}
