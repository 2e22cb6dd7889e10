// SPDX-License-Identifier: Apache-2.0
/* test_check.c: `even check` says nothing about right books and finds each kind of wrong ones. The
 * books are made by hand, row by row, and then one thing at a time is changed behind the store's
 * back. */
#include "test_store.h"

#include "base/err.h"
#include "io/os/file.h"

enum {
    CASH = 1,
    WALLET,
    INCOME,
    PENDING,
    COMPANY,
    GRID,
    BILLED = 100,
    RUNNING,
    PARKED = 103,
    PARKING,
    PAIR,
    PAIR_PART,
    GIVEN = 120
};
enum { GUN = 8, RULE = 60, MIN_MS = 60000, FLEET = 110, BILL = 71, MEMBER };
#define MONTH_END INT64_C(2678400000)
#define END_MS    INT64_C(1795278600000) /* 2026-11-21T16:30Z: the 22nd in Shanghai */

static void leg(struct buf *b, int64_t account, int64_t amount, int64_t balance, int64_t previous,
                int64_t party)
{
    buf_put_varint(b, (uint64_t)account);
    buf_put_zigzag(b, amount);
    buf_put_zigzag(b, balance);
    buf_put_varint(b, (uint64_t)previous);
    buf_put_varint(b, (uint64_t)party);
}

static void transfer_put(struct box *b, int64_t id, int32_t code, int64_t order, int64_t amount,
                         const struct buf *legs)
{
    const struct row_transfer row = {.id = id,
                                     .tenant = 1,
                                     .code = code,
                                     .order_id = order,
                                     .contract = order == BILLED ? 5 : 0,
                                     .currency = "CNY",
                                     .amount = amount,
                                     .posted_ms = 1000 * id,
                                     .legs = buf_str(legs)};
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT, &row);
}

static void account_put(struct box *b, int64_t id, int32_t kind, int64_t in, int64_t out,
                        int64_t last)
{
    const struct row_account row = {.id = id,
                                    .tenant = 1,
                                    .kind = kind,
                                    .owner = id == INCOME    ? 1
                                             : id == PENDING ? 2
                                                             : id,
                                    .currency = "CNY",
                                    .posted_in = in,
                                    .posted_out = out,
                                    .held = id == WALLET ? 100000 : 0,
                                    .min_balance = id == CASH || id == GRID ? -1000000000
                                                   : id == COMPANY          ? -500000
                                                                            : 0,
                                    .last_transfer = last};
    row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT, &row);
}

/* 100 yuan paid in; 30 of 50 held captured and split; 10 held for an order that runs. */
static void ledger_make(struct box *b)
{
    struct buf legs;
    const struct row_hold done = {.id = 50,
                                  .tenant = 1,
                                  .account = WALLET,
                                  .order_id = BILLED,
                                  .amount = 500000,
                                  .captured = 300000,
                                  .released = 200000,
                                  .state = HOLD_RESOLVED,
                                  .resolved_ms = END_MS};
    const struct row_hold open = {.id = 51,
                                  .tenant = 1,
                                  .account = WALLET,
                                  .order_id = RUNNING,
                                  .amount = 100000,
                                  .state = HOLD_OPEN};
    buf_init(&legs, 4000);
    leg(&legs, CASH, -1000000, -1000000, 0, 0);
    leg(&legs, WALLET, 1000000, 1000000, 0, 0);
    transfer_put(b, 10, TRANSFER_TOPUP, 0, 1000000, &legs);
    buf_reset(&legs);
    leg(&legs, WALLET, -300000, 700000, 10, 0);
    leg(&legs, INCOME, 60000, 60000, 0, 1);
    leg(&legs, PENDING, 240000, 240000, 0, 2);
    transfer_put(b, 20, TRANSFER_CAPTURE, BILLED, 300000, &legs);
    account_put(b, CASH, ACCOUNT_CASH, 0, 1000000, 10);
    account_put(b, WALLET, ACCOUNT_WALLET, 1006000, 300000, 60);
    buf_reset(&legs);
    leg(&legs, INCOME, -5000, 55000, 20, 1);
    leg(&legs, PENDING, 5000, 245000, 20, 2);
    transfer_put(b, 30, TRANSFER_CLAUSE, 0, 5000, &legs);
    buf_reset(&legs);
    leg(&legs, COMPANY, -20000, -20000, 0, 0);
    leg(&legs, PENDING, 20000, 265000, 30, 2);
    transfer_put(b, 40, TRANSFER_CAPTURE, FLEET, 20000, &legs);
    account_put(b, INCOME, ACCOUNT_INCOME, 60000, 5000, 30);
    account_put(b, PENDING, ACCOUNT_PENDING, 265000, 0, 40);
    account_put(b, COMPANY, ACCOUNT_COMPANY, 0, 20000, 40);
    row_pack(&b->rows, ROW_MATURING, ROW_UPSERT,
             &(struct row_maturing){
                 .party = 2, .due_ms = END_MS, .tenant = 1, .currency = "CNY", .amount = 245000});
    row_pack(&b->rows, ROW_PAYMENT, ROW_UPSERT,
             &(struct row_payment){.id = 11,
                                   .tenant = 1,
                                   .driver = WALLET,
                                   .currency = "CNY",
                                   .amount = 1000000,
                                   .state = PAYMENT_PAID,
                                   .provider_no = "",
                                   .url = "",
                                   .payer = "",
                                   .transfer = 10});
    row_pack(&b->rows, ROW_HOLD, ROW_UPSERT, &done);
    row_pack(&b->rows, ROW_HOLD, ROW_UPSERT, &open);
    buf_free(&legs);
}

static void part_put(struct box *b, int32_t seq, int64_t account, int32_t kind, int64_t base,
                     int32_t ratio, int64_t amount)
{
    const struct row_split_part row = {.order_id = BILLED,
                                       .seq = seq,
                                       .tenant = 1,
                                       .transfer = 20,
                                       .party = account == INCOME ? 1 : 2,
                                       .account = account,
                                       .fee_kind = kind,
                                       .base = base,
                                       .ratio = ratio,
                                       .ratio_sum = 5,
                                       .amount = amount};
    box_part(b, &row);
}

static void line_put(struct box *b, int32_t seq, int32_t kind, int64_t price_e5, int64_t amount)
{
    const struct row_fee_line row = {.order_id = BILLED,
                                     .seq = seq,
                                     .kind = kind,
                                     .energy_mwh = 100000000,
                                     .price_e5 = price_e5,
                                     .amount = amount};
    row_pack(&b->rows, ROW_FEE_LINE, ROW_INSERT, &row);
}

