// SPDX-License-Identifier: Apache-2.0
/* test_check_tax.c: `even check` and withheld tax: right books say nothing, and each thing that is changed
 * behind the store's back is found by its rule. The books are made by hand: a person has three payouts
 * of 1.00 in a month, the second of which came back; the office was paid for the first. A bank was told to
 * pay them by a file; the third was taken out of it and stands in the next one, which a key made. */
#include "test_store.h"

#include "base/err.h"
#include "store/check.h"

enum { LOSS = 1, PENDING, AVAILABLE, TRANSIT, TAX, BANK, ACCOUNTS };
enum { PLATFORM = 1, PERSON, RULE = 60, MONTH = 202601, ONE = 10000 };
enum { MAKER = 101, TAKER, ASKER, KEY, HAND, FILE_1 = 950, FILE_2 };

struct side {
    int64_t account, amount;
};

static int64_t in[ACCOUNTS], out[ACCOUNTS], last[ACCOUNTS];

static void transfer_put(struct box *b, int64_t id, int32_t code, const struct side side[3])
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
        buf_put_varint(&legs, 0);
        last[a] = id;
    }
    const struct row_transfer row = {.id = id,
                                     .tenant = 1,
                                     .code = code,
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
        [LOSS] = ACCOUNT_OVERRUN,    [PENDING] = ACCOUNT_PENDING, [AVAILABLE] = ACCOUNT_AVAILABLE,
        [TRANSIT] = ACCOUNT_TRANSIT, [TAX] = ACCOUNT_TAX,         [BANK] = ACCOUNT_BANK};
    for (int64_t a = LOSS; a < ACCOUNTS; a++)
        row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT,
                 &(struct row_account){.id = a,
                                       .tenant = 1,
                                       .kind = kinds[a],
                                       .owner = a >= PENDING && a <= TRANSIT ? PERSON : 0,
                                       .currency = "CNY",
                                       .posted_in = in[a],
                                       .posted_out = out[a],
                                       .min_balance = a == LOSS ? -1000000000 : 0,
                                       .last_transfer = last[a]});
}

static void journal_make(struct box *b)
{
    static const struct {
        int64_t id;
        int32_t code;
        struct side side[3];
    } all[] = {
        {10, TRANSFER_CLAUSE, {{LOSS, -2 * ONE}, {PENDING, 2 * ONE}}},
        {11, TRANSFER_MATURE, {{PENDING, -2 * ONE}, {AVAILABLE, 2 * ONE}}},
        {20, TRANSFER_WITHDRAWAL, {{AVAILABLE, -ONE}, {TRANSIT, ONE}}},
        {22, TRANSFER_WITHHELD, {{TRANSIT, -1500}, {TAX, 1500}}},
        {23, TRANSFER_WITHDRAWAL, {{AVAILABLE, -ONE}, {TRANSIT, ONE}}},
        {25, TRANSFER_WITHHELD, {{TRANSIT, -4000}, {TAX, 4000}}},
        {26, TRANSFER_PAYOUT_BACK, {{TRANSIT, -6000}, {TAX, -4000}, {AVAILABLE, ONE}}},
        {27, TRANSFER_WITHDRAWAL, {{AVAILABLE, -ONE}, {TRANSIT, ONE}}},
        {29, TRANSFER_WITHHELD, {{TRANSIT, -4000}, {TAX, 4000}}},
        {30, TRANSFER_PAYOUT_DONE, {{TRANSIT, -8500}, {BANK, 8500}}},
        {31, TRANSFER_TAX_PAID, {{TAX, -1500}, {BANK, 1500}}},
    };
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    memset(last, 0, sizeof last);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        transfer_put(b, all[i].id, all[i].code, all[i].side);
    accounts_put(b);
}

/* 0.40 free, then a quarter of it; above 1.00 taxed, a half. */
static void rule_make(struct box *b)
{
    row_pack(&b->rows, ROW_WITHHOLD_RULE, ROW_UPSERT,
             &(struct row_withhold_rule){.id = RULE, .tenant = 1, .deduct = 4000});
    row_pack(&b->rows, ROW_WITHHOLD_RATE, ROW_UPSERT,
             &(struct row_withhold_rate){.rule = RULE, .rate_bp = 2500});
    row_pack(&b->rows, ROW_WITHHOLD_RATE, ROW_UPSERT,
             &(struct row_withhold_rate){.rule = RULE, .seq = 1, .above = ONE, .rate_bp = 5000});
}

