// SPDX-License-Identifier: Apache-2.0
/* h_simulate.c: "this contract over last month's orders": a draft is run over what orders of a month
 * divided, by the same functions that divide orders, beside what was booked.
 *
 * An order's lines are the sums of its parts as they were captured (refunds left out), all of it divided
 * at once. The draft starts its month from nothing and is in force for all of it. What was booked at the
 * month's end belongs to a contract and is not told for a single station.
 *
 * Data: one row a party and fee; a few orders as examples. One snapshot; at most ORDERS_MAX orders.
 * Thread: the request's. */
#include "base/err.h"
#include "web/draft.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { ORDERS_MAX = 300000, EXAMPLES = 5, PARTS = 200 };

/* The order being read. */
struct order_now {
    int64_t id, at_ms, energy_mwh, lot_fee;
    int64_t base[SPLIT_LINES];
};

struct simulation {
    struct request *r;
    struct draft *d;
    struct api_Simulation *out;
    struct split_input month; /* how far the draft's month is */
    struct order_now order;
    struct split_result result;
    struct api_SimulateOrder *example; /* of this order, or NULL */
};

static struct api_SimulatePart *part_find(struct api_SimulatePart *parts, uint32_t *n,
                                          int64_t party, int64_t fee_kind)
{
    for (uint32_t i = 0; i < *n; i++)
        if (parts[i].party == party && parts[i].fee_kind == fee_kind)
            return &parts[i];
    if (*n == PARTS)
        return NULL;
    parts[*n] = (struct api_SimulatePart){.party = party, .fee_kind = fee_kind};
    return &parts[(*n)++];
}

static struct str name_of(const struct draft *d, int64_t party)
{
    for (int32_t i = 0; i < d->k.n; i++)
        if (d->party[i].party == party)
            return d->party_name[i];
    for (int32_t i = 0; d->k.terms != NULL && i < d->k.terms->n; i++)
        if (d->clause[i].party == party)
            return d->clause_name[i];
    return d->operator_name;
}

/* Adds to the sums, and to the example when this order is one. */
static int draft_add(struct simulation *s, int64_t party, int64_t fee_kind, int64_t amount)
{
    struct api_SimulatePart *p = part_find(s->out->parts, &s->out->parts_n, party, fee_kind);
    struct api_SimulatePart *e = p;

    if (s->example != NULL)
        e = part_find(s->example->parts, &s->example->parts_n, party, fee_kind);
    if (p == NULL || e == NULL)
        return ERR_TOO_LARGE;
    p->party_name = e->party_name = name_of(s->d, party);
    p->draft.v += amount;
    if (e != p)
        e->draft.v += amount;
    return 0;
}

/* ---- one order by the draft ---- */

static void month_add(struct simulation *s, const struct split_input *in)
{
    s->month.month_base += in->base[0].v + in->base[1].v + in->base[2].v;
    s->month.month_energy += in->energy_mwh;
    for (int32_t i = 0; s->d->k.terms != NULL && i < s->d->k.terms->n; i++)
        for (int32_t j = 0; j < s->result.n; j++)
            if (s->result.part[j].party == s->d->k.terms->clause[i].party)
                s->month.month_got[i] += s->result.part[j].amount.v;
}

static int order_end(struct simulation *s)
{
    const struct order_now *o = &s->order;
    struct split_input in = s->month;
    int64_t rest = 0;
    int err;

    if (o->id == 0)
        return 0;
    in.energy_mwh = o->energy_mwh < SPLIT_ENERGY_MAX ? o->energy_mwh : SPLIT_ENERGY_MAX;
    in.lot_fee = o->lot_fee;
    for (int line = 0; line < SPLIT_LINES; line++)
        in.base[line] = MONEY(o->base[line]);
    if (!split_covers(&s->d->k, FEE_OCCUPANCY)) {
        rest = in.base[2].v;
        in.base[2] = MONEY_ZERO;
    }
    err = split_compute(&s->d->k, &in, &s->result);
    if (err != 0)
        return err;
    split_commit(&s->d->k, &s->result);
    month_add(s, &in);
    for (int32_t i = 0; err == 0 && i < s->result.n; i++)
        err = draft_add(s, s->result.part[i].party, s->result.part[i].kind,
                        s->result.part[i].amount.v);
    if (err == 0 && rest > 0)
        err = draft_add(s, s->d->k.operator, FEE_OCCUPANCY, rest);
    return err;
}

/* ---- what was booked ---- */

static int order_begin(struct simulation *s, const struct sql_value *v)
{
    s->order =
        (struct order_now){.id = v[0].i, .at_ms = v[1].i, .energy_mwh = v[2].i, .lot_fee = v[7].i};
    s->out->energy_mwh += v[2].i;
    s->example = NULL;
    if (++s->out->orders > ORDERS_MAX)
        return ERR_TOO_LARGE;
    if (s->out->examples_n == EXAMPLES)
        return 0;
    s->example = &s->out->examples[s->out->examples_n++];
    *s->example = (struct api_SimulateOrder){
        .order = v[0].i,
        .at_ms = v[1].i,
        .energy_mwh = v[2].i,
        .parts = ARENA_ARRAY(&s->r->arena, PARTS, struct api_SimulatePart)};
    return s->example->parts != NULL ? 0 : ERR_TOO_LARGE;
}

