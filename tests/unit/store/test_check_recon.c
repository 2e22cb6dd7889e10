// SPDX-License-Identifier: Apache-2.0
/* test_check_recon.c: `even check` and reconciliation: a closed day that ties says nothing, and each
 * thing that is changed behind the store's back is found by its rule. The books are made by hand: a
 * payment, a bill with its fees and one difference on suspense, a payment to the bank, a close. */
#include "test_store.h"

#include "base/err.h"
#include "store/check.h"

enum { CHANNEL = 1, WALLET, SUSPENSE, FEE, BANK, WECHAT = 7, DAY = 20261125 };
#define DAY_END INT64_C(1795622400000) /* 2026-11-25T16:00Z: midnight in China */
#define LAST    (DAY_END - 1)

struct side {
    int64_t account, amount;
};

/* Balances and the last transfers of the five accounts, as they are built up. */
static int64_t in[BANK + 1], out[BANK + 1], last[BANK + 1];

static void transfer_put(struct box *b, int64_t id, int32_t code, int64_t effective_ms,
                         const struct side *side, size_t n)
{
    struct buf legs;
    int64_t positive = 0;
    buf_init(&legs, 4000);
    for (size_t i = 0; i < n; i++) {
        int64_t a = side[i].account, v = side[i].amount;
        in[a] += v > 0 ? v : 0;
        out[a] -= v < 0 ? v : 0;
        positive += v > 0 ? v : 0;
        buf_put_varint(&legs, (uint64_t)a);
        buf_put_zigzag(&legs, v);
        buf_put_zigzag(&legs, in[a] - out[a]);
        buf_put_varint(&legs, (uint64_t)last[a]);
        buf_put_varint(&legs, 0);
        last[a] = id;
    }
    const struct row_transfer row = {.id = id,
                                     .tenant = 1,
                                     .code = code,
                                     .currency = "CNY",
                                     .amount = positive,
                                     .effective_ms = effective_ms,
                                     .posted_ms = DAY_END + id * 1000 - 20000,
                                     .note = "",
                                     .legs = buf_str(&legs)};
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT, &row);
    buf_free(&legs);
}

static void accounts_put(struct box *b)
{
    static const int32_t kinds[] = {[CHANNEL] = ACCOUNT_CHANNEL,
                                    [WALLET] = ACCOUNT_WALLET,
                                    [SUSPENSE] = ACCOUNT_SUSPENSE,
                                    [FEE] = ACCOUNT_CHANNEL_FEE,
                                    [BANK] = ACCOUNT_BANK};
    static const int64_t owners[] = {
        [CHANNEL] = WECHAT, [WALLET] = 12, [SUSPENSE] = 0, [FEE] = WECHAT, [BANK] = 0};
    for (int64_t a = CHANNEL; a <= BANK; a++)
        row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT,
                 &(struct row_account){.id = a,
                                       .tenant = 1,
                                       .kind = kinds[a],
                                       .owner = owners[a],
                                       .currency = "CNY",
                                       .posted_in = in[a],
                                       .posted_out = out[a],
                                       .min_balance = a == WALLET ? 0 : -1000000000,
                                       .last_transfer = last[a]});
}

static void journal_make(struct box *b)
{
    const struct side paid[] = {{CHANNEL, -100000}, {WALLET, 100000}};
    const struct side fees[] = {{CHANNEL, 600}, {FEE, -600}};
    const struct side differs[] = {{CHANNEL, -70000}, {SUSPENSE, 70000}};
    const struct side settled[] = {{CHANNEL, 50000}, {BANK, -49900}, {FEE, -100}};
    const struct side later[] = {{CHANNEL, -5000}, {WALLET, 5000}};
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    memset(last, 0, sizeof last);
    transfer_put(b, 10, TRANSFER_TOPUP, DAY_END - 10000, paid, 2);
    transfer_put(b, 30, TRANSFER_CHANNEL, LAST, fees, 2);
    transfer_put(b, 40, TRANSFER_SUSPENSE, LAST, differs, 2);
    transfer_put(b, 50, TRANSFER_CHANNEL, LAST, settled, 3);
    transfer_put(b, 60, TRANSFER_TOPUP, DAY_END + 40000, later, 2);
    accounts_put(b);
}

