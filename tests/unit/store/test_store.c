// SPDX-License-Identifier: Apache-2.0
/* test_store.c: runs every group of the store floor, and their helpers. */
#include "test_store.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "io/db/db.h"
#include "io/os/file.h"

static int entry_remove(void *ctx, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    if (unlink(path) != 0) {
        assert_int_equal(dir_list(path, entry_remove, path), 0);
        assert_int_equal(rmdir(path), 0);
    }
    return 0;
}

int box_make(void **state)
{
    struct box *b = calloc(1, sizeof *b);
    assert_non_null(b);
    snprintf(b->dir, sizeof b->dir, "store-test-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    buf_init(&b->rows, 64 << 20);
    buf_init(&b->samples, 64 << 20);
    *state = b;
    return 0;
}

int box_drop(void **state)
{
    struct box *b = *state;
    box_close(b);
    buf_free(&b->rows);
    buf_free(&b->samples);
    assert_int_equal(dir_list(b->dir, entry_remove, b->dir), 0);
    rmdir(b->dir);
    free(b);
    return 0;
}

void box_open(struct box *b)
{
    const struct store_config config = {.dir = b->dir, .create = true, .sessions = 1000};
    assert_int_equal(store_open(&config, &b->store), 0);
}

void box_close(struct box *b)
{
    store_close(b->store);
    b->store = NULL;
}

void box_commit(struct box *b)
{
    assert_int_equal(b->rows.err, 0);
    assert_int_equal(store_commit(b->store, buf_str(&b->rows), buf_str(&b->samples)), 0);
    buf_reset(&b->rows);
    buf_reset(&b->samples);
}

void box_part(struct box *b, const struct row_split_part *row)
{
    row_pack(&b->rows, ROW_SPLIT_PART, ROW_INSERT, row);
    row_pack(&b->rows, ROW_PARTY_SHARE_NEW, ROW_UPSERT,
             &(struct row_party_share_new){.transfer = row->transfer,
                                           .party = row->party,
                                           .at_ms = row->at_ms,
                                           .order_id = row->order_id});
}

const char *box_path(const struct box *b, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    return path;
}

static struct db *box_db(const struct box *b, enum db_mode mode)
{
    struct db *db;
    const struct db_config config = {.path = box_path(b, "even.db"), .mode = mode};
    assert_int_equal(db_open(&config, &db), 0);
    return db;
}

int64_t box_number(const struct box *b, const char *sql)
{
    struct db *db = box_db(b, DB_READER);
    struct db_stmt *st;
    assert_int_equal(db_prepare(db, sql, &st), 0);
    assert_int_equal(db_step(st), 1);
    int64_t v = db_column_i64(st, 0);
    db_finish(st);
    db_close(db);
    return v;
}

void box_exec(const struct box *b, const char *sql)
{
    struct db *db = box_db(b, DB_WRITER);
    assert_int_equal(db_exec(db, sql), 0);
    db_close(db);
}

int box_check(const struct box *b, char *said, size_t size)
{
    FILE *f = fmemopen(said, size, "w");
    assert_non_null(f);
    int rc = store_check(box_path(b, "even.db"), f);
    fclose(f);
    return rc;
}

void box_right(struct box *b)
{
    char said[20000];
    box_commit(b);
    box_close(b);
    int rc = box_check(b, said, sizeof said);
    if (rc)
        print_error("%s", said);
    assert_int_equal(rc, 0);
}

void box_wrongs(struct box *b, const struct box_wrong *wrongs, size_t n)
{
    char said[20000], want[40];
    struct buf right;
    buf_init(&right, 8 << 20);
    assert_int_equal(file_read(box_path(b, "even.db"), 8 << 20, &right), 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(file_write_atomic(box_path(b, "even.db"), buf_str(&right), 0600), 0);
        box_exec(b, wrongs[i].sql);
        int rc = box_check(b, said, sizeof said);
        snprintf(want, sizeof want, "violation %s ", wrongs[i].rule);
        if (rc != 1 || !strstr(said, want))
            print_error("%s: %d\n%s", wrongs[i].sql, rc, said);
        assert_int_equal(rc, 1);
        assert_non_null(strstr(said, want));
    }
    buf_free(&right);
}

void sample_add(struct box *b, int64_t session, int64_t at_ms, const struct core_sample *s)
{
    struct sample_record r;
    memset(&r, 0, sizeof r);
    r.session = session;
    r.tenant = 1;
    r.at_ms = at_ms;
    r.sample = *s;
    buf_put(&b->samples, &r, sizeof r);
}

struct core_sample sample_plain(int i)
{
    return (struct core_sample){.time_ms = 1760000000000 + 15000 * (int64_t)i,
                                .energy_mwh = 1000000 + 250000 * (int64_t)i + i % 7,
                                .power_w = 60000 - i % 13,
                                .voltage_mv = 400000 + i % 5 * 100,
                                .current_ma = 150000 + i % 11 * 100,
                                .soc_pm = 200 + i / 4,
                                .temp_dc = SAMPLE_NONE32,
                                .cost = SAMPLE_NONE};
}

static int64_t number_random(struct rng *r, bool small)
{
    switch (small ? 0 : rng_below(r, 4)) {
    case 0:
        return rng_range(r, 1, 1000);
    case 1:
        return (int64_t)rng_next(r);
    case 2:
        return INT64_MIN + (int64_t)rng_below(r, 3);
    default:
        return INT64_MAX - (int64_t)rng_below(r, 3);
    }
}

static struct str bytes_random(struct rng *r, struct arena *a, uint32_t max, bool text)
{
    size_t n = (size_t)rng_below(r, (max < 200 ? max : 200) + 1u);
    char *p = arena_alloc(a, n + 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(text ? 'a' + (int)rng_below(r, 26) : (int)rng_below(r, 256));
    return str_from(p, n);
}

void row_random(struct rng *r, enum row_table t, struct arena *a, void *row, bool small)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *k = &m->columns[i];
        char *at = (char *)row + k->offset;
        struct str s = bytes_random(r, a, k->max, k->kind == COLUMN_TEXT);
        int64_t v = number_random(r, small);
        int32_t v32 = (int32_t)v;
        if (k->kind == COLUMN_TEXT)
            memcpy(at, &s.p, sizeof s.p);
        else if (k->kind == COLUMN_BLOB)
            memcpy(at, &s, sizeof s);
        else if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL)
            memcpy(at, &v32, sizeof v32);
        else
            memcpy(at, &v, sizeof v);
    }
}

static void column_same(const struct row_column *k, const char *a, const char *b)
{
    if (k->kind == COLUMN_TEXT) {
        const char *x, *y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        assert_string_equal(x, y);
    } else if (k->kind == COLUMN_BLOB) {
        struct str x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        assert_int_equal(x.n, y.n);
        assert_memory_equal(x.p, y.p, x.n);
    } else {
        assert_memory_equal(a, b, k->kind == COLUMN_INT || k->kind == COLUMN_BOOL ? 4 : 8);
    }
}

void row_same(enum row_table t, const void *a, const void *b)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++)
        column_same(&m->columns[i], (const char *)a + m->columns[i].offset,
                    (const char *)b + m->columns[i].offset);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1); /* failures are provoked here */
    int failed = rows_tests();
    failed += codec_tests();
    failed += db_tests();
    failed += apply_tests();
    failed += life_tests();
    failed += query_tests();
    failed += backup_tests();
    failed += check_tests();
    failed += chain_tests();
    failed += check_recon_tests();
    failed += check_tax_tests();
    failed += check_lot_tests();
    failed += check_statement_tests();
    failed += shares_tests();
    return failed != 0;
}