static void orders_make(struct box *b)
{
    const struct row_orders billed = {.id = BILLED,
                                      .tenant = 1,
                                      .kind = ORDER_CHARGE,
                                      .connector = GUN,
                                      .station = 7,
                                      .state = ORDER_SETTLED,
                                      .hold = 50,
                                      .energy_mwh = 100000000,
                                      .elec = 200000,
                                      .service = 100000,
                                      .total = 300000,
                                      .paid = 300000,
                                      .invoice = 600,
                                      .transfer = 20,
                                      .contract = 5,
                                      .start_ms = END_MS - 1800000,
                                      .end_ms = END_MS,
                                      .settled_ms = END_MS,
                                      .lines = 2,
                                      .parts = 3};
    const struct row_orders running = {
        .id = RUNNING, .tenant = 1, .station = 7, .state = ORDER_CHARGING, .hold = 51};
    const struct row_session ended = {
        .id = 200, .tenant = 1, .order_id = BILLED, .state = SESSION_ENDED};
    const struct row_session open = {
        .id = 201, .tenant = 1, .order_id = RUNNING, .state = SESSION_OPEN};
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &billed);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &running);
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &ended);
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &open);
    line_put(b, 1, FEE_ELECTRICITY, 20000, 200000);
    line_put(b, 2, FEE_SERVICE, 10000, 100000);
    part_put(b, 1, PENDING, FEE_ELECTRICITY, 200000, 5, 200000);
    part_put(b, 2, INCOME, FEE_SERVICE, 100000, 3, 60000);
    part_put(b, 3, PENDING, FEE_SERVICE, 100000, 2, 40000);
}

