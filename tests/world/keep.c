// SPDX-License-Identifier: Apache-2.0
/* keep.c: see keep.h. Rows stay packed; they are unpacked into a scratch arena as they are needed.
 */
#include "world/keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#define ROWS_MAX (1u << 26)

void keep_init(struct keep *k)
{
    *k = (struct keep){0};
    strmap_init(&k->keys, ROWS_MAX, 11);
    arena_init(&k->scratch, 1 << 26);
}

void keep_free(struct keep *k)
{
    for (size_t i = 0; i < k->n; i++)
        free(k->rows[i].packed);
    free(k->rows);
    free(k->samples);
    strmap_free(&k->keys);
    arena_free(&k->scratch);
}

static void key_of(enum row_table t, const void *row, struct buf *key)
{
    const struct row_meta *m = &row_metas[t];
    buf_put_varint(key, t);
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *c = &m->columns[i];
        const char *at = (const char *)row + c->offset;
        if (!c->pk)
            continue;
        if (c->kind <= COLUMN_TIME)
            buf_put_zigzag(key, *(const int64_t *)(const void *)at);
        else if (c->kind <= COLUMN_BOOL)
            buf_put_zigzag(key, *(const int32_t *)(const void *)at);
        else
            buf_put_c(key, *(const char *const *)(const void *)at);
    }
}

static void row_set(struct keep_row *r, uint8_t table, struct str packed)
{
    free(r->packed);
    r->packed = malloc(packed.n);
    must(r->packed);
    memcpy(r->packed, packed.p, packed.n);
    r->n = packed.n;
    r->table = table;
}

static struct keep_row *row_add(struct keep *k)
{
    if (k->n == k->size) {
        k->size = k->size ? 2 * k->size : 1024;
        k->rows = realloc(k->rows, k->size * sizeof *k->rows);
        must(k->rows);
    }
    k->rows[k->n] = (struct keep_row){0};
    return &k->rows[k->n++];
}

static void row_commit(struct keep *k, enum row_table t, enum row_op op, const void *row,
                       struct str packed)
{
    struct buf key;
    uint64_t at;
    buf_init(&key, 4096);
    key_of(t, row, &key);
    bool known = strmap_get(&k->keys, buf_str(&key), &at);
    bool alive = known && k->rows[at].packed;
    must(!(op == ROW_INSERT && alive));
    if (op == ROW_DELETE) {
        if (alive) {
            free(k->rows[at].packed);
            k->rows[at].packed = NULL;
        }
    } else if (known) {
        row_set(&k->rows[at], (uint8_t)t, packed);
    } else {
        row_set(row_add(k), (uint8_t)t, packed);
        must(strmap_put(&k->keys, buf_str(&key), k->n - 1) == 0);
    }
    buf_free(&key);
}

void keep_commit(struct keep *k, struct str rows, struct str samples)
{
    struct cursor c = {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n};
    while (c.p < c.end) {
        const char *from = (const char *)c.p;
        enum row_table t;
        enum row_op op;
        void *row;
        must(row_unpack(&c, &k->scratch, &t, &op, &row) == 0);
        if (t != ROW_STAT_DAY) /* carries deltas; nothing here reads it */
            row_commit(k, t, op, row, str_from(from, (size_t)((const char *)c.p - from)));
        arena_reset(&k->scratch);
    }
    size_t n = samples.n / sizeof(struct sample_record);
    if (k->samples_n + n > k->samples_size) {
        k->samples_size = 2 * (k->samples_n + n);
        k->samples = realloc(k->samples, k->samples_size * sizeof *k->samples);
        must(k->samples);
    }
    if (n)
        memcpy(k->samples + k->samples_n, samples.p, samples.n);
    k->samples_n += n;
}

static void *row_at(struct keep *k, size_t i)
{
    struct cursor c = {(const uint8_t *)k->rows[i].packed,
                       (const uint8_t *)k->rows[i].packed + k->rows[i].n};
    enum row_table t;
    enum row_op op;
    void *row;
    must(row_unpack(&c, &k->scratch, &t, &op, &row) == 0);
    return row;
}

/** Calls for each live row of a table; stops when fn says so. */
typedef bool row_fn(void *ctx, const void *row);
static void rows_walk(struct keep *k, enum row_table t, row_fn *fn, void *ctx)
{
    bool more = true;
    for (size_t i = 0; more && i < k->n; i++) {
        if (!k->rows[i].packed || k->rows[i].table != t)
            continue;
        more = fn(ctx, row_at(k, i));
        arena_reset(&k->scratch);
    }
}

