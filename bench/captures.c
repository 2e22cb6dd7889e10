// SPDX-License-Identifier: Apache-2.0
/* captures.c: ends of orders, as the program settles them: `bench_captures DIR BATCH COUNT ROUNDS`.
 * DIR is a database of bench_house with a driver for each charger.
 *
 * The real core and the real store, driven as the engine drives them, in one thread; the keeper has
 * its own. Before it is measured, each tenant's contract gets a version with five parties by ratio
 * (once), chargers connect, and COUNT orders by card are begun: hold, session, one reading. Measured
 * are COUNT stops of charging, BATCH in a transaction: look-ups, the stop's evidence, bill, fee
 * lines, capture of the hold, split of each fee line by the deficit rule, shares of five parties,
 * statistics, events, end of session, connector free, link of the hash chain, fsync. Contracts of odd
 * tenants post whole fen, so that each order moves the residues of all five; those of the others post
 * 1/10,000 yuan, where percentages come out even. Floor: as many records of 128 bytes with CRC in the log of floor.h, the same
 * batch. Prints per round: captures of the round, its CPU in ns (of the whole process), its ns of the
 * clock, the floor's CPU in ns for as many. Fails by one line and exit code 1. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "core/core.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "floor.h"
#include "store/store.h"

enum { TENANTS = 200, PARTIES = 5, HOUSE_PARTIES = 3, COUNT_MAX = 20000, BEGIN_BATCH = 500 };
#define CHARGE_MS INT64_C(1200000)

/* What a reply told: of each command of the open batch. */
struct told {
    int32_t err, status;
    int64_t id, tx;
};

struct gun {
    char path[24], hash[2 * CRYPTO_HASH_SIZE + 1], card[24];
    int64_t charger, tx, meter_mwh;
};

struct bench {
    struct store *store;
    struct store_keeper *keeper;
    struct store_fetcher *fetcher;
    struct core *core;
    struct zone *zone;
    struct core_batch batch;
    struct cmd cmd;
    struct rng rng;
    int64_t now_ms;
    uint32_t ref, first_ref;
    struct told told[COUNT_MAX];
    struct gun gun[COUNT_MAX];
    int32_t guns;
    int64_t family[TENANTS + 1], newest[TENANTS + 1], party[TENANTS + 1][PARTIES];
    int32_t parties[TENANTS + 1];
    struct bench_floor floor;
    _Atomic bool end;
};

static void check(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "bench_captures: %s: %s\n", what, err_name(err));
    exit(1);
}

/* ---- opening ---- */

static void note_party(struct bench *b, const struct row_contract_party *r)
{
    for (int t = 1; t <= TENANTS; t++) {
        if (b->newest[t] != r->contract || r->seq >= PARTIES)
            continue;
        b->party[t][r->seq] = r->party;
        b->parties[t]++;
    }
}

static int load_row(void *ctx, enum row_table t, const void *row)
{
    struct bench *b = ctx;
    const struct row_contract *k = row;
    if (t == ROW_CONTRACT && k->tenant <= TENANTS) {
        b->family[k->tenant] = k->family;
        b->newest[k->tenant] = k->id;
    }
    if (t == ROW_CONTRACT_PARTY)
        note_party(b, row);
    return core_load(b->core, t, row);
}

static int load_sample(void *ctx, const struct sample_record *r)
{
    return core_load_sample(((struct bench *)ctx)->core, r);
}

static void key_read(const char *dir, uint8_t key[CRYPTO_KEY_SIZE])
{
    char path[300], text[2 * CRYPTO_KEY_SIZE + 1] = "";
    snprintf(path, sizeof path, "%s/key", dir);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    check(str_from_hex(str_from(text, n), key, CRYPTO_KEY_SIZE), path);
}

/* DIR/chargers.txt: id TAB password TAB card. */
static void guns_read(struct bench *b, const char *dir)
{
    char path[300], password[40];
    uint8_t key[CRYPTO_KEY_SIZE], hash[CRYPTO_HASH_SIZE];
    key_read(dir, key);
    snprintf(path, sizeof path, "%s/chargers.txt", dir);
    FILE *f = fopen(path, "r");
    check(f ? 0 : ERR_NOT_FOUND, path);
    for (; b->guns < COUNT_MAX; b->guns++) {
        struct gun *g = &b->gun[b->guns];
        if (fscanf(f, "%23s %39s %23s", g->path, password, g->card) != 3)
            break;
        crypto_keyed_hash(key, str_from_c(password), hash);
        str_to_hex(hash, sizeof hash, g->hash);
    }
    fclose(f);
}

