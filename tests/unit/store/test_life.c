// SPDX-License-Identifier: Apache-2.0
/* test_life.c: a store through its life: commit, reopen, load, look-ups, samples in the log and in
 * blocks, torn logs, locks, full disks. */
#include "test_store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/err.h"
#include "io/os/file.h"
#include "store/query.h"
#include "store/sample.h"

/* Rows given out, packed again so that they can be compared later. */
struct seen {
    struct buf rows;
    uint32_t n[ROW_TABLE_N];
};

static int see(void *ctx, enum row_table t, const void *row)
{
    struct seen *s = ctx;
    row_pack(&s->rows, t, ROW_UPSERT, row);
    s->n[t]++;
    return s->rows.err;
}

static void seen_init(struct seen *s)
{
    memset(s, 0, sizeof *s);
    buf_init(&s->rows, 64 << 20);
}

static int stop_now(void *ctx, enum row_table t, const void *row)
{
    (void)ctx;
    (void)t;
    (void)row;
    return 77;
}

/* One row of every directory table goes in, is changed, and comes back after a restart as it was
 * changed. */
static void rows_come_back(void **state)
{
    struct box *b = *state;
    struct rng r = {31};
    struct arena a;
    struct buf want;
    struct seen seen;
    arena_init(&a, 1 << 20);
    buf_init(&want, 1 << 20);
    box_open(b);
    for (int t = 1; t < ROW_TABLE_N; t++) {
        char row[1024], again[1024];
        if (t == ROW_CHAIN)
            continue; /* the store's own */
        row_random(&r, (enum row_table)t, &a, row, true);
        row_pack(&b->rows, (enum row_table)t, ROW_INSERT, row);
        memcpy(again, row, sizeof row);
        if (row_metas[t].kind != ROW_KIND_DIRECTORY)
            continue;
        /* Same key, other values. */
        row_random(&r, (enum row_table)t, &a, again, false);
        for (uint32_t i = 0; i < row_metas[t].n; i++) {
            const struct row_column *k = &row_metas[t].columns[i];
            size_t size = k->kind == COLUMN_INT || k->kind == COLUMN_BOOL ? 4 : 8;
            if (k->pk)
                memcpy(again + k->offset, row + k->offset, size);
        }
        row_pack(&b->rows, (enum row_table)t, ROW_UPSERT, again);
        row_pack(&want, (enum row_table)t, ROW_UPSERT, again);
    }
    box_commit(b);
    box_close(b);
    box_open(b);
    seen_init(&seen);
    assert_int_equal(store_load(b->store, see, &seen), 0);
    assert_true(seen.rows.n >= want.n);
    assert_memory_equal(seen.rows.p, want.p, want.n); /* directory tables come first, in order */
    assert_int_equal(store_load(b->store, stop_now, NULL), 77);
    buf_free(&seen.rows);
    buf_free(&want);
    arena_free(&a);
}

static void order_put(struct box *b, int64_t id, int32_t state, int64_t hold)
{
    const struct row_orders order = {.id = id, .tenant = 1, .state = state, .hold = hold};
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
}

static void session_put(struct box *b, int64_t id, int64_t order, int32_t state, const char *tx_no)
{
    const struct row_session row = {.id = id,
                                    .tenant = 1,
                                    .order_id = order,
                                    .charger = 5,
                                    .tx = 100 + id,
                                    .tx_no = tx_no,
                                    .state = state};
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &row);
}