/* ---- loading ---- */

struct loading {
    struct core *core;
    enum row_table table;
    struct map orders, sessions; /* those that are loaded */
};

static bool in_set(const struct map *m, int64_t id)
{
    uint64_t val;
    return map_get(m, (uint64_t)id, &val);
}

static bool load_any(void *ctx, const void *row)
{
    struct loading *l = ctx;
    must(core_load(l->core, l->table, row) == 0);
    return true;
}

/* Chargers that wait, and what open orders pin: chargers with their connectors, drivers with their
 * accounts; and accounts that are no driver's. */
struct pins {
    struct core *core;
    struct map chargers, drivers;
};

static bool pin_order(void *ctx, const void *row)
{
    struct pins *p = ctx;
    const struct row_orders *o = row;
    if (o->state == ORDER_SETTLED || o->state == ORDER_START_FAILED)
        return true;
    must(map_put(&p->chargers, (uint64_t)o->charger, 1) == 0);
    must(map_put(&p->drivers, (uint64_t)o->driver, 1) == 0);
    return true;
}

static bool pin_charger(void *ctx, const void *row)
{
    struct pins *p = ctx;
    const struct row_charger *ch = row;
    if (ch->state == CHARGER_WAITING)
        must(map_put(&p->chargers, (uint64_t)ch->id, 1) == 0);
    if (in_set(&p->chargers, ch->id))
        must(core_load(p->core, ROW_CHARGER, row) == 0);
    return true;
}

static bool pin_connector(void *ctx, const void *row)
{
    struct pins *p = ctx;
    if (in_set(&p->chargers, ((const struct row_connector *)row)->charger))
        must(core_load(p->core, ROW_CONNECTOR, row) == 0);
    return true;
}

static bool pin_driver(void *ctx, const void *row)
{
    struct pins *p = ctx;
    if (in_set(&p->drivers, ((const struct row_driver *)row)->id))
        must(core_load(p->core, ROW_DRIVER, row) == 0);
    return true;
}

static bool of_driver(const struct row_account *a)
{
    return a->kind >= ACCOUNT_WALLET && a->kind <= ACCOUNT_DEBT;
}

static bool pin_account(void *ctx, const void *row)
{
    struct pins *p = ctx;
    const struct row_account *a = row;
    if (!of_driver(a) || in_set(&p->drivers, a->owner))
        must(core_load(p->core, ROW_ACCOUNT, row) == 0);
    return true;
}

static void pins_load(struct keep *k, struct core *core)
{
    struct pins p = {.core = core};
    map_init(&p.chargers, ROWS_MAX, 1);
    map_init(&p.drivers, ROWS_MAX, 1);
    rows_walk(k, ROW_ORDERS, pin_order, &p);
    rows_walk(k, ROW_CHARGER, pin_charger, &p);
    rows_walk(k, ROW_CONNECTOR, pin_connector, &p);
    rows_walk(k, ROW_DRIVER, pin_driver, &p);
    rows_walk(k, ROW_ACCOUNT, pin_account, &p);
    map_free(&p.chargers);
    map_free(&p.drivers);
}

static bool load_hold(void *ctx, const void *row)
{
    struct loading *l = ctx;
    if (((const struct row_hold *)row)->state == HOLD_OPEN)
        must(core_load(l->core, ROW_HOLD, row) == 0);
    return true;
}

static bool load_order(void *ctx, const void *row)
{
    struct loading *l = ctx;
    const struct row_orders *o = row;
    if (o->state == ORDER_SETTLED || o->state == ORDER_START_FAILED)
        return true;
    must(map_put(&l->orders, (uint64_t)o->id, 1) == 0);
    must(core_load(l->core, ROW_ORDERS, row) == 0);
    return true;
}

static bool load_session(void *ctx, const void *row)
{
    struct loading *l = ctx;
    const struct row_session *s = row;
    if (!in_set(&l->orders, s->order_id))
        return true;
    must(map_put(&l->sessions, (uint64_t)s->id, 1) == 0);
    must(core_load(l->core, ROW_SESSION, row) == 0);
    return true;
}

static bool load_piece(void *ctx, const void *row)
{
    struct loading *l = ctx;
    if (in_set(&l->sessions, ((const struct row_bill_piece *)row)->session))
        must(core_load(l->core, ROW_BILL_PIECE, row) == 0);
    return true;
}

