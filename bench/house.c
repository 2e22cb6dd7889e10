// SPDX-License-Identifier: Apache-2.0
/* house.c: makes the database that a bench starts from: `bench_house DIR CHARGERS ORDERS [piles]`. 200
 * tenants, each with a tariff, a contract with three parties, and its share of the chargers (two
 * connectors each, fifty a station); unless ORDERS is 0, a driver with a card and a full wallet for
 * each of the first 20,000 chargers, and ORDERS settled orders of the past. Rows go through
 * store_commit, money through the ledger, so that the file is what the program itself would have
 * left. Of a past order it writes the order, session, fee lines, split parts, hold, transfer,
 * statistics and two events. DIR/chargers.txt gets: id TAB password TAB card. Secrets are derived
 * from the row's number: such a file is never a real installation. Any error ends the program with
 * one line. With `piles` the chargers are of 云快充, and cards are numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/err.h"
#include "base/must.h"
#include "core/ledger.h"
#include "core/rows.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "store/certify.h"
#include "store/store.h"

enum { TENANTS = 200, DRIVERS_MAX = 20000, STATION_CHARGERS = 50, BATCH_ORDERS = 5000 };
#define DAY_MS  INT64_C(86400000)
#define BILL    INT64_C(42000)  /* 4.20 yuan: 3.5 kWh at 0.80 + 0.40 */
#define HOLD    INT64_C(500000) /* 50 yuan */
#define WALLET  INT64_C(100000000)
#define HISTORY (300 * DAY_MS)

struct build {
    struct store *store;
    struct ledger *ledger;
    struct arena arena;
    struct buf rows;
    int64_t start_ms, now_ms, last_id;
    int64_t tariff[TENANTS], contract[TENANTS], party[TENANTS][3], share[TENANTS][3];
    int64_t cash[TENANTS], driver[DRIVERS_MAX], wallet[DRIVERS_MAX];
    int64_t *charger, *connector, *station; /* by number of the charger */
    int32_t chargers, orders, drivers;
    bool piles;
    uint8_t key[CRYPTO_KEY_SIZE];
};

static void check(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "bench_house: %s: %s\n", what, err_name(err));
    exit(1);
}

/* As the core's: the time in the high bits, so that ids ascend with it. */
static int64_t id_new(struct build *b)
{
    int64_t by_time = (int64_t)((uint64_t)b->now_ms << 20);
    b->last_id = b->last_id >= by_time ? b->last_id + 1 : by_time;
    return b->last_id;
}

static void put(struct build *b, enum row_table t, const void *row)
{
    row_pack(&b->rows, t, ROW_INSERT, row);
}

static void commit(struct build *b)
{
    ledger_flush(b->ledger, &b->rows);
    check(b->rows.err, "rows");
    check(store_commit(b->store, buf_str(&b->rows), STR_NONE), "commit");
    buf_reset(&b->rows);
}

static struct ledger_ctx ctx_new(struct build *b)
{
    return (struct ledger_ctx){
        .now_ms = b->now_ms, .id = id_new(b), .actor_kind = ACTOR_SYSTEM, .rows = &b->rows};
}

static int64_t account(struct build *b, int64_t tenant, int32_t kind, int64_t owner)
{
    struct ledger_account key = {.tenant = tenant, .kind = kind, .owner = owner, .currency = "CNY"};
    struct ledger_ctx ctx = ctx_new(b);
    int64_t id;
    check(ledger_account_open(b->ledger, &ctx, &key, &id, NULL), "account");
    return id;
}

/* ---- tenants ---- */

static void prices(struct build *b, int i)
{
    int64_t tenant = i + 1;
    b->tariff[i] = id_new(b);
    put(b, ROW_TARIFF,
        &(struct row_tariff){.id = b->tariff[i],
                             .tenant = tenant,
                             .family = b->tariff[i],
                             .name = "flat",
                             .created_ms = b->now_ms});
    put(b, ROW_TARIFF_DAY,
        &(struct row_tariff_day){
            .tariff = b->tariff[i], .first_mmdd = 101, .last_mmdd = 1231, .weekdays = 127});
    put(b, ROW_TARIFF_SLICE,
        &(struct row_tariff_slice){
            .tariff = b->tariff[i], .label = "flat", .elec_e5 = 80000, .service_e5 = 40000});
    b->contract[i] = id_new(b);
    put(b, ROW_CONTRACT,
        &(struct row_contract){.id = b->contract[i],
                               .tenant = tenant,
                               .family = b->contract[i],
                               .name = "5:3:2",
                               .unit = 1,
                               .created_ms = b->now_ms});
    for (int p = 0; p < 3; p++)
        put(b, ROW_CONTRACT_PARTY,
            &(struct row_contract_party){.contract = b->contract[i],
                                         .seq = p,
                                         .party = b->party[i][p],
                                         .lines = 7,
                                         .ratio = p == 0   ? 5
                                                  : p == 1 ? 3
                                                           : 2});
}