static void story(struct box *b)
{
    const struct row_hold open = {.id = 3, .order_id = 1, .amount = 5, .state = HOLD_OPEN};
    const struct row_hold done = {.id = 4, .order_id = 2, .amount = 5, .state = HOLD_RESOLVED};
    const struct row_bill_piece piece = {.session = 11, .seq = 1}, old = {.session = 12, .seq = 1};
    const struct row_split_part part = {.order_id = 3, .seq = 1, .amount = 9};
    const struct row_command queued = {.id = 1, .state = COMMAND_QUEUED},
                             over = {.id = 2, .state = COMMAND_DONE};
    const struct row_transfer t1 = {.id = 1, .posted_ms = 500}, t2 = {.id = 2, .posted_ms = 600};
    const struct row_contract_month month = {.family = 7, .month = 202611, .open = 1},
                                    past = {.family = 7, .month = 202610};
    order_put(b, 1, ORDER_CHARGING, 3);
    order_put(b, 2, ORDER_SETTLED, 4);
    order_put(b, 3, ORDER_DOUBTFUL, 0);
    session_put(b, 11, 1, SESSION_OPEN, "32010200000001");
    session_put(b, 12, 2, SESSION_ENDED, "");
    row_pack(&b->rows, ROW_HOLD, ROW_UPSERT, &open);
    row_pack(&b->rows, ROW_HOLD, ROW_UPSERT, &done);
    row_pack(&b->rows, ROW_BILL_PIECE, ROW_UPSERT, &piece);
    row_pack(&b->rows, ROW_BILL_PIECE, ROW_UPSERT, &old);
    row_pack(&b->rows, ROW_SPLIT_PART, ROW_INSERT, &part);
    row_pack(&b->rows, ROW_COMMAND, ROW_UPSERT, &queued);
    row_pack(&b->rows, ROW_COMMAND, ROW_UPSERT, &over);
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT, &t1);
    row_pack(&b->rows, ROW_TRANSFER, ROW_INSERT, &t2);
    row_pack(&b->rows, ROW_CONTRACT_MONTH, ROW_UPSERT, &month);
    row_pack(&b->rows, ROW_CONTRACT_MONTH, ROW_UPSERT, &past);
}

/* Two drivers with a wallet, a debt and two payouts each: of 21 one of these is on its way. */
static void payees_put(struct box *b)
{
    for (int64_t d = 21; d <= 22; d++) {
        char phone[8] = {(char)('0' + d % 10)};
        row_pack(&b->rows, ROW_DRIVER, ROW_UPSERT,
                 &(struct row_driver){.id = d, .tenant = 1, .phone = phone});
        for (int k = 0; k < 2; k++) {
            row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT,
                     &(struct row_account){.id = 2 * d + k,
                                           .tenant = 1,
                                           .kind = k ? ACCOUNT_DEBT : ACCOUNT_WALLET,
                                           .owner = d,
                                           .currency = "CNY"});
            row_pack(&b->rows, ROW_PAYOUT, ROW_UPSERT,
                     &(struct row_payout){.id = 4 * d + k,
                                          .tenant = 1,
                                          .driver = d,
                                          .state = d == 21 && k ? PAYOUT_APPROVED : PAYOUT_FAILED});
        }
    }
}

/* Whether the driver of a payout may be paid is known as long as it waits (payout_stopped). */
static void payees_are_loaded(void **state)
{
    struct box *b = *state;
    struct seen seen;
    box_open(b);
    payees_put(b);
    box_commit(b);
    box_close(b);
    box_open(b);
    seen_init(&seen);
    assert_int_equal(store_load(b->store, see, &seen), 0);
    assert_int_equal(seen.n[ROW_PAYOUT], 1);
    assert_int_equal(seen.n[ROW_DRIVER], 1);
    assert_int_equal(seen.n[ROW_ACCOUNT], 2); /* a driver without his accounts would get others */
    buf_free(&seen.rows);
}

static void open_state_is_loaded(void **state)
{
    struct box *b = *state;
    struct seen seen;
    int64_t at = -1;
    box_open(b);
    assert_int_equal(store_ledger_time(b->store, &at), 0);
    assert_int_equal(at, 0);
    assert_int_equal(store_last_id(b->store, &at), 0);
    assert_int_equal(at, 0);
    story(b);
    box_commit(b);
    box_close(b);
    box_open(b);
    seen_init(&seen);
    assert_int_equal(store_load(b->store, see, &seen), 0);
    assert_int_equal(seen.n[ROW_ORDERS], 2);
    assert_int_equal(seen.n[ROW_HOLD], 1);
    assert_int_equal(seen.n[ROW_SESSION], 1);
    assert_int_equal(seen.n[ROW_BILL_PIECE], 1);
    assert_int_equal(seen.n[ROW_SPLIT_PART], 1);
    assert_int_equal(seen.n[ROW_COMMAND], 1);
    assert_int_equal(seen.n[ROW_CONTRACT_MONTH], 1);
    assert_int_equal(seen.n[ROW_TRANSFER], 0);
    assert_int_equal(store_ledger_time(b->store, &at), 0);
    assert_int_equal(at, 600);
    assert_int_equal(store_last_id(b->store, &at), 0);
    assert_int_equal(at, 12); /* of a session that is over, so not among the rows above */
    buf_free(&seen.rows);
}