static bool load_part(void *ctx, const void *row)
{
    struct loading *l = ctx;
    if (in_set(&l->orders, ((const struct row_split_part *)row)->order_id))
        must(core_load(l->core, ROW_SPLIT_PART, row) == 0);
    return true;
}

static bool load_command(void *ctx, const void *row)
{
    struct loading *l = ctx;
    const struct row_command *r = row;
    if (r->state == COMMAND_QUEUED || r->state == COMMAND_SENT)
        must(core_load(l->core, ROW_COMMAND, row) == 0);
    return true;
}

static bool load_payment(void *ctx, const void *row)
{
    struct loading *l = ctx;
    const struct row_payment *r = row;
    if (r->state == PAYMENT_CREATED || r->state == PAYMENT_WAITING)
        must(core_load(l->core, ROW_PAYMENT, row) == 0);
    return true;
}

static bool load_payout(void *ctx, const void *row)
{
    struct loading *l = ctx;
    const struct row_payout *r = row;
    if (r->state < PAYOUT_SETTLED || r->state > PAYOUT_CANCELLED)
        must(core_load(l->core, ROW_PAYOUT, row) == 0);
    return true;
}

static bool load_diff(void *ctx, const void *row)
{
    struct loading *l = ctx;
    if (((const struct row_bill_diff *)row)->state != DIFF_RESOLVED)
        must(core_load(l->core, ROW_BILL_DIFF, row) == 0);
    return true;
}

void keep_load(struct keep *k, struct core *core)
{
    struct loading l = {.core = core};
    map_init(&l.orders, ROWS_MAX, 1);
    map_init(&l.sessions, ROWS_MAX, 1);
    for (int t = 1; t < ROW_TABLE_N; t++) {
        l.table = (enum row_table)t;
        if (row_metas[t].kind == ROW_KIND_DIRECTORY)
            rows_walk(k, l.table, load_any, &l);
    }
    pins_load(k, core);
    rows_walk(k, ROW_HOLD, load_hold, &l);
    rows_walk(k, ROW_ORDERS, load_order, &l);
    rows_walk(k, ROW_SESSION, load_session, &l);
    rows_walk(k, ROW_BILL_PIECE, load_piece, &l);
    rows_walk(k, ROW_SPLIT_PART, load_part, &l);
    rows_walk(k, ROW_COMMAND, load_command, &l);
    rows_walk(k, ROW_PAYMENT, load_payment, &l);
    rows_walk(k, ROW_PAYOUT, load_payout, &l);
    rows_walk(k, ROW_BILL_DIFF, load_diff, &l);
    l.table = ROW_MATURING;
    rows_walk(k, ROW_MATURING, load_any, &l);
    for (size_t i = 0; i < k->samples_n; i++)
        must(core_load_sample(core, &k->samples[i]) == 0);
    map_free(&l.orders);
    map_free(&l.sessions);
}

/* ---- fetching ---- */

struct fetching {
    struct core *core;
    const struct core_need *need;
    int64_t order, session, owner;
    bool found;
};

static bool find_session(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_session *s = row;
    bool hit = f->need->kind == NEED_TX ? s->charger == f->need->a && s->tx == f->need->b
                                        : strcmp(s->tx_no, f->need->text) == 0;
    if (hit)
        f->order = s->order_id;
    return true; /* the newest wins */
}

/** Loads the one row with the primary key of `like`. */
static bool fetch_one(struct keep *k, struct core *core, enum row_table t, const void *like)
{
    struct buf key;
    uint64_t at;
    buf_init(&key, 4096);
    key_of(t, like, &key);
    bool hit = strmap_get(&k->keys, buf_str(&key), &at) && k->rows[at].packed;
    if (hit)
        must(core_load(core, t, row_at(k, at)) == 0);
    arena_reset(&k->scratch);
    buf_free(&key);
    return hit;
}

static bool fetch_session(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_session *s = row;
    if (s->order_id != f->order)
        return true;
    f->session = s->id;
    must(core_load(f->core, ROW_SESSION, row) == 0);
    return true;
}

static bool fetch_hold(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    if (((const struct row_hold *)row)->order_id == f->order)
        must(core_load(f->core, ROW_HOLD, row) == 0);
    return true;
}

static bool fetch_piece(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    if (((const struct row_bill_piece *)row)->session == f->session)
        must(core_load(f->core, ROW_BILL_PIECE, row) == 0);
    return true;
}