static void person_make(struct box *b)
{
    row_pack(&b->rows, ROW_TENANT, ROW_UPSERT, &(struct row_tenant){.id = 1, .zone = "UTC"});
    row_pack(&b->rows, ROW_PARTY, ROW_UPSERT,
             &(struct row_party){.id = PLATFORM, .tenant = 1, .kind = PARTY_PLATFORM});
    row_pack(&b->rows, ROW_PARTY, ROW_UPSERT,
             &(struct row_party){.id = PERSON,
                                 .tenant = 1,
                                 .kind = PARTY_PROPERTY,
                                 .payee_kind = PAYEE_PERSON,
                                 .tax_month = MONTH,
                                 .tax_sum = 2 * ONE,
                                 .tax_held = 5500});
    const struct row_contract_month months[] = {
        {.family = 5, .month = 197001, .tenant = 1, .from_id = 6, .to_ms = INT64_C(2678400000)},
        {.family = 5, .month = 197001, .party = PERSON, .tenant = 1, .posted = 2 * ONE},
        {.family = 5, .month = 197002, .tenant = 1, .from_id = 12, .open = 1}};
    for (size_t i = 0; i < ARRAY_LEN(months); i++)
        row_pack(&b->rows, ROW_CONTRACT_MONTH, ROW_UPSERT, &months[i]);
    row_pack(&b->rows, ROW_CONTRACT, ROW_UPSERT,
             &(struct row_contract){.id = 5, .tenant = 1, .family = 5, .unit = 1});
    row_pack(
        &b->rows, ROW_CONTRACT_CLAUSE, ROW_UPSERT,
        &(struct row_contract_clause){
            .contract = 5, .seq = 1, .kind = CLAUSE_GUARANTEE, .party = PERSON, .rate = 2 * ONE});
    box_part(b, &(struct row_split_part){.order_id = 10,
                                         .seq = 1,
                                         .tenant = 1,
                                         .transfer = 10,
                                         .party = PERSON,
                                         .account = PENDING,
                                         .base = 2 * ONE,
                                         .ratio = 1,
                                         .ratio_sum = 1,
                                         .clause = CLAUSE_GUARANTEE,
                                         .amount = 2 * ONE});
    row_pack(&b->rows, ROW_STATEMENT, ROW_UPSERT,
             &(struct row_statement){.id = 80,
                                     .tenant = 1,
                                     .party = PERSON,
                                     .month = MONTH,
                                     .to_ms = 1000000,
                                     .currency = "CNY",
                                     .guarantees = 2 * ONE,
                                     .withdrawn = 8500,
                                     .tax = 5500, /* of two payouts; that of the third came back */
                                     .closing = 6000});
}

static void payouts_make(struct box *b)
{
    static const int64_t of[][9] = {
        /* id, state, transfer, settled, tax, base, had, withheld, at */
        {900, PAYOUT_SETTLED, 20, 30, 1500, ONE, 0, 22, 21},
        {901, PAYOUT_FAILED, 23, 26, 4000, 2 * ONE, 1500, 25, 24},
        {902, PAYOUT_APPROVED, 27, 0, 4000, 2 * ONE, 1500, 29, 28},
    };
    for (size_t i = 0; i < ARRAY_LEN(of); i++)
        row_pack(&b->rows, ROW_PAYOUT, ROW_UPSERT,
                 &(struct row_payout){.id = of[i][0],
                                      .tenant = 1,
                                      .kind = PAYOUT_SHARE,
                                      .party = PERSON,
                                      .currency = "CNY",
                                      .amount = ONE,
                                      .state = (int32_t)of[i][1],
                                      .transfer = of[i][2],
                                      .settled = of[i][3],
                                      .done_ms = of[i][3] * 1000,
                                      .tax_rule = RULE,
                                      .tax_month = MONTH,
                                      .tax = of[i][4],
                                      .tax_base = of[i][5],
                                      .tax_had = of[i][6],
                                      .withheld = of[i][7],
                                      .tax_at = of[i][8],
                                      .asked_kind = ACTOR_PERSON,
                                      .asked_by = ASKER,
                                      .checked_by = TAKER,
                                      .payee = "6222",
                                      .payee_name = "P",
                                      .file = of[i][0] == 902 ? FILE_2 : FILE_1});
    row_pack(&b->rows, ROW_TAX_MONTH, ROW_UPSERT,
             &(struct row_tax_month){.id = 70,
                                     .tenant = 1,
                                     .month = MONTH,
                                     .currency = "CNY",
                                     .withheld = 5500,
                                     .paid = 1500});
    row_pack(&b->rows, ROW_TAX_PAID, ROW_UPSERT,
             &(struct row_tax_paid){.id = 71,
                                    .tenant = 1,
                                    .month = MONTH,
                                    .currency = "CNY",
                                    .amount = 1500,
                                    .number = "R-1",
                                    .transfer = 31});
}

