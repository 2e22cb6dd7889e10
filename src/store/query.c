// SPDX-License-Identifier: Apache-2.0
/* query.c: readers and named queries; see query.h. Data of a reader: a read-only connection, its
 * statements, each prepared when it is first asked for (a reader uses few of several hundred, and all
 * of them took 7 ms and some megabytes), scratch for sample streams. Thread: one at a time. Failure:
 * logged here; a caller's own answer from its row callback is handed through untouched. */
#include "store/query.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"
#include "store/samplelog.h"
#include "store/store_internal.h"

enum { SCRATCH_CAP = 16 << 20 };

struct store_reader {
    struct db *db;
    char samples[STORE_PATH_CAP]; /* folder of the sample log */
    bool snapshot;
    struct db_stmt *stmts[QUERY_N];
    struct buf stream, live;
};

/* Lends the statement; NULL and an error when it cannot be prepared: a file that is not ours. */
static int statement(struct store_reader *r, enum query q, struct db_stmt **out)
{
    const struct query_meta *m = &query_metas[q];
    struct db_stmt **st = &r->stmts[q];
    *out = *st;
    if (*st)
        return 0;
    int rc = db_prepare(r->db, m->sql[db_dialect(r->db)], st);
    if (rc)
        return store_fail(r->db, rc, m->name);
    if (m->shape == QUERY_ALL)
        db_expect_many(*st);
    must(db_read_only(*st) && db_columns(*st) == (int)m->columns_n);
    must(m->columns_n <= QUERY_COLUMNS_MAX && db_params(*st) <= (int)m->params_n);
    *out = *st;
    return 0;
}