/* An invoice over the order, and a red one that takes 1.00 of it back. */
static void invoices_make(struct box *b)
{
    const struct row_invoice invoices[] = {{.id = 600,
                                            .tenant = 1,
                                            .state = INVOICE_ISSUED,
                                            .amount = 300000,
                                            .tax = 28700,
                                            .back = 10000,
                                            .orders = 1,
                                            .lines = 2,
                                            .number = "N1"},
                                           {.id = 601,
                                            .tenant = 1,
                                            .red_of = 600,
                                            .state = INVOICE_EXPORTED,
                                            .amount = -10000,
                                            .tax = -1100,
                                            .orders = 1,
                                            .lines = 1}};
    const struct row_invoice_line lines[] = {
        {600, 1, FEE_ELECTRICITY, 1300, 200000, 177000, 23000, 190000},
        {600, 2, FEE_SERVICE, 600, 100000, 94300, 5700, 100000},
        {601, 1, FEE_ELECTRICITY, 1300, -10000, -8900, -1100, 0}};
    const struct row_invoice_order orders[] = {{600, BILLED, 200000, 100000, 0, 190000, 100000, 0},
                                               {601, BILLED, -10000, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(invoices); i++)
        row_pack(&b->rows, ROW_INVOICE, ROW_UPSERT, &invoices[i]);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        row_pack(&b->rows, ROW_INVOICE_LINE, ROW_UPSERT, &lines[i]);
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        row_pack(&b->rows, ROW_INVOICE_ORDER, ROW_UPSERT, &orders[i]);
}

/* What a party has: its shares, and a guarantee that was posted for January. */
static void parties_make(struct box *b)
{
    const struct row_party parties[] = {{.id = 1, .tenant = 1, .kind = PARTY_PLATFORM},
                                        {.id = 2, .tenant = 1, .kind = PARTY_PROPERTY}};
    const struct row_contract_month months[] = {
        {.family = 5,
         .month = 197001,
         .tenant = 1,
         .base = 300000,
         .energy_mwh = 100000000,
         .from_id = 6,
         .to_ms = MONTH_END},
        {.family = 5, .month = 197001, .party = 2, .tenant = 1, .amount = 240000, .posted = 5000},
        {.family = 5, .month = 197002, .tenant = 1, .from_id = 35, .open = 1}};
    const struct row_contract contract = {.id = 5, .tenant = 1, .family = 5, .unit = 100};
    const struct row_contract_clause clauses[] = {
        {.contract = 5, .seq = 11, .kind = CLAUSE_GUARANTEE, .party = 2, .rate = 245000},
        {.contract = 5, .seq = 12, .kind = CLAUSE_TIER, .party = 2, .lines = 2, .rate = 2}};
    const struct row_split_part guarantee = {.order_id = 30,
                                             .seq = 1,
                                             .tenant = 1,
                                             .transfer = 30,
                                             .party = 2,
                                             .account = PENDING,
                                             .base = 5000,
                                             .ratio = 1,
                                             .ratio_sum = 1,
                                             .clause = CLAUSE_GUARANTEE,
                                             .amount = 5000};
    const struct row_statement statement = {.id = 400,
                                            .tenant = 1,
                                            .party = 2,
                                            .month = 202611,
                                            .to_ms = END_MS,
                                            .shares = 260000,
                                            .guarantees = 5000,
                                            .closing = 265000};
    for (size_t i = 0; i < ARRAY_LEN(parties); i++) {
        row_pack(&b->rows, ROW_PARTY, ROW_UPSERT, &parties[i]);
        row_pack(&b->rows, ROW_CONTRACT_CLAUSE, ROW_UPSERT, &clauses[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(months); i++)
        row_pack(&b->rows, ROW_CONTRACT_MONTH, ROW_UPSERT, &months[i]);
    row_pack(&b->rows, ROW_CONTRACT, ROW_UPSERT, &contract);
    box_part(b, &guarantee);
    row_pack(&b->rows, ROW_STATEMENT, ROW_UPSERT, &statement);
}

/* An order that a company pays for by the month; the share of it waits for the bill. */
static void company_make(struct box *b)
{
    const struct row_company company = {
        .id = COMPANY, .tenant = 1, .kind = COMPANY_CREDIT, .credit = 500000};
    const struct row_company_member member = {.id = MEMBER,
                                              .tenant = 1,
                                              .company = COMPANY,
                                              .driver = WALLET,
                                              .used = 20000,
                                              .used_orders = 1};
    const struct row_company_bill bill = {.id = BILL,
                                          .tenant = 1,
                                          .company = COMPANY,
                                          .month = 202611,
                                          .to_ms = END_MS,
                                          .currency = "CNY",
                                          .captured = 20000,
                                          .orders = 1,
                                          .state = COMPANY_BILL_OPEN};
    const struct row_maturing waits = {
        .party = 2, .due_ms = -BILL, .tenant = 1, .currency = "CNY", .amount = 20000};
    const struct row_orders order = {.id = FLEET,
                                     .tenant = 1,
                                     .kind = ORDER_CHARGE,
                                     .state = ORDER_SETTLED,
                                     .energy_mwh = 10000000,
                                     .elec = 20000,
                                     .total = 20000,
                                     .paid = 20000,
                                     .transfer = 40,
                                     .company = COMPANY,
                                     .member = MEMBER,
                                     .settled_ms = END_MS,
                                     .lines = 1,
                                     .parts = 1};
    const struct row_fee_line line = {.order_id = FLEET,
                                      .seq = 1,
                                      .kind = FEE_ELECTRICITY,
                                      .energy_mwh = 10000000,
                                      .price_e5 = 20000,
                                      .amount = 20000};
    const struct row_split_part part = {.order_id = FLEET,
                                        .seq = 1,
                                        .tenant = 1,
                                        .transfer = 40,
                                        .party = 2,
                                        .account = PENDING,
                                        .fee_kind = FEE_ELECTRICITY,
                                        .base = 20000,
                                        .ratio = 1,
                                        .ratio_sum = 1,
                                        .amount = 20000,
                                        .due_ms = -BILL};
    row_pack(&b->rows, ROW_COMPANY, ROW_UPSERT, &company);
    row_pack(&b->rows, ROW_COMPANY_MEMBER, ROW_UPSERT, &member);
    row_pack(&b->rows, ROW_COMPANY_BILL, ROW_UPSERT, &bill);
    row_pack(&b->rows, ROW_MATURING, ROW_UPSERT, &waits);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
    row_pack(&b->rows, ROW_FEE_LINE, ROW_INSERT, &line);
    box_part(b, &part);
}

/* 10 kWh that a vehicle gave back, at 0.06. */
static void discharge_make(struct box *b)
{
    struct buf legs;
    const struct row_orders order = {.id = GIVEN,
                                     .tenant = 1,
                                     .kind = ORDER_DISCHARGE,
                                     .driver = WALLET,
                                     .station = 7,
                                     .currency = "CNY",
                                     .state = ORDER_SETTLED,
                                     .energy_mwh = 10000000,
                                     .total = 6000,
                                     .paid = 6000,
                                     .transfer = 60,
                                     .start_ms = END_MS - MIN_MS,
                                     .end_ms = END_MS,
                                     .settled_ms = END_MS,
                                     .lines = 1};
    const struct row_fee_line line = {.order_id = GIVEN,
                                      .seq = 1,
                                      .kind = FEE_DISCHARGE,
                                      .energy_mwh = 10000000,
                                      .price_e5 = 6000,
                                      .amount = 6000};
    const struct row_payment lot = {.id = 12,
                                    .tenant = 1,
                                    .driver = WALLET,
                                    .method = PAY_METHOD_DISCHARGE,
                                    .currency = "CNY",
                                    .amount = 6000,
                                    .state = PAYMENT_PAID,
                                    .provider_no = "",
                                    .url = "",
                                    .payer = "",
                                    .transfer = 60,
                                    .order_id = GIVEN};
    buf_init(&legs, 4000);
    leg(&legs, GRID, -6000, -6000, 0, 0);
    leg(&legs, WALLET, 6000, 706000, 20, 0);
    transfer_put(b, 60, TRANSFER_DISCHARGE, GIVEN, 6000, &legs);
    account_put(b, GRID, ACCOUNT_GRID, 0, 6000, 60);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
    row_pack(&b->rows, ROW_FEE_LINE, ROW_INSERT, &line);
    row_pack(&b->rows, ROW_PAYMENT, ROW_UPSERT, &lot);
    buf_free(&legs);
}

static void place_make(struct box *b)
{
    const struct row_tenant tenant = {.id = 1, .zone = "Asia/Shanghai", .currency = "CNY"};
    const struct row_station station = {.id = 7, .tenant = 1};
    const struct row_stat_day day = {.station = 7,
                                     .day = 20261122,
                                     .tenant = 1,
                                     .orders = 1,
                                     .energy_mwh = 100000000,
                                     .elec = 200000,
                                     .service = 100000,
                                     .occupancy = 100000,
                                     .paid = 300000,
                                     .loss = 100000,
                                     .minutes = 30,
                                     .discharges = 1,
                                     .discharge_mwh = 10000000,
                                     .discharged = 6000};
    const struct row_contract_party
        one = {.contract = 5, .seq = 1, .party = 1, .lines = FEE_SERVICE, .ratio = 3},
        two = {.contract = 5, .seq = 2, .party = 2, .lines = FEE_SERVICE, .ratio = 2},
        three = {.contract = 5, .seq = 3, .party = 2, .lines = FEE_ELECTRICITY, .ratio = 5};
    row_pack(&b->rows, ROW_TENANT, ROW_UPSERT, &tenant);
    row_pack(&b->rows, ROW_STATION, ROW_UPSERT, &station);
    row_pack(&b->rows, ROW_STAT_DAY, ROW_UPSERT, &day);
    row_pack(&b->rows, ROW_CONTRACT_PARTY, ROW_UPSERT, &one);
    row_pack(&b->rows, ROW_CONTRACT_PARTY, ROW_UPSERT, &two);
    row_pack(&b->rows, ROW_CONTRACT_PARTY, ROW_UPSERT, &three);
}

/* An order that failed to start: its hold is released whole. */
static void failed_start_put(struct box *b)
{
    const struct row_hold hold = {.id = 52,
                                  .tenant = 1,
                                  .account = WALLET,
                                  .order_id = 102,
                                  .amount = 70000,
                                  .released = 70000,
                                  .state = HOLD_RESOLVED,
                                  .resolved_ms = END_MS};
    const struct row_orders order = {
        .id = 102, .tenant = 1, .station = 7, .state = ORDER_START_FAILED, .hold = 52};
    row_pack(&b->rows, ROW_HOLD, ROW_UPSERT, &hold);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
}

static void parked_line(struct box *b, int32_t seq, int from, int to, int64_t price, int64_t amount)
{
    const struct row_fee_line row = {.order_id = PARKED,
                                     .seq = seq,
                                     .kind = FEE_OCCUPANCY,
                                     .label = price ? "" : "cap",
                                     .from_ms = END_MS + from * MIN_MS,
                                     .to_ms = END_MS + to * MIN_MS,
                                     .price_e5 = price * 10,
                                     .amount = amount};
    row_pack(&b->rows, ROW_FEE_LINE, ROW_INSERT, &row);
}

static void occupancy_rows(struct box *b)
{
    const struct row_occupancy_rule rule = {.id = RULE,
                                            .tenant = 1,
                                            .family = RULE,
                                            .name = "r",
                                            .cap_order = 100000,
                                            .cap_day = 140000};
    const struct row_occupancy_window w0 = {
        .rule = RULE, .seq = 0, .from_min = 1380, .to_min = 60, .price = 5000};
    const struct row_occupancy_window w1 = {
        .rule = RULE, .seq = 1, .from_min = 60, .to_min = 90, .price = 2500};
    const struct row_connector gun = {
        .id = GUN, .tenant = 1, .charger = 9, .number = 1, .code = "C", .occupancy = PARKING};
    row_pack(&b->rows, ROW_OCCUPANCY_RULE, ROW_UPSERT, &rule);
    row_pack(&b->rows, ROW_OCCUPANCY_WINDOW, ROW_UPSERT, &w0);
    row_pack(&b->rows, ROW_OCCUPANCY_WINDOW, ROW_UPSERT, &w1);
    row_pack(&b->rows, ROW_CONNECTOR, ROW_UPSERT, &gun);
}

/* After the charge the bay stayed taken for an hour, whose fee nobody could pay; and is taken again
 * (the books do not mind by what). */
static void occupancy_make(struct box *b)
{
    struct row_orders order = {.id = PARKED,
                               .tenant = 1,
                               .kind = ORDER_OCCUPANCY,
                               .station = 7,
                               .connector = GUN,
                               .state = ORDER_SETTLED,
                               .occupancy = 100000,
                               .total = 100000,
                               .loss = 100000,
                               .start_ms = END_MS,
                               .free_ms = END_MS + 15 * MIN_MS,
                               .end_ms = END_MS + 60 * MIN_MS,
                               .settled_ms = END_MS + 60 * MIN_MS,
                               .linked = BILLED,
                               .rule = RULE,
                               .lines = 3};
    occupancy_rows(b);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
    order = (struct row_orders){.id = PARKING,
                                .tenant = 1,
                                .kind = ORDER_OCCUPANCY,
                                .station = 7,
                                .connector = GUN,
                                .state = ORDER_CREATED,
                                .start_ms = END_MS,
                                .free_ms = END_MS,
                                .linked = BILLED,
                                .rule = RULE};
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
    parked_line(b, 1, 15, 30, 5000, 75000);
    parked_line(b, 2, 30, 60, 2500, 75000);
    parked_line(b, 3, 0, 60, 0, -50000);
}

/* Two guns in one vehicle, too little energy for a fen. */
static void pair_make(struct box *b)
{
    const struct row_orders of = {.id = PAIR,
                                  .tenant = 1,
                                  .kind = ORDER_CHARGE,
                                  .charger = 9,
                                  .connector = GUN,
                                  .state = ORDER_SETTLED,
                                  .energy_mwh = 3,
                                  .settled_ms = END_MS,
                                  .part = PAIR_PART,
                                  .cap = 30000,
                                  .allot = 25000};
    const struct row_orders part = {.id = PAIR_PART,
                                    .tenant = 1,
                                    .kind = ORDER_PART,
                                    .charger = 9,
                                    .connector = GUN + 1,
                                    .state = ORDER_SETTLED,
                                    .energy_mwh = 1,
                                    .settled_ms = END_MS,
                                    .part_of = PAIR,
                                    .allot = 5000};
    const struct row_session first = {
        .id = 205, .tenant = 1, .order_id = PAIR, .state = SESSION_ENDED, .energy_mwh = 2};
    const struct row_session second = {
        .id = 206, .tenant = 1, .order_id = PAIR_PART, .state = SESSION_ENDED, .energy_mwh = 1};
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &of);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &part);
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &first);
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &second);
}

