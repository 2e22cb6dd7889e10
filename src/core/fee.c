// SPDX-License-Identifier: Apache-2.0
/* fee.c: see fee.h. Spreading: of the energy E used between t0 and t1, floor(E × (t − t0) / (t1 −
 * t0)) has flowed by each slice boundary t; a slice gets the difference of two such values, so the
 * sum is E to the milliwatt-hour.
 *
 * Owns nothing; pure. must() guards callers: energies and times were judged by the evidence rules
 * before. */
#include "core/fee.h"

#include "base/err.h"
#include "base/must.h"
#include "core/types.h"

static bool same_price(const struct fee_piece *p, const struct tariff_price *price)
{
    return p->label == price->label_i && p->elec_e5 == price->elec_e5 &&
           p->service_e5 == price->service_e5;
}

static int64_t price_apart(const struct fee_piece *p, const struct tariff_price *price)
{
    int64_t d = p->elec_e5 + p->service_e5 - price->elec_e5 - price->service_e5;
    return d < 0 ? -d : d;
}

/** Where energy of this price goes: the running piece, a new one, or, when the bill is full, the
 * piece with the same or the nearest price. */
static int32_t piece_for(struct fee_bill *b, const struct tariff_price *price, int64_t from_ms)
{
    if (b->n && same_price(&b->piece[b->n - 1], price))
        return b->n - 1;
    if (b->n < FEE_PIECES_MAX) {
        b->piece[b->n] = (struct fee_piece){.from_ms = from_ms,
                                            .to_ms = from_ms,
                                            .elec_e5 = (int32_t)price->elec_e5,
                                            .service_e5 = (int32_t)price->service_e5,
                                            .label = price->label_i};
        return b->n++;
    }
    int32_t best = 0;
    for (int32_t i = 0; i < b->n; i++) {
        if (same_price(&b->piece[i], price))
            return i;
        if (price_apart(&b->piece[i], price) < price_apart(&b->piece[best], price))
            best = i;
    }
    return best;
}

int32_t fee_add(struct fee_bill *b, const struct tariff *t, const struct zone *z, int64_t from_ms,
                int64_t to_ms, int64_t energy_mwh)
{
    must(energy_mwh >= 0 && from_ms <= to_ms && to_ms - from_ms <= FEE_SPAN_MAX_MS);
    int64_t at = from_ms, flowed = 0;
    int32_t first = b->n;
    if (!energy_mwh)
        return first;
    do {
        struct tariff_price price;
        tariff_price_at(t, z, at, &price);
        int64_t end = price.end_ms < to_ms ? price.end_ms : to_ms;
        int64_t by_end =
            end == to_ms ? energy_mwh : muldiv_floor(energy_mwh, end - from_ms, to_ms - from_ms);
        int32_t i = piece_for(b, &price, at);
        b->piece[i].energy_mwh += by_end - flowed;
        if (b->piece[i].to_ms < end)
            b->piece[i].to_ms = end;
        if (i < first)
            first = i;
        flowed = by_end;
        at = end;
    } while (at < to_ms);
    must(flowed == energy_mwh);
    return first;
}

static int64_t bill_energy(const struct fee_bill *b)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < b->n; i++)
        sum += b->piece[i].energy_mwh;
    return sum;
}

void fee_cut(struct fee_bill *b, int64_t energy_mwh)
{
    int64_t over = bill_energy(b) - energy_mwh;
    must(energy_mwh >= 0);
    for (int32_t i = b->n - 1; i >= 0 && over > 0; i--) {
        int64_t take = over < b->piece[i].energy_mwh ? over : b->piece[i].energy_mwh;
        b->piece[i].energy_mwh -= take;
        over -= take;
    }
}

int fee_from_classes(struct fee_bill *b, const struct tariff_classes *classes,
                     const int64_t energy_mwh[TARIFF_CLASSES], int64_t from_ms, int64_t to_ms)
{
    for (int k = 0; k < TARIFF_CLASSES; k++)
        if (energy_mwh[k] < 0 || (energy_mwh[k] && classes->label[k] < 0))
            return ERR_RANGE;
    b->n = 0;
    for (int k = 0; k < TARIFF_CLASSES; k++)
        if (energy_mwh[k])
            b->piece[b->n++] = (struct fee_piece){.from_ms = from_ms,
                                                  .to_ms = to_ms,
                                                  .energy_mwh = energy_mwh[k],
                                                  .elec_e5 = (int32_t)classes->elec_e5[k],
                                                  .service_e5 = (int32_t)classes->service_e5[k],
                                                  .label = classes->label[k]};
    return 0;
}