static void tenant(struct build *b, int i)
{
    char name[40];
    int64_t id = i + 1;
    snprintf(name, sizeof name, "Operator %d", i);
    put(b, ROW_TENANT,
        &(struct row_tenant){.id = id,
                             .name = name,
                             .currency = "CNY",
                             .zone = "Asia/Shanghai",
                             .hold_default = HOLD,
                             .suspended_s = 900,
                             .low_power_w = 200,
                             .start_timeout_s = 60,
                             .silence_s = 1800,
                             .doubt_h = 24,
                             .refund_days = 7,
                             .version = 1,
                             .created_ms = b->now_ms});
    for (int p = 0; p < 3; p++) {
        b->party[i][p] = id_new(b);
        put(b, ROW_PARTY,
            &(struct row_party){.id = b->party[i][p],
                                .tenant = id,
                                .kind = p == 0 ? PARTY_PLATFORM : PARTY_PROPERTY,
                                .name = name,
                                .version = 1,
                                .created_ms = b->now_ms});
        b->share[i][p] = account(b, id, p == 0 ? ACCOUNT_INCOME : ACCOUNT_PENDING, b->party[i][p]);
    }
    b->cash[i] = account(b, id, ACCOUNT_CASH, 0);
    prices(b, i);
}

/* ---- places ---- */

static int64_t station(struct build *b, int tenant, int n)
{
    char name[40];
    int64_t id = id_new(b);
    snprintf(name, sizeof name, "Station %d", n);
    put(b, ROW_STATION,
        &(struct row_station){.id = id,
                              .tenant = tenant + 1,
                              .name = name,
                              .address = "Road 1",
                              .zone = "Asia/Shanghai",
                              .tariff = b->tariff[tenant],
                              .contract = b->contract[tenant],
                              .seller = "Seller",
                              .tax_bp = 1300,
                              .version = 1,
                              .created_ms = b->now_ms});
    return id;
}

static void card_name(const struct build *b, int i, char out[24])
{
    snprintf(out, 24, b->piles ? "%016d" : "CARD%06d", i);
}

static void charger(struct build *b, int i, FILE *list)
{
    int t = i % TENANTS;
    char path[24], password[24], card[24], code[24], hex[2 * CRYPTO_HASH_SIZE + 1];
    uint8_t hash[CRYPTO_HASH_SIZE];
    snprintf(path, sizeof path, b->piles ? "3201%010d" : "CP%06d", i);
    snprintf(password, sizeof password, "bench-%06d", i);
    card_name(b, i, card);
    crypto_keyed_hash(b->key, str_from_c(password), hash);
    str_to_hex(hash, sizeof hash, hex);
    fprintf(list, "%s\t%s\t%s\n", path, password, card);
    b->station[i] = i / TENANTS % STATION_CHARGERS ? b->station[i - TENANTS] : station(b, t, i);
    b->charger[i] = id_new(b);
    put(b, ROW_CHARGER,
        &(struct row_charger){.id = b->charger[i],
                              .tenant = t + 1,
                              .station = b->station[i],
                              .path = path,
                              .protocol = b->piles ? PROTOCOL_YKC : PROTOCOL_OCPP16,
                              .name = path,
                              .secret_hash = hex,
                              .max_power_w = 120000,
                              .traits = TRAIT_NO_TRIGGER | TRAIT_NO_INTERVAL | TRAIT_NO_PROFILE,
                              .version = 1,
                              .created_ms = b->now_ms});
    for (int n = 1; n <= 2; n++) {
        int64_t id = id_new(b);
        if (n == 1)
            b->connector[i] = id;
        snprintf(code, sizeof code, "%06dG%d", i, n);
        put(b, ROW_CONNECTOR,
            &(struct row_connector){.id = id,
                                    .tenant = t + 1,
                                    .charger = b->charger[i],
                                    .number = n,
                                    .code = code,
                                    .kind = CONNECTOR_DC,
                                    .max_power_w = 120000,
                                    .version = 1});
    }
}