static bool fetch_part(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    if (((const struct row_split_part *)row)->order_id == f->order)
        must(core_load(f->core, ROW_SPLIT_PART, row) == 0);
    return true;
}

/* ---- the directory ---- */

static bool find_charger(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_charger *ch = row;
    if (strcmp(ch->path, f->need->text) == 0)
        f->owner = ch->id;
    return !f->owner;
}

static bool find_connector(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_connector *k = row;
    if (f->need->kind == NEED_CONNECTOR ? k->id == f->need->a : strcmp(k->code, f->need->text) == 0)
        f->owner = k->charger;
    return !f->owner;
}

static bool find_driver(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_driver *d = row;
    if (d->tenant == f->need->a && strcmp(d->phone, f->need->text) == 0)
        f->owner = d->id;
    return !f->owner;
}

static bool fetch_connector(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    if (((const struct row_connector *)row)->charger == f->owner)
        must(core_load(f->core, ROW_CONNECTOR, row) == 0);
    return true;
}

static bool fetch_account(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_account *a = row;
    if (of_driver(a) && a->owner == f->owner)
        must(core_load(f->core, ROW_ACCOUNT, row) == 0);
    return true;
}

static bool fetch_token(void *ctx, const void *row)
{
    struct fetching *f = ctx;
    const struct row_token *k = row;
    if (k->tenant != f->need->a || strcmp(k->folded, f->need->text) != 0)
        return true;
    f->found = true;
    must(core_load(f->core, ROW_TOKEN, row) == 0);
    return false;
}

static void fetch_charger(struct keep *k, struct fetching *f)
{
    if (f->need->kind == NEED_CHARGER)
        f->owner = f->need->a;
    else if (f->need->kind == NEED_CHARGER_PATH)
        rows_walk(k, ROW_CHARGER, find_charger, f);
    else
        rows_walk(k, ROW_CONNECTOR, find_connector, f);
    f->found =
        f->owner && fetch_one(k, f->core, ROW_CHARGER, &(struct row_charger){.id = f->owner});
    if (f->found)
        rows_walk(k, ROW_CONNECTOR, fetch_connector, f);
}

static void fetch_driver(struct keep *k, struct fetching *f)
{
    if (f->need->kind == NEED_DRIVER)
        f->owner = f->need->a;
    else
        rows_walk(k, ROW_DRIVER, find_driver, f);
    f->found = f->owner && fetch_one(k, f->core, ROW_DRIVER, &(struct row_driver){.id = f->owner});
    if (f->found)
        rows_walk(k, ROW_ACCOUNT, fetch_account, f);
}

static void fetch_directory(struct keep *k, struct fetching *f)
{
    if (f->need->kind <= NEED_CONNECTOR_CODE)
        fetch_charger(k, f);
    else if (f->need->kind <= NEED_DRIVER_PHONE)
        fetch_driver(k, f);
    else if (f->need->kind == NEED_TOKEN)
        f->found = fetch_one(k, f->core, ROW_TOKEN, &(struct row_token){.id = f->need->a});
    else
        rows_walk(k, ROW_TOKEN, fetch_token, f);
    if (!f->found)
        core_absent(f->core, f->need);
}

void keep_fetch(struct keep *k, struct core *core, const struct core_need *need)
{
    struct fetching f = {.core = core, .need = need};
    if (need->kind >= NEED_CHARGER) {
        fetch_directory(k, &f);
        return;
    }
    if (need->kind == NEED_IDEM)
        f.found = fetch_one(k, core, ROW_IDEM, &(struct row_idem){.key = need->text});
    else if (need->kind == NEED_PAYMENT)
        f.found = fetch_one(k, core, ROW_PAYMENT, &(struct row_payment){.id = need->a});
    else if (need->kind == NEED_PAYOUT)
        f.found = fetch_one(k, core, ROW_PAYOUT, &(struct row_payout){.id = need->a});
    else if (need->kind == NEED_ORDER)
        f.order = need->a;
    else
        rows_walk(k, ROW_SESSION, find_session, &f);
    if (f.order)
        f.found = fetch_one(k, core, ROW_ORDERS, &(struct row_orders){.id = f.order});
    if (f.found && f.order) {
        rows_walk(k, ROW_SESSION, fetch_session, &f);
        rows_walk(k, ROW_HOLD, fetch_hold, &f);
        rows_walk(k, ROW_BILL_PIECE, fetch_piece, &f);
        rows_walk(k, ROW_SPLIT_PART, fetch_part, &f);
    }
    if (!f.found)
        core_absent(core, need);
}