static void recon_make(struct box *b)
{
    row_pack(&b->rows, ROW_CHANNEL, ROW_UPSERT,
             &(struct row_channel){.id = WECHAT, .tenant = 1, .kind = CHANNEL_WECHAT});
    row_pack(&b->rows, ROW_BILL, ROW_UPSERT,
             &(struct row_bill){.id = 504,
                                .tenant = 1,
                                .channel = WECHAT,
                                .day = DAY,
                                .kind = BILL_SHARES,
                                .rows = 1,
                                .matched = 1});
    row_pack(&b->rows, ROW_BILL, ROW_UPSERT,
             &(struct row_bill){.id = 500,
                                .tenant = 1,
                                .channel = WECHAT,
                                .day = DAY,
                                .rows = 2,
                                .matched = 1,
                                .differ = 1,
                                .took = 170000,
                                .fees = 600,
                                .fee_due = 600,
                                .transfer = 30});
    row_pack(&b->rows, ROW_BILL_DIFF, ROW_UPSERT,
             &(struct row_bill_diff){.id = 501,
                                     .tenant = 1,
                                     .channel = WECHAT,
                                     .bill = 500,
                                     .day = DAY,
                                     .class = BILL_THEIRS_ONLY,
                                     .currency = "CNY",
                                     .theirs = 70000,
                                     .theirs_day = DAY,
                                     .suspense = 70000,
                                     .state = DIFF_POSTED,
                                     .transfer = 40,
                                     .posted_ms = LAST});
    row_pack(&b->rows, ROW_SETTLEMENT, ROW_UPSERT,
             &(struct row_settlement){.id = 502,
                                      .tenant = 1,
                                      .channel = WECHAT,
                                      .day = DAY,
                                      .currency = "CNY",
                                      .amount = 49900,
                                      .fee = 100,
                                      .bank_no = "B",
                                      .transfer = 50});
    row_pack(&b->rows, ROW_DAY_CLOSE, ROW_UPSERT,
             &(struct row_day_close){.id = 503,
                                     .tenant = 1,
                                     .channel = WECHAT,
                                     .day = DAY,
                                     .first_day = DAY,
                                     .currency = "CNY",
                                     .took = 170000,
                                     .fees = 600,
                                     .settled = 50000,
                                     .theirs = 119400,
                                     .held = 119400});
}

static const struct box_wrong wrongs[] = {
    {"suspense", "UPDATE bill_diff SET suspense = suspense + 1"},
    {"suspense", "UPDATE bill_diff SET state = 3"},
    {"suspense", "UPDATE bill_diff SET state = 1"},
    {"suspense", "UPDATE bill_diff SET transfer = 10"},
    {"suspense", "UPDATE bill_diff SET transfer = 0"},
    {"suspense", "DELETE FROM bill_diff"},
    {"bill", "UPDATE bill SET fee_due = 500"},
    {"bill", "UPDATE bill SET fees = 700"},
    {"bill", "UPDATE bill SET transfer = 50"},
    {"bill", "UPDATE bill SET matched = 3"},
    {"bill", "DELETE FROM bill WHERE id = 504; UPDATE bill SET kind = 1"},
    {"bill", "UPDATE bill SET kind = 2 WHERE id = 504"},
    {"bill", "UPDATE bill SET fees = 1, fee_due = 1 WHERE id = 504"},
    {"bill", "UPDATE channel SET kind = 2"},
    {"bill", "UPDATE bill_diff SET kind = 3"},
    {"bill", "UPDATE bill_diff SET bill = 504"},
    {"settled", "UPDATE settlement SET fee = 0"},
    {"close", "UPDATE settlement SET day = day + 1"},
    {"close", "UPDATE bill SET took = took + 1"},
    {"close", "DELETE FROM bill"},
    {"close", "UPDATE day_close SET opening = 5"},
    {"close", "UPDATE day_close SET first_day = day + 1"},
    {"close", "UPDATE day_close SET held = held + 1, lines = lines + 1"},
    {"close", "UPDATE day_close SET theirs = theirs + 1, held = held + 1"},
    {"close", "UPDATE bill_diff SET theirs_day = 0"},
    {"close", "UPDATE bill_diff SET ours = 1, ours_ms = 1"},
    {"close", "UPDATE transfer SET effective_ms = effective_ms + 1 WHERE id = 50"},
    {"close", "UPDATE transfer SET effective_ms = 1 WHERE id = 60"},
    {"close", "UPDATE bill_diff SET posted_ms = posted_ms + 1"},
    /* Pointers that lead nowhere, or round in a circle, end the walk and not the check. */
    {"account", "UPDATE account_hot SET last_transfer = 61 WHERE id = 1"},
    {"chain", "UPDATE transfer SET legs = (SELECT legs FROM transfer WHERE id = 60) WHERE id = 50"},
    {"close",
     "INSERT INTO day_close SELECT id + 1, tenant, channel, day + 2, day + 2, currency, theirs, 0, "
     "0, 0, 0, theirs, theirs, 0, made_ms, made_by, version FROM day_close"},
};

static void a_close_that_ties_says_nothing(void **state)
{
    struct box *b = *state;
    box_open(b);
    journal_make(b);
    recon_make(b);
    box_right(b);
    box_wrongs(b, wrongs, ARRAY_LEN(wrongs));
}

int check_recon_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_close_that_ties_says_nothing, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("check: reconciliation", tests, NULL, NULL);
}
