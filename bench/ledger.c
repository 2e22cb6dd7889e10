// SPDX-License-Identifier: Apache-2.0
/* ledger.c: the books alone against a plain log: `bench_ledger DIR BATCH MS ROUNDS`,
 * `bench_ledger fill DIR COUNT` for a journal of that many more transfers, `bench_ledger count DIR
 * BATCH COUNT` for so many of the subject's, to count instructions of (`valgrind --tool=callgrind
 * --toggle-collect=transfers`), and `bench_ledger sync DIR MS` for the disk. DIR is a database of bench_house.
 *
 * Subject: ledger_post and ledger_flush as the core does it, store_commit as the committer does it on
 * its own thread, one commit in flight while the next batch is made (src/app/engine.c), with the
 * keeper on a third. Of ten transfers six have two legs and four have three to six; one
 * is a top-up with a row of a random idempotency key. Accounts are drawn at random from 200,000
 * wallets (made at the first run) and the parties' accounts. Floor: as many records in the log of
 * floor.h. Both alternate ROUNDS times. Prints per round: floor_per_s subject_per_s
 * subject_cpu_ns (of the whole process, per transfer). sync prints p50 and p99 of an appended 4 KiB
 * and fdatasync, µs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "core/ledger.h"
#include "core/rows.h"
#include "floor.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "io/os/mailbox.h"
#include "io/os/thread.h"
#include "store/rowio.h"
#include "store/store.h"

enum {
    WALLETS = 200000,
    ACCOUNTS_MAX = 600000,
    TENANTS = 200,
    SYNCS = 1 << 16,
    FILL_BATCH = 50000
};

struct bench {
    struct store *store;
    struct store_keeper *keeper;
    struct ledger *ledger;
    struct arena arena;
    struct buf rows; /* of the batch that is being made */
    struct buf sent; /* of the commit in flight */
    struct mailbox *sealed, *done;
    struct mailbox_batch mail;
    struct rng rng;
    int64_t last_id;
    int64_t wallet[ACCOUNTS_MAX], cash[TENANTS + 1], share[TENANTS + 1][3];
    int32_t tenant[ACCOUNTS_MAX], wallets, shares[TENANTS + 1];
    uint32_t paid; /* so many legs of a payment go to parties' accounts, the platform's first */
    size_t cache;  /* 0 = as it is shipped */
    struct bench_floor floor;
    _Atomic bool end;
};

static void check(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "bench_ledger: %s: %s\n", what, err_name(err));
    exit(1);
}

static int64_t id_new(struct bench *b)
{
    int64_t by_time = (int64_t)((uint64_t)os_now_ms() << 20);
    b->last_id = b->last_id >= by_time ? b->last_id + 1 : by_time;
    return b->last_id;
}

static struct ledger_ctx ctx_new(struct bench *b)
{
    return (struct ledger_ctx){
        .now_ms = os_now_ms(), .id = id_new(b), .actor_kind = ACTOR_SYSTEM, .rows = &b->rows};
}

static void commit(struct bench *b)
{
    ledger_flush(b->ledger, &b->rows);
    check(b->rows.err, "rows");
    check(store_commit(b->store, buf_str(&b->rows), STR_NONE), "commit");
    buf_reset(&b->rows);
}

/* The committer: as long as batches come. A message of one byte is the end. */
static void committer(void *arg)
{
    struct bench *b = arg;
    struct mailbox_batch mail = {0};
    struct str msg;
    for (bool more = true; more;) {
        (void)mailbox_wait(b->sealed, -1);
        (void)mailbox_take(b->sealed, &mail);
        while (mailbox_next(&mail, &msg)) {
            more = msg.n > 1;
            if (more)
                check(store_commit(b->store, buf_str(&b->sent), STR_NONE), "commit");
            check(mailbox_send(b->done, MAIL_NORMAL, STR_LIT("d")), "mailbox");
        }
    }
    mailbox_batch_free(&mail);
}

static void commit_await(struct bench *b)
{
    while (mailbox_take(b->done, &b->mail) == 0)
        (void)mailbox_wait(b->done, -1);
}