static void books_make(struct box *b)
{
    box_open(b);
    ledger_make(b);
    orders_make(b);
    failed_start_put(b);
    invoices_make(b);
    occupancy_make(b);
    pair_make(b);
    parties_make(b);
    company_make(b);
    discharge_make(b);
    place_make(b);
    box_commit(b);
    box_close(b);
}

static void right_books_pass(void **state)
{
    struct box *b = *state;
    char said[20000];
    books_make(b);
    int rc = box_check(b, said, sizeof said);
    if (rc)
        print_error("%s", said);
    assert_int_equal(rc, 0);
    assert_non_null(
        strstr(said, "wallet      accounts 1 in 100.60 out 30.00 balance 70.60 held 10.00"));
    assert_non_null(strstr(said, "6 accounts, 5 transfers, 3 holds, 9 orders: 0 violations"));
    assert_int_equal(store_check("store-test-absent", stderr), ERR_NOT_FOUND);
}

/* A payout of a party that has nothing in transit. */
#define PAYOUT_COLUMNS                                                                             \
    "tenant, kind, party, driver, payment, lot_amount, channel, currency, amount, fee, "           \
    "provider_no, payee, payee_name, confirm, note, transfer, asked_kind, asked_by, checked_by, "  \
    "err, tries, created_ms, checked_ms, sent_ms, done_ms, version, said, paper, paper_amount, "   \
    "due_ms, order_id, tax, tax_rule, tax_month, tax_base, tax_had, withheld, tax_at, of_payout, " \
    "claim, claim_by, asked_day, doubt, file, state, settled"
#define PAYOUT_ROW(state_settled)                                                                  \
    "INSERT INTO payout (id, " PAYOUT_COLUMNS ")"                                                  \
    " VALUES (900, 1, 1, 2, 0, 0, 0, 0, 'CNY', 100, 0, '', '', '', '', '', 20, 2, 1, 0, 0, 0, 1, " \
    "0, 0, 0, 1, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, " state_settled ")"

/* A share of 100 that its channel paid, and its return. */
#define RETURNED_ROW(state_settled)                                                                \
    PAYOUT_ROW(state_settled)                                                                      \
    "; UPDATE payout SET kind = 4, order_id = 100, amount = -100, transfer = 0, of_payout = 899;"  \
    "INSERT INTO payout (id, " PAYOUT_COLUMNS ") SELECT 899, " PAYOUT_COLUMNS " FROM payout;"      \
    "UPDATE payout SET kind = 3, amount = 100, transfer = 20, state = 5, settled = 20, of_payout " \
    "= 0 WHERE id = 899"

