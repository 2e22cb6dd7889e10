// SPDX-License-Identifier: Apache-2.0
/* store.c: open, load, commit; see store.h.
 *
 * Data: the writer's connection with the statements of apply.c, the sample log, the lock. Order of a commit: samples to the log and synced; then one transaction of the rows
 * and the blocks of tails that are due; then the tails are forgotten. A crash between the two
 * leaves samples of calls that nobody has answered: the core replays them (store_load_samples) and
 * meets their repetition like any other. Nothing here knows which engine is behind the port: where
 * their SQL differs, the generated texts are indexed by it. Thread: see store.h. Failure: logged
 * here, final for the process. */
#include "store/store_internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "io/os/file.h"
#include "store/apply.h"
#include "store/chain.h"
#include "store/migrate.h"
#include "store/query.h"
#include "store/rowio.h"
#include "store/samplelog.h"
#include "store/shares.h"

enum {
    CACHE_BYTES = 64 << 20,
    SESSIONS = 200000,
    BLOCK_CAP = 1 << 20,
    BLOCKS_BYTES = 1 << 18,
    OFFER_CAP = 4 << 20,
    TRIES = 10
};

struct store {
    char dir[STORE_PATH_CAP], db_path[STORE_PATH_CAP];
    struct file_lock *lock;
    struct db *db;
    struct samplelog *samples;
    struct apply *apply;
    struct chain chain;
    struct shares shares;
    struct db_stmt *upto;
    bool all_away;    /* the file says so, and nothing was written since */
    struct buf offer; /* its maker's until offered is set, then the writer's until it is cleared */
    _Atomic bool offered;
    bool offer_taken; /* in the transaction at hand */
    struct buf block, row;
    struct store_stats stats;
};

int store_path(const char *dir, const char *name, char out[STORE_PATH_CAP])
{
    int n = snprintf(out, STORE_PATH_CAP, "%s/%s", dir, name);
    return n > 0 && n < STORE_PATH_CAP ? 0 : ERR_TOO_LARGE;
}

const char *store_dir(const struct store *s)
{
    return s->dir;
}

const char *store_db_path(const struct store *s)
{
    return s->db_path;
}

int64_t store_claim(const struct store *s)
{
    return db_claim(s->db);
}

int64_t store_journal_bytes(const struct store *s)
{
    return db_journal_bytes(s->db);
}

bool store_offer_open(const struct store *s)
{
    return !atomic_load_explicit(&s->offered, memory_order_acquire);
}

int store_offer(struct store *s, struct str rows)
{
    must(store_offer_open(s));
    buf_reset(&s->offer);
    buf_put_str(&s->offer, rows);
    if (s->offer.err == 0)
        atomic_store_explicit(&s->offered, true, memory_order_release);
    return s->offer.err;
}

int store_fail(const struct db *db, int rc, const char *what)
{
    log_line(LOG_ERROR, "store", 0, "%s: %s (%s)", what, err_name(rc), db ? db_detail(db) : "");
    return rc;
}

/* ---- open ---- */

static int prepare_named(struct store *s, enum query q, struct db_stmt **st)
{
    const struct query_meta *m = &query_metas[q];
    int rc = db_prepare(s->db, m->sql[db_dialect(s->db)], st);
    if (rc == 0 && m->shape == QUERY_ALL)
        db_expect_many(*st);
    return rc;
}

static int upto_read(void *ctx, int64_t session, uint64_t *upto)
{
    struct store *s = ctx;
    *upto = 0;
    db_bind_i64(s->upto, 1, session);
    int rc = db_step(s->upto);
    if (rc == 1)
        *upto = (uint64_t)db_column_i64(s->upto, 0);
    db_reset(s->upto);
    return rc < 0 ? rc : 0;
}

/* The sample log, the key and the lock of this program live in the folder with either engine. */
static int open_folder(struct store *s, const struct store_config *config)
{
    char path[STORE_PATH_CAP];
    int64_t pid = 0;
    int rc = config->create ? dir_make(s->dir, 0700) : 0;
    if (rc == 0)
        rc = store_path(s->dir, STORE_LOCK_NAME, path);
    if (rc == 0)
        rc = file_lock_take(path, &s->lock, &pid);
    if (rc)
        log_line(LOG_ERROR, "store", 0, "%s: %s (holder %lld)", s->dir, err_name(rc),
                 (long long)pid);
    return rc;
}

static int chain_open(struct store *s)
{
    struct db_stmt *st = NULL;
    int rc = prepare_named(s, QUERY_CHAIN_LAST, &st);
    chain_init(&s->chain);
    if (rc == 0 && (rc = db_step(st)) == 1)
        rc = chain_resume(&s->chain, db_column_i64(st, 0), db_column_bytes(st, 1));
    db_finish(st);
    return rc;
}