/* Each table that makes ids and is not loaded whole may hold the last one. */
static void the_last_id_is_found_in_every_table(void **state)
{
    struct box *b = *state;
    struct rng r = {32};
    struct arena a;
    int64_t last, id = 100000; /* above what the rows have by chance */
    int tables = 0;
    arena_init(&a, 1 << 20);
    box_open(b);
    for (int t = 1; t < ROW_TABLE_N; t++) {
        const struct row_column *k = &row_metas[t].columns[0];
        char row[1024];
        if (row_metas[t].kind == ROW_KIND_DIRECTORY || strcmp(k->name, "id") != 0 ||
            k->kind == COLUMN_TEXT)
            continue;
        row_random(&r, (enum row_table)t, &a, row, true);
        memcpy(row + k->offset, &(int64_t){++id}, sizeof id);
        row_pack(&b->rows, (enum row_table)t, ROW_INSERT, row);
        box_commit(b);
        assert_int_equal(store_last_id(b->store, &last), 0);
        if (last != id)
            print_error("%s\n", row_metas[t].name);
        assert_int_equal(last, id);
        tables++;
    }
    assert_true(tables >= 15);
    arena_free(&a);
}

static void fetched(struct seen *s, int rc, int orders, int holds, int sessions, int pieces)
{
    assert_int_equal(rc, 0);
    assert_int_equal(s->n[ROW_ORDERS], orders);
    assert_int_equal(s->n[ROW_HOLD], holds);
    assert_int_equal(s->n[ROW_SESSION], sessions);
    assert_int_equal(s->n[ROW_BILL_PIECE], pieces);
    memset(s->n, 0, sizeof s->n);
}

static void look_ups_find_what_was_committed(void **state)
{
    struct box *b = *state;
    struct store_fetcher *f;
    struct seen s;
    const struct row_idem idem = {.key = "k1", .finger = "f", .ref = 9};
    const struct row_web_session web = {.id = "cookie", .actor = 4};
    const struct row_session newer = {.id = 13, .order_id = 2, .charger = 5, .tx = 111};
    seen_init(&s);
    box_open(b);
    assert_int_equal(store_fetcher_open(b->store, &f), 0);
    assert_int_equal(store_fetch_order(f, 1, see, &s), ERR_NOT_FOUND);
    story(b);
    row_pack(&b->rows, ROW_IDEM, ROW_INSERT, &idem);
    row_pack(&b->rows, ROW_WEB_SESSION, ROW_UPSERT, &web);
    box_commit(b);
    fetched(&s, store_fetch_order(f, 1, see, &s), 1, 1, 1, 1);
    fetched(&s, store_fetch_tx(f, 5, 112, see, &s), 1, 1, 1, 1);
    assert_int_equal(store_fetch_tx(f, 6, 112, see, &s), ERR_NOT_FOUND);
    fetched(&s, store_fetch_tx_no(f, "32010200000001", see, &s), 1, 1, 1, 1);
    assert_int_equal(store_fetch_tx_no(f, "32", see, &s), ERR_NOT_FOUND);
    assert_int_equal(store_fetch_idem(f, "k1", see, &s), 0);
    assert_int_equal(store_fetch_idem(f, "k2", see, &s), ERR_NOT_FOUND);
    assert_int_equal(store_fetch_web_session(f, "cookie", see, &s), 0);
    assert_int_equal(s.n[ROW_IDEM] + s.n[ROW_WEB_SESSION], 2);
    memset(s.n, 0, sizeof s.n);
    /* The newest session of a transaction id that came again. */
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &newer);
    box_commit(b);
    const struct core_need need = {.kind = NEED_TX, .a = 5, .b = 111};
    fetched(&s, store_fetch_need(f, &need, see, &s), 1, 1, 2, 1);
    store_fetcher_close(f);
    buf_free(&s.rows);
}