static void house_open(struct bench *b, const char *dir)
{
    const struct core_limits limits = {.accounts = 600000, .orders = 60000, .seed = 7};
    const struct store_config config = {.dir = dir};
    int64_t ledger_ms, last_id;
    b->rng.s = 42;
    core_batch_init(&b->batch);
    check(zone_fixed(8 * 3600, &b->zone), "zone");
    check(core_new(&limits, &b->core), "core");
    check(core_zone_add(b->core, "Asia/Shanghai", b->zone), "zone");
    check(store_open(&config, &b->store), dir);
    check(store_keeper_open(b->store, &b->keeper), dir);
    check(store_load(b->store, load_row, b), "load");
    check(store_load_samples(b->store, load_sample, b), "samples");
    check(store_ledger_time(b->store, &ledger_ms), "ledger time");
    check(store_last_id(b->store, &last_id), "last id");
    check(store_fetcher_open(b->store, &b->fetcher), "fetcher");
    core_id_floor(b->core, last_id);
    b->now_ms = os_now_ms() > ledger_ms ? os_now_ms() : ledger_ms;
    core_started(b->core, b->now_ms);
    guns_read(b, dir);
    floor_open(&b->floor, dir);
}

/* ---- commands ---- */

/* As large as its payload makes it, as gates and web send them. */
static struct cmd *cmd_new(struct bench *b, enum cmd_type type, int64_t tenant, size_t size)
{
    struct cmd *c = &b->cmd;
    memset(c, 0, size);
    c->head.size = (uint32_t)size;
    c->head.version = CMD_VERSION;
    c->head.type = (uint16_t)type;
    c->head.from.kind = tenant ? FROM_WEB : FROM_GATE;
    if (tenant) {
        c->head.tenant = tenant;
        c->head.actor_kind = ACTOR_PERSON;
        c->head.role = ROLE_ADMIN;
        c->head.actor = 1;
    }
    return c;
}

static struct cmd *cmd_gate(struct bench *b, enum cmd_type type, int32_t gun, size_t size)
{
    struct cmd *c = cmd_new(b, type, 0, size);
    c->head.from.slot = (uint32_t)gun + 1;
    c->head.from.gen = 1;
    c->u.charger.charger = b->gun[gun].charger;
    return c;
}

static void apply(struct bench *b)
{
    struct core_need needs[CORE_NEEDS_MAX];
    struct cmd *c = &b->cmd;
    int n;
    c->head.now_ms = b->now_ms;
    c->head.cause = c->head.from.ref = ++b->ref;
    while ((n = core_needs(b->core, c, needs)) > 0)
        for (int i = 0; i < n; i++) {
            int rc = store_fetch_need(b->fetcher, &needs[i], load_row, b);
            if (rc == ERR_NOT_FOUND)
                core_absent(b->core, &needs[i]);
            else
                check(rc, "fetch");
        }
    core_apply(b->core, c);
}

static void reply_take(struct bench *b, const struct out *o)
{
    if (o->type != OUT_REPLY || o->to.ref < b->first_ref || o->to.ref - b->first_ref >= COUNT_MAX)
        return;
    struct told *t = &b->told[o->to.ref - b->first_ref];
    *t = (struct told){.err = o->err};
    if (o->cmd_type == CMD_TX_START || o->cmd_type == CMD_TX_STOP) {
        t->status = o->u.tag.status;
        t->tx = o->u.tag.tx;
    } else {
        t->id = o->u.made.id;
    }
}

static void commit(struct bench *b)
{
    core_tick(b->core, b->now_ms);
    core_seal(b->core, &b->batch);
    check(b->batch.rows.err, "rows");
    check(store_commit(b->store, buf_str(&b->batch.rows), buf_str(&b->batch.samples)), "commit");
    for (size_t at = 0; at < b->batch.outs.n;) {
        const struct out *o = (const struct out *)(const void *)(b->batch.outs.p + at);
        reply_take(b, o);
        at += (o->size + 7u) & ~7u;
    }
    core_rest(b->core, b->batch.number, b->now_ms);
}

/* Begins a batch whose replies are wanted: told[0] is that of its first command. */
static void batch_begin(struct bench *b)
{
    b->first_ref = b->ref + 1;
}