/* Hands the batch to the committer once the one before is durable. */
static void seal(struct bench *b, bool first)
{
    ledger_flush(b->ledger, &b->rows);
    check(b->rows.err, "rows");
    if (!first)
        commit_await(b);
    struct buf empty = b->sent;
    b->sent = b->rows;
    b->rows = empty;
    buf_reset(&b->rows);
    check(mailbox_send(b->sealed, MAIL_NORMAL, STR_LIT("batch")), "mailbox");
}

/* ---- accounts ---- */

static void account_take(struct bench *b, int64_t id, int32_t kind, int64_t tenant)
{
    if (tenant > TENANTS)
        return;
    if (kind == ACCOUNT_WALLET && b->wallets < WALLETS) {
        b->tenant[b->wallets] = (int32_t)tenant;
        b->wallet[b->wallets++] = id;
    } else if (kind == ACCOUNT_CASH) {
        b->cash[tenant] = id;
    } else if ((kind == ACCOUNT_INCOME || kind == ACCOUNT_PENDING) && b->shares[tenant] < 3) {
        b->share[tenant][b->shares[tenant]++] = id;
    }
}

static int load_row(void *ctx, enum row_table t, const void *row)
{
    struct bench *b = ctx;
    return t == ROW_HOLD ? ledger_load_hold(b->ledger, row) : 0;
}

/* All of them, as a house of that size has them in memory sooner or later. */
static void accounts_load(struct bench *b, const char *dir)
{
    char path[300];
    struct db *db;
    struct db_stmt *st;
    union rowio_room row;
    const struct row_account *a = (const struct row_account *)(const void *)&row;
    int rc;
    snprintf(path, sizeof path, "%s/even.db", dir);
    check(db_open(&(struct db_config){.path = path, .mode = DB_READER}, &db), path);
    check(db_prepare(db, "SELECT * FROM account ORDER BY id", &st), "accounts");
    while ((rc = db_step(st)) == 1) {
        rowio_read(st, ROW_ACCOUNT, &row);
        check(ledger_load_account(b->ledger, a), "account");
        account_take(b, a->id, a->kind, a->tenant);
    }
    check(rc, "accounts");
    db_finish(st);
    db_close(db);
}

static void topup(struct bench *b, int32_t w, int64_t amount)
{
    int32_t t = b->tenant[w];
    struct ledger_ctx ctx = ctx_new(b);
    struct ledger_request req = {.tenant = t,
                                 .code = TRANSFER_TOPUP,
                                 .currency = "CNY",
                                 .n = 2,
                                 .leg = {{.account = b->cash[t], .amount = MONEY(-amount)},
                                         {.account = b->wallet[w], .amount = MONEY(amount)}}};
    check(ledger_post(b->ledger, &ctx, &req), "top-up");
}

/* Wallets that the file lacks, each with money. */
static void wallets_make(struct bench *b)
{
    while (b->wallets < WALLETS) {
        int64_t id, tenant = 1 + b->wallets % TENANTS;
        struct ledger_ctx ctx = ctx_new(b);
        struct ledger_account key = {
            .tenant = tenant, .kind = ACCOUNT_WALLET, .owner = ctx.id, .currency = "CNY"};
        check(ledger_account_open(b->ledger, &ctx, &key, &id, NULL), "account");
        account_take(b, id, ACCOUNT_WALLET, tenant);
        topup(b, b->wallets - 1, INT64_C(1000000000));
        if (b->wallets % 10000 == 0)
            commit(b);
    }
    commit(b);
}

/* ---- the subject ---- */

static void idem(struct bench *b)
{
    char key[65], finger[65];
    uint64_t random[4];
    for (int i = 0; i < 4; i++)
        random[i] = rng_next(&b->rng);
    str_to_hex((const uint8_t *)random, sizeof random, key);
    memcpy(finger, key, sizeof finger);
    row_pack(
        &b->rows, ROW_IDEM, ROW_INSERT,
        &(struct row_idem){.key = key, .finger = finger, .ref = b->last_id, .at_ms = os_now_ms()});
}

