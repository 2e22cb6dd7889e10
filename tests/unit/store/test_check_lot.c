// SPDX-License-Identifier: Apache-2.0
/* test_check_lot.c: `even check` and the fee of the lots that paid: what is changed behind the store's back
 * is found by the rules "lots" and "channel". The books are of lots only (their orders have neither lines nor
 * holds, which other rules say): a top-up in cash, one at 60, an order across both with a refund, one by a
 * single payment at 100, a lot that went back to its source, and a discharge that was paid too much. */
#include "test_store.h"

#include "base/err.h"
#include "store/check.h"

enum { CASH = 1, WALLET, INCOME, CHANNEL, TRANSIT, GRID, ACCOUNTS };
enum { DRIVER = 12, ACROSS = 100, ALONE, GIVEN };

static int64_t in[ACCOUNTS], out[ACCOUNTS], last[ACCOUNTS];

static void move(struct box *b, int64_t id, int32_t code, int64_t order, int64_t from, int64_t to,
                 int64_t amount)
{
    struct buf legs;
    const int64_t at[] = {from, to};
    buf_init(&legs, 4000);
    for (int i = 0; i < 2; i++) {
        int64_t a = at[i];
        in[a] += i ? amount : 0;
        out[a] += i ? 0 : amount;
        buf_put_varint(&legs, (uint64_t)a);
        buf_put_zigzag(&legs, i ? amount : -amount);
        buf_put_zigzag(&legs, in[a] - out[a]);
        buf_put_varint(&legs, (uint64_t)last[a]);
        buf_put_varint(&legs, 0);
        last[a] = id;
    }
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT,
             &(struct row_transfer){.id = id,
                                    .tenant = 1,
                                    .code = code,
                                    .order_id = order,
                                    .currency = "CNY",
                                    .amount = amount,
                                    .posted_ms = id * 1000,
                                    .legs = buf_str(&legs)});
    buf_free(&legs);
}

static void journal_begin(void)
{
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    memset(last, 0, sizeof last);
}

static void accounts_put(struct box *b)
{
    static const int32_t kinds[] = {
        0,           ACCOUNT_CASH, ACCOUNT_WALLET, ACCOUNT_INCOME, ACCOUNT_CHANNEL, ACCOUNT_TRANSIT,
        ACCOUNT_GRID};
    for (int64_t a = CASH; a < ACCOUNTS; a++)
        row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT,
                 &(struct row_account){.id = a,
                                       .tenant = 1,
                                       .kind = kinds[a],
                                       .owner = a == WALLET || a == TRANSIT ? DRIVER : 0,
                                       .currency = "CNY",
                                       .posted_in = in[a],
                                       .posted_out = out[a],
                                       .min_balance = -1000000,
                                       .last_transfer = last[a]});
}

static void journal_make(struct box *b)
{
    journal_begin();
    move(b, 10, TRANSFER_TOPUP, 0, CASH, WALLET, 10000);
    move(b, 11, TRANSFER_TOPUP, 0, CHANNEL, WALLET, 50000);       /* 60 */
    move(b, 12, TRANSFER_CAPTURE, ACROSS, WALLET, INCOME, 30000); /* 1.00 cash, 2.00 at 60: 120 */
    move(b, 13, TRANSFER_REFUND, ACROSS, INCOME, WALLET, 5000);   /* of the 60 */
    move(b, 14, TRANSFER_TOPUP, 0, CHANNEL, WALLET, 20000);       /* 100 */
    move(b, 15, TRANSFER_CAPTURE, ALONE, WALLET, INCOME, 15000);  /* its own: 150 */
    move(b, 16, TRANSFER_WITHDRAWAL, 0, WALLET, TRANSIT, 10000);  /* of the 60 */
    move(b, 17, TRANSFER_PAYOUT_BACK, 0, TRANSIT, WALLET, 10000); /* … and back, at the end */
    move(b, 18, TRANSFER_DISCHARGE, GIVEN, GRID, WALLET, 8000);
    move(b, 19, TRANSFER_CORRECTION, GIVEN, WALLET, GRID, 3000); /* of its own */
    accounts_put(b);
}

static void payment_put(struct box *b, int64_t id, int64_t amount, int32_t bp, int64_t transfer)
{
    row_pack(&b->rows, ROW_PAYMENT, ROW_UPSERT,
             &(struct row_payment){.id = id,
                                   .tenant = 1,
                                   .driver = DRIVER,
                                   .currency = "CNY",
                                   .amount = amount,
                                   .state = PAYMENT_PAID,
                                   .fee_bp = bp,
                                   .transfer = transfer});
}

