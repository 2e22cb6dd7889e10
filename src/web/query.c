// SPDX-License-Identifier: Apache-2.0
/* query.c: named queries for handlers. Parameters are bound by name from the request, columns go by
 * name into the structs of the API's types or into whole rows of a table, so most lists need no
 * code of their own.
 *
 * Data: none; rows live in the request's arena.
 *
 * Invariants:
 *  1. Tenant, scope, actor and party come from the log-in and never from the request's text.
 *  2. A parameter that nobody supplies is our bug (must).
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/must.h"
#include "base/zone.h"
#include "io/os/clock.h"
#include "web/begin.h"
#include "web/routes_gen.h"
#include "web/api_gen.h"
#include "web/state.h"

enum { READER_WAIT_MS = 5000, ROWS_FIRST = 16, PARAMS_MAX = 24 };

int req_reader(struct request *r)
{
    if (r->reader == NULL)
        r->reader = os_pool_take(r->web->readers, READER_WAIT_MS);
    if (r->reader == NULL)
        return ERR_AGAIN;
    if (!r->snapshot) {
        int err = store_reader_begin(r->reader);

        if (err != 0)
            return err;
        r->snapshot = true;
    }
    return 0;
}

void req_snapshot_end(struct request *r)
{
    if (r->snapshot)
        store_reader_end(r->reader);
    r->snapshot = false;
}

void req_today(struct request *r, int64_t *today_ms, int64_t *month_ms, int64_t *yyyymmdd)
{
    const struct zone *zone = web_zone_get(r->web, r->actor.zone);
    struct civil c;

    zone_civil(zone, os_now_ms(), &c);
    *yyyymmdd = c.year * 10000 + c.month * 100 + c.day;
    c.hour = c.minute = c.second = 0;
    c.ms = 0;
    *today_ms = zone_instant(zone, &c);
    c.day = 1;
    *month_ms = zone_instant(zone, &c);
}

void req_month(const struct request *r, int64_t month, int64_t *from_ms, int64_t *to_ms)
{
    const struct zone *zone = web_zone_get(r->web, r->actor.zone);
    struct civil c = {.year = (int32_t)(month / 100), .month = (int8_t)(month % 100), .day = 1};

    *from_ms = zone_instant(zone, &c);
    month = civil_month_next(month);
    c.year = (int32_t)(month / 100);
    c.month = (int8_t)(month % 100);
    *to_ms = zone_instant(zone, &c);
}

static bool bind_time(struct request *r, const char *name, struct sql_value *v)
{
    int64_t today, month, day;

    if (strcmp(name, "now_ms") == 0) {
        *v = SQL_I64(os_now_ms());
        return true;
    }
    if (strcmp(name, "today") != 0 && strcmp(name, "today_ms") != 0 &&
        strcmp(name, "month_ms") != 0)
        return false;
    req_today(r, &today, &month, &day);
    *v = SQL_I64(strcmp(name, "today") == 0 ? day : strcmp(name, "today_ms") == 0 ? today : month);
    return true;
}

static bool bind_scope(const struct request *r, const char *name, struct sql_value *v)
{
    const struct actor *a = &r->actor;
    const struct {
        const char *name;
        int64_t v;
    } scope[] = {{"tenant", a->tenant},   {"scope", a->station},
                 {"actor", a->id},        {"party", a->party},
                 {"id", r->id},           {"after", r->after[0] != 0 ? r->after[0] : INT64_MAX},
                 {"after2", r->after[1]}, {"after3", r->after[2]},
                 {"lim", r->limit + 1},   {"clear", (PERM_DRIVER_WRITE >> a->role) & 1}};

    for (size_t i = 0; i < ARRAY_LEN(scope); i++)
        if (strcmp(name, scope[i].name) == 0) {
            *v = SQL_I64(scope[i].v);
            return true;
        }
    return false;
}

/* Arguments of the query string; one that is not there is 0, or -1 for an int (0 is a value of many
 * enums). */
static bool bind_arg(const struct request *r, const char *name, struct sql_value *v)
{
    const struct route *route = r->route;

    for (int i = 0; route != NULL && i < route->args_n; i++) {
        struct str text;

        if (strcmp(name, route->args[i].name) != 0)
            continue;
        text = req_arg(r, name);
        if (route->args[i].kind == ARG_TEXT)
            *v = SQL_TEXT(text);
        else
            *v = SQL_I64(text.n == 0 && route->args[i].kind == ARG_INT ? -1 : req_arg_i64(r, name));
        return true;
    }
    return false;
}