/* A payment from a wallet: to one party, or split among up to three and two other wallets. */
static void payment(struct bench *b, int32_t w, uint32_t legs)
{
    int32_t t = b->tenant[w];
    struct ledger_ctx ctx = ctx_new(b);
    struct ledger_request req = {
        .tenant = t, .code = TRANSFER_CAPTURE, .currency = "CNY", .n = legs};
    req.leg[0] =
        (struct ledger_leg){.account = b->wallet[w], .amount = MONEY(-10 * (int64_t)(legs - 1))};
    for (uint32_t i = 1; i < legs; i++) {
        int64_t to = i <= b->paid ? b->share[t][i - 1]
                                  : b->wallet[(w + TENANTS * (int32_t)(i * 17)) % WALLETS];
        req.leg[i] = (struct ledger_leg){.account = to, .amount = MONEY(10)};
    }
    check(ledger_post(b->ledger, &ctx, &req), "payment");
}

static void transfer(struct bench *b, int n)
{
    int32_t w = (int32_t)rng_below(&b->rng, WALLETS);
    if (n % 10 == 0) {
        topup(b, w, 50000);
        idem(b);
    } else {
        payment(b, w, n % 10 < 6 ? 2 : 3 + (uint32_t)(n & 3));
    }
}

static double subject(struct bench *b, int batch, int64_t ns, double *cpu_ns)
{
    int64_t start = os_mono_ns(), cpu = os_cpu_ns(), n = 0;
    while (os_mono_ns() - start < ns) {
        bool first = n == 0;
        for (int i = 0; i < batch; i++)
            transfer(b, (int)(n++ % 1000));
        seal(b, first);
    }
    commit_await(b);
    *cpu_ns = (double)(os_cpu_ns() - cpu) / (double)n;
    return (double)n * 1e9 / (double)(os_mono_ns() - start);
}

/* So many transfers, whatever the clock says. */
static void transfers(struct bench *b, int batch, int64_t count)
{
    for (int64_t n = 0; n < count;) {
        for (int i = 0; i < batch; i++)
            transfer(b, (int)(n++ % 1000));
        commit(b);
    }
}

static void (*volatile const counted)(struct bench *, int, int64_t) = transfers; /* not inlined */

static double floor_run(struct bench *b, int batch, int64_t ns)
{
    int64_t start = os_mono_ns(), n = 0;
    for (; os_mono_ns() - start < ns; n += batch)
        floor_batch(&b->floor, batch);
    return (double)n * 1e9 / (double)(os_mono_ns() - start);
}

/* ---- the disk ---- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int sync_main(const char *dir, int64_t ns)
{
    static uint32_t us[SYNCS];
    static char block[4096];
    char path[300];
    int n = 0;
    snprintf(path, sizeof path, "%s/sync.log", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    check(fd >= 0 ? 0 : ERR_IO, path);
    for (int64_t start = os_mono_ns(), at = start; at - start < ns && n < SYNCS; n++) {
        int64_t before = os_mono_ns();
        check(write(fd, block, sizeof block) == sizeof block ? 0 : ERR_IO, path);
        check(fdatasync(fd) == 0 ? 0 : ERR_IO, path);
        at = os_mono_ns();
        us[n] = (uint32_t)((at - before) / 1000);
    }
    close(fd);
    qsort(us, (size_t)n, sizeof *us, by_value);
    printf("%u %u\n", us[n / 2], us[n - 1 - n / 100]);
    return unlink(path) == 0 ? 0 : 1;
}

/* ---- the whole ---- */

static void keep(void *arg)
{
    struct bench *b = arg;
    while (!atomic_load(&b->end)) {
        check(store_keeper_run(b->keeper), "keeper");
        os_sleep_ms(1000);
    }
}

