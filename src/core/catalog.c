// SPDX-License-Identifier: Apache-2.0
/* catalog.c: tariff versions, which one is in force, and the price model of piles that hold their
 * prices themselves (云快充). Contract versions, which live by the same rules, are in contract.c.
 *
 * Versions are immutable and never leave memory: orders name them. A family's id is that of its first
 * version. A new version starts after the newest one that exists, so the order of versions is the
 * order of time.
 *
 * At the start the rows of a version come one by one; they are gathered and built together by
 * catalog_build. Fails: ERR_CORRUPT when stored rows do not build. */
#include "core/discharge.h"

/* ---- tariffs ---- */

const struct tariff *tariff_find(const struct core *c, int64_t version)
{
    const struct tariff_node *n = map_get_ptr(&c->tariffs, (uint64_t)version);
    return n ? n->t : NULL;
}

const struct tariff *tariff_in_force(const struct core *c, int64_t family, int64_t ms)
{
    const struct tariff_node *n = map_get_ptr(&c->tariff_families, (uint64_t)family);
    while (n && n->t->from_ms > ms)
        n = n->next;
    return n ? n->t : NULL;
}

static int tariff_add(struct core *c, struct tariff *t)
{
    struct tariff_node *n = ARENA_NEW(&c->arena, struct tariff_node);
    if (!n)
        return ERR_NOMEM;
    n->t = t;
    struct tariff_node *head = map_get_ptr(&c->tariff_families, (uint64_t)t->family);
    struct tariff_node **at = &head;
    while (*at && (*at)->t->from_ms > t->from_ms)
        at = &(*at)->next;
    n->next = *at;
    *at = n;
    int rc = map_put_ptr(&c->tariff_families, (uint64_t)t->family, head);
    return rc ? rc : map_put_ptr(&c->tariffs, (uint64_t)t->id, n);
}

static void tariff_rows(const struct cmd_tariff_put *in, int64_t id, struct row_tariff_day *days,
                        struct row_tariff_slice *slices)
{
    for (int32_t i = 0; i < in->days; i++)
        days[i] = (struct row_tariff_day){.tariff = id,
                                          .seq = i,
                                          .first_mmdd = in->day[i].first_mmdd,
                                          .last_mmdd = in->day[i].last_mmdd,
                                          .weekdays = in->day[i].weekdays,
                                          .plan = in->day[i].plan};
    for (int32_t i = 0; i < in->slices; i++)
        slices[i] = (struct row_tariff_slice){.tariff = id,
                                              .plan = in->slice[i].plan,
                                              .from_min = in->slice[i].from_min,
                                              .label = in->slice[i].label,
                                              .elec_e5 = in->slice[i].elec_e5,
                                              .service_e5 = in->slice[i].service_e5};
}

static int tariff_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_tariff_put *in = &cmd->u.tariff_put;
    if (!tenant_find(c, cmd->head.tenant) || cmd->head.station)
        return ERR_NOT_FOUND;
    if (!in->name[0])
        return ERR_REQUIRED;
    if (in->days < 1 || in->days > TARIFF_DAYS_MAX || in->slices < 1 ||
        in->slices > TARIFF_SLICES_MAX || in->from_ms < 0)
        return ERR_RANGE;
    const struct tariff_node *n = map_get_ptr(&c->tariff_families, (uint64_t)in->family);
    if (in->family && (!n || n->t->tenant != cmd->head.tenant))
        return ERR_NOT_FOUND;
    return n && in->from_ms <= n->t->from_ms ? ERR_CONFLICT : 0;
}

