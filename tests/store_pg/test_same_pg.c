// SPDX-License-Identifier: Apache-2.0
/* test_same_pg.c: every named statement on both engines, over the same random rows and parameters:
 * same rows in the same order. Values come from few, so that keys meet: small numbers, and texts in
 * which engines like to differ (cases, wildcards, blanks, more than ASCII). */
#include "test_pg.h"

#include <stdio.h>
#include "base/err.h"
#include "base/hash.h"
#include "store/query.h"

enum { TRIES = 60, ROUNDS = 60, IDS = 12 };
#define REAL_ID (INT64_C(1764000000000) << 20)

static struct str text_any(struct rng *r)
{
    static const char *const texts[] = {"",    "a",    "A",           "a ",  "b%",
                                        "_",   "充电", "é",           "CNY", "z\tz",
                                        "'\"", "\\",   "13800138000", "12",  "ab\nc"};
    return str_from_c(texts[rng_below(r, ARRAY_LEN(texts))]);
}

static int64_t number_any(struct rng *r, enum column_kind kind)
{
    switch (kind) {
    case COLUMN_ID:
        return rng_range(r, 0, IDS);
    case COLUMN_INT:
        return rng_range(r, -1, 11);
    case COLUMN_BOOL:
        return rng_range(r, 0, 1);
    default:
        return rng_below(r, 3) ? rng_range(r, -2, IDS) : rng_range(r, -(1LL << 40), 1LL << 40);
    }
}

static void row_any(struct rng *r, enum row_table t, char *row)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *k = &m->columns[i];
        char *at = row + k->offset;
        struct str s = text_any(r);
        int64_t v = number_any(r, k->kind);
        int32_t small = (int32_t)v;
        if (k->kind == COLUMN_TEXT)
            memcpy(at, &s.p, sizeof s.p);
        else if (k->kind == COLUMN_BLOB)
            memcpy(at, &s, sizeof s);
        else if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL)
            memcpy(at, &small, sizeof small);
        else
            memcpy(at, &v, sizeof v);
    }
}

/* Inserts and upserts one by one: some meet a key that is taken, on both engines alike. */
static void fill(struct pair *p, struct rng *r)
{
    union {
        int64_t align;
        char bytes[1024];
    } row;
    struct buf b;
    int taken = 0, conflicts = 0;
    buf_init(&b, 1 << 16);
    for (int i = 0; i < TRIES; i++) {
        for (int t = 1; t < ROW_TABLE_N; t++) {
            if (t == ROW_METER_BLOCK || t == ROW_CHAIN)
                continue; /* their bytes would have to mean something */
            row_any(r, (enum row_table)t, row.bytes);
            buf_reset(&b);
            row_pack(&b, (enum row_table)t, rng_below(r, 2) ? ROW_UPSERT : ROW_INSERT, row.bytes);
            int rc = pair_commit(p, buf_str(&b), STR_NONE);
            assert_true(rc == 0 || rc == ERR_CONFLICT);
            taken += rc == 0;
            conflicts += rc != 0;
        }
    }
    buf_free(&b);
    assert_true(taken > 300);
    assert_true(conflicts > 100);
}

struct taken {
    struct buf rows;
    int n;
};

static int value_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct taken *t = ctx;
    for (size_t i = 0; i < n; i++)
        if (v[i].kind == COLUMN_TEXT || v[i].kind == COLUMN_BLOB)
            buf_printf(&t->rows, "%zu:%.*s|", v[i].s.n, STR_FMT(v[i].s));
        else
            buf_printf(&t->rows, "%lld|", (long long)v[i].i);
    buf_put_char(&t->rows, '\n');
    t->n++;
    return t->rows.err;
}

static void params_any(struct rng *r, const struct query_meta *m, struct sql_value *v)
{
    for (uint32_t i = 0; i < m->params_n; i++) {
        const struct query_field *f = &m->params[i];
        bool open = strncmp(f->name, "after", 5) == 0 && rng_below(r, 4);
        if (f->kind == COLUMN_TEXT)
            v[i] = SQL_TEXT(text_any(r));
        else if (f->kind == COLUMN_BLOB)
            v[i] = SQL_BLOB(text_any(r));
        else if (strcmp(f->name, "lim") == 0)
            v[i] = SQL_I64(rng_range(r, 1, 30));
        else
            v[i] = SQL_I64(open ? INT64_MAX : rng_below(r, 3) ? number_any(r, f->kind) : 0);
        /* An id as they really are: it must not be taken for as small as a 0 beside it. */
        if (f->kind == COLUMN_ID && rng_below(r, 8) == 0)
            v[i] = SQL_I64(REAL_ID);
    }
}