static int open_db(struct store *s, const struct store_config *config)
{
    struct db_config c = {.path = s->db_path,
                          .mode = DB_WRITER,
                          .create = config->create,
                          .cache_bytes = config->cache_bytes ? config->cache_bytes : CACHE_BYTES};
    int rc = db_open(&c, &s->db);
    if (rc)
        return store_fail(NULL, rc, "open");
    rc = migrate(s->db, schema_ddl[db_dialect(s->db)], schema_migrations);
    if (rc)
        return rc;
    rc = apply_open(s->db, &s->apply);
    if (rc == 0)
        rc = prepare_named(s, QUERY_BLOCK_UPTO, &s->upto);
    if (rc == 0)
        rc = shares_open(&s->shares, s->db, config->shares);
    if (rc == 0)
        rc = chain_open(s);
    return rc ? store_fail(s->db, rc, "prepare") : 0;
}

static int open_samples(struct store *s, const struct store_config *config)
{
    char path[STORE_PATH_CAP];
    int rc = store_path(s->dir, STORE_SAMPLES_NAME, path);
    if (rc == 0)
        rc = samplelog_open(path, config->sessions ? config->sessions : SESSIONS, upto_read, s,
                            &s->samples);
    return rc ? store_fail(NULL, rc, "sample log") : 0;
}

static int names_set(struct store *s, const struct store_config *config)
{
    const char *db = config->db ? config->db : "";
    if (str_copy(s->dir, sizeof s->dir, str_from_c(config->dir)) < strlen(config->dir) ||
        str_copy(s->db_path, sizeof s->db_path, str_from_c(db)) < strlen(db))
        return ERR_TOO_LARGE;
    return db[0] ? 0 : store_path(s->dir, STORE_DB_NAME, s->db_path);
}

/* Seals all that a crash left due: store_load_samples looks into blocks and open tails only. */
static int seal_due(struct store *s)
{
    int rc = store_commit(s, STR_NONE, STR_NONE);
    while (rc == 0 && samplelog_due(s->samples))
        rc = store_commit(s, STR_NONE, STR_NONE);
    return rc;
}

