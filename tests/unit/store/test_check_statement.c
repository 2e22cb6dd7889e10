// SPDX-License-Identifier: Apache-2.0
/* test_check_statement.c: `even check` and statements: every movement of a party's accounts stands in one
 * line, and each line that is changed behind the store's back is found. The books are made by hand: an
 * order that was charged, corrected both ways and refunded; a guarantee and a rent; money out of
 * suspense; a payout with its fee; and two statements over them that meet. */
#include "test_store.h"

#include "base/err.h"
#include "store/check.h"

enum {
    CASH = 1,
    WALLET,
    PENDING,
    AVAILABLE,
    TRANSIT,
    INCOME,
    LOSS,
    SUSPENSE,
    BANK,
    CHANNEL,
    ACCOUNTS
};
#define MONTH_END INT64_C(2678400000)
enum { PLATFORM = 50, PARTY, DRIVER, ORDER = 100, PAYOUT = 900, FIRST = 400, SECOND };

struct side {
    int64_t account, amount;
};

static int64_t in[ACCOUNTS], out[ACCOUNTS], last[ACCOUNTS];

static int64_t party_of(int64_t account)
{
    return account >= PENDING && account <= TRANSIT ? PARTY : account == INCOME ? PLATFORM : 0;
}

static void transfer_put(struct box *b, int64_t id, int32_t code, int64_t order,
                         const struct side side[3])
{
    struct buf legs;
    int64_t positive = 0;
    buf_init(&legs, 4000);
    for (size_t i = 0; i < 3 && side[i].account; i++) {
        int64_t a = side[i].account, v = side[i].amount;
        in[a] += v > 0 ? v : 0;
        out[a] -= v < 0 ? v : 0;
        positive += v > 0 ? v : 0;
        buf_put_varint(&legs, (uint64_t)a);
        buf_put_zigzag(&legs, v);
        buf_put_zigzag(&legs, in[a] - out[a]);
        buf_put_varint(&legs, (uint64_t)last[a]);
        buf_put_varint(&legs, (uint64_t)party_of(a));
        last[a] = id;
    }
    const struct row_transfer row = {.id = id,
                                     .tenant = 1,
                                     .code = code,
                                     .order_id = order,
                                     .currency = "CNY",
                                     .amount = positive,
                                     .effective_ms = id * 1000,
                                     .posted_ms = id * 1000,
                                     .note = "",
                                     .legs = buf_str(&legs)};
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT, &row);
    buf_free(&legs);
}

static void accounts_put(struct box *b)
{
    static const int32_t kinds[] = {
        [CASH] = ACCOUNT_CASH,           [WALLET] = ACCOUNT_WALLET,     [PENDING] = ACCOUNT_PENDING,
        [AVAILABLE] = ACCOUNT_AVAILABLE, [TRANSIT] = ACCOUNT_TRANSIT,   [INCOME] = ACCOUNT_INCOME,
        [LOSS] = ACCOUNT_OVERRUN,        [SUSPENSE] = ACCOUNT_SUSPENSE, [BANK] = ACCOUNT_BANK,
        [CHANNEL] = ACCOUNT_CHANNEL};
    for (int64_t a = CASH; a < ACCOUNTS; a++)
        row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT,
                 &(struct row_account){.id = a,
                                       .tenant = 1,
                                       .kind = kinds[a],
                                       .owner = a == WALLET ? DRIVER : party_of(a),
                                       .currency = "CNY",
                                       .posted_in = in[a],
                                       .posted_out = out[a],
                                       .min_balance = party_of(a) || a == WALLET ? 0 : -1000000000,
                                       .last_transfer = last[a]});
}

static void journal_make(struct box *b)
{
    static const struct {
        int64_t id, order;
        int32_t code;
        struct side side[3];
    } all[] = {
        {10, 0, TRANSFER_TOPUP, {{CASH, -100000}, {WALLET, 100000}}},
        {20, ORDER, TRANSFER_CAPTURE, {{WALLET, -50000}, {PENDING, 50000}}},
        {21, ORDER, TRANSFER_LATE, {{WALLET, -6000}, {PENDING, 6000}}},
        {22, ORDER, TRANSFER_CORRECTION, {{WALLET, 2000}, {PENDING, -2000}}},
        {23, ORDER, TRANSFER_REFUND, {{WALLET, 10000}, {PENDING, -10000}}},
        {24, 0, TRANSFER_CLAUSE, {{LOSS, -7000}, {PENDING, 7000}}},
        {25, 0, TRANSFER_RENT, {{LOSS, -3000}, {PENDING, 3000}}},
        {26, 0, TRANSFER_MATURE, {{PENDING, -54000}, {AVAILABLE, 54000}}},
        {27, 0, TRANSFER_SUSPENSE, {{CHANNEL, -4000}, {SUSPENSE, 4000}}},
        {28, 0, TRANSFER_SUSPENSE_OUT, {{SUSPENSE, -4000}, {PENDING, 4000}}},
        {29, 0, TRANSFER_WITHDRAWAL, {{AVAILABLE, -20000}, {TRANSIT, 20000}}},
        {30, 0, TRANSFER_PAYOUT_DONE, {{TRANSIT, -20000}, {BANK, 19000}, {INCOME, 1000}}},
    };
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    memset(last, 0, sizeof last);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        transfer_put(b, all[i].id, all[i].code, all[i].order, all[i].side);
    accounts_put(b);
}