static void rows_of_the_directory(struct box *b)
{
    const struct row_charger waiting = {.id = 1, .path = "W", .state = CHARGER_WAITING},
                             busy = {.id = 5, .path = "B"}, idle = {.id = 6, .path = "I"};
    const struct row_connector guns[] = {{.id = 11, .charger = 1, .number = 1, .code = "WW"},
                                         {.id = 15, .charger = 5, .number = 1, .code = "BB"},
                                         {.id = 16, .charger = 6, .number = 1, .code = "II"},
                                         {.id = 17, .charger = 6, .number = 2, .status = 2}};
    const struct row_driver payer = {.id = 21, .tenant = 1, .phone = "138"},
                            other = {.id = 22, .tenant = 1, .phone = "139"};
    const struct row_token card = {.id = 31, .tenant = 1, .tag = "Ab", .folded = "ab"};
    const struct row_orders order = {
        .id = 1, .tenant = 1, .charger = 5, .driver = 21, .state = ORDER_CHARGING};
    row_pack(&b->rows, ROW_CHARGER, ROW_UPSERT, &waiting);
    row_pack(&b->rows, ROW_CHARGER, ROW_UPSERT, &busy);
    row_pack(&b->rows, ROW_CHARGER, ROW_UPSERT, &idle);
    for (size_t i = 0; i < ARRAY_LEN(guns); i++)
        row_pack(&b->rows, ROW_CONNECTOR, ROW_UPSERT, &guns[i]);
    row_pack(&b->rows, ROW_DRIVER, ROW_UPSERT, &payer);
    row_pack(&b->rows, ROW_DRIVER, ROW_UPSERT, &other);
    row_pack(&b->rows, ROW_TOKEN, ROW_UPSERT, &card);
    row_pack(&b->rows, ROW_ORDERS, ROW_UPSERT, &order);
    for (int64_t i = 0; i < 4; i++) /* wallets, debts; and one that is no driver's */
        row_pack(&b->rows, ROW_ACCOUNT, ROW_UPSERT,
                 &(struct row_account){.id = 41 + i,
                                       .tenant = 1,
                                       .kind = i == 3   ? ACCOUNT_CASH
                                               : i == 2 ? ACCOUNT_DEBT
                                                        : ACCOUNT_WALLET,
                                       .owner = i == 3   ? 0
                                                : i == 0 ? 21
                                                         : 22,
                                       .currency = "CNY"});
}

static void found(struct store_fetcher *f, struct core_need need, int chargers, int guns,
                  int drivers, int accounts)
{
    struct seen s;
    seen_init(&s);
    int rc = store_fetch_need(f, &need, see, &s);
    assert_int_equal(rc, chargers + drivers + s.n[ROW_TOKEN] ? 0 : ERR_NOT_FOUND);
    assert_int_equal(s.n[ROW_CHARGER], chargers);
    assert_int_equal(s.n[ROW_CONNECTOR], guns);
    assert_int_equal(s.n[ROW_DRIVER], drivers);
    assert_int_equal(s.n[ROW_ACCOUNT], accounts);
    assert_int_equal(s.n[ROW_TOKEN], need.kind == NEED_TOKEN_TAG && need.a == 1);
    buf_free(&s.rows);
}

/* Of the directory a start loads what waits and what open orders hold; the rest is looked up. */
static void directory_by_need(void **state)
{
    struct box *b = *state;
    struct store_fetcher *f;
    struct seen s;
    box_open(b);
    rows_of_the_directory(b);
    box_commit(b);
    seen_init(&s);
    assert_int_equal(store_load(b->store, see, &s), 0);
    assert_int_equal(s.n[ROW_CHARGER], 2);
    assert_int_equal(s.n[ROW_CONNECTOR], 2);
    assert_int_equal(s.n[ROW_DRIVER], 1);
    assert_int_equal(s.n[ROW_ACCOUNT], 2);
    assert_int_equal(s.n[ROW_TOKEN], 0);
    buf_free(&s.rows);
    assert_int_equal(store_fetcher_open(b->store, &f), 0);
    found(f, (struct core_need){.kind = NEED_CHARGER, .a = 6}, 1, 2, 0, 0);
    found(f, (struct core_need){.kind = NEED_CHARGER, .a = 7}, 0, 0, 0, 0);
    found(f, (struct core_need){.kind = NEED_CHARGER_PATH, .text = "I"}, 1, 2, 0, 0);
    found(f, (struct core_need){.kind = NEED_CHARGER_PATH, .text = ""}, 0, 0, 0, 0);
    found(f, (struct core_need){.kind = NEED_CONNECTOR, .a = 17}, 1, 2, 0, 0);
    found(f, (struct core_need){.kind = NEED_CONNECTOR_CODE, .text = "WW"}, 1, 1, 0, 0);
    found(f, (struct core_need){.kind = NEED_CONNECTOR_CODE, .text = ""}, 0, 0, 0, 0);
    found(f, (struct core_need){.kind = NEED_DRIVER, .a = 22}, 0, 0, 1, 2);
    found(f, (struct core_need){.kind = NEED_DRIVER_PHONE, .a = 1, .text = "138"}, 0, 0, 1, 1);
    found(f, (struct core_need){.kind = NEED_DRIVER_PHONE, .a = 2, .text = "138"}, 0, 0, 0, 0);
    found(f, (struct core_need){.kind = NEED_TOKEN_TAG, .a = 1, .text = "ab"}, 0, 0, 0, 0);
    found(f, (struct core_need){.kind = NEED_TOKEN_TAG, .a = 2, .text = "ab"}, 0, 0, 0, 0);
    store_fetcher_close(f);
}

