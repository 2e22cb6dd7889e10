// SPDX-License-Identifier: Apache-2.0
/* test_chain.c: the hash chain and the certificates. Books of two accounts are made by commits of a few
 * transfers over some days; then the file is changed behind the store's back, so that every other rule
 * of `even check` is content, and the chain alone must name the place. */
#include "test_store.h"

#include "base/calendar.h"
#include "base/err.h"
#include "io/os/file.h"
#include "store/certificate.h"
#include "store/certify.h"

enum { CASH = 1, WALLET, COMMITS = 6, EACH = 3, AMOUNT = 10000 };
#define DAY   INT64_C(86400000)
#define START INT64_C(1795190400000) /* 2026-11-20T16:00Z: midnight in Shanghai, the 21st begins */

struct made {
    int64_t id, last, balance;
};

static void leg(struct buf *b, int64_t account, int64_t amount, int64_t balance, int64_t previous)
{
    buf_put_varint(b, (uint64_t)account);
    buf_put_zigzag(b, amount);
    buf_put_zigzag(b, balance);
    buf_put_varint(b, (uint64_t)previous);
    buf_put_varint(b, 0);
}

static void transfer_put(struct box *b, struct made *m, int64_t at_ms)
{
    struct buf legs;
    m->id += 10;
    m->balance += AMOUNT;
    buf_init(&legs, 4000);
    leg(&legs, CASH, -AMOUNT, -m->balance, m->last);
    leg(&legs, WALLET, AMOUNT, m->balance, m->last);
    const struct row_transfer row = {.id = m->id,
                                     .tenant = 1,
                                     .code = TRANSFER_TOPUP,
                                     .currency = "CNY",
                                     .amount = AMOUNT,
                                     .posted_ms = at_ms,
                                     .effective_ms = at_ms,
                                     .legs = buf_str(&legs),
                                     .note = "as it was"};
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT, &row);
    m->last = m->id;
    buf_free(&legs);
}

static void accounts_put(struct box *b, const struct made *m)
{
    for (int64_t id = CASH; id <= WALLET; id++) {
        const struct row_account row = {.id = id,
                                        .tenant = 1,
                                        .kind = id == CASH ? ACCOUNT_CASH : ACCOUNT_WALLET,
                                        .owner = id == CASH ? 0 : 7,
                                        .currency = "CNY",
                                        .posted_in = id == WALLET ? m->balance : 0,
                                        .posted_out = id == CASH ? m->balance : 0,
                                        .min_balance = id == CASH ? -1000000000 : 0,
                                        .last_transfer = m->last};
        row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT, &row);
    }
}

/* Two commits a day from noon on, and a restart after each. */
static void books_make(struct box *b)
{
    struct made m = {0};
    for (int i = 0; i < COMMITS; i++) {
        box_open(b);
        if (i == 0)
            row_pack(&b->rows, ROW_TENANT, ROW_UPSERT,
                     &(struct row_tenant){.id = 1,
                                          .name = "t",
                                          .currency = "CNY",
                                          .zone = "Asia/Shanghai",
                                          .created_ms = START});
        for (int k = 0; k < EACH; k++)
            transfer_put(b, &m, START + DAY / 2 + i / 2 * DAY + (i % 2 * EACH + k) * 1000);
        accounts_put(b, &m);
        box_commit(b);
        box_close(b);
    }
}

static int check(const struct box *b, const struct store_witness *w, char *said, size_t cap)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    int rc = store_check_against(box_path(b, "even.db"), w, out);
    rewind(out);
    size_t n = fread(said, 1, cap - 1, out);
    said[n] = 0;
    fclose(out);
    return rc;
}

static void head_get(struct box *b, char head[65])
{
    char said[4000];
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    const char *at = strstr(said, "head ");
    assert_non_null(at);
    memcpy(head, at + 5, 64);
    head[64] = 0;
}

#define SWAP(column)                                                                               \
    "UPDATE transfer SET " column " = CASE id WHEN 80 THEN (SELECT " column                        \
    " FROM transfer WHERE id = 90) ELSE (SELECT " column                                           \
    " FROM transfer WHERE id = 80) END WHERE id IN (80, 90)"