static void line_put(struct box *b, int32_t seq, int64_t energy_mwh, int64_t price_e5,
                     int64_t amount)
{
    row_pack(&b->rows, ROW_FEE_LINE, ROW_INSERT,
             &(struct row_fee_line){.order_id = ORDER,
                                    .seq = seq,
                                    .kind = FEE_ELECTRICITY,
                                    .label = "",
                                    .energy_mwh = energy_mwh,
                                    .price_e5 = price_e5,
                                    .amount = amount});
}

/* `of` is the order, or the transfer of a part that belongs to none. */
static void part_put(struct box *b, int64_t of, int32_t seq, int64_t transfer, int64_t amount)
{
    static const int32_t clauses[] = {[24] = CLAUSE_GUARANTEE, [25] = CLAUSE_RENT, [28] = 0};
    box_part(b, &(struct row_split_part){.order_id = of,
                                         .seq = seq,
                                         .tenant = 1,
                                         .transfer = transfer,
                                         .party = PARTY,
                                         .account = PENDING,
                                         .fee_kind = of == ORDER ? FEE_ELECTRICITY : 0,
                                         .base = amount,
                                         .ratio = 1,
                                         .ratio_sum = 1,
                                         .amount = amount,
                                         .at_ms = transfer * 1000,
                                         .clause = of == ORDER ? 0 : clauses[transfer]});
}

static void order_make(struct box *b)
{
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT,
             &(struct row_orders){.id = ORDER,
                                  .tenant = 1,
                                  .kind = ORDER_CHARGE,
                                  .state = ORDER_SETTLED,
                                  .energy_mwh = 5400000,
                                  .elec = 54000,
                                  .total = 54000,
                                  .paid = 54000,
                                  .refunded = 10000,
                                  .transfer = 20,
                                  .settled_ms = 20000,
                                  .lines = 3,
                                  .parts = 4});
    line_put(b, 1, 5000000, 100000, 50000);
    line_put(b, 2, 600000, 0, 6000);
    line_put(b, 3, -200000, 0, -2000);
    part_put(b, ORDER, 1, 20, 50000);
    part_put(b, ORDER, 2, 21, 6000);
    part_put(b, ORDER, 3, 22, -2000);
    part_put(b, ORDER, 4, 23, -10000);
    part_put(b, 24, 1, 24, 7000);
    part_put(b, 25, 1, 25, 3000);
    part_put(b, 28, 1, 28, 4000);
}

/* January is over, with what its end posted. */
static void contract_make(struct box *b)
{
    const struct row_contract_month months[] = {
        {.family = 5, .month = 197001, .tenant = 1, .from_id = 6, .to_ms = MONTH_END},
        {.family = 5, .month = 197001, .party = PARTY, .tenant = 1, .posted = 10000, .rent = 3000},
        {.family = 5, .month = 197002, .tenant = 1, .from_id = 26, .open = 1}};
    row_pack(&b->rows, ROW_CONTRACT, ROW_UPSERT,
             &(struct row_contract){.id = 5, .tenant = 1, .family = 5, .unit = 1});
    row_pack(&b->rows, ROW_CONTRACT_CLAUSE, ROW_UPSERT,
             &(struct row_contract_clause){
                 .contract = 5, .seq = 1, .kind = CLAUSE_GUARANTEE, .party = PARTY, .rate = 7000});
    row_pack(&b->rows, ROW_CONTRACT_CLAUSE, ROW_UPSERT,
             &(struct row_contract_clause){
                 .contract = 5, .seq = 2, .kind = CLAUSE_RENT, .party = PARTY, .rate = 3000});
    for (size_t i = 0; i < ARRAY_LEN(months); i++)
        row_pack(&b->rows, ROW_CONTRACT_MONTH, ROW_UPSERT, &months[i]);
}