/* Look-ups that share a snapshot see what was there at the first of them, and no more until it is over. */
static void look_ups_share_a_snapshot(void **state)
{
    struct box *b = *state;
    struct store_fetcher *f;
    const struct core_need need = {.kind = NEED_CHARGER, .a = 5};
    const struct row_charger made = {.id = 5, .path = "B"};
    box_open(b);
    assert_int_equal(store_fetcher_open(b->store, &f), 0);
    store_fetcher_share(f, true);
    found(f, need, 0, 0, 0, 0);
    row_pack(&b->rows, ROW_CHARGER, ROW_UPSERT, &made);
    box_commit(b);
    found(f, need, 0, 0, 0, 0);
    store_fetcher_share(f, false);
    found(f, need, 1, 0, 0, 0);
    store_fetcher_share(f, true);
    found(f, need, 1, 0, 0, 0);
    store_fetcher_share(f, true); /* goes on */
    found(f, need, 1, 0, 0, 0);
    store_fetcher_close(f); /* with an open one */
}

/* Who was connected is away at a start; after an orderly end nobody looks, until something was
 * written. */
static void everybody_is_away(void **state)
{
    struct box *b = *state;
    static const char *const away = "SELECT count(*) FROM connector WHERE status = 0";
    box_open(b);
    rows_of_the_directory(b);
    box_commit(b);
    assert_int_equal(box_number(b, away), 3);
    assert_int_equal(store_arrive(b->store, 900), 0);
    assert_int_equal(box_number(b, away), 4);
    assert_int_equal(box_number(b, "SELECT status_ms FROM connector WHERE id = 17"), 900);
    rows_of_the_directory(b);
    box_commit(b);
    assert_int_equal(store_leave(b->store, 950), 0);
    assert_int_equal(box_number(b, away), 4);
    box_close(b);
    box_open(b);
    assert_int_equal(store_arrive(b->store, 960), 0);
    assert_int_equal(box_number(b, "SELECT status_ms FROM connector WHERE id = 17"), 950);
    rows_of_the_directory(b);
    box_commit(b);
    box_close(b); /* not orderly */
    box_open(b);
    assert_int_equal(store_arrive(b->store, 970), 0);
    assert_int_equal(box_number(b, away), 4);
    assert_int_equal(box_number(b, "SELECT status_ms FROM connector WHERE id = 17"), 970);
}

static void sums_add_and_deletes_delete(void **state)
{
    struct box *b = *state;
    const struct row_stat_day day = {.station = 1, .day = 20261122, .tenant = 1, .paid = 40};
    const struct row_web_session web = {.id = "c"};
    box_open(b);
    row_pack(&b->rows, ROW_STAT_DAY, ROW_UPSERT, &day);
    row_pack(&b->rows, ROW_STAT_DAY, ROW_UPSERT, &day);
    row_pack(&b->rows, ROW_WEB_SESSION, ROW_UPSERT, &web);
    box_commit(b);
    row_pack(&b->rows, ROW_WEB_SESSION, ROW_DELETE, &web);
    row_pack(&b->rows, ROW_STAT_DAY, ROW_UPSERT, &day);
    box_commit(b);
    assert_int_equal(box_number(b, "SELECT paid FROM stat_day WHERE day = 20261122"), 120);
    struct store_fetcher *f;
    struct seen s;
    seen_init(&s);
    assert_int_equal(store_fetcher_open(b->store, &f), 0);
    assert_int_equal(store_fetch_web_session(f, "c", see, &s), ERR_NOT_FOUND);
    store_fetcher_close(f);
    buf_free(&s.rows);
}

