// SPDX-License-Identifier: Apache-2.0
/* check_run.c: a run of `even check`: its connections, threads and halves.
 *
 *   storage   the engine looks through its own structures
 *   journal   accounts along the transfers, what follows from the order of those: chain, lots, statements
 *   orders    orders with all that hangs on them, and rules that are a statement or two
 *   and then  what compares the sums of both
 *
 * Each of the first three takes minutes where the file is large: then storage and orders get a thread and
 * a connection each, of the same snapshot as the journal's. Where that cannot be had, and in a small
 * file, one follows the other on one connection. Violations are printed by half, so that a file says the
 * same whichever way it was done.
 *
 * Data: what both halves share (check.h). Invariants: 1. the accounts are there before a half begins; 2. a
 * half looks at nothing that the other one changes. Fails: an error of the file or of memory ends the
 * run, when both halves are over. */
#include "store/check.h"

#include <stdlib.h>
#include "base/err.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "store/migrate.h"
#include "store/store_internal.h"

enum { CACHE_BYTES = 128 << 20, LARGE = 64 << 20, ACCOUNTS_CAP = 50000000 };

typedef int check_part_fn(struct check *c);

static int parts_run(struct check *c, check_part_fn *const *parts, size_t n)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = parts[i](c);
    return rc;
}

/* ---- storage ---- */

struct storage {
    const char *path;
    struct os_thread *thread;
    struct buf words; /* complaints, each with its NUL */
    int rc;
};

static void storage_bad(void *ctx, const char *text)
{
    struct storage *s = ctx;
    buf_put(&s->words, text, strlen(text) + 1);
}

static void storage_check(void *arg)
{
    struct storage *s = arg;
    struct db *db = NULL;
    const struct db_config config = {
        .path = s->path, .mode = DB_READER, .cache_bytes = CACHE_BYTES};
    s->rc = db_open(&config, &db);
    if (s->rc == 0)
        s->rc = db_verify(db, storage_bad, s);
    db_close(db);
}

static int storage_begin(struct storage *s, bool large)
{
    buf_init(&s->words, 1 << 20);
    if (large)
        return os_thread_start("storage", storage_check, s, &s->thread);
    storage_check(s);
    return 0;
}

static int storage_end(struct check *c, struct storage *s)
{
    os_thread_join(s->thread);
    for (size_t i = 0; i < s->words.n; i += strlen(s->words.p + i) + 1)
        check_bad(c, "storage", 0, "%s", s->words.p + i);
    buf_free(&s->words);
    return s->rc == ERR_CORRUPT ? 0 : s->rc;
}

/* ---- halves ---- */

static void half_init(struct check *c, struct check_shared *s)
{
    c->shared = s;
    map_init(&c->gifts, ACCOUNTS_CAP, 0xc4ec8);
    buf_init(&c->splits, SIZE_MAX);
    buf_init(&c->found.seen, SIZE_MAX);
    strmap_init(&c->split_ids, ACCOUNTS_CAP, 0xc4ec7);
}

static void half_free(struct check *c)
{
    check_chain_free(c);
    check_lot_free(c);
    check_statement_free(c);
    check_shares_free(c);
    map_free(&c->gifts);
    strmap_free(&c->split_ids);
    buf_free(&c->splits);
}

static void shared_init(struct check_shared *s)
{
    buf_init(&s->accounts, (size_t)ACCOUNTS_CAP * sizeof(struct check_account));
    map_init(&s->by_id, ACCOUNTS_CAP, 0xc4ec4);
    map_init(&s->pending, ACCOUNTS_CAP, 0xc4ec5);
    map_init(&s->transit, ACCOUNTS_CAP, 0xc4ec6);
    map_init(&s->got, ACCOUNTS_CAP, 0xc4ec9);
    map_init(&s->months, ACCOUNTS_CAP, 0xc4eca);
}

static void shared_free(struct check_shared *s)
{
    buf_free(&s->accounts);
    map_free(&s->by_id);
    map_free(&s->pending);
    map_free(&s->transit);
    map_free(&s->got);
    map_free(&s->months);
}

/* The half of the orders. */
struct orders {
    struct check c;
    struct store_reader *own; /* NULL: it reads by the other half's, after it */
    struct os_thread *thread;
    char *text; /* what it prints */
    size_t text_n;
    int rc;
};