static const struct box_wrong wrongs[] = {
    {"account", "UPDATE account_hot SET posted_in = posted_in + 1 WHERE id = 2"},
    {"account", "UPDATE account_hot SET posted_out = posted_out - 1 WHERE id = 2"},
    {"account", "UPDATE account_hot SET last_transfer = 10 WHERE id = 2"},
    {"account", "UPDATE account_cold SET min_balance = 700001 WHERE id = 2"},
    {"account", "UPDATE account_hot SET held = -1 WHERE id = 3"},
    {"hold", "UPDATE account_hot SET held = held + 1 WHERE id = 2"},
    {"zero", "UPDATE account_hot SET posted_in = posted_in + 5 WHERE id = 4"},
    {"transfer", "DELETE FROM account_cold WHERE id = 4"},
    {"transfer", "UPDATE transfer SET amount = amount + 1 WHERE id = 20"},
    {"transfer", "UPDATE transfer SET legs = x'01' WHERE id = 20"},
    {"transfer", "UPDATE transfer SET legs = x'' WHERE id = 10"},
    {"transfer", "UPDATE transfer SET legs = x'0103030000' WHERE id = 10"},
    {"transfer", "UPDATE transfer SET posted_ms = 1 WHERE id = 20"},
    {"transfer", "UPDATE transfer SET currency = 'EUR' WHERE id = 20"},
    {"chain", "DELETE FROM transfer WHERE id = 10"},
    {"reversal", "UPDATE transfer SET code = 3, reverses = 30 WHERE id = 20"},
    {"reversal", "UPDATE transfer SET code = 3, reverses = 5"},
    {"hold", "UPDATE hold SET released = released - 1 WHERE id = 50"},
    {"hold", "UPDATE hold SET state = 1 WHERE id = 50"},
    {"hold", "UPDATE hold SET state = 7 WHERE id = 51"},
    {"hold", "UPDATE hold SET amount = amount + 1 WHERE id = 51"},
    {"hold", "DELETE FROM hold WHERE id = 51"},
    {"paid", "UPDATE hold SET captured = 200000, released = 300000 WHERE id = 50"},
    {"order", "UPDATE hold SET order_id = 101 WHERE id = 50"},
    {"order", "UPDATE orders SET total = total + 1 WHERE id = 100"},
    {"order", "UPDATE orders SET loss = loss + 1 WHERE id = 100"},
    {"order", "UPDATE orders SET paid = paid + 100, refunded = refunded + 100, loss = loss - 100 "
              "WHERE id = 100"},
    {"order", "UPDATE orders SET state = 4 WHERE id = 100"},
    {"order", "UPDATE orders SET state = 77 WHERE id = 101"},
    {"parts", "UPDATE orders SET paid = paid + 1 WHERE id = 100"},
    {"paid", "UPDATE orders SET transfer = 10 WHERE id = 100"},
    {"lines", "UPDATE fee_line SET amount = amount + 100, price_e5 = 0 WHERE seq = 1"},
    {"lines", "UPDATE fee_line SET price_e5 = 20100 WHERE seq = 1"},
    {"lines", "DELETE FROM fee_line WHERE seq = 2"},
    {"found", "DELETE FROM party_share_new WHERE party = 2"},
    {"found", "UPDATE party_share_new SET at_ms = 1 WHERE party = 2"},
    {"found", "INSERT INTO party_share VALUES (2, 5, 10)"},
    {"found", "INSERT INTO party_share SELECT party, at_ms, order_id FROM party_share_new;"
              "DELETE FROM party_share WHERE party = 2; DELETE FROM party_share_new"},
    {"parts", "DELETE FROM split_part WHERE seq = 2"},
    {"parts", "UPDATE split_part SET amount = amount + 1 WHERE seq = 3"},
    {"parts", "UPDATE split_part SET account = 4 WHERE seq = 2"},
    {"parts", "UPDATE split_part SET ratio = 9 WHERE seq = 2"},
    {"session", "UPDATE session SET state = 1 WHERE id = 200"},
    {"orphan", "DELETE FROM orders WHERE id = 100"},
    {"orphan", "DELETE FROM account_hot WHERE id = 4"},
    {"orphan", "INSERT INTO account_hot VALUES (99, 0, 0, 0, 0, 1)"},
    {"residue", "UPDATE contract_party SET residue_s = 1 WHERE seq = 1"},
    {"residue", "UPDATE contract_party SET residue_s = 15 - 10 * seq WHERE seq < 3"},
    {"residue", "UPDATE contract_party SET residue_e = 1 WHERE seq = 1"}, /* not its line */
    {"residue", "UPDATE split_part SET base = base + 1 WHERE seq = 3"},
    {"residue", "DELETE FROM contract_party WHERE seq = 3; UPDATE split_part SET base = 1"},
    {"residue", "UPDATE split_part SET passed = 1 WHERE seq = 1"},
    {"passed", "UPDATE split_part SET passed = 1 WHERE seq = 1"},
    {"rounded", "UPDATE contract SET unit = 1, rounding = 2; UPDATE split_part SET base = base + "
                "50 WHERE seq = 2"},
    {"residue", "UPDATE split_part SET clause = 1, due = 1 WHERE seq = 1"},
    {"residue",
     "INSERT INTO contract_clause (contract, seq, kind, party, parent, lines, rate, above, "
     "residue_e, residue_s, residue_o) VALUES (5, 1, 1, 2, 0, 1, 60000, 0, 7, 0, 0)"},
    {"order", "UPDATE orders SET refunded = -1 WHERE id = 100"},
    {"parts", "UPDATE orders SET refunded = 100 WHERE id = 100"},
    {"maturing", "UPDATE maturing SET amount = amount - 1"},
    {"maturing", "DELETE FROM maturing"},
    {"maturing", "UPDATE maturing SET party = 1"},
    {"payment", "UPDATE payment SET refunded = 1"},
    {"payment", "UPDATE payment SET transfer = 0"},
    {"payout", PAYOUT_ROW("1, 0")},
    {"payout", PAYOUT_ROW("5, 0")},
    {"payout",
     PAYOUT_ROW("3, 0") "; UPDATE payout SET kind = 3"}, /* shared, and nothing in transit */
    {"shared", PAYOUT_ROW("5, 20") "; UPDATE payout SET kind = 3"}, /* of no order */
    {"shared", PAYOUT_ROW("5, 20") "; UPDATE payout SET kind = 3, order_id = 100, amount = 300000"},
    {"shared", PAYOUT_ROW("5, 20") "; UPDATE payout SET kind = 3, order_id = 100, payment = 7"},
    {"returned", RETURNED_ROW("3, 0") "; UPDATE payout SET amount = 100 WHERE id = 900"},
    {"returned", RETURNED_ROW("3, 0") "; UPDATE payout SET transfer = 20 WHERE id = 900"},
    {"returned", RETURNED_ROW("3, 0") "; UPDATE payout SET of_payout = 0 WHERE id = 900"},
    {"returned", RETURNED_ROW("3, 0") "; UPDATE payout SET amount = -101 WHERE id = 900"},
    {"returned", RETURNED_ROW("3, 0") "; UPDATE payout SET claim = 90 WHERE id = 900"},
    {"returned", RETURNED_ROW("3, 0") "; UPDATE payout SET claim_by = 7 WHERE id = 900"},
    {"returned",
     RETURNED_ROW("2, 0") "; UPDATE payout SET claim = 90, claim_by = 7 WHERE id = 900"},
    {"returned", RETURNED_ROW("3, 20")},
    {"returned", RETURNED_ROW("5, 0")},
    {"returned", RETURNED_ROW("5, 20")}, /* moved by a transfer of another code */
    {"returned", "UPDATE transfer SET code = 25 WHERE id = 20"},
    {"paper",
     PAYOUT_ROW("5, 20") "; UPDATE payout SET paper = 'A'; INSERT INTO payout (id, " PAYOUT_COLUMNS
                         ") SELECT 901, " PAYOUT_COLUMNS " FROM payout"},
    {"position", PAYOUT_ROW("5, 30")}, /* taken out, and still there */
    {"position", "UPDATE account_cold SET kind = 8 WHERE id = 4"},
    {"position", "UPDATE split_part SET amount = amount + 1 WHERE order_id = 30"},
    {"month", "UPDATE split_part SET amount = amount + 1 WHERE order_id = 30"},
    {"month", "UPDATE contract_month SET posted = posted + 1 WHERE party = 2"},
    {"month", "DELETE FROM contract_month"},
    {"month", "UPDATE contract_month SET base = base + 1 WHERE month = 197001 AND party = 0"},
    {"month", "UPDATE contract_month SET base = 1 WHERE month = 197002"},
    {"month", "UPDATE contract_month SET energy_mwh = energy_mwh - 1 WHERE month = 197001"},
    {"month", "UPDATE contract_month SET amount = amount + 1 WHERE party = 2"},
    {"month", "UPDATE contract_month SET amount = 250000, posted = 0 WHERE party = 2"},
    {"month", "UPDATE contract_month SET rent = 5000 WHERE party = 2"},
    {"month", "UPDATE contract_month SET from_id = 25 WHERE month = 197001"}, /* counts nothing */
    {"month", "UPDATE contract_month SET from_id = 15 WHERE month = 197002"},
    {"month", "UPDATE contract_month SET from_id = 5 WHERE month = 197002"},
    {"month", "UPDATE contract_month SET open = 1 WHERE month = 197001"},
    {"month", "UPDATE contract_month SET open = 0 WHERE month = 197002"},
    {"month", "UPDATE contract_month SET month = 197003 WHERE month = 197002"},
    {"month", "UPDATE contract_month SET month = month + 100"},
    {"month", "UPDATE contract_month SET to_ms = to_ms + 86400000 WHERE month = 197001"},
    {"month", "UPDATE contract_month SET party = 1 WHERE party = 2"},
    {"month", "UPDATE contract_clause SET rate = rate + 100 WHERE seq = 11"},
    {"month", "UPDATE contract_clause SET party = 1 WHERE seq = 11"},
    {"month", "DELETE FROM contract_clause"},
    {"month", "UPDATE contract SET from_ms = 1000000000"}, /* in force for half of it */
    {"month", "UPDATE fee_line SET energy_mwh = energy_mwh + 1000 WHERE order_id = 100"},
    {"month", "UPDATE transfer SET contract = 0 WHERE id = 20"},
    {"orphan", "UPDATE transfer SET code = 6 WHERE id = 30"},
    {"parallel", "UPDATE orders SET part_of = 100 WHERE id = 106"},
    {"parallel", "UPDATE orders SET part_of = 0 WHERE id = 106"},
    {"parallel", "UPDATE orders SET part = 0 WHERE id = 105"},
    {"parallel", "UPDATE orders SET kind = 1 WHERE id = 106"},
    {"parallel", "UPDATE orders SET kind = 3 WHERE id = 105"},
    {"parallel", "UPDATE orders SET charger = 8 WHERE id = 106"},
    {"parallel", "UPDATE orders SET connector = (SELECT connector FROM orders WHERE id = 105) "
                 "WHERE id = 106"},
    {"parallel", "UPDATE orders SET cap = 100 WHERE id = 106"},
    {"parallel", "UPDATE orders SET driver = 2 WHERE id = 106"},
    {"parallel", "UPDATE orders SET payer_kind = 1 WHERE id = 106"},
    {"parallel", "UPDATE orders SET state = 4 WHERE id = 106"},
    {"parallel", "UPDATE orders SET state = 9 WHERE id = 105"},
    {"parallel", "UPDATE orders SET energy_mwh = 2 WHERE id = 105"},
    {"parallel", "UPDATE orders SET energy_mwh = 0 WHERE id = 106"},
    {"parallel", "UPDATE session SET energy_mwh = 5 WHERE id = 206"},
    {"parallel", "UPDATE orders SET part = 106 WHERE id = 101"},
    {"parallel", "UPDATE orders SET allot = 5001 WHERE id = 106"},
    {"parallel", "UPDATE orders SET allot = 0 WHERE id = 106"},
    {"parallel", "UPDATE orders SET allot = -1 WHERE id = 105"},
    {"parallel", "UPDATE orders SET cap = 29999 WHERE id = 105"},
    {"parallel", "UPDATE orders SET cap = 0 WHERE id = 105"},
    {"parallel", "UPDATE orders SET allot = 1 WHERE id = 101"},
    {"statement", "UPDATE statement SET closing = closing + 1"},
    {"statement", "UPDATE statement SET shares = shares + 1, closing = closing + 1"},
    {"statement", "UPDATE statement SET guarantees = 0, shares = 265000"},
    {"paid", "UPDATE orders SET company = 6 WHERE id = 110"},
    {"company", "DELETE FROM company_bill"},
    {"company", "UPDATE company_bill SET refunded = 1"},
    {"company", "UPDATE company SET credit = credit - 1"},
    {"company", "UPDATE company SET advance = 1"},
    {"company", "UPDATE company SET kind = 1"},
    {"company", "UPDATE account_cold SET owner = 6 WHERE id = 5"},
    {"company", "UPDATE account_hot SET held = 480001 WHERE id = 5"},
    {"member", "UPDATE company_member SET used = used + 1"},
    {"member", "UPDATE company_member SET used_orders = 2"},
    {"member", "UPDATE company_member SET held = 1"},
    {"member", "UPDATE company_member SET company = 6"},
    {"bill", "UPDATE company_bill SET captured = captured + 1"},
    {"bill", "UPDATE company_bill SET orders = 2"},
    {"bill", "UPDATE company_bill SET state = 2"},
    {"bill", "UPDATE company_bill SET collected = 1"},
    {"bill", "UPDATE company_bill SET company = 6"},
    {"bill", "UPDATE company_bill SET from_ms = 1"},
    {"share", "UPDATE company_bill SET state = 4"},
    {"share", "UPDATE maturing SET amount = amount + 1 WHERE due_ms < 0"},
    {"share", "UPDATE maturing SET amount = amount - 1 WHERE due_ms < 0"},
    {"share", "UPDATE company_bill SET issued_ms = 1;"
              "INSERT INTO bill_share VALUES (900, 1, 71, 2, 20000, 20000, 1, 1, 5, 2)"},
    {"share", "UPDATE company_bill SET issued_ms = 1;"
              "UPDATE maturing SET amount = 19999 WHERE due_ms < 0;"
              "INSERT INTO bill_share VALUES (900, 1, 71, 2, 20000, 20000, 1, 1, 0, 2)"},
    {"share", "DELETE FROM company_bill"},
    {"occupancy", "UPDATE fee_line SET from_ms = from_ms - 60000 WHERE order_id = 103 AND seq = 1"},
    {"occupancy", "UPDATE fee_line SET to_ms = to_ms + 60000 WHERE order_id = 103 AND seq = 2"},
    {"occupancy", "UPDATE fee_line SET price_e5 = 25000 WHERE order_id = 103 AND seq = 1"},
    {"occupancy", "UPDATE fee_line SET amount = amount + 100 * (3 - 2 * seq) WHERE order_id = 103 "
                  "AND seq < 3"},
    {"occupancy", "UPDATE fee_line SET amount = -amount, label = 'waived' WHERE order_id = 103 AND "
                  "seq = 3"},
    {"occupancy", "UPDATE fee_line SET label = 'waived' WHERE order_id = 103 AND seq = 3"},
    {"occupancy", "UPDATE occupancy_rule SET cap_order = 90000"},
    {"occupancy", "UPDATE occupancy_rule SET cap_day = 90000"},
    {"occupancy", "UPDATE occupancy_rule SET tenant = 2"},
    {"occupancy", "UPDATE occupancy_window SET to_min = 59 WHERE seq = 0"},
    {"occupancy", "DELETE FROM occupancy_window"},
    {"occupancy", "UPDATE orders SET linked = 101 WHERE id = 103"},
    {"occupancy", "UPDATE orders SET driver = 77 WHERE id = 103"},
    {"occupancy", "UPDATE orders SET start_ms = start_ms - 1 WHERE id = 103"},
    {"occupancy", "UPDATE orders SET free_ms = free_ms + 1 WHERE id = 103"},
    {"occupancy", "UPDATE orders SET end_ms = end_ms - 1 WHERE id = 103"},
    {"occupancy", "UPDATE connector SET occupancy = 103"},
    {"occupancy", "UPDATE connector SET occupancy = 0"},
    {"occupancy", "UPDATE orders SET connector = 9 WHERE id = 104"},
    {"day", "UPDATE stat_day SET occupancy = occupancy - 1"},
    {"gift", "UPDATE transfer SET code = 15 WHERE id = 10"},   /* given, and by no payment */
    {"gift", "UPDATE account_cold SET kind = 3 WHERE id = 2"}, /* gift money by a top-up */
    {"gift", "UPDATE orders SET gift = 1 WHERE id = 100"},
    {"gift", "UPDATE payment SET gift_back = 1"},
    {"gift", "UPDATE payment SET gift_lost = 1"},
    {"asked", "UPDATE party SET asked_sum = 1"},
    {"asked", PAYOUT_ROW("2, 0") "; UPDATE payout SET asked_day = 20261121;"
                                 "UPDATE party SET asked_day = 20261121, asked_sum = 99"},
    {"doubt", PAYOUT_ROW("5, 20") "; UPDATE payout SET doubt = 1, said = 5"},
    {"doubt", PAYOUT_ROW("9, 0") "; UPDATE payout SET doubt = 2, said = 5"},
    {"doubt", PAYOUT_ROW("9, 0") "; UPDATE payout SET doubt = 1"},
    {"hands",
     PAYOUT_ROW("5, 20") "; UPDATE payout SET asked_kind = 2, asked_by = 77, checked_by = 77"},
    {"hands",
     PAYOUT_ROW("5, 20") "; UPDATE payout SET asked_kind = 4, asked_by = 78, checked_by = 77;"
                         "INSERT INTO api_key VALUES (78, 1, 'k', 'k', 1, 0, 0, 0, 1, 0, 77)"},
    {"closed", "INSERT INTO driver VALUES (2, 1, '', '', 2, 1, 0, 0, 0, 0, '', 0, 0, 3, 0)"},
    {"gift", "INSERT INTO driver VALUES (2, 1, '', '', 0, 1, 0, 0, 0, 0, '', 0, 0, 0, 0);"
             "UPDATE payment SET gift = 500"}, /* promised, paid, and not given */
    {"hold", "UPDATE hold SET leg_of = 99 WHERE id = 51"},
    {"hold", "UPDATE hold SET leg_of = 50 WHERE id = 51"},
    {"single", "UPDATE orders SET payer_kind = 2 WHERE id = 101"},
    {"single", "UPDATE orders SET payer_kind = 2, payment = 11, driver = 2 WHERE id = 101"},
    {"single", "UPDATE orders SET payer_kind = 2, payment = 11, driver = 3 WHERE id = 100"},
    {"single", "UPDATE orders SET payer_kind = 2, payment = 11, driver = 2 WHERE id = 100;"
               "UPDATE payment SET amount = 299900"},
    {"discharge", "UPDATE orders SET paid = paid + 100, total = total + 100 WHERE id = 120"},
    {"discharge", "UPDATE orders SET refunded = 100 WHERE id = 120"},
    {"discharge", "UPDATE orders SET kind = 1 WHERE id = 120"},
    {"discharge", "UPDATE payment SET amount = amount + 100 WHERE id = 12"},
    {"discharge", "UPDATE payment SET order_id = 100 WHERE id = 12"},
    {"discharge", "UPDATE payment SET transfer = 20 WHERE id = 12"},
    {"discharge", "UPDATE payment SET driver = 3 WHERE id = 12"},
    {"discharge", "UPDATE payment SET channel = 3 WHERE id = 12"},
    {"discharge", "UPDATE payment SET method = 5 WHERE id = 11"},
    {"discharge", "DELETE FROM payment WHERE id = 12"},
    {"discharge", "UPDATE transfer SET code = 6 WHERE id = 60"},
    {"discharge", "UPDATE transfer SET order_id = 0 WHERE id = 60"},
    {"lines", "UPDATE fee_line SET kind = 1 WHERE order_id = 120"},
    {"lines", "UPDATE fee_line SET amount = amount + 100 WHERE order_id = 120"},
    {"lines", "UPDATE fee_line SET kind = 8 WHERE order_id = 110"},
    {"order", "UPDATE orders SET elec = 6000 WHERE id = 120"},
    {"day", "UPDATE stat_day SET discharged = discharged - 1"},
    {"day", "UPDATE stat_day SET discharge_mwh = discharge_mwh - 1"},
    {"day", "UPDATE stat_day SET discharges = 2"},
    {"day", "UPDATE stat_day SET paid = paid + 1"},
    {"day", "UPDATE stat_day SET day = 20261121"},
    {"day", "DELETE FROM stat_day"},
    {"day", "UPDATE tenant SET zone = 'No/Where'"},
    {"invoice", "UPDATE invoice SET amount = amount + 100 WHERE id = 600"},
    {"invoice", "UPDATE invoice SET tax = tax - 100 WHERE id = 600"},
    {"invoice", "UPDATE invoice SET back = 0 WHERE id = 600"},
    {"invoice", "UPDATE invoice SET number = '' WHERE id = 600"},
    {"invoice", "UPDATE invoice SET state = 9 WHERE id = 600"},
    {"invoice", "UPDATE invoice SET state = 4 WHERE id = 601"},
    {"invoice", "UPDATE invoice SET state = 1 WHERE id = 600"},
    {"invoice", "UPDATE invoice_order SET elec = elec - 100 WHERE invoice = 600"},
    {"invoice line", "UPDATE invoice_line SET tax = tax + 100 WHERE invoice = 600 AND seq = 2"},
    {"invoice line", "UPDATE invoice_line SET net = net + 100, tax = tax - 100 WHERE seq = 2"},
    {"invoice line", "UPDATE invoice_line SET tax_bp = 900 WHERE seq = 2"},
    {"invoice line",
     "UPDATE invoice_line SET net = net + 100, tax = tax - 100 WHERE invoice = 601"},
    {"invoice line", "UPDATE invoice_line SET rest = rest - 100 WHERE invoice = 600 AND seq = 1"},
    {"invoice line", "DELETE FROM invoice_line WHERE invoice = 601"},
    {"invoiced", "UPDATE orders SET invoice = 0 WHERE id = 100"},
    {"invoiced", "UPDATE orders SET invoice = 77 WHERE id = 101"},
    {"invoiced", "UPDATE orders SET invoice = 601 WHERE id = 100"},
    {"invoiced", "UPDATE orders SET invoice_more = 601 WHERE id = 100"},
    {"invoiced", "UPDATE orders SET invoice_more = 600 WHERE id = 100"},
    {"invoiced", "UPDATE orders SET invoice_more = 600, invoice = 0 WHERE id = 100"},
    {"invoiced", "UPDATE invoice SET driver = 9 WHERE id = 600"},
    {"invoiced", "UPDATE invoice_order SET rest_elec = 200100 WHERE invoice = 600"},
    {"invoiced", "UPDATE invoice SET red_of = 0, state = 2 WHERE id = 601; "
                 "UPDATE invoice_order SET rest_elec = 100 WHERE invoice = 601"},
};