/* A key twice in the journal is an error, and then nothing of that commit is there. */
static void a_failed_commit_has_no_effect(void **state)
{
    struct box *b = *state;
    struct seen s;
    const struct row_idem idem = {.key = "once"};
    const struct row_party party = {.id = 1};
    seen_init(&s);
    box_open(b);
    row_pack(&b->rows, ROW_IDEM, ROW_INSERT, &idem);
    box_commit(b);
    row_pack(&b->rows, ROW_PARTY, ROW_UPSERT, &party);
    row_pack(&b->rows, ROW_IDEM, ROW_INSERT, &idem);
    assert_int_equal(store_commit(b->store, buf_str(&b->rows), STR_NONE), ERR_CONFLICT);
    assert_int_equal(store_commit(b->store, STR_LIT("garbage"), STR_NONE), ERR_SYNTAX);
    assert_int_equal(store_commit(b->store, STR_NONE, STR_LIT("garbage")), ERR_SYNTAX);
    box_close(b);
    box_open(b);
    assert_int_equal(store_load(b->store, see, &s), 0);
    assert_int_equal(s.n[ROW_PARTY], 0);
    buf_free(&s.rows);
}

static void one_program_at_a_time(void **state)
{
    struct box *b = *state;
    struct store *second;
    box_open(b);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const struct store_config config = {.dir = b->dir};
        _exit(store_open(&config, &second) == ERR_LOCKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    const struct store_config absent = {.dir = "store-test-absent"};
    assert_int_equal(store_open(&absent, &second), ERR_NOT_FOUND);
}

/* The child fills a disk that is bounded by a limit on file sizes; what it was told is durable must
 * be there. */
static int fill_the_disk(struct box *b)
{
    const struct rlimit limit = {4 << 20, 4 << 20};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        return 100;
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int64_t id = 1; id < 1000000; id++) {
        const struct row_audit row = {.id = id, .action = "fill", .detail = text};
        buf_reset(&b->rows);
        for (int i = 0; i < 50; i++)
            row_pack(&b->rows, ROW_AUDIT, i ? ROW_UPSERT : ROW_INSERT, &row);
        int rc = store_commit(b->store, buf_str(&b->rows), STR_NONE);
        if (rc)
            return rc == ERR_DISK_FULL ? 0 : 101;
        char mark[32];
        snprintf(mark, sizeof mark, "%lld", (long long)id);
        if (file_write_atomic(box_path(b, "acked"), str_from_c(mark), 0600))
            return 102;
    }
    return 103;
}

static void a_full_disk_loses_nothing(void **state)
{
    struct box *b = *state;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const struct store_config config = {.dir = b->dir, .create = true};
        _exit(store_open(&config, &b->store) ? 104 : fill_the_disk(b));
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct buf acked;
    int64_t want;
    buf_init(&acked, 64);
    assert_int_equal(file_read(box_path(b, "acked"), 64, &acked), 0);
    assert_int_equal(str_to_i64(buf_str(&acked), &want), 0);
    assert_true(want > 100);
    box_open(b);
    assert_int_equal(box_number(b, "SELECT count(*) FROM audit"), want);
    buf_free(&acked);
}

/* ---- samples ---- */

struct got {
    int n;
    int64_t last_at, first_at;
};

static int got_sample(void *ctx, int64_t at_ms, const struct core_sample *s)
{
    struct got *g = ctx;
    struct core_sample want = sample_plain(g->n);
    assert_int_equal(s->energy_mwh, want.energy_mwh);
    assert_int_equal(s->time_ms, want.time_ms);
    assert_int_equal(s->temp_dc, SAMPLE_NONE32);
    if (g->n)
        assert_true(at_ms >= g->last_at);
    else
        g->first_at = at_ms;
    g->last_at = at_ms;
    g->n++;
    return 0;
}

static int samples_of(struct box *b, int64_t session)
{
    struct store_reader *r;
    struct got g = {0};
    assert_int_equal(store_reader_open(b->store, &r), 0);
    assert_int_equal(store_samples(r, session, got_sample, &g), 0);
    store_reader_close(r);
    return g.n;
}