int store_open(const struct store_config *config, struct store **out)
{
    *out = NULL;
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    buf_init(&s->block, BLOCK_CAP);
    buf_init(&s->offer, OFFER_CAP);
    buf_init(&s->row, BLOCKS_BYTES + BLOCK_CAP + 256);
    int rc = names_set(s, config);
    if (rc == 0)
        rc = open_folder(s, config);
    if (rc == 0)
        rc = open_db(s, config);
    if (rc == 0)
        rc = open_samples(s, config);
    if (rc == 0)
        rc = seal_due(s);
    if (rc) {
        store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    samplelog_close(s->samples);
    apply_close(s->apply);
    db_finish(s->upto);
    shares_close(&s->shares);
    db_close(s->db);
    if (s->lock)
        file_lock_drop(s->lock);
    buf_free(&s->block);
    buf_free(&s->row);
    buf_free(&s->offer);
    free(s);
}

/* ---- load ---- */

int store_rows(struct db_stmt *st, enum row_table t, store_row_fn *fn, void *ctx, uint32_t *found)
{
    union rowio_room row;
    int rc;
    *found = 0;
    while ((rc = db_step(st)) == 1) {
        rowio_read(st, t, &row);
        ++*found;
        rc = fn(ctx, t, &row);
        if (rc)
            break;
    }
    db_reset(st);
    return rc;
}

static int rows_once(struct store *s, const char *sql, enum row_table t, store_row_fn *fn,
                     void *ctx)
{
    struct db_stmt *st;
    uint32_t found;
    int rc = db_prepare(s->db, sql, &st);
    if (rc)
        return rc;
    db_expect_many(st);
    rc = store_rows(st, t, fn, ctx, &found);
    db_finish(st);
    return rc;
}

int store_load(struct store *s, store_row_fn *fn, void *ctx)
{
    int rc = 0;
    for (int t = 1; t < ROW_TABLE_N && rc == 0; t++)
        if (row_metas[t].kind == ROW_KIND_DIRECTORY)
            rc = rows_once(s, schema_sql[db_dialect(s->db)][t].select, (enum row_table)t, fn, ctx);
    for (int i = 0; i < SCHEMA_FIND_N && rc == 0; i++) {
        const struct schema_find_sql *find = &schema_finds[i];
        if (find->start)
            rc = rows_once(s, find->sql, (enum row_table)find->table, fn, ctx);
    }
    return rc ? store_fail(s->db, rc, "load") : 0;
}

/* What store_load_samples needs of the session at hand. */
struct sample_load {
    struct store *s;
    store_sample_fn *fn;
    void *ctx;
    struct sample_record r;
    int64_t after; /* at_ms */
};

static int stream_load(struct sample_load *w, struct str stream, int64_t n)
{
    struct sample_state st = {0};
    struct cursor c = {(const uint8_t *)stream.p, (const uint8_t *)stream.p + stream.n};
    int rc = 0;
    for (int64_t i = 0; i < n && rc == 0; i++) {
        rc = sample_take(&c, &st, &w->r.at_ms, &w->r.sample);
        if (rc == 0 && w->r.at_ms > w->after)
            rc = w->fn(w->ctx, &w->r);
    }
    return rc;
}

/* One open session: what was sealed after its last checkpoint, then its tail. */
static int session_load(struct sample_load *w, struct db_stmt *blocks)
{
    struct store *s = w->s;
    int rc;
    db_bind_i64(blocks, 1, w->r.session);
    db_bind_i64(blocks, 2, w->after);
    while ((rc = db_step(blocks)) == 1) {
        buf_reset(&s->block);
        rc = block_open(db_column_bytes(blocks, 1), &s->block);
        if (rc == 0)
            rc = stream_load(w, buf_str(&s->block), db_column_i64(blocks, 0));
        if (rc)
            break;
    }
    db_reset(blocks);
    const struct sample_tail *t = samplelog_tail(s->samples, w->r.session);
    return rc == 0 && t ? stream_load(w, buf_str(&t->stream), t->n) : rc;
}

int store_load_samples(struct store *s, store_sample_fn *fn, void *ctx)
{
    struct sample_load w = {.s = s, .fn = fn, .ctx = ctx};
    struct db_stmt *list = NULL, *blocks = NULL;
    int rc = prepare_named(s, QUERY_SESSION_OPEN_LIST, &list);
    if (rc == 0)
        rc = prepare_named(s, QUERY_BLOCK_AFTER, &blocks);
    while (rc == 0 && (rc = db_step(list)) == 1) {
        w.r.session = db_column_i64(list, 0);
        w.r.tenant = db_column_i64(list, 1);
        w.after = db_column_i64(list, 2);
        rc = session_load(&w, blocks);
    }
    db_finish(list);
    db_finish(blocks);
    return rc ? store_fail(s->db, rc, "load samples") : 0;
}

static int time_take(void *ctx, enum row_table t, const void *row)
{
    const struct row_transfer *last = row;
    must(t == ROW_TRANSFER);
    *(int64_t *)ctx = last->posted_ms;
    return 0;
}

int store_ledger_time(struct store *s, int64_t *posted_ms)
{
    *posted_ms = 0;
    int rc = rows_once(s, schema_finds[FIND_TRANSFER_LAST].sql, ROW_TRANSFER, time_take, posted_ms);
    return rc ? store_fail(s->db, rc, "ledger time") : 0;
}

int store_last_id(struct store *s, int64_t *id)
{
    struct db_stmt *st = NULL;
    *id = 0;
    int rc = prepare_named(s, QUERY_ID_LAST, &st);
    if (rc == 0 && (rc = db_step(st)) == 1) {
        *id = db_column_i64(st, 0);
        rc = 0;
    }
    db_finish(st);
    return rc ? store_fail(s->db, rc, "last id") : 0;
}

/* ---- commit ---- */

static void session_ended(void *ctx, int64_t session)
{
    struct store *s = ctx;
    samplelog_end(s->samples, session);
}

static int rows_apply(struct store *s, struct str rows)
{
    return apply_rows(s->apply, rows, session_ended, s, &s->stats.rows);
}

static int away_note(struct store *s, const char *value);

/* The link of this commit's transfers, if it has any. */
static int link_write(struct store *s, struct str rows)
{
    buf_reset(&s->row);
    int rc = chain_seal(&s->chain, rows, &s->row);
    return rc || s->row.n == 0 ? rc : rows_apply(s, buf_str(&s->row));
}

/* Blocks take the way of all rows. */
static int block_pack(struct store *s, const struct sample_tail *t)
{
    buf_reset(&s->block);
    int rc = t->stream.err ? t->stream.err : block_seal(buf_str(&t->stream), &s->block);
    if (rc)
        return rc;
    const struct row_meter_block row = {.session = t->session,
                                        .upto = (int64_t)t->upto,
                                        .t0_ms = t->t0_ms,
                                        .t1_ms = t->t1_ms,
                                        .n = (int32_t)t->n,
                                        .data = buf_str(&s->block)};
    row_pack(&s->row, ROW_METER_BLOCK, ROW_INSERT, &row);
    s->stats.blocks++;
    return s->row.err;
}

static int blocks_write(struct store *s)
{
    struct sample_tail *t = samplelog_due(s->samples);
    uint32_t left = samplelog_share(s->samples);
    int rc = 0;
    while (t && left && rc == 0) {
        buf_reset(&s->row);
        for (; t && left && rc == 0 && s->row.n < BLOCKS_BYTES; t = samplelog_due(s->samples)) {
            rc = block_pack(s, t);
            samplelog_sealed(s->samples, t);
            left--;
        }
        if (rc == 0)
            rc = rows_apply(s, buf_str(&s->row));
    }
    return rc;
}

static int transaction(struct store *s, struct str rows)
{
    int rc = db_begin(s->db);
    if (rc)
        return rc;
    if (s->all_away)
        rc = away_note(s, "");
    if (rc == 0)
        rc = rows_apply(s, rows);
    if (rc == 0)
        rc = shares_step(&s->shares, apply_count(s->apply, ROW_PARTY_SHARE_NEW));
    if (rc == 0)
        rc = link_write(s, rows);
    if (rc == 0 && s->offer_taken)
        rc = rows_apply(s, buf_str(&s->offer));
    if (rc == 0)
        rc = blocks_write(s);
    return rc ? rc : db_commit(s->db);
}

/* An engine may give a transaction up in favour of another. Nothing of it happened then, so the
 * same rows make the same books once more. */
static int transaction_retried(struct store *s, struct str rows)
{
    const struct store_stats before = s->stats;
    const struct shares shares = s->shares;
    int rc = transaction(s, rows);
    for (int i = 1; rc == ERR_AGAIN && i < TRIES; i++) {
        log_line(LOG_WARN, "store", 0, "commit, once more: %s", db_detail(s->db));
        db_rollback(s->db);
        samplelog_unsealed(s->samples);
        s->stats = before;
        s->shares = shares;
        rc = transaction(s, rows);
    }
    if (rc)
        s->shares = shares;
    return rc;
}

int store_commit(struct store *s, struct str rows, struct str samples)
{
    int rc = samplelog_append(s->samples, samples);
    if (rc)
        return store_fail(NULL, rc, "sample log");
    s->stats.samples += samples.n / sizeof(struct sample_record);
    s->offer_taken = !store_offer_open(s);
    if (rows.n == 0 && !s->offer_taken && !samplelog_due(s->samples))
        return 0;
    rc = transaction_retried(s, rows);
    if (rc) {
        rc = store_fail(s->db, rc, "commit");
        db_rollback(s->db);
        return rc;
    }
    samplelog_settle(s->samples);
    chain_settle(&s->chain);
    if (s->offer_taken)
        atomic_store_explicit(&s->offered, false, memory_order_release);
    s->all_away = false;
    s->stats.commits++;
    return 0;
}

/* ---- who is away ---- */

static int connectors_away(struct store *s, int64_t now_ms)
{
    struct db_stmt *st;
    int rc = prepare_named(s, QUERY_CONNECTORS_AWAY, &st);
    if (rc)
        return rc;
    db_bind_i64(st, 1, now_ms);
    rc = db_run(st);
    db_finish(st);
    return rc;
}

static int away_note(struct store *s, const char *value)
{
    const struct row_fact fact = {.name = "away", .value = value};
    buf_reset(&s->row);
    row_pack(&s->row, ROW_FACT, ROW_UPSERT, &fact);
    return s->row.err ? s->row.err : rows_apply(s, buf_str(&s->row));
}

static int away_noted(struct store *s, bool *noted)
{
    struct db_stmt *st;
    int rc = prepare_named(s, QUERY_FACT_GET, &st);
    *noted = false;
    if (rc)
        return rc;
    db_bind_text(st, 1, STR_LIT("away"));
    rc = db_step(st);
    if (rc == 1)
        *noted = str_eq_c(db_column_bytes(st, 0), "all");
    db_finish(st);
    return rc < 0 ? rc : 0;
}

int store_arrive(struct store *s, int64_t now_ms)
{
    int rc = away_noted(s, &s->all_away);
    if (rc == 0 && !s->all_away)
        rc = connectors_away(s, now_ms);
    return rc ? store_fail(s->db, rc, "arrive") : 0;
}

int store_leave(struct store *s, int64_t now_ms)
{
    int rc = db_begin(s->db);
    if (rc == 0)
        rc = connectors_away(s, now_ms);
    if (rc == 0)
        rc = away_note(s, "all");
    if (rc == 0)
        rc = db_commit(s->db);
    else
        db_rollback(s->db);
    return rc ? store_fail(s->db, rc, "leave") : 0;
}

void store_shrink(struct store *s)
{
    db_shrink(s->db);
    buf_free(&s->block);
    buf_free(&s->row);
}

void store_stats(const struct store *s, struct store_stats *out)
{
    *out = s->stats;
    out->tails = samplelog_tails(s->samples);
    out->log_bytes = samplelog_bytes(s->samples);
}
