// SPDX-License-Identifier: Apache-2.0
/* fetch.c: point look-ups on a read-only connection of their own; see store.h. Each look-up sees
 * one snapshot; while it is shared, several on end see the same one. Thread: the core's. Every
 * statement is prepared at open. */
#include "store/store_internal.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"

/* Enough for a turn's look-ups: the next commit of the writer makes the whole cache void. */
enum { CACHE_BYTES = 512 << 10 };

struct store_fetcher {
    struct db *db;
    struct db_stmt *find[SCHEMA_FIND_N];
    bool shared, open; /* shared: a snapshot stays open after its look-up */
};

int store_fetcher_open(struct store *s, struct store_fetcher **out)
{
    *out = NULL;
    struct store_fetcher *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    struct db_config config = {
        .path = store_db_path(s), .mode = DB_READER, .cache_bytes = CACHE_BYTES};
    int rc = db_open(&config, &f->db);
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

static int snapshot_begin(struct store_fetcher *f)
{
    int rc = f->open ? 0 : db_begin(f->db);
    f->open = rc == 0;
    return rc;
}

static void snapshot_end(struct store_fetcher *f)
{
    db_rollback(f->db);
    f->open = false;
}

void store_fetcher_share(struct store_fetcher *f, bool on)
{
    f->shared = on;
    if (!on && f->open)
        snapshot_end(f);
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

void store_fetcher_shrink(struct store_fetcher *f)
{
    db_shrink(f->db);
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

/* Ends the snapshot, unless it is shared. fn's answers and "not found" are no failures of the store. */
static int done(struct store_fetcher *f, int rc)
{
    if (!f->shared)
        snapshot_end(f);
    return rc;
}

int store_fetch_order(struct store_fetcher *f, int64_t order, store_row_fn *fn, void *ctx)
{
    int rc = snapshot_begin(f);
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
    int rc = snapshot_begin(f);
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

/* ---- chargers with their connectors, drivers with their accounts ---- */

/* Hands a row on and keeps what the rest of the look-up goes by. */
struct taken {
    store_row_fn *fn; /* NULL: the row itself is not wanted */
    void *ctx;
    int64_t id, tenant;
};

static int owner_take(void *ctx, enum row_table t, const void *row)
{
    struct taken *k = ctx;
    if (t == ROW_CONNECTOR) {
        k->id = ((const struct row_connector *)row)->charger;
    } else if (t == ROW_CHARGER) {
        k->id = ((const struct row_charger *)row)->id;
    } else {
        must(t == ROW_DRIVER);
        k->id = ((const struct row_driver *)row)->id;
        k->tenant = ((const struct row_driver *)row)->tenant;
    }
    return k->fn ? k->fn(k->ctx, t, row) : 0;
}

/* The bound look-up of one row; ERR_NOT_FOUND. */
static int owner_row(struct store_fetcher *f, enum schema_find find, struct taken *k)
{
    uint32_t found;
    int rc = rows(f, find, owner_take, k, &found);
    return rc == 0 && found == 0 ? ERR_NOT_FOUND : rc;
}

static int charger_rows(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    uint32_t found;
    struct taken k = {.fn = fn, .ctx = ctx};
    int rc = owner_row(f, find, &k);
    if (rc)
        return rc;
    db_bind_i64(f->find[FIND_CONNECTOR_CHARGER], 1, k.id);
    return rows(f, FIND_CONNECTOR_CHARGER, fn, ctx, &found);
}

/* The charger of the connector that is looked up. */
static int charger_of(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    struct taken k = {0};
    int rc = owner_row(f, find, &k);
    if (rc)
        return rc;
    db_bind_i64(f->find[FIND_CHARGER_ID], 1, k.id);
    return charger_rows(f, FIND_CHARGER_ID, fn, ctx);
}

struct stays {
    int64_t charger[8];
    size_t n;
};

static int stay_take(void *ctx, enum row_table t, const void *row)
{
    struct stays *s = ctx;
    must(t == ROW_CONNECTOR && s->n < ARRAY_LEN(s->charger));
    s->charger[s->n++] = ((const struct row_connector *)row)->charger;
    return 0;
}

/* The chargers of the connectors that are looked up. */
static int stay_rows(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    struct stays s = {0};
    uint32_t found;
    int rc = rows(f, find, stay_take, &s, &found);
    for (size_t i = 0; i < s.n && rc == 0; i++) {
        db_bind_i64(f->find[FIND_CHARGER_ID], 1, s.charger[i]);
        rc = charger_rows(f, FIND_CHARGER_ID, fn, ctx);
    }
    return rc == 0 && found == 0 ? ERR_NOT_FOUND : rc;
}

static int driver_rows(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    uint32_t found;
    struct taken k = {.fn = fn, .ctx = ctx};
    int rc = owner_row(f, find, &k);
    if (rc)
        return rc;
    db_bind_i64(f->find[FIND_ACCOUNT_DRIVER], 1, k.tenant);
    db_bind_i64(f->find[FIND_ACCOUNT_DRIVER], 2, k.id);
    return rows(f, FIND_ACCOUNT_DRIVER, fn, ctx, &found);
}

static int plain_rows(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    uint32_t found;
    int rc = rows(f, find, fn, ctx, &found);
    return rc == 0 && found == 0 ? ERR_NOT_FOUND : rc;
}

static int invoice_take(void *ctx, enum row_table t, const void *row)
{
    struct taken *k = ctx;
    must(t == ROW_INVOICE);
    k->id = ((const struct row_invoice *)row)->id;
    return k->fn(k->ctx, t, row);
}

/* An invoice with its lines and orders. */
static int invoice_rows(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx)
{
    static const enum schema_find parts[] = {FIND_INVOICE_LINE_INVOICE, FIND_INVOICE_ORDER_INVOICE};
    struct taken k = {.fn = fn, .ctx = ctx};
    uint32_t found;
    int rc = rows(f, find, invoice_take, &k, &found);
    if (rc == 0 && found == 0)
        rc = ERR_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == 0; i++) {
        db_bind_i64(f->find[parts[i]], 1, k.id);
        rc = rows(f, parts[i], fn, ctx, &found);
    }
    return rc;
}

/* What the other needs are looked up by: a number, a text, or a number and a text. */
static const struct lookup {
    enum schema_find find;
    bool number, text;
    int (*rows)(struct store_fetcher *f, enum schema_find find, store_row_fn *fn, void *ctx);
} lookups[NEED_N] = {
    [NEED_PAPER] = {FIND_PAYOUT_PAPER, true, true, plain_rows},
    [NEED_GIFTS] = {FIND_PAYMENT_GIFTS, true, false, plain_rows},
    [NEED_UNTIL] = {FIND_PAYMENT_UNTIL, true, false, plain_rows},
    [NEED_SHARES] = {FIND_PAYOUT_SHARES, true, false, plain_rows},
    [NEED_CHARGER] = {FIND_CHARGER_ID, true, false, charger_rows},
    [NEED_CHARGER_PATH] = {FIND_CHARGER_PATH, false, true, charger_rows},
    [NEED_CONNECTOR] = {FIND_CONNECTOR_ID, true, false, charger_of},
    [NEED_CONNECTOR_CODE] = {FIND_CONNECTOR_CODE, false, true, charger_of},
    [NEED_DRIVER] = {FIND_DRIVER_ID, true, false, driver_rows},
    [NEED_DRIVER_PHONE] = {FIND_DRIVER_PHONE, true, true, driver_rows},
    [NEED_TOKEN] = {FIND_TOKEN_ID, true, false, plain_rows},
    [NEED_TOKEN_TAG] = {FIND_TOKEN_TAG, true, true, plain_rows},
    [NEED_INVOICE] = {FIND_INVOICE_ID, true, false, invoice_rows},
    [NEED_INVOICE_NUMBER] = {FIND_INVOICE_NUMBER, true, true, invoice_rows},
    [NEED_STAYS] = {FIND_CONNECTOR_STAYS, true, false, stay_rows},
};

static int lookup_rows(struct store_fetcher *f, const struct core_need *need, store_row_fn *fn,
                       void *ctx)
{
    must(need->kind > 0 && need->kind < NEED_N && lookups[need->kind].rows);
    const struct lookup *l = &lookups[need->kind];
    int rc = snapshot_begin(f);
    if (rc)
        return store_fail(f->db, rc, "fetch");
    if (l->number)
        db_bind_i64(f->find[l->find], 1, need->a);
    if (l->text)
        db_bind_text(f->find[l->find], l->number ? 2 : 1, str_from_c(need->text));
    return done(f, l->rows(f, l->find, fn, ctx));
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
        return lookup_rows(f, need, fn, ctx);
    }
}