/* ---- contracts ---- */

static int64_t party_new(struct bench *b, int64_t tenant, int n)
{
    char name[24];
    struct buf row;
    snprintf(name, sizeof name, "Party %d", n + 1);
    struct cmd *c = cmd_new(b, CMD_ROW_PUT, tenant, CMD_SIZE(row_put));
    buf_init(&row, sizeof c->u.row_put.row);
    row_pack(
        &row, ROW_PARTY, ROW_UPSERT,
        &(struct row_party){
            .tenant = tenant, .kind = PARTY_PROPERTY, .name = name, .payee = "", .payee_name = ""});
    check(row.err, "party");
    c->u.row_put.table = ROW_PARTY;
    c->u.row_put.create = 1;
    c->u.row_put.n = (uint32_t)row.n;
    memcpy(c->u.row_put.row, row.p, row.n);
    buf_free(&row);
    batch_begin(b);
    apply(b);
    commit(b);
    check(b->told[0].err, "party");
    return b->told[0].id;
}

static void contract_five(struct bench *b, int64_t tenant)
{
    static const int32_t ratio[PARTIES] = {37, 23, 19, 13, 8};
    for (int n = HOUSE_PARTIES; n < PARTIES; n++)
        b->party[tenant][n] = party_new(b, tenant, n);
    struct cmd *c = cmd_new(b, CMD_CONTRACT_PUT, tenant, CMD_SIZE(contract_put));
    (void)str_copy(c->u.contract_put.name, sizeof c->u.contract_put.name, STR_LIT("five"));
    c->u.contract_put.family = b->family[tenant];
    c->u.contract_put.from_ms = b->now_ms;
    c->u.contract_put.unit = tenant % 2 ? 100 : 1;
    c->u.contract_put.n = PARTIES;
    for (int n = 0; n < PARTIES; n++)
        c->u.contract_put.party[n] = (struct contract_party_in){b->party[tenant][n], 7, ratio[n]};
    batch_begin(b);
    apply(b);
    commit(b);
    check(b->told[0].err, "contract");
}

/* ---- orders ---- */

static void connect_all(struct bench *b)
{
    for (int32_t i = 0; i < b->guns; i++) {
        if (i % BEGIN_BATCH == 0)
            batch_begin(b);
        struct gun *g = &b->gun[i];
        struct cmd *c = cmd_gate(b, CMD_CONN_OPEN, i, CMD_SIZE(conn_open));
        c->u.conn_open = (struct cmd_conn_open){.protocol = PROTOCOL_OCPP16, .has_secret = 1};
        (void)str_copy(c->u.conn_open.path, sizeof c->u.conn_open.path, str_from_c(g->path));
        (void)str_copy(c->u.conn_open.secret_hash, sizeof c->u.conn_open.secret_hash,
                       str_from_c(g->hash));
        apply(b);
        if (i % BEGIN_BATCH != BEGIN_BATCH - 1 && i + 1 < b->guns)
            continue;
        commit(b);
        for (int32_t k = i - i % BEGIN_BATCH; k <= i; k++) {
            check(b->told[k % BEGIN_BATCH].err, "connect");
            b->gun[k].charger = b->told[k % BEGIN_BATCH].id;
        }
    }
}

static void order_begin(struct bench *b, int32_t i)
{
    struct gun *g = &b->gun[i];
    struct cmd *c = cmd_gate(b, CMD_TX_START, i, CMD_SIZE(tx_start));
    g->meter_mwh = 100000000;
    c->u.tx_start.connector = 1;
    c->u.tx_start.meter_mwh = g->meter_mwh;
    c->u.tx_start.time_ms = b->now_ms;
    (void)str_copy(c->u.tx_start.tag, sizeof c->u.tx_start.tag, str_from_c(g->card));
    apply(b);
}

static void reading(struct bench *b, int32_t i)
{
    struct gun *g = &b->gun[i];
    struct cmd *c = cmd_gate(b, CMD_METER, i,
                             offsetof(struct cmd, u.meter.samples) + sizeof(struct core_sample));
    g->meter_mwh += 1000000;
    c->u.meter.connector = 1;
    c->u.meter.tx = g->tx;
    c->u.meter.n = 1;
    c->u.meter.samples[0] = (struct core_sample){.time_ms = b->now_ms,
                                                 .energy_mwh = g->meter_mwh,
                                                 .power_w = 30000,
                                                 .voltage_mv = 400000,
                                                 .current_ma = SAMPLE_NONE32,
                                                 .soc_pm = 500,
                                                 .temp_dc = SAMPLE_NONE32,
                                                 .cost = SAMPLE_NONE};
    apply(b);
}