static void file_row(struct box *b, int64_t file, int64_t payout, int64_t amount, int64_t out_by)
{
    row_pack(&b->rows, ROW_PAY_FILE_ROW, ROW_UPSERT,
             &(struct row_pay_file_row){.file = file,
                                        .payout = payout,
                                        .tenant = 1,
                                        .amount = amount,
                                        .payee = "6222",
                                        .payee_name = "P",
                                        .out_by = out_by,
                                        .out_ms = out_by ? 40000 : 0,
                                        .out_note = out_by ? "the bank refused the file" : ""});
}

static void files_make(struct box *b)
{
    struct row_pay_file f = {.id = FILE_1,
                             .tenant = 1,
                             .currency = "CNY",
                             .n = 3,
                             .amount = 8500 + 6000 + 6000,
                             .made_kind = ACTOR_PERSON,
                             .made_by = MAKER,
                             .made_ms = 30000};
    row_pack(&b->rows, ROW_PAY_FILE, ROW_UPSERT, &f);
    f = (struct row_pay_file){.id = FILE_2,
                              .tenant = 1,
                              .currency = "CNY",
                              .n = 1,
                              .amount = 6000,
                              .made_kind = ACTOR_API_KEY,
                              .made_by = KEY,
                              .made_ms = 50000};
    row_pack(&b->rows, ROW_PAY_FILE, ROW_UPSERT, &f);
    row_pack(&b->rows, ROW_API_KEY, ROW_UPSERT,
             &(struct row_api_key){.id = KEY, .tenant = 1, .key_hash = "k", .made_by = HAND});
    file_row(b, FILE_1, 900, 8500, 0);
    file_row(b, FILE_1, 901, 6000, 0);
    file_row(b, FILE_1, 902, 6000, TAKER);
    file_row(b, FILE_2, 902, 6000, 0);
}