/* The driver of charger number i: a card and a wallet topped up once. */
static void driver(struct build *b, int i)
{
    int t = i % TENANTS;
    char phone[24], card[24], folded[24];
    b->driver[i] = id_new(b);
    snprintf(phone, sizeof phone, "1380%07d", i);
    card_name(b, i, card);
    snprintf(folded, sizeof folded, b->piles ? "%016d" : "card%06d", i);
    put(b, ROW_DRIVER,
        &(struct row_driver){.id = b->driver[i],
                             .tenant = t + 1,
                             .phone = phone,
                             .name = "Driver",
                             .version = 1,
                             .created_ms = b->now_ms});
    put(b, ROW_TOKEN,
        &(struct row_token){.id = id_new(b),
                            .tenant = t + 1,
                            .driver = b->driver[i],
                            .tag = card,
                            .folded = folded,
                            .kind = TOKEN_CARD,
                            .version = 1,
                            .created_ms = b->now_ms});
    b->wallet[i] = account(b, t + 1, ACCOUNT_WALLET, b->driver[i]);
    struct ledger_ctx ctx = ctx_new(b);
    struct ledger_request req = {.tenant = t + 1,
                                 .code = TRANSFER_TOPUP,
                                 .currency = "CNY",
                                 .effective_ms = b->now_ms,
                                 .n = 2,
                                 .leg = {{.account = b->cash[t], .amount = MONEY(-WALLET)},
                                         {.account = b->wallet[i], .amount = MONEY(WALLET)}}};
    check(ledger_post(b->ledger, &ctx, &req), "top-up");
}

/* ---- the past ---- */

static int64_t capture(struct build *b, int d, int64_t order, int64_t *hold)
{
    int t = d % TENANTS;
    struct ledger_ctx ctx = ctx_new(b);
    *hold = ctx.id;
    check(ledger_hold_open(b->ledger, &ctx, b->wallet[d], MONEY(HOLD), order, 0), "hold");
    ctx = ctx_new(b);
    struct ledger_request req = {.tenant = t + 1,
                                 .code = TRANSFER_CAPTURE,
                                 .currency = "CNY",
                                 .order_id = order,
                                 .contract = b->contract[t],
                                 .effective_ms = b->now_ms,
                                 .n = 4,
                                 .leg = {{.account = b->wallet[d], .amount = MONEY(-BILL)},
                                         {b->share[t][0], MONEY(BILL / 10 * 5), b->party[t][0]},
                                         {b->share[t][1], MONEY(BILL / 10 * 3), b->party[t][1]},
                                         {b->share[t][2], MONEY(BILL / 10 * 2), b->party[t][2]}}};
    check(ledger_hold_capture(b->ledger, &ctx, *hold, &req), "capture");
    return ctx.id;
}

static void order_parts(struct build *b, int t, int64_t order, int64_t transfer, int64_t station_id)
{
    static const int ratio[3] = {5, 3, 2};
    static const int64_t amount[2] = {28000, 14000};
    for (int k = 0; k < 2; k++)
        put(b, ROW_FEE_LINE,
            &(struct row_fee_line){.order_id = order,
                                   .seq = k,
                                   .kind = k + 1,
                                   .label = "flat",
                                   .from_ms = b->now_ms - 1800000,
                                   .to_ms = b->now_ms,
                                   .energy_mwh = 3500000,
                                   .price_e5 = k ? 40000 : 80000,
                                   .amount = amount[k]});
    for (int k = 0; k < 6; k++)
        put(b, ROW_SPLIT_PART,
            &(struct row_split_part){.order_id = order,
                                     .seq = k,
                                     .tenant = t + 1,
                                     .transfer = transfer,
                                     .party = b->party[t][k % 3],
                                     .account = b->share[t][k % 3],
                                     .fee_kind = k / 3 + 1,
                                     .base = amount[k / 3],
                                     .ratio = ratio[k % 3],
                                     .ratio_sum = 10,
                                     .amount = amount[k / 3] / 10 * ratio[k % 3],
                                     .at_ms = b->now_ms,
                                     .station = station_id});
    for (int k = 0; k < 3; k++)
        put(b, ROW_PARTY_SHARE_NEW,
            &(struct row_party_share_new){.transfer = transfer,
                                          .party = b->party[t][k],
                                          .at_ms = b->now_ms,
                                          .order_id = order});
    for (int k = 1; k <= 2; k++)
        put(b, ROW_ORDER_EVENT,
            &(struct row_order_event){.order_id = order,
                                      .seq = k,
                                      .at_ms = b->now_ms,
                                      .state = k == 1 ? ORDER_CHARGING : ORDER_SETTLED,
                                      .event = k == 1 ? OE_TX_STARTED : OE_SETTLED,
                                      .detail = "",
                                      .actor_kind = ACTOR_CHARGER});
}