/* The wallet's balances up to here are as if the last commit never was. */
#define TAIL                                                                                       \
    "DELETE FROM transfer WHERE id > 150; UPDATE account_hot SET last_transfer = 150;"             \
    "UPDATE account_hot SET posted_in = 150000 WHERE id = 2;"                                      \
    "UPDATE account_hot SET posted_out = 150000 WHERE id = 1"
#define BETWEEN                                                                                    \
    "INSERT INTO transfer SELECT 85, tenant, code, order_id, reverses, currency, amount, "         \
    "contract,"                                                                                    \
    " cause, actor_kind, actor, effective_ms, posted_ms, legs, note FROM transfer WHERE id = 80"

static const struct {
    const char *sql, *want;
} changes[] = {
    {"UPDATE transfer SET note = 'changed' WHERE id = 80", "violation link 3: "},
    {"UPDATE transfer SET effective_ms = effective_ms + 1 WHERE id = 90", "violation link 3: "},
    {"UPDATE transfer SET actor = 5 WHERE id = 10", "violation link 1: "},
    {"UPDATE transfer SET amount = 20000 WHERE id = 100", "violation link 4: "},
    {"UPDATE transfer SET legs = (SELECT legs FROM transfer WHERE id = 20) WHERE id = 30",
     "violation link 1: "},
    {"DELETE FROM transfer WHERE id = 110", "violation link 4: 2 transfers from 100 to 120"},
    {BETWEEN, "violation link 3: 4 transfers from 70 to 90"},
    {"UPDATE transfer SET id = 65 WHERE id = 70", "violation link 2: transfer 65 is in no link"},
    {"INSERT INTO transfer SELECT 999, tenant, code, order_id, reverses, currency, amount, "
     "contract,"
     " cause, actor_kind, actor, effective_ms, posted_ms, legs, note FROM transfer WHERE id = 180",
     "transfer 999 is in no link"},
    {SWAP("legs"), "violation link 3: "},
    {"UPDATE chain SET at_ms = at_ms + 1 WHERE seq = 2", "violation link 2: "},
    {"UPDATE chain SET hash = (SELECT hash FROM chain WHERE seq = 5) WHERE seq = 2",
     "violation link 2: "},
    {"UPDATE chain SET n = 4 WHERE seq = 2", "violation link 2: "},
    {"DELETE FROM chain WHERE seq = 3", "violation link 4: follows link 2"},
    {"DELETE FROM chain WHERE seq = 6", "transfer 160 is in no link"},
    {"DELETE FROM chain", "transfer 10 is in no link"},
    {TAIL, "violation link 6: 0 transfers from 160 to 180"},
};

static void every_change_is_found(void **state)
{
    struct box *b = *state;
    char said[20000];
    struct buf right;
    buf_init(&right, 8 << 20);
    books_make(b);
    assert_int_equal(box_number(b, "SELECT count(*) FROM chain"), COMMITS);
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    assert_int_equal(file_read(box_path(b, "even.db"), 8 << 20, &right), 0);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        assert_int_equal(file_write_atomic(box_path(b, "even.db"), buf_str(&right), 0600), 0);
        box_exec(b, changes[i].sql);
        int rc = check(b, NULL, said, sizeof said);
        const char *first = strstr(said, "violation link ");
        if (rc != 1 || !first || !strstr(said, changes[i].want))
            print_error("%s: %d\n%s", changes[i].sql, rc, said);
        assert_int_equal(rc, 1);
        assert_non_null(strstr(said, changes[i].want));
        /* The first link that is named is the one that was changed. */
        if (strncmp(changes[i].want, "violation", 9) == 0)
            assert_int_equal(strncmp(first, changes[i].want, strlen(changes[i].want)), 0);
    }
    buf_free(&right);
}

/* A tail that was cut off with its links leaves books that are right; only what was kept outside the
 * file knows of it. */
static void a_cut_tail_shows_against_a_kept_hash(void **state)
{
    struct box *b = *state;
    char said[20000], head[65];
    books_make(b);
    head_get(b, head);
    const struct store_witness w = {.head = head};
    assert_int_equal(check(b, &w, said, sizeof said), 0);
    box_exec(b, TAIL "; DELETE FROM chain WHERE seq = 6");
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    assert_int_equal(check(b, &w, said, sizeof said), 1);
    assert_non_null(strstr(said, "no link has the hash given"));
    /* What is written after the cut makes links, but never that hash again. */
    struct made m = {.id = 150, .last = 150, .balance = 150000};
    box_open(b);
    for (int k = 0; k < EACH; k++)
        transfer_put(b, &m, START + 3 * DAY);
    accounts_put(b, &m);
    box_commit(b);
    box_close(b);
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    assert_int_equal(check(b, &w, said, sizeof said), 1);
}