/* Samples `from` … `to` - 1 of two sessions, `step` a commit. */
static void samples_go(struct box *b, int from, int to, int step)
{
    for (int i = from; i < to; i++) {
        struct core_sample s = sample_plain(i);
        sample_add(b, 1, s.time_ms + 30, &s);
        sample_add(b, 2, s.time_ms + 35, &s);
        if ((i + 1) % step == 0 || i + 1 == to)
            box_commit(b);
    }
}

static void samples_are_given_once(void **state)
{
    struct box *b = *state;
    struct store_stats stats;
    box_open(b);
    samples_go(b, 0, 100, 3);
    assert_int_equal(samples_of(b, 1), 100);
    box_close(b);
    box_open(b);
    store_stats(b->store, &stats);
    assert_int_equal(stats.tails, 2);
    samples_go(b, 100, 700, 7); /* an hour of 15 s is 240 samples: sealed twice */
    store_stats(b->store, &stats);
    assert_int_equal(stats.blocks, 4);
    assert_int_equal(samples_of(b, 1), 700);
    assert_int_equal(samples_of(b, 2), 700);
    assert_int_equal(samples_of(b, 3), 0);
    box_close(b);
    box_open(b);
    assert_int_equal(samples_of(b, 2), 700);
    session_put(b, 1, 1, SESSION_ENDED, "");
    box_commit(b);
    store_stats(b->store, &stats);
    assert_int_equal(stats.tails, 1);
    assert_int_equal(samples_of(b, 1), 700);
    box_close(b);
    box_open(b);
    store_stats(b->store, &stats);
    assert_int_equal(stats.tails, 1);
    assert_int_equal(samples_of(b, 1), 700);
}

static int name_count(void *ctx, const char *name)
{
    (void)name;
    ++*(int *)ctx;
    return 0;
}

/* When every session is sealed, the old files of the log go. */
static void the_log_does_not_grow(void **state)
{
    struct box *b = *state;
    struct store_stats stats;
    struct core_sample s = sample_plain(0);
    int files = 0;
    box_open(b);
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 30000; i++) {
            s.energy_mwh += 1000;
            s.power_w = i * 7919 % 100000;
            sample_add(b, 10 + i % 40, s.time_ms + round * 400000 + i, &s);
        }
        box_commit(b);
    }
    assert_int_equal(dir_list(box_path(b, "samples"), name_count, &files), 0);
    assert_in_range(files, 1, 4);
    store_stats(b->store, &stats);
    assert_true(stats.blocks >= 12 * 40);
    assert_int_equal(stats.samples, 12 * 30000);
}

static int replay_count(void *ctx, const struct sample_record *r)
{
    struct got *g = ctx;
    assert_int_equal(r->session, 1);
    assert_int_equal(r->tenant, 1);
    if (g->n++)
        assert_true(r->at_ms > g->last_at);
    else
        g->first_at = r->at_ms;
    g->last_at = r->at_ms;
    return 0;
}

static void samples_after_the_checkpoint_are_replayed(void **state)
{
    struct box *b = *state;
    struct got g = {0};
    struct row_session open = {.id = 1, .tenant = 1, .order_id = 1, .state = SESSION_OPEN};
    open.check_ms = sample_plain(199).time_ms + 30;
    box_open(b);
    order_put(b, 1, ORDER_CHARGING, 0);
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &open);
    session_put(b, 2, 1, SESSION_ENDED, "");
    samples_go(b, 0, 300, 3);
    box_close(b);
    box_open(b);
    assert_int_equal(store_load_samples(b->store, replay_count, &g), 0);
    assert_int_equal(g.n, 100);
    assert_int_equal(g.first_at, sample_plain(200).time_ms + 30);
}

/* A pile that answers every question at once may bring more samples of one session in one commit
 * than a block holds. They are kept, and a restart that finds none of them sealed still starts. */