static void rows_make(struct box *b)
{
    row_pack(
        &b->rows, ROW_DRIVER, ROW_UPSERT,
        &(struct row_driver){
            .id = DRIVER, .tenant = 1, .phone = "1", .lots = "25000:60;5000:100;10000:60;5000:0;"});
    payment_put(b, 20, 10000, 0, 10);
    payment_put(b, 21, 50000, 60, 11);
    payment_put(b, 22, 20000, 100, 14);
    row_pack(&b->rows, ROW_PAYOUT, ROW_UPSERT,
             &(struct row_payout){.id = 30,
                                  .tenant = 1,
                                  .kind = PAYOUT_PRINCIPAL,
                                  .driver = DRIVER,
                                  .payment = 21,
                                  .currency = "CNY",
                                  .amount = 10000,
                                  .state = PAYOUT_FAILED,
                                  .transfer = 16,
                                  .settled = 17});
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT,
             &(struct row_orders){.id = ACROSS,
                                  .tenant = 1,
                                  .payer_kind = PAYER_WALLET,
                                  .driver = DRIVER,
                                  .contract = 5,
                                  .state = ORDER_SETTLED,
                                  .lots = "15000:60;",
                                  .lot_fee = 120});
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT,
             &(struct row_orders){.id = ALONE,
                                  .tenant = 1,
                                  .payer_kind = PAYER_SINGLE,
                                  .driver = DRIVER,
                                  .payment = 22,
                                  .state = ORDER_SETTLED,
                                  .lots = "15000:100;",
                                  .lot_fee = 150});
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT,
             &(struct row_orders){.id = GIVEN,
                                  .tenant = 1,
                                  .kind = ORDER_DISCHARGE,
                                  .driver = DRIVER,
                                  .state = ORDER_SETTLED,
                                  .lots = ""});
    row_pack(&b->rows, ROW_CONTRACT_CLAUSE, ROW_UPSERT,
             &(struct row_contract_clause){
                 .contract = 5, .seq = 1, .kind = CLAUSE_CHANNEL, .party = 1, .lines = 7});
    box_part(b, &(struct row_split_part){.order_id = ACROSS,
                                         .seq = 1,
                                         .tenant = 1,
                                         .transfer = 12,
                                         .party = 1,
                                         .fee_kind = FEE_ELECTRICITY,
                                         .amount = 120,
                                         .clause = 1,
                                         .due = INT64_C(1200000000)});
}

static const struct box_wrong wrongs[] = {
    {"lots", "UPDATE orders SET lot_fee = 121 WHERE id = 100"},
    {"lots", "UPDATE orders SET lot_fee = 0, lots = '' WHERE id = 100"},
    {"lots", "UPDATE orders SET lots = '15000:100;' WHERE id = 100"},
    {"lots", "UPDATE orders SET lots = '' WHERE id = 101"},
    {"lots", "UPDATE orders SET payment = 21 WHERE id = 101"},
    {"lots", "UPDATE driver SET lots = '25000:60;15000:100;'"},
    {"lots", "UPDATE driver SET lots = ''"},
    {"lots", "UPDATE driver SET lots = '22000:60;5000:100;10000:60;8000:0;'"},
    {"lots", "UPDATE orders SET lots = '3000:60;', lot_fee = 18 WHERE id = 102"},
    {"lots", "UPDATE transfer SET code = 6 WHERE id = 19"},
    {"lots", "UPDATE payment SET fee_bp = 61 WHERE id = 21"},
    {"lots", "UPDATE payment SET fee_bp = 0 WHERE id = 22"},
    {"lots", "UPDATE payment SET transfer = 11 WHERE id = 20; UPDATE payment SET transfer = 10 "
             "WHERE id = 21"},
    {"lots", "DELETE FROM payout"},
    {"channel", "UPDATE split_part SET due = due + 1"},
    {"channel", "UPDATE split_part SET due = due - 1"},
};

static bool says(struct box *b, const char *rule, char *said, size_t size)
{
    char want[40];
    assert_int_equal(box_check(b, said, size), 1); /* of other things */
    snprintf(want, sizeof want, "violation %s ", rule);
    return strstr(said, want) != NULL;
}

static void lots_are_walked_again(void **state)
{
    struct box *b = *state;
    char said[20000];
    box_open(b);
    journal_make(b);
    rows_make(b);
    box_commit(b);
    box_close(b);
    bool wrong = says(b, "lots", said, sizeof said) || says(b, "channel", said, sizeof said);
    if (wrong)
        print_error("%s", said);
    assert_false(wrong);
    box_wrongs(b, wrongs, ARRAY_LEN(wrongs));
}

/* As many rates as a queue has parts, and one more: what comes first without a rate is no part of an
 * order, there as here. */
static void a_full_queue_is_walked_alike(void **state)
{
    struct box *b = *state;
    char said[20000], lots[400] = "";
    int64_t id = 10;
    int n = 0;
    box_open(b);
    journal_begin();
    for (int i = 0; i <= 16; i++) {
        move(b, ++id, TRANSFER_TOPUP, 0, i ? CHANNEL : CASH, WALLET, 10000);
        payment_put(b, 200 + i, 10000, i, id);
        if (i >= 15) /* sixteen parts at once, then the seventeenth */
            move(b, ++id, TRANSFER_CAPTURE, ACROSS, WALLET, INCOME, i == 15 ? 160000 : 10000);
        if (i)
            n += snprintf(lots + n, sizeof lots - (size_t)n, "10000:%d;", i);
    }
    accounts_put(b);
    row_pack(&b->rows, ROW_DRIVER, ROW_UPSERT,
             &(struct row_driver){.id = DRIVER, .tenant = 1, .phone = "1", .lots = ""});
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT,
             &(struct row_orders){.id = ACROSS,
                                  .tenant = 1,
                                  .payer_kind = PAYER_WALLET,
                                  .driver = DRIVER,
                                  .state = ORDER_SETTLED,
                                  .lots = lots,
                                  .lot_fee = 120 + 16});
    box_commit(b);
    box_close(b);
    bool wrong = says(b, "lots", said, sizeof said);
    if (wrong)
        print_error("%s", said);
    assert_false(wrong);
}

int check_lot_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lots_are_walked_again, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_full_queue_is_walked_alike, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("check: lots", tests, NULL, NULL);
}