static void a_refused_commit_leaves_the_chain(void **state)
{
    struct box *b = *state;
    char said[4000];
    struct made m = {.id = 180, .last = 180, .balance = COMMITS * EACH * AMOUNT}, again;
    books_make(b);
    box_open(b);
    again = m;
    transfer_put(b, &m, START + 3 * DAY);
    transfer_put(b, &(struct made){.id = 170, .balance = 0}, START + 3 * DAY); /* 180 is taken */
    assert_int_equal(store_commit(b->store, buf_str(&b->rows), STR_NONE), ERR_CONFLICT);
    buf_reset(&b->rows);
    transfer_put(b, &again, START + 3 * DAY);
    accounts_put(b, &again);
    box_commit(b);
    box_close(b);
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    assert_int_equal(box_number(b, "SELECT max(seq) FROM chain"), COMMITS + 1);
}

/* ---- certificates ---- */

/* Lets the maker run at a time until nothing is left to make. */
static void days_certify(struct box *b, int64_t now_ms)
{
    struct certifier *c;
    box_open(b);
    assert_int_equal(certifier_open(b->store, 0, &c), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(certifier_run(c, now_ms + i), 0);
        assert_int_equal(store_commit(b->store, STR_NONE, STR_NONE), 0);
    }
    certifier_close(c);
    box_close(b);
}

static void each_day_is_certified_once(void **state)
{
    struct box *b = *state;
    char said[20000];
    books_make(b);
    days_certify(b, START + DAY + 60000); /* the first is over, but not for long enough */
    assert_int_equal(box_number(b, "SELECT count(*) FROM certificate"), 0);
    days_certify(b, START + DAY + 600000);
    assert_int_equal(box_number(b, "SELECT count(*) FROM certificate"), 1);
    assert_int_equal(box_number(b, "SELECT day FROM certificate"), 20261121);
    assert_int_equal(box_number(b, "SELECT link FROM certificate"), 2);
    assert_int_equal(box_number(b, "SELECT wallets FROM certificate"), 2 * EACH * AMOUNT);
    days_certify(b, START + 5 * DAY); /* days that were missed, and one without a transfer */
    assert_int_equal(box_number(b, "SELECT count(*) FROM certificate"), 4);
    assert_int_equal(box_number(b, "SELECT max(day) FROM certificate"), 20261124);
    assert_int_equal(box_number(b, "SELECT transfers FROM certificate WHERE day = 20261123"),
                     2 * EACH);
    assert_int_equal(box_number(b, "SELECT transfers FROM certificate WHERE day = 20261124"), 0);
    assert_int_equal(box_number(b, "SELECT count(*) FROM certificate WHERE"
                                   " wallets + parties + transit + rest <> 0"),
                     0);
    days_certify(b, START + 5 * DAY);
    assert_int_equal(box_number(b, "SELECT count(*) FROM certificate"), 4);
    int rc = check(b, NULL, said, sizeof said);
    if (rc)
        print_error("%s", said);
    assert_int_equal(rc, 0);
    assert_non_null(strstr(said, "chain of 6 links, 4 certificates"));
}

static const char *const false_words[] = {
    "UPDATE certificate SET wallets = wallets + 1 WHERE day = 20261122",
    "UPDATE certificate SET rest = rest + 1, parties = parties - 1 WHERE day = 20261122",
    "UPDATE certificate SET transfers = 5 WHERE day = 20261122",
    "UPDATE certificate SET debits = debits + 1, credits = credits + 1 WHERE day = 20261122",
    "UPDATE certificate SET link = 3 WHERE day = 20261122",
    "UPDATE certificate SET hash = '00' WHERE day = 20261122",
    "UPDATE certificate SET currency = 'EUR' WHERE day = 20261122",
};