int req_query(struct request *r, enum query q, const struct bind *extra, size_t n, query_row_fn *fn,
              void *ctx)
{
    const struct query_meta *m = &query_metas[q];
    struct sql_value v[PARAMS_MAX];
    int err = req_reader(r);

    must(m->params_n <= PARAMS_MAX);
    for (uint32_t i = 0; err == 0 && i < m->params_n; i++) {
        const char *name = m->params[i].name;
        bool found = false;

        for (size_t k = 0; k < n && !found; k++)
            if (strcmp(extra[k].name, name) == 0) {
                v[i] = extra[k].v;
                found = true;
            }
        found = found || bind_scope(r, name, &v[i]) || bind_time(r, name, &v[i]) ||
                bind_arg(r, name, &v[i]);
        must(found);
    }
    return err != 0 ? err : store_query(r->reader, q, v, m->params_n, fn, ctx);
}

static int number_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(int64_t *)ctx = v[0].i;
    return 0;
}

int req_number(struct request *r, enum query q, const struct bind *extra, size_t n, int64_t *out)
{
    return req_query(r, q, extra, n, number_take, out);
}

static const struct wire_field *field_find(const struct wire_type *t, const char *name)
{
    for (uint16_t i = 0; i < t->n; i++)
        if (strcmp(t->field[i].name, name) == 0)
            return &t->field[i];
    return NULL;
}

static int field_put(struct request *r, const struct wire_field *f, char *obj,
                     const struct sql_value *v)
{
    char *at = obj + f->offset;

    if (f->has != 0)
        *(bool *)(void *)(obj + f->has) = true;
    switch (f->kind) {
    case WIRE_TEXT:
        *(struct str *)(void *)at = req_copy(r, v->s);
        return ((struct str *)(void *)at)->n == v->s.n ? 0 : ERR_TOO_LARGE;
    case WIRE_BOOL:
        *(bool *)(void *)at = v->i != 0;
        return 0;
    case WIRE_MONEY:
        *(struct money *)(void *)at = MONEY(v->i);
        return 0;
    default:
        *(int64_t *)(void *)at = v->i;
        return 0;
    }
}

struct fill {
    struct request *r;
    const struct query_meta *m;
    struct rows *rows;
    const struct wire_field *field[QUERY_COLUMNS_MAX];
};

void *rows_add(struct request *r, struct rows *rows)
{
    size_t size = rows->type->size;

    if (rows->n == rows->size) {
        uint32_t more = rows->size == 0 ? ROWS_FIRST : rows->size * 2;
        char *p = arena_array(&r->arena, more, size);

        if (p == NULL)
            return NULL;
        if (rows->n > 0)
            memcpy(p, rows->p, rows->n * size);
        rows->p = p;
        rows->size = more;
    }
    return rows->p + rows->n++ * size;
}

/* Columns that no field has are the cursor's parts: cursor, cursor2, cursor3. */
static size_t cursor_part(const char *name)
{
    return name[6] == '2' ? 1 : name[6] == '3' ? 2 : 0;
}

static int row_fill(void *ctx, const struct sql_value *v, size_t n)
{
    struct fill *f = ctx;
    struct rows *rows = f->rows;
    char *obj;
    int err = 0;

    if (rows->max != 0 && rows->n == rows->max) {
        rows->more = true;
        return 1;
    }
    obj = rows_add(f->r, rows);
    if (obj == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; err == 0 && i < n; i++) {
        const char *name = f->m->columns[i].name;

        if (f->field[i] == NULL)
            rows->next[cursor_part(name)] = v[i].i;
        else if (strcmp(name, "id") == 0)
            rows->next[0] = v[i].i;
        if (f->field[i] != NULL && strcmp(name, "cause") == 0) /* told as in the log */
            *(struct str *)(void *)(obj + f->field[i]->offset) =
                begin_cause_of(&f->r->arena, (uint64_t)v[i].i);
        else if (f->field[i] != NULL)
            err = field_put(f->r, f->field[i], obj, &v[i]);
    }
    return err;
}

int req_rows(struct request *r, enum query q, const struct bind *extra, size_t n, struct rows *out)
{
    struct fill f = {.r = r, .m = &query_metas[q], .rows = out};
    int err;

    must(f.m->columns_n <= QUERY_COLUMNS_MAX);
    for (uint32_t i = 0; i < f.m->columns_n; i++) {
        f.field[i] = field_find(out->type, f.m->columns[i].name);
        must(f.field[i] != NULL || strncmp(f.m->columns[i].name, "cursor", 6) == 0);
    }
    err = req_query(r, q, extra, n, row_fill, &f);
    return err == 1 ? 0 : err;
}