static void each_wrong_is_found(void **state)
{
    struct box *b = *state;
    books_make(b);
    box_wrongs(b, wrongs, ARRAY_LEN(wrongs));
}

/* All that an order accepted flowed in one instant (its charger's clock jumped), and what was in doubt was
 * dropped: its lines look like those of a rest, and are not. */
static void an_order_of_an_instant_counts(void **state)
{
    struct box *b = *state;
    char said[20000];
    books_make(b);
    box_exec(b, "UPDATE session SET energy_mwh = 100000000 WHERE order_id = 100;"
                "INSERT INTO order_event (order_id, seq, at_ms, state, event, detail, actor_kind, "
                "actor, cause) VALUES (100, 99, 1, 8, 16, 'dropped', 0, 0, 0)");
    (void)box_check(b, said, sizeof said);
    if (strstr(said, "violation month"))
        print_error("%s", said);
    assert_null(strstr(said, "violation month"));
    box_exec(b, "UPDATE session SET energy_mwh = 0 WHERE order_id = 100"); /* then it is a rest */
    (void)box_check(b, said, sizeof said);
    assert_non_null(strstr(said, "violation month"));
}

/* … whose halves are checked side by side. */
static void a_large_file_is_told_the_same(void **state)
{
    struct box *b = *state;
    char small[20000], large[20000];
    books_make(b);
    box_exec(b, "UPDATE account_hot SET posted_in = posted_in + 1 WHERE id = 2;"
                "UPDATE orders SET total = total + 100 WHERE id = 100;"
                "UPDATE stat_day SET orders = orders + 1;"
                "UPDATE split_part SET amount = amount + 100 WHERE order_id = 100 AND seq = 1");
    assert_int_equal(box_check(b, small, sizeof small), 1);
    assert_non_null(strstr(small, "violation account 2"));
    assert_non_null(strstr(small, "violation order 100"));
    assert_non_null(strstr(small, "violation day"));
    assert_non_null(strstr(small, "violation position")); /* of the sums of both halves */
    box_exec(b, "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 700)"
                "INSERT INTO meter_block SELECT -i, 1, 0, 0, 0, zeroblob(100000) FROM n");
    assert_int_equal(box_check(b, large, sizeof large), 1);
    assert_string_equal(large, small);
}