static void a_flood_of_one_session_is_kept(void **state)
{
    enum { FLOOD = 20000 };
    struct box *b = *state;
    struct store_stats stats;
    struct rng r = {7};
    struct got g = {0};
    struct row_session open = {.id = 1, .tenant = 1, .order_id = 1, .state = SESSION_OPEN};
    box_open(b);
    order_put(b, 1, ORDER_CHARGING, 0);
    row_pack(&b->rows, ROW_SESSION, ROW_UPSERT, &open);
    for (int i = 0; i < FLOOD; i++) {
        struct core_sample s = sample_plain(i);
        s.energy_mwh = (int64_t)rng_next(&r);
        s.power_w = (int64_t)rng_next(&r);
        s.cost = (int64_t)rng_next(&r);
        sample_add(b, 1, 1760000000000 + i, &s);
        if (i % 100 == 0)
            sample_add(b, 2, 1760000000000 + i, &s);
    }
    box_commit(b);
    store_stats(b->store, &stats);
    assert_in_range(stats.blocks, 32, FLOOD / BLOCK_SAMPLES - 1); /* no commit seals all of them */
    for (int i = 0; i < 3; i++)
        box_commit(b);
    store_stats(b->store, &stats);
    assert_in_range(stats.blocks, FLOOD / BLOCK_SAMPLES, FLOOD / BLOCK_SAMPLES + 1);
    box_close(b);
    box_exec(b, "DELETE FROM meter_block"); /* as if the transaction had never come */
    box_open(b);
    assert_int_equal(store_load_samples(b->store, replay_count, &g), 0);
    assert_int_equal(g.n, FLOOD);
    assert_int_equal(g.first_at, 1760000000000);
    assert_int_equal(g.last_at, 1760000000000 + FLOOD - 1);
    assert_int_equal(box_number(b, "SELECT count(*) FROM meter_block WHERE session = 1"),
                     FLOOD / BLOCK_SAMPLES);
}

static char *log_file(struct box *b)
{
    static char path[256];
    snprintf(path, sizeof path, "%s", box_path(b, "samples/0000000000000001.log"));
    return path;
}

/* The log cut or changed anywhere: what stands before is kept, the rest is gone, and writing goes
 * on. */
static void a_torn_log_is_cut(void **state)
{
    struct box *b = *state;
    struct buf whole;
    buf_init(&whole, 8 << 20);
    box_open(b);
    samples_go(b, 0, 50, 5);
    box_close(b);
    assert_int_equal(file_read(log_file(b), 8 << 20, &whole), 0);
    size_t end = whole.n;
    while (end && whole.p[end - 1] == 0)
        end--;
    for (size_t n = 0; n <= end; n += 97) {
        assert_int_equal(file_write_atomic(log_file(b), str_from(whole.p, n), 0600), 0);
        box_open(b);
        int kept = samples_of(b, 1);
        assert_int_equal(kept % 5, 0);
        assert_true(n < end || kept == 50);
        samples_go(b, kept, kept + 5, 5);
        assert_int_equal(samples_of(b, 1), kept + 5);
        box_close(b);
    }
    whole.p[end / 2] ^= 0x10;
    assert_int_equal(file_write_atomic(log_file(b), buf_str(&whole), 0600), 0);
    box_open(b);
    assert_in_range(samples_of(b, 1), 20, 30);
    buf_free(&whole);
}

static void a_newer_file_is_refused(void **state)
{
    struct box *b = *state;
    struct store *s;
    box_open(b);
    box_close(b);
    box_exec(b, "INSERT INTO migration VALUES (9999, 'later', 'x')");
    const struct store_config again = {.dir = b->dir};
    assert_int_equal(store_open(&again, &s), ERR_NEWER);
    assert_null(s);
    assert_int_equal(store_check(box_path(b, "even.db"), stdout), ERR_NEWER);
}

#define LIFE(t) cmocka_unit_test_setup_teardown(t, box_make, box_drop)

int life_tests(void)
{
    const struct CMUnitTest tests[] = {
        LIFE(rows_come_back),
        LIFE(open_state_is_loaded),
        LIFE(payees_are_loaded),
        LIFE(payees_are_loaded),
        LIFE(the_last_id_is_found_in_every_table),
        LIFE(look_ups_find_what_was_committed),
        LIFE(directory_by_need),
        LIFE(look_ups_share_a_snapshot),
        LIFE(everybody_is_away),
        LIFE(sums_add_and_deletes_delete),
        LIFE(a_failed_commit_has_no_effect),
        LIFE(one_program_at_a_time),
        LIFE(a_full_disk_loses_nothing),
        LIFE(samples_are_given_once),
        LIFE(the_log_does_not_grow),
        LIFE(samples_after_the_checkpoint_are_replayed),
        LIFE(a_flood_of_one_session_is_kept),
        LIFE(a_torn_log_is_cut),
        LIFE(a_newer_file_is_refused),
    };
    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