int req_one(struct request *r, enum query q, const struct bind *extra, size_t n,
            const struct wire_type *t, void *obj)
{
    struct rows rows = {.type = t};
    int err = req_rows(r, q, extra, n, &rows);

    if (err == 0 && rows.n == 0)
        err = ERR_NOT_FOUND;
    if (err == 0)
        memcpy(obj, rows.p, t->size);
    return err;
}

struct row_fill_ctx {
    struct request *r;
    const struct query_meta *q;
    const struct row_meta *t;
    char *row;
};

static int table_row_fill(void *ctx, const struct sql_value *v, size_t n)
{
    struct row_fill_ctx *f = ctx;

    for (uint32_t c = 0; c < f->t->n; c++) {
        const struct row_column *col = &f->t->columns[c];
        char *at = f->row + col->offset;
        size_t i = 0;

        while (i < n && strcmp(f->q->columns[i].name, col->name) != 0)
            i++;
        if (i == n)
            continue; /* the core's own: it keeps what it has */
        if (col->kind == COLUMN_TEXT)
            *(const char **)(void *)at = req_copy_c(f->r, v[i].s);
        else if (col->kind == COLUMN_BLOB)
            *(struct str *)(void *)at = req_copy(f->r, v[i].s);
        else if (col->kind == COLUMN_INT || col->kind == COLUMN_BOOL)
            *(int32_t *)(void *)at = (int32_t)v[i].i;
        else
            *(int64_t *)(void *)at = v[i].i;
    }
    return 0;
}

int req_table_row(struct request *r, enum query q, enum row_table t, int64_t id, void *row)
{
    struct row_fill_ctx f = {r, &query_metas[q], &row_metas[t], row};
    struct bind extra = BIND_I64("id", id);

    return req_query(r, q, &extra, 1, table_row_fill, &f);
}

/* An order in progress shows what the last reading said. */
static void order_live(struct web *w, struct api_OrderRow *o)
{
    const struct live *l = replica_order(&w->replica, o->id);

    if (l != NULL && l->energy_mwh > o->energy_mwh && o->state < ORDER_ENDED)
        o->energy_mwh = l->energy_mwh;
}

static void rows_live(struct request *r, struct rows *rows)
{
    if (rows->type != &api_OrderRow_type)
        return;
    web_lock(r->web);
    for (uint32_t i = 0; i < rows->n; i++)
        order_live(r->web, (struct api_OrderRow *)(void *)rows->p + i);
    web_unlock(r->web);
}

/* A call carries cards, keys of chargers, passwords of files; its answer may, too. Who may not call
 * sees that it was made, and how it ended. */
static void calls_cover(const struct request *r, struct rows *rows)
{
    if (rows->type != &api_CommandRow_type || auth_has(r, PERM_CHARGER_CALL, "charger.call"))
        return;
    for (uint32_t i = 0; i < rows->n; i++) {
        struct api_CommandRow *c = (struct api_CommandRow *)(void *)rows->p + i;

        c->payload = c->result = STR_LIT("");
    }
}

int req_page(struct request *r, const struct rows *rows)
{
    const int64_t *at = rows->next;
    struct str next = STR_LIT("");

    if (rows->more && (at[1] != 0 || at[2] != 0))
        next = arena_printf(&r->arena, "%lld.%lld.%lld", (long long)at[0], (long long)at[1],
                            (long long)at[2]);
    else if (rows->more)
        next = arena_printf(&r->arena, "%lld", (long long)at[0]);
    return req_list(r, rows->type, rows->p, rows->n, next);
}

int req_query_route(struct request *r)
{
    return req_query_answer(r, (enum query)r->route->query, NULL, 0);
}

int req_query_answer(struct request *r, enum query q, const struct bind *extra, size_t n)
{
    const struct route *route = r->route;
    bool page = (route->flags & ROUTE_PAGE) != 0;
    struct rows rows = {.type = route->out, .max = page ? (uint32_t)r->limit : 0};
    int err = req_rows(r, q, extra, n, &rows);

    if (err != 0)
        return err;
    rows_live(r, &rows);
    calls_cover(r, &rows);
    if (!(route->flags & ROUTE_LIST)) {
        const struct wire_field *version = field_find(route->out, "version");

        if (rows.n == 0)
            return ERR_NOT_FOUND;
        if (version != NULL)
            req_etag(r, *(int64_t *)(void *)(rows.p + version->offset));
        return req_json(r, route->out, rows.p);
    }
    return req_page(r, &rows);
}