/* Damage of the file itself: whatever the engine or we see of it, it is not passed. */
static void a_damaged_file_does_not_pass(void **state)
{
    struct box *b = *state;
    char said[20000];
    struct buf right;
    struct rng r = {51};
    int passed = 0, rounds = 60;
    buf_init(&right, 8 << 20);
    books_make(b);
    assert_int_equal(file_read(box_path(b, "even.db"), 8 << 20, &right), 0);
    for (int i = 0; i < rounds; i++) {
        struct buf wrong;
        buf_init(&wrong, 8 << 20);
        buf_put_str(&wrong, buf_str(&right));
        memset(wrong.p + rng_below(&r, right.n / 4096) * 4096, 0x55, 100);
        assert_int_equal(file_write_atomic(box_path(b, "even.db"), buf_str(&wrong), 0600), 0);
        passed += box_check(b, said, sizeof said) == 0;
        buf_free(&wrong);
    }
    assert_int_equal(passed, 0);
    buf_free(&right);
}

int check_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_books_pass, box_make, box_drop),
        cmocka_unit_test_setup_teardown(each_wrong_is_found, box_make, box_drop),
        cmocka_unit_test_setup_teardown(an_order_of_an_instant_counts, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_large_file_is_told_the_same, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_damaged_file_does_not_pass, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