static void house_open(struct bench *b, const char *dir)
{
    struct store_config config = {.dir = dir, .cache_bytes = b->cache};
    struct ledger_limits limits = {.accounts = ACCOUNTS_MAX, .holds = 200000, .seed = 7};
    int64_t floor_ms;
    arena_init(&b->arena, 1 << 20);
    buf_init(&b->rows, SIZE_MAX);
    buf_init(&b->sent, SIZE_MAX);
    b->rng.s = 42 + (uint64_t)os_now_ms();
    check(store_open(&config, &b->store), dir);
    check(store_keeper_open(b->store, &b->keeper), dir);
    check(ledger_new(&b->arena, &limits, &b->ledger), "ledger");
    accounts_load(b, dir);
    check(store_load(b->store, load_row, b), "load");
    check(store_ledger_time(b->store, &floor_ms), "ledger time");
    ledger_time_floor(b->ledger, floor_ms);
    wallets_make(b);
    floor_open(&b->floor, dir);
}

static void house_close(struct bench *b)
{
    check(ledger_verify(b->ledger), "the books");
    store_keeper_close(b->keeper);
    store_close(b->store);
}

/* As the subject's, but of the parties only the platform is paid: what another gets has its parts and
 * matures, which `even check` would miss. */
static int fill_main(const char *dir, int64_t count)
{
    static struct bench b;
    check(crypto_init(), "crypto");
    b.paid = 1;
    b.cache = 1u << 30;
    house_open(&b, dir);
    for (int64_t n = 1; n <= count; n++) {
        transfer(&b, (int)(n % 1000));
        if (n % FILL_BATCH)
            continue;
        commit(&b);
        check(store_keeper_run(b.keeper), "keeper");
    }
    commit(&b);
    house_close(&b);
    return 0;
}

static int count_main(const char *dir, int batch, int64_t count)
{
    static struct bench b;
    check(crypto_init(), "crypto");
    if (batch < 1 || count < 1)
        return 2;
    b.paid = 3;
    house_open(&b, dir);
    counted(&b, batch, count);
    house_close(&b);
    return 0;
}

static int ledger_main(char **v)
{
    static struct bench b;
    struct os_thread *keeper, *committing;
    check(crypto_init(), "crypto"); /* as in the program: the hash takes what the processor has */
    int batch = (int)strtol(v[1], NULL, 10), rounds = (int)strtol(v[3], NULL, 10);
    int64_t ns = strtol(v[2], NULL, 10) * 1000000LL;
    if (batch < 1 || batch > 100000)
        return 2;
    b.paid = 3;
    house_open(&b, v[0]);
    check(mailbox_new(4096, 4096, &b.sealed), "mailbox");
    check(mailbox_new(4096, 4096, &b.done), "mailbox");
    check(os_thread_start("keeper", keep, &b, &keeper), "thread");
    check(os_thread_start("committer", committer, &b, &committing), "thread");
    for (int i = 0; i < rounds; i++) {
        double cpu, low = floor_run(&b, batch, ns), high = subject(&b, batch, ns, &cpu);
        printf("%.0f %.0f %.0f\n", low, high, cpu);
        fflush(stdout);
    }
    atomic_store(&b.end, true);
    check(mailbox_send(b.sealed, MAIL_NORMAL, STR_LIT("e")), "mailbox");
    os_thread_join(keeper);
    os_thread_join(committing);
    mailbox_batch_free(&b.mail);
    mailbox_free(b.sealed);
    mailbox_free(b.done);
    house_close(&b);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "sync") == 0)
        return sync_main(argv[2], strtol(argv[3], NULL, 10) * 1000000LL);
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        return fill_main(argv[2], strtol(argv[3], NULL, 10));
    if (argc == 5 && strcmp(argv[1], "count") == 0)
        return count_main(argv[2], (int)strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
    if (argc == 5 && !file_on_tmpfs(argv[1]))
        return ledger_main(argv + 1);
    fprintf(stderr,
            "usage: bench_ledger DIR BATCH MS ROUNDS | fill DIR COUNT | count DIR BATCH COUNT |\n"
            "       sync DIR MS; on a real disk\n");
    return 2;
}