static int booked_add(struct simulation *s, struct api_SimulatePart *parts, uint32_t *n,
                      const struct sql_value *v)
{
    struct api_SimulatePart *p = part_find(parts, n, v[4].i, v[3].i);

    if (p == NULL)
        return ERR_TOO_LARGE;
    p->party_name = req_copy(s->r, v[5].s);
    p->now.v += v[6].i;
    return 0;
}

static int part_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct simulation *s = ctx;
    int err = 0;

    (void)n;
    if (v[0].i != s->order.id) {
        err = order_end(s);
        if (err == 0)
            err = order_begin(s, v);
    }
    if (err != 0)
        return err;
    s->order.base[split_line((int32_t)v[3].i)] += v[6].i;
    s->out->divided.v += v[6].i;
    if (s->example != NULL) {
        s->example->divided.v += v[6].i;
        err = booked_add(s, s->example->parts, &s->example->parts_n, v);
    }
    return err != 0 ? err : booked_add(s, s->out->parts, &s->out->parts_n, v);
}

/* ---- the month's end ---- */

static int month_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct simulation *s = ctx;
    struct api_SimulatePart *p = part_find(s->out->parts, &s->out->parts_n, v[0].i, 0);
    struct api_SimulatePart *from = part_find(s->out->parts, &s->out->parts_n, s->d->k.operator, 0);

    (void)n;
    if (p == NULL || from == NULL)
        return ERR_TOO_LARGE;
    p->party_name = req_copy(s->r, v[1].s);
    p->now.v += v[2].i;
    from->party_name = s->d->operator_name;
    from->now.v -= v[2].i;
    return 0;
}

static int month_end(struct simulation *s, int64_t begin, int64_t end)
{
    struct split_dues dues = {0};
    int err = 0;

    s->example = NULL;
    split_month_dues(&s->d->k, begin, end, INT64_MAX, &dues);
    for (int32_t i = 0; err == 0 && i < dues.n; i++) {
        int64_t got = 0;

        for (uint32_t j = 0; j < s->out->parts_n; j++)
            if (s->out->parts[j].party == dues.v[i].party && s->out->parts[j].fee_kind != 0)
                got += s->out->parts[j].draft.v;
        err = draft_add(s, dues.v[i].party, 0, split_due_amount(&dues.v[i], got));
        if (err == 0)
            err = draft_add(s, s->d->k.operator, 0, -split_due_amount(&dues.v[i], got));
    }
    return err;
}

/* ---- all of it ---- */

static int run(struct simulation *s, const struct api_SimulateIn *in)
{
    int64_t begin, end;

    req_month(s->r, in->month, &begin, &end);
    const struct bind of[] = {BIND_I64("family", in->family), BIND_I64("station", in->station),
                              BIND_I64("from_ms", begin), BIND_I64("to_ms", end),
                              BIND_I64("month", in->month)};
    int err = req_query(s->r, QUERY_SIMULATE_PARTS, of, ARRAY_LEN(of), part_take, s);

    if (err == 0)
        err = order_end(s);
    s->d->k.from_ms = 0; /* as if it had been in force all month */
    s->d->k.to_ms = 0;
    if (err == 0)
        err = month_end(s, begin, end);
    if (err == 0 && in->station == 0)
        err = req_query(s->r, QUERY_SIMULATE_MONTH_ENDS, of, ARRAY_LEN(of), month_take, s);
    return err;
}

int contracts_simulate(struct request *r)
{
    const struct api_SimulateIn *in = r->in;
    struct simulation *s = ARENA_NEW(&r->arena, struct simulation);
    int err;

    if (s == NULL)
        return ERR_TOO_LARGE;
    *s = (struct simulation){.r = r,
                             .d = ARENA_NEW(&r->arena, struct draft),
                             .out = ARENA_NEW(&r->arena, struct api_Simulation)};
    if (s->d == NULL || s->out == NULL)
        return ERR_TOO_LARGE;
    s->out->parts = ARENA_ARRAY(&r->arena, PARTS, struct api_SimulatePart);
    s->out->examples = ARENA_ARRAY(&r->arena, EXAMPLES, struct api_SimulateOrder);
    if (s->out->parts == NULL || s->out->examples == NULL)
        return ERR_TOO_LARGE;
    if (in->month % 100 < 1 || in->month % 100 > 12)
        return req_fail(r, ERR_RANGE, "/month", "yyyymm");
    err = draft_build(r, &in->draft, "/draft", s->d);
    if (err == 0)
        err = run(s, in);
    return err != 0 ? err : req_json(r, &api_Simulation_type, s->out);
}