int catalog_put_tariff(struct core *c, const struct cmd *cmd)
{
    const struct cmd_tariff_put *in = &cmd->u.tariff_put;
    int rc = tariff_check(c, cmd);
    if (rc)
        return rc;
    struct row_tariff_day *days = ARENA_ARRAY(&c->scratch, (size_t)in->days, struct row_tariff_day);
    struct row_tariff_slice *slices =
        ARENA_ARRAY(&c->scratch, (size_t)in->slices, struct row_tariff_slice);
    must(days && slices); /* bounded above */
    struct row_tariff row = {.id = core_id(c),
                             .tenant = cmd->head.tenant,
                             .name = in->name,
                             .from_ms = in->from_ms,
                             .created_ms = c->now};
    row.family = in->family ? in->family : row.id;
    tariff_rows(in, row.id, days, slices);
    /* Built once in the scratch: what is refused leaves nothing in the core's arena. */
    struct tariff *t;
    rc = tariff_build(&c->scratch, &row, days, (size_t)in->days, slices, (size_t)in->slices, &t);
    if (!rc && discharge_service(t) && discharge_family_used(c, in->family))
        rc = ERR_RANGE; /* a station buys energy at it */
    if (!rc && in->on_piles)
        rc = tariff_classes_check(t); /* else those piles could not charge any more */
    if (rc)
        return rc;
    must(tariff_build(&c->arena, &row, days, (size_t)in->days, slices, (size_t)in->slices, &t) ==
         0);
    must(tariff_add(c, t) == 0);
    row_put(c, ROW_TARIFF, ROW_UPSERT, &row);
    for (int32_t i = 0; i < in->days; i++)
        row_put(c, ROW_TARIFF_DAY, ROW_UPSERT, &days[i]);
    for (int32_t i = 0; i < in->slices; i++)
        row_put(c, ROW_TARIFF_SLICE, ROW_UPSERT, &slices[i]);
    c->made_id = row.id;
    c->made_version = 1;
    return 0;
}

/* ---- loading ---- */

int catalog_load(struct core *c, enum row_table t, const void *row)
{
    struct row_tariff_slice slice;
    if (t == ROW_TARIFF) {
        buf_put(&c->load_tariffs, row, sizeof(struct row_tariff));
    } else if (t == ROW_TARIFF_DAY) {
        buf_put(&c->load_days, row, sizeof(struct row_tariff_day));
    } else if (t == ROW_TARIFF_SLICE) {
        slice = *(const struct row_tariff_slice *)row;
        slice.label = arena_copy(&c->arena, str_from_c(slice.label));
        if (!slice.label)
            return ERR_NOMEM;
        buf_put(&c->load_slices, &slice, sizeof slice);
    } else if (t == ROW_CONTRACT) {
        buf_put(&c->load_contracts, row, sizeof(struct row_contract));
    } else if (t == ROW_CONTRACT_PARTY) {
        buf_put(&c->load_parties, row, sizeof(struct row_contract_party));
    } else if (t == ROW_CONTRACT_CLAUSE) {
        buf_put(&c->load_clauses, row, sizeof(struct row_contract_clause));
    } else {
        buf_put(&c->load_months, row, sizeof(struct row_contract_month));
    }
    return 0;
}

/* Copies the rows of `key` (first member of each) out of the gathered ones into the scratch. */
void *catalog_rows(struct core *c, const struct buf *from, size_t size, int64_t key, size_t *n)
{
    char *out = arena_alloc(&c->scratch, from->n + 1);
    *n = 0;
    for (size_t at = 0; out && at < from->n; at += size) {
        int64_t k;
        memcpy(&k, from->p + at, sizeof k);
        if (k == key)
            memcpy(out + size * (*n)++, from->p + at, size);
    }
    return out;
}

static int tariff_load(struct core *c, const struct row_tariff *row)
{
    size_t days_n, slices_n;
    struct tariff *t;
    struct row_tariff_day *days = catalog_rows(c, &c->load_days, sizeof *days, row->id, &days_n);
    struct row_tariff_slice *slices =
        catalog_rows(c, &c->load_slices, sizeof *slices, row->id, &slices_n);
    if (!days || !slices)
        return ERR_NOMEM;
    int rc = tariff_build(&c->arena, row, days, days_n, slices, slices_n, &t);
    return rc ? ERR_CORRUPT : tariff_add(c, t);
}