static bool one_price(const struct fee_piece *a, const struct fee_piece *b)
{
    return a->label == b->label && a->elec_e5 == b->elec_e5 && a->service_e5 == b->service_e5;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/** Did another price begin between the two pieces? Then they are two pieces for one meter too. */
static bool parted(const struct fee_bill *b, const struct fee_piece *x, const struct fee_piece *y)
{
    const struct fee_piece *first = x->from_ms <= y->from_ms ? x : y;
    int64_t next_ms = later(x->from_ms, y->from_ms);
    for (int32_t i = 0; i < b->n; i++)
        if (!one_price(&b->piece[i], x) && b->piece[i].from_ms >= first->to_ms &&
            b->piece[i].from_ms < next_ms)
            return true;
    return false;
}

/** The piece of b that this one belongs to; the one of the nearest price when b is full; -1: none. */
static int32_t join_at(const struct fee_bill *b, const struct fee_piece *p)
{
    const struct tariff_price price = {.elec_e5 = p->elec_e5, .service_e5 = p->service_e5};
    int32_t best = 0;
    for (int32_t i = 0; i < b->n; i++) {
        if (one_price(&b->piece[i], p) && !parted(b, &b->piece[i], p))
            return i;
        if (price_apart(&b->piece[i], &price) < price_apart(&b->piece[best], &price))
            best = i;
    }
    return b->n < FEE_PIECES_MAX ? -1 : best;
}

void fee_join(struct fee_bill *b, const struct fee_bill *other)
{
    for (int32_t i = 0; i < other->n; i++) {
        const struct fee_piece *p = &other->piece[i];
        int32_t at = p->energy_mwh ? join_at(b, p) : 0;
        if (!p->energy_mwh)
            continue;
        if (at < 0) { /* in the order they began */
            for (at = b->n++; at > 0 && b->piece[at - 1].from_ms > p->from_ms; at--)
                b->piece[at] = b->piece[at - 1];
            b->piece[at] = *p;
            continue;
        }
        struct fee_piece *q = &b->piece[at];
        q->energy_mwh += p->energy_mwh;
        q->from_ms = p->from_ms < q->from_ms ? p->from_ms : q->from_ms;
        q->to_ms = later(q->to_ms, p->to_ms);
    }
}

void fee_sum(const struct fee_bill *b, struct fee_sum *out)
{
    *out = (struct fee_sum){.energy_mwh = bill_energy(b)};
    for (int32_t i = 0; i < b->n; i++) {
        const struct fee_piece *p = &b->piece[i];
        out->elec = money_add(out->elec, money_fee_line(p->energy_mwh, p->elec_e5));
        out->service = money_add(out->service, money_fee_line(p->energy_mwh, p->service_e5));
    }
    out->total = money_add(out->elec, out->service);
}

static struct fee_line line_of(const struct fee_piece *p, const struct tariff *t, int32_t kind)
{
    int64_t price = kind == FEE_ELECTRICITY ? p->elec_e5 : p->service_e5;
    return (struct fee_line){.kind = kind,
                             .label = t->labels[p->label],
                             .from_ms = p->from_ms,
                             .to_ms = p->to_ms,
                             .energy_mwh = p->energy_mwh,
                             .price_e5 = price,
                             .amount = money_fee_line(p->energy_mwh, price)};
}

int32_t fee_lines(const struct fee_bill *b, const struct tariff *t,
                  struct fee_line out[FEE_LINES_MAX])
{
    int32_t n = 0;
    for (int32_t i = 0; i < b->n; i++) {
        if (!b->piece[i].energy_mwh)
            continue;
        out[n++] = line_of(&b->piece[i], t, FEE_ELECTRICITY);
        out[n++] = line_of(&b->piece[i], t, FEE_SERVICE);
    }
    return n;
}

void fee_piece_row(const struct fee_bill *b, const struct tariff *t, int32_t i, int64_t session,
                   struct row_bill_piece *row)
{
    must(i >= 0 && i < b->n);
    const struct fee_piece *p = &b->piece[i];
    *row = (struct row_bill_piece){.session = session,
                                   .seq = i,
                                   .label = t->labels[p->label],
                                   .from_ms = p->from_ms,
                                   .to_ms = p->to_ms,
                                   .energy_mwh = p->energy_mwh,
                                   .elec_e5 = p->elec_e5,
                                   .service_e5 = p->service_e5};
}

int fee_piece_load(struct fee_bill *b, const struct tariff *t, const struct row_bill_piece *row)
{
    int32_t label = tariff_label(t, row->label);
    if (row->seq < 0 || row->seq >= FEE_PIECES_MAX || label < 0 || row->energy_mwh < 0 ||
        row->from_ms > row->to_ms || row->elec_e5 < 0 || row->elec_e5 > TARIFF_PRICE_MAX ||
        row->service_e5 < 0 || row->service_e5 > TARIFF_PRICE_MAX)
        return ERR_CORRUPT;
    b->piece[row->seq] = (struct fee_piece){.from_ms = row->from_ms,
                                            .to_ms = row->to_ms,
                                            .energy_mwh = row->energy_mwh,
                                            .elec_e5 = (int32_t)row->elec_e5,
                                            .service_e5 = (int32_t)row->service_e5,
                                            .label = label};
    if (row->seq >= b->n)
        b->n = row->seq + 1;
    return 0;
}
