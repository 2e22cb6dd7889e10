// SPDX-License-Identifier: Apache-2.0
/* fetch.c: point look-ups on a read-only connection of their own; see store.h. Each look-up sees
 * one snapshot. Thread: the core's. Every statement is prepared at open. */
#include "store/store_internal.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"

struct store_fetcher {
    struct db *db;
    struct db_stmt *find[SCHEMA_FIND_N];
};

int store_fetcher_open(struct store *s, struct store_fetcher **out)
{
    *out = NULL;
    struct store_fetcher *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    int rc = db_open(&(struct db_config){.path = store_db_path(s), .mode = DB_READER}, &f->db);
    for (int i = 0; i < SCHEMA_FIND_N && rc == 0; i++)
        rc = db_prepare(f->db, schema_finds[i].sql, &f->find[i]);
    if (rc) {
        rc = store_fail(f->db, rc, "open fetcher");
        store_fetcher_close(f);
        return rc;
    }
    *out = f;
    return 0;
}

void store_fetcher_close(struct store_fetcher *f)
{
    if (!f)
        return;
    for (int i = 0; i < SCHEMA_FIND_N; i++)
        db_finish(f->find[i]);
    db_close(f->db);
    free(f);
}

static int rows(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx,
                uint32_t *found)
{
    return store_rows(f->find[find], (enum row_table)schema_finds[find].table, fn, ctx, found);
}

static int order_rows(struct store_fetcher *f, int64_t order, store_row_fn *fn, void *ctx)
{
    static const enum schema_find parts[] = {FIND_HOLD_ORDER, FIND_SESSION_ORDER,
                                             FIND_BILL_PIECE_ORDER, FIND_SPLIT_PART_ORDER};
    uint32_t found;
    db_bind_i64(f->find[FIND_ORDERS_ID], 1, order);
    int rc = rows(f, FIND_ORDERS_ID, fn, ctx, &found);
    if (rc == 0 && found == 0)
        rc = ERR_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == 0; i++) {
        uint32_t any;
        db_bind_i64(f->find[parts[i]], 1, order);
        rc = rows(f, parts[i], fn, ctx, &any);
    }
    return rc;
}

/* Ends the snapshot. fn's answers and "not found" are no failures of the store. */
static int done(struct store_fetcher *f, int rc)
{
    db_rollback(f->db);
    return rc;
}

int store_fetch_order(struct store_fetcher *f, int64_t order, store_row_fn *fn, void *ctx)
{
    int rc = db_begin(f->db);
    return rc ? store_fail(f->db, rc, "fetch") : done(f, order_rows(f, order, fn, ctx));
}

static int order_take(void *ctx, enum row_table t, const void *row)
{
    const struct row_session *session = row;
    must(t == ROW_SESSION);
    *(int64_t *)ctx = session->order_id;
    return 0;
}

/* The bound look-up of a session, then everything of its order. */
static int order_of(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    int64_t order = 0;
    uint32_t found;
    int rc = db_begin(f->db);
    if (rc) {
        db_reset(f->find[find]);
        return store_fail(f->db, rc, "fetch");
    }
    rc = rows(f, find, order_take, &order, &found);
    if (rc == 0)
        rc = found ? order_rows(f, order, fn, ctx) : ERR_NOT_FOUND;
    return done(f, rc);
}

int store_fetch_tx(struct store_fetcher *f, int64_t charger, int64_t tx, store_row_fn *fn,
                   void *ctx)
{
    db_bind_i64(f->find[FIND_SESSION_TX], 1, charger);
    db_bind_i64(f->find[FIND_SESSION_TX], 2, tx);
    return order_of(f, FIND_SESSION_TX, fn, ctx);
}

int store_fetch_tx_no(struct store_fetcher *f, const char *tx_no, store_row_fn *fn, void *ctx)
{
    db_bind_text(f->find[FIND_SESSION_TX_NO], 1, str_from_c(tx_no));
    return order_of(f, FIND_SESSION_TX_NO, fn, ctx);
}

static int by_text(struct store_fetcher *f, enum schema_find find, const char *key,
                   store_row_fn *fn, void *ctx)
{
    uint32_t found;
    db_bind_text(f->find[find], 1, str_from_c(key));
    int rc = rows(f, find, fn, ctx, &found);
    return rc == 0 && found == 0 ? ERR_NOT_FOUND : rc;
}

int store_fetch_idem(struct store_fetcher *f, const char *key, store_row_fn *fn, void *ctx)
{
    return by_text(f, FIND_IDEM_KEY, key, fn, ctx);
}

int store_fetch_web_session(struct store_fetcher *f, const char *id, store_row_fn *fn, void *ctx)
{
    return by_text(f, FIND_WEB_SESSION_ID, id, fn, ctx);
}

static int by_id(struct store_fetcher *f, enum schema_find find, int64_t id, store_row_fn *fn,
                 void *ctx)
{
    uint32_t found;
    db_bind_i64(f->find[find], 1, id);
    int rc = rows(f, find, fn, ctx, &found);
    return rc == 0 && found == 0 ? ERR_NOT_FOUND : rc;
}

int store_fetch_need(struct store_fetcher *f, const struct core_need *need, store_row_fn *fn,
                     void *ctx)
{
    switch (need->kind) {
    case NEED_ORDER:
        return store_fetch_order(f, need->a, fn, ctx);
    case NEED_TX:
        return store_fetch_tx(f, need->a, need->b, fn, ctx);
    case NEED_TX_NO:
        return store_fetch_tx_no(f, need->text, fn, ctx);
    case NEED_IDEM:
        return store_fetch_idem(f, need->text, fn, ctx);
    case NEED_PAYMENT:
        return by_id(f, FIND_PAYMENT_ID, need->a, fn, ctx);
    case NEED_PAYOUT:
        return by_id(f, FIND_PAYOUT_ID, need->a, fn, ctx);
    default:
        must_fail(__FILE__, __LINE__, "unknown need");
    }
}