static const struct box_wrong wrongs[] = {
    {"payfile", "UPDATE pay_file SET n = n + 1 WHERE id = 950"},
    {"payfile", "UPDATE pay_file SET amount = amount - 100 WHERE id = 950"},
    {"payfile", "DELETE FROM pay_file WHERE id = 951"},
    {"payfile", "DELETE FROM pay_file_row WHERE file = 951"},
    {"payfile", "DELETE FROM pay_file_row WHERE file = 951; UPDATE pay_file SET n = 0, amount = 0 "
                "WHERE id = 951"},
    {"payfile", "UPDATE payout SET file = 0 WHERE id = 900"}, /* the next one would list it */
    {"payfile", "UPDATE payout SET file = 951 WHERE id = 900"},
    {"payfile", "UPDATE payout SET file = 950 WHERE id = 902"},
    {"payfile", "UPDATE payout SET file = 952 WHERE id = 902"},
    {"payfile", "UPDATE payout SET channel = 9 WHERE id = 902"},
    {"payfile", "UPDATE payout SET state = 1 WHERE id = 902"}, /* never approved */
    {"payfile", "UPDATE payout SET fee = fee + 100 WHERE id = 902"},
    {"payfile", "UPDATE payout SET payee = '6223' WHERE id = 902"},
    {"payfile", "UPDATE payout SET payee_name = 'Q' WHERE id = 902"},
    {"payfile", "UPDATE pay_file SET channel = 9 WHERE id = 951"},
    {"payfile", "UPDATE pay_file SET currency = 'EUR' WHERE id = 951"},
    {"payfile", "UPDATE pay_file SET tenant = 2 WHERE id = 951"},
    {"payfile", "UPDATE pay_file_row SET tenant = 2 WHERE file = 951"},
    {"payfile", "UPDATE pay_file_row SET payout = 903 WHERE file = 951"},
    {"payfile", "UPDATE pay_file_row SET amount = amount + 100 * (2 * payout - 1801) WHERE file = "
                "950 AND payout < 902"}, /* the sum stays */
    {"payfile",
     "UPDATE pay_file_row SET out_by = 0, out_ms = 0, out_note = '' WHERE file = 950 AND "
     "payout = 902"}, /* in two files */
    {"payfile", "UPDATE pay_file_row SET out_by = 0 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE pay_file_row SET out_by = 0, out_note = '' WHERE payout = 902 AND file = "
                "950"},
    {"payfile", "UPDATE pay_file SET tenant = 2 WHERE id = 951; UPDATE pay_file_row SET tenant = 2 "
                "WHERE file = 951"},
    {"payfile", "INSERT INTO pay_file_row SELECT file, 903, tenant, 1, payee, payee_name, note, "
                "out_by, out_ms, out_note FROM pay_file_row WHERE file = 950 AND payout = 902;"
                "UPDATE pay_file SET n = 4, amount = amount + 1 WHERE id = 950"}, /* of no payout */
    {"payfile", "UPDATE payout SET fee = 6000 WHERE id = 902; UPDATE pay_file_row SET amount = 0 "
                "WHERE payout = 902; UPDATE pay_file SET amount = 0 WHERE id = 951;"
                "UPDATE pay_file SET amount = 14500 WHERE id = 950"}, /* nothing to pay */
    {"payfile", "UPDATE pay_file_row SET out_ms = 0 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE pay_file_row SET out_ms = 29999 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE pay_file_row SET out_note = '' WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE pay_file_row SET out_note = 'x' WHERE payout = 902 AND file = 951"},
    {"payfile", "UPDATE pay_file_row SET out_by = 101 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE pay_file_row SET out_by = 103 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE pay_file SET made_kind = 4, made_by = 104 WHERE id = 950;"
                "UPDATE pay_file_row SET out_by = 105 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE payout SET asked_kind = 4, asked_by = 104 WHERE id = 902;"
                "UPDATE pay_file_row SET out_by = 105 WHERE payout = 902 AND file = 950"},
    {"payfile", "UPDATE payout SET checked_by = 0 WHERE id = 901"}, /* who said that it failed */
    {"payfile", "UPDATE payout SET checked_by = 101 WHERE id = 901"},
    {"payfile", "UPDATE payout SET checked_by = 103 WHERE id = 901"},
    {"payfile", "UPDATE pay_file SET made_kind = 4, made_by = 104 WHERE id = 950;"
                "UPDATE payout SET checked_by = 105 WHERE id = 901"},
    {"payfile", "UPDATE payout SET asked_kind = 4, asked_by = 104, checked_by = 105 "
                "WHERE id = 901"},
    {"tax", "UPDATE payout SET tax = tax - 100 WHERE id = 902"},
    {"tax", "UPDATE payout SET tax_base = tax_base - 100 WHERE id = 902"},
    {"tax", "UPDATE payout SET tax_had = tax_had + 100, tax = tax - 100 WHERE id = 902"},
    {"tax", "UPDATE payout SET tax_rule = 61 WHERE id = 900"},
    {"tax", "UPDATE payout SET withheld = 20 WHERE id = 900"},
    {"tax", "UPDATE payout SET kind = 2 WHERE id = 900"},
    {"tax", "UPDATE payout SET tax_at = 0 WHERE id = 900"}, /* the next one does not count it */
    {"tax", "UPDATE payout SET tax_month = 202602 WHERE id = 900"},
    {"tax", "UPDATE withhold_rule SET deduct = 4400"},
    {"tax", "UPDATE withhold_rule SET deduct_bp = 9000"},
    {"tax", "UPDATE withhold_rule SET tenant = 2"},
    {"tax", "UPDATE withhold_rate SET rate_bp = 2600 WHERE seq = 0"},
    {"tax", "UPDATE withhold_rate SET above = 10400 WHERE seq = 1"},
    {"tax", "DELETE FROM withhold_rate"},
    {"office", "UPDATE tax_month SET withheld = withheld + 100"},
    {"office", "UPDATE tax_month SET paid = paid + 100"},
    {"office", "UPDATE tax_month SET month = 202602"},
    {"office", "DELETE FROM tax_month"},
    {"office", "UPDATE tax_paid SET amount = amount - 100"},
    {"office", "UPDATE tax_paid SET transfer = 22"},
    {"office", "DELETE FROM tax_paid"},
    {"office", "UPDATE account_cold SET kind = 9 WHERE id = 5"},
    {"person", "UPDATE party SET tax_sum = tax_sum - 100 WHERE id = 2"},
    {"person", "UPDATE party SET tax_held = 0 WHERE id = 2"},
    {"person", "UPDATE party SET tax_month = 202602 WHERE id = 2"},
    {"statement", "UPDATE statement SET tax = 0"},
    {"statement", "UPDATE statement SET tax = 1500, closing = 10000"}, /* of what settled alone */
    {"statement", "UPDATE statement SET tax = 9500, closing = 2000"},  /* of what came back too */
    {"payout", "UPDATE payout SET tax = 10000 WHERE id = 902"},
    {"position", "UPDATE payout SET tax = 0, tax_rule = 0, tax_at = 0 WHERE id = 902"},
};

static void withheld_tax_is_counted_again(void **state)
{
    struct box *b = *state;
    box_open(b);
    journal_make(b);
    rule_make(b);
    person_make(b);
    payouts_make(b);
    files_make(b);
    box_right(b);
    box_wrongs(b, wrongs, ARRAY_LEN(wrongs));
}

int check_tax_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(withheld_tax_is_counted_again, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("check: tax", tests, NULL, NULL);
}