static void stop(struct bench *b, int32_t i)
{
    struct gun *g = &b->gun[i];
    struct cmd *c = cmd_gate(b, CMD_TX_STOP, i, offsetof(struct cmd, u.tx_stop.samples));
    g->meter_mwh += rng_range(&b->rng, 1000000, 5000000);
    c->u.tx_stop.tx = g->tx;
    c->u.tx_stop.meter_mwh = g->meter_mwh;
    c->u.tx_stop.time_ms = b->now_ms;
    c->u.tx_stop.stop = STOP_LOCAL;
    apply(b);
}

static void orders_begin(struct bench *b, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (i % BEGIN_BATCH == 0)
            batch_begin(b);
        order_begin(b, i);
        if (i % BEGIN_BATCH != BEGIN_BATCH - 1 && i + 1 < count)
            continue;
        commit(b);
        for (int32_t k = i - i % BEGIN_BATCH; k <= i; k++) {
            const struct told *t = &b->told[k % BEGIN_BATCH];
            check(t->err || t->status != TAG_ACCEPTED ? ERR_CONFLICT : 0, "start");
            b->gun[k].tx = t->tx;
        }
    }
    b->now_ms += CHARGE_MS / 2;
    for (int32_t i = 0; i < count; i++)
        reading(b, i);
    commit(b);
    b->now_ms += CHARGE_MS / 2;
}

static void captures(struct bench *b, int32_t count, int32_t batch)
{
    batch_begin(b);
    for (int32_t i = 0; i < count; i++) {
        stop(b, i);
        if (i % batch == batch - 1 || i + 1 == count)
            commit(b);
    }
}

/* Not inlined, for `valgrind --tool=callgrind --toggle-collect=captures`. */
static void (*volatile const measured)(struct bench *, int32_t, int32_t) = captures;

/* ---- the whole ---- */

static void keep(void *arg)
{
    struct bench *b = arg;
    while (!atomic_load(&b->end)) {
        check(store_keeper_run(b->keeper), "keeper");
        os_sleep_ms(1000);
    }
}

static void round_run(struct bench *b, int32_t count, int32_t batch)
{
    orders_begin(b, count);
    int64_t cpu = os_cpu_ns();
    floor_write(&b->floor, batch, count);
    int64_t low = os_cpu_ns() - cpu, start = os_mono_ns();
    cpu = os_cpu_ns();
    measured(b, count, batch);
    cpu = os_cpu_ns() - cpu;
    printf("%d %lld %lld %lld\n", count, (long long)cpu, (long long)(os_mono_ns() - start),
           (long long)low);
    fflush(stdout);
    for (int32_t i = 0; i < count; i++)
        check(b->told[i].err, "stop");
    b->now_ms += 60000;
}

static void house_close(struct bench *b)
{
    store_fetcher_close(b->fetcher);
    store_keeper_close(b->keeper);
    store_close(b->store);
    core_free(b->core);
    core_batch_free(&b->batch);
    zone_free(b->zone);
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct os_thread *keeper;
    if (argc != 5 || file_on_tmpfs(argv[1])) {
        fprintf(stderr, "usage: bench_captures DIR BATCH COUNT ROUNDS; on a real disk\n");
        return 2;
    }
    int32_t batch = (int32_t)strtol(argv[2], NULL, 10), count = (int32_t)strtol(argv[3], NULL, 10);
    int rounds = (int)strtol(argv[4], NULL, 10);
    check(crypto_init(), "crypto");
    house_open(&b, argv[1]);
    if (batch < 1 || count < 1 || count > b.guns)
        return 2;
    b.guns = count;
    for (int64_t t = 1; t <= TENANTS; t++)
        if (b.parties[t] == HOUSE_PARTIES)
            contract_five(&b, t);
    connect_all(&b);
    check(os_thread_start("keeper", keep, &b, &keeper), "thread");
    for (int i = 0; i < rounds; i++)
        round_run(&b, count, batch);
    atomic_store(&b.end, true);
    os_thread_join(keeper);
    house_close(&b);
    return 0;
}