/* samples: folder of the sample log. */
static int reader_open(const char *db_path, const char *samples, size_t cache_bytes,
                       struct store_reader **out)
{
    *out = NULL;
    struct store_reader *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    buf_init(&r->stream, SCRATCH_CAP);
    buf_init(&r->live, SCRATCH_CAP);
    size_t n = strlen(samples);
    int rc = str_copy(r->samples, sizeof r->samples, str_from_c(samples)) == n ? 0 : ERR_TOO_LARGE;
    if (rc == 0)
        rc = db_open(
            &(struct db_config){.path = db_path, .mode = DB_READER, .cache_bytes = cache_bytes},
            &r->db);
    if (rc) {
        rc = store_fail(NULL, rc, "open reader");
        store_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

int store_reader_open_path(const char *db_path, struct store_reader **out)
{
    return store_reader_open_wide(db_path, 0, out);
}

int store_reader_open_wide(const char *db_path, size_t cache_bytes, struct store_reader **out)
{
    char samples[STORE_PATH_CAP] = "";
    const char *slash = strrchr(db_path, '/');
    if (db_is_server(db_path))
        return reader_open(db_path, samples, cache_bytes, out);
    int n = snprintf(samples, sizeof samples, "%.*s" STORE_SAMPLES_NAME,
                     slash ? (int)(slash - db_path) + 1 : 0, db_path);
    return n > 0 && n < STORE_PATH_CAP ? reader_open(db_path, samples, cache_bytes, out)
                                       : ERR_TOO_LARGE;
}

int store_reader_open(struct store *s, struct store_reader **out)
{
    char samples[STORE_PATH_CAP];
    int rc = store_path(store_dir(s), STORE_SAMPLES_NAME, samples);
    return rc ? rc : reader_open(store_db_path(s), samples, 0, out);
}

void store_reader_close(struct store_reader *r)
{
    if (!r)
        return;
    for (int i = 0; i < QUERY_N; i++)
        db_finish(r->stmts[i]);
    db_close(r->db);
    buf_free(&r->stream);
    buf_free(&r->live);
    free(r);
}

struct db *store_reader_db(const struct store_reader *r)
{
    return r->db;
}

int store_reader_begin(struct store_reader *r)
{
    must(!r->snapshot);
    int rc = db_begin(r->db);
    if (rc)
        return store_fail(r->db, rc, "snapshot");
    r->snapshot = true;
    return 0;
}

int store_readers_begin(struct store_reader *a, struct store_reader *b)
{
    must(!a->snapshot && !b->snapshot);
    int rc = db_begin_same(a->db, b->db);
    a->snapshot = b->snapshot = rc == 0;
    return rc;
}

void store_reader_end(struct store_reader *r)
{
    must(r->snapshot);
    db_rollback(r->db);
    r->snapshot = false;
}

static bool is_bytes(enum column_kind kind)
{
    return kind == COLUMN_TEXT || kind == COLUMN_BLOB;
}

static void params_bind(struct db_stmt *st, const struct query_meta *m,
                        const struct sql_value *params)
{
    for (uint32_t i = 0; i < m->params_n; i++) {
        must(is_bytes(params[i].kind) == is_bytes(m->params[i].kind));
        if (m->params[i].kind == COLUMN_TEXT)
            db_bind_text(st, (int)i + 1, params[i].s);
        else if (m->params[i].kind == COLUMN_BLOB)
            db_bind_blob(st, (int)i + 1, params[i].s);
        else
            db_bind_i64(st, (int)i + 1, params[i].i);
    }
}

static void row_take(struct db_stmt *st, const struct query_meta *m, struct sql_value *v)
{
    for (uint32_t i = 0; i < m->columns_n; i++) {
        v[i] = (struct sql_value){.kind = m->columns[i].kind};
        if (is_bytes(v[i].kind))
            v[i].s = db_column_bytes(st, (int)i);
        else
            v[i].i = db_column_i64(st, (int)i);
    }
}

int store_query(struct store_reader *r, enum query q, const struct sql_value *params, size_t n,
                query_row_fn *fn, void *ctx)
{
    must((unsigned)q < QUERY_N);
    const struct query_meta *m = &query_metas[q];
    must(n == m->params_n && m->shape != QUERY_EXEC);
    struct sql_value v[QUERY_COLUMNS_MAX] = {0};
    struct db_stmt *st;
    int rc = statement(r, q, &st), answer = 0;
    if (rc)
        return rc;
    params_bind(st, m, params);
    bool any = false;
    while ((rc = db_step(st)) == 1) {
        any = true;
        row_take(st, m, v);
        answer = fn(ctx, v, m->columns_n);
        if (answer || m->shape == QUERY_ONE)
            break;
    }
    if (rc < 0)
        answer = store_fail(r->db, rc, m->name);
    db_reset(st);
    return answer == 0 && m->shape == QUERY_ONE && !any ? ERR_NOT_FOUND : answer;
}

void query_walk_begin(struct query_walk *w, struct store_reader *r, enum query q,
                      const struct sql_value *params, size_t n)
{
    must((unsigned)q < QUERY_N && r->snapshot);
    const struct query_meta *m = &query_metas[q];
    must(n == m->params_n && m->shape != QUERY_EXEC);
    *w = (struct query_walk){.r = r, .q = q};
    w->rc = statement(r, q, &w->st);
    if (w->rc == 0)
        params_bind(w->st, m, params);
}

int query_walk_next(struct query_walk *w)
{
    const struct query_meta *m = &query_metas[w->q];
    if (w->rc)
        return w->rc;
    int rc = db_step(w->st);
    if (rc < 0)
        return store_fail(w->r->db, rc, m->name);
    if (rc == 1)
        row_take(w->st, m, w->v);
    return rc;
}

void query_walk_end(struct query_walk *w)
{
    if (w->st)
        db_reset(w->st);
    w->st = NULL;
}

/* ---- samples ---- */

struct sample_walk {
    struct store_reader *r;
    sample_fn *fn;
    void *ctx;
    uint64_t upto; /* last group given out from a block */
};

static int upto_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(uint64_t *)ctx = (uint64_t)v[0].i;
    return 0;
}

static int block_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct sample_walk *w = ctx;
    struct buf *b = &w->r->stream;
    struct sample_state st = {0};
    (void)n;
    buf_reset(b);
    int rc = block_open(v[2].s, b);
    struct cursor c = {(const uint8_t *)b->p, (const uint8_t *)b->p + b->n};
    for (int64_t i = 0; i < v[1].i && rc == 0; i++) {
        struct core_sample s;
        int64_t at_ms;
        rc = sample_take(&c, &st, &at_ms, &s);
        if (rc == 0)
            rc = w->fn(w->ctx, at_ms, &s);
    }
    w->upto = (uint64_t)v[0].i;
    return rc;
}

/* The log is read first and kept: a sample sealed meanwhile is then found in the blocks, and not
 * twice. */
struct live_sample {
    uint64_t group;
    int64_t at_ms;
    struct core_sample s;
};

static int live_keep(void *ctx, uint64_t group, int64_t at_ms, const struct core_sample *s)
{
    struct buf *live = ctx;
    const struct live_sample keep = {group, at_ms, *s};
    buf_put(live, &keep, sizeof keep);
    return live->err;
}

int store_samples(struct store_reader *r, int64_t session, sample_fn *fn, void *ctx)
{
    must(!r->snapshot);
    struct sample_walk w = {.r = r, .fn = fn, .ctx = ctx};
    const struct sql_value id = SQL_I64(session);
    uint64_t sealed = 0;
    int rc = store_query(r, QUERY_BLOCK_UPTO, &id, 1, upto_take, &sealed);
    buf_reset(&r->live);
    rc = rc == ERR_NOT_FOUND ? 0 : rc;
    if (rc == 0 && r->samples[0])
        rc = samplelog_scan(r->samples, session, sealed, live_keep, &r->live);
    if (rc == 0)
        rc = store_query(r, QUERY_BLOCK_LIST, &id, 1, block_take, &w);
    for (size_t i = 0; rc == 0 && i < r->live.n; i += sizeof(struct live_sample)) {
        struct live_sample l;
        memcpy(&l, r->live.p + i, sizeof l);
        if (l.group > w.upto)
            rc = fn(ctx, l.at_ms, &l.s);
    }
    return rc;
}