int catalog_build(struct core *c)
{
    struct arena usual = c->scratch;
    int rc = 0;
    arena_init(&c->scratch, SIZE_MAX);
    for (size_t at = 0; !rc && at < c->load_tariffs.n; at += sizeof(struct row_tariff)) {
        rc = tariff_load(c, (const struct row_tariff *)(const void *)(c->load_tariffs.p + at));
        arena_reset(&c->scratch);
    }
    for (size_t at = 0; !rc && at < c->load_contracts.n; at += sizeof(struct row_contract)) {
        rc =
            contract_load(c, (const struct row_contract *)(const void *)(c->load_contracts.p + at));
        arena_reset(&c->scratch);
    }
    for (size_t at = 0; !rc && at < c->load_months.n; at += sizeof(struct row_contract_month))
        rc = contract_month_load(
            c, (const struct row_contract_month *)(const void *)(c->load_months.p + at));
    arena_free(&c->scratch);
    c->scratch = usual;
    struct buf *bufs[] = {&c->load_days,    &c->load_slices,  &c->load_tariffs, &c->load_contracts,
                          &c->load_parties, &c->load_clauses, &c->load_months};
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_free(bufs[i]);
    return rc;
}

/* ---- price models ---- */

/* A pile holds the prices of one whole day. Its gate asks when what it holds ends, and now and then
 * in between because a new version may have come; PRICE_LEAD_MS before a change it already gets
 * what follows. */

/* Until when the prices of `at_ms` hold: the local day ends, or the next version begins. */
static int64_t price_until(const struct core *c, const struct tariff *t, int64_t at_ms,
                           int64_t day_end_ms)
{
    int64_t until = day_end_ms;
    const struct tariff_node *n = map_get_ptr(&c->tariff_families, (uint64_t)t->family);
    for (; n && n->t->from_ms > at_ms; n = n->next)
        if (n->t->from_ms < until)
            until = n->t->from_ms;
    return until;
}

/* The model that the pile should hold now. */
static int price_model(const struct core *c, const struct charger *ch, struct reply_prices *p)
{
    const struct station *s = station_find(c, ch->row.station);
    int64_t at = c->now + PRICE_LEAD_MS;
    const struct tariff *t = s ? tariff_in_force(c, s->row.tariff, at) : NULL;
    struct tariff_classes classes;
    if (!t || ch->row.state != CHARGER_ACTIVE)
        return t ? ERR_DISABLED : ERR_CONFLICT;
    int rc = tariff_classes_of_day(t, zone_of(c, ch->row.station), at, &classes);
    if (rc)
        return rc;
    *p = (struct reply_prices){.tariff = t->id};
    memcpy(p->elec_e5, classes.elec_e5, sizeof p->elec_e5);
    memcpy(p->service_e5, classes.service_e5, sizeof p->service_e5);
    memcpy(p->slot, classes.slot, sizeof p->slot);
    /* The number says whether a pile holds this model: the same prices give the same number. */
    uint64_t mix = hash_bytes(p->elec_e5, sizeof p->elec_e5, 1) ^
                   hash_bytes(p->service_e5, sizeof p->service_e5, 2) ^
                   hash_bytes(p->slot, sizeof p->slot, 3);
    p->number = (int32_t)(1 + mix % 9999);
    p->until_ms = price_until(c, t, at, classes.until_ms) - PRICE_LEAD_MS;
    return 0;
}

void catalog_price_model(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    struct reply_prices p;
    (void)cmd;
    int rc = price_model(c, ch, &p);
    if (rc) {
        reply_err(c, rc);
        return;
    }
    struct out *o = reply_new(c, 0, OUT_SIZE(prices));
    if (o)
        o->u.prices = p;
}

void catalog_price_held(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_price_held *in = &cmd->u.price_held;
    if (ch->row.price_tariff == in->tariff)
        return;
    ch->row.price_tariff = in->tariff;
    obj_dirty(c, &ch->o);
}