static int query_same(struct store_reader **r, struct rng *rng, enum query q, struct taken *got)
{
    const struct query_meta *m = &query_metas[q];
    struct sql_value v[QUERY_COLUMNS_MAX];
    int rc[2], rows = 0;
    for (int round = 0; round < ROUNDS; round++) {
        params_any(rng, m, v);
        for (int i = 0; i < 2; i++) {
            buf_reset(&got[i].rows);
            got[i].n = 0;
            rc[i] = store_query(r[i], q, v, m->params_n, value_take, &got[i]);
            buf_put_char(&got[i].rows, 0);
        }
        if (rc[0] != rc[1] || strcmp(got[0].rows.p, got[1].rows.p) != 0)
            fail_msg("%s: SQLite %d\n%s\nPostgreSQL %d\n%s", m->name, rc[0], got[0].rows.p, rc[1],
                     got[1].rows.p);
        rows += got[0].n;
    }
    return rows;
}

static void every_statement_gives_the_same_rows(void **state)
{
    struct pair *p = *state;
    struct store_reader *r[2];
    struct taken got[2] = {0};
    struct rng rng = {97};
    int statements = 0, hits = 0, rows = 0;
    fill(p, &rng);
    (void)pair_same(p);
    for (int i = 0; i < 2; i++) {
        buf_init(&got[i].rows, 64 << 20);
        assert_int_equal(store_reader_open(p->store[i], &r[i]), 0);
    }
    for (int q = 0; q < QUERY_N; q++) {
        /* Run by migrate already; and the checksum of the schema is that of its engine's text. */
        if (query_metas[q].shape == QUERY_EXEC || q == QUERY_MIGRATION_LIST)
            continue;
        int n = query_same(r, &rng, (enum query)q, got);
        statements++;
        hits += n > 0;
        rows += n;
    }
    printf("%d statements, %d of them with rows, %d rows in all: the same\n", statements, hits,
           rows);
    for (int i = 0; i < 2; i++) {
        store_reader_close(r[i]);
        buf_free(&got[i].rows);
    }
}

/* ---- look-ups ---- */

static int row_keep(void *ctx, enum row_table t, const void *row)
{
    row_pack(ctx, t, ROW_UPSERT, row);
    return 0;
}

static void need_any(struct rng *r, int32_t kind, struct core_need *need)
{
    *need = (struct core_need){.kind = kind, .a = rng_range(r, 0, IDS), .b = rng_range(r, 0, IDS)};
    (void)str_copy(need->text, sizeof need->text, text_any(r));
}

/* What chance seldom makes: a paid payment with gift money left, a share that a channel paid. */
static void rare_put(struct pair *p)
{
    struct buf b;
    buf_init(&b, 1 << 12);
    row_pack(&b, ROW_PAYMENT, ROW_UPSERT,
             &(struct row_payment){.id = 1, .driver = 1, .state = PAYMENT_PAID, .gift = 100});
    row_pack(&b, ROW_PAYOUT, ROW_UPSERT,
             &(struct row_payout){.id = 1, .order_id = 1, .kind = PAYOUT_SHARED});
    assert_int_equal(pair_commit(p, buf_str(&b), STR_NONE), 0);
    buf_free(&b);
}

static void every_need_finds_the_same_rows(void **state)
{
    struct pair *p = *state;
    struct store_fetcher *f[2];
    struct buf got[2];
    struct rng rng = {101};
    fill(p, &rng);
    rare_put(p);
    for (int i = 0; i < 2; i++) {
        buf_init(&got[i], 16 << 20);
        assert_int_equal(store_fetcher_open(p->store[i], &f[i]), 0);
    }
    for (int32_t kind = NEED_ORDER; kind < NEED_N; kind++) {
        int hits = 0;
        for (int round = 0; round < 4 * ROUNDS; round++) {
            struct core_need need;
            int rc[2];
            need_any(&rng, kind, &need);
            for (int i = 0; i < 2; i++) {
                buf_reset(&got[i]);
                rc[i] = store_fetch_need(f[i], &need, row_keep, &got[i]);
            }
            assert_int_equal(rc[0], rc[1]);
            assert_int_equal(got[0].n, got[1].n);
            if (got[0].n)
                assert_memory_equal(got[0].p, got[1].p, got[0].n);
            hits += rc[0] == 0;
        }
        if (hits == 0)
            fail_msg("need %d: nothing was ever found", (int)kind);
    }
    for (int i = 0; i < 2; i++) {
        store_fetcher_close(f[i]);
        buf_free(&got[i]);
    }
}

/* LIKE minds case on one engine only; GLOB, IFNULL, datetime and the like are only one's. */
static void no_statement_uses_what_differs(void **state)
{
    static const char *const words[] = {
        " LIKE ", " ILIKE ", " GLOB ",  "IFNULL", "datetime(",  "now()",        "rowid",
        " avg(",  "NULLS ",  "nextval", "pg_",    "FOR UPDATE", "group_concat", "total("};
    (void)state;
    for (int q = 0; q < QUERY_N; q++)
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            for (int e = 0; e < 2; e++)
                if (strstr(query_metas[q].sql[e], words[i]))
                    fail_msg("%s uses %s", query_metas[q].name, words[i]);
}

int same_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_statement_gives_the_same_rows, pair_make, pair_drop),
        cmocka_unit_test_setup_teardown(every_need_finds_the_same_rows, pair_make, pair_drop),
        cmocka_unit_test(no_statement_uses_what_differs),
    };
    return cmocka_run_group_tests_name("pg same", tests, NULL, NULL);
}