static void session(struct build *b, int64_t order, int d, int64_t tx)
{
    put(b, ROW_SESSION,
        &(struct row_session){.id = id_new(b),
                              .tenant = d % TENANTS + 1,
                              .order_id = order,
                              .charger = b->charger[d],
                              .connector = b->connector[d],
                              .tx = tx,
                              .direction = 1,
                              .state = SESSION_ENDED,
                              .meter_start = 100000000,
                              .meter_last = 103500000,
                              .meter_stop = 103500000,
                              .energy_mwh = 3500000,
                              .soc_pm = 800,
                              .start_ms = b->now_ms - 1800000,
                              .last_ms = b->now_ms,
                              .end_ms = b->now_ms,
                              .stop_text = "Local",
                              .check_ms = b->now_ms,
                              .suspect_mwh = -1});
}

static void day(struct build *b, int t, int64_t station_id)
{
    struct civil c;
    civil_from_ms(b->now_ms + 8 * 3600000, &c); /* the stations' zone is Asia/Shanghai */
    const struct row_stat_day row = {.station = station_id,
                                     .day = c.year * 10000 + c.month * 100 + c.day,
                                     .tenant = t + 1,
                                     .orders = 1,
                                     .energy_mwh = 3500000,
                                     .elec = 28000,
                                     .service = 14000,
                                     .paid = BILL,
                                     .minutes = 30};
    row_pack(&b->rows, ROW_STAT_DAY, ROW_UPSERT, &row);
}

static void order(struct build *b, int n)
{
    int d = n % b->drivers, t = d % TENANTS;
    int64_t hold, id = id_new(b), transfer = capture(b, d, id, &hold);
    put(b, ROW_ORDERS,
        &(struct row_orders){.id = id,
                             .tenant = t + 1,
                             .kind = ORDER_CHARGE,
                             .payer_kind = PAYER_WALLET,
                             .driver = b->driver[d],
                             .station = b->station[d],
                             .charger = b->charger[d],
                             .connector = b->connector[d],
                             .tariff = b->tariff[t],
                             .contract = b->contract[t],
                             .currency = "CNY",
                             .seller = "Seller",
                             .tax_bp = 1300,
                             .state = ORDER_SETTLED,
                             .started_by = START_CARD,
                             .cap = HOLD,
                             .hold = hold,
                             .energy_mwh = 3500000,
                             .elec = 28000,
                             .service = 14000,
                             .total = BILL,
                             .paid = BILL,
                             .stop_reason = STOP_LOCAL,
                             .created_ms = b->now_ms - 1800000,
                             .start_ms = b->now_ms - 1800000,
                             .end_ms = b->now_ms,
                             .settled_ms = b->now_ms,
                             .transfer = transfer,
                             .events = 2,
                             .lines = 2,
                             .parts = 6,
                             .version = 1});
    session(b, id, d, n / b->drivers + 1);
    day(b, t, b->station[d]);
    order_parts(b, t, id, transfer, b->station[d]);
}

/* ---- the whole ---- */

static void key_write(struct build *b, const char *dir)
{
    char path[300], text[2 * CRYPTO_KEY_SIZE + 1];
    os_random(b->key, sizeof b->key);
    str_to_hex(b->key, sizeof b->key, text);
    snprintf(path, sizeof path, "%s/key", dir);
    check(file_write_atomic(path, str_from_c(text), 0600), path);
}

