// SPDX-License-Identifier: Apache-2.0
/* keep.c: the objects of the core: who owns the texts of a row, which rows changed, ids, and the
 * tables by id and by natural key.
 *
 * Texts: a row points at texts; an object copies them into one buffer of its own. The copy is
 * built in a scratch buffer first, because the row may still point into the old one.
 *
 * Invariants: 1. ids ascend strictly and follow the time, so they sort by when a thing was made;
 * 2. a natural key belongs to one object. Fails: a full table answers NULL, a full batch buffer is
 * our bug (must). */
#include "core/core_state.h"

#include <inttypes.h>
#include <stdio.h>

enum { ID_TIME_BITS = 20, TEXTS_MAX = 16 }; /* texts in a row */

int64_t core_id_next(const struct core *c, int64_t now_ms)
{
    int64_t now = now_ms > c->now ? now_ms : c->now;
    int64_t by_time = (int64_t)((uint64_t)now << ID_TIME_BITS);
    return c->last_id + 1 > by_time ? c->last_id + 1 : by_time;
}

int64_t core_id(struct core *c)
{
    c->last_id = core_id_next(c, c->now);
    return c->last_id;
}

void core_id_seen(struct core *c, int64_t id)
{
    if (id > c->last_id)
        c->last_id = id;
}

void obj_init(struct obj *o, enum row_table t, void *row)
{
    o->table = (uint8_t)t;
    o->row = row;
    buf_init(&o->texts, SIZE_MAX);
}

static const char **text_at(const struct obj *o, uint32_t i)
{
    const struct row_column *k = &row_metas[o->table].columns[i];
    return k->kind == COLUMN_TEXT ? (const char **)(void *)((char *)o->row + k->offset) : NULL;
}

void obj_own(struct core *c, struct obj *o)
{
    struct buf *b = &c->text_scratch;
    const struct row_meta *m = &row_metas[o->table];
    const char **text[TEXTS_MAX];
    uint32_t texts = 0;
    buf_reset(b);
    for (uint32_t i = 0; i < m->n; i++) {
        const char **p = text_at(o, i);
        if (!p)
            continue;
        must(texts < TEXTS_MAX);
        text[texts++] = p;
        buf_put(b, *p ? *p : "", *p ? strlen(*p) + 1 : 1);
    }
    must(!b->err);
    /* An object keeps just the bytes it needs; the scratch keeps its room. */
    struct buf own;
    buf_init(&own, SIZE_MAX);
    buf_put(&own, b->p, b->n);
    must(!own.err);
    buf_free(&o->texts);
    o->texts = own;
    const char *at = own.p;
    for (uint32_t i = 0; i < texts; i++) {
        *text[i] = at;
        at += strlen(at) + 1;
    }
}

bool obj_texts(struct core *c, struct obj *o, const struct obj_field *set, size_t n)
{
    bool changed = false;
    for (size_t i = 0; i < n; i++) {
        if (*set[i].field && strcmp(*set[i].field, set[i].value) == 0)
            continue;
        *set[i].field = set[i].value;
        changed = true;
    }
    if (changed)
        obj_own(c, o);
    return changed;
}

bool obj_text(struct core *c, struct obj *o, const char **field, const char *value)
{
    return obj_texts(c, o, &(struct obj_field){field, value}, 1);
}

void obj_dirty(struct core *c, struct obj *o)
{
    if (o->dirty)
        return;
    o->dirty = true;
    o->next_dirty = NULL;
    if (c->dirty_tail)
        c->dirty_tail->next_dirty = o;
    else
        c->dirty_head = o;
    c->dirty_tail = o;
}

void obj_clean(struct core *c, struct obj *o)
{
    if (!o->dirty)
        return;
    struct obj *before = NULL, *at = c->dirty_head;
    while (at != o) {
        before = at;
        at = at->next_dirty;
    }
    if (before)
        before->next_dirty = o->next_dirty;
    else
        c->dirty_head = o->next_dirty;
    if (c->dirty_tail == o)
        c->dirty_tail = before;
    o->dirty = false;
}

void obj_free(struct core *c, struct obj *o)
{
    obj_clean(c, o);
    buf_free(&o->texts);
}

void row_put(struct core *c, enum row_table t, enum row_op op, const void *row)
{
    row_pack(&c->rows, t, op, row);
    must(!c->rows.err);
}

void *dir_find(const struct core *c, enum row_table t, int64_t id)
{
    return map_get_ptr(&c->dir[t].ids, (uint64_t)id);
}

void *dir_find_key(const struct core *c, enum row_table t, const char *key)
{
    uint64_t at;
    if (!key[0] || !strmap_get(&c->dir[t].keys, str_from_c(key), &at))
        return NULL;
    return (void *)(uintptr_t)at;
}

bool dir_full(const struct core *c, enum row_table t)
{
    return c->dir[t].slab.live >= c->dir[t].cap;
}

void dir_trim(struct core *c, enum row_table t)
{
    slab_trim(&c->dir[t].slab);
    map_trim(&c->dir[t].ids);
    strmap_trim(&c->dir[t].keys);
}

static void key_add(struct core *c, struct obj *o)
{
    char key[DIR_KEY_SIZE];
    dir_key(o->table, o->row, key);
    if (key[0])
        must(strmap_put(&c->dir[o->table].keys, str_from_c(key), (uint64_t)(uintptr_t)o) == 0);
}

static void key_drop(struct core *c, struct obj *o)
{
    char key[DIR_KEY_SIZE];
    dir_key(o->table, o->row, key);
    if (dir_find_key(c, o->table, key) == o)
        strmap_del(&c->dir[o->table].keys, str_from_c(key));
}