static void party_make(struct box *b)
{
    row_pack(&b->rows, ROW_TENANT, ROW_UPSERT, &(struct row_tenant){.id = 1, .zone = "UTC"});
    row_pack(&b->rows, ROW_PARTY, ROW_UPSERT,
             &(struct row_party){.id = PLATFORM, .tenant = 1, .kind = PARTY_PLATFORM});
    row_pack(&b->rows, ROW_PARTY, ROW_UPSERT,
             &(struct row_party){.id = PARTY, .tenant = 1, .kind = PARTY_PROPERTY});
    row_pack(&b->rows, ROW_MATURING, ROW_UPSERT,
             &(struct row_maturing){
                 .party = PARTY, .due_ms = 99000, .tenant = 1, .currency = "CNY", .amount = 4000});
    contract_make(b);
    row_pack(&b->rows, ROW_BILL_DIFF, ROW_UPSERT,
             &(struct row_bill_diff){.id = 700,
                                     .tenant = 1,
                                     .class = BILL_THEIRS_ONLY,
                                     .currency = "CNY",
                                     .theirs = 4000,
                                     .suspense = 4000,
                                     .state = DIFF_RESOLVED,
                                     .way = DIFF_TO_PARTY,
                                     .target = PARTY,
                                     .asked_by = 1,
                                     .checked_by = 2,
                                     .transfer = 27,
                                     .resolved = 28});
    row_pack(&b->rows, ROW_PAYOUT, ROW_UPSERT,
             &(struct row_payout){.id = PAYOUT,
                                  .tenant = 1,
                                  .kind = PAYOUT_SHARE,
                                  .party = PARTY,
                                  .currency = "CNY",
                                  .amount = 20000,
                                  .fee = 1000,
                                  .state = PAYOUT_SETTLED,
                                  .transfer = 29,
                                  .settled = 30,
                                  .done_ms = 30000});
}

static void statements_make(struct box *b)
{
    const struct row_statement first = {.id = FIRST,
                                        .tenant = 1,
                                        .party = PARTY,
                                        .month = 197001,
                                        .to_ms = 25000,
                                        .currency = "CNY",
                                        .shares = 50000,
                                        .refunds = 10000,
                                        .corrections = 4000,
                                        .guarantees = 7000,
                                        .closing = 51000,
                                        .state = STATEMENT_CONFIRMED};
    const struct row_statement second = {.id = SECOND,
                                         .tenant = 1,
                                         .party = PARTY,
                                         .month = 197002,
                                         .from_ms = 25000,
                                         .to_ms = 90000,
                                         .currency = "CNY",
                                         .opening = 51000,
                                         .rents = 3000,
                                         .suspense = 4000,
                                         .withdrawn = 19000,
                                         .fees = 1000,
                                         .closing = 38000,
                                         .state = STATEMENT_CONFIRMED};
    row_pack(&b->rows, ROW_STATEMENT, ROW_UPSERT, &first);
    row_pack(&b->rows, ROW_STATEMENT, ROW_UPSERT, &second);
}

static const struct box_wrong wrongs[] = {
    {"statement", "UPDATE statement SET shares = 49000, corrections = 5000 WHERE id = 400"},
    {"statement", "UPDATE statement SET refunds = 9000, corrections = 3000 WHERE id = 400"},
    {"statement", "UPDATE statement SET guarantees = 6000, rents = 1000 WHERE id = 400"},
    {"statement", "UPDATE statement SET rents = 0, guarantees = 3000 WHERE id = 401"},
    {"statement", "UPDATE statement SET suspense = 0, corrections = 4000 WHERE id = 401"},
    {"statement", "UPDATE statement SET withdrawn = 20000, fees = 0 WHERE id = 401"},
    {"statement", "UPDATE statement SET fees = 0, tax = 1000 WHERE id = 401"},
    {"statement", "UPDATE statement SET tax = 1, closing = closing - 1 WHERE id = 401"},
    {"statement",
     "UPDATE statement SET opening = opening + 1, closing = closing + 1 WHERE id = 401"},
    {"statement", "UPDATE statement SET closing = closing + 1 WHERE id = 400"},
    {"statement", "UPDATE statement SET capped = 1 WHERE id = 400"},
    {"statement", "UPDATE statement SET to_ms = 25001 WHERE id = 400"},
    {"statement", "UPDATE statement SET from_ms = 25001 WHERE id = 401"},
    {"statement", "UPDATE transfer SET code = 2 WHERE id = 21"},
    {"statement", "UPDATE transfer SET code = 14 WHERE id = 25"},
    {"statement", "UPDATE transfer SET code = 10 WHERE id = 28"}, /* it stands in no line */
    {"month", "UPDATE contract_month SET posted = posted + 1 WHERE party <> 0"},
    {"given", "UPDATE bill_diff SET target = 50"},
    {"given", "UPDATE bill_diff SET checked_by = asked_by"},
    {"given", "UPDATE bill_diff SET suspense = 3000"},
    {"given", "UPDATE bill_diff SET way = 3"},
    {"given", "UPDATE split_part SET party = 50 WHERE order_id = 28"},
};

static void every_line_is_worked_out_again(void **state)
{
    struct box *b = *state;
    box_open(b);
    journal_make(b);
    order_make(b);
    party_make(b);
    statements_make(b);
    box_right(b);
    box_wrongs(b, wrongs, ARRAY_LEN(wrongs));
}

int check_statement_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_line_is_worked_out_again, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("check: statements", tests, NULL, NULL);
}