static void places(struct build *b, const char *dir)
{
    char path[300];
    snprintf(path, sizeof path, "%s/chargers.txt", dir);
    FILE *list = fopen(path, "w");
    check(list ? 0 : ERR_IO, path);
    for (int i = 0; i < b->chargers; i++) {
        charger(b, i, list);
        if (i < b->drivers)
            driver(b, i);
        if (i % BATCH_ORDERS == 0)
            commit(b);
    }
    check(fclose(list) == 0 ? 0 : ERR_IO, path);
    commit(b);
}

/* Everything that is pending matures together: one bucket a party. */
static void maturing(struct build *b)
{
    for (int t = 0; t < TENANTS; t++)
        for (int p = 1; p < 3; p++) {
            int64_t v = ledger_balance(ledger_account(b->ledger, b->share[t][p])).v;
            if (v)
                put(b, ROW_MATURING,
                    &(struct row_maturing){.party = b->party[t][p],
                                           .due_ms = b->now_ms + 365 * DAY_MS,
                                           .tenant = t + 1,
                                           .currency = "CNY",
                                           .amount = v});
        }
}

/* The certificates of the days that are over, as a program that lived them would have made them. */
static void certificates(struct build *b)
{
    const int64_t now = os_now_ms();
    struct certifier *c;
    check(certifier_open(b->store, 0, &c), "certifier");
    do {
        check(certifier_run(c, now), "certificates");
        check(store_commit(b->store, STR_NONE, STR_NONE), "commit");
    } while (certifier_made(c));
    certifier_close(c);
}

static void build(struct build *b, const char *dir)
{
    struct ledger_limits limits = {.accounts = 100000, .holds = 100000, .seed = 7};
    size_t n = (size_t)b->chargers;
    struct store_config config = {.dir = dir, .create = true, .cache_bytes = 1u << 30};
    struct store_keeper *keeper;
    arena_init(&b->arena, 1 << 20);
    buf_init(&b->rows, SIZE_MAX);
    check(ledger_new(&b->arena, &limits, &b->ledger), "ledger");
    check(store_open(&config, &b->store), dir);
    check(store_keeper_open(b->store, &keeper), dir);
    b->charger = calloc(n, sizeof *b->charger);
    b->connector = calloc(n, sizeof *b->connector);
    b->station = calloc(n, sizeof *b->station);
    must(b->charger && b->connector && b->station);
    b->start_ms = b->now_ms = os_now_ms() - HISTORY - DAY_MS;
    key_write(b, dir);
    for (int i = 0; i < TENANTS; i++)
        tenant(b, i);
    places(b, dir);
    for (int i = 0; i < b->orders; i++) {
        b->now_ms = b->start_ms + DAY_MS + HISTORY / b->orders * i;
        order(b, i);
        if (i % BATCH_ORDERS == BATCH_ORDERS - 1) {
            commit(b);
            check(store_keeper_run(keeper), "keeper");
        }
    }
    maturing(b);
    commit(b);
    check(store_keeper_run(keeper), "keeper");
    certificates(b);
    store_keeper_close(keeper);
    store_close(b->store);
    ledger_free(b->ledger);
    arena_free(&b->arena);
    buf_free(&b->rows);
    free(b->charger);
    free(b->connector);
    free(b->station);
}

int main(int argc, char **argv)
{
    static struct build b;
    b.piles = argc == 5 && strcmp(argv[4], "piles") == 0;
    if (argc != (b.piles ? 5 : 4)) {
        fprintf(stderr, "usage: bench_house DIR CHARGERS ORDERS [piles]\n");
        return 2;
    }
    b.chargers = (int32_t)strtol(argv[2], NULL, 10);
    b.orders = (int32_t)strtol(argv[3], NULL, 10);
    if (b.chargers < TENANTS || b.chargers > 10000000 || b.orders < 0)
        return 2;
    if (b.orders) /* a file without a past holds chargers only: what they weigh is measured */
        b.drivers = b.chargers < DRIVERS_MAX ? b.chargers : DRIVERS_MAX;
    check(dir_make(argv[1], 0700), argv[1]);
    check(file_on_tmpfs(argv[1]) ? ERR_UNSUPPORTED : 0, "the folder lies in memory");
    build(&b, argv[1]);
    return 0;
}