static void orders_run(void *arg)
{
    static check_part_fn *const parts[] = {
        check_orders,    check_splits,   check_days,     check_occupancy,
        check_discharge, check_parallel, check_invoices, check_tax,
        check_months,    check_second,   check_shares,   check_pay_files,
    };
    struct orders *o = arg;
    o->rc = parts_run(&o->c, parts, ARRAY_LEN(parts));
}

/* One snapshot for both halves, or one connection. */
static int snapshot_take(const char *path, bool large, struct check *c, struct orders *o)
{
    int rc = large ? store_reader_open_wide(path, CACHE_BYTES, &o->own) : 0;
    if (rc == 0 && o->own) {
        rc = store_readers_begin(c->r, o->own);
        if (rc == ERR_AGAIN || rc == ERR_UNSUPPORTED) {
            store_reader_close(o->own);
            o->own = NULL;
            rc = 0;
        }
    }
    if (rc == 0 && !o->own)
        rc = store_reader_begin(c->r);
    o->c.r = o->own ? o->own : c->r;
    return rc;
}

static void snapshot_leave(struct check *c, struct orders *o)
{
    store_reader_end(c->r);
    if (o->own)
        store_reader_end(o->own);
}

static int orders_begin(struct orders *o)
{
    o->c.out = open_memstream(&o->text, &o->text_n);
    if (!o->c.out)
        return ERR_NOMEM;
    return o->own ? os_thread_start("orders", orders_run, o, &o->thread) : 0;
}

static int orders_end(struct check *c, struct orders *o)
{
    if (o->own)
        os_thread_join(o->thread);
    else
        orders_run(o);
    c->bad += o->c.bad;
    c->orders = o->c.orders;
    if (fclose(o->c.out) != 0 && o->rc == 0)
        o->rc = ERR_NOMEM;
    if (o->text)
        fputs(o->text, c->out); /* also what was found before an error */
    free(o->text);
    return o->rc;
}

/* ---- all of it ---- */

static int halves_run(struct check *c, struct orders *o)
{
    static check_part_fn *const journal[] = {check_ledger, check_lot_end, check_statements};
    static check_part_fn *const both[] = {check_purse, check_wallet, check_companies, check_recon};
    int rc = check_accounts(c), over;
    if (rc == 0)
        rc = orders_begin(o);
    if (rc)
        return rc;
    rc = parts_run(c, journal, ARRAY_LEN(journal));
    over = orders_end(c, o);
    rc = rc ? rc : over;
    return rc ? rc : parts_run(c, both, ARRAY_LEN(both));
}

static int all_run(const char *path, bool large, struct check *c, struct orders *o)
{
    struct storage storage = {.path = path};
    int rc = storage_begin(&storage, large), broken;
    if (rc == 0)
        rc = halves_run(c, o);
    broken = storage_end(c, &storage);
    fprintf(c->out, "%llu accounts, %llu transfers, %llu holds, %llu orders: %llu violations\n",
            (unsigned long long)(c->shared->accounts.n / sizeof(struct check_account)),
            (unsigned long long)c->transfers, (unsigned long long)c->holds,
            (unsigned long long)c->orders, (unsigned long long)c->bad);
    return rc ? rc : broken;
}

static bool is_large(const char *path)
{
    int64_t size = 0;
    return !db_is_server(path) && file_size(path, &size) == 0 && size >= LARGE;
}

int store_check_against(const char *path, const struct store_witness *witness, FILE *out)
{
    struct check_shared shared;
    struct check c = {.out = out};
    struct orders orders = {0};
    bool large = is_large(path);
    int rc = store_reader_open_wide(path, CACHE_BYTES, &c.r);
    if (rc)
        return rc;
    struct db *db = store_reader_db(c.r);
    shared_init(&shared);
    half_init(&c, &shared);
    half_init(&orders.c, &shared);
    rc = check_chain_witness(&c, witness);
    if (rc == 0) /* what a newer file says is not for us to judge */
        rc = migrate_fits(db, schema_ddl[db_dialect(db)], schema_migrations);
    if (rc == 0)
        rc = snapshot_take(path, large, &c, &orders);
    bool begun = rc == 0;
    if (begun)
        rc = all_run(path, large, &c, &orders);
    half_free(&c); /* with its walks, which end before the snapshot does */
    half_free(&orders.c);
    if (begun)
        snapshot_leave(&c, &orders);
    shared_free(&shared);
    store_reader_close(orders.own);
    store_reader_close(c.r);
    return rc ? rc : c.bad != 0;
}

int store_check(const char *path, FILE *out)
{
    return store_check_against(path, NULL, out);
}
