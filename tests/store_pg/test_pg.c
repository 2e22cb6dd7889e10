// SPDX-License-Identifier: Apache-2.0
/* test_pg.c: the store on PostgreSQL: runs every group, and their helpers. Where no server is
 * installed it says so and counts as skipped. */
#include "test_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "base/must.h"
#include "io/db/db.h"
#include "io/os/file.h"

enum { SKIPPED = 77 };

static int entry_remove(void *ctx, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    if (unlink(path) != 0) {
        assert_int_equal(dir_list(path, entry_remove, path), 0);
        assert_int_equal(rmdir(path), 0);
    }
    return 0;
}

int pair_make(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(p->dir[i], sizeof p->dir[i], "%s/even-pair-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert_non_null(mkdtemp(p->dir[i]));
    }
    (void)snprintf(p->file, sizeof p->file, "%s/even.db", p->dir[0]);
    p->path[0] = p->file;
    p->path[1] = server_database();
    for (int i = 0; i < 2; i++) {
        const struct store_config config = {
            .dir = p->dir[i], .db = i ? p->path[1] : NULL, .create = true, .sessions = 1000};
        assert_int_equal(store_open(&config, &p->store[i]), 0);
    }
    *state = p;
    return 0;
}

int pair_drop(void **state)
{
    struct pair *p = *state;
    for (int i = 0; i < 2; i++) {
        store_close(p->store[i]);
        assert_int_equal(dir_list(p->dir[i], entry_remove, p->dir[i]), 0);
        (void)rmdir(p->dir[i]);
    }
    free(p);
    return 0;
}

int pair_commit(struct pair *p, struct str rows, struct str samples)
{
    int lite = store_commit(p->store[0], rows, samples);
    int pg = store_commit(p->store[1], rows, samples);
    assert_int_equal(lite, pg);
    return lite;
}

/* ---- comparing ---- */

/* Rows of any table, packed one behind the other. */
static int row_take(void *ctx, enum row_table t, const void *row)
{
    struct buf *b = ctx;
    row_pack(b, t, ROW_INSERT, row);
    return b->err;
}

static void column_take(struct buf *b, struct db_stmt *st, int i, const struct row_column *k)
{
    if (k->kind == COLUMN_TEXT || k->kind == COLUMN_BLOB) {
        struct str s = db_column_bytes(st, i);
        buf_put_varint(b, s.n);
        buf_put_str(b, s);
    } else {
        buf_put_zigzag(b, db_column_i64(st, i));
    }
}

static int64_t table_take(struct pair *p, int which, enum row_table t, struct buf *b)
{
    const struct row_meta *m = &row_metas[t];
    const struct db_config config = {.path = p->path[which], .mode = DB_READER};
    struct buf sql;
    struct db *db;
    struct db_stmt *st;
    int64_t rows = 0;
    buf_init(&sql, 1 << 16);
    buf_put_c(&sql, "SELECT ");
    for (uint32_t i = 0; i < m->n; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "", m->columns[i].name);
    buf_printf(&sql, " FROM %s ORDER BY ", m->name);
    for (uint32_t i = 0, any = 0; i < m->n; i++)
        if (m->columns[i].pk)
            buf_printf(&sql, "%s%s", any++ ? ", " : "", m->columns[i].name);
    buf_put_char(&sql, 0);
    assert_int_equal(db_open(&config, &db), 0);
    assert_int_equal(db_prepare(db, sql.p, &st), 0);
    db_expect_many(st);
    int rc;
    for (; (rc = db_step(st)) == 1; rows++)
        for (uint32_t i = 0; i < m->n; i++)
            column_take(b, st, (int)i, &m->columns[i]);
    assert_int_equal(rc, 0);
    db_finish(st);
    db_close(db);
    buf_free(&sql);
    return rows;
}

static void bytes_same(struct buf *b, const char *what)
{
    assert_int_equal(b[0].err, 0);
    assert_int_equal(b[1].err, 0);
    if (b[0].n != b[1].n || memcmp(b[0].p, b[1].p, b[0].n) != 0)
        fail_msg("%s differs between the engines", what);
    buf_reset(&b[0]);
    buf_reset(&b[1]);
}

int64_t pair_same(struct pair *p)
{
    struct buf b[2];
    int64_t rows = 0;
    buf_init(&b[0], 1 << 30);
    buf_init(&b[1], 1 << 30);
    buf_put_char(&b[0], 0);
    buf_put_char(&b[1], 0);
    for (int t = 1; t < ROW_TABLE_N; t++) {
        int64_t n = table_take(p, 0, (enum row_table)t, &b[0]);
        assert_int_equal(n, table_take(p, 1, (enum row_table)t, &b[1]));
        if (n)
            bytes_same(b, row_metas[t].name);
        rows += n;
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(store_load(p->store[i], row_take, &b[i]), 0);
    bytes_same(b, "what a start loads");
    buf_free(&b[0]);
    buf_free(&b[1]);
    return rows;
}

int main(void)
{
    if (!server_start()) {
        puts("skipped: no PostgreSQL server is installed (Debian: postgresql)");
        return SKIPPED;
    }
    log_set_level(LOG_ERROR + 1); /* failures are provoked here */
    int failed = port_tests();
    failed += claim_tests();
    failed += same_tests();
    failed += world_tests();
    server_stop();
    return failed != 0;
}