static void a_false_certificate_is_found(void **state)
{
    struct box *b = *state;
    char said[20000];
    struct buf right;
    buf_init(&right, 8 << 20);
    books_make(b);
    days_certify(b, START + 5 * DAY);
    assert_int_equal(file_read(box_path(b, "even.db"), 8 << 20, &right), 0);
    for (size_t i = 0; i < ARRAY_LEN(false_words); i++) {
        assert_int_equal(file_write_atomic(box_path(b, "even.db"), buf_str(&right), 0600), 0);
        box_exec(b, false_words[i]);
        assert_int_equal(check(b, NULL, said, sizeof said), 1);
        assert_non_null(strstr(said, "violation certificate 202611"));
    }
    buf_free(&right);
}

static int first_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    certificate_read(ctx, v);
    return 0;
}

/* The text of one day's certificate, as it would be downloaded. */
static void certificate_get(struct box *b, int64_t day, struct buf *text)
{
    struct certificate c = {0};
    struct store_reader *r;
    const struct sql_value of[] = {SQL_I64(1), SQL_I64(day)};
    assert_int_equal(store_reader_open_path(box_path(b, "even.db"), &r), 0);
    assert_int_equal(store_query(r, QUERY_CERTIFY_BEFORE, of, 2, first_take, &c), 0);
    store_reader_close(r);
    certificate_write(&c, text);
    assert_int_equal(text->err, 0);
}

static void a_certificate_that_was_kept_bears_witness(void **state)
{
    struct box *b = *state;
    char said[20000];
    struct buf text;
    buf_init(&text, 1 << 16);
    books_make(b);
    days_certify(b, START + 5 * DAY);
    certificate_get(b, 20261122, &text);
    certificate_get(b, 20261123, &text);
    const struct store_witness w = {.certificates = buf_str(&text)};
    int rc = check(b, &w, said, sizeof said);
    if (rc)
        print_error("%s", said);
    assert_int_equal(rc, 0);
    /* Cut off with its links and certificates, the file is right by itself. */
    box_exec(b, TAIL "; DELETE FROM chain WHERE seq = 6; DELETE FROM certificate WHERE link = 6");
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    assert_int_equal(check(b, &w, said, sizeof said), 1);
    assert_non_null(strstr(said, "violation certificate 20261123: the one given"));
    assert_null(strstr(said, "violation certificate 20261122"));
    /* Certified anew, the day is not the one that was kept. */
    days_certify(b, START + 5 * DAY);
    assert_int_equal(check(b, NULL, said, sizeof said), 0);
    assert_int_equal(check(b, &w, said, sizeof said), 1);
    assert_non_null(strstr(said, "the one given differs in: transfers"));
    const struct store_witness garbage = {.certificates =
                                              STR_LIT("even-certificate 1\ntenant x\n")};
    assert_int_equal(check(b, &garbage, said, sizeof said), ERR_SYNTAX);
    buf_free(&text);
}

static void a_text_says_what_the_row_says(void **state)
{
    const struct certificate c = {.tenant = 3,
                                  .day = 20261122,
                                  .to_ms = START,
                                  .transfers = 12,
                                  .debits = 123456,
                                  .credits = 123456,
                                  .wallets = INT64_MAX / 2,
                                  .parties = -1,
                                  .rest = 5,
                                  .link = 9,
                                  .made_ms = START + 123,
                                  .currency = "CNY",
                                  .hash = "ab"};
    struct certificate d;
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 16);
    certificate_write(&c, &text);
    certificate_write(&c, &text);
    struct str rest = buf_str(&text);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(certificate_take(&rest, &d), 1);
        assert_null(certificate_differs(&c, &d));
    }
    assert_int_equal(certificate_take(&rest, &d), 0);
    rest = str_from(text.p, text.n - 5); /* without its end */
    assert_int_equal(certificate_take(&rest, &d), 1);
    assert_int_equal(certificate_take(&rest, &d), ERR_SYNTAX);
    d = c;
    d.parties = 1;
    assert_string_equal(certificate_differs(&c, &d), "parties");
    buf_free(&text);
}

int chain_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_change_is_found, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_cut_tail_shows_against_a_kept_hash, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_refused_commit_leaves_the_chain, box_make, box_drop),
        cmocka_unit_test_setup_teardown(each_day_is_certified_once, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_false_certificate_is_found, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_certificate_that_was_kept_bears_witness, box_make,
                                        box_drop),
        cmocka_unit_test(a_text_says_what_the_row_says),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