void *dir_add(struct core *c, enum row_table t, const void *row)
{
    struct dir *d = &c->dir[t];
    struct slab_ref ref;
    struct obj *o = d->slab.live < d->cap ? slab_get(&d->slab, &ref) : NULL;
    if (!o)
        return NULL;
    obj_init(o, t, o + 1);
    o->ref = ref;
    memcpy(o->row, row, row_metas[t].size);
    obj_own(c, o);
    must(map_put_ptr(&d->ids, (uint64_t) * (int64_t *)o->row, o) == 0);
    key_add(c, o);
    return o;
}

void dir_drop(struct core *c, struct obj *o)
{
    struct dir *d = &c->dir[o->table];
    key_drop(c, o);
    (void)map_del(&d->ids, (uint64_t) * (int64_t *)o->row);
    obj_free(c, o);
    slab_put(&d->slab, o->ref);
}

void dir_change(struct core *c, struct obj *o, const void *row)
{
    key_drop(c, o);
    memcpy(o->row, row, row_metas[o->table].size);
    obj_own(c, o);
    key_add(c, o);
}

/* OCPP 1.6 CiString. */
static void lower(char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s | 0x20);
}

void tag_fold(const char *tag, char out[TAG_SIZE])
{
    (void)str_copy(out, TAG_SIZE, str_from_c(tag));
    lower(out);
}

static void key_of_tenant(char out[DIR_KEY_SIZE], int64_t tenant, const char *text)
{
    out[0] = 0;
    if (text[0])
        snprintf(out, DIR_KEY_SIZE, "%" PRId64 ":%s", tenant, text);
}

void dir_key(enum row_table t, const void *row, char out[DIR_KEY_SIZE])
{
    const char *plain = "";
    if (t == ROW_PERSON) {
        plain = ((const struct row_person *)row)->login;
    } else if (t == ROW_API_KEY) {
        plain = ((const struct row_api_key *)row)->key_hash;
    } else if (t == ROW_CHARGER) {
        plain = ((const struct row_charger *)row)->path;
    } else if (t == ROW_CONNECTOR) {
        plain = ((const struct row_connector *)row)->code;
    } else if (t == ROW_STATEMENT) {
        const struct row_statement *s = row;
        snprintf(out, DIR_KEY_SIZE, "%" PRId64 ":%d", s->party, (int)s->month);
        return;
    } else if (t == ROW_COMPANY_BILL) {
        const struct row_company_bill *b = row;
        snprintf(out, DIR_KEY_SIZE, "%" PRId64 ":%d", b->company, (int)b->month);
        return;
    } else if (t == ROW_COMPANY_MEMBER) {
        const struct row_company_member *m = row;
        if (m->state == ROW_DELETED)
            out[0] = 0; /* who is no member any more may become one again, of another company */
        else
            snprintf(out, DIR_KEY_SIZE, "%c%" PRId64, m->token ? 't' : 'd',
                     m->token ? m->token : m->driver);
        return;
    } else if (t == ROW_INVOICE) {
        const struct row_invoice *v = row;
        key_of_tenant(out, v->tenant, v->number);
        return;
    } else if (t == ROW_BILL) {
        const struct row_bill *b = row;
        snprintf(out, DIR_KEY_SIZE, "%" PRId64 ":%d:%d", b->channel, (int)b->day, (int)b->kind);
        return;
    } else if (t == ROW_DAY_CLOSE) {
        const struct row_day_close *d = row;
        snprintf(out, DIR_KEY_SIZE, "%" PRId64 ":%d", d->channel, (int)d->day);
        return;
    } else if (t == ROW_SETTLEMENT) {
        const struct row_settlement *s = row;
        key_of_tenant(out, s->channel, s->bank_no);
        return;
    } else if (t == ROW_TAX_MONTH) {
        const struct row_tax_month *m = row;
        snprintf(out, DIR_KEY_SIZE, "%" PRId64 ":%d", m->tenant, (int)m->month);
        return;
    } else if (t == ROW_TAX_PAID) {
        const struct row_tax_paid *p = row;
        key_of_tenant(out, p->tenant, p->number);
        return;
    } else if (t == ROW_PARTY) {
        const struct row_party *p = row;
        key_of_tenant(out, p->tenant, p->state == ROW_DELETED ? "" : p->payee_cert);
        lower(out);
        return;
    } else if (t == ROW_DRIVER) {
        const struct row_driver *d = row;
        key_of_tenant(out, d->tenant, d->phone);
        return;
    } else if (t == ROW_TOKEN) {
        const struct row_token *k = row;
        key_of_tenant(out, k->tenant, k->tag);
        lower(out);
        return;
    }
    (void)str_copy(out, DIR_KEY_SIZE, str_from_c(plain));
}

void *row_field(enum row_table t, const void *row, const char *name)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++)
        if (strcmp(m->columns[i].name, name) == 0)
            return (char *)(uintptr_t)row + m->columns[i].offset;
    return NULL;
}

struct connector *connector_of(const struct charger *ch, int64_t number)
{
    struct connector *k = ch->connectors;
    while (k && k->row.number != number)
        k = k->next;
    return k;
}

struct token *token_find(const struct core *c, int64_t tenant, const char *tag)
{
    char key[DIR_KEY_SIZE];
    dir_key(ROW_TOKEN, &(struct row_token){.tenant = tenant, .tag = tag}, key);
    return dir_find_key(c, ROW_TOKEN, key);
}

const struct zone *zone_of(const struct core *c, int64_t station)
{
    const struct station *s = station_find(c, station);
    if (!s)
        return NULL;
    if (s->zone)
        return s->zone;
    const struct tenant *t = tenant_find(c, s->row.tenant);
    return t ? t->zone : NULL;
}
